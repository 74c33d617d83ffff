"""Teams takes a post and we do not hear of it: in channels it is looked for, in chats it is sent again."""

import pytest
from fake_teams_things import CARD
from teams_posts import (
    LONG,
    WANTS_PERSON,
    answers_in,
    counted_words,
    in_a_channel,
    in_a_thread,
    installed,
    parts_of,
    says_at_the_desk,
    twice,
)
from teams_world import MERGE, MakeTeamsWorld, TeamsWorld


@pytest.fixture
def teams(make_teams_world: MakeTeamsWorld) -> TeamsWorld:
    return installed(make_teams_world)


def loses_the_next_answer(teams: TeamsWorld, status: int) -> None:
    """Teams takes the next post, and we do not hear of it. status: what we hear instead, 0 for nothing at all."""
    teams.calm()  # the sign that an answer is being worked on is a post, too
    teams.fake.faults.next(status, method="POST", path="*/activities", processed=True)


LOST = pytest.mark.parametrize("status", [500, 502, 503, 504, 0])


class TestALostAnswer:
    """Teams has done the work and says that it failed, or nothing."""

    @LOST
    def test_in_a_channel_nothing_comes_twice(
        self, teams: TeamsWorld, status: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        root = in_a_thread(teams, teams.konrad, WANTS_PERSON)
        for _ in range(3):  # the receipt, the card that opens a thread, the transcript in it
            loses_the_next_answer(teams, status)
        teams.settle()
        assert len(answers_in(teams, root)) == 1
        assert len(teams.fake.roots(teams.desk)) == 1
        assert len(teams.thread(teams.card())) == 1
        says_at_the_desk(teams, LONG, "long")
        for _ in range(2):
            loses_the_next_answer(teams, status)
        teams.settle()
        assert counted_words(teams, answers_in(teams, root)) == LONG.split()
        assert twice(teams) == {}
        assert [record for record in caplog.records if record.exc_info] == []

    @LOST
    def test_in_a_chat_the_post_comes_twice_and_none_is_lost(
        self, teams: TeamsWorld, status: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        teams.wants_person()
        before = len(teams.answers(teams.konrad))
        says_at_the_desk(teams, LONG, "long")
        loses_the_next_answer(teams, status)
        teams.settle()
        assert parts_of(teams.answers(teams.konrad)[before:]) == [0, 0, 1, 2, 3]
        assert [record for record in caplog.records if record.exc_info] == []

    def test_a_change_whose_answer_got_lost_is_made_once_more(self, teams: TeamsWorld) -> None:
        card = teams.wants_person()
        reply = teams.maren.writes("Stand 0", thread=card)
        teams.settle()
        teams.fake.faults.next(504, method="PUT", processed=True)
        teams.maren.edits(reply, "Stand 1")
        teams.settle()
        assert [teams.words(post) for post in teams.answers(teams.konrad)][1:] == ["Maren Tiede\nStand 1"]

    def test_the_card_is_found_in_a_busy_channel(self, teams: TeamsWorld) -> None:
        """Graph tells the threads in the order of their last word: sixty older ones stand before the lost card."""
        state, maren = teams.fake.state, teams.maren.person
        older = [state.add_message(teams.desk, maren, None).id for _ in range(60)]
        teams.clock.move(hours=1)
        teams.konrad.writes(WANTS_PERSON)
        teams.calm()
        teams.fake.faults.cut(method="POST", path=f"*{teams.desk.id}/activities")
        teams.clock.move(seconds=MERGE)
        teams.app.worker.work_off()
        teams.clock.move(minutes=1)
        for root in older:
            state.add_message(teams.desk, maren, root)
        teams.settle()
        assert len(teams.fake.roots(teams.desk)) == 1
        assert len(teams.fake.called("GET", "/graph/*/messages")) == 2  # the second page has it

    def test_a_card_of_an_earlier_life_is_not_taken_for_the_lost_one(self, teams: TeamsWorld) -> None:
        """The database began anew, its channel did not: yesterday's cards bear the numbers of today's messages."""
        for number in range(1, 50):
            post = teams.fake.state.add_message(teams.desk, None, None)
            card = {"type": "AdaptiveCard", "body": [{"type": "TextBlock", "id": f"lotse-{number}-0", "text": "alt"}]}
            post.attachments = [{"contentType": CARD, "content": card}]
            post.at -= 24 * 3600
        teams.konrad.writes(WANTS_PERSON)
        teams.calm()
        teams.fake.faults.next(500, method="POST", path=f"*{teams.desk.id}/activities")
        teams.settle()
        assert "Konrad Voßmann" in teams.words(teams.card())


def test_a_post_whose_id_teams_does_not_tell_is_not_repeated(teams: TeamsWorld) -> None:
    """Two of them in one chat, so that they cannot have the same name; a change of one is a new post."""
    card = teams.wants_person()
    replies = [teams.maren.writes(f"Antwort {number}", thread=card) for number in range(2)]
    for _ in replies:
        loses_the_next_answer(teams, 200)
    teams.settle()
    assert [teams.words(post)[-9:] for post in teams.answers(teams.konrad)[1:]] == ["Antwort 0", "Antwort 1"]
    teams.maren.edits(replies[1], "Antwort 2")
    teams.settle()
    assert teams.words(teams.answers(teams.konrad)[-1]) == "Maren Tiede\nAntwort 2"


class TestLooking:
    """Microsoft Graph is asked what stands in a channel, and does not tell at once, or nothing."""

    def test_a_post_that_is_shown_late_is_not_repeated(self, teams: TeamsWorld) -> None:
        root = in_a_thread(teams, teams.konrad, WANTS_PERSON)
        loses_the_next_answer(teams, 504)
        teams.clock.move(seconds=MERGE)
        teams.app.worker.work_off()
        (post,) = answers_in(teams, root)
        hidden = teams.help.messages.pop(post.id)
        teams.clock.move(seconds=2.0)
        teams.app.worker.work_off()
        teams.help.messages[hidden.id] = hidden
        teams.settle()
        assert len(answers_in(teams, root)) == 1

    @pytest.mark.parametrize("status", [403, 429])
    def test_what_cannot_be_looked_for_is_repeated_in_the_end(self, teams: TeamsWorld, status: int) -> None:
        """Better twice than never: Graph may not be asked, or takes no questions for minutes."""
        teams.fake.faults.next(status, 1000, path="/graph/*", retry_after=1)
        root = in_a_thread(teams, teams.konrad, WANTS_PERSON)
        loses_the_next_answer(teams, 504)
        teams.settle()
        assert len(answers_in(teams, root)) == 2
        assert twice(teams) == {"lotse-2-0": 2}

    def test_a_post_is_found_below_everything_that_was_written_since(self, teams: TeamsWorld) -> None:
        root, card = in_a_channel(teams)
        teams.maren.writes("Ich schaue es mir an.", thread=card)
        loses_the_next_answer(teams, 504)
        teams.clock.move(seconds=MERGE)
        teams.app.worker.work_off()
        for _ in range(120):
            teams.fake.state.add_message(teams.help, teams.owen.person, root.id)
        before = len(teams.fake.called("GET", "/graph/*"))
        teams.settle()
        assert [teams.words(post) for post in answers_in(teams, root)][1:] == ["Maren Tiede\nIch schaue es mir an."]
        assert len(teams.fake.called("GET", "/graph/*")) == before + 3  # pages

    @pytest.mark.parametrize("seconds", [-240, 240])
    def test_a_post_is_found_where_clocks_are_minutes_apart(self, teams: TeamsWorld, seconds: int) -> None:
        ours = teams.clock
        teams.fake.state.clock = lambda: ours().timestamp() + seconds
        root = in_a_thread(teams, teams.konrad, WANTS_PERSON)
        for _ in range(2):  # the receipt and the card
            loses_the_next_answer(teams, 0)
        teams.settle()
        assert len(answers_in(teams, root)) == len(teams.fake.roots(teams.desk)) == 1

    def test_a_post_that_somebody_has_deleted_is_sent_again(self, teams: TeamsWorld) -> None:
        """Graph tells of it that it was there, and nothing else: whose it was nobody knows."""
        root = in_a_thread(teams, teams.konrad, WANTS_PERSON)
        loses_the_next_answer(teams, 0)
        teams.clock.move(seconds=MERGE)
        teams.app.worker.work_off()
        (post,) = answers_in(teams, root)
        post.deleted_at = teams.clock().timestamp()
        teams.settle()
        assert len(answers_in(teams, root)) == 1

    def test_what_was_not_sent_is_sent_after_it_was_looked_for(self, teams: TeamsWorld) -> None:
        root = in_a_thread(teams, teams.konrad, WANTS_PERSON)
        teams.calm()
        teams.fake.faults.cut(method="POST", path="*/activities", processed=False)
        teams.settle()
        assert len(answers_in(teams, root)) == 1

    def test_a_long_post_is_not_looked_for_between_its_parts(self, teams: TeamsWorld) -> None:
        """Nothing is unclear there."""
        in_a_thread(teams, teams.konrad, WANTS_PERSON)
        teams.settle()
        says_at_the_desk(teams, LONG, "long")
        teams.settle()
        assert teams.fake.called("GET", "/graph/*") == []
