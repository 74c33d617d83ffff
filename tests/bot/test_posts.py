"""What a hand-off thread begins with: the story so far, as colleagues read it."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from fakes import FakeChannel
from world import KONRAD, MAREN, PRINTER_QUESTION, PRINTERS, VPN_QUESTION, World

from bot.channels.port import File, Press

THIRD = {"channel": "C-3", "platform": "console"}


@pytest.fixture
def away(make_world: Callable[..., World]) -> World:
    """The third level works on a chat platform, where a thread begins with the transcript."""
    world = make_world(handoff={"third_level": THIRD})
    world.app.channels["console"] = FakeChannel("console")  # type: ignore[index]
    return world


def told(world: World, ticket: str) -> str:
    """The transcript as the third level gets it when it is brought in now."""
    world.agent_presses(MAREN, ticket, "escalate")
    console = world.app.channels["console"]
    assert isinstance(console, FakeChannel)
    return console.at("C-3")[1].reply.text


def test_what_lotse_said_is_plain_text_there(away: World) -> None:
    away.publish("Startseite", "Auf der __Startseite__ die Taste *h*\ndrücken, siehe [Hilfe](https://example.org/h).")
    away.ask(KONRAD, "Startseite Taste drücken Hilfe")
    text = told(away, away.ticket_for(KONRAD))
    assert "Auf der Startseite die Taste h drücken, siehe Hilfe (https://example.org/h)." in text
    assert not any(mark in text for mark in ("__", "*h*", "]("))


def test_what_people_wrote_is_told_as_typed(away: World) -> None:
    ticket = away.ticket_for(KONRAD)
    away.ask(KONRAD, "Es ist __sehr__ *eilig*")
    assert "Es ist __sehr__ *eilig*" in told(away, ticket)


def test_presses_are_told_by_their_labels(away: World) -> None:
    away.ask(KONRAD, VPN_QUESTION)
    away.press(KONRAD, "person")
    ticket = away.ticket().number
    away.agent_presses(MAREN, ticket, "assign", person=MAREN.id)
    away.agent_presses(MAREN, ticket, "correct", urgency="1")
    away.agent_presses(MAREN, ticket, "made_up", "17")
    text = told(away, ticket)
    for label in ("Bitte ein Mensch", "Ticket zugewiesen", "Angaben zum Ticket geändert", "Knopf gedrückt"):
        assert f"[{label}]" in text
    assert not any(internal in text for internal in ("assign", "correct", "made_up", "17]"))


def test_an_opened_ticket_is_told_as_one(away: World) -> None:
    about = "Mein Beamer ist kaputt"
    away.ask(KONRAD, "Hallo")
    address = away.posts_to(KONRAD)[-1].address
    away.app.engine.press(Press(address, KONRAD, "open_ticket", about, "p-1", from_form=True))
    away.settle()
    text = told(away, away.ticket().number)
    assert "[Ticket eröffnet]" in text
    assert f"[{about}]" not in text
    assert about in text


def test_what_was_typed_to_open_a_ticket_is_told_where_lotse_did_not_repeat_it(away: World) -> None:
    about = "Der Beamer in Raum 4 zeigt nur ein rotes Bild.\nBitte vor 14 Uhr, das Ersatzkabel liegt in Zimmer 117."
    away.ask(KONRAD, "Hallo")
    address = away.posts_to(KONRAD)[-1].address
    away.app.engine.press(Press(address, KONRAD, "open_ticket", about, "p-1"))
    away.settle()
    text = told(away, away.ticket().number)
    assert "[Ticket eröffnet]" in text
    assert all(line in text for line in about.splitlines())


def test_the_offered_articles_are_named_and_the_chosen_one_too(away: World) -> None:
    for article in PRINTERS:
        away.publish(*article)
    away.ask(KONRAD, PRINTER_QUESTION)
    offered = [one.label for one in away.posts_to(KONRAD)[-1].reply.buttons if one.action == "choose"]
    (first, *_) = (one for one in away.posts_to(KONRAD)[-1].reply.buttons if one.action == "choose")
    away.press(KONRAD, "choose", first.value)
    text = told(away, away.ticket_for(KONRAD))
    assert all(f"• {label}" in text for label in offered)
    assert f"[{first.label}]" in text


def test_a_changed_message_is_marked(away: World) -> None:
    ticket = away.ticket_for(KONRAD)
    away.says(KONRAD, "Raum 213", source_id="m-1")
    away.passes(seconds=5)
    away.says(KONRAD, "Raum 312", edits="m-1")
    away.passes(seconds=5)
    away.agent_says(MAREN, ticket, "// Kennt man.", source_id="n-1")
    away.agent_says(MAREN, ticket, "Kennt jeder.", edits="n-1")
    text = told(away, ticket)
    assert "       Raum 213\n" in text
    assert "       geändert: Raum 312\n" in text
    assert "geändert: Kennt jeder." in text


SECRET = "Mein Kennwort ist Sommer2026"


@pytest.mark.parametrize("long", [False, True])
def test_a_deleted_message_is_not_told_anew(away: World, long: bool) -> None:
    ticket = away.ticket_for(KONRAD)
    if long:
        away.ask(KONRAD, "Wort " * 900)
    away.says(KONRAD, SECRET, source_id="m-1", files=[File("geheim.png", "image/png", b"png")])
    away.passes(seconds=5)
    away.says(KONRAD, f"{SECRET}!", edits="m-1")
    away.passes(seconds=5)
    away.says(KONRAD, "", deletes="m-1")
    away.passes(seconds=5)
    away.agent_presses(MAREN, ticket, "escalate")
    console = away.app.channels["console"]
    assert isinstance(console, FakeChannel)
    post = console.at("C-3")[1]
    shown = post.reply.text + "".join((file.content or b"").decode() for file in post.reply.files)
    assert "Sommer2026" not in shown
    assert ("(deleted)" if long else "[gelöscht]") in shown
    assert "geheim.png" not in [file.name for file in post.reply.files]
    lines = shown.splitlines()
    assert not [name for name, below in pairwise(lines) if name.endswith("Konrad Voßmann") and below[:1] != " "]


def test_what_was_deleted_and_restored_is_told(away: World) -> None:
    ticket = away.ticket_for(KONRAD)
    away.says(KONRAD, "Raum 213", source_id="m-1")
    away.passes(seconds=5)
    away.says(KONRAD, "", deletes="m-1")
    away.passes(seconds=5)
    away.says(KONRAD, "Raum 213", edits="m-1")
    away.passes(seconds=5)
    text = told(away, ticket)
    assert "Raum 213" in text
    assert "[gelöscht]" not in text
