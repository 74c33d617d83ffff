"""What Lotse said in a fake Teams, and how often: each part of a message has a mark in its card."""

import re
from collections import Counter

from fake_teams import Actor, Message
from teams_world import MakeTeamsWorld, TeamsWorld

from bot.channels.port import Address, Incoming, Sender

LONG = " ".join(f"Wort{number:04}" for number in range(9000))  # 81,000 characters: four posts
MARK = re.compile(r"lotse-(.+)-(\d+)")
WANTS_PERSON = "Ich möchte mit einem Menschen sprechen."


def installed(make: MakeTeamsWorld, **changes: object) -> TeamsWorld:
    """A Lotse that was added to its teams, and has heard of it."""
    made = make(**changes)
    for person, team in ((made.maren, made.it), (made.konrad, made.company)):
        person.installs(team)
    made.calm()
    return made


def database(teams: TeamsWorld) -> str:
    return str(teams.app.house.sessions.engine.dialect.name)


def everything_said(teams: TeamsWorld) -> list[Message]:
    rooms = list(teams.fake.state.channels.values())
    return [post for room in rooms for post in room.messages.values() if post.author is None and not post.deleted]


def marks(posts: list[Message]) -> list[str]:
    """Which part of which message each post is, by the mark in its card; cards that were drawn again have none."""
    found = (MARK.fullmatch(str(post.card["body"][0].get("id"))) for post in posts if post.card is not None)
    return [mark[0] for mark in found if mark is not None]


def twice(teams: TeamsWorld) -> dict[str, int]:
    """What of any message stands in Teams more than once, and how often."""
    return {mark: times for mark, times in Counter(marks(everything_said(teams))).items() if times > 1}


def parts_of(posts: list[Message]) -> list[int]:
    """The numbers of the parts that stand there, in order."""
    return [int(mark.rpartition("-")[2]) for mark in marks(posts)]


def counted_words(teams: TeamsWorld, posts: list[Message]) -> list[str]:
    return re.findall(r"Wort\d{4}", " ".join(teams.words(post) for post in posts))


def in_a_thread(teams: TeamsWorld, person: Actor, text: str) -> Message:
    """Ask in the help channel; the message that opens the thread."""
    return person.writes(text, teams.help)


def answers_in(teams: TeamsWorld, root: Message) -> list[Message]:
    """What Lotse said below a message, and is still there."""
    return [post for post in teams.fake.said(root.channel, root) if not post.deleted]


def in_a_channel(teams: TeamsWorld) -> tuple[Message, Message]:
    """Konrad wants a person, in the help channel; (his message, the ticket's card)."""
    root = in_a_thread(teams, teams.konrad, WANTS_PERSON)
    teams.settle()
    return root, teams.card()


def says_at_the_desk(teams: TeamsWorld, text: str, source_id: str) -> None:
    """Maren writes more than fits into a post of Teams: at the web desk."""
    desk, maren = Address("web", "desk", teams.ticket().number), Sender("web", "maren", "Maren Tiede")
    teams.app.engine.receive(Incoming(desk, maren, text, source_id, teams.clock()))
