"""The same article in several languages: whose counterpart an article is."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass


@dataclass(frozen=True)
class ArticleKey:
    """What tells an article's counterparts. parallel: their slugs; a slug is unique in its source only."""

    source: str
    slug: str
    language: str
    parallel: tuple[str, ...]


class Twins:
    """Counterparts of articles. It is enough that one of two names the other. Not safe for use from several threads."""

    def __init__(self) -> None:
        self._articles: dict[int, ArticleKey] = {}
        self._by_slug: dict[str, set[int]] = {}
        self._named_by: dict[str, set[int]] = {}

    def change(self, put: Mapping[int, ArticleKey], drop: Iterable[int]) -> None:
        """Forget the articles in drop, then add or replace those in put."""
        for number in {*drop, *put}:
            if (old := self._articles.pop(number, None)) is not None:
                for index, slug in places(self._by_slug, self._named_by, old):
                    index[slug].discard(number)
                    if not index[slug]:
                        del index[slug]
        for number, new in put.items():
            self._articles[number] = new
            for index, slug in places(self._by_slug, self._named_by, new):
                index.setdefault(slug, set()).add(number)

    def of(self, article: int, language: str) -> list[int]:
        """The counterparts of an article in a language, those of its own source first; none in its own language."""
        one = self._articles.get(article)
        if one is None or one.language == language:
            return []
        named: Set[int] = {number for slug in one.parallel for number in self._by_slug.get(slug, ())}
        found = named | self._named_by.get(one.slug, set())
        here = [number for number in found if self._articles[number].language == language]
        return sorted(here, key=lambda number: (self._articles[number].source != one.source, number))


def places(
    by_slug: dict[str, set[int]], named_by: dict[str, set[int]], one: ArticleKey
) -> Iterable[tuple[dict[str, set[int]], str]]:
    """Where an article stands in both indexes."""
    yield by_slug, one.slug
    for slug in one.parallel:
        yield named_by, slug
