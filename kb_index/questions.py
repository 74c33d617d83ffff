"""Questions nobody could answer from the knowledge base, grouped and counted for the editors."""

import unicodedata
from collections.abc import Sequence
from functools import cache

import tantivy
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from kb_index.articles import get_article
from kb_index.models import OpenQuestion, now
from kb_index.readers import clean_text
from kb_index.words import stem_analyzer

KEY_CHARACTERS = 500
QUESTION_CHARACTERS = 2_000
TICKETS = 50  # numbers kept with a question; the count goes on
# Without a topic: "Wie kann ich mein Passwort zurücksetzen?" and "Passwort zurücksetzen" are one question.
FILLERS = {
    "de": (
        "aber als am an auch auf aus bei bin bitte das dass dem den der des die diese dieser ein eine einem einen "
        "einer er es für geht habe haben hallo hat hier ich ihr im in ist kann kein können man mein meine meinem "
        "meinen mich mir mit muss nach noch oder sehr sich sie sind so und uns unser von vom war was wenn wer wie wir "
        "wird wo zu zum zur danke mal denn da hi moin guten tag morgen"
    ),
    "en": (
        "a about am an and any are as at be been but by can could do does for from had has have hello help hi how i "
        "if in is it its me my of on or our please should so some thank thanks that the their there this to us was we "
        "what when where which who why will with would you your"
    ),
}


class UnknownQuestion(LookupError):  # noqa: N818 - it is a finding
    """There is no open question with this id."""


def group_key(question: str, language: str) -> str:
    """The sorted word stems of a question without its fillers; the question itself when nothing is left."""
    text = unicodedata.normalize("NFC", clean_text(question[:QUESTION_CHARACTERS])).lower()
    analyzer, fillers = stems_and_fillers(language)
    stems = set(analyzer.analyze(text))
    return (" ".join(sorted(stems - fillers or stems)) or text.strip())[:KEY_CHARACTERS]


@cache
def stems_and_fillers(language: str) -> tuple[tantivy.TextAnalyzer, frozenset[str]]:
    """The stemmer of a language, and its filler words by their stems."""
    analyzer = stem_analyzer(language)
    return analyzer, frozenset(analyzer.analyze(FILLERS.get(language, "")))


def note_unanswered(
    session: Session, question: str, language: str, reason: str, ticket_number: str | None = None
) -> OpenQuestion:
    """Count a question that was not answered. One that was answered or dismissed before is open again.

    Safe against the same question noted by another process at the same moment.
    """
    question = clean_text(question[:QUESTION_CHARACTERS]).strip()
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


def answer_question(session: Session, question_id: int, article_id: int) -> OpenQuestion:
    """An article answers it now. Raises UnknownQuestion, UnknownArticle."""
    found = get_question(session, question_id)
    found.article_id, found.state = get_article(session, article_id).id, "answered"
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
