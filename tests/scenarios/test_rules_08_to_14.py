"""Behaviour rules 8 to 14 of the design: notes, new cases, language, bursts, long texts, files, changes."""

from collections.abc import Callable
from pathlib import Path
from shutil import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sentences import keys
from world import (
    HENRIK,
    JETTE,
    KONRAD,
    MAREN,
    OWEN,
    TOMASZ,
    UNKNOWN_QUESTION,
    VPN_QUESTION,
    World,
    build_world,
)

from bot.channels.port import File, Sender
from handoff.models import ConversationState, Kind, Place, Side, TicketState
from kb_index.models import Passage

SECRET = "nur-intern-4711"


def everything_shown_to(world: World, sender: Sender) -> str:
    """All that was ever addressed to an employee, delivered or not."""
    with world.app.house.sessions() as session:
        place = session.query(Place).filter_by(thread=sender.id, side=Side.REQUESTER).one()
    rows = [message for message in world.messages() if message.to_send and message.place_id == place.id]
    return "\n".join(f"{row.text} {row.reply}" for row in rows)


# --- rule 8: a note never reaches the employee ------------------------------------------------------------------------
@pytest.mark.parametrize("text", [f"// {SECRET}", f"//{SECRET}", f"🔒 {SECRET}", f"  // {SECRET}"])
def test_rule_8_a_message_with_a_note_prefix_stays_internal(world: World, text: str) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_says(MAREN, ticket, text)
    assert SECRET not in everything_shown_to(world, KONRAD)
    assert [m.text for m in world.messages() if m.kind == Kind.NOTE] == [SECRET]
    assert world.conversation(KONRAD).state == ConversationState.WAITING_FOR_PERSON
    assert world.ticket(ticket).first_response_at is None


