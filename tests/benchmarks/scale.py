"""What a library costs against its size, in memory and in Milvus Lite, and what Milvus finds.

    python -m tests.benchmarks.scale recall FILE.json [--limit N]   # recall against the exact store
    python -m tests.benchmarks.scale cost FILE.json --sizes 1000 10000 100000

FILE is in SQuAD format; each of its paragraphs is an article. Embedding is the slow part and is not
what is measured: vectors are kept in ``--vectors`` and read again. For more passages than FILE has,
``cost`` makes copies: the same words, and each vector moved by noise of a tenth of its length. They
stand for near neighbours; what readers would find among them says nothing. Times are CPU time of
the process, Milvus Lite's threads included, and building is without embedding.
"""

from __future__ import annotations

import argparse
import itertools
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from article_qa.config import Settings
from article_qa.evaluation.bench import _articles, read_questions
from article_qa.retrieval.embeddings import Progress, load_embeddings
from article_qa.retrieval.entries import Entry, embed
from article_qa.retrieval.retriever import HybridRetriever
from article_qa.retrieval.searcher import Searcher
from article_qa.retrieval.store_local import LocalStore
from article_qa.retrieval.store_milvus import MilvusStore
from article_qa.types import Store

CANDIDATES = (25, 50, 100, 200, 400)
NOISE = 0.1


