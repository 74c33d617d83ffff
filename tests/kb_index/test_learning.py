"""Past questions of articles: learned from use, written by editors and sources, looked after by editors."""

from collections.abc import Callable

import numpy as np
import pytest
from fake_embedder import HashEmbedder
from sqlalchemy import select

from bot.db import Sessions
from kb_index import learning
from kb_index.articles import import_folder, reembed_articles
from kb_index.learning import UnknownPastQuestion, embed_waiting_questions, learn_question, read_past_questions
from kb_index.models import AnswerFeedback, Article, Origin, PastQuestion
from kb_index.past_questions import LearnedQuestion, has_waiting
from kb_index.questions import answer_question, note_unanswered
from kb_index.versions import read_version

Publish = Callable[..., int]
QUESTION = "Why is the tunnel down?"


@pytest.fixture
def article(publish: Publish) -> int:
    return publish("VPN", "Start the client.")


def learn(sessions: Sessions, article_id: int, question: str = QUESTION, origin: Origin = Origin.HELPED) -> int | None:
    with sessions.begin() as session:
        row = learn_question(session, article_id, question, "en", origin, "mia")
        return row.id if row is not None else None


def used(sessions: Sessions, embedder: HashEmbedder, *article_ids: int) -> list[LearnedQuestion]:
    """What the index would read now."""
    embed_waiting_questions(sessions, embedder)
    with sessions() as session:
        return list(read_past_questions(session, article_ids, embedder.name))


def version_of(sessions: Sessions, article_id: int) -> tuple[int, int]:
    """The article's version and that of the knowledge."""
    with sessions() as session:
        return session.get_one(Article, article_id).changed_version, read_version(session)[0]


# --- from use ---------------------------------------------------------------------------------------------------------
def test_a_learned_question_waits_for_its_vector_and_then_tells_the_index(
    sessions: Sessions, embedder: HashEmbedder, article: int
) -> None:
    before = version_of(sessions, article)
    learn(sessions, article)
    with sessions() as session:
        assert list(read_past_questions(session, [article], embedder.name)) == []
    assert version_of(sessions, article) == before
    [found] = used(sessions, embedder, article)
    assert (found.article_id, found.question, found.language, found.count) == (article, QUESTION, "en", 1)
    assert found.vector.dtype == np.float32
    assert np.array_equal(found.vector, embedder.embed_question(QUESTION))
    assert version_of(sessions, article) == (before[1] + 1, before[1] + 1)
    with sessions() as session:
        assert not has_waiting(session)


def test_the_same_question_in_other_words_order_is_counted(
    sessions: Sessions, embedder: HashEmbedder, article: int
) -> None:
    assert learn(sessions, article) == learn(sessions, article, "Hello, the tunnel is down - why? Thanks, Peter")
    [found] = used(sessions, embedder, article)
    assert (found.question, found.count) == (QUESTION, 2)


@pytest.mark.parametrize("question", ["Hello, can you help me?", "anna@example.org", "", "Kind regards\nAnna Smith"])
def test_what_says_nothing_is_not_learned(sessions: Sessions, article: int, question: str) -> None:
    assert learn(sessions, article, question) is None


def test_an_unknown_article_learns_nothing(sessions: Sessions) -> None:
    assert learn(sessions, 999) is None
    with sessions.begin() as session:
        assert learning.note_feedback(session, 999, 0.5, True, "en") is None


def test_an_agents_article_learns_from_agents_only(
    sessions: Sessions, embedder: HashEmbedder, publish: Publish
) -> None:
    secret = publish("Firewall", "Open the port.", audience="agents")
    assert learn(sessions, secret) is None
    assert learn(sessions, secret, origin=Origin.AGENT) is not None
    assert [found.origin for found in used(sessions, embedder, secret)] == [Origin.AGENT]


def test_did_not_help_takes_back_the_only_confirmation(
    sessions: Sessions, embedder: HashEmbedder, article: int
) -> None:
    learn(sessions, article)
    assert len(used(sessions, embedder, article)) == 1
    with sessions.begin() as session:
        learning.contradict_question(session, article, QUESTION, "en")
    assert used(sessions, embedder, article) == []
    with sessions() as session:
        assert learning.past_questions_of(session, article) == []
    learn(sessions, article)
    assert [found.count for found in used(sessions, embedder, article)] == [1]


