"""Keyboard, screen readers, narrow screens, light and dark."""

from typing import Any

import pytest
from playwright.sync_api import expect

expect.set_options(timeout=10_000)
PAGES = ("/", "/desk", "/desk/TKT-1001", "/kb", "/kb/questions", "/kb/articles/new", "/kb/articles/1", "/docs")
# Text against its ground, as WCAG 2.2 (1.4.3) counts it; the paths that fall below 4.5 : 1.
POOR_CONTRAST = """() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const part = (value) => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * part(r / 255) + 0.7152 * part(g / 255) + 0.0722 * part(b / 255);
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const colour = parse(getComputedStyle(element).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll("main *, header *")) {
    const says = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!says || !element.checkVisibility() || element.disabled || element.tagName === "OPTION") continue;
    const pair = [light(parse(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    const words = element.textContent.trim().slice(0, 30);
    if (ratio < 4.5) poor.push(`${element.tagName}.${element.className} ${ratio.toFixed(2)} ${words}`);
  }
  return poor;
}"""
UNNAMED = """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea")]
  .filter((e) => !(e.textContent.trim() || e.getAttribute("aria-label") || e.labels?.length))
  .map((e) => e.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1400])
def test_pages_fit_are_readable_and_named(walker: Any, house: Any, scheme: str, width: int) -> None:
    house.publish("Drucker einrichten", "Den Drucker **hinzufügen**.\n\n| Gerät | Raum |\n|---|---|\n| A | 1 |")
    asked = walker.sign_in("konrad")
    asked.get_by_role("button", name="Bitte ein Mensch").click()
    expect(asked.locator("#thread .receipt")).to_be_visible()
    page = walker.sign_in("sabine", color_scheme=scheme, viewport={"width": width, "height": 800})
    for path in PAGES:
        page.goto(house.address + path)
        page.wait_for_load_state("load")
        found = (
            page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"),
            page.evaluate(POOR_CONTRAST),
            page.evaluate(UNNAMED),
        )
        assert found == (0, [], []), path


def test_everything_in_the_chat_is_reached_by_keyboard(walker: Any) -> None:
    jette = walker.sign_in("jette")
    jette.keyboard.press("Tab")
    expect(jette.locator(".skip")).to_be_focused()
    reached = []
    for _ in range(16):
        jette.keyboard.press("Tab")
        reached.append(jette.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
    order = [
        name for name in reached if name in {"DE", "Abmelden", "thread", "text", "files", "Bitte ein Mensch", "Senden"}
    ]
    assert order == ["DE", "Abmelden", "thread", "text", "files", "Bitte ein Mensch", "Senden"]


def test_new_messages_are_announced_once(walker: Any) -> None:
    jette = walker.sign_in("jette")
    log = jette.get_by_role("log")
    expect(log).to_have_attribute("aria-live", "polite")
    jette.fill("#text", "Hallo")
    jette.press("#text", "Enter")
    expect(jette.locator("#thread .bot .said")).to_be_visible()
    jette.evaluate("document.querySelector('#thread .own').wasRead = true")
    jette.fill("#text", "Danke")
    jette.press("#text", "Enter")
    expect(jette.locator("#thread .own")).to_have_count(2)
    expect(jette.locator("#thread .bot .said")).to_have_count(2)
    same = "[...document.querySelectorAll('#thread .own')].map((element) => element.wasRead === true)"
    assert jette.evaluate(same) == [True, False]  # what was read out stays the same element


def test_language_is_switched_and_the_case_keeps_its_own(walker: Any) -> None:
    jette = walker.sign_in("jette")
    jette.fill("#text", "Hallo")
    jette.press("#text", "Enter")
    expect(jette.locator("#thread .bot .said")).to_contain_text("Ich bin Lotse")
    jette.get_by_role("button", name="English").click()
    expect(jette.locator("html")).to_have_attribute("lang", "en")
    expect(jette.get_by_role("button", name="Send")).to_be_visible()
    expect(jette.locator("#thread .bot .said")).to_contain_text("Ich bin Lotse")
