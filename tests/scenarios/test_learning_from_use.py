"""What was confirmed as answered belongs to its article: from requesters, from agents, and never across audiences."""

import pytest
from sqlalchemy import select
from world import JETTE, KONRAD, MAREN, UNKNOWN_QUESTION, VPN_QUESTION, World

from handoff.models import TicketState
from kb_index.learning import learn_question, past_questions_of
from kb_index.models import AnswerFeedback, Article, Origin, PastQuestion
from kb_index.past_questions import has_waiting, read_past_questions
from kb_index.versions import raise_version

Learned = list[tuple[str, str, int]]


def vpn(world: World) -> int:
    with world.app.house.sessions() as session:
        return session.scalars(select(Article.id).where(Article.title == "VPN einrichten")).one()


def learned(world: World, article_id: int) -> Learned:
    """Text, origin and count of what the index can use; everything that waited was taken in."""
    with world.app.house.sessions() as session:
        assert not has_waiting(session)
        found = read_past_questions(session, [article_id], world.embedder.name)
        return [(one.question, one.origin, one.count) for one in found]


def feedback(world: World) -> list[tuple[int, bool]]:
    with world.app.house.sessions() as session:
        rows = session.scalars(select(AnswerFeedback).order_by(AnswerFeedback.id)).all()
        assert all(0.0 < row.probability <= 1.0 and row.language == "de" for row in rows)
        return [(row.article_id, row.helped) for row in rows]


def solved(world: World, ticket: str, **fields: str) -> None:
    assert world.agent_presses(MAREN, ticket, "resolve", **fields).ok


# --- requesters -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("in_words", [False, True])
def test_what_helped_is_learned_at_once(world: World, in_words: bool) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    assert learned(world, vpn(world)) == []
    if in_words:
        world.ask(KONRAD, "Das hat geholfen")
    else:
        world.press(KONRAD, "helped")
    assert learned(world, vpn(world)) == [(VPN_QUESTION, "helped", 1)]
    assert feedback(world) == [(vpn(world), True)]


def test_what_is_learned_tells_nothing_of_who_asked(world: World) -> None:
    article = world.publish("Rufumleitung", "Voßmann leitet die Durchwahl auf +49 170 1234567 um.")
    world.ask(KONRAD, "Voßmann: Rufumleitung der Durchwahl auf +49 170 1234567")
    world.press(KONRAD, "helped")
    assert learned(world, article) == [("Rufumleitung der Durchwahl auf", "helped", 1)]


def test_two_requesters_make_one_entry(world: World) -> None:
    for requester in (KONRAD, JETTE):
        world.ask(requester, VPN_QUESTION)
        world.press(requester, "helped")
    assert learned(world, vpn(world)) == [(VPN_QUESTION, "helped", 2)]
    assert feedback(world) == [(vpn(world), True), (vpn(world), True)]


@pytest.mark.parametrize("in_words", [False, True])
def test_what_did_not_help_is_not_learned_and_takes_back_what_was(world: World, in_words: bool) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    world.press(KONRAD, "helped")
    world.ask(JETTE, VPN_QUESTION)
    if in_words:
        world.ask(JETTE, "Das hat nicht geholfen")
    else:
        world.press(JETTE, "not_helped")
    assert learned(world, vpn(world)) == []
    assert feedback(world) == [(vpn(world), True), (vpn(world), False)]


def test_helped_and_then_not_counts_once_and_as_not(world: World) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    world.press(KONRAD, "helped")
    world.press(KONRAD, "not_helped")
    assert learned(world, vpn(world)) == []
    assert feedback(world) == [(vpn(world), False)]


def test_silence_teaches_nothing(world: World) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    world.passes(days=3)
    assert world.conversation(KONRAD).outcome == "assumed"
    assert learned(world, vpn(world)) == []
    assert feedback(world) == []


def test_what_is_said_is_kept_with_what_was_thought_before_others_had_spoken(world: World) -> None:
    knowledge = world.app.house.knowledge
    before = knowledge.search(VPN_QUESTION, "de").hits[0].confidence
    with world.app.house.sessions.begin() as session:
        session.add_all(
            AnswerFeedback(article_id=vpn(world), probability=0.5, helped=True, language="de", waiting=False)
            for _ in range(9)
        )
        raise_version(session)
    assert knowledge.search(VPN_QUESTION, "de").hits[0].confidence.probability > before.probability
    world.ask(KONRAD, VPN_QUESTION)
    world.press(KONRAD, "not_helped")
    with world.app.house.sessions() as session:
        [*_, said] = session.scalars(select(AnswerFeedback).order_by(AnswerFeedback.id)).all()
    assert (said.helped, said.probability) == (False, pytest.approx(before.probability))


def test_a_person_instead_teaches_nothing(world: World) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    world.press(KONRAD, "person")
    assert learned(world, vpn(world)) == []
    assert feedback(world) == []


def test_what_waited_when_the_process_died_is_taken_in_at_the_next_start(world: World) -> None:
    with world.app.house.sessions.begin() as session:
        learn_question(session, vpn(world), "Tunnel geht nicht", "de", Origin.HELPED)
    world.restart().worker.take_in_learned()
    assert learned(world, vpn(world)) == [("Tunnel geht nicht", "helped", 1)]


