"""The record cannot be written, or everything else is slow: what Teams is told, and how soon."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles

import pytest
from fake_teams import Actor, Dialog, FakeTeams, Message, Upload
from fakes import FakeClock
from patience import eventually
from sqlalchemy import select, text
from teams_posts import WANTS_PERSON, answers_in
from teams_world import TeamsWorld, actions
from together import at_once
from world import VPN_QUESTION

from bot.channels.teams.members import PATIENCE
from handoff.models import Message as Row

Note = Callable[[str, str], None]
WORKER_ONLY = pytest.mark.parametrize("old_client", [False, True], ids=["Execute", "Submit"])


@contextmanager
def no_store(teams: TeamsWorld) -> Iterator[None]:
    """The table of messages is away for a while."""
    rename(teams, "message", "message_away")
    try:
        yield
    finally:
        rename(teams, "message_away", "message")


def rename(teams: TeamsWorld, old: str, new: str) -> None:
    with teams.app.house.sessions.begin() as session:
        session.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))


@pytest.fixture
def impatient(teams: TeamsWorld) -> TeamsWorld:
    """Teams brings nothing again by itself."""
    teams.fake.postman.repeats = 0
    return teams


def last_status(teams: TeamsWorld) -> int:
    return teams.fake.deliveries[-1].status


# --- the store fails --------------------------------------------------------------------------------------------------
def test_a_message_that_cannot_be_stored_is_refused_and_its_repeat_answered(
    impatient: TeamsWorld, caplog: pytest.LogCaptureFixture
) -> None:
    teams = impatient
    with no_store(teams), caplog.at_level(logging.DEBUG):
        message = teams.konrad.writes(VPN_QUESTION)
        assert last_status(teams) == 500
    assert "an activity of Teams (message) could not be taken" in caplog.text
    assert "Zentrale" not in caplog.text
    assert teams.fake.deliver(teams.fake.activity_of(message)).status == 200
    teams.settle()
    assert ["Profil Zentrale" in teams.words(post) for post in teams.answers(teams.konrad)] == [True]


def test_teams_repeats_until_the_store_is_back(teams: TeamsWorld) -> None:
    teams.fake.postman.pause = 0.6  # seconds between the tries
    rename(teams, "message", "message_away")
    back = threading.Timer(1.0, rename, (teams, "message_away", "message"))
    back.start()
    teams.konrad.writes(VPN_QUESTION)
    back.join()
    assert last_status(teams) == 200
    assert teams.fake.deliveries[-1].attempts > 1
    teams.settle()
    assert len(teams.answers(teams.konrad)) == 1


def test_a_mention_in_a_channel_that_cannot_be_stored_is_answered_with_its_repeat(impatient: TeamsWorld) -> None:
    teams = impatient
    with no_store(teams):
        message = teams.konrad.writes(VPN_QUESTION, teams.general, mention=True)
        assert last_status(teams) == 500
    assert teams.fake.deliver(teams.fake.activity_of(message)).status == 200
    teams.settle()
    assert len(answers_in(teams, message)) == 1


def test_an_agents_reply_that_cannot_be_stored_reaches_the_requester_with_its_repeat(impatient: TeamsWorld) -> None:
    teams = impatient
    card = teams.wants_person()
    with no_store(teams):
        reply = teams.maren.writes("Ich bin dran.", thread=card)
        assert last_status(teams) == 500
    teams.settle()
    assert told_by_maren(teams) == []
    assert teams.fake.deliver(teams.fake.activity_of(reply)).ok
    teams.settle()
    assert told_by_maren(teams) == ["Maren Tiede\nIch bin dran."]


def told_by_maren(teams: TeamsWorld) -> list[str]:
    return [one for one in map(teams.words, teams.answers(teams.konrad)) if one.startswith("Maren Tiede\n")]


@pytest.mark.parametrize("change", ["edits", "deletes"])
def test_a_change_that_cannot_be_stored_is_made_with_its_repeat(impatient: TeamsWorld, change: str) -> None:
    teams = impatient
    card = teams.wants_person()
    reply = teams.maren.writes("Stand 0", thread=card)
    teams.settle()
    teams.fake.postman.repeats, teams.fake.postman.pause = 1, 1.0
    rename(teams, "message", "message_away")
    back = threading.Timer(0.5, rename, (teams, "message_away", "message"))
    back.start()
    teams.maren.edits(reply, "Stand 1") if change == "edits" else teams.maren.deletes(reply)
    back.join()
    assert (last_status(teams), teams.fake.deliveries[-1].attempts) == (200, 2)
    teams.settle()
    (told,) = told_by_maren(teams)
    assert "Stand 0" not in told


@WORKER_ONLY
def test_a_press_that_cannot_be_stored_is_refused_and_can_be_pressed_again(
    impatient: TeamsWorld, old_client: bool
) -> None:
    teams = impatient
    card = teams.wants_person()
    with no_store(teams):
        assert teams.maren.presses(card, "claim", old_client=old_client).status == 500
    assert teams.ticket().agent is None
    assert teams.maren.presses(card, "claim", old_client=old_client).ok
    teams.settle()
    agent = teams.ticket().agent
    assert agent is not None
    assert agent.name == "Maren Tiede"


@WORKER_ONLY
def test_a_requesters_press_that_cannot_be_stored_keeps_its_buttons(impatient: TeamsWorld, old_client: bool) -> None:
    teams = impatient
    teams.asks(teams.konrad, VPN_QUESTION)
    (answer,) = teams.answers(teams.konrad)
    with no_store(teams):
        assert teams.konrad.presses(answer, "not_helped", old_client=old_client).status == 500
    teams.settle()
    assert "not_helped" in actions(answer)
    assert teams.konrad.presses(answer, "not_helped", old_client=old_client).ok
    teams.settle()
    assert len(teams.answers(teams.konrad)) == 2


def test_a_dialog_that_cannot_be_stored_stays_open(impatient: TeamsWorld) -> None:
    teams = impatient
    dialog = opened(teams.maren, teams.wants_person(), "reply")
    with no_store(teams):
        assert teams.maren.submits(dialog, {"text": "Aus dem Dialog."}) is None
        assert last_status(teams) == 500
    assert teams.maren.dialog is dialog
    teams.maren.submits(dialog, {"text": "Aus dem Dialog."})
    assert teams.maren.dialog is None
    teams.settle()
    assert told_by_maren(teams) == ["Maren Tiede\nAus dem Dialog."]


def opened(person: Actor, message: Message, action: str) -> Dialog:
    dialog = person.opens(message, action)
    assert isinstance(dialog, Dialog)
    return dialog


def test_a_ticket_that_cannot_be_stored_can_be_opened_again(impatient: TeamsWorld) -> None:
    teams = impatient
    dialog = teams.konrad.opens_ticket_on(teams.owen.writes("Der Drucker druckt nicht.", teams.general))
    assert isinstance(dialog, Dialog)
    with no_store(teams):
        assert teams.konrad.submits(dialog, {}) is None
        assert last_status(teams) == 500
    assert teams.konrad.dialog is dialog
    teams.konrad.submits(dialog, {})
    teams.settle()
    assert teams.tickets() == 1


def test_a_locked_database_delays_and_loses_nothing(teams: TeamsWorld) -> None:
    """Somebody else writes for a second; Teams waits for fifteen."""
    writing, done = threading.Event(), threading.Event()

    def write() -> None:
        with teams.app.house.sessions.begin():
            writing.set()
            done.wait(1.0)

    writer = threading.Thread(target=write)
    writer.start()
    writing.wait()
    teams.konrad.writes(VPN_QUESTION)
    done.set()
    writer.join()
    teams.settle()
    assert (last_status(teams), teams.fake.deliveries[-1].attempts) == (200, 1)
    assert len(teams.answers(teams.konrad)) == 1


# --- everything but the store is slow ---------------------------------------------------------------------------------
SECONDS, PEOPLE, ROUNDS = 5.0, 8, 3
STORED = ("Und auf dem Mac?", "Siehe Anhang.", "Nochmal: ", "Ich sehe nach.", "Ein Mensch, bitte.")
STORED += ("not_helped:", "open_ticket:")


class RealClock(FakeClock):
    """The time of day."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)


