"""Is the promise kept? Calibrate on half of the articles, count wrong answers on the questions about the other half.

    python benchmarks/risk_splits.py --data FOLDER [--splits 50] [--json OUT] [--work FOLDER] [--language de]

FOLDER is as helpdesk-data: kb_<language>/, questions_<language>.jsonl, unanswerable_<language>.jsonl. Each split deals
whole articles with all their questions into two halves, and the unanswerable questions too. Four calibrations are
judged, all through the product's own functions:

- "questions": `kb_index.fitting.fit` on one half, judged on the other.
- "articles": for a company without any questions, in a language that no calibration comes with. `kb_index.fitting.fit`
  on titles and headings of its own articles (`kb_index.pretended`) and nothing else; judged on the same halves, and
  once on all questions.
- "same language": `kb_index.fitting.shifted` on the same, starting from the regression of the first half:
  other articles and questions, yet of the same language and collections. With the calibration that comes with Lotse it
  is somewhat harder: that was fitted on the operator's language, on other companies' articles.
- "other language": the same, but starting from a regression that was fitted on the OTHER language. Lotse never
  does that; this says why.

How to read it: wrong counts answers only, whose first article is not a right one; an unanswerable question that is
answered counts as wrong. "pooled" is all wrong ones over all answers of all splits, "mean" the mean of the splits'
shares (a split without any answer counts as 0), "above" the share of the splits in which the measured share was above
the promise. "right" is right answers among the answerable questions. Beside it, at no more than the same pooled share
of wrong answers, thresholds chosen in hindsight on the very questions they are counted on, which flatters them.

--work keeps the trial database and what was found for the questions; without it they are made anew (minutes).
"""

import argparse
import json
import pickle
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from kb_index.confidence import Fitted, Judge
from kb_index.embedder import load_embedder
from kb_index.evaluation import read_questions
from kb_index.fitting import Sample, fit, probabilities, shifted, table
from kb_index.fusion import SIGNALS
from kb_index.pretended import pretended_samples
from kb_index.trial import open_trial, relabelled

LANGUAGES = ("de", "en")
RISKS = (0.05, 0.10)
ASSURANCES = (0.5, 0.9, 0.95)
FIXED = (0.5, 0.7)
FEWEST = 10  # answers below which no threshold in hindsight is believed
WIDE = 150
out, err = Console(width=WIDE), Console(stderr=True)
Numbers = NDArray[np.float64]
Truth = NDArray[np.bool_]
Row = dict[str, Any]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--splits", type=int, default=50)
    parser.add_argument("--json", type=Path, help="write every figure")
    parser.add_argument("--work", type=Path, help="keep articles and what was found here for the next run")
    parser.add_argument("--language", action="append", choices=LANGUAGES)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        material = read_material(arguments.data, arguments.work or Path(passing))
    results: Row = {"date": datetime.now(UTC).date().isoformat(), "splits": arguments.splits, "model": material.model}
    for language in arguments.language or LANGUAGES:
        results[language] = measure(material, language, arguments.splits)
        show(language, results[language], arguments.splits)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


# --- data -------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Material:
    """What was found: for the questions (withheld ones included), and for those made from the articles."""

    model: str
    asked: Mapping[str, Sequence[Sample]]
    pretended: Mapping[str, Sequence[Sample]]


def read_material(data: Path, work: Path) -> Material:
    """From the folder where a run before left it, else by import and search."""
    kept = work / "risk_splits.pickle"
    embedder = load_embedder()
    if kept.exists():
        material = Material(**pickle.loads(kept.read_bytes()))  # noqa: S301 - our own file
        if material.model == embedder.name:
            return material
    work.mkdir(parents=True, exist_ok=True)
    err.print("importing and asking, once", style="dim")
    folders = [data / f"kb_{language}" for language in LANGUAGES]
    questions = read_questions([data / f"questions_{language}.jsonl" for language in LANGUAGES], answerable=True)
    questions += read_questions([data / f"unanswerable_{language}.jsonl" for language in LANGUAGES], answerable=False)
    with open_trial(folders, embedder, work) as trial:
        found = trial.samples(questions)
        pretended = {language: pretended_samples(trial.sessions, trial.embedder, language) for language in LANGUAGES}
    material = Material(embedder.name, {language: found[language] for language in LANGUAGES}, pretended)
    kept.write_bytes(pickle.dumps(vars(material)))
    return material


