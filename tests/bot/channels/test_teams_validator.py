"""The validator refuses what Teams refuses: in activities, cards, and answers to what people press and open."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from teams_validator import InvalidPayload, check_activity, check_card, check_invoke_answer

CARD = "application/vnd.microsoft.card.adaptive"
MESSAGE, ERROR = "application/vnd.microsoft.activity.message", "application/vnd.microsoft.error"
DATA = {"lotse": {"action": "claim", "key": "k", "value": ""}}
EXECUTE = {
    "type": "Action.Execute",
    "title": "Übernehmen",
    "verb": "claim",
    "data": DATA,
    "fallback": {"type": "Action.Submit", "title": "Übernehmen", "data": DATA},
}
LINK = {"type": "Action.OpenUrl", "title": "Artikel", "url": "https://lotse.example/kb/1"}
CELL = {"type": "TableCell", "items": [{"type": "TextBlock", "text": "Zelle"}]}
TEXT_INPUT = {"type": "Input.Text", "id": "text", "label": "Notiz", "isRequired": True, "errorMessage": "Bitte füllen"}
CHOICES = [{"title": "Netz", "value": "net"}, {"title": "Server", "value": "srv"}]
CHOICE_INPUT = {"type": "Input.ChoiceSet", "id": "queue", "label": "Gruppe", "value": "net", "choices": CHOICES}
PEOPLE = {"type": "Data.Query", "dataset": "graph.microsoft.com/users?scope=currentContext"}
FULL: dict[str, Any] = {
    "type": "AdaptiveCard",
    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
    "version": "1.5",
    "msteams": {"width": "full"},
    "body": [
        {"type": "TextBlock", "id": "lotse-k-0", "text": "Titel", "style": "heading", "size": "Large", "wrap": True},
        {
            "type": "RichTextBlock",
            "spacing": "Small",
            "inlines": [{"type": "TextRun", "text": "fett", "weight": "Bolder", "selectAction": LINK}],
        },
        {"type": "FactSet", "facts": [{"title": "Status", "value": "neu"}]},
        {"type": "ColumnSet", "columns": [{"type": "Column", "width": "auto", "items": []}]},
        {"type": "Container", "style": "emphasis", "items": [{"type": "Image", "url": "https://a.example/a.png"}]},
        {"type": "Table", "columns": [{"width": 1}, {}], "rows": [{"type": "TableRow", "cells": [CELL, CELL]}]},
        TEXT_INPUT,
        CHOICE_INPUT,
        {"type": "Input.Toggle", "id": "article", "title": "Artikel", "valueOn": "yes", "valueOff": "no"},
        {"type": "ActionSet", "actions": [LINK]},
    ],
    "actions": [
        EXECUTE,
        {"type": "Action.Submit", "title": "Notiz", "data": {**DATA, "msteams": {"type": "task/fetch"}}},
        {"type": "Action.ToggleVisibility", "title": "Mehr", "targetElements": ["lotse-k-0"]},
        {"type": "Action.ShowCard", "title": "Mehr", "card": {"type": "AdaptiveCard", "body": []}},
    ],
}


def with_change(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    made = deepcopy(FULL)
    change(made)
    return made


def body(element: dict[str, Any]) -> dict[str, Any]:
    return {**FULL, "body": [element]}


def buttons(*actions: dict[str, Any]) -> dict[str, Any]:
    return {**FULL, "actions": list(actions)}


def nested(levels: int) -> dict[str, Any]:
    element: dict[str, Any] = {"type": "TextBlock", "text": "tief"}
    for _ in range(levels):
        element = {"type": "Container", "items": [element]}
    return element


def test_a_card_with_everything_is_taken() -> None:
    check_card(FULL)
    check_activity({"type": "message", "attachments": [{"contentType": CARD, "content": FULL}], "summary": "Titel"})
    check_activity({"type": "message", "text": "Hallo", "textFormat": "plain"})
    check_activity({"type": "typing"})
    check_card(body(nested(8)))
    check_card(buttons(*[EXECUTE] * 6, *[{**EXECUTE, "mode": "secondary"}] * 4))
    check_card(body({**CHOICE_INPUT, "choices": [], "choices.data": PEOPLE, "value": "somebody"}))


WRONG_CARDS: list[tuple[str, dict[str, Any]]] = [
    ("/version", with_change(lambda one: one.update(version="1.6"))),
    ("/version", with_change(lambda one: one.pop("version"))),
    ("/body", with_change(lambda one: one.pop("body"))),
    ("/type", with_change(lambda one: one.update(type="HeroCard"))),
    ("/title", with_change(lambda one: one.update(title="x"))),
    ("/body/0/type", body({"type": "Carousel", "pages": []})),
    ("/body/0/text", body({"type": "TextBlock"})),
    ("/body/0/text", body({"type": "TextBlock", "text": ""})),
    ("/body/0/markdown", body({"type": "TextBlock", "text": "x", "markdown": True})),
    ("/body/0/weight", body({"type": "TextBlock", "text": "x", "weight": "heavy"})),
    ("/body/0/size", body({"type": "TextBlock", "text": "x", "size": 3})),
    ("size", body({"type": "TextBlock", "text": "x", "size": "large"})),  # Microsoft's types write Large
    ("/body/0/inlines/0/text", body({"type": "RichTextBlock", "inlines": [{"type": "TextRun"}]})),
    ("line break", body({"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": "a\nb"}]})),
    ("/body/0/url", body({"type": "Image", "url": "/static/a.png"})),
    (
        "/body/0/rows/0/cells/0/type",
        body({"type": "Table", "columns": [{}], "rows": [{"type": "TableRow", "cells": [{}]}]}),
    ),
    ("13 levels deep", body(nested(11))),
    (
        "'lotse-k-0' twice",
        with_change(lambda one: one["body"].append({"type": "TextBlock", "id": "lotse-k-0", "text": "x"})),
    ),
    ("'text' twice", with_change(lambda one: one["body"].append({**TEXT_INPUT, "label": "noch einmal"}))),
    ("/body/0/id", body({"type": "Input.Text", "label": "ohne"})),
    ("without label or errorMessage", body({"type": "Input.Text", "id": "text", "isRequired": True})),
    ("longer than maxLength", body({"type": "Input.Text", "id": "text", "maxLength": 2, "value": "abc"})),
    ("/body/0/choices/0/value", body({**CHOICE_INPUT, "choices": [{"title": "eins", "value": 1}]})),
    ("/body/0/choices/0/title", body({**CHOICE_INPUT, "choices": [{"title": "", "value": "1"}]})),
    ("'net' twice", body({**CHOICE_INPUT, "choices": [CHOICES[0], CHOICES[0]]})),
    ("nothing to choose from", body({**CHOICE_INPUT, "choices": []})),
    ("chosen but not offered", body({**CHOICE_INPUT, "value": "gone"})),
    ("/actions/0/url", buttons({**LINK, "url": "javascript:alert(1)"})),
    ("/actions/0/verb", buttons({name: item for name, item in EXECUTE.items() if name != "verb"})),
    ("/actions/0/fallback", buttons({name: item for name, item in EXECUTE.items() if name != "fallback"})),
    ("/actions/0/fallback", buttons({**EXECUTE, "fallback": "drop"})),
    ("different data", buttons({**EXECUTE, "data": {"other": 1}})),
    ("7 primary actions", buttons(*[EXECUTE] * 7)),
    ("without a title", buttons({"type": "Action.Submit", "data": DATA})),
    ("/actions/0/style", buttons({**EXECUTE, "style": "danger"})),
    (
        "mentions somebody",
        with_change(lambda one: one["msteams"].update(entities=[{"type": "mention", "text": "<at>X</at>"}])),
    ),
]


@pytest.mark.parametrize(("what", "card"), WRONG_CARDS, ids=[f"{n}-{what}" for n, (what, _) in enumerate(WRONG_CARDS)])
def test_a_wrong_card_is_refused_and_the_place_is_named(what: str, card: dict[str, Any]) -> None:
    with pytest.raises(InvalidPayload) as refused:
        check_card(card)
    assert what in str(refused.value)
    assert refused.value.code == "InvalidAdaptiveCard"


@pytest.mark.parametrize(
    ("where", "activity"),
    [
        ("/type", {"type": "event"}),
        ("/", ["message"]),
        ("/text", {"type": "message"}),
        ("/text", {"type": "message", "text": 5}),
        ("/textFormat", {"type": "message", "text": "x", "textFormat": "html"}),
        ("/blocks", {"type": "message", "text": "x", "blocks": []}),
        ("/attachments/0/contentType", {"type": "message", "attachments": [{"contentType": "text/html"}]}),
        ("/attachments/0/contentUrl", {"type": "message", "attachments": [{"contentType": "image/png"}]}),
        ("/attachments/0/content", {"type": "message", "attachments": [{"contentType": CARD}]}),
        (
            "/entities/0",
            {
                "type": "message",
                "text": "x",
                "entities": [{"type": "mention", "text": "<at>X</at>", "mentioned": {"id": "1"}}],
            },
        ),
    ],
)
def test_a_wrong_activity_is_refused(where: str, activity: Any) -> None:
    with pytest.raises(InvalidPayload) as refused:
        check_activity(activity)
    assert (refused.value.path or "/") == where


def dialog(**changed: Any) -> dict[str, Any]:
    card = {key: item for key, item in FULL.items() if key != "actions"}
    value = {"title": "Notiz", "height": "medium", "card": {"contentType": CARD, "content": card}, **changed}
    return {"task": {"type": "continue", "value": value}}


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("adaptiveCard/action", {"statusCode": 200, "type": CARD, "value": FULL}),
        ("adaptiveCard/action", {"statusCode": 200, "type": MESSAGE, "value": "Schon erledigt"}),
        ("adaptiveCard/action", {"statusCode": 400, "type": ERROR, "value": {"code": "Late", "message": "Zu spät"}}),
        ("task/fetch", dialog()),
        ("task/fetch", {"task": {"type": "message", "value": "Das geht nicht"}}),
        ("task/submit", None),
        ("task/submit", dialog(height=300, width="large")),
        ("composeExtension/fetchTask", dialog()),
        ("composeExtension/submitAction", {}),
    ],
)
def test_a_right_answer_is_taken(name: str, answer: Any) -> None:
    check_invoke_answer(name, 200, answer)


@pytest.mark.parametrize(
    ("where", "name", "answer"),
    [
        ("/", "adaptiveCard/action", None),
        ("/statusCode", "adaptiveCard/action", {"type": CARD, "value": FULL}),
        ("/value", "adaptiveCard/action", {"statusCode": 200, "type": MESSAGE}),
        ("/value", "adaptiveCard/action", {"statusCode": 200, "type": MESSAGE, "value": {"text": "x"}}),
        ("/statusCode", "adaptiveCard/action", {"statusCode": 400, "type": MESSAGE, "value": "x"}),
        (
            "/statusCode",
            "adaptiveCard/action",
            {"statusCode": 200, "type": ERROR, "value": {"code": "a", "message": "b"}},
        ),
        (
            "/value/version",
            "adaptiveCard/action",
            {"statusCode": 200, "type": CARD, "value": {**FULL, "version": "1.7"}},
        ),
        ("/type", "adaptiveCard/action", {"statusCode": 200, "type": "text/plain", "value": "x"}),
        ("/", "task/fetch", None),
        ("/", "composeExtension/fetchTask", {}),
        ("/task/type", "task/submit", {"task": {"type": "close"}}),
        ("/task", "task/submit", {"card": FULL}),
        ("/task/value/title", "task/fetch", dialog(title="x" * 65)),
        ("/task/value/height", "task/fetch", dialog(height="huge")),
        ("/task/value/card/content", "task/fetch", dialog(card={"contentType": CARD, "content": FULL})),
        ("/task/value", "task/fetch", {"task": {"type": "message", "value": ""}}),
        ("/status", "task/submit", 500),
    ],
)
def test_a_wrong_answer_is_refused(where: str, name: str, answer: Any) -> None:
    status, told = (answer, None) if isinstance(answer, int) else (200, answer)
    with pytest.raises(InvalidPayload) as refused:
        check_invoke_answer(name, status, told)
    assert (refused.value.path or "/") == where
