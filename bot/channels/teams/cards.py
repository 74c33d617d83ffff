"""A reply as messages of Teams, each an Adaptive Card, and what a press on one of them says."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from bot.channels.cutting import shorten
from bot.channels.port import Button, Card, Fact, Link, Reply
from bot.channels.teams.rich import (
    BOLD,
    Element,
    cleaned,
    container,
    is_heading,
    line,
    link,
    markdown_elements,
    plain_elements,
    run,
    text_of,
)
from bot.channels.teams.split import size, split_elements
from bot.texts import Texts

LARGEST_CARD = 25_000  # bytes of JSON; Teams takes 28,672 for the whole activity
ENVELOPE = 3_000  # bytes kept for what surrounds the words: the card itself, its mark, a mention
LONGEST_SUMMARY, LONGEST_NAME, LONGEST_BUTTON, LONGEST_LABEL, LONGEST_LINK = 120, 80, 60, 200, 2000
LONGEST_TITLE, LONGEST_TOLD, LONGEST_FACT, LONGEST_FACTS, LONGEST_RULE = 200, 2000, 500, 4000, 600
MOST_FACTS, MOST_LINKS, MOST_PRIMARY, LINKS_IN_ROW = 40, 10, 6, 5
LEAST_SCALE = 1 / 64
NOTE_MARK = "🔒 "
NOTHING = "…"
SCHEMES = ("https://", "http://")
STYLES = {"primary": "positive", "danger": "destructive"}
DIALOGS = {"reply", "note", "resolve", "edit"}
FETCH = {"type": "task/fetch"}
# What Teams may take for formatting in a FactSet, the only place of a card where it would.
FORMATTED = re.compile(r"[*_~`\[\]<>#\\|{}\n]|&#?\w+;|://|www\.|\A(?:\d+[.)]|[-+])\s")


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


@dataclass
class Post:
    """What one message will hold."""

    text: list[Element]
    links: list[Element] = field(default_factory=list)
    actions: list[Element] = field(default_factory=list)

    def has_room(self, more: Element) -> bool:
        return size([self.text, self.links, self.actions, more]) <= LARGEST_CARD - ENVELOPE


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
    below = [*link_lines(reply.links, absolute)]
    posts = put_below(parts, below, action_elements(buttons, key))
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


# --- links and buttons ------------------------------------------------------------------------------------------------
def link_lines(links: Sequence[Link], absolute: Callable[[str], str], longest: int = LONGEST_LINK) -> Iterator[Element]:
    """Small and beside each other."""
    for start in range(0, len(links), LINKS_IN_ROW):
        runs: list[Element] = []
        for one in links[start : start + LINKS_IN_ROW]:
            runs += [*([small(" · ")] if runs else []), linked(one, absolute, longest)]
        yield line(runs, "Small" if start else "Medium")


def linked(one: Link, absolute: Callable[[str], str], longest: int) -> Element:
    """A label that opens its address, or the label alone when the address cannot be a link."""
    url = cleaned(one.url if one.url.startswith(SCHEMES) else absolute(one.url)).strip().replace(" ", "%20")
    label = small(shorten(one_line(one.label), LONGEST_LABEL) or NOTHING)
    return link(label, url) if url.startswith(SCHEMES) and len(url) <= longest else label


def small(text: str) -> Element:
    return run(text, size="Small", isSubtle=True)


def action_elements(buttons: Iterable[Button], key: str, *, of_card: bool = False) -> Iterator[Element]:
    for button in buttons:
        opens = of_card and button.action in DIALOGS
        yield dialog_action(button, key) if opens else press_action(button, key)


def press_action(button: Button, key: str) -> Element:
    """What is pressed comes back with its card; where Teams is too old for that, as a message."""
    title, data = button_title(button), carried(button, key)
    return {
        "type": "Action.Execute",
        "title": title,
        "verb": button.action,
        "data": data,
        **styled(button),
        "fallback": {"type": "Action.Submit", "title": title, "data": data},
    }


def dialog_action(button: Button, key: str) -> Element:
    data = {**carried(button, key), "msteams": FETCH}
    return {"type": "Action.Submit", "title": button_title(button), "data": data, **styled(button)}


def carried(button: Button, key: str) -> Element:
    return {"lotse": {"action": button.action, "key": key, "value": button.value}}


def styled(button: Button) -> Element:
    return {"style": STYLES[button.style]} if button.style in STYLES else {}


def button_title(button: Button) -> str:
    return shorten(one_line(button.label), LONGEST_BUTTON) or NOTHING


def placed(action: Element, number: int) -> Element:
    """Those that have no place beside the first are behind `…`."""
    return action if number < MOST_PRIMARY else action | {"mode": "secondary"}


def numbered(buttons: Sequence[Button]) -> tuple[tuple[Button, ...], list[Element]]:
    """Where a label is too long for a button, those of its action become numbers, with the labels as a list above."""
    long = {button.action for button in buttons if len(one_line(button.label)) > LONGEST_BUTTON}
    numbers = {button: str(n) for n, button in enumerate((one for one in buttons if one.action in long), 1)}
    labels = [
        line([run(f"{number}. {one_line(button.label) or NOTHING}")], "Small") for button, number in numbers.items()
    ]
    return tuple(replace(one, label=numbers.get(one, one.label)) for one in buttons), labels


# --- card -------------------------------------------------------------------------------------------------------------
def ticket_post(reply: Reply, card: Card, key: str, absolute: Callable[[str], str], texts: Texts) -> Post:
    """A ticket in one message: what is too long is shortened until it fits."""
    actions = [placed(action, number) for number, action in enumerate(ticket_actions(reply, card, key, texts))]
    scale = 1.0
    while True:
        post = Post(ticket_body(reply, card, absolute, scale), actions=actions)
        if scale <= LEAST_SCALE or post.has_room({}):
            return post
        scale /= 2


def ticket_actions(reply: Reply, card: Card, key: str, texts: Texts) -> list[Element]:
    """Its buttons; the one that stands for all choices is among those that are seen at once."""
    buttons = list(reply.buttons)
    if card.choices:
        buttons.insert(MOST_PRIMARY - 1, Button("edit", texts("edit"), card.choices[0].value))
    return list(action_elements(buttons, key, of_card=True))


def ticket_body(reply: Reply, card: Card, absolute: Callable[[str], str], scale: float) -> list[Element]:
    """What a ticket is, whose it is, the ways to it, and who reads what is written below it."""

    def short(text: str, most: int) -> str:
        return shorten(cleaned(text).strip(), max(1, int(most * scale)))

    facts = card.facts[:MOST_FACTS]
    most = min(LONGEST_FACT, LONGEST_FACTS // max(1, len(facts)))
    shown = [Fact(one_line(short(fact.label, most)), short(fact.value, most)) for fact in facts]
    links, longest = reply.links[: max(1, int(MOST_LINKS * scale))], int(LONGEST_LINK * scale)
    rule = one_line(short(card.rule, LONGEST_RULE))
    return [
        line([run(one_line(short(card.title, LONGEST_TITLE)) or NOTHING, BOLD, size="Medium")]),
        *plain_elements(short(card.summary, LONGEST_TOLD)),
        *fact_elements(shown),
        *link_lines(links, absolute, longest),
        *([line([small(rule)], "Small")] if rule else []),
    ]


def fact_elements(facts: Iterable[Fact]) -> Iterator[Element]:
    """Labels beside their values; a value in which Teams would see formatting stands below its label as it is."""
    for formatted, group in groupby(facts, key=is_formatted):
        if formatted:
            yield from (element for fact in group for element in fact_lines(fact))
        else:
            rows = [{"title": fact.label or NOTHING, "value": fact.value or "–"} for fact in group]
            yield {"type": "FactSet", "facts": rows}


def is_formatted(fact: Fact) -> bool:
    return any(FORMATTED.search(text) for text in (fact.label, fact.value))


def fact_lines(fact: Fact) -> Iterator[Element]:
    yield line([run(fact.label or NOTHING, BOLD)])
    for element in plain_elements(fact.value) or [line([run("–")])]:
        yield element | {"spacing": "None"}


# --- small cards ------------------------------------------------------------------------------------------------------
def notice(text: str, links: frozenset[str] = frozenset()) -> Element:
    """A card for a sentence or two of Lotse."""
    elements = markdown_elements(text, links) or [line([run(NOTHING)])]
    first, *_ = split_elements(elements, LARGEST_CARD - ENVELOPE)
    return whole_card(first, (), summary_of([text_of(first)]))


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
    if not card.get("actions"):
        return dict(card)
    mark = line([run(f"✓ {shorten(one_line(label), LONGEST_LABEL)}", isSubtle=True)], "Medium")
    kept = {name: value for name, value in card.items() if name != "actions"}
    return kept | {"body": [*card.get("body", ()), mark]}


def one_line(text: str) -> str:
    return " ".join(cleaned(text).split())
