"""A knowledge base to try things out on: evaluation and calibration never touch the live one.

It has a database of its own, filled from folders or with a copy of what is published, and is asked through the same
KnowledgeBase as the live one.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import TracebackType

from sklearn.model_selection import GroupKFold
from sqlalchemy import create_engine, delete, insert, select
from sqlalchemy.orm import Session, sessionmaker

from kb_index.articles import import_folder
from kb_index.confidence import Fitted, shipped_calibration, store_calibration
from kb_index.evaluation import Band, Judged, Question
from kb_index.fitting import Sample, TooLittle, fit, shifted
from kb_index.models import Article, Base, Calibration, Glossary, KnowledgeVersion, Passage, PastQuestion, State
from kb_index.port import Embedder, SearchResult, Vectors
from kb_index.pretended import pretended_samples
from kb_index.search import AGENTS, KnowledgeBase, pair_of
from kb_index.withheld import withheld_samples

FOLDS = 5
RANKED = 10
COPIED = (Article, Passage, PastQuestion, Glossary, KnowledgeVersion)
FEWEST = 20  # made-up questions below which the articles alone teach nothing
Progress = Callable[[int, int], None]


class Remembering:
    """An embedder that embeds each question once, however often it is asked."""

    def __init__(self, embedder: Embedder) -> None:
        self.name, self.dimension = embedder.name, embedder.dimension
        self.embed_passages = embedder.embed_passages
        self._embed = lru_cache(maxsize=20_000)(embedder.embed_question)

    def embed_question(self, text: str) -> Vectors:
        """Shape (dimension,)."""
        return self._embed(text)


class Trial(AbstractContextManager["Trial"]):
    """Articles in a database of their own in the folder `work`, which the caller removes."""

    def __init__(self, embedder: Embedder, work: Path) -> None:
        self.embedder = Remembering(embedder)
        self._work = work
        self._engine = create_engine(f"sqlite:///{work / 'trial.db'}")
        Base.metadata.create_all(self._engine)
        self.sessions = sessionmaker(self._engine, info={"write": True})

    @classmethod
    def of_live(cls, sessions: sessionmaker[Session], embedder: Embedder, work: Path) -> "Trial":
        """With a copy of what is published, which is only read."""
        trial = cls(embedder, work)
        with sessions() as source, trial.sessions.begin() as target:
            for model in COPIED:
                columns = list(model.__table__.columns)
                for rows in source.execute(select(*columns)).partitions(500):
                    target.execute(insert(model), [dict(row._mapping) for row in rows])
        return trial

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.dispose()

    @property
    def titles(self) -> dict[str, str]:
        """Titles by slug."""
        with self.sessions() as session:
            rows = session.execute(select(Article.slug, Article.title).where(Article.state == State.PUBLISHED))
            return {row.slug: row.title for row in rows}

    @property
    def languages(self) -> list[str]:
        """The languages of the articles."""
        with self.sessions() as session:
            found = select(Article.language).where(Article.state == State.PUBLISHED).distinct()
            return sorted(session.scalars(found))

    @property
    def article_languages(self) -> dict[str, str]:
        """Languages by slug."""
        return {slug: language for slug, (language, _) in self._articles().items()}

    # --- calibrating ----------------------------------------------------------------------------------------------
    def calibrate(self, questions: Sequence[Question], name: str, *, together: bool = False) -> dict[str, Fitted]:
        """Calibrations by language (and pair of languages); without questions from the articles alone.

        together: one regression and one promise for all languages, for those with few questions. A language with too
        little to learn from is missing.
        """
        if not questions:
            return self._from_articles(name)
        samples = self.samples(questions)
        if together:
            everything = [sample for some in samples.values() for sample in some]
            one = fit(everything, name, "all", self.embedder.name)
            return {pair: relabelled(one, pair) for pair in samples}
        return self._fitted(samples, name, self._priors())

    def _fitted(
        self, samples: Mapping[str, Sequence[Sample]], name: str, priors: Mapping[str, Fitted]
    ) -> dict[str, Fitted]:
        """The pairs for which there is enough to learn from, each fitted for itself."""
        fitted: dict[str, Fitted] = {}
        for pair, some in samples.items():
            try:
                fitted[pair] = fit(some, name, pair, self.embedder.name, priors.get(pair))
            except TooLittle:
                continue
        return fitted

    def _from_articles(self, name: str) -> dict[str, Fitted]:
        """Titles and headings as questions: with their words hidden in the article, and with the article away."""
        priors, fitted = self._priors(), {}
        for language in self.languages:
            samples = pretended_samples(self.sessions, self.embedder, language)
            prior = priors.get(language)
            if sum(bool(s.gold) for s in samples) < FEWEST:
                continue
            if prior is not None:
                fitted[language] = shifted(samples, prior, name, language, source="articles")
            else:
                fitted |= {
                    one: replace(f, source="articles") for one, f in self._fitted({language: samples}, name, {}).items()
                }
        return fitted

    def _priors(self) -> dict[str, Fitted]:
        """What comes with Lotse, if it is of this model."""
        return {one.language: one for one in shipped_calibration() if one.model == self.embedder.name}

    def samples(self, questions: Sequence[Question]) -> dict[str, list[Sample]]:
        """Questions with what is found for them in each language, by pair of languages. In the question's own language
        each answerable one comes also with its article taken out of the index.

        Whether an article in another language answers is learned from all questions, also from those that only their
        own language can answer: there the other one has nothing but what looks like it.
        """
        knowledge, languages = self.knowledge(), self.languages
        slugs = self._articles()
        pairs: dict[str, list[Sample]] = {}
        for question in questions:
            gold = {slug: slugs[slug] for slug in question.gold if slug in slugs}
            for spoken in languages:
                right = frozenset(number for language, number in gold.values() if language == spoken)
                found = knowledge.found(question.text, question.language, AGENTS, spoken)
                sample = Sample(found, right, question.group, question.kind)
                pairs.setdefault(pair_of(question.language, spoken), []).append(sample)
        for language in {question.language for question in questions}:
            if language in pairs:
                mine = [q for q in questions if q.language == language]
                pairs[language] += withheld_samples(self.sessions, self.embedder, language, mine, slugs)
        return pairs

    def _articles(self) -> dict[str, tuple[str, int]]:
        """(language, id) by slug."""
        with self.sessions() as session:
            rows = session.execute(
                select(Article.slug, Article.language, Article.id).where(Article.state == State.PUBLISHED)
            )
            return {row.slug: (row.language, row.id) for row in rows}

    # --- judging --------------------------------------------------------------------------------------------------
    def judge(
        self, questions: Sequence[Question], calibrations: Mapping[str, Fitted] | None, risks: Sequence[float]
    ) -> list[Judged]:
        """What Lotse would make of each question, in their order. calibrations None: by cross-validation, whole
        articles with all their questions left out of the fit, and nothing taken from what comes with Lotse (it may have
        been fitted on these very questions)."""
        if calibrations is not None:
            return self._judged(questions, calibrations, risks)
        samples = self.samples(questions)
        judged: dict[str, Judged] = {}
        groups = [question.group for question in questions]
        folds = min(FOLDS, len(set(groups)))
        if folds < FOLDS:
            raise ValueError(f"cross-validation needs questions about {FOLDS} articles; name a file with --calibration")
        for _, test in GroupKFold(folds, shuffle=True, random_state=0).split(groups, groups=groups):
            held_out = {groups[i] for i in test}
            training = {pair: [s for s in some if s.group not in held_out] for pair, some in samples.items()}
            fitted = self._fitted(training, "cross-validation", {})
            asked = [questions[i] for i in test]
            judged |= {one.question.id: one for one in self._judged(asked, fitted, risks)}
        return [judged[question.id] for question in questions]

    def _judged(
        self, questions: Sequence[Question], calibrations: Mapping[str, Fitted], risks: Sequence[float]
    ) -> list[Judged]:
        with self.sessions.begin() as session:
            session.execute(delete(Calibration))
            store_calibration(session, list(calibrations.values()))
        found: list[list[SearchResult]] = [[] for _ in questions]
        knowledge = self.knowledge()
        for risk in risks:
            knowledge.max_wrong = risk
            for number, question in enumerate(questions):
                found[number].append(knowledge.search(question.text, question.language, AGENTS, RANKED))
        slugs = {number: slug for slug, (_, number) in self._articles().items()}
        articles = self._articles()
        return [
            judged_of(question, results, risks, slugs, articles)
            for question, results in zip(questions, found, strict=True)
        ]

    def knowledge(self) -> KnowledgeBase:
        """The search over these articles."""
        return KnowledgeBase(self.sessions, self.embedder, self._work / "index")


def open_trial(folders: Sequence[Path], embedder: Embedder, work: Path, progress: Progress | None = None) -> Trial:
    """A trial with the articles of these folders."""
    trial = Trial(embedder, work)
    for folder in folders:
        import_folder(trial.sessions, trial.embedder, folder, source=str(folder.resolve()), progress=progress)
    return trial


def judged_of(
    question: Question,
    results: Sequence[SearchResult],
    risks: Sequence[float],
    slugs: Mapping[int, str],
    articles: Mapping[str, tuple[str, int]],
) -> Judged:
    """What was found for a question, with one band for each risk."""
    first = results[0]
    bands = {f"{risk:g}": band_of(result) for risk, result in zip(risks, results, strict=True)}
    gold = [articles[slug][0] for slug in question.gold if slug in articles]
    return Judged(
        question=question,
        ranked=tuple(slugs[hit.article_id] for hit in first.hits),
        probability=first.hits[0].confidence.probability if first.hits else 0.0,
        among=first.among_first.probability if first.hits else 0.0,
        bands=bands,
        choices=tuple(slugs[hit.article_id] for hit in first.hits[:3]) if "ask_back" in bands.values() else (),
        cross_lingual=bool(gold) and question.language not in gold,
        shown={
            risk: tuple(slugs[hit.article_id] for hit in result.hits[:3])
            for risk, result in zip(bands, results, strict=True)
        },
    )


def band_of(result: SearchResult) -> Band:
    """Answer, ask back or hand over, as far as the search decides it."""
    if not result.hits:
        return "hand_over"
    if result.answer_from is not None and result.hits[0].confidence.probability >= result.answer_from:
        return "answer"
    if result.ask_from is not None and result.among_first.probability >= result.ask_from:
        return "ask_back"
    return "hand_over"


def relabelled(fitted: Fitted, pair: str) -> Fitted:
    """A calibration of all languages for one of them."""
    return replace(fitted, language=pair)
