"""The knowledge base to ask: finds articles and says how sure it is that one of them answers."""

import logging
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, sessionmaker

from kb_index.confidence import ASSURANCE, READ, Fitted, Judge, read_calibrations
from kb_index.fusion import SIGNALS, Found, Ranked, fuse, joined
from kb_index.glossary import Glossary
from kb_index.glossary_learning import read_glossaries
from kb_index.memory import give_back
from kb_index.models import Article, Audience, Passage, State
from kb_index.named import key_of
from kb_index.port import Confidence, Embedder, Hit, SearchResult, Vectors
from kb_index.readers import clean_text
from kb_index.records import moved, read_records
from kb_index.repeats import repeats_behind
from kb_index.shelves import Shelves
from kb_index.vectors import Stamp
from kb_index.versions import read_version

log = logging.getLogger(__name__)
EVERYONE: frozenset[str] = frozenset({Audience.EVERYONE.value})
AGENTS: frozenset[str] = frozenset({Audience.EVERYONE.value, Audience.AGENTS.value})
QUESTION_CHARACTERS = 2_000  # what is read of a question; a longer one is cut at its end
SPARE = 5  # hits held ready for articles that were withdrawn a moment ago
LETTER = re.compile(r"\w")
NOTHING = Confidence(0.0, 0.0, 0.0)
NAMED = Confidence(0.99, 0.95, 1.0)  # of an article that was written for this very question
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

    max_wrong: the share of wrong answers the operator accepts; assurance: how surely that is kept. cache_folder: where
    the vectors are kept between starts. calibrations: judge by these instead of those in the database.
    """

    def __init__(
        self,
        sessions: sessionmaker[Session],
        embedder: Embedder,
        cache_folder: Path,
        max_wrong: float = 0.10,
        assurance: float = ASSURANCE,
        calibrations: Iterable[Fitted] | None = None,
    ) -> None:
        self.sessions = sessions
        self.embedder = embedder
        self.cache_folder = cache_folder
        self.max_wrong = max_wrong
        self.assurance = assurance
        self._given = None if calibrations is None else {fitted.language: fitted for fitted in calibrations}
        self._lock = threading.RLock()
        self._version = -1
        self._shelves = self._empty_shelves("")
        self._fitted: dict[str, Fitted] = {}
        self._glossaries: dict[tuple[str, str], Glossary] = {}
        self._records: dict[int, float] = {}
        self._warnings: list[str] = []

    def search(self, question: str, language: str, audience: Set[str] = EVERYONE, limit: int = 5) -> SearchResult:
        """The articles that may answer, best first, at most one hit each, and how sure that is.

        First and surely an article that an editor or a source has named for this very question. Then those in the
        question's language; those in another one where nothing is sure enough to be answered, found by the question's
        words in that language. Takes any text: what is neither letter nor digit finds nothing.
        """
        clock = Clock()
        text = clean_text(question[:QUESTION_CHARACTERS]).strip()
        if not LETTER.search(text):
            with self._reading(clock) as session:
                return self._result(text, language, Findings((), NOTHING, self._judge(language)), clock)
        with clock.step("embed"):
            asked = Asked(text, self.embedder.embed_question(text), key_of(text, language))
        with self._reading(clock) as session:
            own = self._findings(session, clock, asked, language, language, audience, limit)
            foreign = () if own.is_answerable else self._others(language, audience)
        others = [(name, self._translated(clock, asked, language, name)) for name in foreign]
        if not others:
            return self._result(text, language, own, clock)
        with self._reading(clock) as session:
            for name, translated in others:
                found = self._findings(session, clock, translated, language, name, audience, limit)
                with clock.step("merge"):
                    own = merged(own, self._in_own_language(session, found, language, audience), limit)
            return self._result(text, language, own, clock)

    @contextmanager
    def _reading(self, clock: Clock) -> Iterator[Session]:
        """The index, brought up to date, for this thread alone."""
        with clock.step("wait"):
            self._lock.acquire()
        try:
            with self.sessions() as session:
                with clock.step("refresh"):
                    self._catch_up(session)
                yield session
        finally:
            self._lock.release()

    def _judge(self, pair: str) -> Judge:
        return Judge(self._fitted.get(pair), self.max_wrong, self.assurance)

    def _others(self, language: str, audience: Set[str]) -> list[str]:
        """The other languages that hold articles this audience may read."""
        names = (name for name in self._shelves.languages if name != language)
        return [name for name in names if self._shelves.opened([name], audience)]

    def _translated(self, clock: Clock, asked: "Asked", language: str, other: str) -> "Asked":
        """The question word by word in the other language; as it is where there is no glossary."""
        glossary = self._glossaries.get((language, other))
        text = glossary.translate(asked.text) if glossary else asked.text
        if not LETTER.search(text) or text == asked.text:
            return asked
        with clock.step("embed"):
            return replace(asked, text=text, vector=self.embedder.embed_question(text))

    def _findings(
        self,
        session: Session,
        clock: Clock,
        asked: "Asked",
        language: str,
        spoken: str,
        audience: Set[str],
        limit: int,
    ) -> "Findings":
        """What the articles of one language hold."""
        judge = self._judge(pair_of(language, spoken))
        with clock.step("find"):
            shelves = self._shelves.opened([spoken], audience)
            found = joined([shelf.find(asked.text, asked.vector) for shelf in shelves])
            named = self._shelves.named(asked.key, spoken, audience)
        with clock.step("fuse"):
            most = max(limit + SPARE, READ)
            ranked = fuse(found, judge.weights, most if named is None else None)
            ranked = with_first(ranked, named)[:most]
        with clock.step("read"):
            rows = read_live(session, (r.candidate.passage_id for r in ranked[: limit + SPARE]))
            ranked = [r for r in ranked[: limit + SPARE] if r.candidate.passage_id in rows] + ranked[limit + SPARE :]
        with clock.step("judge"):
            live = [rows[r.candidate.passage_id] for r in ranked if r.candidate.passage_id in rows]
            places = repeats_behind([(row.title, row.text) for row in live])[:limit]
            hits = [self._hit(rows, found, ranked, place, judge, named) for place in places]
            among = max((judge.among_first(found, ranked), *(hit.confidence for hit in hits[:1])), key=probability_of)
            return Findings(tuple(hits), among, judge)

    def _hit(
        self, rows: Rows, found: Found, ranked: Sequence[Ranked], place: int, judge: Judge, named: int | None
    ) -> Hit:
        one = ranked[place]
        is_named = one.candidate.article_id == named
        confidence = NAMED if is_named and judge.fitted else judge.confidence(found, ranked, place)
        record = self._records.get(one.candidate.article_id, 0.0)
        signals = signals_of(one) | ({"named": 1.0} if is_named else {})
        return hit_of(rows[one.candidate.passage_id], signals, moved(confidence, record))

    def _in_own_language(self, session: Session, found: "Findings", language: str, audience: Set[str]) -> "Findings":
        """Hits whose article is also there in the question's language, as that article."""
        places = ((hit.article_id, hit.passage_id) for hit in found.hits)
        twins = {place[1]: twin for place in places if (twin := self._shelves.twin(*place, language, audience))}
        rows = read_live(session, twins.values())
        shown = {passage: rows[twin] for passage, twin in twins.items() if twin in rows}
        hits = (
            hit_of(shown[hit.passage_id], hit.signals, hit.confidence) if hit.passage_id in shown else hit
            for hit in found.hits
        )
        return replace(found, hits=tuple(hits))

    def _result(self, question: str, language: str, found: "Findings", clock: Clock) -> SearchResult:
        limits = found.judge.thresholds
        return SearchResult(
            question=question,
            language=language,
            hits=found.hits,
            among_first=found.among,
            answer_from=limits.answer_from,
            ask_from=limits.ask_from,
            index_version=self._version,
            model=self.embedder.name,
            calibration=found.judge.name,
            seconds=clock.seconds,
            pair=found.judge.fitted.language if found.judge.fitted else language,
        )

    def find_articles(self, query: str, language: str, limit: int = 10) -> tuple[Hit, ...]:
        """What editors and agents look up: also articles that only agents may read."""
        return self.search(query, language, AGENTS, limit).hits

    def found(self, question: str, language: str, audience: Set[str] = EVERYONE, spoken: str | None = None) -> Found:
        """The raw signals for a question among the articles of one language (its own, if not `spoken`), as calibration,
        evaluation and explanation need them."""
        spoken, clock, text = spoken or language, Clock(), clean_text(question[:QUESTION_CHARACTERS]).strip()
        asked = Asked(text, self.embedder.embed_question(text), "")
        if spoken != language:
            self.refresh()
            asked = self._translated(clock, asked, language, spoken)
        with self._reading(clock):
            shelves = self._shelves.opened([spoken], audience)
            return joined([shelf.find(asked.text, asked.vector) for shelf in shelves])

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
        if self._given is not None:
            self._fitted, self._warnings = self._given, []
        self._glossaries = read_glossaries(session)
        self._records = read_records(session)
        if since < 0:
            self._save(number)
            give_back()
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
            judges = {pair: self._judge(pair) for pair in self._fitted}
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


