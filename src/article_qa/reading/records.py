"""``Article`` <-> plain JSON types, held against what an article can be on the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from article_qa.types import Article, Block, BlockKind, Metadatum, Span


def article_record(article: Article) -> dict[str, Any]:
    """Return an article as plain JSON types."""
    return {
        "id": article.id,
        "title": article.title,
        "source": article.source,
        "notes": list(article.notes),
        "text": article.text,
        "blocks": [
            [b.kind, b.level, b.span.start, b.span.end, [[s.start, s.end] for s in b.sentences]]
            for b in article.blocks
        ],
        "metadata": {name: [m.value, m.origin] for name, m in article.metadata.items()},
        "pages": [list(page) for page in article.pages],
    }


def article_from(record: Mapping[str, Any]) -> Article:
    """Make an article again from what ``article_record`` returned.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: it did not.
    """
    text = _string(record["text"])
    source = record["source"]
    return Article(
        id=_string(record["id"]),
        title=_string(record["title"]),
        text=text,
        blocks=tuple(_block(block, text) for block in record["blocks"]),
        source=None if source is None else _string(source),
        notes=tuple(map(_string, record["notes"])),
        metadata={_string(name): _metadatum(pair) for name, pair in record["metadata"].items()},
        pages=tuple((_count(offset), _count(page)) for offset, page in record["pages"]),
    )


def _block(record: Sequence[Any], text: str) -> Block:
    kind, level, start, end, sentences = record
    if kind not in get_args(BlockKind):
        raise ValueError(f"a block of the kind {kind!r}")
    parts = tuple(_span(s, text) for s in sentences)
    return Block(kind, _span((start, end), text), parts, _count(level))


def _metadatum(record: Sequence[Any]) -> Metadatum:
    value, origin = record
    return Metadatum(_string(value), _string(origin))


def _span(pair: Sequence[Any], text: str) -> Span:
    start, end = map(_count, pair)
    if not start <= end <= len(text):
        raise ValueError(f"{start}..{end} lies outside a text of {len(text)} characters")
    return Span(start, end)


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} where a string is expected")
    value.encode("utf-8")  # UnicodeEncodeError, a ValueError: half of a surrogate pair
    return value
