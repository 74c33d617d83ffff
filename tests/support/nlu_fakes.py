"""A little Rasa on loopback that behaves as told."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "the-token"


def parsed(text: str, intent: str = "greet", confidence: float = 0.9, entities: Any = ()) -> dict[str, Any]:
    """What Rasa answers to /model/parse."""
    return {"text": text, "intent": {"name": intent, "confidence": confidence}, "entities": list(entities)}


class _Quiet(ThreadingHTTPServer):
    """Says nothing about clients that went away: making them go away is what the tests do."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        return


class LittleServer:
    """A real HTTP server: `answer` makes the body from the text asked about, `status` and `delay` (s) are as set."""

    def __init__(self) -> None:
        self.answer: Callable[[str], Any] = parsed
        self.status = 200
        self.delay = 0.0
        self.drip = 0.0
        self.asked: list[str] = []
        self._gone = threading.Event()
        self._http = _Quiet(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._gone.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"]
                outer.asked.append(text)
                outer._gone.wait(outer.delay)
                self._send(outer.answer(text))

            def do_GET(self) -> None:
                self._send({"model_file": "model.tar.gz"})

            def _send(self, answer: Any) -> None:
                allowed = parse_qs(urlsplit(self.path).query).get("token") == [TOKEN]
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(outer.status if allowed else 401)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self._write(body)

            def _write(self, body: bytes) -> None:
                try:
                    for start in range(0, len(body), 10 if outer.drip else len(body)):
                        self.wfile.write(body[start : start + (10 if outer.drip else len(body))])
                        outer._gone.wait(outer.drip)
                except OSError:
                    return

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
                return

        return Handler
