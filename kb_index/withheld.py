"""Questions whose article is really not in the index: to learn what "not in the knowledge base" looks like.

Hiding an article among the results leaks: its words would still count in the frequencies. So the index is built anew
without a part of the articles, part by part.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from kb_index.evaluation import Question
from kb_index.fitting import Sample
from kb_index.models import Article, Audience, Passage, State
from kb_index.past_questions import LearnedQuestion, read_past_questions
from kb_index.port import Embedder, Vectors
from kb_index.shelves import Shelf, ShelfName
from kb_index.vectors import VectorIndex
from kb_index.words import Written

PARTS = 4
Text = tuple[Written, Vectors]


def withheld_samples(
    sessions: sessionmaker[Session],
    embedder: Embedder,
    language: str,
    questions: Sequence[Question],
    articles: Mapping[str, tuple[str, int]],
) -> list[Sample]:
    """The answerable ones of these questions, each asked of an index without any article that answers it."""
    gold = {q.id: {articles[slug][1] for slug in q.gold if slug in articles} for q in questions}
    answerable = [q for q in questions if any(articles[slug][0] == language for slug in q.gold if slug in articles)]
    parts = parts_of(sorted({q.group for q in answerable}))
    texts = read_texts(sessions, language, embedder.name)
    asked_before = read_asked_before(sessions, texts, embedder.name)
    samples: list[Sample] = []
    for part in parts:
        asked = [q for q in answerable if q.group in part]
        away = {n for q in asked for n in gold[q.id]}
        shelf = shelf_of(texts, asked_before, language, embedder.dimension, without=away)
        for q in asked:
            found = shelf.find(q.text, embedder.embed_question(q.text))
            if found.candidates:
                samples.append(Sample(found, frozenset(), q.group, q.kind, withheld=True))
    return samples


def parts_of(names: Sequence[str], parts: int = PARTS, seed: int = 0) -> list[frozenset[str]]:
    """The names in random parts of about the same size."""
    order = np.random.default_rng(seed).permutation(len(names))
    return [frozenset(names[i] for i in order[start::parts]) for start in range(min(parts, len(names)))]


def read_texts(sessions: sessionmaker[Session], language: str, embedder: str) -> list[Text]:
    """All passages of a language that employees may read, with their vectors."""
    columns = (Passage.id, Passage.article_id, Article.title, Passage.heading, Passage.plain, Passage.vector)
    published = (Article.state == State.PUBLISHED, Article.audience == Audience.EVERYONE)
    here = (Article.language == language, Passage.embedder == embedder)
    with sessions() as session:
        rows = session.execute(select(*columns).join(Article).where(*published, *here).order_by(Passage.id)).all()
    return [
        (Written(row.id, row.article_id, row.title, row.heading, row.plain), np.frombuffer(row.vector, np.float32))
        for row in rows
    ]


def read_asked_before(
    sessions: sessionmaker[Session], texts: Iterable[Text], embedder: str
) -> Sequence[LearnedQuestion]:
    """The past questions of the articles these passages are of."""
    articles = sorted({written.article_id for written, _ in texts})
    with sessions() as session:
        return list(read_past_questions(session, articles, embedder))


def shelf_of(
    texts: Sequence[Text],
    asked_before: Iterable[LearnedQuestion],
    language: str,
    dimension: int,
    without: Collection[int] = (),
) -> Shelf:
    """An index in memory of these passages and past questions, without those of some articles."""
    kept = [(written, vector) for written, vector in texts if written.article_id not in without]
    vectors = VectorIndex(dimension)
    if kept:
        vectors.put([written.passage_id for written, _ in kept], np.stack([vector for _, vector in kept]))
    shelf = Shelf(ShelfName(language, "trial"), vectors)
    asked: dict[int, list[Vectors]] = {}
    for question in asked_before:
        if question.article_id not in without:
            asked.setdefault(question.article_id, []).append(question.vector)
    shelf.change([written for written, _ in kept], (), asked)
    return shelf
