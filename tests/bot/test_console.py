"""The terminal: lines are said, numbers press buttons, markup in what people write is shown as written."""

import io
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from harness import real_app
from rich.console import Console
from world import VPN, VPN_QUESTION

from bot.app import App
from bot.channels.console import HERE, ConsoleChannel, Terminal
from bot.channels.port import Button, Link, Reply
from handoff.models import Message


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[App]:
    app, _ = real_app(database_url, tmp_path)
    yield app
    app.stop()


class Typed(Terminal):
    """A terminal whose lines were written beforehand; time passes after each."""

    def __init__(self, app: App, *lines: str) -> None:
        self.shown = io.StringIO()
        channel = app.channels["console"]
        assert isinstance(channel, ConsoleChannel)
        super().__init__(app.engine, channel, Console(file=self.shown, width=100, highlight=False))
        self.app, self.lines = app, list(lines)

    def _read(self) -> str | None:
        return self.lines.pop(0) if self.lines else None

    def _listen(self) -> None:
        self.app.house.clock.move(seconds=3)  # type: ignore[attr-defined]
        self.app.worker.work_off()
        self.buttons = []
        while not self.channel.said.empty():
            self._show(*self.channel.said.get())


def test_a_question_is_answered_and_a_number_presses_its_button(app: App) -> None:
    terminal = Typed(app, VPN_QUESTION, "1")
    terminal.talk()
    shown = terminal.shown.getvalue()
    assert VPN[0] in shown
    assert "(1) Das hat geholfen" in shown
    assert "Das freut mich!" in shown


def test_empty_lines_say_nothing(app: App) -> None:
    Typed(app, "", "   ").talk()
    with app.house.sessions() as session:
        assert session.query(Message).count() == 0


def test_a_number_without_a_button_is_said(app: App) -> None:
    Typed(app, "7").talk()
    with app.house.sessions() as session:
        first = session.query(Message).order_by(Message.id).first()
    assert first is not None
    assert first.text == "7"


def test_markup_in_names_and_titles_is_shown_as_written(app: App) -> None:
    terminal = Typed(app)
    reply = Reply("Text", (Button("choose", "[red]Titel[/red]"),), (Link("[b]Quelle", "/kb/[1]"),), "[/] Maren")
    terminal._show("1", reply)
    shown = terminal.shown.getvalue()
    for written in ("[red]Titel[/red]", "[b]Quelle", "/kb/[1]", "[/] Maren"):
        assert written in shown


def test_a_post_of_unclear_outcome_is_not_said_twice() -> None:
    channel = ConsoleChannel()
    sent = channel.send(HERE, Reply("Hallo"), "7")
    assert channel.resume(HERE, Reply("Hallo"), "7", datetime.now(UTC)) == sent
    assert channel.said.qsize() == 1


def test_a_post_that_was_never_said_is_said_when_it_is_resumed() -> None:
    channel = ConsoleChannel()
    channel.resume(HERE, Reply("Hallo"), "7", datetime.now(UTC))
    assert channel.said.qsize() == 1


def test_an_update_is_shown_again() -> None:
    channel = ConsoleChannel()
    channel.update(HERE, "said-7", Reply("Neu"))
    assert channel.said.get_nowait() == ("said-7", Reply("Neu"))


def test_listening_ends_when_it_stays_quiet(app: App) -> None:
    terminal = Typed(app)
    threading.Timer(0.05, terminal.channel.said.put, [("1", Reply("Hallo"))]).start()
    Terminal._listen(terminal)
    assert "Hallo" in terminal.shown.getvalue()
