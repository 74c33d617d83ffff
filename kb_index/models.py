"""The tables of the knowledge: articles with revisions, passages and past questions, open questions, calibrations."""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

EDITOR_SOURCE = "editor"


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in Python; SQLite forgets the zone, so it is put back. Raises ValueError for a naive time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored: use datetime.now(UTC)")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def now() -> datetime:
    """This moment, aware UTC."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON, list[str]: JSON, str: Text}  # noqa: RUF012


class State(StrEnum):
    """Whether an article can be found. Only published ones are ever searched."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class Audience(StrEnum):
    """Who may read an article."""

    EVERYONE = "everyone"
    AGENTS = "agents"


class Origin(StrEnum):
    """Who said that an article answers a past question."""

    HELPED = "helped"
    AGENT = "agent"
    EDITOR = "editor"
    IMPORT = "import"


class Article(Base):
    """An article. title, body and language are the searchable text: of `revision`, which may be older than the newest.

    source: the import source, or `editor`; source_key: the path inside it. slug: the article's own id, unique in a
    source; parallel: slugs of the same article in other languages. file_hash: of the file it came from, empty once that
    file is gone. changed_version: the knowledge version of the last change that concerns search;
    changed_by: who published or withdrew it.
    """

    __tablename__ = "article"
    __table_args__ = (UniqueConstraint("source", "source_key"), Index("ix_article_state_language", "state", "language"))

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    source_key: Mapped[str]
    slug: Mapped[str] = mapped_column(index=True)
    language: Mapped[str] = mapped_column(String(8))
    title: Mapped[str]
    body: Mapped[str]
    content_hash: Mapped[str] = mapped_column(String(64))
    file_hash: Mapped[str] = mapped_column(String(64), default="")
    owner: Mapped[str | None]
    review_on: Mapped[date | None]
    audience: Mapped[str] = mapped_column(String(16), default=Audience.EVERYONE)
    state: Mapped[str] = mapped_column(String(16), default=State.DRAFT)
    category: Mapped[str | None]
    queue: Mapped[str | None]
    url: Mapped[str | None]
    licence: Mapped[str | None]
    attribution: Mapped[str | None]
    parallel: Mapped[list[str]] = mapped_column(default=list)
    revision: Mapped[int] = mapped_column(default=0)
    newest_revision: Mapped[int] = mapped_column(default=0)
    reviewed_on: Mapped[date | None]
    changed_version: Mapped[int] = mapped_column(default=0, index=True)
    changed_by: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)

    revisions: Mapped[list["ArticleRevision"]] = relationship(
        back_populates="article", order_by="ArticleRevision.number", cascade="all, delete-orphan"
    )
    passages: Mapped[list["Passage"]] = relationship(
        back_populates="article", order_by="Passage.position", cascade="all, delete-orphan"
    )

    @property
    def has_draft(self) -> bool:
        """Whether a newer text waits to be published."""
        return self.newest_revision > self.revision


class ArticleRevision(Base):
    """One saved text of an article; never changed afterwards."""

    __tablename__ = "article_revision"
    __table_args__ = (UniqueConstraint("article_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"))
    number: Mapped[int]
    language: Mapped[str] = mapped_column(String(8))
    title: Mapped[str]
    body: Mapped[str]
    editor: Mapped[str]
    comment: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=now)

    article: Mapped[Article] = relationship(back_populates="revisions")


class Passage(Base):
    """A piece of an article's searchable text. Its id always means the same text, so ids are never used again.

    heading: path of headings, joined by ` › `; text: Markdown; plain: its words; content_hash: of what was embedded;
    vector: float32 in the machine's byte order, made by the embedder of that name.
    """

    __tablename__ = "passage"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    heading: Mapped[str] = mapped_column(default="")
    text: Mapped[str]
    plain: Mapped[str]
    content_hash: Mapped[str] = mapped_column(String(64))
    vector: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    embedder: Mapped[str]

    article: Mapped[Article] = relationship(back_populates="passages")


