"""The numbers of an evaluation, each worked out by hand."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hand_fitted import hand_fitted

from kb_index.evaluation import (
    Band,
    Judged,
    Question,
    QuestionFileError,
    measure,
    read_calibration_file,
    read_questions,
    worst_cases,
    write_calibration_file,
)
from kb_index.question_files import check_languages

RISKS = (0.05, 0.1)
Write = Callable[..., Path]


def judged(
    ranked: str,
    gold: str = "",
    probability: float = 0.5,
    band: Band = "hand_over",
    later: Band | None = None,
    *,
    language: str = "de",
    kind: str = "faq",
    cross_lingual: bool = False,
    name: str = "",
) -> Judged:
    """ranked, gold: slugs of one letter each. band: at 0.05; later: at 0.1, the same if not given."""
    question = Question(name or f"q-{ranked}-{gold}-{probability}", "?", language, frozenset(gold), kind, "handbook")
    bands: dict[str, Band] = {"0.05": band, "0.1": later or band}
    return Judged(question, tuple(ranked), probability, 0.9, bands, tuple(ranked[:3]), cross_lingual)


ASKED = [
    judged("abc", "a", 0.9, "answer"),
    judged("abc", "b", 0.8, "answer"),
    judged("abcd", "d", 0.4, "ask_back", "answer"),
    judged("abc", "c", 0.3, "ask_back"),
    judged("abc", "x", 0.2, "hand_over"),
    judged("abc", "", 0.35, "hand_over", "ask_back", kind="near"),
    judged("abc", "", 0.85, "answer", kind="near"),
    judged("", "", 0.0, "hand_over", kind="far"),
]


@pytest.fixture(scope="module")
def de() -> dict[str, Any]:
    found: dict[str, Any] = measure(ASKED, RISKS)["languages"]["de"]
    return found


def test_sizes_are_counted(de: dict[str, Any]) -> None:
    assert {name: de[name] for name in ("n", "answerable", "near", "far")} == {
        "n": 8, "answerable": 5, "near": 2, "far": 1,
    }  # fmt: skip


def test_recall_counts_the_answerable_alone(de: dict[str, Any]) -> None:
    assert [de[f"recall@{depth}"] for depth in (1, 3, 10)] == [0.2, 0.6, 0.8]


def test_ranks_become_means(de: dict[str, Any]) -> None:
    assert de["mrr@10"] == round((1 + 1 / 2 + 1 / 4 + 1 / 3 + 0) / 5, 4)
    assert de["ndcg@10"] == round((1 + 1 / math.log2(3) + 1 / math.log2(5) + 1 / 2 + 0) / 5, 4)


def test_a_place_behind_the_tenth_does_not_count() -> None:
    found = measure([judged("bcdefghijka", "a")], RISKS)["all"]
    assert [found[name] for name in ("recall@10", "mrr@10", "ndcg@10")] == [0.0, 0.0, 0.0]


def test_any_right_article_is_a_hit_and_counts_once() -> None:
    found = measure([judged("abc", "ab")], RISKS)["all"]
    assert [found[name] for name in ("recall@1", "mrr@10", "ndcg@10")] == [1.0, 1.0, 1.0]


def test_answerable_are_told_from_near_and_far(de: dict[str, Any]) -> None:
    """Of 5 x 2 pairs (near) these are in order: .9 > .85, and .9, .8, .4 > .35."""
    assert de["auroc_near"] == 0.4
    assert de["auroc_far"] == 1.0


def test_without_one_sort_nothing_is_told_apart() -> None:
    found = measure([judged("a", "a")], RISKS)["all"]
    assert (found["auroc_near"], found["auroc_far"]) == (None, None)


def test_what_is_said_is_held_against_what_is_true(de: dict[str, Any]) -> None:
    """Gaps by tenth, by hand: .85 and .8 in one (both false), .9 true, .4 false, .3 and .35, .2, .0 false."""
    gaps = {0.8: 2 * 0.825, 0.9: 0.1, 0.4: 0.4, 0.3: 2 * 0.325, 0.2: 0.2, 0.0: 0.0}
    assert de["ece"] == round(sum(gaps.values()) / 8, 4)


def test_answers_and_their_wrong_share_at_the_first_risk(de: dict[str, Any]) -> None:
    assert de["answered@0.05"] == round(3 / 8, 4)
    assert de["wrong@0.05"] == round(2 / 3, 4)
    assert de["right_of_answerable@0.05"] == 0.2


def test_each_risk_has_its_own_bands(de: dict[str, Any]) -> None:
    assert de["answered@0.1"] == 0.5
    assert de["wrong@0.1"] == 0.75
    assert de["asked_back@0.1"] == 0.25


def test_a_question_back_is_right_when_it_offers_a_right_article(de: dict[str, Any]) -> None:
    assert de["asked_back@0.05"] == 0.25
    assert de["asked_back_right@0.05"] == 0.5


def test_shares_of_all_three_bands_make_one(de: dict[str, Any]) -> None:
    for risk in ("0.05", "0.1"):
        assert sum(de[f"{band}@{risk}"] for band in ("answered", "asked_back", "handed_over")) == pytest.approx(1)


def test_what_nothing_answers_should_be_handed_over(de: dict[str, Any]) -> None:
    assert [de[f"near_handed_over@{risk}"] for risk in ("0.05", "0.1")] == [0.5, 0.0]
    assert de["far_handed_over@0.05"] == 1.0


def test_wrong_answers_are_bounded_exactly() -> None:
    """No wrong one of 59 is the classic example: 1 - 0.05 ** (1 / 59) is just below 5 %."""
    found = measure([judged("a", "a", band="answer", name=f"q{n}") for n in range(59)], RISKS)["all"]
    assert found["wrong@0.05"] == 0.0
    assert found["wrong_upper@0.05"] == round(1 - 0.05 ** (1 / 59), 4)


def test_without_any_answer_nothing_is_wrong() -> None:
    found = measure([judged("a", "a")], RISKS)["all"]
    assert (found["answered@0.05"], found["wrong@0.05"], found["wrong_upper@0.05"]) == (0.0, 0.0, None)


def test_intervals_are_wilsons() -> None:
    """5 of 10, each about an article of its own: the known interval 0.2366 to 0.7634."""
    asked = [Question(f"q{n}", "?", "de", frozenset([f"article-{n}"])) for n in range(10)]
    found = [Judged(q, ("article-0" if n % 2 else f"article-{n}",), 0.5, 0.5) for n, q in enumerate(asked)]
    assert measure(found, [])["all"]["recall@1_interval"] == [0.2366, 0.7634]


def test_questions_about_one_article_count_as_one_in_the_interval() -> None:
    together = measure([judged("a", "a", name=f"q{n}") for n in range(10)], RISKS)["all"]
    alone = measure([judged("a", "a")], RISKS)["all"]
    assert together["recall@1_interval"] == alone["recall@1_interval"]
    assert alone["recall@1_interval"] == [0.2065, 1.0]


def test_cross_lingual_questions_stand_apart_and_in_all() -> None:
    found = measure([judged("a", "a"), judged("b", "c", kind="crosslingual", cross_lingual=True)], RISKS)
    assert found["languages"]["de"]["recall@1"] == 1.0
    assert found["crosslingual"]["recall@1"] == 0.0
    assert (found["all"]["n"], found["all"]["recall@1"]) == (2, 0.5)


def test_without_cross_lingual_questions_there_is_no_such_row() -> None:
    assert measure(ASKED, RISKS)["crosslingual"] is None


def test_languages_are_apart() -> None:
    found = measure([judged("a", "a", language="de"), judged("a", "b", language="en")], RISKS)
    assert {name: row["recall@1"] for name, row in found["languages"].items()} == {"de": 1.0, "en": 0.0}


def test_kinds_and_collections_have_recall_and_bands() -> None:
    found = measure(ASKED, RISKS)
    assert set(found["by_kind"]) == {"faq", "near", "far"}
    assert found["by_kind"]["faq"]["recall@3"] == 0.6
    assert found["by_kind"]["near"]["recall@1"] is None
    assert found["by_kind"]["near"]["wrong@0.05"] == 1.0
    assert found["by_collection"]["handbook"]["asked_back@0.05"] == 0.25


def test_risks_are_written_as_the_user_wrote_them() -> None:
    one = Judged(Question("q", "?", "de", frozenset("a")), ("a",), 1.0, 1.0, {"0.2": "answer", "0.05": "hand_over"})
    found = measure([one], [0.20, 0.05])
    assert found["risks"] == ["0.2", "0.05"]
    assert found["all"]["answered@0.2"] == 1.0


def test_what_comes_first_may_depend_on_the_risk() -> None:
    """At 0.1 the right article is answered with; at 0.05 another is in front, and the right one is offered."""
    shown = {"0.05": ("b", "a"), "0.1": ("a",)}
    one = replace(judged("ba", "a", band="answer"), shown=shown)
    back = replace(judged("bc", "a", band="ask_back"), shown=shown)
    found = measure([one, back], RISKS)["all"]
    assert (found["wrong@0.05"], found["wrong@0.1"]) == (1.0, 0.0)
    assert (found["asked_back_right@0.05"], found["right_of_answerable@0.1"]) == (1.0, 0.5)
    assert len(worst_cases([one], 0.05, 5, {})["confident_wrong"]) == 1
    assert worst_cases([one], 0.1, 5, {})["confident_wrong"] == []


def test_the_whole_is_plain_json(de: dict[str, Any]) -> None:
    whole = measure(ASKED, RISKS)
    assert json.loads(json.dumps(whole, allow_nan=False)) == whole


def test_nothing_asked_is_no_error() -> None:
    assert measure([], RISKS)["all"]["recall@1"] is None


def test_the_risk_coverage_curve_goes_down_the_probabilities() -> None:
    asked = [judged("a", "a", 0.9), judged("a", "b", 0.8), judged("a", "a", 0.8, name="t"), judged("a", "c", 0.1)]
    assert measure(asked, RISKS)["all"]["risk_coverage"] == [
        {"from": 0.9, "answered": 0.25, "wrong": 0.0},
        {"from": 0.8, "answered": 0.75, "wrong": round(1 / 3, 4)},
        {"from": 0.1, "answered": 1.0, "wrong": 0.5},
    ]


def test_a_long_curve_is_thinned_and_keeps_its_ends() -> None:
    asked = [judged("a", "a", (n + 1) / 1000, name=f"q{n}") for n in range(999)]
    curve = measure(asked, RISKS)["all"]["risk_coverage"]
    assert len(curve) == 200
    assert (curve[0]["from"], curve[-1]["answered"]) == (0.999, 1.0)


def test_reliability_has_a_bin_for_each_tenth_that_was_said() -> None:
    asked = [judged("a", "a", 0.92), judged("a", "b", 0.98), judged("a", "b", 1.0), judged("a", "b", 0.05)]
    low, high = measure(asked, RISKS)["all"]["reliability"]
    assert (low["from"], low["n"], low["said"], low["true"]) == (0.0, 1, 0.05, 0.0)
    assert (high["from"], high["n"], high["said"], high["true"]) == (0.9, 3, round(2.9 / 3, 4), round(1 / 3, 4))
    assert low["interval"] == [0.0, 0.975]


def test_the_worst_cases_come_first_with_titles() -> None:
    cases = worst_cases(ASKED, 0.05, 1, {"a": "VPN", "x": "Printer"})
    assert [(one["probability"], one["found"], one["right"]) for one in cases["confident_wrong"]] == [(0.85, "VPN", [])]
    assert [(one["found"], one["right"], one["rank"]) for one in cases["handed_over"]] == [("VPN", ["Printer"], None)]


# --- files ------------------------------------------------------------------------------------------------------------
ROW = {"id": "q1", "question": " Wo ist der Drucker? ", "lang": "de", "answer_article_ids": ["printer"]}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(*lines: object, name: str = "questions.jsonl") -> Path:
        text = "\n".join(line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines)
        (tmp_path / name).write_text(text, "utf-8")
        return tmp_path / name

    return write


def test_a_line_becomes_a_question(write: Write) -> None:
    row = {**ROW, "parallel_article_ids": ["printer-en"], "kind": "faq", "collection": "handbook", "how": "?"}
    assert read_questions([write(row, "", "")]) == [
        Question("q1", "Wo ist der Drucker?", "de", frozenset({"printer", "printer-en"}), "faq", "handbook")
    ]


def test_articles_of_both_languages_answer_a_cross_lingual_question(write: Write) -> None:
    (question,) = read_questions([write({**ROW, "same_language_article_ids": ["drucker"]})])
    assert question.gold == {"printer", "drucker"}


def test_a_separator_inside_a_text_does_not_end_the_line(write: Write) -> None:
    (question,) = read_questions([write({**ROW, "question": "a\u2028b"})])
    assert question.text == "a\u2028b"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"id": "q2",', "line 2: this is no JSON"),
        ("[1]", "line 2: an object"),
        ({**ROW, "id": 12}, "line 2: 'id' is 12; it must be a text, in quotation marks"),
        ({**ROW, "id": "q2", "lang": ["de"]}, r"line 2: 'lang' is \["),
        ({**ROW, "id": "q2", "question": " "}, "line 2: 'question' is missing"),
        ({"question": "?", "lang": "de"}, "line 2: 'id' is missing"),
        ({"id": "q2", "question": "?"}, "line 2: 'lang' is missing"),
        ({**ROW, "id": "q2", "answer_article_ids": "printer"}, "line 2: 'answer_article_ids' must be a list"),
        ({**ROW}, "line 2: the id 'q1' is taken by .*questions.jsonl, line 1"),
    ],
)
def test_a_wrong_line_is_named(write: Write, line: object, said: str) -> None:
    with pytest.raises(QuestionFileError, match=said):
        read_questions([write(ROW, line)])


@pytest.mark.parametrize("written", ["DE", "de-DE", "de_AT", " De ", "deutsch"])
def test_a_language_is_told_as_an_article_tells_it(write: Write, written: str) -> None:
    (question,) = read_questions([write({**ROW, "lang": written})])
    assert question.language == "de"


def test_a_language_nobody_speaks_here_is_refused_with_its_line(write: Write) -> None:
    asked = read_questions([write(ROW, {**ROW, "id": "q2", "lang": "fr"})])
    with pytest.raises(QuestionFileError, match=r"questions.jsonl, line 2: 'lang' is 'fr', .* written in en; one of"):
        check_languages(asked, {"en"})
    check_languages(asked, {"en", "fr"})


def test_questions_that_share_an_article_stay_together_by_way_of_others(write: Write) -> None:
    gold = {"q1": "a b", "q2": "b", "q3": "c", "q4": "b d", "q5": "e c"}
    rows = [{**ROW, "id": name, "answer_article_ids": slugs.split()} for name, slugs in gold.items()]
    asked = read_questions([write(*rows)])
    assert [question.group for question in asked] == ["a", "a", "c", "a", "c"]


def test_what_no_file_can_hold_is_taken_out_of_a_question(write: Write) -> None:
    (question,) = read_questions([write(json.dumps({**ROW, "question": "a\ud83d", "kind": "\udc00"}))])
    assert (question.text + question.kind).encode("utf-8")


def test_a_question_nothing_answers_belongs_into_its_own_file(write: Write) -> None:
    without = {"id": "u1", "question": "?", "lang": "de", "answer_article_ids": [], "kind": "near"}
    with pytest.raises(QuestionFileError, match=r"line 1: .* --unanswerable"):
        read_questions([write(without)], answerable=True)
    (question,) = read_questions([write(without)], answerable=False)
    assert (question.gold, question.kind, question.answerable) == (frozenset(), "near", False)


def test_an_answered_question_is_not_unanswerable(write: Write) -> None:
    with pytest.raises(QuestionFileError, match="not empty"):
        read_questions([write(ROW)], answerable=False)


def test_a_folder_and_a_foreign_file_are_told(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b'\n{"id": "\xfc"}')
    with pytest.raises(QuestionFileError, match="is a folder"):
        read_questions([tmp_path])
    with pytest.raises(QuestionFileError, match=r"latin, line 2: this is no UTF-8 .* save it as UTF-8"):
        read_questions([tmp_path / "latin"])


def test_a_calibration_goes_to_a_file_and_back(tmp_path: Path) -> None:
    fitted = {language: hand_fitted(language) for language in ("de", "en")}
    write_calibration_file(tmp_path / "c.json", fitted)
    assert read_calibration_file(tmp_path / "c.json") == fitted


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"languages": {"de": {}}}', '{"languages": []}'])
def test_what_is_no_calibration_is_told(write: Write, text: str) -> None:
    with pytest.raises(ValueError, match="is no calibration; `lotse calibrate --out FILE` writes one"):
        read_calibration_file(write(text, name="c.json"))
