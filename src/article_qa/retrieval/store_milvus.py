"""A store in Milvus: from a file beside the program (Milvus Lite) to a cluster.

Passages with their vectors and words are rows of one collection, articles rows of another, their
texts objects (``objects``). A question is put to the vectors and to Milvus's own BM25; the passages
that either finds best compete, with the same fusion as in memory (``retriever.rank``).

An article's row names its version, a digest of its content, and only passages of that version are
seen. They are written first, then the row; the old ones go last. So a reader sees an article as it
was before or after a change (at that very moment it may miss it), a change that was broken off
leaves nothing to be seen, and making it again mends it. Any number of processes may read while one
writes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from typing import Any

import numpy as np

from article_qa.config import Settings
from article_qa.errors import IndexCorruptError, IndexUnusableError, UnknownArticleError
from article_qa.retrieval.candidates import Candidates, Floats
from article_qa.retrieval.embeddings import Embedder, Progress
from article_qa.retrieval.entries import Entry, distinct, embed
from article_qa.retrieval.files import check_fresh, check_schema
from article_qa.retrieval.lexical import BM25, tokens
from article_qa.retrieval.milvus import (
    TEXT_BYTES,
    Address,
    connect,
    create,
    read_manifest,
    speaking,
)
from article_qa.retrieval.objects import Objects
from article_qa.retrieval.records import (
    HOSTILE,
    article_record,
    passage_record,
    read_article,
    read_passage,
    version_of,
)
from article_qa.types import Article, Counts, Passage, Span

SCHEMA = 1
"""Version of the collections' layout. Raise it with any change that older code would misread."""

_REMEDY = "Run `article-qa index` with --store and another collection."
_BATCH = 64  # articles embedded and written at once
_ROWS = 500  # passages in one message, some 8 kB each
_MOST = 16_384  # rows that Milvus returns at most
_KEPT = 256  # articles remembered
_SEEN = 100_000  # articles whose version is remembered

Row = dict[str, Any]


