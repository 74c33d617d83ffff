"""Who and what is refused at the edge to Teams, and that nothing is harmed by it."""

import json
import logging
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from chat_records import came_in
from fake_teams import FakeTeams
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from teams_world import MakeTeamsWorld, TeamsWorld
from world import VPN, VPN_QUESTION

JSON = {"Content-Type": "application/json"}
OTHER = "0f7c1d1e-1111-4222-8333-944445555666"
Forge = Callable[[FakeTeams], str | None]


@pytest.fixture
def world(make_teams_world: MakeTeamsWorld) -> TeamsWorld:
    return make_teams_world()


def bearer(**changes: Any) -> Forge:
    return lambda fake: f"Bearer {fake.token(**changes)}"


def entra(fake: FakeTeams, tenant: str = OTHER) -> str:
    """As Entra issues tokens for agents; the SDK would fetch keys from the address of its tenant."""
    claims = {"iss": f"{fake.login_url}/{tenant}/v2.0", "tid": tenant, "azp": "5a807f24-c9de-44ee-a3a7-329e88a00ffc"}
    return f"Bearer {fake.token(**claims)}"


NOW = int(time.time())
FORGED: dict[str, tuple[int, Forge]] = {
    "none": (401, lambda fake: None),
    "empty": (401, lambda fake: ""),
    "basic": (401, lambda fake: "Basic bG90c2U6bG90c2U="),
    "garbage": (401, lambda fake: "Bearer garbage"),
    "garbage in three parts": (401, lambda fake: "Bearer a.b.c"),
    "very long": (401, lambda fake: f"Bearer {'a' * 5000}.{'b' * 5000}.c"),
    "alg none": (401, bearer(algorithm="none")),
    "alg none in capitals": (401, bearer(algorithm="NONE")),
    "HS256 with the public key": (401, bearer(algorithm="HS256")),
    "RS384": (401, bearer(algorithm="RS384")),
    "wrong key": (401, lambda fake: f"Bearer {fake.token(key=fake.keys.foreign())}"),
    "wrong kid": (401, bearer(headers={"kid": "another"})),
    "no kid": (401, bearer(headers={"kid": None})),
    "key address in the header": (401, bearer(headers={"kid": "x", "jku": "http://127.0.0.1:9/keys"})),
    "wrong audience": (401, bearer(aud=OTHER)),
    "several audiences": (401, lambda fake: f"Bearer {fake.token(aud=[OTHER, fake.app_id])}"),
    "no audience": (401, bearer(aud=None)),
    "wrong issuer": (401, bearer(iss="https://api.botframework.com.example")),
    "another cloud's issuer": (401, bearer(iss="https://api.botframework.us")),
    "no issuer": (401, bearer(iss=None)),
    "expired": (401, bearer(exp=NOW - 3600, nbf=NOW - 7200)),
    "not yet valid": (401, bearer(nbf=NOW + 3600, exp=NOW + 7200)),
    "no expiry": (401, bearer(exp=None)),
    "expiry is no number": (401, bearer(exp="later")),
    "service url differs": (403, bearer(serviceurl="https://smba.trafficmanager.net/emea/")),
    "service url missing": (403, bearer(serviceurl=None)),
    "service url is no text": (403, bearer(serviceurl=["a"])),
    "issued by Entra": (401, entra),
    "issued by Entra for our tenant": (401, lambda fake: entra(fake, fake.tenant)),
}


@pytest.fixture
def activity(world: TeamsWorld) -> dict[str, Any]:
    """A message as Teams brings it, which was not brought yet. Its author has written before: all keys are known."""
    world.asks(world.konrad, VPN_QUESTION)
    message = world.konrad.writes("Und auf dem Mac?", deliver=False)
    return message.activity or activity_like(world)


def activity_like(world: TeamsWorld, **changes: Any) -> dict[str, Any]:
    """One like the last that came, under another id."""
    last = next(message for message in reversed(world.fake.posts(world.konrad)) if message.activity)
    fresh = {**world.fake.activity_of(last), "id": world.fake.state.new_message_id(), "text": "Und auf dem Mac?"}
    fresh["attachments"] = []
    return {**fresh, **changes}


def post(world: TeamsWorld, activity: Any, authorization: str | None) -> httpx.Response:
    headers = JSON | ({} if authorization is None else {"Authorization": authorization})
    return world.fake.post_raw(json.dumps(activity).encode(), headers)


def genuine(world: TeamsWorld) -> str:
    return f"Bearer {world.fake.token()}"


def outside(world: TeamsWorld) -> list[str]:
    """What Lotse fetched from where a token or a body could have sent it."""
    return [call.path for call in world.fake.calls if "discovery" in call.path or "openid-configuration" in call.path]


# --- tokens -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_is_refused_and_causes_nothing(
    world: TeamsWorld, activity: dict[str, Any], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    status, forge = FORGED[name]
    before, calls = came_in(world), len(world.fake.calls)
    authorization = forge(world.fake)
    assert post(world, activity, authorization).status_code == status
    new = [call.path for call in world.fake.calls[calls:]]
    assert set(new) <= {"/v1/.well-known/openidconfiguration", "/v1/.well-known/keys"}
    assert outside(world) == []
    assert came_in(world) == before
    told = (authorization or "").partition(" ")[2]
    assert not told or told not in caplog.text
    assert post(world, activity, genuine(world)).status_code == 200


