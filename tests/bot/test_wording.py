"""What words alone tell."""

import pytest

from bot.settings import SensitiveTopic
from bot.wording import (
    asks_for_person,
    has_no_answer,
    sensitive_topic,
    still_broken,
    tells_since,
    type_of,
)
from handoff.models import TicketType

TOPICS = {
    "salary": SensitiveTopic(words=("Gehalt*", "salary")),
    "leave": SensitiveTopic(words=("sick leave", "Elternzeit")),
}


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("Mein Gehalt fehlt", "salary"),
        ("meine GEHALTSABRECHNUNG", "salary"),
        ("my salary", "salary"),
        ("salary-sheet", "salary"),
        ("sick\n leave", "leave"),
        ("Der Inhalt fehlt", None),
        ("salaryman", None),
        ("elternzeiten", None),
        ("", None),
    ],
)
def test_sensitive_words_are_found_as_words(text: str, topic: str | None) -> None:
    assert sensitive_topic(text, TOPICS) == topic


def test_without_topics_nothing_is_sensitive() -> None:
    assert sensitive_topic("Gehalt", {}) is None


@pytest.mark.parametrize(
    "text",
    [
        "Ich möchte mit einem Menschen sprechen",
        "einen Mitarbeiter bitte",
        "bitte ein Mensch",
        "Mensch bitte!",
        "Kann ich mit einer Kollegin sprechen? Ein echter Mensch wäre gut.",
        "I want to talk to a human",
        "can I speak with someone",
        "human agent, please",
        "A person, please",
    ],
)
def test_the_wish_for_a_person_is_seen_without_a_model(text: str) -> None:
    assert asks_for_person(text)


@pytest.mark.parametrize(
    "text",
    [
        "Wie richte ich VPN ein?",
        "In der Vorlage steht, dass ein Mensch den Antrag prüfen soll, aber das Formular geht seit heute nicht auf",
        "Personalausweis einlesen geht nicht",
        "/reset",
        "",
    ],
)
def test_other_texts_are_no_wish_for_a_person(text: str) -> None:
    assert not asks_for_person(text)


@pytest.mark.parametrize("text", ["seit gestern", "since Monday", "Fehler 0x80070005", "vor 3 Stunden", "this morning"])
def test_since_when_or_an_error_is_recognised(text: str) -> None:
    assert tells_since(text)


@pytest.mark.parametrize("text", ["weiß nicht", "Keine Ahnung!", "skip", "don't know", "  nein. "])
def test_no_answer_is_recognised(text: str) -> None:
    assert has_no_answer(text)
    assert not has_no_answer(f"{text}, aber vielleicht seit gestern")


@pytest.mark.parametrize(
    "text",
    [
        "geht immer noch nicht",
        "Das funktioniert nicht",
        "es geht noch nicht",
        "wieder kaputt",
        "immer noch das gleiche",
        "still broken",
        "it doesn't work",
        "It’s happening again",
        "not fixed",
    ],
)
def test_still_broken_is_recognised(text: str) -> None:
    assert still_broken(text)


@pytest.mark.parametrize("text", ["Danke!", "Wie drucke ich doppelseitig?", "Ich brauche noch einen Monitor"])
def test_other_texts_are_not_still_broken(text: str) -> None:
    assert not still_broken(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Ich brauche einen neuen Laptop", TicketType.REQUEST),
        ("I need access to the archive", TicketType.REQUEST),
        ("Der Drucker druckt nicht", TicketType.INCIDENT),
        ("", TicketType.INCIDENT),
    ],
)
def test_requests_are_told_from_incidents(text: str, kind: TicketType) -> None:
    assert type_of(text) == kind
