"""Where an article quotes: the spans between quotation marks, block by block."""

from __future__ import annotations

import re

from article_qa.types import Article, Span

_MARKED = re.compile(
    r"“[^“”]*(?:”|$)|\"[^\"]*(?:\"|$)|„[^„“”]*[“”]|«[^«»]*»"
    r"|(?<!\w)‘[^‘\n]*?[^\s‘]’(?!\w)|(?<!\w)'(?=\S)[^'\n]*?(?:\w'\w[^'\n]*?)*[^\s']'(?!\w)"
)
"""A double quotation that is not closed runs to the end of its block: it goes on in the next."""


def quotes_of(article: Article) -> tuple[Span, ...]:
    """List what stands between quotation marks, the marks included, in reading order."""
    found = []
    for block in article.blocks:
        text = article.text[block.span.start : block.span.end]
        for match in _MARKED.finditer(text):
            if len(match.group()) > 3:
                start = block.span.start + match.start()
                found.append(Span(start, start + len(match.group())))
    return tuple(found)
