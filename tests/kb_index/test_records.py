"""What requesters said of an article shifts its probability: a little after a few words, more after many."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest
from hand_fitted import hand_fitted

from bot.db import Sessions
from kb_index.confidence import logistic, store_calibration
from kb_index.models import AnswerFeedback
from kb_index.port import Confidence
from kb_index.promise import log_odds
from kb_index.records import VARIANCE, moved, read_records, unmoved
from kb_index.search import KnowledgeBase
from kb_index.versions import raise_version

Publish = Callable[..., int]


def odds_of(probability: float) -> float:
    return float(log_odds(np.array([probability]))[0])


def said(sessions: Sessions, article: int, helped: int, not_helped: int, probability: float = 0.8) -> None:
    with sessions.begin() as session:
        for number in range(helped + not_helped):
            session.add(
                AnswerFeedback(
                    article_id=article, probability=probability, helped=number < helped, language="en",
                    at=datetime(2026, 11, 1, tzinfo=UTC),
                )
            )  # fmt: skip
        raise_version(session)


def records(sessions: Sessions) -> dict[int, float]:
    with sessions() as session:
        return read_records(session)


def test_articles_nobody_spoke_of_are_left_alone(sessions: Sessions, publish: Publish) -> None:
    publish("VPN", "Start the client.")
    assert records(sessions) == {}
    assert moved(Confidence(0.7, 0.6, 0.8), 0.0) == Confidence(0.7, 0.6, 0.8)


def test_more_help_than_expected_raises_and_less_lowers(sessions: Sessions, publish: Publish) -> None:
    good, bad, expected = (publish(title, "Start the client.") for title in ("One", "Two", "Three"))
    said(sessions, good, 5, 0)
    said(sessions, bad, 0, 5)
    said(sessions, expected, 4, 1)
    found = records(sessions)
    assert found[good] > 0 > found[bad]
    assert found[expected] == pytest.approx(0.0, abs=1e-6)
    assert abs(found[bad]) > found[good]  # at 80 % a failure says more than a success


def test_many_words_move_it_to_what_they_say(sessions: Sessions, publish: Publish) -> None:
    """Thought right in 90 %, right in 60 %: three thousand words leave hardly anything of the prior."""
    article = publish("VPN", "Start the client.")
    said(sessions, article, 1800, 1200, probability=0.9)
    assert records(sessions)[article] == pytest.approx(odds_of(0.6) - odds_of(0.9), abs=0.01)


def test_three_words_do_not_move_much(sessions: Sessions, publish: Publish) -> None:
    article = publish("VPN", "Start the client.")
    said(sessions, article, 2, 1, probability=0.9)
    assert -0.4 < records(sessions)[article] < 0


def test_the_shift_is_where_surprise_and_prior_are_even(sessions: Sessions, publish: Publish) -> None:
    article = publish("VPN", "Start the client.")
    said(sessions, article, 1, 3, probability=0.6)
    said(sessions, article, 2, 0, probability=0.95)
    shift = records(sessions)[article]
    expected = 4 * logistic(odds_of(0.6) + shift) + 2 * logistic(odds_of(0.95) + shift)
    assert 3 - expected == pytest.approx(shift / VARIANCE)


@pytest.mark.parametrize("probability", [0.0, 1e-9, 0.999999, 1.0])
def test_surprise_at_what_was_certain_does_not_lead_astray(
    sessions: Sessions, publish: Publish, probability: float
) -> None:
    article = publish("VPN", "Start the client.")
    said(sessions, article, 500, 500, probability=probability)
    assert logistic(odds_of(probability) + records(sessions)[article]) == pytest.approx(0.5, abs=0.05)


def test_what_is_said_counts_against_the_probability_before_any_shift(sessions: Sessions, publish: Publish) -> None:
    """Believed again and again while it is learned: the shift ends where it should, neither half-way nor beyond."""
    article, truth, before = publish("VPN", "Start the client."), 0.6, Confidence(0.9, 0.8, 0.95)
    for _ in range(10):
        shown = moved(before, records(sessions).get(article, 0.0))
        said(sessions, article, 60, 40, probability=unmoved(shown))
    after = moved(before, records(sessions)[article])
    assert after.probability == pytest.approx(truth, abs=0.02)
    assert unmoved(after) == pytest.approx(before.probability)
    assert moved(after, -0.3).shift == pytest.approx(after.shift - 0.3)


def test_few_words_shift_less_than_many(sessions: Sessions, publish: Publish) -> None:
    few, many = publish("One", "Start the client."), publish("Two", "Start the client.")
    said(sessions, few, 0, 1)
    said(sessions, many, 0, 20)
    found = records(sessions)
    assert found[many] < 3 * found[few] < 0


def test_probability_and_interval_move_together() -> None:
    before = Confidence(0.7, 0.5, 0.8)
    after = moved(before, -0.5)
    for name in ("probability", "low", "high"):
        shift = odds_of(getattr(after, name)) - odds_of(getattr(before, name))
        assert shift == pytest.approx(-0.5)
    assert after.low < after.probability < after.high


@pytest.mark.parametrize("shift", [-100.0, 100.0])
def test_no_shift_makes_more_than_certain(shift: float) -> None:
    after = moved(Confidence(0.7, 0.5, 1.0), shift)
    assert 0 <= after.low <= after.probability <= after.high <= 1


def test_the_next_search_knows_what_was_said(sessions: Sessions, knowledge: KnowledgeBase, publish: Publish) -> None:
    article = publish("VPN", "Start the client.")
    with sessions.begin() as session:
        store_calibration(session, [hand_fitted("en")])
    before = knowledge.search("start the vpn client", "en").hits[0].confidence.probability
    said(sessions, article, 0, 10)
    after = knowledge.search("start the vpn client", "en").hits[0].confidence.probability
    assert after < before
    assert odds_of(after) - odds_of(before) == pytest.approx(records(sessions)[article])
