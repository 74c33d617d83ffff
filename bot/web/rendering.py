"""Templates, and how texts, times and sizes look in them."""

from datetime import date, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markdown_it import MarkdownIt
from markupsafe import Markup

from bot.texts import Texts
from bot.web.context import get_texts, get_web, page_language, signed_in
from bot.web.csrf import csrf_token
from handoff.models import Kind
from kb_index.markup import article_html

HERE = Path(__file__).parent
STATIC = HERE / "static"
# What Lotse says can carry words of other people: no links, no HTML, no images.
SAYING = MarkdownIt("zero", {"html": False, "breaks": True}).enable(
    ["emphasis", "list", "backticks", "newline", "fence", "heading", "escape"]
)


@cache
def environment() -> Environment:
    """The templates; everything is escaped, and a name that is missing is an error."""
    jinja = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.filters.update(article=article, saying=saying, size=size)
    jinja.globals["asset"] = asset
    jinja.policies["urlize.rel"] = "noopener noreferrer nofollow"
    jinja.policies["urlize.target"] = "_blank"
    return jinja


def article(markdown: str, title: str = "") -> Markup:
    """The text of an article as HTML, without its first heading where that repeats the title."""
    first, _, rest = markdown.lstrip().partition("\n")
    repeats = first.startswith("# ") and first[2:].strip().casefold() == title.strip().casefold()
    return Markup(article_html(rest if repeats else markdown))  # noqa: S704 - cleaned by nh3


def saying(text: str, kind: str = Kind.SAY) -> Markup:
    """What Lotse says as HTML: an answer with the links of its article, anything else without."""
    html = article_html(text) if kind == Kind.ANSWER else SAYING.render(text)
    return Markup(html)  # noqa: S704 - cleaned by nh3, or rendered with HTML and links turned off


def size(count: int) -> str:
    """Bytes as people read them."""
    if count < 1024:
        return f"{count} B"
    return f"{count / 1024:.0f} kB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MB"


@cache
def asset(name: str) -> str:
    """The address of a static file, different after every change of the file."""
    return f"/static/{name}?v={sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


class Clock:
    """Times as people read them, in the zone and the language of the page."""

    def __init__(self, request: Request, texts: Texts) -> None:
        web = get_web(request)
        self.zone, self.now, self.texts = web.settings.service.timezone, web.now(), texts

    def time(self, at: datetime) -> str:
        """`14:05` today, `24.11. 14:05` before."""
        local, today = at.astimezone(self.zone), self.now.astimezone(self.zone)
        if local.date() == today.date():
            return f"{local:%H:%M}"
        day = f"{local:%d.%m.}" if self.texts.language == "de" else f"{local.day} {local:%b}"
        return f"{day} {local:%H:%M}"

    def day(self, at: datetime | date) -> str:
        """`24.11.2026` or `24 Nov 2026`."""
        local = at.astimezone(self.zone) if isinstance(at, datetime) else at
        return f"{local:%d.%m.%Y}" if self.texts.language == "de" else f"{local.day} {local:%b %Y}"


def page(request: Request, template: str, status_code: int = 200, **values: Any) -> HTMLResponse:
    """A template as an answer, with what every template needs: texts, visitor, clock, token."""
    texts = get_texts(request)
    shared = {
        "t": texts,
        "label": Label(texts),
        "language": page_language(request),
        "visitor": signed_in(request),
        "clock": Clock(request, texts),
        "csrf": csrf_token(request),
        "path": request.url.path,
        "whole_path": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        "upload_limit_mb": get_web(request).settings.web.upload_limit_mb,
    }
    return HTMLResponse(environment().get_template(template).render(shared | values), status_code)


class Label:
    """The words for a value of the record (`state`, `new`); a value without words is shown as it is."""

    def __init__(self, texts: Texts) -> None:
        self.texts = texts

    def __call__(self, field: str, value: object) -> str:
        key = f"{field}_{value}"
        return self.texts(key) if key in self.texts.catalogue else str(value)
