"""What people's clients make of what they type, choose and fill in."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fake_slack_things import elements_of

EMOJI = {"🔒": "lock", "👀": "eyes", "🎉": "tada", "🙂": "slightly_smiling_face", "👍🏽": "+1::skin-tone-4"}
TOKEN = re.compile(rf"(<@[A-Z0-9]+>|https?://[^\s<>]+|{'|'.join(EMOJI)})")
ONE = {"static_select": "selected_option", "radio_buttons": "selected_option", "users_select": "selected_user"}
ONE |= {"conversations_select": "selected_conversation", "channels_select": "selected_channel"}
ONE |= {"datepicker": "selected_date", "timepicker": "selected_time", "datetimepicker": "selected_date_time"}
MANY = {"checkboxes": "selected_options", "multi_static_select": "selected_options"}
MANY |= {"multi_users_select": "selected_users", "multi_channels_select": "selected_channels"}
MANY |= {"multi_conversations_select": "selected_conversations", "file_input": "files"}


class RefusedByClientError(Exception):
    """The person's Slack does not let them do this: a field is missing or too long, a button is not there."""


def typed(text: str) -> tuple[str, list[dict[str, Any]]]:
    """(text, blocks) as a client sends what was typed: entities escaped, mentions and links marked.

    `<@U...>` stands for a mention picked from the list; everything else is taken as it is. Emoji become their names in
    the text (those in EMOJI; Slack does it with all).
    """
    parts = [part for part in TOKEN.split(text) if part]
    elements = [_element(part) for part in parts]
    section = {"type": "rich_text_section", "elements": elements}
    blocks = [{"type": "rich_text", "block_id": "typed", "elements": [section]}] if elements else []
    return "".join(_entity(part) for part in parts), blocks


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _entity(part: str) -> str:
    if part in EMOJI:
        return f":{EMOJI[part]}:"
    if part.startswith("<@"):
        return part
    return f"<{escaped(part)}>" if TOKEN.fullmatch(part) else escaped(part)


def _element(part: str) -> dict[str, Any]:
    if part in EMOJI:
        name, _, tone = EMOJI[part].partition("::skin-tone-")
        code = "-".join(f"{ord(one):x}" for one in part)
        return {"type": "emoji", "name": name, "unicode": code} | ({"skin_tone": int(tone)} if tone else {})
    if part.startswith("<@") and TOKEN.fullmatch(part):
        return {"type": "user", "user_id": part[2:-1]}
    return {"type": "link", "url": part} if TOKEN.fullmatch(part) else {"type": "text", "text": part}


def pick(blocks: Sequence[dict[str, Any]], which: str | int, value: str | None, *kinds: str) -> Any:
    """(block, element): the element of these kinds by index, or by the beginning of its action_id (and its value)."""
    found = [pair for pair in elements_of(list(blocks)) if not kinds or pair[1]["type"] in kinds]
    if isinstance(which, str):
        found = [pair for pair in found if pair[1].get("action_id", "").startswith(which)]
        which = 0
    if value is not None:
        found = [pair for pair in found if pair[1].get("value") == value]
    if not -len(found) <= which < len(found):
        names = [one.get("action_id") for _, one in elements_of(list(blocks))]
        raise RefusedByClientError(f"nothing like that to press; there is: {names}")
    return found[which]


def state_of(element: Mapping[str, Any], chosen: Any) -> dict[str, Any]:
    """One entry of state.values; chosen: text, the value or label of an option, an id, or a list of these."""
    kind = element["type"]
    if kind == "rich_text_input":
        return {"type": kind, "rich_text_value": typed(chosen)[1][0] if chosen else None}
    if kind in ONE:
        return {"type": kind, ONE[kind]: None if chosen is None else _chosen(element, chosen)}
    if kind in MANY:
        return {"type": kind, MANY[kind]: [_chosen(element, one) for one in chosen or ()]}
    return {"type": kind, "value": None if chosen in (None, "") else str(chosen)}


def _chosen(element: Mapping[str, Any], choice: Any) -> Any:
    groups = element.get("option_groups", [element])
    options = [option for group in groups for option in group.get("options", ())]
    if not options:
        return choice
    for option in options:
        if choice in (option["value"], option["text"]["text"]):
            return option
    raise RefusedByClientError(f"{choice!r} is not offered; there is: {[one['value'] for one in options]}")


def initial(element: Mapping[str, Any]) -> dict[str, Any]:
    """The state of an element nobody touched."""
    name = next((key for key in element if key.startswith("initial_")), None)
    value = element[name] if name else None
    kind = element["type"]
    if kind in ONE:
        return {"type": kind, ONE[kind]: value}
    if kind in MANY:
        return {"type": kind, MANY[kind]: value or []}
    return {"type": kind, "rich_text_value" if kind == "rich_text_input" else "value": value}


def filled_in(blocks: Sequence[dict[str, Any]], values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """state.values of a view; values by action_id or block_id. Raises RefusedByClientError as a client would."""
    state: dict[str, dict[str, Any]] = {}
    used = set()
    for block, element in elements_of(list(blocks)):
        if element["type"] in {"button", "overflow"}:
            continue
        names = [name for name in (element["action_id"], block["block_id"]) if name in values]
        used.update(names)
        entry = state_of(element, values[names[0]]) if names else initial(element)
        if block["type"] == "input":
            _check_input(block, element, entry)
        state.setdefault(block["block_id"], {})[element["action_id"]] = entry
    if unknown := set(values) - used:
        raise RefusedByClientError(f"no such fields: {sorted(unknown)}")
    return state


def _check_input(block: Mapping[str, Any], element: Mapping[str, Any], entry: Mapping[str, Any]) -> None:
    value = next(item for key, item in entry.items() if key != "type")
    name = block["block_id"]
    if value in (None, "", []):
        if not block.get("optional"):
            raise RefusedByClientError(f"{name} is required")
        return
    if isinstance(value, str) and not element.get("min_length", 0) <= len(value) <= element.get("max_length", 3000):
        raise RefusedByClientError(f"{name}: {len(value)} characters")
