"""Lotse's own tokens for the Bot Connector and Microsoft Graph, with a client secret or a managed identity."""

import asyncio
import logging
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from bot.settings import Settings

if TYPE_CHECKING:
    from microsoft_teams.apps.token_manager import TokenManager

logger = logging.getLogger(__name__)
BOT_SCOPE = "https://api.botframework.com/.default"
GOVERNMENT_BOT_SCOPE = "https://api.botframework.us/.default"
LOGIN_SECONDS = 10.0
EARLY = 300.0  # seconds before its end that a token is asked for anew
BELIEVED = 5.0  # seconds for which Entra is not asked again after it gave none


class LoginRefused(Exception):  # noqa: N818 - said to the operator
    """Entra does not give us a token. code: its own word (`invalid_client`, `AADSTS7000215`)."""

    def __init__(self, code: str) -> None:
        super().__init__(f"Microsoft Entra gives Lotse no token ({code})")
        self.code = code


FAILED = (LoginRefused, httpx.HTTPError, httpx.InvalidURL, ValueError)  # ValueError: the answer is no JSON


@dataclass
class Login:
    """Tokens, each kept until shortly before its end. Lives in one event loop."""

    settings: Settings
    clock: Callable[[], float] = time.monotonic
    _kept: dict[str, tuple[str, float]] = field(default_factory=dict)
    _failed: dict[str, tuple[str, float]] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    _identity: "TokenManager | None" = None

    async def bot_token(self) -> str | None:
        """For the Bot Connector. None with the playground, which knows no tokens. Raises as token."""
        if self.settings.teams.app_id is None:
            return None
        government = self.settings.teams.login_url.rstrip("/").endswith(".us")
        return await self.token(GOVERNMENT_BOT_SCOPE if government else BOT_SCOPE)

    async def graph_token(self) -> str:
        """For Microsoft Graph. Raises as token."""
        return await self.token(f"{(self.settings.teams.graph_url or '').rstrip('/')}/.default")

    async def token(self, scope: str) -> str:
        """A token for a scope; it is asked for once, whoever wants it meanwhile waits. While Entra gives no other, the
        one we have is used to its end. Raises one of FAILED."""
        async with self._locks.setdefault(scope, asyncio.Lock()):
            token, ends = self._kept.get(scope, ("", float("-inf")))
            if self.clock() <= ends - EARLY:
                return token
            try:
                return await self._fresh(scope)
            except FAILED:
                if self.clock() < ends:
                    return token
                raise

    async def _fresh(self, scope: str) -> str:
        """A new token. Who waits while Entra does not answer is not made to wait for it again, one after the other."""
        code, until = self._failed.get(scope, ("", float("-inf")))
        if self.clock() < until:
            raise LoginRefused(code)
        try:
            token, seconds = await self._ask(scope)
        except FAILED as error:
            code = error.code if isinstance(error, LoginRefused) else type(error).__name__
            self._failed[scope] = code, self.clock() + BELIEVED
            logger.warning("Microsoft Entra gives Lotse no token (%s)", code)
            raise
        self._failed.pop(scope, None)
        self._kept[scope] = token, self.clock() + max(seconds, EARLY + 60.0)
        return token

    @property
    def refused(self) -> str | None:
        """Why there is no new token, when there was none the last time."""
        return next((code for code, _ in self._failed.values()), None)

    def forget(self, token: str) -> None:
        """This token was refused: the next call gets a new one, unless another has got it already."""
        for scope in [scope for scope, (kept, _) in self._kept.items() if kept == token]:
            del self._kept[scope]

    async def _ask(self, scope: str) -> tuple[str, float]:
        if self.settings.teams.credential == "managed_identity":
            return await self._ask_as_identity(scope)
        return await self._ask_with_secret(scope)

    async def _ask_with_secret(self, scope: str) -> tuple[str, float]:
        """The client credentials grant (RFC 6749, section 4.4). Not with MSAL, which takes no address on loopback."""
        teams = self.settings.teams
        form = {
            "grant_type": "client_credentials",
            "client_id": teams.app_id,
            "client_secret": self.settings.secret(teams.client_secret_env) or "",
            "scope": scope,
        }
        address = f"{teams.login_url.rstrip('/')}/{teams.tenant_id}/oauth2/v2.0/token"
        async with httpx.AsyncClient(timeout=LOGIN_SECONDS) as http:
            answer = await http.post(address, data=form)
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            answer.raise_for_status()
        told = answer.json()
        if not isinstance(told, dict) or "access_token" not in told:
            raise LoginRefused(code_of(told))
        return str(told["access_token"]), float(told.get("expires_in") or 0)

    async def _ask_as_identity(self, scope: str) -> tuple[str, float]:
        teams = self.settings.teams
        if self._identity is None:
            self._identity = managed_identity(teams.app_id or "", teams.tenant_id)  # it keeps tokens itself
        try:
            token = await self._identity.get_app_token(scope, teams.tenant_id)
        except (ValueError, OSError) as error:  # OSError: the machine has no identity that could be asked
            raise LoginRefused(type(error).__name__) from None
        if token is None:
            raise LoginRefused("no token")
        return str(token), 0.0


def managed_identity(app_id: str, tenant: str | None) -> "TokenManager":
    """The SDK's way to the identity that Azure gives a machine. It takes a second to load, and warns of previews."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from microsoft_teams.api.auth.credentials import ManagedIdentityCredentials  # noqa: PLC0415
        from microsoft_teams.apps.token_manager import TokenManager  # noqa: PLC0415
    return TokenManager(ManagedIdentityCredentials(client_id=app_id, tenant_id=tenant))


def code_of(told: object) -> str:
    """Entra's own word for what is wrong: its number (`AADSTS7000215`) where there is one."""
    values = told if isinstance(told, dict) else {}
    described = str(values.get("error_description") or "")
    number = described.partition(":")[0]
    return number if number.startswith("AADSTS") else str(values.get("error") or "no token")
