"""Finding ticket numbers, applications, devices and urgency by pattern and word list, as Rasa's extractor does."""

import re
from collections.abc import Iterable
from functools import cache

from nlu.examples import TrainingData, read_training_data
from nlu.port import Entity

_DIGITS = re.compile(r"\d+")


class EntityFinder:
    """Looks up the patterns and word lists of the training data; whole words only, so not "Word" in "password"."""

    def __init__(self, data: TrainingData) -> None:
        self._synonyms = data.synonyms
        self._patterns = [(kind, re.compile("|".join(many), re.IGNORECASE)) for kind, many in data.patterns.items()]
        self._patterns += [(kind, _any_of(words)) for kind, words in data.lookups.items()]

    def find(self, text: str) -> tuple[Entity, ...]:
        """All entities in the order of the text, values as Rasa would give them."""
        found = [(match.start(), kind, match[0]) for kind, one in self._patterns for match in one.finditer(text)]
        return as_entities((kind, self._synonyms.get(value.lower(), value)) for _, kind, value in sorted(found))


def as_entities(found: Iterable[tuple[str, str]]) -> tuple[Entity, ...]:
    """Pairs of kind and value as entities: ticket numbers in the form `TKT-1042`, nothing twice."""
    return tuple(dict.fromkeys(Entity(kind, _normal(kind, value)) for kind, value in found))


def _normal(kind: str, value: str) -> str:
    """`tkt 1042`, `TKT1042` and `#1042` are the ticket TKT-1042; `outlook` is Outlook, as the word list writes it."""
    digits = _DIGITS.search(value)
    if kind == "ticket_number" and digits:
        return f"TKT-{digits[0]}"
    return _spelling().get((kind, value.lower()), value)


@cache
def things() -> frozenset[str]:
    """The applications and devices of the word lists, in lower case."""
    lookups = read_training_data().lookups
    return frozenset(word.lower() for kind in ("application", "device") for word in lookups.get(kind, ()))


@cache
def _spelling() -> dict[tuple[str, str], str]:
    lookups = read_training_data().lookups
    return {(kind, word.lower()): word for kind, words in lookups.items() for word in words}


def _any_of(words: list[str]) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b", re.IGNORECASE)
