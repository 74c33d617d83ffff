"""Lotse dies between a send and its bookkeeping: the post is found by its metadata and not repeated."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from fake_slack import Actor, Message, Upload
from fake_slack_chat import remove
from slack_world import MERGE, SlackWorld, words
from world import VPN_QUESTION

from bot.app import App
from bot.channels.port import Address, Parts, Reply, Sent
from bot.channels.slack.post import SlackChannel
from bot.worker import owner_name
from handoff.leases import release_lease, take_lease

MakeWorld = Callable[..., SlackWorld]
Note = Callable[[str, str], None]
LONG = " ".join(f"Wort{number:04}" for number in range(2200))  # 20,000 characters: several posts


class Killed(BaseException):
    """The process is gone."""


class MortalChannel(SlackChannel):
    """Slack as ever, but after so many more sends to one room (parts of long ones count) everything ends, before it is
    noted."""

    room = ""
    sends_left = 0

    def send(self, address: Address, reply: Reply, key: str) -> Sent:
        try:
            return super().send(address, reply, key)
        finally:
            self._went_out(address)

    def resume(self, address: Address, reply: Reply, key: str, since: datetime, parts: Parts = ()) -> Sent:
        try:
            return super().resume(address, reply, key, since, parts)
        finally:
            self._went_out(address)

    def update(self, address: Address, platform_id: str, reply: Reply, parts: Parts = ()) -> Parts:
        try:
            return super().update(address, platform_id, reply, parts)
        finally:
            self._went_out(address)

    def _went_out(self, address: Address) -> None:
        self.sends_left -= address.channel == self.room
        if self.sends_left == 0:
            raise Killed  # whatever the send ended with: nobody hears of it any more


class Deaths:
    """Works as Lotse's worker does, until it dies; then another Lotse starts on the same database."""

    def __init__(self, slack: SlackWorld) -> None:
        self.slack, self.count = slack, 0

    def dies_after(self, sends: int, to: Actor | None = None) -> None:
        """Everything is done, with a death after so many sends to a person, or to the hand-off channel. Nothing of it
        may be there twice."""
        self.slack.calm()
        self.slack.clock.move(seconds=MERGE)
        app = self.slack.app
        assert app.slack is not None
        mortal = MortalChannel(app.slack.workspaces, "http://127.0.0.1:8080", 10_000_000)
        mortal.sends_left, mortal.room = sends, f"@{to.id}" if to is not None else self.slack.desk.id
        app.house.channels["slack"] = mortal  # type: ignore[index]  # the edge of this Lotse, which is about to end
        for _ in range(60):
            if not works_to_the_end(app):
                break
            self.slack.clock.move(seconds=1.0)
        else:
            raise AssertionError(f"nothing died after {sends} sends: {mortal.sends_left} more")
        self.count += 1
        self.slack.restart()
        self.slack.clock.move(seconds=app.settings.worker.lease_seconds + 1)  # the dead one's lease runs out
        self.slack.settle()
        assert_nothing_twice(self.slack)

    def are_told(self, note: Note, what: str, count: int) -> None:
        assert self.count == count
        note(f"{self.slack.app.house.sessions.engine.dialect.name}: {what}", f"died {count} times, nothing came twice")


def works_to_the_end(app: App) -> bool:
    """Do what is due, without the tidying up of a worker that lives on; False when it died."""
    try:
        while True:
            with app.house.sessions.begin() as session:
                lease = take_lease(session, owner_name(), app.house.clock(), app.settings.worker.lease_seconds)
            if lease is None:
                return True
            app.engine.handle(lease)
            app.delivery.deliver_pending(lease)
            with app.house.sessions.begin() as session:
                release_lease(session, lease)
    except Killed:
        return False


def assert_nothing_twice(slack: SlackWorld) -> None:
    """No part of any message stands in Slack twice, by the metadata it carries."""
    payloads = [post.metadata["event_payload"] for post in everything_said(slack) if post.metadata]
    parts = Counter((one["key"], one["part"]) for one in payloads)
    assert [part for part, times in parts.items() if times > 1] == []
    files = Counter((post.channel, post.root, tuple(post.files)) for post in everything_said(slack) if post.files)
    assert [one for one, times in files.items() if times > 1] == []


def everything_said(slack: SlackWorld) -> list[Message]:
    rooms = list(slack.fake.state.channels.values())
    return [post for room in rooms for post in room.messages.values() if post.bot_id and not post.deleted]


def texts(posts: list[Message]) -> list[str]:
    return [words(post) for post in posts]


def counted_words(posts: list[Message]) -> list[str]:
    return re.findall(r"Wort\d{4}", " ".join(texts(posts)))


