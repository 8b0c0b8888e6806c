from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from article_qa.config import Settings
from article_qa.reading.article import parse_article, read_article
from article_qa.reading.passages import cut_passages
from article_qa.types import Article, Passage

ROOT = Path(__file__).parent.parent
ARTICLES = Path(__file__).parent / "data" / "articles"
SEED = ROOT / "seeds" / "000_85ebba8beb37503f.txt"
SENTENCE = "The brown fox number {} jumps over the lazy dog again. "


def cut(text: str, **settings: int) -> tuple[Article, tuple[Passage, ...]]:
    article = parse_article(text, id="x")
    return article, cut_passages(article, Settings(**settings))


def words(text: str) -> int:
    return len(text.split())


def check(article: Article, passages: tuple[Passage, ...]) -> None:
    """Assert what holds for the passages of any article."""
    position = 0
    for passage in passages:
        assert passage.article_id == article.id
        assert article.text[passage.span.start : passage.span.end] == passage.text
        assert passage.text.strip() == passage.text != ""
        assert position <= passage.span.start
        position = passage.span.end
        assert passage.context.contains(passage.span)
        assert passage.sentences[0].start == passage.span.start
        assert passage.sentences[-1].end == passage.span.end
    promos = [block.span for block in article.blocks if block.kind == "boilerplate"]
    assert not any(p.context.overlaps(promo) for p in passages for promo in promos)
    citable = [s for b in article.blocks if b.kind != "boilerplate" for s in b.sentences]
    assert [s for p in passages for s in p.sentences] == citable


@pytest.mark.parametrize("path", [SEED, *sorted(ARTICLES.iterdir())], ids=lambda path: path.stem)
def test_real_articles(path: Path) -> None:
    article = read_article(path)
    passages = cut_passages(article, Settings())
    check(article, passages)
    prose = [words(p.text) for p in passages if p.kind == "paragraph"]
    assert max(prose) <= 120
    assert sum(prose) / len(prose) > 30
    assert len([p for p in passages if p.kind == "headline"]) == 1


def test_byline_date_and_caption_are_passages_of_their_own() -> None:
    passages = cut_passages(read_article(SEED), Settings())
    own = {p.kind: p.text for p in passages if p.kind != "paragraph"}
    assert own["byline"] == "By Michael Crowley"
    assert own["date"] == "Published Aug. 5, 2021 Updated Aug. 10, 2021"
    assert own["caption"].startswith("The Taliban have demanded")


def test_short_neighbours_are_joined_and_ordinary_paragraphs_stay_whole() -> None:
    short = [SENTENCE.format(i).strip() for i in range(4)]  # 11 words each
    ordinary = "".join(SENTENCE.format(i) for i in range(7)).strip()  # 77 words
    _, passages = cut("\n\n".join([*short, ordinary]))
    assert [words(p.text) for p in passages] == [44, 77]


def test_long_paragraph_is_cut_into_equal_parts_between_sentences() -> None:
    article, passages = cut("".join(SENTENCE.format(i) for i in range(20)))
    check(article, passages)
    assert [words(p.text) for p in passages] == [55, 55, 55, 55]


def test_heading_goes_with_the_paragraph_below() -> None:
    text = f"{SENTENCE}\n\n## The next day\n\n{SENTENCE}\n\n{SENTENCE}"
    _, passages = cut(text)
    assert [p.text.startswith("The next day") for p in passages] == [False, True]
    assert passages[1].kind == "paragraph"


def test_list_stays_with_the_line_that_introduces_it() -> None:
    lead = "".join(SENTENCE.format(i) for i in range(6)) + "They found:"
    _, passages = cut(f"{lead}\n\n- forty kinds of fish and crab, which nobody had expected\n")
    assert len(passages) == 1


def test_context_takes_neighbours_before_and_after_up_to_its_size() -> None:
    article, passages = cut(
        "\n\n".join("".join(SENTENCE.format(i) for i in range(6)) for _ in range(3))
    )
    middle = passages[1]
    around = article.text[middle.context.start : middle.context.end]
    assert words(middle.text) == 66
    assert words(around) == 110
    assert middle.context.start < middle.span.start < middle.span.end < middle.context.end


def test_no_passage_is_enormous() -> None:
    for text in ("word " * 10_000, "x" * 100_000, "Ж" * 3000, "汉字" * 5000):
        article, passages = cut(text)
        check(article, passages)
        assert max(len(p.text) for p in passages) <= 1500


def test_article_that_is_all_boilerplate_has_no_passages() -> None:
    assert cut("Subscribe to our newsletter for more.")[1] == ()


PIECES = st.one_of(
    st.text(alphabet=st.characters(codec="utf-8"), max_size=60),
    st.sampled_from(
        "He left. |\n\n|\r\n\r\n|\u00a0|👩‍👩‍👧 |e\u0301e\u0301. |שלום עולם. זה טוב. |## Head\n|"
        "- item:\n|By Jane Roe\n\n|Subscribe to our newsletter.\n\n|“No,” she said. |\r|"
        f"2 May 2020\n\n|{'Long ' * 90}".split("|")
    ),
)


@given(
    st.lists(PIECES, max_size=30).map("".join).filter(lambda text: text.strip()),
    st.integers(1, 80),
    st.integers(1, 160),
)
@hypothesis_settings(max_examples=300, deadline=None)
def test_passages_are_slices_of_whole_sentences(text: str, aim: int, around: int) -> None:
    article, passages = cut(text, passage_words=aim, context_words=around)
    check(article, passages)
    assert cut(text, passage_words=aim, context_words=around)[1] == passages
