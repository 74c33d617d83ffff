"""A reply as messages of Slack, and what a press below one of them says."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.channels.cutting import shorten
from bot.channels.port import Button, Card, Choice, Fact, Link, Reply
from bot.channels.slack.rich import BOLD, Block, rich_text, section, span
from bot.channels.slack.text import escape, markdown_blocks, plain_blocks, split_blocks, text_of

LONGEST_FALLBACK, LONGEST_NAME = 3900, 80
LONGEST_HEADER, LONGEST_BUTTON, LONGEST_OPTION, LONGEST_PLACEHOLDER = 150, 75, 75, 150
LONGEST_SUMMARY, LONGEST_FACT, LONGEST_FACTS, LONGEST_RULE = 3000, 500, 5000, 1000
LONGEST_LABEL, LONGEST_LINK = 200, 3000
MOST_FACTS, MOST_LINKS, MOST_BUTTONS, MOST_OPTIONS = 10, 10, 5, 100
MOST_BELOW = 8  # blocks of links and buttons below the last part
NOTE_MARK = "🔒 "
NOTHING = "…"
SCHEMES = ("https://", "http://", "mailto:")
FORMATTED = re.compile(r"[*_~`]|:[\w+-]+:")
ACTION_ID = re.compile(r"lotse:(?!home_)([^:]+):\d+")


@dataclass(frozen=True)
class SlackMessage:
    """One post. text: what notifications and screen readers say, escaped, never empty; username, icon_url: of who
    speaks through Lotse."""

    text: str
    blocks: list[Block]
    username: str | None = None
    icon_url: str | None = None


@dataclass(frozen=True)
class Pressed:
    """A press below a reply: the action's name, the key of the reply, and the value of the button or the choice."""

    action: str
    key: str
    value: str


def to_messages(reply: Reply, key: str, absolute: Callable[[str], str]) -> list[SlackMessage]:
    """One or several posts; key is carried by what can be pressed, absolute makes an address of Lotse a whole one."""
    if reply.card is not None:
        blocks = list(card_blocks(reply, reply.card, key, absolute))
        return [SlackMessage(fallback(markdown_blocks(reply.text, frozenset())), blocks)]
    buttons, titles = numbered(reply.buttons)
    below = [*link_blocks(reply.links, absolute), *button_blocks(buttons, key)]
    parts = counted(put_below(split_blocks([*body(reply), *titles]), below))
    name = shorten(reply.author.strip(), LONGEST_NAME) if reply.author and reply.author.strip() else None
    image = reply.image if reply.image and reply.image.startswith(SCHEMES) else None
    return [SlackMessage(text, blocks, name, image if name else None) for text, blocks in parts]


# --- text -------------------------------------------------------------------------------------------------------------
def body(reply: Reply) -> list[Block]:
    """The words of a reply; where there are none, the names of its files."""
    plain = reply.author is not None
    blocks = plain_blocks(reply.text) if plain else markdown_blocks(reply.text, reply.allowed_links)
    if not blocks:
        names = ", ".join(file.name for file in reply.files)
        blocks = plain_blocks(f"📎 {names}" if names else NOTHING)
    return with_note_mark(blocks) if reply.note else blocks


def with_note_mark(blocks: Sequence[Block]) -> list[Block]:
    """The lock before the first line: agents see at once that it is a note."""
    first, *rest = blocks
    mark = span(NOTE_MARK, BOLD)
    if first["type"] != "rich_text":
        return [rich_text([section([mark])]), *blocks]
    opening, *others = first["elements"]
    if opening["type"] != "rich_text_section":
        return [rich_text([section([mark]), opening, *others]), *rest]
    return [rich_text([section([mark, *opening["elements"]]), *others]), *rest]


def fallback(blocks: Iterable[Block]) -> str:
    """The words of blocks for the top level of a message: escaped, within its limit, never empty."""
    text = text_of(blocks).strip() or NOTHING
    if len(escape(text)) <= LONGEST_FALLBACK:
        return escape(text)
    cut = shorten(escape(shorten(text, LONGEST_FALLBACK)), LONGEST_FALLBACK)
    return re.sub(r"&[a-z]*…\Z", "…", cut)


