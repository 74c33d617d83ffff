"""Takes personal data out of a question before it is kept: who asked, and with which secrets, is nobody's business.

What helps to find an article stays: error codes, update numbers, versions, ports, names of products.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable

from kb_index.readers import clean_text

CHARACTERS = 500  # of a question that is kept
READ = 4_000  # characters looked at
Put = str | Callable[[re.Match[str]], str]
NAME = r"[A-ZÄÖÜ][a-zäöüßéèáàóòç]+(?:[-'’][A-ZÄÖÜ][a-zäöüßéèáàóòç]+)*"
NAMES = rf"{NAME}(?:[ \t]+(?:(?:von|van|de|der|zu)[ \t]+)*{NAME}){{0,2}}"
TITLE = r"(?:Herrn?|Frau|Hr\.|Fr\.|Mr\.?|Mrs\.?|Ms\.?|Miss|Dr\.|Prof\.)"
GENERIC = (
    r"(?i:zusammen|leute|allerseits|alle|liebes|lieber|liebe|team|it-team|support|kollegen|kolleginnen|und|and|all|there|"
    r"everyone|everybody|folks)"
)
GREETING = (
    r"(?i:hallo|hi|hey|hello|moin|servus|guten (?:tag|morgen|abend)|good (?:morning|afternoon|evening)|dear|liebe[rs]?|"
    r"sehr geehrte[rs]?)"
)
SIGN_OFF = (
    r"(?i:(?:mit )?(?:freundliche[nrm]?|vielen?|liebe[nr]?|besten?|schönen?|herzliche[nr]?)[ \t]+gr(?:ü|ue)(?:ß|ss)en?|"
    r"gr(?:ü|ue)(?:ß|ss)e|gru(?:ß|ss)|mfg|lg|vg|(?:(?:best|kind|warm|many)[ \t]+)?regards|best wishes|all the best|"
    r"cheers|sincerely(?: yours)?|yours (?:sincerely|faithfully))"
)
THANKS = r"(?i:(?:vielen |besten |herzlichen )?danke?(?: (?:im voraus|schön|vorab))?|thank you|(?:many )?thanks|thx)"
PASSWORD = r"(?i:passwor[dt]|passwd|kennwort|passphrase|pwd|pw|pin|puk|tan)"  # noqa: S105 - the words, not one of them
USER = (
    r"(?i:benutzer(?:name|kennung|konto|-?id)|nutzer(?:name|kennung)|anmeldename|user[ _-]?(?:name|id)|login(?:name)?|"
    r"kennung|personal(?:nummer|[- ]?nr\.?)|pers\.?-?nr\.?|mitarbeiter(?:nummer|-?id)|(?:employee|staff) (?:number|id)|"
    r"kundennummer|matrikelnummer)"
)
SENTENCE = r"(?:^|(?<=[,.!?;\n \t]))[ \t]*"
AFTER_NAME = r"(?!\w)(?=[ \t]*(?:[,.;:!\n]|(?i:und|and|aus|from|vom|von|in|im|speaking|hier|here)\b|$))"


def words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


# "My password is expired" says what is wrong; "my password is sommer" does not.
STATES = words_of(
    """abgelaufen falsch gesperrt weg nicht zu ungültig unbekannt vergessen verloren veraltet schon seit immer nach noch
    neu alt korrekt richtig kurz lang sicher unsicher leer kaputt wieder jetzt nun plötzlich angeblich laut wegen bei
    beim in im am auf für mir mein meine der die das ein eine er es bereits gestern heute morgen bald blockiert
    deaktiviert aktiv inaktiv abgelehnt geändert zurückgesetzt einzugeben erforderlich nötig verschwunden kompromittiert
    expired wrong not invalid locked incorrect too about going no lost forgotten rejected missing blocked disabled
    required old new correct right weak strong empty broken still always already never now being the a an my for on at
    of from since out unknown accepted reset changed set to gone compromised case"""
)
NO_NAME = r"(?!(?i:und|and|ich|i|mein|meine|my|aus|from|in|der|die|das|the|bin|am|habe|have|vom|von)\b)"
CODE_BEFORE = re.compile(
    r"(?:fehler\w*|error(?:[ -]?code)?|errno|stop(?:[ -]?code)?|event(?:[ -]?id)?|ereignis\w*(?:-id)?|exit[ -]?code|"
    r"build|version|status(?:[ -]?code)?|hresult|kb|code:?\s*-)[ \t:#(=-]*-?$",
    re.IGNORECASE,
)
VERSION_BEFORE = re.compile(r"(?:version|ver\.?|build|\bv)[ \t:]*$", re.IGNORECASE)
NOT_A_NAME = words_of("extern external guest gast team support the von van der den und and mrs herr frau")


def mask(text: str, names: Iterable[str] = ()) -> str:
    """The question without personal data, at most 500 characters; empty where nothing else was in it.

    names: what the person is called; they and their parts are taken out wherever they stand.
    """
    text = close_up(unicodedata.normalize("NFC", clean_text(text)))[:READ]
    for pattern, put in RULES:
        text = pattern.sub(put, text)
    text = without_names(text, names)
    return cut(tidy(text), CHARACTERS)


def close_up(text: str) -> str:
    """One blank for many, and at most one empty line: the rules look at every blank from every other one."""
    text = re.sub(r"[^\S\n]+", " ", text)
    return re.sub(r"\n(?: ?\n)+", "\n\n", text)


def without_names(text: str, names: Iterable[str]) -> str:
    """Without these names and every part of them, also with ue for ü, and as a genitive."""
    parts: set[str] = set()
    for name in names:
        whole = unicodedata.normalize("NFC", name).strip()
        words = re.findall(r"[^\W\d_]{3,}", whole)
        parts |= {whole, *(word for word in words if word.lower() not in NOT_A_NAME)} if len(whole) > 1 else set()
    parts |= {spelled_out(part) for part in parts}
    if not parts:
        return text
    wanted = "|".join(re.escape(part) for part in sorted(parts, key=len, reverse=True))
    return re.sub(rf"(?<!\w)(?:{wanted})(?:s|['’]s?)?(?!\w)", "", text, flags=re.IGNORECASE)


def spelled_out(name: str) -> str:
    """Müller as Mueller."""
    for umlaut, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("Ä", "Ae"), ("Ö", "Oe"), ("Ü", "Ue")):
        name = name.replace(umlaut, letters)
    return name


def tidy(text: str) -> str:
    """One space between words, none before a comma, no line and no bracket without a word."""
    text = re.sub(r"\(\s*\)|\[\s*\]|<\s*>|\"\s*\"|„\s*[“”]|'\s*'", "", text)
    text = re.sub(r"[ \t\u00a0]+", " ", text)
    text = re.sub(r" +([,.;:!?])", r"\1", text)
    text = re.sub(r"([,;:])(?:\s*[,;:])+", r"\1", text)
    lines = (re.sub(r"^(?i:und|and)\b\s*", "", line.strip(" ,;:-–—|")) for line in text.split("\n"))
    return "\n".join(line for line in lines if re.search(r"\w", line)).strip()


def cut(text: str, characters: int) -> str:
    """The first characters, up to the end of a word."""
    if len(text) <= characters:
        return text
    return text[:characters].rsplit(None, 1)[0].rstrip(" ,;:-") if " " in text[:characters] else text[:characters]


def drop_value(found: re.Match[str]) -> str:
    """`Passwort ist geheim` without its value, unless that says what is wrong with it."""
    word = found["value"].strip("\"'„“”.,;!?()").lower()
    may_be_state = found["says"].strip().lower() in {"ist", "is", "war", "was"} and not found["quote"]
    return found[0] if word in STATES and may_be_state else found["label"]


def drop_mixed(found: re.Match[str]) -> str:
    """`Passwort Sommer2026!` without what holds both letters and digits; a Windows update keeps its number."""
    value = found["value"]
    mixed = re.search(r"\d", value) and not re.match(r"(?:KB|0x|AADSTS|Windows|Office)\d", value, re.IGNORECASE)
    return found["label"] if mixed else found[0]


def drop_address(found: re.Match[str]) -> str:
    """An IP address goes, a version number stays."""
    numbers = [int(number) for number in found["numbers"].split(".")]
    said_version = VERSION_BEFORE.search(found.string, 0, found.start())
    return found[0] if said_version or max(numbers) > 255 else ""


def drop_digits(found: re.Match[str]) -> str:
    """A long number goes unless it is said to be that of an error."""
    return found[0] if CODE_BEFORE.search(found.string, max(0, found.start() - 40), found.start()) else ""


def drop_link_secrets(found: re.Match[str]) -> str:
    """A link without sign-in, query, fragment, and without parts of its path that look like a token or a person's."""
    path = [part for part in found["path"].split("/") if not re.fullmatch(r"(?=.*\d)[\w.~%+=-]{16,}|[^/]*@.*", part)]
    return f"{found['scheme'] or ''}{found['host']}{'/'.join(path)}"


