"""What people write around a question: greetings, thanks, signatures, quoted mail; in both languages, no model."""

import re
from functools import cache

from nlu.entities import things

_FEW = 3  # words above a quoted mail that are a text of their own; less is "see below"
_LONGEST_MARK = 200  # characters of a line or sentence that is nothing but courtesy
_LAST = 60  # characters in which "vielen Dank im Voraus" stands
_WRAPPED = 60  # characters from which on a line without a full stop was broken by a mail program
_TO_WHOM = r"""
(?:alle )?zusammen
alle(?:rseits|miteinander)
(?:it|all|alle)(?=\s*(?:[,!.]|$))
there(?! (?:is|are|was|were)\b)
(?:it[ -])?team
everyone
everybody
leute
lotse
kolleg\w+
"""
# A name as people write theirs, so no abbreviation, and no thing that the helpdesk knows: "Hi Teams, no sound".
_NAME = r"(?!(?i:THING)\b)(?-i:[^\W\d_][^\W\d_A-ZÄÖÜ]+(?:-\w+)?(?!\w)|[A-ZÄÖÜ]\.)"
_CALLED = r"(?=(?-i:[A-ZÄÖÜ]))NAME(?: (?=(?-i:[A-ZÄÖÜ]))NAME)?(?=\s*[,!])"

_QUOTE_BELOW = r"""
-{2,} ?(?:original message|ursprüngliche nachricht|forwarded message|weitergeleitete nachricht).*
_{8,}
(?:am|on) .{6,80}(?:schrieb|wrote)\b.{0,80}:
"""
_SIGN_OFF = r"""
--$
(?:mit )?(?:freundlich|best|herzlich|viel|lieb|schön)(?:e[nr]?)? gr(?:ü|ue)(?:ß|ss)(?:en?)?\b
mfg\b
gr(?:ü|ue)(?:ß|ss)e?\b(?=[\s,.!]|$)
(?:lg|vg)\b[\s,.!]*(?:NAME[\s,.!]*){0,2}$
(?:best|kind|warm|many)? ?regards\b|best wishes\b|sincerely\b|yours (?:truly|faithfully)
cheers\b,?(?= ?(?:$|\w+$))
sent from my\b|gesendet (?:von meinem|mit der)\b|von meinem (?:iphone|handy) gesendet
"""
_GREETING = r"""
(?:sehr geehrte|dear\b)[^,!.\n]{0,60}[,!.\n]
liebe[rs]?(?: +(?:und )?WHOM)+(?: (?:der|des|vom|von|aus) \w[\w -]{0,30})?(?=\s*(?:[,!.]|$))
(?:hallo(?:chen)?|hi|hey|hello|moin(?: moin)?|servus|grüezi|mahlzeit|tach)(?!\w)@
(?:guten (?:tag|morgen|abend)|good (?:morning|afternoon|evening|day)|greetings)(?!\w)@
""".replace("@", r"(?: +(?:und |and )?(?:liebe[rs]? +|dear +)?WHOM)*")
_POLITE = r"""
(?:(?:vielen|besten|herzlichen|ganz lieben|schon mal) )*(?:dank|danke(?:schön)?)\b@
(?:many )?(?:thanks|thank you|thx|ty)\b(?: (?:a lot|so much|very much|in advance|for (?:your|the|any) \w+))*
(?:ich |wir )?hoffe\w*,? (?:es geht|ihr|euch|du|sie|dir|ihnen)\b.{0,60}
(?:i )?hope (?:you|this|all|everyone)\b.{0,60}
(?:einen )?(?:schönen|guten|angenehmen) (?:tag|feierabend|start|abend|morgen|wochenende)\b.{0,30}
have a (?:nice|great|good|lovely)\b.{0,30}
(?:entschuldig\w*|verzeih\w*)\b.{0,40}(?:stör\w*|umstände|frage)\b.{0,20}
(?:sorry|pardon)\b.{0,40}(?:stör\w*|both\w+|trouble|question)\b.{0,20}
(?:kann|könn\w*|kannst) (?:mir|uns|ihr|sie|du|da|jemand)\b.{0,20}\b(?:helfen|weiterhelfen)
(?:bitte )?(?:um )?(?:schnelle )?hilfe
ich (?:brauche|bräuchte) (?:bitte |mal )?(?:eure|ihre|deine) hilfe
(?:can|could|would) (?:you|(?:any|some)(?:one|body)) (?:please )?help(?: me)?(?: out)?(?: with this)?(?:,? please)?
(?:please )?help(?: me)?(?:,? please)?
any (?:help|ideas?)(?: (?:is|would be) (?:much )?(?:appreciated|great|welcome))?
ich habe? (?:da )?(?:mal )?(?:eine|ne|folgende) (?:kurze |kleine )?frage
(?:eine |kurze )+frage
i have a (?:quick |short )?question|(?:a )?(?:quick|short) question
ich freue mich (?:auf|über).{0,50}
(?:looking|look) forward to\b.{0,40}
was (?:kann|soll) ich (?:da )?(?:tun|machen)|what (?:can|should) i do
""".replace(
    "@", r"(?: (?:schon|mal|dir|euch|ihnen|im|voraus|vorab|für|die|eure|ihre|deine|hilfe|sehr|und|schönen|tag))*"
)
_LAST_THANKS = r"""
(?:(?:vielen|besten) dank|danke(?:schön)?|thanks|thank you|thx)(?: im voraus| in advance| schon mal| a lot| so much)*
"""
_ABBREVIATION = ("z.", "z.B.", "z. B.", "bzw.", "ca.", "Nr.", "e.g.", "i.e.", "Dr.", "Mr.")


