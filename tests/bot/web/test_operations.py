"""What operators see."""

from dataclasses import replace
from datetime import UTC, datetime

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.orm import Session
from visits import Visit, Visits
from world import World

from bot.db import Sessions
from bot.web.operations import database_reasons


def metrics(browser: Visit) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(browser.get("/metrics").text)
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def test_process_says_that_it_lives(visit: Visits) -> None:
    assert visit(None).get("/healthz").json() == {"status": "alive"}


def test_not_ready_while_the_worker_is_down_and_says_why(visit: Visits) -> None:
    answer = visit(None).get("/readyz")  # no worker thread runs in this test
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["worker: failed"]


def test_ready_when_a_part_is_only_degraded(world: World, visit: Visits) -> None:
    nobody = visit(None)
    web = world.app.web.state.web
    world.app.web.state.web = replace(
        web, health=lambda: {"worker": {"state": "ok"}, "understanding": {"state": "degraded"}}
    )
    assert nobody.get("/readyz").status_code == 200


def test_database_that_is_gone_is_a_reason(world: World) -> None:
    class Gone(Sessions):
        def __init__(self) -> None: ...

        def __call__(self, **options: object) -> Session:
            raise ConnectionError("no")

    assert database_reasons(Gone()) == ["the database cannot be reached (ConnectionError)"]


def test_metrics_count_received_handled_and_delivered(world: World, visit: Visits) -> None:
    jette = visit("jette")
    jette.http.get("/metrics")
    jette.post("/api/chat/messages", text="Hallo")
    assert metrics(jette)[("lotse_messages_open", "unhandled")] == 1
    world.settle()
    found = metrics(jette)
    assert found[("lotse_messages_received_total",)] == 1
    assert found[("lotse_messages_handled_total",)] == 1
    assert found[("lotse_messages_delivered_total",)] == 1
    assert found[("lotse_messages_open", "unhandled")] == 0
    assert found[("lotse_decisions_total", "greeting")] == 1


def test_metrics_count_tickets_and_parts(visit: Visits) -> None:
    jette = visit("jette")
    jette.wants_person()
    found = metrics(jette)
    assert found[("lotse_tickets", "new")] == 1
    assert found[("lotse_part_state", "worker")] == 0
    assert any(name[0] == "lotse_understander" for name in found)


def test_each_answer_is_timed_once(world: World, visit: Visits) -> None:
    jette = visit("jette")
    world.clock.time = datetime.now(UTC)
    jette.writes("Hallo")
    assert metrics(jette)[("lotse_answer_seconds_count",)] == 1
    assert metrics(jette)[("lotse_answer_seconds_count",)] == 1


def test_every_call_of_the_api_is_described(visit: Visits) -> None:
    description = visit(None).get("/openapi.json").json()
    calls = [(path, method, call) for path, calls in description["paths"].items() for method, call in calls.items()]
    assert len(calls) > 20
    assert [(path, method) for path, method, call in calls if not call.get("description")] == []
    schemas = description["components"]["schemas"]
    assert schemas["TicketPress"]["properties"]["value"]["description"]


def test_api_page_lists_the_calls(visit: Visits) -> None:
    assert "/api/tickets/{number}/actions" in visit("maren").get("/docs").text
