"""`lotse evaluate`: how well the knowledge base does on questions with known answers."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli_evaluate_tables import tell_report
from bot.cli_trials import KbOption, ModelOption, Trial, UnanswerableOption, risk_value, trial_of
from bot.terminal import CONFIG, ConfigOption, err, print_json

if TYPE_CHECKING:
    from kb_index.evaluation import Question

EXAMPLES = "[dim]Examples:[/]  "
EPILOG = (
    f"{EXAMPLES}lotse evaluate --questions q.jsonl --unanswerable u.jsonl\n\n"
    "lotse evaluate --kb kb_de kb_en --questions q_de.jsonl q_en.jsonl --risk 0.05 0.1 --pictures out/"
)
RISKS = [0.05, 0.1]
STANDARD_OUTPUT = "-"

QuestionsOption = Annotated[
    list[Path], typer.Option("--questions", help="Questions in JSON lines: id, question, lang, answer_article_ids.")
]
RiskOption = Annotated[
    list[float] | None,
    typer.Option("--risk", help="The share of answers that may be wrong; several are shown.", show_default="0.05 0.1"),
]
CalibrationOption = Annotated[
    Path | None,
    typer.Option(help="Judge by this calibration (`lotse calibrate --out`), instead of by cross-validation."),
]
JsonTargetOption = Annotated[
    str | None, typer.Option("--json", help="Write everything as JSON into this file; - is standard output.")
]
PicturesOption = Annotated[Path | None, typer.Option(help="Draw the curves as SVG into this folder.")]


def evaluate(
    context: typer.Context,
    *,
    questions: QuestionsOption,
    unanswerable: UnanswerableOption = None,
    kb: KbOption = None,
    risk: RiskOption = None,
    calibration: CalibrationOption = None,
    as_json: JsonTargetOption = None,
    pictures: PicturesOption = None,
    worst: Annotated[int, typer.Option(min=0, help="How many of the worst cases are shown, of each sort.")] = 5,
    model: ModelOption = None,
    config: ConfigOption = CONFIG,
) -> None:
    """Ask questions with known answers, and tell what was found, how sure that was, and whether the promise holds.

    The live knowledge base is only read. Without --calibration every question is judged by a calibration that was
    fitted without any question about its article (cross-validation).
    """
    risks = [risk_value(value) for value in dict.fromkeys(risk or RISKS)]
    asked = gathered(questions, unanswerable or [])
    fitted = read_fitted(calibration)
    with trial_of(context, kb, config, model) as trial:
        report = evaluated(trial, asked, fitted, risks, worst)
    report["judged_by"] = str(calibration) if calibration else "cross-validation"
    hand_out(report, as_json, pictures)


def gathered(questions: list[Path], unanswerable: list[Path]) -> "list[Question]":
    """All questions; those that nothing answers last."""
    from kb_index.question_files import read_both  # noqa: PLC0415 - numpy

    return read_both(questions, unanswerable)


def read_fitted(path: Path | None) -> Any:
    """The calibrations in a file, by language."""
    from kb_index.calibration_files import read_calibration_file  # noqa: PLC0415 - numpy

    return read_calibration_file(path) if path else None


def evaluated(trial: Trial, questions: "list[Question]", fitted: Any, risks: list[float], worst: int) -> dict[str, Any]:
    """The report as plain values."""
    from kb_index.evaluation import measure, worst_cases  # noqa: PLC0415 - seconds
    from kb_index.shortcomings import shortcomings  # noqa: PLC0415

    with err().status(f"Asking {len(questions)} questions ..."):
        judged = trial.judge(questions, fitted, risks)
    report = measure(judged, risks)
    report["articles"] = len(trial.titles)
    report["worst"] = {f"{risk:g}": worst_cases(judged, risk, worst, trial.titles) for risk in risks}
    report["does_not_hold"] = shortcomings(report, questions, trial.titles.keys())
    return report


def hand_out(report: dict[str, Any], as_json: str | None, pictures: Path | None) -> None:
    """Print, write and draw what was asked for."""
    if pictures is not None:
        from kb_index.pictures import write_pictures  # noqa: PLC0415

        files = write_pictures(report, pictures)
        err().print(f"{len(files)} pictures drawn into {pictures}", markup=False)
    if as_json == STANDARD_OUTPUT:
        print_json(report)
        return
    if as_json is not None:
        Path(as_json).write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", "utf-8")
    tell_report(report)
