"""The Bot Connector, called from worker threads: the SDK's client with time limits, our tokens, and errors sorted by
what they mean for a message."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from microsoft_teams.api import TeamsChannelAccount
from microsoft_teams.api.activities.message import MessageActivityInput
from microsoft_teams.api.activities.typing import TypingActivityInput
from microsoft_teams.api.clients.conversation import ConversationClient, CreateConversationParams
from microsoft_teams.api.clients.team import TeamClient
from microsoft_teams.api.models import Account
from microsoft_teams.common.http import Client, ClientOptions

from bot.channels.port import TryAgain, Unclear, Unreachable
from bot.channels.teams.login import FAILED, Login, LoginRefused
from bot.settings import Settings

logger = logging.getLogger(__name__)
T = TypeVar("T")
SECONDS = httpx.Timeout(15.0, connect=5.0)
READ_TRIES, READ_PAUSE = 3, 0.5
TRANSIENT = {412, 500, 502, 503, 504}  # Microsoft names 412, 502 and 504; too many requests are told with a time
NOT_NOW = {401, 408, 409, 412, 425}  # nothing was done
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
NO_ID = "DO_NOT_USE_PLACEHOLDER_ID"  # the SDK's word for an answer that names no id
PAGE = 200
DOWNLOAD_SECONDS = 60.0  # for all of a file: who drips bytes must not hold a worker
MOST_MEMBERS = 1000


class NotFound(Exception):  # noqa: N818 - what it means depends on what was asked
    """There is no such conversation, post or person (any more)."""


class NotDrawn(Exception):  # noqa: N818
    """Teams does not take the card."""


class TooLarge(Exception):  # noqa: N818
    """Teams does not take so much at once."""


@dataclass(frozen=True)
class Service:
    """The SDK's clients for one service address."""

    conversations: ConversationClient
    teams: TeamClient


