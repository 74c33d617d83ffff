"""What past questions are worth: CLINC150 as a knowledge base of titles, and 0, 3, 10, 25 past questions an article.

    python benchmarks/past_questions.py --data FOLDER [--json OUT] [--seeds 3] [--work FOLDER] [--choose-weights]

FOLDER/intents holds clinc150.jsonl (and banking77.jsonl, hwu64.jsonl). One article for each intent: its title is the
intent's name in words, its body the title again. Past questions are drawn from the training split and learned through
`kb_index.learning`, the validation split is asked through `KnowledgeBase.found`. recall@1 counts questions in scope.

Coverage: the questions about half of the articles and half of those out of scope calibrate (`kb_index.fitting.fit`),
the others are judged with the threshold for 5 % wrong at an assurance of 0.5 and 0.9. "shipped": with the calibration
that comes with Lotse, which knows nothing of past questions, judged on the same half.

Uneven: only some articles learn, ten questions each. What they gain must not cost the others, which learned nothing.

--choose-weights looks for the weights of the signals `asked` and `head` instead, on BANKING77 and HWU64 as knowledge
bases of the same form, where all articles or a third of them learn, and never on CLINC150; all other weights as they
are in kb_index/fusion.py.
"""

import argparse
import json
import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sqlalchemy import delete, select

from kb_index.choice import Choices
from kb_index.confidence import Fitted, Judge, shipped_calibration
from kb_index.embedder import load_embedder
from kb_index.fitting import Sample, fit, probabilities, table
from kb_index.fusion import DEFAULT_WEIGHTS, Weights, vector_of
from kb_index.learning import embed_waiting_questions, learn_question
from kb_index.models import Article, Origin, PastQuestion
from kb_index.port import Embedder, Vectors
from kb_index.search import KnowledgeBase
from kb_index.trial import Trial, open_trial

