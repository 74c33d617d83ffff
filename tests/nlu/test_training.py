"""Training only when needed, completely or not at all, with an error one can act on."""

import shutil
from pathlib import Path

import pytest
from rasa_stand_in import RasaStandIn

from nlu.examples import PROJECT, TrainingDataBroken
from nlu.training import MODELS_KEPT, TrainingFailed, model_path, train


@pytest.fixture
def rasa(tmp_path: Path) -> RasaStandIn:
    return RasaStandIn(tmp_path / "rasa")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PROJECT, tmp_path / "project"))


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def add_example(project: Path, text: str) -> None:
    (project / "data" / "more.yml").write_text(f"nlu:\n- intent: greet\n  examples: |\n    - {text}\n", "utf-8")


def test_the_model_is_named_by_what_it_depends_on(rasa: RasaStandIn, models: Path) -> None:
    model = train(rasa.environment, models)
    assert model == model_path(models)
    assert model.read_bytes() == b"a model"


def test_unchanged_data_is_not_trained_again(rasa: RasaStandIn, models: Path, project: Path) -> None:
    assert train(rasa.environment, models, project=project) == train(rasa.environment, models, project=project)
    assert rasa.commands() == ["train"]


def test_changed_data_is_trained_again_and_so_is_force(rasa: RasaStandIn, models: Path, project: Path) -> None:
    first = train(rasa.environment, models, project=project)
    add_example(project, "aloha he")
    assert train(rasa.environment, models, project=project) != first
    train(rasa.environment, models, project=project, force=True)
    assert rasa.commands() == ["train"] * 3


def test_old_models_go(rasa: RasaStandIn, models: Path, project: Path) -> None:
    for number in range(MODELS_KEPT + 2):
        add_example(project, f"aloha {number}")
        newest = train(rasa.environment, models, project=project)
    assert newest.exists()
    assert len(list(models.glob("*.tar.gz"))) == MODELS_KEPT


def test_rasa_may_rewrite_its_config_but_not_ours(rasa: RasaStandIn, models: Path, project: Path) -> None:
    before = (project / "config.yml").read_text("utf-8")
    train(rasa.environment, models, project=project)
    assert (project / "config.yml").read_text("utf-8") == before


def test_broken_data_is_refused_before_rasa_is_asked(rasa: RasaStandIn, models: Path, project: Path) -> None:
    add_example(project, "hi [Otto](person)")
    with pytest.raises(TrainingDataBroken, match=r"more\.yml:4: entity 'person'"):
        train(rasa.environment, models, project=project)
    assert rasa.commands() == []


def test_a_failed_training_says_why_and_leaves_nothing(rasa: RasaStandIn, models: Path) -> None:
    rasa.feel("fail")
    with pytest.raises(TrainingFailed, match=r"last words: InvalidConfigException: no such component$"):
        train(rasa.environment, models)
    assert [path.name for path in models.iterdir()] == ["training.lock"]


def test_a_hanging_training_is_ended(rasa: RasaStandIn, models: Path) -> None:
    rasa.feel("hang")
    with pytest.raises(TrainingFailed, match="not done after"):
        train(rasa.environment, models, time_limit=0.5)
    assert [path.name for path in models.iterdir()] == ["training.lock"]


def test_without_the_environment_it_says_so(rasa: RasaStandIn, models: Path) -> None:
    rasa.environment.python.unlink()
    with pytest.raises(TrainingFailed, match="could not be started"):
        train(rasa.environment, models)