def test_somebody_of_a_foreign_tenant_is_refused(world: TeamsWorld) -> None:
    stranger = world.fake.user("Fremde Person", tenant=OTHER)
    stranger.writes(VPN_QUESTION)
    assert world.fake.deliveries[-1].status == 403
    assert came_in(world) == []


def test_a_further_tenant_can_be_let_in(make_teams_world: MakeTeamsWorld) -> None:
    world = make_teams_world(teams={"tenants": [OTHER.upper()]})
    world.asks(world.fake.user("Nachbarin", tenant=OTHER), VPN_QUESTION)
    assert [written.outcome for written in came_in(world)] == ["answered"]


def test_what_says_nothing_of_its_tenant_is_refused(world: TeamsWorld, activity: dict[str, Any]) -> None:
    activity["channelData"], activity["conversation"]["tenantId"] = {}, None
    assert post(world, activity, genuine(world)).status_code == 403


def test_a_service_url_that_is_none_of_teams_is_refused_even_when_signed(
    world: TeamsWorld, activity: dict[str, Any]
) -> None:
    activity["serviceUrl"] = "http://127.0.0.1:9/emea/"
    token = f"Bearer {world.fake.token(serviceurl=activity['serviceUrl'])}"
    assert post(world, activity, token).status_code == 403


def test_what_is_not_from_teams_is_refused(world: TeamsWorld, activity: dict[str, Any]) -> None:
    assert post(world, activity | {"channelId": "webchat"}, genuine(world)).status_code == 403


def test_many_unknown_keys_cause_one_fetch(world: TeamsWorld, activity: dict[str, Any]) -> None:
    assert world.app.teams is not None
    world.app.teams.gate.keys._asked_at = float("-inf")  # long ago
    before = len(world.fake.called("GET", "*/keys"))
    for number in range(30):
        assert post(world, activity, f"Bearer {world.fake.token(headers={'kid': f'k{number}'})}").status_code == 401
    assert len(world.fake.called("GET", "*/keys")) == before + 1


def test_a_new_key_is_fetched_once_it_is_named(world: TeamsWorld, activity: dict[str, Any]) -> None:
    assert world.app.teams is not None
    world.fake.keys.rotate()
    assert post(world, activity, genuine(world)).status_code == 401  # asked a moment ago
    world.app.teams.gate.keys._asked_at = float("-inf")
    assert post(world, activity, genuine(world)).status_code == 200


def test_without_keys_nobody_is_let_in_and_health_says_so(world: TeamsWorld) -> None:
    assert world.app.teams is not None
    world.fake.keys.status = 500
    message = world.konrad.writes(VPN_QUESTION)
    assert world.fake.deliveries[-1].status == 503  # it may be genuine: Teams is to bring it again
    assert came_in(world) == []
    assert world.app.health()["teams"]["state"] == "degraded"
    world.fake.keys.status = 200
    world.app.teams.gate.keys._asked_at = float("-inf")
    assert world.fake.deliver(world.fake.activity_of(message)).ok
    assert world.app.health()["teams"]["state"] == "ok"


# --- bodies -----------------------------------------------------------------------------------------------------------
def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


