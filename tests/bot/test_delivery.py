"""Delivery: cards kept current, threads that platforms open, what is sent and what not."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from fakes import FakeChannel
from sentences import keys
from sqlalchemy import select
from world import KONRAD, MAREN, VPN_QUESTION, World

from bot.channels.port import Address, Incoming, Parts, Reply, Sent, TryAgain
from handoff.models import Kind, Place


def test_the_card_is_updated_in_place(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    assert "noch nicht übernommen" in world.card(ticket).reply.text
    world.agent_presses(MAREN, ticket, "claim")
    assert "bearbeitet von Maren Tiede" in world.card(ticket).reply.text
    assert len([post for post in world.channel.at("desk", ticket) if "P3" in post.reply.text]) == 1


def test_many_changes_while_the_platform_is_away_are_one_update(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.channel.broken[ticket] = TryAgain(60)
    for action in ("claim", "hand_back"):
        world.agent_presses(MAREN, ticket, action)
    world.channel.broken.clear()
    before = world.channel.updates
    world.passes(minutes=5)
    assert world.channel.updates == before + 1
    assert "wartet auf Rückmeldung" in world.card(ticket).reply.text


def test_a_change_during_the_update_is_not_lost(world: World) -> None:
    ticket = world.ticket_for(KONRAD)

    class Changing(FakeChannel):
        """While the card is being replaced, somebody corrects the ticket."""

        done = False

        def update(self, address: Address, platform_id: str, reply: Reply, parts: Parts = ()) -> Parts:
            if not self.done:
                self.done = True
                world.agent_presses(MAREN, ticket, "correct", urgency="1")
            return super().update(address, platform_id, reply, parts)

    changing = Changing(posts=world.channel.posts)
    world.app.channels["web"] = changing  # type: ignore[index]
    world.agent_presses(MAREN, ticket, "claim")
    world.settle()
    assert changing.done
    assert "P2" in world.card(ticket).reply.text
    assert world.counts().settled


class OtherPlatform(FakeChannel):
    """A chat platform that names its threads itself, with the first post."""

    def send(self, address: Address, reply: Reply, key: str) -> Sent:
        sent = super().send(address, reply, key)
        return Sent(sent.platform_id, replace(sent.address, route={"service_url": "https://example.org"}))


def test_the_first_post_of_a_ticket_names_its_thread_where_the_platform_does(make_world: Callable[..., World]) -> None:
    world = make_world(
        handoff={"queues": {"service-desk": {"channel": "C-42", "platform": "console"}}, "categories": {}}
    )
    console = OtherPlatform("console")
    world.app.channels["console"] = console  # type: ignore[index]
    ticket = world.ticket_for(KONRAD)
    card, transcript = console.at("C-42")
    assert "bisher gesagt" in transcript.reply.text
    assert transcript.address.thread == card.address.thread
    with world.app.house.sessions() as session:
        place = session.scalars(select(Place).where(Place.platform == "console")).one()
    assert place.thread == card.address.thread
    assert place.route == {"service_url": "https://example.org"}
    reply = Incoming(Address("console", "C-42", place.thread), MAREN, "Guten Tag!", "a-1", world.clock())
    world.app.engine.receive(reply)
    world.app.worker.work_off()
    assert world.posts_to(KONRAD)[-1].reply.text == "Guten Tag!"
    assert world.thread(ticket) == ["Guten Tag!"]  # and on the web desk


def test_nothing_is_sent_before_it_is_written_down_that_a_send_begins(world: World) -> None:
    begun: list[bool] = []
    world.channel.on_send = lambda: begun.append(world.messages()[-1].send_started_at is not None)
    world.ask(KONRAD, VPN_QUESTION)
    assert begun == [True]
    assert world.messages()[-1].send_started_at is None


def test_a_relay_speaks_with_the_name_of_its_author(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_says(MAREN, ticket, "Guten Tag!")
    world.says(KONRAD, "Moin!")
    world.settle()
    assert world.posts_to(KONRAD)[-1].reply.author == MAREN.name
    assert world.channel.at("desk", ticket)[-1].reply.author == KONRAD.name


@pytest.mark.parametrize("reason", ["first", "second"])
def test_the_order_in_a_place_is_kept_when_a_send_fails(world: World, reason: str) -> None:
    ticket = world.ticket_for(KONRAD)
    for text in ("eins", "zwei", "drei"):
        world.app.engine.receive(Incoming(world.desk(ticket), MAREN, text, f"{reason}-{text}", world.clock()))
    world.channel.raises += [ConnectionError()] if reason == "first" else [TryAgain(1)]
    for _ in range(5):
        world.passes(minutes=1)
    assert [post.reply.text for post in world.posts_to(KONRAD)[1:]] == ["eins", "zwei", "drei"]


def test_an_unreachable_handoff_channel_is_given_up_and_the_web_desk_still_works(
    make_world: Callable[..., World],
) -> None:
    world = make_world(
        handoff={"queues": {"service-desk": {"channel": "C-42", "platform": "console"}}, "categories": {}}
    )
    ticket = world.ticket_for(KONRAD)
    cards = [message for message in world.messages() if message.kind == Kind.CARD]
    assert [card.failure is None for card in cards] == [True, False]
    assert world.counts().settled
    assert world.agent_presses(MAREN, ticket, "claim").ok
    assert "claimed" in keys(world.posts_to(KONRAD)[-1].reply.text)


def test_a_second_process_finds_what_the_first_has_sent(world: World) -> None:
    world.channel.lost = 1
    world.says(KONRAD, VPN_QUESTION)
    world.settle()
    world.restart()
    world.passes(minutes=5)
    assert len(world.posts_to(KONRAD)) == 1
    assert world.messages()[-1].delivery_attempts == 2
