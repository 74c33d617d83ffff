"""A knowledge base to try things out on: evaluation and calibration never touch the live one.

It has a database of its own, filled from folders or with a copy of what is published, and is asked through the same
KnowledgeBase as the live one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sklearn.model_selection import GroupKFold
from sqlalchemy import delete

from kb_index.articles import import_folder
from kb_index.calibration_files import CalibrationFileError
from kb_index.confidence import ASSURANCE, Fitted, shipped_calibration, store_calibration
from kb_index.evaluation import Judged, Question
from kb_index.fitting import Sample, TooLittle, fit, is_across, language_of, shifted
from kb_index.judging import Ask, judged_of, plain
from kb_index.models import Calibration
from kb_index.port import Embedder, SearchResult
from kb_index.pretended import pretended_samples
from kb_index.question_files import QuestionFileError, check_languages
from kb_index.search import EVERYONE, pair_of
from kb_index.trial_articles import Articles
from kb_index.withheld import withheld_samples

FOLDS = 5
FEWEST = 20  # made-up questions below which the articles alone teach nothing
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Learned:
    """Calibrations by language, or pair of languages. reasons: by the same, why it was not learned from questions, and
    what stands in for that."""

    fitted: dict[str, Fitted] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What was made of each question, in their order. reasons: by language, or pair of languages, why nothing is
    answered there."""

    judged: list[Judged]
    reasons: dict[str, str]


