"""The demo's past cases, as they stand in the record."""

from pathlib import Path

import pytest
from fake_embedder import HashEmbedder
from sqlalchemy import func, select
from world import World

from bot.demo import bring_in, read, seed_cases
from bot.settings import load_settings
from handoff import transcript
from handoff.models import Kind, Message, Side, Ticket, TicketState, Timer
from handoff.reconcile import reconcile
from kb_index.models import Article
from kb_index.questions import open_questions


@pytest.fixture
def seeded(world: World) -> World:
    """A world with the demo's past cases; settings as they ship."""
    settings = load_settings(Path(__file__).parents[2] / "config.yml", {})
    with world.app.house.sessions.begin() as session:
        seed_cases(settings, session)
    return world


def test_every_past_case_is_there_and_nothing_is_left_to_do(seeded: World) -> None:
    cases = read("cases.yml")["cases"]
    assert seeded.tickets() == len(cases)
    with seeded.app.house.sessions() as session:
        counts = reconcile(session)
        assert counts.settled, counts
        assert counts.received > len(cases)
    seeded.passes(days=30)
    assert seeded.channel.posts == []


def test_past_cases_end_as_they_are_told(seeded: World) -> None:
    with seeded.app.house.sessions() as session:
        tickets = session.scalars(select(Ticket)).all()
        done = [ticket for ticket in tickets if ticket.state == TicketState.CLOSED]
        assert len(done) == len([case for case in read("cases.yml")["cases"] if case["state"] == "resolved"])
        assert all(ticket.cause or ticket.fix for ticket in done)
        assert all(ticket.agent for ticket in done)
        assert session.scalar(select(func.count()).select_from(Timer)) == 0


def test_a_past_case_can_be_read_like_any_other(seeded: World) -> None:
    with seeded.app.house.sessions() as session:
        for ticket in session.scalars(select(Ticket)):
            story = transcript.entries(session, ticket.conversation)
            assert story[0].author in {"requester", "event"}
            assert [entry for entry in story if entry.kind == "opened"]


def test_no_note_of_a_past_case_is_shown_to_its_requester(seeded: World) -> None:
    with seeded.app.house.sessions() as session:
        rows = session.scalars(select(Message)).all()
        notes = {row.text for row in rows if row.kind == Kind.NOTE}
        assert notes
        shown = {row.text for row in rows if row.to_send and row.place.side == Side.REQUESTER}
        assert not notes & shown


def test_open_questions_wait_for_the_editors(seeded: World) -> None:
    with seeded.app.house.sessions() as session:
        assert len(open_questions(session)) == len(read("cases.yml").get("open_questions", ()))


def test_bringing_the_demo_in_twice_changes_nothing(world: World) -> None:
    settings = load_settings(Path(__file__).parents[2] / "config.yml", {})
    embedder = HashEmbedder()
    sessions = world.app.house.sessions
    bring_in(settings, sessions, embedder)
    with sessions() as session:
        articles, tickets = (session.scalar(select(func.count()).select_from(table)) for table in (Article, Ticket))
    embedded = len(embedder.embedded)
    bring_in(settings, sessions, embedder)
    with sessions() as session:
        again = tuple(session.scalar(select(func.count()).select_from(table)) for table in (Article, Ticket))
    assert again == (articles, tickets)
    assert len(embedder.embedded) == embedded
    assert articles is not None
    assert articles > 100
