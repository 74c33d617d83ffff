"""`lotse explain`: why a question would be answered or not, in words for those who write articles."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape
from rich.table import Table

from bot.cli_kb import knowledge_base, language_of
from bot.terminal import CONFIG, ConfigOption, JsonOption, out, print_json, settings_from

if TYPE_CHECKING:
    from kb_index.explaining import Explanation, Moved, Word
    from kb_index.port import SearchResult
    from kb_index.search import KnowledgeBase

EXAMPLES = "[dim]Examples:[/]  "
EPILOG = f'{EXAMPLES}lotse explain "VPN geht nicht"   ·   lotse explain "reset my password" --lang en'
LANGUAGES = {"de": "German", "en": "English"}
LITTLE, MUCH = 0.1, 0.7  # log-odds: 0.1 moves 50 % by 2 points, 0.7 by 17
WORTH = 0.2  # below it the first ones are alike only in not answering
SHORTEST, MOST_WORDS = 4, 3  # letters of a word worth naming, and how many are named
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
    from bot.wording import sensitive_topic  # noqa: PLC0415 - seconds

    if not question.strip():
        raise typer.BadParameter("there is no question; write one in quotation marks")
    settings = settings_from(config)
    with knowledge_base(settings) as knowledge:
        found = explained_as_asked(knowledge, question, lang or language_of(question, settings))
    risk, topic = settings.answering.max_wrong, sensitive_topic(question, settings.sensitive)
    if as_json:
        print_json(as_plain(question, found, risk, topic))
    else:
        tell(question, found, risk, topic)


def explained_as_asked(knowledge: "KnowledgeBase", question: str, language: str) -> "Explanation":
    """What is found for a question by the words that Lotse would search for, and why."""
    from bot.asking import searches_of  # noqa: PLC0415 - seconds, like the next two
    from bot.searching import LONGEST_ASKED, surest  # noqa: PLC0415
    from kb_index.explaining import explain as explained  # noqa: PLC0415

    inquiry = [(question, words) for words in searches_of(question[:LONGEST_ASKED])]
    _, result, _ = surest(knowledge, inquiry, language, {})
    found = explained(knowledge, result.question if result else question, language)
    return replace(found, result=result or found.result)


def as_plain(question: str, found: "Explanation", max_wrong: float, topic: str | None = None) -> dict[str, Any]:
    """Everything as plain values."""
    told = {"verdict": verdict(found.result, max_wrong, topic), "would_help": list(advice(found))}
    return {"asked": question, **asdict(found), **told}


def tell(question: str, found: "Explanation", max_wrong: float, topic: str | None = None) -> None:
    """The explanation for a person: what would happen and what would help, then how it came about."""
    out().print(f"[bold]{escape(question)}[/] ({name_of(found.result.language)})")
    out().print(verdict(found.result, max_wrong, topic), markup=False)
    for sentence in advice(found):
        out().print(f"  · {sentence}", markup=False)
    searched = found.result.question
    if searched != question.strip():
        out().print(f"Searched: {searched}", markup=False)
    if is_translated(found):
        out().print(f"Read word by word as: {found.read_as}", markup=False)
    if found.words and not is_twin(found):
        out().print(words_table(found.words))
    if found.result.hits:
        out().print(hits_table(found.result))
    if found.moved:
        out().print(moves_table(found.moved))


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
    """What made the first one more or less sure than a usual question; --json has everything, with the values."""
    table = Table("what made the first one more or less sure than usual", "")
    for one in moved:
        if abs(one.contribution) >= LITTLE:
            table.add_row(escape(one.words), effect(one.contribution))
    return table


def effect(contribution: float) -> str:
    """Log-odds in words."""
    size = abs(contribution)
    if size < LITTLE:
        return "hardly matters"
    strength = "strongly" if size >= MUCH else "a little" if size < MUCH / 2 else ""
    colour, verb = ("green", "raises") if contribution > 0 else ("red", "lowers")
    return f"[{colour}]{verb} {strength}[/]".replace(" [/]", "[/]")


def verdict(result: "SearchResult", max_wrong: float, topic: str | None = None) -> str:
    """What Lotse would do, in one sentence. topic: the sensitive topic that the question's words touch."""
    if topic is not None:
        return f"A person would be brought in, whatever is found: its words belong to the sensitive topic “{topic}”."
    if not result.hits:
        return "A person would be brought in: no article was found."
    first, risk = result.hits[0], f"for at most {max_wrong:.0%} wrong answers"
    sure, needed = compared(first.confidence.probability, result.answer_from)
    if is_answered(result):
        return f"It would be answered with “{first.title}”: {sure} sure; {needed} is enough {risk}."
    among, enough = compared(result.among_first.probability, result.ask_from)
    unsure = f"“{first.title}” is {sure} sure, and an answer needs {needed} {risk}"
    offered = f"with {among} one of the first three is right, and offering them needs {enough}"
    return f"{'It would be asked back' if is_offered(result) else 'A person would be brought in'}: {unsure}; {offered}."


