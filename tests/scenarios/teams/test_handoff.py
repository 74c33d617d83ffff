"""The thread below a card in Teams: what reaches the employee, notes, dialogs, and searching in the room."""

import pytest
from chat_records import came_in, events
from fake_teams import Actor, Dialog, Message, RefusedByClientError
from fake_teams_activities import message_activity
from sentences import keys
from teams_cards import (
    below,
    facts,
    fill_in,
    heard,
    links,
    owner,
    press,
    read,
    rule,
    teams_keys,
    told,
)
from teams_world import MakeTeamsWorld, TeamsWorld
from world import VPN, VPN_QUESTION

from bot.channels.teams.forms import LONGEST_INPUT
from bot.texts import Texts
from handoff.models import TicketState

SECRET = "nur-intern-4711"
SKYPE = "http://schema.skype.com/"


def writes(world: TeamsWorld, person: Actor, card: Message, text: str) -> Message:
    """A person writes below a card, and everything is worked off."""
    message = person.writes(text, thread=card)
    world.settle()
    return message


def writes_html(world: TeamsWorld, person: Actor, card: Message, html: str) -> None:
    message = person.writes("formatted", thread=card, deliver=False)
    message.attachments = [{"contentType": "text/html", "content": html}]
    assert world.fake.deliver(message_activity(world.fake.state, message)).ok
    world.settle()


