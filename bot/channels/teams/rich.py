"""Words as elements of Adaptive Cards that show every character as it is: nothing in them is ever parsed."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

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
STYLES = {"strong": "bold", "em": "italic", "s": "strike"}
MOST_NESTED = 60
PARSER = MarkdownIt("commonmark", {"html": False, "maxNesting": MOST_NESTED}).enable(["table", "strikethrough"])
WEB = ("https://", "http://")
SCHEMES = (*WEB, "mailto:")
LONGEST_URL = 2000
DEEPEST = 8
MOST_COLUMNS, NARROWEST_COLUMN, WIDEST_COLUMN = 12, 6, 40
BLANK = "\u00a0"  # Teams shows only the first of several blanks, and none at the beginning of a line
FENCE = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
CODE_SPAN = re.compile(r"`([^`\n]+)`")
RULE: Element = {"type": "rule"}  # becomes the separator above what follows


@dataclass(frozen=True)
class At:
    """Where in the document: how deep in lists, whether in a quote, and the addresses that may be links."""

    links: frozenset[str]
    depth: int = 0
    quoted: bool = False

    @property
    def indent(self) -> str:
        return BLANK * 4 * min(self.depth, DEEPEST)


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


# --- Markdown ---------------------------------------------------------------------------------------------------------
def markdown_elements(text: str, links: frozenset[str]) -> list[Element]:
    """Markdown of Lotse and of articles. Only exact addresses among links become links; HTML appears as written. A text
    nested so deeply that the parser would leave out parts of it is shown as it is."""
    tokens = PARSER.parse(cleaned(text))
    if max((nesting(token) for token in tokens), default=0) >= MOST_NESTED - 2:
        return list(literal(cleaned(text)))
    return written(SyntaxTreeNode(tokens).children, At(links))


def nesting(token: Token) -> int:
    return token.level + max((child.level for child in token.children or ()), default=0)


def written(nodes: Iterable[SyntaxTreeNode], at: At) -> list[Element]:
    """What blocks of the document become, without what would be empty; a rule separates what follows it."""
    found: list[Element] = []
    ruled = False
    for element in (element for node in nodes for element in block(node, at)):
        if element is RULE:
            ruled = bool(found)
            continue
        found.append(element | {"separator": True, "spacing": "Medium"} if ruled else element)
        ruled = False
    return found


def block(node: SyntaxTreeNode, at: At) -> Iterator[Element]:
    if node.type in ("paragraph", "heading"):
        yield from paragraph(node, at)
    elif node.type in ("fence", "code_block"):
        if node.content.strip():
            yield code_block(node.content.rstrip("\n"))
    elif node.type == "hr":
        yield RULE
    elif node.type == "table":
        yield from table(node, at)
    elif node.type in ("bullet_list", "ordered_list"):
        yield from as_list(node, at)
    elif node.type == "blockquote":
        yield from quote(node, at)
    else:
        for child in node.children:
            yield from block(child, at)


def paragraph(node: SyntaxTreeNode, at: At) -> Iterator[Element]:
    """Its lines; in a list, below the item to which it belongs."""
    heading = node.type == "heading"
    opening = "Medium" if heading else "Small" if at.depth else None
    for number, runs in enumerate(lines(node, at, BOLD if heading else NO_STYLE)):
        sized = [one | {"size": "Medium"} for one in runs] if heading else runs
        yield line([run(at.indent), *sized], "None" if number else opening)


def quote(node: SyntaxTreeNode, at: At) -> Iterator[Element]:
    """Set apart; a quote in a quote is not set apart again."""
    items = written(node.children, replace(at, quoted=True))
    if at.quoted:
        yield from items
    elif items:
        yield container(items, "emphasis")


def as_list(node: SyntaxTreeNode, at: At) -> Iterator[Element]:
    ordered = node.type == "ordered_list"
    for number, item in enumerate(node.children, int(node.attrs.get("start", 1)) if ordered else 1):
        yield from as_item(item, f"{number}." if ordered else "•", at)


def as_item(node: SyntaxTreeNode, mark: str, at: At) -> Iterator[Element]:
    """Its mark stands before its opening paragraphs; lists, code and quotes in it stand below."""
    opening = list(takewhile(lambda child: child.type == "paragraph", node.children))
    prefix, below = f"{at.indent}{mark} ", at.indent + BLANK * 4
    for number, runs in enumerate(one for child in opening for one in lines(child, at, NO_STYLE)):
        yield line([run(below if number else prefix), *runs], "None" if number else "Small")
    for child in node.children[len(opening) :]:
        yield from block(child, replace(at, depth=at.depth + 1))


# --- tables -----------------------------------------------------------------------------------------------------------
def table(node: SyntaxTreeNode, at: At) -> Iterator[Element]:
    rows = [[cell(one, at) for one in row.children] for part in node.children for row in part.children]
    if not any(words(one["items"][0]["inlines"]).strip() for row in rows for one in row):
        return
    titles = node.children[0].children[0].children
    columns = [column(title, cells) for title, cells in zip(titles, zip(*rows, strict=True), strict=True)]
    head, *others = ({"type": "TableRow", "cells": row} for row in rows)
    if len(columns) > MOST_COLUMNS:
        yield from (one for row in others for one in row_lines(head, row)) if others else row_lines(head, None)
    else:
        yield {"type": "Table", "columns": columns, "rows": [head, *others]}


def cell(node: SyntaxTreeNode, at: At) -> Element:
    """A blank where nothing is written, so that the cell keeps its place."""
    runs = inline(node, at, BOLD if node.type == "th" else NO_STYLE)
    return {"type": "TableCell", "items": [line(runs if words(runs).strip() else [run(BLANK)])]}


def row_lines(head: Element, row: Element | None) -> Iterator[Element]:
    """The cells of a row below each other, each under the title of its column."""
    cells = row["cells"] if row is not None else [{"items": []} for _ in head["cells"]]
    found = (one for title, cell in zip(head["cells"], cells, strict=True) for one in (*title["items"], *cell["items"]))
    for number, one in enumerate(one for one in found if words(one["inlines"]).strip()):
        yield one | {"spacing": "None" if number else "Medium"}


def column(head: SyntaxTreeNode, cells: Sequence[Element]) -> Element:
    """As wide as its words ask for, within reason."""
    longest = max(len(words(one["items"][0]["inlines"])) for one in cells)
    align = str(head.attrs.get("style", "")).removeprefix("text-align:").capitalize()
    aligned = {"horizontalCellContentAlignment": align} if align in ("Center", "Right") else {}
    return {"width": min(max(longest, NARROWEST_COLUMN), WIDEST_COLUMN), **aligned}


# --- inside of lines --------------------------------------------------------------------------------------------------
def lines(node: SyntaxTreeNode, at: At, style: Style) -> Iterator[list[Element]]:
    """The words of a paragraph or a heading line by line, without empty lines."""
    found: list[list[Element]] = [[]]
    for one in inline(node, at, style):
        first, *further = one["text"].split("\n")
        found[-1].append(one | {"text": first})
        found += [[one | {"text": text}] for text in further]
    yield from (runs for runs in found if words(runs).strip())


def inline(node: SyntaxTreeNode, at: At, style: Style) -> list[Element]:
    """The words of a paragraph, a heading or a cell in their styles."""
    return merged(one for part in node.children for child in part.children for one in spans(child, at, style))


def spans(node: SyntaxTreeNode, at: At, style: Style) -> Iterator[Element]:
    if node.type in ("softbreak", "hardbreak"):
        yield run("\n", style)
    elif node.type == "code_inline":
        yield run(with_blanks(node.content), style | CODE)
    elif node.type == "link":
        yield from linked(node, at, style)
    elif node.type == "image":
        yield run(node.content, style)
    elif node.children:
        for child in node.children:
            yield from spans(child, at, style | {STYLES[node.type]})
    else:
        yield run(node.content.replace("\t", " "), style)


def linked(node: SyntaxTreeNode, at: At, style: Style) -> Iterator[Element]:
    """A link where its address is allowed, else its label, and the address where that says more."""
    url = str(node.attrs.get("href", ""))
    label = merged(one for child in node.children for one in spans(child, at, style))
    text = words(label).strip()
    if url in at.links and url.lower().startswith(WEB) and len(url) <= LONGEST_URL:
        yield from (link(one, url) for one in (label if text else [run(url, style)]))
        return
    yield from label
    if url and text not in spellings(url):
        yield run(f" ({url})" if text else url, style)


def spellings(url: str) -> set[str]:
    """How an address may be written by who means it: without its scheme, with umlauts."""
    bare = {url, unquote(url)}
    return bare | {one.removeprefix(scheme).rstrip("/") for one in bare for scheme in SCHEMES}


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
