"""What people's Teams makes of what they fill in: the values that go to the bot, and what it does not let them send."""

import re
from collections.abc import Mapping
from typing import Any

from fake_teams_cards import PressButton, buttons_of, inputs_of
from fake_teams_things import RefusedByClientError


def pick(card: Mapping[str, Any] | None, action: str, value: str | None) -> PressButton:
    """The button with this action (or title), and if given this value, that can be pressed."""
    found = [one for one in buttons_of(card or {}) if action in (one.action, one.title)]
    found = [one for one in found if value in (None, one.value) and one.raw.get("isEnabled") is not False]
    if not found:
        there = [(one.action or one.title, one.value) for one in buttons_of(card or {})]
        raise RefusedByClientError(f"no {action!r} (value {value!r}) to press; there is: {there}")
    return found[0]


def filled_in(card: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, str]:
    """The values of a card's inputs by id, as they go to the bot; what nobody touched has its value from the card."""
    inputs = inputs_of(card)
    if unknown := set(values) - set(inputs):
        raise RefusedByClientError(f"no such inputs: {sorted(unknown)}; there is: {sorted(inputs)}")
    told = {name: _value(one, values.get(name, one.get("value"))) for name, one in inputs.items()}
    for name, one in inputs.items():
        _check(one, told[name])
    return {name: value for name, value in told.items() if value is not None}


def _value(one: Mapping[str, Any], given: Any) -> str | None:
    kind = one["type"]
    if kind == "Input.Toggle":
        on, off = one.get("valueOn", "true"), one.get("valueOff", "false")
        wanted = {True: on, False: off, None: off}.get(given, given) if given in (True, False, None) else given
        return str(wanted)
    if kind == "Input.ChoiceSet":
        many = given if isinstance(given, list | tuple) else [given]
        chosen = [_chosen(one, choice) for choice in many if choice not in (None, "")]
        return ",".join(chosen) if chosen else None
    if kind == "Input.Text":
        return "" if given is None else str(given)
    return None if given in (None, "") else str(given)


def _chosen(one: Mapping[str, Any], choice: Any) -> str:
    """By value, label, or for people an Actor."""
    name = str(getattr(choice, "id", choice))
    for option in one.get("choices", ()):
        if name in (option["value"], option["title"]):
            return str(option["value"])
    if one.get("isMultiSelect") and all(
        part in {o["value"] for o in one.get("choices", ())} for part in name.split(",")
    ):
        return name
    if "choices.data" in one:
        return name
    raise RefusedByClientError(f"{name!r} is not offered; there is: {[o['value'] for o in one.get('choices', ())]}")


def _check(one: Mapping[str, Any], value: str | None) -> None:
    """As the client does before it sends: with the input's own message."""
    wrong = one.get("errorMessage") or f"{one['id']} is not valid"
    off = one["type"] == "Input.Toggle" and value == one.get("valueOff", "false")
    if value in (None, "") or off:
        if one.get("isRequired"):
            raise RefusedByClientError(wrong)
        return
    if len(value or "") > one.get("maxLength", 28_672):
        raise RefusedByClientError(f"{one['id']}: {len(value or '')} characters, at most {one['maxLength']}")
    if "regex" in one and not re.search(one["regex"], value or ""):
        raise RefusedByClientError(wrong)
    if one["type"] == "Input.Number" and not one.get("min", float("-inf")) <= float(value or 0) <= one.get(
        "max", float("inf")
    ):
        raise RefusedByClientError(wrong)
