"""Rows to start from in tests of the record."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from handoff import desk, inbox
from handoff.desk import Proposal
from handoff.models import Author, Conversation, Kind, Message, Person, Place, Reason, Side, Ticket

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DUE = NOW + timedelta(hours=2)


def a_person(session: Session, name: str = "konrad") -> Person:
    return inbox.person_at(session, "web", name, name.title(), "de", "sie")


def a_conversation(session: Session, name: str = "konrad") -> Conversation:
    place = inbox.place_at(session, "web", "chat", name)
    return inbox.open_conversation(session, place, a_person(session, name), NOW)


def a_message(session: Session, conversation: Conversation, text: str = "Hallo", **values: object) -> Message:
    """A message of the requester, not handled yet."""
    wanted = {"author": Author.REQUESTER, "kind": Kind.TEXT, "person": conversation.requester, **values}
    return inbox.record(session, conversation, conversation.place, NOW, text=text, written_at=NOW, **wanted)


def a_ticket(session: Session, name: str = "konrad", reason: Reason = Reason.UNKNOWN) -> Ticket:
    """A new ticket with its thread on the desk."""
    conversation = a_conversation(session, name)
    ticket = desk.open_ticket(session, conversation, reason, Proposal("Das Telefon klingelt"), DUE, NOW)
    a_thread(session, ticket)
    return ticket


def a_thread(session: Session, ticket: Ticket, channel: str = "desk", side: Side = Side.HANDOFF) -> Place:
    place = inbox.place_at(session, "web", channel, ticket.number, side=side)
    place.ticket_id = ticket.id
    session.flush()
    session.expire(ticket, ["places"])
    return place
