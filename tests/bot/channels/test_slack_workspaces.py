"""Which workspace has which token: asked once, kept, given to nobody else."""

import asyncio
import html
import json
import logging
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fake_slack import FakeSlack
from fake_slack_state import Workspace
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_setup import KEY, PUBLIC_URL, oauth_settings, slack_settings

from bot.channels.port import TryAgain
from bot.channels.slack.installations import WrongKey
from bot.channels.slack.workspaces import (
    INSTALL_PATH,
    REDIRECT_PATH,
    UnknownWorkspace,
    Workspaces,
    WrongToken,
    bot_scopes,
    make_bolt_app,
    open_workspaces,
)
from bot.db import Sessions
from bot.settings import Settings

HELLO: dict[str, Any] = {"text": "hello", "unfurl_links": False, "unfurl_media": False}


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    with FakeSlack() as slack:
        yield slack


@pytest.fixture
def settings(fake: FakeSlack, tmp_path: Path) -> Settings:
    return slack_settings(fake, tmp_path, slack={"mode": "http", "signing_secret_env": "LOTSE_SIGN"})


@pytest.fixture
def single(settings: Settings) -> Workspaces:
    return Workspaces(settings)


@pytest.fixture
def many(fake: FakeSlack, tmp_path: Path, sessions: Sessions) -> Workspaces:
    """Installed nowhere yet."""
    return open_workspaces(oauth_settings(fake, tmp_path), sessions)


def dispatch(app: AsyncApp, fake: FakeSlack, body: str, headers: dict[str, str] | None = None) -> BoltResponse:
    signed = fake.sign(body) if headers is None else headers
    request = AsyncBoltRequest(body=body, headers={"content-type": "application/json", **signed})
    return asyncio.run(app.async_dispatch(request))


def mention(fake: FakeSlack, team: str | None = None) -> str:
    event = {"type": "app_mention", "user": "U9", "text": "hi", "ts": "1.2", "channel": "C1", "event_ts": "1.2"}
    return json.dumps({**fake.envelope(event), "team_id": team or fake.team.id, "authorizations": []})


def listening(app: AsyncApp) -> list[dict[str, Any]]:
    """What a listener gets of each event."""
    heard: list[dict[str, Any]] = []

    @app.event("app_mention")
    async def hear(client: Any, context: Any) -> None:
        heard.append({"token": client.token, "base_url": client.base_url, "bot": context.bot_user_id})

    return heard


def visit(app: AsyncApp, path: str, cookie: str = "", **query: str) -> BoltResponse:
    """A browser that opens one of our pages."""
    flow = app.oauth_flow
    assert flow is not None
    request = AsyncBoltRequest(body="", query=dict(query), headers={"cookie": cookie} if cookie else {})
    handle = flow.handle_installation if path == INSTALL_PATH else flow.handle_callback
    return asyncio.run(handle(request))


def install(app: AsyncApp, fake: FakeSlack, team: Workspace) -> BoltResponse:
    """Somebody installs Lotse in a workspace, from our page to the end."""
    begun = visit(app, INSTALL_PATH)
    cookie = begun.headers["set-cookie"][0].partition(";")[0]
    return visit(app, REDIRECT_PATH, cookie, state=cookie.partition("=")[2], code=fake.authorize(team))


