"""Unanswered questions are grouped and counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.db import Sessions
from kb_index.articles import ArticleDraft, UnknownArticle, save_draft
from kb_index.questions import (
    UnknownQuestion,
    answer_question,
    dismiss_question,
    group_key,
    note_unanswered,
    open_questions,
)


@pytest.mark.parametrize(
    ("language", "one", "two"),
    [
        ("de", "Wie kann ich mein Passwort zurücksetzen?", "passwort zurücksetzen"),
        ("de", "Hallo, der Drucker druckt nicht!", "Drucker druckt nicht"),
        ("en", "How do I reset my password?", "reset passwords please"),
    ],
)
def test_same_question_in_other_words_is_one(language: str, one: str, two: str) -> None:
    assert group_key(one, language) == group_key(two, language)


def test_other_question_is_another() -> None:
    assert group_key("Drucker druckt nicht", "de") != group_key("Drucker druckt", "de")
    assert group_key("wie was", "de") != group_key("wo", "de")


@given(st.text(), st.sampled_from(["de", "en", "fr"]))
def test_any_text_has_a_key_that_fits(question: str, language: str) -> None:
    assert len(group_key(question, language)) <= 512


def test_questions_are_counted_with_their_tickets(sessions: Sessions) -> None:
    for number, text in enumerate(["Reset my password?", "how do I reset a password", "Where is the canteen?"]):
        with sessions.begin() as session:
            note_unanswered(session, text, "en", "unknown", f"L-{number}")
    with sessions() as session:
        first, second = open_questions(session)
    assert (first.question, first.count, first.ticket_numbers) == ("Reset my password?", 2, ["L-0", "L-1"])
    assert (second.count, second.state, second.reason) == (1, "open", "unknown")
    assert first.last_asked >= first.first_asked


def test_languages_are_kept_apart(sessions: Sessions) -> None:
    with sessions.begin() as session:
        note_unanswered(session, "Outlook", "de", "unknown")
        note_unanswered(session, "Outlook", "en", "unknown")
        assert [q.language for q in open_questions(session, "de")] == ["de"]
        assert len(open_questions(session)) == 2


def test_answered_question_is_off_the_list_and_comes_back_when_asked_again(sessions: Sessions) -> None:
    with sessions.begin() as session:
        question = note_unanswered(session, "Where is the canteen?", "en", "unknown")
        article = save_draft(session, ArticleDraft("Canteen", "Ground floor.", "en"), "mia")
        assert answer_question(session, question.id, article.id).article_id == article.id
        assert open_questions(session) == []
        note_unanswered(session, "where is the canteen", "en", "unknown")
        assert [q.count for q in open_questions(session)] == [2]


def test_dismissed_question_keeps_who_did_it(sessions: Sessions) -> None:
    with sessions.begin() as session:
        question = note_unanswered(session, "Weather?", "en", "unknown")
        assert dismiss_question(session, question.id, "mia").dismissed_by == "mia"
        assert open_questions(session) == []


def test_wrong_ids_are_said_so(sessions: Sessions) -> None:
    with sessions.begin() as session:
        with pytest.raises(UnknownQuestion):
            dismiss_question(session, 7, "mia")
        question = note_unanswered(session, "Weather?", "en", "unknown")
        with pytest.raises(UnknownArticle):
            answer_question(session, question.id, 7)


def test_a_question_waits_without_who_asked_it(sessions: Sessions) -> None:
    asked = "Hallo, Frau Meier kommt nicht ins Netz, Durchwahl 0351 4711.\nGruß, Konrad Voßmann"
    with sessions.begin() as session:
        note_unanswered(session, asked, "de", "unknown", "L-1", ["Konrad Voßmann"])
        (waits,) = open_questions(session)
    assert waits.question == "kommt nicht ins Netz, Durchwahl."


@pytest.mark.parametrize("text", ["", "😀", "Viele Grüße\nAnna", "anna@firma.de"])
def test_where_nothing_was_asked_nothing_is_noted(sessions: Sessions, text: str) -> None:
    with sessions.begin() as session:
        assert note_unanswered(session, text, "de", "unknown") is None
        assert open_questions(session) == []


@pytest.mark.parametrize("text", ["x" * 100_000, "'; DROP TABLE open_question; --", "a\x00b"])
def test_odd_questions_are_kept(sessions: Sessions, text: str) -> None:
    with sessions.begin() as session:
        assert note_unanswered(session, text, "en", "unknown").count == 1
