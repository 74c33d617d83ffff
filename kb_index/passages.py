"""Cuts articles into passages of about 110 words, along headings, paragraphs and steps, and stores them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from markdown_it.token import Token
from sqlalchemy import select
from sqlalchemy.orm import Session

from kb_index.markup import MARKDOWN, plain_text
from kb_index.models import Article, Passage
from kb_index.port import Embedder, Vectors

WORDS = 110  # a passage is closed when it has so many
MOST_WORDS = 160  # a single block longer than that is cut
FEW_WORDS = 25  # a rest smaller than that stays with the passage before it
PATH = " › "
SENTENCE_END = re.compile(r"(?<=[.!?:;])\s+|\n")


@dataclass(frozen=True)
class PassageText:
    """A passage before it is stored. heading: path of headings; text: Markdown; plain: its words."""

    title: str
    heading: str
    text: str
    plain: str

    @property
    def embedded(self) -> str:
        """What the model reads: the words, with title and headings in front."""
        return "\n".join(part for part in (self.title, self.heading, self.plain) if part)

    @property
    def content_hash(self) -> str:
        """Tells whether it must be embedded again."""
        return sha256(self.embedded.encode()).hexdigest()


@dataclass(frozen=True)
class Block:
    """A paragraph, step, table ... as its Markdown, or a heading (level 1 to 6; 0 otherwise)."""

    text: str
    level: int = 0
    heading: str = ""

    @property
    def words(self) -> int:
        return len(self.text.split())


def split_passages(title: str, body: str, language: str) -> list[PassageText]:
    """The passages of an article, in order; every word of title and body is in at least one of them.

    language is for splitters to come; German and English need no difference here.
    """
    found = [_passage(title, path, text) for path, text in _sections(title, body)]
    return found or [_passage(title, (), "")]


def _passage(title: str, path: Sequence[str], text: str) -> PassageText:
    return PassageText(title, PATH.join(path), text, plain_text(text))


def _sections(title: str, body: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Pairs of heading path and Markdown."""
    path: list[tuple[int, str]] = []
    blocks: list[Block] = []
    shown = True  # whether the newest heading is in a passage already
    for block in _blocks(body):
        if not block.level:
            blocks += _cut(block)
            shown = True
            continue
        yield from _packed(path, blocks)
        if not shown and path and block.level <= path[-1][0]:
            yield _names(path), ""
        blocks = []
        path = [step for step in path if step[0] < block.level]
        shown = block.heading == title
        if not shown:
            path.append((block.level, block.heading))
    yield from _packed(path, blocks)
    if not shown:
        yield _names(path), ""


