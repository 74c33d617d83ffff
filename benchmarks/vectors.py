"""Which FAISS index is right at which size: build time, memory, search time and recall against exact search.

    python benchmarks/vectors.py [--sizes 10000 100000 1000000] [--questions 300] [--data FOLDER] [--json OUT]

The passages of FOLDER/kb_* (without --data those of the demo) are embedded as Lotse does; to reach a size, more are
made from them: a passage plus the difference between two others that are neighbours of each other, at length 1.
Questions are questions_*.jsonl (the demo's titles). Printed first: how alike neighbours are in a quarter of the real
passages, in all of them, and after making more; each step should go on as the one before it. A search asks for 100, on
one thread; building uses all cores. MB: the size of the saved index. change: replacing 10 of the vectors. Lotse:
kb_index.vectors as it is.
"""

import argparse
import gc
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from rich.console import Console
from rich.table import Table
from stack import KEPT, ROOT

from kb_index.embedder import load_embedder
from kb_index.passages import split_passages
from kb_index.port import Vectors
from kb_index.readers import Document, read_documents
from kb_index.vectors import Stamp, VectorIndex

DEPTH = 100
NEIGHBOURS = 20
CHUNK = 50_000
TRAINED_ON = 160_000  # 40 for each list of the largest
out, err = Console(width=130), Console(stderr=True)
Row = dict[str, Any]


def main() -> None:
    """Make the vectors, measure each kind at each size, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    passages, questions = embedded(arguments.data)
    chance = np.random.default_rng(arguments.seed)
    asked = questions[chance.permutation(len(questions))[: arguments.questions]]
    rows = [row for size in arguments.sizes for row in measure(grown(passages, size, chance), asked, chance)]
    out.print(f"load average {', '.join(f'{one:.1f}' for one in os.getloadavg())}, {os.cpu_count()} cores")
    out.print(table_of(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


# --- vectors ----------------------------------------------------------------------------------------------------------
def embedded(data: Path | None) -> tuple[Vectors, Vectors]:
    """Passages and questions as vectors; kept for the next run."""
    embedder = load_embedder()
    kept = KEPT / f"vectors-{data.name if data else 'demo'}-{embedder.name.replace('/', '-')}.npz"
    if not kept.exists():
        documents = list(documents_of(data))
        texts = [p.embedded for one in documents for p in split_passages(one.title, one.body, one.language)]
        questions = list(questions_of(data)) or [one.title for one in documents]
        err.print(f"embedding {len(texts)} passages and {len(questions)} questions, once")
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, passages=embedder.embed_passages(texts), questions=embedder.embed_passages(questions))
    with np.load(kept) as found:
        return found["passages"], found["questions"]


def documents_of(data: Path | None) -> Iterator[Document]:
    folders = sorted(data.glob("kb_*")) if data else [ROOT / "demo" / "kb"]
    for folder in folders:
        for file in sorted(folder.rglob("*.md")):
            yield from read_documents(file, file.read_bytes())


def questions_of(data: Path | None) -> Iterator[str]:
    for file in sorted(data.glob("questions_*.jsonl")) if data else []:
        yield from (json.loads(line)["question"] for line in file.read_text("utf-8").splitlines())


def grown(real: Vectors, size: int, chance: np.random.Generator) -> Vectors:
    """The real vectors and as many made ones as are missing, shape (size, dimension)."""
    near = nearest(real, real, NEIGHBOURS + 1)[:, 1:]
    starts = range(len(real), size, CHUNK)
    whole = np.concatenate([real[:size], *(made(real, near, min(CHUNK, size - start), chance) for start in starts)])
    quarter = real[chance.permutation(len(real))[: len(real) // 4]]
    for name, some, asked in (
        ("a quarter of the real", quarter, quarter),
        ("real", real, real),
        (f"all {size}", whole, real),
    ):
        err.print(f"cosine of the nearest, tenth nearest other, median, {name}: {likeness(some, asked)}")
    return whole


def made(real: Vectors, near: Any, number: int, chance: np.random.Generator) -> Vectors:
    """A passage, moved by the difference between two neighbours elsewhere: as far as real neighbours are apart."""
    base, other = chance.integers(len(real), size=(2, number))
    partner = near[other, chance.integers(near.shape[1], size=number)]
    moved = real[base] + chance.uniform(0.75, 1.25, (number, 1)).astype(np.float32) * (real[partner] - real[other])
    return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), np.float32)


def nearest(among: Vectors, asked: Vectors, number: int) -> Any:
    """The places of the nearest, exactly, shape (len(asked), number)."""
    index = faiss.IndexFlatIP(among.shape[1])
    index.add(among)
    return index.search(asked, number)[1]


def likeness(among: Vectors, asked: Vectors) -> str:
    """The median cosines of a passage's nearest and tenth nearest other."""
    index = faiss.IndexFlatIP(among.shape[1])
    index.add(among)
    return ", ".join(f"{np.median(index.search(asked[:500], 11)[0][:, place]):.2f}" for place in (1, 10))


