"""Words as they stand in sentences, brought to the form a glossary has: German verbs that were taken apart, inflected
forms that the stemmer leaves apart, English contractions; and what is no word of any language."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache

import tantivy

from kb_index.words import composed, stem_analyzer

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
# The same in every language: addresses, paths, names of files and hosts, numbers and codes, but not `2-Faktor`.
CODE = re.compile(r"\S*(?:://|@|\\|\w\.\w)\S*|/\S+|(?!\S*-[A-ZÄÖÜ]?[a-zäöüß]{3})\S*\d\S*")
CLAUSE_END = re.compile(r"(?<=[\w)\"”“'])[.?!,;:]+(?=\s|$)|\s[-–—]\s")
MARKS = "?!.,;:()[]\"'„“”‚‘’«»"
# Verbs leave these at the end of the sentence: "Wie schalte ich es aus?"
PREFIXES = frozenset({
    "ab", "an", "auf", "aus", "bei", "ein", "fest", "frei", "her", "herunter", "hin", "hinzu", "hoch", "los", "mit",
    "nach", "runter", "um", "vor", "weg", "weiter", "wieder", "zu", "zurück", "zusammen",
})  # fmt: skip
# -t and -st, which the stemmer leaves, and the ge- of participles, also behind the prefix: eingerichtet, angezeigt.
ENDING = re.compile(r"(?:s?t|te|ten|tem|ter|tes)$")
PARTICIPLE = re.compile(rf"^({'|'.join(sorted(PREFIXES, key=len, reverse=True))})?ge(?=.{{4,}}t)")
NOT = re.compile(r"(\w+)n['’]t")
WHOLE = {"ca": "can", "wo": "will", "sha": "shall"}

Known = Callable[[str], bool]  # whether the glossary has a word in this form or another one with the same stem


@cache
def analyzer_of(language: str) -> tantivy.TextAnalyzer:
    """The stemmer of a language."""
    return stem_analyzer(language)


def stem(word: str, language: str) -> str:
    """The stem of one word, as the word index has it."""
    return " ".join(analyzer_of(language).analyze(composed(word))) or word.lower()


def clauses(text: str) -> Iterator[list[str]]:
    """The text between its punctuation marks, as runs of what stands between spaces."""
    for clause in CLAUSE_END.split(composed(text)):
        if runs := clause.split():
            yield runs


def is_code(run: str) -> bool:
    """Whether a run is no word: a number, code, address, path or file name."""
    return CODE.fullmatch(run) is not None


def unmarked(run: str) -> str:
    """Without the punctuation around it."""
    return run.strip(MARKS)


def words_of(run: str, language: str) -> list[str]:
    """The words of a run. English `can't` is can and not; `it's` and German `geht's` without their end."""
    words: list[str] = WORD.findall(run)
    return [part for word in words for part in _expanded(word)] if language in ("de", "en") else words


def _expanded(word: str) -> list[str]:
    negated = NOT.fullmatch(word)
    if negated:
        return [WHOLE.get(negated[1].lower(), negated[1]), "not"]
    return re.split("['’]", word)[:1]


def join_verbs(words: Sequence[str], known: Known) -> list[str]:
    """The words of a German clause, with a verb and the prefix at its end as one word where the glossary knows that."""
    prefix = words[-1].lower() if words else ""
    if prefix not in PREFIXES:
        return list(words)
    for at, word in enumerate(words[:-1]):
        whole = prefix + word.lower()
        form = next((form for form in (whole, *inflections(whole)) if known(form)), None)
        if form and (at == 0 or not word[0].isupper()):  # inside of a sentence verbs are small
            return [*words[:at], form, *words[at + 1 : -1]]
    return list(words)


def inflections(word: str) -> Iterator[str]:
    """Infinitives that a German form may belong to: druckt, gedruckt: drucken."""
    for form in (word, PARTICIPLE.sub(r"\1", word)):
        if ENDING.search(form):
            yield ENDING.sub("en", form)
        if form.endswith("et"):
            yield form.removesuffix("et") + "en"
