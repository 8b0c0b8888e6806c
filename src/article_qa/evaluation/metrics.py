"""What is measured: every figure with its definition and its source.

``Columns`` holds the rows as arrays; a figure is a function of them, so that a bootstrap resample
is just other columns. A question that raised stays in every denominator and scores 0. An
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

from article_qa.evaluation.records import Question, Row
from article_qa.types import Answer, Article, Hit, Span

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

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
        shared = sum((Counter(ours) & Counter(theirs)).values())
        if not ours or not theirs:
            return float(ours == theirs)
        return 2 * shared / (len(ours) + len(theirs))

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
    good = [any(span.overlaps(gold) for gold in golds) for span in _cited(question, answer)]
    return sum(good) / len(answer.citations) if answer.citations else 0.0


def citation_recall(question: Question, answer: Answer) -> float:
    """Return the share of gold groups of which a citation overlaps at least one alternative.

    Source: citation recall of ALCE (Gao et al. 2023, Enabling large language models to generate
    text with citations): what has to be supported and is, with spans in place of a judge model.
    """
    spans = _cited(question, answer)
    found = [any(q.span.overlaps(s) for q in group for s in spans) for group in question.quotes]
    return sum(found) / len(found) if found else 0.0


def contains_gold(question: Question, answer: Answer) -> float:
    """Return the share of gold groups of which a citation contains an alternative whole.

    In SQuAD format the alternatives are the gold answers at their true places, so this is the
    share of questions whose citation contains a gold answer where it truly stands, not a chance
    occurrence of the same words.
    """
    spans = _cited(question, answer)
    found = [any(s.contains(q.span) for q in group for s in spans) for group in question.quotes]
    return sum(found) / len(found) if found else 0.0


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
    ranks: list[int | None] = []
    for group in question.quotes:
        ranks.append(
            next(
                (
                    rank
                    for rank, hit in enumerate(hits, 1)
                    if hit.passage.article_id == question.article
                    and any(hit.passage.span.overlaps(quote.span) for quote in group)
                ),
                None,
            )
        )
    return tuple(ranks)


def retrieval_measures(rows: Sequence[Row]) -> dict[str, Floats]:
    """Return recall@k and reciprocal rank for each row, by ir_measures.

    Every gold group is a query of its own, whose relevant document is the first hit that overlaps
    it, so recall@k is the share of groups found among the first k hits, and a row's value is the
    mean over its groups. Source: Voorhees and Harman 2005, TREC; the library is
    MacAvaney et al. 2022, Streamlining evaluation with ir-measures.
    """
    from ir_measures import RR, Qrel, ScoredDoc, Success, iter_calc

    depth = max(CUTOFFS)
    names = {Success @ k: f"recall@{k}" for k in CUTOFFS} | {RR: "mrr"}
    sums = {name: np.zeros(len(rows)) for name in names.values()}
    qrels, run = [], []
    for i, row in enumerate(rows):
        for group, rank in enumerate(row.ranks):
            query = f"{i} {group}"
            qrels.append(Qrel(query, str(rank), 1))
            ranked = range(1, max(depth, rank or 0) + 1)
            run += [ScoredDoc(query, str(r), float(-r)) for r in ranked]
    if qrels:
        for metric in iter_calc(list(names), qrels, run):
            i = int(metric.query_id.split()[0])
            sums[names[metric.measure]][i] += metric.value / len(rows[i].ranks)
    return sums


# --- figures over many rows -----------------------------------------------------------------


class Columns(NamedTuple):
    """The rows as arrays of equal length."""

    answerable: Bools
    worded: Bools
    given: Bools
    shown: Bools
    refused: Bools
    right: Bools
    correct: Bools
    confidence: Floats
    exact: Floats
    f1: Floats
    citation_precision: Floats
    citation_recall: Floats
    contains_gold: Floats
    recall_1: Floats
    recall_3: Floats
    recall_8: Floats
    mrr: Floats
    quotes: Floats
    altered: Floats
    seconds: Floats

    def take(self, index: NDArray[np.intp]) -> Columns:
        """Return the rows at these places."""
        return Columns._make(column[index] for column in self)


def columns(rows: Sequence[Row]) -> Columns:
    """Turn rows into arrays."""
    found = retrieval_measures(rows)

    def bools(name: str) -> Bools:
        return np.array([getattr(row, name) for row in rows], dtype=np.bool_)

    def floats(name: str) -> Floats:
        return np.array([getattr(row, name) for row in rows], dtype=np.float64)

    return Columns(
        answerable=np.array([row.question.answerable for row in rows], dtype=np.bool_),
        worded=np.array([bool(row.question.answers) for row in rows], dtype=np.bool_),
        given=bools("given"),
        shown=bools("shown"),
        refused=bools("refused"),
        right=bools("right"),
        correct=bools("correct"),
        confidence=floats("confidence"),
        exact=floats("exact"),
        f1=floats("f1"),
        citation_precision=floats("citation_precision"),
        citation_recall=floats("citation_recall"),
        contains_gold=floats("contains_gold"),
        recall_1=found["recall@1"],
        recall_3=found["recall@3"],
        recall_8=found["recall@8"],
        mrr=found["mrr"],
        quotes=floats("citations"),
        altered=np.array([len(row.altered) for row in rows], dtype=np.float64),
        seconds=floats("seconds"),
    )


def _share(part: NDArray[Any], whole: NDArray[Any]) -> float:
    """Return sum(part)/sum(whole), NaN where the whole is nothing."""
    total = float(whole.sum())
    return float(part.sum()) / total if total else math.nan


def correct(c: Columns) -> float:
    """Share of all questions with the right outcome at the shipped threshold.

    A right answer for an answerable question, a refusal for an unanswerable one.
    """
    return _share(c.correct, np.ones_like(c.correct))


def accuracy_given(c: Columns) -> float:
    """Of the answers given at the shipped threshold, the share that is right.

    One minus the selective risk of El-Yaniv and Wiener 2010, On the foundations of noise-free
    selective classification. Answers to unanswerable questions count as wrong.
    """
    return _share(c.right & c.shown, c.shown)


def coverage(c: Columns) -> float:
    """Share of answerable questions that are answered at the shipped threshold, rightly or not."""
    return _share(c.shown & c.answerable, c.answerable)


def false_refusal_rate(c: Columns) -> float:
    """Share of answerable questions that are refused at the shipped threshold."""
    return _share(c.refused & c.answerable, c.answerable)


def refusal_precision(c: Columns) -> float:
    """Of the refusals at the shipped threshold, the share that is of unanswerable questions."""
    return _share(c.refused & ~c.answerable, c.refused)


def refusal_recall(c: Columns) -> float:
    """Of the unanswerable questions, the share that is refused at the shipped threshold."""
    return _share(c.refused & ~c.answerable, ~c.answerable)


def _mean(name: str, over: Literal["answerable", "worded"]) -> Callable[[Columns], float]:
    """Return the mean of a column at full coverage, over the answerable or the worded questions.

    Worded questions are those with acceptable answers; where the citation alone is judged (an
    overview) there is nothing to compare words with.
    """

    def figure(c: Columns) -> float:
        rows: Bools = getattr(c, over)
        return _share(getattr(c, name)[rows], rows)

    return figure


def exact_at_threshold(c: Columns) -> float:
    """Exact match over the questions with acceptable answers, a refused one counting 0."""
    return _share((c.exact * c.shown)[c.worded], c.worded)


def f1_at_threshold(c: Columns) -> float:
    """F1 over the questions with acceptable answers, a refused one counting 0."""
    return _share((c.f1 * c.shown)[c.worded], c.worded)


def quote_integrity(c: Columns) -> float:
    """Share of citations and nearest quotes that are the article's text at their offsets."""
    return _share(c.quotes - c.altered, c.quotes)


