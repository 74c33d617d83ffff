"""People at the fake Teams: what they do changes it and reaches the bot, as from their clients."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fake_teams_activities import (
    at,
    attachments_for,
    changed_activity,
    html_of,
    installation,
    members_changed,
    mentions_in,
    message_activity,
    reaction,
)
from fake_teams_delivery import Delivery
from fake_teams_surfaces import Surfaces
from fake_teams_things import Channel, Message, Person, RefusedByClientError, StoredFile, Team

if TYPE_CHECKING:
    from fake_teams import FakeTeams


@dataclass(frozen=True)
class Upload:
    """A file a person attaches."""

    name: str
    content: bytes
    type: str = "text/plain"


class Actor(Surfaces):
    """One person. What they write is returned as the live message; what came of it stands in `fake.deliveries`."""

    def __init__(self, fake: "FakeTeams", person: Person) -> None:
        super().__init__()
        self.fake, self.state, self.person = fake, fake.state, person
        self.id, self.teams_id, self.name, self.tenant = person.id, person.teams_id, person.name, person.tenant
        self.chat = self.state.chat_of(person).id

    @property
    def room(self) -> Channel:
        """The conversation with the bot."""
        return self.state.channels[self.chat]

    @property
    def at(self) -> str:
        """A mention of this person, for a text."""
        return at(self.name)

    # Writing

    def writes(
        self,
        text: str = "",
        to: Channel | Team | None = None,
        thread: Message | None = None,
        *,
        mention: bool = False,
        files: Sequence[Upload] = (),
        images: Sequence[Upload] = (),
        deliver: bool = True,
    ) -> Message:
        """Write to the bot, or to a channel or group chat. thread: a message of the thread to write in; mention: the
        bot first; `<at>name</at>` in the text mentions whoever has this name. The bot gets it where it hears it."""
        with self.state.lock:
            message = self._written(text, to, thread, mention=mention, files=files, images=images)
            told = self._as_brought(message) if deliver and self._reaches(message) else None
        if told is not None:
            self.fake.deliver(told)
        return message

    def _written(
        self,
        text: str,
        to: Channel | Team | None,
        thread: Message | None,
        *,
        mention: bool,
        files: Sequence[Upload],
        images: Sequence[Upload],
    ) -> Message:
        channel = self._place(to, thread)
        said = f"{at(self.state.app_name)} {text}" if mention else text
        root = thread.thread if thread is not None and channel.kind == "channel" else None
        message = self.state.add_message(channel, self.person, root)
        message.text, message.entities = said, mentions_in(self.state, said)
        stored = [self._stores(one, inline=False) for one in files]
        pictures = [self._stores(one, inline=True) for one in images]
        shown = html_of(said, message.entities) if said else ""
        message.attachments = attachments_for(self.state, channel, shown, stored, pictures)
        return message

    def _place(self, to: Channel | Team | None, thread: Message | None) -> Channel:
        if to is None:
            channel = self.state.channels[thread.channel] if thread is not None else self.room
        else:
            channel = self.state.named(to)
        if channel.kind == "personal":
            if self.person.blocked or self.id in self.state.uninstalled:
                raise RefusedByClientError("the app is blocked or no longer installed")
            channel.installed = True
        if self.id not in channel.people or (thread is not None and thread.channel != channel.id):
            raise RefusedByClientError(f"{self.name} cannot write there")
        return channel

    def _stores(self, file: Upload, *, inline: bool) -> StoredFile:
        return self.state.add_file(file.name, file.content, file.type, inline=inline)

    def _reaches(self, message: Message) -> bool:
        """Whether the bot is told of a message."""
        channel = self.state.channels[message.channel]
        mentioned = any(one["mentioned"]["id"] == self.state.bot_id for one in message.entities)
        return channel.has_bot and (mentioned or channel.hears_all)

    def _as_brought(self, message: Message) -> dict[str, Any]:
        message.activity = message_activity(self.state, message)
        return deepcopy(message.activity)

    def edits(self, message: Message, text: str) -> Delivery | None:
        """Give an own message another wording."""
        with self.state.lock:
            self._own(message)
            message.text, message.entities = text, mentions_in(self.state, text)
            message.edits, message.edited_at = message.edits + 1, self.state.clock()
            others = [one for one in message.attachments if one["contentType"] != "text/html"]
            shown = {"contentType": "text/html", "content": html_of(text, message.entities)}
            message.attachments = [*others, shown]
        return self._changes(message, "editMessage")

    def deletes(self, message: Message) -> Delivery | None:
        """Delete an own message."""
        with self.state.lock:
            self._own(message)
            message.deleted_at = self.state.clock()
        return self._changes(message, "softDeleteMessage")

    def restores(self, message: Message) -> Delivery | None:
        """Undo the deletion of an own message."""
        with self.state.lock:
            if message.author is not self.person or not message.deleted:
                raise RefusedByClientError("not deleted by this person")
            message.deleted_at = None
        return self._changes(message, "undeleteMessage")

    def _own(self, message: Message) -> None:
        if message.author is not self.person or message.deleted:
            raise RefusedByClientError("not a message of this person")

    def _changes(self, message: Message, event: str) -> Delivery | None:
        with self.state.lock:
            if message.activity is None and not self._reaches(message):
                return None
            told = deepcopy(changed_activity(self.state, message, event))
        return self.fake.deliver(told)

    def reacts(self, message: Message, kind: str = "like") -> Delivery | None:
        """Put a reaction on a message; the bot is told of those to its own."""
        message.reactions.setdefault(kind, []).append(self.id)
        return self._reaction(message, kind, added=True)

    def unreacts(self, message: Message, kind: str = "like") -> Delivery | None:
        """Take an own reaction away again."""
        message.reactions[kind].remove(self.id)
        return self._reaction(message, kind, added=False)

    def _reaction(self, message: Message, kind: str, *, added: bool) -> Delivery | None:
        if message.author is not None:
            return None
        with self.state.lock:
            told = reaction(self.state, self.person, message, kind, added=added)
        return self.fake.deliver(told)

    # The app and its places

    def installs(self, to: Team | Channel | None = None) -> list[Delivery]:
        """Add the app: for oneself, or to a team or group chat."""
        with self.state.lock:
            channel = self._where(to)
            self._sets(channel, installed=True)
            if to is None:
                self.state.uninstalled.discard(self.id)
            arrived = members_changed(self.state, self.person, channel, added=[self.state.bot_id])
            told = [arrived, installation(self.state, self.person, channel, "add")]
        return [self.fake.deliver(one) for one in told]

    def uninstalls(self, to: Team | Channel | None = None) -> list[Delivery]:
        """Remove the app: for oneself, or from a team or group chat."""
        with self.state.lock:
            channel = self._where(to)
            self._sets(channel, installed=False)
            told = [installation(self.state, self.person, channel, "remove")]
            if to is None:
                self.state.uninstalled.add(self.id)
            else:
                told.insert(0, members_changed(self.state, self.person, channel, removed=[self.state.bot_id]))
        return [self.fake.deliver(one) for one in told]

    def _where(self, to: Team | Channel | None) -> Channel:
        return self.room if to is None else self.state.named(to)

    def _sets(self, channel: Channel, *, installed: bool) -> None:
        if channel.team is not None:
            channel.team.installed = installed
        channel.installed = installed

    def blocks(self) -> None:
        """Block the bot; it is not told."""
        self.person.blocked = True

    def unblocks(self) -> None:
        self.person.blocked = False

    def joins(self, to: Team | Channel) -> Delivery | None:
        """Become a member of a team or group chat."""
        return self._moves(to, comes=True)

    def leaves(self, to: Team | Channel) -> Delivery | None:
        """Leave a team or group chat."""
        return self._moves(to, comes=False)

    def _moves(self, to: Team | Channel, *, comes: bool) -> Delivery | None:
        with self.state.lock:
            channel = self.state.named(to)
            people = channel.people
            people[:] = [one for one in people if one != self.id] + ([self.id] if comes else [])
            changed = {"added" if comes else "removed": [self.teams_id]}
            told = members_changed(self.state, self.person, channel, **changed) if channel.has_bot else None
        return None if told is None else self.fake.deliver(told)
