"""Editors draft, publish and withdraw; two of them at once lose nothing."""

from collections.abc import Callable, Sequence

import pytest
from fake_embedder import HashEmbedder
from sqlalchemy import select

from bot.db import Sessions
from kb_index.articles import (
    ArticleDraft,
    UnknownArticle,
    list_articles,
    publish_article,
    reembed_articles,
    save_draft,
    withdraw_article,
)
from kb_index.models import Article, ArticleRevision, Passage
from kb_index.port import Vectors
from kb_index.search import KnowledgeBase

Publish = Callable[..., int]


def test_draft_is_not_found_until_it_is_published(
    sessions: Sessions, embedder: HashEmbedder, knowledge: KnowledgeBase
) -> None:
    with sessions.begin() as session:
        article_id = save_draft(session, ArticleDraft("VPN", "Start the client.", "en"), "mia").id
    assert knowledge.search("VPN client", "en").hits == ()
    publish_article(sessions, embedder, article_id, "mia")
    assert [hit.article_id for hit in knowledge.search("VPN client", "en").hits] == [article_id]


def test_published_text_stays_until_the_new_one_is_published(
    sessions: Sessions, embedder: HashEmbedder, knowledge: KnowledgeBase, publish: Publish
) -> None:
    article_id = publish("VPN", "Start the old client.")
    with sessions.begin() as session:
        article = save_draft(session, ArticleDraft("VPN", "Start the new client.", "en"), "mia", article_id)
        assert article.has_draft
    assert knowledge.search("VPN client", "en").hits[0].text == "Start the old client."
    published = publish_article(sessions, embedder, article_id, "mia")
    assert (published.revision, published.has_draft) == (2, False)
    assert knowledge.search("VPN client", "en").hits[0].text == "Start the new client."


def test_every_saved_text_is_kept(sessions: Sessions, publish: Publish) -> None:
    article_id = publish("VPN", "One.")
    publish("VPN", "Two.", article_id=article_id, comment="shorter")
    with sessions() as session:
        kept = session.scalars(select(ArticleRevision).order_by(ArticleRevision.number)).all()
    assert [(r.number, r.body, r.comment) for r in kept] == [(1, "One.", ""), (2, "Two.", "shorter")]


def test_withdrawn_article_can_be_published_again_without_embedding(
    sessions: Sessions, embedder: HashEmbedder, knowledge: KnowledgeBase, publish: Publish
) -> None:
    article_id = publish("VPN", "Start the client.")
    withdraw_article(sessions, article_id, "mia")
    assert knowledge.search("VPN", "en").hits == ()
    embedder.embedded.clear()
    publish_article(sessions, embedder, article_id, "mia")
    assert embedder.embedded == []
    assert len(knowledge.search("VPN", "en").hits) == 1


@pytest.mark.parametrize(("title", "body"), [("", "x"), ("x", "  "), (" ", "x")])
def test_article_needs_title_and_text(sessions: Sessions, title: str, body: str) -> None:
    with sessions.begin() as session, pytest.raises(ValueError, match="title and a text"):
        save_draft(session, ArticleDraft(title, body, "en"), "mia")


def test_unknown_article_is_said_so(sessions: Sessions, embedder: HashEmbedder) -> None:
    with pytest.raises(UnknownArticle):
        publish_article(sessions, embedder, 7, "mia")
    with pytest.raises(UnknownArticle):
        withdraw_article(sessions, 7, "mia")


class SomebodySaves(HashEmbedder):
    """While it embeds, another editor saves."""

    def __init__(self, save: Callable[[], None]) -> None:
        super().__init__()
        self.save = save

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        found = super().embed_passages(texts)
        if len(self.embedded) == 1:
            self.save()
        return found


def test_what_is_saved_while_publishing_is_what_is_published(sessions: Sessions) -> None:
    def save_again() -> None:
        with sessions.begin() as session:
            save_draft(session, ArticleDraft("VPN", "Newest.", "en"), "tom", article_id)

    with sessions.begin() as session:
        article_id = save_draft(session, ArticleDraft("VPN", "Older.", "en"), "mia").id
    article = publish_article(sessions, SomebodySaves(save_again), article_id, "mia")
    assert (article.body, article.revision) == ("Newest.", 2)


def test_same_passage_twice_is_kept_twice(sessions: Sessions, publish: Publish) -> None:
    text = "word " * 105
    article_id = publish("T", text)
    publish("T", f"{text}\n\n{text}", article_id=article_id)
    with sessions() as session:
        assert len(session.scalars(select(Passage)).all()) == 2


def test_list_finds_words_and_treats_wildcards_as_text(sessions: Sessions, publish: Publish) -> None:
    publish("100 % sure", "Text.")
    publish("Passwort", "zurücksetzen", language="de")
    with sessions() as session:
        assert [a.title for a in list_articles(session, "%")] == ["100 % sure"]
        assert [a.title for a in list_articles(session, "passwort ZURÜCKSETZEN".lower())] == ["Passwort"]
        assert [a.title for a in list_articles(session, language="de")] == ["Passwort"]
        assert list_articles(session, state="draft") == []
        assert list_articles(session, "'; DROP TABLE article; --") == []
        assert len(list_articles(session, limit=1, offset=1)) == 1


def test_change_of_model_is_caught_up(sessions: Sessions, publish: Publish) -> None:
    publish("VPN", "Start the client.")
    other = HashEmbedder("other")
    assert reembed_articles(sessions, other) == 1
    assert reembed_articles(sessions, other) == 0


def test_agents_article_leaves_the_employees_at_once(
    sessions: Sessions, knowledge: KnowledgeBase, publish: Publish
) -> None:
    article_id = publish("VPN", "Start the client.")
    assert knowledge.search("VPN", "en").hits
    with sessions.begin() as session:
        save_draft(session, ArticleDraft("VPN", "Start the client.", "en", audience="agents"), "mia", article_id)
    assert knowledge.search("VPN", "en").hits == ()
    assert [hit.article_id for hit in knowledge.find_articles("VPN", "en")] == [article_id]
    with sessions() as session:
        assert session.get_one(Article, article_id).state == "published"
