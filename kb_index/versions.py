"""The one number that every change of the knowledge raises, so that every process can catch up."""

from uuid import uuid4

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from kb_index.models import KnowledgeVersion

FIRST = text("INSERT INTO knowledge_version (id, number, name) VALUES (1, 0, :name) ON CONFLICT DO NOTHING")
RAISE = update(KnowledgeVersion).values(number=KnowledgeVersion.number + 1).returning(KnowledgeVersion.number)
READ = select(KnowledgeVersion.number, KnowledgeVersion.name)


def raise_version(session: Session) -> int:
    """The next version. Its row stays locked until the transaction ends, so versions become visible in their order."""
    number = session.execute(RAISE).scalar_one_or_none()
    if number is None:
        session.execute(FIRST, {"name": uuid4().hex})
        number = session.execute(RAISE).scalar_one()
    return number


def read_version(session: Session) -> tuple[int, str]:
    """The current version and the name of this knowledge base; (0, "") before the first change."""
    row = session.execute(READ).one_or_none()
    return (row.number, row.name) if row else (0, "")
