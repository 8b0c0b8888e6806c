"""Measure the check of statements against sentences: ``python -m tests.benchmarks.verification``.

The labelled pairs (tests/data/verification.jsonl) were written by hand from articles other than
the seed. Each statement is held against all sentences of its article that occur in the set, as in
use, not against its own alone. The thresholds and rules were made on the even lines; the odd lines
are the ones to believe.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from article_qa.types import Span
from article_qa.verification import Embed, Source, Verdict, check

PAIRS = Path(__file__).parents[1] / "data" / "verification.jsonl"


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
        return (
            self.accepted_true + self.refused_true + self.accepted_false + self.refused_false
        )

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


def read_rows() -> list[dict[str, list[list[str]]]]:
    """The labelled rows: article, source sentences, true and false statements."""
    return [json.loads(line) for line in PAIRS.read_text("utf-8").splitlines()]


def sources_of(rows: Sequence[dict], article: str) -> list[Source]:
    """All sentences of an article that occur in the set; neighbours only within a row."""
    found: list[Source] = []
    for row in rows:
        if row["article"] != article:
            continue
        before = None
        for text in row["source"]:
            before = Source(article, Span(len(found), len(found) + 1), text, before)
            found.append(before)
    return found


def measure(half: str = "both", embed: Embed | None = None) -> Counts:
    """Check the pairs of one half ("tuning": even lines, "held": odd lines) or of both."""
    rows = read_rows()
    counts = Counts()
    for number, row in enumerate(rows):
        if half != "both" and (number % 2 == 0) != (half == "tuning"):
            continue
        sources = sources_of(rows, row["article"])
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
    parser.add_argument("--half", choices=["tuning", "held", "both"], default="held")
    parser.add_argument("--embed", action="store_true", help="use the bundled embedding model")
    parser.add_argument("--errors", action="store_true", help="list what it got wrong")
    args = parser.parse_args()
    embed = None
    if args.embed:
        from article_qa.config import Settings
        from article_qa.embeddings import load_embeddings

        embed = load_embeddings(Settings()).embed_array
        embed(["warm up"])
    counts = measure(args.half, embed)
    print("\n".join([*counts.lines(), *(counts.errors if args.errors else [])]))


if __name__ == "__main__":
    main()
