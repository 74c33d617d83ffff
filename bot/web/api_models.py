"""What the API takes and gives, described for `/openapi.json`."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field, field_validator

from bot.web.people import Visitor
from bot.web.thread import Bubble
from handoff.models import Attachment, Ticket
from handoff.transcript import Entry, evidence_lines
from kb_index.learning import MOST_WRITTEN
from kb_index.models import Article, OpenQuestion, PastQuestion

Action = Literal["claim", "assign", "state", "correct", "escalate", "hand_back", "resolve", "reopen", "outage"]


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str = Field(description="A sentence in the language of the person.")
    code: str = Field(description="The same for programs, for example `too_long`.")


class Me(BaseModel):
    """Who is signed in, and what a program needs to write."""

    id: str
    name: str
    roles: list[str]
    language: str = Field(description="The language of the pages, `de` or `en`.")
    csrf_token: str = Field(description="To be sent as header X-CSRF-Token with everything that changes something.")
    upload_limit_mb: int
    longest_text: int = Field(description="Characters a message may have.")


class FileOut(BaseModel):
    """A file that came with a message; without url when it was not kept, and refused says why."""

    id: int
    name: str
    media_type: str
    size: int = Field(description="Bytes.")
    url: str | None
    refused: str | None = None

    @classmethod
    def of(cls, file: Attachment) -> "FileOut":
        url = None if file.refused else f"/api/attachments/{file.id}"
        return cls(
            id=file.id, name=file.name, media_type=file.media_type, size=file.size, url=url, refused=file.refused
        )


class ButtonOut(BaseModel):
    action: str
    label: str
    value: str
    style: str


class LinkOut(BaseModel):
    label: str
    url: str


class MessageOut(BaseModel):
    """One message of the employee's thread."""

    id: int
    case: int = Field(description="The case (conversation) it belongs to.")
    kind: str
    own: bool = Field(description="Whether the employee wrote it.")
    author: str | None = Field(description="The name of the person who wrote; null for Lotse and for the employee.")
    text: str = Field(description="Markdown where Lotse speaks, plain text where a person does.")
    at: datetime
    edited: bool
    deleted: bool
    changeable: bool = Field(description="Whether it can be edited and deleted now.")
    buttons: list[ButtonOut]
    links: list[LinkOut]
    files: list[FileOut]

    @classmethod
    def of(cls, bubble: Bubble) -> "MessageOut":
        plain = {name: getattr(bubble, name) for name in cls.model_fields if hasattr(bubble, name)}
        return cls(
            **plain
            | {
                "case": bubble.conversation_id,
                "buttons": [ButtonOut(**vars(button)) for button in bubble.buttons],
                "links": [LinkOut(**vars(link)) for link in bubble.links],
                "files": [FileOut.of(file) for file in bubble.files],
            }
        )


class ThreadOut(BaseModel):
    """The employee's one thread."""

    messages: list[MessageOut]
    typing: bool = Field(description="Whether Lotse is working on an answer.")
    with_person: bool = Field(description="Whether a person holds the conversation.")


class Refused(BaseModel):
    name: str
    reason: str
    detail: str = Field(description="Why it was not kept, in the language of the person.")


class Stored(BaseModel):
    """A message that is on disk."""

    id: int | None = Field(description="Null when nothing was stored: it was said outside of any ticket.")
    refused: list[Refused] = Field(default_factory=list, description="Files that could not be kept.")


class Edited(BaseModel):
    """A new wording."""

    text: str
    source_id: UUID = Field(default_factory=uuid4)


class Pressed(BaseModel):
    """A button of the chat."""

    action: str = Field(max_length=60, description="What the button says it does; `person` always works.")
    value: str = Field("", max_length=500)
    on: int | None = Field(None, description="The id of the message the button stands below.")
    source_id: UUID = Field(default_factory=uuid4, description="Made once per press.")


class TicketPress(BaseModel):
    """Something done to a ticket. Each action uses the fields it needs."""

    model_config = ConfigDict(extra="forbid")

    action: Action
    value: str = Field("", max_length=60, description="`state`: the new state; `outage`: on or off.")
    source_id: UUID = Field(default_factory=uuid4)
    person: str | None = Field(None, max_length=200, description="`assign`: whom.")
    type: Literal["incident", "request"] | None = None
    category: str | None = Field(None, min_length=1, max_length=60)
    queue: str | None = Field(None, min_length=1, max_length=60)
    impact: int | None = Field(None, ge=1, le=3)
    urgency: int | None = Field(None, ge=1, le=3)
    summary: str | None = Field(None, min_length=1, max_length=300)
    cause: str | None = Field(None, max_length=5000)
    fix: str | None = Field(None, max_length=5000)
    propose_article: Literal["yes", "no"] | None = None

    def fields(self) -> dict[str, str]:
        """The fields that were given, as the engine takes them."""
        given = self.model_dump(exclude={"action", "value", "source_id"}, exclude_none=True)
        return {name: str(value) for name, value in given.items()}


class Done(BaseModel):
    """What became of a press."""

    ok: bool
    text: str | None = Field(description="To be told to whoever pressed, in their language.")


