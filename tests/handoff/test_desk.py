"""What agents do with tickets: states, the log, who may what when."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from records import DUE, NOW, a_conversation, a_message, a_person, a_thread, a_ticket
from sqlalchemy.orm import Session

from bot.db import Sessions
from handoff import desk
from handoff.desk import NotPossible, Proposal
from handoff.models import ConversationState, Kind, Reason, Side, Ticket, TicketState, TicketType
from handoff.outbox import post
from handoff.timers import TimerKind, due_timers

FAR = NOW + timedelta(days=1000)


def timers(session: Session, ticket: Ticket) -> set[str]:
    return {timer.kind for timer in due_timers(session, ticket.conversation_id, FAR)}


def last_event(ticket: Ticket) -> tuple[str, dict[str, object]]:
    return ticket.events[-1].kind, ticket.events[-1].data


# --- opening ----------------------------------------------------------------------------------------------------------
def test_a_new_ticket_waits_for_a_person_and_for_their_reaction(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ticket = a_ticket(session)
        assert (ticket.state, ticket.agent) == (TicketState.NEW, None)
        assert ticket.conversation.state == ConversationState.WAITING_FOR_PERSON
        assert timers(session, ticket) == {TimerKind.FIRST_RESPONSE}
        assert last_event(ticket) == ("opened", {"reason": "unknown", "category_score": None})


def test_an_open_ticket_is_handed_over_again_with_a_new_promise(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ticket, agent = a_ticket(session), a_person(session, "maren")
        desk.note_human_spoke(session, ticket, agent, NOW)
        desk.hand_back(session, ticket, NOW, agent)
        assert timers(session, ticket) == set()
        later = DUE + timedelta(hours=3)
        again = desk.open_ticket(session, ticket.conversation, Reason.FRUSTRATED, Proposal("anders"), later, NOW)
        assert again is ticket
        assert (again.agent, again.reason, again.summary) == (None, Reason.FRUSTRATED, "Das Telefon klingelt")
        assert (again.first_response_due, again.first_response_at) == (later, None)
        assert last_event(ticket)[1]["due_before"] == DUE.isoformat()
        assert timers(session, ticket) == {TimerKind.FIRST_RESPONSE}


def test_a_resolved_ticket_is_not_handed_over_again(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ticket = a_ticket(session)
        desk.resolve(session, ticket, "", "", FAR, NOW, None)
        with pytest.raises(NotPossible):
            desk.open_ticket(session, ticket.conversation, Reason.UNKNOWN, Proposal("x"), DUE, NOW)


# --- claiming and assigning -------------------------------------------------------------------------------------------
def test_a_claim_puts_the_ticket_into_progress_and_the_person_in_charge(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ticket, agent = a_ticket(session), a_person(session, "maren")
        desk.claim(session, ticket, agent, NOW)
        assert (ticket.state, ticket.agent, ticket.claimed_at) == (TicketState.IN_PROGRESS, agent, NOW)
        assert ticket.conversation.state == ConversationState.WITH_PERSON


@pytest.mark.parametrize(("who", "key"), [("maren", "claimed_by_you"), ("tomasz", "claimed_by_other")])
def test_who_comes_second_is_told_why_not(sessions: Sessions, who: str, key: str) -> None:
    with sessions.begin() as session:
        ticket = a_ticket(session)
        desk.claim(session, ticket, a_person(session, "maren"), NOW)
        with pytest.raises(NotPossible) as refused:
            desk.claim(session, ticket, a_person(session, who), NOW)
        assert refused.value.key == key
        assert refused.value.values.get("name", "Maren") == "Maren"


def test_a_ticket_can_be_given_to_somebody_whoever_had_it(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ticket, maren, tomasz = a_ticket(session), a_person(session, "maren"), a_person(session, "tomasz")
        desk.claim(session, ticket, maren, NOW)
        desk.assign(session, ticket, tomasz, NOW + timedelta(hours=1), maren)
        assert (ticket.agent, ticket.claimed_at) == (tomasz, NOW)
        assert last_event(ticket) == ("assigned", {"to": tomasz.id})


# --- while it is open -------------------------------------------------------------------------------------------------
def test_the_first_word_of_a_person_is_the_reaction(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ticket, agent = a_ticket(session), a_person(session, "maren")
        desk.note_human_spoke(session, ticket, agent, NOW)
        desk.note_human_spoke(session, ticket, a_person(session, "tomasz"), NOW + timedelta(hours=1))
        assert (ticket.agent, ticket.first_response_at) == (agent, NOW)
        assert timers(session, ticket) == set()


def test_a_ticket_that_waited_goes_on_when_the_requester_writes(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ticket, agent = a_ticket(session), a_person(session, "maren")
        desk.set_state(session, ticket, TicketState.WAITING_FOR_REQUESTER, NOW, agent)
        desk.note_requester_wrote(session, ticket, NOW)
        assert ticket.state == TicketState.IN_PROGRESS
        desk.set_state(session, ticket, TicketState.ON_HOLD, NOW, agent)
        desk.note_requester_wrote(session, ticket, NOW)
        assert ticket.state == TicketState.ON_HOLD


@pytest.mark.parametrize("state", [TicketState.NEW, TicketState.RESOLVED, TicketState.CLOSED])
def test_states_that_other_actions_make_are_not_set_by_hand(sessions: Sessions, state: TicketState) -> None:
    with sessions.begin() as session:
        ticket = a_ticket(session)
        with pytest.raises(NotPossible, match="state_not_by_hand"):
            desk.set_state(session, ticket, state, NOW, a_person(session, "maren"))


def test_a_correction_is_logged_with_old_and_new_but_never_the_summarys_text(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ticket, agent = a_ticket(session), a_person(session, "maren")
        desk.correct(session, ticket, {"type": "request", "urgency": 1, "summary": "Geheim"}, NOW, agent)
        assert (ticket.type, ticket.priority, ticket.summary) == (TicketType.REQUEST, 2, "Geheim")
        assert [event.data for event in ticket.events[1:]] == [
            {"field": "type", "old": "incident", "new": "request"},
            {"field": "urgency", "old": 2, "new": 1},
            {"field": "summary"},
        ]


@pytest.mark.parametrize("changes", [{"urgency": 4}, {"impact": 0}, {"type": "wish"}, {"state": "closed"}, {"id": 7}])
def test_what_cannot_be_corrected_is_refused_and_nothing_changes(
    sessions: Sessions, changes: dict[str, object]
) -> None:
    with sessions.begin() as session:
        ticket = a_ticket(session)
        with pytest.raises(ValueError, match=r"cannot be set|not a valid"):
            desk.correct(session, ticket, {"urgency": 1, **changes}, NOW, a_person(session, "maren"))
        assert ticket.urgency == 2


def test_what_stays_the_same_is_not_logged(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ticket = a_ticket(session)
        desk.correct(session, ticket, {"urgency": 2}, NOW, a_person(session, "maren"))
        assert last_event(ticket)[0] == "opened"


# --- the end ----------------------------------------------------------------------------------------------------------
def test_resolve_keeps_cause_and_fix_and_waits_for_the_window(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ticket, agent = a_ticket(session), a_person(session, "maren")
        desk.resolve(session, ticket, " Kabel ", "  ", FAR, NOW, agent)
        assert (ticket.cause, ticket.fix, ticket.agent) == ("Kabel", None, agent)
        assert ticket.conversation.state == ConversationState.RESOLVED
        assert timers(session, ticket) == {TimerKind.CLOSE_RESOLVED}


@pytest.mark.parametrize(("claimed", "state"), [(True, TicketState.IN_PROGRESS), (False, TicketState.NEW)])
def test_reopen_gives_it_back_to_who_had_it(sessions: Sessions, claimed: bool, state: TicketState) -> None:
    with sessions.begin() as session:
        ticket, agent = a_ticket(session), a_person(session, "maren")
        if claimed:
            desk.claim(session, ticket, agent, NOW)
        desk.resolve(session, ticket, "", "", FAR, NOW, None)
        desk.reopen(session, ticket, NOW, None)
        assert (ticket.state, ticket.agent, ticket.resolved_at) == (state, agent if claimed else None, None)
        assert TimerKind.CLOSE_RESOLVED not in timers(session, ticket)


def test_reopen_is_refused_when_open_or_too_late(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ticket = a_ticket(session)
        with pytest.raises(NotPossible, match="cannot_reopen"):
            desk.reopen(session, ticket, NOW, None)
        desk.resolve(session, ticket, "", "", NOW, NOW, None)
        with pytest.raises(NotPossible, match="cannot_reopen"):
            desk.reopen(session, ticket, NOW + timedelta(seconds=1), None)


def test_close_ends_conversation_ticket_and_timers_and_is_logged_once(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ticket = a_ticket(session)
        for _ in range(2):
            desk.close(session, ticket.conversation, "confirmed", NOW)
        assert (ticket.state, ticket.conversation.outcome) == (TicketState.CLOSED, "confirmed")
        assert timers(session, ticket) == set()
        assert [event.kind for event in ticket.events].count("closed") == 1


OPEN_ONLY: list[Callable[..., object]] = [
    lambda session, ticket, by: desk.assign(session, ticket, by, NOW, by),
    lambda session, ticket, by: desk.set_state(session, ticket, TicketState.ON_HOLD, NOW, by),
    lambda session, ticket, by: desk.escalate(session, ticket, NOW, by),
    lambda session, ticket, by: desk.hand_back(session, ticket, NOW, by),
    lambda session, ticket, by: desk.resolve(session, ticket, "", "", FAR, NOW, by),
    lambda session, ticket, by: desk.announce_outage(session, ticket, NOW, by, on=True),
    lambda session, ticket, by: desk.claim(session, ticket, by, NOW),
]


@pytest.mark.parametrize("action", OPEN_ONLY)
def test_a_closed_ticket_stays_as_it_is(sessions: Sessions, action: Callable[..., object]) -> None:
    with sessions.begin() as session:
        ticket, agent = a_ticket(session), a_person(session, "maren")
        desk.close(session, ticket.conversation, "confirmed", NOW)
        with pytest.raises(NotPossible, match="already_resolved"):
            action(session, ticket, agent)
        assert (ticket.state, last_event(ticket)[0]) == (TicketState.CLOSED, "closed")


# --- around it --------------------------------------------------------------------------------------------------------
def test_every_event_draws_the_card_anew(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ticket = a_ticket(session)
        card = post(session, ticket.conversation, ticket.places[0], Kind.CARD, "", NOW)
        desk.claim(session, ticket, a_person(session, "maren"), NOW)
        assert card.revision == 2


def test_known_outages_are_open_tickets_announced_as_such_newest_first(sessions: Sessions) -> None:
    with sessions.begin() as session:
        agent = a_person(session, "maren")
        tickets = [a_ticket(session, name) for name in ("eins", "zwei", "drei", "vier")]
        for ticket in tickets[:3]:
            desk.announce_outage(session, ticket, NOW, agent, on=True)
        desk.announce_outage(session, tickets[0], NOW, agent, on=False)
        desk.resolve(session, tickets[2], "", "", FAR, NOW, agent)
        assert desk.known_outages(session) == [tickets[1]]


def test_a_relay_goes_to_every_place_but_the_one_it_came_from(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ticket = a_ticket(session)
        third = a_thread(session, ticket, "third-level", Side.THIRD_LEVEL)
        assert desk.handoff_places(ticket, but=third) == [place for place in ticket.places if place != third]
        said = a_message(session, ticket.conversation)
        relays = desk.relay(session, said, desk.handoff_places(ticket), NOW)
        assert [(relay.place, relay.text, relay.concerns) for relay in relays] == [
            (place, "Hallo", said) for place in ticket.places
        ]


def test_a_requester_sees_only_their_own_tickets_newest_first(sessions: Sessions) -> None:
    with sessions.begin() as session:
        first = a_ticket(session, "konrad")
        a_ticket(session, "jette")
        desk.close(session, first.conversation, "confirmed", NOW)
        second = desk.open_ticket(session, a_conversation(session), Reason.UNKNOWN, Proposal("x"), DUE, NOW)
        assert desk.tickets_of(session, a_person(session)) == [second, first]
        assert desk.tickets_of(session, a_person(session), limit=1) == [second]


@pytest.mark.parametrize("written", ["TKT-1001", "#1001", "1001", "tkt 1001"])
def test_a_ticket_is_found_by_its_number_however_it_is_written(sessions: Sessions, written: str) -> None:
    with sessions.begin() as session:
        ticket = a_ticket(session)
        assert desk.ticket_by_number(session, written.replace("1001", str(1000 + ticket.id))) is ticket


@pytest.mark.parametrize("written", ["", "TKT-", "TKT-9999", "999999999999999999", "0"])
def test_what_is_no_number_finds_nothing(sessions: Sessions, written: str) -> None:
    with sessions() as session:
        assert desk.ticket_by_number(session, written) is None
