""" "Open a ticket" in the menu of any message in Teams: the dialog, whose ticket it is, and where they read of it."""

from copy import deepcopy
from typing import Any

import pytest
from chat_records import came_in, cases, files, outcomes
from fake_teams import Actor, Channel, Dialog, Message, RefusedByClientError, Upload
from fake_teams_things import Channel as Room
from sentences import keys
from teams_cards import below, heard, mentioned, read, teams_keys, told
from teams_harness import words_of_answer
from teams_world import TeamsWorld
from world import VPN, VPN_QUESTION

from bot.texts import Texts
from handoff.models import ConversationState, Reason

WISH = "Ich möchte mit einem Menschen sprechen."
SCREEN = "Mein Bildschirm flackert seit heute."
SECRET = "Er ist ungeduldig, geheim-4711."


def opens(person: Actor, message: Message) -> Dialog:
    """The dialog that a person gets on a message."""
    dialog = person.opens_ticket_on(message)
    assert isinstance(dialog, Dialog), dialog
    return dialog


def opens_ticket(world: TeamsWorld, person: Actor, message: Message, **fields: object) -> str:
    """A person opens a ticket on a message; what they are told in the end."""
    answer = person.submits(opens(person, message), fields)
    world.settle()
    return words_of_answer(answer)


def filled_in(dialog: Dialog) -> dict[str, Any]:
    """What the fields of a dialog hold already."""
    return {name: one.get("value") for name, one in dialog.fields.items()}


def receipts(world: TeamsWorld, person: Actor) -> list[bool]:
    """Which of the posts in a person's chat are the receipt of a ticket that they did not ask for themselves."""
    return [
        {"receipt_asked_for_person", "receipt_for_somebody"} & bare(keys(text)) != set()
        for text in heard(world, person)
    ]


def bare(keys: set[str]) -> set[str]:
    """The keys of sentences without their form of address."""
    return {key.partition("/")[0] for key in keys}


# --- the dialog -------------------------------------------------------------------------------------------------------
def test_the_dialog_holds_who_wrote_the_message_and_what(teams: TeamsWorld) -> None:
    said = teams.konrad.writes(SCREEN, teams.general)
    dialog = opens(teams.maren, said)
    assert dialog.title == Texts("de", "sie", "teams")("open_ticket_title")
    assert filled_in(dialog) == {"requester": teams.konrad.id, "summary": SCREEN, "note": None}
    people = {one["title"] for one in dialog.fields["requester"]["choices"]}
    assert people == {"Konrad Voßmann", "Owen Tallis", "Maren Tiede", "Tomasz Wilk", "Henrik Lindqvist"}


def test_the_dialog_is_in_the_language_of_who_opens_it(teams: TeamsWorld) -> None:
    said = teams.konrad.writes(SCREEN, teams.general)
    assert opens(teams.owen, said).title in {"Ticket eröffnen", "Open a ticket"}, "unknown yet: the house's"
    teams.asks(teams.owen, "hello")
    assert opens(teams.owen, said).title == "Open a ticket"


def test_the_mention_of_lotse_is_no_part_of_the_summary(teams: TeamsWorld) -> None:
    said = teams.konrad.writes(f"{teams.fake.at()} {SCREEN} {teams.owen.at} auch", teams.general)
    assert filled_in(opens(teams.owen, said))["summary"] == f"{SCREEN} @Owen Tallis auch"


def test_the_title_of_a_post_is_part_of_the_summary(teams: TeamsWorld) -> None:
    said = teams.konrad.writes("Siehe Bild.", teams.general)
    assert filled_in(opens(teams.owen, said))["summary"] == "Siehe Bild."
    sent = fetch_of(teams)
    sent["value"]["messagePayload"]["subject"] = "Bildschirm flackert"
    card = teams.fake.deliver(sent).json["task"]["value"]["card"]["content"]
    (summary,) = [one for one in card["body"] if one.get("id") == "summary"]
    assert summary["value"] == "Bildschirm flackert\nSiehe Bild."


