"""What Teams would refuse in an app package, each fault with its cure."""

import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from pydantic import ValidationError

from bot.channels.teams.app.manifest import SCHEMAS, Bot, Manifest
from bot.channels.teams.app.png import Picture, read_png

MANIFEST = "manifest.json"
SIZES = {"icons.color": 192, "icons.outline": 32}
SCOPES_OF_RIGHTS = {"Group": "team", "Chat": "groupChat", "User": "personal"}
LANGUAGE_SCHEMA = f"{SCHEMAS}/MicrosoftTeams.Localization.schema.json"
WHITE, TRANSPARENT = b"\xff\xff\xff", 0
Files = Mapping[str, bytes]
# What pydantic says, as a sentence with its cure; what is not here is told in pydantic's own words.
SENTENCES = {
    "missing": "is missing: add it",
    "extra_forbidden": "is no key that Lotse's manifest has: correct its name or take it out",
    "string_too_long": "has {length} characters, Teams takes {max_length}: shorten it",
    "string_too_short": "is empty: write something",
    "too_long": "has {actual_length} entries, Teams takes {max_length}: take some out",
    "too_short": "has no entry: add one",
    "literal_error": "is {input}: it must be {expected}",
    "value_error": "is {input}: it {error}",
    "json_invalid": "is not JSON ({error}): correct it",
    "string_type": "must be a text, in quotes",
    "bool_type": "must be true or false",
    "list_type": "must be a list, in [ ]",
    "model_type": "must be an object, in {{ }}",
}


def check_package(package: bytes) -> list[str]:
    """Everything that Teams would refuse, one sentence each with what to do; empty when there is nothing."""
    try:
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
    except zipfile.BadZipFile:
        return ["the package is no zip: make it with lotse teams package"]
    if MANIFEST not in files:
        return [f"there is no {MANIFEST} at the top of the zip: pack the files themselves, not the folder around them"]
    return [*unfilled(files), *wrong_in(files)]


def wrong_in(files: Files) -> Iterator[str]:
    """The manifest's form; where that is right, how its parts fit together."""
    try:
        manifest = Manifest.model_validate_json(files[MANIFEST])
    except ValidationError as error:
        yield from sentences(error)
        return
    bot = manifest.bots[0]
    for fault in chain(wrong_ids(manifest), wrong_scopes(manifest, bot), wrong_rights(manifest, bot)):
        yield f"{MANIFEST}: {fault}"
    yield from wrong_files(json.loads(files[MANIFEST]), files)
    yield from wrong_languages(manifest, files)


def unfilled(files: Files) -> Iterator[str]:
    """Placeholders of the template that are still there."""
    for name in (name for name in files if name.endswith(".json")):
        for placeholder in dict.fromkeys(re.findall(r"\$\{[^}]*\}", files[name].decode("utf-8", "replace"))):
            yield f"{name}: {placeholder} is no placeholder that is filled in: write the value in its place"


def sentences(error: ValidationError) -> Iterator[str]:
    """What is wrong in the manifest's form."""
    for one in error.errors():
        given, path = one["input"], dotted(one["loc"])
        values = one.get("ctx", {}) | {"input": given, "length": len(given) if isinstance(given, str) else 0}
        words = SENTENCES[one["type"]].format_map(values) if one["type"] in SENTENCES else one["msg"]
        yield f"{MANIFEST}: {path} {words}" if path else f"{MANIFEST} {words}"


