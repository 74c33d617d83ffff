"""People on the web pages of a Lotse that is on chat platforms, too."""

from typing import Protocol

from chat_records import Lived
from fakes import FakeClock
from harness import WebHarness

from handoff.models import Ticket


class Settled(Lived, Protocol):
    """A world in which everything is worked off with `settle`."""

    clock: FakeClock

    def settle(self) -> None: ...

    def ticket(self) -> Ticket: ...


class Browsers(WebHarness):
    """People on the web pages of a Lotse that is on chat platforms, too."""

    def __init__(self, world: Settled) -> None:
        super().__init__(world.app, world.clock, base_url=base_url(world))
        self.world = world

    def settle(self) -> None:
        self.world.settle()

    def close(self) -> None:
        for http, _ in self.browsers.values():
            http.close()

    def sends_file(self, person: str, path: str, text: str, name: str, content: bytes, **fields: str) -> None:
        """Write with a file, and everything is worked off."""
        http, token = self.browser(person)
        form = {"text": text, **fields}
        answer = http.post(path, data=form, files={"files": (name, content)}, headers={"x-csrf-token": token})
        assert answer.is_success, answer.text
        self.settle()

    def files(self) -> dict[str, bytes]:
        """What the employee can open in their thread: name and content."""
        kept = [file for message in self.thread() for file in message["files"]]
        return {file["name"]: self.browser("konrad")[0].get(file["url"]).content for file in kept}

    def story(self) -> str:
        """What an agent reads on the desk."""
        return self.desk_sees(self.world.ticket().number)


def base_url(world: Lived) -> str:
    """Where the pages are for somebody at this machine: over https where the cookies are for https only."""
    public = world.app.settings.web.public_url or ""
    return "https://localhost" if public.startswith("https://") else "http://localhost"
