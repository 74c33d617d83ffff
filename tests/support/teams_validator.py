"""What Teams refuses in what a bot sends it or answers: activities, Adaptive Cards 1.5, dialogs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import microsoft_teams.cards
from fake_teams_cards import NESTED, actions_of, inputs_of, walk
from microsoft_teams.cards import AdaptiveCard
from pydantic import BaseModel, ValidationError
from slack_validator_shapes import (
    Check,
    InvalidPayload,
    array,
    boolean,
    by_type,
    integer,
    one_of,
    refuse,
    shape,
    string,
)
from teams_validator_shapes import ANY_CARD, TEXT, WORD, anything, either, mapping

__all__ = ["MOST_BYTES", "InvalidPayload", "check_activity", "check_card", "check_invoke_answer"]

MOST_BYTES = 28 * 1024
MOST_PRIMARY, DEEPEST, TITLE = 6, 12, 64
CARD = "application/vnd.microsoft.card.adaptive"
MESSAGE, ERROR = "application/vnd.microsoft.activity.message", "application/vnd.microsoft.error"
DIALOGS = {"task/fetch", "task/submit", "composeExtension/fetchTask", "composeExtension/submitAction"}
ADDRESS = string(28_672, pattern=r"(https?://[^/]|data:image/)")

_ACCOUNT = shape({"id": WORD}, {"name": WORD, "aadObjectId": WORD, "role": WORD})
_ATTACHMENT = shape(
    {"contentType": one_of(CARD, *(f"image/{kind}" for kind in ("png", "jpeg", "gif")))},
    {"content": anything, "contentUrl": ADDRESS, "name": WORD, "thumbnailUrl": ADDRESS},
)
_ENTITY = by_type(
    {
        "mention": shape({"text": WORD, "mentioned": _ACCOUNT}),
        "clientInfo": mapping,
        "https://schema.org/Message": mapping,
    }
)
_BESIDE: dict[str, Check] = {
    **dict.fromkeys(("id", "channelId", "serviceUrl", "replyToId", "locale", "timestamp", "localTimestamp"), WORD),
    **dict.fromkeys(("from", "recipient"), _ACCOUNT),
    "conversation": shape({"id": WORD}, {"name": WORD, "isGroup": boolean, "conversationType": WORD, "tenantId": WORD}),
    "channelData": mapping,
}
_ACTIVITY = by_type(
    {
        "typing": shape({}, _BESIDE),
        "message": shape(
            {},
            {
                **_BESIDE,
                "text": TEXT,
                "textFormat": one_of("plain", "markdown", "xml"),
                "summary": TEXT,
                "attachments": array(_ATTACHMENT, 10, 0),
                "attachmentLayout": one_of("list", "carousel"),
                "entities": array(_ENTITY, 100, 0),
                "importance": one_of("normal", "high", "low", "urgent"),
                "inputHint": one_of("acceptingInput", "ignoringInput", "expectingInput"),
            },
        ),
    }
)
_SIZE = either(one_of("small", "medium", "large"), integer(100, 1_500))
_DIALOG = shape(
    {"title": string(TITLE), "card": shape({"contentType": one_of(CARD), "content": mapping})},
    {"height": _SIZE, "width": _SIZE, "completionBotId": WORD},
)
_TASK = by_type({"continue": shape({"value": _DIALOG}), "message": shape({"value": string(1_000)})})
_CARD_ANSWER = shape({"statusCode": integer(200, 599), "value": anything})
_MODELS = [one for one in vars(microsoft_teams.cards).values() if isinstance(one, type) and issubclass(one, BaseModel)]
_TYPED = [(one.model_fields["type"].default, one) for one in _MODELS if "type" in one.model_fields]
_CLASSES: dict[str, type[BaseModel]] = {kind: one for kind, one in _TYPED if isinstance(kind, str)}


def check_activity(activity: Any) -> None:
    """What a bot posts. Raises InvalidPayload."""
    _run(_ACTIVITY, activity, "BadSyntax")
    if activity["type"] != "message":
        return
    attachments = activity.get("attachments") or []
    if not activity.get("text") and not attachments:
        raise InvalidPayload("BadSyntax", "/text", "neither text nor attachments")
    for number, one in enumerate(attachments):
        path = f"/attachments/{number}"
        if one["contentType"] == CARD:
            check_card(one.get("content"), f"{path}/content")
        elif "contentUrl" not in one:
            raise InvalidPayload("BadSyntax", f"{path}/contentUrl", "is missing")
    _check_mentions(activity.get("entities") or [], activity.get("text") or "", "/entities")


def check_card(card: Any, path: str = "") -> None:
    """One Adaptive Card. Raises InvalidPayload."""
    try:
        _check_card(card, path)
    except InvalidPayload as wrong:
        raise InvalidPayload("InvalidAdaptiveCard", wrong.path, wrong.why) from None


def check_invoke_answer(name: str, status: int, body: Any) -> None:
    """What a bot answers to an invoke of this name. Raises InvalidPayload."""
    if not 200 <= status < 300:
        raise InvalidPayload("InvokeFailed", "/status", f"{status}")
    if name == "adaptiveCard/action":
        _check_card_answer(body)
    elif name in DIALOGS:
        _check_dialog_answer(name, body)


def _run(check: Check, value: Any, code: str, path: str = "") -> None:
    try:
        check(value, path)
    except InvalidPayload as wrong:
        raise InvalidPayload(code, wrong.path, wrong.why) from None


def _check_card_answer(body: Any) -> None:
    _run(by_type({CARD: _CARD_ANSWER, MESSAGE: _CARD_ANSWER, ERROR: _CARD_ANSWER}), body, "BadAnswer")
    kind, status, value = body["type"], body["statusCode"], body["value"]
    if (kind == ERROR) == (status == 200):
        raise InvalidPayload("BadAnswer", "/statusCode", f"{status} does not go with {kind}")
    if kind == CARD:
        check_card(value, "/value")
    else:
        wanted: Check = string(1_000) if kind == MESSAGE else shape({"code": WORD, "message": WORD})
        _run(wanted, value, "BadAnswer", "/value")


def _check_dialog_answer(name: str, body: Any) -> None:
    if not body:
        if name.lower().endswith(("fetch", "fetchtask")):
            raise InvalidPayload("BadAnswer", "", "a dialog was asked for, nothing came")
        return
    _run(shape({"task": _TASK}, {"cacheInfo": mapping}), body, "BadAnswer")
    if body["task"]["type"] == "continue":
        card = body["task"]["value"]["card"]["content"]
        check_card(card, "/task/value/card/content")
        if any(one["type"] == "Action.Execute" for one in actions_of(card)):
            raise InvalidPayload("BadAnswer", "/task/value/card/content", "a dialog knows no Action.Execute")


def _check_card(card: Any, path: str) -> None:
    ANY_CARD(card, path)
    _check_rules(card, path)
    _check_sdk(card, path)


def _check_rules(card: Mapping[str, Any], path: str) -> None:
    if (deep := _depth(card)) > DEEPEST:
        refuse(path, f"{deep} levels deep, at most {DEEPEST}")
    for actions in _action_lists(card):
        _check_actions(actions, path)
    _refuse_doubles([one["id"] for one in _with_behind(card) if "id" in one], path)
    for one in inputs_of(card).values():
        _check_input(one, path)
    for one in walk(card):
        if one.get("type") == "RichTextBlock":
            _check_runs(one["inlines"], path)
    for action in actions_of(card):
        if action["type"] == "Action.ShowCard":
            _check_shown(action["card"], path)
        if action["type"] == "Action.Execute" and action["fallback"].get("data") != action.get("data"):
            refuse(path, f"{action['verb']!r} and its fallback send different data")
    _check_mentions((card.get("msteams") or {}).get("entities") or [], _all_text(card), f"{path}/msteams/entities")


def _with_behind(card: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every element, also of cards behind Action.ShowCard, except the fallbacks."""
    yield from walk(card)
    for action in actions_of(card):
        yield action
        if action["type"] == "Action.ShowCard":
            yield from walk(action["card"])


