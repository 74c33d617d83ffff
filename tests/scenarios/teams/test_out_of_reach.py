"""What cannot be reached in Teams: removed apps, people who block Lotse, lost threads; and who may not read a case."""

from collections.abc import Callable

import pytest
from fake_teams import Actor, Dialog, Message
from sentences import keys
from sqlalchemy import select
from teams_cards import below, cards, facts, fill_in, heard, press, told
from teams_world import TeamsWorld, actions
from world import VPN_QUESTION

from handoff.models import Message as Row
from handoff.models import Place

SECRET = "nur-intern-4711"


def writes(world: TeamsWorld, person: Actor, card: Message, text: str) -> Message:
    """A person writes below a card, and everything is worked off."""
    message = person.writes(text, thread=card)
    world.settle()
    return message


# --- who is told what, and where --------------------------------------------------------------------------------------
def test_a_sensitive_topic_is_for_its_own_team_only(teams: TeamsWorld) -> None:
    personnel = teams.fake.team("Personal-IT", teams.henrik)
    room = teams.fake.channel(personnel, "Vertraulich")
    queues = teams.settings().model_dump()["handoff"]["queues"] | {"people": {"channel": room.id, "platform": "teams"}}
    teams.changes = {"handoff": {"queues": queues}}
    teams.restart()
    teams.asks(teams.konrad, "Mein Gehalt wurde falsch berechnet.")
    (card,) = cards(teams, room)
    assert facts(card)["Warum Lotse übergeben hat"] == "sensibles Thema"
    assert "Gehalt" in teams.words(card)
    assert cards(teams) == cards(teams, teams.network) == []
    assert "receipt_sensitive/sie" in keys(heard(teams, teams.konrad)[-1])


