"""The shapes of Adaptive Cards 1.5: what each element and action must hold and may hold; everything else is refused."""

from collections.abc import Mapping
from typing import Any

from slack_validator_shapes import Check, array, boolean, by_type, integer, refuse, shape, string

TEXT, WORD = string(28_672, 0), string(1_000)
URL = string(4_000, pattern=r"https?://[^/]")
SIZE = string(30)
ID = string(200)
ELEMENTS: dict[str, Check] = {}
ACTIONS: dict[str, Check] = {}
MANY = 500


def word_of(*allowed: str) -> Check:
    """One of these, in upper or lower case: Microsoft's own types say which is written how."""
    known = {one.lower() for one in allowed}

    def check(value: Any, path: str) -> None:
        if not isinstance(value, str) or value.lower() not in known:
            refuse(path, f"{value!r} is none of {', '.join(allowed)}")

    return check


def anything(value: Any, path: str) -> None:
    """Whatever it is."""


def mapping(value: Any, path: str) -> None:
    if not isinstance(value, Mapping):
        refuse(path, "must be an object")


def either(text: Check, other: Check) -> Check:
    """text for a string, other for everything else."""

    def check(value: Any, path: str) -> None:
        (text if isinstance(value, str) else other)(value, path)

    return check


def number(value: Any, path: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(path, "must be a number")


element: Check = by_type(ELEMENTS)
action: Check = by_type(ACTIONS)
ACTION_LIST, ELEMENT_LIST = array(action, 50), array(element, MANY, 0)


def one_of(*allowed: str) -> Check:
    """One of these words, in small or capital letters: Adaptive Cards read both."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, str) or value.lower() not in {one.lower() for one in allowed}:
            refuse(path, f"{value!r} is none of {', '.join(allowed)}")

    return check


FALLBACK_ELEMENT, FALLBACK_ACTION = either(word_of("drop"), element), either(word_of("drop"), action)
NUMBER_WORD = either(string(30), integer(0, 10_000))
PLACE = word_of("left", "center", "right")
HEIGHT = word_of("top", "center", "bottom")
STYLE = word_of("default", "emphasis", "good", "attention", "warning", "accent")
COMMON: dict[str, Check] = {
    "id": ID,
    "isVisible": boolean,
    "spacing": word_of("none", "extraSmall", "small", "default", "medium", "large", "extraLarge", "padding"),
    "separator": boolean,
    "height": word_of("auto", "stretch"),
    "fallback": FALLBACK_ELEMENT,
    "requires": mapping,
    "targetWidth": WORD,
}
WRITTEN: dict[str, Check] = {
    "color": word_of("default", "dark", "light", "accent", "good", "warning", "attention"),
    "fontType": word_of("default", "monospace"),
    "isSubtle": boolean,
    "size": word_of("default", "small", "medium", "large", "extraLarge"),
    "weight": word_of("default", "lighter", "bolder"),
}
BOX: dict[str, Check] = {
    "style": STYLE,
    "bleed": boolean,
    "minHeight": SIZE,
    "rtl": boolean,
    "selectAction": action,
    "verticalContentAlignment": HEIGHT,
    "horizontalAlignment": PLACE,
    "backgroundImage": either(URL, mapping),
}
TEXT_RUN = shape(
    {"text": TEXT},
    {
        **WRITTEN,
        **dict.fromkeys(("italic", "strikethrough", "underline", "highlight"), boolean),
        "id": ID,
        "selectAction": action,
    },
)
INLINE = either(TEXT, by_type({"TextRun": TEXT_RUN}))
COLUMN = shape({"items": ELEMENT_LIST}, {**COMMON, **BOX, "width": NUMBER_WORD})
CELL = shape({"items": ELEMENT_LIST}, {**COMMON, **BOX})
CELL_PLACES: dict[str, Check] = {
    "horizontalCellContentAlignment": PLACE,
    "verticalCellContentAlignment": HEIGHT,
}
ROW = shape({"cells": array(by_type({"TableCell": CELL}), 50)}, {**COMMON, **CELL_PLACES, "style": STYLE})
INPUT: dict[str, Check] = {
    **COMMON,
    "label": string(1_000),
    "isRequired": boolean,
    "errorMessage": string(1_000),
    "labelPosition": word_of("inline", "above"),
}
CHOICE = shape({"title": string(1_000), "value": string(2_000)})
CHOICES_DATA = by_type({"Data.Query": shape({"dataset": WORD}, {"count": integer(1, 100), "skip": integer(0, 10**6)})})
TYPED: dict[str, Check] = {"placeholder": WORD, "value": TEXT}
AROUND: dict[str, Check] = {
    "id": ID,
    "iconUrl": string(4_000, pattern=r"(https?://[^/]|icon:)"),
    "style": word_of("default", "positive", "destructive"),
    "mode": word_of("primary", "secondary"),
    "tooltip": WORD,
    "isEnabled": boolean,
    "requires": mapping,
    "fallback": FALLBACK_ACTION,
    "title": string(300),
}
SENDS: dict[str, Check] = {**AROUND, "data": either(TEXT, mapping), "associatedInputs": word_of("auto", "none")}

ELEMENTS |= {
    "TextBlock": shape(
        {"text": string(28_672)},
        {
            **COMMON,
            **WRITTEN,
            "horizontalAlignment": PLACE,
            "maxLines": integer(1, 1_000),
            "wrap": boolean,
            "style": word_of("default", "heading", "columnHeader"),
        },
    ),
    "RichTextBlock": shape({"inlines": array(INLINE, MANY)}, {**COMMON, "horizontalAlignment": PLACE}),
    "Image": shape(
        {"url": URL},
        {
            **COMMON,
            "altText": WORD,
            "backgroundColor": WORD,
            "height": SIZE,
            "width": SIZE,
            "horizontalAlignment": PLACE,
            "selectAction": action,
            "size": word_of("auto", "stretch", "small", "medium", "large"),
            "style": word_of("default", "person"),
        },
    ),
    "ImageSet": shape({"images": array(by_type(ELEMENTS), 50)}, {**COMMON, "imageSize": WORD}),
    "Container": shape({"items": ELEMENT_LIST}, {**COMMON, **BOX}),
    "ColumnSet": shape({"columns": array(by_type({"Column": COLUMN}), 50)}, {**COMMON, **BOX}),
    "FactSet": shape({"facts": array(shape({"title": TEXT, "value": TEXT}), 100)}, COMMON),
    "ActionSet": shape({"actions": ACTION_LIST}, {**COMMON, "horizontalAlignment": PLACE}),
    "Table": shape(
        {
            "columns": array(shape({}, {"width": NUMBER_WORD, **CELL_PLACES}), 50),
            "rows": array(by_type({"TableRow": ROW}), MANY),
        },
        {**COMMON, **CELL_PLACES, "firstRowAsHeader": boolean, "showGridLines": boolean, "gridStyle": STYLE},
    ),
    "Input.Text": shape(
        {"id": ID},
        {
            **INPUT,
            **TYPED,
            "isMultiline": boolean,
            "maxLength": integer(1, 28_672),
            "regex": WORD,
            "style": word_of("text", "tel", "url", "email", "password"),
            "inlineAction": action,
        },
    ),
    "Input.Number": shape({"id": ID}, {**INPUT, "placeholder": WORD, **dict.fromkeys(("value", "min", "max"), number)}),
    "Input.Date": shape({"id": ID}, {**INPUT, **TYPED, "min": WORD, "max": WORD}),
    "Input.Time": shape({"id": ID}, {**INPUT, **TYPED, "min": WORD, "max": WORD}),
    "Input.Toggle": shape(
        {"id": ID, "title": string(1_000)}, {**INPUT, "value": TEXT, "valueOn": TEXT, "valueOff": TEXT, "wrap": boolean}
    ),
    "Input.ChoiceSet": shape(
        {"id": ID},
        {
            **INPUT,
            **TYPED,
            "choices": array(CHOICE, 1_000, 0),
            "choices.data": CHOICES_DATA,
            "isMultiSelect": boolean,
            "style": word_of("compact", "expanded", "filtered"),
            "wrap": boolean,
        },
    ),
}
ACTIONS |= {
    "Action.Execute": shape({"verb": ID, "fallback": by_type({"Action.Submit": by_type(ACTIONS)})}, SENDS),
    "Action.Submit": shape({}, {**SENDS, "msteams": mapping}),
    "Action.OpenUrl": shape({"url": URL}, AROUND),
    "Action.ShowCard": shape({"card": mapping}, AROUND),
    "Action.ToggleVisibility": shape(
        {"targetElements": array(either(ID, shape({"elementId": ID}, {"isVisible": boolean})), 100)}, AROUND
    ),
}
CARD = shape(
    {"version": one_of("1.5"), "body": ELEMENT_LIST},
    {
        "$schema": URL,
        "actions": ACTION_LIST,
        "fallbackText": TEXT,
        "speak": TEXT,
        "lang": WORD,
        "rtl": boolean,
        "minHeight": SIZE,
        "selectAction": action,
        "verticalContentAlignment": HEIGHT,
        "backgroundImage": either(URL, mapping),
        "refresh": mapping,
        "msteams": shape({}, {"width": word_of("full"), "entities": array(mapping, 100, 0)}),
    },
)
ANY_CARD = by_type({"AdaptiveCard": CARD})
