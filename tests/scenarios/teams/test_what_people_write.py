"""What people write in Teams: formatting, files, changes, deletions, and nothing harmful in any of it."""

from collections.abc import Callable
from typing import Any

import pytest
from chat_records import came_in, events, files, outcomes
from fake_teams import Actor, Message, Upload
from sentences import keys
from teams_cards import heard, links, read, told
from teams_world import TeamsWorld
from world import VPN, VPN_QUESTION

from bot.channels.port import Address, File, Incoming, Sender
from bot.texts import Texts
from handoff.models import Kind
from handoff.transcript import Entry, entries

WISH = "Ich möchte mit einem Menschen sprechen."
PNG = Upload("bild.png", b"\x89PNG", "image/png")
DE = Texts("de", "sie")
NEVER = "<at>Alle</at> [Link](https://evil.example) **fett** &amp; <b>_x_</b> {{DATE(2026-01-01)}}"
SKYPE = "http://schema.skype.com/"


def story(world: TeamsWorld) -> list[Entry]:
    """The transcript of the ticket opened last."""
    with world.app.house.sessions() as session:
        return entries(session, session.merge(world.ticket()).conversation)


def writes(world: TeamsWorld, person: Actor, html: str, thread: Message | None = None) -> str:
    """A person writes something formatted; how it stands in the record."""
    message = person.writes("formatted", thread=thread, deliver=False)
    message.attachments = [{"contentType": "text/html", "content": html}]
    assert world.fake.deliver(person._as_brought(message)).ok
    world.settle()
    return came_in(world)[-1].text


