"""What Lotse says, rendered from state as platform-free replies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.channels.port import Button, Card, Choice, Fact, Link, Reply
from bot.choices import choice_label
from bot.texts import Texts
from handoff.desk import THIRD_LEVEL
from handoff.models import Person, Reason, Ticket, TicketState
from kb_index.markup import article_links, unwrapped, without_bare_heading
from kb_index.port import Hit

RECEIPTS = {
    Reason.ASKED_FOR_PERSON: "receipt_asked_for_person",
    Reason.SENSITIVE: "receipt_sensitive",
    Reason.NOT_ALLOWED: "receipt_sensitive",
    Reason.FRUSTRATED: "receipt_frustrated",
    Reason.OUTAGE: "receipt_outage",
    Reason.ERROR: "receipt_error",
}


@dataclass(frozen=True)
class Moment:
    """Now, and the zone in which people read times."""

    now: datetime
    zone: ZoneInfo

    def date(self, at: datetime, texts: Texts) -> str:
        """A date as people write it: 24.11.2026 or 24 Nov 2026."""
        local = at.astimezone(self.zone)
        return local.strftime("%d.%m.%Y") if texts.language == "de" else f"{local.day} {local:%b %Y}"

    def clock(self, at: datetime) -> str:
        """The time of day: 14:30."""
        return f"{at.astimezone(self.zone):%H:%M}"

    def by(self, at: datetime, texts: Texts) -> str:
        """ "today by 14:30", "am Montag, 24.11.2026, bis 9:00 Uhr"."""
        local = at.astimezone(self.zone)
        days = (local.date() - self.now.astimezone(self.zone).date()).days
        key = {0: "today_by", 1: "tomorrow_by"}.get(days, "day_by")
        weekday = texts("weekdays").split()[local.weekday()]
        return texts(key, time=f"{local:%H:%M}", date=self.date(at, texts), day=weekday)

    def at(self, at: datetime, texts: Texts) -> str:
        """ "today at 14:30", "am Montag, 23.11.2026, um 09:00 Uhr"."""
        local = at.astimezone(self.zone)
        today = local.date() == self.now.astimezone(self.zone).date()
        weekday = texts("weekdays").split()[local.weekday()]
        key = "today_at" if today else "day_at"
        return texts(key, time=f"{local:%H:%M}", date=self.date(at, texts), day=weekday)

    def promise(self, at: datetime, texts: Texts) -> str:
        """When a person reacts, as told to who waits; a time that has passed is not promised again."""
        return self.by(at, texts) if at > self.now else texts("as_soon_as_possible")


def say(texts: Texts, key: str, *buttons: Button, **values: object) -> Reply:
    """One sentence of the catalogue, with buttons below it."""
    return Reply(texts(key, **values), buttons)


def person_button(texts: Texts) -> Button:
    return Button("person", texts("button_person"))


def answer(texts: Texts, hit: Hit) -> Reply:
    """The passage with its source, its review date and three ways on."""
    key = "answer" if hit.language == texts.language else "answer_other_language"
    text = as_told(hit)
    return Reply(
        texts(key, title=hit.title, text=text, person=texts("button_person")),
        (
            Button("helped", texts("button_helped"), style="primary"),
            Button("not_helped", texts("button_not_helped")),
            person_button(texts),
        ),
        (Link(source_of(texts, hit), article_url(hit.article_id)),),
        allowed_links=article_links(text),
    )


def answer_beside(texts: Texts, hit: Hit, ticket: Ticket) -> Reply:
    """The passage for who waits for a person: nothing is asked about it, the ticket stays as it is."""
    text = as_told(hit)
    told = texts("added_and_found", number=ticket.number, title=hit.title, text=text)
    return Reply(
        told, (), (Link(source_of(texts, hit), article_url(hit.article_id)),), allowed_links=article_links(text)
    )


def as_told(hit: Hit) -> str:
    """The passage as it is posted: without a heading that has nothing below it, its lines as long as they come."""
    return unwrapped(without_bare_heading(hit.text))


def source_of(texts: Texts, hit: Hit) -> str:
    """The title, and when somebody looked at the article last."""
    if hit.reviewed_on is None:
        return texts("source", title=hit.title)
    return texts("source_reviewed", title=hit.title, date=plain_date(hit.reviewed_on, texts))


def plain_date(day: Any, texts: Texts) -> str:
    return f"{day:%d.%m.%Y}" if texts.language == "de" else f"{day.day} {day:%b %Y}"


def article_url(article_id: int) -> str:
    """Where the article can be read, relative to Lotse's own address."""
    return f"/kb/articles/{article_id}"


