"""Rasa's ResponseSelector, its retrieval of FAQ answers: a classifier, one response an article.

It learns from examples of questions. An article has none, so its title and its headings stand for them; its text is
the response. The featurizers are those of Rasa's documented default pipeline. With a thousand responses Rasa's default
batches (64 to 256, balanced) need 25 CPU seconds an epoch: here they are 256 in the order of the data, 3 seconds. Runs
in Rasa's own environment.
"""

import argparse
import asyncio
import logging
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

from runner import Found, Row, Runner, main

PIPELINE = """recipe: default.v1
language: {language}
assistant_id: baseline
pipeline:
- name: WhitespaceTokenizer
- name: RegexFeaturizer
- name: LexicalSyntacticFeaturizer
- name: CountVectorsFeaturizer
- name: CountVectorsFeaturizer
  analyzer: char_wb
  min_ngram: 1
  max_ngram: 4
- name: ResponseSelector
  retrieval_intent: faq
  epochs: {epochs}
  batch_strategy: sequence
  batch_size: 256
  constrain_similarities: true
  random_seed: 1
"""


class ResponseSelector(Runner):
    """The score is the confidence of the response, a softmax over all of them."""

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Rasa's default is 300, its template says 100."""
        parser.add_argument("--epochs", type=int, default=200)

    def load(self) -> None:
        """TensorFlow, kept to its cores."""
        warnings.simplefilter("ignore")
        import tensorflow as tf  # noqa: PLC0415 - timed

        tf.config.threading.set_intra_op_parallelism_threads(self.options.threads)
        tf.config.threading.set_inter_op_parallelism_threads(self.options.threads)
        from rasa.core.agent import Agent  # noqa: PLC0415
        from rasa.model_training import train_nlu  # noqa: PLC0415
        from rasa.utils.log_utils import configure_structlog  # noqa: PLC0415

        configure_structlog(logging.ERROR)
        logging.getLogger("rasa").setLevel(logging.ERROR)
        self.agent_class, self.train = Agent, train_nlu

    def index(self, articles: Sequence[Row]) -> int:
        """Train; the number of examples."""
        self.articles = {f"faq/a{number}": article["id"] for number, article in enumerate(articles)}
        examples = [examples_of(article) for article in articles]
        with tempfile.TemporaryDirectory() as name:
            work = Path(name)
            (work / "config.yml").write_text(PIPELINE.format(**vars(self.options)))
            write_domain(work / "domain.yml", articles)
            write_examples(work / "nlu.yml", examples)
            model = self.train(
                str(work / "config.yml"), str(work / "nlu.yml"), str(work), domain=str(work / "domain.yml")
            )
            self.agent = self.agent_class.load(model)
        self.notes = {"epochs": self.options.epochs, "examples": sum(map(len, examples)), "responses": len(examples)}
        return sum(map(len, examples))

    def search(self, question: str) -> Found:
        """The ranking of responses; Rasa gives the first ten."""
        parsed = asyncio.run(self.agent.parse_message(question))
        selected = parsed["response_selector"]
        ranking = next((one["ranking"] for one in selected.values() if isinstance(one, dict)), [])
        return Found([(self.articles[one["intent_response_key"]], float(one["confidence"])) for one in ranking])


def examples_of(article: Row) -> list[str]:
    """Title and headings on one line each, without what Rasa would read as an annotation."""
    texts = dict.fromkeys(plain(text) for text in [article["title"], *article["headings"]])
    return [text for text in texts if text] or [article["id"]]


def plain(text: str) -> str:
    """No brackets, no line breaks."""
    return " ".join(text.translate(str.maketrans("[](){}", "      ")).split())


def write_domain(path: Path, articles: Sequence[Row]) -> None:
    """The responses are what the selector may choose from; their text is not what it learns from."""
    lines = ['version: "3.1"', "intents: [faq]", "responses:"]
    for number, _ in enumerate(articles):
        lines += [f"  utter_faq/a{number}:", f'  - text: "article {number}"']
    path.write_text("\n".join(lines) + "\n", "utf-8")


def write_examples(path: Path, examples: Sequence[Sequence[str]]) -> None:
    """Rasa's training format."""
    lines = ['version: "3.1"', "nlu:"]
    for number, texts in enumerate(examples):
        lines += [f"- intent: faq/a{number}", "  examples: |", *(f"    - {text}" for text in texts)]
    path.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main(ResponseSelector)
