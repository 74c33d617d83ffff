"""Slack's own surfaces, what can be pressed, files, edits, languages and names: what people see, and the record."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from chat_records import came_in, cases, events, files, outcomes
from fake_slack import Actor, Message, Upload, View
from patience import eventually
from sentences import keys
from slack_harness import seen
from slack_world import MakeSlackWorld, SlackWorld, actions, words
from world import PRINTER_QUESTION, PRINTERS, UNKNOWN_QUESTION, VPN, VPN_QUESTION

from bot.channels.port import Address, File, Incoming, Press, Sender
from bot.texts import Texts
from handoff.models import ConversationState, Kind
from handoff.transcript import Entry, entries

WISH = "Ich möchte mit einem Menschen sprechen."
SIE, DU, EN = Texts("de", "sie", "slack"), Texts("de", "du", "slack"), Texts("en", "sie", "slack")
DESK_MAREN = Sender("web", "maren", "Maren Tiede", "de", "du")
NEVER = "<!channel> <!here> @channel *fett* <https://example.com> & <b>"


@pytest.fixture
def world(make_slack_world: MakeSlackWorld) -> SlackWorld:
    return make_slack_world("http")


def sentence(post: Message) -> set[str]:
    """Which sentences of the catalogue a post is."""
    return keys(seen(post).text)


def last(world: SlackWorld, person: Actor) -> Message:
    """What a person was told last in their direct messages."""
    return world.answers(person)[-1]


def told(posts: list[Message]) -> list[tuple[str | None, str]]:
    """Who says what in these posts."""
    return [(post.username, words(post)) for post in posts]


def story(world: SlackWorld) -> list[Entry]:
    """The transcript of the ticket opened last."""
    with world.app.house.sessions() as session:
        return entries(session, session.merge(world.ticket()).conversation)


# --- App Home ---------------------------------------------------------------------------------------------------------
def home(world: SlackWorld, person: Actor) -> View:
    """The Home tab after the person has opened it."""
    person.opens_home()
    world.calm()
    return tab(person)


def tab(person: Actor) -> View:
    """The Home tab as it was published last."""
    assert person.home is not None
    return person.home


def home_texts(home: View) -> str:
    return str(home.view["blocks"])


def test_the_home_tab_shows_own_tickets_with_their_state_and_nobody_elses(slack: SlackWorld) -> None:
    slack.wants_person()
    slack.maren.presses(slack.card(), "lotse:claim")
    slack.settle()
    number = slack.ticket().number
    shown = home_texts(home(slack, slack.konrad))
    assert number in shown
    assert "in Bearbeitung · Maren Tiede kümmert sich darum" in shown
    assert number not in home_texts(home(slack, slack.owen))
    assert EN("home_tickets_empty") in home_texts(tab(slack.owen))


def test_a_ticket_from_a_channel_is_linked_on_the_home_tab(world: SlackWorld) -> None:
    said = world.konrad.mentions(world.general, WISH)
    world.settle()
    link = f"archives/{world.general.id}/p{said.ts.replace('.', '')}"
    assert link in home_texts(home(world, world.konrad))


def test_the_home_tab_shows_known_outages(world: SlackWorld) -> None:
    assert SIE("home_outages_empty") in home_texts(home(world, world.konrad))
    world.asks(world.owen, "Der ganze zweite Stock ist offline")
    number = world.ticket().number
    press = Press(Address("web", "desk", number), DESK_MAREN, "outage", "on", "outage-on")
    assert world.app.engine.press(press).ok
    shown = home_texts(home(world, world.konrad))
    assert (number in shown, "Der ganze zweite Stock ist offline" in shown) == (True, True)


def test_a_frequent_question_of_the_home_tab_is_asked_with_a_press(slack: SlackWorld) -> None:
    slack.asks(slack.owen, VPN_QUESTION)
    home(slack, slack.konrad)
    slack.konrad.presses(tab(slack.konrad), "lotse:home_ask")
    slack.settle()
    asked, answer = slack.answers(slack.konrad)
    assert "VPN einrichten" in words(asked)
    assert (VPN[1] in words(answer), answer.thread_ts) == (True, asked.ts)


def test_the_form_of_address_chosen_on_the_home_tab_is_used_from_then_on(slack: SlackWorld) -> None:
    slack.asks(slack.konrad, "Hallo")
    home(slack, slack.konrad)
    slack.konrad.selects(tab(slack.konrad), "lotse:home_address", "du")
    slack.calm()
    assert DU("home_hello") in home_texts(tab(slack.konrad))
    slack.asks(slack.konrad, "Hallo")
    first, second = slack.answers(slack.konrad)
    assert ("greeting/sie" in sentence(first), "greeting/du" in sentence(second)) == (True, True)


def test_the_language_chosen_on_the_home_tab_is_used_from_then_on(world: SlackWorld) -> None:
    home(world, world.konrad)
    world.konrad.selects(tab(world.konrad), "lotse:home_language", "en")
    world.calm()
    assert EN("home_hello") in home_texts(tab(world.konrad))
    assert EN("home_address") not in home_texts(tab(world.konrad))
    world.konrad.command("/helpdesk", "status")
    world.calm()
    assert words(world.fake.ephemerals(world.konrad)[-1]) == Texts("en", "sie")("no_tickets")
    world.asks(world.konrad, "???")  # no word that would say in which language it is
    assert "say_more/en" in sentence(last(world, world.konrad))


def test_the_person_button_of_the_home_tab_brings_a_person(world: SlackWorld) -> None:
    home(world, world.konrad)
    world.konrad.presses(tab(world.konrad), "lotse:home_person")
    world.settle()
    assert "receipt_asked_for_person" in sentence(last(world, world.konrad))
    assert world.ticket().number in home_texts(home(world, world.konrad))
    world.konrad.presses(tab(world.konrad), "lotse:home_person")
    world.settle()
    assert world.tickets() == 1


def test_the_home_tab_opens_the_form_to_ask(world: SlackWorld) -> None:
    home(world, world.konrad)
    world.konrad.presses(tab(world.konrad), "lotse:home_form")
    world.konrad.submits(world.form(world.konrad), {"question": VPN_QUESTION})
    world.settle()
    assert VPN[1] in words(last(world, world.konrad))


# --- the agent view ---------------------------------------------------------------------------------------------------
def test_opening_the_messages_tab_suggests_what_to_begin_with(slack: SlackWorld) -> None:
    slack.konrad.opens_home("messages")
    slack.calm()
    prompts = slack.fake.prompts(slack.konrad.im)
    assert prompts is not None
    assert "thread_ts" not in prompts
    assert [one["message"] for one in prompts["prompts"]] == [
        SIE(f"prompt_{name}_message") for name in ("password", "vpn", "tickets")
    ]
    assert slack.konrad.home is None


def test_in_the_older_view_the_prompts_stand_in_its_thread(world: SlackWorld) -> None:
    thread = world.fake.state.new_ts()
    started = {"user_id": world.owen.id, "channel_id": world.owen.im.id, "thread_ts": thread, "context": {}}
    world.fake.deliver({"type": "assistant_thread_started", "assistant_thread": started, "event_ts": thread})
    world.calm()
    prompts = world.fake.prompts(world.owen.im, thread)
    assert prompts is not None
    assert prompts["thread_ts"] == thread


def test_while_a_question_is_worked_on_its_thread_says_so(slack: SlackWorld) -> None:
    question = slack.konrad.dm(VPN_QUESTION)
    slack.calm()
    assert slack.fake.status(slack.konrad.im, question) == SIE("working")
    slack.settle()
    assert slack.fake.status(slack.konrad.im, question) is None


def test_what_goes_on_with_a_case_shows_the_status_in_the_thread_of_its_answer(world: SlackWorld) -> None:
    question = world.asks(world.konrad, VPN_QUESTION)
    more = world.konrad.dm("Das hat nicht geholfen")
    world.calm()
    assert world.fake.status(world.konrad.im, question) == SIE("working")
    world.settle()
    assert world.fake.status(world.konrad.im, question) is None
    assert world.fake.status(world.konrad.im, more) is None


def test_what_a_person_will_read_is_not_said_to_be_looked_up(world: SlackWorld) -> None:
    world.wants_person()
    world.maren.posts(world.desk, "Ich sehe mir das an.", world.card())
    world.settle()
    world.konrad.dm("Raum 213", world.answers(world.konrad)[-1])
    world.calm()
    assert world.fake.state.statuses == {}


# --- search in the team room ------------------------------------------------------------------------------------------
def test_a_mention_in_the_team_room_is_a_search_that_only_the_asker_sees(slack: SlackWorld) -> None:
    before = len(slack.fake.said(slack.desk))
    slack.maren.mentions(slack.desk, VPN_QUESTION)
    slack.settle()
    (found,) = slack.fake.ephemerals(slack.maren)
    assert ("% VPN einrichten" in words(found), VPN[1] in words(found)) == (True, True)
    assert found.channel == slack.desk.id
    assert len(slack.fake.said(slack.desk)) == before
    assert slack.fake.ephemerals(slack.tomasz) == []
    assert came_in(slack) == []


def test_a_search_below_a_card_never_reaches_the_requester(slack: SlackWorld) -> None:
    card = slack.wants_person()
    told_before = len(slack.answers(slack.konrad))
    slack.maren.mentions(slack.desk, VPN_QUESTION, card)
    assert eventually(lambda: len(slack.fake.ephemerals(slack.maren)) == 1)  # it is answered beside the queue
    slack.maren.mentions(slack.desk, "VPN-Client Profil Zentrale geheim-4711", card)
    assert eventually(lambda: len(slack.fake.ephemerals(slack.maren)) == 2)
    slack.settle()
    found, _ = slack.fake.ephemerals(slack.maren)
    assert (found.thread_ts, "% VPN einrichten" in words(found)) == (card.ts, True)
    assert len(slack.answers(slack.konrad)) == told_before
    assert "geheim-4711" not in str([post.text for post in slack.fake.seen_by(slack.konrad)])
    assert [one.who for one in came_in(slack)] == ["Konrad Voßmann"]


def test_a_changed_search_below_a_card_stays_one(world: SlackWorld) -> None:
    card = world.wants_person()
    search = world.maren.mentions(world.desk, "VPN-Client", card)
    world.settle()
    before = len(world.thread(card))
    world.maren.edits(search, f"<@{world.fake.bot.user_id}> VPN-Client und Profil")
    world.maren.deletes(search)
    world.settle()
    assert len(world.thread(card)) == before
    assert [one.who for one in came_in(world)] == ["Konrad Voßmann"]
    assert len(world.answers(world.konrad)) == 1
    assert len(world.fake.ephemerals(world.maren)) == 1


def test_a_search_that_finds_nothing_says_so(world: SlackWorld) -> None:
    world.maren.mentions(world.desk, "Quastenflosser")
    world.calm()
    (found,) = world.fake.ephemerals(world.maren)
    assert words(found) == SIE("search_empty", query="Quastenflosser")


def test_a_bare_mention_in_the_team_room_tells_what_agents_can_do(world: SlackWorld) -> None:
    world.maren.mentions(world.desk, "")
    world.calm()
    (found,) = world.fake.ephemerals(world.maren)
    assert "/helpdesk suche" in words(found)


def test_chatter_in_the_team_room_is_left_alone(world: SlackWorld) -> None:
    world.maren.posts(world.desk, "Wer macht heute Mittag?")
    world.settle()
    assert (world.fake.said(world.desk), came_in(world)) == ([], [])


# --- the buttons of an answer -----------------------------------------------------------------------------------------
def answered(world: SlackWorld) -> Message:
    world.asks(world.konrad, VPN_QUESTION)
    return last(world, world.konrad)


def offered(world: SlackWorld) -> Message:
    for title, body in PRINTERS:
        world.publish(title, body)
    world.asks(world.konrad, PRINTER_QUESTION)
    assert "ask_back" in keys(seen(last(world, world.konrad)).text)
    return last(world, world.konrad)


def asked_for_a_fact(world: SlackWorld) -> Message:
    world.asks(world.konrad, UNKNOWN_QUESTION)
    return last(world, world.konrad)


BUTTONS = [
    (answered, "helped", "helped", "confirmed"),
    (answered, "not_helped", "ask_system", "asked_fact"),
    (answered, "person", "receipt_asked_for_person", "ticket"),
    (offered, "none", "ask_system", "asked_fact"),
    (offered, "person", "receipt_asked_for_person", "ticket"),
    (asked_for_a_fact, "skip", "receipt", "ticket"),
]


@pytest.mark.parametrize(("before", "action", "reply", "outcome"), BUTTONS)
def test_a_press_leads_on_and_the_post_shows_it(
    slack: SlackWorld, before: Callable[[SlackWorld], Message], action: str, reply: str, outcome: str
) -> None:
    post = before(slack)
    shown, label = words(post), label_of(post, action)
    slack.konrad.presses(post, f"lotse:{action}:")
    slack.calm()
    assert actions(post) == []
    assert f"✓ {label}" in words(post)
    assert words(post).startswith(shown.split("\n")[0])
    slack.settle()
    assert reply in sentence(last(slack, slack.konrad))
    assert last(slack, slack.konrad).thread_ts == post.thread_ts
    assert outcomes(slack)[-1] == outcome


def label_of(post: Message, action: str) -> str:
    found = (one for block in post.blocks for one in block.get("elements", ()) if "action_id" in one)
    return next((str(one["text"]["text"]) for one in found if f":{action}:" in str(one["action_id"])), "")


def test_the_chosen_article_is_the_one_that_is_shown(world: SlackWorld) -> None:
    post = offered(world)
    labels = [one["text"]["text"] for block in post.blocks if block["type"] == "actions" for one in block["elements"]]
    world.konrad.presses(post, "lotse:choose:1")
    world.settle()
    world.calm()
    assert (actions(post), f"✓ {labels[1]}" in words(post)) == ([], True)
    assert labels[1] in words(last(world, world.konrad))
    assert outcomes(world)[-1] == "answered"
    assert dict(PRINTERS)[labels[1]] in words(last(world, world.konrad))


def test_a_press_of_somebody_else_is_refused_and_changes_nothing(slack: SlackWorld) -> None:
    slack.konrad.mentions(slack.general, VPN_QUESTION)
    slack.settle()
    (answer,) = slack.fake.said(slack.general)
    for action in ("helped", "person"):
        slack.owen.presses(answer, f"lotse:{action}:")
    slack.settle()
    assert [(post.thread_ts, "not_your_case" in sentence(post)) for post in slack.fake.ephemerals(slack.owen)] == [
        (answer.thread_ts, True)
    ] * 2
    assert actions(answer) == ["helped", "not_helped", "person"]
    assert (len(slack.fake.said(slack.general)), slack.tickets()) == (1, 0)
    assert [case.state for case in cases(slack)] == [ConversationState.WITH_BOT]


def test_a_second_press_of_what_is_settled_is_told_so(world: SlackWorld) -> None:
    post = answered(world)
    as_seen = deepcopy(post)
    world.konrad.presses(post, "lotse:helped:")
    world.settle()
    world.konrad.presses(as_seen, "lotse:helped:")  # another device of theirs still shows the buttons
    world.settle()
    assert "button_stale" in sentence(last(world, world.konrad))


# --- files ------------------------------------------------------------------------------------------------------------
def test_an_employees_file_reaches_the_agents_in_slack_and_on_the_web_desk(slack: SlackWorld) -> None:
    card = slack.wants_person()
    slack.konrad.dm("So sieht es aus:", slack.answers(slack.konrad)[-1], [Upload("bild.png", b"\x89PNG", "image/png")])
    slack.settle()
    passed = [slack.fake.files[file] for post in slack.thread(card) for file in post.files]
    assert [(file.name, file.content) for file in passed] == [("bild.png", b"\x89PNG")]
    assert ("Konrad Voßmann", "So sieht es aus:") in told(slack.thread(card))
    (entry,) = [entry for entry in story(slack) if entry.files]
    assert [(file.name, file.media_type, file.size) for file in entry.files] == [("bild.png", "image/png", 4)]
    assert files(slack) == [("bild.png", b"\x89PNG", None)]


def test_a_file_without_words_reaches_the_agents(world: SlackWorld) -> None:
    card = world.wants_person()
    world.maren.posts(world.desk, "Schicken Sie bitte ein Bild.", card)
    world.settle()
    world.konrad.dm("", world.answers(world.konrad)[0], [Upload("bild.png", b"\x89PNG", "image/png")])
    world.settle()
    assert ("Konrad Voßmann", "📎 bild.png") in told(world.thread(card))
    assert [file for post in world.thread(card) for file in post.files]


def test_a_file_that_came_with_the_first_question_goes_with_the_ticket(world: SlackWorld) -> None:
    world.konrad.dm(WISH, files=[Upload("bild.png", b"\x89PNG", "image/png")])
    world.settle()
    assert files(world) == [("bild.png", b"\x89PNG", None)]
    assert "bild.png" in words(world.thread(world.card())[0])


@pytest.mark.parametrize(
    ("upload", "why"),
    [
        (Upload("film.mp4", b"0", "video/mp4", size=11 * 1024 * 1024), "too_large"),
        (Upload("film.mp4", b"0" * (10 * 1024 * 1024 + 1), "video/mp4", size=100), "too_large"),
        (Upload("setup.exe", b"MZ", "application/x-msdownload"), "not_allowed"),
        (Upload("bild.png", b"0", "image/png", access="access_denied"), "not_loaded"),
    ],
    ids=["too-large", "larger-than-said", "program", "not-to-be-had"],
)
def test_a_file_that_cannot_be_kept_is_told(world: SlackWorld, upload: Upload, why: str) -> None:
    world.konrad.dm(VPN_QUESTION, files=[upload])
    world.settle()
    answer, notice = world.answers(world.konrad)
    assert VPN[1] in words(answer)
    assert "file_not_kept" in sentence(notice)
    assert Texts("de", "sie")(f"file_{why}", limit=10) in words(notice)
    assert [(content, refused) for _, content, refused in files(world)] == [(None, why)]


def test_a_file_that_slack_does_not_give_is_told_and_the_question_answered(world: SlackWorld) -> None:
    message = world.konrad.dm(VPN_QUESTION, files=[Upload("bild.png", b"\x89PNG", "image/png")])
    world.fake.files[message.files[0]].content = None
    world.settle()
    answer, notice = world.answers(world.konrad)
    assert VPN[1] in words(answer)
    assert Texts("de", "sie")("file_not_loaded") in words(notice)
    assert files(world) == [("bild.png", None, "not_loaded")]


def test_an_agents_file_reaches_the_employee(slack: SlackWorld) -> None:
    card = slack.wants_person()
    slack.maren.posts(slack.desk, "Anleitung anbei.", card, [Upload("anleitung.pdf", b"%PDF", "application/pdf")])
    slack.settle()
    _, reply, shared = slack.answers(slack.konrad)
    assert (reply.username, words(reply)) == ("Maren Tiede", "Anleitung anbei.")
    assert [slack.fake.files[file].content for file in shared.files] == [b"%PDF"]
    assert shared.thread_ts == reply.thread_ts


def test_an_agents_file_from_the_web_desk_reaches_the_employee(world: SlackWorld) -> None:
    world.wants_person()
    number = world.ticket().number
    file = File("anleitung.pdf", "application/pdf", b"%PDF")
    desk = Address("web", "desk", number)
    world.app.engine.receive(Incoming(desk, DESK_MAREN, "Anleitung anbei.", "desk-1", world.clock(), (file,)))
    world.settle()
    _, reply, shared = world.answers(world.konrad)
    assert (reply.username, words(reply)) == ("Maren Tiede", "Anleitung anbei.")
    assert [world.fake.files[one].content for one in shared.files] == [b"%PDF"]


def test_an_agents_file_that_cannot_be_passed_on_is_told_to_agents_only(world: SlackWorld) -> None:
    card = world.wants_person()
    world.maren.posts(world.desk, "Bitte ausführen.", card, [Upload("fix.bat", b"del", "text/plain")])
    world.settle()
    assert "file_not_kept" in sentence(world.thread(card)[-1])
    assert [words(post) for post in world.answers(world.konrad)][1:] == ["Bitte ausführen."]


# --- edits and deletions ----------------------------------------------------------------------------------------------
def with_a_person(world: SlackWorld) -> tuple[Message, Message]:
    """Konrad and Maren talk: the card, and what Konrad wrote last."""
    card = world.wants_person()
    world.maren.posts(world.desk, "Welcher Raum?", card)
    world.settle()
    message = world.konrad.dm("Raum 312", world.answers(world.konrad)[0])
    world.settle()
    return card, message


def test_before_an_answer_the_newest_wording_is_answered(slack: SlackWorld) -> None:
    question = slack.konrad.dm("Der Drucker geht nicht")
    slack.konrad.edits(question, VPN_QUESTION)
    slack.settle()
    (answer,) = slack.answers(slack.konrad)
    assert VPN[1] in words(answer)
    assert answer.thread_ts == question.ts


def test_an_edit_that_overtakes_its_message_is_answered_once_in_the_new_wording(world: SlackWorld) -> None:
    question = world.konrad.dm("Der Drucker geht nicht", deliver=False)
    late = world.konrad._message_event(question)
    world.konrad.edits(question, VPN_QUESTION)
    world.fake.deliver(late)
    world.settle()
    (answer,) = world.answers(world.konrad)
    assert (VPN[1] in words(answer), answer.thread_ts) == (True, question.ts)


def test_in_a_help_channel_an_edit_that_overtakes_its_post_is_answered_once(world: SlackWorld) -> None:
    question = world.konrad.posts(world.help, "Der Drucker geht nicht", deliver=False)
    late = world.konrad._message_event(question)
    world.konrad.edits(question, VPN_QUESTION)
    world.fake.deliver(late)
    world.settle()
    (answer,) = world.fake.said(world.help)
    assert (VPN[1] in words(answer), answer.thread_ts) == (True, question.ts)


def test_what_is_deleted_before_an_answer_is_not_answered(slack: SlackWorld) -> None:
    question = slack.konrad.dm(VPN_QUESTION)
    slack.konrad.deletes(question)
    slack.settle()
    assert slack.answers(slack.konrad) == []
    assert outcomes(slack) == ["withdrawn", "recorded"]


def test_after_an_answer_an_edit_is_recorded_and_not_answered_again(world: SlackWorld) -> None:
    question = world.asks(world.konrad, VPN_QUESTION)
    world.konrad.edits(question, f"{VPN_QUESTION}, bitte")
    world.settle()
    assert len(world.answers(world.konrad)) == 1
    assert [(one.kind, one.case) for one in came_in(world)] == [("text", 1), ("edit", 1)]


def test_an_edit_of_the_employee_changes_what_agents_see(slack: SlackWorld) -> None:
    card, message = with_a_person(slack)
    before = len(slack.thread(card))
    slack.konrad.edits(message, "Raum 213")
    slack.settle()
    assert told(slack.thread(card))[-1] == ("Konrad Voßmann", "Raum 213")
    assert len(slack.thread(card)) == before
    assert [(entry.kind, entry.text) for entry in story(slack)][-1] == (Kind.EDIT, "Raum 213")
    assert "Raum 312" in [entry.text for entry in story(slack)]


def test_a_deletion_of_the_employee_is_told_to_the_agents(slack: SlackWorld) -> None:
    card, message = with_a_person(slack)
    slack.konrad.deletes(message)
    slack.settle()
    assert "agent_message_deleted" in sentence(slack.thread(card)[-1])
    assert Kind.DELETION in [entry.kind for entry in story(slack)]


def test_a_deleted_question_with_answers_below_it_is_a_deletion_too(world: SlackWorld) -> None:
    question = world.konrad.dm(WISH)
    world.settle()
    world.konrad.deletes(question)
    world.settle()
    assert "agent_message_deleted" in sentence(world.thread(world.card())[-1])


def test_an_edit_and_a_deletion_of_an_agent_change_what_the_employee_sees(slack: SlackWorld) -> None:
    card = slack.wants_person()
    reply = slack.maren.posts(slack.desk, "Neustarten um 14 Uhr", card)
    slack.settle()
    (post,) = slack.answers(slack.konrad)[1:]
    slack.maren.edits(reply, "Neustarten um 15 Uhr")
    slack.settle()
    assert words(post) == "Neustarten um 15 Uhr"
    slack.maren.deletes(reply)
    slack.settle()
    assert words(post) == Texts("de", "sie")("message_deleted")
    assert len(slack.answers(slack.konrad)) == 2
    assert "deleted_message" in events(slack)


def test_a_link_that_slack_unfurls_is_no_edit(world: SlackWorld) -> None:
    question = world.asks(world.konrad, VPN_QUESTION)
    shown = world.fake.state.message_dict(question)
    unfurled = {**shown, "attachments": [{"title": "Seite"}]}
    world.fake.deliver(world.konrad._changed(question, unfurled, shown))
    world.settle()
    assert [one.kind for one in came_in(world)] == ["text"]


# --- nothing harmful --------------------------------------------------------------------------------------------------
def test_what_people_and_articles_write_does_no_harm(slack: SlackWorld) -> None:
    body = f"Quastenflosser füttern: {NEVER} <@{slack.maren.id}> <https://example.com|harmlos>"
    slack.publish("Quastenflosser füttern", body)
    slack.asks(slack.konrad, "Quastenflosser füttern")
    answer = last(slack, slack.konrad)
    assert "@channel" in words(answer)
    slack.konrad.presses(answer, "lotse:person:")
    slack.settle()
    card = slack.card()
    slack.konrad.dm(NEVER, answer)
    slack.maren.posts(slack.desk, NEVER, card)
    slack.settle()
    for markup in ("<!channel>", "<!here>", f"<@{slack.maren.id}>", "<https://example.com"):
        assert not in_markup(slack, markup), markup
    assert words(last(slack, slack.konrad)) == NEVER
    posted = [call.payload for call in slack.fake.called("chat.postMessage")]
    assert {(payload["unfurl_links"], payload["unfurl_media"]) for payload in posted} == {(False, False)}


def in_markup(world: SlackWorld, markup: str) -> bool:
    """Whether anything the app sent has this where Slack would parse it: in mrkdwn or top-level text."""
    return any(markup in text for call in world.fake.calls for text in parsed(call.payload))


def parsed(value: Any) -> list[str]:
    """Every text of a payload that Slack parses."""
    if isinstance(value, list):
        return [text for one in value for text in parsed(one)]
    if not isinstance(value, dict):
        return []
    own = [str(value["text"])] if isinstance(value.get("text"), str) and value.get("type") in (None, "mrkdwn") else []
    return own + [text for one in value.values() for text in parsed(one)]


# --- languages and names ----------------------------------------------------------------------------------------------
def test_the_language_of_the_profile_counts_where_the_words_do_not_tell(world: SlackWorld) -> None:
    world.asks(world.konrad, "???")
    world.asks(world.owen, "???")
    assert "say_more/sie" in sentence(last(world, world.konrad))
    assert "say_more/en" in sentence(last(world, world.owen))


def test_the_house_can_say_du(make_slack_world: MakeSlackWorld) -> None:
    world = make_slack_world("http", language={"address": "du"})
    world.asks(world.konrad, "Hallo")
    assert "greeting/du" in sentence(last(world, world.konrad))
    home(world, world.konrad)
    assert DU("home_hello") in home_texts(tab(world.konrad))


def test_an_english_case_is_english_throughout(world: SlackWorld) -> None:
    world.asks(world.owen, "I would like to talk to a person, please.")
    assert "receipt_asked_for_person/en" in sentence(last(world, world.owen))
    world.maren.presses(world.card(), "lotse:claim")
    world.settle()
    assert "claimed/en" in sentence(last(world, world.owen))


def test_people_are_shown_under_their_names(slack: SlackWorld) -> None:
    card, _ = with_a_person(slack)
    assert told(slack.thread(card))[-1] == ("Konrad Voßmann", "Raum 312")
    assert slack.answers(slack.konrad)[-1].username == "Maren Tiede"
    assert slack.answers(slack.konrad)[-1].icon_url == slack.maren.user.image
    assert "Konrad Voßmann" in words(card)
    assert slack.konrad.id not in str([post.blocks for post in slack.thread(card)])


def test_a_mention_of_a_colleague_is_told_by_name(world: SlackWorld) -> None:
    card, _ = with_a_person(world)
    world.konrad.dm(f"Auch <@{world.maren.id}> war da", world.answers(world.konrad)[0])
    world.settle()
    assert told(world.thread(card))[-1] == ("Konrad Voßmann", "Auch @Maren Tiede war da")


def test_while_slack_tells_no_names_the_case_goes_on_under_the_id(world: SlackWorld) -> None:
    world.fake.fail_next("users.info", n=1000, status=503)
    card = world.wants_person()
    assert "receipt_asked_for_person" in sentence(last(world, world.konrad))
    assert world.konrad.id in words(card)
    world.maren.posts(world.desk, "Guten Tag", card)
    world.settle()
    assert (last(world, world.konrad).username, words(last(world, world.konrad))) == (world.maren.id, "Guten Tag")
