"""The people of the demo sign-in, and what their roles allow."""

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

Role = Literal["employee", "agent", "third_level", "editor"]


class Visitor(BaseModel):
    """A person who can sign in. id is their id on the platform `web`; team is shown at the sign-in only."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    name: str
    roles: frozenset[Role]
    language: Literal["de", "en"] | None = None
    address: Literal["du", "sie"] | None = None
    team: str = ""

    @property
    def is_agent(self) -> bool:
        return "agent" in self.roles

    @property
    def on_desk(self) -> bool:
        return bool(self.roles & {"agent", "third_level"})

    @property
    def is_editor(self) -> bool:
        return "editor" in self.roles

    @property
    def initials(self) -> str:
        """One or two letters for the round badge."""
        words = [word[0] for word in self.name.split() if word]
        return "".join(words[:1] + words[-1:]).upper() if len(words) > 1 else "".join(words).upper()


def load_people(path: Path) -> dict[str, Visitor]:
    """The people of a `people.yml` by their id; an empty house when the file is not there."""
    if not path.exists():
        return {}
    rows = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("people", [])
    return {visitor.id: visitor for visitor in (Visitor.model_validate(row) for row in rows)}
