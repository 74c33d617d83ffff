"""Tickets and conversations under any order of events: people, clocks, failing platforms, restarts."""

import logging
import shutil
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select
from states import disagreements
from world import (
    HENRIK,
    JETTE,
    KONRAD,
    MAREN,
    PRINTER_QUESTION,
    PRINTERS,
    TOMASZ,
    UNKNOWN_QUESTION,
    VPN,
    VPN_QUESTION,
    World,
    build_world,
    chat,
)

from bot.channels.port import Press, TryAgain, Unreachable
from handoff.models import Conversation, ConversationState, Kind, Message, Side, Ticket, TicketEvent

EMPLOYEES = st.sampled_from([KONRAD, JETTE])
AGENTS = st.sampled_from([MAREN, TOMASZ])
WORDS = st.sampled_from(
    [
        *(VPN_QUESTION, PRINTER_QUESTION, UNKNOWN_QUESTION, "1", "2", "ja", "nein", "danke", "hallo", "status?"),
        *("abbrechen", "bitte ein ticket", "das hat geholfen", "das hat nicht geholfen", "Ein Mensch bitte."),
        *("geht immer noch nicht", "Mein Gehalt stimmt nicht", "Das ist dringend!", "So ein Mist, das nervt mich"),
        *("der ganze zweite stock ist offline", "wie wird das wetter morgen in kiel?", "", "🙂", "seit gestern"),
    ]
)
PRESSES = st.sampled_from(
    [
        *("helped", "not_helped", "none", "choose", "skip", "ticket", "works", "still_broken"),
        *("cancel_yes", "cancel_no", "person", "claim"),
    ]
)
ACTIONS = st.sampled_from(
    ["claim", "assign", "state", "correct", "escalate", "hand_back", "resolve", "reopen", "outage", "nonsense"]
)
VALUES = st.sampled_from(
    ["", "on", "off", "on_hold", "waiting_for_requester", "in_progress", "resolved", "closed", "x"]
)
FIELDS = st.sampled_from(
    [{}, {"person": "maren"}, {"person": "nobody"}, {"urgency": "1"}, {"impact": "9"}, {"queue": "network"}]
)
WHICH = st.integers(0, 9)


