"""Past questions as they were decided, and what people said of the answers; read from the record."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff.models import Kind, Message

ANSWERED, ASKED_BACK, HANDED_OVER, OTHER = "answered", "asked_back", "handed_over", "other"
WAYS = (ANSWERED, ASKED_BACK, HANDED_OVER, OTHER)
BY_KIND = {Kind.ANSWER: ANSWERED, Kind.ASK_BACK: ASKED_BACK, Kind.RECEIPT: HANDED_OVER}
BY_BUTTON = "button"  # the understander's name where nothing was written
RIGHT, WRONG, UNKNOWN = "right", "wrong", "unknown"


@dataclass(frozen=True)
class Outcome:
    """What came of a question: answered, asked_back, handed_over or other, and the articles shown or offered."""

    way: str
    articles: tuple[int, ...] = ()


@dataclass(frozen=True)
class Past:
    """One past question as it was decided. known: which articles answered it, and which did not, as people said."""

    message_id: int
    conversation_id: int
    at: datetime
    evidence: Mapping[str, Any]
    before: Outcome
    known: Mapping[int, bool] = field(default_factory=dict)

    @property
    def question(self) -> str:
        return str(self.evidence.get("question") or self.evidence["asked"])

    def verdict(self, outcome: Outcome) -> str | None:
        """Whether an answer is known to be right or wrong; None where nothing is answered."""
        if outcome.way != ANSWERED:
            return None
        return {True: RIGHT, False: WRONG, None: UNKNOWN}[self.known.get(outcome.articles[0])]


def past_questions(session: Session, since: datetime | None = None) -> list[Past]:
    """The questions decided since then, oldest first, each once, with what became known about its articles."""
    chosen = select(Message).where(Message.evidence.is_not(None), Message.to_send).order_by(Message.id)
    if since is not None:
        chosen = chosen.where(Message.created_at >= since)
    messages = [message for message in session.scalars(chosen) if message.evidence]
    known = feedback_on(session, messages)
    found: dict[tuple[int, str], Past] = {}
    for message in messages:
        evidence = message.evidence or {}
        if not is_question(evidence):
            continue
        about = known.get(_case_and_words(message), {})
        past = Past(message.id, message.conversation_id, message.created_at, evidence, before_of(message), about)
        found.setdefault((message.conversation_id, json.dumps(evidence, sort_keys=True)), past)
    return list(found.values())


def is_question(evidence: Mapping[str, Any]) -> bool:
    """Whether something was decided for a question: a chosen article or a wanted ticket is no decision of Lotse."""
    by_button = evidence["understander"] == BY_BUTTON
    return evidence["search"] is not None and (not by_button or evidence.get("did_not_help", False))


def before_of(message: Message) -> Outcome:
    """What was done; questions before a ticket are its beginning."""
    evidence = message.evidence or {}
    handed_over = evidence["decision"] == "HandOver"
    way = BY_KIND.get(Kind(message.kind), HANDED_OVER if handed_over else OTHER)
    if evidence["decision"] == "Feedback" and way == OTHER:
        way = HANDED_OVER
    return Outcome(way, tuple(evidence["articles"]) if way in {ANSWERED, ASKED_BACK} else ())


def feedback_on(session: Session, messages: Sequence[Message]) -> dict[tuple[int, str], dict[int, bool]]:
    """By case and searched words: which shown articles helped, and which did not.

    Helped: said by button or in words. Did not help: said so, or, where nothing was said, an agent had to resolve the
    same question after all.
    """
    known: dict[tuple[int, str], dict[int, bool]] = {}
    last: dict[int, Message] = {}
    after: dict[int, Message] = {}
    pressed = presses_below(session, messages)
    for message in messages:
        shown = last.get(message.conversation_id)
        evidence = message.evidence or {}
        if shown is not None and (evidence.get("did_not_help") or evidence["decision"] == "Feedback"):
            _note(known, shown, helped=False)
        if message.kind == Kind.ANSWER:
            last[message.conversation_id] = message
            after.pop(message.conversation_id, None)
        else:
            after.setdefault(message.conversation_id, message)
        if message.id in pressed:
            _note(known, message, helped=pressed[message.id])
    for number, message in last.items():
        helped = how_it_ended(message, after.get(number))
        if helped is not None and shown_article(message) not in known.get(_case_and_words(message), {}):
            _note(known, message, helped=helped)
    return known


def how_it_ended(answer: Message, after: Message | None) -> bool | None:
    """Whether the last answer of a case helped, by what was said in words or by who solved its question; None where
    that is not known. after: what was decided next."""
    conversation, said = answer.conversation, answer.conversation.memory.get("answered", {})
    if said.get("on") == answer.id and "helped" in said:
        return bool(said["helped"])
    if conversation.ticket is None:
        return True if conversation.outcome == "confirmed" else None
    same = after is None or _question(after) == _question(answer)
    return False if same and conversation.ticket.resolved_at is not None else None


def _question(message: Message) -> str | None:
    return (message.evidence or {}).get("question")


def presses_below(session: Session, messages: Sequence[Message]) -> dict[int, bool]:
    """By answer: whether "that helped" or "did not help" was pressed below it, the last press counts."""
    answers = {message.id for message in messages if message.kind == Kind.ANSWER}
    wanted = ("helped:", "not_helped:")
    chosen = select(Message.concerns_id, Message.text).where(Message.kind == Kind.PRESS, Message.text.in_(wanted))
    rows = session.execute(chosen.order_by(Message.id))
    return {below: text.startswith("helped") for below, text in rows if below in answers}


def _note(known: dict[tuple[int, str], dict[int, bool]], answer: Message, *, helped: bool) -> None:
    evidence = answer.evidence or {}
    article_id = shown_article(answer)
    if article_id is not None and evidence.get("search"):
        known.setdefault(_case_and_words(answer), {})[article_id] = helped


def shown_article(answer: Message) -> int | None:
    """The article below an answer, from its link: where it was chosen, the evidence tells what was offered."""
    links = (answer.reply or {}).get("links") or ()
    last = str(links[0]["url"]).rpartition("/")[2] if links else ""
    return int(last) if last.isdecimal() else None


def _case_and_words(message: Message) -> tuple[int, str]:
    search = (message.evidence or {}).get("search") or {}
    return message.conversation_id, str(search.get("question", ""))
