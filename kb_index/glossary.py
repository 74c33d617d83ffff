"""Questions word by word in another language, to be searched there as if they had been asked in it.

The words come from two places: the knowledge base's own pairs of articles (kb_index/glossary_learning.py), which win,
and kb_index/glossaries (kb_index/shipped_glossary.py), the everyday words of a helpdesk. Dictionary-based translation
of questions, compounds by their parts: Pirkola, Hedlund, Keskustalo, Järvelin: Dictionary-Based Cross-Language
Information Retrieval: Problems, Methods, and Research Findings, Information Retrieval 4, 2001. Function words are
translated too: without them the embedding of a question was measured to find less.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kb_index.compounds import split_compound
from kb_index.word_forms import clauses, inflections, is_code, join_verbs, stem, unmarked, words_of

PHRASE_WORDS = 4  # the longest run of words that is looked up as one
COMPOUND_LETTERS = 60  # of a word that is taken for a compound
SHOWN = 2  # translations of one word
NEARLY = 0.4  # a second translation is shown when it is at least this share as probable as the best


class Translation(NamedTuple):
    """A word or phrase of the target language as it is usually written, and how probable it is: 0 to 1."""

    surface: str
    weight: float


Translations = tuple[Translation, ...]


@dataclass(frozen=True)
class Glossary:
    """The words of one language in another. Safe to use from many threads.

    entries: translations, best first, by the stem of a word; of a phrase by its stems with a space between; of a word
    that has its stem in common with one that means something else by its form: see `form_key`.
    """

    source: str
    target: str
    entries: Mapping[str, Translations] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.entries)

    def translate(self, text: str) -> str:
        """The text word by word in the other language. Unknown words, names, numbers and codes stay as they are."""
        return " ".join(surface for surface, _ in self.terms(text))

    def terms(self, text: str) -> list[tuple[str, float]]:
        """The words of the translation in their order, each with its weight: 0 to 1, and 1 for what stays as it is."""
        return [(t.surface, t.weight) for found in self._found(text) for t in found]

    def over(self, prior: "Glossary") -> "Glossary":
        """This one, and the prior's for what is not in it."""
        return Glossary(self.source, self.target, {**prior.entries, **self.entries})

    def knows(self, word: str) -> bool:
        """Whether it has this word, in any form that has the same stem."""
        return stem(word, self.source) in self.entries

    def _found(self, text: str) -> Iterator[Translations]:
        for clause in clauses(text):
            words: list[str] = []
            for run in clause:
                if is_code(run):
                    yield from self._spoken(words)
                    yield as_it_is(unmarked(run))
                    words = []
                else:
                    words += words_of(run, self.source)
            yield from self._spoken(words)

    def _spoken(self, words: Sequence[str]) -> Iterator[Translations]:
        """Words without a code between them, the longest known phrases first."""
        words = join_verbs(words, self.knows) if self.source == "de" else words
        stems = [stem(word, self.source) for word in words]
        at = 0
        while at < len(words):
            lengths = range(min(PHRASE_WORDS, len(words) - at), 1, -1)
            length = next((n for n in lengths if " ".join(stems[at : at + n]) in self.entries), 1)
            form, key = form_key(words[at]), " ".join(stems[at : at + length])
            key = form if length == 1 and form in self.entries else key
            yield self._shown(key) if key in self.entries else self._unknown(words[at])
            at += length

    def _shown(self, key: str) -> Translations:
        known = self.entries[key]
        return tuple(t for t in known[:SHOWN] if t.weight >= NEARLY * known[0].weight)

    def _unknown(self, word: str) -> Translations:
        """By another form of the word, else by its parts, else as it is."""
        if self.source != "de":
            return as_it_is(word)
        form = next((form for form in inflections(word.lower()) if self.knows(form)), None)
        if form:
            return self._shown(stem(form, self.source))
        parts = split_compound(word.lower()[:COMPOUND_LETTERS], self.knows)
        if len(parts) < 2:
            return as_it_is(word)
        return tuple(self.entries[stem(part, self.source)][0] for part in parts)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        entries = {key: [[t.surface, round(t.weight, 3)] for t in found] for key, found in self.entries.items()}
        return {"source": self.source, "target": self.target, "entries": entries}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Glossary":
        """The glossary that to_json wrote."""
        entries = {key: tuple(Translation(*one) for one in found) for key, found in data["entries"].items()}
        return cls(data["source"], data["target"], entries)


def form_key(word: str) -> str:
    """The key of this very form: `sicher` and `sich`, `Fehler` and `fehlen` have one stem each."""
    return f"={word.lower()}"


def as_it_is(text: str) -> Translations:
    """What is not translated."""
    return (Translation(text, 1.0),) if text else ()
