"""Presses in Slack: buttons and lists below posts, the forms they open, and reactions on cards."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from sqlalchemy.orm import Session

from bot.channels.lists import PRIORITIES
from bot.channels.port import Address, Incoming, Press, PressResult
from bot.channels.slack.blocks import Pressed, pressed, settled
from bot.channels.slack.desk import sender_of
from bot.channels.slack.edge import Edge
from bot.channels.slack.events import address_of
from bot.channels.slack.text import escape, text_of, with_emoji
from bot.channels.slack.views import note_modal, reply_modal, resolve_modal, values_of
from bot.texts import Texts
from handoff.inbox import find_place, ticket_at
from handoff.models import Ticket

REACTIONS = {"eyes": "claim", **dict.fromkeys(("white_check_mark", "heavy_check_mark"), "resolve")}
ACTIONS = re.compile(r"lotse:(?!home_).+")
FORMS = {"note", "reply", "resolve"}


@dataclass(frozen=True)
class Pressing:
    """Who pressed what, and where."""

    team: str
    channel: str
    thread: str
    post: str
    user: str
    trigger: str
    source_id: str
    blocks: tuple[Mapping[str, Any], ...]
    label: str

    @property
    def address(self) -> Address:
        return address_of(self.channel, self.thread, self.user, self.team)


def register(bolt: AsyncApp, edge: Edge) -> None:
    """The listeners of this room."""

    async def on_action(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], context: dict[str, Any]) -> None:
        found = pressed(action)
        if found is not None and "channel" in body:
            await take(edge, pressing_of(body, action, team_of(context)), found)
        await ack()

    async def on_form(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: dict[str, Any]) -> None:
        await ack(**await take_form(edge, body, view, team_of(context)))

    async def on_reaction(event: dict[str, Any], context: dict[str, Any]) -> None:
        await take_reaction(edge, event, team_of(context))

    bolt.action(ACTIONS)(on_action)
    for name in FORMS:
        bolt.view(f"lotse:{name}")(on_form)
    bolt.event("reaction_added")(on_reaction)


def team_of(context: Mapping[str, Any]) -> str:
    """The workspace where Lotse was pressed; in a channel of several companies not always that of who pressed."""
    return str(context.get("team_id") or "")


def pressing_of(body: Mapping[str, Any], action: Mapping[str, Any], team: str) -> Pressing:
    """Slack's payload of a press. A post outside any thread is the root of its own."""
    message = body.get("message") or {}
    stands_at = str((body.get("container") or {}).get("message_ts") or message.get("ts") or "")
    return Pressing(
        team=team,
        channel=str(body["channel"]["id"]),
        thread=str(message.get("thread_ts") or (body.get("container") or {}).get("thread_ts") or stands_at),
        post=stands_at,
        user=str(body["user"]["id"]),
        trigger=str(body.get("trigger_id") or ""),
        source_id=f"press/{body['user']['id']}/{action.get('action_ts')}/{action.get('action_id')}",
        blocks=tuple(message.get("blocks") or ()),
        label=str((action.get("text") or {}).get("text") or ""),
    )


# --- buttons and lists ------------------------------------------------------------------------------------------------
async def take(edge: Edge, where: Pressing, found: Pressed) -> None:
    """A press below a post: an agent's in a team room, a requester's anywhere else."""
    if where.channel in edge.team_rooms():
        await take_from_agent(edge, where, found)
        return
    press = Press(where.address, sender_of(where.user), found.action, found.value, where.source_id, on=found.key)
    result = await edge.press(press)
    if result.ok:
        edge.afterwards(settle(edge, where))
    elif result.text:
        edge.afterwards(edge.tell(where.team, where.channel, where.user, result.text, where.thread))


async def take_from_agent(edge: Edge, where: Pressing, found: Pressed) -> None:
    """An agent's press: whether they may is asked each time; a form is opened, everything else is done at once."""
    refused = await edge.may_act(where.team, where.channel, where.user)
    if refused is not None:
        edge.afterwards(edge.tell_key(where.team, where.channel, where.user, refused, where.thread))
    elif found.action in FORMS:
        edge.afterwards(open_form(edge, where, found.action))
    elif found.action == "assign":
        await assign(edge, where, found.value)
    else:
        await edge.acquaint(where.team, where.user)
        result = await edge.press(agent_press(where, found))
        edge.afterwards(tell_result(edge, where, result))


def agent_press(where: Pressing, found: Pressed) -> Press:
    """What was chosen on a card, as the engine takes it."""
    action, fields = found.action, dict[str, str]()
    if action == "priority":
        impact, urgency = PRIORITIES[found.value]
        action, fields = "correct", {"impact": str(impact), "urgency": str(urgency)}
    elif action in {"category", "queue"}:
        action, fields = "correct", {action: found.value}
    sender = sender_of(where.user)
    return Press(where.address, sender, action, found.value, where.source_id, fields, on=found.key or None)


async def assign(edge: Edge, where: Pressing, agent: str) -> None:
    """Give the ticket to a member of this channel; Lotse itself is one, and no agent."""
    refused = await edge.may_act(where.team, where.channel, agent)
    if refused == "only_agents" or agent == await edge.bot_user(where.team):
        refused = "only_to_agents"
    if refused is not None:
        edge.afterwards(edge.tell_key(where.team, where.channel, where.user, refused, where.thread))
        return
    await edge.acquaint(where.team, agent)
    fields = {"person": agent}
    press = Press(where.address, sender_of(where.user), "assign", "", where.source_id, fields)
    edge.afterwards(tell_result(edge, where, await edge.press(press)))


