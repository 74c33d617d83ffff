"""`lotse teams package`: Teams takes what it makes, and what Teams would refuse is named with its cure."""

import io
import json
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from bot.channels.teams.app.fit import lacking, manifest_in, unfit
from bot.channels.teams.app.manifest import Manifest
from bot.channels.teams.app.package import FOLDER, TemplateError, app_version, build_package, check_package
from bot.channels.teams.app.png import SIGNATURE, nearest, read_png
from bot.cli import main
from bot.settings import Settings, SettingsError, load_settings
from nlu.embedded import EmbeddedUnderstander

ROOT = Path(__file__).parents[3]
PAYLOADS = ROOT / "tests" / "payloads" / "teams"
APP, OTHER = "0a1b2c3d-1111-2222-3333-444455556666", "99999999-1111-2222-3333-444455556666"
ADDRESS = "https://helpdesk.example.org"
TEAMS = f"teams: {{app_id: {APP}, tenant_id: {OTHER}, client_secret_env: LOTSE_TEAMS_CLIENT_SECRET}}\n"
SET_UP = f"{TEAMS}web: {{public_url: {ADDRESS}}}\n"
ENVIRON = {"LOTSE_TEAMS_CLIENT_SECRET": "only for the tests"}
RIGHTS = {"ChannelMessage.Read.Group", "ChannelMember.Read.Group", "identity", "messageTeamMembers"}
PASSWORD = "How do I reset my password?"
RIGHT = {"name": "ChannelMessage.Read.Group", "type": "Application"}
MANY_RIGHTS = [{"name": f"Channel{letter}.Read.Group", "type": "Application"} for letter in "ABCDEFGHIJKLMNOPQ"]
COMMAND = {"title": "My printers", "description": "Shows your printers"}
ACTION = {"id": "print", "type": "action", "context": ["message"], "fetchTask": True} | COMMAND
WHITE, RED, NOTHING = b"\xff\xff\xff\xff", b"\xff\x00\x00\xff", b"\x00\x00\x00\x00"
TINY = struct.pack(">II", 32, 1)
GONE = object()
CHANNEL = "19:abc@thread.tacv2"
Files = dict[str, bytes]


# --- tools ------------------------------------------------------------------------------------------------------------
def settings_from(folder: Path, text: str = SET_UP) -> Settings:
    (folder / "config.yml").write_text(text, "utf-8")
    return load_settings(folder / "config.yml", ENVIRON)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """What is in the package."""
    return unpacked(build_package(settings_from(tmp_path)))


def unpacked(package: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def changed(files: Files, name: str, path: tuple[str | int, ...], value: object) -> Files:
    """The files with another value at a place of a JSON file; GONE takes it out."""
    content = place = json.loads(files[name])
    for key in path[:-1]:
        place = place[key]
    if value is GONE:
        del place[path[-1]]
    elif isinstance(place, list) and path[-1] == len(place):
        place.append(value)
    else:
        place[path[-1]] = value
    return files | {name: json.dumps(content).encode()}


def at(path: str) -> tuple[str | int, ...]:
    return tuple(int(key) if key.isdecimal() else key for key in path.split("/"))


def only_fault(files: Mapping[str, bytes]) -> str:
    (fault,) = check_package(packed(files))
    return fault


def schema_faults(schema: str, content: bytes) -> list[str]:
    validator = Draft7Validator(json.loads((PAYLOADS / schema).read_text("utf-8")))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(json.loads(content))]


def png(pixels: bytes, width: int, height: int, *, filters: bytes = b"\0", kind: int = 6, depth: int = 8) -> bytes:
    """A PNG of RGBA pixels; filters: the filter of each line, in turn."""
    length, lines = width * 4, bytearray()
    for line in range(height):
        chosen = filters[line % len(filters)]
        own, above = (pixels[max(0, (line - back) * length) : (line - back + 1) * length] for back in (0, 1))
        lines += bytes([chosen]) + filtered(chosen, own, above or bytes(length))
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(lines))), (b"IEND", b""))
    )


