"""What happens between a post and its booking, beside a case, and when something cannot be had."""

import pytest
from fake_slack import Upload
from sentences import keys
from slack_cards import below, heard, told
from slack_world import MakeSlackWorld, SlackWorld, words
from world import UNKNOWN_QUESTION, VPN_QUESTION

from bot.channels.slack.events import Here, to_incoming
from handoff.models import Reason

HUMAN = "Ich möchte mit einem Menschen sprechen."
SECRET = "Das Kennwort ist Sommer-4711"


@pytest.fixture
def world(make_slack_world: MakeSlackWorld) -> SlackWorld:
    return make_slack_world("http")


# --- between a post and its booking -----------------------------------------------------------------------------------
def test_an_answer_to_a_post_that_is_not_booked_yet_stays_with_its_case(world: SlackWorld) -> None:
    world.konrad.command("/helpdesk", UNKNOWN_QUESTION)
    world.calm()
    world.clock.move(seconds=2.1)
    world.fake.lose_answer("chat.postMessage")
    world.app.worker.work_off()
    (asked,) = world.answers(world.konrad)
    world.konrad.dm("seit gestern", asked)
    world.settle()
    assert [words(post) for post in world.answers(world.konrad)].count(words(asked)) == 1
    assert len(world.answers(world.konrad)) > 1
    assert world.counts().settled


def test_a_reply_below_a_card_that_is_not_booked_yet_is_brought_again(world: SlackWorld) -> None:
    world.konrad.dm(HUMAN)
    world.calm()
    world.clock.move(seconds=2.1)
    world.fake.lose_answer("chat.postMessage", n=2)
    world.app.worker.work_off()
    card = world.card()
    world.fake.postman.retries = 0
    event = world.maren._message_event(world.maren.posts(world.desk, "Ich rufe gleich an.", card))
    assert world.fake.deliveries[-1].status == 500, "Slack repeats what we cannot place"
    world.settle()
    assert world.fake.deliver(event, retry=1).ok
    world.settle()
    assert words(world.answers(world.konrad)[-1]) == "Ich rufe gleich an."


def test_a_claim_on_a_card_that_is_not_booked_yet_counts(world: SlackWorld) -> None:
    world.konrad.dm(HUMAN)
    world.calm()
    world.clock.move(seconds=2.1)
    world.fake.lose_answer("chat.postMessage", n=2)
    world.app.worker.work_off()
    world.maren.presses(world.card(), "lotse:claim:")
    world.settle()
    assert told(world, world.maren) == []
    agent = world.ticket().agent
    assert agent is not None
    assert agent.name == "Maren Tiede"


def test_a_deletion_that_overtakes_its_message_keeps_it_from_the_employee(world: SlackWorld) -> None:
    card = world.wants_person()
    before = [words(post) for post in world.answers(world.konrad)]
    here = Here(world.fake.team.id, world.fake.bot.user_id)
    said = {"type": "message", "channel": world.desk.id, "ts": "1795424999.000100", "thread_ts": card.ts}
    said |= {"user": world.maren.id, "text": SECRET}
    gone = {"type": "message", "subtype": "message_deleted", "channel": world.desk.id, "deleted_ts": said["ts"]}
    gone |= {"previous_message": said, "event_ts": "1795425000.000100"}
    for event in (gone, said):
        came = to_incoming(event, here)
        assert came is not None
        world.app.engine.receive(came)
        world.settle()
    assert [words(post) for post in world.answers(world.konrad)] == before


# --- other people in somebody's thread --------------------------------------------------------------------------------
def test_a_colleague_who_asks_for_status_in_a_thread_sees_nobodys_tickets(world: SlackWorld) -> None:
    world.asks(world.konrad, "Ich habe auf einen Phishing-Link geklickt")
    number = world.ticket().number
    question = world.konrad.mentions(world.general, VPN_QUESTION)
    world.settle()
    world.owen.mentions(world.general, "status?", question)
    world.settle()
    said = [words(post) for post in world.fake.said(world.general, question)]
    assert number not in "".join(said)
    assert "not_your_case" in keys(said[-1])


def test_own_tickets_are_not_listed_where_others_read(world: SlackWorld) -> None:
    world.asks(world.konrad, "Ich habe auf einen Phishing-Link geklickt")
    question = world.konrad.mentions(world.general, "status?")
    world.settle()
    (answer,) = world.fake.said(world.general, question)
    assert "tickets_not_here/sie" in keys(words(answer))


def test_a_colleague_cannot_cancel_somebodys_ticket(world: SlackWorld) -> None:
    question = world.konrad.mentions(world.general, HUMAN)
    world.settle()
    for word in ("abbrechen", "ja"):
        world.owen.mentions(world.general, word, question)
        world.settle()
    assert world.ticket().is_open


def test_an_old_button_of_somebody_else_opens_nothing(world: SlackWorld) -> None:
    question = world.konrad.mentions(world.general, VPN_QUESTION)
    world.settle()
    (answer,) = world.fake.said(world.general, question)
    world.clock.move(hours=80)
    world.settle()
    world.owen.presses(answer, "lotse:not_helped:")
    world.settle()
    assert world.tickets() == 0
    assert len(told(world, world.owen)) == 1


