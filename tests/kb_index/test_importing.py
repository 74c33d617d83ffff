"""A folder is imported: only what changed, and nothing is lost when it cannot be read."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fake_embedder import HashEmbedder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from bot.db import Sessions
from kb_index.articles import ImportReport, import_folder, withdraw_article
from kb_index.importing import CHUNK
from kb_index.models import Article, ArticleRevision, Passage
from kb_index.port import Vectors


class Folder:
    """A folder of articles and its imports."""

    def __init__(self, path: Path, sessions: Sessions, embedder: HashEmbedder) -> None:
        self.path = path
        self.sessions = sessions
        self.embedder = embedder
        path.mkdir(exist_ok=True)

    def write(self, name: str, text: str) -> None:
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_text(f"---\nlang: en\n---\n{text}", "utf-8")

    def bring_in(self, **options: Any) -> ImportReport:
        return import_folder(self.sessions, self.embedder, self.path, **options)

    def states(self) -> dict[str, str]:
        with self.sessions() as session:
            rows = session.execute(select(Article.source_key, Article.state))
            return {row.source_key: row.state for row in rows}


@pytest.fixture
def folder(tmp_path: Path, sessions: Sessions, embedder: HashEmbedder) -> Folder:
    return Folder(tmp_path / "kb", sessions, embedder)


def test_second_import_embeds_nothing(folder: Folder) -> None:
    folder.write("a.md", "# A\n\nOne.")
    folder.write("sub/b.md", "# B\n\nTwo.")
    first, second = folder.bring_in(), folder.bring_in()
    assert (first.added, first.embedded_passages) == (2, 2)
    assert (second.added, second.changed, second.unchanged, second.embedded_passages) == (0, 0, 2, 0)


def test_changed_article_embeds_only_its_changed_passages(folder: Folder) -> None:
    parts = [f"## Part {n}\n\n{'word ' * 100}{n}." for n in range(5)]
    folder.write("a.md", "# A\n\n" + "\n\n".join(parts))
    folder.bring_in()
    with folder.sessions() as session:
        before = set(session.scalars(select(Passage.id)))
    folder.write("a.md", "# A\n\n" + "\n\n".join([*parts[:4], "## Part 4\n\nAll new."]))
    report = folder.bring_in()
    with folder.sessions() as session:
        after = set(session.scalars(select(Passage.id)))
        revisions = session.scalar(select(func.count(ArticleRevision.id)))
    assert (report.changed, report.embedded_passages) == (1, 1)
    assert len(before & after) == 4
    assert revisions == 2


def test_gone_file_is_withdrawn_and_comes_back_without_embedding(folder: Folder) -> None:
    folder.write("a.md", "# A\n\nOne.")
    folder.write("b.md", "# B\n\nTwo.")
    folder.bring_in()
    (folder.path / "b.md").unlink()
    assert folder.bring_in().removed == 1
    assert folder.states() == {"a.md": "published", "b.md": "withdrawn"}
    folder.write("b.md", "# B\n\nTwo.")
    report = folder.bring_in()
    assert (report.changed, report.embedded_passages) == (1, 0)
    assert folder.states()["b.md"] == "published"


def test_other_sources_are_left_alone(folder: Folder) -> None:
    folder.write("a.md", "# A\n\nOne.")
    folder.bring_in(source="one")
    folder.bring_in(source="two")
    (folder.path / "a.md").unlink()
    folder.write("c.md", "# C\n\nThree.")
    assert folder.bring_in(source="two").removed == 1
    with folder.sessions() as session:
        live = session.scalars(select(Article.source).where(Article.state == "published", Article.source_key == "a.md"))
        assert list(live) == ["one"]


@pytest.mark.parametrize("prune", [False, True])
def test_empty_folder_withdraws_only_when_pruned(folder: Folder, prune: bool) -> None:
    folder.write("a.md", "# A\n\nOne.")
    folder.bring_in()
    (folder.path / "a.md").unlink()
    report = folder.bring_in(prune=prune)
    assert report.removed == prune
    assert (report.not_removed is None) == prune


def test_missing_folder_withdraws_nothing(folder: Folder) -> None:
    folder.write("a.md", "# A\n\nOne.")
    folder.bring_in()
    folder.path.rename(folder.path.with_name("moved"))
    report = folder.bring_in()
    assert (report.removed, folder.states()) == (0, {"a.md": "published"})
    assert "not there" in str(report.not_removed)


def test_broken_files_are_told_and_do_not_stop_the_rest(folder: Folder) -> None:
    folder.write("a.md", "# A\n\nOne.")
    (folder.path / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    (folder.path / "latin.md").write_bytes("Prüfung".encode("latin-1"))
    (folder.path / "notes.txt").write_text("not an article")
    report = folder.bring_in()
    assert report.added == 1
    assert [name for name, _ in report.failed] == ["broken.pdf", "latin.md"]
    assert report.to_json()["failed"][1][1].startswith("it is not UTF-8")


def test_article_whose_file_broke_stays_as_it_was(folder: Folder) -> None:
    folder.write("c#.md", "# A\n\nOne.")
    folder.bring_in()
    (folder.path / "c#.md").write_bytes(b"\xff\xfe broken")
    report = folder.bring_in()
    assert (len(report.failed), report.removed) == (1, 0)
    assert folder.states() == {"c#.md": "published"}


def test_too_large_file_is_refused(folder: Folder) -> None:
    with (folder.path / "big.md").open("wb") as file:
        file.truncate(25_000_000)
    assert "larger than 20 MB" in folder.bring_in().failed[0][1]


def test_links_out_of_the_folder_are_not_followed(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("# Secret\n\nText.")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x.md").write_text("# X\n\nText.")
    folder.write("a.md", "# A\n\nOne.")
    (folder.path / "link.md").symlink_to(tmp_path / "secret.md")
    (folder.path / "dir").symlink_to(tmp_path / "outside")
    (folder.path / "alias.md").symlink_to(folder.path / "a.md")
    folder.bring_in()
    assert set(folder.states()) == {"a.md", "alias.md"}


def test_dangling_link_is_told(folder: Folder) -> None:
    (folder.path / "gone.md").symlink_to(folder.path / "nowhere.md")
    assert "cannot be opened" in folder.bring_in().failed[0][1]


def test_unreadable_subfolder_withdraws_nothing(folder: Folder) -> None:
    folder.write("a.md", "# A\n\nOne.")
    folder.write("b.md", "# B\n\nTwo.")
    folder.bring_in()
    (folder.path / "b.md").unlink()
    with folder_nobody_can_read(folder.path / "deep"):
        report = folder.bring_in()
    assert (report.removed, report.failed[0][0][:4]) == (0, "deep")
    assert folder.bring_in().removed == 1


@contextmanager
def folder_nobody_can_read(path: Path) -> Iterator[None]:
    """A folder below which the paths are too long for the system; permissions would not keep root out."""
    path.mkdir()
    at = os.open(path, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("x" * 240, dir_fd=at)
        below = os.open("x" * 240, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)
    yield
    shutil.rmtree(path)


def test_what_an_editor_withdrew_is_not_published_again(folder: Folder) -> None:
    folder.write("a.md", "# A\n\nOne.")
    folder.bring_in()
    with folder.sessions() as session:
        article_id = session.scalars(select(Article.id)).one()
    withdraw_article(folder.sessions, article_id, "editor")
    folder.write("a.md", "# A\n\nOne and a half.")
    folder.bring_in()
    assert folder.states() == {"a.md": "withdrawn"}


def test_row_that_left_a_table_is_withdrawn_and_the_others_stay(folder: Folder) -> None:
    table = folder.path / "faq.csv"
    table.write_text("question,answer,language\nHow?,So.,en\nWhy?,Because.,en\n")
    folder.bring_in()
    table.write_text("question,answer,language\nNew?,Yes.,en\nHow?,So.,en\n")
    report = folder.bring_in()
    assert (report.added, report.unchanged, report.removed) == (1, 1, 1)
    assert folder.states()["faq.csv#row:why"] == "withdrawn"


def test_another_model_embeds_everything_again(folder: Folder) -> None:
    folder.write("a.md", "# A\n\nOne.")
    folder.bring_in()
    folder.embedder = HashEmbedder("other")
    assert folder.bring_in().embedded_passages == 1
    assert folder.bring_in().embedded_passages == 0


class Interrupted(HashEmbedder):
    """Breaks at the second batch."""

    def embed_passages(self, texts: Any) -> Vectors:
        if self.embedded:
            raise KeyboardInterrupt
        return super().embed_passages(texts)


def test_interrupted_import_goes_on_where_it_stopped(folder: Folder) -> None:
    for number in range(CHUNK + 5):
        folder.write(f"{number:03}.md", f"# Article {number}\n\nText.")
    folder.embedder = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        folder.bring_in()
    folder.embedder = HashEmbedder()
    report = folder.bring_in()
    assert (report.unchanged, report.added, len(folder.embedder.embedded)) == (CHUNK, 5, 5)


def test_progress_ends_at_the_number_of_files(folder: Folder) -> None:
    folder.write("a.md", "# A\n\nOne.")
    folder.write("b.md", "# B\n\nTwo.")
    seen: list[tuple[int, int]] = []
    folder.bring_in(progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 2), (1, 2), (2, 2)]


texts = st.dictionaries(st.sampled_from(["a.md", "b.md", "c.md"]), st.sampled_from(["One.", "Two.", "## H\n\nThree."]))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(texts, min_size=1, max_size=4))
def test_whatever_the_folder_became_the_database_holds_it(folder: Folder, history: list[dict[str, str]]) -> None:
    for files in history:
        for old in folder.path.glob("*.md"):
            old.unlink()
        for name, text in files.items():
            folder.write(name, text)
        folder.bring_in(prune=True)
        assert folder.bring_in(prune=True).embedded_passages == 0
    with folder.sessions() as session:
        live = select(Article.source_key, Article.body).where(Article.state == "published")
        assert {row.source_key: row.body for row in session.execute(live)} == history[-1]
