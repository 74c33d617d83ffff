"""Teams refuses: somebody has blocked Lotse, a token is no longer good, a card is too large, too many at once."""

import re
import time
from collections.abc import Iterator

import pytest
from fake_teams import Actor, Message, Upload
from sentences import keys
from teams_posts import LONG, WANTS_PERSON, answers_in, in_a_channel, installed, says_at_the_desk
from teams_world import MERGE, MakeTeamsWorld, TeamsWorld
from together import at_once
from world import VPN_QUESTION

from bot.channels.port import TryAgain
from bot.channels.teams.connector import Connector


@pytest.fixture
def teams(make_teams_world: MakeTeamsWorld) -> TeamsWorld:
    return installed(make_teams_world)


@pytest.fixture(autouse=True)
def _nothing_unexpected(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What Teams refuses is written down by its kind, without a traceback."""
    yield
    assert [record.getMessage() for record in caplog.get_records("call") if record.exc_info] == []


def connector(teams: TeamsWorld) -> Connector:
    assert teams.app.teams is not None
    return teams.app.teams.edge.channel.connector


def told(teams: TeamsWorld, person: Actor) -> list[str]:
    return [teams.words(post) for post in teams.answers(person)]


def posts_to(teams: TeamsWorld, chat: str) -> list[int]:
    """How each try to post there ended."""
    return [call.status for call in teams.fake.called("POST", f"*/{chat}/activities") if call.body["type"] == "message"]


# --- somebody has blocked Lotse ---------------------------------------------------------------------------------------
def test_whoever_has_blocked_lotse_is_given_up_and_the_agents_are_told_once(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    teams.konrad.blocks()
    before = len(posts_to(teams, teams.konrad.chat))
    for number in range(3):
        teams.maren.writes(f"Antwort {number}", thread=card)
        teams.owen.writes(VPN_QUESTION)
        teams.settle()
    teams.clock.move(hours=2)
    teams.settle()
    assert posts_to(teams, teams.konrad.chat)[before:] == [403] * 3  # each was tried once
    thread = [teams.words(post) for post in teams.thread(card)]
    assert sum("agent_undeliverable" in keys(one) for one in thread) == 1
    assert "Profil Zentrale" in told(teams, teams.owen)[0]  # others are answered


def test_whoever_takes_the_block_away_and_writes_again_is_answered_again(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    teams.konrad.blocks()
    teams.maren.writes("Ich schaue es mir an.", thread=card)
    teams.settle()
    teams.konrad.unblocks()
    teams.asks(teams.konrad, "Und?")
    teams.maren.writes("Es ist behoben.", thread=card)
    teams.settle()
    assert told(teams, teams.konrad)[-1] == "Maren Tiede\nEs ist behoben."


def test_an_answer_that_nobody_may_be_given_becomes_a_ticket(teams: TeamsWorld) -> None:
    teams.konrad.writes(VPN_QUESTION)
    teams.konrad.blocks()
    teams.settle()
    assert teams.tickets() == 1
    assert "Konrad Voßmann" in teams.words(teams.card())


# --- tokens -----------------------------------------------------------------------------------------------------------
def logins(teams: TeamsWorld) -> int:
    return len(teams.fake.called("POST", "/login/*"))


def test_a_token_that_was_revoked_is_replaced_at_once(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    teams.fake.revoke_tokens()
    before = logins(teams)
    teams.maren.presses(card, "claim")  # whether she may is asked with the old token
    assert teams.maren.told == []
    agent = teams.ticket().agent
    assert agent is not None
    teams.settle()
    assert logins(teams) == before + 1
    assert "Maren Tiede" in told(teams, teams.konrad)[-1]


def test_a_token_that_ended_early_is_replaced_at_once(teams: TeamsWorld) -> None:
    teams.asks(teams.konrad, VPN_QUESTION)
    teams.konrad.writes(VPN_QUESTION)
    teams.calm()
    ahead = time.time() + 3600  # by Microsoft's clock it has ended
    teams.fake.token_clock = lambda: ahead
    teams.clock.move(seconds=MERGE)
    teams.app.worker.work_off()
    assert len(told(teams, teams.konrad)) == 2


def test_what_is_refused_with_a_new_token_too_waits(teams: TeamsWorld) -> None:
    teams.konrad.writes(VPN_QUESTION)
    teams.calm()
    before = logins(teams)
    teams.fake.faults.next(401, 4, method="POST", path="*/activities")
    teams.settle()
    assert len(told(teams, teams.konrad)) == 1
    assert logins(teams) == before + 2  # two tries, each with a new token


def by_the_worlds_clock(teams: TeamsWorld) -> None:
    connector(teams).login.clock = lambda: teams.clock().timestamp()


def test_with_a_wrong_secret_everything_waits_and_nothing_is_lost(make_teams_world: MakeTeamsWorld) -> None:
    teams = make_teams_world()
    by_the_worlds_clock(teams)
    right, teams.fake.state.secret = teams.fake.state.secret, "another one"
    teams.konrad.writes(WANTS_PERSON)
    teams.owen.writes(VPN_QUESTION)
    for _ in range(20):
        teams.calm()
        teams.clock.move(seconds=30)
        teams.app.worker.work_off()
    assert teams.tickets() == 1
    assert told(teams, teams.konrad) == told(teams, teams.owen) == []
    teams.fake.state.secret = right
    teams.clock.move(minutes=15)
    teams.settle()
    assert len(told(teams, teams.konrad)) == len(told(teams, teams.owen)) == 1
    assert len(teams.fake.roots(teams.desk)) == 1


@pytest.mark.parametrize("status", [400, 429, 500, 503, 0])
def test_many_who_want_a_token_that_is_not_given_ask_once(teams: TeamsWorld, status: int) -> None:
    """While Entra does not answer, nobody stands in line before it."""
    teams.konrad.writes(VPN_QUESTION)
    teams.calm()
    by_the_worlds_clock(teams)
    teams.fake.revoke_tokens()
    teams.fake.faults.next(status, 100, path="/login/*")
    before = logins(teams)

    def post() -> None:
        with pytest.raises(TryAgain):
            connector(teams).typing(teams.fake.service_url, teams.konrad.chat)

    at_once([post] * 8)
    assert logins(teams) == before + 1
    teams.fake.faults.clear()
    teams.settle()
    assert len(told(teams, teams.konrad)) == 1


def test_while_entra_is_away_a_token_is_used_to_its_end(teams: TeamsWorld) -> None:
    by_the_worlds_clock(teams)
    teams.asks(teams.konrad, VPN_QUESTION)
    teams.fake.faults.next(503, 100, path="/login/*")
    teams.clock.move(seconds=3599 - 200)
    teams.asks(teams.konrad, VPN_QUESTION)
    assert len(told(teams, teams.konrad)) == 2


# --- cards that Teams does not take -----------------------------------------------------------------------------------
def refuses_the_next(teams: TeamsWorld, status: int, method: str = "POST") -> None:
    teams.calm()
    teams.fake.faults.next(status, method=method, path=f"*{teams.konrad.chat}/activities*")


@pytest.mark.parametrize("status", [400, 413])
def test_the_words_of_a_card_that_teams_does_not_take_arrive_plainly(teams: TeamsWorld, status: int) -> None:
    card = teams.wants_person()
    teams.maren.writes("Bitte *neu* starten.", thread=card)
    refuses_the_next(teams, status)
    teams.settle()
    post = teams.answers(teams.konrad)[-1]
    assert (post.text, post.cards) == ("Maren Tiede\nBitte *neu* starten.", [])


@pytest.mark.parametrize(("refusals", "pieces"), [(1, 1), (2, 4)])
def test_the_words_of_a_card_that_is_too_large_arrive_in_as_many_posts_as_it_takes(
    teams: TeamsWorld, refusals: int, pieces: int
) -> None:
    teams.wants_person()
    says_at_the_desk(teams, LONG, "long")
    for _ in range(refusals):
        refuses_the_next(teams, 413)
    teams.settle()
    posts = teams.answers(teams.konrad)[1:]
    assert [bool(post.text) for post in posts] == [True] * pieces + [False] * 3
    assert re.findall(r"Wort\d{4}", "".join(map(teams.words, posts))) == LONG.split()


@pytest.mark.parametrize("status", [400, 413])
def test_a_change_that_teams_does_not_take_as_a_card_is_shown_plainly(teams: TeamsWorld, status: int) -> None:
    card = teams.wants_person()
    reply = teams.maren.writes("Stand 0", thread=card)
    teams.settle()
    teams.maren.edits(reply, "Stand 1")
    refuses_the_next(teams, status, "PUT")
    teams.settle()
    assert told(teams, teams.konrad)[1:] == ["Maren Tiede\nStand 1"]


# --- too many, and broken lines ---------------------------------------------------------------------------------------
def test_who_has_to_wait_long_holds_nobody_else_up(teams: TeamsWorld) -> None:
    teams.konrad.writes(WANTS_PERSON)
    teams.owen.writes(VPN_QUESTION)
    teams.calm()
    teams.fake.faults.next(429, path=f"*/{teams.konrad.chat}/activities", retry_after=600)
    for _ in range(20):
        teams.clock.move(seconds=MERGE)
        teams.app.worker.work_off()
    assert told(teams, teams.konrad) == []
    assert len(told(teams, teams.owen)) == 1
    card = teams.card()  # agents can begin
    teams.maren.writes("Ich schaue es mir an.", thread=card)
    teams.calm()
    teams.app.worker.work_off()
    assert told(teams, teams.konrad) == []
    teams.clock.move(seconds=600)
    teams.settle()
    assert [one.startswith("Maren Tiede") for one in told(teams, teams.konrad)] == [False, True]


def test_a_time_of_nothing_is_no_reason_to_try_without_a_pause(teams: TeamsWorld) -> None:
    teams.konrad.writes(VPN_QUESTION)
    teams.calm()
    before = len(posts_to(teams, teams.konrad.chat))
    teams.fake.faults.next(429, 50, path="*/activities", retry_after=0)
    teams.clock.move(seconds=MERGE)
    teams.app.worker.work_off()
    assert len(posts_to(teams, teams.konrad.chat)) == before + 1


def test_a_line_that_is_cut_before_anything_was_done_costs_a_pause_only(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    for number in range(3):
        teams.maren.writes(f"Antwort {number}", thread=card)
    teams.calm()
    teams.fake.faults.cut(2, method="POST", path="*/activities", processed=False)
    teams.settle()
    assert told(teams, teams.konrad)[1:] == [f"Maren Tiede\nAntwort {number}" for number in range(3)]


# --- files ------------------------------------------------------------------------------------------------------------
def test_a_file_that_is_gone_is_asked_for_once_and_its_sender_told(teams: TeamsWorld) -> None:
    teams.wants_person()
    teams.konrad.writes("Siehe Anhang.", files=[Upload("log.txt", b"x")])
    for file in teams.fake.files.values():
        file.gone = True
    teams.settle()
    assert len(teams.fake.called("GET", "/sharepoint/*")) == 1
    assert "log.txt" in told(teams, teams.konrad)[-1]


def test_a_picture_is_loaded_with_a_new_token_when_the_old_one_is_refused(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    teams.konrad.writes("So sieht es aus.", images=[Upload("bild.png", b"PNG", "image/png")])
    teams.calm()
    teams.fake.revoke_tokens()
    teams.settle()
    assert any("📎" in teams.words(post) for post in teams.thread(card))


# --- what is changed --------------------------------------------------------------------------------------------------
def test_a_part_that_somebody_took_away_does_not_stop_a_change(teams: TeamsWorld) -> None:
    (root, card), maren = in_a_channel(teams), teams.maren
    reply = maren.writes(LONG[:60_000], thread=card)
    teams.settle()
    parts: list[Message] = answers_in(teams, root)[1:]
    assert len(parts) == 3
    parts[2].deleted_at = teams.clock().timestamp()
    maren.edits(reply, "Kurz.")
    teams.settle()
    assert [teams.words(post) for post in answers_in(teams, root)[1:]] == ["Maren Tiede\nKurz."]
