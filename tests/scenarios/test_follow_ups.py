"""Follow-ups, long stories, choices that repeat, and the other language: what is searched and what is said."""

from collections.abc import Callable
from typing import Any

import pytest
from sentences import keys
from world import JETTE, KONRAD, OWEN, PRINTER_QUESTION, PRINTERS, UNKNOWN_QUESTION, VPN, VPN_QUESTION, World

from handoff.models import Kind, Reason

MAC = (
    "VPN einrichten auf dem Mac",
    "Auf dem Mac laden Sie Tunnelblick und starten den VPN-Client mit dem Profil Zentrale.",
)
STORY = (
    "Hallo zusammen, seit Montag sitze ich wieder am alten Platz neben der Tür. Am ersten Tag war "
    "noch alles in Ordnung und die Kollegin aus dem Einkauf brachte Kuchen. Gestern habe ich lange telefoniert und "
    "einiges abgelegt, was liegen geblieben war. Wie VPN-Client starten und Profil Zentrale wählen? "
    "Danke!\nViele Grüße\nKonrad Voßmann\nEinkauf, Tel. 4711"
)


def fill(world: World) -> None:
    """Articles about other things, so that the words of a question are rare."""
    for topic in ("Kaffee kochen", "Fahrrad parken", "Paket versenden", "Raum buchen", "Schlüssel abholen", "Licht"):
        world.publish(topic, f"{topic}: Aushang beachten, Pförtner fragen.")


def evidence(world: World) -> dict[str, Any]:
    """What is stored with the newest answer, question back or hand-over."""
    return [message.evidence for message in world.messages() if message.evidence][-1]


# --- follow-ups -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("text", ["Und auf dem Mac?", "Danke! Und auf dem Mac?", "auf dem Mac?"])
def test_a_follow_up_is_searched_with_the_question_before(world: World, text: str) -> None:
    article = world.publish(*MAC)
    world.ask(KONRAD, VPN_QUESTION)
    post = world.ask(KONRAD, text)
    assert MAC[0] in post.reply.text
    found = evidence(world)
    assert VPN_QUESTION in found["search"]["question"]
    assert "Mac" in found["search"]["question"]
    assert (found["asked"], found["follow_up"], found["articles"]) == (text, True, [article])
    assert world.conversation(KONRAD).memory["question"] == f"{VPN_QUESTION}\n{text}"


def test_a_follow_up_in_english(world: World) -> None:
    world.publish("Set up the VPN", "Start the VPN client and choose the profile Central.", "en")
    world.publish("Set up the VPN on Android", "On Android start the VPN client and choose the profile Central.", "en")
    assert "Set up the VPN**" in world.ask(OWEN, "Start the VPN client and choose the profile Central").reply.text
    assert "on Android" in world.ask(OWEN, "and on Android?").reply.text


def test_a_follow_up_that_is_answered_better_alone_is_a_question_of_its_own(world: World) -> None:
    world.publish("Badge", "Reisekostenabrechnung im Portal und auf Papier.")
    world.ask(KONRAD, VPN_QUESTION)
    assert "Badge" in world.ask(KONRAD, "und Reisekostenabrechnung im Portal?").reply.text
    assert world.conversation(KONRAD).memory["question"] == "und Reisekostenabrechnung im Portal?"


def test_a_new_question_is_not_searched_with_the_one_before(world: World) -> None:
    for article in PRINTERS:
        world.publish(*article)
    world.ask(KONRAD, VPN_QUESTION)
    world.ask(KONRAD, PRINTER_QUESTION)
    assert evidence(world)["search"]["question"] == PRINTER_QUESTION


def test_a_follow_up_nobody_can_answer_becomes_a_ticket_that_tells_the_whole_question(world: World) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    post = world.ask(KONRAD, "Und an Bord der Fähre?")
    while any(button.action == "skip" for button in post.reply.buttons):
        post = world.press(KONRAD, "skip")
    assert world.conversation(KONRAD).memory["question"] == f"{VPN_QUESTION}\nUnd an Bord der Fähre?"
    assert world.ticket().reason == Reason.UNKNOWN


def test_did_not_help_after_a_follow_up_is_about_the_follow_up(world: World) -> None:
    world.publish(*MAC)
    world.ask(KONRAD, VPN_QUESTION)
    world.ask(KONRAD, "Und auf dem Mac?")
    searched = evidence(world)["search"]["question"]
    world.press_only(KONRAD, "not_helped")
    world.new_answers(KONRAD)
    assert evidence(world)["search"]["question"] == searched
    assert evidence(world)["did_not_help"] is True


# --- long stories -----------------------------------------------------------------------------------------------------
def test_the_question_in_a_long_story_is_found_and_the_ticket_tells_the_whole_story(world: World) -> None:
    fill(world)
    assert VPN[0] in world.ask(KONRAD, STORY).reply.text
    found = evidence(world)
    assert found["search"]["question"] == "Wie VPN-Client starten und Profil Zentrale wählen?"
    assert len(found["searches"]) in {2, 3}
    assert found["searches"][found["search"]["question"]] == max(found["searches"].values())
    assert found["question"] == STORY
    world.press(KONRAD, "person")
    assert world.conversation(KONRAD).memory["question"] == STORY


