"""The whole story of a conversation: who wrote what, what was searched and how sure, what became of the ticket."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from handoff.models import Author, Conversation, Kind, Message, TicketEvent
from handoff.outbox import is_note
from handoff.plain import plain_text

TELLING = 8  # characters: what is shorter, as "ja", stands in many a text by chance
LEFT_OUT = {Kind.CARD, Kind.RELAY, Kind.TRANSCRIPT}  # the same thing at a second place


@dataclass(frozen=True)
class File:
    """An attachment as the transcript names it; refused says why it was not kept."""

    id: int
    name: str
    media_type: str
    size: int
    refused: str | None


@dataclass(frozen=True)
class Entry:
    """One line of the story.

    author: `requester`, `agent`, `bot` or `event`. kind: a Kind, or the event's kind. choices: the articles that were
    offered, by their labels. pressed: the label of the button that was pressed, where it is known. evidence: what was
    understood and searched, as the engine stored it. delivered: when it reached its place, None while (or because) it
    did not. deleted: it was taken back.
    """

    at: datetime
    author: str
    name: str
    kind: str
    text: str
    message_id: int | None = None
    concerns_id: int | None = None
    is_note: bool = False
    buttons: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    pressed: str | None = None
    links: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    evidence: dict[str, Any] | None = None
    data: dict[str, Any] | None = None
    delivered: datetime | None = None
    dropped: bool = False
    failure: str | None = None
    deleted: bool = False

    @property
    def words(self) -> str:
        """The text where no Markdown is drawn: what Lotse said as plain text; people's words as typed."""
        return plain_text(self.text) if self.author == Author.BOT else self.text

    @property
    def is_edit(self) -> bool:
        """Whether this is the new wording of an earlier entry; an edited note is a note."""
        return self.kind == Kind.EDIT or (self.kind == Kind.NOTE and self.concerns_id is not None)


def entries(session: Session, conversation: Conversation) -> list[Entry]:
    """The story in order. Everything is in it, notes too: it is for agents, never for requesters."""
    of_it = select(Message).where(Message.conversation_id == conversation.id, Message.kind.not_in(LEFT_OUT))
    messages = session.scalars(of_it.order_by(Message.id).options(selectinload(Message.attachments)))
    told = [_entry_of(message) for message in _told_once(messages)]
    log = [_entry_of_event(event) for event in conversation.ticket.events] if conversation.ticket else []
    return sorted(log + told, key=lambda entry: entry.at)


def _told_once(messages: Iterable[Message]) -> list[Message]:
    """A notice goes to each place of a ticket; the story tells it once."""
    kept: dict[tuple[object, ...], Message] = {}
    for message in messages:
        notice = message.kind == Kind.NOTICE
        kept.setdefault((message.text, message.created_at) if notice else (message.id,), message)
    return list(kept.values())


def _entry_of(message: Message) -> Entry:
    reply = message.reply or {}
    return Entry(
        at=message.created_at,
        author=message.author,
        name=message.person.name if message.person else "Lotse",
        kind=message.kind,
        text=message.text,
        message_id=message.id,
        concerns_id=message.concerns_id,
        is_note=is_note(message),
        buttons=tuple(button["label"] for button in reply.get("buttons", ())),
        choices=tuple(button["label"] for button in reply.get("buttons", ()) if button["action"] == "choose"),
        pressed=_pressed(message),
        links=tuple(f"{link['label']}: {link['url']}" for link in reply.get("links", ())),
        files=tuple(File(f.id, f.name, f.media_type, f.size, f.refused) for f in message.attachments),
        evidence=message.evidence,
        delivered=message.delivered_at,
        dropped=message.dropped_at is not None,
        failure=message.failure,
    )


def _pressed(message: Message) -> str | None:
    """The label of a button as it was shown to who pressed it; None where that is not known."""
    shown = message.concerns.reply if message.kind == Kind.PRESS and message.concerns is not None else None
    buttons = (shown or {}).get("buttons", ())
    return next((one["label"] for one in buttons if f"{one['action']}:{one['value']}" == message.text), None)


