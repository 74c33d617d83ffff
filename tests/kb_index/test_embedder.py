"""The real model, as it comes with Lotse."""

import threading
from pathlib import Path

import numpy as np
import pytest

from bot.db import Sessions
from kb_index import embedder as module
from kb_index.articles import import_folder
from kb_index.confidence import seed_calibration
from kb_index.embedder import ModelDiffers, SentenceTransformerEmbedder, load_embedder
from kb_index.search import KnowledgeBase

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def real() -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder()


def test_vectors_have_length_one_and_know_meaning(real: SentenceTransformerEmbedder) -> None:
    vectors = real.embed_passages(["reset my password", "I forgot my login secret", "banana bread"])
    assert vectors.shape == (3, real.dimension) == (3, 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]
    assert real.embed_passages([]).shape == (0, 384)


def test_question_and_passage_are_embedded_alike(real: SentenceTransformerEmbedder) -> None:
    assert np.allclose(real.embed_question("vpn"), real.embed_passages(["vpn"])[0], atol=1e-5)


def test_huge_question_is_survived(real: SentenceTransformerEmbedder) -> None:
    assert real.embed_question("x " * 50_000).shape == (384,)


def test_many_threads_get_their_own_vectors(real: SentenceTransformerEmbedder) -> None:
    texts = [f"question number {n}" for n in range(8)]
    expected = [real.embed_question(text) for text in texts]
    found: dict[int, np.ndarray] = {}

    def work(n: int) -> None:
        found[n] = real.embed_question(texts[n])

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.allclose(found[n], expected[n], atol=1e-5) for n in range(8))


def test_unknown_model_is_not_downloaded() -> None:
    with pytest.raises(OSError, match="no-such-model"):
        load_embedder("no-such-model")


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEFAULT_WEIGHTS", "0" * 64)
    with pytest.raises(ModelDiffers, match="reinstall"):
        load_embedder()


def test_model_by_its_name_is_the_one_that_comes_along() -> None:
    assert load_embedder("all-MiniLM-L6-v2").name == load_embedder("").name


def test_shipped_calibration_fits_the_shipped_model(
    real: SentenceTransformerEmbedder, sessions: Sessions, tmp_path: Path
) -> None:
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb" / "jam.md").write_text("---\nlang: en\n---\n# Fix a paper jam\n\nOpen tray two. Pull.")
    (tmp_path / "kb" / "vpn.md").write_text("---\nlang: en\n---\n# Connect to the VPN\n\nStart the client and sign in.")
    import_folder(sessions, real, tmp_path / "kb")
    with sessions.begin() as session:
        seed_calibration(session)
    knowledge = KnowledgeBase(sessions, real, tmp_path / "cache")
    knowledge.warm_up()
    sure = knowledge.search("How do I fix a paper jam?", "en")
    unsure = knowledge.search("What is the capital of France?", "en")
    assert sure.hits[0].title == "Fix a paper jam"
    assert sure.answer_from is not None
    assert sure.hits[0].confidence.probability > unsure.hits[0].confidence.probability
    assert knowledge.status()["warnings"] == []
