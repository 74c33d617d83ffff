"""Tells whether two questions are the same: by their sorted word stems, without words that carry no topic."""

import unicodedata
from functools import cache

import tantivy

from kb_index.readers import clean_text
from kb_index.words import stem_analyzer

KEY_CHARACTERS = 500
QUESTION_CHARACTERS = 2_000
# Without a topic: "Wie kann ich mein Passwort zurücksetzen?" and "Passwort zurücksetzen" are one question.
FILLERS = {
    "de": (
        "aber als am an auch auf aus bei bin bitte das dass dem den der des die diese dieser ein eine einem einen "
        "einer er es für geht habe haben hallo hat hier ich ihr im in ist kann kein können man mein meine meinem "
        "meinen mich mir mit muss nach noch oder sehr sich sie sind so und uns unser von vom war was wenn wer wie wir "
        "wird wo zu zum zur danke mal denn da hi moin guten tag morgen"
    ),
    "en": (
        "a about am an and any are as at be been but by can could do does for from had has have hello help hi how i "
        "if in is it its me my of on or our please should so some thank thanks that the their there this to us was we "
        "what when where which who why will with would you your"
    ),
}


def group_key(question: str, language: str) -> str:
    """The sorted word stems of a question without its fillers; the question itself when nothing is left."""
    text = unicodedata.normalize("NFC", clean_text(question[:QUESTION_CHARACTERS])).lower()
    analyzer, fillers = stems_and_fillers(language)
    stems = set(analyzer.analyze(text))
    return (" ".join(sorted(stems - fillers or stems)) or text.strip())[:KEY_CHARACTERS]


@cache
def stems_and_fillers(language: str) -> tuple[tantivy.TextAnalyzer, frozenset[str]]:
    """The stemmer of a language, and its filler words by their stems."""
    analyzer = stem_analyzer(language)
    return analyzer, frozenset(analyzer.analyze(FILLERS.get(language, "")))


def has_topic(question: str, language: str) -> bool:
    """Whether it says more than "hello, can you help me"."""
    analyzer, fillers = stems_and_fillers(language)
    return bool(set(analyzer.analyze(question.lower())) - fillers)
