"""Whether a request is from Teams: its token, the keys it is signed with, and what it allows.

After the Bot Connector's authentication (Microsoft, "Authenticate requests from the Bot Connector service to your
bot"). The SDK's own validator is not used: it also takes tokens of Entra and then fetches keys from an address that the
token names, it fetches them on the event loop, and again for every unknown key.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt

from bot.settings import TeamsSettings

logger = logging.getLogger(__name__)
ALGORITHM = "RS256"
ISSUER = "https://api.botframework.com"
GOVERNMENT_ISSUER = "https://api.botframework.us"
LEEWAY = 300  # seconds that clocks may be apart
LONGEST_TOKEN = 8192
FETCH_SECONDS = 10.0  # for all of it: Teams waits fifteen for an answer
FRESH = 24 * 3600.0  # seconds after which keys are fetched anew, while the old ones still serve
BELIEVED = 5 * 24 * 3600.0  # seconds after which keys are not believed any more
ASK_AGAIN = 60.0  # least seconds between two fetches, however many unknown keys are named
ASK_SOON = 5.0  # the same after a fetch that failed: without keys nobody gets in
NOT_HAD = (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError, KeyError, TypeError, AttributeError)


class Refused(Exception):  # noqa: N818 - the answer to a request
    """The request is not to be taken. status: 401 where nobody knows who it is, 403 where they may not, 503 where it
    cannot be told just now; reason: for the log, never with anything of the token in it."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass
class Keys:
    """The keys Teams signs with, fetched from one fixed address in the background: a request waits for them only when
    it names a key that is not known, and then no other waits with it."""

    metadata_url: str
    clock: Callable[[], float] = time.monotonic
    _keys: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _fetched_at: float = float("-inf")
    _asked_at: float = float("-inf")
    _fetching: asyncio.Task[None] | None = None
    _failed: bool = False

    @property
    def failing(self) -> bool:
        """Whether there are none, after they were asked for."""
        return not self._keys and self._asked_at > float("-inf") and self._fetching is None

    @property
    def unsure(self) -> bool:
        """Whether they could not be fetched when they were asked for last: there may be one that we do not know."""
        return self._failed

    async def get(self, kid: str) -> Mapping[str, Any] | None:
        """The key of this id as a JWK, or None. Many unknown ids cause one fetch a minute."""
        age = self.clock() - self._fetched_at
        if age > BELIEVED:
            self._keys = {}
        if kid in self._keys:
            if age > FRESH:
                self._start()
            return self._keys[kid]
        self._start()
        if self._fetching is not None:
            await asyncio.shield(self._fetching)
        return self._keys.get(kid)

    def _start(self) -> None:
        if self._fetching is None and self.clock() - self._asked_at >= ASK_AGAIN:
            self._asked_at = self.clock()
            self._fetching = asyncio.create_task(self._fetch())
            self._fetching.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._fetching = None

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(FETCH_SECONDS), httpx.AsyncClient(timeout=FETCH_SECONDS) as http:
                metadata = (await http.get(self.metadata_url)).raise_for_status().json()
                found = (await http.get(metadata["jwks_uri"])).raise_for_status().json()
            self._keys = {str(key["kid"]): key for key in found["keys"] if key.get("kty") == "RSA" and "kid" in key}
            self._fetched_at, self._failed = self.clock(), False
        except NOT_HAD as error:
            self._asked_at, self._failed = self.clock() - ASK_AGAIN + ASK_SOON, True
            logger.warning("the keys of Teams could not be fetched (%s)", type(error).__name__)


class Gate:
    """Who gets in."""

    def __init__(self, settings: TeamsSettings, keys: Keys | None = None) -> None:
        self.settings = settings
        self.keys = keys or Keys(settings.openid_metadata_url)

    async def check(self, authorization: str | None) -> Mapping[str, Any]:
        """The claims of a request's token, once it is known to be from Teams and for us. Raises Refused.

        Everything that can be told without a key is told before one is looked for.
        """
        token = self._presented(authorization)
        kid = self._looked_over(token)
        key = await self.keys.get(kid)
        if key is None and self.keys.unsure:
            raise Refused(503, "the keys of Teams cannot be had")  # it may be genuine: Teams is to bring it again
        if key is None:
            raise Refused(401, "it is signed with a key that Teams does not publish")
        if "msteams" not in key.get("endorsements", ()):
            raise Refused(401, "its key is not endorsed for Teams")
        try:
            return jwt.decode(token, jwt.PyJWK(dict(key), ALGORITHM).key, [ALGORITHM], **self._expected())
        except (jwt.PyJWTError, ValueError) as error:
            raise Refused(401, f"its token is not valid ({type(error).__name__})") from None

    def check_activity(
        self,
        claims: Mapping[str, Any] | None,
        channel: str,
        service_url: str,
        tenant: str,
        own_tenant: str | None = None,
    ) -> None:
        """Whether what the body says goes with the token. claims: None with the playground; own_tenant: of the person,
        where it is told. Raises Refused 403."""
        if claims is None:
            return
        named = claims.get("serviceurl") or claims.get("serviceUrl")
        if not isinstance(named, str) or named.rstrip("/") != service_url.rstrip("/"):
            raise Refused(403, "its service URL is not the token's")
        if not self.settings.is_service_url(service_url):
            raise Refused(403, "its service URL is not among teams.service_urls")
        if channel != "msteams":
            raise Refused(403, "it is not from Teams")
        if not tenant or not all(self.settings.takes_tenant(one) for one in (tenant, own_tenant)):
            raise Refused(403, "its tenant is not among teams.tenant_id and teams.tenants")

    def _presented(self, authorization: str | None) -> str:
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refused(401, "it brings no bearer token")
        if len(token) > LONGEST_TOKEN:
            raise Refused(401, "its token is too long to be one")
        return token

    def _looked_over(self, token: str) -> str:
        """The id of the key a token says it is signed with, when the rest of what it says could be true."""
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(token, options={"verify_signature": False})
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise Refused(401, f"its token cannot be read ({type(error).__name__})") from None
        kid = header.get("kid")
        if header.get("alg") != ALGORITHM or not isinstance(kid, str):
            raise Refused(401, f"its token is not signed with {ALGORITHM} and a named key")
        if claims.get("iss") not in self._issuers() or claims.get("aud") != self.settings.app_id:
            raise Refused(401, "its token is from somebody else, or for somebody else")
        return kid

    def _expected(self) -> dict[str, Any]:
        return {
            "audience": self.settings.app_id,
            "issuer": list(self._issuers()),
            "leeway": LEEWAY,
            "options": {"require": ["exp", "iss", "aud"], "strict_aud": True},
        }

    def _issuers(self) -> tuple[str, ...]:
        """Government clouds publish their keys, and issue their tokens, below `.us`."""
        return (GOVERNMENT_ISSUER,) if ".us/" in self.settings.openid_metadata_url else (ISSUER,)
