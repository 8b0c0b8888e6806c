"""What the tests of reading share."""

from __future__ import annotations

from article_qa.types import Article


def parts(article: Article, kind: str) -> list[str]:
    """Return the texts of an article's blocks of one kind."""
    return [article.text[b.span.start : b.span.end] for b in article.blocks if b.kind == kind]


def sentences(article: Article) -> list[str]:
    """Return the texts of an article's sentences."""
    return [article.text[s.start : s.end] for s in article.sentences]
