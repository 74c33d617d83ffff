"""What agents do in a hand-off thread: write, note, claim, correct, escalate, hand back, resolve."""

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import replies
from bot.case import RequesterCase
from bot.channels.port import Incoming, Press, PressResult, Reply
from bot.house import House
from bot.learning import learn_from_agents, names_in
from bot.notes import note_in, without_reply
from bot.threads import open_third_level, open_threads
from handoff import desk
from handoff.desk import NotPossible
from handoff.models import Kind, Message, Person, Place, Side, Ticket, TicketState
from handoff.outbox import RESULT, is_note, post
from kb_index.questions import note_unanswered


def kind_of(house: House, incoming: Incoming, place: Place) -> tuple[Kind, str]:
    """Whether what an agent wrote is for the requester or a note, and its text without the mark that said so.

    The third level only ever writes notes.
    """
    handoff, text = house.settings.handoff, incoming.text.strip()
    note = note_in(text, handoff.note_prefixes)
    if note is not None:
        return Kind.NOTE, note
    if incoming.is_note or place.side == Side.THIRD_LEVEL:
        return Kind.NOTE, text
    reply = without_reply(text)
    if reply is not None:
        return Kind.TEXT, reply
    goes_out = incoming.is_reply or handoff.reply == "conversation"
    return (Kind.TEXT if goes_out else Kind.NOTE), text


