"""A Microsoft Teams of our own: state, Bot Connector, keys, Graph and faults, over real HTTP, in this process."""

import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from fnmatch import fnmatchcase
from types import TracebackType
from typing import Any, Self

import httpx
from fake_http import ServerThread
from fake_teams_cards import words_of
from fake_teams_delivery import PEER, Delivery, Postman
from fake_teams_faults import Faults, Pace
from fake_teams_keys import ISSUER, Keys, SigningKey, signed
from fake_teams_people import Actor, Upload
from fake_teams_server import TeamsServer
from fake_teams_state import State
from fake_teams_surfaces import Dialog
from fake_teams_things import Call, Channel, Message, RefusedByClientError, StoredFile, Team
from starlette.types import ASGIApp
from teams_validator import InvalidPayload

__all__ = [
    "Actor",
    "Call",
    "Channel",
    "Delivery",
    "Dialog",
    "FakeTeams",
    "Message",
    "RefusedByClientError",
    "Team",
    "Upload",
]
HOUR = 3600
Where = Channel | Team | Actor | str  # str: the id of a conversation, also of a thread


class FakeTeams:
    """One Teams with the tenant Acme, where the bot Lotse is registered.

    Use it as a context manager: at the end it raises for every payload Teams would have refused (violations), unless
    the test took them out of the list.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.state, self.faults, self.keys = State(clock), Faults(), Keys()
        self.server = TeamsServer(self.state, self.faults, self.keys)
        self._thread = ServerThread(self.server.app(), "fake-teams")
        self.state.base = f"http://127.0.0.1:{self._thread.port}/"
        self.postman = Postman(self.state)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.postman.stop()
        self._thread.stop()
        if error is None:
            assert not self.violations, "\n".join(f"{method}: {wrong}" for method, wrong, _ in self.violations)

    # Where everything is, and the app's credentials

    @property
    def service_url(self) -> str:
        """As activities name it, with a slash at the end."""
        return self.state.service_url

    @property
    def openid_metadata_url(self) -> str:
        return f"{self.state.base}v1/.well-known/openidconfiguration"

    @property
    def login_url(self) -> str:
        return f"{self.state.base}login"

    @property
    def graph_url(self) -> str:
        return f"{self.state.base}graph"

    @property
    def tenant(self) -> str:
        return self.state.tenant

    @property
    def app_id(self) -> str:
        return self.state.app_id

    @property
    def client_secret(self) -> str:
        return self.state.secret

    # People, teams, conversations

    def user(self, name: str = "Erika Muster", locale: str = "de-DE", tenant: str | None = None) -> Actor:
        """A person of the tenant, or of another one."""
        with self.state.lock:
            return Actor(self, self.state.add_person(name, locale, tenant))

    def team(self, name: str, *members: Actor, installed: bool = True, rsc: bool = True) -> Team:
        """A team with its General channel. installed: and the app; rsc: which may read all that is written there."""
        with self.state.lock:
            return self.state.add_team(name, [one.id for one in members], installed=installed, rsc=rsc)

    def channel(self, team: Team, name: str | None = None, *, rsc: bool | None = None) -> Channel:
        """A channel of a team; without a name its General channel. rsc: None as the team says."""
        with self.state.lock:
            if name is None:
                return self.state.channels[team.id]
            made = Channel(self.state.new_thread_id("thread.tacv2"), "channel", team.tenant, name, team=team, rsc=rsc)
            self.state.channels[made.id] = made
            return made

    def group(self, *members: Actor, installed: bool = True, rsc: bool = False, name: str | None = None) -> Channel:
        """A group chat. rsc: the bot gets what does not mention it, too."""
        with self.state.lock:
            people = [one.id for one in members]
            made = Channel(
                self.state.new_thread_id("thread.v2"),
                "groupChat",
                self.tenant,
                name,
                people,
                installed=installed,
                rsc=rsc,
            )
            self.state.channels[made.id] = made
            return made

    # What there is to see

    @property
    def calls(self) -> list[Call]:
        """Every request of the bot, in order."""
        return self.server.calls

    def called(self, method: str = "*", path: str = "*") -> list[Call]:
        """The requests whose method and decoded path fit; path is a pattern of fnmatch, as `*/activities`."""
        with self.state.lock:
            return [one for one in self.calls if method in ("*", one.method) and fnmatchcase(one.path, path)]

    @property
    def violations(self) -> list[tuple[str, InvalidPayload, Any]]:
        """(request or answer, what is wrong, payload) of everything Teams or the house refuses."""
        return self.server.violations

    def posts(self, where: Where, thread: Message | str | None = None) -> list[Message]:
        """All messages of a conversation, or of one thread with its root, oldest first, also deleted ones."""
        with self.state.lock:
            channel = self.state.named(where)
            named = where.partition(";messageid=")[2] if isinstance(where, str) else ""
            root = thread.thread if isinstance(thread, Message) else thread or named or None
            return [one for one in channel.messages.values() if root in (None, one.thread)]

    def said(self, where: Where, thread: Message | str | None = None) -> list[Message]:
        """As posts, only what the bot posted."""
        return [one for one in self.posts(where, thread) if one.author is None]

    def roots(self, where: Where) -> list[Message]:
        """What the bot posted outside any thread, and what is still there of it."""
        return [one for one in self.said(where) if not one.is_reply and not one.deleted]

    def typing(self, where: Where, thread: Message | str | None = None) -> list[float]:
        """When the bot showed that it is typing, in a conversation or one thread of it."""
        with self.state.lock:
            channel = self.state.named(where)
            root = thread.thread if isinstance(thread, Message) else thread
            if root is not None:
                return list(channel.typing.get(root, ()))
            return sorted(at for times in channel.typing.values() for at in times)

    def words(self, message: Message, person: Actor | None = None, *, hidden: bool = False) -> str:
        """What somebody reads in a message, without its buttons. person: as they see the card."""
        first = message.card if person is None else message.card_for(person)
        cards = ([first] if first else []) + message.cards[1:]
        parts = ([message.text] if message.text else []) + [words_of(card, hidden=hidden) for card in cards]
        return "\n".join(parts)

    def at(self, person: Actor | None = None) -> str:
        """A mention inside a text; None: of the bot."""
        return person.at if person else f"<at>{self.state.app_name}</at>"

    @property
    def files(self) -> dict[str, StoredFile]:
        return self.state.files

    @property
    def pace(self) -> Pace:
        """What is allowed in a conversation, by its id (threads by `<channel>;messageid=<root>`)."""
        return self.state.pace

    # Tokens

    @property
    def token_clock(self) -> Callable[[], float]:
        """What tokens of both directions live by: real time, unless a test sets another clock."""
        return self.state.token_clock

    @token_clock.setter
    def token_clock(self, clock: Callable[[], float]) -> None:
        self.state.token_clock = clock

    def revoke_tokens(self) -> None:
        """No token that was given so far is good any more."""
        with self.state.lock:
            for one in self.state.tokens.values():
                one.revoked = True

    # To the bot

    def connect(self, app: ASGIApp, path: str = "/api/messages", peer: tuple[str, int] = PEER) -> None:
        """Bring everything to this app, in process. peer: the address it seems to come from."""
        self.postman.connect(app, path, peer)

    @property
    def deliveries(self) -> list[Delivery]:
        return self.postman.log

    def token(
        self,
        *,
        key: SigningKey | None = None,
        algorithm: str = "RS256",
        headers: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A token as the service brings it, or a forged one. claims: changed, None for left out; algorithm: also `none`
        and `HS256` (with the public key as secret); headers: changed likewise."""
        now = int(self.token_clock())
        genuine: dict[str, Any] = {"iss": ISSUER, "aud": self.app_id, "serviceurl": self.service_url}
        genuine |= {"nbf": now - 300, "iat": now, "exp": now + HOUR}
        told = {name: value for name, value in {**genuine, **claims}.items() if value is not None}
        return signed(told, key or self.keys.current, algorithm, headers or {})

    def deliver(self, activity: Mapping[str, Any], token: str | None = None, times: int = 1) -> Delivery:
        """Bring an activity, with repeats until it is taken, so many times over; what became of the last."""
        for _ in range(times):
            delivery = self.postman.deliver(activity, f"Bearer {token or self.token()}")
        return delivery

    def activity_of(self, message: Message) -> dict[str, Any]:
        """The activity with which a message came to the bot."""
        assert message.activity is not None, "the bot never got it"
        return deepcopy(message.activity)

    def post_raw(
        self, body: bytes, headers: Mapping[str, str] | None = None, path: str | None = None
    ) -> httpx.Response:
        """Post exactly this to the bot, once. Raises TimeoutError."""
        return self.postman.post(body, headers or {}, path)
