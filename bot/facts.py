"""What an agent needs to know and nobody has told yet: at most two questions before a ticket."""

from bot.asking import asks_how
from bot.thinking import Thought
from bot.wording import tells_since, type_of
from handoff.models import Reason, TicketType

BARE_WISH = 6  # words: "please open a ticket for me" says nothing about the problem


def missing_facts(thought: Thought, reason: Reason, *, named: bool) -> list[str]:
    """At most two of `problem`, `system` and `since`, in the order they are asked; the last two only where something
    does not work. named: a system was named."""
    if reason == Reason.ASKED_FOR_PERSON and is_bare_wish(thought):
        return ["problem"]
    if type_of(thought.question) != TicketType.INCIDENT or asks_how(thought.question):
        return []
    known = {"system": named, "since": tells_since(thought.question)}
    return [fact for fact in known if not known[fact]]


def names_system(thought: Thought) -> bool:
    """Whether a program or device is named."""
    return bool(thought.understanding.values("application") + thought.understanding.values("device"))


def is_bare_wish(thought: Thought) -> bool:
    """Whether somebody wants a ticket and has not said what for; a button belongs to the question above it."""
    alone = thought.question == thought.situation.text and thought.understanding.intent != "ask_question"
    return not thought.question.strip() or (alone and len(thought.question.split()) <= BARE_WISH)
