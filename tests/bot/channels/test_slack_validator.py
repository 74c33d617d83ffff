"""What the validator of outgoing Slack payloads lets through and what it refuses."""

from typing import Any

import pytest
from slack_validator import InvalidPayload, check, check_blocks, check_message, check_view

Block = dict[str, Any]


def mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def section(text: str = "Hallo", **more: Any) -> Block:
    return {"type": "section", "text": mrkdwn(text), **more}


def button(**more: Any) -> Block:
    return {"type": "button", "text": plain("Ja"), "action_id": "yes", **more}


def actions(*elements: Block, **more: Any) -> Block:
    return {"type": "actions", "elements": list(elements), **more}


def select(count: int, **more: Any) -> Block:
    options = [{"text": plain(f"Nr. {number}"), "value": str(number)} for number in range(count)]
    return {"type": "static_select", "action_id": "pick", "options": options, **more}


def rich(*elements: Block) -> Block:
    return {"type": "rich_text", "elements": list(elements)}


def words(*elements: Block) -> Block:
    return {"type": "rich_text_section", "elements": list(elements)}


def bullets(**more: Any) -> Block:
    items = [words({"type": "text", "text": "eins"})]
    return {"type": "rich_text_list", "style": "bullet", "elements": items, **more}


def field(block_id: str = "name", **more: Any) -> Block:
    element = {"type": "plain_text_input", "action_id": "typed"}
    return {"type": "input", "block_id": block_id, "label": plain("Name"), "element": element, **more}


def modal(*blocks: Block, **more: Any) -> Block:
    return {"type": "modal", "title": plain("Frage"), "submit": plain("Senden"), "blocks": list(blocks), **more}


def table(rows: int, columns: int, text: str = "x") -> Block:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": text}] * columns] * rows}


GOOD = [
    [section(), {"type": "divider"}, {"type": "header", "text": plain("Titel")}],
    [actions(button(), button(action_id="no", style="danger", value="1")), actions(select(100), block_id="b")],
    [section(accessory={"type": "overflow", "action_id": "more", "options": select(5)["options"]})],
    [rich(words({"type": "text", "text": "fett", "style": {"bold": True}}), bullets(indent=8, border=1))],
    [rich({"type": "rich_text_preformatted", "elements": [{"type": "link", "url": "https://example.com"}]})],
    [table(100, 20), {"type": "context", "elements": [mrkdwn("klein")] * 10}],
    [{"type": "markdown", "text": "# Titel"}],
    [{"type": "image", "image_url": "https://example.com/a.png", "alt_text": "ein Bild"}],
]


@pytest.mark.parametrize("blocks", GOOD)
def test_good_blocks_pass(blocks: list[Block]) -> None:
    check_blocks(blocks)


