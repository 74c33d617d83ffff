"""What the tests of understanding share: the labelled messages, the embedded understander, a server on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from nlu_fakes import LittleServer

from nlu.embedded import EmbeddedUnderstander
from nlu.environment import Environment, install
from nlu.measure import Labelled, read_labelled
from nlu.training import train

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def embedded() -> EmbeddedUnderstander:
    return EmbeddedUnderstander()


@pytest.fixture(scope="session")
def held_out() -> list[Labelled]:
    return read_labelled(HERE / "held_out.yml")


@pytest.fixture(scope="session")
def development() -> list[Labelled]:
    return read_labelled(HERE / "development.yml")


@pytest.fixture
def little_server() -> Iterator[LittleServer]:
    server = LittleServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def real_environment() -> Environment:
    """The real Rasa in `.venv-rasa` of the checkout; the first run installs it (one to two minutes)."""
    environment = install(HERE.parents[1] / ".venv-rasa")
    if environment is None:
        pytest.skip("no Python 3.11 or 3.10 on this machine")
    return environment


@pytest.fixture(scope="session")
def real_model(real_environment: Environment) -> Path:
    """The trained model in `var/nlu`; trained (20 s) only when its data changed."""
    return train(real_environment, HERE.parents[1] / "var" / "nlu")
