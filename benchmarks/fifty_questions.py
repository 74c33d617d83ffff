"""Fifty real questions and twenty that nothing answers, through the whole of Lotse: what the employee saw.

    python benchmarks/fifty_questions.py --data FOLDER [--seed 7] [--json OUT] [--list]

FOLDER holds kb_en/, kb_de/, questions_<language>.jsonl and unanswerable_<language>.jsonl. 25 questions a language come
from the first kind, without `title-variant` (terse titles of machine translations, about 1 in 10 garbled); 5 near and 5
far ones per language from the second. Everything is asked twice, each time of a fresh database: once with a calibration
fitted anew without these questions and without any other question about their articles ("held out": the honest number),
once with the one that ships, which has seen them ("shipped"). Nothing may be tuned to the questions asked here.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from fit_calibration import article_ids, read_lines, sample_of
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sqlalchemy import select
from stack import KEPT, ROOT, Stack, running_stack, running_understanding, settings_for, understander_of

from bot.channels.port import Sender
from bot.db import open_database, upgrade
from bot.understanding import Understanding
from handoff.models import Kind
from kb_index.confidence import Fitted, store_calibration
from kb_index.embedder import load_embedder
from kb_index.fitting import fit
from kb_index.importing import import_folder
from kb_index.models import Article
from kb_index.port import Embedder
from kb_index.search import KnowledgeBase

LANGUAGES = ("de", "en")
ANSWERABLE, NEAR, FAR = 25, 5, 5  # per language
LEFT_OUT = {"title-variant"}
OUTCOMES = (
    "answered right",
    "answered wrong",
    "asked back: right one offered",
    "asked back: right one missing",
    "handed over",
    "pointed away",
    "small talk",
    "silence",
)
GROUPS = {"answerable": "has an answer", "near": "no answer, near", "far": "no answer, far"}
DATA_MISSING = """{folder} is not there, or not complete: kb_{language}/, questions_{language}.jsonl or
unanswerable_{language}.jsonl is missing. The questions are not part of the repository. Name the folder that holds them:

    python benchmarks/fifty_questions.py --data FOLDER"""
WIDE = 150
out, err = Console(width=WIDE), Console(stderr=True)


@dataclass(frozen=True)
class Question:
    """gold: slugs of the articles that answer, also in the other language; empty when none does."""

    id: str
    text: str
    language: str
    group: str
    kind: str
    gold: frozenset[str]


@dataclass(frozen=True)
class Seen:
    """What became of a question. shown: slugs that were answered with or offered."""

    question: Question
    outcome: str
    shown: tuple[str, ...]
    probability: float | None
    understander: str


def main() -> int:
    """Pick, import, fit, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("helpdesk-data"))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write every question with what became of it")
    parser.add_argument("--list", action="store_true", help="print every question")
    arguments = parser.parse_args()
    for language in LANGUAGES:
        if not is_complete(arguments.data, language):
            err.print(DATA_MISSING.format(folder=arguments.data, language=language), highlight=False)
            return 2
    questions = pick(arguments.data, arguments.seed)
    embedder = load_embedder()
    database = imported(arguments.data, embedder)
    held_out = fitted_without(questions, arguments.data, database, embedder)
    with running_understanding(settings_for(f"sqlite:///{database}", KEPT)) as understanding:
        results = {
            name: ask_all(questions, database, embedder, understanding, calibration)
            for name, calibration in {"held out": held_out, "shipped": None}.items()
        }
        who = understander_of(understanding)
    report(results, who, arguments.seed, everything=arguments.list)
    if arguments.json:
        arguments.json.write_text(json.dumps(as_json(results), indent=1, ensure_ascii=False) + "\n", "utf-8")
    return 0


def is_complete(data: Path, language: str) -> bool:
    files = (data / f"questions_{language}.jsonl", data / f"unanswerable_{language}.jsonl")
    return (data / f"kb_{language}").is_dir() and all(file.is_file() for file in files)


# --- the questions ----------------------------------------------------------------------------------------------------
def pick(data: Path, seed: int) -> list[Question]:
    """The questions of this seed."""
    chance = random.Random(seed)
    picked: list[Question] = []
    for language in LANGUAGES:
        answerable = [q for q in read_lines(data / f"questions_{language}.jsonl") if q["kind"] not in LEFT_OUT]
        without = read_lines(data / f"unanswerable_{language}.jsonl")
        near, far = ([q for q in without if q["kind"] == kind] for kind in ("near", "far"))
        for group, rows, number in (("answerable", answerable, ANSWERABLE), ("near", near, NEAR), ("far", far, FAR)):
            chosen = chance.sample(sorted(rows, key=lambda row: str(row["id"])), number)
            picked += [question_of(row, language, group) for row in chosen]
    return picked


