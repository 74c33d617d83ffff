"""Choices can be told apart, fit on a button, and never repeat an article."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.choices import LONGEST_LABEL, choice_label, distinct
from kb_index.port import Confidence, Hit

SURE = Confidence(0.5, 0.4, 0.6)
FAQ = "FairEmail FAQ"


def hit(article_id: int, title: str = FAQ, heading: str = "", text: str = "") -> Hit:
    return Hit(article_id, article_id, title, heading, text, "en", None, None, 1, None, None, {}, SURE)


def labels(*hits: Hit) -> list[str]:
    return [choice_label(one, hits) for one in hits]


def test_a_title_of_its_own_is_the_label() -> None:
    assert labels(hit(1, "VPN", "Windows"), hit(2, "Drucker", "Windows")) == ["VPN", "Drucker"]


def test_a_repeated_title_is_told_apart_by_the_heading() -> None:
    push, idle = hit(1, heading="FAQ › Push messages"), hit(2, heading="FAQ › Battery use")
    assert labels(push, idle) == ["FairEmail FAQ: Push messages", "FairEmail FAQ: Battery use"]


def test_a_repeated_last_heading_is_told_by_its_path() -> None:
    windows, mac = hit(1, heading="Windows › Install"), hit(2, heading="macOS › Install")
    assert labels(windows, mac) == ["FairEmail FAQ: Windows › Install", "FairEmail FAQ: macOS › Install"]


def test_without_headings_the_first_words_tell() -> None:
    why, how = hit(1, text="**Why** are messages\nnot deleted?"), hit(2, text="How can I sync folders?")
    assert labels(why, how) == [f"{FAQ}: Why are messages not deleted?", f"{FAQ}: How can I sync folders?"]


def test_a_heading_that_only_repeats_the_title_tells_nothing() -> None:
    one, other = hit(1, heading=FAQ, text="Push"), hit(2, heading=FAQ, text="Pull")
    assert labels(one, other) == [f"{FAQ}: Push", f"{FAQ}: Pull"]


def test_a_common_beginning_is_left_out() -> None:
    start = "This is what we are asked most often about mail: "
    found = labels(hit(1, text=start + "push"), hit(2, text=start + "pull and much more"))
    assert found == [f"{FAQ}: … push", f"{FAQ}: … pull and much more"]


def test_titles_that_differ_in_case_only_are_the_same_for_a_reader() -> None:
    assert labels(hit(1, "VPN", "Mac"), hit(2, "Vpn", "Windows")) == ["VPN: Mac", "Vpn: Windows"]


def test_a_mark_is_never_cut() -> None:
    long = hit(1, "Ein sehr langer Titel über die Einrichtung von Druckern in allen Büros und zu Hause" * 2)
    label = choice_label(long, [long], "(auf Englisch)")
    assert label.endswith("… (auf Englisch)")
    assert len(label) <= LONGEST_LABEL


TEXTS = st.text(max_size=200)


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=3), st.sampled_from(["", "(in German)"]))
def test_every_label_has_an_end(parts: list[tuple[str, str, str]], mark: str) -> None:
    hits = [hit(number, *one) for number, one in enumerate(parts)]
    assert all(len(choice_label(one, hits, mark)) <= LONGEST_LABEL for one in hits)


# --- never the same twice ---------------------------------------------------------------------------------------------
TEXT = "Open the settings and choose the account, then tap on the folder that you want to see"


@pytest.mark.parametrize(
    ("second", "is_kept"),
    [
        (hit(2, text=TEXT), False),
        (hit(2, "fairemail  faq", text=f"{TEXT}."), False),
        (hit(2, "Folders", text=TEXT), True),
        (hit(2, text="Why do I need a certificate for signing?"), True),
    ],
)
def test_the_same_title_with_nearly_the_same_words_is_the_same_article(second: Hit, is_kept: bool) -> None:
    first = hit(1, text=TEXT)
    assert distinct([first, second]) == ((first, second) if is_kept else (first,))


def test_the_better_one_stays() -> None:
    hits = [hit(number, text=TEXT) for number in (3, 1, 2)]
    assert distinct(hits) == (hits[0],)


def test_hits_without_text_as_evidence_has_them_are_all_kept() -> None:
    hits = (hit(1), replace(hit(2), heading="Push"))
    assert distinct(hits) == hits
