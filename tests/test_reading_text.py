from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading_helpers import parts

from article_qa.errors import ArticleError
from article_qa.reading.files import read_article
from article_qa.reading.layout import MAX_SENTENCE_CHARS
from article_qa.reading.text import parse_article

ROOT = Path(__file__).parent.parent
ARTICLES = Path(__file__).parent / "data" / "articles"
SEED = ROOT / "seeds" / "000_85ebba8beb37503f.txt"


def sentences(text: str) -> list[str]:
    article = parse_article(text, id="x")
    return [article.text[s.start : s.end] for s in article.sentences]


def test_seed_article_has_its_parts() -> None:
    article = read_article(SEED)
    assert article.id == "000_85ebba8beb37503f"
    assert article.text == SEED.read_bytes().decode()
    assert article.title == "As Taliban Advance, Biden Officials Cling to Hope for Afghan Peace"
    assert parts(article, "headline") == [article.title]
    (standfirst,) = parts(article, "standfirst")
    assert standfirst.endswith("appear to be fading fast.")
    assert parts(article, "byline") == ["By Michael Crowley"]
    assert parts(article, "date") == ["Published Aug. 5, 2021 Updated Aug. 10, 2021"]
    assert parts(article, "heading") == ["Understand the Taliban Takeover in Afghanistan"]
    (caption,) = parts(article, "caption")
    assert caption.endswith("Sajjad Hussain/Agence France-Presse — Getty Images")
    (promo,) = parts(article, "boilerplate")
    assert promo.startswith("Updates on Afghanistan Sign up for a daily email")
    assert len(parts(article, "paragraph")) == 33


def test_wire_story_without_byline_or_blank_lines() -> None:
    article = read_article(ARTICLES / "wire.txt")
    assert article.title == "Ferry runs aground off Corfu, all 312 aboard safe"
    assert parts(article, "standfirst") == []
    assert parts(article, "byline") == ["(Reporting by Dora Lekka; Editing by Paul Simms)"]
    assert parts(article, "caption") == [
        "The ferry rests on rocks off Corfu on Thursday. REUTERS/Costas Baltas"
    ]
    assert parts(article, "boilerplate") == [
        "Advertisement",
        "Read more: Ferry safety in the Ionian Sea",
    ]
    assert len(parts(article, "paragraph")) == 6


def test_science_feature_with_kicker_and_section_headings() -> None:
    article = read_article(ARTICLES / "science_feature.txt")
    assert article.title == "The Fish That Remember Winter"
    assert parts(article, "byline") == ["Adaeze Nwosu, Science Correspondent"]
    assert parts(article, "date") == ["Last updated: 2023-02-17"]
    assert parts(article, "heading") == ["Science", "A clock in the light", "What the eggs carry"]
    assert len(parts(article, "standfirst")) == 1
    assert len(parts(article, "caption")) == 1
    assert len(parts(article, "boilerplate")) == 3


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("By Jane Roe and Ali bin Said", "byline"),
        ("By Jane Roe, a fellow of the Institute", "byline"),
        ("BY JANE ROE", "byline"),
        ("Written by Max Born, Jr.", "byline"),
        ("By then the war was over.", "paragraph"),
        ("By Friday the water had gone.", "paragraph"),
        ("March 3, 2020", "date"),
        ("3 May 2021 at 10:15 am GMT", "date"),
        ("Updated: 2021-05-03T10:15:00Z", "date"),
        ("On March 3, 2020, the mayor resigned.", "paragraph"),
        ("Click the link: https://example.org", "paragraph"),
        ("https://example.org/more", "boilerplate"),
        ("https://example.org/more 1/12", "boilerplate"),
        ("[More stories](https://example.org)", "boilerplate"),
        ("We use cookies to improve your experience. Accept all cookies", "boilerplate"),
        ("Get the best stories in your inbox every morning.", "boilerplate"),
        ("Readers sign up for the newsletter at a rate of 300 a day.", "paragraph"),
        ('"Sign up for our newsletter," the website said in red letters.', "paragraph"),
        ("Read more than you write, she tells her students.", "paragraph"),
        ("* * *", "boilerplate"),
        ("A crowd in Lagos. Photo by Ada Obi", "caption"),
        ("The bridge at dawn (Photo: J. Ruiz)", "caption"),
        ("The photo was taken by a neighbour in 1990.", "paragraph"),
    ],
)
def test_lines_are_recognised_by_form(line: str, kind: str) -> None:
    text = f"Headline of the Piece\n\nIt began in the spring.\n\n{line}\n\nIt ended in the autumn."
    block = parse_article(text, id="x").blocks[2]
    assert block.kind == kind


