"""Rasa and the embedded understander side by side on the held-out messages.

    python -m benchmarks.understanding [--rasa .venv-rasa] [--models var/nlu] [--json]

Without `.venv-rasa` (see `python -m nlu.environment`) only the embedded understander is measured.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any

from nlu.embedded import EmbeddedUnderstander
from nlu.environment import Environment
from nlu.examples import read_training_data
from nlu.measure import COSTLY, Labelled, Measured, measure, read_labelled
from nlu.port import Understander
from nlu.rasa_process import RasaProcess
from nlu.rasa_server import RasaServer
from nlu.training import train

ROOT = Path(__file__).parents[1]
WARM_UP, ROUNDS = 50, 3


def main() -> None:
    options = _options()
    held_out = read_labelled(options.messages)
    results = {"embedded": _measured(_timed("train_s", EmbeddedUnderstander), held_out)}
    environment = Environment(options.rasa.absolute())
    if environment.is_ready():
        results["rasa"] = _with_rasa(environment, options.models, held_out)
    facts = {"messages": len(held_out), "training_examples": len(read_training_data().examples)}
    if options.json:
        print(json.dumps(facts | {name: _plain(result) for name, result in results.items()}, indent=2))
    else:
        _print(facts, results)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rasa", type=Path, default=ROOT / ".venv-rasa")
    parser.add_argument("--models", type=Path, default=ROOT / "var" / "nlu")
    parser.add_argument("--messages", type=Path, default=ROOT / "tests" / "nlu" / "held_out.yml")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


Result = dict[str, Any]


def _timed(name: str, make: Callable[[], Understander]) -> tuple[Understander, Result]:
    start = perf_counter()
    made = make()
    return made, {name: perf_counter() - start}


def _measured(made: tuple[Understander, Result], held_out: list[Labelled]) -> Result:
    understander, facts = made
    for one in held_out[:WARM_UP]:
        understander.parse(one.text)
    latencies = [_milliseconds(understander, one.text) for _ in range(ROUNDS) for one in held_out]
    cuts = quantiles(latencies, n=100)
    return facts | {"measured": measure(understander, held_out), "p50_ms": cuts[49], "p95_ms": cuts[94]}


def _milliseconds(understander: Understander, text: str) -> float:
    start = perf_counter()
    understander.parse(text)
    return 1_000 * (perf_counter() - start)


def _with_rasa(environment: Environment, models: Path, held_out: list[Labelled]) -> Result:
    start = perf_counter()
    model = train(environment, models, force=True)
    trained = perf_counter()
    process = RasaProcess(environment, model)
    process.start()
    try:
        if not process.wait_ready(120):
            raise SystemExit("Rasa did not become ready")
        facts = {"train_s": trained - start, "ready_s": perf_counter() - trained}
        with RasaServer(process.url, process.token) as server:
            return _measured((server, facts), held_out) | {"memory_mb": _memory_mb(process.pid)}
    finally:
        process.stop()


def _memory_mb(pid: int | None) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1_024


def _plain(result: Result) -> Result:
    measured = asdict(result["measured"])
    measured["mistakes"] = {
        f"{meant} -> {got}": many for (meant, got), many in result["measured"].mistakes.most_common()
    }
    return result | {"measured": measured}


def _print(facts: dict[str, int], results: dict[str, Result]) -> None:
    print(f"{facts['messages']} held-out messages, {facts['training_examples']} training examples\n")
    for name, result in results.items():
        measured: Measured = result["measured"]
        shares = "  ".join(f"{group} {share:.3f}" for group, share in measured.accuracy.items())
        print(f"{name}: accuracy {shares}   macro F1 {measured.macro_f1:.3f}")
        print("  " + "  ".join(f"{key} {value:.2f}" for key, value in result.items() if isinstance(value, float)))
        for intent in (*COSTLY, "report_outage", "out_of_scope"):
            score = measured.scores[intent]
            print(f"  {intent:18s} precision {score.precision:.2f}  recall {score.recall:.2f}  of {score.messages}")
        print("  most frequent mistakes (meant -> understood):")
        for (meant, understood), many in measured.mistakes.most_common(8):
            print(f"    {meant} -> {understood}: {many}")
        print()


if __name__ == "__main__":
    main()
