"""Which sentence of the catalogue a text is: tests name sentences by their keys, not by their words."""

import re
from functools import cache

from bot.texts import load_catalogue

PLACEHOLDER = re.compile(r"\\\{\w+\\\}")


def keys(text: str) -> set[str]:
    """Every key the text can be, and `key/variant` (`receipt`, `receipt/sie`)."""
    found = [(key, variant) for key, variant, pattern in patterns() if pattern.fullmatch(text)]
    return {key for key, _ in found} | {f"{key}/{variant}" for key, variant in found}


@cache
def patterns() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    return tuple(
        (key, variant, re.compile(PLACEHOLDER.sub("(?s:.*)", re.escape(sentence))))
        for key, variants in load_catalogue("replies").items()
        for variant, sentence in variants.items()
    )
