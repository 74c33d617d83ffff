"""Fits fusion weights, confidence and thresholds on questions with known answers, and says what they keep.

Everything that is reported, and every threshold, comes from articles the model has not seen: whole articles are left
out with all their questions, weights and regression are fitted on the others (group k-fold). To learn what "not in the
knowledge base" looks like, each question also counts once with its article taken away. A threshold is accepted when the
exact binomial upper bound (Clopper, Pearson 1934) of its wrong answers keeps the risk.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from kb_index.confidence import AMONG, Fitted, Logistic, Numbers, Thresholds, features, logistic
from kb_index.fusion import SIGNALS, Found, Weights, fuse

RISKS = (0.02, 0.05, 0.10, 0.15, 0.20)
ASK_RISK = 3  # a question back that holds no answer costs a tap, not trust: it may be so many times as frequent
MOST_ASK_RISK = 0.5
LEVEL = 0.95  # of the one-sided bound
SHARES = (0.0, 0.15, 0.3, 0.45, 0.6, 0.8, 1.0)
PENALTY = 1.0
FOLDS = 10
AS_GOOD = 0.005  # of the mean reciprocal rank


@dataclass(frozen=True)
class Sample:
    """A question with what the signals found. gold: the articles that answer, empty when none does.

    withheld: made from an answerable one by taking its article away. group: samples that must stay together.
    """

    found: Found
    gold: frozenset[int]
    group: str
    kind: str
    withheld: bool = False

    def without_answer(self) -> "Sample":
        """The same question when its article is not in the knowledge base."""
        return Sample(self.found.without(self.gold), frozenset(), self.group, self.kind, withheld=True)


@dataclass(frozen=True)
class Table:
    """Samples as numbers. right: the first article answers; among: one of the first three does."""

    x: Numbers
    right: NDArray[np.bool_]
    among: NDArray[np.bool_]
    weight: Numbers


def fit(samples: Sequence[Sample], name: str, language: str, model: str) -> Fitted:
    """The calibration of one language. samples: as asked, answerable and not; the withheld ones are made here."""
    everything = [s for s in samples if s.found.candidates]
    everything += [w for s in everything if s.gold for w in [s.without_answer()] if w.found.candidates]
    weights = best_weights(everything)
    whole = table(everything, weights)
    unseen = out_of_fold(everything)
    asked = np.array([not s.withheld for s in everything])
    return Fitted(
        name=name,
        language=language,
        model=model,
        fitted_at=datetime.now(UTC),
        sample_size=int(asked.sum()),
        weights=weights,
        answers=regression(whole, whole.right),
        among=regression(whole, whole.among),
        thresholds={f"{risk:g}": thresholds(unseen, asked, risk) for risk in RISKS},
        measured=measured(everything, unseen, asked),
    )


@dataclass(frozen=True)
class Unseen:
    """Out-of-fold probabilities of all samples, with the truth under the weights of the same fold."""

    answer: Numbers
    among_first: Numbers
    right: NDArray[np.bool_]
    among: NDArray[np.bool_]


def out_of_fold(samples: Sequence[Sample], seed: int = 0) -> Unseen:
    """Judge every sample by a model that was fitted without its article."""
    n = len(samples)
    unseen = Unseen(np.zeros(n), np.zeros(n), np.zeros(n, bool), np.zeros(n, bool))
    groups = [s.group for s in samples]
    for train, test in GroupKFold(FOLDS, shuffle=True, random_state=seed).split(groups, groups=groups):
        seen = [samples[i] for i in train]
        weights = best_weights(seen)
        fitted, held_out = table(seen, weights), table([samples[i] for i in test], weights)
        unseen.answer[test] = probabilities(regression(fitted, fitted.right), held_out.x)
        unseen.among_first[test] = probabilities(regression(fitted, fitted.among), held_out.x)
        unseen.right[test], unseen.among[test] = held_out.right, held_out.among
    return unseen


def best_weights(samples: Sequence[Sample]) -> Weights:
    """The mixture of the signals, each in units of its own spread, that ranks the right articles best.

    It is the middle of all mixtures that are as good: the single best one changes with every sample.
    """
    answerable = [s for s in samples if s.gold]
    rankings = [Prepared(sample) for sample in answerable]
    spread = np.mean([prepared.spread for prepared in rankings], axis=0)
    mixtures = [m for m in product(SHARES, repeat=len(SIGNALS)) if max(m) == 1.0]
    scores = [np.mean([prepared.score(np.array(m) / spread) for prepared in rankings]) for m in mixtures]
    good = [m for m, score in zip(mixtures, scores, strict=True) if score >= max(scores) - AS_GOOD]
    best = np.mean(good, axis=0) / spread
    return {signal: float(weight) for signal, weight in zip(SIGNALS, best / best.sum(), strict=True)}


class Prepared:
    """A sample's candidates as arrays, so that many mixtures can be tried."""

    def __init__(self, sample: Sample) -> None:
        candidates = sample.found.candidates
        self.signals = np.array([[getattr(c, name) for name in SIGNALS] for c in candidates])
        articles = np.array([c.article_id for c in candidates])
        self.is_gold = np.isin(articles, list(sample.gold))
        self.articles = articles
        self.spread = np.maximum(self.signals.std(axis=0), 1e-6)

    def score(self, weights: Numbers) -> float:
        """1, 1/2, 1/3 ... by the place of the first right article (reciprocal rank)."""
        if not self.is_gold.any():
            return 0.0
        fused = self.signals @ weights
        better = fused > fused[self.is_gold].max()
        return 1.0 / (1 + len(set(self.articles[better])))


