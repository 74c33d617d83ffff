"""txtai's own hybrid index: Embeddings(path=MODEL, hybrid=True, content=True), method sentence-transformers."""

from collections.abc import Sequence

from runner import POOL, Found, Row, Runner, best_articles, main, model_folder, set_up_model, texts_of


class Txtai(Runner):
    """The score is half the cosine and half a BM25 that is scaled to 0..1."""

    def load(self) -> None:
        """The model, from its folder."""
        set_up_model(self.options)
        from txtai import Embeddings  # noqa: PLC0415 - timed

        self.embeddings = Embeddings(path=model_folder(), method="sentence-transformers", hybrid=True, content=True)

    def index(self, articles: Sequence[Row]) -> int:
        """Content goes into its SQLite in memory."""
        texts, self.owners = texts_of(articles, self.options.cut)
        self.embeddings.index(enumerate(texts))
        return len(texts)

    def search(self, question: str) -> Found:
        """As documented: the plain question."""
        hits = self.embeddings.search(question, POOL)
        return Found(best_articles((self.owners[int(hit["id"])], hit["score"]) for hit in hits))


if __name__ == "__main__":
    main(Txtai)
