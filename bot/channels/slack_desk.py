"""What Slack's own surfaces show of the record and the knowledge base: App Home, `/helpdesk`, the agents' search."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import replies
from bot.channels.port import Address, Sender
from bot.channels.slack_events import DM
from bot.channels.slack_views import HomeOutage, HomeTicket
from bot.house import House
from bot.posts import LEAST_PROBABLE, address_of, link_to
from bot.texts import Texts
from handoff import desk, inbox
from handoff.models import (
    OPEN_STATES,
    Conversation,
    ConversationState,
    Kind,
    Message,
    Person,
    Place,
    Ticket,
    TicketState,
)

LATELY = timedelta(days=30)
MOST_ANSWERS = 2000
MOST_LINES = 15
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


def sender_of(user: str) -> Sender:
    return Sender("slack", user, "")


def current_case(house: House, user: str) -> Address | None:
    """Where a person's newest open case in their direct messages is."""
    with house.sessions() as session:
        place = session.scalar(
            select(Place)
            .join(Conversation, Conversation.place_id == Place.id)
            .join(Person, Conversation.requester_id == Person.id)
            .where(Person.platform == "slack", Person.platform_id == user, Place.channel == f"{DM}{user}")
            .where(Conversation.state != ConversationState.CLOSED)
            .order_by(Conversation.id.desc())
            .limit(1)
        )
        return address_of(place) if place is not None and link_known(place) else None


def link_known(place: Place) -> bool:
    """Whether the thread has been opened by its first post."""
    return address_of(place).thread is not None


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
def desk_tickets(session: Session, view: View, user: str, now: datetime) -> list[Ticket]:
    """Open tickets: those of an agent, those nobody has, or those whose reaction is due soon or was missed."""
    found = select(Ticket).where(Ticket.state.in_(OPEN_STATES))
    match view:
        case "mine":
            found = found.where(Ticket.agent.has(platform="slack", platform_id=user))
        case "unassigned":
            found = found.where(Ticket.agent_id.is_(None))
        case "breaching":
            found = found.where(Ticket.first_response_at.is_(None), Ticket.first_response_due < now + SOON)
    return list(
        session.scalars(found.order_by(Ticket.impact + Ticket.urgency, Ticket.first_response_due).limit(MOST_LINES))
    )


def desk_text(house: House, view: View, user: str, texts: Texts) -> tuple[str, frozenset[str]]:
    """A list of tickets for agents as Markdown, each with the way to its thread; and the addresses in it."""
    said = Texts(texts.language, texts.address)
    with house.sessions() as session:
        tickets = desk_tickets(session, view, user, house.clock())
        links = [desk_link(ticket) for ticket in tickets]
        lines = [desk_line(texts, said, ticket, link) for ticket, link in zip(tickets, links, strict=True)]
    title = f"**{texts(f'desk_title_{view}')}**"
    body = "\n".join(lines) if lines else texts("desk_empty")
    return f"{title}\n\n{body}", frozenset(filter(None, links))


def desk_link(ticket: Ticket) -> str | None:
    """A link to the ticket's hand-off thread in Slack, where it has one."""
    threads = (place for place in desk.handoff_places(ticket) if place.platform == "slack")
    return next(filter(None, (link_to(place) for place in threads)), None)


def desk_line(texts: Texts, said: Texts, ticket: Ticket, link: str | None) -> str:
    number = f"[{ticket.number}]({link})" if link else ticket.number
    state, summary = said(f"state_{ticket.state}"), ticket.summary or said("untitled")
    return "- " + texts("desk_line", number=number, priority=ticket.priority, state=state, summary=summary)


def search_text(house: House, words: str, texts: Texts) -> str:
    """What the knowledge base has on some words, with the probability of each article."""
    result = house.knowledge.search(words, texts.language)
    hits = [hit for hit in result.hits[:5] if hit.confidence.probability >= LEAST_PROBABLE]
    if not hits:
        return texts("search_empty", query=words)
    lines = [texts("search_hit", percent=round(hit.confidence.probability * 100), title=hit.title) for hit in hits]
    found = "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))
    return f"**{texts('search_title', query=words)}**\n\n{found}\n\n**{hits[0].title}**\n\n{hits[0].text}"
