"""Which piece of an article says the same as which piece of its counterpart in another language.

Gale, Church: A Program for Aligning Sentences in Bilingual Corpora, Computational Linguistics 19 (1), 1993: long texts
translate into long ones and short into short. Aligned are blocks (headings, paragraphs, list items, cells), then the
sentences inside of blocks that belong together.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kb_index.markup import MARKDOWN, SPACES, written

SENTENCE_END = re.compile(r"(?<=[.!?:;])\s+")
MOST_BLOCKS = 300  # of an article; alignment by length takes the product of both numbers
VARIANCE = 6.8  # of the characters per character of the other language: the paper's
# Pieces taken from either side, and how often that happens: the paper's.
BEADS = {(1, 1): 0.89, (1, 0): 0.005, (0, 1): 0.005, (2, 1): 0.0445, (1, 2): 0.0445, (2, 2): 0.011}
OTHER_KIND = 6.0  # what it costs to take a heading for a paragraph: like odds of 1 to 400


@dataclass(frozen=True)
class Piece:
    """Plain text of one block or sentence. kind: `h1` to `h6`, `li`, `td`, `p`; sentences are `s`."""

    text: str
    kind: str = "s"


@dataclass(frozen=True)
class Segment:
    """Two texts that say the same."""

    source: str
    target: str


def align_articles(source: tuple[str, str], target: tuple[str, str]) -> list[Segment]:
    """The segments of an article, given as title and Markdown, and its counterpart. Neither has to be complete."""
    titles = [Segment(source[0], target[0])]
    return titles + [segment for pair in align_blocks(source[1], target[1]) for segment in sentences_of(pair)]


def align_blocks(source: str, target: str) -> list[Segment]:
    """The blocks of two Markdown texts: one to one where both have the same structure, else by their length."""
    left, right = pieces(source)[:MOST_BLOCKS], pieces(target)[:MOST_BLOCKS]
    if [piece.kind for piece in left] == [piece.kind for piece in right]:
        return [Segment(one.text, other.text) for one, other in zip(left, right, strict=True)]
    return align_by_length(left, right)


def sentences_of(pair: Segment) -> list[Segment]:
    """The sentences of a pair of blocks, aligned."""
    left, right = ([Piece(s) for s in SENTENCE_END.split(text) if s] for text in (pair.source, pair.target))
    if len(left) < 2 or len(right) < 2:
        return [pair]
    return align_by_length(left, right)


def pieces(markdown: str) -> list[Piece]:
    """The blocks of a text in their order, without code, which is the same in every language."""
    return [piece for piece in _pieces(markdown) if piece.text]


def _pieces(markdown: str) -> Iterator[Piece]:
    open_tags: list[str] = []
    for token in MARKDOWN.parse(markdown):
        if token.nesting == 1:
            open_tags.append(token.tag)
        elif token.nesting == -1:
            open_tags.pop()
        elif token.type in ("inline", "html_block"):
            yield Piece(SPACES.sub(" ", " ".join(written([token]))).strip(), _kind(open_tags))


def _kind(open_tags: Sequence[str]) -> str:
    """What a block is to a reader. Cells of a table's head count as cells: some writers have no head."""
    if open_tags and open_tags[-1][0] == "h" and open_tags[-1][1:].isdigit():
        return open_tags[-1]
    if "table" in open_tags:
        return "td"
    return "li" if "li" in open_tags else "p"


def align_by_length(left: Sequence[Piece], right: Sequence[Piece]) -> list[Segment]:
    """The cheapest way through both texts, by dynamic programming; pieces without counterpart are left out."""
    best: dict[tuple[int, int], tuple[float, tuple[int, int]]] = {(0, 0): (0.0, (0, 0))}
    for i in range(len(left) + 1):
        for j in range(len(right) + 1):
            ways = (
                (best[i - a, j - b][0] + cost(left[i - a : i], right[j - b : j]), (a, b))
                for a, b in BEADS
                if (i - a, j - b) in best
            )
            if i or j:
                best[i, j] = min(ways)
    return [_joined(left, right, step) for step in _steps(best, len(left), len(right)) if all(step[2:])]


def cost(left: Sequence[Piece], right: Sequence[Piece]) -> float:
    """How unlikely it is that these belong together: the negative logarithm of the probability.

    Unlike in the paper, a piece without counterpart costs the same whatever its length: here whole paragraphs are
    missing, and there it was about slips of translators.
    """
    price = -math.log(BEADS[len(left), len(right)])
    if not left or not right:
        return price
    ours, theirs = (sum(len(piece.text) for piece in side) for side in (left, right))
    deviation = abs(ours - theirs) / math.sqrt((ours + theirs) / 2 * VARIANCE)
    other_kind = {piece.kind for piece in left} != {piece.kind for piece in right}
    return price + OTHER_KIND * other_kind - math.log(max(math.erfc(deviation / math.sqrt(2)), 1e-300))


def _steps(
    best: dict[tuple[int, int], tuple[float, tuple[int, int]]], i: int, j: int
) -> list[tuple[int, int, int, int]]:
    """The beads of the best way from its start: where each begins on either side, and how many pieces it takes."""
    steps = []
    while i or j:
        a, b = best[i, j][1]
        i, j = i - a, j - b
        steps.append((i, j, a, b))
    return steps[::-1]


def _joined(left: Sequence[Piece], right: Sequence[Piece], step: tuple[int, int, int, int]) -> Segment:
    i, j, a, b = step
    return Segment(" ".join(p.text for p in left[i : i + a]), " ".join(p.text for p in right[j : j + b]))
