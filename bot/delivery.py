"""Sends what waits in the outbox, once, in order, to each place; one failing place never blocks another."""

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bot.case import RequesterCase
from bot.channels.port import Address, Channel, Lost, Parts, Reply, Sent, ThreadLost, TryAgain, Unclear
from bot.house import House
from bot.posts import address_of, reply_for
from bot.threads import NO_THREAD_YET, replace_thread
from handoff import inbox, outbox, pace
from handoff.desk import handoff_places
from handoff.leases import Lease, held_conversation, lock_conversation
from handoff.models import ConversationState, Kind, Message, Reason, Side, Ticket

logger = logging.getLogger(__name__)
MOST_DOUBTS = 6  # times a place has to be said to be gone, over a minute, where that may be wrong
MOST_DEFECTS = 8  # failures in a row after which what is no fault of the network's is given up


@dataclass(frozen=True)
class Parcel:
    """One post on its way, as plain values. posted_as: the platform's id when it is an update of an earlier post.
    parts: the ids of those of its posts that we know of. unclear_since: an earlier send of it began then, and nobody
    knows how it ended. has_thread: False when the card that opens the thread could not be posted. failures: how often
    its place has failed in a row."""

    message_id: int
    conversation_id: int
    revision: int
    address: Address
    reply: Reply
    posted_as: str | None
    parts: Parts
    unclear_since: datetime | None
    has_thread: bool
    failures: int


