"""Replies as Adaptive Cards: nothing cut, nothing refused, nobody else mentioned, and presses that are read back."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any
from urllib.parse import urljoin

import pytest
from fake_teams_cards import actions_of, links_of, words_of
from hypothesis import given, settings
from hypothesis import strategies as st
from teams_validator import check_card

from bot.channels.port import Button, Card, Choice, Fact, File, Link, Reply
from bot.channels.teams.cards import (
    Mention,
    Pressed,
    TeamsMessage,
    notice,
    pressed,
    settled,
    to_messages,
    welcome,
)
from bot.channels.teams.pieces import LARGEST_CARD
from bot.channels.teams.rich import BLANK
from bot.texts import Texts, load_catalogue
from bot.wording import asks_for_person

Element = dict[str, Any]
DE, DU, EN = Texts("de", "sie", "teams"), Texts("de", "du", "teams"), Texts("en", "sie", "teams")
EVIL = "<at>Alle</at> [VPN](https://evil.example) **@hier** _x_ {{DATE(2026-01-01)}} &amp; <b>fett</b>"
JETTE = Mention("29:jette", "Jette Sørensen")
BUTTONS = (
    Button("helped", "Das hat geholfen", style="primary"),
    Button("not_helped", "Hat nicht geholfen"),
    Button("person", "Bitte ein Mensch"),
)

every_language = pytest.mark.parametrize("texts", [DE, DU, EN])


def absolute(url: str) -> str:
    return urljoin("https://lotse.example", url)


def messages(reply: Reply, *, texts: Texts = DE, to: Mention | None = None) -> list[TeamsMessage]:
    """The messages of a reply, each checked as Teams would."""
    found = to_messages(reply, "4711", absolute, texts, to=to)
    for number, message in enumerate(found):
        assert 0 < len(message.summary) <= 120
        assert message.card["fallbackText"] == message.summary
        assert message.card["body"][0]["id"] == f"lotse-4711-{number}"
        check(message.card)
    return found


def check(card: Element) -> None:
    check_card(card)
    assert bytes_of(card) <= LARGEST_CARD


def bytes_of(card: Element) -> int:
    return len(json.dumps(card, ensure_ascii=False, separators=(",", ":")).encode())


def one(reply: Reply, **more: Any) -> TeamsMessage:
    (message,) = messages(reply, **more)
    return message


def shown(message: TeamsMessage) -> str:
    return words_of(message.card).replace(BLANK, " ")


def walk(value: Any) -> Iterator[Element]:
    """Every object in a card, in order."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item)


def actions(message: TeamsMessage) -> list[Element]:
    stacked = [one["actions"] for one in message.card["body"] if one["type"] == "ActionSet"]
    found: list[Element] = [*chain.from_iterable(stacked), *message.card.get("actions", [])]
    return found


# --- replies ----------------------------------------------------------------------------------------------------------
def test_an_answer_stands_above_its_source_and_its_buttons() -> None:
    message = one(Reply("**VPN**\n\nÖffne den Client.", BUTTONS, (Link("Quelle: VPN", "/kb/articles/7"),)))
    assert shown(message) == "VPN\nÖffne den Client.\nQuelle: VPN"
    assert message.summary == "VPN: Öffne den Client."
    assert links_of(message.card) == ["https://lotse.example/kb/articles/7"]
    assert [(action["title"], action.get("style")) for action in actions(message)] == [
        ("Das hat geholfen", "positive"),
        ("Hat nicht geholfen", None),
        ("Bitte ein Mensch", None),
    ]


def test_a_button_comes_back_with_its_card_or_else_as_a_message() -> None:
    (action,) = actions(one(Reply("Text", (Button("choose", "VPN", "7", "danger"),))))
    data = {"lotse": {"action": "choose", "key": "4711", "value": "7"}}
    assert action == {
        "type": "Action.Execute",
        "title": "VPN",
        "verb": "choose",
        "data": data,
        "style": "destructive",
        "fallback": {"type": "Action.Submit", "title": "VPN", "data": data},
    }


def test_only_on_the_card_of_a_ticket_a_button_opens_a_dialog() -> None:
    (action,) = actions(one(Reply("Geht es wieder?", (Button("resolve", "Ja", "LT-7"),))))
    assert action["type"] == "Action.Execute"
    assert "msteams" not in action["data"]


