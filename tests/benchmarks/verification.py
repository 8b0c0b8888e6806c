"""Measure the check of statements against sentences: ``python -m tests.benchmarks.verification``.

Two labelled sets, written by hand from articles other than the seed. ``made`` (324 pairs of a
statement and its sentences, tests/data/verification.jsonl) is what the rules and the threshold were
made on; each statement is held against all sentences of its article that occur in the set.
``held`` (153 statements, tests/data/verification_held.jsonl) was written before the last two rounds
of work on the rules; each statement is held against all sentences of a whole article, as in use.
The first time it was looked at, it gave precision 0.906, recall 0.829, corrupted statements caught
0.928: believe these numbers. What it prints now comes after mending what its errors showed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from article_qa.chat.verification import Embed, Source, Verdict, check, sentences_of
from article_qa.reading.article import parse_article, read_article
from article_qa.types import Span

TESTS = Path(__file__).parents[1]
MADE = TESTS / "data" / "verification.jsonl"
SCOPE = TESTS / "data" / "verification_scope.jsonl"
HELD = TESTS / "data" / "verification_held.jsonl"
FRESH = TESTS / "data" / "verification_fresh.jsonl"


@dataclass
class Counts:
    """Of statements accepted and refused, by label; precision and recall are of acceptance."""

    accepted_true: int = 0
    refused_true: int = 0
    accepted_false: int = 0
    refused_false: int = 0
    by_kind: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def total(self) -> int:
        return self.accepted_true + self.refused_true + self.accepted_false + self.refused_false

    @property
    def precision(self) -> float:
        """Of the statements accepted, the share that is true."""
        return self.accepted_true / max(1, self.accepted_true + self.accepted_false)

    @property
    def recall(self) -> float:
        """Of the true statements, the share accepted; the rest are false alarms."""
        return self.accepted_true / max(1, self.accepted_true + self.refused_true)

    @property
    def caught(self) -> float:
        """Of the corrupted statements, the share refused."""
        return self.refused_false / max(1, self.refused_false + self.accepted_false)

    def add(self, label: bool, kind: str, statement: str, verdict: Verdict) -> None:
        if label and verdict.supported:
            self.accepted_true += 1
        elif label:
            self.refused_true += 1
            self.errors.append(f"false alarm ({kind}): {statement}  <- {verdict.problem}")
        elif verdict.supported:
            self.accepted_false += 1
            quote = " | ".join(source.text for source in verdict.sources)
            self.errors.append(f"missed ({kind}): {statement}  <- {quote}")
        else:
            self.refused_false += 1
        self.by_kind["true" if label else "false", kind, verdict.supported == label] += 1

    def lines(self) -> Iterable[str]:
        yield f"{self.total} pairs: precision {self.precision:.3f}, recall {self.recall:.3f}, "
        yield f"  false alarms on true statements {1 - self.recall:.3f}, "
        yield f"  corrupted statements caught {self.caught:.3f}, "
        yield f"  {1000 * self.seconds / max(1, self.total):.1f} ms per statement"
        for label, kind in sorted({key[:2] for key in self.by_kind}):
            right, wrong = (self.by_kind[label, kind, r] for r in (True, False))
            yield f"  {label:5} {kind:10} {right}/{right + wrong}"


def read_made() -> Iterator[tuple[dict[str, Any], list[Source]]]:
    """Rows of labelled pairs, with the sentences of the row's article that occur in the set."""
    rows = [json.loads(line) for line in MADE.read_text("utf-8").splitlines()]
    sources: dict[str, list[Source]] = defaultdict(list)
    for row in rows:
        before = None
        for text in row["source"]:
            at = len(sources[row["article"]])
            before = Source(row["article"], Span(at, at + 1), text, before)
            sources[row["article"]].append(before)
    for row in rows:
        yield row, sources[row["article"]]


def read_whole(path: Path) -> Iterator[tuple[dict[str, Any], list[Source]]]:
    """Rows of labelled statements, one an article, with all sentences of that article."""
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        yield row, sentences_of(read_article(TESTS / row["article"]))


def read_scope() -> Iterator[tuple[dict[str, Any], list[Source]]]:
    """Rows of statements on hedges, scope, roles of numbers and injections, with their texts."""
    for line in SCOPE.read_text("utf-8").splitlines():
        row = json.loads(line)
        yield row, sentences_of(parse_article(row["text"], id=row["article"]))


READERS = {
    "made": read_made,
    "held": partial(read_whole, HELD),
    "scope": read_scope,
    "fresh": partial(read_whole, FRESH),
}


def measure(which: str = "held", embed: Embed | None = None) -> Counts:
    """Check the statements of one set: ``"made"``, ``"held"``, ``"scope"`` or ``"fresh"``."""
    counts = Counts()
    for row, sources in READERS[which]():
        known = [source.text for source in sources]
        for label in (True, False):
            for kind, statement in row["true" if label else "false"]:
                began = time.perf_counter()
                verdict = check(statement, sources, known=known, embed=embed)
                counts.seconds += time.perf_counter() - began
                counts.add(label, kind, statement, verdict)
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", choices=list(READERS), default="held")
    parser.add_argument("--embed", action="store_true", help="use the bundled embedding model")
    parser.add_argument("--errors", action="store_true", help="list what it got wrong")
    args = parser.parse_args()
    embed = None
    if args.embed:
        from article_qa.config import Settings
        from article_qa.retrieval.embeddings import load_embeddings

        embed = load_embeddings(Settings()).embed_array
        embed(["warm up"])
    counts = measure(args.set, embed)
    print("\n".join([*counts.lines(), *(counts.errors if args.errors else [])]))


if __name__ == "__main__":
    main()