def ask_back(texts: Texts, hits: Sequence[Hit]) -> Reply:
    """Up to three articles to choose from, and none of them."""
    key = "ask_back" if len(hits) > 1 else "ask_back_one"
    marks = ["" if hit.language == texts.language else texts("in_other_language") for hit in hits]
    labels = [choice_label(hit, hits, mark) for hit, mark in zip(hits, marks, strict=True)]
    choices = tuple(Button("choose", label, str(hit.article_id)) for label, hit in zip(labels, hits, strict=True))
    return say(texts, key, *choices, Button("none", texts("button_none")), person_button(texts))


def ask_fact(texts: Texts, fact: str) -> Reply:
    """A question before the ticket; fact is `problem`, `system` or `since`."""
    return say(texts, f"ask_{fact}", Button("skip", texts("button_skip")))


def receipt(texts: Texts, ticket: Ticket, moment: Moment, *, again: bool = False, asked_by: str | None = None) -> Reply:
    """The ticket's number and when a person reacts; asked_by: who wanted it, where that was not the requester."""
    when = moment.promise(ticket.first_response_due, texts)
    if asked_by is not None and ticket.reason == Reason.ASKED_FOR_PERSON:
        names = {"name": asked_by, "requester": ticket.requester.name}
        return say(texts, "receipt_for_somebody", number=ticket.number, when=when, **names)
    key = "receipt_again" if again else RECEIPTS.get(Reason(ticket.reason), "receipt")
    return say(texts, key, number=ticket.number, when=when)


def known_outage(texts: Texts, outage: Ticket) -> Reply:
    return say(texts, "known_outage", number=outage.number, summary=outage.summary)


def ticket_list(texts: Texts, tickets: Sequence[Ticket], moment: Moment) -> Reply:
    """The requester's tickets with their state, or that there is none."""
    if not tickets:
        return say(texts, "no_tickets")
    return say(texts, "your_tickets", lines="\n".join(ticket_line(texts, ticket, moment) for ticket in tickets))


def ticket_who(texts: Texts, ticket: Ticket, moment: Moment) -> str:
    """Who works on a ticket, when somebody will, or since when it is resolved."""
    if ticket.resolved_at is not None:
        return texts("ticket_line_resolved", date=moment.date(ticket.resolved_at, texts))
    if ticket.agent is not None:
        return texts("ticket_line_agent", name=ticket.agent.name)
    return texts("ticket_line_nobody", when=moment.promise(ticket.first_response_due, texts))


def ticket_line(texts: Texts, ticket: Ticket, moment: Moment) -> str:
    who, state = ticket_who(texts, ticket, moment), texts(f"state_{ticket.state}")
    return texts("ticket_line", number=ticket.number, summary=ticket.summary, state=state, who=who)


def resolved(texts: Texts, ticket: Ticket, name: str) -> Reply:
    """What was done, by whom, and whether it works again."""
    buttons = (
        Button("works", texts("button_works"), style="primary"),
        Button("still_broken", texts("button_still_broken")),
    )
    reply = say(texts, "resolved", *buttons, number=ticket.number, name=name, fix=ticket.fix or "")
    return Reply(reply.text.replace("\n\n\n\n", "\n\n"), reply.buttons)


def reopened(texts: Texts, ticket: Ticket) -> Reply:
    who = texts("reopened_agent", name=ticket.agent.name) if ticket.agent else texts("reopened_nobody")
    return say(texts, "reopened", number=ticket.number, who=who)


def reopened_by(texts: Texts, ticket: Ticket, agent: Person) -> Reply:
    """An agent has reopened it: the one who had it, another, or one where nobody had it."""
    who = texts("reopened_nobody")
    if ticket.agent is not None:
        who = texts("reopened_owner", name=ticket.agent.name)
        if ticket.agent_id == agent.id:
            return say(texts, "reopened_by_owner", number=ticket.number, name=agent.name)
    return say(texts, "reopened_by", number=ticket.number, name=agent.name, who=who)


def cancel_ticket(texts: Texts, ticket: Ticket) -> Reply:
    return say(texts, "cancel_ticket", *yes_or_no(texts), number=ticket.number)


def ask_if_solved(texts: Texts, ticket: Ticket) -> Reply:
    return say(texts, "ask_if_solved", *yes_or_no(texts), number=ticket.number, summary=ticket.summary)


def yes_or_no(texts: Texts) -> tuple[Button, Button]:
    """Whether a ticket is to be closed."""
    return Button("cancel_yes", texts("button_cancel_yes")), Button("cancel_no", texts("button_cancel_no"))


@dataclass(frozen=True)
class CardOptions:
    """What can be chosen on a card: the names of the queues and of the categories."""

    queues: tuple[str, ...]
    categories: tuple[str, ...]


