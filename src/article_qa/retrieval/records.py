"""Articles and passages as JSON, and back: what is read may have been made by somebody else.

Blocks are stored and not parsed again, so that offsets mean what they meant when the passages were
cut, whatever a newer parser would say.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from article_qa.language.parse import keep, parse
from article_qa.types import Article, Block, BlockKind, Metadatum, Passage, Span

HOSTILE = (
    ArithmeticError,  # a number beyond all bounds
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,  # brackets in brackets
    TypeError,
    ValueError,
)
"""What reading files can raise that have the right digests and were made by somebody else."""


def json_lines(records: Iterable[Mapping[str, Any]]) -> bytes:
    """Write one JSON object a line, in ASCII: even a lone surrogate comes back as it was."""
    return "".join(json.dumps(record) + "\n" for record in records).encode("ascii")


def read_lines(lines: bytes) -> list[dict[str, Any]]:
    """Read what ``json_lines`` wrote."""
    return [json.loads(line) for line in lines.split(b"\n") if line]


def article_record(article: Article) -> dict[str, Any]:
    """Return an article, and the analysis of its sentences, as plain JSON types."""
    parsed = base64.b64encode(parse(article).to_bytes()).decode("ascii")
    return {**_fields(article), "parsed": parsed}


def version_of(article: Article) -> str:
    """Return a hex SHA-256 that differs where an article's passages, or their ids, may differ."""
    fields = {**_fields(article), "source": None, "notes": None}
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode("ascii")).hexdigest()


def _fields(article: Article) -> dict[str, Any]:
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


def read_article(record: Mapping[str, Any]) -> Article:
    """Read an article, and let ``parse`` find its analysis; raises what ``HOSTILE`` holds."""
    text = _string(record["text"])
    source = record["source"]
    article = Article(
        id=_string(record["id"]),
        title=_string(record["title"]),
        text=text,
        blocks=tuple(_block(block, text) for block in record["blocks"]),
        source=None if source is None else _string(source),
        notes=tuple(map(_string, record["notes"])),
        metadata={_string(name): _metadatum(pair) for name, pair in record["metadata"].items()},
        pages=tuple((count(offset), count(page)) for offset, page in record["pages"]),
    )
    keep(article, base64.b64decode(_string(record["parsed"]), validate=True))
    return article


def _block(record: Sequence[Any], text: str) -> Block:
    kind, level, start, end, sentences = record
    if kind not in get_args(BlockKind):
        raise ValueError(f"a block of the kind {kind!r}")
    parts = tuple(_span(s, text) for s in sentences)
    return Block(kind, _span((start, end), text), parts, count(level))


def _metadatum(record: Sequence[Any]) -> Metadatum:
    value, origin = record
    return Metadatum(_string(value), _string(origin))


def passage_record(passage: Passage) -> dict[str, Any]:
    """Return where a passage stands; its text is cut from the article."""
    return {
        "article_id": passage.article_id,
        "kind": passage.kind,
        "span": [passage.span.start, passage.span.end],
        "context": [passage.context.start, passage.context.end],
        "sentences": [[s.start, s.end] for s in passage.sentences],
    }


def read_passage(record: Mapping[str, Any], article: Article) -> Passage:
    """Read a passage of an article; raises what ``HOSTILE`` holds."""
    if record["article_id"] != article.id:
        raise ValueError(f"a passage of {record['article_id']!r} among those of {article.id!r}")
    span, context = _span(record["span"], article.text), _span(record["context"], article.text)
    sentences = tuple(_span(sentence, article.text) for sentence in record["sentences"])
    if span != Span(sentences[0].start, sentences[-1].end) or not context.contains(span):
        raise ValueError(f"the passage at {span.start}..{span.end} is not made of its sentences")
    if record["kind"] not in get_args(BlockKind):
        raise ValueError(f"a passage of the kind {record['kind']!r}")
    text = article.text[span.start : span.end]
    return Passage(article.id, span, text, sentences, context, record["kind"])


def _span(pair: Sequence[int], text: str) -> Span:
    start, end = map(count, pair)
    if not 0 <= start <= end <= len(text):
        raise ValueError(f"{start}..{end} lies outside a text of {len(text)} characters")
    return Span(start, end)


def count(value: object) -> int:
    """Return a value that is to be a count.

    Raises:
        ValueError: it is none.
    """
    if type(value) is not int or value < 0:
        raise ValueError(f"{str(value)[:20]} where a count is expected")
    return value


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} where a text is expected")
    return value
