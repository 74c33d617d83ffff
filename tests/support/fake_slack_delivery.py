"""How the fake Slack reaches the app: signed HTTP or Socket Mode, three seconds for an answer, repeats."""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from urllib.parse import urlencode, urljoin
from uuid import uuid4

import httpx
from fake_slack_socket import SocketMode
from fake_slack_state import State

Kind = Literal["events_api", "interactive", "slash_commands"]
RETRY_DELAYS = (0.0, 60.0, 300.0)  # seconds, as Slack documents them


@dataclass(frozen=True)
class Delivery:
    """What became of a delivery. status 0: no answer in time (or over Socket Mode: no acknowledgement)."""

    status: int
    seconds: float
    body: str
    attempts: int
    event_id: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def json(self) -> Any:
        """The body read as JSON, None when it is empty."""
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True)
class Answer:
    """One attempt: status, body, why it failed, whether the app wants no repeat."""

    status: int
    body: str
    reason: str = ""
    no_retry: bool = False


class Transport(Protocol):
    def send(self, kind: Kind, payload: Mapping[str, Any], seconds: float, retry: int, reason: str) -> Answer:
        """One attempt."""
        ...

    def close(self) -> None: ...


class HttpTransport:
    """Posts to the app's request URL as Slack does."""

    def __init__(self, state: State) -> None:
        self.state, self.request_url = state, ""
        self._http = httpx.Client(trust_env=False)

    def sign(self, body: str | bytes, timestamp: float | str | None = None) -> dict[str, str]:
        """The headers that prove that Slack sent this body."""
        at = str(int(time.time() if timestamp is None else float(timestamp)))
        raw = body.encode() if isinstance(body, str) else body
        digest = hmac.new(self.state.signing_secret.encode(), b"v0:" + at.encode() + b":" + raw, hashlib.sha256)
        return {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": f"v0={digest.hexdigest()}"}

    def post_raw(
        self, path: str, body: str | bytes, headers: Mapping[str, str], seconds: float = 3.0
    ) -> httpx.Response:
        """Post exactly this; path is taken from the request URL. Raises httpx.TransportError."""
        url = urljoin(self.request_url, path)
        return self._http.post(url, content=body, headers=dict(headers), timeout=seconds)

    def send(self, kind: Kind, payload: Mapping[str, Any], seconds: float, retry: int, reason: str) -> Answer:
        body, content_type = _encoded(kind, payload)
        headers = {"Content-Type": content_type, "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)"}
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": reason}
        try:
            answer = self.post_raw("", body, {**headers, **self.sign(body)}, seconds)
        except httpx.TimeoutException:
            return Answer(0, "", "http_timeout")
        except httpx.TransportError:
            return Answer(0, "", "connection_failed")
        no_retry = answer.headers.get("x-slack-no-retry") == "1"
        return Answer(answer.status_code, answer.text, "" if answer.is_success else "http_error", no_retry)

    def close(self) -> None:
        self._http.close()


def _encoded(kind: Kind, payload: Mapping[str, Any]) -> tuple[str, str]:
    if kind == "events_api":
        return json.dumps(payload), "application/json"
    form = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
    return urlencode(form), "application/x-www-form-urlencoded"


class SocketTransport:
    """Sends envelopes over the links the app opened."""

    def __init__(self, links: SocketMode) -> None:
        self.links = links

    def send(self, kind: Kind, payload: Mapping[str, Any], seconds: float, retry: int, reason: str) -> Answer:
        envelope: dict[str, Any] = {"envelope_id": str(uuid4()), "type": kind, "payload": payload}
        if kind == "events_api":
            envelope |= {"accepts_response_payload": False, "retry_attempt": retry, "retry_reason": reason}
        else:
            envelope["accepts_response_payload"] = True
        answer = self.links.send(envelope, seconds)
        if answer is None:
            return Answer(0, "", "timeout")
        told = answer.get("payload")
        if "error" in answer or (isinstance(told, dict) and told.get("ok") is False):
            return Answer(500, json.dumps(told), "negative_ack")
        return Answer(200, json.dumps(told) if told else "")

    def close(self) -> None:
        """The links belong to the app."""


class Postman:
    """Delivers, waits and repeats. Events are repeated, interactions and commands never, as with Slack.

    retries: repeats at most; scale: shrinks the pauses between them; ack_timeout: seconds for an answer;
    lose_acks: how many of the next acknowledgements get lost; log: every delivery.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.retries, self.scale, self.ack_timeout = 3, 0.001, 3.0
        self.lose_acks = 0
        self.log: list[Delivery] = []

    def deliver(self, kind: Kind, payload: Mapping[str, Any], retry: int = 0, reason: str = "http_timeout") -> Delivery:
        """Until it is acknowledged or the retries are used up. retry: the number the first attempt carries."""
        started, last = time.monotonic(), retry + (self.retries if kind == "events_api" else 0)
        attempts = 0
        for number in range(retry, last + 1):
            if attempts:
                time.sleep(RETRY_DELAYS[min(number, len(RETRY_DELAYS)) - 1] * self.scale)
            attempts += 1
            answer = self.transport.send(kind, payload, self.ack_timeout, number, reason if number else "")
            lost = self._loses(kind, answer)
            if answer.no_retry or (not answer.reason and not lost):
                break
            reason = answer.reason or "http_timeout"
        event_id = str(payload.get("event_id", ""))
        delivery = Delivery(answer.status, time.monotonic() - started, answer.body, attempts, event_id)
        self.log.append(delivery)
        return delivery

    def _loses(self, kind: Kind, answer: Answer) -> bool:
        if kind == "events_api" and self.lose_acks and not answer.reason:
            self.lose_acks -= 1
            return True
        return False
