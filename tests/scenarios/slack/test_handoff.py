"""The thread below a card: what reaches the employee, who may act, and what becomes of it when it is lost."""

from collections.abc import Callable

import pytest
from fake_slack import Actor, Message, Upload
from fake_slack_chat import remove
from sentences import keys
from slack_cards import below, choose, events, facts, fill_in, heard, owner, press, react, read, rule, slack_keys
from slack_world import MakeSlackWorld, SlackWorld, actions, words
from sqlalchemy import select
from world import VPN_QUESTION

from bot.channels.port import Address, Reply, ThreadLost
from bot.channels.slack.members import PATIENCE
from handoff.models import Message as Row
from handoff.models import Place, TicketState

SECRET = "nur-intern-4711"
ALL_BUT_NAMES = """app_mentions:read assistant:write channels:history channels:join channels:read chat:write commands
    files:read files:write groups:history groups:read im:history im:read im:write mpim:history mpim:read mpim:write
    reactions:read reactions:write users:read users:read.email"""


@pytest.fixture
def world(make_slack_world: MakeSlackWorld) -> SlackWorld:
    return make_slack_world("http")


def writes(world: SlackWorld, person: Actor, card: Message, text: str, files: tuple[Upload, ...] = ()) -> Message:
    """A person writes below a card, and everything is worked off."""
    message = person.posts(card.channel, text, card, files)
    world.settle()
    return message


# --- replies ----------------------------------------------------------------------------------------------------------
def test_a_reply_reaches_the_employee_under_the_agents_name_and_picture(slack: SlackWorld) -> None:
    card = slack.wants_person()
    writes(slack, slack.maren, card, "Ich sehe mir das an.")
    post = slack.answers(slack.konrad)[-1]
    assert (words(post), post.username, post.icon_url) == (
        "Ich sehe mir das an.",
        "Maren Tiede",
        slack.maren.user.image,
    )
    assert events(slack)[-1] == "replied"


def test_who_writes_first_owns_an_unclaimed_ticket(world: SlackWorld) -> None:
    card = world.wants_person()
    writes(world, world.tomasz, card, "Ich sehe mir das an.")
    assert (owner(world), facts(card)["Zuständig"]) == ("Tomasz Wilk", "Tomasz Wilk")
    writes(world, world.maren, card, "Ich auch.")
    assert owner(world) == "Tomasz Wilk"
    assert world.answers(world.konrad)[-1].username == "Maren Tiede"


def test_without_the_scope_the_name_stands_in_the_text(world: SlackWorld) -> None:
    world.fake.install(scopes=set(ALL_BUT_NAMES.split()))
    world.restart()
    card = world.wants_person()
    message = writes(world, world.maren, card, "Ich sehe mir das an.")
    writes(world, world.maren, card, "Haben Sie neu gestartet?")
    first, second = world.answers(world.konrad)[-2:]
    assert [words(post) for post in (first, second)] == [
        "Maren Tiede\nIch sehe mir das an.",
        "Maren Tiede\nHaben Sie neu gestartet?",
    ]
    assert [post.username for post in (first, second)] == [None, None]
    assert first.text.startswith("Maren Tiede: ")
    refused = [call for call in world.fake.called("chat.postMessage") if call.outcome == "missing_scope"]
    assert len(refused) == 1, "Slack is not asked again for what it does not allow"
    world.restart()
    world.maren.edits(message, "Ich sehe es mir an.")
    world.settle()
    assert words(first) == "Maren Tiede\nIch sehe es mir an."


def test_what_the_employee_writes_stands_in_the_thread_under_their_name(world: SlackWorld) -> None:
    card = world.wants_person()
    writes(world, world.maren, card, "Welcher Raum?")
    world.asks(world.konrad, "Raum 213")
    post = world.thread(card)[-1]
    assert (words(post), post.username, post.icon_url) == ("Raum 213", "Konrad Voßmann", world.konrad.user.image)


