"""Ask every question, judge every outcome."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from article_qa.config import Settings
from article_qa.evaluation import metrics
from article_qa.evaluation.loading import check_gold
from article_qa.evaluation.records import Question, Report, Row
from article_qa.types import Answer, Article, Turn


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
    threshold: float = Settings().answer_threshold,
    settings: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Ask ``qa`` every question and judge the outcomes.

    One pass serves both figures at full coverage and figures at the shipped threshold: build
    ``qa`` with ``Settings(answer_threshold=0.0)``, so that it always answers where it can, and the
    threshold is applied to the confidence afterwards. An exception in ``ask`` is that question's
    outcome, never the end of the run.

    Args:
        questions: what to ask; those with verdict ``"down"`` are left out and counted.
        qa: the system.
        name: what to call it in tables.
        threshold: the shipped threshold.
        settings: fingerprint of the system's settings, stored with the results.
        progress: called with (questions done, questions in all) after each.

    Raises:
        EvaluationError: a gold quote does not stand in its article, or an article is missing.
    """
    questions = tuple(questions)
    asked = [question for question in questions if question.verdict != "down"]
    articles = {article.id: article for article in qa.articles}
    check_gold(asked, articles)
    rows = []
    for number, question in enumerate(asked, 1):
        rows.append(_row(question, qa, threshold, articles))
        if progress is not None:
            progress(number, len(asked))
    unreviewed = tuple(question for question in questions if question.verdict == "down")
    return Report(name, tuple(rows), threshold, articles, unreviewed, settings)


def _row(question: Question, qa: System, threshold: float, articles: Mapping[str, Article]) -> Row:
    """Ask one question, its earlier turns first, and judge the answer to the last."""
    history: list[Turn] = []
    started = time.perf_counter()
    try:
        for turn in question.turns[:-1]:
            answer = qa.ask(turn, history=tuple(history), article_ids=question.scope)
            history.append(Turn(turn, as_shown(answer, threshold)))
        started = time.perf_counter()
        answer = qa.ask(question.text, history=tuple(history), article_ids=question.scope)
    except Exception as error:
        seconds = time.perf_counter() - started
        return Row(question, None, f"{type(error).__name__}: {error}", seconds, threshold)
    return judge(question, answer, time.perf_counter() - started, threshold, articles)


def as_shown(answer: Answer, threshold: float) -> Answer:
    """Return the answer as a person would see it at the shipped threshold.

    A follow-up is understood from the turns before it, so those must be what was shown, not what
    was held back.
    """
    if answer.refused or answer.confidence >= threshold:
        return answer
    return replace(
        answer, text="", plain="", status="refused", citations=(), nearest=answer.citations
    )


def judge(
    question: Question,
    answer: Answer,
    seconds: float,
    threshold: float,
    articles: Mapping[str, Article],
) -> Row:
    """Score one answer against its question's gold."""
    given = question.answerable and not answer.refused
    return Row(
        question=question,
        answer=answer,
        error=None,
        seconds=seconds,
        threshold=threshold,
        exact=metrics.exact_match(answer.plain, question.answers) if given else 0.0,
        f1=metrics.token_f1(answer.plain, question.answers) if given else 0.0,
        answer_right=given and metrics.answer_is_right(answer.plain, question.answers),
        citation_precision=metrics.citation_precision(question, answer) if given else 0.0,
        citation_recall=metrics.citation_recall(question, answer) if given else 0.0,
        contains_gold=metrics.contains_gold(question, answer) if given else 0.0,
        ranks=metrics.gold_ranks(question, answer.hits),
        altered=metrics.altered_quotes(answer, articles),
        citations=len(answer.citations) + len(answer.nearest),
    )
