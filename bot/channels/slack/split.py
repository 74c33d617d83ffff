"""Long texts in parts that Slack takes, cut where a reader would pause."""

import re
from collections.abc import Iterable, Iterator, Sequence

from bot.channels.cutting import CODE, PROSE, place_to_cut
from bot.channels.slack.rich import Block, leaves, rich_text, section, size, words


def split_blocks(blocks: Iterable[Block], most: int = 3500, most_blocks: int = 40) -> list[list[Block]]:
    """Parts for several posts, each of at most `most` characters, most_blocks blocks and one table. Nothing is
    dropped: the texts of all parts in their order are the texts of the blocks. Blocks other than rich text and tables
    are never cut."""
    parts: list[list[Block]] = []
    for piece in (piece for block in blocks for piece in chop(block, most)):
        if not parts or not takes(parts[-1], piece, most, most_blocks):
            parts.append([])
        parts[-1].append(piece)
    return parts


def takes(part: Sequence[Block], piece: Block, most: int, most_blocks: int) -> bool:
    second_table = piece["type"] == "table" and any(block["type"] == "table" for block in part)
    return not second_table and len(part) < most_blocks and size(part) + size(piece) <= most


def chop(block: Block, most: int) -> Iterator[Block]:
    """A block as one or several of at most that size."""
    if size(block) <= most:
        yield block
    elif block["type"] == "rich_text":
        smaller = (piece for element in block["elements"] for piece in chop_element(element, most))
        yield from map(rich_text, grouped(smaller, most))
    elif block["type"] == "table":
        yield from chop_table(block, most)
    else:
        yield block


def grouped(items: Iterable[Block], most: int) -> Iterator[list[Block]]:
    """As many neighbours together as fit."""
    group: list[Block] = []
    total = 0
    for item in items:
        length = size(item)
        if group and total + length > most:
            yield group
            group, total = [], 0
        group.append(item)
        total += length
    if group:
        yield group


def chop_element(element: Block, most: int) -> Iterator[Block]:
    if size(element) <= most:
        yield element
    elif element["type"] == "rich_text_list":
        yield from chop_list(element, most)
    else:
        breaks = CODE if element["type"] == "rich_text_preformatted" else PROSE
        for line in chop_line(element["elements"], most, breaks):
            yield element | {"elements": line}


def chop_list(element: Block, most: int) -> Iterator[Block]:
    """Between items; what does not fit of a long item follows it as a paragraph, and the numbers go on."""
    number = 0
    for group in grouped(element["elements"], most):
        items, *rest = [group] if size(group) <= most else chop_item(group[0], most)
        yield element | {"elements": items} | counted(element, number)
        yield from rest[0] if rest else ()
        number += len(group)


def chop_item(item: Block, most: int) -> tuple[list[Block], list[Block]]:
    """An item that is too long: its beginning, and the rest as paragraphs."""
    first, *rest = (section(line) for line in chop_line(item["elements"], most, PROSE))
    return [first], rest


def counted(element: Block, number: int) -> Block:
    offset = element.get("offset", 0) + number
    return {"offset": offset} if element["style"] == "ordered" and offset else {}


def chop_table(table: Block, most: int) -> Iterator[Block]:
    """Between rows; a row too large for a table becomes paragraphs."""
    rows = [{"cells": row} for row in table["rows"]]
    for group in grouped(rows, most):
        if size(group) <= most:
            yield table | {"rows": [row["cells"] for row in group]}
            continue
        for cell in group[0]["cells"]:
            if any(map(str.strip, leaves(cell))):
                yield from chop(cell, most)


# --- lines ------------------------------------------------------------------------------------------------------------
def chop_line(spans: Sequence[Block], most: int, breaks: Sequence[re.Pattern[str]]) -> Iterator[list[Block]]:
    """A styled line in pieces of at most that many characters."""
    rest, text = list(spans), words(spans)
    while len(text) > most:
        at = place_to_cut(text, most, breaks)
        piece, rest = halves(rest, at)
        text = text[at:]
        yield piece
    if rest:
        yield rest


def halves(spans: Sequence[Block], at: int) -> tuple[list[Block], list[Block]]:
    """A styled line in two, the first of them that many characters long."""
    left: list[Block] = []
    for number, one in enumerate(spans):
        text = one.get("text", "")
        if len(text) > at:
            cut = [one | {"text": text[:at]}] if at else []
            return left + cut, [one | {"text": text[at:]}, *spans[number + 1 :]]
        left.append(one)
        at -= len(text)
    return left, []
