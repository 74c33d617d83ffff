"""The same article in two languages is found from either side, however the knowledge base changes."""

from hypothesis import given
from hypothesis import strategies as st

from kb_index.twins import ArticleKey, Twins


def key(slug: str, language: str, *parallel: str, source: str = "docs") -> ArticleKey:
    return ArticleKey(source, slug, language, parallel)


def test_it_is_enough_that_one_names_the_other() -> None:
    twins = Twins()
    twins.change({1: key("vpn-de", "de", "vpn-en"), 2: key("vpn-en", "en"), 3: key("mail-en", "en")}, ())
    assert (twins.of(1, "en"), twins.of(2, "de"), twins.of(3, "de")) == ([2], [1], [])


def test_none_in_the_own_language_and_none_of_an_unknown_article() -> None:
    twins = Twins()
    twins.change({1: key("vpn", "de", "vpn-2"), 2: key("vpn-2", "de", "vpn")}, ())
    assert (twins.of(1, "de"), twins.of(1, "en"), twins.of(7, "en")) == ([], [], [])


def test_the_own_source_comes_first() -> None:
    twins = Twins()
    here, there = key("vpn-en", "en"), key("vpn-en", "en", source="wiki")
    twins.change({1: there, 2: here, 3: key("vpn-de", "de", "vpn-en")}, ())
    assert twins.of(3, "en") == [2, 1]


KEYS = st.builds(
    key,
    st.sampled_from("abc"),
    st.sampled_from(["de", "en"]),
    st.sampled_from("abc"),
    source=st.sampled_from(["one", "two"]),
)
CHANGES = st.lists(st.tuples(st.dictionaries(st.integers(1, 5), KEYS), st.sets(st.integers(1, 5))))


@given(changes=CHANGES)
def test_many_changes_leave_what_one_would(changes: list[tuple[dict[int, ArticleKey], set[int]]]) -> None:
    grown, held = Twins(), dict[int, ArticleKey]()
    for put, drop in changes:
        grown.change(put, drop)
        held = {number: one for number, one in held.items() if number not in drop} | put
    fresh = Twins()
    fresh.change(held, ())
    for number in range(1, 6):
        for language in ("de", "en"):
            assert grown.of(number, language) == fresh.of(number, language)