def filtered(kind: int, line: bytes, above: bytes) -> bytes:
    found = bytearray()
    for index, byte in enumerate(line):
        left, corner = (line[index - 4], above[index - 4]) if index >= 4 else (0, 0)
        up = above[index]
        guess = (0, left, up, (left + up) // 2, nearest(left, up, corner))[kind]
        found.append((byte - guess) & 0xFF)
    return bytes(found)


# --- what is built ----------------------------------------------------------------------------------------------------
def test_teams_takes_it(files: Files) -> None:
    assert check_package(packed(files)) == []
    assert schema_faults("manifest.schema.json", files["manifest.json"]) == []
    assert schema_faults("localization.schema.json", files["de.json"]) == []


def test_it_holds_the_manifest_its_language_and_its_icons_and_nothing_else(files: Files) -> None:
    assert set(files) == {"manifest.json", "de.json", "color.png", "outline.png"}


def test_it_names_the_operators_bot_and_address(files: Files) -> None:
    manifest = json.loads(files["manifest.json"])
    ids = (manifest["id"], manifest["bots"][0]["botId"], manifest["composeExtensions"][0]["botId"])
    assert {*ids, manifest["webApplicationInfo"]["id"]} == {APP}
    assert manifest["validDomains"] == ["helpdesk.example.org"]
    assert {url for key, url in manifest["developer"].items() if key != "name"} == {ADDRESS}
    assert manifest["version"] == app_version(version("lotse"))


@pytest.mark.parametrize("address", [f"{ADDRESS}/", f"{ADDRESS}:8443/lotse", "https://HELPDESK.example.org"])
def test_the_domain_is_the_addresss_host_alone(tmp_path: Path, address: str) -> None:
    package = build_package(settings_from(tmp_path, f"{TEAMS}web: {{public_url: '{address}'}}\n"))
    assert check_package(package) == []
    assert json.loads(unpacked(package)["manifest.json"])["validDomains"] == ["helpdesk.example.org"]


def test_the_same_settings_give_the_same_bytes(tmp_path: Path) -> None:
    assert build_package(settings_from(tmp_path)) == build_package(settings_from(tmp_path))


@pytest.mark.parametrize(
    ("ours", "theirs"), [("1.2.3", "1.2.3"), ("0.2.0rc1", "0.2.0"), ("0.2rc1", "0.2.0"), ("1.2.3.dev4+g5f", "1.2.3")]
)
def test_the_version_is_ours_in_three_numbers(ours: str, theirs: str) -> None:
    assert app_version(ours) == theirs


def test_lotse_is_where_employees_and_agents_are(files: Files) -> None:
    manifest = json.loads(files["manifest.json"])
    (bot,), (extension,) = manifest["bots"], manifest["composeExtensions"]
    assert set(bot["scopes"]) == {"personal", "team", "groupChat"}
    assert bot["supportsFiles"] is True  # without it nobody can send Lotse a file
    assert bot["isNotificationOnly"] is False
    assert manifest["supportsChannelFeatures"] == "tier1"  # private channels
    assert [(one["id"], one["type"], one["context"], one["fetchTask"]) for one in extension["commands"]] == [
        ("openTicket", "action", ["message"], True)
    ]


def test_what_a_command_writes_is_understood_in_both_languages(files: Files) -> None:
    understander, german = EmbeddedUnderstander(), json.loads(files["de.json"])
    commands = json.loads(files["manifest.json"])["bots"][0]["commandLists"][0]["commands"]
    for titles in (
        [one["title"] for one in commands],
        [german[f"bots[0].commandLists[0].commands[{index}].title"] for index in range(len(commands))],
    ):
        intents = [understander.parse(title).intent for title in titles]
        assert intents == ["ask_question", "ticket_status", "talk_to_human"]


def test_it_asks_for_these_rights_and_no_other(files: Files) -> None:
    manifest = json.loads(files["manifest.json"])
    asked = manifest["authorization"]["permissions"]["resourceSpecific"]
    assert {one["type"] for one in asked} == {"Application"}
    assert {*(one["name"] for one in asked), *manifest["permissions"]} == RIGHTS


def test_the_docs_tell_every_right() -> None:
    text = (ROOT / "docs" / "teams.md").read_text("utf-8")
    assert [right for right in sorted(RIGHTS) if f"`{right}`" not in text] == []


def test_nobody_is_said_du_or_sie_to_in_german() -> None:
    words = " ".join(json.loads((FOLDER / "de.json").read_text("utf-8")).values()).lower().split()
    assert {"du", "dich", "dir", "dein", "deine", "ihr", "ihre", "ihnen"} & set(words) == set()


def test_a_template_that_is_no_json_any_more_is_named(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "teams")
    (tmp_path / "teams" / "de.json").write_text('{"name.short": "Lotse",}', "utf-8")
    with pytest.raises(TemplateError, match=r"^teams/de\.json is not JSON: .*line 1 column \d+"):
        build_package(settings_from(tmp_path), tmp_path / "teams")


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("{}", ["teams.app_id", "web.public_url"]),
        (TEAMS, ["web.public_url"]),
        (f"{TEAMS}web: {{public_url: 'http://helpdesk.example.org'}}", ["web.public_url"]),
        (f"{TEAMS}web: {{public_url: 'https://localhost:8080'}}", ["web.public_url"]),
        (f"{TEAMS}web: {{public_url: 'https://192.168.1.5'}}", ["web.public_url"]),
        (f"{TEAMS}web: {{public_url: 'https://helpdesk.internal'}}", ["web.public_url"]),
        (f"web: {{public_url: {ADDRESS}}}", ["teams.app_id"]),
    ],
)
def test_what_is_not_set_is_named(tmp_path: Path, text: str, keys: list[str]) -> None:
    with pytest.raises(SettingsError, match=r"docs/teams\.md") as caught:
        build_package(settings_from(tmp_path, text))
    assert [fault.key for fault in caught.value.faults] == keys


