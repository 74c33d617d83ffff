"""What makes the words of an agent a note, and what does not."""

import pytest

from bot.notes import note_in, without_reply

MARKS = ("//", "🔒")
NOTES = {
    "// geheim": "geheim",
    "//geheim": "geheim",
    "**🔒 geheim": "geheim",
    "> 🔒 geheim": "geheim",
    "🔐 geheim": "geheim",
    "🔏geheim": "geheim",
    "/note geheim": "geheim",
    "/Note: geheim": "geheim",
    "/notiz geheim": "geheim",
    "/reply // geheim": "geheim",
    "/reply /note geheim": "geheim",
    "/reply @Tomasz Wilk // geheim": "@Tomasz Wilk geheim",
    "@Tomasz Wilk // geheim": "@Tomasz Wilk geheim",
    "@tomasz.wilk //geheim": "@tomasz.wilk geheim",
    "@Tomasz Wilk: // geheim": "@Tomasz Wilk: geheim",
    "@Tomasz Wilk// geheim": "@Tomasz Wilk geheim",
    "@Tomasz Wilk🔒geheim": "@Tomasz Wilk geheim",
    "@Tomasz Wilk /note geheim": "@Tomasz Wilk geheim",
    "@Tomasz Wilk\n// geheim": "@Tomasz Wilk geheim",
    "@Tomasz Wilk @Maren Tiede // geheim": "@Tomasz Wilk @Maren Tiede geheim",
    "@Tomasz Wilk, @Maren Tiede 🔏 geheim": "@Tomasz Wilk, @Maren Tiede geheim",
    "@Tomasz Wilk und @Maren Tiede // geheim": "@Tomasz Wilk und @Maren Tiede geheim",
    "@Wilk, Tomasz (IT) // geheim": "@Wilk, Tomasz (IT) geheim",
    "@Tomasz van der Wilk // geheim": "@Tomasz van der Wilk geheim",
    "**@Tomasz Wilk** // geheim": "@Tomasz Wilk** geheim",
}
REPLIES = (
    "Bitte neu starten.",
    "Das geht so: // steht vor der Zeile.",
    "@Konrad: bitte // nicht / eingeben",
    "@Konrad, bitte // nicht eingeben",
    "@Konrad das steht unter Start // Einstellungen",
    "@Tomasz siehe http://x//y",
    "@Tomasz siehe http://x // y",
    "@Konrad Hallo! // ist gemeint.",
    "@Konrad Hallo",
    "Hallo @Konrad // so",
    "/reply Das geht so: // steht davor.",
    "/notebook",
    "/note-taking hilft",
    "/reply",
    "@",
    "",
)


@pytest.mark.parametrize("text", NOTES)
def test_a_mark_at_the_beginning_or_behind_mentions_makes_a_note(text: str) -> None:
    assert note_in(text, MARKS) == NOTES[text]


@pytest.mark.parametrize("text", REPLIES)
def test_a_mark_inside_of_what_is_said_makes_none(text: str) -> None:
    assert note_in(text, MARKS) is None


def test_only_where_the_lock_is_a_mark_what_looks_like_it_is_one() -> None:
    assert note_in("🔐 geheim", ("//",)) is None
    assert note_in("#intern geheim", ("#intern",)) == "geheim"


def test_many_marks_in_a_long_text_are_read_fast() -> None:
    assert note_in("@Konrad: so " + "// " * 50_000, MARKS) is None


def test_reply_is_a_command_of_its_own() -> None:
    assert without_reply("/reply Gern.") == "Gern."
    assert without_reply("/Reply: Gern.") == "Gern."
    assert without_reply("/replying") is None
