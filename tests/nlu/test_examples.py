"""Reading the training data, and saying where it is broken."""

import re
import shutil
from pathlib import Path

import pytest

from nlu.examples import PROJECT, TrainingDataBroken, fingerprint, read_training_data
from nlu.measure import Labelled


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PROJECT, tmp_path / "rasa"))


def as_compared(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def test_there_are_enough_examples_in_both_languages() -> None:
    examples = read_training_data().examples
    german = [example for example in examples if example.source.startswith("nlu_de")]
    assert len(examples) >= 2_500
    assert 0.4 <= len(german) / len(examples) <= 0.6


def test_nothing_held_out_is_trained_on(held_out: list[Labelled], development: list[Labelled]) -> None:
    trained = {as_compared(example.text) for example in read_training_data().examples}
    assert [one.text for one in held_out + development if as_compared(one.text) in trained] == []


def test_the_development_set_shares_nothing_with_the_held_out(
    held_out: list[Labelled], development: list[Labelled]
) -> None:
    assert not {as_compared(one.text) for one in held_out} & {as_compared(one.text) for one in development}


def test_held_out_covers_every_intent_in_both_languages(held_out: list[Labelled]) -> None:
    intents = {example.intent for example in read_training_data().examples}
    assert {(one.intent, one.language) for one in held_out} == {
        (intent, lang) for intent in intents for lang in ("de", "en")
    }
    assert len(held_out) >= 300


def test_annotations_do_not_reach_the_text() -> None:
    assert not [example for example in read_training_data().examples if "](" in example.text]


@pytest.mark.parametrize(
    ("lines", "at", "complaint"),
    [
        ("- intent: gret\n  examples: |\n    - hi\n", 3, "intent 'gret' is not in domain.yml"),
        ("- intent: greet\n  examples: |\n    - hi there you\n    hello you\n", 6, "an example starts with '- '"),
        ("- intent: greet\n  examples: |\n    - hi [Otto](person)\n", 5, "entity 'person' is not in domain.yml"),
        ("- intent: greet\n  examples: |\n    - hi [Otto](\n", 5, "an annotation is written"),
        ("- intent: greet\n  examples:\n    - hi\n", 3, "examples must be a block of lines"),
        ("- regex: ticket_number\n  examples: |\n    - (TKT\n", 5, "not a regular expression"),
        ("- story: greet\n  examples: |\n    - hi\n", 3, "an entry is an intent"),
        ("- intent: greet\n   examples: |\n", 4, "not valid YAML"),
    ],
)
def test_broken_data_is_named_by_file_and_line(project: Path, lines: str, at: int, complaint: str) -> None:
    broken = project / "data" / "nlu_broken.yml"
    broken.write_text(f'version: "3.1"\nnlu:\n{lines}', "utf-8")
    with pytest.raises(TrainingDataBroken) as raised:
        read_training_data(project)
    assert str(raised.value).startswith(f"{broken}:{at}: {complaint}")


def test_one_text_for_two_intents_names_both_places(project: Path) -> None:
    (project / "data" / "zz.yml").write_text("nlu:\n- intent: goodbye\n  examples: |\n    - Hallo\n", "utf-8")
    with pytest.raises(
        TrainingDataBroken, match=r"zz\.yml:4: stands for goodbye here and for greet in nlu_de\.yml:\d+"
    ):
        read_training_data(project)


def test_an_intent_without_examples_is_refused(project: Path) -> None:
    domain = project / "domain.yml"
    domain.write_text(domain.read_text("utf-8").replace("intents: [", "intents: [dance, "), "utf-8")
    with pytest.raises(TrainingDataBroken, match="no examples for dance"):
        read_training_data(project)


@pytest.mark.parametrize("name", ["config.yml", "domain.yml", "requirements.txt", "data/nlu_de.yml", "intent_model.py"])
def test_the_fingerprint_sees_every_file_a_model_depends_on(project: Path, name: str) -> None:
    before = fingerprint(project)
    with (project / name).open("a") as file:
        file.write("\n# changed\n")
    assert fingerprint(project) != before
