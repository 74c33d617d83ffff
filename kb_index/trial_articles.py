"""The articles of a trial: in a database of their own, found as those of the live one, each with a name of its own."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import create_engine, insert, select
from sqlalchemy.orm import Session, sessionmaker

from kb_index.judging import Place
from kb_index.models import Article, Audience, Base, Glossary, KnowledgeVersion, Passage, PastQuestion, State
from kb_index.port import Embedder, Vectors
from kb_index.question_files import Question
from kb_index.search import KnowledgeBase

COPIED = (Article, Passage, PastQuestion, Glossary, KnowledgeVersion)


class NothingToSearch(RuntimeError):  # noqa: N818 - it is a finding
    """A trial holds no article that the embedder could find."""


class Remembering:
    """An embedder that embeds each question once, however often it is asked."""

    def __init__(self, embedder: Embedder) -> None:
        self.name, self.dimension = embedder.name, embedder.dimension
        self.embed_passages = embedder.embed_passages
        self._embed = lru_cache(maxsize=20_000)(embedder.embed_question)

    def embed_question(self, text: str) -> Vectors:
        """Shape (dimension,)."""
        return self._embed(text)


class Articles:
    """Articles in a database of their own in the folder `work`, which the caller removes."""

    def __init__(self, embedder: Embedder, work: Path) -> None:
        self.embedder = Remembering(embedder)
        self.unread: list[str] = []  # files that could not become articles, each with its reason
        self._engine = create_engine(f"sqlite:///{work / 'trial.db'}")
        Base.metadata.create_all(self._engine)
        self.sessions = sessionmaker(self._engine, info={"write": True})
        self._knowledge = KnowledgeBase(self.sessions, self.embedder, work / "index")

    @classmethod
    def of_live(cls, sessions: sessionmaker[Session], embedder: Embedder, work: Path) -> Self:
        """With a copy of what is published, which is only read."""
        trial = cls(embedder, work)
        with sessions() as source, trial.sessions.begin() as target:
            for model in COPIED:
                columns = list(model.__table__.columns)
                for rows in source.execute(select(*columns)).partitions(500):
                    target.execute(insert(model), [dict(row._mapping) for row in rows])
        return trial

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.dispose()

    @property
    def titles(self) -> dict[str, str]:
        """Titles by slug."""
        return {row.slug: row.title for row in self._rows()}

    @property
    def languages(self) -> list[str]:
        """The languages of the articles."""
        return sorted({row.language for row in self._rows()})

    @property
    def article_languages(self) -> dict[str, str]:
        """Languages by slug."""
        return {row.slug: row.language for row in self._rows()}

    @property
    def for_agents(self) -> frozenset[str]:
        """Slugs of what only agents may read."""
        rows = self._rows()
        return frozenset({row.slug for row in rows} - {row.slug for row in rows if row.audience == Audience.EVERYONE})

    def _rows(self) -> Sequence[Place]:
        """The published articles. A slug may stand more than once: it is unique in its source only."""
        columns = (Article.id, Article.slug, Article.language, Article.audience, Article.title)
        with self.sessions() as session:
            return session.execute(select(*columns).where(Article.state == State.PUBLISHED).order_by(Article.id)).all()

    def check_searchable(self) -> None:
        """Raises NothingToSearch."""
        if not self._rows():
            raise NothingToSearch("there is no article to try out; import some, or name a folder that holds any")
        with self.sessions() as session:
            embedded = session.scalar(select(Passage.id).where(Passage.embedder == self.embedder.name).limit(1))
        if embedded is None:
            raise NothingToSearch(
                f"the knowledge base holds no vectors of the model {self.embedder.name}; `lotse kb import` makes them, "
                "or set knowledge.model and knowledge.embedder to what it was imported with"
            )

    def _articles(self) -> dict[str, tuple[str, int]]:
        """(language, id) by name: its slug, with the id behind it where several articles have that slug."""
        return {name: (row.language, row.id) for name, row in self._named()}

    def _named(self) -> list[tuple[str, Place]]:
        rows = self._rows()
        uses = Counter(row.slug for row in rows)
        return [(row.slug if uses[row.slug] == 1 else f"{row.slug}#{row.id}", row) for row in rows]

    def _resolved(self, questions: Sequence[Question]) -> list[Question]:
        """The questions, their right articles named as `_articles` names them."""
        names: dict[str, set[str]] = {}
        for name, row in self._named():
            names.setdefault(row.slug, set()).add(name)
        return [
            replace(q, gold=frozenset(name for slug in q.gold for name in names.get(slug, {slug})), bundle=q.group)
            for q in questions
        ]

    def knowledge(self) -> KnowledgeBase:
        """The search over these articles, the same one every time: its index takes seconds to build."""
        return self._knowledge
