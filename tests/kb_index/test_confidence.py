"""Probabilities come from fitted coefficients, and no risk is promised that the data do not show."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from bot.db import Sessions
from kb_index.confidence import (
    FEATURES,
    Fitted,
    Logistic,
    Thresholds,
    features,
    seed_calibration,
    shipped_calibration,
    store_calibration,
)
from kb_index.fitting import Sample, calibration_error, fit, lowest_safe, upper_bound
from kb_index.fusion import Candidate, Found, fuse
from kb_index.models import Calibration
from kb_index.search import KnowledgeBase

Publish = Callable[..., int]
PLAIN = Logistic((0.0,) * 8, (1.0,) * 8, (0.0,) * 9, tuple(tuple(float(a == b) for a in range(9)) for b in range(9)))


def fitted(name: str = "test", model: str = "hash", language: str = "en") -> Fitted:
    return Fitted(
        name=name,
        language=language,
        model=model,
        fitted_at=datetime(2026, 1, 2, tzinfo=UTC),
        sample_size=100,
        weights={"cosine": 1.0, "words": 0.0, "grams": 0.0},
        answers=PLAIN,
        among=PLAIN,
        thresholds={"0.05": Thresholds(None, None), "0.1": Thresholds(0.4, 0.2, 0.3, 0.08, 0.2)},
        measured={"recall@1": 0.5},
    )


def found(*cosines: float) -> Found:
    return Found([Candidate(n, n, cosine, 0.1, 0.1) for n, cosine in enumerate(cosines, 1)], 10.0)


def test_calibration_survives_json() -> None:
    assert Fitted.from_json(json.loads(json.dumps(fitted().to_json()))) == fitted()


def test_calibration_of_other_features_is_refused() -> None:
    with pytest.raises(ValueError, match="lotse calibrate"):
        Fitted.from_json({**fitted().to_json(), "features": ["other"]})


def test_probability_lies_inside_its_interval() -> None:
    confidence = PLAIN.confidence(np.ones(8))
    assert 0 < confidence.low < confidence.probability == 0.5 < confidence.high < 1


@pytest.mark.parametrize("value", [1e9, -1e9])
def test_extreme_features_do_not_overflow(value: float) -> None:
    steep = Logistic(PLAIN.mean, PLAIN.scale, (1.0,) * 9, PLAIN.covariance)
    assert 0 <= steep.confidence(np.full(8, value)).probability <= 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_features_of_any_ranking_are_finite(cosines: list[float]) -> None:
    ranked = fuse(found(*cosines))
    for place in range(len(ranked)):
        row = features(found(*cosines), ranked, place)
        assert len(row) == len(FEATURES)
        assert np.isfinite(row).all()


def test_margin_of_the_second_is_negative() -> None:
    question = found(0.9, 0.5)
    margin = FEATURES.index("margin")
    first, second = (features(question, fuse(question), place)[margin] for place in (0, 1))
    assert first == pytest.approx(-second)
    assert first > 0


def test_smaller_risk_takes_the_stricter_thresholds() -> None:
    assert fitted().for_risk(0.12).answer_from == 0.4
    assert fitted().for_risk(0.07).answer_from is None
    assert fitted().for_risk(0.01) == Thresholds(None, None)


def test_search_judges_by_the_stored_calibration(
    sessions: Sessions, knowledge: KnowledgeBase, publish: Publish
) -> None:
    publish("VPN", "Start the client.")
    assert knowledge.search("vpn", "en").calibration == "none"
    with sessions.begin() as session:
        store_calibration(session, [fitted()])
    result = knowledge.search("vpn", "en")
    assert (result.calibration, result.answer_from, result.ask_from) == ("test", 0.4, 0.2)
    assert result.hits[0].confidence.probability == 0.5
    assert result.among_first.probability == 0.5
    described = knowledge.status()["calibrations"]["en"]
    assert (described["name"], described["sample_size"], described["answer_from"]) == ("test", 100, 0.4)


def test_calibration_of_another_model_answers_nothing_and_says_so(
    sessions: Sessions, knowledge: KnowledgeBase, publish: Publish
) -> None:
    publish("VPN", "Start the client.")
    with sessions.begin() as session:
        store_calibration(session, [fitted(model="other")])
    result = knowledge.search("vpn", "en")
    assert (result.answer_from, result.ask_from, result.hits[0].confidence.probability) == (None, None, 0.0)
    assert "fitted for other, not for hash" in knowledge.status()["warnings"][0]


def test_risk_that_cannot_be_kept_is_told(sessions: Sessions, knowledge: KnowledgeBase, publish: Publish) -> None:
    publish("VPN", "Start the client.")
    with sessions.begin() as session:
        store_calibration(session, [fitted()])
    knowledge.max_wrong = 0.05
    assert knowledge.search("vpn", "en").answer_from is None
    assert knowledge.status()["warnings"] == ["the calibration for en cannot keep this risk: nothing is answered"]


def test_shipped_calibration_is_stored_once(sessions: Sessions) -> None:
    for expected in (True, False):
        with sessions.begin() as session:
            assert seed_calibration(session) == expected
    with sessions() as session:
        assert sorted(session.scalars(select(Calibration.language))) == ["de", "en"]


def test_newer_calibration_replaces_the_older(sessions: Sessions) -> None:
    with sessions.begin() as session:
        store_calibration(session, [fitted("old")])
        store_calibration(session, [fitted("new")])
        store_calibration(session, [fitted("new")])
    with sessions() as session:
        assert list(session.scalars(select(Calibration.name).where(Calibration.active))) == ["new"]


def test_shipped_calibration_holds_what_it_promises() -> None:
    for one in shipped_calibration():
        assert one.sample_size > 300
        for risk, limits in one.thresholds.items():
            assert limits.wrong <= float(risk)
            assert (limits.answer_from is None) == (limits.answered == 0)


@pytest.mark.parametrize(("wrong", "total", "bound"), [(0, 59, 0.0495), (1, 100, 0.0466), (5, 5, 1.0), (0, 0, 1.0)])
def test_upper_bound_is_the_exact_binomial(wrong: int, total: int, bound: float) -> None:
    assert upper_bound(wrong, total) == pytest.approx(bound, abs=5e-4)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=200))
def test_threshold_keeps_the_bound_or_is_refused(rows: list[tuple[float, bool]]) -> None:
    probability, right = np.array([p for p, _ in rows]), np.array([r for _, r in rows])
    threshold = lowest_safe(probability, right, 0.2)
    if threshold is not None:
        chosen = probability >= threshold
        assert upper_bound(int((~right[chosen]).sum()), int(chosen.sum())) <= 0.2


def test_perfect_probabilities_have_no_calibration_error() -> None:
    truth = np.array([True] * 3 + [False])
    assert calibration_error(truth, np.full(4, 0.75)) == 0


def samples(count: int, seed: int = 1) -> list[Sample]:
    """Questions whose right article scores high, and others where nothing does."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(count):
        answerable = number % 3 > 0
        scores = random.uniform(0.1, 0.5, (6, 3))
        if answerable:
            scores[2] += random.uniform(0.0, 0.5)
        candidates = [Candidate(n, n, *map(float, row)) for n, row in enumerate(scores)]
        gold = frozenset({2}) if answerable else frozenset()
        made.append(Sample(Found(candidates, 5.0), gold, str(number), "faq" if answerable else "near"))
    return made


def test_fit_learns_what_an_answer_looks_like() -> None:
    one = fit(samples(300), "test", "en", "hash")
    assert one.sample_size == 300
    assert one.measured["auroc"] > 0.7
    assert one.measured["answerable"] == 200
    assert sum(one.weights.values()) == pytest.approx(1.0)
    good, bad = found(0.95, 0.2, 0.2, 0.2), found(0.3, 0.3, 0.3, 0.3)
    high, low = (one.answers.confidence(features(f, fuse(f, one.weights))).probability for f in (good, bad))
    assert high > low
    assert math.isfinite(high)


def test_looser_risk_answers_at_least_as_much() -> None:
    one = fit(samples(300), "test", "en", "hash")
    answered = [limits.answered for _, limits in sorted(one.thresholds.items(), key=lambda item: float(item[0]))]
    assert answered == sorted(answered)
