"""Examples -> (question, window, what the window says) pairs.

A reader lives on windows that retrieval brings up, most of which do not answer the question. So a
question is paired with a window around its answer and, often, with one that looks right and is
not: another window of the same file that BM25 ranks high (Clark & Gardner 2018 train on the same
document's other paragraphs), its own window without the sentence that answers, or its own window
after a word of the question was changed: a name, number or year swapped, or a word turned into its
opposite (the manner of SQuAD 2.0's unanswerable questions, Rajpurkar et al. 2018, table 1).
Questions are then written as people type them (``typed``), some windows as lists.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from article_qa.training.data import Example, Verdict
from article_qa.training.front_matter import front_matter
from article_qa.training.typed import type_question

FRONT_MATTER_SHARE = 0.03
"""Share of a draw's pairs that ask about front matter."""

LIST_SHARE = 0.06
"""Share of windows rewritten as a list of their sentences."""

NEGATIVE_SHARE = 0.62
"""Share of answerable questions that come once more with a window without their answer."""

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
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
_TURNED = re.compile(r"\b[A-Za-z']+\b")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Pair:
    """What the model is trained on: several gold spans share the target's mass equally.

    ``places`` are those of the window's sentences, none where ``sentences`` finds them; ``shown``
    is where the answer shows if the spans are not all of that, or are none since it is yes or no.
    """

    question: str
    window: str
    spans: tuple[tuple[int, int], ...]
    verdict: Verdict
    places: tuple[tuple[int, int], ...] = ()
    shown: tuple[tuple[int, int], ...] | None = None

    def marked(self) -> list[tuple[int, int, bool]]:
        """Return each sentence's range, and whether it answers; nothing where that is unknown."""
        gold = self.spans if self.shown is None else self.shown
        if self.verdict != "none" and not gold:
            return []
        return [
            (start, end, any(s < end and start < e for s, e in gold))
            for start, end in self.places or sentences(self.window)
        ]


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
    return Pair("", context[left:right], kept, "span") if kept else None


def swap(question: str, context: str, rng: random.Random) -> str | None:
    """Return the question with a word changed so that the context no longer answers it: a name or
    number for another of the context, a year for one nearby, or a word for its opposite; None
    where nothing offers.
    """
    for change in rng.sample([_swap_year, _swap_name, _swap_number, _turn_word], 4):
        if changed := change(question, context, rng):
            return changed
    return None


def _swap_year(question: str, context: str, rng: random.Random) -> str | None:
    found = list(_YEAR.finditer(question))
    if not found:
        return None
    match = rng.choice(found)
    years = [int(match.group()) + d for d in (-10, -3, -2, -1, 1, 2, 3, 5, 10)]
    return _put(question, match, str(rng.choice([y for y in years if str(y) not in question])))


def _swap_name(question: str, context: str, rng: random.Random) -> str | None:
    return _swap_like(_NAME, question, context, rng)


def _swap_number(question: str, context: str, rng: random.Random) -> str | None:
    return _swap_like(_NUMBER, question, context, rng)


def _swap_like(
    pattern: re.Pattern[str], question: str, context: str, rng: random.Random
) -> str | None:
    found = list(pattern.finditer(question))
    if not found:
        return None
    match = rng.choice(found)
    others = {m.group() for m in pattern.finditer(context)} - {match.group()}
    others = {o for o in others if o not in question and match.group() not in o}
    return _put(question, match, rng.choice(sorted(others))) if others else None


def _turn_word(question: str, context: str, rng: random.Random) -> str | None:
    turned = [m for m in _TURNED.finditer(question) if m.group().lower() in _OPPOSITE]
    if not turned:
        return None
    match = rng.choice(turned)
    return _put(question, match, _OPPOSITE[match.group().lower()])


def _put(question: str, match: re.Match[str], word: str) -> str:
    return question[: match.start()] + word + question[match.end() :]


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
    """Turn examples into training pairs, shuffled; about half of them have no answer."""
    rng = random.Random(seed)
    groups: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        groups[example.dataset].append(example)
    pairs: list[Pair] = []
    for name in sorted(groups):
        group = groups[name]
        found = Negatives(group, rng).find(group)
        for example, negatives in zip(group, found, strict=True):
            pairs += _pairs_of(example, negatives, rng)
    contexts = sorted({e.context for e in examples if len(e.context.split()) > 40})
    fronts = front_matter(contexts, int(FRONT_MATTER_SHARE * len(pairs)), rng)
    made = [_styled(pair, rng) for pair in pairs]
    made += [Pair(q, window, spans, "span" if spans else "none") for q, window, spans in fronts]
    rng.shuffle(made)
    return made


def _styled(pair: Pair, rng: random.Random) -> Pair:
    typed = replace(pair, question=type_question(pair.question, rng))
    return _as_list(typed, rng) if rng.random() < LIST_SHARE else typed


def _as_list(pair: Pair, rng: random.Random) -> Pair:
    """Write the window's sentences as items of a list; a span over two items keeps the window."""
    numbered, text, spans, items = rng.random() < 0.4, "", [], []
    for number, (start, end) in enumerate(sentences(pair.window), 1):
        text += f"{number}. " if numbered else "- "
        shift = len(text) - start
        spans += [(s + shift, e + shift) for s, e in pair.spans if start <= s and e <= end]
        text += pair.window[start:end].strip()
        items.append((start + shift, len(text)))
        text += "\n"
    if len(spans) < len(pair.spans):
        return pair
    return replace(pair, window=text, spans=tuple(spans), places=tuple(items))


def _pairs_of(example: Example, negatives: Sequence[str], rng: random.Random) -> list[Pair]:
    words = rng.randint(30, 110)
    if example.verdict in ("yes", "no", "none"):
        window = _nearest_window(example, max(70, words))
        pairs = [Pair(example.question, window, (), example.verdict)]
        if example.verdict != "none" and negatives and rng.random() < 0.5:
            pairs.append(Pair(example.question, _trim(rng.choice(negatives), rng), (), "none"))
        return pairs
    positive = cut_window(example.context, _agreed(example), words, rng)
    if positive is None or len(positive.window.split()) > 200:
        return []
    pairs = [replace(positive, question=example.question)]
    altered = _altered(example, positive, negatives, rng)
    return pairs if altered is None else [*pairs, altered]


def _nearest_window(example: Example, words: int) -> str:
    """Return the part of the context that shares most words with the question."""
    asked = set(_words(example.question).split())
    parts = _windows(example.context, words)
    return max(parts, key=lambda part: len(asked & set(_words(part).split())))


def _altered(
    example: Example, positive: Pair, negatives: Sequence[str], rng: random.Random
) -> Pair | None:
    """Return a pair without an answer for ``NEGATIVE_SHARE`` of the examples: what retrieval would
    confuse with the window, most often.
    """
    draw = rng.random() / NEGATIVE_SHARE
    if draw < 0.22 and (rest := _without(positive, example)):
        return Pair(example.question, rest, (), "none")
    if draw < 0.5 and (changed := swap(example.question, example.context, rng)):
        return Pair(changed, positive.window, (), "none")
    if draw < 1 and negatives:
        return Pair(example.question, _trim(rng.choice(negatives), rng), (), "none")
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
