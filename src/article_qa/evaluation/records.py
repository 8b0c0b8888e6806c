"""What moves through an evaluation: questions in, one row for each out, a report of all rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from article_qa.config import Settings
from article_qa.types import Answer, Article, Span

if TYPE_CHECKING:
    from article_qa.evaluation.metrics import Estimate

Split = Literal["dev", "test"]
Status = Literal["answered", "unsure", "refused", "invalid", "error"]
"""What a person sees: an answer, 'Perhaps: ...', a refusal, a question that cannot be asked."""
Outcome = Literal[
    "right",
    "refused rightly",
    "corrected",
    "wrong",
    "refused wrongly",
    "answered the unanswerable",
    "unsure of the unanswerable",
    "altered quote",
    "error",
]
"""How a question came out; the first three are right."""
RIGHT: tuple[Outcome, ...] = ("right", "refused rightly", "corrected")


class Quote(NamedTuple):
    """A passage that a right citation overlaps: ``article.text[start:end] == text``.

    One that was written without offsets has none (-1) until ``loading.locate_gold`` finds them.
    """

    text: str
    start: int = -1
    end: int = -1

    @property
    def span(self) -> Span:
        """The passage's place in its article."""
        return Span(self.start, self.end)


@dataclass(frozen=True, slots=True)
class Question:
    """One evaluation question.

    Args:
        id: unique in its set.
        article: id of the article it is about.
        kind: what it tests ("who", "follow-up", "near miss"); a row of the tables.
        split: ``"dev"`` if it was ever used to choose a threshold or model, else ``"test"``.
        turns: the questions of a conversation in order; the last is the one that is judged.
        answers: acceptable answers, any one of them; empty where only the citation is judged.
        quotes: groups of alternatives: a right set of citations overlaps at least one alternative
            in every group. Empty if and only if the question is unanswerable.
        answerable: False if the right outcome is a refusal.
        corrective: passages that set an asker right who takes for granted what is not so; an
            answer to an unanswerable question that cites one of them is right.
        genre: the make of the article ("postmortem"); empty where none is given.
        set: name of the set it belongs to; sets are reported apart.
        scope: ids of the articles it is asked of; None asks all, with no hint where to look.
        source: file and line, for messages.
        verdict: ``"up"`` or ``"down"`` for a question made from a reader's feedback. A question
            with ``"down"`` awaits review by a person: its gold is an answer that someone rejected.
    """

    id: str
    article: str
    kind: str
    split: Split
    turns: tuple[str, ...]
    answers: tuple[str, ...] = ()
    quotes: tuple[tuple[Quote, ...], ...] = ()
    answerable: bool = True
    corrective: tuple[Quote, ...] = ()
    genre: str = ""
    set: str = ""
    scope: tuple[str, ...] | None = None
    source: str = ""
    verdict: str | None = None

    @property
    def text(self) -> str:
        """The question that is judged: the last turn."""
        return self.turns[-1]


class Thresholds(NamedTuple):
    """The shipped thresholds: an answer of at least ``answer`` is sure, of ``unsure`` shown."""

    answer: float
    unsure: float

    @classmethod
    def of(cls, settings: Settings) -> Thresholds:
        """Return the settings' thresholds."""
        return cls(settings.answer_threshold, settings.unsure_threshold)

    def status(self, answer: Answer) -> Status:
        """Return what a person sees of an answer that was given with both thresholds at 0."""
        if answer.refused or answer.confidence < self.unsure:
            return "invalid" if answer.status == "invalid" else "refused"
        return answer.status if answer.confidence >= self.answer else "unsure"


