"""What one employee sees of the record: their own words, and what was delivered to them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from bot.burst import CHANGES, wording
from bot.channels.port import Address, Button, Link
from bot.channels.web import THREAD_MARK, is_own_thread, thread_token
from bot.replies import from_json
from handoff.inbox import find_place
from handoff.models import Attachment, Author, Conversation, ConversationState, Kind, Message, Place, Ticket
from handoff.outbox import is_note, not_yet_sent

LONGEST_THREAD = 300
MOST_THREADS = 10
SPOKEN = (Kind.TEXT, Kind.PRESS)


@dataclass(frozen=True)
class Bubble:
    """One thing said. own: by the employee. author: a person's name, None for Lotse and for the employee."""

    id: int
    conversation_id: int
    own: bool
    kind: str
    author: str | None
    text: str
    at: datetime
    buttons: tuple[Button, ...] = ()
    links: tuple[Link, ...] = ()
    files: tuple[Attachment, ...] = ()
    edited: bool = False
    deleted: bool = False
    changeable: bool = False
    pressed: str | None = None

    @property
    def is_person_wish(self) -> bool:
        """Whether the page's own button for a person was pressed."""
        return self.kind == Kind.PRESS and self.pressed == "person"


@dataclass(frozen=True)
class Thread:
    """One thread of an employee. typing: an answer is being worked on. with_person: a person holds the conversation.
    ticket: the number of the open ticket that what is written here goes to."""

    bubbles: tuple[Bubble, ...] = ()
    typing: bool = False
    with_person: bool = False
    ticket: str | None = None


def read_thread(session: Session, address: Address) -> Thread:
    """One thread of an employee."""
    place = find_place(session, address.platform, address.channel, address.thread)
    if place is None:
        return Thread()
    rows = newest_rows(session, place)
    cases = conversations_of(session, rows)
    bubbles = [bubble_of(row, rows) for row in rows if is_seen(row) and not is_change(row)]
    shown = [with_live_parts(bubble, rows, cases[bubble.conversation_id]) for bubble in only_last_changeable(bubbles)]
    newest = cases[rows[-1].conversation_id] if rows else None
    with_person = newest is not None and newest.state == ConversationState.WITH_PERSON
    ticket = (
        newest.ticket.number if newest is not None and newest.ticket is not None and newest.ticket.is_open else None
    )
    return Thread(tuple(shown), not with_person and is_worked_on(session, place), with_person, ticket)


@dataclass(frozen=True)
class OwnThread:
    """One thread in the employee's list: its newest case, with the ticket where there is one."""

    token: str
    title: str
    at: datetime
    ticket: Ticket | None


def own_threads(session: Session, person_id: str) -> list[OwnThread]:
    """The newest cases of an employee that have a ticket or were not closed, each with the thread it is in."""
    cases = (
        select(Conversation)
        .join(Place, Conversation.place_id == Place.id)
        .outerjoin(Ticket, Ticket.conversation_id == Conversation.id)
        .where(Place.platform == "web", Place.channel == "chat")
        .where(or_(Place.thread == person_id, Place.thread.startswith(f"{person_id}{THREAD_MARK}", autoescape=True)))
        .where(or_(Ticket.id.is_not(None), Conversation.state != ConversationState.CLOSED))
        .order_by(Conversation.id.desc())
        .limit(MOST_THREADS)
        .options(joinedload(Conversation.place), joinedload(Conversation.ticket).joinedload(Ticket.agent))
    )
    return [own_thread_of(session, case) for case in session.scalars(cases).unique()]


def own_thread_of(session: Session, case: Conversation) -> OwnThread:
    """A case as the list shows it: by the ticket's summary, else by its first words that were not taken back."""
    first = select(Message).where(Message.conversation_id == case.id, Message.kind == Kind.TEXT)
    told = (wording(session, message) for message in session.scalars(first.order_by(Message.id).limit(5)))
    title = case.ticket.summary if case.ticket else next(filter(None, told), "")
    return OwnThread(thread_token(case.place.thread), title, case.opened_at, case.ticket)


def newest_rows(session: Session, place: Place) -> list[Message]:
    """The newest rows at a place, in their order, with everything a bubble shows."""
    newest = (
        select(Message)
        .where(Message.place_id == place.id)
        .order_by(Message.id.desc())
        .limit(LONGEST_THREAD)
        .options(
            joinedload(Message.person),
            selectinload(Message.attachments),
            joinedload(Message.concerns).selectinload(Message.attachments),
            joinedload(Message.concerns).joinedload(Message.person),
        )
    )
    return list(session.scalars(newest).unique())[::-1]