def question_of(row: dict[str, Any], language: str, group: str) -> Question:
    gold = [*row.get("answer_article_ids", ()), *row.get("parallel_article_ids", ())]
    return Question(row["id"], row["question"], language, group, row["kind"], frozenset(gold))


# --- what is kept between runs ----------------------------------------------------------------------------------------
def imported(data: Path, embedder: Embedder) -> Path:
    """A database with both knowledge bases; kept, and found again by what the articles and the reading code say."""
    folders = [data / f"kb_{language}" for language in LANGUAGES]
    code = [ROOT / "kb_index" / name for name in ("readers.py", "markup.py", "passages.py", "models.py")]
    key = fingerprint([*code, *(file for folder in folders for file in sorted(folder.iterdir()))], embedder.name)
    database = KEPT / f"knowledge-{key}.db"
    if not database.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=KEPT) as work:
            filled = fill(Path(work) / "knowledge.db", folders, embedder)
            filled.replace(database)
    return database


def fill(database: Path, folders: Sequence[Path], embedder: Embedder) -> Path:
    url = f"sqlite:///{database}"
    upgrade(url)
    sessions = open_database(url)
    for folder in folders:
        with err.status(f"Importing {folder.name} ..."):
            report = import_folder(sessions, embedder, folder)
        err.print(f"{folder.name}: {report.added} articles in {report.seconds:.0f} s, failed {len(report.failed)}")
    with sessions.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")  # the file alone is moved
    sessions.close()
    return database


def fingerprint(files: Iterable[Path], *more: str) -> str:
    found = sha256("\n".join(more).encode())
    for file in files:
        found.update(file.name.encode() + sha256(file.read_bytes()).digest())
    return found.hexdigest()[:12]


def fitted_without(questions: Sequence[Question], data: Path, database: Path, embedder: Embedder) -> list[Fitted]:
    """A calibration per language that has seen none of these questions, nor others about their articles; kept too."""
    code = [ROOT / "kb_index" / name for name in ("fitting.py", "confidence.py", "fusion.py", "search.py", "words.py")]
    rows = [data / f"{kind}_{language}.jsonl" for kind in ("questions", "unanswerable") for language in LANGUAGES]
    asked = ",".join(sorted(question.id for question in questions))
    kept = KEPT / f"calibration-{fingerprint([*code, *rows], database.stem, asked)}.json"
    if not kept.exists():
        fitted = [fit_without(questions, data, database, embedder, language) for language in LANGUAGES]
        kept.write_text(json.dumps([one.to_json() for one in fitted]), "utf-8")
    return [Fitted.from_json(one) for one in json.loads(kept.read_text("utf-8"))]


def fit_without(questions: Sequence[Question], data: Path, database: Path, embedder: Embedder, language: str) -> Fitted:
    asked, articles = {q.id for q in questions}, {slug for q in questions for slug in q.gold}
    rows = read_lines(data / f"questions_{language}.jsonl") + read_lines(data / f"unanswerable_{language}.jsonl")
    left = [row for row in rows if row["id"] not in asked and not articles & set(row["answer_article_ids"])]
    with tempfile.TemporaryDirectory() as work:
        sessions = open_database(f"sqlite:///{shutil.copy(database, work)}")
        knowledge = KnowledgeBase(sessions, embedder, Path(work) / "cache")
        ids = article_ids(sessions, language)
        shown = track(left, f"Signals of {len(left)} other questions ({language})", console=err, transient=True)
        samples = [sample_of(knowledge, row, language, ids) for row in shown]
        sessions.close()
    return fit(samples, "held out", language, embedder.name)


