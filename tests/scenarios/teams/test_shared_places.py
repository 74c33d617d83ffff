"""Lotse where others read along in Teams, in group chats and channels: whom it hears, and where it answers."""

from copy import deepcopy

import pytest
from chat_records import Written, came_in, cases, events, outcomes
from fake_teams import Channel, Message
from sentences import keys
from teams_cards import links, mentioned, read, told
from teams_world import TeamsWorld, actions
from world import UNKNOWN_QUESTION, VPN, VPN_QUESTION

from bot.texts import Texts
from handoff.models import ConversationState, Reason

WISH = "Ich möchte mit einem Menschen sprechen."
SURVEY = ["helped", "not_helped", "person"]


@pytest.fixture
def group(teams: TeamsWorld) -> Channel:
    """A group chat of Konrad and Owen with Lotse."""
    return teams.fake.group(teams.konrad, teams.owen)


def sentences(posts: list[Message]) -> list[set[str]]:
    """Which sentences of the catalogue these posts are."""
    return [keys(read(post)) for post in posts]


# --- group chats ------------------------------------------------------------------------------------------------------
def test_a_mention_in_a_group_chat_is_answered_there_and_its_author_notified(teams: TeamsWorld, group: Channel) -> None:
    teams.konrad.writes(VPN_QUESTION, group, mention=True)
    teams.settle()
    (answer,) = teams.fake.said(group)
    assert teams.words(answer).startswith("<at>Konrad Voßmann</at>\n")
    assert mentioned(answer) == [teams.konrad.id]
    assert VPN[1] in read(answer)
    assert actions(answer) == SURVEY
    assert answer.summary.startswith(VPN[0]), "a notification does not begin with a name"
    assert came_in(teams) == [Written("Konrad Voßmann", "text", VPN_QUESTION, "answered", 1)]
    assert teams.answers(teams.konrad) == []


def test_only_the_mention_of_lotse_is_taken_out(teams: TeamsWorld, group: Channel) -> None:
    teams.konrad.writes(f"Hallo {teams.fake.at()}, {teams.owen.at} hat dasselbe: {UNKNOWN_QUESTION}", group)
    teams.settle()
    assert came_in(teams)[0].text == f"Hallo, @Owen Tallis hat dasselbe: {UNKNOWN_QUESTION}"


@pytest.mark.parametrize("rsc", [False, True])
def test_without_a_mention_a_group_chat_is_not_listened_to(teams: TeamsWorld, rsc: bool) -> None:
    """Also not by who has a case there, and whatever Teams brings."""
    group = teams.fake.group(teams.konrad, teams.owen, rsc=rsc)
    question = teams.konrad.writes(VPN_QUESTION, group, mention=True)
    teams.settle()
    private = teams.konrad.writes("Kommst du mit in die Kantine?", group)
    teams.konrad.edits(private, "Kommst du mit zum Italiener?")
    teams.konrad.deletes(private)
    teams.owen.writes("Gern!", group)
    teams.settle()
    assert len(teams.fake.said(group)) == 1
    assert [one.text for one in came_in(teams)] == [VPN_QUESTION]
    teams.konrad.edits(question, "ohne Erwähnung")
    teams.konrad.deletes(question)
    teams.settle()
    assert [one.kind for one in came_in(teams)] == ["text", "edit", "deletion"], "that one was said to Lotse"


def test_everybody_in_a_group_chat_has_a_case_of_their_own(teams: TeamsWorld, group: Channel) -> None:
    teams.konrad.writes(VPN_QUESTION, group, mention=True)
    teams.owen.writes("I would like to talk to a person, please.", group, mention=True)
    teams.settle()
    teams.konrad.writes("Das hat nicht geholfen", group, mention=True)
    teams.settle()
    posts = teams.fake.said(group)
    assert sorted(mentioned(post)[0] for post in posts) == sorted([teams.konrad.id, teams.owen.id, teams.konrad.id])
    assert (read(posts[-1]), mentioned(posts[-1])) == (Texts("de", "sie")("ask_system"), [teams.konrad.id])
    assert [(one.who, one.case) for one in came_in(teams)] == [
        ("Konrad Voßmann", 1),
        ("Owen Tallis", 2),
        ("Konrad Voßmann", 1),
    ]
    assert teams.ticket().requester.name == "Owen Tallis"


