"""Employee on one platform, agents on another, and agents on both: nobody notices."""

import json
from collections.abc import Iterator
from copy import deepcopy
from urllib.parse import quote, unquote, urlsplit

import pytest
import slack_cards
from both_world import BothWorld, MakeBothWorld
from browsers import Browsers
from chat_records import events
from fake_slack import Message as SlackMessage
from fake_slack import Upload as SlackUpload
from fake_teams import Actor, Message, Upload
from fastapi.testclient import TestClient
from harness import Seen, texts
from sentences import keys
from slack_cards import owner
from slack_world import actions as slack_actions
from slack_world import words
from teams_cards import below, facts, heard, links
from teams_harness import seen
from teams_world import PUBLIC_URL, TeamsWorld, actions
from together import at_once
from world import VPN, VPN_QUESTION

SECRET = "nur-intern-4711"
PICTURE = bytes(range(256)) * 40
ODD = "Welcher <Raum> & welches *Stockwerk*? **fett** [hier](https://evil.example) @channel <b>x</b> &amp; 🙂"


@pytest.fixture
def in_teams(make_both_world: MakeBothWorld) -> BothWorld:
    """Employees in Teams, the service desk in Slack."""
    return make_both_world("slack")


@pytest.fixture
def in_slack(make_both_world: MakeBothWorld) -> BothWorld:
    """Employees in Slack, the service desk in Teams."""
    return make_both_world("teams")


@pytest.fixture
def web(in_slack: BothWorld) -> Iterator[Browsers]:
    """People on the web pages, the service desk in Teams."""
    browsers = Browsers(in_slack)
    yield browsers
    browsers.close()


# --- what people see --------------------------------------------------------------------------------------------------
def last(world: TeamsWorld, person: Actor) -> tuple[str, str | None]:
    """The newest words in a person's chat, and who speaks."""
    post = seen(world.answers(person)[-1])
    return post.text, post.author


def opened(world: TeamsWorld, url: str) -> tuple[str, bytes]:
    """What somebody gets who follows a link to a file: its name and content. Nobody has signed in."""
    assert url.startswith(f"{PUBLIC_URL}/files/")
    with TestClient(world.app.web, base_url=PUBLIC_URL) as nobody:
        answer = nobody.get(urlsplit(url).path)
    assert answer.status_code == 200
    return unquote(answer.headers["content-disposition"].partition("''")[2]), answer.content


def files_in(world: TeamsWorld, post: Message) -> dict[str, bytes]:
    """The files that are linked from a post: names and contents, each as its label says."""
    found = {label: opened(world, url) for label, url in links(post).items() if "/files/" in url}
    assert all(label == f"📎 {name}" for label, (name, _) in found.items())
    return dict(found.values())


def posted_files(world: BothWorld, posts: list[SlackMessage]) -> dict[str, bytes | None]:
    stored = [world.slack.fake.files[one] for post in posts for one in post.files]
    return {file.name: file.content for file in stored}


def sent_to(world: TeamsWorld, person: Actor) -> str:
    """Everything that was ever sent to a person's chat, as Teams got it."""
    return json.dumps([call.body for call in world.fake.calls if person.chat in call.path], ensure_ascii=False)


# --- the employee in Teams, agents in Slack ---------------------------------------------------------------------------
def wants_person(world: BothWorld) -> SlackMessage:
    """The employee in Teams wants a person; the card in Slack."""
    world.asks(world.konrad, "Ich möchte mit einem Menschen sprechen.")
    return world.slack.card()


def test_a_case_of_teams_comes_to_slack_with_its_story(in_teams: BothWorld) -> None:
    in_teams.asks(in_teams.konrad, VPN_QUESTION)
    card = wants_person(in_teams)
    assert VPN_QUESTION in words(card)
    assert slack_cards.facts(card)["Von"] == "Konrad Voßmann"
    assert list(slack_cards.links(card)) == ["Ticket im Desk"]  # nobody else can open somebody's chat
    (transcript,) = slack_cards.below(in_teams.slack, card)
    assert VPN_QUESTION in transcript
    assert VPN[1] in transcript
    assert "receipt_asked_for_person/sie" in keys(heard(in_teams, in_teams.konrad)[-1])
    assert in_teams.fake.roots(in_teams.desk) == in_teams.fake.roots(in_teams.network) == []


