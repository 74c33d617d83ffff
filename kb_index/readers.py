"""Reads article files: Markdown, HTML, PDF, DOCX, and question-answer pairs in CSV and XLSX."""

import csv
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from hashlib import sha256
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import yaml

from kb_index.models import Audience, State

MOST_BYTES = 20_000_000
MOST_UNPACKED_BYTES = 200_000_000
MOST_PAGES = 2_000
VERSION = "2"  # raise it when a reader reads better than before: every file is then read again
FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)---[ \t]*(?:\n|\Z)", re.DOTALL)
FIRST_HEADING = re.compile(r"^#[ \t]+(.+?)[ \t#]*$", re.MULTILINE)
QUESTION_COLUMNS = ("question", "frage")
ANSWER_COLUMNS = ("answer", "antwort")
LANGUAGE_COLUMNS = ("language", "lang", "sprache")
CATEGORY_COLUMNS = ("category", "kategorie")
OTHERS_COLUMNS = ("questions", "fragen")  # other ways to ask, one a line of the cell


class Unreadable(Exception):  # noqa: N818 - it says what the file is
    """The file cannot become an article; the message says why and what to do."""


@dataclass(frozen=True)
class Document:
    """What a file says about one article. key: the row inside the file, empty for a file that is one article.

    questions: other ways to ask for it.
    """

    title: str
    body: str
    language: str
    key: str = ""
    slug: str = ""
    owner: str | None = None
    review_on: date | None = None
    reviewed_on: date | None = None
    audience: str = Audience.EVERYONE
    state: str = State.PUBLISHED
    category: str | None = None
    queue: str | None = None
    url: str | None = None
    licence: str | None = None
    attribution: str | None = None
    parallel: tuple[str, ...] = ()
    questions: tuple[str, ...] = field(default=(), repr=False)

    @property
    def content_hash(self) -> str:
        """Changes with anything the file says."""
        said = repr(self) + (repr(self.questions) if self.questions else "")  # what has none keeps the hash it had
        return sha256(said.encode("utf-8", "replace")).hexdigest()


def read_documents(path: Path, content: bytes) -> list[Document]:
    """The articles of one file. Raises Unreadable with a reason that says what to do."""
    if not content.strip():
        raise Unreadable("the file is empty; write the article or delete the file")
    try:
        documents = READERS[path.suffix.lower()](content, path)
    except Unreadable:
        raise
    except Exception as error:  # parsers of foreign formats raise anything
        kind = path.suffix.lstrip(".").upper()
        raise Unreadable(
            f"the {kind} is damaged ({type(error).__name__}); open it, save it again, and repeat"
        ) from error
    if not documents:
        raise Unreadable("no article was found in it")
    return [_checked(document, path) for document in documents]


def _checked(document: Document, path: Path) -> Document:
    """With title, language and slug filled in. Raises Unreadable when nothing is left to read."""
    body = clean_text(document.body).strip()
    if not body:
        raise Unreadable("there is no text in it; if it is a scan, run text recognition (OCR) and save it again")
    title = clean_text(document.title).strip() or path.stem.replace("-", " ").replace("_", " ")
    language = document.language.strip().lower()[:2] or guess_language(f"{title}\n{body}")
    slug = document.slug or path.stem + (f"-{document.key}" if document.key else "")
    return replace(document, title=title, body=body, language=language, slug=slug)


def clean_text(text: str) -> str:
    """Text every database takes: no NUL, no lone surrogates, line ends as newlines."""
    text = text.replace("\x00", "\ufffd").replace("\r\n", "\n").replace("\r", "\n")
    return text.encode("utf-8", "replace").decode()


def guess_language(text: str) -> str:
    """`de` or `en`, whichever the text is more likely written in."""
    found = _detector().detect_language_of(text[:2000])
    return found.iso_code_639_1.name.lower() if found else "en"


@cache
def _detector() -> Any:
    from lingua import Language, LanguageDetectorBuilder  # noqa: PLC0415 - 100 MB that most imports do not need

    return LanguageDetectorBuilder.from_languages(Language.ENGLISH, Language.GERMAN).with_low_accuracy_mode().build()


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"it is not UTF-8 text (byte {error.start}); save it with the encoding UTF-8") from error


