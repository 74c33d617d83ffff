"""Articles are cut along headings and steps, and nothing is lost."""

import re

from hypothesis import given
from hypothesis import strategies as st

from kb_index.markup import plain_text
from kb_index.passages import MOST_WORDS, WORDS, split_passages

WORD = re.compile(r"\w+")
words = st.text("abcdefgäöüß", min_size=1, max_size=8)
sentences = st.lists(words, min_size=1, max_size=40).map(lambda ws: " ".join(ws) + ".")
blocks = st.one_of(
    sentences,
    st.lists(sentences, min_size=2, max_size=8).map(" ".join),
    st.tuples(st.integers(1, 4), words).map(lambda h: "#" * h[0] + " " + h[1]),
    st.lists(sentences, min_size=1, max_size=12).map(lambda s: "\n".join(f"{i}. {t}" for i, t in enumerate(s, 1))),
    st.lists(sentences, min_size=1, max_size=6).map(lambda s: "\n".join(f"- {t}" for t in s)),
    sentences.map(lambda s: f"```\n{s}\n```"),
    sentences.map(lambda s: f"> {s}"),
)
bodies = st.lists(blocks, max_size=12).map("\n\n".join)


def all_words(title: str, body: str) -> list[str]:
    passages = split_passages(title, body, "de")
    return [w for p in passages for w in WORD.findall(f"{p.heading} {p.text}")]


@given(bodies)
def test_no_word_of_the_body_is_lost(body: str) -> None:
    kept = all_words("Title", body)
    for word in set(WORD.findall(body)):
        assert kept.count(word) >= 1


@given(bodies)
def test_text_without_headings_is_kept_word_for_word(body: str) -> None:
    body = "\n\n".join(part for part in body.split("\n\n") if not part.startswith("#"))
    texts = " ".join(p.text for p in split_passages("Title", body, "de"))
    assert texts.split() == body.split()


@given(st.text())
def test_any_text_at_all_is_cut_without_losing_letters(body: str) -> None:
    kept = "".join(f"{p.heading}{p.text}" for p in split_passages("Title", body, "en"))
    for letter in set(re.findall(r"[A-Za-z0-9]", plain_text(body))):
        assert letter in kept


@given(bodies)
def test_passages_stay_small(body: str) -> None:
    assert all(len(p.text.split()) <= WORDS + MOST_WORDS for p in split_passages("Title", body, "de"))


def test_headings_become_the_path() -> None:
    found = split_passages(
        "Drucker", "# Drucker\n\nIntro.\n\n## Windows\n\nA.\n\n### Treiber\n\nB.\n\n## Mac\n\nC.", "de"
    )
    assert [(p.heading, p.text) for p in found] == [
        ("", "Intro."),
        ("Windows", "A."),
        ("Windows › Treiber", "B."),
        ("Mac", "C."),
    ]


def test_heading_without_text_is_still_found() -> None:
    found = split_passages("T", "## Only a heading", "en")
    assert [p.heading for p in found] == ["Only a heading"]


def test_steps_are_never_cut_in_the_middle() -> None:
    steps = [f"{n}. Press the button number {n} and wait until the lamp is green again." for n in range(1, 31)]
    found = split_passages("Steps", "\n".join(steps), "en")
    assert len(found) > 1
    assert all(line in steps for p in found for line in p.text.splitlines())


def test_one_endless_line_is_cut() -> None:
    found = split_passages("T", "wort " * 1000, "de")
    assert len(found) >= 6


def test_title_and_headings_stand_in_front_of_what_is_embedded() -> None:
    (passage,) = split_passages("Reset", "## Windows\n\nPress **Ctrl**.", "en")
    assert passage.embedded == "Reset\nWindows\nPress Ctrl."


def test_empty_article_is_found_by_its_title() -> None:
    (passage,) = split_passages("Only a title", "", "en")
    assert passage.embedded == "Only a title"
