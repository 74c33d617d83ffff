"""Sends what waits in the outbox, once, in order, to each place; one failing place never blocks another."""

import logging
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot import replies
from bot.case import RequesterCase
from bot.channels.port import Address, Channel, Channels, File, Reply, Sent, TryAgain, Unreachable
from bot.house import House
from handoff import outbox
from handoff.leases import Lease, held_conversation, lock_conversation
from handoff.models import ConversationState, Kind, Message, Place, Reason, Side, Ticket

logger = logging.getLogger(__name__)
NO_THREAD_YET = "new:"


@dataclass(frozen=True)
class Parcel:
    """One post on its way, as plain values. posted_as: the platform's id when it is an update of an earlier post."""

    message_id: int
    conversation_id: int
    revision: int
    address: Address
    reply: Reply
    posted_as: str | None
    unclear: bool


class Delivery:
    """Delivers the outbox through the channels."""

    def __init__(self, house: House, channels: Channels) -> None:
        self.house = house
        self.channels = channels

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
                unclear = message.send_started_at is not None
                if outbox.start_sending(message, self.house.clock()):
                    return self._parcel(session, message, unclear=unclear)
            logger.info("message %s dropped: a person has taken over", message.id)

    def _parcel(self, session: Session, message: Message, *, unclear: bool) -> Parcel:
        return Parcel(
            message.id,
            message.conversation_id,
            message.revision,
            address_of(message.place),
            self._reply(message),
            message.source_id,
            unclear,
        )

    def _reply(self, message: Message) -> Reply:
        """What to post: a card is drawn from its ticket as it is now, a relay speaks with the author's name."""
        if message.kind == Kind.CARD and message.conversation.ticket is not None:
            return self._card(message.conversation.ticket, message.place)
        if message.kind == Kind.RELAY:
            author = message.person.name if message.person else None
            return Reply(message.text, author=author, files=files_of(message.concerns))
        return replies.from_json(message.text, message.reply)

    def _card(self, ticket: Ticket, place: Place) -> Reply:
        handoff, texts = self.house.settings.handoff, self.house.handoff_texts()
        third = place.side == Side.THIRD_LEVEL
        rule = texts(f"card_rule_{'third_level' if third else handoff.reply}", prefix=handoff.note_prefixes[0])
        return replies.card(texts, ticket, self.house.moment(), rule, with_buttons=not third)

    def _deliver(self, parcel: Parcel) -> None:
        channel = self.channels.get(parcel.address.platform)
        if channel is None:
            self._give_up(parcel, f"no channel for {parcel.address.platform}")
            return
        try:
            sent = self._send(channel, parcel)
        except Unreachable as never:
            self._give_up(parcel, str(never))
        except TryAgain as later:
            self._postpone(parcel, later.after, unclear=False)
        except Exception:
            # The outcome is unclear: it is looked up at the platform before it is tried again.
            logger.exception("message %s could not be sent to %s", parcel.message_id, parcel.address.platform)
            self._postpone(parcel, None, unclear=True)
        else:
            self._note_sent(parcel, sent)

    def _send(self, channel: Channel, parcel: Parcel) -> Sent:
        if parcel.posted_as is not None:
            channel.update(parcel.address, parcel.posted_as, parcel.reply)
            return Sent(parcel.posted_as, parcel.address)
        key = str(parcel.message_id)
        found = channel.find(parcel.address, key) if parcel.unclear else None
        return found or channel.send(parcel.address, parcel.reply, key)

    def _note_sent(self, parcel: Parcel, sent: Sent) -> None:
        with self.house.sessions.begin() as session:
            message = session.get_one(Message, parcel.message_id)
            outbox.mark_delivered(message, parcel.revision, sent.platform_id, self.house.clock())
            if message.place.thread.startswith(NO_THREAD_YET) and sent.address.thread:
                message.place.thread = sent.address.thread  # the first post of a ticket opened its thread
                message.place.route = dict(sent.address.route)

    def _postpone(self, parcel: Parcel, after: float | None, *, unclear: bool) -> None:
        with self.house.sessions.begin() as session:
            message = session.get_one(Message, parcel.message_id)
            outbox.postpone(message, self.house.clock(), after, unclear=unclear)

    def _give_up(self, parcel: Parcel, why: str) -> None:
        """Never to be tried again: the agent is told to use another way (behaviour rule 16)."""
        logger.warning("message %s cannot be delivered on %s", parcel.message_id, parcel.address.platform)
        with self.house.sessions.begin() as session:
            lock_conversation(session, parcel.conversation_id)
            message = session.get_one(Message, parcel.message_id)
            known = message.place.unreachable_at is not None
            outbox.mark_undeliverable(message, why, self.house.clock())
            if message.place.side == Side.REQUESTER and not known:
                self._tell_agents(session, message)

    def _tell_agents(self, session: Session, message: Message) -> None:
        """The agents of the case, or of a ticket opened for it; a case that is closed without one is over."""
        case = RequesterCase(self.house, session, message.conversation)
        if message.conversation.ticket is None:
            if message.conversation.state == ConversationState.CLOSED:
                return
            question = message.conversation.memory.get("question", "")
            message.conversation.memory = {"question": question, "reason": Reason.ERROR}
            case.open_ticket()
        case.tell_handoff("agent_undeliverable", requester=message.conversation.requester.name)


def address_of(place: Place) -> Address:
    """Where a place is; a thread that no post has opened yet has no name."""
    thread = None if not place.thread or place.thread.startswith(NO_THREAD_YET) else place.thread
    return Address(place.platform, place.channel, thread, dict(place.route))


def files_of(message: Message | None) -> tuple[File, ...]:
    """The files that came with a message, as they are passed on."""
    return tuple(
        File(attachment.name, attachment.media_type, attachment.content, attachment.refused)
        for attachment in (message.attachments if message is not None else ())
    )
