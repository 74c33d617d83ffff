"""Behaviour rules 15 to 21 of the design: withdrawn articles, sends that fail, reasons, privacy, evidence, hours."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from fake_embedder import HashEmbedder
from sentences import keys
from world import (
    JETTE,
    KONRAD,
    MAREN,
    PRINTER_QUESTION,
    PRINTERS,
    UNKNOWN_QUESTION,
    VPN,
    VPN_QUESTION,
    World,
)

from bot.channels.port import TryAgain, Unreachable
from bot.decision import decide
from bot.evidence import situation_of
from bot.logs import Lines
from handoff.models import Kind, Reason
from kb_index.port import Vectors
from kb_index.questions import open_questions


# --- rule 15: a withdrawn article is not cited ------------------------------------------------------------------------
def test_rule_15_a_withdrawn_article_is_not_cited_from_the_next_question_on(make_world: Callable[..., World]) -> None:
    world = make_world()
    article = world.publish(*VPN)
    assert "answer" in keys(world.ask(KONRAD, VPN_QUESTION).reply.text)
    world.withdraw(article)
    assert "ask_system" in keys(world.ask(JETTE, VPN_QUESTION).reply.text)


def test_rule_15_an_article_withdrawn_after_it_was_offered_is_not_shown(world: World) -> None:
    offered = [world.publish(*article) for article in PRINTERS]
    assert "ask_back" in keys(world.ask(KONRAD, PRINTER_QUESTION).reply.text)
    world.withdraw(offered[0])
    assert "ask_system" in keys(world.press(KONRAD, "choose", str(offered[0])).reply.text)


# --- rule 16: sends that fail -----------------------------------------------------------------------------------------
def test_rule_16_a_permanent_failure_is_told_to_the_agent_once_and_not_retried(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.channel.broken["konrad"] = Unreachable("the user has blocked the bot")
    world.agent_says(MAREN, ticket, "Sind Sie da?")
    world.agent_says(MAREN, ticket, "Hallo?")
    told = [text for text in world.thread(ticket) if "agent_undeliverable" in keys(text)]
    assert len(told) == 1
    assert KONRAD.name in told[0]
    tries = world.channel.tries
    for _ in range(5):
        world.passes(days=1)
    assert world.channel.tries == tries
    assert world.counts().failed == 2
    assert world.counts().settled


def test_rule_16_who_can_be_reached_again_and_then_not_is_told_again(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    for _ in range(2):
        world.channel.broken["konrad"] = Unreachable("blocked")
        world.agent_says(MAREN, ticket, "Sind Sie da?")
        world.channel.broken.clear()
        world.agent_says(MAREN, ticket, "Jetzt?")
    assert len([text for text in world.thread(ticket) if "agent_undeliverable" in keys(text)]) == 2


def test_rule_16_an_answer_that_never_arrives_becomes_a_ticket(world: World) -> None:
    world.channel.broken["konrad"] = Unreachable("blocked")
    world.says(KONRAD, VPN_QUESTION)
    world.settle()
    assert world.ticket().reason == Reason.ERROR
    assert world.ticket().summary == VPN_QUESTION
    assert "agent_undeliverable" in keys(world.thread(world.ticket().number)[-1])
    assert world.counts().settled


def test_rule_16_a_platform_nobody_serves_any_more_is_a_permanent_failure(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    del world.app.channels["web"]  # type: ignore[attr-defined]
    world.agent_says(MAREN, ticket, "Sind Sie da?")
    assert world.counts().settled


def test_rule_16_a_temporary_failure_is_retried_with_growing_pauses_in_order(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.new_answers(KONRAD)
    world.channel.broken["konrad"] = ConnectionError("away")
    for text in ("eins", "zwei", "drei"):
        world.agent_says(MAREN, ticket, text)
    tries = []
    for _ in range(120):
        before = world.channel.tries
        world.passes(seconds=10)
        tries.append(world.channel.tries - before)
    assert 5 <= sum(tries) <= 12
    assert sum(tries[:30]) > sum(tries[90:])
    world.channel.broken.clear()
    world.passes(minutes=20)
    assert [post.reply.text for post in world.new_answers(KONRAD)] == ["eins", "zwei", "drei"]


def test_rule_16_a_platform_that_says_when_is_asked_again_then(world: World) -> None:
    world.channel.raises.append(TryAgain(90))
    world.says(KONRAD, VPN_QUESTION)
    world.settle()
    world.passes(seconds=85)
    assert world.posts_to(KONRAD) == []
    world.passes(seconds=10)
    assert len(world.posts_to(KONRAD)) == 1


def test_rule_16_one_failing_place_does_not_block_another(world: World) -> None:
    world.channel.broken["konrad"] = ConnectionError("away")
    ticket_text = "Ein Mensch bitte."
    world.says(KONRAD, ticket_text)
    world.settle()
    assert ticket_text in world.card(world.ticket().number).reply.text  # the same conversation, another place
    assert "answer" in keys(world.ask(JETTE, VPN_QUESTION).reply.text)


@pytest.mark.parametrize("restart", [False, True])
def test_rule_16_a_send_of_unclear_outcome_is_looked_up_before_it_is_repeated(world: World, restart: bool) -> None:
    world.channel.lost = 1
    world.says(KONRAD, VPN_QUESTION)
    world.settle()
    assert world.counts().waiting == 1
    if restart:
        world.restart()
    world.passes(minutes=1)
    assert len(world.posts_to(KONRAD)) == 1  # a world in which a key was sent twice fails
    assert world.counts().settled


# --- rule 17: every escalation carries a reason -----------------------------------------------------------------------
REASONS = {
    Reason.UNKNOWN: UNKNOWN_QUESTION,
    Reason.ASKED_FOR_PERSON: "Ich möchte mit einem Menschen sprechen.",
    Reason.SENSITIVE: "Mein Gehalt stimmt nicht.",
    Reason.FRUSTRATED: "Das nervt mich gewaltig, so ein Mist.",
    Reason.URGENT: "Die Telefonanlage ist dringend, die Produktion steht.",
    Reason.OUTAGE: "Der ganze zweite Stock ist offline",
}


@pytest.mark.parametrize("reason", REASONS)
def test_rule_17_each_reason_is_reached_and_told_to_the_agent(world: World, reason: Reason) -> None:
    post = world.ask(KONRAD, REASONS[reason])
    while post.reply.buttons:
        post = world.press(KONRAD, "skip")
    assert world.ticket().reason == reason
    assert world.ticket().number in post.reply.text
    told = world.card(world.ticket().number).reply.text
    assert world.app.house.handoff_texts()(f"reason_{reason}") in told


def test_rule_17_an_error_is_a_reason_too(world: World) -> None:
    world.understander.away = RuntimeError("no model")
    world.says(KONRAD, VPN_QUESTION)
    for _ in range(4):
        world.passes(minutes=1)
    assert "receipt_error" in keys(world.one_answer(KONRAD).reply.text)
    assert world.ticket().reason == Reason.ERROR


@pytest.mark.parametrize("reason", [Reason.URGENT, Reason.OUTAGE])
def test_rule_17_urgent_and_outage_raise_the_priority(world: World, reason: Reason) -> None:
    world.ask(KONRAD, REASONS[reason])
    assert world.ticket().priority < 3


# --- rule 18: sensitive topics never meet a model ---------------------------------------------------------------------
class RefusingEmbedder(HashEmbedder):
    """Embeds articles, and raises when it is asked a question."""

    def embed_question(self, text: str) -> Vectors:
        if text != "warm up":
            raise AssertionError("a model was asked")
        return super().embed_question(text)


@pytest.mark.parametrize("text", ["Mein Gehalt stimmt nicht", "My SALARY is wrong", "Frage zur Gehaltsabrechnung?"])
def test_rule_18_sensitive_topics_go_to_a_person_outside_any_model(make_world: Callable[..., World], text: str) -> None:
    world = make_world(embedder=RefusingEmbedder())
    world.publish(*VPN)
    world.understander.away = AssertionError("a model was asked")
    assert "receipt_sensitive" in keys(world.ask(KONRAD, text).reply.text)
    assert world.ticket().queue == "people"
    assert world.ticket().reason == Reason.SENSITIVE
    assert world.understander.asked == []


def test_rule_18_sensitive_words_in_the_answer_to_a_question_go_to_their_team(world: World) -> None:
    world.ask(KONRAD, UNKNOWN_QUESTION)
    asked = len(world.understander.asked)
    assert "receipt_sensitive" in keys(world.ask(KONRAD, "Es geht um mein Gehalt.").reply.text)
    assert len(world.understander.asked) == asked
    assert world.ticket().queue == "people"


def test_rule_18_a_person_is_there_even_when_every_model_is_away(make_world: Callable[..., World]) -> None:
    world = make_world(embedder=RefusingEmbedder())
    world.understander.away = RuntimeError("no model")
    assert "receipt_asked_for_person" in keys(world.press(KONRAD, "person").reply.text)


# --- rule 19: no message text in logs ---------------------------------------------------------------------------------
def test_rule_19_nothing_people_write_and_no_name_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.setFormatter(Lines())
    caplog.set_level(logging.DEBUG)
    world.ask(KONRAD, f"{VPN_QUESTION}, danach melden Sie sich an, Kanarienvogel")
    world.press(KONRAD, "not_helped")
    world.ask(KONRAD, "Kanarienvogel auf dem Bildschirm")
    world.press(KONRAD, "skip")
    ticket = world.ticket().number
    world.agent_says(MAREN, ticket, "Kanarienvogel gesehen")
    world.agent_says(MAREN, ticket, "// Kanarienvogel notiert")
    world.channel.raises += [ConnectionError("Kanarienvogel"), Unreachable("Kanarienvogel")]
    world.agent_says(MAREN, ticket, "Kanarienvogel gefangen")
    world.passes(minutes=5)
    world.agent_presses(MAREN, ticket, "resolve", cause="Kanarienvogel", fix="Kanarienvogel")
    world.understander.away = ValueError("cannot parse 'Kanarienvogel'")
    world.says(JETTE, "Kanarienvogel")
    for _ in range(4):
        world.passes(minutes=1)
    lines = caplog.text
    assert "ValueError" in lines  # it was logged, without what the exception quoted
    for secret in ("Kanarienvogel", KONRAD.name, JETTE.name, MAREN.name):
        assert secret not in lines


def test_rule_19_exception_text_never_reaches_an_employee(world: World) -> None:
    world.understander.away = ValueError("Traceback: secret internals")
    world.says(KONRAD, VPN_QUESTION)
    for _ in range(4):
        world.passes(minutes=1)
    assert "secret" not in "".join(message.text for message in world.messages() if message.to_send)


# --- rule 20: any answer can be reproduced ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    [
        VPN_QUESTION,
        PRINTER_QUESTION,
        UNKNOWN_QUESTION,
        "Wie wird das Wetter morgen in Kiel?",
        REASONS[Reason.SENSITIVE],
    ],
)
def test_rule_20_the_decision_follows_again_from_the_stored_evidence(world: World, text: str) -> None:
    for article in PRINTERS:
        world.publish(*article)
    world.ask(KONRAD, text)
    evidence = next(message.evidence for message in world.messages() if message.evidence)
    again = decide(situation_of(evidence))
    assert type(again).__name__ == evidence["decision"]
    assert getattr(again, "reason", None) == evidence["reason"]
    shown = [again.hit] if hasattr(again, "hit") else getattr(again, "hits", ())
    assert [hit.article_id for hit in shown] == evidence["articles"]


def test_rule_20_version_model_calibration_settings_and_scores_are_stored(world: World) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    answer = next(message for message in world.messages() if message.kind == Kind.ANSWER)
    evidence = answer.evidence or {}
    search = evidence["search"]
    assert (search["model"], search["calibration"], evidence["understander"]) == ("hash", "test", "fake")
    assert search["index_version"] > 0
    assert evidence["settings"]
    assert search["hits"][0]["revision"] == 1
    assert {"cosine", "words", "grams"} <= set(search["hits"][0]["signals"])


# --- rule 21: out of hours --------------------------------------------------------------------------------------------
def test_rule_21_at_night_the_bot_answers(world: World) -> None:
    world.clock.time = datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
    assert "answer" in keys(world.ask(KONRAD, VPN_QUESTION).reply.text)


@pytest.mark.parametrize(
    ("now", "when"),
    [
        (datetime(2026, 11, 23, 9, 0, tzinfo=UTC), "heute bis 12:00 Uhr"),
        (datetime(2026, 11, 23, 22, 0, tzinfo=UTC), "morgen bis 10:00 Uhr"),
        (datetime(2026, 11, 27, 15, 0, tzinfo=UTC), "am Montag, 30.11.2026, bis 09:00 Uhr"),
        (datetime(2026, 12, 24, 16, 30, tzinfo=UTC), "am Montag, 28.12.2026, bis 10:00 Uhr"),
    ],
)
def test_rule_21_the_receipt_says_when_a_person_reacts(world: World, now: datetime, when: str) -> None:
    world.clock.time = now
    assert when in world.ask(KONRAD, "Ein Mensch bitte.").reply.text


def test_rule_21_a_time_that_has_passed_is_not_promised_again(world: World) -> None:
    world.ticket_for(KONRAD)
    world.clock.move(hours=5)
    assert "so bald wie möglich" in world.ask(KONRAD, "Status?").reply.text
    assert "heute bis" not in world.posts_to(KONRAD)[-1].reply.text
    assert timedelta(0) < world.clock() - world.ticket().first_response_due


def test_rule_21_unanswered_questions_wait_for_the_editors(world: World) -> None:
    world.unsolved(KONRAD)
    with world.app.house.sessions() as session:
        assert [question.question for question in open_questions(session)] == [UNKNOWN_QUESTION]


def test_rule_21_open_questions_do_not_tell_who_asked_and_the_ticket_does(world: World) -> None:
    asked = f"{UNKNOWN_QUESTION} Rückruf bitte bei Konrad Voßmann, Durchwahl 0351 4711"
    world.unsolved(KONRAD, asked)
    with world.app.house.sessions() as session:
        (waits,) = open_questions(session)
    assert waits.question == f"{UNKNOWN_QUESTION} Rückruf bitte bei, Durchwahl"
    assert "Konrad Voßmann, Durchwahl 0351 4711" in world.conversation(KONRAD).memory["question"]
