"""What a question's hits hold: the windows read, and how much of the question stands where.

Read once for a question; every proposal is made from it and weighed by it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log1p
from typing import NamedTuple

from article_qa.answering.question import Question
from article_qa.answering.reader import Reader, ReadSpan, Verdict
from article_qa.answering.verifier import Place
from article_qa.config import Settings
from article_qa.retrieval.lexical import tokens
from article_qa.types import Article, BlockKind, Hit, Span

FRONT_KINDS: tuple[BlockKind, ...] = ("headline", "standfirst", "byline", "date")
"""Blocks before the text, read together: who wrote it, when, under which title."""

SPANS = 8
"""Spans asked of the reader for a window: those over two sentences are left out."""


@dataclass(frozen=True, slots=True)
class Window:
    """A slice of an article that the reader saw, and what it made of it.

    ``rank`` is that of its hit, from 0; the front matter, which no hit need show, has the last.
    """

    article: Article
    span: Span
    rank: int
    hit: Hit | None
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span that the reader points at.

    ``margin`` is its score less that of 'no answer', ``log_p`` the log of its share of its
    window's probability, ``agreement`` the share of the windows showing this place whose best span
    overlaps it.
    """

    window: Window
    span: Span
    margin: float
    log_p: float
    agreement: float


@dataclass(frozen=True)
class Findings:
    """All that proposals are made from and weighed by.

    Args:
        question: what is asked.
        hits: what retrieval found, best first.
        articles: by id.
        windows: what was read.
        candidates: spans that the reader points at, best first; none without a reader.
        sentences: the log-odds that each sentence of the windows answers, as the reader has it.
    """

    question: Question
    hits: Sequence[Hit]
    articles: Mapping[str, Article]
    windows: tuple[Window, ...]
    candidates: tuple[Candidate, ...]
    sentences: Mapping[Place, float]
    cover: Cover = field(repr=False)

    @property
    def first_article(self) -> Article:
        """The article of the best hit."""
        return self.articles[self.hits[0].passage.article_id]


def gather(
    question: Question,
    hits: Sequence[Hit],
    articles: Mapping[str, Article],
    reader: Reader | None,
    settings: Settings,
) -> Findings:
    """Read the best windows of a question's hits and the front matter of the first article.

    A passage that an earlier window shows already is not read again; after a clear answer no more
    windows are read.

    Raises:
        ModelError: the reader cannot be loaded.
    """
    cover = Cover(question, hits, articles)
    if reader is None:
        return Findings(question, hits, articles, (), (), {}, cover)
    read: list[_Read] = []
    for stage in _stages(_to_read(hits, articles, settings.read_windows), settings.read_first):
        read += _read(question, stage, reader)
        if any(s.margin > settings.clear_margin for own in read for s in own.spans):
            break
    windows = [own.window for own in read]
    sentences: dict[Place, float] = {}
    for own in read:
        for place, score in own.sentences.items():
            sentences[place] = max(score, sentences.get(place, score))
    return Findings(
        question, hits, articles, tuple(windows), _merged(read, windows), sentences, cover
    )


class _Read(NamedTuple):
    """A window with its whole spans and its sentences' scores, at their places in the article."""

    window: Window
    spans: tuple[ReadSpan, ...]
    sentences: Mapping[Place, float]


def _read(question: Question, windows: Sequence[_ToRead], reader: Reader) -> Iterator[_Read]:
    held = [_within(article.quotable, span) for article, span, _, _ in windows]
    readings = reader.read(
        question.text,
        [article.text[span.start : span.end] for article, span, _, _ in windows],
        SPANS,
        [[_moved(s, -to_read[1].start) for s in own]
         for to_read, own in zip(windows, held, strict=True)],
    )  # fmt: skip
    for (article, span, rank, hit), own, reading in zip(windows, held, readings, strict=True):
        spans = (replace(found, span=_moved(found.span, span.start)) for found in reading.spans)
        scored = {
            (article.id, sentence): score
            for sentence, score in zip(own, reading.sentences or (), strict=False)
            if score is not None
        }
        yield _Read(
            Window(article, span, rank, hit, reading.verdict),
            tuple(found for found in spans if _is_whole(article, found.span)),
            scored,
        )


def _moved(span: Span, by: int) -> Span:
    return Span(span.start + by, span.end + by)


def _is_whole(article: Article, span: Span) -> bool:
    """Say whether a span lies within one sentence of one block: over two it is no short answer."""
    block = article.block_at(span.start)
    return block is not None and any(s.contains(span) for s in block.sentences)


_ToRead = tuple[Article, Span, int, Hit | None]


