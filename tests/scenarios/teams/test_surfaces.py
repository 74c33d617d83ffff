"""What employees see in Teams beside answers: that Lotse is typing, their tickets, known outages."""

import json
from pathlib import Path

import pytest
from chat_records import came_in, outcomes
from fake_teams import Message
from sentences import keys
from teams_cards import heard, press, read
from teams_world import TeamsWorld
from world import UNKNOWN_QUESTION, VPN_QUESTION

from bot.channels.port import Address, Press, Sender
from bot.wording import asks_for_person
from handoff.models import ConversationState
from nlu.embedded import EmbeddedUnderstander

WISH = "Ich möchte mit einem Menschen sprechen."
PACKAGE = Path(__file__).parents[3] / "teams"
DESK_MAREN = Sender("web", "maren", "Maren Tiede", "de", "du")


# --- typing -----------------------------------------------------------------------------------------------------------
def test_while_an_answer_is_worked_on_lotse_is_typing(teams: TeamsWorld) -> None:
    teams.konrad.writes(VPN_QUESTION)
    teams.calm()
    assert len(teams.fake.typing(teams.konrad)) == 1
    assert teams.answers(teams.konrad) == [], "before the answer, not after it"
    teams.settle()
    assert len(teams.fake.typing(teams.konrad)) == 1


def test_in_a_channel_lotse_is_typing_in_the_thread_of_the_question(teams: TeamsWorld) -> None:
    other = teams.owen.writes("Good morning!", teams.general)
    question = teams.konrad.writes(VPN_QUESTION, teams.general, mention=True)
    teams.calm()
    assert len(teams.fake.typing(teams.general, question)) == 1
    assert teams.fake.typing(teams.general, other) == []


def test_in_a_group_chat_lotse_is_typing(teams: TeamsWorld) -> None:
    group = teams.fake.group(teams.konrad, teams.owen)
    teams.owen.writes("Hello", group)
    teams.konrad.writes(VPN_QUESTION, group, mention=True)
    teams.calm()
    assert len(teams.fake.typing(group)) == 1


