"""Markdown -> parts: the reading text, without a mark of Markdown in it.

Parsed by markdown-it-py (CommonMark with tables). Items and table rows are blocks of their own,
cells apart by a tab; links keep their words and lose their targets; the fields at the head of the
file become metadata. HTML between the blocks is read as HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from markdown_it import MarkdownIt

from article_qa.reading.layout import Part, one_line
from article_qa.reading.rst import is_rst, read_rst
from article_qa.reading.source import Document, Source
from article_qa.reading.tree import HTML, tree_parts
from article_qa.types import BlockKind, Metadatum

if TYPE_CHECKING:
    from markdown_it.token import Token

MAX_DEPTH = 100
"""Quotations and lists inside one another; the parser calls itself for each."""

MAX_IMAGES = 100
"""Images in one paragraph; in one with more, their marks are text. The parser's time grows with the
square of the ``![`` that nothing closes."""

LABEL_WORDS = 3
"""A picture's words up to which they are a name for it ('Logo') and describe nothing."""

_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S)
_FIELD = re.compile(r"([A-Za-z][\w-]*):[ \t]*(.*)")
_NAMES = {"date": "published", "updated": "modified", "lastmod": "modified", "authors": "author"}
_FOOTNOTE = re.compile(r"\[\^[\w-]{1,40}\]:[ \t]*")
_FOOTNOTE_MARK = re.compile(r"\[\^[\w-]{1,40}\]")
_ADMONITION = re.compile(r"\[!(?:NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*")
_BREAK = re.compile(r"<br\s*/?>", re.I)


def read_markdown(source: Source) -> Document:
    """Read a Markdown file, or what is plainly reStructuredText under its name.

    Raises:
        ArticleError: it is no text, or its tables have too many cells.
    """
    text, notes = source.decode()
    if is_rst(text):
        return read_rst(source)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    head = _FRONT_MATTER.match(text)
    metadata = dict(_fields(head[1])) if head else {}
    tokens = _parsed(text[head.end() :] if head else text)
    cells = sum(token.type in ("td_open", "th_open") for token in tokens)
    if cells > source.settings.max_table_cells:
        raise source.too_much("table cells", cells, "max_table_cells")
    return Document(tuple(_parts(tokens)), metadata, notes)


def _parsed(text: str) -> list[Token]:
    """Parse a text, blocks first and then what stands in each, that ``MAX_IMAGES`` may hold."""
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_DEPTH}).enable(["table", "strikethrough"])
    parser.core.ruler.disable("inline")
    references: dict[str, Any] = {}
    tokens = parser.parse(text, references)
    for token in tokens:
        if token.type == "inline":
            content = token.content
            if content.count("![") > MAX_IMAGES:
                content = content.replace("![", "\\!\\[")
            token.children = []
            parser.inline.parse(content, parser, references, token.children)
    return tokens


def _fields(head: str) -> Iterator[tuple[str, Metadatum]]:
    """Yield the fields of a file's head (YAML's simple forms), a list's entries apart by commas."""
    name, values = "", list[str]()
    for line in [*head.split("\n"), "end:"]:
        field = _FIELD.fullmatch(line.rstrip())
        if field is None:
            values.append(line.strip().removeprefix("- ").strip(" \"'"))
            continue
        value = ", ".join(filter(None, values))
        if name and value:
            yield _NAMES.get(name, name), Metadatum(value, "front matter")
        name, rest = field[1].lower(), field[2].strip()
        if rest.startswith("[") and rest.endswith("]"):
            values = [entry.strip(" \"'") for entry in rest[1:-1].split(",")]
        else:
            values = [rest.strip("\"'") if rest not in ("|", ">", "|-", ">-") else ""]


def _parts(tokens: Sequence[Token]) -> Iterator[Part]:
    """Yield the blocks of a parsed file."""
    lists = quotes = 0
    row: list[str] | None = None
    number = ""
    heading = 0
    for token in tokens:
        if token.type in ("bullet_list_open", "ordered_list_open"):
            lists += 1
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            lists -= 1
        elif token.type in ("blockquote_open", "blockquote_close"):
            quotes += token.nesting
        elif token.type == "list_item_open":
            number = f"{token.info}{token.markup} " if token.info else ""
        elif token.type == "heading_open":
            heading = int(token.tag[1:])
        elif token.type == "tr_open":
            row = []
        elif token.type == "tr_close" and row is not None:
            yield Part("\t".join(row), "table")
            row = None
        elif token.type in ("fence", "code_block"):
            yield Part(token.content.expandtabs(4), "code")
        elif token.type == "html_block":
            yield from _html_parts(token.content)
        elif token.type == "inline":
            text = _reading_text(token.children or ())
            if row is not None:
                row.append(one_line(text))
                continue
            yield _block(text, token, number, heading, lists, quotes)
            number, heading = "", 0


def _block(text: str, token: Token, number: str, heading: int, lists: int, quotes: int) -> Part:
    """Return what a paragraph or heading is, where it stands in lists and quotations."""
    kind: BlockKind | None = "quote" if quotes else None
    children = token.children or []
    if heading:
        return Part(text, "heading", heading)
    if lists:
        return Part(number + text, "list", lists)
    note = _FOOTNOTE.match(token.content)
    if note:
        return Part(text.removeprefix(": "), "footnote")
    if quotes and _ADMONITION.match(text):
        return Part(_ADMONITION.sub("", text, count=1))
    if len(children) == 1 and children[0].type == "image" and len(text.split()) > LABEL_WORDS:
        kind = "caption"
    elif _only_links(children):
        kind = "boilerplate"
    return Part(text, kind)


def _reading_text(children: Sequence[Token]) -> str:
    """Return the words of a block as they are read."""
    pieces = []
    for child in children:
        if child.type in ("text", "code_inline", "text_special"):
            pieces.append(child.content)
        elif child.type == "softbreak":
            pieces.append(" ")
        elif child.type == "hardbreak" or (
            child.type == "html_inline" and _BREAK.fullmatch(child.content)
        ):
            pieces.append("\n")
        elif child.type == "image":
            pieces.append(_reading_text(child.children or ()))
    lines = _FOOTNOTE_MARK.sub("", "".join(pieces)).split("\n")
    return "\n".join(one_line(line) for line in lines)


def _only_links(children: Sequence[Token]) -> bool:
    """Say whether a block is links and pictures and nothing else: a menu, badges."""
    depth, links = 0, 0
    for child in children:
        if child.type in ("link_open", "link_close"):
            depth += child.nesting
            links += 1
        elif child.type == "image":
            links += 1
        elif not depth and re.search(r"\w", child.content):
            return False
    return links > 0


def _html_parts(html: str) -> list[Part]:
    """Return the blocks of HTML inside Markdown; of a badge or picture, whose words nobody sees,
    nothing.
    """
    from lxml.html import fragment_fromstring

    return tree_parts(fragment_fromstring(html, create_parent="div"), HTML)
