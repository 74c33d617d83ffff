"""Teams' own surfaces: "Open a ticket" on any message, the welcome, and what it tells of installations."""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.attachments import plain_name
from bot.channels.cutting import shorten
from bot.channels.lists import Found, search_text
from bot.channels.port import OPEN_TICKET, Address, Press, Sender, TryAgain, Unclear
from bot.channels.teams.activities import (
    CHAT,
    ELSEWHERE,
    LONGEST_TEXT,
    Activity,
    address_of,
    is_id,
    route_of,
    sender_of,
    text_of,
    within,
)
from bot.channels.teams.cards import TeamsMessage, notice, welcome
from bot.channels.teams.dialogs import continued, once_of, people_in, renewed, said, soon
from bot.channels.teams.edge import Edge
from bot.channels.teams.forms import FormValues, open_ticket_form, values_of
from bot.channels.teams.members import CANNOT_TELL
from bot.channels.teams.post import activity_of
from bot.channels.teams.words import from_html, mentions_in, tidy
from bot.intake import person_of as stored_person
from bot.texts import Texts
from handoff import inbox
from handoff.models import Person

logger = logging.getLogger(__name__)
LONGEST_QUOTE, MOST_NAMED = 1500, 10
GREETING_PAUSES, LONGEST_PAUSE = (1.0, 5.0, 30.0, 120.0, 300.0), 600.0  # seconds
Answer = dict[str, Any]


# --- open a ticket on a message ---------------------------------------------------------------------------------------
async def open_ticket(edge: Edge, activity: Activity) -> Answer:
    """`composeExtension/fetchTask`: the dialog for a ticket on a message; who wrote it and what are filled in."""
    texts = await edge.texts(activity.person)
    payload = within(activity.value, "messagePayload")
    if within(activity.value, "commandId") != "openTicket" or not isinstance(payload, Mapping):
        return said(texts("button_unknown"))
    meet_team(edge, activity)
    user = within(payload, "from", "user")
    author, name = str(within(user, "id") or ""), str(within(user, "displayName") or "")
    if not is_id(author):
        author, name = activity.person, activity.sender.name or ""
    about = {
        "once": uuid4().hex,
        "author": author,
        "name": name,
        "message": str(within(payload, "replyToId") or within(payload, "id") or ""),
    }
    people = await people_to_choose(edge, activity, author, name)
    quote = shorten(await edge.store(lambda: told_in(payload, activity)), LONGEST_QUOTE)
    names = ", ".join(files_in(payload))
    hint = texts("attachments_stay", names=names) if names else None
    return continued(open_ticket_form(texts, about, author, people, quote, fault=hint))


def files_in(payload: Mapping[str, Any]) -> list[str]:
    """The names of what is attached to a message as a message extension gets it, pictures in its text among them."""
    attached = payload.get("attachments")
    found = [
        plain_name(str(within(one, "name") or ""))
        for one in (attached if isinstance(attached, list) else ())
        if str(within(one, "contentType") or "").lower() not in ELSEWHERE
    ]
    pictures = str(within(payload, "body", "content") or "").count("<img ")
    return found + [f"image-{number}.png" for number in range(1, pictures + 1) if len(found) + number <= MOST_NAMED]


def told_in(payload: Mapping[str, Any], activity: Activity) -> str:
    """The words of a message as a message extension gets it, with its title; of a card what it says in short."""
    content, title = (
        str(within(payload, "body", "content") or "")[:LONGEST_TEXT],
        str(within(payload, "subject") or "").strip(),
    )
    if within(payload, "body", "contentType") == "html":
        content = tidy(from_html(content, mentions_in(within(payload, "mentions")), activity.me.id))
    return "\n".join(filter(None, (title, content.strip() or in_short(payload))))


def in_short(payload: Mapping[str, Any]) -> str:
    """What the cards of a message say where they cannot be shown."""
    attached = payload.get("attachments")
    cards = [within(one, "content") for one in attached] if isinstance(attached, list) else []
    told = []
    for card in cards:
        try:
            told.append(within(json.loads(card) if isinstance(card, str) else card, "fallbackText"))
        except (ValueError, RecursionError):
            continue
    return "\n".join(one for one in told if isinstance(one, str))[:LONGEST_TEXT]