def test_edits_and_deletions_of_an_agent_are_mirrored(world: SlackWorld) -> None:
    card = world.wants_person()
    first, second = (writes(world, world.maren, card, text) for text in ("Raum 312?", "Vergessen Sie das."))
    world.maren.edits(first, "Raum 213?")
    world.maren.deletes(second)
    world.settle()
    assert heard(world, world.konrad)[-2] == "Raum 213?"
    assert "message_deleted" in keys(heard(world, world.konrad)[-1])
    assert len(world.answers(world.konrad)) == 3, "the receipt and two messages"


def test_an_edit_that_grows_and_shrinks_again_leaves_nothing_behind(world: SlackWorld) -> None:
    card = world.wants_person()
    message = writes(world, world.maren, card, "Kurz.")
    for text in ("Lang. " * 2500, "Länger. " * 2500, "Wieder kurz."):
        world.maren.edits(message, text)
        world.settle()
    assert heard(world, world.konrad)[1:] == ["Wieder kurz."]


def test_files_of_an_agent_reach_the_employee_and_those_of_a_note_do_not(world: SlackWorld) -> None:
    card = world.wants_person()
    writes(world, world.maren, card, "Die Anleitung:", (Upload("Anleitung.txt", b"Schritt 1"),))
    writes(world, world.maren, card, f"// {SECRET}", (Upload(f"{SECRET}.txt", SECRET.encode()),))
    names = [world.fake.files[one].name for post in world.answers(world.konrad) for one in post.files]
    contents = [world.fake.files[one].content for post in world.answers(world.konrad) for one in post.files]
    assert (names, contents) == (["Anleitung.txt"], [b"Schritt 1"])


def test_a_word_in_the_channel_itself_is_for_nobody_but_the_team(world: SlackWorld) -> None:
    card = world.wants_person()
    before = heard(world, world.konrad)
    world.maren.posts(world.desk, "Mahlzeit!")
    world.settle()
    assert heard(world, world.konrad) == before
    assert below(world, card)[1:] == []


# --- notes ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("prefix", ["//", "// ", "🔒", "🔒 "])
def test_a_note_by_its_prefix_never_reaches_the_employee(world: SlackWorld, prefix: str) -> None:
    card = world.wants_person()
    press(world, world.maren, card, "escalate")
    before = heard(world, world.konrad)
    writes(world, world.maren, card, f"{prefix}{SECRET}")
    assert heard(world, world.konrad) == before
    assert read(world.thread(world.card(world.third))[-1]) == f"**🔒 **{SECRET}"
    assert SECRET not in "".join(message.shown for message in world.fake.seen_by(world.konrad))
    assert events(world)[-1] == "noted"
    assert owner(world) is None


def test_an_edit_makes_no_reply_of_a_note(world: SlackWorld) -> None:
    card = world.wants_person()
    before = heard(world, world.konrad)
    note = writes(world, world.maren, card, f"// {SECRET}")
    world.maren.edits(note, SECRET)
    world.settle()
    assert heard(world, world.konrad) == before


# --- internal by default ----------------------------------------------------------------------------------------------
@pytest.fixture
def explicit(make_slack_world: MakeSlackWorld) -> SlackWorld:
    return make_slack_world("http", handoff={"reply": "explicit"})


def test_explicit_the_card_says_that_the_thread_is_internal(explicit: SlackWorld) -> None:
    assert "card_rule_explicit" in keys(rule(explicit.wants_person()))


def test_explicit_what_is_written_stays_internal(explicit: SlackWorld) -> None:
    card = explicit.wants_person()
    before = heard(explicit, explicit.konrad)
    writes(explicit, explicit.maren, card, SECRET)
    fill_in(explicit, explicit.maren, card, "note", text=SECRET)
    assert heard(explicit, explicit.konrad) == before
    assert owner(explicit) is None
    assert events(explicit)[1:] == ["noted", "noted"]


