"""Searches the knowledge base for one message: the surest of at most three searches, and what is new in it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from bot.choices import distinct
from kb_index.port import SearchResult
from kb_index.search import KnowledgeBase

LONGEST_ASKED = 20_000  # characters a model is asked about; the message itself is kept whole


def surest(
    knowledge: KnowledgeBase, inquiry: Iterable[tuple[str, str]], language: str, shown: Mapping[int, str]
) -> tuple[str, SearchResult | None, dict[str, float]]:
    """The surest of some searches with the question it stands for, and the probability that each found.

    shown: passages shown before, each with the words it was shown for; for the same words it may be shown again.
    Among equals the first, and where nothing is sure enough even to be offered all are equal.
    """
    found = [(question, _search(knowledge, words, language)) for question, words in inquiry]
    question, result = max(found, key=lambda one: _promise(one[1], shown))
    return question, result, {one.question: _best_new(one, shown) for _, one in found if one is not None}


def _promise(result: SearchResult | None, shown: Mapping[int, str]) -> tuple[int, float]:
    """How much a search promises: an answer, choices or nothing, and its probability."""
    if result is None:
        return 0, 0.0
    best = _best_new(result, shown)
    if result.answer_from is not None and best >= result.answer_from:
        return 2, best
    return (1, best) if is_worth_offering(result) else (0, 0.0)


def is_worth_offering(result: SearchResult) -> bool:
    """Whether what was found is sure enough to be offered as a choice."""
    return result.ask_from is not None and result.among_first.probability >= result.ask_from


def _best_new(result: SearchResult, shown: Mapping[int, str]) -> float:
    """The probability of the best passage that was not shown yet."""
    old = shown_before(result, shown)
    return next((hit.confidence.probability for hit in result.hits if hit.article_id not in old), 0.0)


def _search(knowledge: KnowledgeBase, words: str, language: str) -> SearchResult | None:
    if not any(character.isalpha() for character in words):
        return None
    result = knowledge.search(words[:LONGEST_ASKED], language)
    return replace(result, hits=distinct(result.hits))


def shown_before(result: SearchResult | None, shown: Mapping[int, str]) -> frozenset[int]:
    """Articles whose best passage was shown before, for other words; another passage of the same article may be new to
    who asks."""
    if result is None:
        return frozenset()
    same = {passage for passage, words in shown.items() if words.casefold() == result.question.casefold()}
    return frozenset(hit.article_id for hit in result.hits if hit.passage_id in shown.keys() - same)
