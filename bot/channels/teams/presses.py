"""Presses in Teams: buttons of cards, and the dialogs they open."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from bot.channels.port import Address, Incoming, Press, PressResult, Reply, Sender
from bot.channels.teams.activities import Activity, address_of, sender_of, source_id, within
from bot.channels.teams.cards import Pressed, notice, pressed, settled
from bot.channels.teams.edge import Edge, Shown
from bot.channels.teams.forms import FormValues, edit_form, note_form, reply_form, resolve_form, values_of
from bot.intake import person_of
from bot.posts import card_for
from bot.texts import Texts
from handoff.inbox import find_place, ticket_at
from handoff.models import Place, Ticket

logger = logging.getLogger(__name__)
CARD, MESSAGE = "application/vnd.microsoft.card.adaptive", "application/vnd.microsoft.activity.message"
PRIORITIES = {"1": (1, 1), "2": (1, 2), "3": (2, 2), "4": (2, 3), "5": (3, 3)}  # (impact, urgency)
Answer = dict[str, Any]
MOST_PEOPLE = 500


# --- buttons ----------------------------------------------------------------------------------------------------------
async def take_action(edge: Edge, activity: Activity) -> Answer:
    """`adaptiveCard/action`: a button of a card; the card comes back as it is after the press."""
    found = pressed(within(activity.value, "action", "data"))
    if found is None:
        return told((await edge.texts(activity.person))("button_unknown"))
    result, card = await take(edge, activity, found)
    if result.text:
        return told(result.text)
    return {"statusCode": 200, "type": CARD, "value": card} if card is not None else told("✓")


async def take_submit(edge: Edge, activity: Activity, found: Pressed) -> None:
    """The same from a client that only knows `Action.Submit`: it comes as a message, and has no answer."""
    result, _ = await take(edge, activity, found)
    if result.text:
        edge.afterwards(edge.tell(activity, result.text))


async def take(edge: Edge, activity: Activity, found: Pressed) -> tuple[PressResult, Answer | None]:
    """A press below a post: an agent's in a team room, a requester's anywhere else. With the card as it is then."""
    if activity.channel_id in edge.team_rooms():
        refused = await edge.may_act(activity.channel_id, activity.person)
        if refused is not None:
            return PressResult(False, (await edge.texts(activity.person))(refused)), None
        address = address_of_card(activity)
        result = await edge.press(press_of(activity, address, found))
        return result, await edge.store(lambda: current_card(edge, address))
    address, shown = address_of(activity), await edge.store(lambda: edge.drawn(found.key))
    if shown is not None and shown.address.channel == address.channel:
        address = shown.address  # in a group chat everybody's case is a place of its own
    result = await edge.press(press_of(activity, address, found))
    if not result.ok or shown is None:
        return result, None
    card = settled(shown.card, label_of(shown.reply, found))
    edge.afterwards(show_settled(edge, shown, card))
    return result, card


def press_of(activity: Activity, address: Address, found: Pressed) -> Press:
    """A button as the engine takes it; Teams' id of the press makes it one, however often it comes."""
    once = f"press/{source_id(address, activity.id)}"
    return Press(address, sender_of(activity), found.action, found.value, once, on=found.key or None)


def address_of_card(activity: Activity) -> Address:
    """The thread a card of a channel stands in; one outside any thread is the root of its own."""
    address = address_of(activity)
    root = activity.root or activity.reply_to or activity.id
    return Address(address.platform, address.channel, root, address.route)


def current_card(edge: Edge, address: Address) -> Answer | None:
    """A ticket's card as its thread should show it now."""
    with edge.house.sessions() as session:
        place = find_place(session, "teams", address.channel, address.thread)
        ticket = ticket_at(session, place)
        if place is None or ticket is None:
            return None
        reply = card_for(edge.house, session, ticket, place)
    return edge.channel.messages(edge.channel.places.spot(address), reply, "")[0].card


