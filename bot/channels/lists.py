"""What every chat platform shows of the record and the knowledge base, to employees and to agents, as Markdown."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from bot import replies
from bot.channels.cutting import shorten
from bot.house import House
from bot.posts import LEAST_PROBABLE, link_to
from bot.searching import is_worth_offering
from bot.texts import Texts
from handoff import desk, inbox
from handoff.models import OPEN_STATES, Kind, Message, Person, Place, Ticket, TicketState
from kb_index.markup import article_links
from kb_index.port import Hit, SearchResult

LATELY = timedelta(days=30)
MOST_ANSWERS = 2000
MOST_LINES, LONGEST_SUMMARY = 15, 120
LANGUAGES = ("de", "en")
MOST_FOUND, LONGEST_PASSAGE = 5, 1500
LIKELY = 0.5
SOON = timedelta(minutes=30)  # a reaction due within this is about to be missed
PRIORITIES = {"1": (1, 1), "2": (1, 2), "3": (2, 2), "4": (2, 3), "5": (3, 3)}  # (impact, urgency) that give them
View = Literal["mine", "unassigned", "breaching"]


@dataclass(frozen=True)
class Found:
    """A text as Markdown, with the addresses that may be links in it."""

    text: str
    links: frozenset[str] = frozenset()


# --- people -----------------------------------------------------------------------------------------------------------
def texts_of(house: House, platform: str, user: str) -> Texts:
    """A platform's sentences in a person's language and form of address."""
    with house.sessions() as session:
        person = session.scalar(select(Person).filter_by(platform=platform, platform_id=user))
    settings = house.settings.language
    language = (person.language if person is not None else None) or settings.default
    return Texts(language, (person.address if person is not None else None) or settings.address, platform)


def choose_language(
    house: House, platform: str, user: str, *, language: str | None = None, address: str | None = None
) -> None:
    """Keep what a person chose for themselves."""
    with house.sessions.begin() as session:
        inbox.person_at(session, platform, user, "", language, address)


def known_names(house: House, platform: str) -> dict[str, str]:
    """The names of people on a platform, as far as they were here, by their id."""
    with house.sessions() as session:
        known = select(Person.platform_id, Person.name).where(
            Person.platform == platform, Person.profile_at.is_not(None)
        )
        return {row.platform_id: row.name for row in session.execute(known)}


# --- an employee's own ------------------------------------------------------------------------------------------------
def own_tickets(session: Session, platform: str, user: str) -> list[Ticket]:
    """A person's tickets that are not closed, newest first."""
    person = session.scalar(select(Person).filter_by(platform=platform, platform_id=user))
    found = desk.tickets_of(session, person) if person is not None else []
    return [ticket for ticket in found if ticket.state != TicketState.CLOSED]


def status_text(house: House, platform: str, user: str, texts: Texts) -> str:
    """The person's tickets with their state, as Markdown."""
    said = Texts(texts.language, texts.address)
    with house.sessions() as session:
        return replies.ticket_list(said, own_tickets(session, platform, user), house.moment()).text


def frequent_questions(session: Session, language: str, now: datetime, limit: int = 5) -> list[str]:
    """The titles of the articles that answered most in the last month: titles, never what somebody asked."""
    answers = select(Message.evidence).where(Message.kind == Kind.ANSWER, Message.created_at > now - LATELY)
    counted: Counter[str] = Counter()
    for evidence in session.scalars(answers.order_by(Message.id.desc()).limit(MOST_ANSWERS)):
        counted.update(titles_of(evidence or {}, language))
    return [title for title, _ in counted.most_common(limit)]


def titles_of(evidence: dict[str, Any], language: str) -> list[str]:
    """The title of the article that an answer showed, when it was in this language."""
    shown = set(evidence.get("articles") or ())
    hits = (evidence.get("search") or {}).get("hits") or ()
    return [hit["title"] for hit in hits if hit["article_id"] in shown and evidence.get("language") == language]


