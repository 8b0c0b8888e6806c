"""Articles, cut and embedded: exact FAISS search and BM25 over passages and sentences.

On disk an index is a folder of five files and their digests, none of them pickled::

    manifest.json          schema, settings, model fingerprint, the articles' digests
    articles.jsonl         the articles, text, blocks and the analysis of their sentences, so that
                           loading needs no source and reads no sentence twice
    passages.jsonl         where each passage stands; its text is cut from the article
    passage_vectors.npy    float32 (passages, dim)
    sentence_vectors.npy   float32 (sentences, dim), in the order the passages name them
    SHA256SUMS             digests of the above; also read by ``sha256sum -c``

Blocks are stored and not parsed again, so that offsets mean what they meant when the passages were
cut, whatever a newer parser would say. All but the vectors and their digests are the same bytes
each time the same articles are indexed.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import os
import shutil
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress
from pathlib import Path, PurePath
from typing import Any, get_args

import faiss
import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout

from article_qa.config import Settings
from article_qa.errors import (
    ArticleError,
    IndexCorruptError,
    IndexSchemaError,
    IndexStaleError,
    IndexUnusableError,
    UnknownArticleError,
)
from article_qa.language.parse import keep, parse
from article_qa.reading.passages import cut_passages
from article_qa.retrieval.embeddings import Progress, SentenceEmbeddings
from article_qa.retrieval.lexical import BM25
from article_qa.types import Article, Block, BlockKind, Metadatum, Passage, Span

SCHEMA = 2
"""Version of the files' layout. Raise it with any change that older code would misread."""

_FILES = (
    "manifest.json",
    "articles.jsonl",
    "passages.jsonl",
    "passage_vectors.npy",
    "sentence_vectors.npy",
)
_SUMS = "SHA256SUMS"
_REMEDY = "Run `article-qa index` to build it again."
_LOCK_SECONDS = 60.0
_HOSTILE = (
    ArithmeticError,  # a number beyond all bounds
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,  # brackets in brackets
    TypeError,
    ValueError,
)
"""What reading files can raise that have the right digests and were made by somebody else."""

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


@dataclass(frozen=True)
class _Entry:
    """One article with all that is derived from it."""

    article: Article
    passages: tuple[Passage, ...]
    vectors: Floats
    sentence_vectors: Floats

    @cached_property
    def sentences(self) -> tuple[Span, ...]:
        """The distinct sentences of the passages, in the order the passages name them."""
        return _sentences(self.passages)


class _Searcher:
    """The entries, ready to be searched; never changed, so a search needs no lock."""

    def __init__(self, entries: Iterable[_Entry]) -> None:
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

    def check_width(self, width: int | None, where: str) -> None:
        """Compare the vectors' width with the embedding model's, where that is known.

        Raises:
            IndexCorruptError: they differ.
        """
        if width is not None and self.passages and self._dense.d != width:
            raise IndexCorruptError(
                f"No usable index in {where}: its vectors have {self._dense.d} numbers, those of "
                f"the embedding model {width}. {_REMEDY}"
            )

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


