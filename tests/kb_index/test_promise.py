"""What is promised about wrong answers holds, and nothing is promised that the data do not show."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb_index.promise import FEWEST, Numbers, Promise, log_odds, promise, recalibrate, upper_bound

RISKS = (0.01, 0.05, 0.1, 0.2, 0.3)
ASSURANCES = (0.5, 0.8, 0.9, 0.95)
REPETITIONS = 60


def asked(count: int, seed: int, slope: float = 1.0) -> tuple[Numbers, np.ndarray, np.ndarray]:
    """Probabilities, truth, and articles with three questions each; slope below 1: the probabilities boast."""
    random = np.random.default_rng(seed)
    logits = random.normal(1.0, 2.0, count)
    right = random.random(count) < 1 / (1 + np.exp(-slope * logits))
    return 1 / (1 + np.exp(-logits)), right, np.array([str(number // 3) for number in range(count)])


@cache
def one() -> Promise:
    return promise(*asked(400, seed=0))


@cache
def kept(risk: float, assurance: float, slope: float) -> tuple[int, int]:
    """In how many repetitions a threshold was given, and in how many of them as many fresh answers kept the risk."""
    given_, held = 0, 0
    for seed in range(REPETITIONS):
        limit = promised(seed, slope).lowest(risk, assurance)
        if limit is not None:
            given_ += 1
            probability, right, _ = asked(200, 10_000 + seed, slope)
            held += int((~right[probability >= limit]).mean() <= risk)
    return given_, held


@cache
def promised(seed: int, slope: float) -> Promise:
    return promise(*asked(200, seed, slope))


@pytest.mark.parametrize(("risk", "slope"), [(0.05, 1.0), (0.1, 1.0), (0.2, 1.0), (0.1, 0.6), (0.2, 0.6)])
def test_the_promise_holds_nearly_always(risk: float, slope: float) -> None:
    """Also where the probabilities boast. 12 %: what 60 draws of a chance of 5 % nearly never exceed."""
    given_, held = kept(risk, 0.95, slope)
    assert given_ > 0
    assert given_ - held <= 0.12 * REPETITIONS


def test_less_assurance_keeps_it_less_often_and_answers_more() -> None:
    sure, even = (kept(0.1, assurance, 1.0) for assurance in (0.95, 0.5))
    assert even[1] / even[0] < sure[1] / sure[0]
    assert even[1] / even[0] > 0.25


@pytest.mark.parametrize("assurance", ASSURANCES)
def test_looser_risk_never_answers_less(assurance: float) -> None:
    limits = [1.0 if (limit := one().lowest(risk, assurance)) is None else limit for risk in RISKS]
    assert limits == sorted(limits, reverse=True)
    assert limits[-1] < 1.0


@pytest.mark.parametrize("risk", RISKS)
def test_higher_assurance_never_answers_more(risk: float) -> None:
    limits = [1.0 if (limit := one().lowest(risk, assurance)) is None else limit for assurance in ASSURANCES]
    assert limits == sorted(limits)


def test_too_few_answers_promise_nothing() -> None:
    probability, right, groups = np.full(FEWEST - 1, 0.99), np.ones(FEWEST - 1, bool), np.arange(FEWEST - 1).astype(str)
    assert promise(probability, right, groups).lowest(0.5, 0.5) is None


def test_what_was_seen_here_counts_too() -> None:
    """The surest are wrong more often than a recalibration of all of them believes: those are no promise kept."""
    probability, _, groups = asked(400, seed=0)
    surest = np.argsort(-probability)
    right = np.random.default_rng(0).random(400) < probability
    right[surest[:40]], right[surest[[3, 5, 8, 9, 11]]] = True, False
    for risk in (0.05, 0.1):
        limit = promise(probability, right, groups).lowest(risk, 0.5)
        assert limit is None or (~right[probability >= limit]).mean() <= risk


@pytest.mark.parametrize("risk", [0.01, 0.02, 0.05, 0.1])
@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_one_wrong_answer_more_would_not_break_it(risk: float, wrong: int) -> None:
    probability = np.linspace(0.999, 0.99, 400)
    right = np.arange(400) >= wrong
    groups = np.arange(400).astype(str)
    for count in (5, 15, 45, 95, 195, 400):
        limit = promise(probability[:count], right[:count], groups[:count]).lowest(risk, 0.5)
        if limit is not None:
            assert (wrong + 1) / (probability[:count] >= limit).sum() <= risk + 1e-9
    assert promise(probability, np.ones(400, bool), groups).lowest(risk, 0.5) is not None


def test_where_everything_is_wrong_nothing_is_promised() -> None:
    probability, _, groups = asked(200, seed=1)
    assert promise(probability, np.zeros(200, bool), groups).lowest(0.3, 0.5) is None


def test_where_everything_is_right_much_is_answered() -> None:
    probability, _, groups = asked(200, seed=1)
    limit = promise(probability, np.ones(200, bool), groups).lowest(0.1, 0.95)
    assert limit is not None
    assert (probability >= limit).mean() > 0.5


def test_questions_of_few_articles_say_less_than_as_many_of_many() -> None:
    """All questions about an article are right together or wrong together."""
    random = np.random.default_rng(5)
    logits = random.normal(1.5, 1.5, 300)
    right = (random.random(12) < 0.8)[np.arange(300) % 12]
    groups = [np.array([str(n % count) for n in range(300)]) for count in (12, 300)]
    few, many = (promise(1 / (1 + np.exp(-logits)), right, one).drawn[:, 200] for one in groups)
    assert few.std() > 1.5 * many.std()


def test_equal_probabilities_are_answered_together_or_not_at_all() -> None:
    """Twenty good answers and many bad ones share one probability: the good ones cannot be had alone."""
    probability = np.full(100, 0.7)
    right = np.arange(100) < 20
    assert promise(probability, right, np.arange(100).astype(str)).lowest(0.3, 0.5) is None


def test_the_same_data_promise_the_same() -> None:
    assert one().lowest(0.1, 0.9) == promise(*asked(400, seed=0)).lowest(0.1, 0.9)


def test_recalibration_finds_constant_and_slope() -> None:
    random = np.random.default_rng(7)
    logits = random.normal(0, 2, 20_000)
    right = random.random(20_000) < 1 / (1 + np.exp(-(-0.8 + 0.6 * logits)))
    assert recalibrate(logits, right) == pytest.approx((-0.8, 0.6), abs=0.06)


def test_recalibration_of_little_stays_near_what_was_there() -> None:
    constant, slope = recalibrate(np.array([0.5]), np.array([True]))
    assert abs(constant) < 0.5
    assert slope == pytest.approx(1.0, abs=0.3)
    assert recalibrate(np.zeros(0), np.zeros(0, bool)) == (0.0, 1.0)


def test_times_count_as_repeated_rows() -> None:
    logits, right = np.array([1.0, -1.0, 2.0]), np.array([True, True, False])
    repeated = recalibrate(np.repeat(logits, [2, 1, 3]), np.repeat(right, [2, 1, 3]))
    assert recalibrate(logits, right, np.array([2.0, 1.0, 3.0])) == pytest.approx(repeated)


def test_probabilities_far_from_the_truth_do_not_lead_astray() -> None:
    """Nearly certain and half of them wrong: a whole step of Newton leads far away from here."""
    logits = np.where(np.arange(200) % 2 == 0, 9.0, -9.0)
    right = np.arange(200) % 4 < 2
    constant, slope = recalibrate(logits, right)
    assert constant == pytest.approx(0.0, abs=0.05)
    assert slope == pytest.approx(0.0, abs=0.05)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_any_probabilities_are_survived(rows: list[tuple[float, bool]]) -> None:
    probability, right = np.array([p for p, _ in rows]), np.array([r for _, r in rows])
    assert np.isfinite(recalibrate(log_odds(probability), right)).all()
    made = promise(probability, right, np.arange(len(rows)).astype(str))
    assert ((made.drawn >= 0) & (made.drawn <= 1)).all()
    limit = made.lowest(0.3, 0.9)
    assert limit is None or (probability >= limit).sum() >= FEWEST


@pytest.mark.parametrize(("wrong", "total", "bound"), [(0, 59, 0.0495), (1, 100, 0.0466), (5, 5, 1.0), (0, 0, 1.0)])
def test_upper_bound_is_the_exact_binomial(wrong: int, total: int, bound: float) -> None:
    assert upper_bound(wrong, total) == pytest.approx(bound, abs=5e-4)