BODIES: dict[str, tuple[int, bytes]] = {
    "empty": (400, b""),
    "not JSON": (400, b"type=message"),
    "half of it": (400, b'{"type": "message"'),
    "no UTF-8": (400, b'{"type": "\xff\xfe"}'),
    "a list": (400, b"[]"),
    "a list of activities": (400, b'[{"type": "message"}]'),
    "a string": (400, b'"message"'),
    "null": (400, b"null"),
    "an empty object": (400, b"{}"),
    "5 MB": (413, b'{"text": "' + b"a" * 5_000_000 + b'"}'),
    "deeply nested": (400, nested(70_000)),
    "nested, and small": (400, nested(900)),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_is_refused_and_the_service_goes_on(
    world: TeamsWorld, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    status, body = BODIES[name]
    answer = world.fake.post_raw(body, JSON | {"Authorization": genuine(world)})
    assert answer.status_code == status
    assert "Traceback" not in answer.text + caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    world.asks(world.konrad, VPN_QUESTION)
    assert VPN[1] in world.words(world.answers(world.konrad)[-1])


@pytest.mark.parametrize(
    "field",
    ["type", "id", "channelId", "serviceUrl", "from", "conversation", "recipient", "from.id", "conversation.id"],
)
@pytest.mark.parametrize("value", [None, 7, [], "", "a/../b", "x" * 5000])
def test_a_missing_or_odd_field_is_refused(
    world: TeamsWorld, activity: dict[str, Any], field: str, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    *path, name = field.split(".")
    part = activity[path[0]] if path else activity
    if value is None:
        del part[name]
    else:
        part[name] = value
    assert 400 <= post(world, activity, genuine(world)).status_code < 500
    assert "Traceback" not in caplog.text
    assert len(came_in(world)) == 1


@pytest.mark.parametrize("kind", ["", "Message", "delete", "invokeResponse", "contactRelationUpdate", "x" * 1000])
def test_an_unknown_type_of_activity_is_refused(world: TeamsWorld, activity: dict[str, Any], kind: str) -> None:
    assert post(world, activity | {"type": kind}, genuine(world)).status_code == 400


@pytest.mark.parametrize("name", [None, "", "task/unknown", "fileConsent/invoke", 7])
def test_an_unknown_invoke_is_refused(world: TeamsWorld, activity: dict[str, Any], name: object) -> None:
    answer = post(world, activity | {"type": "invoke", "name": name, "value": {}}, genuine(world))
    assert 400 <= answer.status_code < 500


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
FIELDS = [
    *("type", "id", "timestamp", "serviceUrl", "channelId", "from", "conversation", "recipient", "text", "textFormat"),
    *("attachments", "entities", "channelData", "value", "name", "replyToId", "locale", "action", "membersAdded"),
    *("membersRemoved", "reactionsAdded"),
]
KINDS = st.sampled_from(
    [
        "message",
        "messageUpdate",
        "messageDelete",
        "messageReaction",
        "invoke",
        "conversationUpdate",
        "installationUpdate",
    ]
)
INVOKES = st.sampled_from(
    ["adaptiveCard/action", "task/fetch", "task/submit", "composeExtension/fetchTask", "composeExtension/submitAction"]
)
PRESSES = st.fixed_dictionaries(
    {
        "lotse": st.dictionaries(
            st.sampled_from(["action", "key", "value", "form", "channel", "thread"]), ODD, max_size=6
        )
    }
)
VALUES = (
    ODD
    | PRESSES
    | st.fixed_dictionaries({"data": PRESSES})
    | st.fixed_dictionaries({"action": st.fixed_dictionaries({"data": PRESSES})})
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(kind=KINDS, name=INVOKES, value=VALUES, changes=st.dictionaries(st.sampled_from(FIELDS), ODD, max_size=5))
def test_no_activity_whatever_makes_the_service_fail(
    world: TeamsWorld, kind: str, name: str, value: object, changes: dict[str, Any]
) -> None:
    if not came_in(world):
        world.asks(world.konrad, VPN_QUESTION)
    answer = post(world, activity_like(world, type=kind, name=name, value=value) | changes, genuine(world))
    assert answer.status_code < 500
    assert "Traceback" not in answer.text
    world.calm()


def test_after_odd_activities_a_question_is_answered(world: TeamsWorld) -> None:
    world.asks(world.konrad, VPN_QUESTION)
    for kind in ("message", "invoke", "messageUpdate", "conversationUpdate"):
        post(world, activity_like(world, type=kind, value={"lotse": {"action": "x", "key": "9" * 30}}), genuine(world))
    world.asks(world.owen, VPN_QUESTION)
    assert VPN[1] in world.words(world.answers(world.owen)[-1])


# --- without credentials ----------------------------------------------------------------------------------------------
PLAYGROUND = {"app_id": None, "tenant_id": None, "client_secret_env": None, "playground": True}


LOCAL = JSON | {"Host": "localhost:8080"}


def test_the_playground_is_for_this_machine_only(make_teams_world: MakeTeamsWorld) -> None:
    world = make_teams_world(teams=PLAYGROUND)
    world.konrad.writes(VPN_QUESTION)
    assert world.fake.deliveries[-1].status == 403  # it came to the public address
    activity = activity_like(world)

    def status(headers: dict[str, str], peer: str = "127.0.0.1", changed: dict[str, str] | None = None) -> int:
        world.fake.connect(world.app.web, peer=(peer, 50000))
        return world.fake.post_raw(json.dumps(activity | (changed or {})).encode(), headers).status_code

    assert status(LOCAL) == 200
    assert [status(LOCAL, peer) for peer in ("10.0.0.7", "::ffff:10.0.0.7", "testclient")] == [403] * 3
    proxied = ("X-Forwarded-For", "Forwarded", "X-Real-IP")
    assert [status(LOCAL | {header: "127.0.0.1"}) for header in proxied] == [403] * 3
    assert status(JSON) == 403  # through a proxy that says nothing of itself
    assert status(LOCAL | {"Content-Type": "text/plain"}) == 403  # from a page in somebody's browser
    assert status(LOCAL, changed={"serviceUrl": "https://smba.trafficmanager.net/emea/"}) == 403


def test_with_credentials_nothing_opens_the_door(world: TeamsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DANGEROUSLY_ALLOW_UNAUTHENTICATED_REQUESTS", "true")
    monkeypatch.setenv("SKIP_AUTH", "true")
    world.restart()
    world.fake.connect(world.app.web, peer=("127.0.0.1", 50000))
    message = world.konrad.writes(VPN_QUESTION)
    assert post(world, world.fake.activity_of(message), None).status_code == 401
