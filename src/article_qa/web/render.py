"""Articles, answers and conversations as safe HTML, Markdown and JSON.

Everything that comes from an article, a question or a model passes through ``escape``; nothing is
read as Markdown, LaTeX or HTML. The rendered article keeps every character: the ``textContent`` of
its element equals ``Article.text``, so the page marks a citation from its offsets alone.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from article_qa.answering.citations import PERHAPS
from article_qa.answering.extractive import CAN_ASK
from article_qa.reading.forms import is_item
from article_qa.types import Answer, Article, Block, BlockKind, Citation, Turn

CONFIDENCE_WORDS = (
    (0.8, "well supported", "high"),
    (0.6, "likely", "fair"),
    (0.0, "check the passage", "low"),
)
"""Lowest calibrated probability for each wording, and the CSS class of its dot. Of answers called
'well supported' at least four in five are right; below three in five the reader should look."""

NOT_SURE = "Perhaps. This is the closest passage, not a sure answer:"
"""Stands above an answer that is not sure."""

HARD_WRAP = 45
"""Lines at least this long (all but a block's last) were broken by an editor's margin, not by the
writer: such a block is reflowed, any other keeps its line breaks (verse, lists, addresses)."""

_VERDICT = (
    '<p class="verdict" role="group" aria-label="Does this answer it?">'
    '<button type="button" class="quiet" data-do="rate" data-verdict="up" aria-pressed="false">'
    "Yes, this answers it</button>"
    '<button type="button" class="quiet" data-do="rate" data-verdict="down" aria-pressed="false">'
    "No</button></p>"
)
"""Under an answer that is not sure: one press says whether it is right."""

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
        parts.append(_block(article.text, block))
        at = block.span.end
    parts.append(_loose(article.text[at:]))
    return "".join(parts)


def _block(text: str, block: Block) -> str:
    """Return a block as what it is: a heading by its level, an item by its depth, a row in cells.

    Items, rows and code look like what they are by their class alone: a ``table`` would throw out
    the white space between its cells, and ``pre`` a newline at its beginning.
    """
    words = text[block.span.start : block.span.end]
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
    inner = escape(words)
    if block.kind == "table" and "\t" in words:
        inner = "\t".join(f'<span class="cell">{escape(c)}</span>' for c in words.split("\t"))
    return f'<{tag} class="{css}" dir="auto">{inner}</{tag}>'


def _loose(text: str) -> str:
    """Return what lies between blocks; words there, if any, as a paragraph of their own."""
    words = escape(text)
    return f'<p class="paragraph lines" dir="auto">{words}</p>' if text.strip() else words


def confidence_words(confidence: float) -> str:
    """Return the calibrated probability in words."""
    return next(words for least, words, _ in CONFIDENCE_WORDS if confidence >= least)


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


def answer_html(answer: Answer, titles: Mapping[str, str], *, rateable: bool = True) -> str:
    """Return an answer, or a refusal, with its citations.

    Args:
        answer: what to show.
        titles: article id -> headline, for naming the article where there are several.
        rateable: offer thumbs up and down.
    """
    parts = []
    if answer.understood_as:
        parts.append(
            f'<p class="understood">Understood as: {escape(answer.understood_as)} '
            '<button type="button" class="plain" data-do="alone">Ask as typed</button></p>'
        )
    if answer.refused:
        parts.append(_refusal(answer, titles))
    else:
        if answer.status == "unsure":
            parts.append(f'<p class="perhaps">{NOT_SURE}</p>')
        parts.append(f'<p class="said" dir="auto">{_said(answer)}</p>')
        whole = answer.status == "answered" and all(
            not c.focus and c.quote in answer.plain for c in answer.citations
        )
        css = "quotes said-whole" if whole and len(titles) < 2 else "quotes"
        parts.append(_quotes(answer.citations, titles, css, "Citations"))
        if answer.status == "unsure" and rateable:
            parts.append(_VERDICT)
    if answer.notice:
        parts.append(f'<p class="notice">{escape(answer.notice)}</p>')
    parts.append(_foot(answer, rateable))
    return "".join(parts)


def _said(answer: Answer) -> str:
    """Return the answer's words with a chip for each marker, never on a line without its word."""
    by_number = {citation.number: citation for citation in answer.citations}
    parts: list[str] = []
    words = ""
    for piece in pieces(answer):
        if isinstance(piece, str):
            words = piece
            continue
        cut = max(words.rfind(" "), words.rfind("\n")) + 1
        if len(words) - cut > LONGEST_TIED:
            cut = len(words)
        head, last = words[:cut], words[cut:]
        chip = _chip(by_number[piece])
        parts.append(f'{escape(head)}<span class="tied">{escape(last)}{chip}</span>')
        words = ""
    return "".join([*parts, escape(words)])


def _chip(citation: Citation) -> str:
    return (
        f'<button type="button" class="chip" data-do="cite" data-n="{citation.number}" '
        f'data-tip="{escape(citation.quote)}" aria-label="Citation {citation.number}" '
        f'aria-description="{escape(citation.quote)}">'
        f"{citation.number}</button>"
    )


def _refusal(answer: Answer, titles: Mapping[str, str]) -> str:
    reason = answer.reason or ""
    if answer.status == "invalid":
        return f'<p class="said unsaid">{escape(reason)}</p>'
    parts = ['<p class="said unsaid">The article does not say.</p>']
    if reason and reason.rstrip(". ").casefold() != "the article does not say":
        parts.append(f'<p class="reason">{escape(reason)}</p>')
    if answer.nearest:
        parts.append('<p class="label">Nearest passages</p>')
        parts.append(_quotes(answer.nearest, titles, "quotes near", "Nearest passages"))
    if CAN_ASK not in reason:
        parts.append(f'<p class="reason">{CAN_ASK}</p>')
    return "".join(parts)


def _quotes(citations: Sequence[Citation], titles: Mapping[str, str], css: str, label: str) -> str:
    """Return quotes as a list of buttons that lead to their place, their data beside them."""
    if not citations:
        return ""
    several = len(titles) > 1
    rows = "".join(
        f'<li><button type="button" class="quote" data-do="cite" data-n="{c.number}">'
        f'<span class="n">{c.number}</span><span class="q" dir="auto">{_emphasised(c)}</span>'
        + _source(c, titles.get(c.article_id, "") if several else "")
        + "</button></li>"
        for c in citations
    )
    data = escape(json.dumps([c.to_dict() for c in citations], ensure_ascii=False))
    return f'<ol class="{css}" aria-label="{label}" data-citations="{data}">{rows}</ol>'


def _source(citation: Citation, title: str) -> str:
    """Return where a quote stands: its article where there are several, its page, or metadata."""
    told = [title] if title else []
    if citation.page is not None:
        told.append(f"p. {citation.page}")
    if citation.kind == "metadata":
        told.append("page metadata")
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


def _foot(answer: Answer, rateable: bool) -> str:
    parts = []
    if not answer.refused:
        words, css = next(
            (words, css) for least, words, css in CONFIDENCE_WORDS if answer.confidence >= least
        )
        tip = f"Right with a probability of {answer.confidence:.0%}"
        parts.append(
            f'<button type="button" class="trust {css}" data-tip="{tip}" '
            f'aria-label="{words}. {tip}">{words}</button>'
        )
    parts.append(f'<span class="time">{_seconds(answer.seconds)}</span><span class="gap"></span>')
    parts.append(_tool("copy", "copy", "Copy the answer with its citations"))
    if rateable:  # a visitor's own article is nobody else's: no link to it either
        parts.append(_tool("link", "link", "Copy a link to this question"))
    if rateable and answer.status != "unsure":
        parts.append(_tool("rate", "up", "Good answer", 'data-verdict="up" aria-pressed="false"'))
        parts.append(
            _tool("rate", "down", "Bad answer", 'data-verdict="down" aria-pressed="false"')
        )
    return f'<div class="foot">{"".join(parts)}</div>'


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 0.1 else f"{seconds:.2f} s"


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


def conversation_markdown(turns: Iterable[Turn], titles: Mapping[str, str]) -> str:
    """Return a conversation as Markdown; each quote is kept whole, with its offsets."""
    parts = ["# Questions and answers\n"]
    for turn in turns:
        answer = turn.answer
        parts.append(f"## {' '.join(answer.question.split())}\n")
        if answer.understood_as:
            parts.append(f"Understood as: {answer.understood_as}\n")
        if answer.refused:
            parts.append("*The article does not say.*\n")
            shown = answer.nearest
            if shown:
                parts.append("Nearest passages:\n")
        else:
            parts.append(answer.text + "\n")
            shown = answer.citations
        for c in shown:
            quote = c.quote.replace("\n", "\n> ")
            parts.append(f"> [{c.number}] {quote}\n>\n> — {_place(c, titles)}\n")
    return "\n".join(parts)


def conversation_json(turns: Iterable[Turn], articles: Iterable[Article]) -> str:
    """Return a conversation as JSON: each answer in full but for the passages considered."""
    rows: list[dict[str, Any]] = []
    for turn in turns:
        row = turn.answer.to_dict()
        del row["hits"]
        rows.append(row | {"seconds": round(turn.answer.seconds, 3)})
    about = [{"id": a.id, "title": a.title, "sha256": a.sha256} for a in articles]
    return json.dumps({"articles": about, "answers": rows}, ensure_ascii=False, indent=2) + "\n"
