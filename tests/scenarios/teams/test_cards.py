"""The card in a hand-off channel of Teams: what it shows, its buttons and dialogs, and who sees it change."""

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import pytest
from chat_records import events
from fake_teams import Actor, Dialog, Message
from fake_teams_cards import buttons_of
from sentences import keys
from teams_cards import (
    below,
    cards,
    facts,
    fill_in,
    heard,
    links,
    owner,
    press,
    proposed,
    refused,
    rule,
    teams_keys,
    told,
)
from teams_world import MakeTeamsWorld, TeamsWorld, actions
from world import VPN_QUESTION

from bot.texts import Texts
from handoff.models import TicketState

DE, EN = Texts("de", "sie"), Texts("en", "sie")
BUTTONS = ["claim", "reply", "note", "resolve", "escalate", "edit", "hand_back"]


def german(key: str) -> str:
    return DE(key)


# --- what it shows ----------------------------------------------------------------------------------------------------
def test_a_card_tells_everything_about_the_ticket(teams: TeamsWorld) -> None:
    teams.asks(teams.konrad, VPN_QUESTION)
    card, ticket = teams.wants_person(), teams.ticket()
    said = facts(card)
    assert teams.words(card).startswith(f"{ticket.number} · P3 · neu\n{VPN_QUESTION}")
    assert card.summary == f"{ticket.number} · P3 · neu – {VPN_QUESTION}"
    assert said.pop("Beste Artikel").endswith("% VPN einrichten")
    assert said == {
        "Von": "Konrad Voßmann",
        "Status": "neu",
        "Priorität": "P3",
        "Zuständig": "noch nicht übernommen",
        "Reaktion fällig": "heute bis 12:00 Uhr",
        "Art": "Störung",
        "Kategorie": DE.label("category", ticket.category),
        "Warteschlange": DE.label("queue", "service-desk"),
        "Warum Lotse übergeben hat": "die anfragende Person wünscht einen Menschen",
    }
    assert actions(card) == BUTTONS
    assert [one.title for one in card.buttons if one.raw.get("mode") == "secondary"] == [DE("button_hand_back")]
    assert "card_rule_conversation" in keys(rule(card))
    assert "🔒" in rule(card)


def test_a_card_is_english_where_the_team_is(make_teams_world: MakeTeamsWorld) -> None:
    teams = make_teams_world(handoff={"language": "en"})
    card = teams.wants_person()
    assert facts(card)["Owner"] == "not claimed yet"
    assert facts(card)["Reaction due"] == "today by 12:00"
    assert rule(card) == "What is written in this thread goes to the requester. Notes start with 🔒."
    assert "What was said in" in below(teams, card)[0]
    assert "receipt_asked_for_person/sie" in keys(heard(teams, teams.konrad)[-1]), "the employee's language stays"


