"""What a row of the outbox says when it is sent: a card is drawn from its ticket as it is now, a relay speaks for
its author."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import replies
from bot.channels.port import OPEN_TICKET, Address, File, Link, Reply
from bot.house import House
from bot.replies import Moment
from bot.settings import HandoffSettings
from bot.texts import Texts
from bot.threads import NO_THREAD_YET
from handoff import desk, transcript
from handoff.models import Author, Kind, Message, Place, Side, Ticket
from handoff.outbox import is_note
from handoff.transcript import Entry

LONGEST_IN_THREAD = 3000  # characters; a longer transcript comes as a file
MOST_ARTICLES = 3
LEAST_PROBABLE = 0.01
MOST_FILES = 10


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
    rule = texts(f"card_rule_{'third_level' if third else handoff.reply}", prefix=note_prefix(handoff, place))
    if not third and ticket.conversation.place.route.get("shared"):
        rule = f"{rule} {texts('card_others_read')}"
    options = None if third else replies.CardOptions(tuple(handoff.queues), tuple(handoff.categories))
    articles = best_articles(session, ticket)
    return replies.card(
        texts, ticket, house.moment(), rule, articles=articles, links=links_for(house, ticket, place), options=options
    )


def note_prefix(handoff: HandoffSettings, place: Place) -> str:
    """How a note begins there. Chat platforms take a message that begins with a slash for a command of theirs."""
    typable = (prefix for prefix in handoff.note_prefixes if place.platform == "web" or not prefix.startswith("/"))
    return next(typable, handoff.note_prefixes[0])


def best_articles(session: Session, ticket: Ticket) -> tuple[str, ...]:
    """The articles found in this case that were the most probable in any search: `82 % VPN einrichten`, best first."""
    searched = select(Message.evidence).where(
        Message.conversation_id == ticket.conversation_id, Message.evidence.is_not(None)
    )
    return found_in(*session.scalars(searched))


def found_in(*searches: dict[str, Any] | None) -> tuple[str, ...]:
    """The articles that some searches found and that were worth a look, best first."""
    best: dict[str, float] = {}
    for evidence in searches:
        for hit in ((evidence or {}).get("search") or {}).get("hits") or ():
            best[hit["title"]] = max(best.get(hit["title"], 0.0), hit["probability"])
    first = sorted(best.items(), key=lambda article: -article[1])[:MOST_ARTICLES]
    return tuple(
        f"{round(probability * 100)} % {title}" for title, probability in first if probability >= LEAST_PROBABLE
    )


def links_for(house: House, ticket: Ticket, here: Place) -> tuple[Link, ...]:
    """From a card to the requester's thread where agents can see it, to the ticket's other threads, and to the desk."""
    texts = house.handoff_texts()
    ways = [(texts("link_requester"), ticket.conversation.place)]
    ways += [(texts(f"link_{place.side}"), place) for place in desk.handoff_places(ticket, but=here)]
    ways += [(texts("link_lost"), place) for place in ticket.places if place.lost_at and place.side == here.side]
    found = [Link(label, url) for label, place in ways if (url := link_to(place))]
    return (*found, Link(texts("link_desk"), f"/desk/{ticket.number}"))


def link_to(place: Place) -> str | None:
    """What opens the thread on its platform, for people who may see it; None where there is no such link (yet)."""
    return place.route.get("permalink")


def transcript_for(house: House, session: Session, message: Message) -> Reply:
    """What was said before: in the thread when it is short or files cannot be posted there, else as a file, with
    everything that was searched."""
    texts, number = house.handoff_texts(), message.conversation.ticket.number if message.conversation.ticket else "?"
    story = transcript.without_deleted(transcript.entries(session, message.conversation))
    before = [entry for entry in story if entry.at <= message.created_at]
    said = "\n".join(entry.text for entry in before if entry.author == Author.BOT)
    told = "\n".join(line for entry in before for line in told_lines(entry, texts, house.moment(), said))
    files = files_before(session, message, before)
    channel = house.channels.get(message.platform)
    if len(told) <= LONGEST_IN_THREAD or (channel is not None and not channel.takes_files):
        return Reply(f"**{texts('transcript_title', number=number)}**\n\n```\n{fenceless(told)}\n```", files=files)
    whole = File(f"{number}.txt", "text/plain", transcript.as_text(before).encode())
    return Reply(f"**{texts('transcript_as_file', number=number, count=len(before))}**", files=(whole, *files))


def files_before(session: Session, message: Message, before: Sequence[Entry]) -> tuple[File, ...]:
    """What was attached before the thread was opened: agents who cannot see the desk see it there."""
    earlier = select(Message).where(
        Message.conversation_id == message.conversation_id, Message.to_send.is_(False), Message.id < message.id
    )
    kept = {file.id for entry in before for file in entry.files}
    told = (file for one in session.scalars(earlier.order_by(Message.id)) for file in files_of(one))
    found = [file for file in told if file.number in kept]
    return tuple(file for file in found if file.content is not None)[-MOST_FILES:]


def told_lines(entry: Entry, texts: Texts, moment: Moment, said: str = "") -> Iterator[str]:
    """One thing said, as colleagues read it: when, who, what, with the files and the articles that were found. said:
    all that Lotse said, so that what it repeated of a form is told once."""
    if entry.author == "event" or entry.kind == Kind.DELETION:
        return  # what was deleted says so itself
    lines = [line for line in told_words(entry, texts, said).splitlines() if line.strip()]
    lines += [f"• {label}" for label in entry.choices]
    lines += [f"📎 {file.name}" for file in entry.files]
    yield f"{moment.clock(entry.at)}  {'🔒 ' if entry.is_note else ''}{entry.name}"
    yield from (f"       {line}" for line in lines)
    found = found_in(entry.evidence)
    if found and entry.kind in {Kind.ANSWER, Kind.ASK_BACK, Kind.SAY}:
        yield f"       → {texts('transcript_found', articles=', '.join(found))}"


def told_words(entry: Entry, texts: Texts, said: str) -> str:
    """What was said: the new wording of an edit with a mark, a press as its button, nothing of what was deleted."""
    if entry.deleted:
        return texts("transcript_deleted")
    if entry.kind == Kind.PRESS:
        action, _, typed = entry.text.partition(":")
        form = f"\n{typed}" if action == OPEN_TICKET and typed not in said else ""
        return f"[{pressed_label(entry, texts)}]{form}"
    return texts("transcript_edited", text=entry.words) if entry.is_edit else entry.words


def pressed_label(entry: Entry, texts: Texts) -> str:
    """`Das hat geholfen`, in the language of the hand-off; an article as it was offered."""
    action = entry.text.partition(":")[0]
    known = (key for key in (f"pressed_{action}", f"button_{action}") if key in texts.catalogue)
    return texts(next(known, "pressed_other")) if action != "choose" else entry.pressed or texts("pressed_other")


def fenceless(text: str) -> str:
    """The text without what would end the block it stands in."""
    return text.replace("```", "` ` `")


def relay_for(house: House, message: Message, told: Message) -> Reply:
    """What a person wrote, under their name, with the files that came with it."""
    person, files = message.person, files_of(told)
    text = "" if told.kind == Kind.DELETION else message.text
    if told.kind == Kind.DELETION:
        requesters = message.place.side == Side.REQUESTER
        text = (house.texts_for(message.conversation) if requesters else house.handoff_texts())("message_deleted")
    lost = [] if message.place.side == Side.REQUESTER else [refused(house, file) for file in files if file.refused]
    return Reply(
        "\n".join(filter(None, (text, *lost))),
        author=person.name if person else None,
        image=person.image if person else None,
        files=tuple(file for file in files if file.content is not None),
        note=is_note(told),
    )


def refused(house: House, file: File) -> str:
    """What colleagues are told of a file that did not come with a message: plainly not the words of its author."""
    texts, limit = house.handoff_texts(), house.settings.web.upload_limit_mb
    return texts("agent_file_refused", name=file.name, why=texts(f"refused_{file.refused}", limit=limit))


def files_of(message: Message) -> tuple[File, ...]:
    """The files that came with a message, as they are passed on."""
    return tuple(
        File(attachment.name, attachment.media_type, attachment.content, attachment.refused, number=attachment.id)
        for attachment in message.attachments
    )


def address_of(place: Place) -> Address:
    """Where a place is; a thread that no post has opened yet has no name."""
    thread = None if not place.thread or place.thread.startswith(NO_THREAD_YET) else place.thread
    return Address(place.platform, place.channel, thread, dict(place.route))
