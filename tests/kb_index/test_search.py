"""What is published is found at once, in every process; what is withdrawn never again."""

import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fake_embedder import HashEmbedder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update

from bot.db import Sessions
from kb_index.articles import ArticleDraft, publish_article, save_draft, withdraw_article
from kb_index.models import Article, ArticleRevision, Passage, State
from kb_index.search import AGENTS, EVERYONE, KnowledgeBase

Publish = Callable[..., int]


def ids(knowledge: KnowledgeBase, question: str, language: str = "en") -> list[int]:
    return [hit.article_id for hit in knowledge.search(question, language).hits]


def test_hit_tells_everything_about_its_passage(knowledge: KnowledgeBase, publish: Publish) -> None:
    article_id = publish(
        "Printer", "## Paper jam\n\nOpen **tray** two.", category="print", queue="hw", url="https://k.example"
    )
    result = knowledge.search("paper jam in tray two", "en")
    (hit,) = result.hits
    assert (hit.article_id, hit.title, hit.heading) == (article_id, "Printer", "Paper jam")
    assert (hit.text, hit.language, hit.revision) == ("Open **tray** two.", "en", 1)
    assert (hit.category, hit.queue, hit.url) == ("print", "hw", "https://k.example")
    assert set(hit.signals) == {"cosine", "words", "grams", "fused", "wins"}
    assert result.index_version == knowledge.refresh()
    assert {"embed", "find", "judge"} <= set(result.seconds)


def test_one_hit_an_article(knowledge: KnowledgeBase, publish: Publish) -> None:
    publish("Printer", "\n\n".join(f"## Part {n}\n\nThe printer has paper tray {n}." for n in range(8)))
    publish("Scanner", "The scanner has a lamp.")
    found = ids(knowledge, "printer paper tray")
    assert len(found) == len(set(found)) == 2


def test_new_article_is_found_by_another_process_at_once(
    sessions: Sessions, embedder: HashEmbedder, tmp_path: Path, publish: Publish
) -> None:
    here, there = (KnowledgeBase(sessions, embedder, tmp_path / name) for name in ("one", "two"))
    assert ids(here, "vpn") == ids(there, "vpn") == []
    article_id = publish("VPN", "Start the client.")
    assert ids(here, "vpn") == ids(there, "vpn") == [article_id]
    withdraw_article(sessions, article_id, "mia")
    assert ids(here, "vpn") == ids(there, "vpn") == []


def test_withdrawn_article_is_not_returned_even_by_an_index_that_still_holds_it(
    sessions: Sessions, knowledge: KnowledgeBase, publish: Publish
) -> None:
    gone, stays = publish("VPN", "Start the client."), publish("VPN on a phone", "Start the app.")
    knowledge.refresh()
    with sessions.begin() as session:  # without raising the version: the index cannot know
        session.execute(update(Article).where(Article.id == gone).values(state=State.WITHDRAWN))
    assert ids(knowledge, "vpn client") == [stays]


def test_saved_vectors_are_used_again(
    sessions: Sessions, embedder: HashEmbedder, tmp_path: Path, publish: Publish
) -> None:
    article_id = publish("VPN", "Start the client.")
    cache = tmp_path / "cache"
    KnowledgeBase(sessions, embedder, cache).refresh()
    (file,) = cache.iterdir()
    written = file.read_bytes()
    again = KnowledgeBase(sessions, embedder, cache)
    assert ids(again, "vpn") == [article_id]
    assert file.read_bytes() == written


@pytest.mark.parametrize("damage", [b"", b"{}\n", b"not json\nxx", None])
def test_damaged_cache_is_built_anew(
    sessions: Sessions, embedder: HashEmbedder, tmp_path: Path, publish: Publish, damage: bytes | None
) -> None:
    article_id = publish("VPN", "Start the client.")
    cache = tmp_path / "cache"
    KnowledgeBase(sessions, embedder, cache).refresh()
    (file,) = cache.iterdir()
    good = file.read_bytes()
    file.write_bytes(good[:-3] + b"xyz" if damage is None else damage)
    found = KnowledgeBase(sessions, embedder, cache).search("vpn", "en").hits
    assert found[0].article_id == article_id
    assert found[0].signals["cosine"] > 0.1
    assert file.read_bytes()[-20:] == good[-20:]


