"""How well messages are understood that nobody trained on."""

import pytest
from quality_floor import assert_good_enough

from nlu.embedded import EmbeddedUnderstander
from nlu.measure import Labelled, measure


def test_the_embedded_understander_reaches_the_floor(embedded: EmbeddedUnderstander, held_out: list[Labelled]) -> None:
    assert_good_enough(measure(embedded, held_out))


@pytest.mark.parametrize(
    "text",
    [
        "Fehler: Der Vorgang wurde vom Benutzer abgebrochen. Code 0x800704c7",
        "Setup was cancelled before the installation was complete (error 1602)",
        "2026-11-20 10:04:11 ERROR Worker-3 Transaction aborted: deadlock detected\n"
        "    at com.example.db.Session.commit(Session.java:214)\n    at com.example.Main.run(Main.java:42)\n" * 5,
        "x" * 5_000,
        "Stopp-Fehler 0x0000007E beim Hochfahren",
        "process killed: out of memory (exit code 137)",
    ],
)
def test_a_pasted_error_is_no_order(embedded: EmbeddedUnderstander, text: str) -> None:
    assert embedded.parse(text).intent not in {"cancel", "security_incident", "talk_to_human", "affirm", "thanks"}
