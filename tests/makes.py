"""The same article written in other makes, each from the blocks of its text."""

from __future__ import annotations

import html
import io
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import docx
from fpdf import FPDF

from article_qa.reading.files import read_article

CHROMIUM = shutil.which("chromium")
FONT = next(
    (path for path in Path("/usr/share/fonts").rglob("DejaVuSans.ttf")), Path("DejaVuSans.ttf")
)


def blocks(text: str) -> list[tuple[str, str]]:
    """Return the text file's blocks as (kind, text), as every make is written from."""
    article = read_article(("a.txt", text.encode()))
    return [
        (block.kind, " ".join(article.text[block.span.start : block.span.end].split()).lstrip("- "))
        for block in article.blocks
    ]


def as_markdown(text: str) -> bytes:
    marks = {"headline": "# ", "heading": "## "}
    escaped = ((kind, re.sub(r"([\\*_\[\]#<>])", r"\\\1", words)) for kind, words in blocks(text))
    return "\n\n".join(marks.get(kind, "") + words for kind, words in escaped).encode()


def as_html(text: str) -> bytes:
    tags = {"headline": "h1", "heading": "h2"}
    body = "".join(
        "<{0}>{1}</{0}>".format(tags.get(kind, "p"), html.escape(words))
        for kind, words in blocks(text)
    )
    menu = "<nav><a href='/'>Home</a></nav>"
    return f"<html><body>{menu}<article>{body}</article></body></html>".encode()


def as_docx(text: str) -> bytes:
    document = docx.Document()
    for kind, words in blocks(text):
        if kind in ("headline", "heading"):
            document.add_heading(words, level=int(kind == "heading"))
        else:
            document.add_paragraph(words)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def as_pdf(text: str, columns: int = 1) -> bytes:
    """Set an article on paper by fpdf2."""
    sheet = FPDF()
    sheet.set_margin(20)
    sheet.add_page()
    sheet.add_font("sans", "", FONT)
    sheet.add_font("sans", "B", FONT.with_stem(FONT.stem + "-Bold"))
    sizes = {"headline": 22, "heading": 14}
    body = blocks(text)
    for kind, words in body[:1]:
        sheet.set_font("sans", "B", sizes.get(kind, 10))
        sheet.multi_cell(0, sizes.get(kind, 10) * 0.5, words, new_x="LMARGIN", new_y="NEXT")
        sheet.ln(6)
    with sheet.text_columns(ncols=columns, gutter=8, text_align="LEFT") as flow:
        for kind, words in body[1:]:
            sheet.set_font("sans", "B" if kind == "heading" else "", sizes.get(kind, 10))
            with flow.paragraph(bottom_margin=4) as paragraph:
                paragraph.write(words)
    return bytes(sheet.output())


def as_print(text: str, columns: int = 1) -> bytes:
    """Print an article's page by Chromium."""
    style = f"<style>article {{ columns: {columns}; font: 11pt serif }}</style>"
    return printed(as_html(text).decode().replace("<nav>", style + "<nav>"))


def printed(page: str, *options: str) -> bytes:
    """Print a page to PDF by Chromium, without its own head and foot unless asked for."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.html").write_text(f"<!doctype html><meta charset=utf-8>{page}", "utf-8")
        command = [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/c",
            *(options or ["--no-pdf-header-footer"]), f"--print-to-pdf={folder}/a.pdf",
            f"{folder}/a.html",
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        return (Path(folder) / "a.pdf").read_bytes()
