"""The reconciler: counts what came in and what went out, and whether every row ended in exactly one way."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from handoff.models import Message
from handoff.outbox import not_yet_sent


@dataclass(frozen=True)
class Counts:
    """Messages by how they ended; each number is counted by itself, none is the rest of the others.

    received = handled + open, and to_send = delivered + dropped + failed + waiting, or something was lost or is
    counted twice. open and waiting are 0 once everything is worked off.
    """

    received: int
    handled: int
    open: int
    to_send: int
    delivered: int
    dropped: int
    failed: int
    waiting: int

    @property
    def balanced(self) -> bool:
        """Whether every message is accounted for, and none twice."""
        handled = self.received == self.handled + self.open
        return handled and self.to_send == self.delivered + self.dropped + self.failed + self.waiting

    @property
    def settled(self) -> bool:
        """Balanced, and nothing is left to do: received = handled, to send = delivered or visibly not."""
        return self.balanced and self.open == self.waiting == 0


def reconcile(session: Session) -> Counts:
    """Count the whole record (behaviour rule 1)."""
    came, goes = Message.to_send.is_(False), Message.to_send.is_(True)
    up_to_date = Message.delivered_revision >= Message.revision
    counted = {
        "received": came,
        "handled": and_(came, Message.handled_at.is_not(None), Message.outcome.is_not(None)),
        "open": and_(came, Message.handled_at.is_(None)),
        "to_send": goes,
        "delivered": and_(goes, Message.delivered_at.is_not(None), up_to_date),
        "dropped": and_(goes, Message.dropped_at.is_not(None)),
        "failed": and_(goes, Message.failure.is_not(None)),
        "waiting": not_yet_sent(Message),
    }
    return Counts(**{name: _count(session, which) for name, which in counted.items()})


def _count(session: Session, which: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(Message).where(which)) or 0
