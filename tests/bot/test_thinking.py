"""What the models are asked about, and what is proposed for a ticket."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from world import KONRAD, UNKNOWN_QUESTION, VPN, VPN_QUESTION, World

from bot.burst import case_of
from bot.decision import Answer, HandOver
from bot.searching import LONGEST_ASKED
from bot.thinking import Case, language_of, offered_in, propose, search_again, think
from handoff.models import ConversationState, Reason, TicketType
from nlu.port import Entity

LONG_NO = "nein, denn der Drucker steht ja doch bei mir im Büro"
NEW = Case(1, ConversationState.WITH_BOT)
OFFERED = replace(
    NEW,
    expects="choice",
    question="Drucker",
    offered=(
        ("7", "Drucker im Flur", "Drucker im Flur"),
        ("9", "Drucker zu Hause (auf Englisch)", "Drucker zu Hause"),
        ("4", "Drucker FAQ: Papier", "Drucker FAQ"),
        ("5", "Drucker FAQ: Toner", "Drucker FAQ"),
    ),
)


# --- language ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("case", "text", "language"),
    [
        (NEW, "Wie richte ich den Drucker im Flur ein?", "de"),
        (NEW, "How do I set up the printer in the hall?", "en"),
        (replace(NEW, language="en"), "Wie richte ich den Drucker im Flur ein?", "en"),
        (replace(NEW, known_language="en"), "???", "en"),
        (NEW, "???", "de"),
    ],
)
def test_the_language_is_the_cases_or_the_texts_or_the_persons_or_the_houses(
    world: World, case: Case, text: str, language: str
) -> None:
    assert language_of(world.app.house, case, text) == language


# --- what is asked ----------------------------------------------------------------------------------------------------
def test_the_models_are_asked_about_the_beginning_of_a_very_long_text(world: World) -> None:
    think(world.app.house, NEW, "x" * 100_000)
    assert [len(asked) for asked in world.understander.asked] == [LONGEST_ASKED]


def test_a_text_without_letters_is_not_searched(world: World) -> None:
    assert think(world.app.house, NEW, "🙂 123").situation.result is None


@pytest.mark.parametrize(
    ("expects", "text", "intent", "question"),
    [
        (None, "im Flur", "ask_question", "Drucker\nim Flur"),
        (None, "Wie geht VPN?", "ask_question", "Wie geht VPN?"),
        ("feedback", "Und auf dem Mac?", "ask_question", "Drucker\nUnd auf dem Mac?"),
        ("feedback", "Danke! Und auf dem Mac?", "helpful", "Drucker\nDanke! Und auf dem Mac?"),
        ("feedback", "Das geht immer noch nicht", "ask_question", "Drucker"),
        ("feedback", "Das geht nicht?", "not_helpful", "Drucker"),
        ("feedback", "Und das geht immer noch nicht?", "ask_question", "Drucker"),
        ("feedback", "Nein, und auf dem Mac?", "deny", "Drucker\nNein, und auf dem Mac?"),
        ("feedback", "Mein Monitor geht immer noch nicht", "ask_question", "Mein Monitor geht immer noch nicht"),
        ("fact", "Und auf dem Mac?", "ask_question", "Drucker\nUnd auf dem Mac?"),
        ("fact", "auf dem Mac", "ask_question", "auf dem Mac"),
        ("choice", "Und auf dem Mac?", "security_incident", "Drucker\nUnd auf dem Mac?"),
        ("choice", "im Flur", "ask_question", "Drucker\nim Flur"),
        ("choice", "nein", "deny", "Drucker"),
        ("choice", LONG_NO, "deny", f"Drucker\n{LONG_NO}"),
        ("feedback", "hat nicht geholfen", "not_helpful", "Drucker"),
        ("feedback", "Ein Mensch bitte", "ask_question", "Drucker"),
        ("feedback", "So ein Mist, das nervt", "ask_question", "Drucker"),
        ("feedback", "Wie geht VPN?", "ask_question", "Wie geht VPN?"),
        ("fact", "Telefon 7", "ask_question", "Telefon 7"),
    ],
)
def test_what_belongs_to_the_question_before_is_read_with_it(
    world: World, expects: str | None, text: str, intent: str, question: str
) -> None:
    world.understander.teach(text, intent)
    case = replace(NEW, expects=expects, question="Drucker")
    assert think(world.app.house, case, text).question == question


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        *(("1", "7"), (" 2. ", "9"), ("drucker im flur", "7")),
        *(("Drucker zu Hause.", "9"), ("drucker zu hause (auf englisch)", "9"), ("Drucker FAQ:  Toner", "5")),
        *((text, None) for text in ("5", "0", "²", "", "im Flur", "Drucker FAQ")),
    ],
)
def test_an_offered_article_is_named_by_number_or_label_or_its_own_title(text: str, chosen: str | None) -> None:
    assert offered_in(OFFERED, text) == chosen
    assert offered_in(replace(OFFERED, expects="feedback"), text) is None


@pytest.mark.parametrize(
    ("expects", "text", "follows"),
    [
        *((("choice", "Und auf dem Mac?", True), ("fact", "Und auf dem Mac?", True))),
        *((("choice", "im Flur", False), ("fact", "auf dem Mac", False))),
    ],
)
def test_a_question_back_is_followed_up_by_a_question_and_answered_by_anything_else(
    world: World, expects: str, text: str, follows: bool
) -> None:
    case = replace(NEW, expects=expects, question="Drucker")
    assert think(world.app.house, case, text).situation.follow_up is follows


@pytest.mark.parametrize(("text", "word"), [("Hallo, Drucker", "Drucker"), ("Drucker im Flur", None)])
def test_a_question_of_one_word_is_known_as_one(world: World, text: str, word: str | None) -> None:
    assert think(world.app.house, NEW, text).situation.one_word == word
    assert search_again(world.app.house, replace(NEW, question=text)).situation.one_word == word


@pytest.mark.parametrize("text", ["Das geht nicht?", "Das hat nicht geklappt, was kann ich noch tun?"])
def test_a_complaint_with_a_question_mark_is_a_complaint(world: World, text: str) -> None:
    world.understander.teach(text, "not_helpful")
    situation = think(world.app.house, replace(NEW, expects="feedback", question="Drucker"), text).situation
    assert (situation.did_not_help, situation.follow_up) == (True, False)


def test_the_new_words_of_a_follow_up_are_read_however_long_the_question_was(world: World) -> None:
    case = replace(NEW, expects="feedback", question="VPN\n" + "Zeile des Protokolls. " * 500)
    result = think(world.app.house, case, "Und auf dem Mac?").situation.result
    assert result is not None
    assert (result.question[:3], result.question[-16:]) == ("VPN", "Und auf dem Mac?")


def test_searching_again_leaves_out_what_was_tried(make_world: Callable[..., World]) -> None:
    world = make_world()
    first = world.publish(*VPN)
    second = world.publish("VPN einrichten zu Hause", VPN[1])
    case = replace(NEW, question=VPN_QUESTION, tried=frozenset({first}))
    decision = search_again(world.app.house, case).decision
    assert isinstance(decision, Answer)
    assert decision.hit.article_id == second


def test_what_a_case_knows_of_tickets_from_other_places(world: World) -> None:
    world.ticket_for(KONRAD)
    with world.app.house.sessions() as session:
        conversation = session.merge(world.conversation(KONRAD), load=False)
        assert case_of(session, conversation).has_open_ticket


# --- proposals --------------------------------------------------------------------------------------------------------
def test_category_and_queue_follow_the_articles_found(make_world: Callable[..., World]) -> None:
    world = make_world()
    world.publish(*VPN, category="network")
    proposal = propose(world.app.house, think(world.app.house, NEW, VPN_QUESTION), Reason.ASKED_FOR_PERSON)
    assert (proposal.category, proposal.queue) == ("network", "network")
    assert proposal.category_score == proposal.queue_score
    assert 0 < (proposal.category_score or 0) <= 1


def test_where_nothing_is_known_no_score_is_made_up(world: World) -> None:
    proposal = propose(world.app.house, think(world.app.house, NEW, UNKNOWN_QUESTION), Reason.UNKNOWN)
    assert (proposal.category, proposal.category_score, proposal.queue) == ("other", None, "service-desk")
    assert (proposal.type, proposal.impact, proposal.urgency) == (TicketType.INCIDENT, 2, 2)
    assert proposal.summary == UNKNOWN_QUESTION


@pytest.mark.parametrize(
    ("text", "reason", "impact", "urgency"),
    [
        ("Die Produktion steht, dringend!", Reason.URGENT, 2, 1),
        ("Niemand kommt ins Netz, alle Büros sind offline", Reason.OUTAGE, 1, 1),
        ("Mein Telefon ist gestört", Reason.OUTAGE, 2, 1),
        ("Mein Gehalt", Reason.SENSITIVE, 2, 1),
    ],
)
def test_priority_follows_from_the_reason_and_the_words(
    world: World, text: str, reason: Reason, impact: int, urgency: int
) -> None:
    proposal = propose(world.app.house, think(world.app.house, NEW, text), reason)
    assert (proposal.impact, proposal.urgency) == (impact, urgency)


def test_a_named_urgency_counts_as_urgent(world: World) -> None:
    world.understander.teach(UNKNOWN_QUESTION, "ask_question", Entity("urgency", "dringend"))
    assert think(world.app.house, NEW, UNKNOWN_QUESTION).decision == HandOver(Reason.URGENT)


def test_a_category_that_is_only_a_guess_goes_to_the_default_queue(world: World) -> None:
    world.publish("Netzwerk und VPN einrichten", "Öffnen Sie den VPN-Client.", category="network", queue="network")
    world.ask(KONRAD, "Die Kaffeemaschine im Flur ist kaputt")
    world.press_only(KONRAD, "person")
    world.new_answers(KONRAD)
    ticket = world.ticket()
    assert (ticket.category, ticket.category_score, ticket.queue) == ("other", None, "service-desk")