class PassageIndex:
    """Articles made searchable. Make one with ``build`` or ``load``.

    Safe to share between threads: a search sees the articles as they were before or after a change.

    Args:
        settings: how articles are cut; ``embedding_model`` is to be the one of ``embeddings``.
        embeddings: what embeds passages and questions.
    """

    def __init__(self, settings: Settings, embeddings: SentenceEmbeddings) -> None:
        self.settings = settings
        self.embeddings = embeddings
        self._searcher = _Searcher(())
        self._changing = threading.Lock()

    @classmethod
    def build(
        cls,
        articles: Iterable[Article],
        settings: Settings,
        embeddings: SentenceEmbeddings,
        progress: Progress | None = None,
    ) -> PassageIndex:
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
            self._searcher = _Searcher(e for id, e in entries.items() if id not in unwanted)
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
        searcher.check_width(len(vector), "memory")
        return searcher.candidates(question, vector, article_ids)

    def _change(
        self, articles: Iterable[Article], progress: Progress | None, *, keep_others: bool
    ) -> tuple[str, ...]:
        """Embed what is new and swap the searcher. The caller holds the lock."""
        given = {}
        for article in articles:
            if article.id in given:
                raise ArticleError(
                    f"Two articles have the id {article.id!r}; ids must differ. Rename one file, "
                    "or give one another id."
                )
            # Where it was read from is nobody else's business, and differs between machines.
            given[article.id] = replace(
                article, source=article.source and PurePath(article.source).name
            )
        old = self._searcher.entries
        changed = [a for a in given.values() if a.id not in old or not _same(a, old[a.id].article)]
        fresh = {e.article.id: e for e in _embed(changed, self.settings, self.embeddings, progress)}
        merged = {**old, **fresh} if keep_others else {id: fresh.get(id) or old[id] for id in given}
        if merged.keys() != old.keys() or fresh or list(merged) != list(old):
            self._searcher = _Searcher(merged.values())
        return tuple(fresh)

    def save(self, directory: str | Path) -> None:
        """Write the index into a folder, whole or not at all.

        The folder is made where it is missing; other files in it are left alone. Processes that
        save at once take turns, and one that loads sees the old index or the new one.

        Raises:
            IndexUnusableError: the folder cannot be written, or is held by another process.
        """
        directory = Path(directory)
        files = _serialise(self._searcher, self.settings, self.embeddings)
        try:
            _write(directory, files)
        except Timeout as error:
            raise IndexUnusableError(
                f"Another process has been saving to {directory} for {_LOCK_SECONDS:.0f} s. Wait "
                f"for it to end, or delete {directory / '.lock'} if there is none."
            ) from error
        except OSError as error:
            raise IndexUnusableError(
                f"An index cannot be written to {directory}: {error.strerror or error}. Name a "
                "folder that can be written."
            ) from error

    @classmethod
    def load(
        cls,
        directory: str | Path,
        settings: Settings,
        embeddings: SentenceEmbeddings,
        sources: Sequence[Article] | None = None,
    ) -> PassageIndex:
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
            manifest, entries = _read_settled(directory)
            _check_fresh(directory, manifest, settings, embeddings)
        except IndexStaleError:
            if sources is None:
                raise
            return cls.build(sources, settings, embeddings)
        index = cls(settings, embeddings)
        index._searcher = _Searcher(entries)
        index._searcher.check_width(embeddings.dimension, str(directory))
        if sources is not None:
            index.sync(sources)
        return index


def _same(new: Article, old: Article) -> bool:
    """Say whether an article's passages would come out the same; where it was read is no matter."""
    return replace(new, source=None, notes=()) == replace(old, source=None, notes=())


def _embed(
    articles: Sequence[Article],
    settings: Settings,
    embeddings: SentenceEmbeddings,
    progress: Progress | None,
) -> list[_Entry]:
    """Cut articles and embed their passages and sentences, each distinct text once."""
    texts: dict[str, int] = {}  # equal texts share a vector: they tie, and position decides

    def rows(article: Article, spans: Iterable[Span]) -> Rows:
        cut = (article.text[span.start : span.end] for span in spans)
        return np.array([texts.setdefault(text, len(texts)) for text in cut], dtype=np.intp)

    planned = []
    for article in articles:
        passages = cut_passages(article, settings)
        own = rows(article, (passage.span for passage in passages))
        planned.append((article, passages, own, rows(article, _sentences(passages))))
    vectors = embeddings.embed_array(list(texts), progress)
    return [
        _Entry(article, passages, vectors[own], vectors[sentences])
        for article, passages, own, sentences in planned
    ]


def _sentences(passages: Iterable[Passage]) -> tuple[Span, ...]:
    """List the distinct sentences of passages of one article, in order of first mention."""
    return tuple(dict.fromkeys(span for passage in passages for span in passage.sentences))


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


# Files