def test_an_address_of_this_machine_alone_is_named_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError, match=r"web\.public_url is https://localhost:8080, which is not in the internet;"
    ):
        build_package(settings_from(tmp_path, f"{TEAMS}web: {{public_url: 'https://localhost:8080'}}"))


# --- what Teams would refuse in the manifest --------------------------------------------------------------------------
BY_FORM = [
    ("name/short", "L" * 31, "name.short has 31 characters, Teams takes 30: shorten it"),
    ("name/full", "L" * 101, "name.full has 101 characters, Teams takes 100: shorten it"),
    ("description/short", "L" * 81, "description.short has 81 characters, Teams takes 80: shorten it"),
    ("description/full", "L" * 4001, "description.full has 4001 characters, Teams takes 4000: shorten it"),
    ("developer/name", "L" * 33, "developer.name has 33 characters, Teams takes 32: shorten it"),
    ("bots/0/commandLists/0/commands/1/title", "L" * 129, "commands[1].title has 129 characters, Teams takes 128"),
    ("bots/0/commandLists/1/commands/0/description", "L" * 4001, "has 4001 characters, Teams takes 4000: shorten it"),
    ("composeExtensions/0/commands/0/title", "L" * 33, "commands[0].title has 33 characters, Teams takes 32"),
    ("composeExtensions/0/commands/0/description", "L" * 129, "description has 129 characters, Teams takes 128"),
    ("composeExtensions/0/commands/0/id", "L" * 65, "commands[0].id has 65 characters, Teams takes 64"),
    ("developer/websiteUrl", f"{ADDRESS}/{'l' * 2048}", "developer.websiteUrl has 2077 characters, Teams takes 2048"),
    ("validDomains/0", "l" * 2049, "validDomains[0] has 2049 characters, Teams takes 2048: shorten it"),
    ("version", f"1.0.{'9' * 253}", "version has 257 characters, Teams takes 256: shorten it"),
    ("webApplicationInfo/resource", "l" * 2049, "webApplicationInfo.resource has 2049 characters, Teams takes 2048"),
    ("authorization/permissions/resourceSpecific/0/name", "L" * 129, "name has 129 characters, Teams takes 128"),
    ("authorization/permissions/resourceSpecific", MANY_RIGHTS, "resourceSpecific has 17 entries, Teams takes 16"),
    ("bots/0/commandLists", [{"scopes": ["team"], "commands": [COMMAND]}] * 4, "has 4 entries, Teams takes 3"),
    ("composeExtensions/0/commands", [ACTION] * 11, "composeExtensions[0].commands has 11 entries, Teams takes 10"),
    ("composeExtensions/0/commands/0/context", ["message"] * 4, "context has 4 entries, Teams takes 3"),
    ("permissions", ["identity"] * 3, "permissions has 3 entries, Teams takes 2: take some out"),
    ("composeExtensions/1", {"botId": APP, "commands": []}, "composeExtensions has 2 entries, Teams takes 1"),
    ("bots/0/commandLists/0/commands", [COMMAND] * 13, "commands has 13 entries, Teams takes 12: take some out"),
    ("bots/1", {"botId": APP}, "bots has 2 entries, Teams takes 1: take some out"),
    ("validDomains", ["example.org"] * 17, "validDomains has 17 entries, Teams takes 16: take some out"),
    ("manifestVersion", "1.16", "manifestVersion is 1.16: it must be '1.25'"),
    ("version", "1.0", "version is 1.0: it must be three numbers, as 1.0.2"),
    ("version", "01.0.0", "version is 01.0.0: it must be three numbers"),
    ("id", "lotse", "id is lotse: it must be an ID of 8-4-4-4-12 hex digits"),
    ("bots/0/botId", APP[:-1], f"bots[0].botId is {APP[:-1]}: it must be an ID"),
    ("webApplicationInfo/id", f"{{{APP}}}", "webApplicationInfo.id is {0a1b2c3d"),
    ("accentColor", "teal", "accentColor is teal: it must be a colour as #0F5C6E"),
    ("developer/privacyUrl", "http://example.org", "privacyUrl is http://example.org: it must be an address"),
    ("bots/0/scopes", ["personal", "groupchat"], "scopes[1] is groupchat: it must be 'personal', 'team' or"),
    ("composeExtensions/0/commands/0/type", "button", "type is button: it must be 'query' or 'action'"),
    ("composeExtensions/0/commands/0/context", ["messages"], "context[0] is messages: it must be 'compose'"),
    ("authorization/permissions/resourceSpecific/0/type", "Both", "type is Both: it must be 'Application' or"),
    ("localizationInfo/defaultLanguageTag", "English!", "defaultLanguageTag is English!: it must be a language"),
    ("name/short", 7, "name.short must be a text, in quotes"),
    ("bots/0/supportsFiles", "true", "bots[0].supportsFiles must be true or false"),
    ("validDomains", "example.org", "validDomains must be a list"),
    ("bots/0", "Lotse", "bots[0] must be an object"),
    ("bots/0/canFly", True, "bots[0].canFly is no key that Lotse's manifest has: correct its name or take it out"),
    ("developer/website", ADDRESS, "developer.website is no key that Lotse's manifest has"),
    ("icons/outline", GONE, "icons.outline is missing: add it"),
    ("description", GONE, "description is missing: add it"),
    ("accentColor", GONE, "accentColor is missing: add it"),
    ("bots/0/scopes", GONE, "bots[0].scopes is missing: add it"),
]  # fmt: skip
BEYOND_THE_SCHEMA = [
    ("$schema", f"{ADDRESS}/schema.json", "$schema is https://helpdesk.example.org/schema.json: it must be"),
    ("name/short", "", "name.short is empty: write something"),
    ("bots", [], "bots has no entry: add one"),
    ("validDomains", ["https://example.org"], "validDomains[0] is https://example.org: it must be a domain alone"),
    ("validDomains", ["example.org/lotse"], "validDomains[0] is example.org/lotse: it must be a domain alone"),
    ("icons/color", "images/color.png", "icons.color is images/color.png: it must be the name of a file beside"),
    ("id", OTHER, f"id is {OTHER}, bots[0].botId is {APP}: both must be the bot's Microsoft App ID"),
    ("composeExtensions/0/botId", OTHER, f"composeExtensions[0].botId is {OTHER}, bots[0].botId is {APP}: both must"),
    ("webApplicationInfo/id", OTHER, f"webApplicationInfo.id is {OTHER}, bots[0].botId is {APP}: both must"),
    ("webApplicationInfo/resource", "", "webApplicationInfo.resource is empty: write something"),
    ("webApplicationInfo", GONE, "webApplicationInfo is missing: authorization.permissions.resourceSpecific needs it"),
    ("supportsChannelFeatures", GONE, 'supportsChannelFeatures is missing: with the scope team it must be "tier1"'),
    ("bots/0/scopes/3", "team", "bots[0].scopes has 4 entries, Teams takes 3: take some out"),
    ("bots/0/commandLists/0/scopes", ["personal"] * 4, "commandLists[0].scopes has 4 entries, Teams takes 3"),
    ("bots/0/scopes/2", "team", "bots[0].scopes names team twice: take one out"),
    ("defaultInstallScope", "meetings", "defaultInstallScope is meetings: it must be 'personal', 'team'"),
    ("bots/0/commandLists/1/scopes/2", "personal", "commandLists has two lists for personal: leave it in one"),
    ("bots/0/commandLists/1/commands/0/title", PASSWORD, f"commandLists[1] has two commands '{PASSWORD}': rename one"),
    ("authorization/permissions/resourceSpecific/0/name", "ReadAll", "name is ReadAll: it must be a right as Channel"),
    ("authorization/permissions/resourceSpecific/0/name", "Message.Read.All", "ends with none of Group, Chat, User"),
    ("authorization/permissions/resourceSpecific/2", RIGHT, "names ChannelMessage.Read.Group twice: take one out"),
    ("icons/color", "colour.png", "colour.png is missing: manifest.json names it at icons.color; add the file or"),
    ("localizationInfo/additionalLanguages/0/languageTag", "EN", "has the language en twice: take one out"),
    ("name/short", "${name}", "${name} is no placeholder that is filled in: write the value in its place"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "said"), BY_FORM)
