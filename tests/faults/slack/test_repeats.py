"""Slack brings the same event again and again: one answer, one ticket, one card, one relay."""

from collections.abc import Callable
from typing import Any

import pytest
from fake_slack import Message
from slack_world import SlackWorld, words
from sqlalchemy import select
from together import at_once
from world import VPN_QUESTION

from handoff.models import Message as Row
from handoff.models import TicketEvent

WANTS_PERSON = "Ich möchte mit einem Menschen sprechen."
LOST = 2  # acknowledgements that get lost before the restart, and after it


def answers_in(slack: SlackWorld, root: Message) -> list[str]:
    return [words(post) for post in slack.fake.said(root.channel, root)]


def received(slack: SlackWorld) -> int:
    """Rows of what people wrote and pressed."""
    with slack.app.house.sessions() as session:
        return len(session.scalars(select(Row.id).where(Row.to_send.is_(False))).all())


# --- the two events of a mention --------------------------------------------------------------------------------------
@pytest.mark.parametrize("first", ["message", "app_mention"])
def test_a_mention_is_two_events_and_one_answer(slack: SlackWorld, first: Any) -> None:
    asked = slack.konrad.mentions(slack.general, VPN_QUESTION, first=first)
    slack.settle()
    assert [one.ok for one in slack.fake.deliveries] == [True, True]
    assert received(slack) == 1
    (answer,) = answers_in(slack, asked)
    assert "Profil Zentrale" in answer


def test_both_events_of_a_mention_at_the_same_moment_are_one_message(slack: SlackWorld) -> None:
    konrad, asked = slack.konrad, []
    for number in range(10):
        asked.append(konrad.posts(slack.general, f"<@{slack.fake.bot.user_id}> {VPN_QUESTION} {number}", deliver=False))
        as_message = konrad._message_event(asked[-1])
        as_mention = {**as_message, "type": "app_mention"}
        at_once([lambda event=event: slack.fake.deliver(event) for event in (as_message, as_mention)])
    slack.settle()
    assert all(one.ok for one in slack.fake.deliveries)
    assert received(slack) == len(asked)
    assert [len(answers_in(slack, one)) for one in asked] == [1] * len(asked)


def test_a_mention_in_a_help_channel_is_answered_once(slack: SlackWorld) -> None:
    asked = slack.owen.mentions(slack.help, VPN_QUESTION)
    slack.settle()
    assert len(answers_in(slack, asked)) == 1


# --- four times, with a restart in between ----------------------------------------------------------------------------
Between = Callable[[SlackWorld], None]
NOTHING: Between = lambda slack: None  # noqa: E731 - a name for it in the list below
BETWEEN = pytest.mark.parametrize("between", [NOTHING, SlackWorld.settle], ids=["at-once", "after-its-answer"])


def four_times(slack: SlackWorld, event: dict[str, Any], between: Between = NOTHING) -> None:
    """Twice, a restart, twice more; the acknowledgements of the first three got lost."""
    slack.fake.postman.retries = 1
    slack.fake.lose_acks = 3
    before = slack.fake.deliver(event, event_id="Ev4TIMES")
    between(slack)
    slack.restart()
    after = slack.fake.deliver(event, event_id="Ev4TIMES", retry=LOST)
    assert (before.attempts, after.attempts, after.status) == (LOST, LOST, 200)
    assert slack.fake.lose_acks == 0
    slack.settle()


@BETWEEN
def test_a_question_is_answered_once(slack: SlackWorld, between: Between) -> None:
    asked = slack.konrad.dm(VPN_QUESTION, deliver=False)
    four_times(slack, slack.konrad._message_event(asked), between)
    assert received(slack) == 1
    assert ["Profil Zentrale" in one for one in answers_in(slack, asked)] == [True]


@BETWEEN
def test_a_person_is_wanted_once(slack: SlackWorld, between: Between) -> None:
    asked = slack.konrad.dm(WANTS_PERSON, deliver=False)
    four_times(slack, slack.konrad._message_event(asked), between)
    assert slack.tickets() == 1
    assert len(slack.roots(slack.desk)) == 1
    assert len(answers_in(slack, asked)) == 1
    assert len(slack.thread(slack.card())) == 1  # what was said before


@BETWEEN
def test_an_agents_reply_arrives_once(slack: SlackWorld, between: Between) -> None:
    card = slack.wants_person()
    reply = slack.maren.posts(slack.desk, "Ich schaue es mir an.", card, deliver=False)
    four_times(slack, slack.maren._message_event(reply), between)
    told = [words(post) for post in slack.answers(slack.konrad)]
    assert told.count("Ich schaue es mir an.") == 1
    assert len(told) == 2


@BETWEEN
def test_an_edit_and_a_deletion_arrive_once(slack: SlackWorld, between: Between) -> None:
    card = slack.wants_person()
    written = slack.konrad.dm("Es ist der Drucker.", slack.answers(slack.konrad)[0])
    slack.settle()
    before = slack.konrad._message_event(written)
    written.text = "Es ist der Scanner."
    written.edited = {"user": slack.konrad.id, "ts": slack.fake.state.new_ts()}
    after = slack.konrad._message_event(written)
    four_times(slack, slack.konrad._changed(written, after, before), between)
    thread = [words(post) for post in slack.thread(card)]
    assert sum("Scanner" in one for one in thread) == 1
    assert sum("Drucker" in one for one in thread) == 0  # the post was changed in its place


@BETWEEN
def test_a_reaction_claims_once(slack: SlackWorld, between: Between) -> None:
    card = slack.wants_person()
    four_times(slack, slack.maren._reaction("reaction_added", card, "eyes"), between)
    ticket = slack.ticket()
    assert ticket.agent is not None
    assert ticket.agent.name == "Maren Tiede"
    with slack.app.house.sessions() as session:
        events = list(session.scalars(select(TicketEvent.kind).where(TicketEvent.ticket_id == ticket.id)))
    assert events.count("claimed") == 1
    assert sum("Maren Tiede" in words(post) for post in slack.answers(slack.konrad)) == 1


def test_a_form_sent_twice_is_one_question(slack: SlackWorld) -> None:
    """Slack does not repeat forms; people who see no answer do."""
    slack.konrad.global_shortcut("ask_helpdesk")
    form = slack.form(slack.konrad)
    for _ in range(2):
        form.open = True
        slack.konrad.submits(form, {"question": VPN_QUESTION})
    slack.settle()
    assert received(slack) == 1
    question, answer = (words(post) for post in slack.answers(slack.konrad))
    assert VPN_QUESTION in question
    assert "Danach melden Sie sich an" in answer


def test_a_lost_link_is_opened_again_and_the_event_taken_once(
    make_slack_world: Callable[..., SlackWorld],
) -> None:
    slack = make_slack_world("socket")
    slack.fake.lose_acks = 1
    asked = slack.konrad.dm(VPN_QUESTION)
    slack.fake.drop_links()
    slack.fake.wait_for_link(10)
    slack.fake.deliver(slack.konrad._message_event(asked), retry=2)
    slack.settle()
    assert received(slack) == 1
    assert len(answers_in(slack, asked)) == 1
