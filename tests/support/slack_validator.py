"""What Slack refuses in what an app sends it, and the house rules beside: no mentions, no unfurling."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from slack_validator_shapes import (
    SURFACES,
    VIEWS,
    Check,
    InvalidPayload,
    array,
    boolean,
    by_type,
    integer,
    one_of,
    refuse,
    string,
    untyped,
)

__all__ = ["ADVISED_TEXT", "InvalidPayload", "check", "check_blocks", "check_message", "check_view"]

Surface = Literal["message", "modal", "home"]

ADVISED_TEXT = 4_000  # what Slack advises for `text`, and the end for chat.update; the house keeps to it everywhere
HARD_TEXT = 40_000  # what chat.postMessage cuts off at
BLOCKS_TEXT = 13_000  # not documented: slackapi/bolt-js issue 2509
MARKDOWN_TEXT = 12_000
METADATA = 8_000
MENTION = re.compile(r"<(!(channel|here|everyone|subteam)|@[A-Z]|#[A-Z])")

_TEXT = string(10**6, 0)
_WORD = string(255)
_PAGED: dict[str, Check] = {"cursor": string(4000, 0), "limit": integer(1, 999)}
_BLOCKS: dict[str, Check] = {"blocks": array(lambda *_: None, 1000, 0), "text": _TEXT}
_POST: dict[str, Check] = {
    **_BLOCKS,
    "channel": _WORD,
    "attachments": array(lambda *_: None, 0, 0),
    "metadata": lambda *_: None,
    "parse": one_of("none", "full"),
    "link_names": boolean,
}
_LOOK: dict[str, Check] = {"username": string(80), "icon_url": string(3000), "icon_emoji": _WORD}
_HISTORY: dict[str, Check] = {
    **_PAGED,
    "channel": _WORD,
    "oldest": string(30, 0),
    "latest": string(30, 0),
    "inclusive": boolean,
    "include_all_metadata": boolean,
}
_LIST: dict[str, Check] = {**_PAGED, "types": _WORD, "exclude_archived": boolean, "team_id": _WORD}
_REACTION: dict[str, Check] = {"channel": _WORD, "timestamp": _WORD}
_VIEW: Check = lambda *_: None  # noqa: E731 - checked by check_view
_PROMPT = untyped({"title": string(75), "message": string(3000)})

METHODS: dict[str, tuple[str, dict[str, Check]]] = {  # the arguments that must be there, and all that may be
    "api.test": ("", {"error": _WORD, "foo": _WORD}),
    "auth.test": ("", {}),
    "apps.connections.open": ("", {}),
    "assistant.threads.setStatus": (
        "channel_id thread_ts status",
        {
            "channel_id": _WORD,
            "thread_ts": _WORD,
            "status": string(255, 0),
            "loading_messages": array(string(255), 10),
            **_LOOK,
        },
    ),
    "assistant.threads.setSuggestedPrompts": (
        "channel_id prompts",
        {"channel_id": _WORD, "thread_ts": _WORD, "title": string(255), "prompts": array(_PROMPT, 4)},
    ),
    "chat.delete": ("channel ts", {"channel": _WORD, "ts": _WORD}),
    "chat.getPermalink": ("channel message_ts", {"channel": _WORD, "message_ts": _WORD}),
    "chat.postEphemeral": ("channel user", {**_POST, **_LOOK, "user": _WORD, "thread_ts": _WORD}),
    "chat.postMessage": (
        "channel",
        {
            **_POST,
            **_LOOK,
            "thread_ts": _WORD,
            "reply_broadcast": boolean,
            "mrkdwn": boolean,
            "unfurl_links": boolean,
            "unfurl_media": boolean,
        },
    ),
    "chat.update": ("channel ts", {**_POST, "ts": _WORD, "reply_broadcast": boolean, "file_ids": _VIEW}),
    "conversations.history": ("channel", _HISTORY),
    "conversations.info": (
        "channel",
        {"channel": _WORD, "include_locale": boolean, "include_num_members": boolean},
    ),
    "conversations.join": ("channel", {"channel": _WORD}),
    "conversations.list": ("", _LIST),
    "conversations.members": ("channel", {**_PAGED, "channel": _WORD}),
    "conversations.open": (
        "",
        {"channel": _WORD, "users": string(1000), "return_im": boolean, "prevent_creation": boolean},
    ),
    "conversations.replies": ("channel ts", {**_HISTORY, "ts": _WORD}),
    "files.completeUploadExternal": (
        "files",
        {
            "files": array(untyped({"id": _WORD}, {"title": _WORD, "highlight_type": _WORD}), 10),
            "channel_id": _WORD,
            "channels": string(1000),
            "thread_ts": _WORD,
            "initial_comment": _TEXT,
            "blocks": _BLOCKS["blocks"],
        },
    ),
    "files.getUploadURLExternal": (
        "filename length",
        {"filename": _WORD, "length": integer(1, 10**9), "alt_txt": string(1000), "snippet_type": _WORD},
    ),
    "files.info": ("file", {**_PAGED, "file": _WORD}),
    "oauth.v2.access": (
        "code",
        {"code": _WORD, "client_id": _WORD, "client_secret": _WORD, "redirect_uri": string(3000)},
    ),
    "reactions.add": ("channel timestamp name", {**_REACTION, "name": _WORD}),
    "reactions.get": ("", {**_REACTION, "full": boolean, "file": _WORD}),
    "reactions.remove": ("name", {**_REACTION, "name": _WORD, "file": _WORD}),
    "response_url": (
        "",
        {
            **_BLOCKS,
            "response_type": one_of("ephemeral", "in_channel"),
            "replace_original": boolean,
            "delete_original": boolean,
            "thread_ts": _WORD,
            "mrkdwn": boolean,
            "unfurl_links": boolean,
            "unfurl_media": boolean,
            "metadata": lambda *_: None,
        },
    ),
    "users.conversations": ("", {**_LIST, "user": _WORD}),
    "users.info": ("user", {"user": _WORD, "include_locale": boolean}),
    "views.open": ("trigger_id view", {"trigger_id": _WORD, "view": _VIEW}),
    "views.publish": ("user_id view", {"user_id": _WORD, "view": _VIEW, "hash": _WORD}),
    "views.push": ("trigger_id view", {"trigger_id": _WORD, "view": _VIEW}),
    "views.update": ("view", {"view_id": _WORD, "external_id": _WORD, "hash": _WORD, "view": _VIEW}),
}
_MESSAGES = {"chat.postMessage", "chat.update", "chat.postEphemeral", "response_url"}


def check(method: str, payload: Mapping[str, Any], *, allow_mentions: bool = False) -> None:
    """Raise InvalidPayload for a call Slack or the house refuses. payload: the arguments, decoded, without a token."""
    if method not in METHODS:
        refuse(method, "no such method here", "unknown_method")
    required, allowed = METHODS[method]
    _check_arguments(required.split(), allowed, payload)
    if method in _MESSAGES and not payload.get("delete_original"):
        check_message(payload, allow_mentions=allow_mentions)
    if method == "chat.postMessage":
        for name in ("unfurl_links", "unfurl_media"):
            if payload.get(name) is not False:
                refuse(f"/{name}", "must be false: the house shows no previews", "unfurls")
    if method == "files.completeUploadExternal":
        _check_text(payload.get("initial_comment", ""), "/initial_comment")
        check_blocks(payload.get("blocks") or [])
        _refuse_mentions(payload, allow_mentions)
    if "view" in payload:
        check_view(payload["view"])
        _check_surface(method, payload["view"]["type"])


def check_message(payload: Mapping[str, Any], *, allow_mentions: bool = False) -> None:
    """Text, blocks and metadata of one message. Raises InvalidPayload."""
    if not payload.get("text") and not payload.get("blocks"):
        refuse("/text", "neither text nor blocks", "no_text")
    _check_text(payload.get("text") or "", "/text")
    check_blocks(payload.get("blocks") or [])
    if payload.get("metadata"):  # empty: chat.update takes it away
        _check_metadata(payload["metadata"])
    _refuse_mentions(payload, allow_mentions)


def check_view(view: Any) -> None:
    """A modal or an App Home. Raises InvalidPayload."""
    with_code = "invalid_arguments"
    try:
        by_type(VIEWS)(view, "/view")
        check_blocks(view["blocks"], view["type"])
    except InvalidPayload as wrong:
        raise InvalidPayload(with_code, wrong.path, wrong.why) from None
    if view["type"] == "modal" and "submit" not in view and any(one["type"] == "input" for one in view["blocks"]):
        refuse("/view/submit", "input blocks need it", with_code)


def check_blocks(blocks: Sequence[Mapping[str, Any]], surface: Surface = "message") -> None:
    """The blocks of one surface. Raises InvalidPayload."""
    if surface == "message" and not blocks:
        return
    SURFACES[surface](blocks, "/blocks")
    _refuse_doubles([block.get("block_id") for block in blocks], "block_id", "/blocks")
    for number, block in enumerate(blocks):
        if block["type"] == "actions":
            _refuse_doubles([one.get("action_id") for one in block["elements"]], "action_id", f"/blocks/{number}")
    inputs = [block for block in blocks if block["type"] == "input"]
    pairs = [(one.get("block_id"), one["element"].get("action_id")) for one in inputs]
    _refuse_doubles([pair for pair in pairs if pair[1]], "action_id", "/blocks")
    if surface == "message":
        _check_sums(blocks)


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Every text in blocks: (path, type of the object that holds it, text)."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key == "text" and isinstance(item, str):
                yield f"{path}/text", str(value.get("type")), item
            else:
                yield from texts(item, f"{path}/{key}")
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from texts(item, f"{path}/{number}")


def _check_arguments(required: Sequence[str], allowed: Mapping[str, Check], payload: Mapping[str, Any]) -> None:
    try:
        everywhere = {**allowed, "team_id": _WORD}  # slack_bolt's clients add it to every call
        untyped({name: allowed[name] for name in required}, everywhere)(payload, "")
    except InvalidPayload as wrong:
        raise InvalidPayload("invalid_arguments", wrong.path, wrong.why) from None


def _check_surface(method: str, kind: str) -> None:
    wanted = {"views.open": "modal", "views.push": "modal", "views.publish": "home"}.get(method, kind)
    if kind != wanted:
        refuse("/view/type", f"{method} takes a {wanted}", "invalid_arguments")


def _check_text(text: str, path: str) -> None:
    if len(text) > HARD_TEXT:
        refuse(path, f"{len(text)} characters, Slack takes {HARD_TEXT}", "msg_too_long")
    if len(text) > ADVISED_TEXT:
        refuse(path, f"{len(text)} characters, Slack advises {ADVISED_TEXT}", "msg_too_long")


def _refuse_doubles(names: Sequence[object], kind: str, path: str) -> None:
    given = [name for name in names if name is not None]
    for name in given:
        if given.count(name) > 1:
            refuse(path, f"{kind} {name!r} twice")


def _check_sums(blocks: Sequence[Mapping[str, Any]]) -> None:
    if sum(block["type"] == "table" for block in blocks) > 1:
        refuse("/blocks", "more than one table")
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > MARKDOWN_TEXT:
        refuse("/blocks", f"more than {MARKDOWN_TEXT} characters in markdown blocks")
    total = sum(len(text) for _, _, text in texts(blocks))
    if total > BLOCKS_TEXT:
        refuse("/blocks", f"{total} characters in all, at most {BLOCKS_TEXT}", "msg_blocks_too_long")


def _check_metadata(metadata: Any) -> None:
    code = "invalid_metadata_format"
    if not isinstance(metadata, Mapping) or set(metadata) != {"event_type", "event_payload"}:
        refuse("/metadata", "must hold event_type and event_payload", code)
    if not isinstance(metadata["event_type"], str) or not metadata["event_type"]:
        refuse("/metadata/event_type", "must be a string that is not empty", code)
    if not isinstance(metadata["event_payload"], Mapping):
        refuse("/metadata/event_payload", "must be an object", code)
    for key, value in metadata["event_payload"].items():
        if not isinstance(value, str | int | bool):
            refuse(f"/metadata/event_payload/{key}", "must be a string, a whole number or a boolean", code)
    if len(json.dumps(metadata)) > METADATA:
        refuse("/metadata", f"longer than {METADATA} characters", "metadata_too_large")


def _refuse_mentions(payload: Mapping[str, Any], allow: bool) -> None:
    """The house rule: what Lotse says never mentions anybody."""
    if allow:
        return
    if payload.get("link_names") or payload.get("parse") == "full":
        refuse("/link_names", "makes mentions of names", "unescaped_mention")
    written = [("/text", "mrkdwn", payload.get("text") or ""), *texts(payload.get("blocks") or [], "/blocks")]
    written.append(("/initial_comment", "mrkdwn", payload.get("initial_comment") or ""))
    for path, kind, text in written:
        if kind in {"mrkdwn", "markdown"} and (found := MENTION.search(text)):
            refuse(path, f"mentions: {text[found.start() : found.start() + 20]!r}", "unescaped_mention")
    for path, kind in _rich_elements(payload.get("blocks") or [], "/blocks"):
        if kind in {"broadcast", "usergroup"}:
            refuse(path, f"a {kind} mentions people", "unescaped_mention")


def _rich_elements(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        yield path, str(value.get("type"))
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, item in pairs:
        yield from _rich_elements(item, f"{path}/{key}")