def test_employee_in_teams_and_agent_in_slack_talk(in_teams: BothWorld) -> None:
    slack, card = in_teams.slack, wants_person(in_teams)
    slack.maren.posts(slack.desk, ODD, card)
    slack.settle()
    assert last(in_teams, in_teams.konrad) == (ODD, "Maren Tiede")
    assert links(in_teams.answers(in_teams.konrad)[-1]) == {}
    in_teams.asks(in_teams.konrad, ODD)
    assert slack_cards.below(slack, card)[-1] == ODD
    assert slack.thread(card)[-1].username == "Konrad Voßmann"
    assert (owner(slack), events(slack)[-2:]) == ("Maren Tiede", ["replied", "requester_wrote"])


def test_employee_in_a_channel_of_teams_and_agent_in_slack_talk_in_its_thread(in_teams: BothWorld) -> None:
    slack, konrad = in_teams.slack, in_teams.konrad
    asked = konrad.writes("Ich möchte mit einem Menschen sprechen.", in_teams.general, mention=True)
    in_teams.settle()
    card = slack.card()
    link = slack_cards.links(card)["Gespräch mit der anfragenden Person"]
    assert link.startswith(f"https://teams.microsoft.com/l/message/{quote(in_teams.general.id, safe='')}/{asked.id}?")
    slack.maren.posts(slack.desk, "Welcher Raum?", card)
    slack.settle()
    konrad.writes("Raum 213", thread=asked)
    in_teams.owen.writes("Bei mir geht es.", thread=asked)
    in_teams.settle()
    assert seen(in_teams.fake.said(in_teams.general, asked)[-1]) == Seen("Welcher Raum?", "Maren Tiede")
    assert slack_cards.below(slack, card)[1:] == ["Raum 213"]


def test_files_and_images_of_the_chat_in_teams_are_files_in_slack(in_teams: BothWorld) -> None:
    slack, card = in_teams.slack, wants_person(in_teams)
    files = [Upload("Bericht ä.pdf", PICTURE), Upload("setup.exe", b"MZ")]
    in_teams.konrad.writes("So sieht es aus", files=files, images=[Upload("image", b"PNG")])
    in_teams.settle()
    assert posted_files(in_teams, slack.thread(card)) == {"Bericht ä.pdf": PICTURE, "image-1.png": b"PNG"}
    text = next(text for text in slack_cards.below(slack, card) if text.startswith("So sieht es aus\n"))
    assert "setup.exe" in text
    assert any("file_not_kept" in keys(text) and "setup.exe" in text for text in heard(in_teams, in_teams.konrad))


def test_files_sent_to_the_bot_in_teams_stand_below_the_transcript_in_slack(in_teams: BothWorld) -> None:
    in_teams.konrad.writes("Was bedeutet diese Meldung?", files=[Upload("Meldung.txt", b"E-77")])
    in_teams.settle()
    posts = in_teams.slack.thread(wants_person(in_teams))
    assert posted_files(in_teams, posts) == {"Meldung.txt": b"E-77"}
    assert "📎 Meldung.txt" in words(posts[0])


def test_a_file_of_an_agent_in_slack_is_opened_by_a_link_in_teams(in_teams: BothWorld) -> None:
    slack, card = in_teams.slack, wants_person(in_teams)
    uploads = [SlackUpload("Anleitung ü & <neu>.pdf", PICTURE), SlackUpload("leer.txt", b"")]
    slack.maren.posts(slack.desk, "Die Anleitung:", card, uploads)
    slack.settle()
    post = in_teams.answers(in_teams.konrad)[-1]
    assert in_teams.words(post).splitlines()[:2] == ["Maren Tiede", "Die Anleitung:"]
    assert files_in(in_teams, post) == {"Anleitung ü & <neu>.pdf": PICTURE, "leer.txt": b""}


def test_edits_and_deletions_in_teams_change_the_posts_in_slack(in_teams: BothWorld) -> None:
    slack, card = in_teams.slack, wants_person(in_teams)
    before = len(slack.thread(card))
    first, second = in_teams.asks(in_teams.konrad, "Raum 213"), in_teams.asks(in_teams.konrad, "Falscher Chat.")
    in_teams.konrad.edits(first, "Raum 312, **nicht** 213")
    in_teams.settle()
    in_teams.konrad.deletes(second)
    in_teams.settle()
    told = slack_cards.below(slack, card)[before:]
    assert told[:2] == ["Raum 312, **nicht** 213", "Falscher Chat."]
    assert ["agent_message_deleted" in keys(text) for text in told[2:]] == [True]


