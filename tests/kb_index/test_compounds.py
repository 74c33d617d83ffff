"""German compounds become the words they are made of, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_index.compounds import LINKS, MOST_PARTS, split_compound

KNOWN = frozenset(
    """
    passwort rücksetzung drucker warteschlange netz netzwerk werk kabel arbeit platz konto benutzer auflösung
    bildschirm urlaub antrag seite kündigung frist rechner spiel haus
    """.split()  # noqa: SIM905 - a list of words
)


def knows(word: str) -> bool:
    return word in KNOWN


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("passwortrücksetzung", ("passwort", "rücksetzung")),
        ("druckerwarteschlange", ("drucker", "warteschlange")),
        ("bildschirmauflösung", ("bildschirm", "auflösung")),
        ("arbeitsplatz", ("arbeit", "platz")),  # with s between
        ("urlaubsantrag", ("urlaub", "antrag")),
        ("kündigungsfrist", ("kündigung", "frist")),
        ("seitenkabel", ("seite", "kabel")),  # with n between
        ("benutzerkonto", ("benutzer", "konto")),
        ("arbeitsplatzrechner", ("arbeit", "platz", "rechner")),
        ("netzwerkkabel", ("netzwerk", "kabel")),  # two parts rather than netz, werk, kabel
        ("netzwerk", ("netzwerk",)),  # known as it is
        ("passwortdings", ("passwortdings",)),  # the rest is no word
        ("dingspasswort", ("dingspasswort",)),
        ("haus", ("haus",)),
        ("ab", ("ab",)),
        ("", ("",)),
    ],
)
def test_compounds_are_split_into_the_fewest_known_words(word: str, parts: tuple[str, ...]) -> None:
    assert split_compound(word, knows) == parts


def test_more_parts_than_allowed_are_not_looked_for() -> None:
    word = "arbeitsplatzrechnerkabel"
    assert split_compound(word, knows) == (word,)
    assert split_compound(word, knows, parts=4) == ("arbeit", "platz", "rechner", "kabel")


@given(st.lists(st.sampled_from(sorted(KNOWN)), min_size=1, max_size=5), st.lists(st.sampled_from(LINKS), max_size=5))
def test_parts_are_known_and_in_the_order_of_the_word(words: list[str], links: list[str]) -> None:
    word = "".join(part + (links[n] if n < len(links) and n + 1 < len(words) else "") for n, part in enumerate(words))
    parts = split_compound(word, knows)
    assert parts == (word,) or all(map(knows, parts))
    assert len(parts) <= MOST_PARTS
    at = 0
    for part in parts:
        at = word.index(part, at) + len(part)
    assert at == len(word)
