"""Articles as editors and imports change them: drafts, publishing, withdrawing, lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from uuid import uuid4

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, sessionmaker

from kb_index.glossary_learning import learn_glossaries
from kb_index.importing import ImportReport, import_folder
from kb_index.models import EDITOR_SOURCE, Article, ArticleRevision, Audience, Passage, State, now
from kb_index.passages import MissingVectors, PassageText, embed_texts, put_passages, split_passages, unembedded
from kb_index.past_questions import embed_waiting_questions, wait_for_other_embedder
from kb_index.port import Embedder
from kb_index.readers import clean_text
from kb_index.versions import raise_version

__all__ = [
    "ArticleDraft", "ImportReport", "UnknownArticle", "import_folder", "list_articles", "publish_article",
    "reembed_articles", "save_draft", "split_passages", "withdraw_article",
]  # fmt: skip


class UnknownArticle(LookupError):  # noqa: N818 - it is a finding
    """There is no article with this id."""


@dataclass(frozen=True)
class ArticleDraft:
    """What an editor writes. body is Markdown; language is `de` or `en`."""

    title: str
    body: str
    language: str
    owner: str | None = None
    review_on: date | None = None
    audience: str = Audience.EVERYONE
    category: str | None = None
    queue: str | None = None
    url: str | None = None
    comment: str = ""


def save_draft(session: Session, draft: ArticleDraft, editor: str, article_id: int | None = None) -> Article:
    """Store a new revision, of a new article or of an existing one.

    The text of a published article stays searchable until publish_article; what describes it (owner, audience,
    category ...) changes at once. Raises ValueError without title or text, UnknownArticle for a wrong id.
    """
    title, body = clean_text(draft.title).strip(), clean_text(draft.body).strip()
    if not title or not body:
        raise ValueError("an article needs a title and a text")
    version = raise_version(session)  # before any article is touched, as everywhere: else two could wait for each other
    article = get_article(session, article_id) if article_id is not None else new_article(session, draft, title, body)
    for name in ("owner", "review_on", "audience", "category", "queue", "url"):
        setattr(article, name, getattr(draft, name))
    if article.state != State.PUBLISHED:
        article.language, article.title, article.body = draft.language, title, body
    article.newest_revision += 1
    revision = ArticleRevision(
        number=article.newest_revision, language=draft.language, title=title, body=body, editor=editor
    )
    revision.comment = clean_text(draft.comment)
    article.revisions.append(revision)
    article.changed_version, article.updated_at = version, now()
    session.flush()
    return article


def new_article(session: Session, draft: ArticleDraft, title: str, body: str) -> Article:
    """An article of the editors' own, still without a revision."""
    key = uuid4().hex
    article = Article(source=EDITOR_SOURCE, source_key=key, slug=key, language=draft.language, title=title, body=body)
    article.content_hash, article.state, article.revision, article.newest_revision = "", State.DRAFT, 0, 0
    session.add(article)
    return article


def get_article(session: Session, article_id: int) -> Article:
    """The article. Raises UnknownArticle."""
    article = session.get(Article, article_id)
    if article is None:
        raise UnknownArticle(f"there is no article {article_id}")
    return article


def newest_text(session: Session, article: Article) -> ArticleRevision:
    """The revision saved last."""
    return session.scalars(
        select(ArticleRevision).where(
            ArticleRevision.article_id == article.id, ArticleRevision.number == article.newest_revision
        )
    ).one()


def publish_article(sessions: sessionmaker[Session], embedder: Embedder, article_id: int, editor: str) -> Article:
    """Make the newest revision searchable, from the very next question on. Raises UnknownArticle.

    Embeds outside of the transaction; when somebody saves meanwhile, it starts again with what was saved.
    """
    while True:
        with sessions() as session:
            texts = passages_of_newest(session, get_article(session, article_id))
            fresh = unembedded(session, embedder.name, {article_id: texts})
        vectors = embed_texts(embedder, fresh)
        try:
            with sessions.begin() as session:
                article = get_article(session, article_id)
                texts = passages_of_newest(session, article)
                put_passages(session, article, texts, embedder.name, vectors)
                show_newest(session, article, editor)
        except MissingVectors:
            continue
        if article.parallel:
            learn_glossaries(sessions)
        return article


def passages_of_newest(session: Session, article: Article) -> list[PassageText]:
    """The passages of the revision saved last."""
    text = newest_text(session, article)
    return split_passages(text.title, text.body, text.language)


def show_newest(session: Session, article: Article, editor: str) -> None:
    """The newest revision becomes the article's text; publishing counts as a review."""
    text, version = newest_text(session, article), raise_version(session)
    article.title, article.body, article.language = text.title, text.body, text.language
    article.content_hash = sha256(f"{text.title}\n{text.body}".encode()).hexdigest()
    article.revision, article.state = text.number, State.PUBLISHED
    article.reviewed_on, article.updated_at = now().date(), now()
    article.changed_version, article.changed_by = version, editor
    session.flush()


def withdraw_article(sessions: sessionmaker[Session], article_id: int, editor: str) -> Article:
    """Take an article out of every search, from the very next question on. Raises UnknownArticle."""
    with sessions.begin() as session:
        article, version = get_article(session, article_id), raise_version(session)
        article.state, article.updated_at = State.WITHDRAWN, now()
        article.changed_version, article.changed_by = version, editor
        return article


def list_articles(
    session: Session,
    query: str | None = None,
    language: str | None = None,
    state: str | None = None,
    limit: int = 50,
    offset: int = 0,
) -> Sequence[Article]:
    """Articles whose title or text holds every word of the query, the newest change first."""
    chosen: Select[Article] = (
        select(Article).order_by(Article.updated_at.desc(), Article.id.desc()).limit(limit).offset(offset)
    )
    if language:
        chosen = chosen.where(Article.language == language)
    if state:
        chosen = chosen.where(Article.state == state)
    for word in (query or "").split()[:20]:
        chosen = holding(chosen, word)
    return session.scalars(chosen).all()


def holding(chosen: Select[Article], word: str) -> Select[Article]:
    """Only those with this word; `%` and `_` in it mean themselves."""
    escaped = word.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    pattern = f"%{escaped}%"
    title, body = func.lower(Article.title), func.lower(Article.body)
    return chosen.where(or_(title.like(pattern, escape="\\"), body.like(pattern, escape="\\")))


def reembed_articles(sessions: sessionmaker[Session], embedder: Embedder, chunk: int = 64) -> int:
    """Embed what another model had embedded, after the model was changed: the number of passages and questions."""
    total = 0
    with sessions() as session:
        foreign = select(Passage.article_id).where(Passage.embedder != embedder.name).distinct()
        ids = sorted(session.scalars(foreign))
    for start in range(0, len(ids), chunk):
        total += _reembed(sessions, embedder, ids[start : start + chunk])
    wait_for_other_embedder(sessions, embedder.name)
    return total + embed_waiting_questions(sessions, embedder)


def _reembed(sessions: sessionmaker[Session], embedder: Embedder, ids: Sequence[int]) -> int:
    with sessions() as session:
        articles = session.scalars(select(Article).where(Article.id.in_(ids))).all()
        wanted = {a.id: split_passages(a.title, a.body, a.language) for a in articles}
    vectors = embed_texts(embedder, [text for texts in wanted.values() for text in texts])
    with sessions.begin() as session:
        version = raise_version(session)
        for article in session.scalars(select(Article).where(Article.id.in_(ids))):
            put_passages(session, article, wanted[article.id], embedder.name, vectors)
            article.changed_version = version
    return len(vectors)