def test_edits_and_deletions_in_slack_change_the_posts_in_teams(in_teams: BothWorld) -> None:
    slack, card = in_teams.slack, wants_person(in_teams)
    before = len(in_teams.answers(in_teams.konrad))
    first = slack.maren.posts(slack.desk, "Bitte Raum 213.", card)
    second = slack.maren.posts(slack.desk, "Das war für jemand anderen.", card)
    slack.settle()
    slack.maren.edits(first, "Bitte Raum 312, *nicht* 213.")
    slack.maren.deletes(second)
    slack.settle()
    posts = [seen(post) for post in in_teams.answers(in_teams.konrad)[before:]]
    assert posts == [Seen("Bitte Raum 312, *nicht* 213.", "Maren Tiede"), Seen("(Nachricht gelöscht)", "Maren Tiede")]


def test_no_note_of_slack_reaches_the_employee_in_teams(in_teams: BothWorld) -> None:
    slack, card = in_teams.slack, wants_person(in_teams)
    before = heard(in_teams, in_teams.konrad)
    note = slack.maren.posts(slack.desk, f"// {SECRET}", card, [SlackUpload(f"{SECRET}.txt", SECRET.encode())])
    slack.settle()
    slack.maren.edits(note, f"Doch offen {SECRET}")
    slack_cards.fill_in(slack, slack.maren, card, "note", text=SECRET)
    slack_cards.press(slack, slack.maren, card, "escalate")
    third = in_teams.card(in_teams.third)
    in_teams.henrik.writes(SECRET, thread=third)
    in_teams.settle()
    assert heard(in_teams, in_teams.konrad) == before
    assert SECRET not in sent_to(in_teams, in_teams.konrad)
    assert any(SECRET in text for text in below(in_teams, third))
    assert f"**🔒 **{SECRET}" in slack_cards.below(slack, card)
    assert slack.thread(card)[-1].username == "Henrik Lindqvist"


def test_what_agents_do_in_slack_is_told_in_teams(in_teams: BothWorld) -> None:
    slack, card, konrad = in_teams.slack, wants_person(in_teams), in_teams.konrad
    slack_cards.press(slack, slack.maren, card, "claim")
    assert "claimed/sie" in keys(heard(in_teams, konrad)[-1])
    slack_cards.choose(slack, slack.maren, card, "assign", slack.tomasz.id)
    assert "assigned/sie" in keys(heard(in_teams, konrad)[-1])
    slack_cards.press(slack, slack.tomasz, card, "hand_back")
    assert "handed_back/sie" in keys(heard(in_teams, konrad)[-1])
    in_teams.asks(konrad, VPN_QUESTION)
    assert VPN[1] in heard(in_teams, konrad)[-1]


def test_still_broken_in_teams_reopens_in_slack(in_teams: BothWorld) -> None:
    slack, card, konrad = in_teams.slack, wants_person(in_teams), in_teams.konrad
    slack_cards.fill_in(slack, slack.maren, card, "resolve", fix="Kabel getauscht.", cause=SECRET)
    resolved = in_teams.answers(konrad)[-1]
    assert "Kabel getauscht." in in_teams.words(resolved)
    assert SECRET not in sent_to(in_teams, konrad)
    assert actions(resolved) == ["works", "still_broken"]
    in_teams.presses(konrad, resolved, "still_broken")
    assert "agent_reopened" in keys(slack_cards.below(slack, card)[-1])
    shown = slack_cards.facts(card)
    assert (shown["Status"], shown["Zuständig"]) == ("in Bearbeitung", "Maren Tiede")
    assert slack.roots(slack.desk) == [card]


def test_works_again_in_teams_closes_in_slack(in_teams: BothWorld) -> None:
    slack, card = in_teams.slack, wants_person(in_teams)
    slack_cards.fill_in(slack, slack.maren, card, "resolve", fix="Kabel getauscht.")
    in_teams.presses(in_teams.konrad, in_teams.answers(in_teams.konrad)[-1], "works")
    assert "agent_confirmed" in keys(slack_cards.below(slack, card)[-1])
    assert (slack_cards.facts(card)["Status"], slack_actions(card)) == ("geschlossen", [])


def test_an_employee_who_blocked_lotse_in_teams_is_told_to_the_agents_in_slack(in_teams: BothWorld) -> None:
    slack, card = in_teams.slack, wants_person(in_teams)
    in_teams.konrad.blocks()
    for text in ("Ich sehe mir das an.", "Sind Sie da?"):
        slack.maren.posts(slack.desk, text, card)
        slack.settle()
    told = [text for text in slack_cards.below(slack, card) if "agent_undeliverable" in keys(text)]
    assert len(told) == 1
    assert "Konrad Voßmann" in told[0]
    before = len(in_teams.fake.calls)
    in_teams.clock.move(hours=1)
    in_teams.settle()
    assert len(in_teams.fake.calls) == before
    in_teams.konrad.unblocks()
    in_teams.asks(in_teams.konrad, "Jetzt geht es wieder.")
    slack.maren.posts(slack.desk, "Schön.", card)
    slack.settle()
    assert last(in_teams, in_teams.konrad) == ("Schön.", "Maren Tiede")


