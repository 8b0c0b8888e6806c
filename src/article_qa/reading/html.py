"""A web page -> parts: the article's own blocks, found among menus, scripts and comments.

trafilatura finds the main text. What it leaves out and a reader needs is fetched from the page
itself: what ``main_text`` says belongs to it; the headline where it stands above the main text, and
the byline, date and standfirst between the two; and 'Related' above links. What a page's head says
about it is metadata and never text; nothing is guessed. A page in which no main text is found is
read whole, without menus and forms.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from article_qa.reading.forms import is_byline, is_date, is_links_heading
from article_qa.reading.layout import Part, one_line
from article_qa.reading.main_text import letters, page_blocks, with_structure
from article_qa.reading.source import Document, Source
from article_qa.reading.tree import HTML
from article_qa.types import Metadatum

MAX_LINK_HEADINGS = 20
"""Of more headings of links than this, the first."""

MAX_FRONT_BLOCKS = 30
"""Blocks looked at between a headline and the main text: kickers, buttons, the byline."""

MAX_COMPARED = 5000
"""Of a page with more blocks than this, rows and cells counted, trafilatura's first finding is
taken; the others that it would compare take time that grows with the square of their number."""

_NOTE_MARK = re.compile(r"\[?(?:\d{1,3}|[a-z]|[*†‡]|citation needed|note \d{1,3})\]?")
_MARK_ROLES = ("doc-noteref", "doc-backlink", "noteref", "backlink")
_LINES = ("p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "time", "address", "figcaption", "div")
_SKIPPED = ("script", "style", "noscript", "template", "nav", "aside", "form", "button", "svg")


def read_html(source: Source) -> Document:
    """Read a web page.

    Raises:
        ArticleError: it is no text, or is nested deeper or has more table cells than the settings
            allow.
    """
    from trafilatura import bare_extraction

    html, notes = source.decode()
    tree = parsed_page(html.encode())
    if tree is None:
        return Document((), {}, notes)
    check_limits(tree, source)
    metadata = dict(_metadata(tree))
    drop_marks(tree)
    front, links = _front(tree), _link_headings(tree)  # before trafilatura takes the tree apart
    many = sum(1 for _ in tree.iter(*HTML.blocks, *HTML.rows, *HTML.cells, *HTML.breaks))
    page: Any = bare_extraction(
        tree, include_comments=False, with_metadata=False, fast=many > MAX_COMPARED
    )
    body = [] if page is None or page.body is None else page.body
    found = [part for element in _spaced(body) for part in _parts(element) if part.text]
    whole = parsed_page(html.encode())
    drop_marks(whole)
    blocks = page_blocks(whole)
    if len(found) < 2 and not _is_block("".join(letters(part.text) for part in found), blocks):
        parts = [
            replace(part, kind=None) if part.kind == "boilerplate" else part for part in blocks
        ]
        return Document(tuple(parts), metadata, notes)
    parts = list(_with_link_headings(with_structure(found, blocks), links))
    return Document(tuple(_with_front(parts, *front)), metadata, notes)


def _is_block(words: str, blocks: Iterable[Part]) -> bool:
    """Say whether words stand in one block; else those of several run together."""
    return bool(words) and any(words in letters(block.text) for block in blocks)


def parsed_page(html: bytes) -> Any:
    """Return the root of a page in UTF-8; None if it is nothing but white space or comments."""
    from lxml.etree import LxmlError, ParserError
    from lxml.html import HTMLParser, document_fromstring

    try:
        # As text, an encoding named in the page would be believed before the one decoded.
        return document_fromstring(html, parser=HTMLParser(encoding="utf-8"))
    except (ParserError, LxmlError, ValueError):
        return None


def _spaced(body: Any) -> Any:
    """Return a body in which what stood on lines of its own stays apart."""
    for inner in body.iter("lb", "p", "item", "list") if len(body) else ():
        inner.text = f" {inner.text or ''}"
    return body


def check_limits(tree: Any, source: Source, cells: int = 0) -> int:
    """Refuse a page that is nested too deep or has too many cells.

    Args:
        tree: the page.
        source: the file it is in.
        cells: how many cells the pages before it have.

    Returns:
        How many there are with its own.

    Raises:
        ArticleError: it is.
    """
    deepest, level = 0, [tree]
    while level:
        deepest += 1
        if deepest > source.settings.max_nesting:
            raise source.too_much("elements inside one another", deepest, "max_nesting")
        level = [child for element in level for child in element]
    cells += sum(1 for _ in tree.iter("td", "th"))
    if cells > source.settings.max_table_cells:
        raise source.too_much("table cells", cells, "max_table_cells")
    return cells


def drop_marks(tree: Any) -> None:
    """Take the marks that lead somewhere out of the text.

    To a note and back: they say so by their role (in a book: type), or are a raised '[1]' that is a
    link. To the place where they stand: a '¶' that is a link. To a heading's source: '[edit]'.
    """
    for mark in list(tree.iter("sup", "a")):
        if _is_note_mark(mark) or _is_place_mark(mark):
            mark.drop_tree()
    for heading in tree.iter("h1", "h2", "h3", "h4", "h5", "h6", "dt"):
        for inner in list(heading.iter("span", "a")):
            linked = inner.tag == "a" or inner.find(".//a") is not None
            if linked and re.fullmatch(r"\[[^\[\]]{1,40}\]", one_line(inner.text_content())):
                inner.drop_tree()


def _is_note_mark(mark: Any) -> bool:
    if mark.get("role", mark.get("epub:type")) in _MARK_ROLES:
        return True
    texts = [text.strip("[] ") for text in mark.itertext()]
    raised = mark.tag == "sup" and mark.find(".//a") is not None
    return raised and all(_NOTE_MARK.fullmatch(text) for text in texts if text)


def _is_place_mark(mark: Any) -> bool:
    text = mark.text_content().strip() if mark.get("href", "").startswith("#") else ""
    return 0 < len(text) <= 2 and not re.search(r"\w", text)


def _parts(element: Any, depth: int = 0) -> Iterator[Part]:
    """Yield the blocks of one element of trafilatura's TEI-like tree."""
    tag = element.tag
    if tag == "item" and element.find("list") is not None:
        yield Part(one_line(_words_before(element, "list")), "list", depth)
        for child in element:
            if child.tag == "list":
                yield from _parts(child, depth)
    elif tag in ("list", "quote", "table", "div") and len(element):
        yield Part(one_line(element.text or ""), "quote" if tag == "quote" else None)
        inside = depth + (tag == "list")
        for child in element:
            for part in _parts(child, inside):
                quoted = tag == "quote" and part.kind is None
                yield Part(part.text, "quote" if quoted else part.kind, part.level)
    elif tag == "row":
        yield Part("\t".join(one_line("".join(cell.itertext())) for cell in element), "table")
    elif tag == "head":
        level = str(element.get("rend", "h2"))[-1:]
        text = one_line("".join(element.itertext()))
        yield Part(text, "heading", int(level) if level.isdigit() else 2)
    elif tag == "item":
        yield Part(one_line("".join(element.itertext())), "list", depth)
    elif tag == "code" and "\n" in "".join(element.itertext()).strip():
        yield Part("".join(element.itertext()).expandtabs(4).strip("\n"), "code")
    else:
        kind = "quote" if tag == "quote" else None
        yield Part(one_line("".join(element.itertext())), kind)  # type: ignore[arg-type]
    if element.tail and element.tail.strip():
        yield Part(one_line(element.tail))