def test_explicit_what_is_sent_with_reply_goes_out(explicit: SlackWorld) -> None:
    card = explicit.wants_person()
    writes(explicit, explicit.maren, card, "/reply Welcher Raum?")
    fill_in(explicit, explicit.tomasz, card, "reply", text="Und welches Stockwerk?")
    assert heard(explicit, explicit.konrad)[-2:] == ["Welcher Raum?", "Und welches Stockwerk?"]
    assert [post.username for post in explicit.answers(explicit.konrad)[-2:]] == ["Maren Tiede", "Tomasz Wilk"]
    assert owner(explicit) == "Maren Tiede"


# --- who may act ------------------------------------------------------------------------------------------------------
def test_who_is_no_member_can_press_nothing(slack: SlackWorld) -> None:
    card = slack.wants_person()
    before = events(slack)
    for name in ("claim", "note", "hand_back", "escalate", "resolve", "reply"):
        slack.owen.presses(card, f"lotse:{name}:")
    slack.owen.selects(card, "lotse:priority:", "P1")
    slack.owen.selects(card, "lotse:assign:", slack.owen.id)
    slack.settle()
    assert slack.owen.modal is None
    assert events(slack) == before
    assert owner(slack) is None
    assert {call.outcome for call in slack.fake.called("chat.postEphemeral")} == {"user_not_in_channel"}


def test_who_left_the_channel_cannot_send_the_form_they_have_open(slack: SlackWorld) -> None:
    card = slack.wants_person()
    before = heard(slack, slack.konrad)
    slack.tomasz.presses(card, "lotse:reply:")
    view = slack.form(slack.tomasz)
    slack.tomasz.leaves(slack.desk)
    answer = slack.tomasz.submits(view, {"text": "Ich bin noch da."})
    slack.settle()
    assert "only_agents" in slack_keys(answer.json["errors"]["text"])
    assert heard(slack, slack.konrad) == before
    assert events(slack) == ["opened"]


def test_who_left_cannot_resolve_with_the_form_they_have_open(world: SlackWorld) -> None:
    card = world.wants_person()
    world.tomasz.presses(card, "lotse:resolve:")
    view = world.form(world.tomasz)
    world.tomasz.leaves(world.desk)
    answer = world.tomasz.submits(view, {"fix": "Neu gestartet."})
    assert "only_agents" in slack_keys(answer.json["errors"]["fix"])
    assert world.ticket().state == TicketState.NEW


@pytest.mark.parametrize("emoji", ["eyes", "white_check_mark"])
def test_a_reaction_of_who_is_no_member_does_nothing(world: SlackWorld, emoji: str) -> None:
    card = world.wants_person()
    react(world, world.owen, card, emoji)
    assert (owner(world), world.ticket().state) == (None, TicketState.NEW)


def test_the_third_level_cannot_work_on_the_card_it_only_reads(world: SlackWorld) -> None:
    card = world.wants_person()
    press(world, world.maren, card, "escalate")
    (answer,) = react(world, world.henrik, world.card(world.third), "eyes")
    assert "not_for_you" in keys(answer)
    assert owner(world) is None


def failing(world: SlackWorld) -> None:
    world.fake.fail_next("conversations.members", n=10, error="internal_error")


def slow(world: SlackWorld) -> None:
    assert world.app.slack is not None
    world.app.slack.edge.members.patience = PATIENCE
    world.fake.delay("conversations.members", 2.5)


@pytest.mark.parametrize("trouble", [failing, slow], ids=lambda one: one.__name__)
def test_when_members_cannot_be_asked_who_presses_is_told_to_press_again(
    slack: SlackWorld, trouble: Callable[[SlackWorld], None]
) -> None:
    card = slack.wants_person()
    trouble(slack)
    (answer,) = press(slack, slack.maren, card, "claim")
    assert "not_checked" in slack_keys(answer)
    assert (owner(slack), events(slack)) == (None, ["opened"])
    assert all(delivery.ok for delivery in slack.fake.deliveries), "Slack was answered in time"


def test_pressing_again_helps_once_members_can_be_asked(world: SlackWorld) -> None:
    card = world.wants_person()
    world.fake.fail_next("conversations.members", error="internal_error")
    assert "not_checked" in slack_keys(press(world, world.maren, card, "claim")[0])
    assert press(world, world.maren, card, "claim") == []
    assert owner(world) == "Maren Tiede"