def put_below(parts: list[list[Block]], below: Sequence[Block]) -> list[tuple[str, list[Block]]]:
    """Texts and blocks of the posts: what stands below is below the last, in a post of its own only when it is long."""
    posts = [(fallback(part), part) for part in parts]
    first, *further = split_blocks(below, most_blocks=MOST_BELOW) or [[]]
    text, last = posts[-1]
    return [*posts[:-1], (text, [*last, *first]), *((fallback(part), part) for part in further)]


def counted(posts: Sequence[tuple[str, list[Block]]]) -> list[tuple[str, list[Block]]]:
    """Each post after the first says which of how many it is."""
    marks = [
        [context([plain(f"({number}/{len(posts)})")])] if number > 1 else [] for number in range(1, len(posts) + 1)
    ]
    return [(text, [*mark, *blocks]) for mark, (text, blocks) in zip(marks, posts, strict=True)]


# --- links and buttons ------------------------------------------------------------------------------------------------
def link_blocks(links: Sequence[Link], absolute: Callable[[str], str]) -> Iterator[Block]:
    for row in rows([mrkdwn(linked(link, absolute)) for link in links], MOST_LINKS):
        yield context(row)


def linked(link: Link, absolute: Callable[[str], str]) -> str:
    """`<address|label>`, or the label alone when the address cannot be a link."""
    url = link.url if link.url.startswith(SCHEMES) else absolute(link.url)
    label = escape(shorten(one_line(link.label), LONGEST_LABEL)).replace("|", "¦")
    found = f"<{address_in_link(url)}|{label}>"
    return found if url.startswith(SCHEMES) and len(found) <= LONGEST_LINK else label


def address_in_link(url: str) -> str:
    for char, code in (("&", "&amp;"), ("<", "%3C"), (">", "%3E"), ("|", "%7C"), (" ", "%20")):
        url = url.replace(char, code)
    return url


def button_blocks(buttons: Sequence[Button], key: str) -> Iterator[Block]:
    elements = [button_element(button, key, number) for number, button in enumerate(buttons)]
    for row in rows(elements, MOST_BUTTONS):
        yield {"type": "actions", "elements": row}


def button_element(button: Button, key: str, number: int) -> Block:
    style = {} if button.style == "plain" else {"style": button.style}
    return {
        "type": "button",
        "action_id": f"lotse:{button.action}:{number}",
        "text": plain(button.label, LONGEST_BUTTON),
        "value": f"{key}|{button.value}",
        **style,
    }


def numbered(buttons: Sequence[Button]) -> tuple[tuple[Button, ...], list[Block]]:
    """Where a label is too long for a button, those of its action become numbers, with the labels as a list above."""
    long = {button.action for button in buttons if len(button.label) > LONGEST_BUTTON}
    numbers = {button: str(n) for n, button in enumerate((one for one in buttons if one.action in long), 1)}
    if not numbers:
        return tuple(buttons), []
    items = [section([span(one_line(button.label) or NOTHING)]) for button in numbers]
    listed = rich_text([{"type": "rich_text_list", "style": "ordered", "elements": items}])
    return tuple(replace(one, label=numbers.get(one, one.label)) for one in buttons), [listed]


