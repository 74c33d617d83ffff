"""The terminal as a channel: one person, one conversation, buttons by number."""

import getpass
import queue
import uuid
from datetime import UTC, datetime

from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape

from bot.channels.port import Address, Button, Channel, Incoming, Parts, Press, Reply, Sender, Sent
from bot.engine import Engine

HERE = Address("console", "terminal")
QUIET_SECONDS = 1.0
LONGEST_WAIT = 60.0


class ConsoleChannel(Channel):
    """Implements Channel: what is said is put into a queue that the terminal reads."""

    platform = "console"

    def __init__(self) -> None:
        self.said: queue.Queue[tuple[str, Reply]] = queue.Queue()
        self._posted: dict[str, Sent] = {}

    def send(self, address: Address, reply: Reply, key: str) -> Sent:
        self.said.put((key, reply))
        self._posted[key] = Sent(f"said-{uuid.uuid4()}", address)
        return self._posted[key]

    def update(self, address: Address, platform_id: str, reply: Reply, parts: Parts = ()) -> Parts:
        self.said.put((platform_id, reply))
        return ()

    def resume(self, address: Address, reply: Reply, key: str, since: datetime, parts: Parts = ()) -> Sent:
        return self._posted.get(key) or self.send(address, reply, key)


class Terminal:
    """Asks and answers in a terminal until an empty line or Ctrl-D."""

    def __init__(self, engine: Engine, channel: ConsoleChannel, out: Console | None = None) -> None:
        self.engine = engine
        self.channel = channel
        self.out = out or Console(highlight=False)
        self.sender = Sender("console", getpass.getuser(), getpass.getuser())
        self.buttons: list[tuple[str, Button]] = []

    def talk(self) -> None:
        """Read lines; a number presses the button of that number, anything else is said."""
        self.out.print(
            "Fragen Sie etwas, oder drücken Sie eine Schaltfläche mit ihrer Nummer. / Ask, or press a button by"
        )
        self.out.print("its number. Strg-D / Ctrl-D: Ende / quit.\n")
        while (line := self._read()) is not None:
            if line.strip():
                self._say(line.strip())
                self._listen()

    def _read(self) -> str | None:
        try:
            return input("> ")
        except EOFError:
            return None

    def _say(self, line: str) -> None:
        source_id = str(uuid.uuid4())
        if line.isdecimal() and 1 <= int(line) <= len(self.buttons):
            key, button = self.buttons[int(line) - 1]
            self.engine.press(Press(HERE, self.sender, button.action, button.value, source_id, on=key))
        else:
            self.engine.receive(Incoming(HERE, self.sender, line, source_id, datetime.now(UTC)))

    def _listen(self) -> None:
        """Show what is said, until it stays quiet for a moment."""
        wait, self.buttons = LONGEST_WAIT, []
        while True:
            try:
                key, reply = self.channel.said.get(timeout=wait)
            except queue.Empty:
                return
            self._show(key, reply)
            wait = QUIET_SECONDS

    def _show(self, key: str, reply: Reply) -> None:
        if reply.author:
            self.out.print(f"[bold]{escape(reply.author)}[/]")
        self.out.print(Markdown(reply.text))
        for link in reply.links:
            self.out.print(f"  {escape(link.label)}: {escape(link.url)}")
        for button in reply.buttons:
            self.buttons.append((key, button))
            self.out.print(f"  [bold]({len(self.buttons)})[/] {escape(button.label)}")
        self.out.print()
