"""What `lotse evaluate` and `lotse calibrate` share: options with several values, and a knowledge base to try out."""

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer
from rich.markup import escape
from typer.core import TyperCommand

from bot.cli_kb import progress_bar
from bot.settings import KnowledgeSettings, Settings
from bot.terminal import err, settings_from

if TYPE_CHECKING:
    from kb_index.confidence import Fitted
    from kb_index.judging import Ask
    from kb_index.port import Embedder
    from kb_index.question_files import Question
    from kb_index.trial import Learned, Verdict

HASHED = re.compile(r"@[0-9a-f]{12}\b")
SEVERAL = ("--kb", "--questions", "--unanswerable", "--risk")

KbOption = Annotated[
    list[Path] | None,
    typer.Option("--kb", help="Folders of articles, several after one another; without it the live knowledge base."),
]
UnanswerableOption = Annotated[
    list[Path] | None, typer.Option("--unanswerable", help="Questions in JSON lines that nothing answers.")
]
ModelOption = Annotated[str | None, typer.Option(help="Another embedding model, for articles given with --kb.")]
AssuranceOption = Annotated[
    float | None, typer.Option(min=0.5, max=0.95, help="How surely that is kept, instead of answering.assurance.")
]


class KnowledgeMissing(RuntimeError):  # noqa: N818 - it is a finding
    """There is no live knowledge base to try out."""


class SeveralValues(TyperCommand):
    """A command without arguments, whose options take several values: `--kb a b` is read as `--kb a --kb b`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, spread(args))


def spread(arguments: Sequence[str]) -> list[str]:
    """Repeat an option of several values before each of its values."""
    told: list[str] = []
    option, waits = None, False
    for argument in arguments:
        if argument.startswith("-") and argument != "-":
            name, equals, _ = argument.partition("=")
            option = name if name in SEVERAL else None
            waits = not equals
        elif option is not None and not waits:
            told.append(option)
        else:
            waits = False
        told.append(argument)
    return told


class Trial(Protocol):
    """A knowledge base of its own, to be asked and fitted without changing any other; see `kb_index/trial.py`."""

    @property
    def titles(self) -> Mapping[str, str]:
        """Titles of the articles, by slug."""
        ...

    @property
    def for_agents(self) -> Set[str]:
        """Slugs of what only agents may read."""
        ...

    @property
    def unread(self) -> Sequence[str]:
        """Files that could not become articles, each with its reason."""
        ...

    def judge(
        self,
        questions: "Sequence[Question]",
        calibrations: "Mapping[str, Fitted] | None",
        risks: Sequence[float],
        assurance: float,
        ask: "Ask",
    ) -> "Verdict":
        """What would be made of each; without calibrations by cross-validation, whole articles left out."""
        ...

    def calibrate(self, questions: "Sequence[Question]", name: str, *, together: bool = False) -> "Learned":
        """Calibrations by language; without questions from the articles alone."""
        ...


class Trials:
    """Opens knowledge bases to try out. Tests put others in its place, or another model."""

    def __init__(self, load: "Callable[[KnowledgeSettings], Embedder] | None" = None) -> None:
        self._load = load or loaded

    def of_folders(self, folders: Sequence[Path], knowledge: KnowledgeSettings) -> AbstractContextManager[Trial]:
        """The articles of these folders, taken into a database that is thrown away."""
        return folder_trial(folders, lambda: kept(self._load(knowledge), knowledge.cache / "trials"))

    def of_live(self, settings: Settings) -> AbstractContextManager[Trial]:
        """A copy of the live knowledge base, which is only read."""
        return live_trial(settings.database_url(), lambda: self._load(settings.knowledge))


@contextmanager
def folder_trial(folders: Sequence[Path], load: "Callable[[], Embedder]") -> Iterator[Trial]:
    for folder in folders:
        if not folder.is_dir():
            raise NotADirectoryError(f"{folder} is no folder of articles")
    from kb_index.trial import open_trial  # noqa: PLC0415 - heavy

    embedder = load()
    with tempfile.TemporaryDirectory(prefix="lotse-trial-") as work:
        with progress_bar("Taking the articles in") as advance:
            trial = open_trial(folders, embedder, Path(work), advance)
        with trial:
            for sentence in trial.unread:
                err().print(f"[yellow]not taken in:[/] {escape(sentence)}")
            trial.check_searchable()
            yield trial


@contextmanager
def live_trial(url: str, load: "Callable[[], Embedder]") -> Iterator[Trial]:
    check_exists(url)
    from bot.db import open_database  # noqa: PLC0415 - heavy, like the next
    from kb_index.trial import Trial as RealTrial  # noqa: PLC0415

    embedder = load()
    with (
        closing(open_database(url)) as sessions,
        tempfile.TemporaryDirectory(prefix="lotse-trial-") as work,
        RealTrial.of_live(sessions, embedder, Path(work)) as trial,
    ):
        trial.check_searchable()
        yield trial


def loaded(knowledge: KnowledgeSettings) -> "Embedder":
    """The embedder of these settings."""
    with err().status("Loading the model ..."):
        from kb_index.embedder import load_embedder  # noqa: PLC0415 - seconds

        return load_embedder(knowledge.model, knowledge.cache, knowledge.embedder)


def kept(embedder: "Embedder", folder: Path) -> "Embedder":
    """An embedder that keeps its vectors for the next trial, if its name says which weights they are of."""
    from kb_index.kept_vectors import KeptVectors  # noqa: PLC0415 - numpy

    return KeptVectors(embedder, folder) if HASHED.search(embedder.name) else embedder


def check_exists(url: str) -> None:
    """SQLite would create a file that is not there. Raises KnowledgeMissing."""
    from sqlalchemy import make_url  # noqa: PLC0415 - most commands do without

    place = make_url(url)
    if place.get_backend_name() == "sqlite" and not (place.database and Path(place.database).is_file()):
        raise KnowledgeMissing("there is no knowledge base yet; `lotse kb import FOLDER` makes one, --kb tries one out")


def trial_of(
    context: typer.Context, folders: Sequence[Path] | None, settings: Settings, model: str | None
) -> AbstractContextManager[Trial]:
    """The knowledge base that was asked for. Another model needs folders: the live vectors are of one model only."""
    trials: Trials = context.obj or Trials()
    knowledge = settings.knowledge.model_copy(update={"model": model or settings.knowledge.model})
    if folders:
        return trials.of_folders(folders, knowledge)
    if knowledge != settings.knowledge:
        raise typer.BadParameter(
            f"the live knowledge base is embedded by {settings.knowledge.model}; --model needs --kb"
        )
    return trials.of_live(settings)


def settings_for(folders: Sequence[Path] | None, config: Path) -> Settings:
    """The settings; their defaults where folders are tried and there are none."""
    return settings_from(config) if not folders or config.exists() else Settings()


def risk_value(value: float) -> float:
    """A share between 0 and 1."""
    if not 0 < value < 1:
        raise typer.BadParameter(f"{value:g} is no share of wrong answers; 0.05 means 5 in 100")
    return value
