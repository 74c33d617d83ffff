"""The real model, as it comes with Lotse: exported for ONNX Runtime, and in torch."""

import logging
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from bot.db import Sessions
from kb_index import model_files
from kb_index.articles import import_folder
from kb_index.confidence import seed_calibration
from kb_index.embedder import (
    DEFAULT_CACHE,
    ExportFailed,
    ModelDiffers,
    SentenceTransformerEmbedder,
    export_folder,
    load_embedder,
)
from kb_index.export import sentences
from kb_index.model_files import DEFAULT_MODEL, DEFAULT_WEIGHTS, default_model_path
from kb_index.onnx_embedder import GRAPH, OnnxEmbedder
from kb_index.port import Embedder
from kb_index.search import KnowledgeBase

pytestmark = pytest.mark.real
TEXTS = ["reset my password", "I forgot my login secret", "banana bread", "Wie richte ich das VPN ein? " * 20, ""]


@pytest.fixture(scope="module")
def torch() -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder()


@pytest.fixture(scope="module")
def onnx() -> OnnxEmbedder:
    embedder = load_embedder()
    assert isinstance(embedder, OnnxEmbedder)
    return embedder


@pytest.fixture(params=["onnx", "torch"])
def real(request: pytest.FixtureRequest) -> Embedder:
    """Each way to run the model."""
    embedder: Embedder = request.getfixturevalue(request.param)
    return embedder


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    """A copy of the model to be changed."""
    return Path(shutil.copytree(default_model_path(), tmp_path / "model"))


def test_vectors_have_length_one_and_know_meaning(real: Embedder) -> None:
    vectors = real.embed_passages(TEXTS)
    assert vectors.shape == (5, real.dimension) == (5, 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]
    assert real.embed_passages([]).shape == (0, 384)


def test_question_and_passage_are_embedded_alike(real: Embedder) -> None:
    assert np.allclose(real.embed_question("vpn"), real.embed_passages(["vpn"])[0], atol=1e-5)


def test_huge_question_is_survived(real: Embedder) -> None:
    assert real.embed_question("x " * 50_000).shape == (384,)


def test_many_threads_get_their_own_vectors(real: Embedder) -> None:
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


def test_export_agrees_with_torch(onnx: OnnxEmbedder, torch: SentenceTransformerEmbedder) -> None:
    texts = [*sentences(), *TEXTS]
    cosines = (onnx.embed_passages(texts) * torch.embed_passages(texts)).sum(axis=1)
    assert cosines.mean() > 0.998
    assert cosines.min() > 0.99


def test_vector_does_not_depend_on_what_is_embedded_with_it(onnx: OnnxEmbedder) -> None:
    texts = list(sentences())
    together, backwards = onnx.embed_passages(texts), onnx.embed_passages(texts[::-1])[::-1]
    alone = np.stack([onnx.embed_question(text) for text in texts[:10]])
    assert np.array_equal(together, backwards)
    assert np.array_equal(together[:10], alone)


def test_as_much_is_read_as_the_model_can(onnx: OnnxEmbedder, torch: SentenceTransformerEmbedder) -> None:
    """tokenizer.json alone would cut at 128 tokens and pad shorter texts to 128."""
    start, middle, end = "mail " * 130, "printer " * 124, "banana " * 50
    read, cut = onnx.embed_passages([start + middle, start + middle + end])
    assert np.array_equal(read, cut)
    assert read @ onnx.embed_question(start) < 0.95
    assert read @ torch.embed_passages([start + middle])[0] > 0.995
    assert onnx.embed_question("vpn") @ torch.embed_question("vpn") > 0.995


def test_runtimes_go_by_different_names(onnx: OnnxEmbedder, torch: SentenceTransformerEmbedder) -> None:
    assert onnx.name == f"{DEFAULT_MODEL}@{DEFAULT_WEIGHTS[:12]}/int8"
    assert torch.name == f"{DEFAULT_MODEL}@{DEFAULT_WEIGHTS[:12]}"


def test_torch_is_used_where_the_settings_want_it() -> None:
    assert isinstance(load_embedder(runtime="torch"), SentenceTransformerEmbedder)


def test_unknown_model_is_not_downloaded(tmp_path: Path) -> None:
    for name in ("no-such-model", "nobody/no-such-model", "not a name: at all"):
        with pytest.raises(OSError, match=f"{name} is not on this machine"):
            load_embedder(name, tmp_path)
    with pytest.raises(OSError, match="no-such-model"):
        load_embedder("no-such-model", tmp_path, "torch")


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_files, "DEFAULT_WEIGHTS", "0" * 64)
    with pytest.raises(ModelDiffers, match="reinstall"):
        default_model_path()


def test_model_by_its_name_is_the_one_that_comes_along(onnx: OnnxEmbedder) -> None:
    assert load_embedder("all-MiniLM-L6-v2").name == load_embedder("").name == onnx.name