def read_markdown(content: bytes, path: Path) -> list[Document]:
    """Markdown, with front matter or without."""
    text = clean_text(_decoded(content))
    found = FRONT_MATTER.match(text)
    front = _front_matter(found.group(1)) if found else {}
    body = text[found.end() :] if found else text
    heading = FIRST_HEADING.search(body)
    title = str(front.get("title") or (heading.group(1) if heading else ""))
    return [Document(title, body, str(front.get("lang") or front.get("language") or ""), **_described(front))]


def _front_matter(text: str) -> dict[str, Any]:
    try:
        front = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe loaders
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" (line {where.line + 2})" if where else ""
        raise Unreadable(f"the front matter is not valid YAML{line}; quote values that hold a colon") from error
    if not isinstance(front, dict):
        raise Unreadable("the front matter must be lines of `name: value`")
    return front


def _described(front: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a Document beside its text. Raises Unreadable for a value that is not one of those allowed."""
    return {
        "slug": str(front.get("id") or ""),
        "owner": _text(front, "owner"),
        "review_on": _day(front, "review"),
        "reviewed_on": _day(front, "reviewed"),
        "audience": _one_of(front, "audience", [a.value for a in Audience], Audience.EVERYONE),
        "state": _one_of(front, "state", [s.value for s in State], State.PUBLISHED),
        "category": _text(front, "category"),
        "queue": _text(front, "queue"),
        "url": _text(front, "url"),
        "licence": _text(front, "licence") or _text(front, "license"),
        "attribution": _text(front, "attribution") or _text(front, "source"),
        "parallel": _list(front, "parallel"),
        "questions": _list(front, "questions"),
    }


def _list(front: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list, or a single value. Raises Unreadable for anything else."""
    value = front.get(name) or ()
    if isinstance(value, dict) or not isinstance(value, list | tuple | str | int | float):
        raise Unreadable(f"`{name}` in the front matter must be a list")
    if not isinstance(value, list | tuple):
        value = (value,)
    if any(isinstance(one, dict | list) for one in value):
        raise Unreadable(f"each line of `{name}` in the front matter must be a text; quote one that holds a colon")
    return tuple(clean_text(str(one)) for one in value if one is not None)


def _text(front: Mapping[str, Any], name: str) -> str | None:
    value = front.get(name)
    return None if value is None else clean_text(str(value)).strip() or None


def _day(front: Mapping[str, Any], name: str) -> date | None:
    value = front.get(name)
    if value is None:
        return None
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError as error:
        raise Unreadable(f"`{name}` in the front matter must be a day like 2026-01-31") from error


def _one_of(front: Mapping[str, Any], name: str, allowed: Sequence[str], default: str) -> str:
    value = str(front.get(name) or default)
    if value not in allowed:
        raise Unreadable(f"`{name}` in the front matter must be one of {', '.join(allowed)}")
    return value


def read_html(content: bytes, path: Path) -> list[Document]:
    """The main part of a page as Markdown, without navigation, scripts and styles."""
    from markdownify import markdownify  # noqa: PLC0415 - only when there is HTML
    from selectolax.lexbor import LexborHTMLParser  # noqa: PLC0415

    page = LexborHTMLParser(_decoded(content))
    for node in page.css("script, style, noscript, nav, header, footer, aside, form, iframe, svg, template"):
        node.decompose()
    main = page.css_first("main, article, [role=main]") or page.body
    named = page.css_first("h1") or page.css_first("title")
    title = " ".join(named.text().split()) if named else ""
    root = page.root
    language = (root.attributes.get("lang") or "") if root else ""
    body = markdownify(main.html or "", heading_style="ATX") if main else ""
    return [Document(title, body, language)]


def read_pdf(content: bytes, path: Path) -> list[Document]:
    """The text of a PDF, page after page."""
    from pypdf import PdfReader  # noqa: PLC0415 - only when there is a PDF

    reader = PdfReader(BytesIO(content))
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable("the PDF is protected by a password; save it without one")
    if len(reader.pages) > MOST_PAGES:
        raise Unreadable(f"the PDF has more than {MOST_PAGES} pages; split it into articles")
    pages = [page.extract_text() for page in reader.pages]
    title = str((reader.metadata and reader.metadata.title) or "")
    return [Document(title, "\n\n".join(pages), "")]


def read_docx(content: bytes, path: Path) -> list[Document]:
    """A Word document as Markdown: headings, lists, paragraphs, tables."""
    _check_archive(content)
    import docx  # noqa: PLC0415 - only when there is a DOCX
    from docx.table import Table  # noqa: PLC0415

    document = docx.Document(BytesIO(content))
    parts = document.iter_inner_content()
    lines = [_table(p) if isinstance(p, Table) else _paragraph(p.style.name if p.style else "", p.text) for p in parts]
    body = "\n\n".join(line for line in lines if line)
    heading = FIRST_HEADING.search(body)
    return [Document(document.core_properties.title or (heading.group(1) if heading else ""), body, "")]


def _paragraph(style: str | None, text: str) -> str:
    style, text = style or "", text.strip()
    level = re.fullmatch(r"Heading ([1-6])", style)
    if not text:
        return ""
    if style == "Title" or level:
        return f"{'#' * (int(level.group(1)) if level else 1)} {text}"
    if style.startswith("List Number"):
        return f"1. {text}"
    return f"- {text}" if style.startswith("List") else text


def _table(table: Any) -> str:
    rows = [[" ".join(cell.text.split()).replace("|", "\\|") for cell in row.cells] for row in table.rows]
    if not rows:
        return ""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])


