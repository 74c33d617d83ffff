"""Lotse dies between a send and its bookkeeping: what Teams can be asked for is not repeated, the rest is counted."""

from collections.abc import Callable
from datetime import datetime

import pytest
from fake_teams import Actor, Channel, Dialog
from teams_posts import (
    LONG,
    WANTS_PERSON,
    answers_in,
    counted_words,
    database,
    in_a_channel,
    in_a_thread,
    installed,
    parts_of,
    says_at_the_desk,
    twice,
)
from teams_world import MERGE, MakeTeamsWorld, TeamsWorld
from world import VPN_QUESTION

from bot.app import App
from bot.channels.port import Address, Parts, Reply, Sent
from bot.channels.teams.post import TeamsChannel
from bot.worker import owner_name
from handoff.leases import release_lease, take_lease

Note = Callable[[str, str], None]


class Killed(BaseException):
    """The process is gone."""


class MortalChannel(TeamsChannel):
    """Teams as ever, but after so many more sends to one room (parts of long ones count) everything ends, before it is
    noted."""

    room = ""
    sends_left = 0

    def send(self, address: Address, reply: Reply, key: str) -> Sent:
        try:
            return super().send(address, reply, key)
        finally:
            self._went_out(address)

    def go_on(self, address: Address, reply: Reply, key: str, parts: Parts) -> Sent:
        try:
            return super().go_on(address, reply, key, parts)
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

    def resume_update(self, address: Address, platform_id: str, reply: Reply, parts: Parts = ()) -> Parts:
        try:
            return super().resume_update(address, platform_id, reply, parts)
        finally:
            self._went_out(address)

    def _went_out(self, address: Address) -> None:
        self.sends_left -= address.channel == self.room
        if self.sends_left == 0:
            raise Killed  # whatever the send ended with: nobody hears of it any more


class Deaths:
    """Works as Lotse's worker does, until it dies; then another Lotse starts on the same database."""

    def __init__(self, teams: TeamsWorld) -> None:
        self.teams, self.count = teams, 0

    def dies_after(self, sends: int, to: Actor | Channel | None = None) -> None:
        """Everything is done, with a death after so many sends to a person's chat, or a channel (the hand-off's)."""
        self.teams.calm()
        self.teams.clock.move(seconds=MERGE)
        app = self.teams.app
        assert app.teams is not None
        known = app.teams.edge.channel
        mortal = MortalChannel(app.settings, app.house.sessions, known.connector, known.links)
        mortal.sends_left, mortal.room = sends, f"@{to.id}" if isinstance(to, Actor) else (to or self.teams.desk).id
        app.house.channels["teams"] = mortal  # type: ignore[index]  # the edge of this Lotse, which is about to end
        for _ in range(60):
            if not works_to_the_end(app):
                break
            self.teams.clock.move(seconds=1.0)
        else:
            raise AssertionError(f"nothing died after {sends} sends: {mortal.sends_left} more")
        self.count += 1
        self.teams.restart()
        self.teams.clock.move(seconds=app.settings.worker.lease_seconds + 1)  # the dead one's lease runs out
        self.teams.settle()

    def are_told(self, note: Note, what: str, count: int) -> None:
        """Of so many deaths none may have made anything come twice."""
        assert twice(self.teams) == {}
        assert self.count == count
        note(f"{database(self.teams)}: {what}", f"died {count} times, nothing came twice")

    def are_counted(self, note: Note, what: str, count: int) -> None:
        """Each of so many deaths has made one part come twice, and nothing else happened."""
        repeated = twice(self.teams)
        assert self.count == count
        assert sorted(repeated.values()) == [2] * count
        note(f"{database(self.teams)}: {what}", f"died {count} times, {len(repeated)} parts came twice, none was lost")


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


@pytest.fixture
def teams(make_teams_world: MakeTeamsWorld) -> TeamsWorld:
    return installed(make_teams_world)


