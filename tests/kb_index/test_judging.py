"""What an evaluation counts as offered is what a person is offered."""

from typing import NamedTuple

import pytest

from kb_index.confidence import plausible
from kb_index.judging import judged_of
from kb_index.port import Confidence, Hit, SearchResult
from kb_index.question_files import Question


class Place(NamedTuple):
    id: int
    slug: str
    language: str = "de"
    audience: str = "everyone"
    title: str = ""


def hit(article_id: int, probability: float) -> Hit:
    sure = Confidence(probability, probability, probability)
    return Hit(article_id, article_id, f"A{article_id}", "", "text", "de", None, None, 1, None, None, {}, sure)


def hits(*probabilities: float) -> tuple[Hit, ...]:
    return tuple(hit(number, probability) for number, probability in enumerate(probabilities, 1))


@pytest.mark.parametrize(
    ("probabilities", "offered"),
    [
        ((), []),
        ((0.01,), [1]),  # the first always stays
        ((0.45, 0.02, 0.02), [1]),
        ((0.45, 0.02, 0.3, 0.3), [1, 3]),  # of the first three
        ((0.011, 0.0035, 0.0005), [1, 2]),
        ((0.8, 0.041, 0.039), [1, 2]),  # a twentieth of the best one's
        ((0.05, 0.9, 0.3), [1, 2, 3]),
    ],
)
def test_what_may_well_be_right_is_plausible(probabilities: tuple[float, ...], offered: list[int]) -> None:
    assert [one.article_id for one in plausible(hits(*probabilities))] == offered


def test_only_what_is_plausible_counts_as_offered() -> None:
    among = Confidence(0.6, 0.6, 0.6)
    found = SearchResult("q", "de", hits(0.45, 0.02, 0.3), among, 0.8, 0.5, 1, "hash", "test")
    rows = [Place(1, "a"), Place(2, "b"), Place(3, "c")]
    one = judged_of(Question("1", "q", "de", frozenset({"b"})), found, {0.05: found}, rows)  # type: ignore[arg-type]
    assert one.bands == {"0.05": "ask_back"}
    assert (one.choices, one.shown["0.05"]) == (("a", "c"), ("a", "c"))
    assert one.ranked == ("a", "b", "c")
