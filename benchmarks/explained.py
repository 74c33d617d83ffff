"""Writes docs/explained.md: `lotse explain` on ten questions of each outcome, over the demo's knowledge base.

    python benchmarks/explained.py [--out docs/explained.md]

Real model, the calibration and the settings that ship. Questions: those of demo/questions.yml that are about knowledge,
and fresh ones below; of each outcome the first five German and English ones, filled up by the other language.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from itertools import chain, zip_longest
from pathlib import Path

import yaml

from bot.cli_explain import advice, explained_as_asked, is_answered, is_offered, tell
from bot.db import open_database, upgrade
from bot.settings import Settings
from kb_index.confidence import seed_calibration
from kb_index.embedder import load_embedder
from kb_index.explaining import Explanation
from kb_index.importing import import_folder
from kb_index.search import KnowledgeBase

ROOT = Path(__file__).parents[1]
ANSWERED, ASKED_BACK, HANDED_OVER = "answered", "asked back", "handed over"
OUTCOMES = (ANSWERED, ASKED_BACK, HANDED_OVER)
EACH = 10
WIDE = "110"
FRESH = {
    "de": """
Wie stelle ich eine gelöschte Datei in SharePoint wieder her?
Hallo zusammen, mein VPN trennt sich im Homeoffice alle paar Minuten. Danke!
Mein Gerät ist nicht konform, was nun?
Wie sperre ich mein verlorenes Gerät aus der Ferne?
Der Akku hält nicht lange
Kann ich Teams-Besprechungen aufzeichnen?
Das Mikrofon wird in der Besprechung nicht erkannt
Wie kann ich den Beamer im Konferenzraum einschalten?
Wie sende ich die Protokolle an den Support?
Ich bin im Urlaub, wie richte ich in Outlook eine automatische Antwort ein?
Ich brauche eine Lizenz für Visio
Ich habe eine verdächtige Mail bekommen
Wie verschlüssele ich mein Gerät?
Mein OneDrive synchronisiert nicht mehr
Ich kann eine Datei in SharePoint nicht bearbeiten
Wie lösche ich den Browserverlauf?
Wie teile ich einen Kalender in Outlook?
""",
    "en": """
How do I rename my laptop?
How do I lock my lost laptop remotely?
Hi team, my laptop battery drains within an hour. Thanks!
My phone says it is rooted
How do I encrypt my phone?
Can I get a licence for Visio?
How do I recover a deleted file in SharePoint?
How do I enroll my Windows laptop?
The projector in the meeting room shows no picture
Who can read messages in a channel?
How do I sync my device?
Outlook keeps asking for my password
How do I set a PIN on my device?
I forgot my Windows password
How do I install Office on my laptop?
""",
}


@dataclass(frozen=True)
class Example:
    question: str
    found: Explanation

    @property
    def outcome(self) -> str:
        result = self.found.result
        if result.hits and is_answered(result):
            return ANSWERED
        return ASKED_BACK if result.hits and is_offered(result) else HANDED_OVER

    @property
    def reason(self) -> str:
        """What an editor should read of it."""
        raising = next((one.words for one in self.found.moved if one.contribution > 0), "")
        return next(advice(self.found), f"Nothing to do; the surest sign is {raising}.")


def main() -> None:
    """Explain all, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "explained.md")
    page, settings = parser.parse_args().out, Settings()
    with tempfile.TemporaryDirectory() as work:
        examples = list(explained(settings, Path(work)))
    page.write_text("\n".join(page_of(examples, settings.answering.max_wrong)), "utf-8")


def explained(settings: Settings, work: Path) -> Iterator[Example]:
    """Every question, asked of the demo's articles in a database of its own."""
    url, answering = f"sqlite:///{work / 'demo.db'}", settings.answering
    upgrade(url)
    embedder = load_embedder(settings.knowledge.model, work / "cache", settings.knowledge.embedder)
    with closing(open_database(url)) as sessions:
        import_folder(sessions, embedder, ROOT / "demo" / "kb", source="demo")
        with sessions.begin() as session:
            seed_calibration(session)
        knowledge = KnowledgeBase(sessions, embedder, work / "cache", answering.max_wrong, answering.assurance)
        for language, question in questions():
            yield Example(question, explained_as_asked(knowledge, question, language))


def questions() -> Iterator[tuple[str, str]]:
    """Language and words of each."""
    demo = yaml.safe_load((ROOT / "demo" / "questions.yml").read_text("utf-8"))
    for language, by_kind in demo.items():
        told = [one for kind in ("answered", "ask_back", "unknown") for one in by_kind[kind]]
        words = [one if isinstance(one, str) else one["question"] for one in told]
        yield from ((language, one) for one in (*words, *FRESH[language].strip().splitlines()))


def chosen(examples: Sequence[Example], outcome: str) -> list[Example]:
    """Ten of one outcome, both languages in turns."""
    of_it = [one for one in examples if one.outcome == outcome]
    by_language = [[one for one in of_it if one.found.result.language == language] for language in FRESH]
    return [one for one in chain.from_iterable(zip_longest(*by_language)) if one is not None][:EACH]


def page_of(examples: Sequence[Example], max_wrong: float) -> Iterator[str]:
    """The lines of the page."""
    yield "# Thirty questions explained\n"
    yield "What `lotse explain` says of ten questions of each outcome, over the demo's articles, where at most"
    yield f"{max_wrong:.0%} of the answers may be wrong. Written by `python benchmarks/explained.py`.\n"
    yield "| question | outcome | first article | sure | what an editor should read |\n| --- | --- | --- | --- | --- |"
    picked = {outcome: chosen(examples, outcome) for outcome in OUTCOMES}
    for outcome, of_it in picked.items():
        yield from (row(one, outcome) for one in of_it)
    for outcome, of_it in picked.items():
        yield f"\n## One that is {outcome}\n"
        yield f"```text\n{whole(of_it[1], max_wrong)}\n```"
    yield ""


def row(example: Example, outcome: str) -> str:
    hits = example.found.result.hits
    title, sure = (hits[0].title, f"{hits[0].confidence.probability:.0%}") if hits else ("", "")
    cells = (example.question, outcome, title, sure, example.reason)
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def whole(example: Example, max_wrong: float) -> str:
    """What the command prints."""
    os.environ["COLUMNS"] = WIDE
    with redirect_stdout(StringIO()) as printed:
        tell(example.question, example.found, max_wrong)
    return "\n".join(line.rstrip() for line in printed.getvalue().strip().splitlines())


if __name__ == "__main__":
    main()
