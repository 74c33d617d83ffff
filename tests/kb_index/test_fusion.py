"""Signals become one order, and shares that say how much of the match lies on each article."""

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_index.fusion import AGREEING, DEFAULT_WEIGHTS, SIGNALS, Candidate, Found, fuse, joined, vector_of


def candidate(number: int, cover: float = 0.0, **signals: float) -> Candidate:
    return Candidate(number, number * 10, tuple(signals.get(name, 0.0) for name in SIGNALS), cover)


tables = st.lists(st.lists(st.floats(-1, 3), min_size=len(SIGNALS), max_size=len(SIGNALS)), min_size=1, max_size=12)


def found_of(table: list[list[float]]) -> Found:
    return Found([Candidate(number, number, tuple(row)) for number, row in enumerate(table)], 5.0)


@given(tables)
def test_the_best_comes_first_and_shares_sum_to_one(table: list[list[float]]) -> None:
    ranked = fuse(found_of(table))
    assert sorted(r.candidate.article_id for r in ranked) == list(range(len(table)))
    assert [r.fused for r in ranked] == sorted((r.fused for r in ranked), reverse=True)
    assert [r.share for r in ranked] == sorted((r.share for r in ranked), reverse=True)
    assert sum(r.share for r in ranked) == pytest.approx(1.0)
    assert all(0 <= r.wins <= 1 for r in ranked)


@given(tables, st.floats(-5, 5))
def test_shares_do_not_change_when_all_match_better_alike(table: list[list[float]], more: float) -> None:
    lifted = [[row[0] + more, *row[1:]] for row in table]
    before, after = ({r.candidate.article_id: r.share for r in fuse(found_of(some))} for some in (table, lifted))
    assert after == pytest.approx(before, abs=1e-6)


def test_score_is_the_weighted_sum() -> None:
    found = Found([candidate(1, cosine=0.5, words=2.0), candidate(2, cosine=0.9)], 5.0)
    first, second = fuse(found, {"cosine": 2.0, "words": 1.0})
    assert (first.candidate.article_id, first.fused, second.fused) == (1, 3.0, 1.8)


def test_a_signal_without_a_weight_counts_nothing_and_a_weight_without_a_signal_is_ignored() -> None:
    found = Found([candidate(1, cosine=0.1, words=9.0), candidate(2, cosine=0.2)], 5.0)
    ranked = fuse(found, MappingProxyType({"cosine": 1.0, "tomorrow": 5.0}))
    assert [(r.candidate.article_id, r.fused) for r in ranked] == [(2, 0.2), (1, 0.1)]
    assert vector_of({}).tolist() == [0.0] * len(SIGNALS)


def test_every_signal_has_a_default_weight() -> None:
    assert DEFAULT_WEIGHTS.keys() == set(SIGNALS)
    assert vector_of(DEFAULT_WEIGHTS).min() > 0


def test_equals_are_ordered_by_article() -> None:
    ranked = fuse(Found([candidate(3, cosine=0.5), candidate(1, cosine=0.5)], 5.0))
    assert [(r.candidate.article_id, r.share) for r in ranked] == [(1, 0.5), (3, 0.5)]


def test_wins_are_the_share_of_the_signals_of_whole_texts_it_leads() -> None:
    found = Found([candidate(1, cosine=0.9, white=0.4, title=5.0), candidate(2, cosine=0.1, whole=1.0)], 5.0)
    wins = {r.candidate.article_id: r.wins for r in fuse(found)}
    assert wins == {1: 2 / len(AGREEING), 2: 1 / len(AGREEING)}


def test_nothing_found_is_an_empty_ranking() -> None:
    assert fuse(Found([], 0.0)) == []
    assert Found([], 0.0).matrix.shape == (0, len(SIGNALS))


def test_without_leaves_the_others_as_they_are() -> None:
    found = Found([candidate(number, cosine=number / 10) for number in (1, 2, 3)], 5.0, 4)
    left = found.without([2, 99])
    assert [c.article_id for c in left.candidates] == [1, 3]
    assert (left.mass, left.length) == (5.0, 4)
    assert left.matrix.shape == (2, len(SIGNALS))
    assert [c.article_id for c in found.candidates] == [1, 2, 3]


def test_joined_shelves_are_one_with_the_larger_mass() -> None:
    one, two = Found([candidate(1)], 5.0, 3), Found([candidate(2), candidate(3)], 2.0, 4)
    both = joined([one, two])
    assert [c.article_id for c in both.candidates] == [1, 2, 3]
    assert (both.mass, both.length) == (5.0, 4)
    assert joined([]) == Found([], 0.0, 0)


def test_a_signal_is_read_by_its_name() -> None:
    assert candidate(1, grams=0.7)["grams"] == 0.7
