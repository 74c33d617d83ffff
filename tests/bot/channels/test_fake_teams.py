"""The fake Teams keeps to the rules of Teams: tokens, limits, threads, errors, pages, faults, Graph."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import pytest
from fake_teams import Actor, Channel, FakeTeams, RefusedByClientError, Team
from fake_teams_bot import Hands, TinyBot, card, code, post_of
from fake_teams_state import GRAPH_SCOPE
from microsoft_teams.api.activities.message import MessageActivityInput
from microsoft_teams.api.activities.typing import TypingActivityInput
from microsoft_teams.api.clients.conversation import ConversationClient, CreateConversationParams
from microsoft_teams.api.clients.team import TeamClient
from microsoft_teams.api.models import Account
from microsoft_teams.common.http import Client, ClientOptions
from patience import eventually


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def fake(clock: Hands) -> Iterator[FakeTeams]:
    with FakeTeams(clock=clock) as teams:
        yield teams


@pytest.fixture
def bot(fake: FakeTeams) -> Iterator[TinyBot]:
    made = TinyBot(fake).signs_in()
    fake.connect(made.app)
    yield made
    made.http.close()


@pytest.fixture
def erika(fake: FakeTeams) -> Actor:
    return fake.user("Erika Muster")


@pytest.fixture
def owen(fake: FakeTeams) -> Actor:
    return fake.user("Owen Tallis", locale="en-US")


@pytest.fixture
def desk(fake: FakeTeams, erika: Actor, owen: Actor) -> Team:
    return fake.team("IT", erika, owen)


@pytest.fixture
def channel(fake: FakeTeams, desk: Team) -> Channel:
    return fake.channel(desk, "help")


# Tokens, keys


def test_what_comes_is_signed_as_by_microsoft(fake: FakeTeams, bot: TinyBot, erika: Actor) -> None:
    erika.writes("Hallo")
    token = bot.took[0][0]["authorization"].removeprefix("Bearer ")
    metadata = bot.http.get(fake.openid_metadata_url).json()
    keys = bot.http.get(metadata["jwks_uri"]).json()
    assert keys["keys"][0]["endorsements"] == ["msteams"]
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["RS256"], audience=fake.app_id, issuer=metadata["issuer"])
    assert claims["serviceurl"] == bot.activities[0]["serviceUrl"] == fake.service_url
    assert claims["exp"] > claims["nbf"]
    assert [one.path for one in fake.calls[-2:]] == ["/v1/.well-known/openidconfiguration", "/v1/.well-known/keys"]


def test_forged_tokens_are_what_they_say(fake: FakeTeams) -> None:
    key = jwt.PyJWK(fake.keys.current.as_jwk())

    def read(token: str, algorithms: list[str] | None = None) -> Any:
        return jwt.decode(token, key, algorithms=algorithms or ["RS256"], audience=fake.app_id)

    assert "exp" not in read(fake.token(exp=None, other=1))
    assert jwt.get_unverified_header(fake.token(headers={"kid": "strange"}))["kid"] == "strange"
    assert jwt.get_unverified_header(fake.token(algorithm="none"))["alg"] == "none"
    assert fake.token(algorithm="none").endswith(".")
    with pytest.raises(jwt.InvalidSignatureError):
        read(fake.token(key=fake.keys.foreign()))
    with pytest.raises(jwt.ExpiredSignatureError):
        read(fake.token(exp=1))
    with pytest.raises(jwt.InvalidAudienceError):
        read(fake.token(aud="somebody"))
    with pytest.raises(jwt.InvalidAlgorithmError):
        read(fake.token(algorithm="HS256"))


def test_keys_change_fail_and_come_late(fake: FakeTeams, bot: TinyBot) -> None:
    url = bot.http.get(fake.openid_metadata_url).json()["jwks_uri"]

    def kids() -> list[str]:
        return [one["kid"] for one in bot.http.get(url).json()["keys"]]

    first = kids()
    fake.keys.rotate(keep=True)
    assert kids() == [*first, fake.keys.current.kid]
    fake.keys.rotate()
    assert kids() == [fake.keys.current.kid]
    assert not set(kids()) & set(first)
    fake.keys.status = 503
    assert bot.http.get(url).status_code == 503
    fake.keys.delay = 0.2
    started = time.monotonic()
    bot.http.get(url)
    assert time.monotonic() - started >= 0.2
    assert len(fake.called("GET", "*/keys")) == 6


def test_the_token_endpoint_says_what_is_wrong(fake: FakeTeams, bot: TinyBot) -> None:
    def refused(**changed: str) -> tuple[int, str]:
        answer = bot.token(**changed)
        return answer.status_code, answer.json()["error_description"].partition(":")[0]

    assert refused(client_secret="wrong") == (401, "AADSTS7000215")
    assert refused(client_id="wrong") == (400, "AADSTS700016")
    assert refused(tenant="wrong") == (400, "AADSTS90002")
    assert refused(scope="wrong") == (400, "AADSTS70011")
    assert refused(grant_type="password") == (400, "AADSTS70003")
    assert bot.token(client_secret="wrong").json()["error"] == "invalid_client"


def test_a_token_ends_and_can_be_revoked(fake: FakeTeams, bot: TinyBot, erika: Actor, clock: Hands) -> None:
    fake.token_clock = clock
    erika.writes("Hallo")
    assert bot.signs_in().post(erika.chat).status_code == 201
    clock.now += bot.token().json()["expires_in"]
    assert bot.post(erika.chat).status_code == 401
    assert bot.signs_in().post(erika.chat).status_code == 201
    fake.revoke_tokens()
    assert bot.post(erika.chat).status_code == 401
    graph = bot.token(GRAPH_SCOPE).json()["access_token"]
    assert bot.post(erika.chat, headers={"Authorization": f"Bearer {graph}"}).status_code == 401
    assert bot.token(f"{fake.graph_url}/.default").status_code == 200
    assert bot.post(erika.chat, headers={"Authorization": ""}).status_code == 401
    assert len(fake.said(erika)) == 2


# Conversations


def test_a_chat_is_there_once_it_is_begun(fake: FakeTeams, bot: TinyBot, erika: Actor, desk: Team) -> None:
    def begin(person: str) -> httpx.Response:
        body = {"members": [{"id": person}], "tenantId": fake.tenant, "bot": {"id": f"28:{fake.app_id}"}}
        return bot.http.post("v3/conversations", json=body)

    assert len(erika.chat) > 90
    assert code(bot.post(erika.chat)) == "403 ForbiddenOperationException"
    assert begin(erika.id).json() == {"id": erika.chat}
    assert begin(erika.teams_id).json() == {"id": erika.chat}
    assert bot.post(erika.chat).status_code == 201
    assert code(begin(fake.user("Nobody's colleague").id)) == "403 BotNotInConversationRoster"
    assert code(begin("29:unknown")) == "400 BadArgument"


def test_who_blocks_or_uninstalls_the_bot_is_out_of_reach(fake: FakeTeams, bot: TinyBot, erika: Actor) -> None:
    erika.installs()
    assert bot.post(erika.chat).status_code == 201
    erika.blocks()
    assert code(bot.post(erika.chat)) == "403 MessageWritesBlocked"
    erika.unblocks()
    erika.uninstalls()
    assert code(bot.post(erika.chat)) == "403 ForbiddenOperationException"
    with pytest.raises(RefusedByClientError):
        erika.writes("Hallo")
    kinds = [(one["type"], one.get("action")) for one in bot.activities]
    added, removed = ("installationUpdate", "add"), ("installationUpdate", "remove")
    assert kinds == [("conversationUpdate", None), added, removed]


def test_a_post_to_a_channel_opens_a_thread(fake: FakeTeams, bot: TinyBot, channel: Channel) -> None:
    root = bot.says(channel.id)
    below = bot.says(f"{channel.id};messageid={root.id}")
    by_reply = bot.http.post(
        f"v3/conversations/{channel.id}/activities/{below.id}", json={"type": "message", "text": "auch"}
    )
    other = bot.says(channel.id)
    assert [one.id for one in fake.said(channel, root)] == [root.id, below.id, by_reply.json()["id"]]
    assert fake.roots(channel) == [root, other]
    begun = bot.http.post(
        "v3/conversations",
        json={"isGroup": True, "channelData": {"channel": {"id": channel.id}}, "activity": post_of(card())},
    ).json()
    assert begun["id"] == f"{channel.id};messageid={begun['activityId']}"
    assert fake.said(begun["id"])[0].card == card()


def test_a_thread_without_its_root_is_lost(fake: FakeTeams, bot: TinyBot, erika: Actor, channel: Channel) -> None:
    root = erika.writes("Frage", channel)
    thread = f"{channel.id};messageid={root.id}"
    assert bot.post(thread).status_code == 201
    erika.deletes(root)
    assert code(bot.post(thread)) == "404 ConversationNotFound"
    assert code(bot.post(f"{channel.id};messageid=1")) == "404 ConversationNotFound"
    assert code(bot.post("19:nowhere@thread.tacv2")) == "404 ConversationNotFound"
    erika.restores(root)
    assert bot.post(thread).status_code == 201


def test_a_bot_outside_a_team_or_group_is_refused(fake: FakeTeams, bot: TinyBot, erika: Actor) -> None:
    outside = fake.team("Finance", erika, installed=False)
    group = fake.group(erika, installed=False)
    for place in (outside.id, group.id):
        assert code(bot.post(place)) == "403 BotNotInConversationRoster"
        assert code(bot.http.get(f"v3/conversations/{place}/members")) == "403 BotNotInConversationRoster"
    erika.writes("unter uns", group, mention=True)
    assert bot.took == []
    erika.installs(outside)
    assert bot.post(outside.id).status_code == 201
    assert bot.activities[0]["membersAdded"] == [{"id": f"28:{fake.app_id}"}]
    assert bot.activities[0]["channelData"]["team"] == {
        "id": outside.id,
        "name": "Finance",
        "aadGroupId": outside.group_id,
    }


def test_messages_are_changed_and_taken_away(fake: FakeTeams, bot: TinyBot, erika: Actor, channel: Channel) -> None:
    said, theirs = bot.says(channel.id), erika.writes("Frage", channel)

    def at(message: str) -> str:
        return f"v3/conversations/{channel.id}/activities/{message}"

    assert bot.http.put(at(said.id), json=post_of(card(), summary="neu")).json() == {"id": said.id}
    assert (said.edits, said.summary, said.text, said.card) == (1, "neu", "", card())
    assert code(bot.http.put(at("1"), json=post_of(card()))) == "404 ActivityNotFoundInConversation"
    assert code(bot.http.put(at(theirs.id), json=post_of(card()))) == "403 NotEnoughPermissions"
    assert bot.http.delete(at(said.id)).status_code == 200
    assert said.deleted
    assert code(bot.http.delete(at(said.id))) == "404 ActivityNotFoundInConversation"
    assert fake.roots(channel) == []


def test_typing_is_noted_and_is_no_message(
    fake: FakeTeams, bot: TinyBot, erika: Actor, channel: Channel, clock: Hands
) -> None:
    root = erika.writes("Hallo", channel)
    answer = bot.post(f"{channel.id};messageid={root.id}", {"type": "typing"})
    assert (answer.status_code, answer.json()) == (202, {})
    assert fake.typing(channel) == fake.typing(channel, root) == [clock.now]
    assert fake.typing(channel, "other") == []
    assert fake.said(channel) == []


def test_members_come_whole_paged_and_alone(fake: FakeTeams, bot: TinyBot, erika: Actor) -> None:
    people = [erika, *(fake.user(f"Person {number}") for number in range(4))]
    team = fake.team("IT", *people)
    path = f"v3/conversations/{team.id}"
    assert [one["aadObjectId"] for one in bot.http.get(f"{path}/members").json()] == [one.id for one in people]
    pages, token = [], None
    while True:
        query = {"pageSize": "2"} | ({"continuationToken": token} if token else {})
        told = bot.http.get(f"{path}/pagedMembers", params=query).json()
        pages.append([one["name"] for one in told["members"]])
        token = told.get("continuationToken")
        if token is None:
            break
    assert [len(one) for one in pages] == [2, 2, 1]
    assert bot.http.get(f"{path}/members/{erika.id}").json()["id"] == erika.teams_id
    assert bot.http.get(f"{path}/members/{erika.teams_id}").json()["name"] == "Erika Muster"
    assert code(bot.http.get(f"{path}/members/{fake.user('x').id}")) == "404 MemberNotFoundInConversation"
    erika.leaves(team)
    assert bot.activities[-1]["channelData"]["eventType"] == "teamMemberRemoved"
    assert code(bot.http.get(f"{path}/members/{erika.id}")) == "404 MemberNotFoundInConversation"
    erika.joins(team)
    assert bot.activities[-1]["membersAdded"] == [{"id": erika.teams_id, "aadObjectId": erika.id}]
    assert bot.http.get(f"{path}/members/{erika.id}").status_code == 200


def test_a_team_and_its_channels_are_told(bot: TinyBot, desk: Team, channel: Channel) -> None:
    assert bot.http.get(f"v3/teams/{desk.id}").json()["aadGroupId"] == desk.group_id
    told = bot.http.get(f"v3/teams/{desk.id}/conversations").json()
    assert told == {"conversations": [{"id": desk.id}, {"id": channel.id, "name": "help"}]}


# Limits and faults


def test_the_pace_of_a_conversation_is_kept(fake: FakeTeams, bot: TinyBot, channel: Channel, clock: Hands) -> None:
    root = bot.says(channel.id)
    thread = f"{channel.id};messageid={root.id}"
    statuses = [bot.post(thread).status_code for _ in range(8)]
    assert statuses == [201] * 7 + [429]
    assert bot.post(channel.id).status_code == 201
    refused = bot.post(thread)
    assert (refused.headers["Retry-After"], code(refused)) == ("1", "429 TooManyRequests")
    clock.now += 1.0
    assert [bot.post(thread).status_code for _ in range(2)] == [201, 429]
    while fake.pace.most_within(thread, 30) < 60:
        clock.now += 2.0 if bot.post(thread).status_code == 429 else 0.0
    assert int(bot.post(thread).headers["Retry-After"]) > 2
    assert fake.pace.most_within(thread, 1) == 7
    assert fake.pace.most_within(thread, 2) == 8


def test_a_post_may_have_28_kilobytes(fake: FakeTeams, bot: TinyBot, erika: Actor) -> None:
    erika.writes("Hallo")

    def sized(size: int) -> bytes:
        empty = len(json.dumps({"type": "message", "text": ""}))
        return json.dumps({"type": "message", "text": "x" * (size - empty)}).encode()

    def post(body: bytes) -> httpx.Response:
        headers = {"Content-Type": "application/json"}
        return bot.http.post(f"v3/conversations/{erika.chat}/activities", content=body, headers=headers)

    assert post(sized(28 * 1024)).status_code == 201
    assert fake.calls[-1].bytes == 28 * 1024
    assert code(post(sized(28 * 1024 + 1))) == "413 MessageSizeTooBig"
    assert [wrong.code for _, wrong, _ in fake.violations] == ["MessageSizeTooBig"]
    fake.violations.clear()


def test_a_refused_payload_is_answered_and_fails_the_test(clock: Hands) -> None:
    def breaks_a_rule() -> None:
        with FakeTeams(clock=clock) as teams:
            bot = TinyBot(teams).signs_in()
            teams.connect(bot.app)
            person = teams.user()
            person.writes("Hallo")
            assert bot.post(person.chat, post_of({**card(), "version": "1.6"})).status_code == 400
            bot.http.close()

    with pytest.raises(AssertionError, match=r"InvalidAdaptiveCard at /attachments/0/content/version"):
        breaks_a_rule()


def test_requests_fail_before_or_after_their_work(fake: FakeTeams, bot: TinyBot, erika: Actor) -> None:
    erika.writes("Hallo")
    fake.faults.next(412)
    fake.faults.next(429, retry_after=3)
    fake.faults.next(502, processed=True, method="POST", path="*/activities")
    answers = [bot.post(erika.chat) for _ in range(4)]
    assert [one.status_code for one in answers] == [412, 429, 502, 201]
    assert answers[1].headers["Retry-After"] == "3"
    assert len(fake.said(erika)) == 2
    fake.faults.cut()
    with pytest.raises(httpx.RemoteProtocolError):
        bot.post(erika.chat)
    assert len(fake.said(erika)) == 3
    assert fake.calls[-1].status == 0
    fake.faults.delay(0.3, 1, path="*/activities")
    with pytest.raises(httpx.ReadTimeout):
        bot.post(erika.chat, timeout=0.1)
    assert eventually(lambda: len(fake.said(erika)) == 4, 5)


def test_a_request_to_nowhere_is_noted(fake: FakeTeams, bot: TinyBot) -> None:
    assert bot.http.get(f"{fake.graph_url}/v1.0/users").status_code == 404
    assert bot.http.put("v3/conversations").status_code == 404
    assert [(one.method, one.path) for one in fake.calls[-2:]] == [
        ("GET", "/graph/v1.0/users"),
        ("PUT", "/emea/v3/conversations"),
    ]


def test_microsofts_own_client_gets_along(fake: FakeTeams, bot: TinyBot, erika: Actor, desk: Team) -> None:
    erika.writes("Hallo")
    headers = {"Authorization": bot.http.headers["Authorization"]}

    async def talks() -> tuple[str, str]:
        http = Client(ClientOptions(headers=headers))
        talk = ConversationClient(fake.service_url, http)
        sent = await talk.create_activity(erika.chat, MessageActivityInput(text="Hallo"))
        await talk.create_activity(erika.chat, TypingActivityInput())
        await talk.update_activity(erika.chat, sent.id, MessageActivityInput(text="Guten Tag"))
        begun = await talk.create(CreateConversationParams(members=[Account(id=erika.id)], tenant_id=fake.tenant))
        members = await talk.get_paged_members(desk.id, 1)
        assert (await talk.get_member_by_id(desk.id, erika.id)).aad_object_id == erika.id
        assert (await TeamClient(fake.service_url, http).get_by_id(desk.id)).aad_group_id == desk.group_id
        await http.http.aclose()
        return begun.id, members.members[0].name or ""

    assert asyncio.run(talks()) == (erika.chat, "Erika Muster")
    said = fake.said(erika)
    assert [(one.text, one.edits) for one in said] == [("Guten Tag", 1)]
    assert len(fake.typing(erika)) == 1


def test_chance_is_the_same_with_the_same_seed(fake: FakeTeams, bot: TinyBot, erika: Actor) -> None:
    erika.writes("Hallo")
    fake.pace.limits = ()

    def statuses() -> list[int]:
        fake.faults.random(7, {429: 0.2, 412: 0.1, 502: 0.2}, processed=0.5)
        return [bot.post(erika.chat).status_code for _ in range(60)]

    first = statuses()
    arrived = len(fake.said(erika))
    assert statuses() == first
    assert set(first) == {201, 429, 412, 502}
    assert first.count(201) < arrived < first.count(201) + first.count(502)
    fake.faults.clear()
    assert bot.post(erika.chat).status_code == 201


# Graph


def test_graph_tells_the_messages_of_a_channel(
    fake: FakeTeams, bot: TinyBot, erika: Actor, desk: Team, channel: Channel
) -> None:
    root = bot.says(channel.id, card())
    thread = f"{channel.id};messageid={root.id}"
    said = [erika.writes(f"{fake.at()} {number}", thread=root) for number in range(3)]
    bot.says(thread)
    erika.deletes(said[1])
    path = f"teams/{desk.group_id}/channels/{channel.id}/messages"
    told = bot.graph(path).json()["value"]
    assert [one["id"] for one in told] == [root.id]
    assert told[0]["from"]["application"]["id"] == fake.app_id
    assert json.loads(told[0]["attachments"][0]["content"]) == card()
    assert bot.graph(f"{path}/{root.id}").json()["replyToId"] is None
    first = bot.graph(f"{path}/{root.id}/replies?$top=3").json()
    rest = bot.graph(first["@odata.nextLink"].partition("/v1.0/")[2]).json()
    found = [*first["value"], *rest["value"]]
    assert "@odata.nextLink" not in rest
    assert [one["id"] for one in found[1:]] == [one.id for one in reversed(said)]
    assert found[1]["from"]["user"] == {
        "id": erika.id,
        "displayName": "Erika Muster",
        "userIdentityType": "aadUser",
        "tenantId": fake.tenant,
    }
    assert found[1]["body"]["content"] == '<p><at id="0">Lotse</at> 2</p>'
    assert found[1]["mentions"][0]["mentioned"]["application"]["id"] == fake.app_id
    assert (found[2]["deletedDateTime"] is None, found[2]["body"]["content"]) == (False, "")


def test_graph_wants_its_own_token_and_the_teams_consent(fake: FakeTeams, bot: TinyBot, erika: Actor) -> None:
    team = fake.team("IT", erika)
    deaf = fake.channel(team, "deaf", rsc=False)
    path = f"teams/{team.group_id}/channels"
    assert bot.graph(f"{path}/{team.id}/messages").status_code == 200
    assert code(bot.graph(f"{path}/{deaf.id}/messages")) == "403 Forbidden"
    assert bot.graph(f"{path}/{team.id}/messages", bot.token().json()["access_token"]).status_code == 401
    assert code(bot.graph(f"{path}/{team.id}/messages/1")) == "404 NotFound"
    assert code(bot.graph(f"teams/other/channels/{team.id}/messages")) == "404 NotFound"
    assert code(bot.graph(f"{path}/{team.id}/messages?$top=51")) == "400 BadRequest"
