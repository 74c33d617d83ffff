"""Lotse beside plain retrieval, BM25, Haystack, txtai and Rasa's ResponseSelector: same articles, questions and model.

    python benchmarks/baselines.py --data FOLDER [--json OUT] [--only dense,lotse] [--language de] [--articles 250]

FOLDER is as helpdesk-data: kb_<language>/, questions_<language>.jsonl, unanswerable_<language>.jsonl. Each language is
indexed alone; a hit is any of answer_article_ids. All systems get the same passages (kb_index.passages), and those with
vectors the same all-MiniLM-L6-v2. What they need and Lotse does not is installed into `.venv-baselines`
(benchmarks/baselines.txt). Rasa's ResponseSelector runs where Rasa lies, with `--articles` or when it is named: it is a
classifier and does not learn a thousand articles in ten minutes. Each system is a process of its own that reads
and writes JSON lines, see baseline_runs/runner.py; one more is a line in SYSTEMS.

How to read it: recall and MRR count answerable questions only. "Answered" counts all questions, also those that nothing
answers; an answer is wrong when its article is not a right one. "Best threshold in hindsight" is chosen on the very
questions it is counted on, which flatters every system but lotse-held-out's own decision, which saw none of them.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.metrics import roc_auc_score

from kb_index.passages import split_passages
from kb_index.readers import read_documents

ROOT = Path(__file__).parents[1]
RUNS = Path(__file__).parent / "baseline_runs"
REQUIREMENTS = Path(__file__).parent / "baselines.txt"
LANGUAGES = ("de", "en")
GARBLED = "title-variant"  # terse German titles, about 1 in 10 garbled: reported apart
FIXED = (0.5, 0.7)
RISKS = (0.05, 0.10)
LONGEST_RUN = 1_800.0
DATA_MISSING = "{folder} is not there or not complete: kb_{language}/, questions_ and unanswerable_{language}.jsonl."
WIDE = 170
out, err = Console(width=WIDE), Console(stderr=True)

Row = dict[str, Any]


# --- the systems ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class System:
    """A runner with its arguments.

    environment: `baselines`, `rasa` or `own`; scale: whether scores end at 1; vectors: whether it embeds passages;
    slow: runs only when it is named, or on few articles.
    """

    name: str
    script: str
    environment: str = "baselines"
    arguments: tuple[str, ...] = ()
    scale: bool = False
    vectors: bool = False
    slow: bool = False


SYSTEMS = (
    System("dense", "run_dense.py", scale=True, vectors=True),
    System("dense-whole", "run_dense.py", arguments=("--cut", "whole"), scale=True, vectors=True),
    System("bm25s", "run_bm25s.py"),
    System("bm25s-whole", "run_bm25s.py", arguments=("--cut", "whole")),
    System("tantivy", "run_tantivy.py"),
    System("haystack", "run_haystack.py", scale=True, vectors=True),
    System("haystack-50", "run_haystack.py", arguments=("--top-k", "50"), scale=True, vectors=True),
    System("txtai", "run_txtai.py", scale=True, vectors=True),
    System("rasa", "run_rasa.py", environment="rasa", scale=True, slow=True),
    System("lotse", "run_lotse.py", environment="own", arguments=("--kb", "{kb}"), scale=True, vectors=True),
    System("lotse-held-out", "run_lotse.py", "own", ("--kb", "{kb}", "--data", "{data}"), scale=True, vectors=True),
)


def main() -> int:
    """Install, write the input, run every system, count, print."""
    options = _options()
    for language in options.language:
        if not _is_complete(options.data, language):
            err.print(DATA_MISSING.format(folder=options.data, language=language), highlight=False)
            return 2
    chosen = list(_chosen(options))
    pythons = _pythons(options, chosen)
    results: Row = {
        "date": datetime.now(UTC).date().isoformat(),
        "threads": options.threads,
        "load": os.getloadavg(),
        "systems": {},
    }
    options.work.mkdir(parents=True, exist_ok=True)
    for language in options.language:
        knowledge = _knowledge(options, language)
        questions = _questions(options.data, language, {path.stem for path in knowledge.glob("*.md")})
        _write_input(options, language, knowledge, questions)
        for system in chosen:
            if system.environment not in pythons:
                continue
            facts = _run(system, pythons[system.environment], options, language)
            if facts is not None:
                rankings = _rankings(_place(options, system, language, "rankings"))
                results["systems"].setdefault(system.name, {})[language] = _counted(system, questions, rankings, facts)
    _print(results, options.language)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return 0


def _chosen(options: argparse.Namespace) -> Iterator[System]:
    names = options.only.split(",") if options.only else [s.name for s in SYSTEMS if options.articles or not s.slow]
    return (system for system in SYSTEMS if system.name in names)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("helpdesk-data"))
    parser.add_argument("--json", type=Path, help="write every figure")
    parser.add_argument("--only", help=f"names, with commas between: {', '.join(system.name for system in SYSTEMS)}")
    parser.add_argument("--language", action="append", choices=LANGUAGES)
    parser.add_argument("--threads", type=int, default=1, help="cores a system may use")
    parser.add_argument("--articles", type=int, help="only so many articles a language, and the questions about them")
    parser.add_argument("--environment", type=Path, default=ROOT / ".venv-baselines")
    parser.add_argument("--rasa", type=Path, default=ROOT / ".venv-rasa")
    parser.add_argument("--epochs", type=int, default=200, help="of Rasa's ResponseSelector")
    parser.add_argument(
        "--work", type=Path, default=ROOT / "var" / "benchmarks" / "baselines", help="input and rankings"
    )
    parser.add_argument("--embed-each", action="store_true", help="let every system embed all passages itself")
    parser.add_argument("--kept", action="store_true", help="count the rankings of the last run, ask nothing anew")
    options = parser.parse_args()
    options.language = options.language or list(LANGUAGES)
    options.data = options.data.absolute()
    options.work = options.work.absolute() / (str(options.articles) if options.articles else "all")
    return options


def _is_complete(data: Path, language: str) -> bool:
    files = (data / f"questions_{language}.jsonl", data / f"unanswerable_{language}.jsonl")
    return (data / f"kb_{language}").is_dir() and all(file.is_file() for file in files)


# --- environments -----------------------------------------------------------------------------------------------------
def _pythons(options: argparse.Namespace, chosen: Sequence[System]) -> dict[str, str]:
    """The interpreter of every environment that is needed and there."""
    needed = {system.environment for system in chosen}
    found = {"own": sys.executable}
    if "baselines" in needed:
        found["baselines"] = str(_installed(options.environment.absolute()))
    rasa = options.rasa.absolute() / "bin" / "python"
    if rasa.exists():
        found["rasa"] = str(rasa)
    elif "rasa" in needed:
        err.print(f"No Rasa in {options.rasa}: left out (python -m nlu.environment .venv-rasa makes it).")
    return found


def _installed(folder: Path) -> Path:
    """The interpreter of the environment, which is made unless exactly the pins are in it."""
    python, stamp = folder / "bin" / "python", folder / "lotse-installed"
    wanted = sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not (python.exists() and stamp.exists() and stamp.read_text("utf-8") == wanted):
        err.print(f"Installing what Lotse is compared with into {folder.name} (1.6 GB, once) ...")
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)  # noqa: S603 - our own command
        # The pins are complete: with --no-deps nothing can bring another torch.
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "-r", str(REQUIREMENTS)], check=True)  # noqa: S603
        stamp.write_text(wanted, "utf-8")
    return python


# --- input and runs ---------------------------------------------------------------------------------------------------
def _knowledge(options: argparse.Namespace, language: str) -> Path:
    """The folder of articles, or one with some of them: those of questions drawn at random, filled up with others."""
    everything = options.data / f"kb_{language}"
    if not options.articles:
        return everything
    chance = random.Random(7)
    names = sorted(path.stem for path in everything.glob("*.md"))
    gold = [row["answer_article_ids"][0] for row in _read_lines(options.data / f"questions_{language}.jsonl")]
    chance.shuffle(gold)
    chance.shuffle(names)
    first = list(dict.fromkeys(gold))[: options.articles // 2]
    chosen = list(dict.fromkeys([*first, *names]))[: options.articles]
    folder = Path(options.work / f"kb_{language}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in chosen:
        shutil.copy(everything / f"{name}.md", folder)
    return folder


def _questions(data: Path, language: str, articles: Container[str]) -> list[Row]:
    """All questions about these articles, and those that nothing answers. group: answerable, near or far."""
    answerable = _read_lines(data / f"questions_{language}.jsonl")
    answerable = [row for row in answerable if any(name in articles for name in row["answer_article_ids"])]
    rows = [row | {"group": "answerable"} for row in answerable]
    return rows + [row | {"group": row["kind"]} for row in _read_lines(data / f"unanswerable_{language}.jsonl")]


def _read_lines(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def _write_input(options: argparse.Namespace, language: str, knowledge: Path, questions: Iterable[Row]) -> None:
    _write_lines(options.work / f"articles_{language}.jsonl", _articles(knowledge, language))
    asked = ({"id": row["id"], "question": row["question"]} for row in questions)
    _write_lines(options.work / f"questions_{language}.jsonl", asked)


def _articles(folder: Path, language: str) -> Iterable[Row]:
    """Read and cut as Lotse does; headings are for Rasa, which learns from examples of questions."""
    for path in sorted(folder.glob("*.md")):
        for document in read_documents(path, path.read_bytes()):
            passages = split_passages(document.title, document.body, language)
            yield {
                "id": document.slug or path.stem,
                "title": document.title,
                "language": language,
                "text": "\n".join([document.title, *(f"{p.heading}\n{p.plain}".strip() for p in passages)]),
                "passages": [p.embedded for p in passages],
                "headings": list(dict.fromkeys(p.heading.split(" › ")[-1] for p in passages if p.heading)),
            }


def _write_lines(path: Path, rows: Iterable[Row]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def _place(options: argparse.Namespace, system: System, language: str, what: str) -> Path:
    suffix = {"rankings": "jsonl", "facts": "json", "output": "txt"}[what]
    return Path(options.work / f"{system.name}_{language}_{what}.{suffix}")


def _run(system: System, python: str, options: argparse.Namespace, language: str) -> Row | None:
    """One system on one language; None (with its last words) when it fails."""
    places = {what: _place(options, system, language, what) for what in ("rankings", "facts", "output")}
    if options.kept:
        return json.loads(places["facts"].read_text("utf-8")) if places["facts"].exists() else None
    places["facts"].unlink(missing_ok=True)
    inputs = [str(options.work / f"{what}_{language}.jsonl") for what in ("articles", "questions")]
    knowledge = options.work if options.articles else options.data
    values = {"kb": knowledge / f"kb_{language}", "data": options.data}
    more = [argument.format(**values) for argument in system.arguments]
    if system.environment == "rasa":
        more += ["--epochs", str(options.epochs)]
    command = [python, str(RUNS / system.script), *inputs, str(places["rankings"]), str(places["facts"])]
    command += ["--language", language, "--threads", str(options.threads), *more]
    if system.vectors and not options.embed_each:
        command += ["--vectors", str(options.work.parent / f"vectors_{language}.npz")]
    started = time.perf_counter()
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), str(options.threads))
    with err.status(f"{system.name} ({language}) ..."), places["output"].open("w") as sink:
        done = subprocess.run(  # noqa: S603 - our own command
            command,
            cwd=options.work,
            stdout=sink,
            stderr=sink,
            env=os.environ | threads,
            timeout=LONGEST_RUN,
            check=False,
        )
    if done.returncode:
        last = places["output"].read_text("utf-8", errors="replace").strip().splitlines()[-3:]
        err.print(f"{system.name} ({language}) failed: {' | '.join(last)}", markup=False)
        return None
    seconds = time.perf_counter() - started
    err.print(f"{system.name} ({language}): {seconds:.0f} s")
    facts: Row = json.loads(places["facts"].read_text("utf-8"))
    return facts | {"whole_s": seconds, "load_average": os.getloadavg()[0]}


def _rankings(path: Path) -> dict[str, Row]:
    return {row["id"]: row for row in _read_lines(path)}


# --- counting ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Asked:
    """A question with what was found. place: of the first right article, from 1; 0 when it is not among ten."""

    kind: str
    group: str
    place: int
    score: float  # of the first article
    answers: bool | None


@dataclass(frozen=True)
class Answered:
    """Shares. answered: of all questions; wrong: of the answers; right: of the questions that have an answer."""

    answered: float
    wrong: float
    right: float
    threshold: float | None = None


@dataclass
class Counted:
    """What is counted of one system in one language. recall: by kind; the rest: all, and without the garbled kind."""

    facts: Row
    recall: dict[str, Row] = field(default_factory=dict)
    auroc: dict[str, dict[str, float]] = field(default_factory=dict)
    fixed: dict[str, dict[str, Answered]] = field(default_factory=dict)
    hindsight: dict[str, dict[str, Answered]] = field(default_factory=dict)
    own: dict[str, Answered] = field(default_factory=dict)


def _counted(system: System, questions: Sequence[Row], rankings: dict[str, Row], facts: Row) -> Row:
    asked = [_asked(row, rankings[row["id"]]) for row in questions]
    whole = {"all": asked}
    if any(one.kind == GARBLED for one in asked):
        whole[f"without {GARBLED}"] = [one for one in asked if one.kind != GARBLED]
    kinds = sorted({one.kind for one in asked if one.group == "answerable"})
    counted = Counted(facts)
    for name, rows in [*whole.items(), *((kind, [one for one in asked if one.kind == kind]) for kind in kinds)]:
        counted.recall[name] = _recall([one for one in rows if one.group == "answerable"])
    for name, rows in whole.items():
        counted.auroc[name] = {group: _auroc(rows, group) for group in ("near", "far")}
        counted.hindsight[name] = {f"{risk:g}": _best(rows, risk) for risk in RISKS}
        if system.scale:
            counted.fixed[name] = {f"{limit:g}": _answered(rows, _from(limit), limit) for limit in FIXED}
        if all(one.answers is not None for one in rows):
            counted.own[name] = _answered(rows, lambda one: bool(one.answers))
    return asdict(counted)


def _asked(row: Row, found: Row) -> Asked:
    gold = set(row.get("answer_article_ids", ()))
    places = [at for at, (article, _) in enumerate(found["ranking"], 1) if article in gold]
    score = found["ranking"][0][1] if found["ranking"] else 0.0
    return Asked(row["kind"], row["group"], places[0] if places else 0, score, found["answers"])


def _recall(rows: Sequence[Asked]) -> Row:
    shares = {f"recall@{k}": _share(0 < one.place <= k for one in rows) for k in (1, 3, 10)}
    return {
        "questions": len(rows),
        **shares,
        "mrr@10": float(np.mean([1 / one.place if one.place else 0 for one in rows])),
    }


def _share(values: Iterable[bool]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0


def _auroc(rows: Sequence[Asked], group: str) -> float:
    """How well the first article's score tells questions that have an answer from those of the group."""
    both = [one for one in rows if one.group in ("answerable", group)]
    return float(roc_auc_score([one.group == "answerable" for one in both], [one.score for one in both]))


