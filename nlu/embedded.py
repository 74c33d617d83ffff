"""An understander in the same process, for when Rasa is away: the same data, the same model."""

from pathlib import Path

from nlu.entities import EntityFinder
from nlu.examples import PROJECT, fallback_thresholds, read_training_data
from nlu.port import Understanding
from nlu.rasa.intent_model import new_intent_model
from nlu.text import askable


class EmbeddedUnderstander:
    """Trained when it is made, in about a second; an intent below the fallback of `config.yml` is `unclear`."""

    def __init__(self, project: Path = PROJECT) -> None:
        data = read_training_data(project)
        self._smallest, self._lead = fallback_thresholds(project)
        self._finder = EntityFinder(data)
        texts, intents = zip(*((example.text, example.intent) for example in data.examples), strict=True)
        self._model = new_intent_model().fit(texts, intents)

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
