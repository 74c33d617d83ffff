"""Text between Slack and Lotse: seen as typed, said without any mention, split without any loss."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_validator import check_message

from bot.channels.cutting import is_boundary, shorten
from bot.channels.slack.rich import leaves, size
from bot.channels.slack.text import (
    escape,
    markdown_blocks,
    mentions,
    plain_blocks,
    split_blocks,
    text_of,
    to_markdown,
)

Block = dict[str, Any]
NAMES = {"U2": "Jette Sørensen", "C1": "it-hilfe", "S1": "it-team"}
NONE: frozenset[str] = frozenset()
NASTY = "<script>alert(1)</script> @channel <!here> [x](javascript:alert(1)) & \"quoted\" 'too'"
EVIL = "<!channel> <!here> <@U1> <#C1> <!subteam^S1> @channel <https://evil.example|VPN>"


def said(text: str) -> str:
    return to_markdown(text, me="U0", names=NAMES)


def check(blocks: list[Block]) -> None:
    """Every part of it is a message that Slack takes."""
    for part in split_blocks(blocks):
        check_message({"text": escape(text_of(part))[:3900] or "…", "blocks": part})


def elements(blocks: list[Block]) -> list[Block]:
    return [element for block in blocks for element in block.get("elements", ())]


# --- what a person typed ----------------------------------------------------------------------------------------------
def test_typed_text_arrives_as_it_was_typed() -> None:
    assert said(escape(NASTY)) == NASTY


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_typed_text_arrives_as_it_was_typed(text: str) -> None:
    assert said(escape(text)) == text


@pytest.mark.parametrize(
    ("event", "seen"),
    [
        ("<@U0> mein VPN geht nicht", "mein VPN geht nicht"),
        ("<@U0|lotse>: mein VPN geht nicht", "mein VPN geht nicht"),
        ("<@U0>, :wave: mein VPN", ":wave: mein VPN"),
        ("<@U0> :wave: mein VPN", ":wave: mein VPN"),
        ("Hallo <@U0> hilf mir", "Hallo hilf mir"),
        ("Hallo <@U0>, hilf mir", "Hallo, hilf mir"),
        ("Hilf mir bitte <@U0>", "Hilf mir bitte"),
        ("Hallo\n<@U0> hilf\n\nmir", "Hallo\nhilf\n\nmir"),
        ("<@U0> <@U0>", ""),
        ("  eingerückt", "  eingerückt"),
    ],
)
def test_the_mention_of_lotse_is_taken_out_with_its_blanks(event: str, seen: str) -> None:
    assert said(event) == seen


@pytest.mark.parametrize(
    ("event", "seen"),
    [
        ("fragt <@U2>", "fragt @Jette Sørensen"),
        ("fragt <@U9> und <@U8|kai>", "fragt @U9 und @kai"),
        ("in <#C1|general>, <#C9|allgemein>, <#C8>", "in #it-hilfe, #allgemein, #C8"),
        ("<!here> <!channel> <!everyone|everyone>", "@here @channel everyone"),
        ("<!subteam^S1|@team> <!subteam^S1> <!subteam^S2>", "@team @it-team @S2"),
        ("am <!date^1392734382^{date}|18.02.2014>", "am 18.02.2014"),
        ("<https://x.example/a?b=1&amp;c=2>", "https://x.example/a?b=1&c=2"),
        ("<https://x.example|die Seite &amp; mehr>", "die Seite & mehr (https://x.example)"),
        ("<http://x.example|x.example> <mailto:it@x.example|it@x.example>", "x.example it@x.example"),
        ("<mailto:it@x.example>", "it@x.example"),
    ],
)
def test_markup_of_slack_is_read_as_it_is_displayed(event: str, seen: str) -> None:
    assert said(event) == seen


def test_a_mention_is_noticed_typed_letters_are_not() -> None:
    assert mentions("Hallo <@U0>!", "U0")
    assert mentions("<@U0|lotse>", "U0")
    assert not mentions("Hallo <@U01> &lt;@U0&gt;", "U0")


def test_escaped_text_mentions_nobody() -> None:
    check_message({"text": escape(EVIL)})


# --- Markdown ---------------------------------------------------------------------------------------------------------
MARKDOWN = """\
# Titel