def _check_archive(content: bytes) -> None:
    """A few kilobytes can unpack to gigabytes; the archive's own figures are looked at before anything is unpacked."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise Unreadable("the file is damaged; open it in its program and save it again") from error
    if size > MOST_UNPACKED_BYTES:
        raise Unreadable(f"it would unpack to {size // 1_000_000} MB; remove pictures or split it")


def read_csv(content: bytes, path: Path) -> list[Document]:
    """Question-answer pairs; the separator (comma, semicolon, tab) is found from the heading line."""
    text = clean_text(_decoded(content))
    first = text.lstrip().partition("\n")[0]
    separator = max(",;\t", key=first.count)
    return _pairs(csv.reader(StringIO(text.lstrip()), delimiter=separator))


def read_xlsx(content: bytes, path: Path) -> list[Document]:
    """Question-answer pairs of every sheet that has the columns."""
    _check_archive(content)
    from openpyxl import load_workbook  # noqa: PLC0415 - only when there is an XLSX

    book = load_workbook(BytesIO(content), read_only=True, data_only=True)
    try:
        sheets = [[["" if v is None else str(v) for v in row] for row in s.iter_rows(values_only=True)] for s in book]
    finally:
        book.close()
    usable = [sheet for sheet in sheets if sheet and _column(sheet[0], QUESTION_COLUMNS) is not None]
    return [document for sheet in usable or sheets[:1] for document in _pairs(iter(sheet))]


def _column(heading: Sequence[str], names: Sequence[str]) -> int | None:
    cells = [cell.strip().lower() for cell in heading]
    return next((cells.index(name) for name in names if name in cells), None)


def _pairs(rows: Iterator[Sequence[str]]) -> list[Document]:
    """One article a row. Its key is made from the question, so that a row put in above changes nothing."""
    heading = next(rows, [])
    question, answer = _column(heading, QUESTION_COLUMNS), _column(heading, ANSWER_COLUMNS)
    if question is None or answer is None:
        raise Unreadable("the first line must name the columns `question` and `answer` (or `Frage` and `Antwort`)")
    language, category = _column(heading, LANGUAGE_COLUMNS), _column(heading, CATEGORY_COLUMNS)
    others = _column(heading, OTHERS_COLUMNS)
    found: dict[str, Document] = {}
    for row in rows:
        title, body = _cell(row, question), _cell(row, answer)
        if title and body:
            key = _free_key(found, title)
            found[key] = Document(
                title,
                body,
                _cell(row, language),
                key=key,
                category=_cell(row, category) or None,
                questions=tuple(line.strip() for line in _cell(row, others).splitlines() if line.strip()),
            )
    return list(found.values())


def _cell(row: Sequence[str], column: int | None) -> str:
    return row[column].strip() if column is not None and column < len(row) else ""


def _free_key(taken: Mapping[str, Document], title: str) -> str:
    plain = re.sub(r"[^\w]+", "-", title.lower()).strip("-")[:60] or "row"
    key, number = plain, 1
    while key in taken:
        number += 1
        key = f"{plain}-{number}"
    return key


Reader = Callable[[bytes, Path], list[Document]]
READERS: dict[str, Reader] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".html": read_html,
    ".htm": read_html,
    ".pdf": read_pdf,
    ".docx": read_docx,
    ".csv": read_csv,
    ".xlsx": read_xlsx,
}
