"""Question-answering files -> (question, window, span or none) pairs.

A reader lives on windows that retrieval brings up, most of which do not answer the question. So a
question is paired with a window around its answer and, often, with one that looks right and is
not: another window of the same corpus that BM25 ranks high (Clark & Gardner 2018 train on the same
document's other paragraphs), its own window without the sentence that answers, or its own window
after a word of the question was changed: a name or a number swapped, or a word turned into its
opposite (the manner of SQuAD 2.0's unanswerable questions, Rajpurkar et al. 2018, table 1).

Articles held out for development never yield a pair.
"""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

DEV_WIKI_ARTICLES = 8
"""The last so many articles of ``squadshifts_new_wiki.json`` are development data."""

DEV_SQUAD2_TITLES = ("Packet_switching", "Steam_engine")
"""Articles of ``squad2_six_articles.jsonl`` that are development data."""

CAPS = {
    "squadshifts_amazon": 8000,
    "squadshifts_reddit": 8000,
    "policyqa": 1000,
    "ropes_contrast": 200,
}
"""Most questions taken of a file that is large, repetitive or far from articles."""

REPEATS = {"squadshifts_new_wiki": 2, "squad2_six_articles": 3, "quoref_contrast": 2}
"""How often a file's questions are drawn (each time with other windows): the nearest to the use."""

FAR = ("squadshifts_amazon", "squadshifts_reddit", "policyqa", "tatqa_text", "friendsqa")
"""Files far from the articles people ask about; they come earlier, nearer ones while the learning
rate is low."""

DEV_FILES = ("qed_nq_dev", "multispanqa_valid")

OPPOSITES = """
    first last; before after; more less; more fewer; most least; largest smallest; larger smaller;
    highest lowest; higher lower; biggest smallest; best worst; better worse; oldest youngest;
    older younger; earliest latest; earlier later; longest shortest; north south; east west;
    northern southern; eastern western; increase decrease; increased decreased; rise fall;
    began ended; begin end; start end; started stopped; win lose; won lost; buy sell; bought sold;
    born buried; open close; opened closed; support oppose; supported opposed; with without;
    above below; inside outside; always never; can cannot; did didn't; does doesn't;
    major minor; positive negative; public private; old new;
    male female; men women; husband wife; father mother; son daughter; brother sister; king queen;
    arrive leave; arrived left; join leave; joined left; accept reject; accepted rejected;
    allowed banned; gain lose; gained lost; cause prevent; caused prevented; include exclude;
    included excluded; created destroyed; succeeded failed; strong weak; common rare; fast slow
"""
"""Pairs of words that turn a question round; the reverse counts too."""

_OPPOSITE = {
    a: b for pair in OPPOSITES.split(";") for x, y in [pair.split()] for a, b in ((x, y), (y, x))
}
_SENTENCE = re.compile(r"(?<=[.!?])[\"”’')\]]*\s+(?=[\"“‘'(\[]?[A-Z0-9])")
_NAME = re.compile(r"(?<!^)(?<![.!?] )\b[A-Z][\w'’-]+(?: (?:of |the |de )?[A-Z][\w'’-]+)*")
_NUMBER = re.compile(r"\b\d[\d,.]*\b")
_TURNED = re.compile(r"\b[A-Za-z']+\b")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Example:
    """A question with its context; ``answers`` are (start, end) in the context, empty for none."""

    dataset: str
    title: str
    question: str
    context: str
    answers: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Pair:
    """What the model is trained on: several gold spans share the target's mass equally."""

    question: str
    window: str
    spans: tuple[tuple[int, int], ...]
    far: bool = False


