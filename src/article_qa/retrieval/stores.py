"""Which store a name means: a folder, or the address of a Milvus collection."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from article_qa.config import Settings
from article_qa.retrieval.embeddings import Embedder
from article_qa.retrieval.store_local import LocalStore
from article_qa.types import Article, Store

MILVUS = "milvus+"
"""What the address of a Milvus collection begins with."""


def new_store(
    place: str | Store | None, settings: Settings, embeddings: Embedder, objects: str | None = None
) -> Store:
    """Return a store that articles can be added to.

    Args:
        place: a store, returned as it is; a Milvus address, opened, or made where it is not
            there; None for a new store in memory.
        settings: how articles are cut.
        embeddings: what embeds them.
        objects: see ``MilvusStore``.

    Raises:
        IndexUnusableError: it cannot be reached, or was made with another model or settings.
        MissingExtraError: a Milvus address, and its client is not installed.
    """
    if place is None:
        return LocalStore(settings, embeddings)
    if not isinstance(place, str):
        return place
    from article_qa.retrieval.store_milvus import MilvusStore

    return MilvusStore(place, settings, embeddings, objects=objects, create=True)


def saved_store(
    place: str | Path,
    settings: Settings,
    embeddings: Embedder,
    sources: Sequence[Article] | None = None,
    objects: str | None = None,
) -> Store:
    """Open what was saved: an index's folder, or a Milvus collection.

    Raises:
        IndexUnusableError: it is not there, corrupt, stale or from a newer version.
        MissingExtraError: a Milvus address, and its client is not installed.
    """
    if not str(place).startswith(MILVUS):
        return LocalStore.load(place, settings, embeddings, sources)
    from article_qa.retrieval.store_milvus import MilvusStore

    store = MilvusStore(str(place), settings, embeddings, objects=objects)
    if sources is not None:
        store.add(sources)
    return store
