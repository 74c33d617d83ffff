"""`lotse calibrate`: learns from when on an answer may be given, and says what that promises."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from bot.cli_trials import (
    AssuranceOption,
    KbOption,
    ModelOption,
    UnanswerableOption,
    risk_value,
    settings_for,
    trial_of,
)
from bot.settings import Settings
from bot.terminal import CONFIG, FAILED, ConfigOption, check_target, err, out

if TYPE_CHECKING:
    from kb_index.confidence import Fitted, Thresholds
    from kb_index.trial import Learned

EXAMPLES = "[dim]Examples:[/]  "
EPILOG = (
    f"{EXAMPLES}lotse calibrate   ·   lotse calibrate --questions q.jsonl --unanswerable u.jsonl\n\n"
    "lotse calibrate --kb kb_de kb_en --questions q_de.jsonl q_en.jsonl --out calibration.json"
)
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
    assurance: AssuranceOption = None,
    together: TogetherOption = False,
    out_file: OutOption = None,
    model: ModelOption = None,
    config: ConfigOption = CONFIG,
) -> None:
    """Learn from when on an answer may be given so that at most the wanted share is wrong, and tell what that gives.

    With neither --kb nor --out the live knowledge base judges by it from the next question on.
    """
    from kb_index.question_files import read_both  # noqa: PLC0415 - numpy

    settings = settings_for(kb, config)
    wanted = Wanted(risk_value(max_wrong or settings.answering.max_wrong), assurance or settings.answering.assurance)
    if out_file is not None:
        check_target(out_file)
    asked = read_both(questions or [], unanswerable or [])
    if not asked:
        tell_without_questions([*(questions or []), *(unanswerable or [])], together=together)
    with trial_of(context, kb, settings, model) as trial, err().status("Fitting ..."):
        learned = trial.calibrate(asked, name_now(len(asked)), together=together)
    tell(learned, wanted)
    if not learned.fitted:
        err().print("[bold red]Error:[/] there is too little to learn anything from; nothing was changed")
        raise typer.Exit(FAILED)
    if out_file is not None:
        keep_in_file(learned.fitted, out_file)
    elif kb:
        out().print("Nothing was stored: name a file with --out to keep it.")
    else:
        keep_live(learned.fitted, settings)


@dataclass(frozen=True)
class Wanted:
    """The share of answers that may be wrong, and how surely that is kept."""

    risk: float
    assurance: float

    def of(self, one: "Fitted") -> "Thresholds":
        """The thresholds that promise it."""
        return one.for_risk(self.risk, self.assurance)


def tell_without_questions(files: Sequence[Path], *, together: bool) -> None:
    """What has no effect where there is no question."""
    if files:
        err().print(
            f"{', '.join(map(str, files))}: no question is in there, so the articles alone teach.", markup=False
        )
    if together:
        err().print("--together joins questions, and there are none: each language learns by itself.")


def name_now(questions: int) -> str:
    """What this calibration is called."""
    source = f"{questions} questions" if questions else "articles alone"
    return f"{source} {datetime.now(UTC):%Y-%m-%d %H:%M:%S}"


def tell(learned: "Learned", wanted: Wanted) -> None:
    """What each calibration keeps, as a table and in a sentence; what was not learned from questions, and why."""
    from kb_index.shortcomings import name_of, told  # noqa: PLC0415 - seconds

    columns = ("learnt from", "answers from", "answered", "wrong", "asks back from", "asked back")
    title = f"At most {wanted.risk:.0%} wrong, {wanted.assurance:.0%} sure"
    table = Table("", *columns, title=title, title_justify="left")
    for language, one in learned.fitted.items():
        table.add_row(escape(name_of(language)), *cells(one, wanted.of(one)))
    if learned.fitted:
        out().print(table)
    for language, one in learned.fitted.items():
        out().print(f"{name_of(language)}: {promise(one, wanted)}", markup=False)
    for sentence in told(learned.reasons):
        err().print(sentence, markup=False)


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


def promise(one: "Fitted", wanted: Wanted) -> str:
    """Whether the wanted risk can be kept."""
    limits = wanted.of(one)
    if limits.answer_from is not None:
        return f"the promise can be kept; about {limits.answered:.0%} of such questions are answered at once."
    risks = {float(name) for by_risk in one.thresholds.values() for name in by_risk}
    kept = [other for other in risks if replace(wanted, risk=other).of(one).answer_from is not None]
    begin = f"too little data to promise at most {wanted.risk:.0%} wrong answers, so nothing is answered at once."
    instead = "Lotse asks back or hands over more." if limits.ask_from is not None else "Everything is handed over."
    more = "More questions with known articles help."
    hint = f"It could promise {min(kept):.0%}." if kept else more
    return f"{begin} {instead} {hint}"


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
