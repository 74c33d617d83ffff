"""The index in memory: one shelf per language and audience, brought up to date from the database.

A search opens only the shelves it may see: what stands on the agents' shelf cannot even move the scores of the others.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from kb_index.fusion import Candidate, Found
from kb_index.models import Article, Passage, State
from kb_index.port import Vectors
from kb_index.vectors import Stamp, VectorIndex
from kb_index.words import WordIndex, WordScores, Written

DEPTH = 100  # passages each signal brings
SQL_IDS = 500  # ids in one SELECT
PassageRow = Row[int, int, str, str]


@dataclass(frozen=True, order=True)
class ShelfName:
    """Which articles stand together."""

    language: str
    audience: str


class Shelf:
    """The passages of one language for one audience: vectors, words, and whose they are."""

    def __init__(self, name: ShelfName, vectors: VectorIndex) -> None:
        self.name = name
        self.vectors = vectors
        self.words = WordIndex(name.language)
        self.article_of: dict[int, int] = {}

    def find(self, question: str, vector: Vectors) -> Found:
        """What each signal finds, with all signals known for all that is found."""
        words, grams = self.words.words(question, DEPTH), self.words.grams(question, DEPTH)
        cosines = self.vectors.nearest(vector, DEPTH)
        ids = {**cosines, **words.scores, **grams.scores}.keys() & self.article_of.keys()
        cosines |= self.vectors.cosines(vector, [i for i in ids if i not in cosines])
        least = Candidate(0, 0, 0.0, unfound(words), unfound(grams))
        return Found([self._candidate(i, cosines, words, grams, least) for i in sorted(ids)], words.mass)

    def _candidate(
        self, passage_id: int, cosines: Mapping[int, float], words: WordScores, grams: WordScores, least: Candidate
    ) -> Candidate:
        return Candidate(
            passage_id,
            self.article_of[passage_id],
            cosines.get(passage_id, least.cosine),
            share(words, passage_id, least.words),
            share(grams, passage_id, least.grams),
        )


def share(found: WordScores, passage_id: int, otherwise: float) -> float:
    """A passage's BM25 divided by the question's idf mass."""
    score = found.scores.get(passage_id)
    return otherwise if score is None or not found.mass else score / found.mass


def unfound(found: WordScores) -> float:
    """What a passage not among the first has at most: the last one's score, or nothing when all were found."""
    if len(found.scores) < DEPTH or not found.mass:
        return 0.0
    return min(found.scores.values()) / found.mass


class Shelves:
    """All shelves. Not safe for use from several threads at once."""

    def __init__(self, stamp: Stamp, cache_folder: Path) -> None:
        self.stamp = stamp
        self.cache_folder = cache_folder
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

    @property
    def languages(self) -> list[str]:
        return sorted({name.language for name, shelf in self._shelves.items() if shelf.article_of})

    def catch_up(self, session: Session, since: int) -> None:
        """Apply every article changed after the version `since`; with -1 build everything, using the saved vectors."""
        changed = select(Article.id, Article.state, Article.language, Article.audience, Article.title).where(
            Article.changed_version > since
        )
        articles = session.execute(changed).all()
        live = {a.id: (ShelfName(a.language, a.audience), a.title) for a in articles if a.state == State.PUBLISHED}
        passages: dict[ShelfName, list[PassageRow]] = {}
        for row in read_passages(session, list(live)):
            passages.setdefault(live[row.article_id][0], []).append(row)
        gone = self._leave(a.id for a in articles)
        for name in sorted({*gone, *passages}):
            titles = {article_id: title for article_id, (home, title) in live.items() if home == name}
            self._arrange(session, name, passages.get(name, []), gone.get(name, []), titles)

    def _leave(self, article_ids: Iterable[int]) -> dict[ShelfName, list[int]]:
        """Forget where these articles stand. Returns their passages by shelf."""
        gone: dict[ShelfName, list[int]] = {}
        for article_id in article_ids:
            if article_id in self._home:
                name, passages = self._home.pop(article_id)
                gone.setdefault(name, []).extend(passages)
        return gone

    def _arrange(
        self,
        session: Session,
        name: ShelfName,
        put: Sequence[PassageRow],
        gone: Sequence[int],
        titles: Mapping[int, str],
    ) -> None:
        """Bring one shelf up to date."""
        shelf = self._shelves.get(name) or self._new_shelf(name)
        stale = set(gone) - {row.id for row in put}
        for passage_id in gone:
            del shelf.article_of[passage_id]
        shelf.vectors.drop(stale)
        missing = [row.id for row in put if row.id not in shelf.vectors.ids]
        for ids, vectors in read_vectors(session, missing, self.stamp):
            shelf.vectors.put(ids, vectors)
        shelf.words.change([Written(row.id, titles[row.article_id], row.heading, row.plain) for row in put], stale)
        by_article: dict[int, list[int]] = {}
        for row in put:
            shelf.article_of[row.id] = row.article_id
            by_article.setdefault(row.article_id, []).append(row.id)
        self._home |= {article_id: (name, tuple(ids)) for article_id, ids in by_article.items()}

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
