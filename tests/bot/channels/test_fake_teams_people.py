"""What people do at the fake Teams reaches a bot as from Teams: messages, repeats, presses, dialogs."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from fake_teams import Actor, Channel, Dialog, FakeTeams, RefusedByClientError, Team, Upload
from fake_teams_bot import ASK, CARD, MESSAGE, NOTE, NOTE_FORM, Hands, TinyBot, card, dialog_of, execute, post_of
from patience import eventually
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


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


# What people write


def test_a_personal_message_looks_like_teams(fake: FakeTeams, bot: TinyBot, erika: Actor) -> None:
    message = erika.writes("VPN <geht> nicht\nseit heute")
    told = bot.activities[0]
    assert told["type"] == "message"
    assert told["text"] == "VPN <geht> nicht\nseit heute"
    assert told["textFormat"] == "plain"
    assert (told["id"], told["timestamp"]) == (message.id, "2027-01-15T08:00:00.000Z")
    assert told["localTimestamp"] == "2027-01-15T09:00:00.000+01:00"
    assert told["from"] == {"id": erika.teams_id, "name": "Erika Muster", "aadObjectId": erika.id}
    assert told["conversation"] == {"conversationType": "personal", "tenantId": fake.tenant, "id": erika.chat}
    assert told["recipient"] == {"id": f"28:{fake.app_id}", "name": "Lotse"}
    assert told["channelData"] == {"tenant": {"id": fake.tenant}}
    assert told["attachments"] == [
        {"contentType": "text/html", "content": "<p>VPN &lt;geht&gt; nicht</p><p>seit heute</p>"}
    ]
    assert (told["entities"][0]["locale"], told["entities"][0]["country"], told["locale"]) == ("de-DE", "DE", "de-DE")


def test_somebody_of_another_tenant_says_so(fake: FakeTeams, bot: TinyBot) -> None:
    fake.user("Gast", tenant="99999999-aaaa-4bbb-8ccc-000000000000").writes("Hallo")
    told = bot.activities[0]
    tenants = {told["conversation"]["tenantId"], told["channelData"]["tenant"]["id"]}
    assert tenants == {"99999999-aaaa-4bbb-8ccc-000000000000"}


def test_a_channel_message_names_thread_team_and_mentions(
    fake: FakeTeams, bot: TinyBot, erika: Actor, owen: Actor, desk: Team, channel: Channel
) -> None:
    root = erika.writes(f"frag {owen.at} und {owen.at}", channel, mention=True)
    owen.writes("ja?", thread=root)
    first, second = bot.activities
    assert first["text"] == "<at>Lotse</at> frag <at>Owen Tallis</at> und <at>Owen Tallis</at>"
    mentions = [one["mentioned"]["id"] for one in first["entities"] if one["type"] == "mention"]
    assert mentions == [f"28:{fake.app_id}", owen.teams_id, owen.teams_id]
    assert first["conversation"]["id"] == second["conversation"]["id"] == f"{channel.id};messageid={root.id}"
    assert first["conversation"]["isGroup"] is True
    assert (first["channelData"]["team"], first["channelData"]["channel"]) == ({"id": desk.id}, {"id": channel.id})
    assert 'itemid="0">Lotse</span> frag' in first["attachments"][0]["content"]


def test_without_a_mention_only_a_team_that_allowed_it_is_heard(fake: FakeTeams, bot: TinyBot, erika: Actor) -> None:
    deaf = fake.team("Deaf", erika, rsc=False)
    group = fake.group(erika)
    for place in (deaf, group):
        unheard = erika.writes("unter uns", place)
        erika.edits(unheard, "immer noch")
        assert bot.took == []
    erika.writes("mit dir", deaf, mention=True)
    erika.writes("mit dir", group, mention=True)
    erika.writes("auch so", fake.group(erika, rsc=True))
    kinds = [one["conversation"]["conversationType"] for one in bot.activities]
    assert kinds == ["channel", "groupChat", "groupChat"]
    with pytest.raises(RefusedByClientError):
        fake.user().writes("von außen", deaf)


def test_edits_deletions_and_reactions_are_told(fake: FakeTeams, bot: TinyBot, erika: Actor) -> None:
    message = erika.writes("Hallo")
    erika.edits(message, "Hallo zusammen")
    erika.deletes(message)
    erika.restores(message)
    erika.reacts(bot.says(erika.chat), "heart")
    _, edit, deletion, restored, reaction = bot.activities
    assert (edit["type"], edit["id"], edit["text"]) == ("messageUpdate", message.id, "Hallo zusammen")
    assert edit["channelData"]["eventType"] == "editMessage"
    assert (deletion["type"], deletion["channelData"]["eventType"]) == ("messageDelete", "softDeleteMessage")
    assert (deletion["id"], "text" in deletion) == (message.id, False)
    assert (restored["type"], restored["channelData"]["eventType"]) == ("messageUpdate", "undeleteMessage")
    assert reaction["reactionsAdded"] == [{"type": "heart"}]
    assert reaction["replyToId"] == fake.said(erika)[0].id


def test_files_and_images_are_fetched_as_in_teams(
    fake: FakeTeams, bot: TinyBot, erika: Actor, channel: Channel
) -> None:
    erika.writes("siehe", files=[Upload("fehler.log", b"0x8")], images=[Upload("bild.png", b"PNG", "image/png")])
    file, image, _ = bot.activities[0]["attachments"]
    assert file["contentType"] == "application/vnd.microsoft.teams.file.download.info"
    assert (file["name"], file["content"]["fileType"]) == ("fehler.log", "log")
    assert not file["content"]["downloadUrl"].startswith(fake.service_url)
    assert httpx.get(file["content"]["downloadUrl"]).content == b"0x8"
    assert httpx.get(file["content"]["downloadUrl"].partition("&")[0]).status_code == 401
    assert image["contentType"] == "image/*"
    assert image["contentUrl"].startswith(f"{fake.service_url}v3/attachments/")
    assert httpx.get(image["contentUrl"]).status_code == 401
    assert bot.http.get(image["contentUrl"]).content == b"PNG"
    for one in fake.files.values():
        one.gone = True
    assert httpx.get(file["content"]["downloadUrl"]).status_code == 404
    erika.writes("siehe", channel, files=[Upload("fehler.log", b"0x8")])
    assert bot.activities[1]["attachments"][0]["contentType"] == "reference"


# Delivery


def test_an_activity_is_repeated_until_it_is_taken(fake: FakeTeams, bot: TinyBot, erika: Actor) -> None:
    bot.answers = [(500, None), (503, None)]
    fake.postman.lose_acks = 1
    erika.writes("Hallo")
    assert (fake.deliveries[-1].attempts, fake.deliveries[-1].took) == (4, 2)
    assert len({one["id"] for one in bot.activities}) == 1
    bot.answers = [(500, None)] * 9
    erika.edits(fake.posts(erika)[0], "neu")
    assert (fake.deliveries[-1].status, len(bot.answers)) == (500, 5)
    bot.answers = [(403, None)]
    erika.writes("Hallo")
    assert (fake.deliveries[-1].attempts, fake.deliveries[-1].status) == (1, 403)


def test_who_is_too_slow_gets_it_again_and_goes_on(fake: FakeTeams, bot: TinyBot, erika: Actor) -> None:
    fake.postman.ack_timeout, bot.slow = 0.1, 0.3
    fake.postman.repeats = 1
    erika.writes("Hallo")
    assert (fake.deliveries[-1].status, fake.deliveries[-1].attempts) == (0, 2)
    assert len(bot.activities) == 2


def test_what_the_bot_starts_goes_on_after_its_answer(fake: FakeTeams, erika: Actor) -> None:
    done: list[str] = []
    tasks: list[asyncio.Task[None]] = []

    async def later() -> None:
        await asyncio.sleep(0.1)
        done.append("done")

    async def take(_: Request) -> Response:
        tasks.append(asyncio.create_task(later()))
        return Response()

    fake.connect(Starlette(routes=[Route("/hook", take, methods=["POST"])]), "/hook")
    erika.writes("Hallo")
    assert done == []
    assert eventually(lambda: done == ["done"], 5)


def test_many_people_write_at_once(fake: FakeTeams, bot: TinyBot, channel: Channel, desk: Team) -> None:
    people = [fake.user(f"Person {number}") for number in range(8)]
    desk.members += [one.id for one in people]

    def writes(person: Actor) -> list[str]:
        return [person.writes(str(number), channel).id for number in range(10)]

    with ThreadPoolExecutor(8) as pool:
        ids = [one for written in pool.map(writes, people) for one in written]
    assert len(set(ids)) == 80
    assert sorted(one["id"] for one in bot.activities) == sorted(ids)
    assert [one.id for one in fake.posts(channel)] == sorted(ids)


def test_requests_of_every_kind_reach_the_bot(fake: FakeTeams, bot: TinyBot, erika: Actor) -> None:
    message = erika.writes("Hallo")
    assert fake.deliver(fake.activity_of(message), times=3).ok
    assert [one["id"] for one in bot.activities] == [message.id] * 4
    fake.deliver(fake.activity_of(message), token="garbage")
    assert bot.took[-1][0]["authorization"] == "Bearer garbage"
    assert fake.post_raw(b"{}").status_code == 200
    assert "authorization" not in bot.took[-1][0]
    assert fake.post_raw(b"{", {"Authorization": "Basic x"}).status_code == 500
    fake.postman.ack_timeout, bot.slow = 0.05, 0.2
    with pytest.raises(TimeoutError):
        fake.post_raw(b"{}")


# Cards and dialogs


def test_a_press_carries_what_the_card_says(fake: FakeTeams, bot: TinyBot, erika: Actor, owen: Actor) -> None:
    group = fake.group(erika, owen)
    asked = bot.says(group.id, card(actions=(execute("helped", "no"), execute("helped", "yes"))))
    assert [(one.action, one.value) for one in asked.buttons] == [("helped", "no"), ("helped", "yes")]
    thanks = card({"type": "TextBlock", "text": "Danke"})
    bot.answers = [(200, {"statusCode": 200, "type": CARD, "value": thanks})]
    assert erika.presses(asked, "helped", "yes").ok
    told = bot.activities[-1]
    assert (told["type"], told["name"], told["replyToId"]) == ("invoke", "adaptiveCard/action", asked.id)
    assert told["value"]["trigger"] == "manual"
    assert told["value"]["action"] == {"type": "Action.Execute", "title": "helped", "verb": "helped", "data": ASK}
    assert asked.card_for(erika) == thanks
    assert asked.card_for(owen) == asked.card
    assert fake.words(asked, erika) == "Danke"
    with pytest.raises(RefusedByClientError):
        erika.presses(asked, "helped", "yes")
    with pytest.raises(RefusedByClientError):
        fake.user().presses(asked, "helped")
    bot.http.put(f"v3/conversations/{group.id}/activities/{asked.id}", json=post_of(card()))
    assert asked.card_for(erika) == card()


def test_an_old_client_sends_a_message(bot: TinyBot, erika: Actor) -> None:
    erika.installs()
    asked = bot.says(erika.chat, card(actions=(execute("helped", "yes"),)))
    erika.presses(asked, "helped", old_client=True)
    told = bot.activities[-1]
    assert (told["type"], told["value"], told["replyToId"], "text" in told) == ("message", ASK, asked.id, False)


def test_a_button_can_write_for_the_person(fake: FakeTeams, bot: TinyBot, erika: Actor) -> None:
    erika.installs()
    data = {"msteams": {"type": "imBack", "value": "Mein VPN geht nicht"}}
    asked = bot.says(erika.chat, card(actions=({"type": "Action.Submit", "title": "VPN?", "data": data},)))
    erika.presses(asked, "VPN?")
    assert bot.activities[-1]["text"] == "Mein VPN geht nicht"
    assert "value" not in bot.activities[-1]
    assert [one.text for one in fake.posts(erika) if one.author] == ["Mein VPN geht nicht"]


def test_a_press_is_told_or_fails(fake: FakeTeams, bot: TinyBot, erika: Actor) -> None:
    erika.installs()
    asked = bot.says(erika.chat, card(actions=(execute("helped"),)))
    wrong = {"code": "Late", "message": "Zu spät"}
    bot.answers = [
        (200, {"statusCode": 200, "type": MESSAGE, "value": "Schon erledigt"}),
        (200, {"statusCode": 400, "type": "application/vnd.microsoft.error", "value": wrong}),
        (500, None),
        (200, {"statusCode": 200, "type": MESSAGE}),
        (200, {"statusCode": 200, "type": CARD, "value": {"type": "AdaptiveCard", "version": "1.5"}}),
        (200, None),
    ]
    for _ in range(6):
        erika.presses(asked, "helped")
    assert erika.told == ["Schon erledigt", "Zu spät"]
    assert [one.status for one in erika.failures] == [500, 200, 200, 200]
    assert all(one.attempts == 1 for one in erika.failures)
    assert len(fake.violations) == 3
    fake.violations.clear()


def test_a_dialog_is_filled_in_as_its_card_allows(fake: FakeTeams, bot: TinyBot, erika: Actor) -> None:
    erika.installs()
    ticket = bot.says(erika.chat, card(actions=({"type": "Action.Submit", "title": "Notiz", "data": NOTE},)))
    with pytest.raises(RefusedByClientError):
        erika.presses(ticket, "note")
    bot.answers = [(200, dialog_of(NOTE_FORM))]
    dialog = erika.opens(ticket, "note")
    assert isinstance(dialog, Dialog)
    assert (bot.activities[-1]["name"], bot.activities[-1]["value"]["data"]) == ("task/fetch", NOTE)
    assert (dialog.title, list(dialog.fields)) == ("Notiz", ["text", "queue"])
    for values in ({}, {"text": ""}, {"text": "x", "queue": "other"}, {"text": "x", "foo": "x"}):
        with pytest.raises(RefusedByClientError):
            erika.submits(dialog, values)
    assert bot.activities[-1]["name"] == "task/fetch"
    bot.answers = [(200, {"task": {"type": "message", "value": "Gespeichert"}})]
    assert erika.submits(dialog, {"text": "Kabel getauscht"}) == "Gespeichert"
    assert bot.activities[-1]["name"] == "task/submit"
    assert bot.activities[-1]["value"]["data"] == {
        "lotse": {"form": "note"},
        "text": "Kabel getauscht",
        "queue": "net",
    }
    assert erika.dialog is None
    with pytest.raises(RefusedByClientError):
        erika.submits(dialog, {"text": "noch einmal"})


def test_dialogs_follow_one_another_or_close(fake: FakeTeams, bot: TinyBot, erika: Actor) -> None:
    erika.installs()
    ticket = bot.says(erika.chat, card(actions=({"type": "Action.Submit", "title": "Notiz", "data": NOTE},)))
    bot.answers = [(200, dialog_of(NOTE_FORM)), (500, None), (200, dialog_of(NOTE_FORM, "Noch einmal")), (200, None)]
    first = erika.opens(ticket, "note")
    assert isinstance(first, Dialog)
    assert erika.submits(first, {"text": "x"}) is None
    still = erika.dialog
    assert still is first
    second = erika.submits(first, {"text": "x", "queue": "Server"})
    assert isinstance(second, Dialog)
    assert (second.title, bot.activities[-1]["value"]["data"]["queue"]) == ("Noch einmal", "srv")
    assert erika.submits(second, {"text": "x"}) is None
    with pytest.raises(RefusedByClientError):
        erika.submits(second, {"text": "x"})
    bot.answers = [(200, dialog_of(NOTE_FORM, "x" * 65)), (200, None)]
    assert erika.opens(ticket, "note") is None
    assert erika.opens(ticket, "note") is None
    assert [wrong.path for _, wrong, _ in fake.violations] == ["/task/value/title", ""]
    fake.violations.clear()


def test_inputs_go_as_a_client_sends_them(bot: TinyBot, erika: Actor, owen: Actor) -> None:
    erika.installs()
    choices = [{"title": "Netz", "value": "net"}, {"title": "Server", "value": "srv"}]
    people = {"type": "Data.Query", "dataset": "graph.microsoft.com/users"}
    form = card(
        {"type": "Input.Toggle", "id": "article", "title": "Artikel", "valueOn": "yes", "valueOff": "no"},
        {"type": "Input.ChoiceSet", "id": "areas", "label": "Bereiche", "isMultiSelect": True, "choices": choices},
        {"type": "Input.ChoiceSet", "id": "agent", "label": "Wer", "choices": [], "choices.data": people},
        {"type": "Input.Text", "id": "code", "label": "Code", "regex": "^[0-9]+$", "maxLength": 4},
        {"type": "Input.Number", "id": "count", "label": "Anzahl", "min": 1, "max": 5},
        actions=(execute("save"),),
    )
    asked = bot.says(erika.chat, form)

    def sent(**inputs: object) -> dict[str, str]:
        assert erika.presses(asked, "save", inputs=inputs).status == 200
        data: dict[str, str] = bot.activities[-1]["value"]["action"]["data"]
        return {name: value for name, value in data.items() if name != "lotse"}

    bot.answers = [(200, {"statusCode": 200, "type": MESSAGE, "value": "ok"})] * 2
    assert sent() == {"article": "no", "code": ""}
    filled = sent(article=True, areas=["Netz", "srv"], agent=owen, code="123", count=3)
    assert filled == {"article": "yes", "areas": "net,srv", "agent": owen.id, "code": "123", "count": "3"}
    for wrong in ({"code": "abc"}, {"code": "12345"}, {"count": 6}, {"areas": ["other"]}, {"other": "x"}):
        with pytest.raises(RefusedByClientError):
            erika.presses(asked, "save", inputs=wrong)


def test_a_message_extension_brings_the_message(
    fake: FakeTeams, bot: TinyBot, erika: Actor, owen: Actor, channel: Channel
) -> None:
    root = owen.writes("Drucker <kaputt>", channel)
    reply = owen.writes("immer noch", thread=root)
    bot.answers = [(200, dialog_of(NOTE_FORM)), (200, None)]
    dialog = erika.opens_ticket_on(reply)
    told = bot.activities[-1]
    assert (told["name"], told["value"]["commandId"]) == ("composeExtension/fetchTask", "openTicket")
    payload = told["value"]["messagePayload"]
    assert (payload["id"], payload["replyToId"]) == (reply.id, root.id)
    assert payload["from"]["user"]["id"] == owen.id
    assert payload["body"] == {"contentType": "html", "content": "<p>immer noch</p>"}
    assert isinstance(dialog, Dialog)
    assert erika.submits(dialog, {"text": "für Owen"}) is None
    sent = bot.activities[-1]
    assert (sent["name"], sent["value"]["messagePayload"]) == ("composeExtension/submitAction", payload)
    assert sent["value"]["data"]["text"] == "für Owen"


def test_words_are_what_a_person_reads(fake: FakeTeams, bot: TinyBot, erika: Actor) -> None:
    erika.installs()
    runs = [{"type": "TextRun", "text": "rot "}, {"type": "TextRun", "text": "grün", "weight": "bolder"}]
    cells = [{"type": "TableCell", "items": [{"type": "TextBlock", "text": word}]} for word in ("links", "rechts")]
    said = bot.says(
        erika.chat,
        card(
            {"type": "TextBlock", "text": "Titel"},
            {"type": "Container", "items": [{"type": "RichTextBlock", "inlines": runs}]},
            {"type": "FactSet", "facts": [{"title": "Priorität", "value": "P2"}]},
            {"type": "Table", "columns": [{}, {}], "rows": [{"type": "TableRow", "cells": cells}]},
            {"type": "TextBlock", "text": "verborgen", "isVisible": False},
        ),
    )
    assert fake.words(said) == "Titel\nrot grün\nPriorität P2\nlinks | rechts"
    assert fake.words(said, hidden=True).endswith("verborgen")
