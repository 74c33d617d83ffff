"""The HTTP side of the fake Slack: decodes calls, checks token and payload, answers, and serves uploads and files."""

import asyncio
import base64
import json
import urllib.parse
from collections.abc import Callable
from typing import Any

import fake_slack_chat
import fake_slack_rooms
import fake_slack_surfaces
from fake_http import UNANSWERED, serve
from fake_slack_faults import Failure, Faults, RateLimited, Verdict
from fake_slack_socket import SocketMode
from fake_slack_state import State
from fake_slack_things import Bot, Call, SlackError
from slack_validator import InvalidPayload, check
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp

Args = dict[str, Any]
Effect = Callable[[State, Bot, Args], dict[str, Any]]

METHODS: dict[str, Effect] = {**fake_slack_chat.METHODS, **fake_slack_rooms.METHODS, **fake_slack_surfaces.METHODS}
AS_JSON = {"blocks", "metadata", "view", "attachments", "files", "prompts", "loading_messages", "file_ids"}
AS_NUMBER = {"limit", "length"}
AS_BOOLEAN = {
    *("unfurl_links", "unfurl_media", "inclusive", "include_all_metadata", "include_locale", "include_num_members"),
    *("exclude_archived", "return_im", "prevent_creation", "reply_broadcast", "mrkdwn", "full", "link_names"),
}
SIGN_IN = "<!DOCTYPE html><html><head><title>Slack</title></head><body>Sign in to your workspace</body></html>"


