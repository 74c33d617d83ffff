"""The fake Slack keeps to Slack's rules: limits, errors, pages, signatures, repeats, Socket Mode."""

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Iterator
from http.client import RemoteDisconnected
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from fake_slack import FakeSlack, RefusedByClientError, Upload
from patience import eventually
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

QUIET: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False}
MODAL = {
    "type": "modal",
    "callback_id": "ask",
    "title": {"type": "plain_text", "text": "Frage"},
    "submit": {"type": "plain_text", "text": "Senden"},
    "blocks": [
        {
            "type": "input",
            "block_id": "question",
            "label": {"type": "plain_text", "text": "Frage"},
            "element": {"type": "plain_text_input", "action_id": "typed", "max_length": 20},
        }
    ],
}
BUTTONS = [
    {
        "type": "actions",
        "elements": [
            {"type": "button", "action_id": f"{name}:1", "value": name, "text": {"type": "plain_text", "text": name}}
            for name in ("yes", "no")
        ],
    }
]


class StandInApp:
    """An app's request URL. answers: (status, body) of the next requests, else 200; took: (headers, body) of each."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, str]] = []
        self.took: list[tuple[dict[str, str], str]] = []
        app = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                app.took.append(({key.lower(): item for key, item in self.headers.items()}, body))
                status, told = app.answers.pop(0) if app.answers else (200, "")
                self.send_response(status)
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told.encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/slack/events"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def payloads(self) -> list[dict[str, Any]]:
        """The events and interactions that came."""
        opened = [parse_qs(body)["payload"][0] if body.startswith("payload=") else body for _, body in self.took]
        return [json.loads(one) for one in opened if one.startswith("{")]

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Hands:
    """A clock for the fake, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def app() -> Iterator[StandInApp]:
    made = StandInApp()
    yield made
    made.close()


@pytest.fixture
def fake(clock: Hands, app: StandInApp) -> Iterator[FakeSlack]:
    with FakeSlack(clock=clock) as slack:
        slack.request_url = app.url
        yield slack


@pytest.fixture
def web(fake: FakeSlack) -> WebClient:
    return WebClient(fake.token, base_url=fake.url, retry_handlers=[])


def error_of(call: Callable[[], object]) -> str:
    with pytest.raises(SlackApiError) as refused:
        call()
    return str(refused.value.response["error"])


def test_a_post_to_a_person_lands_in_their_direct_conversation(fake: FakeSlack, web: WebClient) -> None:
    erika = fake.user("Erika")
    answer = web.chat_postMessage(channel=erika.id, text="Hallo", blocks=BUTTONS, **QUIET)
    assert answer["channel"] == erika.im.id
    assert [one.text for one in fake.seen_by(erika)] == ["Hallo"]
    assert fake.said(erika.im)[0].ts == answer["ts"]
    assert web.auth_test()["user_id"] == fake.bot.user_id


def test_timestamps_only_ever_grow(fake: FakeSlack, web: WebClient) -> None:
    erika = fake.user()
    stamps = [web.chat_postMessage(channel=erika.id, text=str(number), **QUIET)["ts"] for number in range(5)]
    assert stamps == sorted(set(stamps))


def test_errors_are_slacks_own(fake: FakeSlack, web: WebClient) -> None:
    outside = fake.channel("outside", app=False)
    secret = fake.channel("secret", kind="private", app=False)
    closed = fake.channel("closed")
    closed.archived = True
    inside = fake.channel("inside", erika := fake.user())
    said = erika.posts(inside, "Hallo")

    def post(channel: str) -> str:
        return error_of(lambda: web.chat_postMessage(channel=channel, text="x", **QUIET))

    assert post("C404") == "channel_not_found"
    assert post(outside.id) == "not_in_channel"
    assert post(secret.id) == "channel_not_found"
    assert post(closed.id) == "is_archived"
    assert error_of(lambda: web.chat_update(channel=inside.id, ts="1.1", text="x")) == "message_not_found"
    assert error_of(lambda: web.chat_update(channel=inside.id, ts=said.ts, text="x")) == "cant_update_message"
    assert error_of(lambda: web.conversations_replies(channel=inside.id, ts="1.1")) == "thread_not_found"
    assert error_of(lambda: web.conversations_history(channel=inside.id, cursor="what")) == "invalid_cursor"
    assert error_of(lambda: web.users_info(user="U404")) == "user_not_found"
    assert error_of(WebClient("xoxb-wrong", base_url=fake.url).auth_test) == "invalid_auth"
    assert error_of(WebClient(base_url=fake.url).auth_test) == "not_authed"


