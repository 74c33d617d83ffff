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
    chance,
    chance_among,
    conclude,
    decide,
    from_knowledge,
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


@pytest.mark.parametrize("intent", ["security_incident", "report_outage"])
@pytest.mark.parametrize("found", [SURE, UNSURE, NOTHING, None])
def test_a_guess_makes_no_topic_sensitive_and_no_outage(intent: str, found: SearchResult | None) -> None:
    guess = Situation("Und auf dem Mac?", Understanding(intent, 0.35), found)
    assert decide(guess) == from_knowledge(guess)


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


def test_what_is_hardly_right_is_not_offered_beside_a_better_one() -> None:
    found = result(0.45, 0.02, 0.3, among=0.6)
    assert decide(asks(result=found)) == AskBack((found.hits[0], found.hits[2]))


def test_what_becomes_plausible_once_the_first_was_wrong_is_offered() -> None:
    found = result(0.9, 0.04, 0.03, among=0.97)  # 0.4 and 0.3 of what is left
    wrong = asks(result=found, tried=frozenset({1}), did_not_help=True)
    assert decide(wrong) == AskBack(found.hits[1:])


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
    assert decide(asks(result=both, shown=frozenset({1}))) == Answer(both.hits[1])
    assert decide(asks(result=both, tried=frozenset({1, 2}))) == HandOver(Reason.UNKNOWN, may_ask=True)


def test_one_word_is_offered_something_before_it_is_answered() -> None:
    alone = result(0.9, among=0.9)
    topic = asks(text="drucker", one_word="drucker", result=alone)
    assert decide(topic) == AskBack(alone.hits)
    assert decide(replace(topic, result=replace(alone, ask_from=None))) == AskBack(alone.hits)
    assert decide(replace(topic, asked_back=1)) == Answer(alone.hits[0])


def test_an_error_code_asks_by_itself() -> None:
    assert decide(asks(text="0x80070005", one_word="0x80070005", result=SURE)) == Answer(SURE.hits[0])


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


# --- did not help -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("first", "second", "is_answered"),
    [
        (0.85, 0.13, True),  # 0.13 / 0.15: nearly all that is left
        (0.85, 0.10, False),  # 0.10 / 0.15
        (0.5, 0.39, False),
        (0.5, 0.41, True),
        (0.9, 0.7, False),  # more than 1 together, so they are no alternatives: 0.7 stays 0.7
        (0.9, 0.85, True),
        (1.0, 0.0, False),
        (1.0, 0.9, True),
    ],
)
def test_what_did_not_help_leaves_its_share_to_the_others(first: float, second: float, is_answered: bool) -> None:
    found = result(first, second, among=0.0)
    wrong = asks(result=found, tried=frozenset({1}), did_not_help=True)
    expected = Answer(found.hits[1]) if is_answered else HandOver(Reason.UNKNOWN, may_ask=True)
    assert decide(wrong) == expected


def test_what_was_only_shown_before_keeps_its_share() -> None:
    found = result(0.85, 0.13, among=0.0)
    assert isinstance(decide(asks(result=found, tried=frozenset({1}))), HandOver)


def test_what_was_shown_for_another_question_is_not_known_to_be_wrong() -> None:
    found = result(0.85, 0.13, 0.01, among=0.99)
    wrong = asks(result=found, tried=frozenset({3}), shown=frozenset({1}), did_not_help=True)
    assert chance(wrong, found.hits[1]) < 0.14
    elsewhere = frozenset({7, 8})
    assert isinstance(decide(asks(result=SURE, shown=elsewhere, tried=frozenset({2}), did_not_help=True)), Answer)


def test_choices_without_what_was_shown_are_offered_only_when_they_are_probable_themselves() -> None:
    found = result(0.92, 0.03, 0.02, among=0.95)
    again = asks(result=found, shown=frozenset({1}))
    assert chance_among(again) < 0.05
    assert decide(again) == HandOver(Reason.UNKNOWN, may_ask=True)


