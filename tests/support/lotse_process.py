"""Starts a whole Lotse for tests that kill it: real database, worker and HTTP; hash embedder and fake understander.

    python lotse_process.py DATABASE_URL FOLDER PORT [--empty]

FOLDER keeps its files; --empty: without the one article it otherwise knows.
"""

import sys
from contextlib import suppress
from pathlib import Path

from fake_embedder import HashEmbedder
from fakes import FakeUnderstander
from world import INTENTS, by_words

from bot.app import App, build_app
from bot.logs import set_up_logging
from bot.settings import Settings
from kb_index.articles import ArticleDraft, publish_article, save_draft
from kb_index.confidence import store_calibration

ROOT = Path(__file__).parents[2]
TITLE = "VPN-Kennwort zurücksetzen"
BODY = "Öffnen Sie das Portal und wählen Sie **Kennwort zurücksetzen**. Danach gilt das neue VPN-Kennwort sofort."


def main(database_url: str, folder: str, port: str, *options: str) -> None:
    """Serve until the process is ended."""
    settings = Settings.model_validate(
        {
            "database": {"url": database_url},
            "answering": {"merge_window": 0.2},
            "knowledge": {"cache": Path(folder) / "knowledge"},
            "sensitive": {"salary": {"words": ["Gehalt*", "salary"]}},
            "web": {"port": int(port), "people": ROOT / "demo" / "people.yml"},
            "worker": {"lease_seconds": 5},
        }
    )
    set_up_logging(settings.log)
    app = build_app(settings, embedder=HashEmbedder(), understander=FakeUnderstander(INTENTS))
    if app.house.knowledge.status()["articles"] == 0:
        bring_in(app, empty="--empty" in options)
    with suppress(KeyboardInterrupt):
        app.serve()


def bring_in(app: App, *, empty: bool) -> None:
    """What is there at the first start."""
    house = app.house
    with house.sessions.begin() as session:
        store_calibration(session, [by_words(language) for language in ("de", "en")])
    if not empty:
        with house.sessions.begin() as session:
            article_id = save_draft(session, ArticleDraft(TITLE, BODY, "de"), "sabine").id
        publish_article(house.sessions, house.knowledge.embedder, article_id, "sabine")


if __name__ == "__main__":
    main(*sys.argv[1:])