def conversations_of(session: Session, rows: Sequence[Message]) -> dict[int, Conversation]:
    """The cases that the rows belong to, by their id."""
    wanted = {row.conversation_id for row in rows}
    return {case.id: case for case in session.scalars(select(Conversation).where(Conversation.id.in_(wanted)))}


def is_seen(row: Message) -> bool:
    """Whether the employee may see a row. A note never, not even one that was relayed by mistake."""
    if is_note(row):
        return False
    if row.to_send:
        return row.delivered_at is not None and row.dropped_at is None
    return row.author == Author.REQUESTER and row.kind in SPOKEN


def is_change(row: Message) -> bool:
    """Whether a post changes an earlier one: an agent has edited or deleted what was relayed."""
    return row.kind == Kind.RELAY and row.concerns is not None and row.concerns.kind in CHANGES


def bubble_of(row: Message, rows: Sequence[Message]) -> Bubble:
    """A row as a bubble, with later edits and a deletion applied."""
    changes = [change.concerns or change if change.kind == Kind.RELAY else change for change in changes_of(row, rows)]
    wordings = [change.text for change in changes if change.kind != Kind.DELETION]
    deleted = any(change.kind == Kind.DELETION for change in changes)
    reply = from_json(row.text, row.reply)
    original = row.concerns if row.to_send and row.kind == Kind.RELAY and row.concerns is not None else row
    return Bubble(
        id=row.id,
        conversation_id=row.conversation_id,
        own=not row.to_send,
        kind=row.kind,
        author=reply.author or (row.person.name if row.to_send and row.person else None),
        text="" if deleted else wordings[-1] if wordings else pressed_label(row),
        at=row.created_at,
        buttons=reply.buttons if row.to_send else (),
        links=reply.links,
        files=() if deleted else tuple(original.attachments),
        edited=bool(wordings),
        deleted=deleted,
        changeable=not row.to_send and row.kind == Kind.TEXT and not deleted,
        pressed=row.text.partition(":")[0] if row.kind == Kind.PRESS else None,
    )


def changes_of(row: Message, rows: Sequence[Message]) -> list[Message]:
    """What changed a message since: the employee's own edits and deletions, an agent's edits that were delivered."""
    if not row.to_send:
        return [one for one in rows if one.concerns_id == row.id and one.kind in {Kind.EDIT, Kind.DELETION}]
    edits = (one for one in rows if is_seen(one) and is_change(one))
    return [one for one in edits if one.concerns is not None and one.concerns.concerns_id == row.concerns_id]


def pressed_label(row: Message) -> str:
    """What a row says; for a press, the label of the button that was pressed (empty where none is known)."""
    if row.kind != Kind.PRESS:
        return row.text
    action, _, value = row.text.partition(":")
    shown = from_json("", row.concerns.reply).buttons if row.concerns is not None else ()
    return next((button.label for button in shown if (button.action, button.value) == (action, value)), "")


def only_last_changeable(bubbles: list[Bubble]) -> list[Bubble]:
    """Only the employee's last message can be changed."""
    last = next((bubble for bubble in reversed(bubbles) if bubble.changeable), None)
    return [replace(bubble, changeable=bubble is last) for bubble in bubbles]


def with_live_parts(bubble: Bubble, rows: Sequence[Message], case: Conversation) -> Bubble:
    """Buttons only below the post that the case waits for, and none below one that was pressed already."""
    is_open = case.state != ConversationState.CLOSED
    pressed = any(
        row.kind == Kind.PRESS and row.concerns_id == bubble.id and not row.text.startswith("person:") for row in rows
    )
    live = is_open and not pressed and (case.memory or {}).get("on") == bubble.id
    return replace(bubble, buttons=bubble.buttons if live else (), changeable=bubble.changeable and is_open)


def is_worked_on(session: Session, place: Place) -> bool:
    """Whether something waits to be handled or to be delivered here."""
    waits = Message.to_send.is_(False) & Message.handled_at.is_(None)
    waiting = select(Message.id).where(Message.place_id == place.id, waits | not_yet_sent(Message)).limit(1)
    return session.scalar(waiting) is not None


def may_read_file(session: Session, file: Attachment, person_id: str) -> bool:
    """Whether an employee may open a file: it came with something they see in a thread of theirs."""
    brought = select(Message).where((Message.id == file.message_id) | (Message.concerns_id == file.message_id))
    rows = session.scalars(brought.options(joinedload(Message.place)))
    return any(
        is_seen(row) and not is_deleted(session, row)
        for row in rows
        if (row.place.platform, row.place.channel) == ("web", "chat") and is_own_thread(row.place.thread, person_id)
    )


def is_deleted(session: Session, row: Message) -> bool:
    gone = select(Message.id).where(Message.concerns_id == row.id, Message.kind == Kind.DELETION).limit(1)
    return session.scalar(gone) is not None
