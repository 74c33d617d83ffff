"""Slack's own surfaces: `/helpdesk`, the shortcuts, App Home and the prompts of the agent view."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.channels.lists import Found, choose_language, desk_text, search_text, status_text
from bot.channels.port import OPEN_TICKET, Address, Incoming, Press, Sender
from bot.channels.slack.desk import (
    VIEWS,
    Command,
    command_of,
    current_case,
    home_of,
    sender_of,
)
from bot.channels.slack.edge import Edge, as_posts
from bot.channels.slack.events import DM, Here, address_of, to_incoming
from bot.channels.slack.text import to_markdown
from bot.channels.slack.views import ask_modal, home_pressed, home_view, open_ticket_modal, values_of
from bot.texts import Texts
from bot.threads import NO_THREAD_YET

HOME_ACTIONS = re.compile(r"lotse:home_.+")
PROMPTS = ("password", "vpn", "tickets")
LONGEST_QUOTE = 1500


def register(bolt: AsyncApp, edge: Edge) -> None:
    """The listeners of this room."""

    async def on_command(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        await take_command(edge, body, respond)
        await ack()

    async def on_global_shortcut(ack: AsyncAck, body: dict[str, Any]) -> None:
        edge.afterwards(open_ask_form(edge, body))
        await ack()

    async def on_message_shortcut(ack: AsyncAck, body: dict[str, Any], context: dict[str, Any]) -> None:
        edge.afterwards(open_ticket_form(edge, body, edge.here(context)))
        await ack()

    async def on_ask_form(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        await ack(**await take_ask_form(edge, body, view))

    async def on_ticket_form(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        await ack(**await take_ticket_form(edge, body, view))

    async def on_home_opened(event: dict[str, Any], context: dict[str, Any]) -> None:
        team = str(context.get("team_id") or "")
        if event.get("tab") == "messages":
            edge.afterwards(suggest(edge, team, event["user"], event["channel"], None))
        else:
            edge.afterwards(publish_home(edge, team, event["user"]))

    async def on_thread_started(event: dict[str, Any], context: dict[str, Any]) -> None:
        thread, team = event["assistant_thread"], str(context.get("team_id") or "")
        edge.afterwards(suggest(edge, team, thread["user_id"], thread["channel_id"], thread["thread_ts"]))

    async def on_home_action(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await take_home_action(edge, body, action)
        await ack()

    bolt.command("/helpdesk")(on_command)
    bolt.shortcut("ask_helpdesk")(on_global_shortcut)
    bolt.shortcut("open_ticket")(on_message_shortcut)
    bolt.view("lotse:ask")(on_ask_form)
    bolt.view("lotse:open_ticket")(on_ticket_form)
    bolt.event("app_home_opened")(on_home_opened)
    bolt.event("assistant_thread_started")(on_thread_started)
    bolt.action(HOME_ACTIONS)(on_home_action)


# --- asking from anywhere ---------------------------------------------------------------------------------------------
def new_thread(user: str, team: str, name: str) -> Address:
    """A thread in a person's direct messages that the first post will open."""
    return Address("slack", f"{DM}{user}", f"{NO_THREAD_YET}{name}", {"team": team})


async def ask_in_dm(edge: Edge, user: str, team: str, name: str, question: str) -> None:
    """A question that was not written in the direct messages, to be answered there."""
    await edge.acquaint(team, user)
    address, now = new_thread(user, team, name), datetime.now(UTC)
    await edge.receive(Incoming(address, sender_of(user), question, name, now, from_form=True))


async def person_in_dm(edge: Edge, user: str, team: str, name: str) -> None:
    """A person, please: in the open case where there is one, else in a new one."""
    await edge.acquaint(team, user)
    address = await edge.store(lambda: current_case(edge.house, user)) or new_thread(user, team, name)
    await edge.press(Press(address, sender_of(user), "person", "", name))