class MilvusStore:
    """Articles in Milvus. Safe to share between threads.

    Args:
        address: ``milvus+file:///path/library.db`` or ``milvus+http://host:19530/collection``; what
            opens a server comes from the environment (``ARTICLE_QA_MILVUS_TOKEN`` and so on).
        settings: how articles are cut and ranked; ``embedding_model`` is that of ``embeddings``.
        embeddings: what embeds passages and questions.
        objects: folder or fsspec address of the articles' texts; None for the one it was made with,
            or beside the file.
        create: make it where it is not there.

    Raises:
        IndexUnusableError: it cannot be reached, or ``objects`` must be named.
        IndexCorruptError: there is none, and none is to be made.
        IndexStaleError: it was made by another model, other settings or an older version.
        IndexSchemaError: it was made by a newer version of this package.
        MissingExtraError: the client is not installed.
    """

    def __init__(
        self,
        address: str,
        settings: Settings,
        embeddings: Embedder,
        *,
        objects: str | None = None,
        create: bool = False,
    ) -> None:
        self.address = Address.parse(address)
        self.settings = settings
        self.embeddings = embeddings
        self._client = connect(self.address)
        with speaking(self.address):
            manifest = self._manifest(objects, create=create)
        self.objects = Objects(objects or manifest["objects"] or self.address.objects or "")
        self._seen: dict[str, Row] = {}
        self._read = lru_cache(maxsize=_KEPT)(self._read_object)

    def _manifest(self, objects: str | None, *, create: bool) -> Mapping[str, Any]:
        """Read and check what the store was made with, making it first where it is to be made."""
        try:
            there = read_manifest(self._client, self.address)
        except ValueError as error:
            raise IndexCorruptError(
                f"{self.address.articles} at {self.address.uri} was not made by article-qa. "
                "Give the store another collection."
            ) from error
        if there is None and not create:
            raise IndexCorruptError(
                f"No store {self.address.collection!r} at {self.address.uri}. "
                "Run `article-qa index PATHS --store ADDRESS` to build it."
            )
        manifest = there if there is not None else self._create(objects)
        check_schema(self.address.uri, int(manifest["schema"]), SCHEMA, _REMEDY)
        check_fresh(self.address.uri, manifest, self.settings, self.embeddings, _REMEDY)
        return manifest

    def _create(self, objects: str | None) -> Mapping[str, Any]:
        if objects is None and self.address.objects is None:
            raise IndexUnusableError(
                "A store on a server needs a place for the articles' texts that all its readers "
                "reach: give --objects (s3://bucket/prefix, or a shared folder)."
            )
        manifest = {
            "schema": SCHEMA,
            "settings": self.settings.index_dict(),
            "model_sha256": self.embeddings.fingerprint,
            "objects": objects and Objects(objects).place,  # None lets a file move with its texts
        }
        width = self.embeddings.dimension or len(self.embeddings.embed_query("?"))
        create(self._client, self.address, manifest, width)
        return manifest

    @property
    def articles_by_id(self) -> Mapping[str, Article]:
        """The articles, each fetched when it is asked for; the last ones are remembered."""
        return _Articles(self)

    def counts(self) -> Counts:
        """Count the articles and their passages; what a broken change left counts, too."""
        with speaking(self.address):
            articles, passages = (
                int(self._client.query(name, filter="", output_fields=["count(*)"])[0]["count(*)"])
                for name in (self.address.articles, self.address.collection)
            )
        return Counts(articles, passages)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    # Changing

    def add(self, articles: Iterable[Article], progress: Progress | None = None) -> tuple[str, ...]:
        """Add articles, replacing those of the same id; an unchanged one is not embedded again.

        Articles are taken some at a time, so that any number can be added.

        Returns:
            The ids of the articles that are new or changed.

        Raises:
            ArticleError: two of them have the same id.
            IndexUnusableError: the server failed; what was added before stays.
        """
        changed: list[str] = []
        given = distinct(articles)
        while batch := list(islice(given, _BATCH)):
            known = self.versions(article.id for article in batch)
            new = [a for a in batch if known.get(a.id) != version_of(a)]
            if new:
                self.put(embed(new, self.settings, self.embeddings, progress))
            changed += (article.id for article in new)
        return tuple(changed)

    def versions(self, article_ids: Iterable[str]) -> dict[str, str]:
        """Return the version of each of these articles that is there."""
        return {row["id"]: row["version"] for row in self._rows(map(_key, article_ids)).values()}

    def put(self, entries: Sequence[Entry]) -> None:
        """Write articles that are cut and embedded, replacing those of the same id."""
        old = self._rows(_key(entry.article.id) for entry in entries)
        rows = [_article_row(entry, self._put_object(entry.article)) for entry in entries]
        passages = [row for entry in entries for row in _passage_rows(entry)]
        with speaking(self.address):
            for start in range(0, len(passages), _ROWS):
                self._client.upsert(self.address.collection, passages[start : start + _ROWS])
            self._client.upsert(self.address.articles, rows)  # from here on the new ones are seen
            keys, kept = _list(row["key"] for row in rows), _list(row["version"] for row in rows)
            self._client.delete(
                self.address.collection, filter=f"article in {keys} and version not in {kept}"
            )
        self._forget(row["key"] for row in rows)
        self._drop_objects(old.values(), {row["object"] for row in rows})

    def remove(self, article_ids: Iterable[str]) -> tuple[str, ...]:
        """Remove articles.

        Returns:
            The ids of those that were there.
        """
        there = self._rows(map(_key, article_ids))
        if there:
            with speaking(self.address):
                self._client.delete(self.address.articles, ids=list(there))
                self._client.delete(self.address.collection, filter=f"article in {_list(there)}")
            self._forget(there)
            self._drop_objects(there.values(), set())
        return tuple(row["id"] for row in there.values())

    def _put_object(self, article: Article) -> str:
        return self.objects.put(json.dumps(article_record(article)).encode("ascii"))

    def _drop_objects(self, rows: Iterable[Row], kept: set[str]) -> None:
        for name in {row["object"] for row in rows} - kept:
            self.objects.remove(name)

    # Searching

    def search(
        self,
        question: str,
        article_ids: Iterable[str] | None = None,
        *,
        since: date | None = None,
        until: date | None = None,
    ) -> Candidates:
        """Find the passages that are nearest to a question, and those that share its words.

        Args:
            question: what is asked; it is embedded once.
            article_ids: search only these articles; None searches all.
            since: only articles published on this day or later, as their metadata says.
            until: only articles published on this day or earlier.

        Raises:
            UnknownArticleError: an id is not in the store.
            IndexUnusableError: the server failed.
            ModelError: the embedding model cannot be loaded.
        """
        where = self._where(article_ids, since, until)
        vector = np.asarray(self.embeddings.embed_query(question), dtype=np.float32)
        words = _words(question)
        with speaking(self.address):
            lexical = self._bm25(words, where, self.settings.candidates)
            near = self._client.search(
                self.address.collection,
                data=[vector.tolist()],
                anns_field="vector",
                filter=where,
                limit=min(self.settings.candidates, _MOST),
                output_fields=["id"],
            )
            ids = list(dict.fromkeys([*lexical, *(hit["id"] for hit in near[0])]))
            rows = self._current(ids)
            unscored = [row["id"] for row in rows if row["id"] not in lexical]
            if unscored:
                lexical |= self._bm25(words, f"id in {_list(unscored)}", len(unscored))
        return _candidates(words, vector, rows, [lexical.get(row["id"], 0.0) for row in rows])

    def _where(
        self, article_ids: Iterable[str] | None, since: date | None, until: date | None
    ) -> str:
        """Return a filter in Milvus's language; ids go into it as digests, whatever they hold."""
        terms = []
        if article_ids is not None:
            wanted = {_key(id): id for id in article_ids}
            there = self._rows(wanted)
            if unknown := [id for key, id in wanted.items() if key not in there]:
                raise UnknownArticleError(f"No article {unknown[0]!r} in the store.")
            terms.append(f"article in {_list(wanted)}")
        if since is not None:
            terms.append(f'published >= "{since.isoformat()}"')
        if until is not None:
            terms.append(f'published != "" and published <= "{until.isoformat()}"')
        return " and ".join(terms)

    def _bm25(self, words: str, where: str, limit: int) -> dict[str, float]:
        """Return the BM25 scores of the passages that share words, by passage."""
        if not words:
            return {}
        found = self._client.search(
            self.address.collection,
            data=[words],
            anns_field="bm25",
            filter=where,
            limit=min(limit, _MOST),
            output_fields=["id"],
        )
        # Milvus Lite gives distances, which are negative.
        return {hit["id"]: abs(float(hit["distance"])) for hit in found[0]}

    def _current(self, ids: Sequence[str]) -> list[Row]:
        """Fetch passages, those of the articles' current versions alone, in a fixed order."""
        if not ids:
            return []
        fields = ["article", "version", "position", "place", "text", "vectors", "words"]
        rows = self._client.get(self.address.collection, ids=list(ids), output_fields=fields)
        articles = self._rows({row["article"] for row in rows})
        current = []
        for row in rows:
            article = articles.get(row["article"])
            if article is not None and article["version"] == row["version"]:
                current.append({**row, "passage": self._passage(row, article["id"])})
        return sorted(current, key=lambda row: (row["passage"].article_id, row["position"]))

    def _passage(self, row: Row, id: str) -> Passage:
        """Make a passage of its row; one too long for a row is cut from its article."""
        place, text = row["place"], row["text"]
        (start, end), context = place["span"], place["context"]
        if len(text) != end - start:
            return read_passage({**place, "article_id": id}, self.articles_by_id[id])
        sentences = tuple(Span(*sentence) for sentence in place["sentences"])
        return Passage(id, Span(start, end), text, sentences, Span(*context), place["kind"])

    # Articles

    def _rows(self, keys: Iterable[str]) -> dict[str, Row]:
        """Fetch the rows of articles by key, in the order asked for."""
        keys = list(dict.fromkeys(keys))
        found: dict[str, Row] = {}
        with speaking(self.address):
            for start in range(0, len(keys), _ROWS):
                for row in self._client.get(
                    self.address.articles,
                    ids=keys[start : start + _ROWS],
                    output_fields=["key", "id", "version", "object"],
                ):
                    found[row["key"]] = {**row, "id": json.loads(row["id"])}
        self._note(found.values())
        return {key: found[key] for key in keys if key in found}

    def _note(self, rows: Iterable[Row]) -> None:
        """Remember which version of an article was seen last."""
        if len(self._seen) > _SEEN:
            self._seen.clear()
        self._seen.update((row["key"], row) for row in rows)

    def _forget(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._seen.pop(key, None)

    def ids(self) -> Iterator[str]:
        """Yield the ids of all articles, in no order that means anything."""
        with speaking(self.address):
            pages = self._client.query_iterator(
                self.address.articles, batch_size=1000, output_fields=["key"]
            )
            while rows := pages.next():
                yield from (row["id"] for row in self._rows(row["key"] for row in rows).values())
            pages.close()

    def article(self, id: str) -> Article:
        """Fetch an article, in the version that a search saw last.

        Raises:
            KeyError: it is not in the store.
            IndexCorruptError: its text is lost or was edited.
        """
        key = _key(id)
        for row in (self._seen.get(key), None):
            row = row or self._rows([key]).get(key)
            if row is None:
                raise KeyError(id)
            try:
                return self._read(row["object"])
            except FileNotFoundError:  # another process has just replaced it
                self._forget([key])
        raise IndexCorruptError(f"The text of {id!r} is not in {self.objects.place}. {_REMEDY}")

    def _read_object(self, name: str) -> Article:
        try:
            return read_article(json.loads(self.objects.get(name)))
        except HOSTILE as error:
            raise IndexCorruptError(
                f"{name} in {self.objects.place} is no article ({type(error).__name__}: {error})."
            ) from error


class _Articles(Mapping[str, Article]):
    """A store's articles by id."""

    def __init__(self, store: MilvusStore) -> None:
        self._store = store

    def __getitem__(self, id: str) -> Article:
        return self._store.article(id)

    def __iter__(self) -> Iterator[str]:
        return self._store.ids()

    def __len__(self) -> int:
        return self._store.counts().articles


def _key(id: str) -> str:
    """Return what stands for an article's id in rows and filters."""
    return sha256(id.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _list(values: Iterable[str]) -> str:
    """Write values that need no escapes as a list in Milvus's language."""
    return json.dumps(list(values))


def _words(text: str) -> str:
    """Return a text's words as Milvus is to see them: its analyser keeps letters and digits."""
    return " ".join(
        word if word.isascii() and word.isalnum() else f"x{word.encode().hex()}"
        for word in tokens(text)
    )


def _article_row(entry: Entry, name: str) -> Row:
    article = entry.article
    return {
        "key": _key(article.id),
        "id": json.dumps(article.id),  # in ASCII: a file's name may be no text
        "version": version_of(article),
        "object": name,
        "title": json.dumps(article.title)[:TEXT_BYTES],
        "published": _published(article),
        "passages": len(entry.passages),
        "none": [0.0, 0.0],
    }


def _published(article: Article) -> str:
    """Return the day an article was published, where its metadata says so; else nothing."""
    said = article.metadata.get("published")
    try:
        return date.fromisoformat(said.value[:10]).isoformat() if said else ""
    except ValueError:
        return ""


def _passage_rows(entry: Entry) -> Iterator[Row]:
    """Make the rows of an article's passages."""
    article, version = entry.article, version_of(entry.article)
    shared = {"article": _key(article.id), "version": version, "published": _published(article)}
    first = 0
    for position, (passage, vector) in enumerate(zip(entry.passages, entry.vectors, strict=True)):
        last = first + len(passage.sentences)
        own = entry.sentence_vectors[first:last]
        texts = (article.text[s.start : s.end] for s in passage.sentences)
        words = "\n".join(map(_words, texts))
        yield {
            **shared,
            "id": f"{version[:32]}-{position}",
            "position": position,
            "place": {**passage_record(passage), "article_id": ""},  # its article's row says
            "text": passage.text if _fits(passage.text) else "",
            "vectors": _pack(np.vstack([vector, own])),
            "vector": vector.tolist(),
            "words": words[:TEXT_BYTES],
        }
        first = last


def _fits(text: str) -> bool:
    try:
        return len(text.encode()) <= TEXT_BYTES
    except UnicodeEncodeError:  # half a character
        return False


def _pack(vectors: Floats) -> str:
    """Write vectors in half precision, as many as a field takes: with 384 numbers 63."""
    most = TEXT_BYTES // 4 * 3 // (2 * vectors.shape[1])
    return base64.b64encode(vectors[:most].astype("<f2").tobytes()).decode("ascii")


def _candidates(
    words: str, vector: Floats, rows: Sequence[Row], lexical: Sequence[float]
) -> Candidates:
    """Score the sentences of the passages found; those without a vector score as their passage."""
    passages = tuple(row["passage"] for row in rows)
    counts = np.array([len(passage.sentences) for passage in passages], dtype=np.intp)
    dense, sentence_dense, lines = [], [], []
    for row, count in zip(rows, counts, strict=True):
        vectors = np.frombuffer(base64.b64decode(row["vectors"]), "<f2").reshape(-1, len(vector))
        own, *others = (vectors.astype(np.float32) @ vector).tolist()
        dense.append(own)
        sentence_dense += (others + [own] * int(count))[:count]
        lines += (row["words"].split("\n") + [""] * int(count))[:count]
    return Candidates(
        passages=passages,
        dense=np.array(dense, dtype=np.float32),
        lexical=np.array(lexical, dtype=np.float32),
        sentences=tuple(span for passage in passages for span in passage.sentences),
        sentence_dense=np.array(sentence_dense, dtype=np.float32),
        sentence_lexical=BM25(lines, cut=str.split).scores(words),
        members=np.arange(counts.sum()),
        first=np.cumsum(counts) - counts,
    )
