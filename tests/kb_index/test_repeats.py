"""Copies of an article stand behind what is not yet said."""

import pytest

from kb_index.repeats import repeats, repeats_behind

LONG = "Open the settings, choose network, then VPN, and press connect."


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("VPN", LONG), ("VPN", LONG), True),
        (("VPN", LONG), ("  vpn ", LONG.replace("connect", "**connect**")), True),
        (("VPN", LONG), ("VPN", "Ask your manager."), False),
        (("Printer on the second floor", LONG), ("Printer on the third floor", LONG), False),
        (("VPN", ""), ("VPN", ""), False),
    ],
)
def test_below_one_title_the_same_words(one: tuple[str, str], other: tuple[str, str], same: bool) -> None:
    assert repeats(one, other) is same


def test_copies_keep_their_order_behind_the_others() -> None:
    assert repeats_behind([("A", LONG), ("A", LONG), ("B", "Other."), ("A", LONG), ("C", LONG)]) == [0, 2, 4, 1, 3]
    assert repeats_behind([]) == []
