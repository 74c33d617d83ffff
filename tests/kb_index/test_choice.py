"""Weights are learned from what was right, and stay where they were as long as nothing speaks against them."""

import numpy as np
import pytest

from kb_index.choice import Choices
from kb_index.fusion import DEFAULT_WEIGHTS, SIGNALS, Candidate, Found

TRUE = {"cosine": 4.0, "white": 2.0, "grams": 3.0, "title": 0.0, "whole": 1.0, "words": 2.0, "asked": 5.0, "head": 0.0}
Question = tuple[Found, frozenset[int]]


def questions(count: int, weights: dict[str, float], seed: int = 0, flat: tuple[str, ...] = ()) -> list[Question]:
    """Questions with twelve articles each, of which the right one is drawn as the conditional logit says."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        matrix = random.normal(0, 1, (12, len(SIGNALS)))
        matrix[:, [SIGNALS.index(name) for name in flat]] = 0.0
        scores = matrix @ np.array([weights[name] for name in SIGNALS])
        chances = np.exp(scores - scores.max())
        right = int(random.choice(12, p=chances / chances.sum()))
        rows = [Candidate(number, number, tuple(map(float, row))) for number, row in enumerate(matrix)]
        made.append((Found(rows, 5.0), frozenset({right})))
    return made


@pytest.mark.parametrize("prior", [DEFAULT_WEIGHTS, dict.fromkeys(SIGNALS, 1.0)])
def test_known_weights_are_found_again_from_wherever_it_starts(prior: dict[str, float]) -> None:
    """Their balance exactly; their size, of which few close calls tell, still leans a little towards the start."""
    learned = Choices(questions(4000, TRUE)).fit(range(4000), prior=prior)
    size = sum(learned.values()) / sum(TRUE.values())
    assert size == pytest.approx(1.0, abs=0.15)
    assert {name: weight / size for name, weight in learned.items()} == pytest.approx(TRUE, abs=0.15)


def test_without_data_the_weights_stay_where_they_were() -> None:
    choices = Choices([])
    assert choices.fit([]) == DEFAULT_WEIGHTS
    assert choices.fit([], prior=TRUE) == TRUE


def test_few_questions_move_the_weights_less_than_many() -> None:
    made = questions(400, TRUE)
    choices, away = Choices(made), dict.fromkeys(SIGNALS, 1.0)
    few, many = (choices.fit(range(count), prior=away) for count in (2, 400))
    moved = [sum(abs(weights[name] - 1.0) for name in SIGNALS) for weights in (few, many)]
    assert 0 < moved[0] < moved[1]


def test_no_weight_is_negative_even_where_a_signal_misleads() -> None:
    misleading = {**TRUE, "cosine": -4.0}
    learned = Choices(questions(1000, misleading)).fit(range(1000))
    assert learned["cosine"] == pytest.approx(0.0, abs=1e-6)
    assert min(learned.values()) >= 0


def test_a_signal_that_was_not_there_keeps_its_weight() -> None:
    learned = Choices(questions(500, TRUE, flat=("asked", "head"))).fit(range(500))
    assert (learned["asked"], learned["head"]) == (DEFAULT_WEIGHTS["asked"], DEFAULT_WEIGHTS["head"])
    assert learned["title"] != DEFAULT_WEIGHTS["title"]


def test_only_the_chosen_questions_teach() -> None:
    other = dict.fromkeys(SIGNALS, 0.0)
    choices = Choices([*questions(300, TRUE), *questions(300, other, seed=1)])
    assert choices.fit(range(300)) == Choices(questions(300, TRUE)).fit(range(300))


def test_questions_nothing_can_be_learned_from_are_left_out() -> None:
    found, gold = questions(1, TRUE)[0]
    everything = frozenset(c.article_id for c in found.candidates)
    useless = [(found, frozenset[int]()), (found, everything), (Found([], 0.0), gold), (found, frozenset({99}))]
    assert Choices(useless).fit(range(len(useless)), prior=TRUE) == TRUE
    made = questions(50, TRUE)
    numbers = range(len(useless), len(useless) + 50)
    assert Choices([*useless, *made]).fit([0, 1, 2, 3, *numbers]) == pytest.approx(Choices(made).fit(range(50)))


def test_several_right_articles_share_the_credit() -> None:
    """Whichever of the two right ones matches well is enough."""
    random = np.random.default_rng(3)
    made = []
    for _ in range(200):
        matrix = random.normal(0, 0.1, (6, len(SIGNALS)))
        matrix[int(random.integers(0, 2)), SIGNALS.index("words")] += 2.0
        rows = [Candidate(number, number, tuple(map(float, row))) for number, row in enumerate(matrix)]
        made.append((Found(rows, 5.0), frozenset({0, 1})))
    prior = dict.fromkeys(SIGNALS, 0.1)
    learned = Choices(made).fit(range(200), prior=prior)
    assert learned["words"] > 5 * max(weight for name, weight in learned.items() if name != "words")
