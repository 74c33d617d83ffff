"""What serves the fakes tells a request that was given up from an error of the fake itself."""

import socket
from collections.abc import Awaitable, Callable, Iterator

import httpx
import pytest
from fake_http import UNANSWERED, ServerThread, serve
from fake_slack import FakeSlack
from fake_teams import FakeTeams
from patience import eventually
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route


class Served:
    """A fake with three ways of answering. made: the bodies that arrived; broken: what failed."""

    def __init__(self) -> None:
        self.begun = 0
        self.made: list[bytes] = []
        self.broken: list[Exception] = []
        routes = [Route(path, answer, methods=["POST"]) for path, answer in self.ways().items()]
        self.thread = ServerThread(serve(routes, lambda _, error: self.broken.append(error)), "served")
        self.base = f"http://127.0.0.1:{self.thread.port}"

    def ways(self) -> dict[str, Callable[[Request], Awaitable[Response]]]:
        async def read(request: Request) -> Response:
            self.begun += 1
            self.made.append(await request.body())
            return PlainTextResponse("read")

        async def unanswered(_: Request) -> Response:
            return Response(status_code=UNANSWERED)

        async def fails(_: Request) -> Response:
            raise ZeroDivisionError

        return {"/read": read, "/unanswered": unanswered, "/fails": fails}


@pytest.fixture
def served() -> Iterator[Served]:
    one = Served()
    one.thread.start()
    yield one
    one.thread.stop()


def post_half(port: int, path: str) -> socket.socket:
    """A request whose body is announced, and does not come whole."""
    line = socket.create_connection(("127.0.0.1", port))
    kind = "application/x-www-form-urlencoded"
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: 10\r\n\r\n"
    line.sendall(head.encode() + b"half")
    return line


def test_a_request_given_up_before_its_body_was_here_was_never_made(served: Served) -> None:
    line = post_half(served.thread.port, "/read")
    assert eventually(lambda: served.begun == 1)
    line.close()
    assert httpx.post(f"{served.base}/read", content=b"whole", trust_env=False).text == "read"
    assert served.made == [b"whole"]
    assert served.broken == []


def test_an_error_of_the_fake_is_told(served: Served) -> None:
    assert httpx.post(f"{served.base}/fails", trust_env=False).status_code == 500
    assert [type(error) for error in served.broken] == [ZeroDivisionError]


def test_a_request_can_stay_unanswered(served: Served) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(f"{served.base}/unanswered", trust_env=False)
    assert served.broken == []


def test_a_bot_that_ends_while_it_asks_has_not_broken_the_fakes() -> None:
    with FakeTeams() as teams, FakeSlack() as slack:
        for port, path in (
            (httpx.URL(teams.service_url).port, "/login/x/oauth2/v2.0/token"),
            (httpx.URL(slack.url).port, "/api/auth.test"),
        ):
            assert port is not None
            post_half(port, path).close()
            assert httpx.get(f"http://127.0.0.1:{port}/nowhere", trust_env=False).status_code == 404
        assert [call.path for call in teams.calls] == ["/nowhere"]
        assert slack.api.calls == []
    # leaving them asserts that nothing is broken
