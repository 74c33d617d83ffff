"""Questions about paragraphs: XQuAD in German and English, and what SQuAD 2 says nothing answers.

    python benchmarks/reading.py --data FOLDER [--json OUT]

FOLDER/reading holds xquad_<language>_{contexts,questions}.jsonl and squad2_en_{contexts,questions}.jsonl. Each context
is imported as an article of its own under the title of its Wikipedia page (five contexts share a title), each question
is asked through `KnowledgeBase.found`. Weights: those of the shipped calibration, which were learned on helpdesk
articles; the default ones, the same for both languages; and those learned here, by cross-validation over the contexts.

XQuAD asks the same questions in both languages, so the difference is what German costs.

The unanswerable questions of SQuAD 2 were written to look as if their paragraph answered them: a paragraph about the
matter is there, and no search can see that a fact is missing in it. AUROC near 0.5 is to be expected.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sklearn.model_selection import GroupKFold
from sqlalchemy import select

from kb_index.choice import Choices
from kb_index.confidence import shipped_calibration
from kb_index.embedder import load_embedder
from kb_index.fitting import Sample, auroc, out_of_fold, probabilities, table, with_withheld
from kb_index.fusion import DEFAULT_WEIGHTS, Weights, fuse
from kb_index.models import Article
from kb_index.port import Embedder
from kb_index.trial import open_trial

SETS = ("xquad_de", "xquad_en", "squad2_en")
GOALS = {"xquad_de": 0.93, "xquad_en": 0.955}
FOLDS = 5
out = Console(width=120)
Truth = NDArray[np.bool_]
Row = dict[str, Any]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    embedder = load_embedder()
    samples = {name: asked(arguments.data / "reading", name, embedder) for name in SETS}
    shipped = {one.language: one for one in shipped_calibration() if one.model == embedder.name}
    figures: Row = {"model": embedder.name, "recall": [], "penalty": {}}
    first: dict[tuple[str, str], Truth] = {}
    for name in SETS:
        language = name.rpartition("_")[2]
        fixed = {"default": DEFAULT_WEIGHTS}
        if language in shipped:
            fixed = {"helpdesk (shipped)": shipped[language].weights, **fixed}
        answerable = [s for s in samples[name] if s.gold]
        found = {how: places(answerable, weights) for how, weights in fixed.items()}
        found["own, cross-validated"] = cross_validated(answerable)
        for how, place in found.items():
            first[name, how] = place == 0
            recalls = {f"recall@{k}": float((place < k).mean()) for k in (1, 3)}
            figures["recall"].append({"set": name, "weights": how, "questions": len(place), **recalls})
    for how in {how for _, how in first}:
        if ("xquad_de", how) in first and ("xquad_en", how) in first:
            figures["penalty"][how] = penalty(first["xquad_de", how], first["xquad_en", how])
    figures["unanswerable"] = told_apart(samples["squad2_en"], shipped)
    show(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


# --- asking -----------------------------------------------------------------------------------------------------------
def asked(data: Path, name: str, embedder: Embedder) -> list[Sample]:
    """A sample for each question, in their order. group: its context."""
    contexts, questions = (read_lines(data / f"{name}_{what}.jsonl") for what in ("contexts", "questions"))
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "articles"
        folder.mkdir()
        for row in contexts:
            title = json.dumps(row["title"].replace("_", " "), ensure_ascii=False)
            head = f"id: {row['context_id']}\ntitle: {title}\nlang: {row['lang']}"
            (folder / f"{row['context_id']}.md").write_text(f"---\n{head}\n---\n{row['context']}\n", "utf-8")
        with open_trial([folder], embedder, Path(work)) as trial:
            with trial.sessions() as session:
                ids = {row.slug: row.id for row in session.execute(select(Article.slug, Article.id))}
            knowledge = trial.knowledge()
            return [
                Sample(
                    knowledge.found(row["question"], row["lang"]),
                    frozenset([ids[row["context_id"]]]) if row["answerable"] else frozenset(),
                    row["context_id"],
                    "answerable" if row["answerable"] else "near",
                )
                for row in questions
            ]


def read_lines(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


# --- counting ---------------------------------------------------------------------------------------------------------
def places(samples: Sequence[Sample], weights: Weights) -> NDArray[np.int_]:
    """The place of the right article, from 0; large when it is not found."""
    ranked = ([r.candidate.article_id in s.gold for r in fuse(s.found, weights)] for s in samples)
    return np.array([right.index(True) if True in right else 10**6 for right in ranked])


def cross_validated(samples: Sequence[Sample]) -> NDArray[np.int_]:
    """The same with weights learned from the questions about other contexts."""
    choices = Choices([(s.found, s.gold) for s in samples])
    groups = [s.group for s in samples]
    found = np.zeros(len(samples), int)
    for train, test in GroupKFold(FOLDS, shuffle=True, random_state=0).split(groups, groups=groups):
        found[test] = places([samples[i] for i in test], choices.fit(train))
    return found


def penalty(german: Truth, english: Truth) -> Row:
    """What German costs on the same questions, in points, with the standard error of a paired difference."""
    difference = english.astype(float) - german.astype(float)
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    return {
        "points": 100 * float(difference.mean()),
        "standard_error": 100 * float(error),
        "only_english": int((difference > 0).sum()),
        "only_german": int((difference < 0).sum()),
    }


def told_apart(samples: Sequence[Sample], shipped: Mapping[str, Any]) -> Row:
    """AUROC of answerable against unanswerable by the probability that the first article answers."""
    gold = np.array([bool(s.gold) for s in samples])
    found: Row = {"answerable": int(gold.sum()), "unanswerable": int((~gold).sum())}
    if "en" in shipped:
        judged = table(samples, shipped["en"].weights)
        found["auroc_shipped"] = auroc(gold, probabilities(shipped["en"].answers, judged.x))
    everything = with_withheld(samples)
    found["auroc_own_out_of_fold"] = auroc(gold, out_of_fold(everything).answer[: len(samples)])
    return found


def show(figures: Row) -> None:
    lines = Table("set", "weights", "questions", "recall@1", "recall@3", "goal of recall@1")
    for row in figures["recall"]:
        goal = GOALS.get(row["set"])
        recalls = (f"{row[key]:.3f}" for key in ("recall@1", "recall@3"))
        lines.add_row(row["set"], row["weights"], str(row["questions"]), *recalls, f"{goal:g}" if goal else "")
    out.print(lines)
    for how, row in figures["penalty"].items():
        out.print(
            f"German against English, {how}: {row['points']:.1f} points (standard error {row['standard_error']:.1f}); "
            f"only in English {row['only_english']}, only in German {row['only_german']}",
            highlight=False,
        )
    row = figures["unanswerable"]
    out.print(
        f"SQuAD 2, {row['answerable']} answerable and {row['unanswerable']} near misses: AUROC "
        f"{row.get('auroc_shipped')} shipped, {row['auroc_own_out_of_fold']} own, out of fold",
        highlight=False,
    )


if __name__ == "__main__":
    main()
