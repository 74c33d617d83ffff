"""Exported models: what makes one, what is refused, and that half of one is never seen."""

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kb_index.embedder import DEFAULT_CACHE, export_folder, load_embedder
from kb_index.export import BLOCK, LEAST_COSINE, NotExportable, in_blocks, put_in_place, require_near, sentences
from kb_index.model_files import DEFAULT_MODEL, DEFAULT_WEIGHTS, Source, fingerprint_of, why_not_exportable
from kb_index.onnx_embedder import (
    GRAPH,
    MANIFEST,
    QUALITY,
    TOKENIZER,
    DamagedExport,
    Manifest,
    read_manifest,
    sha256_of,
)

MODULES = [{"path": "", "type": "a.Transformer"}, {"path": "1_Pooling", "type": "a.Pooling"}, {"type": "a.Normalize"}]
MEAN = {"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}


def made_export(folder: Path, graph: str = "graph") -> Path:
    """A folder like that of an export, with little in it."""
    folder.mkdir(parents=True)
    (folder / GRAPH).write_text(graph)
    (folder / TOKENIZER).write_text("tokenizer")
    Manifest("model/int8", "source", 4, 8, {name: sha256_of(folder / name) for name in (GRAPH, TOKENIZER)}).write(
        folder
    )
    return folder


def made_model(folder: Path, **changes: Any) -> Path:
    """The settings of a model that can be exported; changes: other content by file, None for no such file."""
    plain: dict[str, Any] = {
        "modules.json": MODULES,
        "config.json": {"model_type": "bert"},
        "1_Pooling/config.json": MEAN,
        "tokenizer.json": {},
        "model.safetensors": "weights",
    }
    for name, content in (plain | changes).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if content is not None:
            (folder / name).write_text(json.dumps(content))
    return folder


def test_finished_export_is_put_in_place(tmp_path: Path) -> None:
    put_in_place(made_export(tmp_path / "temporary" / "model"), tmp_path / "model")
    assert read_manifest(tmp_path / "model").name == "model/int8"


def test_sound_export_that_is_there_already_stays(tmp_path: Path) -> None:
    there = made_export(tmp_path / "model", "first")
    put_in_place(made_export(tmp_path / "temporary" / "model", "second"), there)
    assert (there / GRAPH).read_text() == "first"
    assert read_manifest(there)


def test_damaged_export_is_replaced(tmp_path: Path) -> None:
    there = made_export(tmp_path / "model", "first")
    (there / GRAPH).write_text("scratched")
    put_in_place(made_export(tmp_path / "temporary" / "model", "second"), there)
    assert (there / GRAPH).read_text() == "second"
    assert read_manifest(there)


@pytest.mark.parametrize("before", ["nothing", "damaged"])
def test_processes_that_finish_at_once_leave_one_sound_export(tmp_path: Path, before: str) -> None:
    there = tmp_path / "model"
    if before == "damaged":
        made_export(there)
        (there / MANIFEST).unlink()
    made = [made_export(tmp_path / f"temporary-{n}" / "model", f"graph {n}") for n in range(8)]
    start, failed = threading.Barrier(8), []

    def finish(one: Path) -> None:
        start.wait()
        try:
            put_in_place(one, there)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            failed.append(error)

    threads = [threading.Thread(target=finish, args=(one,)) for one in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert (there / GRAPH).read_text().startswith("graph ")
    assert read_manifest(there)


def test_export_that_is_missing_is_not_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no exported model"):
        read_manifest(tmp_path / "model")


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        (GRAPH, "gra", r"is damaged: model\.onnx changed"),
        (TOKENIZER, "", r"is damaged: tokenizer\.json changed"),
        (GRAPH, None, "cannot be read"),
        (MANIFEST, None, "cannot be read"),
        (MANIFEST, "{", "cannot be read"),
        (MANIFEST, "[]", "cannot be read"),
        (MANIFEST, '{"name": "x"}', "cannot be read"),
        (MANIFEST, '{"name":"x","source":"x","dimension":1,"max_tokens":1,"files":{},"format":0}', "another version"),
    ],
)
def test_damaged_export_is_noticed(tmp_path: Path, file: str, content: str | None, said: str) -> None:
    folder = made_export(tmp_path / "model")
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_text(content)
    with pytest.raises(DamagedExport, match=said):
        read_manifest(folder)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"modules.json": MODULES[:2]}, None),
        ({"1_Pooling/config.json": {"pooling_mode": "mean"}}, None),
        ({"modules.json": [*MODULES, {"type": "a.Dense"}]}, "its modules are Transformer, Pooling, Normalize, Dense"),
        ({"modules.json": None}, "its modules are not named"),
        ({"1_Pooling/config.json": {"pooling_mode": "cls"}}, "its pooling is cls, not the mean"),
        ({"1_Pooling/config.json": MEAN | {"pooling_mode_max_tokens": True}}, "its pooling is"),
        ({"config.json": {"auto_map": {"AutoModel": "x.y"}}}, "it brings code of its own along"),
        ({"config_sentence_transformers.json": {"default_prompt_name": "query"}}, "it puts a prompt before each text"),
        ({"sentence_bert_config.json": {"do_lower_case": True}}, "its texts are made lower case outside"),
        ({"tokenizer.json": None}, "it has no tokenizer.json"),
    ],
)
def test_reason_against_an_export_is_found(tmp_path: Path, changes: dict[str, Any], reason: str | None) -> None:
    found = why_not_exportable(made_model(tmp_path, **changes))
    assert found is None if reason is None else found is not None and found.startswith(reason)


