"""What a row of the outbox says when it is sent: a card is drawn from its ticket as it is now, a relay speaks for
its author."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import replies
from bot.channels.port import Address, File, Link, Reply
from bot.house import House
from bot.threads import NO_THREAD_YET
from handoff import desk, transcript
from handoff.models import Kind, Message, Place, Side, Ticket
from handoff.outbox import is_note

LONGEST_IN_THREAD = 3000  # characters; a longer transcript comes as a file
MOST_ARTICLES = 3
LEAST_PROBABLE = 0.01


def reply_for(house: House, session: Session, message: Message) -> Reply:
    """The post as plain values."""
    ticket = message.conversation.ticket
    if message.kind == Kind.CARD and ticket is not None:
        return card_for(house, session, ticket, message.place)
    if message.kind == Kind.TRANSCRIPT:
        return transcript_for(house, session, message)
    if message.kind == Kind.RELAY and message.concerns is not None:
        return relay_for(house, message, message.concerns)
    return replies.from_json(message.text, message.reply)


def card_for(house: House, session: Session, ticket: Ticket, place: Place) -> Reply:
    """The ticket's card, for the hand-off channel or the third level, with the ways to the rest of its story."""
    handoff, texts = house.settings.handoff, house.handoff_texts()
    third = place.side == Side.THIRD_LEVEL
    rule = texts(f"card_rule_{'third_level' if third else handoff.reply}", prefix=handoff.note_prefixes[0])
    options = None if third else replies.CardOptions(tuple(handoff.queues), tuple(handoff.categories))
    articles = best_articles(session, ticket)
    return replies.card(
        texts, ticket, house.moment(), rule, articles=articles, links=links_for(house, ticket, place), options=options
    )


def best_articles(session: Session, ticket: Ticket) -> tuple[str, ...]:
    """The articles that Lotse found last in this case, each with its probability: `82 % VPN einrichten`."""
    searched = select(Message.evidence).where(
        Message.conversation_id == ticket.conversation_id, Message.evidence.is_not(None)
    )
    for evidence in session.scalars(searched.order_by(Message.id.desc())):
        hits = ((evidence or {}).get("search") or {}).get("hits") or ()
        worth_it = [hit for hit in hits[:MOST_ARTICLES] if hit["probability"] >= LEAST_PROBABLE]
        if worth_it:
            return tuple(f"{round(hit['probability'] * 100)} % {hit['title']}" for hit in worth_it)
    return ()


def links_for(house: House, ticket: Ticket, here: Place) -> tuple[Link, ...]:
    """From a card to the requester's thread where agents can see it, to the ticket's other threads, and to the desk."""
    texts = house.handoff_texts()
    ways = [(texts("link_requester"), ticket.conversation.place)]
    ways += [(texts(f"link_{place.side}"), place) for place in desk.handoff_places(ticket, but=here)]
    found = [Link(label, url) for label, place in ways if (url := link_to(place))]
    return (*found, Link(texts("link_desk"), f"/desk/{ticket.number}"))


def link_to(place: Place) -> str | None:
    """What opens the thread on its platform, for people who may see it; None where there is no such link (yet)."""
    return place.route.get("permalink")


def transcript_for(house: House, session: Session, message: Message) -> Reply:
    """What was said before: in the thread when it is short, else as a file with its beginning."""
    texts, number = house.handoff_texts(), message.conversation.ticket.number if message.conversation.ticket else "?"
    before = [entry for entry in transcript.entries(session, message.conversation) if entry.at <= message.created_at]
    text = transcript.as_text(before).strip()
    if len(text) <= LONGEST_IN_THREAD:
        return Reply(f"**{texts('transcript_title', number=number)}**\n\n```\n{fenceless(text)}\n```")
    file = File(f"{number}.txt", "text/plain", text.encode())
    return Reply(f"**{texts('transcript_as_file', number=number, count=len(before))}**", files=(file,))


def fenceless(text: str) -> str:
    """The text without what would end the block it stands in."""
    return text.replace("```", "` ` `")


def relay_for(house: House, message: Message, told: Message) -> Reply:
    """What a person wrote, under their name, with the files that came with it."""
    person, files = message.person, files_of(told)
    text = "" if told.kind == Kind.DELETION else message.text
    if told.kind == Kind.DELETION:
        text = house.texts_for(message.conversation)("message_deleted")
    refused = [file for file in files if file.refused]
    limit = house.settings.web.upload_limit_mb
    texts = house.handoff_texts()
    lost = "\n".join(
        texts("file_not_kept", name=file.name, why=texts(f"file_{file.refused}", limit=limit)) for file in refused
    )
    return Reply(
        "\n".join(filter(None, (text, lost if message.place.side != Side.REQUESTER else ""))),
        author=person.name if person else None,
        image=person.image if person else None,
        files=tuple(file for file in files if file.content is not None),
        note=is_note(told),
    )


def files_of(message: Message) -> tuple[File, ...]:
    """The files that came with a message, as they are passed on."""
    return tuple(
        File(attachment.name, attachment.media_type, attachment.content, attachment.refused)
        for attachment in message.attachments
    )


def address_of(place: Place) -> Address:
    """Where a place is; a thread that no post has opened yet has no name."""
    thread = None if not place.thread or place.thread.startswith(NO_THREAD_YET) else place.thread
    return Address(place.platform, place.channel, thread, dict(place.route))
