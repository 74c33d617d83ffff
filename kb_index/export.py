"""Makes an int8 ONNX model of a sentence-transformers model: `python -m kb_index.export [MODEL] FOLDER`.

FOLDER then holds the graph, the tokenizer, a manifest, and quality.json: how near its vectors are to those of torch.
It appears in one step, complete; any number of processes may do this at once. Exit codes: 0 done, 3 the model cannot be
exported (the reason is the last line on standard error), 1 something else was in the way.
"""

import contextlib
import fcntl
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kb_index.embedder import NOT_EXPORTABLE, load_model
from kb_index.model_files import Source, find_source, why_not_exportable
from kb_index.onnx_embedder import (
    GRAPH,
    QUALITY,
    TOKENIZER,
    DamagedExport,
    Manifest,
    OnnxEmbedder,
    read_manifest,
    sha256_of,
)
from kb_index.port import Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

LEAST_COSINE = 0.98  # mean between int8 and torch; below, the int8 model is another model
BLOCK = 128  # weights that share a scale
OPSET = 17
CONTRIB = "com.microsoft"
ACTIVATIONS_INT8 = 4
PACKAGES = ("torch", "sentence-transformers", "transformers", "onnx", "onnxruntime", "tokenizers")


class NotExportable(RuntimeError):  # noqa: N818 - it is a finding
    """The model can only run in torch."""


def main() -> None:
    """Export as the command line says."""
    *name, folder = sys.argv[1:]
    try:
        export(find_source(name[0] if name else None), Path(folder))
    except NotExportable as error:
        print(error, file=sys.stderr)  # noqa: T201 - the parent process reads it
        sys.exit(NOT_EXPORTABLE)


def export(source: Source, folder: Path) -> None:
    """Make the folder, unless it is there and sound. Raises NotExportable, or OSError when it cannot be written."""
    if reason := why_not_exportable(source.path):
        raise NotExportable(reason)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as name:
        made = Path(name) / folder.name
        made.mkdir()
        write_files(source, made)
        put_in_place(made, folder)


