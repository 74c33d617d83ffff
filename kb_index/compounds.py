"""Splits German compounds into words that are known.

After Koehn, Knight: Empirical Methods for Compound Splitting, 2003, with the knowledge base as the list of words.
"""

from collections.abc import Callable

SHORTEST = 4  # letters of a part
LINKS = ("", "s", "es", "n", "en", "e")
MOST_PARTS = 3


def split_compound(word: str, knows: Callable[[str], bool], parts: int = MOST_PARTS) -> tuple[str, ...]:
    """The fewest known parts a word is made of; the word alone when it is known or cannot be split.

    word: lower case. knows: whether a part is a word of its own. `passwortrücksetzung` -> passwort, rücksetzung.
    """
    return (word,) if knows(word) else _split(word, knows, parts) or (word,)


def _split(word: str, knows: Callable[[str], bool], parts: int) -> tuple[str, ...]:
    """The parts, or nothing; the longest first part that leaves a known rest."""
    found: tuple[str, ...] = ()
    for end in range(len(word) - SHORTEST, SHORTEST - 1, -1):
        first = next((f for f in _unlinked(word[:end]) if len(f) >= SHORTEST and knows(f)), None)
        if first is None:
            continue
        rest = (word[end:],) if knows(word[end:]) else _split(word[end:], knows, parts - 1) if parts > 2 else ()
        if rest and (not found or len(rest) + 1 < len(found)):
            found = (first, *rest)
    return found


def _unlinked(part: str) -> list[str]:
    """The part itself, and without each linking element it may end with."""
    return [part[: len(part) - len(link)] for link in LINKS if part.endswith(link)]
