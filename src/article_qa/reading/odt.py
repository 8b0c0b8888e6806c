"""An OpenDocument text (``.odt``) -> parts: its styles say what is a title, a heading, a quotation.

Footnotes follow the text; comments, deleted words and the table of contents are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from article_qa.reading.layout import Part, one_line
from article_qa.reading.packed import parsed, unpacked
from article_qa.reading.source import Document, Source
from article_qa.reading.tree import Tags, tree_parts
from article_qa.types import BlockKind, Metadatum

_OASIS = "urn:oasis:names:tc:opendocument:xmlns"
_TEXT = f"{{{_OASIS}:text:1.0}}"
_TABLE = f"{{{_OASIS}:table:1.0}}"
_OFFICE = f"{{{_OASIS}:office:1.0}}"
_STYLE = f"{{{_OASIS}:style:1.0}}"
_KINDS: dict[str, BlockKind] = {
    "Title": "headline",
    "Subtitle": "standfirst",
    "Quotations": "quote",
    "Preformatted_20_Text": "code",
    "Caption": "caption",
}
"""OpenDocument's own styles, by the names they have in the file in every language."""

_TAGS = Tags(
    blocks={
        f"{_TEXT}p": None,
        f"{_TEXT}h": "heading",
        f"{_TEXT}list-item": "list",
        f"{_TEXT}note-body": "footnote",
        **{name: kind for name, kind in _KINDS.items()},
    },
    lists=frozenset({f"{_TEXT}list"}),
    rows=frozenset({f"{_TABLE}table-row"}),
    cells=frozenset({f"{_TABLE}table-cell"}),
    breaks=frozenset({f"{_TEXT}line-break"}),
    skipped=frozenset(
        {
            f"{_TEXT}note-citation",
            f"{_TEXT}tracked-changes",
            f"{_TEXT}table-of-content",
            f"{_OFFICE}annotation",
        }
    ),
    rank=lambda heading: max(1, min(6, int(heading.get(f"{_TEXT}outline-level", "1")))),
)
_NAMES = {
    "title": "title",
    "initial-creator": "author",
    "creation-date": "created",
    "date": "modified",
    "subject": "subject",
    "keyword": "keywords",
}


def read_odt(source: Source) -> Document:
    """Read an OpenDocument text.

    Raises:
        ArticleError: it is none, is damaged, or is over a limit of the settings.
    """
    with unpacked(source) as archive:
        content = parsed(archive.read("content.xml"))
        cells = sum(1 for _ in content.iter(f"{_TABLE}table-cell"))
        if cells > source.settings.max_table_cells:
            raise source.too_much("table cells", cells, "max_table_cells")
        body = content.find(f"{_OFFICE}body/{_OFFICE}text")
        _name_styles(content, body)
        _move_notes(body)
        metadata = dict(_metadata(parsed(archive.read("meta.xml"))))
        return Document(tuple(_with_listings(tree_parts(body, _TAGS))), metadata)


def _name_styles(content: Any, body: Any) -> None:
    """Give a paragraph that is set as a kind of its own the name of its style as its tag."""
    parents = {
        style.get(f"{_STYLE}name"): style.get(f"{_STYLE}parent-style-name")
        for style in content.iter(f"{_STYLE}style")
    }
    for paragraph in body.iter(f"{_TEXT}p", f"{_TEXT}h"):
        style = paragraph.get(f"{_TEXT}style-name")
        style = parents.get(style) or style
        if style in _KINDS:
            paragraph.tag = style
    for blank in body.iter(f"{_TEXT}s", f"{_TEXT}tab"):
        blank.text = " " * min(100, int(blank.get(f"{_TEXT}c", "1")))


def _move_notes(body: Any) -> None:
    """Put the notes behind the text; what follows one in its paragraph stays there."""
    for note in list(body.iter(f"{_TEXT}note")):
        note.tag, tail = f"{_TEXT}span", note.tail
        place = note.makeelement(f"{_TEXT}span")
        place.tail, note.tail = tail, None
        note.getparent().replace(note, place)
        body.append(note)


def _with_listings(parts: Iterable[Part]) -> Iterator[Part]:
    """Yield the parts, lines of code that follow one another as one listing."""
    for kind, run in groupby(parts, key=lambda part: part.kind):
        if kind == "code":
            yield Part("\n".join(part.text for part in run), kind)
        else:
            yield from run


def _metadata(meta: Any) -> Iterator[tuple[str, Metadatum]]:
    for name, key in _NAMES.items():
        values = (one_line("".join(e.itertext())) for e in meta.iterfind(f".//{{*}}{name}"))
        value = ", ".join(filter(None, values))
        if value:
            yield key, Metadatum(value, "odt meta")