def test_what_a_person_will_read_is_not_said_to_be_worked_on(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    teams.maren.writes("Ich sehe mir das an.", thread=card)
    teams.settle()
    before = len(teams.fake.typing(teams.konrad))
    for _ in range(2):
        teams.asks(teams.konrad, "Raum 213")
    assert len(teams.fake.typing(teams.konrad)) == before
    assert teams.fake.typing(teams.desk) == [], "nor is what agents write"


@pytest.mark.parametrize("change", ["edit", "delete", "agent", "chatter", "search"])
def test_nothing_is_typed_where_nothing_is_worked_on(teams: TeamsWorld, change: str) -> None:
    question = teams.asks(teams.konrad, VPN_QUESTION)
    before = len(teams.fake.typing(teams.konrad))
    if change == "edit":
        teams.konrad.edits(question, f"{VPN_QUESTION}!")
    elif change == "delete":
        teams.konrad.deletes(question)
    elif change == "chatter":
        teams.konrad.writes("Mahlzeit", teams.general)
    elif change == "agent":
        teams.maren.writes("Mahlzeit", teams.desk)
    else:
        teams.maren.writes("VPN", teams.desk, mention=True)
    teams.calm()
    assert len(teams.fake.typing(teams.konrad)) == before
    assert teams.fake.typing(teams.general) == teams.fake.typing(teams.desk) == []


def test_that_lotse_cannot_be_seen_typing_holds_nothing_up(teams: TeamsWorld) -> None:
    teams.fake.faults.next(503, method="POST", path="*/activities")
    teams.asks(teams.konrad, VPN_QUESTION)
    assert len(teams.answers(teams.konrad)) == 1


# --- own tickets ------------------------------------------------------------------------------------------------------
def test_own_tickets_are_told_with_their_state_and_nobody_elses(teams: TeamsWorld) -> None:
    teams.wants_person(teams.owen)
    theirs = teams.ticket().number
    teams.asks(teams.konrad, UNKNOWN_QUESTION)
    teams.presses(teams.konrad, teams.answers(teams.konrad)[-1], "skip")
    mine = teams.ticket().number
    teams.asks(teams.konrad, "status?")
    (listed,) = [text for text in heard(teams, teams.konrad) if "your_tickets/sie" in keys(text.replace("\n", "\n\n"))]
    assert f"{mine}** {UNKNOWN_QUESTION}: neu, jemand meldet sich heute bis 12:00 Uhr" in listed
    assert theirs not in listed


def test_what_a_person_took_over_is_told_by_name(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    press(teams, teams.maren, card, "claim")
    press(teams, teams.maren, card, "hand_back")
    teams.asks(teams.konrad, "status?")
    assert "wartet auf Rückmeldung, Maren Tiede kümmert sich darum" in heard(teams, teams.konrad)[-1]


def test_without_tickets_that_is_what_is_said(teams: TeamsWorld) -> None:
    teams.asks(teams.konrad, "status?")
    assert "no_tickets/sie" in keys(heard(teams, teams.konrad)[-1])
    teams.understander.teach("my tickets", "ticket_status")
    teams.asks(teams.owen, "my tickets")
    assert "no_tickets/en" in keys(heard(teams, teams.owen)[-1])


def test_asking_for_the_status_ends_no_question(teams: TeamsWorld) -> None:
    teams.asks(teams.konrad, VPN_QUESTION)
    teams.asks(teams.konrad, "status?")
    teams.asks(teams.konrad, "Das hat geholfen")
    assert "helped/sie" in keys(heard(teams, teams.konrad)[-1])


# --- known outages ----------------------------------------------------------------------------------------------------
def announced(world: TeamsWorld) -> str:
    """An outage that is known; the number of its ticket."""
    world.asks(world.owen, "Der ganze zweite Stock ist offline")
    number = world.ticket().number
    press = Press(Address("web", "desk", number), DESK_MAREN, "outage", "on", "outage-on")
    assert world.app.engine.press(press).ok
    return number


def test_who_reports_a_known_outage_is_told_of_it_and_opens_no_ticket(teams: TeamsWorld) -> None:
    number = announced(teams)
    teams.asks(teams.konrad, "Der ganze zweite Stock ist offline")
    (told,) = heard(teams, teams.konrad)
    assert "known_outage" in keys(told)
    assert number in told
    assert (teams.tickets(), outcomes(teams)[-1]) == (1, "known_outage")


def test_an_outage_is_told_in_a_channel_too(teams: TeamsWorld) -> None:
    announced(teams)
    question = teams.konrad.writes("Der ganze zweite Stock ist offline", teams.help)
    teams.settle()
    (told,) = teams.fake.said(teams.help, question)
    assert "known_outage" in keys(read(told))


# --- the commands of the app ------------------------------------------------------------------------------------------
def commands(scope: str, language: str) -> list[str]:
    """What the app offers to write, in the texts of its package."""
    manifest = json.loads((PACKAGE / "manifest.json").read_text("utf-8"))
    german = json.loads((PACKAGE / "de.json").read_text("utf-8"))
    found = []
    for at, listed in enumerate(manifest["bots"][0]["commandLists"]):
        for number, command in enumerate(listed["commands"]):
            name = f"bots[0].commandLists[{at}].commands[{number}].title"
            found += [german[name] if language == "de" else command["title"]] if scope in listed["scopes"] else []
    return found


@pytest.mark.parametrize("scope", ["personal", "team", "groupChat"])
@pytest.mark.parametrize("language", ["de", "en"])
def test_every_command_of_the_app_is_understood(scope: str, language: str) -> None:
    understander = EmbeddedUnderstander()
    meant = {
        text: "person" if asks_for_person(text) else understander.parse(text).intent
        for text in commands(scope, language)
    }
    wanted = {"person", "ticket_status"} if scope == "personal" else {"person"}
    assert wanted <= set(meant.values()), meant
    others = {text: intent for text, intent in meant.items() if intent not in wanted}
    assert len(others) == 1, meant
    assert not set(others.values()) & {"greet", "thanks", "out_of_scope", "cancel"}, others


@pytest.mark.parametrize("text", ["Meine Tickets", "My tickets"])
def test_my_tickets_is_answered_in_the_chat_and_not_where_others_read(teams: TeamsWorld, text: str) -> None:
    assert EmbeddedUnderstander().parse(text).intent == "ticket_status"
    teams.understander.teach(text, "ticket_status")
    teams.asks(teams.konrad, "Ich habe auf einen Phishing-Link geklickt")
    number = teams.ticket().number
    teams.asks(teams.konrad, text)
    assert number in heard(teams, teams.konrad)[-1]
    question = teams.konrad.writes(text, teams.general, mention=True)
    teams.settle()
    (answer,) = teams.fake.said(teams.general, question)
    assert keys(read(answer)) & {"tickets_not_here", "tickets_not_here/en"}
    assert number not in teams.words(answer)


# --- a person ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("text", ["Bitte ein Mensch", WISH, "A person, please"])
def test_a_person_is_brought_whenever_somebody_asks_for_one(teams: TeamsWorld, text: str) -> None:
    teams.asks(teams.konrad, text)
    assert "receipt_asked_for_person" in keys(heard(teams, teams.konrad)[-1])
    assert [one.outcome for one in came_in(teams)] == ["ticket"]


def test_who_has_a_person_coming_is_told_when_and_gets_no_second_ticket(teams: TeamsWorld) -> None:
    teams.asks(teams.konrad, VPN_QUESTION)
    answer: Message = teams.answers(teams.konrad)[-1]
    teams.asks(teams.konrad, WISH)
    teams.presses(teams.konrad, answer, "person")
    assert teams.ticket().number in heard(teams, teams.konrad)[-1]
    assert teams.tickets() == 1
    with teams.app.house.sessions() as session:
        assert session.merge(teams.ticket()).conversation.state == ConversationState.WAITING_FOR_PERSON