# --- the employee in Slack, agents in Teams ---------------------------------------------------------------------------
def calls_person(world: BothWorld) -> Message:
    """The employee in Slack wants a person; the card in Teams."""
    world.slack.asks(world.slack.konrad, "Ich möchte mit einem Menschen sprechen.")
    return world.card()


def test_a_case_of_slack_comes_to_teams_with_its_story(in_slack: BothWorld) -> None:
    slack = in_slack.slack
    slack.asks(slack.konrad, VPN_QUESTION)
    slack.konrad.dm("Ich möchte mit einem Menschen sprechen.", slack.answers(slack.konrad)[-1])
    slack.settle()
    card = in_slack.card()
    assert VPN_QUESTION in in_slack.words(card)
    assert facts(card)["Von"] == "Konrad Voßmann"
    assert list(links(card))[-1] == "Ticket im Desk"
    (transcript,) = below(in_slack, card)
    assert VPN_QUESTION in transcript
    assert VPN[1] in transcript
    assert "receipt_asked_for_person/sie" in keys(slack_cards.heard(slack, slack.konrad)[-1])
    assert slack.roots(slack.desk) == slack.roots(slack.network) == []


def test_employee_in_slack_and_agent_in_teams_talk(in_slack: BothWorld) -> None:
    slack, card = in_slack.slack, calls_person(in_slack)
    in_slack.maren.writes(ODD, thread=card)
    in_slack.settle()
    post = slack.answers(slack.konrad)[-1]
    assert (words(post), post.username) == (ODD, "Maren Tiede")
    slack.konrad.dm(ODD, post)
    slack.settle()
    assert seen(in_slack.thread(card)[-1]) == Seen(ODD, "Konrad Voßmann")
    assert links(in_slack.thread(card)[-1]) == {}
    assert (owner(slack), events(slack)[-2:]) == ("Maren Tiede", ["replied", "requester_wrote"])


def test_employee_in_a_channel_of_slack_and_agent_in_teams_talk_in_its_thread(in_slack: BothWorld) -> None:
    slack = in_slack.slack
    asked = slack.konrad.posts(slack.help, "Ich möchte mit einem Menschen sprechen.")
    slack.settle()
    card = in_slack.card()
    assert f"/archives/{slack.help.id}/" in links(card)["Gespräch mit der anfragenden Person"]
    in_slack.maren.writes("Welcher Raum?", thread=card)
    in_slack.settle()
    slack.konrad.posts(slack.help, "Raum 213", asked)
    slack.settle()
    assert words(slack.fake.said(slack.help, asked)[-1]) == "Welcher Raum?"
    assert below(in_slack, card)[-1] == "Raum 213"


def test_a_file_of_an_employee_in_slack_is_opened_by_a_link_in_teams(in_slack: BothWorld) -> None:
    slack = in_slack.slack
    slack.konrad.dm("Was bedeutet diese Meldung?", files=[SlackUpload("Meldung.txt", b"E-77")])
    slack.settle()
    slack.konrad.dm("Ich möchte mit einem Menschen sprechen.", slack.answers(slack.konrad)[-1])
    slack.settle()
    card = in_slack.card()
    assert files_in(in_slack, in_slack.thread(card)[0]) == {"Meldung.txt": b"E-77"}
    slack.konrad.dm("", slack.answers(slack.konrad)[-1], [SlackUpload("Bild ä.png", PICTURE, "image/png")])
    slack.settle()
    post = in_slack.thread(card)[-1]
    assert in_slack.words(post).splitlines()[0] == "Konrad Voßmann"
    assert files_in(in_slack, post) == {"Bild ä.png": PICTURE}


def test_an_image_of_an_agent_in_teams_is_a_file_in_slack_and_a_file_is_told_to_be_lost(in_slack: BothWorld) -> None:
    slack, card = in_slack.slack, calls_person(in_slack)
    in_slack.maren.writes("So:", thread=card, images=[Upload("image", PICTURE)], files=[Upload("Anleitung.pdf", b"%")])
    in_slack.settle()
    assert words(slack.answers(slack.konrad)[-2]) == "So:"
    assert posted_files(in_slack, slack.answers(slack.konrad)) == {"image-1.png": PICTURE}
    assert "file_not_kept" in keys(below(in_slack, card)[-1])
    assert "„Anleitung.pdf“" in below(in_slack, card)[-1]
    assert "Am Ticket im Desk" in below(in_slack, card)[-1]


