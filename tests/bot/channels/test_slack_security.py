"""Who and what is refused at the edge to Slack, and that logs tell neither words nor names nor tokens."""

import io
import json
import logging
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from fake_slack import Actor, FakeSlack
from slack_harness import without_words
from slack_world import MakeSlackWorld, SlackWorld, words
from sqlalchemy import select
from world import VPN_QUESTION

from bot.channels.slack.listeners import EVENTS_PATH
from bot.logs import JsonLines, Lines
from handoff.models import Message as Row

SECRET = "geheimes-Wort-4711"
JSON = {"Content-Type": "application/json"}


class Log:
    """Everything that is logged, at every level, as Lotse writes it: as lines and as JSON."""

    def __init__(self) -> None:
        self.streams = [io.StringIO(), io.StringIO()]
        self.handlers = [logging.StreamHandler(one) for one in self.streams]
        for handler, formatter in zip(self.handlers, (Lines(), JsonLines()), strict=True):
            handler.setFormatter(formatter)

    def text(self) -> str:
        return "".join(one.getvalue() for one in self.streams)

    def says(self, words: str) -> bool:
        return all(words in one.getvalue() for one in self.streams)


@pytest.fixture
def log() -> Iterator[Log]:
    """At INFO, with the formatters of bot.logs; other libraries as Lotse sets them up."""
    found, root = Log(), logging.getLogger()
    level, quiet = root.level, {name: logging.getLogger(name).level for name in ("httpx", "httpcore")}
    root.setLevel(logging.INFO)
    for name in quiet:
        logging.getLogger(name).setLevel(logging.WARNING)
    for handler in found.handlers:
        root.addHandler(handler)
    yield found
    for handler in found.handlers:
        root.removeHandler(handler)
    root.setLevel(level)
    for name, before in quiet.items():
        logging.getLogger(name).setLevel(before)


@pytest.fixture
def world(make_slack_world: MakeSlackWorld) -> SlackWorld:
    return make_slack_world("http")


def is_discreet(log: Log, slack: SlackWorld) -> bool:
    """No words of anybody, no names, no tokens or secrets are in the log."""
    fake, text = slack.fake, log.text()
    secrets = [SECRET, "Profil Zentrale", fake.token, fake.app_token, fake.signing_secret, fake.client_secret]
    names = [user.real_name for user in fake.state.users.values() if user.real_name != "Lotse"]
    given = [name for whole in names for name in whole.split() if len(name) > 4]
    found = [one for one in (*secrets, *names, *given) if one in text]
    assert found == [], text
    return True


def received(slack: SlackWorld) -> int:
    with slack.app.house.sessions() as session:
        return len(session.scalars(select(Row.id).where(Row.to_send.is_(False))).all())


def event_body(fake: FakeSlack, person: Actor, text: str) -> str:
    message = person.dm(text, deliver=False)
    return json.dumps(fake.envelope(person._message_event(message), team=person.team))


# --- signatures -------------------------------------------------------------------------------------------------------
def wrong(fake: FakeSlack, body: str) -> dict[str, str]:
    return {**fake.sign(body), "X-Slack-Signature": "v0=" + "0" * 64}


def missing(fake: FakeSlack, body: str) -> dict[str, str]:
    return {}


def without_time(fake: FakeSlack, body: str) -> dict[str, str]:
    return {"X-Slack-Signature": fake.sign(body)["X-Slack-Signature"]}


def six_minutes_old(fake: FakeSlack, body: str) -> dict[str, str]:
    return fake.sign(body, time.time() - 360)


def six_minutes_early(fake: FakeSlack, body: str) -> dict[str, str]:
    return fake.sign(body, time.time() + 360)


def of_another_body(fake: FakeSlack, body: str) -> dict[str, str]:
    return fake.sign(body.replace(SECRET, "harmlos"))


def old_with_a_new_time(fake: FakeSlack, body: str) -> dict[str, str]:
    return {**fake.sign(body, time.time() - 360), "X-Slack-Request-Timestamp": str(int(time.time()))}


def no_number(fake: FakeSlack, body: str) -> dict[str, str]:
    return {**fake.sign(body), "X-Slack-Request-Timestamp": "gestern"}


SIGNATURES = [
    *(wrong, missing, without_time, six_minutes_old, six_minutes_early, of_another_body, old_with_a_new_time, no_number)
]


