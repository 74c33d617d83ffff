"""A question that was written for an article is known again, whatever stands around it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_index.named import Named, key_of


@pytest.mark.parametrize(
    ("written", "asked", "same"),
    [
        ("Ich brauche einen neuen Monitor", "Hallo, ich brauche bitte einen neuen Monitor!", True),
        ("How do I order a monitor?", "order a monitor", True),
        ("Ich brauche einen neuen Monitor", "Ich brauche einen neuen Drucker", False),
    ],
)
def test_courtesy_and_order_do_not_matter(written: str, asked: str, same: bool) -> None:
    language = "de" if "Ich" in written else "en"
    assert (key_of(written, language) == key_of(asked, language)) is same


def test_languages_are_kept_apart() -> None:
    assert key_of("Monitor", "de") != key_of("Monitor", "en")


KEYS = st.sets(st.sampled_from("abcd"))
CHANGES = st.lists(st.tuples(st.dictionaries(st.integers(1, 4), KEYS), st.sets(st.integers(1, 4))))


@given(changes=CHANGES)
def test_many_changes_leave_what_was_written_last(changes: list[tuple[dict[int, set[str]], set[int]]]) -> None:
    named, held = Named(), dict[int, set[str]]()
    for put, drop in changes:
        named.change(put, drop)
        held = {number: keys for number, keys in held.items() if number not in drop} | put
    for key in "abcd":
        assert named.articles(key) == {number for number, keys in held.items() if key in keys}
