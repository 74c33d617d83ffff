"""The Home tab and the forms of Lotse in Slack, from plain values, and what a form held when it was sent."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.channels.cutting import shorten
from bot.channels.slack.blocks import LONGEST_BUTTON, context, option, plain, rows
from bot.channels.slack.rich import BOLD, Block, link, rich_text, section, span
from bot.texts import Texts

MOST_BLOCKS = 100
MOST_OUTAGES, MOST_QUESTIONS, QUESTIONS_IN_ROW = 20, 20, 5
LONGEST_LINE, LONGEST_VALUE, LONGEST_INPUT, LONGEST_URL, LONGEST_TITLE = 300, 2000, 3000, 3000, 24
URLS = ("https://", "http://")
HOME_ACTION = re.compile(r"lotse:home_([a-z]+)(?::\d+)?")
YES = "yes"


@dataclass(frozen=True)
class HomeTicket:
    """A ticket as its requester sees it. state, who: in words (`in progress`, `Maren is on it`); url: its thread."""

    number: str
    summary: str
    state: str
    who: str
    url: str | None = None


@dataclass(frozen=True)
class HomeOutage:
    """A known outage, by the summary of its ticket."""

    number: str
    summary: str


# --- the Home tab -----------------------------------------------------------------------------------------------------
def home_view(
    texts: Texts, tickets: Sequence[HomeTicket], outages: Sequence[HomeOutage], questions: Sequence[str]
) -> Block:
    """Own tickets, known outages, frequent questions, settings; language and address are those of texts. Where a list
    is too long for the tab, it says how many more there are."""
    above = [rich_text([section([span(texts("home_hello"))])]), start_buttons(texts)]
    below = [*outage_blocks(texts, outages), *question_blocks(texts, questions), *setting_blocks(texts)]
    room = MOST_BLOCKS - len(above) - len(below) - 2  # a title and a line that says how many more
    return {"type": "home", "blocks": [*above, *ticket_blocks(texts, tickets, room), *below]}


def start_buttons(texts: Texts) -> Block:
    return {
        "type": "actions",
        "elements": [
            home_button("form", texts("home_form")) | {"style": "primary"},
            home_button("person", texts("home_person")),
        ],
    }


def ticket_blocks(texts: Texts, tickets: Sequence[HomeTicket], room: int) -> Iterator[Block]:
    yield header(texts("home_tickets"))
    if not tickets:
        yield context([plain(texts("home_tickets_empty"))])
    for ticket in tickets[:room]:
        told = " · ".join(filter(None, (ticket.state, ticket.who)))
        summary = shorten(" ".join(ticket.summary.split()), LONGEST_LINE)
        yield rich_text([section([numbered(ticket), span(f" {summary}\n"), span(told, ["italic"])])])
    yield from more(texts, tickets, room)


def numbered(ticket: HomeTicket) -> Block:
    """The number, as a link to the ticket's thread where that can be had."""
    url = ticket.url or ""
    linked = url.startswith(URLS) and len(url) <= LONGEST_URL
    return link(url, ticket.number, BOLD) if linked else span(ticket.number, BOLD)


def outage_blocks(texts: Texts, outages: Sequence[HomeOutage]) -> Iterator[Block]:
    yield header(texts("home_outages"))
    if not outages:
        yield context([plain(texts("home_outages_empty"))])
    for outage in outages[:MOST_OUTAGES]:
        summary = shorten(" ".join(outage.summary.split()), LONGEST_LINE)
        yield rich_text([section([span(outage.number, BOLD), span(f" {summary}")])])
    yield from more(texts, outages, MOST_OUTAGES)


def question_blocks(texts: Texts, questions: Sequence[str]) -> Iterator[Block]:
    """A button for each question; the whole question is its value, however short the label."""
    if questions:
        yield header(texts("home_questions"))
    buttons = [
        home_button(f"ask:{number}", question) | {"value": shorten(question, LONGEST_VALUE)}
        for number, question in enumerate(questions[:MOST_QUESTIONS])
    ]
    for row in rows(buttons, QUESTIONS_IN_ROW):
        yield {"type": "actions", "elements": row}


def setting_blocks(texts: Texts) -> Iterator[Block]:
    """The language, and in German the form of address."""
    yield header(texts("home_settings"))
    languages = [option(name, texts(f"language_{name}")) for name in ("de", "en")]
    selects = [home_select("language", texts("home_language"), languages, texts.language)]
    if texts.language == "de":
        addresses = [option(name, texts(f"address_{name}")) for name in ("sie", "du")]
        selects.append(home_select("address", texts("home_address"), addresses, texts.address))
    yield {"type": "actions", "elements": selects}


def more(texts: Texts, items: Sequence[object], shown: int) -> Iterator[Block]:
    if len(items) > shown:
        yield context([plain(texts("and_more", count=len(items) - shown))])


def home_button(name: str, label: str) -> Block:
    return {"type": "button", "action_id": f"lotse:home_{name}", "text": plain(label, LONGEST_BUTTON)}


def home_select(name: str, label: str, options: list[Block], chosen: str) -> Block:
    initial = [{"initial_option": one} for one in options if one["value"] == chosen]
    return {
        "type": "static_select",
        "action_id": f"lotse:home_{name}",
        "placeholder": plain(label, 150),
        "options": options,
        **(initial[0] if initial else {}),
    }