def test_a_missing_scope_is_named(fake: FakeSlack) -> None:
    erika = fake.user()
    bot = fake.install(scopes={"chat:write"})
    web = WebClient(bot.token, base_url=fake.url)
    with pytest.raises(SlackApiError) as refused:
        web.chat_postMessage(channel=erika.id, text="x", username="Sabine", **QUIET)
    assert refused.value.response["needed"] == "chat:write.customize"
    assert refused.value.response["provided"] == "chat:write"


def test_a_violation_is_answered_and_fails_the_test(clock: Hands) -> None:
    def breaks_a_rule() -> None:
        with FakeSlack(clock=clock) as slack:
            web = WebClient(slack.token, base_url=slack.url)
            assert error_of(lambda: web.chat_postMessage(channel=slack.user().id, text="x")) == "unfurls"

    with pytest.raises(AssertionError, match="unfurls"):
        breaks_a_rule()


def test_history_comes_in_pages_newest_first(fake: FakeSlack, web: WebClient) -> None:
    channel = fake.channel("help", erika := fake.user())
    said = [erika.posts(channel, str(number)) for number in range(7)]
    erika.posts(channel, "a reply", thread=said[0])
    found = [page["messages"] for page in web.conversations_history(channel=channel.id, limit=3)]
    assert [[one["text"] for one in page] for page in found] == [["6", "5", "4"], ["3", "2", "1"], ["0"]]
    assert found[2][0]["reply_count"] == 1
    after = web.conversations_history(channel=channel.id, oldest=said[4].ts)["messages"]
    assert [one["text"] for one in after] == ["6", "5"]
    with_it = web.conversations_history(channel=channel.id, oldest=said[4].ts, inclusive=True)["messages"]
    assert len(with_it) == 3


def test_members_and_replies_come_in_pages(fake: FakeSlack, web: WebClient) -> None:
    people = [fake.user(f"Person {number}") for number in range(4)]
    channel = fake.channel("help", *people)
    pages = [page["members"] for page in web.conversations_members(channel=channel.id, limit=2)]
    assert [len(page) for page in pages] == [2, 2, 1]
    root = people[0].posts(channel, "Frage")
    for number in range(3):
        people[1].posts(channel, str(number), thread=root)
    replies = [page["messages"] for page in web.conversations_replies(channel=channel.id, ts=root.ts, limit=2)]
    assert [one["text"] for page in replies for one in page] == ["Frage", "0", "1", "2"]


def test_metadata_is_told_only_when_asked_for(fake: FakeSlack, web: WebClient) -> None:
    channel = fake.channel("help")
    metadata = {"event_type": "answer", "event_payload": {"key": "k1"}}
    web.chat_postMessage(channel=channel.id, text="x", metadata=metadata, **QUIET)
    plain = web.conversations_history(channel=channel.id)["messages"][0]
    full = web.conversations_history(channel=channel.id, include_all_metadata=True)["messages"][0]
    assert "metadata" not in plain
    assert full["metadata"] == metadata


def test_a_deleted_root_with_replies_becomes_a_tombstone(fake: FakeSlack, web: WebClient, app: StandInApp) -> None:
    channel = fake.channel("help", erika := fake.user())
    alone, root = erika.posts(channel, "allein"), erika.posts(channel, "Wurzel")
    erika.posts(channel, "Antwort", thread=root)
    erika.deletes(alone)
    erika.deletes(root)
    told = web.conversations_history(channel=channel.id)["messages"]
    assert [one["subtype"] for one in told] == ["tombstone"]
    events = [one["event"] for one in app.payloads()][-2:]
    assert [one["subtype"] for one in events] == ["message_deleted", "message_changed"]
    assert events[1]["message"]["subtype"] == "tombstone"


def test_a_reply_below_nothing_stands_in_the_channel(fake: FakeSlack, web: WebClient) -> None:
    channel = fake.channel("help")
    answer = web.chat_postMessage(channel=channel.id, text="x", thread_ts="1700000000.000001", **QUIET)
    assert "thread_ts" not in answer["message"]
    assert fake.posts(channel)[0].thread_ts is None


def test_posts_faster_than_the_pace_wait(fake: FakeSlack, web: WebClient, clock: Hands) -> None:
    channel = fake.channel("help")
    fake.pace = 1.0

    def post() -> None:
        web.chat_postMessage(channel=channel.id, text="x", **QUIET)

    post()
    with pytest.raises(SlackApiError) as refused:
        post()
    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["Retry-After"] == "1"
    clock.now += 1.0
    post()
    assert fake.shortest_gap(channel) == pytest.approx(1.0)
    assert [one.outcome for one in fake.called("chat.postMessage")] == ["ok", "ratelimited", "ok"]


