"""Questions whose article is really not in the index: to learn what "not in the knowledge base" looks like.

Hiding an article among the results leaks: its words would still count in the frequencies. So the index is built anew
without a part of the articles, part by part.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from kb_index.evaluation import Question
from kb_index.fitting import Sample
from kb_index.models import Article, Passage, State
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
    samples: list[Sample] = []
    for part in parts:
        asked = [q for q in answerable if q.group in part]
        shelf = shelf_of(texts, language, embedder.dimension, without={n for q in asked for n in gold[q.id]})
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
    """All published passages of a language with their vectors."""
    columns = (Passage.id, Passage.article_id, Article.title, Passage.heading, Passage.plain, Passage.vector)
    published = (Article.state == State.PUBLISHED, Article.language == language, Passage.embedder == embedder)
    with sessions() as session:
        rows = session.execute(select(*columns).join(Article).where(*published).order_by(Passage.id)).all()
    return [
        (Written(row.id, row.article_id, row.title, row.heading, row.plain), np.frombuffer(row.vector, np.float32))
        for row in rows
    ]


def shelf_of(texts: Sequence[Text], language: str, dimension: int, without: Collection[int] = ()) -> Shelf:
    """An index in memory of these passages, without those of some articles."""
    kept = list(_kept(texts, without))
    vectors = VectorIndex(dimension)
    if kept:
        vectors.put([written.passage_id for written, _ in kept], np.stack([vector for _, vector in kept]))
    shelf = Shelf(ShelfName(language, "trial"), vectors)
    shelf.change([written for written, _ in kept], (), {})
    return shelf


def _kept(texts: Sequence[Text], without: Collection[int]) -> Iterator[Text]:
    return (text for text in texts if text[0].article_id not in without)
