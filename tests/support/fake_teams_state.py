"""What the fake Teams knows, behind one lock, and how it finds what a request names."""

import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock
from typing import Any
from urllib.parse import quote

from fake_teams_faults import READS, WRITES, Pace
from fake_teams_things import Channel, Message, Person, StoredFile, Team, TeamsError

TOKEN_LIFE = 3599.0  # seconds
CONNECTOR_SCOPE = "https://api.botframework.com/.default"
GRAPH_SCOPE = "https://graph.microsoft.com/.default"


@dataclass
class AccessToken:
    """What the token endpoint gave to the bot."""

    text: str
    scope: str
    expires: float
    revoked: bool = False


class State:
    """All of it. Whoever reads or changes it holds `lock`."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock, self.lock = clock, RLock()
        self._chance = random.Random(5)
        self.pace, self.reading = Pace(clock, WRITES), Pace(clock, READS)
        self.base = ""
        self.tenant, self.app_id = self.new_guid(), self.new_guid()
        self.app_name, self.secret, self.secret_ended = "Lotse", "fake~client~secret", False
        self.tenants = {self.tenant}
        self.people: dict[str, Person] = {}
        self.teams: dict[str, Team] = {}
        self.channels: dict[str, Channel] = {}
        self.chats: dict[str, str] = {}
        self.uninstalled: set[str] = set()
        self.files: dict[str, StoredFile] = {}
        self.tokens: dict[str, AccessToken] = {}
        self.token_life = TOKEN_LIFE
        self.token_clock: Callable[[], float] = time.time
        self._last_id = 0

    # Ids

    def new_guid(self) -> str:
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def new_word(self, length: int) -> str:
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        return "".join(self._chance.choices(letters, k=length))

    def new_thread_id(self, ending: str) -> str:
        return f"19:{self._chance.getrandbits(128):032x}@{ending}"

    def new_message_id(self) -> str:
        """Milliseconds, later than every one before."""
        self._last_id = max(int(self.clock() * 1000), self._last_id + 1)
        return str(self._last_id)

    @property
    def bot_id(self) -> str:
        return f"28:{self.app_id}"

    @property
    def service_url(self) -> str:
        return f"{self.base}emea/"

    # People and places

    def add_person(self, name: str, locale: str, tenant: str | None) -> Person:
        person = Person(self.new_guid(), f"29:1{self.new_word(85)}", name, locale, tenant or self.tenant)
        self.people[person.id] = person
        chat = Channel(f"a:1{self.new_word(97)}", "personal", person.tenant, None, [person.id], installed=False)
        self.channels[chat.id], self.chats[person.id] = chat, chat.id
        return person

    def person(self, name: str) -> Person | None:
        """By either id."""
        if name in self.people:
            return self.people[name]
        return next((one for one in self.people.values() if one.teams_id == name), None)

    def chat_of(self, person: Person) -> Channel:
        return self.channels[self.chats[person.id]]

    def add_team(self, name: str, members: list[str], *, installed: bool, rsc: bool) -> Team:
        """With its General channel."""
        team = Team(self.new_thread_id("thread.tacv2"), self.new_guid(), name, self.tenant, members, installed, rsc)
        self.teams[team.id] = team
        self.channels[team.id] = Channel(team.id, "channel", team.tenant, None, team=team)
        return team

    def named(self, where: Any) -> Channel:
        """A conversation by its id (also with a thread), a Channel, a Team (its General channel) or a person."""
        if isinstance(where, Channel):
            return where
        if isinstance(where, Team):
            return self.channels[where.id]
        name = where if isinstance(where, str) else where.chat
        return self.channels[name.partition(";")[0]]

    def found(self, conversation: str) -> tuple[Channel, str | None]:
        """(conversation, root of the thread) of an id as a bot gives it. Raises 404."""
        name, _, root = conversation.partition(";messageid=")
        channel = self.channels.get(name)
        if channel is None:
            raise TeamsError(404, "ConversationNotFound", "Conversation not found.")
        if root:
            first = channel.messages.get(root)
            if first is None or first.deleted or first.is_reply:
                raise TeamsError(404, "ConversationNotFound", "Conversation not found.")
        return channel, root or None

    def check_access(self, channel: Channel) -> None:
        """Raises 403 where the bot may not write or read."""
        if channel.kind == "personal":
            person = self.people[channel.members[0]]
            if person.blocked:
                raise TeamsError(403, "MessageWritesBlocked", "The conversation is blocked by the user.")
            if not channel.installed:
                raise TeamsError(403, "ForbiddenOperationException", "The bot is not installed for the user.")
        elif not channel.has_bot:
            words = "The bot is not part of the conversation roster."
            raise TeamsError(403, "BotNotInConversationRoster", words)

    def meets(self, person: Person) -> bool:
        """Whether the bot is anywhere where this person is."""
        return any(one.has_bot and person.id in one.people for one in self.channels.values())

    # Messages

    def add_message(self, channel: Channel, author: Person | None, root: str | None) -> Message:
        at = self.clock()
        message = Message(self.new_message_id(), channel.id, author, root=root, at=at)
        channel.messages[message.id] = message
        return message

    def conversation_of(self, message: Message) -> str:
        """The id of the conversation in which a message stands: for channels that of its thread."""
        channel = self.channels[message.channel]
        return f"{channel.id};messageid={message.thread}" if channel.kind == "channel" else channel.id

    def own_message(self, channel: Channel, activity: str) -> Message:
        """A message of the bot that is still there. Raises 404, or 403 for the message of somebody else."""
        message = channel.messages.get(activity)
        if message is None or message.deleted:
            raise TeamsError(404, "ActivityNotFoundInConversation", "The activity was not found.")
        if message.author is not None:
            raise TeamsError(403, "NotEnoughPermissions", "The bot did not write this message.")
        return message

    # Files

    def add_file(self, name: str, content: bytes, media_type: str, *, inline: bool) -> StoredFile:
        file_id = f"0-weu-d1-{self.new_word(32)}" if inline else self.new_guid()
        if inline:
            url = f"{self.service_url}v3/attachments/{file_id}/views/original"
        else:
            url = f"{self.base}sharepoint/download.aspx?UniqueId={file_id}&tempauth={self.new_word(40)}"
        self.files[file_id] = StoredFile(file_id, name, content, media_type, url, inline)
        return self.files[file_id]

    def shared_address(self, file: StoredFile) -> str:
        """Where a person finds a file in the browser; a bot gets nothing there."""
        return f"https://acme.sharepoint.example/sites/help/Shared%20Documents/{quote(file.name)}"

    # Tokens of the bot

    def issue(self, scope: str) -> AccessToken:
        token = AccessToken(f"eyJ-fake.{self.new_word(120)}", scope, self.token_clock() + self.token_life)
        self.tokens[token.text] = token
        return token

    def check_token(self, header: str, scope: str) -> None:
        """Raises 401 without a valid token of this scope."""
        kind, _, text = header.partition(" ")
        token = self.tokens.get(text)
        good = token is not None and token.scope == scope and not token.revoked and self.token_clock() < token.expires
        if kind.lower() != "bearer" or not good:
            raise TeamsError(401, "Unauthorized", "Authorization has been denied for this request.")