def _words_before(element: Any, tag: str) -> str:
    """Return an element's words without those of its children of one tag."""
    pieces = [element.text or ""]
    for child in element:
        if child.tag != tag:
            pieces.append("".join(child.itertext()))
        pieces.append(child.tail or "")
    return " ".join(pieces)


# -- The headline and what stands below it ---------------------------------------------------------


def _front(tree: Any) -> tuple[str, list[str], set[str]]:
    """Return the first ``h1``'s words, the lines that follow it, and the page's descriptions."""
    first = next(tree.iter("h1"), None)
    if first is None:
        return "", [], set()
    described = {one_line(text) for text in tree.xpath("//meta[@*='description']/@content")}
    lines = list(islice(_lines_after(first), MAX_FRONT_BLOCKS))
    return one_line(first.text_content()), lines, described


def _with_front(
    parts: list[Part], title: str, lines: list[str], described: set[str]
) -> Iterator[Part]:
    """Yield the main text with the headline, standfirst, byline and date that stand above it.

    The headline counts where the main text does not have it; of the lines below it, until the main
    text begins, those that are a byline or date by their form and what the page's description says.
    """
    texts = [part.text for part in parts]
    at = texts.index(title) + 1 if title in texts else 0
    yield from parts[:at]
    if title and not at:
        yield Part(title, "headline", 1)
    front = set()
    for text in dict.fromkeys(lines):
        if is_byline(text) or is_date(text) or text in described:
            yield Part(text, "standfirst" if text in described else None)
            front.add(text)
        elif text in texts:
            break
    yield from (part for part in parts[at:] if part.text not in front)


