"""What is read in a text before a chat platform draws it: Markdown of Lotse and of articles, code in people's words."""

import re
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

MOST_NESTED = 60
PARSER = MarkdownIt("commonmark", {"html": False, "maxNesting": MOST_NESTED}).enable(["table", "strikethrough"])
STYLES = {"strong": "bold", "em": "italic", "s": "strike"}  # by the parser's names
WEB = ("https://", "http://")
SCHEMES = (*WEB, "mailto:")
FENCE = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
CODE_SPAN = re.compile(r"`([^`\n]+)`")


def parsed(markdown: str) -> SyntaxTreeNode | None:
    """The document; None where it is nested so deeply that the parser would leave out parts of it. HTML is text."""
    tokens = PARSER.parse(markdown)
    if max((nesting(token) for token in tokens), default=0) >= MOST_NESTED - 2:
        return None
    return SyntaxTreeNode(tokens)


def nesting(token: Token) -> int:
    return token.level + max((child.level for child in token.children or ()), default=0)


def says_more(url: str, label: str) -> bool:
    """Whether an address says something that the words do not which stand for it."""
    return bool(url) and label not in spellings(url)


def spellings(url: str) -> set[str]:
    """How an address may be written by who means it: without its scheme, with umlauts."""
    bare = {url, unquote(url)}
    return bare | {one.removeprefix(scheme).rstrip("/") for one in bare for scheme in SCHEMES}