def test_a_press_of_a_colleague_in_a_group_chat_is_refused_and_changes_nothing(
    teams: TeamsWorld, group: Channel
) -> None:
    teams.konrad.writes(VPN_QUESTION, group, mention=True)
    teams.settle()
    (answer,) = teams.fake.said(group)
    for action in SURVEY:
        teams.owen.presses(answer, action)
    teams.settle()
    assert ["not_your_case/en" in keys(text) for text in teams.owen.told] == [True] * 3
    assert actions(answer) == SURVEY
    assert answer.shown == {}
    assert (len(teams.fake.said(group)), teams.tickets(), outcomes(teams)) == (1, 0, ["answered"])


def test_a_press_of_the_requester_in_a_group_chat_goes_on_with_their_case(teams: TeamsWorld, group: Channel) -> None:
    teams.konrad.writes(VPN_QUESTION, group, mention=True)
    teams.settle()
    (answer,) = teams.fake.said(group)
    teams.presses(teams.konrad, answer, "not_helped")
    teams.calm()
    assert actions(answer) == []
    assert mentioned(answer) == [teams.konrad.id]
    assert "ask_system" in sentences(teams.fake.said(group))[-1]
    assert [(one.kind, one.case) for one in came_in(teams)] == [("text", 1), ("press", 1)]


def test_a_ticket_from_a_group_chat_is_worked_on_there(teams: TeamsWorld, group: Channel) -> None:
    teams.konrad.writes(WISH, group, mention=True)
    teams.settle()
    card = teams.card()
    teams.maren.writes("Welcher Raum?", thread=card)
    teams.settle()
    reply = teams.fake.said(group)[-1]
    assert told([reply]) == [("Maren Tiede", "Welcher Raum?")]
    assert mentioned(reply) == [teams.konrad.id]
    teams.konrad.writes("Raum 213", group, mention=True)
    teams.owen.writes("Mine, too.", group)
    teams.settle()
    assert told(teams.thread(card))[-1] == ("Konrad Voßmann", "Raum 213")


def test_a_mention_alone_is_asked_what_it_is_about(teams: TeamsWorld, group: Channel) -> None:
    teams.konrad.writes("", group, mention=True)
    question = teams.owen.writes("", teams.general, mention=True)
    teams.settle()
    assert ["say_more/sie" in found for found in sentences(teams.fake.said(group))] == [True]
    assert ["say_more/en" in found for found in sentences(teams.fake.said(teams.general, question))] == [True]


def test_own_tickets_are_not_listed_where_others_read(teams: TeamsWorld, group: Channel) -> None:
    teams.asks(teams.konrad, "Ich habe auf einen Phishing-Link geklickt")
    teams.konrad.writes("status?", group, mention=True)
    question = teams.konrad.writes("status?", teams.general, mention=True)
    teams.settle()
    for answer in (teams.fake.said(group)[-1], teams.fake.said(teams.general, question)[-1]):
        assert "tickets_not_here/sie" in keys(read(answer))
    assert teams.ticket().number not in "".join(
        teams.words(post) for post in (*teams.fake.said(group), *teams.fake.said(teams.general))
    )


# --- channels ---------------------------------------------------------------------------------------------------------
def asked(world: TeamsWorld, text: str = VPN_QUESTION, channel: Channel | None = None) -> Message:
    """Konrad has asked in a channel and was answered."""
    question = world.konrad.writes(text, channel or world.general, mention=True)
    world.settle()
    return question


