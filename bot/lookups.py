"""Asks platforms for what a message left open (names, files, what was written before), outside any transaction."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from bot.burst import Burst
from bot.channels.port import OPEN_TICKET, Incoming, Profile, ThreadLost, Unreachable
from bot.house import House
from bot.intake import QUOTED, store_quoted
from bot.posts import address_of
from handoff.models import Attachment, Author, Conversation, Kind, Message, Person, Place

logger = logging.getLogger(__name__)
KNOWN_FOR = timedelta(days=1)  # how long what a platform said of a person is believed
LONGEST_IMAGE = 500  # characters of a picture's address


@dataclass(frozen=True)
class Wanted:
    """One thing to ask a platform for: the row it belongs to, and what the platform needs to find it."""

    id: int
    ask: str
    platform: str
    route: dict[str, str]


def complete(house: House, burst: Burst) -> None:
    """Fetch what is missing for these messages. A profile that cannot be had is done without; a file is tried as often
    as a message is, then it counts as not loaded, and its sender is told. Raises what the platform raises before; never
    for what an agent wrote: a reply does not wait for a file."""
    if not any(channel.can_be_asked for channel in house.channels.values()):
        return
    with house.sessions() as session:
        must_go_on = burst.author == Author.AGENT or is_last_try(house, session, burst)
    if burst.kind == Kind.PRESS and burst.action == OPEN_TICKET:
        quote_thread(house, burst, must_go_on=must_go_on)
    with house.sessions() as session:
        people, files = unknown_people(session, house, burst), unfetched_files(session, burst)
    # Where one profile cannot be had, the next could not either: nobody waits for a whole thread of people.
    all(look_up(house, wanted) for wanted in people)
    for wanted in files:
        fetch(house, wanted, must_go_on=must_go_on)


def is_last_try(house: House, session: Session, burst: Burst) -> bool:
    """Whether these messages are not tried again."""
    attempts = session.scalar(select(func.max(Message.handle_attempts)).where(Message.id.in_(burst.ids))) or 0
    return attempts + 1 >= house.settings.worker.handle_attempts


# --- people -----------------------------------------------------------------------------------------------------------
def unknown_people(session: Session, house: House, burst: Burst) -> list[Wanted]:
    """Whoever takes part in the case and was not asked after lately."""
    old = or_(Person.profile_at.is_(None), Person.profile_at < house.clock() - KNOWN_FOR)
    rows = session.execute(
        select(Person, Place)
        .join(Message, Message.person_id == Person.id)
        .join(Place, Message.place_id == Place.id)
        .where(Message.conversation_id == burst.case.conversation_id, Message.to_send.is_(False), old)
    ).all()
    requester = session.get_one(Conversation, burst.case.conversation_id)
    pairs = {person.id: (person, place) for person, place in rows}
    if requester.requester.profile_at is None:
        pairs.setdefault(requester.requester_id, (requester.requester, requester.place))
    return [
        Wanted(person.id, person.platform_id, person.platform, dict(place.route)) for person, place in pairs.values()
    ]


def look_up(house: House, wanted: Wanted) -> bool:
    """Ask after one person and write down what was said; False when the platform cannot be asked now."""
    channel = house.channels.get(wanted.platform)
    if channel is None:
        return True
    try:
        profile = channel.profile(wanted.ask, wanted.route)
    except Exception:
        # The name is a courtesy: the case goes on under the id, and the next message asks again.
        logger.exception("a profile could not be had from %s", wanted.platform)
        return False
    if profile is not None:
        with house.sessions.begin() as session:
            note_profile(house, session.get_one(Person, wanted.id), profile)
    return True


def note_profile(house: House, person: Person, profile: Profile) -> None:
    """Keep what the platform says; a language that the person chose here stays."""
    person.name = profile.name or person.name
    person.image = profile.image if profile.image and len(profile.image) <= LONGEST_IMAGE else None
    person.language = person.language or profile.language
    person.profile_at = house.clock()


# --- files ------------------------------------------------------------------------------------------------------------
def unfetched_files(session: Session, burst: Burst) -> list[Wanted]:
    """The files of these messages, and of what was written before a ticket was opened on a thread."""
    rows = session.execute(
        select(Attachment, Place)
        .join(Message, Attachment.message_id == Message.id)
        .join(Place, Message.place_id == Place.id)
        .where(Message.conversation_id == burst.case.conversation_id, Attachment.source.is_not(None))
        .where(or_(Message.id.in_(burst.ids), Message.outcome == QUOTED))
    ).all()
    return [Wanted(file.id, file.source or "", place.platform, dict(place.route)) for file, place in rows]


def fetch(house: House, wanted: Wanted, *, must_go_on: bool) -> None:
    """Load one file. After the last try it is refused as not loaded, and its sender is told (behaviour rule 13)."""
    channel = house.channels.get(wanted.platform)
    try:
        content = channel.fetch(wanted.ask, wanted.route) if channel is not None else None
    except Unreachable:
        content = None
    except Exception:
        if not must_go_on:
            raise
        logger.exception("file %s could not be fetched from %s", wanted.id, wanted.platform)
        content = None
    with house.sessions.begin() as session:
        keep(house, session.get_one(Attachment, wanted.id), content)


def keep(house: House, file: Attachment, content: bytes | None) -> None:
    """The file with its content, or with the reason why there is none."""
    limit = house.settings.web.upload_limit_mb * 1024 * 1024
    file.source = None
    if content is None:
        file.refused = "not_loaded"
    elif len(content) > limit:
        file.refused = "too_large"
    else:
        file.content, file.size = content, len(content)


# --- what was written before ------------------------------------------------------------------------------------------
def quote_thread(house: House, burst: Burst, *, must_go_on: bool) -> None:
    """A ticket opened on a thread takes all of it as transcript (behaviour: nothing has to be told twice)."""
    with house.sessions() as session:
        place = session.get_one(Conversation, burst.case.conversation_id).place
        address = address_of(place)
    channel = house.channels.get(address.platform)
    written: Sequence[Incoming] = ()
    try:
        written = channel.history(address) if channel is not None else ()
    except (Unreachable, ThreadLost):
        logger.warning("a thread on %s cannot be read", address.platform)
    except Exception:
        if not must_go_on:
            raise
        logger.exception("a thread on %s could not be read", address.platform)
    with house.sessions.begin() as session:
        conversation = session.get_one(Conversation, burst.case.conversation_id)
        for incoming in written:
            store_quoted(session, conversation, incoming)
