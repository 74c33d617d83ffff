"""`lotse doctor slack` and `lotse slack key`: setting Slack up."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from bot.terminal import CONFIG, FAILED, OK, ConfigOption, JsonOption, err, out, print_json, settings_from

if TYPE_CHECKING:
    from bot.doctor_slack import Finding
    from bot.settings import Settings

doctor = typer.Typer(help="Look whether a platform is set up as Lotse needs it.", no_args_is_help=True)
app = typer.Typer(help="Slack.", no_args_is_help=True)
EXAMPLES = "[dim]Examples:[/]  "
COLOURS = {"ok": "green", "warning": "yellow", "wrong": "bold red"}


@doctor.callback()
def checks() -> None:
    """Look whether a platform is set up as Lotse needs it."""


@app.callback()
def slack() -> None:
    """Slack."""


@doctor.command("slack", epilog=f"{EXAMPLES}lotse doctor slack   ·   lotse doctor slack --json")
def doctor_slack(config: ConfigOption = CONFIG, as_json: JsonOption = False) -> None:
    """Ask Slack whether token, scopes, channels and clock are right. Each fault is named with its cure.

    In each channel a test card is posted and taken away at once. With a fault the exit code is 1.
    """
    settings = settings_from(config)
    with err().status("Asking Slack ..."):
        findings = examined(settings)
    healthy = all(finding.state != "wrong" for finding in findings)
    if as_json:
        print_json({"ok": healthy, "findings": [asdict(finding) for finding in findings]})
    else:
        tell(findings)
    raise typer.Exit(OK if healthy else FAILED)


@app.command("key", epilog=f"{EXAMPLES}lotse slack key")
def new_key() -> None:
    """Make a key that encrypts the tokens of installed workspaces in the database."""
    from cryptography.fernet import Fernet  # noqa: PLC0415 - most commands do without

    typer.echo(Fernet.generate_key().decode())
    err().print(
        "Keep it where you keep passwords, not in config.yml. Before starting Lotse:\n"
        "  export LOTSE_SLACK_TOKEN_KEY='...'\n"
        "and in config.yml, in the section slack:\n"
        "  token_key_env: LOTSE_SLACK_TOKEN_KEY\n"
        "To change a key: export LOTSE_SLACK_TOKEN_KEY='new,old', start Lotse once, then export the new one alone.",
        markup=False,
    )


def examined(settings: "Settings") -> "list[Finding]":
    """What the doctor finds."""
    from bot.channels.slack_workspaces import open_workspaces  # noqa: PLC0415 - seconds, like the next two
    from bot.db import open_database  # noqa: PLC0415
    from bot.doctor_slack import examine  # noqa: PLC0415

    with closing(open_database(settings.database_url())) as sessions:
        return examine(open_workspaces(settings, sessions), settings)


def tell(findings: "Sequence[Finding]") -> None:
    """The findings for a person, one line each, with the cure below."""
    for finding in findings:
        colour = COLOURS[finding.state]
        out().print(f"[{colour}]{finding.state:<8}[/]{escape(finding.check)}: {escape(finding.text)}")
        if finding.cure:
            out().print(f"        → {escape(finding.cure)}")
