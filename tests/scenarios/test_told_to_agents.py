"""What agents are told of what others did with a ticket, and what the employee is told of it."""

from collections.abc import Callable

import pytest
from fakes import FakeChannel
from sentences import keys
from world import KONRAD, MAREN, TOMASZ, UNKNOWN_QUESTION, VPN_QUESTION, World

from bot.channels.port import File, Sender, Unreachable
from bot.texts import Texts
from handoff import transcript
from handoff.models import Conversation, Reason

DE = Texts("de")
SENSITIVE = "Mein Gehalt ist nicht angekommen."
URGENT = "Es ist dringend, die ganze Produktion steht."


def known(world: World, person: Sender) -> None:
    """Somebody has worked on a ticket before."""
    world.agent_says(person, world.ticket().number, "// Ich bin da.")


# --- resolving --------------------------------------------------------------------------------------------------------
def test_who_resolves_tells_the_other_agents_cause_and_fix(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_presses(MAREN, ticket, "escalate")
    world.agent_presses(MAREN, ticket, "resolve", cause="Kabelbruch", fix="Kabel getauscht.")
    for channel in ("desk", "third-level"):
        told = world.thread(ticket, channel)[-1]
        assert told == f"Maren Tiede hat {ticket} gelöst.\n\nUrsache: Kabelbruch\n\nLösung: Kabel getauscht."
    assert "Kabelbruch" not in "".join(post.reply.text for post in world.posts_to(KONRAD))


def test_who_resolves_without_a_word_tells_that_it_is_resolved(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_presses(MAREN, ticket, "resolve")
    assert world.thread(ticket)[-1] == f"Maren Tiede hat {ticket} gelöst."


# --- reopening --------------------------------------------------------------------------------------------------------
def test_an_agent_who_reopens_their_ticket_goes_on_with_it(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    for action in ("claim", "resolve", "reopen"):
        world.agent_presses(MAREN, ticket, action)
    assert world.posts_to(KONRAD)[-1].reply.text == (
        f"Maren Tiede hat das Ticket **{ticket}** wieder geöffnet und kümmert sich weiter darum."
    )


def test_an_agent_who_reopens_the_ticket_of_another_says_who_goes_on(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    for action in ("claim", "resolve"):
        world.agent_presses(MAREN, ticket, action)
    world.agent_presses(TOMASZ, ticket, "reopen")
    assert world.posts_to(KONRAD)[-1].reply.text == (
        f"Tomasz Wilk hat das Ticket **{ticket}** wieder geöffnet. Darum kümmert sich weiter Maren Tiede."
    )


# --- giving it to others ----------------------------------------------------------------------------------------------
def test_who_gives_a_ticket_to_a_colleague_tells_the_others(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    known(world, TOMASZ)
    world.agent_presses(MAREN, ticket, "assign", person=TOMASZ.id)
    assert world.thread(ticket)[-1] == f"Maren Tiede hat {ticket} an Tomasz Wilk gegeben."
    world.agent_presses(MAREN, ticket, "assign", person=MAREN.id)
    assert world.thread(ticket)[-1] == f"Maren Tiede hat {ticket} von Tomasz Wilk übernommen."


def test_what_stands_on_the_card_is_not_told_again(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    known(world, MAREN)
    before = world.thread(ticket)
    world.agent_presses(MAREN, ticket, "assign", person=MAREN.id)
    world.agent_presses(MAREN, ticket, "assign", person=MAREN.id)
    world.agent_presses(MAREN, ticket, "correct", urgency="1")
    assert world.thread(ticket) == before


def test_another_queue_is_told_where_it_was_followed(make_world: Callable[..., World]) -> None:
    queues = {"service-desk": {"channel": "C-1", "platform": "console"}} | {
        "network": {"channel": "C-2", "platform": "console"}
    }
    world = make_world(handoff={"queues": queues, "categories": {}})
    console = FakeChannel("console")
    world.app.channels["console"] = console  # type: ignore[index]
    ticket = world.ticket_for(KONRAD)
    world.agent_presses(MAREN, ticket, "correct", queue="network")
    moved = (
        f"Maren Tiede hat {ticket} in die Warteschlange {DE.label('queue', 'network')} gegeben; dort geht es weiter."
    )
    assert console.at("C-1")[-1].reply.text == moved
    assert world.thread(ticket)[-1] == moved
    below_card = console.at("C-2")[1]
    assert moved in below_card.reply.text
    world.agent_presses(MAREN, ticket, "correct", queue="network")
    assert [post.reply.text for post in console.at("C-1")].count(moved) == 1


# --- what makes it weigh more -----------------------------------------------------------------------------------------
def test_what_makes_a_ticket_weigh_more_is_told_with_its_queue(make_world: Callable[..., World]) -> None:
    queues = {"service-desk": {"channel": "desk"}, "security": {"channel": "desk"}}
    pay = {"pay": {"words": ["Gehalt"], "queue": "security"}}
    world = make_world(handoff={"queues": queues, "categories": {}}, sensitive=pay)
    ticket = world.ticket_for(KONRAD)
    world.ask(KONRAD, SENSITIVE)
    told = world.thread(ticket)[-1]
    assert "agent_raised_to_queue" in keys(told)
    assert "(sensibles Thema)" in told
    assert told.endswith(f"weiter geht es in der Warteschlange {DE.label('queue', 'security')}.")


def test_what_is_urgent_is_told_with_its_priority(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.ask(KONRAD, URGENT)
    told = world.thread(ticket)[-1]
    assert "agent_raised" in keys(told)
    assert told.endswith(f"Priorität P{world.ticket(ticket).priority}.")


# --- files that did not come ------------------------------------------------------------------------------------------
def test_a_file_that_was_not_taken_is_told_apart_from_what_its_author_wrote(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.says(KONRAD, "Das kam per Mail.", files=[File("virus.exe", "application/x-msdownload", None, "not_allowed")])
    world.settle()
    relayed = next(post.reply for post in world.channel.at("desk", ticket) if post.reply.author == KONRAD.name)
    assert relayed.text.splitlines() == [
        "Das kam per Mail.",
        "[Datei „virus.exe“ wurde nicht übernommen: Programme und Skripte werden nicht angenommen.]",
    ]


# --- what did not reach the employee ----------------------------------------------------------------------------------
@pytest.mark.parametrize("known_before", [False, True])
def test_that_a_resolution_or_a_reopening_did_not_arrive_is_told(world: World, known_before: bool) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_presses(MAREN, ticket, "claim")
    world.channel.broken["konrad"] = Unreachable("blocked")
    if known_before:
        world.agent_says(MAREN, ticket, "Sind Sie da?")
    world.agent_presses(MAREN, ticket, "resolve", fix="Kabel getauscht.")
    assert "agent_does_not_know_resolved" in keys(world.thread(ticket)[-1])
    world.agent_presses(MAREN, ticket, "reopen")
    assert "agent_does_not_know_reopened" in keys(world.thread(ticket)[-1])
    told = [text for text in world.thread(ticket) if "agent_undeliverable" in keys(text)]
    assert len(told) == known_before
    assert world.counts().settled


# --- late -------------------------------------------------------------------------------------------------------------
def test_a_late_reaction_is_told_with_its_time(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.passes(hours=3)
    assert world.thread(ticket)[-1].endswith("Die Reaktion war heute um 12:00 Uhr fällig.")


def test_the_story_tells_each_of_it_once(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_presses(MAREN, ticket, "escalate")
    world.agent_presses(MAREN, ticket, "resolve", cause="Kabelbruch")
    with world.app.house.sessions() as session:
        story = transcript.entries(session, session.get_one(Conversation, world.ticket().conversation_id))
    assert len([entry for entry in story if "Kabelbruch" in entry.text]) == 1


# --- why Lotse handed over --------------------------------------------------------------------------------------------
def test_a_card_after_an_answer_that_did_not_help_says_so(world: World) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    world.press(KONRAD, "not_helped")
    while not world.tickets():
        world.press(KONRAD, "skip")
    ticket = world.ticket().number
    assert world.ticket().reason == Reason.UNKNOWN
    assert DE("reason_not_helped") in world.card(ticket).reply.text
    world.agent_presses(MAREN, ticket, "hand_back")
    world.new_answers(KONRAD)
    world.says(KONRAD, UNKNOWN_QUESTION)
    world.new_answers(KONRAD)
    assert DE("reason_unknown") in world.card(ticket).reply.text, "another question"
