"""How the fake Teams reaches a bot: signed activities in process, on one event loop; fifteen seconds, repeats."""

import asyncio
import json
import threading
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from fake_teams_state import State
from starlette.types import ASGIApp

T = TypeVar("T")
ACK_SECONDS, REPEATS = 15.0, 3
PEER = ("52.112.14.7", 51234)  # an address as the real service has one: no loopback


@dataclass(frozen=True)
class Delivery:
    """What became of a delivery. status 0: no answer in time; attempts: how often it was sent; took: how many of them
    were answered below 500; id: of the activity."""

    status: int
    seconds: float
    body: str
    attempts: int
    took: int
    id: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def json(self) -> Any:
        """The body read as JSON, None when it is empty."""
        return json.loads(self.body) if self.body else None


class LoopThread:
    """An event loop in a thread; what the app starts on it goes on until the end."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="fake-teams-bot", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for it, from any other thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def stop(self) -> None:
        """End what is still running there."""
        if not self.loop.is_closed():
            self.run(_cancel_others())
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(10)
            self.loop.close()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()


class Postman:
    """Delivers, waits and repeats. Invokes are never repeated.

    ack_timeout: seconds for an answer; repeats: at most; pause: real seconds between them; lose_acks: how many of the
    next answers to activities get lost; log: every delivery; sent: what was brought with each.
    """

    def __init__(self, state: State) -> None:
        self.state, self.loop = state, LoopThread()
        self.ack_timeout, self.repeats, self.pause, self.lose_acks = ACK_SECONDS, REPEATS, 0.001, 0
        self.log: list[Delivery] = []
        self.sent: list[Mapping[str, Any]] = []
        self.path = "/api/messages"
        self._http: httpx.AsyncClient | None = None

    def connect(self, app: ASGIApp, path: str, peer: tuple[str, int]) -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=peer)
        self._http, self.path = (
            httpx.AsyncClient(transport=transport, base_url="https://lotse.example", trust_env=False),
            path,
        )

    def post(
        self, body: bytes, headers: Mapping[str, str], path: str | None = None, seconds: float | None = None
    ) -> httpx.Response:
        """Post exactly this. Raises TimeoutError; the app goes on with what it began."""
        return self.loop.run(self._post(body, headers, path or self.path, seconds or self.ack_timeout))

    async def _post(self, body: bytes, headers: Mapping[str, str], path: str, seconds: float) -> httpx.Response:
        assert self._http is not None, "connect an app first"
        task = asyncio.ensure_future(self._http.post(path, content=body, headers=dict(headers), timeout=None))
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if not done:
            raise TimeoutError
        return task.result()

    def deliver(self, activity: Mapping[str, Any], authorization: str | None) -> Delivery:
        """Until it is answered below 500 or the repeats are used up."""
        body, headers = json.dumps(activity, ensure_ascii=False).encode(), {"Content-Type": "application/json"}
        if authorization is not None:
            headers["Authorization"] = authorization
        started, once = time.monotonic(), activity.get("type") == "invoke"
        status, text, attempts, took = 0, "", 0, 0
        for attempt in range(1 if once else self.repeats + 1):
            if attempt:
                time.sleep(self.pause)
            attempts += 1
            status, text = self._attempt(body, headers)
            took += 0 < status < 500
            if 0 < status < 500 and (once or not self._loses()):
                break
        delivery = Delivery(status, time.monotonic() - started, text, attempts, took, str(activity.get("id", "")))
        with self.state.lock:
            self.log.append(delivery)
            self.sent.append(activity)
        return delivery

    def _attempt(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        try:
            answer = self.post(body, headers)
        except TimeoutError:
            return 0, ""
        return answer.status_code, answer.text

    def _loses(self) -> bool:
        with self.state.lock:
            self.lose_acks, lost = max(0, self.lose_acks - 1), self.lose_acks > 0
        return lost

    def stop(self) -> None:
        self.loop.stop()
