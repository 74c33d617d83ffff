"""What agents are shown of the knowledge base when they search it."""

from dataclasses import dataclass
from typing import Any

import pytest

from bot.channels.lists import search_text
from bot.texts import Texts
from kb_index.port import Confidence, Hit, SearchResult

TEXTS = Texts("de", "du", "slack")


@dataclass
class Shelf:
    """A knowledge base that finds the same, with the same probability, for any German words, and nothing in English."""

    probability: float
    ask_from: float | None

    @property
    def knowledge(self) -> "Shelf":
        return self

    def search(self, words: str, language: str) -> SearchResult:
        sure = Confidence(self.probability, 0.0, 1.0)
        hit = Hit(7, 9, "Requirements for Passwords", "", "At least 12.", "en", None, None, 1, None, None, {}, sure)
        hits, among = ((hit,), sure) if language == "de" else ((), Confidence(0.0, 0.0, 1.0))
        return SearchResult(words, language, hits, among, 0.8, self.ask_from, 1, "m", "c")


def found(probability: float, ask_from: float | None) -> str:
    house: Any = Shelf(probability, ask_from)
    return search_text(house, "asdf qwer", TEXTS, str).text


@pytest.mark.parametrize(("probability", "ask_from"), [(0.05, 0.3), (0.29, 0.3), (0.4, None)])
def test_what_no_employee_would_be_offered_is_nothing_that_fits(probability: float, ask_from: float | None) -> None:
    assert found(probability, ask_from) == TEXTS("search_empty")


@pytest.mark.parametrize(("probability", "ask_from"), [(0.31, 0.3), (0.9, 0.3), (0.6, None)])
def test_what_an_employee_would_be_offered_is_found(probability: float, ask_from: float | None) -> None:
    text = found(probability, ask_from)
    assert f"{round(probability * 100)} % Requirements for Passwords" in text
    assert "At least 12." in text
