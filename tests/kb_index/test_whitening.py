"""Whitening takes out what all passages share, and the short formula is the long one."""

import numpy as np
import pytest

from kb_index.port import Vectors
from kb_index.whitening import POWER, Whitening


def rows(count: int, dimension: int, seed: int = 0) -> Vectors:
    """Unit vectors that lean in one direction."""
    random = np.random.default_rng(seed)
    found = random.normal(size=(count, dimension)) * np.linspace(0.2, 2, dimension) + np.eye(dimension)[0] * 3
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def cosines(whitening: Whitening, passages: Vectors, question: Vectors) -> Vectors:
    direction, shift = whitening.question(question)
    return np.asarray((passages @ direction - shift) / whitening.lengths(passages), np.float32)


@pytest.mark.parametrize("count", [2, 5, 300])
def test_short_formula_equals_explicit_whitening(count: int) -> None:
    passages, question = rows(count, 8), rows(1, 8, seed=1)[0]
    whitening = Whitening.fit(passages)
    values, vectors = np.linalg.eigh(whitening.metric.astype(float))
    root = vectors * np.sqrt(values) @ vectors.T
    white = (passages - whitening.mean) @ root
    asked = (question - whitening.mean) @ root
    explicit = white @ asked / np.linalg.norm(white, axis=1) / np.linalg.norm(asked)
    assert cosines(whitening, passages, question) == pytest.approx(explicit, abs=1e-4)
    assert np.abs(explicit).max() <= 1 + 1e-6


def test_many_passages_lose_their_common_directions_part_of_the_way() -> None:
    passages = rows(5000, 6)
    whitening = Whitening.fit(passages)
    values, vectors = np.linalg.eigh(whitening.metric.astype(float))
    white = (passages - whitening.mean) @ (vectors * np.sqrt(values) @ vectors.T)
    assert white.mean(axis=0) == pytest.approx(np.zeros(6), abs=1e-3)
    before, after = (np.linalg.eigvalsh(np.cov(some.T)) for some in (passages, white))
    assert after.max() / after.min() == pytest.approx((before.max() / before.min()) ** (1 - 2 * POWER), rel=0.02)


def test_few_passages_hardly_turn_anything() -> None:
    """Two passages in many dimensions: all directions weigh nearly the same."""
    values = np.linalg.eigvalsh(Whitening.fit(rows(2, 200)).metric)
    assert values.max() / values.min() < 2
    many = np.linalg.eigvalsh(Whitening.fit(rows(5000, 200)).metric)
    assert many.max() / many.min() > values.max() / values.min()


@pytest.mark.parametrize("passages", [rows(1, 8), np.repeat(rows(1, 8), 3, axis=0)])
def test_one_passage_or_copies_of_one_stay_finite(passages: Vectors) -> None:
    whitening = Whitening.fit(passages)
    assert np.isfinite(whitening.metric).all()
    assert (whitening.lengths(passages) > 0).all()
    for question in (passages[0], rows(1, 8, seed=2)[0]):
        found = cosines(whitening, passages, question)
        assert np.isfinite(found).all()
        assert np.abs(found).max() <= 1 + 1e-3


def test_a_question_that_is_a_passage_is_nearest_to_it() -> None:
    passages = rows(50, 8)
    found = cosines(Whitening.fit(passages), passages, passages[7])
    assert found.argmax() == 7
    assert found[7] == pytest.approx(1.0, abs=1e-3)
