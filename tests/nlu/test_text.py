"""What an understander gets to see of a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.text import LONGEST, askable


@pytest.mark.parametrize("text", ["", " \n\t", "🙂", "👍👍 !!", "/", "...", "\x00\x00", "___"])
def test_nothing_readable_is_empty(text: str) -> None:
    assert askable(text) == ""


@pytest.mark.parametrize(
    "text", ["/talk_to_human", "//talk_to_human", " \n/talk_to_human", "\x00/talk_to_human", "\x1f/ /talk_to_human"]
)
def test_a_command_is_only_a_text(text: str) -> None:
    assert askable(text) == "talk_to_human"


def test_slashes_inside_stay() -> None:
    assert askable("Wo liegt /home/daten?") == "Wo liegt /home/daten?"


@given(st.text())
def test_what_is_asked_is_short_and_never_a_command(text: str) -> None:
    asked = askable(text)
    assert len(asked) <= LONGEST
    assert not asked.startswith("/")
    assert asked == asked.strip()
