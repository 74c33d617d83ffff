"""The decision: answer, ask back, or bring a person. Pure; everything it needs comes in, nothing is looked up."""

from dataclasses import dataclass, field

from handoff.models import Reason
from kb_index.port import Hit, SearchResult
from nlu.port import Understanding

MOST_CHOICES = 3
SMALL_TALK = {"greet": "greeting", "thanks": "thanks", "goodbye": "goodbye", "affirm": "say_more", "deny": "say_more"}
LONGEST_SMALL_TALK = 8  # words; whoever writes more has more to say than hello
SURE_INTENT = 0.6  # below it an intent that would send somebody away is not believed


@dataclass(frozen=True)
class Answer:
    """Show this passage."""

    hit: Hit


@dataclass(frozen=True)
class AskBack:
    """Offer these articles, best first."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True)
class HandOver:
    """Bring a person, for this reason. topic: the sensitive topic's name. may_ask: whether facts may be asked first."""

    reason: Reason
    topic: str | None = None
    may_ask: bool = False


@dataclass(frozen=True)
class SmallTalk:
    """Say one sentence of the catalogue; nothing to solve."""

    key: str


@dataclass(frozen=True)
class ShowTickets:
    """Tell the state of the requester's tickets."""


@dataclass(frozen=True)
class AddToTicket:
    """The message belongs to a ticket that is already open."""


@dataclass(frozen=True)
class Feedback:
    """About the answer just given."""

    helped: bool


@dataclass(frozen=True)
class Cancel:
    """Stop what is going on."""


Decision = Answer | AskBack | HandOver | SmallTalk | ShowTickets | AddToTicket | Feedback | Cancel


@dataclass(frozen=True)
class Situation:
    """Everything the decision rests on.

    sensitive: name of the sensitive topic the words touch. result: None where nothing was searched. tried: ids of
    articles already shown in this case. answered: an answer waits for feedback. pointed_away: out of scope was said
    before.
    """

    text: str
    understanding: Understanding
    result: SearchResult | None = None
    sensitive: str | None = None
    asks_for_person: bool = False
    frustrated: bool = False
    urgent: bool = False
    tried: frozenset[int] = field(default_factory=frozenset)
    answered: bool = False
    pointed_away: bool = False
    has_open_ticket: bool = False


def decide(situation: Situation) -> Decision:
    """The one decision of Lotse. People first, then what the message plainly wants, then knowledge."""
    return _needs_person(situation) or _plain_wish(situation) or _from_knowledge(situation)


def _needs_person(situation: Situation) -> Decision | None:
    intent = situation.understanding.intent
    if situation.sensitive is not None:
        return HandOver(Reason.SENSITIVE, topic=situation.sensitive)
    if intent == "security_incident" and _is_believed(situation):
        return HandOver(Reason.SENSITIVE, topic="security")
    if situation.asks_for_person or intent == "talk_to_human":
        return HandOver(Reason.ASKED_FOR_PERSON)
    if situation.frustrated:
        return HandOver(Reason.FRUSTRATED)
    if intent == "report_outage" and situation.understanding.confidence >= SURE_INTENT:
        return HandOver(Reason.OUTAGE)
    return None


def _is_believed(situation: Situation) -> bool:
    """A costly intent counts, unless it is a guess and an article surely answers."""
    return situation.understanding.confidence >= SURE_INTENT or first_sure(situation) is None


def _plain_wish(situation: Situation) -> Decision | None:
    intent = situation.understanding.intent
    if not any(character.isalpha() for character in situation.text):
        return SmallTalk("say_more")
    if situation.answered and intent in {"helpful", "affirm", "not_helpful", "deny"}:
        return Feedback(helped=intent in {"helpful", "affirm"})
    if intent == "ticket_status":
        return ShowTickets()
    if intent == "add_to_ticket" and situation.has_open_ticket:
        return AddToTicket()
    if intent == "create_ticket":
        return HandOver(Reason.ASKED_FOR_PERSON, may_ask=True)
    if intent == "not_helpful":
        return HandOver(Reason.UNKNOWN, may_ask=True)
    return _small_talk(situation)


def _small_talk(situation: Situation) -> Decision | None:
    intent = situation.understanding.intent
    if len(situation.text.split()) > LONGEST_SMALL_TALK or first_sure(situation) is not None:
        return None
    if intent == "cancel":
        return Cancel()
    if intent == "helpful":
        return SmallTalk("thanks")
    return SmallTalk(SMALL_TALK[intent]) if intent in SMALL_TALK else None


def _from_knowledge(situation: Situation) -> Decision:
    hit = first_sure(situation)
    if hit is not None:
        return Answer(hit)
    choices = choices_left(situation)
    if choices and not situation.urgent:
        return AskBack(choices)
    if _is_out_of_scope(situation):
        return SmallTalk("out_of_scope")
    return HandOver(Reason.URGENT if situation.urgent else Reason.UNKNOWN, may_ask=not situation.urgent)


def _is_out_of_scope(situation: Situation) -> bool:
    understanding = situation.understanding
    believed = understanding.intent == "out_of_scope" and understanding.confidence >= SURE_INTENT
    return believed and not situation.pointed_away and not situation.urgent and not understanding.entities


def first_sure(situation: Situation) -> Hit | None:
    """The best hit not yet shown, if it is sure enough at the operator's risk."""
    result = situation.result
    if result is None or result.answer_from is None:
        return None
    best = next((hit for hit in result.hits if hit.article_id not in situation.tried), None)
    return best if best is not None and best.confidence.probability >= result.answer_from else None


def choices_left(situation: Situation) -> tuple[Hit, ...]:
    """The first hits not yet shown, when the right one is probably among them."""
    result = situation.result
    if result is None or result.ask_from is None or result.among_first.probability < result.ask_from:
        return ()
    left = [hit for hit in result.hits[:MOST_CHOICES] if hit.article_id not in situation.tried]
    return tuple(left)
