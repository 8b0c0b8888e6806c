"""Rich text (``.rtf``) -> parts: a paragraph each, and a table's rows.

striprtf takes the words out; what a paragraph is, its form tells, as in a plain text.
"""

from __future__ import annotations

from article_qa.errors import ArticleError
from article_qa.reading.layout import Part, one_line
from article_qa.reading.source import Document, Source


def read_rtf(source: Source) -> Document:
    """Read a rich text.

    Raises:
        ArticleError: it is none, is damaged, or has more table cells than the settings allow.
    """
    from striprtf.striprtf import rtf_to_text

    if not source.data.lstrip().startswith(b"{\\rtf"):
        raise ArticleError(
            f"{source.name} is no rich text: expected '{{\\rtf' at its beginning. If it is a text, "
            "give it the suffix .txt."
        )
    try:
        text = rtf_to_text(source.data.decode("latin-1"), errors="replace")
    except (ValueError, LookupError, TypeError, OverflowError, RecursionError) as error:
        raise ArticleError(
            f"{source.name} is not a readable .rtf (it is damaged). Open it in a word processor "
            "and save it as .docx or .txt."
        ) from error
    lines = text.split("\n")
    cells = sum(line.count("|") for line in lines if _is_row(line))
    if cells > source.settings.max_table_cells:
        raise source.too_much("table cells", cells, "max_table_cells")
    return Document(tuple(map(_part, lines)))


def _is_row(line: str) -> bool:
    """Say whether a line is a table's row: striprtf ends each cell with a bar."""
    return line.endswith("|")


def _part(line: str) -> Part:
    if _is_row(line):
        return Part("\t".join(map(one_line, line[:-1].split("|"))), "table")
    return Part(one_line(line))
