"""Timers: one of a kind per conversation, oldest first."""

from datetime import timedelta

from records import NOW, a_conversation

from bot.db import Sessions
from handoff.timers import TimerKind, clear_timer, due_timers, put_off, set_timer


def test_setting_a_timer_again_moves_it(sessions: Sessions) -> None:
    with sessions.begin() as session:
        conversation = a_conversation(session)
        set_timer(session, conversation, TimerKind.IDLE, NOW)
        set_timer(session, conversation, TimerKind.IDLE, NOW + timedelta(hours=1))
        assert due_timers(session, conversation.id, NOW) == []
        assert len(due_timers(session, conversation.id, NOW + timedelta(hours=1))) == 1


def test_due_timers_come_oldest_first_and_only_of_their_conversation(sessions: Sessions) -> None:
    with sessions.begin() as session:
        mine, other = a_conversation(session), a_conversation(session, "jette")
        set_timer(session, mine, TimerKind.IDLE, NOW)
        set_timer(session, mine, TimerKind.FACTS, NOW - timedelta(hours=1))
        set_timer(session, other, TimerKind.FACTS, NOW)
        assert [timer.kind for timer in due_timers(session, mine.id, NOW)] == [TimerKind.FACTS, TimerKind.IDLE]


def test_only_the_named_kinds_are_cleared(sessions: Sessions) -> None:
    with sessions.begin() as session:
        conversation = a_conversation(session)
        for kind in TimerKind:
            set_timer(session, conversation, kind, NOW)
        clear_timer(session, conversation, TimerKind.FACTS, TimerKind.IDLE)
        left = {timer.kind for timer in due_timers(session, conversation.id, NOW)}
        assert left == {TimerKind.FIRST_RESPONSE, TimerKind.CLOSE_RESOLVED}


def test_a_timer_that_was_put_off_rings_later(sessions: Sessions) -> None:
    with sessions.begin() as session:
        conversation = a_conversation(session)
        set_timer(session, conversation, TimerKind.IDLE, NOW)
        put_off(session, due_timers(session, conversation.id, NOW)[0].id, NOW + timedelta(minutes=1))
        session.expire_all()
        assert due_timers(session, conversation.id, NOW) == []
