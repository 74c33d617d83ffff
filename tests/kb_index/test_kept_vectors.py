"""A passage is embedded once, in whatever run."""

from pathlib import Path

import numpy as np
import pytest
from fake_embedder import HashEmbedder

from kb_index.kept_vectors import KeptVectors


def test_what_was_embedded_is_not_embedded_again(tmp_path: Path) -> None:
    first, second = HashEmbedder(), HashEmbedder()
    before = KeptVectors(first, tmp_path / "kept").embed_passages(["a", "b", "a"])
    after = KeptVectors(second, tmp_path / "kept").embed_passages(["b", "c", "a"])
    assert (first.embedded, second.embedded) == (["a", "b"], ["c"])
    np.testing.assert_array_equal(before, first.embed_passages(["a", "b", "a"]))
    np.testing.assert_array_equal(after, first.embed_passages(["b", "c", "a"]))


def test_another_model_has_vectors_of_its_own(tmp_path: Path) -> None:
    KeptVectors(HashEmbedder(), tmp_path).embed_passages(["a"])
    other = HashEmbedder("other")
    KeptVectors(other, tmp_path).embed_passages(["a"])
    assert other.embedded == ["a"]


def test_questions_are_the_embedders_own_affair(tmp_path: Path) -> None:
    kept = KeptVectors(HashEmbedder(), tmp_path)
    np.testing.assert_array_equal(kept.embed_question("a"), HashEmbedder().embed_question("a"))
    assert kept.embed_passages([]).shape == (0, 64)


def test_a_file_that_is_of_no_use_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    kept = KeptVectors(HashEmbedder(), tmp_path)
    kept._file.write_bytes(b"no database" * 100)
    assert kept.embed_passages(["a"]).shape == (1, 64)
    (tmp_path / "file").write_text("")
    assert KeptVectors(HashEmbedder(), tmp_path / "file").embed_passages(["a"]).shape == (1, 64)
    assert "cannot be kept" in caplog.text
