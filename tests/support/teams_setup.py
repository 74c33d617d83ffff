"""Settings for a fake Teams, written as an operator would write them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fake_teams import FakeTeams
from slack_setup import written

from bot.settings import Settings

SECRET = "LOTSE_TEAMS"


def teams_settings(
    fake: FakeTeams, folder: Path, *, environ: Mapping[str, str] | None = None, **sections: Any
) -> Settings:
    """A bot in a tenant. sections: parts of config.yml to lay over it; None takes a setting out."""
    teams = {
        "app_id": fake.app_id,
        "tenant_id": fake.tenant,
        "client_secret_env": SECRET,
        "openid_metadata_url": fake.openid_metadata_url,
        "login_url": fake.login_url,
        "graph_url": fake.graph_url,
        "service_urls": [fake.service_url],
    }
    known = {SECRET: fake.client_secret} | dict(environ or {})
    return written(folder, {**sections, "teams": teams | sections.get("teams", {})}, known)
