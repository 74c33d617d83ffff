"""Socket Mode of the fake Slack: links, envelopes and their acknowledgements."""

import asyncio
import json
from concurrent.futures import Future
from itertools import count
from threading import Lock
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

from fake_slack_state import State
from starlette.websockets import WebSocket, WebSocketDisconnect

SLOW_LINK = 5.0  # seconds until a link that takes nothing counts as gone


class SocketMode:
    """The links of the app. serve runs in the server's loop, everything else in any thread."""

    def __init__(self, state: State) -> None:
        self.state, self.opened = state, 0
        self.links: list[WebSocket] = []
        self._tickets: set[str] = set()
        self._turn = count()
        self._lock = Lock()
        self._waiting: dict[str, Future[dict[str, Any]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def new_url(self) -> str:
        ticket = uuid4().hex
        self._tickets.add(ticket)
        return f"{self.state.base.replace('http', 'ws', 1)}link/?ticket={ticket}&app_id={self.state.app_id}"

    async def serve(self, link: WebSocket) -> None:
        """One link, from hello until it ends; its ticket counts once."""
        ticket = link.query_params.get("ticket", "")
        if ticket not in self._tickets:
            await link.close(1008)
            return
        self._tickets.remove(ticket)
        self._loop = asyncio.get_running_loop()
        await link.accept()
        await link.send_text(json.dumps(self._hello()))
        with self._lock:
            self.links.append(link)
            self.opened += 1
        try:
            while True:
                self._take(json.loads(await link.receive_text()))
        except WebSocketDisconnect:
            pass
        finally:
            self._forget(link)

    def _hello(self) -> dict[str, Any]:
        debug = {"host": "applink-fake", "build_number": 1, "approximate_connection_time": 18060}
        info = {"app_id": self.state.app_id}
        return {"type": "hello", "num_connections": len(self.links) + 1, "debug_info": debug, "connection_info": info}

    def _take(self, answer: dict[str, Any]) -> None:
        waiting = self._waiting.pop(answer.get("envelope_id", ""), None)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def _forget(self, link: WebSocket) -> None:
        with self._lock:
            if link in self.links:
                self.links.remove(link)

    def wait_for_link(self, seconds: float) -> bool:
        """Whether the app has a link, at the latest after these seconds."""
        deadline = monotonic() + seconds
        while not self.links and monotonic() < deadline:
            sleep(0.01)
        return bool(self.links)

    def send(self, envelope: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """One envelope over one of the links; its acknowledgement, None when there was none in time."""
        if not self.wait_for_link(seconds):
            return None
        waiting: Future[dict[str, Any]] = Future()
        self._waiting[envelope["envelope_id"]] = waiting
        try:
            self._say(self._next_link(), envelope)
            return waiting.result(seconds)
        except (TimeoutError, RuntimeError, IndexError, WebSocketDisconnect):
            return None
        finally:
            self._waiting.pop(envelope["envelope_id"], None)

    def _next_link(self) -> WebSocket:
        with self._lock:
            return self.links[next(self._turn) % len(self.links)]

    def _say(self, link: WebSocket, message: dict[str, Any]) -> None:
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(link.send_text(json.dumps(message)), self._loop).result(SLOW_LINK)

    def disconnect(self, reason: str) -> None:
        """Ask the app to take new links; Slack itself ends the old ones only seconds later."""
        for link in list(self.links):
            self._say(link, {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-fake"}})

    def drop(self, link: WebSocket) -> None:
        """End a link without a word."""
        assert self._loop is not None
        self._forget(link)
        asyncio.run_coroutine_threadsafe(_ended(link), self._loop).result(SLOW_LINK)


async def _ended(link: WebSocket) -> None:
    try:
        await link.close(1001)
    except RuntimeError:  # the app was faster
        return