def test_cache_of_another_model_or_knowledge_base_is_not_used(
    sessions: Sessions, embedder: HashEmbedder, tmp_path: Path, publish: Publish
) -> None:
    publish("VPN", "Start the client.")
    KnowledgeBase(sessions, embedder, tmp_path / "cache").refresh()
    other = KnowledgeBase(sessions, HashEmbedder("other", dimension=32), tmp_path / "cache")
    (hit,) = other.search("vpn", "en").hits
    assert hit.signals["cosine"] == 0.0  # its passages wait to be embedded; words find it all the same


def test_cache_that_cannot_be_written_only_costs_time(
    sessions: Sessions, embedder: HashEmbedder, tmp_path: Path, publish: Publish
) -> None:
    article_id = publish("VPN", "Start the client.")
    (tmp_path / "file").write_text("in the way")
    assert ids(KnowledgeBase(sessions, embedder, tmp_path / "file"), "vpn") == [article_id]


@pytest.mark.parametrize(
    "question",
    [
        "",
        "   ",
        "😀🎉",
        "...",
        "\x00",
        "x" * 100_000,
        "vpn " * 25_000,
        "' OR 1=1; --",
        "title:vpn AND (",
        "a\ud800b",
        "*~^[\"'",
    ],
)
def test_any_question_is_survived(knowledge: KnowledgeBase, publish: Publish, question: str) -> None:
    assert knowledge.search(question, "en").hits == ()
    publish("VPN", "Start the client.")
    result = knowledge.search(question, "en")
    assert len(result.hits) <= 1
    assert result.answer_from is None


@pytest.mark.parametrize("question", ["", "😀🎉", " .,;"])
def test_question_without_letters_finds_nothing(knowledge: KnowledgeBase, publish: Publish, question: str) -> None:
    publish("VPN", "Start the client.")
    assert knowledge.search(question, "en").hits == ()


def test_own_language_comes_first_and_the_other_only_when_there_is_nothing(
    knowledge: KnowledgeBase, publish: Publish
) -> None:
    english = publish("VPN", "Start the VPN client.", language="en")
    result = knowledge.search("VPN Client starten", "de")
    assert [hit.article_id for hit in result.hits] == [english]
    assert (result.answer_from, result.ask_from) == (None, None)
    german = publish("VPN", "Starten Sie den VPN-Client.", language="de")
    assert ids(knowledge, "VPN Client starten", "de") == [german]


def test_agents_articles_are_for_agents(knowledge: KnowledgeBase, publish: Publish) -> None:
    secret = publish("VPN master key", "It is in the safe.", audience="agents")
    public = publish("VPN", "Start the client.")
    assert [h.article_id for h in knowledge.search("vpn master key", "en", EVERYONE).hits] == [public]
    assert secret in [h.article_id for h in knowledge.search("vpn master key", "en", AGENTS).hits]
    assert knowledge.find_articles("vpn master key safe", "en")[0].article_id == secret


def test_article_can_change_its_language(knowledge: KnowledgeBase, publish: Publish) -> None:
    article_id = publish("VPN", "Start the client.")
    publish("VPN", "Den Client starten.", language="de", article_id=article_id)
    assert ids(knowledge, "vpn", "de") == [article_id]
    assert knowledge.status()["articles"] == 1


def test_umlauts_can_be_written_in_two_ways(knowledge: KnowledgeBase, publish: Publish) -> None:
    wanted = publish("Drucker läuft heiß", "Gerät ausschalten.", language="de")
    publish("Maus", "Die Maus anschließen.", language="de")
    assert ids(knowledge, "drucker laeuft heiss", "de")[0] == wanted


