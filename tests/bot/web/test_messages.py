"""What an employee does in the chat, and what they see of it."""

from dataclasses import replace
from uuid import uuid4

from sqlalchemy import insert, select
from visits import Visits
from world import World

from bot.channels.port import Reply
from bot.replies import to_json
from handoff.models import Author, Kind, Message, Place
from handoff.outbox import post


def test_question_is_answered_with_source_and_buttons(world: World, visit: Visits) -> None:
    article = world.publish("Abwesenheitsnotiz einrichten", "In Outlook unter Datei die Abwesenheitsnotiz einrichten.")
    jette = visit("jette")
    jette.writes("Abwesenheitsnotiz einrichten in Outlook")
    answer = jette.thread()[-1]
    assert answer["kind"] == "answer"
    assert answer["links"][0]["url"] == f"/kb/articles/{article}"
    assert [button["action"] for button in answer["buttons"]] == ["helped", "not_helped", "person"]


def test_page_shows_what_the_api_tells(visit: Visits) -> None:
    jette = visit("jette")
    jette.writes("Guten Morgen <b>zusammen</b>")
    assert "Guten Morgen &lt;b&gt;zusammen&lt;/b&gt;" in jette.get("/").text
    assert "Guten Morgen &lt;b&gt;zusammen&lt;/b&gt;" in jette.get("/chat/thread").text


def test_same_source_id_is_one_message(visit: Visits) -> None:
    jette, source_id = visit("jette"), str(uuid4())
    first = jette.post("/api/chat/messages", text="Hallo", source_id=source_id).json()["id"]
    assert jette.post("/api/chat/messages", text="Hallo", source_id=source_id).json()["id"] == first
    assert len(jette.thread()) == 1


def test_empty_message_is_refused_in_the_persons_language(visit: Visits) -> None:
    answer = visit("owen").writes("   ")
    assert (answer.status_code, answer.json()) == (422, {"detail": "The message is still empty.", "code": "empty"})


def test_message_of_100_000_characters_is_refused_with_the_limit(visit: Visits) -> None:
    jette = visit("jette")
    answer = jette.writes("ä" * 100_000)
    assert answer.status_code == 422
    assert "100\u202f000" in answer.json()["detail"]
    assert jette.thread() == []


def test_message_of_20_000_characters_and_emoji_only_are_kept_whole(visit: Visits) -> None:
    jette = visit("jette")
    jette.writes("🙂" * 20_000)
    assert jette.thread()[0]["text"] == "🙂" * 20_000


def test_malformed_json_and_wrong_ids_are_422(visit: Visits) -> None:
    jette = visit("jette")
    assert jette.send("POST", "/api/chat/messages", content=b"{").status_code == 422
    assert jette.send("POST", "/api/chat/messages", json=["text"]).status_code == 422
    assert jette.post("/api/chat/messages", text="Hallo", source_id="1").json()["code"] == "invalid_fields"


def test_typing_is_shown_until_the_answer_is_delivered(world: World, visit: Visits) -> None:
    jette = visit("jette")
    jette.post("/api/chat/messages", text="Hallo")
    assert jette.get("/api/chat/messages").json()["typing"] is True
    world.settle()
    assert jette.get("/api/chat/messages").json()["typing"] is False


def test_last_own_message_is_edited_and_the_page_says_so(visit: Visits) -> None:
    jette = visit("jette")
    message = jette.writes("Mein Moniter flackert").json()["id"]
    assert (
        jette.send("PATCH", f"/api/chat/messages/{message}", json={"text": "Mein Monitor flackert"}).status_code == 200
    )
    shown = jette.thread()[0]
    assert (shown["text"], shown["edited"]) == ("Mein Monitor flackert", True)


def test_deleted_message_leaves_no_text_on_the_page(visit: Visits) -> None:
    jette = visit("jette")
    message = jette.writes("Mein Kennwort ist geheim123").json()["id"]
    assert jette.send("DELETE", f"/api/chat/messages/{message}").status_code == 200
    assert jette.thread()[0]["deleted"] is True
    assert "geheim123" not in jette.get("/").text


def test_only_the_last_message_can_be_changed(visit: Visits) -> None:
    jette = visit("jette")
    first = jette.writes("Eins").json()["id"]
    jette.writes("Zwei")
    assert jette.send("PATCH", f"/api/chat/messages/{first}", json={"text": "Drei"}).status_code == 409


def test_nobody_changes_what_somebody_else_wrote(visit: Visits) -> None:
    message = visit("jette").writes("Hallo").json()["id"]
    owen = visit("owen")
    assert owen.send("PATCH", f"/api/chat/messages/{message}", json={"text": "Tschüss"}).status_code == 404
    assert owen.send("DELETE", f"/api/chat/messages/{message}").status_code == 404


def test_nobody_presses_below_somebody_elses_message(world: World, visit: Visits) -> None:
    world.publish("Abwesenheitsnotiz einrichten", "In Outlook unter Datei die Abwesenheitsnotiz einrichten.")
    jette = visit("jette")
    jette.writes("Abwesenheitsnotiz einrichten in Outlook")
    below = jette.thread()[-1]["id"]
    assert visit("owen").post("/api/presses", action="helped", on=below).status_code == 404


