"""Past cases that resemble a ticket: by the words of its summary and by its category."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sklearn.feature_extraction.text import TfidfVectorizer
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from handoff.models import OPEN_STATES, Reason, Ticket

NEWEST = 2000  # resolved tickets that are looked at
SAME_CATEGORY = 0.1  # what the same category adds to the likeness of the words
LEAST = 0.18  # likeness below which two cases have nothing to do with each other


@dataclass(frozen=True)
class RelatedCase:
    """A resolved case. It carries what was found out, never what was said in it. likeness: 0 to 1.1."""

    number: str
    summary: str
    category: str
    cause: str | None
    fix: str | None
    resolved_at: datetime | None
    likeness: float


def related_cases(session: Session, ticket: Ticket, limit: int = 4) -> list[RelatedCase]:
    """Resolved cases that resemble a ticket, most alike first. Sensitive cases are never shown beside another one."""
    past = resolved_tickets(session, ticket)
    likeness = likeness_of_words(ticket.summary, [words_of(one) for one in past])
    scored = [
        (value + SAME_CATEGORY * (one.category == ticket.category), one)
        for value, one in zip(likeness, past, strict=True)
    ]
    best = sorted((pair for pair in scored if pair[0] >= LEAST), key=lambda pair: (-pair[0], -pair[1].id))
    return [as_related(one, value) for value, one in best[:limit]]


def resolved_tickets(session: Session, ticket: Ticket) -> Sequence[Ticket]:
    """The newest resolved tickets that say what was found out."""
    past = select(Ticket).where(
        Ticket.id != ticket.id,
        Ticket.state.not_in(OPEN_STATES),
        Ticket.reason != Reason.SENSITIVE,
        or_(Ticket.cause.is_not(None), Ticket.fix.is_not(None)),
    )
    return session.scalars(past.order_by(Ticket.id.desc()).limit(NEWEST)).all()


def words_of(ticket: Ticket) -> str:
    return " ".join(filter(None, (ticket.summary, ticket.cause, ticket.fix)))


def likeness_of_words(text: str, others: Sequence[str]) -> list[float]:
    """Cosine of character n-grams (3 to 5) for each other text: survives typos and German compounds."""
    if not others or not any(character.isalpha() for character in text):
        return [0.0] * len(others)
    grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, strip_accents="unicode")
    vectors = grams.fit_transform([text, *others])
    return [float(value) for value in (vectors[1:] @ vectors[0].T).toarray()[:, 0]]


def as_related(ticket: Ticket, likeness: float) -> RelatedCase:
    return RelatedCase(
        ticket.number, ticket.summary, ticket.category, ticket.cause, ticket.fix, ticket.resolved_at, likeness
    )
