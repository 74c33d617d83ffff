"""Hybrid retrieval as Haystack's documentation sets it up: BM25 and embeddings, joined by reciprocal rank fusion.

The tutorial puts a cross-encoder behind the joiner (SentenceTransformersSimilarityRanker); its models are not in any
package registry, so it is left out here.
"""

import argparse
from collections.abc import Sequence

from runner import Found, Row, Runner, best_articles, main, model_folder, set_up_model, texts_of


class Haystack(Runner):
    """The score is made of ranks: 1 when both retrievers put the same passage first, whatever was asked."""

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """The documented default of both retrievers is 10."""
        parser.add_argument("--top-k", type=int, default=10)

    def load(self) -> None:
        """Both embedders, from the model's folder."""
        set_up_model(self.options)
        from haystack_integrations.components.embedders.sentence_transformers import (  # noqa: PLC0415 - timed
            SentenceTransformersDocumentEmbedder,
            SentenceTransformersTextEmbedder,
        )

        from_here = {"model": model_folder(), "progress_bar": False, "local_files_only": True}
        self.documents = SentenceTransformersDocumentEmbedder(**from_here)
        self.questions = SentenceTransformersTextEmbedder(**from_here)
        for embedder in (self.documents, self.questions):
            embedder.warm_up()

    def index(self, articles: Sequence[Row]) -> int:
        """Embed, write, connect the pipeline."""
        from haystack import Document, Pipeline  # noqa: PLC0415
        from haystack.components.joiners import DocumentJoiner  # noqa: PLC0415
        from haystack.components.retrievers.in_memory import (  # noqa: PLC0415
            InMemoryBM25Retriever,
            InMemoryEmbeddingRetriever,
        )
        from haystack.document_stores.in_memory import InMemoryDocumentStore  # noqa: PLC0415

        texts, owners = texts_of(articles, self.options.cut)
        pairs = enumerate(zip(texts, owners, strict=True))
        documents = [Document(content=text, meta={"article": owner, "place": at}) for at, (text, owner) in pairs]
        store = InMemoryDocumentStore()
        store.write_documents(self.documents.run(documents)["documents"])
        top_k = self.options.top_k
        self.pipeline = Pipeline()
        self.pipeline.add_component("text_embedder", self.questions)
        self.pipeline.add_component("embedding_retriever", InMemoryEmbeddingRetriever(store, top_k=top_k))
        self.pipeline.add_component("bm25_retriever", InMemoryBM25Retriever(store, top_k=top_k))
        self.pipeline.add_component("joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion"))
        self.pipeline.connect("text_embedder.embedding", "embedding_retriever.query_embedding")
        self.pipeline.connect("bm25_retriever", "joiner")
        self.pipeline.connect("embedding_retriever", "joiner")
        return len(texts)

    def search(self, question: str) -> Found:
        """One run of the pipeline."""
        asked = {"text_embedder": {"text": question}, "bm25_retriever": {"query": question}}
        found = self.pipeline.run(asked)["joiner"]["documents"]
        return Found(best_articles((document.meta["article"], document.score) for document in found))


if __name__ == "__main__":
    main(Haystack)
