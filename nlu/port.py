"""What understanding means to the rest of Lotse."""

from dataclasses import dataclass
from typing import Literal, Protocol

Language = Literal["de", "en"]


@dataclass(frozen=True)
class Entity:
    """A named thing in a message: kind is `ticket_number`, `application`, `device` or `urgency`."""

    kind: str
    value: str


@dataclass(frozen=True)
class Understanding:
    """What a message wants.

    intent: one of the intents of `nlu/rasa/domain.yml`, or `unclear`.
    confidence: the classifier's share for it, 0 to 1; not a probability, never shown to people.
    understander: who said so, `rasa` or `embedded`.
    """

    intent: str
    confidence: float
    entities: tuple[Entity, ...] = ()
    understander: str = "embedded"

    def values(self, kind: str) -> tuple[str, ...]:
        """The values of all entities of one kind, in the order of the text."""
        return tuple(entity.value for entity in self.entities if entity.kind == kind)


class Understander(Protocol):
    """Anything that can tell what a message wants."""

    def parse(self, text: str) -> Understanding:
        """Understand one message (any length, may be empty). Raises UnderstanderAway when it cannot answer."""
        ...


class UnderstanderAway(Exception):  # noqa: N818 - it is a state, and reads as one
    """The understander cannot answer now; another one has to."""
