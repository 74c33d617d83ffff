"""Asking a Rasa server what a message wants."""

from collections.abc import Mapping
from time import monotonic
from types import TracebackType
from typing import Self

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nlu.entities import as_entities
from nlu.port import UnderstanderAway, Understanding
from nlu.text import askable

_LARGEST_ANSWER = 200_000
_FALLBACK = "nlu_fallback"


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class _Intent(_Strict):
    name: str = Field(min_length=1, max_length=100)
    confidence: float = Field(ge=0, le=1.000001)


class _Entity(_Strict):
    entity: str
    value: str
    start: int = 0


class _Parse(_Strict):
    text: str
    intent: _Intent
    entities: list[_Entity] = []


class RasaServer:
    """One Rasa server, ours or a remote one; safe to use from many threads.

    timeout: seconds a whole parse may take.
    """

    def __init__(self, url: str, token: str | None = None, timeout: float = 1.0) -> None:
        self._timeout = timeout
        self._client = httpx.Client(
            base_url=url,
            params={"token": token} if token else {},
            timeout=timeout,
            trust_env=False,  # a proxy has no business between Lotse and its Rasa
        )

    def parse(self, text: str) -> Understanding:
        """Understand one message; only its first 2,000 characters are sent, and never an empty one.

        Raises UnderstanderAway when there is no answer in time, or none that makes sense.
        """
        readable = askable(text)
        if not readable:
            return Understanding("unclear", 0.0, understander="rasa")
        answer = self._post("/model/parse", {"text": readable})
        try:
            parsed = _Parse.model_validate_json(answer)
        except ValidationError as error:
            raise UnderstanderAway(f"Rasa's answer has {error.error_count()} faults") from None
        if parsed.text != readable:
            raise UnderstanderAway("Rasa answered another question")
        return _as_understanding(parsed)

    def ready(self) -> bool:
        """Whether the server takes our token and has its model loaded."""
        try:
            answer = self._client.get("/status")
            return answer.status_code == httpx.codes.OK and bool(answer.json().get("model_file"))
        except (httpx.HTTPError, ValueError, AttributeError):
            return False

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _post(self, path: str, body: Mapping[str, str]) -> bytes:
        """The body of a 200 answer. httpx's time limit is per read; this one holds for the whole answer."""
        deadline = monotonic() + self._timeout
        try:
            with self._client.stream("POST", path, json=body) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise UnderstanderAway(f"Rasa answered {answer.status_code}")
                return _read(answer, deadline)
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            raise UnderstanderAway(f"Rasa did not answer ({type(error).__name__})") from None


def _read(answer: httpx.Response, deadline: float) -> bytes:
    body = b""
    for chunk in answer.iter_bytes():
        body += chunk
        if len(body) > _LARGEST_ANSWER:
            raise UnderstanderAway("Rasa's answer is too long")
        if monotonic() > deadline:
            raise UnderstanderAway("Rasa's answer came too slowly")
    return body


def _as_understanding(parsed: _Parse) -> Understanding:
    """`nlu_fallback` is what Rasa says when no intent reaches the threshold of config.yml."""
    intent = "unclear" if parsed.intent.name == _FALLBACK else parsed.intent.name
    in_order = sorted(parsed.entities, key=lambda entity: entity.start)
    entities = as_entities((entity.entity, entity.value) for entity in in_order)
    return Understanding(intent, min(parsed.intent.confidence, 1.0), entities, understander="rasa")
