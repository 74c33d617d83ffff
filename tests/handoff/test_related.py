"""Past cases beside a ticket."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from bot.db import Sessions
from handoff.inbox import open_conversation, person_at, place_at
from handoff.models import Reason, Ticket, TicketState
from handoff.related import related_cases

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def ticket(
    session: Session, summary: str, *, state: str = TicketState.CLOSED, category: str = "other", **more: str
) -> Ticket:
    place = place_at(session, "web", "chat", "jette")
    case = open_conversation(session, place, person_at(session, "web", "jette", "Jette"), NOW)
    found = Ticket(
        conversation=case,
        requester=case.requester,
        summary=summary,
        state=state,
        category=category,
        queue="service-desk",
        reason=more.get("reason", Reason.UNKNOWN),
        opened_at=NOW,
        first_response_due=NOW,
        fix=more.get("fix", "Neu gestartet"),
    )
    session.add(found)
    session.flush()
    return found


def summaries(session: Session, of: Ticket) -> list[str]:
    return [case.summary for case in related_cases(session, of)]


def test_alike_cases_come_first_and_strangers_not_at_all(sessions: Sessions) -> None:
    with sessions.begin() as session:
        for summary in ("VPN trennt ständig", "VPN-Verbindung bricht zu Hause ab", "Neue Maus bestellen"):
            ticket(session, summary)
        now = ticket(session, "Meine VPN Verbindung bricht im Homeoffice dauernd ab", state=TicketState.NEW)
        assert summaries(session, now)[0] == "VPN-Verbindung bricht zu Hause ab"
        assert "Neue Maus bestellen" not in summaries(session, now)


def test_typos_and_compounds_are_alike(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ticket(session, "Kennwortrücksetzung schlägt fehl")
        now = ticket(session, "Kenwort zurücksetzen schlägt fehl", state=TicketState.NEW)
        assert summaries(session, now) == ["Kennwortrücksetzung schlägt fehl"]


def test_same_category_counts(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ticket(session, "Drucker druckt nicht", category="devices")
        ticket(session, "Drucker druckt nicht", category="printing")
        now = ticket(session, "Drucker druckt nicht", category="printing", state=TicketState.NEW)
        assert [case.category for case in related_cases(session, now)] == ["printing", "devices"]


@pytest.mark.parametrize(
    "hidden",
    [{"reason": Reason.SENSITIVE}, {"state": TicketState.IN_PROGRESS}, {"fix": None}],
    ids=["sensitive", "open", "without a finding"],
)
def test_sensitive_open_and_unexplained_cases_are_left_out(sessions: Sessions, hidden: dict[str, str]) -> None:
    with sessions.begin() as session:
        ticket(session, "Drucker druckt nicht", **hidden)
        now = ticket(session, "Drucker druckt nicht", state=TicketState.NEW)
        assert summaries(session, now) == []


@pytest.mark.parametrize("summary", ["", "🙂", "1234"])
def test_summary_without_words_has_no_relatives(sessions: Sessions, summary: str) -> None:
    with sessions.begin() as session:
        ticket(session, "Drucker druckt nicht")
        assert summaries(session, ticket(session, summary, state=TicketState.NEW)) == []
