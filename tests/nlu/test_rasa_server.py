"""Asking a Rasa server: what is sent, and what happens when the answer is late, wrong or nonsense."""

from collections.abc import Callable
from typing import Any

import pytest
from nlu_fakes import TOKEN, LittleServer, parsed

from nlu.port import Entity, UnderstanderAway, Understanding
from nlu.rasa_server import RasaServer


@pytest.fixture
def rasa(little_server: LittleServer) -> Any:
    with RasaServer(little_server.url, TOKEN, timeout=0.5) as server:
        yield server


def test_an_answer_becomes_an_understanding(rasa: RasaServer, little_server: LittleServer) -> None:
    number = {"entity": "ticket_number", "value": "tkt 1042", "start": 20, "end": 28, "extractor": "Regex"}
    device = {"entity": "device", "value": "printer", "start": 4, "end": 11}
    little_server.answer = lambda text: parsed(text, "ticket_status", 0.8, [number, device])
    assert rasa.parse("is my printer done, tkt 1042?") == Understanding(
        "ticket_status", 0.8, (Entity("device", "printer"), Entity("ticket_number", "TKT-1042")), "rasa"
    )


def test_below_the_fallback_it_is_unclear(rasa: RasaServer, little_server: LittleServer) -> None:
    little_server.answer = lambda text: parsed(text, "nlu_fallback", 0.7)
    assert rasa.parse("hm hm").intent == "unclear"


@pytest.mark.parametrize("text", ["", "  \n", "🙂", "!!!"])
def test_nothing_readable_is_never_sent(rasa: RasaServer, little_server: LittleServer, text: str) -> None:
    assert rasa.parse(text).intent == "unclear"
    assert little_server.asked == []


def test_a_long_message_is_cut_and_a_command_defused(rasa: RasaServer, little_server: LittleServer) -> None:
    rasa.parse("/talk_to_human")
    rasa.parse("a" * 100_000)
    assert little_server.asked == ["talk_to_human", "a" * 2_000]


@pytest.mark.parametrize(
    "answer",
    [
        lambda text: b"",
        lambda text: b"<html>502</html>",
        lambda text: b"[]",
        lambda text: {},
        lambda text: {"text": text, "intent": None},
        lambda text: {"text": text, "intent": {"name": "", "confidence": 0.5}},
        lambda text: {"text": text, "intent": {"name": "greet", "confidence": "0.5"}},
        lambda text: {"text": text, "intent": {"name": "greet", "confidence": 7}},
        lambda text: {"text": text, "intent": {"name": "greet", "confidence": float("nan")}},
        lambda text: parsed(text, entities=[{"value": 3}]),
        lambda text: parsed("another text"),
        lambda text: parsed(text) | {"padding": "x" * 300_000},
    ],
)
def test_an_answer_that_makes_no_sense_counts_as_away(
    rasa: RasaServer, little_server: LittleServer, answer: Callable[[str], Any]
) -> None:
    little_server.answer = answer
    with pytest.raises(UnderstanderAway):
        rasa.parse("hallo")


@pytest.mark.parametrize("status", [301, 401, 404, 500, 503])
def test_any_other_status_counts_as_away(rasa: RasaServer, little_server: LittleServer, status: int) -> None:
    little_server.status = status
    with pytest.raises(UnderstanderAway, match=str(status)):
        rasa.parse("hallo")


def test_a_wrong_token_counts_as_away(little_server: LittleServer) -> None:
    with RasaServer(little_server.url, "guessed") as server:
        assert not server.ready()
        with pytest.raises(UnderstanderAway, match="401"):
            server.parse("hallo")


def test_a_silent_server_counts_as_away(rasa: RasaServer, little_server: LittleServer) -> None:
    little_server.delay = 30.0
    with pytest.raises(UnderstanderAway, match="ReadTimeout"):
        rasa.parse("hallo")


def test_a_dripping_answer_counts_as_away(rasa: RasaServer, little_server: LittleServer) -> None:
    little_server.drip = 0.2  # each piece comes in time, the whole never does
    with pytest.raises(UnderstanderAway, match="too slowly"):
        rasa.parse("hallo")


def test_nobody_listening_counts_as_away(little_server: LittleServer) -> None:
    url = little_server.url
    little_server.close()
    with RasaServer(url, TOKEN) as server:
        assert not server.ready()
        with pytest.raises(UnderstanderAway, match="ConnectError"):
            server.parse("hallo")


def test_ready_asks_with_the_token(rasa: RasaServer) -> None:
    assert rasa.ready()


def test_errors_carry_no_message_text(rasa: RasaServer, little_server: LittleServer) -> None:
    little_server.answer = lambda text: {"text": text}
    with pytest.raises(UnderstanderAway) as raised:
        rasa.parse("mein geheimes Gehalt")
    assert "Gehalt" not in str(raised.value)
