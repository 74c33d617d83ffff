"""Says what is wrong with a setting and how to put it right, in words for the person who wrote it."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from types import UnionType
from typing import Any, Union, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from bot.config_file import ConfigFile, Key, dotted

VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
SECRETS = re.compile(r"xox[a-z]-|xapp-|gh[pousr]_|github_pat_|sk-[\w-]{16}|AKIA[A-Z0-9]{16}|eyJ[\w-]{10,}\.|-----BEGIN")
SECRET_NAMES = ("password", "passwort", "secret", "token", "api_key")

WORDS: Mapping[str, str] = {
    "bool": "must be true or false",
    "int": "must be a whole number",
    "float": "must be a number, with a point as in 0.05",
    "finite": "must be a number",
    "string": "must be text; put quotes around it",
    "path": "must be a path",
    "tuple": "must be a list: [one, two]",
    "zoneinfo": "is no time zone; write one such as Europe/Berlin",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
    "too_short": "must not be empty",
    "literal": "must be {expected}",
    "value": "{error}",
}


def blame_all(file: ConfigFile, error: ValidationError, model: type[BaseModel]) -> None:
    """Note every fault pydantic found, with its line and its fix."""
    for found in error.errors(include_url=False):
        if found["type"] == "default_factory_not_called":  # what it depends on is wrong, and is told
            continue
        key = tuple(part for part in found["loc"] if part != "[key]")
        file.blame(key, explain(key, found["type"], found["input"], found.get("ctx", {}), model))


def explain(key: Key, kind: str, value: Any, context: Mapping[str, Any], model: type[BaseModel]) -> str:
    """One fault as a sentence that begins with the setting."""
    name = dotted(key)
    if kind == "extra_forbidden":
        return f"{name} is not a setting{_hint(key, model)}"
    if kind == "missing":
        return f"{name} is missing; add it, indented below {dotted(key[:-1])}"
    if kind in {"model_type", "dict_type"}:
        return f"{name} must be a section: its settings stand below it, indented, each as 'name: value'"
    words = WORDS.get(kind) or WORDS.get(kind.partition("_")[0], "has a value that cannot be used")
    sentence = f"{name}{_quoted(key, value)} {words.format(**context)}"
    return sentence + (_nearest(value, context["expected"]) if kind == "literal_error" else "")


def blame_secrets(file: ConfigFile, environ: Mapping[str, str]) -> None:
    """Note every secret that stands in the file, and every variable that is named and not set."""
    for key, value in file.scalars():
        if str(key[-1]).endswith("_env"):
            _blame_variable(file, key, value, environ)
        elif looks_secret(value):
            text = "holds a secret; take it out of the file, and treat it as known to others"
            file.blame(key, f"{dotted(key)} {text}{_secret_way(key)}")


def looks_secret(value: Any) -> bool:
    """Whether a value is shaped like a token, a private key, or an address with a password in it."""
    if not isinstance(value, str):
        return False
    try:
        return bool(SECRETS.search(value) or ("://" in value and urlsplit(value).password))
    except ValueError:  # not an address after all
        return False


def setting_names(model: type[BaseModel], key: tuple[str, ...] = ()) -> Iterator[str]:
    """Every setting by its full name, `answering.max_wrong`; free tables (queues, hours) count as one."""
    for name, field in model.model_fields.items():
        section = _section(field.annotation)
        if section and get_origin(field.annotation) is None:
            yield from setting_names(section, (*key, name))
        else:
            yield dotted((*key, name))


def _blame_variable(file: ConfigFile, key: Key, value: Any, environ: Mapping[str, str]) -> None:
    if value is None:
        return
    if not isinstance(value, str) or not VARIABLE.fullmatch(value) or looks_secret(value):
        text = "must be the name of an environment variable, never the secret itself; for example"
        file.blame(key, f"{dotted(key)} {text} {dotted(key)}: {_variable(key)}")
    elif not environ.get(value):
        way = f"before starting Lotse: export {value}='...'"
        file.blame(key, f"{dotted(key)} names the variable {value}, which is not set or empty; {way}")


def _secret_way(key: Key) -> str:
    if key == ("database", "url"):
        return ". Leave the password out of the address and name its variable: password_env: LOTSE_DATABASE_PASSWORD"
    return ". Secrets are given as environment variables, named by the settings that end in _env"


def _variable(key: Key) -> str:
    return f"LOTSE_{'_'.join(map(str, key)).removesuffix('_env').upper()}"


def _hint(key: Key, model: type[BaseModel]) -> str:
    """What was probably meant: a setting of the same section, or one of that name elsewhere."""
    name, section = str(key[-1]), _model_at(model, key[:-1])
    known = list(section.model_fields) if section else []
    close = difflib.get_close_matches(name, known, n=1)
    elsewhere = [full for full in setting_names(model) if full.rpartition(".")[2] == name]
    if close or elsewhere:
        return f"; did you mean {close[0] if close else elsewhere[0]}?"
    if any(word in name.lower() for word in SECRET_NAMES):
        return "; secrets are given as environment variables, named by the settings that end in _env"
    far = difflib.get_close_matches(dotted(key), list(setting_names(model)), n=1, cutoff=0.75)
    return f"; did you mean {far[0]}?" if far else f"; known here: {', '.join(known)}"


def _model_at(model: type[BaseModel], key: Key) -> type[BaseModel] | None:
    """The section a key leads to, through tables and lists."""
    annotation: Any = model
    for part in key:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            field = annotation.model_fields.get(str(part))
            annotation = field.annotation if field else None
        else:
            annotation = (*get_args(annotation), None)[-2 if get_args(annotation) else 0]
    return _section(annotation)


def _section(annotation: Any) -> type[BaseModel] | None:
    if get_origin(annotation) in {Union, UnionType}:
        return next(filter(None, map(_section, get_args(annotation))), None)
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _quoted(key: Key, value: Any) -> str:
    """The value as it was written, where it is short and can be no secret."""
    plain = isinstance(value, str | int | float) and len(str(value)) <= 30 and not looks_secret(value)
    return f" is '{value}', but" if plain and not str(key[-1]).endswith("_env") else ""


def _nearest(value: Any, expected: str) -> str:
    return suggest(str(value).lower(), re.findall(r"'([^']*)'", expected))


def suggest(name: str, known: Iterable[str]) -> str:
    """`; did you mean x?`, or nothing where nothing is near."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