def table(samples: Sequence[Sample], weights: Weights) -> Table:
    """Features and truth under these weights."""
    rows, right, among = [], [], []
    for sample in samples:
        ranked = fuse(sample.found, weights)
        rows.append(features(sample.found, ranked))
        right.append(ranked[0].candidate.article_id in sample.gold)
        among.append(any(r.candidate.article_id in sample.gold for r in ranked[:AMONG]))
    return Table(np.array(rows), np.array(right), np.array(among), sample_weights(samples))


def sample_weights(samples: Sequence[Sample]) -> Numbers:
    """Withheld and unanswerable questions together weigh as much as unanswerable ones were asked.

    So the withheld teach what a miss looks like, and the probabilities still fit the questions as they were asked.
    """
    withheld = sum(s.withheld for s in samples)
    unanswerable = sum(not s.gold and not s.withheld for s in samples)
    miss = unanswerable / (unanswerable + withheld) if unanswerable else 0.5
    return np.array([1.0 if s.gold else miss for s in samples])


def regression(data: Table, truth: NDArray[np.bool_]) -> Logistic:
    """A logistic regression with a weak penalty, and the covariance of its coefficients."""
    mean, scale = data.x.mean(axis=0), np.maximum(data.x.std(axis=0), 1e-9)
    x = (data.x - mean) / scale
    model = LogisticRegression(C=PENALTY, max_iter=1000).fit(x, truth, sample_weight=data.weight)
    design = np.column_stack([np.ones(len(x)), x])
    p = model.predict_proba(x)[:, 1]
    penalty = np.diag([0.0] + [1 / PENALTY] * x.shape[1])
    information = (design * (data.weight * p * (1 - p))[:, None]).T @ design + penalty
    return Logistic(
        mean=tuple(map(float, mean)),
        scale=tuple(map(float, scale)),
        coefficients=(float(model.intercept_[0]), *map(float, model.coef_[0])),
        covariance=tuple(tuple(map(float, row)) for row in np.linalg.inv(information)),
    )


def probabilities(model: Logistic, x: Numbers) -> Numbers:
    """The probability of each row."""
    rows = np.column_stack([np.ones(len(x)), (x - np.array(model.mean)) / np.array(model.scale)])
    return np.array([logistic(float(value)) for value in rows @ np.array(model.coefficients)])