def test_a_mention_in_a_channel_is_answered_in_its_thread(teams: TeamsWorld) -> None:
    question = asked(teams)
    (answer,) = teams.fake.said(teams.general)
    assert (answer.root, actions(answer)) == (question.id, SURVEY)
    assert VPN[1] in read(answer)
    assert mentioned(answer) == [], "in a thread one sees whom an answer is for"
    assert came_in(teams) == [Written("Konrad Voßmann", "text", VPN_QUESTION, "answered", 1)]
    assert teams.answers(teams.konrad) == []


def test_a_mention_in_somebody_elses_thread_is_answered_there(teams: TeamsWorld) -> None:
    root = teams.owen.writes("Has anybody a working VPN?", teams.general)
    reply = teams.konrad.writes(f"Frag doch {teams.fake.at()}: {VPN_QUESTION}", thread=root)
    teams.settle()
    (answer,) = teams.fake.said(teams.general)
    assert (reply.root, answer.root) == (root.id, root.id)
    assert came_in(teams)[0].who == "Konrad Voßmann"


def test_without_a_mention_a_channel_is_not_listened_to(teams: TeamsWorld) -> None:
    said = teams.konrad.writes(VPN_QUESTION, teams.general)
    teams.owen.writes("Me too", thread=said)
    teams.konrad.edits(said, f"{VPN_QUESTION}!")
    teams.konrad.deletes(said)
    teams.settle()
    assert [delivery.ok for delivery in teams.fake.deliveries] == [True] * 4, "Teams brings everything, with RSC"
    assert teams.fake.said(teams.general) == []
    assert came_in(teams) == []


def test_in_an_open_thread_its_requester_is_heard_without_a_mention_and_others_are_not(teams: TeamsWorld) -> None:
    question = asked(teams)
    teams.owen.writes("Same for me", thread=question)
    teams.settle()
    assert len(teams.fake.said(teams.general)) == 1
    teams.konrad.writes("Das hat nicht geholfen", thread=question)
    teams.settle()
    assert "ask_system" in sentences(teams.fake.said(teams.general, question))[1]
    assert outcomes(teams) == ["answered", "asked_fact"]


def test_where_the_team_did_not_agree_each_message_needs_a_mention(teams: TeamsWorld) -> None:
    team = teams.fake.team("Vertrieb", teams.konrad, rsc=False)
    question = teams.konrad.writes(VPN_QUESTION, team, mention=True)
    teams.settle()
    teams.konrad.writes("Das hat nicht geholfen", thread=question)
    teams.settle()
    assert outcomes(teams) == ["answered"]
    teams.konrad.writes("Das hat nicht geholfen", thread=question, mention=True)
    teams.settle()
    assert outcomes(teams) == ["answered", "asked_fact"]


def test_a_colleague_who_mentions_lotse_takes_part_in_the_case(teams: TeamsWorld) -> None:
    question = asked(teams)
    teams.owen.writes(UNKNOWN_QUESTION, thread=question, mention=True)
    teams.settle()
    assert [post.root for post in teams.fake.said(teams.general)] == [question.id] * 2
    assert [(one.who, one.case) for one in came_in(teams)] == [("Konrad Voßmann", 1), ("Owen Tallis", 1)]
    assert [case.requester_id for case in cases(teams)] == [1]


def test_what_the_requester_is_asked_is_theirs_to_answer(teams: TeamsWorld) -> None:
    question = asked(teams, "Die Telefonanlage klingelt.")
    (fact,) = teams.fake.said(teams.general, question)
    assert "ask_system" in keys(read(fact))
    teams.owen.writes(VPN_QUESTION, thread=question, mention=True)
    teams.settle()
    assert "not_your_case" in keys(read(teams.fake.said(teams.general, question)[-1]))
    teams.konrad.presses(fact, "skip")
    teams.settle()
    assert outcomes(teams)[-2:] == ["not_your_case", "asked_fact"]


def test_a_colleague_who_only_names_lotse_learns_nothing_of_the_ticket(teams: TeamsWorld) -> None:
    question = asked(teams, WISH)
    teams.owen.writes("", thread=question, mention=True)
    teams.settle()
    said = [read(post) for post in teams.fake.said(teams.general, question)]
    assert teams.ticket().number not in said[-1]
    assert "not_your_case" in keys(said[-1])