def _one_of(lines: str) -> str:
    return f"(?:{'|'.join(lines.split(chr(10))[1:-1])})"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern with what stands in capitals put in; once, and not before it is needed."""
    thing = "|".join(map(re.escape, things()))
    parts = {"WHOM": rf"(?:{_one_of(_TO_WHOM)}\b|{_CALLED})", "NAME": _NAME, "THING": thing}
    for name, part in parts.items():
        pattern = pattern.replace(name, part)
    return re.compile(pattern, _ANY)


_ANY = re.IGNORECASE
_BELOW = re.compile(_one_of(_QUOTE_BELOW), _ANY)
_FROM, _SENT = re.compile(r"(?:von|from): .", _ANY), re.compile(r"(?:gesendet|sent|datum|date): .", _ANY)
_HEADER = re.compile(r"(?:von|an|cc|gesendet|datum|from|to|sent|date): ", _ANY)
_SUBJECT = re.compile(r"^(?:betreff|subject|re|aw|fwd?|wg): ", _ANY)
_SIGNED = rf"(?:^|(?<=[.!?,] )){_one_of(_SIGN_OFF)}"
_POSTSCRIPT = re.compile(r"^(?:p\.? ?s\.?|nachtrag)[:.]? (?=.)", _ANY)
_GREETED = rf"^{_one_of(_GREETING)}[\s,!.:;–-]*"
_POLITE_ALONE = re.compile(rf"(?:und |and )?{_one_of(_POLITE)}[\s.!?,:;–-]*", _ANY)
_THANKS_AT_END = re.compile(rf"[\s,.!–-]+{_one_of(_LAST_THANKS)}[\s.!]*$", _ANY)
_NOT_AN_END = "".join(rf"(?<!\b{re.escape(one)})" for one in _ABBREVIATION) + r"(?<!\b\d\.)(?<!\b\d\d\.)"
_END = re.compile(rf"(?<=[.!?…]){_NOT_AN_END} |\n")


def telling_sentences(text: str) -> list[str]:
    """The sentences of a text that are not courtesy, without greeting, signature and quoted mail; may be none."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    own = "\n".join(_unwrapped(_without_signature(_without_quotes(lines))))
    kept = [_without_greeting(sentence) for sentence in _END.split(own)]
    said = [_without_last_thanks(sentence) for sentence in kept if not _is_polite(sentence)]
    return [sentence for sentence in said if sentence]


def _without_quotes(lines: list[str]) -> list[str]:
    """Without mail headers and quoted mail; the subject stays. Where hardly anything stands above it, all stays."""
    ends = (place for place, line in enumerate(lines) if _begins_quote(line, lines[place + 1 : place + 3]))
    above = lines[: next(ends, len(lines))]
    above = above if sum(len(line.split()) for line in above) >= _FEW else lines
    return [_SUBJECT.sub("", line) for line in above if not (line.startswith(">") or _HEADER.match(line))]


def _begins_quote(line: str, below: list[str]) -> bool:
    if len(line) > _LONGEST_MARK:
        return False
    return _BELOW.fullmatch(line) is not None or (
        _FROM.match(line) is not None and any(_SENT.match(one) for one in below)
    )


def _without_signature(lines: list[str]) -> list[str]:
    """Without the sign-off and what stands below it, except a postscript."""
    for place, line in enumerate(lines):
        signed = _compiled(_SIGNED).search(line)
        if signed is not None and (line[: signed.start()].strip() or any(lines[:place])):
            after = [n for n in range(place + 1, len(lines)) if _POSTSCRIPT.match(lines[n])][:1]
            below = [_POSTSCRIPT.sub("", one) for n in after for one in lines[n:]]
            return [*lines[:place], line[: signed.start()], *below]
    return lines


def _unwrapped(lines: list[str]) -> list[str]:
    """A line that its mail program broke goes on in the next one."""
    whole: list[str] = []
    is_broken = False
    for line in lines:
        if is_broken and line:
            whole[-1] += f" {line}"
        else:
            whole.append(line)
        is_broken = len(line) >= _WRAPPED and line[-1] not in ".!?:…"
    return whole


def _without_greeting(sentence: str) -> str:
    rest = _compiled(_GREETED).sub("", sentence, count=1).strip()
    return rest[:1].upper() + rest[1:] if rest != sentence.strip() and sentence[:1].isupper() else rest


def _is_polite(sentence: str) -> bool:
    return len(sentence) <= _LONGEST_MARK and _POLITE_ALONE.fullmatch(sentence) is not None


def _without_last_thanks(sentence: str) -> str:
    """Only the end of a sentence is looked at: it may be very long."""
    start = max(0, len(sentence) - _LAST)
    return (sentence[:start] + _THANKS_AT_END.sub("", sentence[start:])).strip()
