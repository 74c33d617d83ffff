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
from kb_index.articles import import_folder, withdraw_article
from kb_index.calibration_files import CalibrationFileError
from kb_index.confidence import Thresholds, seed_calibration, shipped_calibration
from kb_index.evaluation import Question
from kb_index.learning import embed_waiting_questions, set_editor_questions
from kb_index.question_files import QuestionFileError
from kb_index.search import KnowledgeBase
from kb_index.trial import FEWEST, FOLDS, Trial, open_trial
from kb_index.trial_articles import NothingToSearch

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


def german_article(trial: Trial, tmp_path: Path) -> None:
    (tmp_path / "german").mkdir()
    text = "---\nid: drucker\nlang: de\n---\n# Drucker klemmt\n\nDen Deckel des Druckers öffnen.\n"
    (tmp_path / "german" / "drucker.md").write_text(text, "utf-8")
    import_folder(trial.sessions, trial.embedder, tmp_path / "german", source="german")


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


def test_a_question_whose_article_is_not_here_is_not_one_that_nothing_answers(trial: Trial) -> None:
    lost = Question("lost", "holiday request in the canteen", "en", frozenset({"nowhere"}), "faq")
    german = replace(lost, id="verloren", language="de")
    samples = trial.samples([*questions(), lost, german])
    assert [s.withheld for s in samples["en"] if s.group == "nowhere"] == [True]
    assert [s.withheld for s in samples["de>en"] if s.group == "nowhere"] == [True]
    assert sum(s.is_miss for s in samples["en"]) == len(THINGS)


def test_a_question_to_another_language_knows_what_its_own_found(trial: Trial, tmp_path: Path) -> None:
    german_article(trial, tmp_path)
    samples = trial.samples([Question("d", "Deckel des Druckers", "de", frozenset(), "far")])
    [own], [away] = samples["de"], samples["de>en"]
    assert (own.own, away.own) == (None, own.found)
    assert own.found.candidates


def test_withheld_articles_leave_what_was_asked_before_to_the_others(trial: Trial) -> None:
    """Else no past question would come to mean no answer, and a knowledge base full of them would answer nothing."""
    with trial.sessions.begin() as session:
        ids = {slug: number for slug, (_, number) in trial._articles().items()}
        for thing in ("printer", "scanner"):
            set_editor_questions(session, ids[thing], [f"why does my {thing} crumple"], "mia")
    embed_waiting_questions(trial.sessions, trial.embedder)
    asked = [Question(thing, f"why does my {thing} crumple", "en", frozenset({thing}), "faq") for thing in THINGS[:8]]
    withheld = {s.group: s for s in trial.samples(asked)["en"] if s.withheld}
    heard = {group: {c.article_id for c in s.found.candidates if c["asked"] != 0} for group, s in withheld.items()}
    assert any(ids["scanner"] in some for group, some in heard.items() if group != "scanner")
    assert all(ids[group] not in some for group, some in heard.items())


def test_judged_by_given_calibrations(trial: Trial) -> None:
    always = {"en": hand_fitted("en", thresholds={"0.05": Thresholds(1.1, 1.1), "0.1": Thresholds(0.0, 0.0)})}
    asked = questions()[:6]
    judged = trial.judge(asked, always, [0.05, 0.1]).judged
    assert [one.question for one in judged] == asked
    assert all(one.bands == {"0.05": "hand_over", "0.1": "answer"} for one in judged)
    assert judged[0].right
    assert judged[0].ranked[0] == "printer"
    assert not any(one.cross_lingual for one in judged)


def test_judged_by_cross_validation(trial: Trial) -> None:
    judged = trial.judge(questions(), None, [0.05, 0.3]).judged
    assert [one.question for one in judged] == questions()
    answerable = [one for one in judged if one.question.answerable]
    assert sum(one.right for one in answerable) > 0.9 * len(answerable)
    known, unknown = ([one.probability for one in judged if one.question.answerable == is_] for is_ in (True, False))
    assert sum(known) / len(known) > 0.5 > sum(unknown) / len(unknown)
    assert any(one.bands["0.3"] == "answer" for one in answerable)
    wrong = [one for one in judged if one.bands["0.3"] == "answer" and not one.right]
    assert len(wrong) <= 0.3 * sum(one.bands["0.3"] == "answer" for one in judged)


def test_cross_validation_of_too_few_articles_says_what_to_do(trial: Trial) -> None:
    few = [question for question in questions() if not question.gold or question.group in THINGS[: FOLDS - 1]]
    with pytest.raises(QuestionFileError, match=f"about 4 articles are too few .* needs {FOLDS}; .* --calibration"):
        trial.judge(few, None, [0.1])