class TestFiftyDeathsInChannels:
    """50 in all, in threads of channels, which Microsoft Graph shows: nothing is repeated."""

    def test_an_answer(self, teams: TeamsWorld, note: Note) -> None:
        deaths = Deaths(teams)
        for number in range(10):
            person = teams.fake.user(f"Person {number}")
            person.joins(teams.company)
            root = in_a_thread(teams, person, VPN_QUESTION)
            deaths.dies_after(1, teams.help)
            assert ["Profil Zentrale" in teams.words(post) for post in answers_in(teams, root)] == [True]
        deaths.are_told(note, "an answer in a thread", 10)

    def test_a_receipt_a_card_and_what_was_said_before(self, teams: TeamsWorld, note: Note) -> None:
        """The card opens a thread: only by its mark it is found again. After it comes the transcript."""
        deaths = Deaths(teams)
        for number in range(12):
            person = teams.fake.user(f"Person {number:02}")
            person.joins(teams.company)
            root = in_a_thread(teams, person, WANTS_PERSON)
            deaths.dies_after(1, teams.help) if number % 3 == 0 else deaths.dies_after(number % 3)
            assert len(answers_in(teams, root)) == 1
            assert len(teams.fake.roots(teams.desk)) == number + 1
            assert f"Person {number:02}" in teams.words(teams.card())
            assert len(teams.thread(teams.card())) == 1
        deaths.are_told(note, "receipt, card, transcript", 12)

    def test_a_transcript_of_several_posts(self, teams: TeamsWorld, note: Note) -> None:
        deaths = Deaths(teams)
        for number in range(5):
            person = teams.fake.user(f"Person {number}")
            for start in range(0, len(LONG), 27_000):
                teams.asks(person, LONG[start : start + 27_000])
            person.writes(WANTS_PERSON)
            deaths.dies_after(2 + number)
            assert len(teams.fake.roots(teams.desk)) == number + 1
            parts = teams.thread(teams.card())
            assert len(parts) == 5
            assert counted_words(teams, parts) == LONG.split()
        deaths.are_told(note, "a transcript of several posts", 5)

    def test_an_agents_reply(self, teams: TeamsWorld, note: Note) -> None:
        (root, card), deaths = in_a_channel(teams), Deaths(teams)
        for number in range(8):
            teams.maren.writes(f"Antwort {number}", thread=card)
            deaths.dies_after(1, teams.help)
        told = [teams.words(post) for post in answers_in(teams, root)]
        assert [one for one in told if "Antwort" in one] == [f"Maren Tiede\nAntwort {number}" for number in range(8)]
        deaths.are_told(note, "an agent's reply in a thread", 8)

    def test_a_reply_of_several_posts(self, teams: TeamsWorld, note: Note) -> None:
        """After each of its parts; the rest follows, in order."""
        (root, _), deaths = in_a_channel(teams), Deaths(teams)
        for number in range(5):
            before = len(answers_in(teams, root))
            says_at_the_desk(teams, LONG, f"long-{number}")
            deaths.dies_after(1 + number % 4, teams.help)
            parts = answers_in(teams, root)[before:]
            assert len(parts) == 4
            assert counted_words(teams, parts) == LONG.split()
        deaths.are_told(note, "a reply of several posts in a thread", 5)

    def test_an_update(self, teams: TeamsWorld, note: Note) -> None:
        """A card is drawn again, a relayed message is changed in its place."""
        (root, card), deaths = in_a_channel(teams), Deaths(teams)
        reply = teams.maren.writes("Stand 0", thread=card)
        teams.settle()
        for number in range(1, 4):
            teams.maren.edits(reply, f"Stand {number}")
            deaths.dies_after(1, teams.help)
            told = [teams.words(post) for post in answers_in(teams, root)]
            assert [one for one in told if "Stand" in one] == [f"Maren Tiede\nStand {number}"]
        for priority in ("1", "2", "4"):
            edit = teams.maren.opens(card, "edit")
            assert isinstance(edit, Dialog)
            teams.maren.submits(edit, {"priority": priority})
            deaths.dies_after(1)
            assert len(teams.fake.roots(teams.desk)) == 1
            assert f"P{priority}" in teams.words(teams.card())
        deaths.are_told(note, "a card, a changed reply", 6)

    def test_a_reply_that_grows_by_an_edit(self, teams: TeamsWorld, note: Note) -> None:
        """The posts that are new are found again, too, and go when the reply shrinks."""
        (root, card), deaths = in_a_channel(teams), Deaths(teams)
        for number in range(3):
            reply = teams.maren.writes("Kurz.", thread=card)
            teams.settle()
            before = len(answers_in(teams, root))
            teams.maren.edits(reply, LONG)
            deaths.dies_after(1 + number, teams.help)
            parts = answers_in(teams, root)[before - 1 :]
            assert counted_words(teams, parts) == LONG.split()
            teams.maren.edits(reply, "Doch kurz.")
            teams.settle()
            told = [teams.words(post) for post in answers_in(teams, root)[before - 1 :]]
            assert told == ["Maren Tiede\nDoch kurz."]
        deaths.are_told(note, "an edit that makes a reply longer", 3)

    def test_an_edit_of_a_post_that_somebody_took_away(self, teams: TeamsWorld, note: Note) -> None:
        """The new wording is a new post; it is found, too."""
        (root, card), deaths = in_a_channel(teams), Deaths(teams)
        reply = teams.maren.writes("Kurz.", thread=card)
        teams.settle()
        answers_in(teams, root)[-1].deleted_at = teams.clock().timestamp()
        teams.maren.edits(reply, LONG)
        deaths.dies_after(1, teams.help)
        assert counted_words(teams, answers_in(teams, root)) == LONG.split()
        deaths.are_told(note, "an edit of a post that is gone", 1)


