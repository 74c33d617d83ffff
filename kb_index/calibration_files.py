"""Calibrations as a file, to carry from one knowledge base to another."""

import json
from collections.abc import Mapping
from pathlib import Path

from kb_index.confidence import Fitted


class CalibrationFileError(ValueError):
    """A file that holds no calibration this Lotse can use."""


def read_calibration_file(path: Path) -> dict[str, Fitted]:
    """The calibrations in a file, by language. Raises CalibrationFileError, and OSError for a file out of reach."""
    try:
        data = json.loads(path.read_text("utf-8"))
        return {language: Fitted.from_json(one) for language, one in data["languages"].items()}
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise CalibrationFileError(f"{path} is no calibration; `lotse calibrate --out FILE` writes one") from error
    except ValueError as error:
        raise CalibrationFileError(f"{path}: {error}") from error


def write_calibration_file(path: Path, fitted: Mapping[str, Fitted]) -> None:
    """Write calibrations by language."""
    data = {"languages": {language: one.to_json() for language, one in fitted.items()}}
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", "utf-8")