def _names(path: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(heading for _, heading in path)


def _packed(path: Sequence[tuple[int, str]], blocks: Sequence[Block]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Blocks of one section joined up to the wanted length."""
    groups: list[list[Block]] = []
    for block in blocks:
        if groups and (sum(b.words for b in groups[-1]) + block.words <= WORDS or block.words < FEW_WORDS // 2):
            groups[-1].append(block)
        else:
            groups.append([block])
    if len(groups) > 1 and sum(b.words for b in groups[-1]) < FEW_WORDS:
        rest = groups.pop()
        groups[-1] += rest
    for group in groups:
        yield _names(path), "".join(block.text for block in group).strip("\n")


def _cut(block: Block) -> Iterator[Block]:
    """A block that is too long, in pieces at ends of sentences or lines, else between words."""
    if block.words <= MOST_WORDS:
        yield block
        return
    piece: list[str] = []
    for part in _parts(block.text):
        if piece and sum(len(p.split()) for p in piece) + len(part.split()) > WORDS:
            yield Block("".join(piece).rstrip() + "\n\n")
            piece = []
        piece.append(part)
    yield Block("".join(piece))


def _parts(text: str) -> Iterator[str]:
    """Sentences and lines with the space behind them, none longer than a passage."""
    start = 0
    for end in [*(found.end() for found in SENTENCE_END.finditer(text)), len(text)]:
        words = re.findall(r"\s*\S+\s*", text[start:end]) or [text[start:end]]
        for at in range(0, len(words), WORDS):
            yield "".join(words[at : at + WORDS])
        start = end


def _blocks(body: str) -> Iterator[Block]:
    """The blocks of a Markdown text. A block reaches to the start of the next, so that no line is lost between them."""
    body = body.replace("\r\n", "\n").replace("\r", "\n")
    lines = body.split("\n")
    starts = [(token.map[0], token, inline) for token, inline in _openings(MARKDOWN.parse(body)) if token.map]
    if lines and (not starts or starts[0][0] > 0):
        first = starts[0][0] if starts else len(lines)
        yield from _lines(lines[:first])
    for index, (start, token, inline) in enumerate(starts):
        end = starts[index + 1][0] if index + 1 < len(starts) else len(lines)
        if token.type != "heading_open":
            yield from _lines(lines[start:end])
            continue
        stop = min(token.map[1] if token.map else end, end)
        yield Block("", int(token.tag[1:]), plain_text(inline))
        yield from _lines(lines[stop:end])


def _lines(lines: Sequence[str]) -> Iterator[Block]:
    if any(line.strip() for line in lines):
        yield Block("\n".join(lines) + "\n")


def _openings(tokens: Sequence[Token]) -> Iterator[tuple[Token, str]]:
    """The tokens that open a block: of a list its items, of everything else the whole; with a heading its text."""
    in_list = 0
    for index, token in enumerate(tokens):
        if token.type in ("bullet_list_open", "ordered_list_open") and token.level == 0:
            in_list = 1
        elif token.type in ("bullet_list_close", "ordered_list_close") and token.level == 0:
            in_list = 0
        elif token.nesting >= 0 and token.level == in_list:
            yield token, tokens[index + 1].content if token.type == "heading_open" else ""


def unembedded(session: Session, embedder: str, wanted: Mapping[int, Sequence[PassageText]]) -> list[PassageText]:
    """Of the passages wanted by article id, those that this embedder has not embedded for that article yet."""
    known = session.execute(
        select(Passage.article_id, Passage.content_hash).where(
            Passage.article_id.in_(wanted), Passage.embedder == embedder
        )
    )
    have = {(article_id, content_hash) for article_id, content_hash in known}
    return [p for article_id, texts in wanted.items() for p in texts if (article_id, p.content_hash) not in have]


def embed_texts(embedder: Embedder, passages: Sequence[PassageText]) -> dict[str, bytes]:
    """Vectors by content hash, ready to be stored. Called outside of any transaction: it takes seconds."""
    texts = {passage.content_hash: passage.embedded for passage in passages}
    if not texts:
        return {}
    vectors: Vectors = embedder.embed_passages(list(texts.values()))
    return {name: np.asarray(row, np.float32).tobytes() for name, row in zip(texts, vectors, strict=True)}


class MissingVectors(Exception):  # noqa: N818 - it is a state: embed and try again
    """The article changed between embedding and storing."""


def put_passages(
    session: Session, article: Article, wanted: Sequence[PassageText], embedder: str, vectors: Mapping[str, bytes]
) -> None:
    """Make `wanted` the article's passages; rows whose text stays keep id and vector. Raises MissingVectors."""
    rows = session.scalars(select(Passage).where(Passage.article_id == article.id)).all()
    same = {row.content_hash: row for row in rows if row.embedder == embedder}
    free: dict[str, list[Passage]] = {}
    for row in rows:
        free.setdefault(row.content_hash if row.embedder == embedder else "", []).append(row)
    for position, passage in enumerate(wanted):
        if free.get(passage.content_hash):
            row = free[passage.content_hash].pop()
            row.position, row.heading, row.text = position, passage.heading, passage.text
            continue
        twin = same.get(passage.content_hash)
        vector = twin.vector if twin else vectors.get(passage.content_hash)
        if vector is None:
            raise MissingVectors(article.source_key)
        session.add(_row(article.id, position, passage, vector, embedder))
    for rest in free.values():
        for row in rest:
            session.delete(row)
    session.flush()


def _row(article_id: int, position: int, passage: PassageText, vector: bytes, embedder: str) -> Passage:
    return Passage(
        article_id=article_id,
        position=position,
        heading=passage.heading,
        text=passage.text,
        plain=passage.plain,
        content_hash=passage.content_hash,
        vector=vector,
        embedder=embedder,
    )