def test_of_many_buttons_six_are_seen_at_once() -> None:
    buttons = tuple(Button("none", f"Titel {number}", str(number)) for number in range(9))
    assert [action.get("mode") for action in actions(one(Reply("Welcher?", buttons)))] == [None] * 6 + ["secondary"] * 3


def test_an_address_elsewhere_stays_as_it_is_and_only_web_addresses_are_links() -> None:
    links = (
        Link("Thread [1](https://evil.example)", "https://x.example/a?b=1&c= 2"),
        Link("Handbuch", "javascript:alert(1)"),
    )
    message = one(Reply("Text", links=links))
    assert links_of(message.card) == ["https://x.example/a?b=1&c=%202"]
    assert shown(message) == "Text\nThread [1](https://evil.example) · Handbuch"


def test_a_person_speaks_under_their_name_in_their_words() -> None:
    message = one(Reply(f"**Hallo**\n{EVIL}", author="Maren *Tiede*"))
    assert shown(message) == f"Maren *Tiede*\n**Hallo**\n{EVIL}"
    assert message.summary.startswith("Maren *Tiede*: **Hallo** <at>Alle</at>")
    assert message.card["body"][0]["inlines"] == [{"type": "TextRun", "text": "Maren *Tiede*", "weight": "Bolder"}]


@pytest.mark.parametrize(("author", "head"), [("Maren", "🔒 Maren"), (None, "🔒")])
def test_a_note_is_set_apart_under_a_lock(author: str | None, head: str) -> None:
    message = one(Reply("Nur für uns", author=author, note=True))
    (box,) = message.card["body"]
    assert box["style"] == "warning"
    assert shown(message) == f"{head}\nNur für uns"
    assert message.summary == f"{head}: Nur für uns"


def test_a_reply_without_words_is_never_empty() -> None:
    file = File("bild.png", "image/png", b"x")
    assert shown(one(Reply(""))) == "…"
    assert shown(one(Reply("", author="Maren", files=(file,)))) == "Maren"
    message = one(Reply("", links=(Link("bild.png", "/files/1"),), author="Maren"))
    assert (shown(message), message.summary) == ("Maren\nbild.png", "Maren: bild.png")


def test_a_long_name_is_shortened() -> None:
    assert shown(one(Reply("Hallo", author="Ä" * 200))).splitlines()[0] == "Ä" * 79 + "…"


def test_links_in_an_answer_are_those_that_are_allowed() -> None:
    reply = Reply("[a](https://a.example) [b](https://b.example)", allowed_links=frozenset({"https://a.example"}))
    assert links_of(one(reply).card) == ["https://a.example"]


def test_who_asked_in_a_group_is_mentioned_above_the_text() -> None:
    message = one(Reply("Öffne den Client.", BUTTONS), to=JETTE)
    assert shown(message) == "<at>Jette Sørensen</at>\nÖffne den Client."
    assert message.card["msteams"]["entities"] == [
        {
            "type": "mention",
            "text": "<at>Jette Sørensen</at>",
            "mentioned": {"id": "29:jette", "name": "Jette Sørensen"},
        }
    ]
    assert message.summary == "Öffne den Client."


def test_of_a_long_reply_only_the_first_message_mentions() -> None:
    found = messages(Reply("Öffne die Einstellungen.\n\n" * 1500), to=JETTE)
    assert [("entities" in message.card["msteams"]) for message in found] == [True, *[False] * (len(found) - 1)]


def test_a_name_cannot_be_formatting_where_teams_parses() -> None:
    message = one(Reply("Hallo"), to=Mention("29:x", "</at>[x](https://evil.example) *Jörg*\n"))
    assert message.card["body"][0]["text"] == "<at>/at x (https://evil.example) Jörg</at>"
    assert one(Reply("Hallo"), to=Mention("29:x", "<>")).card["body"][0]["text"] == "<at>…</at>"


def test_nothing_but_a_mention_is_left_to_be_parsed_by_teams() -> None:
    buttons = (Button("choose", EVIL, "1"), Button("choose", EVIL * 3, "2"))
    card = Card(EVIL, EVIL, (Fact(EVIL, EVIL), Fact("Von", "Jette")), (), EVIL)
    reply = Reply(EVIL, buttons, (Link(EVIL, "/x"),), author=EVIL)
    for said in (reply, replace(reply, note=True), replace(reply, author=None), replace(reply, card=card)):
        for message in messages(said):
            assert [one["type"] for one in walk(message.card) if one.get("type") == "TextBlock"] == []
            assert "entities" not in message.card["msteams"]
            assert all("evil" not in url for url in links_of(message.card))
            facts = [fact for one in walk(message.card) if one.get("type") == "FactSet" for fact in one["facts"]]
            assert facts == ([{"title": "Von", "value": "Jette"}] if said.card else [])


