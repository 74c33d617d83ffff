"""What agents do on the desk."""

from uuid import uuid4

from visits import Visits
from world import MAREN, World

from bot.channels.port import Address, Incoming


def test_reply_reaches_the_employee_with_the_agents_name(visit: Visits) -> None:
    jette, maren = visit("jette"), visit("maren")
    number = jette.wants_person()
    assert maren.on_ticket(number, "Ich sehe es mir an.").status_code == 201
    last = jette.thread()[-1]
    assert (last["author"], last["text"]) == ("Maren Tiede", "Ich sehe es mir an.")


def test_second_claim_is_told_who_won(visit: Visits) -> None:
    number = visit("jette").wants_person()
    assert visit("maren").acts(number, "claim").json()["ok"] is True
    lost = visit("tomasz").acts(number, "claim").json()
    assert lost["ok"] is False
    assert "Maren Tiede" in lost["text"]


def test_note_is_on_the_desk_and_not_in_the_chat(visit: Visits) -> None:
    jette, maren = visit("jette"), visit("maren")
    number = jette.wants_person()
    maren.on_ticket(number, "Treiber prüfen", note=True)
    assert "Treiber prüfen" in maren.get(f"/desk/{number}").text
    assert "Treiber" not in jette.get("/api/chat/messages").text


def test_edited_reply_replaces_the_old_wording_in_the_chat(world: World, visit: Visits) -> None:
    jette = visit("jette")
    number = jette.wants_person()
    desk, source_id = Address("web", "desk", number), str(uuid4())
    for source, edits, text in ((source_id, None, "Ich komme um 12"), (str(uuid4()), source_id, "Ich komme um 13")):
        came = Incoming(desk, MAREN, text, source, world.clock(), is_reply=True, edits=edits)
        world.app.engine.receive(came)
        world.settle()
    replies = [message for message in jette.thread() if message["author"] == "Maren Tiede"]
    assert [(message["text"], message["edited"]) for message in replies] == [("Ich komme um 13", True)]


def test_third_level_sees_only_escalated_tickets_and_writes_only_notes(visit: Visits) -> None:
    jette, maren, henrik = visit("jette"), visit("maren"), visit("henrik")
    number = jette.wants_person()
    assert henrik.get(f"/api/tickets/{number}").status_code == 404
    assert henrik.get("/api/tickets").json() == []
    maren.acts(number, "escalate")
    assert [ticket["number"] for ticket in henrik.get("/api/tickets").json()] == [number]
    page = henrik.get(f"/desk/{number}").text
    assert 'type="radio"' not in page
    henrik.on_ticket(number, "Es ist der Switch in Raum 2", note=False)
    assert "Switch in Raum 2" in maren.get(f"/desk/{number}").text
    assert "Switch in Raum 2" not in jette.get("/api/chat/messages").text


def test_third_level_cannot_act_on_a_ticket(visit: Visits) -> None:
    jette, maren, henrik = visit("jette"), visit("maren"), visit("henrik")
    number = jette.wants_person()
    maren.acts(number, "escalate")
    assert henrik.acts(number, "resolve", fix="egal").status_code == 403


def test_resolve_tells_the_fix_and_proposes_an_article(visit: Visits) -> None:
    jette, maren, sabine = visit("jette"), visit("maren"), visit("sabine")
    number = jette.wants_person()
    maren.acts(number, "claim")
    maren.acts(number, "resolve", cause="Zwei Exemplare", fix="Auf ein Exemplar gestellt", propose_article="yes")
    assert "Auf ein Exemplar gestellt" in jette.thread()[-1]["text"]
    assert "Zwei Exemplare" not in jette.get("/api/chat/messages").text
    asked = [found for found in sabine.get("/api/questions").json() if number in found["ticket_numbers"]]
    assert asked
    draft = sabine.get(f"/kb/articles/new?question={asked[0]['id']}").text
    assert "Auf ein Exemplar gestellt" in draft
    assert "Zwei Exemplare" in draft


