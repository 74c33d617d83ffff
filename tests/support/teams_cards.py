"""What people read in Teams, and what agents see and do at a card in a hand-off channel."""

from typing import Any

from fake_teams import Actor, Channel, Dialog, Message
from fake_teams_cards import links_of, plain, walk
from teams_harness import NAMES, with_stars, words_of_answer
from teams_world import TeamsWorld

from bot.channels.teams.rich import is_heading, text_of
from bot.texts import Texts
from handoff.models import Person
from kb_index.questions import open_questions

TONGUES = (Texts("de", "sie", "teams"), Texts("de", "du", "teams"), Texts("en", "sie", "teams"))


# --- what people read -------------------------------------------------------------------------------------------------
def lines_of(post: Message) -> list[dict[str, Any]]:
    """The lines of a post, without the mention above and the links below them."""
    body = (post.card or {"body": []})["body"]
    inside = [item for one in body for item in (one["items"] if one["type"] == "Container" else [one])]
    return [one for one in inside if one["type"] != "TextBlock" and "selectAction" not in str(one)]


def author(post: Message) -> str | None:
    """Who speaks through Lotse: the bold name above what they wrote, `🔒 Maren Tiede` above a note."""
    first = text_of(lines_of(post)[:1])
    return first if first.removeprefix("🔒 ") in NAMES and is_heading(lines_of(post)[0]) else None


def read(post: Message) -> str:
    """The words of a post as Markdown, without its author, links and buttons."""
    lines = lines_of(post)
    return text_of([with_stars(one) for one in (lines[1:] if author(post) else lines)]).replace("\xa0", " ")


def told(posts: list[Message]) -> list[tuple[str | None, str]]:
    """Who says what in these posts."""
    return [(author(post), read(post)) for post in posts]


def mentioned(post: Message) -> list[str]:
    """The ids of those whom a post notifies."""
    entities = (post.card or {}).get("msteams", {}).get("entities", ())
    return [one["mentioned"]["id"] for one in entities]


def heard(world: TeamsWorld, person: Actor) -> list[str]:
    """What Lotse said to somebody in their chat."""
    return [read(post) for post in world.answers(person)]


def teams_keys(text: str) -> set[str]:
    """Which of Teams' own sentences a text is."""
    found = {key for texts in TONGUES for key in texts.catalogue if "{" not in texts.catalogue[key]["en"]}
    return {key for key in found if text in {texts(key) for texts in TONGUES}}


# --- cards ------------------------------------------------------------------------------------------------------------
def facts(card: Message) -> dict[str, str]:
    """The lines of a card: label and value."""
    found: dict[str, str] = {}
    label = ""
    for one in (card.card or {"body": []})["body"][1:]:
        if one["type"] == "FactSet":
            found |= {fact["title"]: fact["value"] for fact in one["facts"]}
            label = ""
        elif is_heading(one):
            label = plain(one["inlines"])
        elif label and one.get("spacing") == "None":
            found[label] = "\n".join(filter(None, (found.get(label), plain(one["inlines"]))))
    return found


def links(card: Message) -> dict[str, str]:
    """The ways from a card to elsewhere: label and address."""
    runs = [run for one in walk(card.card) for run in one.get("inlines", ()) if "selectAction" in run]
    return dict(zip((run["text"] for run in runs), links_of(card.card or {}), strict=True))


def rule(card: Message) -> str:
    """Who reads what is written below a card."""
    return plain((card.card or {})["body"][-1]["inlines"])


def below(world: TeamsWorld, card: Message) -> list[str]:
    """What Lotse said below a card."""
    return [read(post) for post in world.thread(card)]


# --- what agents do ---------------------------------------------------------------------------------------------------
def press(world: TeamsWorld, person: Actor, card: Message, action: str) -> list[str]:
    """Press a button of a card; what only this person is told then."""
    before = len(person.told)
    assert person.presses(card, action).ok
    world.settle()
    return person.told[before:]


def fill_in(world: TeamsWorld, person: Actor, card: Message, action: str, **fields: object) -> str:
    """Press a button that opens a dialog, and send it; what is said then, nothing when it closed."""
    dialog = person.opens(card, action)
    assert isinstance(dialog, Dialog), dialog
    answer = person.submits(dialog, fields)
    world.settle()
    return words_of_answer(answer)


def refused(world: TeamsWorld, person: Actor, card: Message, action: str) -> set[str]:
    """Press a button that opens no dialog to fill in; which sentence of Teams comes instead."""
    dialog = person.opens(card, action)
    assert isinstance(dialog, Dialog), dialog
    assert dialog.fields == {}
    return teams_keys(words_of_answer(dialog))


def owner(world: TeamsWorld) -> str | None:
    """Whose the newest ticket is."""
    agent: Person | None = world.ticket().agent
    return agent.name if agent is not None else None


def cards(world: TeamsWorld, channel: Channel | None = None) -> list[Message]:
    """What stands in a hand-off channel itself and is still to be seen."""
    return world.fake.roots(channel or world.desk)


def proposed(world: TeamsWorld) -> list[tuple[str, str]]:
    """(question, reason) of every open question of the knowledge editors."""
    with world.app.house.sessions() as session:
        return [(question.question, question.reason) for question in open_questions(session)]
