"""What the tests of the knowledge share."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fake_embedder import HashEmbedder

from bot.db import Sessions
from kb_index.articles import ArticleDraft, publish_article, save_draft
from kb_index.search import KnowledgeBase

Publish = Callable[..., int]


@pytest.fixture
def embedder() -> HashEmbedder:
    return HashEmbedder()


@pytest.fixture
def knowledge(sessions: Sessions, embedder: HashEmbedder, tmp_path: Path) -> KnowledgeBase:
    return KnowledgeBase(sessions, embedder, tmp_path / "cache")


@pytest.fixture
def publish(sessions: Sessions, embedder: HashEmbedder) -> Publish:
    """Writes and publishes an article; returns its id."""

    def publish(title: str, body: str, language: str = "en", article_id: int | None = None, **fields: str) -> int:
        with sessions.begin() as session:
            draft = ArticleDraft(title, body, language, **fields)
            saved = save_draft(session, draft, "editor", article_id).id
        return publish_article(sessions, embedder, saved, "editor").id

    return publish
