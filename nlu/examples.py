"""Reading and checking the training data that Rasa and the embedded understander share."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

PROJECT = Path(__file__).parent / "rasa"
"""The Rasa project that ships with Lotse: config.yml, domain.yml, requirements.txt and data/*.yml."""

_ANNOTATION = re.compile(r"\[([^\[\]]+)\]\(([^()]*)\)")


class TrainingDataBroken(ValueError):  # noqa: N818 - it is a state, and reads as one
    """The training data cannot be used; the text names file, line and what to change."""


@dataclass(frozen=True)
class Example:
    """One training message without its annotations; `source` is `file:line`."""

    text: str
    intent: str
    source: str


@dataclass
class TrainingData:
    """Everything under `data/`, as plain values.

    patterns: regular expressions per entity kind; lookups: words per entity kind; synonyms: lower-case word -> value.
    """

    examples: list[Example] = field(default_factory=list)
    patterns: dict[str, list[str]] = field(default_factory=dict)
    lookups: dict[str, list[str]] = field(default_factory=dict)
    synonyms: dict[str, str] = field(default_factory=dict)


def read_training_data(project: Path = PROJECT) -> TrainingData:
    """Read and check a Rasa project. Raises TrainingDataBroken."""
    domain = _read_domain(project / "domain.yml")
    data = TrainingData()
    for path in sorted((project / "data").glob("*.yml")):
        for block, line in _blocks(path):
            _add_block(data, domain, path, block, line)
    _refuse_contradictions(data.examples)
    _refuse_unused_intents(domain["intents"], data.examples, project)
    return data


def fingerprint(project: Path = PROJECT) -> str:
    """16 hex digits that change whenever a new model is needed: config, domain, data, our
    component or the Rasa version."""
    digest = hashlib.sha256()
    paths = [project / "config.yml", project / "domain.yml", project / "requirements.txt"]
    for path in [*paths, *sorted(project.glob("*.py")), *sorted((project / "data").glob("*.yml"))]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def fallback_thresholds(project: Path = PROJECT) -> tuple[float, float]:
    """Smallest confidence, and smallest lead over the second intent, that `config.yml` asks of an intent."""
    pipeline = yaml.safe_load((project / "config.yml").read_text("utf-8"))["pipeline"]
    fallback = next(step for step in pipeline if step["name"] == "FallbackClassifier")
    return float(fallback["threshold"]), float(fallback["ambiguity_threshold"])


def _read_domain(path: Path) -> dict[str, set[str]]:
    try:
        domain = yaml.safe_load(path.read_text("utf-8"))
        return {"intents": set(domain["intents"]), "entities": set(domain["entities"])}
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise TrainingDataBroken(f"{path}: no readable domain with intents and entities ({error})") from error


def _blocks(path: Path) -> Iterator[tuple[dict[str, str], int]]:
    """Each entry of the `nlu:` list as a flat mapping, with the line its first example stands on."""
    try:
        root = yaml.compose(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingDataBroken(f"{path}: cannot be read ({error})") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise TrainingDataBroken(f"{path}:{line}: not valid YAML, {error.problem}") from error
    for entry in _entries(path, root):
        yield from _flat(path, entry)


def _entries(path: Path, root: yaml.Node | None) -> list[yaml.Node]:
    for key, value in root.value if isinstance(root, yaml.MappingNode) else []:
        if key.value == "nlu" and isinstance(value, yaml.SequenceNode):
            return list(value.value)
    raise TrainingDataBroken(f"{path}:1: needs a list under the key nlu")


def _flat(path: Path, entry: yaml.Node) -> Iterator[tuple[dict[str, str], int]]:
    line = entry.start_mark.line + 1
    if not isinstance(entry, yaml.MappingNode):
        raise TrainingDataBroken(f"{path}:{line}: an entry needs a kind (intent, regex, lookup, synonym) and examples")
    block = {key.value: value.value for key, value in entry.value}
    examples = next((value for key, value in entry.value if key.value == "examples"), None)
    if not isinstance(examples, yaml.ScalarNode) or examples.style != "|":
        raise TrainingDataBroken(f"{path}:{line}: examples must be a block of lines (examples: |)")
    yield block, examples.start_mark.line + 2


def _add_block(data: TrainingData, domain: dict[str, set[str]], path: Path, block: dict[str, str], line: int) -> None:
    items = list(_items(path, block["examples"], line))
    if "intent" in block:
        if block["intent"] not in domain["intents"]:
            raise TrainingDataBroken(f"{path}:{line - 2}: intent {block['intent']!r} is not in domain.yml")
        data.examples += [_example(path, block["intent"], item, at, domain["entities"]) for item, at in items]
    elif "regex" in block:
        data.patterns.setdefault(block["regex"], []).extend(_checked_pattern(path, item, at) for item, at in items)
    elif "lookup" in block:
        data.lookups.setdefault(block["lookup"], []).extend(item for item, _ in items)
    elif "synonym" in block:
        data.synonyms.update({item.lower(): block["synonym"] for item, _ in items})
    else:
        raise TrainingDataBroken(f"{path}:{line - 2}: an entry is an intent, a regex, a lookup or a synonym")


def _items(path: Path, examples: str, line: int) -> Iterator[tuple[str, int]]:
    for offset, item in enumerate(examples.splitlines()):
        if not item.strip():
            continue
        if not item.startswith("- ") or not item[2:].strip():
            raise TrainingDataBroken(f"{path}:{line + offset}: an example starts with '- ' and has text")
        yield item[2:].strip(), line + offset


def _example(path: Path, intent: str, item: str, line: int, entities: set[str]) -> Example:
    for annotation in _ANNOTATION.finditer(item):
        if annotation[2] not in entities:
            raise TrainingDataBroken(f"{path}:{line}: entity {annotation[2]!r} is not in domain.yml")
    if "](" in _ANNOTATION.sub("", item):
        raise TrainingDataBroken(f"{path}:{line}: an annotation is written [text](entity)")
    return Example(_ANNOTATION.sub(r"\1", item), intent, f"{path.name}:{line}")


def _checked_pattern(path: Path, pattern: str, line: int) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise TrainingDataBroken(f"{path}:{line}: not a regular expression ({error})") from error
    return pattern


def _refuse_contradictions(examples: list[Example]) -> None:
    seen: dict[str, Example] = {}
    for example in examples:
        other = seen.setdefault(example.text.casefold(), example)
        if other.intent != example.intent:
            raise TrainingDataBroken(
                f"{example.source}: stands for {example.intent} here and for {other.intent} in {other.source}; keep one"
            )


def _refuse_unused_intents(intents: set[str], examples: list[Example], project: Path) -> None:
    if missing := intents - {example.intent for example in examples}:
        raise TrainingDataBroken(f"{project / 'domain.yml'}: no examples for {', '.join(sorted(missing))}")