@contextmanager
def real_time(database_url: str, folder: Path) -> Iterator[TeamsWorld]:
    """A Lotse whose worker threads run."""
    with FakeTeams() as fake:
        teams = TeamsWorld(fake, RealClock(), database_url, folder, patience=PATIENCE)
        teams.app.worker.start()
        try:
            yield teams
        finally:
            fake.faults.clear()
            teams.close()


@pytest.mark.timeout(240)
def test_teams_is_acknowledged_in_time_however_slow_it_answers_itself(
    new_sqlite: Callable[[], str], tmp_path: Path, note: Note
) -> None:
    with real_time(new_sqlite(), tmp_path) as teams:
        teams.konrad.writes(WANTS_PERSON)
        assert eventually(lambda: len(teams.fake.said(teams.desk)) >= 2, 20)
        shifts = [prepared(teams, number) for number in range(PEOPLE)]
        everybody = [one for shift in shifts for one in shift.people]
        assert eventually(lambda: all(teams.answers(one) for one in everybody), 60)
        before = len(teams.fake.deliveries)
        teams.fake.faults.delay(SECONDS, path="*/v3/*")
        at_once([lambda shift=shift: use(teams, shift) for shift in shifts])
        taken = teams.fake.deliveries[before:]
        note(f"Teams itself takes {SECONDS:.0f} s for each answer", figures([one.seconds for one in taken]))
        assert {(one.status, one.attempts) for one in taken} == {(200, 1)}
        assert len(taken) >= 200
        assert stored(teams) == dict.fromkeys(STORED, PEOPLE * ROUNDS)