# --- card -------------------------------------------------------------------------------------------------------------
def card_blocks(reply: Reply, card: Card, key: str, absolute: Callable[[str], str]) -> Iterator[Block]:
    """A ticket: what it is, whose it is, the ways to it, and what can be done with it."""
    yield {"type": "header", "text": plain(card.title, LONGEST_HEADER)}
    yield from plain_blocks(shorten(card.summary, LONGEST_SUMMARY))
    most = min(LONGEST_FACT, LONGEST_FACTS // max(1, len(card.facts)))
    for fields in rows([fact_field(fact, most) for fact in card.facts], MOST_FACTS):
        yield {"type": "section", "fields": fields}
    yield from link_blocks(reply.links, absolute)
    yield from button_blocks(reply.buttons, key)
    yield from choice_blocks(card.choices, key, len(reply.buttons))
    if card.rule.strip():
        yield context([plain(card.rule, LONGEST_RULE)])


def fact_field(fact: Fact, most: int) -> Block:
    """Label over value; a value in which Slack would see formatting is shown without any."""
    label, value = shorten(fact.label, most), shorten(fact.value, most).strip() or "–"
    if FORMATTED.search(label + value):
        return plain(f"{label}\n{value}")
    return mrkdwn(f"*{escape(label)}*\n{escape(value)}")


def choice_blocks(choices: Sequence[Choice], key: str, start: int) -> Iterator[Block]:
    """Lists side by side; one of people in a block of its own, whose name carries the key that its value cannot."""
    for number, choice in enumerate(choices, start):
        if choice.people:
            yield {
                "type": "actions",
                "block_id": f"{key}|{choice.action}|{number}",
                "elements": [people_element(choice, number)],
            }
    lists = [select_element(one, key, number) for number, one in enumerate(choices, start) if one.options]
    for row in rows(lists, MOST_BUTTONS):
        yield {"type": "actions", "elements": row}


def people_element(choice: Choice, number: int) -> Block:
    chosen = {"initial_user": choice.chosen} if choice.chosen else {}
    return {
        "type": "users_select",
        "action_id": f"lotse:{choice.action}:{number}",
        "placeholder": plain(choice.label, LONGEST_PLACEHOLDER),
        **chosen,
    }


def select_element(choice: Choice, key: str, number: int) -> Block:
    """A list with its options, the chosen one selected; of too many options those at the end are left out."""
    by_value = dict(choice.options)
    kept = dict(list(by_value.items())[:MOST_OPTIONS])
    if choice.chosen in by_value and choice.chosen not in kept:
        kept.popitem()
        kept[choice.chosen] = by_value[choice.chosen]
    options = {value: option(f"{key}|{value}", label) for value, label in kept.items()}
    chosen = {"initial_option": options[choice.chosen]} if choice.chosen in options else {}
    return {
        "type": "static_select",
        "action_id": f"lotse:{choice.action}:{number}",
        "placeholder": plain(choice.label, LONGEST_PLACEHOLDER),
        "options": list(options.values()),
        **chosen,
    }


# --- presses ----------------------------------------------------------------------------------------------------------
def pressed(payload_action: Mapping[str, Any]) -> Pressed | None:
    """What one entry of `actions` in a payload says; None when it is not of a reply, or nothing is chosen."""
    named = ACTION_ID.fullmatch(str(payload_action.get("action_id", "")))
    key, separator, value = carried(payload_action).partition("|")
    if named is None or not separator:
        return None
    return Pressed(named[1], key, value)


def carried(payload_action: Mapping[str, Any]) -> str:
    """`key|value` of a button, a list or a list of people; empty when nothing is chosen."""
    if payload_action.get("type") == "users_select":
        user, block_id = payload_action.get("selected_user"), str(payload_action.get("block_id", ""))
        return f"{block_id.partition('|')[0]}|{user}" if user and "|" in block_id else ""
    if payload_action.get("type") == "static_select":
        return str((payload_action.get("selected_option") or {}).get("value", ""))
    return str(payload_action.get("value", ""))


def settled(blocks: Sequence[Mapping[str, Any]], label: str) -> list[Block]:
    """A message after its press: one line says what was pressed, where the first buttons were; all buttons are gone."""
    first = next((number for number, block in enumerate(blocks) if block["type"] == "actions"), None)
    line = context([mrkdwn(f"✓ {escape(shorten(one_line(label), LONGEST_LABEL))}")])
    marked = ((line if number == first else dict(block)) for number, block in enumerate(blocks))
    return [block for block in marked if block["type"] != "actions"]


# --- objects ----------------------------------------------------------------------------------------------------------
def plain(text: str, most: int = 2000) -> Block:
    """Text that is shown as it is, in one piece, never empty."""
    return {"type": "plain_text", "text": shorten(text.strip(), most) or NOTHING, "emoji": False}


def mrkdwn(text: str) -> Block:
    """Escaped text; verbatim: what looks like a mention or an address stays plain."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def context(elements: list[Block]) -> Block:
    return {"type": "context", "elements": elements}


def option(value: str, label: str) -> Block:
    return {"value": value, "text": plain(label, LONGEST_OPTION)}


def rows(elements: Sequence[Block], most: int) -> Iterator[list[Block]]:
    for start in range(0, len(elements), most):
        yield list(elements[start : start + most])


def one_line(text: str) -> str:
    return " ".join(text.split())
