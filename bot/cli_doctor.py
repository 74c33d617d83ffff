"""`lotse doctor slack` and `lotse doctor teams`: whether a platform is set up as Lotse needs it."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from bot.terminal import CONFIG, FAILED, OK, ConfigOption, JsonOption, err, out, print_json, settings_from

if TYPE_CHECKING:
    from bot.channels.findings import Finding
    from bot.settings import Settings

app = typer.Typer(help="Look whether a platform is set up as Lotse needs it.", no_args_is_help=True)
EXAMPLES = "[dim]Examples:[/]  "
COLOURS = {"ok": "green", "warning": "yellow", "wrong": "bold red"}


@app.callback()
def checks() -> None:
    """Look whether a platform is set up as Lotse needs it."""


@app.command("slack", epilog=f"{EXAMPLES}lotse doctor slack   ·   lotse doctor slack --json")
def doctor_slack(config: ConfigOption = CONFIG, as_json: JsonOption = False) -> None:
    """Ask Slack whether token, scopes, channels and clock are right. Each fault is named with its cure.

    In each channel a test card is posted and taken away at once. With a fault the exit code is 1.
    """
    examine_and_tell(settings_from(config), "Slack", slack_findings, as_json=as_json)


@app.command("teams", epilog=f"{EXAMPLES}lotse doctor teams   ·   lotse doctor teams --json")
def doctor_teams(config: ConfigOption = CONFIG, as_json: JsonOption = False) -> None:
    """Ask Microsoft whether credentials, keys, address, channels and clock are right. Each fault is named with a cure.

    In each channel a test card is posted and taken away at once. With a fault the exit code is 1.
    """
    examine_and_tell(settings_from(config), "Teams", teams_findings, as_json=as_json)


def examine_and_tell(
    settings: "Settings", whom: str, examine: "Callable[[Settings], list[Finding]]", *, as_json: bool
) -> None:
    with err().status(f"Asking {whom} ..."):
        findings = examine(settings)
    healthy = all(finding.state != "wrong" for finding in findings)
    if as_json:
        print_json({"ok": healthy, "findings": [asdict(finding) for finding in findings]})
    else:
        tell(findings)
    raise typer.Exit(OK if healthy else FAILED)


def slack_findings(settings: "Settings") -> "list[Finding]":
    from bot.channels.slack.doctor import examine  # noqa: PLC0415 - seconds, like the next two
    from bot.channels.slack.workspaces import open_workspaces  # noqa: PLC0415
    from bot.db import open_database  # noqa: PLC0415

    with closing(open_database(settings.database_url())) as sessions:
        return examine(open_workspaces(settings, sessions), settings)


def teams_findings(settings: "Settings") -> "list[Finding]":
    from bot.channels.teams.doctor import examine  # noqa: PLC0415 - seconds, like the next
    from bot.db import open_database  # noqa: PLC0415

    with closing(open_database(settings.database_url())) as sessions:
        return examine(settings, sessions)


def tell(findings: "Sequence[Finding]") -> None:
    """The findings for a person, one line each, with the cure below."""
    for finding in findings:
        colour = COLOURS[finding.state]
        out().print(f"[{colour}]{finding.state:<8}[/]{escape(finding.check)}: {escape(finding.text)}")
        if finding.cure:
            out().print(f"        → {escape(finding.cure)}")
