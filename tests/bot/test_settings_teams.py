"""Settings of Teams that do not go together are named with their line and the fix."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.cli import main
from bot.settings import Settings, SettingsError, load_settings

GUID = "0d8f3a2e-5b0c-4d1e-9f60-7a8b9c0d1e2f"
OTHER = "11111111-2222-3333-4444-555555555555"
SECRET = {"LOTSE_TEAMS": "geheim"}
BOT = f"teams:\n  app_id: {GUID}\n  tenant_id: {OTHER}\n  client_secret_env: LOTSE_TEAMS\n"
LINK = "https://teams.microsoft.com/l/channel/19%3Ahelp%40thread.tacv2/IT-Hilfe?groupId=1"
DESK, THIRD = "19:desk@thread.tacv2", "19:third@thread.tacv2"


def handoff(desk: str = DESK, third: str = THIRD) -> str:
    """A queue and the third level in Teams."""
    queue = f"  queues:\n    service-desk:\n      channel: '{desk}'\n      platform: teams\n"
    return f"handoff:\n{queue}  third_level:\n    channel: '{third}'\n    platform: teams\n"


def load(folder: Path, text: str, environ: Mapping[str, str] = SECRET) -> Settings:
    path = folder / "config.yml"
    path.write_text(text, "utf-8")
    return load_settings(path, environ)


def faults_of(folder: Path, text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(folder, text)
    return [line.partition("line ")[2] for line in str(caught.value).splitlines() if "line " in line]


# --- right ------------------------------------------------------------------------------------------------------------
RIGHT = {
    "off": "teams:\n  help_channels: []\n",
    "with a secret": BOT,
    "with a managed identity": f"teams:\n  app_id: {GUID}\n  tenant_id: {OTHER}\n  credential: managed_identity\n",
    "agents in Teams": f"{BOT}  help_channels: ['19:help@thread.tacv2']\n{handoff()}",
    "an old channel": BOT + handoff(desk="19:desk@thread.skype"),
    "partners": f"{BOT}  tenants: [{GUID}]\n",
    "playground": "teams:\n  playground: true\n  service_urls: ['http://localhost:56150/']\n",
    "agents in the playground": f"teams:\n  playground: true\n{handoff('channel-announcements-id', 'channel-2')}",
    "a stand-in on this machine": f"{BOT}  login_url: http://127.0.0.1:1/login\n  graph_url: null\n",
    "GCC": f"{BOT}  service_urls: ['https://smba.infra.gcc.teams.microsoft.com/']\n",
}


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
def test_what_goes_together_is_taken(tmp_path: Path, text: str) -> None:
    settings = load(tmp_path, text)
    assert settings.teams.is_on == ("app_id" in text or "playground: true" in text)


def test_the_ids_of_channels_need_no_quotes(tmp_path: Path) -> None:
    handed = f"handoff:\n  queues:\n    service-desk: {{channel: {DESK}, platform: teams}}\n"
    settings = load(tmp_path, f"{BOT}  help_channels: [19:help@thread.tacv2, 19:x_y-z@thread.tacv2]\n{handed}")
    assert settings.handoff.queues["service-desk"].channel == DESK
    assert settings.teams.help_channels == ("19:help@thread.tacv2", "19:x_y-z@thread.tacv2")


def test_an_app_id_is_as_the_service_writes_it(tmp_path: Path) -> None:
    assert load(tmp_path, BOT.replace(GUID, GUID.upper())).teams.app_id == GUID


def test_the_secret_comes_from_the_environment_and_shows_nowhere(tmp_path: Path) -> None:
    settings = load(tmp_path, BOT)
    assert settings.secret(settings.teams.client_secret_env) == "geheim"
    assert "geheim" not in repr(settings) + settings.model_dump_json()


@pytest.mark.parametrize(
    ("address", "is_ours"),
    [
        ("https://smba.trafficmanager.net/emea/", True),
        ("https://smba.trafficmanager.net/teams", True),
        ("https://smba.trafficmanager.net.evil.example/", False),
        ("https://smba.trafficmanager.net@evil.example/", False),
        ("http://smba.trafficmanager.net/emea/", False),
        ("https://evil.example/https://smba.trafficmanager.net/", False),
    ],
)
def test_only_addresses_of_teams_get_our_token(address: str, is_ours: bool) -> None:
    assert Settings().teams.is_service_url(address) is is_ours


# --- wrong ------------------------------------------------------------------------------------------------------------
WRONG = {
    "no tenant": (BOT.replace(f"  tenant_id: {OTHER}\n", ""), ["2: teams.app_id needs teams.tenant_id; docs/teams.md"]),
    "no secret": (
        BOT.replace("  client_secret_env: LOTSE_TEAMS\n", ""),
        ["2: teams.app_id needs teams.client_secret_env; docs/teams.md"],
    ),
    "an app id that is none": (
        BOT.replace(GUID, "lotse-bot"),
        ["2: teams.app_id must be the bot's Microsoft App ID, as 8-4-4-4-12 hex digits"],
    ),
    "a tenant by its name": (
        BOT.replace(OTHER, "acme.onmicrosoft.com"),
        ["3: teams.tenant_id must be an Entra tenant ID, as 8-4-4-4-12 hex digits, not 'acme.onmicrosoft.com'"],
    ),
    "a partner by its name": (
        f"{BOT}  tenants: [{OTHER}, partner.example]\n",
        ["5: teams.tenants must be an Entra tenant ID, as 8-4-4-4-12 hex digits, not 'partner.example'"],
    ),
    "every tenant": (BOT.replace(OTHER, "common"), ["3: teams.tenant_id must be an Entra tenant ID"]),
    "playground with a bot": (
        f"{BOT}  playground: true\n",
        ["5: teams.playground is for trying on this machine, without any sign-in; it cannot be combined with"],
    ),
    "a credential that is none": (f"{BOT}  credential: certificate\n", ["5: teams.credential is 'certificate', but"]),
    "no service address": (f"{BOT}  service_urls: []\n", ["5: teams.service_urls"]),
    "a service address without encryption": (
        f"{BOT}  service_urls: ['http://smba.trafficmanager.net/']\n",
        ["5: teams.service_urls must begin with https://; only this machine itself may be http"],
    ),
    "keys without encryption": (
        f"{BOT}  openid_metadata_url: http://login.botframework.com/v1\n",
        ["5: teams.openid_metadata_url must begin with https://"],
    ),
    "a login without encryption": (f"{BOT}  login_url: http://login.example\n", ["5: teams.login_url must begin with"]),
    "Graph without encryption": (f"{BOT}  graph_url: http://graph.example\n", ["5: teams.graph_url must begin with"]),
    "a loopback that only looks so": (
        f"{BOT}  login_url: http://localhost.evil.example\n",
        ["5: teams.login_url must begin with https://"],
    ),
    "an address that cannot be read": (
        f"{BOT}  login_url: 'http://[x'\n",
        ["5: teams.login_url is 'http://[x', but must be an address that begins with http:// or https://"],
    ),
    "agents in Teams without a bot": (
        handoff(),
        [
            "5: handoff.queues.service-desk.platform is 'teams', but teams.app_id is not set; see docs/teams.md",
            "8: handoff.third_level.platform is 'teams', but teams.app_id is not set; see docs/teams.md",
        ],
    ),
    "a channel by its name": (
        BOT + handoff(desk="Helpdesk"),
        ["8: handoff.queues.service-desk.channel is 'Helpdesk', but a channel of Teams has an id like 19:...@thread"],
    ),
    "a channel as in its link": (
        BOT + handoff(third="19%3Athird%40thread.tacv2"),
        [
            "11: handoff.third_level.channel is '19%3Athird%40thread.tacv2', but a channel of Teams has an id like "
            "19:...@thread.tacv2; this one's is 19:third@thread.tacv2"
        ],
    ),
    "a whole link to a help channel": (
        f"{BOT}  help_channels: ['{LINK}']\n",
        [
            f"5: teams.help_channels names '{LINK}', but a channel of Teams has an id like 19:...@thread.tacv2; "
            "this one's is 19:help@thread.tacv2"
        ],
    ),
    "the platform left out": (
        f"{BOT}{handoff()}".replace("\n      platform: teams", "", 1),
        [
            "8: handoff.queues.service-desk.channel is a channel of Teams, but its platform is 'web'; write channel: "
            f"{DESK} and platform: teams"
        ],
    ),
    "the platform left out, without a bot": (
        handoff().replace("\n      platform: teams", "").replace("\n    platform: teams", ""),
        ["4: handoff.queues.service-desk.channel is a channel of", "6: handoff.third_level.channel is a channel of"],
    ),
    "a link and another platform": (
        BOT + handoff(third=LINK).replace("platform: teams\n", "platform: console\n"),
        [
            "8: handoff.queues.service-desk.channel is a channel of Teams, but its platform is 'console'; write",
            "11: handoff.third_level.channel is a channel of Teams, but its platform is 'console'; write channel: "
            "19:help@thread.tacv2 and platform: teams",
        ],
    ),
    "a thread for a channel": (
        BOT + handoff(desk=f"{DESK};messageid=1"),
        ["8: handoff.queues.service-desk.channel is '19:desk@thread.tacv2;messageid=1', but"],
    ),
    "a group chat for a channel": (
        BOT + handoff(desk="19:abc@thread.v2"),
        ["8: handoff.queues.service-desk.channel is '19:abc@thread.v2', but"],
    ),
    "one channel for two": (
        BOT + handoff(third=DESK),
        ["11: handoff.third_level.channel is the channel of a queue too; third level needs its own"],
    ),
    "a help channel by its name": (
        f"{BOT}  help_channels: ['IT-Hilfe']\n",
        ["5: teams.help_channels names 'IT-Hilfe', but a channel of Teams has an id like 19:...@thread.tacv2"],
    ),
    "a help channel where agents work": (
        f"{BOT}  help_channels: ['{DESK}']\n{handoff()}",
        [f"5: teams.help_channels names {DESK}, where agents work: nothing said there would be a question"],
    ),
    "the secret itself": (
        BOT.replace("LOTSE_TEAMS", "geheim~4711"),
        ["4: teams.client_secret_env must be the name of an environment variable, never the secret itself"],
    ),
}


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG)
def test_what_does_not_go_together_is_named_with_its_line(tmp_path: Path, text: str, said: list[str]) -> None:
    found = faults_of(tmp_path, text)
    assert len(found) == len(said), found
    assert [line for line, start in zip(found, said, strict=True) if not line.startswith(start)] == []


# --- what may not be meant --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("address", "said"),
    [
        (None, "line 2: web.public_url is not set, but teams.app_id is set: attachments have no links and requests of"),
        ("http://helpdesk.example.org", "line 5: web.public_url is http://helpdesk.example.org, but teams.app_id is"),
        ("https://localhost:8080", "line 5: web.public_url is https://localhost:8080, which is not in the internet,"),
        ("https://10.1.2.3", "line 5: web.public_url is https://10.1.2.3, which is not in the internet, but"),
        ("https://[::1]:8080", "line 5: web.public_url is https://[::1]:8080, which is not in the internet, but"),
        ("https://helpdesk", "line 5: web.public_url is https://helpdesk, which is not in the internet, but"),
        ("https://helpdesk.local.", "line 5: web.public_url is https://helpdesk.local., which is not in the internet"),
        ("https://127.1", "line 5: web.public_url is https://127.1, which is not in the internet, but"),
    ],
)
def test_an_address_that_teams_cannot_reach_is_noted(tmp_path: Path, address: str | None, said: str) -> None:
    (note,) = load(tmp_path, BOT + (f"web: {{public_url: '{address}'}}\n" if address else "")).notes
    assert note.sentence("config.yml").startswith(f"config.yml {said}")


@pytest.mark.parametrize("text", [f"{BOT}web: {{public_url: 'https://Helpdesk.example.org:8443/it'}}\n", "{}"])
def test_an_address_that_teams_may_reach_is_not_talked_about(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, text).notes == ()


def test_a_secret_in_the_file_is_not_repeated(tmp_path: Path) -> None:
    assert "geheim" not in str(faults_of(tmp_path, BOT.replace("LOTSE_TEAMS", "geheim~4711")))


def test_a_secret_that_is_not_set_is_named_with_its_export(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"line 4: .* LOTSE_TEAMS, which is not set .* export LOTSE_TEAMS='\.\.\.'"):
        load(tmp_path, BOT, {})


def test_check_config_says_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("LOTSE_TEAMS", "geheim")
    path = tmp_path / "config.yml"
    path.write_text(BOT + handoff(desk="Helpdesk"), "utf-8")
    assert main(["check-config", "--config", str(path)]) == 3
    told = capsys.readouterr()
    assert "handoff.queues.service-desk.channel is 'Helpdesk'" in told.out + told.err
    path.write_text(BOT + handoff(), "utf-8")
    assert main(["check-config", "--config", str(path)]) == 0
