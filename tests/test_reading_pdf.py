from __future__ import annotations

import pytest
from fpdf import FPDF
from makes import CHROMIUM, printed
from reading_helpers import parts, sentences

from article_qa.config import Settings
from article_qa.errors import ArticleError
from article_qa.reading.files import read_article
from article_qa.types import Article

TALE = (
    "The well was dug in the year 1820 by the farmer and his three sons, who were promised a "
    "barrel of cider each. It ran dry in June, and nobody knows why, but the geologist who came "
    "from Leeds has a theory. She says that the quarry took the water. "
)


class Paper(FPDF):
    """A sheet to write on in Helvetica, with what stands on every page where that is wanted."""

    running = ""

    def header(self) -> None:
        if self.running:
            self.write_lines(self.running, size=8)

    def footer(self) -> None:
        if self.running:
            self.set_y(-15)
            self.write_lines(f"Page {self.page_no()}", size=8)

    def write_lines(self, text: str, *, size: float = 11, bold: bool = False) -> None:
        self.set_font("helvetica", "B" if bold else "", size)
        self.multi_cell(0, size * 0.5, text, new_x="LMARGIN", new_y="NEXT")


def paper(running: str = "") -> Paper:
    sheet = Paper()
    sheet.running = running
    sheet.add_page()
    return sheet


def read(sheet: FPDF, name: str = "a.pdf") -> Article:
    return read_article((name, bytes(sheet.output())))


def test_lines_become_headline_headings_and_paragraphs() -> None:
    sheet = paper()
    sheet.write_lines("The Well at Elm Farm\nand the People Who Drank From It", size=20, bold=True)
    sheet.write_lines("By Jane Roe")
    sheet.ln(4)
    sheet.write_lines(TALE)
    sheet.ln(4)
    sheet.write_lines("What now?", size=13, bold=True)
    sheet.write_lines(TALE)
    article = read(sheet)
    assert article.title == "The Well at Elm Farm and the People Who Drank From It"
    assert [(b.kind, b.level) for b in article.blocks] == [
        ("headline", 1),
        ("byline", 0),
        ("paragraph", 0),
        ("heading", 2),
        ("paragraph", 0),
    ]
    assert parts(article, "paragraph")[0] == TALE.strip()
    assert "She says that the quarry took the water." in sentences(article)


def test_words_cut_at_a_line_s_end_are_whole_and_compounds_keep_their_hyphen() -> None:
    sheet = paper()
    sheet.write_lines(
        "The farmer and his sons were pro-\nmised a barrel, which was a well-\nknown custom there. "
        "It was well known and well-known\nto all, as far as anybody can know-\ningly say."
    )
    (text,) = (read(sheet).text,)
    assert "were promised a barrel, which was a well-known custom there." in text
    assert text.endswith("knowingly say.")


def test_a_paragraph_goes_on_over_columns_and_pages() -> None:
    sheet = paper("Wells of Kent")
    with sheet.text_columns(ncols=2, gutter=10, text_align="J") as columns:
        sheet.set_font("helvetica", "", 11)
        for _ in range(12):
            with columns.paragraph(bottom_margin=4) as paragraph:
                paragraph.write(TALE * 3)
    article = read(sheet)
    assert sheet.page > 1
    assert parts(article, "paragraph") == [" ".join((TALE * 3).split())] * 12
    assert article.page_at(0) == 1 and article.page_at(len(article.text) - 1) == sheet.page


def test_running_titles_and_page_numbers_are_left_out() -> None:
    sheet = paper("Wells of Kent")
    for number in range(4):
        sheet.write_lines(f"{number}. {TALE}")
        if number < 3:
            sheet.add_page()
    article = read(sheet)
    assert "Wells of Kent" not in article.text and "Page" not in article.text
    assert [page for _, page in article.pages] == [1, 2, 3, 4]
    start = article.text.index("3. The well")
    assert article.page_at(start) == 4


def test_a_short_item_ends_though_what_follows_stands_below_its_words() -> None:
    sheet = paper()
    sheet.write_lines(TALE)
    sheet.ln(6)
    sheet.write_lines("1. First")
    sheet.write_lines("2. Second")
    sheet.set_left_margin(sheet.l_margin + 4)
    sheet.write_lines("Water is life, said the farmer to his sons, and they went on to dig.")
    assert parts(read(sheet), "list") == ["1. First", "2. Second"]


def test_tables_are_read_row_by_row() -> None:
    sheet = paper()
    sheet.write_lines(TALE)
    with sheet.table() as table:
        for row in (("Year", "Depth", "Fields"), ("1820", "31 metres", "4"), ("1830", "9 m", "12")):
            table.row(row)
    sheet.write_lines(TALE)
    article = read(sheet)
    assert parts(article, "table") == ["Year\tDepth\tFields", "1820\t31 metres\t4", "1830\t9 m\t12"]
    assert parts(article, "paragraph") == [TALE.strip()] * 2


def test_lists_footnotes_and_references_have_their_kinds() -> None:
    sheet = paper()
    sheet.write_lines(TALE * 8)
    sheet.write_lines("- Dig deeper into the clay.\n- Drink less.")
    sheet.ln(4)
    sheet.write_lines("References", bold=True)
    sheet.write_lines("[1] Roe, J. Wells of Kent. Leeds 1990.\n[2] Lee, A. Cider. York 1991.")
    sheet.set_y(270)
    sheet.write_lines("* The barrel held 36 gallons.", size=8)
    article = read(sheet)
    assert parts(article, "list") == ["Dig deeper into the clay.", "Drink less."]
    assert parts(article, "reference")[1] == "[2] Lee, A. Cider. York 1991."
    assert parts(article, "footnote") == ["* The barrel held 36 gallons."]
    assert "* The barrel held 36 gallons." not in [
        article.text[s.start : s.end] for s in article.quotable
    ]


