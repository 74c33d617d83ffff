"""What Slack's own surfaces show of the record and the knowledge base: App Home, `/helpdesk`, the agents' search."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from bot import replies
from bot.channels.port import Address, Sender
from bot.channels.slack_events import DM
from bot.channels.slack_text import shorten
from bot.channels.slack_views import HomeOutage, HomeTicket
from bot.house import House
from bot.intake import FRESH
from bot.posts import LEAST_PROBABLE, link_to
from bot.texts import Texts
from handoff import desk, inbox
from handoff.models import (
    OPEN_STATES,
    Kind,
    Message,
    Person,
    Place,
    Ticket,
    TicketState,
)
from kb_index.markup import article_links
from kb_index.port import Hit

LATELY = timedelta(days=30)
MOST_ANSWERS = 2000
MOST_LINES, LONGEST_SUMMARY = 15, 120
LANGUAGES = ("de", "en")
MOST_FOUND, LONGEST_PASSAGE = 5, 1500
SOON = timedelta(minutes=30)  # a reaction due within this is about to be missed
View = Literal["mine", "unassigned", "breaching"]
COMMANDS: dict[str, str] = {
    **dict.fromkeys(("help", "hilfe", "?"), "help"),
    **dict.fromkeys(("status",), "status"),
    **dict.fromkeys(("tickets", "my tickets", "meine tickets"), "tickets"),
    **dict.fromkeys(("person", "mensch", "human", "a person", "ein mensch"), "person"),
}
VIEWS: dict[str, View] = {
    **dict.fromkeys(("", "mine", "meine"), "mine"),
    **dict.fromkeys(("unassigned", "frei", "offen"), "unassigned"),
    **dict.fromkeys(("breaching", "overdue", "überfällig", "dringend"), "breaching"),
}


@dataclass(frozen=True)
class Command:
    """What somebody wants from `/helpdesk`: ask, status, tickets, person, help, desk, search or nothing; words: the
    rest."""

    name: str
    words: str = ""


def command_of(text: str) -> Command:
    """Read the words behind `/helpdesk`. Whatever is no command is a question."""
    plain = " ".join(text.split())
    if not plain:
        return Command("help")
    if plain.lower() in COMMANDS:
        return Command(COMMANDS[plain.lower()])
    first, _, rest = plain.partition(" ")
    if first.lower() == "desk" and rest.lower() in VIEWS:
        return Command("desk", rest.lower())
    if first.lower() in {"search", "suche"} and rest:
        return Command("search", rest)
    if first.lower() in {"ask", "frage"} and rest:
        return Command("ask", rest)
    return Command("ask", text.strip())


# --- people -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Found:
    """A text as Markdown, with the addresses that may be links in it."""

    text: str
    links: frozenset[str] = frozenset()


def texts_of(house: House, user: str) -> Texts:
    """Slack's sentences in a person's language and form of address."""
    with house.sessions() as session:
        person = session.scalar(select(Person).filter_by(platform="slack", platform_id=user))
    settings = house.settings.language
    language = (person.language if person is not None else None) or settings.default
    return Texts(language, (person.address if person is not None else None) or settings.address, "slack")


def choose_language(house: House, user: str, *, language: str | None = None, address: str | None = None) -> None:
    """Keep what a person chose on their App Home."""
    with house.sessions.begin() as session:
        inbox.person_at(session, "slack", user, "", language, address)


def known_names(house: House) -> dict[str, str]:
    """The names of people in Slack, as far as they were here, by their id."""
    with house.sessions() as session:
        known = select(Person.platform_id, Person.name).where(
            Person.platform == "slack", Person.profile_at.is_not(None)
        )
        return {row.platform_id: row.name for row in session.execute(known)}


def sender_of(user: str) -> Sender:
    return Sender("slack", user, "")


def current_case(house: House, user: str) -> Address | None:
    """Where a person's newest open case in their direct messages is, while it is fresh; its thread may still open."""
    with house.sessions.begin() as session:
        person, since = inbox.person_at(session, "slack", user, ""), house.clock() - FRESH
        place = inbox.fresh_place(session, "slack", f"{DM}{user}", person, since)
        return Address("slack", place.channel, place.thread, dict(place.route)) if place is not None else None


