"""Leads a requester's message or press to what the case does with it, by the state the case is in."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from bot import replies
from bot.burst import CHANGES, Burst
from bot.case import STRONGER, RequesterCase
from bot.channels.port import OPEN_TICKET
from bot.decision import LONGEST_SMALL_TALK, Answer, AskBack, Cancel, HandOver, ShowTickets, SmallTalk
from bot.house import House
from bot.intake import WITHDRAWN
from bot.learning import learn_not_helped
from bot.thinking import Thought, offered_in
from bot.wording import has_doubts, still_broken, wants_reopened
from handoff import desk, inbox
from handoff.models import ConversationState, Kind, Message, Reason

YES = {"ja", "jep", "klar", "genau", "yes", "yep", "yeah", "sure"}
NO = {"nein", "nee", "nö", "no", "nope"}
LONGEST_NO = 4  # words: whoever says more than "none of these" tells more about the problem
PERSON_HAS_IT = {ConversationState.WAITING_FOR_PERSON, ConversationState.WITH_PERSON}
NOT_FOR_A_NEW_CASE = (ShowTickets, SmallTalk)  # said after "resolved", they leave the resolved case as it is


def handle_requester(
    house: House, session: Session, burst: Burst, messages: Sequence[Message], thought: Thought | None
) -> str:
    """Handle what a requester wrote, pressed or changed; the outcome's name."""
    case = RequesterCase(house, session, messages[0].conversation)
    if burst.kind in CHANGES:
        return change(case, messages[0])
    if burst.kind == Kind.PRESS:
        outcome = press(case, burst, thought, messages[0])
    else:
        outcome = WITHDRAWN if burst.withdrawn else text(case, burst, messages, thought)
        tell_refused_files(house, case, messages)
    case.linger()
    return outcome


# --- texts ------------------------------------------------------------------------------------------------------------
def text(case: RequesterCase, burst: Burst, messages: Sequence[Message], thought: Thought | None) -> str:
    """A text, by the state of the case."""
    if any(message.person_id != case.conversation.requester_id for message in messages):
        return from_colleague(case, messages, thought)
    if thought is None:
        return case.add_to_ticket(messages, thought)
    if thought.decision == SmallTalk("language") and case.conversation.state == ConversationState.WITH_BOT:
        return case.say("language")
    if case.conversation.expects in {"cancel", "solved"}:
        agreed = says_yes(thought)
        if agreed is not None:
            if not agreed and case.conversation.state in PERSON_HAS_IT and len(burst.text.split()) > 1:
                case.relay(messages, case.require_ticket())  # "no, it is still broken" is news, too
            return case.settle_cancel(yes=agreed)
        case.expect(None)  # about something else: a later "yes" means that
    if case.conversation.state in PERSON_HAS_IT:
        return case.add_to_ticket(messages, thought)
    if case.conversation.state == ConversationState.RESOLVED:
        return after_resolved(case, messages, thought)
    again = case.conversation.ticket is None and wants_reopened(thought.situation.text)
    closed = case.closed_ticket() if again else None
    if closed is not None:
        return case.open_instead(closed)
    if case.conversation.expects == "fact":
        return case.take_fact_or_more(thought)
    if case.conversation.expects == "choice":
        return choice_in_words(case, burst, messages, thought)
    return case.perform(thought, messages)


def from_colleague(case: RequesterCase, messages: Sequence[Message], thought: Thought | None) -> str:
    """Somebody else speaks in a requester's thread: they can add to the case and ask, not decide it, nor see more."""
    if not any(message.text.strip() or message.attachments for message in messages):
        return case.say("not_your_case")  # nothing but "@Lotse"
    if thought is None or case.conversation.state in PERSON_HAS_IT:
        return case.add_to_ticket(messages, None)
    asks = isinstance(thought.decision, Answer | AskBack | HandOver)
    alarm = isinstance(thought.decision, HandOver) and thought.decision.reason in STRONGER
    free = alarm or case.conversation.expects in {None, "feedback"}  # a question to the requester is theirs to answer
    if asks and free and case.conversation.state == ConversationState.WITH_BOT:
        return case.perform(thought, messages)
    return case.say("not_your_case")


