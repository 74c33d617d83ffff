"""The engine's edges: races, timers that cannot ring, what a repeat says."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sentences import keys
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from world import JETTE, KONRAD, MAREN, UNKNOWN_QUESTION, VPN_QUESTION, World, chat

from bot.channels.port import Incoming
from bot.engine import Engine, T
from handoff.models import Conversation, Timer
from handoff.timers import TimerKind, set_timer


def came(world: World, text: str = VPN_QUESTION, source_id: str = "m-1") -> Incoming:
    return Incoming(chat(KONRAD), KONRAD, text, source_id, world.clock())


class RacingEngine(Engine):
    """Loses a race for a new row `losses` times."""

    losses = 0

    def write(self, write: Callable[[Session], T]) -> T:
        def raced(session: Session) -> T:
            if self.losses:
                self.losses -= 1
                raise IntegrityError("INSERT", {}, Exception("unique"))
            return write(session)

        return super().write(raced)


@pytest.mark.parametrize("losses", [1, 2])
def test_a_lost_race_is_tried_again(world: World, losses: int) -> None:
    engine = RacingEngine(world.app.house)
    engine.losses = losses
    assert engine.receive(came(world)) is not None


def test_a_fault_of_the_data_is_not_tried_for_ever(world: World) -> None:
    engine = RacingEngine(world.app.house)
    engine.losses = 100
    with pytest.raises(IntegrityError):
        engine.receive(came(world))
    assert engine.losses == 97


def test_storing_rings_the_bell(world: World) -> None:
    bell = world.app.house.bell
    before = bell.rung
    world.says(KONRAD, VPN_QUESTION)
    world.press_only(KONRAD, "person")
    assert bell.rung == before + 2


def test_a_timer_that_cannot_ring_is_tried_later_and_blocks_nothing(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.app.worker.engine = BrokenTimers(world.app.house)
    world.passes(hours=5)
    world.agent_says(MAREN, ticket, "Guten Tag!")
    assert world.posts_to(KONRAD)[-1].reply.text == "Guten Tag!"
    with world.app.house.sessions() as session:
        due = [timer.due_at for timer in session.scalars(select(Timer))]
    assert all(at > world.clock() for at in due)


class BrokenTimers(Engine):
    """Cannot ring."""

    def _ring(self, *timer: object) -> None:
        raise RuntimeError("a defect")


@pytest.mark.parametrize("kind", [TimerKind.FACTS, TimerKind.IDLE, TimerKind.CLOSE_RESOLVED])
def test_a_timer_that_no_longer_fits_the_case_does_nothing(world: World, kind: TimerKind) -> None:
    ticket = world.ticket_for(KONRAD)
    before = world.events(ticket), len(world.messages()), world.conversation(KONRAD).state
    with world.app.house.sessions.begin() as session:
        set_timer(session, session.scalars(select(Conversation)).one(), kind, world.clock())
    world.passes(seconds=1)
    assert (world.events(ticket), len(world.messages()), world.conversation(KONRAD).state) == before


def test_a_message_that_keeps_failing_pauses_longer_each_time(world: World) -> None:
    world.understander.away = RuntimeError("no model")
    world.says(KONRAD, VPN_QUESTION)
    pauses = []
    for _ in range(2):
        world.settle()
        due = world.messages()[0].handle_after
        assert due is not None
        pauses.append(due - world.clock())
        world.clock.time = due
    assert pauses == [timedelta(seconds=2), timedelta(seconds=4)]


def test_when_even_the_ticket_fails_the_message_waits_and_is_not_lost(world: World) -> None:
    queues = world.app.house.settings.handoff.queues
    kept = dict(queues)
    queues.clear()
    world.says(KONRAD, "Ein Mensch bitte.")
    for _ in range(6):
        world.passes(minutes=1)
    assert world.messages()[0].handle_attempts >= 3
    assert world.counts().open == 1
    queues.update(kept)
    world.passes(minutes=20)
    assert world.tickets() == 1
    assert world.counts().settled


def test_a_failing_message_does_not_hold_up_another_conversation(world: World) -> None:
    world.understander.away = RuntimeError("no model")
    world.says(KONRAD, UNKNOWN_QUESTION)
    world.settle()
    world.understander.away = None
    assert "answer" in keys(world.ask(JETTE, VPN_QUESTION).reply.text)