# --- formatting -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Zeile eins</p>\n<p>Zeile zwei</p>\n<p>&nbsp;</p>\n<p>drei</p>", "Zeile eins\nZeile zwei\n\ndrei"),
        ("<div><div>a</div><div><br></div><div>b<br>c</div></div>", "a\n\nb\nc"),
        ("<p>Der&nbsp;&nbsp;Drucker <strong>streikt</strong> <em>sehr</em></p>", "Der  Drucker streikt sehr"),
        ("<p>Erst:</p><ul><li>eins</li><li>zwei<ul><li>tief</li></ul></li></ul>", "Erst:\n- eins\n- zwei\n  - tief"),
        ('<ol start="3"><li>Neustart</li><li>Warten</li></ol>', "3. Neustart\n4. Warten"),
        ("<p>Es sagt <code>0x80070005</code></p>", "Es sagt `0x80070005`"),
        ("<codeblock><code>if a:<br>&nbsp; b()</code></codeblock>", "```\nif a:\n  b()\n```"),
        ("<pre>a\n  b</pre>", "```\na\n  b\n```"),
        (
            "<table><tbody><tr><td>Raum</td><td>Port</td></tr><tr><td><p>213</p></td><td>7</td></tr></tbody></table>",
            "Raum | Port |\n213 | 7 |",
        ),
        ("<blockquote><p>Bitte neu starten</p></blockquote><p>Hilft nicht</p>", "> Bitte neu starten\nHilft nicht"),
        (
            f'<blockquote itemscope="" itemtype="{SKYPE}Reply" itemid="17954244"><strong itemprop="mri">Lotse</strong>'
            '<span itemprop="time"></span><p itemprop="preview">Haben Sie neu gestartet?</p></blockquote><p>Ja</p>',
            "> Lotse\n> Haben Sie neu gestartet?\nJa",
        ),
        (
            '<p><a href="https://intranet.example/vpn">Anleitung</a>, <a href="https://x.example/">x.example</a></p>',
            "Anleitung (https://intranet.example/vpn), x.example",
        ),
        ('<p><a href="mailto:it@acme.example">it@acme.example</a></p>', "it@acme.example"),
        ('<p>Super <emoji id="smile" alt="🙂" title="Lächeln"></emoji></p>', "Super 🙂"),
        (f'<p>Super <img itemtype="{SKYPE}Emoji" itemid="x" alt="🎉"></p>', "Super 🎉"),
        ('<p>5 &lt; 7 &amp; &quot;ja&quot;</p><attachment id="1"></attachment>', '5 < 7 & "ja"'),
        ("<h1>Titel</h1><hr><p>Text</p><script>alert(1)</script>", "Titel\nText"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_formatting_is_kept_as_words(teams: TeamsWorld, html: str, text: str) -> None:
    assert writes(teams, teams.konrad, html) == text


def test_agents_and_employees_read_formatted_words_as_they_were_written(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    html = "<p>So geht es:</p><ol><li>Neu starten</li><li><code>gpupdate</code></li></ol><p>Danke &amp; Gruß</p>"
    text = "So geht es:\n1. Neu starten\n2. gpupdate\nDanke & Gruß"
    writes(teams, teams.maren, html, card)
    assert told(teams.answers(teams.konrad))[-1] == ("Maren Tiede", text)
    writes(teams, teams.konrad, html)
    assert told(teams.thread(card))[-1] == ("Konrad Voßmann", text)


def test_a_message_of_several_lines_stays_one_of_several_lines(teams: TeamsWorld) -> None:
    teams.konrad.writes("Guten Tag,\n\nmein Telefon klingelt.\nSeit heute.")
    teams.settle()
    assert came_in(teams)[0].text == "Guten Tag,\n\nmein Telefon klingelt.\nSeit heute."


def test_without_a_formatted_copy_the_plain_text_counts(teams: TeamsWorld) -> None:
    message = teams.konrad.writes(
        f"{teams.fake.at()}\u00a0Zeile 1\r\nZeile 2 {teams.owen.at}", teams.general, deliver=False
    )
    message.attachments = []
    teams.fake.deliver(teams.konrad._as_brought(message))
    teams.settle()
    assert came_in(teams)[0].text == "Zeile 1\nZeile 2 @Owen Tallis"


def test_what_answers_a_quoted_message_is_understood(teams: TeamsWorld) -> None:
    teams.asks(teams.konrad, VPN_QUESTION)
    quote = f'<blockquote itemtype="{SKYPE}Reply"><strong>Lotse</strong><p>VPN einrichten</p></blockquote>'
    teams.understander.teach("> Lotse\n> VPN einrichten\nDas hat nicht geholfen", "not_helpful")
    writes(teams, teams.konrad, f"{quote}<p>Das hat nicht geholfen</p>")
    assert outcomes(teams) == ["answered", "asked_fact"]


def test_a_word_of_our_name_in_a_longer_name_is_no_mention(teams: TeamsWorld) -> None:
    lotse = teams.fake.user("Lotse Müller")
    teams.fake.state.teams[teams.company.id].members.append(lotse.id)
    teams.konrad.writes(f"{lotse.at} weißt du das?", teams.general)
    teams.settle()
    assert came_in(teams) == []


# --- files ------------------------------------------------------------------------------------------------------------
def test_a_file_of_the_chat_is_kept_and_reaches_the_agents(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    teams.konrad.writes("So sieht es aus:", files=[PNG])
    teams.settle()
    assert files(teams) == [("bild.png", b"\x89PNG", None)]
    post = teams.thread(card)[-1]
    assert told([post]) == [("Konrad Voßmann", "So sieht es aus:")]
    assert list(links(post)) == ["📎 bild.png"]
    assert links(post)["📎 bild.png"].startswith("https://lotse.example/files/")
    (entry,) = [entry for entry in story(teams) if entry.files]
    assert [(file.name, file.size) for file in entry.files] == [("bild.png", 4)]


def test_a_file_without_words_reaches_the_agents(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    teams.maren.writes("Schicken Sie bitte ein Bild.", thread=card)
    teams.settle()
    teams.konrad.writes(files=[PNG])
    teams.settle()
    assert list(links(teams.thread(card)[-1])) == ["📎 bild.png"]


def test_a_file_that_came_with_the_first_question_goes_with_the_ticket(teams: TeamsWorld) -> None:
    teams.konrad.writes(WISH, files=[PNG])
    teams.settle()
    transcript = teams.thread(teams.card())[0]
    assert "bild.png" in teams.words(transcript)
    assert list(links(transcript)) == ["📎 bild.png"]


@pytest.mark.parametrize("where", ["chat", "group", "channel"])
def test_an_inline_image_is_kept_wherever_it_was_pasted(teams: TeamsWorld, where: str) -> None:
    group = teams.fake.group(teams.konrad, teams.owen)
    to = {"chat": None, "group": group, "channel": teams.general}[where]
    teams.konrad.writes(WISH, to, mention=to is not None, images=[Upload("x", b"\x89PNG", "image/png")])
    teams.settle()
    assert files(teams) == [("image-1.png", b"\x89PNG", None)]
    assert came_in(teams)[0].text == WISH, "without the word image"
    (download,) = [call for call in teams.fake.calls if call.path.endswith("/views/original")]
    assert download.status == 200


@pytest.mark.parametrize("where", ["group", "channel"])
def test_a_file_in_a_shared_place_is_not_given_to_bots_and_its_author_is_told(teams: TeamsWorld, where: str) -> None:
    to = teams.fake.group(teams.konrad, teams.owen) if where == "group" else teams.general
    question = teams.konrad.writes(VPN_QUESTION, to, mention=True, files=[PNG])
    teams.settle()
    answer, notice = teams.fake.said(to, question if where == "channel" else None)
    assert VPN[1] in read(answer)
    assert "file_not_kept" in keys(read(notice))
    assert DE("file_in_channel") in read(notice)
    assert files(teams) == [("bild.png", None, "in_channel")]


def test_a_file_that_an_agent_posts_in_the_thread_is_told_to_agents_only(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    teams.maren.writes("Anleitung anbei.", thread=card, files=[Upload("anleitung.pdf", b"%PDF", "application/pdf")])
    teams.settle()
    assert told(teams.answers(teams.konrad))[-1] == ("Maren Tiede", "Anleitung anbei.")
    assert "anleitung.pdf" not in str(teams.answers(teams.konrad))
    assert "file_not_kept" in keys(read(teams.thread(card)[-1]))
    assert "anleitung.pdf" in read(teams.thread(card)[-1])


def test_an_image_that_an_agent_pastes_reaches_the_employee(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    teams.maren.writes("Hier klicken:", thread=card, images=[Upload("x", b"\x89PNG", "image/png")])
    teams.settle()
    post = teams.answers(teams.konrad)[-1]
    assert told([post]) == [("Maren Tiede", "Hier klicken:")]
    assert list(links(post)) == ["📎 image-1.png"]


def test_an_agents_file_from_the_web_desk_reaches_the_employee(teams: TeamsWorld) -> None:
    teams.wants_person()
    desk, file = Address("web", "desk", teams.ticket().number), File("anleitung.pdf", "application/pdf", b"%PDF")
    maren = Sender("web", "maren", "Maren Tiede", "de", "du")
    teams.app.engine.receive(Incoming(desk, maren, "Anleitung anbei.", "desk-1", teams.clock(), (file,)))
    teams.settle()
    assert list(links(teams.answers(teams.konrad)[-1])) == ["📎 anleitung.pdf"]


@pytest.mark.parametrize(
    ("upload", "why"),
    [
        (Upload("film.mp4", b"0" * (10 * 1024 * 1024 + 1), "video/mp4"), "too_large"),
        (Upload("setup.exe", b"MZ", "application/x-msdownload"), "not_allowed"),
    ],
    ids=["too-large", "program"],
)
def test_a_file_that_cannot_be_kept_is_told(teams: TeamsWorld, upload: Upload, why: str) -> None:
    teams.konrad.writes(VPN_QUESTION, files=[upload])
    teams.settle()
    answer, notice = heard(teams, teams.konrad)
    assert VPN[1] in answer
    assert "file_not_kept" in keys(notice)
    assert DE(f"file_{why}", limit=10) in notice
    assert [(content, refused) for _, content, refused in files(teams)] == [(None, why)]


def gone(world: TeamsWorld) -> None:
    for file in world.fake.files.values():
        file.gone = True


def failing(world: TeamsWorld) -> None:
    world.fake.faults.next(503, n=100, path="/sharepoint/*")


@pytest.mark.parametrize("trouble", [gone, failing], ids=lambda one: one.__name__)
def test_a_file_that_teams_does_not_give_is_told_and_the_question_answered(
    teams: TeamsWorld, trouble: Callable[[TeamsWorld], None]
) -> None:
    teams.konrad.writes(VPN_QUESTION, files=[PNG])
    trouble(teams)
    teams.settle()
    answer, notice = heard(teams, teams.konrad)
    assert VPN[1] in answer
    assert DE("file_not_loaded") in notice
    assert files(teams) == [("bild.png", None, "not_loaded")]


def test_a_file_that_comes_on_the_second_try_is_kept(teams: TeamsWorld) -> None:
    teams.konrad.writes(VPN_QUESTION, files=[PNG])
    teams.fake.faults.next(503, path="/sharepoint/*")
    teams.settle()
    assert files(teams) == [("bild.png", b"\x89PNG", None)]
    assert len(teams.answers(teams.konrad)) == 1


def test_a_file_whose_address_is_none_of_teams_is_not_fetched(teams: TeamsWorld) -> None:
    message = teams.konrad.writes(VPN_QUESTION, files=[PNG], deliver=False)
    told_by = teams.konrad._as_brought(message)
    told_by["attachments"][0]["content"]["downloadUrl"] = "http://169.254.169.254/latest/meta-data"
    teams.fake.deliver(told_by)
    teams.settle()
    assert files(teams) == [("bild.png", None, "not_loaded")]


# --- edits ------------------------------------------------------------------------------------------------------------
def with_a_person(world: TeamsWorld) -> tuple[Message, Message]:
    """Konrad and Maren talk: the card, and what Konrad wrote last."""
    card = world.wants_person()
    world.maren.writes("Welcher Raum?", thread=card)
    world.settle()
    return card, world.asks(world.konrad, "Raum 312")


def test_before_an_answer_the_newest_wording_is_answered(teams: TeamsWorld) -> None:
    question = teams.konrad.writes("Der Drucker geht nicht")
    teams.konrad.edits(question, VPN_QUESTION)
    teams.settle()
    assert [VPN[1] in text for text in heard(teams, teams.konrad)] == [True]
    assert outcomes(teams) == ["answered", "recorded"]


def test_an_edit_that_overtakes_its_message_is_answered_once_in_the_new_wording(teams: TeamsWorld) -> None:
    question = teams.konrad.writes("Der Drucker geht nicht", deliver=False)
    late = teams.konrad._as_brought(question)
    teams.konrad.edits(question, VPN_QUESTION)
    teams.fake.deliver(late)
    teams.settle()
    assert [VPN[1] in text for text in heard(teams, teams.konrad)] == [True]


def test_after_an_answer_an_edit_is_recorded_and_not_answered_again(teams: TeamsWorld) -> None:
    question = teams.asks(teams.konrad, VPN_QUESTION)
    for text in ("bitte", "bitte bald"):
        teams.clock.move(seconds=30)
        teams.konrad.edits(question, f"{VPN_QUESTION}, {text}")
    teams.settle()
    assert len(teams.answers(teams.konrad)) == 1
    assert [(one.kind, one.case) for one in came_in(teams)] == [("text", 1), ("edit", 1), ("edit", 1)]


def test_an_edit_of_the_employee_changes_what_agents_see(teams: TeamsWorld) -> None:
    card, message = with_a_person(teams)
    before = len(teams.thread(card))
    teams.konrad.edits(message, "Raum 213")
    teams.settle()
    assert told(teams.thread(card))[-1] == ("Konrad Voßmann", "Raum 213")
    assert len(teams.thread(card)) == before
    assert [(entry.kind, entry.text) for entry in story(teams)][-1] == (Kind.EDIT, "Raum 213")
    assert "Raum 312" in [entry.text for entry in story(teams)]


def test_an_edit_of_an_agent_changes_what_the_employee_sees(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    reply = teams.maren.writes("Neustarten um 14 Uhr", thread=card)
    teams.settle()
    post = teams.answers(teams.konrad)[-1]
    teams.maren.edits(reply, "Neustarten um 15 Uhr")
    teams.settle()
    assert told([post]) == [("Maren Tiede", "Neustarten um 15 Uhr")]
    assert len(teams.answers(teams.konrad)) == 2


# --- deletions, and what was restored ---------------------------------------------------------------------------------
def test_what_is_deleted_before_an_answer_is_not_answered(teams: TeamsWorld) -> None:
    question = teams.konrad.writes(VPN_QUESTION)
    teams.konrad.deletes(question)
    teams.settle()
    assert teams.answers(teams.konrad) == []
    assert outcomes(teams) == ["withdrawn", "recorded"]


def test_what_is_restored_before_an_answer_is_answered(teams: TeamsWorld) -> None:
    question = teams.konrad.writes(VPN_QUESTION)
    teams.konrad.deletes(question)
    teams.konrad.restores(question)
    teams.settle()
    assert [VPN[1] in text for text in heard(teams, teams.konrad)] == [True]


def test_what_was_deleted_unanswered_and_is_restored_later_is_answered(teams: TeamsWorld) -> None:
    question = teams.konrad.writes(VPN_QUESTION)
    teams.konrad.deletes(question)
    teams.settle()
    teams.clock.move(minutes=1)
    teams.konrad.restores(question)
    teams.settle()
    assert [VPN[1] in text for text in heard(teams, teams.konrad)] == [True]


def test_what_was_answered_is_not_answered_again_when_it_is_restored(teams: TeamsWorld) -> None:
    question = teams.asks(teams.konrad, VPN_QUESTION)
    teams.konrad.deletes(question)
    teams.settle()
    teams.clock.move(minutes=1)
    teams.konrad.restores(question)
    teams.settle()
    assert len(teams.answers(teams.konrad)) == 1
    assert [one.kind for one in came_in(teams)] == ["text", "deletion", "edit"]


def test_a_deletion_of_the_employee_is_told_to_the_agents_and_so_is_what_they_restore(teams: TeamsWorld) -> None:
    card, message = with_a_person(teams)
    teams.konrad.deletes(message)
    teams.settle()
    assert "agent_message_deleted" in keys(read(teams.thread(card)[-1]))
    assert Kind.DELETION in [entry.kind for entry in story(teams)]
    teams.clock.move(minutes=1)
    teams.konrad.restores(message)
    teams.settle()
    assert ("Konrad Voßmann", "Raum 312") in told(teams.thread(card))


def test_a_deletion_of_an_agent_takes_the_words_away_and_restoring_brings_them_back(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    reply = teams.maren.writes("Ihr Kennwort ist hunter2", thread=card)
    teams.settle()
    post = teams.answers(teams.konrad)[-1]
    teams.maren.deletes(reply)
    teams.settle()
    assert read(post) == DE("message_deleted")
    assert "deleted_message" in events(teams)
    teams.clock.move(minutes=1)
    teams.maren.restores(reply)
    teams.settle()
    assert told([post]) == [("Maren Tiede", "Ihr Kennwort ist hunter2")]
    assert len(teams.answers(teams.konrad)) == 2


def test_a_deletion_that_overtakes_its_message_keeps_it_from_the_employee(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    before = heard(teams, teams.konrad)
    reply = teams.maren.writes("Das Kennwort ist Sommer-4711", thread=card, deliver=False)
    late = teams.maren._as_brought(reply)
    teams.maren.deletes(reply)
    teams.fake.deliver(late)
    teams.settle()
    assert heard(teams, teams.konrad) == before


# --- nothing harmful --------------------------------------------------------------------------------------------------
def test_what_people_and_articles_write_does_no_harm(teams: TeamsWorld) -> None:
    teams.publish("Quastenflosser füttern", f"Quastenflosser füttern: {NEVER.replace('(https', '(javascript')}")
    teams.asks(teams.konrad, "Quastenflosser füttern")
    answer = teams.answers(teams.konrad)[-1]
    assert "fett" in read(answer)
    teams.presses(teams.konrad, answer, "person")
    card = teams.card()
    teams.asks(teams.konrad, NEVER)
    teams.maren.writes(NEVER, thread=card)
    teams.settle()
    assert read(teams.answers(teams.konrad)[-1]) == NEVER
    assert ("Konrad Voßmann", NEVER) in told(teams.thread(card))
    for post in (*teams.answers(teams.konrad), card, *teams.thread(card)):
        assert not [way for way in links(post).values() if not way.startswith("https://lotse.example/")]
        assert not parsed(post.card), post.card
        assert "entities" not in (post.card or {}).get("msteams", {})


def parsed(value: Any) -> list[str]:
    """Every text of a card that Teams would read formatting into, and that has some."""
    if isinstance(value, list):
        return [text for one in value for text in parsed(one)]
    if not isinstance(value, dict):
        return []
    own = [value["text"]] if value.get("type") == "TextBlock" else []
    own += [fact[name] for fact in value.get("facts", ()) for name in ("title", "value")]
    return [text for text in own if "<at>" in text or "**" in text] + [
        text for one in value.values() for text in parsed(one)
    ]