def test_text_without_structure_is_a_paragraph() -> None:
    text = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen."
    article = parse_article(text, id="x")
    assert [block.kind for block in article.blocks] == ["paragraph"]
    assert article.title == "One two three four five six seven eight nine ten eleven twelve…"


def test_markdown_file_with_fields_at_its_head() -> None:
    text = (
        '---\ntitle: "The Well: A Story"\nauthor: Jane Roe\ndate: 2020-05-01\ntags: wells\n---\n'
        "\nThe well was dug in 1820.\n"
    )
    article = parse_article(text, id="x")
    assert article.title == "The Well: A Story"
    assert parts(article, "byline") == ["author: Jane Roe"]
    assert parts(article, "date") == ["date: 2020-05-01"]
    assert parts(article, "paragraph") == ["The well was dug in 1820."]


def test_article_of_one_word() -> None:
    article = parse_article("Hello", id="x")
    assert (article.title, [block.kind for block in article.blocks]) == ("Hello", ["paragraph"])
    assert len(article.sentences) == 1


def test_hard_wrapped_lines_are_one_paragraph_and_keep_their_newlines() -> None:
    text = (
        "The committee met on Tuesday and decided after a long debate that the\n"
        "bridge should be closed until the spring. It will be inspected by an\n"
        "engineer from the capital.\n"
        "Nobody objected to the plan, which will cost the town about a million\n"
        "pounds."
    )
    article = parse_article(text, id="x")
    assert article.text == text
    assert len(article.blocks) == 2
    assert "bridge should" in parts(article, "paragraph")[0]


# -- Sentences -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "On Aug. 5, Mr. Khalilzad met U.S. officials at 5 p.m. on Tuesday. ¦ He left.",
        "Antony J. Blinken spoke, e.g. about a U.S. exit. ¦ George W. Bush listened.",
        '"They are far apart," Mr. Price said. ¦ "No." ¦ He left.',
        "“There is value,” he said. ¦ “To give up” would mean “starting over at square one.”",
        "It cost $1.5 million, i.e. 3.5 percent more. ¦ Dr. Vos and Prof. Li paid.",
        "Gov. Lee, Sen. Ruiz and Lt. Gen. Doe agreed... for now. ¦ No. 10 did not.",
        "The group — which grew — left at 5 p.m. ¦ It was over.",
        'He asked "Why?" and went. ¦ Wait! ¦ What?',
    ],
)
def test_sentences_survive_abbreviations_and_quotations(text: str) -> None:
    expected = [part.strip() for part in text.split("¦")]
    assert sentences(text.replace(" ¦", "")) == expected


def test_endless_sentence_is_cut_between_words() -> None:
    cut = sentences("word " * 10_000)
    assert max(map(len, cut)) <= MAX_SENTENCE_CHARS
    assert all(set(part.split()) == {"word"} for part in cut)
    assert sum(len(part.split()) for part in cut) == 10_000
    assert "".join(sentences("x" * 5_000)) == "x" * 5_000


TEXTS = st.lists(
    st.one_of(
        st.text(alphabet=st.characters(codec="utf-8"), max_size=40),
        st.sampled_from(
            [
                *("Mr. Smith said no. ", "“Yes,” he said. ", "He left. He left. ", "...", "]", ")"),
                *("\n\n", "\n", "\r\n", "\r", "\u00a0", "\u2028", "\u200f"),
                *("😀👩‍👩‍👧 ", "e\u0301. "),
                *("שלום עולם. זה טוב. ", "中文。句子。", "By Jane Roe", "2020-01-01"),
                *("- item", "# Head", "> quote", "*stars*", "1. one", "![a](b)"),
            ]
        ),
    ),
    max_size=30,
).map("".join)


