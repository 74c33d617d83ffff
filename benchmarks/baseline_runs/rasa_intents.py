"""Intents by Rasa, in Rasa's own environment: trained on labelled texts, asked about others.

    python rasa_intents.py light|diet TRAIN TEST RANKINGS FACTS [--epochs 50] [--threads 1] [--language en]

TRAIN: JSON lines with text and intent; TEST: with text. RANKINGS: JSON lines, each a list of [intent, confidence], best
first. light is the pipeline Lotse ships (nlu/rasa), without its fallback and its entities; diet is Rasa's documented
default pipeline (word and character n-gram counts, DIETClassifier), without entities.
"""

import argparse
import asyncio
import json
import logging
import sys
import tempfile
import time
import warnings
from pathlib import Path
from statistics import quantiles
from typing import Any

from runner import peak_mb, read_lines

sys.path.append(str(Path(__file__).parents[2] / "nlu" / "rasa"))  # intent_classifier
WARM_UP = 20
LIGHT = """recipe: default.v1
assistant_id: baseline
language: {language}
pipeline:
- name: WhitespaceTokenizer
- name: intent_classifier.TextIntentClassifier
"""
DIET = """recipe: default.v1
assistant_id: baseline
language: {language}
pipeline:
- name: WhitespaceTokenizer
- name: RegexFeaturizer
- name: LexicalSyntacticFeaturizer
- name: CountVectorsFeaturizer
- name: CountVectorsFeaturizer
  analyzer: char_wb
  min_ngram: 1
  max_ngram: 4
- name: DIETClassifier
  epochs: {epochs}
  constrain_similarities: true
  entity_recognition: false
  ranking_length: 0
  random_seed: 1
"""


def main() -> None:
    """Train, ask, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pipeline", choices=["light", "diet"])
    for name in ("train", "test", "rankings", "facts"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--language", default="en")
    options = parser.parse_args()
    use_threads(options.threads)
    started = time.perf_counter()
    agent = trained(options)
    facts = {"train_s": time.perf_counter() - started}
    texts = [row["text"] for row in read_lines(options.test)]
    rankings, milliseconds = asyncio.run(ask(agent, texts))
    cuts = quantiles(milliseconds, n=100, method="inclusive")
    options.rankings.write_text("".join(json.dumps(ranking) + "\n" for ranking in rankings), "utf-8")
    facts |= {"p50_ms": cuts[49], "p95_ms": cuts[94], "peak_mb": peak_mb()}
    options.facts.write_text(json.dumps(facts) + "\n", "utf-8")


def use_threads(number: int) -> None:
    """TensorFlow takes no more cores than these."""
    warnings.simplefilter("ignore")
    import tensorflow as tf  # noqa: PLC0415 - seconds

    tf.config.threading.set_intra_op_parallelism_threads(number)
    tf.config.threading.set_inter_op_parallelism_threads(number)


def trained(options: argparse.Namespace) -> Any:
    """An agent with a freshly trained model."""
    from rasa.core.agent import Agent  # noqa: PLC0415 - seconds
    from rasa.model_training import train_nlu  # noqa: PLC0415
    from rasa.utils.log_utils import configure_structlog  # noqa: PLC0415

    configure_structlog(logging.ERROR)
    logging.getLogger("rasa").setLevel(logging.ERROR)
    rows = read_lines(options.train)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        config = DIET if options.pipeline == "diet" else LIGHT
        (work / "config.yml").write_text(config.format(language=options.language, epochs=options.epochs), "utf-8")
        write_examples(work / "nlu.json", rows)
        return Agent.load(train_nlu(str(work / "config.yml"), str(work / "nlu.json"), str(work)))


def write_examples(path: Path, rows: list[dict[str, Any]]) -> None:
    """Rasa's JSON format: it takes any text as it is."""
    examples = [{"text": row["text"], "intent": row["intent"]} for row in rows]
    path.write_text(json.dumps({"rasa_nlu_data": {"common_examples": examples}}), "utf-8")


async def ask(agent: Any, texts: list[str]) -> tuple[list[list[tuple[str, float]]], list[float]]:
    """Rankings and milliseconds, one text after the other; the first few are asked twice."""
    rankings, milliseconds = [], []
    for number, text in enumerate([*texts[:WARM_UP], *texts]):
        started = time.perf_counter()
        parsed = await agent.parse_message(text)
        if number >= min(WARM_UP, len(texts)):
            milliseconds.append(1_000 * (time.perf_counter() - started))
            rankings.append([(one["name"], one["confidence"]) for one in parsed["intent_ranking"]])
    return rankings, milliseconds


if __name__ == "__main__":
    main()
