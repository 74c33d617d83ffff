"""Nearest vectors: the compressed index behaves like the exact one, through every change and a restart."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kb_index.port import Vectors
from kb_index.vectors import FLAT_UP_TO, Stamp, VectorIndex

DIMENSION = 16
STAMP = Stamp("knowledge", "model", DIMENSION)
APART = 0.02  # what 8 bits a component may move a cosine
IDS = st.lists(st.integers(0, 40), min_size=1, max_size=12, unique=True)
CHANGES = st.lists(st.tuples(st.sampled_from(["put", "drop", "restart"]), IDS, st.integers(0, 2**31)), max_size=12)


def some_vectors(number: int, seed: int, towards: float = 0.0) -> Vectors:
    """Vectors of length 1; towards: how much they all lean to one side."""
    made = np.random.default_rng(seed).standard_normal((number, DIMENSION)).astype(np.float32) + np.float32(towards)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), np.float32)


def saved_and_loaded(index: VectorIndex, file: Path) -> VectorIndex:
    index.save(file, STAMP, 1)
    loaded = VectorIndex.load(file, STAMP)
    assert loaded is not None
    loaded.flat_up_to = index.flat_up_to
    return loaded


def is_compressed(index: VectorIndex, tmp_path: Path) -> bool:
    """Whether its file holds a byte a component instead of four."""
    index.save(tmp_path / "size", STAMP, 1)
    return (tmp_path / "size").stat().st_size < len(index) * DIMENSION * 4


def cosines(index: VectorIndex, question: Vectors, ids: Sequence[int]) -> dict[int, float]:
    held, rows = index.rows(ids)
    return dict(zip(held, (rows @ question).tolist(), strict=True))


def assert_alike(compressed: VectorIndex, exact: VectorIndex, question: Vectors, limit: int) -> None:
    assert compressed.ids == exact.ids
    true = cosines(exact, question, sorted(exact.ids))
    found, best = compressed.nearest(question, limit), exact.nearest(question, limit)
    assert len(found) == len(best) == min(limit, len(exact))
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert all(abs(cosine - true[i]) < APART for i, cosine in found.items())
    assert all(true[i] > min(best.values()) - 2 * APART for i in found)
    again = cosines(compressed, question, list(found))
    assert all(abs(again[i] - cosine) < 1e-5 for i, cosine in found.items())


@settings(deadline=None, max_examples=60)
@given(changes=CHANGES, question=st.integers(0, 2**31), limit=st.integers(1, 20))
def test_compressed_index_behaves_like_the_exact_one(
    tmp_path_factory: object, changes: list[tuple[str, list[int], int]], question: int, limit: int
) -> None:
    folder = tmp_path_factory.mktemp("index")  # type: ignore[attr-defined]
    compressed, exact = VectorIndex(DIMENSION, flat_up_to=8), VectorIndex(DIMENSION)
    for kind, ids, seed in changes:
        if kind == "restart":
            compressed = saved_and_loaded(compressed, folder / "compressed")
        for index in (compressed, exact):
            if kind == "put":
                index.put(ids, some_vectors(len(ids), seed))
            elif kind == "drop":
                index.drop(ids)
    assert_alike(compressed, exact, some_vectors(1, question)[0], limit)


@settings(max_examples=50)
@given(vectors=arrays(np.float32, (12, DIMENSION), elements=st.floats(-1, 1, width=32)))
def test_any_vectors_are_kept_within_eight_bits(vectors: Vectors) -> None:
    index = VectorIndex(DIMENSION, flat_up_to=4)
    index.put(range(12), vectors)
    question = some_vectors(1, 3)[0]
    exact = dict(enumerate((vectors @ question).tolist()))
    assert all(abs(cosine - exact[i]) < 3 * APART for i, cosine in cosines(index, question, range(12)).items())


def test_index_is_compressed_when_it_outgrows_the_exact_one(tmp_path: Path) -> None:
    index = VectorIndex(DIMENSION, flat_up_to=100)
    index.put(range(100), some_vectors(100, 1))
    assert not is_compressed(index, tmp_path)
    index.put([100], some_vectors(1, 2))
    assert is_compressed(index, tmp_path)
    assert len(index) == 101


def test_usual_knowledge_base_is_searched_exactly(tmp_path: Path) -> None:
    vectors = some_vectors(3_000, 1)
    index = VectorIndex(DIMENSION)
    index.put(range(3_000), vectors)
    best = np.argsort(-(vectors @ vectors[7]))[:100]
    assert list(index.nearest(vectors[7], 100)) == best.tolist()
    assert not is_compressed(index, tmp_path)
    assert FLAT_UP_TO > 3_000


def test_vectors_unlike_those_before_are_kept_as_well() -> None:
    index, exact = VectorIndex(DIMENSION, flat_up_to=8), VectorIndex(DIMENSION)
    for start, towards in ((0, 3.0), (50, -3.0), (100, 0.0)):
        for one in (index, exact):
            one.put(range(start, start + 50), some_vectors(50, start, towards))
    for seed in range(20):
        assert_alike(index, exact, some_vectors(1, seed)[0], 10)


def test_replaced_vector_is_found_where_it_is_now() -> None:
    index, vectors = VectorIndex(DIMENSION, flat_up_to=8), some_vectors(30, 1)
    index.put(range(30), vectors)
    index.put([3], vectors[20:21])
    assert set(index.nearest(vectors[20], 2)) == {3, 20}
    assert 3 not in index.nearest(vectors[3], 1)
    assert len(index) == 30


def test_compressed_index_survives_a_restart_unchanged(tmp_path: Path) -> None:
    index, question = VectorIndex(DIMENSION, flat_up_to=8), some_vectors(1, 9)[0]
    index.put(range(40), some_vectors(40, 1))
    before = index.nearest(question, 10)
    loaded = saved_and_loaded(index, tmp_path / "index")
    assert loaded.nearest(question, 10) == before
    loaded.put([77], question.reshape(1, -1))
    assert next(iter(loaded.nearest(question, 1))) == 77
