"""Questions are translated word by word."""

import json
from importlib.resources import files

import pytest

from kb_index.alignment import Segment
from kb_index.glossary import Glossary, Translation
from kb_index.glossary_learning import glossary_of
from kb_index.shipped_glossary import glossary_by_hand, read_glossary_file, shipped_glossary
from kb_index.word_forms import inflections, is_code
from kb_index.word_pairs import learn_word_pairs

GERMAN = glossary_by_hand(
    "de", "en",
    [
        ("wie", "how", 0), ("prüfen", "check", 0), ("Drucker", "printer", 0), ("Netz", "network", 0),
        ("Laufwerk", "drive", 0), ("einrichten", "set up", 0),
        ("Bildschirm", "screen", 0), ("Bildschirm", "monitor", 1),
        ("guten Tag", "hello", 0), ("Tag", "day", 0), ("ausschalten", "turn off", 0), ("aus", "from", 0),
        ("Faktor", "factor", 0), ("und", "and", 0),
    ],
)  # fmt: skip
LEXICON = {
    "drucker": "printer", "maus": "mouse", "netz": "network", "rot": "red", "neu": "new", "kabel": "cable",
    "das": "the", "ist": "is",
}  # fmt: skip


def toy_segments() -> list[Segment]:
    """Every thing with every property: only co-occurrence over all segments tells which word means which."""
    sentences = [f"das {thing} ist {how}" for thing in ("drucker", "maus", "netz", "kabel") for how in ("rot", "neu")]
    return [Segment(s, " ".join(LEXICON[word] for word in s.split())) for s in [*sentences, "drucker", "ist neu"]]


def test_toy_lexicon_is_recovered_in_both_directions() -> None:
    there = glossary_of(toy_segments(), "de", "en")
    back = glossary_of([Segment(s.target, s.source) for s in toy_segments()], "en", "de")
    things = {"drucker", "maus", "netz", "kabel", "rot", "neu"}
    assert {word: there.translate(word) for word in things} == {word: LEXICON[word] for word in things}
    assert {word: back.translate(LEXICON[word]) for word in things} == {word: word for word in things}


def test_words_that_only_one_direction_believes_in_are_dropped() -> None:
    pairs = learn_word_pairs([([1, 2], [1, 2]), ([1, 3], [1, 3]), ([1], [1]), ([2], [2]), ([3], [3])])
    best = {(int(s), int(t)): score for s, t, score in zip(pairs.sources, pairs.targets, pairs.scores, strict=True)}
    assert all(best[n, n] > 0.8 for n in (1, 2, 3))
    assert all(score < 0.2 for (s, t), score in best.items() if s != t)


def test_nothing_is_learned_from_nothing() -> None:
    assert not glossary_of([], "de", "en")
    assert not glossary_of([Segment("", "text"), Segment("404", "404")], "de", "en")


@pytest.mark.parametrize(
    ("question", "translation"),
    [
        ("Wie Drucker einrichten?", "how printer set up"),
        ("Netzlaufwerk", "network drive"),
        ("geprüft", "check"),
        ("Bildschirme", "screen monitor"),
        ("Guten Tag, Drucker", "hello printer"),
        ("Wie schalte ich den Bildschirm aus?", "how turn off ich den screen monitor"),
        ("Wie richte ich Contoso ein?", "how set up ich Contoso"),
        ("2-Faktor", "2 factor"),
        ("", ""),
        ("?!", ""),
    ],
)
def test_question_is_translated_word_by_word(question: str, translation: str) -> None:
    assert GERMAN.translate(question) == translation


@pytest.mark.parametrize(
    "kept", ["0x80070005", "KB5021233", "C:\\Windows\\netz.txt", "/home/netz", "it@drucker.de", "netz.exe", "10.0.0.1"]
)
def test_codes_paths_and_addresses_stay_as_they_are(kept: str) -> None:
    assert is_code(kept)
    assert GERMAN.translate(f"Drucker {kept}.") == f"printer {kept}"


def test_names_stay_as_they_are() -> None:
    assert GERMAN.translate("Drucker Contoso für Müller") == "printer Contoso für Müller"


def test_second_translation_is_shown_only_when_nearly_as_probable() -> None:
    sure = Glossary("de", "en", {"netz": (Translation("network", 0.9), Translation("grid", 0.1))})
    unsure = Glossary("de", "en", {"netz": (Translation("network", 0.5), Translation("grid", 0.4))})
    assert (sure.translate("Netz"), unsure.translate("Netz")) == ("network", "network grid")


def test_terms_carry_weights() -> None:
    assert GERMAN.terms("Bildschirm Contoso") == [("screen", 1.0), ("monitor", 0.7), ("Contoso", 1.0)]


def test_own_entries_win_over_the_prior() -> None:
    own = Glossary("de", "en", {"netz": (Translation("grid", 0.3),)})
    assert own.over(GERMAN).translate("Netz Drucker") == "grid printer"


def test_words_that_only_share_their_stem_are_told_apart() -> None:
    rows = [("sich", "itself", 0), ("sicher", "secure", 0), ("Kabel", "cable", 0), ("Kabeln", "cables", 0)]
    glossary = glossary_by_hand("de", "en", rows)
    assert glossary.translate("Sicher Kabeln") == "secure cable"
    assert glossary.translate("sich") == "itself"


def test_contractions_are_two_words() -> None:
    english = glossary_by_hand("en", "de", [("can", "kann", 0), ("not", "nicht", 0), ("it", "es", 0)])
    assert english.translate("it's I can't") == "es I kann nicht"


def test_glossary_survives_json() -> None:
    assert Glossary.from_json(json.loads(json.dumps(GERMAN.to_json()))) == GERMAN


def test_inflected_verbs_lead_to_their_infinitive() -> None:
    assert {"drucken"} <= set(inflections("gedruckt")) & set(inflections("druckt"))
    assert "einrichten" in set(inflections("eingerichtet"))


def test_shipped_glossary_is_well_formed_and_large() -> None:
    lines = files("kb_index").joinpath("glossaries/it_de_en.tsv").read_text("utf-8").splitlines()
    words = [line.split("\t")[0] for line in lines if not line.startswith("#")]
    assert len(words) >= 900
    assert words == sorted(set(words), key=lambda word: (word.lower(), word))
    assert all(len(line.split("\t")) == 2 and line == line.strip() for line in lines if not line.startswith("#"))
    assert len(read_glossary_file("\n".join(lines))) >= len(words)


@pytest.mark.parametrize(
    ("source", "target", "question", "held"),
    [
        ("de", "en", "Wie kann ich mein Passwort zurücksetzen?", {"how", "password", "reset"}),
        ("de", "en", "Mein Bildschirm hängt", {"screen", "freezes"}),
        ("en", "de", "How do I set up an out of office reply?", {"einrichten", "Abwesenheitsnotiz"}),
        ("en", "de", "map drive failed", {"Laufwerk", "verbinden", "fehlgeschlagen"}),
    ],
)
def test_shipped_glossary_knows_everyday_questions(source: str, target: str, question: str, held: set[str]) -> None:
    assert held <= set(shipped_glossary(source, target).translate(question).split())


def test_other_languages_have_no_shipped_glossary() -> None:
    assert not shipped_glossary("fr", "de")
    assert shipped_glossary("fr", "de").translate("mot de passe") == "mot de passe"
