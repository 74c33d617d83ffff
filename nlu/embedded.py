"""An understander in the same process, for when Rasa is away: the same training data, the same kind of features."""

from pathlib import Path

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline, make_union

from nlu.entities import EntityFinder
from nlu.examples import PROJECT, Example, fallback_thresholds, read_training_data
from nlu.port import Understanding
from nlu.text import askable


class EmbeddedUnderstander:
    """Words and character n-grams with logistic regression; trained when it is made, in a few seconds.

    Understands as Rasa's light pipeline does; an intent below the fallback of `config.yml` is `unclear`.
    """

    def __init__(self, project: Path = PROJECT) -> None:
        data = read_training_data(project)
        self._smallest, self._lead = fallback_thresholds(project)
        self._finder = EntityFinder(data)
        self._model = _trained(data.examples)

    def parse(self, text: str) -> Understanding:
        """Understand one message of any length; an empty one is `unclear`. Never raises."""
        readable = askable(text)
        if not readable:
            return Understanding("unclear", 0.0)
        shares = self._model.predict_proba([readable])[0]
        second, best = sorted(shares)[-2:]
        sure = best >= self._smallest and best - second >= self._lead
        intent = str(self._model.classes_[shares.argmax()]) if sure else "unclear"
        return Understanding(intent, float(best), self._finder.find(readable))


def _trained(examples: list[Example]) -> Pipeline:
    model = make_pipeline(
        make_union(
            CountVectorizer(binary=True),
            CountVectorizer(analyzer="char_wb", ngram_range=(1, 5), binary=True, min_df=2),
        ),
        LogisticRegression(class_weight="balanced", max_iter=200, tol=1e-2),
    )
    return model.fit([example.text for example in examples], [example.intent for example in examples])
