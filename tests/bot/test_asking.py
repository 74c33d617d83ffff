"""What is searched of a text: the question without the courtesy, and of a long story the sentence that matters."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.asking import LONG, asks_how, essence, only_word, searches_of, summary_of

# ruff: noqa: E501 - texts as people write them, broken where their mail program does
VPN_STORY = """Hallo zusammen, ich bin seit Montag wieder da nach drei Wochen Urlaub mit den Kindern in Dänemark, das war
wirklich schön und das Wetter hat auch gehalten. Am ersten Tag war noch alles in Ordnung, ich konnte meine Mails lesen
und habe erst mal alles abgearbeitet, was liegen geblieben ist. Gestern hat mir dann der Kollege aus dem Einkauf gesagt,
dass es ein Update gegeben hat, und ich habe den Rechner wie gewünscht neu gestartet. Danach sah die Anmeldung etwas
anders aus, aber ich kam noch rein. Heute früh wollte ich von zu Hause arbeiten, und jetzt geht mein VPN nicht mehr.
Danke!
Viele Grüße
Konrad Voßmann
Einkauf, Tel. 4711"""
DISPLAY_STORY = """Dear IT team,

I hope you are all well. I moved to the Kiel office last week and everything has been great so far, my desk is by the
window and the colleagues are lovely. My laptop came with me and worked fine on the first two days. On Wednesday we had a
customer here and wanted to show them the new catalogue. My question: how do I connect my laptop to the meeting room
display without a cable? I already tried the HDMI adapter of my colleague.

