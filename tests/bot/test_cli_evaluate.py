"""`lotse evaluate` and `lotse calibrate`: what they ask of a knowledge base, what they print, what they keep."""

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from fake_embedder import HashEmbedder
from hand_fitted import SOME, hand_fitted
from sqlalchemy import func, select

from bot.cli import main
from bot.cli_evaluate import as_served
from bot.cli_trials import Trials, spread
from bot.db import open_database
from bot.settings import KnowledgeSettings, Settings
from kb_index.confidence import Fitted, Thresholds, read_calibrations
from kb_index.evaluation import Judged, Question, read_calibration_file, read_questions, write_calibration_file
from kb_index.importing import import_folder
from kb_index.judging import Ask
from kb_index.models import Base
from kb_index.trial import Learned, Verdict
from kb_index.versions import read_version

ROOT = Path(__file__).parents[2]
TITLES = {"vpn": "Connect to the VPN", "scan": "Scan a document"}


@dataclass
class FakeTrial:
    """Finds `vpn` first for everything, and is the surer the longer the question."""

    titles: Mapping[str, str] = field(default_factory=lambda: TITLES)
    for_agents: frozenset[str] = frozenset()
    unread: Sequence[str] = ()
    fitted: dict[str, Fitted] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    judged_by: list[Any] = field(default_factory=list)
    assurances: list[float] = field(default_factory=list)
    calibrated: list[tuple[int, str, bool]] = field(default_factory=list)

    def judge(
        self, questions: Sequence[Question], calibrations: Any, risks: Sequence[float], assurance: float, ask: Ask
    ) -> Verdict:
        self.judged_by.append(calibrations)
        self.assurances.append(assurance)
        return Verdict([self._judged(question, risks) for question in questions], self.reasons)

    def _judged(self, question: Question, risks: Sequence[float]) -> Judged:
        sure = min(1.0, len(question.text) / 20)
        bands = {f"{risk:g}": "answer" if sure > 1 - risk else "hand_over" for risk in risks}
        return Judged(question, ("vpn", "scan"), sure, sure, bands, ("vpn", "scan"))  # type: ignore[arg-type]

    def calibrate(self, questions: Sequence[Question], name: str, *, together: bool = False) -> Learned:
        self.calibrated.append((len(questions), name, together))
        return Learned({language: replace(one, name=name) for language, one in self.fitted.items()}, self.reasons)


@dataclass
class FakeTrials:
    """Notes what is opened."""

    trial: FakeTrial
    opened: list[Any] = field(default_factory=list)

    @contextmanager
    def of_folders(self, folders: Sequence[Path], knowledge: KnowledgeSettings) -> Iterator[FakeTrial]:
        self.opened.append(([str(folder) for folder in folders], knowledge.model))
        yield self.trial

    @contextmanager
    def of_live(self, settings: Settings) -> Iterator[FakeTrial]:
        self.opened.append(("live", settings.knowledge.model))
        yield self.trial


@dataclass
class Ended:
    code: int
    out: str
    err: str


