"""What changes a ticket while it waits for a person."""

import pytest
from sentences import keys
from world import KONRAD, UNKNOWN_QUESTION, World

from handoff.models import Reason

SENSITIVE = "Auf meiner Gehaltsabrechnung fehlt etwas"
URGENT = "Es ist sehr dringend, die Produktion steht!"


def test_sensitive_words_move_a_waiting_ticket_to_their_team(world: World) -> None:
    world.press_only(KONRAD, "person")
    world.new_answers(KONRAD)
    assert "raised" in keys(world.ask(KONRAD, SENSITIVE).reply.text)
    ticket = world.ticket()
    assert (ticket.queue, ticket.reason, ticket.urgency) == ("people", Reason.SENSITIVE, 1)


def test_urgent_words_bring_the_reaction_forward(world: World) -> None:
    world.press_only(KONRAD, "person")
    world.new_answers(KONRAD)
    before = world.ticket()
    assert "raised" in keys(world.ask(KONRAD, URGENT).reply.text)
    after = world.ticket()
    assert after.first_response_due < before.first_response_due
    assert after.priority < before.priority
    assert after.queue == before.queue


def test_what_was_raised_once_is_only_added_the_second_time(world: World) -> None:
    world.press_only(KONRAD, "person")
    world.new_answers(KONRAD)
    world.ask(KONRAD, URGENT)
    assert "added" in keys(world.ask(KONRAD, URGENT).reply.text)


@pytest.mark.parametrize("text", ["das hat geholfen"])
def test_what_has_settled_itself_opens_no_ticket(world: World, text: str) -> None:
    world.ask(KONRAD, UNKNOWN_QUESTION)
    assert "helped" in keys(world.ask(KONRAD, text).reply.text)
    assert world.tickets() == 0
