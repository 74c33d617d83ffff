"""Employee, agents and editor use the real pages in a real browser, at the same time."""

import re
from typing import Any

from playwright.sync_api import Page, expect

expect.set_options(timeout=10_000)


def say(page: Page, text: str) -> None:
    page.fill("#text", text)
    page.press("#text", "Enter")


def ticket_of(page: Page) -> str:
    """The number that the employee's page shows."""
    expect(page.locator("#tickets")).to_contain_text("TKT-")
    found = re.search(r"TKT-\d+", page.inner_text("#tickets"))
    assert found is not None
    return found.group()


def test_question_is_answered_with_its_source(walker: Any, house: Any) -> None:
    article = house.publish("Abwesenheitsnotiz einrichten", "In Outlook unter Datei die Abwesenheitsnotiz einrichten.")
    jette = walker.sign_in("jette")
    say(jette, "Abwesenheitsnotiz einrichten in Outlook")
    answer = jette.locator("#thread .answer")
    expect(answer).to_contain_text("In Outlook unter Datei")
    expect(answer.locator(".source a")).to_have_attribute("href", f"/kb/articles/{article}")
    answer.get_by_role("button", name="Das hat geholfen").click()
    expect(jette.locator("#thread")).to_contain_text("Das freut mich")
    expect(jette.locator("#thread .choices")).to_have_count(0)


def test_whole_case_from_question_to_article(walker: Any, house: Any) -> None:
    jette = walker.sign_in("jette")
    say(jette, "Der Etikettendrucker druckt alles doppelt")
    expect(jette.locator("#thread .receipt")).to_be_visible()
    number = ticket_of(jette)

    maren, tomasz = walker.sign_in("maren", "/desk"), walker.sign_in("tomasz", "/desk")
    tomasz.goto(f"{house.address}/desk/{number}")
    maren.click(f"#card-{number} a")
    expect(maren.locator("#thread")).to_contain_text("Etikettendrucker")
    maren.locator("#thread .evidence summary").first.click()
    expect(maren.locator("#thread .evidence").first).to_contain_text("Gesucht nach")
    maren.get_by_role("button", name="Übernehmen").click()
    expect(maren.locator("#facts")).to_contain_text("Maren Tiede")

    say(maren, "Hallo Jette, ich sehe es mir an.")
    expect(jette.locator("#thread .person")).to_contain_text("Maren Tiede")
    expect(jette.locator("#thread .person")).to_contain_text("ich sehe es mir an")

    maren.check('input[name="note"][value="true"]')
    expect(maren.get_by_role("button", name="Notiz speichern (nur intern)")).to_be_visible()
    say(maren, "Treiber am Lager-PC prüfen")
    expect(maren.locator("#thread .note")).to_contain_text("Treiber am Lager-PC")
    say(jette, "Danke, ich warte.")
    expect(maren.locator("#thread")).to_contain_text("Danke, ich warte.")
    expect(jette.locator("#thread")).not_to_contain_text("Treiber am Lager-PC")

    resolve(maren, cause="Zwei Exemplare eingestellt", fix="Auf ein Exemplar gestellt", propose=True)
    expect(jette.locator("#thread")).to_contain_text("Auf ein Exemplar gestellt")
    jette.get_by_role("button", name="Geht immer noch nicht").click()
    expect(maren.locator("#facts .state")).to_have_text("in Arbeit")
    resolve(maren, cause="Zwei Exemplare eingestellt", fix="Treiber auf ein Exemplar gestellt")
    expect(jette.locator("#thread")).to_contain_text("Treiber auf ein Exemplar gestellt")

    write_article(walker, house)
    konrad = walker.sign_in("konrad")
    say(konrad, "Der Etikettendrucker druckt alles doppelt")
    expect(konrad.locator("#thread .answer")).to_contain_text("Treiber auf ein Exemplar gestellt")


def resolve(page: Page, cause: str, fix: str, *, propose: bool = False) -> None:
    page.click("#resolve summary")
    page.fill('#resolve [name="cause"]', cause)
    page.fill('#resolve [name="fix"]', fix)
    if propose:
        page.check('#resolve [name="propose_article"]')
    page.click("#resolve button")
    expect(page.locator("#facts .state").first).to_have_text("gelöst")


