"""Lotse's own words, which are Markdown, where no Markdown is drawn: as plain text."""

from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
DEEPEST = 18  # nestings of lists and the like; the parser itself leaves out what lies too deep
INDENT = "  "


def plain_text(markdown: str) -> str:
    """The words without the marks: links as `Label (address)`, lists with their dashes, a paragraph on one line."""
    tokens = PARSER.parse(markdown)
    if any(token.level > DEEPEST for token in tokens):
        return markdown
    return "\n\n".join("\n".join(lines(block)) for block in SyntaxTreeNode(tokens).children).strip()


def lines(node: SyntaxTreeNode) -> Iterator[str]:
    """The lines of one block."""
    if node.type == "inline":
        yield from "".join(map(spoken, node.children)).split("\n")
    elif node.type in {"fence", "code_block"}:
        yield from node.content.rstrip("\n").split("\n")
    elif node.type in {"bullet_list", "ordered_list"}:
        yield from items(node)
    elif node.type == "blockquote":
        yield from (f"> {line}" for child in node.children for line in lines(child))
    elif node.type == "tr":
        yield " | ".join(" ".join(line for inline in cell.children for line in lines(inline)) for cell in node.children)
    elif node.type != "hr":
        yield from (line for child in node.children for line in lines(child))


def items(node: SyntaxTreeNode) -> Iterator[str]:
    """The items of a list, each with its dash or number."""
    first = int(node.attrs.get("start", 1))
    for number, item in enumerate(node.children, first):
        mark = "-" if node.type == "bullet_list" else f"{number}."
        own = [line for child in item.children for line in lines(child)] or [""]
        yield f"{mark} {own[0]}".rstrip()
        yield from (f"{INDENT}{line}" for line in own[1:])


def spoken(node: SyntaxTreeNode) -> str:
    """What a reader sees of a piece of a line."""
    words = "".join(map(spoken, node.children)) if node.children else ""
    match node.type:
        case "softbreak":
            return " "
        case "hardbreak":
            return "\n"
        case "link":
            address = str(node.attrs.get("href", ""))
            return words if words in {address, address.removeprefix("mailto:")} else f"{words} ({address})"
    return words or node.content
