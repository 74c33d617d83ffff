"""The HTTP side of the fake Teams: every request with its faults, token check, effect and record."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import fake_teams_connector as connector
import fake_teams_graph as graph
from fake_http import UNANSWERED, serve
from fake_teams_faults import Faults, Verdict
from fake_teams_keys import ISSUER, Keys
from fake_teams_login import issue_token
from fake_teams_state import CONNECTOR_SCOPE, GRAPH_SCOPE, State
from fake_teams_things import Call, TeamsError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp
from teams_validator import MOST_BYTES, InvalidPayload

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
CODES = {412: "PreconditionFailed", 429: "TooManyRequests", 500: "InternalServerError", 502: "ServiceError"}
CODES |= {401: "Unauthorized", 413: "MessageSizeTooBig", 503: "ServiceUnavailable", 504: "GatewayTimeout"}


@dataclass(frozen=True)
class Asked:
    """A request, read. given: the names in its path."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    size: int
    authorization: str
    given: Mapping[str, str]

    @property
    def activity(self) -> Mapping[str, Any]:
        if not isinstance(self.body, Mapping):
            raise InvalidPayload("BadSyntax", "", "the body must be an object")
        return self.body


Effect = Callable[[Asked], tuple[int, Any]]


class TeamsServer:
    """Answers requests. calls: every one of them; violations: what the validator refused."""

    def __init__(self, state: State, faults: Faults, keys: Keys) -> None:
        self.state, self.faults, self.keys = state, faults, keys
        self.calls: list[Call] = []
        self.violations: list[tuple[str, InvalidPayload, Any]] = []

    def app(self) -> ASGIApp:
        state, one = self.state, "/{conversation}/activities/{activity}"
        talks: list[tuple[str, str, Effect]] = [
            ("POST", "", lambda a: connector.create_conversation(state, a.activity, a.size)),
            ("POST", "/{conversation}/activities", lambda a: connector.post(state, _where(a), a.activity, a.size)),
            ("POST", one, lambda a: connector.post(state, _where(a), a.activity, a.size, a.given["activity"])),
            ("PUT", one, lambda a: connector.update(state, _where(a), a.given["activity"], a.activity, a.size)),
            ("DELETE", one, lambda a: connector.delete(state, _where(a), a.given["activity"])),
            ("GET", "/{conversation}/members", lambda a: connector.members(state, _where(a))),
            ("GET", "/{conversation}/pagedMembers", lambda a: connector.paged_members(state, _where(a), a.query)),
            (
                "GET",
                "/{conversation}/members/{member}",
                lambda a: connector.member(state, _where(a), a.given["member"]),
            ),
        ]
        routes: list[BaseRoute] = [
            self._route(f"/emea/v3/conversations{path}", how, run, CONNECTOR_SCOPE) for how, path, run in talks
        ]
        routes += self._other_routes()
        routes += [self._route("/{path:path}", method, _nowhere, None) for method in METHODS]
        return serve(routes, self._broken)

    def _broken(self, request: Request, error: Exception) -> None:
        """An error of the fake itself fails the test, too."""
        what = InvalidPayload("FakeTeamsIsBroken", "", repr(error))
        self.violations.append((f"{request.method} {request.scope['path']}", what, None))

    def _other_routes(self) -> list[Route]:
        state, thread = self.state, "/graph/v1.0/teams/{group}/channels/{channel}/messages"
        inline, file = "/emea/v3/attachments/{file}/views/original", "/sharepoint/download.aspx"

        def read(path: str, run: Effect, scope: str | None = None) -> Route:
            return self._route(path, "GET", run, scope)

        def of(a: Asked) -> tuple[State, str, str]:
            return state, a.given["group"], a.given["channel"]

        return [
            read("/emea/v3/teams/{team}", lambda a: connector.team(state, a.given["team"]), CONNECTOR_SCOPE),
            read(
                "/emea/v3/teams/{team}/conversations",
                lambda a: connector.team_channels(state, a.given["team"]),
                CONNECTOR_SCOPE,
            ),
            read(inline, lambda a: self._file(a.given["file"], inline=True), CONNECTOR_SCOPE),
            read(
                file, lambda a: self._file(a.query.get("UniqueId", ""), inline=False, tempauth=a.query.get("tempauth"))
            ),
            read(thread, lambda a: graph.messages(*of(a), a.query), GRAPH_SCOPE),
            read(f"{thread}/{{message}}", lambda a: graph.one_message(*of(a), a.given["message"]), GRAPH_SCOPE),
            read(
                f"{thread}/{{message}}/replies",
                lambda a: graph.replies(*of(a), a.given["message"], a.query),
                GRAPH_SCOPE,
            ),
            read(
                f"{thread}/{{message}}/replies/{{reply}}",
                lambda a: graph.one_reply(*of(a), a.given["message"], a.given["reply"]),
                GRAPH_SCOPE,
            ),
            read("/v1/.well-known/openidconfiguration", lambda _: (200, self._metadata())),
            read("/v1/.well-known/keys", lambda _: self._jwks()),
            self._route(
                "/login/{tenant}/oauth2/v2.0/token",
                "POST",
                lambda a: issue_token(state, a.given["tenant"], a.body),
                None,
            ),
        ]

    def _route(self, path: str, method: str, run: Effect, scope: str | None) -> Route:
        async def answer(request: Request) -> Response:
            asked = await _read(request)
            with self.state.lock:
                verdict = self.faults.verdict(asked.method, asked.path)
            await asyncio.sleep(verdict.delay + (self.keys.delay if asked.path.endswith("/keys") else 0.0))
            with self.state.lock:
                told, error = self._take(asked, run, scope, verdict)
                self._note(asked, told.status_code, error)
            return told

        return Route(path, answer, methods=[method])

    def _note(self, asked: Asked, status: int, error: str) -> None:
        at, query = self.state.clock(), dict(asked.query)
        self.calls.append(Call(at, asked.method, asked.path, query, asked.body, status, asked.size, error))

    def _take(self, asked: Asked, run: Effect, scope: str | None, verdict: Verdict) -> tuple[Response, str]:
        if verdict.status is None:
            return self._effect(asked, run, scope)
        if verdict.processed:
            self._effect(asked, run, scope)
        if verdict.status == UNANSWERED:
            return Response(status_code=UNANSWERED), "cut"
        after = verdict.retry_after or (1 if verdict.status == 429 else None)
        code = CODES.get(verdict.status, "Error")
        return _refused(TeamsError(verdict.status, code, retry_after=after)), code

    def _effect(self, asked: Asked, run: Effect, scope: str | None) -> tuple[Response, str]:
        try:
            if scope is not None:
                self.state.check_token(asked.authorization, scope)
            status, body = run(asked)
        except TeamsError as error:
            return _refused(error), error.code
        except InvalidPayload as wrong:
            self.violations.append((f"{asked.method} {asked.path}", wrong, asked.body))
            status = 413 if asked.size > MOST_BYTES else 400
            return _refused(TeamsError(status, wrong.code, f"{wrong.path}: {wrong.why}")), wrong.code
        if isinstance(body, bytes):
            return Response(body, status, media_type="application/octet-stream"), ""
        if body is None:
            return Response(status_code=status), ""
        return JSONResponse(body, status), "" if status < 400 else str(body.get("error", ""))

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": ISSUER,
            "authorization_endpoint": "https://invalid.botframework.com",
            "jwks_uri": f"{self.state.base}v1/.well-known/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        }

    def _jwks(self) -> tuple[int, Any]:
        if self.keys.status != 200:
            raise TeamsError(self.keys.status, "KeysUnavailable")
        return 200, self.keys.as_jwks()

    def _file(self, name: str, *, inline: bool, tempauth: str | None = None) -> tuple[int, Any]:
        """The bytes of a file; without `tempauth`, its address is as good as a wrong one."""
        file = self.state.files.get(name)
        if file is None or file.gone or file.inline != inline:
            raise TeamsError(404, "itemNotFound", "The resource could not be found.")
        if not inline and not file.url.endswith(f"&tempauth={tempauth}"):
            raise TeamsError(401, "unauthenticated", "The caller is not authenticated.")
        return 200, file.content


def _nowhere(asked: Asked) -> tuple[int, Any]:
    """Whatever else is asked for is noted, too: it was asked for."""
    raise TeamsError(404, "NotFound", f"{asked.method} {asked.path}")


def _where(asked: Asked) -> str:
    return asked.given["conversation"]


def _refused(error: TeamsError) -> Response:
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after is not None else None
    if error.code == "Unauthorized":
        return JSONResponse({"message": error.message}, error.status, headers)
    return JSONResponse({"error": {"code": error.code, "message": error.message}}, error.status, headers)


async def _read(request: Request) -> Asked:
    raw = await request.body()
    kind = request.headers.get("content-type", "")
    body: Any = raw.decode("utf-8", "replace") if raw else None
    if kind.startswith("application/x-www-form-urlencoded"):
        body = dict(parse_qsl(body or ""))
    elif kind.startswith("application/json") and raw:
        try:
            body = json.loads(raw)
        except ValueError:
            body = raw.decode("utf-8", "replace")
    query, given = dict(request.query_params), dict(request.path_params)
    authorization = request.headers.get("authorization", "")
    return Asked(request.method, request.scope["path"], query, body, len(raw), authorization, given)
