"""The same article twice: below one title nearly the same words. Pure."""

import re
from collections.abc import Sequence

SAME = 0.8  # share of common words
WORD = re.compile(r"\w+")


def repeats(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two passages, each with the title of its article, say the same. Two titles are two articles, however
    alike: what holds for the printer on the second floor need not hold on the third."""
    if title_words(one[0]) != title_words(other[0]):
        return False
    mine, theirs = set(WORD.findall(one[1].casefold())), set(WORD.findall(other[1].casefold()))
    together = mine | theirs
    return bool(together) and len(mine & theirs) >= SAME * len(together)


def repeats_behind(texts: Sequence[tuple[str, str]]) -> list[int]:
    """The places of texts in their order, those that repeat an earlier one behind all others."""
    kept: list[int] = []
    for place, text in enumerate(texts):
        if not any(repeats(text, texts[one]) for one in kept):
            kept.append(place)
    return kept + [place for place in range(len(texts)) if place not in kept]


def title_words(title: str) -> str:
    """A title as it is compared."""
    return " ".join(title.split()).casefold()