def drop_token(found: re.Match[str]) -> str:
    """A long string of letters and digits is a key or a token; an error code in hexadecimal is not."""
    word = found[0]
    return word if word.lower().startswith("0x") or not re.search(r"\d", word) else ""


def rule(pattern: str, put: Put = "") -> tuple[re.Pattern[str], Put]:
    return re.compile(pattern, re.MULTILINE), put


# In this order: what is longer and plainer first, so that no half of it is left for another rule.
RULES: list[tuple[re.Pattern[str], Put]] = [
    rule(r"<mailto:[^>]*>|<@[^>]*>|<#[^>]*>|<tel:[^>]*>"),
    rule(
        r"(?P<scheme>(?i:https?|ftp)://)?(?<![\w@.])(?(scheme)(?:[^\s/@]*@)?|(?=(?i:www)\.))"
        r"(?P<host>[\w.-]+(?::\d{1,5})?)(?P<path>(?:/[^\s?#<>\"')|]*)?)(?:[?#][^\s<>\"')]*)?",
        drop_link_secrets,
    ),
    rule(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"),
    rule(r"(?<![\w/])@[\w.-]{2,}"),
    rule(r"(?i)([a-z]:\\(?:users|benutzer|dokumente und einstellungen))\\[^\\\s]+", r"\1"),
    rule(r"(?<![\\/:\w])(?!HK)[A-Za-z][\w-]{1,20}\\[A-Za-z][\w.-]+(?![\\\w])"),
    rule(r"\b[A-Z]{2}\d{2}(?:[ ]?[\dA-Z]{4}){3,7}(?:[ ]?[\dA-Z]{1,4})?\b"),
    rule(r"(?i)\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b|\b[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}\b"),
    rule(r"(?i)(?<![\w:])(?:[0-9a-f]{1,4}:){4,7}[0-9a-f]{1,4}(?![\w:])"),
    rule(r"(?i)(?<![\w:])(?=[0-9a-f:]*::)[0-9a-f]{1,4}(?::{1,2}[0-9a-f]{1,4}){1,7}(?![\w:])"),
    rule(r"(?<![\w.])(?P<numbers>\d{1,3}(?:\.\d{1,3}){3})(?:/\d{1,2})?(?![\w.]*\d)", drop_address),
    rule(r"(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"),
    rule(r"\b(?:[A-Z0-9]{5}-){4}[A-Z0-9]{5}\b"),
    rule(r"(?i)\b(?:TKT-\d+|(?:INC|REQ|RITM|CHG)\d{5,})\b|(?<!\w)#\d{3,}\b"),
    rule(r"(?i)\b(ticket(?:nummer|number|-nr\.?| nr\.?| no\.?)?)[ \t:#]*\d{3,}\b", r"\1"),
    rule(
        r"(?i)\b(tel(?:efon)?(?:nummer)?\.?|durchwahl|handy(?:nummer)?|mobil(?:nummer)?|phone(?: number)?|mobile|cell|"
        r"ext\.?|extension|fax|nummer|number)([ \t]*(?:ist|is|lautet|:|unter)?[ \t]*)[+(]?\d[\d ()/.-]{3,}\d\b",
        r"\1",
    ),
    rule(r"(?<![\w.])(?:\+|00)\d[\d ()/.-]{6,}\d\b"),
    rule(r"(?<![\w.])\(?0\d{2,5}\)?(?:[ ]?[/-][ ]?|[ ])\d{3,}(?:[ -]\d{2,})*\b"),
    rule(r"(?<![\w.])\(\d{3}\)[ ]?\d{3}[- ]\d{4}\b|(?<![\w.-])\d{3}[-.]\d{3}[-.]\d{4}\b"),
    rule(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])|(?<![\w.-])\d{3,}(?:[ -]\d{3,}){2,}(?![\w-])", drop_digits),
    rule(
        rf"\b(?P<label>{PASSWORD}|{USER})[ \t]*(?P<says>[:=]|(?i:lautet|ist|is|war|was)\b[ \t]*:?)[ \t]*"
        r"(?P<quote>[\"'„“]?)(?P<value>[^\s\"“”]+)[\"“”']?",
        drop_value,
    ),
    rule(rf"\b(?P<label>{PASSWORD}|{USER})[ \t]+(?P<value>(?=\S*[^\W\d_])(?=\S*\d)\S{{5,}})", drop_mixed),
    rule(rf"\b({PASSWORD}|{USER})[ \t]+\d{{3,}}\b", r"\1"),
    rule(r"(?<![\w.#-])-?\d{6,}(?![\w])", drop_digits),
    rule(r"\beyJ[\w-]{8,}(?:\.[\w-]*){0,2}"),
    rule(r"(?<![\w/.])(?=[\w+/=.-]*[A-Za-z])[A-Za-z0-9][\w+=-]{19,}(?!\w)", drop_token),
    rule(
        rf"\b(?i:mein name ist|my name is|my name's|ich hei(?:ß|ss)e|name:)[ \t]+{NO_NAME}[^\W\d_][\w'’-]*"
        rf"(?:[ \t]+{NO_NAME}[^\W\d_][\w'’-]*{AFTER_NAME}|[ \t]+{NAME})*"
    ),
    rule(
        rf"\b(?i:ich bin(?: (?:die|der))?|i am|i['’]m|hier ist|hier spricht|this is|it['’]s)[ \t]+"
        rf"{NAME}[ \t]+{NAME}{AFTER_NAME}"
    ),
    rule(rf"\b(?i:ich bin(?: (?:die|der))?|i am|i['’]m)[ \t]+{NAME}{AFTER_NAME}"),
    rule(rf"^[ \t]*{GREETING}(?:[ \t]+(?:{TITLE}|{NAME}|{GENERIC})){{0,5}}[ \t]*(?:[,!.]+|$)"),
    rule(rf"^[ \t]*{GREETING}[ \t]+(?:{TITLE}[ \t]+)+{NAMES}"),
    rule(rf"^[ \t]*{NAME}[ \t]+(?i:hier|here)[ \t]*[.,!:]"),
    rule(rf"\b(?:{TITLE}[ \t]+)+(?:{NAME}[ \t]+)?{NAME}\b"),
    rule(
        rf"{SENTENCE}{SIGN_OFF}\b[ \t]*[,.!]*(?:[ \t]*{NAMES}|[ \t]+[\w.-]+(?:[ \t]+[\w.-]+)?)?[ \t.!]*$"
        rf"(?:\n+[ \t]*{NAME}(?:[ \t]+{NAME}){{0,3}}[ \t]*$){{0,3}}"
    ),
    rule(rf"{SENTENCE}{THANKS}[ \t]*(?:[,.!]+|\n|(?={NAME}))[ \t\n]*{NAME}(?:[ \t]+{NAME})?[ \t]*$"),
]
