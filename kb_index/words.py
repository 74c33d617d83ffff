"""BM25 over stemmed words and over character n-grams, in memory, by tantivy.

Robertson, Zaragoza: The Probabilistic Relevance Framework: BM25 and Beyond, 2009. Character 4/5-grams: McNamee,
Mayfield: Character N-Gram Tokenization for European Language Text Retrieval, 2004.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import tantivy

STEMMERS = {"de": "german", "en": "english"}
FOLDED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
BOOSTS = {"title": 1.5, "heading": 1.0, "body": 1.0}
GRAMS = (4, 5)
MOST_TERMS = 48  # of a question; the rarest are kept
MOST_GRAMS = 320
QUESTION_CHARACTERS = 2_000
HEAP = 32_000_000
GRAM_SPACE = re.compile(r"[^\w]+")


@dataclass(frozen=True)
class Written:
    """A passage as words: plain text."""

    passage_id: int
    title: str
    heading: str
    body: str


@dataclass(frozen=True)
class WordScores:
    """BM25 by passage id, and the idf mass of the question: the sum of its terms' inverse document frequencies."""

    scores: Mapping[int, float]
    mass: float


def fold(text: str) -> str:
    """Lower case; ä, ö, ü, ß as ae, oe, ue, ss; other accents gone; one space between words and around them."""
    text = unicodedata.normalize("NFC", text).lower().translate(FOLDED)
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


class WordIndex:
    """The words of one language. What a person wrote only ever becomes terms, never a query language.

    Not safe for use from several threads at once. Dropped passages count in the frequencies until tantivy merges.
    """

    def __init__(self, language: str) -> None:
        self._stems = stem_analyzer(language)
        self._grams = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.ngram(*GRAMS, False)).build()
        builder = tantivy.SchemaBuilder()
        builder.add_integer_field("id", indexed=True, fast=True)
        for name in BOOSTS:
            builder.add_text_field(name, tokenizer_name="stems", index_option="freq")
        builder.add_text_field("grams", tokenizer_name="grams", index_option="freq")
        self._schema = builder.build()
        self._index = tantivy.Index(self._schema)
        self._index.register_tokenizer("stems", self._stems)
        self._index.register_tokenizer("grams", self._grams)
        self._writer = self._index.writer(HEAP, 1)
        self._searcher = self._index.searcher()

    def __len__(self) -> int:
        return self._searcher.num_docs

    def change(self, put: Sequence[Written], drop: Iterable[int]) -> None:
        """Remove the passages in drop, then add or replace those in put."""
        for passage_id in {*drop, *(passage.passage_id for passage in put)}:
            self._writer.delete_documents_by_term("id", passage_id)
        for passage in put:
            self._writer.add_document(self._document(passage))
        self._writer.commit()
        self._index.reload()
        self._searcher = self._index.searcher()

    def _document(self, passage: Written) -> tantivy.Document:
        document = tantivy.Document()
        document.add_integer("id", passage.passage_id)
        for name in BOOSTS:
            document.add_text(name, composed(getattr(passage, name)))
        document.add_text("grams", fold(f"{passage.title} {passage.heading} {passage.body}"))
        return document

    def words(self, question: str, limit: int) -> WordScores:
        """BM25 over title, headings and body by stems."""
        stems = self._stems.analyze(composed(question[:QUESTION_CHARACTERS]))
        return self._search(stems, "body", BOOSTS, MOST_TERMS, limit)

    def grams(self, question: str, limit: int) -> WordScores:
        """BM25 over character n-grams."""
        grams = self._grams.analyze(fold(question[:QUESTION_CHARACTERS]))
        return self._search(grams, "grams", {"grams": 1.0}, MOST_GRAMS, limit)

    def _search(
        self, terms: Iterable[str], counted: str, fields: Mapping[str, float], most: int, limit: int
    ) -> WordScores:
        if not len(self):
            return WordScores({}, 0.0)
        weights = {term: self._idf(counted, term) for term in dict.fromkeys(terms)}
        kept = sorted(weights, key=weights.__getitem__, reverse=True)[:most]
        found = [self._term(field, term, boost) for term in kept for field, boost in fields.items()]
        queries = [(tantivy.Occur.Should, query) for query in found]
        if not queries:
            return WordScores({}, 0.0)
        hits = self._searcher.search(tantivy.Query.boolean_query(queries), limit, count=False).hits
        ids = self._searcher.fast_field_values("id", [address for _, address in hits])
        scores = {int(i): float(score) for i, (score, _) in zip(ids, hits, strict=True) if i is not None}
        return WordScores(scores, sum(weights[term] for term in kept))

    def _term(self, field: str, term: str, boost: float) -> tantivy.Query:
        query = tantivy.Query.term_query(self._schema, field, term, "freq")
        return query if boost == 1.0 else tantivy.Query.boost_query(query, boost)

    def _idf(self, field: str, term: str) -> float:
        having = self._searcher.doc_freq(field, term)
        total = max(self._searcher.num_docs, having)
        return math.log(1 + (total - having + 0.5) / (having + 0.5))
