"""Text between Slack and Lotse: what a person typed as plain words, what is said as blocks, long ones in parts."""

import re
from collections.abc import Iterator, Mapping
from functools import reduce

from bot.channels.markdown import CODE_SPAN, FENCE
from bot.channels.slack.markdown import markdown_blocks
from bot.channels.slack.rich import Block, rich_text, section, span, text_of
from bot.channels.slack.split import split_blocks

__all__ = [
    "Block",
    "escape",
    "markdown_blocks",
    "mention_of",
    "mentions",
    "plain_blocks",
    "split_blocks",
    "text_of",
    "to_markdown",
    "with_emoji",
]

WRITTEN = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
MARKUP = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>|&(?:amp|lt|gt);")
EMOJI = re.compile(r":[\w+'-]+:(?::skin-tone-[2-6]:)?")
CODES = re.compile(r"[0-9a-f]{2,5}(?:-[0-9a-f]{2,5})*")
SCHEME = re.compile(r"^(https?://|mailto:|tel:)")


def to_markdown(text: str, *, me: str, names: Mapping[str, str]) -> str:
    """The `text` of an event as the plain words its author sees, without the mention of ourselves (user id me).

    names: user, group and channel ids to the names shown; what is missing is shown as its id.
    """
    return MARKUP.sub(lambda found: as_seen(found, names), without_mention(text, me))


def with_emoji(text: str, blocks: object) -> str:
    """The `text` of a message with its emoji as characters: Slack tells `:lock:` in the text, and which that is in the
    blocks. One that only this workspace has keeps its name."""
    known = dict(emoji_in(blocks))
    return EMOJI.sub(lambda found: known.get(found[0], found[0]), text)


def emoji_in(value: object) -> Iterator[tuple[str, str]]:
    """The name, as it stands in the text, and the characters of each emoji of blocks; the note mark always."""
    yield ":lock:", "🔒"
    if isinstance(value, list):
        for one in value:
            yield from emoji_in(one)
    elif isinstance(value, dict):
        codes = str(value.get("unicode") or "")
        if value.get("type") == "emoji" and CODES.fullmatch(codes):
            tone = f":skin-tone-{value['skin_tone']}:" if value.get("skin_tone") else ""
            yield f":{value.get('name')}:{tone}", "".join(chr(int(code, 16)) for code in codes.split("-"))
        yield from emoji_in(value.get("elements"))


def without_mention(text: str, user: str) -> str:
    """The text without the mentions of a user and the blanks around them; of an opening `@Lotse: ` nothing is left."""
    return reduce(joined, mention_of(user).split(text))


def joined(left: str, right: str) -> str:
    """What stands before and behind a mention, put together."""
    if not left.strip():
        return re.sub(r"\A[,:]?\s+", "", right)
    if not right.strip():
        return left.rstrip()
    left, right = left.rstrip(" \t"), right.lstrip(" \t")
    closes_up = left.endswith("\n") or right.startswith(("\n", *".,;:!?"))
    return left + ("" if closes_up else " ") + right


def mention_of(user: str) -> re.Pattern[str]:
    return re.compile(rf"<@{re.escape(user)}(?:\|[^<>]*)?>")


def as_seen(found: re.Match[str], names: Mapping[str, str]) -> str:
    """One piece of Slack's markup as it is displayed."""
    if found[0] in WRITTEN:
        return WRITTEN[found[0]]
    target, label = unescape(found[1]), unescape(found[2] or "")
    if target[0] in "@#":
        return target[0] + (names.get(target[1:]) or label or target[1:])
    if target[0] == "!":
        return label or f"@{named_group(target, names)}"
    short = SCHEME.sub("", target)
    if not label:
        return short if target.startswith("mailto:") else target
    return label if label.rstrip("/") in {target.rstrip("/"), short.rstrip("/")} else f"{label} ({target})"


def named_group(target: str, names: Mapping[str, str]) -> str:
    """`!here` -> `here`, `!subteam^S1` -> its name."""
    kind, _, group = target[1:].partition("^")
    return (names.get(group) or group) if kind == "subteam" else kind


def unescape(text: str) -> str:
    return re.sub(r"&(?:amp|lt|gt);", lambda found: WRITTEN[found[0]], text)


def mentions(text: str, user: str) -> bool:
    """Whether the `text` of an event mentions this user id."""
    return mention_of(user).search(text) is not None


def escape(text: str) -> str:
    """For mrkdwn and top-level text: no mention, no link, no markup of Slack is left in it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plain_blocks(text: str) -> list[Block]:
    """What a person wrote, as they wrote it; only ``` fences and `code` get their looks. No text, no blocks."""
    elements: list[Block] = []
    start = 0
    for fence in FENCE.finditer(text):
        if fence[1].strip():
            elements += literal(text[start : fence.start()].removesuffix("\n"))
            elements.append(section([span(fence[1])], "preformatted"))
            start = fence.end() + (text[fence.end() :][:1] == "\n")
    elements += literal(text[start:])
    return [rich_text(elements)] if elements else []


def literal(text: str) -> list[Block]:
    """A paragraph of these very words, or none when there are none."""
    if not text.strip():
        return []
    plain_and_code = enumerate(CODE_SPAN.split(text))
    return [section([span(part, ["code"] if number % 2 else []) for number, part in plain_and_code])]