def test_a_colleagues_alarm_brings_a_person_whatever_the_requester_is_asked(teams: TeamsWorld) -> None:
    question = asked(teams, "Die Telefonanlage klingelt.")
    teams.owen.writes("The salary of everybody is readable there", thread=question, mention=True)
    teams.settle()
    assert teams.tickets() == 1
    assert teams.ticket().reason == Reason.SENSITIVE


def test_a_colleague_does_not_change_the_language_of_the_case(teams: TeamsWorld) -> None:
    question = asked(teams)
    teams.owen.writes("English, please", thread=question, mention=True)
    teams.owen.writes("How do I set up the VPN client on my phone?", thread=question, mention=True)
    teams.settle()
    assert [case.language for case in cases(teams)] == ["de"]


def test_what_a_colleague_adds_by_a_mention_reaches_the_agents_under_their_name(teams: TeamsWorld) -> None:
    question = asked(teams, WISH)
    teams.owen.writes("It is the same in room 214.", thread=question, mention=True)
    teams.settle()
    assert told(teams.thread(teams.card()))[-1] == ("Owen Tallis", "It is the same in room 214.")


def test_a_colleague_in_a_thread_can_neither_cancel_nor_see_the_tickets(teams: TeamsWorld) -> None:
    question = asked(teams, WISH)
    for words in ("abbrechen", "ja"):
        teams.owen.writes(words, thread=question, mention=True)
        teams.settle()
    assert teams.ticket().is_open
    number = teams.ticket().number
    other = teams.konrad.writes(VPN_QUESTION, teams.general, mention=True)
    teams.settle()
    teams.owen.writes("status?", thread=other, mention=True)
    teams.settle()
    said = [read(post) for post in teams.fake.said(teams.general, other)]
    assert number not in "".join(said)
    assert "not_your_case" in keys(said[-1])


def test_a_press_of_a_colleague_in_a_channel_is_refused(teams: TeamsWorld) -> None:
    question = asked(teams)
    (answer,) = teams.fake.said(teams.general, question)
    teams.owen.presses(answer, "person")
    teams.owen.presses(answer, "not_helped", old_client=True)
    teams.settle()
    assert ["not_your_case/en" in keys(text) for text in teams.owen.told] == [True]
    assert "not_your_case/en" in keys(read(teams.fake.said(teams.general, question)[-1])), "an old client shows nothing"
    assert (actions(answer), teams.tickets()) == (SURVEY, 0)


def test_an_old_button_of_somebody_else_opens_nothing(teams: TeamsWorld) -> None:
    question = asked(teams)
    (answer,) = teams.fake.said(teams.general, question)
    teams.clock.move(hours=80)
    teams.settle()
    teams.presses(teams.owen, answer, "not_helped")
    assert teams.tickets() == 0
    assert len(teams.owen.told) == 1
    assert [case.state for case in cases(teams)] == [ConversationState.CLOSED]


def test_a_mention_that_is_added_later_is_answered_once(teams: TeamsWorld) -> None:
    said = teams.konrad.writes(VPN_QUESTION, teams.general)
    teams.settle()
    assert teams.fake.said(teams.general) == []
    teams.clock.move(minutes=10)
    for text in (VPN_QUESTION, f"{VPN_QUESTION}!"):
        teams.konrad.edits(said, f"{teams.fake.at()} {text}")
        teams.settle()
    (answer,) = teams.fake.said(teams.general)
    assert (answer.root, VPN[1] in read(answer)) == (said.id, True)
    assert outcomes(teams) == ["answered", "recorded", "recorded"]


def test_agents_are_told_where_others_read_what_they_write(teams: TeamsWorld) -> None:
    asked(teams, WISH)
    in_public = read(teams.card())
    assert Texts("de", "sie")("card_others_read") in in_public
    teams.asks(teams.owen, "A person, please")
    assert Texts("de", "sie")("card_others_read") not in read(teams.card())


