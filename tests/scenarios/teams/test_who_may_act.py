"""Who may act on tickets in Teams: the members of the hand-off team, asked at every press, at every dialog."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from chat_records import events
from fake_teams import Actor, Dialog, Message
from fake_teams_activities import base, invoke
from sentences import keys
from teams_cards import fill_in, heard, owner, press, refused, teams_keys
from teams_harness import words_of_answer
from teams_world import TeamsWorld
from world import VPN_QUESTION

from bot.channels.teams.members import BELIEVED, PATIENCE
from handoff.models import TicketState

BUTTONS = ("claim", "escalate", "hand_back")
DIALOGS = ("note", "reply", "resolve", "edit")


def sends(world: TeamsWorld, person: Actor, name: str, card: Message, value: dict[str, Any]) -> str:
    """Somebody sends a request from the hand-off channel, whether they are in it or not; the answer."""
    told = invoke(world.fake.state, name, person.person, world.desk, card.thread, value)
    delivery = world.fake.deliver(told | {"replyToId": card.id})
    world.settle()
    assert delivery.ok
    return delivery.body


def data_of(card: Message, action: str) -> dict[str, Any]:
    return deepcopy(dict(next(one for one in card.buttons if one.action == action).data))


# --- who is no member -------------------------------------------------------------------------------------------------
def test_who_is_no_member_can_press_nothing(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    before, said = events(teams), heard(teams, teams.konrad)
    for action in BUTTONS:
        value = {"action": {"type": "Action.Execute", "verb": action, "data": data_of(card, action)}}
        answer = sends(teams, teams.owen, "adaptiveCard/action", card, value)
        assert "Only members of the hand-off channel" in answer or "Mitglieder des Übergabekanals" in answer
        assert teams.ticket().number not in answer, "nothing of the ticket is told"
    for action in DIALOGS:
        answer = sends(teams, teams.owen, "task/fetch", card, {"data": data_of(card, action)})
        assert teams.ticket().number not in answer
        assert "Konrad" not in answer
    assert (events(teams), heard(teams, teams.konrad), owner(teams)) == (before, said, None)


def test_who_is_no_member_can_press_nothing_in_an_old_client(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    told = base(teams.fake.state, "message", teams.owen.person, teams.desk, card.thread)
    told |= {"id": teams.fake.state.new_message_id(), "value": data_of(card, "claim"), "replyToId": card.id}
    assert teams.fake.deliver(told).ok
    teams.settle()
    assert (events(teams), owner(teams)) == (["opened"], None)


@pytest.mark.parametrize("name", DIALOGS)
def test_who_is_no_member_gets_nothing_by_sending_a_dialog(teams: TeamsWorld, name: str) -> None:
    teams.asks(teams.konrad, VPN_QUESTION)
    card = teams.wants_person()
    before = heard(teams, teams.konrad)
    here = {"channel": teams.desk.id, "thread": card.id, "key": "1"}
    typed = {"text": "Hallo!", "fix": "x", "priority": "1", "assign": teams.owen.id, "queue": "network"}
    answer = sends(teams, teams.owen, "task/submit", card, {"data": {"lotse": {"form": name, **here}, **typed}})
    assert not [word for word in (teams.ticket().number, "Konrad", "VPN", "Tomasz") if word in answer]
    assert (events(teams), heard(teams, teams.konrad), owner(teams)) == (["opened"], before, None)


def test_a_member_of_another_team_cannot_act_by_naming_the_channel(teams: TeamsWorld) -> None:
    """Henrik is in the third level; a dialog of his names the desk's thread."""
    card = teams.wants_person()
    press(teams, teams.maren, card, "escalate")
    third = teams.card(teams.third)
    told = invoke(teams.fake.state, "task/submit", teams.henrik.person, teams.third, third.thread, {})
    for thread in (card.id, third.id):
        data = {"lotse": {"form": "reply", "channel": teams.desk.id, "thread": thread}, "text": "Vom Third Level"}
        assert teams.fake.deliver(told | {"id": f"f:{thread}", "value": {"data": data}}).ok
    teams.settle()
    assert "Vom Third Level" not in heard(teams, teams.konrad)


