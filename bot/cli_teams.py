"""`lotse teams package`: setting Microsoft Teams up."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from bot.config_file import SettingsError
from bot.terminal import CONFIG, FAILED, ConfigOption, check_target, err, out, settings_from

app = typer.Typer(help="Microsoft Teams.", no_args_is_help=True)
OURS = "Else web.public_url."
EXAMPLES = "[dim]Examples:[/]  "


@app.callback()
def teams() -> None:
    """Microsoft Teams."""


@app.command("package", epilog=f"{EXAMPLES}lotse teams package   ·   lotse teams package --out /tmp/lotse.zip")
def write_package(
    config: ConfigOption = CONFIG,
    target: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")] = Path("lotse-teams.zip"),
    template: Annotated[
        Path | None, typer.Option(help="A folder of your own, changed from Lotse's teams/.", show_default=False)
    ] = None,
    website: Annotated[str | None, typer.Option(help=f"The page about Lotse that Teams shows. {OURS}")] = None,
    privacy: Annotated[str | None, typer.Option(help=f"The page about what happens to data. {OURS}")] = None,
    terms: Annotated[str | None, typer.Option(help=f"The page with the terms of use. {OURS}")] = None,
) -> None:
    """Make the app package that is uploaded to Teams, from its template and the settings, and check it."""
    settings = settings_from(config)
    check_target(target)
    from bot.channels.teams.app import fit  # noqa: PLC0415 - most commands do without
    from bot.channels.teams.app.package import FOLDER, build_package, check_package  # noqa: PLC0415

    links = {"website_url": website, "privacy_url": privacy, "terms_url": terms}
    try:
        package = build_package(settings, template or FOLDER, {name: url for name, url in links.items() if url})
    except SettingsError as error:
        raise SettingsError(config.name, error.faults) from None
    refuse(check_package(package))
    manifest = fit.manifest_in(package)
    refuse(list(fit.unfit(manifest, settings)))
    for lack in filter(None, (*fit.lacking(manifest), fit.own_links(manifest, settings))):
        err().print(f"[yellow]Warning:[/] {escape(lack)}")
    target.write_bytes(package)
    out().print(f"[green]{escape(str(target))} is ready[/]: Lotse at {escape(str(settings.web.public_url))}")
    err().print(
        "Upload it for the whole company: https://admin.teams.microsoft.com > Teams apps > Manage apps > Actions >\n"
        "Upload new app. To try it first: in Teams, Apps > Manage your apps > Upload an app > Upload a custom app.\n"
        "Then, while Lotse runs, add it to each team whose channels the settings name. Teams takes a changed package\n"
        "only with a higher version. docs/teams.md says more.",
        markup=False,
    )


def refuse(faults: list[str]) -> None:
    """Tell what is wrong and end, where there is anything."""
    for fault in faults:
        err().print(f"[bold red]Error:[/] {escape(fault)}")
    if faults:
        err().print("Nothing was written.")
        raise typer.Exit(FAILED)