def test_rule_8_the_note_button_keeps_a_message_internal(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_says(MAREN, ticket, SECRET, is_note=True)
    assert SECRET not in everything_shown_to(world, KONRAD)


@pytest.mark.parametrize("text", [SECRET, f"/reply {SECRET}", f"// {SECRET}"])
def test_rule_8_the_third_level_writes_notes_only(world: World, text: str) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_presses(MAREN, ticket, "escalate")
    world.agent_says(HENRIK, ticket, text, channel="third-level", is_reply=True)
    assert SECRET not in everything_shown_to(world, KONRAD)
    assert SECRET in world.thread(ticket)[-1]


def test_rule_8_a_note_reaches_the_other_agents_threads(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_presses(MAREN, ticket, "escalate")
    world.agent_says(MAREN, ticket, f"// {SECRET}")
    assert SECRET in world.thread(ticket, "third-level")
    assert SECRET not in world.thread(ticket)


def test_rule_8_an_edited_note_stays_a_note(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_says(MAREN, ticket, "// erst so", source_id="note-1")
    world.agent_says(MAREN, ticket, SECRET, edits="note-1")
    assert SECRET not in everything_shown_to(world, KONRAD)


def test_rule_8_an_edit_that_arrives_before_its_note_stays_internal(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_says(MAREN, ticket, SECRET, edits="note-1")
    world.agent_says(MAREN, ticket, "erst so", source_id="note-1", is_note=True)
    assert SECRET not in everything_shown_to(world, KONRAD)


def test_rule_8_an_edit_that_makes_a_reply_a_note_stays_internal(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_says(MAREN, ticket, "Guten Tag!", source_id="reply-1")
    world.agent_says(MAREN, ticket, f"// {SECRET}", edits="reply-1")
    assert SECRET not in everything_shown_to(world, KONRAD)


def test_rule_8_the_edit_of_a_reply_reaches_the_employee(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_says(MAREN, ticket, "Bitte neu starden", source_id="reply-1")
    world.agent_says(MAREN, ticket, "Bitte neu starten", edits="reply-1")
    assert world.posts_to(KONRAD)[-1].reply.text == "Bitte neu starten"


def test_rule_8_in_explicit_mode_only_what_is_sent_as_reply_goes_out(make_world: Callable[..., World]) -> None:
    world = make_world(handoff={"reply": "explicit"})
    ticket = world.ticket_for(KONRAD)
    assert "card_rule_explicit" in keys(world.card(ticket).reply.text.split("\n\n")[-1])
    world.agent_says(MAREN, ticket, SECRET)
    world.agent_says(MAREN, ticket, f"// {SECRET}", is_reply=True)
    assert SECRET not in everything_shown_to(world, KONRAD)
    world.agent_says(MAREN, ticket, "/reply Guten Tag!")
    world.agent_says(MAREN, ticket, "Und noch etwas.", is_reply=True)
    assert [post.reply.text for post in world.posts_to(KONRAD)[-2:]] == ["Guten Tag!", "Und noch etwas."]


def test_rule_8_each_card_says_who_reads_its_thread(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_presses(MAREN, ticket, "escalate")
    third = world.channel.at("third-level", ticket)[0].reply
    assert "card_rule_conversation" in keys(world.card(ticket).reply.text.split("\n\n")[-1])
    assert "card_rule_third_level" in keys(third.text.split("\n\n")[-1])
    assert third.buttons == ()


WORDS = st.sampled_from(["", "hallo", "/reply", "//", " // ", "🔒", "🔒 ", "/reply //", "\n//"])
TRAFFIC = st.lists(
    st.tuples(
        st.sampled_from(["agent", "note", "reply", "third", "requester", "edit", "claim", "hand_back", "resolve"]),
        WORDS,
        st.booleans(),
    ),
    max_size=12,
)


@pytest.mark.parametrize("mode", ["conversation", "explicit"])
def test_rule_8_no_note_in_any_handoff_traffic_reaches_the_employee(
    mode: str, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    @settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(TRAFFIC)
    def holds(traffic: list[tuple[str, str, bool]]) -> None:
        folder = tmp_path_factory.mktemp("notes")
        copy(sqlite_template, folder / "lotse.db")
        world = build_world(f"sqlite:///{folder / 'lotse.db'}", folder, handoff={"reply": mode})
        ticket = world.ticket_for(KONRAD)
        world.agent_presses(MAREN, ticket, "escalate")
        for number, (who, words, flag) in enumerate(traffic):
            text = f"{words} canary-{number}"
            match who:
                case "agent" | "note" | "reply":
                    world.agent_says(
                        MAREN, ticket, text, source_id=str(number), is_note=who == "note", is_reply=who == "reply"
                    )
                case "third":
                    world.agent_says(HENRIK, ticket, text, channel="third-level", source_id=str(number), is_reply=flag)
                case "requester":
                    world.says(KONRAD, text)
                    world.settle()
                case "edit":
                    changed = str(number - 1) if flag else "not-yet-seen"
                    world.agent_says(MAREN, ticket, text, edits=changed, source_id=str(number))
                case action:
                    world.agent_presses(MAREN, ticket, action)
        shown = everything_shown_to(world, KONRAD)
        notes = [m for m in world.messages() if m.kind == Kind.NOTE and not m.to_send]
        assert not [note.text for note in notes if note.text and note.text in shown]
        assert world.counts().settled
        world.close()

    holds()


# --- rule 9: new case, reopened, or linked ----------------------------------------------------------------------------
def resolved_ticket(world: World) -> str:
    ticket = world.ticket_for(KONRAD, UNKNOWN_QUESTION)
    world.agent_says(MAREN, ticket, "Ich bin dran.")
    assert world.agent_presses(MAREN, ticket, "resolve", cause="Kabel", fix="Kabel getauscht.").ok
    told = world.new_answers(KONRAD)[-1].reply
    assert "resolved" in keys(told.text)
    assert [button.action for button in told.buttons] == ["works", "still_broken"]
    return ticket


def test_rule_9_a_new_question_after_resolved_is_a_new_case_linked_to_the_old(world: World) -> None:
    ticket = resolved_ticket(world)
    old = world.conversation(KONRAD)
    assert "answer" in keys(world.ask(KONRAD, VPN_QUESTION).reply.text)
    new = world.conversation(KONRAD)
    assert (new.previous_id, new.state) == (old.id, ConversationState.WITH_BOT)
    assert world.ticket(ticket).state == TicketState.CLOSED


@pytest.mark.parametrize("text", ["geht immer noch nicht", "Das hat nicht geholfen", "It is still broken"])
def test_rule_9_still_broken_within_the_window_reopens(world: World, text: str) -> None:
    ticket = resolved_ticket(world)
    world.clock.move(days=6)
    assert "reopened" in keys(world.ask(KONRAD, text).reply.text)
    assert world.ticket(ticket).state == TicketState.IN_PROGRESS
    assert world.tickets() == 1
    assert text in world.thread(ticket)


def test_rule_9_the_still_broken_button_reopens_with_the_agent_who_had_it(world: World) -> None:
    ticket = resolved_ticket(world)
    assert MAREN.name in world.press(KONRAD, "still_broken").reply.text
    assert world.ticket(ticket).agent.name == MAREN.name  # type: ignore[union-attr]
    assert "agent_reopened" in keys(world.thread(ticket)[-1])


def test_rule_9_still_broken_after_the_window_is_a_new_ticket_linked_to_the_old(world: World) -> None:
    ticket = resolved_ticket(world)
    world.passes(days=8)
    assert world.ticket(ticket).state == TicketState.CLOSED
    world.press_only(KONRAD, "still_broken")
    receipt = world.one_answer(KONRAD)
    new = world.ticket()
    assert new.number in receipt.reply.text
    assert new.number != ticket
    assert new.conversation.previous_id == world.ticket(ticket).conversation_id
    assert new.summary == world.ticket(ticket).summary


def test_rule_9_when_nobody_has_closed_it_yet_a_late_still_broken_opens_a_linked_ticket(world: World) -> None:
    ticket = resolved_ticket(world)
    world.says(KONRAD, "geht immer noch nicht")
    world.clock.move(days=8)
    posts = world.new_answers(KONRAD)
    assert [keys(post.reply.text) & {"reopen_window_over", "receipt"} for post in posts] == [
        {"reopen_window_over"},
        {"receipt"},
    ]
    assert world.ticket().conversation.previous_id == world.ticket(ticket).conversation_id


@pytest.mark.parametrize("text", ["Danke", "ja", "das hat geholfen", "abbrechen"])
def test_rule_9_thanks_after_resolved_confirms(world: World, text: str) -> None:
    ticket = resolved_ticket(world)
    assert "confirmed_resolved" in keys(world.ask(KONRAD, text).reply.text)
    assert world.ticket(ticket).state == TicketState.CLOSED
    assert world.conversation(KONRAD).outcome == "confirmed"


@pytest.mark.parametrize(("text", "key"), [("Hallo", "greeting"), ("Status?", "your_tickets")])
def test_rule_9_a_greeting_or_status_after_resolved_leaves_the_case_resolved(world: World, text: str, key: str) -> None:
    ticket = resolved_ticket(world)
    assert key in keys(world.ask(KONRAD, text).reply.text)
    assert world.ticket(ticket).state == TicketState.RESOLVED
    assert "reopened" in keys(world.press(KONRAD, "still_broken").reply.text)


# --- rule 10: one language and one form of address per case -----------------------------------------------------------
def test_rule_10_a_case_keeps_its_language_whatever_is_written_later(world: World) -> None:
    world.ask(KONRAD, "How do I get my telephone to stop ringing all the time?")
    assert world.conversation(KONRAD).language == "en"
    while world.posts_to(KONRAD)[-1].reply.buttons:
        world.press(KONRAD, "skip")
    world.ask(KONRAD, "Das ist wirklich sehr laut, bitte kommen Sie schnell vorbei.")
    ticket = world.ticket().number
    world.agent_presses(MAREN, ticket, "claim")
    world.agent_presses(MAREN, ticket, "resolve", fix="Telefon neu gestartet.")
    shown = [post.reply for post in world.posts_to(KONRAD)]
    assert all(any(key.endswith("/en") for key in keys(reply.text)) for reply in shown), [r.text for r in shown]
    labels = {button.label for reply in shown for button in reply.buttons}
    assert all("/en" in " ".join(keys(label)) for label in labels)


def test_rule_10_the_next_question_decides_the_language_anew(world: World) -> None:
    world.ask(KONRAD, "How do I set up the VPN client with the profile?")
    world.new_answers(KONRAD)
    while world.conversation(KONRAD).expects == "fact":
        world.press(KONRAD, "skip")
    assert world.conversation(KONRAD).language == "en"
    world.agent_presses(MAREN, world.ticket().number, "hand_back")
    world.new_answers(KONRAD)
    world.ask(KONRAD, VPN_QUESTION)
    assert world.conversation(KONRAD).language == "de"
    assert {"button_helped/de"} <= {key for b in world.posts_to(KONRAD)[-1].reply.buttons for key in keys(b.label)}


@pytest.mark.parametrize("text", ["Thanks!", "That did not help", "OK 0x80070005", "mac?"])
def test_rule_10_a_word_or_two_and_what_is_said_of_an_answer_change_no_language(world: World, text: str) -> None:
    world.understander.teach("That did not help", "not_helpful")
    world.ask(KONRAD, VPN_QUESTION)
    world.ask(KONRAD, text)
    assert world.conversation(KONRAD).language == "de"


def test_rule_10_the_line_of_an_error_message_changes_no_language(world: World) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    world.ask(KONRAD, "Access is denied when installing the printer driver")
    assert world.conversation(KONRAD).language == "de"


def test_rule_10_a_new_question_after_resolved_decides_the_language_too(world: World) -> None:
    world.ask(KONRAD, "Meine Telefonanlage klingelt seit heute die ganze Zeit.")
    world.press(KONRAD, "person")
    world.agent_presses(MAREN, world.ticket().number, "resolve")
    world.new_answers(KONRAD)
    world.ask(KONRAD, "How do I print on both sides of the paper?")
    assert world.conversation(KONRAD).language == "en"


def test_rule_10_an_answer_to_a_question_of_lotse_changes_no_language(world: World) -> None:
    assert "ask_system" in keys(world.ask(KONRAD, "Meine Telefonanlage klingelt seit heute die ganze Zeit.").reply.text)
    world.ask(KONRAD, "It is the phone on the desk in my office")
    assert world.conversation(KONRAD).language == "de"


@pytest.mark.parametrize(("wish", "key"), [("In English, please", "language/en"), ("Bitte auf Deutsch", "language/de")])
def test_rule_10_who_wishes_another_language_gets_it(world: World, wish: str, key: str) -> None:
    world.ask(KONRAD, "My telephone is ringing all the time?" if key == "language/de" else VPN_QUESTION)
    expected, tickets = world.conversation(KONRAD).expects, world.tickets()
    assert key in keys(world.ask(KONRAD, wish).reply.text)
    assert (world.conversation(KONRAD).language, world.conversation(KONRAD).expects) == (key[-2:], expected)
    assert world.tickets() == tickets


def test_rule_10_while_a_ticket_waits_the_language_can_be_changed_too(world: World) -> None:
    world.ticket_for(KONRAD)
    assert "language/en" in keys(world.ask(KONRAD, "English please").reply.text)


@pytest.mark.parametrize(("sender", "ours", "other"), [(JETTE, "/du", "/sie"), (KONRAD, "/sie", "/du")])
def test_rule_10_du_and_sie_are_never_mixed(world: World, sender: Sender, ours: str, other: str) -> None:
    world.ask(sender, VPN_QUESTION)
    world.press(sender, "not_helped")
    world.press(sender, "skip")
    world.press(sender, "skip")
    ticket = world.ticket().number
    world.agent_presses(MAREN, ticket, "state", "waiting_for_requester")
    world.agent_presses(MAREN, ticket, "hand_back")
    variants = [keys(post.reply.text) for post in world.posts_to(sender)]
    assert not any(key.endswith(other) for found in variants for key in found)
    assert any(key.endswith(ours) for found in variants for key in found)


def test_rule_10_an_unclear_first_message_uses_the_language_known_of_the_person(world: World) -> None:
    assert "say_more/en" in keys(world.ask(OWEN, "???").reply.text)
    assert "say_more/sie" in keys(world.ask(KONRAD, "???").reply.text)


def test_rule_10_a_greeting_of_long_ago_does_not_decide_the_language_of_today(world: World) -> None:
    world.understander.teach("Hello, is anybody there at the helpdesk?", "greet")
    assert "greeting/en" in keys(world.ask(KONRAD, "Hello, is anybody there at the helpdesk?").reply.text)
    world.passes(days=1)
    assert world.conversation(KONRAD).outcome == "ended"
    assert "ask_system/sie" in keys(
        world.ask(KONRAD, "Meine Telefonanlage klingelt seit heute die ganze Zeit.").reply.text
    )


# --- rule 11: bursts --------------------------------------------------------------------------------------------------
def test_rule_11_a_burst_of_short_messages_is_answered_once(world: World) -> None:
    for text in ("VPN-Client", "starten und", "Profil Zentrale", "wählen"):
        world.says(KONRAD, text)
        world.clock.move(seconds=1)
        world.app.worker.work_off()
    assert "answer" in keys(world.one_answer(KONRAD).reply.text)
    assert world.outcomes(KONRAD) == ["answered"] * 4


def test_rule_11_who_types_without_a_pause_is_answered_all_the_same(world: World) -> None:
    for number in range(12):
        world.says(KONRAD, f"{VPN_QUESTION}" if not number else "und")
        world.clock.move(seconds=1.5)
        world.app.worker.work_off()
    assert world.posts_to(KONRAD)


def test_rule_11_a_press_ends_a_burst_and_the_order_is_kept(world: World) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    world.says(KONRAD, UNKNOWN_QUESTION)
    world.press_only(KONRAD, "person")
    world.app.worker.work_off()
    assert world.outcomes(KONRAD) == ["answered", "asked_fact", "ticket"]
    assert world.ticket().summary == UNKNOWN_QUESTION


def test_rule_11_what_waited_when_a_person_took_over_arrives_in_its_order(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.says(KONRAD, "eins")
    world.agent_presses(MAREN, ticket, "claim")
    world.says(KONRAD, "zwei")
    world.app.worker.work_off()
    assert world.thread(ticket)[-2:] == ["eins", "zwei"]


# --- rule 12: nothing too long is dropped -----------------------------------------------------------------------------
def test_rule_12_a_long_passage_is_not_cut(world: World) -> None:
    steps = "\n\n".join(f"Schritt {number}: Wasserkocher entkalken und spülen." for number in range(60))
    world.publish("Wasserkocher entkalken", steps)
    post = world.ask(KONRAD, "Wasserkocher entkalken und spülen")
    with world.app.house.sessions() as session:
        passages = [p.text for p in session.query(Passage).all() if "Wasserkocher" in p.text]
    assert any(passage in post.reply.text for passage in passages)
    assert post.reply.links[0].url.startswith("/kb/articles/")


# --- rule 13: attachments ---------------------------------------------------------------------------------------------
def test_rule_13_a_file_is_kept_with_the_case_and_reaches_the_agent(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.ask(KONRAD, "Hier ist das Bild.", files=[File("bild.png", "image/png", b"png")])
    relayed = world.channel.at("desk", ticket)[-1].reply
    assert [(file.name, file.content) for file in relayed.files] == [("bild.png", b"png")]


def test_rule_13_an_agents_file_reaches_the_employee(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_says(MAREN, ticket, "Die Anleitung.", files=[File("a.pdf", "application/pdf", b"pdf")])
    assert [file.name for file in world.posts_to(KONRAD)[-1].reply.files] == ["a.pdf"]


@pytest.mark.parametrize("why", ["too_large", "not_loaded"])
def test_rule_13_a_file_that_was_not_kept_is_told(world: World, why: str) -> None:
    world.says(KONRAD, VPN_QUESTION, files=[File("video.mp4", "video/mp4", None, why)])
    answer, told = world.new_answers(KONRAD)
    assert "answer" in keys(answer.reply.text)
    assert "file_not_kept" in keys(told.reply.text)
    assert "video.mp4" in told.reply.text


# --- rule 14: edits and deletions -------------------------------------------------------------------------------------
def test_rule_14_an_edit_before_the_answer_is_what_is_answered(world: World) -> None:
    world.says(KONRAD, "Wie ist das Wetter?", source_id="m-1")
    world.says(KONRAD, VPN_QUESTION, edits="m-1")
    assert "answer" in keys(world.one_answer(KONRAD).reply.text)


def test_rule_14_an_edit_in_the_middle_of_a_burst_does_not_split_it(world: World) -> None:
    world.says(KONRAD, "VPN-Kleint starten", source_id="m-1")
    world.says(KONRAD, "VPN-Client starten", edits="m-1")
    world.says(KONRAD, "Profil Zentrale wählen")
    assert "answer" in keys(world.one_answer(KONRAD).reply.text)


def test_rule_14_what_was_deleted_before_the_answer_is_not_answered(world: World) -> None:
    world.says(KONRAD, VPN_QUESTION, source_id="m-1")
    world.says(KONRAD, "", deletes="m-1")
    assert world.new_answers(KONRAD) == []
    assert world.outcomes(KONRAD) == ["withdrawn", "recorded"]


def test_rule_14_agents_are_told_of_edits_and_deletions(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.says(KONRAD, "Raum 312", source_id="m-1")
    world.settle()
    world.says(KONRAD, "Raum 213", edits="m-1")
    world.settle()
    world.says(KONRAD, "", deletes="m-1")
    world.settle()
    assert world.thread(ticket)[-2] == "Raum 213"
    assert "agent_message_deleted" in keys(world.thread(ticket)[-1])
    assert [m.kind for m in world.messages() if m.kind in {Kind.EDIT, Kind.DELETION}] == [Kind.EDIT, Kind.DELETION]


def test_rule_14_nobody_changes_what_was_written_elsewhere(world: World) -> None:
    world.says(KONRAD, VPN_QUESTION, source_id="m-1")
    world.says(JETTE, "", deletes="m-1")
    assert "answer" in keys(world.one_answer(KONRAD).reply.text)


def test_rule_14_an_agents_deletion_is_an_event_of_the_ticket(world: World) -> None:
    ticket = world.ticket_for(KONRAD)
    world.agent_says(TOMASZ, ticket, "Falscher Fall.", source_id="a-1")
    world.agent_says(TOMASZ, ticket, "", deletes="a-1")
    assert world.events(ticket)[-1] == "deleted_message"