class AgentCase:
    """One ticket, one person who works on it, and the transaction that changes it."""

    def __init__(self, house: House, session: Session, ticket: Ticket, agent: Person) -> None:
        self.house = house
        self.session = session
        self.ticket = ticket
        self.agent = agent
        self.now = house.clock()
        self.case = RequesterCase(house, session, ticket.conversation)

    # --- writing --------------------------------------------------------------------------------------------------
    def take(self, message: Message) -> str:
        """Bring what an agent wrote to where it belongs: a reply to the requester, a note to the other agents only."""
        others = desk.handoff_places(self.ticket, but=message.place)
        self.tell_refused_files(message)
        if message.kind == Kind.DELETION and message.concerns is None:
            return "recorded"  # it has overtaken what it takes back, which then never comes
        if message.kind == Kind.DELETION:
            to = others if is_note(message) else [self.ticket.conversation.place, *others]
            desk.relay(self.session, message, to, self.now)
            desk.note_event(
                self.session, self.ticket, "deleted_message", self.now, self.agent, message=message.concerns_id
            )
            return "recorded"
        if is_note(message):  # a note stays one whatever an edit makes of it
            desk.relay(self.session, message, others, self.now)
            desk.note_event(self.session, self.ticket, "noted", self.now, self.agent)
            return "noted"
        if message.kind == Kind.TEXT and not message.text.strip() and all(one.refused for one in message.attachments):
            return "recorded"  # nothing of it is left to be passed on
        desk.relay(self.session, message, [self.ticket.conversation.place, *others], self.now)
        desk.note_human_spoke(self.session, self.ticket, self.agent, self.now)
        return "relayed"

    def tell_refused_files(self, message: Message) -> None:
        """An agent is told which file could not be passed on, where they sent it."""
        texts, limit = self.house.handoff_texts(), self.house.settings.web.upload_limit_mb
        for file in (one for one in message.attachments if one.refused):
            why = "agent_file_in_channel" if file.refused == "in_channel" else f"file_{file.refused}"
            told = texts("file_not_kept", name=file.name, why=texts(why, limit=limit))
            post(self.session, self.ticket.conversation, message.place, Kind.NOTICE, told, self.now)

    # --- buttons --------------------------------------------------------------------------------------------------
    def press(self, press: Press) -> PressResult:
        """Do what a button says. What is not possible now is told, with the reason, and leaves nothing behind."""
        action = self.actions().get(press.action)
        texts = self.house.texts_of(self.agent)
        if action is None:
            return PressResult(False, texts("not_for_you"))
        try:
            with self.session.begin_nested():
                action(press)
        except NotPossible as refused:
            return PressResult(False, texts(refused.key, **refused.values))
        except ValueError:
            return PressResult(False, texts("wrong_value"))
        return PressResult(True)

    def actions(self) -> dict[str, Callable[[Press], None]]:
        """Every button of a card by its name."""
        return {
            "claim": self.claim,
            "assign": self.assign,
            "state": self.set_state,
            "correct": self.correct,
            "escalate": self.escalate,
            "hand_back": self.hand_back,
            "resolve": self.resolve,
            "reopen": self.reopen,
            "outage": self.outage,
        }

    def claim(self, press: Press) -> None:
        desk.claim(self.session, self.ticket, self.agent, self.now)
        self.tell_requester("claimed", name=self.agent.name)

    def assign(self, press: Press) -> None:
        wanted = select(Person).filter_by(platform=press.person.platform, platform_id=press.fields.get("person", ""))
        person = self.session.scalar(wanted)
        if person is None:
            raise NotPossible("no_such_person")
        before = self.ticket.agent
        desk.assign(self.session, self.ticket, person, self.now, self.agent)
        self.tell_requester("assigned", name=person.name)
        self.tell_assigned(person, before)

    def tell_assigned(self, person: Person, before: Person | None) -> None:
        """The other agents are told who gave it to whom; who takes what nobody had stands on the card."""
        names = {"number": self.ticket.number, "name": person.name}
        if before is not None and before.id == person.id:
            return
        if person.id != self.agent.id:
            self.case.tell_handoff("agent_assigned", by=self.agent.name, **names)
        elif before is not None:
            self.case.tell_handoff("agent_took_over", before=before.name, **names)

    def set_state(self, press: Press) -> None:
        state = TicketState(press.value)
        desk.set_state(self.session, self.ticket, state, self.now, self.agent)
        if state == TicketState.WAITING_FOR_REQUESTER:
            self.tell_requester("waiting_for_requester", name=self.agent.name)

    def correct(self, press: Press) -> None:
        changes = {name: int(value) if name in {"impact", "urgency"} else value for name, value in press.fields.items()}
        handoff = self.house.settings.handoff
        if changes.get("queue", self.ticket.queue) not in {*handoff.queues, self.ticket.queue}:
            raise ValueError("unknown queue")
        if changes.get("category", self.ticket.category) not in {*handoff.categories, self.ticket.category, "other"}:
            raise ValueError("unknown category")
        before = self.ticket.queue
        desk.correct(self.session, self.ticket, changes, self.now, self.agent)
        if self.ticket.queue != before:
            # Told where it was followed until now; where it goes on, card and transcript tell everything.
            queue = self.house.handoff_texts().label("queue", self.ticket.queue)
            self.case.tell_handoff("agent_moved", number=self.ticket.number, name=self.agent.name, queue=queue)
        open_threads(self.house, self.session, self.ticket)

    def escalate(self, press: Press) -> None:
        desk.escalate(self.session, self.ticket, self.now, self.agent)
        open_third_level(self.house, self.session, self.ticket)
        self.case.tell_handoff("agent_escalated", number=self.ticket.number, name=self.agent.name)

    def hand_back(self, press: Press) -> None:
        desk.hand_back(self.session, self.ticket, self.now, self.agent)
        self.case.tell_handoff("agent_handed_back", number=self.ticket.number, name=self.agent.name)
        self.tell_requester("handed_back", name=self.agent.name)

    def resolve(self, press: Press) -> None:
        cause, fix = press.fields.get("cause", ""), press.fields.get("fix", "")
        desk.resolve(self.session, self.ticket, cause, fix, self.house.reopen_until(), self.now, self.agent)
        learn_from_agents(self.house, self.session, self.ticket, self.agent.name)
        conversation = self.ticket.conversation
        message = self.tell_result("resolved", replies.resolved(self.case.texts, self.ticket, self.agent.name))
        self.case.remember(on=message.id)
        self.tell_how_resolved()
        if press.fields.get("propose_article") == "yes":
            language = conversation.language or self.house.settings.language.default
            summary, number, names = self.ticket.summary, self.ticket.number, names_in(self.session, conversation)
            note_unanswered(self.session, summary, language, "proposed", number, names)

    def reopen(self, press: Press) -> None:
        desk.reopen(self.session, self.ticket, self.now, self.agent)
        self.case.tell_handoff("agent_reopened_by", number=self.ticket.number, name=self.agent.name)
        self.tell_result("reopened", replies.reopened_by(self.case.texts, self.ticket, self.agent))

    def outage(self, press: Press) -> None:
        desk.announce_outage(self.session, self.ticket, self.now, self.agent, on=press.value == "on")

    def tell_how_resolved(self) -> None:
        """The other agents are told what it was; the cause never leaves them."""
        texts, ticket = self.house.handoff_texts(), self.ticket
        told = (("agent_cause", ticket.cause), ("agent_fix", ticket.fix))
        details = "".join(f"\n\n{texts(key, text=text)}" for key, text in told if text)
        self.case.tell_handoff("agent_resolved", number=ticket.number, name=self.agent.name, details=details)

    def tell_result(self, result: str, reply: Reply) -> Message:
        """Tell the requester what became of the ticket. Where it cannot be delivered, the agents are told just that."""
        message = self.case.post(Kind.NOTICE, reply)
        message.reply = {**(message.reply or {}), RESULT: result}
        return message

    def tell_requester(self, key: str, **values: object) -> None:
        reply = replies.say(self.case.texts, key, number=self.ticket.number, **values)
        self.case.post(Kind.NOTICE, reply)
