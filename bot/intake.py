"""Stores what platforms bring: messages and presses become rows, once each."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy.orm import Session

from bot import replies
from bot.agents import kind_of
from bot.channels.port import DELETED, Address, File, Incoming, Press, Sender
from bot.house import House
from bot.threads import NO_THREAD_YET
from handoff import inbox
from handoff.models import Attachment, Author, Conversation, ConversationState, Kind, Message, Person, Place, Ticket
from handoff.outbox import post
from nlu.language import detect_language

KEY = re.compile(r"[0-9]{1,9}")  # a Message id, as buttons carry it
FRESH = timedelta(minutes=15)  # how long what stands outside any thread goes on with the case before it
LONGEST_MEDIA_TYPE = 120
QUOTED = "quoted"  # the outcome of what was written before Lotse was asked
WITHDRAWN = "withdrawn"  # the outcome of what was deleted before it was answered


def store_message(house: House, session: Session, incoming: Incoming) -> Message | None:
    """The row of a message: the one already there, a new one, or None for chatter in a hand-off channel."""
    address = incoming.address
    seen = inbox.find_message(session, address.platform, incoming.source_id)
    if seen is not None:
        return seen
    taken_back = inbox.find_message(session, address.platform, f"{incoming.source_id}{DELETED}")
    if taken_back is not None:
        return taken_back  # its deletion has overtaken it
    place = place_changed(session, incoming) or inbox.find_place(
        session, address.platform, address.channel, address.thread
    )
    ticket = inbox.ticket_at(session, place)
    if place is not None and ticket is not None:
        return _store_from_agent(house, session, incoming, place, ticket)
    if is_handoff_channel(house, address.platform, address.channel):
        require_booked(session, address)
        return None
    if not incoming.addressed and not is_requester_at(session, place, incoming.sender):
        return None
    return _store_from_requester(house, session, incoming)


def require_booked(session: Session, address: Address) -> None:
    """Raises NotYetBooked for a word in a thread that may be a ticket's whose card is just being posted: the platform
    brings it again when we know."""
    if address.thread is not None and inbox.is_opening_thread(session, address.platform, address.channel):
        raise NotYetBooked("a thread is being opened in this channel; what is said in it is taken in a moment")


class NotYetBooked(Exception):  # noqa: N818 - it is a state, and reads as one
    """A post was sent and is not written down yet, so nobody knows whose thread this is."""


def place_changed(session: Session, incoming: Incoming) -> Place | None:
    """Where the sender's own message is that an edit or deletion changes, when it is in the same channel."""
    changed = incoming.edits or incoming.deletes
    original = inbox.find_message(session, incoming.address.platform, changed) if changed else None
    if original is None or original.person is None or original.place.channel != incoming.address.channel:
        return None
    return original.place if is_person(original.person, incoming.sender) else None


def is_handoff_channel(house: House, platform: str, channel: str) -> bool:
    """Whether agents meet here; outside a ticket's thread nothing said here is for Lotse."""
    handoff = house.settings.handoff
    channels = {(queue.platform, queue.channel) for queue in (*handoff.queues.values(), handoff.third_level)}
    return (platform, channel) in channels | {("web", "desk")}


def is_requester_at(session: Session, place: Place | None, sender: Sender) -> bool:
    """Whether the newest case at a place is this person's: a thread keeps listening to its requester."""
    case = inbox.newest_case_at(session, place) if place is not None else None
    return case is not None and is_person(case.requester, sender)


def is_person(person: Person, sender: Sender) -> bool:
    return (person.platform, person.platform_id) == (sender.platform, sender.id)


def _store_from_agent(house: House, session: Session, incoming: Incoming, place: Place, ticket: Ticket) -> Message:
    kind, text = kind_of(house, incoming, place)
    if incoming.edits and inbox.find_message(session, place.platform, incoming.edits) is None:
        kind = Kind.NOTE  # overtaken by its edit, the message may still turn out to be a note
    return _record(house, session, incoming, ticket.conversation, place, Author.AGENT, kind, text)


