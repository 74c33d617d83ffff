"""`lotse calibrate`: learns from when on an answer may be given, and says what that promises."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from bot.cli_trials import KbOption, ModelOption, UnanswerableOption, risk_value, trial_of
from bot.settings import Settings
from bot.terminal import CONFIG, FAILED, ConfigOption, err, out, settings_from

if TYPE_CHECKING:
    from kb_index.confidence import Fitted, Thresholds

EXAMPLES = "[dim]Examples:[/]  "
EPILOG = (
    f"{EXAMPLES}lotse calibrate   ·   lotse calibrate --questions q.jsonl --unanswerable u.jsonl\n\n"
    "lotse calibrate --kb kb_de kb_en --questions q_de.jsonl q_en.jsonl --out calibration.json"
)
LANGUAGES = {"de": "German", "en": "English"}
QuestionsOption = Annotated[
    list[Path] | None,
    typer.Option("--questions", help="Questions in JSON lines with their articles; without any the articles suffice."),
]
RiskOption = Annotated[
    float | None, typer.Option(help="The share of answers that may be wrong, instead of answering.max_wrong.")
]
TogetherOption = Annotated[
    bool, typer.Option("--together/--per-language", help="One calibration for all languages, where each has few.")
]
OutOption = Annotated[Path | None, typer.Option("--out", help="Write it into this file, store it nowhere.")]


def calibrate(
    context: typer.Context,
    *,
    kb: KbOption = None,
    questions: QuestionsOption = None,
    unanswerable: UnanswerableOption = None,
    max_wrong: RiskOption = None,
    together: TogetherOption = False,
    out_file: OutOption = None,
    model: ModelOption = None,
    config: ConfigOption = CONFIG,
) -> None:
    """Learn from when on an answer may be given so that at most the wanted share is wrong, and tell what that gives.

    With neither --kb nor --out the live knowledge base judges by it from the next question on.
    """
    from kb_index.question_files import read_both  # noqa: PLC0415 - numpy

    risk = risk_value(max_wrong) if max_wrong is not None else wanted(config, needed=not kb)
    asked = read_both(questions or [], unanswerable or [])
    with trial_of(context, kb, config, model) as trial, err().status("Fitting ..."):
        fitted = trial.calibrate(asked, name_now(len(asked)), together=together)
    if not fitted:
        err().print("[bold red]Error:[/] there are too few articles to learn anything from; nothing was changed")
        raise typer.Exit(FAILED)
    tell(fitted, risk)
    if out_file is not None:
        keep_in_file(fitted, out_file)
    elif kb:
        out().print("Nothing was stored: name a file with --out to keep it.")
    else:
        keep_live(fitted, settings_from(config))


def wanted(config: Path, *, needed: bool) -> float:
    """The operator's risk; its default where folders are tried and there are no settings."""
    return (settings_from(config) if needed or config.exists() else Settings()).answering.max_wrong


def name_now(questions: int) -> str:
    """What this calibration is called."""
    source = f"{questions} questions" if questions else "articles alone"
    return f"{source} {datetime.now(UTC):%Y-%m-%d %H:%M:%S}"


def tell(fitted: "Mapping[str, Fitted]", risk: float) -> None:
    """What each calibration keeps, as a table and in a sentence."""
    columns = ("learnt from", "answers from", "answered", "wrong", "asks back from", "asked back")
    table = Table(f"at most {risk:.0%} wrong", *columns)
    for language, one in fitted.items():
        table.add_row(escape(name_of(language)), *cells(one, one.for_risk(risk)))
    out().print(table)
    for language, one in fitted.items():
        out().print(f"{name_of(language)}: {promise(one, one.for_risk(risk), risk)}", markup=False)


def cells(one: "Fitted", limits: "Thresholds") -> Sequence[str]:
    """Sample size, thresholds, and what they gave on questions that were not learnt from."""
    from kb_index.evaluation import wilson  # noqa: PLC0415 - seconds

    low, high = wilson(limits.answered, one.sample_size) or (0.0, 1.0)
    return (
        f"{one.sample_size}",
        threshold(limits.answer_from),
        f"{limits.answered:.0%} ({low:.0%}-{high:.0%})",
        f"{limits.wrong:.1%}" if limits.answer_from is not None else "·",
        threshold(limits.ask_from),
        f"{limits.asked_back:.0%}",
    )


def threshold(value: float | None) -> str:
    return "never" if value is None else f"{value:.0%}"


def promise(one: "Fitted", limits: "Thresholds", risk: float) -> str:
    """Whether the wanted risk can be kept."""
    if limits.answer_from is not None:
        return f"the promise can be kept; about {limits.answered:.0%} of such questions are answered at once."
    risks = {float(name) for by_risk in one.thresholds.values() for name in by_risk}
    kept = [other for other in risks if one.for_risk(other).answer_from is not None]
    begin = f"too little data to promise at most {risk:.0%} wrong answers, so nothing is answered at once."
    instead = "Lotse asks back or hands over more." if limits.ask_from is not None else "Everything is handed over."
    more = "More questions with known articles help."
    hint = f"It could promise {min(kept):.0%}." if kept else more
    return f"{begin} {instead} {hint}"


def name_of(pair: str) -> str:
    """What a calibration is for: questions and articles of one language, or of two (`de>en`)."""
    asked, _, spoken = pair.partition(">")
    name = LANGUAGES.get(asked, asked)
    return f"{name}, answered in {LANGUAGES.get(spoken, spoken)}" if spoken else name


def keep_in_file(fitted: "Mapping[str, Fitted]", path: Path) -> None:
    """Write it."""
    from kb_index.calibration_files import write_calibration_file  # noqa: PLC0415 - numpy

    write_calibration_file(path, fitted)
    out().print(f"Written into {path}; `lotse evaluate --calibration {path}` judges by it.", markup=False)


def keep_live(fitted: "Mapping[str, Fitted]", settings: Settings) -> None:
    """Make it the one the live knowledge base judges by."""
    from bot.db import open_database  # noqa: PLC0415 - heavy
    from kb_index.confidence import store_calibration  # noqa: PLC0415

    with closing(open_database(settings.database_url())) as sessions, sessions.begin() as session:
        store_calibration(session, list(fitted.values()))
    out().print("Stored. The live knowledge base judges by it from the next question on.")
