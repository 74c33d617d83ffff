"""What a case teaches the knowledge: which question an article answered, and whether an answer helped."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.asking import essence
from bot.house import House
from bot.thinking import Thought
from handoff.models import Author, Conversation, Kind, Message, Person, Ticket
from kb_index.learning import (
    contradict_question,
    correct_feedback,
    learn_question,
    note_feedback,
)
from kb_index.models import Article, Origin
from kb_index.port import Hit
from kb_index.records import unmoved

LINK = re.compile(r"https?://[^\s<>|\"'\])]+|(?<![\w/])/kb/articles/\d+")
OWN_PAGE = re.compile(r"/kb/articles/(\d{1,9})/?")
MOST_LINKS = 20  # looked at in one ticket
HOME = {"localhost", "127.0.0.1"}


# --- answers and what is said of them ---------------------------------------------------------------------------------
def remember_answer(message: Message, hit: Hit, thought: Thought) -> None:
    """Keep which question, by the words it was searched with, was answered by what, until the requester says whether it
    helped."""
    conversation, result = message.conversation, thought.situation.result
    answered = {
        "on": message.id,
        "article_id": hit.article_id,
        "question": result.question if result else thought.question,
        "probability": unmoved(hit.confidence),
        "language": thought.language,
    }
    conversation.memory = {**conversation.memory, "answered": answered}


def learn_helped(session: Session, conversation: Conversation) -> None:
    """The requester confirms the answer shown last: its question belongs to its article from now on."""
    answered = conversation.memory.get("answered")
    if answered is None or "helped" in answered or answered["on"] != conversation.memory.get("on"):
        return
    article_id, question, language = answered["article_id"], answered["question"], answered["language"]
    learn_question(session, article_id, question, language, Origin.HELPED, names=names_in(session, conversation))
    _note(session, conversation, helped=True)


def learn_not_helped(session: Session, conversation: Conversation, on: int | None = None) -> None:
    """The answer shown last (or below message `on`) did not help; said after "it helped", that counts no longer."""
    answered = conversation.memory.get("answered")
    if answered is None or answered.get("helped") is False or (on is not None and answered["on"] != on):
        return
    article_id, question, language = answered["article_id"], answered["question"], answered["language"]
    contradict_question(session, article_id, question, language, names_in(session, conversation))
    _note(session, conversation, helped=False)


def _note(session: Session, conversation: Conversation, *, helped: bool) -> None:
    """One row of feedback for one answer, whatever is said of it how often."""
    answered = conversation.memory["answered"]
    if answered.get("feedback") is not None:
        correct_feedback(session, answered["feedback"], helped)
        answered = {**answered, "helped": helped}
    else:
        row = note_feedback(session, answered["article_id"], answered["probability"], helped, answered["language"])
        answered = {**answered, "helped": helped, "feedback": row.id if row is not None else None}
    conversation.memory = {**conversation.memory, "answered": answered}


def names_in(session: Session, conversation: Conversation) -> list[str]:
    """What those who wrote in a case are called: nothing that is kept of it tells who they were."""
    wrote = select(Message.person_id).where(Message.conversation_id == conversation.id)
    people = select(Person.name).where((Person.id.in_(wrote)) | (Person.id == conversation.requester_id))
    return list(session.scalars(people))


# --- what agents answer with ------------------------------------------------------------------------------------------
def learn_from_agents(house: House, session: Session, ticket: Ticket, by: str | None) -> None:
    """A resolved ticket: what its agents sent a link to, or resolved it with, answers the ticket's question.

    However often a ticket is resolved, each article learns from it once.
    """
    conversation = ticket.conversation
    question = essence(conversation.memory.get("question") or ticket.summary)
    language = conversation.language or house.settings.language.default
    names = names_in(session, conversation)
    told = [*replies_of(session, conversation), ticket.cause or "", ticket.fix or ""]
    taught = conversation.memory.get("taught", [])
    new = [article_id for article_id in linked_articles(house, session, told) if article_id not in taught]
    for article_id in new:
        learn_question(session, article_id, question, language, Origin.AGENT, by, names)
    conversation.memory = {**conversation.memory, "taught": [*taught, *new]}


def replies_of(session: Session, conversation: Conversation) -> list[str]:
    """What agents wrote to the requester, as it reads after every edit; without what they took back and their notes."""
    kinds = (Kind.TEXT, Kind.EDIT, Kind.DELETION)
    chosen = select(Message).where(
        Message.conversation_id == conversation.id, Message.author == Author.AGENT, Message.kind.in_(kinds)
    )
    found: dict[int, str] = {}
    for message in session.scalars(chosen.order_by(Message.id)):
        if message.kind == Kind.TEXT:
            found[message.id] = message.text
        elif message.kind == Kind.EDIT and message.concerns_id in found:
            found[message.concerns_id] = message.text
        else:
            found.pop(message.concerns_id or 0, None)
    return list(found.values())


def linked_articles(house: House, session: Session, texts: Iterable[str]) -> list[int]:
    """Ids of the articles these texts link to: by Lotse's own pages, or by an article's own address."""
    links = [link.rstrip(".,;:!?") for text in texts for link in LINK.findall(text)][:MOST_LINKS]
    own = {int(found[1]) for link in links if (found := own_page(house, link))}
    wanted = {address for link in links for address in (link, link.rstrip("/"), f"{link.rstrip('/')}/")}
    chosen = select(Article.id).where(Article.id.in_(own) | Article.url.in_(wanted))
    return sorted(session.scalars(chosen))


def own_page(house: House, link: str) -> re.Match[str] | None:
    """The page of an article at Lotse's own address; a page of that path elsewhere is none."""
    web = house.settings.web
    hosts = HOME | {web.host, urlsplit(web.public_url or "").hostname, None}
    try:
        parts = urlsplit(link)
    except ValueError:  # `http://[your-server` is no address
        return None
    return OWN_PAGE.fullmatch(parts.path) if parts.hostname in hosts else None