def _store_from_requester(house: House, session: Session, incoming: Incoming) -> Message:
    if incoming.edits and inbox.find_message(session, incoming.address.platform, incoming.edits) is None:
        # A mention that was added later, or an edit that has overtaken its message: the new wording is the message.
        message = _store_from_requester(house, session, replace(incoming, source_id=incoming.edits, edits=None))
        edit = _record(house, session, incoming, message.conversation, message.place, Author.REQUESTER, Kind.EDIT, "")
        edit.text, edit.handled_at, edit.outcome = message.text, house.clock(), "recorded"
        return message
    place = place_changed(session, incoming) or loose_place(house, session, incoming)
    if place is None:
        place = requester_place(session, incoming)
    else:
        inbox.lock_place(session, place)
    conversation = conversation_for(house, session, place, incoming.sender)
    if incoming.from_form:
        say_first(house, session, conversation, "you_asked", incoming.text)
    message = _record(house, session, incoming, conversation, place, Author.REQUESTER, Kind.TEXT, incoming.text)
    if message.kind == Kind.EDIT and message.concerns is not None and message.concerns.outcome == WITHDRAWN:
        message.concerns.handled_at = message.concerns.outcome = None  # deleted before it was answered, and restored
    if message.kind == Kind.TEXT:
        talks_to_person = message.conversation.state == ConversationState.WITH_PERSON
        inbox.hold_burst(session, message, timedelta(0) if talks_to_person else house.merge_window())
    return message


def loose_place(house: House, session: Session, incoming: Incoming) -> Place | None:
    """Where a message outside any thread goes on: in its sender's newest case in this channel, while it is fresh."""
    if not incoming.loose:
        return None
    requester, address = person_of(session, incoming.sender), incoming.address
    return inbox.fresh_place(session, address.platform, address.channel, requester, house.clock() - FRESH)


def say_first(
    house: House, session: Session, conversation: Conversation, key: str, text: str, **values: object
) -> None:
    """A form leaves nothing to read where the answer will stand: what it is about is posted there first."""
    reply = replies.say(house.texts_for(conversation), key, text=text, **values)
    place, now = conversation.place, house.clock()
    post(session, conversation, place, Kind.SAY, reply.text, now, reply=replies.to_json(reply))


def requester_place(session: Session, came: Incoming | Press) -> Place:
    """The requester's place, locked: two messages at once must not open two conversations in it."""
    address = came.address
    place = inbox.place_at(session, address.platform, address.channel, address.thread, route=address.route)
    inbox.lock_place(session, place)
    return place


def conversation_for(house: House, session: Session, place: Place, sender: Sender) -> Conversation:
    """The open conversation at a place, or a new one."""
    conversation = inbox.conversation_at(session, place)
    return conversation or inbox.open_conversation(session, place, person_of(session, sender), house.clock())


def move_to_open_case(
    house: House, session: Session, closed: Conversation, messages: Sequence[Message]
) -> Conversation:
    """Messages of a case that was closed before they were handled go to the one open at their place, or a new one."""
    place = closed.place
    inbox.lock_place(session, place)
    conversation = inbox.conversation_at(session, place)
    if conversation is None:
        conversation = inbox.open_conversation(session, place, closed.requester, house.clock(), previous=closed)
    if messages and messages[0].kind == Kind.PRESS:
        conversation.language = conversation.language or closed.language  # a press has no words to tell it from
    for message in (*messages, *inbox.notes_with(session, messages)):
        message.conversation = conversation
    return conversation


def person_of(session: Session, sender: Sender) -> Person:
    return inbox.person_at(session, sender.platform, sender.id, storable(sender.name), sender.language, sender.address)


