"""The card in the hand-off channel: what it shows, and everything that can be pressed, chosen or put on it."""

from collections.abc import Callable
from copy import deepcopy

import pytest
from fake_slack import Actor, Message
from sentences import keys
from slack_cards import (
    below,
    choose,
    events,
    facts,
    fill_in,
    heard,
    links,
    owner,
    press,
    proposed,
    react,
    read,
    rule,
    slack_keys,
    told,
)
from slack_world import MakeSlackWorld, SlackWorld, actions, words
from world import VPN_QUESTION

from bot.texts import Texts
from handoff.models import TicketState

BUTTONS = {"claim", "reply", "note", "escalate", "hand_back", "resolve"}
LISTS = {"assign", "priority", "category", "queue"}


@pytest.fixture
def world(make_slack_world: MakeSlackWorld) -> SlackWorld:
    return make_slack_world("http")


def german(key: str) -> str:
    return Texts("de", "sie")(key)


def label(kind: str, name: str) -> str:
    """What agents call a category or a queue."""
    return Texts("de", "sie").label(kind, name)


# --- what it shows ----------------------------------------------------------------------------------------------------
def test_a_card_tells_everything_about_the_ticket(world: SlackWorld) -> None:
    world.asks(world.konrad, VPN_QUESTION)
    card, ticket = world.wants_person(), world.ticket()
    said = facts(card)
    assert words(card).startswith(f"{ticket.number} · P3 · neu")
    assert VPN_QUESTION in words(card)
    assert said.pop("Beste Artikel").endswith("% VPN einrichten")
    assert said == {
        "Von": "Konrad Voßmann",
        "Status": "neu",
        "Priorität": "P3",
        "Zuständig": "noch nicht übernommen",
        "Reaktion fällig": "heute bis 12:00 Uhr",
        "Art": "Störung",
        "Kategorie": label("category", ticket.category),
        "Warteschlange": label("queue", "service-desk"),
        "Warum Lotse übergeben hat": "die anfragende Person wünscht einen Menschen",
    }
    assert sorted(actions(card)) == sorted(BUTTONS | LISTS)
    assert "card_rule_conversation" in keys(rule(card))


def test_a_card_is_english_where_the_team_is(make_slack_world: MakeSlackWorld) -> None:
    world = make_slack_world("http", handoff={"language": "en"})
    card = world.wants_person()
    assert facts(card)["Owner"] == "not claimed yet"
    assert facts(card)["Reaction due"] == "today by 12:00"
    assert facts(card)["Why Lotse handed over"] == "the requester asked for a person"
    assert rule(card) == "What is written in this thread goes to the requester. Notes start with 🔒."
    assert "What was said in" in below(world, card)[0]
    assert "receipt_asked_for_person/sie" in keys(heard(world, world.konrad)[-1]), "the employee's language stays"


def test_a_ticket_has_one_card_whatever_happens_to_it(world: SlackWorld) -> None:
    card = world.wants_person()
    press(world, world.maren, card, "claim")
    choose(world, world.maren, card, "priority", "P1")
    world.maren.posts(world.desk, "Ich sehe es mir an.", card)
    world.asks(world.konrad, "Danke, Raum 213.")
    fill_in(world, world.maren, card, "resolve", fix="Kabel getauscht.")
    press(world, world.tomasz, card, "reopen")
    assert world.roots(world.desk) == [card]
    assert words(card).startswith(f"{world.ticket().number} · P1 · in Bearbeitung")
    assert facts(card)["Zuständig"] == "Maren Tiede"
    assert sorted(actions(card)) == sorted(BUTTONS - {"claim"} | LISTS)


def test_a_card_leads_to_the_requesters_thread_the_third_level_and_the_desk(world: SlackWorld) -> None:
    question = world.konrad.posts(world.help, VPN_QUESTION)
    world.settle()
    world.konrad.posts(world.help, "Ich möchte mit einem Menschen sprechen.", question)
    world.settle()
    card, number = world.card(), world.ticket().number
    press(world, world.maren, card, "escalate")
    third = world.card(world.third)
    base = world.app.slack.workspaces.identity(world.fake.team.id).url if world.app.slack else ""
    assert links(card) == {
        german("link_requester"): permalink(base, question),
        german("link_third_level"): permalink(base, third),
        german("link_desk"): f"http://127.0.0.1:8080/desk/{number}",
    }
    assert links(third)[german("link_handoff")] == permalink(base, card)
    assert links(third)[german("link_requester")] == permalink(base, question)


