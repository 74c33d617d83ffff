"""What people at the fake Teams press, open and fill in: cards, dialogs, the menu of a message."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fake_teams_activities import (
    attachments_for,
    base,
    html_of,
    invoke,
    mentions_in,
    message_activity,
    message_payload,
)
from fake_teams_cards import PressButton, buttons_of, inputs_of
from fake_teams_delivery import Delivery
from fake_teams_state import State
from fake_teams_things import CARD, Channel, Message, Person, RefusedByClientError
from fake_teams_typing import filled_in, pick
from teams_validator import ERROR, InvalidPayload, check_invoke_answer

if TYPE_CHECKING:
    from fake_teams import FakeTeams

CONTEXT = {"theme": "default"}


@dataclass
class Dialog:
    """A dialog a person has before them. about: what belongs to it and is sent along, for a message extension."""

    title: str
    card: dict[str, Any]
    channel: Channel = field(repr=False)
    root: str | None = None
    about: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def fields(self) -> dict[str, Mapping[str, Any]]:
        """The inputs by id."""
        return inputs_of(self.card)

    @property
    def buttons(self) -> list[PressButton]:
        return buttons_of(self.card)


class Surfaces:
    """The part of an Actor that deals with cards and dialogs.

    told: what the bot's answers said to this person alone; failures: answers that failed or that Teams could not use;
    dialog: what is open, if anything.
    """

    fake: "FakeTeams"
    state: State
    person: Person

    def __init__(self) -> None:
        self.told: list[str] = []
        self.failures: list[Delivery] = []
        self.dialog: Dialog | None = None

    def presses(
        self,
        message: Message,
        action: str,
        value: str | None = None,
        *,
        inputs: Mapping[str, Any] | None = None,
        old_client: bool = False,
    ) -> Delivery:
        """Press a button: by data.lotse.action (or title) and value. inputs: what the card's inputs hold;
        old_client: one that knows no Action.Execute and takes the fallback."""
        button, data = self._pressed(message, action, value, inputs or {})
        if button.fetches:
            raise RefusedByClientError(f"{action!r} opens a dialog")
        if (button.data.get("msteams") or {}).get("type") == "imBack":
            return self._says(message, str(button.data["msteams"]["value"]))
        channel = self.state.channels[message.channel]
        if button.kind == "Action.Execute" and not old_client:
            return self._executes(message, channel, button, data)
        if button.kind == "Action.Execute":
            fallback = button.raw["fallback"]
            data = {**(fallback.get("data") or {}), **filled_in(message.card_for(self.person) or {}, inputs or {})}
        with self.state.lock:
            told = base(self.state, "message", self.person, channel, message.thread)
            told |= {"id": self.state.new_message_id(), "value": deepcopy(data), "replyToId": message.id}
            told["channelData"] |= {"source": {"name": "message"}, "legacy": {"replyToId": f"1:{message.id}"}}
        return self.fake.deliver(told)

    def _says(self, message: Message, text: str) -> Delivery:
        """What a button of the type imBack writes, as if the person had typed it."""
        with self.state.lock:
            channel = self.state.channels[message.channel]
            root = message.thread if channel.kind == "channel" else None
            written = self.state.add_message(channel, self.person, root)
            written.text, written.entities = text, mentions_in(self.state, text)
            written.attachments = attachments_for(self.state, channel, html_of(text, written.entities), (), ())
            written.activity = message_activity(self.state, written)
            told = deepcopy(written.activity)
        return self.fake.deliver(told)

    def _executes(self, message: Message, channel: Channel, button: PressButton, data: Mapping[str, Any]) -> Delivery:
        named = {name: button.raw[name] for name in ("id", "title") if name in button.raw}
        action = {"type": "Action.Execute", **named, "verb": button.raw["verb"], "data": dict(data)}
        value = {"action": action, "trigger": "manual"}
        delivery, answer = self._invokes("adaptiveCard/action", channel, message.thread, value, message.id)
        if answer is None:
            return delivery
        with self.state.lock:
            if answer["type"] == CARD:
                message.shown[self.person.id] = answer["value"]
            else:
                self.told.append(answer["value"]["message"] if answer["type"] == ERROR else answer["value"])
        return delivery

    def opens(self, message: Message, action: str, value: str | None = None) -> Dialog | str | None:
        """Press a button that opens a dialog: the dialog, or the words that came instead; None when it failed."""
        button, data = self._pressed(message, action, value, {})
        if not button.fetches:
            raise RefusedByClientError(f"{action!r} opens no dialog")
        channel = self.state.channels[message.channel]
        value_sent = {"data": data, "context": CONTEXT}
        _, answer = self._invokes("task/fetch", channel, message.thread, value_sent, message.id)
        return self._shows(answer, channel, message.thread, {})

    def submits(
        self, dialog: Dialog, values: Mapping[str, Any] | None = None, button: str | None = None
    ) -> Dialog | str | None:
        """Fill in and send an open dialog: the next one, words, or None when it closed (or the answer failed: then it
        is still open). button: which, by action or title. Raises RefusedByClientError as the client checks inputs."""
        if dialog is not self.dialog:
            raise RefusedByClientError("the dialog is not open")
        chosen = pick(dialog.card, button, None) if button else next(iter(dialog.buttons), None)
        if chosen is None:
            raise RefusedByClientError("the dialog has nothing to send")
        typed = filled_in(dialog.card, values or {})
        data = {**deepcopy(dict(chosen.data)), **typed}
        name = "composeExtension/submitAction" if dialog.about else "task/submit"
        value = {**deepcopy(dialog.about), "data": data, "context": CONTEXT}
        delivery, answer = self._invokes(name, dialog.channel, dialog.root, value, None)
        if delivery in self.failures:
            return None
        return self._shows(answer, dialog.channel, dialog.root, dialog.about)

    def closes(self) -> None:
        """Close what is open; the bot hears nothing of it."""
        self.dialog = None

    def opens_ticket_on(self, message: Message, command: str = "openTicket") -> Dialog | str | None:
        """Choose the app in the menu of a message: the dialog, or the words that came instead; None when it failed."""
        channel = self.state.channels[message.channel]
        with self.state.lock:
            payload = message_payload(self.state, message)
        about = {"commandId": command, "commandContext": "message", "messagePayload": payload}
        root = message.thread if channel.kind == "channel" else None
        value = {**deepcopy(about), "context": CONTEXT}
        _, answer = self._invokes("composeExtension/fetchTask", channel, root, value, None)
        return self._shows(answer, channel, root, about)

    def _pressed(
        self, message: Message, action: str, value: str | None, inputs: Mapping[str, Any]
    ) -> tuple[PressButton, dict[str, Any]]:
        """(button, data that is sent)."""
        with self.state.lock:
            if message.deleted or self.person.id not in self.state.channels[message.channel].people:
                raise RefusedByClientError("this person does not see the message")
            card = message.card_for(self.person)
            button = pick(card, action, value)
            typed = {} if button.fetches else filled_in(card or {}, inputs)
            return button, {**deepcopy(dict(button.data)), **typed}

    def _invokes(
        self, name: str, channel: Channel, root: str | None, value: Mapping[str, Any], reply_to: str | None
    ) -> tuple[Delivery, Any]:
        """(delivery, answer); the answer is None when it is empty, failed, or is none that Teams can use."""
        with self.state.lock:
            told = invoke(self.state, name, self.person, channel, root, value)
            told |= {"replyToId": reply_to} if reply_to else {}
        delivery = self.fake.deliver(told)
        try:
            answer = delivery.json if delivery.ok else None
            if delivery.ok:
                check_invoke_answer(name, delivery.status, answer)
        except ValueError:
            self._useless(name, InvalidPayload("BadAnswer", "", "not JSON"), delivery)
        except InvalidPayload as wrong:
            self._useless(name, wrong, delivery)
        else:
            self.failures += [] if delivery.ok else [delivery]
            return delivery, answer
        return delivery, None

    def _useless(self, name: str, wrong: InvalidPayload, delivery: Delivery) -> None:
        with self.state.lock:
            self.fake.violations.append((f"answer to {name}", wrong, delivery.body))
            self.failures.append(delivery)

    def _shows(self, answer: Any, channel: Channel, root: str | None, about: dict[str, Any]) -> Dialog | str | None:
        self.dialog = None
        task = (answer or {}).get("task")
        if task is None:
            return None
        if task["type"] == "message":
            self.told.append(task["value"])
            return str(task["value"])
        shown = task["value"]
        self.dialog = Dialog(shown["title"], shown["card"]["content"], channel, root, about)
        return self.dialog
