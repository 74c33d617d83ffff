"""Stored evidence is enough to decide again, also by other thresholds."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import World

from bot.decision import Situation, conclude, decide
from bot.evidence import evidence_of, situation_of
from kb_index.port import Confidence, Hit, SearchResult
from nlu.port import Entity, Understanding

SHARE = st.floats(0, 1)
CONFIDENCE = st.builds(Confidence, SHARE, SHARE, SHARE)
NAME = st.none() | st.sampled_from(["network", "mail"])
HIT = st.builds(
    Hit,
    article_id=st.integers(1, 6),
    passage_id=st.integers(1, 9),
    title=st.text(max_size=10),
    heading=st.text(max_size=10),
    text=st.just(""),
    language=st.sampled_from(["de", "en"]),
    url=st.none() | st.just("https://example.org/a"),
    reviewed_on=st.none() | st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    revision=st.integers(1, 3),
    category=NAME,
    queue=NAME,
    signals=st.dictionaries(st.sampled_from(["cosine", "words", "margin"]), st.floats(-9, 9)),
    confidence=CONFIDENCE,
)
RESULT = st.builds(
    SearchResult,
    question=st.text(max_size=20),
    language=st.sampled_from(["de", "en"]),
    hits=st.lists(HIT, max_size=5, unique_by=lambda hit: hit.article_id).map(tuple),
    among_first=CONFIDENCE,
    answer_from=st.none() | SHARE,
    ask_from=st.none() | SHARE,
    index_version=st.integers(0, 99),
    model=st.just("hash"),
    calibration=st.just("test"),
    seconds=st.just({"find": 0.1}),
    pair=st.sampled_from(["", "de", "de>en"]),
)
INTENTS = ["ask_question", "greet", "deny", "helpful", "not_helpful", "out_of_scope", "security_incident", "cancel"]
SITUATION = st.builds(
    Situation,
    text=st.text(max_size=20),
    understanding=st.builds(
        Understanding,
        st.sampled_from(INTENTS),
        SHARE,
        st.just(()) | st.just((Entity("application", "SAP"),)),
        st.sampled_from(["rasa", "embedded", "button"]),
    ),
    result=st.none() | RESULT,
    sensitive=st.none() | st.just("salary"),
    asks_for_person=st.booleans(),
    frustrated=st.booleans(),
    urgent=st.booleans(),
    tried=st.frozensets(st.integers(1, 6)),
    did_not_help=st.booleans(),
    asked_back=st.integers(0, 3),
    follow_up=st.booleans(),
    one_word=st.none() | st.sampled_from(["Drucker", "VPN", "0x1"]),
    answered=st.booleans(),
    pointed_away=st.booleans(),
    has_open_ticket=st.booleans(),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(situation=SITUATION, answer_from=SHARE, ask_from=SHARE)
def test_a_decision_follows_again_from_its_evidence_by_any_thresholds(
    world: World, situation: Situation, answer_from: float, ask_from: float
) -> None:
    stored = evidence_of(world.app.house, situation, decide(situation), "de")
    again = situation_of(json.loads(json.dumps(stored)))
    assert again == situation
    assert decide(again) == decide(situation)
    if situation.result is not None and again.result is not None:
        other = {"answer_from": answer_from, "ask_from": ask_from}
        now = replace(again, result=replace(again.result, **other))
        assert conclude(now) == conclude(replace(situation, result=replace(situation.result, **other)))


def test_evidence_of_an_older_lotse_can_be_read() -> None:
    sure = {"probability": 0.9, "low": 0.8, "high": 1.0}
    hit = {"article_id": 7, "passage_id": 9, "revision": 1, "title": "VPN", "signals": {"cosine": 0.4}, **sure}
    search = {"question": "VPN?", "language": "de", "index_version": 1, "model": "hash", "calibration": "test"}
    limits = {"answer_from": 0.8, "ask_from": 0.5, "among_first": sure, "seconds": {}}
    understood = {"asked": "VPN?", "intent": "ask_question", "intent_confidence": 0.9, "entities": []}
    told = dict.fromkeys(
        ("asks_for_person", "frustrated", "urgent", "answered", "pointed_away", "has_open_ticket"), False
    )
    old: dict[str, Any] = (
        understood | told | {"understander": "rasa", "sensitive": None, "tried": [3], "search": search | limits}
    )
    old["search"]["hits"] = [hit]
    situation = situation_of(old)
    assert situation.result is not None
    assert (situation.did_not_help, situation.asked_back, situation.result.hits[0].language) == (False, 0, "de")
    assert type(decide(situation)).__name__ == "Answer"