def test_still_broken_reopens(visit: Visits) -> None:
    jette, maren = visit("jette"), visit("maren")
    number = jette.wants_person()
    maren.acts(number, "claim")
    maren.acts(number, "resolve", fix="Neu gestartet")
    below = jette.thread()[-1]
    assert "still_broken" in [button["action"] for button in below["buttons"]]
    jette.post("/api/presses", action="still_broken", on=below["id"])
    jette.world.settle()
    assert maren.get(f"/api/tickets/{number}").json()["state"] == "in_progress"


def test_fields_are_corrected_and_wrong_ones_are_refused(visit: Visits) -> None:
    jette, maren = visit("jette"), visit("maren")
    number = jette.wants_person()
    maren.acts(number, "correct", queue="network", impact=1, urgency=1, summary="Drucker druckt doppelt")
    ticket = maren.get(f"/api/tickets/{number}").json()
    assert (ticket["queue"], ticket["priority"], ticket["summary"]) == ("network", 1, "Drucker druckt doppelt")
    assert maren.acts(number, "correct", impact=7).status_code == 422
    assert maren.acts(number, "explode").status_code == 422
    assert maren.acts(number, "correct", queue="nowhere").json()["ok"] is False


def test_views_count_and_filter(visit: Visits) -> None:
    jette, owen, maren = visit("jette"), visit("owen"), visit("maren")
    first, second = jette.wants_person(), owen.wants_person()
    maren.acts(first, "claim")
    shown = {view: numbers(maren, f"view={view}") for view in ("open", "mine", "unassigned", "done")}
    assert shown == {"open": [first, second], "mine": [first], "unassigned": [second], "done": []}
    assert numbers(maren, "words=Owen") == [second]
    assert numbers(maren, f"words={first}") == [first]
    assert numbers(maren, "words=%25") == []
    assert numbers(maren, "priority=1") == []
    assert numbers(maren, "state=new") == [second]


def numbers(browser: object, query: str) -> list[str]:
    rows = browser.get(f"/api/tickets?{query}").json()  # type: ignore[attr-defined]
    return sorted(row["number"] for row in rows)


def test_transcript_holds_everything_and_is_escaped(visit: Visits) -> None:
    jette, maren = visit("jette"), visit("maren")
    jette.writes("<script>alert('x')</script>")
    number = jette.wants_person()
    text = maren.get(f"/api/tickets/{number}/transcript?format=text")
    html = maren.get(f"/api/tickets/{number}/transcript?format=html")
    assert text.headers["content-disposition"] == f'attachment; filename="{number}.txt"'
    assert "Etikettendrucker" in text.text
    assert "<script>" not in html.text
    assert "&lt;script&gt;" in html.text
    assert any("Etikettendrucker" in entry["text"] for entry in maren.get(f"/api/tickets/{number}/transcript").json())


def test_page_shows_what_lotse_searched(world: World, visit: Visits) -> None:
    world.publish("Drucker einrichten", "Den Drucker über die Einstellungen hinzufügen, Etikettendrucker ebenso.")
    jette, maren = visit("jette"), visit("maren")
    number = jette.wants_person()
    page = maren.get(f"/desk/{number}").text
    assert "Was Lotse verstanden und gesucht hat" in page
    assert "Drucker einrichten" in page
    assert "Drucker einrichten" in maren.get(f"/desk/{number}/suggestions").text


def test_announced_outage_is_on_every_employees_page(visit: Visits) -> None:
    jette, owen, maren = visit("jette"), visit("owen"), visit("maren")
    number = jette.wants_person()
    maren.acts(number, "correct", summary="Drucker im Lager <gestört>")
    maren.acts(number, "outage", value="on")
    assert "Drucker im Lager &lt;gestört&gt;" in owen.get("/").text
    maren.acts(number, "outage", value="off")
    assert "Drucker im Lager" not in owen.get("/").text


def test_ticket_is_given_to_an_agent_even_if_new_here_and_to_nobody_else(visit: Visits) -> None:
    jette, maren = visit("jette"), visit("maren")
    number = jette.wants_person()
    assert maren.acts(number, "assign", person="aylin").json()["ok"] is True
    assert maren.get(f"/api/tickets/{number}").json()["agent"] == "Aylin Kocabaş"
    for person in ("owen", "henrik", "nobody"):
        assert maren.acts(number, "assign", person=person).status_code == 422