@pytest.mark.parametrize("name", [*BUTTONS, *DIALOGS])
def test_the_third_level_cannot_do_what_its_card_does_not_offer(teams: TeamsWorld, name: str) -> None:
    card = teams.wants_person()
    press(teams, teams.maren, card, "escalate")
    third, before, said = teams.card(teams.third), events(teams), heard(teams, teams.konrad)
    state, henrik = teams.fake.state, teams.henrik.person
    data = {"lotse": {"action": name, "key": "", "value": ""}}
    if name in BUTTONS:
        value: dict[str, Any] = {"action": {"type": "Action.Execute", "verb": name, "data": data}}
        sent = invoke(state, "adaptiveCard/action", henrik, teams.third, third.thread, value)
        body = teams.fake.deliver(sent | {"replyToId": third.id}).json
        assert "not_for_you" in keys(body["value"])
    else:
        value = {"data": data | {"msteams": {"type": "task/fetch"}}}
        opened = teams.fake.deliver(invoke(state, "task/fetch", henrik, teams.third, third.thread, value)).json
        here = {"form": name, "channel": teams.third.id, "thread": third.id}
        typed = {"text": "Bitte tauschen.", "fix": "Getauscht.", "priority": "1"}
        sent = invoke(state, "task/submit", henrik, teams.third, third.thread, {"data": {"lotse": here, **typed}})
        assert teams.fake.deliver(sent).ok
        is_note = name == "note"
        assert ("Input.Text" in str(opened)) == is_note, "notes are what it may write"
        before = [*before, "noted"] if is_note else before
    teams.settle()
    assert (events(teams), heard(teams, teams.konrad)) == (before, said)


# --- who left meanwhile -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["note", "reply", "resolve"])
def test_who_left_the_team_cannot_send_the_dialog_they_have_open_and_keeps_their_words(
    teams: TeamsWorld, name: str
) -> None:
    card = teams.wants_person()
    before = heard(teams, teams.konrad)
    dialog = teams.tomasz.opens(card, name)
    assert isinstance(dialog, Dialog)
    teams.tomasz.leaves(teams.it)
    field = "fix" if name == "resolve" else "text"
    again = teams.tomasz.submits(dialog, {field: "Ich bin noch da."})
    teams.settle()
    assert isinstance(again, Dialog)
    assert fault_of(again) == {"only_agents"}
    assert again.fields[field]["value"] == "Ich bin noch da.", "to be copied elsewhere"
    assert (events(teams), heard(teams, teams.konrad)) == (["opened"], before)


