"""Plain text -> ``Article``: kept as it is; only what its parts are is found out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from article_qa.errors import ArticleError
from article_qa.reading.forms import (
    LISTED,
    MARKED_HEADING,
    ends_sentence,
    is_byline,
    is_date,
    is_row,
)
from article_qa.reading.layout import make_article, without_surrogates
from article_qa.types import Article, Span


def parse_article(
    text: str, *, id: str, source: str | None = None, notes: Sequence[str] = ()
) -> Article:
    r"""Say what each part of a plain or Markdown text is.

    Args:
        text: the article. ``\r\n`` and ``\r`` become ``\n``; half of a surrogate pair, which
            no encoder accepts, becomes U+FFFD; nothing else is changed.
        id: what citations call it.
        source: where it was read from, if anywhere.
        notes: what was assumed while reading it.

    Raises:
        ArticleError: it is no string, or there is nothing but white space in it.
    """
    if not isinstance(text, str):
        raise ArticleError(f"The article {id!r} is {type(text).__name__}: expected a string.")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text, notes = without_surrogates(text, notes)
    if not text.strip():
        raise ArticleError(f"The article {id!r} is empty: expected text. Give it some words.")
    spans = list(block_spans(text))
    kinds, levels = [None] * len(spans), [0] * len(spans)
    return make_article(text, spans, kinds, levels, id=id, source=source, notes=notes, typed=True)


_LINE = re.compile(r"[^\n]+")
WRAP_WIDTH = 100
"""Hard-wrapped texts have lines of 60 to 80 characters, rarely more than 100."""


def block_spans(text: str) -> Iterator[Span]:
    """Yield the blocks' spans: lines, or runs of lines where the text is hard-wrapped.

    In a text most of whose characters stand in lines longer than ``WRAP_WIDTH``, a line is a
    paragraph. Otherwise a line goes on in the next one unless a blank line, a mark of Markdown or
    a byline or date comes between, or it ends so early that the next word had room beside it.
    """
    lines = []
    for match in _LINE.finditer(text):
        line = match[0].strip()
        if line:
            left = match.start() + len(match[0]) - len(match[0].lstrip())
            lines.append((Span(left, left + len(line)), line))
    long = sum(len(line) for _, line in lines if len(line) > WRAP_WIDTH)
    if 2 * long > sum(len(line) for _, line in lines):
        yield from (span for span, _ in lines)
        return
    width = max([40, *(len(line) for _, line in lines if len(line) <= WRAP_WIDTH)])
    start = lines[0][0].start
    for (span, line), (after, following) in pairwise(lines):
        next_word = following.split(maxsplit=1)[0]
        if (
            text.count("\n", span.end, after.start) > 1
            or len(line) > WRAP_WIDTH
            or len(line) + 1 + len(next_word) <= 0.75 * width
            or _begins(following, line)
            or _stands_alone(line)
            or _stands_alone(following)
        ):
            yield Span(start, span.end)
            start = after.start
    yield Span(start, lines[-1][0].end)


_BEGINNING = re.compile(
    r"\[\w{1,3}\][ \t]+\S|\(\w{1,2}\)[ \t]+\S|\d{1,2}(?:[.:]\d{1,2})+\.?[ \t]+\S|"
    r"[A-Z][A-Z.'’ -]{0,30}:[ \t]+\S"
)
"""How a note, a clause ('2.1 ...'), an entry by the clock ('14.05 ...') or a speaker's turn ('DA:
...') begins, where the line above it has ended."""


def _begins(line: str, above: str) -> bool:
    """Say whether a line of a hard-wrapped text begins a block by its own mark."""
    if LISTED.match(line) and not line.startswith(("[", "^")):
        return True
    ended = ends_sentence(above) or above[-1] in ";:," or _BEGINNING.match(above)
    return bool(ended and _BEGINNING.match(line))


def _stands_alone(line: str) -> bool:
    """Say whether a line of a hard-wrapped text is a block whatever surrounds it."""
    return bool(MARKED_HEADING.match(line)) or is_row(line) or is_date(line) or is_byline(line)
