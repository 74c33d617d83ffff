"""The two curves that show whether a probability can be trusted, as plain lists."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

MOST_POINTS = 200
BINS = 10
Numbers = NDArray[np.float64]


def risk_coverage(probability: Numbers, right: NDArray[np.bool_]) -> list[dict[str, float]]:
    """For falling thresholds: the share of all questions that would be answered, and the share of wrong answers.

    One point where the probability changes, at most 200 evenly spread; the last one answers everything.
    """
    if not len(probability):
        return []
    order = np.argsort(-probability, kind="stable")
    sorted_, wrong = probability[order], np.cumsum(~right[order])
    ends = np.flatnonzero(np.append(sorted_[1:] != sorted_[:-1], True))
    if len(ends) > MOST_POINTS:
        ends = ends[np.linspace(0, len(ends) - 1, MOST_POINTS).round().astype(int)]
    return [point(float(sorted_[i]), int(i) + 1, int(wrong[i]), len(order)) for i in ends]


def point(threshold: float, answered: int, wrong: int, n: int) -> dict[str, float]:
    return {"from": round(threshold, 4), "answered": round(answered / n, 4), "wrong": round(wrong / answered, 4)}


def reliability(probability: Numbers, right: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """By tenth of the probability: how often it was said, its mean, how often it was true, with an exact interval."""
    place = np.minimum((probability * BINS).astype(int), BINS - 1)
    return [bin_of(b, probability[place == b], right[place == b]) for b in range(BINS) if (place == b).any()]


def bin_of(number: int, probability: Numbers, right: NDArray[np.bool_]) -> dict[str, Any]:
    n, true = len(right), int(right.sum())
    low = 0.0 if true == 0 else float(betaincinv(true, n - true + 1, 0.025))
    high = 1.0 if true == n else float(betaincinv(true + 1, n - true, 0.975))
    return {
        "from": number / BINS,
        "to": (number + 1) / BINS,
        "n": n,
        "said": round(float(probability.mean()), 4),
        "true": round(true / n, 4),
        "interval": [round(low, 4), round(high, 4)],
    }
