"""Tells a follow-up ("und auf dem Mac?", "what about Android") from a question that stands by itself; no model."""

import re

LONGEST_FOLLOW_UP = 12  # words; whoever writes more has said what it is about
MOST_NAMED = 3  # words with a topic in "und der Drucker im Flur?"

_POLITE_START = re.compile(
    r"""^(?:(?:vielen|besten|herzlichen|ganz\ herzlichen)?\ *(?:dank|danke(?:\ dir|\ ihnen|\ schön|\ schon\ mal)?)
    |(?:many\ )?thanks(?:\ a\ lot|\ so\ much)?|thank\ you(?:\ very\ much)?|ok(?:ay|e)?|alles\ klar|all\ right|alright
    |super|prima|perfekt|gut|great|perfect|cool|nice|aha|ah|hm+|ja|yes|yeah|nein|no|got\ it|verstehe|i\ see)
    (?=[\s,.!:;–-]|$)[\s,.!:;–-]*""",
    re.IGNORECASE | re.VERBOSE,
)
_OPENER = re.compile(
    r"""^(?:und|and|aber|but|oder|or|what\ about|how\ about|was\ ist\ mit|wie\ (?:ist|sieht)\ (?:es|das)
    |gilt\ (?:das|dies|es)|same\ (?:for|with|on|question)|dasselbe|das\ gleiche|genauso|also|auch|and\ what)
    (?!\w)""",
    re.IGNORECASE | re.VERBOSE,
)
_ALSO = re.compile(
    r"\b(?:auch|ebenfalls|genauso|stattdessen|also|too|as well|instead|the same|dasselbe)\b", re.IGNORECASE
)
# "Is it possible to ..." asks about nothing said before, although it has an "it".
_EMPTY_IT = re.compile(
    r"""\b(?:is|was|would)\ it\ (?:be\ )?(?:possible|allowed|ok(?:ay)?|normal)\ (?:to|for|that)|(?:is|was)\ it\ true
    |ist\ es\ (?:möglich|erlaubt|normal|richtig),?\ (?:dass|den|die|das|einen?|mein\w*|zu)|(?:gibt|gäbe)\ es
    |wie\ geht\ es|how\ is\ it\ going|es\ gibt|(?:es|it)\ (?:wäre|would\ be)""",
    re.IGNORECASE | re.VERBOSE,
)
_PRONOUN_WORDS = """
es das dies dort damit dabei davon dazu dafür darauf dann so hier dem it that this those these them there then one
"""
# They are articles too: "das VPN" names its topic.
_ARTICLE_TOO_WORDS = "das dies dem that this those these one"
_ASKS_WORDS = """
wie was wo wer wann warum wieso welche welcher welches wohin womit ob kann kannst können könnte geht gehen ist sind
muss müssen soll darf gilt funktioniert klappt habe hat brauche mache machen gibt wird werden läuft how what where
who when why which can could does do is are will would should must may has have did works work
"""
_PREPOSITION_WORDS = """
auf aus im in am an ans ins beim bei für mit ohne unter vom von zum zur zu über nach per via bis vor als on at for
with without under from using by into inside outside of
"""
_EMPTY_WORDS = """
und aber oder auch ebenfalls genauso stattdessen denn wenn falls dass mal der die den des ein eine einen einem einer
mein meine meinem meinen meiner dein deine deinem ich du sie man wir mich mir uns ihr ihnen nicht nichts noch nur
schon jetzt immer wieder gleich gleiche andere anderen anders bitte danke eigentlich genau dort sieht richte richten
stelle einstellen finde finden öffne komme kommt tun möglich lange lang dauert kostet viel einrichten zurück bin
hätte welchem rückgängig einstellung einstellungen menü knopf and but or also too well instead same if the a an my
your i you we me us to not only now again still other another please thanks about set up find get make go need use
possible long take much cost am be setting settings button menu different otherwise as just next click see
"""
_PRONOUN, _ARTICLE_TOO, _ASKS, _PREPOSITION, _EMPTY = (
    frozenset(words.split())
    for words in (_PRONOUN_WORDS, _ARTICLE_TOO_WORDS, _ASKS_WORDS, _PREPOSITION_WORDS, _EMPTY_WORDS)
)
_NO_TOPIC = _PRONOUN | _ASKS | _PREPOSITION | _EMPTY
_WORD = re.compile(r"[^\W_][\w.+#-]*(?<![.-])")