def coverage_accuracy(c: Columns) -> tuple[Floats, Floats]:
    """Return the coverage-accuracy curve: answering the surest first, how many are right.

    Point i stands for answering the i + 1 most confident questions of all, the unanswerable
    included (every answer to them is wrong); coverage is (i + 1)/n. Questions of equal confidence
    cannot be told apart by any threshold, so they share the accuracy of answering all of them. A
    question the system never answers comes last and counts as wrong. Source: El-Yaniv and Wiener
    2010 (risk-coverage curve; accuracy = 1 - risk).
    """
    n = len(c.right)
    order = np.argsort(-np.where(c.given, c.confidence, -1.0), kind="stable")
    confidence = np.where(c.given, c.confidence, -1.0)[order]
    answered = np.arange(1, n + 1)
    accuracy = np.cumsum(c.right[order]) / answered
    last_of_ties = np.searchsorted(-confidence, -confidence, side="right") - 1
    return answered / n, accuracy[last_of_ties]


def curve_area(c: Columns) -> float:
    """Area under the coverage-accuracy curve: the mean accuracy over all coverages (1 - AURC).

    Source: Geifman, Uziel and El-Yaniv 2019, Bias-reduced uncertainty estimation (AURC).
    """
    return float(coverage_accuracy(c)[1].mean()) if len(c.right) else math.nan


class Bin(NamedTuple):
    """Answers of similar confidence: how many, mean confidence, share right."""

    size: int
    confidence: float
    accuracy: float


def calibration_bins(c: Columns, bins: int = 10) -> list[Bin]:
    """Return the reliability diagram of all answers at full coverage, in bins of equal width.

    Empty bins are left out. Source: Guo et al. 2017, On calibration of modern neural networks.
    """
    confidence, right = c.confidence[c.given], c.right[c.given]
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        Bin(int(here.sum()), float(confidence[here].mean()), float(right[here].mean()))
        for here in (place == b for b in range(bins))
        if here.any()
    ]