# --- long replies -----------------------------------------------------------------------------------------------------
def test_a_long_reply_is_several_messages_with_buttons_below_the_last() -> None:
    text = "Öffne die **Einstellungen** und wähle dann `Netzwerk` aus.\n\n" * 200
    found = messages(Reply(text, BUTTONS, (Link("Quelle", "/kb/articles/7"),)))
    assert len(found) > 2
    assert [len(actions(message)) for message in found] == [*[0] * (len(found) - 1), 3]
    assert [links_of(message.card) for message in found[:-1]] == [[]] * (len(found) - 1)
    marks = [shown(message).splitlines()[0] for message in found[1:]]
    assert marks == [f"({number}/{len(found)})" for number in range(2, len(found) + 1)]
    assert "(1/" not in shown(found[0])


@pytest.mark.parametrize("note", [False, True])
def test_forty_thousand_characters_of_a_person_come_whole(note: bool) -> None:
    text = "\n".join(f"{number}. Straße & <Umlaut> äöü 👩‍💻" for number in range(1400))
    found = messages(Reply(text, author="Maren", note=note))
    name = "🔒 Maren" if note else "Maren"
    heads = [name, *(f"{name} ({number}/{len(found)})" for number in range(2, len(found) + 1))]
    assert [shown(message).splitlines()[0] for message in found] == heads
    assert "\n".join(line for message in found for line in shown(message).splitlines()[1:]) == text
    assert all(message.summary.startswith(f"{name}: ") for message in found)


ARTICLE = (
    "## Drucker «Müßig» einrichten 🖨️\n\n"
    "Öffne **Einstellungen > Geräte** und füge den Drucker `\\\\srv\\drück-01` hinzu. Prüfe die Größe 👩‍💻.\n\n"
    "1. Gerät wählen\n   - Nähe prüfen\n2. Übernehmen\n\n"
    "| Größe | Fach | Prüfung |\n|---|:-:|--:|\n" + "| A4 „längs“ | Fach 1 😀 | täglich |\n" * 12 + "\n"
    "```\nGet-Printer -Name 'Müßig' |\n    Set-Printer -Shared $true\n```\n\n"
)


def test_an_article_of_forty_thousand_characters_comes_whole() -> None:
    text = (ARTICLE * 60)[:40_000]
    found = messages(Reply(text, BUTTONS, (Link("Quelle: Drucker", "/kb/articles/7"),)), to=JETTE)
    assert len(found) < 20
    assert sum(shown(message).count("Get-Printer") for message in found) == text.count("Get-Printer")
    assert sum(shown(message).count("A4 „längs“") for message in found) == text.count("A4 „längs“")
    assert sum(bytes_of(message.card) for message in found) / len(found) > LARGEST_CARD * 0.6


def test_a_transcript_of_three_hundred_lines_comes_whole() -> None:
    lines = [f"       Zeile {number}: „Ich komme nicht ins VPN“" for number in range(300)]
    found = messages(Reply("**Verlauf von LT-7**\n\n```\n" + "\n".join(lines) + "\n```"))
    told = [line for message in found for line in shown(message).splitlines() if "Zeile" in line]
    assert told == lines
    assert len(found) == 3
    assert shown(found[0]).splitlines()[0] == "Verlauf von LT-7"


def test_what_is_below_a_text_that_fills_its_message_has_one_of_its_own() -> None:
    buttons = tuple(Button("choose", "Ä" * 60, "ö" * 100 + str(number)) for number in range(30))
    links = tuple(Link("Ü" * 200, f"https://x.example/{'x' * 900}{number}") for number in range(10))
    found = messages(Reply("Wörter " * 1200, buttons, links))
    assert sum(len(actions(message)) for message in found) == 30
    assert sum(len(links_of(message.card)) for message in found) == 10
    assert len(found) > 1


def test_more_links_than_a_message_takes_are_in_several() -> None:
    links = tuple(Link(f"Anhang {number}", f"https://x.example/{'x' * 1900}{number}") for number in range(30))
    found = messages(Reply("Hallo", links=links, author="Maren"))
    assert [url for message in found for url in links_of(message.card)] == [link.url for link in links]
    assert len(found) == 3


