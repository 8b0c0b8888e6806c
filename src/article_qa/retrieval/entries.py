"""Articles, cut and embedded: what every store is filled with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePath

import numpy as np

from article_qa.config import Settings
from article_qa.errors import ArticleError
from article_qa.reading.passages import cut_passages
from article_qa.retrieval.candidates import Floats, Rows
from article_qa.retrieval.embeddings import Embedder, Progress
from article_qa.types import Article, Passage, Span


def distinct(articles: Iterable[Article]) -> Iterator[Article]:
    """Yield articles as a store keeps them: without the folder they were read from.

    Raises:
        ArticleError: two of them have the same id.
    """
    ids = set()
    for article in articles:
        if article.id in ids:
            raise ArticleError(
                f"Two articles have the id {article.id!r}; ids must differ. Rename one file, "
                "or give one another id."
            )
        ids.add(article.id)
        # Where it was read from is nobody else's business, and differs between machines.
        yield replace(article, source=article.source and PurePath(article.source).name)


@dataclass(frozen=True)
class Entry:
    """One article with all that is derived from it."""

    article: Article
    passages: tuple[Passage, ...]
    vectors: Floats
    sentence_vectors: Floats

    @cached_property
    def sentences(self) -> tuple[Span, ...]:
        """The distinct sentences of the passages, in the order the passages name them."""
        return distinct_sentences(self.passages)


def embed(
    articles: Sequence[Article],
    settings: Settings,
    embeddings: Embedder,
    progress: Progress | None,
) -> list[Entry]:
    """Cut articles and embed their passages and sentences, each distinct text once."""
    texts: dict[str, int] = {}  # equal texts share a vector: they tie, and position decides

    def rows(article: Article, spans: Iterable[Span]) -> Rows:
        cut = (article.text[span.start : span.end] for span in spans)
        return np.array([texts.setdefault(text, len(texts)) for text in cut], dtype=np.intp)

    planned = []
    for article in articles:
        passages = cut_passages(article, settings)
        own = rows(article, (passage.span for passage in passages))
        planned.append((article, passages, own, rows(article, distinct_sentences(passages))))
    vectors = embeddings.embed_array(list(texts), progress)
    return [
        Entry(article, passages, vectors[own], vectors[sentences])
        for article, passages, own, sentences in planned
    ]


def distinct_sentences(passages: Iterable[Passage]) -> tuple[Span, ...]:
    """List the distinct sentences of passages of one article, in order of first mention."""
    return tuple(dict.fromkeys(span for passage in passages for span in passage.sentences))
