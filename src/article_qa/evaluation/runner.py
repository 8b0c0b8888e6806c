"""Ask every question, judge every outcome."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from article_qa.config import Settings
from article_qa.errors import EvaluationError
from article_qa.evaluation import metrics
from article_qa.evaluation.loading import locate_gold
from article_qa.evaluation.records import Question, Report, Row, Thresholds
from article_qa.types import Answer, Article, Span, Turn


class System(Protocol):
    """What can be evaluated: ``ArticleQA``, or anything with these two."""

    @property
    def articles(self) -> Sequence[Article]:
        """The articles that can be asked."""
        ...

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        article_ids: Sequence[str] | None = None,
    ) -> Answer:
        """Answer a question, of these articles only, or of all (None)."""
        ...


def evaluate(
    questions: Iterable[Question],
    qa: System,
    *,
    name: str = "extractive",
    threshold: float | Thresholds | None = None,
    settings: str | None = None,
    allow_missing: bool = False,
    progress: Callable[[Sequence[Question]], Iterable[Question]] = iter,
) -> Report:
    """Ask ``qa`` every question and judge the outcomes.

    One pass serves both figures at full coverage and figures at the shipped thresholds: build
    ``qa`` with its thresholds at 0, so that it always answers where it can, and the shipped ones
    are applied to the confidence afterwards. A conversation's turns that several questions share
    are asked once. An exception in ``ask`` is that question's outcome, never the end of the run.

    Args:
        questions: what to ask; those with verdict ``"down"`` are left out and counted.
        qa: the system.
        name: what to call it in tables.
        threshold: the shipped thresholds; one alone leaves no answer unsure; None for those of
            the default settings.
        settings: fingerprint of the system's settings, stored with the results.
        allow_missing: keep questions of which a gold quote stands nowhere, and name the quotes in
            ``Report.missing``, in place of an error.
        progress: wraps the questions as they are asked, to show how far it is.

    Raises:
        EvaluationError: a gold quote does not stand in its article, or an article is missing.
    """
    questions = tuple(questions)
    articles = {article.id: article for article in qa.articles}
    asked, missing = locate_gold((q for q in questions if q.verdict != "down"), articles)
    if missing and not allow_missing:
        raise EvaluationError(
            f"{len(missing)} gold quotes stand nowhere in their article: {'; '.join(missing[:5])}; "
            "mend them, or run with --allow-missing-quotes"
        )
    if threshold is None:
        threshold = Thresholds.of(Settings())
    elif not isinstance(threshold, Thresholds):
        threshold = Thresholds(threshold, threshold)
    asker = _Asker(qa, threshold)
    rows = []
    for question in progress(asked):
        answer, error, seconds = asker.ask(question.scope, question.turns)
        if answer is None:
            rows.append(Row(question, None, error, seconds, threshold))
        else:
            rows.append(judge(question, answer, seconds, threshold, articles))
    unreviewed = tuple(question for question in questions if question.verdict == "down")
    return Report(name, tuple(rows), threshold, articles, unreviewed, missing, settings)


class _Asked(NamedTuple):
    """An answer or what was raised in its place, and how long it took."""

    answer: Answer | None
    error: str | None
    seconds: float


class _Asker:
    """Asks each beginning of a conversation once, however many questions share it."""

    def __init__(self, qa: System, thresholds: Thresholds) -> None:
        self._qa = qa
        self._thresholds = thresholds
        self._asked: dict[tuple[tuple[str, ...] | None, tuple[str, ...]], _Asked] = {}

    def ask(self, scope: tuple[str, ...] | None, turns: tuple[str, ...]) -> _Asked:
        """Return the outcome of the last turn, the earlier ones as a person would see them."""
        if (scope, turns) not in self._asked:
            self._asked[scope, turns] = self._outcome(scope, turns)
        return self._asked[scope, turns]

    def _outcome(self, scope: tuple[str, ...] | None, turns: tuple[str, ...]) -> _Asked:
        history = []
        for end in range(1, len(turns)):
            earlier = self.ask(scope, turns[:end])
            if earlier.answer is None:
                return earlier
            history.append(Turn(turns[end - 1], as_shown(earlier.answer, self._thresholds)))
        started = time.perf_counter()
        try:
            answer = self._qa.ask(turns[-1], history=tuple(history), article_ids=scope)
        except Exception as error:
            return _Asked(None, f"{type(error).__name__}: {error}", time.perf_counter() - started)
        return _Asked(answer, None, time.perf_counter() - started)


def as_shown(answer: Answer, thresholds: Thresholds) -> Answer:
    """Return the answer as a person would see it at the shipped thresholds.

    A follow-up is understood from the turns before it, so those must be what was shown, not what
    was held back.
    """
    status = thresholds.status(answer)
    if answer.refused or status == "answered":
        return answer
    if status == "unsure":
        return replace(answer, status=status)
    return replace(
        answer, text="", plain="", status="refused", citations=(), nearest=answer.citations
    )


def judge(
    question: Question,
    answer: Answer,
    seconds: float,
    thresholds: Thresholds,
    articles: Mapping[str, Article],
) -> Row:
    """Score one answer against its question's gold."""
    given = question.answerable and not answer.refused
    return Row(
        question=question,
        answer=answer,
        error=None,
        seconds=seconds,
        thresholds=thresholds,
        exact=metrics.exact_match(answer.plain, question.answers) if given else 0.0,
        f1=metrics.token_f1(answer.plain, question.answers) if given else 0.0,
        answer_right=given and metrics.answer_is_right(answer.plain, question.answers),
        citation_precision=metrics.citation_precision(question, answer) if given else 0.0,
        citation_recall=metrics.citation_recall(question, answer) if given else 0.0,
        contains_gold=metrics.citation_recall(question, answer, Span.contains) if given else 0.0,
        corrects=metrics.corrects(question, answer),
        ranks=metrics.gold_ranks(question, answer.hits),
        altered=metrics.altered_quotes(answer, articles),
        citations=len(answer.citations) + len(answer.nearest),
    )