def says_yes(thought: Thought) -> bool | None:
    """The answer to a question of yes and no; None where something else is said."""
    text = thought.situation.text
    if len(text.split()) > LONGEST_SMALL_TALK or wants_reopened(text):
        return None
    intent, first = thought.understanding.intent, text.split()[0].strip(",.!").casefold() if text.split() else ""
    if intent == "deny" or first in NO:
        return False
    if still_broken(text) or has_doubts(text):
        return None
    agrees = intent in {"affirm", "helpful", "cancel"} or isinstance(thought.decision, Cancel)
    return True if agrees or first in YES else None


def choice_in_words(case: RequesterCase, burst: Burst, messages: Sequence[Message], thought: Thought) -> str:
    """ "2", "none of these", or simply more about the problem."""
    chosen = offered_in(burst.case, burst.text)
    if chosen is not None:
        return case.choose(thought, chosen)
    text = thought.situation.text
    if thought.understanding.intent in {"deny", "not_helpful"} and len(text.split()) <= LONGEST_NO:
        return case.none_of_these(thought)
    return case.perform(thought, messages)


def after_resolved(case: RequesterCase, messages: Sequence[Message], thought: Thought) -> str:
    """ "Still broken" reopens, "thanks" confirms, a new question is a new case linked to the old one."""
    intent = thought.understanding.intent
    if intent in {"not_helpful", "deny"} or says_still_broken(thought):
        return reopen_or_new(case, messages, thought)
    if intent in {"helpful", "affirm", "thanks"} or isinstance(thought.decision, Cancel):
        return case.confirm_resolved()
    if isinstance(thought.decision, NOT_FOR_A_NEW_CASE) and thought.decision != SmallTalk("out_of_scope"):
        return case.perform(thought, messages)
    return new_case(case, messages, thought)


def says_still_broken(thought: Thought) -> bool:
    """Whether plain words say that a resolved ticket is not done with."""
    return still_broken(thought.situation.text) or wants_reopened(thought.situation.text)


def reopen_or_new(case: RequesterCase, messages: Sequence[Message], thought: Thought | None) -> str:
    """The same ticket inside the reopen window, a linked case after it."""
    if case.can_reopen():
        return case.reopen(messages)
    return new_case(case, messages, thought)


def new_case(case: RequesterCase, messages: Sequence[Message], thought: Thought | None) -> str:
    """What comes after a resolved case is a new one at the same place; the messages move there."""
    old = case.conversation
    number = case.require_ticket().number
    successor = successor_of(case, messages, thought.language if thought else old.language)
    if thought is not None and not says_still_broken(thought):
        return successor.perform(thought, messages)
    successor.say("reopen_window_over", number=number)
    successor.remember(question=old.memory.get("question", ""), reason=Reason.UNKNOWN)
    return successor.open_ticket()


def successor_of(case: RequesterCase, messages: Sequence[Message], language: str | None) -> RequesterCase:
    """The resolved case ends; a new one at its place, linked to it, takes the messages."""
    old = case.conversation
    desk.close(case.session, old, "assumed", case.now)
    new = inbox.open_conversation(case.session, old.place, old.requester, case.now, previous=old)
    new.language = language
    for message in (*messages, *inbox.notes_with(case.session, messages)):
        message.conversation = new
    return RequesterCase(case.house, case.session, new)


def change(case: RequesterCase, message: Message) -> str:
    """An edit or deletion is an event of the transcript; agents who follow the case are told."""
    ticket = case.conversation.ticket
    if ticket is not None and message.kind == Kind.DELETION:
        case.tell_handoff("agent_message_deleted", number=ticket.number, requester=ticket.requester.name)
    elif ticket is not None:
        desk.relay(case.session, message, desk.handoff_places(ticket), case.now)
    elif message.concerns is not None:
        return case.reword(message.concerns.text, message.text if message.kind == Kind.EDIT else "")
    return "recorded"


def tell_refused_files(house: House, case: RequesterCase, messages: Sequence[Message]) -> None:
    """Files are kept with the case, or the person is told that they were not (behaviour rule 13)."""
    limit = house.settings.web.upload_limit_mb
    for attachment in (file for message in messages for file in message.attachments if file.refused):
        why = case.texts(f"file_{attachment.refused}", limit=limit)
        case.post(Kind.NOTICE, replies.say(case.texts, "file_not_kept", name=attachment.name, why=why))