# --- agents -----------------------------------------------------------------------------------------------------------
def desk_tickets(
    session: Session, view: View, platform: str, user: str, rooms: Sequence[str], now: datetime
) -> list[Ticket]:
    """Open tickets of some hand-off channels: an agent's own, those nobody has, those whose reaction is late or due."""
    there = Ticket.places.any(and_(Place.platform == platform, Place.channel.in_(rooms)))
    found = select(Ticket).where(Ticket.state.in_(OPEN_STATES), there)
    match view:
        case "mine":
            found = found.where(Ticket.agent.has(platform=platform, platform_id=user))
        case "unassigned":
            found = found.where(Ticket.agent_id.is_(None))
        case "breaching":
            found = found.where(Ticket.first_response_at.is_(None), Ticket.first_response_due < now + SOON)
    return list(session.scalars(found.order_by(Ticket.impact + Ticket.urgency, Ticket.first_response_due)))


def desk_text(house: House, view: View, platform: str, user: str, rooms: Sequence[str], texts: Texts) -> Found:
    """A list of tickets of some hand-off channels, each with the way to its thread."""
    said = Texts(texts.language, texts.address)
    with house.sessions() as session:
        found = desk_tickets(session, view, platform, user, rooms, house.clock())
        tickets = found[:MOST_LINES]
        links = [desk_link(ticket, platform) for ticket in tickets]
        lines = [desk_line(texts, said, ticket, link) for ticket, link in zip(tickets, links, strict=True)]
    if len(found) > len(tickets):
        lines.append("\n" + texts("and_more", count=len(found) - len(tickets)))
    title = f"**{texts(f'desk_title_{view}')}**"
    body = "\n".join(lines) if lines else texts("desk_empty")
    return Found(f"{title}\n\n{body}", frozenset(filter(None, links)))


def desk_link(ticket: Ticket, platform: str) -> str | None:
    """A link to the ticket's hand-off thread on a platform, where it has one."""
    threads = (place for place in desk.handoff_places(ticket) if place.platform == platform)
    return next(filter(None, (link_to(place) for place in threads)), None)


def desk_line(texts: Texts, said: Texts, ticket: Ticket, link: str | None) -> str:
    number = f"[{ticket.number}]({link})" if link else ticket.number
    state, summary = said(f"state_{ticket.state}"), shorten(ticket.summary, LONGEST_SUMMARY) or said("untitled")
    return "- " + texts("desk_line", number=number, priority=ticket.priority, state=state, summary=summary)


def search_text(house: House, words: str, texts: Texts, absolute: Callable[[str], str]) -> Found:
    """What the knowledge base has on some words: the titles with the probability of each, and the best passage."""
    hits = best_hits(house, words)
    if not hits:
        return Found(texts("search_empty"), frozenset())
    links = [absolute(replies.article_url(hit.article_id)) for hit in hits]
    lines = [
        texts("search_hit", percent=round(hit.confidence.probability * 100), title=link_of(hit.title, link))
        for hit, link in zip(hits, links, strict=True)
    ]
    listed = "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))
    passage = shorten(hits[0].text, LONGEST_PASSAGE)
    text = f"**{texts('search_title')}**\n\n{listed}\n\n**{hits[0].title}**\n\n{passage}"
    return Found(text, frozenset(links) | article_links(hits[0].text))


def best_hits(house: House, words: str) -> list[Hit]:
    """The most probable articles, whatever their language: an agent's own says nothing of what they look for. None
    where nothing found is probable enough to be worth reading."""
    best: dict[int, Hit] = {}
    found = (house.knowledge.search(words, language) for language in LANGUAGES)
    for hit in (hit for result in found if is_worth_showing(result) for hit in result.hits):
        known = best.get(hit.article_id)
        if known is None or hit.confidence.probability > known.confidence.probability:
            best[hit.article_id] = hit
    first = sorted(best.values(), key=lambda hit: -hit.confidence.probability)[:MOST_FOUND]
    return [hit for hit in first if hit.confidence.probability >= LEAST_PROBABLE]


def is_worth_showing(result: SearchResult) -> bool:
    """Whether an employee would be offered something of it, too; where nothing may be, what is at least half likely."""
    if result.ask_from is None:
        return result.among_first.probability >= LIKELY
    return is_worth_offering(result)


def link_of(title: str, address: str) -> str:
    """A title as a link in Markdown, where its address leads anywhere."""
    if not address.startswith(("https://", "http://")):
        return title
    words = title.replace("[", "(").replace("]", ")")
    return f"[{words}]({address})"
