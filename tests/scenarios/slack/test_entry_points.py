"""Every way to Lotse in Slack: what people see of it, and that the record is right."""

from typing import Any, Literal

import pytest
from chat_records import Written, came_in, cases, files, outcomes
from fake_slack import Message, RefusedByClientError, Upload
from fake_slack_things import Channel
from sentences import keys
from slack_harness import seen
from slack_world import MakeSlackWorld, SlackWorld, actions, words
from world import UNKNOWN_QUESTION, VPN, VPN_QUESTION

from bot.texts import Texts
from handoff.models import ConversationState, Reason

WISH = "Ich möchte mit einem Menschen sprechen."
SURVEY = ["helped", "not_helped", "person"]
SCREEN = "Mein Bildschirm flackert seit heute."


@pytest.fixture
def world(make_slack_world: MakeSlackWorld) -> SlackWorld:
    return make_slack_world("http")


def sentences(posts: list[Message]) -> list[set[str]]:
    """Which sentences of the catalogue these posts are."""
    return [sentence(post) for post in posts]


def sentence(post: Message) -> set[str]:
    return keys(seen(post).text)


def fields(world: SlackWorld, view: dict[str, Any]) -> dict[str, Any]:
    """The fields of a form with what is filled in."""
    inputs = [block["element"] for block in view["blocks"] if block["type"] == "input"]
    return {one["action_id"]: one.get("initial_value") or one.get("initial_user") for one in inputs}


# --- direct messages --------------------------------------------------------------------------------------------------
def test_a_direct_message_is_answered_in_its_thread(slack: SlackWorld) -> None:
    question = slack.asks(slack.konrad, VPN_QUESTION)
    (answer,) = slack.answers(slack.konrad)
    assert (answer.thread_ts, actions(answer)) == (question.ts, SURVEY)
    assert VPN[1] in words(answer)
    assert "/kb/articles/1|Quelle: VPN einrichten" in str(answer.blocks)
    assert came_in(slack) == [Written("Konrad Voßmann", "text", VPN_QUESTION, "answered", 1)]


def test_what_follows_in_the_thread_goes_on_with_the_case(world: SlackWorld) -> None:
    question = world.asks(world.konrad, VPN_QUESTION)
    world.konrad.dm("Das hat nicht geholfen", question)
    world.settle()
    assert "ask_system" in sentences(world.answers(world.konrad))[1]
    assert {post.thread_ts for post in world.answers(world.konrad)} == {question.ts}
    assert len(cases(world)) == 1


def test_within_a_quarter_of_an_hour_a_message_outside_the_thread_goes_on_with_the_case(world: SlackWorld) -> None:
    question = world.asks(world.konrad, VPN_QUESTION)
    world.clock.move(minutes=14)
    world.asks(world.konrad, "Das hat nicht geholfen")
    assert [post.thread_ts for post in world.answers(world.konrad)] == [question.ts] * 2
    assert len(cases(world)) == 1


def test_later_it_is_a_new_case_in_a_thread_of_its_own(world: SlackWorld) -> None:
    first = world.asks(world.konrad, VPN_QUESTION)
    world.clock.move(minutes=16)
    second = world.asks(world.konrad, VPN_QUESTION)
    assert [post.thread_ts for post in world.answers(world.konrad)] == [first.ts, second.ts]
    assert [case.state for case in cases(world)] == [ConversationState.WITH_BOT] * 2


def test_a_burst_outside_any_thread_is_answered_once(slack: SlackWorld) -> None:
    first = slack.konrad.dm("VPN-Client starten")
    slack.konrad.dm("und Profil Zentrale wählen")
    slack.settle()
    (answer,) = slack.answers(slack.konrad)
    assert answer.thread_ts == first.ts
    assert VPN[1] in words(answer)
    assert [(one.outcome, one.case) for one in came_in(slack)] == [("answered", 1)] * 2


def test_two_people_have_a_case_each(world: SlackWorld) -> None:
    world.konrad.dm(VPN_QUESTION)
    world.owen.dm("Start the VPN-Client and choose the Profil Zentrale")
    world.settle()
    assert len(world.answers(world.konrad)) == len(world.answers(world.owen)) == 1
    assert len(cases(world)) == 2


