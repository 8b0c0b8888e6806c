from __future__ import annotations

import io
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from article_qa.errors import ArticleError
from article_qa.reading.article import (
    MAX_SENTENCE_CHARS,
    parse_article,
    read_article,
    read_articles,
)
from article_qa.types import Article

ROOT = Path(__file__).parent.parent
ARTICLES = Path(__file__).parent / "data" / "articles"
SEED = ROOT / "seeds" / "000_85ebba8beb37503f.txt"


def parts(article: Article, kind: str) -> list[str]:
    return [article.text[b.span.start : b.span.end] for b in article.blocks if b.kind == kind]


def sentences(text: str) -> list[str]:
    article = parse_article(text, id="x")
    return [article.text[s.start : s.end] for s in article.sentences]


# -- Recognising the parts of articles of different make -------------------------------------------


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


def test_press_release_in_markdown() -> None:
    article = read_article(ARTICLES / "press_release.md")
    assert article.title == "Brightwater Foods to Close Its Ostrava Bottling Plant"
    assert parts(article, "standfirst") == ["**Production moves to Gdynia; 212 jobs are affected**"]
    assert parts(article, "heading") == [
        "## What happens to the staff",
        "## About Brightwater Foods",
    ]
    assert "- 60 will take early retirement" in parts(article, "paragraph")
    assert [text[:12] for text in parts(article, "boilerplate")] == [
        "FOR IMMEDIAT",
        "[Share on Li",
        "Subscribe to",
        "© 2024 Brigh",
    ]
    quoted = [article.text[s.start : s.end] for s in article.sentences]
    assert "60 will take early retirement" in quoted  # the bullet is not quoted
    assert "Production moves to Gdynia; 212 jobs are affected" in quoted  # nor are the stars


def test_html_page_keeps_its_article_and_metadata_only() -> None:
    article = read_article(ARTICLES / "blog.html")
    assert article.title == "Why I mend my own toaster"
    assert parts(article, "byline") == ["By Tomasz Oyelaran"]
    assert parts(article, "date") == ["Published 2022-11-19"]
    assert parts(article, "heading") == ["## What you need", "## Was it worth it?"]
    assert "cost me £14 & one evening." in article.text
    for foreign in ("never show this script", "About me", "kettle", "cookies", "#123456"):
        assert foreign not in article.text


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


# -- Files and their encodings ---------------------------------------------------------------------


def test_newlines_become_one_kind(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"Head\r\n\r\nOne.\rTwo.\n")
    assert read_article(tmp_path / "a.txt").text == "Head\n\nOne.\nTwo.\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_files(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.txt").write_bytes("Żółw — naïve 😀.".encode(encoding))
    article = read_article(tmp_path / "a.txt")
    assert article.text == "Żółw — naïve 😀."
    assert bool(article.notes) == (encoding in ("utf-16", "utf-32"))


def test_other_encoding_is_detected_and_said(tmp_path: Path) -> None:
    text = "Le café où l’été commençait était fermé. Voilà pourquoi il préférait l’hôtel. " * 5
    (tmp_path / "a.txt").write_bytes(text.encode("cp1252"))
    article = read_article(tmp_path / "a.txt")
    assert article.text == text
    assert "cp1252" in article.notes[0]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.txt", b"", "holds no text"),
        ("a.txt", b" \n\t \r\n", "holds no text"),
        ("a.txt", bytes(range(256)) * 20, "binary"),
        ("a.txt", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "binary"),
        ("a.md", b"%PDF-1.7 hello", "binary"),
        ("a.html", b"<html><script>var x = 1</script></html>", "holds no text"),
        ("a.pdf", b"not a pdf", "not a readable PDF"),
        ("a.docx", b"not a docx", "not a readable .docx"),
        ("a.exe", b"MZ", "expected one of .txt"),
        ("article", b"text", "expected one of .txt"),
    ],
)
def test_bad_files_are_refused_with_advice(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ArticleError, match=said) as raised:
        read_article(tmp_path / name)
    assert str(tmp_path / name) in str(raised.value)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(ArticleError, match="does not exist"):
        read_article(tmp_path / "none.txt")
    with pytest.raises(ArticleError, match="is a folder"):
        read_article(tmp_path)
    with pytest.raises(ArticleError, match="holds no article"):
        read_articles([tmp_path])
    with pytest.raises(ArticleError, match="No articles named"):
        read_articles([])