@dataclass
class Shift:
    """An agent, with the card they see, and the employees of theirs, each with the dialog for a ticket before them."""

    agent: Actor
    card: Message
    people: list[Actor]
    dialogs: list[Dialog]


def prepared(teams: TeamsWorld, number: int) -> Shift:
    agent = teams.fake.user(f"Agent {number}")
    agent.joins(teams.it)
    people = [teams.fake.user(f"Person {number}-{one}") for one in range(ROUNDS)]
    dialogs = []
    for one in people:
        one.joins(teams.company)
        one.writes(VPN_QUESTION)
        dialog = one.opens_ticket_on(one.writes("Wer kennt sich aus?", teams.general))
        assert isinstance(dialog, Dialog)
        dialogs.append(dialog)
    return Shift(agent, deepcopy(teams.card()), people, dialogs)


def use(teams: TeamsWorld, shift: Shift) -> None:
    """What employees and an agent do in a minute: everything after which Lotse asks Teams for something."""
    agent, card = shift.agent, shift.card
    for one, dialog in zip(shift.people, shift.dialogs, strict=True):
        one.writes("Und auf dem Mac?")
        one.writes("Siehe Anhang.", files=[Upload("bild.png", b"x" * 1000, "image/png")])
        one.writes(f"Nochmal: {VPN_QUESTION}", teams.general, mention=True)
        one.presses(teams.answers(one)[0], "not_helped")
        agent.writes("Ich sehe nach.", thread=card)
        agent.writes("VPN", teams.desk, mention=True)
        agent.presses(card, "claim")
        agent.opens(card, "edit")
        one.submits(dialog, {})
        one.writes("Ein Mensch, bitte.")


def stored(teams: TeamsWorld) -> dict[str, int]:
    """How often each thing that they did is in the record."""
    with teams.app.house.sessions() as session:
        rows = session.scalars(select(Row.text).where(Row.to_send.is_(False))).all()
    return {what: sum(text.startswith(what) for text in rows) for what in STORED}


def figures(seconds: list[float]) -> str:
    cuts = quantiles(seconds, n=100)
    times = f"p50 {cuts[49]:.3f} s, p99 {cuts[98]:.3f} s, longest {max(seconds):.3f} s"
    return f"{len(seconds)} activities and presses acknowledged: {times}"