def _depth(value: Any) -> int:
    if isinstance(value, list | tuple):
        return max((_depth(one) for one in value), default=0)
    if not isinstance(value, Mapping):
        return 0
    return 1 + max(_depth(value.get(place)) for place in NESTED)


def _action_lists(card: Mapping[str, Any]) -> list[Sequence[Mapping[str, Any]]]:
    return [one["actions"] for one in walk(card) if "actions" in one]


def _check_actions(actions: Sequence[Mapping[str, Any]], path: str) -> None:
    primary = [one for one in actions if one.get("mode") != "secondary"]
    if len(primary) > MOST_PRIMARY:
        refuse(f"{path}/actions", f"{len(primary)} primary actions, at most {MOST_PRIMARY}")
    for one in actions:
        if not one.get("title"):
            refuse(f"{path}/actions", "a button without a title")


def _check_input(one: Mapping[str, Any], path: str) -> None:
    where = f"{path}/{one['id']}"
    if one.get("isRequired") and not (one.get("label") and one.get("errorMessage")):
        refuse(where, "required, but without label or errorMessage")
    if one["type"] == "Input.ChoiceSet":
        values = [choice["value"] for choice in one.get("choices", ())]
        _refuse_doubles(values, where)
        if "choices.data" in one:
            return
        if not values:
            refuse(where, "nothing to choose from")
        chosen = one.get("value", "").split(",") if one.get("isMultiSelect") else [one.get("value", "")]
        for value in filter(None, chosen):
            if value not in values:
                refuse(where, f"{value!r} is chosen but not offered")
    elif len(str(one.get("value", ""))) > one.get("maxLength", 28_672):
        refuse(where, "the value is longer than maxLength")


def _check_runs(inlines: Sequence[Any], path: str) -> None:
    for run in inlines:
        if "\n" in (run if isinstance(run, str) else run["text"]):
            refuse(path, "a line break in a TextRun is not shown")


def _check_shown(card: Any, path: str) -> None:
    ANY_CARD({"version": "1.5", **card}, f"{path}/card")
    _check_rules(card, f"{path}/card")
    if any(one["type"] == "Action.ShowCard" for one in actions_of(card)):
        refuse(f"{path}/card", "Action.ShowCard inside Action.ShowCard")


def _check_mentions(entities: Sequence[Mapping[str, Any]], text: str, path: str) -> None:
    for number, one in enumerate(entities):
        if one.get("type") == "mention" and one.get("text", "") not in text:
            raise InvalidPayload("BadSyntax", f"{path}/{number}", "mentions somebody the text does not")


def _all_text(value: Any) -> str:
    if isinstance(value, Mapping):
        return "\n".join(one if key == "text" else _all_text(one) for key, one in value.items() if key != "msteams")
    return "\n".join(map(_all_text, value)) if isinstance(value, list | tuple) else ""


def _refuse_doubles(names: Sequence[str], path: str) -> None:
    for name in names:
        if names.count(name) > 1:
            refuse(path, f"{name!r} twice")


def _check_sdk(card: Mapping[str, Any], path: str) -> None:
    """Microsoft's own types take it, each element by itself: the card's type does not look into its elements."""
    try:
        AdaptiveCard.model_validate(card)
        for one in _with_behind(card):
            if one.get("type") in _CLASSES:
                _CLASSES[one["type"]].model_validate(one)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        refuse(f"{path}/{'/'.join(map(str, first['loc']))}", first["msg"])
