"""Signs of frustration and urgency, and what must not be taken for them."""

import pytest

from nlu.phrases import signs_of_frustration, signs_of_urgency


@pytest.mark.parametrize(
    "text",
    [
        "Das kann doch nicht wahr sein, schon wieder!",
        "ich bin echt genervt",
        "Das nervt langsam",
        "so ein Mist, der Drucker streikt",
        "Ich habe das jetzt zum dritten Mal gemeldet",
        "mir reicht's",
        "Sie verstehen mich einfach nicht",
        "ES GEHT IMMER NOCH NICHT!!!",
        "This is ridiculous",
        "I'm so frustrated with this laptop",
        "this is driving me nuts",
        "nobody is helping me",
        "what a waste of time",
        "You don’t understand me",
    ],
)
def test_frustration_is_noticed(text: str) -> None:
    assert signs_of_frustration(text)


@pytest.mark.parametrize(
    "text",
    [
        "Wie ändere ich mein Passwort?",
        "Mein Drucker druckt nicht, bitte um Hilfe!",
        "Vielen Dank!!!",
        "Das reicht für heute, danke",
        "Ich bin nicht mehr genervt, läuft jetzt",
        "FEHLER 0X80070005 ZUGRIFF VERWEIGERT",
        "Das Konto wurde zum ersten Mal gesperrt",
        "How many users can join a meeting?",
        "My screen stays black",
        "I don't understand the second step",
        "The error says STOP CODE MEMORY MANAGEMENT!",
        "I'm not angry, just asking",
        "the damping of the stand is off",
    ],
)
def test_calm_messages_stay_calm(text: str) -> None:
    assert not signs_of_frustration(text)


@pytest.mark.parametrize(
    "text",
    [
        "Das ist dringend!",
        "brauche dringende Hilfe",
        "bitte schnellstmöglich",
        "Ich kann nicht arbeiten",
        "Die Produktion steht",
        "in 10 Minuten beginnt mein Termin",
        "Ich brauche den Zugang heute noch",
        "It's urgent",
        "need this asap",
        "my presentation is in 20 minutes",
        "I can't work at all",
        "please call me immediately",
    ],
)
def test_urgency_is_noticed(text: str) -> None:
    assert signs_of_urgency(text)


@pytest.mark.parametrize(
    "text",
    [
        "ist nicht dringend",
        "Es eilt nicht",
        "keine Eile",
        "Wo steht die Notfallnummer?",
        "Teams schließt sich sofort nach dem Start",
        "Wie schnell ist unser WLAN?",
        "Outlook braucht zehn Minuten zum Starten",
        "not urgent, whenever you have time",
        "no rush",
        "The window closes immediately",
        "How do I add an emergency contact?",
        "Excel stopped calculating today",
    ],
)
def test_patience_is_not_urgency(text: str) -> None:
    assert not signs_of_urgency(text)