def test_a_form_about_a_case_that_a_person_has_reaches_that_person(world: SlackWorld) -> None:
    question = world.konrad.mentions(world.general, HUMAN)
    world.settle()
    card = world.card()
    world.maren.posts(world.desk, "Hallo, worum geht es?", card)
    world.settle()
    said = world.konrad.posts(world.general, "Mein Bildschirm flackert", question)
    world.settle()
    world.owen.message_shortcut("open_ticket", said)
    world.owen.submits(world.form(world.owen), {"summary": "Konrads Bildschirm flackert, dringend"})
    world.settle()
    assert below(world, card)[-1] == "Owen Tallis hat zu TKT-1001 ergänzt: Konrads Bildschirm flackert, dringend"
    assert world.tickets() == 1


def test_a_note_with_a_new_ticket_stands_below_that_ticket(world: SlackWorld) -> None:
    question = world.konrad.mentions(world.general, HUMAN)
    world.settle()
    first = world.card()
    world.maren.presses(first, "lotse:resolve:")
    world.maren.submits(world.form(world.maren), {})
    world.settle()
    said = world.konrad.posts(world.general, "Mein Bildschirm flackert", question)
    world.owen.message_shortcut("open_ticket", said)
    world.owen.submits(world.form(world.owen), {"note": SECRET})
    world.settle()
    assert SECRET not in "".join(below(world, first))
    assert SECRET in "".join(below(world, world.card()))
    assert SECRET not in "".join(words(post) for post in world.fake.said(world.general, question))


def test_what_is_written_beside_a_thread_is_confirmed_with_the_ticket_it_went_to(world: SlackWorld) -> None:
    card = world.wants_person()
    world.maren.presses(card, "lotse:claim:")
    world.settle()
    world.asks(world.konrad, "Ganz andere Frage: Wie richte ich das Telefon ein?")
    assert "added" in keys(heard(world, world.konrad)[-1])


@pytest.mark.parametrize("mark", ["*🔒 {}*", "> 🔒 {}", "• // {}", "_// {}_"])
def test_a_note_behind_formatting_is_a_note(world: SlackWorld, mark: str) -> None:
    card = world.wants_person()
    world.maren.posts(world.desk, mark.format(SECRET), card)
    world.settle()
    assert SECRET not in "".join(words(post) for post in world.answers(world.konrad))


# --- what cannot be had -----------------------------------------------------------------------------------------------
def test_a_file_that_cannot_be_fetched_holds_nobody_up(world: SlackWorld) -> None:
    picture = Upload("bild.png", b"x" * 10, "image/png")
    said = world.konrad.posts(world.general, "Drucker streikt, siehe Bild", files=[picture])
    world.fake.fail_next("files-pri", n=100, status=503)
    world.owen.message_shortcut("open_ticket", said)
    world.owen.submits(world.form(world.owen))
    world.settle()
    assert world.ticket().summary == "Drucker streikt, siehe Bild"
    assert world.ticket().reason == Reason.ASKED_FOR_PERSON
    world.maren.posts(world.desk, "Hallo Konrad, ich schaue.", world.card())
    world.settle()
    assert words(world.fake.said(world.general, said)[-1]) == "Hallo Konrad, ich schaue."


def test_blocks_that_slack_refuses_in_a_change_do_not_block_the_thread(world: SlackWorld) -> None:
    card = world.wants_person()
    world.fake.fail_next("chat.update", n=1, error="invalid_blocks")
    world.maren.presses(card, "lotse:claim:")
    world.settle()
    world.konrad.dm("Noch etwas", world.answers(world.konrad)[0])
    world.settle()
    assert below(world, card)[-1] == "Noch etwas"


def test_a_rate_limit_on_a_read_does_not_put_the_worker_to_sleep(world: SlackWorld) -> None:
    card = world.wants_person()
    world.app.house.channels["slack"].forget_thread(world.desk.id, card.ts)  # type: ignore[attr-defined]
    world.fake.fail_next("conversations.replies", n=1, retry_after=30)
    world.konrad.dm("Noch etwas", world.answers(world.konrad)[0])
    started = world.clock()
    world.settle()
    assert below(world, card)[-1] == "Noch etwas"
    assert (world.clock() - started).total_seconds() >= 30, "it waited by the clock of the rows, not asleep"


def test_a_search_of_agents_lists_only_the_tickets_of_their_own_rooms(world: SlackWorld) -> None:
    world.asks(world.konrad, HUMAN)
    stranger = world.fake.user("Nur Netz", locale="de-DE")
    stranger.joins(world.network)
    stranger.command("/helpdesk", "desk frei", world.network)
    world.maren.command("/helpdesk", "desk frei", world.network)
    world.calm()
    assert world.ticket().number not in words(world.fake.ephemerals(stranger)[-1])
    assert world.ticket().number in words(world.fake.ephemerals(world.maren)[-1])
