"""The command line. Heavy parts are imported when a command needs them."""

import logging
import sys
from importlib.metadata import version
from typing import Annotated

import typer
from rich.markup import escape

from bot import cli_calibrate, cli_doctor, cli_evaluate, cli_explain, cli_kb, cli_replay, cli_slack, cli_teams
from bot.cli_trials import SeveralValues
from bot.config_file import SettingsError
from bot.logs import set_up_logging
from bot.settings import Settings, check_may_serve, settings_hash
from bot.terminal import (
    CONFIG,
    CONFIGURATION,
    FAILED,
    INTERRUPTED,
    OK,
    ConfigOption,
    JsonOption,
    complain,
    err,
    is_expected,
    out,
    print_json,
    settings_from,
)

logger = logging.getLogger(__name__)
EXAMPLES = "[dim]Examples:[/]  "
EXIT_CODES = "[dim]Exit codes:[/]  0 done · 1 failed · 2 wrong use · 3 wrong settings"

app = typer.Typer(
    name="lotse",
    help="Lotse, the first level of an IT helpdesk: answers when it is sure, brings a person when it is not.",
    epilog=f"{EXAMPLES}lotse run --demo   ·   lotse kb import handbook/\n\n{EXIT_CODES}",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
nlu = typer.Typer(help="Understanding what a person wants.", no_args_is_help=True)
db = typer.Typer(help="The database.", no_args_is_help=True)
app.add_typer(cli_kb.app, name="kb")
app.add_typer(nlu, name="nlu")
app.add_typer(db, name="db")
app.add_typer(cli_doctor.app, name="doctor")
app.add_typer(cli_slack.app, name="slack")
app.add_typer(cli_teams.app, name="teams")
app.command(epilog=cli_replay.EPILOG)(cli_replay.replay)
app.command(cls=SeveralValues, epilog=cli_evaluate.EPILOG)(cli_evaluate.evaluate)
app.command(cls=SeveralValues, epilog=cli_calibrate.EPILOG)(cli_calibrate.calibrate)
app.command(epilog=cli_explain.EPILOG)(cli_explain.explain)


def main(arguments: list[str] | None = None, trials: object = None) -> int:
    """Run a command and return its exit code. Expected errors are told in a sentence, others keep their traceback.

    trials: opens the knowledge bases to try out, see `bot/cli_trials.py`.
    """
    try:
        app(arguments, prog_name="lotse", obj=trials)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else OK if end.code is None else FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if not is_expected(error):
            raise
        return complain(error)
    return OK


def print_version(wanted: bool) -> None:
    """Print the version and end."""
    if wanted:
        typer.echo(f"lotse {version('lotse')}")
        raise typer.Exit


@app.callback()
def common(
    show_version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options before the command."""


@app.command(epilog=f"{EXAMPLES}lotse run --demo   ·   lotse run --port 9000")
def run(
    config: ConfigOption = CONFIG,
    demo: Annotated[
        bool, typer.Option("--demo", help="Bring a knowledge base, people and past cases to try with.")
    ] = False,
    host: Annotated[str | None, typer.Option(help="Instead of web.host.")] = None,
    port: Annotated[int | None, typer.Option(help="Instead of web.port; 0 is any free one.", min=0, max=65535)] = None,
) -> None:
    """Start Lotse: the pages for employees, agents and editors, and the work behind them. Ctrl-C ends it."""
    settings = at_address(settings_from(config), host, port)
    check_may_serve(settings)
    set_up_logging(settings.log)
    if settings.notes:
        logger.warning("the settings may not be meant as they are (%d): see lotse check-config", len(settings.notes))
    from bot.app import build_app  # noqa: PLC0415 - seconds

    build_app(settings, demo=demo).serve()


@app.command(epilog=f"{EXAMPLES}lotse chat")
def chat(config: ConfigOption = CONFIG) -> None:
    """Talk to Lotse in this terminal, as an employee would on the web page."""
    settings = settings_from(config)
    set_up_logging(settings.log.model_copy(update={"level": "ERROR"}))
    from bot.app import build_app  # noqa: PLC0415 - seconds

    build_app(settings).chat()


@app.command(epilog=f"{EXAMPLES}lotse check-config   ·   lotse check-config --config other.yml --json")
def check_config(config: ConfigOption = CONFIG, as_json: JsonOption = False) -> None:
    """Read the settings and name everything that is wrong or may not be meant, with its line. Starts nothing."""
    try:
        settings = settings_from(config)
        check_may_serve(settings)
    except SettingsError as error:
        if not as_json:
            raise
        print_json({"ok": False, "file": error.file, "faults": [vars(fault) for fault in error.faults]})
        raise typer.Exit(CONFIGURATION) from None
    if as_json:
        told = {"faults": [], "notes": [vars(note) for note in settings.notes]}
        print_json({"ok": True, "file": config.name, "settings_hash": settings_hash(settings), **told})
        return
    verdict = "can be used" if settings.notes else "is fine"
    out().print(f"[green]{config.name} {verdict}[/] (settings {settings_hash(settings)})")
    for note in settings.notes:
        out().print(f"[yellow]Note:[/] {escape(note.sentence(config.name))}")


@nlu.command(epilog=f"{EXAMPLES}lotse nlu train   ·   lotse nlu train --force")
def train(
    config: ConfigOption = CONFIG,
    force: Annotated[bool, typer.Option("--force", help="Train even when nothing changed.")] = False,
) -> None:
    """Train Rasa on nlu/rasa, if that changed since. Makes Rasa's environment first, where there is none."""
    from nlu.environment import install  # noqa: PLC0415 - most commands do without
    from nlu.training import train as train_rasa  # noqa: PLC0415

    settings = settings_from(config)
    environment = install(settings.nlu.environment, progress=err().print)
    if environment is None:
        raise typer.Exit(FAILED)
    with err().status("Training Rasa (about a minute) ..."):
        model = train_rasa(environment, settings.nlu.models, force=force)
    out().print(f"The model is {model.name}.")


@db.command("upgrade", epilog=f"{EXAMPLES}lotse db upgrade")
def upgrade_database(config: ConfigOption = CONFIG) -> None:
    """Bring the database to this version of Lotse, or create it. Make a backup first."""
    from bot.db import upgrade  # noqa: PLC0415 - most commands do without

    upgrade(settings_from(config).database_url())
    out().print("The database is ready.")


def at_address(settings: Settings, host: str | None, port: int | None) -> Settings:
    """The settings with another address to serve on."""
    given = {name: value for name, value in {"host": host, "port": port}.items() if value is not None}
    return settings.model_copy(update={"web": settings.web.model_copy(update=given)})


if __name__ == "__main__":
    sys.exit(main())
