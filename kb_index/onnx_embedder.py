"""Text to vectors by ONNX Runtime, from what kb_index.export wrote. Imports neither torch nor transformers."""

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from kb_index.port import Vectors

FORMAT = 1
GRAPH, TOKENIZER, MANIFEST, QUALITY = "model.onnx", "tokenizer.json", "export.json", "quality.json"
QUESTION_CHARACTERS = 2_000  # more than any model here reads


class DamagedExport(RuntimeError):  # noqa: N818 - it is a finding
    """An exported model that is not what its manifest says."""


@dataclass(frozen=True)
class Manifest:
    """What belongs to an exported model. max_tokens: what it reads of a text, its special tokens included.

    source: fingerprint of the files it was made from (kb_index.model_files); files: sha256 by name.
    """

    name: str
    source: str
    dimension: int
    max_tokens: int
    files: dict[str, str]
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        (folder / MANIFEST).write_text(json.dumps(asdict(self), indent=1) + "\n", "utf-8")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of an exported model, its files checked. Raises DamagedExport, or FileNotFoundError."""
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no exported model in {folder}")
    try:
        manifest = Manifest(**json.loads((folder / MANIFEST).read_text("utf-8")))
        differing = [name for name, expected in manifest.files.items() if sha256_of(folder / name) != expected]
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DamagedExport(f"the exported model in {folder} cannot be read ({type(error).__name__})") from error
    if manifest.format != FORMAT or set(manifest.files) != {GRAPH, TOKENIZER}:
        raise DamagedExport(f"the exported model in {folder} was written by another version of Lotse")
    if differing:
        raise DamagedExport(
            f"the exported model in {folder} is damaged: {', '.join(differing)} changed since the export"
        )
    return manifest


def sha256_of(path: Path) -> str:
    """The sha256 of a file in hexadecimal; about a gigabyte a second."""
    with path.open("rb") as file:
        found = sha256()
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()


class OnnxEmbedder:
    """An exported model. Safe to use from many threads; questions do not wait for passages.

    Each text is run by itself on one core. That is faster than batches (the activations of a single passage stay in the
    core's cache; measured in docs/decisions/0011), and a vector cannot depend on what else is embedded with it: int8
    scales would be shared by the whole batch. workers: cores that embed_passages uses; None is all of them.

    Raises DamagedExport, or FileNotFoundError when the folder holds no exported model.
    """

    def __init__(self, folder: Path, *, workers: int | None = None) -> None:
        import onnxruntime  # noqa: PLC0415 - 200 ms that only who embeds needs
        from tokenizers import Tokenizer  # noqa: PLC0415

        manifest = read_manifest(folder)
        self.name, self.dimension, self.source = manifest.name, manifest.dimension, manifest.source
        self.workers = workers or usable_cores()
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        # A tokenizer.json brings its own habits along: that of all-MiniLM-L6-v2 cuts at 128 tokens and pads to 128.
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(manifest.max_tokens)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors
        self._session: Any = onnxruntime.InferenceSession(
            str(folder / GRAPH), options, providers=["CPUExecutionProvider"]
        )

    def embed_question(self, text: str) -> Vectors:
        """One question, shape (dimension,)."""
        return self._embed(text[:QUESTION_CHARACTERS])

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Passages, shape (len(texts), dimension)."""
        found = np.zeros((len(texts), self.dimension), np.float32)
        if len(texts) < 2 or self.workers == 1:
            for row, text in enumerate(texts):
                found[row] = self._embed(text)
            return found
        with ThreadPoolExecutor(self.workers, "embedder") as pool:
            for row, vector in enumerate(pool.map(self._embed, texts)):
                found[row] = vector
        return found

    def _embed(self, text: str) -> Vectors:
        ids = np.asarray([self._tokenizer.encode(text).ids], np.int64)
        return np.asarray(self._session.run(None, {"input_ids": ids})[0][0], np.float32)


def usable_cores() -> int:
    """The cores this process may use: in a container fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