def test_damaged_export_is_made_anew(onnx: OnnxEmbedder, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = export_folder(tmp_path, DEFAULT_MODEL, DEFAULT_WEIGHTS)
    shutil.copytree(export_folder(DEFAULT_CACHE, DEFAULT_MODEL, DEFAULT_WEIGHTS), folder)
    with (folder / GRAPH).open("r+b") as graph:
        graph.truncate(1_000_000)
    mended = load_embedder(None, tmp_path)
    assert isinstance(mended, OnnxEmbedder)
    assert np.array_equal(mended.embed_question("vpn"), onnx.embed_question("vpn"))
    assert "damaged" in caplog.text
    assert [path.name for path in (tmp_path / "onnx").iterdir()] == [folder.name]


def test_another_model_is_exported_with_its_own_limits(model_folder: Path, tmp_path: Path) -> None:
    settings = model_folder / "sentence_bert_config.json"
    settings.write_text(settings.read_text().replace("256", "32"))
    embedder = load_embedder(str(model_folder), tmp_path)
    assert isinstance(embedder, OnnxEmbedder)
    assert re.fullmatch(re.escape(str(model_folder)) + "@[0-9a-f]{12}/int8", embedder.name)
    read, cut = embedder.embed_passages(["vpn " * 30, "vpn " * 30 + "banana " * 30])
    assert np.array_equal(read, cut)
    again = load_embedder(str(model_folder), tmp_path)
    assert again.name == embedder.name
    assert len(list((tmp_path / "onnx").iterdir())) == 1


def test_model_that_cannot_be_exported_runs_in_torch(
    model_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pooling = model_folder / "1_Pooling" / "config.json"
    pooling.write_text(
        pooling.read_text()
        .replace('cls_token": false', 'cls_token": true')
        .replace('mean_tokens": true', 'mean_tokens": false')
    )
    with caplog.at_level(logging.WARNING, "kb_index"):
        embedder = load_embedder(str(model_folder), tmp_path)
    assert isinstance(embedder, SentenceTransformerEmbedder)
    assert embedder.embed_question("vpn").shape == (384,)
    said = [record.getMessage() for record in caplog.records if record.name.startswith("kb_index")]
    assert len(said) == 1
    assert "cannot be exported (its pooling is ['pooling_mode_cls_token'], not the mean)" in said[0]


def test_folder_that_cannot_be_written_is_told_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "onnx").write_text("a file in the way")
    with pytest.raises(ExportFailed, match=r"FileExistsError.*knowledge\.embedder: torch"):
        load_embedder(None, tmp_path)


SERVING = """
import sys
from pathlib import Path
from bot.app import build_app
from bot.settings import Settings
from kb_index.articles import import_folder

folder, cache = Path(sys.argv[1]), Path(sys.argv[2])
settings = Settings.model_validate({
    "database": {"url": f"sqlite:///{folder}/lotse.db"}, "knowledge": {"cache": cache}, "nlu": {"use_rasa": False},
})
app = build_app(settings)
house = app.house
import_folder(house.sessions, house.knowledge.embedder, folder / "kb")
app.start()
print(house.knowledge.search("How do I fix a paper jam?", "en").hits[0].title)
print([name for name in ("torch", "transformers", "sentence_transformers") if name in sys.modules])
app.stop()
# Not ru_maxrss: across exec it keeps the peak of the process that started this one.
print(next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory from /proc")
def test_serving_process_holds_no_torch(onnx: OnnxEmbedder, tmp_path: Path) -> None:
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb" / "jam.md").write_text("---\nlang: en\n---\n# Fix a paper jam\n\nOpen tray two. Pull.")
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", SERVING, str(tmp_path), str(DEFAULT_CACHE)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    title, imported, megabytes = done.stdout.splitlines()
    assert (title, imported) == ("Fix a paper jam", "[]")
    assert int(megabytes) < 400


def test_shipped_calibration_fits_the_shipped_model(onnx: OnnxEmbedder, sessions: Sessions, tmp_path: Path) -> None:
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb" / "jam.md").write_text("---\nlang: en\n---\n# Fix a paper jam\n\nOpen tray two. Pull.")
    (tmp_path / "kb" / "vpn.md").write_text("---\nlang: en\n---\n# Connect to the VPN\n\nStart the client and sign in.")
    import_folder(sessions, onnx, tmp_path / "kb")
    with sessions.begin() as session:
        seed_calibration(session)
    knowledge = KnowledgeBase(sessions, onnx, tmp_path / "cache")
    knowledge.warm_up()
    sure = knowledge.search("How do I fix a paper jam?", "en")
    unsure = knowledge.search("What is the capital of France?", "en")
    assert sure.hits[0].title == "Fix a paper jam"
    assert sure.answer_from is not None
    assert sure.hits[0].confidence.probability > unsure.hits[0].confidence.probability
    assert knowledge.status()["warnings"] == []
