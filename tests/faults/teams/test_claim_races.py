"""Two agents press Claim at the same moment, a hundred times: one owner each time, and the other is told who."""

from collections.abc import Callable
from copy import deepcopy
from statistics import median
from time import monotonic

import pytest
from fake_teams import Actor, Message
from sqlalchemy import select
from teams_posts import WANTS_PERSON, database
from teams_world import TeamsWorld
from together import at_once

from handoff.desk import ticket_by_number
from handoff.models import TicketEvent

ROUNDS, SPARE, WITHIN = 100, 20, 0.010  # seconds between the two presses


@pytest.mark.timeout(240)
def test_of_two_who_claim_within_ten_milliseconds_one_wins_and_the_other_is_told(
    teams: TeamsWorld, note: Callable[[str, str], None]
) -> None:
    distances: list[float] = []
    winners: list[str] = []
    for card in open_tickets(teams, ROUNDS + SPARE):
        told = {agent.name: len(agent.told) for agent in agents(teams)}
        distance = race(teams, card)
        winner = check(teams, card, told)
        if distance <= WITHIN:  # a slow machine has started one of the two too late
            distances.append(distance)
            winners.append(winner)
        if len(distances) == ROUNDS:
            break
    note(f"{database(teams)}: two press Claim", report(distances, winners))
    assert len(distances) == ROUNDS
    assert set(winners) == {"Maren Tiede", "Tomasz Wilk"}  # it was a race
    assert [agent.failures for agent in agents(teams)] == [[], []]


def agents(teams: TeamsWorld) -> tuple[Actor, Actor]:
    return teams.maren, teams.tomasz


def open_tickets(teams: TeamsWorld, number: int) -> list[Message]:
    for one in range(number):
        teams.fake.user(f"Person {one}").writes(WANTS_PERSON)
    teams.settle()
    cards = teams.fake.roots(teams.desk)
    assert len(cards) == number
    return cards


def race(teams: TeamsWorld, card: Message) -> float:
    """Both press the card that both see; seconds between the two presses."""
    pressed: list[float] = []

    def press(agent: Actor, seen: Message) -> None:
        pressed.append(monotonic())
        assert agent.presses(seen, "claim").ok

    seen = deepcopy(card), deepcopy(card)
    at_once([lambda one=one, mine=mine: press(one, mine) for one, mine in zip(agents(teams), seen, strict=True)])
    return abs(pressed[0] - pressed[1])


def check(teams: TeamsWorld, card: Message, before: dict[str, int]) -> str:
    """Exactly one owns the ticket, exactly the other was told so; the winner's name."""
    number = teams.words(card).split(" ")[0]
    with teams.app.house.sessions() as session:
        ticket = ticket_by_number(session, number)
        assert ticket is not None
        assert ticket.agent is not None
        winner = ticket.agent.name
        events = list(session.scalars(select(TicketEvent.kind).where(TicketEvent.ticket_id == ticket.id)))
    assert events.count("claimed") == 1
    told = {agent.name: agent.told[before[agent.name] :] for agent in agents(teams)}
    assert told.pop(winner) == []
    ((told_loser,),) = told.values()
    assert winner in told_loser
    assert number in told_loser
    return winner


def report(distances: list[float], winners: list[str]) -> str:
    apart = f"median {1000 * median(distances):.2f} ms, longest {1000 * max(distances):.2f} ms"
    wins = ", ".join(f"{name} {winners.count(name)}" for name in sorted(set(winners)))
    return f"{len(distances)} races, presses apart by {apart}; one owner each time, the other told; won by {wins}"
