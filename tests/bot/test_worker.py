"""The worker: threads, leases, and what happens when one dies or is too slow."""

import threading
import uuid
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import update
from world import JETTE, KONRAD, MAREN, VPN_QUESTION, World

from bot.channels.port import Incoming
from bot.engine import Engine
from bot.worker import KeptLease, Worker, owner_name
from handoff.leases import Lease, has_work, held_conversation, take_lease
from handoff.models import Conversation
from nlu.port import Understanding


def wait_for(reached: Callable[[], bool]) -> None:
    """Until it is so; the test's own time limit ends what never comes."""
    while not reached():
        threading.Event().wait(0.01)


def test_started_threads_answer_and_stop(make_world: Callable[..., World]) -> None:
    world = make_world(answering={"merge_window": 0})
    world.app.worker.start()
    assert world.app.worker.is_alive()
    world.says(KONRAD, VPN_QUESTION)
    wait_for(lambda: bool(world.posts_to(KONRAD)))
    world.app.worker.stop()
    assert not world.app.worker.is_alive()
    assert world.app.worker.last_round is not None


def test_two_workers_share_the_work_and_nothing_is_done_twice(make_world: Callable[..., World]) -> None:
    world = make_world(answering={"merge_window": 0}, worker={"threads": 3})
    second = world.restart()
    for app in world.apps:
        app.worker.start()
    for number in range(6):
        world.says(KONRAD, f"Ein Mensch bitte, Nummer {number}")
        world.says(JETTE, f"Ein Mensch bitte, Nummer {number}")
        second.house.bell.ring()
    wait_for(lambda: world.counts().settled)
    for app in world.apps:
        app.worker.stop()
    assert world.tickets() == 2
    assert len(world.posts_to(KONRAD)) == len({post.key for post in world.posts_to(KONRAD)})


def test_the_work_of_a_worker_that_died_is_taken_over_when_its_lease_runs_out(world: World) -> None:
    world.says(KONRAD, VPN_QUESTION)
    world.clock.move(seconds=3)
    house = world.app.house
    with house.sessions.begin() as session:
        assert take_lease(session, "dead", world.clock(), 30)
    second = world.restart()
    second.worker.work_off()
    assert world.posts_to(KONRAD) == []
    world.clock.move(seconds=31)
    second.worker.work_off()
    assert len(world.posts_to(KONRAD)) == 1


def test_a_worker_that_died_between_handling_and_delivering_loses_nothing(world: World) -> None:
    world.says(KONRAD, VPN_QUESTION)
    world.clock.move(seconds=3)
    with world.app.house.sessions.begin() as session:
        lease = take_lease(session, "dies", world.clock(), 30)
    assert lease is not None
    world.app.engine.handle(lease)  # and then the process is killed
    second = world.restart()
    world.clock.move(seconds=31)
    second.worker.work_off()
    assert len(world.posts_to(KONRAD)) == 1
    assert world.outcomes(KONRAD) == ["answered"]


def steal(world: World, name: str = "thief") -> None:
    """Another worker has taken every conversation."""
    with world.app.house.sessions.begin() as session:
        session.execute(update(Conversation).values(lease_owner=name))


def test_who_lost_the_lease_while_thinking_writes_nothing(world: World) -> None:
    world.says(KONRAD, VPN_QUESTION)

    class Slow:
        def parse(self, text: str) -> Understanding:
            steal(world)
            return Understanding("ask_question", 0.9)

    engine = Engine(replace(world.app.house, understander=Slow()))
    world.clock.move(seconds=3)
    Worker(world.app.house, engine, world.app.delivery).work_off()
    assert world.outcomes(KONRAD) == [None]
    assert world.counts().to_send == 0


