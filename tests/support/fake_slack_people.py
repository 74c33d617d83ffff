"""People at the fake Slack: what they do changes it and reaches the app, as from their clients."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from fake_slack_chat import remove
from fake_slack_delivery import Delivery
from fake_slack_things import EVENT_TYPES, Channel, Message, User, View
from fake_slack_typing import RefusedByClientError, filled_in, pick, state_of, typed

if TYPE_CHECKING:
    from fake_slack import FakeSlack


@dataclass(frozen=True)
class Upload:
    """A file a person attaches. size: what Slack says it has; access: `visible`, `check_file_info`, `access_denied`."""

    name: str
    content: bytes
    mimetype: str = "text/plain"
    access: str = "visible"
    size: int | None = None


class Actor:
    """One person. What they write is returned as the live message; what came of it stands in `fake.deliveries`."""

    def __init__(self, fake: "FakeSlack", user: User) -> None:
        self.fake, self.state, self.user = fake, fake.state, user
        self.id, self.team = user.id, user.team

    def dm(
        self, text: str, thread: Message | str | None = None, files: Sequence[Upload] = (), *, deliver: bool = True
    ) -> Message:
        """Write to the app."""
        return self.posts(self.im, text, thread, files, deliver=deliver)

    @property
    def im(self) -> Channel:
        """The direct conversation with the app."""
        with self.state.lock:
            return self.state.open_im(self.state.bot_of(self.team).user_id, self.id, self.team)

    def posts(
        self,
        channel: Channel | str,
        text: str,
        thread: Message | str | None = None,
        files: Sequence[Upload] = (),
        *,
        deliver: bool = True,
    ) -> Message:
        """Write in a channel they are in."""
        message = self._writes(channel, text, thread, files)
        if deliver:
            self._tells(self._message_event(message))
        return message

    def mentions(
        self,
        channel: Channel | str,
        text: str,
        thread: Message | str | None = None,
        files: Sequence[Upload] = (),
        *,
        first: Literal["message", "app_mention"] = "message",
    ) -> Message:
        """Write `@Lotse text`: the app gets the message and the mention, in this order."""
        bot = self.state.bot_of(self.team).user_id
        message = self._writes(channel, f"<@{bot}> {text}", thread, files)
        as_message = self._message_event(message)
        as_mention = {key: item for key, item in as_message.items() if key not in {"channel_type", "subtype"}}
        as_mention["type"] = "app_mention"
        for event in (as_message, as_mention) if first == "message" else (as_mention, as_message):
            self._tells(event)
        return message

    def _writes(
        self, where: Channel | str, text: str, thread: Message | str | None, files: Sequence[Upload]
    ) -> Message:
        said, blocks = typed(text)
        with self.state.lock:
            channel = self.fake.channel_named(where)
            if self.id not in channel.members or channel.archived:
                raise RefusedByClientError(f"{self.id} cannot write in {channel.name}")
            message = Message(
                self.state.new_ts(),
                channel.id,
                self.team,
                self.id,
                said,
                blocks,
                thread.root if isinstance(thread, Message) else thread,
                subtype="file_share" if files else None,
                client_msg_id=str(uuid4()),
                files=[self._uploads(one, channel) for one in files],
                at=self.state.clock(),
            )
            channel.messages[message.ts] = message
        return message

    def _uploads(self, file: Upload, channel: Channel) -> str:
        size = len(file.content) if file.size is None else file.size
        stored = self.state.add_file(self.team, self.id, file.name, file.content, file.mimetype, size)
        stored.channels.append(channel.id)
        stored.access = file.access
        return stored.id

    def _message_event(self, message: Message) -> dict[str, Any]:
        with self.state.lock:
            told = deepcopy(self.state.message_dict(message))
        return {**told, **self._where(message.channel), "event_ts": message.ts}

    def _where(self, channel: str) -> dict[str, Any]:
        return {"channel": channel, "channel_type": EVENT_TYPES[self.state.channels[channel].kind]}

    def _tells(self, event: dict[str, Any], channel: str | None = None) -> Delivery | None:
        """Deliver an event of a channel, if the app is in it."""
        name = channel or event.get("channel")
        bot = self.state.bot_of(self.team).user_id
        if isinstance(name, str) and bot not in self.state.channels[name].members:
            return None
        return self.fake.deliver(event, team=self.team)

    def edits(self, message: Message, text: str) -> Delivery | None:
        """Give an own message another wording."""
        with self.state.lock:
            before = deepcopy(self.state.message_dict(message))
            message.text, message.blocks = typed(text)
            message.edited = {"user": self.id, "ts": self.state.new_ts()}
            after = deepcopy(self.state.message_dict(message))
        return self._tells(self._changed(message, after, before))

    def deletes(self, message: Message) -> Delivery | None:
        """Delete a message; one with replies becomes a tombstone."""
        with self.state.lock:
            channel = self.state.channels[message.channel]
            before = deepcopy(self.state.message_dict(message))
            remove(channel, message)
            after = deepcopy(self.state.message_dict(message)) if message.ts in channel.messages else None
        if after is not None:
            return self._tells(self._changed(message, after, before))
        gone = {"type": "message", "subtype": "message_deleted", "hidden": True, "deleted_ts": message.ts}
        at = self.state.new_ts()
        return self._tells(
            {**gone, **self._where(message.channel), "previous_message": before, "ts": at, "event_ts": at}
        )

    def _changed(self, message: Message, after: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
        at = self.state.new_ts()
        texts = {"message": after, "previous_message": before, "ts": at, "event_ts": at}
        return {
            "type": "message",
            "subtype": "message_changed",
            "hidden": True,
            **self._where(message.channel),
            **texts,
        }

    def presses(
        self,
        target: Message | View,
        which: str | int = 0,
        value: str | None = None,
        *,
        state: Mapping[str, Any] | None = None,
    ) -> Delivery:
        """Press a button: by index, or by the beginning of its action_id and, if given, its value.

        state: more of state.values, beside what this person chose here before.
        """
        block, button = pick(self._blocks(target), which, value, "button")
        action = {key: button[key] for key in ("action_id", "type", "text", "value", "style") if key in button}
        return self._acts(target, block, action, state)

    def selects(self, target: Message | View, which: str | int, choice: Any) -> Delivery:
        """Choose in a select, radio buttons, checkboxes or an overflow menu: by value, label or id."""
        block, element = pick(self._blocks(target), which, None)
        if element["type"] == "overflow":
            entry = {"selected_option": state_of({**element, "type": "static_select"}, choice)["selected_option"]}
        else:
            entry = state_of(element, choice)
            self._chosen(target).setdefault(block["block_id"], {})[element["action_id"]] = entry
        return self._acts(target, block, {**entry, "type": element["type"], "action_id": element["action_id"]}, None)

    def _blocks(self, target: Message | View) -> list[dict[str, Any]]:
        if isinstance(target, Message):
            if target.deleted or (target.ephemeral_for or self.id) != self.id:
                raise RefusedByClientError("this person does not see the message")
            return target.blocks
        blocks: list[dict[str, Any]] = target.view["blocks"]
        return blocks

    def _chosen(self, target: Message | View) -> dict[str, dict[str, Any]]:
        name = target.ts if isinstance(target, Message) else target.id
        return self.state.selections.setdefault((name, self.id), {})

    def _acts(
        self, target: Message | View, block: dict[str, Any], action: dict[str, Any], more: Mapping[str, Any] | None
    ) -> Delivery:
        with self.state.lock:
            values = {**self._chosen(target), **(more or {})}
            acted = {**action, "block_id": block["block_id"], "action_ts": self.state.new_ts()}
            payload = {**self._interaction("block_actions"), "actions": [acted], "state": {"values": values}}
            payload |= self._of_message(target) if isinstance(target, Message) else self._of_view(target, values)
        return self.fake.interact(payload, team=self.team)

    def _of_message(self, message: Message) -> dict[str, Any]:
        container: dict[str, Any] = {"type": "message", "message_ts": message.ts, "channel_id": message.channel}
        container["is_ephemeral"] = message.ephemeral_for is not None
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        told = {} if message.ephemeral_for else {"message": deepcopy(self.state.message_dict(message))}
        url = self.state.new_response_url(self.id, self.team, message.channel, message)
        return {"container": container, "channel": self._channel(message.channel), **told, "response_url": url}

    def _of_view(self, view: View, values: Mapping[str, Any]) -> dict[str, Any]:
        told = {**deepcopy(self.state.view_dict(view)), "state": {"values": values}}
        return {"container": {"type": "view", "view_id": view.id}, "view": told}

    def _channel(self, channel: str) -> dict[str, str]:
        return {"id": channel, "name": self.state.channels[channel].name}

    def _interaction(self, kind: str) -> dict[str, Any]:
        """What every interaction carries, with a fresh trigger."""
        name = self.user.display_name or self.user.real_name
        person = {"id": self.id, "username": name.lower(), "name": name.lower(), "team_id": self.team}
        team = {"id": self.team, "domain": self.state.workspaces[self.team].domain}
        ids = {"api_app_id": self.state.app_id, "token": self.state.verification_token}
        install = {"enterprise": None, "is_enterprise_install": False}
        trigger = self.state.new_trigger(self.id, self.team)
        return {"type": kind, "user": person, "team": team, **ids, **install, "trigger_id": trigger}

    def reacts(self, message: Message, name: str) -> Delivery | None:
        """Put an emoji on a message."""
        message.reactions.setdefault(name, []).append(self.id)
        return self._tells(self._reaction("reaction_added", message, name), message.channel)

    def unreacts(self, message: Message, name: str) -> Delivery | None:
        """Take an own emoji away again."""
        message.reactions[name].remove(self.id)
        return self._tells(self._reaction("reaction_removed", message, name), message.channel)

    def _reaction(self, kind: str, message: Message, name: str) -> dict[str, Any]:
        item = {"type": "message", "channel": message.channel, "ts": message.ts}
        who = {"user": self.id, "item_user": message.user}
        return {"type": kind, "reaction": name, "item": item, **who, "event_ts": self.state.new_ts()}

    def command(self, command: str, text: str = "", channel: Channel | str | None = None) -> Delivery:
        """Type a slash command, in the direct conversation with the app unless a channel is given."""
        with self.state.lock:
            where = self.fake.channel_named(channel) if channel is not None else self.im
            workspace = self.state.workspaces[self.team]
            form = {
                "token": self.state.verification_token,
                "team_id": self.team,
                "team_domain": workspace.domain,
                "channel_id": where.id,
                "channel_name": where.name,
                "user_id": self.id,
                "user_name": (self.user.display_name or self.user.real_name).lower(),
                "command": command,
                "text": typed(text)[0],
                "api_app_id": self.state.app_id,
                "is_enterprise_install": "false",
                "response_url": self.state.new_response_url(self.id, self.team, where.id, None),
                "trigger_id": self.state.new_trigger(self.id, self.team),
            }
        return self.fake.command(form)

    def message_shortcut(self, callback_id: str, message: Message) -> Delivery:
        """Choose a shortcut in the menu of a message."""
        with self.state.lock:
            payload = {
                **self._interaction("message_action"),
                "callback_id": callback_id,
                "action_ts": self.state.new_ts(),
                "message_ts": message.ts,
                "message": deepcopy(self.state.message_dict(message)),
                "channel": self._channel(message.channel),
                "response_url": self.state.new_response_url(self.id, self.team, message.channel, None),
            }
        return self.fake.interact(payload, team=self.team)

    def global_shortcut(self, callback_id: str) -> Delivery:
        """Choose a shortcut in the search or beside the message field."""
        with self.state.lock:
            payload = {**self._interaction("shortcut"), "callback_id": callback_id, "action_ts": self.state.new_ts()}
        return self.fake.interact(payload, team=self.team)

    @property
    def modal(self) -> View | None:
        """What this person has open on top."""
        with self.state.lock:
            return next((one for one in reversed(self.state.views.values()) if one.user == self.id and one.open), None)

    @property
    def home(self) -> View | None:
        """Their App Home as published."""
        return self.state.homes.get(self.id)

    def submits(self, view: View, values: Mapping[str, Any] | None = None) -> Delivery:
        """Fill in and send a modal; values by action_id or block_id. Raises RefusedByClientError as a client would."""
        with self.state.lock:
            if not view.open or "submit" not in view.view:
                raise RefusedByClientError("the modal is closed or has nothing to send")
            chosen = self._chosen(view)
            state = filled_in(view.view["blocks"], values or {})
            for block, entries in chosen.items():
                state.setdefault(block, {}).update({k: v for k, v in entries.items() if k not in (values or {})})
            told = {**deepcopy(self.state.view_dict(view)), "state": {"values": state}}
            payload = {**self._interaction("view_submission"), "view": told, "response_urls": []}
        return self.fake.interact(payload, team=self.team, view=view)

    def closes(self, view: View) -> Delivery | None:
        """Close a modal; the app is told when it asked for that."""
        with self.state.lock:
            view.open = False
            told = deepcopy(self.state.view_dict(view))
            payload = {**self._interaction("view_closed"), "view": told, "is_cleared": False}
            payload.pop("trigger_id")
        return self.fake.interact(payload, team=self.team) if told["notify_on_close"] else None

    def opens_home(self, tab: Literal["home", "messages"] = "home") -> Delivery | None:
        """Open the app's own page."""
        with self.state.lock:
            event: dict[str, Any] = {"type": "app_home_opened", "user": self.id, "channel": self.im.id, "tab": tab}
            event["event_ts"] = self.state.new_ts()
            if tab == "home" and self.home is not None:
                event["view"] = deepcopy(self.state.view_dict(self.home))
        return self._tells(event)

    def joins(self, channel: Channel | str) -> Delivery | None:
        """Become a member of a channel."""
        return self._moves("member_joined_channel", channel, self.id)

    def leaves(self, channel: Channel | str) -> Delivery | None:
        """Leave a channel."""
        return self._moves("member_left_channel", channel, self.id)

    def invites_app(self, channel: Channel | str) -> Delivery | None:
        """Add the app to a channel; it is told about itself."""
        return self._moves("member_joined_channel", channel, self.state.bot_of(self.team).user_id, inviter=self.id)

    def removes_app(self, channel: Channel | str) -> Delivery | None:
        """Remove the app from a channel; it is told about itself."""
        return self._moves("member_left_channel", channel, self.state.bot_of(self.team).user_id)

    def _moves(self, kind: str, where: Channel | str, user: str, **more: str) -> Delivery | None:
        with self.state.lock:
            channel = self.fake.channel_named(where)
            bot = self.state.bot_of(self.team).user_id
            knows = bot in channel.members or user == bot
            channel.members = [one for one in channel.members if one != user]
            if kind == "member_joined_channel":
                channel.members.append(user)
            letter = "C" if channel.kind == "public" else "G"
            event = {"type": kind, "user": user, "channel": channel.id, "channel_type": letter, "team": self.team}
            event |= {**more, "event_ts": self.state.new_ts()}
        return self.fake.deliver(event, team=self.team) if knows else None

    def archives(self, channel: Channel | str) -> Delivery | None:
        """Archive a channel."""
        with self.state.lock:
            archived = self.fake.channel_named(channel)
            archived.archived = True
            kind = "channel_archive" if archived.kind == "public" else "group_archive"
            event = {"type": kind, "channel": archived.id, "user": self.id, "is_moved": 0}
        return self._tells({**event, "event_ts": self.state.new_ts()})
