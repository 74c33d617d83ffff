"""What words alone tell."""

import pytest

from bot.settings import SensitiveTopic
from bot.wording import (
    asks_for_language,
    asks_for_person,
    has_doubts,
    has_no_answer,
    sensitive_topic,
    still_broken,
    tells_since,
    type_of,
    wants_closed,
    wants_reopened,
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


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("auf Deutsch bitte", "de"),
        ("Bitte auf Deutsch!", "de"),
        ("Können Sie Deutsch?", "de"),
        ("German, please", "de"),
        ("Can you speak English?", "en"),
        ("English please", "en"),
        ("Bitte antworten Sie mir auf Englisch.", "en"),
        ("Outlook auf Deutsch umstellen", None),
        ("Word in English, please", None),
        ("Deutsch oder Englisch?", None),
        ("Kannst du das auf Deutsch sagen?", "de"),
        ("Können wir Deutsch sprechen?", "de"),
        ("I would like to continue in English", "en"),
        ("Can you say that in English?", "en"),
        ("Ich verstehe kein Englisch", "de"),
        ("I don't understand German", "en"),
        ("bitte", None),
        ("", None),
    ],
)
def test_the_wish_for_a_language_is_seen_where_nothing_else_is_wanted(text: str, language: str | None) -> None:
    assert asks_for_language(text) == language


@pytest.mark.parametrize(
    ("text", "closes"),
    [
        ("Ich möchte mein Ticket schließen", True),
        ("Mein Ticket kann geschlossen werden", True),
        ("Schließ das Ticket bitte", True),
        ("Please close my ticket", True),
        ("Bitte das Ticket noch nicht schließen", False),
        ("Wer hat mein Ticket geschlossen?", False),
        ("Please don't close my ticket", False),
        ("Das Fenster lässt sich nicht schließen", False),
        ("Wie schließe ich ein Dokument?", False),
        ("Bitte wieder öffnen", False),
        ("Falls ich Outlook schließe, stürzt der Rechner ab", False),
        ("In case I close Teams, do I lose chats?", False),
        ("How do I close a ticket in Jira?", False),
        ("Wie kann ich eine Anfrage in SAP schließen?", False),
        ("Cannot close the request form in SAP", False),
        ("Das Ticketsystem schließt sich von selbst", False),
        ("The ticket window won't close", False),
        ("Please close my ticket about the printer, and then there is another thing with the phone", False),
    ],
)
def test_the_wish_to_close_a_ticket_is_seen_without_a_model(text: str, closes: bool) -> None:
    assert wants_closed(text) == closes


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("Bitte wieder öffnen", True),
        ("Öffnen Sie das Ticket bitte wieder", True),
        ("Mach das Ticket bitte wieder auf", True),
        ("Bitte TKT-1001 wieder öffnen", True),
        ("Reopen it please", True),
        ("please open my ticket again", True),
        ("Mach bitte mein Postfach wieder größer", False),
        ("Wie kann ich die Datei wieder öffnen?", False),
        ("How do I reopen a closed Word document?", False),
        ("Ticket öffnen", False),
    ],
)
def test_the_wish_to_open_a_ticket_again_names_nothing_else(text: str, again: bool) -> None:
    assert wants_reopened(text) == again


@pytest.mark.parametrize(
    ("text", "doubts"),
    [
        ("ja", False),
        ("Ja, bitte das Ticket schließen", False),
        ("yes, it is solved", False),
        ("Ja, aber das Tablet ist immer noch grau", True),
        ("Ja das Display geht, der Akku nicht", True),
        ("Ja, wenn Frau Tiede fertig ist", True),
        ("Ja, und wie richte ich den VPN ein?", True),
        ("Jein", True),
        ("yes, but not yet", True),
        ("yes, but it doesn't print", True),
    ],
)
def test_a_yes_with_a_but_has_doubts(text: str, doubts: bool) -> None:
    assert has_doubts(text) == doubts
