"""Learns glossaries from articles that say the same in two languages, and keeps them in the database."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from kb_index.alignment import Segment, align_articles
from kb_index.glossary import Glossary, Translation
from kb_index.models import Article, Audience, State, now
from kb_index.models import Glossary as GlossaryRow
from kb_index.shipped_glossary import shipped_glossaries
from kb_index.versions import raise_version
from kb_index.word_forms import is_code, stem, words_of
from kb_index.word_pairs import WordPairs, learn_word_pairs

LEAST_SCORE = 0.2  # geometric mean of both directions' probabilities; what is below is mostly chance
LEAST_COUNT = 0.5  # expected number of times that two words stand for each other
KEPT = 3  # translations of one word
SQL_IDS = 500  # ids in one SELECT

Direction = tuple[str, str]  # source and target language


@dataclass(frozen=True)
class Learned:
    """A glossary; from how many segments of how many articles."""

    glossary: Glossary
    segments: int
    articles: int


# --- words ------------------------------------------------------------------------------------------------------------
class Words:
    """The words of one language in the segments: their stems by number, from 1, and how they are mostly written."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.numbers: dict[str, int] = {}
        self.written: dict[int, Counter[str]] = {}
        self._known: dict[str, int] = {}

    def read(self, text: str) -> list[int]:
        """The numbers of a text's words, without codes and numbers."""
        runs = (run for run in text.split() if not is_code(run))
        return [self._number(word) for run in runs for word in words_of(run, self.language)]

    def _number(self, word: str) -> int:
        if word not in self._known:
            self._known[word] = self.numbers.setdefault(stem(word, self.language), len(self.numbers) + 1)
        number = self._known[word]
        self.written.setdefault(number, Counter())[word] += 1
        return number

    def surface(self, number: int) -> str:
        """How the word is mostly written."""
        return self.written[number].most_common(1)[0][0]


def glossary_of(segments: Iterable[Segment], source: str, target: str) -> Glossary:
    """What aligned segments teach about words."""
    ours, theirs = Words(source), Words(target)
    read = [(ours.read(segment.source), theirs.read(segment.target)) for segment in segments]
    return Glossary(source, target, entries_of(learn_word_pairs(read), ours, theirs))


def entries_of(pairs: WordPairs, ours: Words, theirs: Words) -> dict[str, tuple[Translation, ...]]:
    """Each word's translations, best first; without what was seen too rarely or is believed too little."""
    stems = {number: key for key, number in ours.numbers.items()}
    found: dict[str, list[Translation]] = {}
    good = (pairs.scores >= LEAST_SCORE) & (pairs.counts >= LEAST_COUNT)
    for one, other, score in zip(pairs.sources[good], pairs.targets[good], pairs.scores[good], strict=True):
        found.setdefault(stems[int(one)], []).append(Translation(theirs.surface(int(other)), float(score)))
    # Equal ones stay in the order in which they were first read: Wi before Fi.
    return {key: tuple(sorted(some, key=lambda t: -round(t.weight, 2))[:KEPT]) for key, some in found.items()}


# --- articles ---------------------------------------------------------------------------------------------------------
def learn_glossaries(sessions: sessionmaker[Session]) -> int:
    """Learn all directions anew from the published pairs, and let every index know when that changed anything.

    Learns outside of any transaction: it takes seconds. Returns the number of directions there are now.
    """
    with sessions() as session:
        pairs = read_pairs(session)
        known = {(row.source, row.target): row.data for row in session.scalars(select(GlossaryRow))}
    learned = {direction: learn(some, direction) for direction, some in pairs.items()}
    if known != {direction: one.glossary.to_json() for direction, one in learned.items()}:
        with sessions.begin() as session:
            store_glossaries(session, learned)
    return len(learned)


def learn(pairs: Sequence[tuple[Article, Article]], direction: Direction) -> Learned:
    """One direction from its pairs of articles."""
    segments = [s for one, other in pairs for s in align_articles((one.title, one.body), (other.title, other.body))]
    articles = {article.id for pair in pairs for article in pair}
    return Learned(glossary_of(segments, *direction), len(segments), len(articles))


def read_pairs(session: Session) -> dict[Direction, list[tuple[Article, Article]]]:
    """Published articles with their counterparts, by direction. It is enough that one of them names the other.

    Only what everyone may read: no word of an article for agents may move what others find.
    """
    columns = (Article.id, Article.source, Article.slug, Article.language, Article.parallel)
    visible = select(*columns).where(Article.state == State.PUBLISHED, Article.audience == Audience.EVERYONE)
    rows = session.execute(visible.order_by(Article.id)).all()
    by_slug: dict[str, list[tuple[str, int, str]]] = {}
    for row in rows:
        by_slug.setdefault(row.slug, []).append((row.source, row.id, row.language))
    found: set[tuple[int, int]] = set()
    for row in rows:
        for slug in row.parallel:
            same = [other for other in by_slug.get(slug, ()) if other[2] != row.language]
            same.sort(key=lambda other: other[0] != row.source)  # a slug is unique in its source only
            found |= {(row.id, other[1]) for other in same[:1]} | {(other[1], row.id) for other in same[:1]}
    return _with_texts(session, sorted(found))


def _with_texts(session: Session, pairs: Sequence[tuple[int, int]]) -> dict[Direction, list[tuple[Article, Article]]]:
    ids = sorted({one for one, _ in pairs})
    articles: dict[int, Article] = {}
    for start in range(0, len(ids), SQL_IDS):
        chosen = select(Article).where(Article.id.in_(ids[start : start + SQL_IDS]))
        articles |= {article.id: article for article in session.scalars(chosen)}
    found: dict[Direction, list[tuple[Article, Article]]] = {}
    for one, other in pairs:
        direction = articles[one].language, articles[other].language
        found.setdefault(direction, []).append((articles[one], articles[other]))
    return found


# --- database ---------------------------------------------------------------------------------------------------------
def store_glossaries(session: Session, learned: Mapping[Direction, Learned]) -> None:
    """Make these the learned glossaries, and raise the knowledge version: every index reads them anew."""
    raise_version(session)  # first: it locks out whoever stores some at the same moment
    rows = {(row.source, row.target): row for row in session.scalars(select(GlossaryRow))}
    for direction in rows.keys() - learned.keys():
        session.delete(rows[direction])
    for direction, one in learned.items():
        row = rows.get(direction) or GlossaryRow(source=direction[0], target=direction[1])
        row.data, row.pairs, row.articles = one.glossary.to_json(), one.segments, one.articles
        row.learned_at = now()
        session.add(row)
    session.flush()


def read_glossaries(session: Session) -> dict[Direction, Glossary]:
    """All glossaries by source and target: the learned ones over those that come with Lotse."""
    found = dict(shipped_glossaries())
    for row in session.scalars(select(GlossaryRow)):
        learned = Glossary.from_json(row.data)
        prior = found.get((row.source, row.target))
        found[row.source, row.target] = learned.over(prior) if prior else learned
    return found