async def show_settled(edge: Edge, shown: Shown, card: Answer) -> None:
    """Show everybody that a post's buttons are settled."""
    await edge.ask(lambda: edge.channel.show(shown.address, shown.platform_id, card, shown.reply.text[:100]))


def label_of(reply: Reply, found: Pressed) -> str:
    """What the button said that was pressed."""
    labels = [one.label for one in reply.buttons if (one.action, one.value) == (found.action, found.value)]
    return labels[0] if labels else found.action


def told(text: str) -> Answer:
    """An answer that only whoever pressed sees."""
    return {"statusCode": 200, "type": MESSAGE, "value": text}


# --- dialogs ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class FormTicket:
    """The ticket a dialog is about, with its card as fields."""

    number: str
    requester: str
    agent: str | None
    reply: Reply


async def open_form(edge: Edge, activity: Activity) -> Answer:
    """`task/fetch`: a button that opens a dialog. Whether they may is asked each time."""
    found, texts = pressed(within(activity.value, "data")), await edge.texts(activity.person)
    if found is None or activity.channel_id not in edge.team_rooms():
        return said(texts("button_unknown"))
    refused = await edge.may_act(activity.channel_id, activity.person)
    if refused is not None:
        return said(texts(refused))
    address = address_of_card(activity)
    ticket = await edge.store(lambda: form_ticket(edge, address))
    if ticket is None:
        return said(texts("no_ticket_here"))
    return continued(await form(edge, activity, found.action, texts, ticket, about(address, ticket)))


def about(address: Address, ticket: FormTicket) -> dict[str, str]:
    """What a dialog carries: where its ticket is."""
    return {"number": ticket.number, "channel": address.channel, "thread": address.thread or ""}


def form_ticket(edge: Edge, address: Address) -> FormTicket | None:
    with edge.house.sessions() as session:
        return form_ticket_at(edge, session, find_place(session, "teams", address.channel, address.thread))


def form_ticket_at(edge: Edge, session: Session, place: Place | None) -> FormTicket | None:
    ticket: Ticket | None = ticket_at(session, place)
    if place is None or ticket is None:
        return None
    agent = ticket.agent.platform_id if ticket.agent is not None and ticket.agent.platform == "teams" else None
    return FormTicket(ticket.number, ticket.requester.name, agent, card_for(edge.house, session, ticket, place))


async def form(
    edge: Edge,
    activity: Activity,
    name: str,
    texts: Texts,
    ticket: FormTicket,
    where: Mapping[str, str],
    *,
    fault: str | None = None,
    values: Mapping[str, str] | None = None,
) -> Answer:
    """A dialog by its name, with what was typed before and what is wrong with it."""
    again: dict[str, Any] = {"fault": fault, "values": values or {}}
    if name == "note":
        return note_form(texts, where, ticket.number, **again)
    if name == "reply":
        return reply_form(texts, where, ticket.number, ticket.requester, **again)
    if name == "resolve":
        return resolve_form(texts, where, ticket.number, ticket.requester, **again)
    choices = ticket.reply.card.choices if ticket.reply.card is not None else ()
    people = await edge.ask(lambda: people_in(edge, activity))
    return edit_form(texts, where, choices, people, ticket.agent, **again)


def people_in(edge: Edge, activity: Activity) -> list[tuple[str, str]]:
    """The people of a channel's team, by name; without bots."""
    members = edge.channel.connector.members(activity.service_url, activity.channel_id)
    named = [(one.aad_object_id or one.id, one.name or "?") for one in members if not one.id.startswith("28:")]
    return sorted(named, key=lambda person: person[1].casefold())[:MOST_PEOPLE]


