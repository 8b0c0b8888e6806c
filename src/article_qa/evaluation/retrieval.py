"""How well retrieval finds the paragraph of an answer, on any file in SQuAD format.

The whole file is the corpus and a question gives no hint of its article. A paragraph's rank is that
of its best passage. Recall@k is the share of questions whose paragraph is among the first k; MRR
the mean of 1 / rank (``metrics.recall_at``, ``metrics.reciprocal_rank``).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from article_qa.config import Settings
from article_qa.errors import EvaluationError
from article_qa.evaluation.metrics import recall_at, reciprocal_rank
from article_qa.evaluation.squad import read_paragraphs
from article_qa.types import Article

if TYPE_CHECKING:
    from article_qa.retrieval.embeddings import Progress
    from article_qa.retrieval.index import Candidates

CUTOFFS = (1, 3, 5)


@dataclass(frozen=True, slots=True)
class RetrievalRow:
    """One way to rank paragraphs, and how well it does.

    Args:
        name: the way: "dense", "BM25", "fused", "fused with sentences".
        questions: how many were asked.
        paragraphs: how many were searched.
        recall: share of questions whose paragraph is among the first k, for each k of ``CUTOFFS``.
        mrr: mean reciprocal rank.
    """

    name: str
    questions: int
    paragraphs: int
    recall: Mapping[int, float]
    mrr: float


def retrieval_table(
    path: str | Path,
    settings: Settings,
    limit: int | None = None,
    progress: Progress | None = None,
) -> tuple[RetrievalRow, ...]:
    """Measure retrieval with each kind of score alone and with all of them.

    Args:
        path: a file in SQuAD format, version 1 or 2; unanswerable questions are left out.
        settings: the models and weights to measure.
        limit: ask only so many questions, always the same; the corpus stays whole. None asks all.
        progress: as ``PassageIndex.build``.

    Returns:
        Four rows: dense scores of passages alone, BM25 alone, both fused, and with the best
        sentence, which is what ``settings`` say and the product does.

    Raises:
        EvaluationError: the file is not in SQuAD format or has no question.
        ModelError: the embedding model cannot be loaded.
    """
    from article_qa.retrieval.embeddings import load_embeddings
    from article_qa.retrieval.index import PassageIndex

    paragraphs, questions = read_questions(path)
    if limit is not None and limit < len(questions):
        questions = random.Random(0).sample(questions, limit)
    index = PassageIndex.build(_articles(paragraphs), settings, load_embeddings(settings), progress)
    searched = [(index.search(question), gold) for question, gold in questions]
    ways = {
        "dense": replace(settings, dense_weight=1.0, sentence_weight=0.0),
        "BM25": replace(settings, dense_weight=0.0, sentence_weight=0.0),
        "fused": replace(settings, sentence_weight=0.0),
        "fused with sentences": settings,
    }
    rows = []
    for name, way in ways.items():
        ranks = [paragraph_rank(found, way, gold) for found, gold in searched]
        recall = {k: recall_at(k, ranks) for k in CUTOFFS}
        found = len(ranks), len(index.articles)
        rows.append(RetrievalRow(name, *found, recall, reciprocal_rank(ranks)))
    return tuple(rows)


def paragraph_rank(candidates: Candidates, settings: Settings, gold: str) -> int:
    """Return the place, from 1, of the paragraph with id ``gold`` when passages are ranked.

    One that was not found at all stands behind all others.
    """
    from article_qa.retrieval.retriever import rank

    ranked = dict.fromkeys(hit.passage.article_id for hit in rank(candidates, settings))
    return next((n for n, id in enumerate(ranked, 1) if id == gold), len(ranked) + 1)


def read_questions(path: str | Path) -> tuple[list[str], list[tuple[str, str]]]:
    """Read the distinct paragraphs of a SQuAD file, and its answerable questions.

    Returns:
        The paragraphs, and (question, the id of its paragraph: its place in the list).

    Raises:
        EvaluationError: not SQuAD format, or no answerable question.
    """
    places: dict[str, int] = {}
    questions = []
    for _, context, asked in read_paragraphs(path):
        if context.strip():
            place = str(places.setdefault(context, len(places)))
            questions += [(question.text, place) for question in asked if not question.impossible]
    if not questions:
        raise EvaluationError(f"{path} has no answerable question; expected at least one")
    return list(places), questions


def _articles(paragraphs: Sequence[str]) -> Iterable[Article]:
    """Make each paragraph an article: no passage then reaches into two.

    All of it is prose here, whatever the parser takes a paragraph for that stands alone.
    """
    from article_qa.reading.article import parse_article

    for place, text in enumerate(paragraphs):
        article = parse_article(text, id=str(place))
        prose = tuple(replace(block, kind="paragraph") for block in article.blocks)
        yield replace(article, blocks=prose)
