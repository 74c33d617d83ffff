"""BM25 by bm25s as its README has it: stop words and the Snowball stemmer of the language, default parameters."""

from collections.abc import Sequence

from runner import POOL, Found, Row, Runner, best_articles, main, texts_of

STEMMERS = {"de": "german", "en": "english"}


class Bm25s(Runner):
    """The score is a sum of term weights: it has no upper end and grows with the question."""

    def load(self) -> None:
        """The stemmer."""
        import bm25s  # noqa: PLC0415 - timed
        import Stemmer  # noqa: PLC0415

        self.bm25s = bm25s
        self.stemmer = Stemmer.Stemmer(STEMMERS[self.options.language])

    def tokens(self, texts: Sequence[str]) -> object:
        """Stems without stop words."""
        return self.bm25s.tokenize(
            list(texts), stopwords=self.options.language, stemmer=self.stemmer, show_progress=False
        )

    def index(self, articles: Sequence[Row]) -> int:
        """One document a passage."""
        texts, self.owners = texts_of(articles, self.options.cut)
        self.retriever = self.bm25s.BM25()
        self.retriever.index(self.tokens(texts), show_progress=False)
        return len(texts)

    def search(self, question: str) -> Found:
        """Passages without any word of the question are left out."""
        places, scores = self.retriever.retrieve(
            self.tokens([question]), k=min(POOL, len(self.owners)), show_progress=False
        )
        pairs = zip(places[0], scores[0], strict=True)
        return Found(best_articles((self.owners[place], score) for place, score in pairs if score > 0))


if __name__ == "__main__":
    main(Bm25s)