def put_in_place(made: Path, folder: Path) -> None:
    """Move a finished export to where it belongs; a sound one that another process has put there meanwhile stays."""
    with alone_in(folder.parent):
        with contextlib.suppress(DamagedExport, FileNotFoundError):
            read_manifest(folder)
            return
        if folder.exists():  # a folder with content cannot be renamed over
            folder.rename(made.with_name("damaged"))
        made.rename(folder)


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """One process at a time; the others wait."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)  # until it is closed
        yield
    finally:
        os.close(handle)


def write_files(source: Source, folder: Path) -> None:
    """Everything an exported model consists of."""
    model = load_model(str(source.path), threads=1)
    whole = folder / "fp32.onnx"
    try:
        write_graph(model, whole)
        quantize(whole, folder / GRAPH)
    except Exception as error:
        if isinstance(error, OSError | MemoryError | NotExportable):
            raise
        raise NotExportable(f"{type(error).__name__} while its graph was written") from error
    whole.unlink()
    model.tokenizer.backend_tokenizer.save(str(folder / TOKENIZER))
    hashes = {name: sha256_of(folder / name) for name in (GRAPH, TOKENIZER)}
    dimension = int(model.get_embedding_dimension() or 0)
    Manifest(source.int8_name, source.fingerprint, dimension, max_tokens(model), hashes).write(folder)
    quality = measure(model, OnnxEmbedder(folder, workers=1))
    require_near(quality)
    about = {"source_sha256": source.fingerprint, "made": datetime.now(UTC).date().isoformat()}
    versions = {name: version(name) for name in PACKAGES}
    (folder / QUALITY).write_text(json.dumps({**quality, **about, "versions": versions}, indent=1) + "\n", "utf-8")


def max_tokens(model: "SentenceTransformer") -> int:
    """Tokens the model reads of a text. Raises NotExportable when it does not say so."""
    found = model.max_seq_length
    if not found:
        raise NotExportable("it does not say how many tokens it reads")
    return int(found)


def write_graph(model: "SentenceTransformer", path: Path) -> None:
    """The model as ONNX: `input_ids` of shape (1, tokens) in, a vector of length 1, shape (1, dimension), out."""
    import torch  # noqa: PLC0415

    transformer: Any = model.transformers_model
    if transformer is None:
        raise NotExportable("it has no transformer")

    class Whole(torch.nn.Module):
        """Transformer, mean and length in one: texts go in one by one, so that there is nothing to mask."""

        def __init__(self) -> None:
            super().__init__()
            self.transformer = transformer

        def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
            states = self.transformer(input_ids=input_ids, attention_mask=torch.ones_like(input_ids))
            return torch.nn.functional.normalize(states.last_hidden_state.mean(dim=1), dim=1)

    usual = transformer.config._attn_implementation
    transformer.set_attn_implementation("eager")  # the fused one is traced with branches
    try:
        torch.onnx.export(
            Whole().eval(),
            (torch.randint(5, 100, (1, 7)),),
            str(path),
            input_names=["input_ids"],
            output_names=["vector"],
            dynamic_axes={"input_ids": {1: "tokens"}},
            opset_version=OPSET,
            dynamo=False,  # the newer exporter wants onnxscript, one more dependency
        )
    finally:
        transformer.set_attn_implementation(usual)


def quantize(whole: Path, target: Path) -> None:
    """Weights as int8 in blocks of 128, each with its scale; ONNX Runtime multiplies them with activations in int8.

    Not onnxruntime.quantization.quantize_dynamic: one scale for all activations of a text loses ten times as much
    (docs/decisions/0011), and without VNNI its sums overflow. The word embeddings stay fp32: they are only looked up.
    """
    import onnx  # noqa: PLC0415
    from onnx import helper, numpy_helper  # noqa: PLC0415

    model = onnx.load(str(whole))
    weights = {one.name: one for one in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type != "MatMul" or node.input[1] not in weights:
            continue
        activations, name = node.input
        whole_weights = numpy_helper.to_array(weights[name])
        depth, width = whole_weights.shape
        if depth % BLOCK:
            continue
        codes, scales = in_blocks(whole_weights)
        model.graph.initializer.remove(weights.pop(name))
        model.graph.initializer.extend(
            [numpy_helper.from_array(codes, f"{name}_codes"), numpy_helper.from_array(scales, f"{name}_scales")]
        )
        attributes = {"K": depth, "N": width, "bits": 8, "block_size": BLOCK, "accuracy_level": ACTIVATIONS_INT8}
        node.CopyFrom(
            helper.make_node(
                "MatMulNBits",
                [activations, f"{name}_codes", f"{name}_scales"],
                list(node.output),
                node.name,
                domain=CONTRIB,
                **attributes,
            )
        )
    model.opset_import.append(helper.make_opsetid(CONTRIB, 1))
    onnx.save(model, str(target))


def in_blocks(weights: Vectors) -> tuple[Any, Vectors]:
    """Weights of shape (depth, width) as MatMulNBits wants them: uint8 (width, blocks, BLOCK), and scales."""
    depth, width = weights.shape
    blocks = weights.T.reshape(width, depth // BLOCK, BLOCK)
    scales = np.maximum(np.abs(blocks).max(axis=2), 1e-12) / 127
    codes = (np.rint(blocks / scales[..., None]) + 128).astype(np.uint8)
    return codes, scales.reshape(-1).astype(np.float32)


def measure(model: "SentenceTransformer", embedder: OnnxEmbedder) -> dict[str, Any]:
    """How near the exported model's vectors are to torch's, on the project's own sentences."""
    texts = list(sentences())
    ours = embedder.embed_passages(texts)
    theirs = np.asarray(model.encode(texts, normalize_embeddings=True, show_progress_bar=False), np.float32)
    cosines = (ours * theirs).sum(axis=1)
    agreeing = nearest_other(ours) == nearest_other(theirs)
    return {
        "sentences": len(texts),
        "mean_cosine": round(float(cosines.mean()), 5),
        "least_cosine": round(float(cosines.min()), 5),
        "same_nearest": round(float(agreeing.mean()), 3),
    }


def require_near(quality: Mapping[str, Any]) -> None:
    """Raises NotExportable for an int8 model that is another model."""
    if quality["mean_cosine"] < LEAST_COSINE:
        raise NotExportable(f"its int8 vectors are too far from its own: cosine {quality['mean_cosine']} in the mean")


def nearest_other(vectors: Vectors) -> Any:
    """For each row the number of the row most like it, shape (n,)."""
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -2)
    return alike.argmax(axis=1)


def sentences() -> Iterator[str]:
    """The sentences an export is checked on, German and English; the last one is longer than any model reads."""
    lines = files("kb_index").joinpath("export_sentences.txt").read_text("utf-8").splitlines()
    yield from lines
    yield " ".join(lines)


if __name__ == "__main__":
    main()
