"""Questions made from the articles themselves, for a company that has none with known answers.

A title, or the heading of a section, is what somebody would ask; hidden in its article it can only be found by what the
article says. Each is asked twice: of an index that holds its article without those words, and of one that does not hold
the article at all.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from sqlalchemy.orm import Session, sessionmaker

from kb_index.fitting import Sample
from kb_index.fusion import fuse
from kb_index.grouping import group_key
from kb_index.passages import PATH
from kb_index.port import Embedder, Vectors
from kb_index.withheld import Text, parts_of, read_texts, shelf_of

MOST = 400  # articles of a language that are asked about
FEWEST_WORDS = 2  # with a topic; "Overview" is no question
MISSES = 1 / 3  # of the questions are also asked with their article away: about one in four has no answer then
TWINS = 0.6  # cosine of two articles, less what all have in common, from which one may answer in the other's place
SEED = 0


def pretended_samples(sessions: sessionmaker[Session], embedder: Embedder, language: str) -> list[Sample]:
    """For each chosen article one sample that it answers; for some a withheld one. Where what is found is nearly the
    same article as the one asked about, nobody could say whether it answers: such a sample is left out."""
    texts = read_texts(sessions, language, embedder.name)
    asked = chosen(pretended_questions(texts, language))
    centres = centres_of(texts)
    samples: list[Sample] = []
    for part in parts_of(sorted(str(article) for article in asked)):
        here = {article: question for article, question in asked.items() if str(article) in part}
        missed = sorted(here)[:: round(1 / MISSES)]
        hidden = shelf_of(with_words_hidden(texts, here, embedder), language, embedder.dimension)
        away = shelf_of(texts, language, embedder.dimension, without=missed)
        for article, question in here.items():
            vector = embedder.embed_question(question)
            group = str(article)
            samples.append(Sample(hidden.find(question, vector), frozenset({article}), group, "pretended"))
            if article in missed:
                found = away.find(question, vector)
                samples.append(Sample(found, frozenset(), group, "pretended", withheld=True))
    return [sample for sample in samples if sample.found.candidates and is_clear(sample, centres)]


def centres_of(texts: Iterable[Text]) -> dict[int, Vectors]:
    """The mean vector of each article, less that of all articles, of length 1."""
    rows: dict[int, list[Vectors]] = {}
    for written, vector in texts:
        rows.setdefault(written.article_id, []).append(vector)
    means = {article: np.mean(some, axis=0) for article, some in rows.items()}
    common = np.mean(list(means.values()), axis=0) if means else 0.0
    return {
        article: (mean - common) / max(float(np.linalg.norm(mean - common)), 1e-9) for article, mean in means.items()
    }


def is_clear(sample: Sample, centres: Mapping[int, Vectors]) -> bool:
    """Whether the first article found is the one asked about, or clearly another."""
    first = fuse(sample.found)[0].candidate.article_id
    asked = int(sample.group)
    return first == asked or float(centres[first] @ centres[asked]) < TWINS


def pretended_questions(texts: Iterable[Text], language: str) -> dict[int, str]:
    """One question an article: its title where no other article has the same, else a heading only it has."""
    titles: dict[int, str] = {}
    headings: dict[int, list[str]] = {}
    for written, _ in texts:
        titles[written.article_id] = written.title
        last = written.heading.rpartition(PATH)[2]
        if last and last not in headings.setdefault(written.article_id, []):
            headings[written.article_id].append(last)
    uses = Counter(titles.values()) + Counter(h for some in headings.values() for h in some)
    found: dict[int, str] = {}
    for article, title in titles.items():
        candidates = [title, *headings.get(article, ())]
        good = (c for c in candidates if uses[c] == 1 and is_question(c, language))
        first = next(good, None)
        if first is not None:
            found[article] = first
    return found


def is_question(text: str, language: str) -> bool:
    """Whether enough words with a topic are in it."""
    return len(group_key(text, language).split()) >= FEWEST_WORDS


def chosen(questions: dict[int, str]) -> dict[int, str]:
    """Of too many a random part."""
    if len(questions) <= MOST:
        return questions
    kept = np.random.default_rng(SEED).choice(sorted(questions), MOST, replace=False)
    return {int(article): questions[int(article)] for article in kept}


def with_words_hidden(texts: Sequence[Text], questions: dict[int, str], embedder: Embedder) -> list[Text]:
    """The passages, those of these articles without the words of the question in title and headings."""
    changed = [
        replace(
            written,
            title="" if written.title == questions[written.article_id] else written.title,
            heading=PATH.join(h for h in written.heading.split(PATH) if h != questions[written.article_id]),
        )
        for written, _ in texts
        if written.article_id in questions
    ]
    parts = [[part for part in (w.title, w.heading, w.body) if part] for w in changed]
    vectors = embedder.embed_passages(["\n".join(some) for some in parts])
    hidden = {w.passage_id: (w, vector) for w, vector in zip(changed, vectors, strict=True)}
    return [hidden.get(written.passage_id, (written, vector)) for written, vector in texts]