def test_small_talk_in_a_direct_message_gets_a_word_back(world: SlackWorld) -> None:
    world.asks(world.konrad, "Hallo")
    assert ["greeting" in found for found in sentences(world.answers(world.konrad))] == [True]


# --- mentions and channels --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("first", ["message", "app_mention"])
def test_the_two_events_of_a_mention_are_answered_once_in_its_thread(
    slack: SlackWorld, first: Literal["message", "app_mention"]
) -> None:
    question = slack.konrad.mentions(slack.general, VPN_QUESTION, first=first)
    slack.settle()
    (answer,) = slack.fake.said(slack.general)
    assert answer.thread_ts == question.ts
    assert VPN[1] in words(answer)
    assert came_in(slack) == [Written("Konrad Voßmann", "text", VPN_QUESTION, "answered", 1)]
    assert slack.answers(slack.konrad) == []


def test_without_a_mention_a_channel_is_not_listened_to(world: SlackWorld) -> None:
    said = world.konrad.posts(world.general, VPN_QUESTION)
    world.owen.posts(world.general, "Me too", said)
    world.settle()
    assert world.fake.said(world.general) == []
    assert came_in(world) == []


def test_in_an_open_thread_its_requester_is_heard_without_a_mention(world: SlackWorld) -> None:
    question = mentioned(world)
    world.konrad.posts(world.general, "Das hat nicht geholfen", question)
    world.settle()
    assert "ask_system" in sentences(world.fake.said(world.general, question))[1]
    assert outcomes(world) == ["answered", "asked_fact"]


def test_in_an_open_thread_others_are_not_heard(world: SlackWorld) -> None:
    question = mentioned(world)
    world.owen.posts(world.general, "Same for me", question)
    world.settle()
    assert len(world.fake.said(world.general)) == 1
    assert outcomes(world) == ["answered"]


def test_a_colleague_who_mentions_lotse_in_a_thread_takes_part_in_its_case(world: SlackWorld) -> None:
    question = mentioned(world)
    world.owen.mentions(world.general, UNKNOWN_QUESTION, question)
    world.settle()
    posts = world.fake.said(world.general)
    assert [post.thread_ts for post in posts] == [question.ts] * 2
    assert [(one.who, one.case) for one in came_in(world)] == [("Konrad Voßmann", 1), ("Owen Tallis", 1)]
    assert [case.requester_id for case in cases(world)] == [1]


def test_what_a_colleague_adds_by_a_mention_reaches_the_agents_under_their_name(world: SlackWorld) -> None:
    question = mentioned(world, WISH)
    world.owen.mentions(world.general, "It is the same in room 214.", question)
    world.settle()
    assert told(world.thread(world.card()))[-1] == ("Owen Tallis", "It is the same in room 214.")


def test_a_mention_that_is_added_later_is_answered_once(world: SlackWorld) -> None:
    said = world.konrad.posts(world.general, VPN_QUESTION)
    world.settle()
    assert world.fake.said(world.general) == []
    world.konrad.edits(said, f"<@{world.fake.bot.user_id}> {VPN_QUESTION}")
    world.settle()
    world.konrad.edits(said, f"<@{world.fake.bot.user_id}> {VPN_QUESTION}!")
    world.settle()
    (answer,) = world.fake.said(world.general)
    assert (answer.thread_ts, VPN[1] in words(answer)) == (said.ts, True)


def test_in_a_help_channel_every_new_message_is_answered_in_its_thread(slack: SlackWorld) -> None:
    question = slack.konrad.posts(slack.help, VPN_QUESTION)
    slack.settle()
    (answer,) = slack.fake.said(slack.help)
    assert (answer.thread_ts, actions(answer)) == (question.ts, SURVEY)


def test_in_a_help_channel_a_colleagues_reply_is_left_alone_and_the_requester_heard(world: SlackWorld) -> None:
    question = world.konrad.posts(world.help, VPN_QUESTION)
    world.settle()
    world.owen.posts(world.help, "Restart it.", question)
    world.settle()
    assert len(world.fake.said(world.help)) == 1
    world.konrad.posts(world.help, "Das hat nicht geholfen", question)
    world.settle()
    assert "ask_system" in sentences(world.fake.said(world.help, question))[1]
    assert [one.who for one in came_in(world)] == ["Konrad Voßmann"] * 2


