"""The embedded understander: the same intents as Rasa, in the same process."""

import pytest

from nlu.embedded import EmbeddedUnderstander
from nlu.port import Entity


@pytest.fixture(scope="module")
def embedded() -> EmbeddedUnderstander:
    return EmbeddedUnderstander()


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("Hallo zusammen", "greet"),
        ("hello there", "greet"),
        ("Wie setze ich mein Passwort zurück?", "ask_question"),
        ("My printer does not print", "ask_question"),
        ("Ich will mit einem Menschen sprechen", "talk_to_human"),
        ("let me talk to a human please", "talk_to_human"),
        ("Gibt es etwas Neues zu TKT-1042?", "ticket_status"),
        ("I clicked on a link in a phishing mail", "security_incident"),
        ("vielen Dank!", "thanks"),
    ],
)
def test_plain_messages_are_understood(embedded: EmbeddedUnderstander, text: str, intent: str) -> None:
    assert embedded.parse(text).intent == intent


@pytest.mark.parametrize("text", ["", "   \n", "🙂🙂", "!!!", "\x00"])
def test_nothing_to_understand_is_unclear(embedded: EmbeddedUnderstander, text: str) -> None:
    assert embedded.parse(text).intent == "unclear"


def test_entities_are_whole_words(embedded: EmbeddedUnderstander) -> None:
    assert embedded.parse("I forgot my password").values("application") == ()
    assert embedded.parse("Word is slow").values("application") == ("Word",)


def test_entities_come_in_the_order_of_the_text(embedded: EmbeddedUnderstander) -> None:
    found = embedded.parse("Drucker kaputt, siehe TKT-1042, dringend").entities
    assert found == (Entity("device", "printer"), Entity("ticket_number", "TKT-1042"), Entity("urgency", "high"))