SIZES = (0, 3, 10, 25)
GOALS = {0: 0.70, 3: 0.86, 10: 0.92, 25: 0.94}
OUT_OF_SCOPE = "oos"
RISK = 0.05
ASSURANCES = (0.5, 0.9)
UNEVEN = (5, 50)  # articles that learn while the others do not
UNEVEN_SIZE = 10
TESTED = 10  # questions an intent where the set has no split of its own
GRID = (0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 16.0, 20.0)
out, err = Console(width=130), Console(stderr=True)
Row = dict[str, Any]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--work", type=Path, help="keep the vectors here for the next run")
    parser.add_argument("--choose-weights", action="store_true")
    arguments = parser.parse_args()
    figures = choose_weights(arguments) if arguments.choose_weights else measure(arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


# --- data -------------------------------------------------------------------------------------------------------------
class Known:
    """An embedder that has embedded many texts at once before."""

    def __init__(self, embedder: Embedder, vectors: Mapping[str, Vectors]) -> None:
        self.name, self.dimension, self.embed_passages = embedder.name, embedder.dimension, embedder.embed_passages
        self._embedder, self._vectors = embedder, vectors

    def embed_question(self, text: str) -> Vectors:
        known = self._vectors.get(text)
        return self._embedder.embed_question(text) if known is None else known


def read_set(data: Path, name: str) -> list[Row]:
    """The lines of an intent set."""
    return [json.loads(line) for line in (data / "intents" / f"{name}.jsonl").read_text("utf-8").splitlines()]


def embedder_for(rows: Sequence[Row], name: str, work: Path | None) -> Embedder:
    """The shipped embedder, with all these texts embedded in batches."""
    embedder = load_embedder()
    texts = list(dict.fromkeys(row["text"] for row in rows))
    kept = work / f"{name}.npz" if work else None
    if kept and kept.exists():
        with np.load(kept) as file:
            vectors = file["vectors"]
    else:
        err.print(f"embedding {len(texts)} texts of {name}", style="dim")
        vectors = embedder.embed_passages(texts)
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.savez(kept, vectors=vectors)
    return Known(embedder, dict(zip(texts, vectors, strict=True)))


@dataclass(frozen=True)
class Intents:
    """A set as a knowledge base. past: by intent more than enough in random order; asked: (text, intent)."""

    past: Mapping[str, Sequence[str]]
    asked: Sequence[tuple[str, str]]


def dealt(rows: Sequence[Row], seed: int) -> Intents:
    """Past questions and questions to ask, which differ; the latter are the same for every seed where there is a
    split of its own."""
    chance = random.Random(seed)
    has_split = any(row["split"] != "train" for row in rows)
    past: dict[str, list[str]] = {}
    for row in rows:
        if row["intent"] != OUT_OF_SCOPE and row["split"] == "train":
            past.setdefault(row["intent"], []).append(row["text"])
    for texts in past.values():
        chance.shuffle(texts)
    if has_split:
        asked = [(row["text"], row["intent"]) for row in rows if row["split"] != "train"]
        asked += [(r["text"], r["intent"]) for r in rows if r["split"] == "train" and r["intent"] == OUT_OF_SCOPE]
    else:
        asked = [(text, intent) for intent, texts in past.items() for text in texts[-TESTED:]]
        past = {intent: texts[:-TESTED] for intent, texts in past.items()}
    return Intents(past, asked)


def title_of(intent: str) -> str:
    return intent.replace("_", " ").replace("/", " ").strip().capitalize()


# --- the product ------------------------------------------------------------------------------------------------------
class Base:
    """A knowledge base of titles, which learns."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        with trial.sessions() as session:
            rows = session.execute(select(Article.title, Article.id))
            self.ids = {row.title: row.id for row in rows}
        self.learned: Counter[str] = Counter()
        self.refused = 0

    def forget(self) -> None:
        with self.trial.sessions.begin() as session:
            session.execute(delete(PastQuestion))
        self.learned.clear()

    def learn(self, past: Mapping[str, Sequence[str]], size: int) -> KnowledgeBase:
        """Up to so many past questions an article, as an agent's answers would teach them."""
        with self.trial.sessions.begin() as session:
            for intent, texts in past.items():
                for text in texts[self.learned[intent] : size]:
                    row = learn_question(session, self.ids[title_of(intent)], text, "en", Origin.AGENT)
                    self.refused += row is None
                self.learned[intent] = max(self.learned[intent], size)
        embed_waiting_questions(self.trial.sessions, self.trial.embedder)
        return self.trial.knowledge()

    def samples(self, knowledge: KnowledgeBase, asked: Sequence[tuple[str, str]]) -> list[Sample]:
        """What is found for each question. group: its article."""
        return [self._sample(knowledge, number, *one) for number, one in enumerate(asked)]

    def _sample(self, knowledge: KnowledgeBase, number: int, text: str, intent: str) -> Sample:
        right = self.ids[title_of(intent)] if intent != OUT_OF_SCOPE else None
        gold = frozenset() if right is None else frozenset([right])
        return Sample(knowledge.found(text, "en"), gold, str(right or f"oos-{number}"), "intent" if gold else "far")


def base_of(rows: Sequence[Row], embedder: Embedder, work: Path) -> Base:
    """Import one article an intent."""
    folder = work / "articles"
    folder.mkdir()
    for intent in sorted({row["intent"] for row in rows} - {OUT_OF_SCOPE}):
        title = title_of(intent)
        name = intent.replace("/", "-")
        (folder / f"{name}.md").write_text(f"---\ntitle: {json.dumps(title)}\nlang: en\n---\n{title}\n", "utf-8")
    return Base(open_trial([folder], embedder, work))


def recall(samples: Sequence[Sample], weights: Weights) -> float:
    """The share of the answerable whose article is first."""
    return float(np.mean([chance_of(s, weights)[1] for s in samples if s.gold]))


def chance_of(sample: Sample, weights: Weights) -> tuple[float, bool]:
    """The right article's share of the match, and whether it is first: as `fuse` has it, without making a list."""
    right = np.isin(sample.found.articles, list(sample.gold))
    scores = sample.found.matrix @ vector_of(weights)
    shares = np.exp(scores - scores.max())
    return float(shares[right].sum() / shares.sum()), bool(right[scores.argmax()])


# --- CLINC150 ---------------------------------------------------------------------------------------------------------
def measure(arguments: argparse.Namespace) -> Row:
    """recall@1 by size over the seeds; coverage with the first seed."""
    rows = read_set(arguments.data, "clinc150")
    embedder = embedder_for(rows, "clinc150", arguments.work)
    recalls: dict[int, list[float]] = {}
    coverage: list[Row] = []
    with tempfile.TemporaryDirectory() as work:
        base = base_of(rows, embedder, Path(work))
        for seed in range(arguments.seeds):
            base.forget()
            intents = dealt(rows, seed)
            for size in SIZES:
                if size == 0 and seed:
                    continue
                samples = base.samples(base.learn(intents.past, size), intents.asked)
                recalls.setdefault(size, []).append(recall(samples, DEFAULT_WEIGHTS))
                err.print(f"seed {seed}, {size} past questions: recall@1 {recalls[size][-1]:.3f}", style="dim")
                if not seed:
                    coverage += list(covered(samples, size, embedder.name))
        refused = base.refused
        unequal = list(uneven(base, dealt(rows, 0)))
    show(recalls, coverage, unequal, refused)
    by_size = {size: {"mean": float(np.mean(r)), "by_seed": r, "goal": GOALS[size]} for size, r in recalls.items()}
    return {"model": embedder.name, "recall@1": by_size, "coverage": coverage, "uneven": unequal, "refused": refused}


def uneven(base: Base, intents: Intents) -> Iterator[Row]:
    """recall@1 of articles that learned and of the others, while some have ten past questions and the rest none."""
    asked = [one for one in intents.asked if one[1] != OUT_OF_SCOPE][::3]
    names = random.Random(0).sample(sorted(intents.past), len(intents.past))
    for some in UNEVEN:
        base.forget()
        learned = set(names[:some])
        past = {name: texts for name, texts in intents.past.items() if name in learned}
        samples = base.samples(base.learn(past, UNEVEN_SIZE), asked)
        for who, chosen in (("learned", True), ("others", False)):
            mine = [s for s, (_, intent) in zip(samples, asked, strict=True) if (intent in learned) == chosen]
            without = recall(mine, {**DEFAULT_WEIGHTS, "asked": 0.0, "head": 0.0})
            yield {"articles": some, "who": who, "before": without, "recall@1": recall(mine, DEFAULT_WEIGHTS)}


def covered(samples: Sequence[Sample], size: int, model: str) -> Iterator[Row]:
    """Answers at 5 % wrong on the half that did not calibrate."""
    mine: set[str] = set()
    for answerable in (True, False):
        names = sorted({s.group for s in samples if bool(s.gold) == answerable})
        mine.update(np.random.default_rng(0).permutation(names)[: len(names) // 2].tolist())
    own = fit([s for s in samples if s.group in mine], "half", "en", model)
    rest = [s for s in samples if s.group not in mine]
    shipped = [one for one in shipped_calibration() if one.language == "en" and one.model == model]
    for name, fitted in (("own", own), *(("shipped", one) for one in shipped)):
        for assurance in ASSURANCES:
            yield {"size": size, "calibration": name, "assurance": assurance, **answered(fitted, rest, assurance)}


def answered(fitted: Fitted, samples: Sequence[Sample], assurance: float) -> Row:
    """Shares. right: of the answerable questions; wrong: of the answers; out_of_scope: of those, answered."""
    judged = table(samples, fitted.weights)
    limit = Judge(fitted, RISK, assurance).thresholds.answer_from
    probability = probabilities(fitted.answers, judged.x)
    given = np.zeros(len(samples), bool) if limit is None else probability >= limit
    gold = np.array([bool(s.gold) for s in samples])
    right = judged.right & given
    return {
        "questions": int(gold.sum()),
        "right": float(right.sum() / gold.sum()),
        "wrong": float((given & ~judged.right).sum() / max(given.sum(), 1)),
        "out_of_scope_questions": int((~gold).sum()),
        "out_of_scope_answered": float(given[~gold].mean()),
        "answer_from": limit,
        "recall@1": float(judged.right[gold].mean()),
    }


def show(recalls: Mapping[int, Sequence[float]], coverage: Sequence[Row], unequal: Sequence[Row], refused: int) -> None:
    lines = Table("past questions", "recall@1", "by seed", "goal", title="CLINC150 as a knowledge base of 150 titles")
    for size, found in recalls.items():
        seeds = " ".join(f"{value:.3f}" for value in found)
        lines.add_row(str(size), f"{np.mean(found):.3f}", seeds, f"{GOALS[size]:.2f}")
    out.print(lines)
    out.print(f"{refused} past questions were refused: nothing with a topic is left of them.")
    columns = ("past questions", "calibration", "assurance", "recall@1", "right", "wrong", "out of scope answered")
    lines = Table(*columns, title="At most 5 % wrong, questions out of scope among them")
    for row in coverage:
        shown = (f"{row[key]:.1%}" for key in ("recall@1", "right", "wrong", "out_of_scope_answered"))
        lines.add_row(str(row["size"]), row["calibration"], f"{row['assurance']:g}", *shown)
    out.print(lines)
    lines = Table("articles that learned", "questions about", "recall@1 before", "recall@1", title="Uneven")
    for row in unequal:
        lines.add_row(str(row["articles"]), row["who"], f"{row['before']:.3f}", f"{row['recall@1']:.3f}")
    out.print(lines)


# --- weights ----------------------------------------------------------------------------------------------------------
def choose_weights(arguments: argparse.Namespace) -> Row:
    """recall@1 and mean log-likelihood by the weights of `asked` and `head`, on BANKING77 and HWU64."""
    found: dict[tuple[str, str], list[Sample]] = {}
    for name in ("banking77", "hwu64"):
        rows = read_set(arguments.data, name)
        embedder = embedder_for(rows, name, arguments.work)
        with tempfile.TemporaryDirectory() as work:
            base = base_of(rows, embedder, Path(work))
            intents = dealt(rows, 0)
            for size in (0, 1, *SIZES[1:]):
                found[name, str(size)] = base.samples(base.learn(intents.past, size), intents.asked)
                err.print(f"{name}, {size} past questions", style="dim")
            base.forget()
            third = random.Random(0).sample(sorted(intents.past), len(intents.past) // 3)
            some = base.learn({intent: intents.past[intent] for intent in third}, UNEVEN_SIZE)
            found[name, f"{UNEVEN_SIZE} for a third"] = base.samples(some, intents.asked)
    figures: Row = {"learned": {}, "grid": []}
    for (name, size), samples in found.items():
        learned = Choices([(s.found, s.gold) for s in samples]).fit(range(len(samples)))
        figures["learned"][f"{name} {size}"] = learned
        told = {key: round(value, 1) for key, value in learned.items()}
        out.print(f"{name}, {size} past questions, all weights learned: {told}", highlight=False)
    columns = [f"{name} {size}" for name, size in found]
    lines = Table("asked", "head", *columns, "mean", "log-likelihood", title="recall@1")
    for asked in GRID:
        for head in GRID:
            weights = {**DEFAULT_WEIGHTS, "asked": asked, "head": head}
            chances = [[chance_of(s, weights) for s in samples] for samples in found.values()]
            recalls = [float(np.mean([first for _, first in some])) for some in chances]
            likelihoods = [float(np.mean([np.log(max(chance, 1e-3)) for chance, _ in some])) for some in chances]
            row = {"asked": asked, "head": head, "recall@1": recalls, "log_likelihood": likelihoods}
            figures["grid"].append(row)
            shown = (f"{value:.3f}" for value in (*recalls, np.mean(recalls), np.mean(likelihoods)))
            lines.add_row(f"{asked:g}", f"{head:g}", *shown)
    out.print(lines)
    return figures


if __name__ == "__main__":
    main()
