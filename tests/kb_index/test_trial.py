"""A trial judges and calibrates on articles of its own, and never touches the live ones."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_embedder import HashEmbedder
from hand_fitted import hand_fitted
from sqlalchemy import MetaData, create_engine, select

from bot.db import Sessions
from kb_index.articles import withdraw_article
from kb_index.confidence import Thresholds, seed_calibration
from kb_index.evaluation import Question
from kb_index.fitting import TooLittle
from kb_index.learning import embed_waiting_questions, set_editor_questions
from kb_index.trial import FEWEST, FOLDS, Trial, open_trial

Publish = Callable[..., int]
THINGS = """
    printer scanner mouse keyboard monitor laptop tablet phone headset camera badge locker projector router
    cable battery charger speaker antenna cabinet folder calendar mailbox password certificate firewall gateway
    backup
""".split()  # noqa: SIM905 - a list of words
PARTS = ("jams", "lamp", "wheel", "layout", "glare", "hinge", "stylus")


def article(thing: str, number: int) -> str:
    """Each thing has its own trouble and cure, so that a question about it finds it."""
    title, cure = f"{thing} {PARTS[number % len(PARTS)]} trouble", f"Open the {thing} cover and press reset{number}."
    return f"---\nid: {thing}\nlang: en\n---\n# {title}\n\n{cure}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("articles")
    for number, thing in enumerate(THINGS):
        (made / f"{thing}.md").write_text(article(thing, number), "utf-8")
    return made


@pytest.fixture
def trial(folder: Path, tmp_path: Path) -> Iterator[Trial]:
    (tmp_path / "trial").mkdir()
    with open_trial([folder], HashEmbedder(), tmp_path / "trial") as made:
        yield made


def questions() -> list[Question]:
    """One good and one vague about each thing, and some that nothing answers."""
    made = []
    for number, thing in enumerate(THINGS):
        gold = frozenset({thing})
        made.append(Question(f"g{number}", f"open the {thing} cover press reset{number}", "en", gold, "faq"))
        made.append(Question(f"v{number}", f"{thing} {PARTS[number % len(PARTS)]} trouble", "en", gold, "vague"))
        made.append(Question(f"n{number}", f"holiday request {number} in the canteen", "en", frozenset(), "far"))
    return made


def dump(sessions: Any) -> dict[str, list[str]]:
    """Every row of every table."""
    with sessions() as session:
        meta = MetaData()
        meta.reflect(session.connection())
        return {t.name: sorted(map(repr, session.execute(select(t)).all())) for t in meta.tables.values()}


def test_folders_are_imported(trial: Trial) -> None:
    assert trial.titles.keys() == set(THINGS)
    assert trial.titles["printer"] == "printer jams trouble"
    assert trial.languages == ["en"]
    assert trial.knowledge().status()["articles"] == len(THINGS)


def test_each_question_is_embedded_once(trial: Trial) -> None:
    asked: list[str] = []
    embedder = HashEmbedder()
    plain = embedder.embed_question
    embedder.embed_question = lambda text: asked.append(text) or plain(text)  # type: ignore[method-assign, func-returns-value]
    again = Trial.of_live(trial.sessions, embedder, trial.knowledge().cache_folder.parent.parent)
    for _ in range(3):
        again.knowledge().search("printer", "en")
    assert asked == ["printer"]


def test_samples_come_with_their_article_and_without_it(trial: Trial) -> None:
    found = trial.samples(questions())
    assert found.keys() == {"en"}
    samples = found["en"]
    assert sum(not s.withheld for s in samples) == 3 * len(THINGS)
    ids = {slug: number for slug, (_, number) in trial._articles().items()}
    answerable = [s for s in samples if s.gold]
    assert all(s.gold == {ids[s.group]} and s.gold & {c.article_id for c in s.found.candidates} for s in answerable)
    withheld = [s for s in samples if s.withheld]
    assert len(withheld) == len(answerable) == 2 * len(THINGS)
    assert all(ids[s.group] not in {c.article_id for c in s.found.candidates} and not s.gold for s in withheld)
    assert all(s.found.candidates for s in withheld)


def test_judged_by_given_calibrations(trial: Trial) -> None:
    always = {"en": hand_fitted("en", thresholds={"0.05": Thresholds(1.1, 1.1), "0.1": Thresholds(0.0, 0.0)})}
    asked = questions()[:6]
    judged = trial.judge(asked, always, [0.05, 0.1])
    assert [one.question for one in judged] == asked
    assert all(one.bands == {"0.05": "hand_over", "0.1": "answer"} for one in judged)
    assert judged[0].right
    assert judged[0].ranked[0] == "printer"
    assert not any(one.cross_lingual for one in judged)


def test_judged_by_cross_validation(trial: Trial) -> None:
    judged = trial.judge(questions(), None, [0.05, 0.3])
    assert [one.question for one in judged] == questions()
    answerable = [one for one in judged if one.question.answerable]
    assert sum(one.right for one in answerable) > 0.9 * len(answerable)
    known, unknown = ([one.probability for one in judged if one.question.answerable == is_] for is_ in (True, False))
    assert sum(known) / len(known) > 0.5 > sum(unknown) / len(unknown)
    assert any(one.bands["0.3"] == "answer" for one in answerable)
    wrong = [one for one in judged if one.bands["0.3"] == "answer" and not one.right]
    assert len(wrong) <= 0.3 * sum(one.bands["0.3"] == "answer" for one in judged)


def test_cross_validation_of_too_few_articles_says_what_to_do(trial: Trial) -> None:
    few = [question for question in questions() if question.group in THINGS[: FOLDS - 1]]
    with pytest.raises(ValueError, match=f"{FOLDS} articles; name a file with --calibration"):
        trial.judge(few, None, [0.1])


def test_calibrated_by_questions(trial: Trial) -> None:
    fitted = trial.calibrate(questions(), "mine")
    assert fitted.keys() == {"en"}
    one = fitted["en"]
    assert (one.name, one.language, one.model, one.source) == ("mine", "en", "hash", "questions")
    assert one.sample_size == 3 * len(THINGS)
    assert one.measured["recall@1"] > 0.9
    assert one.measured["auroc"] > 0.8


def test_calibrated_by_the_articles_alone(trial: Trial) -> None:
    assert len(THINGS) >= FEWEST
    one = trial.calibrate([], "alone")["en"]
    assert (one.name, one.source, one.model) == ("alone", "articles", "hash")
    assert one.sample_size > 0


def test_articles_too_few_to_learn_from_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "few").mkdir()
    for number, thing in enumerate(THINGS[:3]):
        (tmp_path / "few" / f"{thing}.md").write_text(article(thing, number), "utf-8")
    with open_trial([tmp_path / "few"], HashEmbedder(), tmp_path) as trial:
        assert trial.calibrate([], "alone") == {}
        assert trial.calibrate(questions()[:9], "few") == {}
        with pytest.raises(TooLittle, match="give questions"):
            trial.calibrate(questions()[:9], "few", together=True)


def test_calibrated_together_every_language_gets_the_same(trial: Trial) -> None:
    asked = questions()
    asked += [replace(q, id=f"de{q.id}", language="de") for q in asked if q.kind == "faq"]
    fitted = trial.calibrate(asked, "one", together=True)
    assert {"en", "de>en"} <= fitted.keys()
    assert all(one.language == pair for pair, one in fitted.items())
    assert len({one.answers for one in fitted.values()}) == 1
    assert fitted["en"].thresholds == fitted["de>en"].thresholds


def test_the_live_knowledge_is_copied_and_never_written(
    sessions: Sessions, embedder: HashEmbedder, publish: Publish, tmp_path: Path
) -> None:
    for number, thing in enumerate(THINGS):
        publish(f"{thing} {PARTS[number % len(PARTS)]} trouble", f"Open the {thing} cover and press reset{number}.")
    gone = publish("Secret", "Withdrawn.")
    withdraw_article(sessions, gone, "mia")
    with sessions.begin() as session:
        seed_calibration(session)
        set_editor_questions(session, 1, ["why does it crumple"], "mia")
    embed_waiting_questions(sessions, embedder)
    before = dump(sessions)
    (tmp_path / "work").mkdir()
    with Trial.of_live(sessions, embedder, tmp_path / "work") as trial:
        assert len(trial.titles) == len(THINGS)
        slugs = {title.split()[0]: slug for slug, title in trial.titles.items()}
        asked = [replace(q, gold=frozenset(slugs[thing] for thing in q.gold)) for q in questions()]
        assert trial.knowledge().search("why does it crumple", "en").hits[0].signals["asked"] > 0.99
        trial.judge(asked, None, [0.1])
        trial.judge(asked, trial.calibrate(asked, "mine"), [0.1])
        trial.calibrate([], "alone")
        copied = dump(trial.sessions)
    assert dump(sessions) == before
    assert len(copied["passage"]) == len(before["passage"])
    assert (tmp_path / "work" / "trial.db").exists()


def test_a_trial_lives_in_its_folder(trial: Trial, tmp_path: Path) -> None:
    assert trial.knowledge().cache_folder.is_relative_to(tmp_path / "trial")
    engine = create_engine(f"sqlite:///{tmp_path / 'trial' / 'trial.db'}")
    with engine.connect() as connection:
        meta = MetaData()
        meta.reflect(connection)
        assert len(connection.execute(select(meta.tables["article"])).all()) == len(THINGS)
    engine.dispose()
