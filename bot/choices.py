"""Articles as choices: never the same one twice, and each with a label that tells it from the others. Pure."""

from collections.abc import Iterable, Sequence

from kb_index.markup import plain_text
from kb_index.passages import PATH
from kb_index.port import Hit
from kb_index.repeats import repeats, title_words

LONGEST_LABEL = 150  # characters; what is too long for a button of its platform is listed above it
LONGEST_DETAIL = 42
FIRST_WORDS = 8


def distinct(hits: Iterable[Hit]) -> tuple[Hit, ...]:
    """The hits without those that repeat a better one: the same title, and nearly the same words."""
    kept: list[Hit] = []
    for hit in hits:
        if not any(repeats((hit.title, hit.text), (one.title, one.text)) for one in kept):
            kept.append(hit)
    return tuple(kept)


def choice_label(hit: Hit, others: Iterable[Hit], mark: str = "") -> str:
    """What a button calls an article, at most 150 characters: its title; where another choice has the same title, its
    heading or the words by which it differs. mark: what must stand behind it, as `(auf Englisch)`."""
    twins = [one for one in others if one is not hit and title_words(one.title) == title_words(hit.title)]
    room = LONGEST_LABEL - (len(mark) + 1 if mark else 0)
    detail = shortened(_detail(hit, twins), LONGEST_DETAIL) if twins else ""
    label = (
        f"{shortened(_plain(hit.title), room - len(detail) - 2)}: {detail}"
        if detail
        else shortened(_plain(hit.title), room)
    )
    return f"{label} {mark}".strip()


def shortened(text: str, longest: int) -> str:
    """A text of at most that many characters, cut between words where it can be."""
    if len(text) <= longest:
        return text
    cut = text[: longest - 1]
    whole_words = cut.rpartition(" ")[0]
    return (whole_words if len(whole_words) > longest // 2 else cut).rstrip(" ,.;:–-") + "…"


def _detail(hit: Hit, twins: Sequence[Hit]) -> str:
    """By what a passage differs from those of the same title: the last heading, the path of headings, or its words."""
    for heading_of in (_last_heading, _whole_heading):
        heading = heading_of(hit)
        known = {_folded(heading_of(one)) for one in twins} | {title_words(hit.title), ""}
        if _folded(heading) not in known:
            return heading
    words, others = _words(hit), [_words(one) for one in twins]
    same = max((_common_start(words, other) for other in others), default=0)
    start = same if FIRST_WORDS <= same < len(words) else 0
    return ("… " if start else "") + " ".join(words[start : start + FIRST_WORDS])


def _last_heading(hit: Hit) -> str:
    return _plain(hit.heading.rpartition(PATH.strip())[2])


def _whole_heading(hit: Hit) -> str:
    return _plain(hit.heading)


def _common_start(words: Sequence[str], others: Sequence[str]) -> int:
    pairs = enumerate(zip(words, others, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(words), len(others)))


def _words(hit: Hit) -> list[str]:
    return plain_text(hit.text).split()


def _plain(text: str) -> str:
    return " ".join(text.split())


def _folded(text: str) -> str:
    return text.casefold()
