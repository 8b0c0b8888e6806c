from __future__ import annotations

import base64
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from fpdf import FPDF
from PIL import Image

from article_qa.config import Settings
from article_qa.errors import ArticleError
from article_qa.reading.article import read_article
from article_qa.reading.picture import draw_page
from article_qa.types import Article, Span
from article_qa.web.pictures import Pictures

SAME = "The bell rang at dusk."
PAGES = (
    ("The Harbour Bell", f"A first page of text about the old harbour. {SAME}"),
    ("", f"{SAME} Then the fog came in over the water. {SAME} Nobody was at sea."),
)


def pdf() -> bytes:
    document = FPDF()
    for title, text in PAGES:
        document.add_page()
        if title:
            document.set_font("helvetica", "B", 20)
            document.cell(0, 14, title, new_x="LMARGIN", new_y="NEXT")
        document.set_font("helvetica", size=12)
        document.multi_cell(0, 7, text)
    return bytes(document.output())


@pytest.fixture(scope="module")
def data() -> bytes:
    return pdf()


@pytest.fixture(scope="module")
def article(data: bytes) -> Article:
    return read_article(("bell.pdf", data), id="bell")


def test_a_passage_is_marked_where_it_stands_and_not_where_its_words_stand_again(
    data: bytes, article: Article
) -> None:
    pictures = Pictures()
    pictures.keep("one", article, data)
    first = article.text.index(SAME, article.pages[-1][0])
    second = article.text.index(SAME, first + 1)
    spans = [Span(at, at + len(SAME)) for at in (first, second)]
    (above, *_), (below, *_) = (pictures.page("one", article, 2, s)["boxes"] for s in spans)
    assert (above[1], above[0]) < (below[1], below[0])
    for left, top, width, height in (above, below):
        assert 0 < left < left + width < 1 and 0 < top < top + height < 0.5
    assert pictures.page("one", article, 1, spans[0])["boxes"] == []
    drawn = pictures.page("one", article, 2, None)["image"].partition(",")[2]
    with Image.open(BytesIO(base64.b64decode(drawn))) as image:
        ink = image.convert("L").crop([round(x) for x in _pixels(above, image.size)])
        assert ink.getextrema()[0] < 100  # there are letters in the box


def _pixels(box: list[float], size: tuple[int, int]) -> tuple[float, float, float, float]:
    left, top, width, height = box
    wide, high = size
    return left * wide, top * high, (left + width) * wide, (top + height) * high


def test_a_file_is_drawn_for_its_visitor_alone_until_it_is_forgotten(
    data: bytes, article: Article
) -> None:
    pictures = Pictures()
    pictures.keep("one", article, data)
    assert pictures.can_draw("one", article) and not pictures.can_draw("two", article)
    assert pictures.page("one", article, 1, None)["image"].startswith("data:image/webp;base64,")
    pictures.forget("one", article.id)
    with pytest.raises(ArticleError, match="not at hand"):
        pictures.page("one", article, 1, None)


def test_a_library_s_file_is_drawn_from_its_folder(
    tmp_path: Path, data: bytes, article: Article
) -> None:
    (tmp_path / "bell.pdf").write_bytes(data)
    pictures = Pictures(tmp_path)
    assert pictures.can_draw("", replace(article, source="bell.pdf"))
    assert not pictures.can_draw("", replace(article, source="../../bell.pdf/other.pdf"))
    assert not pictures.can_draw("", replace(article, source=None))


@pytest.mark.parametrize("page", [0, 3])
def test_a_page_that_is_not_there_is_refused_in_words(data: bytes, page: int) -> None:
    with pytest.raises(ArticleError, match=f"Page {page} cannot be drawn"):
        draw_page(data, page, [], Settings())
