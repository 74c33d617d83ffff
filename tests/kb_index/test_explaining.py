"""Why a question got its probability, with a knowledge base in memory."""

import math
from collections.abc import Callable

import pytest
from fake_embedder import HashEmbedder
from hand_fitted import hand_fitted

from bot.db import Sessions
from kb_index.confidence import FEATURES, store_calibration
from kb_index.explaining import FEATURE_WORDS, Explanation, Word, explain, words_for
from kb_index.search import KnowledgeBase

Publish = Callable[..., int]


@pytest.fixture
def explained(sessions: Sessions, knowledge: KnowledgeBase, embedder: HashEmbedder, publish: Publish) -> Explanation:
    """A German question to a small knowledge base with a calibration made by hand."""
    with sessions.begin() as session:
        store_calibration(session, [hand_fitted("de", embedder.name)])
    publish("Drucker einrichten", "Den Druckertreiber laden und den Drucker verbinden.", "de")
    publish("Beamerkabel", "Das Beamerkabel liegt im Raum und der Raum ist offen.", "de")
    for n in range(4):
        publish(f"Seite {n}", "Die Seite und der Raum.", "de")
    return explain(knowledge, "Wie verbinde ich den Drucker mit dem Hoverboard und Beamer?", "de")


@pytest.mark.parametrize("feature", FEATURES)
def test_every_feature_has_its_words(feature: str) -> None:
    assert len(FEATURE_WORDS[feature]) > 20


def test_a_feature_without_words_keeps_its_name() -> None:
    assert words_for("new_feature") == "new feature"


def test_words_are_counted_by_their_stems_and_inside_longer_words(explained: Explanation) -> None:
    counts = {word.text: (word.passages, word.rare, word.covered) for word in explained.words}
    assert counts["verbinde"] == (1, True, True)
    assert counts["Beamer"] == (1, True, False)
    assert counts["Hoverboard"] == (0, True, False)
    assert counts["Drucker"] == (1, True, True)
    assert not {"Wie", "und", "den"} & counts.keys()


def test_a_question_of_fillers_alone_keeps_its_words(knowledge: KnowledgeBase, publish: Publish) -> None:
    for n in range(4):
        publish(f"Page {n}", "This is how it is.")
    (how, *_) = explain(knowledge, "How is it?", "en").words
    assert (how.text, how.passages, how.rare) == ("How", 4, False)


def test_what_each_feature_did_adds_up_to_the_probability(explained: Explanation) -> None:
    logit = hand_fitted("de").answers.coefficients[0] + sum(one.contribution for one in explained.moved)
    assert explained.result.hits[0].title == "Drucker einrichten"
    assert 1 / (1 + math.exp(-logit)) == pytest.approx(explained.result.hits[0].confidence.probability)


def test_the_largest_effect_comes_first(explained: Explanation) -> None:
    sizes = [abs(one.contribution) for one in explained.moved]
    assert sizes == sorted(sizes, reverse=True)
    assert {one.feature for one in explained.moved} == set(FEATURES)


def test_without_a_calibration_nothing_is_weighed(knowledge: KnowledgeBase, publish: Publish) -> None:
    publish("Connect to the VPN", "Open the client, press Connect.")
    found = explain(knowledge, "How do I connect to the VPN?", "en")
    assert found.moved == ()
    assert found.result.hits[0].title == "Connect to the VPN"


def test_an_article_in_another_language_is_explained_by_the_translated_words(
    sessions: Sessions, knowledge: KnowledgeBase, embedder: HashEmbedder, publish: Publish
) -> None:
    publish("VPN einrichten", "Das VPN verbinden.", "de")
    found = explain(knowledge, "VPN broken", "en")
    assert found.result.hits[0].language == "de"
    assert found.read_as.split()[0] == "VPN"
    assert "broken" not in found.read_as
    assert found.words[0] == Word("VPN", 1, rare=True, covered=True)


def test_where_nothing_is_found_there_is_nothing_to_cover(knowledge: KnowledgeBase) -> None:
    found = explain(knowledge, "VPN?", "en")
    assert [(word.text, word.passages, word.covered) for word in found.words] == [("VPN", 0, False)]
    assert found.result.hits == ()
