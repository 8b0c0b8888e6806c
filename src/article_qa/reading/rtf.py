"""Rich text (``.rtf``) -> parts: a paragraph each, and a table's rows.

striprtf takes the words out; what a paragraph is, its form tells, as in a plain text. Footnotes,
headers and pictures are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from article_qa.errors import ArticleError
from article_qa.reading.forms import BULLET
from article_qa.reading.layout import Part, one_line
from article_qa.reading.source import Document, Source
from article_qa.types import Metadatum

HEAD_CHARS = 1_000_000
"""The field for the title stands within these, after the tables of fonts and styles."""

_NAMES = {"title": "title", "author": "author", "subject": "subject", "keywords": "keywords"}
_FIELD = re.compile(rf"\{{\\({'|'.join(_NAMES)}) ([^{{}}]{{1,1000}})\}}")


def read_rtf(source: Source) -> Document:
    """Read a rich text.

    Raises:
        ArticleError: it is none, is damaged, or has more table cells than the settings allow.
    """
    if not source.data.lstrip().startswith(b"{\\rtf"):
        raise ArticleError(
            f"{source.name} is no rich text: expected '{{\\rtf' at its beginning. If it is a text, "
            "give it the suffix .txt."
        )
    code = source.data.decode("latin-1")
    try:
        lines = _plain(code).split("\n")
        metadata = dict(_metadata(code))
    except (ValueError, LookupError, TypeError, OverflowError) as error:
        raise ArticleError(
            f"{source.name} is not a readable .rtf (it is damaged). Open it in a word processor "
            "and save it as .docx or .txt."
        ) from error
    cells = sum(line.count("|") for line in lines if _is_row(line))
    if cells > source.settings.max_table_cells:
        raise source.too_much("table cells", cells, "max_table_cells")
    return Document(tuple(map(_part, lines)), metadata)


def _plain(code: str) -> str:
    """Return the words of rich text, each paragraph and row a line.

    Raises:
        ValueError, LookupError, TypeError, OverflowError: it is damaged.
    """
    from striprtf.striprtf import rtf_to_text

    code = code.replace(r"\*\fldinst", r"\fldinst")  # else it writes links' addresses into the text
    code = re.sub(r"\\par\b(?=\s{0,9}\}?\s{0,9}\\cell\b)", "", code)  # of a cell's last paragraph
    text = str(rtf_to_text(code, errors="replace"))
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # two halves are one


def _is_row(line: str) -> bool:
    """Say whether a line is a table's row: striprtf ends each cell with a bar."""
    return line.endswith("|")


def _part(line: str) -> Part:
    if _is_row(line):
        return Part("\t".join(map(one_line, line[:-1].split("|"))), "table")
    text = one_line(line)
    bullet = BULLET.match(text)
    return Part(text[bullet.end() :], "list", 1) if bullet else Part(text)


def _metadata(code: str) -> Iterator[tuple[str, Metadatum]]:
    start = code.find(r"{\info", 0, HEAD_CHARS)
    for name, words in _FIELD.findall(code, start, start + HEAD_CHARS) if start >= 0 else ():
        value = one_line(_plain(rf"{{\rtf1 {words}}}"))
        if value:
            yield _NAMES[name], Metadatum(value, "rtf info")
