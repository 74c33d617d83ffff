"""Rasa and the embedded understander side by side on the held-out messages, and intent models on public sets.

    python -m benchmarks.understanding [--rasa .venv-rasa] [--models var/nlu] [--intents FOLDER] [--diet] [--json]

First both understanders as they run in Lotse, with fallback, Rasa over HTTP. Then the intent models alone, without
fallback: in this process, Rasa's light pipeline and DIET, on the held-out messages; with `--intents` (a folder of JSON
lines: text, intent, lang, split) the first two also on every set there, and with `--diet` DIET too, which takes half an
hour or more. DIET's epochs are limited (`intent_sets.DIET_PASSES`; Rasa's default is 300, its template says 100).
Without `.venv-rasa` (see `python -m nlu.environment`) only what runs in this process is measured.
"""

import argparse
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any

from benchmarks.baseline_runs.intent_sets import Counted, IntentSet, by_rasa, held_out_set, in_process, read_sets
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
    if not options.json:
        _print(facts, results)
    counted: dict[str, dict[str, Any]] = {}
    for set_name, model, found in _intent_models(options, environment, held_out):
        counted.setdefault(set_name, {})[model] = asdict(found)
        if not options.json:
            _print_counted(set_name, model, found)
    if options.json:
        plain = {name: _plain(result) for name, result in results.items()}
        print(json.dumps(facts | plain | {"intent_models": counted}, indent=2))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rasa", type=Path, default=ROOT / ".venv-rasa")
    parser.add_argument("--models", type=Path, default=ROOT / "var" / "nlu")
    parser.add_argument("--messages", type=Path, default=ROOT / "tests" / "nlu" / "held_out.yml")
    parser.add_argument("--intents", type=Path, help="a folder of public intent sets")
    parser.add_argument("--sets", help="only these, with commas between; held_out is one")
    parser.add_argument("--diet", action="store_true", help="DIET on the public sets too")
    parser.add_argument("--threads", type=int, default=1, help="cores that Rasa may use on the intent models")
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


def _intent_models(
    options: argparse.Namespace, environment: Environment, held_out: list[Labelled]
) -> Iterator[tuple[str, str, Counted]]:
    """Set, model, and what was counted, one after the other."""
    wanted = options.sets.split(",") if options.sets else None
    own = held_out_set(read_training_data().examples, held_out)
    public = read_sets(options.intents) if options.intents else ()
    sets = [one for one in (own, *public) if not wanted or one.name in wanted]
    for one in sets:
        yield one.name, "in process", in_process(one)
        if environment.is_ready():
            yield from _rasa_models(one, environment, options.threads, diet=options.diet or one is own)


def _rasa_models(
    one: IntentSet, environment: Environment, threads: int, *, diet: bool
) -> Iterator[tuple[str, str, Counted]]:
    for pipeline in ("light", "diet") if diet else ("light",):
        try:
            yield one.name, f"Rasa {pipeline}", by_rasa(one, environment.python, pipeline, threads)
        except subprocess.TimeoutExpired as error:
            print(f"{one.name}, Rasa {pipeline}: left out, not done after {error.timeout:.0f} s")
        except subprocess.CalledProcessError as error:
            last = error.stderr.decode(errors="replace").strip()[-300:]
            print(f"{one.name}, Rasa {pipeline}: failed ({error.returncode}), {last}")


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


def _print_counted(set_name: str, model: str, found: Counted) -> None:
    """Two lines a model."""
    shares = "  ".join(f"{name} {share:.3f}" for name, share in found.accuracy.items())
    print(f"{set_name}, {model}: {found.train} trained, {found.test} asked, {found.intents} intents; accuracy {shares}")
    rest = [f"{name} {value:.2f}" for name, value in found.facts.items()]
    if found.found_by_share is not None and found.found_by_doubt is not None:
        rest.append(f"out of scope found at 5 % false alarms: by its share {found.found_by_share:.2f},")
        rest.append(f"by doubt {found.found_by_doubt:.2f}")
    print("  " + "  ".join(rest), flush=True)


if __name__ == "__main__":
    main()