def test_a_late_did_not_help_tells_the_ticket_the_whole_story(world: World) -> None:
    fill(world)
    world.ask(KONRAD, STORY)
    world.passes(hours=9)
    assert "receipt" in keys(world.press(KONRAD, "not_helped").reply.text)
    assert world.ticket().conversation.memory["question"] == STORY


# --- choices ----------------------------------------------------------------------------------------------------------
def test_choices_of_the_same_title_are_told_apart_and_chosen_by_their_label(world: World) -> None:
    fill(world)
    world.publish("Drucker FAQ", "# Flur\n\nDrucker einrichten: den Treiber bestätigen.")
    second = world.publish("Drucker FAQ", "# Zu Hause\n\nDrucker einrichten: das Kabel anschließen und warten.")
    post = world.ask(KONRAD, "Drucker einrichten Anleitung")
    labels = {button.label: button.value for button in post.reply.buttons if button.action == "choose"}
    assert {label for label in labels if "FAQ" in label} == {"Drucker FAQ: Flur", "Drucker FAQ: Zu Hause"}
    assert world.ask(KONRAD, "drucker faq: zu hause").reply.links[0].url == f"/kb/articles/{second}"


def test_an_article_imported_twice_is_offered_once(world: World) -> None:
    fill(world)
    for article in (PRINTERS[0], PRINTERS[0], PRINTERS[1]):
        world.publish(*article)
    post = world.ask(KONRAD, "Drucker einrichten Anleitung")
    labels = [button.label for button in post.reply.buttons if "Drucker" in button.label]
    assert sorted(labels) == [title for title, _ in PRINTERS]


def test_choices_for_the_third_time_are_a_person(world: World) -> None:
    for article in PRINTERS:
        world.publish(*article)
    said = [keys(world.ask(KONRAD, text).reply.text) for text in (PRINTER_QUESTION, "Drucker", "einrichten")]
    assert ["ask_back" in one for one in said] == [True, True, False]
    assert "ask_system" in said[2]


def test_an_urgent_question_is_not_asked_back(world: World) -> None:
    for article in PRINTERS:
        world.publish(*article)
    assert "receipt" in keys(world.ask(KONRAD, f"{PRINTER_QUESTION}, dringend!").reply.text)
    assert world.ticket().reason == Reason.URGENT


def test_a_rephrasing_with_frustration_brings_a_person(world: World) -> None:
    for article in PRINTERS:
        world.publish(*article)
    world.ask(KONRAD, PRINTER_QUESTION)
    assert "receipt_frustrated" in keys(world.ask(KONRAD, "Drucker einrichten, das nervt langsam").reply.text)
    assert PRINTER_QUESTION in world.conversation(KONRAD).memory["question"]


def test_a_new_question_after_two_answers_has_its_own_second_try(world: World) -> None:
    for title in ("VPN einrichten im Ausland", *[title for title, _ in PRINTERS]):
        world.publish(title, VPN[1] if "VPN" in title else dict(PRINTERS)[title])
    world.ask(KONRAD, "Drucker im Flur wählen und Treiber bestätigen")
    world.ask(KONRAD, VPN_QUESTION)
    assert "answer" in keys(world.press(KONRAD, "not_helped").reply.text)


# --- out of scope -----------------------------------------------------------------------------------------------------
def test_out_of_scope_is_pointed_away_without_a_ticket_unless_it_is_wanted(world: World) -> None:
    assert "out_of_scope" in keys(world.ask(KONRAD, "Wie wird das Wetter morgen in Kiel?").reply.text)
    assert world.tickets() == 0
    post = world.press(KONRAD, "ticket")
    while any(button.action == "skip" for button in post.reply.buttons):
        post = world.press(KONRAD, "skip")
    assert world.tickets() == 1


# --- the other language -----------------------------------------------------------------------------------------------
def test_what_is_only_there_in_the_other_language_is_marked_or_goes_to_a_person(
    make_world: Callable[..., World],
) -> None:
    world = make_world()
    world.publish("Start the VPN client", "VPN-Client starten und Profil Zentrale wählen", "en")
    post = world.ask(JETTE, VPN_QUESTION)
    answered = [message for message in world.messages() if message.kind in {Kind.ANSWER, Kind.ASK_BACK}]
    marked = [button.label for button in post.reply.buttons if button.action == "choose"]
    assert not answered or "answer_other_language" in keys(post.reply.text) or "auf Englisch" in "".join(marked)
    assert answered or "ask_system" in keys(post.reply.text)


def test_an_unknown_question_stays_unknown_however_it_is_searched(world: World) -> None:
    assert "ask_system" in keys(world.ask(KONRAD, f"Guten Tag, {UNKNOWN_QUESTION} Vielen Dank!").reply.text)
    assert evidence(world)["search"]["question"] == UNKNOWN_QUESTION