class AnyOrder(RuleBasedStateMachine):
    """What people, time and platforms can do, in any order; what must hold after each step."""

    new_database: Callable[[], str]

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lotse-any-order-"))
        self.world: World = build_world(self.new_database(), self.folder)
        for article in (VPN, *PRINTERS):
            self.world.publish(*article)
        self.prefix = uuid.uuid4().hex[:6]
        self.sources: list[str] = []
        self.log: list[tuple[int, str]] = []
        self.defects = Defects()

    def name(self) -> str:
        self.sources.append(f"{self.prefix}-{len(self.sources)}")
        return self.sources[-1]

    # --- employees ------------------------------------------------------------------------------------------------
    @rule(who=EMPLOYEES, text=WORDS)
    def employee_writes(self, who: Any, text: str) -> None:
        self.world.says(who, text, source_id=self.name())

    @rule(who=EMPLOYEES, text=WORDS)
    def employee_writes_and_is_answered(self, who: Any, text: str) -> None:
        self.world.says(who, text, source_id=self.name())
        self.world.settle()

    @rule(who=EMPLOYEES, action=PRESSES, which=WHICH, value=WHICH, settle=st.booleans())
    def employee_presses(self, who: Any, action: str, which: int, value: int, settle: bool) -> None:
        posts = self.world.posts_to(who)
        on = posts[-1 - which].key if which < len(posts) else None
        press = Press(chat(who), who, action, str(value) if action == "choose" else "", self.name(), on=on)
        assert self.world.app.engine.press(press).ok
        if settle:
            self.world.settle()

    @rule(who=EMPLOYEES, which=WHICH, button=WHICH, settle=st.booleans())
    def employee_presses_an_offered_button(self, who: Any, which: int, button: int, settle: bool) -> None:
        offers = [post for post in self.world.posts_to(who) if post.reply.buttons][-3:]
        if offers:
            post = offers[-1 - which % len(offers)]
            chosen = post.reply.buttons[button % len(post.reply.buttons)]
            self.world.press_only(who, chosen.action, chosen.value, post.key, self.name())
        if settle:
            self.world.settle()

    @rule(who=EMPLOYEES, which=WHICH, text=WORDS, deletes=st.booleans())
    def employee_changes_something(self, who: Any, which: int, text: str, deletes: bool) -> None:
        source = self.sources[-1 - which] if which < len(self.sources) else "unknown"
        change = {"deletes": source} if deletes else {"edits": source}
        self.world.says(who, "" if deletes else text, source_id=self.name(), **change)

    @precondition(lambda self: self.sources)
    @rule(who=EMPLOYEES, which=WHICH, text=WORDS)
    def the_platform_repeats_an_event(self, who: Any, which: int, text: str) -> None:
        before = self.world.counts().received
        self.world.says(who, text, source_id=self.sources[which % len(self.sources)])
        assert self.world.counts().received == before

    # --- agents ---------------------------------------------------------------------------------------------------
    @precondition(lambda self: self.world.tickets())
    @rule(who=AGENTS, which=WHICH, kind=st.sampled_from(["reply", "note", "prefix", "third", "edit"]), other=WHICH)
    def agent_writes(self, who: Any, which: int, kind: str, other: int) -> None:
        ticket, name = self.some_ticket(which), self.name()
        text = f"canary-{name}" if kind != "prefix" else f"// canary-{name}"
        if kind == "third":
            stored = self.world.agent_says(HENRIK, ticket, text, channel="third-level", source_id=name)
            if stored is None:
                self.sources.remove(name)  # nobody has escalated this ticket: it is chatter, and nothing is kept of it
        elif kind == "edit":
            edits = self.sources[-1 - other] if other < len(self.sources) else "unknown"
            self.world.agent_says(who, ticket, text, source_id=name, edits=edits)
        else:
            self.world.agent_says(who, ticket, text, source_id=name, is_note=kind == "note")

    @precondition(lambda self: self.world.tickets())
    @rule(who=AGENTS, which=WHICH, action=ACTIONS, value=VALUES, fields=FIELDS)
    def agent_presses(self, who: Any, which: int, action: str, value: str, fields: dict[str, str]) -> None:
        result = self.world.agent_presses(who, self.some_ticket(which), action, value, **fields)
        assert result.ok or result.text

    @precondition(lambda self: self.world.tickets())
    @rule(who=AGENTS, which=WHICH, then=st.sampled_from(["reply", "written meanwhile", "time", "nothing"]))
    def agent_resolves(self, who: Any, which: int, then: str) -> None:
        ticket = self.some_ticket(which)
        self.world.agent_presses(who, ticket, "resolve", fix="Neu gestartet.")
        if then == "reply":
            self.world.agent_says(who, ticket, "Noch etwas.", source_id=self.name())
        elif then == "written meanwhile":
            for text in ("danke", VPN_QUESTION):
                self.world.press_only(KONRAD, "works", source_id=self.name())
                self.world.says(KONRAD, text, source_id=self.name())
        elif then == "time":
            self.world.passes(days=8)

    @rule(who=EMPLOYEES)
    def employee_wants_a_person(self, who: Any) -> None:
        self.world.press_only(who, "person", source_id=self.name())
        self.world.settle()

    def some_ticket(self, which: int) -> str:
        return f"TKT-{1001 + which % self.world.tickets()}"

    # --- time, platforms, machines --------------------------------------------------------------------------------
    @rule(seconds=st.sampled_from([1, 30, 200, 4_000, 30_000, 90_000, 700_000]))
    def time_passes(self, seconds: int) -> None:
        self.world.passes(seconds=seconds)

    @rule()
    def everything_due_is_done(self) -> None:
        self.world.settle()

    @rule(how=st.sampled_from([ConnectionError("away"), TryAgain(30), TryAgain(), Unreachable("blocked")]))
    def the_next_send_fails(self, how: Exception) -> None:
        self.world.channel.raises.append(how)

    @rule()
    def the_answer_of_a_send_is_lost(self) -> None:
        self.world.channel.lost += 1

    @rule(away=st.booleans())
    def the_models_go_away_or_come_back(self, away: bool) -> None:
        self.world.understander.away = ModelsAreAwayError("no model") if away else None

    @rule()
    def lotse_is_killed_and_started_again(self) -> None:
        self.world.restart()

    # --- what must hold -------------------------------------------------------------------------------------------
    @invariant()
    def states_are_consistent(self) -> None:
        with self.world.app.house.sessions() as session:
            assert disagreements(session) == []
            conversations = session.scalars(select(Conversation)).all()
            open_places = [one.place_id for one in conversations if one.state != ConversationState.CLOSED]
            assert len(open_places) == len(set(open_places))

    @invariant()
    def the_log_only_grows(self) -> None:
        with self.world.app.house.sessions() as session:
            log = [(event.id, event.kind) for event in session.scalars(select(TicketEvent).order_by(TicketEvent.id))]
        assert log[: len(self.log)] == self.log
        self.log = log

    @invariant()
    def after_its_end_nothing_more_is_done_to_a_ticket(self) -> None:
        with self.world.app.house.sessions() as session:
            for ticket in session.scalars(select(Ticket)):
                kinds = [event.kind for event in ticket.events]
                after = kinds[kinds.index("closed") + 1 :] if "closed" in kinds else []
                assert set(after) <= {"replied", "noted", "deleted_message"}, kinds

    @invariant()
    def every_ticket_has_its_receipt_and_its_card(self) -> None:
        with self.world.app.house.sessions() as session:
            for ticket in session.scalars(select(Ticket)):
                own = select(Message).where(Message.conversation_id == ticket.conversation_id).order_by(Message.id)
                posts = [m for m in session.scalars(own) if m.to_send]
                receipt = next(m for m in posts if m.kind == Kind.RECEIPT)
                assert receipt.created_at == ticket.opened_at
                assert posts[posts.index(receipt) + 1].kind == Kind.CARD
                assert [place.side for place in ticket.places][:1] == [Side.HANDOFF]

    @invariant()
    def no_note_is_where_the_employee_is(self) -> None:
        with self.world.app.house.sessions() as session:
            rows = session.scalars(select(Message)).all()
            notes = {m.text for m in rows if m.kind == Kind.NOTE}
            assert not [m.id for m in rows if m.to_send and m.place.side == Side.REQUESTER and m.text in notes]

    @invariant()
    def everything_is_accounted_for(self) -> None:
        assert self.world.counts().balanced, self.world.counts()
        assert not self.world.channel.repeated
        assert not self.defects.seen

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.world.channel.raises.clear()
        self.world.channel.lost = 0
        self.world.understander.away = None
        for _ in range(3):
            self.world.passes(minutes=30)
        counts, outcomes = self.world.counts(), [m.outcome for m in self.world.messages() if not m.to_send]
        self.defects.forget()
        self.world.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        assert counts.settled, counts
        assert all(outcomes)


class ModelsAreAwayError(RuntimeError):
    """The one failure of handling that these tests cause themselves."""


class Defects(logging.Handler):
    """Collects what the engine logs as failed, except what the tests caused."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []
        logging.getLogger("bot.engine").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and not isinstance(record.exc_info[1], ModelsAreAwayError):
            self.seen.append(repr(record.exc_info[1]))

    def forget(self) -> None:
        logging.getLogger("bot.engine").removeHandler(self)


QUIET = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck), "print_blob": True}


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("database", "examples"), [("sqlite", 25), ("postgresql", 5)])
def test_any_order_of_events(database: str, examples: int, request: pytest.FixtureRequest) -> None:
    make = request.getfixturevalue(f"new_{database}")
    machine = type("AnyOrderHere", (AnyOrder,), {"new_database": staticmethod(make)})
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=30, **QUIET))  # type: ignore[arg-type]