def permalink(base: str, post: Message) -> str:
    return f"{base}archives/{post.channel}/p{post.ts.replace('.', '')}"


def test_a_card_of_a_private_conversation_has_no_link_to_it(world: SlackWorld) -> None:
    card = world.wants_person()
    assert list(links(card)) == [german("link_desk")]


# --- the transcript ---------------------------------------------------------------------------------------------------
def test_the_thread_begins_with_the_whole_transcript(world: SlackWorld) -> None:
    world.asks(world.konrad, VPN_QUESTION)
    card = world.wants_person()
    (transcript,) = below(world, card)
    assert transcript.startswith(f"**Was in {world.ticket().number} bisher gesagt wurde**")
    for said in (VPN_QUESTION, "Starten Sie den VPN-Client", "Ich möchte mit einem Menschen sprechen."):
        assert said in transcript
    assert world.thread(card)[0].files == []


def test_a_long_transcript_is_a_file(world: SlackWorld) -> None:
    story = "Der Drucker im dritten Stock sagt:\n" + "\n".join(f"Zeile {number} äöü" for number in range(300))
    world.asks(world.konrad, story)
    card = world.wants_person()
    post, upload = world.thread(card)
    assert "transcript_as_file" in keys(read(post).strip("*"))
    content = world.fake.files[upload.files[0]].content or b""
    assert world.fake.files[upload.files[0]].name == f"{world.ticket().number}.txt"
    assert all(f"Zeile {number} äöü" in content.decode() for number in range(300))
    assert "Menschen sprechen" in content.decode()


# --- claim ------------------------------------------------------------------------------------------------------------
def test_claim(slack: SlackWorld) -> None:
    card = slack.wants_person()
    assert press(slack, slack.maren, card, "claim") == []
    assert owner(slack) == "Maren Tiede"
    assert facts(card)["Zuständig"] == "Maren Tiede"
    assert "claim" not in actions(card)
    assert "claimed/sie" in keys(heard(slack, slack.konrad)[-1])
    assert events(slack)[-1] == "claimed"


def test_who_claims_second_is_told_who_won_and_nobody_else_is(slack: SlackWorld) -> None:
    card = slack.wants_person()
    old = deepcopy(card)
    press(slack, slack.maren, card, "claim")
    (answer,) = press(slack, slack.tomasz, old, "claim")
    assert answer == f"Maren Tiede has already claimed {slack.ticket().number}."
    assert told(slack, slack.maren) == []
    assert owner(slack) == "Maren Tiede"
    assert events(slack).count("claimed") == 1


def test_a_double_click_claims_once(world: SlackWorld) -> None:
    card = world.wants_person()
    old = deepcopy(card)
    world.maren.presses(old, "lotse:claim:")
    world.maren.presses(old, "lotse:claim:")
    world.settle()
    assert "claimed_by_you" in keys(told(world, world.maren)[-1])
    assert events(world).count("claimed") == 1
    assert len([text for text in heard(world, world.konrad) if "claimed" in keys(text)]) == 1


# --- assign -----------------------------------------------------------------------------------------------------------
def test_assign_gives_a_ticket_to_a_member(world: SlackWorld) -> None:
    card = world.wants_person()
    assert choose(world, world.maren, card, "assign", world.tomasz.id) == []
    assert owner(world) == "Tomasz Wilk"
    assert facts(card)["Zuständig"] == "Tomasz Wilk"
    assert "assigned/sie" in keys(heard(world, world.konrad)[-1])
    assert "Tomasz Wilk" in heard(world, world.konrad)[-1]
    assert events(world)[-1] == "assigned"


def test_a_ticket_can_be_given_on(world: SlackWorld) -> None:
    card = world.wants_person()
    press(world, world.maren, card, "claim")
    choose(world, world.tomasz, card, "assign", world.tomasz.id)
    assert owner(world) == "Tomasz Wilk"


@pytest.mark.parametrize("who", ["owen", "lotse"])
def test_a_ticket_is_not_given_to_who_is_no_agent(world: SlackWorld, who: str) -> None:
    card = world.wants_person()
    chosen = world.owen.id if who == "owen" else world.fake.bot.user_id
    (answer,) = choose(world, world.maren, card, "assign", chosen)
    assert "only_to_agents" in slack_keys(answer)
    assert owner(world) is None
    assert "assigned" not in events(world)


