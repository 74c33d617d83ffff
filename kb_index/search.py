"""The knowledge base to ask: finds articles and says how sure it is that one of them answers."""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from kb_index.confidence import Fitted, Judge, read_calibrations
from kb_index.fusion import Found, Ranked, fuse
from kb_index.models import Article, Audience, Passage, State
from kb_index.port import Confidence, Embedder, Hit, SearchResult, Vectors
from kb_index.readers import clean_text
from kb_index.shelves import Shelf, Shelves
from kb_index.vectors import Stamp
from kb_index.versions import read_version

log = logging.getLogger(__name__)
EVERYONE: frozenset[str] = frozenset({Audience.EVERYONE.value})
AGENTS: frozenset[str] = frozenset({Audience.EVERYONE.value, Audience.AGENTS.value})
QUESTION_CHARACTERS = 2_000  # what is read of a question; a longer one is cut at its end
SPARE = 5  # hits held ready for articles that were withdrawn a moment ago
LETTER = re.compile(r"\w")
NOTHING = Confidence(0.0, 0.0, 0.0)
Rows = Mapping[int, Any]


@dataclass
class Clock:
    """Seconds by step."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started


class KnowledgeBase:
    """The published articles, searchable. Safe to use from many threads; any number of processes may hold one.

    max_wrong: the share of wrong answers the operator accepts. cache_folder: where the vectors are kept between starts.
    """

    def __init__(
        self, sessions: sessionmaker[Session], embedder: Embedder, cache_folder: Path, max_wrong: float = 0.10
    ) -> None:
        self.sessions = sessions
        self.embedder = embedder
        self.cache_folder = cache_folder
        self.max_wrong = max_wrong
        self._lock = threading.RLock()
        self._version = -1
        self._shelves = self._empty_shelves("")
        self._fitted: dict[str, Fitted] = {}
        self._warnings: list[str] = []

    def search(self, question: str, language: str, audience: Set[str] = EVERYONE, limit: int = 5) -> SearchResult:
        """The articles that may answer, best first, at most one hit each, and how sure that is.

        Articles in the question's language; in another one only when there is none, and then nothing is sure enough to
        be answered. Takes any text: what is neither letter nor digit finds nothing.
        """
        clock = Clock()
        asked = clean_text(question[:QUESTION_CHARACTERS]).strip()
        with clock.step("embed"):
            vector = self.embedder.embed_question(asked) if LETTER.search(asked) else None
        with self._lock_and_session(clock) as session:
            with clock.step("refresh"):
                self._catch_up(session)
            judge = Judge(self._fitted.get(language), self.max_wrong)
            result = self._result(asked, language, judge)
            if vector is None:
                return result((), NOTHING, False, clock)
            for shelves in self._by_preference(language, audience):
                hits, among = self._hits(session, clock, shelves, asked, vector, judge, limit)
                if hits:
                    return result(hits, among, hits[0].language == language, clock)
            return result((), NOTHING, False, clock)

    @contextmanager
    def _lock_and_session(self, clock: Clock) -> Iterator[Session]:
        with clock.step("wait"):
            self._lock.acquire()
        try:
            with self.sessions() as session:
                yield session
        finally:
            self._lock.release()

    def _result(
        self, question: str, language: str, judge: Judge
    ) -> Callable[[Sequence[Hit], Confidence, bool, Clock], SearchResult]:
        """Makes the result; the thresholds hold where they were fitted: for articles in the question's language."""
        version = self._version

        def make(hits: Sequence[Hit], among: Confidence, fitted: bool, clock: Clock) -> SearchResult:
            limits = judge.thresholds
            return SearchResult(
                question=question,
                language=language,
                hits=tuple(hits),
                among_first=among,
                answer_from=limits.answer_from if fitted else None,
                ask_from=limits.ask_from if fitted else None,
                index_version=version,
                model=self.embedder.name,
                calibration=judge.name,
                seconds=clock.seconds,
            )

        return make

    def _by_preference(self, language: str, audience: Set[str]) -> Iterator[list[Shelf]]:
        """Groups of shelves to be tried one after another."""
        others = [other for other in self._shelves.languages if other != language]
        for languages in ([language], others):
            shelves = self._shelves.opened(languages, audience)
            if shelves:
                yield shelves

    def _hits(
        self,
        session: Session,
        clock: Clock,
        shelves: Sequence[Shelf],
        question: str,
        vector: Vectors,
        judge: Judge,
        limit: int,
    ) -> tuple[list[Hit], Confidence]:
        with clock.step("find"):
            found = joined([shelf.find(question, vector) for shelf in shelves])
        with clock.step("fuse"):
            ranked = fuse(found, judge.weights)
        with clock.step("read"):
            rows = read_live(session, ranked[: limit + SPARE])
            ranked = [r for r in ranked[: limit + SPARE] if r.candidate.passage_id in rows] + ranked[limit + SPARE :]
        with clock.step("judge"):
            shown = [r for r in ranked[:limit] if r.candidate.passage_id in rows]
            hits = [self._hit(rows, found, ranked, place, judge) for place in range(len(shown))]
            return hits, judge.among_first(found, ranked)

    def _hit(self, rows: Rows, found: Found, ranked: Sequence[Ranked], place: int, judge: Judge) -> Hit:
        one = ranked[place]
        row = rows[one.candidate.passage_id]
        return Hit(
            article_id=row.article_id,
            passage_id=one.candidate.passage_id,
            title=row.title,
            heading=row.heading,
            text=row.text,
            language=row.language,
            url=row.url,
            reviewed_on=row.reviewed_on or row.review_on,
            revision=row.revision,
            category=row.category,
            queue=row.queue,
            signals=signals_of(one),
            confidence=judge.confidence(found, ranked, place),
        )

    def find_articles(self, query: str, language: str, limit: int = 10) -> tuple[Hit, ...]:
        """What editors and agents look up: also articles that only agents may read."""
        return self.search(query, language, AGENTS, limit).hits

    def found(self, question: str, language: str, audience: Set[str] = EVERYONE) -> Found:
        """The raw signals for a question in its own language, as calibration and evaluation need them."""
        vector = self.embedder.embed_question(question)
        with self._lock_and_session(Clock()) as session:
            self._catch_up(session)
            return joined([shelf.find(question, vector) for shelf in self._shelves.opened([language], audience)])

    def refresh(self) -> int:
        """Take in what changed in the database since, made by any process. Returns the version now searched."""
        with self._lock, self.sessions() as session:
            self._catch_up(session)
            return self._version

    def warm_up(self) -> None:
        """Load index and model, so that the first question waits for neither."""
        self.refresh()
        self.embedder.embed_question("warm up")

    def _catch_up(self, session: Session) -> None:
        """One SELECT when nothing changed. After an error the next search builds the index anew."""
        number, name = read_version(session)
        if number == self._version and name == self._shelves.stamp.knowledge:
            return
        if name != self._shelves.stamp.knowledge or self._version < 0:
            self._shelves, self._version = self._empty_shelves(name), -1
        since, self._version = self._version, -1
        self._shelves.catch_up(session, since)
        self._fitted, self._warnings = read_calibrations(session, self.embedder.name)
        if since < 0:
            self._save(number)
        self._version = number

    def _save(self, number: int) -> None:
        try:
            self._shelves.save(number)
        except OSError as error:
            log.warning("the index could not be saved, the next start takes longer: %s", error.strerror)

    def _empty_shelves(self, name: str) -> Shelves:
        return Shelves(Stamp(name, self.embedder.name, self.embedder.dimension), self.cache_folder)

    def status(self) -> dict[str, Any]:
        """Plain values: articles, passages, version, model, calibration and thresholds by language, warnings."""
        with self._lock, self.sessions() as session:
            self._catch_up(session)
            judges = {language: Judge(fitted, self.max_wrong) for language, fitted in self._fitted.items()}
            return {
                "articles": self._shelves.articles,
                "passages": self._shelves.passages,
                "index_version": self._version,
                "model": self.embedder.name,
                "max_wrong": self.max_wrong,
                "calibrations": {language: describe(judge) for language, judge in judges.items()},
                "warnings": [*self._warnings, *self._gaps(judges)],
            }

    def _gaps(self, judges: Mapping[str, Judge]) -> list[str]:
        """What keeps questions from being answered."""
        languages = self._shelves.languages
        found = [f"no calibration for {name}: nothing is answered" for name in languages if name not in judges]
        strict = [name for name, judge in judges.items() if judge.thresholds.answer_from is None]
        return found + [f"the calibration for {name} cannot keep this risk: nothing is answered" for name in strict]