def test_calibrated_by_questions(trial: Trial) -> None:
    learned = trial.calibrate(questions(), "mine")
    assert (learned.fitted.keys(), learned.reasons) == ({"en"}, {})
    one = learned.fitted["en"]
    assert (one.name, one.language, one.model, one.source) == ("mine", "en", "hash", "questions")
    assert one.sample_size == 3 * len(THINGS)
    assert one.measured["recall@1"] > 0.9
    assert one.measured["auroc"] > 0.8


def test_calibrated_by_the_articles_alone(trial: Trial) -> None:
    assert len(THINGS) >= FEWEST
    learned = trial.calibrate([], "alone")
    assert learned.reasons == {"en": "no question was given; learned from the articles alone"}
    one = learned.fitted["en"]
    assert (one.name, one.source, one.model) == ("alone", "articles", "hash")
    assert one.sample_size > 0


def test_articles_too_few_to_learn_from_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "few").mkdir()
    for number, thing in enumerate(THINGS[:3]):
        (tmp_path / "few" / f"{thing}.md").write_text(article(thing, number), "utf-8")
    with open_trial([tmp_path / "few"], HashEmbedder(), tmp_path) as trial:
        alone = trial.calibrate([], "alone")
        assert alone.fitted == {}
        assert alone.reasons["en"].startswith(
            "no question was given, and of the articles' own titles and headings only"
        )
        for together in (True, False):
            few = trial.calibrate(questions()[:9], "few", together=together)
            assert few.fitted == {}
            assert "questions about 3 articles are too few to learn from; give questions" in few.reasons["en"]


def test_calibrated_together_every_language_gets_the_same_and_every_pair(trial: Trial, tmp_path: Path) -> None:
    """Each question counts once in either: a second time would tell nothing new, and narrow what is promised."""
    german_article(trial, tmp_path)
    asked = [*questions(), *(replace(q, id=f"de{q.id}", language="de") for q in questions())]
    fitted = trial.calibrate(asked, "one", together=True).fitted
    assert fitted.keys() == {"de", "en", "de>en", "en>de"}
    assert all(one.language == pair for pair, one in fitted.items())
    assert fitted["de"].answers == fitted["en"].answers != fitted["de>en"].answers == fitted["en>de"].answers
    assert fitted["de"].thresholds == fitted["en"].thresholds
    found = [s for some in trial.samples(asked).values() for s in some if s.found.candidates and not s.withheld]
    assert fitted["en"].sample_size + fitted["de>en"].sample_size == len(found)


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
        trial.judge(asked, trial.calibrate(asked, "mine").fitted, [0.1])
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


# --- what else is fed to it -------------------------------------------------------------------------------------------
Made = Callable[..., Trial]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    """A trial of folders with these files; the folder is the part of a name before the stroke."""
    opened: list[Trial] = []

    def make(files: dict[str, str], embedder: HashEmbedder | None = None) -> Trial:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text, "utf-8")
        folders = sorted({tmp_path / name.split("/")[0] for name in files})
        opened.append(open_trial(folders, embedder or HashEmbedder(), tmp_path))
        return opened[-1]

    yield make
    for trial in opened:
        trial.__exit__(None, None, None)


def always() -> dict[str, Any]:
    """Everything is answered."""
    return {
        pair: hand_fitted(pair, thresholds={"0.1": Thresholds(0.0, 0.0)}) for pair in ("en", "de", "de>en", "en>de")
    }


def test_the_same_id_in_two_folders_is_right_in_both(made: Made) -> None:
    trial = made({f"{where}/{t}.md": article(t, n) for where in ("old", "new") for n, t in enumerate(THINGS)})
    asked = questions()
    judged = trial.judge(asked, always(), [0.1]).judged
    assert (judged[0].ranked[0], judged[0].ranked.count("printer"), judged[0].right) == ("printer", 2, True)
    (sample, *_) = trial.samples(trial._resolved(asked))["en"]
    assert len(sample.gold) == 2
    assert trial._resolved(asked)[0].group == "printer"
    assert sum(one.right for one in trial.judge(asked, None, [0.1]).judged) > len(THINGS)


def test_files_that_cannot_be_read_are_kept_with_their_reason(made: Made, tmp_path: Path) -> None:
    trial = made({"kb/printer.md": article("printer", 0), "kb/none.md": " "})
    (said,) = trial.unread
    assert said.startswith(f"{tmp_path / 'kb' / 'none.md'}: the file is empty")


def test_without_articles_or_vectors_there_is_nothing_to_try_out(made: Made, tmp_path: Path) -> None:
    with pytest.raises(NothingToSearch, match="there is no article"):
        made({"empty/readme.txt": "?"}).check_searchable()
    trial = made({"kb/printer.md": article("printer", 0)})
    trial.check_searchable()
    (tmp_path / "copy").mkdir()
    with (
        Trial.of_live(trial.sessions, HashEmbedder("other"), tmp_path / "copy") as copy,
        pytest.raises(NothingToSearch, match="no vectors of the model other"),
    ):
        copy.check_searchable()


