"""Rasa when it is well, the embedded understander when it is not."""

import threading
from collections.abc import Callable, Iterator
from threading import Event

import pytest
from patience import eventually

from nlu.port import Understander, UnderstanderAway, Understanding
from nlu.understander import ResilientUnderstander


class Rasa:
    """Counts who asks; answers, is away, hangs or has a fault."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away = False
        self.fault = False
        self.go_on = Event()
        self.go_on.set()

    def parse(self, text: str) -> Understanding:
        self.asked.append(text)
        self.go_on.wait()
        if self.away:
            raise UnderstanderAway("the little Rasa is away")
        if self.fault:
            raise ZeroDivisionError
        return Understanding("greet", 0.9, understander="rasa")


class Embedded:
    def parse(self, text: str) -> Understanding:
        return Understanding("unclear", 0.1, understander="embedded")


@pytest.fixture
def rasa() -> Iterator[Rasa]:
    rasa = Rasa()
    yield rasa
    rasa.go_on.set()


@pytest.fixture
def build(rasa: Rasa) -> Iterator[Callable[..., ResilientUnderstander]]:
    built: list[ResilientUnderstander] = []

    def new(one: Understander | None = rasa, pause: float = 60.0, limit: float = 5.0) -> ResilientUnderstander:
        built.append(ResilientUnderstander(one, Embedded(), limit=limit, pause=pause))
        return built[-1]

    yield new
    for one in built:
        one.close()


Build = Callable[..., ResilientUnderstander]


def who(understander: ResilientUnderstander, text: str = "hallo") -> str:
    return understander.parse(text).understander


def test_a_well_rasa_is_used(build: Build) -> None:
    understander = build()
    assert who(understander) == "rasa"
    assert understander.health() == {"understander": "rasa", "state": "ok", "reason": ""}


def test_without_rasa_the_embedded_one_serves_by_choice(build: Build) -> None:
    understander = build(None)
    assert who(understander) == "embedded"
    assert understander.health()["state"] == "embedded by choice"


@pytest.mark.parametrize("trouble", ["away", "fault"])
def test_every_message_is_understood_while_rasa_is_sick(build: Build, rasa: Rasa, trouble: str) -> None:
    setattr(rasa, trouble, True)
    understander = build()
    assert [who(understander) for _ in range(5)] == ["embedded"] * 5
    assert understander.health()["state"] == "degraded"


def test_after_three_failures_rasa_is_left_alone(build: Build, rasa: Rasa) -> None:
    rasa.away = True
    understander = build()
    for _ in range(20):
        who(understander)
    assert len(rasa.asked) == 3
    assert understander.health() == {
        "understander": "embedded",
        "state": "degraded",
        "reason": "the little Rasa is away",
    }


def test_a_single_failure_does_not_open_the_circuit(build: Build, rasa: Rasa) -> None:
    understander = build()
    for _ in range(10):
        rasa.away = True
        assert who(understander) == "embedded"
        rasa.away = False
        assert who(understander) == "rasa"
    assert understander.health()["state"] == "ok"


def test_a_hanging_rasa_costs_at_most_the_limit_and_then_nothing(build: Build, rasa: Rasa) -> None:
    rasa.go_on.clear()
    understander = build(limit=0.05)
    assert [who(understander) for _ in range(50)] == ["embedded"] * 50
    assert len(rasa.asked) == 3  # only these three waited
    assert "longer than" in understander.health()["reason"]


def test_the_circuit_closes_in_the_background_when_rasa_is_well_again(build: Build, rasa: Rasa) -> None:
    rasa.away = True
    understander = build(pause=0.01)
    for _ in range(3):
        who(understander)
    rasa.away = False
    assert eventually(lambda: understander.health()["state"] == "ok")
    assert who(understander) == "rasa"


def test_probing_goes_on_while_rasa_is_sick_and_ends_with_close(build: Build, rasa: Rasa) -> None:
    rasa.away = True
    understander = build(pause=0.01)
    for _ in range(3):
        who(understander)
    assert eventually(lambda: len(rasa.asked) >= 5)
    understander.close()
    assert eventually(lambda: not [one for one in threading.enumerate() if one.name == "rasa-probe"])


def test_a_starting_rasa_is_held_back_until_it_answers(build: Build, rasa: Rasa) -> None:
    rasa.away = True
    understander = build(pause=0.01)
    understander.hold("Rasa is starting")
    assert who(understander) == "embedded"
    assert understander.health()["state"] == "degraded"
    rasa.away = False
    assert eventually(lambda: who(understander) == "rasa")


def test_an_empty_message_does_not_ask_rasa(build: Build, rasa: Rasa) -> None:
    assert who(build(), "🙂") == "embedded"
    assert rasa.asked == []
