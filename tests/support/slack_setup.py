"""Settings for a fake Slack, written as an operator would write them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from cryptography.fernet import Fernet
from fake_slack import FakeSlack

from bot.settings import Settings, load_settings

KEY = Fernet.generate_key().decode()
PUBLIC_URL = "https://helpdesk.example.org"


def slack_settings(
    fake: FakeSlack, folder: Path, *, environ: Mapping[str, str] | None = None, **sections: Any
) -> Settings:
    """One workspace by its token, over Socket Mode. sections: parts of config.yml to lay over it."""
    slack = {"mode": "socket", "bot_token_env": "LOTSE_BOT", "app_token_env": "LOTSE_APP", "api_base_url": fake.url}
    known = {"LOTSE_BOT": fake.token, "LOTSE_APP": fake.app_token, "LOTSE_SIGN": fake.signing_secret}
    return written(folder, {**sections, "slack": slack | sections.get("slack", {})}, known | dict(environ or {}))


def oauth_settings(
    fake: FakeSlack, folder: Path, *, environ: Mapping[str, str] | None = None, **sections: Any
) -> Settings:
    """Many workspaces by OAuth, over signed HTTP."""
    slack = {
        "mode": "http",
        "client_id": fake.client_id,
        "client_secret_env": "LOTSE_CLIENT",
        "signing_secret_env": "LOTSE_SIGN",
        "token_key_env": "LOTSE_KEY",
        "api_base_url": fake.url,
    }
    known = {"LOTSE_CLIENT": fake.client_secret, "LOTSE_SIGN": fake.signing_secret, "LOTSE_KEY": KEY}
    values = {"web": {"public_url": PUBLIC_URL}, **sections, "slack": slack | sections.get("slack", {})}
    return written(folder, values, known | dict(environ or {}))


def written(folder: Path, values: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """What config.yml with these values means."""
    path = folder / "config.yml"
    path.write_text(yaml.safe_dump(dict(values), allow_unicode=True), "utf-8")
    return load_settings(path, environ)
