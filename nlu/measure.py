"""How well an understander understands: counted on labelled messages it was not trained on."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import yaml
from sklearn.metrics import precision_recall_fscore_support

from nlu.port import Language, Understander

COSTLY = ("cancel", "security_incident", "talk_to_human")
"""Intents whose confusion costs somebody something: work lost, an incident missed, a person refused."""


@dataclass(frozen=True)
class Labelled:
    """A message and what it means."""

    text: str
    intent: str
    language: Language


@dataclass(frozen=True)
class Score:
    """Precision and recall of one intent, 0 to 1, and how many messages have it."""

    precision: float
    recall: float
    messages: int


@dataclass(frozen=True)
class Measured:
    """accuracy per "all", "de", "en"; `unclear` counts as wrong. mistakes: (meant, understood) -> how often."""

    accuracy: dict[str, float]
    macro_f1: float
    scores: dict[str, Score]
    mistakes: Counter[tuple[str, str]]


def read_labelled(path: Path) -> list[Labelled]:
    """A file with a list of `intent`, `language`, `messages`."""
    blocks = yaml.safe_load(path.read_text("utf-8"))
    return [Labelled(text, block["intent"], block["language"]) for block in blocks for text in block["messages"]]


def measure(understander: Understander, labelled: list[Labelled]) -> Measured:
    """Ask about every message. Raises UnderstanderAway when the understander does."""
    meant = [one.intent for one in labelled]
    understood = [understander.parse(one.text).intent for one in labelled]
    intents = sorted(set(meant))
    precision, recall, f1, count = precision_recall_fscore_support(meant, understood, labels=intents, zero_division=0)
    rows = zip(intents, precision, recall, count, strict=True)
    return Measured(
        accuracy=_accuracy(labelled, understood),
        macro_f1=float(f1.mean()),
        scores={intent: Score(float(right), float(found), int(number)) for intent, right, found, number in rows},
        mistakes=Counter(pair for pair in zip(meant, understood, strict=True) if pair[0] != pair[1]),
    )


def _accuracy(labelled: list[Labelled], understood: list[str]) -> dict[str, float]:
    right = [(one.language, one.intent == intent) for one, intent in zip(labelled, understood, strict=True)]
    groups = {"all": [ok for _, ok in right]} | {lang: [ok for of, ok in right if of == lang] for lang in ("de", "en")}
    return {name: sum(group) / len(group) for name, group in groups.items() if group}
