"""Draws an evaluation as SVG: readable in light and dark, without any library."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

WIDTH, HEIGHT = 480, 368
LEFT, TOP, RIGHT, BOTTOM = 64, 52, 460, 304
STYLE = """
 .paper { fill: #ffffff } .ink { fill: #1f2328 } .grid { stroke: #d8dee4 } .frame { stroke: #57606a; fill: none }
 .line { stroke: #0969da; fill: none; stroke-width: 2 } .dot { fill: #0969da } .whisker { stroke: #0969da }
 .ideal { stroke: #57606a; stroke-dasharray: 4 4; fill: none } .risk { stroke: #bc4c00; stroke-dasharray: 6 3 }
 .warm { fill: #bc4c00; stroke: #ffffff } .soft { fill: #57606a }
 text { font: 12px system-ui, sans-serif } .title { font-size: 14px }
 .warm { stroke-width: 3; paint-order: stroke }
 @media (prefers-color-scheme: dark) {
  .paper { fill: #0d1117 } .ink { fill: #e6edf3 } .grid { stroke: #30363d } .frame { stroke: #8b949e }
  .line, .whisker { stroke: #58a6ff } .dot { fill: #58a6ff } .ideal { stroke: #8b949e } .risk { stroke: #f0883e }
  .warm { fill: #f0883e; stroke: #0d1117 } .soft { fill: #8b949e }
 }"""
LANGUAGES = {"de": "German", "en": "English"}


def write_pictures(report: Mapping[str, Any], folder: Path) -> list[Path]:
    """Both pictures of every language of a report (see `evaluation.measure`). Returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for language, measures in report["languages"].items():
        name = LANGUAGES.get(language, language)
        pictures = {
            "risk-coverage": draw_risk_coverage(name, measures, report["risks"]),
            "reliability": draw_reliability(name, measures),
        }
        for sort, picture in pictures.items():
            written.append(folder / f"{sort}-{language}.svg")
            written[-1].write_text(picture, "utf-8")
    return written


def draw_risk_coverage(name: str, measures: Mapping[str, Any], risks: Sequence[str]) -> str:
    """How many answers would be wrong, when more and more questions are answered."""
    curve = measures["risk_coverage"]
    top = nice_top(max((point["wrong"] for point in curve), default=0.0), risks)
    plot = Plot(f"{name}: wrong answers, by how much is answered", "questions answered", "wrong answers", top)
    for risk in risks:
        plot.level(float(risk), f"{float(risk):.0%} may be wrong")
    plot.line((point["answered"], point["wrong"]) for point in curve)
    for risk in risks:
        if measures[f"answered@{risk}"]:
            told = f"at {float(risk):.0%}: {measures[f'answered@{risk}']:.0%} answered"
            plot.dot(measures[f"answered@{risk}"], measures[f"wrong@{risk}"], told)
    return plot.finished(f"{measures['n']} questions, the surest first. Dots: where the thresholds stop.")


def draw_reliability(name: str, measures: Mapping[str, Any]) -> str:
    """Whether what is said to be 80 % sure is right 80 times in 100."""
    plot = Plot(
        f"{name}: how sure Lotse is, and how often it is right", "probability said", "share that was right", 1.0
    )
    plot.line([(0.0, 0.0), (1.0, 1.0)], "ideal")
    for group in measures["reliability"]:
        low, high = group["interval"]
        told = f"{group['n']} questions: said {group['said']:.0%}, right {group['true']:.0%}"
        plot.whisker(group["said"], low, high)
        plot.dot(group["said"], group["true"], told)
    plot.line((group["said"], group["true"]) for group in measures["reliability"])
    return plot.finished(f"{measures['n']} questions, by tenths; bars: 95 % intervals. Dashed: said as it is.")


def nice_top(highest: float, risks: Sequence[str]) -> float:
    """The end of an axis, in steps of 20 %."""
    wanted = max([highest, *(1.5 * float(risk) for risk in risks)])
    return min(1.0, next(top / 10 for top in (2, 4, 6, 8, 10) if top / 10 >= min(1.0, wanted)))


def ticks(top: float) -> list[float]:
    """Four to six round values from 0 to the end of an axis."""
    step = next(step for step in (5, 10, 20) if top * 100 / step <= 6)
    return [value / 100 for value in range(0, round(top * 100) + 1, step)]


class Plot:
    """A frame with two axes in percent: across 0 to 1, up 0 to `top`."""

    def __init__(self, title: str, across: str, up: str, top: float) -> None:
        self.title = title
        self.top = top
        self.parts = [text(LEFT, 24, title, "ink title"), *self._grid()]
        self.parts.append(text((LEFT + RIGHT) / 2, BOTTOM + 34, across, "ink", "middle"))
        self.parts.append(text(LEFT - 40, TOP - 10, up, "ink"))

    def _grid(self) -> Iterable[str]:
        for x in ticks(1.0):
            yield f'<path class="grid" d="M{self.x(x):.1f} {TOP}V{BOTTOM}"/>'
            yield text(self.x(x), BOTTOM + 16, f"{x:.0%}", "soft", "middle")
        for y in ticks(self.top):
            yield f'<path class="grid" d="M{LEFT} {self.y(y):.1f}H{RIGHT}"/>'
            yield text(LEFT - 6, self.y(y) + 4, f"{y:.0%}", "soft", "end")
        yield f'<rect class="frame" x="{LEFT}" y="{TOP}" width="{RIGHT - LEFT}" height="{BOTTOM - TOP}"/>'

    def x(self, value: float) -> float:
        return LEFT + (RIGHT - LEFT) * value

    def y(self, value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * min(value, self.top) / self.top

    def line(self, points: Iterable[tuple[float, float]], kind: str = "line") -> None:
        """A line through these points."""
        path = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
        self.parts.append(f'<polyline class="{kind}" points="{path}"/>')

    def level(self, value: float, label: str) -> None:
        """A dashed line across, with its name at the right."""
        self.parts.append(f'<path class="risk" d="M{LEFT} {self.y(value):.1f}H{RIGHT}"/>')
        self.parts.append(text(RIGHT - 4, self.y(value) - 3, label, "warm", "end"))

    def dot(self, x: float, y: float, told: str) -> None:
        """A dot that tells its numbers under the pointer."""
        place = f'cx="{self.x(x):.1f}" cy="{self.y(y):.1f}"'
        self.parts.append(f'<circle class="dot" {place} r="4"><title>{escape(told)}</title></circle>')

    def whisker(self, x: float, low: float, high: float) -> None:
        """An interval."""
        self.parts.append(f'<path class="whisker" d="M{self.x(x):.1f} {self.y(low):.1f}V{self.y(high):.1f}"/>')

    def finished(self, note: str) -> str:
        """The whole picture, with a note below."""
        parts = "\n".join([*self.parts, text(LEFT - 40, HEIGHT - 8, note, "soft")])
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img">'
        paper = f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>'
        return f"{head}\n<title>{escape(self.title)}</title>\n<style>{STYLE}\n</style>\n{paper}\n{parts}\n</svg>\n"


def text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> str:
    """A line of text."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