def test_did_not_help_leaves_what_others_confirmed(sessions: Sessions, embedder: HashEmbedder, article: int) -> None:
    learn(sessions, article)
    learn(sessions, article)
    learn(sessions, article, "Slow internet", Origin.AGENT)
    with sessions.begin() as session:
        learning.contradict_question(session, article, QUESTION, "en")
        learning.contradict_question(session, article, "Slow internet", "en")
        learning.contradict_question(session, article, "Never asked", "en")
    assert {(found.question, found.count) for found in used(sessions, embedder, article)} == {
        (QUESTION, 1),
        ("Slow internet", 1),
    }


def test_feedback_is_kept_and_tells_the_index(sessions: Sessions, embedder: HashEmbedder, article: int) -> None:
    before = version_of(sessions, article)[1]
    with sessions.begin() as session:
        row = learning.note_feedback(session, article, 0.75, True, "en")
        assert row is not None
        learning.correct_feedback(session, row.id, helped=False)
    embed_waiting_questions(sessions, embedder)
    with sessions() as session:
        [kept] = session.scalars(select(AnswerFeedback)).all()
        assert (kept.article_id, kept.probability, kept.helped, kept.language) == (article, 0.75, False, "en")
    assert version_of(sessions, article) == (before + 1, before + 1)


# --- editors ----------------------------------------------------------------------------------------------------------
def test_a_removed_question_is_not_learned_again_until_it_is_put_back(
    sessions: Sessions, embedder: HashEmbedder, article: int
) -> None:
    past = learn(sessions, article)
    assert past is not None
    used(sessions, embedder, article)
    with sessions.begin() as session:
        assert learning.forget_question(session, article, past).removed
    assert used(sessions, embedder, article) == []
    assert learn(sessions, article) is None
    with sessions() as session:
        assert [row.removed for row in learning.past_questions_of(session, article)] == [True]
    with sessions.begin() as session:
        learning.restore_question(session, article, past)
    assert [found.id for found in used(sessions, embedder, article)] == [past]


def test_removing_is_told_to_the_index_at_once(sessions: Sessions, embedder: HashEmbedder, article: int) -> None:
    past = learn(sessions, article)
    assert past is not None
    used(sessions, embedder, article)
    before = version_of(sessions, article)[1]
    with sessions.begin() as session:
        learning.forget_question(session, article, past)
    assert version_of(sessions, article) == (before + 1, before + 1)


def test_a_question_of_another_article_is_unknown(sessions: Sessions, article: int, publish: Publish) -> None:
    past, other = learn(sessions, article), publish("Printer", "Switch it on.")
    assert past is not None
    with sessions.begin() as session, pytest.raises(UnknownPastQuestion):
        learning.forget_question(session, other, past)
    with sessions.begin() as session, pytest.raises(UnknownPastQuestion):
        learning.restore_question(session, article, 999)


def test_editors_write_reword_and_take_back(sessions: Sessions, embedder: HashEmbedder, article: int) -> None:
    def write(*questions: str) -> list[str]:
        with sessions.begin() as session:
            learning.set_editor_questions(session, article, questions, "mia")
        with sessions() as session:
            assert learning.editor_questions(session, article) == [q for q in questions if q.strip()]
        return [found.question for found in used(sessions, embedder, article)]

    assert write("No remote access", "", "Tunnel broken") == ["No remote access", "Tunnel broken"]
    assert write("No remote access!", "Tunnel broken") == ["No remote access!", "Tunnel broken"]
    assert write("Tunnel broken") == ["Tunnel broken"]
    assert write() == []
    with sessions() as session:
        assert session.scalars(select(PastQuestion)).all() == []


def test_a_reworded_question_gets_a_new_vector(sessions: Sessions, embedder: HashEmbedder, article: int) -> None:
    for wording in ("No access from home", "From home no access at all please"):
        with sessions.begin() as session:
            learning.set_editor_questions(session, article, [wording], "mia")
        [found] = used(sessions, embedder, article)
        assert np.array_equal(found.vector, embedder.embed_question(found.question))