@pytest.mark.parametrize("signed", SIGNATURES, ids=lambda one: one.__name__)
@pytest.mark.parametrize("kind", ["event", "press", "command"])
def test_what_is_not_signed_by_slack_is_refused(world: SlackWorld, log: Log, signed: Any, kind: str) -> None:
    fake = world.fake
    body = event_body(fake, world.konrad, f"{VPN_QUESTION} {SECRET}")
    headers = JSON
    if kind != "event":
        form = {"payload": json.dumps({"type": "block_actions", "user": {"id": SECRET}})}
        form = form if kind == "press" else {"command": "/helpdesk", "text": SECRET, "user_id": world.konrad.id}
        body, headers = urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"}
    answer = fake.post_raw("", body, {**headers, **signed(fake, body)})
    assert answer.status_code == 401
    world.settle()
    assert received(world) == 0
    assert SECRET not in answer.text
    assert is_discreet(log, world)


def test_the_same_event_signed_is_taken(world: SlackWorld) -> None:
    body = event_body(world.fake, world.konrad, VPN_QUESTION)
    assert world.fake.post_raw("", body, {**JSON, **world.fake.sign(body)}).status_code == 200
    world.settle()
    assert received(world) == 1


def test_an_address_is_proved_to_slack_only_when_it_asks_itself(world: SlackWorld) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "c1", "token": "x"})
    assert world.fake.post_raw("", body, {**JSON, **world.fake.sign(body)}).json() == {"challenge": "c1"}
    refused = world.fake.post_raw("", body, JSON)
    assert (refused.status_code, "c1" in refused.text) == (401, False)


def test_in_socket_mode_nothing_is_taken_over_http(make_slack_world: MakeSlackWorld) -> None:
    slack = make_slack_world("socket")
    slack.fake.request_url = f"http://127.0.0.1:{slack.servers[-1].port}{EVENTS_PATH}"
    body = event_body(slack.fake, slack.konrad, VPN_QUESTION)
    assert slack.fake.post_raw("", body, {**JSON, **slack.fake.sign(body)}).status_code in {404, 405}
    slack.settle()
    assert received(slack) == 0


# --- bodies -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "body",
    [
        *("", "{", "null", "[]", '"text"', "7", "\x00\x01", "{}", '{"type": "event_callback"}', '{"event": 7}'),
        '{"type": "event_callback", "event": {"type": "message"}}',
        '{"type": "event_callback", "team_id": "T1", "event": {"type": "message", "channel": "C1", "ts": "x"}}',
        f'{{"type": "event_callback", "event": {{"type": "message", "text": "{SECRET}", "user": 7}}}}',
        '{"a":' * 500 + "1" + "}" * 500,
    ],
    ids=range(14),
)
@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", "text/plain"])
def test_a_signed_body_that_is_no_event_does_no_harm(world: SlackWorld, log: Log, body: str, content_type: str) -> None:
    headers = {"Content-Type": content_type, **world.fake.sign(body)}
    answer = world.fake.post_raw("", body.encode(), headers)
    assert answer.status_code < 600
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text
    world.asks(world.konrad, VPN_QUESTION)
    assert len(world.answers(world.konrad)) == 1
    assert received(world) == 1
    assert is_discreet(log, world)


def test_a_body_of_30_megabytes_is_refused_unread(world: SlackWorld, log: Log) -> None:
    body = json.dumps({"type": "event_callback", "event": {"text": SECRET + "x" * 30_000_000}})
    for headers in ({}, world.fake.sign(body)):
        assert world.fake.post_raw("", body, {**JSON, **headers}).status_code == 413
    world.asks(world.konrad, VPN_QUESTION)
    assert len(world.answers(world.konrad)) == 1
    assert is_discreet(log, world)


# --- foreign workspaces -----------------------------------------------------------------------------------------------
def test_a_foreign_workspace_is_heard_by_nobody(slack: SlackWorld, log: Log) -> None:
    """Another team's event, signed by the same app: it was never installed there."""
    fake = slack.fake
    foreign = fake.add_team("Fremd", "fremd")
    stranger = fake.user("Stefanie Fremdling", team=foreign)
    bot = fake.install(foreign)  # for the fake only: our Lotse has no token for it
    before = len(fake.calls)
    fake.postman.ack_timeout, fake.postman.retries = 1.0, 0
    room = fake.channel("fremd", stranger, team=foreign)
    stranger.dm(f"{VPN_QUESTION} {SECRET}")
    stranger.mentions(room, f"{VPN_QUESTION} {SECRET}")
    stranger.command("/helpdesk", SECRET)
    stranger.opens_home()
    stranger.global_shortcut("ask_helpdesk")
    slack.settle()
    assert received(slack) == 0
    assert [call for call in fake.calls[before:] if bot.token in (call.token, call.payload.get("token"))] == []
    assert all("no longer available" in one.text for one in fake.seen_by(stranger))  # Bolt's own answer to a command
    assert slack.tickets() == 0
    assert log.says("where Lotse is not installed")
    assert log.says(foreign.id)
    assert is_discreet(log, slack)


