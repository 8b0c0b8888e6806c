from __future__ import annotations

import io
import re
import zipfile

import pytest
from docx import Document
from reading_helpers import parts

from article_qa.config import Settings
from article_qa.errors import ArticleError
from article_qa.reading.files import read_article


def saved(document: Document) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def well() -> Document:
    document = Document()
    document.core_properties.author = "Jane Roe"
    document.add_heading("The Well at Elm Farm", level=0)
    document.add_paragraph("By Jane Roe")
    document.add_paragraph("The well was dug in 1820. It ran dry in June.")
    document.add_heading("What now?", level=1)
    document.add_paragraph("Dig deeper.", style="List Bullet")
    row = document.add_table(rows=1, cols=2).rows[0].cells
    row[0].text, row[1].text = "Depth", "31 metres"
    document.add_paragraph("Drink.", style="Quote")
    return document


def edited(data: bytes, name: str, edit: tuple[str, str]) -> bytes:
    """Return a document with one part's text changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == name:
                content = re.sub(*(e.encode() for e in edit), content, count=1)
            new.writestr(entry, content)
    return out.getvalue()


def test_styles_say_what_blocks_are() -> None:
    article = read_article(("well.docx", saved(well())))
    assert (article.id, article.title) == ("well", "The Well at Elm Farm")
    assert [(block.kind, block.level) for block in article.blocks] == [
        ("headline", 1),
        ("byline", 0),
        ("paragraph", 0),
        ("heading", 1),
        ("list", 1),
        ("table", 0),
        ("quote", 0),
    ]
    assert article.text.endswith("Dig deeper.\n\nDepth\t31 metres\n\nDrink.")
    assert article.metadata["author"].value == "Jane Roe"
    assert article.metadata["author"].origin == "docx core properties"


def test_a_cell_over_a_hundred_million_columns_is_read_once() -> None:
    wide = edited(
        saved(well()), "word/document.xml", ("<w:tcPr>", '<w:tcPr><w:gridSpan w:val="100000000"/>')
    )
    assert parts(read_article(("a.docx", wide)), "table") == ["Depth\t31 metres"]


def test_more_than_the_settings_allow_is_refused() -> None:
    data = saved(well())
    with pytest.raises(ArticleError, match="max_table_cells"):
        read_article(("a.docx", data), settings=Settings(max_table_cells=1))
    with pytest.raises(ArticleError, match="bytes when unpacked"):
        read_article(("a.docx", data), settings=Settings(max_unpacked_bytes=10_000))
    with pytest.raises(ArticleError, match="max_file_bytes"):
        read_article(("a.docx", data), settings=Settings(max_file_bytes=1_000))


def test_damaged_parts_are_an_error_that_says_what_to_do() -> None:
    broken = edited(saved(well()), "word/document.xml", ("<w:body>", "<w:body"))
    with pytest.raises(ArticleError, match=r"not a readable \.docx"):
        read_article(("a.docx", broken))
    deep = edited(saved(well()), "word/document.xml", ("<w:p>", "<w:p>" + "<w:r>" * 100_000))
    with pytest.raises(ArticleError, match=r"not a readable \.docx"):
        read_article(("a.docx", deep))
