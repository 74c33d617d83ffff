"""Reads questions with known answers from JSON lines, and says which line is wrong and why."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GOLD = ("answer_article_ids", "parallel_article_ids", "same_language_article_ids")


class QuestionFileError(ValueError):
    """A file of questions that cannot be used; the message names file, line and cure."""


@dataclass(frozen=True)
class Question:
    """A question and who answers it. gold: slugs of the right articles, any of them; empty when none does.

    kind: how it came about (`faq`, `symptom` ...); of an unanswerable one `near` or `far` from what the articles are
    about. collection: where it is from.
    """

    id: str
    text: str
    language: str
    gold: frozenset[str]
    kind: str = ""
    collection: str = ""

    @property
    def answerable(self) -> bool:
        return bool(self.gold)

    @property
    def group(self) -> str:
        """What must stay together in a fold: questions about the same article."""
        return min(self.gold, default=self.id)


def read_questions(paths: Iterable[Path], *, answerable: bool | None = None) -> list[Question]:
    """The questions of these files, in their order. Raises QuestionFileError, and OSError for a file out of reach.

    answerable: True refuses a question without a right article, False one that has any.
    """
    questions: list[Question] = []
    places: dict[str, str] = {}
    for path in paths:
        for place, row in read_rows(path):
            question = question_of(row, place)
            if question.id in places:
                raise QuestionFileError(f"{place}: the id {question.id!r} is taken by {places[question.id]}")
            check_gold(question, place, answerable)
            places[question.id] = place
            questions.append(question)
    return questions


def read_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every line that is not empty, with its place for messages: the file's name and the line's number."""
    if path.is_dir():
        raise QuestionFileError(f"{path} is a folder; name a file with one question in each line, as JSON")
    try:
        lines = path.read_text("utf-8-sig").split("\n")  # not splitlines: JSON may hold U+2028
    except UnicodeDecodeError as error:
        raise QuestionFileError(f"{path} is no text in UTF-8: {error.reason} at byte {error.start}") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield f"{path}, line {number}", row_of(line, f"{path}, line {number}")


def row_of(line: str, place: str) -> dict[str, Any]:
    """One line as an object."""
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise QuestionFileError(f"{place}: this is no JSON ({error.msg} at column {error.colno})") from error
    if not isinstance(row, dict):
        raise QuestionFileError(f"{place}: an object {{...}} is wanted, with id, question, lang")
    return row


def question_of(row: Mapping[str, Any], place: str) -> Question:
    """A question from its line."""
    return Question(
        id=words_in(row, "id", place),
        text=words_in(row, "question", place),
        language=words_in(row, "lang", place),
        gold=frozenset(slug for name in GOLD for slug in slugs_in(row, name, place)),
        kind=str(row.get("kind") or "no kind"),
        collection=str(row.get("collection") or "no collection"),
    )


def words_in(row: Mapping[str, Any], name: str, place: str) -> str:
    """A text that must be there."""
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise QuestionFileError(f"{place}: {name!r} is missing; it must be a text that is not empty")
    return value.strip()


def slugs_in(row: Mapping[str, Any], name: str, place: str) -> list[str]:
    """A list of article ids, which may be missing."""
    value = row.get(name) or []
    if not isinstance(value, list) or not all(isinstance(slug, str) and slug for slug in value):
        raise QuestionFileError(f"{place}: {name!r} must be a list of article ids")
    return value


def check_gold(question: Question, place: str, answerable: bool | None) -> None:
    """Whether a question stands in the right kind of file."""
    if answerable is True and not question.gold:
        raise QuestionFileError(
            f"{place}: 'answer_article_ids' is missing or empty; a question that nothing answers belongs into a file "
            "of its own, given with --unanswerable"
        )
    if answerable is False and question.gold:
        raise QuestionFileError(
            f"{place}: 'answer_article_ids' is not empty, but nothing may answer a question given with --unanswerable"
        )


def read_both(questions: Iterable[Path], unanswerable: Iterable[Path]) -> list[Question]:
    """Questions with an answer, then those without one. Raises QuestionFileError, also for an id in both."""
    answered, without = read_questions(questions, answerable=True), read_questions(unanswerable, answerable=False)
    twice = {question.id for question in answered} & {question.id for question in without}
    if twice:
        raise QuestionFileError(f"the id {min(twice)!r} is among the questions with and those without an answer")
    return [*answered, *without]
