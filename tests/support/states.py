"""Which states of a conversation and of its ticket fit each other."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff.models import Conversation, ConversationState, TicketState


def agree(conversation: str, ticket: str | None) -> bool:
    """Whether the state of a conversation and that of its ticket fit each other."""
    match conversation:
        case ConversationState.WITH_BOT:
            return ticket not in {TicketState.RESOLVED, TicketState.CLOSED}
        case ConversationState.WAITING_FOR_PERSON | ConversationState.WITH_PERSON:
            return ticket not in {None, TicketState.RESOLVED, TicketState.CLOSED}
        case ConversationState.RESOLVED:
            return ticket == TicketState.RESOLVED
        case _:
            return ticket in {None, TicketState.CLOSED}


def disagreements(session: Session) -> list[tuple[int, str, str | None]]:
    """Conversations whose state does not fit their ticket's: id, state, the ticket's state."""
    cases = [
        (one.id, one.state, one.ticket.state if one.ticket else None) for one in session.scalars(select(Conversation))
    ]
    return [case for case in cases if not agree(case[1], case[2])]