# --- an employee's own ------------------------------------------------------------------------------------------------
def own_tickets(session: Session, user: str) -> list[Ticket]:
    """A person's tickets that are not closed, newest first."""
    person = session.scalar(select(Person).filter_by(platform="slack", platform_id=user))
    found = desk.tickets_of(session, person) if person is not None else []
    return [ticket for ticket in found if ticket.state != TicketState.CLOSED]


def status_text(house: House, user: str, texts: Texts) -> str:
    """The person's tickets with their state, as Markdown."""
    said = Texts(texts.language, texts.address)
    with house.sessions() as session:
        return replies.ticket_list(said, own_tickets(session, user), house.moment()).text


@dataclass(frozen=True)
class Home:
    """What an App Home shows."""

    tickets: list[HomeTicket]
    outages: list[HomeOutage]
    questions: list[str]


def home_of(house: House, user: str, texts: Texts) -> Home:
    """Own tickets, known outages, frequent questions."""
    said = Texts(texts.language, texts.address)
    with house.sessions() as session:
        tickets = [home_ticket(house, ticket, said) for ticket in own_tickets(session, user)]
        outages = [HomeOutage(outage.number, outage.summary) for outage in desk.known_outages(session)]
        return Home(tickets, outages, frequent_questions(session, texts.language, house.clock()))


def home_ticket(house: House, ticket: Ticket, texts: Texts) -> HomeTicket:
    return HomeTicket(
        ticket.number,
        ticket.summary or texts("untitled"),
        texts(f"state_{ticket.state}"),
        replies.ticket_who(texts, ticket, house.moment()),
        link_to(ticket.conversation.place),
    )


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
def desk_tickets(session: Session, view: View, user: str, rooms: Sequence[str], now: datetime) -> list[Ticket]:
    """Open tickets of some hand-off channels: an agent's own, those nobody has, those whose reaction is late or due."""
    there = Ticket.places.any(and_(Place.platform == "slack", Place.channel.in_(rooms)))
    found = select(Ticket).where(Ticket.state.in_(OPEN_STATES), there)
    match view:
        case "mine":
            found = found.where(Ticket.agent.has(platform="slack", platform_id=user))
        case "unassigned":
            found = found.where(Ticket.agent_id.is_(None))
        case "breaching":
            found = found.where(Ticket.first_response_at.is_(None), Ticket.first_response_due < now + SOON)
    return list(session.scalars(found.order_by(Ticket.impact + Ticket.urgency, Ticket.first_response_due)))


def desk_text(house: House, view: View, user: str, rooms: Sequence[str], texts: Texts) -> Found:
    """A list of tickets of some hand-off channels, each with the way to its thread."""
    said = Texts(texts.language, texts.address)
    with house.sessions() as session:
        found = desk_tickets(session, view, user, rooms, house.clock())
        tickets = found[:MOST_LINES]
        links = [desk_link(ticket) for ticket in tickets]
        lines = [desk_line(texts, said, ticket, link) for ticket, link in zip(tickets, links, strict=True)]
    if len(found) > len(tickets):
        lines.append("\n" + texts("home_more", count=len(found) - len(tickets)))
    title = f"**{texts(f'desk_title_{view}')}**"
    body = "\n".join(lines) if lines else texts("desk_empty")
    return Found(f"{title}\n\n{body}", frozenset(filter(None, links)))


def desk_link(ticket: Ticket) -> str | None:
    """A link to the ticket's hand-off thread in Slack, where it has one."""
    threads = (place for place in desk.handoff_places(ticket) if place.platform == "slack")
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
    """The most probable articles, whatever their language: an agent's own says nothing of what they look for."""
    best: dict[int, Hit] = {}
    for hit in (hit for language in LANGUAGES for hit in house.knowledge.search(words, language).hits):
        known = best.get(hit.article_id)
        if known is None or hit.confidence.probability > known.confidence.probability:
            best[hit.article_id] = hit
    first = sorted(best.values(), key=lambda hit: -hit.confidence.probability)[:MOST_FOUND]
    return [hit for hit in first if hit.confidence.probability >= LEAST_PROBABLE]


def link_of(title: str, address: str) -> str:
    """A title as a link in Markdown, where its address leads anywhere."""
    if not address.startswith(("https://", "http://")):
        return title
    words = title.replace("[", "(").replace("]", ")")
    return f"[{words}]({address})"
