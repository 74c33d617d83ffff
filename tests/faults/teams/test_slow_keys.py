"""The keys that Teams signs with come slowly, or not at all: only who names an unknown one waits for them."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from time import monotonic

import httpx
import pytest
from fake_teams_activities import message_activity
from patience import eventually
from teams_world import TeamsWorld
from world import VPN_QUESTION

from bot.channels.teams.tokens import Keys

Note = Callable[[str, str], None]
SLOW, FORGERS, GENUINE = 5.0, 20, 10


def keys_of(teams: TeamsWorld) -> Keys:
    assert teams.app.teams is not None
    return teams.app.teams.gate.keys


def forget_when_asked(teams: TeamsWorld) -> None:
    """A minute has passed since the keys were asked for."""
    keys_of(teams)._asked_at = float("-inf")


@contextmanager
def in_threads(calls: list[Callable[[], object]]) -> Iterator[list[threading.Thread]]:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    yield threads
    for thread in threads:
        thread.join()


def page(teams: TeamsWorld, path: str) -> int:
    """Get one of Lotse's pages, on the event loop that everything from Teams runs on."""

    async def get() -> int:
        transport = httpx.ASGITransport(teams.app.web, client=("127.0.0.1", 50000))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            return (await http.get(path)).status_code

    return teams.fake.postman.loop.run(get())


def brought(teams: TeamsWorld) -> int:
    """Konrad writes; what Teams is answered."""
    teams.konrad.writes("Noch etwas.")
    return teams.fake.deliveries[-1].status


def timed(call: Callable[[], int]) -> list[tuple[int, float]]:
    """(status, seconds) of several calls, one after the other."""
    found = []
    for _ in range(GENUINE):
        started = monotonic()
        found.append((call(), monotonic() - started))
    return found


def figures(calls: list[tuple[int, float]]) -> str:
    seconds = [one for _, one in calls]
    return f"median {1000 * median(seconds):.0f} ms, longest {1000 * max(seconds):.0f} ms"


def test_while_forged_requests_wait_for_keys_everything_else_is_served(teams: TeamsWorld, note: Note) -> None:
    message = teams.asks(teams.konrad, VPN_QUESTION)  # the keys are known from here on
    body, refused = json.dumps(teams.fake.activity_of(message)).encode(), []

    def forge(number: int) -> None:
        token = teams.fake.token(headers={"kid": f"unknown-{number}"})
        refused.append(teams.fake.post_raw(body, {"Authorization": f"Bearer {token}"}).status_code)

    alone = timed(lambda: brought(teams))
    teams.fake.keys.delay = SLOW
    forget_when_asked(teams)
    before = len(teams.fake.called("GET", "*/keys"))
    with in_threads([lambda number=number: forge(number) for number in range(FORGERS)]) as waiting:
        assert eventually(lambda: keys_of(teams)._fetching is not None, 10)
        genuine, pages = timed(lambda: brought(teams)), timed(lambda: page(teams, "/signin"))
        assert all(thread.is_alive() for thread in waiting)  # nobody was answered after them
    assert {status for status, _ in (*genuine, *pages)} == {200}
    assert refused == [401] * FORGERS
    assert len(teams.fake.called("GET", "*/keys")) == before + 1
    note(
        f"{FORGERS} forged requests wait {SLOW:.0f} s for a key",
        f"genuine ones: {figures(genuine)} (without forged ones {figures(alone)}); web pages: {figures(pages)}",
    )


def test_slow_keys_delay_the_first_message_and_lose_nothing(teams: TeamsWorld) -> None:
    """After a start nothing is known yet; pages are served meanwhile."""
    teams.fake.keys.delay = SLOW
    with in_threads([lambda: teams.konrad.writes(VPN_QUESTION)]) as (waiting,):
        assert eventually(lambda: keys_of(teams)._fetching is not None, 10)
        assert page(teams, "/signin") == 200
        assert waiting.is_alive()
    assert (teams.fake.deliveries[-1].status, teams.fake.deliveries[-1].attempts) == (200, 1)
    teams.settle()
    assert len(teams.answers(teams.konrad)) == 1


def test_new_keys_that_come_slowly_lose_nothing(teams: TeamsWorld) -> None:
    teams.asks(teams.konrad, VPN_QUESTION)
    teams.fake.keys.rotate()
    teams.fake.keys.delay = SLOW
    forget_when_asked(teams)
    teams.konrad.writes("Und auf dem Mac?")
    assert (teams.fake.deliveries[-1].status, teams.fake.deliveries[-1].attempts) == (200, 1)


@pytest.mark.parametrize("known", [False, True], ids=["none known", "others known"])
def test_what_comes_while_keys_cannot_be_had_is_refused_and_taken_with_its_repeat(
    teams: TeamsWorld, known: bool
) -> None:
    if known:
        teams.konrad.writes("Guten Morgen")
        teams.fake.keys.rotate()
        forget_when_asked(teams)
    teams.fake.keys.status = 500
    message = teams.konrad.writes(VPN_QUESTION)
    assert teams.fake.deliveries[-1].status == 503
    teams.fake.keys.status = 200
    forget_when_asked(teams)
    assert teams.fake.deliver(message_activity(teams.fake.state, message)).status == 200
    teams.settle()
    assert len(teams.answers(teams.konrad)) == 1