def test_fingerprint_follows_what_decides_the_vectors(tmp_path: Path) -> None:
    model = made_model(tmp_path / "a")
    first = fingerprint_of(model)
    assert fingerprint_of(made_model(tmp_path / "b")) == first
    (model / "README.md").write_text("about it")
    (model / "pytorch_model.bin").write_text("the same weights once more")
    assert fingerprint_of(model) == first
    changed = {
        fingerprint_of(made_model(tmp_path / "c", **{name: {"other": 1}}))
        for name in ("model.safetensors", "tokenizer.json", "1_Pooling/config.json")
    }
    assert len(changed | {first}) == 4
    assert Source("model", model, first).int8_name == f"model@{first[:12]}/int8"


def test_old_weights_count_where_there_are_no_others(tmp_path: Path) -> None:
    model = made_model(tmp_path, **{"model.safetensors": None, "pytorch_model.bin": "weights"})
    first = fingerprint_of(model)
    (model / "pytorch_model.bin").write_text("other weights")
    assert fingerprint_of(model) != first


def test_weights_in_blocks_are_nearly_the_weights() -> None:
    weights = np.random.default_rng(1).standard_normal((3 * BLOCK, 5)).astype(np.float32)
    weights[:BLOCK, 2] = 0
    codes, scales = in_blocks(weights)
    assert codes.shape == (5, 3, BLOCK)
    back = ((codes.astype(np.float32) - 128) * scales.reshape(5, 3, 1)).reshape(5, 3 * BLOCK).T
    steps = np.repeat(scales.reshape(5, 3), BLOCK, axis=1).T
    assert (np.abs(back - weights) <= steps / 2 + 1e-6).all()


def test_export_that_is_another_model_is_refused() -> None:
    require_near({"mean_cosine": LEAST_COSINE})
    with pytest.raises(NotExportable, match=r"cosine 0\.9 in the mean"):
        require_near({"mean_cosine": 0.9})


def test_sentences_are_in_both_languages_and_of_every_length() -> None:
    texts = list(sentences())
    assert any("Kennwort" in text for text in texts)
    assert any("password" in text for text in texts)
    assert len(set(texts)) == len(texts) > 50
    assert min(map(len, texts)) < 30
    assert len(texts[-1].split()) > 256


@pytest.mark.real
def test_quality_is_kept_beside_the_model() -> None:
    load_embedder()
    folder = export_folder(DEFAULT_CACHE, DEFAULT_MODEL, DEFAULT_WEIGHTS)
    quality = json.loads((folder / QUALITY).read_text())
    assert quality["mean_cosine"] > 0.998
    assert quality["least_cosine"] > 0.995
    assert quality["same_nearest"] > 0.9
    assert quality["source_sha256"] == DEFAULT_WEIGHTS
    assert set(quality["versions"]) >= {"torch", "onnxruntime", "tokenizers"}
    assert sorted(path.name for path in folder.iterdir()) == sorted([GRAPH, TOKENIZER, MANIFEST, QUALITY])