def test_each_message_in_a_help_channel_is_a_case_of_its_own(world: SlackWorld) -> None:
    """Only direct messages go on with the last case: in a channel, people see which thread they write in."""
    first = world.konrad.posts(world.help, VPN_QUESTION)
    world.settle()
    second = world.konrad.posts(world.help, VPN_QUESTION)
    world.settle()
    assert [post.thread_ts for post in world.fake.said(world.help)] == [first.ts, second.ts]
    assert len(cases(world)) == 2


def test_a_ticket_from_a_channel_is_worked_on_in_its_thread(slack: SlackWorld) -> None:
    question = mentioned(slack, WISH)
    card = slack.card()
    slack.maren.posts(slack.desk, "Ich sehe mir das an.", card)
    slack.settle()
    slack.konrad.posts(slack.general, "Danke, Raum 213", question)
    slack.settle()
    receipt, reply = slack.fake.said(slack.general, question)
    assert "receipt_asked_for_person" in sentence(receipt)
    assert (reply.username, words(reply)) == ("Maren Tiede", "Ich sehe mir das an.")
    assert told(slack.thread(card))[-1] == ("Konrad Voßmann", "Danke, Raum 213")
    link = f"archives/{slack.general.id}/p{question.ts.replace('.', '')}"
    assert link in str(slack.card().blocks)


def mentioned(world: SlackWorld, text: str = VPN_QUESTION, channel: Channel | None = None) -> Message:
    """Konrad has asked in a channel and was answered."""
    question = world.konrad.mentions(channel or world.general, text)
    world.settle()
    return question


def told(posts: list[Message]) -> list[tuple[str | None, str]]:
    """Who says what in these posts."""
    return [(post.username, words(post)) for post in posts]


# --- the message shortcut ---------------------------------------------------------------------------------------------
def test_the_message_shortcut_opens_a_form_with_author_and_words_filled_in(slack: SlackWorld) -> None:
    said = slack.konrad.posts(slack.general, SCREEN)
    slack.maren.message_shortcut("open_ticket", said)
    view = slack.form(slack.maren).view
    assert view["title"]["text"] == Texts("de", "sie", "slack")("open_ticket_title")
    assert fields(slack, view) == {"requester": slack.konrad.id, "summary": SCREEN, "note": None}


def test_a_ticket_on_a_message_is_its_authors_and_takes_the_whole_thread_along(slack: SlackWorld) -> None:
    said = slack.konrad.posts(slack.general, SCREEN)
    slack.owen.posts(slack.general, "Mine, too.", said, [Upload("photo.png", b"\x89PNG", "image/png")])
    slack.owen.message_shortcut("open_ticket", said)
    slack.owen.submits(slack.form(slack.owen))
    slack.settle()
    (receipt,) = slack.fake.said(slack.general)
    assert (receipt.thread_ts, "receipt_for_somebody" in sentence(receipt)) == (said.ts, True)
    assert "Owen Tallis hat dazu um ein Ticket für Konrad Voßmann gebeten" in words(slack.thread(slack.card())[0])
    ticket = slack.ticket()
    assert (ticket.requester.name, ticket.summary, ticket.reason) == ("Konrad Voßmann", SCREEN, Reason.ASKED_FOR_PERSON)
    transcript = words(slack.thread(slack.card())[0])
    assert "Konrad Voßmann" in transcript
    assert SCREEN in transcript
    assert "Owen Tallis" in transcript
    assert "Mine, too." in transcript
    assert "photo.png" in transcript
    assert files(slack) == [("photo.png", b"\x89PNG", None)]


def test_after_a_ticket_on_a_message_its_author_is_heard_in_the_thread(world: SlackWorld) -> None:
    said = ticket_on_a_message(world)
    world.konrad.posts(world.general, "Raum 213", said)
    world.owen.posts(world.general, "Try another cable.", said)
    world.settle()
    assert told(world.thread(world.card()))[-1] == ("Konrad Voßmann", "Raum 213")


