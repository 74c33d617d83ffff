"""Counting how well somebody understands."""

from nlu.measure import Labelled, Score, measure
from nlu.port import Understanding


class Greeter:
    """Takes everything with an H for a greeting, the rest for unclear."""

    def parse(self, text: str) -> Understanding:
        return Understanding("greet" if "H" in text else "unclear", 1.0)


def test_accuracy_scores_and_mistakes() -> None:
    messages = [
        Labelled("Hallo", "greet", "de"),
        Labelled("moin", "greet", "de"),
        Labelled("Halt", "cancel", "de"),
        Labelled("Hi", "greet", "en"),
    ]
    measured = measure(Greeter(), messages)
    assert measured.accuracy == {"all": 0.5, "de": 1 / 3, "en": 1.0}
    assert measured.scores == {"greet": Score(2 / 3, 2 / 3, 3), "cancel": Score(0.0, 0.0, 1)}
    assert measured.macro_f1 == (2 / 3 + 0) / 2
    assert measured.mistakes == {("greet", "unclear"): 1, ("cancel", "greet"): 1}