def _lines_after(first: Any) -> Iterator[str]:
    """Yield the lines that follow an element, each innermost block's words once."""
    for element in _after(first):
        if element.tag in _LINES or (element.tag == "span" and element.get("class")):
            if any(child.tag in _LINES for child in element.iter() if child is not element):
                continue
            text = one_line(element.text_content())
            if text and len(text) < 400:
                yield text


def _after(first: Any) -> Iterator[Any]:
    """Yield the elements after one in document order, skipping menus, scripts and forms."""
    while first is not None:
        for sibling in first.itersiblings():
            for element in sibling.iter("*"):
                if all(e.tag not in _SKIPPED for e in (element, *element.iterancestors())):
                    yield element
        first = first.getparent()


def _link_headings(tree: Any) -> dict[str, str]:
    """Return the headings of links to other articles, each by the words of the first link."""
    lines = ((e, one_line(e.text_content())) for e in tree.iter("p", "strong", *_LINES[1:7]))
    headings = islice(((e, text) for e, text in lines if is_links_heading(text)), MAX_LINK_HEADINGS)
    return {next(_lines_after(element), ""): text for element, text in headings}


def _with_link_headings(parts: Iterable[Part], headings: dict[str, str]) -> Iterator[Part]:
    """Yield the parts and, where the main text has links without their heading, the heading."""
    above = ""
    for part in parts:
        heading = headings.pop(part.text, above)
        if heading != above:
            yield Part(heading)
        yield part
        above = part.text


# -- Metadata --------------------------------------------------------------------------------------

_META = {
    "og:title": "title",
    "author": "author",
    "article:author": "author",
    "article:published_time": "published",
    "date": "published",
    "dc.date": "published",
    "article:modified_time": "modified",
    "og:site_name": "site",
    "description": "description",
    "og:description": "description",
}
_JSON_LD = {
    "headline": "title",
    "author": "author",
    "datePublished": "published",
    "dateModified": "modified",
    "publisher": "site",
    "description": "description",
}
MAX_VALUE = 500
"""Characters of a value kept; a longer 'title' is none."""


def _metadata(tree: Any) -> Iterator[tuple[str, Metadatum]]:
    """Yield what a page's head says about it; where two places do, JSON-LD comes last and counts.

    The name that ``<title>`` gives is the least certain: it has the site's name in it as a rule.
    """
    title = tree.findtext(".//title")
    if title and title.strip():
        yield "title", Metadatum(one_line(title)[:MAX_VALUE], "meta")
    for meta in tree.iter("meta"):
        name = _META.get((meta.get("property") or meta.get("name") or "").lower())
        value = one_line(meta.get("content") or "")
        if name and value and not value.startswith("http"):
            yield name, Metadatum(value[:MAX_VALUE], "meta")
    for script in tree.iterfind(".//script[@type='application/ld+json']"):
        try:
            data = json.loads(script.text or "")
        except (ValueError, RecursionError):
            continue
        for node in _nodes(data):
            for key, name in _JSON_LD.items():
                value = _value(node.get(key))
                if value:
                    yield name, Metadatum(value[:MAX_VALUE], "json-ld")


def _nodes(data: Any) -> Iterator[dict[str, Any]]:
    """Yield the articles among the nodes of a JSON-LD script."""
    graph = data.get("@graph", [data]) if isinstance(data, dict) else data
    for node in graph if isinstance(graph, list) else [graph]:
        if isinstance(node, dict) and re.search("Article|Posting|Report", str(node.get("@type"))):
            yield node


def _value(value: Any) -> str:
    """Return a JSON-LD value as text: a string, a node's name, or several of these."""
    if isinstance(value, list):
        return ", ".join(filter(None, map(_value, value[:20])))
    if isinstance(value, dict):
        value = value.get("name")
    return one_line(value) if isinstance(value, str) else ""
