"""A tree of elements that is content throughout -> parts, by what its format's elements are.

For what has no menus around it: HTML inside Markdown, a book's chapter, a document's XML. The text
of a web page must be found first; ``html`` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from article_qa.reading.layout import Part, one_line
from article_qa.types import BlockKind


@dataclass(frozen=True, slots=True)
class Tags:
    """What the elements of a format are, by their tags; all others stand within a line.

    Args:
        blocks: blocks of their own: what kind, or None for that of the block around them.
        lists: lists; how many stand around an item is its level.
        rows: a table's rows.
        cells: their cells.
        breaks: what begins a new line, with or without words in it.
        skipped: what is no text.
        rank: says of a heading which level it has.
    """

    blocks: Mapping[str, BlockKind | None]
    lists: frozenset[str]
    rows: frozenset[str]
    cells: frozenset[str]
    breaks: frozenset[str]
    skipped: frozenset[str]
    rank: Callable[[Any], int]


HTML = Tags(
    blocks={
        **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6", "dt"), "heading"),
        **dict.fromkeys(
            "p div section article main header footer aside address center details summary "
            "figure table caption hr dl dd fieldset".split()
        ),
        "li": "list",
        "blockquote": "quote",
        "pre": "code",
        "figcaption": "caption",
    },
    lists=frozenset({"ul", "ol"}),
    rows=frozenset({"tr"}),
    cells=frozenset({"td", "th"}),
    breaks=frozenset({"br"}),
    skipped=frozenset({"script", "style", "template", "head", "svg", "button", "rp", "rt"}),
    rank=lambda heading: 6 if heading.tag == "dt" else int(heading.tag[1]),
)


def tree_parts(root: Any, tags: Tags) -> list[Part]:
    """Return the blocks of an ``lxml`` tree in reading order.

    Args:
        root: the element whose content is read.
        tags: what its format's elements are.
    """
    from lxml.etree import iterwalk

    writer = _Writer(tags)
    walk = iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, element in walk:
        if event == "start" and element.tag not in tags.skipped:
            writer.start(element)
        elif event == "start":
            walk.skip_subtree()
        else:
            if event == "end" and element.tag not in tags.skipped:
                writer.end(element)
            writer.write(element.tail if element is not root else "")
    writer.close()
    return writer.parts


class _Writer:
    """Collects the words between a block's beginning and its end, or the next block's beginning."""

    def __init__(self, tags: Tags) -> None:
        self.parts: list[Part] = []
        self._tags = tags
        self._words: list[str] = []
        self._around: list[tuple[BlockKind | None, int]] = [(None, 0)]
        self._lists = 0
        self._rows = 0
        self._cells: list[str] = []

    def start(self, element: Any) -> None:
        tags, tag = self._tags, element.tag
        if tag in tags.lists or tag in tags.blocks or tag in tags.rows:
            self.close()
        self._lists += tag in tags.lists
        self._rows += tag in tags.rows
        if tag in tags.blocks:
            kind = tags.blocks[tag]
            level = tags.rank(element) if kind == "heading" else self._lists * (kind == "list")
            self._around.append((kind, level) if kind else self._around[-1])
        if tag in tags.breaks:
            self._words.append("\n")
        self.write(element.text)

    def end(self, element: Any) -> None:
        tags, tag = self._tags, element.tag
        if tag in tags.cells and self._rows == 1:
            self._cells.append(one_line("".join(self._words)))
            self._words = []
        elif tag in tags.lists or tag in tags.blocks:
            self.close()
        elif tag in tags.rows:
            self._rows -= 1
            if not self._rows:
                self.parts.append(Part("\t".join(self._cells), "table"))
                self._words, self._cells = [], []
        self._lists -= tag in tags.lists
        if tag in tags.blocks:
            self._around.pop()

    def write(self, words: str | None) -> None:
        """Add words to the block that is open; in a listing alone white space counts."""
        if words:
            code = self._around[-1][0] == "code"
            self._words.append(words if code else re.sub(r"\s+", " ", words))

    def close(self) -> None:
        """End the block that is open; in a table's cell, blocks are words apart."""
        if self._rows:
            self._words.append(" ")
            return
        kind, level = self._around[-1]
        text = "".join(self._words)
        if kind == "code":
            text = text.expandtabs(4).strip("\n")
        else:
            text = "\n".join(map(one_line, text.split("\n"))).strip()
        if text.strip():
            self.parts.append(Part(text, kind, level))
        self._words = []
