"""A calibration made by hand, on whatever features there are."""

from collections.abc import Mapping
from datetime import UTC, datetime

from kb_index.confidence import FEATURES, Fitted, Logistic, Thresholds
from kb_index.fusion import DEFAULT_WEIGHTS

SOME = Thresholds(answer_from=0.9, ask_from=0.6, answered=0.4, wrong=0.03, asked_back=0.2)


def hand_fitted(
    language: str = "en", model: str = "hash", thresholds: Mapping[str, Thresholds] | None = None
) -> Fitted:
    """thresholds: by risk. Every feature counts, with falling weight and changing sign."""
    n = len(FEATURES)
    coefficients = (0.1, *((-1) ** i / (i + 2) for i in range(n)))
    covariance = tuple(tuple(0.01 if i == j else 0.0 for j in range(n + 1)) for i in range(n + 1))
    logistic = Logistic((0.5,) * n, (2.0,) * n, coefficients, covariance)
    return Fitted(
        name="by hand",
        language=language,
        model=model,
        fitted_at=datetime(2026, 11, 24, tzinfo=UTC),
        sample_size=200,
        weights=DEFAULT_WEIGHTS,
        answers=logistic,
        among=logistic,
        thresholds={"0.9": thresholds or {"0.05": SOME}},
        measured={},
    )
