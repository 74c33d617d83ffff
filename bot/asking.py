"""What of a text is worth searching for: not the courtesy around it, and of a long story the sentences that matter."""

import re

from nlu.courtesy import telling_sentences
from nlu.follow_ups import is_follow_up

LONG = 40  # words; below it a text is searched as it is, without its courtesy
MOST_SENTENCES = 2
LONGEST_SENTENCE = 30  # words; a longer one is read clause by clause
ENOUGH = 0.6  # of the best sentence's weight, for another one to matter too
ENOUGH_SAID = 20  # characters of a sentence that stands for the whole text
TOO_LITTLE = 3  # characters; what is left of "Hallo!" is nothing to search for

_CLAUSE = re.compile(r",\s+|;\s+|\s[–-]\s|\s+(?=(?:und|aber|and|but|weil|because|sondern)\s)")
_POINTS_BACK = re.compile(
    r"(?:(?:und|aber|and|but) )?(?i:der|die|das|dies|er|sie|es|he|she|it|that|they) (?-i:[a-zäöü])"
)
_ASKS = re.compile(
    r"(?:wie|wo|womit|wohin|was|welche\w*|wer|wann|how|where|what|which|who|when)\b(?!ever)", re.IGNORECASE
)
_ASKS_ON = re.compile(r"(?:wo|wie|was|wann|warum|ob|how|where|what|when|why|whether)\b")
# How much a sentence looks like the question or the trouble, by what stands in it; every line is an alternative.
_QUESTION = r"""
(?:wie|wo|womit|was|warum|wieso|wann|welche\w*|kann|können|könnte|darf|gibt es|geht)\b[^?]{0,200}\?
(?:how|where|what|why|when|which|can|could|is there|are there|does|do|may)\b[^?]{0,200}\?
"""
_WANTS_TO_KNOW = r"""
how (?:do|can|to|should)\b|where (?:do|can)\b|is there a way\b
wie (?:kann|kriege|bekomme|komme|mache)\b|weiß nicht,? wie\b
(?:wollte|möchte|würde gern\w*|want\w*|like) (?:nur |mal |kurz |gern\w* |to )*(?:fragen|wissen|ask|know)\b
"""
_FAILS = r"""
(?:geht|gehen|funktionier\w+|klappt|startet|lädt|öffne\w*|druckt|läuft|lässt)\b.{0,60}\b(?:nicht|nichts|kein\w*|nimmer)\b
(?:reagiert|verbinde\w*|komme|finde|kann|erkennt|synchronisier\w+|erscheint)\b.{0,60}\b(?:nicht|nichts|kein\w*|nirgends)\b
(?:can't|cannot|can not|cant|won't|doesn't|does not|don't|isn't|unable to|fails? to|refuses to|no longer)\b
stopped (?:work|print|sync|load)\w*
"""
_TROUBLE = r"""
(?:fehler\w*|absturz|abgestürzt|stürzt|hängt|kaputt|gesperrt|abgelaufen|verweigert|schwarz|weg|verschwunden)\b
(?:error\w*|crash\w*|stuck|frozen|freez\w+|broken|locked|denied|expired|missing|gone|timed? ?out|blue screen)\b
"""
_ASKS_HOW = r"""
(?:sagen|zeigen|fragen|wissen|weiß|finde)\b[^.?!]{0,40}\b(?:wo|wie|wann|ob)\b
(?:tell|show|ask|know|find|wonder\w*)\b[^.?!]{0,40}\b(?:where|how|when|whether)\b
"""
_WHY = r"""
(?:warum|wieso|weshalb|why|how come)\b
"""
_WISH = r"""
(?:brauche|benötige|bräuchte|bestell\w+|beantrag\w+|need|require|request|order)\b
"""
_NOW = r"""
(?:jetzt|seitdem|aktuell|leider|now|currently|unfortunately)\b
"""
_TRIED = r"""
(?:schon|bereits|already)\b.{0,40}\b(?:versucht|probiert|neu ?gestartet|gemacht|tried|restarted|rebooted|checked)\b
(?:tried|versucht|probiert|neu ?gestartet|rebooted|restarted)\b
"""
_STORY = r"""
(?:ging|lief|funktionierte|klappte|war) (?:noch )?(?:alles|immer|bisher|gestern)\b|(?:worked|was) fine\b
(?:urlaub|holiday|vacation|wetter|weather|kinder|kids|elternzeit|krank|sick)\b
"""


def _one_of(lines: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(lines.split(chr(10))[1:-1])})", re.IGNORECASE)


_ASKS_IN_WORDS = _one_of(_ASKS_HOW)
_SOMETHING_IS_WRONG = (_one_of(_FAILS), _one_of(_TROUBLE), _one_of(_WHY))
_CUES = (
    *((3.0, _one_of(_QUESTION)), (2.5, _one_of(_WANTS_TO_KNOW)), (3.0, _one_of(_FAILS)), (2.5, _one_of(_TROUBLE))),
    *((2.0, _one_of(_WISH)), (0.5, _one_of(_NOW)), (-2.5, _one_of(_TRIED)), (-1.5, _one_of(_STORY))),
    (1.0, re.compile(r"[\"„“»'][^\"“”«']{6,100}[\"“”«']")),
)
_CODE = re.compile(
    r"\b(?:0x[0-9a-f]{4,}|[A-Z]{2,}[-_]\d{2,}|(?:error|fehler|code)\s*:?\s*#?\d{2,}|[A-Z]+_[A-Z_]{3,})\b", re.IGNORECASE
)


