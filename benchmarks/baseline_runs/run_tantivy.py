"""BM25 by tantivy: one field of stemmed words, the question through its lenient query parser."""

from collections.abc import Sequence

import tantivy
from runner import POOL, Found, Row, Runner, best_articles, main, texts_of

STEMMERS = {"de": "german", "en": "english"}
HEAP = 50_000_000


class Tantivy(Runner):
    """The score has no upper end, as with any BM25."""

    def index(self, articles: Sequence[Row]) -> int:
        """In memory, one document a passage."""
        texts, self.owners = texts_of(articles, self.options.cut)
        stems = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple()).filter(tantivy.Filter.remove_long(40))
        stems = stems.filter(tantivy.Filter.lowercase()).filter(tantivy.Filter.stemmer(STEMMERS[self.options.language]))
        builder = tantivy.SchemaBuilder()
        builder.add_integer_field("place", stored=True)
        builder.add_text_field("body", tokenizer_name="stems")
        self.tantivy = tantivy.Index(builder.build())
        self.tantivy.register_tokenizer("stems", stems.build())
        writer = self.tantivy.writer(HEAP, 1)
        for place, text in enumerate(texts):
            writer.add_document(tantivy.Document(place=place, body=text))
        writer.commit()
        writer.wait_merging_threads()
        self.tantivy.reload()
        self.searcher = self.tantivy.searcher()
        return len(texts)

    def search(self, question: str) -> Found:
        """What a person wrote, read as a query as far as that goes."""
        query, _ = self.tantivy.parse_query_lenient(question, ["body"])
        hits = self.searcher.search(query, POOL).hits
        places = (self.searcher.doc(address)["place"][0] for _, address in hits)
        return Found(best_articles((self.owners[p], score) for p, (score, _) in zip(places, hits, strict=True)))


if __name__ == "__main__":
    main(Tantivy)
