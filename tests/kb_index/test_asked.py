"""Past questions lead to their article, and a forgotten one to nothing."""

import numpy as np
import pytest

from kb_index.asked import FEWEST, AskedBefore
from kb_index.port import Vectors

D = 6


def unit(*values: float) -> Vectors:
    vector = np.zeros(D, np.float32)
    vector[: len(values)] = values
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def around(axis: int, count: int) -> list[Vectors]:
    """Questions that mean about the same."""
    random = np.random.default_rng(axis)
    rows = np.eye(D)[axis] + random.normal(0, 0.1, (count, D))
    return [np.asarray(row / np.linalg.norm(row), np.float32) for row in rows]


def scores_of(asked: AskedBefore, vector: Vectors) -> dict[int, tuple[float, float]]:
    return asked.scores(vector, limit=60)


MANY = 1_000_000  # articles, of which hardly any has learned


@pytest.fixture
def asked() -> AskedBefore:
    """Articles 1 and 2 with enough past questions for the head, article 3 with too few."""
    made = AskedBefore(D)
    made.change({1: around(0, FEWEST + 2), 2: around(1, FEWEST), 3: around(2, FEWEST - 1)}, [])
    return made


def test_the_nearest_past_question_counts() -> None:
    asked = AskedBefore(D)
    asked.change({1: [unit(1), unit(0, 1)], 2: [unit(1, 1)]}, [])
    scores = scores_of(asked, unit(0, 1))
    assert [scores[1][0], scores[2][0]] == pytest.approx([1.0, 0.5**0.5])


def test_the_head_knows_articles_with_several_past_questions(asked: AskedBefore) -> None:
    scores = scores_of(asked, unit(1))
    assert scores[1][1] > 0.6 > scores[2][1]
    assert scores[1][1] <= scores[1][0]


def test_articles_with_too_few_past_questions_are_not_in_the_head(asked: AskedBefore) -> None:
    nearest, head = scores_of(asked, unit(0, 0, 1))[3]
    assert nearest > 0.9
    assert head == 0.0


def test_one_article_alone_has_no_head() -> None:
    asked = AskedBefore(D)
    asked.change({1: around(0, FEWEST + 2)}, [])
    assert scores_of(asked, unit(1))[1][1] == 0.0


def test_a_question_unlike_all_past_ones_gets_nothing(asked: AskedBefore) -> None:
    opposite = scores_of(asked, np.asarray(-unit(1, 1, 1), np.float32))
    assert all(nearest < 0.2 for nearest, _ in opposite.values())
    assert all(
        asked.signals(article, opposite, 0.3, articles)[1] < 0.1 for article in opposite for articles in (3, MANY)
    )


def test_a_removed_past_question_counts_no_more_from_now_on(asked: AskedBefore) -> None:
    rows = around(0, FEWEST + 2)
    before = scores_of(asked, rows[0])[1]
    asked.change({1: rows[1:]}, [])
    nearest, head = scores_of(asked, rows[0])[1]
    assert before[0] == pytest.approx(1.0)
    assert nearest == pytest.approx(max(float(row @ rows[0]) for row in rows[1:]))
    assert head != before[1]


def test_one_past_question_in_the_place_of_another_is_learned_at_once(asked: AskedBefore) -> None:
    instead = [*around(0, FEWEST + 1), unit(0, 0, 0, 1)]
    fresh = AskedBefore(D)
    fresh.change({2: around(1, FEWEST), 3: around(2, FEWEST - 1), 1: instead}, [])
    asked.change({1: instead}, [])
    assert scores_of(asked, unit(0, 0, 0, 1)) == scores_of(fresh, unit(0, 0, 0, 1))


def test_removal_below_the_fewest_takes_the_article_out_of_the_head_at_once(asked: AskedBefore) -> None:
    asked.change({2: around(1, FEWEST - 1)}, [])
    assert [scores_of(asked, unit(0, 1))[article][1] for article in (1, 2)] == [
        0.0,
        0.0,
    ]  # none is left to compare with


def test_a_forgotten_article_is_not_found_any_more(asked: AskedBefore) -> None:
    asked.change({}, [1])
    assert scores_of(asked, unit(1)).keys() <= {2, 3}
    asked.change({2: []}, [3])
    assert scores_of(asked, unit(0, 1)) == {}
    assert len(asked) == 0


def test_dropping_what_is_not_there_changes_nothing(asked: AskedBefore) -> None:
    before = scores_of(asked, unit(1, 0.5))
    asked.change({9: []}, [8])
    assert scores_of(asked, unit(1, 0.5)) == before


def test_nothing_was_asked_before() -> None:
    assert scores_of(AskedBefore(D), unit(1)) == {}


def test_the_head_learns_new_articles(asked: AskedBefore) -> None:
    asked.change({4: around(3, FEWEST)}, [])
    scores = scores_of(asked, unit(0, 0, 0, 1))
    assert scores[4][1] > max(scores[1][1], scores[2][1])
    assert scores[4][1] > 0.3


def test_of_many_only_the_nearest_articles_are_told(asked: AskedBefore) -> None:
    assert asked.scores(unit(1, 0.1, 0.1), limit=1).keys() == {1}


def test_a_past_question_as_near_as_any_would_be_counts_nothing_or_against() -> None:
    asked = AskedBefore(D)
    asked.change({1: [unit(1, 1)]}, [])
    scores = scores_of(asked, unit(1))
    near, far = (asked.signals(1, scores, own, MANY)[0] for own in (0.2, 0.9))
    assert near > 0 > far


def test_an_article_without_past_questions_has_no_signal(asked: AskedBefore) -> None:
    assert asked.signals(9, scores_of(asked, unit(1)), 0.5, 3) == (0.0, 0.0)


def test_where_few_have_learned_the_head_counts_only_where_a_past_question_is_near(asked: AskedBefore) -> None:
    scores = scores_of(asked, unit(1))
    assert asked.signals(1, scores, 0.3, MANY)[1] > 0.6
    assert asked.signals(1, scores, 1.1, MANY)[1] == pytest.approx(0.0, abs=1e-6)


def test_where_all_have_learned_the_head_is_taken_at_its_word(asked: AskedBefore) -> None:
    """Articles 1 and 2 are in the head: twice the mean probability is ln 2."""
    scores = scores_of(asked, unit(1))
    nearest, probability = scores[1]
    assert asked.signals(1, scores, 1.1, 2)[1] == pytest.approx(nearest * np.log(2 * probability))
    assert asked.signals(2, scores, 0.3, 2)[1] == 0.0
