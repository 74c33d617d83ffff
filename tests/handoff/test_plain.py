"""Lotse's own words as plain text."""

import pytest

from handoff.plain import plain_text

SEEN = {
    "**TKT-1001** ist offen": "TKT-1001 ist offen",
    "Auf __Startseite__ und *h* drücken": "Auf Startseite und h drücken",
    "[Label](https://example.org/a) lesen": "Label (https://example.org/a) lesen",
    "<https://example.org/a>": "https://example.org/a",
    "[hilfe@example.org](mailto:hilfe@example.org)": "hilfe@example.org",
    "Zeile eins\nund zwei": "Zeile eins und zwei",
    "Zeile eins\\\nund zwei": "Zeile eins\nund zwei",
    "Absatz eins\n\nAbsatz zwei": "Absatz eins\n\nAbsatz zwei",
    "# Titel\n\nText": "Titel\n\nText",
    "- eins\n- **zwei**\n  - drei": "- eins\n- zwei\n  - drei",
    "3. eins\n4. zwei": "3. eins\n4. zwei",
    "`a*b*c` und\n\n```\nx = __y__\n```": "a*b*c und\n\nx = __y__",
    "> Zitat": "> Zitat",
    "| a | b |\n|---|---|\n| c | **d** |": "a | b\nc | d",
    "<b>1 < 2</b>": "<b>1 < 2</b>",
    "![Bild](https://example.org/a.png)": "Bild",
    "snake_case_name & 2 * 3 * 4": "snake_case_name & 2 * 3 * 4",
    "": "",
}


@pytest.mark.parametrize("markdown", SEEN)
def test_markdown_reads_as_plain_text(markdown: str) -> None:
    assert plain_text(markdown) == SEEN[markdown]


def test_what_is_nested_too_deeply_is_shown_as_it_is() -> None:
    deep = "> " * 80 + "Ende"
    assert plain_text(deep) == deep