def upper_bound(wrong: int, total: int, level: float = LEVEL) -> float:
    """The exact one-sided upper bound of a share of which `wrong` of `total` were seen."""
    return 1.0 if wrong >= total else float(beta.ppf(level, wrong + 1, total - wrong))


def lowest_safe(probability: Numbers, right: NDArray[np.bool_], risk: float) -> float | None:
    """The lowest threshold whose wrong share is bounded by the risk; None when there is no such."""
    order = np.argsort(-probability, kind="stable")
    wrong = np.cumsum(~right[order])
    for last in range(len(order) - 1, -1, -1):
        tied = last + 1 < len(order) and probability[order[last + 1]] == probability[order[last]]
        if not tied and upper_bound(int(wrong[last]), last + 1) <= risk:
            return float(probability[order[last]])
    return None


def thresholds(unseen: Unseen, asked: NDArray[np.bool_], risk: float) -> Thresholds:
    """Answer and ask-back thresholds for a risk, on the questions as they were asked."""
    p, right = unseen.answer[asked], unseen.right[asked]
    answer_from = lowest_safe(p, right, risk)
    answered = np.zeros(len(p), bool) if answer_from is None else p >= answer_from
    rest = ~answered
    ask_risk = min(MOST_ASK_RISK, ASK_RISK * risk)
    ask_from = lowest_safe(unseen.among_first[asked][rest], unseen.among[asked][rest], ask_risk)
    asked_back = rest & (unseen.among_first[asked] >= (2.0 if ask_from is None else ask_from))
    return Thresholds(
        answer_from=answer_from,
        ask_from=ask_from,
        answered=share(answered),
        wrong=share(~right[answered]),
        asked_back=share(asked_back),
    )


def share(values: NDArray[np.bool_]) -> float:
    """The share that is true; 0 of nothing."""
    return round(float(values.mean()), 4) if len(values) else 0.0


def measured(samples: Sequence[Sample], unseen: Unseen, asked: NDArray[np.bool_]) -> Mapping[str, Any]:
    """What to report, all out of fold."""
    gold = np.array([bool(s.gold) for s in samples])
    return {
        "answerable": int(gold.sum()),
        "unanswerable": int((asked & ~gold).sum()),
        "recall@1": share(unseen.right[gold]),
        "recall@3": share(unseen.among[gold]),
        "auroc": auroc(unseen.right[asked], unseen.answer[asked]),
        "ece": calibration_error(unseen.right[asked], unseen.answer[asked]),
        "among_ece": calibration_error(unseen.among[asked], unseen.among_first[asked]),
        **dict(by_kind(samples, unseen, asked, gold)),
    }


def by_kind(
    samples: Sequence[Sample], unseen: Unseen, asked: NDArray[np.bool_], gold: NDArray[np.bool_]
) -> Iterator[tuple[str, Any]]:
    """How well the answerable are told from each kind of unanswerable, and the recall of each kind of question."""
    kinds = np.array([s.kind for s in samples])
    for kind in sorted(set(kinds[asked & ~gold])):
        both = asked & (gold | (kinds == kind))
        yield f"auroc_{kind}", auroc(gold[both], unseen.answer[both])
    for kind in sorted(set(kinds[gold])):
        yield f"recall@1 {kind}", share(unseen.right[gold & (kinds == kind)])


def auroc(truth: NDArray[np.bool_], score: Numbers) -> float | None:
    """The probability that a true one scores above a false one; None when there is only one sort."""
    return round(float(roc_auc_score(truth, score)), 4) if 0 < truth.sum() < len(truth) else None


def calibration_error(truth: NDArray[np.bool_], probability: Numbers, bins: int = 10) -> float:
    """Expected calibration error over ten bins of equal width (Naeini, Cooper, Hauskrecht 2015)."""
    place = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [abs(truth[place == b].mean() - probability[place == b].mean()) * (place == b).sum() for b in set(place)]
    return round(float(sum(gaps) / len(truth)), 4)
