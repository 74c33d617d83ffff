"""Slack: its events and presses become messages of the record. The same listeners in Socket Mode and over HTTP."""

import asyncio
import logging
import re
import threading
from collections.abc import Mapping
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.channels.lists import Found, known_names, search_text
from bot.channels.slack import presses, surfaces
from bot.channels.slack.edge import Edge
from bot.channels.slack.events import DM, is_search, own_post_deleted, source_id, to_incoming
from bot.channels.slack.post import SlackChannel
from bot.channels.slack.workspaces import INSTALL_PATH, REDIRECT_PATH, Workspaces, error_code, make_bolt_app
from bot.engine import Engine
from bot.house import House
from bot.posts import address_of
from handoff.inbox import find_message
from handoff.models import ConversationState, Kind, Message
from handoff.outbox import update_card

logger = logging.getLogger(__name__)
EVENTS_PATH = "/slack/events"
ANYTHING_ELSE = re.compile(".*")
TIMESTAMP = re.compile(r"[0-9]{1,20}")
CONNECT_AGAIN = 5.0  # seconds between two tries to reach Slack's Socket Mode
STOP_SECONDS = 5.0


class SlackEdge:
    """Slack's way into Lotse: started and stopped with it."""

    def __init__(self, house: House, engine: Engine, workspaces: Workspaces, channel: SlackChannel) -> None:
        self.settings = house.settings
        self.workspaces = workspaces
        self.edge = Edge(house, engine, workspaces, channel)
        self.bolt = make_bolt_app(workspaces, house.settings)
        register(self.bolt, self.edge)
        presses.register(self.bolt, self.edge)
        surfaces.register(self.bolt, self.edge)
        if workspaces.by_oauth:
            self.bolt.enable_token_revocation_listeners()
        register_rest(self.bolt)
        self.handler = AsyncSlackRequestHandler(self.bolt)
        self.socket: SocketThread | None = None

    def start(self) -> None:
        """Begin to listen. Raises WrongToken or WrongKey when Slack will never take what the settings name."""
        self.workspaces.warm_up()
        self.edge.channel.names.update(known_names(self.edge.house, "slack"))
        if self.settings.slack.mode == "socket":
            token = self.settings.secret(self.settings.slack.app_token_env) or ""
            self.socket = SocketThread(self.bolt, token)
            self.socket.start()

    def stop(self) -> None:
        if self.socket is not None:
            self.socket.stop()
        self.edge.close()

    def routes(self) -> list[Route]:
        """What Slack and installing people reach over HTTP, in Lotse's own web process."""
        routes = [Route(EVENTS_PATH, self._take, methods=["POST"])] if self.settings.slack.mode == "http" else []
        if self.workspaces.by_oauth:
            routes += [Route(path, self._take, methods=["GET"]) for path in (INSTALL_PATH, REDIRECT_PATH)]
        return routes

    async def _take(self, request: Request) -> Response:
        if not TIMESTAMP.fullmatch(request.headers.get("x-slack-request-timestamp", "0")):
            return Response(status_code=401)  # Bolt would fail on it, and log that as a fault of ours
        return await self.handler.handle(request)

    def health(self) -> dict[str, Any]:
        """Whether Slack's events can reach us, as far as we know."""
        mode = str(self.settings.slack.mode)
        if self.socket is None or self.socket.is_connected():
            return {"state": "ok", "mode": mode}
        return {"state": "degraded", "mode": mode, "reason": "not connected to Slack; it is tried again and again"}


class SocketThread(threading.Thread):
    """Socket Mode in a thread with an event loop of its own: a busy page never delays an acknowledgement."""

    def __init__(self, bolt: AsyncApp, app_token: str) -> None:
        super().__init__(name="slack-socket", daemon=True)
        self.bolt = bolt
        self.app_token = app_token
        self.loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None
        self._handler: AsyncSocketModeHandler | None = None

    def run(self) -> None:
        asyncio.run(self._listen())

    async def _listen(self) -> None:
        self.loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        self._handler = AsyncSocketModeHandler(self.bolt, self.app_token)
        try:
            while not self._ending.is_set() and not await self._connect(self._handler):
                await wait_for(self._ending, CONNECT_AGAIN)
            await self._ending.wait()
        finally:
            await self._handler.close_async()  # type: ignore[no-untyped-call]
            await self._finish()

    async def _connect(self, handler: AsyncSocketModeHandler) -> bool:
        try:
            await handler.connect_async()  # type: ignore[no-untyped-call]
        except Exception as error:  # noqa: BLE001 - whatever keeps us from Slack, it is tried again
            reason = error_code(error) if isinstance(error, SlackApiError) else type(error).__name__
            logger.warning("Slack's Socket Mode cannot be reached: %s", reason)
            return False
        return True

    async def _finish(self) -> None:
        """End what is still being done: what was not stored is not acknowledged, and Slack brings it again."""
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def is_connected(self) -> bool:
        """Whether there is a link to Slack now."""
        session = self._handler.client.current_session if self._handler is not None else None
        return session is not None and not session.closed

    def stop(self) -> None:
        if self.loop is not None and self._ending is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._ending.set)
        self.join(STOP_SECONDS)


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


