"""Which Slack workspace has which token, and the clients that use it: one workspace by its token, many by OAuth."""

import asyncio
import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.http_retry.builtin_handlers import (
    ConnectionErrorRetryHandler,
    ServerErrorRetryHandler,
)
from slack_sdk.http_retry.handler import RetryHandler
from slack_sdk.oauth.installation_store.models.bot import Bot
from slack_sdk.web.async_client import AsyncWebClient

from bot.channels.port import TryAgain
from bot.channels.slack.installations import STATE_SECONDS, AsyncInstallations, AsyncStates, Installations, States
from bot.channels.slack.installations import keys_from as token_keys
from bot.db import Sessions
from bot.settings import Settings

MANIFEST = Path(__file__).parents[3] / "slack" / "manifest.yml"
INSTALL_PATH, REDIRECT_PATH = "/slack/install", "/slack/oauth_redirect"
TIMEOUT_SECONDS = 10
RETRIES = 2
REMEMBERED_SECONDS = 60.0  # after that another process may have installed or removed the app
NO_LONGER_VALID = frozenset(
    ["invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type"]
)
log = logging.getLogger(__name__)
Client = TypeVar("Client", WebClient, AsyncWebClient)


class UnknownWorkspace(Exception):  # noqa: N818 - it says what is wrong
    """Lotse has no token for this workspace."""


