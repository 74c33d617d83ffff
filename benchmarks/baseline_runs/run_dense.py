"""Dense retrieval as a tutorial has it: sentence-transformers, a vector a passage, util.semantic_search (cosine)."""

from collections.abc import Sequence

from runner import POOL, Found, Row, Runner, best_articles, main, model_folder, set_up_model, texts_of


class Dense(Runner):
    """The score is the cosine of question and passage."""

    def load(self) -> None:
        """The model, from its folder."""
        set_up_model(self.options)
        from sentence_transformers import SentenceTransformer, util  # noqa: PLC0415 - timed

        self.model = SentenceTransformer(model_folder(), device="cpu", local_files_only=True)
        self.util = util

    def index(self, articles: Sequence[Row]) -> int:
        """All vectors in one tensor."""
        texts, self.owners = texts_of(articles, self.options.cut)
        self.vectors = self.model.encode(texts, convert_to_tensor=True, show_progress_bar=False)
        return len(texts)

    def search(self, question: str) -> Found:
        """The nearest passages' articles."""
        vector = self.model.encode(question, convert_to_tensor=True, show_progress_bar=False)
        hits = self.util.semantic_search(vector, self.vectors, top_k=POOL)[0]
        return Found(best_articles((self.owners[hit["corpus_id"]], hit["score"]) for hit in hits))


if __name__ == "__main__":
    main(Dense)
