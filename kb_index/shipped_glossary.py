"""The glossaries that come with Lotse: the everyday words of a helpdesk."""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from kb_index.glossary import Glossary, Translation, form_key
from kb_index.word_forms import stem, words_of

BY_PLACE = (1.0, 0.7, 0.5)  # the weight of a word's first, second and further translations


def shipped_glossary(source: str, target: str) -> Glossary:
    """What comes with Lotse for these languages; without entries for languages it does not know."""
    return shipped_glossaries().get((source, target), Glossary(source, target))


@cache
def shipped_glossaries() -> dict[tuple[str, str], Glossary]:
    """All that come with Lotse, by source and target."""
    there = read_glossary_file(files("kb_index").joinpath("glossaries/it_de_en.tsv").read_text("utf-8"))
    # In the other direction single words go before phrases that mean the same.
    back = sorted(((en, de, place) for de, en, place in there), key=lambda row: (row[2], len(row[1].split())))
    return {("de", "en"): glossary_by_hand("de", "en", there), ("en", "de"): glossary_by_hand("en", "de", back)}


def read_glossary_file(text: str) -> list[tuple[str, str, int]]:
    """Word, translation, and the translation's place in its line, from 0. Lines with # are comments."""
    lines = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return [(word, other, place) for word, others in lines for place, other in enumerate(others.split(", "))]


def glossary_by_hand(source: str, target: str, rows: Iterable[tuple[str, str, int]]) -> Glossary:
    """From words or phrases with one translation each, and its place among the word's translations."""
    by_stem: dict[str, dict[str, Translation]] = {}
    by_form: dict[str, dict[str, dict[str, Translation]]] = {}
    for word, surface, place in rows:
        key, meaning = stems_of(word, source), stems_of(surface, target)
        translation = Translation(surface, BY_PLACE[min(place, len(BY_PLACE) - 1)])
        by_stem.setdefault(key, {}).setdefault(meaning, translation)
        by_form.setdefault(key, {}).setdefault(form_key(word), {}).setdefault(meaning, translation)
    mixed = {form: found for forms in by_form.values() if differ(forms.values()) for form, found in forms.items()}
    return Glossary(source, target, {key: best_first(found.values()) for key, found in {**by_stem, **mixed}.items()})


def differ(meanings: Iterable[Iterable[str]]) -> bool:
    """Whether words with the same stem mean different things first of all."""
    return len({next(iter(some)) for some in meanings}) > 1


def best_first(found: Iterable[Translation]) -> tuple[Translation, ...]:
    """The most usual first."""
    return tuple(sorted(found, key=lambda t: -t.weight))


def stems_of(text: str, language: str) -> str:
    """The key of a word or phrase."""
    return " ".join(stem(word, language) for word in words_of(text, language))
