"""Answers, questions back, and what follows when they did not help."""

import pytest
from sentences import keys
from world import JETTE, KONRAD, MAREN, PRINTER_QUESTION, PRINTERS, UNKNOWN_QUESTION, VPN, VPN_QUESTION, World

from handoff.models import ConversationState, Reason
from kb_index.questions import open_questions


@pytest.fixture
def offered(world: World) -> list[int]:
    """Two printer articles are offered to Konrad; their ids in the order of the offer."""
    for article in PRINTERS:
        world.publish(*article)
    post = world.ask(KONRAD, PRINTER_QUESTION)
    assert "ask_back" in keys(post.reply.text)
    return [int(button.value) for button in post.reply.buttons if button.action == "choose"]


# --- choosing ---------------------------------------------------------------------------------------------------------
def test_an_offered_article_is_chosen_by_its_button(world: World, offered: list[int]) -> None:
    chosen = world.press(KONRAD, "choose", str(offered[1]))
    assert chosen.reply.links[0].url == f"/kb/articles/{offered[1]}"
    assert world.conversation(KONRAD).expects == "feedback"


@pytest.mark.parametrize("text", ["1", "2", " 2. "])
def test_an_offered_article_is_chosen_by_its_number(world: World, offered: list[int], text: str) -> None:
    chosen = world.ask(KONRAD, text)
    assert chosen.reply.links[0].url == f"/kb/articles/{offered[int(text.strip(' .')) - 1]}"


def test_an_offered_article_is_chosen_by_its_title(world: World, offered: list[int]) -> None:
    chosen = world.ask(KONRAD, "drucker zu hause einrichten")
    assert PRINTERS[1][0] in chosen.reply.text


@pytest.mark.parametrize("text", ["nein", "none"])
def test_none_of_these_brings_a_person(world: World, offered: list[int], text: str) -> None:
    post = world.press(KONRAD, "none") if text == "none" else world.ask(KONRAD, text)
    assert "ask_system" in keys(post.reply.text)
    world.press(KONRAD, "skip")
    world.press(KONRAD, "skip")
    assert world.ticket().summary == PRINTER_QUESTION
    assert world.ticket().reason == Reason.UNKNOWN


def test_more_words_are_read_together_with_the_question(world: World, offered: list[int]) -> None:
    answer = world.ask(KONRAD, "im Flur, Treiber bestätigen wählen")
    assert PRINTERS[0][0] in answer.reply.text


def test_an_article_that_was_not_offered_cannot_be_chosen(world: World, offered: list[int]) -> None:
    secret = world.publish("Verwaltung", "Nur für Fachleute.")
    assert "ask_system" in keys(world.press(KONRAD, "choose", str(secret)).reply.text)


@pytest.mark.parametrize("value", ["", "x", "-1", "999999999999999999999", "1; DROP TABLE article"])
def test_a_forged_choice_does_no_harm(world: World, offered: list[int], value: str) -> None:
    assert "ask_system" in keys(world.press(KONRAD, "choose", value).reply.text)


def test_a_number_after_another_question_is_not_a_choice_any_more(world: World, offered: list[int]) -> None:
    world.press(KONRAD, "choose", str(offered[0]))
    assert "say_more" in keys(world.ask(KONRAD, "1").reply.text)


# --- did it help? -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("how", ["button", "Das hat geholfen", "ja"])
def test_helped_ends_the_case(world: World, how: str) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    post = world.press(KONRAD, "helped") if how == "button" else world.ask(KONRAD, how)
    assert "helped" in keys(post.reply.text)
    assert world.conversation(KONRAD).outcome == "confirmed"


@pytest.mark.parametrize("how", ["button", "Das hat nicht geholfen", "nein"])
def test_did_not_help_shows_the_next_sure_article_once_and_then_a_person(world: World, how: str) -> None:
    world.publish("VPN einrichten im Ausland", VPN[1])
    world.publish("VPN einrichten in der Bahn", VPN[1])

    def again() -> set[str]:
        post = world.press(KONRAD, "not_helped") if how == "button" else world.ask(KONRAD, how)
        return keys(post.reply.text)

    first = world.ask(KONRAD, VPN_QUESTION).reply.links
    assert "answer" in again()
    assert world.posts_to(KONRAD)[-1].reply.links != first
    assert "ask_system" in again()
    world.press(KONRAD, "skip")
    world.press(KONRAD, "skip")
    assert world.ticket().summary == VPN_QUESTION


@pytest.mark.parametrize("how", ["button", "Das hat nicht geholfen"])
def test_what_was_shown_for_another_question_is_no_try_at_this_one(world: World, how: str) -> None:
    world.publish("VPN einrichten im Ausland", VPN[1])
    other = world.publish(PRINTERS[0][0], f"{PRINTERS[0][1]} {VPN[1]}")
    assert world.ask(KONRAD, PRINTERS[0][1]).reply.links[0].url == f"/kb/articles/{other}"
    world.ask(KONRAD, VPN_QUESTION)
    post = world.press(KONRAD, "not_helped") if how == "button" else world.ask(KONRAD, how)
    assert "answer" in keys(post.reply.text)
    assert post.reply.links[0].url != f"/kb/articles/{other}"


