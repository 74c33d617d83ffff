"""What words alone tell, outside any model: sensitive topics, the wish for a person, facts an agent needs."""

import re
from collections.abc import Mapping
from functools import cache

from bot.settings import SensitiveTopic
from handoff.models import TicketType

WORD = re.compile(r"\w+")
PERSON = re.compile(
    r"""\b(
      echte[rn]?\ mensch | (ein|einen|einem)\ (echten\ )?(mensch(en)?|mitarbeiter(in)?|kolleg(e|en|in))
    | bitte\ (ein(en)?\ )?mensch(en)? | mensch(en)?,?\ bitte
    | (real|actual|live)\ (person|human|agent) | a\ (person|human)\b
    | (speak|talk|chat)\ (to|with)\ (a\ |an\ |some\ ?)?(one|body|person|human|agent|colleague)
    | (person|human(\ agent)?|agent),?\ please
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
LANGUAGES = {"deutsch": "de", "deutsche": "de", "german": "de", "englisch": "en", "englische": "en", "english": "en"}
AROUND_A_LANGUAGE = """
auf in bitte please kannst du können sie könnten antworte antworten sprich sprechen sprichst schreib schreiben rede
reden mir mit nur lieber gern gerne ich möchte will geht das es auch wieder danke hallo sag sagen noch mal wir weiter
verstehe spreche kein nicht can could you speak answer reply write talk me to i only rather would want like it do we
switch again thanks hello hi say that this continue understand don t no not
"""
NEGATED = {"kein", "nicht", "no", "not", "don"}
OTHER_LANGUAGE = {"de": "en", "en": "de"}
MOST_WORDS_OF_A_WISH = 14  # in a longer text "a person" is more likely part of the story
SINCE = re.compile(
    r"""\b(seit|since|heute|gestern|vorhin|today|yesterday|ago|vor\ \d+|this\ morning
    |fehler\w*|error\w*|0x[0-9a-f]+|code)\b""",
    re.IGNORECASE | re.VERBOSE,
)
REQUEST = re.compile(
    r"""\b(brauche|bräuchte|braeuchte|benötige|benoetige|bestellen|beantragen|hätte\ gern\w*|möchte\ (noch\ )?einen?
    | neue[nrs]?\ (laptop|monitor|headset|handy|maus|tastatur|zugang) | zugriff\ auf | berechtigung
    | need\ (a|an|access|new) | order | request | would\ like)\b""",
    re.IGNORECASE | re.VERBOSE,
)
DOUBTS = re.compile(
    r"""\? | \b(jein|aber|wenn|falls|sobald|nicht|kein\w*|noch|erst|und|warte\w*|morgen|später
    |but|if|not|\w+n['’]t|yet|and|wait|until|unless|except|when|after|tomorrow|later)\b""",
    re.IGNORECASE | re.VERBOSE,
)
NO_ANSWER = re.compile(
    r"""^\W*(wei(ß|ss)\ (ich\ )?nicht|keine\ ahnung|nein|überspringen|weiter
    |skip|no\ idea|don.?t\ know|i\ don.?t\ know|not\ sure|no)\W*$""",
    re.IGNORECASE | re.VERBOSE,
)


def sensitive_topic(text: str, topics: Mapping[str, SensitiveTopic]) -> str | None:
    """The first topic of config.yml whose words stand in the text; a trailing `*` stands for any ending."""
    for name, topic in topics.items():
        if _pattern(topic.words).search(text):
            return name
    return None


@cache
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    parts = (
        re.escape(word.rstrip("*")).replace(r"\ ", r"\s+") + (r"\w*" if word.endswith("*") else "") for word in words
    )
    return re.compile(rf"(?<!\w)({'|'.join(parts) or '(?!)'})(?!\w)", re.IGNORECASE)


def asks_for_person(text: str) -> bool:
    """Plain words for "a person, please"; works when every model is away."""
    return len(text.split()) <= MOST_WORDS_OF_A_WISH and PERSON.search(text) is not None


def asks_for_language(text: str) -> str | None:
    """`de` or `en` where somebody wants nothing but to be answered in it: "auf Deutsch bitte", "English, please"."""
    words = set(WORD.findall(text.casefold()))
    wanted = {LANGUAGES[word] for word in words if word in LANGUAGES}
    if len(wanted) != 1 or not words <= {*AROUND_A_LANGUAGE.split(), *LANGUAGES}:
        return None
    return OTHER_LANGUAGE[wanted.pop()] if words & NEGATED else wanted.pop()


def tells_since(text: str) -> bool:
    """Whether the text says since when, or quotes an error."""
    return SINCE.search(text) is not None


def has_doubts(text: str) -> bool:
    """Whether a "yes" is not all that is said: "yes, but ...", "yes, tomorrow, when ...", a question."""
    return DOUBTS.search(text) is not None


def has_no_answer(text: str) -> bool:
    """ "I don't know" and its kin, as an answer to a question about facts."""
    return NO_ANSWER.match(text) is not None


STILL_BROKEN = re.compile(
    r"""\b((immer|wieder)\ (noch\ )?(nicht|kaputt|das\ gleiche|derselbe|dasselbe) | geht\ (immer\ )?noch\ nicht
    | funktioniert\ (immer\ noch\ |noch\ immer\ |wieder\ )?nicht | still\ (broken|not|doesn.?t|happening|the\ same)
    | not\ (fixed|solved|working) | (broken|happening|back)\ again | (doesn.?t|does\ not)\ work)\b""",
    re.IGNORECASE | re.VERBOSE,
)


def still_broken(text: str) -> bool:
    """Plain words for "it is not fixed", after a ticket was resolved; in a longer text it may be another problem."""
    return len(text.split()) <= MOST_WORDS_OF_A_WISH and STILL_BROKEN.search(text) is not None


def type_of(text: str) -> TicketType:
    """Somebody wants something new, or something is broken."""
    return TicketType.REQUEST if REQUEST.search(text) else TicketType.INCIDENT


MY_TICKET = r"(?<!kein )\b(ticket|vorgang)\b"
CLOSED = r"\b(schlie(ß|ss)(e|en|t)?|geschlossen\s+werden|zu\s?machen|close|be\s+closed)\b"
CLOSE = re.compile(rf"{MY_TICKET}.{{0,30}}{CLOSED}|{CLOSED}.{{0,30}}{MY_TICKET}", re.IGNORECASE)
NOT_CLOSE = re.compile(
    r"""\?\s*\w | \b(nicht|kein\w*|nie|erst|bevor|wieso|warum|wer|wie|falls|wenn|fenster
    |not|cannot|(ca|do|wo)n.?t|never|until|before|why|who|how|if|when|window)\b""",
    re.IGNORECASE | re.VERBOSE,
)
MOST_WORDS_TO_CLOSE = 9
REOPEN = re.compile(r"\b(öffnen?|eröffnen|aufmachen|mach\w*\b.*\bauf|reopen|re-open|open\b.*\bagain)\b", re.IGNORECASE)
AROUND_REOPEN = """
bitte please das den mein meinen meine the my it ticket fall vorgang case wieder erneut noch mal nochmal öffnen öffne
eröffnen aufmachen mach machen machst auf sie ihr es ich möchte will kannst könnten können du can could you i
want to would like reopen re open again once more tkt danke thanks
"""


def wants_closed(text: str) -> bool:
    """Plain words for "you can close my ticket"; whoever has one open is asked whether that is meant."""
    short = len(text.split()) <= MOST_WORDS_TO_CLOSE
    return short and CLOSE.search(text) is not None and NOT_CLOSE.search(text) is None


def wants_reopened(text: str) -> bool:
    """Nothing but "open my ticket again, please"; what names something else may be a question about that."""
    words = set(WORD.findall(text.casefold()))
    again = words & {"wieder", "erneut", "nochmal", "again", "reopen", "re"}
    known = {word for word in words if word.isdecimal()} | set(AROUND_REOPEN.split())
    return bool(again) and REOPEN.search(text) is not None and words <= known