def test_edits_and_deletions_in_slack_change_the_agents_posts_in_teams(in_slack: BothWorld) -> None:
    slack, card = in_slack.slack, calls_person(in_slack)
    before = len(in_slack.thread(card))
    root = slack.answers(slack.konrad)[-1]
    first = slack.konrad.dm("Raum 213", root)
    slack.settle()
    second = slack.konrad.dm("Falscher Chat.", root)
    slack.settle()
    slack.konrad.edits(first, "Raum 312, *nicht* 213")
    slack.settle()
    slack.konrad.deletes(second)
    slack.settle()
    told = below(in_slack, card)[before:]
    assert told[:2] == ["Raum 312, *nicht* 213", "Falscher Chat."]
    assert ["agent_message_deleted" in keys(text) for text in told[2:]] == [True]


def test_edits_and_deletions_in_teams_change_the_employees_posts_in_slack(in_slack: BothWorld) -> None:
    slack, card = in_slack.slack, calls_person(in_slack)
    before = len(slack.answers(slack.konrad))
    first = in_slack.maren.writes("Bitte Raum 213.", thread=card)
    second = in_slack.maren.writes("Das war für jemand anderen.", thread=card)
    in_slack.settle()
    in_slack.maren.edits(first, "Bitte Raum 312, **nicht** 213.")
    in_slack.maren.deletes(second)
    in_slack.settle()
    posts = slack.answers(slack.konrad)[before:]
    assert [words(post) for post in posts] == ["Bitte Raum 312, **nicht** 213.", "(Nachricht gelöscht)"]


def test_no_note_of_teams_reaches_the_employee_in_slack(in_slack: BothWorld) -> None:
    slack, card = in_slack.slack, calls_person(in_slack)
    before = slack_cards.heard(slack, slack.konrad)
    note = in_slack.maren.writes(f"// {SECRET}", thread=card, images=[Upload("image", SECRET.encode())])
    in_slack.settle()
    in_slack.maren.edits(note, f"Doch offen {SECRET}")
    in_slack.settle()
    in_slack.fills_in(in_slack.maren, card, "note", text=SECRET)
    in_slack.presses(in_slack.tomasz, card, "escalate")
    third = slack.card(slack.third)
    slack.henrik.posts(slack.third, SECRET, third)
    slack.settle()
    assert slack_cards.heard(slack, slack.konrad) == before
    assert SECRET not in str(slack.answers(slack.konrad))
    assert posted_files(in_slack, slack.answers(slack.konrad)) == {}
    assert [text for text in slack_cards.below(slack, third) if SECRET in text]
    assert in_slack.words(in_slack.thread(card)[-1]) == f"🔒 Henrik Lindqvist\n{SECRET}"


def test_what_agents_do_in_teams_is_told_in_slack(in_slack: BothWorld) -> None:
    slack, card = in_slack.slack, calls_person(in_slack)
    in_slack.presses(in_slack.maren, card, "claim")
    assert "claimed/sie" in keys(slack_cards.heard(slack, slack.konrad)[-1])
    assert in_slack.fills_in(in_slack.maren, card, "edit", assign=in_slack.tomasz.id) is None
    assert "assigned/sie" in keys(slack_cards.heard(slack, slack.konrad)[-1])
    in_slack.presses(in_slack.tomasz, card, "hand_back")
    assert "handed_back/sie" in keys(slack_cards.heard(slack, slack.konrad)[-1])
    slack.konrad.dm(VPN_QUESTION, slack.answers(slack.konrad)[-1])
    slack.settle()
    assert VPN[1] in slack_cards.heard(slack, slack.konrad)[-1]


def test_still_broken_in_slack_reopens_in_teams(in_slack: BothWorld) -> None:
    slack, card = in_slack.slack, calls_person(in_slack)
    in_slack.fills_in(in_slack.maren, card, "resolve", fix="Kabel getauscht.", cause=SECRET)
    resolved = slack.answers(slack.konrad)[-1]
    assert "Kabel getauscht." in words(resolved)
    assert SECRET not in str(slack.answers(slack.konrad))
    slack.konrad.presses(resolved, "lotse:still_broken:")
    slack.settle()
    assert "agent_reopened" in keys(below(in_slack, card)[-1])
    assert (facts(card)["Status"], facts(card)["Zuständig"]) == ("in Bearbeitung", "Maren Tiede")
    assert in_slack.fake.roots(in_slack.desk) == [card]


