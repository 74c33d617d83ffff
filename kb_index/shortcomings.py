"""What an evaluation does not show, in sentences: too few questions, promises that do not hold."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

from kb_index.question_files import Question

FEW = 100  # answerable questions; with fewer the interval of a share is wider than 20 points
NAMES = {"de": "German", "en": "English", "crosslingual": "across languages", "all": "all together"}
Numbers = Mapping[str, Any]


def shortcomings(report: Numbers, questions: Sequence[Question], known: Set[str]) -> list[str]:
    """What does not hold, most important first. known: slugs of the articles there are."""
    found = [sentence for name, one in report["languages"].items() for sentence in broken(name, one, report["risks"])]
    found += [sentence for name, one in report["languages"].items() for sentence in thin(name, one)]
    return [*found, *out_of_reach(questions, known)]


def broken(language: str, measures: Numbers, risks: Iterable[str]) -> Iterator[str]:
    """Promises that were broken, or that were kept by what may be luck."""
    for risk in risks:
        promised, wrong, bound = float(risk), measures[f"wrong@{risk}"], measures[f"wrong_upper@{risk}"]
        answers = round(measures[f"answered@{risk}"] * measures["n"])
        begin = f"{name_of(language)}, at most {promised:.0%} wrong"
        if bound is None:
            yield f"{begin}: nothing is answered, the risk cannot be kept"
        elif wrong > promised:
            yield f"{begin}: not kept, {wrong:.1%} of {answers} answers were wrong"
        elif bound > promised:
            yield (
                f"{begin}: kept with {wrong:.1%}, but {answers} answers are too few to be sure "
                f"(up to {bound:.1%} cannot be ruled out)"
            )


def thin(language: str, measures: Numbers) -> Iterator[str]:
    """Questions that are missing for a verdict."""
    name, answerable = name_of(language), measures["answerable"]
    if answerable < FEW:
        yield f"{name}: only {answerable} with an answer; every share is rough below {FEW}"
    if answerable == measures["n"]:
        yield f"{name}: no question without an answer was asked; the wrong answers to such ones are missing here"
    elif not measures["near"]:
        yield f"{name}: no `near` question without an answer; far ones are told apart more easily"


def out_of_reach(questions: Sequence[Question], known: Set[str]) -> Iterator[str]:
    """Questions whose articles are not in this knowledge base."""
    lost = sum(question.answerable and not question.gold & known for question in questions)
    if lost:
        yield f"{lost} questions are answered by articles that are not in this knowledge base; they count as not found"


def name_of(language: str) -> str:
    """A language for people."""
    return NAMES.get(language, language)
