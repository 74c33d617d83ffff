"""The dialogs of Lotse in Teams, from plain values, and what one held when it was sent."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.channels.cutting import shorten
from bot.channels.port import Choice
from bot.channels.teams.cards import LONGEST_NAME, whole_card
from bot.channels.teams.markdown import markdown_elements
from bot.channels.teams.pieces import CARD_TYPE, ENVELOPE, LARGEST_CARD, one_line
from bot.channels.teams.rich import Element, cleaned, container, line, run
from bot.channels.teams.split import size
from bot.texts import Texts

LONGEST_INPUT, LONGEST_LABEL = 4000, 200  # a dialog that is shown again holds all that was typed
MOST_BYTES_OF_PEOPLE = 14_000
YES, NO = "yes", "no"
TOGGLES = {"article"}
EVERYBODY_HERE = {"type": "Data.Query", "dataset": "graph.microsoft.com/users?scope=currentContext"}

About = Mapping[str, str]
People = Sequence[tuple[str, str]]
NOTHING_TYPED: Mapping[str, str] = {}


@dataclass(frozen=True)
class FormValues:
    """A dialog that was sent: its name, what it was about, and its fields: texts as typed, ids, `yes` or nothing."""

    form: str
    about: Mapping[str, str]
    fields: Mapping[str, str]


# --- dialogs ----------------------------------------------------------------------------------------------------------
def note_form(
    texts: Texts, about: About, number: str, *, fault: str | None = None, values: Mapping[str, str] = NOTHING_TYPED
) -> Element:
    """A note for agents on a ticket. Field: text."""
    fields = text_input(texts, "text", texts("note_text", number=number), texts("note_hint"), values)
    return dialog("note", texts("note_title"), texts("form_send"), about, fields, fault)


def reply_form(
    texts: Texts,
    about: About,
    number: str,
    requester: str,
    *,
    fault: str | None = None,
    values: Mapping[str, str] = NOTHING_TYPED,
) -> Element:
    """A reply to the requester, who is called by name. Field: text."""
    name = shorten(one_line(requester), LONGEST_NAME)
    label, hint = texts("reply_text", name=name, number=number), texts("reply_hint", name=name)
    fields = text_input(texts, "text", label, hint, values)
    return dialog("reply", texts("reply_title"), texts("form_send"), about, fields, fault)


def resolve_form(
    texts: Texts,
    about: About,
    number: str,
    requester: str,
    *,
    fault: str | None = None,
    values: Mapping[str, str] = NOTHING_TYPED,
) -> Element:
    """What helped and what it was; requester is their name. Fields: fix, cause, article."""
    name = shorten(one_line(requester), LONGEST_NAME)
    fix_hint, cause_hint = texts("resolve_fix_hint", name=name), texts("resolve_cause_hint", name=name)
    fields = [
        *text_input(texts, "fix", texts("resolve_fix", number=number), fix_hint, values),
        *text_input(texts, "cause", texts("resolve_cause"), cause_hint, values, required=False),
        toggle("article", texts("resolve_article"), texts("resolve_article_option"), values),
    ]
    return dialog("resolve", texts("resolve_title"), texts("resolve_submit"), about, fields, fault, height="large")


def edit_form(
    texts: Texts,
    about: About,
    choices: Sequence[Choice],
    people: People,
    agent: str | None,
    *,
    fault: str | None = None,
    values: Mapping[str, str] = NOTHING_TYPED,
) -> Element:
    """All choices of a ticket's card, the present ones chosen; agent is who has the ticket. Fields: their actions."""
    fields = [
        person_choice(one.action, one.label, people, values.get(one.action) or agent)
        if one.people
        else choice_set(one.action, one.label, one.options, values.get(one.action) or one.chosen)
        for one in choices
    ]
    return dialog("edit", texts("edit"), texts("edit_submit"), about, fields, fault)