def test_what_the_schema_forbids_is_named_with_its_cure(files: Files, path: str, value: object, said: str) -> None:
    spoiled = changed(files, "manifest.json", at(path), value)
    faults = check_package(packed(spoiled))
    assert any(said in fault for fault in faults), faults
    assert schema_faults("manifest.schema.json", spoiled["manifest.json"]) != []


@pytest.mark.parametrize(("path", "value", "said"), BEYOND_THE_SCHEMA)
def test_what_is_forbidden_beyond_the_schema_is_named_with_its_cure(
    files: Files, path: str, value: object, said: str
) -> None:
    faults = check_package(packed(changed(files, "manifest.json", at(path), value)))
    assert any(said in fault for fault in faults), faults


def test_a_right_for_a_place_the_bot_is_not_in_is_named(files: Files) -> None:
    spoiled = changed(files, "manifest.json", at("bots/0/scopes"), ["personal", "team"])
    right = {"name": "ChatMessage.Read.Chat", "type": "Application"}
    spoiled = changed(spoiled, "manifest.json", at("authorization/permissions/resourceSpecific/2"), right)
    faults = check_package(packed(spoiled))
    assert any("names ChatMessage.Read.Chat, but bots[0].scopes lacks groupChat: add that" in fault for fault in faults)
    assert any("commandLists[1].scopes names groupChat, which is not in bots[0].scopes" in fault for fault in faults)