def test_works_again_in_slack_closes_in_teams(in_slack: BothWorld) -> None:
    slack, card = in_slack.slack, calls_person(in_slack)
    in_slack.fills_in(in_slack.maren, card, "resolve", fix="Kabel getauscht.")
    slack.konrad.presses(slack.answers(slack.konrad)[-1], "lotse:works:")
    slack.settle()
    assert "agent_confirmed" in keys(below(in_slack, card)[-1])
    assert (facts(card)["Status"], actions(card)) == ("geschlossen", [])


def test_an_employee_out_of_reach_in_slack_is_told_to_the_agents_in_teams(in_slack: BothWorld) -> None:
    slack, card = in_slack.slack, calls_person(in_slack)
    slack.fake.fail_next("chat.postMessage", error="user_disabled")
    in_slack.maren.writes("Ich sehe mir das an.", thread=card)
    in_slack.settle()
    told = [text for text in below(in_slack, card) if "agent_undeliverable" in keys(text)]
    assert len(told) == 1
    assert "Konrad Voßmann" in told[0]
    assert in_slack.counts().settled


# --- the employee on the web page, agents in Teams --------------------------------------------------------------------
def wants_person_on_web(world: BothWorld, web: Browsers) -> Message:
    """The employee on the web page wants a person; the card in Teams."""
    web.employee_writes("Ich möchte mit einem Menschen sprechen.")
    return world.card()


def test_a_case_of_the_web_page_comes_to_teams_with_its_story(in_slack: BothWorld, web: Browsers) -> None:
    web.employee_writes(VPN_QUESTION)
    card = wants_person_on_web(in_slack, web)
    assert VPN_QUESTION in in_slack.words(card)
    assert links(card) == {"Ticket im Desk": f"{PUBLIC_URL}/desk/{in_slack.ticket().number}"}
    (transcript,) = below(in_slack, card)
    assert VPN_QUESTION in transcript
    assert VPN[1] in transcript


def test_employee_on_the_web_and_agent_in_teams_talk(in_slack: BothWorld, web: Browsers) -> None:
    card = wants_person_on_web(in_slack, web)
    in_slack.maren.writes(ODD, thread=card)
    in_slack.settle()
    assert web.employee_sees()[-1] == Seen(ODD, "Maren Tiede")
    web.employee_writes(ODD)
    assert seen(in_slack.thread(card)[-1]) == Seen(ODD, "Konrad Voßmann")
    assert owner(in_slack.slack) == "Maren Tiede"


def test_attachments_go_both_ways_between_web_and_teams(in_slack: BothWorld, web: Browsers) -> None:
    card = wants_person_on_web(in_slack, web)
    web.sends_file("konrad", "/api/chat/messages", "So sieht es aus", "Bild ä.png", PICTURE)
    assert files_in(in_slack, in_slack.thread(card)[-1]) == {"Bild ä.png": PICTURE}
    in_slack.maren.writes("Hier:", thread=card, images=[Upload("image", b"PNG")])
    in_slack.settle()
    assert web.employee_sees()[-1] == Seen("Hier:", "Maren Tiede", files=("image-1.png",))
    assert web.files()["image-1.png"] == b"PNG"


def test_no_note_of_teams_is_on_the_employees_page(in_slack: BothWorld, web: Browsers) -> None:
    card = wants_person_on_web(in_slack, web)
    before = web.thread()
    in_slack.maren.writes(f"🔒 {SECRET}", thread=card, images=[Upload("image", SECRET.encode())])
    in_slack.settle()
    in_slack.fills_in(in_slack.maren, card, "note", text=SECRET)
    assert web.thread() == before
    assert SECRET not in web.browser("konrad")[0].get("/").text
    assert web.story().count(SECRET) >= 2


def test_still_broken_on_the_web_page_reopens_in_teams(in_slack: BothWorld, web: Browsers) -> None:
    card = wants_person_on_web(in_slack, web)
    in_slack.fills_in(in_slack.maren, card, "resolve", fix="Kabel getauscht.", cause=SECRET)
    assert SECRET not in "".join(texts(web.employee_sees()))
    web.employee_presses("still_broken")
    assert "agent_reopened" in keys(below(in_slack, card)[-1])
    assert (facts(card)["Status"], facts(card)["Zuständig"]) == ("in Bearbeitung", "Maren Tiede")