def test_a_ticket_has_one_card_whatever_happens_to_it(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    press(teams, teams.maren, card, "claim")
    fill_in(teams, teams.maren, card, "edit", priority="1")
    teams.maren.writes("Ich sehe es mir an.", thread=card)
    teams.asks(teams.konrad, "Danke, Raum 213.")
    fill_in(teams, teams.maren, card, "resolve", fix="Kabel getauscht.")
    press(teams, teams.tomasz, card, "reopen")
    assert cards(teams) == [card]
    assert teams.words(card).startswith(f"{teams.ticket().number} · P1 · in Bearbeitung")
    assert facts(card)["Zuständig"] == "Maren Tiede"
    assert sorted(actions(card)) == sorted(set(BUTTONS) - {"claim"})


def test_a_card_leads_to_the_requesters_thread_the_third_level_and_the_desk(teams: TeamsWorld) -> None:
    question = teams.konrad.writes(VPN_QUESTION, teams.help)
    teams.settle()
    teams.konrad.writes("Ich möchte mit einem Menschen sprechen.", thread=question)
    teams.settle()
    card, number = teams.card(), teams.ticket().number
    press(teams, teams.maren, card, "escalate")
    third = teams.card(teams.third)
    ways = links(teams.card())
    assert set(ways) == {german("link_requester"), german("link_third_level"), german("link_desk")}
    assert leads_to(ways[german("link_requester")], question)
    assert leads_to(ways[german("link_third_level")], third)
    assert ways[german("link_desk")] == f"https://lotse.example/desk/{number}"
    assert leads_to(links(third)[german("link_handoff")], card)


def leads_to(link: str, post: Message) -> bool:
    return link.startswith("https://teams.microsoft.com/l/message/19%3A") and f"/{post.id}?" in link


def test_a_card_of_a_private_chat_has_no_link_to_it(teams: TeamsWorld) -> None:
    assert list(links(teams.wants_person())) == [german("link_desk")]


def test_the_thread_begins_with_the_whole_transcript(teams: TeamsWorld) -> None:
    teams.asks(teams.konrad, VPN_QUESTION)
    (transcript,) = below(teams, teams.wants_person())
    assert transcript.startswith(f"**Was in {teams.ticket().number} bisher gesagt wurde**")
    for said in (VPN_QUESTION, "Starten Sie den VPN-Client", "Ich möchte mit einem Menschen sprechen."):
        assert said in transcript


# --- claim ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("old_client", [False, True])
def test_claim(teams: TeamsWorld, old_client: bool) -> None:
    card = teams.wants_person()
    delivery = teams.maren.presses(card, "claim", old_client=old_client)
    if not old_client:
        now = buttons_of(delivery.json["value"])
        assert [button.action for button in now] == ["reply", "note", "resolve", "escalate", "hand_back", "edit"]
    teams.settle()
    assert (owner(teams), facts(card)["Zuständig"]) == ("Maren Tiede", "Maren Tiede")
    assert "claim" not in actions(card)
    assert "claimed/sie" in keys(heard(teams, teams.konrad)[-1])
    assert (events(teams)[-1], teams.maren.told) == ("claimed", [])
    assert below(teams, card)[1:] == [], "nothing is said where the card says it"


def test_who_claims_second_is_told_who_won_and_nobody_else_is(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    old = deepcopy(card)
    press(teams, teams.maren, card, "claim")
    assert press(teams, teams.tomasz, old, "claim") == [f"Maren Tiede has already claimed {teams.ticket().number}."]
    assert teams.maren.told == []
    assert (owner(teams), events(teams).count("claimed")) == ("Maren Tiede", 1)
    assert below(teams, card)[1:] == []


def test_in_an_old_client_who_claims_second_is_told_in_the_thread(teams: TeamsWorld) -> None:
    """Teams has no words there that only one person sees."""
    card = teams.wants_person()
    old = deepcopy(card)
    press(teams, teams.maren, card, "claim")
    teams.tomasz.presses(old, "claim", old_client=True)
    teams.settle()
    assert below(teams, card)[-1] == f"Maren Tiede has already claimed {teams.ticket().number}."
    assert owner(teams) == "Maren Tiede"


def test_of_many_who_claim_at_the_same_moment_one_wins(teams: TeamsWorld) -> None:
    people = [teams.maren, teams.tomasz, *(teams.fake.user(f"Agent {number}") for number in range(6))]
    teams.it.members[:] = [person.id for person in people]
    card = teams.wants_person()
    views = [(person, deepcopy(card)) for person in people]
    with ThreadPoolExecutor(len(people)) as pool:
        deliveries = list(pool.map(lambda one: one[0].presses(one[1], "claim"), views))
    teams.settle()
    assert all(delivery.ok for delivery in deliveries)
    winner = owner(teams)
    assert [person.name for person in people if not person.told] == [winner]
    assert {text for person in people for text in person.told} == {
        f"{teams.ticket().number} hat schon {winner} übernommen.",
        f"{winner} has already claimed {teams.ticket().number}.",
    } or len({text for person in people for text in person.told}) == 1
    assert events(teams).count("claimed") == 1


def test_a_double_click_claims_once(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    for view in (deepcopy(card), deepcopy(card)):
        teams.maren.presses(view, "claim")
    teams.settle()
    assert "claimed_by_you" in keys(teams.maren.told[-1])
    assert events(teams).count("claimed") == 1
    assert len([text for text in heard(teams, teams.konrad) if "claimed" in keys(text)]) == 1


def test_a_claim_on_a_card_that_is_not_booked_yet_counts(teams: TeamsWorld) -> None:
    card = unbooked(teams)
    assert press(teams, teams.maren, card, "claim") in ([], ["✓"])
    assert owner(teams) == "Maren Tiede"
    assert facts(teams.card())["Zuständig"] == "Maren Tiede"


def test_a_dialog_on_a_card_that_is_not_booked_yet_opens_and_counts(teams: TeamsWorld) -> None:
    card = unbooked(teams)
    dialog = teams.maren.opens(card, "note")
    assert isinstance(dialog, Dialog)
    assert list(dialog.fields) == ["text"]
    teams.settle()
    teams.maren.submits(dialog, {"text": "Merken."})
    teams.settle()
    assert events(teams)[-1] == "noted"


def unbooked(world: TeamsWorld) -> Message:
    """A card that stands in the channel while Lotse does not know it yet: the answer got lost."""
    world.konrad.writes("Ich möchte mit einem Menschen sprechen.")
    world.calm()
    world.clock.move(seconds=2.1)
    world.fake.faults.cut(n=2, method="POST", path="*/activities")
    world.app.worker.work_off()
    return world.card()


# --- assign and edit --------------------------------------------------------------------------------------------------
def edits(world: TeamsWorld, card: Message, **fields: object) -> str:
    """Maren changes a ticket in the dialog; what is said about it, nothing when it closed."""
    return fill_in(world, world.maren, card, "edit", **fields)


def test_the_dialog_holds_what_the_ticket_is_now(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    dialog = teams.maren.opens(card, "edit")
    assert isinstance(dialog, Dialog)
    held = {name: one.get("value") for name, one in dialog.fields.items()}
    assert held == {"assign": None, "priority": "3", "category": teams.ticket().category, "queue": "service-desk"}
    offered = {name: [one["title"] for one in field["choices"]] for name, field in dialog.fields.items()}
    assert offered["assign"] == ["Maren Tiede", "Tomasz Wilk"], "the people of the team, not Lotse"
    assert offered["priority"] == ["P1", "P2", "P3", "P4", "P5"]
    teams.maren.closes()
    press(teams, teams.tomasz, card, "claim")
    dialog = teams.maren.opens(card, "edit")
    assert isinstance(dialog, Dialog)
    assert dialog.fields["assign"]["value"] == teams.tomasz.id


def test_assign_gives_a_ticket_to_a_member_also_to_one_who_was_never_here(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    nele = teams.fake.user("Nele Arnold")
    nele.joins(teams.it)
    for person in (teams.tomasz, nele):
        assert edits(teams, card, assign=person) == ""
        assert (owner(teams), facts(card)["Zuständig"]) == (person.name, person.name)
        assert "assigned/sie" in keys(heard(teams, teams.konrad)[-1])
        assert person.name in heard(teams, teams.konrad)[-1]
    assert events(teams)[1:] == ["assigned", "assigned"]


@pytest.mark.parametrize("who", ["owen", "lotse", "nobody", "../x", "x" * 5000])
def test_a_ticket_is_not_given_to_who_is_no_agent(teams: TeamsWorld, who: str) -> None:
    """People of other teams are found as one types, where a team is too large for a list."""
    card = teams.wants_person()
    chosen = {"owen": teams.owen.id, "lotse": teams.fake.state.bot_id}.get(who, who)
    dialog = teams.maren.opens(card, "edit")
    assert isinstance(dialog, Dialog)
    dialog.fields["assign"]["choices"].append({"title": "?", "value": chosen})
    again = teams.maren.submits(dialog, {"assign": chosen, "priority": "1"})
    teams.settle()
    assert isinstance(again, Dialog)
    assert "only_to_agents" in teams_keys(read_fault(again))
    assert again.fields["priority"]["value"] == "1", "what was chosen beside it is still there"
    assert (owner(teams), events(teams)) == (None, ["opened"])
    teams.maren.submits(again, {"assign": teams.tomasz})
    teams.settle()
    assert (owner(teams), facts(card)["Priorität"]) == ("Tomasz Wilk", "P1")


def read_fault(dialog: Dialog) -> str:
    """What is wrong with a dialog, above its fields."""
    return str(dialog.card["body"][0]["items"][0]["inlines"][0]["text"])


@pytest.mark.parametrize("priority", ["P1", "P2", "P4", "P5"])
def test_every_priority_can_be_set(teams: TeamsWorld, priority: str) -> None:
    card = teams.wants_person()
    assert edits(teams, card, priority=priority) == ""
    assert (f"P{teams.ticket().priority}", facts(card)["Priorität"]) == (priority, priority)
    assert edits(teams, card, priority="P3") == ""
    assert facts(card)["Priorität"] == "P3"
    assert set(events(teams)[1:]) == {"corrected"}


def test_category(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    assert edits(teams, card, category="network") == ""
    assert (teams.ticket().category, facts(card)["Kategorie"]) == ("network", DE.label("category", "network"))
    assert events(teams)[1:] == ["corrected"]
    assert cards(teams, teams.network) == [], "a category alone moves no ticket"


def test_several_things_can_be_changed_at_once(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    assert edits(teams, card, assign=teams.tomasz, priority="P1", category="network", queue="network") == ""
    ticket = teams.ticket()
    assert (owner(teams), ticket.priority, ticket.category, ticket.queue) == ("Tomasz Wilk", 1, "network", "network")
    assert sorted(events(teams)[1:]) == ["assigned", "corrected", "corrected", "corrected", "corrected"]


def test_what_is_left_as_it_was_changes_nothing(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    press(teams, teams.tomasz, card, "claim")
    before, said = events(teams), heard(teams, teams.konrad)
    assert edits(teams, card) == ""
    assert (events(teams), heard(teams, teams.konrad)) == (before, said)


def test_what_somebody_else_changed_meanwhile_is_not_changed_back(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    dialog = teams.tomasz.opens(card, "edit")
    assert isinstance(dialog, Dialog)
    edits(teams, card, assign=teams.maren, priority="P1")
    assert teams.tomasz.submits(dialog, {"category": "network"}) is None
    teams.settle()
    assert (owner(teams), teams.ticket().priority, teams.ticket().category) == ("Maren Tiede", 1, "network")


@pytest.mark.parametrize(("field", "value"), [("priority", "9"), ("category", "x"), ("queue", "x")])
def test_a_value_that_was_never_offered_is_refused(teams: TeamsWorld, field: str, value: str) -> None:
    card = teams.wants_person()
    dialog = teams.maren.opens(card, "edit")
    assert isinstance(dialog, Dialog)
    dialog.fields[field]["choices"].append({"title": "?", "value": value})
    again = teams.maren.submits(dialog, {field: value})
    assert isinstance(again, Dialog)
    assert "wrong_value" in keys(read_fault(again))
    assert events(teams) == ["opened"]


def test_while_teams_does_not_tell_who_is_there_the_rest_can_be_changed(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    teams.fake.faults.next(500, n=50, path="*/pagedMembers")
    assert edits(teams, card, priority="P2") == ""
    assert facts(card)["Priorität"] == "P2"


def test_while_teams_does_not_tell_whether_somebody_is_there_the_dialog_stays_open(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    dialog = teams.maren.opens(card, "edit")
    assert isinstance(dialog, Dialog)
    teams.fake.faults.next(500, n=50, path=f"*/members/{teams.tomasz.id}")
    again = teams.maren.submits(dialog, {"assign": teams.tomasz})
    assert isinstance(again, Dialog)
    assert "not_answered" in teams_keys(read_fault(again))
    teams.fake.faults.clear()
    teams.maren.submits(again)
    teams.settle()
    assert owner(teams) == "Tomasz Wilk"


def test_another_queue_gets_card_and_transcript_and_the_old_card_stays_current(teams: TeamsWorld) -> None:
    teams.asks(teams.konrad, VPN_QUESTION)
    card = teams.wants_person()
    assert edits(teams, card, queue="network") == ""
    (new,) = cards(teams, teams.network)
    assert facts(new)["Warteschlange"] == facts(card)["Warteschlange"] == DE.label("queue", "network")
    assert VPN_QUESTION in below(teams, new)[0]
    press(teams, teams.tomasz, new, "claim")
    assert facts(card)["Zuständig"] == facts(new)["Zuständig"] == "Tomasz Wilk"
    assert leads_to(links(card)[german("link_handoff")], new)
    assert cards(teams) == [card]


def test_what_is_written_in_one_of_two_threads_is_read_in_the_other(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    edits(teams, card, queue="network")
    (new,) = cards(teams, teams.network)
    teams.tomasz.writes("Ist der Port belegt?", thread=new)
    teams.tomasz.writes("🔒 nur für uns", thread=new)
    teams.settle()
    teams.asks(teams.konrad, "Ja, Port 7.")
    assert told(teams.thread(card))[-3:] == [
        ("Tomasz Wilk", "Ist der Port belegt?"),
        ("🔒 Tomasz Wilk", "nur für uns"),
        ("Konrad Voßmann", "Ja, Port 7."),
    ]
    assert below(teams, new)[-1] == "Ja, Port 7."
    assert heard(teams, teams.konrad)[-1] == "Ist der Port belegt?"


def test_a_queue_and_back_opens_no_second_card(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    for queue in ("network", "service-desk", "network"):
        assert edits(teams, card, queue=queue) == ""
    assert (len(cards(teams)), len(cards(teams, teams.network))) == (1, 1)


# --- escalate ---------------------------------------------------------------------------------------------------------
def test_escalate_brings_card_and_transcript_to_the_third_level(teams: TeamsWorld) -> None:
    teams.asks(teams.konrad, VPN_QUESTION)
    card = teams.wants_person()
    assert press(teams, teams.maren, card, "escalate") == []
    third = teams.card(teams.third)
    assert actions(third) == []
    assert teams.words(third).startswith(teams.ticket().number)
    assert "card_rule_third_level" in keys(rule(third))
    assert VPN_QUESTION in below(teams, third)[0]
    assert "agent_escalated" in keys(below(teams, card)[-1])
    assert "escalate" not in actions(card)
    assert "escalated" in events(teams)


def test_escalating_twice_is_told(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    old = deepcopy(card)
    press(teams, teams.maren, card, "escalate")
    (answer,) = press(teams, teams.tomasz, old, "escalate")
    assert "already_escalated" in keys(answer)
    assert (len(cards(teams, teams.third)), events(teams).count("escalated")) == (1, 1)


# --- hand back, resolve, reopen ---------------------------------------------------------------------------------------
def test_handed_back_the_bot_speaks_again(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    teams.maren.writes("Das kann Lotse.", thread=card)
    teams.settle()
    assert press(teams, teams.maren, card, "hand_back") == []
    assert "handed_back/sie" in keys(heard(teams, teams.konrad)[-1])
    assert facts(card)["Status"] == "wartet auf Rückmeldung"
    assert events(teams)[-1] == "handed_back"
    teams.asks(teams.konrad, VPN_QUESTION)
    assert "Starten Sie den VPN-Client" in heard(teams, teams.konrad)[-1]


def test_resolve_asks_for_cause_and_fix_and_proposes_an_article(teams: TeamsWorld) -> None:
    teams.asks(teams.konrad, VPN_QUESTION)
    card = teams.wants_person()
    fields = {"fix": "Kabel getauscht.", "cause": "Kabelbruch", "article": True}
    assert fill_in(teams, teams.maren, card, "resolve", **fields) == ""
    answer = heard(teams, teams.konrad)[-1]
    assert "resolved" in keys(answer.replace("\n", "\n\n"))
    assert "Kabel getauscht." in answer
    assert "Kabelbruch" not in "".join(heard(teams, teams.konrad))
    assert actions(teams.answers(teams.konrad)[-1]) == ["works", "still_broken"]
    ticket = teams.ticket()
    assert (ticket.state, ticket.cause, ticket.fix) == (TicketState.RESOLVED, "Kabelbruch", "Kabel getauscht.")
    assert proposed(teams) == [(VPN_QUESTION, "proposed")]
    assert actions(card) == ["reopen"]
    assert facts(card)["Status"] == "gelöst"
    assert events(teams)[-1] == "resolved"


def test_resolve_without_a_cause_proposes_nothing(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    assert fill_in(teams, teams.maren, card, "resolve", fix="Neu gestartet.") == ""
    assert (teams.ticket().state, teams.ticket().cause) == (TicketState.RESOLVED, None)
    assert proposed(teams) == []


def test_reopen(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    fill_in(teams, teams.maren, card, "resolve", fix="Kabel getauscht.")
    assert press(teams, teams.tomasz, card, "reopen") == []
    assert "reopened_by" in keys(heard(teams, teams.konrad)[-1])
    assert facts(card)["Status"] == "in Bearbeitung"
    assert (events(teams)[-1], teams.tickets()) == ("reopened", 1)


def test_reopening_after_the_window_is_told(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    fill_in(teams, teams.maren, card, "resolve", fix="Kabel getauscht.")
    old = deepcopy(card)
    teams.clock.move(days=8)
    teams.settle()
    assert actions(card) == []
    (answer,) = press(teams, teams.maren, old, "reopen")
    assert "cannot_reopen" in keys(answer)
    assert teams.ticket().state == TicketState.CLOSED


def test_an_old_card_of_a_resolved_ticket_changes_nothing(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    old = deepcopy(card)
    fill_in(teams, teams.maren, card, "resolve", fix="Kabel getauscht.")
    before, said = events(teams), heard(teams, teams.konrad)
    answers = [text for name in ("claim", "escalate", "hand_back") for text in press(teams, teams.tomasz, old, name)]
    assert [keys(answer) >= {"already_resolved"} for answer in answers] == [True] * 3
    for name in ("resolve", "edit"):
        dialog = teams.tomasz.opens(old, name)
        assert isinstance(dialog, Dialog)
        assert dialog.fields == {}, "told at once, not after typing"
        assert "already_resolved" in keys(str(dialog.card["body"][0]["inlines"][0]["text"]))
    assert (events(teams), heard(teams, teams.konrad)) == (before, said)
    assert teams.ticket().fix == "Kabel getauscht."


# --- what was never on it ---------------------------------------------------------------------------------------------
def pressing(world: TeamsWorld, person: Actor, card: Message, action: str) -> list[str]:
    """A member of the team presses something that no card has."""
    odd = deepcopy(card)
    button = next(one for one in odd.buttons if one.action == "claim").raw
    button["data"]["lotse"]["action"] = action  # type: ignore[index]
    return press(world, person, odd, action)


@pytest.mark.parametrize("action", ["hack", "helped", "x" * 20_000, "person"])
def test_a_button_no_card_has_does_nothing_and_says_so(teams: TeamsWorld, action: str) -> None:
    card = teams.wants_person()
    (answer,) = pressing(teams, teams.maren, card, action)
    assert "not_for_you" in keys(answer)
    assert (events(teams), owner(teams)) == (["opened"], None)


def test_below_a_post_that_is_no_card_there_is_no_ticket_to_press(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    elsewhere = deepcopy(card)
    elsewhere.id, elsewhere.root = teams.maren.writes("Mahlzeit!", teams.desk).id, None
    for button in elsewhere.buttons:
        button.raw["data"]["lotse"]["key"] = "999999"
    (answer,) = press(teams, teams.maren, elsewhere, "claim")
    assert "no_such_ticket" in keys(answer)
    assert refused(teams, teams.maren, elsewhere, "note") == {"no_ticket_here"}
    assert owner(teams) is None


def test_the_card_is_one_post_for_everybody(teams: TeamsWorld) -> None:
    """Its changes are changes of that post: nobody gets a notification for each of them."""
    card = teams.wants_person()
    posts = len(teams.fake.posts(teams.desk))
    for name in ("claim", "hand_back", "escalate"):
        press(teams, teams.maren, card, name)
    assert card.edits >= 3
    assert len([post for post in teams.fake.posts(teams.desk) if not post.is_reply]) == 1
    assert len(teams.fake.posts(teams.desk)) == posts + 2, "that it was handed back and escalated is said below it"