class TestOneWorkspace:
    def test_slack_says_who_the_token_is_for(self, fake: FakeSlack, single: Workspaces) -> None:
        found = single.identity(None)
        assert (found.team_id, found.team_name, found.token) == (fake.team.id, "Acme", fake.token)
        assert (found.bot_user_id, found.bot_id) == (fake.bot.user_id, fake.bot.bot_id)
        assert found.url.endswith("/")
        assert single.identity(fake.team.id) is found
        assert single.teams() == [fake.team.id]

    def test_the_token_shows_nowhere(self, fake: FakeSlack, single: Workspaces) -> None:
        assert fake.token not in repr(single.identity(None)) + repr(single)
        assert fake.token in str(vars(single.identity(None)))

    def test_slack_is_asked_once_by_many_threads(self, fake: FakeSlack, single: Workspaces) -> None:
        fake.delay("auth.test", 0.1)
        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(single.identity, [None] * 8))) == 1
        assert len(fake.called("auth.test")) == 1

    def test_a_foreign_workspace_is_refused_with_what_to_do(self, fake: FakeSlack, single: Workspaces) -> None:
        with pytest.raises(UnknownWorkspace, match=rf"for .* {fake.team.id}, not for T9: take `workspace` out"):
            single.identity("T9")
        assert single.known(fake.team.id)
        assert not single.known("T9")

    def test_a_wrong_token_ends_the_start_with_what_to_do(self, fake: FakeSlack, tmp_path: Path) -> None:
        settings = slack_settings(fake, tmp_path, environ={"LOTSE_BOT": "xoxb-wrong"})
        with pytest.raises(WrongToken, match=r"LOTSE_BOT \(invalid_auth\); copy .* \"OAuth & Permissions\"") as caught:
            Workspaces(settings).warm_up()
        assert "xoxb-wrong" not in str(caught.value)
        assert caught.value.reason == "invalid_auth"

    def test_an_app_token_in_its_place_is_told_as_such(self, fake: FakeSlack, tmp_path: Path) -> None:
        settings = slack_settings(fake, tmp_path, environ={"LOTSE_BOT": fake.app_token})
        with pytest.raises(WrongToken, match="not_allowed_token_type"):
            Workspaces(settings).warm_up()

    def test_a_slack_that_is_away_does_not_keep_lotse_from_starting(
        self, fake: FakeSlack, single: Workspaces, caplog: pytest.LogCaptureFixture
    ) -> None:
        fake.fail_next("auth.test", n=3)
        with caplog.at_level(logging.WARNING, "bot"):
            single.warm_up()
        assert "Slack could not be asked" in caplog.text
        assert single.identity(None).team_id == fake.team.id

    def test_a_slack_that_is_away_later_means_try_again(self, fake: FakeSlack, tmp_path: Path) -> None:
        settings = slack_settings(fake, tmp_path, slack={"api_base_url": "http://127.0.0.1:9/api/"})
        with pytest.raises(TryAgain):
            Workspaces(settings).identity(None)


class TestClients:
    @pytest.mark.parametrize("fault", ["server", "connection"])
    def test_the_reader_repeats(self, fake: FakeSlack, single: Workspaces, fault: str) -> None:
        room = fake.channel("help")
        if fault == "connection":
            fake.lose_answer("conversations.info")
        else:
            fake.fail_next("conversations.info", n=2, status=503)
        assert single.reader(None).conversations_info(channel=room.id)["channel"]["id"] == room.id
        assert len(fake.called("conversations.info")) == (3 if fault == "server" else 2)

    def test_the_reader_does_not_sleep_off_a_rate_limit(self, fake: FakeSlack, single: Workspaces) -> None:
        fake.fail_next("conversations.info", retry_after=30)
        with pytest.raises(SlackApiError):
            single.reader(None).conversations_info(channel=fake.channel("help").id)
        assert len(fake.called("conversations.info")) == 1

    def test_the_reader_gives_up_after_two_repeats(self, fake: FakeSlack, single: Workspaces) -> None:
        room = fake.channel("help")
        fake.fail_next("conversations.info", n=9, status=500)
        with pytest.raises(SlackApiError):
            single.reader(None).conversations_info(channel=room.id)
        assert len(fake.called("conversations.info")) == 3

    @pytest.mark.parametrize("fault", ["server", "rate limit", "connection"])
    def test_the_poster_never_repeats(self, fake: FakeSlack, single: Workspaces, fault: str) -> None:
        room = fake.channel("help")
        if fault == "connection":
            fake.lose_answer("chat.postMessage")
        elif fault == "server":
            fake.fail_next("chat.postMessage", status=503, after=True)
        else:
            fake.fail_next("chat.postMessage", retry_after=1)
        with pytest.raises((SlackApiError, OSError)):
            single.poster(None).chat_postMessage(channel=room.id, **HELLO)
        assert len(fake.called("chat.postMessage")) == 1

    def test_the_asynchronous_client_repeats(self, fake: FakeSlack, single: Workspaces) -> None:
        room = fake.channel("help")
        fake.fail_next("conversations.info", n=2, status=503)
        answer = asyncio.run(single.async_client(None).conversations_info(channel=room.id))
        assert answer["channel"]["id"] == room.id

    def test_there_is_one_client_of_a_kind_for_each_workspace(self, fake: FakeSlack, single: Workspaces) -> None:
        assert single.reader(None) is single.reader(fake.team.id)
        assert single.poster(None) is not single.reader(None)
        assert single.async_client(None) is single.async_client(fake.team.id)
        assert {single.reader(None).timeout, single.poster(None).timeout, single.async_client(None).timeout} == {10}
        with pytest.raises(UnknownWorkspace):
            single.poster("T9")