def test_the_same_question_again_is_shown_its_article_again_unless_that_did_not_help(world: World) -> None:
    first = world.ask(KONRAD, VPN_QUESTION).reply.links
    world.ask(KONRAD, "Hallo")
    assert world.ask(KONRAD, VPN_QUESTION.upper()).reply.links == first
    world.press(KONRAD, "not_helped")
    world.press(KONRAD, "skip")
    world.press_only(KONRAD, "skip")
    assert world.new_answers(KONRAD)[-1].reply.links == ()


def test_did_not_help_and_urgent_brings_a_person_at_once(world: World) -> None:
    for article in PRINTERS:
        world.publish(*article)
    world.ask(KONRAD, VPN_QUESTION)
    text = "Das hat nicht geholfen, dringend!"
    world.understander.teach(text, "not_helpful")
    assert "receipt" in keys(world.ask(KONRAD, text).reply.text)
    assert (world.ticket().reason, world.ticket().urgency) == (Reason.URGENT, 1)


def test_did_not_help_with_more_words_adds_them_to_the_question(world: World) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    more = "nein, denn seit heute steht da immer nur dass der Schlüssel abgelaufen ist"
    world.understander.teach(more, "not_helpful")
    world.ask(KONRAD, more)
    world.press(KONRAD, "skip")
    assert world.conversation(KONRAD).memory["question"] == f"{VPN_QUESTION}\n{more}"


def test_a_person_after_an_answer_gets_the_question_not_the_wish(world: World) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    world.ask(KONRAD, "Ein Mensch bitte.")
    assert world.ticket().summary == VPN_QUESTION


def test_silence_after_an_answer_is_assumed_to_have_helped(world: World) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    world.passes(hours=9)
    assert world.conversation(KONRAD).outcome == "assumed"
    assert world.new_answers(KONRAD) == []


def test_silence_after_a_question_back_goes_to_the_editors(world: World, offered: list[int]) -> None:
    world.passes(hours=9)
    assert world.conversation(KONRAD).outcome == "abandoned"
    with world.app.house.sessions() as session:
        assert [question.question for question in open_questions(session)] == [PRINTER_QUESTION]


# --- late buttons -----------------------------------------------------------------------------------------------------
def test_a_button_of_an_earlier_answer_is_settled(world: World) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    old = world.posts_to(KONRAD)[-1].key
    world.ask(KONRAD, UNKNOWN_QUESTION)
    assert "button_stale" in keys(world.press(KONRAD, "helped", on=old).reply.text)
    assert world.conversation(KONRAD).state == ConversationState.WITH_BOT


def test_did_not_help_on_a_case_closed_as_assumed_brings_a_person(world: World) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    world.passes(hours=9)
    assert "receipt" in keys(world.press(KONRAD, "not_helped").reply.text)
    assert world.ticket().summary == VPN_QUESTION
    assert world.ticket().conversation.language == "de"


def test_helped_on_a_closed_case_is_settled(world: World) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    world.passes(hours=9)
    assert "button_stale" in keys(world.press(KONRAD, "helped").reply.text)


def test_a_button_below_somebody_elses_answer_is_settled(world: World) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    theirs = world.posts_to(KONRAD)[-1].key
    assert "button_stale" in keys(world.press(JETTE, "not_helped", on=theirs).reply.text)
    assert world.tickets() == 0


@pytest.mark.parametrize("on", ["0", "-1", "x", "99999999999999999999", "٣", ""])
def test_a_button_below_nothing_is_settled(world: World, on: str) -> None:
    assert "button_stale" in keys(world.press(KONRAD, "helped", on=on).reply.text)


@pytest.mark.parametrize("action", ["works", "cancel_yes", "skip", "ticket", "claim", "resolve", "'; --"])
def test_a_button_that_does_not_stand_below_the_answer_does_nothing(world: World, action: str) -> None:
    post = world.ask(KONRAD, VPN_QUESTION)
    assert "button_stale" in keys(world.press(KONRAD, action, on=post.key).reply.text)
    assert world.conversation(KONRAD).state == ConversationState.WITH_BOT


def test_did_not_help_below_an_old_answer_after_a_resolved_ticket_reopens_it(world: World) -> None:
    answer = world.ask(KONRAD, VPN_QUESTION)
    world.press(KONRAD, "person")
    ticket = world.ticket().number
    world.agent_presses(MAREN, ticket, "resolve")
    world.new_answers(KONRAD)
    assert "reopened" in keys(world.press(KONRAD, "not_helped", on=answer.key).reply.text)
    assert world.ticket(ticket).is_open
    world.passes(days=10)
    assert world.ticket(ticket).is_open


# --- written before it was seen that the case is over -----------------------------------------------------------------
def test_what_comes_in_while_the_case_is_being_closed_is_a_new_case(world: World) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    before = world.conversation(KONRAD)
    world.press_only(KONRAD, "helped")
    world.says(KONRAD, VPN_QUESTION)
    said = [keys(post.reply.text) & {"helped", "answer"} for post in world.new_answers(KONRAD)]
    assert said == [{"helped"}, {"answer"}]
    assert world.conversation(KONRAD).previous_id == before.id
