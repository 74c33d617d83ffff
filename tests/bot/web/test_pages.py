"""What holds for every page: safe headers, no inline script or style, both languages, readable errors."""

import re
from pathlib import Path

import pytest
from visits import Visits
from world import World

import bot.web
from bot.texts import load_catalogue

ROOM = Path(bot.web.__file__).parent
PAGES = ("/", "/desk", "/desk/{number}", "/kb", "/kb/articles/new", "/kb/questions", "/docs", "/nowhere")
FORMS_OF_ADDRESS = re.compile(r"\b(Sie|Ihnen|Ihre?[nmrs]?|du|dich|dir|deine?[nmrs]?)\b")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", ["de", "en"])
def test_page_is_whole_and_safe(visit: Visits, page: str, language: str) -> None:
    jette, sabine = visit("jette"), visit("sabine")
    number = jette.wants_person()
    sabine.send("POST", "/language", data={"language": language, "next": "/"})
    answer = sabine.get(page.replace("{number}", number))
    assert answer.status_code == (404 if page == "/nowhere" else 200)
    assert f'<html lang="{language}">' in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert (answer.headers["x-frame-options"], answer.headers["cache-control"]) == ("DENY", "no-store")
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|<style", answer.text)
    assert answer.text.count("<h1") == 1
    assert all(f'id="{target}"' in answer.text for target in re.findall(r'<label[^>]* for="([^"]+)"', answer.text))


def test_error_pages_are_readable_and_tell_nothing_of_the_inside(world: World, visit: Visits) -> None:
    jette = visit("jette")
    world.app.web.state.web = None
    answer = jette.get("/chat/thread", headers={"hx-request": "true"})
    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    assert "NoneType" not in answer.text


def test_missing_page_is_json_for_programs(visit: Visits) -> None:
    assert visit("owen").get("/api/nowhere").json() == {"detail": "There is nothing here.", "code": "not_found"}


def test_static_files_are_served_and_kept(visit: Visits) -> None:
    nobody = visit(None)
    page = nobody.get("/signin").text
    for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
        answer = nobody.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert nobody.get("/static/../pages.py").status_code == 404


def used_keys() -> set[str]:
    sources = [file.read_text("utf-8") for kind in ("*.py", "*.html") for file in ROOM.rglob(kind)]
    plain = {key for source in sources for key in re.findall(r"""\b(?:t|texts)\(\s*['"](\w+)['"]\s*[,)]""", source)}
    refused = {key for source in sources for key in re.findall(r'"(error_\w+)"', source)}
    return plain | refused


def test_every_text_of_the_pages_exists() -> None:
    keys = used_keys()
    assert len(keys) > 120
    assert keys - set(load_catalogue("pages")) == set()


def test_texts_exist_in_both_languages_with_the_same_values() -> None:
    for key, entry in load_catalogue("pages").items():
        assert set(entry) == {"de", "en"}, key
        assert set(re.findall(r"{(\w+)}", entry["de"])) == set(re.findall(r"{(\w+)}", entry["en"])), key


def test_german_pages_address_nobody_so_they_suit_du_and_sie() -> None:
    found = {key: entry["de"] for key, entry in load_catalogue("pages").items() if addresses_somebody(entry["de"])}
    assert found == {}


def addresses_somebody(text: str) -> bool:
    """Whether it says du or Sie; a `Sie` that opens a sentence may be a thing."""
    return bool(FORMS_OF_ADDRESS.search(re.sub(r"(^|[.:!?] )Sie ", r"\1", text)))


def test_libraries_of_the_pages_come_with_their_licences() -> None:
    for library in ("htmx", "json-enc", "idiomorph"):
        assert (ROOM / "static" / "vendor" / f"{library}.LICENSE.txt").stat().st_size > 200


def test_switching_the_language_stays_in_the_thread(visit: Visits) -> None:
    jette = visit("jette")
    assert '<input type="hidden" name="next" value="/?thread=a1b2">' in jette.get("/?thread=a1b2").text