# --- /helpdesk --------------------------------------------------------------------------------------------------------
async def take_command(edge: Edge, body: Mapping[str, Any], respond: AsyncRespond) -> None:
    """Store what is asked before Slack is told that it arrived; everything else is shown afterwards."""
    user, team, command = str(body["user_id"]), str(body.get("team_id") or ""), command_of(str(body.get("text") or ""))
    name = f"command/{body['trigger_id']}"
    if command.name == "ask":
        question = to_markdown(command.words, me="", names=edge.channel.names)
        await ask_in_dm(edge, user, team, name, question)
    elif command.name == "person":
        await person_in_dm(edge, user, team, name)
    edge.afterwards(show_answer(edge, body, command, respond))


async def show_answer(edge: Edge, body: Mapping[str, Any], command: Command, respond: AsyncRespond) -> None:
    """What only the person who typed the command sees."""
    user, team = str(body["user_id"]), str(body.get("team_id") or "")
    texts = await edge.texts_for(team, user)
    if command.name in {"ask", "person"}:
        link = f"https://slack.com/app_redirect?app={body.get('api_app_id')}&team={team}"
        found = Found(texts("asked_in_dm", link=link), frozenset({link}))
    else:
        found = await answer_to(edge, command, user, team, texts)
    for part in as_posts(found.text, found.links):
        await respond(response_type="ephemeral", **part)


async def answer_to(edge: Edge, command: Command, user: str, team: str, texts: Texts) -> Found:
    """The text of a command that only shows something."""
    if command.name in {"status", "tickets"}:
        return Found(await edge.ask(lambda: status_text(edge.house, "slack", user, texts)))
    rooms = await edge.rooms_of(team, user)
    if command.name == "help":
        return Found("\n\n".join([texts("usage"), *([texts("usage_agents")] if rooms else [])]))
    if not rooms:
        return Found(texts("only_agents"))
    if command.name == "desk":
        return await edge.ask(lambda: desk_text(edge.house, VIEWS[command.words], "slack", user, rooms, texts))
    return await edge.ask(lambda: search_text(edge.house, command.words, texts, edge.channel.absolute))


# --- shortcuts and their forms ----------------------------------------------------------------------------------------
async def open_ask_form(edge: Edge, body: Mapping[str, Any]) -> None:
    texts = await edge.texts_for(team_of(body), body["user"]["id"])
    await open_view(edge, body, ask_modal(texts, "{}"))


async def open_ticket_form(edge: Edge, body: Mapping[str, Any], here: Here) -> None:
    """The form for a ticket on a message: who asked and what about are filled in."""
    message, channel = body["message"], str(body["channel"]["id"])
    texts = await edge.texts_for(team_of(body), body["user"]["id"])
    written = to_incoming({**message, "channel": channel}, here)
    about = {
        "channel": channel,
        "ts": message["ts"],
        "thread": message.get("thread_ts") or message["ts"],
        "author": written.sender.id if written is not None else "",
    }
    author = written.sender.id if written is not None else body["user"]["id"]
    summary = written.text if written is not None else str(message.get("text") or "")
    await open_view(edge, body, open_ticket_modal(texts, json.dumps(about), author, summary[:LONGEST_QUOTE]))


async def open_view(edge: Edge, body: Mapping[str, Any], view: dict[str, Any]) -> None:
    channel = str((body.get("channel") or {}).get("id") or "")
    await edge.show(team_of(body), body["trigger_id"], view, body["user"]["id"], channel, "")


def team_of(body: Mapping[str, Any]) -> str:
    return str((body.get("team") or {}).get("id") or "")