def read_squad(path: Path) -> Iterator[Example]:
    """Yield the examples of a SQuAD-format file (v1 or v2)."""
    for article in json.loads(path.read_text("utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                spans = tuple(
                    (a["answer_start"], a["answer_start"] + len(a["text"])) for a in qa["answers"]
                )
                yield Example(
                    path.stem, article["title"], qa["question"], paragraph["context"], spans
                )


def read_jsonl(path: Path) -> Iterator[Example]:
    """Yield the examples of a JSON Lines file (``context, question, answers, answerable``)."""
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        if row.get("in_qed_nq_dev"):
            continue
        spans = tuple(
            (a["answer_start"], a["answer_start"] + len(a["text"])) for a in row["answers"]
        )
        yield Example(path.stem, row["title"], row["question"], row["context"], spans)


def load_examples(folder: Path, seed: int) -> list[Example]:
    """Return the training examples of a folder: development data left out, large files capped."""
    rng = random.Random(seed)
    examples: list[Example] = []
    for path in sorted(folder.glob("*.json*")):
        if path.stem in DEV_FILES:
            continue
        rows = list(read_squad(path) if path.suffix == ".json" else read_jsonl(path))
        if path.stem == "squadshifts_new_wiki":
            titles = list(dict.fromkeys(row.title for row in rows))[:-DEV_WIKI_ARTICLES]
            rows = [row for row in rows if row.title in set(titles)]
        if path.stem == "squad2_six_articles":
            rows = [row for row in rows if row.title not in DEV_SQUAD2_TITLES]
        if path.stem == "qamr":
            rows = _cap_per_context(rows, 5, rng)
        rng.shuffle(rows)
        examples += rows[: CAPS.get(path.stem, len(rows))] * REPEATS.get(path.stem, 1)
    return examples


def _cap_per_context(rows: Sequence[Example], most: int, rng: random.Random) -> list[Example]:
    groups: dict[str, list[Example]] = defaultdict(list)
    for row in rows:
        groups[row.context].append(row)
    return [row for group in groups.values() for row in rng.sample(group, min(most, len(group)))]


def sentences(text: str) -> list[tuple[int, int]]:
    """Cut a text at likely sentence ends; training windows need no better."""
    ends = [match.end() for match in _SENTENCE.finditer(text)]
    return list(zip([0, *ends], [*ends, len(text)], strict=True))


def cut_window(
    context: str, spans: Sequence[tuple[int, int]], words: int, rng: random.Random
) -> Pair | None:
    """Cut a window of about ``words`` words of whole sentences around the first span."""
    parts = sentences(context)
    start, end = spans[0]
    inside = [i for i, (s, e) in enumerate(parts) if s < end and start < e]
    if not inside:
        return None
    low, high = inside[0], inside[-1]

    def length() -> int:
        return len(context[parts[low][0] : parts[high][1]].split())

    while length() < words and (low > 0 or high < len(parts) - 1):
        if high == len(parts) - 1 or (low > 0 and rng.random() < 0.5):
            low -= 1
        else:
            high += 1
    left, right = parts[low][0], parts[high][1]
    kept = tuple((s - left, e - left) for s, e in spans if left <= s and e <= right)
    return Pair("", context[left:right], kept) if kept else None


def swap(question: str, context: str, rng: random.Random) -> str | None:
    """Return the question with a word changed so that the context no longer answers it: a name or
    number for another of the context, or a word for its opposite; None where nothing offers.
    """
    for pattern in rng.sample([_NAME, _NUMBER, _TURNED], 3):
        if pattern is _TURNED:
            turned = [m for m in pattern.finditer(question) if m.group().lower() in _OPPOSITE]
            if turned:
                match = rng.choice(turned)
                word = _OPPOSITE[match.group().lower()]
                return question[: match.start()] + word + question[match.end() :]
            continue
        found = [m for m in pattern.finditer(question)]
        if not found:
            continue
        match = rng.choice(found)
        others = {m.group() for m in pattern.finditer(context)} - {match.group()}
        others = {o for o in others if o not in question and match.group() not in o}
        if others:
            return question[: match.start()] + rng.choice(sorted(others)) + question[match.end() :]
    return None


def _words(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))


