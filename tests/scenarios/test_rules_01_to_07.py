"""Behaviour rules 1 to 7 of the design: nothing lost, nothing twice, and a person who takes over has the word."""

from collections.abc import Callable
from contextlib import _GeneratorContextManager
from itertools import permutations

import pytest
from sentences import keys
from sqlalchemy.orm import Session
from together import at_once
from world import JETTE, KONRAD, MAREN, TOMASZ, UNKNOWN_QUESTION, VPN_QUESTION, World, chat

from bot.channels.port import Address, Incoming, Press, PressResult, Sender
from bot.db import Sessions
from bot.engine import Engine
from bot.house import House
from handoff.models import Author, ConversationState, Kind, TicketState
from nlu.port import Understanding


# --- rule 1: every accepted message ends in exactly one outcome -------------------------------------------------------
def test_rule_1_every_message_is_received_handled_and_answered(world: World) -> None:
    for text in ("Hallo", VPN_QUESTION, UNKNOWN_QUESTION, "🖨️", "", "'; DROP TABLE message; --"):
        world.ask(KONRAD, text)
    world.unsolved(JETTE)
    counts = world.counts()
    assert counts.settled, counts
    assert all(outcome is not None for outcome in world.outcomes(KONRAD))


def test_rule_1_a_very_long_message_is_answered_and_kept_whole(world: World) -> None:
    long = f"{VPN_QUESTION} " + "sehr " * 20_000
    world.ask(KONRAD, long)
    assert world.messages()[0].text == long


def test_rule_1_text_no_database_can_keep_is_cleaned_not_refused(world: World) -> None:
    world.ask(KONRAD, "VPN\x00 und eine halbe Zwillingshälfte \ud83d")
    assert "\x00" not in world.messages()[0].text


# --- rule 2: the same event many times, in any order, with a restart: once --------------------------------------------
@pytest.mark.parametrize("restart_after", [0, 1, 2, 3])
def test_rule_2_the_same_event_four_times_gives_one_ticket_and_one_reply(world: World, restart_after: int) -> None:
    ids = set()
    for time in range(4):
        ids.add(world.says(KONRAD, "Ein Mensch bitte.", source_id="event-1"))
        if time == restart_after:
            world.settle()
            world.restart()
    world.settle()
    assert len(ids) == 1
    assert len(world.posts_to(KONRAD)) == 1
    assert world.tickets() == 1


@pytest.mark.parametrize("order", sorted(set(permutations([0, 1, 0]))))
def test_rule_2_two_events_in_any_order_with_repeats(world: World, order: tuple[int, ...]) -> None:
    for number in order:
        world.says(KONRAD, ("VPN-Client starten", "Profil Zentrale wählen")[number], source_id=f"event-{number}")
        world.app.worker.work_off()
        world.restart()
    assert "answer" in keys(world.one_answer(KONRAD).reply.text)
    assert world.counts().received == 2


def test_rule_2_the_same_press_twice_is_done_once(world: World) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    for _ in range(3):
        assert world.press_only(KONRAD, "helped", source_id="press-1").ok
    assert "helped" in keys(world.one_answer(KONRAD).reply.text)


def test_rule_2_two_quick_presses_on_one_button_confirm_once(world: World) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    world.press_only(KONRAD, "helped")
    world.press_only(KONRAD, "helped")
    first, second = world.new_answers(KONRAD)
    assert "helped" in keys(first.reply.text)
    assert "button_stale" in keys(second.reply.text)


def test_rule_2_the_same_event_from_many_threads_is_stored_once(world: World) -> None:
    came = Incoming(chat(KONRAD), KONRAD, VPN_QUESTION, "event-1", world.clock())
    ids = at_once([lambda: world.app.engine.receive(came)] * 8)
    assert len(set(ids)) == 1
    assert "answer" in keys(world.one_answer(KONRAD).reply.text)


def test_rule_2_first_messages_from_many_threads_share_one_conversation(world: World) -> None:
    def write(number: int) -> Callable[[], int | None]:
        came = Incoming(chat(KONRAD), KONRAD, f"Zeile {number}", f"event-{number}", world.clock())
        return lambda: world.app.engine.receive(came)

    ids = at_once([write(number) for number in range(8)])
    assert len(set(ids)) == 8
    assert len({message.conversation_id for message in world.messages()}) == 1
    world.one_answer(KONRAD)


# --- rule 3: acknowledged only when stored ----------------------------------------------------------------------------
class FailingSessions(Sessions):
    """A database that cannot be written to while `away`; reading still works."""

    away = True

    def begin(self) -> _GeneratorContextManager[Session]:
        """As the real one, unless it is away."""
        if self.away:
            raise OSError("the disk is full")
        return super().begin()


def test_rule_3_what_cannot_be_stored_raises_and_the_repeat_is_answered(world: World) -> None:
    house = world.app.house
    failing = FailingSessions(house.sessions.engine)
    engine = Engine(House(house.settings, failing, house.knowledge, house.understander, house.clock))
    came = Incoming(chat(KONRAD), KONRAD, VPN_QUESTION, "event-1", world.clock())
    press = Press(chat(KONRAD), KONRAD, "person", "", "press-1")
    for take in (lambda: engine.receive(came), lambda: engine.press(press)):
        with pytest.raises(OSError, match="disk"):
            take()
    assert world.counts().received == 0
    failing.away = False
    assert engine.receive(came) is not None
    assert "answer" in keys(world.one_answer(KONRAD).reply.text)