@given(TEXTS)
@settings(max_examples=400, deadline=None)
def test_blocks_and_sentences_cover_the_text_in_order(text: str) -> None:
    if not text.strip():
        with pytest.raises(ArticleError):
            parse_article(text, id="x")
        return
    article = parse_article(text, id="x")
    assert "\r" not in article.text
    assert parse_article(article.text, id="x") == article
    position = 0
    for block in article.blocks:
        assert position <= block.span.start < block.span.end
        assert not article.text[position : block.span.start].strip()
        position = block.span.end
        assert block.sentences
        left, inside = block.span.start, ""
        for sentence in block.sentences:
            quoted = article.text[sentence.start : sentence.end]
            assert quoted and quoted == quoted.strip()
            assert left <= sentence.start and sentence.end <= block.span.end
            inside += article.text[left : sentence.start]
            left = sentence.end
        inside += article.text[left : block.span.end]
        inside = re.sub(r"(?i)(title|headline):\s*|[\"']", "", inside)
        assert not set(inside) - set("#>-*+•‣▪_") - {c for c in inside if c.isspace()}
    assert not article.text[position:].strip()


def test_five_megabytes_parse_in_seconds() -> None:
    text = SEED.read_text(encoding="utf-8") * 560
    start = time.perf_counter()
    article = parse_article(text, id="x")
    assert time.perf_counter() - start < 30
    assert len(text) > 4_900_000
    assert len(article.blocks) > 15_000


@pytest.mark.parametrize("text", ["a " * 500_000, "x" * 1_000_000, "(" * 300_000, "By " * 300_000])
def test_hostile_texts_parse_in_linear_time(text: str) -> None:
    start = time.perf_counter()
    parse_article(text, id="x")
    assert time.perf_counter() - start < 20


def test_lone_surrogates_are_replaced_and_said() -> None:
    article = parse_article("A \ud800 b.", id="x")
    assert article.text == "A \ufffd b."
    assert article.notes


def test_a_title_does_not_end_a_sentence() -> None:
    text = "He met Ms. Solheim and Lt. Col. Ada Frey there. They spoke to Mr.\nOkoro. Then he left."
    article = parse_article(text, id="a")
    quotes = [article.text[s.start : s.end] for s in article.sentences]
    assert quotes == [
        "He met Ms. Solheim and Lt. Col. Ada Frey there.",
        "They spoke to Mr.\nOkoro.",
        "Then he left.",
    ]


# -- Texts that are not news -----------------------------------------------------------------------


def kinds(text: str) -> list[tuple[str, str]]:
    article = parse_article(text, id="x")
    return [(b.kind, article.text[b.span.start : b.span.end]) for b in article.blocks]


def test_numbered_clauses_and_tables_of_wrapped_terms_are_blocks() -> None:
    seen = kinds(
        "TERMS OF USE\n\n1. FEES\n\n1.1 The fee is due on the first day of each month, and it is\n"
        "never paid back.\n1.2 Members who joined before June pay the fee that stood in\n"
        "their letter.\n\n    Plan      Fee       Seats\n    Basic     $5        1\n"
        "    Plus      $9        4\n"
    )
    assert [kind for kind, _ in seen[1:]] == ["heading", "paragraph", "paragraph", *["table"] * 3]
    assert seen[3][1].startswith("1.2 Members")


def test_turns_of_an_interview_are_no_headings() -> None:
    seen = kinds(
        "A Talk by the Well\n\nWe met in Kent, where the well is.\n\nQ: Who dug it?\n\n"
        "A: My father did. It took him a year.\n\nQ: And why?\n\nA: We were thirsty.\n"
    )
    assert [kind for kind, _ in seen] == ["headline", *["paragraph"] * 5]


def test_references_notes_and_links_are_kinds_of_their_own() -> None:
    seen = kinds(
        "The Well\n\nIt was dug in 1820 by three farmers from Kent.[1]\n\nNotes\n\n"
        "a. Some say four.\n\nReferences\n\n[1] Roe, J. Wells of Kent. Leeds 1990.\n"
        "[2] Lee, A. Cider. York 1991.\n\nMore on this story\nWhere does the water go?\n"
        "Cider: a history\n\nComments on this article are closed.\n"
    )
    told = {text.split()[0]: kind for kind, text in seen}
    assert told["a."] == "footnote"
    assert told["[1]"] == told["[2]"] == "reference"
    assert told["Where"] == told["Cider:"] == "reference"
    assert told["Comments"] == "boilerplate"