def is_follow_up(text: str) -> bool:
    """Whether a text only makes sense with the question before it. Short, and either it begins like one (`und`,
    `what about`, a bare `auf dem Mac?`) or asks about `das`, `it` or `auch`, without a topic of its own."""
    rest = _EMPTY_IT.sub(" ", _without_politeness(text))
    words = _WORD.findall(rest)
    if not words or len(words) > LONGEST_FOLLOW_UP:
        return False
    own, placed = _topics(words)
    opens = opens_follow_up(rest)
    if _is_clipped(words):
        starts_with_place = words[0].lower() in _PREPOSITION and bool(placed) and not own
        return (opens or starts_with_place) and 0 < len(own) + len(placed) <= MOST_NAMED
    asks = "?" in rest or words[0].lower() in _ASKS
    points = asks and (_ALSO.search(rest) is not None or _has_pronoun(words))
    return (opens and not own) or (points and len(own) <= (1 if opens or not placed else 0))


def opens_follow_up(text: str) -> bool:
    """Whether a text begins as only a follow-up does: "und", "what about"."""
    return _OPENER.match(_without_politeness(text)) is not None


def may_stand_alone(text: str) -> bool:
    """Whether a follow-up says enough to be a question of its own all the same: "und der Etikettendrucker im Lager?"
    may be one, "und auf dem Mac?" and "what about Android" never are."""
    words = _WORD.findall(_without_politeness(text))
    own, placed = _topics(words)
    return bool(own) and (len(own) + len(placed) > 1 or not _is_clipped(words))


def has_topic(text: str) -> bool:
    """Whether a text names anything by itself: "Das geht immer noch nicht" does not."""
    own, placed = _topics(_WORD.findall(_without_politeness(text)))
    return bool(own or placed)


def _without_politeness(text: str) -> str:
    rest, before = " ".join(text.split()).replace("’", "'"), None
    while rest != before:
        before, rest = rest, _POLITE_START.sub("", rest, count=1)
    return rest


def _is_clipped(words: list[str]) -> bool:
    """No verb and no question word: "und auf dem Mac", "and Android"."""
    lower = [word.lower() for word in words]
    about = lower[:2] in (["what", "about"], ["how", "about"]) or lower[:3] == ["was", "ist", "mit"]
    return about or not any(word in _ASKS for word in lower)


def _topics(words: list[str]) -> tuple[list[str], list[str]]:
    """The words that name something: what is asked about, and where or with what ("auf dem Mac")."""
    own: list[str] = []
    placed: list[str] = []
    after_preposition = False
    for word in words:
        plain = word.lower()
        if plain in _PREPOSITION:
            after_preposition = True
        elif plain in _ASKS or plain in {"ich", "i", "man", "wir", "we", "you", "und", "and"}:
            after_preposition = False
        elif plain not in _NO_TOPIC:
            (placed if after_preposition else own).append(word)
    return own, placed


def _has_pronoun(words: list[str]) -> bool:
    """A word that points back; "das", "this" and their kin only where no noun follows, "IT" is the department."""
    for word, after in zip(words, [*words[1:], ""], strict=True):
        plain = word.lower()
        if plain not in _PRONOUN or word == "IT":
            continue
        is_verb = after.islower() and after.endswith(("en", "ern", "eln")) and after == words[-1]
        if plain not in _ARTICLE_TOO or not after or after.lower() in _NO_TOPIC or is_verb:
            return True
    return False
