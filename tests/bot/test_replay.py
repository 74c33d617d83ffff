"""Past questions decided again: what is counted, what is known of the answers, and that nothing is written."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, select
from typer.testing import CliRunner
from world import (
    JETTE,
    KONRAD,
    MAREN,
    OWEN,
    PRINTER_QUESTION,
    PRINTERS,
    UNKNOWN_QUESTION,
    VPN,
    VPN_QUESTION,
    World,
    by_words,
)

from bot import cli_replay
from bot.cli import app
from bot.cli_trials import KnowledgeMissing
from bot.past import past_questions
from bot.replay import decided_again, limits_of, report, search_by
from kb_index.calibration_files import CalibrationFileError
from kb_index.confidence import Thresholds
from kb_index.models import Calibration

STRICT, LOOSE = Thresholds(None, None), Thresholds(0.2, 0.1)


def replayed(world: World, *, limits: Any = None, search: Any = None, **more: bool) -> dict[str, Any]:
    with world.app.house.sessions() as session:
        pasts = past_questions(session)
    return report(decided_again(pasts, limits=limits, search=search), **more)


def ways(counted: dict[str, int]) -> tuple[int, int, int]:
    return counted["answered"], counted["asked_back"], counted["handed_over"]


def everything_in(world: World) -> dict[str, list[Any]]:
    """Every row of every table."""
    engine, meta = world.app.house.sessions.engine, MetaData()
    meta.reflect(engine)
    with engine.connect() as connection:
        return {table.name: sorted(map(repr, connection.execute(select(table)))) for table in meta.tables.values()}


@pytest.fixture
def asked(world: World) -> World:
    """One question answered, one asked back, one handed over."""
    for article in PRINTERS:
        world.publish(*article)
    world.ask(KONRAD, VPN_QUESTION)
    world.ask(JETTE, PRINTER_QUESTION)
    world.unsolved(OWEN, UNKNOWN_QUESTION)
    return world


# --- decided again ----------------------------------------------------------------------------------------------------
def test_under_the_same_settings_nothing_changes(asked: World) -> None:
    told = replayed(asked)
    assert (told["questions"], ways(told["before"]), told["changed"]) == (3, (1, 1, 1), [])
    assert told["now"] == told["before"]


@pytest.mark.parametrize(("limits", "now"), [(STRICT, (0, 0, 3)), (LOOSE, (2, 0, 1))])
def test_other_thresholds_change_what_is_answered(asked: World, limits: Thresholds, now: tuple[int, int, int]) -> None:
    told = replayed(asked, limits=lambda result: limits)
    assert (ways(told["before"]), ways(told["now"])) == ((1, 1, 1), now)
    assert all(one["before"] != one["now"] for one in told["changed"])


def test_the_thresholds_of_another_risk_are_those_of_the_calibration_a_result_was_judged_by(asked: World) -> None:
    by_assurance = {"0.9": {"0.05": STRICT, "0.1": Thresholds(0.8, 0.3), "0.5": LOOSE}}
    fitted = replace(by_words("de"), thresholds=by_assurance)
    by_risk = [ways(replayed(asked, limits=limits_of([fitted], risk))["now"]) for risk in (0.05, 0.1, 0.5, 0.01)]
    assert by_risk == [(0, 0, 3), (1, 1, 1), (2, 0, 1), (0, 0, 3)]
    for other in (replace(fitted, name="another"), replace(fitted, language="de>en")):
        assert replayed(asked, limits=limits_of([other], 0.05))["changed"] == []


def test_a_change_is_told_with_articles_and_without_what_people_wrote(asked: World) -> None:
    told = replayed(asked, limits=lambda result: STRICT)
    lost = next(one for one in told["changed"] if one["before"]["way"] == "answered")
    assert [article["title"] for article in lost["before"]["articles"]] == [VPN[0]]
    assert lost["now"] == {"way": "handed_over", "articles": [], "verdict": None}
    assert VPN_QUESTION not in json.dumps(told, ensure_ascii=False)
    shown = replayed(asked, limits=lambda result: STRICT, with_questions=True)["changed"]
    assert {one["question"] for one in shown} == {VPN_QUESTION, PRINTER_QUESTION}


def test_searched_anew_a_new_article_answers(asked: World, tmp_path: Path) -> None:
    article = asked.publish("Telefonanlage klingelt", UNKNOWN_QUESTION)
    house = asked.app.house
    told = replayed(asked, search=search_by(house.sessions, house.knowledge.embedder, tmp_path / "cache", 0.1))
    now = [one["now"] for one in told["changed"] if one["before"]["way"] == "handed_over"]
    assert now == [
        {"way": "answered", "articles": [{"id": article, "title": "Telefonanlage klingelt"}], "verdict": "unknown"}
    ]


def test_searched_anew_by_another_calibration(asked: World, tmp_path: Path) -> None:
    house = asked.app.house
    doubtful = [replace(by_words("de"), thresholds={"0.9": {"0.1": STRICT}})]
    anew = search_by(house.sessions, house.knowledge.embedder, tmp_path / "cache", 0.1, doubtful)
    assert ways(replayed(asked, search=anew)["now"]) == (0, 0, 3)


# --- what is known ----------------------------------------------------------------------------------------------------
def verdicts(world: World) -> tuple[int, int, int]:
    counted = replayed(world)["before"]
    return counted["right"], counted["wrong"], counted["unknown"]


@pytest.mark.parametrize(
    ("does", "known"),
    [
        (lambda world: world.press(KONRAD, "helped"), (1, 0, 0)),
        (lambda world: world.ask(KONRAD, "Das hat geholfen"), (1, 0, 0)),
        (lambda world: world.press(KONRAD, "not_helped"), (0, 1, 0)),
        (lambda world: world.ask(KONRAD, "Das hat nicht geholfen"), (0, 1, 0)),
        (lambda world: world.passes(hours=9), (0, 0, 1)),
        (lambda world: world.press(KONRAD, "person"), (0, 0, 1)),
    ],
)
def test_what_the_requester_said_of_an_answer_is_known(
    world: World, does: Callable[[World], object], known: tuple[int, int, int]
) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    does(world)
    assert verdicts(world) == known


def test_an_answer_that_an_agent_had_to_solve_is_known_to_be_wrong(world: World) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    world.press(KONRAD, "person")
    world.agent_presses(MAREN, world.ticket().number, "resolve")
    assert verdicts(world) == (0, 1, 0)


@pytest.mark.parametrize("in_words", [False, True])
def test_what_helped_stays_right_when_it_ended_a_ticket_that_was_handed_back(world: World, in_words: bool) -> None:
    world.agent_presses(MAREN, world.unsolved(KONRAD), "hand_back")
    world.new_answers(KONRAD)
    world.ask(KONRAD, VPN_QUESTION)
    if in_words:
        world.ask(KONRAD, "Das hat geholfen")
    else:
        world.press(KONRAD, "helped")
    world.press(KONRAD, "cancel_yes")
    assert world.ticket().resolved_at is not None
    assert verdicts(world) == (1, 0, 0)


def test_a_ticket_about_something_else_tells_nothing_of_an_answer(world: World) -> None:
    world.ask(KONRAD, VPN_QUESTION)
    world.agent_presses(MAREN, world.unsolved(KONRAD), "resolve")
    assert verdicts(world) == (0, 0, 1)


def test_a_chosen_article_that_helped_makes_the_answer_known_that_would_be_given_now(world: World) -> None:
    for article in PRINTERS:
        world.publish(*article)
    post = world.ask(KONRAD, PRINTER_QUESTION)
    first = next(button.value for button in post.reply.buttons if button.action == "choose")
    world.press(KONRAD, "choose", first)
    world.press(KONRAD, "helped")
    told = replayed(world, limits=lambda result: LOOSE)
    assert (told["questions"], ways(told["before"])) == (1, (0, 1, 0))
    assert told["now"]["right"] == 1
    assert told["changed"][0]["now"]["articles"][0]["id"] == int(first)


def test_questions_are_counted_from_a_day_on(asked: World) -> None:
    with asked.app.house.sessions() as session:
        assert len(past_questions(session, asked.clock() - timedelta(hours=1))) == 3
        assert past_questions(session, asked.clock() + timedelta(hours=1)) == []


# --- the command ------------------------------------------------------------------------------------------------------
@pytest.fixture
def config(asked: World, tmp_path: Path) -> Path:
    file = tmp_path / "config.yml"
    url = asked.app.house.sessions.engine.url.render_as_string(hide_password=False)
    file.write_text(f"database: {{url: '{url}'}}\nanswering: {{max_wrong: 0.1}}\n", "utf-8")
    return file


def run(config: Path, *arguments: str) -> str:
    done = CliRunner().invoke(app, ["replay", "--config", str(config), *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_command_writes_nothing(asked: World, config: Path) -> None:
    before = everything_in(asked)
    assert json.loads(run(config, "--max-wrong", "0.01", "--json"))["now"]["handed_over"] == 3
    run(config, "--show-questions")
    assert everything_in(asked) == before


def test_the_command_tells_counts_and_changes(asked: World, config: Path) -> None:
    told = run(config, "--max-wrong", "0.01")
    assert "3 questions, on what was found then, at most 1% wrong answers wanted" in told
    assert f"answered: 1 {VPN[0]} -> handed over" in told
    assert VPN_QUESTION not in told
    assert VPN_QUESTION in run(config, "--max-wrong", "0.01", "--show-questions")
    assert "0 questions" in run(config, "--since", "2090-01-01")


def test_where_there_is_no_record_none_is_made(tmp_path: Path) -> None:
    file, database = tmp_path / "config.yml", tmp_path / "none.db"
    file.write_text(f"database: {{url: 'sqlite:///{database}'}}\n", "utf-8")
    done = CliRunner().invoke(app, ["replay", "--config", str(file)])
    assert isinstance(done.exception, KnowledgeMissing)
    assert not database.exists()


def in_file(folder: Path, content: Any) -> Path:
    file = folder / "calibration.json"
    file.write_text(json.dumps(content), "utf-8")
    return file


def test_a_calibration_file_is_read_for_the_model_it_was_fitted_for(tmp_path: Path) -> None:
    fitted = by_words("de")
    file = in_file(tmp_path, {"languages": {"de": fitted.to_json()}})
    assert [one.name for one in cli_replay.fitted_in(file, fitted.model)] == ["test"]
    with pytest.raises(CalibrationFileError, match=f"fitted for {fitted.model}, not for another"):
        cli_replay.fitted_in(file, "another")


@pytest.mark.parametrize("content", [[], {}, {"languages": {"de": {}}}])
def test_a_file_that_is_no_calibration_is_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(CalibrationFileError, match=r"calibration\.json is no calibration"):
        cli_replay.fitted_in(in_file(tmp_path, content), "test")


def test_a_calibration_of_an_older_lotse_is_left_out(asked: World) -> None:
    with asked.app.house.sessions.begin() as session:
        row = session.scalars(select(Calibration).where(Calibration.name == "test", Calibration.language == "de")).one()
        row.data = {**row.data, "features": ["cosine"]}
    stored = cli_replay.stored_calibrations(asked.app.house.sessions)
    assert [one.language for one in stored if one.name == "test"] == ["en"]
