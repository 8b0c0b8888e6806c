"""Files -> a store: read, cut and embedded by processes of this machine, or of many through Ray.

A batch of files is one task, the same wherever it runs. What a task returns is written by the one
process that was started, so that a store has one writer. A process that dies costs its batch: its
files are tried again one at a time, and the one that kills again is listed with what failed.
"""

from __future__ import annotations

import functools
import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm  # type: ignore[import-untyped]

from article_qa.config import Settings
from article_qa.errors import ArticleError, MissingExtraError
from article_qa.reading.article import read_article
from article_qa.retrieval.embeddings import Embedder, load_embeddings
from article_qa.retrieval.entries import Entry, distinct, embed
from article_qa.retrieval.records import version_of
from article_qa.retrieval.store_milvus import MilvusStore

FILES = 16
"""Files of a batch: some seconds of work, so that a process that dies costs no more."""

log = logging.getLogger(__name__)


class Wanted(NamedTuple):
    """A file to index: its path, its article's id and the version that the store has of it."""

    path: Path
    id: str
    known: str | None


class Failed(NamedTuple):
    """A file that was left out, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Prepared:
    """What became of a batch: the articles that are new or changed, ready to be written."""

    entries: tuple[Entry, ...] = ()
    unchanged: int = 0
    failed: tuple[Failed, ...] = ()


@dataclass(frozen=True)
class Indexed:
    """What became of the files: articles and their passages written, files left alone, left out."""

    articles: int
    passages: int
    unchanged: int
    failed: tuple[Failed, ...]


Batch = Sequence[Wanted]
Task = Callable[[Batch], Prepared]
Runner = Callable[[Iterable[Batch], Task], Iterator[Prepared]]


def index_files(
    files: Sequence[tuple[Path, str]],
    store: MilvusStore,
    *,
    workers: int = 1,
    ray: str | None = None,
) -> Indexed:
    """Bring files into a store; what is unchanged is not embedded again.

    Args:
        files: paths with their articles' ids, which differ.
        store: where they go.
        workers: processes of this machine; 1 does all in this one.
        ray: address of a Ray cluster ("auto", "ray://host:10001"), which then does the work; its
            machines must see the files and have this package.

    Raises:
        IndexUnusableError: the store failed; what was written before stays.
        MissingExtraError: Ray is not installed.
    """
    settings = store.settings
    run: Runner = _here if workers < 2 else partial(_in_processes, workers=workers)
    if ray is not None:
        run = partial(_on_ray, address=ray)
    articles = passages = unchanged = 0
    failed: list[Failed] = []
    with tqdm(total=len(files), desc="Indexing", unit="file", disable=None) as bar:
        for prepared in run(_batches(files, store), partial(prepare, settings=settings)):
            if prepared.entries:
                store.put(prepared.entries)
            articles += len(prepared.entries)
            passages += sum(len(entry.passages) for entry in prepared.entries)
            unchanged += prepared.unchanged
            failed += prepared.failed
            bar.update(len(prepared.entries) + prepared.unchanged + len(prepared.failed))
            bar.set_postfix(passages=passages)
    return Indexed(articles, passages, unchanged, tuple(failed))


def prepare(batch: Batch, settings: Settings) -> Prepared:
    """Read, cut and embed a batch of files; one that cannot be read is left out with its reason."""
    new, unchanged, failed = [], 0, []
    for path, id, known in batch:
        try:
            article = read_article(path, id=id, settings=settings)
        except ArticleError as error:
            failed.append(Failed(path, str(error)))
            continue
        if version_of(article) == known:
            unchanged += 1
        else:
            new.append(article)
    entries = embed(list(distinct(new)), settings, _embeddings(settings), lambda *_: None)
    return Prepared(tuple(entries), unchanged, tuple(failed))


@functools.cache
def _embeddings(settings: Settings) -> Embedder:
    """Return a process's embedding model."""
    return load_embeddings(settings)


def _batches(files: Iterable[tuple[Path, str]], store: MilvusStore) -> Iterator[Batch]:
    rest = iter(files)
    while batch := list(islice(rest, FILES)):
        known = store.versions(id for _, id in batch)
        yield [Wanted(path, id, known.get(id)) for path, id in batch]


def _here(batches: Iterable[Batch], task: Task) -> Iterator[Prepared]:
    return map(task, batches)


def _in_processes(batches: Iterable[Batch], task: Task, workers: int) -> Iterator[Prepared]:
    """Run a task in processes; those that were running when one died are run again alone."""
    waiting, suspects = iter(batches), deque[Batch]()
    while True:
        running: dict[Future[Prepared], Batch] = {}
        pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_one_core)
        try:
            while True:
                most = 1 if suspects else workers
                while len(running) < most and (batch := _next(suspects, waiting)) is not None:
                    running[pool.submit(task, batch)] = batch
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    prepared = future.result()
                    del running[future]
                    yield prepared
        except BrokenProcessPool:
            log.warning("a process that was reading articles died; its files are read again")
            died = list(running.values())
            if len(died) == 1 and len(died[0]) == 1:
                yield Prepared(failed=(Failed(died[0][0].path, "The process reading it died."),))
            else:
                suspects.extend([wanted] for batch in died for wanted in batch)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _next(suspects: deque[Batch], waiting: Iterator[Batch]) -> Batch | None:
    return suspects.popleft() if suspects else next(waiting, None)


def _one_core() -> None:
    """Keep a process's libraries from using the cores of the others."""
    os.environ["OMP_NUM_THREADS"] = "1"


def _on_ray(batches: Iterable[Batch], task: Task, address: str) -> Iterator[Prepared]:
    """Run a task on a Ray cluster, which runs what a dead machine was doing elsewhere."""
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError("--ray needs Ray: pip install 'article-qa[ray]'") from error
    ray.init(address, ignore_reinit_error=True)
    remote = ray.remote(task)
    most = 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))
    waiting = iter(batches)
    running: dict[Any, Batch] = {}
    while True:
        for batch in islice(waiting, most - len(running)):
            running[remote.remote(batch)] = batch
        if not running:
            return
        (done, *_), _ = ray.wait(list(running))
        batch = running.pop(done)
        try:
            yield ray.get(done)
        except ray.exceptions.WorkerCrashedError:
            reason = "The process reading it and its neighbours died again and again."
            yield Prepared(failed=tuple(Failed(wanted.path, reason) for wanted in batch))