def test_a_foreign_workspace_cannot_press_on_our_cards(slack: SlackWorld, log: Log) -> None:
    card = slack.wants_person()
    foreign = slack.fake.add_team("Fremd", "fremd")
    slack.fake.install(foreign)
    stranger = slack.fake.user("Stefanie Fremdling", team=foreign)
    slack.fake.postman.ack_timeout, slack.fake.postman.retries = 1.0, 0
    stranger.presses(card, "lotse:claim")
    stranger.reacts(card, "eyes")
    slack.settle()
    assert slack.ticket().agent is None
    assert is_discreet(log, slack)


# --- who may act ------------------------------------------------------------------------------------------------------
def test_whoever_is_not_in_the_hand_off_channel_cannot_act_and_is_told(slack: SlackWorld, log: Log) -> None:
    card = slack.wants_person()
    slack.maren.presses(card, "lotse:resolve:")
    form = slack.form(slack.maren)
    for press in ("claim", "escalate", "resolve", "note", "reply"):
        if any(f"lotse:{press}:" in str(block) for block in card.blocks):
            slack.owen.presses(card, f"lotse:{press}:")
    slack.owen.reacts(card, "eyes")
    slack.owen.reacts(card, "white_check_mark")
    slack.owen.selects(card, "lotse:assign", slack.owen.id)
    slack.settle()
    ticket = slack.ticket()
    assert (ticket.agent, ticket.state, ticket.level) == (None, "new", 2)
    assert slack.owen.modal is None
    slack.maren.leaves(slack.desk)
    slack.maren.submits(form, {"fix": "Erledigt."})
    slack.maren.presses(card, "lotse:claim")
    slack.settle()
    assert (slack.ticket().agent, slack.ticket().state) == (None, "new")
    assert is_discreet(log, slack)


def test_whoever_leaves_is_refused_at_once(world: SlackWorld) -> None:
    card = world.wants_person()
    world.maren.selects(card, "lotse:priority", "P2")
    world.maren.leaves(world.desk)
    world.maren.presses(card, "lotse:claim")
    world.calm()
    assert world.ticket().agent is None


def test_a_forged_key_on_a_button_changes_no_other_case(world: SlackWorld) -> None:
    """The key of a button names a message; it counts only below that message's thread."""
    world.asks(world.owen, VPN_QUESTION)
    world.asks(world.konrad, VPN_QUESTION)
    (owens,), (konrads,) = world.answers(world.owen), world.answers(world.konrad)
    before = [words(one) for one in world.answers(world.owen)]
    for block in konrads.blocks:
        for one in block.get("elements", ()):
            if "value" in one:
                one["value"] = f"{owens.metadata['event_payload']['key']}|" if owens.metadata else one["value"]
    world.konrad.presses(konrads, "lotse:not_helped")
    world.settle()
    assert [words(one) for one in world.answers(world.owen)] == before


def test_a_forged_form_of_an_agent_reaches_no_ticket(world: SlackWorld) -> None:
    """private_metadata comes back from Slack, not from people; still, who is not in its channel is refused."""
    card = world.wants_person()
    world.maren.presses(card, "lotse:reply:")
    form = world.form(world.maren)
    world.owen.submits(form, {"text": SECRET})
    world.settle()
    assert SECRET not in "".join(words(one) for one in world.answers(world.konrad))


# --- what is written --------------------------------------------------------------------------------------------------
LOUD = "<!channel> <!here> <!everyone> <!subteam^S1> <@{user}> <#C1|general> <https://evil.example|Anmelden>"
CALLS = ("<!channel", "<!here", "<!everyone", "<!subteam", "<@U", "<#C", "<https://evil")


