"""What comes in: places, people, conversations and the messages that wait to be handled."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from handoff.models import Author, Conversation, ConversationState, Kind, Message, Person, Place, Side, Ticket

LONGEST_MERGE = 5  # times the merge window: who types without a pause is answered all the same


def place_at(
    session: Session,
    platform: str,
    channel: str,
    thread: str | None = None,
    *,
    side: Side = Side.REQUESTER,
    route: Mapping[str, str] | None = None,
) -> Place:
    """The place at an address, made when it is new. The newest route wins: platforms change it."""
    place = find_place(session, platform, channel, thread)
    if place is None:
        place = Place(platform=platform, channel=channel, thread=thread or "", side=side)
        session.add(place)
    if route:
        place.route = {**(place.route or {}), **route}
    session.flush()
    return place


def lock_place(session: Session, place: Place) -> None:
    """Nobody else opens a conversation here until this transaction ends.

    With FOR NO KEY UPDATE: a plain FOR UPDATE would also wait for whoever only refers to the place (a post to it), and
    they for us.
    """
    session.refresh(place, with_for_update={"key_share": True})


def find_place(session: Session, platform: str, channel: str, thread: str | None) -> Place | None:
    """The place at an address, or None."""
    return session.scalar(select(Place).filter_by(platform=platform, channel=channel, thread=thread or ""))


def take_over(session: Session, place: Place, thread: str) -> None:
    """A place gets the name of the thread that its first post has opened. Somebody may have written in that thread
    before we knew: what they said there moves here."""
    earlier = find_place(session, place.platform, place.channel, thread)
    if earlier is not None and earlier.id != place.id:
        session.execute(update(Message).where(Message.place_id == earlier.id).values(place_id=place.id))
        session.execute(update(Conversation).where(Conversation.place_id == earlier.id).values(place_id=place.id))
        session.expire_all()
        session.delete(session.get_one(Place, earlier.id))
        session.flush()
    place.thread = thread


def person_at(
    session: Session,
    platform: str,
    platform_id: str,
    name: str,
    language: str | None = None,
    address: str | None = None,
) -> Person:
    """The person with this id on this platform, made when new; the name is kept current.

    An empty name leaves the one that is known; whoever is new is called by their id until the platform says more.
    """
    person = session.scalar(select(Person).filter_by(platform=platform, platform_id=platform_id))
    if person is None:
        person = Person(platform=platform, platform_id=platform_id, name=platform_id)
        session.add(person)
    person.name = name or person.name
    person.language = language or person.language
    person.address = address or person.address
    session.flush()
    return person


def is_opening_thread(session: Session, platform: str, channel: str) -> bool:
    """Whether a card is on its way to a hand-off channel, so that its thread has no name here yet."""
    card = (
        select(Message.id)
        .join(Place, Message.place_id == Place.id)
        .where(Place.platform == platform, Place.channel == channel, Place.ticket_id.is_not(None))
        .where(Message.kind == Kind.CARD, Message.send_started_at.is_not(None), Message.delivered_at.is_(None))
    )
    return session.scalar(card.limit(1)) is not None


def ticket_at(session: Session, place: Place | None) -> Ticket | None:
    """The ticket whose hand-off (or third-level) thread this place is."""
    return session.get(Ticket, place.ticket_id) if place is not None and place.ticket_id else None


def conversation_at(session: Session, place: Place) -> Conversation | None:
    """The newest conversation at a place that is not closed."""
    return session.scalar(
        select(Conversation)
        .where(Conversation.place_id == place.id, Conversation.state != ConversationState.CLOSED)
        .order_by(Conversation.id.desc())
        .limit(1)
    )


def newest_case_at(session: Session, place: Place) -> Conversation | None:
    """The newest conversation at a place, closed or not."""
    here = select(Conversation).where(Conversation.place_id == place.id)
    return session.scalar(here.order_by(Conversation.id.desc()).limit(1))


def fresh_place(session: Session, platform: str, channel: str, requester: Person, since: datetime) -> Place | None:
    """Where a requester's newest open case in a channel is, if anything was written in it since then.

    Locks the person: two messages of theirs at once must not open two cases.
    """
    session.refresh(requester, with_for_update={"key_share": True})
    case = session.scalar(
        select(Conversation)
        .join(Place, Conversation.place_id == Place.id)
        .where(Place.platform == platform, Place.channel == channel, Conversation.requester_id == requester.id)
        .where(Conversation.state != ConversationState.CLOSED)
        .order_by(Conversation.id.desc())
        .limit(1)
    )
    if case is None:
        return None
    last = session.scalar(
        select(Message.created_at).where(Message.conversation_id == case.id).order_by(Message.id.desc()).limit(1)
    )
    return case.place if last is not None and last >= since else None


def open_conversation(
    session: Session, place: Place, requester: Person, now: datetime, previous: Conversation | None = None
) -> Conversation:
    """A new case at a place, linked to the one before it."""
    previous = previous or newest_case_at(session, place)
    conversation = Conversation(
        place=place,
        requester=requester,
        previous_id=previous.id if previous else None,
        state=ConversationState.WITH_BOT,
        memory={},
        opened_at=now,
    )
    session.add(conversation)
    session.flush()
    return conversation


def find_message(session: Session, platform: str, source_id: str) -> Message | None:
    """The message a platform knows by this id, or None."""
    return session.scalar(select(Message).filter_by(platform=platform, source_id=source_id))


def record(session: Session, conversation: Conversation, place: Place, now: datetime, **values: Any) -> Message:
    """Write down an incoming message. Raises IntegrityError when platform and source_id are already there."""
    message = Message(
        conversation=conversation, place=place, platform=place.platform, created_at=now, to_send=False, **values
    )
    session.add(message)
    session.flush()
    return message


def notes_with(session: Session, messages: Sequence[Message]) -> list[Message]:
    """What was noted for agents together with a press: its id is that of the press with `/note` behind it."""
    names = [f"{message.source_id}/note" for message in messages if message.source_id]
    return list(session.scalars(select(Message).where(Message.source_id.in_(names)))) if names else []


def hold_burst(session: Session, message: Message, window: timedelta) -> None:
    """Let the requester finish: every unhandled text of the burst waits for the window after its newest message."""
    burst = session.scalars(
        select(Message).where(
            Message.conversation_id == message.conversation_id,
            Message.handled_at.is_(None),
            Message.to_send.is_(False),
            Message.author == Author.REQUESTER,
            Message.kind != Kind.PRESS,
        )
    ).all()
    first = min((row.created_at for row in burst), default=message.created_at)
    until = min(message.created_at + window, first + window * LONGEST_MERGE)
    for row in burst:
        row.handle_after = until


def unhandled(session: Session, conversation_id: int, now: datetime) -> list[Message]:
    """Messages of a conversation that are ready to be handled, in the order they came."""
    ready = select(Message).where(Message.conversation_id == conversation_id, waiting_to_be_handled(now))
    return list(session.scalars(ready.order_by(Message.id)))


def waiting_to_be_handled(now: datetime) -> ColumnElement[bool]:
    """SQL: an incoming message that is due."""
    return and_(
        Message.to_send.is_(False),
        Message.handled_at.is_(None),
        or_(Message.handle_after.is_(None), Message.handle_after <= now),
    )