def test_an_agent_in_teams_and_one_on_the_desk_read_each_other(in_slack: BothWorld, web: Browsers) -> None:
    card = wants_person_on_web(in_slack, web)
    number = in_slack.ticket().number
    in_slack.tomasz.writes("Welcher Raum?", thread=card)
    in_slack.settle()
    web.agent_writes(number, "Und welches Stockwerk?")
    web.agent_writes(number, "Ja, das ist der Neue.", note=True)
    assert [one.author for one in web.employee_sees()[-2:]] == ["Tomasz Wilk", "Maren Tiede"]
    assert "Welcher Raum?" in web.story()
    posts = [in_slack.words(post) for post in in_slack.thread(card)[-2:]]
    assert posts == ["Maren Tiede\nUnd welches Stockwerk?", "🔒 Maren Tiede\nJa, das ist der Neue."]
    web.sends_file("maren", f"/api/tickets/{number}/messages", "Anbei", "Anleitung ü.pdf", PICTURE)
    assert files_in(in_slack, in_slack.thread(card)[-1]) == {"Anleitung ü.pdf": PICTURE}


def test_who_claims_on_the_other_side_too_late_is_told_who_won(in_slack: BothWorld, web: Browsers) -> None:
    card = wants_person_on_web(in_slack, web)
    number = in_slack.ticket().number
    stale = deepcopy(card)
    assert web.agent_presses(number, "claim") == (True, "")
    assert facts(card)["Zuständig"] == "Maren Tiede"
    in_slack.presses(in_slack.tomasz, stale, "claim")
    assert in_slack.tomasz.told == [f"Maren Tiede has already claimed {number}."]


# --- agents on both platforms -----------------------------------------------------------------------------------------
def moved(world: BothWorld) -> tuple[SlackMessage, Message]:
    """A ticket whose queue was corrected to that of the other platform: its cards in Slack and in Teams."""
    card = wants_person(world)
    slack_cards.choose(world.slack, world.slack.maren, card, "queue", "network")
    return card, world.card(world.network)


def test_after_a_change_of_queue_both_teams_have_the_case_and_the_way_to_each_other(in_teams: BothWorld) -> None:
    in_teams.asks(in_teams.konrad, VPN_QUESTION)
    in_slack, there = moved(in_teams)
    slack = in_teams.slack
    (transcript,) = below(in_teams, there)
    assert VPN_QUESTION in transcript
    assert links(there)["Thread der Bearbeitenden"] == slack.handoff_places()[0].route["permalink"]
    assert f"/{there.id}?" in slack_cards.links(in_slack)["Thread der Bearbeitenden"]
    assert facts(there)["Warteschlange"] == slack_cards.facts(in_slack)["Warteschlange"]
    in_teams.fills_in(in_teams.maren, there, "edit", queue="service-desk")
    assert slack.roots(slack.desk) == [in_slack]
    assert in_teams.fake.roots(in_teams.network) == [there]


def test_agents_in_slack_and_in_teams_read_each_other(in_teams: BothWorld) -> None:
    slack, konrad = in_teams.slack, in_teams.konrad
    in_slack, there = moved(in_teams)
    slack.tomasz.posts(slack.desk, "Welcher Raum?", in_slack, [SlackUpload("Plan.txt", b"213")])
    slack.settle()
    in_teams.maren.writes("Und welches Stockwerk?", thread=there)
    in_teams.maren.writes("// Das ist der Neue.", thread=there)
    in_teams.settle()
    slack.tomasz.posts(slack.desk, "🔒 Ach so.", in_slack)
    slack.settle()
    in_teams.asks(konrad, "Raum 213, 2. Stock")
    assert [in_teams.words(post).splitlines()[:2] for post in in_teams.thread(there)[-3:]] == [
        ["Tomasz Wilk", "Welcher Raum?"],
        ["🔒 Tomasz Wilk", "Ach so."],
        ["Konrad Voßmann", "Raum 213, 2. Stock"],
    ]
    assert files_in(in_teams, in_teams.thread(there)[-3]) == {"Plan.txt": b"213"}
    assert slack_cards.below(slack, in_slack)[-3:] == [
        "Und welches Stockwerk?",
        "**🔒 **Das ist der Neue.",
        "Raum 213, 2. Stock",
    ]
    assert [one.username for one in slack.thread(in_slack)[-3:]] == ["Maren Tiede", "Maren Tiede", "Konrad Voßmann"]
    assert heard(in_teams, konrad)[-2:] == ["Welcher Raum?", "Und welches Stockwerk?"]