def test_after_an_answer_that_did_not_help_the_rest_is_offered_once_when_probable() -> None:
    found = result(0.8, 0.1, 0.05, 0.02, among=0.95)  # (0.95 - 0.8) / 0.2 = 0.75
    wrong = asks(result=found, tried=frozenset({1}), did_not_help=True)
    assert decide(wrong) == AskBack(found.hits[1:3])
    assert decide(replace(wrong, asked_back=1)) == HandOver(Reason.UNKNOWN, may_ask=True)
    less = replace(found, among_first=Confidence(0.89, 0.89, 0.89))  # 0.45
    assert isinstance(decide(replace(wrong, result=less)), HandOver)


def test_two_articles_that_did_not_help_are_enough() -> None:
    found = result(0.3, 0.3, 0.39, among=1.0)
    wrong = asks(result=found, tried=frozenset({1, 2}), did_not_help=True)
    assert chance(wrong, found.hits[2]) > 0.9
    assert decide(wrong) == HandOver(Reason.UNKNOWN, may_ask=True)


def test_choices_are_offered_twice_at_most() -> None:
    assert decide(asks(result=UNSURE, asked_back=1)) == AskBack(UNSURE.hits)
    assert decide(asks(result=UNSURE, asked_back=2)) == HandOver(Reason.UNKNOWN, may_ask=True)


def test_did_not_help_in_words_leads_on_to_the_next_article() -> None:
    found = result(0.9, 0.095, among=0.0)
    said = asks("not_helpful", result=found, tried=frozenset({1}), did_not_help=True, answered=True)
    assert (decide(said), conclude(said)) == (Feedback(False), Answer(found.hits[1]))
    assert decide(replace(said, understanding=Understanding("ask_question", 0.9))) == Feedback(False)


@pytest.mark.parametrize("urgent", [True, False])
def test_urgency_after_did_not_help_leaves_out_the_choices(urgent: bool) -> None:
    found = result(0.8, 0.1, 0.05, among=0.95)
    wrong = asks(result=found, tried=frozenset({1}), did_not_help=True, urgent=urgent)
    assert decide(wrong) == (HandOver(Reason.URGENT) if urgent else AskBack(found.hits[1:]))


@given(PROBABILITY, PROBABILITY, PROBABILITY, st.booleans())
def test_every_chance_is_a_probability_and_never_below_the_hits_own(
    first: float, second: float, among: float, did_not_help: bool
) -> None:
    found = result(first, second, among=among)
    situation = asks(result=found, tried=frozenset({1}), shown=frozenset({2}), did_not_help=did_not_help)
    assert second <= chance(situation, found.hits[1]) <= 1 + 1e-9
    assert 0 <= chance_among(situation) <= among


# --- follow-ups and the other language --------------------------------------------------------------------------------
@pytest.mark.parametrize("intent", ["thanks", "helpful", "affirm", "deny", "not_helpful", "out_of_scope", "goodbye"])
def test_a_follow_up_is_a_question_whatever_its_few_words_sound_like(intent: str) -> None:
    follow_up = asks(intent, "Danke, und auf dem Mac?", follow_up=True, answered=True)
    assert decide(replace(follow_up, result=UNSURE)) == AskBack(UNSURE.hits)
    assert decide(replace(follow_up, result=NOTHING)) == HandOver(Reason.UNKNOWN, may_ask=True)


def test_a_follow_up_may_still_ask_for_a_ticket_or_a_person() -> None:
    assert decide(asks("ticket_status", "Und mein Ticket?", follow_up=True)) == ShowTickets()
    assert decide(asks("talk_to_human", follow_up=True)) == HandOver(Reason.ASKED_FOR_PERSON)


def test_an_article_in_the_other_language_is_judged_by_the_thresholds_of_its_own_pair() -> None:
    english, german = replace(hit(1, 0.9), language="en"), hit(2, 0.85)
    found = replace(result(among=0.9), hits=(english, german))
    assert decide(asks(result=found)) == Answer(english)
    assert decide(asks(result=replace(found, answer_from=None))) == AskBack((english, german))


def test_a_later_article_of_another_language_than_the_first_is_offered_but_not_answered() -> None:
    found = replace(result(among=0.99), hits=(hit(1, 0.8), replace(hit(2, 0.19), language="en")))
    wrong = asks(result=found, tried=frozenset({1}), did_not_help=True)
    assert chance(wrong, found.hits[1]) > 0.9
    assert decide(wrong) == AskBack((found.hits[1],))