# --- priority, category, queue ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("priority", ["P1", "P2", "P4", "P5"])
def test_every_priority_can_be_set(world: SlackWorld, priority: str) -> None:
    card = world.wants_person()
    assert choose(world, world.maren, card, "priority", priority) == []
    assert f"P{world.ticket().priority}" == priority
    assert facts(card)["Priorität"] == priority
    assert set(events(world)[1:]) == {"corrected"}
    assert choose(world, world.maren, card, "priority", "P3") == []
    assert facts(card)["Priorität"] == "P3"


def test_category(world: SlackWorld) -> None:
    card = world.wants_person()
    assert choose(world, world.maren, card, "category", "network") == []
    assert (world.ticket().category, facts(card)["Kategorie"]) == ("network", label("category", "network"))
    assert events(world)[-1] == "corrected"
    assert world.roots(world.network) == [], "a category alone moves no ticket"


def test_another_queue_gets_card_and_transcript_and_the_old_card_stays_current(world: SlackWorld) -> None:
    world.asks(world.konrad, VPN_QUESTION)
    card = world.wants_person()
    assert choose(world, world.maren, card, "queue", "network") == []
    (new,) = world.roots(world.network)
    assert facts(new)["Warteschlange"] == facts(card)["Warteschlange"] == label("queue", "network")
    assert VPN_QUESTION in below(world, new)[0]
    assert press(world, world.tomasz, new, "claim") == []
    assert facts(card)["Zuständig"] == facts(new)["Zuständig"] == "Tomasz Wilk"
    assert links(card)[german("link_handoff")].endswith(new.ts.replace(".", ""))
    assert world.roots(world.desk) == [card]


def test_what_is_written_in_one_of_two_threads_is_read_in_the_other(world: SlackWorld) -> None:
    card = world.wants_person()
    choose(world, world.maren, card, "queue", "network")
    new = world.card(world.network)
    world.tomasz.posts(world.network, "Ist der Port belegt?", new)
    world.tomasz.posts(world.network, "// nur für uns", new)
    world.asks(world.konrad, "Ja, Port 7.")
    assert below(world, card)[-3:] == ["Ist der Port belegt?", "**🔒 **nur für uns", "Ja, Port 7."]
    assert below(world, new)[-1] == "Ja, Port 7."
    assert heard(world, world.konrad)[-2] == "Ist der Port belegt?"
    assert "added" in keys(heard(world, world.konrad)[-1]), "he wrote beside the thread and is told where it went"


def test_a_queue_and_back_opens_no_second_card(world: SlackWorld) -> None:
    card = world.wants_person()
    choose(world, world.maren, card, "queue", "network")
    choose(world, world.maren, card, "queue", "service-desk")
    choose(world, world.maren, card, "queue", "network")
    assert (len(world.roots(world.desk)), len(world.roots(world.network))) == (1, 1)


def test_a_ticket_opens_in_the_channel_of_its_queue(make_slack_world: MakeSlackWorld) -> None:
    world = make_slack_world("http", handoff={"categories": {"other": "network"}})
    world.asks(world.konrad, "Ich möchte mit einem Menschen sprechen.")
    assert world.ticket().queue == "network"
    assert len(world.roots(world.network)) == 1
    assert world.roots(world.desk) == []


def test_a_sensitive_topic_is_for_its_own_team_only(world: SlackWorld) -> None:
    people = world.fake.channel("it-people", world.henrik, kind="private")
    queues = {
        **world.settings().model_dump()["handoff"]["queues"],
        "people": {"channel": people.id, "platform": "slack"},
    }
    world.changes = {"handoff": {"queues": queues}}
    world.restart()
    world.asks(world.konrad, "Mein Gehalt wurde falsch berechnet.")
    (card,) = world.roots(people)
    assert facts(card)["Warum Lotse übergeben hat"] == "sensibles Thema"
    assert "Gehalt" in words(card)
    assert world.roots(world.desk) == world.roots(world.network) == []
    assert "receipt_sensitive/sie" in keys(heard(world, world.konrad)[-1])


