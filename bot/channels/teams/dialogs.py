"""The dialogs of tickets in Teams: opened by buttons of a card, and what agents filled in."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

from bot.channels.lists import PRIORITIES
from bot.channels.port import Address, Choice, Incoming, Press, Reply, Sender
from bot.channels.teams.activities import Activity, address_of, is_id, route_of, sender_of, source_id, within
from bot.channels.teams.cards import notice, pressed
from bot.channels.teams.connector import NotDrawn
from bot.channels.teams.edge import Edge
from bot.channels.teams.forms import FormValues, edit_form, note_form, reply_form, resolve_form, values_of
from bot.channels.teams.members import CANNOT_TELL
from bot.channels.teams.pieces import CARD_TYPE, DIALOGS
from bot.channels.teams.presses import address_of_card
from bot.intake import person_of
from bot.posts import card_for
from bot.texts import Texts
from handoff.inbox import ticket_at
from handoff.models import Side

logger = logging.getLogger(__name__)
CHANGES = {"resolve", "edit"}  # the dialogs that change a ticket
EDITED = ("assign", "priority", "category", "queue")
NOTHING: Mapping[str, str] = {}
MOST_PEOPLE = 500
Answer = dict[str, Any]
T = TypeVar("T")


# --- opening ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class FormTicket:
    """The ticket a dialog is about, with its card as fields. side: of the thread the dialog was opened in."""

    number: str
    requester: str
    agent: str | None
    side: str
    is_open: bool
    reply: Reply

    @property
    def choices(self) -> tuple[Choice, ...]:
        return self.reply.card.choices if self.reply.card is not None else ()


async def open_form(edge: Edge, activity: Activity) -> Answer:
    """`task/fetch`: a button that opens a dialog. Whether they may is asked each time."""
    found, texts = pressed(within(activity.value, "data")), await edge.texts(activity.person)
    if found is None or not found.opens_dialog or activity.channel_id not in edge.team_rooms():
        return said(texts("button_unknown"))
    refused = await edge.may_act(activity.channel_id, activity.person)
    if refused is not None:
        return said(texts(refused))
    where = address_of_card(activity)
    ticket = await edge.store(lambda: form_ticket(edge, where, found.key))
    if ticket is None:
        return said(texts("no_ticket_here"))
    not_now = why_not(ticket, found.action, texts)
    if not_now is not None:
        return said(not_now)
    about = about_form(where, ticket, found.key)
    if found.action == "edit":
        return continued(await edit_dialog(edge, activity, texts, ticket, about))
    return continued(text_dialog(found.action, texts, about))


def about_form(where: Address, ticket: FormTicket, key: str) -> dict[str, str]:
    """What a dialog carries: where its ticket is, and how it was when the dialog was opened."""
    was = {f"was_{one.action}": one.chosen or "" for one in ticket.choices} | {"was_assign": ticket.agent or ""}
    here = {"channel": where.channel, "thread": where.thread or "", "key": key}
    return {"once": uuid4().hex, "number": ticket.number, "requester": ticket.requester, **here, **was}


def once_of(activity: Activity, sent: FormValues) -> str:
    """What makes a dialog that is sent one thing: Teams sends it again, under another id, when it waits too long."""
    opened = sent.about.get("once", "")
    return f"{opened}/{activity.person}" if is_id(opened) else source_id(address_of(activity), activity.id)


def renewed(about: Mapping[str, str]) -> dict[str, str]:
    """What a dialog carries that is shown again: sending it then is something new."""
    return {**about, "once": uuid4().hex}


def form_ticket(edge: Edge, where: Address, key: str) -> FormTicket | None:
    """The ticket of a thread; key: of its card, which is known before its thread is."""
    with edge.house.sessions() as session:
        place = edge.place_of_ticket(session, where, key)
        ticket = ticket_at(session, place)
        if place is None or ticket is None:
            return None
        agent = ticket.agent.platform_id if ticket.agent is not None and ticket.agent.platform == "teams" else None
        reply = card_for(edge.house, session, ticket, place)
        return FormTicket(ticket.number, ticket.requester.name, agent, place.side, ticket.is_open, reply)


def why_not(ticket: FormTicket, name: str, texts: Texts) -> str | None:
    """Why a dialog is not for this ticket now: the third level writes notes only, and what is done is done."""
    said_everywhere = Texts(texts.language, texts.address)
    if ticket.side == Side.THIRD_LEVEL and name != "note":
        return said_everywhere("not_for_you")
    if name in CHANGES and not ticket.is_open:
        return said_everywhere("already_resolved", number=ticket.number)
    return None


def text_dialog(
    name: str, texts: Texts, about: Mapping[str, str], fault: str | None = None, values: Mapping[str, str] = NOTHING
) -> Answer:
    """A dialog to write in, from what it carries alone."""
    number, requester = about.get("number", ""), about.get("requester", "")
    if name == "note":
        return note_form(texts, about, number, fault=fault, values=values)
    make = reply_form if name == "reply" else resolve_form
    return make(texts, about, number, requester, fault=fault, values=values)


async def edit_dialog(
    edge: Edge,
    activity: Activity,
    texts: Texts,
    ticket: FormTicket,
    about: Mapping[str, str],
    fault: str | None = None,
    values: Mapping[str, str] = NOTHING,
) -> Answer:
    """The dialog for all choices of a ticket."""
    people = await people_in(edge, activity)
    return edit_form(texts, about, ticket.choices, people, ticket.agent, fault=fault, values=values)


async def people_in(edge: Edge, activity: Activity) -> list[tuple[str, str]]:
    """The people of a conversation by name, without bots; none where Lotse is not in it, or Teams is slow to tell."""
    where = activity.service_url, activity.channel_id
    try:
        members = await soon(edge, lambda: edge.channel.connector.members(*where))
    except CANNOT_TELL as error:
        logger.info("the people of a conversation could not be had (%s)", type(error).__name__)
        return []
    named = [(one.aad_object_id or one.id, one.name or "?") for one in members if not one.id.startswith("28:")]
    return sorted(named, key=lambda person: person[1].casefold())[:MOST_PEOPLE]


async def soon(edge: Edge, work: Callable[[], T]) -> T:
    """Ask Teams while somebody waits for the answer. Raises one of CANNOT_TELL."""
    return await asyncio.wait_for(edge.ask(work), edge.members.patience)


# --- sending ----------------------------------------------------------------------------------------------------------
async def take_form(edge: Edge, activity: Activity) -> Answer | None:
    """`task/submit`: what an agent filled in. None closes the dialog; what is wrong with it is shown in it again, and
    nothing that was typed is lost."""
    sent, texts = values_of(within(activity.value, "data")), await edge.texts(activity.person)
    channel = sent.about.get("channel", "") if sent is not None else ""
    if sent is None or sent.form not in DIALOGS or channel not in edge.team_rooms():
        return said(texts("button_unknown"))
    refused = await edge.may_act(channel, activity.person)
    if refused is not None:  # nothing of the record is read for somebody who may be nobody here
        return said(texts(refused)) if sent.form == "edit" else again(sent, texts, texts(refused))
    where = Address("teams", channel, sent.about.get("thread") or None, route_of(activity))
    once, key = f"form/{once_of(activity, sent)}", sent.about.get("key", "")
    ticket = await edge.store(lambda: form_ticket(edge, where, key))
    if ticket is None:
        return again(sent, texts, texts("no_ticket_here"))
    press = Press(where, sender_of(activity), sent.form, "", once, on=key or None)
    fault = why_not(ticket, sent.form, texts) or await done_with(edge, sent, press, texts, ticket.number)
    if fault is None:
        return None
    if sent.form != "edit" or not ticket.choices:
        return again(sent, texts, fault)
    return continued(await edit_dialog(edge, activity, texts, ticket, renewed(sent.about), fault, sent.fields))


def again(sent: FormValues, texts: Texts, fault: str) -> Answer:
    """The dialog as it was sent, with what is wrong above it."""
    if sent.form == "edit":
        return said(fault)
    return continued(text_dialog(sent.form, texts, renewed(sent.about), fault, sent.fields))


async def done_with(edge: Edge, sent: FormValues, press: Press, texts: Texts, number: str) -> str | None:
    """Do what a dialog asks for; what is wrong with it, or None."""
    if sent.form == "resolve":
        names = {"cause": "cause", "fix": "fix", "propose_article": "article"}
        fields = {name: sent.fields.get(held, "") for name, held in names.items()}
        return (await edge.press(replace(press, fields=fields))).text
    if sent.form == "edit":
        return await edit(edge, sent, press, texts)
    text = sent.fields.get("text", "").strip()
    if not text:
        return texts("nothing_written")
    await edge.receive(written_in_form(press, number, text, edge.house.clock()))
    return None


def written_in_form(press: Press, number: str, text: str, now: datetime) -> Incoming:
    """A dialog leaves nothing in its thread: what was written in it is said at the desk and goes from there."""
    desk, note, once = Address("web", "desk", number), press.action == "note", f"teams-{press.source_id}"[:200]
    return Incoming(desk, press.person, text, once, now, is_note=note, is_reply=not note)


async def edit(edge: Edge, sent: FormValues, press: Press, texts: Texts) -> str | None:
    """Assign and correct what was changed in the dialog; the first thing that is not possible, in words. What was left
    as it was stays as it is now, also when somebody else has changed it meanwhile."""
    chosen = {name: sent.fields.get(name, "") for name in EDITED}
    changes = {name: value for name, value in chosen.items() if value and value != sent.about.get(f"was_{name}")}
    fields = {name: value for name, value in changes.items() if name in {"category", "queue"}}
    if "priority" in changes:
        if changes["priority"] not in PRIORITIES:
            return Texts(texts.language, texts.address)("wrong_value")
        impact, urgency = PRIORITIES[changes["priority"]]
        fields |= {"impact": str(impact), "urgency": str(urgency)}
    fault = await assign(edge, press, changes["assign"], texts) if "assign" in changes else None
    if fault is not None or not fields:
        return fault
    once = f"{press.source_id}/correct"
    return (await edge.press(replace(press, action="correct", source_id=once, fields=fields))).text


async def assign(edge: Edge, press: Press, person: str, texts: Texts) -> str | None:
    """Give the ticket to a member of this channel."""
    if not is_id(person):
        return texts("only_to_agents")
    where = await edge.store(lambda: edge.channel.places.spot(press.address))
    channel = press.address.channel
    try:
        member = await soon(edge, lambda: edge.channel.connector.member(where.service_url, channel, person))
    except NotDrawn:
        member = None
    except CANNOT_TELL:
        return texts("not_answered")
    if member is None:
        return texts("only_to_agents")
    agent = Sender("teams", member.aad_object_id or member.id, member.name or "")
    await edge.store(lambda: edge.engine.write(lambda session: person_of(session, agent)))
    once, fields = f"{press.source_id}/assign", {"person": agent.id}
    return (await edge.press(replace(press, action="assign", source_id=once, fields=fields))).text


# --- answers ----------------------------------------------------------------------------------------------------------
def continued(dialog: Answer) -> Answer:
    return {"task": {"type": "continue", "value": dialog}}


def said(text: str) -> Answer:
    """A dialog that only says something."""
    card = {"contentType": CARD_TYPE, "content": notice(text)}
    return continued({"title": "Lotse", "height": "small", "width": "small", "card": card})
