"""Employee on one platform, agents on another, and agents on both: nobody notices."""

from collections.abc import Iterator

import pytest
from browsers import Browsers
from fake_slack import Message, Upload
from harness import Seen, texts
from sentences import keys
from slack_cards import below, choose, events, facts, fill_in, heard, links, owner, press
from slack_world import MakeSlackWorld, SlackWorld, actions, words
from together import at_once
from world import VPN, VPN_QUESTION

SECRET = "nur-intern-4711"
PICTURE = bytes(range(256)) * 40


@pytest.fixture
def slack(make_slack_world: MakeSlackWorld) -> SlackWorld:
    """A Lotse in Slack; which way its events come makes no difference here."""
    return make_slack_world("http")


@pytest.fixture
def web(slack: SlackWorld) -> Iterator[Browsers]:
    browsers = Browsers(slack)
    yield browsers
    browsers.close()


def posted_files(world: SlackWorld, posts: list[Message]) -> dict[str, bytes | None]:
    stored = [world.fake.files[one] for post in posts for one in post.files]
    return {file.name: file.content for file in stored}


# --- the employee on the web page, agents in Slack --------------------------------------------------------------------
def wants_person(slack: SlackWorld, web: Browsers) -> Message:
    """The employee on the web page wants a person; the card in Slack."""
    web.employee_writes("Ich möchte mit einem Menschen sprechen.")
    return slack.card()


def test_a_case_of_the_web_page_comes_to_slack_with_its_story(slack: SlackWorld, web: Browsers) -> None:
    web.employee_writes(VPN_QUESTION)
    card = wants_person(slack, web)
    assert VPN_QUESTION in words(card)
    assert facts(card)["Von"] == "Konrad Voßmann"
    assert list(links(card)) == ["Ticket im Desk"]
    (transcript,) = below(slack, card)
    assert VPN_QUESTION in transcript
    assert VPN[1] in transcript
    assert "receipt_asked_for_person/sie" in keys(web.employee_sees()[-1].text)


def test_employee_on_the_web_and_agent_in_slack_talk(slack: SlackWorld, web: Browsers) -> None:
    card = wants_person(slack, web)
    slack.maren.posts(slack.desk, "Welcher <Raum> & welches *Stockwerk*?", card)
    slack.settle()
    assert web.employee_sees()[-1] == Seen("Welcher <Raum> & welches *Stockwerk*?", "Maren Tiede")
    web.employee_writes("Raum <213> & 2. Stock @channel")
    assert below(slack, card)[-1] == "Raum <213> & 2. Stock @channel"
    assert slack.thread(card)[-1].username == "Konrad Voßmann"
    assert (owner(slack), events(slack)[-2:]) == ("Maren Tiede", ["replied", "requester_wrote"])


def test_no_note_of_slack_is_on_the_employees_page(slack: SlackWorld, web: Browsers) -> None:
    card = wants_person(slack, web)
    before = web.thread()
    slack.maren.posts(slack.desk, f"// {SECRET}", card, [Upload(f"{SECRET}.txt", SECRET.encode())])
    fill_in(slack, slack.maren, card, "note", text=SECRET)
    press(slack, slack.maren, card, "escalate")
    slack.henrik.posts(slack.third, SECRET, slack.card(slack.third))
    slack.settle()
    assert web.thread() == before
    assert SECRET not in web.browser("konrad")[0].get("/").text
    assert web.story().count(SECRET) >= 3


def test_attachments_go_both_ways_between_web_and_slack(slack: SlackWorld, web: Browsers) -> None:
    card = wants_person(slack, web)
    web.sends_file("konrad", "/api/chat/messages", "So sieht es aus", "Bild ä.png", PICTURE)
    assert posted_files(slack, slack.thread(card)) == {"Bild ä.png": PICTURE}
    slack.maren.posts(slack.desk, "Die Anleitung:", card, [Upload("Anleitung.txt", b"Schritt 1")])
    slack.settle()
    assert web.employee_sees()[-1] == Seen("Die Anleitung:", "Maren Tiede", files=("Anleitung.txt",))
    assert web.files()["Anleitung.txt"] == b"Schritt 1"


