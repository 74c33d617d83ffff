"""What is stored with an answer so that its decision can be reproduced (behaviour rule 20), as JSON and back."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from bot.decision import Answer, AskBack, Decision, HandOver, Situation, conclude
from bot.house import House
from bot.settings import settings_hash
from kb_index.port import Confidence, Hit, SearchResult
from nlu.port import Entity, Understanding


def evidence_of(house: House, situation: Situation, decision: Decision, language: str) -> dict[str, Any]:
    """Everything needed to reproduce a decision (behaviour rule 20), as JSON. articles: what is shown, also where the
    decision is that the answer before did not help."""
    understanding = situation.understanding
    return {
        "asked": situation.text,
        "decision": type(decision).__name__,
        "reason": decision.reason if isinstance(decision, HandOver) else None,
        "topic": decision.topic if isinstance(decision, HandOver) else None,
        "articles": _articles_of(conclude(situation)),
        "language": language,
        "intent": understanding.intent,
        "intent_confidence": understanding.confidence,
        "entities": [[entity.kind, entity.value] for entity in understanding.entities],
        "understander": understanding.understander,
        "sensitive": situation.sensitive,
        "asks_for_person": situation.asks_for_person,
        "frustrated": situation.frustrated,
        "urgent": situation.urgent,
        "tried": sorted(situation.tried),
        "shown": sorted(situation.shown),
        "did_not_help": situation.did_not_help,
        "asked_back": situation.asked_back,
        "follow_up": situation.follow_up,
        "one_word": situation.one_word,
        "answered": situation.answered,
        "pointed_away": situation.pointed_away,
        "has_open_ticket": situation.has_open_ticket,
        "settings": settings_hash(house.settings),
        "search": _search_evidence(situation.result),
    }


def _articles_of(decision: Decision) -> list[int]:
    match decision:
        case Answer(hit):
            return [hit.article_id]
        case AskBack(hits):
            return [hit.article_id for hit in hits]
        case _:
            return []


def _search_evidence(result: SearchResult | None) -> dict[str, Any] | None:
    if result is None:
        return None
    return {
        "question": result.question,
        "language": result.language,
        "pair": result.pair,
        "index_version": result.index_version,
        "model": result.model,
        "calibration": result.calibration,
        "answer_from": result.answer_from,
        "ask_from": result.ask_from,
        "among_first": vars(result.among_first),
        "seconds": dict(result.seconds),
        "hits": [
            {
                "article_id": hit.article_id,
                "passage_id": hit.passage_id,
                "revision": hit.revision,
                "title": hit.title,
                "heading": hit.heading,
                "language": hit.language,
                "url": hit.url,
                "reviewed_on": hit.reviewed_on.isoformat() if hit.reviewed_on else None,
                "category": hit.category,
                "queue": hit.queue,
                "probability": hit.confidence.probability,
                "low": hit.confidence.low,
                "high": hit.confidence.high,
                "shift": hit.confidence.shift,
                "signals": dict(hit.signals),
            }
            for hit in result.hits
        ],
    }


def situation_of(evidence: Mapping[str, Any]) -> Situation:
    """What a stored decision rested on: `decide(situation_of(evidence))` decides the same again.

    The hits have no text: it is that of the article's revision, which stays in the knowledge base. What Lotse did not
    store at the time has its default.
    """
    understanding = Understanding(
        evidence["intent"],
        evidence["intent_confidence"],
        tuple(Entity(kind, value) for kind, value in evidence["entities"]),
        evidence["understander"],
    )
    return Situation(
        evidence["asked"],
        understanding,
        _result_of(evidence["search"]),
        sensitive=evidence["sensitive"],
        asks_for_person=evidence["asks_for_person"],
        frustrated=evidence["frustrated"],
        urgent=evidence["urgent"],
        tried=frozenset(evidence["tried"]),
        shown=frozenset(evidence.get("shown", ())),
        did_not_help=evidence.get("did_not_help", False),
        asked_back=evidence.get("asked_back", 0),
        follow_up=evidence.get("follow_up", False),
        one_word=evidence.get("one_word"),
        answered=evidence["answered"],
        pointed_away=evidence["pointed_away"],
        has_open_ticket=evidence["has_open_ticket"],
    )


def _result_of(search: Mapping[str, Any] | None) -> SearchResult | None:
    if search is None:
        return None
    return SearchResult(
        search["question"],
        search["language"],
        tuple(_hit_of(hit, search["language"]) for hit in search["hits"]),
        Confidence(**search["among_first"]),
        search["answer_from"],
        search["ask_from"],
        search["index_version"],
        search["model"],
        search["calibration"],
        search["seconds"],
        search.get("pair", ""),
    )


def _hit_of(hit: Mapping[str, Any], language: str) -> Hit:
    reviewed_on = hit.get("reviewed_on")
    return Hit(
        hit["article_id"],
        hit["passage_id"],
        hit["title"],
        heading=hit.get("heading", ""),
        text="",
        language=hit.get("language", language),
        url=hit.get("url"),
        reviewed_on=date.fromisoformat(reviewed_on) if reviewed_on else None,
        revision=hit["revision"],
        category=hit.get("category"),
        queue=hit.get("queue"),
        signals=hit["signals"],
        confidence=Confidence(hit["probability"], hit["low"], hit["high"], hit.get("shift", 0.0)),
    )
