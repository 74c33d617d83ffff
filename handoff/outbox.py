"""What goes out: posts that wait to be delivered, and what became of each."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from handoff.models import Author, Conversation, ConversationState, Kind, Message, Person, Place, Side


class NoteWouldLeak(Exception):  # noqa: N818
    """A note never reaches the requester."""


RESULT = "result"  # in `reply` of a notice: `resolved` or `reopened`, which the requester is told by it
LONGEST_BACK_OFF = timedelta(minutes=15)


def post(
    session: Session,
    conversation: Conversation,
    place: Place,
    kind: Kind,
    text: str,
    now: datetime,
    *,
    author: Author = Author.BOT,
    person: Person | None = None,
    reply: dict[str, Any] | None = None,
    evidence: dict[str, Any] | None = None,
    concerns: Message | None = None,
    bot_only: bool = False,
) -> Message:
    """Put a message into the outbox; it is sent after the transaction, in order, to its place.

    Raises NoteWouldLeak for a note, or anything that concerns one, addressed to a requester: the last line of defence.
    """
    if place.side == Side.REQUESTER and (kind == Kind.NOTE or is_note(concerns)):
        raise NoteWouldLeak("a note was about to be sent to the requester; this is a defect in Lotse")
    message = Message(
        conversation=conversation,
        place=place,
        person=person,
        author=author,
        kind=kind,
        text=text,
        reply=reply,
        evidence=evidence,
        concerns=concerns,
        platform=place.platform,
        created_at=now,
        written_at=now,
        to_send=True,
        bot_only=bot_only,
    )
    session.add(message)
    session.flush()
    return message


def is_note(message: Message | None) -> bool:
    """Whether a message is a note, or an edit of one."""
    return message is not None and (message.kind == Kind.NOTE or is_note(message.concerns))


def waiting_to_be_sent(now: datetime) -> ColumnElement[bool]:
    """SQL over Message joined to its Place: a post that can be tried now."""
    return and_(not_yet_sent(Message), or_(Place.retry_at.is_(None), Place.retry_at <= now))


def not_yet_sent(message: type[Message]) -> ColumnElement[bool]:
    """SQL: a post (or a newer revision of it) that is neither delivered nor given up."""
    return and_(
        message.to_send.is_(True),
        message.delivered_revision < message.revision,
        message.dropped_at.is_(None),
        message.failure.is_(None),
    )


def next_to_send(session: Session, conversation_id: int, now: datetime) -> Message | None:
    """The next post of a conversation whose place can be reached now. A place gets its posts in their order."""
    earlier = aliased(Message)
    first_of_its_place = ~exists().where(
        earlier.place_id == Message.place_id,
        earlier.conversation_id == Message.conversation_id,
        earlier.id < Message.id,
        not_yet_sent(earlier),
    )
    waiting = select(Message).join(Place, Message.place_id == Place.id)
    mine = waiting.where(Message.conversation_id == conversation_id, waiting_to_be_sent(now), first_of_its_place)
    return session.scalar(mine.order_by(Message.id).limit(1))


def start_sending(message: Message, now: datetime) -> bool:
    """Note that a send begins; False when the message is dropped because a person has taken over in the meantime."""
    if message.bot_only and message.conversation.state == ConversationState.WITH_PERSON:
        message.dropped_at = now
        return False
    message.send_started_at = message.send_started_at or now
    message.delivery_attempts += 1
    return True


def mark_delivered(message: Message, revision: int, source_id: str, now: datetime) -> None:
    """The platform has it. revision: the one that was sent (a card may have changed meanwhile)."""
    message.source_id = source_id
    message.delivered_at = now
    message.delivered_revision = revision
    message.send_started_at = None
    message.place.failures = 0
    message.place.retry_at = message.place.unreachable_at = None


def note_parts(message: Message, parts: Sequence[str]) -> None:
    """Keep the ids of the posts a message stands in, with the row that it was posted for first: its changes are changes
    of these posts. None are told where the platform can be asked."""
    message.parts = list(parts) or message.parts


def earlier_relay(session: Session, message: Message) -> Message | None:
    """For a relay of an edit or a deletion: the delivered relay, at the same place, of what was changed."""
    changed = message.concerns.concerns if message.concerns is not None else None
    if message.kind != Kind.RELAY or changed is None:
        return None
    relayed = select(Message).where(
        Message.place_id == message.place_id,
        Message.kind == Kind.RELAY,
        Message.concerns_id == changed.id,
        Message.delivered_at.is_not(None),
    )
    return session.scalar(relayed.order_by(Message.id.desc()).limit(1))


def drop_waiting(session: Session, place: Place, now: datetime) -> list[Message]:
    """Send nothing more to a place: its cards are no longer kept current, and what waits there is given back."""
    not_for_here = select(Message).where(Message.place_id == place.id, Message.to_send.is_(True))
    kept = or_(Message.kind == Kind.CARD, not_yet_sent(Message))
    dropped = list(session.scalars(not_for_here.where(kept, Message.dropped_at.is_(None)).order_by(Message.id)))
    for message in dropped:
        message.dropped_at, message.send_started_at, message.failure = now, None, None
        message.revision = max(message.revision, message.delivered_revision + 1)  # delivered or dropped, never both
    return [message for message in dropped if message.kind not in {Kind.CARD, Kind.TRANSCRIPT}]


def post_again(session: Session, message: Message, place: Place, now: datetime) -> Message:
    """What waited for a place that is gone goes to another one."""
    return post(
        session,
        message.conversation,
        place,
        Kind(message.kind),
        message.text,
        now,
        author=Author(message.author),
        person=message.person,
        reply=message.reply,
        evidence=message.evidence,
        concerns=message.concerns,
        bot_only=message.bot_only,
    )


def mark_undeliverable(message: Message, why: str, now: datetime) -> None:
    """Never to be tried again; the agent is told by whoever calls this."""
    message.failure = why[:200]
    message.send_started_at = None
    message.place.unreachable_at = now


def postpone(message: Message, now: datetime, after: float | None, *, unclear: bool) -> None:
    """Try this destination again later: after the platform's own wish, or with doubling back-off."""
    place = message.place
    place.failures += 1
    doubling = min(timedelta(seconds=0.5 * 2.0 ** min(place.failures, 20)), LONGEST_BACK_OFF)
    place.retry_at = now + (timedelta(seconds=after) if after is not None else doubling)
    if not unclear:
        message.send_started_at = None


def update_card(session: Session, conversation: Conversation, *, but: Message | None = None) -> None:
    """Every card of the conversation's ticket (but one) is drawn again from the ticket's state; one whose channel could
    not be reached is tried anew, once for each change."""
    cards = select(Message).where(
        Message.conversation_id == conversation.id, Message.kind == Kind.CARD, Message.dropped_at.is_(None)
    )
    for card in (one for one in session.scalars(cards) if one is not but):
        card.revision += 1
        card.failure = None


def has_no_thread(session: Session, place: Place) -> bool:
    """Whether the card that should have opened a thread could not be posted: anything else would stand beside it."""
    card = select(Message.id).where(
        Message.place_id == place.id, Message.kind == Kind.CARD, Message.delivered_at.is_(None)
    )
    return session.scalar(card.where(Message.failure.is_not(None)).limit(1)) is not None


def revive(session: Session, place: Place) -> None:
    """A thread has opened: what could not be posted before is posted there now, in its order."""
    for message in session.scalars(select(Message).where(Message.place_id == place.id, Message.failure.is_not(None))):
        message.failure = None
