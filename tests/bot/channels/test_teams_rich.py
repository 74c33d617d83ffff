"""Words as elements of Adaptive Cards: shown as they are, never parsed by Teams, split without any loss."""

import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from teams_validator import check_card

from bot.channels.cutting import is_boundary
from bot.channels.teams.cards import whole_card
from bot.channels.teams.markdown import markdown_elements
from bot.channels.teams.rich import BLANK, is_heading, plain_elements, text_of
from bot.channels.teams.split import size, split_elements

Element = dict[str, Any]
NONE: frozenset[str] = frozenset()
MOST = 22_000
EVIL = "<at>Alle</at> [VPN](https://evil.example) **@hier** `x` {{DATE(2026-01-01)}} ${leer} &amp; <b>fett</b>"


def check(elements: list[Element]) -> None:
    """Every part of it is a card that Teams takes."""
    for part in split_elements(elements, MOST):
        check_card(whole_card(part, (), "…"))


def walk(value: Any) -> Iterator[Element]:
    """Every object in elements, in order."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item)


def runs(value: Any) -> list[Element]:
    return [one for one in walk(value) if one.get("type") == "TextRun"]


def whole(value: Any) -> str:
    return "".join(one["text"] for one in runs(value))


def letters(text: str) -> str:
    return "".join(text.split())


def spacings(elements: list[Element]) -> list[str | None]:
    return [one.get("spacing") for one in elements]


# --- Markdown ---------------------------------------------------------------------------------------------------------
MARKDOWN = """\
# Titel

Ein *schräger*, **fetter**, ~~alter~~ `Befehl`
in zwei Zeilen.

1. eins
   - darunter
     - noch tiefer
       und weiter
2. zwei

   ```
   ipconfig /flushdns

     -n  4
   ```
3. drei

> Zitat
>> darin

---