async def tell_result(edge: Edge, where: Pressing, result: PressResult) -> None:
    """Tell whoever pressed what became of it, when there is something to say."""
    if result.text:
        await edge.tell(where.team, where.channel, where.user, result.text, where.thread)


async def settle(edge: Edge, where: Pressing) -> None:
    """Show at the post what was pressed; its buttons are settled."""
    if not where.blocks or not where.label:
        return
    client = await edge.ask(lambda: edge.workspaces.async_client(where.team))
    blocks = settled(where.blocks, where.label)
    await client.chat_update(channel=where.channel, ts=where.post, text=escape(text_of(blocks))[:3000], blocks=blocks)


# --- forms ------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class FormTicket:
    """The ticket a form is about."""

    number: str
    requester: str


def form_ticket(session: Session, address: Address) -> FormTicket | None:
    ticket: Ticket | None = ticket_at(session, find_place(session, "slack", address.channel, address.thread))
    return FormTicket(ticket.number, ticket.requester.name) if ticket is not None else None


async def open_form(edge: Edge, where: Pressing, name: str) -> None:
    """Show a form. Slack takes it for three seconds after the press; who was too slow is told to press again."""

    def read() -> FormTicket | None:
        with edge.house.sessions() as session:
            return form_ticket(session, where.address)

    ticket, texts = await edge.store(read), await edge.texts(where.user)
    if ticket is None:
        await edge.tell_key(where.team, where.channel, where.user, "trigger_expired", where.thread)
        return
    metadata = json.dumps({"number": ticket.number, "channel": where.channel, "thread": where.thread})
    view = form(name, texts, metadata, ticket)
    await edge.show(where.team, where.trigger, view, where.user, where.channel, where.thread)


def form(name: str, texts: Texts, metadata: str, ticket: FormTicket) -> dict[str, Any]:
    if name == "note":
        return note_modal(texts, metadata, ticket.number)
    make = reply_modal if name == "reply" else resolve_modal
    return make(texts, metadata, ticket.number, ticket.requester)


async def take_form(edge: Edge, body: Mapping[str, Any], view: Mapping[str, Any], team: str) -> dict[str, Any]:
    """What an agent wrote in a form, as if said at the desk: it reaches every other place of the ticket. The arguments
    of the acknowledgement: nothing, or what is wrong with a field."""
    about, values = json.loads(view["private_metadata"]), values_of(view)
    user = str(body["user"]["id"])
    name = str(view["callback_id"]).partition(":")[2]
    refused = await edge.may_act(team, about["channel"], user)
    if refused is not None:
        texts = await edge.texts(user)
        return {"response_action": "errors", "errors": {"fix" if name == "resolve" else "text": texts(refused)}}
    await edge.acquaint(team, user)
    if name == "resolve":
        result = await edge.press(resolve_press(about, values, user, team, str(view["id"])))
        return {"response_action": "errors", "errors": {"fix": result.text}} if result.text else {}
    if not values.get("text", "").strip():
        return {"response_action": "errors", "errors": {"text": (await edge.texts(user))("nothing_written")}}
    await edge.receive(written_in_form(name, about, values["text"], user, str(view["id"])))
    return {}


def resolve_press(about: Mapping[str, str], values: Mapping[str, str], user: str, team: str, view: str) -> Press:
    fields = {
        "cause": values.get("cause", ""),
        "fix": values.get("fix", ""),
        "propose_article": values.get("article", ""),
    }
    address = address_of(about["channel"], about["thread"], user, team)
    return Press(address, sender_of(user), "resolve", "", f"form/{view}", fields)


def written_in_form(name: str, about: Mapping[str, str], text: str, user: str, view: str) -> Incoming:
    """A form leaves nothing in its thread: what was written in it is said at the desk and goes from there."""
    desk = Address("web", "desk", about["number"])
    now, source_id = datetime.now(UTC), f"slack-form/{view}"
    note = name == "note"
    return Incoming(desk, sender_of(user), with_emoji(text, None), source_id, now, is_note=note, is_reply=not note)


# --- reactions --------------------------------------------------------------------------------------------------------
async def take_reaction(edge: Edge, event: Mapping[str, Any], team: str) -> None:
    """👀 on a card claims, ✅ resolves; any other reaction, and any other post, is nobody's business."""
    item, user, action = event.get("item") or {}, str(event.get("user") or ""), REACTIONS.get(event["reaction"])
    channel, thread = str(item.get("channel") or ""), str(item.get("ts") or "")
    if action is None or channel not in edge.team_rooms():
        return
    if not await edge.store(lambda: is_card(edge, channel, thread)):
        return
    refused = await edge.may_act(team, channel, user)
    if refused is not None:
        edge.afterwards(edge.tell_key(team, channel, user, refused, thread))
        return
    await edge.acquaint(team, user)
    source_id = f"reaction/{channel}/{thread}/{user}/{event['reaction']}/{event.get('event_ts')}"
    result = await edge.press(Press(address_of(channel, thread, user, team), sender_of(user), action, "", source_id))
    if result.text:
        edge.afterwards(edge.tell(team, channel, user, result.text, thread))


def is_card(edge: Edge, channel: str, thread: str) -> bool:
    """Whether a post is the card of a ticket: the first of its thread."""
    with edge.house.sessions() as session:
        return ticket_at(session, find_place(session, "slack", channel, thread)) is not None
