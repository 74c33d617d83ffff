"""A ticket's threads: where agents and the third level see its card and follow it."""

from sqlalchemy.orm import Session

from bot.house import House
from bot.settings import Queue
from handoff.desk import handoff_places
from handoff.inbox import place_at
from handoff.models import Conversation, Kind, Place, Side, Ticket, TicketState
from handoff.outbox import drop_waiting, post, post_again

NO_THREAD_YET = "new:"


def open_threads(house: House, session: Session, ticket: Ticket) -> None:
    """The ticket's thread and card on the web desk, and in the hand-off channel of its queue. Once per channel: after
    the queue was corrected, the new team gets the case too."""
    handoff = house.settings.handoff
    queue = handoff.queues.get(ticket.queue) or handoff.queues[handoff.default_queue]
    open_thread(house, session, ticket, Queue(platform="web", channel="desk"), Side.HANDOFF)
    if queue.platform != "web":
        open_thread(house, session, ticket, queue, Side.HANDOFF)


def open_third_level(house: House, session: Session, ticket: Ticket) -> None:
    """The ticket's thread at the third level, with its card."""
    open_thread(house, session, ticket, house.settings.handoff.third_level, Side.THIRD_LEVEL)


def open_thread(house: House, session: Session, ticket: Ticket, where: Queue, side: Side) -> None:
    """The ticket's thread in a channel: its card, which is drawn when it is sent and kept current, and what was said
    before where agents cannot see the desk. Where the platform names threads, the first post fills the name in."""
    if any((place.platform, place.channel) == (where.platform, where.channel) for place in handoff_places(ticket)):
        return
    thread = ticket.number if where.platform == "web" else f"{NO_THREAD_YET}{ticket.number}-{len(ticket.places)}"
    route = {"team": where.workspace} if where.workspace else {}
    place = place_at(session, where.platform, where.channel, thread, side=side, route=route)
    place.ticket_id = ticket.id
    session.flush()
    session.expire(ticket, ["places"])
    post(session, ticket.conversation, place, Kind.CARD, "", house.clock())
    if where.platform != "web":
        post(session, ticket.conversation, place, Kind.TRANSCRIPT, "", house.clock())


def replace_thread(house: House, session: Session, ticket: Ticket, lost: Place) -> None:
    """A ticket's thread was deleted: a new one with card and transcript takes its place and gets what waited for it."""
    lost.lost_at = house.clock()
    waited = drop_waiting(session, lost, house.clock())
    if ticket.state == TicketState.CLOSED and not waited:
        return  # somebody has tidied up
    where = Queue(platform=lost.platform, channel=lost.channel, workspace=lost.route.get("team"))
    open_thread(house, session, ticket, where, Side(lost.side))
    for message in waited:
        post_again(session, message, ticket.places[-1], house.clock())


def tell_agents(house: House, session: Session, conversation: Conversation, key: str, **values: object) -> None:
    """Tell the agents of a conversation's ticket what happened."""
    text = house.handoff_texts()(key, **values)
    for place in handoff_places(conversation.ticket) if conversation.ticket else []:
        post(session, conversation, place, Kind.NOTICE, text, house.clock())
