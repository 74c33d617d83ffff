"""Who may reach the pages at all, and the headers that tell browsers what the pages may do."""

import ipaddress
import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import make_url
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.settings import Settings

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class SecurityHeaders:
    """Adds the headers to every answer; answers that do not say otherwise are not kept by browsers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self.app(scope, receive, send_with_headers)


class SignInMissing(ValueError):  # noqa: N818 - said to the operator
    """The pages would be open to everybody who can reach them."""


def require_loopback(settings: Settings) -> None:
    """Signing in as a demo person is for the own machine only. Raises SignInMissing with what to do."""
    if not is_loopback(settings.web.host):
        raise SignInMissing(
            f"web.host is '{settings.web.host}', which other machines can reach, but no sign-in is configured: "
            "set web.host to 127.0.0.1"
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the host."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def allowed_hosts(settings: Settings) -> list[str]:
    """Names under which the pages answer; any other name may be DNS rebinding by a foreign site."""
    names = {"localhost", "127.0.0.1", "[::1]", "::1", settings.web.host}
    public = urlsplit(settings.web.public_url or "").hostname
    return sorted(names | ({public} if public else set()))


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
