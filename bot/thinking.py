"""Asks the models about one message; no database transaction is open while this runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.asking import essence, only_word, searches_of, summary_of
from bot.decision import LONGEST_SMALL_TALK, SAYS_NO, Decision, HandOver, Situation, decide
from bot.evidence import evidence_of
from bot.house import House
from bot.searching import LONGEST_ASKED, shown_before, surest
from bot.wording import asks_for_language, asks_for_person, sensitive_topic, still_broken, type_of, wants_closed
from handoff.desk import Proposal
from handoff.models import ConversationState, Reason
from kb_index.port import Hit
from nlu.follow_ups import has_topic, is_follow_up, may_stand_alone, opens_follow_up
from nlu.language import detect_language
from nlu.phrases import signs_of_frustration, signs_of_urgency
from nlu.port import Understanding

LEAST_SURE_CATEGORY = 0.3  # below it a guess would only send the ticket to the wrong team
NO_PRIORITY = 2
MAY_BE_CLOSED = {ConversationState.WAITING_FOR_PERSON, ConversationState.RESOLVED}  # this case has a ticket of its own
LEAST_WORDS = 4  # of a question that may change the language
OWN_WORDS = "ich mein meine meinen meinem mir mich wir unser unsere wie wo warum i my me we our how what where why"
ABOUT_THE_QUESTION = {"helpful", "affirm", "not_helpful", "deny", "cancel", "talk_to_human", "create_ticket"}
LONGEST_BEFORE = 1_000  # characters of what was searched before, so that the new words are still read
OUTAGE_WORDS = ("alle", "ganze", "everyone", "whole", "entire", "all of us", "niemand", "nobody")


@dataclass(frozen=True)
class Case:
    """What a conversation already knows when a new message comes: plain values, no database rows.

    question: the problem as told so far. searched: the words by which it was searched last. tried: articles already
    shown for it; shown: passages shown in the whole conversation, each with the words it was shown for, none where it
    did not help. asked_back: how often choices were offered for it. offered: id, label and title of articles to choose
    from. has_open_ticket: the requester has one, from this conversation or another.
    """

    conversation_id: int
    state: str
    language: str | None = None
    known_language: str | None = None
    expects: str | None = None
    question: str = ""
    searched: str = ""
    tried: frozenset[int] = frozenset()
    shown: Mapping[int, str] = field(default_factory=dict)
    asked_back: int = 0
    offered: tuple[tuple[str, str, str], ...] = ()
    pointed_away: bool = False
    has_open_ticket: bool = False


@dataclass(frozen=True)
class Thought:
    """One message thought through: what was understood, found and decided, with the evidence to keep.

    question: the problem as told by now. continues: it is still the one before, not a new question nor a follow-up.
    """

    situation: Situation
    decision: Decision
    language: str
    question: str
    evidence: dict[str, Any]
    continues: bool = False

    @property
    def understanding(self) -> Understanding:
        return self.situation.understanding

    def hit_of(self, article_id: int) -> Hit | None:
        """The hit of one article, if it was found."""
        hits = self.situation.result.hits if self.situation.result else ()
        return next((hit for hit in hits if hit.article_id == article_id), None)


def think(house: House, case: Case, text: str) -> Thought:
    """Understand the text, search for it and decide. Words that need a person are seen before any model is asked."""
    asked = text[:LONGEST_ASKED]
    begins = _begins(case, asked)
    wished = asks_for_language(asked)
    if wished is not None:
        situation = Situation(asked, Understanding("unclear", 0.0, (), "none"), language_wish=True)
        return _conclude(house, situation, wished, text, continues=True)
    sensitive = sensitive_topic(asked, house.settings.sensitive)
    if sensitive is not None:
        situation = Situation(asked, Understanding("unclear", 0.0, (), "none"), sensitive=sensitive)
        return _conclude(house, situation, language_of(house, case, asked, begins=begins), text)
    understanding = house.understander.parse(asked)
    wants_person, frustrated = asks_for_person(asked), signs_of_frustration(asked)
    says_no = understanding.intent in SAYS_NO or (still_broken(asked) and not has_topic(asked))
    about_it = wants_person or frustrated or says_no or understanding.intent in ABOUT_THE_QUESTION
    complains = says_no and not (opens_follow_up(asked) and has_topic(asked))
    language = language_of(house, case, asked, begins=begins and not about_it)
    follows = _goes_on(case, asked) and not (wants_person or frustrated or complains) and ("?" in asked or not about_it)
    continues = not follows and _continues(case, about_it=about_it)
    inquiry = _inquiry(case, text, continues=continues, about_it=about_it, follows=follows)
    question, result, searches = surest(house.knowledge, inquiry, language, case.shown)
    situation = Situation(
        asked,
        understanding,
        result,
        asks_for_person=wants_person,
        frustrated=frustrated,
        urgent=signs_of_urgency(asked) or bool(understanding.values("urgency")),
        tried=case.tried if continues else frozenset(),
        shown=shown_before(result, case.shown),
        did_not_help=continues and says_no and case.expects == "feedback",
        asked_back=case.asked_back if continues else 0,
        follow_up=follows,
        one_word=only_word(question),
        answered=case.expects == "feedback",
        pointed_away=case.pointed_away,
        has_open_ticket=case.has_open_ticket,
        wants_closed=case.state in MAY_BE_CLOSED and wants_closed(asked),
    )
    return _conclude(house, situation, language, question, searches=searches, continues=continues)


def language_of(house: House, case: Case, text: str, *, begins: bool = False) -> str:
    """The language of the case: decided from its question, else from the person, else the house's default. begins: the
    text may begin with another question, which decides anew where it is sure (decision 0019)."""
    told = detect_language(text) if begins or case.language is None else None
    return told or case.language or case.known_language or house.settings.language.default


def _begins(case: Case, text: str) -> bool:
    """Whether a text may be a question of its own: nothing is asked of the person, and it is in their own language or
    words, as a line of an error message is not."""
    waits = case.expects not in {None, "feedback"}
    free = case.state == ConversationState.RESOLVED or (case.state == ConversationState.WITH_BOT and not waits)
    if not free or len(text.split()) < LEAST_WORDS or is_follow_up(text):
        return False
    has_own_words = "?" in text or not {*OWN_WORDS.split()}.isdisjoint(text.casefold().split())
    return has_own_words or detect_language(text) == case.known_language


def _goes_on(case: Case, text: str) -> bool:
    """Whether a text is a follow-up to the question of the case ("und auf dem Mac?"). What answers a question of Lotse
    may look like one ("auf dem Mac"), but asks nothing."""
    free = case.expects in {None, "feedback"} or (case.expects in {"choice", "fact"} and "?" in text)
    return free and case.state == ConversationState.WITH_BOT and bool(case.question) and is_follow_up(text)


def _continues(case: Case, *, about_it: bool) -> bool:
    """Whether a text belongs to the question before: after a question back always, after an answer when it is about
    that ("did not help", "a person, please")."""
    return bool(case.question) and (case.expects == "choice" or (case.expects == "feedback" and about_it))


def _inquiry(case: Case, text: str, *, continues: bool, about_it: bool, follows: bool) -> tuple[tuple[str, str], ...]:
    """What may be searched, at most three texts, each with the question it stands for, which a ticket would tell.

    A short text about the question ("did not help") adds no words of its own to it.
    """
    if not (continues or follows):
        return tuple((text, words) for words in searches_of(text[:LONGEST_ASKED]))
    if continues and about_it and len(text.split()) <= LONGEST_SMALL_TALK:
        return _once_more(case)
    told, before = f"{case.question}\n{text}", case.searched or essence(case.question[:LONGEST_ASKED])
    together = (told, f"{before[:LONGEST_BEFORE]}\n{essence(text[:LONGEST_ASKED])}")
    return (together, (text, text)) if follows and may_stand_alone(text) else (together,)


def _once_more(case: Case) -> tuple[tuple[str, str], ...]:
    """The question of the case, by the words that were searched last where they are known."""
    words = (case.searched,) if case.searched else searches_of(case.question[:LONGEST_ASKED])
    return tuple((case.question, one) for one in words)


def offered_in(case: Case, text: str) -> str | None:
    """The offered article that a text names, by its number in the list, its label or its title; its id."""
    if case.expects != "choice":
        return None
    plain = _bare(text)
    if plain.isdecimal() and 1 <= int(plain) <= len(case.offered):
        return case.offered[int(plain) - 1][0]
    named = [article_id for article_id, *names in case.offered if plain in map(_bare, names)]
    return named[0] if len(named) == 1 else None


def _bare(text: str) -> str:
    """A text as it may be typed by somebody else: without its end and its capitals."""
    return " ".join(text.split()).strip(" .").casefold()


def search_again(house: House, case: Case, *, did_not_help: bool = False) -> Thought:
    """Search once more for the question of the case: after "did not help", or for a chosen article."""
    language = language_of(house, case, case.question)
    question, result, searches = surest(house.knowledge, _once_more(case), language, case.shown)
    situation = Situation(
        case.question,
        Understanding("ask_question", 1.0, (), "button"),
        result,
        tried=case.tried,
        shown=shown_before(result, case.shown),
        did_not_help=did_not_help,
        asked_back=case.asked_back,
        one_word=only_word(question),
    )
    return _conclude(house, situation, language, question, searches=searches, continues=True)


def _conclude(
    house: House,
    situation: Situation,
    language: str,
    question: str,
    *,
    searches: dict[str, float] | None = None,
    continues: bool = False,
) -> Thought:
    decision = decide(situation)
    evidence = {**evidence_of(house, situation, decision, language), "question": question, "searches": searches or {}}
    return Thought(situation, decision, language, question, evidence, continues)


def propose(house: House, thought: Thought, reason: Reason) -> Proposal:
    """Category, queue, type and priority of a new ticket, with how sure each is; an agent can correct them."""
    category, score = _category(thought)
    queue, queue_score = _queue(house, thought, category, score)
    urgent = thought.situation.urgent or reason in {Reason.URGENT, Reason.OUTAGE, Reason.SENSITIVE}
    many = reason == Reason.OUTAGE and any(word in thought.question.lower() for word in OUTAGE_WORDS)
    return Proposal(
        summary=summary_of(thought.question),
        type=type_of(thought.question),
        category=category,
        category_score=score,
        queue=queue,
        queue_score=queue_score,
        impact=1 if many else NO_PRIORITY,
        urgency=1 if urgent else NO_PRIORITY,
    )


def _category(thought: Thought) -> tuple[str, float | None]:
    """The category that the articles found speak for, weighted by the probability of each."""
    hits = thought.situation.result.hits if thought.situation.result else ()
    shares: dict[str, float] = {}
    for hit in hits:
        if hit.category:
            shares[hit.category] = shares.get(hit.category, 0.0) + hit.confidence.probability
    if not shares:
        return "other", None
    best = max(shares, key=lambda category: shares[category])
    if shares[best] < LEAST_SURE_CATEGORY:
        return "other", None
    return best, round(min(shares[best], 1.0), 3)


def _queue(house: House, thought: Thought, category: str, score: float | None) -> tuple[str, float | None]:
    handoff = house.settings.handoff
    decision = thought.decision
    topic = decision.topic if isinstance(decision, HandOver) else None
    if topic is not None and topic in house.settings.sensitive:
        return house.settings.sensitive[topic].queue or handoff.default_queue, 1.0
    return handoff.categories.get(category, handoff.default_queue), score
