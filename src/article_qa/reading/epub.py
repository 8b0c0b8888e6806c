"""An EPUB book -> parts: its chapters in the order that its spine names.

A chapter is content throughout, so nothing is looked for among menus; the book's own table of
contents is left out. What the package says of the book is metadata.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import unquote
from zipfile import ZipFile

from article_qa.errors import ArticleError
from article_qa.reading.html import check_limits, drop_marks, parsed_page
from article_qa.reading.layout import Part, one_line
from article_qa.reading.packed import parsed, unpacked
from article_qa.reading.source import Document, Source
from article_qa.reading.tree import HTML, tree_parts
from article_qa.types import Metadatum

_TAGS = replace(HTML, blocks={**HTML.blocks, "footnote": "footnote"})
_NAMES = {
    "title": "title",
    "creator": "author",
    "date": "published",
    "publisher": "publisher",
    "description": "description",
}


def read_epub(source: Source) -> Document:
    """Read a book.

    Raises:
        ArticleError: it is none, is damaged or locked, or is over a limit of the settings.
    """
    with unpacked(source) as book:
        container = parsed(book.read("META-INF/container.xml"))
        path = container.find(".//{*}rootfile").get("full-path")
        package = parsed(book.read(path))
        chapters = _chapters(package, posixpath.dirname(path))
        _check_locks(book, chapters, source)
        parts: list[Part] = []
        cells = 0
        for chapter in chapters:
            found, cells = _read_chapter(book.read(chapter), source, cells)
            parts += found
        return Document(tuple(parts), dict(_metadata(package)))


def _chapters(package: Any, folder: str) -> list[str]:
    """Return the paths of what the spine names, each once, without the table of contents."""
    items = {item.get("id"): item for item in package.iterfind("{*}manifest/{*}item")}
    spine = [items[ref.get("idref")] for ref in package.iterfind("{*}spine/{*}itemref")]
    paths = (
        posixpath.normpath(posixpath.join(folder, unquote(item.get("href"))))
        for item in spine
        if "html" in item.get("media-type", "") and "nav" not in item.get("properties", "").split()
    )
    return list(dict.fromkeys(paths))


def _check_locks(book: ZipFile, chapters: list[str], source: Source) -> None:
    """Refuse a book whose chapters are encrypted; fonts are in many.

    Raises:
        ArticleError: they are.
    """
    if "META-INF/encryption.xml" in book.namelist():
        locks = parsed(book.read("META-INF/encryption.xml"))
        locked = {unquote(lock.get("URI", "")) for lock in locks.iter("{*}CipherReference")}
        if locked & set(chapters):
            raise ArticleError(f"{source.name} is locked by its seller. Use a book without a lock.")


def _read_chapter(data: bytes, source: Source, cells: int) -> tuple[list[Part], int]:
    """Return a chapter's blocks, and how many cells there are with those of the chapters before.

    Raises:
        ArticleError: it is nested too deep, or there are too many cells.
    """
    tree = parsed_page(data)
    if tree is None:
        return [], cells
    cells = check_limits(tree, source, cells)
    drop_marks(tree)
    for note in tree.iter("aside", "section", "div", "li"):
        if "note" in f"{note.get('epub:type', '')} {note.get('role', '')}":
            for item in (note, *note.iter("li")):
                item.tag = "footnote"
    return tree_parts(tree, _TAGS), cells


def _metadata(package: Any) -> Iterator[tuple[str, Metadatum]]:
    for name, key in _NAMES.items():
        values = (
            one_line("".join(e.itertext())) for e in package.iterfind(f"{{*}}metadata/{{*}}{name}")
        )
        value = ", ".join(filter(None, dict.fromkeys(values)))
        if value:
            yield key, Metadatum(value, "epub package")
