"""The shapes of Block Kit: what each object must hold, may hold and how long it may be; everything else is refused."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

Check = Callable[[Any, str], None]


class InvalidPayload(Exception):  # noqa: N818
    """What Slack, or a house rule, refuses. code: as Slack answers it; path: where; why: in words."""

    def __init__(self, code: str, path: str, why: str) -> None:
        super().__init__(f"{code} at {path or '/'}: {why}")
        self.code, self.path, self.why = code, path, why


def refuse(path: str, why: str, code: str = "invalid_blocks") -> NoReturn:
    raise InvalidPayload(code, path, why)


def string(most: int, least: int = 1, pattern: str = "") -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, str):
            refuse(path, f"must be a string, is {type(value).__name__}")
        if len(value) < least:
            refuse(path, "must not be empty")
        if len(value) > most:
            refuse(path, f"{len(value)} characters, at most {most}")
        if pattern and not re.match(pattern, value):
            refuse(path, f"{value[:80]!r} does not match {pattern}")

    return check


def boolean(value: Any, path: str) -> None:
    if not isinstance(value, bool):
        refuse(path, "must be true or false")


def integer(low: int, high: int) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            refuse(path, f"must be a whole number from {low} to {high}, is {value!r}")

    return check


def one_of(*allowed: object) -> Check:
    def check(value: Any, path: str) -> None:
        if value not in allowed:
            refuse(path, f"{value!r} is none of {', '.join(map(str, allowed))}")

    return check


def array(of: Check, most: int, least: int = 1) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, list | tuple):
            refuse(path, "must be a list")
        if not least <= len(value) <= most:
            refuse(path, f"{len(value)} items, must be {least} to {most}")
        for number, item in enumerate(value):
            of(item, f"{path}/{number}")

    return check


def shape(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with these keys (and `type`, which is checked where the shape is chosen) and no others."""
    known = {"type": _anything, **(optional or {}), **required}

    def check(value: Any, path: str) -> None:
        if not isinstance(value, Mapping):
            refuse(path, "must be an object")
        for key in required:
            if key not in value:
                refuse(f"{path}/{key}", "is missing")
        for key, item in value.items():
            if key not in known:
                refuse(f"{path}/{key}", "is unknown here")
            known[key](item, f"{path}/{key}")

    return check