def test_what_agents_do_in_slack_is_told_on_the_web_page(slack: SlackWorld, web: Browsers) -> None:
    card = wants_person(slack, web)
    press(slack, slack.maren, card, "claim")
    assert "claimed/sie" in keys(web.employee_sees()[-1].text)
    choose(slack, slack.maren, card, "assign", slack.tomasz.id)
    assert "assigned/sie" in keys(web.employee_sees()[-1].text)
    press(slack, slack.tomasz, card, "hand_back")
    assert "handed_back/sie" in keys(web.employee_sees()[-1].text)
    web.employee_writes(VPN_QUESTION)
    assert VPN[1] in web.employee_sees()[-1].text


def test_still_broken_on_the_web_page_reopens_in_slack(slack: SlackWorld, web: Browsers) -> None:
    card = wants_person(slack, web)
    fill_in(slack, slack.maren, card, "resolve", fix="Kabel getauscht.", cause=SECRET)
    resolved = web.employee_sees()[-1]
    assert "Kabel getauscht." in resolved.text
    assert SECRET not in "".join(texts(web.employee_sees()))
    assert facts(card)["Status"] == "gelöst"
    web.employee_presses("still_broken")
    assert "agent_reopened" in keys(below(slack, card)[-1])
    assert (facts(card)["Status"], facts(card)["Zuständig"]) == ("in Bearbeitung", "Maren Tiede")
    assert slack.roots(slack.desk) == [card]


def test_works_again_on_the_web_page_closes_in_slack(slack: SlackWorld, web: Browsers) -> None:
    card = wants_person(slack, web)
    fill_in(slack, slack.maren, card, "resolve", fix="Kabel getauscht.")
    web.employee_presses("works")
    assert "agent_confirmed" in keys(below(slack, card)[-1])
    assert (facts(card)["Status"], actions(card)) == ("geschlossen", [])


# --- the employee in Slack, agents on the web desk --------------------------------------------------------------------
def test_employee_in_slack_and_agent_on_the_desk_talk(slack: SlackWorld, web: Browsers) -> None:
    card, number = slack.wants_person(), slack.ticket().number
    web.agent_writes(number, "Welcher <Raum> & welches *Stockwerk*?")
    post = slack.answers(slack.konrad)[-1]
    assert (words(post), post.username) == ("Welcher <Raum> & welches *Stockwerk*?", "Maren Tiede")
    slack.asks(slack.konrad, "Raum 213 im Altbau")
    assert "Raum 213 im Altbau" in web.story()
    assert below(slack, card)[-2:] == ["Welcher <Raum> & welches *Stockwerk*?", "Raum 213 im Altbau"]
    assert facts(card)["Zuständig"] == "Maren Tiede"


def test_no_note_of_the_desk_reaches_the_employee_in_slack(slack: SlackWorld, web: Browsers) -> None:
    card, number = slack.wants_person(), slack.ticket().number
    before = heard(slack, slack.konrad)
    web.agent_writes(number, SECRET, note=True)
    path = f"/api/tickets/{number}/messages"
    web.sends_file("maren", path, SECRET, f"{SECRET}.txt", SECRET.encode(), note="true")
    assert heard(slack, slack.konrad) == before
    assert f"**🔒 **{SECRET}" in below(slack, card)
    assert posted_files(slack, slack.answers(slack.konrad)) == {}
    assert posted_files(slack, slack.thread(card)) == {f"{SECRET}.txt": SECRET.encode()}


def test_attachments_go_both_ways_between_slack_and_desk(slack: SlackWorld, web: Browsers) -> None:
    card, number = slack.wants_person(), slack.ticket().number
    web.sends_file("maren", f"/api/tickets/{number}/messages", "Anbei", "Anleitung ü.pdf", PICTURE)
    assert posted_files(slack, slack.answers(slack.konrad)) == {"Anleitung ü.pdf": PICTURE}
    slack.konrad.dm("So sieht es aus", files=[Upload("Bild.png", PICTURE, "image/png")])
    slack.settle()
    assert "Bild.png" in web.story()
    assert posted_files(slack, slack.thread(card)) == {"Anleitung ü.pdf": PICTURE, "Bild.png": PICTURE}


