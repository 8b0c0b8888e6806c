"""The same article written in other makes, each from the blocks of its text."""

from __future__ import annotations

import html
import io
import re
import shutil
import subprocess
import tempfile
from itertools import groupby
from pathlib import Path

import docx
from fpdf import FPDF

from article_qa.reading.files import read_article

CHROMIUM = shutil.which("chromium")
FONT = next(
    (path for path in Path("/usr/share/fonts").rglob("DejaVuSans.ttf")), Path("DejaVuSans.ttf")
)


def blocks(text: str) -> list[tuple[str, str]]:
    """Return the text file's blocks as (kind, text), as every make is written from.

    Items come without their bullet; a row's cells are apart by tabs.
    """
    article = read_article(("a.txt", text.encode()))
    found = (
        (block.kind, article.text[block.span.start : block.span.end]) for block in article.blocks
    )
    return [
        (kind, "\t".join(" ".join(cell.split()) for cell in words.split("\t")).lstrip("-*• "))
        for kind, words in found
    ]


def grouped(text: str) -> list[tuple[str, list[str]]]:
    """Return the blocks, the items of a list and the rows of a table together."""
    runs = groupby(blocks(text), key=lambda block: block[0])
    return [
        group
        for kind, run in runs
        for group in (
            [(kind, [words for _, words in run])]
            if kind in ("list", "table")
            else [(kind, [words]) for _, words in run]
        )
    ]


def as_markdown(text: str) -> bytes:
    def escaped(words: str) -> str:
        return re.sub(r"([\\*_\[\]#<>|])", r"\\\1", words)

    def block(kind: str, lines: list[str]) -> str:
        lines = list(map(escaped, lines))
        if kind == "table":
            rows = ["| " + " | ".join(row.split("\t")) + " |" for row in lines]
            return "\n".join([rows[0], "| --- " * (lines[0].count("\t") + 1) + "|", *rows[1:]])
        if kind == "list":
            return "\n".join(line if line[0].isdigit() else f"- {line}" for line in lines)
        return {"headline": "# ", "heading": "## "}.get(kind, "") + lines[0]

    return "\n\n".join(block(kind, lines) for kind, lines in grouped(text)).encode()


def as_html(text: str) -> bytes:
    tags = {"headline": "h1", "heading": "h2"}

    def block(kind: str, lines: list[str]) -> str:
        lines = list(map(html.escape, lines))
        if kind == "table":
            rows = (f"<tr><td>{row.replace(chr(9), '</td><td>')}</td></tr>" for row in lines)
            return f"<table>{''.join(rows)}</table>"
        if kind == "list":
            return f"<ul>{''.join(f'<li>{item}</li>' for item in lines)}</ul>"
        return "<{0}>{1}</{0}>".format(tags.get(kind, "p"), lines[0])

    body = "".join(block(kind, lines) for kind, lines in grouped(text))
    menu = "<nav><a href='/'>Home</a></nav>"
    return f"<html><body>{menu}<article>{body}</article></body></html>".encode()


def as_docx(text: str) -> bytes:
    document = docx.Document()
    for kind, lines in grouped(text):
        if kind in ("headline", "heading"):
            document.add_heading(lines[0], level=int(kind == "heading"))
        elif kind == "table":
            table = document.add_table(0, max(row.count("\t") + 1 for row in lines))
            for row in lines:
                for cell, words in zip(table.add_row().cells, row.split("\t"), strict=False):
                    cell.text = words
        else:
            for words in lines:
                document.add_paragraph(words, style="List Bullet" if kind == "list" else None)
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
    body = grouped(text)
    for kind, lines in body[:1]:
        sheet.set_font("sans", "B", sizes.get(kind, 10))
        sheet.multi_cell(0, sizes.get(kind, 10) * 0.5, lines[0], new_x="LMARGIN", new_y="NEXT")
        sheet.ln(6)
    for tabled, run in groupby(body[1:], key=lambda group: columns == 1 and group[0] == "table"):
        if tabled:
            _set_table(sheet, [row.split("\t") for _, rows in run for row in rows])
            continue
        with sheet.text_columns(ncols=columns, gutter=8, text_align="LEFT") as flow:
            for kind, words in ((kind, words) for kind, lines in run for words in lines):
                sheet.set_font("sans", "B" if kind == "heading" else "", sizes.get(kind, 10))
                with flow.paragraph(bottom_margin=4) as paragraph:
                    paragraph.write(f"• {words}" if kind == "list" else words.replace("\t", " "))
    return bytes(sheet.output())


def _set_table(sheet: FPDF, rows: list[list[str]]) -> None:
    """Set a table; in columns of text fpdf2 sets none."""
    sheet.set_font("sans", "", 10)
    with sheet.table(first_row_as_headings=False) as table:
        for row in rows:
            table.row([*row, *[""] * (max(map(len, rows)) - len(row))])
    sheet.ln(4)


def as_print(text: str, columns: int = 1) -> bytes:
    """Print an article's page by Chromium."""
    style = f"article {{ columns: {columns}; font: 11pt serif }} td {{ padding: 4px 8px }}"
    style += "table { column-span: all }"
    return printed(as_html(text).decode().replace("<nav>", f"<style>{style}</style><nav>"))


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
