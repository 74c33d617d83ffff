"""Public intent sets, learned anew and asked: in this process, and by Rasa in its own environment.

Every set is cut into train and test once: as published where it says so, else at random (a fifth for testing, the same
share of every intent; sentences that are translations of each other on the same side).
"""

import json
import os
import random
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

from nlu.examples import Example
from nlu.measure import Labelled
from nlu.rasa.intent_model import new_intent_model

RUNNER = Path(__file__).parent / "rasa_intents.py"
OUT_OF_SCOPE = {"oos", "out_of_scope"}
FALSE_ALARMS = 0.05
TEST_SHARE = 0.2
LATENCY_TEXTS = 300
DIET_PASSES = 50_000  # examples DIET sees in all, about 4 CPU minutes: its epochs are so many divided by the set's size
FEWEST_EPOCHS, MOST_EPOCHS = 5, 100
LONGEST = 1_800.0

Row = Mapping[str, str]
Shares = list[tuple[str, float]]  # intents with their confidence, best first


@dataclass(frozen=True)
class IntentSet:
    """Rows have text, intent and lang."""

    name: str
    train: Sequence[Row]
    test: Sequence[Row]


@dataclass(frozen=True)
class Counted:
    """accuracy: of messages in scope, `all` and by language.

    found_by_share / found_by_doubt: out-of-scope messages found when 5 % of the others are taken for such, by the share
    of the out-of-scope intent, and by how unsure the best other intent is; None where the set has no such messages.
    """

    train: int
    test: int
    intents: int
    accuracy: dict[str, float]
    found_by_share: float | None
    found_by_doubt: float | None
    facts: dict[str, Any] = field(default_factory=dict)


# --- the sets ---------------------------------------------------------------------------------------------------------
def held_out_set(examples: Iterable[Example], held_out: Iterable[Labelled]) -> IntentSet:
    """Lotse's own training data and held-out messages."""
    train = [{"text": one.text, "intent": one.intent, "lang": "all"} for one in examples]
    return IntentSet("held_out", train, [{"text": o.text, "intent": o.intent, "lang": o.language} for o in held_out])


def read_sets(folder: Path) -> Iterator[IntentSet]:
    """The sets of a folder of JSON lines, smallest first."""
    for path in sorted(folder.glob("*.jsonl"), key=lambda file: file.stat().st_size):
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
        train = [row for row in rows if row["split"] == "train"]
        test = [row for row in rows if row["split"] != "train"]
        if not train or not test:
            train, test = cut(rows)
        yield IntentSet(path.stem, train, test)


