"""The app package for Teams: `teams/manifest.json` with the operator's values, its translations and icons, in a zip."""

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

from bot.channels.teams.app.check import check_package, named_files
from bot.config_file import Fault, SettingsError
from bot.settings import Settings
from bot.settings_notes import out_of_reach

__all__ = ["FOLDER", "TemplateError", "build_package", "check_package"]

FOLDER = Path(__file__).parents[4] / "teams"
LINKS = ("website_url", "privacy_url", "terms_url")
LONG_AGO = (1980, 1, 1, 0, 0, 0)


class TemplateError(Exception):
    """A file of the template that is no JSON any more."""


def build_package(settings: Settings, folder: Path = FOLDER, links: Mapping[str, str] | None = None) -> bytes:
    """The zip that is uploaded to Teams, the same to the byte for the same settings. links: by their placeholders,
    what Teams is to show of the app instead of web.public_url.

    Raises SettingsError without teams.app_id and a web.public_url with https, TemplateError and OSError where a file
    of the template cannot be read.
    """
    values = values_from(settings) | dict(links or {})
    manifest = fill(read_json(folder / "manifest.json"), values)
    files = {"manifest.json": as_json(manifest)}
    for name in sorted(set(named_files(manifest).values())):
        file = folder / name
        files[name] = as_json(fill(read_json(file), values)) if file.suffix == ".json" else file.read_bytes()
    return as_zip(files)


def read_json(file: Path) -> Any:
    try:
        return json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise TemplateError(f"{file.parent.name}/{file.name} is not JSON: {error}; correct it there") from None


def values_from(settings: Settings) -> dict[str, str]:
    """What the template has placeholders for."""
    faults = list(missing_in(settings))
    if faults:
        raise SettingsError("config.yml", faults)
    address = str(settings.web.public_url).rstrip("/")
    return dict.fromkeys(LINKS, address) | {
        "version": app_version(version("lotse")),
        "app_id": str(settings.teams.app_id),
        "public_url": address,
        "host": urlsplit(address).hostname or "",
    }


def missing_in(settings: Settings) -> Iterator[Fault]:
    """What has to be set before there can be a package."""
    if settings.teams.app_id is None:
        text = "teams.app_id is not set; it is the bot's Microsoft App ID, docs/teams.md says where to find it"
        yield Fault(None, "teams.app_id", text)
    reason = out_of_reach(settings.web.public_url)
    if reason:
        text = f"web.public_url {reason}; Teams needs the https:// address at which it reaches Lotse, see docs/teams.md"
        yield Fault(None, "web.public_url", text)


def app_version(ours: str) -> str:
    """A version of ours as Teams takes it, three numbers: `0.2.0rc1` is `0.2.0`."""
    numbers = re.findall(r"\d+", re.split(r"[^\d.]", ours)[0])
    return ".".join([*numbers, "0", "0", "0"][:3])


def fill(value: Any, values: Mapping[str, str]) -> Any:
    """JSON with its placeholders (`${app_id}`) replaced; one that is not known stays, and check_package names it."""
    if isinstance(value, dict):
        return {key: fill(one, values) for key, one in value.items()}
    if isinstance(value, list):
        return [fill(one, values) for one in value]
    return Template(value).safe_substitute(values) if isinstance(value, str) else value


def as_json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def as_zip(files: Mapping[str, bytes]) -> bytes:
    """A zip that does not tell when and where it was made."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, content)
    return target.getvalue()
