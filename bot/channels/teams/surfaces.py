"""Teams' own surfaces: "Open a ticket" on any message, the welcome, and what it tells of installations."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.channels.cutting import shorten
from bot.channels.lists import Found, search_text
from bot.channels.port import Address, Press, Sender
from bot.channels.teams.activities import (
    CHAT,
    Activity,
    address_of,
    person_of,
    route_of,
    sender_of,
    source_id,
    text_of,
    within,
)
from bot.channels.teams.cards import TeamsMessage, notice, welcome
from bot.channels.teams.edge import Edge
from bot.channels.teams.forms import FormValues, open_ticket_form, values_of
from bot.channels.teams.post import activity_of
from bot.channels.teams.presses import continued, people_in, said
from bot.channels.teams.words import from_html, tidy
from bot.intake import person_of as stored_person
from bot.lookups import OPEN_TICKET
from handoff import inbox

logger = logging.getLogger(__name__)
LONGEST_QUOTE = 1500
Answer = dict[str, Any]


# --- open a ticket on a message ---------------------------------------------------------------------------------------
async def open_ticket(edge: Edge, activity: Activity) -> Answer:
    """`composeExtension/fetchTask`: the dialog for a ticket on a message; who wrote it and what are filled in."""
    texts = await edge.texts(activity.person)
    payload = within(activity.value, "messagePayload")
    if within(activity.value, "commandId") != "openTicket" or not isinstance(payload, Mapping):
        return said(texts("button_unknown"))
    author = within(payload, "from", "user")
    author_id = str(within(author, "id") or "") or activity.person
    quoted = str(within(payload, "body", "content") or "")
    summary = tidy(from_html(quoted, (), "")) if within(payload, "body", "contentType") == "html" else quoted
    about = {
        "author": author_id,
        "name": str(within(author, "displayName") or ""),
        "message": str(within(payload, "replyToId") or within(payload, "id") or ""),
        "conversation": activity.channel_id,
    }
    people = await edge.ask(lambda: people_to_choose(edge, activity, author_id, about["name"]))
    form = open_ticket_form(texts, about, author_id, people, shorten(summary.strip(), LONGEST_QUOTE))
    return continued(form)


def people_to_choose(edge: Edge, activity: Activity, author: str, name: str) -> list[tuple[str, str]]:
    """For whom a ticket can be: the people of the conversation, where Lotse is in it; the author in any case."""
    try:
        people = people_in(edge, activity)
    except Exception as error:  # noqa: BLE001 - Lotse need not be where somebody uses the message extension
        logger.info("the people of a conversation could not be had (%s)", type(error).__name__)
        people = []
    here = dict(people) | {activity.person: activity.sender.name or "?"}
    return list((here | {author: name or here.get(author, "?")}).items())


async def take_open_ticket(edge: Edge, activity: Activity) -> Answer:
    """`composeExtension/submitAction`: a ticket for who wrote a message, or was chosen: in the message's thread where
    Lotse can write, else in their personal chat."""
    sent, texts = values_of(within(activity.value, "data")), await edge.texts(activity.person)
    if sent is None or sent.form != "open_ticket":
        return said(texts("button_unknown"))
    text = sent.fields.get("summary", "").strip()
    requester = await requester_of(edge, activity, sent)
    if not text:
        people = await edge.ask(lambda: people_to_choose(edge, activity, requester.id, requester.name))
        fault = texts("nothing_asked")
        return continued(
            open_ticket_form(texts, sent.about, requester.id, people, text, fault=fault, values=sent.fields)
        )
    note, once = {"note": sent.fields.get("note", "").strip()}, f"open/{source_id(address_of(activity), activity.id)}"
    address = await place_for_ticket(edge, activity, sent, requester.id)
    press = Press(address, sender_of(activity), OPEN_TICKET, text, once, note, on_behalf_of=requester)
    result = await edge.press(press)
    if not result.ok:  # the thread is somebody else's case: a ticket of its own
        own = own_chat(activity, requester.id)
        press = Press(own, sender_of(activity), OPEN_TICKET, text, f"{once}/own", note, on_behalf_of=requester)
        result = await edge.press(press)
    return said(texts("ticket_is_opened") if result.ok else result.text or texts("button_unknown"))


async def requester_of(edge: Edge, activity: Activity, sent: FormValues) -> Sender:
    """For whom a ticket is: the author of the message, unless somebody else was chosen."""
    author, me = sent.about.get("author", ""), sender_of(activity)
    chosen = sent.fields.get("requester") or author or me.id
    if chosen == me.id:
        return me
    if chosen == author and sent.about.get("name"):
        return Sender("teams", author, sent.about["name"])
    people = dict(await edge.ask(lambda: people_to_choose(edge, activity, author, sent.about.get("name", ""))))
    return Sender("teams", chosen, people.get(chosen, ""))


async def place_for_ticket(edge: Edge, activity: Activity, sent: FormValues, requester: str) -> Address:
    """Where the ticket's requester is to read of it. Chats of two others, and team rooms, are no place for it."""
    is_room = activity.channel_id in edge.team_rooms()
    if activity.kind != "personal" and not is_room and await edge.members.is_member(activity.channel_id, requester):
        route = route_of(activity) | {"shared": "yes"}
        root = activity.root or sent.about.get("message") or None
        thread = f"{CHAT}{requester}" if activity.kind == "groupChat" else root
        return Address("teams", activity.channel_id, thread, route)
    return own_chat(activity, requester)


