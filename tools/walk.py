"""Walks through a running demo in a real browser, German and English, checks every step and takes pictures.

make run                                             # in one terminal, with a fresh var/
.venv/bin/python tools/walk.py --pictures FOLDER     # in another
"""

import argparse
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

WIDE, NARROW = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
expect.set_options(timeout=20_000)


@dataclass(frozen=True)
class Words:
    """What the walk says and sees in one language."""

    language: str
    employee: str
    second_agent: str
    sure: str
    near: str
    choice: str
    unknown: str
    fact: str
    reply: str
    note: str
    claim: str
    taken: str
    person_button: str
    still_broken: str
    article: str
    body: str
    publish: str
    write_article: str


GERMAN = Words(
    "de",
    "jette",
    "aylin",
    "Wie finde ich die Seriennummer auf meinem iOS-Gerät?",
    "Wie entferne ich mein altes Gerät aus Intune?",
    "Entfernen Ihres iOS-Geräts",
    "Das Tablet an der Kaffeemaschine zeigt nur noch einen grauen Kreis",
    "Seit heute früh, keine Fehlermeldung",
    "Hallo Jette, ich starte das Tablet aus der Ferne neu.",
    "Gerätenummer KM-02, hängt am Gäste-WLAN",
    "Übernehmen",
    "hat schon Maren Tiede übernommen",
    "Bitte ein Mensch",
    "Geht immer noch nicht",
    "Tablet an der Kaffeemaschine zeigt einen grauen Kreis",
    "Zeigt das Tablet an der Kaffeemaschine nur noch einen grauen Kreis, halten Sie den Knopf an der Seite des Tablets "
    "zehn Sekunden lang gedrückt. Danach startet das Tablet neu und der graue Kreis verschwindet.",
    "Veröffentlichen",
    "Artikel schreiben",
)
ENGLISH = Words(
    "en",
    "owen",
    "tomasz",
    "Caps lock is the wrong way round in my remote desktop session",
    "How do I remove my old device?",
    "Remove your iOS device",
    "The barcode scanner in the goods lift does not beep any more",
    "Since this morning, no error message",
    "Hello Owen, I am pairing the scanner again.",
    "Scanner GL-1, battery is from 2023",
    "Claim",
    "Maren Tiede has already claimed",
    "A person, please",
    "Still broken",
    "Barcode scanner in the goods lift does not beep",
    "If the barcode scanner in the goods lift does not beep any more, take it out of its holder, press both buttons "
    "for ten seconds and put it back. The barcode scanner beeps twice when it is ready.",
    "Publish",
    "Write an article",
)