Kind regards,
Tomasz Wilk
Sent from my iPhone"""
EXCEL_STORY = """Mein Rechner ist heute morgen ganz normal hochgefahren und ich habe wie immer zuerst die Mails gelesen und
dann in der Warenwirtschaft gearbeitet aber dann kam plötzlich eine Meldung und seitdem startet Excel nicht mehr und wenn
ich es öffne steht da nur kurz etwas von einem Add-in und dann geht es wieder zu"""
SHARE_STORY = """hi all so i was migrated to the new laptop yesterday and most things are fine, teams works and outlook too,
but i have this one shared drive that we use for the invoices and since the migration it asks me for a password every
time and when i type my normal one it says access denied, i already rebooted twice and asked my colleague"""
CODE_STORY = """Good morning, we are three people in the Kiel warehouse and we share one computer for the labels, it is the
grey one next to the gate. Yesterday everything was fine and nobody installed anything as far as we know. The screen
showed 0x80070005 for a moment and then went away. Since then the label printer does not print anything. We have a lorry
waiting at the gate and would be glad about any idea.
Cheers, Henrik"""

PRINT_STORY = """Guten Morgen zusammen, ich hoffe, Sie hatten ein schönes Wochenende. Also, ich war letzte Woche auf der
Messe in Hannover und da war alles wie immer, das Hotel war auch schön, und jetzt soll ich für den Chef die Präsentation
drucken, und der möchte das auf beiden Seiten vom Papier haben wegen der Nachhaltigkeit, und ich finde partout nicht, wo
man das einstellt, das ist bestimmt ganz einfach, ich stehe da auf dem Schlauch. Liebe Grüße, Heike"""


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Hallo Max, wie ändere ich mein Passwort? LG Jette", "Wie ändere ich mein Passwort?"),
        ("Hi, my vpn fails with error 0x80072EE7. Thanks a lot in advance!", "My vpn fails with error 0x80072EE7."),
        ("Sehr geehrte Damen und Herren,\nmein Monitor bleibt schwarz.\n\nMfG\nK. Voßmann", "mein Monitor bleibt schwarz."),
        ("Dear all,\nthe scanner is broken\n-- \nOwen Tallis\nSales", "the scanner is broken"),
        ("Guten Morgen liebe Kollegen, Outlook hängt. Könnt ihr mir bitte helfen?", "Outlook hängt."),
        ("Moin, ich hab mal eine kurze Frage. Wo finde ich das WLAN-Passwort?", "Wo finde ich das WLAN-Passwort?"),
        ("Sorry to bother you. Where is the VPN client? Have a nice day!", "Where is the VPN client?"),
        ("Drucker druckt nicht, vielen Dank im Voraus", "Drucker druckt nicht"),
        ("Wie richte ich z. B. unter Windows 11 den Drucker im 3. Stock ein?", None),
        ("Hello VPN", "VPN"),
        ("VPN", None),
        ("Error 691, VPN, Windows 11. Since 12.11.2026.", None),
        ("PC startet nicht\nViele Grüße\nJette\nPS: Der Bildschirm zeigt Fehler 45", "PC startet nicht Der Bildschirm zeigt Fehler 45"),
        (
            "Betreff: Drucker druckt nicht\nVon: jette@example.org\n\nEr zeigt Papierstau.\n\nAm 12.11.2026 um 08:14 "
            "schrieb IT-Helpdesk <it@example.org>:\n> Bitte melden Sie sich.",
            "Drucker druckt nicht Er zeigt Papierstau.",
        ),
        ("Teams has no sound\n\n-----Original Message-----\nFrom: a\nHow do I reset my password?", "Teams has no sound"),
        ("siehe unten\n-----Original Message-----\nOutlook startet nicht", "siehe unten -----Original Message----- Outlook startet nicht"),
        *((text, None) for text in ("Hallo!", "Danke!", "Viele Grüße", "Hilfe", "???", "")),
    ],
)  # fmt: skip
def test_the_courtesy_around_a_question_is_not_searched(text: str, asked: str | None) -> None:
    assert essence(text) == (text if asked is None else asked)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Mein Monitor ist kaputt. LG 27 Zoll, flackert beim Start.", None),
        ("Neuer Monitor, LG UltraFine, wird nicht erkannt", None),
        ("Neuer Monitor, LG UltraFine", None),
        ("Es flackert. LG Monitor", None),
        ("Outlook hängt. VG Anna-Lena Meier", "Outlook hängt."),
        ("Hi Teams, keine Verbindung", "Teams, keine Verbindung"),
        ("Hallo Microsoft Teams, startet nicht", "Microsoft Teams, startet nicht"),
        ("Guten Tag VPN, geht nicht", "VPN, geht nicht"),
        ("Hallo Frau Voßmann, Outlook hängt", "Outlook hängt"),
        ("Lieber wäre mir ein Mac, wie bestelle ich den?", None),
        ("Lieber Teams als Zoom, geht das?", None),
        ("Liebe Kolleginnen und Kollegen der IT, Outlook hängt", "Outlook hängt"),
        ("Lieber Max,\nOutlook hängt", "Outlook hängt"),
        ("Hi it does not start", "It does not start"),
        ("Hi all printers are down", "All printers are down"),
        ("Hello there is no sound", "There is no sound"),
        ("Hello IT team, there is no sound", "There is no sound"),
        ("Hallo IT, kein Ton", "Kein Ton"),
    ],
)
def test_what_looks_like_courtesy_and_names_a_thing_is_searched(text: str, asked: str | None) -> None:
    assert searches_of(text) == (text if asked is None else asked,)


@pytest.mark.parametrize(
    ("story", "kept", "left_out"),
    [
        (VPN_STORY, ["geht mein VPN nicht mehr"], ["Urlaub", "Voßmann", "4711", "Danke"]),
        (DISPLAY_STORY, ["how do I connect my laptop to the meeting room"], ["window", "HDMI", "Wilk", "hope"]),
        (EXCEL_STORY, ["seitdem startet Excel nicht mehr", "kam plötzlich eine Meldung"], ["Warenwirtschaft"]),
        (SHARE_STORY, ["access denied", "asks me for a password"], ["teams works", "rebooted"]),
        (CODE_STORY, ["label printer does not print", "0x80070005"], ["grey one", "Henrik"]),
        (
            PRINT_STORY,
            ["Präsentation drucken", "beiden Seiten", "wo man das einstellt"],
            ["Messe", "Hotel", "Wochenende"],
        ),
    ],
)
def test_of_a_long_story_what_matters_is_searched(story: str, kept: list[str], left_out: list[str]) -> None:
    assert len(story.split()) > LONG
    asked = essence(story)
    assert [part for part in kept if part not in asked] == []
    assert [part for part in left_out if part in asked] == []


def test_a_long_story_is_searched_in_three_ways_at_most_and_a_short_question_once() -> None:
    assert searches_of("Hallo, wie geht das mit dem VPN?") == ("Wie geht das mit dem VPN?",)
    first, second, whole = searches_of(SHARE_STORY)
    assert first == essence(SHARE_STORY)
    assert second in first
    assert "most things are fine" in whole


def test_a_long_text_in_which_nothing_stands_out_is_searched_whole() -> None:
    plain = "Das ist ein Satz über die Pumpe im Keller des alten Hauses am Hafen. " * 6
    assert essence(plain) == plain.strip()
    assert plain.strip() in searches_of(plain)


@given(st.text(max_size=600) | st.lists(st.sampled_from([*VPN_STORY.split(), *CODE_STORY.split(), "\n"])).map(" ".join))
def test_something_is_searched_for_every_text_that_says_something(text: str) -> None:
    searches = searches_of(text)
    assert 1 <= len(searches) <= 3
    assert searches[0] == essence(text)
    assert all(searches) or not text.strip()


@pytest.mark.parametrize(
    "piece", ["can ", "a", "> ", "hallo ", "hallo, ", "-", "_", "\n", "von: x\n", "danke ", "0x", "wie ", ". "]
)
def test_twenty_thousand_characters_are_read_quickly(piece: str) -> None:
    started = time.perf_counter()
    assert searches_of((piece * 20_000)[:20_000])
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PRINT_STORY, "und jetzt soll ich für den Chef die Präsentation drucken und der möchte das auf beiden Seiten"),
        (DISPLAY_STORY, "My question: how do I connect my laptop to the meeting room display"),
        (
            "Good morning all, I hope you had a nice weekend. I was away. My laptop no longer starts.",
            "My laptop no longer",
        ),
        ("Wie richte ich das VPN ein?\nWie mache ich das auf dem Mac?", "Wie richte ich das VPN ein?"),
        ("VPN einrichten\nund auf dem Mac?", "VPN einrichten"),
        ("Und auf dem Mac?", "Und auf dem Mac?"),
    ],
)
def test_what_a_text_says_in_one_sentence_is_neither_greeting_nor_story_nor_follow_up(text: str, said: str) -> None:
    assert summary_of(text).startswith(said)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("drucker", "drucker"),
        ("Hallo, Zoom?", "Zoom?"),
        ("Drucker einrichten", None),
        ("", None),
        ("0x80070005", "0x80070005"),
    ],
)
def test_one_word_is_told_from_a_question(text: str, word: str | None) -> None:
    assert only_word(text) == word


@given(st.text(max_size=500))
def test_a_summary_is_one_short_line(text: str) -> None:
    summary = summary_of(text)
    assert len(summary) <= 120
    assert "\n" not in summary


def test_a_summary_is_the_sentence_that_says_most_unless_it_says_too_little() -> None:
    hello = "Guten Morgen zusammen, ich hoffe, Sie hatten ein schönes Wochenende."
    assert summary_of(f"{hello} Der Drucker im Flur druckt nicht. Danke.") == "Der Drucker im Flur druckt nicht."
    assert summary_of("Der Kaffee war gut. Der Drucker druckt nicht.") == "Der Drucker druckt nicht."
    assert summary_of("Die Maus. Im Büro.") == "Die Maus. Im Büro."
    assert summary_of("Der Drucker im Flur druckt nicht. Danke.") == "Der Drucker im Flur druckt nicht."
    assert summary_of("x" * 200) == "x" * 119 + "…"


def test_a_summary_does_not_end_at_an_ordinal() -> None:
    text = "Der Drucker im 2. Stock druckt auch nicht. Und das Fax piept."
    assert summary_of(text) == "Der Drucker im 2. Stock druckt auch nicht."


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        *((text, True) for text in (PRINT_STORY, "Wie verschlüssele ich eine Mail", "I do not know where to set that")),
        *((text, True) for text in ("Kann mir jemand sagen, wie ich ein Fax verschicke", "und auf dem iPad?")),
        *((text, False) for text in ("Warum flackert der Monitor?", "Outlook hängt, was soll ich tun?", EXCEL_STORY)),
        *((text, False) for text in ("Die Telefonanlage klingelt pausenlos.", "Why can't I log in?", "")),
    ],
)
def test_a_question_how_something_is_done_is_told_from_trouble(text: str, asks: bool) -> None:
    assert asks_how(text) is asks
