"""The sentences of Lotse: one catalogue, German (du and Sie) and English."""

from functools import cache
from pathlib import Path

import yaml

CHAT_PLATFORMS = ("slack", "teams")


class Texts:
    """Sentences in one language and form of address. language: `de` or `en`; address: `du` or `sie`."""

    def __init__(self, language: str, address: str = "sie", catalogue: str = "replies") -> None:
        self.language = language
        self.address = address
        self.catalogue = load_catalogue(catalogue)

    def __call__(self, key: str, **values: object) -> str:
        """The sentence of this key. Raises KeyError for an unknown key or a missing value."""
        entry = self.catalogue[key]
        variant = "en" if self.language == "en" else "de" if "de" in entry else self.address
        return entry[variant].format_map(values)

    def label(self, kind: str, name: str) -> str:
        """What a category or queue is called; its own name where the operator chose one that we have no word for."""
        entry = load_catalogue("pages").get(f"{kind}_{name}", {})
        return entry.get(self.language, name)


@cache
def load_catalogue(name: str) -> dict[str, dict[str, str]]:
    """The catalogue of this name, read once; that of a chat platform holds what all of them say, too."""
    text = (Path(__file__).parent / f"{name}.yml").read_text(encoding="utf-8")
    own: dict[str, dict[str, str]] = yaml.safe_load(text)
    return load_catalogue("chat") | own if name in CHAT_PLATFORMS else own
