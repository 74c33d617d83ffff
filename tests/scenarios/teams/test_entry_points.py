"""The chat with Lotse in Teams: what people see of it, and that the record is right."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from time import sleep

import pytest
from chat_records import Written, came_in, cases, outcomes
from fake_teams import Message
from fake_teams_activities import installation, members_changed
from sentences import keys
from teams_cards import author, heard, links, read, told
from teams_world import PUBLIC_URL, MakeTeamsWorld, TeamsWorld, actions
from world import INTENTS, UNKNOWN_QUESTION, VPN, VPN_QUESTION

from bot.texts import Texts
from handoff import inbox
from handoff.models import ConversationState, Reason
from nlu.embedded import EmbeddedUnderstander

WISH = "Ich möchte mit einem Menschen sprechen."
SURVEY = ["helped", "not_helped", "person"]
DE, DU, EN = Texts("de", "sie", "teams"), Texts("de", "du", "teams"), Texts("en", "sie", "teams")


def sentence(post: Message) -> set[str]:
    """Which sentences of the catalogue a post is."""
    return keys(read(post))


def last(world: TeamsWorld) -> Message:
    """What Konrad was told last."""
    return world.answers(world.konrad)[-1]


# --- answers ----------------------------------------------------------------------------------------------------------
def test_a_question_is_answered_with_its_source_and_review_date(teams: TeamsWorld) -> None:
    teams.asks(teams.konrad, VPN_QUESTION)
    (answer,) = teams.answers(teams.konrad)
    assert read(answer) == f"**{VPN[0]}**\n{VPN[1]}"
    (source,) = links(answer)
    assert re.fullmatch(r"Quelle: VPN einrichten \(Prüfdatum \d\d\.\d\d\.\d{4}\)", source)
    assert links(answer)[source] == f"{PUBLIC_URL}/kb/articles/1"
    assert actions(answer) == SURVEY
    assert came_in(teams) == [Written("Konrad Voßmann", "text", VPN_QUESTION, "answered", 1)]


def test_the_review_date_of_an_english_answer_is_written_as_english_people_do(teams: TeamsWorld) -> None:
    title, body = "Set up the scanner", "Plug the scanner in and install the blue driver."
    teams.publish(title, body, "en")
    teams.asks(teams.owen, "Plug the scanner in and install the blue driver")
    (answer,) = teams.answers(teams.owen)
    (source,) = links(answer)
    assert re.fullmatch(rf"Source: {title} \(review date \d{{1,2}} [A-Z][a-z]{{2}} {date.today().year}\)", source)  # noqa: DTZ011


def test_a_notification_tells_the_answer_without_any_formatting(teams: TeamsWorld) -> None:
    teams.asks(teams.konrad, VPN_QUESTION)
    answer = last(teams)
    assert answer.summary == f"{VPN[0]}: {VPN[1]}"
    teams.presses(teams.konrad, answer, "helped")
    teams.calm()
    assert "*" not in answer.summary
    assert "\n" not in answer.summary


def test_a_burst_is_answered_once(teams: TeamsWorld) -> None:
    teams.konrad.writes("VPN-Client starten")
    teams.konrad.writes("und Profil Zentrale wählen")
    teams.settle()
    assert [VPN[1] in text for text in heard(teams, teams.konrad)] == [True]
    assert [(one.outcome, one.case) for one in came_in(teams)] == [("answered", 1)] * 2


def test_what_follows_goes_on_with_the_case(teams: TeamsWorld) -> None:
    teams.asks(teams.konrad, VPN_QUESTION)
    teams.asks(teams.konrad, "Das hat nicht geholfen")
    assert "ask_system" in sentence(last(teams))
    teams.asks(teams.konrad, "Es ist das Tischtelefon.")
    assert "ask_since" in sentence(last(teams))
    teams.asks(teams.konrad, "Seit heute früh.")
    assert "receipt/sie" in sentence(last(teams))
    assert outcomes(teams) == ["answered", "asked_fact", "asked_fact", "ticket"]
    assert len(cases(teams)) == 1


def test_the_receipt_names_the_ticket_and_when_a_person_reacts(teams: TeamsWorld) -> None:
    teams.asks(teams.konrad, WISH)
    assert "receipt_asked_for_person/sie" in sentence(last(teams))
    assert f"**{teams.ticket().number}**" in read(last(teams))
    assert "heute bis 12:00 Uhr" in read(last(teams))
    assert (teams.ticket().requester.name, teams.ticket().reason) == ("Konrad Voßmann", Reason.ASKED_FOR_PERSON)
    assert outcomes(teams) == ["ticket"]


def test_after_the_end_a_question_is_a_new_case_linked_to_the_old_one(teams: TeamsWorld) -> None:
    teams.asks(teams.konrad, VPN_QUESTION)
    teams.asks(teams.konrad, "Das hat geholfen")
    assert "helped/sie" in sentence(last(teams))
    teams.asks(teams.konrad, VPN_QUESTION)
    first, second = cases(teams)
    assert (first.state, first.outcome) == (ConversationState.CLOSED, "confirmed")
    assert (second.state, second.previous_id) == (ConversationState.WITH_BOT, first.id)
    assert actions(last(teams)) == SURVEY


def test_what_nobody_commented_on_ends_by_itself(teams: TeamsWorld) -> None:
    teams.asks(teams.konrad, VPN_QUESTION)
    teams.clock.move(hours=80)
    teams.settle()
    assert len(teams.answers(teams.konrad)) == 1
    teams.asks(teams.konrad, UNKNOWN_QUESTION)
    assert [case.outcome for case in cases(teams)] == ["assumed", None]


def test_two_people_have_a_case_each_and_read_only_their_own(teams: TeamsWorld) -> None:
    teams.konrad.writes(VPN_QUESTION)
    teams.owen.writes("Start the VPN-Client and choose the Profil Zentrale")
    teams.settle()
    assert len(teams.answers(teams.konrad)) == len(teams.answers(teams.owen)) == 1
    assert [case.requester_id for case in cases(teams)] == [1, 2]


def test_a_wish_for_a_person_comes_to_the_open_case(teams: TeamsWorld) -> None:
    teams.asks(teams.konrad, VPN_QUESTION)
    teams.asks(teams.konrad, WISH)
    assert "receipt_asked_for_person" in sentence(last(teams))
    assert len(cases(teams)) == 1
    assert VPN_QUESTION in teams.words(teams.card())


def test_what_an_agent_writes_is_read_under_their_name(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    teams.maren.writes("Ich sehe mir das an.", thread=card)
    teams.settle()
    assert told(teams.answers(teams.konrad))[-1] == ("Maren Tiede", "Ich sehe mir das an.")
    assert last(teams).summary == "Maren Tiede: Ich sehe mir das an."
    teams.asks(teams.konrad, "Danke, Raum 213")
    assert told(teams.thread(card))[-1] == ("Konrad Voßmann", "Danke, Raum 213")
    assert author(last(teams)) == "Maren Tiede", "Lotse is silent"


# --- small talk -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("text", "key"), [("Hallo", "greeting"), ("Danke", "thanks")])
def test_small_talk_gets_a_word_back(teams: TeamsWorld, text: str, key: str) -> None:
    teams.asks(teams.konrad, text)
    assert [f"{key}/sie" in sentence(post) for post in teams.answers(teams.konrad)] == [True]
    assert outcomes(teams) == [key]


def test_a_question_about_the_weather_is_pointed_elsewhere(teams: TeamsWorld) -> None:
    teams.asks(teams.konrad, "Wie wird das Wetter morgen in Kiel?")
    assert "out_of_scope/sie" in sentence(last(teams))
    assert actions(last(teams)) == ["ticket", "person"]


# --- languages --------------------------------------------------------------------------------------------------------
def test_where_words_do_not_tell_the_language_of_their_teams_counts(teams: TeamsWorld) -> None:
    teams.asks(teams.konrad, "???")
    teams.asks(teams.owen, "???")
    assert "say_more/sie" in sentence(last(teams))
    assert "say_more/en" in sentence(teams.answers(teams.owen)[-1])


@pytest.mark.parametrize("locale", ["fr-FR", "", "x"])
def test_of_another_language_the_house_decides(teams: TeamsWorld, locale: str) -> None:
    aline = teams.fake.user("Aline Dupont", locale=locale)
    aline.writes("???")
    teams.settle()
    assert "say_more/sie" in sentence(teams.answers(aline)[-1])


def test_who_writes_english_is_answered_in_english_whatever_their_teams_speaks(teams: TeamsWorld) -> None:
    teams.asks(teams.konrad, "I would like to talk to a person, please.")
    assert "receipt_asked_for_person/en" in sentence(last(teams))
    teams.presses(teams.maren, teams.card(), "claim")
    assert "claimed/en" in sentence(last(teams)), "the whole case is English"


def test_who_writes_german_is_answered_in_german_whatever_their_teams_speaks(teams: TeamsWorld) -> None:
    teams.asks(teams.owen, WISH)
    assert "receipt_asked_for_person/sie" in sentence(teams.answers(teams.owen)[-1])


def test_the_house_can_say_du(make_teams_world: MakeTeamsWorld) -> None:
    teams = make_teams_world(language={"address": "du"})
    teams.konrad.installs()
    teams.asks(teams.konrad, "Hallo")
    hello, greeting = teams.answers(teams.konrad)
    assert DU("welcome_how") in teams.words(hello)
    assert "greeting/du" in sentence(greeting)


# --- the welcome ------------------------------------------------------------------------------------------------------
def welcomes(world: TeamsWorld) -> list[str]:
    """What stands in the welcomes that Konrad got."""
    world.settle()
    return [words for words in map(world.words, world.answers(world.konrad)) if DE("welcome_hello") in words]


def test_who_adds_lotse_is_greeted_in_their_language(teams: TeamsWorld) -> None:
    for person, texts in ((teams.konrad, DE), (teams.owen, EN)):
        assert all(delivery.ok for delivery in person.installs())
        teams.settle()
        (hello,) = teams.answers(person)
        assert hello.summary == texts("welcome_hello")
        assert all(texts(f"welcome_{part}") in teams.words(hello) for part in ("hello", "how", "person", "examples"))
        questions = [texts(f"welcome_question_{name}") for name in ("password", "vpn", "tickets")]
        assert [button.title for button in hello.buttons] == questions
    assert came_in(teams) == []


def test_the_two_events_of_one_installation_greet_once_also_when_they_come_again(teams: TeamsWorld) -> None:
    teams.konrad.installs()
    assert len(welcomes(teams)) == 1
    teams.restart()
    teams.konrad.installs()
    assert len(welcomes(teams)) == 1


def test_the_two_events_of_one_installation_at_the_same_moment_greet_once(teams: TeamsWorld) -> None:
    teams.asks(teams.konrad, "Hallo")  # the chat is known, so that both find it there
    state, konrad, room = teams.fake.state, teams.konrad.person, teams.konrad.room
    arrived = members_changed(state, konrad, room, added=[state.bot_id])
    events = [arrived, installation(state, konrad, room, "add")]
    with ThreadPoolExecutor(2) as pool:
        with teams.app.house.sessions.begin() as session:
            place = inbox.find_place(session, "teams", f"@{teams.konrad.id}", None)
            assert place is not None
            inbox.lock_place(session, place)
            deliveries = [pool.submit(teams.fake.deliver, event) for event in events]
            sleep(0.3)  # both have looked at the place, or wait for it
        assert all(delivery.result().ok for delivery in deliveries)
    assert len(welcomes(teams)) == 1


def test_who_adds_lotse_again_is_not_greeted_again_and_goes_on(teams: TeamsWorld) -> None:
    teams.konrad.installs()
    teams.asks(teams.konrad, VPN_QUESTION)
    teams.konrad.uninstalls()
    teams.konrad.installs()
    teams.asks(teams.konrad, "Das hat nicht geholfen")
    assert len(welcomes(teams)) == 1
    assert "ask_system" in sentence(last(teams))


def test_a_question_of_the_welcome_is_asked_with_a_press(teams: TeamsWorld) -> None:
    teams.konrad.installs()
    teams.settle()
    question = DE("welcome_question_tickets")
    teams.understander.teach(question, "ticket_status")
    teams.presses(teams.konrad, last(teams), question)
    assert [post.text for post in teams.fake.posts(teams.konrad) if post.author] == [question]
    assert "no_tickets/sie" in sentence(last(teams))


def test_the_questions_of_the_welcome_are_what_lotse_understands() -> None:
    understander = EmbeddedUnderstander()
    for texts in (DE, DU, EN):
        assert understander.parse(texts("welcome_question_tickets")).intent == "ticket_status"
        for name in ("password", "vpn"):
            assert understander.parse(texts(f"welcome_question_{name}")).intent not in {*INTENTS.values()}


def test_a_welcome_for_which_teams_asks_for_patience_comes_later(teams: TeamsWorld) -> None:
    teams.fake.faults.next(429, n=2, method="POST", path="*/activities", retry_after=1)
    assert all(delivery.ok for delivery in teams.konrad.installs())
    assert len(welcomes(teams)) == 1


def test_when_the_welcome_cannot_be_posted_the_installation_is_taken_all_the_same(teams: TeamsWorld) -> None:
    teams.fake.faults.next(403, method="POST", path="*/activities")
    assert all(delivery.ok for delivery in teams.konrad.installs())
    assert welcomes(teams) == []
    teams.asks(teams.konrad, VPN_QUESTION)
    assert VPN[1] in read(last(teams))


def test_added_to_a_team_lotse_is_silent(teams: TeamsWorld) -> None:
    team = teams.fake.team("Vertrieb", teams.konrad, installed=False)
    assert all(delivery.ok for delivery in teams.konrad.installs(team))
    teams.settle()
    assert teams.fake.said(team) == []
    assert teams.answers(teams.konrad) == []
