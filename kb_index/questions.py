"""Questions nobody could answer from the knowledge base, grouped and counted for the editors."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from kb_index.articles import get_article
from kb_index.grouping import group_key
from kb_index.learning import add_editor_question
from kb_index.masking import mask
from kb_index.models import OpenQuestion, now

TICKETS = 50  # numbers kept with a question; the count goes on


class UnknownQuestion(LookupError):  # noqa: N818 - it is a finding
    """There is no open question with this id."""


def note_unanswered(
    session: Session,
    question: str,
    language: str,
    reason: str,
    ticket_number: str | None = None,
    names: Iterable[str] = (),
) -> OpenQuestion | None:
    """Count a question that was not answered. One that was answered or dismissed before is open again.

    names: who asked, to be masked. None, and nothing is noted, where nothing but personal data was in it. Safe against
    the same question noted by another process at the same moment.
    """
    question = mask(question, names)
    if not question:
        return None
    key = group_key(question, language)
    first = {"question": question, "language": language, "group_key": key, "reason": reason, "state": "open"}
    moment = {"count": 0, "ticket_numbers": [], "first_asked": now(), "last_asked": now()}
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(insert(OpenQuestion).values(**first, **moment).on_conflict_do_nothing())
    same = select(OpenQuestion).where(OpenQuestion.language == language, OpenQuestion.group_key == key)
    found = session.scalars(same.with_for_update().execution_options(populate_existing=True)).one()
    found.count, found.last_asked, found.reason, found.state = found.count + 1, now(), reason, "open"
    if ticket_number and ticket_number not in found.ticket_numbers:
        found.ticket_numbers = [*found.ticket_numbers, ticket_number][-TICKETS:]
    session.flush()
    return found


def open_questions(session: Session, language: str | None = None, limit: int = 200) -> Sequence[OpenQuestion]:
    """What waits for an editor, most asked first."""
    chosen = select(OpenQuestion).where(OpenQuestion.state == "open")
    if language:
        chosen = chosen.where(OpenQuestion.language == language)
    return session.scalars(
        chosen.order_by(OpenQuestion.count.desc(), OpenQuestion.last_asked.desc()).limit(limit)
    ).all()


def answer_question(
    session: Session, question_id: int, article_id: int, editor: str | None = None, names: Iterable[str] = ()
) -> OpenQuestion:
    """An article answers it now, and whoever asks it again. names: who asked, to be masked.

    Raises UnknownQuestion, UnknownArticle.
    """
    found = get_question(session, question_id)
    found.article_id, found.state = get_article(session, article_id).id, "answered"
    add_editor_question(session, article_id, found.question, found.language, editor, names)
    session.flush()
    return found


def dismiss_question(session: Session, question_id: int, editor: str) -> OpenQuestion:
    """No article is wanted for it. Raises UnknownQuestion."""
    found = get_question(session, question_id)
    found.state, found.dismissed_by = "dismissed", editor
    session.flush()
    return found


def get_question(session: Session, question_id: int) -> OpenQuestion:
    """The question. Raises UnknownQuestion."""
    found = session.get(OpenQuestion, question_id)
    if found is None:
        raise UnknownQuestion(f"there is no open question {question_id}")
    return found
