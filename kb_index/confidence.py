"""From scores to a calibrated probability, and the thresholds that keep a risk. Serving needs numpy only.

A logistic regression on a few features of the ranking (Platt 1999 with more than one score); its interval by the delta
method from the inverse Fisher information (Hosmer, Lemeshow: Applied Logistic Regression, 2.5).
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from kb_index.fusion import DEFAULT_WEIGHTS, Found, Ranked, Weights
from kb_index.models import Calibration
from kb_index.port import Confidence, Hit
from kb_index.versions import raise_version

FEATURES = ("fused", "share", "margin", "lead", "cosine", "white", "grams", "words", "cover", "wins", "mass", "length")
AMONG = 3
LEAST_BESIDE = 0.05  # of the best probability: what has less is not offered beside it
FIELD = 5  # articles after them that the lead is measured against
READ = AMONG + FIELD  # places of a ranking that the features look at
ASSURANCE = 0.9  # of the promise, where nothing else is asked for
NORMAL_95 = 1.959964
UNKNOWN = Confidence(0.0, 0.0, 1.0)
Numbers = NDArray[np.float64]


def chance_of(hit: Hit) -> float:
    """The probability that it answers."""
    return hit.confidence.probability


def plausible(hits: Iterable[Hit], chance: Callable[[Hit], float] = chance_of) -> tuple[Hit, ...]:
    """What of these, best first, is worth offering: the first, and of the next two what may well be right."""
    offered = tuple(hits)[:AMONG]
    least = LEAST_BESIDE * max(map(chance, offered), default=0.0)
    return offered[:1] + tuple(hit for hit in offered[1:] if chance(hit) >= least)


def features(found: Found, ranked: Sequence[Ranked], place: int = 0) -> Numbers:
    """What tells whether the article at `place` answers, in the order of FEATURES.

    share: the logarithm of its softmax over all candidates; margin: its lead over the best other article; lead: over
    the mean of the fourth to eighth.
    """
    one = ranked[place]
    others = max((r.fused for r in ranked[:2] if r is not one), default=0.0)
    field = [r.fused for r in ranked[AMONG:READ]] or [0.0]
    c = one.candidate
    score = (one.fused, math.log(max(one.share, 1e-9)), one.fused - others, one.fused - sum(field) / len(field))
    text = (c["cosine"], c["white"], c["grams"], c["words"], c.cover)
    return np.array([*score, *text, one.wins, math.log1p(found.mass), math.log1p(found.length)])


@dataclass(frozen=True)
class Logistic:
    """A fitted logistic regression. coefficients and covariance start with the constant; features are standardised."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    coefficients: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]

    def confidence(self, x: Numbers) -> Confidence:
        """The probability for one row of features, with its 95 % interval."""
        row = np.concatenate(([1.0], (x - np.array(self.mean)) / np.array(self.scale)))
        logit = float(row @ np.array(self.coefficients))
        error = math.sqrt(max(0.0, float(row @ np.array(self.covariance) @ row)))
        return Confidence(*(logistic(logit + shift * NORMAL_95 * error) for shift in (0, -1, 1)))

    def contributions(self, x: Numbers) -> dict[str, float]:
        """What each feature adds to the log-odds, against a question of average features."""
        parts = (x - np.array(self.mean)) / np.array(self.scale) * np.array(self.coefficients[1:])
        return dict(zip(FEATURES, map(float, parts), strict=True))

    def recalibrated(self, constant: float, slope: float) -> "Logistic":
        """With log-odds constant + slope · (those of this one)."""
        first, *rest = self.coefficients
        covariance = np.array(self.covariance) * slope**2
        return Logistic(
            mean=self.mean,
            scale=self.scale,
            coefficients=(constant + slope * first, *(slope * c for c in rest)),
            covariance=tuple(tuple(map(float, row)) for row in covariance),
        )


def logistic(value: float) -> float:
    """The logistic function; does not overflow."""
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, value))))


@dataclass(frozen=True)
class Thresholds:
    """For one risk: answer from this probability, ask back from that one; None where the data do not show it kept.

    answered, wrong: what that gave out of fold, as shares of all questions and of the answers.
    """

    answer_from: float | None
    ask_from: float | None
    answered: float = 0.0
    wrong: float = 0.0
    asked_back: float = 0.0