def test_titles_too_long_for_a_button_become_numbers_below_the_whole_titles() -> None:
    titles = ["VPN einrichten", "Was tun, wenn das VPN von zu Hause aus " + "sehr " * 20 + "langsam ist?"]
    choices = tuple(Button("choose", title, str(number)) for number, title in enumerate(titles))
    message = one(Reply("Meinen Sie eines davon?", (*choices, Button("none", "Nichts davon"))))
    assert [action["title"] for action in actions(message)] == ["1", "2", "Nichts davon"]
    assert [pressed(action["data"]) for action in actions(message)] == [
        Pressed("choose", "4711", "0"),
        Pressed("choose", "4711", "1"),
        Pressed("none", "4711", ""),
    ]
    assert shown(message).splitlines()[1:] == [f"{n}. {title}" for n, title in enumerate(titles, 1)]


@pytest.mark.parametrize(("length", "titles"), [(60, "Ä" * 60), (61, "1")])
def test_titles_that_fit_are_the_buttons(length: int, titles: str) -> None:
    (action,) = actions(one(Reply("Welcher?", (Button("choose", "Ä" * length),))))
    assert action["title"] == titles


LABELS = st.text(min_size=1, max_size=300)
ANY_BUTTONS = st.builds(
    Button,
    st.sampled_from(["choose", "none", "note", "resolve"]),
    LABELS,
    st.text(max_size=100),
    st.sampled_from(["plain", "primary", "danger"]),
)
ANY_LINKS = st.builds(Link, LABELS, st.one_of(st.just("/kb/1"), st.text(max_size=80).map("https://x.example/".__add__)))
FACTS = st.lists(st.builds(Fact, LABELS, st.text(max_size=4000)), max_size=24).map(tuple)
CHOICES = st.builds(Choice, st.sampled_from(["queue", "priority"]), LABELS, st.text(max_size=20), people=st.booleans())
CARDS = st.builds(Card, LABELS, st.text(max_size=6000), FACTS, st.lists(CHOICES, max_size=4).map(tuple), LABELS)
REPLIES = st.builds(
    Reply,
    st.text(max_size=9000),
    st.lists(ANY_BUTTONS, max_size=12).map(tuple),
    st.lists(ANY_LINKS, max_size=30).map(tuple),
    st.one_of(st.none(), st.text(max_size=100)),
    note=st.booleans(),
    card=st.one_of(st.none(), CARDS),
)
MENTIONS = st.one_of(st.none(), st.builds(Mention, st.text(min_size=1, max_size=60), st.text(max_size=300)))


@settings(deadline=None, max_examples=150)
@given(REPLIES, MENTIONS)
def test_whatever_is_said_teams_takes_it(reply: Reply, to: Mention | None) -> None:
    found = messages(reply, to=to)
    assert found
    titles = [button for message in found for button in actions(message)]
    asked = len(reply.buttons) + bool(reply.card and reply.card.choices)
    assert len(titles) == asked
    assert reply.card is None or len(found) == 1


@every_language
@pytest.mark.parametrize("catalogue", ["replies", "teams"])
def test_every_sentence_is_a_message(catalogue: str, texts: Texts) -> None:
    for sentence in load_catalogue(catalogue).values():
        variant = "en" if texts.language == "en" else "de" if "de" in sentence else texts.address
        messages(Reply(sentence[variant]))


# --- cards ------------------------------------------------------------------------------------------------------------
CHOOSE = (
    Choice("assign", "Zuweisen an …", "LT-7", people=True),
    Choice("priority", "Priorität", "LT-7", (("1", "P1"), ("2", "P2")), "2"),
    Choice("queue", "Warteschlange", "LT-7", (("netz", "netz"), ("mail", "mail")), "netz"),
)
DONE = ("claim", "reply", "note", "resolve", "escalate", "hand_back")


def card_reply(**changes: Any) -> Reply:
    facts = (
        Fact("Von", "Jette Sørensen"),
        Fact("Reaktion fällig", "am Freitag, 27.11.2026, bis 09:00 Uhr"),
        Fact("Beste Artikel", "82 % VPN\n40 % *WLAN*"),
    )
    card = Card("LT-7 · P2 · neu", "VPN <geht> nicht", facts, CHOOSE, "Notizen beginnen mit //.")
    buttons = tuple(Button(name, name, "LT-7") for name in DONE)
    links = (Link("Gespräch", "https://teams.example/l/1"), Link("Ticket", "/desk/LT-7"))
    return Reply("**LT-7** · P2\n\nVPN", buttons, links, card=replace(card, **changes))


