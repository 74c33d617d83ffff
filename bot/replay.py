"""Past questions decided again, under another risk or in the knowledge of today; nothing is written."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.choices import distinct
from bot.db import Sessions
from bot.decision import Answer, AskBack, Decision, HandOver, Situation, conclude
from bot.evidence import situation_of
from bot.past import ANSWERED, ASKED_BACK, HANDED_OVER, OTHER, RIGHT, UNKNOWN, WAYS, WRONG, Outcome, Past
from kb_index.confidence import ASSURANCE, Fitted, Thresholds
from kb_index.port import Embedder, SearchResult
from kb_index.search import KnowledgeBase

Search = Callable[[str, str], SearchResult]
Limits = Callable[[SearchResult], Thresholds | None]


@dataclass(frozen=True)
class Again:
    """A past question with what would come of it now. titles: of every article named."""

    past: Past
    now: Outcome
    titles: Mapping[int, str]

    @property
    def is_changed(self) -> bool:
        return self.now != self.past.before


def decided_again(pasts: Iterable[Past], *, limits: Limits | None = None, search: Search | None = None) -> list[Again]:
    """Each question decided again. limits: other thresholds for a stored result; search: asks the knowledge anew."""
    return [_again(past, _situation_now(past, limits, search)) for past in pasts]


def _situation_now(past: Past, limits: Limits | None, search: Search | None) -> Situation:
    """What the decision would rest on now."""
    situation = situation_of(past.evidence)
    result = situation.result
    if result is None:
        return situation
    if search is not None:
        return replace(situation, result=search(result.question, result.language))
    other = limits(result) if limits is not None else None
    if other is None:
        return situation
    return replace(situation, result=replace(result, answer_from=other.answer_from, ask_from=other.ask_from))


def limits_of(calibrations: Iterable[Fitted], max_wrong: float, assurance: float = ASSURANCE) -> Limits:
    """Thresholds for another risk, from the calibration a result was judged by. None where that is gone: then those of
    the time hold."""
    by_name = {(fitted.name, fitted.language): fitted for fitted in calibrations}

    def limits(result: SearchResult) -> Thresholds | None:
        fitted = by_name.get((result.calibration, result.pair or result.language))
        return fitted.for_risk(max_wrong, assurance) if fitted is not None else None

    return limits


def search_by(
    sessions: Sessions,
    embedder: Embedder,
    cache: Path,
    max_wrong: float,
    calibrations: Iterable[Fitted] | None = None,
    assurance: float = ASSURANCE,
) -> Search:
    """Asks the knowledge of today, as a message would. calibrations: instead of those in the database."""
    knowledge = KnowledgeBase(sessions, embedder, cache, max_wrong, assurance, calibrations)

    def search(question: str, language: str) -> SearchResult:
        result = knowledge.search(question, language)
        return replace(result, hits=distinct(result.hits))

    return search


def _again(past: Past, situation: Situation) -> Again:
    hits = situation.result.hits if situation.result else ()
    stored = {hit["article_id"]: hit["title"] for hit in past.evidence["search"]["hits"]}
    return Again(past, outcome_of(conclude(situation)), stored | {hit.article_id: hit.title for hit in hits})


def outcome_of(decision: Decision) -> Outcome:
    """A decision as what comes of it."""
    match decision:
        case Answer(hit):
            return Outcome(ANSWERED, (hit.article_id,))
        case AskBack(hits):
            return Outcome(ASKED_BACK, tuple(hit.article_id for hit in hits))
        case HandOver():
            return Outcome(HANDED_OVER)
        case _:
            return Outcome(OTHER)


def report(all_again: Sequence[Again], *, with_questions: bool = False) -> dict[str, Any]:
    """Plain values: counts before and now, what is known of the answers, and every question that changed."""
    before = [(one.past.before, one.past.verdict(one.past.before)) for one in all_again]
    now = [(one.now, one.past.verdict(one.now)) for one in all_again]
    changed = [one for one in all_again if one.is_changed]
    return {
        "questions": len(all_again),
        "before": _counted(before),
        "now": _counted(now),
        "changed": [_as_plain(one, with_questions=with_questions) for one in changed],
    }


def _counted(outcomes: Sequence[tuple[Outcome, str | None]]) -> dict[str, int]:
    ways, verdicts = Counter(outcome.way for outcome, _ in outcomes), Counter(verdict for _, verdict in outcomes)
    return {way: ways[way] for way in WAYS} | {verdict: verdicts[verdict] for verdict in (RIGHT, WRONG, UNKNOWN)}


def _as_plain(one: Again, *, with_questions: bool) -> dict[str, Any]:
    def told(outcome: Outcome) -> dict[str, Any]:
        articles = [{"id": number, "title": one.titles.get(number, "")} for number in outcome.articles]
        return {"way": outcome.way, "articles": articles, "verdict": one.past.verdict(outcome)}

    question = {"question": one.past.question} if with_questions else {}
    where = {"message": one.past.message_id, "conversation": one.past.conversation_id, "at": one.past.at.isoformat()}
    return {**where, **question, "before": told(one.past.before), "now": told(one.now)}