def _serialise(
    searcher: _Searcher, settings: Settings, embeddings: SentenceEmbeddings
) -> dict[str, bytes]:
    """Make the content of every file, the digests last."""
    entries = tuple(searcher.entries.values())
    manifest = {
        "schema": SCHEMA,
        "settings": settings.index_dict(),
        "model_sha256": embeddings.fingerprint,
        "articles": [
            {
                "id": entry.article.id,
                "title": entry.article.title,
                "source": entry.article.source,
                "sha256": entry.article.sha256,
                "passages": len(entry.passages),
            }
            for entry in entries
        ],
    }
    contents = (
        (json.dumps(manifest, indent=2) + "\n").encode("ascii"),
        _json_lines(_article_record(entry.article) for entry in entries),
        _json_lines(_passage_record(passage) for passage in searcher.passages),
        _npy([entry.vectors for entry in entries]),
        _npy([entry.sentence_vectors for entry in entries]),
    )
    files = dict(zip(_FILES, contents, strict=True))
    sums = "".join(f"{_sha256(content)}  {name}\n" for name, content in files.items())
    return {**files, _SUMS: sums.encode("ascii")}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _json_lines(records: Iterable[Mapping[str, Any]]) -> bytes:
    """Write one JSON object a line, in ASCII: even a lone surrogate comes back as it was."""
    return "".join(json.dumps(record) + "\n" for record in records).encode("ascii")


def _npy(parts: Sequence[Floats]) -> bytes:
    filled = [part for part in parts if len(part)]
    array = np.concatenate(filled) if filled else np.zeros((0, 0), dtype=np.float32)
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _article_record(article: Article) -> dict[str, Any]:
    return {
        "id": article.id,
        "title": article.title,
        "source": article.source,
        "notes": list(article.notes),
        "text": article.text,
        "blocks": [
            [b.kind, b.level, b.span.start, b.span.end, [[s.start, s.end] for s in b.sentences]]
            for b in article.blocks
        ],
        "metadata": {name: [m.value, m.origin] for name, m in article.metadata.items()},
        "pages": [list(page) for page in article.pages],
        "parsed": base64.b64encode(parse(article).to_bytes()).decode("ascii"),
    }


def _passage_record(passage: Passage) -> dict[str, Any]:
    return {
        "article_id": passage.article_id,
        "kind": passage.kind,
        "span": [passage.span.start, passage.span.end],
        "context": [passage.context.start, passage.context.end],
        "sentences": [[s.start, s.end] for s in passage.sentences],
    }


