"""The buttons below what Lotse says to employees in Teams, pressed in new and old clients, twice, late, and forged."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from chat_records import cases, events, outcomes
from fake_teams import Actor, Message
from fake_teams_activities import base, invoke
from fake_teams_cards import buttons_of, words_of
from sentences import keys
from teams_cards import read, teams_keys
from teams_world import TeamsWorld, actions
from world import PRINTER_QUESTION, PRINTERS, UNKNOWN_QUESTION, VPN_QUESTION

from bot.channels.port import Address, Press, Sender
from handoff.models import ConversationState, TicketState

SURVEY = ["helped", "not_helped", "person"]
DESK_MAREN = Sender("web", "maren", "Maren Tiede", "de", "du")
SECRET = "nur-intern-4711"


def last(world: TeamsWorld) -> Message:
    """What Konrad was told last."""
    return world.answers(world.konrad)[-1]


def sentence(post: Message) -> set[str]:
    """Which sentences of the catalogue a post is."""
    return keys(read(post).replace("\n", "\n\n")) | keys(read(post))


# --- what can be pressed ----------------------------------------------------------------------------------------------
def answered(world: TeamsWorld) -> Message:
    world.asks(world.konrad, VPN_QUESTION)
    return last(world)


def offered(world: TeamsWorld) -> Message:
    for title, body in PRINTERS:
        world.publish(title, body)
    world.asks(world.konrad, PRINTER_QUESTION)
    assert "ask_back" in sentence(last(world))
    return last(world)


def asked_for_a_fact(world: TeamsWorld) -> Message:
    world.asks(world.konrad, UNKNOWN_QUESTION)
    return last(world)


def pointed_away(world: TeamsWorld) -> Message:
    world.asks(world.konrad, "Wie wird das Wetter morgen in Kiel?")
    return last(world)


def told_of_an_outage(world: TeamsWorld) -> Message:
    world.asks(world.owen, "Der ganze zweite Stock ist offline")
    press = Press(Address("web", "desk", world.ticket().number), DESK_MAREN, "outage", "on", "outage-on")
    assert world.app.engine.press(press).ok
    world.asks(world.konrad, "Der ganze zweite Stock ist offline")
    assert "known_outage" in sentence(last(world))
    return last(world)


def resolved(world: TeamsWorld) -> Message:
    world.fills_in(world.maren, world.wants_person(), "resolve", fix="Kabel getauscht.")
    return last(world)


def asked_to_cancel(world: TeamsWorld) -> Message:
    world.wants_person()
    world.asks(world.konrad, "Abbrechen")
    return last(world)


BUTTONS = [
    (answered, "helped", "helped", "confirmed"),
    (answered, "not_helped", "ask_system", "asked_fact"),
    (answered, "person", "receipt_asked_for_person", "ticket"),
    (offered, "none", "ask_system", "asked_fact"),
    (offered, "person", "receipt_asked_for_person", "ticket"),
    (asked_for_a_fact, "skip", "receipt", "ticket"),
    (pointed_away, "ticket", "receipt_asked_for_person", "ticket"),
    (pointed_away, "person", "receipt_asked_for_person", "ticket"),
    (told_of_an_outage, "ticket", "ask_system", "asked_fact"),
    (resolved, "works", "confirmed_resolved", "confirmed"),
    (resolved, "still_broken", "reopened", "reopened"),
    (asked_to_cancel, "cancel_yes", "ticket_closed", "cancelled"),
    (asked_to_cancel, "cancel_no", "ticket_kept", "kept"),
]


@pytest.mark.parametrize("client", ["new", "old"])
@pytest.mark.parametrize(("before", "action", "reply", "outcome"), BUTTONS)
def test_a_press_leads_on_and_the_post_shows_it_to_everybody(
    teams: TeamsWorld, before: Callable[[TeamsWorld], Message], action: str, reply: str, outcome: str, client: str
) -> None:
    post = before(teams)
    shown, label = teams.words(post), label_of(post, action)
    delivery = teams.konrad.presses(post, action, old_client=client == "old")
    if client == "new":
        at_once = delivery.json["value"]
        assert (buttons_of(at_once), words_of(at_once)) == ([], f"{shown}\n✓ {label}"), "who pressed sees it at once"
    teams.calm()
    assert (actions(post), teams.words(post)) == ([], f"{shown}\n✓ {label}"), "others and other devices see it, too"
    teams.settle()
    assert reply in sentence(last(teams))
    assert outcomes(teams)[-1] == outcome
    assert teams.konrad.told == []


def label_of(post: Message, action: str, value: str | None = None) -> str:
    return next(one.title for one in post.buttons if one.action == action and value in (None, one.value))


@pytest.mark.parametrize("old_client", [False, True])
def test_the_chosen_article_is_the_one_that_is_shown(teams: TeamsWorld, old_client: bool) -> None:
    post = offered(teams)
    second = [button for button in post.buttons if button.action == "choose"][1]
    teams.konrad.presses(post, "choose", second.value, old_client=old_client)
    teams.settle()
    teams.calm()
    assert (actions(post), f"✓ {second.title}" in teams.words(post)) == ([], True)
    assert dict(PRINTERS)[second.title] in read(last(teams))
    assert outcomes(teams)[-1] == "answered"


def test_the_buttons_are_in_the_language_of_the_case(teams: TeamsWorld) -> None:
    teams.publish("Set up the scanner", "Plug the scanner in and install the blue driver.", "en")
    teams.asks(teams.owen, "Plug the scanner in and install the blue driver")
    (answer,) = teams.answers(teams.owen)
    assert [button.title for button in answer.buttons] == ["That helped", "Did not help", "A person, please"]


def test_still_broken_reopens_the_ticket_and_the_agents_are_told(teams: TeamsWorld) -> None:
    post = resolved(teams)
    teams.presses(teams.konrad, post, "still_broken")
    assert teams.ticket().state == TicketState.IN_PROGRESS
    assert "agent_reopened" in sentence(teams.thread(teams.card())[-1])
    assert events(teams)[-1] == "reopened"


# --- twice and late ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("old_client", [False, True])
def test_a_double_click_counts_once(teams: TeamsWorld, old_client: bool) -> None:
    post = answered(teams)
    for as_seen in (deepcopy(post), deepcopy(post)):
        teams.konrad.presses(as_seen, "person", old_client=old_client)
    teams.settle()
    assert teams.tickets() == 1
    assert ["receipt" in str(sentence(one)) for one in teams.answers(teams.konrad)].count(True) == 1
    assert outcomes(teams)[-2:] == ["ticket", "receipt_repeated"]


def test_what_came_first_counts_and_stays_shown(teams: TeamsWorld) -> None:
    """Another device of theirs still shows the buttons."""
    post = offered(teams)
    as_seen = deepcopy(post)
    teams.presses(teams.konrad, post, "none")
    delivery = teams.konrad.presses(as_seen, "choose")
    teams.settle()
    teams.calm()
    mark = f"✓ {label_of(as_seen, 'none')}"
    assert words_of(delivery.json["value"]).endswith(mark), "and that is what the other device shows then"
    assert teams.words(post).endswith(mark)
    assert "button_stale" in sentence(last(teams))


def test_who_thinks_again_gets_a_person_and_that_is_shown(teams: TeamsWorld) -> None:
    post = answered(teams)
    as_seen = deepcopy(post)
    teams.presses(teams.konrad, post, "helped")
    teams.presses(teams.konrad, as_seen, "not_helped")
    teams.calm()
    assert "receipt" in sentence(last(teams))
    assert teams.words(post).endswith(f"✓ {label_of(as_seen, 'not_helped')}")
    assert [case.outcome for case in cases(teams)] == ["confirmed", None]


def test_the_button_of_an_earlier_answer_is_settled(teams: TeamsWorld) -> None:
    first = answered(teams)
    teams.publish("Scanner", "Legen Sie das Blatt in den Scanner und drücken Sie die blaue Taste.")
    teams.asks(teams.konrad, "Blatt in den Scanner legen und blaue Taste drücken")
    teams.presses(teams.konrad, first, "helped")
    assert "button_stale" in sentence(last(teams))
    assert [case.state for case in cases(teams)] == [ConversationState.WITH_BOT]


def test_a_person_can_be_asked_for_by_an_old_button(teams: TeamsWorld) -> None:
    post = answered(teams)
    teams.clock.move(hours=80)
    teams.settle()
    teams.presses(teams.konrad, post, "person")
    assert "receipt_asked_for_person" in sentence(last(teams))
    assert [case.outcome for case in cases(teams)] == ["assumed", None]


def test_the_same_press_brought_again_is_one_press(teams: TeamsWorld) -> None:
    post = answered(teams)
    teams.fake.postman.lose_acks = 3
    teams.presses(teams.konrad, post, "person")
    sent = deepcopy(teams.fake.postman.sent[-1])
    teams.restart()
    assert teams.fake.deliver(sent).ok
    teams.settle()
    assert (teams.tickets(), outcomes(teams)) == (1, ["answered", "ticket"])


def test_a_press_on_a_post_that_is_not_booked_yet_counts(teams: TeamsWorld) -> None:
    teams.konrad.writes(VPN_QUESTION)
    teams.calm()
    teams.clock.move(seconds=2.1)
    teams.fake.faults.cut(method="POST", path="*/activities")
    teams.app.worker.work_off()
    (answer,) = teams.answers(teams.konrad)
    teams.presses(teams.konrad, answer, "person")
    assert teams.tickets() == 1
    assert outcomes(teams) == ["answered", "ticket"]


def test_when_the_card_cannot_be_shown_to_others_the_press_counts(teams: TeamsWorld) -> None:
    post = answered(teams)
    teams.fake.faults.next(503, method="PUT")
    teams.presses(teams.konrad, post, "helped")
    teams.calm()
    assert outcomes(teams)[-1] == "confirmed"
    assert f"✓ {label_of(post, 'helped')}" in teams.fake.words(post, teams.konrad)


def test_a_press_on_a_post_that_its_author_cannot_be_told_of_is_no_error(teams: TeamsWorld) -> None:
    post = answered(teams)
    teams.konrad.blocks()
    delivery = teams.konrad.presses(post, "helped")
    teams.settle()
    assert delivery.ok
    assert outcomes(teams)[-1] == "confirmed"


# --- what was never shown ---------------------------------------------------------------------------------------------
def forged(world: TeamsWorld, person: Actor, data: object, *, old_client: bool = False) -> str:
    """A person sends something else than the button of a post in their chat would; the answer."""
    state, room = world.fake.state, person.room
    if old_client:
        sent = base(state, "message", person.person, room, None) | {"id": state.new_message_id(), "value": data}
    else:
        action = {"type": "Action.Execute", "verb": "helped", "data": data}
        sent = invoke(state, "adaptiveCard/action", person.person, room, None, {"action": action})
    delivery = world.fake.deliver(sent)
    assert delivery.ok
    world.settle()
    return delivery.body


def about(action: object, key: object, value: object = "") -> dict[str, Any]:
    return {"lotse": {"action": action, "key": key, "value": value}}


def keys_of(post: Message) -> str:
    """The key that the buttons of a post carry."""
    return str(post.buttons[0].data["lotse"]["key"])


@pytest.mark.parametrize(
    "data",
    [
        about("helped", "999999"),
        about("helped", "9" * 5000),
        about("helped", "1"),
        about("helped", "-1"),
        about("helped", "²"),
        about("helped", ""),
        about("hack", "{own}"),
        about("choose", "{own}", "1"),
        about("x" * 20_000, "{own}"),
        about("helped", "{own}", "v" * 20_000),
        about("helped", "{own}", "\u0000"),
        about("open_ticket", "{own}", "Ich bin es nicht"),
        about("claim", "{own}"),
        about(7, None, []),
        {"lotse": []},
        {"lotse": {"action": ""}},
        {},
        [],
        "text",
    ],
    ids=lambda data: str(data)[:60],
)
def test_a_button_that_does_not_exist_does_nothing_and_says_so(teams: TeamsWorld, data: Any) -> None:
    post = answered(teams)
    own = keys_of(post)
    if isinstance(data, dict) and isinstance(data.get("lotse"), dict) and data["lotse"].get("key") == "{own}":
        data = about(data["lotse"]["action"], own, data["lotse"]["value"])
    before = deepcopy(post)
    answer = forged(teams, teams.konrad, data)
    assert "button_unknown" in teams_keys(json.loads(answer)["value"])
    assert (outcomes(teams), teams.tickets(), post) == (["answered"], 0, before)


@pytest.mark.parametrize("old_client", [False, True])
def test_what_somebody_else_was_shown_is_neither_shown_nor_changed(teams: TeamsWorld, old_client: bool) -> None:
    teams.asks(teams.owen, "Start the VPN-Client and choose the Profil Zentrale")
    (theirs,) = teams.answers(teams.owen)
    card = teams.wants_person(teams.owen)
    of_card = keys_of(card)
    teams.fills_in(teams.maren, card, "note", text=SECRET)
    note = next(post for post in teams.thread(card) if SECRET in teams.words(post))
    before, conversation = deepcopy(teams.fake.posts(teams.owen)), len(cases(teams))
    number = teams.ticket().number
    answered(teams)
    of_note = (note.card or {})["body"][0]["id"].split("-")[1]
    stolen = (keys_of(theirs), of_card, of_note)
    assert all(key.isdecimal() for key in stolen)
    for key in stolen:
        for action in ("helped", "skip", "person", "claim", "resolve", "hand_back", "escalate"):
            value = "" if action in {"helped", "skip", "person"} else number
            answer = forged(teams, teams.konrad, about(action, key, value), old_client=old_client)
            assert not [secret for secret in (SECRET, number, "Owen", "VPN-Client") if secret in answer], answer
    assert teams.fake.posts(teams.owen) == before
    assert SECRET not in str(teams.fake.posts(teams.konrad))
    assert (events(teams), teams.ticket().agent, teams.tickets()) == (["opened", "noted"], None, 1)
    assert len(cases(teams)) == conversation + 1, "his own"


def test_a_dialog_of_agents_does_not_open_in_a_chat(teams: TeamsWorld) -> None:
    card, number = teams.wants_person(teams.owen), teams.ticket().number
    answered(teams)
    state, konrad, room = teams.fake.state, teams.konrad.person, teams.konrad.room
    for name in ("note", "reply", "resolve", "edit", "hack"):
        value = {"data": about(name, keys_of(card), number) | {"msteams": {"type": "task/fetch"}}}
        body = teams.fake.deliver(invoke(state, "task/fetch", konrad, room, None, value)).body
        assert number not in body
        assert "Owen" not in body
        here = {"number": number, "channel": teams.desk.id, "thread": card.id}
        value = {"data": {"lotse": {"form": name, **here}, "text": "Hallo!", "fix": "x", "priority": "1"}}
        body = teams.fake.deliver(invoke(state, "task/submit", konrad, room, None, value)).body
        assert "Owen" not in body
    teams.settle()
    assert events(teams) == ["opened"]
    assert len(teams.answers(teams.owen)) == 1
