"""Training the Rasa model, only when something it depends on has changed."""

import fcntl
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nlu.environment import Environment
from nlu.examples import PROJECT, fingerprint, read_training_data
from nlu.rasa_command import end_rasa, start_rasa

TRAINING_SECONDS = 600
MODELS_KEPT = 3

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class TrainingFailed(Exception):  # noqa: N818 - reads as what happened
    """Rasa made no model; the text says why, in its last words."""


def model_path(folder: Path, project: Path = PROJECT) -> Path:
    """Where the model for the present config, domain and data lies, or will lie."""
    return folder.absolute() / f"rasa-{fingerprint(project)}.tar.gz"


def train(
    environment: Environment,
    folder: Path = Path("var/nlu"),
    *,
    project: Path = PROJECT,
    force: bool = False,
    time_limit: float = TRAINING_SECONDS,
) -> Path:
    """The model for the present training data, trained now unless it is there already (or `force`).

    The file appears complete or not at all; two trainings at once wait for each other. Raises TrainingDataBroken
    (with file and line) before Rasa is asked, TrainingFailed when Rasa makes no model in `time_limit` seconds.
    """
    read_training_data(project)
    model = model_path(folder, project)
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        if force or not model.exists():
            _train(environment, project, model, time_limit)
            _drop_old(folder, keep=model)
    return model


def _train(environment: Environment, project: Path, model: Path, time_limit: float) -> None:
    with tempfile.TemporaryDirectory(prefix="training-", dir=model.parent) as name:
        work = Path(name)
        # Rasa may write into the config it trains from, so it gets a copy of everything.
        copy = shutil.copytree(project, work / "project", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        arguments = ["train", "nlu", "--config", str(copy / "config.yml"), "--domain", str(copy / "domain.yml")]
        arguments += ["--nlu", str(copy / "data"), "--out", str(work / "models"), "--fixed-model-name", "model"]
        output = _run(environment, arguments, work, time_limit)
        trained = work / "models" / "model.tar.gz"
        if not trained.exists():
            raise TrainingFailed(f"Rasa made no model. Its last words: {_last_words(output)}")
        trained.replace(model)


def _run(environment: Environment, arguments: list[str], work: Path, time_limit: float) -> Path:
    output = work / "output.txt"
    with output.open("wb") as sink:
        try:
            child = start_rasa(environment, arguments, work, sink)
        except OSError as error:
            raise TrainingFailed(f"Rasa could not be started ({error})") from error
        try:
            child.wait(time_limit)
        except subprocess.TimeoutExpired:
            raise TrainingFailed(f"Rasa was not done after {time_limit:.0f} s") from None
        finally:
            end_rasa(child)
    return output


def _last_words(output: Path) -> str:
    lines = _COLOUR.sub("", output.read_text("utf-8", errors="replace")).splitlines()
    return " | ".join(line.strip() for line in lines if line.strip())[-600:] or "none"


def _drop_old(folder: Path, keep: Path) -> None:
    models = sorted(folder.glob("rasa-*.tar.gz"), key=lambda path: path.stat().st_mtime, reverse=True)
    for model in models[MODELS_KEPT:]:
        if model != keep:
            model.unlink(missing_ok=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "training.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
