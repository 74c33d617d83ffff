"""Imports a folder of articles: only what changed, going on where it stopped, and past broken files."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from kb_index.glossary_learning import learn_glossaries
from kb_index.learning import set_import_questions
from kb_index.models import Article, ArticleRevision, Passage, State, now
from kb_index.passages import MissingVectors, PassageText, embed_texts, put_passages, split_passages, unembedded
from kb_index.past_questions import embed_waiting_questions, wait_for_other_embedder
from kb_index.port import Embedder
from kb_index.readers import MOST_BYTES, READERS, VERSION, Document, Unreadable, read_documents
from kb_index.versions import raise_version

ROW = "#row:"  # stands in the key between a file of many articles and one of them
CHUNK = 64  # articles embedded and committed together: what an interruption costs at most
COPIED = ("slug", "owner", "review_on", "reviewed_on", "audience", "category", "queue", "url", "licence", "attribution")

Progress = Callable[[int, int], None]


@dataclass
class ImportReport:
    """What an import did. failed: pairs of path and reason; not_removed: why missing articles were left alone."""

    source: str
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    embedded_passages: int = 0
    seconds: float = 0.0
    not_removed: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Entry:
    """An article found in the folder: its key inside the source, what it says, and the hash of its file."""

    key: str
    document: Document
    file_hash: str


@dataclass(frozen=True)
class Known:
    """What the database holds of a source: hashes by key, and the keys whose passages another embedder made."""

    files: dict[str, str]
    contents: dict[str, str]
    foreign: frozenset[str]
    keys_of_file: dict[str, list[str]]


def import_folder(
    sessions: sessionmaker[Session],
    embedder: Embedder,
    folder: Path,
    *,
    source: str | None = None,
    prune: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Bring the articles of a source to what the folder holds.

    source: its name, by default the folder's. Articles of this source whose file is gone are withdrawn, unless the
    folder is missing, unreadable or empty and prune is not given. progress is called with (files done, files in all).
    Can be interrupted at any time and run again.
    """
    started = time.monotonic()
    folder = folder.resolve()
    run = Import(sessions, embedder, folder, source or folder.name)
    run.take_in(progress or (lambda done, total: None))
    run.remove_gone(prune)
    wait_for_other_embedder(sessions, embedder.name)
    embed_waiting_questions(sessions, embedder)
    if run.report.added or run.report.changed or run.report.removed:
        learn_glossaries(sessions)
    run.report.seconds = round(time.monotonic() - started, 3)
    return run.report


class Import:
    """One run over one folder."""

    def __init__(self, sessions: sessionmaker[Session], embedder: Embedder, folder: Path, source: str) -> None:
        self.sessions = sessions
        self.embedder = embedder
        self.folder = folder
        self.source = source
        self.report = ImportReport(source)
        self.seen: set[str] = set()
        self.unread_folders = 0
        self.files = self._files()
        with sessions() as session:
            self.known = known_articles(session, source, embedder.name)

    def _files(self) -> list[Path]:
        """The readable files below the folder; links that lead out of it and hidden files are left alone."""
        found: list[Path] = []
        for where, folders, names in os.walk(self.folder, onerror=self._note_unread):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            paths = (Path(where, name) for name in sorted(names) if not name.startswith((".", "~$")))
            found += [path for path in paths if path.suffix.lower() in READERS and self._is_inside(path)]
        return found

    def _note_unread(self, error: OSError) -> None:
        self.unread_folders += 1
        name = Path(str(error.filename)).relative_to(self.folder).as_posix()
        self.report.failed.append((name, f"the folder cannot be read ({error.strerror})"))

    def _is_inside(self, path: Path) -> bool:
        return not path.is_symlink() or path.resolve().is_relative_to(self.folder)

    def take_in(self, progress: Progress) -> None:
        """Read every file and store what is new or changed, a chunk at a time."""
        waiting: list[Entry] = []
        for done, path in enumerate(self.files):
            progress(done, len(self.files))
            waiting += self._changed_entries(path)
            if len(waiting) >= CHUNK:
                self._store(waiting)
                waiting = []
        self._store(waiting)
        progress(len(self.files), len(self.files))

    def _changed_entries(self, path: Path) -> Iterator[Entry]:
        """What the file says that the database does not know yet."""
        name = path.relative_to(self.folder).as_posix()
        keys = self.known.keys_of_file.get(name, [])
        try:
            content = read_bytes(path)
            file_hash = sha256(VERSION.encode() + content).hexdigest()
            if keys and all(self._is_current(key, file_hash) for key in keys):
                self.seen.update(keys)
                self.report.unchanged += len(keys)
                return
            documents = read_documents(path, content)
        except Unreadable as reason:
            self.report.failed.append((name, str(reason)))
            self.seen.update(keys)  # the file is there: what was read of it earlier stays
            return
        for document in documents:
            key = f"{name}{ROW}{document.key}" if document.key else name
            self.seen.add(key)
            if self.known.contents.get(key) == document.content_hash and self._is_current(key, self.known.files[key]):
                self.report.unchanged += 1
            else:
                yield Entry(key, document, file_hash)

    def _is_current(self, key: str, file_hash: str) -> bool:
        return bool(file_hash) and self.known.files.get(key) == file_hash and key not in self.known.foreign

    def _store(self, entries: Sequence[Entry]) -> None:
        """Embed outside of a transaction, then store; once more when an editor changed something in between."""
        wanted = [(entry, passages_of(entry.document)) for entry in entries]
        while wanted:
            with self.sessions() as session:
                ids = article_ids(session, self.source, [entry.key for entry in entries])
                by_id = {ids.get(entry.key, -at): texts for at, (entry, texts) in enumerate(wanted, 1)}
                fresh = unembedded(session, self.embedder.name, by_id)
            vectors = embed_texts(self.embedder, fresh)
            try:
                with self.sessions.begin() as session:
                    version = raise_version(session)
                    for entry, texts in wanted:
                        self._put(session, entry, texts, vectors, version)
            except MissingVectors:
                continue
            self.report.embedded_passages += len(vectors)
            self.report.added += sum(entry.key not in ids for entry in entries)
            self.report.changed += sum(entry.key in ids for entry in entries)
            return

    def _put(
        self, session: Session, entry: Entry, texts: Sequence[PassageText], vectors: dict[str, bytes], version: int
    ) -> None:
        article = find_article(session, self.source, entry.key)
        if article is None:
            article = Article(
                source=self.source, source_key=entry.key, state=State.DRAFT, revision=0, newest_revision=0
            )
            session.add(article)
        write_document(article, entry, version)
        session.flush()
        put_passages(session, article, texts, self.embedder.name, vectors)
        set_import_questions(session, article, entry.document.questions)

    def remove_gone(self, prune: bool) -> None:
        """Withdraw the articles of this source whose file is gone."""
        gone = [key for key, file_hash in self.known.files.items() if file_hash and key not in self.seen]
        if gone and not prune:
            self.report.not_removed = self._doubt()
        if not gone or self.report.not_removed:
            return
        with self.sessions.begin() as session:
            version = raise_version(session)
            for article in session.scalars(select(Article).where(Article.source == self.source)):
                if article.file_hash and article.source_key not in self.seen:
                    article.state, article.file_hash = State.WITHDRAWN, ""
                    article.changed_version, article.updated_at = version, now()
                    self.report.removed += 1

    def _doubt(self) -> str | None:
        """Why what looks gone may only be out of reach."""
        if not self.folder.is_dir():
            return "the folder is not there; nothing was withdrawn (--prune withdraws all)"
        if self.unread_folders:
            return "a folder could not be read; nothing was withdrawn (--prune withdraws what was not seen)"
        return None if self.files else "the folder holds no article; nothing was withdrawn (--prune withdraws all)"


