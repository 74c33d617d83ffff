"""Past questions as the index reads them, and the step that makes their vectors and tells every index of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session, sessionmaker, undefer

from kb_index.models import AnswerFeedback, Article, Origin, PastQuestion
from kb_index.port import Embedder, Vectors
from kb_index.versions import raise_version

SQL_IDS = 500  # ids in one SELECT
CHUNK = 64  # questions embedded between two transactions
WRITTEN = (Origin.EDITOR, Origin.IMPORT)  # they hold without any use


@dataclass(frozen=True)
class LearnedQuestion:
    """A past question as the index needs it. vector: shape (dimension,), float32; count: 0 when only written."""

    id: int
    article_id: int
    question: str
    vector: Vectors
    language: str
    count: int
    origin: str


def holds() -> ColumnElement[bool]:
    """Which past questions are used: confirmed by use or written, and not removed."""
    return and_(PastQuestion.removed.is_(False), or_(PastQuestion.count > 0, PastQuestion.origin.in_(WRITTEN)))


def read_past_questions(session: Session, article_ids: Sequence[int], embedder_name: str) -> Iterator[LearnedQuestion]:
    """The past questions of these articles that this embedder has embedded; never the removed ones.

    Audience and state are those of the article: the caller puts them where the article stands.
    """
    columns = (PastQuestion.id, PastQuestion.article_id, PastQuestion.question, PastQuestion.vector)
    more = (PastQuestion.language, PastQuestion.count.label("times"), PastQuestion.origin)
    made = and_(PastQuestion.embedder == embedder_name, PastQuestion.vector.is_not(None))
    chosen = select(*columns, *more).where(holds(), made).order_by(PastQuestion.id)
    for start in range(0, len(article_ids), SQL_IDS):
        some = chosen.where(PastQuestion.article_id.in_(article_ids[start : start + SQL_IDS]))
        for row in session.execute(some):
            vector = np.frombuffer(row.vector or b"", np.float32)
            yield LearnedQuestion(row.id, row.article_id, row.question, vector, row.language, row.times, row.origin)


def has_waiting(session: Session) -> bool:
    """Whether anything was learned that the index does not know yet."""
    tables = (PastQuestion, AnswerFeedback)
    return any(session.scalar(select(t.id).where(t.waiting).limit(1)) is not None for t in tables)


def embed_waiting_questions(sessions: sessionmaker[Session], embedder: Embedder) -> int:
    """Make the vectors that are missing and tell every index what was learned. Returns the number of vectors.

    Embeds outside of any transaction; several processes may do it at once.
    """
    made = 0
    while True:
        with sessions() as session:
            if not has_waiting(session):
                return made
            waiting = session.scalars(select(PastQuestion).where(PastQuestion.waiting).limit(CHUNK)).all()
            wanted = {row.id: row.question for row in waiting if row.embedder != embedder.name and not row.removed}
        vectors = {id_: as_bytes(embedder.embed_question(text)) for id_, text in wanted.items()}
        with sessions.begin() as session:
            made += _take_in(session, [row.id for row in waiting], wanted, vectors, embedder.name)


def as_bytes(vector: Vectors) -> bytes:
    return np.asarray(vector, np.float32).tobytes()


def _take_in(
    session: Session, ids: Sequence[int], texts: Mapping[int, str], vectors: Mapping[int, bytes], embedder: str
) -> int:
    """Store vectors and let every index read these articles anew. A question reworded meanwhile waits on."""
    version = raise_version(session)
    chosen = select(PastQuestion).where(PastQuestion.id.in_(ids), PastQuestion.waiting).order_by(PastQuestion.id)
    rows = session.scalars(chosen.with_for_update().options(undefer(PastQuestion.vector))).all()
    articles, made = {row.article_id for row in rows}, 0
    for row in rows:
        if row.id in vectors and row.question == texts[row.id]:
            row.vector, row.embedder, made = vectors[row.id], embedder, made + 1
        row.waiting = not row.removed and row.embedder != embedder
    judged = update(AnswerFeedback).where(AnswerFeedback.waiting).values(waiting=False)
    articles |= set(session.scalars(judged.returning(AnswerFeedback.article_id)))
    session.execute(update(Article).where(Article.id.in_(sorted(articles))).values(changed_version=version))
    return made


def wait_for_other_embedder(sessions: sessionmaker[Session], embedder_name: str) -> None:
    """After the model was changed, what another one had embedded waits to be embedded again."""
    foreign = and_(PastQuestion.embedder != embedder_name, PastQuestion.removed.is_(False))
    with sessions() as session:
        if session.scalar(select(PastQuestion.id).where(foreign).limit(1)) is None:
            return
    with sessions.begin() as session:
        session.execute(update(PastQuestion).where(foreign).values(waiting=True))
