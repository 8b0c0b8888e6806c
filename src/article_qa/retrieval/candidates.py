"""What a store finds for one question: passages and sentences with their raw scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from article_qa.types import Passage, Span

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Candidates:
    """Every passage that may be ranked for one question, with its raw scores.

    Args:
        passages: by article in the order they were added, then by position: (n,).
        dense: cosine similarity of each passage to the question: (n,).
        lexical: its BM25 score: (n,).
        sentences: the distinct sentences of these passages: (m,).
        sentence_dense: cosine similarity of each sentence: (m,).
        sentence_lexical: its BM25 score: (m,).
        members: the rows of the first passage's sentences, then of the second's, and so on.
        first: where each passage's rows begin in ``members``: (n,).
    """

    passages: tuple[Passage, ...]
    dense: Floats
    lexical: Floats
    sentences: tuple[Span, ...]
    sentence_dense: Floats
    sentence_lexical: Floats
    members: Rows
    first: Rows