def split(samples: Sequence[Sample], seed: int) -> tuple[list[Sample], list[Sample]]:
    """Half of the articles with all their questions, and half of the unanswerable questions; and the others, without
    those made by taking an article away."""
    chance = np.random.default_rng(seed)
    mine: set[str] = set()
    for answerable in (True, False):
        names = sorted({s.group for s in samples if bool(s.gold) == answerable and not s.withheld})
        mine.update(chance.permutation(names)[: len(names) // 2].tolist())
    return [s for s in samples if s.group in mine], [s for s in samples if s.group not in mine and not s.withheld]


# --- judging ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Count:
    """Answers of one calibration to some questions. shares: of the answers, of all, of the answerable."""

    asked: int
    answerable: int
    answered: int
    right: int

    @property
    def wrong(self) -> float:
        return (self.answered - self.right) / self.answered if self.answered else 0.0


def counts(fitted: Fitted, samples: Sequence[Sample]) -> Iterator[tuple[float, float, Count]]:
    """(risk, assurance, what was answered). The same as KnowledgeBase does with what it found, all at once."""
    found = [s for s in samples if s.found.candidates]
    judged = table(found, fitted.weights)
    probability = probabilities(fitted.answers, judged.x)
    answerable = sum(bool(s.gold) for s in samples)
    for risk in RISKS:
        for assurance in ASSURANCES:
            limit = Judge(fitted, risk, assurance).thresholds.answer_from
            answered = np.zeros(len(found), bool) if limit is None else probability >= limit
            right = int((judged.right & answered).sum())
            yield risk, assurance, Count(len(samples), answerable, int(answered.sum()), right)


def measure(material: Material, language: str, splits: int) -> Row:
    """All calibrations over all splits, and thresholds on single signals."""
    samples = material.asked[language]
    real = [s for s in samples if not s.withheld]
    other = next(name for name in LANGUAGES if name != language)
    prior = relabelled(fit(material.asked[other], "other language", other, material.model), language)
    made = material.pretended[language]
    of_articles = fit(made, "articles", language, material.model)
    far = shifted(made, prior, "articles", language, source="articles")
    by_setting: dict[tuple[str, float, float], list[Count]] = {}
    started = time.perf_counter()
    for seed in range(splits):
        training, test = split(samples, seed)
        of_questions = fit(training, "half", language, material.model)
        near = shifted(made, of_questions, "articles", language, source="articles")
        judged = {"questions": of_questions, "articles": of_articles, "same language": near, "other language": far}
        for source, fitted in judged.items():
            for risk, assurance, count in counts(fitted, test):
                by_setting.setdefault((source, risk, assurance), []).append(count)
        err.print(f"{language}: {seed + 1} of {splits}, {time.perf_counter() - started:.0f} s", style="dim")
    rows = [summary(*setting, found, real) for setting, found in by_setting.items()]
    whole = [
        {"risk": risk, "assurance": assurance, **shares(count)} for risk, assurance, count in counts(of_articles, real)
    ]
    return {"rows": rows, "articles_on_all": whole, "fixed": [fixed(real, limit) for limit in FIXED]}


def shares(count: Count) -> Row:
    return {
        "answers": count.answered,
        "wrong": count.wrong,
        "right": count.right / max(count.answerable, 1),
        "answered": count.answered / max(count.asked, 1),
    }


def summary(source: str, risk: float, assurance: float, found: Sequence[Count], real: Sequence[Sample]) -> Row:
    """One line over all splits, with what single signals reach at the same share of wrong answers."""
    wrong = np.array([count.wrong for count in found])
    answered = sum(count.answered for count in found)
    pooled = 1 - sum(count.right for count in found) / answered if answered else 0.0
    single = {name: hindsight(real, name, pooled) for name in SIGNALS[:6]}
    best = max(single, key=lambda name: single[name])
    return {
        "source": source,
        "risk": risk,
        "assurance": assurance,
        "wrong_mean": float(wrong.mean()),
        "wrong_pooled": pooled,
        "wrong_q95": float(np.quantile(wrong, 0.95)),
        "above": float((wrong > risk).mean()),
        "no_answer": float(np.mean([count.answered == 0 for count in found])),
        "answers": answered / len(found),
        "right": float(np.mean([count.right / count.answerable for count in found])),
        "answered": float(np.mean([count.answered / count.asked for count in found])),
        "cosine_right": single["cosine"],
        "best_signal": best,
        "best_signal_right": single[best],
    }


# --- single signals ---------------------------------------------------------------------------------------------------
def alone(samples: Sequence[Sample], name: str) -> tuple[Numbers, Truth]:
    """By question: the best article's score in one signal, and whether that article answers."""
    place = SIGNALS.index(name)
    first = [(s, int(s.found.matrix[:, place].argmax())) for s in samples if s.found.candidates]
    score = np.array([s.found.matrix[i, place] for s, i in first])
    return score, np.array([s.found.candidates[i].article_id in s.gold for s, i in first])


def hindsight(samples: Sequence[Sample], name: str, wrong: float) -> float:
    """Right answers among the answerable questions with the lowest threshold that keeps this share of wrong ones."""
    score, right = alone(samples, name)
    order = np.argsort(-score, kind="stable")
    number = np.arange(1, len(order) + 1)
    hits = np.cumsum(right[order])
    kept = np.flatnonzero((1 - hits / number <= wrong + 1e-9) & (number >= FEWEST))
    answerable = sum(bool(s.gold) for s in samples)
    return float(hits[kept.max()] / answerable) if len(kept) else 0.0


def fixed(samples: Sequence[Sample], limit: float) -> Row:
    """What a fixed threshold on the cosine does."""
    score, right = alone(samples, "cosine")
    answered = score >= limit
    count = Count(len(samples), sum(bool(s.gold) for s in samples), int(answered.sum()), int((right & answered).sum()))
    return {"threshold": limit, **shares(count)}


# --- showing ----------------------------------------------------------------------------------------------------------
def show(language: str, found: Row, splits: int) -> None:
    """Print the tables of one language."""
    percent: Callable[[float], str] = "{:.1%}".format
    title = f"{language}: wrong answers over {splits} splits by article; right answers of answerable questions"
    columns = (
        *("calibrated on", "risk", "assurance", "pooled", "mean", "95 % of splits", "above"),
        *("right", "answered", "answers", "cosine, hindsight", "best signal, hindsight"),
    )
    lines = Table(*columns, title=title)
    for row in found["rows"]:
        shown = [percent(row[key]) for key in ("wrong_pooled", "wrong_mean", "wrong_q95", "above", "right", "answered")]
        best = f"{row['best_signal']} {percent(row['best_signal_right'])}"
        setting = (row["source"], f"{row['risk']:g}", f"{row['assurance']:g}")
        lines.add_row(*setting, *shown, f"{row['answers']:.0f}", percent(row["cosine_right"]), best)
    out.print(lines)
    for row in found["articles_on_all"]:
        setting = f"risk {row['risk']:g}, assurance {row['assurance']:g}"
        out.print(f"  articles alone, all questions, {setting}: {told(row)}", highlight=False)
    for row in found["fixed"]:
        out.print(f"  cosine from {row['threshold']:g}: {told(row)}", highlight=False)


def told(row: Row) -> str:
    return (
        f"{row['answers']} answers, {row['wrong']:.1%} wrong, {row['right']:.1%} of the answerable right, "
        f"{row['answered']:.1%} answered"
    )


if __name__ == "__main__":
    main()