class Trial(Articles):
    """Articles that questions are asked of, to judge them and to learn from them."""

    # --- calibrating ----------------------------------------------------------------------------------------------
    def calibrate(self, questions: Sequence[Question], name: str, *, together: bool = False) -> Learned:
        """Calibrations by language, and by pair of languages. Where questions do not suffice, or there are none, the
        articles alone are learned from; a pair of languages is then judged as it comes with Lotse.

        together: one regression and one promise for all languages, and one for all pairs of them, for those with few
        questions. So each question counts once in either.
        """
        self._check(questions)
        samples = self.samples(self._resolved(questions)) if questions else {}
        pairs = dict.fromkeys([*samples, *self._pairs([*self.languages, *(q.language for q in questions)])])
        if together and samples:
            learned = self._fitted_together(samples, name)
        else:
            learned = self._fitted(samples, name, self._priors())
        return self._filled(learned, pairs, name)

    def _fitted(self, samples: Mapping[str, Sequence[Sample]], name: str, priors: Mapping[str, Fitted]) -> Learned:
        """The pairs for which there is enough to learn from, each fitted for itself; the languages themselves first,
        for what they are sure of is not looked for in another one."""
        learned = Learned()
        for pair in sorted(samples, key=is_across):
            asked = language_of(pair)
            own = (learned.fitted.get(asked) or priors.get(asked)) if is_across(pair) else None
            try:
                learned.fitted[pair] = fit(samples[pair], name, pair, self.embedder.name, priors.get(pair), own)
            except TooLittle as error:
                learned.reasons[pair] = str(error).removeprefix(f"{pair}: ")
        return learned

    def _fitted_together(self, samples: Mapping[str, Sequence[Sample]], name: str) -> Learned:
        """One calibration for all languages, and one for all pairs of them."""
        pooled: dict[str, list[Sample]] = {}
        for pair, some in samples.items():
            pooled.setdefault(pool_of(pair), []).extend(some)
        learned = self._fitted(pooled, name, {})
        return Learned(
            {pair: relabelled(one, pair) for pair in samples if (one := learned.fitted.get(pool_of(pair)))},
            {pair: why for pair in samples if (why := learned.reasons.get(pool_of(pair)))},
        )

    def _filled(self, learned: Learned, pairs: Iterable[str], name: str) -> Learned:
        """With something for the pairs that the questions did not suffice for; the languages themselves first."""
        filled, priors = Learned({**learned.fitted}, {**learned.reasons}), self._priors()
        for pair in sorted(set(pairs) - learned.fitted.keys(), key=lambda pair: (">" in pair, pair)):
            why = learned.reasons.get(pair, "no question was given")
            try:
                if ">" not in pair:
                    filled.fitted[pair] = self._from_articles(pair, name)
                    filled.reasons[pair] = f"{why}; learned from the articles alone"
                elif pair in priors and filled.fitted:
                    filled.fitted[pair] = priors[pair]
                    filled.reasons[pair] = f"{why}; judged as it comes with Lotse"
                else:
                    filled.reasons[pair] = f"{why}; nothing is answered"
            except TooLittle as error:
                filled.reasons[pair] = f"{why}, and {error}; nothing was learned"
        return filled

    def _from_articles(self, language: str, name: str) -> Fitted:
        """Titles and headings as questions: with their words hidden in the article, and with the article away. Raises
        TooLittle."""
        samples, prior = pretended_samples(self.sessions, self.embedder, language), self._priors().get(language)
        made = sum(bool(s.gold) for s in samples)
        if made < FEWEST:
            raise TooLittle(
                f"of the articles' own titles and headings only {made} make a question, {FEWEST} are needed"
            )
        if prior is not None:
            return shifted(samples, prior, name, language, source="articles")
        return replace(fit(samples, name, language, self.embedder.name), source="articles")

    def _priors(self) -> dict[str, Fitted]:
        """What comes with Lotse, if it is of this model."""
        return {one.language: one for one in shipped_calibration() if one.model == self.embedder.name}

    def _pairs(self, asked: Iterable[str]) -> list[str]:
        """Questions in these languages with each language of the articles."""
        spoken = self.languages
        return [pair_of(language, other) for language in dict.fromkeys(asked) for other in spoken]

    def _check(self, questions: Sequence[Question]) -> None:
        """Whether these questions can be asked of these articles. Raises QuestionFileError."""
        check_languages(questions, self.languages)
        named, known = [question for question in questions if question.gold], self.titles.keys()
        if named and not any(question.gold & known for question in named):
            raise QuestionFileError(
                "none of the articles that the questions name is in this knowledge base: there is no "
                f"{min(named[0].gold)!r}, but a {min(known)!r}; name other folders or other questions"
            )

    def samples(self, questions: Sequence[Question]) -> dict[str, list[Sample]]:
        """Questions with what is found for them in each language, by pair of languages. In the question's own language
        each answerable one comes also with its article taken out of the index; one whose articles are all not here
        counts as one of these, for it was not asked as a question that nothing answers.

        Whether an article in another language answers is learned from all questions, also from those that only their
        own language can answer: there the other one has nothing but what looks like it.
        """
        knowledge, languages = self.knowledge(), self.languages
        slugs = self._articles()
        pairs: dict[str, list[Sample]] = {}
        for question in questions:
            gold = [slugs[slug] for slug in question.gold if slug in slugs]
            lost = question.answerable and not gold
            found = {one: knowledge.found(question.text, question.language, EVERYONE, one) for one in languages}
            for spoken in languages:
                right = frozenset(number for language, number in gold if language == spoken)
                own = found.get(question.language) if spoken != question.language else None
                sample = Sample(found[spoken], right, question.group, question.kind, withheld=lost, own=own)
                pairs.setdefault(pair_of(question.language, spoken), []).append(sample)
        for language in {question.language for question in questions}:
            if language in pairs:
                mine = [q for q in questions if q.language == language]
                pairs[language] += withheld_samples(self.sessions, self.embedder, language, mine, slugs)
        return pairs

    # --- judging --------------------------------------------------------------------------------------------------
    def judge(
        self,
        questions: Sequence[Question],
        calibrations: Mapping[str, Fitted] | None,
        risks: Sequence[float],
        assurance: float = ASSURANCE,
        ask: Ask | None = None,
    ) -> Verdict:
        """What Lotse would make of each question when an employee asks it.

        calibrations None: by cross-validation, whole articles with all their questions left out of the fit, and nothing
        taken from what comes with Lotse (it may have been fitted on these very questions). ask: what a question finds
        where it is more than one plain search; the ranking and its probability are always those of a plain one. Raises
        QuestionFileError, and CalibrationFileError for another model.
        """
        self._check(questions)
        if calibrations is None:
            return self._cross_validated(questions, risks, assurance, ask or plain)
        for other in {one.model for one in calibrations.values()} - {self.embedder.name}:
            raise CalibrationFileError(
                f"the calibration is for the model {other}, and here {self.embedder.name} searches; fit one with "
                "`lotse calibrate --out FILE`, or name its model with --model"
            )
        missing = [pair for pair in self._pairs(q.language for q in questions) if pair not in calibrations]
        reasons = dict.fromkeys(missing, "the calibration file holds nothing for it, so nothing is answered")
        return Verdict(self._judged(questions, calibrations, risks, assurance, ask or plain), reasons)

    def _cross_validated(
        self, questions: Sequence[Question], risks: Sequence[float], assurance: float, ask: Ask
    ) -> Verdict:
        groups, known = [question.group for question in questions], self.titles.keys()
        articles = len({question.group for question in questions if question.gold & known})
        if articles < FOLDS:
            raise QuestionFileError(
                f"questions about {articles} articles are too few for cross-validation, which needs {FOLDS}; give "
                "more, or name a file with --calibration"
            )
        samples = self.samples(self._resolved(questions))
        judged: dict[int, Judged] = {}
        reasons: dict[str, str] = {}
        for _, test in GroupKFold(FOLDS, shuffle=True, random_state=0).split(groups, groups=groups):
            held_out = {groups[i] for i in test}
            training = {pair: [s for s in some if s.group not in held_out] for pair, some in samples.items()}
            learned = self._fitted(training, "cross-validation", {})
            reasons |= {pair: f"in a fold of cross-validation {why}" for pair, why in learned.reasons.items()}
            asked = self._judged([questions[i] for i in test], learned.fitted, risks, assurance, ask)
            judged |= dict(zip(test, asked, strict=True))
        return Verdict([judged[i] for i in range(len(questions))], reasons)

    def _judged(
        self,
        questions: Sequence[Question],
        calibrations: Mapping[str, Fitted],
        risks: Sequence[float],
        assurance: float,
        ask: Ask,
    ) -> list[Judged]:
        with self.sessions.begin() as session:
            session.execute(delete(Calibration))
            store_calibration(session, list(calibrations.values()))
        found: list[list[SearchResult | None]] = [[] for _ in questions]
        knowledge = self.knowledge()
        knowledge.assurance = assurance
        for risk in risks:
            knowledge.max_wrong = risk
            for results, question in zip(found, questions, strict=True):
                results.append(ask(knowledge, question))
        rows = self._rows()
        return [
            judged_of(question, plain(knowledge, question), dict(zip(risks, results, strict=True)), rows)
            for question, results in zip(questions, found, strict=True)
        ]


def open_trial(folders: Sequence[Path], embedder: Embedder, work: Path, progress: Progress | None = None) -> Trial:
    """A trial with the articles of these folders."""
    trial = Trial(embedder, work)
    for folder in folders:
        report = import_folder(trial.sessions, trial.embedder, folder, source=str(folder.resolve()), progress=progress)
        trial.unread += [f"{folder / name}: {reason}" for name, reason in report.failed]
    return trial


def pool_of(pair: str) -> str:
    """The name of what all languages, or all pairs of them, are learned in together."""
    return "all>all" if is_across(pair) else "all"


def relabelled(fitted: Fitted, pair: str) -> Fitted:
    """A calibration of all languages for one of them."""
    return replace(fitted, language=pair)
