"""Long texts in parts that Teams takes, measured in bytes of JSON, cut where a reader would pause."""

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from bot.channels.cutting import CODE, PROSE, place_to_cut
from bot.channels.teams.rich import Element, is_heading, line, look, row_lines, words

PAUSES = {"None": 0, "Small": 1}  # by the room above an element; any other room is above a paragraph


def size(value: Any) -> int:
    """Bytes of JSON as it is sent."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def split_elements(elements: Iterable[Element], most: int) -> list[list[Element]]:
    """Parts for several messages, each of at most that many bytes as JSON. Nothing is dropped: the words of all parts
    in their order are the words of the elements; the first row of a table stands in each of its parts. Elements other
    than lines, containers and tables are never cut."""
    parts: list[list[Element]] = []
    rest = list(elements)
    while rest:
        part, rest = filled(rest, most)
        if part:
            parts.append(part)
        else:
            first, *others = rest
            unfolded = list(without_frame(first))
            parts += [[first]] if unfolded == [first] else []
            rest = others if unfolded == [first] else [*unfolded, *others]
    return parts


def filled(elements: Sequence[Element], room: int) -> tuple[list[Element], list[Element]]:
    """As many elements as fit, and the rest. One that does not is cut where most of the room would stay empty."""
    used = 2
    for number, element in enumerate(elements):
        more = size(element) + (1 if number else 0)
        if used + more > room:
            if used <= room // 2:
                head, tail = halved(element, room - used - 1)
                if head is not None:
                    return [*elements[:number], head], [*tail, *elements[number + 1 :]]
            at = last_pause(elements, number)
            return list(elements[:at]), list(elements[at:])
        used += more
    return list(elements), []


def last_pause(elements: Sequence[Element], fitting: int) -> int:
    """Where the elements that fit are cut: in their second half, at the longest pause, not below a heading."""
    half, sizes = sum(map(size, elements[:fitting])) / 2, 0
    best, longest = fitting, -1
    for at in range(1, fitting + 1):
        sizes += size(elements[at - 1])
        pause = PAUSES.get(elements[at].get("spacing", ""), 2)
        if sizes >= half and pause >= longest and not is_heading(elements[at - 1]):
            best, longest = at, pause
    return best


def halved(element: Element, room: int) -> tuple[Element | None, list[Element]]:
    """An element in two, the first of which fits; None when nothing of it does."""
    match element["type"]:
        case "RichTextBlock":
            return halved_line(element, room)
        case "Container":
            return halved_container(element, room)
        case "Table":
            return halved_table(element, room)
    return None, [element]


def halved_container(element: Element, room: int) -> tuple[Element | None, list[Element]]:
    part, rest = filled(element["items"], room - size(element | {"items": []}) + 2)
    return (element | {"items": part} if part else None), [element | {"items": rest}]


def halved_table(element: Element, room: int) -> tuple[Element | None, list[Element]]:
    """Between rows, with the first row in both."""
    head, *rows = element["rows"]
    fitting, used = 0, size(element | {"rows": [head]})
    while fitting < len(rows) and (used := used + size(rows[fitting]) + 1) <= room:
        fitting += 1
    if not fitting:
        return None, [element]
    return element | {"rows": [head, *rows[:fitting]]}, [element | {"rows": [head, *rows[fitting:]]}]


def without_frame(element: Element) -> Iterator[Element]:
    """What of an element has no room even in a part of its own: a row of a table as lines, the items of a container."""
    if element["type"] == "Table":
        head, *rows = element["rows"]
        yield from row_lines(head, rows[0] if rows else None)
        if rows[1:]:
            yield element | {"rows": [head, *rows[1:]]}
    elif element["type"] == "Container":
        yield from element["items"]
    else:
        yield element


# --- lines ------------------------------------------------------------------------------------------------------------
def halved_line(element: Element, room: int) -> tuple[Element | None, list[Element]]:
    """A line in two, cut where a reader pauses longest."""
    runs = element["inlines"]
    code = all(one.get("fontType") == "Monospace" for one in runs)
    most = fitting_characters(runs, room - size(element | {"inlines": []}))
    if most < 1:
        return None, [element]
    left, right = halves(runs, place_to_cut(words(runs), most, CODE if code else PROSE))
    return element | {"inlines": left}, [line(right, "None")] if right else []


def fitting_characters(runs: Sequence[Element], room: int) -> int:
    """How many characters of styled words fit."""
    found = 0
    for one in runs:
        room -= size(look(one) | {"text": ""}) + 1
        for char in one["text"]:
            room -= bytes_of(char)
            if room < 0:
                return found
            found += 1
    return found


@cache
def bytes_of(char: str) -> int:
    return size(char) - 2


def halves(runs: Sequence[Element], at: int) -> tuple[list[Element], list[Element]]:
    """Styled words in two, the first of them that many characters long."""
    left: list[Element] = []
    for number, one in enumerate(runs):
        if len(one["text"]) > at:
            cut = [one | {"text": one["text"][:at]}] if at else []
            return left + cut, [one | {"text": one["text"][at:]}, *runs[number + 1 :]]
        left.append(one)
        at -= len(one["text"])
    return left, []
