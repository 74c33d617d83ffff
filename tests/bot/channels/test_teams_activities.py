"""What Teams' activities become: pure translation of the payloads in tests/payloads/teams."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.channels.port import Address, File, Incoming, Sender
from bot.channels.teams.activities import (
    TYPES,
    Activity,
    Here,
    Malformed,
    begins_with_us,
    is_id,
    language_of,
    read_activity,
    to_incoming,
    within,
)
from bot.channels.teams.cards import Pressed, pressed
from bot.channels.teams.surfaces import told_in

PAYLOADS = Path(__file__).parents[2] / "payloads" / "teams"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TENANT, SERVICE = "6f1d0c52-9a3e-4b7f-8d21-0c5e7a9b4f10", "https://smba.trafficmanager.net/emea/9d2c/"
KONRAD, OWEN = "0b7e2f4c-3d19-4a86-b5f0-91c8d62e7a43", "d58a1e90-6c47-4f2b-8e13-2a7f95b0c4d6"
CHAT = "a:1qWmLzT8rKfVdYxJcNhBgPsUoEiA7k2M-5vRtQ9wXyZ0aSdFgHjKlPoIuYtReWqMnBvCxZ3sDf6GhJ4kL1pO8iU7yT"
GROUP = "19:meeting5f0c2a9d4b7e4810a6c3e1f2b8d79054@thread.v2"
TEAM, CHANNEL = "19:a1d7c3e95b2f48069c8e4d1b7a35f062@thread.tacv2", "19:7be04c1f9d2a4e63b8f5a0c6d31e9874@thread.tacv2"
DESK = "19:3f9a6d2c8e014b75a1c4f7e0b96d5283@thread.tacv2"
HERE = Here(frozenset({CHANNEL}), frozenset({DESK}), note_marks=("//", "🔒"))
ELSEWHERE = Here()


def payload(name: str, **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text("utf-8"))
    return {**found, **changes}


def activity(name: str, **changes: Any) -> Activity:
    return read_activity(payload(name, **changes))


def incoming(name: str, here: Here = ELSEWHERE, **changes: Any) -> Incoming:
    came = to_incoming(activity(name, **changes), here, NOW)
    assert came is not None
    return came


# --- messages ---------------------------------------------------------------------------------------------------------
def test_a_message_in_the_chat_is_for_lotse_and_its_place_is_named_after_the_person() -> None:
    address, sender = Address("teams", f"@{KONRAD}", None), Sender("teams", KONRAD, "Konrad Voßmann", "de")
    text, written_at = "Wie richte ich VPN & WLAN <neu> ein?", datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    came = incoming("message_personal")
    assert came == Incoming(address, sender, text, f"@{KONRAD}/1795424400000", written_at, addressed=True)
    assert came.address.route == {"service_url": SERVICE, "tenant": TENANT, "conversation": CHAT}


def test_in_a_group_chat_everybody_has_a_place_of_their_own() -> None:
    came = incoming("message_group_mention")
    assert came.address == Address("teams", GROUP, f"@{KONRAD}")
    assert came.address.route == {
        "service_url": SERVICE,
        "tenant": TENANT,
        "shared": "yes",
        "name": "Konrad Voßmann",
    }
    assert (came.text, came.addressed) == ("mein VPN geht nicht, @Owen kennt das.", True)
    assert came.source_id == f"{GROUP}/1795424460120"


def test_in_a_group_chat_what_does_not_mention_lotse_is_no_message() -> None:
    assert to_incoming(activity("message_group_mention", entities=[]), HERE, NOW) is None


def test_in_a_channel_a_mention_is_for_lotse_and_stands_in_its_thread() -> None:
    came = incoming("message_channel_mention")
    assert came.address == Address("teams", CHANNEL, "1795424520000")
    assert came.address.route == {"service_url": SERVICE, "tenant": TENANT, "team": TEAM, "shared": "yes"}
    assert (came.text, came.addressed) == ("mein VPN geht nicht, @Owen Tallis kennt das.", True)


def test_the_mention_of_somebody_called_as_lotse_is_left_in() -> None:
    other = payload("message_channel_mention")
    other["entities"][0]["mentioned"]["id"] = "29:1lotse-mueller"
    came = to_incoming(read_activity(other), ELSEWHERE, NOW)
    assert came is not None
    assert (came.text, came.addressed) == ("@Lotse mein VPN geht nicht, @Owen Tallis kennt das.", False)


def test_without_a_copy_as_html_the_text_counts_also_with_a_shortened_name() -> None:
    came = incoming("message_group_mention", attachments=[])
    assert came.text == "mein VPN geht nicht, @Owen kennt das."


def test_a_reply_without_a_mention_is_taken_from_its_requester_only() -> None:
    came = incoming("message_thread_reply", HERE)
    assert (came.address, came.sender.id, came.sender.language) == (
        Address("teams", CHANNEL, "1795424520000"),
        OWEN,
        "en",
    )
    assert not came.addressed


def test_a_post_without_a_mention_is_for_lotse_in_help_channels_only() -> None:
    assert incoming("message_rsc_post", HERE).addressed
    assert not incoming("message_rsc_post", ELSEWHERE).addressed
    assert incoming("message_rsc_post").address.thread == "1795424640000"


def test_a_post_whose_conversation_names_no_thread_begins_its_own() -> None:
    bare = payload("message_rsc_post")
    bare["conversation"]["id"] = CHANNEL
    came = to_incoming(read_activity(bare), HERE, NOW)
    assert came is not None
    assert (came.address.thread, came.addressed) == ("1795424640000", True)


def test_a_mention_alone_is_a_message_without_words() -> None:
    came = incoming("message_mention_alone")
    assert (came.text, came.addressed) == ("", True)
    assert to_incoming(activity("message_personal", text="", attachments=[]), HERE, NOW) is None


def test_where_teams_does_not_tell_who_somebody_is_in_entra_the_bots_own_id_of_them_counts() -> None:
    guest = payload("message_personal")
    del guest["from"]["aadObjectId"], guest["from"]["name"]
    came = to_incoming(read_activity(guest), HERE, NOW)
    assert came is not None
    assert (came.sender.id, came.sender.name) == (guest["from"]["id"], "")
    assert came.address.channel == f"@{guest['from']['id']}"


@pytest.mark.parametrize(
    ("kind", "id_", "channel"),
    [
        ("personal", CHAT, f"@{KONRAD}"),
        ("groupChat", GROUP, GROUP),
        ("channel", f"{CHANNEL};messageid=1", CHANNEL),
        ("channel", "19:6decf54d@thread.skype;messageid=1", "19:6decf54d@thread.skype"),
    ],
)
def test_where_the_kind_of_conversation_is_not_told_its_id_tells_it(kind: str, id_: str, channel: str) -> None:
    found = activity("message_channel_mention", conversation={"id": id_})
    assert (found.kind, incoming("message_channel_mention", conversation={"id": id_}).address.channel) == (
        kind,
        channel,
    )


@pytest.mark.parametrize(
    ("locale", "language"), [("de-AT", "de"), ("en-GB", "en"), ("EN", "en"), ("fr-FR", None), ("", None), (None, None)]
)
def test_the_language_of_their_teams_is_kept_where_it_is_one_of_ours(locale: str | None, language: str | None) -> None:
    info = {"type": "clientInfo", "locale": locale}
    assert language_of(activity("message_personal", entities=[info], locale=None)) == language
    assert language_of(activity("message_personal", entities=[], locale=locale)) == language


def test_what_a_bot_writes_is_no_message() -> None:
    assert to_incoming(activity("message_of_a_bot"), HERE, NOW) is None
    own = payload("message_personal")
    own["from"] = own["recipient"]
    assert to_incoming(read_activity(own), HERE, NOW) is None


# --- files ------------------------------------------------------------------------------------------------------------
def test_files_of_the_chat_are_named_with_where_they_are_and_those_that_cannot_be_kept_say_why() -> None:
    first, second, third = incoming("message_files").files
    source = "https://acme-my.sharepoint.example/_layouts/15/download.aspx?UniqueId=e2a7c9f0&tempauth=v1.eyJ"
    assert first == File("Fehler Übersicht.docx", "application/octet-stream", None, None, source)
    assert second == File("setup.exe", "application/octet-stream", None, "not_allowed")
    assert third == File("leer.txt", "application/octet-stream", None, "not_loaded")


def test_a_file_in_a_channel_is_named_as_one_that_bots_may_not_open() -> None:
    assert incoming("message_channel_file").files == (
        File("Liste.xlsx", "application/octet-stream", None, "in_channel"),
    )


def test_a_pasted_picture_is_a_file_and_its_alt_text_no_word() -> None:
    came = incoming("message_inline_image")
    source = "https://smba.trafficmanager.net/emea/9d2c/v3/attachments/0-weu-d4-7f31c0/views/original"
    assert came.files == (File("image-1.png", "application/octet-stream", None, None, source),)
    assert came.text == "So sieht es aus:"


@pytest.mark.parametrize(
    ("kind", "name", "media_type"),
    [
        ("image/jpeg", "image-1.jpeg", "image/jpeg"),
        ("image/*", "image-1.png", "application/octet-stream"),
        ("image/svg+xml", "image-1.svg", "image/svg+xml"),
        ("image/x;../../etc", "image-1.x", "image/x;../../etc"),
        ("IMAGE/PNG", "image-1.png", "image/png"),
    ],
)
def test_pictures_are_numbered_with_a_harmless_name(kind: str, name: str, media_type: str) -> None:
    (file,) = incoming("message_personal", attachments=[{"contentType": kind, "contentUrl": "https://x.example"}]).files
    assert (file.name, file.media_type) == (name, media_type)


@pytest.mark.parametrize(
    "attachment",
    [
        {"contentType": "application/vnd.microsoft.card.adaptive", "content": {}},
        {"contentType": "application/vnd.microsoft.card.thumbnail", "content": {"title": "Seite"}},
        {"contentType": "messageReference", "content": "{}"},
        {"contentType": ""},
        {},
    ],
)
def test_previews_of_links_and_quoted_messages_are_no_files(attachment: dict[str, Any]) -> None:
    assert incoming("message_personal", attachments=[attachment]).files == ()


@pytest.mark.parametrize("kind", ["application/vnd.microsoft.card.audio", "application/vnd.microsoft.card.codesnippet"])
def test_what_else_was_attached_is_named_as_not_kept(kind: str) -> None:
    (file,) = incoming("message_personal", attachments=[{"contentType": kind, "content": {}}]).files
    assert (file.name, file.refused) == (kind.rpartition(".")[2], "not_loaded")


def forwarding(name: str, here: Here, *told: str, text: str) -> str:
    """The words of a message that forwards others."""
    attached = [
        {"contentType": "forwardedMessageReference", "content": json.dumps({"originalMessageContent": one})}
        for one in told
    ]
    return incoming(name, here, text=text, attachments=attached, entities=[]).text


def test_what_somebody_forwards_is_quoted_below_their_words() -> None:
    told = forwarding("message_personal", HERE, "<p>Zeile 1</p><p>Zeile 2</p>", "zwei", text="Siehe unten")
    assert told == "Siehe unten\n\n> Zeile 1\n> Zeile 2\n\n> zwei"
    broken = [{"contentType": "forwardedMessageReference", "content": content} for content in ("{", None, 7, "[]")]
    assert incoming("message_personal", text="Nur das", attachments=broken).text == "Nur das"


def test_a_note_that_an_agent_forwards_stays_in_their_room() -> None:
    hidden = ("<p>🔒 geheim</p>", "// auch", "🔐 das", "/note und das", "@Owen Tallis // für dich")
    told = forwarding("message_quoting", HERE, *hidden, "offen", text="Hallo")
    assert told == "Hallo\n\n> offen"
    assert "geheim" in forwarding("message_quoting", ELSEWHERE, "🔒 geheim", text="Hallo")


# --- formatting -------------------------------------------------------------------------------------------------------
def test_formatting_is_kept_as_words() -> None:
    assert incoming("message_formatted").text == (
        "Es meldet:\n\n```\nFehler 720\n```\n1. VPN starten\n2. Zentrale wählen\nDanke 🙂"
    )


def test_what_a_reply_quotes_is_left_out_where_agents_work_and_kept_elsewhere() -> None:
    assert incoming("message_quoting", HERE).text == "Ich rufe Sie an."
    assert incoming("message_quoting").text == "> Tomasz Wilk\n> 🔒 Er ist ungeduldig\nIch rufe Sie an."


# --- changes ----------------------------------------------------------------------------------------------------------
def test_an_edit_is_the_new_wording_of_its_message() -> None:
    came = incoming("message_update_edit")
    assert (came.text, came.edits) == ("Wie richte ich VPN ein?", f"@{KONRAD}/1795424400000")
    assert came.source_id == f"@{KONRAD}/1795424400000#1795425300.250"
    assert (came.address, came.addressed, came.files) == (Address("teams", f"@{KONRAD}", None), True, ())
    assert came.written_at == datetime(2026, 11, 23, 9, 15, 0, 250_000, UTC)


def test_two_edits_are_two_events_and_the_same_one_is_one() -> None:
    again = incoming("message_update_edit", timestamp="2026-11-23T09:15:01.000Z")
    assert again.source_id != incoming("message_update_edit").source_id
    assert incoming("message_update_edit").source_id == incoming("message_update_edit").source_id


def test_what_was_restored_is_told_as_its_wording() -> None:
    came = incoming("message_update_undelete")
    assert (came.text, came.edits, came.deletes) == ("Wie richte ich VPN ein?", f"@{KONRAD}/1795424400000", None)


def test_an_edit_in_a_channel_is_for_lotse_when_it_mentions_it_and_when_it_overtakes_a_question() -> None:
    assert incoming("message_update_mention_added").addressed
    plain = {"entities": [], "attachments": []}
    assert not incoming("message_update_mention_added", HERE, **plain).addressed, "half an hour later"
    soon = {**plain, "timestamp": "2026-11-23T09:04:30.000Z"}
    assert incoming("message_update_mention_added", HERE, **soon).addressed
    assert not incoming("message_update_mention_added", ELSEWHERE, **soon).addressed
    assert not incoming("message_update_mention_added", HERE, **plain, timestamp=None).addressed
    assert not incoming("message_update_mention_added", HERE, **{**soon, "id": "1:abc"}).addressed


def test_a_deletion_names_its_message_and_says_no_word() -> None:
    came = incoming("message_delete_soft", HERE)
    assert (came.deletes, came.edits, came.text, came.addressed) == (f"{CHANNEL}/1795424580000", None, "", False)
    assert came.source_id == f"{CHANNEL}/1795424580000#deleted"
    assert (came.address.thread, came.sender.id) == ("1795424520000", OWEN)


@pytest.mark.parametrize("event", ["somethingNew", "channelCreated"])
def test_another_kind_of_update_is_no_message(event: str) -> None:
    told = payload("message_update_edit")
    told["channelData"]["eventType"] = event
    assert to_incoming(read_activity(told), HERE, NOW) is None


def test_a_time_that_is_missing_is_now_and_one_without_a_zone_in_utc() -> None:
    assert incoming("message_personal", timestamp=None).written_at == NOW
    came = incoming("message_personal", timestamp="2026-11-23T09:00:00")
    assert came.written_at == datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


# --- searches ---------------------------------------------------------------------------------------------------------
def test_what_begins_with_a_mention_of_lotse_is_a_search() -> None:
    search = payload("message_search")
    assert begins_with_us(read_activity(search))
    for text in ("<at>Lotse</at>", " <at id='0'>Lotse</at> VPN", "&nbsp;<at>Lotse</at> VPN", "\u00a0\n<at>Lotse</at>"):
        assert begins_with_us(read_activity(search | {"text": text})), text
    assert not begins_with_us(read_activity(search | {"text": "Frag <at>Lotse</at> danach"}))
    assert not begins_with_us(read_activity(search | {"text": "Lotse VPN"}))
    assert not begins_with_us(activity("message_thread_reply"))
    assert not begins_with_us(activity("message_delete_soft"))


def test_a_mention_of_somebody_else_first_is_no_search() -> None:
    told = payload("message_channel_mention", text="<at>Owen Tallis</at> frag <at>Lotse</at>")
    assert not begins_with_us(read_activity(told))


# --- presses and dialogs ----------------------------------------------------------------------------------------------
def test_a_button_says_what_was_pressed_on_what() -> None:
    pressing, submitted = activity("invoke_card_action"), activity("message_submit")
    assert pressed(within(pressing.value, "action", "data")) == Pressed("helped", "17", "")
    assert pressed(submitted.value) == Pressed("helped", "17", "")
    assert (pressing.kind, pressing.reply_to, pressing.person) == ("personal", "1795425300000", KONRAD)
    assert to_incoming(submitted, HERE, NOW) is None, "it has no words"


def test_a_button_that_opens_a_dialog_says_which() -> None:
    fetch = activity("invoke_task_fetch")
    found = pressed(within(fetch.value, "data"))
    assert found is not None
    assert (found.action, found.opens_dialog, fetch.root, fetch.channel_id) == ("note", True, "1795424900000", DESK)


def test_a_message_extension_tells_the_words_of_the_message_with_its_title_and_without_lotse() -> None:
    fetch = activity("invoke_fetch_task_on_message")
    message = within(fetch.value, "messagePayload")
    assert told_in(message, fetch) == "Drucker\nDer Drucker im Flur streikt, @Owen Tallis auch."
    assert told_in({**message, "subject": None, "mentions": None}, fetch) == (
        "@Lotse Der Drucker im Flur streikt, @Owen Tallis auch."
    )
    assert told_in({"body": {"contentType": "text", "content": " <b>5 < 7</b> "}}, fetch) == "<b>5 < 7</b>"
    assert told_in({}, fetch) == ""


# --- installations ----------------------------------------------------------------------------------------------------
def test_installations_say_where_and_who() -> None:
    added = activity("installation_update_add")
    assert (added.action, added.kind, added.person) == ("add", "personal", KONRAD)
    members = activity("conversation_update_members_added")
    assert [account.id for account in members.added] == [members.me.id]
    joined = activity("conversation_update_team_member_added")
    assert (joined.kind, joined.added[0].person, joined.root) == ("channel", OWEN, None)
    assert within(joined.data, "team", "aadGroupId") == "b2f60c9d-8e17-4a35-9c04-d71e3a5f8b26"


# --- what is no activity ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["id", "from", "conversation", "recipient", "serviceUrl", "channelId", "type"])
def test_what_lacks_a_field_is_refused_by_its_name_and_never_by_its_value(name: str) -> None:
    lacking = payload("message_personal")
    del lacking[name]
    with pytest.raises(Malformed) as refused:
        read_activity(lacking)
    assert name in refused.value.where
    assert "VPN" not in str(refused.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "unheardOf"},
        {"id": "../x"},
        {"id": ""},
        {"id": "x" * 161},
        {"serviceUrl": "ftp://x"},
        {"serviceUrl": "https://x y"},
        {"serviceUrl": "https://x\\y"},
        {"from": {"id": "29:1?x"}},
        {"conversation": {"id": "19:x/../y"}},
        {"timestamp": "yesterday"},
        {"text": "x" * 100_001},
        {"text": 7},
        {"entities": "none"},
        {"attachments": [7]},
        {"channelData": []},
    ],
    ids=str,
)
def test_what_has_another_shape_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        read_activity(payload("message_personal", **changes))


@pytest.mark.parametrize("body", [None, [], "text", 7, {}])
def test_what_is_no_activity_is_refused(body: object) -> None:
    with pytest.raises(Malformed):
        read_activity(body)


def test_what_teams_may_leave_empty_is_taken() -> None:
    changes = {"entities": None, "attachments": None, "channelData": None, "timestamp": None, "locale": None}
    found = activity("message_personal", **changes)
    assert (found.entities, found.attachments, found.tenant) == ([], [], TENANT)


@pytest.mark.parametrize("kind", TYPES)
def test_every_kind_of_activity_is_read(kind: str) -> None:
    assert activity("message_personal", type=kind).type == kind


@pytest.mark.parametrize(
    ("text", "yes"),
    [(KONRAD, True), ("29:1a_b-c", True), ("28:x", True), ("", False), ("..", False), ("a/b", False), ("a b", False)],
)
def test_what_could_be_an_id_is_told_from_what_leads_elsewhere(text: str, yes: bool) -> None:
    assert is_id(text) is yes


def test_reading_changes_nothing() -> None:
    told = payload("message_channel_mention")
    before = deepcopy(told)
    to_incoming(read_activity(told), HERE, NOW)
    assert told == before


def test_every_payload_is_used() -> None:
    used = Path(__file__).read_text("utf-8")
    names = {path.stem for path in PAYLOADS.glob("*.json")} - {"manifest.schema", "localization.schema"}
    assert {name for name in names if f'"{name}"' not in used} == set()
