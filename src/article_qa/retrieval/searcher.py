"""Exact search in memory: FAISS and BM25 over passages and sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress

import faiss
import numpy as np

from article_qa.errors import UnknownArticleError
from article_qa.retrieval.candidates import Candidates, Floats
from article_qa.retrieval.entries import Entry
from article_qa.retrieval.lexical import BM25


class Searcher:
    """The entries, ready to be searched; never changed, so a search needs no lock."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = {entry.article.id: entry for entry in entries}
        held = tuple(self.entries.values())
        self.articles = {entry.article.id: entry.article for entry in held}
        self.passages = tuple(passage for entry in held for passage in entry.passages)
        self._sentences = tuple(span for entry in held for span in entry.sentences)
        self._owner = np.repeat(np.arange(len(held)), [len(e.passages) for e in held])
        self._sentence_owner = np.repeat(np.arange(len(held)), [len(e.sentences) for e in held])
        row = {
            (e.article.id, span): row
            for row, (e, span) in enumerate((e, span) for e in held for span in e.sentences)
        }
        self._members = np.array(
            [row[p.article_id, span] for p in self.passages for span in p.sentences], dtype=np.intp
        )
        self._counts = np.array([len(p.sentences) for p in self.passages], dtype=np.intp)
        self._lexical = BM25([passage.text for passage in self.passages])
        self._sentence_lexical = BM25(
            [e.article.text[s.start : s.end] for e in held for s in e.sentences]
        )
        self._dense = _flat_index([entry.vectors for entry in held])
        self._sentence_dense = _flat_index([entry.sentence_vectors for entry in held])

    @property
    def width(self) -> int | None:
        """Numbers of a vector; None where there is none."""
        return self._dense.d if self.passages else None

    def candidates(
        self, question: str, vector: Floats, article_ids: Iterable[str] | None
    ) -> Candidates:
        """Score the passages and sentences of some articles, or of all."""
        wanted = set(self.entries if article_ids is None else article_ids)
        if unknown := sorted(wanted - self.entries.keys()):
            raise UnknownArticleError(
                f"No article {unknown[0]!r} in the index; it holds "
                f"{', '.join(map(repr, self.entries)) or 'none'}."
            )
        chosen = np.array([id in wanted for id in self.entries], dtype=np.bool_)
        passages, sentences = chosen[self._owner], chosen[self._sentence_owner]
        # A chosen passage's sentences are chosen too, and move up to their place among those.
        members = self._members[np.repeat(passages, self._counts)]
        counts = self._counts[passages]
        return Candidates(
            passages=tuple(compress(self.passages, passages)),
            dense=_inner_products(self._dense, vector)[passages],
            lexical=self._lexical.scores(question)[passages],
            sentences=tuple(compress(self._sentences, sentences)),
            sentence_dense=_inner_products(self._sentence_dense, vector)[sentences],
            sentence_lexical=self._sentence_lexical.scores(question)[sentences],
            members=np.cumsum(sentences)[members] - 1,
            first=np.cumsum(counts) - counts,
        )


def _flat_index(parts: Sequence[Floats]) -> faiss.IndexFlatIP:
    """Make an exact inner-product index of the rows of several arrays."""
    filled = [part for part in parts if len(part)]
    index = faiss.IndexFlatIP(filled[0].shape[1] if filled else 1)
    for part in filled:
        index.add(np.ascontiguousarray(part))
    return index


def _inner_products(index: faiss.IndexFlatIP, vector: Floats) -> Floats:
    """Score every row of an index, in row order; FAISS gives them best first."""
    products: Floats = np.zeros(index.ntotal, dtype=np.float32)
    if index.ntotal:
        scores, labels = index.search(vector[None, :], index.ntotal)
        found = labels[0] >= 0  # -1 stands where FAISS has no row to give
        products[labels[0][found]] = scores[0][found]
    return products