# --- measuring --------------------------------------------------------------------------------------------------------
def kinds(size: int, dimension: int) -> dict[str, Callable[[], Any]]:
    """The candidates, made by FAISS's names for them."""
    lists = int(4 * size**0.5)
    inner = faiss.METRIC_INNER_PRODUCT
    return {
        "flat": lambda: faiss.index_factory(dimension, "Flat", inner),
        "SQ8": lambda: faiss.index_factory(dimension, "SQ8", inner),
        "IVF, flat": lambda: faiss.index_factory(dimension, f"IVF{lists},Flat", inner),
        "IVF, SQ8": lambda: faiss.index_factory(dimension, f"IVF{lists},SQ8", inner),
        "HNSW32": lambda: faiss.index_factory(dimension, "HNSW32", inner),
    }


def measure(vectors: Vectors, asked: Vectors, chance: np.random.Generator) -> Iterator[Row]:
    """Each candidate on these vectors, and what Lotse makes of them."""
    exact = nearest(vectors, asked, DEPTH)
    for name, make in kinds(*vectors.shape).items():
        err.print(f"{len(vectors)}: {name}")
        yield from measure_kind(name, make, vectors, asked, exact, chance)
        gc.collect()
    yield measure_lotse(vectors, asked, exact)


def measure_kind(
    name: str,
    make: Callable[[], Any],
    vectors: Vectors,
    asked: Vectors,
    exact: Any,
    chance: np.random.Generator,
) -> Iterator[Row]:
    faiss.omp_set_num_threads(os.cpu_count() or 1)
    started = time.perf_counter()
    index = make()
    index.train(vectors[chance.permutation(len(vectors))[:TRAINED_ON]])
    index.add(vectors)
    built = time.perf_counter() - started
    size = faiss.serialize_index(index).nbytes / 1e6
    faiss.omp_set_num_threads(1)
    for label, knob in knobs(name):
        faiss.ParameterSpace().set_index_parameters(index, knob)
        found, times = searched(lambda v: index.search(v.reshape(1, -1), DEPTH)[1][0], asked)
        yield row_of(len(vectors), f"{name}{label}", built, size, times, found, exact)


def knobs(name: str) -> list[tuple[str, str]]:
    """How hard an approximate index tries."""
    if name.startswith("IVF"):
        return [(f", {n} probed", f"nprobe={n}") for n in (16, 64)]
    return [(f", ef {n}", f"efSearch={n}") for n in (128, 256)] if name.startswith("HNSW") else [("", "")]


def measure_lotse(vectors: Vectors, asked: Vectors, exact: Any) -> Row:
    """kb_index.vectors: filled as the shelves fill it, and changed, saved and loaded."""
    faiss.omp_set_num_threads(os.cpu_count() or 1)
    started = time.perf_counter()
    index = VectorIndex(vectors.shape[1])
    for start in range(0, len(vectors), CHUNK):
        part = vectors[start : start + CHUNK]
        index.put(range(start, start + len(part)), part)
    built = time.perf_counter() - started
    faiss.omp_set_num_threads(1)
    found, times = searched(lambda v: list(index.nearest(v, DEPTH)), asked)
    started = time.perf_counter()
    index.put(range(10), vectors[:10])
    changed = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as folder:
        file, stamp = Path(folder) / "index", Stamp("benchmark", "benchmark", vectors.shape[1])
        index.save(file, stamp, 1)
        size = file.stat().st_size / 1e6
        started = time.perf_counter()
        assert VectorIndex.load(file, stamp) is not None
        loaded = time.perf_counter() - started
    row = row_of(len(vectors), "Lotse", built, size, times, found, exact)
    return row | {"change_ms": 1000 * changed, "load_s": loaded}


def searched(search: Callable[[Vectors], Any], asked: Vectors) -> tuple[list[Any], list[float]]:
    """What was found for each question, and the seconds it took."""
    search(asked[0])
    found, times = [], []
    for vector in asked:
        started = time.perf_counter()
        found.append(search(vector))
        times.append(time.perf_counter() - started)
    return found, times


def row_of(
    number: int, name: str, built: float, size: float, times: Sequence[float], found: Sequence[Any], exact: Any
) -> Row:
    p50, p95 = np.percentile(times, [50, 95]) * 1000
    recalls = {f"recall_{depth}": recall(found, exact, depth) for depth in (10, DEPTH)}
    return {"size": number, "index": name, "build_s": built, "mb": size, "p50_ms": p50, "p95_ms": p95, **recalls}


def recall(found: Sequence[Any], exact: Any, depth: int) -> float:
    """The share of the exact first `depth` that is among the first `depth` found."""
    shares = [
        len(set(map(int, a[:depth])) & set(b[:depth].tolist())) / depth for a, b in zip(found, exact, strict=True)
    ]
    return float(np.mean(shares))


def table_of(rows: Sequence[Row]) -> Table:
    table = Table(
        "vectors", "index", "build s", "MB", "p50 ms", "p95 ms", "recall@10", "recall@100", "change ms", "load s"
    )
    last = 0
    for row in rows:
        if row["size"] != last and last:
            table.add_section()
        last = row["size"]
        more = [f"{row[key]:.{digits}f}" if key in row else "" for key, digits in (("change_ms", 1), ("load_s", 2))]
        numbers = [f"{row['build_s']:.1f}", f"{row['mb']:.0f}", f"{row['p50_ms']:.2f}", f"{row['p95_ms']:.2f}"]
        recalls = [f"{row[key]:.4f}" for key in ("recall_10", f"recall_{DEPTH}")]
        table.add_row(f"{row['size']:,}", row["index"], *numbers, *recalls, *more)
    return table


if __name__ == "__main__":
    main()