class WrongToken(Exception):  # noqa: N818 - it says what is wrong
    """Slack does not accept a token. reason: Slack's word for it."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True)
class Identity:
    """Who Lotse is in a workspace. url ends with "/"."""

    team_id: str
    team_name: str
    url: str
    bot_user_id: str
    bot_id: str
    token: str = field(repr=False)


class Workspaces:
    """The workspaces Lotse is in. Every method may be called from any thread."""

    def __init__(self, settings: Settings, store: Installations | None = None, states: States | None = None) -> None:
        self.store, self.states = store, states
        self.settings = settings
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._identities: dict[str, Identity] = {}
        self._rows: dict[str, tuple[float, Bot]] = {}
        self._clients: dict[tuple[str, str], Any] = {}

    @property
    def by_oauth(self) -> bool:
        """Whether people install Lotse in workspaces of their own."""
        return self.store is not None

    def warm_up(self) -> None:
        """What is needed before the first event, once at the start.

        Raises WrongToken, or WrongKey. That Slack is out of reach is no reason not to start: it is asked again later.
        """
        if self.store is not None:
            count = self.store.reencrypt()
            if count:
                log.info("%d stored tokens of Slack workspaces are now encrypted with the newest key", count)
            return
        try:
            self.identity(None)
        except TryAgain:
            log.warning("Slack could not be asked about the bot token; it will be with the first event")

    def teams(self) -> list[str]:
        """The ids of all workspaces. Raises as identity."""
        return [self.identity(None).team_id] if self.store is None else self.store.teams()

    def known(self, team: str) -> bool:
        """Whether Lotse has a token for this workspace. Raises WrongToken or TryAgain where it was never warmed up."""
        try:
            self._granted(team)
        except UnknownWorkspace:
            return False
        return True

    def identity(self, team: str | None) -> Identity:
        """Who Lotse is in a workspace; None means the only one.

        Raises UnknownWorkspace, WrongToken, or TryAgain where Slack cannot be asked now.
        """
        granted = self._granted(team)
        return granted if granted.url else self._asked(granted.token, granted)

    def bot_user(self, team: str | None) -> str:
        """Lotse's user in a workspace. Raises as identity, and needs no network once warmed up."""
        return self._granted(team).bot_user_id

    def forget(self, team: str | None) -> None:
        """Ask for the installation of a workspace (None: of all) anew; after it changed, or its token was refused."""
        with self._lock:
            for one in [team] if team else list(self._rows):
                self._rows.pop(one, None)

    def reader(self, team: str | None) -> WebClient:
        """A client that repeats what failed: for calls that can be made twice without harm. Raises as identity."""
        return self._client("reader", team, self._new_reader)

    def poster(self, team: str | None) -> WebClient:
        """A client that repeats nothing: a post of unclear outcome is looked up first. Raises as identity."""
        return self._client("poster", team, self._new_poster)

    def async_client(self, team: str | None) -> AsyncWebClient:
        """As reader, for listeners. Raises as identity."""
        return self._client("async", team, self.new_async_client)

    async def authorize(
        self, enterprise_id: str | None = None, team_id: str | None = None, user_id: str | None = None, **_: Any
    ) -> AuthorizeResult | None:
        """The token for an event, for Bolt; None for a workspace Lotse is not in.

        Once warmed up no network is needed. Raises WrongToken, or TryAgain: Slack then delivers the event again.
        """
        try:
            granted = await asyncio.to_thread(self._granted, team_id)
        except UnknownWorkspace:
            log.warning("an event came from the Slack workspace %s, where Lotse is not installed", team_id)
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=granted.team_id,
            team=granted.team_name,
            url=granted.url or None,
            bot_id=granted.bot_id,
            bot_user_id=granted.bot_user_id,
            bot_token=granted.token,
        )

    def new_async_client(self, token: str | None = None) -> AsyncWebClient:
        """A client for this Slack, with a token or without."""
        return AsyncWebClient(
            token=token,
            base_url=self.settings.slack.api_base_url,
            timeout=TIMEOUT_SECONDS,
            retry_handlers=patient_async(),
        )

    def new_client(self, token: str | None, retry_handlers: list[RetryHandler]) -> WebClient:
        """A client for this Slack with any token."""
        return WebClient(
            token=token,
            base_url=self.settings.slack.api_base_url,
            timeout=TIMEOUT_SECONDS,
            retry_handlers=retry_handlers,
        )

    def _new_reader(self, token: str) -> WebClient:
        return self.new_client(token, patient())

    def _new_poster(self, token: str) -> WebClient:
        return self.new_client(token, [])  # not None: that would mean the SDK's own repeats

    def _client(self, kind: str, team: str | None, make: Callable[[str], Client]) -> Client:
        token = self._granted(team).token
        with self._lock:
            if (kind, token) not in self._clients:
                self._clients[kind, token] = make(token)
            client: Client = self._clients[kind, token]
            return client

    def _granted(self, team: str | None) -> Identity:
        """As identity; with an empty url where Slack was not asked yet."""
        if self.store is None:
            return self._the_only(team)
        team = team or self._only_team(self.store)
        allowed = self.settings.slack.workspaces
        if allowed and team not in allowed:
            raise UnknownWorkspace(f"the Slack workspace {team} is not among slack.workspaces")
        bot = self._row(self.store, team)
        if bot is None:
            raise UnknownWorkspace(
                f"Lotse is not installed in the Slack workspace {team}: "
                f"open {self._address(INSTALL_PATH)} in a browser and choose that workspace"
            )
        granted = Identity(team, bot.team_name or team, "", bot.bot_user_id, bot.bot_id, bot.bot_token)
        known = self._identities.get(bot.bot_token)
        return replace(granted, url=known.url) if known else granted

    def _the_only(self, team: str | None) -> Identity:
        token = self.settings.secret(self.settings.slack.bot_token_env) or ""
        only = self._identities.get(token) or self._asked(token, None)
        if team not in (None, only.team_id):
            raise UnknownWorkspace(
                f"the token in {self.settings.slack.bot_token_env} is for the Slack workspace {only.team_id}, not for "
                f"{team}: take `workspace` out of the settings, or set up many workspaces as docs/slack.md tells"
            )
        return only

    def _only_team(self, store: Installations) -> str:
        teams = store.teams()
        if len(teams) == 1:
            return teams[0]
        if not teams:
            address = self._address(INSTALL_PATH)
            raise UnknownWorkspace(f"Lotse is not installed in any Slack workspace yet: open {address} in a browser")
        raise UnknownWorkspace(
            f"Lotse is installed in {len(teams)} Slack workspaces: "
            f"say which with `workspace` beside the channel; there are {', '.join(teams)}"
        )

    def _row(self, store: Installations, team: str) -> Bot | None:
        now = time.monotonic()
        with self._lock:
            remembered = self._rows.get(team)
        if remembered is not None and now - remembered[0] < REMEMBERED_SECONDS:
            return remembered[1]
        bot = store.newest_bot(team)
        if bot is not None:
            with self._lock:
                self._rows[team] = (now, bot)
        return bot

    def _asked(self, token: str, granted: Identity | None) -> Identity:
        """What Slack says who the token is for; it is asked once for each, whoever wants to know meanwhile waits."""
        with self._asking:
            known = self._identities.get(token)
            if known is None:
                known = self._identities[token] = self._ask(token, granted)
            return known

    def _ask(self, token: str, granted: Identity | None) -> Identity:
        try:
            told = self._new_reader(token).auth_test()
        except SlackApiError as error:
            raise self._refused(error, granted) from None
        except OSError as error:
            raise TryAgain from error
        return Identity(
            team_id=granted.team_id if granted else told["team_id"],
            team_name=granted.team_name if granted else told["team"],
            url=str(told["url"]).rstrip("/") + "/",
            bot_user_id=granted.bot_user_id if granted else told["user_id"],
            bot_id=granted.bot_id if granted else told.get("bot_id", ""),
            token=token,
        )

    def _refused(self, error: SlackApiError, granted: Identity | None) -> Exception:
        reason = error_code(error)
        if reason not in NO_LONGER_VALID:
            return TryAgain()
        if granted:
            self.forget(granted.team_id)
            cure = f"install Lotse there again: {self._address(INSTALL_PATH)}"
            return WrongToken(f"Slack refuses the token of the workspace {granted.team_id} ({reason}); {cure}", reason)
        variable = self.settings.slack.bot_token_env
        cure = 'copy the "Bot User OAuth Token" (xoxb-) from the app\'s page "OAuth & Permissions" into it'
        return WrongToken(f"Slack refuses the token in {variable} ({reason}); {cure}", reason)

    def _address(self, path: str) -> str:
        return public_address(self.settings, path)


