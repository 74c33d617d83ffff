"""Files by a signed link: who has one gets the very bytes without signing in; nobody gets anything else."""

import time
from collections.abc import Callable
from urllib.parse import unquote

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from itsdangerous import TimestampSigner, URLSafeSerializer, URLSafeTimedSerializer
from sqlalchemy import select
from teams_world import PUBLIC_URL, TeamsWorld
from visits import Visits
from world import World

from bot.file_links import FileLinks
from bot.session_secret import session_secret
from bot.texts import Texts
from handoff.models import Attachment

CONTENT = bytes(range(256)) * 50
SALT = "lotse-files"
DAY = 24 * 3600
Send = Callable[..., int]


@pytest.fixture
def send(world: World, visit: Visits) -> Send:
    """`send("a.txt", b"...")`: Jette sends a file in her chat; its number."""

    def upload(name: str, content: bytes = CONTENT) -> int:
        jette = visit("jette")
        sent = jette.send("POST", "/api/chat/messages", data={"text": "Die Datei"}, files={"files": (name, content)})
        assert sent.status_code == 201
        with world.app.house.sessions() as session:
            return session.scalars(select(Attachment.id).order_by(Attachment.id.desc()).limit(1)).one()

    return upload


def link_to(world: World, number: int) -> str:
    return FileLinks(session_secret(world.app.settings)).path(number)


def name_in(answer: Response) -> str:
    """The name under which a browser saves it."""
    kind, _, name = answer.headers["content-disposition"].partition("; filename*=UTF-8''")
    assert kind == "attachment"
    assert name.isascii()
    return unquote(name)


# --- what a link opens ------------------------------------------------------------------------------------------------
NAMES = ["Anleitung ü & <neu> „x“.pdf", "a'b;c%20=d, e.txt", "日本語 🙂.png", "ohne Endung", "index.html", ".."]


@pytest.mark.parametrize("name", NAMES)
def test_whoever_has_the_link_gets_the_very_bytes_under_their_name(
    world: World, visit: Visits, send: Send, name: str
) -> None:
    answer = visit(None).get(link_to(world, send(name)))
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert name_in(answer) == name


def test_it_is_always_saved_and_never_shown(world: World, visit: Visits, send: Send) -> None:
    answer = visit(None).get(link_to(world, send("seite.html", b"<script>alert(1)</script>")))
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers.get("set-cookie") is None


def test_an_empty_file_is_one_too(world: World, visit: Visits, send: Send) -> None:
    answer = visit(None).get(link_to(world, send("leer.txt", b"")))
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_head_tells_the_same_without_the_file(world: World, visit: Visits, send: Send) -> None:
    link = link_to(world, send("bild.png"))
    head, whole = visit(None).send("HEAD", link), visit(None).get(link)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == whole.headers
    assert visit(None).send("HEAD", f"{link}x").status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_done_to_a_file(world: World, visit: Visits, send: Send, method: str) -> None:
    link = link_to(world, send("bild.png"))
    jette = visit("jette")
    assert jette.send(method, link).status_code == 405
    assert jette.get(link).content == CONTENT


def test_who_has_signed_in_follows_a_link_too(world: World, visit: Visits, send: Send) -> None:
    assert visit("owen").get(link_to(world, send("bild.png"))).content == CONTENT


