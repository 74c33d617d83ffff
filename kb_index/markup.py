"""Markdown of articles as clean HTML, as plain text, and the links it may show."""

import re
from collections.abc import Iterable, Iterator
from html import unescape
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

SCHEMES = {"http", "https", "mailto"}
TAGS = {
    *("a", "b", "blockquote", "br", "code", "dd", "del", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr"),
    *(
        "i",
        "kbd",
        "li",
        "ol",
        "p",
        "pre",
        "s",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
    ),
}
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "td": {"align"}, "th": {"align"}}
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
SPACES = re.compile(r"\s+")
AS_A_LIST = re.compile(r"\s*([•–·]|\(?[0-9]{1,2}[.)])\s")  # lines that are meant as a list, and are none in Markdown
JOINED = "\x00"  # stands for a line that went into the next
HTML_TAG = re.compile(r"<[^<>]*>")
HEADING = re.compile(r"#{1,6}[ \t].*|\*\*[^*]*[^*.!?]\*\*:?")  # in bold, one that does not end as a sentence does


def article_html(markdown: str) -> str:
    """Safe HTML of an article. Scripts, styles, images, foreign schemes and event handlers are gone."""
    html = MARKDOWN.render(markdown)
    return nh3.clean(
        html, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel="noopener noreferrer nofollow"
    )


def article_links(markdown: str) -> frozenset[str]:
    """The addresses an article links to (http, https, mailto): the only ones an answer from it may show."""
    hrefs = (str(token.attrGet("href") or "") for token in walk(MARKDOWN.parse(markdown)) if token.type == "link_open")
    return frozenset(href for href in hrefs if urlsplit(href).scheme in SCHEMES)


def plain_text(markdown: str) -> str:
    """The words of a Markdown text in their order, without its marks, addresses and line ends."""
    return SPACES.sub(" ", " ".join(written(MARKDOWN.parse(markdown)))).strip()


def without_bare_heading(markdown: str) -> str:
    """A text without the headings at its end under which nothing stands; one that is all there is stays."""
    above, _, last = markdown.rstrip().rpartition("\n")
    while above and HEADING.fullmatch(last.rstrip()):
        markdown = above.rstrip()
        above, _, last = markdown.rpartition("\n")
    return markdown


def unwrapped(markdown: str) -> str:
    """A text whose paragraphs stand on one line each, as they are read: chats would break them where the file does.
    Breaks that are meant, quotes, tables and code stay."""
    lines = markdown.replace("\r\n", "\n").split("\n")
    depth = 0
    for token in MARKDOWN.parse("\n".join(lines)):
        depth += {"blockquote_open": 1, "blockquote_close": -1}.get(token.type, 0)
        if token.type != "paragraph_open" or token.map is None or depth:
            continue
        for number in range(token.map[0] + 1, min(token.map[1], len(lines))):
            before = lines[number - 1]
            if not before.endswith(("  ", "\\")) and not AS_A_LIST.match(lines[number]):
                lines[number - 1], lines[number] = JOINED, f"{before.rstrip()} {lines[number].lstrip()}"
    return "\n".join(line for line in lines if line != JOINED)


def walk(tokens: Iterable[Token]) -> Iterator[Token]:
    """All tokens, with those inside of lines."""
    for token in tokens:
        yield token
        yield from walk(token.children or ())


def written(tokens: Iterable[Token]) -> Iterator[str]:
    """What a reader sees, block by block."""
    for token in tokens:
        if token.type == "inline":
            yield "".join(spoken(child) for child in token.children or ())
        elif token.type in ("fence", "code_block"):
            yield token.content
        elif token.type == "html_block":
            yield unescape(HTML_TAG.sub(" ", token.content))


def spoken(token: Token) -> str:
    """The text of one inline token; an image speaks by its description."""
    if token.type in ("softbreak", "hardbreak"):
        return " "
    if token.type == "html_inline":
        return " " if HTML_TAG.fullmatch(token.content) else token.content
    return token.content
