"""People, workers and processes at the same moment."""

from collections.abc import Callable

from sentences import keys
from states import disagreements
from together import at_once
from world import KONRAD, MAREN, TOMASZ, UNKNOWN_QUESTION, VPN_QUESTION, World, chat

from bot.channels.port import Incoming, Press, PressResult
from handoff.models import ConversationState

ROUNDS = 8


def writes(world: World, text: str, name: str) -> Callable[[], int | None]:
    came = Incoming(chat(KONRAD), KONRAD, text, name, world.clock())
    return lambda: world.app.engine.receive(came)


def presses(world: World, ticket: str, action: str, name: str, **fields: str) -> Callable[[], PressResult]:
    press = Press(world.desk(ticket), MAREN, action, "", name, fields=fields)
    return lambda: world.app.engine.press(press)


def is_consistent(world: World) -> bool:
    """Whether every conversation agrees with its ticket on who has the case."""
    with world.app.house.sessions() as session:
        return not disagreements(session)


def end(world: World) -> None:
    """Every case is over, and what was said in it was seen."""
    world.passes(hours=1)
    for number in range(world.tickets()):
        world.agent_presses(TOMASZ, f"TKT-{1001 + number}", "resolve")
    world.passes(days=8)
    world.seen[KONRAD.id] = len(world.posts_to(KONRAD))


def test_messages_at_once_after_a_closed_case_open_one_new_case(world: World) -> None:
    for round_ in range(ROUNDS):
        world.ask(KONRAD, VPN_QUESTION)
        world.press(KONRAD, "helped")
        at_once([writes(world, f"Zeile {number}", f"{round_}-{number}") for number in range(6)])
        newest = [message.conversation_id for message in world.messages()[-6:]]
        assert len(set(newest)) == 1
        world.new_answers(KONRAD)
        world.passes(days=1)
        world.seen[KONRAD.id] = len(world.posts_to(KONRAD))


def test_an_agent_resolves_while_the_bot_hands_over_again(world: World) -> None:
    for round_ in range(ROUNDS):
        ticket = world.ticket_for(KONRAD)
        world.agent_presses(MAREN, ticket, "hand_back")
        world.says(KONRAD, UNKNOWN_QUESTION)
        world.clock.move(seconds=3)
        at_once([world.app.worker.work_off, presses(world, ticket, "resolve", f"r-{round_}")])
        world.settle()
        assert is_consistent(world)
        end(world)


def test_an_agent_takes_over_while_the_bot_answers(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    for round_ in range(ROUNDS):
        world.agent_presses(MAREN, ticket, "hand_back")
        world.says(KONRAD, VPN_QUESTION)
        world.clock.move(seconds=3)
        took = presses(world, ticket, "assign", f"a-{round_}", person=MAREN.id)
        _, result = at_once([world.app.worker.work_off, took])
        world.settle()
        assert result.ok
        assert world.conversation(KONRAD).state == ConversationState.WITH_PERSON
        said = [keys(post.reply.text) & {"answer", "assigned", "handed_back"} for post in world.new_answers(KONRAD)]
        assert said[-1] == {"assigned"}, world.posts_to(KONRAD)[-3:]


def test_an_agent_claims_while_the_requester_cancels(world: World) -> None:
    for round_ in range(ROUNDS):
        ticket = world.ticket_for(KONRAD)
        world.ask(KONRAD, "abbrechen")
        world.press_only(KONRAD, "cancel_yes")
        at_once([world.app.worker.work_off, presses(world, ticket, "claim", f"c-{round_}")])
        world.settle()
        assert is_consistent(world)
        end(world)


def test_two_processes_work_off_the_same_messages_once(world: World) -> None:
    first = world.app
    second = world.restart()
    for round_ in range(ROUNDS):
        world.says(KONRAD, VPN_QUESTION)
        world.clock.move(seconds=3)
        before = len(world.posts_to(KONRAD))
        at_once([first.worker.work_off, second.worker.work_off])
        world.app.worker.work_off()
        assert len(world.posts_to(KONRAD)) == before + 1, round_
