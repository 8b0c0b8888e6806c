from __future__ import annotations

import time

import pytest

from article_qa.config import Settings
from article_qa.errors import ArticleError
from article_qa.reading.files import read_article
from article_qa.types import Article


def rtf(body: str, settings: Settings | None = None) -> Article:
    data = r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 Arial;}}" + body + "}"
    return read_article(("well.rtf", data.encode("latin-1")), settings=settings)


def test_paragraphs_items_and_rows_are_blocks() -> None:
    article = rtf(
        r"\pard\b The Well at Elm Farm\b0\par By Jane Roe\par "
        r"It was dug in 1820. It ran \i dry\i0  in June.\par "
        r"{\listtext\f0\'b7\tab}clay\par "
        r"\trowd\intbl Year\cell Depth\cell\row \trowd\intbl 1820\cell 31 m\par\cell\row "
        r"The end.\par "
    )
    shown = [(b.kind, article.text[b.span.start : b.span.end]) for b in article.blocks]
    assert shown == [
        ("headline", "The Well at Elm Farm"),
        ("byline", "By Jane Roe"),
        ("paragraph", "It was dug in 1820. It ran dry in June."),
        ("list", "clay"),
        ("table", "Year\tDepth"),
        ("table", "1820\t31 m"),
        ("paragraph", "The end."),
    ]


def test_every_letter_comes_out_as_it_was_written() -> None:
    words = r"caf\'e9, na\u239?ve \endash  \ldblquote so\rdblquote , \u-10179?\u-8704? \{it\}\par "
    assert rtf(words).text == "café, naïve – “so”, 😀 {it}"


def test_addresses_of_links_pictures_and_headers_are_no_text() -> None:
    article = rtf(
        r'See {\field{\*\fldinst{HYPERLINK "https://e.org/manual"}}{\fldrslt{the manual}}}.\par '
        r"{\header Wells of Kent\par}{\pict\pngblip 89504e47}It rained.{\*\gen Riched20 10.0}\par "
    )
    assert article.text == "See the manual.\n\nIt rained."


def test_what_the_file_says_of_itself_is_metadata() -> None:
    article = rtf(r"{\info{\title The W\'e9ll}{\author Jane Roe}{\creatim\yr1998}}It was dug.\par ")
    assert article.text == "It was dug."
    assert article.metadata["title"].value == "The Wéll"
    assert (article.metadata["author"].value, article.metadata["author"].origin) == (
        "Jane Roe",
        "rtf info",
    )


def test_too_many_cells_are_refused() -> None:
    with pytest.raises(ArticleError, match=r"12 table cells.*max_table_cells"):
        rtf(r"1\cell 2\cell\row " * 6, Settings(max_table_cells=10))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"The well was dug.", "is no rich text"),
        (b"{\\rtf1 \\u99999999? x}", "is damaged"),
        (b"{\\rtf1 \\uc x}", "is damaged"),
        (b"{\\rtf1 \\pict\\bin x}", "is damaged"),
        (b"{\\rtf1 }", "holds no text"),
    ],
)
def test_other_files_are_refused_in_words(data: bytes, said: str) -> None:
    with pytest.raises(ArticleError, match=said):
        read_article(("well.rtf", data))


@pytest.mark.parametrize(
    "piece",
    [r"{\field{\*\fldinst{ ", r"{\b ", r"\par } ", r"{\info{\title ", r"\'e9 ", r"\u-10179?"],
)
def test_four_times_the_text_takes_four_times_as_long(piece: str) -> None:
    def seconds(times: int) -> float:
        start = time.process_time()
        rtf("It rained. " + piece * times)
        return time.process_time() - start

    def least(times: int) -> float:
        return min(seconds(times) for _ in range(3))

    assert least(40_000) < 10 * least(10_000) + 0.3
