"""BM25 over stemmed words and over character n-grams, of passages and of whole articles, in memory, by tantivy.

Robertson, Zaragoza: The Probabilistic Relevance Framework: BM25 and Beyond, 2009. Character 4/5-grams: McNamee,
Mayfield: Character N-Gram Tokenization for European Language Text Retrieval, 2004.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import tantivy

from kb_index.compounds import split_compound

STEMMERS = {"de": "german", "en": "english"}
FOLDED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
GRAMS = (4, 5)
MOST_TERMS = 48  # of a question; the rarest are kept
MOST_GRAMS = 320
QUESTION_CHARACTERS = 2_000
MOST_IDFS = 100_000  # remembered between questions; most n-grams come again
HEAP = 32_000_000
GRAM_SPACE = re.compile(r"[^\w]+")


@dataclass(frozen=True)
class Written:
    """A passage as words: plain text."""

    passage_id: int
    article_id: int
    title: str
    heading: str
    body: str


@dataclass(frozen=True)
class Matches:
    """What a question's words find, each score divided by the question's idf mass.

    By passage id: grams; cover, the share of the idf mass whose words the passage holds. By article id: title (n-grams
    of the title), whole (n-grams of all), words (stems of all). mass: the sum of the inverse document frequencies of
    the question's words; length: how many there are.
    """

    grams: Mapping[int, float]
    cover: Mapping[int, float]
    title: Mapping[int, float]
    whole: Mapping[int, float]
    words: Mapping[int, float]
    mass: float
    length: int


def fold(text: str) -> str:
    """Lower case; ä, ö, ü, ß as ae, oe, ue, ss; other accents gone; one space between words and around them."""
    text = unicodedata.normalize("NFC", text).lower().translate(FOLDED)
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return f" {GRAM_SPACE.sub(' ', text).strip()} "


def composed(text: str) -> str:
    """Umlauts as one character each, as the stemmers know them (they then fold ä to a, ß to ss)."""
    return unicodedata.normalize("NFC", text)


def stem_analyzer(language: str) -> tantivy.TextAnalyzer:
    """Lower-cased words by their stems; for a language without stemmer the words themselves."""
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple()).filter(tantivy.Filter.remove_long(80))
    builder = builder.filter(tantivy.Filter.lowercase())
    if language in STEMMERS:
        builder = builder.filter(tantivy.Filter.stemmer(STEMMERS[language]))
    return builder.build()


class TextIndex:
    """Documents with text fields, by id. What a person wrote only ever becomes terms, never a query language.

    Not safe for use from several threads at once. Dropped documents count in the frequencies until tantivy merges.
    """

    def __init__(self, fields: Mapping[str, tantivy.TextAnalyzer]) -> None:
        self._analyzers = fields
        builder = tantivy.SchemaBuilder()
        builder.add_integer_field("id", indexed=True, fast=True)
        for name in fields:
            builder.add_text_field(name, tokenizer_name=name, index_option="freq")
        self._schema = builder.build()
        self._index = tantivy.Index(self._schema)
        for name, analyzer in fields.items():
            self._index.register_tokenizer(name, analyzer)
        self._writer = self._index.writer(HEAP, 1)
        self._searcher = self._index.searcher()
        self._idfs: dict[tuple[str, str], float] = {}

    def __len__(self) -> int:
        return self._searcher.num_docs

    def change(self, put: Mapping[int, Mapping[str, str]], drop: Iterable[int]) -> None:
        """Remove the documents in drop, then add or replace those in put: texts by field, by id."""
        for number in {*drop, *put}:
            self._writer.delete_documents_by_term("id", number)
        for number, texts in put.items():
            document = tantivy.Document()
            document.add_integer("id", number)
            for name, text in texts.items():
                document.add_text(name, text)
            self._writer.add_document(document)
        self._writer.commit()
        self._index.reload()
        self._searcher = self._index.searcher()
        self._idfs.clear()

    def weights(self, field: str, terms: Iterable[str], most: int) -> dict[str, float]:
        """The inverse document frequency of each different term; of too many the rarest are kept."""
        found = {term: self.idf(field, term) for term in dict.fromkeys(terms)}
        if len(found) <= most:
            return found
        return dict(sorted(found.items(), key=lambda item: -item[1])[:most])

    def idf(self, field: str, term: str) -> float:
        """The inverse document frequency of a term, also of one no document holds."""
        known = self._idfs.get((field, term))
        if known is not None:
            return known
        having = self._searcher.doc_freq(field, term)
        total = max(self._searcher.num_docs, having)
        if len(self._idfs) >= MOST_IDFS:
            self._idfs.clear()
        found = self._idfs[field, term] = math.log(1 + (total - having + 0.5) / (having + 0.5))
        return found

    def holds(self, field: str, term: str) -> bool:
        """Whether any document holds the term."""
        return bool(self._searcher.doc_freq(field, term))

    def bm25(self, field: str, weights: Mapping[str, float], limit: int) -> dict[int, float]:
        """BM25 by id, divided by the mass of the weights."""
        queries = [self._term(field, term) for term in weights]
        return self._search(queries, sum(weights.values()), limit)

    def cover(self, field: str, weights: Mapping[str, float], limit: int) -> dict[int, float]:
        """The share of the weights whose terms a document holds, by id."""
        held = ((term, weight) for term, weight in weights.items() if weight > 0)
        queries = [tantivy.Query.const_score_query(self._term(field, term), weight) for term, weight in held]
        return self._search(queries, sum(weights.values()), limit)

    def _term(self, field: str, term: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, field, term, "freq")

    def _search(self, queries: Sequence[tantivy.Query], mass: float, limit: int) -> dict[int, float]:
        if not queries or mass <= 0 or not len(self):
            return {}
        query = tantivy.Query.boolean_query([(tantivy.Occur.Should, one) for one in queries])
        hits = self._searcher.search(query, limit, count=False).hits
        ids = self._searcher.fast_field_values("id", [address for _, address in hits])
        return {int(i): float(score) / mass for i, (score, _) in zip(ids, hits, strict=True) if i is not None}


class WordIndex:
    """The words of one language: its passages and its articles. Not safe for use from several threads at once."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._stems = stem_analyzer(language)
        self._grams = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.ngram(*GRAMS, False)).build()
        self._passages = TextIndex({"stems": self._stems, "grams": self._grams})
        self._articles = TextIndex({"title": self._grams, "whole": self._grams, "words": self._stems})

    def __len__(self) -> int:
        return len(self._passages)

    def change(self, put: Sequence[Written], drop: Iterable[int], drop_articles: Iterable[int] = ()) -> None:
        """Remove passages and articles, then add or replace those in put, which holds all passages of its articles."""
        by_article: dict[int, list[Written]] = {}
        for passage in put:
            by_article.setdefault(passage.article_id, []).append(passage)
        self._passages.change({p.passage_id: as_passage(p) for p in put}, drop)
        self._articles.change({number: as_article(found) for number, found in by_article.items()}, drop_articles)

    def find(self, question: str, limit: int) -> Matches:
        """What the question's words find, at most `limit` of each kind."""
        question = question[:QUESTION_CHARACTERS]
        stems = self._passages.weights("stems", self.question_stems(question), MOST_TERMS)
        grams = list(dict.fromkeys(self._grams.analyze(fold(question))))
        pieces = self._passages.weights("grams", grams, MOST_GRAMS)
        whole = self._articles.weights("whole", grams, MOST_GRAMS)
        return Matches(
            grams=self._passages.bm25("grams", pieces, limit),
            cover=self._passages.cover("stems", stems, limit),
            title=self._articles.bm25("title", whole, limit),
            whole=self._articles.bm25("whole", whole, limit),
            words=self._articles.bm25("words", self._articles.weights("words", stems, MOST_TERMS), limit),
            mass=sum(stems.values()),
            length=len(stems),
        )

    def question_stems(self, question: str) -> list[str]:
        """The different stems of a question; a German compound no passage holds counts as its known parts."""
        stems = list(dict.fromkeys(self._stems.analyze(composed(question))))
        if self._language != "de":
            return stems
        return list(dict.fromkeys(part for stem in stems for part in self._parts(stem)))

    def _parts(self, stem: str) -> Iterator[str]:
        if self._passages.holds("stems", stem):
            yield stem
            return
        for part in split_compound(stem, self._knows):
            yield from self._stems.analyze(part)

    def _knows(self, word: str) -> bool:
        return any(self._passages.holds("stems", stem) for stem in self._stems.analyze(word))


def as_passage(passage: Written) -> dict[str, str]:
    """The texts of a passage by field."""
    text = f"{passage.title} {passage.heading} {passage.body}"
    return {"stems": composed(text), "grams": fold(text)}


def as_article(passages: Sequence[Written]) -> dict[str, str]:
    """The texts of an article by field, from its passages."""
    title = passages[0].title
    text = f"{title} " + " ".join(f"{passage.heading} {passage.body}" for passage in passages)
    return {"title": fold(title), "whole": fold(text), "words": composed(text)}