def test_an_answer_gets_lost_after_the_post_arrived(fake: FakeSlack, web: WebClient) -> None:
    channel = fake.channel("help")
    fake.lose_answer("chat.postMessage")
    with pytest.raises(RemoteDisconnected):
        web.chat_postMessage(channel=channel.id, text="x", **QUIET)
    assert [one.text for one in fake.posts(channel)] == ["x"]
    assert fake.calls[-1].outcome == "lost"


def test_failures_come_before_or_after_the_effect(fake: FakeSlack) -> None:
    channel = fake.channel("help")
    with httpx.Client(base_url=fake.url, headers={"Authorization": f"Bearer {fake.token}"}) as http:

        def post() -> int:
            return http.post("chat.postMessage", json={"channel": channel.id, "text": "x", **QUIET}).status_code

        fake.fail_next("chat.postMessage", status=500)
        fake.fail_next("chat.postMessage", status=503, after=True)
        assert [post(), post(), post()] == [500, 503, 200]
        assert len(fake.posts(channel)) == 2
        fake.rate_limit(every=2, retry_after=2)
        assert [post(), post(), post(), post()] == [200, 429, 200, 429]
        fake.rate_limit(0)
        fake.flaky(0.5, seed=1)
        answers = [post() for _ in range(40)]
        assert 10 < sum(one >= 500 for one in answers) < 30
        arrived = len(fake.posts(channel)) - 4
        assert answers.count(200) < arrived < 40


def test_a_trigger_lasts_three_seconds_and_works_once(
    fake: FakeSlack, web: WebClient, app: StandInApp, clock: Hands
) -> None:
    erika = fake.user()
    for _ in range(2):
        erika.global_shortcut("ask")
    late, used = (one["trigger_id"] for one in app.payloads())
    web.views_open(trigger_id=used, view=MODAL)
    clock.now += 3.1
    assert error_of(lambda: web.views_open(trigger_id=used, view=MODAL)) == "exchanged_trigger_id"
    assert error_of(lambda: web.views_open(trigger_id=late, view=MODAL)) == "expired_trigger_id"


def test_a_modal_is_filled_in_as_its_blocks_allow(fake: FakeSlack, web: WebClient, app: StandInApp) -> None:
    erika = fake.user()
    erika.command("/helpdesk", "Hilfe & <mehr>")
    form = parse_qs(app.took[0][1])
    assert form["text"] == ["Hilfe &amp; &lt;mehr&gt;"]
    web.views_open(trigger_id=form["trigger_id"][0], view=MODAL)
    view = erika.modal
    assert view is not None
    for wrong in ({}, {"typed": "x" * 21}, {"other": "x"}):
        with pytest.raises(RefusedByClientError):
            erika.submits(view, wrong)
    app.answers = [(200, '{"response_action": "errors", "errors": {"question": "Zu kurz"}}')]
    erika.submits(view, {"typed": "VPN"})
    assert erika.modal is view
    erika.submits(view, {"question": "VPN geht nicht"})
    assert erika.modal is None
    values = app.payloads()[-1]["view"]["state"]["values"]
    assert values["question"]["typed"]["value"] == "VPN geht nicht"


def test_a_press_carries_what_slack_sends(fake: FakeSlack, web: WebClient, app: StandInApp) -> None:
    erika = fake.user()
    web.chat_postMessage(channel=erika.id, text="Geholfen?", blocks=BUTTONS, **QUIET)
    asked = fake.said(erika.im)[0]
    erika.presses(asked, "no")
    pressed = app.payloads()[0]
    assert pressed["actions"][0]["value"] == "no"
    assert pressed["container"]["message_ts"] == asked.ts
    httpx.post(pressed["response_url"], json={"replace_original": True, "text": "Danke"}).raise_for_status()
    assert (asked.text, asked.blocks) == ("Danke", [])
    with pytest.raises(RefusedByClientError):
        erika.presses(asked, "no")


def test_events_are_signed_and_look_like_slacks(fake: FakeSlack, app: StandInApp) -> None:
    channel = fake.channel("help", erika := fake.user())
    erika.mentions(channel, "<b> & https://example.com", first="app_mention")
    headers, body = app.took[0]
    assert SignatureVerifier(fake.signing_secret).is_valid_request(body, headers)
    assert not SignatureVerifier("another").is_valid_request(body, headers)
    mention, message = (one["event"] for one in app.payloads())
    assert (mention["type"], message["type"]) == ("app_mention", "message")
    assert mention["ts"] == message["ts"]
    assert message["text"] == f"<@{fake.bot.user_id}> &lt;b&gt; &amp; <https://example.com>"
    kinds = [one["type"] for one in message["blocks"][0]["elements"][0]["elements"]]
    assert kinds == ["user", "text", "link"]


