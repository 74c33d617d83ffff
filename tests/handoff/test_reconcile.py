"""The reconciler: every message ends in exactly one way, or it says so."""

from collections.abc import Callable

import pytest
from records import NOW, a_conversation, a_message

from bot.db import Sessions
from handoff.models import Kind, Message
from handoff.outbox import mark_delivered, mark_undeliverable, post
from handoff.reconcile import Counts, reconcile


def test_an_empty_record_is_settled(sessions: Sessions) -> None:
    with sessions() as session:
        assert reconcile(session) == Counts(0, 0, 0, 0, 0, 0, 0, 0)
        assert reconcile(session).settled


def test_each_end_is_counted_by_itself(sessions: Sessions) -> None:
    with sessions.begin() as session:
        conversation = a_conversation(session)
        a_message(session, conversation)
        done = a_message(session, conversation)
        done.handled_at, done.outcome = NOW, "answered"
        posts = [post(session, conversation, conversation.place, Kind.SAY, "x", NOW) for _ in range(4)]
        mark_delivered(posts[0], 1, "p-1", NOW)
        posts[1].dropped_at = NOW
        mark_undeliverable(posts[2], "blocked", NOW)
        session.flush()
        counts = reconcile(session)
        assert counts == Counts(2, 1, 1, 4, 1, 1, 1, 1)
        assert counts.balanced
        assert not counts.settled


def handled_without_outcome(came: Message, goes: Message) -> None:
    came.handled_at = NOW


def delivered_and_dropped(came: Message, goes: Message) -> None:
    mark_delivered(goes, 1, "p-1", NOW)
    goes.dropped_at = NOW


def delivered_without_a_time(came: Message, goes: Message) -> None:
    goes.delivered_revision = 1


@pytest.mark.parametrize("fault", [handled_without_outcome, delivered_and_dropped, delivered_without_a_time])
def test_a_row_that_ended_in_no_way_or_in_two_is_noticed(
    sessions: Sessions, fault: Callable[[Message, Message], None]
) -> None:
    with sessions.begin() as session:
        conversation = a_conversation(session)
        came = a_message(session, conversation)
        fault(came, post(session, conversation, conversation.place, Kind.SAY, "x", NOW))
        session.flush()
        assert not reconcile(session).balanced
