"""Every format is read, and a bad file says what to do."""

import zipfile
from datetime import date
from io import BytesIO
from pathlib import Path

import docx
import pytest
from openpyxl import Workbook
from pypdf import PdfWriter

from kb_index.readers import MOST_UNPACKED_BYTES, Document, Unreadable, guess_language, read_documents


def read(name: str, content: bytes | str) -> list[Document]:
    return read_documents(Path(name), content if isinstance(content, bytes) else content.encode())


def test_front_matter_describes_a_markdown_article() -> None:
    (article,) = read(
        "vpn.md",
        '---\nid: vpn-de\ntitle: "VPN: einrichten"\nlang: de\nlicence: CC0\nsource: GSA\nowner: netz\n'
        "review: 2027-01-31\n"
        "audience: agents\nstate: draft\ncategory: network\nqueue: net\nurl: https://x.example\n"
        "parallel: [vpn-en]\n---\n\nText.",
    )
    assert (article.slug, article.title, article.language, article.body) == ("vpn-de", "VPN: einrichten", "de", "Text.")
    assert (article.owner, article.review_on, article.audience) == ("netz", date(2027, 1, 31), "agents")
    assert (article.state, article.category, article.queue) == ("draft", "network", "net")
    assert (article.licence, article.attribution, article.parallel) == ("CC0", "GSA", ("vpn-en",))


def test_markdown_without_front_matter_takes_title_from_heading_and_guesses_the_language() -> None:
    (article,) = read("a-b.md", "# Der Drucker druckt nicht\n\nBitte prüfen Sie das Papier im Drucker.")
    assert (article.title, article.language, article.slug) == ("Der Drucker druckt nicht", "de", "a-b")


def test_file_name_is_the_last_resort_for_a_title() -> None:
    assert read("reset_my-password.md", "Just open the page.")[0].title == "reset my password"


def test_html_keeps_the_main_part() -> None:
    (article,) = read(
        "p.html",
        '<html lang="en-GB"><head><title>T</title><script>x()</script></head><body><nav>Menu</nav>'
        "<main><h1>Reset it</h1><ol><li>One</li></ol></main><footer>F</footer></body></html>",
    )
    assert (article.title, article.language) == ("Reset it", "en")
    assert "1. One" in article.body
    assert not any(word in article.body for word in ("Menu", "x()", "F\n"))


def pdf_with(text: str) -> bytes:
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
    parts = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        "/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
    ]
    out, offsets = "%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{part}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(parts) + 1
    start = len(out)
    out += (
        f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer << /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF"
    )
    return out.encode()


def test_pdf_text_is_read() -> None:
    (article,) = read("guide.pdf", pdf_with("Restart the printer and wait for the green light."))
    assert "green light" in article.body
    assert article.language == "en"


def docx_bytes() -> bytes:
    document = docx.Document()
    document.add_heading("Reset", 1)
    document.add_paragraph("Open the page.")
    document.add_paragraph("first", style="List Number")
    document.add_paragraph("dot", style="List Bullet")
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "a|b", "c"
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def test_docx_keeps_headings_lists_and_tables() -> None:
    (article,) = read("r.docx", docx_bytes())
    assert article.title == "Reset"
    for line in ("# Reset", "1. first", "- dot", "| a\\|b | c |"):
        assert line in article.body


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_pairs_are_one_article_a_row(separator: str) -> None:
    rows = [["Frage", "Antwort", "Sprache", "Kategorie"], ["Wie?", "So.", "de", "x"], ["Wie?", "Anders.", "de", ""]]
    found = read("f.csv", "\n".join(separator.join(row) for row in rows))
    assert [(d.title, d.body, d.language, d.key, d.category) for d in found] == [
        ("Wie?", "So.", "de", "wie", "x"),
        ("Wie?", "Anders.", "de", "wie-2", None),
    ]


def test_key_of_a_row_does_not_depend_on_its_place() -> None:
    one = read("f.csv", "question,answer\nHow?,So.\n")
    two = read("f.csv", "question,answer\nNew?,N.\nHow?,So.\n")
    assert one[0].key in {d.key for d in two}


