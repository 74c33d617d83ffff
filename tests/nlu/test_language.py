"""In which language somebody writes."""

import pytest

from nlu.language import detect_language


@pytest.mark.parametrize(
    "text",
    [
        "Wie setze ich mein Passwort zurück?",
        "drucker geht nicht",
        "outlook stürzt ab",
        "Mein Laptop hat ein Update gemacht und der Login im Customer Portal geht nicht mehr",
        "hab nen Bluescreen",
        "koennen sie mir helfen",
        "Teams Meeting Link funktioniert nicht",
        "Password vergessen",
        "bitte Ticket erstellen",
        "Der SAP Login sagt 'Name or password is incorrect', was nun?",
        "Fehler: java.lang.NullPointerException at com.foo.Bar(Bar.java:42) was soll ich machen?",
        "danke",
        "I kimm nimmer in mein Account nei",
    ],
)
def test_german_is_german(text: str) -> None:
    assert detect_language(text) == "de"


@pytest.mark.parametrize(
    "text",
    [
        "How do I reset my password?",
        "printer not working",
        "outlook keeps crashing",
        "my Laptop won't connect to the WLAN in München",
        "can you open a ticket please",
        "Teams meeting link is broken",
        "It says 'Zugriff verweigert' when I open the shared folder, what does that mean?",
        "thanks a lot",
        "how do i get into the vpn from home",
        "E: Unable to locate package firefox - how can I fix this?",
    ],
)
def test_english_is_english(text: str) -> None:
    assert detect_language(text) == "en"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "🙂",
        "ok",
        "hi",
        "hallo",
        "Moin moin",
        "TKT-1042",
        "VPN",
        "Outlook",
        "Microsoft Teams",
        "0x80070005",
        "asdfgh",
        "qwerty",
        "drukcer",
        "```\nfor x in range(3): print(x)\n```",
        "https://intranet.example.com/hilfe/passwort",
        "C:\\Programme\\Office\\start.exe",
        "Comment puis-je réinitialiser mon mot de passe ?",
        "Come posso cambiare la mia password di posta?",
        "¿Cómo puedo cambiar la contraseña de mi cuenta?",
        "Jak mogę zmienić hasło do poczty firmowej?",
        "Hoe kan ik mijn wachtwoord opnieuw instellen?",
        "как сменить пароль от почты",
        "パスワードを忘れました",
    ],
)
def test_unsure_is_none(text: str) -> None:
    assert detect_language(text) is None


def test_a_very_long_text_is_read_in_part() -> None:
    assert detect_language("Mein Drucker druckt nicht. " * 10_000) == "de"
