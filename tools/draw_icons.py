"""Draws the icons of the Teams app, teams/*.png, from the SVG files beside them; needed only after one has changed.

.venv/bin/python tools/draw_icons.py
"""

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).parents[1] / "teams"
SIZES = {"color": 192, "outline": 32}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def main() -> None:
    """Draw both."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        for name, size in SIZES.items():
            page = browser.new_page(viewport={"width": size, "height": size})
            svg = (FOLDER / f"{name}.svg").read_text("utf-8")
            page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block }}</style>{svg}")
            page.screenshot(path=FOLDER / f"{name}.png", omit_background=True)
        browser.close()


if __name__ == "__main__":
    main()
