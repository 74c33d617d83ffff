"""Words and character n-grams find what people mean, whatever they type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_index.words import WordIndex, Written, fold


def index(language: str, *texts: str) -> WordIndex:
    words = WordIndex(language)
    words.change([Written(number, "", "", text) for number, text in enumerate(texts)], [])
    return words


@pytest.mark.parametrize(
    ("language", "text", "question"),
    [
        ("de", "Die Passwörter zurücksetzen", "Passwort"),
        ("de", "Wählen Sie das Netzwerk", "Netzwerke wählen"),
        ("en", "Printing documents", "how do I print a document"),
        ("fr", "Imprimer un document", "document"),
    ],
)
def test_inflected_words_meet(language: str, text: str, question: str) -> None:
    assert list(index(language, "ganz anderes", text).words(question, 5).scores) == [1]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Passwortrücksetzung", "Passwort zurücksetzen"),
        ("Das Gerät ist heiß", "das geraet ist heiss"),
        ("Bildschirmauflösung", "auflösung vom bildschirm"),
        ("Druckerwarteschlange", "Warteschlage Drucker"),
    ],
)
def test_compounds_spellings_and_typos_meet_by_grams(text: str, question: str) -> None:
    found = index("de", "Etwas völlig Verschiedenes steht hier", text).grams(question, 5).scores
    assert next(iter(found)) == 1


def test_title_counts_more_than_body() -> None:
    words = WordIndex("en")
    words.change([Written(1, "Other", "", "The vpn is slow"), Written(2, "vpn", "", "The other is slow")], [])
    assert next(iter(words.words("vpn", 5).scores)) == 2


def test_rare_words_weigh_more_in_the_mass() -> None:
    words = index("en", "the printer", "the scanner", "the mouse", "the zyzzyva")
    assert words.words("zyzzyva", 5).mass > words.words("the", 5).mass


def test_dropped_passage_is_not_found_and_replaced_one_only_by_its_new_words() -> None:
    words = index("en", "printer", "scanner")
    words.change([Written(1, "", "", "mouse")], [0])
    assert words.words("printer scanner", 5).scores == {}
    assert list(words.words("mouse", 5).scores) == [1]
    assert len(words) == 1


def test_empty_index_finds_nothing() -> None:
    assert WordIndex("en").words("x", 5).scores == {}


@given(st.text())
def test_what_people_type_is_never_a_query_language(question: str) -> None:
    words = index("en", "printer AND title:x")
    words.words(question, 5)
    words.grams(question, 5)


def test_fold_joins_spellings() -> None:
    assert fold("Größe, Ärger!  Café") == " groesse aerger cafe "
    assert fold("Grösse") == fold("Gro\u0308sse")
