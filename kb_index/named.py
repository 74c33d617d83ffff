"""Which article an editor or a source has named as the answer to a question, word for word."""

from collections.abc import Iterable, Mapping, Set

from kb_index.grouping import group_key
from kb_index.masking import mask


def key_of(question: str, language: str) -> str:
    """What two questions have in common that are the same in other words' order, with other courtesy."""
    return f"{language} {group_key(mask(question), language)}"


class Named:
    """Articles by the questions that were written for them. Not safe for use from several threads at once."""

    def __init__(self) -> None:
        self._keys: dict[int, frozenset[str]] = {}
        self._articles: dict[str, set[int]] = {}

    def change(self, put: Mapping[int, Iterable[str]], drop: Iterable[int]) -> None:
        """Forget the articles in drop, then take in those in put: their keys by id."""
        for article in {*drop, *put}:
            for key in self._keys.pop(article, ()):
                self._articles[key].discard(article)
                if not self._articles[key]:
                    del self._articles[key]
        for article, keys in put.items():
            self._keys[article] = frozenset(keys)
            for key in self._keys[article]:
                self._articles.setdefault(key, set()).add(article)

    def articles(self, key: str) -> Set[int]:
        """The articles that were named for a question."""
        return self._articles.get(key, set())
