"""Reads a YAML file of settings so that everything wrong in it can be named with its line."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Key = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: the line to look at (None where no line is to blame), the setting, and what to do."""

    line: int | None
    key: str
    text: str

    def sentence(self, file: str) -> str:
        """It with its place in the file of this name."""
        return f"{file}{f' line {self.line}' if self.line else ''}: {self.text}"


class SettingsError(Exception):
    """The settings cannot be used. The text names file, line, setting and fix of every fault, one a line."""

    def __init__(self, file: str, faults: list[Fault]) -> None:
        self.file = file
        self.faults = sorted(faults, key=lambda fault: fault.line or 0)
        super().__init__("\n".join(fault.sentence(file) for fault in self.faults))


@dataclass
class ConfigFile:
    """What a file says: its values, the line each key stands on, and what is wrong already in its form."""

    name: str
    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[Key, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def line(self, key: Key) -> int | None:
        """The line of a setting, or of the nearest thing around it that stands in the file."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key)

    def blame(self, key: Key, text: str) -> None:
        """Note that something is wrong with a setting."""
        self.faults.append(self.fault(key, text))

    def fault(self, key: Key, text: str) -> Fault:
        """What is to be said of a setting, with its line."""
        return Fault(self.line(key), dotted(key), text)

    def scalars(self) -> Iterator[tuple[Key, Any]]:
        """Every single value with its key."""
        yield from _scalars(self.values, ())


def dotted(key: Key) -> str:
    """A key as people write it: `answering.max_wrong`."""
    return ".".join(map(str, key))


def read_config(path: Path) -> ConfigFile:
    """Read a file. Raises SettingsError when it is not there or is not YAML; other faults are in the result."""
    file = ConfigFile(path.name)
    try:
        root = yaml.compose(path.read_text("utf-8-sig"), Loader=_Loader)
    except OSError as error:
        raise _unreadable(path, error) from error
    except UnicodeDecodeError as error:
        text = "the file is not UTF-8 text; save it as UTF-8"
        raise SettingsError(path.name, [Fault(None, "", text)]) from error
    except yaml.YAMLError as error:
        raise SettingsError(path.name, [_broken(error)]) from error
    if isinstance(root, yaml.MappingNode):
        file.values = _mapping(root, (), file)
    elif root is not None:
        file.blame((), "the file must be a list of 'section:' lines with their settings indented below")
    return file


def _unreadable(path: Path, error: OSError) -> SettingsError:
    text = f"cannot be read ({error.strerror}); start Lotse in its own folder, or name the file with --config"
    return SettingsError(str(path), [Fault(None, "", text)])


def _broken(error: yaml.YAMLError) -> Fault:
    if not isinstance(error, yaml.MarkedYAMLError):
        return Fault(None, "", f"the file is not plain text ({error}); save it as UTF-8")
    mark, problem = error.problem_mark or error.context_mark, error.problem or error.context or ""
    line = mark.line + 1 if mark else None
    if r"'\t'" in problem:
        return Fault(line, "", "there is a tab; indent with spaces only")
    hint = "look at the indentation, at the space after each colon, and quote a value that holds ': ' or ' #'"
    return Fault(line, "", f"this is not YAML ({problem}); {hint}")


def _mapping(node: yaml.MappingNode, key: Key, file: ConfigFile) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name_node, value_node in node.value:
        name = _name(name_node)
        inner = (*key, name)
        line = name_node.start_mark.line + 1
        if name in values:
            text = f"{dotted(inner)} stands here again (first on line {file.lines[inner]}); keep one of the two"
            file.faults.append(Fault(line, dotted(inner), text))
            continue
        file.lines[inner] = line
        values[name] = _value(value_node, inner, file)
    return values


def _name(node: yaml.Node) -> str:
    """Keys are names, also `1:` and `on:`."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else "?"


def _value(node: yaml.Node, key: Key, file: ConfigFile) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, key, file)
    if isinstance(node, yaml.SequenceNode):
        file.lines |= {(*key, place): item.start_mark.line + 1 for place, item in enumerate(node.value)}
        return [_value(item, (*key, place), file) for place, item in enumerate(node.value)]
    if node.tag not in _PLAIN:
        file.blame(key, f"{dotted(key)}: tags such as {node.tag.replace('tag:yaml.org,2002:', '!!')} are not used here")
        return node.value
    return _PLAIN[node.tag](node.value)


def _scalars(value: Any, key: Key) -> Iterator[tuple[Key, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _scalars(inner, (*key, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _scalars(inner, (*key, place))
    else:
        yield key, value


class _Loader(yaml.SafeLoader):
    """YAML 1.2 scalars: with PyYAML's own, `17:00` is the number 1020 and the country `NO` is false."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - as in PyYAML


_TAG = "tag:yaml.org,2002:"
_PLAIN: Mapping[str, Any] = {
    f"{_TAG}null": lambda text: None,
    f"{_TAG}bool": lambda text: text.lower() == "true",
    f"{_TAG}int": int,
    f"{_TAG}float": float,
    f"{_TAG}str": str,
}
for _kind, _form in (
    ("null", r"~|null|Null|NULL|"),
    ("bool", r"true|True|TRUE|false|False|FALSE"),
    ("int", r"[-+]?(0|[1-9][0-9]*)"),
    ("float", r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?"),
):
    _Loader.add_implicit_resolver(f"{_TAG}{_kind}", re.compile(rf"^(?:{_form})$"), None)
