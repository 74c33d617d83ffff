"""Employee and agents in Slack, as the contract of every channel sees them."""

import re
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from fake_slack import Actor, Message
from harness import Seen
from slack_world import SlackWorld, actions, button, elements, words

from bot.app import App
from bot.channels.slack.blocks import pressed
from bot.channels.slack.text import text_of
from handoff.desk import ticket_by_number

FORMS = {"resolve", "note", "reply"}
LINK = re.compile(r"<([^|>]+)\|")
BELOW_THE_TEXT = {"actions", "context"}


@dataclass
class SlackHarness:
    """Konrad writes to Lotse directly, the agents work in the hand-off channel; both in one Slack."""

    world: SlackWorld
    written: dict[UUID, Message] = field(default_factory=dict)
    cards: dict[str, Message] = field(default_factory=dict)

    @property
    def app(self) -> App:
        return self.world.app

    # --- the employee ---------------------------------------------------------------------------------------------
    def employee_writes(self, text: str, *, source_id: UUID | None = None, settle: bool = True) -> None:
        if source_id is not None and source_id in self.written:
            self.again(self.written[source_id])
        else:
            said = self.posts()
            message = self.world.konrad.dm(text, said[-1] if said else None)
            if source_id is not None:
                self.written[source_id] = message
        if settle:
            self.world.settle()

    def again(self, message: Message) -> None:
        """Slack brings the same event once more."""
        event = self.world.konrad._message_event(message)
        self.world.fake.deliver(event, event_id="Ev-again")

    def employee_presses(self, action: str, value: str = "") -> None:
        post = next(post for post in reversed(self.posts()) if action in actions(post))
        wanted = next(one for one in elements(post) if is_button(one, action, value))
        self.world.konrad.presses(post, str(wanted["action_id"]))
        self.world.settle()

    def employee_sees(self) -> list[Seen]:
        return [seen(post) for post in self.posts()]

    def posts(self) -> list[Message]:
        return self.world.answers(self.world.konrad)

    # --- the agents -----------------------------------------------------------------------------------------------
    def agent_writes(self, ticket: str, text: str, *, agent: str = "maren", note: bool = False) -> None:
        person, card = self.agent(agent), self.card(ticket)
        if note:
            person.presses(card, "lotse:note")
            person.submits(self.world.form(person), {"text": text})
        else:
            person.posts(self.world.desk, text, card)
        self.world.settle()

    def agent_presses(self, ticket: str, action: str, *, agent: str = "maren", **fields: str) -> tuple[bool, str]:
        person, card = self.agent(agent), self.card(ticket)
        told = len(self.world.fake.ephemerals(person))
        person.presses(card, str(button(card, action)["action_id"]))
        if action in FORMS:
            person.submits(self.world.form(person), fields)
        self.world.settle()
        new = [words(one) for one in self.world.fake.ephemerals(person)[told:]]
        return not new, "".join(new)

    def agent(self, name: str) -> Actor:
        found: Actor = getattr(self.world, name)
        return found

    def card(self, number: str) -> Message:
        """The card of a ticket, as an agent saw it first: what they press may be older than the ticket's state."""
        return self.cards.setdefault(number, deepcopy(self.newest_card(number)))

    def newest_card(self, number: str) -> Message:
        with self.app.house.sessions() as session:
            ticket = ticket_by_number(session, number)
            assert ticket is not None
            thread = next(place.thread for place in ticket.places if place.channel == self.world.desk.id)
        return next(post for post in self.world.fake.said(self.world.desk) if post.ts == thread)

    def desk_sees(self, ticket: str) -> str:
        card = self.newest_card(ticket)
        return "\n".join(words(post) for post in self.world.fake.posts(self.world.desk, card))

    def desk_markup(self, ticket: str) -> str:
        """What Slack would read as markup in what agents see: everything but the words of rich text."""
        card = self.newest_card(ticket)
        return str([without_words(post.blocks or []) for post in (card, *self.world.thread(card))])

    def close(self) -> None:
        self.world.settle()


def is_button(element: dict[str, Any], action: str, value: str) -> bool:
    found = pressed(element)
    return found is not None and found.action == action and (not value or found.value == value)


def seen(post: Message) -> Seen:
    """A post as a person sees it: the words above what can be pressed and the sources."""
    blocks = post.blocks or []
    text = text_of([with_stars(block) for block in blocks if block["type"] not in BELOW_THE_TEXT])
    found = [pressed(one) for one in elements(post)]
    context = str([block for block in blocks if block["type"] == "context"])
    return Seen(
        text,
        post.username,
        tuple((one.action, one.value) for one in found if one is not None),
        tuple("/" + link.split("/", 3)[3] for link in LINK.findall(context)),
        tuple(post.files),
    )


def with_stars(value: Any) -> Any:
    """Blocks with bold words as Markdown writes them, so that tests know the sentence again."""
    if isinstance(value, list):
        return [with_stars(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "text" and (value.get("style") or {}).get("bold"):
        return {**value, "text": f"**{value['text']}**"}
    return {name: with_stars(one) for name, one in value.items()}


def without_words(value: Any) -> Any:
    """Blocks without the texts that Slack never parses."""
    if isinstance(value, list):
        return [without_words(one) for one in value]
    if not isinstance(value, dict):
        return value
    literal = value.get("type") in {"text", "plain_text"}
    return {name: without_words(one) for name, one in value.items() if not (literal and name == "text")}
