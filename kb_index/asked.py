"""What was asked before: the past questions of a shelf's articles as a channel of their own.

Two signals. `asked`: how much nearer the nearest past question of an article is than it would be to any question like
this one. `head`: for articles with several, the probability of a multinomial logistic regression on the embeddings,
times what is positive of that. A question unlike all past ones gets nothing from them: without this, every article that
has past questions would stand before those that have none.
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
GROWN = 1.05  # the head is fitted anew when the questions have grown by this factor, or any is gone
Numbers = NDArray[np.float64]


class AskedBefore:
    """Past questions by article. Not safe for use from several threads at once."""

    def __init__(self, dimension: int) -> None:
        self._of: dict[int, Vectors] = {}
        self._rows: Vectors = np.zeros((0, dimension), np.float32)  # article by article, as in _of
        self._starts: NDArray[np.int64] = np.zeros(0, np.int64)
        self._head: LogisticRegression | None = None
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
        self._head = None
        if len(enough) > 1:
            labels = np.repeat(np.fromiter(enough, np.int64), [len(rows) for rows in enough.values()])
            model = LogisticRegression(C=INVERSE_PENALTY, max_iter=200)
            self._head = model.fit(np.concatenate(list(enough.values())), labels)

    def signals(self, article: int, scores: Mapping[int, tuple[float, float]], own: float) -> tuple[float, float]:
        """(asked, head) of an article from `scores`; own: the cosine of its best passage. `asked` may be negative."""
        if article not in scores:
            return 0.0, 0.0
        nearest, head = scores[article]
        constant, passage, several = EXPECTED
        more = nearest - (constant + passage * own + several * math.log(len(self._of[article])))
        return more, head / nearest * max(more, 0.0)

    def scores(self, vector: Vectors, limit: int) -> dict[int, tuple[float, float]]:
        """By article id (the cosine of the nearest past question, that times the head's probability), of the articles
        whose past questions are nearest."""
        if not len(self._rows):
            return {}
        best = np.maximum.reduceat(self._rows @ vector, self._starts).tolist()
        nearest = {article: cosine for article, cosine in zip(self._of, best, strict=True) if cosine > 0}
        head: dict[int, float] = {}
        if self._head is not None:
            probabilities = self._head.predict_proba(np.asarray(vector).reshape(1, -1))[0]
            head = dict(zip(map(int, self._head.classes_), map(float, probabilities), strict=True))
        both = {article: (cosine, head.get(article, 0.0) * cosine) for article, cosine in nearest.items()}
        return dict(nlargest(limit, both.items(), key=lambda item: sum(item[1])))


def each(rows: Vectors) -> set[bytes]:
    """Rows as values that can be compared."""
    return {row.tobytes() for row in rows}