@dataclass(frozen=True)
class Asked:
    """A question as it is searched for. key: of the question as it was asked, see kb_index.named."""

    text: str
    vector: Vectors
    key: str


@dataclass(frozen=True)
class Findings:
    """What the articles of one language hold, and who judges it. among: that one of the first three answers, never less
    sure than that the first one does."""

    hits: tuple[Hit, ...]
    among: Confidence
    judge: Judge

    @property
    def first(self) -> float:
        """The probability of the first hit; 0 where nothing was found."""
        return self.hits[0].confidence.probability if self.hits else 0.0

    @property
    def is_answerable(self) -> bool:
        """Whether the first hit is sure enough at the operator's risk."""
        limit = self.judge.thresholds.answer_from
        return limit is not None and self.first >= limit


def merged(own: Findings, other: Findings, limit: int) -> Findings:
    """Two languages as one list, each in its own order, the more probable first. The one in front sets the thresholds;
    where only the second is sure enough to be answered, it is in front."""
    if not other.hits or not own.hits:
        return own if own.hits else other
    leading, rest = (own, other) if other.first <= own.first and not other.is_answerable else (other, own)
    hits: list[Hit] = [leading.hits[0]]
    queues = [list(leading.hits[1:]), list(rest.hits)]
    while any(queues) and len(hits) < limit:
        queue = max((q for q in queues if q), key=lambda q: q[0].confidence.probability)
        hit = queue.pop(0)
        if hit.article_id not in {known.article_id for known in hits}:
            hits.append(hit)
    return Findings(tuple(hits), max(own.among, other.among, key=probability_of), leading.judge)


