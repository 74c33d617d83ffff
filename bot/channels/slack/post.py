"""Posts to Slack and asks it: the Channel that delivery and the lookups use, from worker threads."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from bot.channels.port import (
    Address,
    Channel,
    File,
    Incoming,
    Parts,
    Profile,
    Reply,
    Sent,
    ThreadLost,
    TryAgain,
    Unreachable,
)
from bot.channels.slack.blocks import SlackMessage, to_messages
from bot.channels.slack.events import DM, Here, source_id, to_incoming
from bot.channels.slack.workspaces import UnknownWorkspace, Workspaces, WrongToken, error_code

logger = logging.getLogger(__name__)
PACE = 1.0  # seconds: Slack takes about one post a second in a channel
EVENT = "lotse_message"
CLOCKS = timedelta(minutes=5)  # how far our clock and Slack's may be apart when a post is looked for
BUSY = {"internal_error", "fatal_error", "service_unavailable", "request_timeout"}  # it may be there all the same
OURS_TO_MEND = {"invalid_auth", "token_revoked", "token_expired", "account_inactive", "not_authed", "missing_scope"}
NOT_DRAWN = {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"}
GONE = {"thread_not_found", "message_not_found"}
MOST_PARTS = 50
BELIEVED = 60.0  # seconds for which a thread that was there is believed to be there still
FETCH_SECONDS = 30.0


@dataclass(frozen=True)
class OwnPost:
    """One of our posts as Slack shows it: its key and part, from its metadata, the names of files in it, and whether
    it stands under somebody else's name."""

    ts: str
    key: str | None
    part: int
    files: tuple[str, ...]
    named: bool = False


@dataclass(frozen=True)
class Spot:
    """Where to post: the workspace, the channel's id, the thread in it."""

    team: str | None
    channel: str
    thread: str | None