def test_buttons_are_gone_once_one_was_pressed(world: World, visit: Visits) -> None:
    world.publish("Abwesenheitsnotiz einrichten", "In Outlook unter Datei die Abwesenheitsnotiz einrichten.")
    jette = visit("jette")
    jette.writes("Abwesenheitsnotiz einrichten in Outlook")
    below = jette.thread()[-1]["id"]
    assert jette.post("/api/presses", action="helped", on=below).json()["ok"]
    assert all(not message["buttons"] for message in jette.thread())
    assert jette.thread()[-1]["text"] == "Das hat geholfen"


def test_each_employee_sees_only_the_own_thread(visit: Visits) -> None:
    visit("jette").writes("Nur für den Helpdesk")
    assert visit("owen").thread() == []


def test_note_is_never_seen_even_if_it_were_sent_to_the_employee(world: World, visit: Visits) -> None:
    jette, maren = visit("jette"), visit("maren")
    number = jette.wants_person()
    maren.on_ticket(number, "Nur intern: Treiber prüfen", note=True)
    relay_note_by_mistake(world)
    assert "Treiber" not in jette.get("/api/chat/messages").text + jette.get("/").text


def relay_note_by_mistake(world: World) -> None:
    with world.app.house.sessions.begin() as session:
        note = session.scalars(select(Message).where(Message.kind == Kind.NOTE)).one()
        place = session.scalars(select(Place).where(Place.channel == "chat")).one()
        now = world.clock()  # straight into the table: the record itself refuses to relay a note
        session.execute(
            insert(Message).values(
                conversation_id=note.conversation_id,
                place_id=place.id,
                concerns_id=note.id,
                author=Author.AGENT,
                kind=Kind.RELAY,
                text=note.text,
                platform="web",
                created_at=now,
                written_at=now,
                to_send=True,
                delivered_at=now,
            )
        )


def test_undelivered_and_dropped_posts_are_not_seen(world: World, visit: Visits) -> None:
    jette = visit("jette")
    jette.writes("Hallo")
    before = len(jette.thread())
    with world.app.house.sessions.begin() as session:
        asked = session.scalars(select(Message)).first()
        assert asked is not None
        waiting, dropped = (
            post(session, asked.conversation, asked.place, Kind.SAY, text, world.clock()) for text in ("eins", "zwei")
        )
        waiting.delivered_at = None
        dropped.delivered_at = dropped.dropped_at = world.clock()
    assert len(jette.thread()) == before


def test_links_and_html_in_what_lotse_says_are_neutralised(world: World, visit: Visits) -> None:
    jette = visit("jette")
    jette.writes("Hallo")
    with world.app.house.sessions.begin() as session:
        asked = session.scalars(select(Message)).first()
        assert asked is not None
        text = "**Ausfall** [hier](https://evil.example) <img src=x onerror=alert(1)> ![](https://evil.example/x)"
        reply = to_json(Reply("", links=()))
        reply["links"] = [{"label": "Quelle", "url": "javascript:alert(1)"}]
        said = post(session, asked.conversation, asked.place, Kind.SAY, text, world.clock(), reply=reply)
        said.delivered_at = world.clock()
    page = jette.get("/").text
    assert "<strong>Ausfall</strong>" in page
    assert "<img src=x" not in page
    assert 'href="https://evil.example"' not in page
    assert "javascript:" not in page


def test_message_that_cannot_be_stored_is_503_with_a_clear_text(world: World, visit: Visits) -> None:
    jette = visit("jette")
    jette.http.app.state.web = with_engine(jette.http.app.state.web, BrokenEngine())  # type: ignore[attr-defined]
    answer = jette.post("/api/chat/messages", text="Hallo")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_stored")
    assert "disk" not in answer.text
    assert jette.post("/api/presses", action="person").status_code == 503


class BrokenEngine:
    """Cannot store anything."""

    def receive(self, incoming: object) -> int | None:
        raise OSError("the disk is full")

    def press(self, press: object) -> object:
        raise OSError("the disk is full")


def with_engine(web: object, engine: object) -> object:
    return replace(web, engine=engine)  # type: ignore[type-var]


def test_new_question_is_a_thread_of_its_own_while_another_case_waits(visit: Visits) -> None:
    jette = visit("jette")
    jette.writes("Das Tablet an der Kaffeemaschine ist aus")
    written = jette.post("/api/chat/messages?thread=a1b2", text="Wie drucke ich beidseitig?", source_id=str(uuid4()))
    assert written.status_code == 201
    texts = [message["text"] for message in jette.get("/api/chat/messages?thread=a1b2").json()["messages"]]
    assert "Wie drucke ich beidseitig?" in texts
    assert "Das Tablet an der Kaffeemaschine ist aus" not in texts
    listed = jette.get("/chat/threads").text
    assert 'href="/?thread=a1b2"' in listed
    assert "Kaffeemaschine" in listed


def test_thread_of_somebody_else_cannot_be_named(visit: Visits) -> None:
    visit("jette").writes("Mein Anliegen")
    konrad = visit("konrad")
    for name in ("jette", "../jette", ":jette", "jette:a1"):
        found = konrad.get(f"/api/chat/messages?thread={name}")
        assert found.status_code == 422 or found.json()["messages"] == []
