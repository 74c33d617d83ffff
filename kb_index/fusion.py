"""Joins the signals (vectors, words, character n-grams) to one score per article."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

SIGNALS = ("cosine", "words", "grams")
Weights = Mapping[str, float]
DEFAULT_WEIGHTS: Weights = {"cosine": 1.0, "words": 0.3, "grams": 0.6}


@dataclass(frozen=True)
class Candidate:
    """A passage that some signal found. words and grams are BM25 divided by the question's idf mass, so that long and
    short questions compare."""

    passage_id: int
    article_id: int
    cosine: float
    words: float
    grams: float


@dataclass(frozen=True)
class Ranked:
    """An article by its best passage. fused: the weighted sum. wins: the share of signals that put it first."""

    candidate: Candidate
    fused: float
    wins: float


@dataclass(frozen=True)
class Found:
    """What the signals found for a question, and the idf mass of its words."""

    candidates: Sequence[Candidate]
    mass: float

    def without(self, article_ids: Iterable[int]) -> "Found":
        """As if these articles were not in the knowledge base."""
        hidden = frozenset(article_ids)
        return Found([c for c in self.candidates if c.article_id not in hidden], self.mass)


def fuse(found: Found, weights: Weights = DEFAULT_WEIGHTS) -> list[Ranked]:
    """The articles, best first, each by its best passage.

    A weighted sum of scores: reciprocal ranks with equal weights were measured to damage German, where the English
    default model is the weakest signal.
    """
    best: dict[int, tuple[float, Candidate]] = {}
    for candidate in found.candidates:
        score = sum(weights[name] * getattr(candidate, name) for name in SIGNALS)
        if candidate.article_id not in best or score > best[candidate.article_id][0]:
            best[candidate.article_id] = (score, candidate)
    wins = _wins(found.candidates)
    ranked = [Ranked(c, score, wins.get(article_id, 0.0)) for article_id, (score, c) in best.items()]
    return sorted(ranked, key=lambda r: (-r.fused, r.candidate.article_id))


def _wins(candidates: Sequence[Candidate]) -> dict[int, float]:
    """By article: the share of signals whose best passage it holds."""
    wins: dict[int, float] = {}
    for name in SIGNALS if candidates else ():
        first = max(candidates, key=lambda c: float(getattr(c, name)))
        if getattr(first, name) > 0:
            wins[first.article_id] = wins.get(first.article_id, 0.0) + 1 / len(SIGNALS)
    return wins
