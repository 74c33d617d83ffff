"""What the tests of the knowledge share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fake_embedder import HashEmbedder
from sqlalchemy.orm import Session, sessionmaker

from bot.db import Sessions, make_engine, open_database
from kb_index.articles import ArticleDraft, publish_article, save_draft
from kb_index.models import Base
from kb_index.search import KnowledgeBase

Publish = Callable[..., int]


def fresh_database(folder: Path) -> Sessions:
    url = f"sqlite:///{folder}/knowledge.db"
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA query_only=OFF")
        Base.metadata.create_all(connection)
    engine.dispose()
    return open_database(url)


@pytest.fixture
def kb_sessions(tmp_path: Path) -> Iterator[Sessions]:
    sessions = fresh_database(tmp_path)
    yield sessions
    sessions.close()


@pytest.fixture
def embedder() -> HashEmbedder:
    return HashEmbedder()


@pytest.fixture
def knowledge(kb_sessions: Sessions, embedder: HashEmbedder, tmp_path: Path) -> KnowledgeBase:
    return KnowledgeBase(kb_sessions, embedder, tmp_path / "cache")


@pytest.fixture
def publish(kb_sessions: sessionmaker[Session], embedder: HashEmbedder) -> Publish:
    """Writes and publishes an article; returns its id."""

    def publish(title: str, body: str, language: str = "en", article_id: int | None = None, **fields: str) -> int:
        with kb_sessions.begin() as session:
            draft = ArticleDraft(title, body, language, **fields)
            saved = save_draft(session, draft, "editor", article_id).id
        return publish_article(kb_sessions, embedder, saved, "editor").id

    return publish