async def take_form(edge: Edge, activity: Activity) -> Answer | None:
    """`task/submit`: what an agent filled in. None closes the dialog; what is wrong with it is shown in it again."""
    sent, texts = values_of(within(activity.value, "data")), await edge.texts(activity.person)
    channel = sent.about.get("channel", "") if sent is not None else ""
    if sent is None or channel not in edge.team_rooms():
        return said(texts("button_unknown"))
    refused = await edge.may_act(channel, activity.person)
    if refused is not None:
        return said(texts(refused))
    where = Address("teams", channel, sent.about.get("thread") or None, address_of(activity).route)
    fault = await done_with(edge, activity, sent, where)
    if fault is None:
        return None
    ticket = await edge.store(lambda: form_ticket(edge, where))
    if ticket is None:
        return said(fault)
    again = await form(edge, activity, sent.form, texts, ticket, about(where, ticket), fault=fault, values=sent.fields)
    return continued(again)


async def done_with(edge: Edge, activity: Activity, sent: FormValues, where: Address) -> str | None:
    """Do what a dialog asks for; what is wrong with it, or None."""
    me, once = sender_of(activity), f"form/{source_id(where, activity.id)}"
    if sent.form == "resolve":
        names = {"cause": "cause", "fix": "fix", "propose_article": "article"}
        fields = {name: sent.fields.get(held, "") for name, held in names.items()}
        return (await edge.press(Press(where, me, "resolve", "", once, fields))).text
    if sent.form == "edit":
        return await edit(edge, activity, sent, where, once)
    text = sent.fields.get("text", "").strip()
    if not text:
        return (await edge.texts(activity.person))("nothing_written")
    await edge.receive(written_in_form(sent, text, me, once))
    return None


def written_in_form(sent: FormValues, text: str, me: Sender, once: str) -> Incoming:
    """A dialog leaves nothing in its thread: what was written in it is said at the desk and goes from there."""
    desk, note = Address("web", "desk", sent.about.get("number", "")), sent.form == "note"
    return Incoming(desk, me, text, f"teams-{once}"[:200], datetime.now(UTC), is_note=note, is_reply=not note)


async def edit(edge: Edge, activity: Activity, sent: FormValues, where: Address, once: str) -> str | None:
    """Assign and correct what was changed in the dialog; the first thing that is not possible, in words."""
    ticket = await edge.store(lambda: form_ticket(edge, where))
    if ticket is None:
        return (await edge.texts(activity.person))("no_ticket_here")
    me, current = sender_of(activity), {one.action: one.chosen for one in card_choices(ticket)}
    changes = {name: value for name, value in sent.fields.items() if name in current and value != current[name]}
    person = sent.fields.get("assign", "")
    if person and person != ticket.agent:
        fault = await assign(edge, activity, where, person, me, once)
        if fault is not None:
            return fault
    fields = {name: changes[name] for name in ("category", "queue") if changes.get(name)}
    if changes.get("priority") in PRIORITIES:
        impact, urgency = PRIORITIES[changes["priority"]]
        fields |= {"impact": str(impact), "urgency": str(urgency)}
    if not fields:
        return None
    return (await edge.press(Press(where, me, "correct", "", f"{once}/correct", fields))).text


def card_choices(ticket: FormTicket) -> tuple[Any, ...]:
    return ticket.reply.card.choices if ticket.reply.card is not None else ()


async def assign(edge: Edge, activity: Activity, where: Address, person: str, me: Sender, once: str) -> str | None:
    """Give the ticket to a member of this channel."""
    spot = edge.channel.places.spot(where)
    member = await edge.ask(lambda: edge.channel.connector.member(spot.service_url, where.channel, person))
    if member is None:
        return (await edge.texts(activity.person))("only_to_agents")
    agent = member.aad_object_id or member.id
    named = Sender("teams", agent, member.name or "")
    await edge.store(lambda: edge.engine.write(lambda session: person_of(session, named)))
    return (await edge.press(Press(where, me, "assign", "", f"{once}/assign", {"person": agent}))).text


def continued(dialog: Answer) -> Answer:
    return {"task": {"type": "continue", "value": dialog}}


def said(text: str) -> Answer:
    """A dialog that only says something."""
    card = {"contentType": CARD, "content": notice(text)}
    return continued({"title": "Lotse", "height": "small", "width": "small", "card": card})