# --- note and reply ---------------------------------------------------------------------------------------------------
def test_a_note_by_the_button_is_read_by_agents_only(slack: SlackWorld) -> None:
    card = slack.wants_person()
    before = heard(slack, slack.konrad)
    assert fill_in(slack, slack.maren, card, "note", text="Das ist der Kollege von gestern.") == []
    assert "Das ist der Kollege von gestern." in below(slack, card)[-1]
    assert slack.thread(card)[-1].username == "Maren Tiede"
    assert heard(slack, slack.konrad) == before
    assert events(slack)[-1] == "noted"
    assert owner(slack) is None


def test_a_reply_by_the_button_goes_to_the_employee_and_stands_in_the_thread(slack: SlackWorld) -> None:
    card = slack.wants_person()
    assert fill_in(slack, slack.maren, card, "reply", text="Ich rufe gleich an.") == []
    assert heard(slack, slack.konrad)[-1] == "Ich rufe gleich an."
    assert slack.answers(slack.konrad)[-1].username == "Maren Tiede"
    assert below(slack, card)[-1] == "Ich rufe gleich an."
    assert slack.thread(card)[-1].username == "Maren Tiede"
    assert owner(slack) == "Maren Tiede"
    assert events(slack)[-1] == "replied"


@pytest.mark.parametrize("form", ["note", "reply"])
def test_a_form_with_nothing_in_it_stays_open_and_says_so(world: SlackWorld, form: str) -> None:
    card = world.wants_person()
    world.maren.presses(card, f"lotse:{form}:")
    view = world.form(world.maren)
    answer = world.maren.submits(view, {"text": "  \n "})
    assert "nothing_written" in slack_keys(answer.json["errors"]["text"])
    assert view.open
    assert events(world) == ["opened"]


def test_who_waits_too_long_for_a_form_is_told_to_press_again(world: SlackWorld) -> None:
    card = world.wants_person()
    world.fake.fail_next("views.open", error="expired_trigger_id")
    (answer,) = press(world, world.maren, card, "note")
    assert "trigger_expired" in slack_keys(answer)
    assert fill_in(world, world.maren, card, "note", text="Nun aber.") == []
    assert "Nun aber." in below(world, card)[-1]


# --- escalate ---------------------------------------------------------------------------------------------------------
def test_escalate_brings_card_and_transcript_to_the_third_level(world: SlackWorld) -> None:
    world.asks(world.konrad, VPN_QUESTION)
    card = world.wants_person()
    assert press(world, world.maren, card, "escalate") == []
    third = world.card(world.third)
    assert actions(third) == []
    assert words(third).startswith(world.ticket().number)
    assert "card_rule_third_level" in keys(rule(third))
    assert VPN_QUESTION in below(world, third)[0]
    assert "agent_escalated" in keys(below(world, card)[-1])
    assert "escalate" not in actions(card)
    assert "escalated" in events(world)


def test_what_the_third_level_writes_is_a_note_and_never_reaches_the_employee(world: SlackWorld) -> None:
    card = world.wants_person()
    press(world, world.maren, card, "escalate")
    before = heard(world, world.konrad)
    third = world.card(world.third)
    for text in ("Der Router ist defekt.", "/reply Bitte tauschen.", "// und noch etwas"):
        world.henrik.posts(world.third, text, third)
    world.settle()
    assert heard(world, world.konrad) == before
    assert [post.username for post in world.thread(card)[-3:]] == ["Henrik Lindqvist"] * 3
    assert "Der Router ist defekt." in below(world, card)[-3]
    assert events(world)[-3:] == ["noted"] * 3
    assert owner(world) is None


def test_the_third_level_reads_what_employee_and_agents_write(world: SlackWorld) -> None:
    card = world.wants_person()
    press(world, world.maren, card, "escalate")
    third = world.card(world.third)
    world.maren.posts(world.desk, "Seit wann?", card)
    world.asks(world.konrad, "Seit heute.")
    assert below(world, third)[-2:] == ["Seit wann?", "Seit heute."]


def test_escalating_twice_is_told(world: SlackWorld) -> None:
    card = world.wants_person()
    old = deepcopy(card)
    press(world, world.maren, card, "escalate")
    (answer,) = press(world, world.tomasz, old, "escalate")
    assert "already_escalated" in keys(answer)
    assert len(world.roots(world.third)) == 1
    assert events(world).count("escalated") == 1


