"""Buttons of cards in Teams."""

from typing import Any

from bot.channels.port import Address, Press, PressResult
from bot.channels.teams.activities import Activity, address_of, sender_of, source_id, within
from bot.channels.teams.cards import Pressed, pressed, settled
from bot.channels.teams.edge import Edge, label_of
from bot.channels.teams.pieces import CARD_TYPE
from bot.posts import card_for
from handoff.inbox import ticket_at

MESSAGE = "application/vnd.microsoft.activity.message"
LATE_TOO = {"person", "not_helped", "still_broken"}  # these bring a person, also after something else was pressed
Answer = dict[str, Any]


async def take_action(edge: Edge, activity: Activity) -> Answer:
    """`adaptiveCard/action`: a button of a card; the card comes back as it is after the press."""
    found = pressed(within(activity.value, "action", "data"))
    if found is None:
        return told((await edge.texts(activity.person))("button_unknown"))
    result, card = await take(edge, activity, found)
    if result.text:
        return told(result.text)
    return {"statusCode": 200, "type": CARD_TYPE, "value": card} if card is not None else told("✓")


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
        return result, await edge.store(lambda: current_card(edge, address, found.key))
    address = address_of(activity)
    shown = await edge.store(lambda: edge.drawn(found.key, address.channel))
    label = label_of(shown.reply, found.action, found.value) if shown is not None else None
    if shown is None or label is None:  # what nobody was shown here is not taken from anybody
        return PressResult(False, (await edge.texts(activity.person))("button_unknown")), None
    result = await edge.press(press_of(activity, shown.address, found))
    if not result.ok:
        return result, None
    first = None if found.action in LATE_TOO else shown.pressed  # what came first counts, and that is shown
    card = settled(shown.card, first or label)
    if shown.platform_id is not None:
        edge.afterwards(show_settled(edge, shown.address, shown.platform_id, card))
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


def current_card(edge: Edge, address: Address, key: str) -> Answer | None:
    """A ticket's card as its thread should show it now."""
    with edge.house.sessions() as session:
        place = edge.place_of_ticket(session, address, key)
        ticket = ticket_at(session, place)
        if place is None or ticket is None:
            return None
        reply = card_for(edge.house, session, ticket, place)
    return edge.channel.messages(edge.channel.places.spot(address), reply, key)[0].card


async def show_settled(edge: Edge, address: Address, platform_id: str, card: Answer) -> None:
    """Show everybody that a post's buttons are settled."""
    await edge.ask(lambda: edge.channel.show(address, platform_id, card, str(card["fallbackText"])))


def told(text: str) -> Answer:
    """An answer that only whoever pressed sees."""
    return {"statusCode": 200, "type": MESSAGE, "value": text}
