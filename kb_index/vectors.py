"""Nearest passages by FAISS, and the file that keeps the index between starts."""

import json
import os
import tempfile
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from kb_index.port import Vectors

FORMAT = 1


@dataclass(frozen=True)
class Stamp:
    """What a saved index must agree with to be used: the knowledge base, the model, its dimension."""

    knowledge: str
    model: str
    dimension: int


class VectorIndex:
    """Exact inner product over vectors of length 1. Not safe for use from several threads at once."""

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self._index: Any = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))
        self._ids: set[int] = set()
        self.unsaved = False

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def ids(self) -> Set[int]:
        """The passages it holds."""
        return self._ids

    def put(self, ids: Sequence[int], vectors: Vectors) -> None:
        """Add vectors of shape (len(ids), dimension); an id that was there is replaced."""
        if not len(ids):
            return
        self.drop(ids)
        self._index.add_with_ids(np.ascontiguousarray(vectors, np.float32), np.asarray(ids, np.int64))
        self._ids.update(ids)
        self.unsaved = True

    def drop(self, ids: Iterable[int]) -> None:
        """Remove vectors; ids that are not there do not matter."""
        held = self._ids.intersection(ids)
        if held:
            self._index.remove_ids(faiss.IDSelectorBatch(np.asarray(sorted(held), np.int64)))
            self._ids -= held
            self.unsaved = True

    def nearest(self, vector: Vectors, limit: int) -> dict[int, float]:
        """The cosine of the nearest passages by id, nearest first."""
        if not len(self) or limit < 1:
            return {}
        scores, ids = self._index.search(np.asarray(vector, np.float32).reshape(1, -1), min(limit, len(self)))
        return {int(i): float(s) for i, s in zip(ids[0], scores[0], strict=True) if i >= 0}

    def cosines(self, vector: Vectors, ids: Sequence[int]) -> dict[int, float]:
        """The cosine of certain passages by id; those that have no vector are left out."""
        held = [passage_id for passage_id in ids if passage_id in self._ids]
        if not held:
            return {}
        scores = self._index.reconstruct_batch(np.asarray(held, np.int64)) @ np.asarray(vector, np.float32)
        return dict(zip(held, map(float, scores), strict=True))

    def save(self, path: Path, stamp: Stamp, version: int) -> None:
        """Write the file in one step: a reader sees the old or the new one, never half of it."""
        body = faiss.serialize_index(self._index).tobytes()
        head = {"format": FORMAT, **vars(stamp), "version": version, "sha256": sha256(body).hexdigest()}
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(json.dumps(head).encode() + b"\n" + body)
            Path(name).replace(path)
            self.unsaved = False
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    @classmethod
    def load(cls, path: Path, stamp: Stamp) -> "VectorIndex | None":
        """The saved index, or None when there is none, it is damaged, or it is of another knowledge base or model."""
        try:
            head_line, _, body = path.read_bytes().partition(b"\n")
            head = json.loads(head_line)
            same = {"format": FORMAT, **vars(stamp), "sha256": sha256(body).hexdigest()}
            if {name: head.get(name) for name in same} != same:
                return None
        except (OSError, ValueError, AttributeError):
            return None
        index = cls(stamp.dimension)
        index._index = faiss.deserialize_index(np.frombuffer(body, np.uint8))
        index._ids = {int(i) for i in faiss.vector_to_array(index._index.id_map)}
        return index