def test_a_tampered_body_does_not_carry_the_signature(fake: FakeSlack, app: StandInApp) -> None:
    fake.post_raw("", '{"a": 2}', fake.sign('{"a": 1}'))
    headers, body = app.took[0]
    assert not SignatureVerifier(fake.signing_secret).is_valid_request(body, headers)


def test_an_event_is_repeated_with_the_same_id_until_it_is_taken(fake: FakeSlack, app: StandInApp) -> None:
    app.answers = [(500, ""), (200, "")]
    fake.lose_acks = 1
    fake.user().dm("Hallo")
    assert fake.deliveries[-1].attempts == 3
    assert len({one["event_id"] for one in app.payloads()}) == 1
    retries = [(one.get("x-slack-retry-num"), one.get("x-slack-retry-reason")) for one, _ in app.took]
    assert retries == [(None, None), ("1", "http_error"), ("2", "http_timeout")]


def test_nothing_is_told_of_channels_the_app_is_not_in(fake: FakeSlack, app: StandInApp) -> None:
    channel = fake.channel("outside", erika := fake.user(), app=False)
    erika.posts(channel, "unter uns")
    assert app.took == []
    erika.invites_app(channel)
    erika.posts(channel, "mit dir")
    erika.archives(channel)
    types = [one["event"]["type"] for one in app.payloads()]
    assert types == ["member_joined_channel", "message", "channel_archive"]


def test_files_go_both_ways_and_only_with_the_token(fake: FakeSlack, web: WebClient, app: StandInApp) -> None:
    erika = fake.user()
    erika.dm("siehe Anhang", files=[Upload("fehler.txt", b"0x80070005")])
    event = app.payloads()[0]["event"]
    assert event["subtype"] == "file_share"
    url = event["files"][0]["url_private_download"]
    assert "Sign in" in httpx.get(url).text
    assert httpx.get(url, headers={"Authorization": f"Bearer {fake.token}"}).content == b"0x80070005"
    web.files_upload_v2(channel=erika.im.id, content="Anleitung", filename="hilfe.txt", initial_comment="Bitte")
    posted = fake.said(erika.im)[-1]
    assert posted.text == "Bitte"
    assert fake.files[posted.files[0]].content == b"Anleitung"


def test_a_second_workspace_gets_a_token_of_its_own(fake: FakeSlack) -> None:
    other = fake.add_team("Beta", "beta")
    code = fake.authorize(other)
    web = WebClient(base_url=fake.url)

    def exchange() -> Any:
        return web.oauth_v2_access(client_id=fake.client_id, client_secret=fake.client_secret, code=code)

    token = exchange()["access_token"]
    assert error_of(exchange) == "invalid_code"
    theirs = WebClient(token, base_url=fake.url)
    assert theirs.auth_test()["team_id"] == other.id
    refused = error_of(lambda: theirs.chat_postMessage(channel=fake.user().id, text="x", **QUIET))
    assert refused == "channel_not_found"


def test_socket_mode_goes_round(clock: Hands) -> None:
    logging.getLogger("slack_sdk").setLevel(logging.CRITICAL)
    took: list[SocketModeRequest] = []
    ready, done = threading.Event(), threading.Event()

    async def serve(slack: FakeSlack) -> None:
        client = SocketModeClient(slack.app_token, web_client=AsyncWebClient(base_url=slack.url), ping_interval=0.2)

        async def take(link: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
            took.append(request)
            if len(took) > 1:  # the first is not acknowledged
                await link.send_socket_mode_response(SocketModeResponse(request.envelope_id))

        client.socket_mode_request_listeners.append(take)
        await client.connect()  # type: ignore[no-untyped-call]
        ready.set()
        while not done.is_set():
            await asyncio.sleep(0.02)
        await client.close()  # type: ignore[no-untyped-call]

    with FakeSlack("socket", clock=clock) as slack:
        slack.postman.ack_timeout = 0.3
        thread = threading.Thread(target=lambda: asyncio.run(serve(slack)))
        thread.start()
        try:
            assert ready.wait(10)
            assert slack.wait_for_link()
            erika = slack.user()
            erika.dm("Hallo")
            assert slack.deliveries[-1].attempts == 2
            assert [one.retry_attempt for one in took] == [0, 1]
            assert took[0].payload["event_id"] == took[1].payload["event_id"]
            slack.disconnect()
            assert eventually(lambda: slack.links_opened == 2 and slack.links == 1, 3), (
                slack.links_opened,
                slack.links,
            )
            assert erika.global_shortcut("ask").ok
            assert took[-1].type == "interactive"
        finally:
            done.set()
            thread.join()
