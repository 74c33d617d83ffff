"""Microsoft Teams: what the Bot Connector posts to `/api/messages` becomes messages and presses of the record."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.channels.port import Incoming
from bot.channels.teams import dialogs, presses, surfaces
from bot.channels.teams.activities import Activity, Malformed, begins_with_us, read_activity, sender_of, to_incoming
from bot.channels.teams.cards import pressed
from bot.channels.teams.edge import Edge
from bot.channels.teams.post import TeamsChannel
from bot.channels.teams.tokens import Gate, Refused
from bot.engine import Engine
from bot.house import House
from bot.intake import NotYetBooked, person_of
from bot.settings_contradictions import is_loopback
from handoff.inbox import find_message
from handoff.models import ConversationState, Message

logger = logging.getLogger(__name__)
MESSAGES_PATH = "/api/messages"
LARGEST_BODY = 512 * 1024  # bytes; what people write has at most 28 KB, a quoted message comes with it
INVOKES = {
    "adaptiveCard/action": presses.take_action,
    "task/fetch": dialogs.open_form,
    "task/submit": dialogs.take_form,
    "composeExtension/fetchTask": surfaces.open_ticket,
    "composeExtension/submitAction": surfaces.take_open_ticket,
}
REALM = 'Bearer realm="lotse"'  # by which `lotse doctor teams` knows that it is us who refuse
PROXIED = ("x-forwarded-for", "x-forwarded-host", "forwarded", "x-real-ip")


class NotTaken(Exception):  # noqa: N818 - the answer to a request
    """The body is not to be had. status: 400 or 413."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class TeamsEdge:
    """Teams' way into Lotse: started and stopped with it."""

    def __init__(self, house: House, engine: Engine, channel: TeamsChannel) -> None:
        self.settings = house.settings.teams
        self.edge = Edge(house, engine, channel)
        self.gate = Gate(self.settings)

    def start(self) -> None:
        """Nothing to connect to: Teams comes to us."""

    def stop(self) -> None:
        self.edge.close()
        self.edge.channel.connector.close()

    def where(self) -> str:
        """What an operator is told at the start."""
        if self.settings.app_id is None:
            return f"playground, from this machine only, at {MESSAGES_PATH}."
        return f"{MESSAGES_PATH}. `lotse doctor teams` says whether everything is right there."

    def routes(self) -> list[Route]:
        """What Teams reaches over HTTP, in Lotse's own web process."""
        return [Route(MESSAGES_PATH, self.take_request, methods=["POST"])]

    def health(self) -> dict[str, Any]:
        """Whether Teams' requests can be let in, as far as we know."""
        if self.settings.app_id is None:
            return {"state": "ok", "mode": "playground"}
        refused = self.edge.channel.connector.login.refused
        reasons = ["the keys of Teams cannot be fetched; it is tried again soon"] if self.gate.keys.failing else []
        reasons += [f"Microsoft Entra gives Lotse no token ({refused})"] if refused else []
        if reasons:
            return {"state": "degraded", "mode": "bot", "reason": "; ".join(reasons)}
        return {"state": "ok", "mode": "bot"}

    # --- the request ----------------------------------------------------------------------------------------------
    async def take_request(self, request: Request) -> Response:
        """Who it is from, what it is, and only then what becomes of it: stored, then acknowledged."""
        try:
            claims = await self._claims(request)
            activity = read_activity(await read_body(request))
            self.gate.check_activity(
                claims, activity.channel, activity.service_url, activity.tenant, activity.sender.tenant
            )
            if claims is None:
                self._require_local(activity)
        except Refused as error:
            logger.warning("a request to Teams' address was refused: %s", error.reason)
            return Response(status_code=error.status, headers={"www-authenticate": REALM})
        except (NotTaken, Malformed) as error:
            logger.warning("a request to Teams' address was not taken: %s", error)
            return Response(status_code=error.status if isinstance(error, NotTaken) else 400)
        except ClientDisconnect:
            return Response(status_code=400)
        try:
            return await take_activity(self.edge, activity)
        except NotYetBooked:
            logger.warning("an activity of Teams has to come again: its thread is just being opened")
            return Response(status_code=503)
        except Exception:
            # Not stored: Teams hears of it, and brings it again.
            logger.exception("an activity of Teams (%s) could not be taken", activity.type)
            return Response(status_code=500)

    async def _claims(self, request: Request) -> Mapping[str, Any] | None:
        """The claims of the token; None with the playground, which has none and is on this machine."""
        if self.settings.app_id is not None:
            return await self.gate.check(request.headers.get("authorization"))
        if not is_local(request):
            raise Refused(403, "the playground is for this machine only")
        return None

    def _require_local(self, activity: Activity) -> None:
        if not self.settings.is_service_url(activity.service_url):
            raise Refused(403, "its service URL is not among teams.service_urls")


