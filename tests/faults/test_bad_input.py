"""Bad input, over the real HTTP API and command line: what happened."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import Any

import pytest
from served import Browser, ServedLotse

pytestmark = pytest.mark.timeout(300)
ROOT = Path(__file__).parents[2]
Note = Callable[[str, str], None]
Visit = Callable[[str], Browser]
ARTICLE = "---\ntitle: Printer\nlanguage: en\n---\n\nTurn the printer off and on.\n"
DROP = "'; DROP TABLE message; --"
SCRIPT = "<script>alert('x')</script> <img src=x onerror=alert(1)> mein Bildschirm flackert"
CALL = "@channel <!here> @everyone mein Bildschirm flackert, siehe [hier](https://evil.example/)"


# --- over HTTP --------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def lotse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedLotse]:
    yield from served(tmp_path_factory.mktemp("lotse"))


@pytest.fixture
def empty_lotse(tmp_path: Path) -> Iterator[ServedLotse]:
    """One that knows no article."""
    yield from served(tmp_path, "--empty")


def served(folder: Path, *options: str) -> Iterator[ServedLotse]:
    lotse = ServedLotse(f"sqlite:///{folder}/lotse.db", folder, *options)
    lotse.start()
    yield lotse
    lotse.stop()


@pytest.fixture
def visit(lotse: ServedLotse) -> Iterator[Visit]:
    opened: list[Browser] = []

    def open_browser(person: str) -> Browser:
        opened.append(Browser(lotse.url, person))
        return opened[-1]

    yield open_browser
    for browser in opened:
        browser.close()


def test_an_empty_message_is_refused(visit: Visit, note: Note) -> None:
    jette = visit("jette")
    before = jette.thread()
    for text in ("", " \n\t "):
        refused = jette.http.post("/api/chat/messages", json={"text": text})
        assert (refused.status_code, refused.json()["code"]) == (422, "empty")
    assert jette.thread() == before
    note("empty message", told(refused))


def test_a_message_of_100_000_characters_is_refused_and_one_at_the_limit_handled(visit: Visit, note: Note) -> None:
    jette = visit("jette")
    before, limit = jette.thread(), jette.get("/api/me")["longest_text"]
    refused = jette.http.post("/api/chat/messages", json={"text": "a" * 100_000})
    assert (refused.status_code, refused.json()["code"]) == (422, "too_long")
    assert jette.thread() == before
    said = jette.ask(("Mein Bildschirm flackert. " * limit)[:limit])
    assert len(said) == 1
    note("100,000 characters", f"{told(refused)}; one of {limit:,} characters is handled: {said[0]['kind']}")


def test_a_file_of_30_mb_is_not_kept_and_the_person_is_told(visit: Visit, note: Note) -> None:
    priya = visit("priya")
    upload = {"files": ("disk.iso.png", b"\0" * 30_000_000, "image/png")}
    stored = priya.http.post("/api/chat/messages", data={"text": "My screen flickers, see the file"}, files=upload)
    assert stored.status_code == 201, stored.text
    assert [one["reason"] for one in stored.json()["refused"]] == ["too_large"]
    assert any("10 MB" in one["text"] for one in settled(priya) if one["kind"] == "notice")
    assert [file["url"] for one in priya.thread() for file in one["files"]] == [None]
    note("30 MB upload", f"201, the text is handled; {stored.json()['refused'][0]['detail']}")


def test_a_body_of_30_mb_that_is_no_upload_is_refused(visit: Visit, note: Note) -> None:
    priya = visit("priya")
    refused = priya.http.post("/api/chat/messages", json={"text": "a" * 30_000_000})
    assert refused.status_code in {413, 422}
    note("30 MB of JSON", told(refused))


@pytest.mark.parametrize("text", ["👍", "🔥🔥🔥", "?!"])
def test_emoji_only_is_asked_what_it_is_about(visit: Visit, note: Note, text: str) -> None:
    said = visit("owen").ask(text)
    assert [one["kind"] for one in said] == ["say"]
    assert "What is it about?" in said[0]["text"]
    note(f"only {text}", f"{said[0]['text'][:70]}")


def test_a_typed_order_is_handled_like_words(visit: Visit, note: Note) -> None:
    said = visit("owen").ask("/talk_to_human")
    assert len(said) == 1
    note("/talk_to_human", f"{said[0]['kind']}: {said[0]['text'][:70]} (with the real Rasa: test_rasa_killed.py)")


@pytest.mark.parametrize("text", [SCRIPT, CALL, DROP], ids=["html", "channel", "sql"])
def test_what_was_written_is_shown_as_it_was_written(visit: Visit, note: Note, text: str) -> None:
    konrad, tomasz = visit("konrad"), visit("tomasz")
    konrad.ask(text)
    konrad.send("/api/presses", action="person")
    thread = settled(konrad)
    number = konrad.get("/api/tickets/own")[0]["number"]
    assert text in [one["text"] for one in thread]
    pages = [konrad.http.get("/").text, tomasz.http.get(f"/desk/{number}").text, transcript(tomasz, number)]
    for page in pages:
        assert escape(text) in unified(page)
        assert text not in page or text == escape(text)
        assert "<script>alert" not in page
        assert 'href="https://evil.example/"' not in page
    note(text, "shown as written on chat, desk and transcript; nothing runs, calls or links")


def test_sql_in_a_search_is_only_words(visit: Visit, note: Note) -> None:
    sabine = visit("sabine")
    before = len(sabine.get("/api/articles"))
    for words in (DROP, "%", "_", "' OR '1'='1"):
        for path, name in (("/api/articles", "words"), ("/api/tickets", "words"), ("/kb", "words"), ("/desk", "words")):
            found = sabine.http.get(path, params={name: words})
            assert found.is_success, (path, words, found.text)
        assert sabine.get("/api/articles", words=words) == []
    assert len(sabine.get("/api/articles")) == before > 0
    note("SQL in a search", "finds nothing, breaks nothing; % and _ mean themselves")


def test_with_an_empty_knowledge_base_a_person_comes(empty_lotse: ServedLotse, note: Note) -> None:
    jette = Browser(empty_lotse.url, "jette")
    first = jette.ask("VPN-Kennwort zurücksetzen")
    jette.send("/api/presses", action="person")
    assert settled(jette)[-1]["kind"] == "receipt"
    health = jette.get("/api/health")["knowledge"]
    assert (health["state"], health["articles"]) == ("degraded", 0)
    note("empty knowledge base", f"{first[0]['text'][:60]}..., then a ticket; health: knowledge {health['state']}")
    jette.close()


def settled(browser: Browser) -> list[dict[str, Any]]:
    browser.wait()
    return browser.thread()


def transcript(agent: Browser, number: str) -> str:
    return agent.http.get(f"/api/tickets/{number}/transcript", params={"format": "html"}).text


def unified(page: str) -> str:
    """The two ways to escape an apostrophe and a quote, as one."""
    return page.replace("&#39;", "&#x27;").replace("&#34;", "&quot;")


def told(refused: Any) -> str:
    return f"{refused.status_code}: {refused.json()['detail']}"


# --- on the command line ----------------------------------------------------------------------------------------------
@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with the shipped settings."""
    shutil.copy(ROOT / "config.yml", tmp_path)
    return tmp_path