BAD = {
    "too many blocks": [section()] * 51,
    "unknown block": [{"type": "marquee"}],
    "no type": [{"text": mrkdwn("x")}],
    "unknown key": [section(colour="red")],
    "unknown key deep inside": [section(accessory=button(colour="red"))],
    "missing key": [{"type": "header"}],
    "empty text": [section("")],
    "empty text in rich text": [rich(words({"type": "text", "text": ""}))],
    "long section": [section("x" * 3001)],
    "long header": [{"type": "header", "text": plain("x" * 151)}],
    "mrkdwn header": [{"type": "header", "text": mrkdwn("x")}],
    "eleven fields": [{"type": "section", "fields": [mrkdwn("x")] * 11}],
    "long field": [{"type": "section", "fields": [mrkdwn("x" * 2001)]}],
    "section without content": [{"type": "section"}],
    "eleven in context": [{"type": "context", "elements": [mrkdwn("x")] * 11}],
    "no actions": [actions()],
    "26 actions": [actions(*(button(action_id=str(number)) for number in range(26)))],
    "long label": [actions(button(text=plain("x" * 76)))],
    "mrkdwn label": [actions(button(text=mrkdwn("x")))],
    "long value": [actions(button(value="x" * 2001))],
    "long url": [actions(button(url="https://" + "x" * 3000))],
    "no url": [actions(button(url="somewhere"))],
    "long action_id": [actions(button(action_id="x" * 256))],
    "long block_id": [section(block_id="x" * 256)],
    "style of its own": [actions(button(style="default"))],
    "incomplete confirm": [actions(button(confirm={"title": plain("x"), "text": plain("x")}))],
    "no options": [actions(select(0))],
    "101 options": [actions(select(101))],
    "long option": [actions({**select(1), "options": [{"text": plain("x" * 76), "value": "1"}]})],
    "long option value": [actions({**select(1), "options": [{"text": plain("x"), "value": "1" * 151}]})],
    "same option twice": [actions({**select(1), "options": select(1)["options"] * 2})],
    "initial of nowhere": [actions(select(1, initial_option={"text": plain("x"), "value": "9"}))],
    "long placeholder": [actions(select(1, placeholder=plain("x" * 151)))],
    "overflow of one": [actions({"type": "overflow", "options": select(1)["options"]})],
    "eleven checkboxes": [actions({"type": "checkboxes", "options": select(11)["options"]})],
    "same block_id": [section(block_id="b"), section(block_id="b")],
    "same action_id": [actions(button(), button())],
    "input in a message": [field()],
    "two tables": [table(1, 1), table(1, 1)],
    "101 rows": [table(101, 1)],
    "21 columns": [table(1, 21)],
    "empty cell": [table(1, 1, "")],
    "long markdown": [{"type": "markdown", "text": "x" * 7000}] * 2,
    "unknown rich text": [rich({"type": "rich_text_table", "elements": []})],
    "unknown inline": [rich(words({"type": "blink", "text": "x"}))],
    "unknown style": [rich(words({"type": "text", "text": "x", "style": {"underline": True}}))],
    "style that is no boolean": [rich(words({"type": "text", "text": "x", "style": {"bold": "yes"}}))],
    "list style": [rich({**bullets(), "style": "dashed"})],
    "indent": [rich(bullets(indent=9))],
    "list in a list": [rich({**bullets(), "elements": [bullets()]})],
    "not a list": "section",
    "not an object": ["section"],
}


@pytest.mark.parametrize("name", BAD)
def test_bad_blocks_are_refused(name: str) -> None:
    with pytest.raises(InvalidPayload) as refused:
        check_blocks(BAD[name])  # type: ignore[arg-type]
    assert refused.value.code == "invalid_blocks"
    assert refused.value.path.startswith("/blocks")


def test_all_texts_of_a_message_together_are_limited() -> None:
    with pytest.raises(InvalidPayload) as refused:
        check_blocks([section("x" * 2700) for _ in range(5)])
    assert refused.value.code == "msg_blocks_too_long"


BAD_VIEWS = {
    "long title": modal(section(), title=plain("x" * 25)),
    "long submit": modal(section(), submit=plain("x" * 25)),
    "no blocks": modal(),
    "101 blocks": modal(*[section()] * 101),
    "long private_metadata": modal(section(), private_metadata="x" * 3001),
    "long callback_id": modal(section(), callback_id="x" * 256),
    "unknown key": modal(section(), colour="red"),
    "same input twice": modal(field(), field()),
    "same action without block_id": modal(*({k: v for k, v in field().items() if k != "block_id"} for _ in range(2))),
    "input without submit": {key: item for key, item in modal(field()).items() if key != "submit"},
    "long label": modal(field(label=plain("x" * 2001))),
    "long hint": modal(field(hint=plain("x" * 2001))),
    "long initial": modal(field(element={"type": "plain_text_input", "initial_value": "x" * 3001})),
    "long max_length": modal(field(element={"type": "plain_text_input", "max_length": 3001})),
    "table": modal(table(1, 1)),
    "home with title": {"type": "home", "title": plain("x"), "blocks": []},
    "home with submit": {"type": "home", "submit": plain("x"), "blocks": []},
    "neither": {"type": "popup", "blocks": []},
}