# --- what leads nowhere -----------------------------------------------------------------------------------------------
def signed(secret: str, number: object, *, days: float = 0.0, salt: str = SALT) -> str:
    """A token as Lotse signs it, so many days old."""

    class Signer(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(time.time() - days * DAY)

    return str(URLSafeTimedSerializer(secret, salt=salt, signer=Signer).dumps(number))


def is_refused(answer: Response) -> bool:
    """Whether it is the page that says so, and nothing of any file."""
    told = Texts("de", "sie", "pages")("error_link_ended")
    page = answer.status_code == 404 and answer.headers["content-type"].startswith("text/html")
    return page and told in answer.text and CONTENT not in answer.content


@pytest.mark.parametrize("days", [0.0, 6.9])
def test_a_link_is_good_for_a_week(world: World, visit: Visits, send: Send, days: float) -> None:
    token = signed(session_secret(world.app.settings), send("bild.png"), days=days)
    assert visit(None).get(f"/files/{token}").content == CONTENT


@pytest.mark.parametrize("days", [7.1, 8.0, 400.0])
def test_an_old_link_leads_nowhere(world: World, visit: Visits, send: Send, days: float) -> None:
    token = signed(session_secret(world.app.settings), send("bild.png"), days=days)
    assert is_refused(visit(None).get(f"/files/{token}"))


def test_a_forged_link_leads_nowhere(world: World, visit: Visits, send: Send) -> None:
    number, secret = send("bild.png"), session_secret(world.app.settings)
    real = signed(secret, number)
    payload, stamp, signature = real.split(".")
    other = signed(secret, number + 1).split(".")[0]
    forged = {
        "another secret": signed(f"{secret}x", number),
        "no secret": signed("", number),
        "another salt": signed(secret, number, salt="lotse"),
        "a session's salt": signed(secret, number, salt="cookie-session"),
        "without a time": URLSafeSerializer(secret, salt=SALT).dumps(number),
        "another number": f"{other}.{stamp}.{signature}",
        "another time": f"{payload}.{signed(secret, number, days=-30).split('.')[1]}.{signature}",
        "cut": real[:-1],
        "longer": f"{real}A",
        "only the payload": payload,
        "no signature": f"{payload}.{stamp}.",
        "the number itself": str(number),
        "twice": f"{real}.{real}",
        "other letters": real.swapcase(),
        "blanks": f"{real}%20",
        "nonsense": "%00%ff",
        "long": "A" * 60_000,
    }
    assert visit(None).get(f"/files/{real}").content == CONTENT
    found = {name: is_refused(visit(None).get(f"/files/{token}")) for name, token in forged.items()}
    assert found == dict.fromkeys(forged, True)


@pytest.mark.parametrize("number", [0, -1, 10**9, 10**30, "1", None, True, 1.0, [1], {"id": 1}])
def test_what_is_signed_but_names_no_file_leads_nowhere(
    world: World, visit: Visits, send: Send, number: object
) -> None:
    send("bild.png")
    token = signed(session_secret(world.app.settings), number)
    assert is_refused(visit(None).get(f"/files/{token}"))


def test_a_file_that_was_removed_or_never_kept_leads_nowhere(world: World, visit: Visits, send: Send) -> None:
    gone, refused = send("bild.png"), send("setup.exe")
    link = link_to(world, gone)
    with world.app.house.sessions.begin() as session:
        session.delete(session.get_one(Attachment, gone))
    assert is_refused(visit(None).get(link))
    assert is_refused(visit(None).get(link_to(world, refused)))


@pytest.mark.parametrize("language", ["de", "en"])
def test_who_follows_an_old_link_is_told_so_in_their_language(visit: Visits, language: str) -> None:
    answer = visit(None).get("/files/old", headers={"accept-language": f"{language}-XX,{language};q=0.9"})
    assert answer.status_code == 404
    assert f'lang="{language}"' in answer.text
    assert Texts(language, "sie", "pages")("error_link_ended") in answer.text


@pytest.mark.parametrize("path", ["/files", "/files/", "/files/.", "/files/%2e%2e/desk", "/files/../desk", "/files//"])
def test_there_is_no_list_and_no_way_around(visit: Visits, send: Send, path: str) -> None:
    send("bild.png")
    answer = visit(None).get(path)
    assert answer.status_code in {303, 307, 404}
    assert answer.headers.get("location", "/signin").startswith(("/signin", "http://localhost/files"))
    assert CONTENT not in answer.content


# --- what a reverse proxy passes on beside them -----------------------------------------------------------------------
def test_of_what_is_open_to_all_for_teams_only_files_are_read_without_signing_in(teams: TeamsWorld) -> None:
    """docs/teams.md opens `/api/messages` and `/files/` to everybody."""
    teams.konrad.writes("Ich möchte mit einem Menschen sprechen.")
    teams.settle()
    with TestClient(teams.app.web, base_url=PUBLIC_URL, follow_redirects=False) as nobody:
        found = {
            method: nobody.request(method, "/api/messages").status_code
            for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
        }
        assert found.pop("POST") == 401
        assert set(found.values()) <= {404, 405}
        assert nobody.get("/files/1").status_code == 404
        assert "TKT" not in nobody.get("/files/1").text