# --- rule 4: silent by default ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("channel", ["desk", "desk-1", "third-level"])
def test_rule_4_chatter_in_a_handoff_channel_outside_a_ticket_is_not_taken(world: World, channel: str) -> None:
    said = Incoming(Address("web", channel), MAREN, "Wer hat Frühdienst?", "event-1", world.clock())
    assert world.app.engine.receive(said) is None
    assert world.counts().received == 0


def test_rule_4_a_button_in_a_handoff_channel_without_a_ticket_is_refused(world: World) -> None:
    result = world.app.engine.press(Press(Address("web", "desk", "TKT-9999"), MAREN, "claim", "", "press-1"))
    assert not result.ok
    assert "no_such_ticket" in keys(result.text or "")


# --- rule 5: the receipt in the same transaction as the ticket --------------------------------------------------------
def test_rule_5_the_receipt_names_the_ticket_and_when_a_person_reacts(world: World) -> None:
    world.ticket_for(KONRAD)
    kinds = [message.kind for message in world.messages() if message.author == Author.BOT]
    assert kinds == [Kind.RECEIPT, Kind.CARD]
    receipt = world.posts_to(KONRAD)[-1].reply.text
    assert world.ticket().number in receipt
    assert "heute bis" in receipt


def test_rule_5_a_ticket_that_cannot_get_its_receipt_is_not_opened(world: World) -> None:
    world.says(KONRAD, "Ein Mensch bitte.")
    world.app.house.settings.handoff.queues.clear()  # its card cannot be posted, so the whole transaction fails
    world.settle()
    assert world.tickets() == 0
    assert not world.posts_to(KONRAD)
    assert world.counts().open == 1


# --- rule 6: the first human message silences the bot -----------------------------------------------------------------
def test_rule_6_after_an_agent_has_written_the_bot_is_silent(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_says(MAREN, ticket, "Ich sehe mir das an.")
    assert [post.reply.author for post in world.new_answers(KONRAD)] == [MAREN.name]
    world.says(KONRAD, VPN_QUESTION)
    assert world.new_answers(KONRAD) == []
    assert world.thread(ticket)[-1] == VPN_QUESTION
    assert world.outcomes(KONRAD)[-1] == "relayed"


def test_rule_6_an_answer_computed_before_and_sent_after_is_dropped(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_presses(MAREN, ticket, "hand_back")
    world.new_answers(KONRAD)
    world.channel.broken["konrad"] = ConnectionError("away for a moment")
    world.says(KONRAD, VPN_QUESTION)
    world.settle()
    world.agent_says(MAREN, ticket, "Ich übernehme wieder.")
    world.channel.broken.clear()
    world.passes(minutes=20)
    assert [post.reply.text for post in world.new_answers(KONRAD)] == ["Ich übernehme wieder."]
    assert world.counts().dropped == 1
    assert world.counts().settled


def test_rule_6_a_person_who_takes_over_while_the_bot_thinks_is_not_talked_over(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_presses(MAREN, ticket, "hand_back")
    world.new_answers(KONRAD)
    parse, engine = world.understander.parse, world.app.engine

    def interrupted(text: str) -> Understanding:
        if world.conversation(KONRAD).state == ConversationState.WITH_BOT:
            came = Press(world.desk(ticket), TOMASZ, "assign", "", "press-9", fields={"person": "maren"})
            assert engine.press(came).ok
        return parse(text)

    world.understander.parse = interrupted  # type: ignore[method-assign]
    world.says(KONRAD, VPN_QUESTION)
    posts = world.new_answers(KONRAD)
    assert [keys(post.reply.text) & {"assigned", "answer"} for post in posts] == [{"assigned"}]
    assert world.thread(ticket)[-1] == VPN_QUESTION


def test_rule_6_handed_back_the_bot_answers_again(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_says(MAREN, ticket, "Das kann Lotse.")
    world.agent_presses(MAREN, ticket, "hand_back")
    assert "handed_back" in keys(world.new_answers(KONRAD)[-1].reply.text)
    assert "answer" in keys(world.ask(KONRAD, VPN_QUESTION).reply.text)


# --- rule 7: one claim wins -------------------------------------------------------------------------------------------
def test_rule_7_second_claim_is_told_who_won(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    assert world.agent_presses(MAREN, ticket, "claim").ok
    second = world.agent_presses(TOMASZ, ticket, "claim")
    assert (second.ok, second.text) == (False, f"Maren Tiede has already claimed {ticket}.")
    again = world.agent_presses(MAREN, ticket, "claim")
    assert not again.ok
    assert "claimed_by_you/du" in keys(again.text or "")


def test_rule_7_the_requester_is_told_who_has_taken_over(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_presses(MAREN, ticket, "claim")
    told = world.one_answer(KONRAD).reply.text
    assert "claimed/sie" in keys(told)
    assert MAREN.name in told


def test_rule_7_of_two_truly_simultaneous_claims_exactly_one_wins(world: World) -> None:
    for round_ in range(20):
        world.says(KONRAD if round_ % 2 else JETTE, "Ein Mensch bitte.")
        world.settle()
        ticket = world.ticket().number
        results = at_once([claims(world, ticket, agent, f"{round_}") for agent in (MAREN, TOMASZ)])
        won = [result.ok for result in results]
        assert sorted(won) == [False, True]
        loser = results[won.index(False)]
        assert (MAREN, TOMASZ)[won.index(True)].name in (loser.text or "")
        assert world.ticket(ticket).state == TicketState.IN_PROGRESS
        world.agent_presses(MAREN, ticket, "resolve")
        world.passes(days=8)


def claims(world: World, ticket: str, agent: Sender, name: str) -> Callable[[], PressResult]:
    press = Press(world.desk(ticket), agent, "claim", "", f"{agent.id}-{name}")
    return lambda: world.app.engine.press(press)
