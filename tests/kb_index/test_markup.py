"""Articles become safe HTML, plain text and a list of links."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_index.markup import article_html, article_links, plain_text, unwrapped, without_bare_heading


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "<a href='javascript:alert(1)'>x</a>",
        "<iframe src='https://example.com'></iframe>",
        "<svg onload=alert(1)>",
        "<p style='position:fixed' onclick='alert(1)'>x</p>",
    ],
)
def test_nothing_that_runs_survives(attack: str) -> None:
    html = article_html(attack).lower()
    assert not any(
        part in html for part in ("<script", "onerror", 'javascript:"', "<iframe", "<svg", "onclick", "style=")
    )
    assert 'href="javascript' not in html


def test_steps_tables_and_code_become_html() -> None:
    html = article_html("1. One\n2. `two`\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    assert "<ol>" in html
    assert "<code>two</code>" in html
    assert "<td>1</td>" in html


def test_links_are_those_of_the_article_only() -> None:
    text = (
        "[a](https://a.example/x) <https://b.example> [c](javascript:x) [d](/relative) ![i](https://img.example/i.png)"
    )
    assert article_links(text) == {"https://a.example/x", "https://b.example"}


def test_plain_text_has_no_marks() -> None:
    assert plain_text("# Hello\n\n- **bold** [link](https://x.example)\n- `code`\n\n![a picture](p.png)") == (
        "Hello bold link code a picture"
    )


@pytest.mark.parametrize(
    "heading", ["**Duplex in Office**", "**Duplex:**", "**Duplex**:", "## Duplex", "**One**\n\n### Two\n", "**One** \n"]
)
def test_a_heading_with_nothing_under_it_is_left_out(heading: str) -> None:
    assert without_bare_heading(f"Print it.\n\n{heading}") == "Print it."


@pytest.mark.parametrize(
    "text",
    [
        *(
            "**Duplex**",
            "## Duplex",
            "## Duplex\n\nPrint it.",
            "Print it.\n\n**Never tell your PIN!**",
            "Print.\n#hash",
        ),
        *(
            "1. Open it.\n2. **Print**",
            "- **a**\n- **b**",
            "Print it.\n\n**Duplex** is on.",
            "**a** and\n**b** and **c**",
        ),
    ],
)
def test_other_last_lines_stay(text: str) -> None:
    assert without_bare_heading(text) == text


@given(st.text())
def test_any_text_can_be_shown(text: str) -> None:
    without_bare_heading(text)
    article_html(text)
    plain_text(text)
    article_links(text)


@pytest.mark.parametrize(
    ("wrapped", "told"),
    [
        ("Three things make\na password strong.\n\nNext.", "Three things make a password strong.\n\nNext."),
        ("- Open\n  the menu\n- Print", "- Open the menu\n- Print"),
        ("1. Open\nthe menu\n\n   and wait\n   a bit", "1. Open the menu\n\n   and wait a bit"),
        ("Line one  \nline two\\\nline three", "Line one  \nline two\\\nline three"),
        ("> quoted\n> twice", "> quoted\n> twice"),
        ("```\none\ntwo\n```", "```\none\ntwo\n```"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "| a | b |\n|---|---|\n| 1 | 2 |"),
        ("# Head\nbelow", "# Head\nbelow"),
    ],
)
def test_paragraphs_are_told_without_the_line_ends_of_their_file(wrapped: str, told: str) -> None:
    assert unwrapped(wrapped) == told


@given(st.text(alphabet="ab \n-*>#1.|\\`~="))
def test_unwrapping_changes_no_word(text: str) -> None:
    assert plain_text(unwrapped(text)) == plain_text(text)
    assert unwrapped(unwrapped(text)) == unwrapped(text)
