"""What requesters said of an article's answers, as a shift of its probability.

A random intercept of the article in the logistic regression, its offset the log-odds that the calibration gave before
any shift: the mode of its posterior, from a normal prior (variance VARIANCE of the log-odds). With few words it stays
near 0, with many it follows them. Breslow, Clayton: Approximate Inference in Generalized Linear Mixed Models, 1993.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sqlalchemy import Integer, case, cast, func, select
from sqlalchemy.orm import Session

from kb_index.confidence import logistic
from kb_index.models import AnswerFeedback
from kb_index.port import Confidence
from kb_index.promise import log_odds

VARIANCE = 0.5
BINS = 50  # of the probability: answers of one bin count with their mean
FARTHEST = 20.0  # of a shift
HALVINGS = 40
Numbers = NDArray[np.float64]


def read_records(session: Session) -> dict[int, float]:
    """By article the shift of its log-odds; articles nobody spoke of are left out."""
    one = AnswerFeedback
    place = cast(one.probability * BINS, Integer)
    helped = func.sum(case((one.helped, 1.0), else_=0.0))
    counts = select(one.article_id, func.avg(one.probability), func.count(), helped).group_by(one.article_id, place)
    rows = np.array(session.execute(counts).all(), float).reshape(-1, 4)
    articles, member = np.unique(rows[:, 0], return_inverse=True)
    return dict(zip(map(int, articles), map(float, shifts(member, *rows[:, 1:].T)), strict=True))


def shifts(member: NDArray[np.intp], probability: Numbers, said: Numbers, helped: Numbers) -> Numbers:
    """By article the shift at which its posterior is highest. member: by row its article, from 0; probability: without
    any shift; said, helped: how many spoke, and of how many it helped.

    The slope of the posterior only falls, so its zero is found by halving; a step of Newton may lead astray from there.
    """
    offset = log_odds(probability)
    low = np.full(member.max(initial=-1) + 1, -FARTHEST)
    high = -low
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        expected = said * expit(offset + middle[member])
        slope = np.bincount(member, helped - expected, len(middle)) - middle / VARIANCE
        low, high = np.where(slope > 0, middle, low), np.where(slope > 0, high, middle)
    return (low + high) / 2


def moved(confidence: Confidence, shift: float) -> Confidence:
    """The confidence with its log-odds shifted; it remembers by how much."""
    if not shift:
        return confidence
    names = ("probability", "low", "high")
    shifted = {n: logistic(float(log_odds(getattr(confidence, n))) + shift) for n in names}
    return replace(confidence, **shifted, shift=confidence.shift + shift)


def unmoved(confidence: Confidence) -> float:
    """The probability before any shift: what is said of an answer is held against this one, for held against the
    shifted one it would be believed half."""
    return logistic(float(log_odds(np.asarray(confidence.probability))) - confidence.shift)