# --- replies ----------------------------------------------------------------------------------------------------------
def test_a_reply_reaches_the_employee_under_the_agents_name(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    writes(teams, teams.maren, card, "Ich sehe mir das an.")
    assert told(teams.answers(teams.konrad))[-1] == ("Maren Tiede", "Ich sehe mir das an.")
    assert events(teams)[-1] == "replied"
    assert below(teams, card)[1:] == [], "it stands in the thread already"


def test_who_writes_first_owns_an_unclaimed_ticket(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    writes(teams, teams.tomasz, card, "Ich sehe mir das an.")
    assert (owner(teams), facts(card)["Zuständig"]) == ("Tomasz Wilk", "Tomasz Wilk")
    writes(teams, teams.maren, card, "Ich auch.")
    assert owner(teams) == "Tomasz Wilk"
    assert told(teams.answers(teams.konrad))[-1] == ("Maren Tiede", "Ich auch.")


def test_a_mention_of_lotse_inside_a_reply_is_left_out_of_it(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    writes(teams, teams.maren, card, f"Das macht {teams.fake.at()} für Sie, sonst {teams.tomasz.at}.")
    assert heard(teams, teams.konrad)[-1] == "Das macht für Sie, sonst @Tomasz Wilk."


def test_a_word_in_the_channel_itself_is_for_nobody_but_the_team(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    before, stored = heard(teams, teams.konrad), len(came_in(teams))
    chatter = teams.maren.writes("Mahlzeit!", teams.desk)
    writes(teams, teams.tomasz, chatter, "Enjoy!")
    teams.maren.edits(chatter, "Mahlzeit zusammen!")
    teams.maren.deletes(chatter)
    teams.settle()
    assert heard(teams, teams.konrad) == before
    assert (below(teams, card)[1:], len(came_in(teams))) == ([], stored)


# --- notes ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("prefix", ["//", "// ", "🔒", "🔒 ", "  // ", "//\n", "🔒\n"])
def test_a_note_by_its_prefix_never_reaches_the_employee(teams: TeamsWorld, prefix: str) -> None:
    card = teams.wants_person()
    press(teams, teams.maren, card, "escalate")
    before = heard(teams, teams.konrad)
    writes(teams, teams.maren, card, f"{prefix}{SECRET}")
    assert heard(teams, teams.konrad) == before
    assert told(teams.thread(teams.card(teams.third)))[-1] == ("🔒 Maren Tiede", SECRET)
    assert events(teams)[-1] == "noted"
    assert owner(teams) is None


@pytest.mark.parametrize(
    "html",
    [
        "<p><strong>🔒 {}</strong></p>",
        "<p><em>// {}</em></p>",
        "<ul><li>// {}</li></ul>",
        "<blockquote><p>🔒 {}</p></blockquote>",
        "<p>&nbsp;</p><p>🔒 {}</p>",
        "<h2>🔒 {}</h2>",
        '<p><emoji id="lock" alt="🔒" title="Schloss"></emoji> {}</p>',
        '<p><img itemtype="http://schema.skype.com/Emoji" alt="🔒"> {}</p>',
        '<p><img src="x" alt="image" itemtype="http://schema.skype.com/AMSImage"></p><p>🔒 {}</p>',
        "<p><code>// {}</code></p>",
    ],
)
def test_a_note_behind_formatting_is_a_note(teams: TeamsWorld, html: str) -> None:
    card = teams.wants_person()
    before = heard(teams, teams.konrad)
    writes_html(teams, teams.maren, card, html.format(SECRET))
    assert heard(teams, teams.konrad) == before
    assert events(teams)[-1] == "noted"


def test_what_a_reply_quotes_of_the_room_stays_there(teams: TeamsWorld) -> None:
    """Somebody answers a note with a quote of it."""
    card = teams.wants_person()
    quote = f'<blockquote itemtype="{SKYPE}Reply"><strong>Tomasz Wilk</strong><p>🔒 {SECRET}</p></blockquote>'
    writes_html(teams, teams.maren, card, f"{quote}<p>Ich rufe Sie gleich an.</p>")
    assert heard(teams, teams.konrad)[-1] == "Ich rufe Sie gleich an."
    assert SECRET not in str(teams.fake.posts(teams.konrad))


# --- internal by default ----------------------------------------------------------------------------------------------
@pytest.fixture
def explicit(make_teams_world: MakeTeamsWorld) -> TeamsWorld:
    return make_teams_world(handoff={"reply": "explicit"})


def test_explicit_the_card_says_that_the_thread_is_internal(explicit: TeamsWorld) -> None:
    assert "card_rule_explicit" in keys(rule(explicit.wants_person()))


def test_explicit_what_is_written_stays_internal(explicit: TeamsWorld) -> None:
    card = explicit.wants_person()
    before = heard(explicit, explicit.konrad)
    writes(explicit, explicit.maren, card, SECRET)
    fill_in(explicit, explicit.maren, card, "note", text=SECRET)
    assert heard(explicit, explicit.konrad) == before
    assert owner(explicit) is None
    assert events(explicit)[1:] == ["noted", "noted"]


def test_explicit_what_is_sent_with_reply_goes_out(explicit: TeamsWorld) -> None:
    card = explicit.wants_person()
    writes(explicit, explicit.maren, card, "/reply Welcher Raum?")
    fill_in(explicit, explicit.tomasz, card, "reply", text="Und welches Stockwerk?")
    assert told(explicit.answers(explicit.konrad))[-2:] == [
        ("Maren Tiede", "Welcher Raum?"),
        ("Tomasz Wilk", "Und welches Stockwerk?"),
    ]
    assert owner(explicit) == "Maren Tiede"


# --- the third level --------------------------------------------------------------------------------------------------
def test_what_the_third_level_writes_is_a_note_and_never_reaches_the_employee(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    press(teams, teams.maren, card, "escalate")
    before = heard(teams, teams.konrad)
    for text in ("Der Router ist defekt.", "/reply Bitte tauschen.", "// und noch etwas"):
        writes(teams, teams.henrik, teams.card(teams.third), text)
    assert heard(teams, teams.konrad) == before
    assert told(teams.thread(card))[-3:] == [
        ("🔒 Henrik Lindqvist", "Der Router ist defekt."),
        ("🔒 Henrik Lindqvist", "/reply Bitte tauschen."),
        ("🔒 Henrik Lindqvist", "und noch etwas"),
    ]
    assert events(teams)[-3:] == ["noted"] * 3
    assert owner(teams) is None


def test_the_third_level_reads_what_employee_and_agents_write(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    press(teams, teams.maren, card, "escalate")
    writes(teams, teams.maren, card, "Seit wann?")
    teams.asks(teams.konrad, "Seit heute.")
    assert below(teams, teams.card(teams.third))[-2:] == ["Seit wann?", "Seit heute."]


# --- dialogs ----------------------------------------------------------------------------------------------------------
def test_a_note_by_the_button_is_read_by_agents_only(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    before = heard(teams, teams.konrad)
    assert fill_in(teams, teams.maren, card, "note", text="Das ist der Kollege von gestern.\nBitte Geduld.") == ""
    note = teams.thread(card)[-1]
    assert told([note]) == [("🔒 Maren Tiede", "Das ist der Kollege von gestern.\nBitte Geduld.")]
    assert (note.card or {})["body"][0]["style"] == "warning", "agents see at once that it is one"
    assert heard(teams, teams.konrad) == before
    assert (events(teams)[-1], owner(teams)) == ("noted", None)


def test_a_reply_by_the_button_goes_to_the_employee_and_stands_in_the_thread(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    dialog = teams.maren.opens(card, "reply")
    assert isinstance(dialog, Dialog)
    assert "Konrad Voßmann" in str(dialog.card["body"]), "whom it goes to is said"
    assert teams.maren.submits(dialog, {"text": "Ich rufe gleich an."}) is None
    teams.settle()
    for post in (teams.answers(teams.konrad)[-1], teams.thread(card)[-1]):
        assert told([post]) == [("Maren Tiede", "Ich rufe gleich an.")]
    assert (owner(teams), events(teams)[-1]) == ("Maren Tiede", "replied")


def test_a_note_mark_in_the_reply_dialog_makes_it_a_note(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    before = heard(teams, teams.konrad)
    assert fill_in(teams, teams.maren, card, "reply", text=f"🔒 {SECRET}") == ""
    assert heard(teams, teams.konrad) == before
    assert told(teams.thread(card))[-1] == ("🔒 Maren Tiede", SECRET)


@pytest.mark.parametrize("name", ["note", "reply", "resolve"])
def test_a_dialog_with_nothing_in_it_is_not_sent(teams: TeamsWorld, name: str) -> None:
    card = teams.wants_person()
    dialog = teams.maren.opens(card, name)
    assert isinstance(dialog, Dialog)
    with pytest.raises(RefusedByClientError, match=Texts("de", "sie", "teams")("nothing_written")):
        teams.maren.submits(dialog, {})
    with pytest.raises(RefusedByClientError, match=f"at most {LONGEST_INPUT}"):
        teams.maren.submits(dialog, {"fix" if name == "resolve" else "text": "x" * (LONGEST_INPUT + 1)})
    assert events(teams) == ["opened"]


@pytest.mark.parametrize("name", ["note", "reply"])
def test_a_dialog_with_nothing_but_blanks_stays_open_and_says_so(teams: TeamsWorld, name: str) -> None:
    card = teams.wants_person()
    dialog = teams.maren.opens(card, name)
    assert isinstance(dialog, Dialog)
    again = teams.maren.submits(dialog, {"text": "  \n "})
    assert isinstance(again, Dialog)
    assert fault_of(again) == {"nothing_written"}
    assert again.title == dialog.title
    assert events(teams) == ["opened"]


def fault_of(dialog: Dialog) -> set[str]:
    """What is wrong with a dialog, above its fields."""
    text = str(dialog.card["body"][0]["items"][0]["inlines"][0]["text"])
    return teams_keys(text) | keys(text)


def test_a_dialog_that_is_sent_twice_counts_once(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    fill_in(teams, teams.maren, card, "reply", text="Ich rufe gleich an.")
    assert teams.fake.deliver(dict(teams.fake.postman.sent[-1])).ok
    teams.settle()
    assert heard(teams, teams.konrad).count("Ich rufe gleich an.") == 1


def test_the_longest_reply_arrives_whole(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    text = "\n".join(f"Zeile {number:04} äöü 🙂" for number in range(LONGEST_INPUT // 20))
    assert fill_in(teams, teams.maren, card, "reply", text=text) == ""
    said = "".join(teams.words(post) for post in teams.answers(teams.konrad))
    assert all(f"Zeile {number:04} äöü 🙂" in said for number in range(LONGEST_INPUT // 20))


def test_a_dialog_that_comes_after_somebody_else_resolved_keeps_what_was_typed(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    dialog = teams.tomasz.opens(card, "resolve")
    assert isinstance(dialog, Dialog)
    fill_in(teams, teams.maren, card, "resolve", fix="Kabel getauscht.")
    typed = {"fix": "Neu gestartet.", "cause": "Absturz", "article": True}
    again = teams.tomasz.submits(dialog, typed)
    teams.settle()
    assert isinstance(again, Dialog)
    assert "already_resolved" in fault_of(again)
    assert {name: one["value"] for name, one in again.fields.items()} == {**typed, "article": "yes"}
    assert teams.ticket().fix == "Kabel getauscht."
    assert events(teams).count("resolved") == 1


def test_a_note_and_a_reply_can_be_written_after_the_ticket_was_resolved(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    dialogs = [(agent, agent.opens(card, name)) for agent, name in ((teams.maren, "reply"), (teams.tomasz, "note"))]
    writes(teams, teams.maren, card, "Hallo")
    press_resolve(teams, card)
    for agent, dialog in dialogs:
        assert isinstance(dialog, Dialog)
        assert agent.submits(dialog, {"text": "Noch etwas."}) is None
    teams.settle()
    assert heard(teams, teams.konrad).count("Noch etwas.") == 1
    assert teams.ticket().state == TicketState.RESOLVED


def press_resolve(world: TeamsWorld, card: Message) -> None:
    """Henrik, who is in both teams here, resolves; the agents' dialogs stay open."""
    world.it.members.append(world.henrik.id)
    fill_in(world, world.henrik, card, "resolve", fix="Neu gestartet.")


def test_a_form_of_a_thread_cannot_be_turned_to_another_ticket(teams: TeamsWorld) -> None:
    """What a dialog carries is not believed: the ticket is the one of the thread."""
    first = teams.wants_person(teams.konrad)
    second = teams.wants_person(teams.owen)
    number = teams.ticket().number
    dialog = teams.maren.opens(first, "reply")
    assert isinstance(dialog, Dialog)
    dialog.card["actions"][0]["data"]["lotse"]["number"] = number
    assert teams.maren.submits(dialog, {"text": "Für Konrad."}) is None
    teams.settle()
    assert heard(teams, teams.konrad)[-1] == "Für Konrad."
    assert below(teams, second)[1:] == []


# --- searching in the room --------------------------------------------------------------------------------------------
def found(world: TeamsWorld, question: Message) -> list[Message]:
    """What Lotse says below a question in the room."""
    world.settle()
    return [
        post for post in world.fake.said(world.desk, question) if post.summary.startswith(("VPN", "Quasten", "Lotse"))
    ]


def test_a_mention_in_the_room_is_a_search(teams: TeamsWorld) -> None:
    question = teams.maren.writes(VPN_QUESTION, teams.desk, mention=True)
    (answer,) = found(teams, question)
    assert "% VPN einrichten" in teams.words(answer)
    assert VPN[1] in teams.words(answer)
    assert "https://lotse.example/kb/articles/1" in links(answer).values()
    assert came_in(teams) == []


def test_a_search_below_a_card_never_reaches_the_requester(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    before = heard(teams, teams.konrad)
    writes(teams, teams.maren, card, f"{teams.fake.at()} {VPN_QUESTION}")
    assert "% VPN einrichten" in teams.words(found(teams, card)[-1])
    search = writes(teams, teams.maren, card, f"{teams.fake.at()} VPN-Client Profil Zentrale {SECRET}")
    posts = len(teams.thread(card))
    teams.maren.edits(search, f"{teams.fake.at()} VPN-Client und {SECRET}")
    teams.settle()
    teams.maren.edits(search, f"VPN-Client und {SECRET}")
    teams.settle()
    teams.maren.deletes(search)
    teams.settle()
    assert heard(teams, teams.konrad) == before
    assert SECRET not in str(teams.fake.posts(teams.konrad))
    assert len(teams.thread(card)) == posts
    assert owner(teams) is None


def test_a_reply_that_becomes_a_search_is_not_changed_for_the_employee(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    reply = writes(teams, teams.maren, card, "Ich suche das heraus.")
    teams.maren.edits(reply, f"{teams.fake.at()} {SECRET}")
    teams.settle()
    assert heard(teams, teams.konrad)[-1] == "Ich suche das heraus."


@pytest.mark.parametrize("lead", ["&nbsp;", "\u00a0 ", "\n"])
def test_what_stands_before_the_mention_does_not_make_a_search_a_reply(teams: TeamsWorld, lead: str) -> None:
    card = teams.wants_person()
    before = heard(teams, teams.konrad)
    message = teams.maren.writes(f"{teams.fake.at()} {SECRET}", thread=card, deliver=False)
    message.text = f"{lead}{message.text}"
    teams.fake.deliver(teams.maren._as_brought(message))
    teams.settle()
    assert heard(teams, teams.konrad) == before


def test_a_shortened_or_escaped_name_of_lotse_is_a_mention_of_it(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    before = heard(teams, teams.konrad)
    for name in ("Lotse &amp; Co", "Lot"):
        told_by = message_activity(teams.fake.state, teams.maren.writes("x", thread=card, deliver=False))
        told_by |= {"text": f"<at>{name}</at> {SECRET}", "attachments": []}
        bot = {"id": teams.fake.state.bot_id, "name": "Lotse & Co"}
        told_by["entities"] = [{"type": "mention", "text": f"<at>{name}</at>", "mentioned": bot}]
        assert teams.fake.deliver(told_by).ok
        teams.settle()
    assert heard(teams, teams.konrad) == before


def test_a_search_that_finds_nothing_says_so(teams: TeamsWorld) -> None:
    question = teams.maren.writes("Quastenflosser", teams.desk, mention=True)
    (answer,) = found(teams, question)
    assert teams_keys(read(answer)) == {"search_empty"}


def test_a_bare_mention_in_the_room_tells_what_agents_can_do(teams: TeamsWorld) -> None:
    question = teams.maren.writes("", teams.desk, mention=True)
    (answer,) = found(teams, question)
    assert teams_keys(read(answer)) == {"usage_agents"}


def test_the_same_search_brought_again_is_one_search(teams: TeamsWorld) -> None:
    teams.fake.postman.lose_acks = 2
    question = teams.maren.writes(VPN_QUESTION, teams.desk, mention=True)
    assert len(found(teams, question)) == 1
