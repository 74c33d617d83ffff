"""Markdown of Lotse and of articles as rich text of Slack: harmless by construction, since nothing in it is parsed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from markdown_it.tree import SyntaxTreeNode

from bot.channels.markdown import SCHEMES, STYLES, parsed, says_more
from bot.channels.slack.rich import (
    BOLD,
    NO_STYLE,
    Block,
    Style,
    link,
    merged,
    rich_text,
    section,
    shown_cell,
    size,
    span,
    words,
)

LONGEST_URL = 3000
DEEPEST, LARGEST_OFFSET = 8, 10_000
LIST_LOOK = ("type", "style", "indent", "border")
MOST_ROWS, MOST_COLUMNS, LARGEST_TABLE = 100, 20, 3000
WIDEST_COLUMN = 40  # characters up to which the columns of a table that is text stand below each other


@dataclass(frozen=True)
class At:
    """Where in the document: how deep in lists, whether in a quote, and the addresses that may be links."""

    links: frozenset[str]
    indent: int = 0
    quoted: bool = False

    @property
    def border(self) -> Block:
        return {"border": 1} if self.quoted else {}


def markdown_blocks(markdown: str, allowed_links: frozenset[str]) -> list[Block]:
    """Blocks for a message. Only exact addresses among allowed_links become links; HTML appears as written; the first
    table that fits is a table, others are aligned text; a heading stands in one block with what follows it. A text
    nested so deeply that the parser would leave out parts of it is shown as it is."""
    document = parsed(markdown)
    if document is None:
        return [rich_text([section([span(markdown)])])]
    blocks: list[Block] = []
    heading: list[Block] = []
    for node in document.children:
        pieces = [*heading, *written(node, At(allowed_links))]
        heading = pieces if node.type == "heading" else []
        blocks += [] if heading else gathered(pieces)
    return one_table([*blocks, *gathered(heading)])


def gathered(pieces: Iterable[Block]) -> Iterator[Block]:
    """Elements that follow each other as one block, with dividers and tables between them."""
    elements: list[Block] = []
    for piece in pieces:
        if piece["type"].startswith("rich_text_"):
            add(elements, piece)
            continue
        yield from [rich_text(elements)] if elements else []
        yield piece
        elements = []
    yield from [rich_text(elements)] if elements else []


def add(elements: list[Block], element: Block) -> None:
    """Append, or go on with the list that stands last."""
    if elements and goes_on(elements[-1], element):
        elements[-1]["elements"] += element["elements"]
    else:
        elements.append(element)


def goes_on(last: Block, element: Block) -> bool:
    """Whether an item belongs to the list before it: of the same look, and the next number."""
    if element["type"] != "rich_text_list" or any(last.get(key) != element.get(key) for key in LIST_LOOK):
        return False
    next_offset = last.get("offset", 0) + len(last["elements"])
    return bool(element["style"] == "bullet" or next_offset == element.get("offset", 0))


# --- blocks -----------------------------------------------------------------------------------------------------------
def written(node: SyntaxTreeNode, at: At) -> Iterator[Block]:
    """What one block of the document becomes, without what would be empty."""
    if node.type in ("paragraph", "heading"):
        spans = inline(node, at, BOLD if node.type == "heading" else NO_STYLE)
        yield from in_section(spans, at)
    elif node.type in ("fence", "code_block"):
        if node.content.strip():
            yield section([span(node.content.rstrip("\n"))], "preformatted") | at.border
    elif node.type == "hr":
        yield {"type": "divider"}
    elif node.type == "table":
        yield from as_table(node, at)
    elif node.type in ("bullet_list", "ordered_list"):
        yield from as_list(node, at)
    else:
        deeper = replace(at, quoted=True) if node.type == "blockquote" else at
        for child in node.children:
            yield from written(child, deeper)


def in_section(spans: Sequence[Block], at: At) -> Iterator[Block]:
    if words(spans).strip():
        yield section(spans, "quote" if at.quoted else "section")


def as_list(node: SyntaxTreeNode, at: At) -> Iterator[Block]:
    ordered = node.type == "ordered_list"
    for number, item in enumerate(node.children, int(node.attrs.get("start", 1)) if ordered else 1):
        yield from as_item(item, number if ordered else None, at)


def as_item(node: SyntaxTreeNode, number: int | None, at: At) -> Iterator[Block]:
    """Its opening paragraphs are the item; lists, code and quotes in it stand below."""
    opening = list(takewhile(lambda child: child.type == "paragraph", node.children))
    spans = [one for child in opening for one in (span("\n"), *inline(child, at, NO_STYLE))][1:]
    if words(spans).strip():
        yield as_list_of_one(spans, number, at)
    for child in node.children[len(opening) :]:
        yield from written(child, replace(at, indent=at.indent + 1))


def as_list_of_one(spans: Sequence[Block], number: int | None, at: At) -> Block:
    counted = number is not None and 0 < number <= LARGEST_OFFSET
    if number is not None and not counted:
        spans = [span(f"{number}. "), *spans]
    look: Block = {"style": "ordered" if counted else "bullet", "indent": min(at.indent, DEEPEST)} | at.border
    offset = {"offset": number - 1} if number is not None and counted and number > 1 else {}
    return {"type": "rich_text_list", **look, **offset, "elements": [section(spans)]}


# --- tables -----------------------------------------------------------------------------------------------------------
def as_table(node: SyntaxTreeNode, at: At) -> Iterator[Block]:
    rows = [row.children for part in node.children for row in part.children]
    cells = [[cell(one, at) for one in row] for row in rows]
    if any(words(one["elements"][0]["elements"]).strip() for row in cells for one in row):
        yield {"type": "table", "column_settings": [column(one) for one in rows[0]], "rows": cells}


def cell(node: SyntaxTreeNode, at: At) -> Block:
    """A blank where nothing is written: Slack refuses what is empty."""
    spans = inline(node, at, BOLD if node.type == "th" else NO_STYLE)
    return rich_text([section(spans if words(spans).strip() else [span(" ")])])


def column(node: SyntaxTreeNode) -> Block:
    align = str(node.attrs.get("style", "")).removeprefix("text-align:")
    return {"align": align or "left", "is_wrapped": True}


def one_table(blocks: Iterable[Block]) -> list[Block]:
    """Slack takes one table a message: further ones, and those too large, as aligned text."""
    kept, found = [], False
    for block in blocks:
        if block["type"] == "table" and (found or not fits(block)):
            kept.append(rich_text([section([span(aligned(block))], "preformatted")]))
        else:
            kept.append(block)
            found = found or block["type"] == "table"
    return kept


def fits(table: Block) -> bool:
    rows = table["rows"]
    return len(rows) <= MOST_ROWS and len(rows[0]) <= MOST_COLUMNS and size(rows) <= LARGEST_TABLE


def aligned(table: Block) -> str:
    """The rows of a table as lines, its columns below each other."""
    rows = [[shown_cell(one).strip() for one in row] for row in table["rows"]]
    widths = [min(max(map(len, column)), WIDEST_COLUMN) for column in zip(*rows, strict=True)]
    right = [one["align"] == "right" for one in table["column_settings"]]
    head, *body = (
        " | ".join(
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in rows
    )
    return "\n".join((head, "-+-".join("-" * width for width in widths), *body))


# --- inside of lines --------------------------------------------------------------------------------------------------
def inline(node: SyntaxTreeNode, at: At, style: Style) -> list[Block]:
    """The words of a paragraph, a heading or a cell in their styles."""
    return merged(one for line in node.children for child in line.children for one in spans(child, at, style))


def spans(node: SyntaxTreeNode, at: At, style: Style) -> Iterator[Block]:
    if node.type in ("softbreak", "hardbreak"):
        yield span("\n", style)
    elif node.type == "code_inline":
        yield span(node.content, style | {"code"})
    elif node.type == "link":
        yield from linked(node, at, style)
    elif node.type == "image":
        yield span(node.content, style)
    elif node.children:
        for child in node.children:
            yield from spans(child, at, style | {STYLES[node.type]})
    else:
        yield span(node.content, style)


def linked(node: SyntaxTreeNode, at: At, style: Style) -> Iterator[Block]:
    """A link where its address is allowed, else its label, and the address where that says more."""
    url = str(node.attrs.get("href", ""))
    label = merged(one for child in node.children for one in spans(child, at, style))
    text = words(label).strip()
    if url in at.links and url.lower().startswith(SCHEMES) and len(url) <= LONGEST_URL:
        for one in label if text else [span(url, style)]:
            yield {**one, **link(url, one["text"])}
        return
    yield from label
    if says_more(url, text):
        yield span(f" ({url})" if text else url, style)