def test_an_edited_reply_changes_everywhere_and_a_note_stays_one(in_teams: BothWorld) -> None:
    slack, konrad = in_teams.slack, in_teams.konrad
    in_slack, there = moved(in_teams)
    reply = in_teams.maren.writes("Bitte Raum 213.", thread=there)
    note = in_teams.maren.writes(f"// {SECRET}", thread=there)
    in_teams.settle()
    in_teams.maren.edits(reply, "Bitte Raum 312.")
    in_teams.maren.edits(note, f"offen {SECRET}")
    in_teams.settle()
    assert slack_cards.below(slack, in_slack)[-2:] == ["Bitte Raum 312.", f"**🔒 **offen {SECRET}"]
    assert heard(in_teams, konrad)[-1] == "Bitte Raum 312."
    in_teams.maren.deletes(reply)
    in_teams.maren.deletes(note)
    in_teams.settle()
    assert [text for text in slack_cards.below(slack, in_slack)[-2:] if "312" in text or SECRET in text] == []
    assert heard(in_teams, konrad)[-1] == "(Nachricht gelöscht)"
    assert SECRET not in sent_to(in_teams, konrad)


def test_of_two_who_claim_on_different_platforms_one_wins_and_the_other_is_told(in_teams: BothWorld) -> None:
    slack = in_teams.slack
    in_slack, there = moved(in_teams)
    number = in_teams.ticket().number
    stale = deepcopy(there)
    assert slack_cards.press(slack, slack.maren, in_slack, "claim") == []
    in_teams.presses(in_teams.tomasz, stale, "claim")
    assert in_teams.tomasz.told == [f"Maren Tiede has already claimed {number}."]
    assert facts(there)["Zuständig"] == slack_cards.facts(in_slack)["Zuständig"] == "Maren Tiede"
    assert events(in_teams).count("claimed") == 1


def test_two_who_claim_at_once_on_different_platforms(in_teams: BothWorld) -> None:
    slack = in_teams.slack
    in_slack, there = moved(in_teams)
    number = in_teams.ticket().number
    at_once([
        lambda: slack.maren.presses(in_slack, "lotse:claim:"),
        lambda: in_teams.tomasz.presses(there, "claim"),
    ])  # fmt: skip
    in_teams.settle()
    told_in_slack = [words(one) for one in slack.fake.ephemerals(slack.maren)]
    assert events(in_teams).count("claimed") == 1
    if owner(slack) == "Maren Tiede":
        assert (told_in_slack, in_teams.tomasz.told) == ([], [f"Maren Tiede has already claimed {number}."])
    else:
        assert owner(slack) == "Tomasz Wilk"
        assert len(told_in_slack) == 1
        assert "Tomasz Wilk" in told_in_slack[0]
        assert in_teams.tomasz.told == []
    assert facts(there)["Zuständig"] == slack_cards.facts(in_slack)["Zuständig"] == owner(slack)
    assert "claim" not in actions(there)
    assert "claim" not in slack_actions(in_slack)


def test_resolved_in_teams_and_reopened_in_slack(in_teams: BothWorld) -> None:
    slack = in_teams.slack
    in_slack, there = moved(in_teams)
    in_teams.fills_in(in_teams.maren, there, "resolve", fix="Kabel getauscht.", cause=SECRET)
    assert slack_actions(in_slack) == ["reopen"]
    assert slack_cards.press(slack, slack.tomasz, in_slack, "reopen") == []
    assert facts(there)["Status"] == slack_cards.facts(in_slack)["Status"] == "in Bearbeitung"
    assert "reopened_by" in keys(heard(in_teams, in_teams.konrad)[-1])
    assert SECRET not in sent_to(in_teams, in_teams.konrad)


def test_when_lotse_is_taken_out_of_the_agents_team_those_in_slack_are_told(in_teams: BothWorld) -> None:
    slack = in_teams.slack
    in_slack, there = moved(in_teams)
    in_teams.maren.uninstalls(in_teams.it)
    in_teams.asks(in_teams.konrad, "Noch etwas dazu.")
    in_teams.asks(in_teams.konrad, "Wirklich.")
    told = [text for text in slack_cards.below(slack, in_slack) if "agent_channel_unreachable" in keys(text)]
    assert len(told) == 1
    assert slack_cards.below(slack, in_slack)[-1] == "Wirklich."
    before = len(in_teams.fake.calls)
    in_teams.clock.move(hours=1)
    in_teams.settle()
    assert len(in_teams.fake.calls) == before
    in_teams.maren.installs(in_teams.it)
    slack_cards.press(slack, slack.maren, in_slack, "claim")
    assert facts(there)["Zuständig"] == "Maren Tiede"
