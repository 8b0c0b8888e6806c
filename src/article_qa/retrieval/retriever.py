"""Which passages fit a question: dense and lexical scores, of passages and sentences, fused.

Scores are fused, not ranks: each kind is standardised over the passages that compete for this
question and the two are summed, weighted (Bruch, Gai and Ingber, 'An Analysis of Fusion Functions
for Hybrid Retrieval', 2023). A passage also counts for its best sentence, which a long passage
would dilute.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import Field

from article_qa.config import Settings
from article_qa.retrieval.candidates import Candidates
from article_qa.types import Hit, ScoredSentence, Store

_DIGITS = 6
"""Scores are rounded so that a passage's place does not hang on the last bits of a float, which
differ between machines; then position breaks the tie."""


class HybridRetriever(BaseRetriever):
    """A LangChain retriever over a ``Store``.

    ``hits`` gives what this package works with, ``invoke`` the same as documents. Both take ``k``
    and ``article_ids``, which default to the fields.

    Args:
        store: what is searched; its settings hold the weights of the scores and ``top_k``.
        k: passages to return; None means ``top_k``.
        article_ids: search only these articles; None searches all.
    """

    store: Store
    k: int | None = None
    article_ids: tuple[str, ...] | None = None

    def hits(
        self, question: str, k: int | None = None, article_ids: Sequence[str] | None = None
    ) -> tuple[Hit, ...]:
        """Rank passages for a question.

        Args:
            question: what is asked; it is embedded once.
            k: how many to return; fewer come where there are fewer.
            article_ids: search only these articles.

        Returns:
            The best ``k``, best first; equals stand in the order of the articles and their text.

        Raises:
            ArticleError: an id is not in the index.
            ModelError: the embedding model cannot be loaded.
            ValueError: ``k`` is less than 1.
        """
        settings = self.store.settings
        k = next(value for value in (k, self.k, settings.top_k) if value is not None)
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}")
        wanted = self.article_ids if article_ids is None else article_ids
        return rank(self.store.search(question, wanted), settings, k)

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        k: int | None = None,
        article_ids: Sequence[str] | None = None,
        **_: Any,
    ) -> list[Document]:
        return [_document(hit) for hit in self.hits(query, k, article_ids)]


def rank(candidates: Candidates, settings: Settings, k: int | None = None) -> tuple[Hit, ...]:
    """Order candidates by their fused score, best first.

    A passage scores ``(1 - sentence_weight) * own + sentence_weight * best sentence``, where both
    are ``fuse``d among their kind.

    Args:
        candidates: what ``Store.search`` found.
        settings: the weights.
        k: how many to return; None returns all.
    """
    if not candidates.passages:
        return ()
    weight = settings.sentence_weight
    own = fuse(candidates.dense, candidates.lexical, settings.dense_weight)
    fused = fuse(
        candidates.sentence_dense, candidates.sentence_lexical, settings.dense_weight
    ).round(_DIGITS)
    best = np.maximum.reduceat(fused[candidates.members], candidates.first)
    scores = ((1 - weight) * own + weight * best).round(_DIGITS)
    ends = np.append(candidates.first[1:], len(candidates.members))

    def hit(i: int) -> Hit:
        rows = candidates.members[candidates.first[i] : ends[i]]
        rows = rows[np.argsort(-fused[rows], kind="stable")]  # equals stay in the text's order
        sentence = rows[0]
        return Hit(
            passage=candidates.passages[i],
            score=float(scores[i]),
            dense=float(candidates.dense[i]),
            lexical=float(candidates.lexical[i]),
            sentence=candidates.sentences[sentence],
            sentence_score=float(fused[sentence]),
            sentence_dense=float(candidates.sentence_dense[sentence]),
            sentences=tuple(
                ScoredSentence(
                    candidates.sentences[row], float(fused[row]),
                    float(candidates.sentence_dense[row]),
                )
                for row in rows
            ),
        )  # fmt: skip

    return tuple(hit(i) for i in np.argsort(-scores, kind="stable")[:k])


def fuse(
    dense: npt.NDArray[np.float32], lexical: npt.NDArray[np.float32], dense_weight: float
) -> npt.NDArray[np.float64]:
    """Sum standardised scores: ``dense_weight * z(dense) + (1 - dense_weight) * z(lexical)``."""
    return dense_weight * standardise(dense) + (1 - dense_weight) * standardise(lexical)


def standardise(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Shift and scale scores to mean 0 and standard deviation 1 (z-scores).

    Where all are alike (a single one; a question without a known word) they say nothing: all 0.
    """
    wide = scores.astype(np.float64)
    deviation = wide.std() if len(wide) else 0.0
    if deviation < 10**-_DIGITS:
        return np.zeros_like(wide)
    standard: npt.NDArray[np.float64] = (wide - wide.mean()) / deviation
    return standard


class HitDocument(Document):
    """A hit in LangChain's currency, still carrying the hit; serialised as a plain document."""

    hit: Any = Field(exclude=True, repr=False)


def _document(hit: Hit) -> HitDocument:
    """Turn a hit into a document; the offsets point into the article's text."""
    passage = hit.passage
    return HitDocument(
        hit=hit,
        page_content=passage.text,
        metadata={
            "article_id": passage.article_id,
            "start": passage.span.start,
            "end": passage.span.end,
            "score": hit.score,
        },
    )