def test_a_note_in_the_form_reaches_the_agents_and_never_the_requester(world: SlackWorld) -> None:
    said = world.konrad.posts(world.general, "Bildschirm flackert")
    world.owen.message_shortcut("open_ticket", said)
    world.owen.submits(world.form(world.owen), {"note": "geheim-4711"})
    world.settle()
    world.konrad.command("/helpdesk", "status")
    world.konrad.opens_home()
    world.asks(world.konrad, "status?")
    assert world.konrad.home is not None
    assert "geheim-4711" not in str(world.konrad.home.view)
    assert not [post for post in world.fake.seen_by(world.konrad) if "geheim-4711" in str(post)]
    assert world.ticket().summary == "Bildschirm flackert"
    notes = [post for post in world.thread(world.card()) if post.username == "Owen Tallis"]
    assert [words(post) for post in notes] == ["🔒 geheim-4711"]


def test_the_form_can_name_somebody_else(world: SlackWorld) -> None:
    said = world.owen.posts(world.general, "Konrad's screen flickers.")
    world.owen.message_shortcut("open_ticket", said)
    world.owen.submits(world.form(world.owen), {"requester": world.konrad.id, "summary": "Bildschirm flackert"})
    world.settle()
    assert (world.ticket().requester.name, world.ticket().summary) == ("Konrad Voßmann", "Bildschirm flackert")


def test_where_lotse_is_not_a_member_the_ticket_is_told_in_direct_messages(world: SlackWorld) -> None:
    random = world.fake.channel("random", world.konrad, world.owen, app=False)
    said = world.konrad.posts(random, SCREEN)
    world.owen.message_shortcut("open_ticket", said)
    world.owen.submits(world.form(world.owen))
    world.settle()
    assert world.fake.said(random) == []
    about, receipt = world.answers(world.konrad)
    assert SCREEN in words(about)
    assert "receipt_asked_for_person" in sentence(receipt)
    assert receipt.thread_ts == about.ts
    assert world.ticket().requester.name == "Konrad Voßmann"


def test_a_message_in_somebody_elses_case_gets_a_ticket_of_its_own(world: SlackWorld) -> None:
    question = mentioned(world)
    reply = world.owen.posts(world.general, "My screen flickers, by the way.", question)
    world.maren.message_shortcut("open_ticket", reply)
    world.maren.submits(world.form(world.maren))
    world.settle()
    assert world.ticket().requester.name == "Owen Tallis"
    assert "receipt_asked_for_person" in sentences(world.answers(world.owen))[-1]
    assert len(world.fake.said(world.general, question)) == 1
    assert [case.state for case in cases(world)] == [
        ConversationState.WITH_BOT,
        ConversationState.WAITING_FOR_PERSON,
    ]


def test_a_second_ticket_on_the_same_message_is_not_opened(world: SlackWorld) -> None:
    said = ticket_on_a_message(world)
    world.owen.message_shortcut("open_ticket", said)
    world.owen.submits(world.form(world.owen))
    world.settle()
    assert world.tickets() == 1
    assert "added" in sentences(world.fake.said(world.general, said))[-1]
    assert "agent_form_added" in sentences(world.thread(world.card()))[-1]


def test_a_ticket_for_somebody_else_on_an_own_direct_message_is_told_to_them(world: SlackWorld) -> None:
    said = world.asks(world.maren, "Konrads Bildschirm flackert seit heute.")
    before = len(world.answers(world.maren))
    world.maren.message_shortcut("open_ticket", said)
    world.maren.submits(world.form(world.maren), {"requester": world.konrad.id})
    world.settle()
    assert "receipt_asked_for_person" in sentences(world.answers(world.konrad))[-1]
    assert len(world.answers(world.maren)) == before


def test_a_message_between_two_people_can_become_a_ticket(world: SlackWorld) -> None:
    """Lotse is not in their direct messages and cannot read them; Slack brings the one message."""
    theirs = world.fake.channel("konrad-owen", world.konrad, world.owen, kind="im", app=False)
    theirs.id = theirs.id.replace("C", "D", 1)
    world.fake.state.channels[theirs.id] = theirs
    said = world.konrad.posts(theirs, SCREEN)
    world.owen.message_shortcut("open_ticket", said)
    world.owen.submits(world.form(world.owen))
    world.settle()
    assert "receipt_asked_for_person" in sentences(world.answers(world.konrad))[-1]
    assert world.ticket().summary == SCREEN