def _to_read(hits: Sequence[Hit], articles: Mapping[str, Article], most: int) -> list[_ToRead]:
    """Return what is worth reading, best first: the front matter comes second."""
    chosen: list[_ToRead] = []
    for rank, hit in enumerate(hits):
        article, passage = articles[hit.passage.article_id], hit.passage
        if not any(a is article and span.contains(passage.span) for a, span, _, _ in chosen):
            chosen.append((article, passage.context, rank, hit))
    del chosen[most:]
    front = front_matter(articles[hits[0].passage.article_id]) if hits else None
    if front is not None and not any(
        a.id == hits[0].passage.article_id and s.contains(front) for a, s, _, _ in chosen
    ):
        chosen.insert(1, (articles[hits[0].passage.article_id], front, len(hits), None))
    return chosen


def front_matter(article: Article) -> Span | None:
    """Return the range of the headline, byline and dates before the text; None without any."""
    front = []
    for block in article.blocks:
        if block.kind not in (*FRONT_KINDS, "caption", "boilerplate"):
            break
        if block.kind in FRONT_KINDS:
            front.append(block.span)
    return Span(front[0].start, front[-1].end) if front else None


def _stages(windows: Sequence[_ToRead], first: int) -> Iterator[Sequence[_ToRead]]:
    """Yield what is read at first (the front matter with it), then the rest."""
    cut = first + any(hit is None for *_, hit in windows[: first + 1])
    yield windows[:cut]
    if windows[cut:]:
        yield windows[cut:]


def _merged(read: Sequence[_Read], windows: Sequence[Window]) -> tuple[Candidate, ...]:
    """Join what overlapping windows say of the same span, best margin first."""
    chosen = {id(own.window): own.spans[0].span for own in read if own.spans}
    best: dict[Place, Candidate] = {}
    for window, found in ((own.window, found) for own in read for found in own.spans):
        span, margin = found.span, found.margin
        key = (window.article.id, span)
        if key in best and best[key].margin >= margin:
            continue
        showing = [
            chosen[id(w)]
            for w in windows
            if w.article is window.article and w.span.contains(span) and id(w) in chosen
        ]
        agreement = sum(other.overlaps(span) for other in showing) / max(1, len(showing))
        best[key] = Candidate(window, span, margin, found.log_p, agreement)
    return tuple(sorted(best.values(), key=lambda c: (-c.margin, c.window.rank, c.span)))


class Cover:
    """How much of a question stands beside a span: the share of its words, the rare ones more.

    A word weighs its BM25 idf among the sentences around the hits (Robertson and Zaragoza, 2009);
    of a name only the last word counts, since that is how it comes again.
    """

    def __init__(
        self, question: Question, hits: Sequence[Hit], articles: Mapping[str, Article]
    ) -> None:
        self._stems: dict[tuple[str, Span], frozenset[str]] = {}
        for hit in hits:
            article = articles[hit.passage.article_id]
            for sentence in _within(article.sentences, hit.passage.context):
                words = article.text[sentence.start : sentence.end]
                self._stems.setdefault((article.id, sentence), frozenset(tokens(words)))
        count = len(self._stems)
        asked = question.without_first_names(question.stems)
        held = {w: sum(w in stems for stems in self._stems.values()) for w in asked}
        self._idf = {w: log1p((count - n + 0.5) / (n + 0.5)) for w, n in held.items()}

    def at(self, article: Article, span: Span) -> float:
        """Return the mean of the shares in the span's sentence and in that with the one before."""
        i = max(0, bisect_right(article.sentences, span.start, key=lambda s: s.start) - 1)
        here = self._stems.get((article.id, article.sentences[i]), frozenset())
        before = self._stems.get((article.id, article.sentences[i - 1]), here) if i else here
        return (self._share(here) + self._share(here | before)) / 2

    def _share(self, there: frozenset[str]) -> float:
        total = sum(self._idf.values())
        return sum(idf for w, idf in self._idf.items() if w in there) / total if total else 1.0


def _within(sentences: Sequence[Span], window: Span) -> Sequence[Span]:
    """Return the sentences that begin in a window."""
    first = bisect_left(sentences, window.start, key=lambda s: s.start)
    return sentences[first : bisect_left(sentences, window.end, key=lambda s: s.start)]


def sentences_of(article: Article, span: Span) -> Span:
    """Return the fewest whole sentences that hold ``span``, as one range."""
    held = article.sentences
    first = max(0, bisect_right(held, span.start, key=lambda s: s.start) - 1)
    last = max(first, bisect_right(held, span.end - 1, key=lambda s: s.start) - 1)
    return Span(min(held[first].start, span.start), max(held[last].end, span.end))