class Delivery:
    """Delivers the outbox through the channels."""

    def __init__(self, house: House) -> None:
        self.house = house

    def deliver_pending(self, lease: Lease) -> None:
        """Send everything of a conversation that can be sent now. Raises LeaseLost when another worker has taken it."""
        while (parcel := self._take_next(lease)) is not None:
            self._deliver(parcel)

    def _take_next(self, lease: Lease) -> Parcel | None:
        """Note that a send begins, in a transaction of its own; what a person has overtaken is dropped here."""
        while True:
            with self.house.sessions.begin() as session:
                held_conversation(session, lease)
                message = outbox.next_to_send(session, lease.conversation_id, self.house.clock())
                if message is None:
                    return None
                if self._must_wait(session, message):
                    continue
                unclear_since = message.send_started_at
                if outbox.start_sending(message, self.house.clock()):
                    return self._parcel(session, message, unclear_since)
            logger.info("message %s dropped: a person has taken over", message.id)

    def _must_wait(self, session: Session, message: Message) -> bool:
        """Keep the platform's pace: whoever comes too soon after the last post to this channel waits for its turn."""
        channel = self.house.channels.get(message.platform)
        if channel is None or not channel.pace:
            return False
        place = message.place
        place.retry_at = pace.reserve(session, place.platform, place.channel, self.house.clock(), channel.pace)
        return place.retry_at is not None

    def _parcel(self, session: Session, message: Message, unclear_since: datetime | None) -> Parcel:
        changed = outbox.earlier_relay(session, message)
        return Parcel(
            message.id,
            message.conversation_id,
            message.revision,
            address_of(message.place),
            reply_for(self.house, session, message),
            posted_as(changed) if changed is not None else message.source_id,
            tuple((changed or message).parts or ()),
            unclear_since,
            message.kind == Kind.CARD or not outbox.has_no_thread(session, message.place),
            message.place.failures,
        )

    def _deliver(self, parcel: Parcel) -> None:
        channel = self.house.channels.get(parcel.address.platform)
        if channel is None:
            self._give_up(parcel, f"no channel for {parcel.address.platform}")
            return
        if not parcel.has_thread:
            self._give_up(parcel, "its thread could not be opened")
            return
        try:
            sent = self._send(channel, parcel)
        except Lost as lost:
            self._lose(parcel, lost)
        except TryAgain as later:
            if not later.begun:
                reason = later.reason or "it asks for patience"
                logger.info("message %s has to wait for %s: %s", parcel.message_id, parcel.address.platform, reason)
            unclear = not later.parts if later.begun else parcel.unclear_since is not None
            self._postpone(parcel, later.after, unclear=unclear, parts=later.parts)
        except Unclear as error:
            platform = parcel.address.platform
            logger.warning("message %s: nobody knows whether %s has it (%s)", parcel.message_id, platform, error)
            self._postpone(parcel, None, unclear=True)
        except Exception as error:
            # The outcome is unclear: it is looked up at the platform before it is tried again.
            logger.exception("message %s could not be sent to %s", parcel.message_id, parcel.address.platform)
            if not isinstance(error, OSError) and parcel.failures >= MOST_DEFECTS:
                self._give_up(parcel, type(error).__name__)  # nothing of the network's: it would fail for ever
            else:
                self._postpone(parcel, None, unclear=True)
        else:
            self._book(parcel, sent)

    def _lose(self, parcel: Parcel, lost: Lost) -> None:
        """The platform says that there is no place for it; where it is known to say so wrongly, it is asked again."""
        if lost.doubtful and parcel.failures < MOST_DOUBTS:
            logger.info("message %s waits: %s says that its place is gone", parcel.message_id, parcel.address.platform)
            self._postpone(parcel, None, unclear=parcel.unclear_since is not None)
        elif isinstance(lost, ThreadLost):
            self._lose_thread(parcel)
        else:
            self._give_up(parcel, str(lost))

    def _book(self, parcel: Parcel, sent: Sent) -> None:
        """Write down that it was sent. What cannot be booked is looked up again, as after a crash."""
        try:
            self._note_sent(parcel, sent)
        except Exception:
            logger.exception("message %s was sent and could not be booked", parcel.message_id)
            self._postpone(parcel, None, unclear=True)

    def _send(self, channel: Channel, parcel: Parcel) -> Sent:
        if parcel.posted_as is not None:
            update = channel.update if parcel.unclear_since is None else channel.resume_update
            parts = update(parcel.address, parcel.posted_as, parcel.reply, parcel.parts)
            return Sent(parcel.posted_as, parcel.address, parts)
        key = str(parcel.message_id)
        if parcel.unclear_since is not None:
            return channel.resume(parcel.address, parcel.reply, key, parcel.unclear_since, parcel.parts)
        if parcel.parts:
            return channel.go_on(parcel.address, parcel.reply, key, parcel.parts)
        return channel.send(parcel.address, parcel.reply, key)

    def _note_sent(self, parcel: Parcel, sent: Sent) -> None:
        with self.house.sessions.begin() as session:
            if parcel.address.thread is None:
                lock_conversation(session, parcel.conversation_id)  # the other cards change, too
            message = session.get_one(Message, parcel.message_id)
            changed = outbox.earlier_relay(session, message)
            # One post of the platform stands for two rows then: each needs an id of its own.
            platform_id = sent.platform_id if changed is None else f"{sent.platform_id}#{message.id}"
            outbox.mark_delivered(message, parcel.revision, platform_id, self.house.clock())
            outbox.note_parts(changed or message, sent.parts)
            place = message.place
            if place.thread.startswith(NO_THREAD_YET) and sent.address.thread:
                inbox.take_over(session, place, sent.address.thread)  # the first post of a place opened its thread
                if place.side != Side.REQUESTER:
                    outbox.revive(session, place)
                    outbox.update_card(session, message.conversation, but=message)  # they lead to the new thread
            place.route = {**place.route, **sent.address.route}

    def _lose_thread(self, parcel: Parcel) -> None:
        """A ticket's thread was deleted: everything a newcomer needs is posted into a new one. Never beside it."""
        logger.warning("the thread of message %s is gone on %s", parcel.message_id, parcel.address.platform)
        with self.house.sessions.begin() as session:
            lock_conversation(session, parcel.conversation_id)
            message = session.get_one(Message, parcel.message_id)
            place = message.place
            ticket = message.conversation.ticket
            if place.side != Side.REQUESTER and place.lost_at is None and ticket is not None:
                replace_thread(self.house, session, ticket, place)
                return
        self._give_up(parcel, "its thread is gone")

    def _postpone(self, parcel: Parcel, after: float | None, *, unclear: bool, parts: Parts = ()) -> None:
        with self.house.sessions.begin() as session:
            message = session.get_one(Message, parcel.message_id)
            outbox.note_parts(outbox.earlier_relay(session, message) or message, parts)
            outbox.postpone(message, self.house.clock(), after, unclear=unclear)

    def _give_up(self, parcel: Parcel, why: str) -> None:
        """Never to be tried again: the agent is told to use another way (behaviour rule 16)."""
        logger.warning("message %s cannot be delivered on %s", parcel.message_id, parcel.address.platform)
        with self.house.sessions.begin() as session:
            lock_conversation(session, parcel.conversation_id)
            message = session.get_one(Message, parcel.message_id)
            known = message.place.unreachable_at is not None
            outbox.mark_undeliverable(message, why, self.house.clock())
            result = (message.reply or {}).get(outbox.RESULT)
            if message.place.side == Side.REQUESTER and (result or not known):
                self._tell_agents(session, message)
            elif not known:
                self._tell_other_places(session, message)

    def _tell_agents(self, session: Session, message: Message) -> None:
        """The agents of the case, or of a ticket opened for it; a case that is closed without one is over."""
        case = RequesterCase(self.house, session, message.conversation)
        if message.conversation.ticket is None:
            if message.conversation.state == ConversationState.CLOSED:
                return
            question = message.conversation.memory.get("question", "")
            message.conversation.memory = {"question": question, "reason": Reason.ERROR}
            case.open_ticket()
        told = {"requester": message.conversation.requester.name}
        match (message.reply or {}).get(outbox.RESULT), message.conversation.ticket:
            case "resolved", Ticket() as ticket:
                case.tell_handoff("agent_does_not_know_resolved", number=ticket.number, **told)
            case "reopened", Ticket() as ticket:
                case.tell_handoff("agent_does_not_know_reopened", number=ticket.number, **told)
            case _:
                case.tell_handoff("agent_undeliverable", **told)

    def _tell_other_places(self, session: Session, message: Message) -> None:
        """Who follows a ticket in a channel that cannot be reached any more is looked for where else it is followed."""
        ticket = message.conversation.ticket
        if ticket is None:
            return
        told = self.house.handoff_texts()("agent_channel_unreachable", number=ticket.number)
        for place in handoff_places(ticket, but=message.place):
            outbox.post(session, message.conversation, place, Kind.NOTICE, told, self.house.clock())


def posted_as(relay: Message) -> str | None:
    """The platform's id of the post that a relay stands for; one that changed an earlier post has ours behind it."""
    return relay.source_id.partition("#")[0] if relay.source_id else None
