"""`lotse explain`: what is said about a question."""

from dataclasses import replace

from bot.cli_explain import advice, effect, verdict
from kb_index.explaining import Explanation, Word
from kb_index.port import Confidence, Hit, SearchResult


def hit(title: str, probability: float, language: str = "en") -> Hit:
    sure = Confidence(probability, 0.0, 1.0)
    return Hit(1, 1, title, "", "text", language, None, None, 1, None, None, {"cosine": 0.5}, sure)


def found(
    *hits: Hit, among: float = 0.5, answer_from: float | None = 0.9, ask_from: float | None = 0.7
) -> SearchResult:
    return SearchResult("VPN?", "en", hits, Confidence(among, 0, 1), answer_from, ask_from, 1, "hash", "by hand")


def test_the_verdict_is_one_sentence_with_the_thresholds() -> None:
    assert verdict(found(hit("VPN", 0.95)), 0.05) == (
        "It would be answered with “VPN”: 95% sure, enough for at most 5% wrong answers is 90%."
    )
    assert verdict(found(hit("VPN", 0.8), among=0.85), 0.05) == (
        "It would be asked back: “VPN” is 80% sure, and an answer needs 90% for at most 5% wrong answers; "
        "that one of the first three answers is 85% sure, enough to offer them is 70%."
    )
    assert verdict(found(hit("VPN", 0.2)), 0.05) == (
        "A person would be brought in: “VPN” is 20% sure, and an answer needs 90% for at most 5% wrong answers; "
        "that one of the first three answers is 50% sure, and offering them needs 70%."
    )
    assert verdict(found(), 0.05) == "A person would be brought in: no article was found."


def test_a_calibration_that_cannot_tell_is_named() -> None:
    result = found(hit("VPN", 0.9), answer_from=None, ask_from=None)
    assert "an answer needs more than this calibration can tell" in verdict(result, 0.05)
    assert list(advice(Explanation(result, "VPN?", (), ()))) == [
        "The calibration cannot keep this risk: run `lotse calibrate`, or raise answering.max_wrong."
    ]


def test_that_nothing_was_learnt_is_named() -> None:
    result = replace(found(hit("VPN", 0.0), answer_from=None, ask_from=None), calibration="none")
    assert list(advice(Explanation(result, "VPN?", (), ()))) == [
        "Nothing was learnt for such questions yet: run `lotse calibrate`. Until then nothing is answered."
    ]


def test_words_that_are_missing_are_named() -> None:
    words = (Word("Beamer", 0, True, False), Word("HDMI", 2, True, False), Word("the", 90, False, False))
    assert list(advice(Explanation(found(hit("VPN", 0.5)), "VPN?", words, ()))) == [
        "No passage mentions 'Beamer': write it where it belongs, also as people call it.",
        "The first passage does not mention 'HDMI', other ones do.",
    ]


def test_articles_that_are_nearly_as_good_are_named() -> None:
    result = found(hit("VPN on Linux", 0.5), hit("VPN on Windows", 0.45))
    assert list(advice(Explanation(result, "VPN?", (), ()))) == [
        "“VPN on Linux” and “VPN on Windows” are nearly as good: say in each title what sets it apart."
    ]
    unlikely = found(hit("VPN on Linux", 0.1), hit("VPN on Windows", 0.1))
    assert list(advice(Explanation(unlikely, "VPN?", (), ()))) == []


def test_a_search_in_another_language_is_named_with_what_was_looked_for() -> None:
    result = replace(found(hit("Drucker einrichten", 0.4, "de")), pair="en>de")
    (sentence,) = advice(Explanation(result, "Drucker installieren", (), ()))
    assert sentence == (
        "It was searched in another language, as “Drucker installieren”: an article in its own would help."
    )


def test_effects_are_told_in_words() -> None:
    assert effect(0.05) == "hardly matters"
    assert effect(0.2) == "[green]raises a little[/]"
    assert effect(0.5) == "[green]raises[/]"
    assert effect(-2.0) == "[red]lowers strongly[/]"
