"""Words and character n-grams find what people mean, whatever they type."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb_index.words import WordIndex, Written, fold


def index(language: str, *texts: str) -> WordIndex:
    words = WordIndex(language)
    words.change([Written(number, number, "", "", text) for number, text in enumerate(texts)], [])
    return words


def first(found: Mapping[int, float]) -> int:
    """What scored best; fails where nothing was found."""
    return max(found, key=lambda number: found[number])


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
    found = index(language, "ganz anderes", text).find(question, 5)
    assert list(found.words) == list(found.cover) == [1]


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
    found = index("de", "Etwas völlig Verschiedenes steht hier", text).find(question, 5)
    assert first(found.grams) == first(found.whole) == 1


def test_a_compound_no_passage_holds_is_found_by_its_parts() -> None:
    words = index("de", "Das Passwort zurücksetzen", "Den Drucker einrichten", "Die Rücksetzung dauert")
    assert words.question_stems("Druckereinrichtung") == words.question_stems("Drucker einrichten")
    assert words.question_stems("Tastaturschublade") == words.question_stems("tastaturschublade")
    assert len(words.question_stems("Tastaturschublade")) == 1
    assert words.find("Passwortrücksetzung", 5).cover.keys() == {0, 2}
    assert words.find("Passwortrücksetzung", 5).length == 2


def test_a_compound_a_passage_holds_stays_whole() -> None:
    words = index("de", "Passwort", "Portal", "Passwortportal")
    assert words.find("Passwortportal", 5).cover == {2: pytest.approx(1.0)}


def test_the_title_has_a_score_of_its_own() -> None:
    words = WordIndex("en")
    words.change([Written(1, 1, "Other", "", "The scanner is slow"), Written(2, 2, "scanner", "", "The other")], [])
    found = words.find("scanner", 5)
    assert list(found.title) == [2]
    assert found.whole.keys() == found.words.keys() == {1, 2}


def test_scores_of_articles_count_the_words_of_all_their_passages() -> None:
    words = WordIndex("en")
    parts = [
        Written(1, 7, "Printer", "", "tray"),
        Written(2, 7, "Printer", "", "paper"),
        Written(3, 8, "Mouse", "", "x"),
    ]
    words.change(parts, [])
    found = words.find("tray paper", 5)
    assert found.words.keys() == {7}
    assert found.cover.keys() == {1, 2}
    assert max(found.cover.values()) < 1


def test_rare_words_weigh_more_in_the_mass() -> None:
    words = index("en", "the printer", "the scanner", "the mouse", "the zyzzyva")
    assert words.find("zyzzyva", 5).mass > words.find("the", 5).mass


def test_cover_is_the_share_of_the_idf_mass() -> None:
    words = index("en", "printer paper", "scanner", "mouse", "lamp")
    assert words.find("printer paper", 5).cover == {0: pytest.approx(1.0)}
    assert words.find("printer lamp", 5).cover == {0: pytest.approx(0.5), 3: pytest.approx(0.5)}
    assert words.find("printer xylophone", 5).cover[0] < 0.5  # a word nobody knows weighs more than one that is known


@settings(deadline=None)
@given(st.text())
def test_cover_is_never_more_than_everything(question: str) -> None:
    found = index("en", "the printer has a paper tray", "the scanner").find(question, 5)
    assert all(0 < share <= 1.000001 for share in found.cover.values())
    assert found.mass >= 0
    assert (found.length == 0) == (found.mass == 0)


def test_length_counts_different_words() -> None:
    assert index("en", "printer").find("printer printers Printer scanner", 5).length == 2


def test_dropped_passage_is_not_found_and_replaced_one_only_by_its_new_words() -> None:
    words = index("en", "printer", "scanner")
    words.change([Written(1, 1, "", "", "mouse")], [0], [0])
    old, new = words.find("printer scanner", 5), words.find("mouse", 5)
    assert not any((old.cover, old.grams, old.words, old.whole))
    assert (list(new.cover), list(new.words)) == ([1], [1])
    assert len(words) == 1


def test_empty_index_finds_nothing() -> None:
    found = WordIndex("en").find("x", 5)
    assert not any((found.cover, found.grams, found.words, found.whole, found.title))


@settings(deadline=None)
@given(st.text())
def test_what_people_type_is_never_a_query_language(question: str) -> None:
    words = index("en", "printer AND title:x")
    found = words.find(question, 5)
    assert found.cover.keys() <= {0}
    assert found.grams.keys() <= {0}


def test_fold_joins_spellings() -> None:
    assert fold("Größe, Ärger!  Café") == " groesse aerger cafe "
    assert fold("Grösse") == fold("Gro\u0308sse")