def home_pressed(payload_action: Mapping[str, Any]) -> tuple[str, str] | None:
    """What was pressed on the Home tab and with which value: (`ask`, the question), (`form`, ``), (`person`, ``),
    (`language`, `de`), (`address`, `du`); None for anything else."""
    named = HOME_ACTION.fullmatch(str(payload_action.get("action_id", "")))
    chosen = payload_action.get("selected_option") or payload_action
    return (named[1], str(chosen.get("value") or "")) if named else None


# --- forms ------------------------------------------------------------------------------------------------------------
def ask_modal(texts: Texts, metadata: str, question: str = "") -> Block:
    """A question, and whether a person is wanted at once. Fields: question, person."""
    blocks = [
        text_input("question", texts("ask_question"), texts("ask_question_hint"), question),
        checkbox("person", texts("ask_person"), texts("ask_person_option")),
    ]
    return modal("ask", texts("ask_title"), texts("form_send"), texts, metadata, blocks)


def open_ticket_modal(texts: Texts, metadata: str, requester: str | None, summary: str) -> Block:
    """A ticket for somebody, from a message. Fields: requester (a user id), summary, note."""
    person = {"type": "users_select", "action_id": "requester"} | ({"initial_user": requester} if requester else {})
    blocks = [
        field("requester", texts("open_ticket_requester"), person),
        text_input("summary", texts("open_ticket_summary"), initial=summary),
        text_input("note", texts("open_ticket_note"), texts("open_ticket_note_hint"), optional=True),
    ]
    return modal("open_ticket", texts("open_ticket_title"), texts("open_ticket_submit"), texts, metadata, blocks)


def note_modal(texts: Texts, metadata: str, number: str) -> Block:
    """A note for agents on a ticket. Field: text."""
    blocks = [text_input("text", texts("note_text", number=number), texts("note_hint"))]
    return modal("note", texts("note_title"), texts("form_send"), texts, metadata, blocks)


def reply_modal(texts: Texts, metadata: str, number: str, name: str) -> Block:
    """A reply to the requester; name is theirs. Field: text."""
    label, hint = texts("reply_text", name=name, number=number), texts("reply_hint", name=name)
    return modal("reply", texts("reply_title"), texts("form_send"), texts, metadata, [text_input("text", label, hint)])


def resolve_modal(texts: Texts, metadata: str, number: str, name: str) -> Block:
    """What helped and what it was; name is the requester's. Fields: fix, cause, article."""
    fix, fix_hint = texts("resolve_fix", number=number), texts("resolve_fix_hint", name=name)
    cause_hint = texts("resolve_cause_hint", name=name)
    blocks = [
        text_input("fix", fix, fix_hint, optional=True),
        text_input("cause", texts("resolve_cause"), cause_hint, optional=True),
        checkbox("article", texts("resolve_article"), texts("resolve_article_option")),
    ]
    return modal("resolve", texts("resolve_title"), texts("resolve_submit"), texts, metadata, blocks)


def modal(name: str, title: str, submit: str, texts: Texts, metadata: str, blocks: list[Block]) -> Block:
    return {
        "type": "modal",
        "callback_id": f"lotse:{name}",
        "title": plain(title, LONGEST_TITLE),
        "submit": plain(submit, LONGEST_TITLE),
        "close": plain(texts("form_cancel"), LONGEST_TITLE),
        "private_metadata": metadata,
        "blocks": blocks,
    }


def field(name: str, label: str, element: Block, hint: str = "", *, optional: bool = False) -> Block:
    """A field of a form; its name is the key of errors shown below it."""
    hints = {"hint": plain(hint)} if hint else {}
    return {
        "type": "input",
        "block_id": name,
        "label": plain(label),
        "element": element,
        "optional": optional,
        **hints,
    }


def text_input(name: str, label: str, hint: str = "", initial: str = "", *, optional: bool = False) -> Block:
    filled = {"initial_value": shorten(initial, LONGEST_INPUT)} if initial else {}
    element = {"type": "plain_text_input", "action_id": name, "multiline": True, "max_length": LONGEST_INPUT, **filled}
    return field(name, label, element, hint, optional=optional)


def checkbox(name: str, label: str, choice: str) -> Block:
    element = {"type": "checkboxes", "action_id": name, "options": [option(YES, choice)]}
    return field(name, label, element, optional=True)


def values_of(view: Mapping[str, Any]) -> dict[str, str]:
    """The fields of a form that was sent, by name: texts as typed, user ids, `yes` or nothing for a checkbox."""
    inputs: Iterable[Mapping[str, Any]] = ((view.get("state") or {}).get("values") or {}).values()
    return {name: value_of(state) for fields in inputs for name, state in fields.items()}


def value_of(state: Mapping[str, Any]) -> str:
    if "selected_options" in state:
        return YES if state["selected_options"] else ""
    chosen = (state.get("selected_option") or {}).get("value")
    return str(state.get("value") or state.get("selected_user") or chosen or "")


def header(text: str) -> Block:
    return {"type": "header", "text": plain(text, 150)}
