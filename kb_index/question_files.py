"""Reads questions with known answers from JSON lines, and says which line is wrong and why."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kb_index.readers import clean_text

ASKED_IN = frozenset({"de", "en"})  # what people may ask in, whatever the articles are written in
GOLD = ("answer_article_ids", "parallel_article_ids", "same_language_article_ids")


class QuestionFileError(ValueError):
    """A file of questions that cannot be used; the message names file, line and cure."""


@dataclass(frozen=True)
class Question:
    """A question and who answers it. gold: slugs of the right articles, any of them; empty when none does.

    kind: how it came about (`faq`, `symptom` ...); of an unanswerable one `near` or `far` from what the articles are
    about. collection: where it is from. place: file and line, for messages. bundle: what `group` is, where questions
    that share an article only by way of others were brought together (`bundled`).
    """

    id: str
    text: str
    language: str
    gold: frozenset[str]
    kind: str = ""
    collection: str = ""
    place: str = field(default="", compare=False)
    bundle: str = field(default="", compare=False)

    @property
    def answerable(self) -> bool:
        return bool(self.gold)

    @property
    def group(self) -> str:
        """What must stay together in a fold: questions about the same article."""
        return self.bundle or min(self.gold, default=self.id)


def read_questions(paths: Iterable[Path], *, answerable: bool | None = None) -> list[Question]:
    """The questions of these files, in their order. Raises QuestionFileError, and OSError for a file out of reach.

    answerable: True refuses a question without a right article, False one that has any.
    """
    questions = [question_of(row, place) for path in paths for place, row in read_rows(path)]
    check_ids(questions)
    for question in questions:
        check_gold(question, answerable)
    return bundled(questions)


def bundled(questions: Sequence[Question]) -> list[Question]:
    """The questions, those that share an article in one group, be it by way of other questions."""
    together: dict[str, frozenset[str]] = {}
    for question in questions:
        joined = question.gold.union(*(together.get(slug, ()) for slug in question.gold))
        together |= dict.fromkeys(joined, joined)
    return [replace(q, bundle=min(together[min(q.gold)])) if q.gold else q for q in questions]


def check_ids(questions: Iterable[Question]) -> None:
    """Whether each id stands only once."""
    places: dict[str, str] = {}
    for question in questions:
        if question.id in places:
            raise QuestionFileError(f"{question.place}: the id {question.id!r} is taken by {places[question.id]}")
        places[question.id] = question.place


def check_languages(questions: Iterable[Question], spoken: Collection[str]) -> None:
    """Whether people ask in these languages, or articles are written in them. spoken: languages of the articles."""
    known = ASKED_IN | set(spoken)
    for question in questions:
        if question.language not in known:
            raise QuestionFileError(
                f"{question.place or question.id}: 'lang' is {question.language!r}, but the articles are written in "
                f"{' and '.join(sorted(spoken))}; one of {', '.join(sorted(known))} is wanted"
            )


def read_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every line that is not empty, with its place for messages: the file's name and the line's number."""
    if path.is_dir():
        raise QuestionFileError(f"{path} is a folder; name a file with one question in each line, as JSON")
    try:
        lines = path.read_text("utf-8-sig").split("\n")  # not splitlines: JSON may hold U+2028
    except UnicodeDecodeError as error:
        number = error.object[: error.start].count(b"\n") + 1
        raise QuestionFileError(
            f"{path}, line {number}: this is no UTF-8 ({error.reason}); save it as UTF-8"
        ) from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield f"{path}, line {number}", row_of(line, f"{path}, line {number}")


def row_of(line: str, place: str) -> dict[str, Any]:
    """One line as an object."""
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise QuestionFileError(
            f"{place}: this is no JSON ({error.msg} at column {error.colno}); "
            "a whole object {...} is wanted in each line"
        ) from error
    if not isinstance(row, dict):
        raise QuestionFileError(f"{place}: an object {{...}} is wanted, with id, question, lang")
    return row


def question_of(row: Mapping[str, Any], place: str) -> Question:
    """A question from its line."""
    return Question(
        id=words_in(row, "id", place),
        text=words_in(row, "question", place),
        language=words_in(row, "lang", place).lower()[:2],  # as the articles' own, see readers.py
        gold=frozenset(slug for name in GOLD for slug in slugs_in(row, name, place)),
        kind=clean_text(str(row.get("kind") or "no kind")),
        collection=clean_text(str(row.get("collection") or "no collection")),
        place=place,
    )


def words_in(row: Mapping[str, Any], name: str, place: str) -> str:
    """A text that must be there."""
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise QuestionFileError(f"{place}: {name!r} is {json.dumps(value)}; it must be a text, in quotation marks")
    if not value or not value.strip():
        raise QuestionFileError(f"{place}: {name!r} is missing; it must be a text that is not empty")
    return clean_text(value).strip()


def slugs_in(row: Mapping[str, Any], name: str, place: str) -> list[str]:
    """A list of article ids, which may be missing."""
    value = row.get(name) or []
    if not isinstance(value, list) or not all(isinstance(slug, str) and slug for slug in value):
        raise QuestionFileError(f"{place}: {name!r} must be a list of article ids")
    return [clean_text(slug).strip() for slug in value]


def check_gold(question: Question, answerable: bool | None) -> None:
    """Whether a question stands in the right kind of file."""
    if answerable is True and not question.gold:
        raise QuestionFileError(
            f"{question.place}: 'answer_article_ids' is missing or empty; a question that nothing answers belongs into "
            "a file of its own, given with --unanswerable"
        )
    if answerable is False and question.gold:
        raise QuestionFileError(
            f"{question.place}: 'answer_article_ids' is not empty, but nothing may answer a question given with "
            "--unanswerable"
        )


def read_both(questions: Iterable[Path], unanswerable: Iterable[Path]) -> list[Question]:
    """Questions with an answer, then those without one. Raises QuestionFileError, also for an id in both."""
    answered, without = read_questions(questions, answerable=True), read_questions(unanswerable, answerable=False)
    check_ids([*answered, *without])
    return [*answered, *without]