def command(home: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and everything that was printed."""
    ended = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "bot", *arguments], cwd=home, capture_output=True, text=True, check=False
    )
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.parametrize("arguments", [["check-config"], ["run", "--port", "0"]], ids=" ".join)
@pytest.mark.parametrize(
    ("fault", "before", "after", "line"),
    [
        (
            "unknown config key",
            "  max_wrong:",
            "  max_worng:",
            "answering.max_worng is not a setting; did you mean max_wrong?",
        ),
        (
            "missing secret",
            "  password_env: null",
            "  password_env: NOT_SET_HERE",
            "names the variable NOT_SET_HERE, which is not set or empty; "
            "before starting Lotse: export NOT_SET_HERE='...'",
        ),
    ],
    ids=["unknown-key", "missing-secret"],
)
def test_wrong_settings_are_named_with_line_and_fix(
    home: Path, note: Note, fault: str, before: str, after: str, line: str, arguments: list[str]
) -> None:
    config = home / "config.yml"
    text = config.read_text("utf-8")
    number = text[: text.index(before)].count("\n") + 1
    config.write_text(text.replace(before, after, 1), "utf-8")
    code, said = command(home, *arguments)
    assert code == 3
    assert f"config.yml line {number}: " in said
    assert line in said
    note(f"{fault}, lotse {' '.join(arguments)}", f"exit code {code}; {said.strip()}")


@pytest.mark.real
def test_a_broken_pdf_is_named_and_the_rest_taken_in(home: Path, note: Note) -> None:
    folder = home / "handbook"
    folder.mkdir()
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nthis is none")
    (folder / "printer.md").write_text(ARTICLE, "utf-8")
    code, said = command(home, "kb", "import", "handbook")
    assert code == 1
    assert "1 new" in said
    assert "broken.pdf: the PDF is damaged" in said
    note("broken PDF", f"exit code {code}; {' | '.join(said.split(chr(10))).strip(' |')}")


@pytest.mark.real
def test_an_empty_folder_is_told_and_withdraws_nothing(home: Path, note: Note) -> None:
    folder = home / "handbook"
    folder.mkdir()
    (folder / "printer.md").write_text(ARTICLE, "utf-8")
    assert command(home, "kb", "import", "handbook")[0] == 0
    (folder / "printer.md").unlink()
    code, said = command(home, "kb", "import", "handbook")
    assert code == 1
    assert "1 articles" in command(home, "kb", "status")[1]
    note("import of an empty folder", f"exit code {code}; {' | '.join(said.split(chr(10))).strip(' |')}")