![Bild vom Fenster](bild.png) <b>HTML</b>
"""


def test_markdown_becomes_lines_in_their_order() -> None:
    elements = markdown_elements(MARKDOWN, NONE)
    check(elements)
    assert text_of(elements).replace(BLANK, "_").splitlines() == [
        "Titel",
        "Ein schräger, fetter, alter Befehl",
        "in zwei Zeilen.",
        "1. eins",
        "____• darunter",
        "________• noch tiefer",
        "____________und weiter",
        "2. zwei",
        "ipconfig /flushdns",
        "_",
        "_ -n_ 4",
        "3. drei",
        "Zitat",
        "darin",
        "Bild vom Fenster <b>HTML</b>",
    ]


def test_styles_are_marked_and_a_heading_is_larger() -> None:
    heading, paragraph, *_ = markdown_elements(MARKDOWN, NONE)
    assert heading["inlines"] == [{"type": "TextRun", "text": "Titel", "weight": "Bolder", "size": "Medium"}]
    looks = {one.pop("text"): one for one in paragraph["inlines"]}
    assert looks["schräger"] == {"type": "TextRun", "italic": True}
    assert looks["fetter"] == {"type": "TextRun", "weight": "Bolder"}
    assert looks["alter"] == {"type": "TextRun", "strikethrough": True}
    assert looks["Befehl"] == {"type": "TextRun", "fontType": "Monospace"}


def test_lines_of_a_paragraph_stand_close_and_items_near_each_other() -> None:
    elements = markdown_elements("a\nb\n\nc\n\n- d\n  e\n- f\n\n  g", NONE)
    assert text_of(elements).replace(BLANK, " ").splitlines() == ["a", "b", "c", "• d", "    e", "• f", "    g"]
    assert spacings(elements) == [None, "None", None, "Small", "None", "Small", "None"]


def test_a_paragraph_below_a_list_in_an_item_still_belongs_to_it() -> None:
    elements = markdown_elements("- a\n  - b\n\n  c", NONE)
    assert text_of(elements).replace(BLANK, " ").splitlines() == ["• a", "    • b", "    c"]
    assert spacings(elements) == ["Small", "Small", "Small"]


def test_code_is_set_apart_in_a_fixed_width() -> None:
    (block,) = markdown_elements("```\nping x\n```", NONE)
    assert (block["type"], block["style"]) == ("Container", "emphasis")
    assert block["items"][0]["inlines"] == [{"type": "TextRun", "text": "ping x", "fontType": "Monospace"}]


def test_a_quote_in_a_quote_is_not_set_apart_again() -> None:
    (quote,) = markdown_elements("> Zitat\n>> darin", NONE)
    assert [item["type"] for item in quote["items"]] == ["RichTextBlock", "RichTextBlock"]


def test_a_rule_separates_what_follows_and_nothing_else() -> None:
    elements = markdown_elements("---\n\na\n\n---\n\n---\n\nb\n\nc\n\n---", NONE)
    assert [bool(one.get("separator")) for one in elements] == [False, True, False]


def test_a_list_may_begin_anywhere() -> None:
    assert text_of(markdown_elements("7. a\n8. b\n\n0) c", NONE)) == "7. a\n8. b\n0. c"


def test_lists_nest_no_deeper_than_can_be_read() -> None:
    elements = markdown_elements("\n".join(f"{'  ' * depth}- Ebene {depth}" for depth in range(14)), NONE)
    check(elements)
    assert len(runs(elements)[-1]["text"]) < 50


def test_a_link_is_one_only_where_its_exact_address_is_allowed() -> None:
    text = "[V**P**N](https://kb.example/vpn) [hier](https://evil.example) [x](javascript:alert(1)) <https://b.example>"
    elements = markdown_elements(text, frozenset({"https://kb.example/vpn", "https://b.example"}))
    check(elements)
    links = [(one["selectAction"]["url"], one["text"]) for one in runs(elements) if "selectAction" in one]
    assert links == [
        ("https://kb.example/vpn", "V"),
        ("https://kb.example/vpn", "P"),
        ("https://kb.example/vpn", "N"),
        ("https://b.example", "https://b.example"),
    ]
    assert "hier (https://evil.example) [x](javascript:alert(1))" in text_of(elements)


def test_only_web_addresses_are_links_even_when_allowed() -> None:
    allowed = frozenset({"ftp://x.example", "/kb/1", "mailto:a@b.example"})
    elements = markdown_elements("[a](ftp://x.example) [b](/kb/1) [c](mailto:a@b.example)", allowed)
    check(elements)
    assert text_of(elements) == "a (ftp://x.example) b (/kb/1) c (mailto:a@b.example)"
    assert not any("selectAction" in one for one in runs(elements))


def test_an_address_that_says_no_more_than_its_label_is_not_repeated() -> None:
    text = "[x.example](https://x.example/) [it@x.example](mailto:it@x.example) [](https://y.example)"
    assert text_of(markdown_elements(text, NONE)) == "x.example it@x.example https://y.example"


TABLE = "| Taste | Wirkung |\n|------:|:-------:|\n| `F5` | die Seite neu laden |\n| | **fertig** |\n"


def test_a_table_is_a_table_with_its_alignment() -> None:
    (table,) = elements = markdown_elements(TABLE, NONE)
    check(elements)
    assert table["columns"] == [
        {"width": 6, "horizontalCellContentAlignment": "Right"},
        {"width": 19, "horizontalCellContentAlignment": "Center"},
    ]
    assert text_of(elements).splitlines() == [
        "Taste | Wirkung",
        "F5 | die Seite neu laden",
        f"{BLANK} | fertig",
    ]
    head, first, _ = table["rows"]
    assert [one["weight"] for one in runs(head)] == ["Bolder", "Bolder"]
    assert runs(first)[0]["fontType"] == "Monospace"


def test_a_table_of_many_columns_is_rows_below_each_other() -> None:
    titles, cells = (" | ".join(f"{word} {number}" for number in range(15)) for word in ("Titel", "Zelle"))
    elements = markdown_elements(f"| {titles} |\n|{'---|' * 15}\n| {cells} |\n| {cells} |", NONE)
    check(elements)
    assert text_of(elements).splitlines()[:4] == ["Titel 0", "Zelle 0", "Titel 1", "Zelle 1"]
    assert text_of(elements).count("Zelle") == 30
    assert text_of(markdown_elements(f"| {titles} |\n|{'---|' * 15}", NONE)).count("Titel") == 15


@pytest.mark.parametrize(
    "empty", ["", " \n ", "```\n```", "- \n- ", "> ", "#", "| |\n|--|\n| |", "1.", "&nbsp;", "![]()", "---", "> ---"]
)
def test_nothing_written_is_no_element(empty: str) -> None:
    assert markdown_elements(empty, NONE) == []


@pytest.mark.parametrize("mark", ["> ", "- ", "*_"])
def test_what_is_nested_too_deeply_is_shown_as_it_is(mark: str) -> None:
    elements = markdown_elements(f"{mark * 200}tief", NONE)
    check(elements)
    assert text_of(elements).endswith("tief")
    assert len(text_of(elements)) > 50


# --- what people wrote ------------------------------------------------------------------------------------------------
def test_what_a_person_wrote_is_shown_as_written() -> None:
    text = "Schau mal:\n* kein *Markdown*\n# [x](https://x.example) &amp; <b>\n1. <at>Jette</at>"
    elements = plain_elements(text)
    check(elements)
    assert text_of(elements) == text
    assert {one["type"] for one in elements} == {"RichTextBlock"}
    assert {*map(len, (one["inlines"] for one in elements))} == {1}


def test_an_empty_line_is_room() -> None:
    elements = plain_elements("\n\na\nb\n\n\nc\n")
    assert text_of(elements) == "a\nb\nc"
    assert spacings(elements) == [None, "None", "Medium"]


def test_code_a_person_wrote_looks_like_code() -> None:
    before, code, after = plain_elements("Gib `ping  x` ein:\n```\nping -n 4 x\n  ping y\n```\nund warte ``` kurz")
    assert before["inlines"][1] == {"type": "TextRun", "text": f"ping{BLANK} x", "fontType": "Monospace"}
    assert (code["style"], text_of([code])) == ("emphasis", f"ping -n 4 x\n{BLANK} ping y")
    assert text_of([after]) == "und warte ``` kurz"


def test_what_stands_beside_code_is_kept() -> None:
    assert text_of(plain_elements("a```b```c d")) == "a\nb\nc d"


def test_blanks_that_teams_would_not_show_are_shown() -> None:
    assert text_of(plain_elements("  a  b c\n\td")) == "\u00a0 a\u00a0 b c\n\u00a0\u00a0\u00a0 d"


def test_no_words_are_no_elements() -> None:
    assert plain_elements(" \n\t") == []
    assert text_of(plain_elements("``````")) == "``````"


def test_what_cannot_be_shown_becomes_a_mark() -> None:
    for elements in (
        plain_elements("a\x00b\x07c\ud800d\uffff\x0be"),
        markdown_elements("a\x00b\x07c\ud800d\uffff\x0be", NONE),
    ):
        check(elements)
        assert text_of(elements) == "a�b�c�d�\ne"


ANYTHING = st.text(st.characters(codec=None), max_size=400)
MARKED = st.text(st.sampled_from("ab ä\t\n`*_[](){}<>#-1.|&\\\x00\x0b\x1f\u2028\ud800\ufffe👩\u200d💻"), max_size=400)


def seen(text: str) -> list[str]:
    """The characters of a text that stand for themselves."""
    return [
        char
        for char in text
        if unicodedata.category(char) not in ("Cc", "Cs") and char not in "`\ufffd\ufffe\uffff" and not char.isspace()
    ]


@settings(deadline=None)
@given(st.one_of(ANYTHING, MARKED))
def test_every_word_of_a_person_is_shown_in_its_place(text: str) -> None:
    elements = plain_elements(text)
    assert seen(text_of(elements)) == seen(text)
    check(elements)


@settings(deadline=None)
@given(st.one_of(ANYTHING, MARKED))
def test_nothing_is_left_to_be_parsed_by_teams(text: str) -> None:
    for elements in (plain_elements(text), markdown_elements(text, NONE)):
        check(elements)
        kinds = {one["type"] for one in walk(elements) if "type" in one}
        assert kinds <= {"RichTextBlock", "TextRun", "Container", "Table", "TableRow", "TableCell"}


def test_markup_of_teams_stays_words() -> None:
    assert text_of(plain_elements(EVIL)) == EVIL.replace("`", "")
    for text in (f"```\n{EVIL}\n```", f"| {EVIL} |\n|---|", f"> {EVIL}", f"- {EVIL}"):
        elements = markdown_elements(text, NONE)
        check(elements)
        assert "<at>Alle</at>" in text_of(elements)
        assert not any("selectAction" in one for one in walk(elements))


# --- splitting --------------------------------------------------------------------------------------------------------
WORDS = st.text(st.sampled_from('abcäöüß ÄÖÜ.!?*_`~|#->[]()<>&"\\\n\u0301👩\u200d💻🇩🇪😀🏽1'), min_size=1, max_size=60)
CHUNKS = st.one_of(
    WORDS,
    WORDS.map(lambda text: f"```\n{text * 9}\n```"),
    WORDS.map(lambda text: "- " + " ".join(text.split()) * 5 + "\n  1. Übrigens"),
    WORDS.map(lambda text: f"{TABLE}| {' '.join(text.replace('|', '').split())} | x |"),
    WORDS.map(lambda text: f"> {text}\n\n[Link](https://a.example) ![{text}](b.png)"),
    WORDS.map(lambda text: f"## {' '.join(text.split())}"),
    st.just("---"),
)
DOCUMENTS = st.lists(CHUNKS, max_size=30).map("\n\n".join)


def told(value: Any) -> str:
    """The words, without the titles of tables, which are repeated."""
    return letters(whole(value)).replace("TasteWirkung", "").replace("Taste", "").replace("Wirkung", "")


@settings(deadline=None)
@given(DOCUMENTS, st.sampled_from([700, 3000, MOST]))
def test_splitting_drops_nothing_and_every_part_fits(markdown: str, most: int) -> None:
    for elements in (markdown_elements(markdown, frozenset({"https://a.example"})), plain_elements(markdown)):
        parts = split_elements(elements, most)
        assert told(parts) == told(elements)
        for part in parts:
            assert part
            assert size(part) <= most
            check_card(whole_card(part, (), "…"))


def test_forty_thousand_characters_come_whole_in_few_parts() -> None:
    paragraph = "Öffne bitte **Einstellungen** und wähle `Netzwerk` 👩‍💻 aus. Danach geht es weiter.\n\n"
    elements = markdown_elements((paragraph * 500)[:40_000], NONE)
    parts = split_elements(elements, MOST)
    assert whole(parts) == whole(elements)
    assert len(parts) <= size(elements) / MOST * 2
    assert all(size(part) > MOST / 2 for part in parts[:-1])


@pytest.mark.parametrize("quote", ["", '"', "\\"])
@pytest.mark.parametrize("text", ["ä" * 40_000, "a\u0301" * 20_000, "👩🏽\u200d💻" * 10_000, "🇩🇪" * 20_000])
def test_one_endless_word_is_cut_between_characters(text: str, quote: str) -> None:
    word = f"x{text}{quote * 2000}x"
    parts = split_elements(markdown_elements(word.replace("\\", "\\\\"), NONE), MOST)
    assert whole(parts) == word
    assert all(size(part) <= MOST for part in parts)
    at = 0
    for part in parts:
        at += len(whole(part))
        assert is_boundary(word, at)


def firsts(text: str, most: int) -> str:
    return text_of(split_elements(markdown_elements(text, NONE), most)[0])


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Erster Absatz.\n\nZweiter Absatz\nmit Zeile\nund noch einer", "Erster Absatz.\nZweiter Absatz\nmit Zeile"),
        ("Ein Absatz.\n\nNoch ein Absatz.\n\nAnfang eines dritten\nund Ende", "Ein Absatz.\nNoch ein Absatz."),
        ("Ein Absatz.\n\nNoch ein Absatz.\n\n# Titel\n\nText", "Ein Absatz.\nNoch ein Absatz."),
        ("- eins\n- zwei\n- drei und\n  noch viel mehr davon", "• eins\n• zwei"),
    ],
)
def test_a_text_is_split_where_a_reader_pauses_longest(text: str, first: str) -> None:
    assert firsts(text, 290) == first


def test_a_long_line_is_cut_behind_a_sentence() -> None:
    first, *_ = split_elements(plain_elements("Das ist ein Satz. Und das ist noch ein Satz dazu, der lang ist."), 100)
    assert whole(first) == "Das ist ein Satz. "


def test_a_long_line_of_code_is_cut_between_words_wherever_a_sentence_ends() -> None:
    first, *_ = split_elements(plain_elements("```\nping -n 4 server. Antwort von Adresse ohne Nummer\n```"), 170)
    assert whole(first) == "ping -n 4 server. Antwort "


def test_a_part_is_not_left_nearly_empty_above_something_long() -> None:
    code = "\n".join(f"Zeile {number} der Ausgabe" for number in range(400))
    parts = split_elements(markdown_elements(f"**Verlauf**\n\n```\n{code}\n```", NONE), MOST)
    assert "Zeile 50 " in text_of(parts[0])
    assert text_of([one for part in parts for one in part]) == f"Verlauf\n{code}"
    assert all(part[-1]["style"] == "emphasis" for part in parts)


@pytest.mark.parametrize("heading", ["# Titel", "**Titel**"])
@pytest.mark.parametrize("words", range(200, 500, 20))
def test_a_heading_does_not_stand_alone_at_the_end_of_a_part(heading: str, words: int) -> None:
    parts = split_elements(markdown_elements(f"{'Wort ' * words}\n\n{heading}\n\n{'Wort ' * 400}", NONE), 2500)
    assert not any(is_heading(part[-1]) for part in parts)


def test_a_table_is_split_between_rows_with_its_titles_in_each_part() -> None:
    elements = markdown_elements(TABLE + "".join(f"| F{number} | springen |\n" for number in range(300)), NONE)
    parts = split_elements(elements, MOST)
    assert len(parts) > 2
    assert all(text_of(part).startswith("Taste | Wirkung\n") for part in parts)
    rows = [row for part in parts for row in text_of(part).splitlines()[1:]]
    assert rows == text_of(elements).splitlines()[1:]


def test_a_row_too_large_for_a_card_is_told_below_the_titles() -> None:
    parts = split_elements(markdown_elements(f"{TABLE}| F6 | {'lange Wörter ' * 3000}|\n| F7 | kurz |", NONE), MOST)
    assert whole(parts).count("lange Wörter") == 3000
    assert all(size(part) <= MOST for part in parts)
    assert text_of(parts[-1]).splitlines()[-2:] == ["Taste | Wirkung", "F7 | kurz"]


def test_a_list_of_many_small_items_is_split_fast() -> None:
    elements = markdown_elements("\n".join(f"{number}. ä" for number in range(1, 4001)), NONE)
    parts = split_elements(elements, MOST)
    assert whole(parts) == "".join(f"{number}. ä" for number in range(1, 4001))