def test_a_form_that_is_sent_while_members_cannot_be_asked_stays_open(world: SlackWorld) -> None:
    newcomer = world.fake.user("Nele Arnold")
    newcomer.joins(world.desk)
    card = world.wants_person()
    newcomer.presses(card, "lotse:note:")
    view = world.form(newcomer)
    world.restart()
    world.fake.fail_next("conversations.members", error="internal_error")
    answer = newcomer.submits(view, {"text": "Merken."})
    assert "not_checked" in slack_keys(answer.json["errors"]["text"])
    assert view.open
    newcomer.submits(view, {"text": "Merken."})
    world.settle()
    assert events(world)[-1] == "noted"


@pytest.mark.parametrize("is_told", [True, False])
def test_who_joined_a_second_ago_may_act(world: SlackWorld, is_told: bool) -> None:
    card = world.wants_person()
    choose(world, world.maren, card, "priority", "P2")
    newcomer = world.fake.user("Nele Arnold")
    if is_told:
        newcomer.joins(world.desk)
    else:
        world.desk.members.append(newcomer.id)
    assert press(world, newcomer, card, "claim") == []
    assert owner(world) == "Nele Arnold"


def test_who_left_a_second_ago_may_not(world: SlackWorld) -> None:
    card = world.wants_person()
    choose(world, world.tomasz, card, "priority", "P2")
    world.tomasz.leaves(world.desk)
    world.tomasz.presses(card, "lotse:claim:")
    world.settle()
    assert owner(world) is None


# --- a lost thread ----------------------------------------------------------------------------------------------------
def deleted(world: SlackWorld, card: Message) -> None:
    """Somebody deletes the card, and Slack says so."""
    world.maren.deletes(card)


def silently(world: SlackWorld, card: Message) -> None:
    """Somebody deletes the card, and the event is lost."""
    remove(world.fake.channel_named(card.channel), card)


def emptied(how: Callable[[SlackWorld, Message], None]) -> Callable[[SlackWorld, Message], None]:
    """The same, after all replies are gone: nothing is left of the thread."""

    def delete(world: SlackWorld, card: Message) -> None:
        for post in world.fake.posts(card.channel, card):
            if post.ts != card.ts:
                remove(world.fake.channel_named(card.channel), post)
        how(world, card)

    delete.__name__ = f"{how.__name__}_with_all_replies"
    return delete


WAYS = [deleted, silently, emptied(deleted), emptied(silently)]


def cards(world: SlackWorld) -> list[Message]:
    """What stands in the hand-off channel itself and is still to be seen."""
    return [post for post in world.roots(world.desk) if not post.deleted]


@pytest.mark.parametrize("way", WAYS, ids=lambda one: one.__name__)
def test_a_lost_thread_gets_a_successor_with_card_and_transcript(
    world: SlackWorld, way: Callable[[SlackWorld, Message], None]
) -> None:
    world.asks(world.konrad, VPN_QUESTION)
    card = world.wants_person()
    writes(world, world.maren, card, "Ich sehe mir das an.")
    way(world, card)
    world.asks(world.konrad, "Noch etwas dazu.")
    world.asks(world.konrad, "Raum 213.")
    (new,) = cards(world)
    assert new is not card
    assert facts(new)["Zuständig"] == "Maren Tiede"
    transcript, *rest = below(world, new)
    for said in (VPN_QUESTION, "Starten Sie den VPN-Client", "Ich sehe mir das an."):
        assert said in transcript
    assert rest == ["Noch etwas dazu.", "Raum 213."]
    assert choose(world, world.tomasz, new, "priority", "P2") == []
    writes(world, world.tomasz, new, "Ich übernehme.")
    assert heard(world, world.konrad)[-1] == "Ich übernehme."
    assert world.counts().settled


