"""The contract of every channel: whoever writes one inherits these tests and gives them a harness."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from harness import ConsoleHarness, Harness, WebHarness, is_settled, newest_ticket, real_app, texts, tickets
from sentences import keys
from slack_harness import SlackHarness
from slack_world import SlackWorld
from teams_harness import TeamsHarness
from teams_world import TeamsWorld
from world import UNKNOWN_QUESTION, VPN, VPN_QUESTION

SECRET = "nur-intern-4711"
MARKUP = "<script>alert(1)</script> @channel <!here> [x](javascript:alert(1)) & \"quoted\" 'too'"


class ChannelContract:
    """What employees and agents can rely on, whatever the channel."""

    def test_a_question_is_answered_with_its_source_and_ways_on(self, harness: Harness) -> None:
        harness.employee_writes(VPN_QUESTION)
        (answer,) = harness.employee_sees()
        assert VPN[1] in answer.text
        assert answer.links == ("/kb/articles/1",)
        assert [action for action, _ in answer.buttons] == ["helped", "not_helped", "person"]

    def test_the_same_event_four_times_is_answered_once(self, harness: Harness) -> None:
        event = uuid4()
        for settle in (False, True, False, True):
            harness.employee_writes(VPN_QUESTION, source_id=event, settle=settle)
        assert len(harness.employee_sees()) == 1

    def test_a_burst_is_answered_once(self, harness: Harness) -> None:
        harness.employee_writes("VPN-Client starten", settle=False)
        harness.employee_writes("Profil Zentrale wählen")
        assert len(harness.employee_sees()) == 1

    def test_buttons_lead_on(self, harness: Harness) -> None:
        harness.employee_writes(VPN_QUESTION)
        harness.employee_presses("helped")
        assert "helped" in keys(harness.employee_sees()[-1].text)

    def test_a_question_nobody_can_answer_ends_with_a_receipt_and_a_card(self, harness: Harness) -> None:
        harness.employee_writes(UNKNOWN_QUESTION)
        harness.employee_presses("skip")
        ticket = newest_ticket(harness.app)
        assert ticket in harness.employee_sees()[-1].text
        assert UNKNOWN_QUESTION in harness.desk_sees(ticket)

    def test_an_agents_reply_reaches_the_employee_under_the_agents_name(self, harness: Harness) -> None:
        ticket = self.ticket(harness)
        harness.agent_writes(ticket, "Ich sehe mir das an.")
        last = harness.employee_sees()[-1]
        assert (last.text, last.author) == ("Ich sehe mir das an.", "Maren Tiede")

    def test_what_the_employee_adds_reaches_the_agents(self, harness: Harness) -> None:
        ticket = self.ticket(harness)
        harness.agent_writes(ticket, "Welcher Raum?")
        harness.employee_writes("Raum 213 im Altbau")
        assert harness.employee_sees()[-1].text == "Welcher Raum?"
        assert "Raum 213 im Altbau" in harness.desk_sees(ticket)

    @pytest.mark.parametrize("text", [f"// {SECRET}", SECRET])
    def test_a_note_never_reaches_the_employee(self, harness: Harness, text: str) -> None:
        ticket = self.ticket(harness)
        harness.agent_writes(ticket, text, note=text == SECRET)
        assert SECRET not in "".join(texts(harness.employee_sees()))
        assert SECRET in harness.desk_sees(ticket)

    def test_the_second_claim_is_told_who_won(self, harness: Harness) -> None:
        ticket = self.ticket(harness)
        assert harness.agent_presses(ticket, "claim") == (True, "")
        done, told = harness.agent_presses(ticket, "claim", agent="tomasz")
        assert not done
        assert "Maren Tiede" in told
        assert "claimed" in keys(harness.employee_sees()[-1].text)

    def test_resolved_is_told_and_still_broken_reopens(self, harness: Harness) -> None:
        ticket = self.ticket(harness)
        harness.agent_presses(ticket, "resolve", cause="Kabel", fix="Kabel getauscht.")
        resolved = harness.employee_sees()[-1]
        assert "Kabel getauscht." in resolved.text
        assert [action for action, _ in resolved.buttons] == ["works", "still_broken"]
        harness.employee_presses("still_broken")
        assert "reopened" in keys(harness.employee_sees()[-1].text)
        assert tickets(harness.app) == 1

    def test_a_person_is_there_at_any_time(self, harness: Harness) -> None:
        harness.employee_writes(VPN_QUESTION)
        harness.employee_presses("person")
        assert newest_ticket(harness.app) in harness.employee_sees()[-1].text

    def test_a_long_message_arrives_whole(self, harness: Harness) -> None:
        ticket = self.ticket(harness)
        long = "Schritt für Schritt. " * 300 + "Ende."
        harness.agent_writes(ticket, long)
        assert harness.employee_sees()[-1].text.endswith("Ende.")

    def test_markup_and_mentions_do_no_harm(self, harness: Harness) -> None:
        ticket = self.ticket(harness)
        harness.employee_writes(MARKUP)
        harness.agent_writes(ticket, MARKUP)
        assert harness.employee_sees()[-1].text == MARKUP
        assert "<script>alert(1)" not in harness.desk_markup(ticket)
        assert 'href="javascript:' not in harness.desk_markup(ticket)

    def test_everything_is_handled_and_delivered(self, harness: Harness) -> None:
        ticket = self.ticket(harness)
        harness.agent_writes(ticket, "Ich sehe mir das an.")
        harness.employee_writes("Danke")
        assert is_settled(harness.app)

    def ticket(self, harness: Harness) -> str:
        harness.employee_writes("Ich möchte mit einem Menschen sprechen.")
        return newest_ticket(harness.app)


class TestWeb(ChannelContract):
    @pytest.fixture
    def harness(self, database_url: str, tmp_path: Path) -> Iterator[WebHarness]:
        web = WebHarness(*real_app(database_url, tmp_path))
        yield web
        web.close()


@pytest.mark.parametrize("transport", ["http", "socket"])
class TestSlack(ChannelContract):
    @pytest.fixture
    def harness(self, make_slack_world: Callable[..., SlackWorld], transport: str) -> Iterator[SlackHarness]:
        slack = SlackHarness(make_slack_world(transport))
        yield slack
        slack.close()


class TestTeams(ChannelContract):
    @pytest.fixture
    def harness(self, make_teams_world: Callable[..., TeamsWorld]) -> Iterator[TeamsHarness]:
        teams = TeamsHarness(make_teams_world())
        yield teams
        teams.close()


class TestConsole(ChannelContract):
    @pytest.fixture
    def harness(self, database_url: str, tmp_path: Path) -> Iterator[ConsoleHarness]:
        console = ConsoleHarness(*real_app(database_url, tmp_path))
        yield console
        console.close()
