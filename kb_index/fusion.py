"""Joins the signals to one score per article.

The score is linear in the signals. Its weights are those of a conditional logit (McFadden 1974: Conditional Logit
Analysis of Qualitative Choice Behavior), so the score of an article is a log-odds up to a constant of the question, and
the softmax over all candidates says how much of the whole match lies on it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

SIGNALS = ("cosine", "white", "grams", "title", "whole", "words", "asked", "head")
AGREEING = ("cosine", "white", "grams", "whole", "words")  # those that look at the whole text
Numbers = NDArray[np.float64]
Weights = Mapping[str, float]
# In the middle between what was learned for German and for English; used where nothing was fitted. Those of past
# questions were chosen on two sets of intents as knowledge bases (benchmarks/past_questions.py); they stay where no
# past question can teach them.
DEFAULT_WEIGHTS: Weights = {
    "cosine": 6.0, "white": 6.0, "grams": 2.5, "title": 1.3, "whole": 3.0, "words": 2.5, "asked": 5.0, "head": 4.0,
}  # fmt: skip


@dataclass(frozen=True)
class Candidate:
    """An article that some signal found, by its best passage.

    signals: in the order of SIGNALS, each the best of the article's passages; BM25 is divided by the question's idf
    mass, so that long and short questions compare. cover: the share of the question's idf mass whose words the passage
    holds.
    """

    article_id: int
    passage_id: int
    signals: tuple[float, ...]
    cover: float = 0.0

    def __getitem__(self, name: str) -> float:
        return self.signals[SIGNALS.index(name)]


@dataclass(frozen=True)
class Ranked:
    """An article in its place. fused: the weighted sum. share: its softmax over all candidates. wins: the share of the
    signals that put it first."""

    candidate: Candidate
    fused: float
    share: float
    wins: float


@dataclass(frozen=True)
class Found:
    """What the signals found for a question: one candidate an article. mass: the idf mass of its words; length: how
    many different words it has."""

    candidates: Sequence[Candidate]
    mass: float
    length: int = 0

    @cached_property
    def matrix(self) -> Numbers:
        """The signals, shape (candidates, signals)."""
        return np.array([c.signals for c in self.candidates], float).reshape(len(self.candidates), len(SIGNALS))

    @cached_property
    def articles(self) -> NDArray[np.int64]:
        """The candidates' articles."""
        return np.array([c.article_id for c in self.candidates], np.int64)

    @cached_property
    def wins(self) -> Numbers:
        """By candidate: the share of the signals in AGREEING that put it first."""
        columns = self.matrix[:, [SIGNALS.index(name) for name in AGREEING]]
        first = (columns == columns.max(axis=0)) & (columns > 0)
        shares: Numbers = first.mean(axis=1)
        return shares

    def without(self, article_ids: Iterable[int]) -> "Found":
        """As if these articles had not been found."""
        hidden = frozenset(article_ids)
        return replace(self, candidates=[c for c in self.candidates if c.article_id not in hidden])


def fuse(found: Found, weights: Weights = DEFAULT_WEIGHTS, most: int | None = None) -> list[Ranked]:
    """The articles, best first, at most so many."""
    if not found.candidates:
        return []
    scores = found.matrix @ vector_of(weights)
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    order = np.lexsort((found.articles, -scores))[:most].tolist()
    return [Ranked(found.candidates[i], float(scores[i]), float(shares[i]), float(found.wins[i])) for i in order]


def vector_of(weights: Weights) -> Numbers:
    """The weights in the order of SIGNALS; a signal they do not name weighs nothing."""
    return np.array([weights.get(name, 0.0) for name in SIGNALS])


def joined(found: Sequence[Found]) -> Found:
    """What several shelves found, as one."""
    candidates = [c for one in found for c in one.candidates]
    return Found(candidates, max((f.mass for f in found), default=0.0), max((f.length for f in found), default=0))