def is_local(request: Request) -> bool:
    """Whether a request comes from this very machine: to an address of its own, by no proxy, and from no page of a
    browser, which cannot send JSON elsewhere without asking."""
    hosts = (request.client.host if request.client is not None else "", request.url.hostname or "")
    is_json = request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
    return all(map(is_loopback, hosts)) and is_json and not any(name in request.headers for name in PROXIED)


async def read_body(request: Request) -> dict[str, Any]:
    """The object in a body. Raises NotTaken for more than a message can be, and for anything else than an object."""
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > LARGEST_BODY:
            raise NotTaken(413, "its body is larger than any activity")
    try:
        body = json.loads(read)
    except (ValueError, RecursionError):
        raise NotTaken(400, "its body is no JSON") from None
    if not isinstance(body, dict):
        raise NotTaken(400, "its body is no object")
    return body


# --- activities -------------------------------------------------------------------------------------------------------
async def take_activity(edge: Edge, activity: Activity) -> Response:
    """Store what is to be stored and answer what waits for an answer."""
    match activity.type:
        case "message" | "messageUpdate" | "messageDelete":
            await take_message(edge, activity)
        case "invoke":
            return await take_invoke(edge, activity)
        case "conversationUpdate" | "installationUpdate":
            await surfaces.note_installation(edge, activity)
        case _:
            pass  # typing, reactions, meetings: nothing that Lotse takes part in
    return Response(status_code=200)


async def take_invoke(edge: Edge, activity: Activity) -> Response:
    """What waits for an answer: presses and dialogs."""
    take = INVOKES.get(activity.name or "")
    if take is None:
        return Response(status_code=400)
    await edge.store(lambda: edge.engine.write(lambda session: person_of(session, sender_of(activity))))
    answer = await take(edge, activity)
    return JSONResponse(answer) if answer is not None else Response(status_code=200)


async def take_message(edge: Edge, activity: Activity) -> None:
    """Store what somebody wrote, changed or deleted. A word to Lotse in a team room is a search, never a reply."""
    found = pressed(activity.value) if activity.type == "message" else None
    if found is not None:
        await presses.take_submit(edge, activity, found)
        return
    incoming = await edge.store(lambda: to_incoming(activity, edge.here(), edge.house.clock()))
    if incoming is None or not await concerns_us(edge, activity, incoming):
        return
    surfaces.meet_team(edge, activity)
    if activity.channel_id in edge.team_rooms() and begins_with_us(activity):
        if activity.type == "message" and edge.is_new(incoming.source_id):
            edge.afterwards(surfaces.search_in_team_room(edge, activity))
        return
    stored = await edge.receive(incoming)
    if stored is not None and activity.type == "message":
        edge.afterwards(show_working(edge, activity, stored))


async def concerns_us(edge: Edge, activity: Activity, incoming: Incoming) -> bool:
    """Of what people change in their group chats, only what was said to Lotse before is its business."""
    changed = incoming.edits or incoming.deletes
    if activity.kind != "groupChat" or incoming.addressed or changed is None:
        return True
    return await edge.store(lambda: is_known(edge.house, changed))


def is_known(house: House, source_id: str) -> bool:
    with house.sessions() as session:
        return find_message(session, "teams", source_id) is not None


async def show_working(edge: Edge, activity: Activity, message_id: int) -> None:
    """Show that an answer is being worked on; the answer takes it away."""
    if await edge.store(lambda: waits_for_bot(edge.house, message_id)):
        where = activity.service_url, activity.conversation.id
        await edge.ask(lambda: edge.channel.connector.typing(*where))


def waits_for_bot(house: House, message_id: int) -> bool:
    """Whether Lotse will answer a message; not when it has, or a person has the case."""
    with house.sessions() as session:
        message = session.get_one(Message, message_id)
        with_person = message.conversation.state in {
            ConversationState.WITH_PERSON,
            ConversationState.WAITING_FOR_PERSON,
        }
        return message.handled_at is None and not with_person