@every_language
def test_a_card_is_one_message_with_all_that_can_be_done(texts: Texts) -> None:
    message = one(card_reply(), texts=texts)
    assert shown(message).splitlines() == [
        "LT-7 · P2 · neu",
        "VPN <geht> nicht",
        "Von Jette Sørensen",
        "Reaktion fällig am Freitag, 27.11.2026, bis 09:00 Uhr",
        "Beste Artikel",
        "82 % VPN",
        "40 % *WLAN*",
        "Gespräch · Ticket",
        "Notizen beginnen mit //.",
    ]
    assert message.summary == "LT-7 · P2 · neu – VPN <geht> nicht"
    edit = "Assign and edit" if texts is EN else "Zuweisen und ändern"
    assert [action["title"] for action in actions(message)] == [*DONE[:5], edit, "hand_back"]
    assert [action.get("mode") for action in actions(message)] == [None] * 6 + ["secondary"]


def test_what_opens_a_dialog_asks_for_it_and_the_rest_comes_back_with_the_card() -> None:
    kinds = {pressed(action["data"]): action for action in actions(one(card_reply()))}
    for press, action in kinds.items():
        assert press is not None
        opens = press.action in {"reply", "note", "resolve", "edit"}
        assert press.opens_dialog == opens
        assert action["type"] == ("Action.Submit" if opens else "Action.Execute")
        assert (action["data"].get("msteams") == {"type": "task/fetch"}) == opens
    assert Pressed("edit", "4711", "LT-7") in kinds


def test_a_card_without_choices_offers_no_dialog_for_them() -> None:
    assert [action["title"] for action in actions(one(card_reply(choices=())))] == list(DONE)


@pytest.mark.parametrize(
    "value",
    ["*a*", "_a_", "[a](https://b.example)", "1. Januar", "- a", "a\nb", "<b>", "&amp;", "www.b.example", "`a`"],
)
def test_a_value_that_teams_would_format_is_shown_as_written(value: str) -> None:
    message = one(card_reply(facts=(Fact("Angabe", value), Fact("Von", "Jette"))))
    assert shown(message).splitlines()[2:-3] == ["Angabe", *value.replace("`", "").splitlines()]
    assert [one["type"] for one in message.card["body"]].count("FactSet") == 1


@pytest.mark.parametrize("value", ["Jörg-Uwe Groß (IT)", "P2", "24.11.2026", "R&D", "+49 30 1", "C++ / C"])
def test_a_plain_value_stands_beside_its_label(value: str) -> None:
    message = one(card_reply(facts=(Fact("Angabe", value),)))
    assert {"title": "Angabe", "value": value} in [fact for one in walk(message.card) for fact in one.get("facts", [])]


@pytest.mark.parametrize("letter", ["x", "ß", "*", '"', "\x01", "👩🏽\u200d💻"])
def test_a_card_with_too_much_of_everything_is_shortened_to_one_message(letter: str) -> None:
    facts = tuple(Fact(f"Angabe {number} {letter * 300}", letter * 5000) for number in range(60))
    reply = card_reply(title=letter * 400, summary=f"{letter * 50} \n" * 2000, facts=facts, rule=letter * 5000)
    links = tuple(Link(letter * 500, f"https://x.example/{'y' * 1950}{number}") for number in range(20))
    message = one(replace(reply, links=links))
    assert len(actions(message)) == 7
    assert bytes_of(message.card) > 5_000


def test_a_card_with_values_as_long_as_they_get_keeps_them_whole() -> None:
    names = ("Von", "Status", "Priorität", "Zuständig", "Fällig", "Art", "Kategorie", "Warteschlange", "Grund")
    facts = (*(Fact(name, "ä" * 80) for name in names), Fact("Beste Artikel", "\n".join(["82 % " + "ö" * 100] * 3)))
    reply = card_reply(summary="ü" * 2000, facts=facts)
    links = tuple(Link(f"Thread {number}", f"https://teams.example/{'x' * 400}") for number in range(4))
    message = one(replace(reply, links=links))
    assert "ü" * 2000 in shown(message)
    assert shown(message).count("ä" * 80) == 9
    assert shown(message).count("82 % " + "ö" * 100) == 3
    assert len(links_of(message.card)) == 4


