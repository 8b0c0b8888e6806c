"""Questions written for training, as people type them, to articles of many makes.

They have the format of the regression set. What is made of them is what the product itself would
see: for the verifier the sentences that retrieval likes best, each where it stands; for the reader
the windows.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from article_qa.answering.verifier import candidate_at
from article_qa.bot import ArticleQA
from article_qa.evaluation.loading import load_questions, locate_gold
from article_qa.evaluation.records import Question
from article_qa.reading.article import read_articles
from article_qa.training.candidates import Group
from article_qa.training.pairs import Pair
from article_qa.types import Article, Span

T = TypeVar("T")

OTHER_WINDOWS = 2
"""Windows without the answer that a question comes with: those that retrieval likes best."""

WRONG = 5
"""Wrong sentences of a group: those that retrieval likes best."""


def _asked(folder: Path) -> Iterator[tuple[ArticleQA, Question]]:
    """Yield the single questions of a folder, each with its article ready to be asked."""
    articles = read_articles(sorted((folder / "articles").iterdir()))
    asked = [q for path in sorted(folder.glob("*.jsonl")) for q in load_questions(path)]
    placed, _ = locate_gold(asked, {article.id: article for article in articles})
    base: ArticleQA | None = None
    for article in articles:
        qa = base.with_articles([article]) if base else ArticleQA.from_articles([article])
        base = base or qa
        yield from ((qa, q) for q in placed if q.article == article.id and len(q.turns) == 1)


def written_groups(folder: Path) -> list[Group]:
    """Return a group of sentences for every question.

    Args:
        folder: with ``*.jsonl`` and a folder ``articles``.
    """
    return [group for qa, question in _asked(folder) if (group := _group(qa, question))]


def written_pairs(folder: Path, seed: int) -> list[Pair]:
    """Return for every question a window that answers, if any, and ``OTHER_WINDOWS`` that do not.

    Args:
        folder: with ``*.jsonl`` and a folder ``articles``.
        seed: of the choice among windows.
    """
    rng = random.Random(seed)
    return [pair for qa, question in _asked(folder) for pair in _pairs(qa, question, rng)]


def _pairs(qa: ArticleQA, question: Question, rng: random.Random) -> Iterator[Pair]:
    (article,) = qa.articles
    hits = qa.as_retriever(k=qa.settings.top_k).hits(question.text)
    windows = [hit.passage.context for hit in hits]
    gold = [quote.span for group in question.quotes for quote in group]
    showing = [w for w in windows if any(w.contains(g) for g in gold)]
    others = [w for w in windows if not any(w.overlaps(g) for g in gold)]
    for window in [*(rng.sample(showing, 1) if showing else ()), *others[:OTHER_WINDOWS]]:
        inside = [g for g in gold if window.contains(g)]
        yield _pair(article, window, question, inside)


def _pair(article: Article, window: Span, question: Question, gold: Sequence[Span]) -> Pair:
    """Return the pair of a question and a window that holds ``gold`` of its quotes, if any."""
    text = article.text[window.start : window.end]
    shift = window.start
    places = tuple(
        (s.start - shift, s.end - shift) for s in article.sentences if window.contains(s)
    )
    if not gold:
        return Pair(question.text, text, (), "none", places)
    shown = tuple((g.start - shift, g.end - shift) for g in gold)
    answers = [answer.lower() for answer in question.answers]
    if "yes" in answers or "no" in answers:
        return Pair(question.text, text, (), "yes" if "yes" in answers else "no", places, shown)
    spans = _answers_in(article.text, gold, question.answers, shift)
    return Pair(question.text, text, spans, "span", places, shown)


def _answers_in(
    text: str, quotes: Sequence[Span], answers: Sequence[str], begin: int
) -> tuple[tuple[int, int], ...]:
    """Return where the answers stand in the first quote that has one, from ``begin`` on; the quote
    where there is none.
    """
    for quote in quotes:
        found = [
            (at - begin, at - begin + len(answer))
            for answer in answers
            if (at := text.find(answer, quote.start, quote.end)) >= 0
        ]
        if found:
            return tuple(found[:2])
    return ((quotes[0].start - begin, quotes[0].end - begin),)


def _group(qa: ArticleQA, question: Question) -> Group | None:
    (article,) = qa.articles
    gold = [quote.span for group in question.quotes for quote in group]
    right = [s for s in article.sentences if any(s.overlaps(g) for g in gold)]
    wrong = list(_wrong(qa, question.text, gold))[:WRONG]
    places = [*right, *wrong]
    if len(places) < 2 or (gold and not right):
        return None
    return Group(
        question.text,
        tuple(candidate_at(article, place) for place in places),
        (True,) * len(right) + (False,) * len(wrong),
    )


def _wrong(qa: ArticleQA, question: str, gold: Sequence[Span]) -> Iterator[Span]:
    hits = qa.as_retriever().hits(question)
    scored = sorted((s for hit in hits for s in hit.sentences), key=lambda s: -s.score)
    for span in dict.fromkeys(s.span for s in scored):
        if not any(span.overlaps(g) for g in gold):
            yield span


def mixed(written: Sequence[T], general: Iterator[T], seed: int) -> Iterator[T]:
    """Yield for ever: in each round all that were written and half as many others, shuffled."""
    rng = random.Random(seed)
    while True:
        drawn = [*written, *(next(general) for _ in range(len(written) // 2))]
        rng.shuffle(drawn)
        yield from drawn
