"""What an evaluation does not show, in sentences: too few questions, promises that do not hold."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from types import MappingProxyType
from typing import Any

from kb_index.question_files import Question

FEW = 100  # answerable questions; with fewer the interval of a share is wider than 20 points
NAMES = {"de": "German", "en": "English", "crosslingual": "across languages", "all": "all together"}
Numbers = Mapping[str, Any]
NONE: Mapping[str, str] = MappingProxyType({})


def shortcomings(
    report: Numbers,
    questions: Sequence[Question],
    known: Set[str],
    for_agents: Set[str] = frozenset(),
    reasons: Mapping[str, str] = NONE,
) -> list[str]:
    """What does not hold, most important first.

    known: slugs of the articles there are, for_agents: of those that only agents may read. reasons: by language or pair
    of languages, why there is no calibration.
    """
    languages, across = report["languages"], report["crosslingual"]
    groups = {**languages, **({"crosslingual": across} if across else {})}.items()
    found = told(reasons)
    found += [said for name, one in groups for said in broken(name, one, report["risks"], explained=name in reasons)]
    found += [sentence for name, one in groups for sentence in few(name, one)]
    found += [sentence for name, one in languages.items() for sentence in one_sided(name, one)]
    return [*found, *out_of_reach(questions, known, for_agents)]


def told(reasons: Mapping[str, str]) -> list[str]:
    """Reasons by language, as sentences."""
    return [f"{name_of(pair)}: {why}" for pair, why in reasons.items()]


def broken(language: str, measures: Numbers, risks: Iterable[str], *, explained: bool) -> Iterator[str]:
    """Promises that were broken, or that were kept by what may be luck. explained: why nothing is answered was said."""
    for risk in risks:
        promised, wrong, bound = float(risk), measures[f"wrong@{risk}"], measures[f"wrong_upper@{risk}"]
        answers = round(measures[f"answered@{risk}"] * measures["n"])
        begin = f"{name_of(language)}, at most {promised:.0%} wrong"
        if bound is None:
            if not explained:
                yield f"{begin}: nothing is answered, the risk cannot be kept"
        elif wrong > promised:
            yield f"{begin}: not kept, {wrong:.1%} of {answers} answers were wrong"
        elif bound > promised:
            yield (
                f"{begin}: kept with {wrong:.1%}, but {answers} answers are too few to be sure "
                f"(up to {bound:.1%} cannot be ruled out)"
            )


def few(language: str, measures: Numbers) -> Iterator[str]:
    """Too few questions for a verdict."""
    if measures["answerable"] < FEW:
        yield f"{name_of(language)}: only {measures['answerable']} with an answer; every share is rough below {FEW}"


def one_sided(language: str, measures: Numbers) -> Iterator[str]:
    """Questions without an answer that are missing for a verdict."""
    name = name_of(language)
    if measures["answerable"] == measures["n"]:
        yield f"{name}: no question without an answer was asked; the wrong answers to such ones are missing here"
    elif not measures["near"]:
        yield f"{name}: no `near` question without an answer; far ones are told apart more easily"


def out_of_reach(questions: Sequence[Question], known: Set[str], for_agents: Set[str]) -> Iterator[str]:
    """Questions whose articles nobody who asks them can find."""
    answerable = [question for question in questions if question.answerable]
    lost = sum(not question.gold & known for question in answerable)
    if lost:
        yield f"{lost} questions are answered by articles that are not in this knowledge base; they count as not found"
    hidden = sum(bool(question.gold & known) and question.gold & known <= for_agents for question in answerable)
    if hidden:
        yield f"{hidden} questions are answered by articles that only agents may read; they count as not found"


def name_of(pair: str) -> str:
    """A language, or a pair of them (`de>en`), for people."""
    asked, _, spoken = pair.partition(">")
    name = NAMES.get(asked, asked)
    return f"{name}, answered in {NAMES.get(spoken, spoken)}" if spoken else name
