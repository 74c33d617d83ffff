"""A ticket as one card of Teams: what is too long for one message is shortened."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from bot.channels.cutting import shorten
from bot.channels.port import Button, Card, Fact, Reply
from bot.channels.teams.pieces import (
    LONGEST_LINK,
    MOST_PRIMARY,
    NOTHING,
    Post,
    action_elements,
    link_lines,
    one_line,
    placed,
    small,
)
from bot.channels.teams.rich import BOLD, Element, cleaned, line, plain_elements, run
from bot.texts import Texts

LONGEST_TITLE, LONGEST_TOLD, LONGEST_FACT, LONGEST_FACTS, LONGEST_RULE = 200, 2000, 500, 4000, 600
MOST_FACTS, MOST_LINKS = 40, 10
LEAST_SCALE = 1 / 64
# What Teams may take for formatting in a FactSet, the only place of a card where it would.
FORMATTED = re.compile(r"[*_~`\[\]<>#\\|{}\n]|&#?\w+;|://|www\.|\A(?:\d+[.)]|[-+])\s")


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
