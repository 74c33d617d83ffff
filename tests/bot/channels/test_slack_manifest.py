"""slack/manifest.yml: Slack takes it, and it asks for what Lotse uses and nothing else."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from bot.channels.slack.workspaces import bot_scopes

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "slack" / "manifest.yml").read_text("utf-8")
SCHEMA = json.loads((ROOT / "tests" / "payloads" / "slack" / "manifest.schema.json").read_text("utf-8"))

# What each method and event that Lotse uses needs, as docs.slack.dev says; where one of several scopes is enough, the
# ones that fit the channels Lotse is in.
NEEDED = {
    "chat.postMessage": {"chat:write", "chat:write.customize"},
    "chat.update": {"chat:write"},
    "chat.delete": {"chat:write"},
    "chat.postEphemeral": {"chat:write"},
    "conversations.open": {"im:write"},
    "conversations.info": {"channels:read", "groups:read"},
    "conversations.members": {"channels:read", "groups:read"},
    "conversations.history": {"channels:history", "groups:history", "im:history"},
    "conversations.replies": {"channels:history", "groups:history", "im:history"},
    "users.info": {"users:read"},
    "files.info": {"files:read"},
    "files.getUploadURLExternal": {"files:write"},
    "files.completeUploadExternal": {"files:write"},
    "assistant.threads.setStatus": {"chat:write"},
    "assistant.threads.setSuggestedPrompts": {"assistant:write"},
    "slash command and shortcuts": {"commands"},
}
EVENTS = {
    "app_home_opened": set(),
    "app_mention": {"app_mentions:read"},
    "app_uninstalled": set(),
    "assistant_thread_started": {"assistant:write"},
    "member_joined_channel": {"channels:read", "groups:read"},
    "member_left_channel": {"channels:read", "groups:read"},
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "message.im": {"im:history"},
    "reaction_added": {"reactions:read"},
    "tokens_revoked": set(),
}


def manifest(text: str = TEXT) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(text)
    return read


def faults(value: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in Draft7Validator(SCHEMA).iter_errors(value)]


def for_http() -> str:
    """The manifest as its comments say for mode http."""
    text = re.sub(r"# (?=(?:url|request_url|redirect_urls): )", "", TEXT)
    return text.replace("socket_mode_enabled: true", "socket_mode_enabled: false")


def as_assistant(value: dict[str, Any]) -> dict[str, Any]:
    """The manifest for an app that still has assistant_view, as docs/slack.md says."""
    features = dict(value["features"])
    features["assistant_view"] = {"assistant_description": features.pop("agent_view")["agent_description"]}
    return {**value, "features": features}


def test_slack_takes_it() -> None:
    assert faults(manifest()) == []


def test_slack_takes_it_for_http_too() -> None:
    changed = manifest(for_http())
    assert faults(changed) == []
    urls = re.findall(r"https://helpdesk\.example\.org(/[a-z_/]*)", json.dumps(changed))
    assert sorted(urls) == ["/slack/events", "/slack/events", "/slack/events", "/slack/oauth_redirect"]
    assert changed["settings"]["socket_mode_enabled"] is False


def test_slack_takes_it_for_an_app_with_assistant_view() -> None:
    assert faults(as_assistant(manifest())) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("display_information.name", "L" * 36),
        ("display_information.description", "L" * 141),
        ("features.bot_user.display_name", "L" * 81),
        ("features.agent_view.agent_description", "L" * 301),
        ("features.home", True),
        ("settings.event_subscriptions.bot_events", ["message.im", "message.im"]),
        ("settings.event_subscriptions.request_url", "http://helpdesk.example.org/slack/events"),
    ],
)
def test_the_check_refuses_what_slack_would(path: str, value: object) -> None:
    changed = manifest()
    *sections, last = path.split(".")
    place = changed
    for section in sections:
        place = place[section]
    place[last] = value
    assert faults(changed) != []


def test_every_scope_says_what_it_is_for() -> None:
    lines = TEXT.partition("    bot:\n")[2].partition("\nsettings:")[0].splitlines()
    told = dict(re.findall(r"^ {6}- (\S+) +# (.{10,})$", "\n".join(lines), re.MULTILINE))
    assert list(told) == list(bot_scopes())


def test_it_asks_for_the_scopes_lotse_uses_and_no_other() -> None:
    assert set(bot_scopes()) == set().union(*NEEDED.values(), *EVENTS.values())


def test_it_asks_for_no_rights_of_a_person() -> None:
    assert "user" not in manifest()["oauth_config"]["scopes"]


def test_it_subscribes_to_the_events_lotse_listens_to() -> None:
    assert set(manifest()["settings"]["event_subscriptions"]["bot_events"]) == set(EVENTS)


def listened_to(kind: str) -> set[str]:
    """What the listeners in bot/channels name: `bolt.event("...")`, `bolt.shortcut("...")`."""
    files = (ROOT / "bot" / "channels").glob("slack*.py")
    return {name for file in files for name in re.findall(rf'\bbolt\.{kind}\("([^"]+)"\)', file.read_text("utf-8"))}


def test_every_listener_gets_its_events() -> None:
    read = manifest()
    subscribed = {name.partition(".")[0] for name in read["settings"]["event_subscriptions"]["bot_events"]}
    assert listened_to("event") - subscribed == set()
    assert listened_to("shortcut") - {one["callback_id"] for one in read["features"]["shortcuts"]} == set()
    assert listened_to("command") - {one["command"] for one in read["features"]["slash_commands"]} == set()


def test_shortcuts_and_command_are_the_ones_lotse_listens_to() -> None:
    features = manifest()["features"]
    assert {(one["type"], one["callback_id"]) for one in features["shortcuts"]} == {
        ("message", "open_ticket"),
        ("global", "ask_helpdesk"),
    }
    assert [one["command"] for one in features["slash_commands"]] == ["/helpdesk"]


def test_people_can_write_to_lotse_and_press_its_buttons() -> None:
    read = manifest()
    assert read["features"]["app_home"] == {
        "home_tab_enabled": True,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": False,
    }
    assert read["settings"]["interactivity"]["is_enabled"]
    assert read["settings"]["socket_mode_enabled"]


def test_tokens_do_not_run_out() -> None:
    assert manifest()["settings"]["token_rotation_enabled"] is False


def test_the_docs_tell_every_scope() -> None:
    text = (ROOT / "docs" / "slack.md").read_text("utf-8")
    assert [scope for scope in bot_scopes() if f"`{scope}`" not in text] == []
