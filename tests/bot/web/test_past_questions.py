"""What editors see of what articles have learned: list, remove, put back, write."""

import pytest
from visits import Visits
from world import VPN_QUESTION, World

from kb_index.learning import learn_question
from kb_index.models import Origin
from kb_index.past_questions import read_past_questions

DRAFT = {
    "title": "Etikettendrucker druckt doppelt",
    "body": "Wenn der Etikettendrucker doppelt druckt: Exemplare auf 1.",
    "language": "de",
}


def used(world: World, article: int) -> list[str]:
    """The questions that the index uses."""
    with world.app.house.sessions() as session:
        return [found.question for found in read_past_questions(session, [article], world.embedder.name)]


@pytest.fixture
def article(world: World) -> int:
    """An article that has learned one question from two requesters."""
    made = world.publish("VPN einrichten", "Starten Sie den VPN-Client.")
    for _ in range(2):
        with world.app.house.sessions.begin() as session:
            assert learn_question(session, made, VPN_QUESTION, "de", Origin.HELPED) is not None
    world.app.worker.take_in_learned()
    return made


def test_api_lists_removes_and_puts_back(world: World, visit: Visits, article: int) -> None:
    sabine, path = visit("sabine"), f"/api/articles/{article}/past-questions"
    [past] = sabine.get(path).json()
    assert (past["question"], past["origin"], past["count"], past["removed"]) == (VPN_QUESTION, "helped", 2, False)
    assert sabine.send("DELETE", f"{path}/{past['id']}").json()["removed"] is True
    assert used(world, article) == []
    assert sabine.get(path).json()[0]["removed"] is True
    assert sabine.post(f"{path}/{past['id']}/restore").json()["removed"] is False
    assert used(world, article) == [VPN_QUESTION]


def test_unknown_ones_are_404(visit: Visits, article: int) -> None:
    sabine = visit("sabine")
    assert sabine.get("/api/articles/999/past-questions").status_code == 404
    assert sabine.send("DELETE", f"/api/articles/{article}/past-questions/999").status_code == 404
    assert sabine.post(f"/api/articles/{article}/past-questions/999/restore").status_code == 404


def test_only_editors_see_them_on_the_page(visit: Visits, article: int) -> None:
    shown = visit("sabine").get(f"/kb/articles/{article}").text
    assert VPN_QUESTION in shown
    assert "hat geholfen" in shown
    assert "2× bestätigt" in shown
    for reader in ("jette", "maren"):
        page = visit(reader).get(f"/kb/articles/{article}")
        assert page.status_code == 200
        assert VPN_QUESTION not in page.text


def test_the_page_offers_to_remove_and_to_put_back(visit: Visits, article: int) -> None:
    sabine, path = visit("sabine"), f"/api/articles/{article}/past-questions"
    past = sabine.get(path).json()[0]["id"]
    assert f'hx-delete="{path}/{past}"' in sabine.get(f"/kb/articles/{article}/past-questions").text
    sabine.send("DELETE", f"{path}/{past}")
    shown = sabine.get(f"/kb/articles/{article}/past-questions").text
    assert f'hx-post="{path}/{past}/restore"' in shown
    assert "entfernt" in shown


def test_alternative_questions_are_written_one_a_line(world: World, visit: Visits) -> None:
    sabine = visit("sabine")
    lines = "Druckt alles zweimal\n\n  Etikett kommt doppelt  \n"
    article = sabine.post("/api/articles", **DRAFT, publish=True, questions=lines).json()["id"]
    assert used(world, article) == ["Druckt alles zweimal", "Etikett kommt doppelt"]
    assert "Druckt alles zweimal\nEtikett kommt doppelt</textarea>" in sabine.get(f"/kb/articles/{article}/edit").text
    assert "von der Redaktion (Sabine" in sabine.get(f"/kb/articles/{article}").text
    sabine.send("PUT", f"/api/articles/{article}", json=DRAFT | {"questions": ["Etikett kommt doppelt"]})
    assert used(world, article) == ["Etikett kommt doppelt"]
    sabine.send("PUT", f"/api/articles/{article}", json=DRAFT)
    assert used(world, article) == ["Etikett kommt doppelt"]
    sabine.send("PUT", f"/api/articles/{article}", json=DRAFT | {"questions": ""})
    assert used(world, article) == []


def test_too_many_or_too_long_ones_are_refused(visit: Visits) -> None:
    sabine = visit("sabine")
    assert sabine.post("/api/articles", **DRAFT, questions=["x"] * 101).status_code == 422
    assert sabine.post("/api/articles", **DRAFT, questions=["x" * 2001]).status_code == 422


def test_they_are_harmless_on_the_page(visit: Visits) -> None:
    sabine = visit("sabine")
    evil = 'Drucker <script>alert(1)</script> " onmouseover=alert(1)'
    article = sabine.post("/api/articles", **DRAFT, questions=[evil]).json()["id"]
    for page in (f"/kb/articles/{article}", f"/kb/articles/{article}/edit"):
        shown = sabine.get(page).text
        assert "Drucker &lt;script&gt;" in shown
        assert "<script>alert" not in shown
        assert '" onmouseover=alert' not in shown


def test_an_open_question_belongs_to_the_article_that_answers_it(world: World, visit: Visits) -> None:
    jette, sabine = visit("jette"), visit("sabine")
    jette.writes("Jette: Etikettendrucker druckt doppelt")
    world.clock.move(seconds=200)
    world.settle()
    asked = sabine.get("/api/questions").json()[0]["id"]
    article = sabine.post("/api/articles", **DRAFT, publish=True, question=asked).json()["id"]
    assert used(world, article) == ["Etikettendrucker druckt doppelt"]


def test_answering_an_open_question_with_an_article_makes_it_one_of_its_questions(
    world: World, visit: Visits, article: int
) -> None:
    jette, sabine = visit("jette"), visit("sabine")
    jette.writes("Etikettendrucker druckt doppelt")
    world.clock.move(seconds=200)
    world.settle()
    asked = sabine.get("/api/questions").json()[0]["id"]
    sabine.post(f"/api/questions/{asked}/answer", article=article)
    assert used(world, article) == [VPN_QUESTION, "Etikettendrucker druckt doppelt"]