class WebApi:
    """Answers calls. calls: every one of them; violations: what the validator refused."""

    def __init__(self, state: State, faults: Faults) -> None:
        self.state, self.faults = state, faults
        self.calls: list[Call] = []
        self.violations: list[tuple[str, InvalidPayload, Args]] = []
        self.allow_mentions = False
        self.links = SocketMode(state)

    def app(self) -> ASGIApp:
        both = ["GET", "POST"]
        routes: list[BaseRoute] = [
            Route("/api/{method}", self.call, methods=both),
            Route("/upload/v1/{ticket}", self.upload, methods=["POST"]),
            Route("/files-pri/{path:path}", self.download),
            Route("/actions/{path:path}", self.respond, methods=["POST"]),
            WebSocketRoute("/link/", self.links.serve),
        ]
        return serve(routes, self._broken)

    def _broken(self, request: Request, error: Exception) -> None:
        """An error of the fake itself fails the test, too."""
        what = InvalidPayload("fake_slack_is_broken", "", repr(error))
        self.violations.append((request.scope["path"], what, {}))

    async def call(self, request: Request) -> Response:
        """One call of the Web API, with whatever goes wrong on its way."""
        method = request.path_params["method"]
        token, args = await decode(request)
        with self.state.lock:
            verdict = self.faults.verdict(method)
        await asyncio.sleep(verdict.delay)
        answer, outcome = self._take(method, token, args, verdict)
        with self.state.lock:
            self.calls.append(Call(self.state.clock(), method, token, args, outcome))
        return answer

    def _take(self, method: str, token: str, args: Args, verdict: Verdict) -> tuple[Response, str]:
        if verdict.before:
            return _failed(verdict.before)
        with self.state.lock:
            answer, outcome = self._effect(method, token, args)
        return _failed(verdict.after) if verdict.after else (answer, outcome)

    def _effect(self, method: str, token: str, args: Args) -> tuple[Response, str]:
        try:
            told = self._run(method, token, args)
        except SlackError as error:
            return JSONResponse({"ok": False, "error": error.code, **error.extra}), error.code
        except InvalidPayload as wrong:
            self.violations.append((method, wrong, args))
            why = {"messages": [f"[ERROR] {wrong.why} [json-pointer:{wrong.path}]"]}
            return JSONResponse({"ok": False, "error": wrong.code, "response_metadata": why}), wrong.code
        except RateLimited as limited:
            return _failed(Failure(429, "ratelimited", limited.retry_after))
        bot = self.state.with_token(token)
        granted = {"X-OAuth-Scopes": ",".join(sorted(bot.scopes))} if bot else None
        return JSONResponse({"ok": True, **told}, headers=granted), "ok"

    def _run(self, method: str, token: str, args: Args) -> dict[str, Any]:
        if method not in {"api.test", "oauth.v2.access"} and not token:
            raise SlackError("not_authed")
        if method == "apps.connections.open":
            return self._open_link(token)
        bot = self.state.with_token(token)
        if bot is None and method in METHODS:
            raise SlackError("not_allowed_token_type" if token == self.state.app_token else "invalid_auth")
        check(method, args, allow_mentions=self.allow_mentions)
        if method == "api.test":
            if args.get("error"):
                raise SlackError(args["error"])
            return {"args": args}
        if method == "oauth.v2.access":
            return fake_slack_surfaces.oauth_access(self.state, args)
        assert bot is not None
        return METHODS[method](self.state, bot, args)

    def _open_link(self, token: str) -> dict[str, Any]:
        if token != self.state.app_token:
            raise SlackError("not_allowed_token_type" if self.state.with_token(token) else "invalid_auth")
        return {"url": self.links.new_url()}

    async def upload(self, request: Request) -> Response:
        """The bytes of a file, once, as many as were announced."""
        if "multipart" in request.headers.get("content-type", ""):
            async with request.form() as form:
                content = b"".join([await one.read() for one in form.values() if not isinstance(one, str)])
        else:
            content = await request.body()
        with self.state.lock:
            file_id = self.state.uploads.pop(request.path_params["ticket"], None)
            if file_id is None or self.state.files[file_id].size != len(content):
                return PlainTextResponse("upload refused", 400)
            self.state.files[file_id].content = content
        return PlainTextResponse(f"OK - {len(content)}")

    async def download(self, request: Request) -> Response:
        """A file for who brings a token of its workspace; a page to sign in, with status 200, for everybody else."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        path = request.path_params["path"].removeprefix("download/")
        await asyncio.sleep(self.faults.delay_of("files-pri"))
        with self.state.lock:
            verdict = self.faults.verdict("files-pri")
            bot = self.state.with_token(token)
            files = self.state.files.values()
            file = next((one for one in files if one.url.endswith(urllib.parse.quote(f"/files-pri/{path}"))), None)
        if verdict.before:
            return _failed(verdict.before)[0]
        if file is None or file.content is None:
            return HTMLResponse("not found", 404)
        if bot is None or bot.team != file.team or "files:read" not in bot.scopes:
            return HTMLResponse(SIGN_IN)
        return Response(file.content, media_type=file.mimetype)

    async def respond(self, request: Request) -> Response:
        """A post to a response_url."""
        args = json.loads(await request.body())
        url = f"{self.state.base}actions/{request.path_params['path']}"
        with self.state.lock:
            target = self.state.response_urls.get(url)
            try:
                check("response_url", args, allow_mentions=self.allow_mentions)
                fake_slack_chat.respond(self.state, target, args)
                outcome = "ok"
            except InvalidPayload as wrong:
                self.violations.append(("response_url", wrong, args))
                outcome = wrong.code
            except SlackError as error:
                outcome = error.code
            self.calls.append(Call(self.state.clock(), "response_url", "", args, outcome))
        if outcome == "ok":
            return PlainTextResponse("ok")
        return JSONResponse({"ok": False, "error": outcome}, 404 if outcome.endswith("_url") else 400)


def _failed(failure: Failure) -> tuple[Response, str]:
    """(the answer, what to note as outcome)."""
    if failure.status == UNANSWERED:
        return Response(status_code=UNANSWERED), "lost"
    if failure.error is None:
        return PlainTextResponse("upstream error", failure.status), f"http {failure.status}"
    headers = {"Retry-After": str(failure.retry_after)} if failure.retry_after is not None else None
    told = {"ok": False, "error": failure.error}
    return JSONResponse(told, failure.status, headers), failure.error if failure.status in (200, 429) else "http"


async def decode(request: Request) -> tuple[str, Args]:
    """(token, arguments) of a call: query, form or JSON; the token from the header, else from the arguments."""
    args: Args = dict(request.query_params)
    content_type = request.headers.get("content-type", "")
    if content_type.startswith("application/json"):
        args |= json.loads(await request.body() or b"{}")
    else:
        async with request.form() as form:
            args |= dict(form)
    args = {key: _decoded(key, value) for key, value in args.items() if value is not None}
    header = request.headers.get("authorization", "")
    if header.startswith("Basic "):
        name, _, secret = base64.b64decode(header[6:]).decode().partition(":")
        args = {"client_id": name, "client_secret": secret, **args}
    in_body = args.pop("token", "")
    return header[7:] if header.startswith("Bearer ") else in_body, args


def _decoded(key: str, value: Any) -> Any:
    """A form's text as what it stands for; what cannot be read stays text, the validator refuses it then."""
    if not isinstance(value, str):
        return ",".join(value) if key in {"users", "types", "channels"} and isinstance(value, list) else value
    if key in AS_BOOLEAN:
        return {"true": True, "1": True, "false": False, "0": False}.get(value.lower(), value)
    if key in AS_NUMBER and value.isdecimal():
        return int(value)
    if key in AS_JSON:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
