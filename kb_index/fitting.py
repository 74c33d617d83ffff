"""Fits weights, confidence and thresholds on questions with known answers, and says what they keep.

Everything that is reported, and every threshold, comes from articles the model has not seen: whole articles are left
out with all their questions, everything is fitted on the others (group k-fold). To learn what "not in the knowledge
base" looks like, questions also count once with their article taken away. `kb_index/promise.py` says which threshold
keeps which promise.

Articles in another language are looked at where those in the question's own are not sure enough. What is promised of
them is counted on those questions alone: fewer of them have an answer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
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
ASK_AT_LEAST = 0.5  # it must be more likely than not that one of the choices answers
PENALTY = 1.0
FOLDS = 10
ENOUGH = 60  # questions below which only an older calibration is shifted, not a new one fitted
ENOUGH_MISSES = 20  # questions without any answer below which they do not show how often there is none
Truth = NDArray[np.bool_]


class TooLittle(ValueError):  # noqa: N818 - it is a finding
    """The questions do not suffice to learn anything from."""


@dataclass(frozen=True)
class Sample:
    """A question with what the signals found. gold: the articles that answer, empty when none does.

    withheld: there is an answer, but not among these articles: it was taken away, or never was here. group: samples
    that must stay together. own: of a question to another language's articles, what its own language holds.
    """

    found: Found
    gold: frozenset[int]
    group: str
    kind: str
    withheld: bool = False
    own: Found | None = None

    @property
    def is_miss(self) -> bool:
        """Whether it was asked as a question that nothing here answers."""
        return not self.gold and not self.withheld

    def without_answer(self) -> "Sample":
        """The same question when its article is not found."""
        return replace(self, found=self.found.without(self.gold), gold=frozenset(), withheld=True)


@dataclass(frozen=True)
class Table:
    """Samples as numbers. right: the first article answers; among: one of the first three does."""

    x: Numbers
    right: Truth
    among: Truth


def is_across(pair: str) -> bool:
    """Whether questions and articles are in two languages."""
    return ">" in pair


def language_of(pair: str) -> str:
    """The language of the questions."""
    return pair.partition(">")[0]


def fit(
    samples: Sequence[Sample],
    name: str,
    language: str,
    model: str,
    prior: Fitted | None = None,
    own: Fitted | None = None,
) -> Fitted:
    """The calibration of one language, or of one for another.

    samples: as asked, answerable and not; where there are no withheld ones they are made here. prior: what few
    questions only shift. own: for another language, who judges what the question's own holds. Raises TooLittle when
    there is nothing to learn from.
    """
    everything = with_withheld(samples)
    check_enough(everything, language)
    if sample_size(everything) < ENOUGH and prior is not None:
        return shifted(everything, prior, name, language, source="questions", own=own)
    choices = Choices([(s.found, s.gold) for s in everything])
    weights = choices.fit(range(len(everything)), **prior_weights(prior))
    whole, counts = table(everything, weights), sample_weights(everything)
    unseen, asked = out_of_fold(everything, prior), asked_of(everything)
    return Fitted(
        name=name,
        language=language,
        model=model,
        fitted_at=datetime.now(UTC),
        sample_size=sample_size(everything),
        weights=weights,
        answers=regression(whole.x, whole.right, counts),
        among=regression(whole.x, whole.among, counts),
        thresholds=all_thresholds(everything, unseen, asked, own),
        measured=measured(everything, unseen, asked),
    )


def sample_size(samples: Sequence[Sample]) -> int:
    """How many questions were asked; those made by withholding an article are none."""
    return sum(not s.withheld for s in samples)


def check_enough(samples: Sequence[Sample], language: str) -> None:
    """Raises TooLittle unless questions about FOLDS articles are there."""
    groups = {s.group for s in samples if s.gold}
    if len(groups) < FOLDS:
        raise TooLittle(
            f"{language}: questions about {len(groups)} articles are too few to learn from; give questions about at "
            f"least {FOLDS} articles"
        )


def shifted(
    samples: Sequence[Sample], prior: Fitted, name: str, language: str, source: str, own: Fitted | None = None
) -> Fitted:
    """The prior's calibration with constant and slope of its log-odds fitted on these samples, withheld ones counting
    in full: for few questions, and for those made from the articles themselves."""
    whole, groups, asked = table(samples, prior.weights), groups_of(samples), np.ones(len(samples), bool)
    answer, among = (log_odds(probabilities(model, whole.x)) for model in (prior.answers, prior.among))
    unseen = Unseen(
        recalibrated_out_of_fold(answer, whole.right, groups),
        recalibrated_out_of_fold(among, whole.among, groups),
        whole.right,
        whole.among,
    )
    return Fitted(
        name=name,
        language=language,
        model=prior.model,
        fitted_at=datetime.now(UTC),
        sample_size=sample_size(samples),
        weights=prior.weights,
        answers=prior.answers.recalibrated(*recalibrate(answer, whole.right)),
        among=prior.among.recalibrated(*recalibrate(among, whole.among)),
        thresholds=all_thresholds(samples, unseen, asked, own),
        measured=measured(samples, unseen, asked),
        source=source,
    )


def recalibrated_out_of_fold(logits: Numbers, truth: Truth, groups: NDArray[np.str_]) -> Numbers:
    """Probabilities from log-odds, by a constant and slope that were fitted without the groups they are for."""
    found = np.zeros(len(logits))
    for train, test in folds_of(groups):
        constant, slope = recalibrate(logits[train], truth[train])
        found[test] = expit(constant + slope * logits[test])
    return found


def folds_of(groups: NDArray[np.str_], folds: int = FOLDS, seed: int = 0) -> Iterator[tuple[Any, Any]]:
    """Indices to fit on and to judge, whole groups in either."""
    folding = GroupKFold(min(folds, len(set(groups))), shuffle=True, random_state=seed)
    return iter(folding.split(groups, groups=groups))


def prior_weights(prior: Fitted | None) -> dict[str, Weights]:
    return {} if prior is None else {"prior": prior.weights}


def with_withheld(samples: Sequence[Sample]) -> list[Sample]:
    """The samples that found anything, with a withheld one for each answerable of which none is given."""
    found = [s for s in samples if s.found.candidates]
    given = {s.group for s in found if s.withheld}
    made = [s.without_answer() for s in found if s.gold and s.group not in given]
    return found + [s for s in made if s.found.candidates]


def asked_of(samples: Sequence[Sample]) -> Truth:
    """Which samples stand for questions as they are asked: the real ones; where too few unanswerable ones are among
    them, the withheld ones too, for some questions never have an answer."""
    shown = shows_misses(samples)
    return np.array([not (s.withheld and shown) for s in samples])


def shows_misses(samples: Sequence[Sample]) -> bool:
    """Whether enough unanswerable questions were asked to tell how often there is no answer."""
    return sum(s.is_miss for s in samples) >= ENOUGH_MISSES


def groups_of(samples: Sequence[Sample]) -> NDArray[np.str_]:
    return np.array([s.group for s in samples])


@dataclass(frozen=True)
class Unseen:
    """Out-of-fold probabilities of all samples, with the truth under the weights of the same fold."""

    answer: Numbers
    among_first: Numbers
    right: Truth
    among: Truth


def out_of_fold(samples: Sequence[Sample], prior: Fitted | None = None) -> Unseen:
    """Judge every sample by a model that was fitted without its article."""
    n = len(samples)
    unseen = Unseen(np.zeros(n), np.zeros(n), np.zeros(n, bool), np.zeros(n, bool))
    choices, counts = Choices([(s.found, s.gold) for s in samples]), sample_weights(samples)
    for train, test in folds_of(groups_of(samples)):
        weights = choices.fit(train, **prior_weights(prior))
        fitted, held_out = table([samples[i] for i in train], weights), table([samples[i] for i in test], weights)
        unseen.answer[test] = probabilities(regression(fitted.x, fitted.right, counts[train]), held_out.x)
        unseen.among_first[test] = probabilities(regression(fitted.x, fitted.among, counts[train]), held_out.x)
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
    return Table(np.array(rows), np.array(right), np.array(among))


def sample_weights(samples: Sequence[Sample]) -> Numbers:
    """Withheld and unanswerable questions together weigh as much as unanswerable ones were asked, if enough were.

    So the withheld teach what a miss looks like, and the probabilities still fit the questions as they were asked.
    """
    withheld = sum(s.withheld for s in samples)
    unanswerable = sum(s.is_miss for s in samples)
    miss = unanswerable / (unanswerable + withheld) if shows_misses(samples) else 1.0
    return np.array([1.0 if s.gold else miss for s in samples])


def regression(rows: Numbers, truth: Truth, weight: Numbers) -> Logistic:
    """A logistic regression with a weak penalty, and the covariance of its coefficients. Raises TooLittle where there
    is only one sort."""
    if truth.all() or not truth.any():
        raise TooLittle(
            f"what is found is {'always' if truth.all() else 'never'} right, which teaches nothing; give questions "
            "that the articles answer and questions that they do not"
        )
    mean, scale = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-9)
    x = (rows - mean) / scale
    model = LogisticRegression(C=PENALTY, max_iter=1000).fit(x, truth, sample_weight=weight)
    design = np.column_stack([np.ones(len(x)), x])
    p = model.predict_proba(x)[:, 1]
    penalty = np.diag([0.0] + [1 / PENALTY] * x.shape[1])
    information = (design * (weight * p * (1 - p))[:, None]).T @ design + penalty
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
    samples: Sequence[Sample], unseen: Unseen, asked: Truth, own: Fitted | None
) -> dict[str, dict[str, Thresholds]]:
    """Thresholds by assurance and risk, on the questions as they are asked; of another language, on those that the
    question's own does not answer at that assurance and risk."""
    groups, first = groups_of(samples), first_in_own_language(samples, own)

    @cache
    def promised(answered_from: float) -> tuple[Truth, Promise]:
        left = asked & (first < answered_from)
        return left, promise(unseen.answer[left], unseen.right[left], groups[left])

    def found(risk: float, level: float) -> Thresholds:
        limit = own.for_risk(risk, level).answer_from if own else None
        left, answers = promised(np.inf if limit is None else limit)
        return thresholds(unseen, asked, left, answers.lowest(risk, level))

    return {f"{level:g}": {f"{risk:g}": found(risk, level) for risk in RISKS} for level in ASSURANCES}


