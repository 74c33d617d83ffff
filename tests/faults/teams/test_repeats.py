"""Teams brings the same activity again and again: one answer, one ticket, one card, one relay."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from fake_teams import Actor, Dialog, Message
from fake_teams_activities import installation, message_activity
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from teams_posts import WANTS_PERSON, answers_in
from teams_world import TeamsWorld, actions
from together import at_once
from world import VPN_QUESTION

from handoff.models import Message as Row
from handoff.models import TicketEvent

Activity = dict[str, Any]
Between = Callable[[TeamsWorld], None]
NOTHING: Between = lambda teams: None  # noqa: E731 - a name for it in the list below
BETWEEN = pytest.mark.parametrize("between", [NOTHING, TeamsWorld.settle], ids=["at-once", "after-its-answer"])
OLD_CLIENT = pytest.mark.parametrize("old_client", [False, True], ids=["Execute", "Submit"])
LOST = 3  # acknowledgements that get lost: two before the restart, one after it


def received(teams: TeamsWorld) -> int:
    """Rows of what people wrote and pressed."""
    with teams.app.house.sessions() as session:
        return len(session.scalars(select(Row.id).where(Row.to_send.is_(False))).all())


def events(teams: TeamsWorld, kind: str) -> int:
    """How often something happened to the ticket opened last."""
    ticket = teams.ticket()
    with teams.app.house.sessions() as session:
        return list(session.scalars(select(TicketEvent.kind).where(TicketEvent.ticket_id == ticket.id))).count(kind)


def told(teams: TeamsWorld, person: Actor) -> list[str]:
    return [teams.words(post) for post in teams.answers(person)]


def writes(teams: TeamsWorld, person: Actor, text: str, *where: Any, **how: Any) -> tuple[Message, Activity]:
    """What Teams brings for a message, which nobody has taken yet."""
    message = person.writes(text, *where, **how, deliver=False)
    message.activity = message_activity(teams.fake.state, message)
    return message, message.activity


class Letterbox:
    """An app that takes nothing: what was brought to it lies there."""

    def __init__(self) -> None:
        self.held: list[Activity] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.held.append(await Request(scope, receive).json())
        await Response(status_code=503)(scope, receive, send)


def held_back(teams: TeamsWorld, act: Callable[[], Any]) -> Activity:
    """What Teams would bring for something that a person does; nobody has taken it yet."""
    box = Letterbox()
    teams.fake.connect(box)
    act()
    teams.fake.connect(teams.app.web)
    return box.held[-1]


def four_times(teams: TeamsWorld, activity: Activity, between: Between = NOTHING) -> None:
    """Twice, a restart, twice more; of what is repeated by Teams itself the first three acknowledgements get lost."""
    by_itself = activity["type"] != "invoke"
    teams.fake.postman.repeats = 1
    teams.fake.postman.lose_acks = LOST if by_itself else 0
    before = teams.fake.deliver(activity, times=1 if by_itself else 2)
    between(teams)
    teams.restart()
    after = teams.fake.deliver(activity, times=1 if by_itself else 2)
    assert (before.status, after.status) == (200, 200)
    assert (before.took, after.took) == ((2, 2) if by_itself else (1, 1))
    assert teams.fake.postman.lose_acks == 0
    teams.settle()


# --- what employees write ---------------------------------------------------------------------------------------------
@BETWEEN
def test_a_question_is_answered_once(teams: TeamsWorld, between: Between) -> None:
    _, activity = writes(teams, teams.konrad, VPN_QUESTION)
    four_times(teams, activity, between)
    assert received(teams) == 1
    assert ["Profil Zentrale" in one for one in told(teams, teams.konrad)] == [True]


@BETWEEN
def test_a_person_is_wanted_once(teams: TeamsWorld, between: Between) -> None:
    _, activity = writes(teams, teams.konrad, WANTS_PERSON)
    four_times(teams, activity, between)
    assert teams.tickets() == 1
    assert len(teams.fake.roots(teams.desk)) == 1
    assert len(told(teams, teams.konrad)) == 1
    assert len(teams.thread(teams.card())) == 1  # what was said before


@BETWEEN
def test_a_mention_in_a_channel_is_answered_once(teams: TeamsWorld, between: Between) -> None:
    asked, activity = writes(teams, teams.konrad, VPN_QUESTION, teams.general, mention=True)
    four_times(teams, activity, between)
    assert ["Profil Zentrale" in teams.words(post) for post in answers_in(teams, asked)] == [True]


@BETWEEN
def test_a_mention_in_a_group_chat_is_answered_once(teams: TeamsWorld, between: Between) -> None:
    group = teams.fake.group(teams.konrad, teams.owen)
    _, activity = writes(teams, teams.konrad, VPN_QUESTION, group, mention=True)
    four_times(teams, activity, between)
    assert ["Profil Zentrale" in teams.words(post) for post in teams.fake.said(group)] == [True]


def test_the_same_message_many_times_at_the_same_moment_is_one_message(teams: TeamsWorld) -> None:
    people = [teams.fake.user(f"Person {number}") for number in range(10)]
    questions = [writes(teams, one, VPN_QUESTION)[1] for one in people]
    for activity in questions:
        at_once([lambda activity=activity: teams.fake.deliver(activity) for _ in range(4)])
    teams.settle()
    assert {one.status for one in teams.fake.deliveries} == {200}
    assert received(teams) == len(questions)
    assert [len(told(teams, one)) for one in people] == [1] * len(people)


# --- what agents write ------------------------------------------------------------------------------------------------
@BETWEEN
def test_an_agents_reply_arrives_once(teams: TeamsWorld, between: Between) -> None:
    card = teams.wants_person()
    _, activity = writes(teams, teams.maren, "Ich schaue es mir an.", thread=card)
    four_times(teams, activity, between)
    assert told(teams, teams.konrad)[1:] == ["Maren Tiede\nIch schaue es mir an."]


@BETWEEN
def test_an_edit_arrives_once(teams: TeamsWorld, between: Between) -> None:
    card = teams.wants_person()
    written = teams.asks(teams.konrad, "Es ist der Drucker.")
    before = received(teams)
    four_times(teams, held_back(teams, lambda: teams.konrad.edits(written, "Es ist der Scanner.")), between)
    assert received(teams) == before + 1
    assert [teams.words(post) for post in teams.thread(card)][1:] == ["Konrad Voßmann\nEs ist der Scanner."]


@BETWEEN
def test_a_deletion_arrives_once(teams: TeamsWorld, between: Between) -> None:
    card = teams.wants_person()
    written = teams.asks(teams.konrad, "Es ist der Drucker.")
    before = received(teams)
    four_times(teams, held_back(teams, lambda: teams.konrad.deletes(written)), between)
    assert received(teams) == before + 1
    assert sum("gelöscht" in teams.words(post) for post in teams.thread(card)) == 1


# --- what is pressed --------------------------------------------------------------------------------------------------
@BETWEEN
@OLD_CLIENT
def test_a_requesters_press_is_taken_once(teams: TeamsWorld, between: Between, old_client: bool) -> None:
    teams.asks(teams.konrad, VPN_QUESTION)
    (answer,) = teams.answers(teams.konrad)
    press = held_back(teams, lambda: teams.konrad.presses(answer, "person", old_client=old_client))
    four_times(teams, press, between)
    assert teams.tickets() == 1
    assert len(teams.fake.roots(teams.desk)) == 1
    assert len(told(teams, teams.konrad)) == 2
    assert "person" not in actions(answer)


@BETWEEN
@OLD_CLIENT
def test_an_agent_claims_once(teams: TeamsWorld, between: Between, old_client: bool) -> None:
    card = teams.wants_person()
    press = held_back(teams, lambda: teams.maren.presses(card, "claim", old_client=old_client))
    four_times(teams, press, between)
    agent = teams.ticket().agent
    assert agent is not None
    assert agent.name == "Maren Tiede"
    assert events(teams, "claimed") == 1
    assert sum("Maren Tiede" in one for one in told(teams, teams.konrad)) == 1


@BETWEEN
def test_a_dialog_is_taken_once(teams: TeamsWorld, between: Between) -> None:
    card = teams.wants_person()
    dialog = teams.maren.opens(card, "reply")
    assert isinstance(dialog, Dialog)
    sent = held_back(teams, lambda: teams.maren.submits(dialog, {"text": "Aus dem Dialog."}))
    four_times(teams, sent, between)
    assert told(teams, teams.konrad)[1:] == ["Maren Tiede\nAus dem Dialog."]
    assert sum("Aus dem Dialog." in teams.words(post) for post in teams.thread(card)) == 1


@BETWEEN
def test_a_ticket_is_resolved_once(teams: TeamsWorld, between: Between) -> None:
    card = teams.wants_person()
    dialog = teams.maren.opens(card, "resolve")
    assert isinstance(dialog, Dialog)
    sent = held_back(teams, lambda: teams.maren.submits(dialog, {"cause": "Kabel", "fix": "Getauscht"}))
    four_times(teams, sent, between)
    assert events(teams, "resolved") == 1
    assert len(told(teams, teams.konrad)) == 2


@BETWEEN
def test_a_ticket_is_opened_once_on_a_message(teams: TeamsWorld, between: Between) -> None:
    message = teams.owen.writes("Der Drucker im Flur druckt nicht.", teams.general)
    dialog = teams.konrad.opens_ticket_on(message)
    assert isinstance(dialog, Dialog)
    sent = held_back(teams, lambda: teams.konrad.submits(dialog, {}))
    four_times(teams, sent, between)
    assert teams.tickets() == 1
    assert len(teams.fake.roots(teams.desk)) == 1
    assert len(answers_in(teams, message)) == 1


# --- the app itself ---------------------------------------------------------------------------------------------------
def test_whoever_adds_lotse_is_greeted_once(teams: TeamsWorld) -> None:
    teams.konrad.room.installed = True
    activity = installation(teams.fake.state, teams.konrad.person, teams.konrad.room, "add")
    four_times(teams, activity, TeamsWorld.calm)
    assert len(told(teams, teams.konrad)) == 1


# --- any order --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(4))
def test_in_any_order_with_a_restart_in_between_everything_arrives_once(teams: TeamsWorld, seed: int) -> None:
    card = teams.wants_person()
    asked = [writes(teams, teams.konrad, f"Frage {number}") for number in range(3)]
    answered = [writes(teams, teams.maren, f"Antwort {number}", thread=card) for number in range(3)]
    activities = [activity for _, activity in (*asked, *answered)]
    acts = (
        lambda: teams.konrad.edits(asked[0][0], "Frage 0, anders"),
        lambda: teams.maren.deletes(answered[2][0]),
        lambda: teams.tomasz.presses(card, "claim"),
    )
    activities += [held_back(teams, act) for act in acts]
    before, everything = received(teams), activities * 4
    random.Random(seed).shuffle(everything)
    for number, activity in enumerate(everything):
        assert teams.fake.deliver(activity).ok
        if number == len(everything) // 2:
            teams.restart()
        if number % 5 == 0:
            teams.settle()
    teams.settle()
    assert received(teams) - before in {len(activities), len(activities) - 1}  # who is deleted before they are told
    heard = "\n".join(teams.words(post) for post in teams.thread(card))
    assert [heard.count(one) for one in ("Frage 0, anders", "Frage 1", "Frage 2")] == [1, 1, 1]
    replies = "\n".join(told(teams, teams.konrad))
    assert [replies.count(one) for one in ("Antwort 0", "Antwort 1", "Antwort 2")] == [1, 1, 0]
    assert events(teams, "claimed") <= 1  # Maren may have answered before Tomasz pressed
    assert teams.ticket().agent is not None