def essence(text: str) -> str:
    """What a text asks: without greetings, sign-offs, signatures and quoted mail; of a long one the sentences that
    matter. Numbers and error codes stay. Never empty where the text is not."""
    sentences = _sentences(text)
    plain = " ".join(sentences)
    return (_joined(plain, _telling(sentences)) if _is_long(plain) else "") or plain


def searches_of(text: str) -> tuple[str, ...]:
    """What to search for, at most three: a short text as it is; of a long one its essence, the sentence that says
    most, and the whole."""
    sentences = _sentences(text)
    plain = " ".join(sentences)
    if not _is_long(plain):
        return (plain,)
    pieces = _pieces(sentences)
    return tuple(dict.fromkeys((essence(text), pieces[_strongest(pieces)][1], plain)))


def summary_of(text: str, longest: int = 120) -> str:
    """The sentence that says most and needs none before it, as "und auf dem Mac?" does; at most `longest` characters,
    on one line."""
    sentences = _sentences(text)
    pieces = _pieces([sentence for sentence in sentences if not is_follow_up(sentence)] or sentences)
    says_most = _on_one_line(" ".join(pieces[place][1] for place in _around(pieces, _strongest(pieces))))
    chosen = says_most if len(says_most) >= ENOUGH_SAID else _on_one_line(text)
    return chosen if len(chosen) <= longest else chosen[: longest - 1].rstrip() + "…"


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def only_word(text: str) -> str | None:
    """The one word that is all a text says, courtesy aside."""
    words = " ".join(_sentences(text)).split()
    return words[0] if len(words) == 1 else None


def asks_how(text: str) -> bool:
    """Whether a text only wants to know something: it asks, and nothing in it says that something does not work, as
    "ich finde nicht, wo man das einstellt" does not."""
    asks = any(one.endswith("?") or _ASKS.match(one) or _ASKS_IN_WORDS.search(one) for one in _sentences(text))
    return asks and not any(cue.search(_ASKS_IN_WORDS.sub(" ", text)) for cue in _SOMETHING_IS_WRONG)


def _strongest(pieces: list[tuple[int, str]]) -> int:
    """The place of the piece that says most; among equals the first."""
    return max(range(len(pieces)), key=lambda place: _weight(pieces[place][1]))


def _is_long(plain: str) -> bool:
    return len(plain.split()) > LONG


def _sentences(text: str) -> list[str]:
    """The sentences without what people write around a question; the text itself where nothing else is in it."""
    sentences = telling_sentences(text)
    return sentences if len(" ".join(sentences)) >= TOO_LITTLE else [text.strip()]


def _telling(sentences: list[str]) -> list[str]:
    """The pieces that matter, in the order of the text; empty when none stands out. A clause takes its neighbours."""
    pieces = _pieces(sentences)
    weights = [_weight(piece) for _, piece in pieces]
    best = max(weights, default=0.0)
    if best <= 0:
        return []
    strongest = sorted(range(len(pieces)), key=lambda place: -weights[place])[:MOST_SENTENCES]
    chosen = {near for place in strongest if weights[place] >= ENOUGH * best for near in _around(pieces, place)}
    return [pieces[place][1] for place in sorted(chosen)]


def _pieces(sentences: list[str]) -> list[tuple[int, str]]:
    """The clauses of the sentences, each with the place of its sentence."""
    return [(place, clause) for place, sentence in enumerate(sentences) for clause in _clauses(sentence)]


def _around(pieces: list[tuple[int, str]], place: int) -> range:
    """A clause with the one before it in its sentence, which names what it is about, further back where that one only
    points back ("der möchte das ..."), and with the one it asks ("wo man das einstellt")."""
    start, end = place, place + 1
    while (
        start and pieces[start - 1][0] == pieces[place][0] and (start == place or _POINTS_BACK.match(pieces[start][1]))
    ):
        start -= 1
    if end < len(pieces) and pieces[end][0] == pieces[place][0] and _ASKS_ON.match(pieces[end][1]):
        end += 1
    return range(start, end)


def _joined(plain: str, telling: list[str]) -> str:
    """The telling sentences, and every error code that stands elsewhere."""
    said = " ".join(telling)
    codes = [code[0] for code in _CODE.finditer(plain) if code[0] not in said] if telling else []
    return " ".join([said, *dict.fromkeys(codes)]).strip()


def _clauses(sentence: str) -> list[str]:
    """A very long sentence in pieces of some words each."""
    if len(sentence.split()) <= LONGEST_SENTENCE:
        return [sentence]
    pieces: list[str] = []
    for clause in _CLAUSE.split(sentence):
        if pieces and (len(clause.split()) < 4 or len(pieces[-1].split()) < 4):
            pieces[-1] = f"{pieces[-1]} {clause}"
        else:
            pieces.append(clause)
    return pieces


def _weight(sentence: str) -> float:
    """How much a sentence looks like the question or the trouble."""
    words = len(sentence.split())
    cues = sum(weight for weight, cue in _CUES if cue.search(sentence))
    return cues + (1.5 if _CODE.search(sentence) else 0.0) - (1.0 if words < 4 else 0.0)
