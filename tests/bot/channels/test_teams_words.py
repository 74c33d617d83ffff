"""The words of a message of Teams: from its HTML copy as a reader sees it, else from its text; never an error."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.teams.words import (
    Mentioned,
    from_html,
    from_text,
    linked,
    mentions_in,
    names_in,
    tidy,
    words_of,
)

SKYPE = "http://schema.skype.com/"
ME, OWEN = "28:c4a8e1d7-52b6-4f09-9e3a-7d10b2f86c35", "29:1owen"
BOTH = (Mentioned(ME, "Lotse"), Mentioned(OWEN, "Owen Tallis"))


def at(name: str, number: int | str = 0) -> str:
    return f'<span itemscope="" itemtype="{SKYPE}Mention" itemid="{number}">{name}</span>'


def read(html: str, mentioned: tuple[Mentioned, ...] = BOTH, *, quotes: bool = True) -> str:
    return words_of("the text that is not read", html, mentioned, ME, quotes=quotes)


# --- mentions ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("html", "text"),
    [
        (f"<p>{at('Lotse')}&nbsp;wie geht VPN?</p>", "wie geht VPN?"),
        (f"<p>{at('Lotse')}, wie geht VPN?</p>", "wie geht VPN?"),
        (f"<p>{at('Lotse')}: wie geht VPN?</p>", "wie geht VPN?"),
        (f"<p>Hallo {at('Lotse')}, wie geht VPN?</p>", "Hallo, wie geht VPN?"),
        (f"<p>Weiß {at('Lotse')} das?</p>", "Weiß das?"),
        (f"<p>Danke {at('Lotse')}!</p>", "Danke!"),
        (f"<p>{at('Lotse')} {at('Owen Tallis', 1)} fragt</p>", "@Owen Tallis fragt"),
        (f"<p>{at('Owen Tallis', 1)} und {at('Lotse', 0)}</p>", "@Owen Tallis und"),
        (f"<p>a</p><p>{at('Lotse')}</p><p>b</p>", "a\n\nb"),
        ('<at id="0">Lotse</at> hallo <at id="1">Owen</at>', "hallo @Owen"),
        ("<at>Lotse</at> hallo", "hallo"),
    ],
)
def test_the_mention_of_lotse_vanishes_and_others_are_kept(html: str, text: str) -> None:
    assert read(html) == text


def test_the_number_of_a_mention_tells_who_it_is_and_not_its_name() -> None:
    twins = (Mentioned(OWEN, "Lotse"), Mentioned(ME, "Lotse"))
    assert read(f"<p>{at('Lotse', 0)} fragt {at('Lotse', 1)}</p>", twins) == "@Lotse fragt"


@pytest.mark.parametrize("number", ["7", "x", "99999999", "-1", "", "²"])
def test_a_number_that_means_nobody_falls_back_on_the_name(number: str) -> None:
    assert read(f"<p>{at('Lotse', number)} hallo</p>", BOTH[:1]) in {"hallo", "@Lotse hallo"}
    assert read(f"<p>{at('Owen', number)} hallo</p>", BOTH[:1]) in {"@Owen hallo", "hallo"}


def test_words_that_only_look_like_a_mention_are_words() -> None:
    assert read("<p>&lt;at&gt;Lotse&lt;/at&gt; und @Lotse</p>") == "<at>Lotse</at> und @Lotse"


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ("<at>Lotse</at> hallo", "hallo"),
        ("<at>Lotse</at>&nbsp;hallo", "hallo"),
        ("<at>Lotse</at>\u00a0hallo <at>Owen Tallis</at>", "hallo @Owen Tallis"),
        ("<at id='0'>Lotse</at> hallo", "hallo"),
        ("Hallo <at>Lotse</at>!\r\nZeile", "Hallo!\nZeile"),
        ("kein <b>Markup</b> & so", "kein <b>Markup</b> & so"),
        ("", ""),
    ],
)
def test_without_html_the_text_is_read(text: str, read_as: str) -> None:
    assert words_of(text, None, BOTH, ME) == read_as


def test_an_escaped_name_is_the_name() -> None:
    mentioned = (Mentioned(ME, "IT & Helpdesk"), Mentioned(OWEN, "A&B"))
    assert from_text("<at>IT &amp; Helpdesk</at> frag <at>A&amp;B</at>", mentioned, ME).strip() == "frag @A&B"


def test_mentions_of_graph_are_read_by_their_numbers() -> None:
    app, user = {"application": {"id": ME[3:]}, "user": None}, {"user": {"id": "0b7e2f4c"}, "application": None}
    told = [{"id": 1, "mentionText": "Owen", "mentioned": user}, {"id": 0, "mentionText": "Lotse", "mentioned": app}]
    assert mentions_in(told) == [Mentioned(ME, "Lotse"), Mentioned("0b7e2f4c", "Owen")]
    assert mentions_in([{"id": 2, "mentionText": "x", "mentioned": user}])[:2] == [Mentioned("", "")] * 2
    for nothing in (None, "x", [7], [{}], [{"id": "1"}], [{"id": 0, "mentioned": None}]):
        assert mentions_in(nothing) == []
    for number in (-1, 10**9):
        assert mentions_in([{"id": number, "mentionText": "x", "mentioned": user}]) == []


def test_whether_we_are_mentioned() -> None:
    assert names_in(BOTH, ME)
    assert not names_in(BOTH[1:], ME)


# --- looks ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a</p><p>b</p>", "a\nb"),
        ("<p>a</p>\n<p>&nbsp;</p>\n<p>b</p>", "a\n\nb"),
        ("<p>a</p>" + "<p>&nbsp;</p>" * 9 + "<p>b</p>", "a\n\nb"),
        ("<div>a<br>b<br><br>c</div>", "a\nb\n\nc"),
        ("a<p>b</p>c", "a\nb\nc"),
        ("<p>a\nb</p>", "a b"),
        ("<p>  viele   Blanks&nbsp;&nbsp;da  </p>", "viele   Blanks  da"),
        ("<p><b>fett</b> <i>kursiv</i> <s>weg</s> <u>unter</u></p>", "fett kursiv weg unter"),
        ("<h1>Titel</h1><p>Text</p>", "Titel\nText"),
        ("<ul><li>a</li><li><p>b</p></li></ul>", "- a\n- b"),
        ("<ul><li>a<ul><li>b<ol><li>c</li></ol></li></ul></li></ul>", "- a\n  - b\n    1. c"),
        ("<ol><li>a</li><li>b</li></ol>", "1. a\n2. b"),
        ('<ol start="9"><li>a</li><li>b</li></ol>', "9. a\n10. b"),
        ('<ol start="x"><li>a</li></ol>', "1. a"),
        ("<li>allein</li>", "- allein"),
        ("<p>nimm <code>ipconfig /all</code></p>", "nimm `ipconfig /all`"),
        ("<pre>a\n  b<br>c</pre>", "```\na\n  b\nc\n```"),
        ("<codeblock><code>x&nbsp;=&nbsp;1<br><span>y</span></code></codeblock>", "```\nx = 1\ny\n```"),
        ("<blockquote>a<br>b</blockquote>c", "> a\n> b\nc"),
        ("<table><tr><th>A</th><th>B</th></tr><tr><td>1<br>2</td><td></td></tr></table>", "A | B |\n1 2 |  |"),
        ('<a href="https://x.example/y">hier</a>', "hier (https://x.example/y)"),
        ('<a href="https://x.example/y">https://x.example/y</a>', "https://x.example/y"),
        ('<a>ohne</a> <a href="">Ziel</a>', "ohne Ziel"),
        ('<emoji id="x" alt="🔒"></emoji><img alt="GIF: Katze">', "🔒GIF: Katze"),
        (f'<img itemtype="{SKYPE}AMSImage" alt="image"><p>Text</p>', "Text"),
        ("<p>a<attachment id='1'></attachment></p><style>x</style><script>y</script>", "a"),
        ("<unknown>da</unknown>", "da"),
        ("nackt", "nackt"),
        ("", ""),
        ("<p>", ""),
        ("<!-- nur ein Kommentar -->", ""),
    ],
)
def test_html_reads_as_it_looks(html: str, text: str) -> None:
    assert read(html) == text


def test_a_quoted_message_is_read_unless_it_is_to_be_left_out() -> None:
    quote = f'<blockquote itemscope="" itemtype="{SKYPE}Reply"><strong>Maren</strong><p>geheim</p></blockquote>'
    assert read(f"{quote}<p>ja</p>") == "> Maren\n> geheim\nja"
    assert read(f"{quote}<p>ja</p>", quotes=False) == "ja"
    assert read("<blockquote>selbst zitiert</blockquote><p>ja</p>", quotes=False) == "> selbst zitiert\nja"
    assert read(f"<div><div>{quote}</div>ja</div>", quotes=False) == "ja"


@pytest.mark.parametrize(
    ("label", "address", "text"),
    [
        ("x.example", "https://x.example/", "x.example"),
        ("it@x.example", "mailto:it@x.example", "it@x.example"),
        ("https://x.example", "http://x.example", "https://x.example (http://x.example)"),
        ("Bank", "https://evil.example", "Bank (https://evil.example)"),
    ],
)
def test_an_address_that_says_something_else_stands_behind_its_label(label: str, address: str, text: str) -> None:
    assert linked(label, address) == text


def test_tidy_leaves_nothing_of_an_opening_mention() -> None:
    assert tidy(" , wie geht das?  \n\n\n\n ja ") == "wie geht das?\n\n ja"


# --- whatever comes ---------------------------------------------------------------------------------------------------
TAGS = (
    "p",
    "div",
    "ul",
    "ol",
    "li",
    "table",
    "tr",
    "td",
    "blockquote",
    "pre",
    "codeblock",
    "code",
    "a",
    "b",
    "at",
    "h1",
)
MARKUP = st.recursive(
    st.text(max_size=12),
    lambda inner: st.builds(
        lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag}>", st.sampled_from(TAGS), st.lists(inner, max_size=3)
    ),
    max_leaves=12,
)


@given(MARKUP)
def test_any_html_is_read_without_an_error_or_a_trace_of_how(html: str) -> None:
    said = read(html)
    assert not set(said) & set("\x00\x01\x02")
    assert said == said.strip()
    assert "\n\n\n" not in said.replace("```", "") or "pre" in html or "codeblock" in html


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert not set(words_of(text, None, BOTH, ME)) & set("\x00\x01\x02")


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8), min_size=1, max_size=6))
def test_no_word_is_lost(words: list[str]) -> None:
    html = "".join(f"<p>{one}</p><ul><li>{one}</li></ul><table><tr><td>{one}</td></tr></table>" for one in words)
    said = re.findall(r"\w+", from_html(html, (), ME))
    assert [said.count(one) >= 3 for one in words if re.fullmatch(r"\w+", one)] == [
        True for one in words if re.fullmatch(r"\w+", one)
    ]


def test_a_very_deep_message_is_read() -> None:
    deep = "<div>" * 5000 + "tief" + "</div>" * 5000
    assert read(deep) == "tief"
    assert "tief" in read("<ul><li>" * 300 + "tief" + "</li></ul>" * 300)
    assert "tief" in read("<pre>" + "<b>" * 500 + "tief" + "</b>" * 500 + "</pre>")


def test_a_very_long_message_is_read_in_time() -> None:
    long = "<p>" + "wort " * 15_000 + "</p>"
    assert len(read(long).split()) == 15_000
    many = "<ol>" + "<li>x</li>" * 9000 + "</ol>"
    assert read(many).endswith("9000. x")
