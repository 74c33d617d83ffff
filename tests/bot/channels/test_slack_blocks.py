"""Replies as messages of Slack: nothing cut, nothing refused, nobody mentioned, and presses that are read back."""

from dataclasses import replace
from typing import Any
from urllib.parse import urljoin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_validator import check_message

from bot.channels.port import Button, Card, Choice, Fact, File, Link, Reply
from bot.channels.slack.blocks import Pressed, SlackMessage, pressed, settled, to_messages
from bot.channels.slack.rich import leaves
from bot.channels.slack.text import text_of
from bot.texts import Texts, load_catalogue

Block = dict[str, Any]
EVIL = "<!channel> <@U1> *@here* <https://evil.example|VPN> & Co. :boom:"
BUTTONS = (
    Button("helped", "Das hat geholfen", style="primary"),
    Button("not_helped", "Hat nicht geholfen"),
    Button("person", "Bitte ein Mensch"),
)


def absolute(url: str) -> str:
    return urljoin("https://lotse.example", url)


def messages(reply: Reply) -> list[SlackMessage]:
    """The posts of a reply, each checked as Slack would."""
    found = to_messages(reply, "4711", absolute)
    for message in found:
        assert 0 < len(message.text) <= 3900
        check_message({"text": message.text, "blocks": message.blocks})
    return found


def one(reply: Reply) -> SlackMessage:
    (message,) = messages(reply)
    return message


def of_type(message: SlackMessage, kind: str) -> list[Block]:
    return [block for block in message.blocks if block["type"] == kind]


def elements(message: SlackMessage, kind: str = "actions") -> list[Block]:
    return [element for block in of_type(message, kind) for element in block["elements"]]


def as_pressed(element: Block, block: Block) -> Block:
    """The entry of `actions` that Slack sends when the last choice of this element is taken."""
    action = {"type": element["type"], "action_id": element["action_id"], "block_id": block.get("block_id", "b1x")}
    if element["type"] == "button":
        return action | {"value": element["value"]}
    if element["type"] == "users_select":
        return action | {"selected_user": "U777"}
    return action | {"selected_option": element["options"][-1]}


# --- replies ----------------------------------------------------------------------------------------------------------
def test_an_answer_stands_above_its_source_and_its_buttons() -> None:
    reply = Reply("**VPN**\n\nÖffne den Client.", BUTTONS, (Link("Quelle: VPN", "/kb/articles/7"),))
    message = one(reply)
    assert [block["type"] for block in message.blocks] == ["rich_text", "rich_text", "context", "actions"]
    assert message.text == "VPN\nÖffne den Client."
    (source,) = elements(message, "context")
    assert source["text"] == "<https://lotse.example/kb/articles/7|Quelle: VPN>"
    assert [button.get("style") for button in elements(message)] == ["primary", None, None]


def test_an_address_elsewhere_stays_as_it_is_and_its_label_opens_no_markup() -> None:
    links = (Link("Thread|<!here>", "https://x.slack.com/a?b=1&c=<2>|3"), Link("Handbuch", "javascript:alert(1)"))
    first, second = elements(one(Reply("Text", links=links)), "context")
    assert first["text"] == "<https://x.slack.com/a?b=1&amp;c=%3C2%3E%7C3|Thread¦&lt;!here&gt;>"
    assert second["text"] == "Handbuch"


def test_a_person_speaks_in_their_own_name_and_words() -> None:
    message = one(Reply(f"**Hallo**\n{EVIL}", author="Maren Tiede", image="https://a.example/m.png"))
    assert (message.username, message.icon_url) == ("Maren Tiede", "https://a.example/m.png")
    assert text_of(message.blocks) == f"**Hallo**\n{EVIL}"
    assert one(Reply("Hallo", image="https://a.example/m.png")).icon_url is None


@pytest.mark.parametrize(
    ("text", "author"), [("Hallo", "Maren"), ("```\nx\n```", "Maren"), ("| a |\n|---|\n| b |", None), ("- a", None)]
)
def test_a_note_begins_with_a_lock(text: str, author: str | None) -> None:
    first = one(Reply(text, author=author, note=True)).blocks[0]["elements"][0]["elements"][0]
    assert first == {"type": "text", "text": "🔒 ", "style": {"bold": True}}


def test_a_reply_without_words_names_its_files() -> None:
    files = (File("bild.png", "image/png", b"x"), File("log.txt", "text/plain", b"y"))
    assert one(Reply("", author="Maren", files=files)).text == "📎 bild.png, log.txt"
    assert one(Reply("")).text == "…"


def test_a_long_name_is_shortened() -> None:
    name = one(Reply("Hallo", author="Ä" * 200)).username
    assert name is not None
    assert len(name) == 80


def test_links_in_an_answer_are_those_that_are_allowed() -> None:
    reply = Reply("[a](https://a.example) [b](https://b.example)", allowed_links=frozenset({"https://a.example"}))
    spans = one(reply).blocks[0]["elements"][0]["elements"]
    assert [span["type"] for span in spans] == ["link", "text"]


