"""What moves through an evaluation: questions in, one row for each out, a report of all rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from article_qa.types import Answer, Article, Span

if TYPE_CHECKING:
    from article_qa.evaluation.metrics import Estimate

Split = Literal["dev", "test"]
Failure = Literal[
    "error",
    "altered quote",
    "answered the unanswerable",
    "false refusal",
    "passage not retrieved",
    "cited elsewhere",
    "other answer",
]
"""Why a question failed: the first that holds, in the order of the pipeline's guarantees."""


class Quote(NamedTuple):
    """A passage that a right citation overlaps: ``article.text[start:end] == text``."""

    text: str
    start: int
    end: int

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
    scope: tuple[str, ...] | None = None
    source: str = ""
    verdict: str | None = None

    @property
    def text(self) -> str:
        """The question that is judged: the last turn."""
        return self.turns[-1]


@dataclass(frozen=True, slots=True)
class Row:
    """One question's outcome.

    The engine is asked with its threshold at 0, so ``answer`` is what it would say at full
    coverage; ``threshold`` is the shipped one, applied here to ``answer.confidence``. All scores
    lie in 0..1 and are 0 where there is no answer.

    Args:
        question: what was asked.
        answer: the answer, or None if there was an exception.
        error: the exception as text, or None.
        seconds: wall-clock time of answering the judged turn.
        threshold: an answer with less confidence counts as a refusal.
        exact: exact match with an acceptable answer (SQuAD).
        f1: token F1 with the nearest acceptable answer (SQuAD).
        answer_right: the answer's words are right (``metrics.answer_is_right``).
        citation_precision: share of its citations that overlap a gold quote.
        citation_recall: share of the gold groups that a citation overlaps.
        contains_gold: share of the gold groups of which a citation contains an alternative whole.
        ranks: for each gold group the 1-based rank of the first hit that overlaps it, or None.
        altered: citations whose quote is not the article's text at their offsets; must be empty.
        citations: number of citations and nearest quotes that were checked.
    """

    question: Question
    answer: Answer | None
    error: str | None
    seconds: float
    threshold: float
    exact: float = 0.0
    f1: float = 0.0
    answer_right: bool = False
    citation_precision: float = 0.0
    citation_recall: float = 0.0
    contains_gold: float = 0.0
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
    def shown(self) -> bool:
        """Whether there is an answer at the shipped threshold."""
        return self.given and self.confidence >= self.threshold

    @property
    def refused(self) -> bool:
        """Whether the outcome at the shipped threshold is a refusal; an exception is none."""
        return self.error is None and not self.shown

    @property
    def right(self) -> bool:
        """Whether the answer, if shown, is right: in its words, and cited in every gold group."""
        return (
            self.question.answerable
            and self.given
            and self.answer_right
            and self.citation_recall == 1.0
            and not self.altered
        )

    @property
    def correct(self) -> bool:
        """Whether the outcome at the shipped threshold is right: an answer, or rightly none."""
        if self.altered:
            return False
        return self.right and self.shown if self.question.answerable else self.refused

    @property
    def failure(self) -> Failure | None:
        """Why the outcome is not correct; None if it is."""
        if self.correct:
            return None
        if self.error is not None:
            return "error"
        if self.altered:
            return "altered quote"
        if not self.question.answerable:
            return "answered the unanswerable"
        if not self.shown:
            return "false refusal"
        if self.citation_recall < 1.0:
            return "passage not retrieved" if None in self.ranks else "cited elsewhere"
        return "other answer"


@dataclass(frozen=True)
class Report:
    """All rows of one system.

    Args:
        system: its name.
        rows: one for each question, in the set's order.
        threshold: the shipped threshold that was applied.
        articles: the articles by id, to show citations in their context.
        unreviewed: questions left out because a person has to look at them first.
        settings: fingerprint of the settings, or None for a system that has none.
    """

    system: str
    rows: tuple[Row, ...]
    threshold: float
    articles: Mapping[str, Article] = field(repr=False)
    unreviewed: tuple[Question, ...] = ()
    settings: str | None = None
    _figures: dict[tuple[Split | None, str | None, bool], dict[str, Estimate]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def select(self, split: Split | None = None, kind: str | None = None) -> tuple[Row, ...]:
        """Return the rows of a split, a kind, or both; None means every one."""
        return tuple(
            row
            for row in self.rows
            if split in (None, row.question.split) and kind in (None, row.question.kind)
        )

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that occur, dev before test."""
        return tuple(sorted({row.question.split for row in self.rows}))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that occur, in the set's order."""
        return tuple(dict.fromkeys(row.question.kind for row in self.rows))

    def figures(
        self, split: Split | None = None, kind: str | None = None, *, intervals: bool = True
    ) -> dict[str, Estimate]:
        """Return every figure over some of the rows, with its bootstrap confidence interval.

        Args:
            split: only rows of this split.
            kind: only rows of this kind.
            intervals: False leaves the intervals out, which is faster.
        """
        from article_qa.evaluation.metrics import estimate_all

        key = (split, kind, intervals)
        if key not in self._figures:  # every output wants the same intervals, which take a second
            self._figures[key] = estimate_all(self.select(split, kind), intervals=intervals)
        return self._figures[key]


def merge(reports: Sequence[Report]) -> Report:
    """Join reports of the same system over different corpora into one."""
    first = reports[0]
    return Report(
        system=first.system,
        rows=tuple(row for report in reports for row in report.rows),
        threshold=first.threshold,
        articles={id: article for report in reports for id, article in report.articles.items()},
        unreviewed=tuple(q for report in reports for q in report.unreviewed),
        settings=first.settings,
    )
