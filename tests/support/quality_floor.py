"""What both understanders have to reach on the held-out messages.

Measured on 2026-11-22: accuracy 0.88, macro F1 0.90; the floors lie a little under it. The numbers of today:
`python -m benchmarks.understanding`.
"""

from nlu.measure import Measured

FLOORS = {  # precision, recall
    "cancel": (0.85, 0.85),
    "security_incident": (0.85, 0.85),
    "talk_to_human": (0.90, 0.90),
    "report_outage": (0.90, 0.80),
    "out_of_scope": (0.85, 0.75),
}


def assert_good_enough(measured: Measured) -> None:
    assert measured.accuracy["all"] >= 0.86
    assert min(measured.accuracy["de"], measured.accuracy["en"]) >= 0.84
    assert measured.macro_f1 >= 0.88
    reached = {intent: (measured.scores[intent].precision, measured.scores[intent].recall) for intent in FLOORS}
    assert {intent: pair for intent, pair in reached.items() if min(map(float.__sub__, pair, FLOORS[intent])) < 0} == {}
