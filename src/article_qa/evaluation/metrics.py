"""What is measured: every figure with its definition and its source.

``columns`` turns rows into one record array. Most figures are a share, a pair of columns (part,
whole) whose sums are divided, so that a bootstrap needs only other weights of the rows; the rest
are functions of the columns. A question that raised stays in every denominator and scores 0. An
undefined figure (0/0) is NaN.
"""

from __future__ import annotations

import math
import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from article_qa.evaluation.records import Question, Quote, Row
from article_qa.types import Answer, Article, Hit, Span

Floats = NDArray[np.float64]
Columns = Any
"""A ``numpy.recarray`` with a record for each row: ``c.right & c.sure`` works on whole columns."""
Share = tuple[NDArray[Any], NDArray[Any]]

RESAMPLES = 1000
"""Bootstrap resamples; the ends of a 95% interval then stand on about 25 resamples each."""
ENOUGH_F1 = 0.5
"""An answer that shares at least this much with an acceptable one counts as that answer."""
CUTOFFS = (1, 3, 8)
"""The k of recall@k; 8 is what the engine is handed by default."""


# --- the words of an answer -----------------------------------------------------------------


def normalise(text: str) -> list[str]:
    """Return the tokens SQuAD compares: lower case, no ASCII punctuation, no a/an/the.

    Source: the official evaluation script of SQuAD (Rajpurkar et al. 2016, EMNLP).
    """
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def exact_match(answer: str, golds: Sequence[str]) -> float:
    """Return 1 if the answer equals one of the acceptable answers after ``normalise``, else 0.

    Source: Rajpurkar et al. 2016, SQuAD: 100,000+ questions for machine comprehension of text.
    """
    return float(any(normalise(answer) == normalise(gold) for gold in golds))


def token_f1(answer: str, golds: Sequence[str]) -> float:
    """Return the best F1 of the bags of tokens of the answer and an acceptable answer.

    F1 = 2PR/(P+R), with P the share of the answer's tokens that are the gold's, R the share of the
    gold's that are the answer's. Source: Rajpurkar et al. 2016.
    """

    def f1(gold: str) -> float:
        ours, theirs = normalise(answer), normalise(gold)
        if not ours or not theirs:
            return float(ours == theirs)
        return 2 * (Counter(ours) & Counter(theirs)).total() / (len(ours) + len(theirs))

    return max((f1(gold) for gold in golds), default=0.0)


def answer_is_right(answer: str, golds: Sequence[str]) -> bool:
    """Say whether the answer's words are right, leniently, since its citation is judged too.

    Right is an answer that holds all of an acceptable answer in one piece (the accuracy of Liu et
    al. 2023, Lost in the middle), or shares enough of it (F1 of at least ``ENOUGH_F1``). A 'yes' or
    'no' has to come first. Without acceptable answers the citation alone decides; so it does where
    they are only yes or no and the answer, a sentence of the article, begins with neither.
    """
    ours = normalise(answer)
    polar = (["yes"], ["no"])
    theirs = [normalise(gold) for gold in golds]
    if ours[:1] in polar and any(gold in polar for gold in theirs):
        return ours[:1] in theirs
    worded = [gold for gold in golds if normalise(gold) and normalise(gold) not in polar]
    if not worded:
        return True
    held = any(
        gold == ours[i : i + len(gold)] for gold in map(normalise, worded) for i in range(len(ours))
    )
    return held or token_f1(answer, worded) >= ENOUGH_F1


# --- the places of its citations ------------------------------------------------------------


def citation_precision(question: Question, answer: Answer) -> float:
    """Return the share of citations that overlap a gold quote; 0 without citations.

    Source: the share of citations that support (Liu, Zhang and Liang 2023, Evaluating
    verifiability in generative search engines), with overlap of spans in place of a judge.
    """
    golds = [quote.span for group in question.quotes for quote in group]
    good = [any(map(span.overlaps, golds)) for span in _cited(question, answer)]
    return sum(good) / len(answer.citations) if answer.citations else 0.0