class TestBolt:
    def test_an_event_gets_its_token_without_a_call(
        self, fake: FakeSlack, single: Workspaces, settings: Settings
    ) -> None:
        single.warm_up()
        app = make_bolt_app(single, settings)
        heard, before = listening(app), len(fake.calls)
        assert dispatch(app, fake, mention(fake)).status == 200
        assert heard == [{"token": fake.token, "base_url": fake.url, "bot": fake.bot.user_id}]
        assert len(fake.calls) == before

    def test_an_event_of_a_foreign_workspace_reaches_no_listener(
        self, fake: FakeSlack, single: Workspaces, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        app = make_bolt_app(single, settings)
        heard = listening(app)
        with caplog.at_level(logging.WARNING, "bot"):
            dispatch(app, fake, mention(fake, "T9"))
        assert heard == []
        assert "the Slack workspace T9, where Lotse is not installed" in caplog.text

    def test_a_forged_event_is_refused(self, fake: FakeSlack, single: Workspaces, settings: Settings) -> None:
        app = make_bolt_app(single, settings)
        heard, body = listening(app), mention(fake)
        assert dispatch(app, fake, body, fake.sign(body + " ")).status == 401
        assert dispatch(app, fake, body, {}).status == 401
        assert heard == []

    def test_without_a_signing_secret_nothing_passes(self, fake: FakeSlack, single: Workspaces, tmp_path: Path) -> None:
        app = make_bolt_app(single, slack_settings(fake, tmp_path))
        fake.state.signing_secret = ""
        assert dispatch(app, fake, mention(fake)).status == 401

    def test_an_event_whose_listener_fails_is_not_acknowledged(
        self, fake: FakeSlack, single: Workspaces, settings: Settings
    ) -> None:
        app = make_bolt_app(single, settings)

        @app.event("app_mention")
        async def fail() -> None:
            raise ValueError("disk full")

        assert dispatch(app, fake, mention(fake)).status == 500

    def test_one_workspace_has_no_page_to_install(self, single: Workspaces, settings: Settings) -> None:
        assert make_bolt_app(single, settings).oauth_flow is None


@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated")  # slack_sdk's oauth.v2.access still uses it
class TestManyWorkspaces:
    def test_the_page_asks_for_the_scopes_of_the_manifest(self, fake: FakeSlack, many: Workspaces) -> None:
        page = visit(make_bolt_app(many, many.settings), INSTALL_PATH)
        (link,) = re.findall(r'href="(https://slack\.com/oauth[^"]*)"', html.unescape(page.body))
        asked = parse_qs(urlsplit(link).query)
        assert asked["scope"] == [",".join(bot_scopes())]
        assert asked["redirect_uri"] == [f"{PUBLIC_URL}/slack/oauth_redirect"]
        assert "user_scope" not in asked

    def test_an_installed_workspace_gets_its_events(self, fake: FakeSlack, many: Workspaces) -> None:
        app = make_bolt_app(many, many.settings)
        heard, other = listening(app), fake.add_team("Other", "other")
        assert install(app, fake, fake.team).status == 200
        assert install(app, fake, other).status == 200
        before = len(fake.calls)
        for team in (fake.team.id, other.id):
            assert dispatch(app, fake, mention(fake, team)).status == 200
        assert [one["token"] for one in heard] == [fake.token, fake.state.bot_of(other.id).token]
        assert len(fake.calls) == before
        assert many.teams() == sorted([fake.team.id, other.id])

    def test_who_lotse_is_there_comes_from_the_installation_and_its_address_from_slack(
        self, fake: FakeSlack, many: Workspaces
    ) -> None:
        install(make_bolt_app(many, many.settings), fake, fake.team)
        found = many.identity(fake.team.id)
        assert (found.team_name, found.bot_user_id, found.bot_id) == ("Acme", fake.bot.user_id, fake.bot.bot_id)
        assert found.url == fake.team.url
        asked = len(fake.called("auth.test"))
        assert many.identity(None) == found
        assert len(fake.called("auth.test")) == asked

    def test_before_anybody_installed_it_the_page_is_named(self, many: Workspaces) -> None:
        with pytest.raises(UnknownWorkspace, match=f"not installed in any .* open {PUBLIC_URL}/slack/install"):
            many.identity(None)
        with pytest.raises(UnknownWorkspace, match=f"not installed in the Slack workspace T9: open {PUBLIC_URL}"):
            many.identity("T9")
        assert not many.known("T9")
        assert many.teams() == []

    def test_with_several_workspaces_one_must_be_named(self, fake: FakeSlack, many: Workspaces) -> None:
        app, other = make_bolt_app(many, many.settings), fake.add_team("Other", "other")
        install(app, fake, fake.team)
        install(app, fake, other)
        with pytest.raises(UnknownWorkspace, match=r"in 2 Slack workspaces: say which with `workspace`"):
            many.poster(None)
        assert many.poster(other.id).token == fake.state.bot_of(other.id).token

    @pytest.mark.parametrize(("wrong", "status"), [("state", 400), ("cookie", 400), ("again", 401), ("code", 401)])
    def test_an_installation_nobody_began_here_is_refused(
        self, fake: FakeSlack, many: Workspaces, wrong: str, status: int
    ) -> None:
        app = make_bolt_app(many, many.settings)
        cookie = visit(app, INSTALL_PATH).headers["set-cookie"][0].partition(";")[0]
        state, code = cookie.partition("=")[2], fake.authorize(fake.team)
        if wrong == "again":
            visit(app, REDIRECT_PATH, cookie, state=state, code=fake.authorize(fake.add_team("Other", "other")))
        answer = visit(
            app,
            REDIRECT_PATH,
            "" if wrong == "cookie" else cookie,
            state="made-up" if wrong == "state" else state,
            code="made-up" if wrong == "code" else code,
        )
        assert answer.status == status
        assert not many.known(fake.team.id)

    def test_after_a_new_installation_the_new_token_counts_at_once(self, fake: FakeSlack, many: Workspaces) -> None:
        app = make_bolt_app(many, many.settings)
        install(app, fake, fake.team)
        first = many.poster(None).token
        install(app, fake, fake.team)
        assert first != many.poster(None).token == fake.token

    def test_a_token_slack_refuses_is_told_with_what_to_do(self, fake: FakeSlack, many: Workspaces) -> None:
        install(make_bolt_app(many, many.settings), fake, fake.team)
        fake.install()
        with pytest.raises(WrongToken, match=rf"workspace {fake.team.id} \(invalid_auth\); install Lotse there again"):
            many.identity(None)

    def test_a_workspace_that_takes_lotse_away_is_forgotten(self, fake: FakeSlack, many: Workspaces) -> None:
        app = make_bolt_app(many, many.settings)
        app.enable_token_revocation_listeners()
        install(app, fake, fake.team)
        assert many.known(fake.team.id)
        assert dispatch(app, fake, json.dumps(fake.envelope({"type": "app_uninstalled"}))).status == 200
        assert not many.known(fake.team.id)

    def test_what_another_process_installed_is_seen(
        self, fake: FakeSlack, many: Workspaces, sessions: Sessions
    ) -> None:
        assert not many.known(fake.team.id)
        other = open_workspaces(many.settings, sessions)
        install(make_bolt_app(other, other.settings), fake, fake.team)
        assert many.known(fake.team.id)

    def test_the_start_encrypts_with_the_newest_key(
        self, fake: FakeSlack, many: Workspaces, sessions: Sessions, tmp_path: Path
    ) -> None:
        install(make_bolt_app(many, many.settings), fake, fake.team)
        with pytest.raises(WrongKey):
            with_keys(fake, tmp_path, sessions, OTHER_KEY).warm_up()
        with_keys(fake, tmp_path, sessions, f"{OTHER_KEY},{KEY}").warm_up()
        last = with_keys(fake, tmp_path, sessions, OTHER_KEY)
        last.warm_up()
        assert last.poster(fake.team.id).token == fake.token


OTHER_KEY = "c2VjcmV0LWtleS1vZi10aGlydHktdHdvLWJ5dGVzLi4="


def with_keys(fake: FakeSlack, folder: Path, sessions: Sessions, keys: str) -> Workspaces:
    return open_workspaces(oauth_settings(fake, folder, environ={"LOTSE_KEY": keys}), sessions)
