"""Why a question got its probability: its words, the first passage, and what each feature did."""

from collections.abc import Mapping, Set
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb_index.confidence import FEATURES, Judge, features, read_calibrations
from kb_index.fusion import fuse
from kb_index.glossary_learning import read_glossaries
from kb_index.grouping import stems_and_fillers
from kb_index.models import Article, Passage, State
from kb_index.port import SearchResult
from kb_index.records import read_records
from kb_index.search import EVERYONE, KnowledgeBase
from kb_index.words import composed, fold

RECORD = "record"
FEATURE_WORDS = {
    "fused": "how good the match is altogether",
    "share": "how much of the whole match lies on this article alone",
    "margin": "how far it is ahead of the second article",
    "lead": "how far it stands out from the articles further down",
    "cosine": "how near the passage is to the question in meaning",
    "white": "how near it is in meaning, without what all articles here have in common",
    "grams": "how many of the question's pieces of words the passage holds",
    "words": "how often the passage uses the question's words, rare ones counting more",
    "cover": "how many of the question's words the passage holds, rare ones counting more",
    "wins": "how many ways of searching put this article first",
    "mass": "how much the question's words say: common ones say little",
    "length": "how many different words the question has",
    RECORD: "what people said of this article's earlier answers",
}
RARE = 0.01  # a word is rare that at most this share of the passages holds
FEWEST = 2  # ... or this many
SHORTEST = 4  # letters of a word that is also looked for inside longer ones


@dataclass(frozen=True)
class Word:
    """A word of the question. passages: how many hold it, also inside longer words; covered: the first one does."""

    text: str
    passages: int
    rare: bool
    covered: bool


@dataclass(frozen=True)
class Moved:
    """What a feature did. contribution: in log-odds, above 0 raises the probability; words: what the feature says."""

    feature: str
    value: float
    contribution: float
    words: str


@dataclass(frozen=True)
class Explanation:
    """read_as: the question in the language of the articles that lead. words: its words but for fillers, in order.
    moved: for the first hit, the largest first; empty where nothing was fitted."""

    result: SearchResult
    read_as: str
    words: tuple[Word, ...]
    moved: tuple[Moved, ...]


def explain(
    knowledge: KnowledgeBase, question: str, language: str, audience: Set[str] = EVERYONE, limit: int = 5
) -> Explanation:
    """Search, and tell how it came about."""
    result = knowledge.search(question, language, audience, limit)
    spoken = spoken_in(result)
    first = result.hits[0].passage_id if result.hits else None
    with knowledge.sessions() as session:
        passages = read_plain(session, spoken, audience)
        fitted = read_calibrations(session, knowledge.embedder.name)[0].get(result.pair or language)
        glossary = read_glossaries(session).get((language, spoken))
        records = read_records(session)
    read_as = glossary.translate(result.question) if glossary else result.question
    judge = Judge(fitted, knowledge.max_wrong, knowledge.assurance)
    moved = moves(knowledge, result, judge, audience, records) if result.hits else []
    return Explanation(result, read_as, tuple(read_words(read_as, spoken, passages, first)), tuple(moved))


def spoken_in(result: SearchResult) -> str:
    """The language of the articles that lead."""
    pair = result.pair or result.language
    return pair.partition(">")[2] or (result.hits[0].language if result.hits else result.language)


def moves(
    knowledge: KnowledgeBase, result: SearchResult, judge: Judge, audience: Set[str], records: Mapping[int, float]
) -> list[Moved]:
    """What each feature did to the first hit's probability, and what was said of its article."""
    found = knowledge.found(result.question, result.language, audience, spoken_in(result))
    ranked, first = fuse(found, judge.weights), result.hits[0].article_id
    place = next((n for n, one in enumerate(ranked) if one.candidate.article_id == first), 0)
    did = judge.contributions(found, ranked, place)
    values = dict(zip(FEATURES, features(found, ranked, place), strict=True)) if did else {}
    told = [Moved(name, float(values[name]), part, words_for(name)) for name, part in did.items()]
    record = records.get(ranked[place].candidate.article_id) if did else None
    told += [Moved(RECORD, record, record, words_for(RECORD))] if record else []
    return sorted(told, key=lambda one: -abs(one.contribution))


def words_for(feature: str) -> str:
    """A feature in words; its own name where it has none yet."""
    return FEATURE_WORDS.get(feature, feature.replace("_", " "))


def read_plain(session: Session, language: str, audience: Set[str]) -> dict[int, str]:
    """Title, heading and words of every passage that can be found in a language, by id."""
    chosen = (
        select(Passage.id, Article.title, Passage.heading, Passage.plain)
        .join(Article)
        .where(Article.state == State.PUBLISHED, Article.language == language, Article.audience.in_(audience))
    )
    return {row.id: f"{row.title} {row.heading} {row.plain}" for row in session.execute(chosen)}


def read_words(question: str, language: str, passages: Mapping[int, str], first: int | None) -> list[Word]:
    """The question's words with the number of passages that hold each; without those that carry no topic."""
    stems, fillers = stems_and_fillers(language)
    every = {word: set(stems.analyze(composed(word))) for word in dict.fromkeys(fold_apart(question))}
    asked = {word: found for word, found in every.items() if not found <= fillers} or every
    holding = dict.fromkeys(asked, 0)
    covered: set[str] = set()
    for passage_id, text in passages.items():
        held, folded = set(stems.analyze(composed(text))), fold(text)
        here = {word for word, stem in asked.items() if stem & held or is_inside(word, folded)}
        for word in here:
            holding[word] += 1
        if passage_id == first:
            covered = here
    rare = max(FEWEST, RARE * len(passages))
    return [Word(word, n, n <= rare, word in covered) for word, n in holding.items()]


def fold_apart(question: str) -> list[str]:
    """The words as they were written."""
    return [word for word in "".join(c if c.isalnum() else " " for c in question).split() if word]


def is_inside(word: str, folded: str) -> bool:
    """Whether a longer word holds this one, as German ones do."""
    inner = fold(word).strip()
    return len(inner) >= SHORTEST and inner in folded
