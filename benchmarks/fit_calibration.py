"""Fits the calibration that comes with Lotse, and writes it.

    python benchmarks/fit_calibration.py DATA [--out kb_index/calibrations/default.json] [--work FOLDER]

DATA holds kb_<language>/, questions_<language>.jsonl, unanswerable_<language>.jsonl and crosslingual.jsonl. Questions
across languages are translated by the shipped glossary alone: what was learned from an article's own pair would find it
better than a new question finds any. They stand for those that only the other language answers, so their own language
does not find the article's twin. `lotse evaluate` says what the calibration keeps.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import delete

from kb_index.calibration_files import write_calibration_file
from kb_index.confidence import Fitted
from kb_index.embedder import load_embedder
from kb_index.evaluation import Question, read_questions
from kb_index.fitting import Sample, fit, is_across, language_of
from kb_index.models import Glossary
from kb_index.trial import Trial, open_trial
from kb_index.versions import raise_version

LANGUAGES = ("de", "en")
EVERY = 2  # of the questions across counts: about one question in five has then its answer in the other language alone


def main() -> None:
    """Import, fit each pair of languages, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--work", type=Path, help="keep the imported knowledge here for the next run")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        work = arguments.work or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        folders = [arguments.data / f"kb_{language}" for language in LANGUAGES]
        with open_trial(folders, load_embedder(), work) as trial:
            fitted = fit_all(trial, arguments.data)
    for one in fitted.values():
        print_fitted(one)
    if arguments.out:
        write_calibration_file(arguments.out, fitted)


def fit_all(trial: Trial, data: Path) -> dict[str, Fitted]:
    """The calibrations by language and by pair of languages."""
    asked = read_questions([data / f"questions_{language}.jsonl" for language in LANGUAGES], answerable=True)
    without = read_questions([data / f"unanswerable_{language}.jsonl" for language in LANGUAGES], answerable=False)
    samples = trial.samples([*asked, *without])
    forget_glossaries(trial)
    for pair, found in samples_abroad(trial, read_questions([data / "crosslingual.jsonl"], answerable=True)).items():
        samples[pair] = [*samples[pair], *found]
    name, fitted = f"helpdesk-data {datetime.now(UTC).date()}", {}
    for pair in sorted(samples, key=is_across):
        own = fitted.get(language_of(pair)) if is_across(pair) else None
        fitted[pair] = fit(samples[pair], name, pair, trial.embedder.name, own=own)
    return fitted


def samples_abroad(trial: Trial, questions: Sequence[Question]) -> dict[str, list[Sample]]:
    """By pair of languages some of these questions, as if only the other language answered."""
    found = trial.samples(questions)
    return {
        pair: [
            replace(away, own=away.own.without(home.gold))
            for home, away in zip(found[language_of(pair)], some, strict=False)  # withheld ones come last
            if away.own and away.gold
        ][::EVERY]
        for pair, some in found.items()
        if is_across(pair)
    }


def forget_glossaries(trial: Trial) -> None:
    """Leave only the shipped glossary, also to an index that is built already."""
    with trial.sessions.begin() as session:
        session.execute(delete(Glossary))
        raise_version(session)


def print_fitted(one: Fitted) -> None:
    """What was measured out of fold."""
    print(f"\n{one.language}: {one.sample_size} questions, model {one.model}")
    print("  weights", {name: round(weight, 3) for name, weight in one.weights.items()})
    print("  measured", dict(one.measured))
    for assurance, by_risk in one.thresholds.items():
        print(f"  assurance {assurance}: max wrong | answer from | answered | wrong | ask from | asked back")
        for risk, limits in by_risk.items():
            cells = (limits.answer_from, limits.answered, limits.wrong, limits.ask_from, limits.asked_back)
            print(f"  {risk:>9} | " + " | ".join("none" if c is None else f"{c:.3f}" for c in cells))


if __name__ == "__main__":
    main()
