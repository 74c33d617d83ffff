"""The pace of a platform: at most one post to a channel in so many seconds, whichever worker sends it."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from handoff.models import Pace


def reserve(session: Session, platform: str, channel: str, now: datetime, seconds: float) -> datetime | None:
    """Take the next turn in a channel; None when it is ours now, else the time when there is one.

    One statement, so that of many workers exactly one gets the turn.
    """
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    turn = insert(Pace).values(platform=platform, channel=channel, next_at=now + timedelta(seconds=seconds))
    taken = turn.on_conflict_do_update(
        index_elements=[Pace.platform, Pace.channel],
        set_={"next_at": turn.excluded.next_at},
        where=Pace.next_at <= now,
    )
    if session.execute(taken.returning(Pace.next_at)).first() is not None:
        return None
    here = select(Pace.next_at).where(Pace.platform == platform, Pace.channel == channel)
    return session.scalar(here)
