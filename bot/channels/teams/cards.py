"""A reply as messages of Teams, each an Adaptive Card, and what a press on one of them says."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.channels.cutting import shorten
from bot.channels.port import Button, Reply
from bot.channels.teams.markdown import markdown_elements
from bot.channels.teams.pieces import (
    DIALOGS,
    ENVELOPE,
    LARGEST_CARD,
    LONGEST_BUTTON,
    LONGEST_LABEL,
    NOTHING,
    Post,
    action_elements,
    link_lines,
    one_line,
    placed,
    press_action,
)
from bot.channels.teams.rich import (
    BOLD,
    Element,
    container,
    is_heading,
    line,
    plain_elements,
    run,
    text_of,
)
from bot.channels.teams.split import split_elements
from bot.channels.teams.ticket_card import ticket_post
from bot.texts import Texts

LONGEST_SUMMARY, LONGEST_NAME = 120, 80
NOTE_MARK = "🔒 "
STACKED = {"choose"}  # titles of articles, one below the other: side by side Teams cuts them short


@dataclass(frozen=True)
class TeamsMessage:
    """One post. summary: what a notification says, plain, never empty."""

    card: Element
    summary: str


@dataclass(frozen=True)
class Mention:
    """Somebody who is to be notified: their id in Teams, and the name shown."""

    id: str
    name: str


@dataclass(frozen=True)
class Pressed:
    """A press on a card: the action's name, the key of the reply, and the value of the button."""

    action: str
    key: str
    value: str

    @property
    def opens_dialog(self) -> bool:
        return self.action in DIALOGS


def to_messages(
    reply: Reply, key: str, absolute: Callable[[str], str], texts: Texts, *, to: Mention | None = None
) -> list[TeamsMessage]:
    """One or several messages; a ticket's card always is one. key is carried by what can be pressed and by the first
    element, absolute makes an address of Lotse a whole one, texts has the words of the card itself, to is mentioned."""
    if reply.card is not None:
        title = [reply.card.title, reply.card.summary]
        return [message(ticket_post(reply, reply.card, key, absolute, texts), key, 0, summary_of(title))]
    buttons, titles = numbered(reply.buttons)
    parts = split_elements([*body(reply), *titles], LARGEST_CARD - ENVELOPE)
    stacked = [one for one in buttons if one.action in STACKED]
    below = [*({"type": "ActionSet", "actions": [press_action(one, key)]} for one in stacked)]
    below += link_lines(reply.links, absolute)
    posts = put_below(parts, below, action_elements([one for one in buttons if one not in stacked], key))
    summaries = [part_summary(post, reply) for post in posts]
    counted(posts, reply)
    if to is not None:
        posts[0].text.insert(0, mention_line(to))
    mentions = [[to]] if to is not None else []
    return [
        message(post, key, number, summary, *mentions[number : number + 1])
        for number, (post, summary) in enumerate(zip(posts, summaries, strict=True))
    ]


def message(post: Post, key: str, number: int, summary: str, mentioned: Iterable[Mention] = ()) -> TeamsMessage:
    first, *rest = post.text + post.links
    named = [{"id": f"lotse-{key}-{number}", **first}, *rest]
    return TeamsMessage(whole_card(named, post.actions, summary, mentioned), summary)


def whole_card(
    elements: list[Element], actions: Sequence[Element], summary: str, mentioned: Iterable[Mention] = ()
) -> Element:
    """An Adaptive Card; summary is what a Teams shows that cannot show the card."""
    entities = [mention_entity(one) for one in mentioned]
    return {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        "msteams": {"width": "full", **({"entities": entities} if entities else {})},
        "fallbackText": summary,
        "body": elements,
        **({"actions": list(actions)} if actions else {}),
    }


# --- text -------------------------------------------------------------------------------------------------------------
def body(reply: Reply) -> list[Element]:
    """The words of a reply under the name of who speaks; a note is set apart, so that agents see at once what it is."""
    plain = reply.author is not None
    elements = plain_elements(reply.text) if plain else markdown_elements(reply.text, reply.allowed_links)
    name = speaker(reply)
    head = [line([run(name, BOLD)])] if name else []
    elements = [*head, *elements] or [line([run(NOTHING)])]
    return [container(elements, "warning")] if reply.note else elements


def speaker(reply: Reply) -> str:
    """Who speaks through Lotse, with the lock of a note; empty when it is Lotse itself."""
    name = shorten(one_line(reply.author or ""), LONGEST_NAME)
    return f"{NOTE_MARK}{name}".strip() if reply.note else name


def part_summary(post: Post, reply: Reply) -> str:
    """Who speaks or what it is about, and the first words; where there are none, what can be opened."""
    title, (first, *rest) = speaker(reply), text_of(post.text).split("\n")
    if not title and rest and is_heading(post.text[0]):
        title = first
    told = " ".join(rest if first == title else [first, *rest])
    return summary_of([title, told or text_of(post.links)], ": ")