def _from(limit: float) -> Callable[[Asked], bool]:
    return lambda one: one.score >= limit


def _answered(rows: Sequence[Asked], decide: Callable[[Asked], bool], threshold: float | None = None) -> Answered:
    answers = [one for one in rows if decide(one)]
    right = sum(one.place == 1 for one in answers)
    answerable = sum(one.group == "answerable" for one in rows)
    wrong = 1 - right / len(answers) if answers else 0.0
    return Answered(len(answers) / len(rows), wrong, right / answerable, threshold)


def _best(rows: Sequence[Asked], risk: float) -> Answered:
    """The lowest threshold whose answers are wrong in no more than this share of them."""
    limits = sorted({one.score for one in rows})
    tried = (_answered(rows, _from(limit), limit) for limit in limits)
    return next((found for found in tried if found.wrong <= risk), Answered(0.0, 0.0, 0.0))


# --- printing ---------------------------------------------------------------------------------------------------------
def _print(results: Row, languages: Sequence[str]) -> None:
    load = ", ".join(f"{value:.2f}" for value in results["load"])
    out.print(
        f"\n{results['date']}; cores per system: {results['threads']} of {os.cpu_count()}; load before: {load}.\n"
    )
    for language in languages:
        found = {name: by[language] for name, by in results["systems"].items() if language in by}
        if found:
            _print_recall(language, found)
            _print_refusing(language, found)
    _print_costs(results["systems"], languages)


