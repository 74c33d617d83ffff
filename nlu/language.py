"""In which language somebody writes: German, English, or too little to say."""

import re
from functools import cache

from lingua import Language as Lingua
from lingua import LanguageDetector, LanguageDetectorBuilder

from nlu.examples import read_training_data
from nlu.port import Language
from nlu.text import LONGEST

SURE = 0.65
"""Share German or English needs over the other to be decided on."""
SURE_OTHER = 0.95
_ENOUGH_FOR_OTHER = 4  # words; below that lingua takes "Password vergessen" for Italian

_OTHERS = (
    *(Lingua.FRENCH, Lingua.SPANISH, Lingua.ITALIAN, Lingua.PORTUGUESE),
    *(Lingua.DUTCH, Lingua.POLISH, Lingua.CZECH, Lingua.TURKISH),
)
_OURS: dict[Lingua, Language] = {Lingua.GERMAN: "de", Lingua.ENGLISH: "en"}
_NOT_PROSE = re.compile(
    r"```.*?(?:```|$)|`[^`]*`"  # code
    r"|https?://\S+|www\.\S+|\S+@\S+\.\w+"  # addresses
    r"|\b[A-Za-z]:\\\S*|\S*[\\/]\S*[\\/]\S*"  # paths
    r"|<[^>]*>|\S*[\d_=<>{}|#]\S*",  # tags, numbers, error codes, identifiers
    re.DOTALL,
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_BOTH = {"ok", "okay", "hi", "hey", "hello", "ticket", "support", "server", "update", "chat", "login", "account"}


def detect_language(text: str) -> Language | None:
    """The language of a message; None when unsure: very short, code, emoji, product names only, another language.

    The first call loads about 100 MB of language models; a call takes well under a millisecond.
    """
    words = [word for word in _WORD.findall(_NOT_PROSE.sub(" ", text[:LONGEST])) if word.lower() not in _neutral()]
    prose = " ".join(words)
    if len(prose) < 3 or (len(words) >= _ENOUGH_FOR_OTHER and _is_another(prose)):
        return None
    best = _detector().compute_language_confidence_values(prose)[0]
    return _OURS[best.language] if best.value >= SURE else None


def _is_another(prose: str) -> bool:
    best = _wide_detector().compute_language_confidence_values(prose)[0]
    return best.language not in _OURS and best.value >= SURE_OTHER


@cache
def _detector() -> LanguageDetector:
    return LanguageDetectorBuilder.from_languages(*_OURS).build()


@cache
def _wide_detector() -> LanguageDetector:
    """Coarse and small (about 1 MB): it only has to notice that a text is neither German nor English."""
    return LanguageDetectorBuilder.from_languages(*_OURS, *_OTHERS).with_low_accuracy_mode().build()


@cache
def _neutral() -> frozenset[str]:
    """Words that stand in both languages: product names, and what everybody says."""
    products = read_training_data().lookups.get("application", [])
    return frozenset(_BOTH | {word.lower() for product in products for word in product.split()})
