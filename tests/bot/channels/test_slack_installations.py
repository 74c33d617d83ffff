"""Installed workspaces: their tokens come back as they were, and nobody reads them in the database."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from slack_sdk.oauth.installation_store.models.installation import Installation
from sqlalchemy import text

from bot.channels.slack.installations import (
    BOTS,
    INSTALLATIONS,
    SEALED,
    AsyncInstallations,
    Installations,
    States,
    WrongKey,
    keys_from,
    naive_now,
)
from bot.db import Sessions, open_database

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
SECRETS = (
    "xoxb-1-bot",
    "xoxe-1-bot-refresh",
    "xoxp-1-user",
    "xoxe-1-user-refresh",
    "https://hooks.example.org/T1/s3cr3t",
)


def store(sessions: Sessions, keys: str = OLD) -> Installations:
    return Installations("1.2", sessions.engine, keys_from(keys))


def installation(team: str = "T1", token: str = SECRETS[0], enterprise: str | None = None) -> Installation:
    return Installation(
        app_id="A1",
        enterprise_id=enterprise,
        team_id=team,
        team_name="Acme",
        bot_token=token,
        bot_id="B1",
        bot_user_id="U1",
        bot_scopes="chat:write,commands",
        bot_refresh_token=SECRETS[1],
        user_id="U2",
        user_token=SECRETS[2],
        user_refresh_token=SECRETS[3],
        incoming_webhook_url=SECRETS[4],
    )


def raw(sessions: Sessions) -> str:
    """Everything that stands in the tables."""
    with sessions() as session:
        tables = [session.execute(text(f"SELECT * FROM {name}")).all() for name in (INSTALLATIONS, BOTS)]  # noqa: S608
    assert all(tables)
    return str(tables)


def test_tokens_come_back_as_they_were(sessions: Sessions) -> None:
    store(sessions).save(installation())
    found = store(sessions).find_installation(enterprise_id=None, team_id="T1")
    assert found is not None
    assert (
        *(found.bot_token, found.bot_refresh_token, found.user_token, found.user_refresh_token),
        found.incoming_webhook_url,
    ) == SECRETS
    bot = store(sessions).newest_bot("T1")
    assert bot is not None
    assert (bot.bot_token, bot.bot_user_id, list(bot.bot_scopes)) == ("xoxb-1-bot", "U1", ["chat:write", "commands"])


def test_no_token_stands_in_the_database(sessions: Sessions) -> None:
    store(sessions).save(installation())
    written = raw(sessions)
    assert [secret for secret in SECRETS if secret in written] == []
    assert written.count("gAAAA") == len(SEALED) + 2


def test_a_token_of_any_length_fits(sessions: Sessions) -> None:
    token = "xoxe.xoxb-1-" + "x" * 250
    store(sessions).save(installation(token=token))
    bot = store(sessions).newest_bot("T1")
    assert bot is not None
    assert bot.bot_token == token


def test_what_was_saved_is_there_for_another_process(sessions: Sessions, database_url: str) -> None:
    store(sessions).save(installation())
    other = open_database(database_url)
    assert store(other).teams() == ["T1"]
    other.close()


def test_a_connection_that_only_read_before_can_be_written_to(sessions: Sessions) -> None:
    with sessions() as session:
        session.execute(text("SELECT 1"))
    store(sessions).save(installation())
    with sessions.begin() as session:
        assert session.execute(text(f"SELECT count(*) FROM {BOTS}")).scalar() == 1  # noqa: S608


def test_sessions_are_not_touched_by_the_transactions_of_the_store(sessions: Sessions) -> None:
    store(sessions).teams()
    with sessions.begin() as session:
        session.execute(text("UPDATE slack_bot SET team_name = 'x'"))
    with sessions() as session, pytest.raises(Exception, match=r"read-?only"):
        session.execute(text("UPDATE slack_bot SET team_name = 'x'"))


def test_the_newest_token_of_a_workspace_counts(sessions: Sessions) -> None:
    for token in ("xoxb-first", "xoxb-second"):
        store(sessions).save(installation(token=token))
    bot = store(sessions).newest_bot("T1")
    assert bot is not None
    assert bot.bot_token == "xoxb-second"


def test_a_workspace_of_an_organisation_is_found_by_its_own_id(sessions: Sessions) -> None:
    store(sessions).save(installation(team="T7", enterprise="E1"))
    assert store(sessions).newest_bot("T7") is not None
    assert store(sessions).newest_bot("T8") is None


def test_many_installations_at_the_same_time_are_all_there(sessions: Sessions) -> None:
    shared = store(sessions)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: shared.save(installation(team=f"T{number:02}")), range(16)))
    assert len(shared.teams()) == 16


def test_a_former_key_still_opens_what_it_encrypted(sessions: Sessions) -> None:
    store(sessions, OLD).save(installation())
    bot = store(sessions, f"{NEW}, {OLD}").newest_bot("T1")
    assert bot is not None
    assert bot.bot_token == "xoxb-1-bot"


def test_after_encrypting_anew_the_former_key_is_needed_no_more(sessions: Sessions) -> None:
    store(sessions, OLD).save(installation())
    both = store(sessions, f"{NEW},{OLD}")
    assert both.reencrypt() == len(SEALED) + 2
    assert both.reencrypt() == 0
    bot = store(sessions, NEW).newest_bot("T1")
    assert bot is not None
    assert (bot.bot_token, bot.bot_refresh_token) == SECRETS[:2]


@pytest.mark.parametrize("use", [Installations.reencrypt, lambda store: store.newest_bot("T1")])
def test_a_wrong_key_is_told_with_what_to_do(sessions: Sessions, use: Callable[[Installations], object]) -> None:
    store(sessions, OLD).save(installation())
    with pytest.raises(WrongKey, match=r"slack\.token_key_env names holds: add the former key behind a comma"):
        use(store(sessions, NEW))


@pytest.mark.parametrize(
    "value", ["", "geheim", ",", f"{OLD},geheim"], ids=["none", "a word", "a comma", "a key and a word"]
)
def test_what_is_no_key_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(WrongKey, match="`lotse slack key` makes one") as caught:
        keys_from(value)
    assert "geheim" not in str(caught.value)


def test_every_change_is_told_with_its_workspace(sessions: Sessions) -> None:
    changed: list[str | None] = []
    asynchronous = AsyncInstallations(store(sessions), changed.append)

    async def change() -> None:
        await asynchronous.async_save(installation())
        assert await asynchronous.async_find_bot(enterprise_id=None, team_id="T1")
        assert await asynchronous.async_find_installation(enterprise_id=None, team_id="T1")
        await asynchronous.async_delete_all(enterprise_id=None, team_id="T1")
        assert await asynchronous.async_find_bot(enterprise_id=None, team_id="T1") is None

    asyncio.run(change())
    assert changed == ["T1", "T1", "T1"]
    assert asynchronous.store.teams() == []


def test_a_state_is_good_once(sessions: Sessions) -> None:
    states = States(sessions.engine)
    state = states.issue()
    assert [states.consume(state), states.consume(state), states.consume("made up")] == [True, False, False]


def test_of_many_who_bring_the_same_state_one_gets_through(sessions: Sessions) -> None:
    states = States(sessions.engine)
    state = states.issue()
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: states.consume(state), range(8))) == 1


def test_a_state_that_ran_out_is_refused_and_swept_away(sessions: Sessions) -> None:
    states = States(sessions.engine)
    late = states.issue()
    with sessions.begin() as session:
        session.execute(states.oauth_states.update().values(expire_at=naive_now() - timedelta(seconds=1)))
    assert states.consume(late) is False
    states.issue()
    with sessions() as session:
        assert session.execute(text("SELECT count(*) FROM slack_oauth_state")).scalar() == 1