Ein *schräger*, **fetter**, ~~alter~~ `Befehl`
in zwei Zeilen.

1. eins
   - darunter
     - noch tiefer
2. zwei

   ```
   ipconfig /flushdns
   ```
3. drei

> Zitat

---

![Bild vom Fenster](bild.png) <b>HTML</b>
"""


def test_markdown_becomes_rich_text() -> None:
    blocks = markdown_blocks(MARKDOWN, NONE)
    check(blocks)
    assert [block["type"] for block in blocks] == ["rich_text", "rich_text", "rich_text", "divider", "rich_text"]
    assert text_of(blocks) == (
        "Titel\nEin schräger, fetter, alter Befehl\nin zwei Zeilen.\n"
        "1. eins\n  • darunter\n    • noch tiefer\n2. zwei\n"
        "ipconfig /flushdns\n3. drei\nZitat\nBild vom Fenster <b>HTML</b>"
    )


def test_styles_and_headings_are_marked() -> None:
    heading, paragraph = elements(markdown_blocks(MARKDOWN, NONE))[:2]
    assert heading["elements"] == [{"type": "text", "text": "Titel", "style": {"bold": True}}]
    styles = {one["text"]: set(one.get("style", ())) for one in paragraph["elements"]}
    assert styles["schräger"] == {"italic"}
    assert (styles["fetter"], styles["alter"], styles["Befehl"]) == ({"bold"}, {"strike"}, {"code"})


def test_a_numbered_list_goes_on_after_what_stands_between_its_items() -> None:
    lists = [one for one in elements(markdown_blocks(MARKDOWN, NONE)) if one["type"] == "rich_text_list"]
    found = [(one["style"], one["indent"], one.get("offset")) for one in lists]
    assert found == [
        ("ordered", 0, None),
        ("bullet", 1, None),
        ("bullet", 2, None),
        ("ordered", 0, 1),
        ("ordered", 0, 2),
    ]


def test_a_list_may_begin_anywhere() -> None:
    assert text_of(markdown_blocks("7. a\n8. b", NONE)) == "7. a\n8. b"
    blocks = markdown_blocks("987654321. a\n\n0. b", NONE)
    check(blocks)
    assert "987654321. a" in text_of(blocks)


def test_lists_nest_no_deeper_than_slack_shows() -> None:
    blocks = markdown_blocks("\n".join(f"{'  ' * depth}- Ebene {depth}" for depth in range(12)), NONE)
    check(blocks)
    assert "Ebene 11" in text_of(blocks)


def test_a_link_is_one_only_where_its_exact_address_is_allowed() -> None:
    text = "[VPN](https://kb.example/vpn) [hier](https://evil.example) [x](javascript:alert(1)) <https://b.example>"
    blocks = markdown_blocks(text, frozenset({"https://kb.example/vpn", "https://b.example"}))
    check(blocks)
    links = [one for one in elements(blocks)[0]["elements"] if one["type"] == "link"]
    assert [(one["url"], one["text"]) for one in links] == [
        ("https://kb.example/vpn", "VPN"),
        ("https://b.example", "https://b.example"),
    ]
    assert "hier (https://evil.example) [x](javascript:alert(1))" in text_of(blocks)


def test_only_web_and_mail_addresses_are_links_even_when_allowed() -> None:
    blocks = markdown_blocks("[a](ftp://x.example) [b](/kb/1)", frozenset({"ftp://x.example", "/kb/1"}))
    check(blocks)
    assert text_of(blocks) == "a (ftp://x.example) b (/kb/1)"


def test_an_address_that_says_no_more_than_its_label_is_not_repeated() -> None:
    text = "[x.example](https://x.example/) [it@x.example](mailto:it@x.example) [](https://y.example)"
    assert text_of(markdown_blocks(text, NONE)) == "x.example it@x.example https://y.example"


TABLE = "| Taste | Wirkung |\n|------:|:-------:|\n| `F5` | neu laden |\n| | **fertig** |\n"


def test_the_first_table_is_a_table_the_next_is_aligned_text() -> None:
    blocks = markdown_blocks(f"{TABLE}\nText\n\n{TABLE}", NONE)
    check(blocks)
    table, _, text = blocks
    assert [one["align"] for one in table["column_settings"]] == ["right", "center"]
    assert elements([text])[0]["type"] == "rich_text_preformatted"
    assert text_of([text]).splitlines() == [
        "Taste | Wirkung",
        "------+----------",
        "   F5 | neu laden",
        "      | fertig",
    ]


@pytest.mark.parametrize(("rows", "columns"), [(101, 2), (3, 21), (60, 18)])
def test_a_table_too_large_for_slack_is_aligned_text(rows: int, columns: int) -> None:
    line = "|" + " Zelle |" * columns
    blocks = markdown_blocks("\n".join([line, "|" + "---|" * columns, *[line] * (rows - 1)]), NONE)
    check(blocks)
    assert "table" not in {block["type"] for block in blocks}
    assert text_of(blocks).count("Zelle") == rows * columns


@pytest.mark.parametrize(
    "empty", ["", " \n ", "```\n```", "- \n- ", "> ", "#", "| |\n|--|\n| |", "1.", "&nbsp;", "![]()"]
)
def test_nothing_written_is_no_block(empty: str) -> None:
    assert markdown_blocks(empty, NONE) == []


def test_markup_that_tries_to_mention_stays_words() -> None:
    check(plain_blocks(EVIL))
    assert text_of(plain_blocks(EVIL)) == EVIL
    check(markdown_blocks(EVIL, NONE))
    assert text_of(markdown_blocks(EVIL, NONE)) == EVIL.replace(
        "<https://evil.example|VPN>", "https://evil.example|VPN"
    )
    blocks = markdown_blocks(f"```\n{EVIL}\n```\n\n- {EVIL}\n\n> `{EVIL}`", NONE)
    check(blocks)
    assert text_of(blocks).count("<!channel>") == 3


# --- what people wrote ------------------------------------------------------------------------------------------------
def test_what_a_person_wrote_is_shown_as_written() -> None:
    text = "Schau mal:\n\n* kein *Markdown*\n# [x](https://x.example) &amp; <b>"
    assert text_of(plain_blocks(text)) == text
    assert [one["type"] for one in elements(plain_blocks(text))] == ["rich_text_section"]


def test_code_a_person_wrote_looks_like_code() -> None:
    blocks = plain_blocks("Gib `ping x` ein:\n```\nping -n 4 x\n  ping y\n```\nund warte ``` kurz")
    check(blocks)
    before, code, after = elements(blocks)
    assert before["elements"][1] == {"type": "text", "text": "ping x", "style": {"code": True}}
    assert (code["type"], code["elements"][0]["text"]) == ("rich_text_preformatted", "ping -n 4 x\n  ping y")
    assert after["elements"][0]["text"] == "und warte ``` kurz"


def test_no_words_are_no_blocks() -> None:
    assert plain_blocks(" \n") == []
    assert text_of(plain_blocks("``````")) == "``````"


# --- splitting --------------------------------------------------------------------------------------------------------
WORDS = st.text(st.sampled_from("abcäöüß ÄÖÜ.!?*_`~|#->[]()<>&\n\u0301👩\u200d💻🇩🇪😀🏽1"), min_size=1, max_size=60)
CHUNKS = st.one_of(
    WORDS,
    WORDS.map(lambda text: f"```\n{text * 9}\n```"),
    WORDS.map(lambda text: "- " + " ".join(text.split()) * 5 + "\n  1. Übrigens"),
    WORDS.map(lambda text: f"{TABLE}| {' '.join(text.replace('|', '').split())} | x |"),
    WORDS.map(lambda text: f"> {text}\n\n[Link](https://a.example) ![{text}](b.png)"),
    st.just("---"),
)
DOCUMENTS = st.lists(CHUNKS, max_size=30).map("\n\n".join)


def whole(value: Any) -> str:
    return "".join(leaves(value))


@settings(deadline=None)
@given(DOCUMENTS, st.sampled_from([60, 300, 3500]))
def test_splitting_drops_nothing_and_every_part_fits(markdown: str, most: int) -> None:
    for blocks in (markdown_blocks(markdown, frozenset({"https://a.example"})), plain_blocks(markdown)):
        parts = split_blocks(blocks, most)
        assert "".join(whole(parts).split()) == "".join(whole(blocks).split())
        assert most < 3500 or whole(parts) == whole(blocks)
        for part in parts:
            assert size(part) <= most
            assert 0 < len(part) <= 40
            check_message({"text": "…", "blocks": part})


def test_forty_thousand_characters_come_whole_in_parts_of_3500() -> None:
    paragraph = "Öffne bitte **Einstellungen** und wähle `Netzwerk` 👩‍💻 aus. Danach geht es weiter.\n\n"
    text = (paragraph * 500)[:40_000]
    blocks = markdown_blocks(text, NONE)
    parts = split_blocks(blocks)
    assert whole(parts) == whole(blocks)
    assert len(parts) < 20
    for part in parts:
        check_message({"text": escape(text_of(part))[:3900], "blocks": part})


@pytest.mark.parametrize(
    "text", ["ä" * 40_000, "a\u0301" * 20_000, "👩🏽\u200d💻" * 10_000, "🇩🇪" * 20_000, " " * 40_000]
)
def test_one_endless_word_is_cut_between_characters(text: str) -> None:
    blocks = markdown_blocks(f"x{text}x", NONE)
    parts = split_blocks(blocks)
    assert whole(parts) == f"x{text}x"
    starts = [0]
    for part in parts:
        starts.append(starts[-1] + size(part))
    assert all(is_boundary(f"x{text}x", at) for at in starts)
    check(blocks)


def test_a_list_of_many_small_items_is_split_fast_and_counts_on() -> None:
    blocks = markdown_blocks("\n".join(f"{number}. ä" for number in range(1, 8001)), NONE)
    parts = split_blocks(blocks)
    assert whole(parts) == "ä" * 8000
    assert text_of(parts[1]).splitlines()[0] == "3501. ä"


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Erster Absatz. Noch einer.\n\nZweiter Absatz\nmit Zeile", "Erster Absatz. Noch einer.\n\n"),
        ("Erste Zeile. Noch ein Satz.\nZweite Zeile mit Wörtern", "Erste Zeile. Noch ein Satz.\n"),
        ("Das ist ein Satz. Und das ist noch ein Satz dazu", "Das ist ein Satz. "),
        ("Wörter ohne Punkt und ohne Komma bis zum Ende hin", "Wörter ohne Punkt und ohne "),
    ],
)
def test_a_text_is_split_where_a_reader_pauses_longest(text: str, first: str) -> None:
    assert whole(split_blocks(plain_blocks(text), 30)[0]) == first


def test_code_is_split_at_lines_and_a_long_item_goes_on_as_a_paragraph() -> None:
    code = plain_blocks("```\n" + "\n".join(["ping x"] * 20) + "\n```")
    assert all(whole(part).strip().endswith("ping x") for part in split_blocks(code, 50))
    item = split_blocks(markdown_blocks(f"1. {'Wort ' * 20}\n2. zwei", NONE), 60)
    kinds = [one["type"] for part in item for one in elements(part)]
    assert kinds == ["rich_text_list", "rich_text_section", "rich_text_list"]
    assert text_of(item[-1]).endswith("2. zwei")


def test_a_table_is_split_between_rows_one_in_each_part() -> None:
    parts = split_blocks(markdown_blocks(TABLE + "| F6 | springen |\n" * 10, NONE), 40)
    assert all([block["type"] for block in part].count("table") <= 1 for part in parts)
    assert text_of([block for part in parts for block in part]).count("springen") == 10


@given(st.text(max_size=200), st.integers(1, 50))
def test_a_shortened_text_fits_and_is_not_torn(text: str, most: int) -> None:
    short = shorten(text, most)
    assert len(short) <= most
    assert short == text or short.endswith("…")


def test_an_accent_stays_with_its_letter() -> None:
    assert unicodedata.normalize("NFC", shorten("Cafe\u0301 und Kuchen", 5)) == "Caf…"


@pytest.mark.parametrize("mark", ["> ", "- ", "*_"])
def test_what_is_nested_too_deeply_is_shown_as_it_is(mark: str) -> None:
    assert "tief" in text_of(markdown_blocks(f"{mark * 200}tief", NONE))