def test_on_a_message_of_lotse_the_ticket_is_for_who_opens_it(teams: TeamsWorld) -> None:
    teams.asks(teams.konrad, VPN_QUESTION)
    dialog = opens(teams.konrad, teams.answers(teams.konrad)[-1])
    assert filled_in(dialog)["requester"] == teams.konrad.id


def test_a_card_of_lotse_is_told_in_short_and_is_no_attachment(teams: TeamsWorld) -> None:
    teams.asks(teams.konrad, VPN_QUESTION)
    dialog = opens(teams.konrad, teams.answers(teams.konrad)[-1])
    assert VPN[0] in str(filled_in(dialog)["summary"])
    assert "attachments_stay" not in teams_keys(words_of_answer(dialog))


def test_an_empty_summary_is_asked_for_again_and_the_rest_is_kept(teams: TeamsWorld) -> None:
    said = teams.konrad.writes(SCREEN, teams.general)
    dialog = opens(teams.owen, said)
    with pytest.raises(RefusedByClientError):
        teams.owen.submits(dialog, {"summary": ""})
    again = teams.owen.submits(dialog, {"summary": " \n ", "note": "eilt", "requester": teams.tomasz})
    assert isinstance(again, Dialog)
    assert "nothing_asked" in teams_keys(words_of_answer(again).split("\n\n")[0].partition("\n")[0])
    assert filled_in(again) == {"requester": teams.tomasz.id, "summary": " \n ", "note": "eilt"}
    assert teams.tickets() == 0
    teams.owen.submits(again, {"summary": SCREEN})
    teams.settle()
    assert teams.ticket().requester.name == "Tomasz Wilk"


def test_another_command_opens_nothing(teams: TeamsWorld) -> None:
    said = teams.konrad.writes(SCREEN, teams.general)
    answer = teams.owen.opens_ticket_on(said, command="hack")
    assert "button_unknown" in teams_keys(words_of_answer(answer))


def test_while_teams_does_not_tell_who_is_there_the_author_can_be_chosen(teams: TeamsWorld) -> None:
    said = teams.konrad.writes(SCREEN, teams.general)
    teams.fake.faults.next(500, n=50, path="*/pagedMembers")
    dialog = opens(teams.owen, said)
    assert [one["title"] for one in dialog.fields["requester"]["choices"]] == ["Owen Tallis", "Konrad Voßmann"]
    teams.owen.submits(dialog)
    teams.settle()
    assert teams.ticket().requester.name == "Konrad Voßmann"


# --- in a channel -----------------------------------------------------------------------------------------------------
def test_the_ticket_is_the_authors_and_takes_the_whole_thread_along(teams: TeamsWorld) -> None:
    said = teams.konrad.writes(SCREEN, teams.general)
    teams.owen.writes("Mine, too.", thread=said, files=[Upload("photo.png", b"\x89PNG", "image/png")])
    answer = opens_ticket(teams, teams.owen, said)
    assert "ticket_is_opened" in teams_keys(answer)
    (receipt,) = teams.fake.said(teams.general)
    assert (receipt.root, "receipt_for_somebody/de" in keys(read(receipt))) == (said.id, True)
    assert "Owen Tallis hat dazu um ein Ticket für Konrad Voßmann gebeten." in read(receipt)
    ticket = teams.ticket()
    assert (ticket.requester.name, ticket.summary, ticket.reason) == ("Konrad Voßmann", SCREEN, Reason.ASKED_FOR_PERSON)
    transcript = below(teams, teams.card())[0]
    for words in ("Konrad Voßmann", SCREEN, "Owen Tallis", "Mine, too.", "photo.png"):
        assert words in transcript
    assert "Owen Tallis hat dazu um ein Ticket für Konrad Voßmann gebeten" in transcript
    assert files(teams) == [("photo.png", None, "in_channel")]
    assert [(one.who, one.kind, one.outcome) for one in came_in(teams)] == [
        ("Owen Tallis", "press", "ticket"),
        ("Konrad Voßmann", "text", "quoted"),
        ("Owen Tallis", "text", "quoted"),
    ]