def test_what_an_editor_takes_back_is_not_learned_again_from_use(
    sessions: Sessions, embedder: HashEmbedder, article: int
) -> None:
    learn(sessions, article)
    for questions in ([QUESTION], []):
        with sessions.begin() as session:
            learning.set_editor_questions(session, article, questions, "mia")
    assert used(sessions, embedder, article) == []
    assert learn(sessions, article) is None


def test_an_answered_open_question_belongs_to_its_article_without_names(
    sessions: Sessions, embedder: HashEmbedder, article: int
) -> None:
    with sessions.begin() as session:
        asked = note_unanswered(session, "Owen here: the tunnel fails, mail owen@example.org", "en", "unknown")
        answer_question(session, asked.id, article, "mia", ["Owen Tallis"])
    [found] = used(sessions, embedder, article)
    assert (found.question, found.origin, found.count) == ("the tunnel fails, mail", Origin.EDITOR, 0)


def test_an_article_keeps_as_many_alternative_questions_as_its_form_takes(sessions: Sessions, article: int) -> None:
    with sessions.begin() as session:
        for number in range(learning.MOST_WRITTEN):
            learning.add_editor_question(session, article, f"tunnel{number} fails", "en", "mia")
        beyond = learning.add_editor_question(session, article, "the screen is black", "en", "mia")
        assert beyond is not None
        assert beyond.origin == Origin.AGENT
        written = learning.editor_questions(session, article)
        assert len(written) == learning.MOST_WRITTEN
        learning.set_editor_questions(session, article, written, "mia")
        assert learning.editor_questions(session, article) == written
        assert [row.count for row in learning.past_questions_of(session, article)] == [1] + [0] * len(written)


# --- sources ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> "Folder":
    return Folder(tmp_path_factory)


class Folder:
    """One article as a file."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self.path = factory.mktemp("kb")

    def bring_in(self, sessions: Sessions, embedder: HashEmbedder, *questions: str, text: str = "Start it.") -> int:
        listed = "".join(f"\n  - {question}" for question in questions)
        front = f"---\nlang: en\ntitle: VPN\n{'questions:' + listed if questions else ''}\n---\n"
        (self.path / "vpn.md").write_text(front + text, "utf-8")
        assert import_folder(sessions, embedder, self.path, source="kb").failed == []
        with sessions() as session:
            return session.scalars(select(Article.id)).one()


def test_questions_of_a_source_follow_it(sessions: Sessions, embedder: HashEmbedder, folder: Folder) -> None:
    article = folder.bring_in(sessions, embedder, "Tunnel broken", "No remote access")
    assert [(f.question, f.origin) for f in used(sessions, embedder, article)] == [
        ("Tunnel broken", "import"),
        ("No remote access", "import"),
    ]
    folder.bring_in(sessions, embedder, "No remote access")
    assert [found.question for found in used(sessions, embedder, article)] == ["No remote access"]


def test_a_source_without_questions_takes_back_only_its_own(
    sessions: Sessions, embedder: HashEmbedder, folder: Folder
) -> None:
    article = folder.bring_in(sessions, embedder, "Tunnel broken", "No remote access")
    learn(sessions, article, "No remote access")
    with sessions.begin() as session:
        learning.set_editor_questions(session, article, ["Home office"], "mia")
    folder.bring_in(sessions, embedder)
    found = {(f.question, f.origin, f.count) for f in used(sessions, embedder, article)}
    assert found == {("No remote access", "helped", 1), ("Home office", "editor", 0)}


def test_what_an_editor_removed_stays_out_whatever_the_source_says(
    sessions: Sessions, embedder: HashEmbedder, folder: Folder
) -> None:
    article = folder.bring_in(sessions, embedder, "Tunnel broken")
    [found] = used(sessions, embedder, article)
    with sessions.begin() as session:
        learning.forget_question(session, article, found.id)
    folder.bring_in(sessions, embedder, "Tunnel broken", text="Restart it.")
    assert used(sessions, embedder, article) == []


def test_after_a_change_of_model_they_are_embedded_again(
    sessions: Sessions, embedder: HashEmbedder, article: int
) -> None:
    learn(sessions, article)
    used(sessions, embedder, article)
    other = HashEmbedder("other")
    assert reembed_articles(sessions, other) == 2
    assert [found.question for found in used(sessions, other, article)] == [QUESTION]
    assert reembed_articles(sessions, other) == 0
