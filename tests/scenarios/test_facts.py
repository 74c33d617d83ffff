"""The questions before a ticket: at most two, each once, skippable, never a loop."""

from collections.abc import Callable

import pytest
from sentences import keys
from world import JETTE, KONRAD, UNKNOWN_QUESTION, World

from bot.texts import load_catalogue
from handoff.models import Reason, TicketType
from kb_index.questions import open_questions
from nlu.port import Entity

BARE = "Die Telefonanlage klingelt pausenlos."  # says neither which program nor since when


def test_two_questions_are_asked_and_the_answers_stand_in_the_ticket(world: World) -> None:
    assert "ask_system" in keys(world.ask(KONRAD, BARE).reply.text)
    assert "ask_since" in keys(world.ask(KONRAD, "Telefon 7").reply.text)
    assert "receipt" in keys(world.ask(KONRAD, "seit gestern").reply.text)
    question = world.conversation(KONRAD).memory["question"]
    assert question == f"{BARE}\nTelefon 7\nseit gestern"
    assert world.ticket().summary == BARE


def test_each_question_can_be_skipped_and_is_asked_once(world: World) -> None:
    asked = [world.ask(KONRAD, BARE), world.press(KONRAD, "skip"), world.press(KONRAD, "skip")]
    found = [keys(post.reply.text) & {"ask_system", "ask_since", "receipt"} for post in asked]
    assert found == [{"ask_system"}, {"ask_since"}, {"receipt"}]
    assert world.conversation(KONRAD).memory["question"] == BARE


@pytest.mark.parametrize("text", ["weiß nicht", "Keine Ahnung!", "I don't know", "nein"])
def test_not_knowing_counts_as_skipped(world: World, text: str) -> None:
    world.ask(KONRAD, BARE)
    world.ask(KONRAD, text)
    assert world.conversation(KONRAD).memory["question"] == BARE


def test_what_was_told_already_is_not_asked(world: World) -> None:
    world.understander.entities[UNKNOWN_QUESTION.lower()] = (Entity("device", "Telefonanlage"),)
    assert "receipt" in keys(world.ask(KONRAD, UNKNOWN_QUESTION).reply.text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Ich brauche Zugriff auf das Archiv der Telefonanlage", TicketType.REQUEST),
        ("Ich bräuchte noch einen zweiten Fernsprecher", TicketType.REQUEST),
        ("Wie verschlüssele ich meine Faxe?", TicketType.INCIDENT),
        ("Kann mir jemand sagen, wie ich Faxe verschlüssele", TicketType.INCIDENT),
        ("und auf dem Fax?", TicketType.INCIDENT),
    ],
)
def test_only_where_something_does_not_work_facts_are_asked(world: World, text: str, kind: TicketType) -> None:
    assert "receipt" in keys(world.ask(KONRAD, text).reply.text)
    assert world.ticket().type == kind


@pytest.mark.parametrize("text", ["Warum klingelt die Telefonanlage?", "Wie kann das sein, das Fax geht nicht?", BARE])
def test_where_something_does_not_work_facts_are_asked_though_it_is_a_question(world: World, text: str) -> None:
    assert "ask_system" in keys(world.ask(KONRAD, text).reply.text)


@pytest.mark.parametrize("key", ["ask_system", "ask_since"])
def test_whoever_is_asked_a_fact_is_told_that_a_colleague_comes(key: str) -> None:
    sentences = load_catalogue("replies")[key].values()
    assert [sentence for sentence in sentences if "Kollegin" not in sentence and "colleague" not in sentence] == []


def test_a_follow_up_while_a_fact_is_asked_is_answered_with_the_question_before(world: World) -> None:
    world.ask(KONRAD, UNKNOWN_QUESTION)
    world.publish("Telefonanlage im Lager", "Die Telefonanlage im Lager klingelt seit heute pausenlos: leiser stellen.")
    assert {"answer", "ask_back"} & keys(world.ask(KONRAD, "Und im Lager?").reply.text)
    world.press(KONRAD, "person")
    assert world.ticket().summary == UNKNOWN_QUESTION


def test_a_follow_up_while_a_fact_is_asked_that_nobody_can_answer_stands_in_the_ticket(world: World) -> None:
    world.ask(KONRAD, BARE)
    world.ask(KONRAD, "Und auf dem Mac?")
    world.press(KONRAD, "skip")
    assert world.conversation(KONRAD).memory["question"] == f"{BARE}\nUnd auf dem Mac?"
    assert (world.ticket().summary, world.ticket().reason) == (BARE, Reason.UNKNOWN)


