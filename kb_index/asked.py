"""What was asked before: the past questions of a shelf's articles as a channel of their own.

Two signals. `asked`: how much nearer the nearest past question of an article is than it would be to any question like
this one. `head`: what a multinomial logistic regression on the embeddings makes of it, for articles with several past
questions. Where only some articles have learned, its probability counts by how much nearer the nearest is: otherwise
every article that has past questions would stand before those that have none. Where all have, nothing speaks against
taking it at its word: the log of how much more likely than any other article this one is. Between these the two are
mixed by the third power of the share of articles that are in the head (docs/decisions/0012).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from heapq import nlargest

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from kb_index.port import Vectors

FEWEST = 3  # past questions of an article that take part in the head
INVERSE_PENALTY = 10.0
# What the nearest of n past questions of a wrong article comes to, by least squares on two sets of intents as knowledge
# bases (HWU64, BANKING77) with the model that ships: constant, per cosine of the article's own passage, per ln n.
EXPECTED = (0.072, 0.879, 0.034)
CAUTION = 3.0  # weight of how much nearer the nearest is, against the log of how much likelier
GROWN = 1.05  # the head is fitted anew when the questions have grown by this factor, or any is gone
Numbers = NDArray[np.float64]


class AskedBefore:
    """Past questions by article. Not safe for use from several threads at once."""

    def __init__(self, dimension: int) -> None:
        self._of: dict[int, Vectors] = {}
        self._rows: Vectors = np.zeros((0, dimension), np.float32)  # article by article, as in _of
        self._starts: NDArray[np.int64] = np.zeros(0, np.int64)
        self._head: LogisticRegression | None = None
        self._learned = 0
        self._fitted_on = 0

    def __len__(self) -> int:
        return len(self._rows)

    def change(self, put: Mapping[int, Sequence[Vectors]], drop: Iterable[int]) -> None:
        """Replace all past questions of the articles in put, and forget those of the articles in drop."""
        before = {article: self._of.pop(article) for article in {*drop, *put} & self._of.keys()}
        self._of |= {article: np.stack(vectors).astype(np.float32) for article, vectors in put.items() if len(vectors)}
        if not before and not any(len(vectors) for vectors in put.values()):
            return
        self._rows = np.concatenate([self._rows[:0], *self._of.values()])
        self._starts = np.cumsum([0, *(len(rows) for rows in self._of.values())], dtype=np.int64)[:-1]
        gone = any(each(rows) - each(self._of.get(article, rows[:0])) for article, rows in before.items())
        if gone or len(self._rows) > self._fitted_on * GROWN:
            self._fit()

    def _fit(self) -> None:
        """The head; none while fewer than two articles have enough past questions."""
        self._fitted_on = len(self._rows)
        enough = {article: rows for article, rows in self._of.items() if len(rows) >= FEWEST}
        self._head, self._learned = None, 0
        if len(enough) > 1:
            self._learned = len(enough)
            labels = np.repeat(np.fromiter(enough, np.int64), [len(rows) for rows in enough.values()])
            model = LogisticRegression(C=INVERSE_PENALTY, max_iter=200)
            self._head = model.fit(np.concatenate(list(enough.values())), labels)

    def signals(
        self, article: int, scores: Mapping[int, tuple[float, float]], own: float, articles: int
    ) -> tuple[float, float]:
        """(asked, head) of an article from `scores`; own: the cosine of its best passage; articles: how many there are,
        with past questions or without. `asked` may be negative."""
        if article not in scores:
            return 0.0, 0.0
        nearest, probability = scores[article]
        constant, passage, several = EXPECTED
        more = nearest - (constant + passage * own + several * math.log(len(self._of[article])))
        mixed = min(self._learned / articles, 1.0) ** 3
        nearer = CAUTION * probability * max(more, 0.0)
        likelier = nearest * math.log(max(probability * self._learned, 1.0))
        return more, (1 - mixed) * nearer + mixed * likelier

    def scores(self, vector: Vectors, limit: int) -> dict[int, tuple[float, float]]:
        """By article id (the cosine of the nearest past question, the head's probability), of the articles whose past
        questions are nearest."""
        if not len(self._rows):
            return {}
        best = np.maximum.reduceat(self._rows @ vector, self._starts).tolist()
        head: dict[int, float] = {}
        if self._head is not None:
            probabilities = self._head.predict_proba(np.asarray(vector).reshape(1, -1))[0]
            head = dict(zip(map(int, self._head.classes_), map(float, probabilities), strict=True))
        found = {one: (near, head.get(one, 0.0)) for one, near in zip(self._of, best, strict=True) if near > 0}
        return dict(nlargest(limit, found.items(), key=lambda item: item[1][0] * (1 + item[1][1])))


def each(rows: Vectors) -> set[bytes]:
    """Rows as values that can be compared."""
    return {row.tobytes() for row in rows}
