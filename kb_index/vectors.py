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
# Measured (benchmarks/vectors.py, docs/decisions/0011): at 100,000 vectors exact search takes 9.2 ms and 8 bits 4.7 ms,
# with a recall@100 of .995; at 10,000 exact search takes 0.3 ms and is the faster one.
FLAT_UP_TO = 50_000
TRAINED_ON = 100_000  # vectors that show the range of each dimension; a margin is left on both sides
MARGIN = 0.1  # of that range
OUTSIDE = 0.001  # share of new components outside of it from which the codes are made anew
CHUNK = 50_000


@dataclass(frozen=True)
class Stamp:
    """What a saved index must agree with to be used: the knowledge base, the model, its dimension."""

    knowledge: str
    model: str
    dimension: int


class VectorIndex:
    """Inner product over vectors of length 1: exact up to `flat_up_to` vectors, from there on of 8 bits a component.

    Both look at every vector, so nothing has to be trained again as articles come and go. Not safe for use from several
    threads at once.
    """

    def __init__(self, dimension: int, flat_up_to: int = FLAT_UP_TO) -> None:
        self.dimension = dimension
        self.flat_up_to = flat_up_to
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
        new = np.ascontiguousarray(vectors, np.float32)
        if not self._can_hold(new):
            self._index = quantised(self._index, new)
        self._index.add_with_ids(new, np.asarray(ids, np.int64))
        self._ids.update(ids)
        self.unsaved = True

    def _can_hold(self, new: Vectors) -> bool:
        """Whether the index as it is can take these: few enough when it is flat, else within its codes' range."""
        codes = faiss.downcast_index(self._index.index)
        if not isinstance(codes, faiss.IndexScalarQuantizer):
            return len(self) + len(new) <= self.flat_up_to
        low, width = faiss.vector_to_array(codes.sq.trained).reshape(2, self.dimension)
        return float(((new < low) | (new > low + width)).mean()) <= OUTSIDE

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
        faiss.omp_set_num_threads(1)  # for this thread: waiting for a second core costs more than it brings
        scores, ids = self._index.search(np.asarray(vector, np.float32).reshape(1, -1), min(limit, len(self)))
        return {int(i): float(s) for i, s in zip(ids[0], scores[0], strict=True) if i >= 0}

    def rows(self, ids: Sequence[int]) -> tuple[list[int], Vectors]:
        """Of these passages those that have a vector, and their vectors, shape (held, dimension)."""
        held = [passage_id for passage_id in ids if passage_id in self._ids]
        if not held:
            return [], np.zeros((0, self.dimension), np.float32)
        return held, self._index.reconstruct_batch(np.asarray(held, np.int64))

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


def quantised(index: Any, new: Vectors) -> Any:
    """The same vectors and ids in 8 bits a component, whose ranges also suit `new` of shape (n, dimension)."""
    held, ids = faiss.downcast_index(index.index), faiss.vector_to_array(index.id_map)
    codes = faiss.IndexScalarQuantizer(index.d, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    codes.sq.rangestat_arg = MARGIN
    some = held.reconstruct_n(0, min(held.ntotal, TRAINED_ON)) if held.ntotal else new[:0]
    codes.train(np.concatenate([some, new[:TRAINED_ON]]))
    made = faiss.IndexIDMap2(codes)
    for start in range(0, held.ntotal, CHUNK):
        part = min(CHUNK, held.ntotal - start)
        made.add_with_ids(held.reconstruct_n(start, part), ids[start : start + part])
    return made
