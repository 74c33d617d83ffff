"""Articles ask for themselves: by titles only they have, which are really hidden while they are looked for."""

from collections.abc import Callable

import numpy as np
import pytest
from fake_embedder import HashEmbedder

from bot.db import Sessions
from kb_index import pretended
from kb_index.fusion import fuse
from kb_index.learning import embed_waiting_questions, set_editor_questions
from kb_index.passages import PATH
from kb_index.pretended import chosen, pretended_questions, pretended_samples, with_words_hidden
from kb_index.withheld import Text, read_texts
from kb_index.words import Written

Publish = Callable[..., int]


def text(passage: int, article: int, title: str, heading: str = "", body: str = "Something.") -> Text:
    return Written(passage, article, title, heading, body), np.zeros(4, np.float32)


def test_only_a_title_no_other_article_has_is_asked() -> None:
    texts = [
        text(1, 1, "Printer setup"),
        text(2, 2, "Printer setup", "Cleaning rollers"),
        text(3, 3, "Scanner setup"),
        text(4, 4, "Printer setup"),
    ]
    assert pretended_questions(texts, "en") == {2: "Cleaning rollers", 3: "Scanner setup"}


def test_a_title_without_a_topic_is_no_question() -> None:
    texts = [text(1, 1, "Overview", f"First steps{PATH}Changing toner"), text(2, 2, "FAQ"), text(3, 3, "Notes")]
    assert pretended_questions(texts, "en") == {1: "Changing toner"}


def test_a_heading_that_is_another_articles_title_is_not_asked() -> None:
    texts = [text(1, 1, "Overview", "Scanner setup"), text(2, 2, "Scanner setup", "Overview")]
    assert pretended_questions(texts, "en") == {}


def test_the_words_of_the_question_are_hidden_from_index_and_embedder() -> None:
    embedder = HashEmbedder()
    texts = [
        text(1, 1, "Printer setup", "Paper tray", "Push it in."),
        text(2, 2, "Overview", f"Toner change{PATH}Recycling", "Take it out."),
        text(3, 3, "Other thing", "", "Leave it."),
    ]
    hidden = with_words_hidden(texts, {1: "Printer setup", 2: "Toner change"}, embedder)
    assert [(w.passage_id, w.title, w.heading, w.body) for w, _ in hidden] == [
        (1, "", "Paper tray", "Push it in."),
        (2, "Overview", "Recycling", "Take it out."),
        (3, "Other thing", "", "Leave it."),
    ]
    assert embedder.embedded == ["Paper tray\nPush it in.", "Overview\nRecycling\nTake it out."]
    assert np.array_equal(hidden[0][1], embedder.embed_question("Paper tray\nPush it in."))
    assert np.array_equal(hidden[2][1], texts[2][1])


def test_each_article_is_asked_for_with_it_and_some_without_it(
    sessions: Sessions, embedder: HashEmbedder, publish: Publish
) -> None:
    ids = {
        publish(f"Broken {thing} lamp", f"When the broken {thing} stays dark, replace its lamp.")
        for thing in ("printer", "scanner", "beamer", "monitor", "router", "badge", "locker", "phone")
    }
    samples = pretended_samples(sessions, embedder, "en")
    answerable, withheld = ([s for s in samples if s.withheld == is_] for is_ in (False, True))
    assert {one for s in answerable for one in s.gold} == ids
    assert len(answerable) == len(ids) > len(withheld) > 0
    for sample in answerable:
        (own,) = (c for c in sample.found.candidates if c.article_id in sample.gold)
        assert own["title"] == 0.0  # found by its text alone
        assert own.cover == pytest.approx(1.0)
    for sample in withheld:
        assert not sample.gold
        assert sample.group not in {str(c.article_id) for c in sample.found.candidates}


def test_words_without_a_topic_are_no_question_however_many() -> None:
    texts = [text(1, 1, "How to", "What is this about"), text(2, 2, "Wie geht das", "How to change toner")]
    assert pretended_questions(texts, "en").keys() == {2}


def test_whether_a_question_is_asked_is_decided_before_anything_is_found(
    sessions: Sessions, embedder: HashEmbedder, publish: Publish
) -> None:
    """Another article takes the place of the one asked about: that is what is to be learned, so it is kept."""
    things = ("scanner", "beamer", "monitor", "router", "badge", "locker")
    for thing in things:
        publish(f"Setting up your {thing}", f"Connect the {thing} and wait.")
    lost = publish("Coffee machine descaling", "Ask the kitchen.")
    publish("Kitchen", "Coffee machine descaling is done by the kitchen: descaling the coffee machine takes an hour.")
    asked = [s for s in pretended_samples(sessions, embedder, "en") if s.group == str(lost) and s.gold]
    assert len(asked) == 1
    assert fuse(asked[0].found)[0].candidate.article_id != lost


def test_a_title_that_another_article_nearly_has_is_not_asked(
    sessions: Sessions, embedder: HashEmbedder, publish: Publish
) -> None:
    things = ("scanner", "beamer", "monitor", "router", "badge", "locker")
    alone = {publish(f"Setting up your {thing}", f"Connect the {thing} and wait.") for thing in things}
    for device in ("android", "ios"):
        publish(f"Resolve threats checkpoint mobile protect found {device}", f"Open it on {device}.")
    assert {int(s.group) for s in pretended_samples(sessions, embedder, "en")} == alone


def test_a_question_written_to_an_article_is_asked_and_kept_out_of_what_was_asked_before(
    sessions: Sessions, embedder: HashEmbedder, publish: Publish
) -> None:
    things = ("scanner", "beamer", "monitor", "router", "badge", "locker")
    ids = {thing: publish(f"Setting up your {thing}", f"Connect the {thing} and wait.") for thing in things}
    with sessions.begin() as session:
        set_editor_questions(session, ids["scanner"], ["why does it crumple", "paper crumples on every page"], "mia")
        set_editor_questions(session, ids["router"], ["blinking lights all night"], "mia")
    embed_waiting_questions(sessions, embedder)
    samples = pretended_samples(sessions, embedder, "en")
    of_scanner = [s for s in samples if s.gold == {ids["scanner"]}]
    assert len(of_scanner) == 2  # by its title, and by the first that was written
    by_title, by_written = ({c.article_id: c["asked"] for c in s.found.candidates} for s in of_scanner)
    assert by_written[ids["scanner"]] < 0.5  # the other one is still there, itself it does not find
    assert {ids["scanner"], ids["router"]} & {a for a, score in by_title.items() if score != 0}
    assert all(c["asked"] < 0.5 for s in samples for c in s.found.candidates)


def test_articles_of_another_language_or_model_are_not_asked_about(
    sessions: Sessions, embedder: HashEmbedder, publish: Publish
) -> None:
    publish("Broken printer lamp", "Replace it.")
    publish("Lampe im Drucker kaputt", "Lampe tauschen.", language="de")
    assert {w.title for w, _ in read_texts(sessions, "de", "hash")} == {"Lampe im Drucker kaputt"}
    assert pretended_samples(sessions, embedder, "fr") == []
    assert read_texts(sessions, "en", "other") == []


def test_of_too_many_articles_the_same_part_is_asked_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretended, "MOST", 10)
    many = {number: f"question {number}" for number in range(50)}
    some = chosen(many)
    assert len(some) == 10
    assert some.items() <= many.items()
    assert chosen(many) == some
    assert chosen(dict(list(many.items())[:10])) == dict(list(many.items())[:10])
