"""Tickets in the hands of people: taking, handing back, cancelling, reopening, and what the employee sees of it."""

from collections.abc import Callable

import pytest
from sentences import keys
from world import HENRIK, JETTE, KONRAD, MAREN, TOMASZ, UNKNOWN_QUESTION, VPN, VPN_QUESTION, World

from bot.channels.port import Address, File, Incoming, Press
from bot.engine import Engine
from handoff.models import ConversationState, Reason, TicketState
from kb_index.questions import open_questions


# --- "a person, please" in every state --------------------------------------------------------------------------------
def nothing_yet(world: World) -> None:
    pass


def answered(world: World) -> None:
    world.ask(KONRAD, VPN_QUESTION)


def asked_for_facts(world: World) -> None:
    world.ask(KONRAD, "Die Telefonanlage klingelt.")


def pointed_away(world: World) -> None:
    world.ask(KONRAD, "Wie wird das Wetter morgen in Kiel?")


def handed_back(world: World) -> None:
    world.agent_presses(MAREN, world.ticket_for(KONRAD), "hand_back")
    world.new_answers(KONRAD)


def closed(world: World) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    world.press(KONRAD, "helped")


def waiting(world: World) -> None:
    world.ticket_for(KONRAD)


def with_person(world: World) -> None:
    world.agent_says(MAREN, world.ticket_for(KONRAD), "Guten Tag!")
    world.new_answers(KONRAD)


def resolved(world: World) -> None:
    with_person(world)
    world.agent_presses(MAREN, world.ticket().number, "resolve")
    world.new_answers(KONRAD)


STATES = [nothing_yet, answered, asked_for_facts, pointed_away, handed_back, closed, waiting, with_person, resolved]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_the_person_button_leads_to_a_person_in_every_state(world: World, state: Callable[[World], None]) -> None:
    state(world)
    post = world.press(KONRAD, "person")
    assert world.ticket().number in post.reply.text
    assert world.ticket().is_open
    assert world.conversation(KONRAD).state in {ConversationState.WAITING_FOR_PERSON, ConversationState.WITH_PERSON}


def test_who_has_a_person_already_is_told_who_it_is(world: World) -> None:
    with_person(world)
    assert "Maren Tiede kümmert sich darum" in world.press(KONRAD, "person").reply.text