def first_in_own_language(samples: Sequence[Sample], own: Fitted | None) -> Numbers:
    """By question the probability of the first article in its own language; below any where there is none."""
    asked = [n for n, s in enumerate(samples) if s.own and s.own.candidates]
    found = np.full(len(samples), -np.inf)
    if own and asked:
        rows = [features(one, fuse(one, own.weights, READ)) for n in asked if (one := samples[n].own)]
        found[asked] = probabilities(own.answers, np.array(rows))
    return found


def thresholds(unseen: Unseen, asked: Truth, left: Truth, answer_from: float | None) -> Thresholds:
    """From where on to ask back beside an answer, and what both give. left: the questions that come so far."""
    answered = left & (unseen.answer >= (np.inf if answer_from is None else answer_from))
    rest = left & ~answered
    ask_from = ask_back_from(unseen.among_first[rest], unseen.among[rest])
    asked_back = rest & (unseen.among_first >= (np.inf if ask_from is None else ask_from))
    return Thresholds(
        answer_from=answer_from,
        ask_from=ask_from,
        answered=share(answered[asked]),
        wrong=share(~unseen.right[answered]),
        asked_back=share(asked_back[asked]),
    )


def ask_back_from(probability: Numbers, right: Truth) -> float | None:
    """From where on a question back is worth its tap: at most ASK_RISK of them hold no answer, none below even odds.
    None where it never is."""
    order = np.argsort(-probability, kind="stable")
    wrong = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    kept = np.flatnonzero(wrong <= ASK_RISK)
    return max(float(probability[order[kept.max()]]), ASK_AT_LEAST) if len(kept) else None


