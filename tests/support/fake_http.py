"""How the fakes serve real HTTP: in a thread, on a free port of this machine, with requests that can end unanswered."""

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

UNANSWERED = 0  # as a status: whoever asks gets no answer
Broken = Callable[[Request, Exception], None]


def serve(routes: list[BaseRoute], broken: Broken | None = None) -> ASGIApp:
    """An app whose answers of status `UNANSWERED` cut the connection.

    A request that is given up before its body was here has never been made: nothing happens, nothing is noted.
    broken: told of every other error in the fake itself, which must fail the test.
    """

    async def given_up(request: Request, error: Exception) -> Response:
        return Response(status_code=UNANSWERED)

    async def failed(request: Request, error: Exception) -> Response:
        if broken is not None:
            broken(request, error)
        return Response(status_code=500)

    app = Starlette(routes=routes, exception_handlers={ClientDisconnect: given_up, Exception: failed})

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        transport = getattr(getattr(send, "__self__", None), "transport", None)

        async def unless_lost(message: Any) -> None:
            if message.get("status") == UNANSWERED:
                transport.abort()
                await asyncio.sleep(0.01)  # the connection is gone before the request is
            if not transport.is_closing():
                await send(message)

        await app(scope, receive, unless_lost)

    return wrapped


class _Server(uvicorn.Server):
    async def main_loop(self) -> None:
        """As uvicorn's, but looking for the end more often: every test waits for it."""
        await self.on_tick(0)
        while not self.should_exit:
            await asyncio.sleep(0.01)


class ServerThread:
    """uvicorn in a thread. name: what the thread is called, and who is said not to stop."""

    def __init__(self, app: ASGIApp, name: str) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        config = uvicorn.Config(
            app, lifespan="off", log_config=None, ws="websockets-sansio", timeout_graceful_shutdown=2
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)

    def _serve(self) -> None:
        self._server.run([self._socket])

    def start(self) -> None:
        self._socket.listen(128)
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()
        assert not self._thread.is_alive(), f"{self._thread.name} does not stop"