def open_ticket_form(
    texts: Texts,
    about: About,
    requester: str,
    people: People,
    summary: str = "",
    *,
    fault: str | None = None,
    values: Mapping[str, str] = NOTHING_TYPED,
) -> Element:
    """A ticket for somebody, from a message; requester is an id. Fields: requester, summary, note."""
    kept = {"requester": requester, "summary": summary, **values}
    required = {"isRequired": True, "errorMessage": texts("choose_person")}
    written = [
        *text_input(texts, "summary", texts("open_ticket_summary"), "", kept),
        *text_input(texts, "note", texts("open_ticket_note"), texts("open_ticket_note_hint"), kept, required=False),
    ]
    room = LARGEST_CARD - ENVELOPE - size(written)
    person = person_choice("requester", texts("open_ticket_requester"), people, kept["requester"], room)
    fields = [person | required, *written]
    title, submit = texts("open_ticket_title"), texts("open_ticket_submit")
    return dialog("open_ticket", title, submit, about, fields, fault, height="large")


def dialog(
    name: str,
    title: str,
    submit: str,
    about: About,
    fields: Iterable[Element],
    fault: str | None,
    *,
    height: str = "medium",
) -> Element:
    """A dialog; fault: why it was refused when it was sent, above its fields."""
    action = {"type": "Action.Submit", "title": submit, "style": "positive", "data": {"lotse": {**about, "form": name}}}
    elements = [*fault_elements(fault), *fields]
    return {
        "title": title,
        "height": height,
        "width": "medium",
        "card": {"contentType": CARD_TYPE, "content": whole_card(elements, [action], title)},
    }


def fault_elements(fault: str | None) -> Iterator[Element]:
    if fault:
        yield container(markdown_elements(fault, frozenset()), "attention")


# --- fields -----------------------------------------------------------------------------------------------------------
def text_input(
    texts: Texts, name: str, label: str, hint: str, values: Mapping[str, str], *, required: bool = True
) -> Iterator[Element]:
    """A field for some lines, with who reads them below it."""
    typed = shorten(cleaned(values.get(name, "")), LONGEST_INPUT)
    needed = {"isRequired": True, "errorMessage": texts("nothing_written")} if required else {}
    yield {
        "type": "Input.Text",
        "id": name,
        "label": shorten(one_line(label), LONGEST_LABEL),
        "isMultiline": True,
        "maxLength": LONGEST_INPUT,
        **needed,
        **({"value": typed} if typed else {}),
    }
    if hint:
        yield line([run(one_line(hint), size="Small", isSubtle=True)], "None")


def toggle(name: str, label: str, title: str, values: Mapping[str, str]) -> Element:
    return {
        "type": "Input.Toggle",
        "id": name,
        "label": label,
        "title": title,
        "valueOn": YES,
        "valueOff": NO,
        "value": YES if values.get(name) == YES else NO,
        "wrap": True,
    }


def choice_set(name: str, label: str, options: Sequence[tuple[str, str]], chosen: str | None) -> Element:
    """A list to choose one from, the chosen one selected."""
    choices = [{"title": one_line(title) or value, "value": value} for value, title in options]
    selected = {"value": chosen} if chosen in dict(options) else {}
    return {
        "type": "Input.ChoiceSet",
        "id": name,
        "label": shorten(one_line(label), LONGEST_LABEL),
        "style": "compact",
        "choices": choices,
        **selected,
    }


def person_choice(
    name: str, label: str, people: People, chosen: str | None, room: int = MOST_BYTES_OF_PEOPLE
) -> Element:
    """A list of people that can be searched; where they are unknown or too many, Teams looks them up as one types."""
    field = choice_set(name, label, people, chosen) | {"style": "filtered"}
    if people and size(field) <= min(room, MOST_BYTES_OF_PEOPLE):
        return field
    kept = [one for one in field["choices"] if one["value"] == chosen]
    return field | {"choices": kept, "choices.data": EVERYBODY_HERE}


# --- what was sent ----------------------------------------------------------------------------------------------------
def values_of(data: object) -> FormValues | None:
    """What a dialog held; None when it is not one of Lotse's."""
    held = data.get("lotse") if isinstance(data, Mapping) else None
    about = texts_in(held)
    form = about.pop("form", "")
    if not form:
        return None
    fields = {name: as_field(name, value) for name, value in texts_in(data).items()}
    return FormValues(form, about, fields)


def texts_in(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    return {name: text for name, text in value.items() if isinstance(name, str) and isinstance(text, str)}


def as_field(name: str, value: str) -> str:
    if name in TOGGLES:
        return YES if value == YES else ""
    return value
