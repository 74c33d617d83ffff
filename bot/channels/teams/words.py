"""What somebody wrote in Teams as plain words: from the HTML copy that comes with a message, else from its text."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

MENTION = "http://schema.skype.com/Mention"
AT = re.compile(r"<at(?:\s[^<>]*)?>(.*?)</at>", re.DOTALL)
BLOCKS = {"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "tr", "blockquote", "pre", "hr"}
SILENT = {"attachment", "script", "style", "head", "title"}
MANY_LINES = re.compile(r"\n{3,}")
DEEPEST = 100


@dataclass(frozen=True)
class Mentioned:
    """Somebody mentioned in a message, in their order: their id and the words that stand for them."""

    id: str
    name: str


def words_of(text: str, html: str | None, mentioned: Sequence[Mentioned], me: str) -> str:
    """The words of a message without the mentions of ourselves (id me); those of others as `@Name`."""
    said = from_html(html, mentioned, me) if html is not None else from_text(text, mentioned, me)
    return tidy(said)


def from_text(text: str, mentioned: Sequence[Mentioned], me: str) -> str:
    """The plain `text` of a message; `<at>` is the only markup in it."""
    ours = {one.name for one in mentioned if one.id == me}
    return AT.sub(lambda found: "" if found[1] in ours else f"@{found[1]}", text).replace("\xa0", " ")


def tidy(text: str) -> str:
    """Without blanks at the ends of lines, and of an opening `@Lotse, ` nothing is left."""
    lines = (" ".join(line.split(" ")).rstrip() for line in text.splitlines())
    return MANY_LINES.sub("\n\n", "\n".join(lines)).strip().removeprefix(",").removeprefix(":").strip()


def from_html(html: str, mentioned: Sequence[Mentioned], me: str) -> str:
    """The words of HTML as a reader sees them: lists with dashes, code fenced, quotes marked."""
    body = LexborHTMLParser(html).body
    return "".join(pieces(body, Reading(mentioned, me), 0)) if body is not None else ""


@dataclass
class Reading:
    """One reading of a message: the mentions that are still to come."""

    mentioned: Sequence[Mentioned]
    me: str
    seen: int = 0

    def mention(self, name: str, number: str | None) -> str:
        """What a mention reads as. Teams numbers them in the order of the message's entities."""
        at = int(number) if number is not None and number.isdecimal() and len(number) < 5 else self.seen
        self.seen += 1
        who = self.mentioned[at] if at < len(self.mentioned) else None
        ours = who.id == self.me if who is not None else any(o.id == self.me and o.name == name for o in self.mentioned)
        return "" if ours else f"@{name}"


def pieces(node: LexborNode, reading: Reading, depth: int) -> Iterator[str]:
    """The words of a node, in order."""
    if depth > DEEPEST:
        yield node.text(deep=True)
        return
    for child in node.iter(include_text=True):
        yield from piece(child, reading, depth)


def piece(node: LexborNode, reading: Reading, depth: int) -> Iterator[str]:
    tag = node.tag or ""
    if tag == "-text":
        yield " ".join((node.text_content or "").replace("\xa0", " ").replace("\n", " ").split(" "))
    elif tag == "br":
        yield "\n"
    elif tag == "at" or (tag == "span" and node.attributes.get("itemtype") == MENTION):
        yield reading.mention(node.text(deep=True).replace("\xa0", " "), node.attributes.get("itemid"))
    elif tag in {"img", "emoji"}:
        yield str(node.attributes.get("alt") or "")
    elif tag not in SILENT:
        yield from element(tag, node, reading, depth + 1)


def element(tag: str, node: LexborNode, reading: Reading, depth: int) -> Iterator[str]:
    """An element with something inside."""
    if tag == "pre":
        yield f"\n```\n{node.text(deep=True).strip(chr(10))}\n```\n"
        return
    inside = "".join(pieces(node, reading, depth))
    match tag:
        case "code":
            yield f"`{inside}`" if inside.strip() and "\n" not in inside else inside
        case "a":
            yield linked(inside, str(node.attributes.get("href") or ""))
        case "li":
            yield f"\n- {inside.strip()}"
        case "td" | "th":
            yield f"{inside.strip()} | "
        case "blockquote":
            yield "\n" + "\n".join(f"> {line}" for line in inside.strip().splitlines()) + "\n"
        case _ if tag in BLOCKS:
            yield f"\n{inside.strip()}\n"
        case _:
            yield inside


def linked(label: str, address: str) -> str:
    """A link as it is displayed, with its address where that says something else."""
    short = address.removeprefix("https://").removeprefix("http://").removeprefix("mailto:").rstrip("/")
    if not address or label.rstrip("/") in {address.rstrip("/"), short}:
        return label
    return f"{label} ({address})"


def names_in(mentioned: Iterable[Mentioned], me: str) -> bool:
    """Whether we are among those mentioned."""
    return any(one.id == me for one in mentioned)