# --- small cards ------------------------------------------------------------------------------------------------------
def test_a_notice_is_a_card_of_a_sentence() -> None:
    card = notice("Das ist in [Teams](https://a.example).", frozenset({"https://a.example"}))
    check(card)
    assert words_of(card) == "Das ist in Teams."
    assert links_of(card) == ["https://a.example"]
    check(notice("", frozenset()))
    check(notice("Wort " * 20_000, frozenset()))
    assert words_of(notice("Wort " * 20_000, frozenset())).endswith("\n…")


@every_language
def test_the_greeting_says_how_to_ask_and_how_to_get_a_person(texts: Texts) -> None:
    card = welcome(texts)
    check(card)
    buttons = card["actions"]
    assert len(buttons) == 3
    for button in buttons:
        assert len(button["title"]) <= 60
        assert button["data"]["msteams"] == {"type": "imBack", "value": button["title"]}
        assert pressed(button["data"]) is None
    wish = (
        words_of(card)
        .splitlines()[2]
        .partition("“" if texts is EN else "„")[2]
        .partition("”" if texts is EN else "“")[0]
    )
    assert asks_for_person(wish)


# --- presses ----------------------------------------------------------------------------------------------------------
def test_every_press_is_read_back() -> None:
    found = [pressed(action["data"]) for action in actions_of(one(card_reply()).card) if "data" in action]
    assert found == [Pressed(name, "4711", "LT-7") for name in (*DONE[:5], "edit", "hand_back")]


@given(st.text(max_size=100), st.text(max_size=20))
def test_any_value_comes_back_as_it_was(value: str, key: str) -> None:
    (message,) = to_messages(Reply("Text", (Button("choose", "Titel", value),)), key, absolute, DE)
    (action,) = actions(message)
    for data in (action["data"], action["fallback"]["data"]):
        assert pressed(json.loads(json.dumps(data))) == Pressed("choose", key, value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["lotse", "action", "key", "value", "form"]) | st.text(max_size=3), inner, max_size=5
        )
    ),
    max_leaves=12,
)


@given(JSON | st.fixed_dictionaries({"lotse": JSON}))
def test_whatever_arrives_is_a_press_or_none(data: Any) -> None:
    found = pressed(data)
    assert found is None or (found.action and {*map(type, (found.action, found.key, found.value))} == {str})


@pytest.mark.parametrize(
    "data",
    [
        None,
        "lotse",
        {},
        {"lotse": None},
        {"lotse": {"key": "1", "value": ""}},
        {"lotse": {"action": "", "key": "1", "value": ""}},
        {"lotse": {"action": "claim", "key": 1, "value": ""}},
        {"lotse": {"action": ["claim"], "key": "1", "value": ""}},
        {"lotse": {"form": "note", "number": "LT-7"}},
    ],
)
def test_a_foreign_or_broken_press_is_none(data: Any) -> None:
    assert pressed(data) is None


def test_after_a_press_one_line_stands_where_the_buttons_were() -> None:
    before = one(card_reply()).card
    card = settled(before, f"Übernommen von {EVIL}")
    check(card)
    assert "actions" not in card
    assert card["body"][:-1] == before["body"]
    assert words_of(card).splitlines()[-1] == f"✓ Übernommen von {EVIL}"
    assert settled(card, "noch einmal") == card
    check(settled(before, "Ä" * 5000))


@pytest.mark.parametrize("reply", [Reply("Hallo", BUTTONS), Reply("Hallo " * 4000, BUTTONS, author="Maren", note=True)])
def test_a_settled_message_keeps_its_mention_and_its_words(reply: Reply) -> None:
    for message in messages(reply, to=JETTE):
        card = settled(message.card, "Das hat geholfen")
        check(card)
        assert card["msteams"] == message.card["msteams"]


def test_articles_to_choose_from_stand_below_each_other_and_go_when_one_is_chosen() -> None:
    buttons = (
        Button("choose", "Drucker im Flur", "1"),
        Button("choose", "Drucker zu Hause", "2"),
        Button("none", "Nichts davon"),
    )
    card = one(Reply("Welches?", buttons)).card
    stacked = [element["actions"][0]["title"] for element in card["body"] if element["type"] == "ActionSet"]
    assert stacked == ["Drucker im Flur", "Drucker zu Hause"]
    assert [action["title"] for action in card["actions"]] == ["Nichts davon"]
    assert "ActionSet" not in str(settled(card, "Drucker im Flur"))
    assert settled(card, "Drucker im Flur")["body"][-1]["inlines"][0]["text"] == "✓ Drucker im Flur"
