"""Pictures of an evaluation: they are well-formed, labelled and hold the numbers."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from kb_index.evaluation import Judged, Question, measure
from kb_index.pictures import nice_top, ticks, write_pictures

SVG = "{http://www.w3.org/2000/svg}"


def report(wrong_every: int = 3) -> dict[str, Any]:
    """Thirty questions; the surer half is answered."""
    asked = [Question(f"q{n}", "?", "de", frozenset({"a"})) for n in range(30)]
    found = [
        Judged(q, ("b" if n % wrong_every == 0 else "a",), n / 30, 1.0, {"0.1": "answer" if n >= 15 else "hand_over"})
        for n, q in enumerate(asked)
    ]
    return measure(found, [0.1])


def texts_of(file: Path) -> list[str]:
    return [element.text or "" for element in ET.parse(file).iter(f"{SVG}text")]  # noqa: S314 - drawn a moment ago


def test_each_language_has_both_pictures_with_named_axes(tmp_path: Path) -> None:
    coverage, reliability = write_pictures(report(), tmp_path / "new" / "folder")
    assert (coverage.name, reliability.name) == ("risk-coverage-de.svg", "reliability-de.svg")
    assert {"questions answered", "wrong answers", "10% may be wrong", "100%"} <= set(texts_of(coverage))
    assert {"probability said", "share that was right", "100%"} <= set(texts_of(reliability))


def test_a_dot_stands_where_the_threshold_stops_and_tells_it(tmp_path: Path) -> None:
    coverage, _ = write_pictures(report(), tmp_path)
    (dot,) = ET.parse(coverage).iter(f"{SVG}circle")  # noqa: S314
    assert dot[0].text == "at 10%: 50% answered"
    assert float(dot.attrib["cx"]) == pytest.approx((64 + 460) / 2)
    assert float(dot.attrib["cy"]) == pytest.approx(304 - (304 - 52) * (5 / 15) / 0.4, abs=0.1)


def test_every_tenth_that_was_said_has_a_dot_with_its_interval(tmp_path: Path) -> None:
    _, reliability = write_pictures(report(), tmp_path)
    tree = ET.parse(reliability)  # noqa: S314
    assert len(list(tree.iter(f"{SVG}circle"))) == 10
    assert len([path for path in tree.iter(f"{SVG}path") if path.attrib["class"] == "whisker"]) == 10


def test_both_schemes_are_drawn(tmp_path: Path) -> None:
    drawn = write_pictures(report(), tmp_path)[0].read_text("utf-8")
    assert "prefers-color-scheme: dark" in drawn


@pytest.mark.parametrize(("highest", "risk", "top"), [(0.0, "0.05", 0.2), (0.41, "0.1", 0.6), (1.0, "0.1", 1.0)])
def test_the_axis_ends_above_what_is_drawn(highest: float, risk: str, top: float) -> None:
    assert nice_top(highest, [risk]) == top
    assert nice_top(0.1, ["0.9"]) == 1.0


def test_ticks_are_round() -> None:
    assert ticks(0.2) == [0, 0.05, 0.1, 0.15, 0.2]
    assert ticks(0.6) == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert ticks(1.0) == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