class TestFiftyDeathsInChats:
    """50 in all, where Teams offers no way to ask what stands there: a death between a send and its bookkeeping makes
    one post come twice, the one that was sent last, and nothing is lost."""

    def test_in_a_personal_chat_each_death_repeats_the_answer(self, teams: TeamsWorld, note: Note) -> None:
        deaths = Deaths(teams)
        for number in range(10):
            person = teams.fake.user(f"Person {number}")
            person.writes(VPN_QUESTION)
            deaths.dies_after(1, person)
            assert ["Profil Zentrale" in teams.words(post) for post in teams.answers(person)] == [True, True]
        deaths.are_counted(note, "an answer in a personal chat", 10)

    def test_in_a_personal_chat_each_death_repeats_one_reply_and_the_order_stays(
        self, teams: TeamsWorld, note: Note
    ) -> None:
        card, deaths = teams.wants_person(), Deaths(teams)
        for number in range(10):
            for text in (f"Antwort {number}a", f"Antwort {number}b"):
                teams.maren.writes(text, thread=card)
            deaths.dies_after(1 + number % 2, teams.konrad)
        told = [teams.words(post).removeprefix("Maren Tiede\n") for post in teams.answers(teams.konrad)]
        replies = [one for one in told if "Antwort" in one]
        assert list(dict.fromkeys(replies)) == [f"Antwort {number}{one}" for number in range(10) for one in "ab"]
        assert [one for one in dict.fromkeys(replies) if replies.count(one) > 1] == [
            f"Antwort {number}{'ab'[number % 2]}" for number in range(10)
        ]
        deaths.are_counted(note, "an agent's reply in a personal chat", 10)

    def test_in_a_personal_chat_each_death_repeats_one_part_of_a_long_reply_never_those_before_it(
        self, teams: TeamsWorld, note: Note
    ) -> None:
        """The ids of the parts that are there are written down after each."""
        teams.wants_person()
        deaths = Deaths(teams)
        for number in range(10):
            before, last = len(teams.answers(teams.konrad)), number % 4
            says_at_the_desk(teams, LONG, f"long-{number}")
            deaths.dies_after(1 + last, teams.konrad)
            posts = teams.answers(teams.konrad)[before:]
            assert parts_of(posts) == sorted([0, 1, 2, 3, last])
            del posts[last]
            assert counted_words(teams, posts) == LONG.split()
        deaths.are_counted(note, "a reply of several posts in a personal chat", 10)

    def test_in_a_group_chat_each_death_repeats_one_post(self, teams: TeamsWorld, note: Note) -> None:
        group = teams.fake.group(teams.konrad, teams.owen)
        deaths = Deaths(teams)
        for number in range(10):
            teams.konrad.writes(f"{VPN_QUESTION} Zum {number}. Mal.", group, mention=True)
            deaths.dies_after(1, group)
            assert len(teams.fake.said(group)) == 2 * (number + 1)
        deaths.are_counted(note, "an answer in a group chat", 10)

    def test_in_a_channel_without_graph_each_death_repeats_one_post(
        self, make_teams_world: MakeTeamsWorld, note: Note
    ) -> None:
        teams = installed(make_teams_world, teams={"graph_url": None})
        deaths = Deaths(teams)
        for number in range(10):
            person = teams.fake.user(f"Person {number}")
            person.joins(teams.company)
            root = in_a_thread(teams, person, VPN_QUESTION)
            deaths.dies_after(1, teams.help)
            assert len(answers_in(teams, root)) == 2
        deaths.are_counted(note, "an answer in a channel, without Microsoft Graph", 10)

    def test_what_is_changed_in_its_place_is_not_repeated_anywhere(self, teams: TeamsWorld, note: Note) -> None:
        card, deaths = teams.wants_person(), Deaths(teams)
        reply = teams.maren.writes("Stand 0", thread=card)
        teams.settle()
        for number in range(1, 4):
            teams.maren.edits(reply, f"Stand {number}")
            deaths.dies_after(1, teams.konrad)
        assert [teams.words(post) for post in teams.answers(teams.konrad)][1:] == ["Maren Tiede\nStand 3"]
        deaths.are_told(note, "a changed reply in a personal chat", 3)