async def take_ask_form(edge: Edge, body: Mapping[str, Any], view: Mapping[str, Any]) -> dict[str, Any]:
    """The question of the form, in the person's direct messages; with the box ticked, a ticket about it at once."""
    values, user, team, name = values_of(view), str(body["user"]["id"]), team_of(body), f"form/{view['id']}"
    question = values.get("question", "").strip()
    if not question:
        return {"response_action": "errors", "errors": {"question": (await edge.texts(user))("nothing_asked")}}
    if values.get("person"):
        await edge.acquaint(team, user)
        await edge.press(Press(new_thread(user, team, name), sender_of(user), OPEN_TICKET, question, name))
    else:
        await ask_in_dm(edge, user, team, name, question)
    return {}


async def take_ticket_form(edge: Edge, body: Mapping[str, Any], view: Mapping[str, Any]) -> dict[str, Any]:
    """A ticket for who wrote a message, or was chosen: in the message's thread, where Lotse can write, else in their
    direct messages."""
    values, about = values_of(view), json.loads(view["private_metadata"])
    user, team, name = str(body["user"]["id"]), team_of(body), f"form/{view['id']}"
    requester = values.get("requester") or about["author"] or user
    text, note = values.get("summary", "").strip(), {"note": values.get("note", "").strip()}
    if not text:
        return {"response_action": "errors", "errors": {"summary": (await edge.texts(user))("nothing_asked")}}
    await edge.acquaint(team, requester)
    is_ours = await edge.members.is_member(team, about["channel"], await edge.bot_user(team))
    somebody_elses = about["channel"].startswith("D") and requester != user  # direct messages are between two
    address = new_thread(requester, team, name)
    if is_ours and about["channel"] not in edge.team_rooms() and not somebody_elses:
        address = address_of(about["channel"], about["thread"], requester, team)
    for_whom = Sender("slack", requester, "")
    result = await edge.press(Press(address, sender_of(user), OPEN_TICKET, text, name, note, on_behalf_of=for_whom))
    if not result.ok and result.text:
        address = new_thread(requester, team, name)  # the thread is somebody else's case: a ticket of its own
        press = Press(address, sender_of(user), OPEN_TICKET, text, f"{name}/own", note, on_behalf_of=for_whom)
        await edge.press(press)
    return {}


# --- App Home and the agent view --------------------------------------------------------------------------------------
async def publish_home(edge: Edge, team: str, user: str) -> None:
    texts = await edge.texts_for(team, user)
    home = await edge.ask(lambda: home_of(edge.house, user, texts))
    client = await edge.ask(lambda: edge.workspaces.async_client(team))
    await client.views_publish(user_id=user, view=home_view(texts, home.tickets, home.outages, home.questions))


async def take_home_action(edge: Edge, body: Mapping[str, Any], action: Mapping[str, Any]) -> None:
    """A button or list of App Home."""
    found, user, team = home_pressed(action), str(body["user"]["id"]), team_of(body)
    if found is None:
        return
    name, value = found
    once = f"home/{user}/{action.get('action_ts')}"
    match name:
        case "form":
            edge.afterwards(open_ask_form(edge, body))
            return
        case "ask":
            await ask_in_dm(edge, user, team, once, value)
        case "person":
            await person_in_dm(edge, user, team, once)
        case "language" if value in {"de", "en"}:
            await edge.store(lambda: choose_language(edge.house, "slack", user, language=value))
        case "address" if value in {"sie", "du"}:
            await edge.store(lambda: choose_language(edge.house, "slack", user, address=value))
    edge.afterwards(publish_home(edge, team, user))


async def suggest(edge: Edge, team: str, user: str, channel: str, thread: str | None) -> None:
    """Prompts to begin with, at the top of the direct messages; in the older view, in its thread."""
    texts = await edge.texts_for(team, user)
    prompts = [{"title": texts(f"prompt_{name}_title"), "message": texts(f"prompt_{name}_message")} for name in PROMPTS]
    client = await edge.ask(lambda: edge.workspaces.async_client(team))
    where = {"channel_id": channel, **({"thread_ts": thread} if thread else {})}
    arguments = {**where, "title": texts("prompts_title"), "prompts": prompts}
    await client.api_call("assistant.threads.setSuggestedPrompts", json=arguments)
