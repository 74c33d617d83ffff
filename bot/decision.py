"""The decision: answer, ask back, or bring a person. Pure; everything it needs comes in, nothing is looked up."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from handoff.models import Reason
from kb_index.confidence import plausible
from kb_index.port import Hit, SearchResult
from nlu.port import Understanding

MOST_CHOICES = 3
MOST_TRIED = 2  # articles shown for one question before a person comes
MOST_ASKED_BACK = 2  # rounds of choices about one question; after an answer that did not help only one
SMALL_TALK = {"greet": "greeting", "thanks": "thanks", "goodbye": "goodbye", "affirm": "say_more", "deny": "say_more"}
SAYS_NO = {"not_helpful", "deny"}
LONGEST_SMALL_TALK = 8  # words; whoever writes more has more to say than hello
SURE_INTENT = 0.6  # below it an intent that would send somebody away is not believed
ALARM = 0.4  # from it an intent that brings a team of its own: rather once too often


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
    articles already shown for this question; shown: for others. did_not_help: those tried are known to be wrong.
    asked_back: how often choices were offered for it. follow_up: it goes on from the question before, so it is no small
    talk. one_word: all that the question says, where that is one word. answered: an answer waits for feedback.
    pointed_away: out of scope was said before. language_wish: all that is wanted is another language.
    wants_closed: the words say that a ticket can be closed.
    """

    text: str
    understanding: Understanding
    result: SearchResult | None = None
    sensitive: str | None = None
    asks_for_person: bool = False
    frustrated: bool = False
    urgent: bool = False
    tried: frozenset[int] = field(default_factory=frozenset)
    shown: frozenset[int] = field(default_factory=frozenset)
    did_not_help: bool = False
    asked_back: int = 0
    follow_up: bool = False
    one_word: str | None = None
    answered: bool = False
    pointed_away: bool = False
    has_open_ticket: bool = False
    language_wish: bool = False
    wants_closed: bool = False

    def is_left(self, hit: Hit) -> bool:
        """Whether an article was not shown yet."""
        return hit.article_id not in self.tried | self.shown


def decide(situation: Situation) -> Decision:
    """The one decision of Lotse. People first, then what the message plainly wants, then knowledge."""
    return _needs_person(situation) or _plain_wish(situation) or from_knowledge(situation)


def conclude(situation: Situation) -> Decision:
    """The decision, and where it only says that an answer did not help, what follows from that."""
    decision = decide(situation)
    return from_knowledge(situation) if decision == Feedback(helped=False) else decision


def _needs_person(situation: Situation) -> Decision | None:
    if situation.language_wish:
        return SmallTalk("language")
    intent = situation.understanding.intent
    is_alarm = situation.understanding.confidence >= ALARM
    if situation.sensitive is not None:
        return HandOver(Reason.SENSITIVE, topic=situation.sensitive)
    if intent == "security_incident" and is_alarm:
        return HandOver(Reason.SENSITIVE, topic="security")
    if situation.asks_for_person or intent == "talk_to_human":
        return HandOver(Reason.ASKED_FOR_PERSON)
    if situation.frustrated:
        return HandOver(Reason.FRUSTRATED)
    if intent == "report_outage" and is_alarm:
        return HandOver(Reason.OUTAGE)
    return None


def _plain_wish(situation: Situation) -> Decision | None:
    intent = situation.understanding.intent
    if not any(character.isalpha() for character in situation.text):
        return SmallTalk("say_more")
    if situation.answered and not situation.follow_up and intent in {"helpful", "affirm"}:
        return Feedback(helped=True)
    if situation.answered and not situation.follow_up and (situation.did_not_help or intent in SAYS_NO):
        return Feedback(helped=False)
    if situation.wants_closed:
        return Cancel()
    if intent == "ticket_status":
        return ShowTickets()
    if intent == "add_to_ticket" and situation.has_open_ticket:
        return AddToTicket()
    if intent == "create_ticket":
        return HandOver(Reason.ASKED_FOR_PERSON, may_ask=True)
    if intent == "not_helpful" and not situation.follow_up:
        return HandOver(Reason.UNKNOWN, may_ask=True)
    return None if situation.follow_up else _small_talk(situation)