def dotted(keys: Iterable[str | int]) -> str:
    """A place as language files name it: `bots[0].botId`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")


# --- how the manifest's parts fit together ----------------------------------------------------------------------------
def wrong_ids(manifest: Manifest) -> Iterator[str]:
    ids = {"id": manifest.id}
    ids |= {f"composeExtensions[{at}].botId": one.bot_id for at, one in enumerate(manifest.compose_extensions)}
    if manifest.web_application_info:
        ids["webApplicationInfo.id"] = manifest.web_application_info.id
    bot = manifest.bots[0].bot_id
    for path, value in ids.items():
        if value.lower() != bot.lower():
            yield f"{path} is {value}, bots[0].botId is {bot}: both must be the bot's Microsoft App ID"


def wrong_scopes(manifest: Manifest, bot: Bot) -> Iterator[str]:
    for scope in repeated(bot.scopes):
        yield f"bots[0].scopes names {scope} twice: take one out"
    if "team" in bot.scopes and manifest.supports_channel_features is None:
        yield 'supportsChannelFeatures is missing: with the scope team it must be "tier1"'
    if manifest.default_install_scope not in {None, *bot.scopes}:
        yield f"defaultInstallScope {manifest.default_install_scope} is not in bots[0].scopes: name one of those"
    for scope in repeated(scope for commands in bot.command_lists for scope in commands.scopes):
        yield f"bots[0].commandLists has two lists for {scope}: leave it in one"
    for at, commands in enumerate(bot.command_lists):
        path = f"bots[0].commandLists[{at}]"
        for scope in (scope for scope in commands.scopes if scope not in bot.scopes):
            yield f"{path}.scopes names {scope}, which is not in bots[0].scopes: add it there or take it out here"
        for title in repeated(command.title for command in commands.commands):
            yield f"{path} has two commands '{title}': rename one"


def wrong_rights(manifest: Manifest, bot: Bot) -> Iterator[str]:
    rights, path = [right.name for right in manifest.rights()], "authorization.permissions.resourceSpecific"
    if rights and manifest.web_application_info is None:
        yield f"webApplicationInfo is missing: {path} needs it, with the id of the app and any text as resource"
    for name in repeated(rights):
        yield f"{path} names {name} twice: take one out"
    for name in dict.fromkeys(rights):
        ending = name.rpartition(".")[2]
        scope = SCOPES_OF_RIGHTS.get(ending)
        if scope is None:
            yield f"{path} names {name}, which ends with none of {', '.join(SCOPES_OF_RIGHTS)}: correct it"
        elif scope not in bot.scopes:
            yield f"{path} names {name}, but bots[0].scopes lacks {scope}: add that, or take the right out"


def repeated(names: Iterable[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]


# --- the other files --------------------------------------------------------------------------------------------------
def named_files(manifest: Any) -> dict[str, str]:
    """The files that a manifest names, by where it does; it need not be a right one."""
    named = {f"icons.{kind}": name for kind, name in part(manifest, "icons").items()}
    languages = part(manifest, "localizationInfo").get("additionalLanguages")
    for at, language in enumerate(languages if isinstance(languages, list) else []):
        named[f"localizationInfo.additionalLanguages[{at}].file"] = part({"it": language}, "it").get("file")
    return {path: name for path, name in named.items() if isinstance(name, str)}


def part(manifest: Any, name: str) -> dict[str, Any]:
    found = manifest.get(name) if isinstance(manifest, dict) else None
    return found if isinstance(found, dict) else {}


def wrong_files(manifest: Any, files: Files) -> Iterator[str]:
    named = named_files(manifest)
    for path, name in named.items():
        if name not in files:
            yield f"{name} is missing: {MANIFEST} names it at {path}; add the file or correct the name"
        elif path in SIZES:
            yield from (f"{name} {fault}" for fault in wrong_icon(files[name], SIZES[path], path))
    for name in sorted(files.keys() - {MANIFEST, *named.values()}):
        yield f"{name} is in the package, but {MANIFEST} does not name it: leave it out"


def wrong_icon(file: bytes, size: int, path: str) -> Iterator[str]:
    try:
        picture = read_png(file)
    except ValueError as error:
        yield f"is {error}: save it as PNG"
        return
    if (picture.width, picture.height) != (size, size):
        yield f"has {picture.width} x {picture.height} pixels: draw it with {size} x {size}"
    if path == "icons.outline":
        yield from wrong_outline(picture)


def wrong_outline(picture: Picture) -> Iterator[str]:
    try:
        pixels = set(picture.pixels())
    except ValueError as error:
        yield f"holds {error}: save it as PNG with eight bits for each of red, green, blue and alpha, not interlaced"
        return
    seen = {pixel[:3] for pixel in pixels if pixel[3] != TRANSPARENT}
    if not seen:
        yield "shows nothing: draw in white"
    elif seen != {WHITE}:
        yield "has other colours than white: draw in white only"
    if all(pixel[3] != TRANSPARENT for pixel in pixels):
        yield "has no transparent background: draw on nothing"


def wrong_languages(manifest: Manifest, files: Files) -> Iterator[str]:
    info = manifest.localization_info
    tags = [info.default_language_tag, *(one.language_tag for one in info.additional_languages)]
    for tag in repeated(tag.lower() for tag in tags):
        yield f"{MANIFEST}: localizationInfo has the language {tag} twice: take one out"
    for name in dict.fromkeys(one.file for one in info.additional_languages if one.file in files):
        yield from (f"{name}{fault}" for fault in wrong_language(files[name], manifest.texts()))


def wrong_language(file: bytes, limits: Mapping[str, int]) -> Iterator[str]:
    """limits: the texts there are, and how long each may be."""
    try:
        texts = json.loads(file)
    except ValueError as error:
        yield f" is not JSON ({error}): correct it"
        return
    if not isinstance(texts, dict):
        yield " must be an object: the texts by their places in the manifest"
        return
    if texts.get("$schema") != LANGUAGE_SCHEMA:
        yield f": $schema must be {LANGUAGE_SCHEMA}"
    for path in (path for path in limits if path not in texts):
        yield f": {path} is not translated: add it"
    for path, text in texts.items():
        if path in limits:
            yield from (f": {path} {fault}" for fault in wrong_text(text, limits[path]))
        elif path != "$schema":
            yield f": {path} is no text in {MANIFEST}: correct the place or take it out"


def wrong_text(text: Any, longest: int) -> Iterator[str]:
    if not isinstance(text, str) or not text.strip():
        yield "must be a text: write something"
    elif len(text) > longest:
        yield SENTENCES["string_too_long"].format(length=len(text), max_length=longest)