def test_what_tries_to_mention_is_harmless_everywhere() -> None:
    buttons = (Button("choose", EVIL, "1"), Button("choose", EVIL * 3, "2"))
    card = Card(EVIL, EVIL, (Fact(EVIL, EVIL),), (Choice("queue", EVIL, "", (("a", EVIL),), "a"),), EVIL)
    for reply in (Reply(EVIL, buttons, (Link(EVIL, "/x"),)), Reply(EVIL, author=EVIL, note=True)):
        messages(reply)
        messages(replace(reply, card=card))


# --- long replies -----------------------------------------------------------------------------------------------------
def test_a_long_reply_is_several_posts_with_buttons_below_the_last() -> None:
    text = "Öffne die **Einstellungen** und wähle dann `Netzwerk` aus.\n\n" * 200
    found = messages(Reply(text, BUTTONS, (Link("Quelle", "/kb/articles/7"),)))
    assert len(found) > 2
    assert all(not of_type(message, "actions") for message in found[:-1])
    assert len(elements(found[-1])) == 3
    marks = [of_type(message, "context")[0]["elements"][0]["text"] for message in found[1:]]
    assert marks == [f"({number}/{len(found)})" for number in range(2, len(found) + 1)]
    assert of_type(found[0], "context") == []


def test_forty_thousand_characters_of_a_person_come_whole() -> None:
    text = "Straße & <Umlaut> äöü 👩‍💻\n" * 1600
    found = messages(Reply(text, author="Maren"))
    assert "".join("".join(leaves(of_type(message, "rich_text"))) for message in found) == text
    assert {message.username for message in found} == {"Maren"}


def test_titles_too_long_for_a_button_become_numbers_below_the_whole_titles() -> None:
    titles = ["VPN einrichten", "Was tun, wenn das VPN von zu Hause aus " + "sehr " * 20 + "langsam ist?"]
    choices = tuple(Button("choose", title, str(number)) for number, title in enumerate(titles))
    message = one(Reply("Meinen Sie eines davon?", (*choices, Button("none", "Nichts davon"))))
    assert [button["text"]["text"] for button in elements(message)] == ["1", "2", "Nichts davon"]
    assert [button["value"] for button in elements(message)] == ["4711|0", "4711|1", "4711|"]
    assert text_of(message.blocks[:-1]).splitlines()[1:] == [f"{n}. {title}" for n, title in enumerate(titles, 1)]


def test_titles_that_fit_are_the_buttons() -> None:
    choices = tuple(Button("choose", f"Titel {number}", str(number)) for number in range(3))
    message = one(Reply("Welcher?", choices))
    assert [button["text"]["text"] for button in elements(message)] == ["Titel 0", "Titel 1", "Titel 2"]


LABELS = st.text(min_size=1, max_size=300)
ANY_BUTTONS = st.builds(Button, st.sampled_from(["choose", "none", "helped"]), LABELS, st.text(max_size=100))
ANY_LINKS = st.builds(Link, LABELS, st.one_of(st.just("/kb/1"), st.text(max_size=80).map("https://x.example/".__add__)))
FACTS = st.lists(st.builds(Fact, LABELS, st.text(max_size=4000)), max_size=24).map(tuple)
OPTIONS = st.lists(st.tuples(st.text("abcä", min_size=1, max_size=40), LABELS), max_size=130).map(
    lambda pairs: tuple(dict(pairs).items())
)
CHOICES = st.builds(
    Choice, st.sampled_from(["queue", "priority"]), LABELS, st.just(""), OPTIONS, st.none(), st.booleans()
)
CARDS = st.builds(Card, LABELS, st.text(max_size=6000), FACTS, st.lists(CHOICES, max_size=4).map(tuple), LABELS)


@settings(deadline=None, max_examples=150)
@given(
    st.builds(
        Reply,
        st.text(max_size=9000),
        st.lists(ANY_BUTTONS, max_size=12).map(tuple),
        st.lists(ANY_LINKS, max_size=30).map(tuple),
        st.one_of(st.none(), st.text(max_size=100)),
        note=st.booleans(),
        card=st.one_of(st.none(), CARDS),
    )
)
def test_whatever_is_said_slack_takes_it(reply: Reply) -> None:
    assert messages(reply)


@pytest.mark.parametrize("address", ["sie", "du", "en"])
@pytest.mark.parametrize("catalogue", ["replies", "slack"])
def test_every_sentence_is_a_message(catalogue: str, address: str) -> None:
    texts = Texts("en" if address == "en" else "de", "sie" if address == "en" else address, catalogue)
    for sentence in load_catalogue(catalogue).values():
        messages(Reply(sentence.get(texts.language) or sentence[texts.address]))


