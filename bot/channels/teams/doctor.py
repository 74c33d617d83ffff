"""Looks whether Microsoft Teams is set up as Lotse needs it: every check says what is wrong and what to do."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from typing import Any

import httpx

from bot.channels.findings import Finding, clock, rooms
from bot.channels.teams.connector import Connector
from bot.channels.teams.doctor_rooms import Rooms
from bot.channels.teams.listeners import MESSAGES_PATH, REALM
from bot.channels.teams.login import FAILED, LoginRefused
from bot.db import Sessions
from bot.settings import Settings

SECONDS = 10.0  # for one question
DOCS = "docs/teams.md"
NEW_ONE = "make a new one on the app registration's page Certificates & secrets, and export its Value as {variable}"
COPY_TENANT = "teams.tenant_id is no tenant: copy the App Tenant ID from the Azure Bot's page Configuration"
ENTRA_CURES = {
    "AADSTS7000215": f"the secret's Value is needed, not its Secret ID beside it: {NEW_ONE}",
    "AADSTS7000222": f"the secret has expired: {NEW_ONE}",
    "AADSTS700016": "teams.app_id is not registered in this tenant: compare it with the Microsoft App ID of the Azure "
    "Bot's page Configuration, and teams.tenant_id with its App Tenant ID",
    "AADSTS7000229": "the app has no Enterprise application in this tenant: az ad sp create --id {app}",
    "AADSTS7000112": "the app is disabled: switch it on in Entra, Enterprise applications, Properties",
    "AADSTS90002": COPY_TENANT,
    "AADSTS900023": COPY_TENANT,
    "invalid_client": "compare teams.app_id and the secret in {variable} with the app registration",
}
ANOTHER_ENTRA_CURE = "look the code up at https://login.microsoftonline.com/error"
IDENTITY_CURE = (
    "give this machine the identity (Azure: its page Identity, User assigned), and set teams.app_id to the identity's "
    "Client ID; outside Azure use teams.credential: secret"
)
NO_ANSWER_CURE = "check that this machine reaches {address} (network, HTTPS_PROXY), then run this again"
ENDPOINT_CURE = (
    f"start Lotse with these settings, and let the reverse proxy pass {MESSAGES_PATH} to it, with the headers Host and "
    "Authorization"
)
CERTIFICATE_CURE = (
    "Teams takes certificates of public authorities only: install one for this name, with the intermediate "
    "certificates of its authority"
)
NO_ANSWER = (httpx.HTTPError, httpx.InvalidURL, TimeoutError)
NO_KEYS = (*NO_ANSWER, ValueError, KeyError, TypeError, AttributeError)


def examine(
    settings: Settings, sessions: Sessions, now: Callable[[], float] = time.time, seconds: float = SECONDS
) -> list[Finding]:
    """Ask Microsoft about everything Lotse needs, and leave nothing behind there. seconds: the longest that one
    question about keys and address may take."""
    with closing(Connector(settings)) as connector:
        return list(Doctor(settings, connector, Rooms(settings, sessions, connector), now, seconds).findings())


class Doctor:
    """One look at everything."""

    def __init__(
        self, settings: Settings, connector: Connector, in_rooms: Rooms, now: Callable[[], float], seconds: float
    ) -> None:
        self.settings = settings
        self.teams = settings.teams
        self.connector = connector
        self.in_rooms = in_rooms
        self.now = now
        self.seconds = seconds

    def findings(self) -> Iterator[Finding]:
        """What is right and what is wrong, in the order in which it is mended."""
        if self.teams.app_id is None:
            yield self._no_bot()
            return
        named = rooms(self.settings, "teams", self.teams.help_channels)
        yield Finding("settings", "ok", f"the bot is {self.teams.app_id}, {len(named)} channels are named")
        credentials = self._credentials()
        yield credentials
        yield from self._keys()
        yield self._endpoint()
        if credentials.state == "ok":
            yield from self.in_rooms.findings(named)

    def _no_bot(self) -> Finding:
        cure = f"set it, with teams.tenant_id and teams.client_secret_env; see {DOCS}"
        if self.teams.playground:
            text = "teams.playground is on: Lotse is for trying on this machine, and Microsoft is not asked"
            return Finding(
                "settings", "warning", text, f"for Teams itself set it to false, and teams.app_id: see {DOCS}"
            )
        return Finding("settings", "wrong", "teams.app_id is not set", cure)

    # --- credentials ----------------------------------------------------------------------------------------------
    def _credentials(self) -> Finding:
        """Whether Entra gives us a token for the Bot Connector."""
        check, by_identity = "credentials", self.teams.credential == "managed_identity"
        try:
            self.connector.run(self.connector.login.bot_token)
        except LoginRefused as error:
            cure = IDENTITY_CURE if by_identity else self._entra_cure(error.code)
            return Finding(check, "wrong", f"Microsoft Entra gives Lotse no token: {error.code}", cure)
        except FAILED as error:
            text = f"Microsoft Entra does not answer ({type(error).__name__})"
            where = f"teams.login_url ({self.teams.login_url})"
            return Finding(check, "wrong", text, NO_ANSWER_CURE.format(address=where))
        way = "the managed identity" if by_identity else f"the secret in {self.teams.client_secret_env}"
        return Finding(check, "ok", f"{way} is good for a token")

    def _entra_cure(self, code: str) -> str:
        cure = ENTRA_CURES.get(code, ANOTHER_ENTRA_CURE)
        return cure.format(variable=self.teams.client_secret_env, app=self.teams.app_id)

    # --- keys and clock -------------------------------------------------------------------------------------------
    def _keys(self) -> Iterator[Finding]:
        """Whether the keys can be had with which Teams signs, and what time it is there."""
        check, address = "keys", self.teams.openid_metadata_url
        try:
            answer = self._asked(lambda http: http.get(address)).raise_for_status()
            told = self._asked(lambda http: http.get(answer.json()["jwks_uri"])).raise_for_status().json()
            ours = [key for key in told["keys"] if "msteams" in key.get("endorsements", ())]
        except NO_KEYS as error:
            text = f"the keys of Teams cannot be had ({type(error).__name__}): nothing that it sends is accepted"
            cure = NO_ANSWER_CURE.format(address=f"teams.openid_metadata_url ({address})")
            yield Finding(check, "wrong", text, cure)
            return
        if ours:
            yield Finding(check, "ok", f"{len(ours)} keys of Teams are published")
        else:
            text = "none of the published keys is Teams': nothing that it sends is accepted"
            yield Finding(check, "wrong", text, f"set teams.openid_metadata_url as {DOCS} says for your cloud")
        age = seconds_in(answer.headers.get("age", ""))  # a cache on the way tells an old time, and how old it is
        yield clock(answer.headers.get("date"), lambda: self.now() - age, "Microsoft")

    # --- address --------------------------------------------------------------------------------------------------
    def _endpoint(self) -> Finding:
        """Whether Teams can reach us: a request without a token is refused, by Lotse itself."""
        check, base = "endpoint", self.settings.web.public_url
        cure = "set web.public_url to the address that Teams reaches, beginning with https://"
        if base is None:
            return Finding(check, "wrong", "web.public_url is not set, Teams cannot reach Lotse", cure)
        if not base.startswith("https://"):
            return Finding(check, "wrong", f"web.public_url is {base}; Teams sends to https only", cure)
        address = f"{base.rstrip('/')}{MESSAGES_PATH}"
        try:
            answer = self._asked(lambda http: http.post(address, json={}))
        except NO_ANSWER as error:
            return self._unanswered(address, error)
        if answer.status_code == httpx.codes.UNAUTHORIZED and answer.headers.get("www-authenticate") == REALM:
            return Finding(check, "ok", f"{address} is Lotse; it has to be the Azure Bot's Messaging endpoint")
        text = f"{address} answers {answer.status_code}, but not as Lotse does in Teams"
        return Finding(check, "wrong", text, ENDPOINT_CURE)

    def _unanswered(self, address: str, error: Exception) -> Finding:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return Finding("endpoint", "wrong", f"the certificate of {address} is not trusted", CERTIFICATE_CURE)
        text = f"{address} does not answer ({type(error).__name__})"
        return Finding("endpoint", "wrong", text, ENDPOINT_CURE)

    def _asked(self, ask: "Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]") -> httpx.Response:
        """One question, answered in time. Raises one of NO_ANSWER."""

        async def asked() -> Any:
            async with asyncio.timeout(self.seconds), httpx.AsyncClient(timeout=self.seconds) as http:
                return await ask(http)

        answer: httpx.Response = self.connector.run(asked)
        return answer


def seconds_in(told: str) -> int:
    return int(told) if told.isdecimal() else 0