def test_who_lost_the_lease_delivers_nothing_more(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.channel.on_send = lambda: steal(world)
    for text in ("eins", "zwei"):
        world.app.engine.receive(agent_message(world, ticket, text))
    world.app.worker.work_off()
    assert [post.reply.text for post in world.posts_to(KONRAD)[1:]] == ["eins"]
    world.channel.on_send = None
    world.passes(minutes=1)
    assert [post.reply.text for post in world.posts_to(KONRAD)[1:]] == ["eins", "zwei"]


def test_a_lease_is_kept_while_the_work_lasts_and_let_go_at_its_end(make_world: Callable[..., World]) -> None:
    world = make_world(worker={"lease_seconds": 5})
    world.says(KONRAD, VPN_QUESTION)
    world.clock.move(seconds=3)
    house = world.app.house
    with house.sessions.begin() as session:
        lease = take_lease(session, owner_name(), world.clock(), 5)
    assert lease is not None
    kept = KeptLease(house, lease)
    with kept:
        before = world.conversation(KONRAD).lease_until
        world.clock.move(seconds=2)
        assert kept._renew()
        after = world.conversation(KONRAD).lease_until
        assert before is not None
        assert after is not None
        assert after > before
    assert world.conversation(KONRAD).lease_owner is None


def test_a_lost_lease_is_not_renewed_and_not_released(world: World) -> None:
    world.says(KONRAD, VPN_QUESTION)
    world.clock.move(seconds=3)
    with world.app.house.sessions.begin() as session:
        lease = take_lease(session, "first", world.clock(), 30)
    assert lease is not None
    steal(world)
    kept = KeptLease(world.app.house, lease)
    with kept:
        assert not kept._renew()
    assert world.conversation(KONRAD).lease_owner == "thief"


def test_only_one_of_many_workers_gets_the_lease(world: World) -> None:
    world.says(KONRAD, VPN_QUESTION)
    world.clock.move(seconds=3)
    won: list[Lease] = []

    def take(name: str) -> None:
        with world.app.house.sessions.begin() as session:
            lease = take_lease(session, name, world.clock(), 30)
        if lease is not None:
            won.append(lease)

    threads = [threading.Thread(target=take, args=(f"worker-{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    with world.app.house.sessions.begin() as session:
        assert not has_work(session, world.clock())
        assert held_conversation(session, won[0]).lease_owner == won[0].owner


def test_a_round_that_fails_does_not_end_the_thread(make_world: Callable[..., World]) -> None:
    world = make_world(answering={"merge_window": 0}, worker={"threads": 1})

    class Failing(Worker):
        fails = 1

        def _work_once(self, owner: str) -> bool:
            if self.fails:
                self.fails -= 1
                raise OSError("the database is away")
            return super()._work_once(owner)

    worker = Failing(world.app.house, world.app.engine, world.app.delivery)
    worker.start()
    world.says(KONRAD, VPN_QUESTION)
    wait_for(lambda: bool(world.posts_to(KONRAD)))
    worker.stop()


def agent_message(world: World, ticket: str, text: str) -> Incoming:
    return Incoming(world.desk(ticket), MAREN, text, str(uuid.uuid4()), world.clock())


class QuickLease(KeptLease):
    """Renews all the time, and the database is away at first."""

    renewals = 0

    def _third(self) -> float:
        return 0.01

    def _renew(self) -> bool:
        self.renewals += 1
        if self.renewals == 1:
            raise OSError("the database is away")
        return super()._renew()


def test_a_renewal_that_fails_is_tried_again_until_the_lease_is_lost(world: World) -> None:
    world.says(KONRAD, VPN_QUESTION)
    world.clock.move(seconds=3)
    with world.app.house.sessions.begin() as session:
        lease = take_lease(session, "first", world.clock(), 30)
    assert lease is not None
    with QuickLease(world.app.house, lease) as kept:
        wait_for(lambda: kept.renewals >= 3)  # type: ignore[attr-defined]
        steal(world)
        wait_for(lambda: not kept._keeper.is_alive())
    assert world.conversation(KONRAD).lease_owner == "thief"