def share(values: Truth) -> float:
    """The share that is true; 0 of nothing."""
    return round(float(values.mean()), 4) if len(values) else 0.0


def measured(samples: Sequence[Sample], unseen: Unseen, asked: Truth) -> Mapping[str, Any]:
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


def by_kind(samples: Sequence[Sample], unseen: Unseen, asked: Truth, gold: Truth) -> Iterator[tuple[str, Any]]:
    """How well the answerable are told from each kind of unanswerable, and the recall of each kind of question."""
    kinds = np.array([s.kind for s in samples])
    for kind in sorted(set(kinds[asked & ~gold])):
        both = asked & (gold | (kinds == kind))
        yield f"auroc_{kind}", auroc(gold[both], unseen.answer[both])
    for kind in sorted(set(kinds[gold])):
        yield f"recall@1 {kind}", share(unseen.right[gold & (kinds == kind)])


def auroc(truth: Truth, score: Numbers) -> float | None:
    """The probability that a true one scores above a false one; None when there is only one sort."""
    return round(float(roc_auc_score(truth, score)), 4) if 0 < truth.sum() < len(truth) else None


def calibration_error(truth: Truth, probability: Numbers, bins: int = 10) -> float:
    """Expected calibration error over ten bins of equal width (Naeini, Cooper, Hauskrecht 2015)."""
    place = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [abs(truth[place == b].mean() - probability[place == b].mean()) * (place == b).sum() for b in set(place)]
    return round(float(sum(gaps) / len(truth)), 4)
