"""Making a message safe and worth asking about."""

import re

LONGEST = 2_000
"""Characters of a message that are read; Rasa needs 5 s for 100,000."""

_WORD = re.compile(r"[^\W_]")
_LEADING = re.compile(r"^[\s/]+")


def askable(text: str) -> str:
    """The part of a message an understander may see; empty when there is nothing to understand.

    Cut to LONGEST characters. Leading slashes go, because Rasa takes `/talk_to_human` for an order to report
    that intent. A message without a letter or digit (blank, emoji only) becomes empty.
    """
    readable = _LEADING.sub("", text[:LONGEST].replace("\x00", " ")).rstrip()
    return readable if _WORD.search(readable) else ""
