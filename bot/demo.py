"""Brings in what the demo needs: its articles, its invented people and their past cases."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.channels.web import chat_address
from bot.db import Sessions
from bot.settings import Settings
from handoff import desk, inbox
from handoff.desk import Proposal
from handoff.models import (
    Author,
    Conversation,
    Kind,
    Message,
    Person,
    Place,
    Reason,
    Side,
    Ticket,
    TicketState,
    TicketType,
)
from handoff.timers import TimerKind, clear_timer
from kb_index.importing import import_folder
from kb_index.port import Embedder
from kb_index.questions import note_unanswered

FOLDER = Path(__file__).parent.parent / "demo"
KINDS = {"note": Kind.NOTE, "requester": Kind.TEXT, "agent": Kind.TEXT, "bot": Kind.SAY}


def bring_in(settings: Settings, sessions: Sessions, embedder: Embedder) -> None:
    """Import the demo's articles (unchanged ones cost nothing) and, into an empty record, its past cases."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Demo knowledge base", total=None)
        import_folder(
            sessions,
            embedder,
            FOLDER / "kb",
            source="demo",
            progress=lambda done, of: bar.update(task, completed=done, total=of),
        )
    with sessions.begin() as session:
        if session.scalar(select(Ticket.id).limit(1)) is None:
            seed_cases(settings, session)


def seed_cases(settings: Settings, session: Session) -> None:
    """Put the past cases into the record, as if they had happened."""
    people = {person["id"]: person for person in read("people.yml")["people"]}
    content = read("cases.yml")
    for number, case in enumerate(sorted(content["cases"], key=lambda case: -case["days_ago"]), 1):
        Seeding(settings, session, people, case, number).put()
    for question in content.get("open_questions", ()):
        note_unanswered(session, question["question"], question["language"], reason=Reason.UNKNOWN)


def read(name: str) -> dict[str, Any]:
    """One file of the demo folder."""
    content: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return content


class Seeding:
    """One past case on its way into the record."""

    def __init__(
        self, settings: Settings, session: Session, people: Mapping[str, Any], case: Mapping[str, Any], number: int
    ) -> None:
        self.settings = settings
        self.session = session
        self.people = people
        self.case = case
        self.number = number
        self.began = self._began()

    def _began(self) -> datetime:
        zone = self.settings.service.timezone
        day = datetime.now(zone).date() - timedelta(days=self.case["days_ago"])
        began = datetime.combine(day, time.fromisoformat(self.case["at"]), zone).astimezone(UTC)
        return min(began, datetime.now(UTC) - timedelta(hours=1))

    def put(self) -> None:
        """Conversation, ticket, messages, and how it ended."""
        requester = self.person(self.case["requester"])
        here = chat_address(self.case["requester"], f"past{self.number}")
        place = inbox.place_at(self.session, here.platform, here.channel, here.thread)
        conversation = inbox.open_conversation(self.session, place, requester, self.began)
        conversation.language = self.case["language"]
        ticket = self.ticket(conversation)
        desk_place = inbox.place_at(self.session, "web", "desk", ticket.number, side=Side.HANDOFF)
        desk_place.ticket_id = ticket.id
        for message in self.case["messages"]:
            self.message(conversation, place, desk_place, message)
        self.end(ticket)

    def person(self, name: str) -> Person:
        known = self.people[name]
        return inbox.person_at(self.session, "web", name, known["name"], known["language"], known["address"])

    def ticket(self, conversation: Conversation) -> Ticket:
        case = self.case
        proposal = Proposal(
            case["summary"],
            TicketType(case["type"]),
            case["category"],
            None,
            case["queue"],
            None,
            case["impact"],
            case["urgency"],
        )
        priority = case["impact"] + case["urgency"] - 1
        service = self.settings.service
        due = service.service_hours().add(self.began, service.first_response(priority))
        return desk.open_ticket(self.session, conversation, Reason(case["reason"]), proposal, due, self.began)

    def message(self, conversation: Conversation, place: Place, desk_place: Place, told: Mapping[str, Any]) -> None:
        who, at = told["who"], self.began + timedelta(minutes=told["after"])
        from_agent = who in {"agent", "note"}
        writer = told.get("by") or (self.case.get("agent") if from_agent else self.case["requester"])
        person = self.person(writer) if who != "bot" and writer else None
        written = Message(
            conversation=conversation,
            place=desk_place if from_agent else place,
            person=person,
            author=Author.AGENT if from_agent else Author(who),
            kind=KINDS[who],
            text=told["text"],
            platform="web",
            created_at=at,
            written_at=at,
            handled_at=at,
            to_send=who == "bot",
            delivered_at=at if who == "bot" else None,
            delivered_revision=1,
            outcome="demo",
        )
        self.session.add(written)
        self.session.flush()
        if who == "agent":
            self.relay(conversation, place, written)
            self.note_reply(conversation, person, at)

    def relay(self, conversation: Conversation, place: Place, written: Message) -> None:
        for post in desk.relay(self.session, written, [place], written.created_at):
            post.delivered_at, post.delivered_revision = written.created_at, 1

    def note_reply(self, conversation: Conversation, person: Person | None, at: datetime) -> None:
        if conversation.ticket is not None and person is not None:
            desk.note_human_spoke(self.session, conversation.ticket, person, at)

    def end(self, ticket: Ticket) -> None:
        """Resolved and closed, or still in work, as the case says."""
        state = TicketState(self.case["state"])
        last = self.began + timedelta(minutes=self.case["messages"][-1]["after"] + 1)
        agent = self.person(self.case["agent"]) if self.case.get("agent") else None
        if state == TicketState.RESOLVED:
            desk.resolve(self.session, ticket, self.case["cause"], self.case["fix"], last, last, agent)
            desk.close(self.session, ticket.conversation, "confirmed", last)
            return
        if agent is not None and ticket.agent_id is None:
            desk.claim(self.session, ticket, agent, last)
        clear_timer(self.session, ticket.conversation, TimerKind.FIRST_RESPONSE)
