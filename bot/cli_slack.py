"""`lotse slack key`: setting Slack up."""

import typer

from bot.terminal import err

app = typer.Typer(help="Slack.", no_args_is_help=True)
EXAMPLES = "[dim]Examples:[/]  "


@app.callback()
def slack() -> None:
    """Slack."""


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