def _write(directory: Path, files: Mapping[str, bytes]) -> None:
    """Replace an index's files so that no crash and no reader can come upon a mixture.

    All are written into ``.new``; renaming it to ``.saved`` is the moment the new index counts, for
    readers look there first; then the files move to their places. A save that dies in between is
    finished by the next one.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with FileLock(directory / ".lock", timeout=_LOCK_SECONDS):
        _finish_save(directory)
        new = directory / ".new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        for name, content in files.items():
            with (new / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        _flush_folder(new)
        new.rename(directory / ".saved")
        _flush_folder(directory)
        _finish_save(directory)
        _flush_folder(directory)


def _finish_save(directory: Path) -> None:
    saved = directory / ".saved"
    if saved.is_dir() and not saved.is_symlink():
        for name in (*_FILES, _SUMS):
            if (saved / name).is_file():
                (saved / name).replace(directory / name)
        shutil.rmtree(saved)  # whatever else has got into it
    else:
        saved.unlink(missing_ok=True)


def _flush_folder(directory: Path) -> None:
    """Have the names in a folder written to the disk, where the system can."""
    try:
        folder = os.open(directory, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read_settled(directory: Path) -> tuple[dict[str, Any], list[_Entry]]:
    """Read an index, again where another process was changing its files meanwhile."""
    for _ in range(3):
        try:
            return _read(directory)
        except IndexCorruptError:
            time.sleep(0.05)
    return _read(directory)


def _read(directory: Path) -> tuple[dict[str, Any], list[_Entry]]:
    """Read and check an index's files.

    Raises:
        IndexCorruptError, IndexStaleError, IndexSchemaError: as ``PassageIndex.load``.
    """
    manifest = _read_manifest(directory)
    content = {name: _read_file(directory, name) for name in _FILES}
    try:
        lines = _read_file(directory, _SUMS).decode("ascii").splitlines()
        sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    except ValueError as error:
        raise _corrupt(directory, f"{_SUMS} is not a list of digests", error) from error
    for name, data in content.items():
        if sums.get(name) != _sha256(data):
            raise _corrupt(directory, f"{name} is truncated or was edited ({len(data)} bytes)")
    try:
        return manifest, _entries(manifest, content)
    except _HOSTILE as error:
        raise _corrupt(directory, "its files contradict each other", error) from error


def _read_manifest(directory: Path) -> dict[str, Any]:
    """Read the manifest and check the schema, before anything a newer one may have changed."""
    try:
        manifest = json.loads(_read_file(directory, "manifest.json"))
        schema = int(manifest["schema"])
    except _HOSTILE as error:
        raise _corrupt(directory, "manifest.json is not an index's manifest", error) from error
    if schema > SCHEMA:
        raise IndexSchemaError(
            f"The index in {directory} has schema {schema}; this version of article-qa reads "
            f"{SCHEMA}. Upgrade article-qa, or run `article-qa index` to build it again."
        )
    if schema < SCHEMA:
        raise IndexStaleError(
            f"The index in {directory} has schema {schema}, of an older version; expected "
            f"{SCHEMA}. {_REMEDY}"
        )
    checked: dict[str, Any] = manifest
    return checked


def _read_file(directory: Path, name: str) -> bytes:
    try:
        try:
            return (directory / ".saved" / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return (directory / name).read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        what = f"{name} is missing" if directory.is_dir() else "there is no such folder"
        raise _corrupt(directory, what) from error
    except OSError as error:
        raise IndexUnusableError(
            f"{directory / name} cannot be read: {error.strerror}. Make it readable, or run "
            "`article-qa index` to build an index elsewhere."
        ) from error


def _corrupt(directory: Path, what: str, error: Exception | None = None) -> IndexCorruptError:
    detail = f" ({type(error).__name__}: {error})" if error is not None else ""
    return IndexCorruptError(f"No usable index in {directory}: {what}{detail}. {_REMEDY}")


def _entries(manifest: Mapping[str, Any], content: Mapping[str, bytes]) -> list[_Entry]:
    """Put the files' content together; raises the like of ValueError where it does not fit."""
    records = list(_records(content["articles.jsonl"]))
    articles = [_article(record) for record in records]
    for article, record in zip(articles, records, strict=True):
        keep(article, base64.b64decode(_string(record["parsed"]), validate=True))
    noted = [(record["id"], record["sha256"]) for record in manifest["articles"]]
    if noted != [(article.id, article.sha256) for article in articles]:
        raise ValueError("the articles are not those of the manifest")
    passages = _records(content["passages.jsonl"])
    vectors, sentence_vectors = (_vectors(content[name]) for name in _FILES[3:])
    if vectors.shape[1] != sentence_vectors.shape[1]:
        raise ValueError(f"vectors of {vectors.shape[1]} and {sentence_vectors.shape[1]} numbers")
    entries, row, sentence_row = [], 0, 0
    for article, record in zip(articles, manifest["articles"], strict=True):
        end = row + _count(record["passages"])
        cut = tuple(_passage(passage, article) for passage in passages[row:end])
        sentence_end = sentence_row + len(_sentences(cut))
        entries.append(
            _Entry(article, cut, vectors[row:end], sentence_vectors[sentence_row:sentence_end])
        )
        row, sentence_row = end, sentence_end
    if (row, row, sentence_row) != (len(passages), len(vectors), len(sentence_vectors)):
        raise ValueError(
            f"{row} passages and {sentence_row} sentences expected, {len(passages)} passages "
            f"with {len(vectors)} and {len(sentence_vectors)} vectors found"
        )
    return entries


