"""What makes the words of an agent a note: a mark at their beginning, also behind colleagues mentioned first."""

import re
from collections.abc import Iterator, Sequence

# What a note may begin with before its mark: formatting, and characters that nobody sees, which come with pasted text.
UNSEEN = re.compile(r"[\s*_~`>•\-\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe0f\ufeff]*")
REPLY = re.compile(r"/reply(?![\w/-])[ \t:]*", re.IGNORECASE)
NOTE = r"/(?:note|notiz)(?![\w/-])[ \t:]*"
LOCK, LIKE_A_LOCK = "🔒", ("🔐", "🔏")
LONGEST_NAME, LONGEST_PLAIN_NAME = 4, 7  # words, whatever they are; and of names only: `@Dr. Tomasz van der Wilk`
OF_NAMES = {"von", "van", "vom", "zu", "zur", "der", "den", "de", "del", "della", "di", "da", "dos", "la", "le", "ter"}
IN_BRACKETS = re.compile(r"\([^()\n]*\)|\[[^\[\]\n]*\]")  # what companies put behind names: `(IT Service Desk)`
LONGEST_MENTIONS = 300  # characters
JOINED_BY = {"und", "and", "&", "+"}
NOT_OF_A_NAME = re.compile(r"[:;!?](\s|$)|://|\n")


def note_in(text: str, marks: Sequence[str]) -> str | None:
    """The words of a note without the mark that makes them one; None for what is no note by itself.

    The mark stands first, or behind `/reply` or mentions, which are kept. `/note` is one, too.
    """
    start, is_reply = unseen(text, 0), False
    while (reply := REPLY.match(text, start)) is not None:
        start, is_reply = unseen(text, reply.end()), True
    marked = text.lstrip().startswith(tuple(filter(None, marks)))  # a mark can look like formatting
    text = text.lstrip() if marked else text[start:]
    for at, end in marks_in(text, marks, only_alone=is_reply):
        before = text[:at].strip()
        if not before or are_mentions(before):
            return f"{before} {text[end:].strip()}".strip()
    return None


def behind(text: str, names: Sequence[str]) -> str:
    """What stands behind the mentions of these names at the beginning of a text."""
    while True:
        rest = text[unseen(text, 0) :].lstrip(",;&+ \n")
        word = rest.partition(" ")[0]
        rest = rest.removeprefix(word).lstrip() if word.lower() in JOINED_BY else rest
        name = next((name for name in sorted(names, key=len, reverse=True) if rest.startswith(f"@{name}")), None)
        if name is None:
            return text
        text = rest[len(name) + 1 :]


def without_reply(text: str) -> str | None:
    """What stands behind `/reply`; None for what does not begin with it."""
    reply = REPLY.match(text)
    return text[reply.end() :].strip() if reply is not None else None


def unseen_at_end(text: str) -> str:
    """The text without what nobody sees at its end."""
    while text and UNSEEN.fullmatch(text[-1]):
        text = text[:-1]
    return text


def unseen(text: str, start: int) -> int:
    """Where the first character stands that matters."""
    found = UNSEEN.match(text, start)
    return found.end() if found is not None else start


def marks_in(text: str, marks: Sequence[str], *, only_alone: bool) -> Iterator[tuple[int, int]]:
    """Where marks begin and end near the beginning; one inside of a word or an address is none. only_alone: what
    follows it at once makes it part of a word, such as `//srv01/share`."""
    known = (*marks, *(LIKE_A_LOCK if LOCK in marks else ()))
    wanted = re.compile("|".join([NOTE, *(re.escape(mark) for mark in known if mark)]), re.IGNORECASE)
    for found in wanted.finditer(text, 0, LONGEST_MENTIONS):
        before, behind = text[found.start() - 1 : found.start()], text[found.end() :][:1]
        begins = not before or before.isspace() or UNSEEN.fullmatch(before) is not None
        ends = not behind or behind.isspace()
        command = found[0].startswith("/") and found[0] not in marks
        if command or not found[0].isascii() or ends or (begins and not only_alone):
            yield found.span()


def are_mentions(text: str) -> bool:
    """Whether words are nothing but mentions: each an `@` with the few words that a name can have.

    Chat platforms do not say where the name in a mention ends. In doubt a word belongs to it: rather a note too many
    than one that leaks. A colon, or whatever ends a sentence, ends the name, and what stands behind it is no mention.
    """
    opening, *names = unseen_at_end(IN_BRACKETS.sub(" ", text)).rstrip(" \t\n,:;-–").split("@")
    return not opening and bool(names) and all(map(is_name, names))


def is_name(text: str) -> bool:
    """Whether this can stand behind an `@`: `Tomasz Wilk`, `Wilk, Tomasz (IT) und`."""
    plain = text.strip(" \t\n,*_~")
    words = [word for word in plain.split() if word.lower() not in JOINED_BY]
    behind_comma = re.split(r",\s+", plain)[1:]
    return (
        len(words) <= (LONGEST_PLAIN_NAME if all(map(is_of_a_name, words)) else LONGEST_NAME)
        and NOT_OF_A_NAME.search(plain) is None
        and not any(part[:1].islower() for part in behind_comma if part.lower() not in JOINED_BY)
    )


def is_of_a_name(word: str) -> bool:
    """Whether a word is one that names are made of: `Tomasz`, `van`."""
    return word[:1].isupper() or word in OF_NAMES
