"""The real Rasa: trained, started, asked, killed, used again; installed into `.venv-rasa` of the checkout."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from patience import eventually, lives
from quality_floor import assert_good_enough

from nlu.embedded import EmbeddedUnderstander
from nlu.environment import Environment
from nlu.examples import PROJECT
from nlu.measure import Labelled, measure
from nlu.port import Entity
from nlu.rasa_process import RasaProcess
from nlu.rasa_server import RasaServer
from nlu.training import TrainingFailed, train
from nlu.understander import ResilientUnderstander

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def process(
    real_environment: Environment, real_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RasaProcess]:
    process = RasaProcess(real_environment, real_model, output=tmp_path_factory.mktemp("rasa") / "rasa.log")
    process.start()
    process.watch()
    assert process.wait_ready(120)
    yield process
    process.stop()


@pytest.fixture
def rasa(process: RasaProcess) -> Iterator[RasaServer]:
    assert process.wait_ready(120)
    with RasaServer(process.url, process.token, timeout=5.0) as server:
        yield server


def test_it_understands_as_well_as_was_measured(rasa: RasaServer, held_out: list[Labelled]) -> None:
    assert_good_enough(measure(rasa, held_out))


def test_it_understands_exactly_as_the_embedded_one(
    rasa: RasaServer, embedded: EmbeddedUnderstander, development: list[Labelled]
) -> None:
    for one in development:
        ours, theirs = embedded.parse(one.text), rasa.parse(one.text)
        assert (one.text, ours.intent, set(ours.entities)) == (one.text, theirs.intent, set(theirs.entities))


def test_it_finds_entities(rasa: RasaServer) -> None:
    assert rasa.parse("Drucker kaputt, siehe tkt 1042, dringend").entities == (
        Entity("device", "printer"),
        Entity("ticket_number", "TKT-1042"),
        Entity("urgency", "high"),
    )


@pytest.mark.parametrize(
    "text", ["", "🙂", "\x00", "a" * 100_000, "<script>", "'; DROP TABLE", "[x](device)", "{{7*7}}"]
)
def test_odd_messages_are_survived(rasa: RasaServer, text: str) -> None:
    assert rasa.parse(text).understander == "rasa"


def test_a_typed_command_does_not_set_the_intent(rasa: RasaServer) -> None:
    assert rasa.parse("/security_incident").confidence < 1.0
    assert rasa.parse('/ticket_status{"ticket_number": "TKT-1"}').confidence < 1.0


def test_without_the_token_nobody_is_let_in(process: RasaProcess, rasa: RasaServer) -> None:
    assert rasa.ready()
    assert httpx.post(f"{process.url}/model/parse", json={"text": "hallo"}).status_code == 401
    assert httpx.put(f"{process.url}/model", json={}).status_code == 401
    assert httpx.get(f"{process.url}/status?token=guessed").status_code == 401


def test_the_log_holds_no_message(process: RasaProcess, rasa: RasaServer) -> None:
    rasa.parse("Mein Gehalt ist Zwölftausendsiebenhundert")
    assert "Zwölftausend" not in process.output.read_text("utf-8")
    assert process.token not in process.output.read_text("utf-8")


def test_killed_it_is_replaced_at_once_and_used_again_later(
    process: RasaProcess, rasa: RasaServer, embedded: EmbeddedUnderstander
) -> None:
    understander = ResilientUnderstander(rasa, embedded)
    assert understander.parse("guten Morgen").understander == "rasa"
    pid = process.pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    during = [understander.parse("guten Morgen") for _ in range(4)]
    assert {(one.understander, one.intent) for one in during} == {("embedded", "greet")}
    assert understander.health()["state"] == "degraded"
    assert eventually(lambda: understander.parse("guten Morgen").understander == "rasa")
    assert understander.health()["state"] == "ok"
    assert process.pid != pid
    understander.close()


def test_the_real_child_ends_with_a_killed_parent(
    real_environment: Environment, real_model: Path, tmp_path: Path
) -> None:
    lotse = (
        "import sys, time\nfrom pathlib import Path\n"
        "from nlu.environment import Environment\nfrom nlu.rasa_process import RasaProcess\n"
        "process = RasaProcess(Environment(Path(sys.argv[1])), Path(sys.argv[2]), output=Path(sys.argv[3]))\n"
        "process.start()\nassert process.wait_ready(120)\nprint(process.pid, flush=True)\ntime.sleep(600)\n"
    )
    arguments = [sys.executable, "-c", lotse, str(real_environment.folder), str(real_model), str(tmp_path / "log")]
    root = Path(__file__).parents[2]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, cwd=root) as parent:  # noqa: S603
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert Path(f"/proc/{child}").exists()
        parent.kill()
    assert eventually(lambda: not lives(child))


def test_a_config_rasa_refuses_is_told(real_environment: Environment, tmp_path: Path) -> None:
    project = Path(shutil.copytree(PROJECT, tmp_path / "project"))
    config = project / "config.yml"
    config.write_text(config.read_text("utf-8").replace("EntitySynonymMapper", "NoSuchMapper"), "utf-8")
    with pytest.raises(TrainingFailed, match="NoSuchMapper"):
        train(real_environment, tmp_path / "models", project=project)
