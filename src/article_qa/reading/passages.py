"""``Article`` -> passages: what retrieval ranks and what a reader sees around it.

A passage is a run of whole sentences of about ``Settings.passage_words`` words:

- Neighbouring short paragraphs are joined. News paragraphs run about 35 words, and a fact and whom
  it is about often stand in two of them ('Mr. Ghani has a stake ...' / 'But the demands ...').
- A paragraph of ordinary length stays whole; one of more than one and a half times the aim is cut
  between sentences into parts of about equal length, so that one part's subject does not drown
  another's in the embedding.
- A heading goes with the paragraph below it, which it is about, and never with the one above; so
  does a line that ends in a colon, which introduces a list or a quotation.
- List items, table rows, quotations and code are joined like paragraphs.
- Headline, standfirst, byline, date, caption, footnote and reference are passages of their own:
  each is found by questions of its own kind. Boilerplate is in none.

A text of scripts without spaces between words is measured by its characters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from article_qa.config import Settings
from article_qa.types import APART, PROSE, Article, BlockKind, Passage, Span

CHARS_PER_WORD = 15
"""A run of this many characters counts as a word at least: Chinese has no spaces to count."""


@dataclass(frozen=True, slots=True)
class _Unit:
    """A sentence on its way into a passage."""

    span: Span
    words: int
    block: int
    kind: BlockKind


def cut_passages(article: Article, settings: Settings) -> tuple[Passage, ...]:
    """Cut an article into passages.

    Args:
        article: the article; its sentences are kept whole.
        settings: ``passage_words`` is the length aimed at, in words; ``context_words`` the length
            that a passage with its context has at most (unless the passage alone is longer).

    Returns:
        The passages in reading order, not overlapping: every sentence that is not boilerplate is
        in exactly one. Empty if the article is boilerplate throughout.
    """
    units = [
        _Unit(span, _count_words(article.text, span), number, block.kind)
        for number, block in enumerate(article.blocks)
        for span in block.sentences
    ]
    passages = []
    for first, last in _groups(units, article, settings.passage_words):
        span = Span(units[first].span.start, units[last - 1].span.end)
        kinds = dict.fromkeys(unit.kind for unit in units[first:last])
        prose = [kind for kind in kinds if kind in PROSE]
        passages.append(
            Passage(
                article_id=article.id,
                span=span,
                text=article.text[span.start : span.end],
                sentences=tuple(unit.span for unit in units[first:last]),
                context=_context(units, first, last, settings.context_words),
                kind=next(iter(prose or kinds)) if len(prose) < 2 else "paragraph",
            )
        )
    return tuple(passages)


def _count_words(text: str, span: Span) -> int:
    return max(len(text[span.start : span.end].split()), len(span) // CHARS_PER_WORD)


def _groups(units: Sequence[_Unit], article: Article, aim: int) -> Iterator[tuple[int, int]]:
    """Yield the passages as half-open ranges of ``units``."""
    open_first, open_words, leads = -1, 0, False  # the passage that may still grow
    for first, last in _block_ranges(units):
        kind = units[first].kind
        words = sum(unit.words for unit in units[first:last])
        prose = kind in PROSE
        joins = prose and (leads or open_words + words <= 1.25 * aim)
        if open_first >= 0 and not joins:
            yield open_first, first
            open_first = -1
        if kind == "boilerplate":
            continue
        if prose and words > 1.5 * aim:
            parts = list(_split(units, first, last, aim))
            if open_first >= 0:  # what leads to a paragraph goes with its first part
                parts[0] = (open_first, parts[0][1])
                open_first = -1
            yield from parts
        elif prose or kind == "heading":
            open_words = (open_words if open_first >= 0 else 0) + words
            open_first = first if open_first < 0 else open_first
            leads = kind == "heading" or article.text[units[last - 1].span.end - 1] == ":"
        else:
            yield first, last
    if open_first >= 0:
        yield open_first, len(units)


def _block_ranges(units: Sequence[_Unit]) -> Iterator[tuple[int, int]]:
    """Yield the range of units of each block."""
    first = 0
    for i in range(1, len(units) + 1):
        if i == len(units) or units[i].block != units[first].block:
            yield first, i
            first = i


def _split(units: Sequence[_Unit], first: int, last: int, aim: int) -> Iterator[tuple[int, int]]:
    """Cut a long paragraph between sentences into parts of about equal length near ``aim``."""
    left = sum(unit.words for unit in units[first:last])
    parts = max(1, round(left / aim))
    start, words = first, 0
    for i in range(first, last):
        size = units[i].words
        # Close the part where that leaves it nearer to its fair share than this sentence would.
        if start < i and parts > 1 and abs(left / parts - words) < abs(words + size - left / parts):
            yield start, i
            start, left, parts, words = i, left - words, parts - 1, 0
        words += size
    yield start, last


def _context(units: Sequence[_Unit], first: int, last: int, limit: int) -> Span:
    """Widen a passage by whole sentences, in turn before and after it, to ``limit`` words.

    What stands before comes first: it is where a pronoun's name is. Boilerplate, footnotes and
    references end the context.
    """
    room = limit - sum(unit.words for unit in units[first:last])
    before, after = True, True
    while before or after:
        if before:
            before = first > 0 and _fits(units[first - 1], room)
            if before:
                first -= 1
                room -= units[first].words
        if after:
            after = last < len(units) and _fits(units[last], room)
            if after:
                room -= units[last].words
                last += 1
    return Span(units[first].span.start, units[last - 1].span.end)


def _fits(unit: _Unit, room: int) -> bool:
    return unit.kind not in APART and unit.words <= room
