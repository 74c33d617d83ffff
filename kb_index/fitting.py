"""Fits weights, confidence and thresholds on questions with known answers, and says what they keep.

Everything that is reported, and every threshold, comes from articles the model has not seen: whole articles are left
out with all their questions, weights and regression are fitted on the others (group k-fold). To learn what "not in the
knowledge base" looks like, questions also count once with their article taken away. `kb_index/promise.py` says which
threshold keeps which promise.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from kb_index.choice import Choices
from kb_index.confidence import AMONG, READ, Fitted, Logistic, Numbers, Thresholds, features, logistic
from kb_index.fusion import Found, Weights, fuse
from kb_index.promise import Promise, log_odds, promise, recalibrate

RISKS = (0.01, 0.02, 0.03, 0.05, 0.075, 0.10, 0.15, 0.20, 0.30)
ASSURANCES = (0.5, 0.8, 0.9, 0.95)
ASK_RISK = 0.35  # a question back that holds no answer costs a tap, not trust: so many of them may
ASK_ASSURANCE = 0.5
ASK_AT_LEAST = 0.5  # it must be more likely than not that one of the choices answers
PENALTY = 1.0
FOLDS = 10
ENOUGH = 60  # questions below which only an older calibration is shifted, not a new one fitted


class TooLittle(ValueError):  # noqa: N818 - it is a finding
    """The questions do not suffice to learn anything from."""


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
        """The same question when its article is not found."""
        return Sample(self.found.without(self.gold), frozenset(), self.group, self.kind, withheld=True)


@dataclass(frozen=True)
class Table:
    """Samples as numbers. right: the first article answers; among: one of the first three does."""

    x: Numbers
    right: NDArray[np.bool_]
    among: NDArray[np.bool_]
    weight: Numbers


def fit(samples: Sequence[Sample], name: str, language: str, model: str, prior: Fitted | None = None) -> Fitted:
    """The calibration of one language.

    samples: as asked, answerable and not; where there are no withheld ones they are made here. prior: what few
    questions only shift. Raises TooLittle when there is nothing to learn from.
    """
    everything = with_withheld(samples)
    check_enough(everything, language)
    if sum(not s.withheld for s in everything) < ENOUGH and prior is not None:
        return shifted(everything, prior, name, language, source="questions")
    choices = Choices([(s.found, s.gold) for s in everything])
    weights = choices.fit(range(len(everything)), **prior_weights(prior))
    whole = table(everything, weights)
    unseen = out_of_fold(everything, prior)
    return Fitted(
        name=name,
        language=language,
        model=model,
        fitted_at=datetime.now(UTC),
        sample_size=sum(not s.withheld for s in everything),
        weights=weights,
        answers=regression(whole, whole.right),
        among=regression(whole, whole.among),
        thresholds=all_thresholds(unseen, asked_of(everything), groups_of(everything)),
        measured=measured(everything, unseen, asked_of(everything)),
    )


def check_enough(samples: Sequence[Sample], language: str) -> None:
    """Raises TooLittle unless questions about FOLDS articles are there, right and wrong ones."""
    groups = {s.group for s in samples if s.gold}
    if len(groups) < FOLDS:
        raise TooLittle(
            f"{language}: questions about {len(groups)} articles are too few to learn from; give questions about at "
            f"least {FOLDS} articles"
        )


def shifted(samples: Sequence[Sample], prior: Fitted, name: str, language: str, source: str) -> Fitted:
    """The prior's calibration with constant and slope of its log-odds fitted on these samples, withheld ones counting
    in full: for few questions, and for those made from the articles themselves."""
    whole = table(samples, prior.weights)
    answer, among = probabilities(prior.answers, whole.x), probabilities(prior.among, whole.x)
    answers = prior.answers.recalibrated(*recalibrate(log_odds(answer), whole.right))
    among_first = prior.among.recalibrated(*recalibrate(log_odds(among), whole.among))
    shifted_answer, shifted_among = probabilities(answers, whole.x), probabilities(among_first, whole.x)
    unseen = Unseen(shifted_answer, shifted_among, whole.right, whole.among)  # two parameters: hardly anything to leak
    everyone = np.ones(len(samples), bool)
    return Fitted(
        name=name,
        language=language,
        model=prior.model,
        fitted_at=datetime.now(UTC),
        sample_size=len(samples),
        weights=prior.weights,
        answers=answers,
        among=among_first,
        thresholds=all_thresholds(unseen, everyone, groups_of(samples)),
        measured=measured(samples, unseen, everyone),
        source=source,
    )


def prior_weights(prior: Fitted | None) -> dict[str, Weights]:
    return {} if prior is None else {"prior": prior.weights}


def with_withheld(samples: Sequence[Sample]) -> list[Sample]:
    """The samples that found anything, with a withheld one for each answerable where none is given."""
    found = [s for s in samples if s.found.candidates]
    if any(s.withheld for s in found):
        return found
    return found + [w for s in found if s.gold for w in [s.without_answer()] if w.found.candidates]


def asked_of(samples: Sequence[Sample]) -> NDArray[np.bool_]:
    """Which samples stand for questions as they are asked: the real ones; where no unanswerable one is among them, the
    withheld ones too, for some questions never have an answer."""
    has_misses = any(not s.gold and not s.withheld for s in samples)
    return np.array([not (s.withheld and has_misses) for s in samples])


def groups_of(samples: Sequence[Sample]) -> NDArray[np.str_]:
    return np.array([s.group for s in samples])


@dataclass(frozen=True)
class Unseen:
    """Out-of-fold probabilities of all samples, with the truth under the weights of the same fold."""

    answer: Numbers
    among_first: Numbers
    right: NDArray[np.bool_]
    among: NDArray[np.bool_]


def out_of_fold(samples: Sequence[Sample], prior: Fitted | None = None, folds: int = FOLDS, seed: int = 0) -> Unseen:
    """Judge every sample by a model that was fitted without its article."""
    n = len(samples)
    unseen = Unseen(np.zeros(n), np.zeros(n), np.zeros(n, bool), np.zeros(n, bool))
    groups = groups_of(samples)
    choices = Choices([(s.found, s.gold) for s in samples])
    folds = min(folds, len(set(groups)))
    for train, test in GroupKFold(folds, shuffle=True, random_state=seed).split(groups, groups=groups):
        weights = choices.fit(train, **prior_weights(prior))
        fitted, held_out = table([samples[i] for i in train], weights), table([samples[i] for i in test], weights)
        unseen.answer[test] = probabilities(regression(fitted, fitted.right), held_out.x)
        unseen.among_first[test] = probabilities(regression(fitted, fitted.among), held_out.x)
        unseen.right[test], unseen.among[test] = held_out.right, held_out.among
    return unseen


def table(samples: Sequence[Sample], weights: Weights) -> Table:
    """Features and truth under these weights."""
    rows, right, among = [], [], []
    for sample in samples:
        ranked = fuse(sample.found, weights, READ)
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
    miss = unanswerable / (unanswerable + withheld) if unanswerable else 1.0
    return np.array([1.0 if s.gold else miss for s in samples])


def regression(data: Table, truth: NDArray[np.bool_]) -> Logistic:
    """A logistic regression with a weak penalty, and the covariance of its coefficients. Raises TooLittle where there
    is only one sort."""
    if truth.all() or not truth.any():
        raise TooLittle(
            f"what is found is {'always' if truth.all() else 'never'} right, which teaches nothing; give questions "
            "that the articles answer and questions that they do not"
        )
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


def all_thresholds(
    unseen: Unseen, asked: NDArray[np.bool_], groups: NDArray[np.str_]
) -> dict[str, dict[str, Thresholds]]:
    """Thresholds by assurance and risk, on the questions as they were asked."""
    answers = promise(unseen.answer[asked], unseen.right[asked], groups[asked])
    return {
        f"{level:g}": {f"{risk:g}": thresholds(unseen, asked, groups, answers, risk, level) for risk in RISKS}
        for level in ASSURANCES
    }


def thresholds(
    unseen: Unseen, asked: NDArray[np.bool_], groups: NDArray[np.str_], answers: Promise, risk: float, level: float
) -> Thresholds:
    """Answer and ask-back thresholds for a risk."""
    p, right = unseen.answer[asked], unseen.right[asked]
    answer_from = answers.lowest(risk, level)
    answered = np.zeros(len(p), bool) if answer_from is None else p >= answer_from
    among, truth = unseen.among_first[asked], unseen.among[asked]
    ask_from = ask_back_from(among[~answered], truth[~answered])
    asked_back = ~answered & (among >= ask_from)
    return Thresholds(
        answer_from=answer_from,
        ask_from=ask_from,
        answered=share(answered),
        wrong=share(~right[answered]),
        asked_back=share(asked_back),
    )


def ask_back_from(probability: Numbers, right: NDArray[np.bool_]) -> float:
    """From where on a question back is worth its tap: at most ASK_RISK of them hold no answer, none below even odds."""
    order = np.argsort(-probability, kind="stable")
    wrong = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    kept = np.flatnonzero(wrong <= ASK_RISK)
    lowest = float(probability[order[kept.max()]]) if len(kept) else 1.0
    return max(lowest, ASK_AT_LEAST)


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