def with_first(ranked: Sequence[Ranked], article_id: int | None) -> list[Ranked]:
    """The same ranking with this article in front, if it is there."""
    return sorted(ranked, key=lambda one: one.candidate.article_id != article_id)


def probability_of(confidence: Confidence) -> float:
    """What confidences are compared by."""
    return confidence.probability


def pair_of(language: str, spoken: str) -> str:
    """The name of a calibration: `de`, or `de>en` for German questions and English articles."""
    return language if language == spoken else f"{language}>{spoken}"


def signals_of(one: Ranked) -> dict[str, float]:
    """What is stored and explained with a hit."""
    c = one.candidate
    return {**dict(zip(SIGNALS, c.signals, strict=True)), "cover": c.cover, "fused": one.fused, "wins": one.wins}


def hit_of(row: Any, signals: Mapping[str, float], confidence: Confidence) -> Hit:
    """A row of read_live as a hit."""
    return Hit(
        article_id=row.article_id,
        passage_id=row.id,
        title=row.title,
        heading=row.heading,
        text=row.text,
        language=row.language,
        url=row.url,
        reviewed_on=row.reviewed_on or row.review_on,
        revision=row.revision,
        category=row.category,
        queue=row.queue,
        signals=signals,
        confidence=confidence,
    )


SHOWN = (
    *(Passage.id, Passage.article_id, Passage.heading, Passage.text, Article.title, Article.language),
    *(Article.url, Article.reviewed_on, Article.review_on, Article.revision, Article.category, Article.queue),
)
LIVE = select(*SHOWN).join(Article).where(Article.state == State.PUBLISHED)
BY_ID = LIVE.where(Passage.id.in_(bindparam("ids", expanding=True)))


def read_live(session: Session, passage_ids: Iterable[int]) -> Rows:
    """Passages with their articles by passage id; only what is published at this moment."""
    ids = list(passage_ids)
    return {row.id: row for row in session.execute(BY_ID, {"ids": ids})} if ids else {}