def test_what_a_form_of_a_message_lacks_is_told_in_it(world: SlackWorld) -> None:
    said = world.konrad.posts(world.general, SCREEN)
    world.owen.message_shortcut("open_ticket", said)
    form = world.form(world.owen)
    world.owen.submits(form, {"summary": "   "})
    assert form.open
    assert world.tickets() == 0


def ticket_on_a_message(world: SlackWorld) -> Message:
    """Owen opens a ticket on what Konrad wrote in a channel."""
    said = world.konrad.posts(world.general, SCREEN)
    world.owen.message_shortcut("open_ticket", said)
    world.owen.submits(world.form(world.owen))
    world.settle()
    return said


# --- the global shortcut ----------------------------------------------------------------------------------------------
def test_the_global_shortcut_asks_and_is_answered_in_direct_messages(slack: SlackWorld) -> None:
    slack.konrad.global_shortcut("ask_helpdesk")
    slack.konrad.submits(slack.form(slack.konrad), {"question": VPN_QUESTION})
    slack.settle()
    asked, answer = slack.answers(slack.konrad)
    assert (asked.thread_ts, answer.thread_ts) == (None, asked.ts)
    assert words(asked) == Texts("de", "sie")("you_asked", text=VPN_QUESTION)
    assert VPN[1] in words(answer)
    slack.konrad.dm("Das hat nicht geholfen", asked)
    slack.settle()
    assert len(slack.answers(slack.konrad)) == 3
    assert len(cases(slack)) == 1


def test_with_a_person_at_once_the_global_shortcut_opens_a_ticket(slack: SlackWorld) -> None:
    slack.konrad.global_shortcut("ask_helpdesk")
    slack.konrad.submits(slack.form(slack.konrad), {"question": VPN_QUESTION, "person": ["yes"]})
    slack.settle()
    asked, receipt = slack.answers(slack.konrad)
    assert VPN_QUESTION in words(asked)
    assert (receipt.thread_ts, "receipt_asked_for_person" in sentence(receipt)) == (asked.ts, True)
    assert (slack.ticket().summary, slack.ticket().reason) == (VPN_QUESTION, Reason.ASKED_FOR_PERSON)
    assert VPN_QUESTION in words(slack.card())


def test_a_form_without_a_question_is_not_taken(world: SlackWorld) -> None:
    world.konrad.global_shortcut("ask_helpdesk")
    form = world.form(world.konrad)
    with pytest.raises(RefusedByClientError):
        world.konrad.submits(form)
    delivery = world.konrad.submits(form, {"question": "  "})
    assert (delivery.json or {})["errors"] == {"question": Texts("de", "sie", "slack")("nothing_asked")}
    assert form.open
    assert came_in(world) == []


# --- /helpdesk --------------------------------------------------------------------------------------------------------
def test_a_question_behind_the_command_is_answered_in_direct_messages(slack: SlackWorld) -> None:
    slack.konrad.command("/helpdesk", VPN_QUESTION, slack.general)
    slack.settle()
    (told_at_once,) = slack.fake.ephemerals(slack.konrad)
    assert told_at_once.channel == slack.general.id
    assert slack.fake.said(slack.general) == []
    assert "https://slack.com/app_redirect?" in str(told_at_once.blocks)
    asked, answer = slack.answers(slack.konrad)
    assert (VPN_QUESTION in words(asked), VPN[1] in words(answer), answer.thread_ts) == (True, True, asked.ts)


def test_the_command_says_how_own_tickets_stand(world: SlackWorld) -> None:
    world.wants_person()
    world.maren.presses(world.card(), "lotse:claim")
    world.settle()
    for command in ("status", "tickets", "meine Tickets"):
        (shown,) = commanded(world, command)
        assert words(shown).startswith("Ihre Tickets:")
        assert world.ticket().number in words(shown)
        assert "Maren Tiede kümmert sich darum" in words(shown)


def test_without_tickets_the_command_says_so(world: SlackWorld) -> None:
    (shown,) = commanded(world, "status")
    assert "no_tickets" in sentence(shown)


@pytest.mark.parametrize("command", ["person", "Mensch"])
def test_the_command_brings_a_person(world: SlackWorld, command: str) -> None:
    commanded(world, command)
    world.settle()
    assert "receipt_asked_for_person" in sentences(world.answers(world.konrad))[-1]
    assert world.ticket().requester.name == "Konrad Voßmann"
    assert world.tickets() == 1