# --- cards ------------------------------------------------------------------------------------------------------------
def card_reply(**changes: Any) -> Reply:
    facts = (Fact("Von", "Jette Sørensen"), Fact("Status", "neu"), Fact("Beste Artikel", "82 % VPN\n40 % *WLAN*"))
    choices = (
        Choice("assign", "Zuweisen an …", "LT-7", people=True),
        Choice("priority", "Priorität", "LT-7", (("1", "P1"), ("2", "P2")), "2"),
        Choice("queue", "Warteschlange", "LT-7", (("netz", "netz"), ("mail", "mail")), "sonst"),
    )
    card = Card("LT-7 · P2 · neu", "VPN <geht> nicht", facts, choices, "Notizen beginnen mit //.")
    buttons = tuple(
        Button(name, name, "LT-7") for name in ("claim", "reply", "note", "escalate", "hand_back", "resolve")
    )
    return Reply("**LT-7** · P2\n\nVPN", buttons, (Link("Ticket", "/desk/LT-7"),), card=replace(card, **changes))


def test_a_card_is_one_message_with_all_that_can_be_done() -> None:
    message = one(card_reply())
    kinds = [block["type"] for block in message.blocks]
    assert kinds == ["header", "rich_text", "section", "context", *["actions"] * 4, "context"]
    assert message.text == "LT-7 · P2\nVPN"
    assert [len(block["elements"]) for block in of_type(message, "actions")] == [5, 1, 1, 2]
    assert of_type(message, "actions")[2]["block_id"].startswith("4711|assign|")
    priority, queue = of_type(message, "actions")[3]["elements"]
    assert priority["initial_option"]["value"] == "4711|2"
    assert "initial_option" not in queue
    assert message.blocks[-1]["elements"][0]["text"] == "Notizen beginnen mit //."


def test_facts_are_labelled_and_formatting_in_them_is_shown_as_written() -> None:
    (section,) = of_type(one(card_reply()), "section")
    assert section["fields"][0] == {"type": "mrkdwn", "text": "*Von*\nJette Sørensen", "verbatim": True}
    assert section["fields"][2]["type"] == "plain_text"
    assert section["fields"][2]["text"] == "Beste Artikel\n82 % VPN\n40 % *WLAN*"


def test_a_long_card_is_shortened_to_one_message() -> None:
    facts = tuple(Fact(f"Angabe {number}", "Wert " * 900) for number in range(23))
    message = one(card_reply(title="T" * 400, summary="Wort " * 2000, facts=facts, rule="R" * 5000))
    assert [len(block["fields"]) for block in of_type(message, "section")] == [10, 10, 3]
    assert message.blocks[0]["text"]["text"].endswith("…")


def test_of_too_many_options_the_chosen_one_stays() -> None:
    options = tuple((str(number), f"Schlange {number}") for number in range(150))
    message = one(card_reply(choices=(Choice("queue", "Warteschlange", "LT-7", options, "149"),)))
    (select,) = (element for element in elements(message) if element["type"] == "static_select")
    assert len(select["options"]) == 100
    assert select["initial_option"]["value"] == "4711|149"


# --- presses ----------------------------------------------------------------------------------------------------------
def test_every_press_is_read_back() -> None:
    message = one(card_reply())
    found = [
        pressed(as_pressed(element, block)) for block in of_type(message, "actions") for element in block["elements"]
    ]
    assert found == [
        *(Pressed(name, "4711", "LT-7") for name in ("claim", "reply", "note", "escalate", "hand_back", "resolve")),
        Pressed("assign", "4711", "U777"),
        Pressed("priority", "4711", "2"),
        Pressed("queue", "4711", "mail"),
    ]


@given(st.text(max_size=100))
def test_any_value_comes_back_as_it_was(value: str) -> None:
    (button,) = elements(one(Reply("Text", (Button("choose", "Titel", value),))))
    assert pressed(as_pressed(button, {})) == Pressed("choose", "4711", value)


@pytest.mark.parametrize(
    "action",
    [
        {},
        {"type": "button", "action_id": "other:claim:0", "value": "1|2"},
        {"type": "button", "action_id": "lotse:claim", "value": "1|2"},
        {"type": "button", "action_id": "lotse:claim:0", "value": "no key"},
        {"type": "button", "action_id": "lotse:claim:0"},
        {"type": "button", "action_id": "lotse:home_ask:0", "value": "a|b"},
        {"type": "static_select", "action_id": "lotse:queue:0", "selected_option": None},
        {"type": "users_select", "action_id": "lotse:assign:0", "block_id": "1|assign|0", "selected_user": None},
        {"type": "users_select", "action_id": "lotse:assign:0", "block_id": "b1x", "selected_user": "U1"},
    ],
)
def test_a_foreign_or_empty_press_is_none(action: Block) -> None:
    assert pressed(action) is None


def test_after_a_press_one_line_stands_where_the_buttons_were() -> None:
    blocks = settled(one(card_reply()).blocks, f"Übernommen von {EVIL}")
    check_message({"text": "x", "blocks": blocks})
    assert [block["type"] for block in blocks] == ["header", "rich_text", "section", "context", "context", "context"]
    assert blocks[4]["elements"][0]["text"].startswith("✓ Übernommen von &lt;!channel&gt;")
    assert settled(blocks, "noch einmal") == blocks
