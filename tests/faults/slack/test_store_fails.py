"""The record cannot be written, or everything else is slow: what Slack is told, and how soon."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from time import monotonic

import pytest
from fake_slack import Actor, FakeSlack, Message, Upload, View
from fakes import FakeClock
from patience import eventually
from slack_world import SlackWorld, Transport, actions, words
from sqlalchemy import text
from together import at_once
from world import VPN_QUESTION

from bot.channels.slack.members import FRESH, PATIENCE

Note = Callable[[str, str], None]


@contextmanager
def no_store(slack: SlackWorld) -> Iterator[None]:
    """The table of messages is away for a while."""
    rename(slack, "message", "message_away")
    try:
        yield
    finally:
        rename(slack, "message_away", "message")


def rename(slack: SlackWorld, old: str, new: str) -> None:
    with slack.app.house.sessions.begin() as session:
        session.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))


@pytest.fixture
def impatient(slack: SlackWorld) -> SlackWorld:
    """Nothing is repeated by itself, and Slack waits two seconds where nothing tells it that storing failed."""
    slack.fake.postman.retries = 0
    slack.fake.postman.ack_timeout = 3.0 if slack.transport == "http" else 2.0
    return slack


def refused(slack: SlackWorld) -> int:
    """What Slack is told when storing failed: an error over HTTP, nothing over Socket Mode."""
    return 500 if slack.transport == "http" else 0


# --- the store fails --------------------------------------------------------------------------------------------------
def test_a_message_that_cannot_be_stored_is_refused_and_its_repeat_answered(
    impatient: SlackWorld, caplog: pytest.LogCaptureFixture
) -> None:
    slack = impatient
    asked = slack.konrad.dm(VPN_QUESTION, deliver=False)
    event = slack.konrad._message_event(asked)
    with no_store(slack), caplog.at_level(logging.DEBUG):
        first = slack.fake.deliver(event, event_id="Ev1")
    assert (first.status, first.attempts) == (refused(slack), 1)
    assert "something from Slack could not be taken" in caplog.text
    assert "Zentrale" not in caplog.text
    assert slack.fake.deliver(event, event_id="Ev1", retry=1).status == 200
    slack.settle()
    assert ["Profil Zentrale" in words(post) for post in slack.answers(slack.konrad)] == [True]


def test_slack_repeats_until_the_store_is_back(slack: SlackWorld) -> None:
    slack.fake.postman.scale = 0.01  # 0, 0.6 and 3 s between the tries
    slack.fake.postman.ack_timeout = 0.5
    rename(slack, "message", "message_away")
    back = threading.Timer(1.0, rename, (slack, "message_away", "message"))
    back.start()
    slack.konrad.dm(VPN_QUESTION)
    back.join()
    assert slack.fake.deliveries[-1].status == 200
    assert slack.fake.deliveries[-1].attempts > 1
    slack.settle()
    assert len(slack.answers(slack.konrad)) == 1


def test_an_agents_reply_that_cannot_be_stored_reaches_the_requester_with_its_repeat(impatient: SlackWorld) -> None:
    slack = impatient
    card = slack.wants_person()
    reply = slack.maren.posts(slack.desk, "Ich bin dran.", card, deliver=False)
    event = slack.maren._message_event(reply)
    with no_store(slack):
        assert slack.fake.deliver(event, event_id="Ev1").status == refused(slack)
    slack.settle()
    assert "Ich bin dran." not in [words(post) for post in slack.answers(slack.konrad)]
    assert slack.fake.deliver(event, event_id="Ev1", retry=1).ok
    slack.settle()
    assert [words(post) for post in slack.answers(slack.konrad)].count("Ich bin dran.") == 1


def test_a_press_that_cannot_be_stored_is_refused_and_can_be_pressed_again(impatient: SlackWorld) -> None:
    slack = impatient
    card = slack.wants_person()
    with no_store(slack):
        assert slack.maren.presses(card, "lotse:claim").status == refused(slack)
    assert slack.ticket().agent is None
    assert slack.maren.presses(card, "lotse:claim").ok
    slack.settle()
    agent = slack.ticket().agent
    assert agent is not None
    assert agent.name == "Maren Tiede"


def test_a_requesters_press_that_cannot_be_stored_keeps_its_buttons(impatient: SlackWorld) -> None:
    slack = impatient
    slack.asks(slack.konrad, VPN_QUESTION)
    (answer,) = slack.answers(slack.konrad)
    with no_store(slack):
        assert slack.konrad.presses(answer, "lotse:not_helped").status == refused(slack)
    slack.settle()
    assert "not_helped" in actions(answer)
    assert slack.konrad.presses(answer, "lotse:not_helped").ok
    slack.settle()
    assert len(slack.answers(slack.konrad)) == 2


def test_a_form_that_cannot_be_stored_stays_open(impatient: SlackWorld) -> None:
    slack = impatient
    card = slack.wants_person()
    slack.maren.presses(card, "lotse:reply")
    form = slack.form(slack.maren)
    with no_store(slack):
        assert slack.maren.submits(form, {"text": "Aus dem Formular."}).status == refused(slack)
    assert form.open
    assert slack.maren.submits(form, {"text": "Aus dem Formular."}).ok
    assert not form.open
    slack.settle()
    assert [words(post) for post in slack.answers(slack.konrad)].count("Aus dem Formular.") == 1


def test_a_command_that_cannot_be_stored_is_refused(impatient: SlackWorld) -> None:
    slack = impatient
    with no_store(slack):
        assert slack.konrad.command("/helpdesk", VPN_QUESTION).status == refused(slack)
    assert slack.konrad.command("/helpdesk", VPN_QUESTION).ok
    slack.settle()
    assert sum("Danach melden Sie sich an" in words(post) for post in slack.answers(slack.konrad)) == 1


def test_a_locked_database_delays_and_loses_nothing(slack: SlackWorld) -> None:
    """Somebody else writes for a second; Slack waits for three."""
    writing, done = threading.Event(), threading.Event()

    def write() -> None:
        with slack.app.house.sessions.begin():
            writing.set()
            done.wait(1.0)

    writer = threading.Thread(target=write)
    writer.start()
    writing.wait()
    slack.konrad.dm(VPN_QUESTION)
    done.set()
    writer.join()
    slack.settle()
    assert slack.fake.deliveries[-1].ok
    assert len(slack.answers(slack.konrad)) == 1


# --- everything but the store is slow ---------------------------------------------------------------------------------
SLOW = ("users.info", "conversations.members", "assistant.threads.setStatus", "views.open", "chat.postEphemeral")
SECONDS, LIMIT, PEOPLE, ROUNDS = 5.0, 3.0, 8, 3


class RealClock(FakeClock):
    """The time of day."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)


