"""`lotse explain`: what is said about a question."""

from dataclasses import replace

import pytest
import typer
from world import KONRAD, VPN, VPN_QUESTION, World

from bot.cli_explain import advice, effect, explain, explained_as_asked, tell, verdict
from kb_index.explaining import Explanation, Word
from kb_index.port import Confidence, Hit, SearchResult


def hit(title: str, probability: float, language: str = "en") -> Hit:
    sure = Confidence(probability, 0.0, 1.0)
    return Hit(1, 1, title, "", "text", language, None, None, 1, None, None, {"cosine": 0.5}, sure)


def found(
    *hits: Hit, among: float = 0.5, answer_from: float | None = 0.9, ask_from: float | None = 0.7
) -> SearchResult:
    return SearchResult("VPN?", "en", hits, Confidence(among, 0, 1), answer_from, ask_from, 1, "hash", "by hand")


def advised(result: SearchResult, *words: Word) -> list[str]:
    return list(advice(Explanation(result, "VPN?", words, ())))


def test_the_verdict_is_one_sentence_with_the_thresholds() -> None:
    assert verdict(found(hit("VPN", 0.95)), 0.05) == (
        "It would be answered with “VPN”: 95% sure; 90% is enough for at most 5% wrong answers."
    )
    assert verdict(found(hit("VPN", 0.8), among=0.85), 0.05) == (
        "It would be asked back: “VPN” is 80% sure, and an answer needs 90% for at most 5% wrong answers; "
        "with 85% one of the first three is right, and offering them needs 70%."
    )
    assert verdict(found(hit("VPN", 0.2)), 0.05) == (
        "A person would be brought in: “VPN” is 20% sure, and an answer needs 90% for at most 5% wrong answers; "
        "with 50% one of the first three is right, and offering them needs 70%."
    )
    assert verdict(found(), 0.05) == "A person would be brought in: no article was found."


def test_shares_that_look_the_same_are_told_more_exactly() -> None:
    nearly = verdict(found(hit("VPN", 0.2), among=0.696), 0.05)
    assert "with 69.6% one of the first three is right, and offering them needs 70.0%" in nearly


def test_a_sensitive_topic_brings_a_person_whatever_is_found() -> None:
    assert verdict(found(hit("VPN", 0.95)), 0.05, "salary") == (
        "A person would be brought in, whatever is found: its words belong to the sensitive topic “salary”."
    )


def test_a_calibration_that_cannot_tell_is_named() -> None:
    result = found(hit("VPN", 0.9), answer_from=None, ask_from=None)
    assert "an answer needs more than this calibration can tell" in verdict(result, 0.05)
    assert advised(result)[0] == (
        "The calibration cannot keep this risk: run `lotse calibrate`, or raise answering.max_wrong."
    )


def test_that_nothing_was_learnt_is_named() -> None:
    result = replace(found(hit("VPN", 0.0), answer_from=None, ask_from=None), calibration="none")
    assert advised(result)[0] == (
        "Nothing was learnt for such questions yet: run `lotse calibrate`. Until then nothing is answered."
    )


def test_what_is_answered_needs_nothing() -> None:
    assert advised(found(hit("VPN", 0.95)), Word("Beamer", 0, True, False)) == []


def test_words_that_would_make_the_right_article_surer_are_named_the_longest_first() -> None:
    words = (Word("ran", 0, True, False), Word("HDMI", 2, True, False), Word("Beamer", 0, True, False))
    common = Word("connected", 90, False, False)
    assert advised(found(hit("VPN", 0.5)), *words, common) == [
        "If “VPN” is the right one, write 'Beamer' and 'HDMI' into it, as people say it, or add the question to its "
        "alternative questions."
    ]
    assert advised(found(hit("VPN", 0.5), among=0.8)) == [
        "If only “VPN” is meant, add the question to its alternative questions."
    ]


def test_where_nothing_is_likely_an_article_is_missing() -> None:
    after_all = "If “VPN” is about it after all, add the question to its alternative questions."
    unlikely = found(hit("VPN", 0.1))
    assert advised(unlikely) == [f"It may need an article of its own. {after_all}"]
    assert advised(unlikely, Word("Beamer", 0, True, False), Word("HDMI", 2, True, False)) == [
        f"It may need an article of its own: none says 'Beamer'. {after_all}"
    ]
    assert advised(found()) == ["If Lotse should answer it, it needs an article of its own."]


def test_articles_that_are_nearly_as_good_are_named() -> None:
    near = "“VPN on Linux” and “VPN on Windows” are nearly as good: say in each title what sets it apart."
    assert near in advised(found(hit("VPN on Linux", 0.5), hit("VPN on Windows", 0.45)))
    assert near not in advised(found(hit("VPN on Linux", 0.5), hit("VPN on Windows", 0.3)))
    assert near not in advised(found(hit("VPN on Linux", 0.1), hit("VPN on Windows", 0.1)))


def test_an_article_in_another_language_is_named() -> None:
    result = replace(found(hit("Drucker einrichten", 0.4, "de")), pair="en>de")
    assert list(advice(Explanation(result, "Drucker installieren", (), ()))) == [
        "“Drucker einrichten” is in German and was found word by word: in English it would be found more surely."
    ]
    twin = replace(found(hit("Set up a printer", 0.4)), pair="en>de")
    assert list(advice(Explanation(twin, "Drucker installieren", (), ()))) == [
        "If “Set up a printer” is the right one, add the question to its alternative questions: it was only found by "
        "its version in another language."
    ]


def test_a_question_that_was_written_for_an_article_needs_nothing_more() -> None:
    named = replace(hit("Ordering", 0.99), signals={"cosine": 0.5, "named": 1.0})
    assert advised(found(named, hit("VPN", 0.2))) == [
        "This very question stands among the alternative questions of “Ordering”: that decides."
    ]


def test_effects_are_told_in_words() -> None:
    assert effect(0.05) == "hardly matters"
    assert effect(0.2) == "[green]raises a little[/]"
    assert effect(0.5) == "[green]raises[/]"
    assert effect(-2.0) == "[red]lowers strongly[/]"


def test_what_is_explained_is_what_is_searched(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.publish(*VPN)
    asked = f"Hallo zusammen, {VPN_QUESTION}. Vielen Dank!\nViele Grüße\nKonrad"
    explained = explained_as_asked(world.app.house.knowledge, asked, "de")
    world.ask(KONRAD, asked)
    evidence = [message.evidence for message in world.messages() if message.evidence][-1]
    assert explained.result.question == evidence["search"]["question"] == f"{VPN_QUESTION}."
    stored = [one["article_id"] for one in evidence["search"]["hits"]]
    assert [one.article_id for one in explained.result.hits] == stored
    tell(asked, explained, 0.05)
    assert f"Searched: {VPN_QUESTION}." in capsys.readouterr().out


def test_a_text_without_letters_is_explained_too(world: World) -> None:
    assert explained_as_asked(world.app.house.knowledge, "???", "de").result.hits == ()


def test_an_empty_question_is_wrong_use() -> None:
    with pytest.raises(typer.BadParameter, match="there is no question") as raised:
        explain(" ")
    assert raised.value.exit_code == 2