def test_xlsx_pairs_are_read_from_every_sheet_that_has_them() -> None:
    book = Workbook()
    book.active.append(["notes"])
    sheet = book.create_sheet("faq")
    sheet.append(["Question", "Answer"])
    sheet.append(["How do I reset it?", "Press the button and wait."])
    sheet.append([None, None])
    out = BytesIO()
    book.save(out)
    assert [d.title for d in read("f.xlsx", out.getvalue())] == ["How do I reset it?"]


def bomb() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("word/document.xml", "w") as entry:
        block = b"\0" * 10_000_000
        for _ in range(MOST_UNPACKED_BYTES // len(block) + 1):
            entry.write(block)
    return out.getvalue()


def locked_pdf() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret", algorithm="RC4-128")
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def blank_pdf() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.md", b"  \n", "empty"),
        ("a.md", "Prüfung".encode("latin-1"), "UTF-8"),
        ("a.md", b"---\ntitle: a: b\n---\nx", "line 2"),
        ("a.md", b"---\n- a\n---\nx", "name: value"),
        ("a.md", b"---\ntitle: t\n---\n", "no text"),
        ("a.md", b"---\nreview: soon\n---\nx", "2026-01-31"),
        ("a.md", b"---\naudience: bosses\n---\nx", "everyone, agents"),
        ("a.pdf", b"%PDF-1.4 broken", "damaged"),
        ("a.pdf", locked_pdf(), "password"),
        ("a.pdf", blank_pdf(), "OCR"),
        ("a.docx", b"not a zip", "damaged"),
        ("a.docx", bomb(), "unpack"),
        ("a.xlsx", b"PK broken", "damaged"),
        ("a.csv", b"a,b\n1,2\n", "columns"),
        ("a.csv", b"question,answer\n,\n", "no article"),
    ],
)
def test_bad_file_says_what_is_wrong(name: str, content: bytes | str, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read(name, content)


def test_nul_and_lone_line_ends_do_not_reach_the_database() -> None:
    (article,) = read("a.md", "# T\n\na\x00b\r\nc")
    assert "\x00" not in article.body
    assert "\r" not in article.body


def test_language_is_guessed() -> None:
    assert guess_language("Der Drucker ist leider kaputt und druckt nicht mehr.") == "de"
    assert guess_language("The printer is broken and does not print any more.") == "en"
    assert guess_language("123 456") == "en"


@pytest.mark.parametrize(
    ("front", "questions"),
    [
        ("questions:\n  - How?\n  - 'Error: why?'\n  -\n", ("How?", "Error: why?")),
        ("questions: How?\n", ("How?",)),
        ("questions: 691\n", ("691",)),
        ("questions:\n", ()),
        ("", ()),
    ],
)
def test_front_matter_names_other_questions(front: str, questions: tuple[str, ...]) -> None:
    text = f"---\ntitle: VPN\nlang: en\n{front}---\nStart it."
    [document] = read_documents(Path("a.md"), text.encode())
    assert document.questions == questions
    [plain] = read_documents(Path("a.md"), b"---\ntitle: VPN\nlang: en\n---\nStart it.")
    assert (document.content_hash == plain.content_hash) == (not questions)


@pytest.mark.parametrize("front", ["questions:\n  a: b\n", "questions:\n  - Error 691: what now?\n"])
def test_other_questions_that_are_no_list_of_texts_are_named(front: str) -> None:
    with pytest.raises(Unreadable, match="questions"):
        read_documents(Path("a.md"), f"---\ntitle: VPN\n{front}---\nStart it.".encode())


def test_a_column_names_other_questions_one_a_line() -> None:
    table = 'Frage;Antwort;Fragen\nVPN?;Starten.;"Tunnel?\n\nHeimarbeit?"\nDrucker?;Einschalten.;\n'
    documents = read_documents(Path("a.csv"), table.encode())
    assert [document.questions for document in documents] == [("Tunnel?", "Heimarbeit?"), ()]
