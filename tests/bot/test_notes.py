"""What makes the words of an agent a note, and what does not."""

import pytest

from bot.notes import behind, note_in, without_reply

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
    "@Wilk, Tomasz (IT Service Desk) // geheim": "@Wilk, Tomasz (IT Service Desk) geheim",
    "@Müller, Hans (extern, Firma GmbH) 🔒 geheim": "@Müller, Hans (extern, Firma GmbH) geheim",
    "@Tomasz Wilk [Service Desk Nord] // geheim": "@Tomasz Wilk [Service Desk Nord] geheim",
    "@Dr. Tomasz Maria van der Wilk // geheim": "@Dr. Tomasz Maria van der Wilk geheim",
    "@Tomasz *//geheim*": "@Tomasz * geheim*",
    "@Tomasz \u200b//geheim": "@Tomasz \u200b geheim",
    "/reply /reply // geheim": "geheim",
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
    "/reply //srv01/share geht wieder",
    "/reply " * 2000,
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


def test_a_mark_is_looked_for_near_the_beginning_only() -> None:
    assert note_in(f"@{'x' * 295} // geheim", MARKS) is not None
    assert note_in(f"@{'x' * 305} // geheim", MARKS) is None


def test_marks_of_the_operator_that_look_like_formatting_are_known() -> None:
    assert note_in("-- geheim", ("--",)) == "geheim"
    assert note_in("@Tomasz Wilk -- geheim", ("--",)) == "@Tomasz Wilk geheim"


def test_reply_is_a_command_of_its_own() -> None:
    assert without_reply("/reply Gern.") == "Gern."
    assert without_reply("/Reply: Gern.") == "Gern."
    assert without_reply("/replying") is None


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("@Service Desk Team West 2 // geheim", " // geheim"),
        ("@Service Desk Team West 2, @Maren: Tiede // geheim", " // geheim"),
        ("@Service Desk Team West 2 und @Maren: Tiede // geheim", " // geheim"),
        ("Hallo @Maren: Tiede // so", "Hallo @Maren: Tiede // so"),
        ("@Owen // so", "@Owen // so"),
        ("", ""),
    ],
)
def test_where_names_are_known_what_stands_behind_them_is_known(text: str, rest: str) -> None:
    assert behind(text, ["Service Desk Team West 2", "Maren: Tiede"]) == rest
