"""An embedder for the fast suite: words become directions by their hash. Same text, same vector, on every machine."""

import re
from collections.abc import Sequence
from hashlib import sha256

import numpy as np

from kb_index.port import Vectors


class HashEmbedder:
    """Texts that share words are near each other. Counts what it embeds, so that tests can see what was not."""

    def __init__(self, name: str = "hash", dimension: int = 64) -> None:
        self.name = name
        self.dimension = dimension
        self.embedded: list[str] = []

    def embed_question(self, text: str) -> Vectors:
        return self._vector(text)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.embedded += texts
        return np.stack([self._vector(text) for text in texts]) if texts else np.zeros((0, self.dimension), np.float32)

    def _vector(self, text: str) -> Vectors:
        total = np.zeros(self.dimension, np.float32)
        for word in re.findall(r"\w+", text.lower()) or [""]:
            seed = int.from_bytes(sha256(word.encode("utf-8", "replace")).digest()[:8])
            total += np.random.default_rng(seed).standard_normal(self.dimension).astype(np.float32)
        return np.asarray(total / (np.linalg.norm(total) or 1.0), np.float32)
