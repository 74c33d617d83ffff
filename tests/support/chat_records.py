"""The record behind what people see on a chat platform: cases, what was written in them, and how each message ended."""

from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import select

from bot.app import App
from handoff.models import Attachment, Conversation, Message, Ticket, TicketEvent


class Lived(Protocol):
    """A world with a Lotse in it."""

    @property
    def app(self) -> App: ...


@dataclass(frozen=True)
class Written:
    """One message as it came in."""

    who: str
    kind: str
    text: str
    outcome: str | None
    case: int


def cases(world: Lived) -> list[Conversation]:
    """All conversations, oldest first."""
    with world.app.house.sessions() as session:
        return list(session.scalars(select(Conversation).order_by(Conversation.id)))


def came_in(world: Lived) -> list[Written]:
    """Everything that people wrote, pressed, changed or deleted, in the order it was stored."""
    with world.app.house.sessions() as session:
        rows = session.scalars(select(Message).where(Message.to_send.is_(False)).order_by(Message.id))
        return [
            Written(row.person.name if row.person else "", row.kind, row.text, row.outcome, row.conversation_id)
            for row in rows
        ]


def outcomes(world: Lived) -> list[str | None]:
    """How each message ended."""
    return [written.outcome for written in came_in(world)]


def files(world: Lived) -> list[tuple[str, bytes | None, str | None]]:
    """Every file of the record: name, content, and why it was refused."""
    with world.app.house.sessions() as session:
        rows = session.scalars(select(Attachment).order_by(Attachment.id))
        return [(file.name, file.content, file.refused) for file in rows]


def events(world: Lived) -> list[str]:
    """The kinds of events in the log of the ticket opened last."""
    with world.app.house.sessions() as session:
        newest = select(Ticket.id).order_by(Ticket.id.desc()).limit(1).scalar_subquery()
        log = select(TicketEvent.kind).where(TicketEvent.ticket_id == newest)
        return list(session.scalars(log.order_by(TicketEvent.id)))
