"""What the manifest of a Teams app looks like: the keys Lotse uses, with their forms and limits in manifest 1.25."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

SCHEMAS = "https://developer.microsoft.com/json-schemas/teams/v1.25"
SCHEMA = f"{SCHEMAS}/MicrosoftTeams.schema.json"
SHORT_NAME, FULL_NAME, SHORT_DESCRIPTION, FULL_DESCRIPTION = 30, 100, 80, 4000
COMMAND_TITLE, COMMAND_DESCRIPTION = 128, 4000
EXTENSION_TITLE, EXTENSION_DESCRIPTION = 32, 128
Scope = Literal["personal", "team", "groupChat"]


def like(pattern: str, cure: str) -> AfterValidator:
    """A text of this pattern; cure: what it must be."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(cure)
        return value

    return AfterValidator(check)


Guid = Annotated[
    str, like(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "must be an ID of 8-4-4-4-12 hex digits")
]
Url = Annotated[
    str,
    Field(max_length=2048),
    like(r"https://[^/\s]+(/\S*)?", "must be an address that begins with https://"),
]
Domain = Annotated[
    str,
    Field(max_length=2048),
    like(
        r"(\*\.)?[\w-]+(\.[\w-]+)*(:\d+)?", "must be a domain alone, as helpdesk.example.org, without https:// and path"
    ),
]
AppVersion = Annotated[
    str, Field(max_length=256), like(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", "must be three numbers, as 1.0.2")
]
Colour = Annotated[str, like(r"#[0-9a-fA-F]{6}", "must be a colour as #0F5C6E")]
Language = Annotated[str, like(r"[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8}){0,2}", "must be a language as de or en-us")]
FileName = Annotated[
    str, like(r"[\w-]+(\.[\w-]+)*", "must be the name of a file beside manifest.json, without folders")
]
Right = Annotated[
    str, Field(max_length=128), like(r"[A-Za-z]+(\.[A-Za-z]+)+", "must be a right as ChannelMessage.Read.Group")
]
SchemaUrl = Annotated[str, like(re.escape(SCHEMA), f"must be {SCHEMA}")]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, alias_generator=to_camel)


class Translation(Part):
    language_tag: Language
    file: FileName


class LocalizationInfo(Part):
    default_language_tag: Language
    additional_languages: list[Translation] = []


class Developer(Part):
    name: Annotated[str, Field(min_length=1, max_length=32)]
    website_url: Url
    privacy_url: Url
    terms_of_use_url: Url


class Name(Part):
    short: Annotated[str, Field(min_length=1, max_length=SHORT_NAME)]
    full: Annotated[str, Field(min_length=1, max_length=FULL_NAME)]


class Description(Part):
    short: Annotated[str, Field(min_length=1, max_length=SHORT_DESCRIPTION)]
    full: Annotated[str, Field(min_length=1, max_length=FULL_DESCRIPTION)]


class Icons(Part):
    color: FileName
    outline: FileName


class Command(Part):
    title: Annotated[str, Field(min_length=1, max_length=COMMAND_TITLE)]
    description: Annotated[str, Field(min_length=1, max_length=COMMAND_DESCRIPTION)]


class CommandList(Part):
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=3)]
    commands: Annotated[list[Command], Field(min_length=1, max_length=12)]


class Bot(Part):
    bot_id: Guid
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=3)]
    supports_files: bool
    is_notification_only: bool
    command_lists: Annotated[list[CommandList], Field(max_length=3)] = []


class ExtensionCommand(Part):
    id: Annotated[str, Field(min_length=1, max_length=64)]
    type: Literal["query", "action"]
    context: Annotated[list[Literal["compose", "commandBox", "message"]], Field(min_length=1, max_length=3)]
    fetch_task: bool
    title: Annotated[str, Field(min_length=1, max_length=EXTENSION_TITLE)]
    description: Annotated[str, Field(min_length=1, max_length=EXTENSION_DESCRIPTION)]


class ComposeExtension(Part):
    bot_id: Guid
    commands: Annotated[list[ExtensionCommand], Field(min_length=1, max_length=10)]


class WebApplicationInfo(Part):
    id: Guid
    resource: Annotated[str, Field(min_length=1, max_length=2048)]


class ResourceRight(Part):
    name: Right
    type: Literal["Application", "Delegated"]


class Permissions(Part):
    resource_specific: Annotated[list[ResourceRight], Field(max_length=16)] = []


class Authorization(Part):
    permissions: Permissions


class GroupCapability(Part):
    team: Literal["bot"] | None = None
    groupchat: Literal["bot"] | None = None


class Manifest(Part):
    """The part of the manifest of Teams that Lotse uses."""

    schema_url: Annotated[SchemaUrl, Field(alias="$schema")]
    manifest_version: Literal["1.25"]
    version: AppVersion
    id: Guid
    localization_info: LocalizationInfo
    developer: Developer
    name: Name
    description: Description
    icons: Icons
    accent_color: Colour
    bots: Annotated[list[Bot], Field(min_length=1, max_length=1)]
    compose_extensions: Annotated[list[ComposeExtension], Field(max_length=1)] = []
    permissions: Annotated[list[Literal["identity", "messageTeamMembers"]], Field(max_length=2)] = []
    valid_domains: Annotated[list[Domain], Field(max_length=16)] = []
    web_application_info: WebApplicationInfo | None = None
    authorization: Authorization | None = None
    supports_channel_features: Literal["tier1"] | None = None
    default_install_scope: Scope | None = None
    default_group_capability: GroupCapability | None = None
    publisher_docs_url: Url | None = None
    default_block_until_admin_action: bool = False

    def rights(self) -> list[ResourceRight]:
        """What it asks for in teams and chats (resource-specific consent)."""
        return self.authorization.permissions.resource_specific if self.authorization else []

    def texts(self) -> dict[str, int]:
        """The paths of everything people read, as a language file names them, and how long each may be."""
        limits = {"name.short": SHORT_NAME, "name.full": FULL_NAME}
        limits |= {"description.short": SHORT_DESCRIPTION, "description.full": FULL_DESCRIPTION}
        for at, commands in enumerate(self.bots[0].command_lists):
            for index in range(len(commands.commands)):
                path = f"bots[0].commandLists[{at}].commands[{index}]"
                limits |= {f"{path}.title": COMMAND_TITLE, f"{path}.description": COMMAND_DESCRIPTION}
        for at, extension in enumerate(self.compose_extensions):
            for index in range(len(extension.commands)):
                path = f"composeExtensions[{at}].commands[{index}]"
                limits |= {f"{path}.title": EXTENSION_TITLE, f"{path}.description": EXTENSION_DESCRIPTION}
        return limits
