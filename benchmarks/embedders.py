"""The embedding model in torch and exported for ONNX Runtime, side by side: time, memory, and what is found.

    python benchmarks/embedders.py --data FOLDER [--sample 400] [--seed 7] [--json OUT]

FOLDER holds kb_<language>/ and questions_<language>.jsonl. Each runtime imports all articles in a process of its own,
and answers in another one, as Lotse does: memory and the time until the first answer are those of this second process
(no Rasa, no web server in it). Passages a second: a sample drawn by the seed, the same for both. CPU time is what other
processes on the machine disturb least. Recall: whether one of the articles named for a question is the first, or among
the first three, by cosine alone and by the whole search (with the weights that need no calibration), among the articles
in the question's language.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

LANGUAGES = ("de", "en")
RUNTIMES = ("torch", "onnx")
ROWS = (
    ("question_p50_ms", "embedding a question, p50, ms", "{:.2f}"),
    ("question_p95_ms", "embedding a question, p95, ms", "{:.2f}"),
    ("question_cpu_ms", "CPU time of it on all cores, p50, ms", "{:.2f}"),
    ("passages_per_s", "passages a second", "{:.1f}"),
    ("passages_per_cpu_s", "passages a second of CPU time", "{:.1f}"),
    ("import_s", "importing all articles, s", "{:.0f}"),
    ("export_s", "exporting the model, once, s", "{:.0f}"),
    ("start_s", "start until the first answer, s", "{:.1f}"),
    ("rss_mb", "memory after it, MB", "{:.0f}"),
    ("peak_mb", "memory at the peak of the start, MB", "{:.0f}"),
    ("dense_1", "recall@1 by cosine", "{:.4f}"),
    ("dense_3", "recall@3 by cosine", "{:.4f}"),
    ("search_1", "recall@1 of the search", "{:.4f}"),
    ("search_3", "recall@3 of the search", "{:.4f}"),
)
Measured = dict[str, Any]


def main() -> None:
    """Measure both, each step in a process of its own, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sample", type=int, default=400)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", nargs=3, metavar=("STEP", "RUNTIME", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        step, runtime, folder = arguments.child
        found = STEPS[step](runtime, Path(folder), arguments.data, random.Random(arguments.seed), arguments.sample)
        print(json.dumps(found))
        return
    results = measure(sys.argv[1:])
    report(results)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


def measure(arguments: Sequence[str]) -> dict[str, Measured]:
    """Both runtimes by name; step by step in turn, so that a busy minute does not meet one of them only."""
    results: dict[str, Measured] = {runtime: {} for runtime in RUNTIMES}
    with tempfile.TemporaryDirectory() as work:
        for step in STEPS:
            for runtime in RUNTIMES:
                print(f"{step}: {runtime}", file=sys.stderr)
                results[runtime] |= child(step, runtime, Path(work) / runtime, arguments)
    return results


def child(step: str, runtime: str, folder: Path, arguments: Sequence[str]) -> Measured:
    """What a process of its own measures."""
    folder.mkdir(exist_ok=True)
    os.environ["STARTED"] = str(time.time())
    command = [sys.executable, __file__, *arguments, "--child", step, runtime, str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 - ourselves
    found: Measured = json.loads(done.stdout.splitlines()[-1])
    return found | {f"{step}_load": [round(one, 1) for one in os.getloadavg()]}


# --- the steps, each in a process of its own --------------------------------------------------------------------------
def export(runtime: str, folder: Path, *_: Any) -> Measured:
    """Make the export, or nothing."""
    from kb_index.embedder import load_embedder  # noqa: PLC0415 - what a process imports is what is measured

    started = time.perf_counter()
    if runtime == "onnx":
        load_embedder(None, folder / "cache")
    return {"export_s": time.perf_counter() - started} if runtime == "onnx" else {}


def take_in(runtime: str, folder: Path, data: Path, *_: Any) -> Measured:
    """Import every article into an empty database."""
    from import_folder import create_tables  # noqa: PLC0415

    from bot.db import open_database  # noqa: PLC0415
    from kb_index.articles import import_folder  # noqa: PLC0415

    embedder = load(runtime, folder)
    url = f"sqlite:///{folder}/lotse.db"
    create_tables(url)
    sessions = open_database(url)
    embedder.embed_question("warm up")
    reports = [import_folder(sessions, embedder, data / f"kb_{language}") for language in LANGUAGES]
    sessions.close()
    seconds = sum(report.seconds for report in reports)
    passages = sum(report.embedded_passages for report in reports)
    return {"import_s": seconds, "articles": sum(report.added for report in reports), "passages": passages}


def serve(runtime: str, folder: Path, data: Path, *_: Any) -> Measured:
    """Start on the imported articles, answer, and look at the memory; then ask everything."""
    from bot.db import open_database  # noqa: PLC0415
    from kb_index.search import KnowledgeBase  # noqa: PLC0415

    sessions = open_database(f"sqlite:///{folder}/lotse.db")
    knowledge = KnowledgeBase(sessions, load(runtime, folder), folder / "cache")
    knowledge.warm_up()
    knowledge.search("How do I reset my password?", "en")
    found = {
        "start_s": time.time() - float(os.environ["STARTED"]),
        "rss_mb": memory("VmRSS"),
        "peak_mb": memory("VmHWM"),
    }
    found["has_torch"] = "torch" in sys.modules
    rows = questions(data)
    ids = articles(sessions)
    first = [[hit.article_id for hit in knowledge.search(row["question"], row["lang"], limit=3).hits] for row in rows]
    sessions.close()
    return found | recalls("search", rows, first, ids)


def embed(runtime: str, folder: Path, data: Path, chance: random.Random, sample: int) -> Measured:
    """Time the embedder by itself, and rank by cosine alone."""
    import numpy as np  # noqa: PLC0415
    from sqlalchemy import select  # noqa: PLC0415

    from bot.db import open_database  # noqa: PLC0415
    from kb_index.models import Article, Passage  # noqa: PLC0415

    embedder, rows = load(runtime, folder), questions(data)
    embedder.embed_question("warm up")
    vectors, times, busy = [], [], []
    for row in rows:
        started, working = time.perf_counter(), time.process_time()
        vectors.append(embedder.embed_question(row["question"]))
        times.append(time.perf_counter() - started)
        busy.append(time.process_time() - working)
    sessions = open_database(f"sqlite:///{folder}/lotse.db")
    with sessions() as session:
        wanted = select(Passage.article_id, Article.language, Passage.plain, Passage.vector).join(Article)
        passages = session.execute(wanted.order_by(Passage.id)).all()
    texts = chance.sample([one.plain for one in passages], min(sample, len(passages)))
    started, working = time.perf_counter(), time.process_time()
    embedder.embed_passages(texts)
    rate = len(texts) / (time.perf_counter() - started)
    rate_of_cpu = len(texts) / (time.process_time() - working)
    matrix = np.stack([np.frombuffer(one.vector, np.float32) for one in passages])
    first = []
    for row, vector in zip(rows, vectors, strict=True):
        cosines = matrix @ vector
        order = np.argsort(-cosines)
        ranked = [passages[i].article_id for i in order if passages[i].language == row["lang"]]
        first.append(list(dict.fromkeys(ranked))[:3])
    p50, p95 = np.percentile(times, [50, 95]) * 1000
    found = {"question_p50_ms": p50, "question_p95_ms": p95, "question_cpu_ms": 1000 * float(np.median(busy))}
    found |= {"passages_per_s": rate, "passages_per_cpu_s": rate_of_cpu, "model": embedder.name}
    return found | recalls("dense", rows, first, articles(sessions))


STEPS = {"export": export, "import": take_in, "serve": serve, "embed": embed}


def load(runtime: str, folder: Path) -> Any:
    """The embedder as Lotse uses it."""
    from kb_index.embedder import load_embedder  # noqa: PLC0415

    return load_embedder(None, folder / "cache", runtime)  # type: ignore[arg-type]


def questions(data: Path) -> list[Measured]:
    """The questions of both languages."""
    files = [data / f"questions_{language}.jsonl" for language in LANGUAGES]
    return [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]


def articles(sessions: Any) -> dict[tuple[str, str], int]:
    """Ids by language and slug."""
    from sqlalchemy import select  # noqa: PLC0415

    from kb_index.models import Article  # noqa: PLC0415

    with sessions() as session:
        found = session.execute(select(Article.language, Article.slug, Article.id))
        return {(row.language, row.slug): row.id for row in found}


def recalls(
    name: str, rows: Sequence[Measured], first: Sequence[Sequence[int]], ids: dict[tuple[str, str], int]
) -> Measured:
    """The share of questions with one of their articles among the first 1 and 3, and which those are."""
    right = [{ids.get((row["lang"], slug)) for slug in row["answer_article_ids"]} for row in rows]
    at = {n: [bool(set(one[:n]) & wanted) for one, wanted in zip(first, right, strict=True)] for n in (1, 3)}
    return {f"{name}_{n}": sum(hits) / len(hits) for n, hits in at.items()} | {
        f"{name}_hits": at[1],
        "questions": len(rows),
    }


def memory(name: str) -> float:
    """VmRSS or VmHWM of this process in megabytes (Linux)."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


# --- the table --------------------------------------------------------------------------------------------------------
def report(results: dict[str, Measured]) -> None:
    """Both columns, and how one compares to the other."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    torch, onnx = (results[runtime] for runtime in RUNTIMES)
    table = Table("", *RUNTIMES, "torch / onnx")
    for key, title, form in ROWS:
        cells = [form.format(one[key]) if key in one else "" for one in (torch, onnx)]
        both = key in torch and key in onnx
        compared = f"{100 * (onnx[key] - torch[key]):+.2f} points" if "recall" in title else ""
        table.add_row(title, *cells, compared or (f"{torch[key] / onnx[key]:.1f}" if both else ""))
    console = Console(width=120)
    console.print(f"{onnx['articles']} articles, {onnx['passages']} passages, {onnx['questions']} questions")
    console.print(table)
    for name in ("dense", "search"):
        pairs = list(zip(torch[f"{name}_hits"], onnx[f"{name}_hits"], strict=True))
        lost, won = pairs.count((True, False)), pairs.count((False, True))
        console.print(f"{name}: {lost} questions lost their first hit, {won} won it")
    loads = [f"{step} {torch[f'{step}_load'][0]} and {onnx[f'{step}_load'][0]}" for step in STEPS]
    console.print(f"torch in the serving process: {torch['has_torch']} and {onnx['has_torch']}")
    console.print(f"load average after each step, {os.cpu_count()} cores: {', '.join(loads)}")


if __name__ == "__main__":
    main()
