"""What somebody wrote in Teams as plain words: from the HTML copy that comes with a message, else from its text."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

SKYPE = "http://schema.skype.com/"
MENTION, REPLY, EMOJI = f"{SKYPE}Mention", f"{SKYPE}Reply", f"{SKYPE}Emoji"
PICTURE = f"{SKYPE}AMSImage"  # it is attached as well; its `alt` is the word "image"
AT = re.compile(r"<at(?:\s[^<>]{0,200})?>([^<]*)</at>")
PARAGRAPHS = {"p", "div", "h1", "h2", "h3", "h4", "h5", "h6"}
BLOCKS = {*PARAGRAPHS, "ul", "ol", "table", "tr", "hr"}
FENCED, LISTS = {"pre", "codeblock"}, {"ol", "ul"}
SILENT = {"attachment", "script", "style", "head", "title"}
MANY_LINES = re.compile(r"\n{3,}")
US = "\x00"  # stands where we were mentioned, until the blanks around it are joined
EDGE, EMPTY = "\x01", "\x02"  # where a block begins or ends; a line that was left empty
OURS = dict.fromkeys(map(ord, (US, EDGE, EMPTY)))
WITHOUT_US = re.compile(rf"[ \xa0]{{0,50}}{US}[ \xa0]*(?P<next>[,.:;!?])?")
DEEPEST, MOST_MENTIONS = 100, 1000


@dataclass(frozen=True)
class Mentioned:
    """Somebody mentioned in a message, in their order: their id and the words that stand for them."""

    id: str
    name: str


def mentions_in(payload: object) -> list[Mentioned]:
    """Whom a message of Microsoft Graph mentions; apps by the ids that bots have."""
    found = {}
    for one in payload if isinstance(payload, list) else ():
        number, about = (one.get("id"), one.get("mentioned")) if isinstance(one, Mapping) else (None, None)
        if isinstance(number, int) and 0 <= number < MOST_MENTIONS and isinstance(about, Mapping):
            found[number] = Mentioned(id_in(about), str(one.get("mentionText") or ""))
    return [found.get(number, Mentioned("", "")) for number in range(max(found, default=-1) + 1)]


def id_in(mentioned: Mapping[str, Any]) -> str:
    user, app = mentioned.get("user"), mentioned.get("application")
    if isinstance(app, Mapping):
        return f"28:{app.get('id')}"
    return str(user.get("id") or "") if isinstance(user, Mapping) else ""


def words_of(text: str, html: str | None, mentioned: Sequence[Mentioned], me: str, *, quotes: bool = True) -> str:
    """The words of a message without the mentions of ourselves (id me); those of others as `@Name`. quotes: with the
    beginning of the message it answers, where one is quoted."""
    if html is None:
        return tidy(from_text(text, mentioned, me))
    return tidy(from_html(html, mentioned, me, quotes=quotes))


def from_text(text: str, mentioned: Sequence[Mentioned], me: str) -> str:
    """The plain `text` of a message; `<at>` is the only markup in it."""
    ours = {one.name for one in mentioned if one.id == me}
    said = AT.sub(lambda found: US if unescape(found[1]) in ours else f"@{unescape(found[1])}", text.translate(OURS))
    return without_us(said.replace("&nbsp;", " ")).replace("\xa0", " ")


def without_us(said: str) -> str:
    """The words around a mention of us, as if it had never been there."""
    return WITHOUT_US.sub(lambda found: found["next"] or " ", said)


def tidy(text: str) -> str:
    """Without blanks at the ends of lines, and of an opening `@Lotse, ` nothing is left."""
    lines = (line.rstrip() for line in text.splitlines())
    return MANY_LINES.sub("\n\n", "\n".join(lines)).strip().removeprefix(",").removeprefix(":").strip()


def from_html(html: str, mentioned: Sequence[Mentioned], me: str, *, quotes: bool = True) -> str:
    """The words of HTML as a reader sees them: lists with dashes or numbers, code fenced, quotes marked."""
    body = LexborHTMLParser(html.translate(OURS)).body
    return without_us(lines_of(pieces(body, Reading(mentioned, me, quotes), 0))) if body is not None else ""


@dataclass
class Reading:
    """One reading of a message: the mentions that are still to come, whether quoted messages are read, and the lists we
    are in, each with the number of its next item."""

    mentioned: Sequence[Mentioned]
    me: str
    quotes: bool
    seen: int = 0
    lists: list[int | None] = field(default_factory=list)

    def mark(self) -> str:
        """What stands before the next item of the list we are in: its number, or a dash."""
        number = self.lists[-1] if self.lists else None
        if number is None:
            return "-"
        self.lists[-1] = number + 1
        return f"{number}."

    def mention(self, name: str, number: str | None) -> str:
        """What a mention reads as. Teams numbers them in the order of the message's entities."""
        at = int(number) if number is not None and number.isdecimal() and len(number) < 5 else self.seen
        self.seen += 1
        who = self.mentioned[at] if at < len(self.mentioned) else None
        ours = who.id == self.me if who is not None else any(o.id == self.me and o.name == name for o in self.mentioned)
        return US if ours else f"@{name}"