class Negatives:
    """Windows that BM25 finds for a question and that do not hold its answer."""

    def __init__(self, examples: Sequence[Example], rng: random.Random, words: int = 80) -> None:
        import bm25s
        import Stemmer

        self.stemmer = Stemmer.Stemmer("english")
        self.windows: list[str] = []
        for context in dict.fromkeys(example.context for example in examples):
            self.windows += _windows(context, words)
        tokens = bm25s.tokenize(
            self.windows, stopwords="en", stemmer=self.stemmer, show_progress=False
        )
        self.index = bm25s.BM25()
        self.index.index(tokens, show_progress=False)
        self.rng = rng

    def find(self, examples: Sequence[Example], k: int = 10) -> list[list[str]]:
        """Return for each example up to five high-ranked windows without its answer."""
        import bm25s

        k = min(k, len(self.windows))
        queries = bm25s.tokenize(
            [e.question for e in examples],
            stopwords="en",
            stemmer=self.stemmer,
            show_progress=False,
        )
        ranked, _ = self.index.retrieve(queries, k=k, show_progress=False)
        result = []
        for example, row in zip(examples, ranked, strict=True):
            golds = {_words(example.context[s:e]) for s, e in example.answers} - {""}
            good = []
            for i in row:
                words = f" {_words(self.windows[int(i)])} "
                if not any(f" {gold} " in words for gold in golds):
                    good.append(self.windows[int(i)])
            result.append(good[:5])
        return result


def _windows(context: str, words: int) -> list[str]:
    """Cut a context into windows of whole sentences, of about ``words`` words each."""
    result, begin, count = [], 0, 0
    for start, end in sentences(context):
        count += len(context[start:end].split())
        if count >= words:
            result.append(context[begin:end].strip())
            begin, count = end, 0
    if context[begin:].strip():
        result.append(context[begin:].strip())
    return result


def make_pairs(examples: Sequence[Example], seed: int) -> list[Pair]:
    """Turn examples into training pairs, shuffled; about four in nine have no answer."""
    rng = random.Random(seed)
    groups: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        groups[example.dataset].append(example)
    pairs: list[Pair] = []
    for name in sorted(groups):
        group = groups[name]
        found = Negatives(group, rng).find(group)
        for example, negatives in zip(group, found, strict=True):
            far = name in FAR
            pairs += [replace(pair, far=far) for pair in _pairs_of(example, negatives, rng)]
    rng.shuffle(pairs)
    return pairs


def _pairs_of(example: Example, negatives: Sequence[str], rng: random.Random) -> list[Pair]:
    words = rng.randint(30, 115)
    pairs = []
    if not example.answers:
        parts = _windows(example.context, words)
        pairs.append(Pair(example.question, rng.choice(parts), ()))
        return pairs
    positive = cut_window(example.context, _agreed(example), words, rng)
    if positive is None or len(positive.window.split()) > 220:
        return pairs
    pairs.append(replace(positive, question=example.question))
    altered = _altered(example, positive, negatives, rng)
    return pairs if altered is None else [*pairs, altered]


def _altered(
    example: Example, positive: Pair, negatives: Sequence[str], rng: random.Random
) -> Pair | None:
    """Return a pair without an answer for three in four examples: what retrieval would confuse
    with the window, most often.
    """
    draw = rng.random()
    if draw < 0.16 and (rest := _without(positive, example)):
        return Pair(example.question, rest, ())
    if draw < 0.38 and (changed := swap(example.question, example.context, rng)):
        return Pair(changed, positive.window, ())
    if draw < 0.75 and negatives:
        return Pair(example.question, _trim(rng.choice(negatives), rng), ())
    return None


def _without(positive: Pair, example: Example) -> str | None:
    """Return the window less the sentences that hold an answer; None if the rest is too little, or
    says the answer too.
    """
    kept = [
        positive.window[s:e]
        for s, e in sentences(positive.window)
        if not any(s < end and start < e for start, end in positive.spans)
    ]
    rest = "".join(kept).strip()
    words = f" {_words(rest)} "
    golds = {_words(example.context[s:e]) for s, e in example.answers} - {""}
    if len(rest.split()) < 15 or any(f" {gold} " in words for gold in golds):
        return None
    return rest


def _agreed(example: Example) -> tuple[tuple[int, int], ...]:
    """Return the annotators' spans that touch the first one, the first one first."""
    start, end = example.answers[0]
    return tuple((s, e) for s, e in example.answers if s < end and start < e)


def _trim(window: str, rng: random.Random) -> str:
    """Drop leading or trailing sentences at random, so that length tells nothing."""
    parts = sentences(window)
    low, high = 0, len(parts)
    while high - low > 1 and rng.random() < 0.35:
        if rng.random() < 0.5:
            low += 1
        else:
            high -= 1
    return window[parts[low][0] : parts[high - 1][1]].strip()
