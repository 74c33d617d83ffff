"""Questions made from the articles themselves, for a company that has none with known answers.

A title, or the heading of a section, is what somebody would ask; hidden in its article it can only be found by what the
article says. So is a question that an editor or a source wrote to an article; it is kept out of what was asked before.
Each is asked of an index that holds its article without those words, and some of one that does not hold it at all.

Where another article has nearly the same title (the same advice for Android and for iOS), nobody could say whether it
answers too: such a question is not asked. That is decided before anything is looked for; none is left out for what is
found.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from sqlalchemy.orm import Session, sessionmaker

from kb_index.fitting import Sample
from kb_index.grouping import group_key, has_topic
from kb_index.passages import PATH
from kb_index.past_questions import WRITTEN, LearnedQuestion
from kb_index.port import Embedder, Vectors
from kb_index.withheld import Text, parts_of, read_asked_before, read_texts, shelf_of
from kb_index.words import Written

MOST = 400  # articles of a language that are asked about
FEWEST_WORDS = 2  # with a topic; "Overview" is no question
MISSES = 1 / 3  # of the questions are also asked with their article away: about one in four has no answer then
TWINS = 0.8  # cosine of titles, less what all have in common, from which they differ in hardly more than a word
SEED = 0


def pretended_samples(sessions: sessionmaker[Session], embedder: Embedder, language: str) -> list[Sample]:
    """For each chosen article without a twin one sample that it answers, by its title or a heading, and one by a
    question written to it; for some a withheld one."""
    texts = read_texts(sessions, language, embedder.name)
    asked_before = read_asked_before(sessions, texts, embedder.name)
    samples: list[Sample] = []
    for questions in (pretended_questions(texts, language), written_questions(asked_before, language)):
        asked = without_twins(chosen(questions), texts, embedder)
        samples += (s for s in _samples(texts, asked_before, asked, embedder, language) if s.found.candidates)
    return samples


def without_twins(asked: Mapping[int, str], texts: Iterable[Text], embedder: Embedder) -> dict[int, str]:
    """The questions, by article, that no other article's title is close to."""
    titles = {written.article_id: written.title for written, _ in texts}
    if not asked:
        return {}
    articles, rows = np.array(list(titles)), embedder.embed_passages(list(titles.values()))
    common = rows.mean(axis=0)
    ways = directions(rows - common)

    def is_alone(article: int, question: str) -> bool:
        near = ways @ directions(embedder.embed_question(question) - common)
        return bool((near[articles != article] < TWINS).all())

    return {article: question for article, question in asked.items() if is_alone(article, question)}


def directions(vectors: Vectors) -> Vectors:
    """Of length 1; what has none stays so."""
    found: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return found


def _samples(
    texts: Sequence[Text],
    asked_before: Sequence[LearnedQuestion],
    asked: Mapping[int, str],
    embedder: Embedder,
    language: str,
) -> Iterator[Sample]:
    """One question an article."""
    for part in parts_of(sorted(str(article) for article in asked)):
        here = {article: question for article, question in asked.items() if str(article) in part}
        missed = sorted(here)[:: round(1 / MISSES)]
        others = not_asked(asked_before, here, language)
        hidden = shelf_of(with_words_hidden(texts, here, embedder), others, language, embedder.dimension)
        away = shelf_of(texts, asked_before, language, embedder.dimension, without=missed)
        for article, question in here.items():
            vector = embedder.embed_question(question)
            group = str(article)
            yield Sample(hidden.find(question, vector), frozenset({article}), group, "pretended")
            if article in missed:
                yield Sample(away.find(question, vector), frozenset(), group, "pretended", withheld=True)


def not_asked(
    asked_before: Iterable[LearnedQuestion], asked: Mapping[int, str], language: str
) -> Sequence[LearnedQuestion]:
    """The past questions other than these, by article: who asks one anew is not to find it."""
    keys = {article: group_key(question, language) for article, question in asked.items()}
    return [q for q in asked_before if group_key(q.question, language) != keys.get(q.article_id)]


def written_questions(asked_before: Iterable[LearnedQuestion], language: str) -> dict[int, str]:
    """One question an article, of those that its editors or its source wrote to it."""
    found: dict[int, str] = {}
    for one in asked_before:
        if one.origin in WRITTEN and one.language == language and is_question(one.question, language):
            found.setdefault(one.article_id, one.question)
    return found


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
    return has_topic(text, language) and len(group_key(text, language).split()) >= FEWEST_WORDS


def chosen(questions: Mapping[int, str]) -> Mapping[int, str]:
    """Of too many a random part."""
    if len(questions) <= MOST:
        return questions
    kept = np.random.default_rng(SEED).choice(sorted(questions), MOST, replace=False)
    return {int(article): questions[int(article)] for article in kept}


def with_words_hidden(texts: Sequence[Text], questions: Mapping[int, str], embedder: Embedder) -> list[Text]:
    """The passages, those of these articles without the words of the question in title and headings."""
    hidden = [_without(written, questions.get(written.article_id)) for written, _ in texts]
    changed = [new for new, (written, _) in zip(hidden, texts, strict=True) if new != written]
    parts = [[part for part in (w.title, w.heading, w.body) if part] for w in changed]
    vectors = iter(embedder.embed_passages(["\n".join(some) for some in parts]) if parts else ())
    return [(new, next(vectors) if new != old else vector) for new, (old, vector) in zip(hidden, texts, strict=True)]


def _without(written: Written, question: str | None) -> Written:
    """A passage whose title and headings do not say the question."""
    title = "" if written.title == question else written.title
    heading = PATH.join(part for part in written.heading.split(PATH) if part != question)
    return replace(written, title=title, heading=heading)