def test_a_reaction_that_is_late_is_told_in_the_thread_once(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    for _ in range(3):
        teams.clock.move(hours=3)
        teams.settle()
    assert len([text for text in below(teams, card) if "agent_first_response_due" in keys(text)]) == 1


def desk_page(world: TeamsWorld) -> list[str]:
    """What stands at the web desk's place of the newest ticket."""
    with world.app.house.sessions() as session:
        here = select(Row).join(Place, Row.place_id == Place.id).where(Place.platform == "web", Row.to_send.is_(True))
        return [row.text for row in session.scalars(here.where(Row.delivered_at.is_not(None)).order_by(Row.id))]


def unreachable(texts: list[str]) -> int:
    return len([text for text in texts if "agent_channel_unreachable" in keys(text)])


def test_when_lotse_was_removed_from_the_hand_off_team_agents_are_told_at_the_desk_once(teams: TeamsWorld) -> None:
    teams.wants_person()
    teams.maren.uninstalls(teams.it)
    tries = len(teams.fake.calls)
    teams.asks(teams.konrad, "Noch etwas dazu.")
    teams.asks(teams.konrad, "Wirklich.")
    assert unreachable(desk_page(teams)) == 1
    assert {"Noch etwas dazu.", "Wirklich."} <= set(desk_page(teams))
    assert len(teams.fake.calls) - tries < 20
    before = len(teams.fake.calls)
    teams.clock.move(hours=1)
    teams.settle()
    assert len(teams.fake.calls) == before, "nothing is tried for ever"


def test_when_lotse_is_in_the_team_again_the_next_change_brings_card_and_thread(teams: TeamsWorld) -> None:
    teams.it.installed = False
    teams.asks(teams.konrad, "Ich möchte mit einem Menschen sprechen.")
    assert cards(teams) == []
    assert unreachable(desk_page(teams)) == 1
    teams.maren.installs(teams.it)
    teams.asks(teams.konrad, "Noch etwas dazu.")
    (card,) = cards(teams)
    transcript, *rest = below(teams, card)
    assert transcript.startswith("**Was in")
    assert rest[-1] == "Noch etwas dazu."
    assert press(teams, teams.maren, card, "claim") == []
    assert facts(card)["Zuständig"] == "Maren Tiede"


def blocks(person: Actor) -> None:
    person.blocks()


def uninstalls(person: Actor) -> None:
    person.uninstalls()


def is_back(person: Actor) -> None:
    person.unblocks()
    person.installs()


@pytest.mark.parametrize("leave", [blocks, uninstalls], ids=lambda one: one.__name__)
def test_an_employee_who_cannot_be_reached_is_told_to_the_agents_once(
    teams: TeamsWorld, leave: Callable[[Actor], None]
) -> None:
    card = teams.wants_person()
    leave(teams.konrad)
    for text in ("Ich sehe mir das an.", "Sind Sie da?"):
        writes(teams, teams.maren, card, text)
    (notice,) = [text for text in below(teams, card) if "agent_undeliverable" in keys(text)]
    assert "Konrad Voßmann" in notice
    before = len(teams.fake.calls)
    teams.clock.move(hours=1)
    teams.settle()
    assert len(teams.fake.calls) == before, "it is not tried for ever"
    is_back(teams.konrad)
    writes(teams, teams.maren, card, "Und jetzt?")
    assert heard(teams, teams.konrad)[-1] == "Und jetzt?"
    assert "Ich sehe mir das an." not in heard(teams, teams.konrad), "the agents used another way meanwhile"
    leave(teams.konrad)
    writes(teams, teams.maren, card, "Schon wieder weg?")
    assert len([text for text in below(teams, card) if "agent_undeliverable" in keys(text)]) == 2


def test_somebody_who_never_had_a_chat_and_cannot_get_one_is_told_to_the_agents(teams: TeamsWorld) -> None:
    stranger = teams.fake.user("Jette Brandes")
    said = teams.owen.writes("Jette cannot log in.", teams.general)
    dialog = teams.owen.opens_ticket_on(said)
    assert isinstance(dialog, Dialog)
    dialog.fields["requester"]["choices"].append({"title": "Jette Brandes", "value": stranger.id})  # type: ignore[attr-defined]
    teams.owen.submits(dialog, {"requester": stranger.id})
    teams.settle()
    assert "agent_undeliverable" in keys(below(teams, teams.card())[-1])
    assert teams.counts().settled


# --- a lost thread ----------------------------------------------------------------------------------------------------
def lose(world: TeamsWorld, post: Message) -> None:
    """An owner of the team deletes a post; a bot is not told."""
    post.deleted_at = world.clock().timestamp()


def with_all_replies(world: TeamsWorld, card: Message) -> None:
    for post in world.fake.posts(card.channel, card):
        lose(world, post)


@pytest.mark.parametrize("way", [lose, with_all_replies], ids=lambda one: one.__name__)
def test_a_lost_thread_gets_a_successor_with_card_and_transcript(
    teams: TeamsWorld, way: Callable[[TeamsWorld, Message], None]
) -> None:
    teams.asks(teams.konrad, VPN_QUESTION)
    card = teams.wants_person()
    writes(teams, teams.maren, card, "Ich sehe mir das an.")
    way(teams, card)
    for text in ("Noch etwas dazu.", "Raum 213."):
        teams.asks(teams.konrad, text)
    (new,) = cards(teams)
    assert new is not card
    assert facts(new)["Zuständig"] == "Maren Tiede"
    transcript, *rest = below(teams, new)
    for said in (VPN_QUESTION, "Starten Sie den VPN-Client", "Ich sehe mir das an."):
        assert said in transcript
    assert rest == ["Noch etwas dazu.", "Raum 213."]
    assert fill_in(teams, teams.tomasz, new, "edit", priority="P2") == ""
    writes(teams, teams.tomasz, new, "Ich übernehme.")
    assert heard(teams, teams.konrad)[-1] == "Ich übernehme."
    assert [post for post in teams.fake.posts(teams.desk) if not post.is_reply and not post.deleted] == [new]


def test_what_an_agent_still_writes_in_the_old_thread_is_heard(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    lose(teams, card)
    teams.asks(teams.konrad, "Noch etwas dazu.")
    (new,) = cards(teams)
    writes(teams, teams.maren, card, "Ich bin noch im alten Thread.")
    writes(teams, teams.maren, card, f"// {SECRET}")
    assert heard(teams, teams.konrad)[-1] == "Ich bin noch im alten Thread."
    assert told(teams.thread(new))[-2:] == [
        ("Maren Tiede", "Ich bin noch im alten Thread."),
        ("🔒 Maren Tiede", SECRET),
    ]


def test_a_successor_can_be_lost_too(teams: TeamsWorld) -> None:
    lose(teams, teams.wants_person())
    teams.asks(teams.konrad, "Eins.")
    lose(teams, cards(teams)[0])
    teams.asks(teams.konrad, "Zwei.")
    (new,) = cards(teams)
    assert below(teams, new)[-1] == "Zwei."


def test_a_third_level_thread_that_was_lost_gets_a_successor_without_buttons(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    press(teams, teams.maren, card, "escalate")
    lose(teams, teams.card(teams.third))
    teams.asks(teams.konrad, "Noch etwas dazu.")
    (new,) = cards(teams, teams.third)
    assert actions(new) == []
    writes(teams, teams.henrik, new, "Der Router ist defekt.")
    assert told(teams.thread(card))[-1] == ("🔒 Henrik Lindqvist", "Der Router ist defekt.")


def test_the_card_of_a_closed_ticket_can_be_tidied_away(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    fill_in(teams, teams.maren, card, "resolve", fix="Kabel getauscht.")
    teams.clock.move(days=8)
    teams.settle()
    lose(teams, card)
    teams.asks(teams.konrad, VPN_QUESTION)
    assert cards(teams) == []


def test_a_relayed_message_that_was_taken_away_loses_no_thread(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    message = teams.asks(teams.konrad, "Mein Passwort ist hunter2.")
    lose(teams, teams.thread(card)[-1])
    teams.konrad.edits(message, "Mein Passwort geht nicht.")
    teams.settle()
    assert cards(teams) == [card]
    assert below(teams, card)[-1] == "Mein Passwort geht nicht."
