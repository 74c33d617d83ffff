"""Who may reach the pages at all, and the headers that tell browsers what the pages may do."""

import ipaddress
from urllib.parse import urlsplit

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
