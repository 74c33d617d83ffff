"""Text to vectors: the embedder that the settings name, without any network."""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from kb_index.model_files import (
    DEFAULT_MODEL,
    DEFAULT_WEIGHTS,
    ModelDiffers,
    Source,
    default_model_path,
    find_source,
    is_default,
    not_here,
    why_not_exportable,
)
from kb_index.onnx_embedder import QUESTION_CHARACTERS, DamagedExport, OnnxEmbedder
from kb_index.port import Embedder, Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = [
    "DEFAULT_CACHE", "DEFAULT_MODEL", "DEFAULT_WEIGHTS", "ExportFailed", "ModelDiffers", "Runtime",
    "SentenceTransformerEmbedder", "load_embedder", "load_model",
]  # fmt: skip

log = logging.getLogger(__name__)
DEFAULT_CACHE = Path("var/knowledge")
NOT_EXPORTABLE = 3  # the exit code of kb_index.export for a model that cannot be exported
Runtime = Literal["onnx", "torch"]


class ExportFailed(RuntimeError):  # noqa: N818 - it is a finding
    """A model could not be exported, for a reason that does not lie in the model."""


class SentenceTransformerEmbedder:
    """A sentence-transformers model in torch. Safe to use from many threads; they take turns.

    name_or_path: a folder, or a model already on this machine; None is the model that comes with Lotse, whose weights
    are checked. Raises ModelDiffers, or OSError when the model is not there (nothing is downloaded).
    """

    def __init__(self, name_or_path: str | None = None, *, threads: int = 2, batch_size: int = 32) -> None:
        path = name_or_path or str(default_model_path())
        self.name = name_or_path or f"{DEFAULT_MODEL}@{DEFAULT_WEIGHTS[:12]}"
        self.batch_size = batch_size
        self._lock = threading.Lock()
        self._model = load_model(path, threads)
        self.dimension = int(self._model.get_embedding_dimension() or 0)

    def embed_question(self, text: str) -> Vectors:
        """One question, shape (dimension,)."""
        vectors = self.embed_passages([text[:QUESTION_CHARACTERS]])
        return np.asarray(vectors[0], np.float32)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Passages, shape (len(texts), dimension); batches are made of texts of similar length."""
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        with self._lock:
            found = self._model.encode(
                list(texts), batch_size=self.batch_size, normalize_embeddings=True, show_progress_bar=False
            )
        return np.asarray(found, np.float32)


def load_model(path: str, threads: int) -> "SentenceTransformer":
    """Load a model from this machine only."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TQDM_DISABLE", "1")  # a bar for loading weights, on everybody's standard error
    import torch  # noqa: PLC0415 - seconds and hundreds of megabytes
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415
    from transformers.utils import logging as transformers_logging  # noqa: PLC0415

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.set_num_threads(threads)
    try:
        return SentenceTransformer(path, device="cpu", local_files_only=True)
    except OSError as error:
        raise not_here(path) from error


def load_embedder(name: str | None = None, folder: Path = DEFAULT_CACHE, runtime: Runtime = "onnx") -> Embedder:
    """The embedder of that model; None, an empty name or `all-MiniLM-L6-v2` is the one that comes with Lotse.

    runtime `onnx`: the int8 export of the model, kept below the folder and made in a process of its own where it is
    missing or damaged (torch, 20 seconds, once); a model that cannot be exported runs in torch.
    runtime `torch`: sentence-transformers; other vectors, of another name.

    Raises ModelDiffers, ExportFailed, or OSError when the model is not on this machine (nothing is downloaded).
    """
    if runtime == "torch":
        return torch_embedder(name)
    if is_default(name):
        # The name holds the hash of the weights: with an export of them there is no need to read the 90 MB again.
        exported = open_export(export_folder(folder, DEFAULT_MODEL, DEFAULT_WEIGHTS), DEFAULT_WEIGHTS)
        if exported is not None:
            return exported
    source = find_source(name)
    target = export_folder(folder, source.name, source.fingerprint)
    reason = why_not_exportable(source.path)
    if reason is None:
        exported = open_export(target, source.fingerprint)
        if exported is not None:
            return exported
        reason = run_export(source, target)
    if reason is None:
        return OnnxEmbedder(target)
    log.warning("the embedding model cannot be exported (%s): it runs in torch, slower and larger", reason)
    return torch_embedder(name)


def torch_embedder(name: str | None) -> Embedder:
    """The model in torch."""
    return SentenceTransformerEmbedder(None if is_default(name) else name)


def export_folder(cache: Path, name: str, fingerprint: str) -> Path:
    """Where the export of a model is kept."""
    return cache / "onnx" / f"{Path(name).name}@{fingerprint[:12]}-int8"


def open_export(folder: Path, fingerprint: str) -> OnnxEmbedder | None:
    """The exported model, or None when there is none that can be used."""
    try:
        embedder = OnnxEmbedder(folder)
    except FileNotFoundError:
        return None
    except DamagedExport as error:
        log.warning("%s: it is made anew", error)
        return None
    return embedder if embedder.source == fingerprint else None


def run_export(source: Source, folder: Path) -> str | None:
    """Export in a process of its own, so that this one never holds torch. Returns why the model cannot be, or None.

    Raises ExportFailed when something else was in the way.
    """
    log.info("the embedding model is exported for ONNX Runtime, once")
    name = [] if source.name == DEFAULT_MODEL else [source.name]
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-W", "ignore", "-m", "kb_index.export", *name, str(folder)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
    if done.returncode == NOT_EXPORTABLE:
        return said[0]
    if done.returncode:
        raise ExportFailed(
            f"the embedding model could not be exported to {folder}: {said[0]}; "
            "`knowledge.embedder: torch` works without an export"
        )
    return None
