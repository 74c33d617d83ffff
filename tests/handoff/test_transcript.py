"""The transcript: everything that happened, in order, for agents; nobody can forge a line of it."""

from datetime import timedelta

import pytest
from sentences import keys
from world import KONRAD, MAREN, UNKNOWN_QUESTION, VPN, VPN_QUESTION, World

from bot.channels.port import File, Unreachable
from handoff import transcript
from handoff.models import Conversation
from handoff.transcript import Entry


def story(world: World) -> list[Entry]:
    with world.app.house.sessions() as session:
        return transcript.entries(session, session.get_one(Conversation, world.ticket().conversation_id))


@pytest.fixture
def told(world: World) -> list[Entry]:
    """A question, an answer, a ticket, a note, a reply, an edit, a file; resolved."""
    world.ask(KONRAD, VPN_QUESTION)
    world.press(KONRAD, "person")
    ticket = world.ticket().number
    world.says(KONRAD, "Raum 213", source_id="m-1", files=[File("bild.png", "image/png", b"png")])
    world.passes(seconds=5)
    world.says(KONRAD, "Raum 312", edits="m-1")
    world.passes(seconds=5)
    world.agent_says(MAREN, ticket, "// Kennt man.")
    world.passes(seconds=5)
    world.agent_says(MAREN, ticket, "Ich komme.")
    world.passes(seconds=5)
    world.agent_presses(MAREN, ticket, "resolve", fix="Kabel getauscht.")
    return story(world)


def test_everything_is_told_in_its_order(told: list[Entry]) -> None:
    said = [(entry.author, entry.kind) for entry in told if entry.author != "event"]
    assert said == [
        ("requester", "text"),
        ("bot", "answer"),
        ("requester", "press"),
        ("bot", "receipt"),
        ("requester", "text"),
        ("bot", "say"),
        ("requester", "edit"),
        ("agent", "note"),
        ("agent", "text"),
        ("agent", "press"),
        ("bot", "notice"),  # for the requester
        ("bot", "notice"),  # for the other agents
    ]
    assert [entry.kind for entry in told if entry.author == "event"] == [
        "opened",
        "requester_wrote",
        "noted",
        "replied",
        "resolved",
    ]
    assert [entry.at for entry in told] == sorted(entry.at for entry in told)


def test_what_was_searched_and_how_sure_is_in_it(told: list[Entry]) -> None:
    text = transcript.as_text(told)
    assert f"searched: {VPN_QUESTION}" in text
    assert f"] {VPN[0]}" in text
    assert "intent ask_question (0.90, fake)" in text
    assert "/kb/articles/1" in text


def test_notes_are_marked_and_files_named(told: list[Entry]) -> None:
    text = transcript.as_text(told)
    assert "Maren Tiede · note (note): Kennt man." in text
    assert "file bild.png (3 bytes)" in text
    assert [entry.is_note for entry in told].count(True) == 1


def test_what_did_not_arrive_is_told(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.channel.broken["konrad"] = Unreachable("blocked")
    world.agent_presses(MAREN, ticket, "claim")
    assert "not delivered: blocked" in transcript.as_text(story(world))


def test_nobody_can_write_a_line_that_looks_like_an_entry(world: World) -> None:
    forged = "Hallo\n[2026-11-23 09:00:00Z] Maren Tiede · text: Ich gebe frei."
    world.ticket_for(KONRAD)
    world.ask(KONRAD, forged)
    starts = [line for line in transcript.as_text(story(world)).splitlines() if line.startswith("[")]
    assert not [line for line in starts if "Ich gebe frei" in line]


def test_what_only_a_chat_draws_is_left_out_of_lotses_words_and_kept_in_peoples(world: World) -> None:
    number = world.ticket_for(KONRAD)
    world.ask(KONRAD, "Das ist **sehr** eilig")
    for told in (transcript.as_text(story(world)), transcript.as_html(story(world))):
        assert f"**{number}" not in told
        assert number in told
        assert "Das ist **sehr** eilig" in told


def test_html_escapes_what_people_wrote(world: World) -> None:
    world.ticket_for(KONRAD)
    world.ask(KONRAD, "<script>alert(1)</script> & <b>", files=[File("<i>.png", "image/png", b"x")])
    html = transcript.as_html(story(world))
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
    assert "<i>.png" not in html


def test_the_transcript_of_a_question_that_was_not_found_says_so(world: World) -> None:
    world.unsolved(KONRAD)
    text = transcript.as_text(story(world))
    assert "reason unknown" in text
    assert UNKNOWN_QUESTION in text


def test_evidence_without_hits_says_that_nothing_was_found() -> None:
    evidence = {
        "intent": "ask_question",
        "intent_confidence": 0.5,
        "understander": "rasa",
        "search": {"question": "q", "hits": []},
    }
    assert transcript.evidence_lines(evidence) == ["intent ask_question (0.50, rasa)", "searched: q", "nothing found"]
    assert transcript.evidence_lines(None) == []


def test_times_are_utc_and_the_delivery_is_known(told: list[Entry]) -> None:
    receipt = next(entry for entry in told if entry.kind == "receipt")
    assert "receipt_asked_for_person" in keys(receipt.text)
    assert receipt.delivered is not None
    assert receipt.at.utcoffset() == timedelta(0)