class OpenQuestion(Base):
    """A question nobody could answer from the knowledge base; the same question asked again is counted here.

    group_key: its sorted word stems. question: as first asked. state: open, answered or dismissed.
    """

    __tablename__ = "open_question"
    __table_args__ = (UniqueConstraint("language", "group_key"), Index("ix_open_question_state", "state", "last_asked"))

    id: Mapped[int] = mapped_column(primary_key=True)
    question: Mapped[str]
    language: Mapped[str] = mapped_column(String(8))
    group_key: Mapped[str] = mapped_column(String(512))
    count: Mapped[int] = mapped_column(default=1)
    first_asked: Mapped[datetime] = mapped_column(default=now)
    last_asked: Mapped[datetime] = mapped_column(default=now)
    reason: Mapped[str] = mapped_column(String(32))
    ticket_numbers: Mapped[list[str]] = mapped_column(default=list)
    state: Mapped[str] = mapped_column(String(16), default="open")
    article_id: Mapped[int | None] = mapped_column(ForeignKey("article.id", ondelete="SET NULL"))
    dismissed_by: Mapped[str | None]


class PastQuestion(Base):
    """A question that an article answers, as its requester, an agent, an editor or the source says: see learning.py.

    question: masked text; group_key: its sorted word stems; count: how often use confirmed it, 0 for what was only
    written by an editor or source. removed: an editor took it out, and it stays out whatever use says. waiting: the
    index does not know its present state yet. vector: float32 of the question as one that is asked, None until made.
    created_by: the editor or agent.
    """

    __tablename__ = "past_question"
    __table_args__ = (UniqueConstraint("article_id", "language", "group_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"))
    question: Mapped[str]
    language: Mapped[str] = mapped_column(String(8))
    origin: Mapped[str] = mapped_column(String(8))
    group_key: Mapped[str] = mapped_column(String(512))
    count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_at: Mapped[datetime] = mapped_column(default=now)
    vector: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    embedder: Mapped[str] = mapped_column(default="")
    created_by: Mapped[str | None]
    removed: Mapped[bool] = mapped_column(default=False)
    waiting: Mapped[bool] = mapped_column(default=True)


class AnswerFeedback(Base):
    """What a requester said of one answer. probability: what the calibration had thought, 0 to 1, before what others
    had said of the article; waiting: as in PastQuestion."""

    __tablename__ = "answer_feedback"

    id: Mapped[int] = mapped_column(primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), index=True)
    probability: Mapped[float]
    helped: Mapped[bool]
    language: Mapped[str] = mapped_column(String(8))
    at: Mapped[datetime] = mapped_column(default=now)
    waiting: Mapped[bool] = mapped_column(default=True)


# What the index has not taken in yet is a handful of rows among many.
for table in (PastQuestion, AnswerFeedback):
    Index(f"ix_{table.__tablename__}_waiting", table.id, sqlite_where=table.waiting, postgresql_where=table.waiting)


class Glossary(Base):
    """Words of one language with those of another that mean the same, learned from parallel articles.

    source, target: languages; pairs: aligned segments it was learned from; articles: how many those came from.
    """

    __tablename__ = "glossary"
    __table_args__ = (UniqueConstraint("source", "target"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(8))
    target: Mapped[str] = mapped_column(String(8))
    data: Mapped[dict[str, Any]]
    pairs: Mapped[int]
    articles: Mapped[int]
    learned_at: Mapped[datetime] = mapped_column(default=now)


class Calibration(Base):
    """What turns the scores of one language into a probability: see `kb_index/confidence.py` for the form of data."""

    __tablename__ = "calibration"
    __table_args__ = (UniqueConstraint("name", "language"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    language: Mapped[str] = mapped_column(String(8))
    fitted_at: Mapped[datetime]
    sample_size: Mapped[int]
    model: Mapped[str]
    data: Mapped[dict[str, Any]]
    active: Mapped[bool] = mapped_column(default=True)


class KnowledgeVersion(Base):
    """One row: the number every change of the knowledge raises, and a name no other knowledge base has."""

    __tablename__ = "knowledge_version"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(default=0)
    name: Mapped[str] = mapped_column(String(32))