def test_a_ticket_from_a_channel_is_worked_on_in_its_thread(teams: TeamsWorld) -> None:
    question = asked(teams, WISH)
    card = teams.card()
    teams.maren.writes("Ich sehe mir das an.", thread=card)
    teams.settle()
    teams.konrad.writes("Danke, Raum 213", thread=question)
    teams.settle()
    receipt, reply = teams.fake.said(teams.general, question)
    assert "receipt_asked_for_person" in keys(read(receipt))
    assert told([reply]) == [("Maren Tiede", "Ich sehe mir das an.")]
    assert told(teams.thread(card))[-1] == ("Konrad Voßmann", "Danke, Raum 213")
    way = links(teams.card())[Texts("de", "sie")("link_requester")]
    assert way.startswith("https://teams.microsoft.com/l/message/")
    assert f"/{question.id}?" in way
    assert f"groupId={teams.company.group_id}" in way
    assert events(teams)[-1] == "requester_wrote"


def test_what_another_bot_writes_is_not_answered(teams: TeamsWorld) -> None:
    teams.konrad.writes(VPN_QUESTION, teams.general, mention=True)
    activity = teams.fake.activity_of(teams.fake.posts(teams.general)[0])
    told_by = {"id": "28:5d3c2b1a-0000-0000-0000-00000000beef", "name": "Wetterbot"}
    other = {**deepcopy(activity), "id": "1795424999999", "from": told_by}
    assert teams.fake.deliver(other).ok
    teams.settle()
    assert [one.who for one in came_in(teams)] == ["Konrad Voßmann"]


# --- help channels ----------------------------------------------------------------------------------------------------
def test_in_a_help_channel_every_new_post_is_answered_in_its_thread(teams: TeamsWorld) -> None:
    first = teams.konrad.writes(VPN_QUESTION, teams.help)
    teams.settle()
    second = teams.konrad.writes(VPN_QUESTION, teams.help)
    teams.settle()
    assert [(post.root, actions(post)) for post in teams.fake.said(teams.help)] == [
        (first.id, SURVEY),
        (second.id, SURVEY),
    ]
    assert len(cases(teams)) == 2


def test_in_a_help_channel_a_colleagues_reply_is_left_alone_and_the_requester_heard(teams: TeamsWorld) -> None:
    question = teams.konrad.writes(VPN_QUESTION, teams.help)
    teams.settle()
    teams.owen.writes("Restart it.", thread=question)
    teams.settle()
    assert len(teams.fake.said(teams.help)) == 1
    teams.konrad.writes("Das hat nicht geholfen", thread=question)
    teams.settle()
    assert "ask_system" in sentences(teams.fake.said(teams.help, question))[1]
    assert [one.who for one in came_in(teams)] == ["Konrad Voßmann"] * 2


def test_in_a_help_channel_the_edit_of_an_old_post_is_no_new_question(teams: TeamsWorld) -> None:
    """One from before Lotse was there, or that it did not get."""
    old = teams.konrad.writes(VPN_QUESTION, teams.help, deliver=False)
    teams.clock.move(hours=2)
    teams.konrad.edits(old, f"{VPN_QUESTION} (gelöst)")
    teams.settle()
    assert teams.fake.said(teams.help) == []
    assert came_in(teams) == []


def test_in_a_help_channel_an_edit_that_overtakes_its_post_is_answered_once(teams: TeamsWorld) -> None:
    question = teams.konrad.writes("Der Drucker geht nicht", teams.help, deliver=False)
    late = teams.konrad._as_brought(question)
    teams.clock.move(seconds=1)
    teams.konrad.edits(question, VPN_QUESTION)
    teams.fake.deliver(late)
    teams.settle()
    (answer,) = teams.fake.said(teams.help)
    assert (answer.root, VPN[1] in read(answer)) == (question.id, True)