# --- handing back and again -------------------------------------------------------------------------------------------
def test_handed_back_and_over_again_stays_one_ticket_with_a_new_promise(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_says(MAREN, ticket, "Das kann Lotse.")
    world.agent_presses(MAREN, ticket, "hand_back")
    world.clock.move(hours=4)
    world.new_answers(KONRAD)
    post = world.ask(KONRAD, UNKNOWN_QUESTION)
    assert "receipt_again" in keys(post.reply.text)
    assert "heute bis 16:00 Uhr" in post.reply.text
    again = world.ticket()
    assert (again.number, again.state, again.agent, again.reason) == (ticket, TicketState.NEW, None, Reason.UNKNOWN)
    assert "agent_handed_over_again" in keys(world.thread(ticket)[-1])
    assert world.agent_presses(TOMASZ, ticket, "claim").ok
    assert "handed_over_again" in world.events(ticket)


def test_after_it_was_handed_over_again_nobody_reacting_is_warned_of_anew(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_says(MAREN, ticket, "Das kann Lotse.")
    world.agent_presses(MAREN, ticket, "hand_back")
    world.new_answers(KONRAD)
    world.press(KONRAD, "person")
    world.passes(hours=3)
    assert "agent_first_response_due" in keys(world.thread(ticket)[-1])


def test_an_answer_after_a_hand_back_that_helped_may_be_about_something_else_than_the_ticket(world: World) -> None:
    handed_back(world)
    ticket = world.ticket().number
    world.ask(KONRAD, VPN_QUESTION)
    asked = world.press(KONRAD, "helped").reply
    assert "ask_if_solved" in keys(asked.text)
    assert (ticket in asked.text, world.ticket(ticket).summary in asked.text) == (True, True)
    assert world.ticket(ticket).is_open
    assert "receipt_again" in keys(world.press(KONRAD, "cancel_no").reply.text), "a person goes on with it"
    assert world.conversation(KONRAD).state == ConversationState.WAITING_FOR_PERSON
    assert "agent_handed_over_again" in keys(world.thread(ticket)[-1])
    assert not any("agent_confirmed" in keys(told) for told in world.thread(ticket))


@pytest.mark.parametrize("how", ["", "ja", "Ja, danke!", "yes, it is solved", "Das Ticket kann geschlossen werden"])
def test_an_answer_after_a_hand_back_that_solved_the_ticket_closes_it(world: World, how: str) -> None:
    handed_back(world)
    ticket = world.ticket().number
    world.ask(KONRAD, VPN_QUESTION)
    world.press(KONRAD, "helped")
    world.understander.teach("yes, it is solved", "helpful")
    world.understander.teach("Das Ticket kann geschlossen werden", "cancel")
    told = world.ask(KONRAD, how) if how else world.press(KONRAD, "cancel_yes")
    assert "confirmed_resolved" in keys(told.reply.text)
    assert world.ticket(ticket).state == TicketState.CLOSED
    assert [told for told in world.thread(ticket) if "agent_confirmed" in keys(told)] == [world.thread(ticket)[-1]]
    assert world.conversation(KONRAD).outcome == "confirmed"


@pytest.mark.parametrize(
    "words", ["Ja, aber das Tablet ist immer noch grau", "Ja das Display geht, der Akku nicht", "Jein"]
)
def test_a_yes_with_a_but_closes_no_ticket(world: World, words: str) -> None:
    handed_back(world)
    ticket = world.ticket().number
    world.ask(KONRAD, VPN_QUESTION)
    world.press(KONRAD, "helped")
    world.understander.teach(words, "affirm")
    world.says(KONRAD, words)
    world.new_answers(KONRAD)
    assert world.ticket(ticket).is_open


def test_what_was_told_to_the_bot_reaches_the_agents_when_it_hands_over_again(world: World) -> None:
    handed_back(world)
    ticket = world.ticket().number
    world.ask(KONRAD, VPN_QUESTION)
    world.press(KONRAD, "helped")
    world.ask(KONRAD, "nein")
    assert world.thread(ticket)[-3:-1] == [VPN_QUESTION, "nein"]
    assert "agent_handed_over_again" in keys(world.thread(ticket)[-1])
    assert "reason_asked_for_person" in str(keys(world.thread(ticket)[-1])) or "wünscht" in world.thread(ticket)[-1]


def test_agents_read_that_a_ticket_was_handed_back_and_opened_again(world: World) -> None:
    handed_back(world)
    assert "agent_handed_back" in keys(world.thread(world.ticket().number)[-1])
    world.agent_presses(MAREN, world.ticket().number, "resolve")
    world.agent_presses(TOMASZ, world.ticket().number, "reopen")
    assert world.thread(world.ticket().number)[-1] == f"Tomasz Wilk hat {world.ticket().number} wieder geöffnet."


def test_who_resolved_is_told_not_who_had_it(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_presses(MAREN, ticket, "claim")
    world.new_answers(KONRAD)
    world.agent_presses(TOMASZ, ticket, "resolve", fix="Kabel getauscht.")
    assert "Tomasz Wilk hat das Ticket" in world.one_answer(KONRAD).reply.text


@pytest.mark.parametrize("words", ["Bitte wieder öffnen", "Please reopen it"])
def test_who_wants_a_closed_ticket_opened_again_gets_a_new_one_that_goes_on_with_it(world: World, words: str) -> None:
    old = world.ticket_for(KONRAD, "Der Beamer in Raum 4 zeigt nur ein rotes Bild.")
    world.ask(KONRAD, "Mein Ticket kann geschlossen werden")
    world.ask(KONRAD, "ja")
    assert world.ticket(old).state == TicketState.CLOSED
    world.understander.teach(words, "cancel")
    world.says(KONRAD, words)
    told = [post.reply.text for post in world.new_answers(KONRAD)]
    assert "reopen_window_over" in keys(told[0])
    new = world.ticket()
    assert (new.number != old, new.summary) == (True, world.ticket(old).summary)
    assert old in world.thread(new.number)[-1]


def test_a_cancelled_ticket_is_not_said_to_be_solved_because_something_else_was(world: World) -> None:
    handed_back(world)
    ticket = world.ticket().number
    world.ask(KONRAD, VPN_QUESTION)
    world.press(KONRAD, "helped")
    world.ask(KONRAD, VPN_QUESTION)  # the question is left open
    world.understander.teach("Das Ticket bitte schließen", "cancel")
    assert "cancel_ticket" in keys(world.ask(KONRAD, "Das Ticket bitte schließen").reply.text)
    world.press(KONRAD, "cancel_yes")
    assert world.conversation(KONRAD).outcome == "cancelled"
    assert "agent_closed_by_requester" in keys(world.thread(ticket)[-1])


def test_helped_pressed_after_a_person_has_taken_over_does_not_close_their_ticket(world: World) -> None:
    handed_back(world)
    ticket = world.ticket().number
    world.ask(KONRAD, VPN_QUESTION)
    world.agent_says(MAREN, ticket, "Ich bin wieder da.")
    world.new_answers(KONRAD)
    assert "button_stale" in keys(world.press(KONRAD, "helped").reply.text)
    assert world.ticket(ticket).is_open


# --- adding, status, cancelling ---------------------------------------------------------------------------------------
def test_a_question_of_its_own_while_waiting_is_answered_and_the_agents_have_it_too(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    told = world.ask(KONRAD, VPN_QUESTION).reply
    assert "added_and_found" in keys(told.text)
    assert (ticket in told.text, VPN[1] in told.text, [link.url for link in told.links]) == (
        True,
        True,
        ["/kb/articles/1"],
    )
    assert told.buttons == ()
    assert world.thread(ticket)[-1] == VPN_QUESTION
    assert world.conversation(KONRAD).state == ConversationState.WAITING_FOR_PERSON


def test_once_a_person_has_taken_over_lotse_answers_nothing_beside_them(world: World) -> None:
    with_person(world)
    world.says(KONRAD, VPN_QUESTION)
    assert world.new_answers(KONRAD) == []
    assert world.thread(world.ticket().number)[-1] == VPN_QUESTION


def test_who_asks_for_a_person_again_while_waiting_is_told_when_one_comes(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    told = world.ask(KONRAD, "Ich möchte mit einem Menschen sprechen.").reply.text
    assert (ticket in told, "added" in keys(told)) == (True, False)
    assert world.tickets() == 1


def test_asking_how_the_ticket_stands_tells_the_agents_nothing(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    before = world.thread(ticket)
    world.understander.teach("Wie stehen meine Tickets?", "ticket_status")
    assert ticket in world.ask(KONRAD, "Wie stehen meine Tickets?").reply.text
    assert world.thread(ticket) == before


def test_a_status_that_may_be_more_reaches_the_agents_too(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    told = "Wie steht es um mein Ticket, und könnte bitte jemand den Toner im zweiten Stock mitbringen?"
    world.understander.teach(told, "ticket_status")
    assert ticket in world.ask(KONRAD, told).reply.text
    assert world.thread(ticket)[-1] == told


@pytest.mark.parametrize("text", ["Bitte wieder öffnen", "Was soll ich jetzt tun?"])
def test_what_a_model_takes_for_thanks_closes_no_ticket(world: World, text: str) -> None:
    ticket = world.ticket_for(KONRAD)
    world.understander.teach(text, "helpful")
    assert "added" in keys(world.ask(KONRAD, text).reply.text)
    assert world.thread(ticket)[-1] == text


def test_who_wants_a_ticket_closed_is_asked_whatever_the_model_says(world: World) -> None:
    world.ticket_for(KONRAD)
    world.understander.teach("Ich möchte mein Ticket schließen", "create_ticket")
    assert "cancel_ticket" in keys(world.ask(KONRAD, "Ich möchte mein Ticket schließen").reply.text)


def test_a_resolved_ticket_is_opened_again_for_who_asks_for_that(world: World) -> None:
    resolved(world)
    assert "reopened" in keys(world.ask(KONRAD, "Bitte wieder öffnen").reply.text)
    assert world.ticket().is_open


@pytest.mark.parametrize("words", ["Ja, bitte das Ticket schließen", "Ja, hat sich erledigt", "ja"])
def test_yes_in_any_words_closes_a_ticket_after_the_question(world: World, words: str) -> None:
    ticket = world.ticket_for(KONRAD)
    assert "cancel_ticket" in keys(world.ask(KONRAD, "Mein Ticket kann geschlossen werden").reply.text)
    assert "ticket_closed" in keys(world.ask(KONRAD, words).reply.text)
    assert world.ticket(ticket).state == TicketState.CLOSED


@pytest.mark.parametrize("words", ["Nein, es ist immer noch kaputt", "Ja, aber es geht immer noch nicht"])
def test_whatever_is_still_broken_closes_nothing(world: World, words: str) -> None:
    ticket = world.ticket_for(KONRAD)
    world.ask(KONRAD, "Mein Ticket kann geschlossen werden")
    world.ask(KONRAD, words)
    assert world.ticket(ticket).is_open


def test_what_is_said_with_a_no_reaches_the_agents(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.ask(KONRAD, "Mein Ticket kann geschlossen werden")
    assert "ticket_kept" in keys(world.ask(KONRAD, "Nein, jetzt brummt es auch noch").reply.text)
    assert world.thread(ticket)[-1] == "Nein, jetzt brummt es auch noch"


def test_a_yes_to_something_else_closes_no_ticket(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.ask(KONRAD, "Mein Ticket kann geschlossen werden")
    assert "added_and_found" in keys(world.ask(KONRAD, VPN_QUESTION).reply.text)
    world.ask(KONRAD, "ja")
    assert world.ticket(ticket).is_open


def test_a_wish_to_close_a_ticket_in_another_conversation_is_no_word_about_this_one(world: World) -> None:
    world.ticket_for(JETTE)
    asked = world.ask(KONRAD, "Bitte mein Ticket schließen").reply.text
    assert "nothing_to_cancel" not in keys(asked)


def test_the_same_article_is_told_once_beside_a_ticket(world: World) -> None:
    world.ticket_for(KONRAD)
    assert "added_and_found" in keys(world.ask(KONRAD, VPN_QUESTION).reply.text)
    assert "added" in keys(world.ask(KONRAD, VPN_QUESTION).reply.text)


def test_an_article_that_did_not_help_is_not_told_again_beside_the_ticket(world: World) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    world.press(KONRAD, "not_helped")
    while world.conversation(KONRAD).expects == "fact":
        world.press(KONRAD, "skip")
    assert world.tickets() == 1
    assert "added" in keys(world.ask(KONRAD, VPN_QUESTION).reply.text)


def test_a_status_question_with_a_file_reaches_the_agents(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.understander.teach("Wie ist der Stand", "ticket_status")
    picture = File("bild.png", "image/png", b"png")
    assert ticket in world.ask(KONRAD, "Wie ist der Stand", files=[picture]).reply.text
    assert world.thread(ticket)[-1] == "Wie ist der Stand"


def test_nothing_but_the_name_of_lotse_tells_who_has_the_ticket_and_brings_the_agents_nothing(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    before = world.thread(ticket)
    assert ticket in world.ask(KONRAD, "").reply.text
    assert world.thread(ticket) == before


def test_what_is_added_while_waiting_reaches_the_agents_and_is_confirmed(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    assert "added" in keys(world.ask(KONRAD, "Es ist der Rechner 4711.").reply.text)
    assert world.thread(ticket)[-1] == "Es ist der Rechner 4711."


def test_a_ticket_that_waits_for_the_requester_goes_on_when_they_write(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_presses(MAREN, ticket, "claim")
    world.agent_presses(MAREN, ticket, "state", "waiting_for_requester")
    assert "waiting_for_requester/sie" in keys(world.new_answers(KONRAD)[-1].reply.text)
    world.says(KONRAD, "Raum 213")
    world.settle()
    assert world.ticket(ticket).state == TicketState.IN_PROGRESS


def test_status_lists_the_tickets_with_who_works_on_them(world: World) -> None:
    assert "no_tickets/du" in keys(world.ask(JETTE, "Status?").reply.text)
    ticket = world.ticket_for(KONRAD)
    listed = world.ask(KONRAD, "Status?").reply.text
    assert "your_tickets/sie" in keys(listed)
    assert ticket in listed
    assert "jemand meldet sich heute bis 12:00 Uhr" in listed


@pytest.mark.parametrize("how", ["cancel_yes", "ja"])
def test_a_ticket_is_cancelled_after_a_question(world: World, how: str) -> None:
    ticket = world.ticket_for(KONRAD)
    assert "cancel_ticket" in keys(world.ask(KONRAD, "abbrechen").reply.text)
    post = world.press(KONRAD, how) if how == "cancel_yes" else world.ask(KONRAD, how)
    assert "ticket_closed" in keys(post.reply.text)
    assert world.ticket(ticket).state == TicketState.CLOSED
    assert "agent_closed_by_requester" in keys(world.thread(ticket)[-1])


@pytest.mark.parametrize("how", ["cancel_no", "nein"])
def test_a_ticket_that_shall_not_be_cancelled_stays(world: World, how: str) -> None:
    ticket = world.ticket_for(KONRAD)
    world.ask(KONRAD, "abbrechen")
    post = world.press(KONRAD, how) if how == "cancel_no" else world.ask(KONRAD, how)
    assert "ticket_kept" in keys(post.reply.text)
    assert world.ticket(ticket).is_open
    assert "button_stale" in keys(world.press(KONRAD, "cancel_yes").reply.text)


def test_cancel_with_nothing_open_says_so(world: World) -> None:
    assert "nothing_to_cancel" in keys(world.ask(KONRAD, "abbrechen").reply.text)


def test_what_belongs_to_a_ticket_from_another_place_goes_there(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.understander.teach("Noch etwas zu meinem Ticket: Raum 213", "add_to_ticket")
    elsewhere = Address("web", "chat", "konrad-unterwegs")
    words = "Noch etwas zu meinem Ticket: Raum 213"
    world.app.engine.receive(Incoming(elsewhere, KONRAD, words, "m-1", world.clock()))
    world.settle()
    assert world.thread(ticket)[-1] == words
    assert "added" in keys(world.channel.at("chat", "konrad-unterwegs")[-1].reply.text)
    moved = next(message for message in world.messages() if message.source_id == "m-1")
    assert moved.conversation_id == world.ticket(ticket).conversation_id


# --- out of scope, outages --------------------------------------------------------------------------------------------
def test_out_of_scope_is_pointed_away_once_and_a_ticket_is_offered(world: World) -> None:
    weather = "Wie wird das Wetter morgen in Kiel?"
    assert "out_of_scope" in keys(world.ask(KONRAD, weather).reply.text)
    assert "receipt_asked_for_person" in keys(world.press(KONRAD, "ticket").reply.text)
    world.press(KONRAD, "skip")
    world.press(KONRAD, "skip")
    assert world.ticket().summary == weather


def test_out_of_scope_is_not_pointed_away_a_second_time(world: World) -> None:
    weather = "Wie wird das Wetter morgen in Kiel?"
    world.ask(KONRAD, weather)
    assert "receipt" in keys(world.ask(KONRAD, weather).reply.text)


def test_a_known_outage_is_told_and_a_ticket_still_possible(world: World) -> None:
    ticket = world.unsolved(KONRAD, "Im zweiten Stock ist das Netz weg seit heute.")
    assert world.agent_presses(MAREN, ticket, "outage", "on").ok
    told = world.ask(JETTE, "Der ganze zweite Stock ist offline").reply
    assert "known_outage" in keys(told.text)
    assert ticket in told.text
    assert world.tickets() == 1
    post = world.press(JETTE, "ticket")
    while any(button.action == "skip" for button in post.reply.buttons):
        post = world.press(JETTE, "skip")
    assert world.tickets() == 2


def test_an_outage_that_is_over_is_not_told_any_more(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_presses(MAREN, ticket, "outage", "on")
    world.agent_presses(MAREN, ticket, "outage", "off")
    assert "receipt_outage" in keys(world.ask(JETTE, "Der ganze zweite Stock ist offline").reply.text)


# --- time and failure -------------------------------------------------------------------------------------------------
def test_nobody_reacting_in_time_is_told_to_the_agents_once(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    for _ in range(5):
        world.passes(hours=1)
    assert len([text for text in world.thread(ticket) if "agent_first_response_due" in keys(text)]) == 1
    assert world.events(ticket)[-1] == "first_response_overdue"


def test_who_reacts_in_time_is_not_warned(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_says(MAREN, ticket, "Guten Tag!")
    world.passes(days=2)
    assert world.thread(ticket) == []


def test_a_resolved_ticket_is_closed_after_the_window(world: World) -> None:
    resolved(world)
    world.passes(days=6)
    assert world.ticket().state == TicketState.RESOLVED
    world.passes(days=2)
    assert world.ticket().state == TicketState.CLOSED
    assert world.conversation(KONRAD).outcome == "assumed"


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_when_the_models_are_away_a_message_ends_with_a_person_in_every_state(
    world: World, state: Callable[[World], None]
) -> None:
    state(world)
    world.understander.away = RuntimeError("no model")
    world.says(KONRAD, "Es klingelt schon wieder so laut.")
    for _ in range(4):
        world.passes(minutes=1)
    ticket = world.ticket()
    assert ticket.is_open
    assert world.counts().settled
    seen = "\n".join([*world.thread(ticket.number), world.card(ticket.number).reply.text])
    assert "klingelt schon wieder" in seen
    if state is not with_person:  # a person reads it there
        assert world.new_answers(KONRAD)


def test_an_error_that_passes_is_not_noticed(world: World) -> None:
    world.understander.away = RuntimeError("no model")
    world.says(KONRAD, VPN_QUESTION)
    world.settle()
    assert world.posts_to(KONRAD) == []
    world.understander.away = None
    world.passes(minutes=1)
    assert "answer" in keys(world.one_answer(KONRAD).reply.text)
    assert world.tickets() == 0


def test_an_agents_message_that_cannot_be_handled_is_told_to_the_agents(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.app.worker.engine = BrokenEngine(world.app.house)
    world.agent_says(MAREN, ticket, "Guten Tag!")
    for _ in range(4):
        world.passes(minutes=1)
    assert "agent_failed" in keys(world.thread(ticket)[-1])
    assert world.counts().settled


class BrokenEngine(Engine):
    """Has a defect in its handling."""

    def _handle_messages(self, *message: object) -> str:
        raise RuntimeError("a defect")


# --- after the end ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("days", [0, 8])
def test_an_agents_word_after_the_end_is_passed_on_and_changes_nothing(world: World, days: int) -> None:
    resolved(world)
    ticket = world.ticket().number
    world.passes(days=days)
    before = (world.ticket(ticket).state, world.conversation(KONRAD).state)
    world.agent_says(MAREN, ticket, "Noch ein Tipp.")
    assert world.one_answer(KONRAD).reply.text == "Noch ein Tipp."
    assert (world.ticket(ticket).state, world.conversation(KONRAD).state) == before


def test_resolved_without_a_claim_names_who_resolved_it(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_presses(TOMASZ, ticket, "resolve", fix="Kabel getauscht.")
    assert "Tomasz Wilk hat das Ticket" in world.one_answer(KONRAD).reply.text


def test_a_resolution_can_be_proposed_as_an_article(world: World) -> None:
    ticket = world.ticket_for(KONRAD, VPN_QUESTION)
    world.agent_presses(MAREN, ticket, "resolve", fix="Kabel getauscht.", propose_article="yes")
    with world.app.house.sessions() as session:
        proposed = open_questions(session)
    assert [(question.question, question.reason) for question in proposed] == [(VPN_QUESTION, "proposed")]
    assert proposed[0].ticket_numbers == [ticket]


def test_an_agent_reopens_and_the_requester_is_told(world: World) -> None:
    resolved(world)
    ticket = world.ticket().number
    assert world.agent_presses(MAREN, ticket, "reopen").ok
    assert "reopened_by_owner" in keys(world.one_answer(KONRAD).reply.text)
    assert world.ticket(ticket).is_open


# --- the agents' buttons ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("action", "value", "fields", "key"),
    [
        ("state", "resolved", {}, "state_not_by_hand"),
        ("state", "new", {}, "state_not_by_hand"),
        ("state", "nonsense", {}, "wrong_value"),
        ("correct", "", {"impact": "9"}, "wrong_value"),
        ("correct", "", {"impact": "x"}, "wrong_value"),
        ("correct", "", {"queue": "nowhere"}, "wrong_value"),
        ("correct", "", {"category": "c" * 200}, "wrong_value"),
        ("correct", "", {"type": "wish"}, "wrong_value"),
        ("correct", "", {"agent_id": "1"}, "wrong_value"),
        ("assign", "", {"person": "nobody"}, "no_such_person"),
        ("reopen", "", {}, "cannot_reopen"),
        ("no_such_button", "", {}, "not_for_you"),
    ],
)
def test_what_is_not_possible_is_told_with_the_reason(
    world: World, action: str, value: str, fields: dict[str, str], key: str
) -> None:
    ticket = world.ticket_for(KONRAD)
    before = world.events(ticket)
    result = world.agent_presses(MAREN, ticket, action, value, **fields)
    assert not result.ok
    assert key in keys(result.text or "")
    assert world.events(ticket) == before


def test_a_correction_with_one_wrong_value_changes_nothing(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    assert not world.agent_presses(MAREN, ticket, "correct", urgency="1", impact="7").ok
    assert world.ticket(ticket).urgency == 2


def test_a_correction_is_logged_and_drawn_on_the_card(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    assert world.agent_presses(MAREN, ticket, "correct", urgency="1", impact="1", queue="network").ok
    assert "P1" in world.card(ticket).reply.text
    assert "Netzwerk" in world.card(ticket).reply.text
    assert world.events(ticket).count("corrected") == 3


def test_the_third_level_is_brought_in_once_and_has_no_buttons(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    assert world.agent_presses(MAREN, ticket, "escalate").ok
    again = world.agent_presses(TOMASZ, ticket, "escalate")
    assert "already_escalated" in keys(again.text or "")
    assert "escalate" not in [button.action for button in world.card(ticket).reply.buttons]
    assert (
        len([p for p in world.channel.at("third-level", ticket) if ticket in p.reply.text and "P3" in p.reply.text])
        == 1
    )
    refused = world.agent_presses(HENRIK, ticket, "claim", channel="third-level")
    assert "not_for_you" in keys(refused.text or "")


def test_a_refused_press_that_comes_again_is_refused_again(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_presses(MAREN, ticket, "claim")
    press = Press(world.desk(ticket), TOMASZ, "claim", "", "press-1")
    assert [world.app.engine.press(press).ok for _ in range(3)] == [False, False, False]
    assert world.ticket(ticket).agent.name == MAREN.name  # type: ignore[union-attr]


@pytest.mark.parametrize("action", ["claim", "escalate", "hand_back", "resolve", "outage", "state", "assign"])
def test_nothing_can_be_done_with_a_closed_ticket(world: World, action: str) -> None:
    resolved(world)
    world.passes(days=8)
    ticket = world.ticket().number
    before = world.events(ticket)
    assert not world.agent_presses(TOMASZ, ticket, action, "on_hold", person="maren").ok
    assert world.events(ticket) == before
    assert world.card(ticket).reply.buttons == ()