async def people_to_choose(edge: Edge, activity: Activity, author: str, name: str) -> list[tuple[str, str]]:
    """For whom a ticket can be: the people of the conversation, where Lotse is in it; the author in any case."""
    people = dict(await people_in(edge, activity))
    me = {activity.person: people.get(activity.person) or activity.sender.name or "?"}
    return list((people | me | {author: people.get(author) or name or "?"}).items())


async def take_open_ticket(edge: Edge, activity: Activity) -> Answer:
    """`composeExtension/submitAction`: a ticket for who wrote a message, or was chosen: in the message's thread where
    Lotse can write, else in their personal chat."""
    sent, texts = values_of(within(activity.value, "data")), await edge.texts(activity.person)
    if sent is None or sent.form != "open_ticket":
        return said(texts("button_unknown"))
    found = await requester_of(edge, activity, sent)
    text, note = (sent.fields.get(name, "").strip() for name in ("summary", "note"))
    if not text or found is None:
        fault = texts("choose_person" if found is None else "nothing_asked")
        return continued(await ticket_form_again(edge, activity, texts, sent, fault))
    requester, is_here = found
    where = place_for_ticket(edge, activity, sent, requester) if is_here else own_chat(activity, requester.id)
    me, once = sender_of(activity), f"open/{once_of(activity, sent)}"
    press = Press(where, me, OPEN_TICKET, text, once, {"note": note}, on_behalf_of=requester)
    result = await edge.press(replace(press, from_form=stands_elsewhere(activity, where)))
    if not result.ok:  # the thread is somebody else's case: a ticket of its own
        own = own_chat(activity, requester.id)
        result = await edge.press(replace(press, address=own, source_id=f"{once}/own", from_form=True))
    return said(texts("ticket_is_opened") if result.ok else result.text or texts("button_unknown"))


async def ticket_form_again(edge: Edge, activity: Activity, texts: Texts, sent: FormValues, fault: str) -> Answer:
    """The dialog as it was sent, with what is wrong with it."""
    author, name = sent.about.get("author", ""), sent.about.get("name", "")
    people = await people_to_choose(edge, activity, author if is_id(author) else activity.person, name)
    return open_ticket_form(texts, renewed(sent.about), author, people, fault=fault, values=sent.fields)


async def requester_of(edge: Edge, activity: Activity, sent: FormValues) -> tuple[Sender, bool] | None:
    """For whom a ticket is, and whether they are in this conversation together with Lotse: the author of the message,
    unless somebody else was chosen. None for nobody that can be."""
    author, me = sent.about.get("author", ""), sender_of(activity)
    chosen = sent.fields.get("requester") or author or me.id
    if not is_id(chosen):
        return None
    where = activity.service_url, activity.channel_id
    try:
        found = await soon(edge, lambda: edge.channel.connector.member(*where, chosen))
    except CANNOT_TELL:
        found = None  # Lotse need not be where somebody uses the message extension
    if chosen == me.id:
        return me, found is not None
    if found is not None:
        return Sender("teams", found.aad_object_id or found.id, found.name or ""), True
    told = sent.about.get("name", "") if chosen == author else ""
    known = await edge.store(lambda: is_known(edge, chosen))
    return Sender("teams", chosen, "" if known else told), False


def is_known(edge: Edge, person: str) -> bool:
    """Whether somebody was here before: then what a dialog carried is not taken for their name."""
    with edge.house.sessions() as session:
        return session.scalar(select(Person.id).filter_by(platform="teams", platform_id=person)) is not None


def place_for_ticket(edge: Edge, activity: Activity, sent: FormValues, requester: Sender) -> Address:
    """Where a ticket's requester, who is in this conversation, is to read of it. Team rooms are no place for it."""
    here, message = activity.channel_id, sent.about.get("message", "")
    route = route_of(activity) | {"shared": "yes"}
    if activity.kind == "groupChat":
        return Address("teams", here, f"{CHAT}{requester.id}", route | {"name": requester.name})
    thread = activity.root or (message if is_id(message) else None)
    if activity.kind == "personal" or here in edge.team_rooms() or thread is None:
        return own_chat(activity, requester.id)
    return Address("teams", here, thread, route)


