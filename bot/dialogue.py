"""Leads a requester's message or press to what the case does with it, by the state the case is in."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from bot import replies
from bot.burst import Burst
from bot.case import RequesterCase
from bot.house import House
from bot.thinking import Thought
from bot.wording import still_broken
from handoff import desk, inbox
from handoff.models import ConversationState, Kind, Message, Reason

PERSON_HAS_IT = {ConversationState.WAITING_FOR_PERSON, ConversationState.WITH_PERSON}


def handle_requester(
    house: House, session: Session, burst: Burst, messages: Sequence[Message], thought: Thought | None
) -> str:
    """Handle what a requester wrote, pressed or changed; the outcome's name."""
    case = RequesterCase(house, session, messages[0].conversation)
    if burst.kind == Kind.PRESS:
        return press(case, burst, thought, messages[0])
    if burst.kind in {Kind.EDIT, Kind.DELETION}:
        return change(case, messages[0])
    outcome = text(case, messages, thought)
    tell_refused_files(house, case, messages)
    return outcome


def text(case: RequesterCase, messages: Sequence[Message], thought: Thought | None) -> str:
    """A text, by the state of the case."""
    if thought is None or case.conversation.state in PERSON_HAS_IT:
        return case.add_to_ticket(messages, thought)
    if case.conversation.state == ConversationState.RESOLVED:
        return after_resolved(case, messages, thought)
    if case.conversation.expects == "fact":
        return case.take_fact_or_more(thought)
    if case.conversation.expects == "choice":
        return choice_in_words(case, thought)
    return case.perform(thought)


def choice_in_words(case: RequesterCase, thought: Thought) -> str:
    """ "The second one", "none of these", or simply more about the problem."""
    if thought.understanding.intent in {"deny", "not_helpful"}:
        return case.none_of_these(thought)
    chosen = case.offered_in(thought.situation.text)
    return case.choose(thought, chosen) if chosen is not None else case.perform(thought)


def after_resolved(case: RequesterCase, messages: Sequence[Message], thought: Thought) -> str:
    """ "Still broken" reopens, "thanks" confirms, anything else is a new case linked to the old one."""
    intent = thought.understanding.intent
    if intent in {"not_helpful", "deny"} or still_broken(thought.situation.text):
        return reopen_or_new(case, messages, thought)
    if intent in {"helpful", "affirm", "thanks"}:
        return case.confirm_resolved()
    return new_case(case, messages, thought)


def reopen_or_new(case: RequesterCase, messages: Sequence[Message], thought: Thought | None) -> str:
    """The same ticket inside the reopen window, a linked case after it."""
    if case.can_reopen():
        return case.reopen(messages)
    return new_case(case, messages, thought)


def new_case(case: RequesterCase, messages: Sequence[Message], thought: Thought | None) -> str:
    """What comes after a resolved case is a new one at the same place; the messages move there."""
    old = case.conversation
    number = case.require_ticket().number
    desk.close(case.session, old, "assumed", case.now)
    new = inbox.open_conversation(case.session, old.place, old.requester, case.now, previous=old)
    new.language = thought.language if thought else old.language
    for message in messages:
        message.conversation = new
    successor = RequesterCase(case.house, case.session, new)
    if thought is not None and not still_broken(thought.situation.text):
        return successor.perform(thought)
    successor.say("reopen_window_over", number=number)
    successor.remember(question=old.memory.get("question", ""), reason=Reason.UNKNOWN)
    return successor.open_ticket()


def change(case: RequesterCase, message: Message) -> str:
    """An edit or deletion is an event of the transcript; agents who follow the case are told."""
    ticket = case.conversation.ticket
    if ticket is not None:
        desk.relay(case.session, message, desk.handoff_places(ticket), case.now)
    return "recorded"


def tell_refused_files(house: House, case: RequesterCase, messages: Sequence[Message]) -> None:
    """Files are kept with the case, or the person is told that they were not (behaviour rule 13)."""
    limit = house.settings.web.upload_limit_mb
    for attachment in (file for message in messages for file in message.attachments if file.refused):
        why = case.texts(f"file_{attachment.refused}", limit=limit)
        case.post(Kind.NOTICE, replies.say(case.texts, "file_not_kept", name=attachment.name, why=why))


def press(held: RequesterCase, burst: Burst, thought: Thought | None, message: Message) -> str:
    """A button of the requester. "A person, please" always works; other buttons only while their question is open."""
    if burst.action == "person":
        return person_please(held, message)
    if not is_current(held, message):
        return late(held, burst, message)
    match burst.action:
        case "helped":
            return held.helped()
        case "not_helped" if thought is not None:
            return held.not_helped(thought)
        case "none" if thought is not None:
            return held.none_of_these(thought)
        case "choose" if thought is not None:
            return held.choose(thought, burst.value)
        case "skip":
            return held.take_fact(None)
        case "ticket" if thought is not None:
            return held.hand_over(thought, Reason.ASKED_FOR_PERSON, may_ask=True)
        case "works":
            return held.confirm_resolved()
        case "still_broken":
            return reopen_or_new(held, (), None)
        case "cancel_yes" | "cancel_no":
            return held.settle_cancel(yes=burst.action == "cancel_yes")
    return held.say("button_stale")


def is_current(case: RequesterCase, message: Message) -> bool:
    """Whether the pressed button belongs to the last question of the case."""
    return message.concerns_id is not None and message.concerns_id == case.conversation.memory.get("on")


def late(case: RequesterCase, burst: Burst, message: Message) -> str:
    """A button of an earlier question: "did not help" and "still broken" bring a person, the rest does nothing."""
    below = message.concerns
    if below is None or burst.action not in {"not_helped", "still_broken"} or case.conversation.state in PERSON_HAS_IT:
        return case.say("button_stale")
    search = (below.evidence or {}).get("search") or {}
    case.remember(question=search.get("question", ""), reason=Reason.UNKNOWN, missing=[])
    return case.open_ticket()


def person_please(case: RequesterCase, message: Message) -> str:
    """Always works, whatever state the case is in."""
    if case.conversation.state == ConversationState.RESOLVED:
        return reopen_or_new(case, (), None)
    if case.conversation.state in PERSON_HAS_IT:
        return case.repeat_receipt()
    case.remember(reason=Reason.ASKED_FOR_PERSON, missing=[])
    return case.open_ticket()
