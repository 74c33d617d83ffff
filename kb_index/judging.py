"""What the knowledge base makes of one question, for an evaluation to count."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Row

from kb_index.confidence import plausible
from kb_index.evaluation import Band, Judged, Question
from kb_index.port import SearchResult
from kb_index.search import EVERYONE, KnowledgeBase

RANKED = 10
Place = Row[int, str, str, str, str]  # id, slug, language, audience, title
Ask = Callable[[KnowledgeBase, Question], SearchResult | None]  # what a question finds where it is asked


def plain(knowledge: KnowledgeBase, question: Question) -> SearchResult:
    """One search for the question as it is."""
    return knowledge.search(question.text, question.language, EVERYONE, RANKED)


def judged_of(
    question: Question, ranked: SearchResult, found: Mapping[float, SearchResult | None], rows: Sequence[Place]
) -> Judged:
    """What was found for a question: ranked by a plain search, and by risk where it was asked."""
    slugs = {row.id: row.slug for row in rows}
    gold = {row.language for row in rows if row.slug in question.gold}
    bands = {f"{risk:g}": band_of(result) for risk, result in found.items()}
    shown = {f"{risk:g}": plausible(result.hits) if result else () for risk, result in found.items()}
    return Judged(
        question=question,
        ranked=tuple(slugs[hit.article_id] for hit in ranked.hits),
        probability=ranked.hits[0].confidence.probability if ranked.hits else 0.0,
        among=ranked.among_first.probability if ranked.hits else 0.0,
        bands=bands,
        choices=tuple(slugs[hit.article_id] for hit in plausible(ranked.hits)) if "ask_back" in bands.values() else (),
        cross_lingual=bool(gold) and question.language not in gold,
        shown={risk: tuple(slugs[hit.article_id] for hit in hits) for risk, hits in shown.items()},
    )


def band_of(result: SearchResult | None) -> Band:
    """Answer, ask back or hand over, as far as the search decides it."""
    if result is None or not result.hits:
        return "hand_over"
    if result.answer_from is not None and result.hits[0].confidence.probability >= result.answer_from:
        return "answer"
    if result.ask_from is not None and result.among_first.probability >= result.ask_from:
        return "ask_back"
    return "hand_over"