def write_article(walker: Any, house: Any) -> None:
    """The editor turns the unanswered question into an article."""
    sabine = walker.sign_in("sabine", "/kb/questions")
    sabine.locator(".questions li", has_text="Etikettendrucker").get_by_role("link", name="Artikel schreiben").click()
    expect(sabine.locator("#article-text")).to_have_value(re.compile("Treiber auf ein Exemplar gestellt"))
    expect(sabine.locator("#preview")).to_contain_text("Treiber auf ein Exemplar gestellt")
    sabine.fill('[name="title"]', "Der Etikettendrucker druckt alles doppelt")
    text = sabine.input_value("#article-text")
    sabine.fill("#article-text", f"{text}\n\nDer Etikettendrucker druckt dann nicht mehr alles doppelt.")
    sabine.get_by_role("button", name="Veröffentlichen").click()
    sabine.wait_for_url(re.compile(r"/kb/articles/\d+$"))
    sabine.goto(f"{house.address}/kb/questions")
    expect(sabine.locator("#questions")).not_to_contain_text("Etikettendrucker")


def test_second_claim_is_told_who_won(walker: Any) -> None:
    jette = walker.sign_in("jette")
    jette.get_by_role("button", name="Bitte ein Mensch").click()
    number = ticket_of(jette)
    maren, aylin = walker.sign_in("maren", f"/desk/{number}"), walker.sign_in("aylin", f"/desk/{number}")
    freeze(aylin)
    maren.get_by_role("button", name="Übernehmen").click()
    expect(maren.locator("#facts")).to_contain_text("Maren Tiede")
    aylin.get_by_role("button", name="Übernehmen").click()
    expect(aylin.locator("#warned")).to_contain_text(f"{number} hat schon Maren Tiede übernommen")


def freeze(page: Page) -> None:
    """The page no longer looks again, as if the network were slow at this moment."""
    page.evaluate("document.body.addEventListener('lotse:change', (event) => event.stopImmediatePropagation(), true)")


def test_own_message_is_edited_and_deleted(walker: Any) -> None:
    jette = walker.sign_in("jette")
    say(jette, "Mein Moniter flackert")
    expect(jette.locator("#thread .receipt")).to_be_visible()
    jette.click("#thread .change summary")
    jette.fill("#thread .change textarea", "Mein Monitor flackert")
    jette.get_by_role("button", name="Speichern").click()
    expect(jette.locator("#thread .own .said")).to_have_text("Mein Monitor flackert")
    expect(jette.locator("#thread .own")).to_contain_text("bearbeitet")
    jette.get_by_role("button", name="Löschen").click()
    expect(jette.locator("#thread .own")).to_contain_text("Diese Nachricht wurde gelöscht")


def test_double_click_sends_one_message(walker: Any) -> None:
    jette = walker.sign_in("jette")
    jette.fill("#text", "Hallo")
    jette.dblclick(".composer button[type=submit]")
    expect(jette.locator("#thread .own")).to_have_count(1)
    expect(jette.locator("#thread .bot").last).to_contain_text("Lotse")
    expect(jette.locator("#thread .own")).to_have_count(1)


def test_text_that_is_too_long_stays_in_the_box(walker: Any) -> None:
    jette = walker.sign_in("jette")
    jette.fill("#text", "ä" * 20_001)
    expect(jette.locator(".counter")).to_contain_text("20.001")
    jette.click(".composer button[type=submit]")
    expect(jette.locator("#warned")).to_contain_text("20\u202f001")
    assert len(jette.input_value("#text")) == 20_001
    walker.complaints = [said for said in walker.complaints if "422" not in said]  # the browser logs the refusal


def test_files_are_chosen_removed_and_sent(walker: Any) -> None:
    jette = walker.sign_in("jette")
    files = [{"name": name, "mimeType": "text/plain", "buffer": b"E-77"} for name in ("eins.txt", "zwei.txt")]
    jette.set_input_files("#files", files)
    jette.get_by_role("button", name="eins.txt entfernen").click()
    big = {"name": "film.mp4", "mimeType": "video/mp4", "buffer": b"0" * (11 * 1024 * 1024)}
    jette.set_input_files("#files", [big])
    expect(jette.locator("#warned")).to_contain_text("film.mp4")
    jette.set_input_files("#files", [files[1]])
    say(jette, "Siehe Anhang")
    expect(jette.locator("#thread .own .files")).to_contain_text("zwei.txt")
    with jette.expect_download() as download:
        jette.click("#thread .own .files a")
    assert download.value.path().read_bytes() == b"E-77"
