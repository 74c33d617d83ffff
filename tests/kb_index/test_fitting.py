"""What is promised is counted on questions as they are asked, and on those alone that come so far."""

from dataclasses import replace

import numpy as np
import pytest

from kb_index.confidence import Fitted
from kb_index.fitting import (
    ENOUGH_MISSES,
    Sample,
    Unseen,
    all_thresholds,
    ask_back_from,
    asked_of,
    fit,
    recalibrated_out_of_fold,
    sample_weights,
    shifted,
    thresholds,
    with_withheld,
)
from kb_index.fusion import SIGNALS, Candidate, Found
from kb_index.promise import log_odds, recalibrate


def found(random: np.random.Generator, lift: float) -> Found:
    """Six articles; number 2 stands out by so much."""
    scores = random.uniform(0.0, 0.3, (6, len(SIGNALS)))
    scores[2] += random.uniform(0.5, 1.0) * lift
    return Found([Candidate(n, n, tuple(map(float, row)), float(row[5])) for n, row in enumerate(scores)], 5.0, 4)


def answerable(count: int, seed: int = 1) -> list[Sample]:
    """Questions that article 2 answers, one of each about an article of its own."""
    random = np.random.default_rng(seed)
    return [Sample(found(random, 0.3), frozenset({2}), str(n), "faq") for n in range(count)]


def away(samples: list[Sample], seed: int = 2) -> list[Sample]:
    """The same questions where their article is not there: something else stands out, a little."""
    random = np.random.default_rng(seed)
    return [replace(s, found=found(random, 0.2), gold=frozenset(), withheld=True) for s in samples]


def misses(count: int, seed: int = 3) -> list[Sample]:
    random = np.random.default_rng(seed)
    return [Sample(found(random, 0.0), frozenset(), f"miss{n}", "far") for n in range(count)]


def answered(one: Fitted, risk: str = "0.1") -> float:
    return one.thresholds["0.9"][risk].answered


# --- questions without an answer --------------------------------------------------------------------------------------
def test_a_question_whose_article_is_lost_does_not_loosen_the_promise() -> None:
    asked = answerable(150)
    samples = [*asked, *away(asked)]
    lost = replace(samples[-1], group="lost")
    before, after = (fit(some, "test", "en", "hash") for some in (samples, [*samples, lost]))
    assert answered(after) == pytest.approx(answered(before), abs=0.05)
    assert after.sample_size == before.sample_size == 150
    assert asked_of([*samples, lost]).all()


def test_a_handful_of_questions_without_an_answer_does_not_tell_how_many_have_none() -> None:
    asked = answerable(150)
    samples = [*asked, *away(asked)]
    few, enough = ([*samples, *misses(count)] for count in (ENOUGH_MISSES - 1, ENOUGH_MISSES))
    assert asked_of(few).all()
    assert (sample_weights(few) == 1.0).all()
    assert not asked_of(enough)[150:300].any()
    assert asked_of(enough).sum() == 150 + ENOUGH_MISSES
    without, with_few = (fit(some, "test", "en", "hash") for some in (samples, [*samples, *misses(1)]))
    assert answered(with_few) == pytest.approx(answered(without), abs=0.05)


def test_enough_questions_without_an_answer_weigh_as_much_as_they_were_asked() -> None:
    asked = answerable(60)
    weights = sample_weights([*asked, *away(asked), *misses(30)])
    assert weights[:60] == pytest.approx(1.0)
    assert weights[60:].sum() == pytest.approx(30)


def test_a_lost_question_does_not_stand_for_all_withheld_ones() -> None:
    asked = answerable(5)
    lost = replace(asked[0], gold=frozenset(), group="lost", withheld=True)
    made = with_withheld([*asked, lost])
    assert sum(s.withheld for s in made) == 6
    assert sum(s.withheld for s in with_withheld([*asked, *away(asked)])) == 5