class TestFiftyDeaths:
    """50 in all; each kind of post at each point where it can happen."""

    def test_an_answer(self, make_slack_world: MakeWorld, note: Note) -> None:
        slack = make_slack_world()
        deaths = Deaths(slack)
        for number in range(10):
            person = slack.fake.user(f"Person {number}")
            person.dm(VPN_QUESTION)
            deaths.dies_after(1, person)
            assert ["Profil Zentrale" in one for one in texts(slack.answers(person))] == [True]
        deaths.are_told(note, "an answer", 10)

    def test_a_receipt_a_card_and_what_was_said_before(self, make_slack_world: MakeWorld, note: Note) -> None:
        """The card opens a thread: only with its metadata it is found again. After it comes the transcript."""
        slack = make_slack_world()
        deaths = Deaths(slack)
        for number in range(12):
            person = slack.fake.user(f"Person {number:02}")
            person.dm("Ich möchte mit einem Menschen sprechen.")
            deaths.dies_after(1, person) if number % 3 == 0 else deaths.dies_after(number % 3)
            assert len(slack.answers(person)) == 1
            assert len(slack.roots(slack.desk)) == number + 1
            assert f"Person {number:02}" in words(slack.card())
            assert len(slack.thread(slack.card())) == 1
        deaths.are_told(note, "receipt, card, transcript", 12)

    def test_an_agents_reply(self, make_slack_world: MakeWorld, note: Note) -> None:
        slack = make_slack_world()
        card, deaths = slack.wants_person(), Deaths(slack)
        for number in range(8):
            slack.maren.posts(slack.desk, f"Antwort {number}", card)
            deaths.dies_after(1, slack.konrad)
        told = [words(post) for post in slack.answers(slack.konrad) if post.username == "Maren Tiede"]
        assert told == [f"Antwort {number}" for number in range(8)]
        deaths.are_told(note, "an agent's reply", 8)

    def test_a_reply_of_several_posts(self, make_slack_world: MakeWorld, note: Note) -> None:
        """After each of its parts; the rest follows, in order."""
        slack = make_slack_world()
        card, deaths = slack.wants_person(), Deaths(slack)
        for number in range(6):
            before = len(slack.answers(slack.konrad))
            slack.maren.posts(slack.desk, LONG, card)
            deaths.dies_after(1 + number, slack.konrad)
            parts = slack.answers(slack.konrad)[before:]
            assert len(parts) > 5
            assert counted_words(parts) == LONG.split()
        deaths.are_told(note, "a reply of several posts", 6)

    def test_a_reply_with_a_file(self, make_slack_world: MakeWorld, note: Note) -> None:
        """After its words, and after its file: a file carries no metadata and is known by its name."""
        slack = make_slack_world()
        card, deaths = slack.wants_person(), Deaths(slack)
        for number in range(6):
            before = len(slack.answers(slack.konrad))
            files = [Upload(f"anleitung-{number}.txt", b"Schritt 1"), Upload(f"bild-{number}.png", b"x", "image/png")]
            slack.maren.posts(slack.desk, f"Siehe Anhang {number}.", card, files)
            deaths.dies_after(1 + number % 2, slack.konrad)
            said = slack.answers(slack.konrad)[before:]
            assert texts(said)[0] == f"Siehe Anhang {number}."
            shared = [slack.fake.files[one].name for post in said for one in post.files]
            assert shared == [f"anleitung-{number}.txt", f"bild-{number}.png"]
        deaths.are_told(note, "a reply with files", 6)

    def test_a_file_named_as_the_one_before_it(self, make_slack_world: MakeWorld, note: Note) -> None:
        """The file of the reply before is not taken for the one that is missing."""
        slack = make_slack_world()
        card, deaths = slack.wants_person(), Deaths(slack)
        for number in range(2):
            slack.maren.posts(slack.desk, f"Neuer Stand {number}.", card, [Upload("log.txt", f"{number}".encode())])
            deaths.dies_after(1 + number, slack.konrad)
        shared = [slack.fake.files[one] for post in slack.answers(slack.konrad) for one in post.files]
        assert [file.content for file in shared] == [b"0", b"1"]
        deaths.are_told(note, "a file named as the one before", 2)

    def test_an_update(self, make_slack_world: MakeWorld, note: Note) -> None:
        """A card is drawn again, a relayed message is changed in its place."""
        slack = make_slack_world()
        card, deaths = slack.wants_person(), Deaths(slack)
        reply = slack.maren.posts(slack.desk, "Stand 0", card)
        slack.settle()
        for number in range(1, 4):
            slack.maren.edits(reply, f"Stand {number}")
            deaths.dies_after(1, slack.konrad)
            told = [words(post) for post in slack.answers(slack.konrad) if post.username == "Maren Tiede"]
            assert told == [f"Stand {number}"]
        for priority in ("1", "2", "4"):
            slack.maren.selects(card, "lotse:priority", f"P{priority}")
            deaths.dies_after(1)
            assert len(slack.roots(slack.desk)) == 1
            assert f"P{priority}" in words(slack.card())
        deaths.are_told(note, "a card, a changed reply", 6)

    def test_a_reply_that_grows_by_an_edit(self, make_slack_world: MakeWorld, note: Note) -> None:
        """The posts that are new are found again, too, and go when the reply shrinks."""
        slack = make_slack_world()
        card, deaths = slack.wants_person(), Deaths(slack)
        slack.fake.pace = 1.0
        for number in range(3):
            reply = slack.maren.posts(slack.desk, "Kurz.", card)
            slack.settle()
            before = len(slack.answers(slack.konrad))
            slack.maren.edits(reply, LONG)
            deaths.dies_after(1 + number, slack.konrad)
            parts = slack.answers(slack.konrad)[before - 1 :]
            assert counted_words(parts) == LONG.split()
            slack.maren.edits(reply, "Doch kurz.")
            slack.settle()
            assert texts(slack.answers(slack.konrad)[before - 1 :]) == ["Doch kurz."]
        deaths.are_told(note, "an edit that makes a reply longer", 3)

    def test_an_edit_of_a_post_that_somebody_took_away(self, make_slack_world: MakeWorld, note: Note) -> None:
        """The new wording is a new post; it is found, too."""
        slack = make_slack_world()
        card, deaths = slack.wants_person(), Deaths(slack)
        slack.fake.pace = 1.0
        reply = slack.maren.posts(slack.desk, "Kurz.", card)
        slack.settle()
        remove(slack.konrad.im, slack.answers(slack.konrad)[-1])
        slack.maren.edits(reply, LONG)
        deaths.dies_after(1, slack.konrad)
        assert counted_words(slack.answers(slack.konrad)) == LONG.split()
        deaths.are_told(note, "an edit of a post that is gone", 1)
