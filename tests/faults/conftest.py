"""What the tests of faults share: a real Rasa, and a note of what happened, printed by `pytest -s tests/faults`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from nlu.environment import Environment, install
from nlu.training import train

ROOT = Path(__file__).parents[2]
Note = Callable[[str, str], None]


@pytest.fixture(scope="module")
def note(request: pytest.FixtureRequest) -> Iterator[Note]:
    """`note(fault, what happened)`."""
    table = Table("fault", "what happened", title=request.module.__doc__, show_lines=True)
    yield table.add_row
    Console(width=150, markup=False).print("", table)


@pytest.fixture(scope="session")
def rasa_settings() -> dict[str, Path]:
    """Settings `nlu` for the real Rasa in `.venv-rasa` of the checkout, its model trained."""
    environment, models = install(ROOT / ".venv-rasa"), ROOT / "var" / "nlu"
    if environment is None:
        pytest.skip("no Python 3.11 or 3.10 on this machine")
    assert isinstance(environment, Environment)
    train(environment, models)
    return {"environment": environment.folder, "models": models}