def calibration_error(c: Columns) -> float:
    """Expected calibration error: mean distance of confidence and accuracy over the bins.

    Weighted by the answers in each bin; 10 bins. Source: Guo et al. 2017.
    """
    bins = calibration_bins(c)
    total = sum(b.size for b in bins)
    if not total:
        return math.nan
    return sum(b.size * abs(b.confidence - b.accuracy) for b in bins) / total


def median_seconds(c: Columns) -> float:
    """Median wall-clock seconds of a question."""
    return float(np.median(c.seconds)) if len(c.seconds) else math.nan


def p95_seconds(c: Columns) -> float:
    """95th percentile of the wall-clock seconds of a question, linearly interpolated."""
    return float(np.percentile(c.seconds, 95)) if len(c.seconds) else math.nan


class Figure(NamedTuple):
    """A headline figure: how it is called, worked out and shown."""

    label: str
    compute: Callable[[Columns], float]
    unit: Literal["%", "ms"] = "%"


FIGURES: dict[str, Figure] = {
    "correct": Figure("right outcome", correct),
    "accuracy_given": Figure("accuracy of given answers", accuracy_given),
    "coverage": Figure("coverage (answerable answered)", coverage),
    "false_refusal_rate": Figure("false refusals", false_refusal_rate),
    "refusal_precision": Figure("refusal precision", refusal_precision),
    "refusal_recall": Figure("refusal recall", refusal_recall),
    "exact_at_threshold": Figure("exact match at threshold", exact_at_threshold),
    "f1_at_threshold": Figure("F1 at threshold", f1_at_threshold),
    "exact": Figure("exact match, full coverage", _mean("exact", "worded")),
    "f1": Figure("F1, full coverage", _mean("f1", "worded")),
    "contains_gold": Figure("citation contains gold", _mean("contains_gold", "answerable")),
    "citation_precision": Figure("citation precision", _mean("citation_precision", "answerable")),
    "citation_recall": Figure("citation recall", _mean("citation_recall", "answerable")),
    "recall@1": Figure("retrieval recall@1", _mean("recall_1", "answerable")),
    "recall@3": Figure("retrieval recall@3", _mean("recall_3", "answerable")),
    "recall@8": Figure("retrieval recall@8", _mean("recall_8", "answerable")),
    "mrr": Figure("retrieval MRR", _mean("mrr", "answerable")),
    "curve_area": Figure("area under coverage-accuracy", curve_area),
    "calibration_error": Figure("expected calibration error", calibration_error),
    "quote_integrity": Figure("quote integrity", quote_integrity),
    "median_seconds": Figure("median time", median_seconds, "ms"),
    "p95_seconds": Figure("95th percentile of time", p95_seconds, "ms"),
}


class Estimate(NamedTuple):
    """A figure's value with its 95% interval (NaN where undefined) and the rows it rests on."""

    value: float
    low: float
    high: float
    n: int


def estimate_all(
    rows: Sequence[Row], *, intervals: bool = True, seed: int = 0
) -> dict[str, Estimate]:
    """Work out every figure with its bootstrap confidence interval.

    Questions are drawn with replacement ``RESAMPLES`` times; the interval runs from the 2.5th to
    the 97.5th percentile. Source: Efron 1979, Bootstrap methods (percentile interval).

    Args:
        rows: the outcomes; none gives NaN everywhere.
        intervals: False leaves the intervals NaN, which is faster.
        seed: of the draws; the same rows and seed give the same intervals.
    """
    c = columns(rows)
    n = len(rows)
    values = {name: figure.compute(c) for name, figure in FIGURES.items()}
    if not intervals or n < 2:
        return {name: Estimate(v, math.nan, math.nan, n) for name, v in values.items()}
    rng = np.random.default_rng(seed)
    draws: dict[str, list[float]] = {name: [] for name in FIGURES}
    for _ in range(RESAMPLES):
        sample = c.take(rng.integers(0, n, size=n))
        for name, figure in FIGURES.items():
            draws[name].append(figure.compute(sample))
    estimates = {}
    for name, value in values.items():
        defined = [d for d in draws[name] if not math.isnan(d)]
        low, high = np.percentile(defined, [2.5, 97.5]) if defined else (math.nan, math.nan)
        estimates[name] = Estimate(value, float(low), float(high), n)
    return estimates


def format_figure(name: str, value: float, *, digits: int = 1) -> str:
    """Return a figure for people: 81.5 for a share of 0.815, 43 ms for 0.043 s, - for NaN."""
    if math.isnan(value):
        return "–"
    return f"{value * 1000:.0f} ms" if FIGURES[name].unit == "ms" else f"{value * 100:.{digits}f}"
