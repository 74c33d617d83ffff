"""Learns the weights of the signals: the conditional logit that makes the right articles most likely.

McFadden 1974: Conditional Logit Analysis of Qualitative Choice Behavior.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from kb_index.fusion import DEFAULT_WEIGHTS, SIGNALS, Found, Numbers, Weights, vector_of

PRIOR = 3.0  # how much the weights to start from count, in questions
FLAT = 1e-6  # a signal that varies less was not there: nothing can be learned of it


class Choices:
    """Questions with the articles found for each, ready to be fitted on any selection of them.

    gold: by question the articles that answer. Questions without a found answer teach nothing here and are left out.
    """

    def __init__(self, questions: Sequence[tuple[Found, frozenset[int]]]) -> None:
        self._rows: dict[int, tuple[Numbers, NDArray[np.bool_]]] = {}
        for number, (found, gold) in enumerate(questions):
            right = np.array([c.article_id in gold for c in found.candidates], bool)
            if right.any() and not right.all():
                self._rows[number] = (found.matrix, right)

    def fit(self, numbers: Sequence[int], prior: Weights = DEFAULT_WEIGHTS) -> Weights:
        """The weights learned from these questions, none below 0; near `prior` where there are few."""
        chosen = [self._rows[number] for number in numbers if number in self._rows]
        if not chosen:
            return dict(prior)
        matrix = np.concatenate([rows for rows, _ in chosen])
        right = np.concatenate([truth for _, truth in chosen])
        starts = np.cumsum([0, *(len(rows) for rows, _ in chosen[:-1])])
        spread = matrix.std(axis=0)
        learned = spread > FLAT
        spread = np.where(learned, spread, 1.0)
        start = vector_of(prior)
        fitted = _maximise(matrix[:, learned] / spread[learned], right, starts, (start * spread)[learned])
        weights = start.copy()
        weights[learned] = fitted / spread[learned]
        return {name: float(weight) for name, weight in zip(SIGNALS, weights, strict=True)}


def _maximise(matrix: Numbers, right: NDArray[np.bool_], starts: NDArray[np.int_], prior: Numbers) -> Numbers:
    """The penalised maximum of the likelihood. starts: where each question's rows begin."""
    n = len(starts)
    sizes = np.diff([*starts, len(matrix)])

    def loss(weights: Numbers) -> tuple[float, Numbers]:
        scores = matrix @ weights
        scores -= np.repeat(np.maximum.reduceat(scores, starts), sizes)
        chances = np.exp(scores)
        chances /= np.repeat(np.add.reduceat(chances, starts), sizes)
        hits = np.where(right, chances, 0.0)
        total = np.maximum(np.add.reduceat(hits, starts), 1e-12)
        gradient = (chances - hits / np.repeat(total, sizes)) @ matrix
        away = weights - prior
        return float(-np.log(total).sum() + PRIOR * away @ away) / n, (gradient + 2 * PRIOR * away) / n

    found: Numbers = minimize(loss, prior, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(prior)).x
    return found