def _print_recall(language: str, found: dict[str, Row]) -> None:
    kinds = list(next(iter(found.values()))["recall"].items())
    table = Table(title=f"{language}: the right article is first / among three / among ten; MRR@10")
    table.add_column("")
    for kind, row in kinds:
        table.add_column(f"{kind} ({row['questions']})", justify="right")
    for name, counted in found.items():
        table.add_row(name, *(_recall_cell(counted["recall"][kind]) for kind, _ in kinds))
    out.print(table)


def _recall_cell(row: Row) -> str:
    values = [row[name] for name in ("recall@1", "recall@3", "recall@10")]
    return "/".join(_short(value) for value in values) + f" {_short(row['mrr@10'])}"


def _print_refusing(language: str, found: dict[str, Row]) -> None:
    table = Table(
        title=f"{language}: telling what has no answer; answered (of all) / wrong (of answers) / right (of answerable)"
    )
    table.add_column("")
    columns = ["AUROC near", "AUROC far", *(f"score ≥ {limit:g}" for limit in FIXED)]
    for column in [*columns, *(f"hindsight, wrong ≤ {risk:g}" for risk in RISKS), "own decision"]:
        table.add_column(column, justify="right")
    for name, counted in found.items():
        for group in counted["auroc"]:
            fixed = [counted["fixed"].get(group, {}).get(f"{limit:g}") for limit in FIXED]
            best = [counted["hindsight"][group][f"{risk:g}"] for risk in RISKS]
            cells = [_answered_cell(one) for one in [*fixed, *best, counted["own"].get(group)]]
            auroc = counted["auroc"][group]
            label = name if group == "all" else f"  {group}"
            table.add_row(label, _short(auroc["near"]), _short(auroc["far"]), *cells)
    out.print(table)