def citation_recall(
    question: Question, answer: Answer, fits: Callable[[Span, Span], bool] = Span.overlaps
) -> float:
    """Return the share of gold groups of which an alternative fits a cited span.

    With ``Span.overlaps``: citation recall of ALCE (Gao et al. 2023, Enabling large language models
    to generate text with citations), with spans in place of a judge model. With ``Span.contains``:
    whether the citation holds a gold answer at its true place, not a chance occurrence of it.
    """
    spans = _cited(question, answer)
    found = [any(fits(s, q.span) for q in group for s in spans) for group in question.quotes]
    return sum(found) / len(found) if found else 0.0


def corrects(question: Question, answer: Answer) -> bool:
    """Say whether a citation overlaps a passage that sets the asker right.

    A question whose premise is false has no answer, but a fair reply: Kim et al. 2023, (QA)^2:
    Question answering with questionable assumptions, ask systems to correct the premise.
    """
    spans = _cited(question, answer)
    return any(quote.span.overlaps(span) for quote in question.corrective for span in spans)


def _cited(question: Question, answer: Answer) -> list[Span]:
    """Return the cited spans of the question's own article."""
    return [Span(c.start, c.end) for c in answer.citations if c.article_id == question.article]


def altered_quotes(answer: Answer, articles: Mapping[str, Article]) -> tuple[str, ...]:
    """Return, in words, every citation that is not the article's text at its offsets.

    This is the product's one guarantee, ``article.text[start:end] == quote``. Python would read
    negative or reversed offsets as something else, so they count as altered too.
    """
    wrong = []
    for citation in (*answer.citations, *answer.nearest):
        article = articles.get(citation.article_id)
        place = f"{citation.article_id}[{citation.start}:{citation.end}]"
        if article is None:
            wrong.append(f"{place}: there is no such article")
        elif not 0 <= citation.start < citation.end <= len(article.text):
            wrong.append(f"{place}: not a range of an article of {len(article.text)} characters")
        elif (found := article.text[citation.start : citation.end]) != citation.quote:
            wrong.append(f"{place}: the article says {found!r}, the citation {citation.quote!r}")
    return tuple(wrong)


def gold_ranks(question: Question, hits: Sequence[Hit]) -> tuple[int | None, ...]:
    """Return for each gold group the 1-based rank of the first hit that overlaps it, or None."""

    def found(group: Sequence[Quote], hit: Hit) -> bool:
        passage = hit.passage
        return passage.article_id == question.article and any(
            passage.span.overlaps(quote.span) for quote in group
        )

    return tuple(
        next((rank for rank, hit in enumerate(hits, 1) if found(group, hit)), None)
        for group in question.quotes
    )


def recall_at(k: int, ranks: Sequence[int | None]) -> float:
    """Return recall@k: the share of gold groups that are found among the first k hits.

    Source: Voorhees and Harman 2005, TREC.
    """
    return sum(rank is not None and rank <= k for rank in ranks) / len(ranks) if ranks else 0.0


def reciprocal_rank(ranks: Sequence[int | None]) -> float:
    """Return the mean over gold groups of 1/rank, 0 where a group was not found.

    Source: Voorhees 1999, The TREC-8 question answering track report.
    """
    return sum(1 / rank if rank else 0.0 for rank in ranks) / len(ranks) if ranks else 0.0


# --- figures over many rows -----------------------------------------------------------------

FLAGS = ("every", "answerable", "worded", "sure", "unsure", "given", "shown", "refused", "right",
         "correct")  # fmt: skip
SCORES = ("confidence", "exact", "f1", "citation_precision", "citation_recall", "contains_gold",
          "citations", "altered", "seconds", "mrr", *(f"recall@{k}" for k in CUTOFFS))  # fmt: skip


def columns(rows: Sequence[Row]) -> Columns:
    """Turn rows into columns; ``worded`` are the questions with acceptable answers."""

    def record(row: Row) -> tuple[Any, ...]:
        own: dict[str, Any] = {
            "every": True,
            "answerable": row.question.answerable,
            "worded": bool(row.question.answers),
            "sure": row.status == "answered",
            "unsure": row.status == "unsure",
            "altered": len(row.altered),
            "mrr": reciprocal_rank(row.ranks),
            **{f"recall@{k}": recall_at(k, row.ranks) for k in CUTOFFS},
        }
        names = (*FLAGS, *SCORES)
        return tuple(own[name] if name in own else getattr(row, name) for name in names)

    kinds: list[tuple[str, Any]] = [(n, np.bool_) for n in FLAGS]
    kinds += [(n, np.float64) for n in SCORES]
    return np.array([record(row) for row in rows], dtype=kinds).view(np.recarray)