def _small_talk(situation: Situation) -> Decision | None:
    intent = situation.understanding.intent
    if len(situation.text.split()) > LONGEST_SMALL_TALK or first_sure(situation) is not None:
        return None
    if intent == "cancel":
        return Cancel()
    if intent == "helpful":
        return SmallTalk("thanks")
    return SmallTalk(SMALL_TALK[intent]) if intent in SMALL_TALK else None


def from_knowledge(situation: Situation) -> Answer | AskBack | SmallTalk | HandOver:
    """Answer when sure, offer choices when the right article is probably among them, else bring a person."""
    may_show = not (situation.did_not_help and len(situation.tried) >= MOST_TRIED)
    hit = first_sure(situation) if may_show else None
    if hit is not None and not _only_names_topic(situation):
        return Answer(hit)
    choices = choices_left(situation) if may_show else ()
    choices = choices or ((hit,) if hit is not None else ())
    if choices and not situation.urgent:
        return AskBack(choices)
    if _is_out_of_scope(situation):
        return SmallTalk("out_of_scope")
    return HandOver(Reason.URGENT if situation.urgent else Reason.UNKNOWN, may_ask=not situation.urgent)


def _only_names_topic(situation: Situation) -> bool:
    """Whether one word names what a question would be about ("drucker"): it is offered something before it is answered.
    An error code asks by itself."""
    word = situation.one_word
    return word is not None and not situation.asked_back and not any(map(str.isdecimal, word))


def _is_out_of_scope(situation: Situation) -> bool:
    understanding = situation.understanding
    believed = understanding.intent == "out_of_scope" and understanding.confidence >= SURE_INTENT
    wanted = situation.pointed_away or situation.urgent or situation.follow_up
    return believed and not wanted and not understanding.entities


def first_sure(situation: Situation) -> Hit | None:
    """The best hit not yet shown, if it is sure enough at the operator's risk.

    The thresholds hold for articles in the first hit's language; one in another language is offered, never answered.
    """
    result = situation.result
    best = first_left(situation)
    if result is None or result.answer_from is None or best is None or best.language != result.hits[0].language:
        return None
    return best if chance(situation, best) >= result.answer_from else None


def first_left(situation: Situation) -> Hit | None:
    """The best hit not yet shown."""
    hits = situation.result.hits if situation.result else ()
    return next((hit for hit in hits if situation.is_left(hit)), None)


def choices_left(situation: Situation) -> tuple[Hit, ...]:
    """The plausible of the first hits not yet shown, when the right one is probably among them and not too much was
    asked already."""
    result = situation.result
    most = 1 if situation.did_not_help else MOST_ASKED_BACK
    if result is None or result.ask_from is None or situation.asked_back >= most:
        return ()
    left = filter(situation.is_left, result.hits[:MOST_CHOICES])
    return plausible(left, partial(chance, situation)) if chance_among(situation) >= result.ask_from else ()


def chance(situation: Situation, hit: Hit) -> float:
    """The probability that a hit answers. Once what was shown is known to be wrong, its share falls to the others:
    p / (1 - wrong). Where both together exceed 1 they are not alternatives, and the hit's own probability stays."""
    own, wrong = hit.confidence.probability, _share(_known_wrong(situation))
    return own / (1 - wrong) if wrong < 1 and own + wrong <= 1 else own


def chance_among(situation: Situation) -> float:
    """The probability that one of the first three answers which can still be offered."""
    if situation.result is None:
        return 0.0
    first = situation.result.hits[:MOST_CHOICES]
    shown = _share(hit for hit in first if not situation.is_left(hit))
    wrong = _share(hit for hit in first if hit in _known_wrong(situation))
    among = situation.result.among_first.probability
    return max(0.0, (among - shown) / (1 - wrong)) if wrong < 1 else 0.0


def _known_wrong(situation: Situation) -> tuple[Hit, ...]:
    """What was shown for this question and did not help."""
    hits = situation.result.hits if situation.result and situation.did_not_help else ()
    return tuple(hit for hit in hits if hit.article_id in situation.tried)


def _share(hits: Iterable[Hit]) -> float:
    """The probability that one of some alternatives answers."""
    return sum(hit.confidence.probability for hit in hits)
