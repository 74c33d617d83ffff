"""Reading Adaptive Cards as a person's Teams shows them: words, buttons, inputs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

NESTED = ("body", "items", "columns", "rows", "cells")


@dataclass(frozen=True)
class PressButton:
    """A button of a card. action, value: what `data.lotse` says; kind: its type in the card, as `Action.Execute`."""

    title: str
    kind: str
    action: str
    value: str
    raw: Mapping[str, Any] = field(compare=False, repr=False)

    @property
    def data(self) -> Mapping[str, Any]:
        """What it sends; a text counts as nothing."""
        return _dict(self.raw.get("data"))

    @property
    def fetches(self) -> bool:
        """Whether it opens a dialog."""
        return _dict(self.data.get("msteams")).get("type") == "task/fetch"


def walk(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every element of a card, in order, the card itself first; no actions."""
    if isinstance(value, Mapping):
        yield value
        for place in NESTED:
            yield from walk(value.get(place))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from walk(one)


def actions_of(card: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Everything that can be pressed, in order; cards behind Action.ShowCard are part of it."""
    found: list[Mapping[str, Any]] = []
    for element in walk(card):
        own = [element["selectAction"]] if "selectAction" in element else []
        own += [one["selectAction"] for one in element.get("inlines", ()) if "selectAction" in _dict(one)]
        own += [element["inlineAction"]] if "inlineAction" in element else []
        for action in own + ([] if element is card else list(element.get("actions", ()))):
            found += _with_shown(action)
    for action in card.get("actions", ()):
        found += _with_shown(action)
    return found


def _with_shown(action: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [action, *actions_of(action["card"])] if action.get("type") == "Action.ShowCard" else [action]


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def buttons_of(card: Mapping[str, Any]) -> list[PressButton]:
    """What goes to the bot when it is pressed."""
    kinds = {"Action.Execute", "Action.Submit"}
    return [_button(one) for one in actions_of(card) if one.get("type") in kinds]


def _button(action: Mapping[str, Any]) -> PressButton:
    about = _dict(_dict(action.get("data")).get("lotse"))
    name, value = about.get("action") or about.get("form") or "", about.get("value")
    return PressButton(
        str(action.get("title", "")), action["type"], str(name), "" if value is None else str(value), action
    )


def inputs_of(card: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The inputs of a card by id."""
    return {one["id"]: one for one in walk(card) if str(one.get("type", "")).startswith("Input.")}


def links_of(card: Mapping[str, Any]) -> list[str]:
    """The addresses that a person can open from a card."""
    return [str(one["url"]) for one in actions_of(card) if one.get("type") == "Action.OpenUrl"]


def words_of(card: Mapping[str, Any], *, hidden: bool = False) -> str:
    """What somebody reads in a card, without what can be pressed. hidden: also what is not visible at first."""
    return "\n".join(_lines(card, hidden))


def _lines(element: Any, hidden: bool) -> Iterator[str]:
    if isinstance(element, list | tuple):
        for one in element:
            yield from _lines(one, hidden)
        return
    if not isinstance(element, Mapping) or (element.get("isVisible") is False and not hidden):
        return
    kind = element.get("type")
    if kind == "TableRow":
        cells = ["\n".join(_lines(cell, hidden)) for cell in element.get("cells", ())]
        yield " | ".join(cells)
        return
    yield from _own_lines(kind, element)
    for place in NESTED:
        yield from _lines(element.get(place), hidden)


def _own_lines(kind: Any, element: Mapping[str, Any]) -> Iterator[str]:
    if kind == "TextBlock":
        yield str(element.get("text", ""))
    elif kind == "RichTextBlock":
        yield plain(element.get("inlines", ()))
    elif kind == "FactSet":
        yield from (f"{one.get('title', '')} {one.get('value', '')}" for one in element.get("facts", ()))
    elif str(kind).startswith("Input."):
        label = element.get("label") or element.get("title")
        if label:
            yield str(label)


def plain(inlines: Sequence[Any]) -> str:
    return "".join(one if isinstance(one, str) else str(one.get("text", "")) for one in inlines)
