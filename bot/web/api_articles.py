"""The API of the knowledge editors: articles, their preview and state, and the questions nobody could answer."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from bot.web.api_messages import PROBLEMS
from bot.web.api_models import ArticleIn, ArticleOut, PastQuestionOut, QuestionOut
from bot.web.context import Anyone, Editor, Parts, Web
from bot.web.errors import Refusal
from bot.web.people import Visitor
from handoff.desk import ticket_by_number
from kb_index import articles, learning, questions
from kb_index.articles import ArticleDraft, UnknownArticle
from kb_index.learning import UnknownPastQuestion
from kb_index.models import Article, Audience, OpenQuestion, State
from kb_index.past_questions import embed_waiting_questions
from kb_index.questions import UnknownQuestion

router = APIRouter(tags=["knowledge"], responses=PROBLEMS)


class Answering(BaseModel):
    article: int = Field(description="The article that answers the question.")


@router.get("/articles")
def list_articles(
    web: Parts,
    visitor: Anyone,
    words: Annotated[str, Query(max_length=200)] = "",
    language: str | None = None,
    state: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> list[ArticleOut]:
    """Articles by words of their title and text. Who is no editor sees published ones only."""
    shown = state if visitor.is_editor else State.PUBLISHED
    with web.sessions() as session:
        found = articles.list_articles(session, words, language, shown, limit, offset)
        return [ArticleOut.of(article) for article in found if may_read(visitor, article)]


@router.get("/articles/{article_id}")
def get_article(article_id: int, web: Parts, visitor: Anyone) -> ArticleOut:
    """One article with its published text."""
    with web.sessions() as session:
        return ArticleOut.of(readable_article(session.get(Article, article_id), visitor), with_body=True)


@router.post("/articles", status_code=201)
def save_new_article(written: ArticleIn, web: Parts, visitor: Editor) -> ArticleOut:
    """Save a draft of a new article; nobody finds it before it is published."""
    return save(web, written, visitor, None)


@router.put("/articles/{article_id}")
def save_article(article_id: int, written: ArticleIn, web: Parts, visitor: Editor) -> ArticleOut:
    """Save a new revision as a draft; a published text stays as it is until the draft is published."""
    return save(web, written, visitor, article_id)


@router.post("/articles/{article_id}/publish")
def publish_article(article_id: int, web: Parts, visitor: Editor, question: int | None = None) -> ArticleOut:
    """Make the newest draft the text that answers from the next question on; `question` is marked as answered."""
    return publish(web, visitor, article_id, question)


@router.post("/articles/{article_id}/withdraw")
def withdraw_article(article_id: int, web: Parts, visitor: Editor) -> ArticleOut:
    """Take the article out of every answer from the next question on."""
    with known():
        return ArticleOut.of(articles.withdraw_article(web.sessions, article_id, visitor.name))


@router.get("/articles/{article_id}/past-questions")
def list_past_questions(article_id: int, web: Parts, visitor: Editor) -> list[PastQuestionOut]:
    """The questions an article is known to answer, from use and as written; removed ones last."""
    with web.sessions() as session:
        article = readable_article(session.get(Article, article_id), visitor)
        return [PastQuestionOut.of(found) for found in learning.past_questions_of(session, article.id)]


@router.delete("/articles/{article_id}/past-questions/{past_id}")
def forget_past_question(article_id: int, past_id: int, web: Parts, visitor: Editor) -> PastQuestionOut:
    """Take a question out from the next search on; Lotse does not learn it again."""
    with known(), web.sessions.begin() as session:
        found = PastQuestionOut.of(learning.forget_question(session, article_id, past_id))
    embed_waiting_questions(web.sessions, web.knowledge.embedder)
    return found


@router.post("/articles/{article_id}/past-questions/{past_id}/restore")
def restore_past_question(article_id: int, past_id: int, web: Parts, visitor: Editor) -> PastQuestionOut:
    """Put a question back that was taken out."""
    with known(), web.sessions.begin() as session:
        found = PastQuestionOut.of(learning.restore_question(session, article_id, past_id))
    embed_waiting_questions(web.sessions, web.knowledge.embedder)
    return found


@router.get("/questions")
def list_questions(web: Parts, visitor: Editor, language: str | None = None) -> list[QuestionOut]:
    """Questions that nobody could answer, most asked first."""
    with web.sessions() as session:
        return [QuestionOut.of(found) for found in questions.open_questions(session, language)]


@router.post("/questions/{question_id}/answer")
def answer_question(question_id: int, answering: Answering, web: Parts, visitor: Editor) -> QuestionOut:
    """An article answers it, and everybody who asks it again."""
    with known():
        return answer(web, visitor, question_id, answering.article)


@router.post("/questions/{question_id}/dismiss")
def dismiss_question(question_id: int, web: Parts, visitor: Editor) -> QuestionOut:
    """No article is wanted for it."""
    with known(), web.sessions.begin() as session:
        return QuestionOut.of(questions.dismiss_question(session, question_id, visitor.name))


@contextmanager
def known() -> Iterator[None]:
    """What the knowledge base does not know becomes a 404, what it refuses a 422."""
    try:
        yield
    except (UnknownArticle, UnknownQuestion, UnknownPastQuestion) as error:
        raise Refusal(404, "error_not_found") from error
    except ValueError as error:
        raise Refusal(422, "error_invalid") from error


def save(web: Web, written: ArticleIn, visitor: Visitor, article_id: int | None) -> ArticleOut:
    """A new revision, published at once where that is wished."""
    draft = ArticleDraft(
        title=written.title,
        body=written.body,
        language=written.language,
        owner=written.owner or None,
        review_on=written.review_on or None,
        audience=written.audience,
        category=written.category or None,
        queue=written.queue or None,
        url=written.url or None,
        comment=written.comment,
    )
    with known(), web.sessions.begin() as session:
        saved = ArticleOut.of(articles.save_draft(session, draft, visitor.name, article_id))
        if written.questions is not None:
            learning.set_editor_questions(session, saved.id, written.questions, visitor.name)
    embed_waiting_questions(web.sessions, web.knowledge.embedder)
    return publish(web, visitor, saved.id, written.question) if written.publish else saved


def publish(web: Web, visitor: Visitor, article_id: int, question: int | None) -> ArticleOut:
    """Publish, and mark the question that made somebody write it as answered."""
    with known():
        article = articles.publish_article(web.sessions, web.knowledge.embedder, article_id, visitor.name)
        if question is not None:
            answer(web, visitor, question, article_id)
        return ArticleOut.of(article)


def answer(web: Web, visitor: Visitor, question_id: int, article_id: int) -> QuestionOut:
    """The open question is answered by an article and belongs to it from now on."""
    with web.sessions.begin() as session:
        names = names_of_askers(session, find_question(session, question_id))
        found = QuestionOut.of(questions.answer_question(session, question_id, article_id, visitor.name, names))
    embed_waiting_questions(web.sessions, web.knowledge.embedder)
    return found


def names_of_askers(session: Session, question: OpenQuestion | None) -> Sequence[str]:
    """What the requesters are called in whose tickets it was asked."""
    tickets = [ticket_by_number(session, number) for number in question.ticket_numbers] if question else []
    return [ticket.requester.name for ticket in tickets if ticket is not None]


def may_read(visitor: Visitor, article: Article) -> bool:
    """Editors read everything; published articles are for everyone, or for agents only."""
    if visitor.is_editor:
        return True
    for_all = article.audience == Audience.EVERYONE
    return article.state == State.PUBLISHED and (for_all or visitor.on_desk)


def readable_article(article: Article | None, visitor: Visitor) -> Article:
    """The article. Raises Refusal 404 when there is none or it is not for the visitor."""
    if article is None or not may_read(visitor, article):
        raise Refusal(404, "error_no_article")
    return article


def find_question(session: Session, question_id: int | None) -> OpenQuestion | None:
    """The open question with this id, or None."""
    return session.get(OpenQuestion, question_id) if question_id is not None else None
