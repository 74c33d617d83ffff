"""Employee and agents in Teams, as the contract of every channel sees them."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from fake_teams import Actor, Dialog, Message
from harness import Seen
from teams_world import TeamsWorld, actions

from bot.app import App
from bot.channels.teams.pieces import DIALOGS
from bot.channels.teams.rich import text_of
from handoff.desk import ticket_by_number

NAMES = ("Konrad Voßmann", "Maren Tiede", "Tomasz Wilk", "Henrik Lindqvist", "Owen Tallis")


@dataclass
class TeamsHarness:
    """Konrad writes to Lotse in his chat with it, the agents work in a channel of their team; both in one Teams."""

    world: TeamsWorld
    written: dict[UUID, Message] = field(default_factory=dict)
    cards: dict[str, Message] = field(default_factory=dict)

    @property
    def app(self) -> App:
        return self.world.app

    # --- the employee ---------------------------------------------------------------------------------------------
    def employee_writes(self, text: str, *, source_id: UUID | None = None, settle: bool = True) -> None:
        if source_id is not None and source_id in self.written:
            self.world.fake.deliver(self.world.fake.activity_of(self.written[source_id]))
        else:
            message = self.world.konrad.writes(text)
            if source_id is not None:
                self.written[source_id] = message
        if settle:
            self.world.settle()

    def employee_presses(self, action: str, value: str = "") -> None:
        post = next(post for post in reversed(self.posts()) if action in actions(post))
        self.world.presses(self.world.konrad, post, action, value or None)

    def employee_sees(self) -> list[Seen]:
        return [seen(post) for post in self.posts()]

    def posts(self) -> list[Message]:
        return self.world.answers(self.world.konrad)

    # --- the agents -----------------------------------------------------------------------------------------------
    def agent_writes(self, ticket: str, text: str, *, agent: str = "maren", note: bool = False) -> None:
        person, card = self.agent(agent), self.card(ticket)
        if note:
            self.world.fills_in(person, card, "note", text=text)
        else:
            person.writes(text, thread=card)
        self.world.settle()

    def agent_presses(self, ticket: str, action: str, *, agent: str = "maren", **fields: str) -> tuple[bool, str]:
        person, card = self.agent(agent), self.card(ticket)
        told = len(person.told)
        if action in DIALOGS:
            answer = self.world.fills_in(person, card, action, **fields)
            return answer is None, words_of_answer(answer)
        person.presses(card, action)
        self.world.settle()
        new = person.told[told:]
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
        return next(post for post in self.world.fake.roots(self.world.desk) if post.id == thread)

    def desk_sees(self, ticket: str) -> str:
        card = self.newest_card(ticket)
        own = [self.world.words(post) for post in (card, *self.world.thread(card))]
        return "\n".join((*own, *(post.text for post in self.world.fake.posts(self.world.desk, card) if post.author)))

    def desk_markup(self, ticket: str) -> str:
        """What Teams would read as markup in what agents see: everything but the words of text runs."""
        card = self.newest_card(ticket)
        return str([without_words(post.card) for post in (card, *self.world.thread(card))])

    def close(self) -> None:
        self.world.settle()


def words_of_answer(answer: Dialog | str | None) -> str:
    if isinstance(answer, Dialog):
        return text_of(answer.card["body"])
    return answer or ""


def seen(post: Message) -> Seen:
    """A post as a person sees it: the words above what can be pressed and the sources."""
    lines = [one for one in (post.card or {"body": []})["body"] if "selectAction" not in str(one)]
    author = next((name for name in NAMES if text_of(lines[:1]) == name), None)
    words = text_of([with_stars(one) for one in (lines[1:] if author else lines)])
    buttons = tuple((one.action or "", one.value or "") for one in post.buttons)
    return Seen(words, author, buttons, tuple("/" + link.split("/", 3)[3] for link in links_in(post.card)))


def links_in(value: Any) -> Iterator[str]:
    """The addresses that can be opened from a card, in order."""
    if isinstance(value, list):
        for one in value:
            yield from links_in(one)
    elif isinstance(value, dict):
        if value.get("type") == "Action.OpenUrl":
            yield str(value["url"])
        for name in ("body", "items", "inlines", "selectAction"):
            yield from links_in(value.get(name))


def with_stars(value: Any) -> Any:
    """Elements with bold words as Markdown writes them, so that tests know the sentence again."""
    if isinstance(value, list):
        return [with_stars(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "TextRun" and value.get("weight") == "Bolder":
        return {**value, "text": f"**{value['text']}**"}
    return {name: with_stars(one) for name, one in value.items()}


def without_words(value: Any) -> Any:
    """A card without the texts that Teams never parses."""
    if isinstance(value, list):
        return [without_words(one) for one in value]
    if not isinstance(value, dict):
        return value
    literal = value.get("type") == "TextRun"
    hidden = {"text"} if literal else {"fallbackText"}
    return {name: without_words(one) for name, one in value.items() if name not in hidden}
