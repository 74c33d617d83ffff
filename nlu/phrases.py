"""Plain signs of frustration and urgency, in both languages; no model, so that everybody can read why."""

import re

from nlu.text import LONGEST

_FRUSTRATION = r"""
(?:das|es) (?:kann|darf) doch nicht wahr sein
bin (?:so |echt |langsam |total |ziemlich )*(?:sauer|wütend|wuetend|genervt|stinksauer|verzweifelt|frustriert)
(?:echt|total|ziemlich|langsam|absolut|nur noch) (?:sauer|wütend|genervt|angefressen|nervig|ätzend|frustrierend)
(?:das|es|so langsam|langsam) nervt|nervt (?:mich|langsam|echt|total|nur noch|gewaltig|so)
zum (?:kotzen|verzweifeln|haare ?raufen|mäusemelken|maeusemelken)|könnte (?:schreien|heulen)
(?:eine|so eine) (?:frechheit|zumutung|katastrophe|unverschämtheit)|unverschämt|unverschaemt|unfassbar
(?:schnauze|nase) voll|jetzt reicht(?:'s|s| es)|mir reicht(?:'s|s| es)
keine (?:lust|nerven|geduld) mehr|geduld (?:ist |langsam )*am ende|am ende meiner geduld
(?:so ein|was für ein|was fuer ein|dieser|dieses) (?:mist|dreck|scheiß\w*|scheiss\w*|saftladen|schrott)
scheiß\w*|scheiss\w*|verdammt\w*|verflixt\w*
zum (?:dritten|vierten|fünften|fuenften|zehnten|hundertsten|x-ten|xten|wiederholten) mal
schon (?:wieder|dreimal|viermal|fünfmal|zigmal|x-mal|mehrfach|mehrmals) (?:gemeldet|gefragt|geschrieben|erklärt)
(?:niemand|keiner) (?:hilft|antwortet|reagiert|kümmert sich|meldet sich|fühlt sich zuständig)
(?:völlig|voellig|komplett|absolut) (?:nutzlos|unbrauchbar|unfähig)|zeitverschwendung
(?:du verstehst|sie verstehen) (?:mich |das |es )(?:einfach |überhaupt |gar )?nicht|du kapierst\b.{0,40}\bnicht
(?:this|that|it) is (?:just |so |absolutely |beyond )?(?:ridiculous|unacceptable|a joke|infuriating|outrageous|pathetic)
(?:that|it)'?s (?:just |so |absolutely |beyond )?(?:ridiculous|unacceptable|a joke|infuriating|outrageous|pathetic)
driving me (?:nuts|crazy|mad|insane|up the wall)|fed up|sick of (?:this|it|waiting|your)|sick and tired
(?:so|very|really|extremely|incredibly|beyond) (?:annoying|annoyed|frustrating|frustrated|angry|upset)
i(?:'|’)?\s?a?m (?:frustrated|annoyed|angry|furious|fuming|desperate|losing it|losing my (?:mind|patience))
(?:losing|lost|out of|running out of) patience|(?:had|have had) enough|waste of (?:my )?time|pissed(?: off)?
wtf|ffs|for (?:god|heaven|fuck)'?s sake|bullshit|fucking|bloody \w+|damn (?:thing|computer|laptop|printer|it)
the (?:third|fourth|fifth|tenth|hundredth|umpteenth|nth) time|how many (?:more )?times
(?:nobody|no one|noone) (?:helps|is helping|answers|responds|is responding|cares|gets back)
you (?:don't|dont|do not|clearly don't) (?:understand|get it)|you(?:'re| are) (?:useless|no help|not listening)
"""

_URGENCY = r"""
dringend(?:e[rsnm]?)?|dringlich|brandeilig|eilig|eilt|notfall|asap|hohe priorität|höchste priorität
so schnell wie (?:möglich|moeglich)|schnellstmöglich|schnellstmoeglich|umgehend
(?:bitte|jetzt|ab) sofort|sofort (?:hilfe|jemand(?:en)?|eine lösung)
(?:brauche|benötige|benoetige|muss)\b.{0,40}\b(?:heute noch|jetzt gleich|bis heute|bis mittag|in den nächsten minuten)
in (?:einer halben|einer|zehn|zwanzig|dreißig|fünf|wenigen|\d+) (?:stunden?|minuten|min) (?:habe|beginnt|muss|fängt)
(?:termin|meeting|präsentation|abgabe|kunden) (?:ist |beginnt |kommt )?in (?:einer|zehn|fünf|wenigen|\d+)
(?:termin|präsentation|praesentation|abgabe|deadline|frist|meeting|prüfung) (?:ist |beginnt |läuft )?gleich
produktion (?:steht|ist gestoppt)|nichts geht mehr
(?:kann|können|kannst) (?:so |gar |überhaupt |absolut )*nicht (?:mehr )?(?:weiter)?arbeiten
urgent(?:ly)?|as soon as possible|right away|an emergency|emergency|time.critical|(?:high|top|highest) priority
(?:need|needs|must have)\b.{0,40}\b(?:right now|immediately|today|within the hour|by noon|by tonight|by eod)
(?:please|help|fix this|fix it|call me) (?:immediately|right now)|immediately please
(?:meeting|presentation|deadline|call|demo|interview) (?:is |starts )?in (?:\d+|five|ten|half|an|a few) ?(?:min|h|an)\w*
(?:can't|cannot|cant|unable to) (?:do any )?work (?:at all|anymore|any more)|can't do any work
production (?:is |has )?(?:down|stopped)|blocking (?:me|us|everyone|the whole team)
"""

_NEGATED = r"""
nicht (?:so |sehr |besonders |wirklich |ganz so )*(?:dringend|eilig)|eilt nicht|keine eile|kein notfall
nicht sofort|dringend empfohlen|notfall(?:handbuch|plan|nummer|kontakt)
nicht (?:mehr )?(?:genervt|frustriert|sauer|wütend)|in einer stunde (?:ist es|geht es) vorbei
not (?:that |very |so |really |at all |terribly )*urgent|isn't (?:that |very )?urgent
no (?:rush|hurry|emergency)
not an emergency|emergency (?:contact|exit|number|call|phone|access)s?|not (?:frustrated|annoyed|angry)
"""

_SHOUTED = re.compile(r"[!?]{3,}")
_LONG_WORD = re.compile(r"[^\W\d_]{3,}")


def signs_of_frustration(text: str) -> bool:
    """Whether somebody sounds angry or at the end of their patience: set phrases, or a sentence shouted."""
    return _has(_FRUSTRATION_SIGNS, text) or _is_shouted(text)


def signs_of_urgency(text: str) -> bool:
    """Whether somebody says that it cannot wait; "not urgent" and the like do not count."""
    return _has(_URGENCY_SIGNS, text)


def _one_of(lines: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(lines.split(chr(10))[1:-1])})(?!\w)", re.IGNORECASE)


_FRUSTRATION_SIGNS, _URGENCY_SIGNS, _NEGATIONS = map(_one_of, (_FRUSTRATION, _URGENCY, _NEGATED))


def _has(signs: re.Pattern[str], text: str) -> bool:
    plain = " ".join(text[:LONGEST].split()).replace("’", "'")
    return bool(signs.search(_NEGATIONS.sub(" ", plain)))


def _is_shouted(text: str) -> bool:
    """Mostly capitals and "!!!": not an abbreviation, not an error code."""
    words = _LONG_WORD.findall(text[:LONGEST])
    loud = [word for word in words if word.isupper()]
    return len(loud) >= 3 and len(loud) >= 0.7 * len(words) and bool(_SHOUTED.search(text))