def storable(text: str) -> str:
    """The text without what a database cannot keep: NUL (PostgreSQL) and halves of a surrogate pair (both)."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")


def _record(
    house: House,
    session: Session,
    incoming: Incoming,
    conversation: Conversation,
    place: Place,
    author: Author,
    kind: Kind,
    text: str,
) -> Message:
    changed = incoming.edits or incoming.deletes
    concerns = inbox.find_message(session, place.platform, changed) if changed else None
    if concerns is not None and concerns.place_id != place.id:
        concerns = None  # nobody changes what was written elsewhere
    if changed and kind != Kind.NOTE:
        kind = Kind.EDIT if incoming.edits else Kind.DELETION
    message = inbox.record(
        session,
        concerns.conversation if concerns is not None else conversation,
        place,
        house.clock(),
        person=person_of(session, incoming.sender),
        concerns=concerns,
        author=author,
        kind=kind,
        text=storable(text),
        source_id=incoming.source_id,
        written_at=incoming.written_at,
        reply={"loose": True} if incoming.loose else None,
    )
    session.add_all(attachment_of(message, file) for file in incoming.files)
    return message


def attachment_of(message: Message, file: File) -> Attachment:
    """The row of a file; a refused one keeps its name and the reason."""
    size = len(file.content) if file.content is not None else 0
    return Attachment(
        message=message,
        name=storable(file.name),
        media_type=file.media_type[:LONGEST_MEDIA_TYPE],
        size=size,
        content=file.content,
        refused=file.refused if file.content is None else None,
        source=file.source if file.content is None and file.refused is None else None,
    )


def place_of_card(session: Session, press: Press) -> Place | None:
    """Where the card is that was pressed, when it is in this channel: known before its thread is."""
    card = session.get(Message, int(press.on)) if press.on and KEY.fullmatch(press.on) else None
    if card is None or card.kind != Kind.CARD or card.place.channel != press.address.channel:
        return None
    return card.place if card.place.platform == press.address.platform else None


def store_press(house: House, session: Session, press: Press) -> Message | None:
    """The row of a requester's press; it waits to be handled like a message. None: the case is somebody else's."""
    place = requester_place(session, press)
    below = session.get(Message, int(press.on)) if press.on and KEY.fullmatch(press.on) else None
    if below is not None and below.place_id != place.id:
        below = None  # a button that was never shown here
    if below is not None and not is_person(below.conversation.requester, press.on_behalf_of or press.person):
        return None
    if below is None or below.conversation.state == ConversationState.CLOSED:
        conversation = conversation_for(house, session, place, press.on_behalf_of or press.person)
        conversation.language = conversation.language or (below.conversation.language if below else None)
    else:
        conversation = below.conversation
    if not is_person(conversation.requester, press.on_behalf_of or press.person):
        return None
    message = record_press(house, session, press, conversation, place, Author.REQUESTER)
    message.concerns = below
    inbox.hold_burst(session, message, timedelta(0))  # who presses has finished writing
    name = message.person.name if message.person else ""
    if press.value and is_for_another(press):  # whoever is told of a ticket reads one language in all of it
        known = conversation.language or conversation.requester.language
        conversation.language = known or detect_language(press.value)
    if press.value and (press.from_form or place.thread.startswith(NO_THREAD_YET)):
        say_first(house, session, conversation, told_first(press, conversation), press.value, name=name)
    elif press.value and is_for_another(press):
        message.reply = {"for_another": True}  # the receipt says who it was
    if press.fields.get("note"):
        note_for_agents(house, session, press, message)
    return message


def told_first(press: Press, conversation: Conversation) -> str:
    """How a requester is told what a ticket is about, or an addition to theirs, when they have not read it yet."""
    if not is_for_another(press):
        return "ticket_about"
    has_ticket = conversation.state in {ConversationState.WAITING_FOR_PERSON, ConversationState.WITH_PERSON}
    return "added_for_you" if has_ticket else "ticket_for_you"


def is_for_another(press: Press) -> bool:
    """Whether somebody presses for somebody else."""
    return press.on_behalf_of is not None and press.on_behalf_of.id != press.person.id


def note_for_agents(house: House, session: Session, press: Press, opening: Message) -> None:
    """What a colleague notes while opening a ticket for somebody; handled after that, when there are agents to tell."""
    inbox.record(
        session,
        opening.conversation,
        opening.place,
        house.clock(),
        person=person_of(session, press.person),
        author=Author.AGENT,
        kind=Kind.NOTE,
        text=storable(press.fields["note"]),
        source_id=f"{press.source_id}/note",
        written_at=house.clock(),
    )


def store_quoted(session: Session, conversation: Conversation, incoming: Incoming) -> None:
    """What was written in a thread before Lotse was asked: part of the story, and nothing to handle."""
    if inbox.find_message(session, incoming.address.platform, incoming.source_id) is not None:
        return
    message = inbox.record(
        session,
        conversation,
        conversation.place,
        incoming.written_at,
        person=person_of(session, incoming.sender),
        author=Author.REQUESTER,
        kind=Kind.TEXT,
        text=storable(incoming.text),
        source_id=incoming.source_id,
        written_at=incoming.written_at,
        handled_at=incoming.written_at,
        outcome=QUOTED,
    )
    session.add_all(attachment_of(message, file) for file in incoming.files)


def record_press(
    house: House, session: Session, press: Press, conversation: Conversation, place: Place, author: Author
) -> Message:
    """One press as a row of the transcript."""
    now = house.clock()
    return inbox.record(
        session,
        conversation,
        place,
        now,
        person=person_of(session, press.person),
        author=author,
        kind=Kind.PRESS,
        text=storable(f"{press.action}:{press.value}"),
        source_id=press.source_id,
        written_at=now,
    )
