"""What the knowledge base offers to the rest of Lotse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Confidence:
    """A calibrated probability with its 95 % interval, each 0 to 1. shift: how far what requesters said has moved all
    three, in log-odds."""

    probability: float
    low: float
    high: float
    shift: float = 0.0


@dataclass(frozen=True)
class Hit:
    """The best passage of one article for a question.

    signals: raw scores by name (`cosine`, `words`, `grams`, ...); they are stored and explained, never compared with a
    hand-set number. reviewed_on: when the article was reviewed, else when that is due. confidence: the probability that
    this passage answers the question.
    """

    article_id: int
    passage_id: int
    title: str
    heading: str
    text: str
    language: str
    url: str | None
    reviewed_on: date | None
    revision: int
    category: str | None
    queue: str | None
    signals: Mapping[str, float]
    confidence: Confidence


@dataclass(frozen=True)
class SearchResult:
    """What a search found and everything needed to reproduce it.

    hits: at most one per article, best first. among_first: the probability that one of the first three answers.
    seconds: time by step. answer_from / ask_from: the thresholds on the first hit's probability and on `among_first`
    that keep the operator's risk, None where the calibration cannot keep it (then nothing is answered). pair: whose
    calibration that is: `de`, or `de>en` for a German question and an English article in front.
    """

    question: str
    language: str
    hits: tuple[Hit, ...]
    among_first: Confidence
    answer_from: float | None
    ask_from: float | None
    index_version: int
    model: str
    calibration: str
    seconds: Mapping[str, float] = field(default_factory=dict)
    pair: str = ""


class Embedder(Protocol):
    """Turns text into vectors of length 1."""

    name: str
    dimension: int

    def embed_question(self, text: str) -> Vectors:
        """One question as a vector of shape (dimension,)."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Passages as an array of shape (len(texts), dimension)."""
        ...
