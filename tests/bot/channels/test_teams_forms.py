"""The dialogs of Teams: they open whatever they hold, in each language, say what was wrong, and are read back."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from fake_teams_cards import inputs_of, words_of
from hypothesis import given
from hypothesis import strategies as st
from teams_validator import check_invoke_answer

from bot.channels.port import Choice
from bot.channels.teams.forms import (
    FormValues,
    edit_form,
    note_form,
    open_ticket_form,
    reply_form,
    resolve_form,
    values_of,
)
from bot.texts import Texts

Element = dict[str, Any]
DE, DU, EN = Texts("de", "sie", "teams"), Texts("de", "du", "teams"), Texts("en", "sie", "teams")
EVIL = "<at>Alle</at> [VPN](https://evil.example) **@hier** _x_ {{DATE(2026-01-01)}} &amp; <b>fett</b>"
ABOUT = {"number": "LT-7", "channel": "19:x@thread.tacv2", "thread": "1764"}
PEOPLE = (("a1", "Maren Tiede"), ("a2", "Kai Brömmel"))
CHOICES = (
    Choice("assign", "Zuweisen an …", "LT-7", people=True),
    Choice("priority", "Priorität", "LT-7", (("1", "P1"), ("2", "P2")), "2"),
    Choice("category", "Kategorie", "LT-7", (("vpn", "VPN"), ("other", "Sonstiges")), "other"),
    Choice("queue", "Warteschlange", "LT-7", (("netz", "netz"), ("mail", "mail")), "mail"),
)

every_language = pytest.mark.parametrize("texts", [DE, DU, EN])


def forms(
    texts: Texts, long: str = "", fault: str | None = None, values: Mapping[str, str] | None = None
) -> dict[str, Element]:
    name, more = f"Jette {long}", {"fault": fault, "values": values or {}}
    return {
        "note": note_form(texts, ABOUT, "LT-7", **more),
        "reply": reply_form(texts, ABOUT, "LT-7", name, **more),
        "resolve": resolve_form(texts, ABOUT, "LT-7", name, **more),
        "edit": edit_form(texts, ABOUT, CHOICES, PEOPLE, "a2", **more),
        "open_ticket": open_ticket_form(texts, ABOUT, "a1", PEOPLE, f"VPN {long}".strip(), **more),
    }


def card_of(form: Element) -> Element:
    """The card in a dialog that Teams opens."""
    check_invoke_answer("task/fetch", 200, {"task": {"type": "continue", "value": form}})
    card: Element = form["card"]["content"]
    return card


def inputs(form: Element) -> dict[str, Mapping[str, Any]]:
    return inputs_of(card_of(form))


def held(form: Element) -> dict[str, Any]:
    """What its fields hold before anything is typed or chosen."""
    return {name: one.get("value") for name, one in inputs(form).items()}


def sent(form: Element, **filled: str) -> Any:
    """What Teams sends when this dialog is sent: the data of its button beside the inputs."""
    card = card_of(form)
    (action,) = card["actions"]
    untouched = {name: value or "" for name, value in held(form).items()}
    return json.loads(json.dumps({**untouched, **filled, **action["data"]}))


# --- what they show ---------------------------------------------------------------------------------------------------
@every_language
@pytest.mark.parametrize("long", ["", EVIL, "Straße 👩‍💻 " * 1000])
@pytest.mark.parametrize("fault", [None, "Das ging **nicht**."])
def test_every_form_is_one_that_teams_opens(texts: Texts, long: str, fault: str | None) -> None:
    for name, form in forms(texts, long, fault).items():
        (action,) = card_of(form)["actions"]
        assert action["data"] == {"lotse": {"form": name, **ABOUT}}
        assert 0 < len(form["title"]) <= 24
        assert 0 < len(action["title"]) <= 24


@every_language
def test_who_reads_what_is_typed_stands_below_the_field(texts: Texts) -> None:
    found = {name: words_of(card_of(form)).splitlines() for name, form in forms(texts).items()}
    assert found["note"] == [texts("note_text", number="LT-7"), texts("note_hint")]
    assert found["reply"][1] == texts("reply_hint", name="Jette")
    assert found["resolve"] == [
        texts("resolve_fix", number="LT-7"),
        texts("resolve_fix_hint", name="Jette"),
        texts("resolve_cause"),
        texts("resolve_cause_hint", name="Jette"),
        texts("resolve_article"),
    ]
    assert found["edit"] == ["Zuweisen an …", "Priorität", "Kategorie", "Warteschlange"]
    assert found["open_ticket"][-1] == texts("open_ticket_note_hint")


def test_only_what_is_needed_must_be_filled_in() -> None:
    required = {
        name: [field for field, one in inputs(form).items() if one.get("isRequired")]
        for name, form in forms(DE).items()
    }
    assert required == {
        "note": ["text"],
        "reply": ["text"],
        "resolve": ["fix"],
        "edit": [],
        "open_ticket": ["requester", "summary"],
    }


def test_forms_hold_what_is_known_already() -> None:
    found = forms(DE)
    assert held(found["edit"]) == {"assign": "a2", "priority": "2", "category": "other", "queue": "mail"}
    assert held(found["open_ticket"]) == {"requester": "a1", "summary": "VPN", "note": None}
    assert held(found["resolve"]) == {"fix": None, "cause": None, "article": "no"}
    assert held(edit_form(DE, ABOUT, CHOICES, PEOPLE, None))["assign"] is None
    assert held(edit_form(DE, ABOUT, CHOICES, PEOPLE, "gone"))["assign"] is None


def test_what_was_typed_is_kept_below_what_was_wrong() -> None:
    values = {"fix": "Neu\ngestartet", "cause": "Zertifikat", "article": "yes"}
    form = resolve_form(DE, ABOUT, "LT-7", "Jette", fault="Das Ticket ist **schon gelöst**.", values=values)
    first, *_ = card_of(form)["body"]
    assert first["style"] == "attention"
    assert words_of(first) == "Das Ticket ist schon gelöst."
    assert held(form) == values
    chosen = {"assign": "a1", "priority": "1", "queue": "netz"}
    kept = edit_form(DE, ABOUT, CHOICES, PEOPLE, "a2", fault="Nein", values=chosen)
    assert held(kept) == {**chosen, "category": "other"}
    own = open_ticket_form(DE, ABOUT, "a1", PEOPLE, "VPN", values={"requester": "a2", "summary": "Drucker"})
    assert held(own) == {"requester": "a2", "summary": "Drucker", "note": None}


def test_what_is_filled_in_is_no_longer_than_can_be_typed() -> None:
    (value,) = held(note_form(DE, ABOUT, "LT-7", values={"text": "ä" * 12_000})).values()
    assert len(value) == 4000


@pytest.mark.parametrize("letter", ["x", "ä", '"', "\n", "語"])
@pytest.mark.parametrize("count", [2, 150])
def test_a_dialog_that_is_full_to_the_brim_can_be_shown_again(letter: str, count: int) -> None:
    people = [(f"0a1b2c3d-0000-4000-8000-{number:012}", f"Person {number}") for number in range(count)]
    values = dict.fromkeys(("text", "fix", "cause", "summary", "note"), letter * 10_000)
    more = {"fault": "Das Ticket ist schon gelöst.", "values": values}
    for form in (
        note_form(DE, ABOUT, "LT-7", **more),
        reply_form(DE, ABOUT, "LT-7", "Jette", **more),
        resolve_form(DE, ABOUT, "LT-7", "Jette", **more),
        open_ticket_form(DE, ABOUT, people[0][0], people, **more),
    ):
        card_of(form)
        assert len(json.dumps(form, ensure_ascii=False).encode()) < 28 * 1024


@pytest.mark.parametrize("count", [0, 2000])
def test_people_who_are_not_listed_are_looked_up_by_teams(count: int) -> None:
    people = [(f"id-{number}", f"Person {number}") for number in range(count)]
    for form in (
        edit_form(DE, ABOUT, CHOICES, people, "id-1234"),
        open_ticket_form(DE, ABOUT, "id-1234", people),
    ):
        field = next(iter(inputs(form).values()))
        assert field["choices.data"]["dataset"] == "graph.microsoft.com/users?scope=currentContext"
        assert [one["title"] for one in field["choices"]] == (["Person 1234"] if count else [])
        assert len(json.dumps(form, ensure_ascii=False).encode()) < 25_000


def test_a_large_team_is_listed() -> None:
    people = [(f"0a1b2c3d-0000-4000-8000-{number:012}", f"Person {number}") for number in range(150)]
    field = inputs(edit_form(DE, ABOUT, CHOICES, people, people[7][0]))["assign"]
    assert (len(field["choices"]), field["style"], field["value"]) == (150, "filtered", people[7][0])
    assert "choices.data" not in field


# --- what was sent ----------------------------------------------------------------------------------------------------
@every_language
def test_a_form_that_was_sent_is_read_by_its_fields(texts: Texts) -> None:
    found = forms(texts)
    assert values_of(sent(found["note"], text=" Wie? <b>\n")) == FormValues("note", ABOUT, {"text": " Wie? <b>\n"})
    assert values_of(sent(found["resolve"], fix="Neu", article="yes")) == FormValues(
        "resolve", ABOUT, {"fix": "Neu", "cause": "", "article": "yes"}
    )
    assert values_of(sent(found["resolve"], fix="Neu")) == FormValues(
        "resolve", ABOUT, {"fix": "Neu", "cause": "", "article": ""}
    )
    assert values_of(sent(found["edit"], queue="netz")) == FormValues(
        "edit", ABOUT, {"assign": "a2", "priority": "2", "category": "other", "queue": "netz"}
    )
    assert values_of(sent(found["open_ticket"], requester="a2")) == FormValues(
        "open_ticket", ABOUT, {"requester": "a2", "summary": "VPN", "note": ""}
    )


def test_what_a_dialog_is_about_cannot_rename_it() -> None:
    form = note_form(DE, {"form": "resolve", "number": "LT-7"}, "LT-7")
    assert values_of(sent(form, text="x")) == FormValues("note", {"number": "LT-7"}, {"text": "x"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["lotse", "form", "number", "fix"]) | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=12,
)


@given(JSON | st.fixed_dictionaries({"lotse": JSON, "fix": JSON}))
def test_whatever_arrives_is_a_form_or_none(data: Any) -> None:
    found = values_of(data)
    if found is not None:
        told = [found.form, *found.about.values(), *found.fields.values()]
        assert found.form
        assert "form" not in found.about
        assert {*map(type, told)} == {str}


@pytest.mark.parametrize(
    "data",
    [None, [], "lotse", {}, {"text": "x"}, {"lotse": "note"}, {"lotse": {"form": ""}}, {"lotse": {"form": ["note"]}}],
)
def test_a_foreign_or_broken_form_is_none(data: Any) -> None:
    assert values_of(data) is None