class SlackChannel(Channel):
    """Implements Channel. web_address makes Lotse's own links (`/kb/articles/7`) whole for who reads them in Slack."""

    platform = "slack"
    pace = PACE
    can_be_asked = True

    def __init__(self, workspaces: Workspaces, web_address: str | None, upload_limit: int) -> None:
        self.workspaces = workspaces
        self.web_address = web_address
        self.upload_limit = upload_limit
        self.names: dict[str, str] = {}
        self._lock = threading.Lock()
        self._direct: dict[str, str] = {}
        self._plain_teams: set[str | None] = set()
        self._seen_threads: dict[tuple[str, str], float] = {}

    def absolute(self, address: str) -> str:
        """An address of Lotse's pages for who reads it in Slack; as it is where they cannot be reached from there."""
        return urljoin(self.web_address, address) if self.web_address else address

    # --- posting --------------------------------------------------------------------------------------------------
    def send(self, address: Address, reply: Reply, key: str) -> Sent:
        """Post a reply. A long one is several posts: after each but the last, TryAgain says that the rest is to be
        resumed, so that nothing else waits and the pace is kept."""
        spot = self.spot(address)
        self._require_thread(spot)
        return self._post_next(address, spot, reply, key, [])

    def resume(self, address: Address, reply: Reply, key: str, since: datetime, parts: Parts = ()) -> Sent:
        spot = self.spot(address)
        self._require_thread(spot)
        there = self._find(spot, key, since - CLOCKS, files=kept(reply.files))
        return self._post_next(address, spot, reply, key, there)

    def _post_next(self, address: Address, spot: Spot, reply: Reply, key: str, there: Sequence[str]) -> Sent:
        """Post what comes after the parts that are there already (their timestamps, in order)."""
        messages = to_messages(with_words(reply), key, self.absolute)
        files = kept(reply.files)
        steps = len(messages) + bool(files)
        inside = replace(spot, thread=spot.thread or (there[0] if there else None))
        there = list(there)
        if len(there) < len(messages):
            there.append(self._post(inside, messages[len(there)], key, len(there)))
        elif len(there) < steps:
            there.append(self._share(inside, files))
        if len(there) < steps:
            raise TryAgain(PACE, begun=True)
        return self._sent(address, spot, there[0])

    def _post(self, spot: Spot, message: SlackMessage, key: str, part: int) -> str:
        """Post one message; its timestamp."""
        metadata = {"event_type": EVENT, "event_payload": {"key": key, "part": part}}
        payload: dict[str, Any] = {
            "channel": spot.channel,
            "thread_ts": spot.thread,
            "text": message.text,
            "blocks": message.blocks,
            "metadata": metadata,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        answer = self._post_as(spot.team, message, payload)
        ts = str(answer["ts"])
        landed = (answer.get("message") or {}).get("thread_ts")
        if spot.thread is not None and landed != spot.thread:
            self.forget_thread(spot.channel, spot.thread)
            try:
                self._take_away(spot, ts)
            except (TryAgain, Unreachable, ThreadLost, OSError):
                logger.exception("a post that went astray could not be taken away")
            raise ThreadLost("the thread was deleted while it was written to")
        return ts

    def _post_as(self, team: str | None, message: SlackMessage, payload: dict[str, Any]) -> SlackResponse:
        """Under the author's name and picture where the workspace allows it, else with the name in the text."""
        poster = self.workspaces.poster(team)
        if message.username is None or team in self._plain_teams:
            return self._try_plainer(poster, named_in_text(message, payload))
        named = {**payload, "username": message.username, "icon_url": message.icon_url}
        try:
            return self._try_plainer(poster, named)
        except NotAllowedToNameError:
            self._plain_teams.add(team)
            logger.warning("Slack does not let Lotse write under agents' names: chat:write.customize is missing")
            return self._try_plainer(poster, named_in_text(message, payload))

    def _try_plainer(self, poster: WebClient, payload: dict[str, Any]) -> SlackResponse:
        """As blocks; should Slack not take them, as the same words without: nothing is lost for a matter of looks."""
        try:
            return call(lambda: poster.chat_postMessage(**given(payload)))
        except NotDrawnError as error:
            logger.error("Slack did not take the blocks of a post: %s", error.reason)  # noqa: TRY400 - ours to mend
            return call(lambda: poster.chat_postMessage(**given({**payload, "blocks": None})))

    def _share(self, spot: Spot, files: Sequence[File]) -> str:
        """Upload files into the thread; the timestamp is not told, their names stand for it."""
        uploads = [{"filename": file.name, "title": file.name, "content": file.content} for file in files]
        poster = self.workspaces.poster(spot.team)
        call(
            lambda: poster.files_upload_v2(
                channel=spot.channel, thread_ts=spot.thread, file_uploads=uploads, request_file_info=False
            )
        )
        return "files"

    def _take_away(self, spot: Spot, ts: str) -> None:
        call(lambda: self.workspaces.reader(spot.team).chat_delete(channel=spot.channel, ts=ts))

    def _sent(self, address: Address, spot: Spot, first: str) -> Sent:
        """A delivered post; the first post of a place opens its thread."""
        thread = address.thread or first
        if address.channel.startswith(DM):
            route = {"dm": spot.channel}  # and no link: nobody else can open direct messages
        else:
            url = self.workspaces.identity(spot.team).url
            route = {"permalink": f"{url}archives/{spot.channel}/p{thread.replace('.', '')}"}
        where = replace(address, thread=thread, route={**address.route, **route})
        return Sent(source_id(spot.channel, first), where)

    # --- changing -------------------------------------------------------------------------------------------------
    def update(self, address: Address, platform_id: str, reply: Reply, parts: Parts = ()) -> Parts:
        """Replace an earlier post, with all its parts. Raises ThreadLost when the thread is gone; where only the post
        is, the new wording is a new post."""
        spot, first = self.spot(address), timestamp(platform_id)
        messages = to_messages(with_words(reply), "", self.absolute)
        posts = [OwnPost(first, None, 0, ())] if reply.card is not None else self._parts_of(spot, first)
        for post, message in zip(posts, messages, strict=False):
            self._replace(spot, post, message)
        for post in posts[len(messages) :]:
            self._take_away(spot, post.ts)
        for number, message in enumerate(messages[len(posts) :], len(posts)):
            self._post(replace(spot, thread=spot.thread or first), message, f"{first}-more", number)
        return ()  # Slack can be asked for them

    def _replace(self, spot: Spot, post: OwnPost, message: SlackMessage) -> None:
        poster = self.workspaces.poster(spot.team)
        payload: dict[str, Any] = {"text": message.text, "blocks": message.blocks}
        if not post.named:
            payload = named_in_text(message, payload)
        try:
            call(lambda: poster.chat_update(channel=spot.channel, ts=post.ts, **payload))
        except NotDrawnError as error:
            logger.error("Slack did not take the blocks of a change: %s", error.reason)  # noqa: TRY400 - ours to mend
            call(lambda: poster.chat_update(channel=spot.channel, ts=post.ts, text=payload["text"], blocks=[]))

    def _parts_of(self, spot: Spot, first: str) -> list[OwnPost]:
        """All parts of a post, in order; without the first when somebody took it away from a thread that is there."""
        found = list(self._own_posts(spot, first, limit=MOST_PARTS))
        opening = next((post for post in found if post.ts == first), None)
        keys = {opening.key if opening is not None else None, f"{first}-more"} - {None}
        return [post for post in found if post is opening or post.key in keys]

    # --- looking --------------------------------------------------------------------------------------------------
    def _require_thread(self, spot: Spot) -> None:
        """A post to a thread that is gone would stand in the channel for all to read: ask first."""
        thread = spot.thread
        if thread is None or self._was_there_lately(spot.channel, thread):
            return
        reader = self.workspaces.reader(spot.team)
        call(lambda: reader.conversations_replies(channel=spot.channel, ts=thread, limit=1))
        with self._lock:
            self._seen_threads[spot.channel, thread] = time.monotonic()

    def _was_there_lately(self, channel: str, thread: str) -> bool:
        with self._lock:
            return time.monotonic() - self._seen_threads.get((channel, thread), -BELIEVED) < BELIEVED

    def forget_thread(self, channel: str, thread: str) -> None:
        """A message was deleted: whether its thread is still there is asked anew."""
        with self._lock:
            self._seen_threads.pop((channel, thread), None)

    def _find(self, spot: Spot, key: str, since: datetime, *, files: Sequence[File]) -> list[str]:
        """Which parts of a post are there already: their timestamps, and `files` when the files are."""
        oldest = f"{since.timestamp():.6f}"
        found = list(self._own_posts(spot, oldest))
        parts = parts_with(key, found)
        if parts and spot.thread is None:
            found = list(self._own_posts(replace(spot, thread=parts[0]), oldest))
            parts = parts_with(key, found)
        names = tuple(sorted(file.name for file in files))
        shared = any(names and post.files == names for post in found if parts and post.ts > parts[0])
        return [*parts, "files"] if shared else parts

    def _own_posts(self, spot: Spot, oldest: str, limit: int = 200) -> Iterator[OwnPost]:
        """Our posts in a thread (or channel)."""
        identity = self.workspaces.identity(spot.team)
        for message in self._read(spot, oldest=oldest, inclusive=True, include_all_metadata=True, limit=limit):
            if message.get("bot_id") == identity.bot_id or message.get("user") == identity.bot_user_id:
                payload = (message.get("metadata") or {}).get("event_payload") or {}
                names = sorted(str(file.get("name")) for file in message.get("files") or ())
                part, named = int(payload.get("part") or 0), bool(message.get("username"))
                yield OwnPost(str(message["ts"]), payload.get("key"), part, tuple(names), named)

    def _read(self, spot: Spot, **which: Any) -> Iterator[Mapping[str, Any]]:
        """Every message of a thread, or of the channel itself."""
        reader = self.workspaces.reader(spot.team)
        cursor: str | None = None
        while True:
            page = given({"channel": spot.channel, "ts": spot.thread, "cursor": cursor, **which})
            read = reader.conversations_replies if spot.thread is not None else reader.conversations_history
            answer = call(lambda read=read, page=page: read(**page))  # type: ignore[misc]
            yield from answer.get("messages") or ()
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                return

    def spot(self, address: Address) -> Spot:
        """Where an address is in Slack. Direct messages are opened when their channel is not known yet."""
        team = address.route.get("team")
        self._require_workspace(team)
        if not address.channel.startswith(DM):
            return Spot(team, address.channel, address.thread)
        user = address.channel.removeprefix(DM)
        with self._lock:
            channel = address.route.get("dm") or self._direct.get(user)
        if channel is None:
            answer = call(lambda: self.workspaces.reader(team).conversations_open(users=user))
            channel = str(answer["channel"]["id"])
            with self._lock:
                self._direct[user] = channel
        return Spot(team, channel, address.thread)

    def _require_workspace(self, team: str | None) -> None:
        """Everything that has to be known of a workspace, before anything is posted there."""
        try:
            self.workspaces.identity(team)
        except UnknownWorkspace as error:
            raise Unreachable("Lotse is not installed in this Slack workspace") from error
        except WrongToken as error:
            raise TryAgain(reason=error.reason) from error

    # --- asking ---------------------------------------------------------------------------------------------------
    def profile(self, person_id: str, route: Mapping[str, str]) -> Profile | None:
        reader = self.workspaces.reader(route.get("team"))
        user = call(lambda: reader.users_info(user=person_id, include_locale=True))["user"]
        shown = user.get("profile") or {}
        name = shown.get("real_name") or user.get("real_name") or shown.get("display_name") or user.get("name") or ""
        language = str(user.get("locale") or "")[:2]
        self.names[person_id] = name
        return Profile(name, language if language in {"de", "en"} else None, shown.get("image_72"))

    def fetch(self, source: str, route: Mapping[str, str]) -> bytes:
        """A file of Slack's. The token goes to Slack's own addresses only, whatever an event names."""
        team = route.get("team")
        if not self._is_slacks(source):
            raise Unreachable("a file at an address that is not Slack's")
        headers = {"authorization": f"Bearer {self.workspaces.identity(team).token}"}
        read = bytearray()
        with httpx.stream("GET", source, headers=headers, timeout=FETCH_SECONDS) as answer:
            if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
                raise TryAgain(float(answer.headers.get("retry-after", 1)))
            if not answer.is_success or is_sign_in_page(source, answer.headers.get("content-type", "")):
                raise Unreachable(f"the file is not to be had ({answer.status_code})")
            for chunk in answer.iter_bytes():
                read += chunk
                if len(read) > self.upload_limit:
                    break
        return bytes(read)

    def _is_slacks(self, source: str) -> bool:
        host, api = urlsplit(source).hostname or "", urlsplit(self.workspaces.settings.slack.api_base_url)
        if api.hostname != "slack.com":
            return urlsplit(source).netloc == api.netloc
        return urlsplit(source).scheme == "https" and (host == "slack.com" or host.endswith(".slack.com"))

    def history(self, address: Address) -> Sequence[Incoming]:
        spot = self.spot(address)
        if spot.thread is None:
            return ()
        identity = self.workspaces.identity(spot.team)
        here = Here(identity.team_id, identity.bot_user_id, names=self.names, limit=self.upload_limit)
        events = ({**message, "channel": spot.channel} for message in self._read(spot, limit=200))
        return [incoming for event in events if (incoming := to_incoming(event, here)) is not None]


class NotAllowedToNameError(Exception):
    """The workspace has not given the scope for writing under another name."""


class NotDrawnError(Exception):
    """Slack does not take the blocks: a defect of ours."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def call(ask: Callable[[], SlackResponse]) -> SlackResponse:
    """Ask Slack, and say in the port's words why it refused. Raises OSError for a fault of Slack's or of the network:
    it leaves open whether a post arrived."""
    try:
        return ask()
    except SlackApiError as error:
        answer: Any = error.response
        status = answer.get("status") if isinstance(answer, dict) else getattr(answer, "status_code", None)
        headers = answer.get("headers", {}) if isinstance(answer, dict) else getattr(answer, "headers", {})
        reason = error_code(error)
        if status == httpx.codes.TOO_MANY_REQUESTS or reason in {"ratelimited", "rate_limited"}:
            raise TryAgain(retry_after(headers), reason=reason) from error
        if (status or 0) >= httpx.codes.INTERNAL_SERVER_ERROR or reason in BUSY or reason.startswith("http "):
            raise ConnectionError(f"Slack answered {reason}") from error
        raise refusal(reason, answer) from error


def retry_after(headers: Mapping[str, Any]) -> float:
    """The seconds that Slack asks to wait."""
    found = next((value for name, value in headers.items() if str(name).lower() == "retry-after"), 1)
    return float(found[0] if isinstance(found, list) else found)


def refusal(reason: str, response: Any) -> Exception:
    """What a plain no of Slack's means for delivery."""
    if reason in GONE:
        return ThreadLost(reason)
    if reason in NOT_DRAWN:
        return NotDrawnError(reason)
    if reason == "missing_scope" and "chat:write.customize" in str(response.get("needed")):
        return NotAllowedToNameError(reason)
    return TryAgain(reason=reason) if reason in OURS_TO_MEND else Unreachable(reason)


def parts_with(key: str, posts: Iterable[OwnPost]) -> list[str]:
    """The timestamps of the parts of one reply, in order."""
    return [post.ts for post in sorted(posts, key=lambda post: post.part) if post.key == key]


def is_sign_in_page(source: str, media_type: str) -> bool:
    """Whether Slack shows its sign-in instead of a file that we may not read: a page where none was asked for."""
    return media_type.startswith("text/html") and not urlsplit(source).path.lower().endswith((".html", ".htm"))


def timestamp(platform_id: str) -> str:
    """The timestamp in a post's id: `C1/1712.000100`, or `C1/1712.000100#42` for a change of it."""
    return platform_id.partition("/")[2].partition("#")[0]


def kept(files: Iterable[File]) -> list[File]:
    """The files that have a content to pass on."""
    return [file for file in files if file.content]


def with_words(reply: Reply) -> Reply:
    """A reply that only brings files says their names: Slack takes no empty post."""
    names = ", ".join(file.name for file in reply.files)
    return reply if reply.text.strip() or not names else replace(reply, text=f"📎 {names}")


def named_in_text(message: SlackMessage, payload: dict[str, Any]) -> dict[str, Any]:
    """The payload with the author's name above the words, where it cannot be the name of the post."""
    if message.username is None:
        return payload
    name = {"type": "rich_text_section", "elements": [bold(message.username)]}
    blocks = [{"type": "rich_text", "elements": [name]}, *payload["blocks"]]
    return {**payload, "text": f"{message.username}: {payload['text']}", "blocks": blocks}


def bold(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text, "style": {"bold": True}}


def given(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that have a value."""
    return {name: value for name, value in payload.items() if value is not None}
