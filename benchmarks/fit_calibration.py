"""Fits the confidence on a knowledge base with questions, prints what it keeps, and writes the calibration.

    python benchmarks/fit_calibration.py DATA [--out kb_index/calibrations/default.json] [--database FILE]

DATA holds kb_<language>/, questions_<language>.jsonl and unanswerable_<language>.jsonl.
"""

import argparse
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from import_folder import create_tables
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from bot.db import open_database
from kb_index.articles import import_folder
from kb_index.confidence import Fitted
from kb_index.embedder import load_embedder
from kb_index.fitting import Sample, fit
from kb_index.models import Article
from kb_index.search import KnowledgeBase


def main() -> None:
    """Import, fit each language, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--database", type=Path, help="keep the imported knowledge here for the next run")
    parser.add_argument("--language", action="append", choices=["de", "en"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        database = arguments.database or Path(work) / "knowledge.db"
        fitted = [fit_language(arguments.data, database, language) for language in arguments.language or ["de", "en"]]
    for one in fitted:
        print_fitted(one)
    if arguments.out:
        data = {"languages": {one.language: one.to_json() for one in fitted}}
        arguments.out.write_text(json.dumps(data, indent=1) + "\n", "utf-8")


def fit_language(data: Path, database: Path, language: str) -> Fitted:
    """The calibration of one language."""
    embedder = load_embedder()
    url = f"sqlite:///{database}"
    create_tables(url)
    sessions = open_database(url)
    import_folder(sessions, embedder, data / f"kb_{language}")
    knowledge = KnowledgeBase(sessions, embedder, database.parent / "fit-cache")
    ids = article_ids(sessions, language)
    rows = read_lines(data / f"questions_{language}.jsonl") + read_lines(data / f"unanswerable_{language}.jsonl")
    samples = [sample_of(knowledge, row, language, ids) for row in rows]
    sessions.close()
    return fit(samples, f"helpdesk-data {datetime.now(UTC).date()}", language, embedder.name)


def sample_of(knowledge: KnowledgeBase, row: dict[str, Any], language: str, ids: dict[str, int]) -> Sample:
    """One line of a question file. Questions of the same article stay together."""
    gold = frozenset(ids[slug] for slug in row["answer_article_ids"] if slug in ids)
    group = min(row["answer_article_ids"], default=row["id"])
    return Sample(knowledge.found(row["question"], language), gold, group, row["kind"])


def article_ids(sessions: sessionmaker[Session], language: str) -> dict[str, int]:
    """Ids by slug."""
    with sessions() as session:
        found = session.execute(select(Article.slug, Article.id).where(Article.language == language))
        return {row.slug: row.id for row in found}


def read_lines(path: Path) -> list[dict[str, Any]]:
    """A JSON-lines file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def print_fitted(one: Fitted) -> None:
    """What was measured out of fold."""
    print(f"\n{one.language}: {one.sample_size} questions, model {one.model}")
    print("  weights", {name: round(weight, 3) for name, weight in one.weights.items()})
    print("  measured", json.dumps(one.measured))
    print("  max wrong | answer from | answered | wrong | ask from | asked back")
    for risk, limits in one.thresholds.items():
        cells = (limits.answer_from, limits.answered, limits.wrong, limits.ask_from, limits.asked_back)
        print(f"  {risk:>9} | " + " | ".join("none" if c is None else f"{c:.3f}" for c in cells))


if __name__ == "__main__":
    main()