def test_what_waited_for_a_lost_thread_comes_in_its_order(world: SlackWorld) -> None:
    card = world.wants_person()
    writes(world, world.maren, card, "Welcher Raum?")
    emptied(silently)(world, card)
    for number in range(5):
        world.konrad.dm(f"Angabe {number}")
        world.calm()
    world.settle()
    (new,) = cards(world)
    assert below(world, new)[1:] == [f"Angabe {number}" for number in range(5)]


def test_a_post_that_meets_no_thread_is_taken_away_from_the_channel(world: SlackWorld) -> None:
    card = world.wants_person()
    channel = world.app.house.channels["slack"]
    address = Address("slack", world.desk.id, card.ts, {"team": world.fake.team.id})
    channel.send(address, Reply("Hier ist noch alles da."), "900")
    emptied(silently)(world, card)
    with pytest.raises(ThreadLost):
        channel.send(address, Reply("Ins Leere."), "901")
    assert [call.outcome for call in world.fake.called("chat.delete")] == ["ok"]
    assert cards(world) == []


def test_what_an_agent_still_writes_in_the_old_thread_is_heard(world: SlackWorld) -> None:
    card = world.wants_person()
    deleted(world, card)
    world.settle()
    (new,) = cards(world)
    writes(world, world.maren, card, "Ich bin noch im alten Thread.")
    writes(world, world.maren, card, f"// {SECRET}")
    assert heard(world, world.konrad)[-1] == "Ich bin noch im alten Thread."
    assert below(world, new)[1:] == ["Ich bin noch im alten Thread.", f"**🔒 **{SECRET}"]
    assert owner(world) == "Maren Tiede"


def test_a_successor_can_be_lost_too(world: SlackWorld) -> None:
    card = world.wants_person()
    deleted(world, card)
    world.settle()
    deleted(world, cards(world)[0])
    world.settle()
    assert len(cards(world)) == 1
    assert world.ticket().number in words(cards(world)[0])


def test_a_third_level_thread_that_was_lost_gets_a_successor_without_buttons(world: SlackWorld) -> None:
    card = world.wants_person()
    press(world, world.maren, card, "escalate")
    deleted(world, world.card(world.third))
    world.settle()
    new = world.card(world.third)
    assert (new.deleted, actions(new)) == (False, [])
    writes(world, world.henrik, new, "Der Router ist defekt.")
    assert below(world, card)[-1] == "**🔒 **Der Router ist defekt."


def test_the_card_of_a_closed_ticket_can_be_tidied_away(world: SlackWorld) -> None:
    card = world.wants_person()
    fill_in(world, world.maren, card, "resolve", fix="Kabel getauscht.")
    world.clock.move(days=8)
    world.settle()
    assert world.ticket().state == TicketState.CLOSED
    deleted(world, card)
    world.settle()
    assert cards(world) == []
    assert world.counts().settled


def test_a_relayed_message_that_was_taken_away_loses_no_thread(world: SlackWorld) -> None:
    card = world.wants_person()
    message = world.asks(world.konrad, "Mein Passwort ist hunter2.")
    silently(world, world.thread(card)[-1])
    world.konrad.edits(message, "Mein Passwort geht nicht.")
    world.settle()
    assert cards(world) == [card]
    assert below(world, card)[-1] == "Mein Passwort geht nicht."


# --- what cannot be reached -------------------------------------------------------------------------------------------
def archived(world: SlackWorld, channel: str) -> None:
    world.maren.archives(channel)


def removed(world: SlackWorld, channel: str) -> None:
    world.maren.removes_app(channel)


GONE = [archived, removed]


def desk_page(world: SlackWorld) -> list[str]:
    """What stands at the web desk's place of the newest ticket."""
    with world.app.house.sessions() as session:
        here = select(Row).join(Place, Row.place_id == Place.id).where(Place.platform == "web", Row.to_send.is_(True))
        return [row.text for row in session.scalars(here.where(Row.delivered_at.is_not(None)).order_by(Row.id))]


