"""Lotse is asked to end, as systemd, containers and people do: what is begun is finished, nothing is left behind."""

import signal
from contextlib import closing
from pathlib import Path

import pytest
from served import Browser, ServedLotse
from sqlalchemy import select

from bot.db import open_database
from handoff.models import Conversation, Message

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_asked_to_end_it_finishes_what_it_holds(database_url: str, tmp_path: Path, asked: signal.Signals) -> None:
    lotse = ServedLotse(database_url, tmp_path)
    lotse.start()
    with closing(Browser(lotse.url, "jette")) as jette:
        jette.send("/api/chat/messages", text="hallo")
    assert lotse.process is not None
    lotse.process.send_signal(asked)
    assert lotse.process.wait(60) == 0, lotse.log()
    sessions = open_database(database_url)
    with sessions() as session:
        owners = session.scalars(select(Conversation.lease_owner)).all()
        handled = session.scalars(select(Message.handled_at).where(~Message.to_send)).all()
        sent = session.scalars(select(Message.delivered_at).where(Message.to_send)).all()
    sessions.close()
    assert owners == [None]
    assert len(handled) == 1
    assert None not in sent, "a reply was left behind"
    assert bool(sent) == (handled != [None])