@pytest.mark.parametrize("raw", [True, False], ids=["as-slack-tells-it", "as-typed"])
def test_nobody_is_called_by_what_people_write(slack: SlackWorld, log: Log, raw: bool) -> None:
    """The fake refuses every payload that calls somebody; here it is looked at by hand, too."""
    text = LOUD.format(user=slack.tomasz.id)
    card = slack.wants_person()
    says(slack, slack.konrad, slack.konrad.im.id, text, slack.answers(slack.konrad)[0].thread_ts, raw=raw)
    says(slack, slack.maren, slack.desk.id, text, card.ts, raw=raw)
    says(slack, slack.konrad, slack.konrad.im.id, f"{text} {VPN_QUESTION}", None, raw=raw)
    slack.konrad.command("/helpdesk", f"ask {text}")
    slack.settle()
    assert calls_in_payloads(slack) == []
    assert slack.fake.violations == []
    assert is_discreet(log, slack)


def calls_in_payloads(slack: SlackWorld) -> list[str]:
    """What Slack would read as a mention or a link in anything Lotse sent; neither texts of rich
    text nor the name of a post are ever read so."""
    payloads = [
        {name: value for name, value in call.payload.items() if name != "username"} for call in slack.fake.calls
    ]
    sent = json.dumps(without_words(payloads), ensure_ascii=False)
    return [one for one in CALLS if one in sent]


def says(slack: SlackWorld, person: Actor, channel: str, text: str, thread: str | None, *, raw: bool) -> None:
    """raw: as an event tells a mention that a client made; else as somebody typed it, letter by letter."""
    message = person.posts(channel, "x" if raw else text, thread, deliver=False)
    if raw:
        message.text = text
    slack.fake.deliver(person._message_event(message))


def test_names_of_people_call_nobody(make_slack_world: MakeSlackWorld) -> None:
    slack = make_slack_world("http")
    loud = slack.fake.user("<!channel> *Boss* <@U1>", locale="de-DE")
    card = slack.wants_person(loud)
    loud.dm("Hallo?", slack.answers(loud)[0])
    slack.maren.presses(card, "lotse:reply:")
    slack.settle()
    assert calls_in_payloads(slack) == []


def test_an_article_calls_nobody_and_links_only_where_it_may(slack: SlackWorld) -> None:
    slack.publish(
        "VPN Notfall",
        f"{VPN_QUESTION} Notfall. <!channel> <@U1> Siehe [Anleitung](https://intranet.example/vpn) <https://x.example|y>",
    )
    slack.asks(slack.konrad, f"{VPN_QUESTION} Notfall")
    assert calls_in_payloads(slack) == []
    posts = [call.payload for call in slack.fake.called("chat.postMessage")]
    assert all(one["unfurl_links"] is False and one["unfurl_media"] is False for one in posts)


# --- the log ----------------------------------------------------------------------------------------------------------
def test_a_whole_case_leaves_no_words_names_or_tokens_in_the_log(slack: SlackWorld, log: Log) -> None:
    asked = slack.asks(slack.konrad, f"{VPN_QUESTION} {SECRET}")
    slack.konrad.dm("Ich möchte mit einem Menschen sprechen.", asked)
    slack.settle()
    card = slack.card()
    slack.maren.posts(slack.desk, f"{SECRET} als Antwort", card)
    slack.maren.presses(card, "lotse:note:")
    slack.maren.submits(slack.form(slack.maren), {"text": f"{SECRET} als Notiz"})
    slack.fake.fail_next("chat.postMessage", 2, status=500, after=True)
    slack.fake.fail_next("users.info", 1, error="user_not_found")
    slack.fake.fail_next("chat.postEphemeral", 1, error="channel_not_found")
    slack.konrad.command("/helpdesk", f"ask {SECRET}")
    slack.tomasz.presses(card, "lotse:claim")
    slack.settle()
    slack.fake.fail_next("chat.postMessage", 1, error="channel_not_found")
    slack.maren.posts(slack.desk, f"{SECRET} ins Leere", card)
    slack.settle()
    assert log.says("handled")
    assert is_discreet(log, slack)


def test_a_refused_token_is_named_by_its_variable_only(slack: SlackWorld, log: Log) -> None:
    old = slack.fake.token
    slack.fake.install()  # the old token is no longer valid
    slack.konrad.dm(f"{VPN_QUESTION} {SECRET}")
    slack.calm()
    slack.clock.move(seconds=5)
    slack.app.worker.work_off()
    assert old not in log.text()
    assert is_discreet(log, slack)
