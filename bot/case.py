"""What Lotse says and does in one requester's case, inside one transaction."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot import replies
from bot.channels.port import Button, Reply
from bot.decision import AddToTicket, Answer, AskBack, Cancel, Feedback, HandOver, ShowTickets, SmallTalk
from bot.house import House
from bot.thinking import Thought, propose
from bot.wording import has_no_answer, summary_of, tells_since, type_of
from handoff import desk
from handoff.desk import Proposal
from handoff.inbox import place_at
from handoff.models import Conversation, ConversationState, Kind, Message, Place, Reason, Side, Ticket, TicketType
from handoff.outbox import post
from handoff.timers import TimerKind, clear_timer, set_timer
from kb_index.port import Hit
from kb_index.questions import note_unanswered

MOST_TRIED = 2  # articles shown in one case before a person comes
BARE_WISH = 6  # words: "please open a ticket for me" says nothing about the problem
BARE_CANCEL = 4
UNANSWERED = {Reason.UNKNOWN, Reason.URGENT}


class RequesterCase:
    """One conversation and the transaction that changes it. Every public method ends in exactly one outcome."""

    def __init__(self, house: House, session: Session, conversation: Conversation) -> None:
        self.house = house
        self.session = session
        self.conversation = conversation
        self.now: datetime = house.clock()
        self.texts = house.texts_for(conversation)

    # --- saying ---------------------------------------------------------------------------------------------------
    def post(self, kind: Kind, reply: Reply, evidence: dict[str, Any] | None = None) -> Message:
        """Put a reply into the outbox; what only the bot says is dropped once a person has the case."""
        return post(
            self.session,
            self.conversation,
            self.conversation.place,
            kind,
            reply.text,
            self.now,
            reply=replies.to_json(reply),
            evidence=evidence,
            bot_only=kind in {Kind.ANSWER, Kind.ASK_BACK, Kind.SAY},
        )

    def say(self, key: str, *buttons: Button, **values: object) -> str:
        """Say one sentence; the outcome is its key."""
        self.post(Kind.SAY, replies.say(self.texts, key, *buttons, **values))
        return key

    def tell_handoff(self, key: str, **values: object) -> None:
        """Tell the agents of the case's ticket what happened."""
        ticket = self.conversation.ticket
        text = self.house.handoff_texts()(key, **values)
        for place in desk.handoff_places(ticket) if ticket else []:
            post(self.session, self.conversation, place, Kind.NOTICE, text, self.now)

    def remember(self, **values: object) -> None:
        """Keep something for the next message of the case."""
        self.conversation.memory = {**self.conversation.memory, **values}

    def expect(self, what: str | None, message: Message | None = None) -> None:
        """Wait for an answer to the buttons below this message; older buttons are settled."""
        self.conversation.expects = what
        self.remember(on=message.id if message else None)
        clear_timer(self.session, self.conversation, TimerKind.FACTS, TimerKind.IDLE)
        answering = self.house.settings.answering
        if what == "fact":
            set_timer(
                self.session, self.conversation, TimerKind.FACTS, self.now + timedelta(seconds=answering.facts_timeout)
            )
        elif what in {"feedback", "choice"}:
            idle = timedelta(hours=answering.feedback_hours)
            set_timer(self.session, self.conversation, TimerKind.IDLE, self.now + idle)

    # --- decisions ------------------------------------------------------------------------------------------------
    def perform(self, thought: Thought) -> str:
        """Do what was decided; the outcome's name."""
        match thought.decision:
            case Answer(hit):
                return self.answer(hit, thought)
            case AskBack(hits):
                return self.ask_back(hits, thought)
            case HandOver(reason, _, may_ask):
                return self.hand_over(thought, reason, may_ask=may_ask)
            case SmallTalk(key):
                return self.small_talk(key, thought)
            case ShowTickets():
                return self.show_tickets()
            case AddToTicket():
                return self.add_to_newest_ticket(thought)
            case Feedback(helped):
                return self.helped() if helped else self.not_helped(thought)
            case Cancel():
                return self.cancel()

    def answer(self, hit: Hit, thought: Thought) -> str:
        message = self.post(Kind.ANSWER, replies.answer(self.texts, hit), thought.evidence)
        tried = {*self.conversation.memory.get("tried", ()), hit.article_id}
        self.remember(question=thought.question, tried=sorted(tried))
        self.expect("feedback", message)
        return "answered"

    def ask_back(self, hits: Sequence[Hit], thought: Thought) -> str:
        message = self.post(Kind.ASK_BACK, replies.ask_back(self.texts, hits), thought.evidence)
        offered = [{"article_id": hit.article_id, "title": hit.title} for hit in hits]
        self.remember(question=thought.question, offered=offered)
        self.expect("choice", message)
        return "asked_back"

    def small_talk(self, key: str, thought: Thought) -> str:
        if key != "out_of_scope":
            return self.say(key)
        buttons = (Button("ticket", self.texts("button_ticket")), replies.person_button(self.texts))
        message = self.post(Kind.SAY, replies.say(self.texts, key, *buttons), thought.evidence)
        self.remember(question=thought.question, pointed_away=True)
        self.expect("choice", message)
        return key

    def show_tickets(self) -> str:
        tickets = [ticket for ticket in desk.tickets_of(self.session, self.conversation.requester) if ticket.is_open]
        self.post(Kind.SAY, replies.ticket_list(self.texts, tickets, self.house.moment()))
        return "status"

    def add_to_newest_ticket(self, thought: Thought) -> str:
        """Bring what was written to the agents of the requester's newest open ticket."""
        wanted = [desk.ticket_by_number(self.session, n) for n in thought.understanding.values("ticket_number")]
        own = desk.tickets_of(self.session, self.conversation.requester)
        candidates = [ticket for ticket in wanted if ticket in own] or own
        ticket = next((ticket for ticket in candidates if ticket is not None and ticket.is_open), None)
        if ticket is None:
            return self.hand_over(thought, Reason.ASKED_FOR_PERSON, may_ask=True)
        for place in desk.handoff_places(ticket):
            post(self.session, ticket.conversation, place, Kind.NOTICE, thought.situation.text, self.now)
        desk.note_requester_wrote(self.session, ticket, self.now)
        return self.say("added", number=ticket.number)

    def helped(self) -> str:
        """The requester confirms: the case ends, and a ticket handed back to the bot with it."""
        self.say("helped")
        self.close("confirmed")
        return "confirmed"

    def close(self, outcome: str) -> None:
        ticket = self.conversation.ticket
        if ticket is not None and ticket.is_open:
            desk.resolve(self.session, ticket, "", "", self.now, self.now, None)
            self.tell_handoff("agent_confirmed", number=ticket.number, requester=ticket.requester.name)
        desk.close(self.session, self.conversation, outcome, self.now)

    def not_helped(self, thought: Thought) -> str:
        """The next sure article, once; then a person."""
        tried = self.conversation.memory.get("tried", ())
        if isinstance(thought.decision, Answer) and len(tried) < MOST_TRIED:
            return self.answer(thought.decision.hit, thought)
        return self.hand_over(thought, Reason.UNKNOWN, may_ask=True)

    def none_of_these(self, thought: Thought) -> str:
        """None of the offered articles is right."""
        return self.hand_over(thought, Reason.UNKNOWN, may_ask=True)

    def offered_in(self, text: str) -> str | None:
        """The offered article that a text names, by its number in the list or its title; its id."""
        offered = self.conversation.memory.get("offered", [])
        plain = text.strip().strip(".").lower()
        if plain.isdecimal() and 1 <= int(plain) <= len(offered):
            return str(offered[int(plain) - 1]["article_id"])
        return next((str(one["article_id"]) for one in offered if one["title"].lower() == plain), None)

    def choose(self, thought: Thought, article_id: str) -> str:
        """The requester chose an offered article; one withdrawn in the meantime is not shown."""
        offered = {str(one["article_id"]) for one in self.conversation.memory.get("offered", [])}
        hit = thought.hit_of(int(article_id)) if article_id in offered else None
        return self.answer(hit, thought) if hit is not None else self.none_of_these(thought)

    def cancel(self) -> str:
        """Stop what is open: a ticket only after a question, everything else at once."""
        ticket = self.conversation.ticket
        if ticket is not None and ticket.is_open:
            message = self.post(Kind.NOTICE, replies.cancel_ticket(self.texts, ticket))
            self.expect("cancel", message)
            return "asked_to_cancel"
        if self.conversation.expects is None:
            return self.say("nothing_to_cancel")
        self.say("cancelled")
        self.close("cancelled")
        return "cancelled"

    # --- bringing a person ----------------------------------------------------------------------------------------
    def hand_over(self, thought: Thought, reason: Reason, *, may_ask: bool = False) -> str:
        """Ask for at most two facts an agent needs, then open the ticket; at once where asking would only delay."""
        if reason == Reason.OUTAGE and self.tell_known_outages(thought):
            return "known_outage"
        asks = may_ask and self.house.settings.answering.ask_facts and self.conversation.ticket is None
        self.remember(
            question=thought.question,
            reason=reason,
            proposal=asdict(propose(self.house, thought, reason)),
            evidence=thought.evidence,
            missing=missing_facts(thought, reason) if asks else [],
        )
        return self.ask_next_fact()

    def tell_known_outages(self, thought: Thought) -> bool:
        """Whether there were announced outages to tell; the requester can still open a ticket."""
        outages = desk.known_outages(self.session)[:3]
        if not outages:
            return False
        lines = "\n\n".join(replies.known_outage(self.texts, outage).text for outage in outages)
        message = self.post(Kind.SAY, Reply(lines, (Button("ticket", self.texts("button_ticket")),)), thought.evidence)
        self.remember(question=thought.question)
        self.expect("choice", message)
        return True

    def ask_next_fact(self) -> str:
        missing = self.conversation.memory.get("missing", [])
        if not missing:
            return self.open_ticket()
        message = self.post(
            Kind.SAY, replies.ask_fact(self.texts, missing[0]), self.conversation.memory.get("evidence")
        )
        self.expect("fact", message)
        return "asked_fact"

    def take_fact(self, text: str | None, thought: Thought | None = None) -> str:
        """The answer to a question before the ticket, or None when it was skipped; each is asked once."""
        fact, *left = self.conversation.memory.get("missing") or [None]
        self.remember(missing=left)
        if text and not has_no_answer(text):
            told = text if fact == "problem" else f"{self.conversation.memory.get('question', '')}\n{text}"
            self.remember(question=told)
            if fact == "problem" and thought is not None:
                reason = Reason(self.conversation.memory["reason"])
                self.remember(proposal=asdict(propose(self.house, thought, reason)), evidence=thought.evidence)
        return self.ask_next_fact()

    def take_fact_or_more(self, thought: Thought) -> str:
        """A text while a fact is asked: the fact, unless it plainly says something stronger."""
        decision, text = thought.decision, thought.situation.text
        if isinstance(decision, HandOver) and decision.reason not in {Reason.UNKNOWN, Reason.OUTAGE}:
            self.take_over_reason(decision.reason, text)
            return self.open_ticket()
        if isinstance(decision, Cancel) and len(text.split()) <= BARE_CANCEL:
            return self.cancel()
        return self.take_fact(text, thought)

    def take_over_reason(self, reason: Reason, text: str) -> None:
        question = self.conversation.memory.get("question", "")
        self.remember(reason=reason, missing=[], question=f"{question}\n{text}")

    def open_ticket(self) -> str:
        """Ticket, receipt and card in one transaction, from what the case remembers."""
        memory = self.conversation.memory
        reason = Reason(memory.get("reason", Reason.ERROR))
        again = self.conversation.ticket is not None
        proposal = self._proposal(memory)
        due = self.house.first_response_due(proposal.impact + proposal.urgency - 1)
        ticket = desk.open_ticket(self.session, self.conversation, reason, proposal, due, self.now)
        self.post(
            Kind.RECEIPT, replies.receipt(self.texts, ticket, self.house.moment(), again=again), memory.get("evidence")
        )
        if again:
            self.tell_handoff("agent_handed_over_again", number=ticket.number, reason=self._reason_for_agents(reason))
        else:
            self.open_handoff(ticket)
        if reason in UNANSWERED:
            self.note_question(reason, ticket.number)
        self.conversation.memory = {"question": memory.get("question", "")}
        return "ticket"

    def _reason_for_agents(self, reason: Reason) -> str:
        return self.house.handoff_texts()(f"reason_{reason}")

    def _proposal(self, memory: dict[str, Any]) -> Proposal:
        kept = memory.get("proposal")
        if kept is None:
            handoff = self.house.settings.handoff
            return Proposal(summary=summary_of(memory.get("question", "")), queue=handoff.default_queue)
        return Proposal(**{**kept, "type": TicketType(kept["type"])})

    def note_question(self, reason: str, number: str | None) -> None:
        """Tell the knowledge editors what could not be answered."""
        question, language = self.conversation.memory.get("question", ""), self.conversation.language
        if question.strip():
            note_unanswered(
                self.session, question, language or self.texts.language, reason=reason, ticket_number=number
            )

    def open_handoff(self, ticket: Ticket) -> None:
        """The ticket's card and thread on the web desk, and in the hand-off channel of its queue."""
        queue = self.house.settings.handoff.queues[ticket.queue]
        places = [self.handoff_place(ticket, "web", "desk", Side.HANDOFF)]
        if queue.platform != "web":
            places.append(self.handoff_place(ticket, queue.platform, queue.channel, Side.HANDOFF))
        for place in places:
            post(self.session, self.conversation, place, Kind.CARD, "", self.now)

    def handoff_place(self, ticket: Ticket, platform: str, channel: str, side: Side) -> Place:
        """The ticket's thread at a hand-off channel; where the platform names threads, the first post fills it in."""
        thread = ticket.number if platform == "web" else f"new:{ticket.number}"
        place = place_at(self.session, platform, channel, thread, side=side)
        place.ticket_id = ticket.id
        self.session.flush()
        self.session.expire(ticket, ["places"])
        return place

    # --- while a ticket is open -----------------------------------------------------------------------------------
    def add_to_ticket(self, messages: Sequence[Message], thought: Thought | None) -> str:
        """Bring messages to the agents; the bot answers only plain wishes, and only until a person has taken over."""
        ticket = self.require_ticket()
        for message in messages:
            desk.relay(self.session, message, desk.handoff_places(ticket), self.now)
        desk.note_requester_wrote(self.session, ticket, self.now)
        if self.conversation.state == ConversationState.WITH_PERSON or thought is None:
            return "relayed"
        if isinstance(thought.decision, ShowTickets):
            return self.show_tickets()
        if isinstance(thought.decision, Cancel) or (thought.understanding.intent == "helpful"):
            return self.cancel()
        if isinstance(thought.decision, SmallTalk) and thought.decision.key in {"thanks", "goodbye"}:
            return self.say(thought.decision.key)
        return self.say("added", number=ticket.number)

    def require_ticket(self) -> Ticket:
        if self.conversation.ticket is None:
            raise LookupError(f"conversation {self.conversation.id} waits for a person without a ticket")
        return self.conversation.ticket

    def reopen(self, messages: Sequence[Message]) -> str:
        """Still broken: the same ticket goes on, with the agent who had it."""
        ticket = self.require_ticket()
        desk.reopen(self.session, ticket, self.now, None)
        self.post(Kind.NOTICE, replies.reopened(self.texts, ticket))
        self.tell_handoff("agent_reopened", number=ticket.number, requester=ticket.requester.name)
        for message in messages:
            desk.relay(self.session, message, desk.handoff_places(ticket), self.now)
        return "reopened"

    def confirm_resolved(self) -> str:
        ticket = self.require_ticket()
        self.post(Kind.NOTICE, replies.say(self.texts, "confirmed_resolved", number=ticket.number))
        self.tell_handoff("agent_confirmed", number=ticket.number, requester=ticket.requester.name)
        self.close("confirmed")
        return "confirmed"

    def settle_cancel(self, *, yes: bool) -> str:
        """The answer to "shall I close the ticket?"."""
        ticket = self.require_ticket()
        self.expect(None)
        if not yes:
            self.post(Kind.NOTICE, replies.say(self.texts, "ticket_kept", number=ticket.number))
            return "kept"
        if ticket.is_open:
            self.tell_handoff("agent_closed_by_requester", number=ticket.number, requester=ticket.requester.name)
            desk.close(self.session, self.conversation, "cancelled", self.now)
        self.post(Kind.NOTICE, replies.say(self.texts, "ticket_closed", number=ticket.number))
        return "cancelled"

    def can_reopen(self) -> bool:
        """Whether the reopen window is still open."""
        until = self.require_ticket().reopen_until
        return until is not None and self.now <= until

    def repeat_receipt(self) -> str:
        """A person is on the way already: say the number and the time again."""
        self.post(Kind.NOTICE, replies.receipt(self.texts, self.require_ticket(), self.house.moment(), again=True))
        return "receipt_repeated"

    # --- time and failure -----------------------------------------------------------------------------------------
    def let_go(self) -> None:
        """Nobody commented: an answer is assumed to have helped; an open question back goes to the editors."""
        if self.conversation.expects == "choice":
            self.note_question("abandoned", None)
        outcome = "assumed" if self.conversation.expects == "feedback" else "abandoned"
        if self.conversation.ticket is None:
            desk.close(self.session, self.conversation, outcome, self.now)

    def warn_about_first_response(self) -> None:
        """The reaction is overdue: say so where agents look."""
        ticket = self.require_ticket()
        if ticket.is_open and ticket.first_response_at is None:
            due = self.house.moment().date(ticket.first_response_due, self.house.handoff_texts())
            self.tell_handoff("agent_first_response_due", number=ticket.number, due=due)
            desk.note_event(self.session, ticket, "first_response_overdue", self.now, None)

    def fail(self, messages: Sequence[Message], question: str) -> str:
        """Lotse could not handle messages: a visible failure with a ticket; nothing is lost."""
        if self.conversation.ticket is not None:
            for message in messages:
                desk.relay(self.session, message, desk.handoff_places(self.conversation.ticket), self.now)
            return "failed_to_ticket"
        self.conversation.memory = {"question": question, "reason": Reason.ERROR}
        return self.open_ticket()


def missing_facts(thought: Thought, reason: Reason) -> list[str]:
    """At most two facts an agent needs and nobody has told yet."""
    question = thought.question
    if reason == Reason.ASKED_FOR_PERSON and len(question.split()) <= BARE_WISH:
        return ["problem"]
    missing = []
    if not thought.understanding.values("application") + thought.understanding.values("device"):
        missing.append("system")
    if type_of(question) == TicketType.INCIDENT and not tells_since(question):
        missing.append("since")
    return missing
