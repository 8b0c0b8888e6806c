from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from article_qa.answering.citations import verify
from article_qa.reading.files import read_article
from article_qa.reading.text import parse_article
from article_qa.types import (
    Answer,
    Article,
    Block,
    BlockKind,
    Draft,
    Evidence,
    Span,
    Statement,
)
from article_qa.web import render

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' autofocus onfocus=alert(1) '",
    "</mark></article><h1>Owned</h1>",
    "**bold** _it_ [link](javascript:alert(1)) `code`",
    r"$$\frac{1}{2}$$ \(x\) \[y\]",
    "&lt;b&gt; &amp; &#13; &quot;",
    "${alert(1)} {{constructor}} `${1}`",
)
TEXT = "The Harbour Bell\n\nBy Ann Lee\n\nThe bell rang twice. Mr. Orr heard it.\n\nIt rang twice."


class Reader(HTMLParser):
    """Collects text, tags and attributes as a browser would see them."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.tags: list[str] = []
        self.attributes: dict[str, list[str]] = {}
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data


def article(text: str = TEXT) -> Article:
    return parse_article(text, id="bell")


def answered(source: Article, quote: Span, *focus: Span, text: str | None = None) -> Answer:
    draft = Draft((Statement((Evidence(source.id, quote, focus),), text),), confidence=0.9)
    return verify(draft, "What rang?", (), {source.id: source})


@given(st.text(min_size=1, max_size=400).filter(str.strip))
def test_the_typeset_article_keeps_every_character(text: str) -> None:
    span = Span(len(text) - len(text.lstrip()), len(text.rstrip()))
    source = Article("a", "t", text, (Block("paragraph", span, (span,)),))
    expected = text.replace("\0", "\ufffd")
    assert Reader(render.article_html(source)).text == expected


@given(st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=6), st.data())
def test_blocks_anywhere_lose_no_character(parts: list[str], data: st.DataObject) -> None:
    text = "".join(parts)
    blocks, at = [], 0
    for part in parts:
        span = Span(at, at + len(part))
        at = span.end
        if data.draw(st.booleans()):
            kind = data.draw(st.sampled_from(get_args(BlockKind)))
            blocks.append(Block(kind, span, (span,), data.draw(st.integers(0, 9))))
    source = Article("a", "t", text, tuple(blocks))
    assert Reader(render.article_html(source)).text == text.replace("\0", "\ufffd")


def test_blocks_are_typeset_by_kind() -> None:
    seen = Reader(render.article_html(article()))
    assert seen.tags[0] == "h2"
    assert seen.attributes["class"][:2] == ["headline", "byline"]


def test_rows_items_and_code_look_like_what_they_are() -> None:
    text = "## Depth\n\n- one\n  - two\n\n| Year | Depth |\n| --- | --- |\n\n```\nls\n```\n"
    source = read_article(("a.md", text.encode()))
    shown = render.article_html(source)
    assert '<p class="list bulleted deep-2" dir="auto">two</p>' in shown
    assert '<span class="cell">Year</span>\t<span class="cell">Depth</span>' in shown
    assert '<div class="code" dir="auto">ls</div>' in shown
    assert Reader(shown).text == source.text


def test_a_quote_names_its_page_and_what_is_metadata() -> None:
    source = replace(article(), pages=((0, 3),))
    answer = answered(source, source.blocks[-1].sentences[0])
    assert '<span class="from">p. 3</span>' in render.answer_html(answer, {source.id: "T"})
    assert ", p. 3, characters" in render.answer_text(answer, {source.id: "T"})
    said = replace(answer, citations=(replace(answer.citations[0], page=None, kind="metadata"),))
    assert '<span class="from">page metadata</span>' in render.answer_html(said, {source.id: "T"})


def test_hard_wrapped_prose_is_reflowed_and_verse_is_not() -> None:
    prose = "word " * 11
    wrapped = f"{prose.strip()}\n{prose.strip()}\nand so it ended here."
    verse = "Tyger Tyger,\nburning bright,\nIn the forests of the night"
    for text, keeps in ((wrapped, False), (verse, True)):
        span = Span(0, len(text))
        source = Article("a", "t", text, (Block("paragraph", span, (span,)),))
        assert ("lines" in render.article_html(source)) is keeps


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_is_shown_as_text(hostile: str) -> None:
    source = article(f"{hostile}\n\nBy {hostile}\n\nOnce {hostile} was said. Then it ended.")
    sentence = source.blocks[-1].sentences[0]
    answer = answered(source, sentence, text=hostile)
    pages = [
        render.article_html(source),
        render.answer_html(answer, {"bell": hostile, "other": hostile}),
        render.answer_html(
            verify(
                Draft(reason=hostile, notice=hostile, nearest=(Evidence("bell", sentence),)),
                hostile,
                (),
                {"bell": source},
                understood_as=hostile,
            ),
            {"bell": hostile, "other": hostile},
        ),
    ]
    for page in pages:
        seen = Reader(page)
        known = {"p", "h2", "h3", "ol", "li", "button", "span", "b", "div", "svg", "use"}
        assert set(seen.tags) <= known
        assert not [name for name in seen.attributes if name.startswith("on") or name == "src"]
        assert hostile in seen.text


def test_a_marker_becomes_a_chip_and_a_bracket_of_the_article_stays_text() -> None:
    source = article("Notes\n\nThe bell [1] rang twice. It was old.")
    sentence = source.blocks[-1].sentences[0]
    answer = answered(source, sentence, Span(sentence.start, sentence.end - 1))
    assert answer.text == "The bell [1] rang twice [1]"
    assert render.pieces(answer) == ["The bell [1] rang twice", 1]


def test_several_markers_keep_their_places() -> None:
    source = article()
    one, two = source.blocks[-2].sentences[0], source.blocks[-1].sentences[0]
    draft = Draft(
        (
            Statement((Evidence("bell", one), Evidence("bell", two)), "Twice"),
            Statement((Evidence("bell", two),), "again"),
        ),
        confidence=0.7,
        separator=", ",
    )
    answer = verify(draft, "How often?", (), {"bell": source})
    pieces = render.pieces(answer)
    assert [piece for piece in pieces if isinstance(piece, int)] == [1, 2, 2]
    assert "".join(piece for piece in pieces if isinstance(piece, str)) == answer.plain


def test_a_chip_follows_its_words_without_a_gap() -> None:
    source = article()
    one, two = source.blocks[-2].sentences[0], source.blocks[-1].sentences[0]
    statements = (Statement((Evidence("bell", one),), "Yes."), Statement((Evidence("bell", two),)))
    answer = verify(Draft(statements, confidence=0.7), "How often?", (), {"bell": source})
    words = source.text[two.start : two.end]
    assert render.pieces(answer) == ["Yes.", 1, f" {words}", 2]
    shown = render.answer_html(answer, {})
    assert '<span class="tied">Yes.<button' in shown
    assert f'<span class="tied">{words.split()[-1]}<button' in shown
    assert Reader(shown).text.startswith("Yes.1 " + words + "2")


def test_quotes_are_not_repeated_under_an_answer_that_is_its_quotes() -> None:
    source = article()
    one = source.blocks[-2].sentences[0]
    whole = answered(source, one)
    assert "said-whole" in render.answer_html(whole, {"bell": source.title})
    assert "said-whole" not in render.answer_html(whole, {"bell": "A", "other": "B"})
    part = answered(source, one, Span(one.start, one.start + 3))
    assert "said-whole" not in render.answer_html(part, {"bell": source.title})


def test_the_page_gets_offsets_quotes_and_focus_of_every_citation() -> None:
    source = article()
    sentence = source.blocks[-2].sentences[1]
    answer = answered(source, sentence, Span(sentence.start, sentence.start + 7))
    seen = Reader(render.answer_html(answer, {"bell": source.title}))
    (data,) = seen.attributes["data-citations"]
    (citation,) = json.loads(data)
    assert source.text[citation["start"] : citation["end"]] == citation["quote"]
    assert citation["focus"] == [[sentence.start, sentence.start + 7]]
    assert "<b>Mr. Orr</b>" in render.answer_html(answer, {})


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(1.0, "well supported"), (0.8, "well supported"), (0.7, "likely"), (0.3, "check the passage")],
)
def test_confidence_is_in_words_with_its_number_at_hand(confidence: float, words: str) -> None:
    source = article()
    draft = Draft((Statement((Evidence("bell", source.blocks[-1].span),)),), confidence)
    seen = Reader(render.answer_html(verify(draft, "?", (), {"bell": source}), {}))
    assert words in seen.text
    assert f"Right with a probability of {confidence:.0%}; " in "".join(seen.attributes["data-tip"])


def test_a_refusal_offers_nearest_passages_and_no_citations() -> None:
    source = article()
    draft = Draft(reason="No passage fits.", nearest=(Evidence("bell", source.blocks[-1].span),))
    answer = verify(draft, "Who cast it?", (), {"bell": source})
    seen = Reader(render.answer_html(answer, {"bell": source.title}))
    assert "The article does not say." in seen.text
    assert "No passage fits." in seen.text
    assert "Nearest passages" in seen.text
    assert "chip" not in seen.attributes["class"]
    assert "well supported" not in seen.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The bell was cast by Ada Brandt. It is heard for two miles.", ("en", "ltr")),
        ("Die Glocke wurde von Ada Brandt gegossen. Man hört sie weit.", ("", "ltr")),
        ("صب الجرس آدا براندت. يسمع على بعد ميلين.", ("", "rtl")),
        ("1924\n\n1925", ("", "ltr")),
    ],
)
def test_the_language_and_direction_of_an_article(text: str, expected: tuple[str, str]) -> None:
    assert render.language_of(parse_article(text, id="bell")) == expected


def test_where_a_page_begins_is_marked_without_a_word() -> None:
    source = replace(article(), pages=((0, 1), (TEXT.index("Mr."), 2)))
    html = render.article_html(source)
    assert Reader(html).text == source.text
    assert '<span class="begins" data-page="2"></span>Mr. Orr' in html


def test_statements_on_lines_of_their_own_are_a_list() -> None:
    source = article()
    one = answered(source, source.blocks[-2].sentences[0])
    other = replace(one.citations[0], number=2)
    lines = ("The bell rang twice. [1]\nIt did. [2]", "The bell rang twice.\nIt did.")
    answer = replace(one, text=lines[0], plain=lines[1], citations=(one.citations[0], other))
    seen = Reader(render.answer_html(answer, {"bell": "x"}))
    assert seen.tags.count("li") == 2 + len(answer.citations)
    assert Reader(render.answer_html(one, {"bell": "x"})).tags.count("li") == 1


def test_a_copied_answer_carries_its_citations() -> None:
    source = article()
    answer = answered(source, source.blocks[-1].sentences[0])
    text = render.answer_text(answer, {"bell": "The Harbour Bell"})
    assert text.splitlines()[0] == "What rang?"
    assert "[1] It rang twice. (The Harbour Bell, characters" in text