@contextmanager
def real_time(transport: Transport, database_url: str, folder: Path) -> Iterator[SlackWorld]:
    """A Lotse whose worker threads run."""
    with FakeSlack(transport) as fake:
        slack = SlackWorld(fake, RealClock(), transport, database_url, folder, patience=PATIENCE)
        slack.app.worker.start()
        try:
            yield slack
        finally:
            for method in (*SLOW, "files-pri"):
                fake.delay(method, 0)
            slack.close()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("transport", ["http", "socket"])
def test_slack_is_acknowledged_in_time_however_slow_it_answers_itself(
    new_sqlite: Callable[[], str], tmp_path: Path, transport: Transport, note: Note
) -> None:
    with real_time(transport, new_sqlite(), tmp_path) as slack:
        slack.konrad.dm("Ich möchte mit einem Menschen sprechen.")
        assert eventually(lambda: len(slack.fake.said(slack.desk)) >= 2, 20)
        shifts = [prepared(slack, number) for number in range(PEOPLE)]
        card, before = slack.card(), len(slack.fake.deliveries)
        for method in (*SLOW, "files-pri"):
            slack.fake.delay(method, SECONDS)
        at_once([lambda shift=shift: use(slack, card, shift) for shift in shifts])
        taken = slack.fake.deliveries[before:]
        note(
            f"{transport}: Slack itself takes {SECONDS:.0f} s for each answer", figures([one.seconds for one in taken])
        )
        assert len(taken) >= 200
        assert {one.attempts for one in taken} == {1}
        assert {one.status for one in taken} == {200}
        assert quantiles([one.seconds for one in taken], n=100)[98] < LIMIT


@dataclass
class Shift:
    """An agent and the employees of theirs, each with the form for a ticket before them."""

    agent: Actor
    people: list[Actor]
    forms: list[View]


def prepared(slack: SlackWorld, number: int) -> Shift:
    agent = slack.fake.user(f"Agent {number}")
    agent.joins(slack.desk)
    people = [slack.fake.user(f"Person {number}-{one}") for one in range(ROUNDS)]
    asked = []
    for one in people:
        slack.general.members.append(one.id)
        asked.append(one.posts(slack.general, "Wer kennt sich aus?"))
        one.message_shortcut("open_ticket", asked[-1])
    return Shift(agent, people, [slack.form(one) for one in people])


def use(slack: SlackWorld, card: Message, shift: Shift) -> None:
    """What employees and an agent do in a minute: everything that asks Slack for something."""
    agent = shift.agent
    for one, form in zip(shift.people, shift.forms, strict=True):
        one.dm(VPN_QUESTION)
        one.dm("Siehe Anhang.", files=[Upload("bild.png", b"x" * 1000, "image/png")])
        one.mentions(slack.general, VPN_QUESTION)
        one.command("/helpdesk", "my tickets")
        agent.posts(slack.desk, "Ich sehe nach.", card, files=[Upload("log.txt", b"y" * 1000)])
        grow_old(slack)
        agent.presses(card, "lotse:claim")
        grow_old(slack)
        agent.selects(card, "lotse:assign", slack.maren.id)
        one.submits(form, {})
        one.command("/helpdesk", "person")


def grow_old(slack: SlackWorld) -> None:
    """Two minutes ago Slack was asked who is in its channels: it is asked again."""
    assert slack.app.slack is not None
    for room in slack.app.slack.edge.members._rooms.values():
        room.at = min(room.at, monotonic() - 2 * FRESH)


def figures(seconds: list[float]) -> str:
    cuts = quantiles(seconds, n=100)
    times = f"p50 {cuts[49]:.3f} s, p99 {cuts[98]:.3f} s, longest {max(seconds):.3f} s"
    return f"{len(seconds)} events and presses acknowledged: {times}"