def test_a_person_asked_for_by_command_comes_to_the_open_case(world: SlackWorld) -> None:
    question = world.asks(world.konrad, VPN_QUESTION)
    commanded(world, "person")
    world.settle()
    assert [post.thread_ts for post in world.answers(world.konrad)] == [question.ts] * 2
    assert len(cases(world)) == 1
    assert VPN_QUESTION in words(world.card())


@pytest.mark.parametrize("command", ["", "help", "Hilfe"])
def test_the_command_explains_itself_and_more_to_agents(world: SlackWorld, command: str) -> None:
    texts = Texts("de", "sie", "slack")
    (shown,) = commanded(world, command)
    assert "/helpdesk mensch" in words(shown)
    assert "/helpdesk suche" not in words(shown)
    world.maren.command("/helpdesk", command)
    world.calm()
    shown = words(world.fake.ephemerals(world.maren)[-1])
    assert "/helpdesk suche" in shown
    assert texts("usage").splitlines()[0].replace("`", "") in shown.replace("`", "")
    assert came_in(world) == []


@pytest.mark.parametrize(
    ("command", "view"),
    [
        ("desk", "mine"),
        ("desk meine", "mine"),
        ("desk unassigned", "unassigned"),
        ("desk frei", "unassigned"),
        ("desk breaching", "breaching"),
        ("desk überfällig", "breaching"),
    ],
)
def test_agents_see_their_desk_with_the_ways_to_the_threads(world: SlackWorld, command: str, view: str) -> None:
    numbers = desk_of_three(world)
    world.maren.command("/helpdesk", command, world.general)
    world.calm()
    (shown,) = world.fake.ephemerals(world.maren)
    assert words(shown).startswith(Texts("de", "sie", "slack")(f"desk_title_{view}"))
    listed = {name for name, number in numbers.items() if number in words(shown)}
    assert listed == {"mine": {"mine"}, "unassigned": {"free", "late"}, "breaching": {"late"}}[view]
    for post in world.roots(world.desk):
        linked = f"archives/{world.desk.id}/p{post.ts.replace('.', '')}" in str(shown.blocks)
        assert linked == any(numbers[name] in words(post) for name in listed)


def test_the_desk_is_for_agents_only(world: SlackWorld) -> None:
    world.wants_person()
    for command in ("desk", "desk frei", "suche VPN", "search VPN"):
        (shown,) = commanded(world, command)
        assert words(shown) == Texts("de", "sie", "slack")("only_agents")
        assert world.ticket().number not in words(shown)


def test_an_empty_desk_says_so(world: SlackWorld) -> None:
    world.maren.command("/helpdesk", "desk")
    world.calm()
    assert Texts("de", "sie", "slack")("desk_empty") in words(world.fake.ephemerals(world.maren)[-1])


@pytest.mark.parametrize("command", ["search", "suche"])
def test_agents_search_the_knowledge_base_by_command(world: SlackWorld, command: str) -> None:
    world.maren.command("/helpdesk", f"{command} {VPN_QUESTION}", world.general)
    world.calm()
    (shown,) = world.fake.ephemerals(world.maren)
    assert "% VPN einrichten" in words(shown)
    assert VPN[1] in words(shown)
    assert came_in(world) == []


def commanded(world: SlackWorld, command: str) -> list[Message]:
    """What Konrad, and only he, sees after a command."""
    before = len(world.fake.ephemerals(world.konrad))
    world.konrad.command("/helpdesk", command, world.general)
    world.calm()
    assert world.fake.said(world.general) == []
    return world.fake.ephemerals(world.konrad)[before:]


def desk_of_three(world: SlackWorld) -> dict[str, str]:
    """The numbers of three tickets: one nobody has reacted to in time, one that Maren has, one that is free."""
    numbers = {}
    for name, person in (("late", world.konrad), ("mine", world.owen), ("free", world.tomasz)):
        card = world.wants_person(person)
        numbers[name] = world.ticket().number
        if name == "late":
            world.clock.move(hours=3)
        if name == "mine":
            world.maren.presses(card, "lotse:claim")
            world.settle()
    return numbers
