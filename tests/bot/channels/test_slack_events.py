"""What Slack's events become: pure translation of the payloads in tests/payloads/slack."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.channels.port import Address, File, Incoming, Sender
from bot.channels.slack.events import Here, is_search, own_post_deleted, to_incoming

PAYLOADS = Path(__file__).parents[2] / "payloads" / "slack"
TEAM, ME, KONRAD, OWEN = "T0ACME001", "U0LOTSE01", "U0KONRAD1", "U0OWEN001"
DM, GENERAL, HELP = "D0KONRAD1", "C0GENERAL", "C0ITHELP1"
HERE = Here(TEAM, ME, frozenset({HELP}), {OWEN: "Owen Tallis"})
QUESTION = "1795424400.000100"


def event(name: str) -> dict[str, Any]:
    """The event in a payload."""
    found: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text("utf-8"))["event"]
    return found


def incoming(name: str, **changes: Any) -> Incoming:
    came = to_incoming({**event(name), **changes}, HERE)
    assert came is not None
    return came


def test_a_direct_message_is_for_lotse_and_stands_in_a_thread_of_its_own() -> None:
    address = Address("slack", f"@{KONRAD}", QUESTION)
    sender = Sender("slack", KONRAD, "")
    text, written_at = "Wie richte ich VPN & WLAN <neu> ein?", datetime(2026, 11, 23, 9, 0, 0, 100, UTC)
    came = incoming("message_im")
    assert came == Incoming(address, sender, text, f"{DM}/{QUESTION}", written_at, addressed=True, loose=True)
    assert came.address.route == {"team": TEAM, "dm": DM}


def test_a_reply_in_a_thread_of_a_channel_is_taken_from_its_requester_only() -> None:
    came = incoming("message_thread_reply")
    assert came.address == Address("slack", GENERAL, QUESTION)
    assert came.address.route == {"team": TEAM, "shared": "yes"}
    assert (came.source_id, came.addressed, came.loose) == (f"{GENERAL}/1795424460.000200", False, False)


def test_a_reply_in_a_direct_message_stays_in_its_thread() -> None:
    came = incoming("message_thread_reply", channel=DM)
    assert came.address == Address("slack", f"@{KONRAD}", QUESTION)
    assert (came.addressed, came.loose) == (True, False)


def test_files_are_named_and_those_that_cannot_be_kept_say_why() -> None:
    download = "https://files.slack.com/files-pri/T0ACME001-F0BILD0001/download/bild.png"
    assert incoming("message_file_share").files == (
        File("bild.png", "image/png", None, None, download),
        File("film.mp4", "video/mp4", None, "too_large"),
        File("setup.exe", "application/x-msdownload", None, "not_allowed"),
        File("file", "application/octet-stream", None, "not_loaded"),
    )


def test_an_edit_is_the_new_wording_of_its_message() -> None:
    came = incoming("message_changed_edit")
    assert (came.text, came.edits) == ("Wie richte ich VPN ein?", f"{DM}/{QUESTION}")
    assert came.source_id == f"{DM}/{QUESTION}#1795424700.000000"
    assert (came.address, came.sender.id) == (Address("slack", f"@{KONRAD}", QUESTION), KONRAD)
    assert came.written_at == datetime(2026, 11, 23, 9, 5, tzinfo=UTC)


def test_an_edit_of_a_direct_message_is_for_lotse_even_when_it_has_overtaken_its_message() -> None:
    came = incoming("message_changed_edit")
    assert (came.addressed, came.loose) == (True, True)


def test_an_edit_in_a_channel_is_for_lotse_when_it_mentions_it() -> None:
    came = incoming("message_changed_mention_added")
    assert (came.addressed, came.edits) == (True, f"{GENERAL}/1795425000.000800")
    assert came.text == "Mein VPN geht nicht, @Owen Tallis kennt das."
    assert not incoming("message_changed_edit", channel=GENERAL).addressed
    assert not incoming("message_changed_edit", channel=HELP).addressed


def test_an_edit_in_a_help_channel_is_for_lotse_when_it_overtakes_a_question() -> None:
    edit = event("message_changed_edit") | {"channel": HELP}
    at = float(QUESTION)
    edit["message"]["edited"]["ts"] = f"{at + 59:.6f}"
    at_once = to_incoming(edit, HERE)
    edit["message"]["thread_ts"] = f"{at - 1:.6f}"
    in_a_thread = to_incoming(edit, HERE)
    assert at_once is not None
    assert in_a_thread is not None
    assert (at_once.addressed, in_a_thread.addressed) == (True, False)


def test_two_edits_are_two_events() -> None:
    again = event("message_changed_edit")
    again["message"]["edited"]["ts"] = "1795424711.000000"
    later = to_incoming(again, HERE)
    assert later is not None
    assert later.source_id != incoming("message_changed_edit").source_id


def test_a_message_that_became_a_tombstone_was_deleted() -> None:
    came = incoming("message_changed_tombstone")
    assert (came.deletes, came.edits, came.text) == (f"{DM}/{QUESTION}", None, "")
    assert (came.sender.id, came.address) == (KONRAD, Address("slack", f"@{KONRAD}", QUESTION))


def test_a_deletion_names_its_message_and_thread() -> None:
    came = incoming("message_deleted")
    assert (came.deletes, came.addressed) == (f"{GENERAL}/1795424460.000200", False)
    assert (came.address, came.sender.id) == (Address("slack", GENERAL, QUESTION), KONRAD)


def test_the_two_events_of_a_mention_are_the_same_message() -> None:
    assert incoming("app_mention") == incoming("message_with_mention")
    came = incoming("app_mention")
    assert came.addressed
    assert came.text == "Mein VPN geht nicht, @Owen Tallis kennt das."


def test_in_a_help_channel_a_new_message_is_for_lotse_and_a_reply_is_not() -> None:
    assert incoming("message_im", channel=HELP).addressed
    assert not incoming("message_im", channel=GENERAL).addressed
    assert not incoming("message_thread_reply", channel=HELP).addressed


def test_a_reply_that_is_also_sent_to_the_channel_stays_a_reply() -> None:
    came = incoming("thread_broadcast")
    assert (came.address, came.sender.id) == (Address("slack", HELP, QUESTION), OWEN)
    assert (came.addressed, came.text) == (False, "Geht bei mir wieder.")


def test_somebody_of_another_company_in_a_shared_channel_is_heard_in_our_workspace() -> None:
    came = incoming("message_slack_connect")
    assert (came.sender.id, came.address.route) == ("U0PARTNR1", {"team": TEAM, "shared": "yes"})
    assert came.addressed


@pytest.mark.parametrize("name", ["message_changed_unfurl", "bot_message", "message_own_post", "channel_join"])
def test_what_nobody_wrote_is_no_message(name: str) -> None:
    assert to_incoming(event(name), HERE) is None


@pytest.mark.parametrize(
    "changes", [{"subtype": "channel_topic"}, {"subtype": "reminder_add"}, {"user": ME}, {"bot_id": "B0OTHERCI"}]
)
def test_other_subtypes_and_bots_are_no_message(changes: dict[str, str]) -> None:
    assert to_incoming({**event("message_im"), **changes}, HERE) is None


def test_a_deleted_post_of_lotse_is_known_and_nobodys_message() -> None:
    own = event("message_own_post")
    gone = {**event("message_deleted"), "deleted_ts": own["ts"], "previous_message": own}
    assert to_incoming(gone, HERE) is None
    assert own_post_deleted(gone, "B0LOTSE01") == own["ts"]
    assert own_post_deleted(event("message_deleted"), "B0LOTSE01") is None


def test_what_begins_with_a_mention_is_a_search_also_when_it_is_changed() -> None:
    search, changed = event("message_with_mention"), event("message_changed_mention_added")
    assert is_search(search, HERE)
    assert is_search({**search, "text": f"<@{ME}|lotse> VPN"}, HERE)
    assert is_search({**changed, "previous_message": search}, HERE)
    assert not is_search(changed, HERE)
    assert not is_search({**search, "text": f"Frag <@{ME}> danach"}, HERE)
    assert not is_search(event("message_im"), HERE)


def test_every_payload_is_used() -> None:
    used = Path(__file__).read_text("utf-8")
    events = {path.stem for path in PAYLOADS.glob("*.json")} - {"manifest.schema"}
    assert {name for name in events if f'"{name}"' not in used} == set()
