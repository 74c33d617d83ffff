"""The lowest threshold that keeps a promise about wrong answers, and how sure that is.

The risk is the share of wrong ones among the answers given (selective risk; Geifman, El-Yaniv: Selective Classification
for Deep Neural Networks, 2017). An exact binomial bound (Clopper, Pearson 1934) needs 59 answers without one mistake
before it allows 5 %. So the risk above a threshold is estimated from a logistic recalibration (Platt 1999) of the
probabilities that unseen articles got, drawn anew in a bootstrap over whole articles (Efron 1979); each draw adds the
chance of as many answers as were given here, so that the bound speaks of what the operator will count, not only of a
share in the long run.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import beta

Numbers = NDArray[np.float64]
Truth = NDArray[np.bool_]
DRAWS = 400
FEWEST = 10  # answers below which no threshold is believed
RIDGE = 0.5  # keeps a recalibration near the model's own probabilities where data are few
STEPS = 30  # of Newton, at most; five or six are usual
ENOUGH = 1e-6  # a smaller step changes nothing
ROUNDING = 1e-9


@dataclass(frozen=True)
class Promise:
    """Bounds of the wrong share above each threshold. probability: falling; drawn: shape (draws, thresholds); observed:
    the share that was wrong above each."""

    probability: Numbers
    drawn: Numbers
    observed: Numbers

    def lowest(self, risk: float, assurance: float) -> float | None:
        """The lowest threshold whose wrong share stays within the risk in the share `assurance` of all draws, and
        stayed within it here; None when there is none. assurance 0.5 keeps it about every second time, 0.95 nearly
        always. One wrong answer more would not have broken it: so it rests on at least 1 / risk answers."""
        if len(self.probability) < FEWEST:
            return None
        bound = np.quantile(self.drawn, assurance, axis=0)
        count = np.arange(1, len(self.probability) + 1)
        is_last = np.append(np.diff(self.probability) < 0, True)  # equal probabilities are answered together
        stayed = self.observed * count + 1 <= risk * count + ROUNDING
        kept = np.flatnonzero((bound <= risk) & stayed & is_last & (count >= FEWEST))
        return float(self.probability[kept.max()]) if len(kept) else None


def promise(probability: Numbers, right: Truth, groups: NDArray[np.str_], seed: int = 0) -> Promise:
    """From probabilities of unseen questions, whether the answer was right, and what belongs together (articles)."""
    order = np.argsort(-probability, kind="stable")
    falling, logits, count = probability[order], log_odds(probability), np.arange(1, len(order) + 1)
    names, member = np.unique(groups, return_inverse=True)
    random = np.random.default_rng(seed)
    drawn = np.zeros((DRAWS, len(order)))
    for draw in drawn:
        times = np.bincount(random.integers(0, len(names), len(names)), minlength=len(names))[member]
        constant, slope = recalibrate(logits, right, times.astype(float))
        wrong = expit(-(constant + slope * logits[order]))
        draw[:] = random.binomial(count, np.clip(np.cumsum(wrong) / count, 0, 1)) / count
    return Promise(falling, drawn, np.cumsum(~right[order]) / count)


def recalibrate(logits: Numbers, right: Truth, times: Numbers | None = None) -> tuple[float, float]:
    """(constant, slope) of the logistic regression of the truth on one score; penalised towards (0, 1).

    Newton's steps, each halved until it does not make things worse: from far away a whole one may lead astray.
    """
    design = np.column_stack([np.ones_like(logits), logits])
    weight = np.ones_like(logits) if times is None else times
    start = np.array([0.0, 1.0])

    def loss(at: Numbers) -> float:
        score, away = design @ at, at - start
        return float(weight @ (np.logaddexp(0, score) - right * score) + RIDGE / 2 * away @ away)

    found, before = start, loss(start)
    for _ in range(STEPS):
        chance = expit(design @ found)
        gradient = design.T @ (weight * (right - chance)) - RIDGE * (found - start)
        curvature = (design * (weight * chance * (1 - chance))[:, None]).T @ design + RIDGE * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        while (after := loss(found + step)) > before and np.abs(step).max() > ENOUGH:
            step = step / 2
        if after > before:
            break
        found, before = found + step, after
        if np.abs(step).max() < ENOUGH:
            break
    return float(found[0]), float(found[1])


def log_odds(probability: Numbers) -> Numbers:
    """The log-odds, never infinite."""
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    found: Numbers = np.log(p / (1 - p))
    return found


def upper_bound(wrong: int, total: int, level: float = 0.95) -> float:
    """The exact one-sided upper bound of a share of which `wrong` of `total` were seen (Clopper, Pearson 1934)."""
    return 1.0 if wrong >= total else float(beta.ppf(level, wrong + 1, total - wrong))
