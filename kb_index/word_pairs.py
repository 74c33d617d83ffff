"""Words that translate each other, learned from aligned segments: IBM Model 1, in both directions.

Brown, Della Pietra, Della Pietra, Mercer: The Mathematics of Statistical Machine Translation: Parameter Estimation,
Computational Linguistics 19 (2), 1993. Each word of a target segment comes from one word of the source segment or from
none; expectation maximisation finds how probable each pair is. What only one direction believes in is dropped, as
alignments are symmetrised since Och, Ney: A Systematic Comparison of Various Statistical Alignment Models, 2003.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROUNDS = 5
MOST_ENTRIES = 6_000_000  # co-occurrences looked at: about 300 MB; the shortest segments say most and come first
MOST_WORDS = 120  # of a segment; a longer one is a paragraph that was never translated sentence by sentence
NULL = 0  # the word that stands for "comes from nowhere"

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Words = Sequence[int]  # numbers from 1


@dataclass(frozen=True)
class WordPairs:
    """Pairs that both directions believe in: numbers of words, the probability of each given the other, and how often
    they are expected to stand for each other in all segments."""

    sources: Ints
    targets: Ints
    forward: Floats
    backward: Floats
    counts: Floats

    @property
    def scores(self) -> Floats:
        """One number for both directions: their geometric mean."""
        return np.asarray(np.sqrt(self.forward * self.backward), np.float64)


def learn_word_pairs(segments: Sequence[tuple[Words, Words]], rounds: int = ROUNDS) -> WordPairs:
    """The pairs of words of segments that were aligned."""
    kept = shortest(segments)
    forward = train([one for one, _ in kept], [other for _, other in kept], rounds)
    backward = train([other for _, other in kept], [one for one, _ in kept], rounds)
    return mutual(forward, backward)


def shortest(segments: Sequence[tuple[Words, Words]]) -> list[tuple[Words, Words]]:
    """As many segments as can be afforded."""
    usable = [pair for pair in segments if all(0 < len(side) <= MOST_WORDS for side in pair)]
    usable.sort(key=lambda pair: (len(pair[0]) + 1) * (len(pair[1]) + 1))
    sizes = np.cumsum([(len(one) + 1) * (len(other) + 1) for one, other in usable])
    return usable[: int(np.searchsorted(sizes, MOST_ENTRIES, side="right"))]


@dataclass(frozen=True)
class Trained:
    """One direction. chance: of the target given the source; count: expected number of translations."""

    sources: Ints
    targets: Ints
    chance: Floats
    count: Floats


def train(sources: Sequence[Words], targets: Sequence[Words], rounds: int) -> Trained:
    """Expectation maximisation over all co-occurrences at once."""
    source, target, place = entries(sources, targets)
    width = int(target.max(initial=0)) + 1
    keys, pair = np.unique(source * width + target, return_inverse=True)
    of_pair, to_pair = keys // width, keys % width
    chance: Floats = np.ones(len(keys))
    count: Floats = np.zeros(len(keys))
    for _ in range(rounds):
        believed = chance[pair]
        believed /= np.bincount(place, believed)[place]
        count = np.asarray(np.bincount(pair, believed, len(keys)), np.float64)
        chance = count / np.bincount(of_pair, count)[of_pair]
    return Trained(of_pair, to_pair, chance, count)


def entries(sources: Sequence[Words], targets: Sequence[Words]) -> tuple[Ints, Ints, Ints]:
    """Every source word, or NULL, with every target word of its segment, and which target word of all that is."""
    rows = [[NULL, *words] for words in sources]
    left, right = _flat(rows), _flat(targets)
    lefts, rights = _lengths(rows), _lengths(targets)
    sizes = lefts * rights
    segment = np.repeat(np.arange(len(sizes)), sizes)
    within = np.arange(len(segment)) - (np.cumsum(sizes) - sizes)[segment]
    place = (np.cumsum(rights) - rights)[segment] + within % rights[segment]
    at = (np.cumsum(lefts) - lefts)[segment] + within // rights[segment]
    return left[at], right[place], place


def _flat(rows: Sequence[Any]) -> Ints:
    return np.asarray([word for row in rows for word in row], np.int64)


def _lengths(rows: Sequence[Words]) -> Ints:
    return np.asarray([len(row) for row in rows], np.int64)


def mutual(forward: Trained, backward: Trained) -> WordPairs:
    """What both directions found, without NULL."""
    width = int(max(forward.targets.max(initial=0), backward.sources.max(initial=0))) + 1
    ours, theirs = forward.sources * width + forward.targets, backward.targets * width + backward.sources
    keys, i, j = np.intersect1d(ours, theirs, assume_unique=True, return_indices=True)
    real = (keys // width != NULL) & (keys % width != NULL)
    keys, i, j = keys[real], i[real], j[real]
    counts = np.sqrt(forward.count[i] * backward.count[j])
    return WordPairs(keys // width, keys % width, forward.chance[i], backward.chance[j], counts)