def test_folders_are_read_in_order_with_unique_ids(tmp_path: Path) -> None:
    for name in ("b.txt", "a.md", "sub/a.txt", ".hidden/c.txt", "picture.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"Text of {name}.")
    articles = read_articles([tmp_path, tmp_path / "b.txt"])
    assert [article.id for article in articles] == ["a", "b", "a-2"]
    assert articles[2].text == "Text of sub/a.txt."
    assert articles[2].source == str(tmp_path / "sub" / "a.txt")


def test_lone_surrogates_are_replaced_and_said() -> None:
    article = parse_article("A \ud800 b.", id="x")
    assert article.text == "A \ufffd b."
    assert article.notes


def test_docx(tmp_path: Path) -> None:
    from docx import Document

    document = Document()
    document.add_heading("The Well at Elm Farm", level=0)
    document.add_paragraph("By Jane Roe")
    document.add_paragraph("The well was dug in 1820. It ran dry in June.")
    document.add_heading("What now?", level=1)
    document.add_paragraph("Dig deeper.", style="List Bullet")
    row = document.add_table(rows=1, cols=2).rows[0].cells
    row[0].text, row[1].text = "Depth", "31 metres"
    document.save(str(tmp_path / "well.docx"))
    article = read_article(tmp_path / "well.docx")
    assert article.title == "The Well at Elm Farm"
    assert [block.kind for block in article.blocks[:4]] == [
        "headline",
        "byline",
        "paragraph",
        "heading",
    ]
    assert article.text.endswith("- Dig deeper.\n\nDepth | 31 metres")


def pdf(*pages: list[str]) -> bytes:
    from pypdf import PdfWriter
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    writer = PdfWriter()
    names = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
    font = DictionaryObject({NameObject(k): NameObject(v) for k, v in names.items()})
    fonts = DictionaryObject({NameObject("/F1"): writer._add_object(font)})
    for lines in pages:
        page = writer.add_blank_page(width=595, height=842)
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        stream = DecodedStreamObject()
        shown = "".join(f"({line}) Tj T* " for line in lines)
        stream.set_data(f"BT /F1 12 Tf 14 TL 50 780 Td {shown}ET".encode())
        page[NameObject("/Contents")] = writer._add_object(stream)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_pdf(tmp_path: Path) -> None:
    lines = [
        "The Well at Elm Farm",
        "By Jane Roe",
        "The well was dug in 1820 by the farmer and his three sons, who were pro-",
        "mised a barrel of cider each. It ran dry in June.",
        "Nobody knows why it ran dry, but the geologist who came from Leeds has a",
        "theory.",
    ]
    (tmp_path / "well.pdf").write_bytes(pdf(lines))
    article = read_article(tmp_path / "well.pdf")
    assert article.title == "The Well at Elm Farm"
    assert [b.kind for b in article.blocks] == ["headline", "byline", "paragraph", "paragraph"]
    assert "promised\na barrel" in article.text


def test_pdf_without_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scan.pdf").write_bytes(pdf([]))
    with pytest.raises(ArticleError, match="OCR"):
        read_article(tmp_path / "scan.pdf")


def test_pdf_loses_its_running_titles_and_page_numbers(tmp_path: Path) -> None:
    body = ["The well was dug in the year 1820 by the farmer and his three sons, who", "drank."]
    pages = [["Wells of Kent", *body, f"Page {number} of 4"] for number in range(1, 5)]
    (tmp_path / "wells.pdf").write_bytes(pdf(*pages))
    text = read_article(tmp_path / "wells.pdf").text
    assert text == "\n".join(body * 4)


def test_page_too_small_for_extraction_is_taken_whole(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<html><body><p>Bees sleep.</p></body></html>")
    assert read_article(tmp_path / "a.html").text == "Bees sleep."


def test_html_invents_no_date_and_keeps_lines_apart(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        "<html><head><title>The Big Well</title></head><body><main><h1>The Big Well</h1>"
        "<p>By Ann Lee</p><p>The well was dug by three farmers from Kent.<br>They drank.</p>"
        "<table><tr><th>Year</th><th>Depth</th></tr><tr><td>2001</td><td>55</td></tr></table>"
        "<ol><li>Dig it<ul><li>deeper</li></ul></li></ol></main></body></html>"
    )
    article = read_article(tmp_path / "a.html")
    assert parts(article, "date") == []
    assert parts(article, "byline") == ["By Ann Lee"]
    assert "from Kent. They drank." in article.text
    assert "2001 | 55" in parts(article, "paragraph")
    assert "- Dig it deeper" in parts(article, "paragraph")


def test_a_title_does_not_end_a_sentence() -> None:
    text = "He met Ms. Solheim and Lt. Col. Ada Frey there. They spoke to Mr.\nOkoro. Then he left."
    article = parse_article(text, id="a")
    quotes = [article.text[s.start : s.end] for s in article.sentences]
    assert quotes == [
        "He met Ms. Solheim and Lt. Col. Ada Frey there.",
        "They spoke to Mr.\nOkoro.",
        "Then he left.",
    ]
