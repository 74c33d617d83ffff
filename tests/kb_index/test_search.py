"""What is published is found at once, in every process; what is withdrawn never again."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fake_embedder import HashEmbedder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update

from bot.db import Sessions
from kb_index.articles import ArticleDraft, publish_article, reembed_articles, save_draft, withdraw_article
from kb_index.confidence import FEATURES, Fitted, Judge, Logistic, Thresholds, store_calibration
from kb_index.fusion import DEFAULT_WEIGHTS, SIGNALS
from kb_index.learning import (
    add_editor_question,
    embed_waiting_questions,
    forget_question,
    past_questions_of,
    set_editor_questions,
)
from kb_index.models import Article, ArticleRevision, Passage, State
from kb_index.port import Confidence, Hit
from kb_index.search import AGENTS, EVERYONE, NAMED, Findings, KnowledgeBase, merged
from kb_index.versions import raise_version

Publish = Callable[..., int]


def ids(knowledge: KnowledgeBase, question: str, language: str = "en") -> list[int]:
    return [hit.article_id for hit in knowledge.search(question, language).hits]


def surely(pair: str) -> Fitted:
    """A calibration that is always sure."""
    n = len(FEATURES)
    flat = tuple((0.0,) * (n + 1) for _ in range(n + 1))
    sure = Logistic((0.0,) * n, (1.0,) * n, (3.0, *(0.0,) * n), flat)
    limits = {"0.95": {"0.1": Thresholds(0.8, 0.3)}}
    at = datetime(2026, 11, 1, tzinfo=UTC)
    return Fitted(f"sure {pair}", pair, "hash", at, 1, DEFAULT_WEIGHTS, sure, sure, limits, {})


def doubtful() -> Logistic:
    """Hardly ever sure."""
    return replace(surely("en").answers, coefficients=(-3.0, *(0.0,) * len(FEATURES)))


def test_hit_tells_everything_about_its_passage(knowledge: KnowledgeBase, publish: Publish) -> None:
    article_id = publish(
        "Printer", "## Paper jam\n\nOpen **tray** two.", category="print", queue="hw", url="https://k.example"
    )
    result = knowledge.search("paper jam in tray two", "en")
    (hit,) = result.hits
    assert (hit.article_id, hit.title, hit.heading) == (article_id, "Printer", "Paper jam")
    assert (hit.text, hit.language, hit.revision) == ("Open **tray** two.", "en", 1)
    assert (hit.category, hit.queue, hit.url) == ("print", "hw", "https://k.example")
    assert set(hit.signals) == {*SIGNALS, "cover", "fused", "wins"}
    assert result.pair == "en"
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


def test_another_language_is_searched_only_while_nothing_in_its_own_is_sure(
    sessions: Sessions, knowledge: KnowledgeBase, publish: Publish
) -> None:
    english = publish("VPN", "Start the VPN client.", language="en")
    with sessions.begin() as session:
        store_calibration(session, [surely("de"), surely("de>en")])
    result = knowledge.search("VPN Client starten", "de")
    assert [hit.article_id for hit in result.hits] == [english]
    assert result.pair == "de>en"
    german = publish("VPN", "Starten Sie den VPN-Client.", language="de")
    result = knowledge.search("VPN Client starten", "de")
    assert [hit.article_id for hit in result.hits] == [german]
    assert result.pair == "de"


def test_own_language_stands_first_where_nothing_is_sure(knowledge: KnowledgeBase, publish: Publish) -> None:
    english = publish("VPN", "Start the VPN client.", language="en")
    german = publish("VPN", "Starten Sie den VPN-Client.", language="de")
    result = knowledge.search("VPN Client starten", "de")
    assert [hit.article_id for hit in result.hits] == [german, english]
    assert (result.answer_from, result.ask_from) == (None, None)


def test_agents_articles_are_for_agents(knowledge: KnowledgeBase, publish: Publish) -> None:
    secret = publish("VPN master key", "It is in the safe.", audience="agents")
    public = publish("VPN", "Start the client.")
    assert [h.article_id for h in knowledge.search("vpn master key", "en", EVERYONE).hits] == [public]
    assert secret in [h.article_id for h in knowledge.search("vpn master key", "en", AGENTS).hits]
    assert knowledge.find_articles("vpn master key safe", "en")[0].article_id == secret


# --- past questions ---------------------------------------------------------------------------------------------------
def learn(knowledge: KnowledgeBase, article_id: int, *questions: str) -> None:
    """Editors write past questions of an article, and the index takes them in."""
    with knowledge.sessions.begin() as session:
        set_editor_questions(session, article_id, questions, "mia")
    embed_waiting_questions(knowledge.sessions, knowledge.embedder)


def signals(
    knowledge: KnowledgeBase, question: str, audience: frozenset[str] = EVERYONE
) -> dict[int, dict[str, float]]:
    return {hit.article_id: dict(hit.signals) for hit in knowledge.search(question, "en", audience).hits}


def test_a_past_question_finds_its_article_by_other_words(knowledge: KnowledgeBase, publish: Publish) -> None:
    article, other = publish("VPN", "Start the client."), publish("Mouse", "Replace the battery.")
    learn(knowledge, article, "tunnel keeps collapsing")
    found = signals(knowledge, "tunnel keeps collapsing")
    assert next(iter(found)) == article
    assert found[article]["asked"] > 0.9
    assert found.get(other, {"asked": 0.0})["asked"] == 0.0


def test_a_removed_past_question_has_no_effect_with_the_very_next_search(
    knowledge: KnowledgeBase, publish: Publish
) -> None:
    article, other = publish("VPN", "Start the client."), publish("Mouse", "Replace the battery.")
    untouched = signals(knowledge, "tunnel keeps collapsing")
    learn(knowledge, article, "tunnel keeps collapsing")
    assert signals(knowledge, "tunnel keeps collapsing") != untouched
    with knowledge.sessions.begin() as session:
        (row,) = past_questions_of(session, article)
        forget_question(session, article, row.id)
    again = signals(knowledge, "tunnel keeps collapsing")
    assert all(again[number] == pytest.approx(one, abs=1e-5) for number, one in untouched.items())
    assert again.keys() == untouched.keys()
    assert all(one["asked"] == one["head"] == 0.0 for one in untouched.values())
    assert untouched.keys() == {article, other}


def test_past_questions_of_agents_articles_never_move_what_everyone_finds(
    knowledge: KnowledgeBase, publish: Publish
) -> None:
    """Neither by themselves nor through the frequencies, the whitening or the head."""
    public = [publish(f"VPN {name}", f"Start the client {name}.") for name in ("alpha", "beta", "gamma")]
    for number in public:
        learn(knowledge, number, *(f"tunnel {number} part {n}" for n in range(4)))
    before = signals(knowledge, "tunnel keeps collapsing client")
    secret = publish("VPN master", "Tunnel keeps collapsing client master.", audience="agents")
    learn(knowledge, secret, *(f"tunnel keeps collapsing {n}" for n in range(5)))
    after = signals(knowledge, "tunnel keeps collapsing client")
    assert list(after) == list(before)
    assert all(after[number] == pytest.approx(one, abs=1e-5) for number, one in before.items())
    seen = signals(knowledge, "tunnel keeps collapsing client", AGENTS)
    assert next(iter(seen)) == secret
    assert seen[secret]["asked"] > 0.1


def test_past_questions_go_with_an_article_that_becomes_agents_only(knowledge: KnowledgeBase, publish: Publish) -> None:
    article = publish("VPN", "Start the client.")
    learn(knowledge, article, "tunnel keeps collapsing")
    publish("Mouse", "Replace the battery.")
    with knowledge.sessions.begin() as session:
        session.execute(update(Article).where(Article.id == article).values(audience="agents"))
        session.execute(update(Article).where(Article.id == article).values(changed_version=raise_version(session)))
    assert article not in signals(knowledge, "tunnel keeps collapsing")
    assert signals(knowledge, "tunnel keeps collapsing", AGENTS)[article]["asked"] > 0.9


def test_meaning_is_whitened_once_a_new_model_has_embedded_the_passages(
    sessions: Sessions, embedder: HashEmbedder, tmp_path: Path, publish: Publish
) -> None:
    for title in ("VPN", "Mouse", "Printer"):
        publish(title, f"All about the {title}.")
    other = HashEmbedder("other", dimension=32)
    knowledge = KnowledgeBase(sessions, other, tmp_path / "cache")
    assert {hit.signals["white"] for hit in knowledge.search("mouse", "en").hits} == {0.0}
    reembed_articles(sessions, other)
    white = [hit.signals["white"] for hit in knowledge.search("mouse", "en").hits]
    assert white[0] == max(white) > 0


# --- the other language -----------------------------------------------------------------------------------------------
def pair_up(sessions: Sessions, one: int, two: int) -> None:
    """Two articles are the same in two languages."""
    with sessions.begin() as session:
        first, second = session.get_one(Article, one), session.get_one(Article, two)
        first.parallel, second.parallel = [second.slug], [first.slug]


def test_a_question_finds_an_article_in_the_other_language_through_the_glossary(
    sessions: Sessions, knowledge: KnowledgeBase, publish: Publish
) -> None:
    publish("Mouse", "Replace the battery.")
    wanted = publish("Printer", "The printer is broken.")
    with sessions.begin() as session:
        store_calibration(session, [surely("de>en")])
    result = knowledge.search("Drucker kaputt", "de")
    assert result.hits[0].article_id == wanted
    assert result.hits[0].signals["cover"] > 0.4
    assert (result.pair, result.calibration, result.language) == ("de>en", "sure de>en", "de")
    assert result.question == "Drucker kaputt"
    raw = knowledge.found("Drucker kaputt", "de", spoken="en")
    assert {c.article_id: c.cover for c in raw.candidates}[wanted] == pytest.approx(result.hits[0].signals["cover"])


def test_the_twin_in_the_own_language_is_shown_instead(
    sessions: Sessions, knowledge: KnowledgeBase, publish: Publish
) -> None:
    english = publish("Printer", "The printer is broken.")
    german = publish("Ausgabegerät", "Es streikt.", language="de")
    pair_up(sessions, english, german)
    hits = knowledge.search("Drucker kaputt", "de").hits
    assert [hit.article_id for hit in hits] == [german]
    assert (hits[0].language, hits[0].title, hits[0].text) == ("de", "Ausgabegerät", "Es streikt.")


@pytest.mark.parametrize("hidden", ["agents", "withdrawn"])
def test_a_twin_that_may_not_be_read_is_not_shown(
    sessions: Sessions, knowledge: KnowledgeBase, publish: Publish, hidden: str
) -> None:
    english = publish("Printer", "The printer is broken.")
    german = publish(
        "Ausgabegerät", "Es streikt.", language="de", audience="agents" if hidden == "agents" else "everyone"
    )
    pair_up(sessions, english, german)
    if hidden == "withdrawn":
        withdraw_article(sessions, german, "mia")
    assert ids(knowledge, "Drucker kaputt", "de") == [english]
    shown = [hit.article_id for hit in knowledge.find_articles("Drucker kaputt", "de")]
    assert shown == [german if hidden == "agents" else english]


def test_the_twin_shows_what_stands_at_the_same_place(
    sessions: Sessions, knowledge: KnowledgeBase, publish: Publish
) -> None:
    english = publish("Device", "## Intro\n\nHello.\n\n## Help\n\nThe printer is broken.\n\n## More\n\nBye.")
    german = publish("Gerät", "## Anfang\n\nGuten Tag.\n\n## Hilfe\n\nEs streikt.\n\n## Rest\n\nEnde.", language="de")
    pair_up(sessions, english, german)
    (hit,) = knowledge.search("Drucker kaputt", "de").hits
    assert (hit.article_id, hit.heading, hit.text) == (german, "Hilfe", "Es streikt.")


def test_copies_do_not_crowd_out_other_articles(knowledge: KnowledgeBase, publish: Publish) -> None:
    copies = [publish("Printer", "The printer has paper tray two.") for _ in range(4)]
    other = publish("Scanner", "The scanner has a paper tray.")
    found = ids(knowledge, "printer paper tray two")
    assert (found[0], found[1]) == (copies[0], other)
    assert found[2:] == copies[1:]


def name(sessions: Sessions, embedder: HashEmbedder, article: int, question: str, language: str = "en") -> None:
    """An editor names an article as the answer to a question."""
    with sessions.begin() as session:
        add_editor_question(session, article, question, language, "mia")
    embed_waiting_questions(sessions, embedder)


def test_an_article_named_for_this_very_question_is_the_first_and_sure(
    sessions: Sessions, embedder: HashEmbedder, knowledge: KnowledgeBase, publish: Publish
) -> None:
    publish("Monitor", "A new monitor on the docking station stays black.")
    wanted = publish("Hardware orders", "Fill in the form.")
    with sessions.begin() as session:
        store_calibration(session, [replace(surely("en"), answers=doubtful())])
    question = "I need a new monitor please"
    assert ids(knowledge, question)[0] != wanted
    name(sessions, embedder, wanted, "I need a new monitor")
    first, second = knowledge.search(question, "en").hits
    assert (first.article_id, first.confidence.probability, first.signals["named"]) == (wanted, NAMED.probability, 1.0)
    assert (second.confidence.probability < 0.1, "named" in second.signals) == (True, False)
    assert knowledge.search("I need a new mouse", "en").hits[0].confidence.probability < 0.1


def test_what_two_articles_are_named_for_is_decided_by_the_words(
    sessions: Sessions, embedder: HashEmbedder, knowledge: KnowledgeBase, publish: Publish
) -> None:
    one, other = publish("Monitor", "A new monitor."), publish("Hardware orders", "Fill in the form.")
    for article in (one, other):
        name(sessions, embedder, article, "I need a new monitor")
    assert not any("named" in hit.signals for hit in knowledge.search("I need a new monitor", "en").hits)


def test_a_removed_question_names_nothing(
    sessions: Sessions, embedder: HashEmbedder, knowledge: KnowledgeBase, publish: Publish
) -> None:
    wanted = publish("Hardware orders", "Fill in the form.")
    name(sessions, embedder, wanted, "I need a new monitor")
    assert knowledge.search("I need a new monitor", "en").hits[0].signals["named"] == 1.0
    with sessions.begin() as session:
        set_editor_questions(session, wanted, [], "mia")
    assert "named" not in knowledge.search("I need a new monitor", "en").hits[0].signals


def test_one_of_three_is_never_less_sure_than_the_first_of_them(
    sessions: Sessions, knowledge: KnowledgeBase, publish: Publish
) -> None:
    publish("Printer", "The printer has paper tray two.")
    with sessions.begin() as session:
        store_calibration(session, [replace(surely("en"), among=doubtful())])
    result = knowledge.search("printer paper tray", "en")
    assert result.among_first == result.hits[0].confidence
    assert result.among_first.probability > 0.9


def findings(
    *hits: tuple[int, float], among: float = 0.0, answer_from: float | None = 0.8, pair: str = "de"
) -> Findings:
    """Articles with their probabilities, judged by that threshold."""
    fitted = replace(surely(pair), thresholds={"0.9": {"0.1": Thresholds(answer_from, 0.3)}})
    made = tuple(
        Hit(number, number, "", "", "", pair[-2:], None, None, 1, None, None, {}, Confidence(p, p, p))
        for number, p in hits
    )
    return Findings(made, Confidence(among, among, among), Judge(fitted, 0.1, 0.9))


@pytest.mark.parametrize(
    ("own", "other", "order", "pair"),
    [
        ([(1, 0.5), (2, 0.2)], [(3, 0.4), (4, 0.3)], [1, 3, 4, 2], "de"),
        ([(1, 0.5), (2, 0.2)], [(3, 0.6), (4, 0.1)], [3, 1, 2, 4], "de>en"),
        ([(1, 0.5), (2, 0.2)], [(3, 0.9)], [3, 1, 2], "de>en"),  # only the other is sure
        ([(1, 0.5), (2, 0.2)], [(2, 0.4), (1, 0.3)], [1, 2], "de"),  # twins are shown once
        ([], [(3, 0.1)], [3], "de>en"),
        ([(1, 0.1)], [], [1], "de"),
        ([], [], [], "de>en"),
    ],
)
def test_two_languages_become_one_list(
    own: list[tuple[int, float]], other: list[tuple[int, float]], order: list[int], pair: str
) -> None:
    both = merged(findings(*own, among=0.4), findings(*other, among=0.6, pair="de>en"), 4)
    assert [hit.article_id for hit in both.hits] == order
    assert both.judge.fitted is not None
    assert both.judge.fitted.language == pair


def test_merged_lists_keep_the_better_chance_and_the_limit() -> None:
    both = merged(findings((1, 0.5), (2, 0.4), among=0.4), findings((3, 0.3), among=0.6, pair="de>en"), 2)
    assert [hit.article_id for hit in both.hits] == [1, 2]
    assert both.among.probability == 0.6


def test_what_is_sure_by_its_own_threshold_stands_in_front_of_what_is_more_probable() -> None:
    own = findings((1, 0.7), answer_from=0.9)
    both = merged(own, findings((3, 0.6), answer_from=0.5, pair="de>en"), 5)
    assert [hit.article_id for hit in both.hits] == [3, 1]
    assert both.is_answerable


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
    return {c.passage_id: c["cosine"] for c in knowledge.found("title client button lamp", language).candidates}
