from __future__ import annotations

import io
import zipfile

import pytest
from reading_helpers import parts

from article_qa.config import Settings
from article_qa.errors import ArticleError
from article_qa.reading.files import read_article
from article_qa.types import Article

CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OPS/book.opf"/></rootfiles></container>'
)
HEAD = (
    '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The Well</dc:title>'
    "<dc:creator>Jane Roe</dc:creator><dc:creator>Bo Ray</dc:creator>"
    "<dc:date>1998-02-28</dc:date><dc:rights>none</dc:rights></metadata>"
)
FIRST = "<h1>The Dig</h1><p>It was dug in 1820.</p>"
SECOND = "<h1>After</h1><p>It ran dry.</p>"


def book(*chapters: str, **files: str) -> bytes:
    """Return a book of chapters, its spine in their order, their files in the opposite one."""
    pages = {
        f"c {i}.xhtml": text and f"<html><body>{text}</body></html>"
        for i, text in enumerate(chapters)
    }
    items = "".join(
        f'<item id="{name[2]}" href="{name.replace(" ", "%20")}" '
        'media-type="application/xhtml+xml"/>'
        for name in reversed(pages)
    )
    items += '<item id="toc" href="toc.xhtml" media-type="text/html" properties="nav"/>'
    items += '<item id="cover" href="cover.jpg" media-type="image/jpeg"/>'
    spine = "".join(
        f'<itemref idref="{id}"/>' for id in ["cover", "toc", *map(str, range(len(pages)))]
    )
    package = (
        f'<package xmlns="http://www.idpf.org/2007/opf">{HEAD}<manifest>{items}</manifest>'
        f"<spine>{spine}</spine></package>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("OPS/book.opf", package)
        archive.writestr("OPS/toc.xhtml", "<html><body><a href='c'>Go to chapter</a></body></html>")
        for name, text in pages.items():
            archive.writestr(f"OPS/{name}", text)
        for name, text in files.items():
            archive.writestr(f"META-INF/{name}.xml", text)
    return out.getvalue()


def read(data: bytes, settings: Settings | None = None) -> Article:
    return read_article(("well.epub", data), settings=settings)


def test_chapters_are_read_in_the_order_of_the_spine() -> None:
    article = read(book(FIRST, SECOND))
    assert article.text == "The Dig\n\nIt was dug in 1820.\n\nAfter\n\nIt ran dry."
    assert article.title == "The Well"


def test_an_empty_chapter_is_passed_over() -> None:
    assert read(book(FIRST, "")).text == "The Dig\n\nIt was dug in 1820."


def test_what_the_package_says_is_metadata() -> None:
    metadata = read(book(FIRST)).metadata
    assert {name: datum.value for name, datum in metadata.items()} == {
        "title": "The Well",
        "author": "Jane Roe, Bo Ray",
        "published": "1998-02-28",
    }
    assert metadata["author"].origin == "epub package"


def test_each_block_has_its_kind_and_level() -> None:
    article = read(
        book(
            FIRST,
            "<ul><li>clay<ul><li>wet clay</li></ul></li></ul><blockquote><p>Drink.</p></blockquote>"
            "<table><tr><td>1820</td><td><p>31 m</p></td></tr></table><pre>dig\n  deep</pre>",
        )
    )
    shown = [(b.kind, b.level, article.text[b.span.start : b.span.end]) for b in article.blocks]
    assert shown[2:] == [
        ("list", 1, "clay"),
        ("list", 2, "wet clay"),
        ("quote", 0, "Drink."),
        ("table", 0, "1820\t31 m"),
        ("code", 0, "dig\n  deep"),
    ]


@pytest.mark.parametrize(
    ("mark", "note"),
    [
        (
            '<a epub:type="noteref" href="#n">1</a>',
            '<aside epub:type="footnote"><p>A cook too.</p></aside>',
        ),
        (
            '<a href="#n" role="doc-noteref"><sup>1</sup></a>',
            '<section role="doc-endnotes"><ol><li id="n"><p>A cook too.'
            '<a role="doc-backlink" href="#m">↩</a></p></li></ol></section>',
        ),
    ],
)
def test_notes_are_footnotes_and_their_marks_no_text(mark: str, note: str) -> None:
    article = read(book(f"<p>It was dug.{mark} It ran dry.</p>{note}"))
    assert parts(article, "paragraph") == ["It was dug. It ran dry."]
    assert parts(article, "footnote") == ["A cook too."]


def test_a_locked_book_is_refused_and_locked_fonts_are_not() -> None:
    lock = (
        '<e xmlns="http://www.w3.org/2001/04/xmlenc#"><CipherData><CipherReference URI="{}"/>'
        "</CipherData></e>"
    )
    read(book(FIRST, encryption=lock.format("OPS/font.otf")))
    with pytest.raises(ArticleError, match="locked by its seller"):
        read(book(FIRST, encryption=lock.format("OPS/c%200.xhtml")))


@pytest.mark.parametrize(
    ("limit", "chapter"),
    [
        ("max_unpacked_bytes", "<p>dig</p>" * 1000),
        ("max_table_cells", "<table><tr><td>a</td></tr></table>" * 6),
        ("max_nesting", "<div>" * 40 + "deep"),
    ],
)
def test_more_than_the_settings_allow_is_refused(limit: str, chapter: str) -> None:
    limits = {"max_unpacked_bytes": 10_000, "max_table_cells": 10, "max_nesting": 30}
    with pytest.raises(ArticleError, match=limit):
        read(book(chapter, chapter), Settings(**{limit: limits[limit]}))  # type: ignore[arg-type]


def test_a_book_without_a_part_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(ArticleError, match=r"not a readable \.epub .*save its text as \.txt"):
        read(book(FIRST).replace(b"OPS/book.opf", b"OPS/cook.opf"))
    with pytest.raises(ArticleError, match=r"not a readable \.epub"):
        read(b"It was dug in 1820.")