def summary_of(told: Iterable[str], between: str = " – ") -> str:
    """For notifications."""
    return shorten(between.join(filter(None, map(one_line, told))), LONGEST_SUMMARY) or NOTHING


def put_below(parts: Sequence[list[Element]], links: Iterable[Element], actions: Iterable[Element]) -> list[Post]:
    """The posts; what stands below the text is below the last, in posts of its own only where it is long."""
    posts = [Post(part) for part in parts]
    for one in links:
        if not posts[-1].has_room(one):
            posts.append(Post([]))
        posts[-1].links.append(one)
    for one in actions:
        if not posts[-1].has_room(one):
            posts.append(Post([]))
        posts[-1].actions.append(one)
    for post in posts:
        post.actions = [placed(action, number) for number, action in enumerate(post.actions)]
    return posts


def counted(posts: Sequence[Post], reply: Reply) -> None:
    """Each post after the first says which of how many it is, and who speaks."""
    for number, post in enumerate(posts[1:], 2):
        name = speaker(reply)
        named = [run(f"{name} ", BOLD)] if name else []
        post.text.insert(0, line([*named, run(f"({number}/{len(posts)})", isSubtle=True)]))


def numbered(buttons: Sequence[Button]) -> tuple[tuple[Button, ...], list[Element]]:
    """Where a label is too long for a button, those of its action become numbers, with the labels as a list above."""
    long = {button.action for button in buttons if len(one_line(button.label)) > LONGEST_BUTTON}
    numbers = {button: str(n) for n, button in enumerate((one for one in buttons if one.action in long), 1)}
    labels = [
        line([run(f"{number}. {one_line(button.label) or NOTHING}")], "Small") for button, number in numbers.items()
    ]
    return tuple(replace(one, label=numbers.get(one, one.label)) for one in buttons), labels


# --- mentions ---------------------------------------------------------------------------------------------------------
def mention_line(to: Mention) -> Element:
    return {"type": "TextBlock", "text": at(to), "wrap": True}


def mention_entity(to: Mention) -> Element:
    return {"type": "mention", "text": at(to), "mentioned": {"id": to.id, "name": mentioned_name(to)}}


def at(to: Mention) -> str:
    return f"<at>{mentioned_name(to)}</at>"


def mentioned_name(to: Mention) -> str:
    """The name without what would be formatting in the one text that Teams parses."""
    return shorten(one_line(re.sub(r"[*_~`\[\]<>#\\|]", " ", to.name)), LONGEST_NAME) or NOTHING


# --- small cards ------------------------------------------------------------------------------------------------------
def notice(text: str, links: frozenset[str] = frozenset()) -> Element:
    """A card for a sentence or two of Lotse; it says where it had to end."""
    elements = markdown_elements(text, links) or [line([run(NOTHING)])]
    first, *others = split_elements(elements, LARGEST_CARD - ENVELOPE)
    more = [line([run(NOTHING)])] if others else []
    return whole_card([*first, *more], (), summary_of([text_of(first)]))


def welcome(texts: Texts) -> Element:
    """Whom Lotse greets learns what it is, how to ask, and how to get a person."""
    questions = [texts(f"welcome_question_{name}") for name in ("password", "vpn", "tickets")]
    elements = [
        line([run(texts("welcome_hello"), BOLD, size="Medium")]),
        *(line([run(texts(name))]) for name in ("welcome_how", "welcome_person", "welcome_examples")),
    ]
    return whole_card(elements, [question_action(one) for one in questions], texts("welcome_hello"))


def question_action(question: str) -> Element:
    """A press writes the question, as if the person had typed it."""
    return {"type": "Action.Submit", "title": question, "data": {"msteams": {"type": "imBack", "value": question}}}


# --- presses ----------------------------------------------------------------------------------------------------------
def pressed(data: object) -> Pressed | None:
    """What an action carried; None when it is not one of Lotse's."""
    about = data.get("lotse") if isinstance(data, Mapping) else None
    if not isinstance(about, Mapping):
        return None
    action, key, value = (about.get(name, "") for name in ("action", "key", "value"))
    if not (isinstance(action, str) and isinstance(key, str) and isinstance(value, str) and action):
        return None
    return Pressed(action, key, value)


def settled(card: Mapping[str, Any], label: str) -> Element:
    """A card after its press: one line says what was pressed, where the buttons were."""
    body = [one for one in card.get("body", ()) if one.get("type") != "ActionSet"]
    if not card.get("actions") and len(body) == len(card.get("body", ())):
        return dict(card)
    mark = line([run(f"✓ {shorten(one_line(label), LONGEST_LABEL)}", isSubtle=True)], "Medium")
    kept = {name: value for name, value in card.items() if name != "actions"}
    return kept | {"body": [*body, mark]}
