"""Examples -> sentences that may answer: what the verifier is trained on.

A question comes with a handful of sentences, one of which answers it or none. The others are those
a retriever would confuse with it: sentences of the same context and of contexts that BM25 finds,
those first that share most words with the question (the manner of Clark & Gardner 2018). Where a
word of the question was changed so that the context no longer answers it, the sentence that did
answer is wrong.
"""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from article_qa.answering.verifier import Candidate
from article_qa.training.data import Example
from article_qa.training.front_matter import front_matter
from article_qa.training.pairs import Negatives, sentences, swap
from article_qa.training.typed import type_question

NEAR, RANDOM, FAR = 2, 1, 1
"""Wrong sentences of a group: nearest of the context, any of it, nearest of other contexts."""

CHANGED_SHARE = 0.25
"""Share of answerable questions that come once more, changed, with no right sentence."""

FRONT_MATTER_SHARE = 0.04
TITLE_SHARE = 0.3
"""Share of candidates shown below their article's title, as below a heading."""

SELQA_DEVELOPMENT = 6
"""One in so many SelQA articles is development data."""

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Group:
    """A question with sentences of which at most some answer it."""

    question: str
    candidates: tuple[Candidate, ...]
    right: tuple[bool, ...]


def make_groups(examples: Sequence[Example], seed: int) -> list[Group]:
    """Turn span and unanswerable examples into groups, shuffled."""
    rng = random.Random(seed)
    by_file: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        if example.verdict in ("span", "none"):
            by_file[example.dataset].append(example)
    groups: list[Group] = []
    for name in sorted(by_file):
        own = by_file[name]
        for example, far in zip(own, Negatives(own, rng).find(own), strict=True):
            groups += _groups_of(example, far, rng)
    contexts = sorted({e.context for e in examples if len(e.context.split()) > 40})
    groups += _front_groups(contexts, int(FRONT_MATTER_SHARE * len(groups)), rng)
    groups = [replace(g, question=type_question(g.question, rng)) for g in groups]
    rng.shuffle(groups)
    return groups


def group_of(
    question: str,
    context: str,
    answers: Sequence[tuple[int, int]],
    far: Sequence[str],
    rng: random.Random,
    title: str = "",
) -> Group | None:
    """Return a question's group; None where its answer is in no sentence, or nothing competes."""
    parts = sentences(context)
    right = [
        i for i, (s, e) in enumerate(parts) if any(s < end and start < e for start, end in answers)
    ]
    if answers and not right:
        return None
    asked = _stems(question)
    golds = {_plain(context[s:e]) for s, e in answers} - {""}

    def holds_gold(text: str) -> bool:
        words = f" {_plain(text)} "
        return any(f" {gold} " in words for gold in golds)

    wrong = [
        i for i, (s, e) in enumerate(parts)
        if i not in right and not holds_gold(context[s:e]) and len(context[s:e].split()) > 2
    ]  # fmt: skip
    wrong.sort(key=lambda i: -_shared(asked, context[slice(*parts[i])]))
    chosen = wrong[:NEAR] + rng.sample(wrong[NEAR:], min(RANDOM, len(wrong[NEAR:])))
    head = f"{title.replace('_', ' ')}\n" if title and rng.random() < TITLE_SHARE else ""
    found = [(candidate_of(context, parts, i, head), i in right) for i in [*right[:1], *chosen]]
    for text in rng.sample(list(far), min(FAR, len(far))):
        others = sentences(text)
        best = max(range(len(others)), key=lambda i: _shared(asked, text[slice(*others[i])]))
        found.append((candidate_of(text, others, best, head), False))
    if len(found) < 2:
        return None
    rng.shuffle(found)
    return Group(question, tuple(c for c, _ in found), tuple(r for _, r in found))


def _groups_of(example: Example, far: Sequence[str], rng: random.Random) -> Iterator[Group]:
    def group(question: str, answers: Sequence[tuple[int, int]]) -> Group | None:
        return group_of(question, example.context, answers, far, rng, example.title)

    if own := group(example.question, example.answers):
        yield own
    if example.answers and rng.random() < CHANGED_SHARE:
        changed = swap(example.question, example.context, rng)
        same = group(example.question, example.answers) if changed else None
        if changed and same:
            kept = [c for c, r in zip(same.candidates, same.right, strict=True) if r] + [
                c for c, r in zip(same.candidates, same.right, strict=True) if not r
            ][:1]
            yield Group(changed, tuple(kept), (False,) * len(kept))


def candidate_of(text: str, parts: Sequence[tuple[int, int]], i: int, head: str = "") -> Candidate:
    """Return the i-th part of a text behind the one before, below a heading."""
    start, end = parts[i]
    before = text[parts[i - 1][0] : start] if i else ""
    return Candidate(f"{head}{before}".strip(), text[start:end].strip())


def _front_groups(contexts: Sequence[str], count: int, rng: random.Random) -> Iterator[Group]:
    """Ask about front matter, whose lines are the candidates."""
    for question, page, spans in front_matter(contexts, count, rng):
        parts, begin = [], 0
        for line in page.splitlines(keepends=True):
            parts.append((begin, begin + len(line)))
            begin += len(line)
        parts = [(s, e) for s, e in parts if page[s:e].strip()]
        right = [any(s < end and start < e for start, end in spans) for s, e in parts]
        if len(parts) > 1:
            found = tuple(candidate_of(page, parts, i) for i in range(len(parts)))
            yield Group(question, found[:5], tuple(right[:5]))


def read_selqa(path: Path) -> tuple[list[Group], list[Group]]:
    """Return training and development groups of SelQA: its own sentences and labels."""
    training: list[Group] = []
    development: list[Group] = []
    titles: dict[str, int] = {}
    rng = random.Random(0)
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        held = titles.setdefault(row["title"], len(titles)) % SELQA_DEVELOPMENT == 0
        texts, labels = row["sentences"], [bool(label) for label in row["labels"]]
        asked = _stems(row["question"])
        wrong = sorted(
            (i for i, label in enumerate(labels) if not label),
            key=lambda i: -_shared(asked, texts[i]),
        )
        kept = list(range(len(texts)))
        if not held:
            rest = wrong[NEAR:]
            kept = [labels.index(True), *wrong[:NEAR], *rng.sample(rest, min(2, len(rest)))]
        found = tuple(Candidate(texts[i - 1] if i else "", texts[i]) for i in kept)
        group = Group(row["question"], found, tuple(labels[i] for i in kept))
        (development if held else training).append(group)
    return training, development


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))


def _stems(text: str) -> frozenset[str]:
    from article_qa.retrieval.lexical import tokens

    return frozenset(tokens(text))


def _shared(asked: frozenset[str], text: str) -> int:
    return len(asked & _stems(text))
