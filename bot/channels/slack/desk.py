"""What Slack's own surfaces show of the record and the knowledge base: App Home, `/helpdesk`, the agents' search."""

from dataclasses import dataclass

from bot import replies
from bot.channels.lists import View, frequent_questions, own_tickets
from bot.channels.port import Address, Sender
from bot.channels.slack.events import DM
from bot.channels.slack.views import HomeOutage, HomeTicket
from bot.house import House
from bot.intake import FRESH
from bot.posts import link_to
from bot.texts import Texts
from handoff import desk, inbox
from handoff.models import Ticket

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
def sender_of(user: str) -> Sender:
    return Sender("slack", user, "")


def current_case(house: House, user: str) -> Address | None:
    """Where a person's newest open case in their direct messages is, while it is fresh; its thread may still open."""
    with house.sessions.begin() as session:
        person, since = inbox.person_at(session, "slack", user, ""), house.clock() - FRESH
        place = inbox.fresh_place(session, "slack", f"{DM}{user}", person, since)
        return Address("slack", place.channel, place.thread, dict(place.route)) if place is not None else None


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
        tickets = [home_ticket(house, ticket, said) for ticket in own_tickets(session, "slack", user)]
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
