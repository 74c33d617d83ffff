"""A running Lotse on a free port of this machine, and a real Chromium to walk through it."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fake_embedder import HashEmbedder
from fakes import FakeUnderstander
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, sync_playwright
from world import INTENTS, by_words

from bot.app import App, build_app
from bot.settings import Settings
from kb_index.articles import ArticleDraft, publish_article, save_draft
from kb_index.confidence import store_calibration

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 10_000  # milliseconds until something must be on the page


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass
class House:
    """A Lotse that serves."""

    app: App
    address: str

    def publish(self, title: str, body: str, language: str = "de") -> int:
        house = self.app.house
        with house.sessions.begin() as session:
            article = save_draft(session, ArticleDraft(title, body, language), "sabine").id
        publish_article(house.sessions, house.knowledge.embedder, article, "sabine")
        return article


@pytest.fixture
def house(sqlite_template: Path, tmp_path: Path) -> Iterator[House]:
    file = tmp_path / "lotse.db"
    shutil.copy(sqlite_template, file)
    app = build_app(settings_for(file, tmp_path), embedder=HashEmbedder(), understander=FakeUnderstander(INTENTS))
    with app.house.sessions.begin() as session:
        store_calibration(session, [by_words(language) for language in ("de", "en")])
    config = uvicorn.Config(app.web, host="127.0.0.1", port=0, log_config=None, ws="none", timeout_graceful_shutdown=2)
    server, socket = uvicorn.Server(config), config.bind_socket()
    thread = threading.Thread(target=server.run, args=([socket],))
    app.start()
    thread.start()
    wait_until(lambda: server.started)
    yield House(app, f"http://127.0.0.1:{socket.getsockname()[1]}")
    app.doorbell.close()
    server.should_exit = True
    thread.join()
    app.stop()


def settings_for(file: Path, folder: Path) -> Settings:
    return Settings.model_validate(
        {
            "database": {"url": f"sqlite:///{file}"},
            "knowledge": {"cache": folder / "knowledge"},
            "answering": {"merge_window": 0.1, "ask_facts": False},
        }
    )


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError("the server did not start")
        time.sleep(0.02)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, else Playwright's own; the tests are skipped where there is none.

    One a file: while it is open an event loop runs in this thread, which tests of other files bring themselves.
    """
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


def launch(playwright: Playwright) -> Browser:
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    try:
        return playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
    except Error as error:
        pytest.skip(f"no Chromium to run the browser tests in (apt-get install chromium): {error.message[:80]}")


class Walker:
    """Opens the pages as one person. What the browser complains about fails the test."""

    def __init__(self, chromium: Browser, house: House) -> None:
        self.chromium = chromium
        self.house = house
        self.contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def sign_in(self, person: str, path: str = "/", **options: Any) -> Page:
        context = self.chromium.new_context(**({"locale": "de-DE"} | options))
        context.set_default_timeout(PATIENCE)
        self.contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(f"{self.house.address}/signin?next={path}")
        page.click(f'button[value="{person}"]')
        page.wait_for_selector("#main")
        if path == "/":
            page.goto(self.house.address + path)
        return page


@pytest.fixture
def walker(chromium: Browser, house: House) -> Iterator[Walker]:
    opened = Walker(chromium, house)
    yield opened
    for context in opened.contexts:
        context.close()
    assert opened.complaints == []