def untyped(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """As shape, for composition objects that have no type."""
    inner = shape(required, optional)

    def check(value: Any, path: str) -> None:
        if isinstance(value, Mapping) and "type" in value:
            refuse(f"{path}/type", "is unknown here")
        inner(value, path)

    return check


def by_type(kinds: Mapping[str, Check]) -> Check:
    """An object whose `type` is one of these, each with its own shape."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, Mapping):
            refuse(path, "must be an object")
        kind = value.get("type")
        if not isinstance(kind, str) or kind not in kinds:
            refuse(f"{path}/type", f"{kind!r} is none of {', '.join(kinds)}")
        kinds[kind](value, path)

    return check


def _anything(value: Any, path: str) -> None:
    """`type` was checked before."""


def plain(most: int) -> Check:
    return by_type({"plain_text": shape({"text": string(most)}, {"emoji": boolean})})


def text(most: int = 3000) -> Check:
    plain_text = shape({"text": string(most)}, {"emoji": boolean})
    return by_type({"plain_text": plain_text, "mrkdwn": shape({"text": string(most)}, {"verbatim": boolean})})


URL = string(3000, pattern=r"(https?|mailto|slack|tel):")
ID = string(255)
STYLE = one_of("primary", "danger")
CONFIRM = untyped({"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)}, {"style": STYLE})


def option(label: Check, *, url: bool = False) -> Check:
    extra: dict[str, Check] = {"description": text(75)} | ({"url": URL} if url else {})
    return untyped({"text": label, "value": string(150)}, extra)


PLAIN_OPTION, ANY_OPTION = option(plain(75)), option(text(75))
OPTIONS = array(PLAIN_OPTION, 100)
GROUPS = array(untyped({"label": plain(75), "options": OPTIONS}), 100)
ACTION: dict[str, Check] = {"action_id": ID, "confirm": CONFIRM}
FIELD: dict[str, Check] = {**ACTION, "focus_on_load": boolean, "placeholder": plain(150)}
TYPED: dict[str, Check] = {
    "action_id": ID,
    "placeholder": plain(150),
    "focus_on_load": boolean,
    "dispatch_action_config": untyped(
        {"trigger_actions_on": array(one_of("on_enter_pressed", "on_character_entered"), 2)}
    ),
}
MANY: dict[str, Check] = {"max_selected_items": integer(1, 1000)}
IDS = array(string(255), 1000)
CONVERSATIONS: dict[str, Check] = {
    "default_to_current_conversation": boolean,
    "filter": untyped(
        {},
        {
            "include": array(one_of("im", "mpim", "private", "public"), 4),
            "exclude_external_shared_channels": boolean,
            "exclude_bot_users": boolean,
        },
    ),
}


def _static(initial: str, check: Check, extra: Mapping[str, Check]) -> Check:
    inner = shape({}, {**FIELD, "options": OPTIONS, "option_groups": GROUPS, initial: check, **extra})

    def both(value: Any, path: str) -> None:
        inner(value, path)
        if ("options" in value) == ("option_groups" in value):
            refuse(path, "needs either options or option_groups")
        groups = value.get("option_groups", [value])
        _initial_among(value.get(initial), [one for group in groups for one in group["options"]], f"{path}/{initial}")

    return both


def _choice(initial: str, check: Check) -> Check:
    options = {"options": array(ANY_OPTION, 10)}
    inner = shape(options, {**ACTION, "focus_on_load": boolean, initial: check})

    def both(value: Any, path: str) -> None:
        inner(value, path)
        _initial_among(value.get(initial), value["options"], f"{path}/{initial}")

    return both


def _initial_among(initial: Any, options: list[Any], path: str) -> None:
    wanted = [] if initial is None else [initial] if isinstance(initial, Mapping) else initial
    if any(one not in options for one in wanted):
        refuse(path, "is none of the options")
    if len({one["value"] for one in options}) != len(options):
        refuse(path.rpartition("/")[0], "two options with the same value")


def _plain_input(value: Any, path: str) -> None:
    inner = {"initial_value": string(3000, 0), "min_length": integer(0, 3000), "max_length": integer(1, 3000)}
    shape({}, {**TYPED, **inner, "multiline": boolean})(value, path)
    if value.get("min_length", 0) > value.get("max_length", 3000):
        refuse(f"{path}/min_length", "is more than max_length")
    if len(value.get("initial_value", "")) > value.get("max_length", 3000):
        refuse(f"{path}/initial_value", "is longer than max_length")


def image(extra: Mapping[str, Check]) -> Check:
    slack_file = untyped({}, {"id": string(255), "url": URL})
    inner = shape({"alt_text": string(2000)}, {"image_url": URL, "slack_file": slack_file, **extra})

    def both(value: Any, path: str) -> None:
        inner(value, path)
        if ("image_url" in value) == ("slack_file" in value):
            refuse(path, "needs either image_url or slack_file")

    return both


BUTTON = shape(
    {"text": plain(75)},
    {**ACTION, "url": URL, "value": string(2000, 0), "style": STYLE, "accessibility_label": string(75)},
)
DATE = string(10, pattern=r"\d{4}-\d\d-\d\d$")
PICKERS: dict[str, Check] = {
    "static_select": _static("initial_option", PLAIN_OPTION, {}),
    "users_select": shape({}, {**FIELD, "initial_user": string(255)}),
    "conversations_select": shape(
        {}, {**FIELD, **CONVERSATIONS, "initial_conversation": string(255), "response_url_enabled": boolean}
    ),
    "channels_select": shape({}, {**FIELD, "initial_channel": string(255), "response_url_enabled": boolean}),
    "multi_static_select": _static("initial_options", array(PLAIN_OPTION, 100), MANY),
    "multi_users_select": shape({}, {**FIELD, **MANY, "initial_users": IDS}),
    "multi_conversations_select": shape({}, {**FIELD, **MANY, **CONVERSATIONS, "initial_conversations": IDS}),
    "multi_channels_select": shape({}, {**FIELD, **MANY, "initial_channels": IDS}),
    "datepicker": shape({}, {**FIELD, "initial_date": DATE}),
    "timepicker": shape({}, {**FIELD, "initial_time": string(5, pattern=r"\d\d:\d\d$"), "timezone": string(100)}),
    "datetimepicker": shape({}, {**ACTION, "focus_on_load": boolean, "initial_date_time": integer(0, 10**10)}),
    "checkboxes": _choice("initial_options", array(ANY_OPTION, 10)),
    "radio_buttons": _choice("initial_option", ANY_OPTION),
}
OVERFLOW = shape({"options": array(option(plain(75), url=True), 5, 2)}, ACTION)
ELEMENTS: dict[str, Check] = {**PICKERS, "button": BUTTON, "overflow": OVERFLOW}
INPUTS: dict[str, Check] = {
    **PICKERS,
    "plain_text_input": _plain_input,
    "email_text_input": shape({}, {**TYPED, "initial_value": string(3000, 0)}),
    "url_text_input": shape({}, {**TYPED, "initial_value": string(3000, 0)}),
    "number_input": shape(
        {"is_decimal_allowed": boolean},
        {**TYPED, "initial_value": string(40, 0), "min_value": string(40), "max_value": string(40)},
    ),
    "file_input": shape({}, {"action_id": ID, "filetypes": array(string(20), 100), "max_files": integer(1, 10)}),
}

SPAN: dict[str, Check] = {"style": untyped({}, dict.fromkeys(("bold", "italic", "strike", "code"), boolean))}
WORDS: dict[str, Check] = {
    "text": shape({"text": string(40_000)}, SPAN),
    "link": shape({"url": URL}, {**SPAN, "text": string(40_000), "unsafe": boolean}),
}
INLINE: dict[str, Check] = {
    **WORDS,
    "emoji": shape({"name": string(255)}, {**SPAN, "unicode": string(255), "skin_tone": integer(1, 6)}),
    "user": shape({"user_id": string(255)}, SPAN),
    "channel": shape({"channel_id": string(255)}, SPAN),
    "usergroup": shape({"usergroup_id": string(255)}, SPAN),
    "broadcast": shape({"range": one_of("here", "channel", "everyone")}, SPAN),
    "color": shape({"value": string(255)}, SPAN),
    "date": shape(
        {"timestamp": integer(0, 10**10), "format": string(1000)}, {**SPAN, "url": URL, "fallback": string(1000)}
    ),
}
SECTION = shape({"elements": array(by_type(INLINE), 10_000)})
BORDER: dict[str, Check] = {"border": integer(0, 1)}
RICH_TEXT = shape(
    {
        "elements": array(
            by_type(
                {
                    "rich_text_section": SECTION,
                    "rich_text_list": shape(
                        {
                            "elements": array(by_type({"rich_text_section": SECTION}), 10_000),
                            "style": one_of("bullet", "ordered"),
                        },
                        {**BORDER, "indent": integer(0, 8), "offset": integer(0, 10_000)},
                    ),
                    "rich_text_preformatted": shape({"elements": array(by_type(WORDS), 10_000)}, BORDER),
                    "rich_text_quote": shape({"elements": array(by_type(INLINE), 10_000)}, BORDER),
                }
            ),
            10_000,
        )
    },
    {"block_id": ID},
)
INPUTS["rich_text_input"] = shape({}, {**TYPED, "initial_value": by_type({"rich_text": RICH_TEXT})})


def _section(value: Any, path: str) -> None:
    accessory = by_type({**ELEMENTS, "image": image({})})
    optional = {"text": text(), "fields": array(text(2000), 10), "accessory": accessory, "expand": boolean}
    shape({}, {**optional, "block_id": ID})(value, path)
    if "text" not in value and "fields" not in value:
        refuse(path, "needs text or fields")


CELL = by_type({"raw_text": shape({"text": string(3000)}), "rich_text": RICH_TEXT})
COLUMN = untyped({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean})
BLOCKS: dict[str, Check] = {
    "header": shape({"text": plain(150)}, {"block_id": ID}),
    "section": _section,
    "divider": shape({}, {"block_id": ID}),
    "context": shape(
        {"elements": array(by_type({"plain_text": text(), "mrkdwn": text(), "image": image({})}), 10)}, {"block_id": ID}
    ),
    "actions": shape({"elements": array(by_type(ELEMENTS), 25)}, {"block_id": ID}),
    "image": image({"title": plain(2000), "block_id": ID}),
    "rich_text": RICH_TEXT,
    "video": shape(
        {"alt_text": string(2000), "title": plain(199), "thumbnail_url": URL, "video_url": URL},
        {
            "author_name": string(49),
            "description": plain(200),
            "provider_icon_url": URL,
            "provider_name": string(200),
            "title_url": URL,
            "block_id": ID,
        },
    ),
}
INPUT = shape(
    {"label": plain(2000), "element": by_type(INPUTS)},
    {"dispatch_action": boolean, "hint": plain(2000), "optional": boolean, "block_id": ID},
)
MESSAGE_ONLY: dict[str, Check] = {
    "table": shape({"rows": array(array(CELL, 20), 100)}, {"column_settings": array(COLUMN, 20), "block_id": ID}),
    "markdown": shape({"text": string(12_000)}, {"block_id": ID}),
    "file": shape({"external_id": ID, "source": one_of("remote")}, {"block_id": ID}),
}
SURFACES: dict[str, Check] = {
    "message": array(by_type({**BLOCKS, **MESSAGE_ONLY}), 50),
    "modal": array(by_type({**BLOCKS, "input": INPUT}), 100),
    "home": array(by_type({**BLOCKS, "input": INPUT}), 100, 0),
}
VIEW: dict[str, Check] = {"blocks": _anything, "private_metadata": string(3000, 0), "callback_id": ID}
VIEWS: dict[str, Check] = {
    "modal": shape(
        {"title": plain(24), "blocks": _anything},
        {
            **VIEW,
            "close": plain(24),
            "submit": plain(24),
            "clear_on_close": boolean,
            "notify_on_close": boolean,
            "external_id": ID,
        },
    ),
    "home": shape({"blocks": _anything}, {**VIEW, "external_id": ID}),
}
