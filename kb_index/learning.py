"""Learning from use: questions that an article is known to answer, and what requesters said of its answers.

What is written here waits until `embed_waiting_questions` has made its vector and told the index: no model is asked
inside a transaction, and a case's transaction never waits for the knowledge version. Whoever raises that version does
it first, before the rows of articles and questions are locked.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Select, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from kb_index.grouping import group_key, has_topic
from kb_index.masking import mask
from kb_index.models import AnswerFeedback, Article, Audience, Origin, PastQuestion, now
from kb_index.past_questions import embed_waiting_questions, holds, read_past_questions
from kb_index.versions import raise_version

__all__ = [
    "UnknownPastQuestion", "add_editor_question", "contradict_question", "correct_feedback", "editor_questions",
    "embed_waiting_questions", "forget_question", "learn_question", "note_feedback", "past_questions_of",
    "read_past_questions", "restore_question", "set_editor_questions", "set_import_questions",
]  # fmt: skip
MOST_WRITTEN = 100  # alternative questions of one article
RANK = {Origin.HELPED: 0, Origin.AGENT: 1, Origin.IMPORT: 2, Origin.EDITOR: 3}


class UnknownPastQuestion(LookupError):  # noqa: N818 - it is a finding
    """There is no past question with this id at this article."""


# --- from use ---------------------------------------------------------------------------------------------------------
def learn_question(
    session: Session,
    article_id: int,
    question: str,
    language: str,
    origin: Origin,
    by: str | None = None,
    names: Iterable[str] = (),
) -> PastQuestion | None:
    """Note that an article answered a question; asked again it is counted. names: who asked, to be masked.

    None, and nothing is kept: where nothing with a topic is left of it, where an editor has removed it, where there is
    no such article, and where a requester's word (`helped`) is about an article that only agents may read.
    Safe against the same question learned by another process at the same moment.
    """
    article = session.get(Article, article_id)
    masked = mask(question, names)
    if article is None or not has_topic(masked, language):
        return None
    if origin == Origin.HELPED and article.audience != Audience.EVERYONE:
        return None
    row = _row_of(session, article_id, masked, language, origin, by)
    if row.removed:
        return None
    row.count, row.last_at, row.waiting = row.count + 1, now(), True
    _raise_origin(row, origin, by)
    session.flush()
    return row


def contradict_question(
    session: Session, article_id: int, question: str, language: str, names: Iterable[str] = ()
) -> None:
    """It did not help: one confirmation by use less; what only one requester had confirmed is used no longer."""
    key = group_key(mask(question, names), language)
    row = session.scalars(_same(article_id, language, key)).one_or_none()
    if row is not None and row.origin == Origin.HELPED and row.count > 0:
        row.count, row.waiting = row.count - 1, True
        session.flush()


def note_feedback(
    session: Session, article_id: int, probability: float, helped: bool, language: str
) -> AnswerFeedback | None:
    """Keep what a requester said of one answer. probability: what Lotse had thought, 0 to 1. None without article."""
    if session.get(Article, article_id) is None:
        return None
    row = AnswerFeedback(article_id=article_id, probability=probability, helped=helped, language=language)
    session.add(row)
    session.flush()
    return row


def correct_feedback(session: Session, feedback_id: int, helped: bool) -> None:
    """Somebody thought better of what they had said of an answer."""
    row = session.get(AnswerFeedback, feedback_id)
    if row is not None and row.helped != helped:
        row.helped, row.waiting = helped, True
        session.flush()


def _row_of(
    session: Session, article_id: int, masked: str, language: str, origin: Origin, by: str | None
) -> PastQuestion:
    """The locked row of a question, made where there is none."""
    key = group_key(masked, language)
    first = {"article_id": article_id, "question": masked, "language": language, "group_key": key, "embedder": ""}
    state = {"origin": origin, "created_by": by, "count": 0, "removed": False, "waiting": True}
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    moment = {"created_at": now(), "last_at": now()}
    session.execute(insert(PastQuestion).values(**first, **state, **moment).on_conflict_do_nothing())
    return session.scalars(_same(article_id, language, key)).one()


def _same(article_id: int, language: str, key: str) -> Select[PastQuestion]:
    """The row of one question, locked and as it is now."""
    same = select(PastQuestion).where(
        PastQuestion.article_id == article_id, PastQuestion.language == language, PastQuestion.group_key == key
    )
    return same.with_for_update().execution_options(populate_existing=True)


def _raise_origin(row: PastQuestion, origin: Origin, by: str | None) -> None:
    """Whoever knows best is named."""
    if RANK[origin] > RANK[Origin(row.origin)]:
        row.origin, row.created_by = origin, by


# --- by editors and sources -------------------------------------------------------------------------------------------
def set_editor_questions(session: Session, article_id: int, questions: Sequence[str], by: str) -> None:
    """Make these the alternative questions that editors wrote for an article, in its language. Raises LookupError.

    One that is written no longer is forgotten; where use had confirmed it, it counts as removed by the editor.
    """
    article = session.get(Article, article_id)
    if article is None:
        raise LookupError(f"there is no article {article_id}")
    article.changed_version = raise_version(session)
    wanted = _wanted(questions, article.language)
    for row in _written(session, article, Origin.EDITOR):
        if (row.language, row.group_key) not in wanted:
            _take_back(session, row, remove=True)
    for (language, _), text in wanted.items():
        add_editor_question(session, article_id, text, language, by)


def add_editor_question(
    session: Session, article_id: int, question: str, language: str, by: str | None, names: Iterable[str] = ()
) -> PastQuestion | None:
    """One more question that an article answers, as an editor says; what was removed before is back. None if empty.

    An article keeps as many as its form takes; one more is learned as an agent's.
    """
    masked = mask(question, names)
    if session.get(Article, article_id) is None or not has_topic(masked, language):
        return None
    written = editor_questions(session, article_id)
    if len(written) >= MOST_WRITTEN and masked not in written:
        return learn_question(session, article_id, question, language, Origin.AGENT, by, names)
    row = _row_of(session, article_id, masked, language, Origin.EDITOR, by)
    _write(row, masked)
    row.removed = False
    _raise_origin(row, Origin.EDITOR, by)
    session.flush()
    return row


def set_import_questions(session: Session, article: Article, questions: Sequence[str]) -> None:
    """Make these the questions that an article's source gives it; those of editors and of use stay.

    The caller has raised the version for this article.
    """
    wanted = _wanted(questions, article.language)
    for row in _written(session, article, Origin.IMPORT):
        if (row.language, row.group_key) not in wanted:
            _take_back(session, row, remove=False)
    for (language, _), text in wanted.items():
        row = _row_of(session, article.id, text, language, Origin.IMPORT, None)
        _raise_origin(row, Origin.IMPORT, None)
        if row.origin == Origin.IMPORT:
            _write(row, text)
    session.flush()


def editor_questions(session: Session, article_id: int) -> list[str]:
    """The alternative questions as editors wrote them, in their order."""
    chosen = select(PastQuestion.question).where(
        PastQuestion.article_id == article_id, PastQuestion.origin == Origin.EDITOR, PastQuestion.removed.is_(False)
    )
    return list(session.scalars(chosen.order_by(PastQuestion.id)))


def _wanted(questions: Sequence[str], language: str) -> dict[tuple[str, str], str]:
    """Masked questions by language and key; what says nothing is left out."""
    found: dict[tuple[str, str], str] = {}
    for text in map(mask, questions[:MOST_WRITTEN]):
        if has_topic(text, language):
            found.setdefault((language, group_key(text, language)), text)
    return found


def _written(session: Session, article: Article, origin: Origin) -> Sequence[PastQuestion]:
    chosen = select(PastQuestion).where(PastQuestion.article_id == article.id, PastQuestion.origin == origin)
    return session.scalars(chosen.where(PastQuestion.removed.is_(False))).all()


def _write(row: PastQuestion, text: str) -> None:
    """The wording as it is now; another one needs another vector."""
    if row.question != text:
        row.question, row.embedder = text, ""
    row.waiting = True


def _take_back(session: Session, row: PastQuestion, *, remove: bool) -> None:
    """What is written no longer. Use that confirmed it outlives the source, not the editor."""
    if row.count == 0:
        session.delete(row)
    elif remove:
        row.removed = True
    else:
        row.origin, row.waiting = Origin.HELPED, True


# --- for editors to look after ----------------------------------------------------------------------------------------
def past_questions_of(session: Session, article_id: int) -> Sequence[PastQuestion]:
    """What an article has learned, the removed last; without what requesters took back."""
    chosen = select(PastQuestion).where(PastQuestion.article_id == article_id, or_(holds(), PastQuestion.removed))
    order = (PastQuestion.removed, PastQuestion.count.desc(), PastQuestion.last_at.desc(), PastQuestion.id.desc())
    return session.scalars(chosen.order_by(*order)).all()


def forget_question(session: Session, article_id: int, question_id: int) -> PastQuestion:
    """An editor takes a past question out; it is not learned again. Raises UnknownPastQuestion."""
    return _set_removed(session, article_id, question_id, removed=True)


def restore_question(session: Session, article_id: int, question_id: int) -> PastQuestion:
    """An editor puts it back. Raises UnknownPastQuestion."""
    return _set_removed(session, article_id, question_id, removed=False)


def _set_removed(session: Session, article_id: int, question_id: int, *, removed: bool) -> PastQuestion:
    version = raise_version(session)
    row = session.get(PastQuestion, question_id)
    article = session.get(Article, article_id)
    if row is None or article is None or row.article_id != article_id:
        raise UnknownPastQuestion(f"article {article_id} has no past question {question_id}")
    row.removed, row.waiting, article.changed_version = removed, True, version
    session.flush()
    return row