@pytest.mark.parametrize("gone", GONE, ids=lambda one: one.__name__)
def test_when_the_agents_channel_is_gone_they_are_told_at_the_desk(
    world: SlackWorld, gone: Callable[[SlackWorld, str], None]
) -> None:
    world.wants_person()
    gone(world, world.desk.id)
    tries = len(world.fake.calls)
    world.asks(world.konrad, "Noch etwas dazu.")
    world.asks(world.konrad, "Wirklich.")
    assert [text for text in desk_page(world) if "agent_channel_unreachable" in keys(text)][1:] == []
    assert {"agent_channel_unreachable"} <= {key for text in desk_page(world) for key in keys(text)}
    assert {"Noch etwas dazu.", "Wirklich."} <= set(desk_page(world))
    assert world.counts().settled
    assert len(world.fake.calls) - tries < 20
    before = len(world.fake.calls)
    world.clock.move(hours=1)
    world.settle()
    assert len(world.fake.calls) == before, "nothing is tried for ever"


def test_when_the_app_is_back_the_next_change_brings_card_and_thread(world: SlackWorld) -> None:
    world.desk.members.remove(world.fake.bot.user_id)
    world.asks(world.konrad, "Ich möchte mit einem Menschen sprechen.")
    assert world.roots(world.desk) == []
    assert {"agent_channel_unreachable"} <= {key for text in desk_page(world) for key in keys(text)}
    world.maren.invites_app(world.desk)
    world.asks(world.konrad, "Noch etwas dazu.")
    (card,) = world.roots(world.desk)
    transcript, *rest = below(world, card)
    assert transcript.startswith("**Was in")
    assert rest[-1] == "Noch etwas dazu."
    assert press(world, world.maren, card, "claim") == []
    assert facts(card)["Zuständig"] == "Maren Tiede"


def test_a_card_is_current_again_when_the_app_is_back(world: SlackWorld) -> None:
    card = world.wants_person()
    removed(world, world.desk.id)
    world.asks(world.konrad, "Noch etwas dazu.")
    world.maren.invites_app(world.desk)
    assert press(world, world.maren, card, "claim") == []
    assert facts(card)["Zuständig"] == "Maren Tiede"
    assert cards(world) == [card]


@pytest.mark.parametrize("gone", GONE, ids=lambda one: one.__name__)
def test_when_the_employees_channel_is_gone_the_agents_are_told_once(
    world: SlackWorld, gone: Callable[[SlackWorld, str], None]
) -> None:
    question = world.konrad.posts(world.help, "Ich möchte mit einem Menschen sprechen.")
    world.settle()
    card = world.card()
    gone(world, world.help.id)
    writes(world, world.maren, card, "Ich sehe mir das an.")
    writes(world, world.maren, card, "Sind Sie da?")
    told_agents = [text for text in below(world, card) if "agent_undeliverable" in keys(text)]
    assert len(told_agents) == 1
    assert "Konrad Voßmann" in told_agents[0]
    assert [words(post) for post in world.fake.said(world.help, question)][1:] == []
    assert world.counts().settled
    before = len(world.fake.calls)
    world.clock.move(hours=1)
    world.settle()
    assert len(world.fake.calls) == before


@pytest.mark.parametrize("error", ["account_inactive", "invalid_auth"])
def test_what_the_operator_can_mend_is_tried_again(world: SlackWorld, error: str) -> None:
    card = world.wants_person()
    world.fake.fail_next("chat.postMessage", error=error)
    writes(world, world.maren, card, "Ich sehe mir das an.")
    assert heard(world, world.konrad)[-1] == "Ich sehe mir das an."
    assert not [text for text in below(world, card) if "agent_undeliverable" in keys(text)]


@pytest.mark.parametrize("error", ["user_disabled", "channel_not_found", "restricted_action"])
def test_an_employee_who_cannot_be_reached_is_told_to_the_agents(world: SlackWorld, error: str) -> None:
    card = world.wants_person()
    world.fake.fail_next("chat.postMessage", error=error)
    writes(world, world.maren, card, "Ich sehe mir das an.")
    assert "agent_undeliverable" in keys(below(world, card)[-1])
    assert world.counts().settled