# --- listeners --------------------------------------------------------------------------------------------------------
def register(bolt: AsyncApp, edge: Edge) -> None:
    """What people write, and who comes and goes."""

    async def on_message(event: dict[str, Any], context: dict[str, Any]) -> None:
        await take_message(edge, event, context)

    async def on_joined(event: dict[str, Any]) -> None:
        edge.members.joined(event["channel"], event["user"])

    async def on_left(event: dict[str, Any]) -> None:
        edge.members.left(event["channel"], event["user"])

    async def on_error(error: Exception) -> BoltResponse:
        logger.error("something from Slack could not be taken (%s)", type(error).__name__)
        return BoltResponse(status=500)

    bolt.event("message")(on_message)
    bolt.event("app_mention")(on_message)
    bolt.event("member_joined_channel")(on_joined)
    bolt.event("member_left_channel")(on_left)
    bolt.error(on_error)


def register_rest(bolt: AsyncApp) -> None:
    """Everything else Slack may send is acknowledged: what is not, Slack repeats, and in the end it sends nothing."""

    async def on_anything_else() -> None:
        return

    bolt.event(ANYTHING_ELSE)(on_anything_else)


async def take_message(edge: Edge, event: Mapping[str, Any], context: Mapping[str, Any]) -> None:
    """Store what somebody wrote, changed or deleted. A word to Lotse in a team room is a search, never a reply."""
    here = edge.here(context)
    note_deletion(edge, event, context)
    incoming = to_incoming(event, here)
    if incoming is None:
        return
    channel = incoming.address.channel
    changes = incoming.edits is not None or incoming.deletes is not None
    if channel in edge.team_rooms() and is_search(event, here):
        if not changes and edge.is_new(incoming.source_id):
            edge.afterwards(search_in_team_room(edge, here.team, event, incoming.text))
        return
    stored = await edge.receive(incoming)
    if stored is not None and channel.startswith(DM) and not changes:
        edge.afterwards(show_working(edge, here.team, event, stored))


def note_deletion(edge: Edge, event: Mapping[str, Any], context: Mapping[str, Any]) -> None:
    """A message is gone: its thread may be, too, and a card is posted anew."""
    gone = event.get("deleted_ts") or (event.get("previous_message") or {}).get("ts")
    if gone is None:
        return
    edge.channel.forget_thread(event["channel"], gone)
    own = own_post_deleted(event, context.get("bot_id") or "")
    if own is not None:
        edge.afterwards(restore_card(edge, event["channel"], own))


async def restore_card(edge: Edge, channel: str, ts: str) -> None:
    """A card that somebody deleted is drawn again: delivery finds its thread gone and opens a new one."""

    def redraw() -> None:
        with edge.house.sessions.begin() as session:
            card = find_message(session, "slack", source_id(channel, ts))
            if card is not None and card.kind == Kind.CARD:
                update_card(session, card.conversation)
        edge.house.bell.ring()

    await edge.store(redraw)


async def search_in_team_room(edge: Edge, team: str, event: Mapping[str, Any], words: str) -> None:
    """Agents ask the knowledge base in their room; only who asked sees the answer."""
    texts = await edge.texts_for(team, event["user"])
    found = Found(texts("usage_agents"))
    if words.strip():
        found = await edge.ask(lambda: search_text(edge.house, words, texts, edge.channel.absolute))
    await edge.tell(team, event["channel"], event["user"], found.text, event.get("thread_ts"), found.links)


async def show_working(edge: Edge, team: str, event: Mapping[str, Any], message_id: int) -> None:
    """Say where the answer will stand that it is being worked on; the answer takes it away."""
    thread = await edge.store(lambda: thread_of_answer(edge.house, message_id))
    if thread is None:
        return
    texts = await edge.texts_for(team, event["user"])
    client = await edge.ask(lambda: edge.workspaces.async_client(team))
    await client.assistant_threads_setStatus(channel_id=event["channel"], thread_ts=thread, status=texts("working"))


def thread_of_answer(house: House, message_id: int) -> str | None:
    """Where Lotse will answer a message; None when it has been, or a person has the case."""
    with house.sessions() as session:
        message = session.get_one(Message, message_id)
        if message.handled_at is not None or message.conversation.state == ConversationState.WITH_PERSON:
            return None
        return address_of(message.place).thread