@dataclass(frozen=True)
class Fitted:
    """The calibration of one language, or of questions in one and articles in another (`de>en`).

    thresholds: by assurance and risk, as `0.9` and `0.05`; measured: what was seen out of fold. source: what it was
    fitted on, `questions` or `articles`.
    """

    name: str
    language: str
    model: str
    fitted_at: datetime
    sample_size: int
    weights: Weights
    answers: Logistic
    among: Logistic
    thresholds: Mapping[str, Mapping[str, Thresholds]]
    measured: Mapping[str, Any]
    source: str = "questions"

    def for_risk(self, max_wrong: float, assurance: float = ASSURANCE) -> Thresholds:
        """The thresholds of the largest fitted risk that is not above max_wrong, at the least assurance that is not
        below the one asked for."""
        assured = [level for level in self.thresholds if float(level) >= assurance - 1e-9]
        fitted = self.thresholds[min(assured, key=float)] if assured else {}
        allowed = [risk for risk in fitted if float(risk) <= max_wrong + 1e-9]
        return fitted[max(allowed, key=float)] if allowed else Thresholds(None, None)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "fitted_at": self.fitted_at.isoformat(), "features": list(FEATURES)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Fitted":
        """The counterpart of to_json. Raises ValueError when it was fitted on other features."""
        if tuple(data["features"]) != FEATURES:
            raise ValueError(f"the calibration {data['name']} was fitted on other features; run `lotse calibrate`")
        names = ("name", "language", "model", "sample_size", "weights", "measured", "source")
        rest = {name: data[name] for name in names}
        return cls(
            **rest,
            fitted_at=datetime.fromisoformat(data["fitted_at"]),
            answers=_logistic_of(data["answers"]),
            among=_logistic_of(data["among"]),
            thresholds={
                level: {risk: Thresholds(**values) for risk, values in by_risk.items()}
                for level, by_risk in data["thresholds"].items()
            },
        )


def _logistic_of(data: Mapping[str, Any]) -> Logistic:
    plain = {name: tuple(data[name]) for name in ("mean", "scale", "coefficients")}
    return Logistic(**plain, covariance=tuple(tuple(row) for row in data["covariance"]))


@dataclass(frozen=True)
class Judge:
    """Judges rankings of one language; without a calibration for the model in use nothing may be answered."""

    fitted: Fitted | None
    max_wrong: float
    assurance: float = ASSURANCE

    @property
    def weights(self) -> Weights:
        return self.fitted.weights if self.fitted else DEFAULT_WEIGHTS

    @property
    def name(self) -> str:
        return self.fitted.name if self.fitted else "none"

    @property
    def thresholds(self) -> Thresholds:
        return self.fitted.for_risk(self.max_wrong, self.assurance) if self.fitted else Thresholds(None, None)

    def confidence(self, found: Found, ranked: Sequence[Ranked], place: int) -> Confidence:
        """The probability that the article at this place answers."""
        return self.fitted.answers.confidence(features(found, ranked, place)) if self.fitted else UNKNOWN

    def among_first(self, found: Found, ranked: Sequence[Ranked]) -> Confidence:
        """The probability that one of the first three answers."""
        return self.fitted.among.confidence(features(found, ranked)) if self.fitted and ranked else UNKNOWN

    def contributions(self, found: Found, ranked: Sequence[Ranked], place: int = 0) -> dict[str, float]:
        """What each feature does to the log-odds that the article at this place answers; empty without calibration."""
        return self.fitted.answers.contributions(features(found, ranked, place)) if self.fitted and ranked else {}


def read_calibrations(session: Session, model: str) -> tuple[dict[str, Fitted], list[str]]:
    """The newest active calibration by language, and what had to be left out because it is of another model."""
    rows = session.scalars(select(Calibration).where(Calibration.active).order_by(Calibration.fitted_at))
    fitted: dict[str, Fitted] = {}
    warnings: list[str] = []
    for row in rows:
        if row.model != model:
            warnings.append(f"calibration {row.name} ({row.language}) was fitted for {row.model}, not for {model}")
            continue
        try:
            fitted[row.language] = Fitted.from_json(row.data)
        except (ValueError, KeyError):
            warnings.append(f"calibration {row.name} ({row.language}) is of an older Lotse; run `lotse calibrate`")
    return fitted, warnings


def shipped_calibration() -> list[Fitted]:
    """The calibrations that come with Lotse, one per language."""
    text = files("kb_index").joinpath("calibrations/default.json").read_text("utf-8")
    return [Fitted.from_json(data) for data in json.loads(text)["languages"].values()]


def seed_calibration(session: Session) -> bool:
    """Store the shipped calibration when there is none. Returns whether it was needed."""
    if session.scalar(select(Calibration.id).limit(1)) is not None:
        return False
    store_calibration(session, shipped_calibration())
    return True


def store_calibration(session: Session, calibrations: Sequence[Fitted]) -> None:
    """Make these the active ones of their languages; every process judges by them from its next search on."""
    for fitted in calibrations:
        for row in session.scalars(select(Calibration).where(Calibration.language == fitted.language)):
            row.active = False
            if row.name == fitted.name:
                session.delete(row)
        session.flush()
        session.add(
            Calibration(
                name=fitted.name,
                language=fitted.language,
                fitted_at=fitted.fitted_at,
                sample_size=fitted.sample_size,
                model=fitted.model,
                data=fitted.to_json(),
                active=True,
            )
        )
    raise_version(session)
