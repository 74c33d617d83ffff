"""What requesters said of an article's answers, as a shift of its probability.

A random intercept of the article in the logistic regression, by one Newton step from its prior (variance VARIANCE of
the log-odds): with few words it stays near 0, with many it follows them. Breslow, Clayton: Approximate Inference in
Generalized Linear Mixed Models, 1993.
"""

from dataclasses import replace

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from kb_index.confidence import logistic
from kb_index.models import AnswerFeedback
from kb_index.port import Confidence
from kb_index.promise import log_odds

VARIANCE = 0.5


def read_records(session: Session) -> dict[int, float]:
    """By article the shift of its log-odds; articles nobody spoke of are left out."""
    p = AnswerFeedback.probability
    helped = func.sum(case((AnswerFeedback.helped, 1.0), else_=0.0))
    columns = select(AnswerFeedback.article_id, helped - func.sum(p), func.sum(p * (1 - p)))
    rows = session.execute(columns.group_by(AnswerFeedback.article_id)).all()
    return {article_id: surprise / (information + 1 / VARIANCE) for article_id, surprise, information in rows}


def moved(confidence: Confidence, shift: float) -> Confidence:
    """The confidence with its log-odds shifted."""
    if not shift:
        return confidence
    names = ("probability", "low", "high")
    return replace(confidence, **{n: logistic(float(log_odds(getattr(confidence, n))) + shift) for n in names})
