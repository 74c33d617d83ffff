"""What the tests of understanding share: the labelled messages, the embedded understander, a server on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from nlu_fakes import Labelled, LittleServer, read_labelled

from nlu.embedded import EmbeddedUnderstander

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