def own_chat(activity: Activity, person: str) -> Address:
    """The personal chat with somebody, which is opened when the first post goes there."""
    known = {"conversation": activity.channel_id} if is_with_us(activity, person) else {}
    route = {"service_url": activity.service_url, "tenant": activity.tenant}
    return Address("teams", f"{CHAT}{person}", None, {name: value for name, value in route.items() if value} | known)


def stands_elsewhere(activity: Activity, where: Address) -> bool:
    """Whether the message does not stand where its ticket's requester reads of it."""
    return where.channel.startswith(CHAT) and not is_with_us(activity, where.channel.removeprefix(CHAT))


def is_with_us(activity: Activity, person: str) -> bool:
    return activity.kind == "personal" and activity.channel_id.startswith("a:") and activity.person == person


# --- searching in a team room -----------------------------------------------------------------------------------------
async def search_in_team_room(edge: Edge, activity: Activity) -> None:
    """Agents ask the knowledge base where they work: what begins with our name is a search, never a reply."""
    texts, words = await edge.texts(activity.person), text_of(activity, edge.here())
    found = Found(texts("usage_agents"))
    if words.strip():
        found = await edge.ask(lambda: search_text(edge.house, words, texts, edge.channel.absolute))
    card = TeamsMessage(notice(found.text, found.links), shorten(words, 100) or "Lotse")
    where = activity.service_url, activity.conversation.id
    await edge.ask(lambda: edge.channel.connector.post(*where, activity_of(card)))


# --- who comes and goes -----------------------------------------------------------------------------------------------
async def note_installation(edge: Edge, activity: Activity) -> None:
    """Lotse was added somewhere, or taken away; or people came and went."""
    if activity.removed:
        edge.members.someone_left()
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
    """Know a personal chat, and the language of its person; whether they are to be greeted, which they are once:
    Teams tells of one installation twice, at the same moment."""
    address = address_of(activity)

    def note(session: Session) -> bool:
        stored_person(session, sender_of(activity))
        place = inbox.place_at(session, "teams", address.channel, None, route=address.route)
        inbox.lock_place(session, place)
        greeted = place.route.get("greeted_at")
        place.route = {**place.route, "greeted_at": greeted or edge.house.clock().isoformat()}
        place.unreachable_at = None
        return not greeted

    return edge.engine.write(note)


async def greet(edge: Edge, activity: Activity) -> None:
    """Say hello in the person's language. Where an app is given to everybody at once, Teams asks for patience."""
    texts = await edge.texts(activity.person)
    post = TeamsMessage(welcome(texts), shorten(texts("welcome_hello"), 100))
    where = activity.service_url, activity.channel_id
    for pause in GREETING_PAUSES:
        try:
            async with edge.greeting:
                await edge.ask(lambda: edge.channel.connector.post(*where, activity_of(post)))
        except TryAgain as later:
            await asyncio.sleep(min(later.after or pause, LONGEST_PAUSE))
        except Unclear:
            await asyncio.sleep(pause)
        else:
            return
    logger.warning("a welcome could not be posted: Teams asks for patience")


def note_channels(edge: Edge, activity: Activity, channels: Mapping[str, str], group: str | None = None) -> None:
    """Know how to reach channels that nobody has written in yet."""
    route = route_of(activity) | ({"group": group} if group else {})

    def note(session: Session) -> None:
        for channel in channels:
            inbox.place_at(session, "teams", channel, None, route=route)

    edge.engine.write(note)


def meet_team(edge: Edge, activity: Activity) -> None:
    """Ask once about the team that an activity is from: messages tell less of it than Microsoft Graph wants to know."""
    team = str(within(activity.data, "team", "id") or "")
    if team and team not in edge.teams:
        edge.teams.add(team)
        edge.afterwards(note_team(edge, activity, team))


async def note_team(edge: Edge, activity: Activity, team: str) -> None:
    """Know how to reach every channel of a team; asked again with the next activity when Teams does not answer."""

    def ask() -> None:
        connector = edge.channel.connector
        channels = connector.channels(activity.service_url, team)
        group = route_of(activity).get("group") or connector.group_of(activity.service_url, team)
        note_channels(edge, activity, channels, group)

    try:
        await edge.ask(ask)
    except Exception:
        edge.teams.discard(team)
        raise

    await edge.ask(ask)