class Walk:
    """One walk in one language, with a browser window of its own for each person."""

    def __init__(self, browser: Browser, address: str, pictures: Path, words: Words) -> None:
        self.browser = browser
        self.address = address
        self.pictures = pictures
        self.words = words

    @contextmanager
    def person(self, name: str, path: str = "/", **size: int) -> Iterator[Page]:
        locale = "de-DE" if self.words.language == "de" else "en-GB"
        context = self.browser.new_context(viewport=size or WIDE, locale=locale)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"{self.address}/signin?next={path}")
        page.click(f"button[value={name}]")
        page.wait_for_load_state()
        page.goto(self.address + path)
        page.locator(f"button[name=language][value={self.words.language}]").click()
        page.wait_for_load_state()
        yield page
        context.close()

    def show(self, page: Page, name: str) -> None:
        """Take a picture, once everything is drawn."""
        page.wait_for_timeout(400)
        page.screenshot(path=self.pictures / f"{name}-{self.words.language}.png")
        print(f"  {name}-{self.words.language}.png")

    def walk(self) -> None:
        """Every step, in the order in which people would do it."""
        words = self.words
        with self.person(words.employee) as employee:
            self.ask_what_is_known(employee)
            self.ask_something_close(employee)
            number = self.ask_what_is_unknown(employee)
            with (
                self.person("maren", f"/desk/{number}") as agent,
                self.person(words.second_agent, f"/desk/{number}") as other,
            ):
                self.work_on_it(employee, agent, other)
        self.write_the_article()
        self.ask_again()
        with self.person(words.employee, **NARROW) as phone:
            self.show(phone, "chat-narrow")

    def ask_what_is_known(self, employee: Page) -> None:
        say(employee, self.words.sure)
        answer = employee.locator("#thread .answer").last
        expect(answer.locator(".source a")).to_be_visible()
        self.show(employee, "answer")
        answer.get_by_role("button").first.click()
        expect(answer.get_by_role("button")).to_have_count(0)

    def ask_something_close(self, employee: Page) -> None:
        say(employee, self.words.near)
        choices = employee.locator("#thread .ask_back").last
        expect(choices).to_contain_text(self.words.choice)
        self.show(employee, "ask-back")
        choices.get_by_role("button", name=self.words.choice).first.click()
        answer = employee.locator("#thread .answer").last
        expect(answer).to_contain_text(self.words.choice)
        answer.get_by_role("button").first.click()

    def ask_what_is_unknown(self, employee: Page) -> str:
        say(employee, self.words.unknown)
        expect(employee.locator("#thread .say").last.get_by_role("button").first).to_be_visible()
        say(employee, self.words.fact)
        receipt = employee.locator("#thread .receipt").last
        expect(receipt).to_contain_text("TKT-")
        self.show(employee, "ticket")
        found = re.search(r"TKT-\d+", receipt.inner_text())
        assert found is not None
        return found.group()

    def work_on_it(self, employee: Page, agent: Page, other: Page) -> None:
        words = self.words
        expect(agent.locator("#thread")).to_contain_text(words.unknown)
        agent.locator("#thread .evidence summary").last.click()
        self.show(agent, "desk")
        other.evaluate("document.body.addEventListener('lotse:change', (e) => e.stopImmediatePropagation(), true)")
        agent.get_by_role("button", name=words.claim, exact=True).click()
        expect(agent.locator("#facts")).to_contain_text("Maren Tiede")
        other.get_by_role("button", name=words.claim, exact=True).click()
        expect(other.locator("#warned")).to_contain_text(words.taken)
        self.show(other, "second-claim")
        say(agent, words.reply)
        expect(employee.locator("#thread .person").last).to_contain_text(words.reply)
        agent.check('input[name="note"][value="true"]')
        say(agent, words.note)
        expect(agent.locator("#thread .note").last).to_contain_text(words.note)
        self.show(agent, "note")
        self.resolve_and_reopen(employee, agent)

    def resolve_and_reopen(self, employee: Page, agent: Page) -> None:
        resolve(agent)
        button = employee.get_by_role("button", name=self.words.still_broken)
        expect(button).to_be_visible()
        self.show(employee, "resolved")
        button.click()
        expect(agent.locator("#facts .state.in_progress").first).to_be_visible()
        self.show(employee, "reopened")
        expect(employee.locator("#thread")).not_to_contain_text(self.words.note)
        resolve(agent)

    def write_the_article(self) -> None:
        words = self.words
        with self.person("sabine", "/kb/questions") as editor:
            self.show(editor, "questions")
            row = editor.locator(".questions li", has_text=words.unknown[:25])
            row.get_by_role("link", name=words.write_article).click()
            editor.fill('[name="title"]', words.article)
            editor.fill("#article-text", words.body)
            expect(editor.locator("#preview")).to_contain_text(words.body[-30:])
            self.show(editor, "article")
            editor.get_by_role("button", name=words.publish).click()
            editor.wait_for_url(re.compile(r"/kb/articles/\d+$"))

    def ask_again(self) -> None:
        with self.person("konrad" if self.words.language == "de" else "priya") as somebody:
            say(somebody, self.words.unknown)
            expect(somebody.locator("#thread .answer").last).to_contain_text(self.words.body[-30:])
            self.show(somebody, "answered-now")


def say(page: Page, text: str) -> None:
    page.fill("#text", text)
    page.press("#text", "Enter")


def resolve(agent: Page) -> None:
    """Cause and fix, in the form beside the thread."""
    agent.click("#resolve summary")
    agent.fill('#resolve [name="cause"]', "Firmware")
    agent.fill('#resolve [name="fix"]', "Reset")
    agent.click("#resolve button")
    expect(agent.locator("#facts .state.resolved").first).to_be_visible()


def main() -> None:
    """Walk in both languages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="http://127.0.0.1:8080")
    parser.add_argument("--pictures", type=Path, default=Path("var/pictures"))
    chosen = parser.parse_args()
    chosen.pictures.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        for words in (GERMAN, ENGLISH):
            print(f"{words.language}:")
            Walk(browser, chosen.address, chosen.pictures, words).walk()
        browser.close()
    print("Every step was as it should be.")


if __name__ == "__main__":
    main()
