"""Messages that belong together and are handled at once: a burst of texts, or one press, edit or note."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from bot.thinking import Case
from handoff.models import OPEN_STATES, Author, Conversation, ConversationState, Kind, Message, Ticket

BOT_HOLDS = {ConversationState.WITH_BOT, ConversationState.WAITING_FOR_PERSON, ConversationState.RESOLVED}
CHANGES = {Kind.EDIT, Kind.DELETION}


@dataclass(frozen=True)
class Burst:
    """Plain values of the messages to handle next and of the case they belong to, read before the models are asked.

    withdrawn: every one of them was deleted before anybody answered.
    """

    ids: tuple[int, ...]
    author: str
    kind: str
    text: str
    case: Case
    withdrawn: bool = False

    @property
    def comes_too_late(self) -> bool:
        """A requester's text or press for a case that is closed by now."""
        spoken = self.author == Author.REQUESTER and self.kind not in CHANGES
        return spoken and self.case.state == ConversationState.CLOSED

    @property
    def action(self) -> str:
        """The button, for a press."""
        return self.text.partition(":")[0]

    @property
    def value(self) -> str:
        return self.text.partition(":")[2]

    def reload(self, session: Session) -> list[Message]:
        """The same messages in the transaction that handles them; empty when somebody else handled them."""
        mine = select(Message).where(Message.id.in_(self.ids), Message.handled_at.is_(None)).order_by(Message.id)
        found = list(session.scalars(mine))
        return found if len(found) == len(self.ids) else []


def burst_of(session: Session, ready: Sequence[Message]) -> Burst:
    """The first messages that are handled together: a requester's texts in their newest wording, else one message."""
    first = ready[0]
    together = texts_in_a_row(ready) if first.author == Author.REQUESTER and first.kind == Kind.TEXT else [first]
    together.sort(key=lambda message: message.written_at)  # two at once may have been stored the other way round
    words = [wording(session, message) for message in together]
    text = "\n".join(filter(None, words))
    ids = tuple(message.id for message in together)
    withdrawn = all(word is None for word in words)
    return Burst(ids, first.author, first.kind, text, case_of(session, first.conversation), withdrawn)


def texts_in_a_row(ready: Sequence[Message]) -> list[Message]:
    """The requester's texts up to a press or an agent; edits between them are handled after them."""
    together = []
    for message in ready:
        same = message.author == Author.REQUESTER and message.person_id == ready[0].person_id
        if not same or message.kind not in {Kind.TEXT, *CHANGES}:
            break
        if message.kind == Kind.TEXT:
            together.append(message)
    return together


def wording(session: Session, message: Message) -> str | None:
    """The newest wording of a message: its last edit, None when it was deleted."""
    changes = select(Message).where(Message.concerns_id == message.id, Message.kind.in_(CHANGES))
    newest = session.scalar(changes.order_by(Message.id.desc()).limit(1))
    if newest is None:
        return message.text
    return newest.text if newest.kind == Kind.EDIT else None


def case_of(session: Session, conversation: Conversation) -> Case:
    """What the conversation knows, as plain values."""
    memory = conversation.memory
    own = Ticket.requester_id == conversation.requester_id
    return Case(
        conversation_id=conversation.id,
        state=conversation.state,
        language=conversation.language,
        known_language=conversation.requester.language,
        expects=conversation.expects,
        question=memory.get("question", ""),
        searched=memory.get("searched") or "",
        tried=frozenset(memory.get("tried", ())),
        shown={int(passage): words for passage, words in memory.get("shown_for", {}).items()},
        asked_back=memory.get("asked_back", 0),
        offered=tuple((str(one["article_id"]), one["label"], one["title"]) for one in memory.get("offered", ())),
        pointed_away=bool(memory.get("pointed_away")),
        has_open_ticket=bool(session.scalar(select(exists().where(own, Ticket.state.in_(OPEN_STATES))))),
    )