def test_a_calibration_of_another_model_is_refused(trial: Trial) -> None:
    with pytest.raises(CalibrationFileError, match="for the model other, and here hash searches"):
        trial.judge(questions()[:1], {"en": hand_fitted("en", model="other")}, [0.1])


def test_languages_that_a_calibration_lacks_are_told(trial: Trial) -> None:
    german = [replace(question, language="de") for question in questions()[:2]]
    verdict = trial.judge([*german, *questions()[2:4]], {"de": hand_fitted("de")}, [0.1])
    assert verdict.reasons == dict.fromkeys(
        ["de>en", "en"], "the calibration file holds nothing for it, so nothing is answered"
    )


def test_too_few_articles_for_a_fold_are_told(trial: Trial) -> None:
    few = [question for question in questions() if not question.gold or question.group in THINGS[:8]]
    verdict = trial.judge(few, None, [0.1])
    assert {band for one in verdict.judged for band in one.bands.values()} == {"hand_over"}
    assert verdict.reasons["en"].startswith("in a fold of cross-validation questions about")


def test_questions_about_other_articles_are_refused(trial: Trial) -> None:
    elsewhere = [replace(question, gold=frozenset({"vpn"})) for question in questions()[:1]]
    for refused in (lambda: trial.judge(elsewhere, always(), [0.1]), lambda: trial.calibrate(elsewhere, "mine")):
        with pytest.raises(QuestionFileError, match="there is no 'vpn', but a 'antenna'; name other folders"):
            refused()


def test_a_language_nobody_asks_in_is_refused(trial: Trial) -> None:
    with pytest.raises(QuestionFileError, match=r"q.jsonl, line 1: 'lang' is 'fr'"):
        trial.calibrate([replace(questions()[0], language="fr", place="q.jsonl, line 1")], "mine")


def test_a_language_without_questions_learns_from_its_articles(made: Made) -> None:
    files = {f"kb/{thing}.md": article(thing, n) for n, thing in enumerate(THINGS)}
    german = {
        name.replace(".md", "-de.md"): text.replace("lang: en", "lang: de").replace("id: ", "id: de-")
        for name, text in files.items()
    }
    learned = made(files | german).calibrate(questions(), "mine")
    assert {"en", "de"} <= learned.fitted.keys()
    assert (learned.fitted["en"].source, learned.fitted["de"].source) == ("questions", "articles")
    assert learned.reasons["de"] == "no question was given; learned from the articles alone"
    assert learned.reasons["de>en"] == "no question was given; nothing is answered"


def test_from_the_articles_alone_pairs_of_languages_are_judged_as_shipped(made: Made) -> None:
    (model,) = {one.model for one in shipped_calibration()}
    files = {
        f"kb/{lang}-{thing}.md": article(f"{lang}{thing}", n).replace("lang: en", f"lang: {lang}")
        for lang in ("de", "en")
        for n, thing in enumerate(THINGS)
    }
    learned = made(files, HashEmbedder(model)).calibrate([], "alone")
    shipped = {one.language: one for one in shipped_calibration()}
    assert {pair: learned.fitted[pair] for pair in ("de>en", "en>de")} == {
        pair: shipped[pair] for pair in ("de>en", "en>de")
    }
    assert learned.reasons["de>en"] == "no question was given; judged as it comes with Lotse"


def test_what_only_agents_may_read_is_no_answer(made: Made) -> None:
    hidden = article("printer", 0).replace("lang: en", "lang: en\naudience: agents")
    trial = made({"kb/printer.md": hidden, "kb/scanner.md": article("scanner", 1)})
    (one,) = trial.judge(questions()[:1], always(), [0.1]).judged
    assert one.ranked == ("scanner",)
    assert trial.for_agents == {"printer"}


def test_decisions_are_those_of_what_is_really_asked(trial: Trial) -> None:
    def ask(knowledge: KnowledgeBase, question: Question) -> Any:
        return knowledge.search("open the scanner cover press reset1", "en") if question.gold else None

    judged = trial.judge(questions()[:3], always(), [0.1], ask=ask).judged
    assert [one.ranked[0] for one in judged[:2]] == ["printer", "printer"]
    assert [one.shown["0.1"][:1] for one in judged] == [("scanner",), ("scanner",), ()]
    assert [one.bands["0.1"] for one in judged] == ["answer", "answer", "hand_over"]


def test_the_assurance_is_passed_on(trial: Trial) -> None:
    fitted = hand_fitted("en")
    sure = Thresholds(0.0, 0.0)
    levels = {"en": replace(fitted, thresholds={"0.5": {"0.1": sure}, "0.9": {"0.1": Thresholds(1.1, 1.1)}})}
    for assurance, band in ((0.5, "answer"), (0.9, "hand_over")):
        (one,) = trial.judge(questions()[:1], levels, [0.1], assurance).judged
        assert one.bands["0.1"] == band
