"""`lotse kb`: taking articles in, asking them, and what there is."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from bot.settings import Settings
from bot.terminal import CONFIG, FAILED, OK, ConfigOption, JsonOption, err, out, print_json, settings_from

if TYPE_CHECKING:
    from kb_index.importing import ImportReport
    from kb_index.port import Hit, SearchResult
    from kb_index.search import KnowledgeBase

app = typer.Typer(help="The knowledge base: take articles in, ask them.", no_args_is_help=True)
EXAMPLES = "[dim]Examples:[/]  "


@app.command("import", epilog=f"{EXAMPLES}lotse kb import handbook/   ·   lotse kb import faq/ --source faq --json")
def import_articles(
    path: Annotated[Path, typer.Argument(help="A folder of Markdown, HTML, PDF, DOCX, CSV and XLSX files.")],
    config: ConfigOption = CONFIG,
    source: Annotated[
        str | None, typer.Option(help="The name these articles go by; the folder's, if not given.")
    ] = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Withdraw what is gone, even if the folder is empty or unreadable.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Take in what is new or changed in a folder, and withdraw what is gone from it.

    What is unchanged is left alone, so running it again is cheap; it can be interrupted at any time.

    A file that cannot be read is named with its reason and does not stop the rest; the exit code is then 1.
    """
    settings = settings_from(config)
    with knowledge_base(settings) as knowledge, progress_bar("Importing") as advance:
        from kb_index.articles import import_folder  # noqa: PLC0415 - heavy

        report = import_folder(
            knowledge.sessions, knowledge.embedder, path, source=source, prune=prune, progress=advance
        )
    if as_json:
        print_json(report.to_json())
    else:
        tell_import(report, path)
    raise typer.Exit(FAILED if has_trouble(report) else OK)


@app.command(epilog=f'{EXAMPLES}lotse kb search "VPN geht nicht"   ·   lotse kb search "reset my password" --lang en')
def search(
    question: Annotated[str, typer.Argument(help="A question, as a person would ask it.")],
    config: ConfigOption = CONFIG,
    lang: Annotated[
        Literal["de", "en"] | None, typer.Option(help="The question's language; recognised, if not given.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what Lotse would find for a question, how sure it is, and from where on it answers."""
    settings = settings_from(config)
    with knowledge_base(settings) as knowledge:
        result = knowledge.search(question, lang or language_of(question, settings))
    if as_json:
        print_json(as_plain(result))
    else:
        tell_search(result)


@app.command(epilog=f"{EXAMPLES}lotse kb status --json")
def status(config: ConfigOption = CONFIG, as_json: JsonOption = False) -> None:
    """Count articles and passages, and show model, calibration and thresholds."""
    with knowledge_base(settings_from(config)) as knowledge:
        found = knowledge.status()
    if as_json:
        print_json(found)
    else:
        tell_status(found)


@contextmanager
def knowledge_base(settings: Settings) -> Iterator["KnowledgeBase"]:
    """The knowledge base of these settings, its database brought to the newest migration."""
    with err().status("Loading the model ..."):
        from bot.db import open_database, upgrade  # noqa: PLC0415 - seconds, like the next three
        from kb_index.confidence import seed_calibration  # noqa: PLC0415
        from kb_index.embedder import load_embedder  # noqa: PLC0415
        from kb_index.search import KnowledgeBase  # noqa: PLC0415

        upgrade(settings.database_url())
        sessions = open_database(settings.database_url())
        with closing(sessions):
            with sessions.begin() as session:
                seed_calibration(session)
            embedder = load_embedder(settings.knowledge.model, settings.knowledge.cache, settings.knowledge.embedder)
    with closing(sessions):
        risk = (settings.answering.max_wrong, settings.answering.assurance)
        yield KnowledgeBase(sessions, embedder, settings.knowledge.cache, *risk)


@contextmanager
def progress_bar(what: str) -> Iterator[Any]:
    """A bar on standard error; gives the function to call with (done, total)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err(), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def language_of(question: str, settings: Settings) -> str:
    """The question's language, or the default where it is too short to tell."""
    from nlu.language import detect_language  # noqa: PLC0415 - 100 MB of language models

    return detect_language(question) or settings.language.default


def has_trouble(report: "ImportReport") -> bool:
    """Whether somebody should look: files that could not be read, a folder out of reach, nothing found."""
    return bool(report.failed or report.not_removed) or not is_anything(report)


def is_anything(report: "ImportReport") -> bool:
    """Whether the folder held any article, or lost one."""
    return bool(report.added or report.changed or report.unchanged or report.removed or report.failed)


def tell_import(report: "ImportReport", path: Path) -> None:
    """The outcome of an import for a person."""
    counts = f"{report.added} new, {report.changed} changed, {report.unchanged} unchanged, {report.removed} withdrawn"
    out().print(f"[bold]{escape(report.source)}[/]: {counts}")
    out().print(f"{report.embedded_passages} passages embedded in {report.seconds:.1f} s")
    for name, reason in report.failed:
        err().print(f"[yellow]not taken in:[/] {escape(str(path / name))}: {escape(reason)}")
    if report.not_removed:
        err().print(f"[yellow]not withdrawn:[/] {escape(report.not_removed)}")
    if not is_anything(report):
        err().print(f"[yellow]nothing found:[/] {escape(str(path))} holds no file of a kind Lotse reads")


def tell_search(result: "SearchResult") -> None:
    """The hits of a search for a person."""
    if not result.hits:
        out().print("Nothing found.")
        return
    table = Table("sure", "title", "passage", "article")
    for hit in result.hits:
        table.add_row(f"{hit.confidence.probability:.0%}", escape(hit.title), escape(hit.heading), str(hit.article_id))
    out().print(table)
    out().print(verdict(result))


def verdict(result: "SearchResult") -> str:
    """What Lotse would do with this, as far as the search decides it."""
    first: Hit = result.hits[0]
    limits = f"answers from {percent(result.answer_from)}, asks back from {percent(result.ask_from)}"
    if result.answer_from is not None and first.confidence.probability >= result.answer_from:
        return f"[green]It would be answered[/] ({limits})."
    if result.ask_from is not None and result.among_first.probability >= result.ask_from:
        return f"[yellow]It would be asked back[/] ({limits}; among the first: {result.among_first.probability:.0%})."
    return f"[red]A person would be brought in[/] ({limits})."


def percent(share: float | None) -> str:
    """A threshold for people."""
    return "never" if share is None else f"{share:.0%}"


def tell_status(found: dict[str, Any]) -> None:
    """The state of the knowledge base for a person."""
    out().print(f"{found['articles']} articles, {found['passages']} passages, version {found['index_version']}")
    out().print(f"Model {escape(found['model'])}; at most {found['max_wrong']:.0%} wrong answers wanted")
    for language, fitted in found["calibrations"].items():
        from_, ask = percent(fitted.get("answer_from")), percent(fitted.get("ask_from"))
        out().print(f"{language}: answers from {from_}, asks back from {ask} ({escape(fitted['name'])})")
    for warning in found["warnings"]:
        err().print(f"[yellow]{escape(warning)}[/]")


def as_plain(result: "SearchResult") -> dict[str, Any]:
    """A search result as plain values."""
    from dataclasses import asdict  # noqa: PLC0415

    return asdict(result)