def test_mentions_of_lotse_are_no_words_of_the_thread_and_those_of_others_are(teams: TeamsWorld) -> None:
    said = teams.konrad.writes(f"{teams.fake.at()} {SCREEN} {teams.owen.at} auch", teams.general, deliver=False)
    opens_ticket(teams, teams.owen, said)
    assert [one.text for one in came_in(teams) if one.outcome == "quoted"] == [f"{SCREEN} @Owen Tallis auch"]


def test_where_the_team_did_not_agree_the_message_itself_is_the_transcript(teams: TeamsWorld) -> None:
    team = teams.fake.team("Vertrieb", teams.konrad, teams.owen, rsc=False)
    said = teams.konrad.writes(SCREEN, team)
    teams.owen.writes("Mine, too.", thread=said)
    opens_ticket(teams, teams.owen, said)
    assert teams.ticket().summary == SCREEN
    assert "Mine, too." not in below(teams, teams.card())[0]
    assert [post.root for post in teams.fake.said(team)] == [said.id]


def test_afterwards_the_author_is_heard_in_the_thread_and_others_are_not(teams: TeamsWorld) -> None:
    said = teams.konrad.writes(SCREEN, teams.general)
    opens_ticket(teams, teams.owen, said)
    teams.konrad.writes("Raum 213", thread=said)
    teams.owen.writes("Try another cable.", thread=said)
    teams.settle()
    assert told(teams.thread(teams.card()))[-1] == ("Konrad Voßmann", "Raum 213")


def test_a_ticket_on_a_reply_stands_in_the_thread_it_is_part_of(teams: TeamsWorld) -> None:
    root = teams.owen.writes("How is everybody?", teams.general)
    reply = teams.konrad.writes(SCREEN, thread=root)
    opens_ticket(teams, teams.owen, reply)
    assert [post.root for post in teams.fake.said(teams.general)] == [root.id]
    assert teams.ticket().requester.name == "Konrad Voßmann"


def test_a_ticket_can_be_for_oneself(teams: TeamsWorld) -> None:
    said = teams.konrad.writes("Bei wem flackert der Bildschirm?", teams.general)
    opens_ticket(teams, teams.owen, said, requester=teams.owen, summary="My screen, too.")
    assert (teams.ticket().requester.name, teams.ticket().summary) == ("Owen Tallis", "My screen, too.")
    assert [post.root for post in teams.fake.said(teams.general)] == [said.id]


def test_a_ticket_can_be_for_somebody_else_of_the_channel(teams: TeamsWorld) -> None:
    said = teams.owen.writes("Konrad's screen flickers.", teams.general)
    opens_ticket(teams, teams.owen, said, requester=teams.konrad, summary=SCREEN)
    assert (teams.ticket().requester.name, teams.ticket().summary) == ("Konrad Voßmann", SCREEN)
    teams.konrad.writes("Raum 213", thread=said)
    teams.settle()
    assert told(teams.thread(teams.card()))[-1] == ("Konrad Voßmann", "Raum 213")


def test_for_somebody_who_is_not_in_the_channel_it_is_told_in_their_chat(teams: TeamsWorld) -> None:
    said = teams.owen.writes("Jette's screen flickers.", teams.general)
    jette = teams.fake.user("Jette Brandes")
    teams.fake.team("Vertrieb", jette)
    opens_ticket(teams, teams.owen, said, summary=SCREEN)
    sent = sends_another(teams)
    sent["value"]["data"]["requester"] = jette.id
    teams.fake.deliver(sent)
    teams.settle()
    assert receipts(teams, jette)[-1]
    assert teams.ticket().requester.platform_id == jette.id


def test_where_lotse_is_not_the_ticket_is_told_in_the_authors_chat(teams: TeamsWorld) -> None:
    team = teams.fake.team("Vertrieb", teams.konrad, teams.owen, installed=False)
    said = teams.konrad.writes(SCREEN, team)
    opens_ticket(teams, teams.owen, said)
    assert teams.fake.said(team) == []
    about, receipt = heard(teams, teams.konrad)
    assert about == Texts("de", "sie")("ticket_for_you", name="Owen Tallis", text=SCREEN)
    assert "receipt_asked_for_person" in keys(receipt)
    assert teams.ticket().requester.name == "Konrad Voßmann"
    teams.asks(teams.konrad, "Raum 213")
    assert told(teams.thread(teams.card()))[-1] == ("Konrad Voßmann", "Raum 213")


