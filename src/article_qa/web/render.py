"""Articles and answers as safe HTML, and as text for the clipboard.

Everything that comes from an article, a question or a model passes through ``escape``; nothing is
read as Markdown, LaTeX or HTML. The rendered article keeps every character: the ``textContent`` of
its element equals ``Article.text``, so the page marks a citation from its offsets alone.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from article_qa.answering.citations import PERHAPS
from article_qa.answering.extractive import CAN_ASK
from article_qa.language.facts import STOP_WORDS
from article_qa.reading.forms import is_item
from article_qa.types import Answer, Article, Block, BlockKind, Citation
from article_qa.web.words import Words, words_in

CONFIDENCE = ((0.8, "well supported", "high"), (0.6, "likely", "fair"), (0.0, "check", "low"))
"""Lowest calibrated probability for each wording, its word and the CSS class of its dot. Of answers
called 'well supported' at least four in five are right; below three in five the reader should
look."""

HARD_WRAP = 45
"""Lines at least this long (all but a block's last) were broken by an editor's margin, not by the
writer: such a block is reflowed, any other keeps its line breaks (verse, lists, addresses)."""

JUDGED = 20_000
"""Characters from which an article's language and direction are known."""

LONGEST_TIED = 30
"""A longer word is not tied to its chip: the two would not fit on a phone's line."""

_TAGS: Mapping[BlockKind, str] = {"headline": "h2", "quote": "blockquote", "code": "div"}
_MARKER = re.compile(r"\s*\[(\d+)\]")
_UNSAFE = re.compile("[\x00\ud800-\udfff]")


def escape(text: str) -> str:
    """Return ``text`` as HTML that shows exactly it, in content and in attribute values.

    A carriage return becomes a reference, since an HTML parser would turn it into a newline; a NUL
    or a lone surrogate, which HTML cannot carry, becomes U+FFFD: one character for one, so offsets
    hold.
    """
    return html.escape(_UNSAFE.sub("\ufffd", text)).replace("\r", "&#13;")


def article_html(article: Article) -> str:
    """Return the article typeset: one element per block, the white space between them kept.

    The result's text content equals ``article.text``.
    """
    parts: list[str] = []
    at = 0
    for block in sorted(article.blocks, key=lambda b: b.span):
        parts.append(_loose(article.text[at : block.span.start]))
        parts.append(_block(article, block))
        at = block.span.end
    parts.append(_loose(article.text[at:]))
    return "".join(parts)


def language_of(article: Article) -> tuple[str, str]:
    """Return an article's language ('en', or '' where it is another) and its direction.

    In English one word in four or more is a function word; the direction is that of most letters.
    """
    text = article.text[:JUDGED]
    words = [word.strip('.,;:!?"“”()').lower() for word in text.split()]
    english = 4 * sum(word in STOP_WORDS for word in words) >= len(words) > 0
    sides = Counter(unicodedata.bidirectional(c) for c in text)
    return "en" if english else "", "rtl" if sides["R"] + sides["AL"] > sides["L"] else "ltr"


def _with_pages(article: Article, start: int, end: int) -> Iterator[str]:
    """Yield a stretch of text, with a mark that holds no text where a page begins."""
    first = bisect_left(article.pages, (start, 0))
    stop = bisect_left(article.pages, (end, 0))
    for offset, page in article.pages[first:stop]:
        yield escape(article.text[start:offset])
        yield f'<span class="begins" data-page="{page}"></span>'
        start = offset
    yield escape(article.text[start:end])


def _block(article: Article, block: Block) -> str:
    """Return a block as what it is: a heading by its level, an item by its depth, a row in cells.

    Items, rows and code look like what they are by their class alone: a ``table`` would throw out
    the white space between its cells, and ``pre`` a newline at its beginning.
    """
    words = article.text[block.span.start : block.span.end]
    tag = _TAGS.get(block.kind, "p")
    if block.kind == "heading":
        tag = f"h{min(6, max(3, block.level + 1))}"
    lines = words.split("\n")
    css: str = block.kind
    if len(lines) > 1 and any(len(s) < HARD_WRAP for s in lines[:-1]):
        css += " lines"
    if block.kind == "list" and not is_item(words):
        css += " bulleted"  # it has no mark of its own
    if block.level > 1 and block.kind == "list":
        css += f" deep-{min(block.level, 4)}"
    inner = "".join(_with_pages(article, block.span.start, block.span.end))
    if block.kind == "table" and "\t" in words:
        inner = "\t".join(f'<span class="cell">{escape(c)}</span>' for c in words.split("\t"))
    return f'<{tag} class="{css}" dir="auto">{inner}</{tag}>'


def _loose(text: str) -> str:
    """Return what lies between blocks; words there, if any, as a paragraph of their own."""
    words = escape(text)
    return f'<p class="paragraph lines" dir="auto">{words}</p>' if text.strip() else words


def pieces(answer: Answer) -> list[str | int]:
    """Return ``answer.text`` as text and citation numbers, in order; without 'Perhaps: '.

    ``answer.text`` is ``answer.plain`` with markers put in. The two are read side by side, so a
    ``[1]`` that the article itself contains stays text.
    """
    numbers = {citation.number for citation in answer.citations}
    found: list[str | int] = []
    words: list[str] = []
    j = 0
    i = len(PERHAPS) if answer.status == "unsure" else 0
    while i < len(answer.text):
        if j < len(answer.plain) and answer.text[i] == answer.plain[j]:
            words.append(answer.text[i])
            i, j = i + 1, j + 1
            continue
        marker = _MARKER.match(answer.text, i)
        if marker and int(marker[1]) in numbers:
            said = "".join(words).rstrip(" ")
            found += [said, int(marker[1])] if said else [int(marker[1])]
            words = []
            i = marker.end()
        else:
            words.append(answer.text[i])
            i += 1
    return [*found, "".join(words)] if words else found


def answer_html(
    answer: Answer,
    titles: Mapping[str, str],
    *,
    rateable: bool = True,
    words: Words | None = None,
) -> str:
    """Return an answer, or a refusal, with its citations.

    Args:
        answer: what to show.
        titles: article id -> headline, for naming the article where there are several.
        rateable: offer thumbs up and down.
        words: the interface's; None for English.
    """
    words = words or words_in("en")
    parts = []
    if answer.understood_as:
        parts.append(
            f'<p class="understood">{words["understood"]} {escape(answer.understood_as)} '
            f'<button type="button" class="plain" data-do="alone">{words["as typed"]}</button></p>'
        )
    if answer.refused:
        parts.append(_refusal(answer, titles, words))
    else:
        if answer.status == "unsure":
            parts.append(f'<p class="perhaps">{words["perhaps"]}</p>')
        parts.append(_told(answer, words))
        whole = answer.status == "answered" and all(
            not c.focus and c.quote in answer.plain for c in answer.citations
        )
        css = "quotes said-whole" if whole and len(titles) < 2 else "quotes"
        parts.append(_quotes(answer.citations, titles, css, words["citations"], words))
        if answer.status == "unsure" and rateable:
            parts.append(_verdict(words))
    if answer.notice:
        parts.append(f'<p class="notice">{escape(answer.notice)}</p>')
    parts.append(_foot(answer, rateable, words))
    return "".join(parts)


def _verdict(words: Words) -> str:
    """Return what stands under an answer that is not sure: one press says whether it is right."""
    presses = "".join(
        f'<button type="button" class="quiet" data-do="rate" data-verdict="{verdict}" '
        f'aria-pressed="false">{words[key]}</button>'
        for verdict, key in (("up", "yes"), ("down", "no"))
    )
    label = words["answers it?"]
    return f'<p class="verdict" role="group" aria-label="{label}">{presses}</p>'


def _told(answer: Answer, words: Words) -> str:
    """Return the answer's words; statements on lines of their own, as key points are, as a list."""
    lines: list[list[str | int]] = [[]]
    for piece in pieces(answer):
        first, *rest = piece.split("\n") if isinstance(piece, str) else [piece]
        lines[-1].append(first)
        lines += [[line] for line in rest]
    cited = [line for line in lines if any(isinstance(piece, int) for piece in line)]
    if len(lines) == 1 or len(cited) < len(lines):
        return f'<p class="said" dir="auto">{_said(pieces(answer), answer, words)}</p>'
    items = "".join(f'<li dir="auto">{_said(line, answer, words)}</li>' for line in lines)
    return f'<ul class="said points">{items}</ul>'


def _said(said: Sequence[str | int], answer: Answer, words: Words) -> str:
    """Return words with a chip for each marker, never on a line without its word."""
    by_number = {citation.number: citation for citation in answer.citations}
    parts: list[str] = []
    text = ""
    for piece in said:
        if isinstance(piece, str):
            text = piece
            continue
        cut = max(text.rfind(" "), text.rfind("\n")) + 1
        if len(text) - cut > LONGEST_TIED:
            cut = len(text)
        head, last = text[:cut], text[cut:]
        chip = _chip(by_number[piece], words)
        parts.append(f'{escape(head)}<span class="tied">{escape(last)}{chip}</span>')
        text = ""
    return "".join([*parts, escape(text)])


def _chip(citation: Citation, words: Words) -> str:
    name = words["citation"].format(citation.number)
    return (
        f'<button type="button" class="chip" data-do="cite" data-n="{citation.number}" '
        f'data-tip="{escape(citation.quote)}" aria-label="{name}" '
        f'aria-description="{escape(citation.quote)}">'
        f"{citation.number}</button>"
    )


def _refusal(answer: Answer, titles: Mapping[str, str], words: Words) -> str:
    reason = answer.reason or ""
    if answer.status == "invalid":
        return f'<p class="said unsaid">{escape(reason)}</p>'
    parts = [f'<p class="said unsaid">{words["does not say"]}</p>']
    if reason and reason.rstrip(". ").casefold() != "the article does not say":
        parts.append(f'<p class="reason">{escape(reason)}</p>')
    if answer.nearest:
        parts.append(f'<p class="label">{words["nearest"]}</p>')
        parts.append(_quotes(answer.nearest, titles, "quotes near", words["nearest"], words))
    if CAN_ASK not in reason:
        parts.append(f'<p class="reason">{CAN_ASK}</p>')
    return "".join(parts)


def _quotes(
    citations: Sequence[Citation], titles: Mapping[str, str], css: str, label: str, words: Words
) -> str:
    """Return quotes as a list of buttons that lead to their place, their data beside them."""
    if not citations:
        return ""
    several = len(titles) > 1
    rows = "".join(
        f'<li><button type="button" class="quote" data-do="cite" data-n="{c.number}">'
        f'<span class="n">{c.number}</span><span class="q" dir="auto">{_emphasised(c)}</span>'
        + _source(c, titles.get(c.article_id, "") if several else "", words)
        + "</button></li>"
        for c in citations
    )
    data = escape(json.dumps([c.to_dict() for c in citations], ensure_ascii=False))
    return f'<ol class="{css}" aria-label="{label}" data-citations="{data}">{rows}</ol>'


def _source(citation: Citation, title: str, words: Words) -> str:
    """Return where a quote stands: its article where there are several, its page, or metadata."""
    told = [title] if title else []
    if citation.page is not None:
        told.append(words["page"].format(citation.page))
    if citation.kind == "metadata":
        told.append(words["metadata"])
    return f'<span class="from">{escape(", ".join(told))}</span>' if told else ""


def _emphasised(citation: Citation) -> str:
    """Return the quote with the answer's own words emphasised."""
    parts = []
    at = citation.start
    for span in sorted(citation.focus):
        start, end = max(span.start, at), min(span.end, citation.end)
        if start >= end:
            continue
        parts.append(escape(citation.quote[at - citation.start : start - citation.start]))
        words = citation.quote[start - citation.start : end - citation.start]
        parts.append(f"<b>{escape(words)}</b>")
        at = end
    parts.append(escape(citation.quote[at - citation.start :]))
    return "".join(parts)


def _foot(answer: Answer, rateable: bool, words: Words) -> str:
    parts = []
    if not answer.refused:
        key, css = next((key, css) for least, key, css in CONFIDENCE if answer.confidence >= least)
        tip = words["right with"].format(f"{answer.confidence:.0%}", f"{answer.seconds:.2f}")
        parts.append(
            f'<button type="button" class="trust {css}" data-tip="{tip}" '
            f'aria-label="{words[key]}. {tip}">{words[key]}</button>'
        )
    parts.append('<span class="gap"></span>')
    parts.append(_tool("copy", "copy", words["copy"]))
    if rateable:  # a visitor's own article is nobody else's: no link to it either
        parts.append(_tool("link", "link", words["link"]))
    if rateable and answer.status != "unsure":
        parts.append(_tool("rate", "up", words["good"], 'data-verdict="up" aria-pressed="false"'))
        parts.append(
            _tool("rate", "down", words["bad"], 'data-verdict="down" aria-pressed="false"')
        )
    return f'<div class="foot">{"".join(parts)}</div>'


def _tool(do: str, icon: str, label: str, more: str = "") -> str:
    return (
        f'<button type="button" class="icon" data-do="{do}" data-tip="{label}" '
        f'aria-label="{label}" {more}>'
        f'<svg class="i" aria-hidden="true"><use href="#i-{icon}"/></svg></button>'
    )


def answer_text(answer: Answer, titles: Mapping[str, str]) -> str:
    """Return an answer with its citations as plain text, for the clipboard."""
    lines = [answer.question, ""]
    if answer.refused:
        lines.append(answer.plain)
    else:
        lines.append(answer.text)
        lines.append("")
        lines += [f"[{c.number}] {c.quote} ({_place(c, titles)})" for c in answer.citations]
    return "\n".join(lines)


def _place(citation: Citation, titles: Mapping[str, str]) -> str:
    title = titles.get(citation.article_id, citation.article_id)
    page = "" if citation.page is None else f", p. {citation.page}"
    return f"{title}{page}, characters {citation.start} to {citation.end}"