def describe(judge: Judge) -> dict[str, Any]:
    """A calibration as people want to see it."""
    fitted, limits = judge.fitted, judge.thresholds
    if fitted is None:
        return {"name": judge.name}
    return {
        "name": fitted.name,
        "fitted_at": fitted.fitted_at.isoformat(),
        "sample_size": fitted.sample_size,
        "answer_from": limits.answer_from,
        "ask_from": limits.ask_from,
        "answered": limits.answered,
        "wrong": limits.wrong,
    }


def joined(found: Sequence[Found]) -> Found:
    """What several shelves found, as one."""
    return Found([c for one in found for c in one.candidates], max((one.mass for one in found), default=0.0))


def signals_of(one: Ranked) -> dict[str, float]:
    """What is stored and explained with a hit."""
    c = one.candidate
    return {"cosine": c.cosine, "words": c.words, "grams": c.grams, "fused": one.fused, "wins": one.wins}


def read_live(session: Session, ranked: Sequence[Ranked]) -> Rows:
    """Passages with their articles by passage id; only what is published at this moment."""
    chosen = (
        select(
            *(Passage.id, Passage.article_id, Passage.heading, Passage.text, Article.title, Article.language),
            *(Article.url, Article.reviewed_on, Article.review_on, Article.revision, Article.category, Article.queue),
        )
        .join(Article)
        .where(Passage.id.in_([r.candidate.passage_id for r in ranked]), Article.state == State.PUBLISHED)
    )
    return {row.id: row for row in session.execute(chosen)} if ranked else {}