def coverage_accuracy(c: Columns) -> tuple[Floats, Floats]:
    """Return the coverage-accuracy curve: answering the surest first, how many are right.

    Point i stands for answering the i + 1 most confident questions of all, the unanswerable
    included (every answer to them is wrong, but for corrections); coverage is (i + 1)/n. Questions
    of equal confidence cannot be told apart by any threshold, so they share the accuracy of
    answering all of them. A question the system never answers comes last and counts as wrong.
    Source: El-Yaniv and Wiener 2010 (risk-coverage curve; accuracy = 1 - risk).
    """
    confidence = np.where(c.given, c.confidence, -1.0)
    order = np.argsort(-confidence, kind="stable")
    answered = np.arange(1, len(order) + 1)
    accuracy = np.cumsum(c.right[order]) / answered
    confidence = confidence[order]
    last_of_ties = np.searchsorted(-confidence, -confidence, side="right") - 1
    return answered / len(order), accuracy[last_of_ties]


def curve_area(c: Columns) -> float:
    """Area under the coverage-accuracy curve: the mean accuracy over all coverages (1 - AURC).

    Source: Geifman, Uziel and El-Yaniv 2019, Bias-reduced uncertainty estimation (AURC).
    """
    return float(coverage_accuracy(c)[1].mean())


def calibration_bins(c: Columns, bins: int = 10) -> Floats:
    """Return the reliability diagram of the answers in bins of equal width, empty ones left out.

    A row for each bin: how many answers, their mean confidence, the share that is right. Source:
    Guo et al. 2017, On calibration of modern neural networks.
    """
    place = np.minimum((c.confidence * bins).astype(int), bins - 1)
    size = np.bincount(place, minlength=bins)
    sums = np.bincount(place, c.confidence, bins), np.bincount(place, c.right, bins)
    full = size > 0
    return np.stack([size[full], *(total[full] / size[full] for total in sums)], axis=1)


def calibration_error(c: Columns) -> float:
    """Expected calibration error: mean distance of confidence and accuracy over the bins.

    Weighted by the answers in each of 10 bins. Source: Guo et al. 2017.
    """
    size, confidence, accuracy = calibration_bins(c).T
    return float(size @ abs(confidence - accuracy) / size.sum()) if len(size) else math.nan


class Figure(NamedTuple):
    """A headline figure: how it is called, worked out and shown."""

    label: str
    compute: Callable[[Columns], Share | float]
    unit: Literal["%", "ms"] = "%"


