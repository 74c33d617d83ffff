"""The Home tab and the forms: they fit whatever they hold, in each language, and are read back."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_validator import check_view

from bot.channels.slack.text import text_of
from bot.channels.slack.views import (
    HomeOutage,
    HomeTicket,
    ask_modal,
    home_pressed,
    home_view,
    note_modal,
    open_ticket_modal,
    reply_modal,
    resolve_modal,
    values_of,
)
from bot.texts import Texts

Block = dict[str, Any]
DE, DU, EN = Texts("de", "sie", "slack"), Texts("de", "du", "slack"), Texts("en", "sie", "slack")
EVIL = "<!channel> <@U1> *@here* <https://evil.example|VPN> & Co."
TICKET = HomeTicket("LT-7", "VPN geht nicht", "neu", "jemand meldet sich heute bis 14:00 Uhr", "https://x.slack.com/p1")
OUTAGE = HomeOutage("LT-3", "Drucker im 3. Stock")

every_language = pytest.mark.parametrize("texts", [DE, DU, EN])


def elements(view: Block) -> list[Block]:
    return [element for block in view["blocks"] if block["type"] == "actions" for element in block["elements"]]


def names(view: Block) -> list[str]:
    return [element["action_id"] for element in elements(view)]


# --- the Home tab -----------------------------------------------------------------------------------------------------
@every_language
def test_home_shows_tickets_outages_questions_and_settings(texts: Texts) -> None:
    view = home_view(texts, [TICKET], [OUTAGE], ["Wie ändere ich mein Passwort?"])
    check_view(view)
    shown = text_of(view["blocks"])
    assert "LT-7 VPN geht nicht\nneu · jemand meldet sich heute bis 14:00 Uhr" in shown
    assert "LT-3 Drucker im 3. Stock" in shown
    assert names(view)[:3] == ["lotse:home_form", "lotse:home_person", "lotse:home_ask:0"]
    assert all(name.startswith("lotse:home_") for name in names(view))


@every_language
def test_home_of_somebody_new_says_that_there_is_nothing(texts: Texts) -> None:
    view = home_view(texts, [], [], [])
    check_view(view)
    shown = text_of(view["blocks"])
    assert texts("home_tickets_empty") in shown
    assert texts("home_outages_empty") in shown
    assert texts("home_questions") not in shown


def test_the_form_of_address_can_be_chosen_in_german_only() -> None:
    chosen = {
        element["action_id"]: element["initial_option"]["value"]
        for element in elements(home_view(DU, [], [], []))
        if element["type"] == "static_select"
    }
    assert chosen == {"lotse:home_language": "de", "lotse:home_address": "du"}
    assert "lotse:home_address" not in names(home_view(EN, [], [], []))


def test_long_lists_end_with_how_many_more_there_are() -> None:
    view = home_view(EN, [TICKET] * 500, [OUTAGE] * 50, [f"Question {number}?" for number in range(80)])
    check_view(view)
    shown = text_of(view["blocks"])
    assert len(view["blocks"]) == 100
    assert f"and {500 - shown.count('LT-7')} more" in shown
    assert "and 30 more" in shown


def test_a_long_question_is_asked_whole_however_short_its_button() -> None:
    question = "Warum " + "dauert das " * 20 + "so lange?"
    view = home_view(DE, [], [], [question])
    check_view(view)
    (button,) = (element for element in elements(view) if element["action_id"] == "lotse:home_ask:0")
    assert len(button["text"]["text"]) <= 75
    assert home_pressed(button) == ("ask", question)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.builds(HomeTicket, *[st.text(min_size=1, max_size=400)] * 4, st.none() | st.text()), max_size=120),
    st.lists(st.builds(HomeOutage, *[st.text(min_size=1, max_size=400)] * 2), max_size=30),
    st.lists(st.text(max_size=2500), max_size=30),
)
def test_whatever_the_home_tab_holds_slack_takes_it(
    tickets: list[HomeTicket], outages: list[HomeOutage], questions: list[str]
) -> None:
    check_view(home_view(DE, tickets, outages, questions))


def test_presses_on_the_home_tab_are_read() -> None:
    assert home_pressed({"action_id": "lotse:home_person"}) == ("person", "")
    assert home_pressed({"action_id": "lotse:home_form", "type": "button"}) == ("form", "")
    language = {"action_id": "lotse:home_language", "selected_option": {"value": "en"}}
    assert home_pressed(language) == ("language", "en")
    assert home_pressed({"action_id": "lotse:claim:0", "value": "1|LT-7"}) is None
    assert home_pressed({}) is None


# --- forms ------------------------------------------------------------------------------------------------------------
def forms(texts: Texts, long: str = "") -> dict[str, Block]:
    name = f"Jette {long}"[:500]
    return {
        "lotse:ask": ask_modal(texts, "{}", long),
        "lotse:open_ticket": open_ticket_modal(texts, '{"channel": "C1"}', "U2", f"VPN {long}"),
        "lotse:note": note_modal(texts, "{}", "LT-7"),
        "lotse:reply": reply_modal(texts, "{}", "LT-7", name),
        "lotse:resolve": resolve_modal(texts, "{}", "LT-7", name),
    }


@every_language
@pytest.mark.parametrize("long", ["", EVIL, "Straße 👩‍💻 " * 4000])
def test_every_form_is_one_that_slack_opens(texts: Texts, long: str) -> None:
    for callback_id, form in forms(texts, long).items():
        check_view(form)
        assert form["callback_id"] == callback_id


@every_language
def test_titles_and_buttons_of_forms_are_short_enough_to_be_whole(texts: Texts) -> None:
    for form in forms(texts).values():
        assert not any(form[part]["text"].endswith("…") for part in ("title", "submit", "close"))


def test_forms_hold_what_is_known_already() -> None:
    person, summary, _ = open_ticket_modal(DE, '{"channel": "C1"}', "U2", "VPN")["blocks"]
    assert person["element"]["initial_user"] == "U2"
    assert summary["element"]["initial_value"] == "VPN"
    assert "initial_user" not in open_ticket_modal(DE, "", None, "")["blocks"][0]["element"]
    assert open_ticket_modal(DE, '{"channel": "C1"}', None, "")["private_metadata"] == '{"channel": "C1"}'


def test_only_what_is_needed_must_be_filled_in() -> None:
    optional = {name: [block["optional"] for block in form["blocks"]] for name, form in forms(DE).items()}
    assert optional == {
        "lotse:ask": [False, True],
        "lotse:open_ticket": [False, False, True],
        "lotse:note": [False],
        "lotse:reply": [False],
        "lotse:resolve": [True, True, True],
    }


def submitted(form: Block, filled: dict[str, Any]) -> Block:
    """The view that Slack sends when this form is sent."""
    states: dict[str, Block] = {}
    for block in form["blocks"]:
        name, kind = block["element"]["action_id"], block["element"]["type"]
        if kind == "checkboxes":
            chosen = block["element"]["options"] if filled.get(name) else []
            state: Block = {"type": kind, "selected_options": chosen}
        else:
            state = {"type": kind, "selected_user" if kind == "users_select" else "value": filled.get(name)}
        states[block["block_id"]] = {name: state}
    return form | {"state": {"values": states}}


def test_a_form_that_was_sent_is_read_by_its_fields() -> None:
    found = forms(DE)
    assert values_of(submitted(found["lotse:ask"], {"question": " Wie? <b>\n", "person": True})) == {
        "question": " Wie? <b>\n",
        "person": "yes",
    }
    assert values_of(submitted(found["lotse:open_ticket"], {"requester": "U9", "summary": "VPN"})) == {
        "requester": "U9",
        "summary": "VPN",
        "note": "",
    }
    assert values_of(submitted(found["lotse:resolve"], {"fix": "Neu"})) == {"fix": "Neu", "cause": "", "article": ""}
    assert values_of({}) == {}
