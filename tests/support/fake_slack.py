"""A Slack of our own: state, Web API, events and faults, over real HTTP and a real WebSocket, in this process."""

import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self

import httpx
from fake_http import ServerThread
from fake_slack_chat import answer_beside
from fake_slack_delivery import Delivery, HttpTransport, Postman, SocketTransport
from fake_slack_faults import Faults
from fake_slack_people import Actor, Upload
from fake_slack_server import WebApi
from fake_slack_state import ALL_SCOPES, State
from fake_slack_surfaces import push_on, replace_view
from fake_slack_switches import Switches
from fake_slack_things import (
    EVENT_TYPES,
    Bot,
    Call,
    Channel,
    Kind,
    Message,
    ResponseUrl,
    SlackError,
    StoredFile,
    User,
    View,
    Workspace,
)
from fake_slack_typing import RefusedByClientError
from slack_validator import InvalidPayload, check, check_view

__all__ = ["Actor", "Call", "Channel", "Delivery", "FakeSlack", "Message", "RefusedByClientError", "Upload", "View"]


class FakeSlack(Switches):
    """One Slack with the workspace Acme, where the app is installed as @lotse.

    Use it as a context manager: at the end it raises for every payload Slack would have refused (violations), unless
    the test took them out of the list.
    """

    def __init__(
        self, transport: Literal["http", "socket"] = "http", clock: Callable[[], float] = time.time, retries: int = 3
    ) -> None:
        self.state, self.faults = State(clock), Faults()
        self.api = WebApi(self.state, self.faults)
        self._server = ServerThread(self.api.app(), "fake-slack")
        self.state.base = f"http://127.0.0.1:{self._server.port}/"
        self.url = f"{self.state.base}api/"
        self.http = HttpTransport(self.state)
        self.postman = Postman(self.http if transport == "http" else SocketTransport(self.api.links))
        self.postman.retries = retries
        self.team = self.add_team("Acme", "acme")
        self.state.install(self.team.id)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()
        self._server.stop()
        if error is None:
            assert not self.violations, "\n".join(f"{method}: {wrong}" for method, wrong, _ in self.violations)

    # Workspaces, people, channels

    @property
    def bot(self) -> Bot:
        """The app in the first workspace."""
        return self.state.bot_of(self.team.id)

    @property
    def token(self) -> str:
        return self.bot.token

    @property
    def app_token(self) -> str:
        return self.state.app_token

    @property
    def signing_secret(self) -> str:
        return self.state.signing_secret

    @property
    def client_id(self) -> str:
        return self.state.client_id

    @property
    def client_secret(self) -> str:
        return self.state.client_secret

    def add_team(self, name: str, domain: str) -> Workspace:
        """A workspace without the app."""
        with self.state.lock:
            team = Workspace(self.state.new_id("T"), name, domain, self.state.base)
            self.state.workspaces[team.id] = team
            return team

    def install(self, team: Workspace | None = None, scopes: set[str] | frozenset[str] = ALL_SCOPES) -> Bot:
        """Install the app (again) with these scopes; the token is new, the old one no longer valid."""
        with self.state.lock:
            return self.state.install((team or self.team).id, scopes)

    def authorize(self, team: Workspace) -> str:
        """Somebody allows the app in this workspace: the code that comes back to the redirect URL."""
        with self.state.lock:
            code = self.state.new_id("code")
            self.state.codes[code] = team.id
            return code

    def user(self, real_name: str = "Erika Muster", *, team: Workspace | None = None, **more: Any) -> Actor:
        """A person; more: fields of User, as locale="en-US"."""
        with self.state.lock:
            home = team or self.team
            user = User(self.state.new_id("U"), home.id, real_name, **more)
            self.state.users[user.id] = user
            return Actor(self, user)

    def channel(
        self, name: str, *members: Actor, kind: Kind = "public", app: bool = True, team: Workspace | None = None
    ) -> Channel:
        """A channel with these members; app: and the app in it."""
        with self.state.lock:
            home = (team or self.team).id
            people = [one.id for one in members] + ([self.state.bot_of(home).user_id] if app else [])
            made = Channel(self.state.new_id("C"), home, name, kind, people)
            self.state.channels[made.id] = made
            return made

    def channel_named(self, channel: Channel | str) -> Channel:
        """By id or `#name`."""
        if isinstance(channel, Channel):
            return channel
        if channel in self.state.channels:
            return self.state.channels[channel]
        return next(one for one in self.state.channels.values() if one.name == channel.removeprefix("#"))

    # What there is to see

    @property
    def calls(self) -> list[Call]:
        """Every call of the Web API and every post to a response_url (its method is `response_url`)."""
        return self.api.calls

    def called(self, method: str) -> list[Call]:
        with self.state.lock:
            return [one for one in self.api.calls if one.method == method]

    @property
    def violations(self) -> list[tuple[str, InvalidPayload, dict[str, Any]]]:
        """(method, what is wrong, arguments) of every payload Slack or the house refuses."""
        return self.api.violations

    def posts(self, channel: Channel | str, thread: Message | str | None = None) -> list[Message]:
        """All messages of a channel, or of one thread with its root, oldest first, as people see them."""
        with self.state.lock:
            found = sorted(self.channel_named(channel).messages.values(), key=lambda one: one.ts)
            root = thread.root if isinstance(thread, Message) else thread
            return [one for one in found if root in (None, one.root)]

    def said(self, channel: Channel | str, thread: Message | str | None = None) -> list[Message]:
        """As posts, only what the app posted."""
        return [one for one in self.posts(channel, thread) if one.bot_id]

    def seen_by(self, person: Actor) -> list[Message]:
        """What others tell this person, oldest first: in direct conversations, channels they are in, ephemerally."""
        with self.state.lock:
            rooms = [one for one in self.state.channels.values() if person.id in one.members]
            found = [message for room in rooms for message in room.messages.values() if message.user != person.id]
            found += [one for one in self.state.ephemerals if one.ephemeral_for == person.id]
            return sorted(found, key=lambda one: one.ts)

    def ephemerals(self, person: Actor) -> list[Message]:
        with self.state.lock:
            return [one for one in self.state.ephemerals if one.ephemeral_for == person.id]

    @property
    def files(self) -> dict[str, StoredFile]:
        return self.state.files

    @property
    def response_urls(self) -> dict[str, ResponseUrl]:
        return self.state.response_urls

    def status(self, channel: Channel | str, thread: Message | str) -> str | None:
        """The assistant's status in a thread."""
        root = thread.root if isinstance(thread, Message) else thread
        return self.state.statuses.get((self.channel_named(channel).id, root))

    def prompts(self, channel: Channel | str, thread: Message | str | None = None) -> dict[str, Any] | None:
        """The last suggested prompts, as they were sent."""
        root = thread.root if isinstance(thread, Message) else thread
        return self.state.prompts.get((self.channel_named(channel).id, root))

    def shortest_gap(self, channel: Channel | str) -> float:
        """Seconds between the two accepted posts of the app that lie closest; infinite with fewer than two."""
        return self.state.pace.shortest_gap(self.channel_named(channel).id)

    # To the app

    @property
    def request_url(self) -> str:
        """Where the app takes events, interactions and commands."""
        return self.http.request_url

    @request_url.setter
    def request_url(self, url: str) -> None:
        self.http.request_url = url

    @property
    def deliveries(self) -> list[Delivery]:
        return self.postman.log

    @property
    def lose_acks(self) -> int:
        """How many of the next acknowledgements of events get lost."""
        return self.postman.lose_acks

    @lose_acks.setter
    def lose_acks(self, n: int) -> None:
        self.postman.lose_acks = n

    def deliver(
        self,
        event: Mapping[str, Any],
        *,
        team: Workspace | str | None = None,
        event_id: str | None = None,
        retry: int = 0,
    ) -> Delivery:
        """Deliver an event, with repeats until it is acknowledged. retry: the repeat number of the first attempt."""
        return self.postman.deliver("events_api", self.envelope(event, team=team, event_id=event_id), retry)

    def envelope(
        self, event: Mapping[str, Any], *, team: Workspace | str | None = None, event_id: str | None = None
    ) -> dict[str, Any]:
        """An event as Slack wraps it."""
        with self.state.lock:
            home = team.id if isinstance(team, Workspace) else team or self.team.id
            bot = self.state.bot_of(home)
            granted = {"enterprise_id": None, "team_id": home, "user_id": bot.user_id, "is_bot": True}
            return {
                "token": self.state.verification_token,
                "team_id": home,
                "context_team_id": home,
                "context_enterprise_id": None,
                "api_app_id": self.state.app_id,
                "event": dict(event),
                "type": "event_callback",
                "event_id": event_id or self.state.new_id("Ev"),
                "event_time": int(self.state.clock()),
                "authorizations": [{**granted, "is_enterprise_install": False}],
                "is_ext_shared_channel": False,
                "event_context": f"4-{self.state.new_id('ctx')}",
            }

    def echo(self, message: Message) -> Delivery:
        """Deliver the message event of what the app itself posted, as Slack does to who subscribed to messages."""
        with self.state.lock:
            kind = EVENT_TYPES[self.state.channels[message.channel].kind]
            told = self.state.message_dict(message)
        where = {"channel": message.channel, "channel_type": kind, "event_ts": message.ts}
        return self.deliver({**told, **where}, team=message.team)

    def interact(self, payload: Mapping[str, Any], *, team: str, view: View | None = None) -> Delivery:
        """Deliver an interaction. view: the modal that was sent; what the app answers happens to it."""
        delivery = self.postman.deliver("interactive", payload)
        if view is not None and delivery.ok:
            with self.state.lock:
                self._after_submission(view, delivery.json or {}, team)
        return delivery

    def command(self, form: Mapping[str, str]) -> Delivery:
        """Deliver a slash command; what the app answers at once is shown to the person."""
        delivery = self.postman.deliver("slash_commands", form)
        if delivery.ok and delivery.body:
            with self.state.lock:
                self._answered(self.state.response_urls[form["response_url"]], delivery.body)
        return delivery

    def _answered(self, target: ResponseUrl, body: str) -> None:
        args = _read(body)
        try:
            check("response_url", args, allow_mentions=self.allow_mentions)
        except InvalidPayload as wrong:
            self.violations.append(("command answer", wrong, args))
            return
        answer_beside(self.state, target, args)

    def _after_submission(self, view: View, answer: dict[str, Any], team: str) -> None:
        """What response_action says; without one this modal closes."""
        action = answer.get("response_action")
        try:
            if action in ("update", "push"):
                check_view(answer["view"])
            if action == "errors":
                _check_errors(view, answer.get("errors", {}))
        except InvalidPayload as wrong:
            self.violations.append(("response_action", wrong, answer))
            return
        if action == "update":
            replace_view(self.state, view, answer["view"])
        elif action == "push":
            push_on(self.state, team, view.user, answer["view"])
        elif action == "clear":
            self._close_all(view.user)
        elif action is None:
            view.open = False

    def _close_all(self, user: str) -> None:
        for one in self.state.views.values():
            one.open = one.open and one.user != user

    def sign(self, body: str | bytes, timestamp: float | str | None = None) -> dict[str, str]:
        """The headers with which Slack signs this body (now, unless a timestamp in seconds is given)."""
        return self.http.sign(body, timestamp)

    def post_raw(self, path: str, body: str | bytes, headers: Mapping[str, str]) -> httpx.Response:
        """Post exactly this to the app; an empty path is the request URL."""
        return self.http.post_raw(path, body, headers)

    # Socket Mode

    @property
    def links(self) -> int:
        """How many links the app has open."""
        return len(self.api.links.links)

    @property
    def links_opened(self) -> int:
        """How many links were opened so far."""
        return self.api.links.opened

    def wait_for_link(self, seconds: float = 5.0) -> bool:
        """Whether the app has a link, at the latest after these seconds."""
        return self.api.links.wait_for_link(seconds)

    def disconnect(self, reason: str = "refresh_requested") -> None:
        """Send `disconnect` over every link; the app is expected to take a new one and to end the old."""
        self.api.links.disconnect(reason)

    def drop_links(self) -> None:
        """End every link without a word."""
        for link in list(self.api.links.links):
            self.api.links.drop(link)


def _read(body: str) -> dict[str, Any]:
    """The answer to a command: JSON, or text as it is."""
    if not body.startswith("{"):
        return {"text": body}
    answer: dict[str, Any] = httpx.Response(200, text=body).json()
    return answer


def _check_errors(view: View, errors: Mapping[str, str]) -> None:
    inputs: Sequence[str] = [one["block_id"] for one in view.view["blocks"] if one["type"] == "input"]
    unknown = [name for name in errors if name not in inputs]
    if unknown or not errors:
        raise InvalidPayload("invalid_arguments", "/errors", f"no input blocks: {unknown}")


__all__ += ["ALL_SCOPES", "SlackError"]