def test_a_default_for_a_place_the_bot_is_not_in_is_named(files: Files) -> None:
    spoiled = changed(files, "manifest.json", at("bots/0/scopes"), ["team", "groupChat"])
    assert any("defaultInstallScope personal is not in" in fault for fault in check_package(packed(spoiled)))


def test_every_fault_says_where_it_is_and_what_to_do(files: Files) -> None:
    spoiled = changed(files, "manifest.json", at("name/short"), "L" * 31)
    spoiled = changed(spoiled, "manifest.json", at("accentColor"), "teal")
    assert check_package(packed(spoiled)) == [
        "manifest.json: name.short has 31 characters, Teams takes 30: shorten it",
        "manifest.json: accentColor is teal: it must be a colour as #0F5C6E",
    ]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe{}", b'{"name": {"short": "\xff"}}'])
def test_a_manifest_that_is_none_is_named(files: Files, content: bytes) -> None:
    faults = check_package(packed(files | {"manifest.json": content}))
    assert any(fault.startswith("manifest.json") for fault in faults)


# --- in the files beside it -------------------------------------------------------------------------------------------
def test_what_is_no_zip_is_named() -> None:
    assert check_package(b"PK, but no more") == ["the package is no zip: make it with lotse teams package"]


def test_files_in_a_folder_are_named(files: Files) -> None:
    assert "pack the files themselves, not the folder" in only_fault({f"teams/{name}": files[name] for name in files})


def test_a_file_too_many_is_named(files: Files) -> None:
    fault = only_fault(files | {"color.svg": b"<svg/>"})
    assert fault == "color.svg is in the package, but manifest.json does not name it: leave it out"


def test_a_language_that_is_missing_is_named(files: Files) -> None:
    del files["de.json"]
    assert only_fault(files).startswith(
        "de.json is missing: manifest.json names it at localizationInfo.additionalLanguages[0].file;"
    )


ICONS = [
    ("color.png", png(WHITE * 96 * 96, 96, 96), "has 96 x 96 pixels: draw it with 192 x 192"),
    ("color.png", b"GIF89a", "is no PNG: save it as PNG"),
    ("color.png", SIGNATURE + b"\0\0", "is a damaged PNG: save it as PNG"),
    ("outline.png", png((WHITE + NOTHING) * 96 * 96, 192, 96), "has 192 x 96 pixels: draw it with 32 x 32"),
    ("outline.png", png((WHITE + NOTHING + RED + NOTHING) * 256, 32, 32), "has other colours than white"),
    ("outline.png", png(WHITE * 1024, 32, 32), "has no transparent background: draw on nothing"),
    ("outline.png", png(NOTHING * 1024, 32, 32), "shows nothing: draw in white"),
    ("outline.png", png(WHITE * 1024, 32, 32, kind=2), "holds no red, green, blue and alpha: save it as PNG"),
    ("outline.png", png(WHITE * 1024, 32, 32, depth=16), "holds no red, green, blue and alpha: save it as PNG"),
    ("outline.png", png(WHITE * 32, 32, 1).replace(TINY, struct.pack(">II", 32, 32)), "holds data of another size"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "said"), ICONS)
def test_a_wrong_icon_is_named_with_its_cure(files: Files, name: str, content: bytes, said: str) -> None:
    fault = only_fault(files | {name: content})
    assert fault.startswith(name)
    assert said in fault


