"""Questions in one language, answered by articles in the other: what the word glossaries are worth.

    python benchmarks/crosslingual.py --data FOLDER [--json OUT] [--vectors FILE] [--folds 5]

FOLDER holds kb_en/, kb_de/ and crosslingual.jsonl. Each question is searched among all articles of the other language,
with the signals of kb_index/shelves.py and their default weights: as it was asked, and translated word by word by the
glossary that comes with Lotse, by one learned from pairs of articles, and by both. A learned glossary never saw the
question's own article: pairs are dealt into folds, and a question is translated with what the other folds teach
("held out": the honest numbers). "all pairs" is what a knowledge base reaches on pages that have a counterpart.

Read before its use: many of these questions are titles of articles, and a title is the first segment of its pair. That
is why the folds matter. --vectors keeps the vectors of the passages between runs.
"""

import argparse
import json
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from kb_index.alignment import Segment, align_articles
from kb_index.embedder import load_embedder
from kb_index.fusion import fuse
from kb_index.glossary import Glossary
from kb_index.glossary_learning import glossary_of
from kb_index.passages import PassageText, split_passages
from kb_index.port import Embedder, Vectors
from kb_index.readers import Document, read_documents
from kb_index.shelves import Shelf, ShelfName
from kb_index.shipped_glossary import shipped_glossary
from kb_index.vectors import VectorIndex
from kb_index.words import Written

OTHER = {"de": "en", "en": "de"}
SEED = 7
ALL = -1  # the fold of those without a counterpart: nothing has to be left out for them
HOWS = ("as asked", "shipped", "learned, held out", "both, held out", "both, all pairs")
out, err = Console(width=120), Console(stderr=True)


@dataclass(frozen=True)
class Question:
    """gold: slugs of the articles that answer; fold: the one its glossary must not have seen."""

    text: str
    language: str
    gold: frozenset[str]
    fold: int

    @property
    def group(self) -> tuple[str, bool]:
        return self.language, self.fold != ALL


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with kb_en, kb_de and crosslingual.jsonl")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--vectors", type=Path, help="file that keeps the passages' vectors")
    parser.add_argument("--folds", type=int, default=5)
    arguments = parser.parse_args()
    if not (arguments.data / "crosslingual.jsonl").exists():
        sys.exit(f"{arguments.data} holds no crosslingual.jsonl. The questions are not part of the repository.")
    articles = read_articles(arguments.data)
    folds = deal(articles, arguments.folds)
    questions = list(read_questions(arguments.data / "crosslingual.jsonl", folds))
    embedder = load_embedder()
    shelves = fill_shelves(articles, embedder, arguments.vectors)
    ranks = measure(questions, glossaries(articles, folds, arguments.folds), shelves, embedder)
    show(figures(questions, ranks), arguments.json, embedder.name)


# --- data -------------------------------------------------------------------------------------------------------------
def read_articles(folder: Path) -> dict[str, Document]:
    """All articles by slug."""
    files = sorted(file for name in ("kb_en", "kb_de") for file in (folder / name).glob("*.md"))
    return {d.slug: d for file in files for d in read_documents(file, file.read_bytes())}


def deal(articles: Mapping[str, Document], count: int) -> dict[str, int]:
    """The fold of each article that has a counterpart: the same for both."""
    pairs = sorted({tuple(sorted((slug, other))) for slug, d in articles.items() for other in d.parallel})
    random.Random(SEED).shuffle(pairs)
    folds: dict[str, int] = {}
    for number, pair in enumerate(pairs):
        fold = next((folds[slug] for slug in pair if slug in folds), number % count)
        folds.update(dict.fromkeys(pair, fold))
    return folds


def read_questions(file: Path, folds: Mapping[str, int]) -> Iterator[Question]:
    """The questions; one whose articles are in several folds would not be held out, and is an error."""
    for line in file.read_text("utf-8").splitlines():
        row = json.loads(line)
        names = {*row["answer_article_ids"], *row["same_language_article_ids"]}
        of = {folds[slug] for slug in names if slug in folds}
        assert len(of) < 2, f"{row['id']} has articles in several folds"
        yield Question(row["question"], row["lang"], frozenset(row["answer_article_ids"]), of.pop() if of else ALL)


# --- glossaries -------------------------------------------------------------------------------------------------------
def glossaries(
    articles: Mapping[str, Document], folds: Mapping[str, int], count: int
) -> dict[tuple[str, int], Glossary]:
    """The learned glossaries by source language and the fold that was left out."""
    segments: dict[str, list[tuple[int, Segment]]] = {"de": [], "en": []}
    for slug in sorted(folds):
        one = articles[slug]
        for other in (articles[name] for name in one.parallel if name in articles):
            found = align_articles((one.title, one.body), (other.title, other.body))
            segments[one.language] += [(folds[slug], segment) for segment in found]
    return {
        (source, left_out): glossary_of((s for fold, s in found if fold != left_out), source, OTHER[source])
        for source, found in segments.items()
        for left_out in (*range(count), ALL)
    }


