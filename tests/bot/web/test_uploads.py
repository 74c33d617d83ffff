"""Files: kept with the message, or the person is told which was not and why."""

import asyncio
import tracemalloc
from typing import Any

import pytest
from visits import Visits
from world import World

from bot.web.uploads import plain_name


def test_file_comes_back_as_a_download(visit: Visits) -> None:
    jette = visit("jette")
    upload = {"files": ("Fehler <1>.html", b"<script>alert(1)</script>", "text/html")}
    jette.send("POST", "/api/chat/messages", data={"text": ""}, files=upload)
    file = jette.thread()[0]["files"][0]
    answer = jette.get(file["url"])
    assert answer.content == b"<script>alert(1)</script>"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "Fehler &lt;1&gt;.html" in jette.get("/").text


def test_upload_of_30_mb_keeps_the_message_and_tells_which_file_and_why(world: World, visit: Visits) -> None:
    jette = visit("jette")
    content = b"0" * (30 * 1024 * 1024)
    upload = [("files", ("video.mp4", content, "video/mp4")), ("files", ("log.txt", b"E-77", "text/plain"))]
    answer = jette.send("POST", "/api/chat/messages", data={"text": "Hier ist es zu sehen"}, files=upload)
    assert answer.status_code == 201
    assert [(file["name"], file["reason"]) for file in answer.json()["refused"]] == [("video.mp4", "too_large")]
    assert "10 MB" in answer.json()["refused"][0]["detail"]
    world.settle()
    message = jette.thread()[0]
    assert message["text"] == "Hier ist es zu sehen"
    assert [(file["name"], file["refused"]) for file in message["files"]] == [
        ("video.mp4", "too_large"),
        ("log.txt", None),
    ]
    assert message["files"][0]["url"] is None
    assert any("video.mp4" in told["text"] for told in jette.thread()[1:])


def test_big_file_is_never_held_in_memory(visit: Visits) -> None:
    jette = visit("jette")
    cookie = "; ".join(f"{name}={value}" for name, value in jette.http.cookies.items())
    headers = {
        "host": "localhost", "cookie": cookie, "x-csrf-token": jette.token,
        "content-type": "multipart/form-data; boundary=xx",
    }  # fmt: skip
    status, peak = asyncio.run(stream_upload(jette.http.app, headers, megabytes=30))
    assert status == 201
    assert jette.thread()[0]["files"][0]["refused"] == "too_large"
    assert peak < 4 * 1024 * 1024


async def stream_upload(app: Any, headers: dict[str, str], megabytes: int) -> tuple[int, int]:
    """Send a file in small pieces; the status, and the most memory that was taken meanwhile, in bytes."""
    head = b'--xx\r\ncontent-disposition: form-data; name="files"; filename="a.bin"\r\n\r\n'
    tail = b'\r\n--xx\r\ncontent-disposition: form-data; name="text"\r\n\r\nHi\r\n--xx--\r\n'
    pieces = iter([head, *[b""] * (megabytes * 16), tail])
    started: list[int] = []

    async def receive() -> dict[str, Any]:
        piece = next(pieces, None)
        if piece is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece or bytes(64 * 1024), "more_body": piece is not tail}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            started.append(message["status"])

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": "/api/chat/messages", "raw_path": b"/api/chat/messages", "query_string": b"", "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1), "server": ("localhost", 80),
    }  # fmt: skip
    tracemalloc.start()
    try:
        await app(scope, receive, send)
        return started[0], tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["setup.exe", "SETUP.EXE", "run.ps1", "note.txt.js", "x.bat"])
def test_programs_are_refused_and_the_message_is_kept(visit: Visits, name: str) -> None:
    jette = visit("jette")
    answer = jette.send("POST", "/api/chat/messages", data={"text": "Das da"}, files={"files": (name, b"MZ")})
    assert answer.json()["refused"][0]["reason"] == "not_allowed"
    assert jette.thread()[0]["text"] == "Das da"


def test_requester_is_told_in_the_chat_that_a_program_was_not_kept(world: World, visit: Visits) -> None:
    jette = visit("jette")
    jette.send("POST", "/api/chat/messages", data={"text": "Das da"}, files={"files": ("setup.exe", b"MZ")})
    world.settle()
    assert any("setup.exe" in told["text"] for told in jette.thread()[1:])


def test_json_body_over_a_megabyte_is_413(visit: Visits) -> None:
    assert visit("jette").post("/api/chat/messages", text="x" * 2_000_000).status_code in {413, 422}
    assert visit("jette").post("/api/presses", action="x" * 2_000_000).status_code == 413


def test_more_than_ten_files_are_refused(visit: Visits) -> None:
    jette = visit("jette")
    many = [("files", (f"{n}.txt", b"x")) for n in range(11)]
    assert jette.send("POST", "/api/chat/messages", data={"text": "viele"}, files=many).status_code == 400
    assert jette.thread() == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\a.txt", "a.txt"),
        ("a\r\nb.txt", "ab.txt"),
        ("\u202egnp.exe", "gnp.exe"),
        ("", "file"),
        ("ü" * 300 + ".txt", "ü" * 146 + ".txt"),
    ],
)
def test_file_names_lose_folders_and_control_characters(given: str, kept: str) -> None:
    assert plain_name(given) == kept
