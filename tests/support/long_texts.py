"""Very long and very odd texts, whose words can be told apart."""

import re

MARK = re.compile(r"wört\d{5}ß")
ODD = (
    "Umlaute äöü ÄÖÜ ß, Emoji 👩🏽‍💻🇩🇪🏳️‍🌈🙂, Zeichen < > & * _ ~ ` | [x](y), ein @channel, <!here>, <@U1>, "
    "e\u0301 zusammengesetzt, עברית, \u202e umgedreht \u202c, ein\u00a0Leerzeichen, \\ und $"
)


class Words:
    """Words that can be told apart, one after the other."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, count: int) -> str:
        first, self.number = self.number, self.number + count
        return " ".join(f"wört{number:05}ß" for number in range(first, self.number))


def article(characters: int) -> str:
    """Markdown with everything an article may have: headings, paragraphs, lists, code, tables, quotes, links."""
    some, parts = Words(), list[str]()
    pieces = (
        lambda: f"## Abschnitt {some(2)}",
        lambda: f"{some(40)}. {ODD} {some(30)}.",
        lambda: "\n".join(f"{number}. **{some(1)}** {some(12)}" for number in range(1, 12)),
        lambda: "\n".join(f"- {some(9)}\n  - darunter `{some(1)}`" for _ in range(8)),
        lambda: f"```bash\n{chr(10).join(f'lotse --{some(6)} | grep <x> && echo *y*' for _ in range(25))}\n```",
        lambda: "\n".join(
            ["| Spalte | Wert | Ä |", "|---|:--:|--:|", *(f"| {some(2)} | {some(1)} | {some(3)} |" for _ in range(30))]
        ),
        lambda: f"> {some(20)}",
        lambda: some(600),
    )
    while sum(map(len, parts)) < characters:
        parts.append(pieces[len(parts) % len(pieces)]())
    return "\n\n".join(parts)


def long_text(characters: int) -> str:
    """As people write: lines, paragraphs, code, odd characters, no Markdown that means anything."""
    some, parts = Words(), list[str]()
    pieces = (
        lambda: f"{some(50)}, {ODD} {some(20)}!",
        lambda: "\n".join(f"{number}) {some(10)}" for number in range(9)),
        lambda: f"```\n{chr(10).join(f'<log> {some(5)} & ende' for _ in range(40))}\n```",
        lambda: f"`{some(3)}` *{some(5)}* _{some(5)}_ | {some(4)} | {some(2)} |",
        lambda: some(500),
    )
    while sum(map(len, parts)) < characters:
        parts.append(pieces[len(parts) % len(pieces)]())
    return "\n\n".join(parts)


def contains(everything: list[str], wanted: list[str]) -> bool:
    """Whether these words are there, one right after the other."""
    starts = [at for at, word in enumerate(everything) if word == wanted[0]]
    return any(everything[at : at + len(wanted)] == wanted for at in starts)
