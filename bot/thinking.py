"""Asks the models about one message; no database transaction is open while this runs."""

from dataclasses import dataclass
from typing import Any

from bot.decision import LONGEST_SMALL_TALK, Decision, HandOver, Situation, decide
from bot.evidence import evidence_of
from bot.house import House
from bot.wording import asks_for_person, sensitive_topic, summary_of, type_of
from handoff.desk import Proposal
from handoff.models import Reason
from kb_index.port import Hit, SearchResult
from nlu.language import detect_language
from nlu.phrases import signs_of_frustration, signs_of_urgency
from nlu.port import Understanding

LEAST_SURE_CATEGORY = 0.3  # below it a guess would only send the ticket to the wrong team
LONGEST_ASKED = 20_000  # characters a model is asked about; the message itself is kept whole
NO_PRIORITY = 2
ABOUT_THE_QUESTION = {"helpful", "affirm", "not_helpful", "deny", "cancel", "talk_to_human", "create_ticket"}
OUTAGE_WORDS = ("alle", "ganze", "everyone", "whole", "entire", "all of us", "niemand", "nobody")


@dataclass(frozen=True)
class Case:
    """What a conversation already knows when a new message comes: plain values, no database rows.

    question: the problem as told so far. tried: articles already shown. offered: id and title of articles to choose
    from. has_open_ticket: the requester has one, from this conversation or another.
    """

    conversation_id: int
    state: str
    language: str | None = None
    known_language: str | None = None
    expects: str | None = None
    question: str = ""
    tried: frozenset[int] = frozenset()
    offered: tuple[tuple[str, str], ...] = ()
    pointed_away: bool = False
    has_open_ticket: bool = False


@dataclass(frozen=True)
class Thought:
    """One message thought through: what was understood, found and decided, with the evidence to keep."""

    situation: Situation
    decision: Decision
    language: str
    question: str
    evidence: dict[str, Any]

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
    language = language_of(house, case, asked)
    sensitive = sensitive_topic(asked, house.settings.sensitive)
    if sensitive is not None:
        situation = Situation(asked, Understanding("unclear", 0.0, (), "none"), sensitive=sensitive)
        return _conclude(house, situation, language, text)
    understanding = house.understander.parse(asked)
    wants_person, frustrated = asks_for_person(asked), signs_of_frustration(asked)
    about_it = wants_person or frustrated or understanding.intent in ABOUT_THE_QUESTION
    question = _question(case, text, about_it=about_it)
    situation = Situation(
        asked,
        understanding,
        _search(house, question, language),
        asks_for_person=wants_person,
        frustrated=frustrated,
        urgent=signs_of_urgency(asked) or bool(understanding.values("urgency")),
        tried=case.tried,
        answered=case.expects == "feedback",
        pointed_away=case.pointed_away,
        has_open_ticket=case.has_open_ticket,
    )
    return _conclude(house, situation, language, question)


def language_of(house: House, case: Case, text: str) -> str:
    """The case's one language: decided once, from the text, else from the person, else the house's default."""
    return case.language or detect_language(text) or case.known_language or house.settings.language.default


def _question(case: Case, text: str, *, about_it: bool) -> str:
    """What is searched, and what a ticket is about. After an answer or a question back, a text about it ("did not
    help", "a person, please") belongs to the question before; a short one adds no words of its own to it."""
    if not case.question or not (case.expects == "choice" or (case.expects == "feedback" and about_it)):
        return text
    adds_nothing = about_it and len(text.split()) <= LONGEST_SMALL_TALK
    return case.question if adds_nothing else f"{case.question}\n{text}"


def offered_in(case: Case, text: str) -> str | None:
    """The offered article that a text names, by its number in the list or its title; its id."""
    if case.expects != "choice":
        return None
    plain = text.strip().strip(".").lower()
    if plain.isdecimal() and 1 <= int(plain) <= len(case.offered):
        return case.offered[int(plain) - 1][0]
    return next((article_id for article_id, title in case.offered if title.lower() == plain), None)


def _search(house: House, question: str, language: str) -> SearchResult | None:
    if not any(character.isalpha() for character in question):
        return None
    return house.knowledge.search(question[:LONGEST_ASKED], language)


def search_again(house: House, case: Case) -> Thought:
    """Search once more for the question of the case: after "did not help", or for a chosen article."""
    language = language_of(house, case, case.question)
    result = _search(house, case.question, language)
    situation = Situation(case.question, Understanding("ask_question", 1.0, (), "button"), result, tried=case.tried)
    return _conclude(house, situation, language, case.question)


def _conclude(house: House, situation: Situation, language: str, question: str) -> Thought:
    decision = decide(situation)
    return Thought(situation, decision, language, question, evidence_of(house, situation, decision, language))


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