def test_for_oneself_where_lotse_is_not_one_is_told_what_the_ticket_is_about(teams: TeamsWorld) -> None:
    said = teams.konrad.writes(SCREEN, between(teams, teams.konrad, teams.owen), deliver=False)
    opens_ticket(teams, teams.owen, said, requester=teams.owen)
    assert "ticket_about" in keys(heard(teams, teams.owen)[0])
    assert receipts(teams, teams.owen) == [False, True]


def test_who_has_a_ticket_already_is_told_what_was_added_to_it(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    said = teams.konrad.writes(SCREEN, between(teams, teams.konrad, teams.owen), deliver=False)
    opens_ticket(teams, teams.owen, said)
    added, confirmed = heard(teams, teams.konrad)[-2:]
    assert added == Texts("de", "sie")("added_for_you", name="Owen Tallis", text=SCREEN)
    assert "added" in keys(confirmed)
    assert "agent_form_added" in keys(below(teams, card)[-1])
    assert teams.tickets() == 1


def test_in_a_hand_off_channel_it_is_told_in_the_authors_chat(teams: TeamsWorld) -> None:
    said = teams.tomasz.writes("My own laptop is broken.", teams.desk)
    opens_ticket(teams, teams.maren, said)
    assert [post for post in teams.fake.said(teams.desk, said) if post.id != said.id] == []
    assert receipts(teams, teams.tomasz)[-1]
    (card,) = teams.fake.roots(teams.desk)
    assert teams.ticket().number in teams.words(card)


def test_a_message_in_somebody_elses_case_becomes_a_ticket_of_its_own(teams: TeamsWorld) -> None:
    question = teams.konrad.writes(VPN_QUESTION, teams.general, mention=True)
    teams.settle()
    reply = teams.owen.writes("My screen flickers, by the way.", thread=question)
    answer = opens_ticket(teams, teams.maren, reply)
    assert "ticket_is_opened" in teams_keys(answer)
    assert teams.ticket().requester.name == "Owen Tallis"
    assert receipts(teams, teams.owen)[-1]
    assert len(teams.fake.said(teams.general, question)) == 1
    assert [case.state for case in cases(teams)] == [ConversationState.WITH_BOT, ConversationState.WAITING_FOR_PERSON]


def test_a_second_ticket_on_the_same_message_is_added_to_the_first(teams: TeamsWorld) -> None:
    said = teams.konrad.writes(SCREEN, teams.general)
    opens_ticket(teams, teams.owen, said)
    opens_ticket(teams, teams.owen, said)
    assert teams.tickets() == 1
    assert "added" in keys(read(teams.fake.said(teams.general, said)[-1]))
    assert "agent_form_added" in keys(below(teams, teams.card())[-1])


def test_a_dialog_that_is_sent_twice_opens_one_ticket(teams: TeamsWorld) -> None:
    said = teams.konrad.writes(SCREEN, teams.general)
    opens_ticket(teams, teams.owen, said)
    assert teams.fake.deliver(submission_of(teams)).ok
    teams.settle()
    assert (teams.tickets(), outcomes(teams).count("ticket")) == (1, 1)
    assert len(teams.fake.said(teams.general, said)) == 1


# --- in chats ---------------------------------------------------------------------------------------------------------
def test_in_the_chat_with_lotse_the_open_case_becomes_a_ticket(teams: TeamsWorld) -> None:
    said = teams.asks(teams.konrad, VPN_QUESTION)
    opens_ticket(teams, teams.konrad, said)
    assert receipts(teams, teams.konrad) == [False, True], "the answer and the receipt, and nothing told twice"
    assert len(cases(teams)) == 1
    assert VPN_QUESTION in below(teams, teams.card())[0]


def test_for_somebody_else_on_an_own_message_in_the_chat_with_lotse_it_is_told_to_them(teams: TeamsWorld) -> None:
    said = teams.asks(teams.maren, "Konrads Bildschirm flackert seit heute.")
    before = len(teams.answers(teams.maren))
    dialog = opens(teams.maren, said)
    sent = {"requester": teams.konrad} if len(dialog.fields["requester"]["choices"]) > 1 else {}
    teams.maren.submits(dialog, sent)
    if not sent:  # Teams offers only the two of the chat: somebody else is found as one types
        again = sends_another(teams)
        again["value"]["data"]["requester"] = teams.konrad.id
        teams.fake.deliver(again)
    teams.settle()
    assert receipts(teams, teams.konrad)[-1]
    assert len(teams.answers(teams.maren)) == before + (0 if sent else 1)


def test_in_a_group_chat_with_lotse_the_author_is_told_there(teams: TeamsWorld) -> None:
    group = teams.fake.group(teams.konrad, teams.owen)
    said = teams.konrad.writes(SCREEN, group)
    opens_ticket(teams, teams.owen, said)
    (receipt,) = teams.fake.said(group)
    assert teams.words(receipt).startswith("<at>Konrad Voßmann</at>\n"), "by name, though Konrad never wrote to Lotse"
    assert mentioned(receipt) == [teams.konrad.id]
    assert "receipt_for_somebody/de" in keys(read(receipt))
    teams.konrad.writes("Raum 213", group, mention=True)
    teams.settle()
    assert told(teams.thread(teams.card()))[-1] == ("Konrad Voßmann", "Raum 213")


def test_in_a_group_chat_without_lotse_the_author_is_told_in_their_own_chat(teams: TeamsWorld) -> None:
    group = teams.fake.group(teams.konrad, teams.owen, installed=False)
    said = teams.konrad.writes(SCREEN, group)
    opens_ticket(teams, teams.owen, said)
    assert teams.fake.said(group) == []
    assert receipts(teams, teams.konrad)[-1]


def test_a_message_between_two_people_can_become_a_ticket(teams: TeamsWorld) -> None:
    """Lotse is not in their chat and cannot read it; Teams brings the one message."""
    said = teams.konrad.writes(SCREEN, between(teams, teams.konrad, teams.owen), deliver=False)
    opens_ticket(teams, teams.owen, said)
    assert receipts(teams, teams.konrad)[-1]
    assert (teams.ticket().summary, teams.ticket().requester.name) == (SCREEN, "Konrad Voßmann")
    assert teams.answers(teams.owen) == []


def between(world: TeamsWorld, one: Actor, other: Actor) -> Channel:
    """The chat of two people; Teams calls it personal, too."""
    room = Room(f"19:{one.id}_{other.id}@unq.gbl.spaces", "personal", world.fake.tenant, None, [one.id, other.id])
    room.installed = False
    world.fake.state.channels[room.id] = room
    return room


# --- the note ---------------------------------------------------------------------------------------------------------
def test_a_note_reaches_the_agents_and_never_the_requester(teams: TeamsWorld) -> None:
    said = teams.konrad.writes("Bildschirm flackert", teams.general)
    opens_ticket(teams, teams.owen, said, note=SECRET)
    teams.asks(teams.konrad, "status?")
    seen = [*teams.fake.said(teams.general), *teams.answers(teams.konrad)]
    assert "geheim-4711" not in str(seen)
    assert teams.ticket().summary == "Bildschirm flackert"
    assert told(teams.thread(teams.card()))[-1] == ("🔒 Owen Tallis", SECRET)


def test_a_note_with_a_new_ticket_stands_below_that_ticket(teams: TeamsWorld) -> None:
    question = teams.konrad.writes(WISH, teams.general, mention=True)
    teams.settle()
    first = teams.card()
    teams.fills_in(teams.maren, first, "resolve", fix="Neu gestartet.")
    said = teams.konrad.writes(SCREEN, thread=question)
    opens_ticket(teams, teams.owen, said, note=SECRET)
    assert teams.tickets() == 2
    assert SECRET not in "".join(below(teams, first))
    assert SECRET in "".join(below(teams, teams.card()))
    assert SECRET not in str(teams.fake.said(teams.general, question))


def test_a_ticket_on_a_case_that_a_person_has_reaches_that_person(teams: TeamsWorld) -> None:
    question = teams.konrad.writes(WISH, teams.general, mention=True)
    teams.settle()
    card = teams.card()
    teams.maren.writes("Hallo, worum geht es?", thread=card)
    teams.settle()
    said = teams.konrad.writes(SCREEN, thread=question)
    teams.settle()
    opens_ticket(teams, teams.owen, said, summary="Konrads Bildschirm flackert, dringend")
    assert below(teams, card)[-1] == "Owen Tallis hat zu TKT-1001 ergänzt: Konrads Bildschirm flackert, dringend"
    assert teams.tickets() == 1


# --- what a dialog carries cannot be trusted --------------------------------------------------------------------------
def fetch_of(world: TeamsWorld) -> dict[str, Any]:
    """The request with which the last dialog was asked for."""
    return request_of(world, "composeExtension/fetchTask")


def submission_of(world: TeamsWorld) -> dict[str, Any]:
    """The request with which the last dialog was sent."""
    return request_of(world, "composeExtension/submitAction")


def sends_another(world: TeamsWorld, **about: str) -> dict[str, Any]:
    """The last dialog, as if it was another one. about: what it carries then."""
    sent = submission_of(world)
    sent["id"] = f"f:{len(world.fake.postman.sent)}"
    sent["value"]["data"]["lotse"] |= {"once": sent["id"], **about}
    return sent


def request_of(world: TeamsWorld, name: str) -> dict[str, Any]:
    return deepcopy(next(one for one in reversed(world.fake.postman.sent) if one.get("name") == name))


@pytest.mark.parametrize(
    "requester", ["../../../v3/conversations", "..", "x" * 20_000, "29:1?x=y", " ", "\u0000", "a b"], ids=repr
)
def test_nobody_that_could_be_is_told_to_choose_a_person(teams: TeamsWorld, requester: str) -> None:
    said = teams.konrad.writes(SCREEN, teams.general)
    opens_ticket(teams, teams.owen, said)
    sent = sends_another(teams)
    sent["value"]["data"]["requester"] = requester
    before = len(teams.fake.calls)
    delivery = teams.fake.deliver(sent)
    teams.settle()
    assert delivery.ok
    card = delivery.json["task"]["value"]["card"]["content"]
    assert "choose_person" in teams_keys(card["body"][0]["items"][0]["inlines"][0]["text"])
    assert teams.tickets() == 1
    assert [call.path for call in teams.fake.calls[before:] if "pagedMembers" not in call.path] == []


def test_a_forged_name_renames_nobody(teams: TeamsWorld) -> None:
    group = teams.fake.group(teams.konrad, teams.owen, installed=False)
    teams.asks(teams.konrad, "Hallo")
    said = teams.konrad.writes(SCREEN, group)
    opens_ticket(teams, teams.owen, said)
    teams.fake.deliver(sends_another(teams, name="Die Chefin"))
    teams.settle()
    assert teams.ticket().requester.name == "Konrad Voßmann"


def test_a_forged_message_or_form_is_not_believed(teams: TeamsWorld) -> None:
    said = teams.konrad.writes(SCREEN, teams.general)
    opens_ticket(teams, teams.owen, said)
    sent = sends_another(teams, message="../../x")
    sent["conversation"]["id"] = teams.general.id
    assert teams.fake.deliver(sent).ok
    sent["value"]["data"]["lotse"] = {"form": "resolve", "number": "TKT-1001", "once": "yet another"}
    answer = teams.fake.deliver({**sent, "id": "f:2"})
    teams.settle()
    assert "button_unknown" in teams_keys(
        answer.json["task"]["value"]["card"]["content"]["body"][0]["inlines"][0]["text"]
    )
    assert receipts(teams, teams.konrad)[-1], "it has a place of its own then"
    assert not [call.path for call in teams.fake.calls if ".." in call.path]