FIGURES: dict[str, Figure] = {
    # An answerable question: an answer, sure or unsure, that is right in its words and cited in
    # every gold group. An unanswerable one: a refusal, or an answer that cites a correction.
    "correct": Figure("right outcome", lambda c: (c.correct, c.every)),
    # One minus the selective risk of El-Yaniv and Wiener 2010, On the foundations of noise-free
    # selective classification. An answer to an unanswerable question is wrong, but for corrections.
    "accuracy_sure": Figure("accuracy of sure answers", lambda c: (c.right & c.sure, c.sure)),
    "accuracy_given": Figure("accuracy of given answers", lambda c: (c.right & c.shown, c.shown)),
    "unanswerable_sure": Figure(
        "unanswerable answered surely", lambda c: (c.sure & ~c.answerable & ~c.right, ~c.answerable)
    ),
    "unanswerable_unsure": Figure(
        "unanswerable answered unsurely",
        lambda c: (c.unsure & ~c.answerable & ~c.right, ~c.answerable),
    ),
    "unsure_share": Figure("given answers that are unsure", lambda c: (c.unsure, c.shown)),
    "coverage": Figure(
        "coverage (answerable answered)", lambda c: (c.shown & c.answerable, c.answerable)
    ),
    "false_refusal_rate": Figure(
        "false refusals", lambda c: (c.refused & c.answerable, c.answerable)
    ),
    "refusal_precision": Figure(
        "refusal precision", lambda c: (c.refused & ~c.answerable, c.refused)
    ),
    "refusal_recall": Figure(
        "refusal recall", lambda c: (c.refused & ~c.answerable, ~c.answerable)
    ),
    # Over the questions with acceptable answers; at the thresholds a refused one counts 0.
    "exact_at_threshold": Figure(
        "exact match at threshold", lambda c: (c.exact * c.shown * c.worded, c.worded)
    ),
    "f1_at_threshold": Figure("F1 at threshold", lambda c: (c.f1 * c.shown * c.worded, c.worded)),
    "exact": Figure("exact match, full coverage", lambda c: (c.exact * c.worded, c.worded)),
    "f1": Figure("F1, full coverage", lambda c: (c.f1 * c.worded, c.worded)),
    **{
        name: Figure(label, lambda c, name=name: (c[name] * c.answerable, c.answerable))  # type: ignore[misc]
        for name, label in {
            "contains_gold": "citation contains gold",
            "citation_precision": "citation precision",
            "citation_recall": "citation recall",
            **{f"recall@{k}": f"retrieval recall@{k}" for k in CUTOFFS},
            "mrr": "retrieval MRR",
        }.items()
    },
    "curve_area": Figure("area under coverage-accuracy", curve_area),
    # Of all answers at full coverage, the held back included; and of those that are shown.
    "calibration_error": Figure(
        "expected calibration error", lambda c: calibration_error(c[c.given])
    ),
    "calibration_error_shown": Figure(
        "calibration error, given answers", lambda c: calibration_error(c[c.shown])
    ),
    # Citations and nearest quotes that are the article's text at their offsets.
    "quote_integrity": Figure("quote integrity", lambda c: (c.citations - c.altered, c.citations)),
    "median_seconds": Figure("median time", lambda c: float(np.median(c.seconds)), "ms"),
    "p95_seconds": Figure(
        "95th percentile of time", lambda c: float(np.percentile(c.seconds, 95)), "ms"
    ),
}


class Estimate(NamedTuple):
    """A figure's value with its 95% interval (NaN where undefined)."""

    value: float
    low: float
    high: float


def estimate_all(
    rows: Sequence[Row], *, intervals: bool = True, seed: int = 0
) -> dict[str, Estimate]:
    """Work out every figure with its bootstrap confidence interval.

    Questions are drawn with replacement ``RESAMPLES`` times; the interval runs from the 2.5th to
    the 97.5th percentile of the draws in which the figure is defined. Source: Efron 1979,
    Bootstrap methods (percentile interval).

    Args:
        rows: the outcomes; none gives NaN everywhere.
        intervals: False leaves the intervals NaN, which is faster.
        seed: of the draws; the same rows and seed give the same intervals.
    """
    n = len(rows)
    if not n:
        return {name: Estimate(math.nan, math.nan, math.nan) for name in FIGURES}
    c = columns(rows)
    draws = RESAMPLES if intervals and n > 1 else 0
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=draws)
    weights = np.vstack([np.ones((1, n)), drawn])  # how often each row counts; first, once each
    estimates = {}
    for name, figure in FIGURES.items():
        found = figure.compute(c)
        if isinstance(found, tuple):
            part, whole = (weights @ np.array(column, dtype=np.float64) for column in found)
            values = np.divide(part, whole, out=np.full(len(part), math.nan), where=whole > 0)
        else:
            values = np.array([found, *(figure.compute(c.repeat(times)) for times in drawn)])
        defined = values[1:][~np.isnan(values[1:])]
        low, high = np.percentile(defined, [2.5, 97.5]) if len(defined) else (math.nan, math.nan)
        estimates[name] = Estimate(float(values[0]), float(low), float(high))
    return estimates


def format_figure(name: str, value: float, *, digits: int = 1) -> str:
    """Return a figure for people: 81.5 for a share of 0.815, 43 ms for 0.043 s, - for NaN."""
    if math.isnan(value):
        return "–"
    return f"{value * 1000:.0f} ms" if FIGURES[name].unit == "ms" else f"{value * 100:.{digits}f}"