def own_chat(activity: Activity, person: str) -> Address:
    """The personal chat with somebody, which is opened when the first post goes there."""
    known = {"conversation": activity.channel_id} if is_with_us(activity, person) else {}
    route = {"service_url": activity.service_url, "tenant": activity.tenant}
    return Address("teams", f"{CHAT}{person}", None, {name: value for name, value in route.items() if value} | known)


def is_with_us(activity: Activity, person: str) -> bool:
    return activity.kind == "personal" and activity.channel_id.startswith("a:") and activity.person == person


# --- searching in a team room -----------------------------------------------------------------------------------------
async def search_in_team_room(edge: Edge, activity: Activity) -> None:
    """Agents ask the knowledge base where they work: what begins with our name is a search, never a reply."""
    texts, words = await edge.texts(activity.person), text_of(activity)
    found = Found(texts("usage_agents"))
    if words.strip():
        found = await edge.ask(lambda: search_text(edge.house, words, texts, edge.channel.absolute))
    card = TeamsMessage(notice(found.text, found.links), shorten(words, 100) or "Lotse")
    where = activity.service_url, activity.conversation.id
    await edge.ask(lambda: edge.channel.connector.post(*where, activity_of(card)))


# --- who comes and goes -----------------------------------------------------------------------------------------------
async def note_installation(edge: Edge, activity: Activity) -> None:
    """Lotse was added somewhere, or taken away; or people came and went."""
    for account in activity.removed:
        edge.members.left(person_of(account))
    added = activity.action == "add" or any(account.id == activity.me.id for account in activity.added)
    if activity.kind == "personal" and added:
        if await edge.store(lambda: note_chat(edge, activity)):
            edge.afterwards(greet(edge, activity))
    elif activity.kind == "channel":
        await edge.store(lambda: note_channels(edge, activity, {activity.channel_id: ""}))
        if added:
            edge.teams.discard(str(within(activity.data, "team", "id") or ""))
        meet_team(edge, activity)


def note_chat(edge: Edge, activity: Activity) -> bool:
    """Know a personal chat, and the language of its person; whether they are to be greeted, which they are once."""
    address = address_of(activity)
    with edge.house.sessions.begin() as session:
        stored_person(session, sender_of(activity))
        place = inbox.place_at(session, "teams", address.channel, None, route=address.route)
        is_new = not place.route.get("greeted_at")
        place.route = {**place.route, "greeted_at": place.route.get("greeted_at") or datetime.now(UTC).isoformat()}
        place.unreachable_at = None
    return is_new


async def greet(edge: Edge, activity: Activity) -> None:
    """Say hello in the person's language."""
    texts = await edge.texts(activity.person)
    post = TeamsMessage(welcome(texts), shorten(texts("welcome_hello"), 100))
    where = activity.service_url, activity.channel_id
    await edge.ask(lambda: edge.channel.connector.post(*where, activity_of(post)))


def note_channels(edge: Edge, activity: Activity, channels: Mapping[str, str], group: str | None = None) -> None:
    """Know how to reach channels that nobody has written in yet."""
    route = route_of(activity) | ({"group": group} if group else {})
    with edge.house.sessions.begin() as session:
        for channel in channels:
            inbox.place_at(session, "teams", channel, None, route=route)


def meet_team(edge: Edge, activity: Activity) -> None:
    """Ask once about the team that an activity is from: messages tell less of it than Microsoft Graph wants to know."""
    team = str(within(activity.data, "team", "id") or "")
    if team and team not in edge.teams:
        edge.teams.add(team)
        edge.afterwards(note_team(edge, activity, team))


async def note_team(edge: Edge, activity: Activity, team: str) -> None:
    """Know how to reach every channel of a team."""

    def ask() -> None:
        connector = edge.channel.connector
        channels = connector.channels(activity.service_url, team)
        group = route_of(activity).get("group") or connector.group_of(activity.service_url, team)
        note_channels(edge, activity, channels, group)

    await edge.ask(ask)
