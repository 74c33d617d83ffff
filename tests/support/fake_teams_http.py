"""A server in a thread, on a free port of this machine, whose requests can end without an answer."""

import asyncio
import socket
import threading
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send


def with_transport(app: ASGIApp) -> ASGIApp:
    """Hands the connection on (`scope["transport"]`), so that a request can end without an answer."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        scope["transport"] = getattr(getattr(send, "__self__", None), "transport", None)

        async def unless_lost(message: Any) -> None:
            if not scope["transport"].is_closing():
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
    """uvicorn in a thread."""

    def __init__(self, app: ASGIApp) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        config = uvicorn.Config(app, lifespan="off", log_config=None, ws="none", timeout_graceful_shutdown=2)
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._serve, name="fake-teams", daemon=True)

    def _serve(self) -> None:
        self._server.run([self._socket])

    def start(self) -> None:
        self._socket.listen(128)
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()
        assert not self._thread.is_alive(), "the fake Teams does not stop"