# --- hand back, resolve, reopen ---------------------------------------------------------------------------------------
def test_handed_back_the_bot_speaks_again(world: SlackWorld) -> None:
    card = world.wants_person()
    world.maren.posts(world.desk, "Das kann Lotse.", card)
    world.settle()
    assert press(world, world.maren, card, "hand_back") == []
    assert "handed_back/sie" in keys(heard(world, world.konrad)[-1])
    assert facts(card)["Status"] == "wartet auf Rückmeldung"
    assert events(world)[-1] == "handed_back"
    world.asks(world.konrad, VPN_QUESTION)
    assert "Starten Sie den VPN-Client" in heard(world, world.konrad)[-1]


def test_resolve_asks_for_cause_and_fix_and_proposes_an_article(slack: SlackWorld) -> None:
    slack.asks(slack.konrad, VPN_QUESTION)
    card = slack.wants_person()
    fields = {"fix": "Kabel getauscht.", "cause": "Kabelbruch", "article": ["yes"]}
    assert fill_in(slack, slack.maren, card, "resolve", **fields) == []
    answer = heard(slack, slack.konrad)[-1]
    assert "resolved" in keys(answer.replace("\n", "\n\n"))
    assert "Kabel getauscht." in answer
    assert "Kabelbruch" not in "".join(heard(slack, slack.konrad))
    assert actions(slack.answers(slack.konrad)[-1]) == ["works", "still_broken"]
    ticket = slack.ticket()
    assert (ticket.state, ticket.cause, ticket.fix) == (TicketState.RESOLVED, "Kabelbruch", "Kabel getauscht.")
    assert proposed(slack) == [(VPN_QUESTION, "proposed")]
    assert actions(card) == ["reopen"]
    assert facts(card)["Status"] == "gelöst"
    assert events(slack)[-1] == "resolved"


def test_resolve_without_a_word_proposes_nothing(world: SlackWorld) -> None:
    card = world.wants_person()
    assert fill_in(world, world.maren, card, "resolve") == []
    assert world.ticket().state == TicketState.RESOLVED
    assert proposed(world) == []


def test_a_form_that_comes_after_somebody_else_resolved_is_told(world: SlackWorld) -> None:
    card = world.wants_person()
    world.tomasz.presses(card, "lotse:resolve:")
    view = world.form(world.tomasz)
    fill_in(world, world.maren, card, "resolve", fix="Kabel getauscht.")
    answer = world.tomasz.submits(view, {"fix": "Neu gestartet."}).json
    world.settle()
    assert answer == {
        "response_action": "errors",
        "errors": {"fix": f"{world.ticket().number} is not open any more."},
    }, "the form stays open, and what was typed in it"
    assert world.ticket().fix == "Kabel getauscht."
    assert events(world).count("resolved") == 1


def test_reopen(world: SlackWorld) -> None:
    card = world.wants_person()
    fill_in(world, world.maren, card, "resolve", fix="Kabel getauscht.")
    assert press(world, world.tomasz, card, "reopen") == []
    assert "reopened_by" in keys(heard(world, world.konrad)[-1])
    assert facts(card)["Status"] == "in Bearbeitung"
    assert events(world)[-1] == "reopened"
    assert world.tickets() == 1


def test_reopening_after_the_window_is_told(world: SlackWorld) -> None:
    card = world.wants_person()
    fill_in(world, world.maren, card, "resolve", fix="Kabel getauscht.")
    old = deepcopy(card)
    world.clock.move(days=8)
    world.settle()
    assert actions(card) == []
    (answer,) = press(world, world.maren, old, "reopen")
    assert "cannot_reopen" in keys(answer)
    assert world.ticket().state == TicketState.CLOSED


def test_still_broken_reopens_and_the_thread_says_so(world: SlackWorld) -> None:
    card = world.wants_person()
    fill_in(world, world.maren, card, "resolve", fix="Kabel getauscht.")
    question = world.answers(world.konrad)[-1]
    world.konrad.presses(question, "lotse:still_broken:")
    world.settle()
    assert "agent_reopened" in keys(below(world, card)[-1])
    assert facts(card)["Status"] == "in Bearbeitung"
    assert world.roots(world.desk) == [card]


def every_press(world: SlackWorld, person: Actor, old: Message) -> list[str]:
    """Everything an open card offers, pressed on one that is not current any more."""
    answers = [answer for name in ("claim", "escalate", "hand_back") for answer in press(world, person, old, name)]
    return answers + choose(world, person, old, "assign", world.tomasz.id)


