"""Imports folders into a temporary database and measures it: speed, memory, a second import, a change, a removal.

python benchmarks/import_folder.py FOLDER... [--keep DATABASE]
"""

import argparse
import resource
import shutil
import tempfile
import time
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from bot.db import make_engine, open_database
from kb_index.articles import ImportReport, import_folder
from kb_index.confidence import seed_calibration
from kb_index.embedder import load_embedder
from kb_index.models import Article, Base
from kb_index.port import Embedder
from kb_index.search import KnowledgeBase


def main() -> None:
    """Run all steps and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--keep", type=Path, help="keep the filled database at this path")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        copies = [Path(shutil.copytree(f, Path(work) / "kb" / f.name)) for f in arguments.folders]
        database = arguments.keep or Path(work) / "knowledge.db"
        measure(copies, database, Path(work) / "cache")


def measure(folders: list[Path], database: Path, cache: Path) -> None:
    """All steps on copies of the folders."""
    started = time.perf_counter()
    embedder = load_embedder()
    print(f"model loaded in {time.perf_counter() - started:.1f} s; memory {memory():.0f} MB")
    url = f"sqlite:///{database}"
    create_tables(url)
    sessions = open_database(url)
    for title in ("first import", "second import"):
        print_import(title, [import_folder(sessions, embedder, folder) for folder in folders])
    with sessions.begin() as session:
        seed_calibration(session)
    knowledge = KnowledgeBase(sessions, embedder, cache)
    for title in ("index built from rows", "index opened from its file"):
        started = time.perf_counter()
        KnowledgeBase(sessions, embedder, cache).refresh()
        print(f"{title}: {time.perf_counter() - started:.2f} s")
    change_one(sessions, embedder, knowledge, folders[0])
    remove_one(sessions, embedder, knowledge, folders[0])
    sessions.close()


def create_tables(url: str) -> None:
    """The tables of the knowledge only."""
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA query_only=OFF")
        Base.metadata.create_all(connection)
    engine.dispose()


def print_import(title: str, reports: list[ImportReport]) -> None:
    """One line for all folders together."""
    seconds = sum(report.seconds for report in reports)
    articles = sum(report.added + report.changed + report.unchanged for report in reports)
    passages = sum(report.embedded_passages for report in reports)
    failed = [failure for report in reports for failure in report.failed]
    print(
        f"{title}: {articles} articles in {seconds:.1f} s = {articles / seconds:.0f} articles/s; "
        f"{passages} passages embedded = {passages / seconds:.0f}/s; "
        f"failed {len(failed)}; peak memory {memory():.0f} MB"
    )


def change_one(sessions: sessionmaker[Session], embedder: Embedder, knowledge: KnowledgeBase, folder: Path) -> None:
    """A sentence more at the end of the longest article."""
    path = max(folder.glob("*.md"), key=lambda p: p.stat().st_size)
    path.write_text(path.read_text("utf-8") + "\n\nThe zyzzyva printer stands on the fourth floor.\n", "utf-8")
    report = import_folder(sessions, embedder, folder)
    with sessions() as session:
        article = session.scalars(select(Article).where(Article.source_key == path.name)).one()
        passages = len(article.passages)
    hits = knowledge.search("Where is the zyzzyva printer?", article.language).hits
    found = bool(hits) and hits[0].article_id == article.id
    print(
        f"one article changed: {report.changed} changed, {report.embedded_passages} of its {passages} passages "
        f"embedded, {report.seconds:.1f} s; first hit of the next question is it: {found}"
    )


def remove_one(sessions: sessionmaker[Session], embedder: Embedder, knowledge: KnowledgeBase, folder: Path) -> None:
    """The file of an article that was just cited goes."""
    with sessions() as session:
        article = session.scalars(select(Article).where(Article.source == folder.name).order_by(Article.id)).first()
    assert article is not None
    before = [hit.article_id for hit in knowledge.search(article.title, article.language).hits]
    (folder / article.source_key).unlink()
    report = import_folder(sessions, embedder, folder)
    after = [hit.article_id for hit in knowledge.search(article.title, article.language).hits]
    cited = f"cited before: {article.id in before}, after: {article.id in after}"
    print(f"one article removed: {report.removed} removed; {cited}")


def memory() -> float:
    """Peak of this process, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
