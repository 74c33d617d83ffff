"""Rich text of Slack, which shows every character as it is: its elements, their size, and the words in them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from html import unescape
from typing import Any

Block = dict[str, Any]
Style = frozenset[str]

NO_STYLE: Style = frozenset()
BOLD: Style = frozenset({"bold"})
LABELLED = re.compile(r"<[^<>|]*\|([^<>]*)>")


def span(text: str, style: Iterable[str] = ()) -> Block:
    """Words in one style: `bold`, `italic`, `strike`, `code` or several of them."""
    return {"type": "text", "text": text, **styled(style)}


def link(url: str, text: str, style: Iterable[str] = ()) -> Block:
    return {"type": "link", "url": url, "text": text, **styled(style)}


def styled(style: Iterable[str]) -> Block:
    names = sorted(style)
    return {"style": dict.fromkeys(names, True)} if names else {}


def section(spans: Sequence[Block], kind: str = "section") -> Block:
    """A paragraph; kind: `section`, `quote` or `preformatted`."""
    return {"type": f"rich_text_{kind}", "elements": merged(spans)}


def rich_text(elements: Iterable[Block]) -> Block:
    return {"type": "rich_text", "elements": list(elements)}


def merged(spans: Iterable[Block]) -> list[Block]:
    """The same words, neighbours of one look as one element, without empty ones."""
    found: list[Block] = []
    for one in spans:
        if found and look(found[-1]) == look(one):
            found[-1] = one | {"text": found[-1]["text"] + one["text"]}
        elif one["text"]:
            found.append(one)
    return found


def look(one: Block) -> Block:
    return {name: value for name, value in one.items() if name != "text"}


def words(spans: Iterable[Block]) -> str:
    """The text of a line, all styles left out."""
    return "".join(one.get("text", "") for one in spans)


def leaves(value: Any) -> Iterator[str]:
    """Every text in blocks or parts of them, in the order in which it is shown."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "text" and isinstance(item, str):
                yield item
            else:
                yield from leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)


def size(value: Any) -> int:
    """Characters of text in blocks or parts of them."""
    return sum(map(len, leaves(value)))


# --- what a reader sees -----------------------------------------------------------------------------------------------
def text_of(blocks: Iterable[Block]) -> str:
    """The words a reader sees, with line ends between blocks, and the marks of lists."""
    return "\n".join(filter(None, map(shown, blocks)))


def shown(block: Block) -> str:
    if block["type"] == "rich_text":
        return "\n".join(line for element in block["elements"] for line in lines(element))
    if block["type"] == "table":
        return "\n".join(" | ".join(map(shown_cell, row)) for row in block["rows"])
    texts = [block["text"]] if "text" in block else [*block.get("fields", ()), *block.get("elements", ())]
    return "\n".join(filter(None, map(shown_text, texts)))


def shown_cell(cell: Block) -> str:
    return shown(cell) if cell["type"] == "rich_text" else str(cell["text"])


def shown_text(item: Block) -> str:
    """The words of a text object or of a button; a label stands for its link."""
    text = item.get("text", item.get("placeholder", ""))
    if isinstance(text, dict):
        return shown_text(text)
    return unescape(LABELLED.sub(r"\1", str(text))) if item.get("type") == "mrkdwn" else str(text)


def lines(element: Block) -> Iterator[str]:
    if element["type"] != "rich_text_list":
        yield words(element["elements"])
        return
    ordered, first = element["style"] == "ordered", element.get("offset", 0) + 1
    for number, item in enumerate(element["elements"], first):
        yield f"{'  ' * element.get('indent', 0)}{f'{number}.' if ordered else '•'} {words(item['elements'])}"
