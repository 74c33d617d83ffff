"""Signing in, the language of the pages, and who is let in at all."""

import stat
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from visits import Visits
from world import World

from bot.session_secret import session_secret
from bot.settings import Settings, WebSettings
from bot.web.people import load_people
from bot.web.security import SignInMissing, require_loopback
from bot.web.signin import own_path


def test_signed_out_visitor_is_led_to_the_sign_in_and_back(visit: Visits) -> None:
    nobody = visit(None)
    answer = nobody.get("/kb/articles/7")
    assert (answer.status_code, answer.headers["location"]) == (303, "/signin?next=/kb/articles/7")
    form = {"person": "jette", "csrf": nobody.form_token("/signin"), "next": "/kb/articles/7"}
    assert nobody.http.post("/signin", data=form).headers["location"] == "/kb/articles/7"


def test_signing_in_leads_to_the_persons_own_page(visit: Visits) -> None:
    starts = {}
    for person in ("jette", "maren", "henrik", "sabine"):
        browser = visit(None)
        form = {"person": person, "csrf": browser.form_token("/signin")}
        starts[person] = browser.http.post("/signin", data=form).headers["location"]
    assert starts == {"jette": "/", "maren": "/desk", "henrik": "/desk", "sabine": "/desk"}


def test_unknown_person_is_refused(visit: Visits) -> None:
    nobody = visit(None)
    form = {"person": "root", "csrf": nobody.form_token("/signin")}
    assert nobody.http.post("/signin", data=form).status_code == 422
    assert nobody.get("/api/me").status_code == 401


def test_signing_out_ends_the_session(visit: Visits) -> None:
    jette = visit("jette")
    assert jette.send("POST", "/signout").status_code == 303
    assert jette.get("/api/me").status_code == 401


def test_changing_person_starts_a_new_token(visit: Visits) -> None:
    browser = visit("jette")
    first = browser.token
    browser.sign_in("owen")
    assert browser.token != first


def test_forged_session_is_nobody(visit: Visits) -> None:
    nobody = visit(None)
    nobody.http.cookies.set("lotse", "eyJwZXJzb24iOiAibWFyZW4ifQ==.aaaa.bbbb", domain="localhost.local")
    assert nobody.get("/desk").status_code == 303


@pytest.mark.parametrize("path", ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "/a\nb", ""])
def test_sign_in_never_leads_to_another_site(path: str) -> None:
    assert own_path(path) == "/"


def test_pages_speak_the_language_of_choice_then_person_then_browser(visit: Visits) -> None:
    nobody = visit(None)
    assert 'lang="en"' in nobody.get("/signin", headers={"accept-language": "fr,en;q=0.8"}).text
    assert 'lang="de"' in nobody.get("/signin", headers={"accept-language": "fr"}).text
    owen = visit("owen")
    assert '<html lang="en">' in owen.get("/", headers={"accept-language": "de"}).text
    owen.send("POST", "/language", data={"language": "de", "next": "/"})
    assert '<html lang="de">' in owen.get("/").text


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "192.168.1.5", ""])
def test_foreign_host_names_are_refused(world: World, host: str) -> None:
    with TestClient(world.app.web, base_url="http://localhost") as http:
        assert http.get("/signin", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080"])
def test_loopback_names_are_let_in(world: World, host: str) -> None:
    with TestClient(world.app.web, base_url="http://localhost") as http:
        assert http.get("/signin", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "lotse.example.org"])  # noqa: S104 - refused
def test_other_machines_are_kept_out_without_a_sign_in(host: str) -> None:
    with pytest.raises(SignInMissing, match=r"web\.host"):
        require_loopback(Settings(web=WebSettings(host=host)))


def test_session_secret_is_kept_for_the_owner_alone(tmp_path: Path) -> None:
    settings = Settings.model_validate({"database": {"url": f"sqlite:///{tmp_path}/new/lotse.db"}})
    secret = session_secret(settings)
    file = tmp_path / "new" / "session-secret"
    assert len(secret) >= 48
    assert session_secret(settings) == secret
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_people_file_that_is_not_there_is_an_empty_house(tmp_path: Path) -> None:
    assert load_people(tmp_path / "nobody.yml") == {}
