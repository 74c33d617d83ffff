"""Lotse ends while Teams is being asked: it does not wait for the answers, and asks nothing more."""

import threading
from collections.abc import Callable
from time import monotonic

import pytest
from patience import eventually
from teams_world import MERGE, TeamsWorld
from world import VPN_QUESTION

from bot.channels.port import TryAgain, Unclear
from bot.channels.teams.connector import Connector

Note = Callable[[str, str], None]
SLOW = 10.0


def connector(teams: TeamsWorld) -> Connector:
    assert teams.app.teams is not None
    return teams.app.teams.edge.channel.connector


def under_way(teams: TeamsWorld) -> bool:
    """Whether Teams is being asked."""
    return bool(connector(teams)._calls)


def test_calls_under_way_are_given_up_and_none_begins_any_more(teams: TeamsWorld, note: Note) -> None:
    asked, ended = connector(teams), []

    def ask() -> None:
        with pytest.raises(Unclear):
            asked.typing(teams.fake.service_url, teams.konrad.chat)
        ended.append("given up")

    teams.fake.faults.delay(SLOW, path="*/v3/*")
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert eventually(lambda: len(asked._calls) == len(threads), 10)
    started = monotonic()
    asked.close()
    seconds = monotonic() - started
    for thread in threads:
        thread.join()
    note(f"Teams takes {SLOW:.0f} s to answer four calls, Lotse ends", f"closed after {1000 * seconds:.0f} ms")
    assert ended == ["given up"] * 4
    assert teams.fake.called("POST", "*/activities") == []  # nobody has waited for the answers
    with pytest.raises(TryAgain):
        asked.typing(teams.fake.service_url, teams.konrad.chat)
    assert [thread for thread in threading.enumerate() if thread.name == "teams-connector"] == []
    asked.close()  # twice does no harm


def test_what_was_being_sent_at_the_end_is_sent_after_the_next_start(teams: TeamsWorld) -> None:
    teams.konrad.writes(VPN_QUESTION)
    teams.calm()
    teams.fake.faults.delay(SLOW, 1, method="POST", path="*/activities")
    teams.clock.move(seconds=MERGE)
    worker = threading.Thread(target=teams.app.worker.work_off)
    worker.start()
    assert eventually(lambda: under_way(teams), 10)
    teams.restart()
    worker.join()
    teams.settle()
    assert "Profil Zentrale" in teams.words(teams.answers(teams.konrad)[0])
