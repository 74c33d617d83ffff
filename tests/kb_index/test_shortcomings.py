"""What an evaluation does not show is said."""

from dataclasses import replace

from kb_index.evaluation import Band, Judged, Question, measure
from kb_index.shortcomings import shortcomings

ANSWERED: Band = "answer"


def asked(right: int, wrong: int = 0, near: int = 0, far: int = 0, band: Band = ANSWERED) -> list[Judged]:
    """So many questions; the unanswerable ones are handed over."""
    wanted = (
        [("a", "a", "faq")] * right
        + [("b", "a", "faq")] * wrong
        + [("b", "", "near")] * near
        + [("b", "", "far")] * far
    )
    return [
        Judged(
            Question(f"q{n}", "?", "en", frozenset(gold), kind), (found,), 0.9, 0.9,
            {"0.05": band if gold else "hand_over"},
        )
        for n, (found, gold, kind) in enumerate(wanted)
    ]  # fmt: skip


def said(judged: list[Judged], known: str = "ab", for_agents: str = "", **reasons: str) -> list[str]:
    questions = [one.question for one in judged]
    return shortcomings(measure(judged, [0.05]), questions, set(known), set(for_agents), reasons)


def test_with_enough_questions_and_a_promise_kept_nothing_is_said() -> None:
    assert said(asked(right=100, near=5)) == []


def test_a_broken_promise_is_named() -> None:
    assert said(asked(right=90, wrong=10, near=5)) == [
        "English, at most 5% wrong: not kept, 10.0% of 100 answers were wrong"
    ]


def test_a_promise_that_may_be_luck_is_named() -> None:
    assert said(asked(right=98, wrong=4, near=1)) == [
        "English, at most 5% wrong: kept with 3.9%, but 102 answers are too few to be sure "
        "(up to 8.8% cannot be ruled out)"
    ]


def test_that_nothing_is_answered_is_named() -> None:
    assert said(asked(right=100, near=1, band="ask_back")) == [
        "English, at most 5% wrong: nothing is answered, the risk cannot be kept"
    ]


def test_missing_questions_are_named() -> None:
    few, without = said(asked(right=70))
    assert few == "English: only 70 with an answer; every share is rough below 100"
    assert without.startswith("English: no question without an answer was asked")
    assert said(asked(right=100, far=3)) == [
        "English: no `near` question without an answer; far ones are told apart more easily"
    ]


def test_questions_answered_in_another_language_are_no_exception() -> None:
    across = [replace(one, cross_lingual=True) for one in asked(right=40, wrong=10)]
    assert said(across) == [
        "across languages, at most 5% wrong: not kept, 20.0% of 50 answers were wrong",
        "across languages: only 50 with an answer; every share is rough below 100",
    ]


def test_articles_that_are_not_here_are_counted() -> None:
    assert said(asked(right=100, near=1), known="b")[-1] == (
        "100 questions are answered by articles that are not in this knowledge base; they count as not found"
    )


def test_articles_nobody_who_asks_may_read_are_counted() -> None:
    assert said(asked(right=100, near=1), for_agents="a") == [
        "100 questions are answered by articles that only agents may read; they count as not found"
    ]


def test_why_there_is_no_calibration_takes_the_place_of_the_risk() -> None:
    assert said(asked(right=100, near=1, band="ask_back"), en="too few articles", **{"de>en": "nothing there"}) == [
        "English: too few articles",
        "German, answered in English: nothing there",
    ]