# --- agents -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "link", ["/kb/articles/{id}", "http://localhost:8080/kb/articles/{id}", "https://wiki.example/tel/"]
)
def test_an_article_linked_by_an_agent_learns_the_question_when_the_ticket_is_resolved(world: World, link: str) -> None:
    article = world.publish("Telefonanlage", "Den Hörer auflegen.", url="https://wiki.example/tel")
    ticket = world.unsolved(KONRAD)
    world.agent_says(MAREN, ticket, f"Das steht hier: {link.format(id=article)}. Viele Grüße", is_reply=True)
    assert learned(world, article) == []
    solved(world, ticket)
    [(text, origin, count)] = learned(world, article)
    assert (origin, count) == ("agent", 1)
    assert UNKNOWN_QUESTION in text
    with world.app.house.sessions() as session:
        assert [row.created_by for row in past_questions_of(session, article)] == [MAREN.name]
    assert feedback(world) == []


def test_an_article_named_in_the_solution_learns_the_question(world: World) -> None:
    article = world.publish("Telefonanlage", "Den Hörer auflegen.")
    ticket = world.unsolved(KONRAD)
    solved(world, ticket, fix=f"Siehe /kb/articles/{article}")
    assert [origin for _, origin, _ in learned(world, article)] == ["agent"]


def test_notes_links_elsewhere_and_replies_taken_back_teach_nothing(world: World) -> None:
    article = world.publish("Telefonanlage", "Den Hörer auflegen.")
    ticket = world.unsolved(KONRAD)
    world.agent_says(MAREN, ticket, f"Intern: /kb/articles/{article}", is_note=True)
    world.agent_says(MAREN, ticket, f"Siehe https://evil.example/kb/articles/{article}", is_reply=True)
    world.agent_says(MAREN, ticket, f"Siehe /kb/articles/{article}", is_reply=True, source_id="wrong")
    world.agent_says(MAREN, ticket, "", deletes="wrong")
    world.agent_says(MAREN, ticket, f"Siehe /kb/articles/{article}", is_reply=True, source_id="typo")
    world.agent_says(MAREN, ticket, "Siehe /kb/articles/99999", edits="typo")
    solved(world, ticket)
    assert learned(world, article) == []


@pytest.mark.parametrize("link", ["http://[ihr-server]/owa", "http://[2001:db8::1]:8080/"])
def test_a_link_that_is_no_address_stops_nobody_from_resolving(world: World, link: str) -> None:
    ticket = world.unsolved(KONRAD)
    world.agent_says(MAREN, ticket, f"Öffnen Sie {link} im Browser", is_reply=True)
    solved(world, ticket)
    assert world.ticket(ticket).state == TicketState.RESOLVED


def test_a_ticket_resolved_twice_is_one_confirmation(world: World) -> None:
    article = world.publish("Telefonanlage", "Den Hörer auflegen.")
    ticket = world.unsolved(KONRAD)
    solved(world, ticket, fix=f"Siehe /kb/articles/{article}")
    assert world.agent_presses(MAREN, ticket, "reopen").ok
    solved(world, ticket, fix=f"Doch: /kb/articles/{article}")
    assert [count for *_, count in learned(world, article)] == [1]


# --- audiences and states ---------------------------------------------------------------------------------------------
def test_what_agents_taught_an_agents_article_stays_on_their_shelf(world: World) -> None:
    article = world.publish("Telefonanlage", "Nur intern: Port zurücksetzen.", audience="agents")
    ticket = world.unsolved(KONRAD)
    world.agent_says(MAREN, ticket, f"Erledigt, siehe /kb/articles/{article}", is_reply=True)
    solved(world, ticket)
    assert [origin for _, origin, _ in learned(world, article)] == ["agent"]
    knowledge = world.app.house.knowledge
    assert article not in [hit.article_id for hit in knowledge.search(UNKNOWN_QUESTION, "de").hits]
    assert article in [hit.article_id for hit in knowledge.find_articles(UNKNOWN_QUESTION, "de")]


def test_what_helped_is_not_learned_by_an_article_that_became_the_agents_meanwhile(world: World) -> None:
    article = vpn(world)
    world.ask(KONRAD, VPN_QUESTION)
    with world.app.house.sessions.begin() as session:
        session.get_one(Article, article).audience = "agents"
    world.press(KONRAD, "helped")
    assert learned(world, article) == []
    assert feedback(world) == [(article, True)]


def test_a_withdrawn_article_keeps_its_questions_and_is_not_found_by_them(world: World) -> None:
    article = vpn(world)
    world.ask(KONRAD, VPN_QUESTION)
    world.press(KONRAD, "helped")
    world.withdraw(article)
    assert world.app.house.knowledge.search(VPN_QUESTION, "de").hits == ()
    with world.app.house.sessions() as session:
        assert session.scalars(select(PastQuestion.question)).all() == [VPN_QUESTION]
