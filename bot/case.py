"""What Lotse says and does in one requester's case, inside one transaction."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bot import replies
from bot.asking import summary_of
from bot.channels.port import Button, Reply
from bot.decision import (
    LONGEST_SMALL_TALK,
    AddToTicket,
    Answer,
    AskBack,
    Cancel,
    Feedback,
    HandOver,
    ShowTickets,
    SmallTalk,
    from_knowledge,
)
from bot.facts import missing_facts, names_system
from bot.learning import learn_from_agents, learn_helped, learn_not_helped, names_in, remember_answer
from bot.thinking import Thought, propose
from bot.threads import open_threads
from bot.voice import Voice
from bot.wording import has_no_answer, still_broken, wants_reopened
from handoff import desk
from handoff.desk import Proposal
from handoff.models import ConversationState, Kind, Message, Reason, Ticket, TicketState, TicketType
from kb_index.port import Hit
from kb_index.questions import note_unanswered

BARE_CANCEL = 4
SURELY_STATUS, LONGEST_STATUS = 0.8, 6
STRONGER = {Reason.SENSITIVE, Reason.URGENT, Reason.OUTAGE, Reason.FRUSTRATED}
SAYS_NO_FACT = {"not_helpful", "deny", "thanks", "greet"}
UNANSWERED = {Reason.UNKNOWN, Reason.URGENT}


class RequesterCase(Voice):
    """One requester's case and the transaction that changes it. Every public method ends in exactly one outcome."""

    # --- decisions ------------------------------------------------------------------------------------------------
    def perform(self, thought: Thought, messages: Sequence[Message]) -> str:
        """Do what was decided about these messages; the outcome's name."""
        if thought.situation.did_not_help:
            self.note_not_helped()
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
                return self.add_to_newest_ticket(thought, messages)
            case Feedback(helped):
                return self.helped() if helped else self.not_helped(thought)
            case Cancel():
                return self.cancel()

    def answer(self, hit: Hit, thought: Thought) -> str:
        message = self.post(Kind.ANSWER, replies.answer(self.texts, hit), thought.evidence)
        self.keep(thought, Reason.UNKNOWN)
        memory = self.conversation.memory
        tried = {*memory.get("tried", ()), hit.article_id}
        shown = {**memory.get("shown_for", {}), str(hit.passage_id): memory["searched"]}
        self.remember(tried=sorted(tried), shown_for=shown)
        self.expect("feedback", message)
        remember_answer(message, hit, thought)
        return "answered"

    def ask_back(self, hits: Sequence[Hit], thought: Thought) -> str:
        reply = replies.ask_back(self.texts, hits)
        message = self.post(Kind.ASK_BACK, reply, thought.evidence)
        labels = [button.label for button in reply.buttons if button.action == "choose"]
        self.keep(thought, Reason.UNKNOWN)
        self.remember(
            offered=[
                {"article_id": hit.article_id, "label": label, "title": hit.title}
                for hit, label in zip(hits, labels, strict=True)
            ],
            asked_back=self.conversation.memory.get("asked_back", 0) + 1,
        )
        self.expect("choice", message)
        return "asked_back"

    def keep(self, thought: Thought, reason: Reason) -> None:
        """Remember the question, whether it named a system, and what a ticket about it would be. A new question has
        seen no article and no choices yet."""
        named = names_system(thought) or self.conversation.memory.get("named", False)
        result = thought.situation.result
        self.remember(
            question=thought.question,
            searched=result.question if result else "",
            proposal=asdict(propose(self.house, thought, reason)),
            named=named,
            **({} if thought.continues else {"tried": [], "asked_back": 0}),
        )

    def small_talk(self, key: str, thought: Thought) -> str:
        if key != "out_of_scope":
            return self.say(key)
        buttons = (Button("ticket", self.texts("button_ticket")), replies.person_button(self.texts))
        message = self.post(Kind.SAY, replies.say(self.texts, key, *buttons), thought.evidence)
        self.remember(pointed_away=True, offered=[])
        self.keep(thought, Reason.ASKED_FOR_PERSON)
        self.expect("choice", message)
        return key

    def show_tickets(self) -> str:
        if self.conversation.place.route.get("shared"):
            return self.say("tickets_not_here")
        own = desk.tickets_of(self.session, self.conversation.requester)
        tickets = [ticket for ticket in own if ticket.state != TicketState.CLOSED]
        self.post(Kind.SAY, replies.ticket_list(self.texts, tickets, self.house.moment()))
        return "status"

    def add_to_newest_ticket(self, thought: Thought, messages: Sequence[Message]) -> str:
        """What was written belongs to the ticket it names, or else to the requester's newest open one."""
        wanted = [desk.ticket_by_number(self.session, n) for n in thought.understanding.values("ticket_number")]
        own = desk.tickets_of(self.session, self.conversation.requester)
        candidates = [ticket for ticket in wanted if ticket in own] or own
        ticket = next((ticket for ticket in candidates if ticket is not None and ticket.is_open), None)
        if ticket is None:
            return self.hand_over(thought, Reason.ASKED_FOR_PERSON, may_ask=True)
        for message in messages:
            message.conversation = ticket.conversation
        self.relay(messages, ticket)
        desk.note_requester_wrote(self.session, ticket, self.now)
        return self.say("added", number=ticket.number)

    def helped(self) -> str:
        """The requester confirms: the case ends. A ticket that was handed back to the bot may be about something else:
        whether it is solved, too, is asked."""
        learn_helped(self.session, self.conversation)
        ticket = self.conversation.ticket
        if ticket is not None and ticket.is_open:
            message = self.post(Kind.NOTICE, replies.ask_if_solved(self.texts, ticket))
            self.expect("solved", message)
            return "asked_if_solved"
        self.say("helped")
        self.close("confirmed")
        return "confirmed"

    def close(self, outcome: str) -> None:
        ticket = self.conversation.ticket
        if ticket is not None and ticket.is_open:
            desk.resolve(self.session, ticket, "", "", self.now, self.now, None)
            learn_from_agents(self.house, self.session, ticket, ticket.agent.name if ticket.agent else None)
            self.tell_handoff("agent_confirmed", number=ticket.number, requester=ticket.requester.name)
        desk.close(self.session, self.conversation, outcome, self.now)

    def not_helped(self, thought: Thought) -> str:
        """The next article if it is sure enough, once; else choices, once; then a person."""
        self.note_not_helped()
        match from_knowledge(thought.situation):
            case Answer(hit):
                return self.answer(hit, thought)
            case AskBack(hits):
                return self.ask_back(hits, thought)
            case HandOver(reason, _, may_ask):
                return self.hand_over(thought, reason, may_ask=may_ask)
            case SmallTalk():
                return self.hand_over(thought, Reason.UNKNOWN, may_ask=True)

    def note_not_helped(self) -> None:
        """What was shown for this question is wrong for it, also when it is asked again."""
        learn_not_helped(self.session, self.conversation)
        memory = self.conversation.memory
        searched, shown = memory.get("searched"), memory.get("shown_for", {})
        self.remember(shown_for={passage: "" if words == searched else words for passage, words in shown.items()})

    def none_of_these(self, thought: Thought) -> str:
        """None of the offered articles is right."""
        return self.hand_over(thought, Reason.UNKNOWN, may_ask=True)

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
        self.keep(thought, reason)
        self.remember(
            reason=reason,
            evidence=thought.evidence,
            missing=missing_facts(thought, reason, named=self.conversation.memory["named"]) if asks else [],
            unanswered=reason in UNANSWERED,
        )
        return self.ask_next_fact()

    def tell_known_outages(self, thought: Thought) -> bool:
        """Whether there were announced outages to tell; the requester can still open a ticket."""
        outages = desk.known_outages(self.session)[:3]
        if not outages:
            return False
        lines = "\n\n".join(replies.known_outage(self.texts, outage).text for outage in outages)
        message = self.post(Kind.SAY, Reply(lines, (Button("ticket", self.texts("button_ticket")),)), thought.evidence)
        self.remember(offered=[])
        self.keep(thought, Reason.OUTAGE)
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
        says_nothing = thought is not None and thought.understanding.intent in SAYS_NO_FACT
        if text and not has_no_answer(text) and not (says_nothing and len(text.split()) <= LONGEST_SMALL_TALK):
            told = text if fact == "problem" else f"{self.conversation.memory.get('question', '')}\n{text}"
            self.remember(question=told)
            if fact == "problem" and thought is not None:
                self.keep(thought, Reason(self.conversation.memory["reason"]))
                self.remember(evidence=thought.evidence)
        return self.ask_next_fact()

    def reword(self, old: str, new: str) -> str:
        """What was written was edited or taken back before any ticket: a ticket would tell the new wording, or none."""
        question = self.conversation.memory.get("question", "")
        if old not in question:
            return "recorded"
        reworded = question.replace(old, new).strip()
        if not reworded and self.conversation.expects in {"fact", "choice"}:
            return self.cancel()
        proposal = self.conversation.memory.get("proposal")
        if proposal is not None:
            self.remember(proposal={**proposal, "summary": summary_of(reworded)})
        self.remember(question=reworded, searched="")
        return "recorded"

    def take_fact_or_more(self, thought: Thought) -> str:
        """A text while a fact is asked: the fact, unless it plainly says something stronger, or asks what is known."""
        decision, text = thought.decision, thought.situation.text
        if thought.situation.follow_up and isinstance(decision, Answer | AskBack):
            return self.perform(thought, ())
        if isinstance(decision, HandOver) and decision.reason not in {Reason.UNKNOWN, Reason.OUTAGE}:
            self.take_over_reason(decision.reason, thought)
            return self.open_ticket()
        if isinstance(decision, Cancel) and len(text.split()) <= BARE_CANCEL:
            return self.cancel()
        if thought.understanding.intent == "helpful" and len(text.split()) <= LONGEST_SMALL_TALK:
            return self.helped()
        return self.take_fact(text, thought)

    def take_over_reason(self, reason: Reason, thought: Thought) -> None:
        """A stronger reason came up while facts were asked: more urgent then, or for the team of a sensitive topic."""
        told = {"question": f"{self.conversation.memory.get('question', '')}\n{thought.situation.text}"}
        fresh = asdict(propose(self.house, thought, reason))
        kept = self.conversation.memory.get("proposal") or fresh
        if reason != Reason.SENSITIVE:
            fresh = {**kept, "urgency": min(kept["urgency"], fresh["urgency"])}
        self.remember(**told, reason=reason, missing=[], proposal=fresh, evidence=thought.evidence)

    def open_ticket(self, *, asked_by: str | None = None) -> str:
        """Ticket, receipt and card in one transaction, from what the case remembers. asked_by: who wanted it for the
        requester."""
        memory = self.conversation.memory
        reason = Reason(memory.get("reason", Reason.ERROR))
        again = self.conversation.ticket is not None
        proposal = self._proposal(memory)
        due = self.house.first_response_due(proposal.impact + proposal.urgency - 1)
        not_helped = self._did_not_help()
        ticket = desk.open_ticket(self.session, self.conversation, reason, proposal, due, self.now)
        receipt = replies.receipt(self.texts, ticket, self.house.moment(), again=again, asked_by=asked_by)
        self.post(Kind.RECEIPT, receipt, memory.get("evidence"))
        if reason in UNANSWERED or memory.get("unanswered"):
            self.note_question(reason, ticket.number)
        told = sorted({*memory.get("tried", ()), *memory.get("told", ())})
        kept = {"question": memory.get("question", ""), "taught": memory.get("taught", []), "told": told}
        self.conversation.memory = {**kept, "not_helped": not_helped}
        if again:
            why = replies.reason_for(self.house.handoff_texts(), ticket)
            self.relay(desk.written_to_bot(self.session, ticket), ticket)
            self.tell_handoff("agent_handed_over_again", number=ticket.number, reason=why)
        else:
            open_threads(self.house, self.session, ticket)
        return "ticket"

    def _did_not_help(self) -> bool:
        """Whether the requester said of what was shown last for this question that it did not help."""
        memory = self.conversation.memory
        answered = memory.get("answered") or {}
        return answered.get("helped") is False and answered["article_id"] in memory.get("tried", ())

    def _reason_for_agents(self, reason: Reason) -> str:
        return self.house.handoff_texts()(f"reason_{reason}")

    def _proposal(self, memory: dict[str, Any]) -> Proposal:
        kept = memory.get("proposal")
        if kept is None:
            handoff = self.house.settings.handoff
            return Proposal(summary=summary_of(memory.get("question", "")), queue=handoff.default_queue)
        return Proposal(**{**kept, "type": TicketType(kept["type"])})

    def note_question(self, reason: str, number: str | None) -> None:
        """Tell the knowledge editors what could not be answered: as it was searched, without facts told later."""
        memory, language = self.conversation.memory, self.conversation.language
        question = memory.get("searched") or memory.get("question", "")
        if question.strip():
            names = names_in(self.session, self.conversation)
            note_unanswered(self.session, question, language or self.texts.language, reason, number, names)

    # --- while a ticket is open -----------------------------------------------------------------------------------
    def add_to_ticket(self, messages: Sequence[Message], thought: Thought | None) -> str:
        """Bring messages to the agents; the bot answers only plain wishes, and only until a person has taken over."""
        ticket = self.require_ticket()
        if thought is not None and only_asks_how_it_stands(thought, messages):
            return self.tell_status()
        messages = [message for message in messages if message.text.strip() or message.attachments]
        if not messages:
            return self.tell_who_has_it()  # nothing but "@Lotse"
        self.relay(messages, ticket)
        desk.note_requester_wrote(self.session, ticket, self.now)
        if self.conversation.state == ConversationState.WITH_PERSON:
            if any((message.reply or {}).get("loose") for message in messages):
                # It stands beside the thread: whoever wrote it is told where it went.
                self.post(Kind.NOTICE, replies.say(self.texts, "added", number=ticket.number))
            return "relayed"
        if thought is None:
            return self.say("added", number=ticket.number)
        if isinstance(thought.decision, HandOver) and thought.decision.reason in STRONGER - {ticket.reason}:
            return self.raise_ticket(ticket, thought.decision.reason, thought)
        if isinstance(thought.decision, Cancel) or may_be_solved(thought):
            return self.cancel()
        return self.say_beside(ticket, thought)

    def say_beside(self, ticket: Ticket, thought: Thought) -> str:
        """What was added to a waiting ticket may be a question of its own: what surely answers it is told as well."""
        misread = thought.understanding.intent == "helpful"  # whoever was plainly helped was asked already
        match thought.decision:
            case SmallTalk("thanks" | "goodbye" | "language" as key) if not misread:
                return self.say(key)
            case ShowTickets():
                return self.tell_status()
            case HandOver(Reason.ASKED_FOR_PERSON):
                return self.tell_who_has_it()
            case Answer(hit) if hit.article_id not in self.conversation.memory.get("told", ()):
                self.remember(told=[*self.conversation.memory.get("told", ()), hit.article_id])
                self.post(Kind.ANSWER, replies.answer_beside(self.texts, hit, ticket), thought.evidence)
                return "added"
        return self.say("added", number=ticket.number)

    def tell_status(self) -> str:
        """All their tickets; where others read, only this one."""
        return self.tell_who_has_it() if self.conversation.place.route.get("shared") else self.show_tickets()

    def add_words(self, text: str, name: str) -> str:
        """What was written in a form about a ticket that is open already reaches its agents as a notice."""
        number = self.require_ticket().number
        self.tell_handoff("agent_form_added", number=number, name=name, text=text)
        self.post(Kind.NOTICE, replies.say(self.texts, "added", number=number))
        return "added"

    def raise_ticket(self, ticket: Ticket, reason: Reason, thought: Thought) -> str:
        """Something sensitive, urgent or an outage came up while a ticket waits: it is for others, or sooner."""
        fresh = propose(self.house, thought, reason)
        queue = fresh.queue if reason == Reason.SENSITIVE else ticket.queue
        urgency = min(ticket.urgency, fresh.urgency)
        due = min(ticket.first_response_due, self.house.first_response_due(ticket.impact + urgency - 1))
        key = "agent_raised" if queue == ticket.queue else "agent_raised_to_queue"
        desk.raise_ticket(self.session, ticket, reason, queue, urgency, due, self.now)
        when = self.house.moment().promise(ticket.first_response_due, self.texts)
        texts = self.house.handoff_texts()
        told = {"reason": self._reason_for_agents(reason), "queue": texts.label("queue", queue)}
        self.tell_handoff(key, number=ticket.number, priority=f"P{ticket.priority}", **told)
        open_threads(self.house, self.session, ticket)
        self.post(Kind.RECEIPT, replies.say(self.texts, "raised", number=ticket.number, when=when), thought.evidence)
        return "raised"

    def relay(self, messages: Sequence[Message], ticket: Ticket) -> None:
        """Bring what the requester wrote to those who work on a ticket."""
        for message in messages:
            desk.relay(self.session, message, desk.handoff_places(ticket), self.now)

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
        self.relay(messages, ticket)
        return "reopened"

    def confirm_resolved(self) -> str:
        ticket = self.require_ticket()
        self.post(Kind.NOTICE, replies.say(self.texts, "confirmed_resolved", number=ticket.number))
        if not ticket.is_open:
            self.tell_handoff("agent_confirmed", number=ticket.number, requester=ticket.requester.name)
        self.close("confirmed")
        return "confirmed"

    def settle_cancel(self, *, yes: bool) -> str:
        """The answer to "shall I close the ticket?", or to whether it is solved, too: if not, a person goes on."""
        ticket, is_solved = self.require_ticket(), self.conversation.expects == "solved"
        self.expect(None)
        if is_solved and ticket.is_open:
            if yes:
                return self.confirm_resolved()
            self.remember(reason=Reason.ASKED_FOR_PERSON, question=ticket.summary, missing=[])
            return self.open_ticket()
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

    def closed_ticket(self) -> Ticket | None:
        """The requester's newest ticket, where that is closed."""
        newest = next(iter(desk.tickets_of(self.session, self.conversation.requester, 1)), None)
        return newest if newest is not None and newest.state == TicketState.CLOSED else None

    def open_instead(self, closed: Ticket) -> str:
        """A closed ticket is not opened again: a new one about the same takes its place, and says so."""
        self.say("reopen_window_over", number=closed.number)
        self.remember(question=closed.summary, reason=Reason.ASKED_FOR_PERSON, missing=[])
        outcome = self.open_ticket()
        self.tell_handoff("agent_opened_instead", number=self.require_ticket().number, closed=closed.number)
        return outcome

    def tell_who_has_it(self) -> str:
        """A person is on the way or on it already: say the number, and who or when."""
        self.post(Kind.NOTICE, replies.ticket_list(self.texts, [self.require_ticket()], self.house.moment()))
        return "receipt_repeated"

    # --- time and failure -----------------------------------------------------------------------------------------
    def let_go(self) -> None:
        """Nobody commented: an answer is assumed to have helped; an open question back goes to the editors."""
        if self.conversation.expects == "choice":
            self.note_question("abandoned", None)
        outcome = {"feedback": "assumed", "choice": "abandoned"}.get(self.conversation.expects or "", "ended")
        if self.conversation.ticket is None:
            desk.close(self.session, self.conversation, outcome, self.now)

    def warn_about_first_response(self) -> None:
        """The reaction is overdue: say so where agents look."""
        ticket = self.require_ticket()
        if ticket.is_open and ticket.first_response_at is None:
            due = self.house.moment().at(ticket.first_response_due, self.house.handoff_texts())
            self.tell_handoff("agent_first_response_due", number=ticket.number, due=due)
            desk.note_event(self.session, ticket, "first_response_overdue", self.now, None)

    def fail(self, messages: Sequence[Message], question: str) -> str:
        """Lotse could not go on: a person does, with a ticket that says so."""
        known = self.conversation.memory.get("question", "")
        self.conversation.memory = {"question": question or known, "reason": Reason.ERROR}
        return self.open_ticket()

    def fail_agent(self) -> str:
        """What an agent wrote could not be handled: the agents are told, so that they can write it again."""
        if self.conversation.ticket is not None:
            self.tell_handoff("agent_failed", number=self.conversation.ticket.number)
        return "failed"


def only_asks_how_it_stands(thought: Thought, messages: Sequence[Message]) -> bool:
    """Whether nothing else is said or sent; what might be more is for the agents, too."""
    text, sure = thought.situation.text.strip(" ?!."), thought.understanding.confidence >= SURELY_STATUS
    short = len(text.split()) <= LONGEST_STATUS and not set(text) & set(",.:;\n")
    plain = short and not any(message.attachments for message in messages)
    return isinstance(thought.decision, ShowTickets) and sure and plain


def may_be_solved(thought: Thought) -> bool:
    """Whether the words may say that the problem is gone: then it is asked whether the ticket can be closed."""
    text = thought.situation.text
    unsolved = "?" in text or still_broken(text) or wants_reopened(text)
    return thought.understanding.intent == "helpful" and not unsolved
