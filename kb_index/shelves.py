"""The index in memory: one shelf per language and audience, brought up to date from the database.

A search opens only the shelves it may see: what stands on the agents' shelf cannot even move the scores of the others.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from kb_index.asked import AskedBefore
from kb_index.fusion import Candidate, Found, Numbers
from kb_index.models import Article, Passage, State
from kb_index.named import Named, key_of
from kb_index.past_questions import WRITTEN, read_past_questions
from kb_index.port import Vectors
from kb_index.twins import ArticleKey, Twins
from kb_index.vectors import Stamp, VectorIndex
from kb_index.whitening import Whitening
from kb_index.words import Matches, WordIndex, Written

DEPTH = 60  # passages, and articles, each signal brings
SPREAD = 4  # passages looked at of an article that only a signal of whole articles found
SQL_IDS = 500  # ids in one SELECT
REFIT = 1.1  # the whitening is learned anew when a shelf has grown or shrunk by this factor
SAMPLE = 20_000  # passages it is learned from
PassageRow = Row[int, int, str, str]
TOLD = (
    *(Article.id, Article.state, Article.language, Article.audience, Article.title),
    *(Article.source, Article.slug, Article.parallel),
)


@dataclass(frozen=True, order=True)
class ShelfName:
    """Which articles stand together."""

    language: str
    audience: str


class Shelf:
    """The articles of one language for one audience: vectors, words, past questions, and whose the passages are."""

    def __init__(self, name: ShelfName, vectors: VectorIndex) -> None:
        self.name = name
        self.vectors = vectors
        self.words = WordIndex(name.language)
        self.asked = AskedBefore(vectors.dimension)
        self.article_of: dict[int, int] = {}
        self.passages_of: dict[int, tuple[int, ...]] = {}
        self._whitening: Whitening | None = None
        self._whitened_at = 0
        self._lengths: dict[int, float] = {}

    def change(
        self,
        put: Sequence[Written],
        gone: Iterable[int],
        asked: Mapping[int, Sequence[Vectors]],
        stale: Iterable[int] = (),
    ) -> None:
        """Bring words, past questions and places up to date. put: all passages of the changed articles, whose vectors
        are in already; gone: articles that left or change; stale: passages that are no more."""
        gone = set(gone)
        for article_id in gone:
            for passage_id in self.passages_of.pop(article_id, ()):
                self.article_of.pop(passage_id, None)
                self._lengths.pop(passage_id, None)
        self.words.change(put, stale, gone)
        by_article: dict[int, list[int]] = {}
        for passage in put:
            self.article_of[passage.passage_id] = passage.article_id
            by_article.setdefault(passage.article_id, []).append(passage.passage_id)
        self.passages_of |= {article_id: tuple(sorted(ids)) for article_id, ids in by_article.items()}
        self.asked.change(asked, gone - asked.keys())
        self._whiten([passage.passage_id for passage in put])

    def _whiten(self, fresh: Sequence[int]) -> None:
        """Whitened lengths of new passages; of all of them when the shelf has changed much since it was learned."""
        size = len(self.vectors.ids & self.article_of.keys())  # after a change of the model they come bit by bit
        if size and not self._whitened_at / REFIT < size < self._whitened_at * REFIT:
            fresh = sorted(self.vectors.ids & self.article_of.keys())
            step = max(1, -(-size // SAMPLE))
            self._whitening, self._whitened_at = Whitening.fit(self.vectors.rows(fresh[::step])[1]), size
        for start in range(0, len(fresh), SAMPLE):
            held, rows = self.vectors.rows(fresh[start : start + SAMPLE])
            if self._whitening is not None and len(held):
                self._lengths |= dict(zip(held, map(float, self._whitening.lengths(rows)), strict=True))

    def find(self, question: str, vector: Vectors) -> Found:
        """What each signal finds: one candidate an article, with all signals known for all that is found."""
        matches = self.words.find(question, DEPTH)
        asked = self.asked.scores(vector, DEPTH)
        passages = self._among(self.vectors.nearest(vector, DEPTH), matches, asked)
        if not passages:
            return Found([], matches.mass, matches.length)
        held, rows = self.vectors.rows(passages)
        places = np.searchsorted(passages, held)
        signals = np.zeros((len(passages), 4))
        signals[places, 0], signals[places, 1] = rows @ vector, self._white(held, rows, vector)
        signals[:, 2], signals[:, 3] = known(matches.grams, passages), known(matches.cover, passages)
        articles = np.array([self.article_of[passage_id] for passage_id in passages])
        order = np.lexsort((signals[:, 1:].sum(axis=1), articles))  # the best passage of an article is its last
        names, starts = np.unique(articles[order], return_index=True)
        best = np.maximum.reduceat(signals[order], starts, axis=0)
        shown = order[np.append(starts[1:], len(order)) - 1]
        found = [int(name) for name in names]
        whole = np.column_stack([known(one, found) for one in (matches.title, matches.whole, matches.words)])
        own = best[:, 0].tolist()
        size = len(self.passages_of)
        before = np.array([self.asked.signals(name, asked, c, size) for name, c in zip(found, own, strict=True)])
        table = np.hstack([best[:, :3], whole, before]).tolist()
        candidates = [
            Candidate(name, passages[place], tuple(row), cover)
            for name, place, row, cover in zip(found, shown, table, best[:, 3].tolist(), strict=True)
        ]
        return Found(candidates, matches.mass, matches.length)

    def _among(self, near: Mapping[int, float], matches: Matches, asked: Mapping[int, object]) -> list[int]:
        """The passages to look at, in order: what the signals of passages found, and the first ones of all other
        articles."""
        passages = {**near, **matches.grams, **matches.cover}.keys() & self.article_of.keys()
        seen = {self.article_of[passage_id] for passage_id in passages}
        others = {**matches.title, **matches.whole, **matches.words, **asked}.keys() & self.passages_of.keys() - seen
        return sorted({*passages, *(p for other in others for p in self.passages_of[other][:SPREAD])})

    def _white(self, held: Sequence[int], rows: Vectors, vector: Vectors) -> Vectors:
        """The whitened cosines of these passages."""
        if self._whitening is None:
            return np.zeros(len(held), np.float32)
        direction, shift = self._whitening.question(vector)
        lengths = np.array([self._lengths.get(passage_id, 1.0) for passage_id in held], np.float32)
        found: Vectors = (rows @ direction - shift) / lengths
        return found


def known(scores: Mapping[int, float], ids: Sequence[int]) -> Numbers:
    """The scores of these. What is not among the first has at most the last one's; nothing when all were found."""
    least = 0.0 if len(scores) < DEPTH else min(scores.values())
    return np.array([scores.get(one, least) for one in ids], float)