@pytest.mark.parametrize(
    "text",
    [
        "Die Telefonanlage ist dringend, die Produktion steht.",
        "Mein Gehalt stimmt nicht.",
        "Der ganze zweite Stock ist offline",
        "Ich möchte mit einem Menschen sprechen.",
        "Das nervt mich gewaltig, so ein Mist.",
    ],
)
def test_what_cannot_wait_asks_nothing(world: World, text: str) -> None:
    world.ask(KONRAD, text)
    assert world.tickets() == 1


def test_when_nobody_answers_the_ticket_is_opened_without(world: World) -> None:
    world.ask(KONRAD, BARE)
    world.passes(seconds=179)
    assert world.tickets() == 0
    world.passes(seconds=2)
    assert "receipt" in keys(world.one_answer(KONRAD).reply.text)
    world.passes(hours=1)
    assert world.tickets() == 1


def test_the_timer_does_nothing_when_the_ticket_is_open_already(world: World) -> None:
    world.ask(KONRAD, BARE)
    world.press(KONRAD, "person")
    world.passes(hours=1)
    assert world.tickets() == 1
    assert len([m for m in world.messages() if m.kind == "receipt"]) == 1


@pytest.mark.parametrize("word", ["Ein Mensch bitte.", "button"])
def test_a_person_in_the_middle_opens_the_ticket_at_once(world: World, word: str) -> None:
    world.ask(KONRAD, BARE)
    post = world.press(KONRAD, "person") if word == "button" else world.ask(KONRAD, word)
    assert "receipt_asked_for_person" in keys(post.reply.text)
    assert world.ticket().summary == BARE


def test_the_gap_in_the_knowledge_is_noted_also_when_a_person_was_wanted_in_the_middle(world: World) -> None:
    world.ask(KONRAD, BARE)
    world.press(KONRAD, "person")
    with world.app.house.sessions() as session:
        assert len(open_questions(session)) == 1


def test_what_is_told_as_a_fact_is_no_part_of_the_open_question(world: World) -> None:
    world.ask(KONRAD, BARE)
    while not world.tickets():
        world.ask(KONRAD, "Seit heute früh, keine Fehlermeldung")
    with world.app.house.sessions() as session:
        assert [question.question for question in open_questions(session)] == [BARE]


def test_something_urgent_in_the_middle_opens_the_ticket_with_a_higher_priority(world: World) -> None:
    world.ask(KONRAD, BARE)
    world.ask(KONRAD, "Es ist dringend, die Produktion steht!")
    assert world.ticket().reason == Reason.URGENT
    assert world.ticket().priority == 2
    assert world.ticket().summary == BARE


def test_cancel_in_the_middle_opens_no_ticket(world: World) -> None:
    world.ask(KONRAD, BARE)
    assert "cancelled" in keys(world.ask(KONRAD, "abbrechen").reply.text)
    world.passes(hours=1)
    assert world.tickets() == 0


def test_a_bare_wish_for_a_ticket_is_asked_what_it_is_about(world: World) -> None:
    assert "ask_problem/du" in keys(world.ask(JETTE, "Bitte ein Ticket").reply.text)
    assert "receipt_asked_for_person" in keys(world.ask(JETTE, "Meine Maus ist weg.").reply.text)
    assert world.ticket().summary == "Meine Maus ist weg."


def test_without_questions_in_the_settings_the_ticket_comes_at_once(make_world: Callable[..., World]) -> None:
    world = make_world(answering={"ask_facts": False})
    assert "receipt" in keys(world.ask(KONRAD, BARE).reply.text)


def test_a_system_named_in_the_question_is_not_asked_after_the_answer_did_not_help(world: World) -> None:
    world.publish("Drucker druckt nicht", "Schalten Sie den Drucker aus und wieder ein. Prüfen Sie das Papierfach.")
    question = "Mein Drucker druckt nicht"
    world.understander.entities[question.lower()] = (Entity("device", "Drucker"),)
    world.ask(KONRAD, question)
    asked = keys(world.ask(KONRAD, "das hat nicht geholfen").reply.text)
    assert "ask_since" in asked
    assert "ask_system" not in asked


def test_an_edit_while_facts_are_asked_is_what_the_ticket_tells(world: World) -> None:
    world.says(KONRAD, BARE, source_id="m-1")
    world.new_answers(KONRAD)
    world.says(KONRAD, "Die Türklingel klingelt pausenlos.", edits="m-1")
    world.new_answers(KONRAD)
    world.press(KONRAD, "skip")
    world.press(KONRAD, "skip")
    assert world.ticket().summary == "Die Türklingel klingelt pausenlos."


def test_a_question_taken_back_while_facts_are_asked_opens_no_ticket(world: World) -> None:
    world.says(KONRAD, BARE, source_id="m-1")
    world.new_answers(KONRAD)
    world.says(KONRAD, "", deletes="m-1")
    assert "cancelled" in keys(world.one_answer(KONRAD).reply.text)
    world.clock.move(hours=1)
    world.settle()
    assert world.tickets() == 0
