"""Messages that belong together and are handled at once: a burst of texts, or one press, edit or note."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.thinking import Case
from handoff.models import Author, Conversation, ConversationState, Kind, Message

BOT_HOLDS = {ConversationState.WITH_BOT, ConversationState.WAITING_FOR_PERSON, ConversationState.RESOLVED}


@dataclass(frozen=True)
class Burst:
    """Plain values of the messages to handle next and of the case they belong to, read before the models are asked."""

    ids: tuple[int, ...]
    author: str
    kind: str
    text: str
    case: Case

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
    """The first messages that are handled together: a requester's texts with the edits made since, else one message."""
    first = ready[0]
    together = [first]
    if first.author == Author.REQUESTER and first.kind == Kind.TEXT:
        for message in ready[1:]:
            if message.author != first.author or message.kind != Kind.TEXT:
                break
            together.append(message)
    ids = tuple(message.id for message in together)
    text = "\n".join(filter(None, (wording(session, message) for message in together)))
    return Burst(ids, first.author, first.kind, text, case_of(first.conversation))


def wording(session: Session, message: Message) -> str:
    """The newest wording of a message: its last edit, nothing when it was deleted."""
    changes = select(Message).where(Message.concerns_id == message.id, Message.kind.in_([Kind.EDIT, Kind.DELETION]))
    newest = session.scalar(changes.order_by(Message.id.desc()).limit(1))
    if newest is None:
        return message.text
    return newest.text if newest.kind == Kind.EDIT else ""


def case_of(conversation: Conversation) -> Case:
    """What the conversation knows, as plain values."""
    memory = conversation.memory
    ticket = conversation.ticket
    return Case(
        conversation_id=conversation.id,
        state=conversation.state,
        language=conversation.language,
        known_language=conversation.requester.language,
        expects=conversation.expects,
        question=memory.get("question", ""),
        tried=frozenset(memory.get("tried", ())),
        pointed_away=bool(memory.get("pointed_away")),
        has_open_ticket=ticket is not None and ticket.is_open,
    )