def is_answered(result: "SearchResult") -> bool:
    return result.answer_from is not None and result.hits[0].confidence.probability >= result.answer_from


def is_offered(result: "SearchResult") -> bool:
    return result.ask_from is not None and result.among_first.probability >= result.ask_from


def compared(share: float, threshold: float | None) -> tuple[str, str]:
    """Both in words, as exactly as it takes to tell them apart."""
    if threshold is None:
        return f"{share:.0%}", "more than this calibration can tell"
    digits = 0 if f"{share:.0%}" != f"{threshold:.0%}" else 1
    return f"{share:.{digits}%}", f"{threshold:.{digits}%}"


def advice(found: "Explanation") -> Iterator[str]:
    """What somebody who writes articles can do about it; the most important first."""
    result, hits = found.result, found.result.hits
    if hits and result.calibration == "none":
        yield "Nothing was learnt for such questions yet: run `lotse calibrate`. Until then nothing is answered."
    elif hits and result.answer_from is None:
        yield "The calibration cannot keep this risk: run `lotse calibrate`, or raise answering.max_wrong."
    if not hits:
        yield "If Lotse should answer it, it needs an article of its own."
        return
    best, read = hits[0], () if is_translated(found) else found.words
    if "named" in best.signals:
        yield f"This very question stands among the alternative questions of “{best.title}”: that decides."
        return
    if best.confidence.probability < WORTH:
        begin = f"It may need an article of its own{nowhere(read)}"
        yield f"{begin}. If “{best.title}” is about it after all, add the question to its alternative questions."
        return
    if best.language != result.language:
        spoken, asked = name_of(best.language), name_of(result.language)
        yield f"“{best.title}” is in {spoken} and was found word by word: in {asked} it would be found more surely."
    elif not is_answered(result):
        case = f"If only “{best.title}” is meant" if is_offered(result) else f"If “{best.title}” is the right one"
        how = ": it was only found by its version in another language" if is_twin(found) else ""
        yield f"{case}, {missing(read)}add the question to its alternative questions{how}."
    second = hits[1].confidence.probability if len(hits) > 1 else 0.0
    if not is_answered(result) and second >= NEAR * best.confidence.probability:
        yield f"“{hits[0].title}” and “{hits[1].title}” are nearly as good: say in each title what sets it apart."


def is_translated(found: "Explanation") -> bool:
    """Whether the words that led are those of another language."""
    return found.read_as != found.result.question


def is_twin(found: "Explanation") -> bool:
    """Whether the first one was found by its version in another language."""
    return is_translated(found) and found.result.hits[0].language == found.result.language


def nowhere(words: "Iterable[Word]") -> str:
    """The words that no passage holds, as the end of a sentence."""
    unknown = telling(word for word in words if not word.passages)
    return f": none says {' or '.join(unknown)}" if unknown else ""


def missing(words: "Iterable[Word]") -> str:
    """What could be written into the first one, as the middle of a sentence."""
    absent = telling(word for word in words if word.rare and not word.covered)
    return f"write {' and '.join(absent)} into it, as people say it, or " if absent else ""


def telling(words: "Iterable[Word]") -> list[str]:
    """The words that probably say most: the longest."""
    long = sorted((word.text for word in words if len(word.text) >= SHORTEST), key=len, reverse=True)
    return [f"'{word}'" for word in long[:MOST_WORDS]]