def without_deleted(story: Sequence[Entry]) -> list[Entry]:
    """The story as it may be told anew: what was taken back has no words and no files in it, nor was it searched. What
    was edited after its deletion is there again."""
    last = {entry.concerns_id: entry.kind for entry in story if entry.is_edit or entry.kind == Kind.DELETION}
    gone = {concerned for concerned, kind in last.items() if kind == Kind.DELETION and concerned is not None}
    texts = [entry.text.casefold() for entry in story if _is_gone(entry, gone) and len(entry.text) >= TELLING]
    return [_blanked(entry) if _is_gone(entry, gone) else _not_searched(entry, texts) for entry in story]


def _is_gone(entry: Entry, gone: set[int]) -> bool:
    return (entry.concerns_id if entry.is_edit else entry.message_id) in gone


def _blanked(entry: Entry) -> Entry:
    return replace(entry, text="", files=(), deleted=True)


def _not_searched(entry: Entry, texts: Sequence[str]) -> Entry:
    """What was searched for words that were taken back says no more than what was found."""
    evidence = entry.evidence or {}
    searched = (evidence.get("search") or {}).get("question", "").casefold()
    if not any(text in searched or searched in text for text in texts if searched):
        return entry
    return replace(entry, evidence={**evidence, "search": {**evidence["search"], "question": "…"}})


def _entry_of_event(event: TicketEvent) -> Entry:
    name = event.person.name if event.person else "Lotse"
    return Entry(at=event.at, author="event", name=name, kind=event.kind, text="", data=event.data)


def evidence_lines(evidence: dict[str, Any] | None) -> list[str]:
    """What Lotse understood, searched and found, as lines an agent can read: `82 % [74-88] Article title`."""
    if not evidence:
        return []
    lines = [f"intent {evidence['intent']} ({evidence['intent_confidence']:.2f}, {evidence['understander']})"]
    if evidence.get("reason"):
        lines.append(f"reason {evidence['reason']}" + (f" ({evidence['topic']})" if evidence.get("topic") else ""))
    search = evidence.get("search")
    if search:
        lines.append(f"searched: {search['question']}")
        lines += [_hit_line(hit) for hit in search["hits"]] or ["nothing found"]
    return lines


def _hit_line(hit: dict[str, Any]) -> str:
    return f"{hit['probability']:.0%} [{hit['low']:.0%}-{hit['high']:.0%}] {hit['title']}"


def as_text(story: Sequence[Entry]) -> str:
    """The story as plain text, times in UTC."""
    return "\n".join(line for entry in story for line in _text_lines(entry)) + "\n"


def _text_lines(entry: Entry) -> Iterator[str]:
    mark = " (note)" if entry.is_note else ""
    text = entry.words.replace("\n", "\n    ")  # so that nobody can write a line that looks like an entry of its own
    text = "(deleted)" if entry.deleted else text
    yield f"[{entry.at:%Y-%m-%d %H:%M:%S}Z] {entry.name} · {entry.kind}{mark}: {text}".rstrip(": ")
    for detail in _details(entry):
        yield f"    {detail}"


def _details(entry: Entry) -> Iterator[str]:
    if entry.data:
        yield ", ".join(f"{key}: {value}" for key, value in entry.data.items())
    yield from (f"| {line}" for line in evidence_lines(entry.evidence))
    yield from entry.links
    if entry.buttons:
        yield "[" + "] [".join(entry.buttons) + "]"
    for file in entry.files:
        yield f"file {file.name} ({file.size} bytes)" + (f", not kept: {file.refused}" if file.refused else "")
    if entry.failure or entry.dropped:
        yield f"not delivered: {entry.failure or 'a person had taken over'}"


def as_html(story: Sequence[Entry]) -> str:
    """The story as an HTML fragment (an ordered list); everything people wrote is escaped."""
    return "<ol class='transcript'>" + "".join(_html_item(entry) for entry in story) + "</ol>"


def _html_item(entry: Entry) -> str:
    details = "".join(f"<li>{escape(detail)}</li>" for detail in _details(entry))
    note = " note" if entry.is_note else ""
    return (
        f"<li class='{escape(entry.author)}{note}'><time datetime='{entry.at.isoformat()}'>"
        f"{entry.at:%Y-%m-%d %H:%M}</time> "
        f"<b>{escape(entry.name)}</b> <i>{escape(entry.kind)}</i><p>{escape(entry.words)}</p>"
        + (f"<ul>{details}</ul>" if details else "")
        + "</li>"
    )