class KeptVectors:
    """The bundled model, its vectors kept in a file."""

    def __init__(self, path: Path) -> None:
        self.model = load_embeddings(Settings())
        self.fingerprint, self.dimension = self.model.fingerprint, self.model.dimension
        self.path = path
        self.known: dict[str, np.ndarray] = {}
        if path.exists():
            with np.load(path) as kept:
                self.known = dict(zip(kept["texts"].tolist(), kept["vectors"], strict=True))

    def embed_query(self, text: str) -> list[float]:
        return self.embed_array([text])[0].tolist()

    def embed_array(self, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        for text in texts:
            if text not in self.known:
                self.known[text] = self.model.embed_array([text])[0]
        return np.array([self.known[text] for text in texts], np.float32).reshape(-1, 384)

    def load(self) -> None:
        self.model.load()

    def keep(self) -> None:
        texts, vectors = list(self.known), np.array(list(self.known.values()))
        np.savez(self.path, texts=np.array(texts), vectors=vectors)


def recall(paragraphs: Sequence[str], asked: Sequence[tuple[str, str]], kept: KeptVectors) -> None:
    """Print recall@1, @3 and @8 of the right paragraph, exact and by candidates from Milvus."""
    settings = Settings()
    exact = LocalStore.build(_articles(paragraphs), settings, kept)
    print(f"{exact.counts()}, {len(asked)} questions")
    with tempfile.TemporaryDirectory() as folder:
        store = MilvusStore(f"milvus+file://{folder}/library.db", settings, kept, create=True)
        store.add(_articles(paragraphs))
        kept.keep()
        print("store            candidates   @1    @3    @8    same first   CPU ms a question")
        ours = [_ranked(exact, question) for question, _ in asked]
        _line("exact", 0, exact, asked, ours)
        for most in CANDIDATES:
            store.settings = replace(settings, candidates=most)
            _line("Milvus Lite", most, store, asked, ours)


def _ranked(store: Store, question: str) -> list[str]:
    hits = HybridRetriever(store=store).hits(question, 50)
    return list(dict.fromkeys(hit.passage.article_id for hit in hits))


def _line(
    name: str,
    most: int,
    store: Store,
    asked: Sequence[tuple[str, str]],
    exact: Sequence[list[str]],
) -> None:
    began = time.process_time()
    found = [_ranked(store, question) for question, _ in asked]
    spent = (time.process_time() - began) / len(asked)
    shares = [
        sum(gold in ids[:k] for ids, (_, gold) in zip(found, asked, strict=True)) / len(asked)
        for k in (1, 3, 8)
    ]
    same = sum(a[:1] == b[:1] for a, b in zip(found, exact, strict=True)) / len(asked)
    print(
        f"{name:16} {most or 'all':>10}  " + "  ".join(f"{100 * s:4.1f}" for s in shares),
        f"      {100 * same:5.1f}   {1000 * spent:8.1f}",
        flush=True,
    )


def cost(
    paragraphs: Sequence[str],
    asked: Sequence[tuple[str, str]],
    kept: KeptVectors,
    sizes: Sequence[int],
) -> None:
    """Print what each store costs at each size; the questions are answered from both."""
    settings = Settings()
    real = embed(list(_articles(paragraphs)), settings, kept, None)
    kept.embed_array([question for question, _ in asked])
    kept.keep()
    print("store        passages  build s  memory MB  disk MB  median ms  p95 ms  of exact 8")
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:

            def local(size: int = size) -> Store:
                store = LocalStore(settings, kept)
                store._searcher = Searcher(_many(real, size))
                return store

            def milvus(size: int = size, folder: str = folder) -> Store:
                address = f"milvus+file://{folder}/library.db"
                store = MilvusStore(address, settings, kept, create=True)
                entries = _many(real, size)
                while batch := list(itertools.islice(entries, 64)):
                    store.put(batch)
                return store

            exact = _measure("in memory", local, asked, None, folder)
            _measure("Milvus Lite", milvus, asked, exact, folder)


def _many(real: Sequence[Entry], size: int) -> Iterator[Entry]:
    """Yield entries of so many passages: each article, then its copies."""
    held = sum(len(entry.passages) for entry in real)
    copies = -(-size // held)
    left = -(-size // copies) * copies
    for entry in real:
        for copy in range(copies):
            yield _moved(entry, copy)
            left -= len(entry.passages)
        if left <= 0:
            return


def _moved(entry: Entry, copy: int) -> Entry:
    """Return an article under another name, its vectors moved by noise."""
    if not copy:
        return entry
    rng = np.random.default_rng(copy)

    def move(vectors: np.ndarray) -> np.ndarray:
        noise = rng.standard_normal(vectors.shape)
        moved = vectors + NOISE * noise / np.linalg.norm(noise, axis=1, keepdims=True)
        return np.float32(moved / np.linalg.norm(moved, axis=1, keepdims=True))

    id = f"{entry.article.id}-{copy}"
    return Entry(
        replace(entry.article, id=id),
        tuple(replace(passage, article_id=id) for passage in entry.passages),
        move(entry.vectors),
        move(entry.sentence_vectors),
    )


def _measure(
    name: str,
    build: Callable[[], Store],
    asked: Sequence[tuple[str, str]],
    exact: Sequence[set[object]] | None,
    folder: str,
) -> list[set[object]]:
    before, began = _resident(), time.process_time()
    store = build()
    built, memory = time.process_time() - began, _resident() - before
    if isinstance(store, LocalStore):
        store.save(Path(folder) / "index")
    place = Path(folder) / ("index" if isinstance(store, LocalStore) else ".")
    disk = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
    times, found = [], []
    for question, _ in asked:
        began = time.process_time()
        hits = HybridRetriever(store=store).hits(question, 8)
        times.append(1000 * (time.process_time() - began))
        found.append({(hit.passage.article_id, hit.passage.span) for hit in hits})
    shared = np.mean([len(a & b) / len(b) for a, b in zip(found, exact or found, strict=True)])
    print(
        f"{name:12} {store.counts().passages:8,}  {built:7.1f}  {memory:9,.0f}  {disk / 1e6:7,.0f}"
        f"  {np.median(times):9.1f}  {np.quantile(times, 0.95):6.1f}  {100 * shared:9.1f}%",
        flush=True,
    )
    store.close()
    return found


def _resident() -> float:
    """Return the memory that this process has, in MB (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("recall", "cost"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--limit", type=int, default=300, help="questions asked")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--vectors", type=Path, default=Path("vectors.npz"))
    options = parser.parse_args()
    paragraphs, questions = read_questions(options.file)
    asked = random.Random(0).sample(questions, min(options.limit, len(questions)))
    kept = KeptVectors(options.vectors)
    if options.what == "recall":
        recall(paragraphs, asked, kept)
    else:
        cost(paragraphs, asked, kept, options.sizes)


if __name__ == "__main__":
    main()
