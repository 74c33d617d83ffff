"""Articles become safe HTML, plain text and a list of links."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_index.markup import article_html, article_links, plain_text


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


@given(st.text())
def test_any_text_can_be_shown(text: str) -> None:
    article_html(text)
    plain_text(text)
    article_links(text)