Lotse = Callable[..., Ended]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder Lotse is started in, with settings and questions."""
    shutil.copy(ROOT / "config.yml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("LOTSE_CONFIG", raising=False)
    write(tmp_path / "q_en.jsonl", "q", ["Where do I find the VPN client?", "VPN?"], ["vpn"], "en")
    write(tmp_path / "q_de.jsonl", "d", ["Wie kann ich etwas einscannen?"], ["scan"], "de")
    write(tmp_path / "u.jsonl", "u", ["What is the weather like today?"], [], "en")
    return tmp_path


def write(file: Path, name: str, texts: Sequence[str], gold: Sequence[str], language: str) -> None:
    rows = [
        {"id": f"{name}{n}", "question": text, "lang": language, "answer_article_ids": gold, "kind": "near"}
        for n, text in enumerate(texts)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


@pytest.fixture
def trial() -> FakeTrial:
    return FakeTrial()


@pytest.fixture
def trials(trial: FakeTrial) -> FakeTrials:
    return FakeTrials(trial)


@pytest.fixture
def lotse(home: Path, trials: FakeTrials, capsys: pytest.CaptureFixture[str]) -> Lotse:
    def run(*arguments: str) -> Ended:
        code = main(list(arguments), trials)
        written = capsys.readouterr()
        return Ended(code, written.out, written.err)

    return run


# --- options ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("told", "read"),
    [
        ("--kb a b", "--kb a --kb b"),
        ("--kb a --kb b", "--kb a --kb b"),
        ("--kb=a b", "--kb=a --kb b"),
        ("--risk 0.05 0.1 --json -", "--risk 0.05 --risk 0.1 --json -"),
        ("--questions a b --worst 3 --kb c d", "--questions a --questions b --worst 3 --kb c --kb d"),
        ("--json - x", "--json - x"),
        ("", ""),
    ],
)  # fmt: skip
def test_an_option_takes_several_values(told: str, read: str) -> None:
    assert spread(told.split()) == read.split()


def test_folders_and_files_are_given_as_in_the_issue(lotse: Lotse, trials: FakeTrials) -> None:
    ended = lotse(
        *("evaluate", "--kb", "kb_de", "kb_en", "--questions", "q_en.jsonl", "q_de.jsonl"),
        *("--unanswerable", "u.jsonl", "--risk", "0.05", "0.1", "--json", "-"),
    )
    assert ended.code == 0, ended.err
    assert trials.opened == [(["kb_de", "kb_en"], "all-MiniLM-L6-v2")]
    assert json.loads(ended.out)["risks"] == ["0.05", "0.1"]


def test_folders_need_no_settings(lotse: Lotse, home: Path, trials: FakeTrials) -> None:
    (home / "config.yml").unlink()
    assert lotse("evaluate", "--kb", "kb", "--questions", "q_en.jsonl").code == 0
    assert trials.opened == [(["kb"], "all-MiniLM-L6-v2")]


def test_folders_are_tried_with_another_model(lotse: Lotse, trials: FakeTrials) -> None:
    assert lotse("evaluate", "--kb", "kb", "--questions", "q_en.jsonl", "--model", "other").code == 0
    assert trials.opened == [(["kb"], "other")]


def test_without_folders_the_live_knowledge_base_is_tried(lotse: Lotse, trials: FakeTrials) -> None:
    assert lotse("evaluate", "--questions", "q_en.jsonl").code == 0
    assert trials.opened == [("live", "all-MiniLM-L6-v2")]


@pytest.mark.parametrize("command", ["evaluate", "calibrate"])
def test_the_live_knowledge_base_has_vectors_of_its_own_model_only(
    lotse: Lotse, trials: FakeTrials, command: str
) -> None:
    ended = lotse(command, "--questions", "q_en.jsonl", "--model", "other")
    assert (ended.code, trials.opened) == (2, [])
    assert "embedded by all-MiniLM-L6-v2; --model needs --kb" in " ".join(ended.err.replace("│", " ").split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "Missing option '--questions'"),
        ("--questions q_en.jsonl --risk 5", "5 is no share of wrong answers; 0.05 means 5 in 100"),
        ("--questions q_en.jsonl --worst many", "Invalid value for '--worst'"),
    ],
)
def test_wrong_use_ends_with_2(lotse: Lotse, arguments: str, said: str) -> None:
    ended = lotse("evaluate", *arguments.split())
    assert ended.code == 2
    assert said in " ".join(ended.err.replace("│", " ").split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--questions gone.jsonl", "there is no file gone.jsonl"),
        ("--questions broken.jsonl", "broken.jsonl, line 1: this is no JSON"),
        ("--questions u.jsonl", "belongs into a file of its own, given with --unanswerable"),
        ("--questions q_en.jsonl --unanswerable q_de.jsonl", "nothing may answer a question given with --unanswerable"),
        ("--questions q_en.jsonl --calibration u.jsonl", "u.jsonl is no calibration"),
        ("--questions empty.jsonl", "empty.jsonl: there is no question to ask"),
        ("--questions q_en.jsonl --json gone/r.json", "there is no folder gone to write r.json into; make it first"),
        ("--questions q_en.jsonl --json out", "out is a folder; name a file in it"),
        ("--questions q_en.jsonl --pictures u.jsonl", "File exists: 'u.jsonl'"),
    ],
)
def test_a_file_that_cannot_be_used_ends_with_1_and_its_cure(
    lotse: Lotse, home: Path, trials: FakeTrials, arguments: str, said: str
) -> None:
    (home / "broken.jsonl").write_text("{")
    (home / "empty.jsonl").write_text("\n")
    (home / "out").mkdir()
    ended = lotse("evaluate", *arguments.split())
    assert ended.code == 1
    assert said in ended.err
    assert trials.opened == []


def test_an_id_stands_only_once(lotse: Lotse, home: Path) -> None:
    write(home / "again.jsonl", "q", ["?"], [], "en")
    ended = lotse("evaluate", "--questions", "q_en.jsonl", "--unanswerable", "again.jsonl")
    assert (ended.code, "again.jsonl, line 1: the id 'q0' is taken by q_en.jsonl, line 1" in ended.err) == (1, True)


# --- the report -------------------------------------------------------------------------------------------------------
ALL = ("evaluate", "--questions", "q_en.jsonl", "q_de.jsonl", "--unanswerable", "u.jsonl")


def test_the_report_as_json_holds_everything(lotse: Lotse) -> None:
    report = json.loads(lotse(*ALL, "--json", "-", "--worst", "1").out)
    english = report["languages"]["en"]
    assert (english["n"], english["answerable"], english["near"]) == (3, 2, 1)
    assert (english["answered@0.05"], english["wrong@0.05"]) == (round(2 / 3, 4), 0.5)
    assert report["judged_by"] == "cross-validation"
    assert report["articles"] == 2
    (worst,) = report["worst"]["0.05"]["confident_wrong"]
    assert (worst["found"], worst["found_id"]) == ("Connect to the VPN", "vpn")
    assert worst["right"] in ([], ["Scan a document"])
    assert [case["question"] for case in report["worst"]["0.05"]["handed_over"]] == ["VPN?"]


def test_the_report_for_people_fits_100_columns(lotse: Lotse) -> None:
    out = lotse(*ALL).out
    assert max(len(line) for line in out.splitlines() if line[:1] in {"┏", "┃", "│"}) <= 100
    assert re.search(r"right article first .*100\.0% \(21%-100%\)", out)
    assert re.search(r"wrong answers \(at most, 95 %\) .*50\.0% \(97\.5%\)", out)
    assert "found: Connect to the VPN (vpn)" in out
    assert "right: Scan a document (scan), found in place 2" in out
    assert "4 questions, 2 articles; judged by cross-validation." in out
    assert "English, at most 5% wrong: not kept, 50.0% of 2 answers were wrong" in out
    assert "German: only 1 with an answer" in out


def test_the_report_goes_into_a_file_too(lotse: Lotse, home: Path) -> None:
    ended = lotse(*ALL, "--json", "report.json")
    assert json.loads((home / "report.json").read_text("utf-8"))["all"]["n"] == 4
    assert "Finding and knowing" in ended.out


def test_how_sure_the_promise_is_stands_in_the_report(lotse: Lotse, home: Path, trial: FakeTrial) -> None:
    config = (home / "config.yml").read_text("utf-8")
    (home / "config.yml").write_text(config.replace("assurance: 0.9", "assurance: 0.8"), "utf-8")
    assert "At most 5% of the answers wrong, 80% sure" in lotse(*ALL).out
    assert json.loads(lotse(*ALL, "--assurance", "0.95", "--json", "-").out)["assurance"] == 0.95
    assert trial.assurances == [0.8, 0.95]


def test_what_was_not_taken_in_and_not_learned_is_in_the_report(lotse: Lotse, trial: FakeTrial) -> None:
    trial.unread, trial.reasons = ["kb/a.md: the file is empty"], {"de>en": "too few questions"}
    report = json.loads(lotse(*ALL, "--json", "-").out)
    assert report["not_taken_in"] == ["kb/a.md: the file is empty"]
    assert report["does_not_hold"][0] == "German, answered in English: too few questions"


def test_the_curves_are_drawn(lotse: Lotse, home: Path) -> None:
    lotse(*ALL, "--pictures", "out")
    assert sorted(file.name for file in (home / "out").iterdir()) == [
        "reliability-de.svg", "reliability-en.svg", "risk-coverage-de.svg", "risk-coverage-en.svg",
    ]  # fmt: skip


def test_a_calibration_file_is_judged_by(lotse: Lotse, home: Path, trial: FakeTrial) -> None:
    fitted = {language: hand_fitted(language) for language in ("de", "en")}
    write_calibration_file(home / "c.json", fitted)
    ended = lotse(*ALL, "--calibration", "c.json")
    assert trial.judged_by == [fitted]
    assert "judged by c.json" in ended.out


def test_what_is_written_in_a_question_is_no_markup(lotse: Lotse, home: Path) -> None:
    write(home / "q.jsonl", "q", ["[/] Where is the [red]scanner[/red]?"], ["scan"], "en")
    ended = lotse("evaluate", "--questions", "q.jsonl")
    assert ended.code == 0
    assert "[/] Where is the [red]scanner[/red]?" in ended.out


# --- calibrate --------------------------------------------------------------------------------------------------------
def fitted_with(**thresholds: Thresholds) -> dict[str, Fitted]:
    """By risk."""
    return {"en": hand_fitted("en", thresholds=thresholds)}


def test_a_calibration_is_stored_in_the_live_knowledge_base(lotse: Lotse, home: Path, trial: FakeTrial) -> None:
    trial.fitted = fitted_with(**{"0.05": SOME})
    lotse("db", "upgrade")
    ended = lotse("calibrate", "--max-wrong", "0.05")
    assert ended.code == 0, ended.err
    assert "the promise can be kept; about 40% of such questions are answered at once" in ended.out
    assert re.search(r"English .* 200 .* 90% .* 40% \(33%-47%\) .* 3\.0% .* 60% .* 20%", ended.out)
    assert ended.out.endswith("Stored. The live knowledge base judges by it from the next question on.\n")
    ((count, name, together),) = trial.calibrated
    assert (count, together) == (0, False)
    with closing(open_database(f"sqlite:///{home / 'var' / 'lotse.db'}")) as sessions, sessions() as session:
        stored, _ = read_calibrations(session, trial.fitted["en"].model)
    assert stored["en"].name == name
    assert name.startswith("articles alone ")


def test_a_calibration_goes_into_a_file_and_nowhere_else(lotse: Lotse, home: Path, trial: FakeTrial) -> None:
    trial.fitted = fitted_with(**{"0.05": SOME})
    ended = lotse(
        "calibrate", "--questions", "q_en.jsonl", "--unanswerable", "u.jsonl", "--out", "c.json", "--together"
    )
    assert read_calibration_file(home / "c.json")["en"].thresholds == {"0.9": {"0.05": SOME}}
    assert trial.calibrated[0][::2] == (3, True)
    assert "Written into c.json" in ended.out
    assert not (home / "var").exists()


def test_folders_without_a_file_store_nothing(lotse: Lotse, home: Path, trial: FakeTrial) -> None:
    trial.fitted = fitted_with(**{"0.05": SOME})
    assert "Nothing was stored: name a file with --out" in lotse("calibrate", "--kb", "kb").out
    assert not (home / "var").exists()


def test_too_little_data_is_said_in_plain_words(lotse: Lotse, trial: FakeTrial) -> None:
    trial.fitted = fitted_with(**{"0.05": Thresholds(None, 0.7, asked_back=0.3), "0.2": SOME})
    ended = lotse("calibrate", "--kb", "kb", "--max-wrong", "0.05")
    assert (
        "English: too little data to promise at most 5% wrong answers, so nothing is answered at once. "
        "Lotse asks back or hands over more. It could promise 20%.\n"
    ) in ended.out
    assert "never" in ended.out


def test_the_assurance_is_that_of_the_settings_or_as_told(lotse: Lotse, home: Path, trial: FakeTrial) -> None:
    never = Thresholds(None, None)
    trial.fitted = {"en": replace(hand_fitted(), thresholds={"0.8": {"0.05": SOME}, "0.95": {"0.05": never}})}
    told = ("calibrate", "--kb", "kb", "--max-wrong", "0.05")
    assert "English: too little data to promise" in lotse(*told).out
    ended = lotse(*told, "--assurance", "0.8")
    assert "English: the promise can be kept" in ended.out
    assert "At most 5% wrong, 80% sure" in ended.out


def test_what_was_not_learned_from_questions_is_told(lotse: Lotse, trial: FakeTrial) -> None:
    trial.fitted, trial.reasons = fitted_with(**{"0.05": SOME}), {"de": "no question was given; nothing was learned"}
    assert "German: no question was given; nothing was learned\n" in lotse("calibrate", "--kb", "kb").err


def test_options_without_effect_are_told(lotse: Lotse, home: Path, trial: FakeTrial) -> None:
    (home / "empty.jsonl").write_text("")
    trial.fitted = fitted_with(**{"0.05": SOME})
    ended = lotse("calibrate", "--kb", "kb", "--questions", "empty.jsonl", "--together")
    assert "empty.jsonl: no question is in there, so the articles alone teach." in ended.err
    assert "--together joins questions, and there are none" in ended.err


def test_a_file_that_cannot_be_written_is_told_before_the_work(lotse: Lotse, trials: FakeTrials) -> None:
    ended = lotse("calibrate", "--kb", "kb", "--out", "gone/c.json")
    assert (ended.code, trials.opened) == (1, [])
    assert "there is no folder gone to write c.json into" in ended.err


def test_a_calibration_across_languages_is_named(lotse: Lotse, trial: FakeTrial) -> None:
    trial.fitted = {"de>en": fitted_with(**{"0.05": SOME})["en"]}
    assert "German, answered in English: the promise can be kept" in lotse("calibrate", "--kb", "kb").out


def test_where_nothing_can_be_learnt_nothing_is_changed(lotse: Lotse, home: Path) -> None:
    ended = lotse("calibrate")
    assert (ended.code, "nothing was changed" in ended.err) == (1, True)
    assert not (home / "var").exists()


# --- the real thing ---------------------------------------------------------------------------------------------------
def test_a_live_knowledge_base_that_is_not_there_is_not_made(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["evaluate", "--questions", "q_en.jsonl"])
    assert code == 1
    assert "there is no knowledge base yet" in capsys.readouterr().err
    assert not (home / "var").exists()


def test_a_folder_that_is_not_there_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["evaluate", "--kb", "gone", "--questions", "q_en.jsonl"])
    assert (code, capsys.readouterr().err) == (1, "Error: gone is no folder of articles\n")


WISHES = ("scan a page", "join the VPN", "book a room", "print a poster", "order a phone", "reset a password")


def handbook(home: Path) -> None:
    """Articles, questions that they answer, and some that they do not."""
    (home / "handbook").mkdir()
    rows = []
    for n, wish in enumerate(WISHES):
        text = f"---\nid: a{n}\ntitle: How to {wish}\nlanguage: en\n---\n\nTo {wish}, open the page and press start.\n"
        (home / "handbook" / f"a{n}.md").write_text(text, "utf-8")
        rows.append({"id": f"w{n}", "question": f"How do I {wish}?", "lang": "en", "answer_article_ids": [f"a{n}"]})
    (home / "q.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    write(home / "none.jsonl", "n", [f"Who won the {year} cup?" for year in range(1990, 1998)], [], "en")


def hashed(knowledge: KnowledgeSettings) -> HashEmbedder:
    """An embedder whose vectors are its own by everything the settings say of it."""
    return HashEmbedder(f"{knowledge.model} {knowledge.embedder} {knowledge.cache}")


ASK_ALL = ("--questions", "q.jsonl", "--unanswerable", "none.jsonl")


def test_the_live_copy_is_searched_by_the_model_of_the_settings(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    handbook(home)
    config = (home / "config.yml").read_text("utf-8")
    (home / "config.yml").write_text(config.replace("embedder: onnx", "embedder: torch"), "utf-8")
    assert main(["db", "upgrade"]) == 0
    torch = hashed(KnowledgeSettings(embedder="torch"))
    with closing(open_database(f"sqlite:///{home / 'var' / 'lotse.db'}")) as sessions:
        import_folder(sessions, torch, home / "handbook")
    asked: list[KnowledgeSettings] = []
    trials = Trials(lambda knowledge: asked.append(knowledge) or hashed(knowledge))  # type: ignore[func-returns-value]
    assert main(["evaluate", *ASK_ALL], trials) == 0, capsys.readouterr().err
    assert [(one.embedder, one.cache) for one in asked] == [("torch", Path("var/knowledge"))]
    (home / "config.yml").write_text(config, "utf-8")
    capsys.readouterr()
    assert main(["calibrate", *ASK_ALL], trials) == 1
    assert (
        "holds no vectors of the model all-MiniLM-L6-v2 onnx var/knowledge; `lotse kb import`"
        in capsys.readouterr().err
    )


def test_long_questions_are_judged_as_the_bot_asks_them(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    handbook(home)
    story = "Hello everybody, the weekend was long and my mouse is red. " * 6 + "How do I book a room?"
    write(home / "q.jsonl", "q", [story], ["a2"], "en")
    with Trials(hashed).of_folders([home / "handbook"], KnowledgeSettings()) as trial:
        sure = {"en": hand_fitted("en", hashed(KnowledgeSettings()).name, thresholds={"0.1": Thresholds(0.0, 0.0)})}
        (judged,) = trial.judge(read_questions([home / "q.jsonl"]), sure, [0.1], 0.9, as_served).judged
    assert judged.shown["0.1"][0] == "a2"


@pytest.mark.real
def test_the_live_knowledge_base_is_only_read(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    handbook(home)
    assert main(["kb", "import", "handbook"]) == 0
    before = rows_of(home)
    capsys.readouterr()
    code = main(["evaluate", "--questions", "q.jsonl", "--unanswerable", "none.jsonl", "--json", "-"])
    written = capsys.readouterr()
    assert code == 0, written.err
    assert json.loads(written.out)["all"]["recall@3"] == 1.0
    assert rows_of(home) == before


def rows_of(home: Path) -> dict[str, Any]:
    """How many rows each table of the live database holds, and its version."""
    with closing(open_database(f"sqlite:///{home / 'var' / 'lotse.db'}")) as sessions, sessions() as session:
        tables = dict(Base.metadata.tables)
        counts = {name: session.scalar(select(func.count()).select_from(table)) for name, table in tables.items()}
        return {**counts, "version": read_version(session)}
