"""The default store: all articles in memory, searched exactly, kept in a folder of files."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from article_qa.config import Settings
from article_qa.errors import IndexCorruptError, IndexStaleError
from article_qa.retrieval import files
from article_qa.retrieval.candidates import Candidates
from article_qa.retrieval.embeddings import Embedder, Progress
from article_qa.retrieval.entries import distinct, embed
from article_qa.retrieval.searcher import Searcher
from article_qa.types import Article, Counts, Passage


class LocalStore:
    """Articles in memory, made searchable. Make one with ``build`` or ``load``.

    Safe to share between threads: a search sees the articles as they were before or after a change.

    Args:
        settings: how articles are cut; ``embedding_model`` is to be the one of ``embeddings``.
        embeddings: what embeds passages and questions.
    """

    def __init__(self, settings: Settings, embeddings: Embedder) -> None:
        self.settings = settings
        self.embeddings = embeddings
        self._searcher = Searcher(())
        self._changing = threading.Lock()

    @classmethod
    def build(
        cls,
        articles: Iterable[Article],
        settings: Settings,
        embeddings: Embedder,
        progress: Progress | None = None,
    ) -> LocalStore:
        """Cut and embed articles.

        Args:
            articles: with ids that differ; none at all makes an index that finds nothing.
            settings: how to cut them.
            embeddings: what embeds them.
            progress: called with (texts embedded, texts in all); None shows a bar for long work.

        Raises:
            ArticleError: two articles have the same id.
            ModelError: the embedding model cannot be loaded.
        """
        index = cls(settings, embeddings)
        index.add(articles, progress)
        return index

    @property
    def articles(self) -> tuple[Article, ...]:
        """The articles, in the order they were added."""
        return tuple(self._searcher.articles.values())

    @property
    def articles_by_id(self) -> Mapping[str, Article]:
        """The same by id, as an engine takes them."""
        return self._searcher.articles

    @property
    def passages(self) -> tuple[Passage, ...]:
        """All passages: by article in the order they were added, then by position."""
        return self._searcher.passages

    def add(self, articles: Iterable[Article], progress: Progress | None = None) -> tuple[str, ...]:
        """Add articles, replacing those of the same id; an unchanged one costs nothing.

        Returns:
            The ids of the articles that are new or changed.

        Raises:
            ArticleError: two of them have the same id.
            ModelError: the embedding model cannot be loaded.
        """
        with self._changing:
            return self._change(articles, progress, keep_others=True)

    def sync(
        self, articles: Iterable[Article], progress: Progress | None = None
    ) -> tuple[str, ...]:
        """Hold exactly these articles, in this order; like ``add``, but all others go."""
        with self._changing:
            return self._change(articles, progress, keep_others=False)

    def remove(self, article_ids: Iterable[str]) -> tuple[str, ...]:
        """Remove articles.

        Returns:
            The ids of those that were there.
        """
        with self._changing:
            unwanted = set(article_ids)
            entries = self._searcher.entries
            gone = tuple(id for id in entries if id in unwanted)
            self._searcher = Searcher(e for id, e in entries.items() if id not in unwanted)
            return gone

    def search(self, question: str, article_ids: Iterable[str] | None = None) -> Candidates:
        """Score every passage and sentence against a question, which is embedded once.

        Args:
            question: what is asked.
            article_ids: search only these articles; None searches all.

        Raises:
            UnknownArticleError: an id is not in the index.
            ModelError: the embedding model cannot be loaded.
        """
        searcher = self._searcher
        if not searcher.passages:  # nothing to compare a vector with
            return searcher.candidates(question, np.zeros(0, dtype=np.float32), article_ids)
        vector = np.asarray(self.embeddings.embed_query(question), dtype=np.float32)
        _check_width(searcher, len(vector), "memory")
        return searcher.candidates(question, vector, article_ids)

    def counts(self) -> Counts:
        """Count the articles and their passages."""
        return Counts(len(self._searcher.articles), len(self._searcher.passages))

    def close(self) -> None:
        """Do nothing: all is in memory."""

    def _change(
        self, articles: Iterable[Article], progress: Progress | None, *, keep_others: bool
    ) -> tuple[str, ...]:
        """Embed what is new and swap the searcher. The caller holds the lock."""
        given = {article.id: article for article in distinct(articles)}
        old = self._searcher.entries
        changed = [a for a in given.values() if a.id not in old or not _same(a, old[a.id].article)]
        fresh = {e.article.id: e for e in embed(changed, self.settings, self.embeddings, progress)}
        merged = {**old, **fresh} if keep_others else {id: fresh.get(id) or old[id] for id in given}
        if merged.keys() != old.keys() or fresh or list(merged) != list(old):
            self._searcher = Searcher(merged.values())
        return tuple(fresh)

    def save(self, directory: str | Path) -> None:
        """Write the index into a folder, whole or not at all.

        The folder is made where it is missing; other files in it are left alone. Processes that
        save at once take turns, and one that loads sees the old index or the new one.

        Raises:
            IndexUnusableError: the folder cannot be written, or is held by another process.
        """
        files.save_index(
            Path(directory), self._searcher.entries.values(), self.settings, self.embeddings
        )

    @classmethod
    def load(
        cls,
        directory: str | Path,
        settings: Settings,
        embeddings: Embedder,
        sources: Sequence[Article] | None = None,
    ) -> LocalStore:
        """Open a saved index, checking all of it. Nothing is embedded unless ``sources`` differ.

        Args:
            directory: where it was saved; need not be writable.
            settings: how articles should have been cut.
            embeddings: what should have embedded them.
            sources: the articles as they are now, if they are at hand: the index will hold exactly
                these, and whatever is stale (a changed article; all of them after a change of model
                or settings) is made anew, in memory.

        Raises:
            IndexCorruptError: truncated, edited, or not an index.
            IndexStaleError: made by another model, other settings or an older version, and without
                ``sources`` to make it again from.
            IndexSchemaError: written by a newer version of this package.
            ModelError: something must be embedded and the model cannot be loaded.
        """
        directory = Path(directory)
        try:
            manifest, entries = files.read_index(directory)
            files.check_fresh(directory, manifest, settings, embeddings)
        except IndexStaleError:
            if sources is None:
                raise
            return cls.build(sources, settings, embeddings)
        index = cls(settings, embeddings)
        index._searcher = Searcher(entries)
        _check_width(index._searcher, embeddings.dimension, str(directory))
        if sources is not None:
            index.sync(sources)
        return index


def _same(new: Article, old: Article) -> bool:
    """Say whether an article's passages would come out the same; where it was read is no matter."""
    return replace(new, source=None, notes=()) == replace(old, source=None, notes=())


def _check_width(searcher: Searcher, width: int | None, where: str) -> None:
    """Compare the vectors' width with the embedding model's, where both are known.

    Raises:
        IndexCorruptError: they differ.
    """
    if width is not None and searcher.width not in (None, width):
        raise IndexCorruptError(
            f"No usable index in {where}: its vectors have {searcher.width} numbers, those of "
            f"the embedding model {width}. {files.REMEDY}"
        )
