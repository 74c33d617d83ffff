"""The intent model as a component of Rasa's pipeline; only ever imported inside Rasa's environment."""

# mypy: ignore-errors
# (Rasa is not installed where mypy runs)

from __future__ import annotations

from typing import Any

import skops.io
from intent_model import new_intent_model
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

_FILE = "intents.skops"
_HARMLESS = ["numpy.dtype", "numpy.float64", "numpy.int64", "scipy.sparse._csr.csr_matrix"]
_RANKED = 5


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class TextIntentClassifier(IntentClassifier, GraphComponent):
    """Reads the text itself, so it needs no tokenizer and no featurizer before it."""

    def __init__(self, model: Any, storage: ModelStorage, resource: Resource) -> None:
        """Keep where the trained model is to be put."""
        self._model = model
        self._storage = storage
        self._resource = resource

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> TextIntentClassifier:
        """Rasa's way of making an untrained component."""
        return cls(new_intent_model(), model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> TextIntentClassifier:
        """Rasa's way of making a trained component; skops loads plain values only, never code."""
        with model_storage.read_from(resource) as folder:
            return cls(skops.io.load(folder / _FILE, trusted=_HARMLESS), model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        """Fit the model to all examples that carry an intent, and store it."""
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        self._model.fit([example.get(TEXT) for example in examples], [example.get(INTENT) for example in examples])
        with self._storage.write_to(self._resource) as folder:
            skops.io.dump(self._model, folder / _FILE)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set intent and ranking of each message."""
        for message in messages:
            shares = self._model.predict_proba([message.get(TEXT) or ""])[0]
            best_first = sorted(zip(self._model.classes_, shares, strict=True), key=lambda pair: -pair[1])[:_RANKED]
            ranking = [{"name": str(name), "confidence": float(share)} for name, share in best_first]
            message.set("intent", ranking[0], add_to_output=True)
            message.set("intent_ranking", ranking, add_to_output=True)
        return messages
