"""How a case speaks, and what it keeps in mind for the next message."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot import replies
from bot.channels.port import Button, Reply
from bot.house import House
from bot.threads import tell_agents
from handoff.models import Conversation, ConversationState, Kind, Message
from handoff.outbox import post
from handoff.timers import TimerKind, clear_timer, set_timer


class Voice:
    """One conversation and the transaction in which something is said in it."""

    def __init__(self, house: House, session: Session, conversation: Conversation) -> None:
        self.house = house
        self.session = session
        self.conversation = conversation
        self.now: datetime = house.clock()
        self.texts = house.texts_for(conversation)

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

    def say_stale(self) -> str:
        """What was pressed is settled; told also while a person has the case, because nothing else answers a press."""
        self.post(Kind.NOTICE, replies.say(self.texts, "button_stale"))
        return "button_stale"

    def tell_handoff(self, key: str, **values: object) -> None:
        """Tell the agents of the case's ticket what happened."""
        tell_agents(self.house, self.session, self.conversation, key, **values)

    def remember(self, **values: object) -> None:
        """Keep something for the next message of the case."""
        self.conversation.memory = {**self.conversation.memory, **values}

    def expect(self, what: str | None, message: Message | None = None) -> None:
        """Wait for an answer to the buttons below this message; older buttons are settled."""
        self.conversation.expects = what
        self.remember(on=message.id if message else None)
        if what != "choice":
            self.remember(offered=[])
        clear_timer(self.session, self.conversation, TimerKind.FACTS, TimerKind.IDLE)
        answering = self.house.settings.answering
        if what == "fact":
            self._ring_after(TimerKind.FACTS, timedelta(seconds=answering.facts_timeout))
        elif what in {"feedback", "choice"}:
            self._ring_after(TimerKind.IDLE, timedelta(hours=answering.feedback_hours))

    def linger(self) -> None:
        """Nothing is asked: the case ends by itself after a while, so that what comes much later is a new one."""
        if self.conversation.state == ConversationState.WITH_BOT and self.conversation.expects is None:
            self._ring_after(TimerKind.IDLE, timedelta(hours=self.house.settings.answering.feedback_hours))

    def _ring_after(self, kind: TimerKind, pause: timedelta) -> None:
        set_timer(self.session, self.conversation, kind, self.now + pause)
