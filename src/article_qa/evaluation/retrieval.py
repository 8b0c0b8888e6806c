"""How well retrieval finds the paragraph of an answer, on any file in SQuAD format.

The whole file is the corpus and a question gives no hint of its article. A paragraph's rank is that
of its best passage. Recall@k is the share of questions whose paragraph is among the first k; MRR
the mean of 1 / rank (Voorhees, TREC-8, 1999).
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from article_qa.config import Settings
from article_qa.errors import EvaluationError
from article_qa.types import Article

if TYPE_CHECKING:
    from article_qa.retrieval.embeddings import Progress
    from article_qa.retrieval.index import Candidates, PassageIndex

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

    paragraphs, questions = read_squad(path)
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
    return tuple(
        _row(name, [paragraph_rank(found, way, gold) for found, gold in searched], index)
        for name, way in ways.items()
    )


def paragraph_rank(candidates: Candidates, settings: Settings, gold: str) -> int:
    """Return the place, from 1, of the paragraph with id ``gold`` when passages are ranked.

    One that was not found at all stands behind all others.
    """
    from article_qa.retrieval.retriever import rank

    ranked = dict.fromkeys(hit.passage.article_id for hit in rank(candidates, settings))
    return next((n for n, id in enumerate(ranked, 1) if id == gold), len(ranked) + 1)


def read_squad(path: str | Path) -> tuple[list[str], list[tuple[str, str]]]:
    """Read the distinct paragraphs of a SQuAD file, and its answerable questions.

    Returns:
        The paragraphs, and (question, the id of its paragraph: its place in the list).

    Raises:
        EvaluationError: not SQuAD format, or no answerable question.
    """
    places: dict[str, int] = {}
    questions = []
    try:
        for article in json.loads(Path(path).read_text(encoding="utf-8"))["data"]:
            for paragraph in article["paragraphs"]:
                context = str(paragraph["context"])
                if not context.strip():
                    continue
                place = str(places.setdefault(context, len(places)))
                asked = (qa for qa in paragraph["qas"] if not qa.get("is_impossible"))
                questions += [(str(qa["question"]), place) for qa in asked]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EvaluationError(
            f'{path} is not in SQuAD format, {{"data": [{{"paragraphs": [{{"context", "qas"}}]}}]}}'
            f" ({type(error).__name__}: {error})"
        ) from error
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


def _row(name: str, ranks: Sequence[int], index: PassageIndex) -> RetrievalRow:
    return RetrievalRow(
        name=name,
        questions=len(ranks),
        paragraphs=len(index.articles),
        recall={k: sum(rank <= k for rank in ranks) / len(ranks) for k in CUTOFFS},
        mrr=sum(1 / rank for rank in ranks) / len(ranks),
    )