class OwnTicket(BaseModel):
    """A ticket as its requester sees it."""

    number: str
    summary: str
    state: str
    agent: str | None
    opened_at: datetime
    first_response_due: datetime
    resolved_at: datetime | None
    fix: str | None

    @classmethod
    def of(cls, ticket: Ticket) -> "OwnTicket":
        plain = {name: getattr(ticket, name) for name in cls.model_fields if name != "agent"}
        return cls(**plain, agent=ticket.agent.name if ticket.agent else None)


class DeskTicket(OwnTicket):
    """A ticket as the desk sees it. Scores are 0 to 1, null where nothing was measured."""

    requester: str
    type: str
    reason: str = Field(description="Why Lotse handed over.")
    category: str
    category_score: float | None
    queue: str
    queue_score: float | None
    impact: int = Field(description="1 (high) to 3 (low).")
    urgency: int = Field(description="1 (high) to 3 (low).")
    priority: int = Field(description="1 (critical) to 5 (planning).")
    level: int
    outage: bool
    first_response_at: datetime | None
    cause: str | None

    @classmethod
    def of(cls, ticket: Ticket) -> "DeskTicket":
        plain = {name: getattr(ticket, name) for name in cls.model_fields if name not in {"agent", "requester"}}
        return cls(**plain, agent=ticket.agent.name if ticket.agent else None, requester=ticket.requester.name)


class EntryOut(BaseModel):
    """One line of a transcript."""

    at: datetime
    author: str
    name: str
    kind: str
    text: str
    is_note: bool = Field(description="For colleagues only; the requester never sees it.")
    details: list[str] = Field(description="What was understood and searched, and how sure that was.")

    @classmethod
    def of(cls, entry: Entry) -> "EntryOut":
        plain = {name: getattr(entry, name) for name in cls.model_fields if name != "details"}
        return cls(**plain, details=evidence_lines(entry.evidence))


class ArticleIn(BaseModel):
    """What an editor writes."""

    title: str = Field(min_length=1, max_length=300)
    body: str = Field(min_length=1, max_length=200_000, description="Markdown.")
    language: Literal["de", "en"]
    owner: str | None = Field(None, max_length=200)
    review_on: date | Literal[""] | None = None
    audience: Literal["everyone", "agents"] = "everyone"
    category: str | None = Field(None, max_length=60)
    queue: str | None = Field(None, max_length=60)
    url: str | None = Field(None, max_length=2000, pattern=r"^(https?://.*)?$")
    comment: str = Field("", max_length=500)
    publish: bool = Field(False, description="Publish at once: it answers from the next question on.")
    question: int | None = Field(None, description="The open question that is answered once this is published.")
    questions: list[Annotated[str, Field(max_length=2000)]] | None = Field(
        None,
        max_length=MOST_WRITTEN,
        description="Other ways to ask for it, a list or one a line; they replace those written before. Without the "
        "field those stay.",
    )

    @field_validator("questions", mode="before")
    @classmethod
    def one_a_line(cls, value: object) -> object:
        return [line for line in value.splitlines() if line.strip()] if isinstance(value, str) else value


class ArticleOut(BaseModel):
    """An article; revision is what is published, newest_revision what was saved last."""

    id: int
    title: str
    language: str
    state: str
    audience: str
    category: str | None
    queue: str | None
    owner: str | None
    review_on: date | None
    reviewed_on: date | None
    revision: int
    newest_revision: int
    updated_at: datetime
    body: str | None = None

    @classmethod
    def of(cls, article: Article, *, with_body: bool = False) -> "ArticleOut":
        plain = {name: getattr(article, name) for name in cls.model_fields if name != "body"}
        return cls(**plain, body=article.body if with_body else None)


class QuestionOut(BaseModel):
    """A question that nobody could answer from the knowledge base."""

    id: int
    question: str
    language: str
    count: int = Field(description="How often it was asked.")
    first_asked: datetime
    last_asked: datetime
    reason: str
    ticket_numbers: list[str]

    @classmethod
    def of(cls, found: OpenQuestion) -> "QuestionOut":
        return cls(**{name: getattr(found, name) for name in cls.model_fields})


class PastQuestionOut(BaseModel):
    """A question that an article is known to answer, without personal data."""

    id: int
    question: str
    language: str
    origin: str = Field(description="`helped`: requesters confirmed it; `agent`, `editor`, `import`: so they say.")
    count: int = Field(description="How often use confirmed it; 0 when it was only written.")
    created_at: datetime
    last_at: datetime
    created_by: str | None
    removed: bool = Field(description="An editor took it out; it is not learned again.")

    @classmethod
    def of(cls, found: PastQuestion) -> "PastQuestionOut":
        return cls(**{name: getattr(found, name) for name in cls.model_fields})


def me_of(visitor: Visitor, language: str, token: str, upload_limit_mb: int, longest_text: int) -> Me:
    return Me(
        id=visitor.id,
        name=visitor.name,
        roles=sorted(visitor.roles),
        language=language,
        csrf_token=token,
        upload_limit_mb=upload_limit_mb,
        longest_text=longest_text,
    )
