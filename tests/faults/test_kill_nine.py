"""`kill -9` in the middle of a conversation: nothing is lost, nothing comes twice, the order stays."""

import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from patience import eventually
from served import Browser, ServedLotse, same_id

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]  # minutes: `-m "not real"` leaves it out
KILLS = 10
LATEST_KILL = 0.5  # seconds after a message was begun to be sent; handling and delivering one takes less
FROM_JETTE = [
    "hallo",
    "VPN-Kennwort zurücksetzen",
    "Der Etikettendrucker im Versand druckt jedes Etikett doppelt",
    "Danke, es eilt.",
    "Heute noch, wenn es geht.",
    "Ja, seit gestern.",
    "Jetzt geht es wieder.",
]
FROM_TOMASZ = ["I am looking into it.", "Is the printer online?", "Please restart it once."]
NOTE = "wrong driver, as last week"


@dataclass(frozen=True)
class Step:
    """One thing a person does; `{number}` is the ticket's. calm: only once all before is handled and delivered."""

    who: str
    path: str
    body: dict[str, Any]
    calm: bool = False


def says(text: str, *, calm: bool = False) -> Step:
    return Step("jette", "/api/chat/messages", {"text": text}, calm)


def replies(text: str) -> Step:
    return Step("tomasz", "/api/tickets/{number}/messages", {"text": text})


CONVERSATION = [
    *(says(text, calm=True) for text in FROM_JETTE[:3]),
    Step("jette", "/api/presses", {"action": "person"}, calm=True),
    Step("tomasz", "/api/tickets/{number}/actions", {"action": "claim"}, calm=True),
    replies(FROM_TOMASZ[0]),
    says(FROM_JETTE[3]),
    says(FROM_JETTE[4]),
    replies(FROM_TOMASZ[1]),
    Step("tomasz", "/api/tickets/{number}/messages", {"text": NOTE, "note": True}),
    says(FROM_JETTE[5]),
    replies(FROM_TOMASZ[2]),
    says(FROM_JETTE[6]),
]


@pytest.fixture
def lotse(database_url: str, tmp_path: Path) -> Iterator[ServedLotse]:
    served = ServedLotse(database_url, tmp_path)
    served.start()
    yield served
    served.stop()


@pytest.fixture
def people(lotse: ServedLotse) -> Iterator[dict[str, Browser]]:
    browsers = {name: Browser(lotse.url, name) for name in ("jette", "tomasz")}
    yield browsers
    for browser in browsers.values():
        browser.close()


@pytest.mark.parametrize("seed", [11])
def test_killed_at_ten_random_points_a_conversation_goes_on(
    lotse: ServedLotse, people: dict[str, Browser], seed: int
) -> None:
    chance = random.Random(seed)
    struck = set(chance.sample(range(len(CONVERSATION)), KILLS))
    for number, step in enumerate(CONVERSATION):
        take(step, people, f"{seed}-{number}", lotse, chance.uniform(0, LATEST_KILL) if number in struck else None)
    assert lotse.starts == 1 + KILLS
    assert eventually(people["jette"].settled)
    assert eventually(lambda: waiting(lotse) == {"unhandled": 0, "undelivered": 0})
    check_employee(people["jette"].thread())
    check_desk(people["tomasz"])
    assert received(lotse) == len(CONVERSATION)


def take(step: Step, people: dict[str, Browser], name: str, lotse: ServedLotse, kill_after: float | None) -> None:
    """Do a step until it is acknowledged, while Lotse is killed and started again."""
    if step.calm:
        assert eventually(people["jette"].settled)
    path = step.path.format(number=the_ticket(people["tomasz"])) if "{" in step.path else step.path
    killer = threading.Timer(kill_after or 0, kill_and_start, [lotse])
    if kill_after is not None:
        killer.start()
    people[step.who].send(path, **step.body, source_id=same_id(name))
    if kill_after is not None:
        killer.join()


def the_ticket(agent: Browser) -> str:
    """The number of the only ticket; on PostgreSQL a killed transaction leaves a gap before it."""
    numbers = [ticket["number"] for ticket in agent.get("/api/tickets")]
    assert len(numbers) == 1
    return str(numbers[0])


def kill_and_start(lotse: ServedLotse) -> None:
    lotse.kill()
    lotse.start()


def check_employee(thread: list[dict[str, Any]]) -> None:
    """The employee's page: everybody's words once and in their order, one answer to each question."""
    assert [one["text"] for one in thread if one["own"] and one["kind"] == "text"] == FROM_JETTE
    assert [one["text"] for one in thread if one["author"] == "Tomasz Wilk"] == FROM_TOMASZ
    kinds = [one["kind"] for one in thread if not one["own"] and one["author"] is None]
    assert kinds == ["say", "answer", "say", "receipt", "notice"]
    assert NOTE not in str(thread)
    assert len({one["id"] for one in thread}) == len(thread)


def check_desk(agent: Browser) -> None:
    """The desk: one ticket, and its transcript tells everything once and in order."""
    story = agent.get(f"/api/tickets/{the_ticket(agent)}/transcript")
    asked = [entry["text"] for entry in story if entry["author"] == "requester" and entry["kind"] == "text"]
    assert asked == FROM_JETTE
    said = [entry["text"] for entry in story if entry["author"] == "agent" and entry["kind"] == "text"]
    assert said == FROM_TOMASZ
    assert [entry["text"] for entry in story if entry["is_note"]] == [NOTE]


def waiting(lotse: ServedLotse) -> dict[str, int]:
    """What the reconciler still misses: received = handled = delivered."""
    return {
        name: int(metric(lotse, f'lotse_messages_open{{waiting="{name}"}}')) for name in ("unhandled", "undelivered")
    }


def received(lotse: ServedLotse) -> int:
    total = int(metric(lotse, "lotse_messages_received_total"))
    assert total == int(metric(lotse, "lotse_messages_handled_total"))
    return total


def metric(lotse: ServedLotse, name: str) -> float:
    lines = httpx.get(f"{lotse.url}/metrics").text.splitlines()
    return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))
