"""What agents see and do at a card in the hand-off channel, and what they alone are told."""

import re

from fake_slack import Actor, Message
from slack_harness import BELOW_THE_TEXT, with_stars
from slack_world import SlackWorld, button
from sqlalchemy import select

from bot.channels.slack.text import text_of
from bot.texts import Texts
from handoff.models import Person, TicketEvent
from kb_index.questions import open_questions

LINK = re.compile(r"<([^|>]+)\|([^>]*)>")


def facts(card: Message) -> dict[str, str]:
    """The lines of a card: label and value."""
    fields = [one["text"] for block in card.blocks if block["type"] == "section" for one in block["fields"]]
    pairs = (field.partition("\n") for field in fields)
    return {label.strip("*"): value for label, _, value in pairs}


def links(card: Message) -> dict[str, str]:
    """The ways from a card to elsewhere: label and address."""
    texts = [one["text"] for block in card.blocks if block["type"] == "context" for one in block["elements"]]
    return {label: url for text in texts for url, label in LINK.findall(text)}


def rule(card: Message) -> str:
    """Who reads what is written below a card."""
    text: str = card.blocks[-1]["elements"][0]["text"]
    return text


def press(world: SlackWorld, person: Actor, card: Message, action: str) -> list[str]:
    """Press a button of a card; what only this person is told then."""
    before = len(world.fake.ephemerals(person))
    assert person.presses(card, f"lotse:{action}:").ok
    world.settle()
    return told(world, person)[before:]


def choose(world: SlackWorld, person: Actor, card: Message, action: str, choice: str) -> list[str]:
    """Choose in a list of a card, by the value or the label; what only this person is told then."""
    before = len(world.fake.ephemerals(person))
    values = [option["value"] for option in button(card, action).get("options", ())]
    chosen = next((value for value in values if value.endswith(f"|{choice}")), choice)
    assert person.selects(card, f"lotse:{action}:", chosen).ok
    world.settle()
    return told(world, person)[before:]


def fill_in(world: SlackWorld, person: Actor, card: Message, action: str, **fields: object) -> list[str]:
    """Press a button that opens a form, and send it; what only this person is told then."""
    before = len(world.fake.ephemerals(person))
    assert person.presses(card, f"lotse:{action}:").ok
    assert person.submits(world.form(person), fields).ok
    world.settle()
    return told(world, person)[before:]


def react(world: SlackWorld, person: Actor, post: Message, emoji: str) -> list[str]:
    """Put an emoji on a post; what only this person is told then."""
    before = len(world.fake.ephemerals(person))
    person.reacts(post, emoji)
    world.settle()
    return told(world, person)[before:]


def read(post: Message) -> str:
    """The words of a post as Markdown, without what can be pressed and the links below them."""
    return text_of([with_stars(block) for block in post.blocks if block["type"] not in BELOW_THE_TEXT]) or post.text


def told(world: SlackWorld, person: Actor) -> list[str]:
    """What only this person was told."""
    return [read(one) for one in world.fake.ephemerals(person)]


def below(world: SlackWorld, card: Message) -> list[str]:
    """What the app said below a card."""
    return [read(post) for post in world.thread(card)]


def heard(world: SlackWorld, person: Actor) -> list[str]:
    """What the app said to an employee in their direct messages."""
    return [read(post) for post in world.answers(person)]


def events(world: SlackWorld) -> list[str]:
    """The log of the newest ticket."""
    ticket = world.ticket().id
    with world.app.house.sessions() as session:
        log = select(TicketEvent.kind).where(TicketEvent.ticket_id == ticket)
        return list(session.scalars(log.order_by(TicketEvent.id)))


def owner(world: SlackWorld) -> str | None:
    """Whose the newest ticket is."""
    agent: Person | None = world.ticket().agent
    return agent.name if agent is not None else None


def proposed(world: SlackWorld) -> list[tuple[str, str]]:
    """(question, reason) of every open question of the knowledge editors."""
    with world.app.house.sessions() as session:
        return [(question.question, question.reason) for question in open_questions(session)]


def slack_keys(text: str) -> set[str]:
    """Slack's own sentences about what could not be done, by their keys."""
    names = ("nothing_asked", "nothing_written", "only_agents", "only_to_agents", "not_checked", "trigger_expired")
    tongues = (("de", "sie"), ("de", "du"), ("en", "sie"))
    said = [(name, Texts(language, address, "slack")(name)) for name in names for language, address in tongues]
    return {name for name, sentence in said if sentence == text}
