from __future__ import annotations

from reading_helpers import parts

from article_qa.reading.files import read_article
from article_qa.reading.layout import Part
from article_qa.reading.main_text import with_structure
from article_qa.types import Article

WELL = "The well was dug in 1820 by three farmers from Kent, who drank cider at noon and at night."
MORE = "It ran dry in June, and nobody knows why, but the geologist from Leeds has a theory of it."


def page(body: str) -> Article:
    html = f"<html><head><title>Wells</title></head><body>{body}</body></html>"
    return read_article(("a.html", html.encode()))


def test_terms_headings_and_items_of_a_manual_are_read() -> None:
    article = page(
        "<div class='toc'><dl><dt><a href='#a'>Wells</a></dt><dt><a href='#b'>Pumps</a></dt></dl>"
        f"</div><h2><a name='a'>Wells</a></h2><p>{WELL}</p><p>{MORE}</p>"
        "<h2><a href='#b'>Pumps</a></h2><p>Two kinds are in use in Kent today, and in Leeds:</p>"
        "<ul><li>steam</li><li>hand</li></ul>"
        f"<dl><dt>bucket</dt><dd><p>{WELL} A bucket is let down.</p></dd>"
        f"<dt>chain</dt><dd><p>{MORE} A chain holds it.</p></dd></dl>"
    )
    assert parts(article, "headline") == ["Wells"]
    assert parts(article, "heading") == ["Pumps", "bucket", "chain"]
    assert parts(article, "list") == ["steam", "hand"]
    assert article.text.index("chain") < article.text.index("A chain holds it.")


def test_links_amid_an_article_are_not() -> None:
    article = page(
        f"<article><h1>The Big Well</h1><p>{WELL}</p><p>{MORE}</p>"
        "<div><h3>Most read</h3><ul><li><a href='/a'>A dry summer</a></li>"
        "<li><a href='/b'>A wet summer</a></li></ul></div>"
        f"<p>{WELL} That was long ago.</p><p>{MORE} It may come back.</p></article>"
        "<h3>From our shop</h3><ul><li>a bucket</li></ul>"
    )
    assert "summer" not in article.text and "shop" not in article.text
    assert "Most read" not in article.text


def test_marks_of_a_heading_s_place_and_source_are_no_text() -> None:
    article = page(
        "<h1>Wells<a class='headerlink' href='#wells'>¶</a></h1>"
        f"<p>{WELL}</p><h2>Pumps <span>[<a href='/edit'>edit</a>]</span></h2><p>{MORE}</p>"
    )
    assert (article.title, parts(article, "heading")) == ("Wells", ["Pumps"])


def test_what_is_above_the_main_text_is_not_taken_for_a_part_of_it() -> None:
    found = [Part("Dig"), Part("Water."), Part("Drink.")]
    page = [Part("Dig"), Part("Menu", "heading"), Part("Shop"), Part("Dig", "heading")]
    page += [Part("Water."), Part("a", "list"), Part("b", "list"), Part("Buy."), Part("Drink.")]
    kept = with_structure(found, page)
    assert [part.text for part in kept][-4:] == ["Water.", "a", "b", "Drink."]
    assert "Shop" not in [part.text for part in kept] and "Buy." not in [p.text for p in kept]


def test_a_page_of_other_blocks_changes_nothing() -> None:
    found = [Part("Water. Drink.")]
    assert with_structure(found, [Part("Water.", "list"), Part("Drink.", "list")]) == found
