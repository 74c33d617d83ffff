"""A Lotse in a process of its own, and people who use it over HTTP as their browsers and platforms would."""

import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import httpx
from patience import eventually

SCRIPT = Path(__file__).parent / "lotse_process.py"
LONGEST_WAIT = 90.0  # seconds; a lease that a killed process left behind ends after five


class ServedLotse:
    """One Lotse at one address, over any number of starts."""

    def __init__(self, database_url: str, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self.command = [sys.executable, str(SCRIPT), database_url, str(folder), str(self.port), *options]
        self.starts = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.starts += 1
        with (self.folder / "lotse.log").open("ab") as log:
            self.process = subprocess.Popen(self.command, cwd=self.folder, stdout=log, stderr=log)  # noqa: S603
        assert eventually(self.answers, LONGEST_WAIT), self.log()

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz").is_success
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """`kill -9`: no last words."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Ask it to end, as an operator would."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    def log(self) -> str:
        return (self.folder / "lotse.log").read_text("utf-8")


class Browser:
    """One person, signed in. What they send is repeated until it is acknowledged, with the same id, as platforms do."""

    def __init__(self, url: str, person: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=10)
        signed_in = self.http.post("/signin", data={"person": person, "csrf": self._form_token()})
        assert signed_in.status_code == 303, signed_in.text
        self.http.headers["x-csrf-token"] = self.http.get("/api/me").json()["csrf_token"]

    def _form_token(self) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.http.get("/signin").text)
        assert found is not None
        return found.group(1)

    def get(self, path: str, **query: str) -> Any:
        return self.http.get(path, params=query).raise_for_status().json()

    def send(self, path: str, **body: Any) -> Any:
        """Post until it is acknowledged; what came back."""
        body["source_id"] = str(body.get("source_id") or uuid4())
        deadline = time.monotonic() + LONGEST_WAIT
        while True:
            try:
                answer = self.http.post(path, json=body)
                if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                    return answer.raise_for_status().json()
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline, f"{path} was never acknowledged"
            time.sleep(0.05)

    def thread(self) -> list[dict[str, Any]]:
        """What the chat page shows."""
        messages: list[dict[str, Any]] = self.get("/api/chat/messages")["messages"]
        return messages

    def ask(self, text: str) -> list[dict[str, Any]]:
        """Write, and wait until Lotse has said everything; what is new on the page, own words left out."""
        before = {one["id"] for one in self.thread()}
        self.send("/api/chat/messages", text=text)
        self.wait()
        return [one for one in self.thread() if one["id"] not in before and not one["own"]]

    def wait(self) -> None:
        """Until Lotse has said everything."""
        assert eventually(self.settled, LONGEST_WAIT), "Lotse is not done"

    def settled(self) -> bool:
        """Whether everything in the own thread is handled and delivered."""
        try:
            return not self.get("/api/chat/messages")["typing"]
        except httpx.TransportError:
            return False

    def close(self) -> None:
        self.http.close()


def same_id(name: str) -> UUID:
    """An id that is the same at every repeat."""
    return uuid5(NAMESPACE_URL, name)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