class WorkspaceAuthorize(AsyncAuthorize):
    """Workspaces.authorize as an object: beside an OAuth flow Bolt takes no function."""

    def __init__(self, workspaces: Workspaces) -> None:
        self.workspaces = workspaces

    async def __call__(self, **whose: Any) -> AuthorizeResult | None:
        return await self.workspaces.authorize(**whose)


def open_workspaces(settings: Settings, sessions: Sessions) -> Workspaces:
    """The workspaces of these settings; asks neither Slack nor the database yet. Raises WrongKey."""
    if settings.slack.client_id is None:
        return Workspaces(settings)
    keys = token_keys(settings.secret(settings.slack.token_key_env) or "")
    store = Installations(settings.slack.client_id, sessions.engine, keys)
    return Workspaces(settings, store, States(sessions.engine))


def make_bolt_app(workspaces: Workspaces, settings: Settings) -> AsyncApp:
    """Bolt, without a listener; it acknowledges only after a listener has run, and asks workspaces for tokens."""
    # Without a secret nothing that comes by HTTP may pass: an empty one would be a secret that everybody knows.
    signing_secret = settings.secret(settings.slack.signing_secret_env) or secrets.token_hex(32)
    return AsyncApp(
        name="lotse",
        process_before_response=True,
        ignoring_self_events_enabled=False,  # a card of ours that somebody deletes is told to us as our own message
        signing_secret=signing_secret,
        client=workspaces.new_async_client(),
        authorize=WorkspaceAuthorize(workspaces),  # type: ignore[arg-type]  # Bolt answers None, too
        oauth_flow=make_oauth_flow(workspaces, settings),
    )


def make_oauth_flow(workspaces: Workspaces, settings: Settings) -> AsyncOAuthFlow | None:
    """How people install Lotse in their workspace; None where there is but one, by its token."""
    if workspaces.store is None or workspaces.states is None:
        return None
    oauth = AsyncOAuthSettings(
        client_id=settings.slack.client_id,
        client_secret=settings.secret(settings.slack.client_secret_env),
        scopes=bot_scopes(),
        user_scopes=[],
        redirect_uri=public_address(settings, REDIRECT_PATH),
        install_path=INSTALL_PATH,
        redirect_uri_path=REDIRECT_PATH,
        installation_store=AsyncInstallations(workspaces.store, workspaces.forget),
        installation_store_bot_only=True,
        state_store=AsyncStates(workspaces.states),
        state_expiration_seconds=STATE_SECONDS,
    )
    return AsyncOAuthFlow(client=workspaces.new_async_client(), logger=log, settings=oauth)


@cache
def bot_scopes() -> tuple[str, ...]:
    """What Lotse asks a workspace for, in the order of slack/manifest.yml."""
    manifest = yaml.safe_load(MANIFEST.read_text("utf-8"))
    return tuple(manifest["oauth_config"]["scopes"]["bot"])


def public_address(settings: Settings, path: str) -> str:
    """A path of ours as Slack and people reach it."""
    return (settings.web.public_url or f"http://{settings.web.host}:{settings.web.port}").rstrip("/") + path


def error_code(error: SlackApiError) -> str:
    """Slack's word for what went wrong, or `http 503` where the answer was none of Slack's."""
    answer: Any = error.response
    told = answer.get("error") if hasattr(answer, "get") else None
    status = answer.get("status") if isinstance(answer, dict) else getattr(answer, "status_code", None)
    return str(told) if told else f"http {status}"


def patient() -> list[RetryHandler]:
    """Repeats after a broken connection and a fault of Slack's. A rate limit is not slept off: a worker that holds a
    conversation goes on with others meanwhile (bot/channels/slack/post.py)."""
    return [ConnectionErrorRetryHandler(max_retry_count=RETRIES), ServerErrorRetryHandler(max_retry_count=RETRIES)]


def patient_async() -> list[AsyncRetryHandler]:
    """The same for asynchronous clients."""
    return [
        AsyncConnectionErrorRetryHandler(max_retry_count=RETRIES),
        AsyncRateLimitErrorRetryHandler(max_retry_count=RETRIES),
        AsyncServerErrorRetryHandler(max_retry_count=RETRIES),
    ]