def _records(lines: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.split(b"\n") if line]


def _vectors(content: bytes) -> Floats:
    """Read an array as ``np.save`` writes it, holding its header against what is there."""
    buffer = io.BytesIO(content)
    try:
        if np.lib.format.read_magic(buffer) != (1, 0):
            raise ValueError("vectors of another format")
        shape, by_column, dtype = np.lib.format.read_array_header_1_0(buffer)
    except Exception as error:  # numpy parses the header as Python, and fails as Python does
        raise ValueError(f"vectors without a header ({type(error).__name__})") from error
    there = len(content) - buffer.tell()
    if len(shape) != 2 or dtype != np.float32 or by_column or math.prod(shape) * 4 != there:
        raise ValueError(f"vectors of shape {shape} and type {dtype} in {there} bytes")
    array: Floats = np.frombuffer(content, np.float32, offset=buffer.tell()).reshape(shape)
    if not np.isfinite(array).all():
        raise ValueError("vectors with numbers that are none")
    return array


def _article(record: Mapping[str, Any]) -> Article:
    text = _string(record["text"])
    source = record["source"]
    return Article(
        id=_string(record["id"]),
        title=_string(record["title"]),
        text=text,
        blocks=tuple(_block(block, text) for block in record["blocks"]),
        source=None if source is None else _string(source),
        notes=tuple(map(_string, record["notes"])),
        metadata={_string(name): _metadatum(pair) for name, pair in record["metadata"].items()},
        pages=tuple((_count(offset), _count(page)) for offset, page in record["pages"]),
    )


def _block(record: Sequence[Any], text: str) -> Block:
    kind, level, start, end, sentences = record
    if kind not in get_args(BlockKind):
        raise ValueError(f"a block of the kind {kind!r}")
    parts = tuple(_span(s, text) for s in sentences)
    return Block(kind, _span((start, end), text), parts, _count(level))


def _metadatum(record: Sequence[Any]) -> Metadatum:
    value, origin = record
    return Metadatum(_string(value), _string(origin))


def _passage(record: Mapping[str, Any], article: Article) -> Passage:
    if record["article_id"] != article.id:
        raise ValueError(f"a passage of {record['article_id']!r} among those of {article.id!r}")
    span, context = _span(record["span"], article.text), _span(record["context"], article.text)
    sentences = tuple(_span(sentence, article.text) for sentence in record["sentences"])
    if span != Span(sentences[0].start, sentences[-1].end) or not context.contains(span):
        raise ValueError(f"the passage at {span.start}..{span.end} is not made of its sentences")
    if record["kind"] not in get_args(BlockKind):
        raise ValueError(f"a passage of the kind {record['kind']!r}")
    text = article.text[span.start : span.end]
    return Passage(article.id, span, text, sentences, context, record["kind"])


def _span(pair: Sequence[int], text: str) -> Span:
    start, end = map(_count, pair)
    if not 0 <= start <= end <= len(text):
        raise ValueError(f"{start}..{end} lies outside a text of {len(text)} characters")
    return Span(start, end)


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{str(value)[:20]} where a count is expected")
    return value


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} where a text is expected")
    return value


def _check_fresh(
    directory: Path,
    manifest: Mapping[str, Any],
    settings: Settings,
    embeddings: SentenceEmbeddings,
) -> None:
    """Compare what an index was made with to what is wanted now.

    Raises:
        IndexStaleError: they differ.
    """
    was, wanted = dict(manifest.get("settings", {})), settings.index_dict()
    was["model_sha256"], wanted["model_sha256"] = manifest["model_sha256"], embeddings.fingerprint
    differing = [name for name in wanted if was.get(name) != wanted[name]]
    if differing:
        shown = "; ".join(f"{n} {was.get(n)!r} where {wanted[n]!r} is wanted" for n in differing)
        raise IndexStaleError(f"The index in {directory} was made with {shown}. {_REMEDY}")
