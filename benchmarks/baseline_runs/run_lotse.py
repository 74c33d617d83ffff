"""Lotse itself: the folder imported into a temporary database, then KnowledgeBase.search.

The calibration that ships was fitted on the questions of helpdesk-data, so with `--data` (the folder that holds them)
every question is judged by one that has seen neither it nor any other question about its articles.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from zlib import crc32

from runner import Found, Row, Runner, main, read_lines, set_up_model

sys.path.append(str(Path(__file__).parents[1]))  # import_folder
FOLDS = 5


class Lotse(Runner):
    """The score is the calibrated probability that the article answers."""

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Where the articles come from, and the questions with what answers them."""
        parser.add_argument("--kb", type=Path, required=True, help="the folder of the articles")
        parser.add_argument("--data", type=Path, help="judge each question by a calibration that has not seen it")
        parser.add_argument("--max-wrong", type=float, default=0.10)

    def load(self) -> None:
        """The embedding model."""
        from kb_index.embedder import SentenceTransformerEmbedder  # noqa: PLC0415 - timed

        set_up_model(self.options)
        self.embedder = SentenceTransformerEmbedder(threads=self.options.threads)

    def index(self, articles: Sequence[Row]) -> int:
        """Import, and open the index."""
        from import_folder import create_tables  # noqa: PLC0415
        from sqlalchemy import select  # noqa: PLC0415

        from bot.db import open_database  # noqa: PLC0415
        from kb_index.articles import import_folder  # noqa: PLC0415
        from kb_index.confidence import seed_calibration  # noqa: PLC0415
        from kb_index.models import Article  # noqa: PLC0415
        from kb_index.search import KnowledgeBase  # noqa: PLC0415

        self.work = tempfile.TemporaryDirectory()
        url = f"sqlite:///{Path(self.work.name) / 'knowledge.db'}"
        create_tables(url)
        self.sessions = open_database(url)
        import_folder(self.sessions, self.embedder, self.options.kb)
        if not self.options.data:
            with self.sessions.begin() as session:
                seed_calibration(session)
        self.knowledge = KnowledgeBase(self.sessions, self.embedder, Path(self.work.name), self.options.max_wrong)
        self.knowledge.refresh()
        with self.sessions() as session:
            self.slugs = {row.id: row.slug for row in session.execute(select(Article.id, Article.slug))}
        return int(self.knowledge.status()["passages"])

    def prepare(self, question: Row) -> None:
        """Before the first question the calibrations are fitted; the one in use changes from fold to fold."""
        if not self.options.data:
            return
        if not hasattr(self, "fitted"):
            self.folds, self.fitted, self.fold = self._folds(), {}, -1
        fold = self.folds[question["id"]]
        if fold != self.fold:
            self._use(fold)

    def _folds(self) -> dict[str, int]:
        """Questions of the same article are in the same fold."""
        from kb_index.fitting import Sample  # noqa: PLC0415

        language = self.options.language
        ids = {slug: number for number, slug in self.slugs.items()}
        self.samples = {}
        for row in labelled(self.options.data, language):
            gold = frozenset(ids[slug] for slug in row["answer_article_ids"] if slug in ids)
            group = min(row["answer_article_ids"], default=row["id"])
            self.samples[row["id"]] = Sample(self.knowledge.found(row["question"], language), gold, group, row["kind"])
        return {name: crc32(sample.group.encode()) % FOLDS for name, sample in self.samples.items()}

    def _use(self, fold: int) -> None:
        from kb_index.confidence import store_calibration  # noqa: PLC0415
        from kb_index.fitting import fit  # noqa: PLC0415

        if fold not in self.fitted:
            others = [sample for name, sample in self.samples.items() if self.folds[name] != fold]
            self.fitted[fold] = fit(others, f"without fold {fold}", self.options.language, self.embedder.name)
        with self.sessions.begin() as session:
            store_calibration(session, [self.fitted[fold]])
        self.knowledge.refresh()
        self.fold = fold

    def search(self, question: str) -> Found:
        """As the bot asks; it answers itself where it is sure enough."""
        result = self.knowledge.search(question, self.options.language, limit=10)
        self.notes["calibration"] = result.calibration
        ranking = [(self.slugs[hit.article_id], hit.confidence.probability) for hit in result.hits]
        sure = bool(ranking) and result.answer_from is not None and ranking[0][1] >= result.answer_from
        return Found(ranking, sure)


def labelled(data: Path, language: str) -> Iterator[Row]:
    """The questions with what answers them, and those that nothing answers."""
    for kind in ("questions", "unanswerable"):
        yield from read_lines(data / f"{kind}_{language}.jsonl")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main(Lotse)