def test_an_old_card_of_a_resolved_ticket_changes_nothing(world: SlackWorld) -> None:
    card = world.wants_person()
    old = deepcopy(card)
    fill_in(world, world.maren, card, "resolve", fix="Kabel getauscht.")
    before, said = events(world), heard(world, world.konrad)
    answers = every_press(world, world.maren, old)
    assert [keys(answer) >= {"already_resolved"} for answer in answers] == [True] * 4
    world.maren.presses(old, "lotse:resolve:")
    answer = world.maren.submits(world.form(world.maren), {"fix": "Noch einmal."}).json
    assert answer is not None
    assert "already_resolved" in keys(answer["errors"]["fix"])
    assert (events(world), heard(world, world.konrad)) == (before, said)
    assert world.ticket().fix == "Kabel getauscht."


# --- reactions --------------------------------------------------------------------------------------------------------
def test_eyes_on_the_card_claim(slack: SlackWorld) -> None:
    card = slack.wants_person()
    assert react(slack, slack.maren, card, "eyes") == []
    assert owner(slack) == "Maren Tiede"
    assert "claimed/sie" in keys(heard(slack, slack.konrad)[-1])
    (answer,) = react(slack, slack.tomasz, card, "eyes")
    assert "claimed_by_other" in keys(answer)


@pytest.mark.parametrize("emoji", ["white_check_mark", "heavy_check_mark"])
def test_a_check_mark_on_the_card_resolves(slack: SlackWorld, emoji: str) -> None:
    card = slack.wants_person()
    assert react(slack, slack.maren, card, emoji) == []
    assert slack.ticket().state == TicketState.RESOLVED
    assert owner(slack) == "Maren Tiede"
    assert actions(slack.answers(slack.konrad)[-1]) == ["works", "still_broken"]
    (answer,) = react(slack, slack.tomasz, card, emoji)
    assert "already_resolved" in keys(answer)


def on_the_card(world: SlackWorld, card: Message) -> Message:
    return card


def on_the_transcript(world: SlackWorld, card: Message) -> Message:
    return world.thread(card)[0]


def on_an_agents_reply(world: SlackWorld, card: Message) -> Message:
    return world.maren.posts(world.desk, "// merken", card)


def on_a_word_in_the_channel(world: SlackWorld, card: Message) -> Message:
    return world.maren.posts(world.desk, "Mahlzeit!")


def on_the_employees_receipt(world: SlackWorld, card: Message) -> Message:
    return world.answers(world.konrad)[-1]


@pytest.mark.parametrize(
    ("where", "emoji"),
    [
        (on_the_card, "thumbsup"),
        (on_the_transcript, "eyes"),
        (on_an_agents_reply, "white_check_mark"),
        (on_a_word_in_the_channel, "eyes"),
        (on_the_employees_receipt, "white_check_mark"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_other_reactions_and_other_posts_do_nothing(
    world: SlackWorld, where: Callable[[SlackWorld, Message], Message], emoji: str
) -> None:
    card = world.wants_person()
    post = where(world, card)
    world.settle()
    before = events(world)
    assert react(world, world.maren, post, emoji) == []
    assert events(world) == before
    assert (owner(world), world.ticket().state) == (None, TicketState.NEW)


def test_taking_a_reaction_away_changes_nothing(world: SlackWorld) -> None:
    card = world.wants_person()
    react(world, world.maren, card, "eyes")
    world.maren.unreacts(card, "eyes")
    world.settle()
    assert owner(world) == "Maren Tiede"
    assert events(world)[-1] == "claimed"


# --- time -------------------------------------------------------------------------------------------------------------
def test_a_reaction_that_is_late_is_told_in_the_thread_once(world: SlackWorld) -> None:
    card = world.wants_person()
    for _ in range(3):
        world.clock.move(hours=3)
        world.settle()
    assert len([text for text in below(world, card) if "agent_first_response_due" in keys(text)]) == 1
    assert events(world)[-1] == "first_response_overdue"


def test_who_was_answered_in_time_is_not_warned_about(world: SlackWorld) -> None:
    card = world.wants_person()
    world.maren.posts(world.desk, "Guten Tag!", card)
    world.settle()
    world.clock.move(days=1)
    world.settle()
    assert not [text for text in below(world, card) if "agent_first_response_due" in keys(text)]