def _answered_cell(one: Row | Answered | None) -> str:
    if one is None:
        return "·"
    values = one if isinstance(one, dict) else asdict(one)
    return " / ".join(f"{100 * values[name]:.0f}%" for name in ("answered", "wrong", "right"))


def _short(value: float) -> str:
    return f"{value:.2f}".removeprefix("0") if value < 1 else f"{value:.1f}"


def _print_costs(systems: dict[str, dict[str, Row]], languages: Sequence[str]) -> None:
    table = Table(title="What it costs (embed/s: texts a second, where this run embedded them; index s: the rest)")
    table.add_column("")
    for language in languages:
        for column in ("load s", "embed/s", "index s", "p50 ms", "p95 ms", "peak MB"):
            table.add_column(f"{language} {column}", justify="right")
    for name, by in systems.items():
        table.add_row(name, *(cell for language in languages for cell in _costs(by.get(language))))
    out.print(table)
    for name, by in systems.items():
        for language, counted in by.items():
            if counted["facts"]["notes"]:
                out.print(f"{name} ({language}): {counted['facts']['notes']}", markup=False, highlight=False)


def _costs(counted: Row | None) -> list[str]:
    if counted is None:
        return ["·"] * 6
    facts = counted["facts"]
    rate = f"{facts['embedded'] / facts['embed_s']:.0f}" if facts["embed_s"] else "·"
    times = [f"{facts['load_s']:.1f}", rate, f"{facts['index_s']:.1f}"]
    return [*times, f"{facts['p50_ms']:.1f}", f"{facts['p95_ms']:.1f}", f"{facts['peak_mb']:.0f}"]


if __name__ == "__main__":
    sys.exit(main())