def passages_of(document: Document) -> list[PassageText]:
    """The passages of what a file says."""
    return split_passages(document.title, document.body, document.language)


def read_bytes(path: Path) -> bytes:
    """A file's content. Raises Unreadable when it is too large or cannot be opened."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Unreadable(f"it is larger than {MOST_BYTES // 1_000_000} MB; split it into articles")
        return path.read_bytes()
    except OSError as error:
        raise Unreadable(f"it cannot be opened ({error.strerror}); check its permissions") from error


def known_articles(session: Session, source: str, embedder: str) -> Known:
    """What the database holds of a source."""
    rows = session.execute(
        select(Article.source_key, Article.file_hash, Article.content_hash).where(Article.source == source)
    ).all()
    current = select(Passage.article_id).where(Passage.embedder == embedder)
    foreign = session.scalars(select(Article.source_key).where(Article.source == source, Article.id.not_in(current)))
    keys: dict[str, list[str]] = {}
    for row in rows:
        if row.file_hash:
            keys.setdefault(row.source_key.partition(ROW)[0], []).append(row.source_key)
    files = {row.source_key: row.file_hash for row in rows}
    return Known(files, {row.source_key: row.content_hash for row in rows}, frozenset(foreign), keys)


def article_ids(session: Session, source: str, keys: Sequence[str]) -> dict[str, int]:
    """Ids by key, of those that exist."""
    rows = session.execute(
        select(Article.source_key, Article.id).where(Article.source == source, Article.source_key.in_(keys))
    )
    return {row.source_key: row.id for row in rows}


def find_article(session: Session, source: str, key: str) -> Article | None:
    """The article of a source with this key."""
    return session.scalar(select(Article).where(Article.source == source, Article.source_key == key))


def write_document(article: Article, entry: Entry, version: int) -> None:
    """The file's text as a new revision of its article. What an editor withdrew stays withdrawn."""
    document = entry.document
    same_text = (article.title, article.body, article.language) == (document.title, document.body, document.language)
    if article.state != State.WITHDRAWN or not article.file_hash:
        article.state = document.state
    for name in COPIED:
        setattr(article, name, getattr(document, name))
    article.title, article.body, article.language = document.title, document.body, document.language
    article.parallel = list(document.parallel)
    article.content_hash, article.file_hash = document.content_hash, entry.file_hash
    article.changed_version, article.updated_at = version, now()
    article.changed_by = f"import:{article.source}"
    if not same_text:
        article.newest_revision = article.newest_revision + 1
        article.revision = article.newest_revision
        article.revisions.append(
            ArticleRevision(
                number=article.revision,
                language=document.language,
                title=document.title,
                body=document.body,
                editor=f"import:{article.source}",
            )
        )