# --- another language -------------------------------------------------------------------------------------------------
def across(samples: list[Sample], sure: float) -> list[Sample]:
    """Questions to another language. sure: how many of the answerable their own language answers, and surely."""
    random = np.random.default_rng(4)
    number = round(sure * len(samples))
    return [replace(s, own=found(random, 2.0 if n < number else 0.0)) for n, s in enumerate(samples)]


def own_judge() -> Fitted:
    asked = answerable(150)
    return fit([*asked, *misses(60)], "own", "de", "hash")


def test_another_language_is_judged_on_what_its_own_left() -> None:
    """Where the own language has answered most of what can be answered, a looser threshold would be wrong too often."""
    asked = across(answerable(200), sure=0.9)
    samples = [*asked, *across([replace(s, withheld=False) for s in away(asked)], sure=0.0)]
    all_of_them, left = (fit(samples, "test", "de>en", "hash", own=own) for own in (None, own_judge()))
    assert left.thresholds["0.9"]["0.2"].answered < all_of_them.thresholds["0.9"]["0.2"].answered / 2
    kept, loose = left.thresholds["0.5"]["0.3"].answer_from, all_of_them.thresholds["0.5"]["0.3"].answer_from
    assert loose is not None
    assert kept is None or kept > loose


def test_what_the_own_language_answers_is_neither_answered_nor_asked_back_again() -> None:
    samples = across(answerable(100), sure=1.0)
    ones = np.ones(100, bool)
    unseen = Unseen(np.linspace(0.5, 0.99, 100), np.ones(100), ones, ones)
    by_risk = all_thresholds(samples, unseen, ones, own_judge())["0.5"]
    assert (by_risk["0.2"].answered, by_risk["0.2"].asked_back) == (0.0, 0.0)


# --- few questions, and articles alone --------------------------------------------------------------------------------
def test_a_shift_is_judged_on_articles_it_has_not_seen() -> None:
    """Chance alone looks good to who has fitted it: out of fold it does not."""
    random = np.random.default_rng(0)
    logits, truth = random.normal(0, 3, 40), random.random(40) < 0.5
    constant, slope = recalibrate(logits, truth)
    unseen = recalibrated_out_of_fold(logits, truth, np.arange(40).astype(str))

    def loss(odds: np.ndarray) -> float:
        return float(np.mean(np.logaddexp(0, odds) - truth * odds))

    assert loss(log_odds(unseen)) > loss(constant + slope * logits)


def test_groups_stay_together_when_a_shift_is_judged() -> None:
    """One article whose questions are all wrong cannot warn of itself."""
    truth = np.ones(60, bool)
    truth[:6] = False
    groups = np.array(["same"] * 6 + [str(n) for n in range(54)])
    unseen = recalibrated_out_of_fold(np.zeros(60), truth, groups)
    assert unseen[:6].min() > np.median(unseen[6:])


def test_questions_made_by_withholding_are_no_questions_asked() -> None:
    asked = answerable(50)
    prior = fit([*answerable(150), *misses(60)], "prior", "en", "hash")
    one = shifted([*asked, *away(asked)], prior, "test", "en", source="articles")
    assert one.sample_size == 50
    assert one.measured["unanswerable"] == 50


# --- asking back ------------------------------------------------------------------------------------------------------
def test_where_no_question_back_is_worth_it_none_is_asked() -> None:
    assert ask_back_from(np.array([0.9, 0.8]), np.array([False, False])) is None
    assert ask_back_from(np.zeros(0), np.zeros(0, bool)) is None
    assert ask_back_from(np.array([0.9, 0.2]), np.array([True, True])) == 0.5
    wrong = np.zeros(4, bool)
    limits = thresholds(Unseen(np.full(4, 0.5), np.full(4, 1.0), wrong, wrong), ~wrong, ~wrong, None)
    assert (limits.ask_from, limits.asked_back) == (None, 0.0)
