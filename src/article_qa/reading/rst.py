"""reStructuredText -> parts: the reading text, without a mark of the markup in it.

Parsed by docutils, which opens no other file here and runs nothing. Roles and directives that
docutils does not know are a tool's own (Sphinx's): their words and content are read, their names
left out.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from article_qa.errors import ArticleError
from article_qa.reading.source import Document, Source
from article_qa.reading.tree import Tags, tree_parts

_SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "_disable_config": True,
    "doctitle_xform": False,
    "docinfo_xform": False,
    "syntax_highlight": "none",
    "line_length_limit": 10**9,
    "report_level": 1,  # what is not understood stays in the tree
    "halt_level": 5,
    "warning_stream": False,
    "output_encoding": "utf-8",
}
_TAGS = Tags(
    blocks={
        **dict.fromkeys(
            "paragraph section topic sidebar note tip hint important warning caution danger error "
            "attention admonition definition_list_item term definition field option_list_item "
            "description line_block compound container legend attribution rubric".split()
        ),
        "title": "heading",
        "subtitle": "heading",
        "list_item": "list",
        "block_quote": "quote",
        "literal_block": "code",
        "doctest_block": "code",
        "math_block": "code",
        "caption": "caption",
        "footnote": "footnote",
        "citation": "reference",
    },
    lists=frozenset({"bullet_list", "enumerated_list"}),
    rows=frozenset({"row"}),
    cells=frozenset({"entry"}),
    breaks=frozenset({"line"}),
    skipped=frozenset(
        "comment substitution_definition target raw label footnote_reference system_message "
        "pending decoration meta generated".split()
    ),
    rank=lambda title: sum(1 for _ in title.iterancestors("section")) or 1,
)

_DIRECTIVE = re.compile(r"\.\. (?:\|[^|\n]{1,80}\| )?[A-Za-z][\w:+.-]{0,60}::(?:[ \t]|$)", re.M)
_HYPERLINK = re.compile(r"`[^`\n<>]{1,200} <[^`\s<>]{1,300}>`__?|^\.\. _[^\n:]{1,80}:[ \t]", re.M)
_ADORNMENT = re.compile(r"([=~^\"'`#*+-])\1{2,}[ \t]*")
_MARKDOWN = re.compile(r"^(?:```|~~~~*\w|#{1,6} \S)|\]\(", re.M)
_ROLE = re.compile(r"(?::[\w:+.-]+:)?`([^`]*)`|\|([^|]*)\|")
_TARGET = re.compile(r"\s*<[^<>]*>$")


def is_rst(text: str) -> bool:
    """Say whether a text of another name is plainly reStructuredText.

    It has a directive or a hyperlink as that alone writes them, twice, or once beside an underlined
    title, and no mark that Markdown alone has.
    """
    marks = len(_DIRECTIVE.findall(text)) + len(_HYPERLINK.findall(text))
    lines = text.split("\n") if marks == 1 else []
    titled = any(
        above.strip() and _ADORNMENT.fullmatch(line) and len(line) >= len(above.rstrip())
        for above, line in pairwise(lines)
    )
    return (marks > 1 or (marks == 1 and titled)) and not _MARKDOWN.search(text)


def read_rst(source: Source) -> Document:
    """Read a file of reStructuredText.

    Raises:
        ArticleError: it is no text, or is nested too deep or has more table cells than the settings
            allow.
    """
    text, notes = source.decode()
    try:
        tree = _parsed(text.replace("\r\n", "\n").replace("\r", "\n"))
    except RecursionError as error:
        raise ArticleError(
            f"{source.name} has lists or quotations too deep inside one another. "
            "Save its text as a .txt file."
        ) from error
    cells = sum(1 for _ in tree.iter("entry"))
    if cells > source.settings.max_table_cells:
        raise source.too_much("table cells", cells, "max_table_cells")
    _tidy(tree)
    return Document(tuple(tree_parts(tree, _TAGS)), {}, notes)


def _parsed(text: str) -> Any:
    """Return a text's tree as docutils writes it in XML."""
    from docutils.core import publish_string
    from lxml.etree import XMLParser, fromstring

    from article_qa.reading.rst_parser import LenientParser

    xml = publish_string(text, parser=LenientParser(), writer="xml", settings_overrides=_SETTINGS)
    parser = XMLParser(recover=True, huge_tree=True, resolve_entities=False)
    return fromstring(xml, parser)


def _tidy(tree: Any) -> None:
    """Leave out what docutils adds, write a field in one line, and take roles for their words."""
    for added in tree.xpath("//*[@classes='contents' or @classes='system-messages']"):
        added.getparent().remove(added)
    for name in tree.iter("field_name"):
        name.tail = ": "
        for body in name.itersiblings("field_body"):
            for paragraph in body[:1]:
                paragraph.tag = "inline"
    for role in tree.iter("problematic"):
        role.text = _ROLE.sub(_words, role.text or "")


def _words(role: re.Match[str]) -> str:
    """Return the words of a role or a substitution that docutils does not know."""
    return _TARGET.sub("", role[1] or role[2] or "").removeprefix("~")
