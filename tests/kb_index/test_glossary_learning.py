"""Glossaries are learned from pairs of articles, kept, and read back by every process."""

from pathlib import Path

import pytest
from fake_embedder import HashEmbedder
from sqlalchemy import select

from bot.db import Sessions
from kb_index import models
from kb_index.articles import ArticleDraft, import_folder, publish_article, save_draft, withdraw_article
from kb_index.glossary_learning import learn_glossaries, read_glossaries, read_pairs
from kb_index.models import Article
from kb_index.versions import read_version

# Made-up words, which no shipped glossary knows, so that what is found was learned.
WORDS = {"zwurbel": "quibber", "knarpe": "flonder", "mopsel": "tridget", "wunzig": "plimmy", "brockig": "gandry"}


class Pairs:
    """A folder of articles in two languages and its imports."""

    def __init__(self, path: Path, sessions: Sessions, embedder: HashEmbedder) -> None:
        self.path, self.sessions, self.embedder = path, sessions, embedder
        path.mkdir()

    def write(self, name: str, language: str, title: str, body: str, parallel: str = "", more: str = "") -> None:
        front = f"id: {name}\nlang: {language}\nparallel: [{parallel}]\n{more}"
        (self.path / f"{name}.md").write_text(f"---\n{front}\n---\n# {title}\n\n{body}\n", "utf-8")

    def write_pairs(self, named_by: str = "de", more: str = "") -> None:
        """Each thing with each property, in both languages."""
        for thing in ("zwurbel", "knarpe", "mopsel"):
            for how in ("wunzig", "brockig"):
                there, back = f"{thing}-{how}-de", f"{thing}-{how}-en"
                self.write(there, "de", thing, f"{thing} {how}", back if "de" in named_by else "", more)
                self.write(back, "en", WORDS[thing], f"{WORDS[thing]} {WORDS[how]}", there * ("en" in named_by), more)

    def bring_in(self) -> None:
        import_folder(self.sessions, self.embedder, self.path)

    def translate(self, text: str, source: str = "de", target: str = "en") -> str:
        with self.sessions() as session:
            return read_glossaries(session)[source, target].translate(text)

    def version(self) -> int:
        with self.sessions() as session:
            return read_version(session)[0]

    def article(self, slug: str) -> Article:
        with self.sessions() as session:
            return session.scalars(select(Article).where(Article.slug == slug)).one()


@pytest.fixture
def pairs(tmp_path: Path, sessions: Sessions, embedder: HashEmbedder) -> Pairs:
    return Pairs(tmp_path / "pairs", sessions, embedder)


def test_import_teaches_both_directions(pairs: Pairs) -> None:
    pairs.write_pairs()
    pairs.bring_in()
    assert {word: pairs.translate(word) for word in WORDS} == WORDS
    assert {word: pairs.translate(word, "en", "de") for word in WORDS.values()} == {en: de for de, en in WORDS.items()}


def test_learned_words_stand_over_the_shipped_ones(pairs: Pairs) -> None:
    pairs.write_pairs()
    pairs.bring_in()
    assert pairs.translate("zwurbel Tastatur") == "quibber keyboard"


@pytest.mark.parametrize("named_by", ["de", "en", "de en"])
def test_it_is_enough_that_one_names_the_other(pairs: Pairs, named_by: str) -> None:
    pairs.write_pairs(named_by)
    pairs.bring_in()
    with pairs.sessions() as session:
        assert {direction: len(some) for direction, some in read_pairs(session).items()} == {
            ("de", "en"): 6,
            ("en", "de"): 6,
        }


def test_numbers_of_segments_and_articles_are_kept(pairs: Pairs) -> None:
    pairs.write_pairs()
    pairs.bring_in()
    with pairs.sessions() as session:
        rows = session.scalars(select(models.Glossary).order_by(models.Glossary.source)).all()
    assert [(r.source, r.target, r.pairs, r.articles) for r in rows] == [("de", "en", 18, 12), ("en", "de", 18, 12)]


def test_without_pairs_nothing_is_stored_and_the_shipped_words_are_there(pairs: Pairs) -> None:
    pairs.write("alone", "de", "zwurbel", "Ein zwurbel.", "nobody")
    pairs.bring_in()
    with pairs.sessions() as session:
        assert not session.scalars(select(models.Glossary)).all()
    assert pairs.translate("Tastatur") == "keyboard"


def test_learning_again_the_same_changes_no_version(pairs: Pairs) -> None:
    pairs.write_pairs()
    pairs.bring_in()
    before = pairs.version()
    assert learn_glossaries(pairs.sessions) == 2
    assert pairs.version() == before


def test_what_was_learned_raises_the_version(pairs: Pairs) -> None:
    pairs.write_pairs()
    pairs.bring_in()
    with pairs.sessions.begin() as session:
        for row in session.scalars(select(models.Glossary)):
            session.delete(row)
    before = pairs.version()
    learn_glossaries(pairs.sessions)
    assert pairs.version() == before + 1


def test_withdrawn_pairs_are_forgotten(pairs: Pairs) -> None:
    pairs.write_pairs()
    pairs.bring_in()
    for file in pairs.path.glob("*-de.md"):
        withdraw_article(pairs.sessions, pairs.article(file.stem).id, "editor")
    assert learn_glossaries(pairs.sessions) == 0
    assert pairs.translate("zwurbel") == "zwurbel"


def test_articles_for_agents_teach_nothing(pairs: Pairs) -> None:
    pairs.write_pairs(more="audience: agents")
    pairs.bring_in()
    assert pairs.translate("zwurbel") == "zwurbel"


def test_published_revision_of_a_pair_is_learned(pairs: Pairs) -> None:
    pairs.write_pairs()
    pairs.bring_in()
    for file in pairs.path.glob("zwurbel-*-de.md"):
        article = pairs.article(file.stem)
        draft = ArticleDraft("schnorbel", article.body.replace("zwurbel", "schnorbel"), "de")
        with pairs.sessions.begin() as session:
            save_draft(session, draft, "editor", article.id)
        publish_article(pairs.sessions, pairs.embedder, article.id, "editor")
    assert pairs.translate("schnorbel zwurbel") == "quibber zwurbel"


def test_counterpart_of_the_same_source_is_preferred(pairs: Pairs, tmp_path: Path) -> None:
    other = Pairs(tmp_path / "other", pairs.sessions, pairs.embedder)
    other.write("knarpe-en", "en", "wrong", "wrong")
    other.bring_in()
    pairs.write("knarpe-de", "de", "knarpe", "knarpe", "knarpe-en")
    pairs.write("knarpe-en", "en", "flonder", "flonder")
    pairs.bring_in()
    assert pairs.translate("knarpe") == "flonder"
