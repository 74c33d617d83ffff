"""Whether an app package is for this Lotse, and holds what the docs promise: Teams would take it in any case."""

import io
import zipfile
from collections.abc import Iterator

from bot.channels.findings import rooms
from bot.channels.teams.app.check import MANIFEST
from bot.channels.teams.app.manifest import Bot, Manifest
from bot.settings import Settings

RESOURCE_RIGHTS = "authorization.permissions.resourceSpecific"
# What is lost without them.
SCOPES = {
    "personal": "nobody can chat with Lotse, and nothing reaches an employee outside the channels",
    "team": "Lotse cannot be added to teams, so nobody can ask or work on tickets in channels",
    "groupChat": "nobody can ask Lotse in a group chat",
}
TEAM_RIGHTS = {
    "ChannelMessage.Read.Group": "Lotse hears mentions only: agents' replies in a ticket's thread are lost, and so is "
    "what stands in help channels without a mention",
    "ChannelMember.Read.Group": "Lotse does not learn who is in a private or shared channel, so nobody there can be an "
    "agent",
}
RIGHTS = {
    "identity": "who adds Lotse is not told that it learns names and languages",
    "messageTeamMembers": "who adds Lotse is not told that it may write to members of the team",
}
LINKS = {"website_url": "websiteUrl", "privacy_url": "privacyUrl", "terms_of_use_url": "termsOfUseUrl"}
OPTIONS = {"website_url": "--website", "privacy_url": "--privacy", "terms_of_use_url": "--terms"}


def manifest_in(package: bytes) -> Manifest:
    """The manifest of a package in which check_package finds nothing wrong."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return Manifest.model_validate_json(archive.read(MANIFEST))


def unfit(manifest: Manifest, settings: Settings) -> Iterator[str]:
    """Why the app could not work with these settings, one sentence each with what to do."""
    bot, ours = manifest.bots[0], str(settings.teams.app_id)
    if bot.bot_id.lower() != ours:
        text = f"the app is for the bot {bot.bot_id}, but teams.app_id is {ours}"
        yield f"{MANIFEST}: {text}: write ${{app_id}} for its ids in the template, or correct teams.app_id"
    if bot.is_notification_only:
        yield f"{MANIFEST}: bots[0].isNotificationOnly is true, so nobody can write to Lotse: make it false"
    named = rooms(settings, "teams", settings.teams.help_channels)
    if named and "team" not in bot.scopes:
        use = f"the settings name the channel {named[0].channel} ({named[0].use})"
        yield f'{MANIFEST}: bots[0].scopes lacks team, but {use}: add "team", or take the channels out of the settings'


def lacking(manifest: Manifest) -> Iterator[str]:
    """What the docs promise and this app does not have; a company may want it so."""
    bot = manifest.bots[0]
    yield from lacking_places(bot)
    asked = {right.name for right in manifest.rights() if right.type == "Application"}
    for name in (name for name in TEAM_RIGHTS if name not in asked and "team" in bot.scopes):
        yield f"{MANIFEST}: {RESOURCE_RIGHTS} lacks {name} (type Application): {TEAM_RIGHTS[name]}"
    for right in (right for right in RIGHTS if right not in manifest.permissions):
        yield f"{MANIFEST}: permissions lacks {right}: {RIGHTS[right]}"
    if not opens_tickets(manifest):
        text = "composeExtensions has no action openTicket on messages with fetchTask: nobody finds"
        yield f"{MANIFEST}: {text} Open a ticket at a message"


def lacking_places(bot: Bot) -> Iterator[str]:
    for scope in (scope for scope in SCOPES if scope not in bot.scopes):
        yield f"{MANIFEST}: bots[0].scopes lacks {scope}: {SCOPES[scope]}"
    if not bot.supports_files and "personal" in bot.scopes:
        yield f"{MANIFEST}: bots[0].supportsFiles is false: nobody can send Lotse a file in their chat"


def opens_tickets(manifest: Manifest) -> bool:
    commands = [command for extension in manifest.compose_extensions for command in extension.commands]
    return any(
        command.id == "openTicket" and command.type == "action" and "message" in command.context and command.fetch_task
        for command in commands
    )


def own_links(manifest: Manifest, settings: Settings) -> str | None:
    """Which of the links that Teams shows of the app lead to Lotse itself, and what to do; None where none does."""
    ours = str(settings.web.public_url).rstrip("/")
    own = [name for name in LINKS if getattr(manifest.developer, name).rstrip("/") == ours]
    if not own:
        return None
    names, options = ", ".join(LINKS[name] for name in own), " ".join(f"{OPTIONS[name]} URL" for name in own)
    return f"{names}: Teams shows everybody these links, and they lead to Lotse's pages; name yours with {options}"
