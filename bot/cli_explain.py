"""`lotse explain`: why a question would be answered or not, in words for those who write articles."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape
from rich.table import Table

from bot.cli_kb import knowledge_base, language_of
from bot.terminal import CONFIG, ConfigOption, JsonOption, out, print_json, settings_from

if TYPE_CHECKING:
    from kb_index.explaining import Explanation, Moved, Word
    from kb_index.port import SearchResult

EXAMPLES = "[dim]Examples:[/]  "
EPILOG = f'{EXAMPLES}lotse explain "VPN geht nicht"   ·   lotse explain "reset my password" --lang en'
LANGUAGES = {"de": "German", "en": "English"}
LITTLE, MUCH = 0.1, 0.7  # log-odds: 0.1 moves 50 % by 2 points, 0.7 by 17
WORTH = 0.2  # below it the first ones are alike only in not answering
NEAR = 0.8  # a second article this near to the first makes the choice unsure


def explain(
    question: Annotated[str, typer.Argument(help="A question, as a person would ask it.")],
    config: ConfigOption = CONFIG,
    lang: Annotated[
        Literal["de", "en"] | None, typer.Option(help="The question's language; recognised, if not given.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show why Lotse would answer a question or not: its words, what was found, what made it sure, what would help."""
    settings = settings_from(config)
    with knowledge_base(settings) as knowledge:
        from kb_index.explaining import explain as explained  # noqa: PLC0415 - heavy

        found = explained(knowledge, question, lang or language_of(question, settings))
    if as_json:
        print_json(as_plain(found, settings.answering.max_wrong))
    else:
        tell(found, settings.answering.max_wrong)


def as_plain(found: "Explanation", max_wrong: float) -> dict[str, Any]:
    """Everything as plain values."""
    return {**asdict(found), "verdict": verdict(found.result, max_wrong), "would_help": list(advice(found))}


def tell(found: "Explanation", max_wrong: float) -> None:
    """The explanation for a person."""
    out().print(f"[bold]{escape(found.result.question)}[/] ({name_of(found.result.language)})")
    if found.words:
        out().print(words_table(found.words))
    if found.result.hits:
        out().print(hits_table(found.result))
    if found.moved:
        out().print(moves_table(found.moved))
    out().print(verdict(found.result, max_wrong), markup=False)
    for sentence in advice(found):
        out().print(f"  · {sentence}", markup=False)


def name_of(language: str) -> str:
    return LANGUAGES.get(language, language)


def words_table(words: "Sequence[Word]") -> Table:
    """What was read in the question."""
    table = Table("word", "passages with it", "rare", "in the first passage")
    for word in words:
        rare = "unknown" if not word.passages else "rare" if word.rare else ""
        table.add_row(escape(word.text), str(word.passages), rare, "yes" if word.covered else "[yellow]no[/]")
    return table


def hits_table(result: "SearchResult") -> Table:
    """What was found; --json has the raw scores of each way of searching."""
    table = Table("sure", "title", "passage", "article")
    for hit in result.hits:
        sure = f"{hit.confidence.probability:.0%}"
        table.add_row(sure, escape(hit.title), escape(hit.heading), str(hit.article_id))
    return table


def moves_table(moved: "Sequence[Moved]") -> Table:
    """What made the first one more or less sure than a usual question."""
    table = Table("what made it sure or unsure (the first one)", "value", "", title_justify="left")
    for one in moved:
        table.add_row(escape(one.words), f"{one.value:.2f}", effect(one.contribution))
    return table


def effect(contribution: float) -> str:
    """Log-odds in words."""
    size = abs(contribution)
    if size < LITTLE:
        return "hardly matters"
    strength = "strongly" if size >= MUCH else "a little" if size < MUCH / 2 else ""
    colour, verb = ("green", "raises") if contribution > 0 else ("red", "lowers")
    return f"[{colour}]{verb} {strength}[/]".replace(" [/]", "[/]")


def verdict(result: "SearchResult", max_wrong: float) -> str:
    """What Lotse would do, in one sentence."""
    if not result.hits:
        return "A person would be brought in: no article was found."
    first, sure = result.hits[0], result.hits[0].confidence.probability
    risk = f"at most {max_wrong:.0%} wrong answers"
    if result.answer_from is not None and sure >= result.answer_from:
        enough = f"enough for {risk} is {result.answer_from:.0%}"
        return f"It would be answered with “{first.title}”: {sure:.0%} sure, {enough}."
    unsure = f"“{first.title}” is {sure:.0%} sure, and an answer needs {limit(result.answer_from, risk)}"
    among = f"that one of the first three answers is {result.among_first.probability:.0%} sure"
    if result.ask_from is not None and result.among_first.probability >= result.ask_from:
        return f"It would be asked back: {unsure}; {among}, enough to offer them is {result.ask_from:.0%}."
    return f"A person would be brought in: {unsure}; {among}, and offering them needs {limit(result.ask_from)}."


def limit(threshold: float | None, risk: str = "") -> str:
    """A threshold in words."""
    if threshold is None:
        return "more than this calibration can tell"
    return f"{threshold:.0%}" + (f" for {risk}" if risk else "")


def advice(found: "Explanation") -> Iterator[str]:
    """What would help somebody who writes articles."""
    hits = found.result.hits
    translated = found.read_as != found.result.question
    if translated:
        yield f"It was searched in another language, as “{found.read_as}”: an article in its own would help."
    if hits and found.result.calibration == "none":
        yield "Nothing was learnt for such questions yet: run `lotse calibrate`. Until then nothing is answered."
    elif hits and found.result.answer_from is None:
        yield "The calibration cannot keep this risk: run `lotse calibrate`, or raise answering.max_wrong."
    if not translated:
        yield from about_words(found.words)
    first, second = ([hit.confidence.probability for hit in hits] + [0.0, 0.0])[:2]
    if first >= WORTH and second >= NEAR * first:
        yield f"“{hits[0].title}” and “{hits[1].title}” are nearly as good: say in each title what sets it apart."


def about_words(words: "Sequence[Word]") -> Iterator[str]:
    """Words that no passage holds, and rare ones that the first does not."""
    unknown = [f"'{word.text}'" for word in words if not word.passages]
    if unknown:
        yield f"No passage mentions {' or '.join(unknown)}: write it where it belongs, also as people call it."
    missed = [f"'{word.text}'" for word in words if word.passages and word.rare and not word.covered]
    if missed:
        yield f"The first passage does not mention {' or '.join(missed)}, other ones do."