def test_an_icon_with_damaged_pixels_is_named(files: Files) -> None:
    whole = png((WHITE + NOTHING) * 512, 32, 32)
    start = whole.index(b"IDAT") + 8
    assert "holds damaged data: save it as PNG" in only_fault(
        files | {"outline.png": whole[:start] + b"~" + whole[start + 1 :]}
    )


def test_white_that_fades_out_is_white(files: Files) -> None:
    fading = png((WHITE + b"\xff\xff\xff\x40" + NOTHING + NOTHING) * 256, 32, 32)
    assert check_package(packed(files | {"outline.png": fading})) == []


@pytest.mark.parametrize("filters", [b"\0", b"\1", b"\2", b"\3", b"\4", b"\0\1\2\3\4"])
def test_pixels_are_read_through_every_filter(filters: bytes) -> None:
    pixels = bytes((7 * number * number + number // 5) % 256 for number in range(4 * 9 * 10))
    assert b"".join(read_png(png(pixels, 9, 10, filters=filters)).pixels()) == pixels


LANGUAGES = [
    ("name.short", "L" * 31, "de.json: name.short has 31 characters, Teams takes 30: shorten it"),
    ("description.short", "L" * 81, "de.json: description.short has 81 characters, Teams takes 80: shorten it"),
    ("composeExtensions[0].commands[0].title", "L" * 33, "has 33 characters, Teams takes 32: shorten it"),
    ("name.full", GONE, "de.json: name.full is not translated: add it"),
    ("bots[0].commandLists[1].commands[1].title", GONE, "commands[1].title is not translated: add it"),
    ("bots[0].commandLists[0].commands[3].title", "Drucker", "is no text in manifest.json: correct the place"),
    ("name.long", "Lotse", "de.json: name.long is no text in manifest.json: correct the place or take it out"),
    ("name.short", " ", "de.json: name.short must be a text: write something"),
    ("name.short", 7, "de.json: name.short must be a text: write something"),
    ("$schema", ADDRESS, "de.json: $schema must be https://developer.microsoft.com/json-schemas/teams/v1.25/"),
    ("name.full", "Lotse bei ${firma}", "de.json: ${firma} is no placeholder that is filled in"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value", "said"), LANGUAGES)
def test_a_wrong_translation_is_named_with_its_cure(files: Files, key: str, value: object, said: str) -> None:
    assert said in only_fault(changed(files, "de.json", (key,), value))


@pytest.mark.parametrize(("content", "said"), [(b"{", "de.json is not JSON"), (b"[]", "de.json must be an object")])
def test_a_language_file_that_is_none_is_named(files: Files, content: bytes, said: str) -> None:
    assert only_fault(files | {"de.json": content}).startswith(said)


# --- what does not fit this Lotse -------------------------------------------------------------------------------------
PLACES = {
    "a queue": f"{SET_UP}handoff: {{queues: {{service-desk: {{channel: '{CHANNEL}', platform: teams}}}}}}\n",
    "third level": f"{SET_UP}handoff: {{third_level: {{channel: '{CHANNEL}', platform: teams}}}}\n",
    "a help channel": SET_UP.replace("teams: {", f"teams: {{help_channels: ['{CHANNEL}'], "),
}
MESSAGE_RIGHT, MEMBER_RIGHT = ("authorization/permissions/resourceSpecific/" + at for at in "01")
LACKING = [
    ("bots/0/scopes", ["team", "groupChat"], "bots[0].scopes lacks personal: nobody can chat with Lotse"),
    ("bots/0/scopes", ["personal", "groupChat"], "bots[0].scopes lacks team: Lotse cannot be added to teams"),
    ("bots/0/scopes", ["personal", "team"], "bots[0].scopes lacks groupChat: nobody can ask Lotse in a group chat"),
    ("bots/0/supportsFiles", False, "bots[0].supportsFiles is false: nobody can send Lotse a file in their chat"),
    (MESSAGE_RIGHT, GONE, "resourceSpecific lacks ChannelMessage.Read.Group (type Application): Lotse hears mentions"),
    (f"{MESSAGE_RIGHT}/type", "Delegated", "lacks ChannelMessage.Read.Group (type Application): Lotse hears mentions"),
    (MEMBER_RIGHT, GONE, "lacks ChannelMember.Read.Group (type Application): Lotse does not learn who is in a private"),
    ("permissions/0", GONE, "permissions lacks identity: who adds Lotse is not told that it learns names"),
    ("permissions/1", GONE, "permissions lacks messageTeamMembers: who adds Lotse is not told that it may write"),
    ("composeExtensions", GONE, "composeExtensions has no action openTicket on messages with fetchTask: nobody finds"),
    ("composeExtensions/0/commands/0/id", "open", "composeExtensions has no action openTicket on messages"),
    ("composeExtensions/0/commands/0/fetchTask", False, "composeExtensions has no action openTicket on messages"),
    ("composeExtensions/0/commands/0/context", ["compose"], "composeExtensions has no action openTicket on messages"),
]  # fmt: skip


def manifest_of(files: Files) -> Manifest:
    return manifest_in(packed(files))


def test_what_lotse_makes_fits_and_lacks_nothing(files: Files, tmp_path: Path) -> None:
    for text in (SET_UP, *PLACES.values()):
        assert list(unfit(manifest_of(files), settings_from(tmp_path, text))) == []
    assert list(lacking(manifest_of(files))) == []


def test_an_app_of_another_bot_is_named(files: Files, tmp_path: Path) -> None:
    foreign = files | {"manifest.json": files["manifest.json"].replace(APP.encode(), OTHER.encode())}
    assert check_package(packed(foreign)) == []  # its ids agree with each other
    (fault,) = unfit(manifest_of(foreign), settings_from(tmp_path))
    assert fault.startswith(
        f"manifest.json: the app is for the bot {OTHER}, but teams.app_id is {APP}: write ${{app_id}}"
    )


def test_an_app_whose_ids_are_written_in_capitals_is_ours(files: Files, tmp_path: Path) -> None:
    loud = files | {"manifest.json": files["manifest.json"].replace(APP.encode(), APP.upper().encode())}
    assert list(unfit(manifest_of(loud), settings_from(tmp_path))) == []


def test_a_bot_that_nobody_can_write_to_is_named(files: Files, tmp_path: Path) -> None:
    mute = changed(files, "manifest.json", at("bots/0/isNotificationOnly"), True)
    assert list(unfit(manifest_of(mute), settings_from(tmp_path))) == [
        "manifest.json: bots[0].isNotificationOnly is true, so nobody can write to Lotse: make it false"
    ]


@pytest.mark.parametrize("text", PLACES.values(), ids=PLACES)
def test_an_app_that_cannot_be_where_the_settings_want_it_is_named(files: Files, tmp_path: Path, text: str) -> None:
    homeless = manifest_of(changed(files, "manifest.json", at("bots/0/scopes"), ["personal"]))
    (fault,) = unfit(homeless, settings_from(tmp_path, text))
    assert f"bots[0].scopes lacks team, but the settings name the channel {CHANNEL}" in fault
    assert list(unfit(homeless, settings_from(tmp_path))) == []


@pytest.mark.parametrize(("path", "value", "said"), LACKING)
def test_what_the_docs_promise_and_the_app_lacks_is_named(files: Files, path: str, value: object, said: str) -> None:
    (lack,) = lacking(manifest_of(changed(files, "manifest.json", at(path), value)))
    assert said in lack


def test_without_any_rights_each_is_named(files: Files) -> None:
    found = list(lacking(manifest_of(changed(files, "manifest.json", at("authorization"), GONE))))
    assert ["ChannelMessage.Read.Group" in found[0], "ChannelMember.Read.Group" in found[1], len(found)] == [
        True,
        True,
        2,
    ]


# --- the command ------------------------------------------------------------------------------------------------------
@pytest.fixture
def lotse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs a command in a folder with settings for Teams: exit code, output and errors."""
    (tmp_path / "config.yml").write_text(SET_UP, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOTSE_CONFIG", raising=False)
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        return code, *capsys.readouterr()

    return run


def test_the_command_writes_the_package_and_says_what_comes_next(lotse: Any, tmp_path: Path) -> None:
    code, said, then = lotse("teams", "package")
    assert code == 0
    assert said == f"lotse-teams.zip is ready: Lotse at {ADDRESS}\n"
    assert "Upload a custom app" in then
    assert (tmp_path / "lotse-teams.zip").read_bytes() == build_package(settings_from(tmp_path))


def test_the_command_names_the_links_that_lead_to_lotses_own_pages(lotse: Any, tmp_path: Path) -> None:
    code, _, said = lotse("teams", "package")
    assert code == 0
    assert "Warning: websiteUrl, privacyUrl, termsOfUseUrl: Teams shows everybody these links, and they lead to" in said
    assert "name yours with --website URL --privacy URL --terms URL" in said


def test_the_links_can_be_named(lotse: Any, tmp_path: Path) -> None:
    code, _, said = lotse("teams", "package", "--privacy", "https://example.org/p", "--terms", "https://example.org/t")
    assert code == 0
    assert "Warning: websiteUrl: Teams shows" in said
    developer = json.loads(unpacked((tmp_path / "lotse-teams.zip").read_bytes())["manifest.json"])["developer"]
    assert developer == {
        "name": "Lotse",
        "websiteUrl": ADDRESS,
        "privacyUrl": "https://example.org/p",
        "termsOfUseUrl": "https://example.org/t",
    }
    assert lotse("teams", "package", "--website", f"{ADDRESS}/it")[0] == 0


def test_a_link_that_teams_would_refuse_is_named(lotse: Any, tmp_path: Path) -> None:
    code, _, said = lotse("teams", "package", "--website", "http://example.org")
    assert code == 1
    assert "developer.websiteUrl is http://example.org: it must be an address that begins with https://" in said
    assert not (tmp_path / "lotse-teams.zip").exists()


def template(folder: Path, path: str, value: object) -> None:
    """A template of one's own, my-teams, with another value at a place of its manifest."""
    shutil.copytree(FOLDER, folder / "my-teams")
    files = {"manifest.json": (FOLDER / "manifest.json").read_bytes()}
    (folder / "my-teams" / "manifest.json").write_bytes(
        changed(files, "manifest.json", at(path), value)["manifest.json"]
    )


def test_the_command_makes_no_app_for_another_bot(lotse: Any, tmp_path: Path) -> None:
    template(tmp_path, "permissions/0", GONE)
    manifest = tmp_path / "my-teams" / "manifest.json"
    manifest.write_text(manifest.read_text("utf-8").replace("${app_id}", OTHER), "utf-8")
    code, _, said = lotse("teams", "package", "--template", "my-teams")
    assert code == 1
    assert f"Error: manifest.json: the app is for the bot {OTHER}, but teams.app_id is {APP}" in said
    assert "Nothing was written." in said
    assert not (tmp_path / "lotse-teams.zip").exists()


def test_the_command_makes_an_app_that_lacks_something_and_says_so(lotse: Any, tmp_path: Path) -> None:
    template(tmp_path, "bots/0/supportsFiles", False)
    code, said, warned = lotse("teams", "package", "--template", "my-teams")
    assert code == 0
    assert "is ready" in said
    assert (
        "Warning: manifest.json: bots[0].supportsFiles is false: nobody can send Lotse a file in their chat" in warned
    )


def test_the_package_can_go_to_another_file(lotse: Any, tmp_path: Path) -> None:
    (tmp_path / "for-teams").mkdir()
    assert lotse("teams", "package", "--out", "for-teams/app.zip")[0] == 0
    assert check_package((tmp_path / "for-teams" / "app.zip").read_bytes()) == []


def test_a_folder_that_is_not_there_is_named(lotse: Any) -> None:
    code, _, said = lotse("teams", "package", "--out", "nowhere/app.zip")
    assert code == 1
    assert "there is no folder nowhere" in said


def test_the_command_refuses_without_bot_and_address(lotse: Any, tmp_path: Path) -> None:
    (tmp_path / "other.yml").write_text("{}", "utf-8")
    code, _, said = lotse("teams", "package", "--config", "other.yml")
    assert code == 3
    assert "other.yml: teams.app_id is not set" in said
    assert "other.yml: web.public_url is not set" in said
    assert not (tmp_path / "lotse-teams.zip").exists()


def test_a_template_that_is_not_there_is_named(lotse: Any) -> None:
    code, _, said = lotse("teams", "package", "--template", "nowhere")
    assert (code, said) == (1, "Error: there is no file nowhere/manifest.json\n")


def test_a_template_of_ones_own_is_taken(lotse: Any, tmp_path: Path) -> None:
    mine = shutil.copytree(FOLDER, tmp_path / "mine")
    text = (mine / "manifest.json").read_text("utf-8")
    (mine / "manifest.json").write_text(text.replace('"short": "Lotse"', '"short": "Helpdesk"'), "utf-8")
    assert lotse("teams", "package", "--template", "mine")[0] == 0
    package = (tmp_path / "lotse-teams.zip").read_bytes()
    assert json.loads(unpacked(package)["manifest.json"])["name"]["short"] == "Helpdesk"


def test_what_teams_would_refuse_is_told_and_not_written(lotse: Any, tmp_path: Path) -> None:
    mine = shutil.copytree(FOLDER, tmp_path / "mine")
    text = (mine / "manifest.json").read_text("utf-8")
    (mine / "manifest.json").write_text(text.replace('"short": "Lotse"', f'"short": "{"L" * 31}"'), "utf-8")
    code, _, said = lotse("teams", "package", "--template", "mine")
    assert code == 1
    assert "Error: manifest.json: name.short has 31 characters, Teams takes 30: shorten it" in said
    assert not (tmp_path / "lotse-teams.zip").exists()
