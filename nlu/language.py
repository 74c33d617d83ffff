"""In which language somebody writes: German, English, or too little to say."""

import re
from functools import cache
from math import log

from lingua import Language as Lingua
from lingua import LanguageDetector, LanguageDetectorBuilder

from nlu.examples import read_training_data
from nlu.port import Language
from nlu.text import LONGEST

SURE = 0.6
"""Log-odds German or English needs to be decided on: a share of 65 %."""
SURE_OF_ONE = 2.0
"""Log-odds a single word needs: 88 %, since "asdfgh" looks English by 74 %."""
SURE_OTHER = 0.95
_ENOUGH_FOR_OTHER = 4  # words; below that lingua takes "Password vergessen" for Italian
_WEIGHT = 0.8  # of one small word, in log-odds

_OTHERS = (
    *(Lingua.FRENCH, Lingua.SPANISH, Lingua.ITALIAN, Lingua.PORTUGUESE),
    *(Lingua.DUTCH, Lingua.POLISH, Lingua.CZECH, Lingua.TURKISH),
)
_CODE = re.compile(r"```.*?(?:```|$)|`[^`]*`|<[^<>]*>", re.DOTALL)
_NOT_A_WORD = re.compile(r"[\d_=<>{}|#\\@]|/.*/|\w[.:]\w")  # numbers, addresses, paths, error codes, identifiers
_QUOTED = re.compile(r"(?<!\w)(?:\"[^\"]+\"|'[^']+'|„[^“”]+[“”]|“[^”]+”|»[^«]+«|‚[^‘]+‘)(?!\w)")
_WORD = re.compile(r"[a-zà-öø-ɏ]+(?:'[a-z]+)?")  # Latin letters; other scripts are neither language
_BOTH = {"ok", "okay", "hi", "hey", "hello", "hallo", "moin"}
_BOTH |= {"ticket", "support", "server", "update", "chat", "login", "account"}
_BOTH |= {"microsoft", "google", "apple", "adobe", "cisco", "lenovo", "dell", "hp", "ubuntu", "linux", "android"}
_GERMAN = """
der die das den dem des ein eine einen einem einer kein keine ich du er sie es wir ihr mich mir dich dir uns
euch mein  meine meinen meinem meiner unser dein sein ihre ist sind bin habe hab hat haben wird werden wurde
kann können muss soll  möchte geht nicht nichts nur noch schon auch aber und oder wie wo wer wann warum welche
wenn weil dass mit ohne für auf  von zu zum zur bei beim nach aus über unter seit bitte danke ja nein jetzt hier
da mal kaputt funktioniert
"""
_ENGLISH = """
the a i you he she it we they me my your our their his her its is are be been has have had do does did can can't
cannot  could should would must don't doesn't didn't won't isn't not nothing only still already but and or how
where who when why  what which if because that this these with without for on of to from at by after into over
since please thanks thank yes  no now here there get got just as than
"""
_SMALL = dict.fromkeys(_GERMAN.split(), +1) | dict.fromkeys(_ENGLISH.split(), -1)


def detect_language(text: str) -> Language | None:
    """The language of a message; None when unsure: very short, code, emoji, product names only, another language.

    lingua's share and the small words (articles, pronouns, auxiliaries) are added up: short questions full of product
    names have too few letters for lingua alone. Quoted error messages do not count when something is said around them.
    The first call loads about 100 MB of language models; a call takes well under a millisecond.
    """
    prose = _CODE.sub(" ", text[:LONGEST].lower().replace("’", "'"))
    words = _telling(_QUOTED.sub(" ", prose))
    words = words if len(words) >= 3 else _telling(prose)
    if sum(map(len, words)) < 3:
        return None
    small = _small_words(words)
    if abs(small) < 2 and len(words) >= _ENOUGH_FOR_OTHER and _is_another(words):
        return None
    log_odds = _lingua(words) + _WEIGHT * small
    sure = SURE if small or len(words) > 1 else SURE_OF_ONE
    return None if abs(log_odds) < sure else "de" if log_odds > 0 else "en"


def _telling(prose: str) -> list[str]:
    """The words that tell something about the language, in the order of the text."""
    readable = " ".join(token for token in prose.split() if not _NOT_A_WORD.search(token))
    return [word for word in _WORD.findall(readable) if word not in _neutral()]


def _small_words(words: list[str]) -> int:
    """German ones minus English ones."""
    return sum(_SMALL.get(word, 0) for word in words)


def _lingua(words: list[str]) -> float:
    """Log-odds of German against English; positive is German."""
    german = _detector().compute_language_confidence(" ".join(words), Lingua.GERMAN)
    german = min(max(german, 0.05), 0.95)
    return log(german / (1 - german))


def _is_another(words: list[str]) -> bool:
    best = _wide_detector().compute_language_confidence_values(" ".join(words))[0]
    return best.language in _OTHERS and best.value >= SURE_OTHER


@cache
def _detector() -> LanguageDetector:
    return LanguageDetectorBuilder.from_languages(Lingua.GERMAN, Lingua.ENGLISH).build()


@cache
def _wide_detector() -> LanguageDetector:
    """Coarse and small (about 1 MB): it only has to notice that a text is neither German nor English."""
    return (
        LanguageDetectorBuilder.from_languages(Lingua.GERMAN, Lingua.ENGLISH, *_OTHERS).with_low_accuracy_mode().build()
    )


@cache
def _neutral() -> frozenset[str]:
    """Words that stand in both languages: product names, and what everybody says."""
    products = read_training_data().lookups.get("application", [])
    return frozenset(_BOTH | {word.lower() for product in products for word in product.split()})
