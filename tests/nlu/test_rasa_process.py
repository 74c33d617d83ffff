"""The Rasa child: started, watched, started again, ended with its parent. (A stand-in for Rasa, the rest is real.)"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from nlu_fakes import LittleServer
from patience import eventually, lives
from rasa_stand_in import RasaStandIn

from nlu.rasa_process import RasaProcess
from nlu.rasa_server import RasaServer


@pytest.fixture
def rasa(tmp_path: Path) -> RasaStandIn:
    return RasaStandIn(tmp_path / "rasa")


@pytest.fixture
def process(rasa: RasaStandIn, tmp_path: Path) -> Iterator[RasaProcess]:
    process = RasaProcess(rasa.environment, tmp_path / "model.tar.gz")
    yield process
    process.stop()


def test_it_answers_after_start_and_not_after_stop(process: RasaProcess) -> None:
    assert not process.ready()
    process.start()
    assert process.wait_ready()
    with RasaServer(process.url, process.token) as server:
        assert server.parse("hallo").intent == "greet"
    pid = process.pid
    process.stop()
    assert pid
    assert not lives(pid)
    assert not process.ready()


def test_starting_twice_starts_one(process: RasaProcess, rasa: RasaStandIn) -> None:
    process.start()
    pid = process.pid
    process.start()
    assert process.wait_ready()
    assert process.pid == pid
    assert rasa.commands() == ["run"]


def test_a_killed_one_is_started_again(process: RasaProcess) -> None:
    process.start()
    process.watch()
    assert process.wait_ready()
    first = process.pid
    assert first
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: process.pid not in (None, first))
    assert process.wait_ready()
    assert process.restarts == 1


def test_stop_ends_the_watching_too(process: RasaProcess) -> None:
    process.start()
    process.watch()
    process.stop()
    process.start()
    assert process.pid is None


def test_it_ends_with_its_parent_even_when_that_is_killed(rasa: RasaStandIn, tmp_path: Path) -> None:
    lotse = (
        "import sys, time\nfrom pathlib import Path\n"
        "from nlu.environment import Environment\nfrom nlu.rasa_process import RasaProcess\n"
        "process = RasaProcess(Environment(Path(sys.argv[1])), Path(sys.argv[2]))\n"
        "process.start()\nprint(process.pid, flush=True)\ntime.sleep(600)\n"
    )
    arguments = [sys.executable, "-c", lotse, str(rasa.environment.folder), str(tmp_path / "model.tar.gz")]
    root = Path(__file__).parents[2]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, cwd=root) as parent:  # noqa: S603
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert lives(child)
        parent.kill()
    assert eventually(lambda: not lives(child))


def test_a_foreign_server_on_its_port_is_not_taken_for_ours(
    rasa: RasaStandIn, tmp_path: Path, little_server: LittleServer
) -> None:
    port = int(little_server.url.rsplit(":", 1)[1])
    process = RasaProcess(rasa.environment, tmp_path / "model.tar.gz", port=port)
    process.start()
    assert not process.wait_ready(seconds=1)
    process.stop()


def test_the_token_is_not_in_the_process_list(process: RasaProcess) -> None:
    process.start()
    assert process.wait_ready()
    assert process.token.encode() not in Path(f"/proc/{process.pid}/cmdline").read_bytes()


def test_secrets_of_lotse_are_not_handed_down(
    process: RasaProcess, rasa: RasaStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    process.start()
    assert process.wait_ready()
    assert "xoxb-secret" not in rasa.variables()
    assert '"RASA_TELEMETRY_ENABLED": "false"' in rasa.variables()


def test_two_have_different_tokens(rasa: RasaStandIn, tmp_path: Path) -> None:
    model = tmp_path / "model.tar.gz"
    assert RasaProcess(rasa.environment, model).token != RasaProcess(rasa.environment, model).token
