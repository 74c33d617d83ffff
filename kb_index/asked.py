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
        self._rows: Vectors = np.zeros((0, dimension), np.float32)
        self._articles: NDArray[np.int64] = np.zeros(0, np.int64)
        self._head: LogisticRegression | None = None
        self._fitted_on = 0

    def __len__(self) -> int:
        return len(self._rows)

    def change(self, put: Mapping[int, Sequence[Vectors]], drop: Iterable[int]) -> None:
        """Replace all past questions of the articles in put, and forget those of the articles in drop."""
        before = len(self._rows)
        touched = any(article in self._of for article in (*drop, *put))
        for article in drop:
            self._of.pop(article, None)
        for article, vectors in put.items():
            self._of.pop(article, None)
            if len(vectors):
                self._of[article] = np.stack([np.asarray(v, np.float32) for v in vectors])
        if not touched and not any(len(vectors) for vectors in put.values()):
            return
        dimension = self._rows.shape[1]
        self._rows = np.concatenate([np.zeros((0, dimension), np.float32), *self._of.values()])
        self._articles = np.repeat(
            np.fromiter(self._of, np.int64, len(self._of)), [len(rows) for rows in self._of.values()]
        )
        if len(self._rows) < before or len(self._rows) > self._fitted_on * GROWN:
            self._fit()

    def _fit(self) -> None:
        """The head; none while fewer than two articles have enough past questions."""
        self._fitted_on = len(self._rows)
        articles, counts = np.unique(self._articles, return_counts=True)
        enough = np.isin(self._articles, articles[counts >= FEWEST])
        self._head = None
        if len(set(self._articles[enough])) > 1:
            model = LogisticRegression(C=INVERSE_PENALTY, max_iter=200)
            self._head = model.fit(self._rows[enough], self._articles[enough])

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
        nearest: dict[int, float] = {}
        for article, cosine in zip(self._articles.tolist(), (self._rows @ vector).tolist(), strict=True):
            if cosine > nearest.get(article, 0.0):
                nearest[article] = cosine
        head: dict[int, float] = {}
        if self._head is not None:
            probabilities = self._head.predict_proba(np.asarray(vector).reshape(1, -1))[0]
            head = dict(zip(map(int, self._head.classes_), map(float, probabilities), strict=True))
        both = {article: (cosine, head.get(article, 0.0) * cosine) for article, cosine in nearest.items()}
        return dict(nlargest(limit, both.items(), key=lambda item: sum(item[1])))
