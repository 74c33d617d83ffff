"""A follow-up is told from a question that stands by itself, in both languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.follow_ups import has_topic, is_follow_up, may_stand_alone, opens_follow_up

FOLLOW_UPS = [
    "und auf dem Mac?",
    "Und am Handy?",
    "und mit Windows 11?",
    "Und wenn ich im Homeoffice bin?",
    "Geht das auch am Handy?",
    "Wie mache ich das bei Outlook?",
    "und wo finde ich das?",
    "Und wie lange dauert das?",
    "Was ist mit Android?",
    "Danke! Und auf dem iPad?",
    "ok, und in Teams?",
    "Funktioniert das auch ohne VPN?",
    "auf dem Mac auch?",
    "Gilt das auch für externe Mitarbeiter?",
    "und der Drucker im Flur?",
    "Kann ich das auch drucken?",
    "Wie kann ich das rückgängig machen?",
    "am Handy?",
    "Aber mit Firefox?",
    "and on the Mac?",
    "And Android?",
    "what about Android",
    "How about my phone?",
    "Does it work on Linux too?",
    "Can I do that on my phone?",
    "Same for Outlook?",
    "Thanks! And with Firefox?",
    "and how long does it take?",
    "Is this possible with Teams?",
    "Where do I find that?",
    "on Android?",
    "and if I am at home?",
    "How do I undo it?",
]
BY_THEMSELVES = [
    "Wie richte ich den Drucker im Flur ein?",
    "Mein Bildschirm ist schwarz, das nervt",
    "Das VPN geht nicht",
    "Wie kann ich das Passwort ändern?",
    "Und wie richte ich den Etikettendrucker ein?",
    "Ich brauche einen neuen Laptop",
    "Outlook stürzt ab, wenn ich es öffne",
    "Gibt es eine Anleitung für das WLAN?",
    "Ist es möglich, den Kalender mit Kollegen zu teilen?",
    "Das hat geholfen",
    "Das hat nicht geholfen",
    "Es geht nicht",
    "Danke",
    "Danke, das war alles",
    "VPN",
    "",
    "???",
    "In Teams klappt die Kamera nicht",
    "Und dann habe ich noch ein Problem, mein Drucker druckt seit gestern nur noch leere Seiten",
    "Auf meinem Laptop startet Excel seit dem Update nicht mehr",
    "How do I set up the printer in the hall?",
    "And how do I install the label printer?",
    "My laptop is slow, how can I speed it up?",
    "How do I reset my password if I forgot it?",
    "How do I contact IT?",
    "Is it possible to share my calendar with colleagues?",
    "I cannot connect to the VPN from home",
    "That helped",
    "It works now",
    "It does not work",
    "Which monitor can I order for my desk?",
    "Can I use my private phone for work mail?",
    "The printer on the second floor does not print anything, and it makes a strange noise as well",
]


@pytest.mark.parametrize("text", FOLLOW_UPS)
def test_a_follow_up_is_recognised(text: str) -> None:
    assert is_follow_up(text)


@pytest.mark.parametrize("text", BY_THEMSELVES)
def test_a_question_or_comment_by_itself_is_no_follow_up(text: str) -> None:
    assert not is_follow_up(text)


@pytest.mark.parametrize(
    ("text", "opens"),
    [
        ("Nein, und auf dem Mac?", True),
        ("what about Android", True),
        ("Das geht nicht?", False),
        ("Das hat nicht geklappt, was kann ich noch tun?", False),
    ],
)
def test_what_begins_as_only_a_follow_up_does_is_told_from_a_complaint_that_asks(text: str, opens: bool) -> None:
    assert is_follow_up(text)
    assert opens_follow_up(text) is opens


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Das geht immer noch nicht", False),
        ("Funktioniert nicht", False),
        ("It still does not work", False),
        ("Mein Drucker funktioniert nicht", True),
        ("Outlook still does not work", True),
        ("geht auf dem Handy immer noch nicht", True),
    ],
)
def test_a_complaint_names_its_topic_or_not(text: str, names: bool) -> None:
    assert has_topic(text) is names


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("und auf dem Mac?", False),
        ("what about Android", False),
        ("Und der Drucker?", False),
        ("geht das auch am Handy?", False),
        ("und der Drucker im Flur?", True),
        ("und Reisekostenabrechnung im Portal?", True),
        ("How do I undo it?", True),
    ],
)
def test_only_a_follow_up_with_a_topic_of_its_own_may_be_another_question(text: str, may: bool) -> None:
    assert is_follow_up(text)
    assert may_stand_alone(text) is may


@given(st.text(max_size=400))
def test_any_text_may_be_asked_about(text: str) -> None:
    assert is_follow_up(text) in {True, False}
    assert is_follow_up("Wie richte ich den Drucker im Flur für die Buchhaltung ein? " + "wort " * 12 + text) is False
