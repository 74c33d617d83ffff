"""Vectors of passages kept in a file: who tries things out has the same articles embedded again and again."""

import logging
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import numpy as np

from kb_index.port import Embedder, Vectors

log = logging.getLogger(__name__)
PATIENCE = 30.0  # seconds to wait for another process that writes
TABLE = "CREATE TABLE IF NOT EXISTS vector (text BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID"


class KeptVectors:
    """An embedder that embeds a passage once, in whatever run. Any number of processes may use the same folder.

    Its name must hold a hash of the weights: behind the same name other vectors would be taken for these.
    """

    def __init__(self, embedder: Embedder, folder: Path) -> None:
        self.name, self.dimension = embedder.name, embedder.dimension
        self.embed_question = embedder.embed_question
        self._embedder = embedder
        self._folder = folder
        self._file = folder / f"{sha256(embedder.name.encode()).hexdigest()[:16]}.sqlite"

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Shape (len(texts), dimension). Where the file is of no use, all are embedded."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._file, timeout=PATIENCE)) as file:
                return self._embedded(file, list(texts))
        except (OSError, sqlite3.Error) as error:
            log.warning("the vectors of passages cannot be kept (%s)", type(error).__name__)
            return self._embedder.embed_passages(texts)

    def _embedded(self, file: sqlite3.Connection, texts: list[str]) -> Vectors:
        file.execute(TABLE)
        names = [sha256(text.encode("utf-8", "replace")).digest() for text in texts]
        rows = {name: file.execute("SELECT vector FROM vector WHERE text = ?", (name,)).fetchone() for name in names}
        found = {name: np.frombuffer(row[0], np.float32) for name, row in rows.items() if row}
        missing = {name: text for name, text in zip(names, texts, strict=True) if name not in found}
        made = np.asarray(self._embedder.embed_passages(list(missing.values())), np.float32)
        found |= dict(zip(missing, made, strict=True))
        with file:
            new = [(name, found[name].tobytes()) for name in missing]
            file.executemany("INSERT OR IGNORE INTO vector VALUES (?, ?)", new)
        return np.stack([found[name] for name in names]) if names else made
