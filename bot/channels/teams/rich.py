"""Words as elements of Adaptive Cards that show every character as it is: nothing in them is ever parsed."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from bot.channels.markdown import CODE_SPAN, FENCE

Element = dict[str, Any]
Style = frozenset[str]

NO_STYLE: Style = frozenset()
BOLD: Style = frozenset({"bold"})
CODE: Style = frozenset({"code"})
LOOKS: dict[str, Element] = {
    "bold": {"weight": "Bolder"},
    "code": {"fontType": "Monospace"},
    "italic": {"italic": True},
    "strike": {"strikethrough": True},
}
BLANK = "\u00a0"  # Teams shows only the first of several blanks, and none at the beginning of a line


# --- elements ---------------------------------------------------------------------------------------------------------
def run(text: str, style: Iterable[str] = (), **more: Any) -> Element:
    """Words in one style: `bold`, `italic`, `strike`, `code` or several of them."""
    looks = [LOOKS[name] for name in sorted(style)]
    return {"type": "TextRun", "text": text, **{key: value for one in looks for key, value in one.items()}, **more}


def link(one: Element, url: str) -> Element:
    """The same words, which open an address."""
    return one | {"selectAction": {"type": "Action.OpenUrl", "url": url}}


def line(runs: Iterable[Element], spacing: str | None = None) -> Element:
    """One line. spacing: the room above it, `None` for the next line of a paragraph; that of a paragraph by itself."""
    return {"type": "RichTextBlock", "inlines": merged(runs), **({"spacing": spacing} if spacing else {})}


def container(items: Iterable[Element], style: str) -> Element:
    return {"type": "Container", "style": style, "items": list(items)}


def merged(runs: Iterable[Element]) -> list[Element]:
    """The same words, neighbours of one look as one run, without empty ones."""
    found: list[Element] = []
    for one in runs:
        if found and look(found[-1]) == look(one):
            found[-1] = one | {"text": found[-1]["text"] + one["text"]}
        elif one["text"]:
            found.append(one)
    return found


def look(one: Element) -> Element:
    return {name: value for name, value in one.items() if name != "text"}


def words(runs: Iterable[Element]) -> str:
    """The text of a line, all styles left out."""
    return "".join(one["text"] for one in runs)


def is_heading(element: Element) -> bool:
    """Whether it is a line in bold, which belongs to what follows it."""
    inlines = element.get("inlines", ())
    return bool(inlines) and all(one.get("weight") == "Bolder" for one in inlines)


def cleaned(text: str) -> str:
    """The text with `\\n` as its only line end, and � for characters that cannot be sent or shown."""
    return "".join(char if is_shown(char) else "\ufffd" for char in "\n".join(text.splitlines()))


def is_shown(char: str) -> bool:
    return char in "\n\t" or (unicodedata.category(char) not in ("Cc", "Cs") and char not in "\ufffe\uffff")


def with_blanks(text: str) -> str:
    """A line whose blanks are all seen."""
    return re.sub(r"\A | (?= )", BLANK, text.replace("\t", "    "))


# --- what people wrote ------------------------------------------------------------------------------------------------
def plain_elements(text: str) -> list[Element]:
    """What a person wrote, as they wrote it; only ``` fences and `code` get their looks. No text, no elements."""
    text = cleaned(text)
    found: list[Element] = []
    start = 0
    for fence in FENCE.finditer(text):
        if fence[1].strip():
            found += literal(text[start : fence.start()])
            found.append(code_block(fence[1]))
            start = fence.end()
    return [*found, *literal(text[start:])]


def literal(text: str) -> Iterator[Element]:
    """These very lines; where some between them are empty, there is room."""
    spacing: str | None = None
    for written in text.split("\n"):
        if written.strip():
            yield line(with_code(written), spacing)
            spacing = "None"
        elif spacing is not None:
            spacing = "Medium"


def with_code(text: str) -> Iterator[Element]:
    for number, part in enumerate(CODE_SPAN.split(with_blanks(text))):
        yield run(part, CODE if number % 2 else NO_STYLE)


def code_block(text: str) -> Element:
    """Lines of code, empty ones and their blanks included."""
    written = (with_blanks(one) or BLANK for one in text.split("\n"))
    items = [line([run(one, CODE)], "None" if number else None) for number, one in enumerate(written)]
    return container(items, "emphasis")


# --- tables -----------------------------------------------------------------------------------------------------------
def row_lines(head: Element, row: Element | None) -> Iterator[Element]:
    """The cells of a row below each other, each under the title of its column."""
    cells = row["cells"] if row is not None else [{"items": []} for _ in head["cells"]]
    found = (one for title, cell in zip(head["cells"], cells, strict=True) for one in (*title["items"], *cell["items"]))
    for number, one in enumerate(one for one in found if words(one["inlines"]).strip()):
        yield one | {"spacing": "None" if number else "Medium"}


# --- what a reader sees -----------------------------------------------------------------------------------------------
def text_of(elements: Iterable[Element]) -> str:
    """The words a reader sees, each line and each row of a table on a line of its own."""
    return "\n".join(shown for element in elements for shown in shown_lines(element))


def shown_lines(element: Element) -> Iterator[str]:
    match element["type"]:
        case "RichTextBlock":
            yield words(element["inlines"])
        case "TextBlock":
            yield element["text"]
        case "FactSet":
            yield from (f"{fact['title']} {fact['value']}" for fact in element["facts"])
        case "Table":
            yield from (" | ".join(text_of(one["items"]) for one in row["cells"]) for row in element["rows"])
        case "Container":
            for item in element["items"]:
                yield from shown_lines(item)