# --- presses ----------------------------------------------------------------------------------------------------------
def press(held: RequesterCase, burst: Burst, thought: Thought | None, message: Message) -> str:
    """A button of the requester. "A person, please" always works; other buttons only while their question is open."""
    if burst.action == "person":
        return person_please(held, message)
    if burst.action == OPEN_TICKET:
        return open_ticket(held, thought, message, burst.value)
    return settle(held, burst, thought, message)


def settle(held: RequesterCase, burst: Burst, thought: Thought | None, message: Message) -> str:
    """A button that answers the last question of the case."""
    if not is_current(held, burst, message):
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
    return held.say_stale()


def is_current(case: RequesterCase, burst: Burst, message: Message) -> bool:
    """Whether the pressed button stands below the last question of the case, and the case still waits for it."""
    below = message.concerns
    if below is None or below.id != case.conversation.memory.get("on"):
        return False
    if burst.action not in {button["action"] for button in (below.reply or {}).get("buttons", ())}:
        return False
    settles = burst.action in {"cancel_yes", "cancel_no"}
    return settles or case.conversation.state not in PERSON_HAS_IT


def open_ticket(case: RequesterCase, thought: Thought | None, message: Message, text: str) -> str:
    """Somebody wants a ticket about what they wrote in a form; where one is open already, it is added to that."""
    if thought is None or case.conversation.state in PERSON_HAS_IT:
        return case.add_words(text, message.person.name if message.person else "?")
    if case.conversation.state == ConversationState.RESOLVED:
        case = successor_of(case, (message,), thought.language)
    sensitive = thought.decision.reason if isinstance(thought.decision, HandOver) else None
    reason = sensitive if sensitive in STRONGER else Reason.ASKED_FOR_PERSON
    case.keep(thought, reason)
    case.remember(reason=reason, missing=[], evidence=thought.evidence)
    told = (message.reply or {}).get("for_another") and message.person is not None
    return case.open_ticket(asked_by=message.person.name if told and message.person else None)


def late(case: RequesterCase, burst: Burst, message: Message) -> str:
    """A button of an earlier question: "did not help" and "still broken" bring a person, the rest does nothing."""
    below = message.concerns
    if below is None or burst.action not in {"not_helped", "still_broken"} or case.conversation.state in PERSON_HAS_IT:
        return case.say_stale()
    if case.conversation.state == ConversationState.RESOLVED:
        return reopen_or_new(case, (), None)
    learn_not_helped(case.session, below.conversation, below.id)
    case.remember(question=question_of(below), reason=Reason.UNKNOWN, missing=[])
    return case.open_ticket()


def question_of(message: Message) -> str:
    """What a bot's message was about: the question as told, what was searched for it, or its ticket's summary."""
    evidence = message.evidence or {}
    told = evidence.get("question") or (evidence.get("search") or {}).get("question")
    ticket = message.conversation.ticket
    return told or (ticket.summary if ticket is not None else "")


def person_please(case: RequesterCase, message: Message) -> str:
    """Always works, whatever state the case is in."""
    if case.conversation.state == ConversationState.RESOLVED:
        return reopen_or_new(case, (), None)
    if case.conversation.state in PERSON_HAS_IT:
        return case.tell_who_has_it()
    case.remember(reason=Reason.ASKED_FOR_PERSON, missing=[])
    return case.open_ticket()


# --- failure ----------------------------------------------------------------------------------------------------------
def fail(case: RequesterCase, burst: Burst, messages: Sequence[Message]) -> str:
    """Lotse could not handle messages: a visible failure with a ticket; nothing is lost."""
    written = [message for message in messages if message.kind != Kind.PRESS]
    match case.conversation.state:
        case ConversationState.WITH_BOT:
            told = burst.value if burst.action == OPEN_TICKET else case.conversation.memory.get("question", "")
            question = burst.text if burst.kind == Kind.TEXT else told
            return case.fail(written, question)
        case ConversationState.RESOLVED:
            return reopen_or_new(case, written, None)
        case ConversationState.CLOSED:
            return change(case, messages[0])
    return case.add_to_ticket(written, None) if written else case.tell_who_has_it()
