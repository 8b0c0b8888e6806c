from __future__ import annotations

from pathlib import Path

import pytest
from reading_helpers import parts, sentences

from article_qa.config import Settings
from article_qa.errors import ArticleError
from article_qa.reading.files import read_article
from article_qa.types import Article

ARTICLES = Path(__file__).parent / "data" / "articles"


def markdown(text: str) -> Article:
    return read_article(("a.md", text.encode()))


def test_press_release_is_read_without_its_marks() -> None:
    article = read_article(ARTICLES / "press_release.md")
    assert article.title == "Brightwater Foods to Close Its Ostrava Bottling Plant"
    assert parts(article, "standfirst") == ["Production moves to Gdynia; 212 jobs are affected"]
    assert parts(article, "heading") == ["What happens to the staff", "About Brightwater Foods"]
    assert "60 will take early retirement" in parts(article, "list")
    assert [text[:12] for text in parts(article, "boilerplate")] == [
        "FOR IMMEDIAT",
        "Share on Lin",
        "Subscribe to",
        "© 2024 Brigh",
    ]
    assert not set("*#[]") & set(article.text)


def test_fields_at_the_head_are_metadata_and_no_text() -> None:
    article = markdown(
        '---\ntitle: "The Well: A Story"\nauthor: Jane Roe\ndate: 2020-05-01\n'
        "tags: [wells, farms]\nphotos:\n  - A. Lee\n  - B. Ray\n---\n\nIt was dug in 1820.\n"
    )
    assert article.title == "The Well: A Story"
    assert article.text == "It was dug in 1820."
    said = {name: field.value for name, field in article.metadata.items()}
    assert said == {
        "title": "The Well: A Story",
        "author": "Jane Roe",
        "published": "2020-05-01",
        "tags": "wells, farms",
        "photos": "A. Lee, B. Ray",
    }
    assert {field.origin for field in article.metadata.values()} == {"front matter"}


def test_each_block_has_its_kind_and_level() -> None:
    article = markdown(
        "# The Well\n\nIt was *dug* in [1820](https://e.org) by\nthree `farmers`.[^1]\n\n"
        "## Depth\n\n- one\n  - **two**\n\n3. third\n\n> They drank. All of it.\n\n"
        "| Year | Depth |\n| --- | --- |\n| 1820 | 31 m |\n\n```sh\n# dig\nmake well\n```\n\n"
        "![Workers dig a well](well.png)\n\n[^1]: And a cook.\n"
    )
    shown = [(b.kind, b.level, article.text[b.span.start : b.span.end]) for b in article.blocks]
    assert shown == [
        ("headline", 1, "The Well"),
        ("paragraph", 0, "It was dug in 1820 by three farmers."),
        ("heading", 2, "Depth"),
        ("list", 1, "one"),
        ("list", 2, "two"),
        ("list", 1, "3. third"),
        ("quote", 0, "They drank. All of it."),
        ("table", 0, "Year\tDepth"),
        ("table", 0, "1820\t31 m"),
        ("code", 0, "# dig\nmake well"),
        ("caption", 0, "Workers dig a well"),
        ("footnote", 0, "And a cook."),
    ]
    assert sentences(article)[-4:] == ["# dig", "make well", "Workers dig a well", "And a cook."]


def test_html_is_read_as_html() -> None:
    article = markdown(
        "<p align='center'><img src='logo.svg' alt='Logo'></p>\n\n"
        "<p align='center'>Digs <b>wells</b>.<br/>&copy; 1820, all.</p>\n\n"
        "<details>\n<summary>Soils</summary>\n\nClay *and* sand.\n\n</details>\n\n"
        "<ul><li>one<ul><li>two</li></ul></li></ul>\n\n"
        "<table>\n<tr><th>Year</th><th>Depth</th></tr>\n"
        "<tr><td>1820</td><td>31 <i>m</i></td></tr>\n</table>\n\n"
        "<pre>dig\n  deep</pre>\n\n<script>dig()</script>\n\n<!-- nothing -->\n"
    )
    shown = [(b.kind, b.level, article.text[b.span.start : b.span.end]) for b in article.blocks]
    assert shown == [
        ("paragraph", 0, "Digs wells.\n© 1820, all."),
        ("heading", 0, "Soils"),
        ("paragraph", 0, "Clay and sand."),
        ("list", 1, "one"),
        ("list", 2, "two"),
        ("table", 0, "Year\tDepth"),
        ("table", 0, "1820\t31 m"),
        ("code", 0, "dig\n  deep"),
    ]


def test_badges_and_lone_pictures_are_no_text_to_quote() -> None:
    article = markdown(
        "[![Build](b.svg)](https://e.org) ![Version](v.svg)\n\n![Logo](l.svg)\n\n"
        "Wells are dug here.\n\n> [!NOTE]\n> Wear boots.\n"
    )
    assert parts(article, "boilerplate") == ["Build Version", "Logo"]
    assert parts(article, "paragraph") == ["Wells are dug here.", "Wear boots."]
    assert article.title == "Wells are dug here."


def test_a_table_too_large_is_refused() -> None:
    table = "| a | b |\n| --- | --- |\n" + "| c | d |\n" * 10
    with pytest.raises(ArticleError, match=r"22 table cells.*max_table_cells"):
        read_article(("a.md", table.encode()), settings=Settings(max_table_cells=20))