def cut(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Train and test. A sentence and its translations stay together; what is word for word in train is not asked."""
    sentences: dict[str, list[Row]] = defaultdict(list)
    for number, row in enumerate(rows):
        sentences[f"parallel {row['parallel_id']}" if row.get("parallel_id") else f"row {number}"].append(row)
    by_intent: dict[str, list[list[Row]]] = defaultdict(list)
    for group in sentences.values():
        by_intent[group[0]["intent"]].append(group)
    chance = random.Random(0)
    train: list[Row] = []
    test: list[Row] = []
    for _, groups in sorted(by_intent.items()):
        chance.shuffle(groups)
        held = round(len(groups) * TEST_SHARE)
        for at, group in enumerate(groups):
            (test if at < held else train).extend(group)
    known = {row["text"].casefold() for row in train}
    return train, [row for row in test if row["text"].casefold() not in known]


# --- learning and asking ----------------------------------------------------------------------------------------------
def in_process(one: IntentSet) -> Counted:
    """The model of the embedded understander, without its fallback."""
    started = time.perf_counter()
    model = new_intent_model().fit([row["text"] for row in one.train], [row["intent"] for row in one.train])
    facts: dict[str, Any] = {"train_s": time.perf_counter() - started}
    texts = [row["text"] for row in one.test]
    milliseconds = list(_timed(lambda text: model.predict_proba([text]), texts[:LATENCY_TEXTS]))
    cuts = quantiles(milliseconds, n=100, method="inclusive")
    facts |= {"p50_ms": cuts[49], "p95_ms": cuts[94]}
    names = [str(name) for name in model.classes_]
    table = [
        sorted(zip(names, map(float, row), strict=True), key=lambda p: -p[1]) for row in model.predict_proba(texts)
    ]
    return count(one, table, facts)


def _timed(ask: Callable[[str], Any], texts: Sequence[str]) -> Iterator[float]:
    for text in texts:
        started = time.perf_counter()
        ask(text)
        yield 1_000 * (time.perf_counter() - started)


def by_rasa(one: IntentSet, python: Path, pipeline: str, threads: int = 1) -> Counted:
    """Rasa's light pipeline or DIET, without HTTP between. Raises CalledProcessError, TimeoutExpired."""
    epochs = max(FEWEST_EPOCHS, min(MOST_EPOCHS, DIET_PASSES // len(one.train)))
    # Rasa reads a slash in an intent as the mark of a retrieval intent and cuts the name there, so it gets numbers.
    names = {f"i{number}": intent for number, intent in enumerate(sorted({row["intent"] for row in one.train}))}
    numbers = {intent: number for number, intent in names.items()}
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        paths = [work / file for file in ("train.jsonl", "test.jsonl", "rankings.jsonl", "facts.json")]
        trained = [{"text": row["text"], "intent": numbers[row["intent"]]} for row in one.train]
        for path, rows in zip(paths, (trained, [{"text": row["text"]} for row in one.test]), strict=False):
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        command = [str(python), str(RUNNER), pipeline, *map(str, paths), "--epochs", str(epochs)]
        env = os.environ | {"OMP_NUM_THREADS": str(threads), "MPLCONFIGDIR": name}
        subprocess.run(  # noqa: S603 - our own command
            [*command, "--threads", str(threads)], check=True, capture_output=True, cwd=work, env=env, timeout=LONGEST
        )
        facts = json.loads(paths[3].read_text("utf-8")) | ({"epochs": epochs} if pipeline == "diet" else {})
        table = [[(names[n], s) for n, s in json.loads(line)] for line in paths[2].read_text("utf-8").splitlines()]
    return count(one, table, facts)


# --- counting ---------------------------------------------------------------------------------------------------------
def count(one: IntentSet, table: Sequence[Shares], facts: dict[str, Any]) -> Counted:
    """What the shares of every test message are worth."""
    inside = [(row, shares) for row, shares in zip(one.test, table, strict=True) if row["intent"] not in OUT_OF_SCOPE]
    outside = [shares for row, shares in zip(one.test, table, strict=True) if row["intent"] in OUT_OF_SCOPE]
    right: dict[str, list[bool]] = defaultdict(list)
    for row, shares in inside:
        for name in ("all", row["lang"]):
            right[name].append(shares[0][0] == row["intent"])
    return Counted(
        train=len(one.train),
        test=len(one.test),
        intents=len({row["intent"] for row in one.train}),
        accuracy={name: sum(found) / len(found) for name, found in right.items()},
        found_by_share=_found(outside, [shares for _, shares in inside], _share),
        found_by_doubt=_found(outside, [shares for _, shares in inside], _doubt),
        facts=facts,
    )


def _share(shares: Shares) -> float:
    return sum(share for name, share in shares if name in OUT_OF_SCOPE)


def _doubt(shares: Shares) -> float:
    return 1 - max((share for name, share in shares if name not in OUT_OF_SCOPE), default=0.0)


def _found(outside: Sequence[Shares], inside: Sequence[Shares], score: Callable[[Shares], float]) -> float | None:
    """The share of messages out of scope whose score is above that of all but 5 % of the others."""
    if not outside:
        return None
    others = sorted((score(shares) for shares in inside), reverse=True)
    limit = others[int(FALSE_ALARMS * len(others))]
    return sum(score(shares) > limit for shares in outside) / len(outside)
