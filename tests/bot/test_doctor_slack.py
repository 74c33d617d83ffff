"""`lotse doctor slack`: every way to set Slack up wrong is named with its cure, and nothing is left behind."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from fake_slack import ALL_SCOPES, FakeSlack
from fake_slack_state import Workspace
from slack_sdk.oauth.installation_store.models.installation import Installation
from slack_setup import oauth_settings, slack_settings

from bot.channels.findings import Finding
from bot.channels.slack.doctor import examine
from bot.channels.slack.workspaces import Workspaces, open_workspaces
from bot.cli import main
from bot.db import Sessions
from bot.settings import Settings, SettingsError


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    """A Slack in which everything is as it should be."""
    with FakeSlack() as slack:
        for name in ("network", "third"):
            slack.channel(name, kind="private")
        slack.channel("help")
        yield slack


def channels(fake: FakeSlack, **changed: str) -> dict[str, Any]:
    """The sections of config.yml that name channels; changed: another id for a channel."""
    ids = {name: changed.get(name, fake.channel_named(f"#{name}").id) for name in ("network", "third", "help")}
    places = {name: {"channel": ids[name], "platform": "slack"} for name in ("network", "third")}
    handoff = {"queues": {"network": places["network"]}, "default_queue": "network", "third_level": places["third"]}
    handoff["categories"] = {"other": "network"}
    return {"handoff": handoff, "slack": {"help_channels": [ids["help"]]}}


def settings_of(fake: FakeSlack, folder: Path, environ: dict[str, str] | None = None, **changed: str) -> Settings:
    return slack_settings(fake, folder, environ=environ, **channels(fake, **changed))


def examined(settings: Settings, ahead: float = 0.0) -> list[Finding]:
    return examine(Workspaces(settings), settings, lambda: time.time() + ahead)


def wrong(findings: list[Finding]) -> dict[str, str]:
    """Check and cure of what is wrong; every fault has a cure."""
    return {one.check: f"{one.text} → {one.cure}" for one in findings if one.state == "wrong" and one.cure}


def is_clean(fake: FakeSlack) -> bool:
    return not any(fake.said(channel) for channel in fake.state.channels.values())


def test_where_all_is_right_all_is_ok_and_no_card_stays(fake: FakeSlack, tmp_path: Path) -> None:
    found = examined(settings_of(fake, tmp_path))
    assert {one.state for one in found} == {"ok"}
    assert [one.check for one in found[:5]] == ["settings", "app token", "token", "scopes", "clock"]
    assert len(found) == 8
    assert len(fake.called("chat.postMessage")) == len(fake.called("chat.delete")) == 3
    assert is_clean(fake)


def test_without_a_mode_the_doctor_asks_nobody(fake: FakeSlack) -> None:
    (found,) = examined(Settings())
    assert (found.state, found.text) == ("wrong", "slack.mode is not set")
    assert found.cure == "set it to socket or http; see docs/slack.md"
    assert fake.calls == []


def test_a_wrong_bot_token_is_named(fake: FakeSlack, tmp_path: Path) -> None:
    found = wrong(examined(settings_of(fake, tmp_path, {"LOTSE_BOT": "xoxb-wrong"})))
    assert list(found) == ["token"]
    assert "LOTSE_BOT (invalid_auth)" in found["token"]
    assert '→ copy the "Bot User OAuth Token"' in found["token"]
    assert "xoxb-wrong" not in found["token"]


def test_a_wrong_app_token_is_named(fake: FakeSlack, tmp_path: Path) -> None:
    found = wrong(examined(settings_of(fake, tmp_path, {"LOTSE_APP": "xapp-wrong"})))
    assert list(found) == ["app token"]
    assert "LOTSE_APP opens no connection: invalid_auth" in found["app token"]
    assert "scope connections:write" in found["app token"]


def test_a_bot_token_for_the_app_token_is_named(fake: FakeSlack, tmp_path: Path) -> None:
    found = wrong(examined(settings_of(fake, tmp_path, {"LOTSE_APP": fake.token})))
    assert "not_allowed_token_type" in found["app token"]
    assert "it begins with xapp-" in found["app token"]


def test_scopes_that_were_not_granted_are_named(fake: FakeSlack, tmp_path: Path) -> None:
    fake.install(scopes=ALL_SCOPES - {"files:read", "reactions:read"})
    found = wrong(examined(settings_of(fake, tmp_path)))
    assert list(found) == ["scopes"]
    assert f"missing in {fake.team.id}: files:read, reactions:read" in found["scopes"]
    assert "→ put slack/manifest.yml into the app's page" in found["scopes"]


def test_a_scope_that_a_channel_needs_is_named_there_too(fake: FakeSlack, tmp_path: Path) -> None:
    fake.install(scopes=ALL_SCOPES - {"groups:history"})
    found = wrong(examined(settings_of(fake, tmp_path)))
    (check,) = [check for check in found if check.startswith("queue network")]
    assert "#network: the test card cannot be read back: missing_scope" in found[check]
    assert is_clean(fake)


def test_a_public_channel_without_lotse_is_named(fake: FakeSlack, tmp_path: Path) -> None:
    fake.channel_named("#help").members.clear()
    (said,) = wrong(examined(settings_of(fake, tmp_path))).values()
    assert said == "Lotse is not a member of #help → write /invite @Lotse in the channel"


def test_a_private_channel_without_lotse_looks_like_none(fake: FakeSlack, tmp_path: Path) -> None:
    fake.channel_named("#network").members.clear()
    (said,) = wrong(examined(settings_of(fake, tmp_path))).values()
    assert "channel_not_found → check the id" in said
    assert "/invite @Lotse" in said


def test_a_channel_that_does_not_exist_is_named(fake: FakeSlack, tmp_path: Path) -> None:
    found = wrong(examined(settings_of(fake, tmp_path, third="C0NOWHERE")))
    assert list(found) == ["third level, channel C0NOWHERE"]
    assert "it cannot be found: channel_not_found → check the id" in found["third level, channel C0NOWHERE"]


def test_an_archived_channel_is_named(fake: FakeSlack, tmp_path: Path) -> None:
    fake.channel_named("#third").archived = True
    (said,) = wrong(examined(settings_of(fake, tmp_path))).values()
    assert said == "#third is archived → unarchive it in Slack, or name another channel in config.yml"


def test_a_channel_where_nobody_may_post_is_named(fake: FakeSlack, tmp_path: Path) -> None:
    fake.fail_next("chat.postMessage", error="restricted_action_read_only_channel")
    (said,) = wrong(examined(settings_of(fake, tmp_path))).values()
    assert "posting is not possible: restricted_action_read_only_channel → posting is restricted there" in said


@pytest.mark.parametrize(("ahead", "way"), [(120.0, "120 s ahead of"), (-3600.0, "3600 s behind")])
def test_a_clock_that_is_off_is_named(fake: FakeSlack, tmp_path: Path, ahead: float, way: str) -> None:
    said = wrong(examined(settings_of(fake, tmp_path), ahead - 0.5 if ahead < 0 else ahead + 0.5))["clock"]
    assert f"is {way} Slack's" in said or f"{int(ahead) + 1} s" in said
    assert "→ let it be set by a time service" in said


def test_a_public_hand_off_channel_is_a_warning_only(fake: FakeSlack, tmp_path: Path) -> None:
    open_room = fake.channel("open-desk")
    found = examined(settings_of(fake, tmp_path, network=open_room.id))
    (warning,) = [one for one in found if one.state == "warning"]
    assert warning.text == "#open-desk is public: everybody in the workspace can read the tickets"
    assert wrong(found) == {}


def test_a_slack_out_of_reach_is_named(fake: FakeSlack, tmp_path: Path) -> None:
    sections = channels(fake)
    sections["slack"]["api_base_url"] = "http://127.0.0.1:9/api/"
    found = wrong(examined(slack_settings(fake, tmp_path, **sections)))
    assert list(found) == ["app token", "token"]
    assert "Slack does not answer → check that this machine reaches slack.api_base_url" in found["token"]


def test_a_card_that_cannot_be_read_back_is_taken_away_all_the_same(fake: FakeSlack, tmp_path: Path) -> None:
    fake.fail_next("conversations.history", error="fatal_error")
    (said,) = wrong(examined(settings_of(fake, tmp_path))).values()
    assert "the test card cannot be read back: fatal_error" in said
    assert is_clean(fake)


def test_a_card_whose_posting_got_no_answer_is_taken_away(fake: FakeSlack, tmp_path: Path) -> None:
    fake.lose_answer("chat.postMessage")
    (said,) = wrong(examined(settings_of(fake, tmp_path))).values()
    assert "posting is not possible: Slack does not answer" in said
    assert is_clean(fake)


def test_a_card_that_stays_is_told(fake: FakeSlack, tmp_path: Path) -> None:
    fake.fail_next("chat.delete", error="compliance_exports_prevent_deletion")
    (said,) = wrong(examined(settings_of(fake, tmp_path))).values()
    assert "the test card could not be taken away → delete it by hand; it says: Lotse prüft" in said


def http_settings(fake: FakeSlack, folder: Path, public_url: str | None) -> Settings:
    slack = {"mode": "http", "signing_secret_env": "LOTSE_SIGN"}
    return slack_settings(fake, folder, slack=slack, web={"public_url": public_url})


def test_over_http_no_app_token_is_asked_for(fake: FakeSlack, tmp_path: Path) -> None:
    found = examined(http_settings(fake, tmp_path, "https://helpdesk.example.org"))
    assert {one.state for one in found} == {"ok"}
    assert fake.called("apps.connections.open") == []
    assert "Slack sends to https://helpdesk.example.org/slack/events" in [one.text for one in found]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (None, "web.public_url is not set, Slack cannot reach Lotse"),
        ("http://helpdesk.example.org", "web.public_url is http://helpdesk.example.org; Slack sends to https only"),
    ],
)
def test_an_address_slack_cannot_send_to_is_named(fake: FakeSlack, tmp_path: Path, url: str | None, said: str) -> None:
    found = wrong(examined(http_settings(fake, tmp_path, url)))
    assert list(found) == ["public address"]
    assert found["public address"].startswith(f"{said} → set web.public_url")


def test_a_missing_signing_secret_is_named(fake: FakeSlack, tmp_path: Path) -> None:
    settings = http_settings(fake, tmp_path, "https://helpdesk.example.org")
    without = settings.slack.model_copy(update={"signing_secret_env": None})
    found = wrong(examined(settings.model_copy(update={"slack": without})))
    assert list(found) == ["signing secret"]
    assert 'the "Signing Secret" of the page "Basic Information"' in found["signing secret"]


def test_a_help_channel_where_agents_work_is_named_before_anything_is_asked(fake: FakeSlack, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="where agents work"):
        settings_of(fake, tmp_path, help=fake.channel_named("#network").id)


def test_a_workspace_nobody_installed_lotse_in_is_named(fake: FakeSlack, tmp_path: Path, sessions: Sessions) -> None:
    settings = oauth_settings(fake, tmp_path)
    found = wrong(examine(open_workspaces(settings, sessions), settings))
    assert list(found) == ["token"]
    assert found["token"].endswith("→ open https://helpdesk.example.org/slack/install in a browser")


def installed(fake: FakeSlack, settings: Settings, sessions: Sessions, *teams: Workspace) -> Workspaces:
    """Lotse in these workspaces, by OAuth."""
    workspaces = open_workspaces(settings, sessions)
    assert workspaces.store is not None
    for team in teams:
        bot = team.bot or fake.install(team)
        ids: dict[str, Any] = {
            "bot_token": bot.token,
            "bot_id": bot.bot_id,
            "bot_user_id": bot.user_id,
            "user_id": "U1",
        }
        workspaces.store.save(Installation(app_id="A1", team_id=team.id, team_name=team.name, **ids))
    return workspaces


def test_every_installed_workspace_and_its_channels_are_looked_at(
    fake: FakeSlack, tmp_path: Path, sessions: Sessions
) -> None:
    other = fake.add_team("Other", "other")
    fake.install(other)
    sections = channels(fake, third=fake.channel("third", kind="private", team=other).id)
    sections["handoff"]["third_level"]["workspace"] = other.id
    settings = oauth_settings(fake, tmp_path, **sections)
    found = examine(installed(fake, settings, sessions, fake.team, other), settings)
    assert {one.state for one in found} == {"ok"}
    assert [one.check for one in found].count("scopes") == 2
    assert len(fake.called("chat.delete")) == 3
    assert is_clean(fake)


def test_a_workspace_that_took_lotse_away_is_named_and_the_others_are_looked_at(
    fake: FakeSlack, tmp_path: Path, sessions: Sessions
) -> None:
    other = fake.add_team("Other", "other")
    settings = oauth_settings(fake, tmp_path, **channels(fake))
    workspaces = installed(fake, settings, sessions, fake.team, other)
    fake.install(other)
    found = examine(workspaces, settings)
    assert list(wrong(found)) == ["token"]
    assert f"the token of the workspace {other.id} (invalid_auth) → install Lotse there again" in wrong(found)["token"]
    assert len([one for one in found if "test card was posted" in one.text]) == 3


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    written = capsys.readouterr()
    return code, written.out, written.err


@pytest.fixture
def home(fake: FakeSlack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with settings for the fake Slack, its tokens in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("LOTSE_CONFIG", raising=False)
    for name, value in {"LOTSE_BOT": fake.token, "LOTSE_APP": fake.app_token}.items():
        monkeypatch.setenv(name, value)
    settings_of(fake, tmp_path)
    return tmp_path


@pytest.mark.usefixtures("home")
def test_the_command_tells_one_line_for_each_check(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "doctor", "slack")
    assert code == 0
    assert all(line.startswith("ok      ") for line in out.splitlines())
    assert len(out.splitlines()) == 8


@pytest.mark.usefixtures("home")
def test_a_fault_ends_the_command_with_1_and_stands_with_its_cure(
    fake: FakeSlack, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.channel_named("#third").archived = True
    code, out, _ = run(capsys, "doctor", "slack")
    assert code == 1
    assert "#third is archived\n        → unarchive it in Slack" in out


@pytest.mark.usefixtures("home")
def test_the_command_tells_scripts_the_same(fake: FakeSlack, capsys: pytest.CaptureFixture[str]) -> None:
    fake.channel_named("#help").members.clear()
    code, out, _ = run(capsys, "doctor", "slack", "--json")
    told = json.loads(out)
    assert (code, told["ok"]) == (1, False)
    assert {"ok", "wrong"} == {one["state"] for one in told["findings"]}
    assert set(told["findings"][0]) == {"check", "state", "text", "cure"}
    assert fake.token not in out


def test_the_key_command_prints_a_key_and_what_to_do_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "slack", "key")
    assert code == 0
    Fernet(out.strip())
    assert "export LOTSE_SLACK_TOKEN_KEY='...'" in err
    assert out.strip() not in err


@pytest.mark.parametrize("command", [["doctor"], ["doctor", "slack"], ["slack"], ["slack", "key"]], ids=" ".join)
def test_every_command_has_help(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    code, out, _ = run(capsys, *command, "--help")
    assert code == 0
    assert "Usage: lotse" in out
    assert len(command) == 1 or "Examples:" in out