def lines_of(parts: Iterable[str]) -> str:
    """Pieces as lines: each block begins a new one."""
    blocks = (block for block in "".join(parts).split(EDGE) if block.strip(" "))
    return "\n".join(block.strip(" ").replace(EMPTY, "") for block in blocks)


def pieces(node: LexborNode, reading: Reading, depth: int) -> Iterator[str]:
    """The words of a node, in order."""
    if depth > DEEPEST:
        yield node.text(deep=True)
        return
    for child in node.iter(include_text=True):
        yield from piece(child, reading, depth)


def piece(node: LexborNode, reading: Reading, depth: int) -> Iterator[str]:
    tag, kind = node.tag or "", node.attributes.get("itemtype") or ""
    if tag == "-text":
        yield (node.text_content or "").replace("\xa0", " ").replace("\n", " ")
    elif tag == "br":
        yield "\n"
    elif tag == "at" or (tag == "span" and kind == MENTION):
        number = node.attributes.get("itemid") or node.attributes.get("id")
        yield reading.mention(node.text(deep=True).replace("\xa0", " "), number)
    elif tag in {"img", "emoji"}:
        yield "" if kind == PICTURE else str(node.attributes.get("alt") or "")
    elif tag == "blockquote" and kind == REPLY and not reading.quotes:
        yield EDGE
    elif tag not in SILENT:
        yield from element(tag, node, reading, depth + 1)


def element(tag: str, node: LexborNode, reading: Reading, depth: int) -> Iterator[str]:
    """An element with something inside."""
    if tag in FENCED:
        code = "".join(as_typed(node, depth)).strip("\n")
        yield f"{EDGE}```\n{code}\n```{EDGE}"
        return
    mark = reading.mark() if tag == "li" else ""
    if tag in LISTS:
        reading.lists.append(start_of(node) if tag == "ol" else None)
    inside = "".join(pieces(node, reading, depth))
    if tag in LISTS:
        reading.lists.pop()
    match tag:
        case "code":
            yield f"`{inside}`" if inside.strip() and "\n" not in inside else inside
        case "a":
            yield linked(inside, str(node.attributes.get("href") or ""))
        case "li":
            item = lines_of(inside).strip().replace("\n", "\n  ")
            yield f"{EDGE}{mark} {item}{EDGE}"
        case "td" | "th":
            yield f"{' '.join(lines_of(inside).split())} | "
        case "blockquote":
            quoted = "\n".join(f"> {line}" for line in lines_of(inside).strip().splitlines())
            yield f"{EDGE}{quoted}{EDGE}"
        case _ if tag in PARAGRAPHS and not inside.strip():
            yield f"{EDGE}{EMPTY}{EDGE}"
        case _ if tag in BLOCKS:
            yield f"{EDGE}{inside}{EDGE}"
        case _:
            yield inside


def as_typed(node: LexborNode, depth: int) -> Iterator[str]:
    """Code with its blanks and line ends."""
    if depth > DEEPEST:
        yield node.text(deep=True)
        return
    for child in node.iter(include_text=True):
        if child.tag == "-text":
            yield (child.text_content or "").replace("\xa0", " ")
        elif child.tag == "br":
            yield "\n"
        else:
            yield from as_typed(child, depth + 1)


def start_of(node: LexborNode) -> int:
    """The number of a list's first item."""
    start = node.attributes.get("start") or "1"
    return int(start) if start.isdecimal() and len(start) < 7 else 1


def linked(label: str, address: str) -> str:
    """A link as it is displayed, with its address where that says something else."""
    short = address.removeprefix("https://").removeprefix("http://").removeprefix("mailto:").rstrip("/")
    if not address or label.rstrip("/") in {address.rstrip("/"), short}:
        return label
    return f"{label} ({address})"


def names_in(mentioned: Iterable[Mentioned], me: str) -> bool:
    """Whether we are among those mentioned."""
    return any(one.id == me for one in mentioned)
