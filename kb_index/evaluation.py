"""How well the knowledge base does on questions with known answers: what it finds, what it knows, what it promises.

Intervals of recall: Wilson's, at 95 %, on as many questions as there are independent ones (Kish's effective size: those
about one article count together). Bound of the wrong answers: Clopper and Pearson's, exact, one-sided, at 95 %.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from kb_index.calibration_files import read_calibration_file, write_calibration_file
from kb_index.confidence import NORMAL_95
from kb_index.curves import reliability, risk_coverage
from kb_index.fitting import auroc, calibration_error
from kb_index.promise import upper_bound
from kb_index.question_files import Question, QuestionFileError, read_questions

__all__ = [
    "Band", "Judged", "Question", "QuestionFileError", "measure", "read_calibration_file", "read_questions",
    "worst_cases", "write_calibration_file",
]  # fmt: skip

Band = Literal["answer", "ask_back", "hand_over"]
DEEPEST = 10
RECALLS = (1, 3, DEEPEST)
Numbers = dict[str, Any]


@dataclass(frozen=True)
class Judged:
    """What the knowledge base made of a question.

    ranked: slugs, best first, up to ten. probability: that the first answers; among: that one of the first three does.
    bands: what would be done, by risk as `0.05`. choices: slugs that a question back would offer. shown: by risk the
    first slugs, where they depend on it: then the first is the answer, and they are the choices. cross_lingual: every
    right article here is in another language than the question.
    """

    question: Question
    ranked: tuple[str, ...]
    probability: float
    among: float
    bands: Mapping[str, Band] = field(default_factory=dict)
    choices: tuple[str, ...] = ()
    cross_lingual: bool = False
    shown: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def answers_at(self, risk: str) -> bool:
        """Whether what comes first at this risk answers."""
        return any(slug in self.question.gold for slug in self.shown.get(risk, self.ranked)[:1])

    def offers_at(self, risk: str) -> bool:
        """Whether a question back at this risk offers a right article."""
        return any(slug in self.question.gold for slug in self.shown.get(risk, self.choices))

    @property
    def right(self) -> bool:
        """Whether the first article answers."""
        return bool(self.ranked) and self.ranked[0] in self.question.gold

    @property
    def rank(self) -> int | None:
        """The place of the first right article among the first ten, from 1."""
        places = (n for n, slug in enumerate(self.ranked[:DEEPEST], 1) if slug in self.question.gold)
        return next(places, None)


def measure(judged: Sequence[Judged], risks: Sequence[float]) -> Numbers:
    """Everything there is to tell, as plain values; a share of nothing is None.

    languages: without the cross-lingual questions, which stand by themselves and in `all`.
    """
    names = [f"{risk:g}" for risk in risks]
    across = [one for one in judged if one.cross_lingual]
    within = grouped((one for one in judged if not one.cross_lingual), lambda one: one.question.language)
    return {
        "risks": names,
        "languages": {language: measures(group, names) for language, group in within.items()},
        "all": measures(judged, names),
        "crosslingual": measures(across, names) if across else None,
        "by_kind": summaries(judged, names, lambda one: one.question.kind),
        "by_collection": summaries(judged, names, lambda one: one.question.collection),
    }


def measures(judged: Sequence[Judged], risks: Sequence[str]) -> Numbers:
    """All numbers of one group of questions."""
    sorts = {kind: [one for one in judged if is_unanswerable(one, kind)] for kind in ("near", "far")}
    found: Numbers = {**sizes(judged), **{kind: len(group) for kind, group in sorts.items()}, **finding(judged)}
    for kind, group in sorts.items():
        found[f"auroc_{kind}"] = told_apart(judged, group)
    found["ece"] = calibration_error(truth(judged), probabilities(judged)) if judged else None
    for risk in risks:
        found |= promise(judged, risk)
        for kind, group in sorts.items():
            found[f"{kind}_handed_over@{risk}"] = share(one.bands[risk] == "hand_over" for one in group)
    curves = risk_coverage(probabilities(judged), truth(judged)), reliability(probabilities(judged), truth(judged))
    return {**found, "risk_coverage": curves[0], "reliability": curves[1]}


def summaries(judged: Sequence[Judged], risks: Sequence[str], key: Callable[[Judged], str]) -> dict[str, Numbers]:
    """The short form, by kind or collection."""
    return {name: summary(group, risks) for name, group in grouped(judged, key).items()}


def summary(judged: Sequence[Judged], risks: Sequence[str]) -> Numbers:
    """Size, recall and what would be done."""
    short: Numbers = {**sizes(judged), **{f"recall@{depth}": recall(judged, depth) for depth in (1, 3)}}
    for risk in risks:
        kept = promise(judged, risk)
        short |= {f"{word}@{risk}": kept[f"{word}@{risk}"] for word in ("answered", "wrong", *OTHERWISE.values())}
    return short


OTHERWISE = {"ask_back": "asked_back", "hand_over": "handed_over"}


def sizes(judged: Sequence[Judged]) -> Numbers:
    return {"n": len(judged), "answerable": sum(one.question.answerable for one in judged)}


def is_unanswerable(one: Judged, kind: str) -> bool:
    return not one.question.answerable and one.question.kind == kind


def finding(judged: Sequence[Judged]) -> Numbers:
    """How well the right article is found where there is one.

    Any right article is as good as another, so the best ranking has one in the first place: then both means are 1.
    """
    asked = [one for one in judged if one.question.answerable]
    ranks = [one.rank for one in asked]
    independent = effective_size(asked)
    found: Numbers = {f"recall@{depth}": recall(judged, depth) for depth in RECALLS}
    found |= {f"recall@{depth}_interval": wilson(found[f"recall@{depth}"], independent) for depth in RECALLS}
    found["mrr@10"] = mean([1 / rank if rank else 0.0 for rank in ranks])
    found["ndcg@10"] = mean([1 / math.log2(1 + rank) if rank else 0.0 for rank in ranks])
    return found


def recall(judged: Sequence[Judged], depth: int) -> float | None:
    """The share of the answerable with a right article among the first so many."""
    return share(one.rank is not None and one.rank <= depth for one in judged if one.question.answerable)


def effective_size(asked: Sequence[Judged]) -> float:
    """How many independent questions these are worth, if those about one article all fare alike (Kish 1965)."""
    counts = [len(group) for group in grouped(asked, lambda one: one.question.group).values()]
    return len(asked) ** 2 / sum(n * n for n in counts) if counts else 0.0


def wilson(part: float | None, n: float) -> list[float] | None:
    """The 95 % interval of a share (Wilson 1927)."""
    if part is None or not n:
        return None
    z = NORMAL_95
    centre, width = part + z * z / (2 * n), z * math.sqrt(part * (1 - part) / n + z * z / (4 * n * n))
    low, high = ((centre + sign * width) / (1 + z * z / n) for sign in (-1, 1))
    return [rounded(max(0.0, low)), rounded(min(1.0, high))]


def told_apart(judged: Sequence[Judged], unanswerable: Sequence[Judged]) -> float | None:
    """The chance that an answerable question has a higher probability than one that nothing answers."""
    answerable = [one for one in judged if one.question.answerable]
    both = [*answerable, *unanswerable]
    return auroc(np.array([one.question.answerable for one in both], bool), probabilities(both))


def promise(judged: Sequence[Judged], risk: str) -> Numbers:
    """What would be done at one risk, and how often that is right."""
    by_band = {band: [one for one in judged if one.bands[risk] == band] for band in ("answer", *OTHERWISE)}
    answers = by_band["answer"]
    wrong = sum(not one.answers_at(risk) for one in answers)
    answerable = [one for one in judged if one.question.answerable]
    numbers = {
        "answered": share(one.bands[risk] == "answer" for one in judged) or 0.0,
        "wrong": rounded(wrong / len(answers)) if answers else 0.0,
        "wrong_upper": rounded(upper_bound(wrong, len(answers))) if answers else None,
        "right_of_answerable": share(one.bands[risk] == "answer" and one.answers_at(risk) for one in answerable),
        "asked_back_right": share(one.offers_at(risk) for one in by_band["ask_back"]),
        **{name: share(one.bands[risk] == band for one in judged) for band, name in OTHERWISE.items()},
    }
    return {f"{name}@{risk}": value for name, value in numbers.items()}


def worst_cases(
    judged: Sequence[Judged], risk: float, most: int, titles: Mapping[str, str]
) -> dict[str, list[Numbers]]:
    """What to read first: wrong answers that seemed surest, and answerable questions that were handed over, those
    whose right article was found first. titles: by slug."""
    name = f"{risk:g}"
    wrong = [one for one in judged if one.bands[name] == "answer" and not one.answers_at(name)]
    missed = [one for one in judged if one.bands[name] == "hand_over" and one.question.answerable]
    wrong.sort(key=lambda one: -one.probability)
    missed.sort(key=lambda one: (one.rank or DEEPEST + 1, -one.probability))
    cases = {"confident_wrong": wrong, "handed_over": missed}
    return {sort: [case_of(one, name, titles) for one in group[:most]] for sort, group in cases.items()}


def case_of(one: Judged, risk: str, titles: Mapping[str, str]) -> Numbers:
    """One question with what was found and what should have been."""
    first = one.shown.get(risk, one.ranked)[:1]
    return {
        "id": one.question.id,
        "question": one.question.text,
        "language": one.question.language,
        "kind": one.question.kind,
        "probability": rounded(one.probability),
        "found": titles.get(first[0], first[0]) if first else None,
        "found_id": first[0] if first else None,
        "right": [titles.get(slug, slug) for slug in sorted(one.question.gold)],
        "right_ids": sorted(one.question.gold),
        "rank": one.rank,
    }


def grouped(judged: Iterable[Judged], key: Callable[[Judged], str]) -> dict[str, list[Judged]]:
    """Groups by name, in the order of their names."""
    groups: dict[str, list[Judged]] = {}
    for one in judged:
        groups.setdefault(key(one), []).append(one)
    return dict(sorted(groups.items()))


def truth(judged: Sequence[Judged]) -> Any:
    return np.array([one.right for one in judged], bool)


def probabilities(judged: Sequence[Judged]) -> Any:
    return np.array([one.probability for one in judged], float)


def share(values: Iterable[bool]) -> float | None:
    """The share that is true; None of nothing."""
    return mean([float(value) for value in values])


def mean(values: Sequence[float]) -> float | None:
    return rounded(sum(values) / len(values)) if values else None


def rounded(value: float) -> float:
    return round(float(value), 4)
