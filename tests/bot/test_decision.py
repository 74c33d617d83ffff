"""The decision, by itself: people first, then plain wishes, then knowledge at the operator's risk."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.decision import (
    AddToTicket,
    Answer,
    AskBack,
    Cancel,
    Feedback,
    HandOver,
    ShowTickets,
    Situation,
    SmallTalk,
    decide,
)
from handoff.models import Reason
from kb_index.port import Confidence, Hit, SearchResult
from nlu.port import Entity, Understanding


def hit(article_id: int, probability: float) -> Hit:
    sure = Confidence(probability, probability, probability)
    return Hit(article_id, article_id, f"A{article_id}", "", "text", "de", None, None, 1, None, None, {}, sure)


def result(
    *probabilities: float, among: float = 0.0, answer_from: float | None = 0.8, ask_from: float | None = 0.5
) -> SearchResult:
    hits = tuple(hit(number, probability) for number, probability in enumerate(probabilities, 1))
    among_first = Confidence(among, among, among)
    return SearchResult("q", "de", hits, among_first, answer_from, ask_from, 1, "hash", "test")


def asks(intent: str = "ask_question", text: str = "Wie geht das?", **more: object) -> Situation:
    return Situation(text, Understanding(intent, 0.9), **more)  # type: ignore[arg-type]


SURE = result(0.9, 0.1, among=0.9)
UNSURE = result(0.6, 0.5, among=0.7)
NOTHING = result(0.1, among=0.1)


# --- people first -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("situation", "decision"),
    [
        (asks(sensitive="salary"), HandOver(Reason.SENSITIVE, "salary")),
        (asks("security_incident"), HandOver(Reason.SENSITIVE, "security")),
        (asks(asks_for_person=True), HandOver(Reason.ASKED_FOR_PERSON)),
        (asks("talk_to_human"), HandOver(Reason.ASKED_FOR_PERSON)),
        (asks(frustrated=True), HandOver(Reason.FRUSTRATED)),
        (asks("report_outage"), HandOver(Reason.OUTAGE)),
    ],
)
def test_a_person_comes_before_any_answer(situation: Situation, decision: HandOver) -> None:
    assert decide(replace(situation, result=SURE)) == decision


def test_sensitive_wins_over_everything_else() -> None:
    everything = asks("report_outage", sensitive="salary", asks_for_person=True, frustrated=True, urgent=True)
    assert decide(everything) == HandOver(Reason.SENSITIVE, "salary")


# --- plain wishes -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("situation", "decision"),
    [
        (asks("ticket_status"), ShowTickets()),
        (asks("add_to_ticket", has_open_ticket=True), AddToTicket()),
        (asks("create_ticket"), HandOver(Reason.ASKED_FOR_PERSON, may_ask=True)),
        (asks("not_helpful"), HandOver(Reason.UNKNOWN, may_ask=True)),
        (asks("helpful", answered=True), Feedback(True)),
        (asks("affirm", answered=True), Feedback(True)),
        (asks("not_helpful", answered=True), Feedback(False)),
        (asks("deny", answered=True), Feedback(False)),
        (asks("greet"), SmallTalk("greeting")),
        (asks("thanks"), SmallTalk("thanks")),
        (asks("helpful"), SmallTalk("thanks")),
        (asks("goodbye"), SmallTalk("goodbye")),
        (asks("affirm"), SmallTalk("say_more")),
        (asks("cancel"), Cancel()),
        (asks(text=""), SmallTalk("say_more")),
        (asks(text="🖨️ 123 ???"), SmallTalk("say_more")),
    ],
)
def test_a_plain_wish_is_done(situation: Situation, decision: object) -> None:
    assert decide(replace(situation, result=NOTHING)) == decision


def test_adding_to_a_ticket_without_one_is_a_question() -> None:
    assert decide(asks("add_to_ticket", result=SURE)) == Answer(SURE.hits[0])


def test_a_greeting_with_a_question_behind_it_is_a_question() -> None:
    long = "Hallo, seit heute Morgen geht bei mir das Drucken aus der Buchhaltung nicht mehr"
    assert decide(asks("greet", long, result=SURE)) == Answer(SURE.hits[0])
    assert decide(asks("greet", "Hallo VPN", result=SURE)) == Answer(SURE.hits[0])


# --- knowledge --------------------------------------------------------------------------------------------------------
def test_sure_enough_is_answered() -> None:
    assert decide(asks(result=SURE)) == Answer(SURE.hits[0])


def test_nearly_sure_is_asked_back() -> None:
    assert decide(asks(result=UNSURE)) == AskBack(UNSURE.hits)


def test_at_most_three_are_offered() -> None:
    many = result(0.5, 0.4, 0.3, 0.3, 0.2, among=0.9)
    assert decide(asks(result=many)) == AskBack(many.hits[:3])


def test_a_single_article_is_offered_too() -> None:
    found = result(0.6, among=0.7)
    assert decide(asks(result=found)) == AskBack(found.hits)


@pytest.mark.parametrize(
    "found", [NOTHING, result(), None, result(0.99, 0.9, among=1.0, answer_from=None, ask_from=None)]
)
def test_what_is_not_sure_goes_to_a_person(found: SearchResult | None) -> None:
    assert decide(asks(result=found)) == HandOver(Reason.UNKNOWN, may_ask=True)


def test_urgent_is_not_asked_back_but_still_answered_when_sure() -> None:
    assert decide(asks(result=UNSURE, urgent=True)) == HandOver(Reason.URGENT)
    assert decide(asks(result=SURE, urgent=True)) == Answer(SURE.hits[0])


def test_an_article_shown_before_is_not_shown_again() -> None:
    both = result(0.95, 0.9, among=0.95)
    assert decide(asks(result=both, tried=frozenset({1}))) == Answer(both.hits[1])
    assert decide(asks(result=both, tried=frozenset({1, 2}))) == HandOver(Reason.UNKNOWN, may_ask=True)


# --- out of scope -----------------------------------------------------------------------------------------------------
def test_out_of_scope_is_pointed_away_once() -> None:
    assert decide(asks("out_of_scope", result=NOTHING)) == SmallTalk("out_of_scope")
    assert decide(asks("out_of_scope", result=NOTHING, pointed_away=True)) == HandOver(Reason.UNKNOWN, may_ask=True)


def test_out_of_scope_is_not_believed_against_the_knowledge_base_or_an_application_or_urgency() -> None:
    assert decide(asks("out_of_scope", result=SURE)) == Answer(SURE.hits[0])
    assert decide(asks("out_of_scope", result=NOTHING, urgent=True)) == HandOver(Reason.URGENT)
    named = Understanding("out_of_scope", 0.9, (Entity("application", "SAP"),))
    assert isinstance(decide(replace(asks(result=NOTHING), understanding=named)), HandOver)
    unsure = Understanding("out_of_scope", 0.5)
    assert isinstance(decide(replace(asks(result=NOTHING), understanding=unsure)), HandOver)


PROBABILITY = st.floats(0, 1)


@given(
    st.lists(PROBABILITY, max_size=5),
    PROBABILITY,
    st.none() | PROBABILITY,
    st.none() | PROBABILITY,
    st.sampled_from(["ask_question", "greet", "deny", "cancel", "out_of_scope", "unclear", "create_ticket"]),
    st.text(max_size=20),
    st.frozensets(st.integers(1, 5)),
    st.booleans(),
)
def test_nothing_below_the_operators_risk_is_ever_answered_or_offered(
    probabilities: list[float],
    among: float,
    answer_from: float | None,
    ask_from: float | None,
    intent: str,
    text: str,
    tried: frozenset[int],
    urgent: bool,
) -> None:
    found = result(*probabilities, among=among, answer_from=answer_from, ask_from=ask_from)
    match decide(asks(intent, text, result=found, tried=tried, urgent=urgent)):
        case Answer(chosen):
            assert answer_from is not None
            assert chosen.confidence.probability >= answer_from
            assert chosen.article_id not in tried
        case AskBack(hits):
            assert ask_from is not None
            assert among >= ask_from
            assert 1 <= len(hits) <= 3
            assert not {one.article_id for one in hits} & tried