@pytest.mark.parametrize("name", BAD_VIEWS)
def test_bad_views_are_refused(name: str) -> None:
    with pytest.raises(InvalidPayload) as refused:
        check_view(BAD_VIEWS[name])
    assert refused.value.code == "invalid_arguments"


def test_good_views_pass() -> None:
    check_view(modal(section(), field(), field("other"), private_metadata="{}", external_id="one"))
    check_view({"type": "home", "blocks": [section()] * 100})


POST: dict[str, Any] = {"channel": "C1", "text": "Hallo", "unfurl_links": False, "unfurl_media": False}
META = {"event_type": "answer", "event_payload": {"key": "1", "number": 2, "last": True}}


def test_good_messages_pass() -> None:
    check("chat.postMessage", {**POST, "metadata": META, "username": "Sabine", "thread_ts": "1.2"})
    check("chat.update", {"channel": "C1", "ts": "1.2", "blocks": [section()], "metadata": {}})
    check("response_url", {"delete_original": True})
    check("chat.postMessage", {**POST, "text": "<@U1> und <!here>"}, allow_mentions=True)


BAD_MESSAGES: dict[str, tuple[dict[str, Any], str]] = {
    "nothing to say": ({"text": ""}, "no_text"),
    "advised length": ({"text": "x" * 4001}, "msg_too_long"),
    "hard length": ({"text": "x" * 40_001}, "msg_too_long"),
    "unknown argument": ({"colour": "red"}, "invalid_arguments"),
    "long username": ({"username": "x" * 81}, "invalid_arguments"),
    "blocks as text": ({"blocks": "[{"}, "invalid_arguments"),
    "previews": ({"unfurl_links": True}, "unfurls"),
    "previews of media": ({"unfurl_media": True}, "unfurls"),
    "metadata without payload": ({"metadata": {"event_type": "x"}}, "invalid_metadata_format"),
    "nested metadata": ({"metadata": {**META, "event_payload": {"a": {"b": 1}}}}, "invalid_metadata_format"),
    "long metadata": ({"metadata": {**META, "event_payload": {"a": "x" * 8000}}}, "metadata_too_large"),
    "everybody": ({"text": "<!channel> Hallo"}, "unescaped_mention"),
    "a person": ({"blocks": [section("frag <@U012AB>")]}, "unescaped_mention"),
    "a channel": ({"blocks": [section("siehe <#C012AB|general>")]}, "unescaped_mention"),
    "a group": ({"blocks": [{"type": "markdown", "text": "<!subteam^S1>"}]}, "unescaped_mention"),
    "broadcast": ({"blocks": [rich(words({"type": "broadcast", "range": "here"}))]}, "unescaped_mention"),
    "usergroup": ({"blocks": [rich(words({"type": "usergroup", "usergroup_id": "S1"}))]}, "unescaped_mention"),
    "names made links": ({"link_names": True}, "unescaped_mention"),
}


@pytest.mark.parametrize("name", BAD_MESSAGES)
def test_bad_messages_are_refused(name: str) -> None:
    change, code = BAD_MESSAGES[name]
    with pytest.raises(InvalidPayload) as refused:
        check("chat.postMessage", {**POST, **change})
    assert refused.value.code == code


def test_missing_arguments_and_wrong_surfaces_are_refused() -> None:
    for method, payload in (
        ("chat.postMessage", {"text": "Hallo"}),
        ("chat.update", {"channel": "C1", "text": "Hallo"}),
        ("views.open", {"trigger_id": "1", "view": {"type": "home", "blocks": []}}),
        ("views.publish", {"user_id": "U1", "view": modal(section())}),
        ("conversations.history", {"channel": "C1", "limit": 1000}),
    ):
        with pytest.raises(InvalidPayload) as refused:
            check(method, payload)
        assert refused.value.code == "invalid_arguments"


def test_escaped_mentions_and_plain_text_pass() -> None:
    check_message({"text": "&lt;!channel&gt;", "blocks": [section(accessory=button(text=plain("<!here>")))]})
