"""The editors' pages: articles, one article, its editor, and the questions nobody could answer."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.asking import essence
from bot.choices import shortened
from bot.web.api_articles import find_question, may_read, readable_article
from bot.web.context import Anyone, Editor, Parts, Web
from bot.web.rendering import page
from handoff.desk import ticket_by_number
from handoff.models import Ticket
from kb_index.articles import list_articles, newest_text
from kb_index.learning import editor_questions, past_questions_of
from kb_index.markup import article_html
from kb_index.models import Article, OpenQuestion, State
from kb_index.questions import open_questions

PAGE = 40
LONGEST_TITLE = 100  # characters of a title that is made of a question
router = APIRouter(prefix="/kb", include_in_schema=False)


@router.get("")
def show_articles(
    request: Request,
    web: Parts,
    visitor: Anyone,
    words: Annotated[str, Query(max_length=200)] = "",
    language: str = "",
    state: str = "",
    page_number: Annotated[int, Query(alias="page", ge=1, le=1000)] = 1,
) -> Response:
    """Articles by words, language and state; a request of htmx gets the list alone."""
    shown = (state or None) if visitor.is_editor else State.PUBLISHED
    with web.sessions() as session:
        offset = (page_number - 1) * PAGE
        found = list_articles(session, words, language or None, shown, PAGE + 1, offset)
        values: dict[str, Any] = {
            "articles": [article for article in found[:PAGE] if may_read(visitor, article)],
            "more": len(found) > PAGE,
            "page_number": page_number,
            "chosen": {"words": words, "language": language, "state": state},
            "open_count": count_open(session) if visitor.is_editor else 0,
        }
        template = "parts/article_list.html" if "hx-request" in request.headers else "articles.html"
        return page(request, template, **values)


@router.get("/articles/new")
def new_article(request: Request, web: Parts, visitor: Editor, question: int | None = None) -> Response:
    """An empty editor, or one filled from an open question and what was found out in its ticket."""
    with web.sessions() as session:
        asked = find_question(session, question)
        start = draft_from(session, asked) if asked else empty_draft(visitor.language or "de")
        return page(request, "edit_article.html", article=None, draft=start, question=asked, **choices(web))


@router.get("/articles/{article_id}")
def show_article(article_id: int, request: Request, web: Parts, visitor: Anyone) -> Response:
    """One article as readers see it."""
    with web.sessions() as session:
        article = readable_article(session.get(Article, article_id), visitor)
        revisions = list(reversed(article.revisions)) if visitor.is_editor else []
        learned = past_questions_of(session, article.id) if visitor.is_editor else []
        return page(request, "article.html", article=article, revisions=revisions, learned=learned)


@router.get("/articles/{article_id}/past-questions")
def show_past_questions(article_id: int, request: Request, web: Parts, visitor: Editor) -> Response:
    """What an article has learned, for its page to be brought up to date."""
    with web.sessions() as session:
        article = readable_article(session.get(Article, article_id), visitor)
        learned = past_questions_of(session, article.id)
        return page(request, "parts/past_questions.html", article=article, learned=learned)


@router.get("/articles/{article_id}/edit")
def edit_article(
    article_id: int, request: Request, web: Parts, visitor: Editor, question: int | None = None
) -> Response:
    """The editor with the text saved last."""
    with web.sessions() as session:
        article = readable_article(session.get(Article, article_id), visitor)
        newest = newest_text(session, article)
        draft = {"title": newest.title, "body": newest.body, "language": newest.language}
        draft["questions"] = "\n".join(editor_questions(session, article.id))
        asked = find_question(session, question)
        return page(request, "edit_article.html", article=article, draft=draft, question=asked, **choices(web))


@router.post("/preview")
def show_preview(visitor: Editor, body: Annotated[str, Form(max_length=200_000)] = "") -> Response:
    """What is being written as readers would see it."""
    return HTMLResponse(article_html(body))


@router.get("/questions")
def show_questions(request: Request, web: Parts, visitor: Editor, language: str = "") -> Response:
    """What nobody could answer, most asked first."""
    template = "parts/question_list.html" if "hx-request" in request.headers else "questions.html"
    with web.sessions() as session:
        found = open_questions(session, language or None)
        return page(request, template, questions=found, chosen={"language": language}, open_count=len(found))


def count_open(session: Session) -> int:
    return session.scalar(select(func.count(OpenQuestion.id)).where(OpenQuestion.state == "open")) or 0


def choices(web: Web) -> dict[str, Any]:
    handoff = web.settings.handoff
    return {"categories": sorted(handoff.categories), "queues": sorted(handoff.queues)}


def empty_draft(language: str) -> dict[str, Any]:
    return {"title": "", "body": "", "language": language, "questions": ""}


def draft_from(session: Session, asked: OpenQuestion) -> dict[str, Any]:
    """A first text from the question and from cause and fix of the newest ticket that has them."""
    found = [ticket_by_number(session, number) for number in reversed(asked.ticket_numbers)]
    ticket = next((one for one in found if one is not None and (one.cause or one.fix)), None)
    return {
        "title": shortened(essence(asked.question), LONGEST_TITLE),
        "language": asked.language,
        "questions": "",
        "body": body_from(asked, ticket),
    }


def body_from(asked: OpenQuestion, ticket: Ticket | None) -> str:
    german = asked.language == "de"
    cause, fix = ("Ursache", "Lösung") if german else ("Cause", "Solution")
    parts = ((cause, ticket and ticket.cause), (fix, ticket and ticket.fix))
    return "\n\n".join(f"## {title}\n\n{text or ''}".rstrip() for title, text in parts if text or title == fix)
