"""`lotse replay`: what past questions would get under another risk, calibration or knowledge base."""

from collections.abc import Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from bot.cli_trials import check_exists
from bot.settings import Settings
from bot.terminal import CONFIG, ConfigOption, JsonOption, err, out, print_json, settings_from

if TYPE_CHECKING:
    from bot.db import Sessions
    from bot.replay import Search
    from kb_index.confidence import Fitted

EXAMPLES = "[dim]Examples:[/]  "
EPILOG = f"{EXAMPLES}lotse replay --max-wrong 0.05   ·   lotse replay --search --since 2026-11-01 --json"
MOST_SHOWN = 50  # changed questions in the table; --json has them all
NAMES = {
    "answered": "answered",
    "right": "  known to be right",
    "wrong": "  known to be wrong",
    "unknown": "  not known",
    "asked_back": "asked back",
    "handed_over": "handed over",
    "other": "something else",
}


def replay(
    config: ConfigOption = CONFIG,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From this day on (UTC); all, if not given.")
    ] = None,
    max_wrong: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Another risk than answering.max_wrong.")
    ] = None,
    calibration: Annotated[
        Path | None, typer.Option(help="A calibration file to judge by; searches anew.", exists=True, dir_okay=False)
    ] = None,
    search: Annotated[
        bool, typer.Option("--search", help="Search today's knowledge base instead of what was found then.")
    ] = False,
    show_questions: Annotated[
        bool, typer.Option("--show-questions", help="Print what people wrote; it may be personal.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Decide past questions again and show what would change; writes nothing.

    Without options it decides under the settings as they are now, on what was found at the time.
    """
    settings = settings_from(config)
    check_exists(settings.database_url())
    risk = settings.answering.max_wrong if max_wrong is None else max_wrong
    anew = search or calibration is not None
    from bot.db import open_database  # noqa: PLC0415 - seconds, like the next two
    from bot.past import past_questions  # noqa: PLC0415
    from bot.replay import decided_again, limits_of, report  # noqa: PLC0415

    with closing(open_database(settings.database_url())) as sessions:
        with sessions() as session:
            pasts = past_questions(session, since.replace(tzinfo=UTC) if since else None)
        if anew:
            again = decided_again(pasts, search=searching(settings, sessions, risk, calibration))
        else:
            again = decided_again(
                pasts, limits=limits_of(stored_calibrations(sessions), risk, settings.answering.assurance)
            )
    told = {"max_wrong": risk, "searched_anew": anew, **report(again, with_questions=show_questions)}
    if as_json:
        print_json(told)
    else:
        tell(told)


def searching(settings: Settings, sessions: "Sessions", max_wrong: float, file: Path | None) -> "Search":
    """Asks the knowledge base as it is now, judged by this risk and, where a file is given, by its calibrations."""
    with err().status("Loading the model ..."):
        from bot.replay import search_by  # noqa: PLC0415 - heavy, like the next
        from kb_index.embedder import load_embedder  # noqa: PLC0415

        embedder = load_embedder(settings.knowledge.model, settings.knowledge.cache, settings.knowledge.embedder)
    fitted = fitted_in(file, embedder.name) if file is not None else None
    assurance = settings.answering.assurance
    return search_by(sessions, embedder, settings.knowledge.cache, max_wrong, fitted, assurance)


def fitted_in(file: Path, model: str) -> "list[Fitted]":
    """The calibrations in a file, all fitted for this model. Raises CalibrationFileError."""
    from kb_index.calibration_files import CalibrationFileError, read_calibration_file  # noqa: PLC0415 - numpy

    fitted = list(read_calibration_file(file).values())
    other = next((one.model for one in fitted if one.model != model), None)
    if other is not None:
        raise CalibrationFileError(f"{file} was fitted for {other}, not for {model}")
    return fitted


def stored_calibrations(sessions: "Sessions") -> "list[Fitted]":
    """Every calibration in the database that this Lotse can read, also those that are not in use any more."""
    from sqlalchemy import select  # noqa: PLC0415 - seconds, like the next

    from kb_index.confidence import Fitted  # noqa: PLC0415
    from kb_index.models import Calibration  # noqa: PLC0415

    with sessions() as session:
        rows = [row.data for row in session.scalars(select(Calibration))]
    fitted = []
    for data in rows:
        with suppress(ValueError, KeyError, TypeError):  # fitted by an older Lotse: its questions stay as decided then
            fitted.append(Fitted.from_json(data))
    return fitted


def tell(told: Mapping[str, Any]) -> None:
    """The outcome for a person."""
    searched = "searched anew" if told["searched_anew"] else "on what was found then"
    out().print(f"{told['questions']} questions, {searched}, at most {told['max_wrong']:.0%} wrong answers wanted")
    table = Table("", "before", "now")
    for name, words in NAMES.items():
        table.add_row(words, str(told["before"][name]), str(told["now"][name]))
    out().print(table)
    for one in told["changed"][:MOST_SHOWN]:
        out().print(
            escape(f"{one['at'][:10]} message {one['message']}: {line_of(one['before'])} -> {line_of(one['now'])}")
        )
        if "question" in one:
            out().print(escape(f"  {one['question']}"), style="dim")
    left = len(told["changed"]) - MOST_SHOWN
    if left > 0:
        err().print(f"and {left} more that changed; --json has them all")


def line_of(outcome: Mapping[str, Any]) -> str:
    """What came of a question, on one line."""
    articles = ", ".join(f"{article['id']} {article['title']}" for article in outcome["articles"])
    verdict = f" ({outcome['verdict']})" if outcome["verdict"] in {"right", "wrong"} else ""
    return NAMES[outcome["way"]].strip() + (f": {articles}" if articles else "") + verdict
