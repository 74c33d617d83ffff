"""People who use the pages in a browser of their own."""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from fastapi.testclient import TestClient
from httpx import Response
from world import World


class Visit:
    """One person's browser: signs in, keeps the cookie, sends the token with everything that changes something."""

    def __init__(self, world: World, person: str | None) -> None:
        self.world = world
        self.http = TestClient(
            world.app.web, base_url="http://localhost", raise_server_exceptions=False, follow_redirects=False
        )
        self.token = ""
        if person is not None:
            self.sign_in(person)

    def sign_in(self, person: str) -> None:
        answer = self.http.post("/signin", data={"person": person, "csrf": self.form_token("/signin")})
        assert answer.status_code == 303, answer.text
        self.token = self.http.get("/api/me").json()["csrf_token"]

    def form_token(self, path: str) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.http.get(path).text)
        assert found is not None
        return found.group(1)

    def get(self, path: str, **more: Any) -> Response:
        return self.http.get(path, **more)

    def send(self, method: str, path: str, **more: Any) -> Response:
        headers = {"x-csrf-token": self.token} | more.pop("headers", {})
        return self.http.request(method, path, headers=headers, **more)

    def post(self, path: str, **json: Any) -> Response:
        return self.send("POST", path, json=json)

    # --- what people do -------------------------------------------------------------------------------------------
    def writes(self, text: str, **more: Any) -> Response:
        """Write in the chat; Lotse works on it at once."""
        answer = self.post("/api/chat/messages", text=text, source_id=str(uuid4()), **more)
        self.world.settle()
        return answer

    def wants_person(self) -> str:
        """Ask for a person; the number of the ticket."""
        self.writes("Der Etikettendrucker druckt alles doppelt")
        assert self.post("/api/presses", action="person").json()["ok"]
        self.world.settle()
        return self.world.ticket().number

    def on_ticket(self, number: str, text: str, *, note: bool = False) -> Response:
        answer = self.post(f"/api/tickets/{number}/messages", text=text, note=note)
        self.world.settle()
        return answer

    def acts(self, number: str, action: str, **fields: Any) -> Response:
        answer = self.post(f"/api/tickets/{number}/actions", action=action, **fields)
        self.world.settle()
        return answer

    def thread(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = self.get("/api/chat/messages").json()["messages"]
        return messages


Visits = Callable[[str | None], Visit]
