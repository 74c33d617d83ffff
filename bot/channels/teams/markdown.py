"""Markdown of Lotse and of articles as elements of Adaptive Cards."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from markdown_it.tree import SyntaxTreeNode

from bot.channels.markdown import STYLES, WEB, parsed, says_more
from bot.channels.teams.rich import (
    BLANK,
    BOLD,
    CODE,
    NO_STYLE,
    Element,
    Style,
    cleaned,
    code_block,
    container,
    line,
    link,
    literal,
    merged,
    row_lines,
    run,
    with_blanks,
    words,
)

LONGEST_URL = 2000
DEEPEST = 8
MOST_COLUMNS, NARROWEST_COLUMN, WIDEST_COLUMN = 12, 6, 40
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


def markdown_elements(text: str, links: frozenset[str]) -> list[Element]:
    """Markdown of Lotse and of articles. Only exact addresses among links become links; HTML appears as written. A text
    nested so deeply that the parser would leave out parts of it is shown as it is."""
    document = parsed(cleaned(text))
    return list(literal(cleaned(text))) if document is None else written(document.children, At(links))


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
    if says_more(url, text):
        yield run(f" ({url})" if text else url, style)
