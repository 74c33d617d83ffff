"""Where a long text can be cut: where a reader would pause, and never inside what they see as one character."""

import re
import unicodedata
from collections.abc import Sequence

PARAGRAPH, LINE, WORD = re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"\s+")
SENTENCE = re.compile(r"[.!?…:][\"“”»«')\]]*\s+")
PROSE, CODE = (PARAGRAPH, LINE, SENTENCE, WORD), (LINE, WORD)
JOINER = "\u200d"
MARKS = {"Mn", "Me", "Mc"}
FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))  # two of them are a flag


def place_to_cut(text: str, most: int, breaks: Sequence[re.Pattern[str]]) -> int:
    """The last place in the second half of what fits where a reader pauses longest, else between two characters."""
    for pause in breaks:
        ends = [found.end() for found in pause.finditer(text, most // 2, most)]
        for end in reversed(ends):
            if is_boundary(text, end):
                return end
    return next((at for at in range(most, 0, -1) if is_boundary(text, at)), most)


def is_boundary(text: str, at: int) -> bool:
    """Whether a reader sees two characters there: no accent, no emoji of several parts, no flag is torn."""
    if not 0 < at < len(text):
        return True
    before, after = text[at - 1], text[at]
    if before == JOINER or extends(after) or (before == "\r" and after == "\n"):
        return False
    if "\ud800" <= before <= "\udbff" and "\udc00" <= after <= "\udfff":
        return False
    head = text[max(0, at - 200) : at]
    return after not in FLAG_LETTERS or (len(head) - len(head.rstrip(FLAG_LETTERS))) % 2 == 0


def extends(char: str) -> bool:
    """Whether it belongs to the character before it: accents, selectors, skin tones, tags, Korean vowels."""
    tones_and_tags = "\U0001f3fb" <= char <= "\U0001f3ff" or "\U000e0020" <= char <= "\U000e007f"
    return unicodedata.category(char) in MARKS or char in "\u200c\u200d" or tones_and_tags or "ᅠ" <= char <= "ᇿ"


def shorten(text: str, most: int) -> str:
    """The text, or its beginning with `…`, in at most that many characters."""
    if len(text) <= most:
        return text
    at = next((at for at in range(most - 1, 0, -1) if is_boundary(text, at)), most - 1)
    return text[:at].rstrip() + "…"
