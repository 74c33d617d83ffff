"""For operators: is it alive, is it ready, and what does it do."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session, aliased

from bot.db import Sessions
from bot.web.api import DESCRIPTION
from bot.web.context import Anyone, Health, Parts
from bot.web.rendering import page
from handoff.models import Author, Kind, Message, Ticket
from handoff.outbox import not_yet_sent

SECONDS = (0.25, 0.5, 1, 2, 3, 4, 5, 7.5, 10, 15, 30, 60, 300)
REPLIES = (Kind.ANSWER, Kind.ASK_BACK, Kind.SAY, Kind.RECEIPT)
STATES = {"ok": 1.0, "degraded": 0.5}
router = APIRouter(tags=["operations"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process lives."""
    return {"status": "alive"}


@router.get("/readyz", responses={503: {"description": "Not ready; `reasons` says why."}})
def readyz(web: Parts) -> JSONResponse:
    """Whether messages can be taken and handled now."""
    reasons = [*database_reasons(web.sessions), *health_reasons(web.health)]
    state = {"status": "not ready", "reasons": reasons} if reasons else {"status": "ready", "reasons": []}
    return JSONResponse(state, 503 if reasons else 200)


@router.get("/docs", include_in_schema=False)
def show_api(request: Request, visitor: Anyone) -> Response:
    """The API as a page of our own: no script from elsewhere."""
    return page(request, "api.html", paths=request.app.openapi()["paths"], description=DESCRIPTION)


@router.get("/metrics", response_class=Response)
def metrics(web: Parts) -> Response:
    """Counts and times in the Prometheus text format."""
    registry: CollectorRegistry = web.registry
    return Response(generate_latest(registry), media_type="text/plain; version=0.0.4; charset=utf-8")


def database_reasons(sessions: Sessions) -> list[str]:
    try:
        with sessions() as session:
            session.execute(text("SELECT 1"))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the reason
        return [f"the database cannot be reached ({type(error).__name__})"]
    return []


def health_reasons(health: Health) -> list[str]:
    """The parts that have failed; one that is only degraded still serves."""
    try:
        found = health()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the reason
        return [f"the state of the parts is unknown ({type(error).__name__})"]
    return [f"{name}: {reason_of(part)}" for name, part in parts_of(found) if part["state"] == "failed"]


def parts_of(health: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The parts of Lotse by name, each with its `state`: ok, degraded or failed."""
    return [(name, part) for name, part in health.items() if isinstance(part, dict) and "state" in part]


def reason_of(part: dict[str, Any]) -> str:
    return str(part.get("reason") or part["state"])


class RecordCollector:
    """Reads the numbers from the record when they are asked for: they hold for all processes and after a restart."""

    def __init__(self, sessions: Sessions, health: Health, registry: CollectorRegistry, started: datetime) -> None:
        self.sessions = sessions
        self.health = health
        self.answered_until = started
        registry.register(self)  # before the histogram, which is filled while this one collects
        self.latency = Histogram(
            "lotse_answer_seconds",
            "From a message of a requester to the delivered reply of Lotse, since the start.",
            buckets=SECONDS,
            registry=registry,
        )

    def describe(self) -> Iterable[Metric]:
        """Nothing is known before the first collect; keeps the registry from collecting at the start."""
        return []

    def collect(self) -> Iterator[Metric]:
        with self.sessions() as session:
            self.observe_new_answers(session)
            yield from message_counts(session)
            yield decisions(session)
            yield ticket_counts(session)
        yield from parts(self.health)

    def observe_new_answers(self, session: Session) -> None:
        """Put the replies delivered since the last look into the histogram."""
        rows = session.execute(new_answers(self.answered_until)).all()
        for asked_at, delivered_at in rows:
            self.latency.observe(max(0.0, (delivered_at - asked_at).total_seconds()))
        self.answered_until = max((row.delivered_at for row in rows), default=self.answered_until)


def new_answers(since: datetime) -> Any:
    """SQL: (asked_at, delivered_at) of replies delivered after a moment; the newest message before one asked for it."""
    asked = aliased(Message)
    before = select(func.max(asked.created_at)).where(
        asked.conversation_id == Message.conversation_id,
        asked.author == Author.REQUESTER,
        asked.to_send.is_(False),
        asked.id < Message.id,
    )
    asked_at = before.scalar_subquery()
    replies = select(asked_at.label("asked_at"), Message.delivered_at)
    return replies.where(
        Message.to_send.is_(True), Message.kind.in_(REPLIES), Message.delivered_at > since, asked_at.is_not(None)
    ).order_by(Message.delivered_at)


def message_counts(session: Session) -> Iterator[Metric]:
    """Received, handled, delivered; and what is still open of each."""
    came, goes = Message.to_send.is_(False), Message.to_send.is_(True)
    counts: dict[str, tuple[str, tuple[ColumnElement[bool], ...]]] = {
        "received": ("Messages and presses stored.", (came,)),
        "handled": ("Messages and presses handled.", (came, Message.handled_at.is_not(None))),
        "delivered": ("Posts delivered.", (goes, Message.delivered_at.is_not(None))),
        "failed": ("Posts that can never be delivered.", (goes, Message.failure.is_not(None))),
    }
    for name, (meaning, where) in counts.items():
        yield CounterMetricFamily(f"lotse_messages_{name}", meaning, value=number(session, *where))
    waiting = {
        "unhandled": number(session, came, Message.handled_at.is_(None)),
        "undelivered": number(session, not_yet_sent(Message)),
    }
    gauge = GaugeMetricFamily("lotse_messages_open", "Messages that wait.", labels=["waiting"])
    for name, value in waiting.items():
        gauge.add_metric([name], value)
    yield gauge


def number(session: Session, *where: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count(Message.id)).where(*where)) or 0


def decisions(session: Session) -> Metric:
    """What became of the messages of requesters."""
    family = CounterMetricFamily("lotse_decisions", "Handled messages by what became of them.", labels=["outcome"])
    mine = Message.author == Author.REQUESTER, Message.to_send.is_(False), Message.outcome.is_not(None)
    for outcome, count in session.execute(
        select(Message.outcome, func.count(Message.id)).where(*mine).group_by(Message.outcome)
    ):
        family.add_metric([str(outcome)], count)
    return family


def ticket_counts(session: Session) -> Metric:
    family = GaugeMetricFamily("lotse_tickets", "Tickets by state.", labels=["state"])
    for state, count in session.execute(select(Ticket.state, func.count(Ticket.id)).group_by(Ticket.state)):
        family.add_metric([state], count)
    return family


def parts(health: Health) -> Iterator[Metric]:
    """How each part is, and which understander serves."""
    found = health()
    family = GaugeMetricFamily("lotse_part_state", "1 ok, 0.5 degraded, 0 failed.", labels=["part"])
    for name, part in parts_of(found):
        family.add_metric([name], STATES.get(part["state"], 0.0))
    yield family
    name = found.get("understanding", {}).get("understander", "unknown")
    understander = GaugeMetricFamily("lotse_understander", "Which understander serves.", labels=["name"])
    understander.add_metric([str(name)], 1)
    yield understander
