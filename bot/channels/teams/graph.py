"""Microsoft Graph, asked for what the Bot Connector does not tell: what stands in a thread of a channel."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from bot.attachments import plain_name
from bot.channels.port import Address, File, Incoming, Sender
from bot.channels.teams.activities import source_id, within
from bot.channels.teams.connector import Connector
from bot.channels.teams.words import from_html, mentions_in, tidy

PAGE = "50"
MOST_PAGES = 20
OURS = "lotse-"  # the id of the first element of every card of ours, before its key and part


@dataclass(frozen=True)
class Thread:
    """A thread of a channel as Graph knows it: the Entra group of its team, the channel, the first message."""

    group: str
    channel: str
    root: str | None

    @property
    def path(self) -> str:
        posts = f"/v1.0/teams/{quote(self.group, safe='')}/channels/{quote(self.channel, safe='')}/messages"
        return posts if self.root is None else f"{posts}/{quote(self.root, safe='')}/replies"


def own_parts(connector: Connector, thread: Thread, key: str, since: datetime) -> dict[int, str]:
    """Which parts of a post are there: their ids by their number. Raises as Connector.graph.

    A channel's threads come in the order in which anything in them changed, not in which they began: only what is
    found ends the search.
    """
    found: dict[int, str] = {}
    for post in messages(connector, thread):
        part = part_of(post, key) if written_at(post) >= since and not post.get("deletedDateTime") else None
        if part is not None:
            found.setdefault(part, str(post.get("id")))
        if found and thread.root is None:
            break  # only one part can open a thread
    return found


def part_of(post: Mapping[str, Any], key: str) -> int | None:
    """Which part of the post with this key a message is; None when it is none of it."""
    for attachment in post.get("attachments") or ():
        try:
            card = json.loads(within(attachment, "content") or "{}")
        except (ValueError, TypeError):
            continue
        body = within(card, "body")
        first = str(within(body[0], "id") or "") if isinstance(body, list) and body else ""
        named, _, part = first.rpartition("-")
        if named == f"{OURS}{key}" and part.isdecimal():
            return int(part)
    return None


def history(connector: Connector, thread: Thread, address: Address, me: str) -> list[Incoming]:
    """What people wrote in a thread, oldest first; me is Lotse's own id, whose mentions are no words of theirs."""
    root = Thread(thread.group, thread.channel, None).path
    first = connector.graph(f"{root}/{quote(str(thread.root), safe='')}")
    written = [to_incoming(post, address, me) for post in (first, *messages(connector, thread))]
    return sorted(filter(None, written), key=lambda one: (one.written_at, one.source_id))


def to_incoming(post: Mapping[str, Any], address: Address, me: str) -> Incoming | None:
    """A chatMessage of Graph as the port's value; None for what no person wrote, and what is deleted."""
    user, body = within(post, "from", "user"), within(post, "body")
    if not isinstance(user, Mapping) or not user.get("id") or post.get("deletedDateTime"):
        return None
    content = str(within(body, "content") or "")
    if within(body, "contentType") == "html":
        content = tidy(from_html(content, mentions_in(post.get("mentions")), me))
    names = (str(within(one, "name") or "file") for one in post.get("attachments") or () if is_file(one))
    files = tuple(File(plain_name(name), "application/octet-stream", None, "in_channel") for name in names)
    sender = Sender("teams", str(user["id"]), str(user.get("displayName") or ""))
    return Incoming(address, sender, content, source_id(address, str(post.get("id"))), written_at(post), files)


def is_file(attachment: object) -> bool:
    return bool(within(attachment, "contentType") == "reference")


def messages(connector: Connector, thread: Thread) -> Iterator[Mapping[str, Any]]:
    """Every message of a thread, or those that begin one in a channel, as far as MOST_PAGES reach."""
    parameters = {"$top": PAGE}
    for _ in range(MOST_PAGES):
        page = connector.graph(thread.path, **parameters)
        yield from (post for post in page.get("value") or () if isinstance(post, Mapping))
        following = parse_qs(urlsplit(str(page.get("@odata.nextLink") or "")).query).get("$skiptoken")
        if not following:
            return
        parameters = {"$top": PAGE, "$skiptoken": following[0]}


def written_at(post: Mapping[str, Any]) -> datetime:
    try:
        at = datetime.fromisoformat(str(post.get("createdDateTime")))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
