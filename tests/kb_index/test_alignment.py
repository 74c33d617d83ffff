"""Two articles that say the same are brought together piece by piece."""

from kb_index.alignment import Piece, Segment, align_articles, align_blocks, align_by_length, pieces

GERMAN = """# Drucker einrichten

Öffnen Sie die Einstellungen und wählen Sie dort den Punkt Geräte aus.

1. Klicken Sie auf Drucker.
2. Wählen Sie Ihr Gerät.

## Hilfe

Rufen Sie uns an, wenn das nicht hilft, wir sind von acht bis sechzehn Uhr für Sie da.
"""
ENGLISH = """# Set up a printer

Open the settings and choose the item Devices that you find there.

1. Click Printers.
2. Choose your device.

## Help

Call us when this does not help, we are there for you from eight o'clock to four in the afternoon.
"""


def test_titles_belong_together() -> None:
    assert align_articles(("Drucker", ""), ("Printer", "")) == [Segment("Drucker", "Printer")]


def test_same_structure_is_aligned_one_to_one() -> None:
    segments = align_blocks(GERMAN, ENGLISH)
    assert [(s.source[:7], s.target[:7]) for s in segments] == [
        ("Drucker", "Set up "), ("Öffnen ", "Open th"), ("Klicken", "Click P"), ("Wählen ", "Choose "),
        ("Hilfe", "Help"), ("Rufen S", "Call us"),
    ]  # fmt: skip


def test_missing_paragraph_is_left_out() -> None:
    shorter = ENGLISH.replace("Open the settings and choose the item Devices that you find there.\n\n", "")
    segments = align_blocks(GERMAN, shorter)
    assert Segment("Wählen Sie Ihr Gerät.", "Choose your device.") in segments
    assert Segment("Hilfe", "Help") in segments
    assert not [s for s in segments if s.source.startswith("Öffnen")]


def test_paragraph_that_only_the_counterpart_has_is_left_out() -> None:
    more = "Then wait until the printer has printed a page that shows its state."
    longer = ENGLISH.replace("## Help", f"{more}\n\n## Help")
    segments = align_blocks(GERMAN, longer)
    assert Segment("Hilfe", "Help") in segments
    assert not [s for s in segments if more in s.target]


def test_two_sentences_may_be_one_in_the_other_language() -> None:
    left = [Piece("Das Gerät startet neu."), Piece("Das dauert eine Weile, bitte warten Sie."), Piece("Fertig.")]
    right = [Piece("The device restarts, which takes a while, so please wait for it."), Piece("Done.")]
    assert [(s.source, s.target) for s in align_by_length(left, right)] == [
        (f"{left[0].text} {left[1].text}", right[0].text),
        ("Fertig.", "Done."),
    ]


def test_sentences_inside_of_a_paragraph_are_aligned() -> None:
    segments = align_articles(("a", "Klicken Sie auf Senden. Warten Sie kurz."), ("b", "Click Send. Wait a moment."))
    assert segments[1:] == [
        Segment("Klicken Sie auf Senden.", "Click Send."),
        Segment("Warten Sie kurz.", "Wait a moment."),
    ]


def test_headings_items_and_cells_are_told_apart_and_code_is_left_out() -> None:
    body = "## H\n\ntext *x*\n\n- item\n  - inner\n\n| a | b |\n|---|---|\n| 1 |   |\n\n```\ncode\n```\n"
    assert pieces(body) == [
        Piece("H", "h2"), Piece("text x", "p"), Piece("item", "li"), Piece("inner", "li"),
        Piece("a", "td"), Piece("b", "td"), Piece("1", "td"),
    ]  # fmt: skip


def test_empty_counterpart_has_no_segments() -> None:
    assert align_blocks(GERMAN, "") == []