def test_what_agents_do_on_the_desk_is_seen_on_the_card_and_told_in_slack(slack: SlackWorld, web: Browsers) -> None:
    card, number = slack.wants_person(), slack.ticket().number
    assert web.agent_presses(number, "claim") == (True, "")
    assert "claimed/sie" in keys(heard(slack, slack.konrad)[-1])
    assert facts(card)["Zuständig"] == "Maren Tiede"
    web.agent_presses(number, "correct", impact="1", urgency="1")
    assert facts(card)["Priorität"] == "P1"
    web.agent_presses(number, "escalate", agent="tomasz")
    assert "agent_escalated" in keys(below(slack, card)[-1])
    assert number in words(slack.card(slack.third))
    web.agent_presses(number, "resolve", cause=SECRET, fix="Kabel getauscht.")
    assert actions(slack.answers(slack.konrad)[-1]) == ["works", "still_broken"]
    assert SECRET not in "".join(heard(slack, slack.konrad))
    assert actions(card) == ["reopen"]


def test_still_broken_in_slack_reopens_on_the_desk(slack: SlackWorld, web: Browsers) -> None:
    slack.wants_person()
    number = slack.ticket().number
    web.agent_presses(number, "resolve", fix="Kabel getauscht.")
    slack.konrad.presses(slack.answers(slack.konrad)[-1], "lotse:still_broken:")
    slack.settle()
    assert "Es geht immer noch nicht" in web.story()
    assert slack.ticket().is_open
    assert slack.tickets() == 1


# --- agents on both sides ---------------------------------------------------------------------------------------------
def test_an_agent_in_slack_and_one_on_the_desk_read_each_other(slack: SlackWorld, web: Browsers) -> None:
    card, number = slack.wants_person(), slack.ticket().number
    slack.tomasz.posts(slack.desk, "Welcher Raum?", card)
    slack.tomasz.posts(slack.desk, "// Maren, kennst du ihn?", card)
    slack.settle()
    web.agent_writes(number, "Und welches Stockwerk?")
    web.agent_writes(number, "Ja, das ist der Neue.", note=True)
    assert heard(slack, slack.konrad)[-2:] == ["Welcher Raum?", "Und welches Stockwerk?"]
    assert [post.username for post in slack.answers(slack.konrad)[-2:]] == ["Tomasz Wilk", "Maren Tiede"]
    assert "Maren, kennst du ihn?" in web.story()
    assert below(slack, card)[-2:] == ["Und welches Stockwerk?", "**🔒 **Ja, das ist der Neue."]
    assert owner(slack) == "Tomasz Wilk"


def test_who_claims_on_the_other_side_too_late_is_told_who_won(slack: SlackWorld, web: Browsers) -> None:
    card, number = slack.wants_person(), slack.ticket().number
    slack.tomasz.presses(card, "lotse:claim:")
    done, answer = web.agent_presses(number, "claim")
    assert not done
    assert "Tomasz Wilk" in answer
    web.agent_presses(number, "assign", person="maren")
    assert facts(card)["Zuständig"] == "Maren Tiede"


def test_two_who_claim_at_once_on_both_sides(slack: SlackWorld, web: Browsers) -> None:
    card, number = slack.wants_person(), slack.ticket().number
    web.browser("maren")
    path, body = f"/api/tickets/{number}/actions", {"action": "claim"}
    _, on_web = at_once([
        lambda: slack.tomasz.presses(card, "lotse:claim:"),
        lambda: web.send("maren", path, body),
    ])  # fmt: skip
    slack.settle()
    in_slack = [words(one) for one in slack.fake.ephemerals(slack.tomasz)]
    assert events(slack).count("claimed") == 1
    if on_web["ok"]:
        assert owner(slack) == "Maren Tiede"
        assert in_slack == [f"Maren Tiede has already claimed {number}."]
    else:
        assert owner(slack) == "Tomasz Wilk"
        assert "Tomasz Wilk" in on_web["text"]
        assert in_slack == []
