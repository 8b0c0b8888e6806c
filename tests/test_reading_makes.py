"""One article in five makes: the same sentences, and no word that the file has not."""

from __future__ import annotations

import html
import io
import re
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml.html import document_fromstring
from makes import FONT, as_docx, as_html, as_markdown, as_pdf
from reading_helpers import sentences

from article_qa.reading.files import read_article
from article_qa.types import Article

ROOT = Path(__file__).parent.parent
SEED = ROOT / "seeds" / "000_85ebba8beb37503f.txt"
REGRESSION = ROOT / "tests" / "regression" / "articles"
ARTICLES = {
    "seed": read_article(SEED).text,
    "lanterns": read_article(REGRESSION / "lanterns.txt").text,
    "seagrass": read_article(REGRESSION / "seagrass.md").text,
}


needs_font = pytest.mark.skipif(not FONT.exists(), reason="needs the DejaVu fonts")
MAKES: list[tuple[str, Callable[[str], bytes]]] = [
    ("a.md", as_markdown),
    ("a.html", as_html),
    ("a.docx", as_docx),
]
PAPERS = [1, 2]


def told(article: Article) -> list[str]:
    """Return the sentences of what an article tells, white space aside."""
    return [" ".join(article.text[s.start : s.end].split()) for s in article.quotable]


def shared(one: list[str], other: list[str]) -> float:
    """Return the share of the first's sentences that the other has too."""
    return sum(sentence in set(other) for sentence in one) / len(one)


@pytest.mark.parametrize("name", ARTICLES)
@pytest.mark.parametrize(("file", "make"), MAKES)
def test_every_make_has_the_same_sentences(
    name: str, file: str, make: Callable[[str], bytes]
) -> None:
    text = told(read_article(("a.txt", ARTICLES[name].encode())))
    other = told(read_article((file, make(ARTICLES[name]))))
    assert shared(text, other) >= 0.97 and shared(other, text) >= 0.97


@needs_font
@pytest.mark.parametrize("name", ARTICLES)
@pytest.mark.parametrize("columns", PAPERS)
def test_paper_has_the_same_sentences(name: str, columns: int) -> None:
    text = told(read_article(("a.txt", ARTICLES[name].encode())))
    article = read_article(("a.pdf", as_pdf(ARTICLES[name], columns)))
    assert shared(text, told(article)) >= 0.97 and shared(told(article), text) >= 0.97
    assert article.title == read_article(("a.txt", ARTICLES[name].encode())).title


# -- Nothing that the file has not -----------------------------------------------------------------


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def independent(file: str, data: bytes) -> str:
    """Return a file's text as another library finds it."""
    if file.endswith(".html"):
        return " ".join(document_fromstring(data.decode()).itertext())
    if file.endswith(".docx"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return re.sub("<[^>]+>", " ", archive.read("word/document.xml").decode())
    if file.endswith(".pdf"):
        from pypdf import PdfReader

        pages = [page.extract_text() for page in PdfReader(io.BytesIO(data)).pages]
        return "\n".join(pages) + re.sub(r"-\n", "", "\n".join(pages))
    return data.decode()


@pytest.mark.parametrize("name", ARTICLES)
@pytest.mark.parametrize(("file", "make"), MAKES)
def test_no_word_is_added(name: str, file: str, make: Callable[[str], bytes]) -> None:
    data = make(ARTICLES[name])
    assert words(read_article((file, data)).text) <= words(html.unescape(independent(file, data)))


@needs_font
@pytest.mark.parametrize("columns", PAPERS)
def test_no_word_is_added_to_paper(columns: int) -> None:
    data = as_pdf(ARTICLES["seed"], columns)
    assert words(read_article(("a.pdf", data)).text) <= words(independent("a.pdf", data))


# -- Time ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "piece", "count"),
    [
        ("a.txt", "He met Ms. Lee on Tuesday. ", 4_000),
        ("a.txt", "![", 12_000),
        ("a.txt", "“", 12_000),
        ("a.txt", "1. a\n", 2_500),
        ("a.txt", "Related\nA b\n", 1_500),
        ("a.md", "![", 2_500),
        ("a.md", "**a ", 2_500),
        ("a.html", "<p>He met Ms. Lee on Tuesday.</p>", 1_500),
        ("a.html", "<div><p>He met Ms. Lee.</p></div>", 3_000),
        ("a.html", "<li>Ms. Lee</li>", 4_000),
        ("a.html", "<b>x</b>", 60_000),
    ],
)
def test_four_times_the_text_takes_four_times_as_long(file: str, piece: str, count: int) -> None:
    def seconds(times: int) -> float:
        data = (piece * times).encode()
        start = time.process_time()
        assert sentences(read_article((file, data)))
        return time.process_time() - start

    def least(times: int) -> float:
        return min(seconds(times) for _ in range(3))

    seconds(10)  # what is loaded only once
    assert least(4 * count) < 10 * least(count) + 0.3
