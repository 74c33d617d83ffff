"""The tables of the record. A Message row is inbox, transcript and outbox at once."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    and_,
    event,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in Python; SQLite forgets the zone, so it is put back. Raises ValueError for a naive time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored: use datetime.now(UTC)")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON, list[Any]: JSON, str: Text}  # noqa: RUF012


class Author(StrEnum):
    """Who a message is from."""

    REQUESTER = "requester"
    AGENT = "agent"
    BOT = "bot"


class Kind(StrEnum):
    """What a message is."""

    TEXT = "text"  # somebody wrote
    PRESS = "press"  # somebody pressed a button; text is `action:value`
    NOTE = "note"  # an agent wrote for agents; never goes to the requester
    EDIT = "edit"  # text is the new wording of the message it concerns
    DELETION = "deletion"
    ANSWER = "answer"  # the bot answered from an article
    ASK_BACK = "ask_back"  # the bot offered two or three articles
    SAY = "say"  # any other sentence of the bot
    RECEIPT = "receipt"  # ticket number and when a person reacts
    NOTICE = "notice"  # what happened to the ticket, told to the requester or to the hand-off
    CARD = "card"  # the ticket in its hand-off channel, updated in place
    TRANSCRIPT = "transcript"  # the whole story so far, for agents who work where they cannot see the desk
    RELAY = "relay"  # another message, brought to a second place


class Side(StrEnum):
    """Who is at a place."""

    REQUESTER = "requester"
    HANDOFF = "handoff"
    THIRD_LEVEL = "third_level"


class ConversationState(StrEnum):
    """Who holds the conversation."""

    WITH_BOT = "with_bot"
    WAITING_FOR_PERSON = "waiting_for_person"  # a ticket is open, no human has spoken yet
    WITH_PERSON = "with_person"  # the bot is silent
    RESOLVED = "resolved"  # may be reopened
    CLOSED = "closed"


class TicketState(StrEnum):
    NEW = "new"
    IN_PROGRESS = "in_progress"
    WAITING_FOR_REQUESTER = "waiting_for_requester"
    ON_HOLD = "on_hold"
    RESOLVED = "resolved"
    CLOSED = "closed"


OPEN_STATES = (TicketState.NEW, TicketState.IN_PROGRESS, TicketState.WAITING_FOR_REQUESTER, TicketState.ON_HOLD)


class TicketType(StrEnum):
    INCIDENT = "incident"
    REQUEST = "request"


class Reason(StrEnum):
    """Why the bot handed over."""

    UNKNOWN = "unknown"
    NOT_ALLOWED = "not_allowed"
    ASKED_FOR_PERSON = "asked_for_person"
    SENSITIVE = "sensitive"
    FRUSTRATED = "frustrated"
    URGENT = "urgent"
    OUTAGE = "outage"
    ERROR = "error"


class Person(Base):
    """Somebody as one platform knows them. address is `du` or `sie`, None for the house's default. image: the address
    of their picture at the platform. profile_at: when the platform was last asked about them."""

    __tablename__ = "person"
    __table_args__ = (UniqueConstraint("platform", "platform_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    platform: Mapped[str] = mapped_column(String(20))
    platform_id: Mapped[str] = mapped_column(String(200))
    name: Mapped[str]
    language: Mapped[str | None] = mapped_column(String(2))
    address: Mapped[str | None] = mapped_column(String(3))
    image: Mapped[str | None] = mapped_column(String(500))
    profile_at: Mapped[datetime | None]


class Place(Base):
    """Where people are: a chat, a thread in a hand-off channel. ticket_id is set on hand-off and third-level threads.

    retry_at and failures belong to this destination alone: one that fails never blocks another. lost_at: the ticket's
    thread here was deleted and another one took its place; what is still written here is heard, nothing is sent here.
    """

    __tablename__ = "place"
    __table_args__ = (UniqueConstraint("platform", "channel", "thread"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    platform: Mapped[str] = mapped_column(String(20))
    channel: Mapped[str] = mapped_column(String(200))
    thread: Mapped[str] = mapped_column(String(200), default="")
    route: Mapped[dict[str, Any]] = mapped_column(default=dict)
    side: Mapped[str] = mapped_column(String(12), default=Side.REQUESTER)
    ticket_id: Mapped[int | None] = mapped_column(
        ForeignKey("ticket.id", use_alter=True, name="fk_place_ticket_id_ticket"), index=True
    )
    failures: Mapped[int] = mapped_column(default=0)
    retry_at: Mapped[datetime | None]
    unreachable_at: Mapped[datetime | None]
    lost_at: Mapped[datetime | None]


class Conversation(Base):
    """One case of one requester, from the first message to its end.

    expects: what the bot asked last and waits for (`choice`, `feedback`, `fact`, `cancel`); memory: what it needs
    for that.
    lease_owner / lease_until: the worker that alone handles and delivers this conversation now.
    """

    __tablename__ = "conversation"
    __table_args__ = (Index("ix_conversation_place_id_id", "place_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    place_id: Mapped[int] = mapped_column(ForeignKey("place.id"))
    requester_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    previous_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id"))
    state: Mapped[str] = mapped_column(String(20), default=ConversationState.WITH_BOT)
    language: Mapped[str | None] = mapped_column(String(2))
    expects: Mapped[str | None] = mapped_column(String(20))
    memory: Mapped[dict[str, Any]] = mapped_column(default=dict)
    outcome: Mapped[str | None] = mapped_column(String(30))
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    lease_owner: Mapped[str | None] = mapped_column(String(60))
    lease_until: Mapped[datetime | None]

    place: Mapped[Place] = relationship()
    requester: Mapped[Person] = relationship()
    ticket: Mapped["Ticket | None"] = relationship(back_populates="conversation", uselist=False)


class Message(Base):
    """One message: received (unique on platform + source_id), handled (handled_at), delivered (delivered_at).

    Incoming rows wait for handled_at, outgoing rows (to_send) for delivered_at. source_id is the platform's own id; an
    outgoing row gets it when it is delivered. send_started_at without delivered_at means that the outcome of a send is
    unclear. parts: the ids of the posts that a long one stands in, where its platform cannot be asked. bot_only rows
    are dropped at the moment of sending when a person has taken over. revision grows when a card changes.
    """

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("platform", "source_id"),
        Index("ix_message_conversation_id_id", "conversation_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    place_id: Mapped[int] = mapped_column(ForeignKey("place.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    concerns_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"), index=True)
    author: Mapped[str] = mapped_column(String(12))
    kind: Mapped[str] = mapped_column(String(12))
    text: Mapped[str]
    reply: Mapped[dict[str, Any] | None]
    evidence: Mapped[dict[str, Any] | None]
    platform: Mapped[str] = mapped_column(String(20))
    source_id: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime]
    written_at: Mapped[datetime]

    handle_after: Mapped[datetime | None]
    handled_at: Mapped[datetime | None]
    handle_attempts: Mapped[int] = mapped_column(default=0)
    outcome: Mapped[str | None] = mapped_column(String(30))

    to_send: Mapped[bool] = mapped_column(default=False)
    bot_only: Mapped[bool] = mapped_column(default=False)
    revision: Mapped[int] = mapped_column(default=1)
    delivered_revision: Mapped[int] = mapped_column(default=0)
    send_started_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    delivery_attempts: Mapped[int] = mapped_column(default=0)
    dropped_at: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(String(200))
    parts: Mapped[list[Any] | None]

    place: Mapped[Place] = relationship()
    person: Mapped[Person | None] = relationship()
    conversation: Mapped[Conversation] = relationship()
    concerns: Mapped["Message | None"] = relationship(remote_side=[id])
    attachments: Mapped[list["Attachment"]] = relationship(back_populates="message", order_by="Attachment.id")


# What waits for the worker is a handful of rows among very many: these indexes hold only those. The conditions are
# those of inbox.waiting_to_be_handled and outbox.not_yet_sent, word for word, or SQLite does not use them.
UNHANDLED = and_(Message.to_send.is_(False), Message.handled_at.is_(None))
UNSENT = and_(
    Message.to_send.is_(True),
    Message.delivered_revision < Message.revision,
    Message.dropped_at.is_(None),
    Message.failure.is_(None),
)
Index("ix_message_unhandled", Message.conversation_id, sqlite_where=UNHANDLED, postgresql_where=UNHANDLED)
Index("ix_message_unsent", Message.conversation_id, sqlite_where=UNSENT, postgresql_where=UNSENT)


class Attachment(Base):
    """A file that came with a message; content is None when it was refused, and refused says why. source: where its
    platform keeps it, as long as it has not been fetched."""

    __tablename__ = "attachment"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), index=True)
    name: Mapped[str]
    media_type: Mapped[str] = mapped_column(String(120))
    size: Mapped[int]
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    refused: Mapped[str | None] = mapped_column(String(60))
    source: Mapped[str | None]

    message: Mapped[Message] = relationship(back_populates="attachments")


class Ticket(Base):
    """A case that a person works on. impact and urgency are 1 (high) to 3 (low); priority follows from them."""

    __tablename__ = "ticket"

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), unique=True)
    requester_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    state: Mapped[str] = mapped_column(String(24), default=TicketState.NEW, index=True)
    type: Mapped[str] = mapped_column(String(12), default=TicketType.INCIDENT)
    summary: Mapped[str]
    reason: Mapped[str] = mapped_column(String(20))
    category: Mapped[str] = mapped_column(String(60))
    category_score: Mapped[float | None]
    queue: Mapped[str] = mapped_column(String(60), index=True)
    queue_score: Mapped[float | None]
    impact: Mapped[int] = mapped_column(default=2)
    urgency: Mapped[int] = mapped_column(default=2)
    level: Mapped[int] = mapped_column(default=2)
    outage: Mapped[bool] = mapped_column(default=False)
    opened_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    first_response_due: Mapped[datetime]
    first_response_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    reopen_until: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    cause: Mapped[str | None]
    fix: Mapped[str | None]

    conversation: Mapped[Conversation] = relationship(back_populates="ticket")
    requester: Mapped[Person] = relationship(foreign_keys=[requester_id])
    agent: Mapped[Person | None] = relationship(foreign_keys=[agent_id])
    places: Mapped[list[Place]] = relationship(foreign_keys=[Place.ticket_id], order_by=Place.id)
    events: Mapped[list["TicketEvent"]] = relationship(order_by="TicketEvent.id", back_populates="ticket")

    @property
    def number(self) -> str:
        """The number people say, `TKT-1042`; it never changes and holds nothing that can be corrected later."""
        return f"TKT-{self.id + 1000}"

    @property
    def priority(self) -> int:
        """1 (critical) to 5 (planning), from impact x urgency as in the ITIL matrix."""
        return self.impact + self.urgency - 1

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


class TicketEvent(Base):
    """What happened to a ticket, append-only. data holds what changed, never message text."""

    __tablename__ = "ticket_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str] = mapped_column(String(30))
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[datetime]

    ticket: Mapped[Ticket] = relationship(back_populates="events")
    person: Mapped[Person | None] = relationship()


class Timer(Base):
    """Something to do at due_at, handled by the same worker as messages. One open timer per kind and conversation."""

    __tablename__ = "timer"
    __table_args__ = (UniqueConstraint("kind", "conversation_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(30))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    due_at: Mapped[datetime] = mapped_column(index=True)

    conversation: Mapped[Conversation] = relationship()


class Pace(Base):
    """When the next post to a channel may begin; shared by all workers. See handoff/pace.py."""

    __tablename__ = "pace"

    platform: Mapped[str] = mapped_column(String(20), primary_key=True)
    channel: Mapped[str] = mapped_column(String(200), primary_key=True)
    next_at: Mapped[datetime]


class AppendOnlyError(Exception):
    """Somebody tried to change or remove an entry of a ticket's event log."""


@event.listens_for(Session, "before_flush")
def refuse_rewriting_the_log(session: Session, context: object, instances: object) -> None:
    """The event log can only grow."""
    for row in (*session.dirty, *session.deleted):
        if isinstance(row, TicketEvent) and (row in session.deleted or session.is_modified(row)):
            raise AppendOnlyError("the event log of a ticket can only grow: add an event that corrects it")
