from __future__ import annotations

from pathlib import Path

import pytest
from reading_helpers import parts

from article_qa.config import Settings
from article_qa.errors import ArticleError
from article_qa.reading.files import read_article
from article_qa.types import Article

ARTICLES = Path(__file__).parent / "data" / "articles"
WELL = "<p>The well was dug in 1820 by three farmers from Kent, who drank cider at noon.</p>" * 3


def page(body: str, head: str = "") -> Article:
    html = f"<html><head>{head}</head><body>{body}</body></html>"
    return read_article(("a.html", html.encode()))


def test_page_keeps_its_article_and_nothing_else() -> None:
    article = read_article(ARTICLES / "blog.html")
    assert article.title == "Why I mend my own toaster"
    assert parts(article, "heading") == ["What you need", "Was it worth it?"]
    assert parts(article, "list")[0] == "Unplug the toaster and wait for ten minutes."
    assert "cost me £14 & one evening." in article.text
    for foreign in ("never show this script", "About me", "kettle", "cookies", "#123456"):
        assert foreign not in article.text


def test_what_the_head_says_is_metadata_and_never_text() -> None:
    article = read_article(ARTICLES / "blog.html")
    assert parts(article, "byline") == parts(article, "date") == []
    assert "Oyelaran" not in article.text and "2022" not in article.text
    assert article.metadata["author"].value == "Tomasz Oyelaran"
    assert article.metadata["published"].value == "2022-11-19T08:30:00+00:00"
    assert article.metadata["published"].origin == "meta"


def test_json_ld_counts_more_than_meta_fields() -> None:
    article = page(
        f"<article>{WELL}</article>",
        '<meta property="og:title" content="Well | Site"><script type="application/ld+json">'
        '{"@graph": [{"@type": "NewsArticle", "headline": "The Well", "author": '
        '[{"name": "Ann Lee"}, {"name": "Bo Ray"}], "dateModified": "2021-02-03"}]}</script>',
    )
    assert (article.title, article.metadata["title"].origin) == ("The Well", "json-ld")
    assert article.metadata["author"].value == "Ann Lee, Bo Ray"
    assert article.metadata["modified"].value == "2021-02-03"
    assert "published" not in article.metadata


def test_headline_byline_and_date_above_the_main_text_are_kept() -> None:
    article = page(
        "<header><nav>Home</nav><h1>The Big Well</h1><p class=dek>How Kent drank.</p>"
        "<span class='by'>By Ann Lee</span><time>5 May 2020</time><button>Share</button></header>"
        f"<main><article>{WELL}</article></main>",
        '<meta name="description" content="How Kent drank.">',
    )
    assert parts(article, "headline") == ["The Big Well"]
    assert parts(article, "standfirst") == ["How Kent drank."]
    assert parts(article, "byline") == ["By Ann Lee"]
    assert parts(article, "date") == ["5 May 2020"]
    assert "Share" not in article.text and "Home" not in article.text


def test_lists_tables_and_lines_stay_apart() -> None:
    article = page(
        "<main><h1>The Big Well</h1><p>By Ann Lee</p>"
        "<p>The well was dug by three farmers from Kent.<br>They drank.</p>"
        "<table><tr><th>Year</th><th>Depth</th></tr><tr><td>2001</td><td>55</td></tr></table>"
        "<ol><li>Dig it<ul><li>deeper</li></ul></li></ol></main>",
        "<title>The Big Well</title>",
    )
    assert parts(article, "date") == []
    assert parts(article, "byline") == ["By Ann Lee"]
    assert "from Kent.\nThey drank." in article.text
    assert parts(article, "table") == ["Year\tDepth", "2001\t55"]
    assert parts(article, "list") == ["Dig it", "deeper"]


def test_marks_of_notes_are_no_text() -> None:
    noted = 'Dug in 1820.<sup class="reference"><a href="#n1">[1]</a></sup> It is 5 m<sup>2</sup>.'
    article = page(f"<article>{WELL}<p>{noted}</p></article>")
    assert article.text.endswith("Dug in 1820. It is 5 m2.")


def test_page_too_small_for_extraction_is_taken_whole() -> None:
    assert page("<p>Bees sleep.</p>").text == "Bees sleep."


@pytest.mark.parametrize(
    "words", ["Bees sleep.", "Bees sleep. They dream of clover at night. " * 9]
)
@pytest.mark.parametrize("around", ["{}", "<b>{}</b>", "<div>{}", "<span>{}</span>"])
def test_words_outside_of_any_paragraph_are_read(words: str, around: str) -> None:
    menu = "<nav><a href='/'>Home</a></nav>"
    assert page(menu + around.format(words)).text == words.strip()


def test_a_page_of_nothing_but_items_keeps_them_apart() -> None:
    assert parts(page("<li>bees</li><li>wasps</li>" * 300), "list") == ["bees", "wasps"] * 300


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ("<div>" * 100_000 + "deep", "max_nesting"),
        ("<table>" + "<tr><td>a</td></tr>" * 101 + "</table>", "101 table cells"),
        ("<!-- nothing -->", "holds no text"),
    ],
)
def test_hostile_pages_are_refused(html: str, said: str) -> None:
    with pytest.raises(ArticleError, match=said):
        read_article(("a.html", html.encode()), settings=Settings(max_table_cells=100))