def test_what_the_file_says_of_itself_is_metadata() -> None:
    sheet = paper()
    sheet.set_title("Wells")
    sheet.set_author("Jane Roe")
    sheet.write_lines(TALE)
    article = read(sheet)
    assert article.metadata["author"].value == "Jane Roe"
    assert {field.origin for field in article.metadata.values()} == {"pdf info"}
    assert article.title == "Wells" and "Jane" not in article.text


def test_pictures_of_words_are_refused() -> None:
    with pytest.raises(ArticleError, match="OCR"):
        read(paper())


def test_a_page_without_text_is_noted() -> None:
    sheet = paper()
    sheet.write_lines(TALE)
    sheet.add_page()
    assert read(sheet).notes == ("1 of 2 pages have no text; what is in pictures is not read",)


def test_locked_damaged_and_too_long_files_are_refused() -> None:
    sheet = paper()
    sheet.write_lines(TALE)
    sheet.add_page()
    sheet.write_lines(TALE)
    with pytest.raises(ArticleError, match=r"2 pages: at most 1 .*max_pages"):
        read_article(("a.pdf", bytes(sheet.output())), settings=Settings(max_pages=1))
    locked = paper()
    locked.write_lines(TALE)
    locked.set_encryption("owner", user_password="secret")
    with pytest.raises(ArticleError, match="locked with a password"):
        read(locked)
    with pytest.raises(ArticleError, match="not a readable PDF"):
        read_article(("a.pdf", b"%PDF-1.7\nhello"))


# -- Documentation ---------------------------------------------------------------------------------

MANUAL = """<title>Pool</title><style>pre { font: 9pt monospace } body { font: 11pt serif }
td { width: 8em; vertical-align: top } td + td { width: 30em }</style>
<h1>Keeping a pool</h1>
<p>A pool keeps connections open between requests, so that none waits for a handshake.</p>
<pre>for page in client.pages():
    if page.stale:
        continue

    print(page.title)</pre>
<p>Every request has a deadline.</p>
<table><tr><td>idle</td><td>Connections that stay open while nobody uses them; more of them cost
memory on both sides of the line and help only under sudden bursts.</td></tr>
<tr><td>deadline</td><td>How long a request may take.</td></tr></table>
<p>It ends when the last client is gone.</p>"""


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_a_printed_manual_keeps_its_code_and_rows_and_loses_its_page_heads() -> None:
    pages = "<div style='break-after: page'></div>".join([MANUAL, MANUAL.replace("A pool", "It")])
    article = read_article(("a.pdf", printed(pages, "--lang=en")))
    assert parts(article, "code")[0].split("\n") == [
        "for page in client.pages():",
        "    if page.stale:",
        "        continue",
        "    print(page.title)",
    ]
    assert parts(article, "table")[0].startswith("idle\tConnections that stay open")
    assert parts(article, "table")[0].endswith("help only under sudden bursts.")
    assert parts(article, "table")[1] == "deadline\tHow long a request may take."
    assert "file:" not in article.text and "1/2" not in article.text


def test_a_centred_headline_over_two_lines_is_one() -> None:
    sheet = FPDF()
    sheet.add_page()
    sheet.set_font("Helvetica", size=18)
    sheet.multi_cell(
        0, 8, "The well at Elm Farm and what the\ngeologist found", align="C", new_x="LMARGIN",
        new_y="NEXT",
    )  # fmt: skip
    sheet.ln(6)
    sheet.set_font("Helvetica", size=10)
    sheet.multi_cell(0, 5, TALE * 3)
    article = read_article(("a.pdf", bytes(sheet.output())))
    assert article.title == "The well at Elm Farm and what the geologist found"


@pytest.mark.parametrize("align", ["T", "M"])
def test_cells_of_several_lines_are_one_row(align: str) -> None:
    rows = [
        ("Year", "Soil", "Who dug it"),
        ("1820", "clay and sand over chalk", "The farmer and his three sons, to 31 metres"),
        ("1830", "sand", "Nobody knows"),
    ]
    sheet = paper()
    sheet.write_lines(TALE)
    with sheet.table(width=90, v_align=align) as table:
        for row in rows:
            table.row(row)
    sheet.write_lines("Depths are those of the year.")
    sheet.write_lines(TALE)
    article = read(sheet)
    assert parts(article, "table") == ["\t".join(row) for row in rows]
    assert parts(article, "paragraph")[0] == TALE.strip()
    assert "Depths are those of the year." in sentences(article)


def test_names_set_as_code_stay_in_their_sentence() -> None:
    sheet = paper()
    sheet.write_lines(TALE)
    sheet.ln(4)
    for line in (
        "The command that digs, which nobody in this county has ever used, is provided in",
        "`/usr/share/wells/kent/bin/dig-deeper-than-the-neighbours`",
        "and `/usr/share/wells/kent/bin/dig-deeper-than-all-others` of which",
        "the second digs deeper.",
    ):
        for i, words in enumerate(line.split("`")):
            sheet.set_font("courier" if i % 2 else "helvetica", "", 10 if i % 2 else 11)
            if words:
                sheet.cell(None, 5, words)
        sheet.ln(5)
    sheet.ln(6)
    sheet.set_font("courier", "", 11)
    sheet.multi_cell(0, 5, "import wells\n    dig()")
    article = read(sheet)
    assert parts(article, "code") == ["import wells\n    dig()"]
    assert parts(article, "paragraph")[1] == (
        "The command that digs, which nobody in this county has ever used, is provided in "
        "/usr/share/wells/kent/bin/dig-deeper-than-the-neighbours and "
        "/usr/share/wells/kent/bin/dig-deeper-than-all-others of which the second digs deeper."
    )
