"""The key that signs sessions and links, kept where nobody else reads it."""

import os
import secrets
from pathlib import Path

from sqlalchemy import make_url

from bot.settings import Settings


def session_secret(settings: Settings) -> str:
    """The key that signs sessions: from the environment, else a random one kept beside the database, for us alone."""
    name = settings.web.session_secret_env
    if name:
        return os.environ[name]
    path = state_folder(settings) / "session-secret"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii")
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secret := secrets.token_urlsafe(48))
    return secret


def state_folder(settings: Settings) -> Path:
    """Where Lotse keeps its own files."""
    url = make_url(settings.database.url)
    in_file = url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}
    return Path(str(url.database)).parent if in_file else Path("var")
