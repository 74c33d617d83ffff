"""Timers: rows with a due time, handled by the same worker as messages."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from handoff.models import Conversation, Timer


class TimerKind(StrEnum):
    FACTS = "facts"  # the requester did not answer the questions before a ticket: open it without
    IDLE = "idle"  # an answer nobody commented on: the conversation is closed as assumed
    FIRST_RESPONSE = "first_response"  # nobody has reacted to a ticket in time: warn in the hand-off
    CLOSE_RESOLVED = "close_resolved"  # the reopen window is over


def set_timer(session: Session, conversation: Conversation, kind: TimerKind, due_at: datetime) -> None:
    """Ring at due_at; a timer of the same kind in this conversation is moved."""
    clear_timer(session, conversation, kind)
    session.add(Timer(kind=kind, conversation=conversation, due_at=due_at))
    session.flush()


def clear_timer(session: Session, conversation: Conversation, *kinds: TimerKind) -> None:
    """Do not ring."""
    session.execute(delete(Timer).where(Timer.conversation_id == conversation.id, Timer.kind.in_(kinds)))


def due_timers(session: Session, conversation_id: int, now: datetime) -> list[Timer]:
    """The timers of a conversation that are due, oldest first."""
    due = select(Timer).where(Timer.conversation_id == conversation_id, Timer.due_at <= now)
    return list(session.scalars(due.order_by(Timer.due_at)))


def put_off(session: Session, timer_id: int, due_at: datetime) -> None:
    """Ring later: what it should have done could not be done."""
    session.execute(update(Timer).where(Timer.id == timer_id).values(due_at=due_at))