# --- asking -----------------------------------------------------------------------------------------------------------
def ask_all(
    questions: Sequence[Question],
    database: Path,
    embedder: Embedder,
    understanding: Understanding,
    calibration: Sequence[Fitted] | None,
) -> list[Seen]:
    """Every question by an employee of its own, all at once, of a fresh copy of the database."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        settings = settings_for(f"sqlite:///{shutil.copy(database, work / 'lotse.db')}", work)
        with running_stack(settings, embedder, understanding) as stack:
            if calibration is not None:
                with stack.app.house.sessions.begin() as session:
                    store_calibration(session, calibration)
            slugs = slugs_of(stack)
            people = [Sender("web", f"e{n}", f"Employee {n}", q.language) for n, q in enumerate(questions)]
            ids = [stack.say(person, q.text) for person, q in zip(people, questions, strict=True)]
            rows = zip(people, questions, ids, strict=True)
            return [see(stack, slugs, person, question, message_id) for person, question, message_id in rows]


def slugs_of(stack: Stack) -> dict[int, str]:
    with stack.app.house.sessions() as session:
        return {row.id: row.slug for row in session.execute(select(Article.id, Article.slug))}


def see(stack: Stack, slugs: dict[int, str], person: Sender, question: Question, message_id: int) -> Seen:
    """Wait for what the employee sees; questions before a ticket are skipped until its receipt is there."""
    try:
        post = stack.next_post(person)
        first = stack.message(post.message_id)
        while post.has("skip"):
            stack.press(person, post, "skip")
            post = stack.next_post(person)
    except TimeoutError:
        return Seen(question, "silence", (), None, "none")
    evidence = first.evidence or {}
    shown = tuple(slugs[article] for article in evidence.get("articles", ()))
    kind, outcome = stack.message(post.message_id).kind, stack.message(message_id).outcome
    hits = (evidence.get("search") or {}).get("hits") or [{}]
    return Seen(
        question,
        outcome_of(kind, str(outcome), bool(question.gold & set(shown))),
        shown,
        hits[0].get("probability"),
        evidence.get("understander", "none"),
    )


def outcome_of(kind: str, outcome: str, right: bool) -> str:
    if kind == Kind.ANSWER:
        return "answered right" if right else "answered wrong"
    if kind == Kind.ASK_BACK:
        return "asked back: right one offered" if right else "asked back: right one missing"
    if kind == Kind.RECEIPT:
        return "handed over"
    return "pointed away" if outcome == "out_of_scope" else "small talk"


# --- printing ---------------------------------------------------------------------------------------------------------
def report(results: dict[str, list[Seen]], who: str, seed: int, *, everything: bool) -> None:
    """A table per calibration, and the questions answered wrongly."""
    out.print(f"\nSeed {seed}; understanding: {who}; `title-variant` questions left out.\n")
    for name, seen in results.items():
        out.print(table_of(f"Calibration: {name}", seen))
        answered = [one for one in seen if one.outcome.startswith("answered")]
        right = sum(one.outcome == "answered right" for one in answered)
        out.print(f"{len(answered)} answers, {right} of them right. Understood by: {dict(understanders(seen))}\n")
        for one in seen:
            if everything or one.outcome == "answered wrong":
                print_one(one)
        out.print()


def table_of(title: str, seen: Sequence[Seen]) -> Table:
    table = Table(title=title)
    table.add_column("", no_wrap=True)
    for column in ("n", *OUTCOMES):
        table.add_column(column, justify="right")
    for group, label in GROUPS.items():
        of_group = [one for one in seen if one.question.group == group]
        for language in LANGUAGES:
            add_row(table, f"{label}, {language}", [one for one in of_group if one.question.language == language])
    table.add_section()
    for label, groups in (("has an answer", ["answerable"]), ("no answer", ["near", "far"])):
        add_row(table, label, [one for one in seen if one.question.group in groups])
    return table


def add_row(table: Table, label: str, seen: Sequence[Seen]) -> None:
    counts = Counter(one.outcome for one in seen)
    table.add_row(label, str(len(seen)), *(str(counts[outcome] or "·") for outcome in OUTCOMES))


def understanders(seen: Sequence[Seen]) -> Counter[str]:
    return Counter(one.understander for one in seen)


def print_one(one: Seen) -> None:
    sure = f"{one.probability:.2f}" if one.probability is not None else "-"
    out.print(f"  {one.outcome} ({sure}): {one.question.text}", highlight=False, markup=False)
    out.print(f"      shown {list(one.shown)}, gold {sorted(one.question.gold)}", highlight=False, markup=False)


def as_json(results: dict[str, list[Seen]]) -> dict[str, Any]:
    return {
        name: [asdict(one) | {"question": asdict(one.question) | {"gold": sorted(one.question.gold)}} for one in seen]
        for name, seen in results.items()
    }


if __name__ == "__main__":
    sys.exit(main())
