"""Leases: one worker at a time handles and delivers a conversation, and one that lost its lease is stopped."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select, union, update
from sqlalchemy.orm import Session

from handoff.inbox import waiting_to_be_handled
from handoff.models import Conversation, Message, Place, Timer
from handoff.outbox import waiting_to_be_sent


@dataclass(frozen=True)
class Lease:
    """The right of one owner to work on one conversation."""

    conversation_id: int
    owner: str


class LeaseLost(Exception):  # noqa: N818 - it is a state, and reads as one
    """Another worker has the conversation now; whoever sees this stops at once and leaves the rest to it."""


def with_work(now: datetime) -> ColumnElement[bool]:
    """SQL over Conversation: nobody works on it, and a message, a post or a timer of it is due."""
    to_send = select(Message.conversation_id).join(Place, Message.place_id == Place.id).where(waiting_to_be_sent(now))
    due = union(
        select(Message.conversation_id).where(waiting_to_be_handled(now)),
        to_send,
        select(Timer.conversation_id).where(Timer.due_at <= now),
    )
    free = or_(Conversation.lease_until.is_(None), Conversation.lease_until <= now)
    return and_(free, Conversation.id.in_(due))


def has_work(session: Session, now: datetime) -> bool:
    """Whether any conversation waits for a worker; asked without a lock."""
    return session.scalar(select(Conversation.id).where(with_work(now)).limit(1)) is not None


def take_lease(session: Session, owner: str, now: datetime, seconds: float) -> Lease | None:
    """Take the oldest conversation with something to do that nobody works on, or None.

    The order inside a conversation is kept because only the holder of the lease handles and delivers it.
    """
    oldest = select(Conversation.id).where(with_work(now)).order_by(Conversation.id).limit(1)
    conversation_id = session.scalar(oldest.with_for_update(skip_locked=True, key_share=True))
    if conversation_id is None:
        return None
    extend = update(Conversation).where(Conversation.id == conversation_id)
    session.execute(extend.values(lease_owner=owner, lease_until=now + timedelta(seconds=seconds)))
    return Lease(conversation_id, owner)


def renew_lease(session: Session, lease: Lease, now: datetime, seconds: float) -> bool:
    """Keep a lease while the work lasts; False when it was lost to another worker, whose work it now is."""
    mine = update(Conversation).where(Conversation.id == lease.conversation_id, Conversation.lease_owner == lease.owner)
    renewed = session.execute(mine.values(lease_until=now + timedelta(seconds=seconds)))
    return bool(renewed.rowcount)  # type: ignore[attr-defined]  # an UPDATE has one


def release_lease(session: Session, lease: Lease) -> None:
    """Let go of a conversation."""
    mine = update(Conversation).where(Conversation.id == lease.conversation_id, Conversation.lease_owner == lease.owner)
    session.execute(mine.values(lease_owner=None, lease_until=None))


def lock_conversation(session: Session, conversation_id: int) -> Conversation:
    """The conversation as it is now; nobody else changes it until this transaction ends.

    Workers and agents' presses both take this lock first, so neither works on a state the other has just left. It is
    FOR NO KEY UPDATE, so that a message that refers to the conversation can be stored meanwhile.
    """
    lock = {"key_share": True}
    return session.get_one(Conversation, conversation_id, with_for_update=lock, populate_existing=True)


def held_conversation(session: Session, lease: Lease) -> Conversation:
    """The conversation of a lease, locked. Raises LeaseLost when the lease is another worker's by now."""
    conversation = lock_conversation(session, lease.conversation_id)
    if conversation.lease_owner != lease.owner:
        raise LeaseLost(f"conversation {lease.conversation_id} is another worker's by now")
    return conversation