class Connector:
    """Calls of the Bot Connector. They run in one event loop in a thread of its own, which begins with the first."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.login = Login(settings)
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None
        self._http: Client | None = None
        self._clients: dict[str, Service] = {}
        self._calls: set[asyncio.Future[Any]] = set()
        self._closed = False

    def close(self) -> None:
        """End the loop; calls that are under way are given up, and no others begin."""
        with self._lock:
            portal, self._portal, self._closed = self._portal, None, True
        if portal is not None:
            portal.call(self._give_up_calls)
            self._stack.close()

    async def _give_up_calls(self) -> None:
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        if self._http is not None:
            await self._http.http.aclose()

    # --- posts ----------------------------------------------------------------------------------------------------
    def post(self, service_url: str, conversation: str, activity: Mapping[str, Any]) -> str:
        """Post a message; its id. Raises NotFound, NotDrawn, TooLarge, Unreachable, TryAgain or Unclear."""
        message = MessageActivityInput.model_validate(activity)
        with sorted_out():
            sent = self._run(lambda api: api.conversations.create_activity(conversation, message), service_url)
        return str(sent.id) if sent.id != NO_ID else f"unknown-{uuid4()}"

    def update(self, service_url: str, conversation: str, post: str, activity: Mapping[str, Any]) -> None:
        """Replace a message. Raises as post; to do it twice does no harm."""
        message = MessageActivityInput.model_validate(activity)
        with sorted_out():
            self._run(lambda api: api.conversations.update_activity(conversation, post, message), service_url)

    def delete(self, service_url: str, conversation: str, post: str) -> None:
        """Take a message away; one that is gone already is all right."""
        with suppress(NotFound), sorted_out():
            self._run(lambda api: api.conversations.delete_activity(conversation, post), service_url)

    def typing(self, service_url: str, conversation: str) -> None:
        """Say that an answer is being worked on."""
        with sorted_out():
            self._run(lambda api: api.conversations.create_activity(conversation, TypingActivityInput()), service_url)

    def open_chat(self, service_url: str, tenant: str | None, person: str) -> str:
        """The id of the personal chat with somebody; the same one every time."""
        params = CreateConversationParams(
            members=[Account(id=person)], tenant_id=tenant, channel_data={"tenant": {"id": tenant}}
        )
        with sorted_out():
            return str(self._run(lambda api: api.conversations.create(params), service_url).id)

    # --- questions ------------------------------------------------------------------------------------------------
    def member(self, service_url: str, conversation: str, person: str) -> TeamsChannelAccount | None:
        """Somebody in a conversation (a channel: in its team); None when they are not."""
        try:
            with sorted_out():
                found = self._ask(lambda api: api.conversations.get_member_by_id(conversation, person), service_url)
                return TeamsChannelAccount.model_validate(found)
        except NotFound:
            return None

    def members(self, service_url: str, conversation: str) -> list[TeamsChannelAccount]:
        """Everybody in a conversation, at most 1,000."""
        found: list[TeamsChannelAccount] = []
        page: str | None = None
        while len(found) < MOST_MEMBERS:
            with sorted_out():
                answer = self._ask(
                    lambda api, page=page: api.conversations.get_paged_members(conversation, PAGE, page),  # type: ignore[misc]
                    service_url,
                )
            found += answer.members
            page = answer.continuation_token
            if not page:
                break
        return found

    def channels(self, service_url: str, team: str) -> dict[str, str]:
        """The channels of a team: names by their ids."""
        with sorted_out():
            listed = self._ask(lambda api: api.teams.get_conversations(team), service_url)
        return {str(one.id): str(one.name or "") for one in listed}

    def group_of(self, service_url: str, team: str) -> str | None:
        """The Entra group behind a team, which Microsoft Graph knows it by."""
        with sorted_out():
            return self._ask(lambda api: api.teams.get_by_id(team), service_url).aad_group_id

    def graph(self, path: str, **params: str) -> dict[str, Any]:
        """One question to Microsoft Graph. Raises NotFound, Unreachable (not allowed), TryAgain or Unclear."""
        address = f"{(self.settings.teams.graph_url or '').rstrip('/')}{path}"

        async def ask() -> dict[str, Any]:
            token = await or_refused(self.login.graph_token)
            answer = await self._client().get(address, token=token, params=params or None)
            told = answer.json()
            return told if isinstance(told, dict) else {}

        try:
            with sorted_out():
                return self.run(lambda: repeated(lambda: self._with_new_token(ask)))
        except ValueError:
            raise Unclear("the answer is no JSON") from None

    def download(self, address: str, most: int, *, ours: bool) -> bytes:
        """A file, at most that many bytes (one more says that it is larger). ours: our token goes with the request."""

        async def load() -> bytes:
            token = await or_refused(self.login.bot_token) if ours else None
            headers = {"authorization": f"Bearer {token}"} if token else {}
            async with (
                asyncio.timeout(DOWNLOAD_SECONDS),
                httpx.AsyncClient(timeout=SECONDS) as http,
                http.stream("GET", address, headers=headers) as answer,
            ):
                if answer.is_error:
                    await answer.aread()  # its words are read by whoever sorts errors
                answer.raise_for_status()
                content = bytearray()
                async for chunk in answer.aiter_bytes():
                    content += chunk
                    if len(content) > most:
                        break
                return bytes(content[: most + 1])

        with sorted_out():
            return self.run(lambda: self._with_new_token(load))

    # --- the loop -------------------------------------------------------------------------------------------------
    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run something in the connector's event loop, from a thread that is not it. Raises TryAgain once it is closed,
        Unclear when it is closed meanwhile."""
        with self._lock:
            if self._closed:
                raise TryAgain(reason="Lotse ends")
            if self._portal is None:
                self._portal = self._stack.enter_context(start_blocking_portal(name="teams-connector"))
            portal = self._portal
        try:
            return portal.call(self._noted, work)
        except (CancelledError, RuntimeError):
            if not self._closed:
                raise
            raise Unclear("Lotse ends") from None

    async def _noted(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something that can be given up."""
        call = asyncio.ensure_future(work())
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return await call

    def _run(self, work: Callable[[Service], Awaitable[T]], service_url: str) -> T:
        return self.run(lambda: self._with_new_token(lambda: work(self._api(service_url))))

    def _ask(self, work: Callable[[Service], Awaitable[T]], service_url: str) -> T:
        """As run, repeated a little: asking twice does no harm."""
        return self.run(lambda: repeated(lambda: self._with_new_token(lambda: work(self._api(service_url)))))

    async def _with_new_token(self, work: Callable[[], Awaitable[T]]) -> T:
        """A token can be revoked before its end. What was refused for it was not done: once more, with a new one."""
        try:
            return await work()
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.UNAUTHORIZED:
                raise
            self.login.forget(error.request.headers.get("authorization", "").partition(" ")[2])
        return await work()

    def _api(self, service_url: str) -> Service:
        if service_url not in self._clients:
            http = self._client()
            self._clients[service_url] = Service(ConversationClient(service_url, http), TeamClient(service_url, http))
        return self._clients[service_url]

    def _client(self) -> Client:
        if self._http is None:
            self._http = Client(
                ClientOptions(token=lambda: or_refused(self.login.bot_token)),
                _http=httpx.AsyncClient(timeout=SECONDS, follow_redirects=False),
            )
            logging.getLogger("httpx").setLevel(logging.WARNING)  # the SDK's client lets it log every address
        return self._http


async def or_refused(ask: Callable[[], Awaitable[T]]) -> T:
    """A token, or LoginRefused: what goes wrong at Entra happens before anything is sent to Teams."""
    try:
        return await ask()
    except FAILED as error:
        raise LoginRefused(error.code if isinstance(error, LoginRefused) else type(error).__name__) from None


async def repeated(work: Callable[[], Awaitable[T]]) -> T:
    """Do what can be done twice again after a fault of the network's or a transient one of the service's."""
    for pause in (READ_PAUSE * 2**number for number in range(READ_TRIES - 1)):
        try:
            return await work()
        except httpx.HTTPStatusError as error:
            if error.response.status_code not in TRANSIENT:
                raise
        except httpx.TransportError:
            pass
        await asyncio.sleep(pause)
    return await work()


@contextmanager
def sorted_out() -> Iterator[None]:
    """Errors of the network and the service as what they mean for a message."""
    try:
        yield
    except NOT_SENT as error:
        raise TryAgain(reason=type(error).__name__) from None
    except httpx.HTTPStatusError as error:
        raise meaning(error.response) from None
    except (httpx.RequestError, httpx.InvalidURL) as error:
        raise Unclear(type(error).__name__) from None
    except LoginRefused as error:
        raise TryAgain(reason=error.code) from None


def meaning(answer: httpx.Response) -> Exception:
    """What an answer that is no success means."""
    status, code = answer.status_code, code_of(answer)
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return TryAgain(seconds_of(answer), reason=code)
    if status in NOT_NOW:
        return TryAgain(reason=code)
    if status == httpx.codes.FORBIDDEN:
        return Unreachable(code)
    if status in {httpx.codes.NOT_FOUND, httpx.codes.GONE}:
        return NotFound(code)
    if status == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
        return TooLarge(code)
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return Unclear(code)
    return NotDrawn(code)


def code_of(answer: httpx.Response) -> str:
    """The service's own word (`BotNotInConversationRoster`), else its status."""
    try:
        told = answer.json()
    except ValueError:
        told = None
    error = told.get("error") if isinstance(told, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return str(code)[:60] if code else f"http {answer.status_code}"


def seconds_of(answer: httpx.Response) -> float | None:
    """How long to wait, where the service says so in seconds; no time at all says nothing."""
    told = answer.headers.get("retry-after", "")
    return float(told) or None if told.replace(".", "", 1).isdecimal() else None
