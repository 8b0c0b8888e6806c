from __future__ import annotations

import io
import zipfile

import pytest
from reading_helpers import parts

from article_qa.config import Settings
from article_qa.errors import ArticleError
from article_qa.reading.files import read_article
from article_qa.types import Article

NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "text", "table", "style", "meta")
)
STYLES = '<style:style style:name="P1" style:parent-style-name="Quotations"/>'
META = (
    "<office:meta><dc:title>The Well</dc:title>"
    "<meta:initial-creator>Jane Roe</meta:initial-creator></office:meta>"
)


def odt(body: str, content: str = "content.xml") -> bytes:
    """Return the smallest OpenDocument text with this in it."""
    names = f'{NAMES} xmlns:dc="http://purl.org/dc/elements/1.1/"'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            content,
            f"<office:document-content {names}>{STYLES}<office:body><office:text>{body}"
            "</office:text></office:body></office:document-content>",
        )
        archive.writestr("meta.xml", f"<office:document-meta {names}>{META}</office:document-meta>")
    return out.getvalue()


def p(words: str, style: str = "Standard") -> str:
    return f'<text:p text:style-name="{style}">{words}</text:p>'


def item(words: str, inside: str = "") -> str:
    return f"<text:list><text:list-item>{p(words)}{inside}</text:list-item></text:list>"


def row(*cells: str) -> str:
    inside = "".join(f"<table:table-cell>{p(cell)}</table:table-cell>" for cell in cells)
    return f"<table:table-row>{inside}</table:table-row>"


def read(body: str, settings: Settings | None = None) -> Article:
    return read_article(("well.odt", odt(body)), settings=settings)


def test_styles_say_what_blocks_are() -> None:
    article = read(
        p("The Well at Elm Farm", "Title")
        + p("It was dug in 1820. It<text:s/>ran <text:span>dry</text:span>.")
        + '<text:h text:outline-level="2">What now?</text:h>'
        + item("clay", item("wet clay"))
        + p("Drink.", "P1")
        + f"<table:table>{row('Year', 'Depth')}{row('1820', '31 m')}</table:table>"
        + p("dig", "Preformatted_20_Text")
        + p('<text:s text:c="2"/>deep', "Preformatted_20_Text")
    )
    shown = [(b.kind, b.level, article.text[b.span.start : b.span.end]) for b in article.blocks]
    assert shown == [
        ("headline", 0, "The Well at Elm Farm"),
        ("paragraph", 0, "It was dug in 1820. It ran dry."),
        ("heading", 2, "What now?"),
        ("list", 1, "clay"),
        ("list", 2, "wet clay"),
        ("quote", 0, "Drink."),
        ("table", 0, "Year\tDepth"),
        ("table", 0, "1820\t31 m"),
        ("code", 0, "dig\n  deep"),
    ]


def test_what_the_file_says_of_itself_is_metadata() -> None:
    metadata = read(p("It was dug.")).metadata
    assert {name: datum.value for name, datum in metadata.items()} == {
        "title": "The Well",
        "author": "Jane Roe",
    }
    assert metadata["author"].origin == "odt meta"


def test_notes_follow_the_text_and_comments_are_left_out() -> None:
    note = (
        "<text:note><text:note-citation>1</text:note-citation>"
        f"<text:note-body>{p('A cook too.')}</text:note-body></text:note>"
    )
    comment = f"<office:annotation>{p('Really?')}</office:annotation>"
    article = read(
        f"<text:tracked-changes>{p('Old words.')}</text:tracked-changes>"
        + f"<text:table-of-content>{p('The Dig 1')}</text:table-of-content>"
        + p(f"It was dug{note} in 1820.{comment} It ran dry.")
        + p("The end.")
    )
    assert article.text == "It was dug in 1820. It ran dry.\n\nThe end.\n\nA cook too."
    assert parts(article, "footnote") == ["A cook too."]


def test_more_than_the_settings_allow_is_refused() -> None:
    table = f"<table:table>{row('1', '2') * 6}</table:table>"
    with pytest.raises(ArticleError, match=r"12 table cells.*max_table_cells"):
        read(table, Settings(max_table_cells=10))
    with pytest.raises(ArticleError, match="max_unpacked_bytes"):
        read(p("dig " * 1000), Settings(max_unpacked_bytes=1000))


def test_a_blank_of_a_hundred_million_is_small() -> None:
    assert len(read(p('It<text:s text:c="100000000"/>rained.')).text) < 200


def test_damaged_files_are_an_error_that_says_what_to_do() -> None:
    for data in (odt("<text:p>"), odt("", "other.xml"), b"It was dug in 1820."):
        with pytest.raises(ArticleError, match=r"not a readable \.odt .*save its text as \.txt"):
            read_article(("well.odt", data))