def test_status_says_what_keeps_questions_from_being_answered(knowledge: KnowledgeBase, publish: Publish) -> None:
    assert knowledge.status()["articles"] == 0
    publish("VPN", "Start the client.")
    status = knowledge.status()
    assert (status["articles"], status["passages"], status["model"]) == (1, 1, "hash")
    assert status["warnings"] == ["no calibration for en: nothing is answered"]


def test_search_goes_on_while_others_publish(sessions: Sessions, knowledge: KnowledgeBase, publish: Publish) -> None:
    first = publish("VPN", "Start the client.")
    errors: list[BaseException] = []
    stop = threading.Event()

    def ask() -> None:
        try:
            while not stop.is_set():
                assert first in ids(knowledge, "start the vpn client")
        except BaseException as error:  # noqa: BLE001 - told to the test below
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(10):
        article_id = publish(f"Article {number}", "Something else entirely.")
        if number % 2:
            withdraw_article(sessions, article_id, "mia")
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []


class BrokenOnce:
    """A database that fails in the middle of one reading."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.broken = False

    def __call__(self) -> object:
        session = self.sessions()
        if self.broken:
            self.broken = False
            execute, calls = session.execute, iter(range(100))

            def failing(*args: object, **options: object) -> object:
                if next(calls) == 2:
                    raise OSError("gone")
                return execute(*args, **options)  # type: ignore[arg-type, call-overload]

            session.execute = failing  # type: ignore[assignment, method-assign]
        return session


def test_index_recovers_from_a_database_error(
    sessions: Sessions, embedder: HashEmbedder, tmp_path: Path, publish: Publish
) -> None:
    flaky = BrokenOnce(sessions)
    knowledge = KnowledgeBase(flaky, embedder, tmp_path / "cache")  # type: ignore[arg-type]
    one = publish("VPN", "Start the client.")
    assert ids(knowledge, "vpn") == [one]
    two = publish("VPN", "Start the app.")
    flaky.broken = True
    with pytest.raises(OSError, match="gone"):
        knowledge.search("vpn", "en")
    assert set(ids(knowledge, "vpn")) == {one, two}


steps = st.lists(
    st.tuples(st.sampled_from(["write", "withdraw", "search"]), st.integers(0, 3), st.integers(0, 2)), max_size=10
)
BODIES = ["Start the client.", "## One\n\nPress the button.\n\n## Two\n\nWait.", "Wait for the lamp."]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_index_after_any_changes_equals_a_fresh_one(
    sessions: Sessions, embedder: HashEmbedder, steps: list[tuple[str, int, int]]
) -> None:
    with sessions.begin() as session:  # hypothesis uses one database for all examples
        session.execute(delete(Passage))
        session.execute(delete(ArticleRevision))
        session.execute(delete(Article))
    with TemporaryDirectory() as folder:
        grown = KnowledgeBase(sessions, embedder, Path(folder) / "grown")
        articles: dict[int, int] = {}
        for action, number, body in steps:
            if action == "write":
                draft = ArticleDraft(f"Title {number}", BODIES[body], ["de", "en"][body % 2])
                with sessions.begin() as session:
                    articles[number] = save_draft(session, draft, "mia", articles.get(number)).id
                publish_article(sessions, embedder, articles[number], "mia")
            elif action == "withdraw" and number in articles:
                withdraw_article(sessions, articles[number], "mia")
            else:
                grown.search("press the button", "en")
        fresh = KnowledgeBase(sessions, embedder, Path(folder) / "fresh")
        for language in ("de", "en"):
            one, two = (cosines(kb, language) for kb in (grown, fresh))
            assert one == pytest.approx(two)
        assert grown.status() == fresh.status()


def cosines(knowledge: KnowledgeBase, language: str) -> dict[int, float]:
    """Every passage an index can find, with its cosine. BM25 may differ until tantivy has merged what was dropped."""
    return {c.passage_id: c.cosine for c in knowledge.found("title client button lamp", language).candidates}
