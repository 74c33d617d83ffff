"""What editors do: write, publish, withdraw; and the questions nobody could answer."""

from visits import Visits
from world import World

from kb_index.questions import note_unanswered

DRAFT = {
    "title": "Etikettendrucker druckt doppelt",
    "body": "## Lösung\n\nWenn der Etikettendrucker doppelt druckt: Exemplare auf 1.",
    "language": "de",
}


def test_unanswered_question_becomes_an_article_and_the_next_one_is_answered(world: World, visit: Visits) -> None:
    jette, sabine = visit("jette"), visit("sabine")
    jette.writes("Etikettendrucker druckt doppelt")
    world.clock.move(seconds=200)
    world.settle()
    asked = sabine.get("/api/questions").json()
    assert [found["question"] for found in asked] == ["Etikettendrucker druckt doppelt"]
    saved = sabine.post("/api/articles", **DRAFT, publish=True, question=asked[0]["id"])
    assert (saved.status_code, saved.json()["state"]) == (201, "published")
    assert sabine.get("/api/questions").json() == []
    owen = visit("konrad")
    owen.writes("Etikettendrucker druckt doppelt")
    assert owen.thread()[-1]["kind"] == "answer"


def test_draft_is_found_by_nobody_until_published_and_gone_once_withdrawn(world: World, visit: Visits) -> None:
    sabine, jette = visit("sabine"), visit("jette")
    article = sabine.post("/api/articles", **DRAFT).json()["id"]
    assert jette.get(f"/kb/articles/{article}").status_code == 404
    sabine.post(f"/api/articles/{article}/publish")
    assert "Exemplare auf 1" in jette.get(f"/kb/articles/{article}").text
    sabine.post(f"/api/articles/{article}/withdraw")
    assert jette.get(f"/kb/articles/{article}").status_code == 404
    jette.writes("Etikettendrucker druckt doppelt")
    assert jette.thread()[-1]["kind"] != "answer"


def test_published_text_stays_until_the_new_draft_is_published(visit: Visits) -> None:
    sabine, jette = visit("sabine"), visit("jette")
    article = sabine.post("/api/articles", **DRAFT, publish=True).json()["id"]
    sabine.send("PUT", f"/api/articles/{article}", json=DRAFT | {"body": "Neuer Text"})
    assert "Neuer Text" not in jette.get(f"/kb/articles/{article}").text
    assert "Neuer Text" in sabine.get(f"/kb/articles/{article}/edit").text
    assert "neuerer Entwurf" in sabine.get("/kb").text


def test_article_and_preview_are_harmless(visit: Visits) -> None:
    sabine = visit("sabine")
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>\n\n[x](javascript:alert(1)) **ok** [site](https://ok.example)"
    preview = sabine.send("POST", "/kb/preview", data={"body": evil}).text
    article = sabine.post("/api/articles", **DRAFT | {"body": evil, "title": "<i>T</i>"}, publish=True).json()["id"]
    for shown in (preview, sabine.get(f"/kb/articles/{article}").text.split("<article", 1)[1]):
        assert "<script" not in shown.split("</article>")[0]
        assert "onerror" not in shown
        assert 'href="javascript' not in shown
        assert "<strong>ok</strong>" in shown
        assert 'rel="noopener noreferrer nofollow"' in shown
    assert "&lt;i&gt;T&lt;/i&gt;" in sabine.get("/kb").text


def test_wrong_fields_are_named(visit: Visits) -> None:
    sabine = visit("sabine")
    answer = sabine.post("/api/articles", title="", body="x", language="fr")
    assert answer.status_code == 422
    assert "title" in answer.json()["detail"]
    assert "language" in answer.json()["detail"]
    assert sabine.post("/api/articles", **DRAFT | {"url": "javascript:alert(1)"}).status_code == 422


def test_unknown_articles_and_questions_are_404(visit: Visits) -> None:
    sabine = visit("sabine")
    assert sabine.send("PUT", "/api/articles/999", json=DRAFT).status_code == 404
    assert sabine.post("/api/articles/999/publish").status_code == 404
    assert sabine.post("/api/questions/999/dismiss").status_code == 404
    assert sabine.get("/kb/articles/999").status_code == 404


def test_search_takes_sql_and_wildcards_as_words(visit: Visits) -> None:
    sabine = visit("sabine")
    sabine.post("/api/articles", **DRAFT, publish=True)
    for words in ("'; DROP TABLE article; --", "%", "_", "\\"):
        assert sabine.get("/api/articles", params={"words": words}).json() == []
    assert len(sabine.get("/api/articles", params={"words": "exemplare"}).json()) == 1


def test_dismissed_question_is_off_the_list(world: World, visit: Visits) -> None:
    with world.app.house.sessions.begin() as session:
        question = note_unanswered(session, "Wer gießt die Blumen?", "de", "unknown").id
    sabine = visit("sabine")
    assert "Wer gießt die Blumen?" in sabine.get("/kb/questions").text
    sabine.post(f"/api/questions/{question}/dismiss")
    assert "Wer gießt die Blumen?" not in sabine.get("/kb/questions").text


def test_the_title_of_a_new_article_is_its_question_without_courtesy_and_short(world: World, visit: Visits) -> None:
    asked = "Könnten Sie mir bitte helfen? Der Beamer zeigt kein Bild, obwohl das Kabel steckt und ich"
    with world.app.house.sessions.begin() as session:
        question = note_unanswered(session, f"{asked} alles neu gestartet habe. Vielen Dank!", "de", "unknown").id
        other = note_unanswered(session, f"Bitte: {'Beamer ' * 40}", "de", "unknown").id
    sabine = visit("sabine")
    title = "Der Beamer zeigt kein Bild, obwohl das Kabel steckt und ich alles neu gestartet habe."
    assert f'value="{title}"' in sabine.get(f"/kb/articles/new?question={question}").text
    assert 'Beamer Beamer…"' in sabine.get(f"/kb/articles/new?question={other}").text
