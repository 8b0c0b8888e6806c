"""The main text of a web page, with what belongs to it: its headings, terms, items and listings.

trafilatura finds the prose of an article among menus and teasers, and drops much of what stands
between: of a manual the headings, the terms that are defined, the lists. The page's own blocks are
therefore laid beside what it found. Kept is what both have; and of what the page alone has, a
heading or a term right above what is kept, and items, rows and listings right below it, unless they
are mostly links.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from article_qa.reading.layout import Part
from article_qa.reading.tree import HTML, tree_parts

LEAST_SHARED = 0.9
"""Where less of what was found is among the page's blocks, as they stand, the two do not fit."""
LINKED = 0.6
"""A block with a larger share of its letters in links is a menu's."""

_UNSEEN = frozenset({"noscript", "nav", "aside", "form"})
_LINKS = "links"
_PAGE = replace(HTML, blocks={**HTML.blocks, _LINKS: "boilerplate"}, skipped=HTML.skipped | _UNSEEN)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6", "dt")
_BELOW = ("list", "table", "code")


def page_blocks(tree: Any) -> list[Part]:
    """Return all blocks of a page but menus, scripts and forms.

    What is mostly links is boilerplate, but for a heading that leads to itself.

    Args:
        tree: the page; its tags are changed.
    """
    for block in list(tree.iter("p", "li", "dd", *_HEADINGS)):
        own = "#" if block.tag in _HEADINGS[:6] else None
        links = (a for a in block.iterfind(".//a[@href]") if a.get("href")[:1] != own)
        linked = sum(len(letters(a.text_content())) for a in links)
        if linked > LINKED * len(letters(block.text_content())):
            block.tag = _LINKS
    return tree_parts(tree, _PAGE)


def with_structure(found: Sequence[Part], page: Sequence[Part]) -> list[Part]:
    """Return the blocks of a main text with what of the page belongs to them.

    Args:
        found: the main text's blocks.
        page: all blocks of the page.

    Returns:
        ``found`` itself where the page's blocks are others.
    """
    places = _shared(found, page)
    if sum(len(letters(found[at].text)) for at in places.values()) < LEAST_SHARED * sum(
        len(letters(part.text)) for part in found
    ):
        return list(found)
    first, last = min(places), max(places)
    keep = [i in places for i in range(last + 1)]
    for i in range(first + 1, last):
        heads = page[i].kind == "heading"
        keep[i] |= heads or (page[i].kind in _BELOW and keep[i - 1])
    for i in range(last - 1, -1, -1):
        links = page[i + 1].kind == "boilerplate"
        if page[i].kind == "heading" and (links or i not in places):
            keep[i] = keep[i + 1]
    return [
        found[places[i]]
        if page[i].kind == "boilerplate" and _is_item(found, places[i])
        else page[i]
        for i in range(last + 1)
        if keep[i]
    ]


def _is_item(found: Sequence[Part], at: int) -> bool:
    return found[at].kind in _BELOW


def _shared(found: Sequence[Part], page: Sequence[Part]) -> dict[int, int]:
    """Return which blocks of a page were found, as many as are in the same order in both.

    Of a block that stands in both several times, the first is the first.
    """
    wanted = {key: i for i, key in enumerate(_numbered(found))}
    pairs = [(i, wanted[key]) for i, key in enumerate(_numbered(page)) if key in wanted]
    ends: list[int] = []  # the least place at which a row of n + 1 ends
    rows: list[tuple[int, int]] = []  # each pair's row length, and its place
    for _, at in pairs:
        length = bisect_left(ends, at)
        ends[length : length + 1] = [at]
        rows.append((length, at))
    places: dict[int, int] = {}
    length, bound = len(ends) - 1, len(found)
    for (i, at), (own, _) in zip(reversed(pairs), reversed(rows), strict=True):
        if own == length and at < bound:
            places[i] = at
            length, bound = length - 1, at
    return places


def _numbered(parts: Sequence[Part]) -> list[tuple[str, int]]:
    """Return each block's letters, with how many the same have stood before."""
    seen = Counter[str]()
    keys = []
    for part in parts:
        key = letters(part.text)
        keys.append((key, seen[key]))
        seen[key] += 1
    return keys


def letters(text: str) -> str:
    """Return a text without white space."""
    return re.sub(r"\s+", "", text)