def card(
    texts: Texts,
    ticket: Ticket,
    moment: Moment,
    rule: str,
    *,
    articles: tuple[str, ...] = (),
    links: tuple[Link, ...] = (),
    options: CardOptions | None = None,
) -> Reply:
    """The ticket as its hand-off channel sees it, drawn from its state; rule says who reads what is written there.

    options: what can be chosen; None for who may only look (the third level).
    """
    values = card_values(texts, ticket, moment)
    told = values | ({"owner": ticket.agent.name} if ticket.agent else {})
    waits = ticket.is_open and ticket.first_response_at is None
    facts = [Fact(texts(f"fact_{name}"), told[name]) for name in FACTS if waits or name != "due"]
    if articles:
        facts.append(Fact(texts("fact_articles"), "\n".join(articles)))
    fields = Card(
        texts("card_title", **values), values["summary"], tuple(facts), card_choices(texts, ticket, options), rule
    )
    buttons = card_buttons(texts, ticket) if options is not None else ()
    return Reply(texts("card", rule=rule, **values), buttons, links, card=fields)


FACTS = ("requester", "state", "priority", "owner", "due", "type", "category", "queue", "reason")


def card_values(texts: Texts, ticket: Ticket, moment: Moment) -> dict[str, str]:
    """What a card tells, by the name of its placeholder."""
    return {
        "number": ticket.number,
        "priority": f"P{ticket.priority}",
        "state": texts(f"state_{ticket.state}"),
        "summary": ticket.summary or texts("untitled"),
        "requester": ticket.requester.name,
        "type": texts(f"type_{ticket.type}"),
        "category": texts.label("category", ticket.category),
        "queue": texts.label("queue", ticket.queue),
        "reason": reason_for(texts, ticket),
        "due": moment.by(ticket.first_response_due, texts),
        "owner": texts("card_owner", name=ticket.agent.name) if ticket.agent else texts("card_unclaimed"),
    }


def reason_for(texts: Texts, ticket: Ticket) -> str:
    """Why Lotse handed over: where an answer was found and did not help, just that."""
    not_helped = ticket.reason == Reason.UNKNOWN and ticket.conversation.memory.get("not_helped", False)
    return texts("reason_not_helped" if not_helped else f"reason_{ticket.reason}")


def card_buttons(texts: Texts, ticket: Ticket) -> tuple[Button, ...]:
    """What can be done with a ticket in its state."""
    if ticket.state == TicketState.RESOLVED:
        return (Button("reopen", texts("button_reopen"), ticket.number),)
    if not ticket.is_open:
        return ()
    claim, escalate = () if ticket.agent else ("claim",), () if ticket.level == THIRD_LEVEL else ("escalate",)
    names = (*claim, "reply", "note", "resolve", *escalate, "hand_back")
    return tuple(
        Button(name, texts(f"button_{name}"), ticket.number, "primary" if name == "claim" else "plain")
        for name in names
    )


def card_choices(texts: Texts, ticket: Ticket, options: CardOptions | None) -> tuple[Choice, ...]:
    """What can be chosen for an open ticket: who does it, how urgent it is, which category and queue."""
    if options is None or not ticket.is_open:
        return ()
    priorities = tuple((str(number), f"P{number}") for number in range(1, 6))
    categories = labelled(texts, "category", options.categories, ticket.category)
    queues = labelled(texts, "queue", options.queues, ticket.queue)
    return (
        Choice("assign", texts("choice_assign"), ticket.number, people=True),
        Choice("priority", texts("choice_priority"), ticket.number, priorities, str(ticket.priority)),
        Choice("category", texts("choice_category"), ticket.number, categories, ticket.category),
        Choice("queue", texts("choice_queue"), ticket.number, queues, ticket.queue),
    )


def labelled(texts: Texts, kind: str, names: Sequence[str], current: str) -> tuple[tuple[str, str], ...]:
    """Names as options with their labels, the current one among them."""
    return tuple((name, texts.label(kind, name)) for name in dict.fromkeys((*names, current)))


def to_json(reply: Reply) -> dict[str, Any]:
    """What a Message row keeps of a reply beside its text."""
    return {
        "buttons": [vars(button) for button in reply.buttons],
        "links": [vars(link) for link in reply.links],
        "author": reply.author,
        "allowed_links": sorted(reply.allowed_links),
    }


def from_json(text: str, kept: dict[str, Any] | None) -> Reply:
    """The reply a Message row stands for."""
    kept = kept or {}
    return Reply(
        text,
        tuple(Button(**button) for button in kept.get("buttons", ())),
        tuple(Link(**link) for link in kept.get("links", ())),
        kept.get("author"),
        allowed_links=frozenset(kept.get("allowed_links", ())),
    )
