"""`lotse evaluate`: how well the knowledge base does on questions with known answers."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.asking import searches_of
from bot.cli_evaluate_tables import tell_report
from bot.cli_trials import (
    AssuranceOption,
    KbOption,
    ModelOption,
    Trial,
    UnanswerableOption,
    risk_value,
    settings_for,
    trial_of,
)
from bot.terminal import CONFIG, ConfigOption, check_target, err, print_json

if TYPE_CHECKING:
    from kb_index.confidence import Fitted
    from kb_index.port import SearchResult
    from kb_index.question_files import Question
    from kb_index.search import KnowledgeBase

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
    assurance: AssuranceOption = None,
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
    check_targets(as_json, pictures)
    settings = settings_for(kb, config)
    asked = gathered(questions, unanswerable or [])
    fitted = read_fitted(calibration)
    with trial_of(context, kb, settings, model) as trial:
        report = evaluated(trial, asked, fitted, risks, assurance or settings.answering.assurance, worst)
    report["judged_by"] = str(calibration) if calibration else "cross-validation"
    hand_out(report, as_json, pictures)


def gathered(questions: list[Path], unanswerable: list[Path]) -> "list[Question]":
    """All questions; those that nothing answers last. Raises QuestionFileError, also when there are none."""
    from kb_index.question_files import QuestionFileError, read_both  # noqa: PLC0415 - seconds

    found = read_both(questions, unanswerable)
    if not found:
        raise QuestionFileError(
            f"{', '.join(map(str, questions))}: there is no question to ask; write one in each line"
        )
    return found


def check_targets(as_json: str | None, pictures: Path | None) -> None:
    """Raises OSError where what is asked for could not be written in the end."""
    if as_json not in (None, STANDARD_OUTPUT):
        check_target(Path(as_json))
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)


def read_fitted(path: Path | None) -> "dict[str, Fitted] | None":
    """The calibrations in a file, by language."""
    from kb_index.calibration_files import read_calibration_file  # noqa: PLC0415 - numpy

    return read_calibration_file(path) if path else None


def as_served(knowledge: "KnowledgeBase", question: "Question") -> "SearchResult | None":
    """What the bot goes by when this is the first message: of a long one the surest of several searches, and no article
    twice."""
    from bot.searching import surest  # noqa: PLC0415 - seconds

    return surest(knowledge, ((question.text, words) for words in searches_of(question.text)), question.language, {})[1]


def evaluated(
    trial: Trial,
    questions: "list[Question]",
    fitted: "dict[str, Fitted] | None",
    risks: list[float],
    assurance: float,
    worst: int,
) -> dict[str, Any]:
    """The report as plain values."""
    from kb_index.evaluation import measure, worst_cases  # noqa: PLC0415 - seconds
    from kb_index.shortcomings import shortcomings  # noqa: PLC0415

    with err().status(f"Asking {len(questions)} questions ..."):
        verdict = trial.judge(questions, fitted, risks, assurance, as_served)
    judged, titles = verdict.judged, trial.titles
    report = measure(judged, risks)
    report |= {"assurance": assurance, "articles": len(titles), "not_taken_in": list(trial.unread)}
    report["worst"] = {f"{risk:g}": worst_cases(judged, risk, worst, titles) for risk in risks}
    report["does_not_hold"] = shortcomings(report, questions, titles.keys(), trial.for_agents, verdict.reasons)
    return report


def hand_out(report: dict[str, Any], as_json: str | None, pictures: Path | None) -> None:
    """Print, write and draw what was asked for; first what cannot fail."""
    if as_json == STANDARD_OUTPUT:
        print_json(report)
    else:
        tell_report(report)
    if as_json not in (None, STANDARD_OUTPUT):
        Path(as_json).write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", "utf-8")
    if pictures is not None:
        from kb_index.pictures import write_pictures  # noqa: PLC0415

        files = write_pictures(report, pictures)
        err().print(f"{len(files)} pictures drawn into {pictures}", markup=False)