@dataclass(frozen=True, slots=True)
class Row:
    """One question's outcome.

    The engine is asked with its thresholds at 0, so ``answer`` is what it would say at full
    coverage; the shipped ones are applied here to ``answer.confidence``. All scores lie in 0..1
    and are 0 where there is no answer.

    Args:
        question: what was asked.
        answer: the answer, or None if there was an exception.
        error: the exception as text, or None.
        seconds: wall-clock time of answering the judged turn.
        thresholds: what counts as answered, unsure and refused.
        exact: exact match with an acceptable answer (SQuAD).
        f1: token F1 with the nearest acceptable answer (SQuAD).
        answer_right: the answer's words are right (``metrics.answer_is_right``).
        citation_precision: share of its citations that overlap a gold quote.
        citation_recall: share of the gold groups that a citation overlaps.
        contains_gold: share of the gold groups of which a citation contains an alternative whole.
        corrects: a citation overlaps a corrective passage of an unanswerable question.
        ranks: for each gold group the 1-based rank of the first hit that overlaps it, or None.
        altered: citations whose quote is not the article's text at their offsets; must be empty.
        citations: number of citations and nearest quotes that were checked.
    """

    question: Question
    answer: Answer | None
    error: str | None
    seconds: float
    thresholds: Thresholds
    exact: float = 0.0
    f1: float = 0.0
    answer_right: bool = False
    citation_precision: float = 0.0
    citation_recall: float = 0.0
    contains_gold: float = 0.0
    corrects: bool = False
    ranks: tuple[int | None, ...] = ()
    altered: tuple[str, ...] = ()
    citations: int = 0

    @property
    def given(self) -> bool:
        """Whether there is an answer at full coverage."""
        return self.answer is not None and not self.answer.refused

    @property
    def confidence(self) -> float:
        """Confidence of the answer; 0 where there is none."""
        return self.answer.confidence if self.answer is not None and self.given else 0.0

    @property
    def status(self) -> Status:
        """What a person sees at the shipped thresholds."""
        return "error" if self.answer is None else self.thresholds.status(self.answer)

    @property
    def shown(self) -> bool:
        """Whether a person sees an answer, sure or unsure."""
        return self.status in ("answered", "unsure")

    @property
    def refused(self) -> bool:
        """Whether a person sees no answer; an exception is none of both."""
        return self.status in ("refused", "invalid")

    @property
    def right(self) -> bool:
        """Whether the answer, if shown, is right: in its words, and cited in every gold group.

        Of an answer to an unanswerable question: whether it sets the asker right.
        """
        if not self.given or self.altered:
            return False
        if not self.question.answerable:
            return self.corrects
        return self.answer_right and self.citation_recall == 1.0

    @property
    def outcome(self) -> Outcome:
        """How the question came out at the shipped thresholds."""
        if self.answer is None:
            return "error"
        if self.altered:
            return "altered quote"
        if self.question.answerable:
            return ("right" if self.right else "wrong") if self.shown else "refused wrongly"
        if not self.shown:
            return "refused rightly"
        if self.right:
            return "corrected"
        if self.status == "unsure":
            return "unsure of the unanswerable"
        return "answered the unanswerable"

    @property
    def correct(self) -> bool:
        """Whether the outcome is right: an answer, rightly none, or a correction."""
        return self.outcome in RIGHT

    @property
    def why_wrong(self) -> str:
        """Why an answer is wrong: the first that holds, in the order of the pipeline's stages."""
        if self.outcome != "wrong":
            return ""
        if self.citation_recall < 1.0:
            return "passage not retrieved" if None in self.ranks else "cited elsewhere"
        return "other answer"


@dataclass(frozen=True)
class Report:
    """All rows of one system.

    Args:
        system: its name.
        rows: one for each question, in the set's order.
        thresholds: the shipped thresholds that were applied.
        articles: the articles by id, to show citations in their context.
        unreviewed: questions left out because a person has to look at them first.
        missing: gold quotes that stand nowhere in their article, in words.
        settings: fingerprint of the settings, or None for a system that has none.
    """

    system: str
    rows: tuple[Row, ...]
    thresholds: Thresholds
    articles: Mapping[str, Article] = field(repr=False)
    unreviewed: tuple[Question, ...] = ()
    missing: tuple[str, ...] = ()
    settings: str | None = None
    _figures: dict[tuple[object, ...], dict[str, Estimate]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def select(self, **where: str | None) -> tuple[Row, ...]:
        """Return the rows whose question's fields (split, kind, genre, set) are as given.

        None stands for any value.
        """
        return tuple(
            row
            for row in self.rows
            if all(v in (None, getattr(row.question, name)) for name, v in where.items())
        )

    def values(self, name: Literal["split", "kind", "genre", "set"]) -> tuple[str, ...]:
        """Return the values of a question's field that occur, in the set's order."""
        return tuple(dict.fromkeys(getattr(row.question, name) for row in self.rows))

    def figures(self, *, intervals: bool = True, **where: str | None) -> dict[str, Estimate]:
        """Return every figure over some of the rows, with its bootstrap confidence interval.

        Args:
            intervals: False leaves the intervals out, which is faster.
            where: which rows, as for ``select``.
        """
        from article_qa.evaluation.metrics import estimate_all

        key = (intervals, *sorted(where.items()))
        if key not in self._figures:  # every output wants the same intervals
            self._figures[key] = estimate_all(self.select(**where), intervals=intervals)
        return self._figures[key]


def merge(reports: Sequence[Report]) -> Report:
    """Join reports of the same system over different corpora into one."""
    return replace(
        reports[0],
        rows=tuple(row for report in reports for row in report.rows),
        articles={id: article for report in reports for id, article in report.articles.items()},
        unreviewed=tuple(q for report in reports for q in report.unreviewed),
        missing=tuple(quote for report in reports for quote in report.missing),
    )
