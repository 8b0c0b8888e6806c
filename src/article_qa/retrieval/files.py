"""The files of a local index, written whole or not at all and checked when they are read.

On disk an index is a folder of five files and their digests, none of them pickled::

    manifest.json          schema, settings, model fingerprint, the articles' digests
    articles.jsonl         the articles, text, blocks and the analysis of their sentences, so that
                           loading needs no source and reads no sentence twice
    passages.jsonl         where each passage stands; its text is cut from the article
    passage_vectors.npy    float32 (passages, dim)
    sentence_vectors.npy   float32 (sentences, dim), in the order the passages name them
    SHA256SUMS             digests of the above; also read by ``sha256sum -c``

All but the vectors and their digests are the same bytes each time the same articles are indexed.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from article_qa.config import Settings
from article_qa.errors import (
    IndexCorruptError,
    IndexSchemaError,
    IndexStaleError,
    IndexUnusableError,
)
from article_qa.retrieval.candidates import Floats
from article_qa.retrieval.embeddings import Embedder
from article_qa.retrieval.entries import Entry, distinct_sentences
from article_qa.retrieval.records import (
    HOSTILE,
    article_record,
    count,
    json_lines,
    passage_record,
    read_article,
    read_lines,
    read_passage,
)

SCHEMA = 2
"""Version of the files' layout. Raise it with any change that older code would misread."""

FILES = (
    "manifest.json",
    "articles.jsonl",
    "passages.jsonl",
    "passage_vectors.npy",
    "sentence_vectors.npy",
)
_SUMS = "SHA256SUMS"
REMEDY = "Run `article-qa index` to build it again."
LOCK_SECONDS = 60.0


def save_index(
    directory: Path, entries: Iterable[Entry], settings: Settings, embeddings: Embedder
) -> None:
    """Write an index into a folder, whole or not at all.

    Raises:
        IndexUnusableError: the folder cannot be written, or is held by another process.
    """
    contents = _serialise(tuple(entries), settings, embeddings)
    try:
        _write(directory, contents)
    except Timeout as error:
        raise IndexUnusableError(
            f"Another process has been saving to {directory} for {LOCK_SECONDS:.0f} s. Wait "
            f"for it to end, or delete {directory / '.lock'} if there is none."
        ) from error
    except OSError as error:
        raise IndexUnusableError(
            f"An index cannot be written to {directory}: {error.strerror or error}. Name a "
            "folder that can be written."
        ) from error


def _serialise(
    entries: Sequence[Entry], settings: Settings, embeddings: Embedder
) -> dict[str, bytes]:
    """Make the content of every file, the digests last."""
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
        json_lines(article_record(entry.article) for entry in entries),
        json_lines(passage_record(passage) for entry in entries for passage in entry.passages),
        _npy([entry.vectors for entry in entries]),
        _npy([entry.sentence_vectors for entry in entries]),
    )
    files = dict(zip(FILES, contents, strict=True))
    sums = "".join(f"{_sha256(content)}  {name}\n" for name, content in files.items())
    return {**files, _SUMS: sums.encode("ascii")}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _npy(parts: Sequence[Floats]) -> bytes:
    filled = [part for part in parts if len(part)]
    array = np.concatenate(filled) if filled else np.zeros((0, 0), dtype=np.float32)
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _write(directory: Path, files: Mapping[str, bytes]) -> None:
    """Replace an index's files so that no crash and no reader can come upon a mixture.

    All are written into ``.new``; renaming it to ``.saved`` is the moment the new index counts, for
    readers look there first; then the files move to their places. A save that dies in between is
    finished by the next one.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with FileLock(directory / ".lock", timeout=LOCK_SECONDS):
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
        for name in (*FILES, _SUMS):
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


def read_index(directory: Path) -> tuple[dict[str, Any], list[Entry]]:
    """Read an index, again where another process was changing its files meanwhile."""
    for _ in range(3):
        try:
            return _read(directory)
        except IndexCorruptError:
            time.sleep(0.05)
    return _read(directory)


def _read(directory: Path) -> tuple[dict[str, Any], list[Entry]]:
    """Read and check an index's files.

    Raises:
        IndexCorruptError, IndexStaleError, IndexSchemaError: as ``LocalStore.load``.
    """
    manifest = _read_manifest(directory)
    content = {name: _read_file(directory, name) for name in FILES}
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
    except HOSTILE as error:
        raise _corrupt(directory, "its files contradict each other", error) from error


def _read_manifest(directory: Path) -> dict[str, Any]:
    """Read the manifest and check the schema, before anything a newer one may have changed."""
    try:
        manifest = json.loads(_read_file(directory, "manifest.json"))
        schema = int(manifest["schema"])
    except HOSTILE as error:
        raise _corrupt(directory, "manifest.json is not an index's manifest", error) from error
    check_schema(directory, schema, SCHEMA)
    checked: dict[str, Any] = manifest
    return checked


def check_schema(place: Path | str, schema: int, ours: int, remedy: str = REMEDY) -> None:
    """Compare the schema of what is kept somewhere with the one that this version reads.

    Raises:
        IndexSchemaError: it is of a newer version.
        IndexStaleError: it is of an older one.
    """
    if schema > ours:
        raise IndexSchemaError(
            f"The index in {place} has schema {schema}; this version of article-qa reads "
            f"{ours}. Upgrade article-qa. Or: {remedy}"
        )
    if schema < ours:
        raise IndexStaleError(
            f"The index in {place} has schema {schema}, of an older version; expected "
            f"{ours}. {remedy}"
        )


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
    return IndexCorruptError(f"No usable index in {directory}: {what}{detail}. {REMEDY}")


def _entries(manifest: Mapping[str, Any], content: Mapping[str, bytes]) -> list[Entry]:
    """Put the files' content together; raises the like of ValueError where it does not fit."""
    articles = [read_article(record) for record in read_lines(content["articles.jsonl"])]
    noted = [(record["id"], record["sha256"]) for record in manifest["articles"]]
    if noted != [(article.id, article.sha256) for article in articles]:
        raise ValueError("the articles are not those of the manifest")
    passages = read_lines(content["passages.jsonl"])
    vectors, sentence_vectors = (_vectors(content[name]) for name in FILES[3:])
    if vectors.shape[1] != sentence_vectors.shape[1]:
        raise ValueError(f"vectors of {vectors.shape[1]} and {sentence_vectors.shape[1]} numbers")
    entries, row, sentence_row = [], 0, 0
    for article, record in zip(articles, manifest["articles"], strict=True):
        end = row + count(record["passages"])
        cut = tuple(read_passage(passage, article) for passage in passages[row:end])
        sentence_end = sentence_row + len(distinct_sentences(cut))
        entries.append(
            Entry(article, cut, vectors[row:end], sentence_vectors[sentence_row:sentence_end])
        )
        row, sentence_row = end, sentence_end
    if (row, row, sentence_row) != (len(passages), len(vectors), len(sentence_vectors)):
        raise ValueError(
            f"{row} passages and {sentence_row} sentences expected, {len(passages)} passages "
            f"with {len(vectors)} and {len(sentence_vectors)} vectors found"
        )
    return entries


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


def check_fresh(
    place: Path | str,
    manifest: Mapping[str, Any],
    settings: Settings,
    embeddings: Embedder,
    remedy: str = REMEDY,
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
        raise IndexStaleError(f"The index in {place} was made with {shown}. {remedy}")
