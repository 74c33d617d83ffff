"""Pages hear of changes: at once through the doorbell, after a while even without it."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from visits import Visits
from world import World

from bot.channels.port import Address, Reply
from bot.channels.web import Doorbell, WebChannel
from bot.web.events import changes, look_at_chat, look_at_ticket, looker
from handoff.desk import ticket_by_number


async def heard(doorbell: Doorbell, key: str, ring: Callable[[], None], seconds: float = 5) -> bool:
    """Whether a bell for this key rings after ring()."""
    with doorbell.listen(key) as bell:
        threading.Thread(target=ring).start()
        return await bell.wait(seconds)


def test_bell_is_heard_by_its_key_only() -> None:
    doorbell = Doorbell()
    assert asyncio.run(heard(doorbell, "chat/jette", lambda: doorbell.ring("chat/jette")))
    assert asyncio.run(heard(doorbell, "chat/jette", doorbell.ring))
    assert not asyncio.run(heard(doorbell, "chat/jette", lambda: doorbell.ring("chat/owen"), 0.05))


def test_delivering_rings_at_the_place_and_the_desk() -> None:
    doorbell = Doorbell()
    channel = WebChannel(doorbell)
    chat, desk = Address("web", "chat", "jette"), Address("web", "desk", "TKT-1001")
    assert asyncio.run(heard(doorbell, "chat/jette", lambda: channel.working(chat)))
    assert asyncio.run(heard(doorbell, "desk", lambda: channel.update(desk, "post-1", Reply("x"))))


def test_sending_twice_is_the_same_post() -> None:
    channel, chat, hello = WebChannel(Doorbell()), Address("web", "chat", "jette"), Reply("Hallo")
    assert channel.send(chat, hello, "7") == channel.send(chat, hello, "7")
    assert channel.send(chat, hello, "7") == channel.resume(chat, hello, "7", datetime.now(UTC))


def test_ring_for_a_page_that_has_left_does_nothing() -> None:
    doorbell = Doorbell()

    async def leave() -> None:
        with doorbell.listen("x"):
            pass

    asyncio.run(leave())
    doorbell.ring("x")


def test_stream_tells_at_its_start_and_then_of_each_change_until_the_house_closes() -> None:
    doorbell, state = Doorbell(), ["a"]

    async def follow() -> int:
        told = 0
        async for _ in changes(doorbell, lambda: state[0], "x"):
            told += 1
            if told == 1:
                state[0] = "b"
                doorbell.ring("x")
            else:
                threading.Thread(target=doorbell.close).start()
        return told

    assert asyncio.run(asyncio.wait_for(follow(), 10)) == 2


def test_what_changes_a_page_changes_its_mark(world: World, visit: Visits) -> None:
    jette = visit("jette")
    web = world.app.web.state.web
    chat = looker(web, lambda session: look_at_chat(session, Address("web", "chat", "jette")))
    marks = [chat()]
    jette.post("/api/chat/messages", text="Hallo")
    marks.append(chat())
    world.settle()
    marks.append(chat())
    visit("owen").writes("Hello")
    assert len(set(marks)) == 3
    assert chat() == marks[-1]


def test_what_changes_a_ticket_changes_its_mark(world: World, visit: Visits) -> None:
    jette, maren = visit("jette"), visit("maren")
    number = jette.wants_person()

    def mark() -> str:
        with world.app.house.sessions() as session:
            ticket = ticket_by_number(session, number)
            assert ticket is not None
            return look_at_ticket(session, ticket)

    marks = [mark()]
    maren.acts(number, "claim")
    marks.append(mark())
    maren.on_ticket(number, "Nur intern", note=True)
    marks.append(mark())
    assert len(set(marks)) == 3
