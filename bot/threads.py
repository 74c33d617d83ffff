"""A ticket's threads: where agents and the third level see its card and follow it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.house import House
from handoff import desk
from handoff.inbox import place_at
from handoff.models import Conversation, Kind, Message, Place, Side, Ticket
from handoff.outbox import post


def open_threads(house: House, session: Session, ticket: Ticket) -> None:
    """The ticket's thread and card on the web desk, and in the hand-off channel of its queue."""
    handoff = house.settings.handoff
    queue = handoff.queues.get(ticket.queue) or handoff.queues[handoff.default_queue]
    places = [thread_at(session, ticket, "web", "desk", Side.HANDOFF)]
    if queue.platform != "web":
        places.append(thread_at(session, ticket, queue.platform, queue.channel, Side.HANDOFF))
    for place in places:
        show_card(house, session, ticket, place)


def open_third_level(house: House, session: Session, ticket: Ticket) -> Place:
    """The ticket's thread at the third level, with its card."""
    third = house.settings.handoff.third_level
    place = thread_at(session, ticket, third.platform, third.channel, Side.THIRD_LEVEL)
    show_card(house, session, ticket, place)
    return place


def thread_at(session: Session, ticket: Ticket, platform: str, channel: str, side: Side) -> Place:
    """The ticket's thread at a hand-off channel; where the platform names threads, the first post fills it in."""
    thread = ticket.number if platform == "web" else f"new:{ticket.number}"
    place = place_at(session, platform, channel, thread, side=side)
    place.ticket_id = ticket.id
    session.flush()
    session.expire(ticket, ["places"])
    return place


def show_card(house: House, session: Session, ticket: Ticket, place: Place) -> None:
    """Post the ticket's card; it is drawn from the ticket when it is sent, and kept current. Once per place."""
    here = select(Message.id).where(Message.place_id == place.id, Message.kind == Kind.CARD)
    if session.scalar(here.limit(1)) is None:
        post(session, ticket.conversation, place, Kind.CARD, "", house.clock())


def tell_agents(house: House, session: Session, conversation: Conversation, key: str, **values: object) -> None:
    """Tell the agents of a conversation's ticket what happened."""
    text = house.handoff_texts()(key, **values)
    for place in desk.handoff_places(conversation.ticket) if conversation.ticket else []:
        post(session, conversation, place, Kind.NOTICE, text, house.clock())
