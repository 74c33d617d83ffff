"""`lotse doctor teams`: every way to set Teams up wrong is named with its cure, and nothing is left behind."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fake_embedder import HashEmbedder
from fake_http import ServerThread
from fake_teams import Channel, FakeTeams
from fakes import FakeUnderstander
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp
from teams_setup import SECRET, teams_settings
from tls import TlsServer

from bot.app import build_app
from bot.channels.findings import Finding
from bot.channels.teams.doctor import examine
from bot.cli import main
from bot.db import Sessions, open_database
from bot.settings import Settings
from handoff.inbox import place_at

NOBODY = "http://127.0.0.1:9"  # a port where nothing listens
GUID = "11111111-2222-3333-4444-555555555555"


class House:
    """A Teams in which everything is as it should be, and a Lotse that is served over https for it."""

    def __init__(self, fake: FakeTeams, server: TlsServer, database_url: str, folder: Path) -> None:
        self.fake, self.server, self.database_url, self.folder = fake, server, database_url, folder
        self.team = fake.team("IT", fake.user("Maren Tiede"))
        self.company = fake.team("Acme", fake.user("Konrad Voßmann"))
        self.network, self.third = fake.channel(self.team, "Netzwerk"), fake.channel(self.team, "Third level")
        self.help = fake.channel(self.company, "IT-Hilfe")
        self.sessions = open_database(database_url)

    def channels(self) -> tuple[Channel, ...]:
        return self.network, self.third, self.help

    def sections(self, **changed: Any) -> dict[str, Any]:
        """The sections of config.yml; changed: another id for a channel, other settings of `teams` and `web`."""
        ids = {name: changed.get(name, getattr(self, name).id) for name in ("network", "third", "help")}
        places = {name: {"channel": ids[name], "platform": "teams"} for name in ("network", "third")}
        handoff = {"queues": {"network": places["network"]}, "default_queue": "network", "third_level": places["third"]}
        return {
            "database": {"url": self.database_url},
            "knowledge": {"cache": str(self.folder / "knowledge")},
            "handoff": handoff | {"categories": {"other": "network"}},
            "web": {"public_url": changed.get("public_url", self.server.url)},
            "teams": {"help_channels": [ids["help"]], **changed.get("teams", {})},
        }

    def settings(self, *, secret: str | None = None, **changed: Any) -> Settings:
        environ = {SECRET: secret} if secret is not None else {}
        return teams_settings(self.fake, self.folder, environ=environ, **self.sections(**changed))

    def examined(
        self, *, ahead: float = 0.0, seconds: float = 5.0, sessions: Sessions | None = None, **changed: Any
    ) -> list[Finding]:
        return examine(self.settings(**changed), sessions or self.sessions, lambda: time.time() + ahead, seconds)

    def knows_its_teams(self) -> None:
        """What Lotse learns of a team when somebody writes there."""
        for channel in self.channels():
            assert channel.team is not None
            route = {"service_url": self.fake.service_url, "group": channel.team.group_id}
            with self.sessions.begin() as session:
                place_at(session, "teams", channel.id, None, route=route)

    def is_clean(self) -> bool:
        return not any(post for channel in self.channels() for post in self.fake.said(channel) if not post.deleted)


@pytest.fixture
def house(new_sqlite: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    with FakeTeams() as fake, TlsServer(tmp_path) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.authority))  # as an operator names a company's authority
        made = House(fake, server, new_sqlite(), tmp_path)
        app = build_app(made.settings(), embedder=HashEmbedder(), understander=FakeUnderstander({}))
        server.serve(app.web)
        made.knows_its_teams()
        yield made
        app.stop()
        made.sessions.close()


@pytest.fixture
def fresh(new_sqlite: Callable[[], str]) -> Iterator[Sessions]:
    """A database of a Lotse that has not heard of anything yet."""
    opened = open_database(new_sqlite())
    yield opened
    opened.close()


def wrong(findings: list[Finding]) -> dict[str, str]:
    """Check and cure of what is wrong; every fault has a cure."""
    return said(findings, "wrong")


def warned(findings: list[Finding]) -> dict[str, str]:
    return said(findings, "warning")


def said(findings: list[Finding], state: str) -> dict[str, str]:
    chosen = [one for one in findings if one.state == state]
    assert all(one.cure for one in chosen if state == "wrong")
    return {one.check: f"{one.text} → {one.cure}" for one in chosen}


# --- all is right -----------------------------------------------------------------------------------------------------
def test_where_all_is_right_all_is_ok_and_no_card_stays(house: House) -> None:
    found = house.examined()
    assert {one.state for one in found} == {"ok"}, found
    assert [one.check for one in found[:5]] == ["settings", "credentials", "keys", "clock", "endpoint"]
    assert [one.check.partition(",")[0] for one in found[5:]] == [
        *["queue network"] * 2,
        *["third level"] * 2,
        *["help channel"] * 2,
    ]
    assert len(house.fake.called("POST", "*/activities")) == len(house.fake.called("DELETE")) == 3
    assert house.is_clean()
    assert f"{house.server.url}/api/messages is Lotse" in next(one.text for one in found if one.check == "endpoint")


def test_nothing_secret_is_in_what_is_told(house: House) -> None:
    told = str([*house.examined(), *house.examined(secret="geheim-4711"), *house.examined(teams={"login_url": NOBODY})])
    tokens = list(house.fake.state.tokens)
    assert tokens
    assert [one for one in ("geheim-4711", house.fake.client_secret, *tokens) if one in told] == []


def test_a_channel_that_is_named_twice_is_tried_once(house: House) -> None:
    sections = house.sections()
    sections["handoff"]["queues"]["again"] = sections["handoff"]["queues"]["network"]
    settings = teams_settings(house.fake, house.folder, **sections)
    examine(settings, house.sessions)
    assert len(house.fake.called("POST", "*/activities")) == 3


# --- settings ---------------------------------------------------------------------------------------------------------
def test_without_a_bot_the_doctor_asks_nobody(house: House) -> None:
    (found,) = examine(Settings(), house.sessions)
    assert (found.state, found.text) == ("wrong", "teams.app_id is not set")
    assert found.cure == "set it, with teams.tenant_id and teams.client_secret_env; see docs/teams.md"
    assert house.fake.calls == []


def test_with_the_playground_the_doctor_asks_nobody(house: House) -> None:
    (found,) = examine(Settings.model_validate({"teams": {"playground": True}}), house.sessions)
    assert (found.state, house.fake.calls) == ("warning", [])
    assert "teams.playground is on" in found.text


# --- credentials ------------------------------------------------------------------------------------------------------
def test_a_wrong_secret_is_named(house: House) -> None:
    found = house.examined(secret="wrong")
    assert list(wrong(found)) == ["credentials"]
    assert "gives Lotse no token: AADSTS7000215 → the secret's Value is needed" in wrong(found)["credentials"]
    assert "export its Value as LOTSE_TEAMS" in wrong(found)["credentials"]
    assert house.fake.called(path="*/activities") == []


def test_a_secret_that_has_ended_is_named(house: House) -> None:
    house.fake.state.secret_ended = True
    told = wrong(house.examined())["credentials"]
    assert "AADSTS7000222 → the secret has expired: make a new one" in told


def test_an_app_that_is_not_registered_is_named(house: House) -> None:
    told = wrong(house.examined(teams={"app_id": GUID}))["credentials"]
    assert "AADSTS700016 → teams.app_id is not registered in this tenant" in told
    assert "its App Tenant ID" in told


def test_a_tenant_that_does_not_exist_is_named(house: House) -> None:
    told = wrong(house.examined(teams={"tenant_id": GUID}))["credentials"]
    assert "AADSTS90002 → teams.tenant_id is no tenant" in told


def test_a_tenant_in_which_the_app_is_not_is_named(house: House) -> None:
    other = house.fake.state.new_guid()
    house.fake.state.tenants.add(other)
    assert "AADSTS700016" in wrong(house.examined(teams={"tenant_id": other}))["credentials"]


def test_an_entra_out_of_reach_is_named(house: House) -> None:
    found = house.examined(teams={"login_url": NOBODY})
    assert list(wrong(found)) == ["credentials"]
    assert "Microsoft Entra does not answer (ConnectError) → check that this machine" in wrong(found)["credentials"]
    assert f"teams.login_url ({NOBODY})" in wrong(found)["credentials"]


def test_an_entra_out_of_order_is_named(house: House) -> None:
    house.fake.faults.next(503, path="*/oauth2/*")
    assert "Microsoft Entra does not answer (HTTPStatusError)" in wrong(house.examined())["credentials"]


def test_a_machine_without_a_managed_identity_is_named(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{NOBODY}/msi")  # where Azure says it is, on some machines
    monkeypatch.setenv("IDENTITY_HEADER", "x")
    told = wrong(house.examined(teams={"credential": "managed_identity"}))["credentials"]
    assert "→ give this machine the identity (Azure: its page Identity, User assigned)" in told
    assert "teams.app_id to the identity's Client ID" in told


# --- keys and clock ---------------------------------------------------------------------------------------------------
def test_keys_out_of_reach_are_named(house: House) -> None:
    found = wrong(house.examined(teams={"openid_metadata_url": f"{NOBODY}/openid"}))
    assert list(found) == ["keys"]
    assert "the keys of Teams cannot be had (ConnectError)" in found["keys"]
    assert f"→ check that this machine reaches teams.openid_metadata_url ({NOBODY}/openid)" in found["keys"]


@pytest.mark.parametrize("status", [404, 500])
def test_keys_that_are_not_given_are_named(house: House, status: int) -> None:
    house.fake.keys.status = status
    assert "the keys of Teams cannot be had (HTTPStatusError)" in wrong(house.examined())["keys"]


def test_keys_that_are_not_teams_are_named(house: House) -> None:
    keys = [one.as_jwk() | {"endorsements": []} for one in house.fake.keys.published]
    with published({}, {"keys": keys}) as address:
        told = wrong(house.examined(teams={"openid_metadata_url": address}))["keys"]
    assert "none of the published keys is Teams'" in told
    assert "→ set teams.openid_metadata_url" in told


@pytest.mark.parametrize("body", [[], {}, {"jwks_uri": 7}, {"jwks_uri": "nowhere"}, "x"])
def test_what_is_no_metadata_is_named(house: House, body: object) -> None:
    with published(body) as address:
        assert (
            "the keys of Teams cannot be had" in wrong(house.examined(teams={"openid_metadata_url": address}))["keys"]
        )


@contextmanager
def published(metadata: object, keys: object = None) -> Iterator[str]:
    """The address of such metadata, which names such keys."""

    async def tell_metadata(request: Request) -> Response:
        own = {"jwks_uri": str(request.url_for("keys"))} if keys is not None else {}
        return JSONResponse({**metadata, **own} if isinstance(metadata, dict) else metadata)

    async def tell_keys(_: Request) -> Response:
        return JSONResponse(keys)

    routes = [Route("/openid", tell_metadata), Route("/keys", tell_keys, name="keys")]
    server = ServerThread(Starlette(routes=routes), "keys-of-old")
    server.start()
    yield f"http://127.0.0.1:{server.port}/openid"
    server.stop()


@pytest.mark.parametrize(("ahead", "way"), [(120.5, "ahead of"), (-3600.5, "behind")])
def test_a_clock_that_is_off_is_named(house: House, ahead: float, way: str) -> None:
    told = wrong(house.examined(ahead=ahead))["clock"]
    assert f"s {way} Microsoft's" in told
    assert "→ let it be set by a time service" in told


# --- address ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("url", "told"),
    [
        (None, "web.public_url is not set, Teams cannot reach Lotse"),
        ("http://helpdesk.example.org", "web.public_url is http://helpdesk.example.org; Teams sends to https only"),
    ],
)
def test_an_address_teams_cannot_send_to_is_named(house: House, url: str | None, told: str) -> None:
    found = wrong(house.examined(public_url=url))
    assert list(found) == ["endpoint"]
    assert found["endpoint"].startswith(f"{told} → set web.public_url to the address that Teams reaches")


def test_an_address_that_does_not_answer_is_named(house: House) -> None:
    found = wrong(house.examined(public_url="https://127.0.0.1:9"))
    assert list(found) == ["endpoint"]
    assert "https://127.0.0.1:9/api/messages does not answer (ConnectError) → start Lotse" in found["endpoint"]


def test_a_certificate_nobody_trusts_is_named(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    told = wrong(house.examined())["endpoint"]
    assert f"the certificate of {house.server.url}/api/messages is not trusted" in told
    assert "→ Teams takes certificates of public authorities only" in told


SOMEBODY_ELSE: list[Response] = [
    PlainTextResponse("It works!"),
    RedirectResponse("https://example.org/"),
    PlainTextResponse("Bad Gateway", 502),
    PlainTextResponse("", 401),
    PlainTextResponse("", 401, {"www-authenticate": 'Basic realm="proxy"'}),
]


@pytest.mark.parametrize("answer", SOMEBODY_ELSE, ids=lambda one: str(one.status_code))
def test_somebody_else_at_the_address_is_named(house: House, tmp_path: Path, answer: Response) -> None:
    async def take(_: Request) -> Response:
        return answer

    told = wrong(examined_at(house, tmp_path, Starlette(routes=[Route("/{path:path}", take, methods=["POST"])])))
    assert list(told) == ["endpoint"]
    assert f"answers {answer.status_code}, but not as Lotse does in Teams → start Lotse" in told["endpoint"]
    assert "with the headers Host and Authorization" in told["endpoint"]


def test_a_lotse_that_is_not_in_teams_is_named(house: House, tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {"database": {"url": house.database_url}, "web": {"public_url": house.server.url}}
    )
    app = build_app(settings, embedder=HashEmbedder(), understander=FakeUnderstander({}))
    told = wrong(examined_at(house, tmp_path, app.web))
    app.house.sessions.close()
    assert "answers 404, but not as Lotse does in Teams" in told["endpoint"]


def test_nobody_waits_for_ever_for_an_address(house: House, tmp_path: Path) -> None:
    async def trickle(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(60):
            await send({"type": "http.response.body", "body": b".", "more_body": True})
            await asyncio.sleep(0.1)

    started = time.monotonic()
    told = wrong(examined_at(house, tmp_path, trickle, seconds=0.5))
    assert "does not answer (TimeoutError)" in told["endpoint"]
    assert time.monotonic() - started < 5


def examined_at(house: House, folder: Path, app: ASGIApp, **more: Any) -> list[Finding]:
    """What is found when another app answers at our address."""
    (folder / "other").mkdir()
    with pytest.MonkeyPatch.context() as patch, TlsServer(folder / "other") as server:
        patch.setenv("SSL_CERT_FILE", str(server.authority))
        server.serve(app)
        return house.examined(public_url=server.url, **more)


# --- channels ---------------------------------------------------------------------------------------------------------
def test_a_channel_that_does_not_exist_is_named(house: House) -> None:
    found = wrong(house.examined(third="19:nowhere@thread.tacv2"))
    assert list(found) == ["third level, channel 19:nowhere@thread.tacv2"]
    (told,) = found.values()
    assert told.startswith("there is no such channel (ConversationNotFound) → copy the channel's link")


def test_a_team_without_lotse_is_named(house: House) -> None:
    house.company.installed = False
    found = wrong(house.examined())
    assert list(found) == [f"help channel, channel {house.help.id}"]
    (told,) = found.values()
    assert "Lotse is not in the team of this channel, or may not post there (BotNotInConversationRoster)" in told
    assert "Add to a team" in told


def test_a_bot_that_the_service_does_not_know_is_named(house: House) -> None:
    house.fake.faults.next(401, 2, method="POST", path=f"*/{house.network.id}/activities")
    (told,) = wrong(house.examined()).values()
    assert "Teams does not take a post (http 401)" in told
    assert "make the Azure Bot with teams.app_id, as Single Tenant" in told


def test_a_service_out_of_reach_is_named_once(house: House, fresh: Sessions) -> None:
    started = time.monotonic()
    found = house.examined(teams={"service_urls": [f"{NOBODY}/teams/"]}, sessions=fresh)
    told = wrong(found)
    assert list(told) == [f"queue network, channel {house.network.id}"]
    assert "Teams does not answer (ConnectError) → check that this machine reaches teams.service_urls" in str(told)
    assert warned(found) == {"channels": "2 more were not tried → mend that, then run this again"}
    assert time.monotonic() - started < 10


def test_too_many_posts_are_named(house: House) -> None:
    house.fake.faults.next(429, method="POST", path=f"*/{house.network.id}/activities")
    (told,) = wrong(house.examined()).values()
    assert "Teams does not take a post (TooManyRequests) → too many posts just now: wait a minute" in told


def test_a_card_whose_posting_got_no_answer_is_taken_away(house: House) -> None:
    house.fake.faults.cut(method="POST", path=f"*/{house.third.id}/activities")
    found = house.examined()
    assert "Teams does not answer (RemoteProtocolError)" in str(wrong(found))
    assert house.is_clean()


def test_a_card_that_nobody_can_look_for_is_told(house: House) -> None:
    house.fake.faults.next(502, method="POST", path=f"*/{house.third.id}/activities", processed=True)
    found = [one for one in house.examined(teams={"graph_url": None}) if one.state == "wrong"]
    assert "posting had no clear end (ServiceError), and a test card may stand there" in found[0].text
    assert found[0].cure == "delete it by hand; it says: Lotse prüft diesen Kanal. / Lotse is checking this channel."
    assert "Teams does not take a post (ServiceError)" in found[1].text
    (left,) = [post for post in house.fake.said(house.third) if not post.deleted]
    assert house.fake.words(left) == "Lotse prüft diesen Kanal. / Lotse is checking this channel."


def test_a_card_that_is_not_taken_away_at_once_is_tried_again(house: House) -> None:
    house.fake.faults.next(502, method="DELETE")
    assert wrong(house.examined()) == {}
    assert house.is_clean()


def test_a_card_that_stays_is_told(house: House) -> None:
    house.fake.faults.next(502, 2, method="DELETE")
    (told,) = wrong(house.examined()).values()
    assert told.startswith("the test card could not be taken away → delete it by hand; it says: Lotse prüft")
    assert not house.is_clean()


# --- reading ----------------------------------------------------------------------------------------------------------
def test_a_team_that_did_not_agree_to_be_read_is_a_warning(house: House) -> None:
    house.company.rsc = False
    found = house.examined()
    assert wrong(found) == {}
    (told,) = warned(found).values()
    assert "may not be read (Forbidden): without a mention Lotse hears nothing there" in told
    assert "they agree to ChannelMessage.Read.Group" in told


def test_a_team_that_is_not_known_yet_is_a_warning(house: House, fresh: Sessions) -> None:
    found = house.examined(sessions=fresh)
    assert wrong(found) == {}
    assert len(found) == 5 + 6
    assert "→ while Lotse runs, write @Lotse in a channel of that team" in next(iter(warned(found).values()))


def test_without_graph_reading_is_not_tried(house: House) -> None:
    found = house.examined(teams={"graph_url": None})
    assert {one.state for one in found} == {"ok"}
    assert len(found) == 5 + 3
    assert house.fake.called(path="*/graph/*") == []


def test_a_graph_out_of_reach_is_a_warning(house: House) -> None:
    found = house.examined(teams={"graph_url": f"{NOBODY}/graph"})
    assert wrong(found) == {}
    assert "Microsoft Graph does not say now" in str(warned(found))


def test_a_database_that_is_not_set_up_is_a_warning(house: House, tmp_path: Path) -> None:
    empty = open_database(f"sqlite:///{tmp_path}/empty.db")
    found = examine(house.settings(), empty)
    empty.close()
    assert wrong(found) == {}
    assert "→ start Lotse once" in warned(found)["database"]
    assert house.is_clean()


# --- the command ------------------------------------------------------------------------------------------------------
def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(list(arguments))
    return code, capsys.readouterr().out


@pytest.fixture
def home(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with settings for the fake Teams, the secret in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("LOTSE_CONFIG", raising=False)
    monkeypatch.setenv(SECRET, house.fake.client_secret)
    house.settings()
    return tmp_path


@pytest.mark.usefixtures("home")
def test_the_command_tells_one_line_for_each_check(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, "doctor", "teams")
    assert code == 0
    assert all(line.startswith("ok      ") for line in out.splitlines())
    assert len(out.splitlines()) == 11


@pytest.mark.usefixtures("home")
def test_a_fault_ends_the_command_with_1_and_stands_with_its_cure(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.team.installed = False
    code, out = run(capsys, "doctor", "teams")
    assert code == 1
    assert "wrong   queue network" in out
    assert "(BotNotInConversationRoster)\n        → in Teams open the app Lotse" in out


@pytest.mark.usefixtures("home")
def test_a_warning_is_no_failure(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.team.rsc = False
    code, out = run(capsys, "doctor", "teams")
    assert code == 0
    assert "warning queue network" in out


@pytest.mark.usefixtures("home")
def test_the_command_tells_scripts_the_same(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.fake.state.secret_ended = True
    code, out = run(capsys, "doctor", "teams", "--json")
    told = json.loads(out)
    assert (code, told["ok"]) == (1, False)
    assert {"ok", "wrong"} == {one["state"] for one in told["findings"]}
    assert set(told["findings"][0]) == {"check", "state", "text", "cure"}
    assert house.fake.client_secret not in out


@pytest.mark.usefixtures("home")
def test_a_secret_that_is_not_set_is_named_before_anything_is_asked(
    house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SECRET)
    code = main(["doctor", "teams"])
    assert code == 3
    assert f"{SECRET}" in capsys.readouterr().err
    assert house.fake.calls == []


def test_the_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, "doctor", "teams", "--help")
    assert code == 0
    assert "Usage: lotse doctor teams" in out
    assert "Examples:" in out