def translated(question: Question, how: str, learned: Mapping[tuple[str, int], Glossary]) -> str:
    """What is searched."""
    source = question.language
    shipped = shipped_glossary(source, OTHER[source])
    by_how = {
        "as asked": Glossary(source, OTHER[source]),
        "shipped": shipped,
        "learned, held out": learned[source, question.fold],
        "both, held out": learned[source, question.fold].over(shipped),
        "both, all pairs": learned[source, ALL].over(shipped),
    }
    return question.text if how == "as asked" else by_how[how].translate(question.text)


# --- search -----------------------------------------------------------------------------------------------------------
class Searched:
    """The articles of one language, to be searched."""

    def __init__(self, language: str, dimension: int) -> None:
        self.shelf = Shelf(ShelfName(language, "everyone"), VectorIndex(dimension))
        self.slugs: list[str] = []

    def fill(self, passages: Sequence[tuple[str, PassageText]], vectors: Vectors) -> None:
        self.slugs = sorted({slug for slug, _ in passages})
        numbers = {slug: number for number, slug in enumerate(self.slugs)}
        written = [
            Written(at, numbers[slug], passage.title, passage.heading, passage.plain)
            for at, (slug, passage) in enumerate(passages)
        ]
        self.shelf.vectors.put(range(len(written)), vectors)
        self.shelf.change(written, (), {})

    def rank(self, text: str, vector: Vectors, gold: frozenset[str]) -> float:
        """The place of the first article that answers, from 1; infinity when none is found."""
        ranked = fuse(self.shelf.find(text, vector))
        places = (place for place, r in enumerate(ranked, 1) if self.slugs[r.candidate.article_id] in gold)
        return next(places, float("inf"))


def fill_shelves(articles: Mapping[str, Document], embedder: Embedder, kept: Path | None) -> dict[str, Searched]:
    """Both languages, embedded."""
    passages: dict[str, list[tuple[str, PassageText]]] = {"de": [], "en": []}
    for slug, d in articles.items():
        passages[d.language] += [(slug, p) for p in split_passages(d.title, d.body, d.language)]
    vectors = embedded([p for some in passages.values() for _, p in some], embedder, kept)
    found = {language: Searched(language, embedder.dimension) for language in passages}
    for language, some in passages.items():
        found[language].fill(some, np.stack([vectors[p.content_hash] for _, p in some]))
    return found


def embedded(passages: Sequence[PassageText], embedder: Embedder, kept: Path | None) -> dict[str, Vectors]:
    """Vectors by content hash; those in the file are not made again."""
    known: dict[str, Vectors] = {}
    if kept and kept.exists():
        with np.load(kept) as file:
            known = dict(zip(file["hashes"], file["vectors"], strict=True)) if file["model"] == embedder.name else {}
    fresh = {p.content_hash: p.embedded for p in passages if p.content_hash not in known}
    err.print(f"{len(fresh)} of {len(passages)} passages are to be embedded", style="dim")
    known |= dict(zip(fresh, embedder.embed_passages(list(fresh.values())), strict=True))
    if kept and fresh:
        np.savez(kept, model=embedder.name, hashes=np.array(list(known)), vectors=np.stack(list(known.values())))
    return known


def measure(
    questions: Sequence[Question],
    learned: Mapping[tuple[str, int], Glossary],
    shelves: Mapping[str, Searched],
    embedder: Embedder,
) -> dict[str, list[float]]:
    """The place of the right article by way of translating, for each question."""
    ranks: dict[str, list[float]] = {}
    for how in HOWS:
        texts = [translated(question, how, learned) for question in questions]
        vectors = embedder.embed_passages(texts)
        ranks[how] = [
            shelves[OTHER[q.language]].rank(text, vector, q.gold)
            for q, text, vector in zip(questions, texts, vectors, strict=True)
        ]
    return ranks


# --- figures ----------------------------------------------------------------------------------------------------------
def figures(questions: Sequence[Question], ranks: Mapping[str, Sequence[float]]) -> list[dict[str, object]]:
    """Recall by group and way of translating."""
    rows: list[dict[str, object]] = []
    for group in sorted({q.group for q in questions}):
        for how in HOWS:
            some = np.array([rank for q, rank in zip(questions, ranks[how], strict=True) if q.group == group])
            recall = {f"recall@{k}": round(float((some <= k).mean()), 3) for k in (1, 5)}
            rows.append({"language": group[0], "paired": group[1], "how": how, "questions": len(some), **recall})
    return rows


def show(rows: Sequence[Mapping[str, object]], file: Path | None, model: str) -> None:
    """Print a table, and write the same as JSON."""
    table = Table(title=f"question -> article in the other language, {model}")
    for name in ("question", "article's collection", "translated", "questions", "recall@1", "recall@5"):
        table.add_column(name)
    for row in rows:
        direction = f"{row['language']} -> {OTHER[str(row['language'])]}"
        paired = "has pairs" if row["paired"] else "has none"
        table.add_row(direction, paired, *(str(row[name]) for name in ("how", "questions", "recall@1", "recall@5")))
    out.print(table)
    if file:
        file.write_text(json.dumps({"model": model, "figures": rows}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