class Shelves:
    """All shelves. Not safe for use from several threads at once."""

    def __init__(self, stamp: Stamp, cache_folder: Path) -> None:
        self.stamp = stamp
        self.cache_folder = cache_folder
        self._twins = Twins()
        self._named = Named()
        self._shelves: dict[ShelfName, Shelf] = {}
        self._home: dict[int, tuple[ShelfName, tuple[int, ...]]] = {}  # article -> its shelf and passages there

    @property
    def articles(self) -> int:
        return len(self._home)

    @property
    def passages(self) -> int:
        return sum(len(shelf.article_of) for shelf in self._shelves.values())

    def opened(self, languages: Iterable[str], audiences: Iterable[str]) -> list[Shelf]:
        """The shelves of these languages and audiences that hold anything."""
        allowed = set(audiences)
        wanted = (ShelfName(language, audience) for language in languages for audience in sorted(allowed))
        return [shelf for name in wanted if (shelf := self._shelves.get(name)) and shelf.article_of]

    def twin(self, article_id: int, passage_id: int, language: str, audiences: Set[str]) -> int | None:
        """The passage at the same place of the same article in another language, if these audiences may read it."""
        for twin in self._twins.of(article_id, language):
            home, passages = self._home.get(twin, (None, ()))
            if home is not None and home.audience in audiences and passages:
                return passages[min(self._home[article_id][1].index(passage_id), len(passages) - 1)]
        return None

    def named(self, key: str, language: str, audiences: Set[str]) -> int | None:
        """The one article in this language, of those that these audiences may read, that was written for a question."""
        homes = ((article, self._home[article][0]) for article in self._named.articles(key) if article in self._home)
        found = [article for article, home in homes if home.language == language and home.audience in audiences]
        return found[0] if len(found) == 1 else None

    @property
    def languages(self) -> list[str]:
        return sorted({name.language for name, shelf in self._shelves.items() if shelf.article_of})

    def catch_up(self, session: Session, since: int) -> None:
        """Apply every article changed after the version `since`; with -1 build everything, using the saved vectors."""
        articles = session.execute(select(*TOLD).where(Article.changed_version > since)).all()
        live = {a.id: (ShelfName(a.language, a.audience), a.title) for a in articles if a.state == State.PUBLISHED}
        keys = {a.id: ArticleKey(a.source, a.slug, a.language, tuple(a.parallel)) for a in articles if a.id in live}
        self._twins.change(keys, (a.id for a in articles))
        passages: dict[ShelfName, list[PassageRow]] = {}
        for row in read_passages(session, list(live)):
            passages.setdefault(live[row.article_id][0], []).append(row)
        gone = self._leave(a.id for a in articles)
        asked: dict[int, list[Vectors]] = {}
        named: dict[int, list[str]] = {}
        for question in read_past_questions(session, list(live), self.stamp.model):
            asked.setdefault(question.article_id, []).append(question.vector)
            if question.origin in WRITTEN:
                named.setdefault(question.article_id, []).append(key_of(question.question, question.language))
        self._named.change(named, (a.id for a in articles))
        for name in sorted({*gone, *passages}):
            titles = {article_id: title for article_id, (home, title) in live.items() if home == name}
            here = {article_id: vectors for article_id, vectors in asked.items() if article_id in titles}
            self._arrange(session, name, passages.get(name, []), gone.get(name, {}), titles, here)

    def _leave(self, article_ids: Iterable[int]) -> dict[ShelfName, dict[int, tuple[int, ...]]]:
        """Forget where these articles stand. Returns their passages by shelf and article."""
        gone: dict[ShelfName, dict[int, tuple[int, ...]]] = {}
        for article_id in article_ids:
            if article_id in self._home:
                name, passages = self._home.pop(article_id)
                gone.setdefault(name, {})[article_id] = passages
        return gone

    def _arrange(
        self,
        session: Session,
        name: ShelfName,
        put: Sequence[PassageRow],
        gone: Mapping[int, Sequence[int]],
        titles: Mapping[int, str],
        asked: Mapping[int, Sequence[Vectors]],
    ) -> None:
        """Bring one shelf up to date."""
        shelf = self._shelves.get(name) or self._new_shelf(name)
        stale = {passage_id for passages in gone.values() for passage_id in passages} - {row.id for row in put}
        shelf.vectors.drop(stale)
        missing = [row.id for row in put if row.id not in shelf.vectors.ids]
        for ids, vectors in read_vectors(session, missing, self.stamp):
            shelf.vectors.put(ids, vectors)
        written = [Written(row.id, row.article_id, titles[row.article_id], row.heading, row.plain) for row in put]
        shelf.change(written, gone, asked, stale)
        self._home |= {i: (name, shelf.passages_of[i]) for i in {row.article_id for row in put}}

    def _new_shelf(self, name: ShelfName) -> Shelf:
        saved = VectorIndex.load(self._file(name), self.stamp)
        self._shelves[name] = Shelf(name, saved or VectorIndex(self.stamp.dimension))
        return self._shelves[name]

    def save(self, version: int) -> None:
        """Keep what is new of the vectors for the next start; passages that are gone since the last one are let go."""
        for name, shelf in self._shelves.items():
            shelf.vectors.drop(shelf.vectors.ids - shelf.article_of.keys())
            if shelf.vectors.unsaved:
                shelf.vectors.save(self._file(name), self.stamp, version)

    def _file(self, name: ShelfName) -> Path:
        return self.cache_folder / f"passages-{name.language}-{name.audience}.faiss"


def read_passages(session: Session, article_ids: Sequence[int]) -> Iterator[PassageRow]:
    """The passages of these articles, without their vectors."""
    chosen = select(Passage.id, Passage.article_id, Passage.heading, Passage.plain)
    for start in range(0, len(article_ids), SQL_IDS):
        yield from session.execute(chosen.where(Passage.article_id.in_(article_ids[start : start + SQL_IDS])))


def read_vectors(session: Session, ids: Sequence[int], stamp: Stamp) -> Iterator[tuple[list[int], Vectors]]:
    """Vectors of shape (n, dimension) with their ids; what another model embedded is left out."""
    chosen = select(Passage.id, Passage.vector).where(Passage.embedder == stamp.model)
    for start in range(0, len(ids), SQL_IDS):
        rows = session.execute(chosen.where(Passage.id.in_(ids[start : start + SQL_IDS]))).all()
        if rows:
            flat = np.frombuffer(b"".join(row.vector for row in rows), np.float32)
            yield [row.id for row in rows], flat.reshape(len(rows), stamp.dimension)
