"""A Word document -> parts: its styles say what is a title, a heading, an item, a quotation.

Read by python-docx; tables come row by row in their place, each cell once however many columns it
spans; footnotes and endnotes follow the text, their marks left out of it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

from article_qa.reading.layout import Part, one_line
from article_qa.reading.packed import unpacked
from article_qa.reading.source import Document, Source
from article_qa.types import BlockKind, Metadatum

_KINDS: dict[str, BlockKind] = {
    "Title": "headline",
    "Subtitle": "standfirst",
    "Quote": "quote",
    "Intense Quote": "quote",
    "Caption": "caption",
    "HTML Preformatted": "code",
    "macro": "code",
}
"""Word's own styles, by the names they have in the file in every language."""

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_CORE = {
    "title": "title",
    "author": "author",
    "created": "created",
    "modified": "modified",
    "subject": "subject",
    "keywords": "keywords",
}


def read_docx(source: Source) -> Document:
    """Read a Word document.

    Raises:
        ArticleError: it is none, is damaged, or is over a limit of the settings.
    """
    import docx
    from docx.table import Table

    with unpacked(source):
        document = docx.Document(io.BytesIO(source.data))
        parts: list[Part] = []
        cells = 0
        for item in document.iter_inner_content():
            if isinstance(item, Table):
                rows, cells = _rows(item._tbl, source, cells)
                parts += rows
            else:
                parts.append(_paragraph(item))
        parts += _notes(document)
        return Document(tuple(parts), dict(_metadata(document)))


def _paragraph(paragraph: Any) -> Part:
    style = (paragraph.style.name if paragraph.style is not None else None) or ""
    text = "\n".join(one_line(line) for line in paragraph.text.split("\n")).strip()
    heading = re.fullmatch(r"Heading ([1-9])", style)
    if heading:
        return Part(text, "heading", int(heading[1]))
    numbered = paragraph._p.find(f"{_W}pPr/{_W}numPr")
    if style.startswith("List") or numbered is not None:
        depth = None if numbered is None else numbered.find(f"{_W}ilvl")
        level = 1 if depth is None else int(depth.get(f"{_W}val", "0")) + 1
        return Part(text, "list", level)
    return Part(text, _KINDS.get(style), 1 if style == "Title" else 0)


def _rows(table: Any, source: Source, cells: int) -> tuple[list[Part], int]:
    """Return a table's rows, and how many cells there are with those of the tables before it.

    The XML is walked and not python-docx's grid, which repeats a cell for each column it spans: a
    few bytes can claim a hundred million columns.

    Raises:
        ArticleError: there are more cells than the settings allow.
    """
    rows = []
    for row in table.iter(f"{_W}tr"):
        texts = []
        for cell in row.iterchildren(f"{_W}tc"):
            cells += 1
            if cells > source.settings.max_table_cells:
                raise source.too_much("table cells", cells, "max_table_cells")
            own = cell.iterchildren(f"{_W}p")  # a table in a cell has rows of its own
            texts.append(one_line(" ".join(_text(paragraph) for paragraph in own)))
        rows.append(Part("\t".join(texts), "table"))
    return rows, cells


def _text(element: Any) -> str:
    """Return the words of a paragraph's XML; tabs and breaks are blanks."""
    pieces = []
    for node in element.iter(f"{_W}t", f"{_W}tab", f"{_W}br"):
        pieces.append(node.text or "" if node.tag == f"{_W}t" else " ")
    return "".join(pieces)


def _notes(document: Any) -> Iterator[Part]:
    """Yield footnotes and endnotes, without the separators that Word keeps among them."""
    from docx.opc.oxml import parse_xml

    for relation in document.part.rels.values():
        if relation.is_external or not relation.reltype.endswith(("/footnotes", "/endnotes")):
            continue
        for note in parse_xml(relation.target_part.blob):
            if note.get(f"{_W}type") is None:
                yield Part(one_line(_text(note)), "footnote")


def _metadata(document: Any) -> Iterator[tuple[str, Metadatum]]:
    properties = document.core_properties
    for attribute, name in _CORE.items():
        value = getattr(properties, attribute)
        text = value.isoformat() if hasattr(value, "isoformat") else one_line(value or "")
        if text:
            yield name, Metadatum(text, "docx core properties")