def test_who_left_the_team_cannot_change_a_ticket(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    dialog = teams.tomasz.opens(card, "edit")
    assert isinstance(dialog, Dialog)
    teams.tomasz.leaves(teams.it)
    answer = teams.tomasz.submits(dialog, {"priority": "1"})
    assert teams_keys(words_of_answer(answer)) == {"only_agents"}
    assert events(teams) == ["opened"]


def fault_of(dialog: Dialog) -> set[str]:
    """What is wrong with a dialog, above its fields."""
    return teams_keys(str(dialog.card["body"][0]["items"][0]["inlines"][0]["text"]))


def test_who_left_a_moment_ago_may_press_nothing(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    fill_in(teams, teams.tomasz, card, "note", text="Noch bin ich da.")
    data = data_of(card, "claim")
    teams.tomasz.leaves(teams.it)
    value = {"action": {"type": "Action.Execute", "verb": "claim", "data": data}}
    sends(teams, teams.tomasz, "adaptiveCard/action", card, value)
    assert owner(teams) is None


@pytest.mark.parametrize("is_told", [True, False])
def test_who_joined_a_moment_ago_may_act(teams: TeamsWorld, is_told: bool) -> None:
    card = teams.wants_person()
    press(teams, teams.maren, card, "escalate")
    newcomer = teams.fake.user("Nele Arnold")
    if is_told:
        newcomer.joins(teams.it)
    else:
        teams.it.members.append(newcomer.id)
    assert press(teams, newcomer, card, "claim") == []
    assert owner(teams) == "Nele Arnold"


# --- when Teams cannot be asked ---------------------------------------------------------------------------------------
def failing(world: TeamsWorld) -> None:
    world.fake.faults.next(500, n=100, path="*/members/*")


def refusing(world: TeamsWorld) -> None:
    world.fake.faults.next(429, n=100, path="*/members/*", retry_after=30)


def cut_off(world: TeamsWorld) -> None:
    world.fake.faults.cut(n=100, path="*/members/*")


def slow(world: TeamsWorld) -> None:
    assert world.app.teams is not None
    world.app.teams.edge.members.patience = 0.3
    world.fake.faults.delay(1.0, path="*/members/*")


TROUBLES = [failing, refusing, cut_off, slow]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda one: one.__name__)
def test_when_members_cannot_be_asked_who_presses_is_told_to_press_again(
    teams: TeamsWorld, trouble: Callable[[TeamsWorld], None]
) -> None:
    card = teams.wants_person()
    trouble(teams)
    (answer,) = press(teams, teams.maren, card, "claim")
    assert teams_keys(answer) == {"not_checked"}
    assert refused(teams, teams.maren, card, "note") == {"not_checked"}
    assert (owner(teams), events(teams)) == (None, ["opened"])
    assert all(delivery.ok and delivery.seconds < 10 for delivery in teams.fake.deliveries)
    teams.fake.faults.clear()
    assert teams.app.teams is not None
    teams.app.teams.edge.members.patience = teams.patience
    assert press(teams, teams.maren, card, "claim") == []
    assert owner(teams) == "Maren Tiede"


def test_people_wait_no_longer_than_teams_does() -> None:
    """An answer to a press has to be there in five seconds, or Teams says that something went wrong."""
    assert PATIENCE < 5


def test_who_was_a_member_a_moment_ago_may_act_while_teams_cannot_be_asked(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    press(teams, teams.maren, card, "escalate")
    failing(teams)
    clock = MovedClock()
    assert teams.app.teams is not None
    teams.app.teams.edge.members.clock = clock
    clock.by = BELIEVED - 120
    assert press(teams, teams.maren, card, "hand_back") == []
    clock.by = BELIEVED + 60
    (answer,) = press(teams, teams.maren, card, "claim")
    assert teams_keys(answer) == {"not_checked"}


class MovedClock:
    """A clock that is ahead of the real one."""

    by = 0.0

    def __call__(self) -> float:
        import time  # noqa: PLC0415

        return time.monotonic() + self.by


@pytest.mark.parametrize("name", ["note", "reply", "resolve"])
def test_a_dialog_that_is_sent_while_members_cannot_be_asked_stays_open(teams: TeamsWorld, name: str) -> None:
    card = teams.wants_person()
    dialog = teams.maren.opens(card, name)
    assert isinstance(dialog, Dialog)
    teams.restart()
    failing(teams)
    field = "fix" if name == "resolve" else "text"
    again = teams.maren.submits(dialog, {field: "Merken."})
    assert isinstance(again, Dialog)
    assert fault_of(again) == {"not_checked"}
    assert (again.title, again.fields[field]["value"]) == (dialog.title, "Merken.")
    assert "Konrad Voßmann" in str(again.card["body"]) or name == "note"
    teams.fake.faults.clear()
    assert teams.maren.submits(again) is None
    teams.settle()
    if name == "resolve":
        assert teams.ticket().state == TicketState.RESOLVED
    else:
        assert events(teams)[-1] == {"note": "noted", "reply": "replied"}[name]
