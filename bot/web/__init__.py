"""Web pages and HTTP API."""

from bot.web.pages import make_web

__all__ = ["make_web"]
