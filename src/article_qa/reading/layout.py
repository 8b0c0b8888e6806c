"""Blocks of known or unknown kind -> ``Article``: the text, what each part is, its sentences.

Every format ends here. One that has no text of its own (HTML, PDF, DOCX, Markdown) hands over
``Part``s, which ``assemble`` writes out with a blank line between them; plain text is kept as it
is, and its blocks come by their spans.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import sentencex

from article_qa.errors import ArticleError
from article_qa.reading.forms import (
    MARKER,
    NUMBERED,
    TITLE_FIELD,
    ends_in_title,
    ends_like_prose,
    ends_sentence,
    is_boilerplate,
    is_heading,
    is_headline,
    is_item,
    is_labelled,
    is_links_heading,
    is_masthead,
    is_note,
    is_row,
    own_kind,
    section_kind,
)
from article_qa.types import PROSE, Article, Block, BlockKind, Metadatum, Span

MAX_SENTENCE_CHARS = 1500
"""A longer 'sentence' (about 250 words) is a list or a text without full stops: it is cut between
words, so that no quotation and no passage is enormous."""

WINDOW = 5000
"""Characters given to the splitter at once: three times the longest sentence that is kept whole."""

TITLE_WORDS = 12
"""Words of the text that stand for the title where there is no headline."""

MAX_LINK_WORDS = 15
"""A line under 'Related' with more words is no link any more."""


@dataclass(frozen=True, slots=True)
class Part:
    """A block on its way into an article.

    Args:
        text: its reading text; white space at its ends is dropped.
        kind: what the file says it is; None to have it recognised by its form and place.
        level: a heading's rank or an item's depth, from 1.
        pages: pairs (offset in ``text``, page), for a file with pages.
    """

    text: str
    kind: BlockKind | None = None
    level: int = 0
    pages: tuple[tuple[int, int], ...] = ()


def one_line(text: str) -> str:
    """Return a text with every run of white space made one blank."""
    return " ".join(text.split())


def assemble(
    parts: Iterable[Part],
    *,
    id: str,
    source: str | None = None,
    notes: Sequence[str] = (),
    metadata: Mapping[str, Metadatum] | None = None,
) -> Article:
    """Write an article out of its parts, a blank line between them (items and rows: a newline).

    Args:
        parts: in reading order; those without text are passed over.
        id: what citations call the article.
        source: where it was read from, if anywhere.
        notes: what was assumed while reading it.
        metadata: what the file says about itself outside its text.

    Raises:
        ArticleError: no part has any text.
    """
    kept = [_trimmed(part) for part in parts if part.text.strip()]
    pieces: list[str] = []
    spans: list[Span] = []
    pages: list[tuple[int, int]] = []
    end = 0
    for i, part in enumerate(kept):
        if i:
            close = part.kind in ("list", "table") and kept[i - 1].kind == part.kind
            pieces.append("\n" if close else "\n\n")
            end += len(pieces[-1])
        pages += [(end + offset, page) for offset, page in part.pages]
        spans.append(Span(end, end + len(part.text)))
        pieces.append(part.text)
        end += len(part.text)
    text, notes = without_surrogates("".join(pieces), notes)
    return make_article(
        text,
        spans,
        [part.kind for part in kept],
        [part.level for part in kept],
        id=id,
        source=source,
        notes=notes,
        metadata=metadata or {},
        pages=[page for i, page in enumerate(pages) if not i or pages[i - 1][1] != page[1]],
    )


def _trimmed(part: Part) -> Part:
    text = part.text.rstrip()
    left = len(text) - len(text.lstrip())
    if not left:
        return replace(part, text=text)
    pages = tuple((max(0, offset - left), page) for offset, page in part.pages)
    return replace(part, text=text[left:], pages=pages)


def make_article(
    text: str,
    spans: Sequence[Span],
    kinds: Sequence[BlockKind | None],
    levels: Sequence[int],
    *,
    id: str,
    source: str | None = None,
    notes: Sequence[str] = (),
    metadata: Mapping[str, Metadatum] | None = None,
    pages: Sequence[tuple[int, int]] = (),
    typed: bool = False,
) -> Article:
    """Make an article of a text and its blocks' spans.

    Args:
        text: the article's text.
        spans: its blocks, in order; only white space lies between them.
        kinds: what each block is; None to have it recognised.
        levels: each block's level.
        id: what citations call the article.
        source: where it was read from, if anywhere.
        notes: what was assumed while reading it.
        metadata: what the file says about itself outside its text.
        pages: pairs (offset, page).
        typed: the text is as somebody typed it, with the marks of Markdown and bullets, which no
            sentence includes.

    Raises:
        ArticleError: there is no block.
    """
    if not spans:
        raise ArticleError(f"The article {id!r} is empty: expected text. Give it some words.")
    known = recognise([text[span.start : span.end] for span in spans], kinds)
    blocks = tuple(
        Block(kind, span, _sentences(text, span, kind, typed), level)
        for kind, span, level in zip(known, spans, levels, strict=True)
    )
    named = metadata.get("title") if metadata else None
    title = _title(text, blocks, named.value if named else None)
    return Article(id, title, text, blocks, source, tuple(notes), metadata or {}, tuple(pages))


_SURROGATE = re.compile("[\ud800-\udfff]")


def without_surrogates(text: str, notes: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Replace halves of surrogate pairs, which no encoder accepts, by U+FFFD, and note it."""
    whole = _SURROGATE.sub("\ufffd", text)
    changed = whole != text
    return whole, (*notes, "unpaired surrogates replaced by U+FFFD") if changed else tuple(notes)


# -- What each block is ----------------------------------------------------------------------------


def recognise(texts: Sequence[str], given: Sequence[BlockKind | None]) -> list[BlockKind]:
    """Say what each block is: what the file says, and else its form, its place, its section.

    Args:
        texts: the blocks' texts, in reading order.
        given: what the file says each is; None where it says nothing.
    """
    kinds = [_kind(text, kind) for text, kind in zip(texts, given, strict=True)]
    _find_rows(texts, kinds)
    _find_headline(texts, kinds, given)
    _find_standfirst(texts, kinds)
    _find_headings(texts, kinds, given)
    _find_sections(texts, kinds)
    return kinds


def _kind(text: str, given: BlockKind | None) -> BlockKind:
    if given in ("list", "quote") and len(text) <= 1200 and is_boilerplate(text):
        return "boilerplate"
    if given is not None:
        return given
    kind = own_kind(text)
    return "list" if kind == "paragraph" and is_item(text) else kind


def _find_rows(texts: Sequence[str], kinds: list[BlockKind]) -> None:
    """Mark as a table's rows what is set as rows, two or more in a run."""
    rows = [kind == "paragraph" and is_row(text) for kind, text in zip(kinds, texts, strict=True)]
    for i, row in enumerate(rows):
        if row and (rows[i - 1 : i] == [True] or rows[i + 1 : i + 2] == [True]):
            kinds[i] = "table"


def _find_headline(
    texts: Sequence[str], kinds: list[BlockKind], given: Sequence[BlockKind | None]
) -> None:
    """Mark the headline: the first block that is no front matter, if it has a headline's form.

    A kicker or masthead above it ('Science', 'TOWN COUNCIL', 'Newsletter, issue 7') is a heading.
    A text that is one block, or that begins with a full sentence or with what its file says is a
    paragraph, has no headline.
    """
    content = [
        i
        for i, kind in enumerate(kinds)
        if kind in ("paragraph", "heading") and not (i < 5 and " | " in texts[i])
    ]
    if len(content) < 2 or "headline" in kinds:
        return
    for i, following in pairwise(content):
        if kinds[i] == "heading":
            kinds[i] = "headline"
            return
        if given[i] == "paragraph" or not is_headline(texts[i]):
            return
        above = following - i <= 2 and following != content[-1] and is_headline(texts[following])
        named = any(text.startswith(f"{texts[i]} ") for text in texts)  # 'Rome' / 'Rome is ...'
        masthead = above and not named and is_masthead(texts[i], texts[following])
        kinds[i] = "heading" if masthead else "headline"
        if kinds[i] == "headline":
            return


def _find_standfirst(texts: Sequence[str], kinds: list[BlockKind]) -> None:
    """Mark the standfirst: what stands between headline and byline or date.

    Where neither follows, it is a line right under the headline of six words or more that does not
    end like a sentence.
    """
    if "headline" not in kinds:
        return
    first = kinds.index("headline") + 1
    front = range(first, min(first + 6, len(kinds)))
    credits = [i for i in front if kinds[i] in ("byline", "date")]
    between = range(first, credits[0]) if credits else range(first, min(first + 1, len(kinds)))
    paragraphs = [i for i in between if kinds[i] == "paragraph"]
    if not any(kind == "paragraph" for kind in kinds[between.stop :]):
        return
    for i in paragraphs[:2]:
        words = len(texts[i].split())
        if words <= 80 and (credits or (words >= 6 and not ends_sentence(texts[i]))):
            kinds[i] = "standfirst"


def _find_headings(
    texts: Sequence[str], kinds: list[BlockKind], given: Sequence[BlockKind | None]
) -> None:
    """Mark as headings the lines that look so and stand above running text.

    Of three or more in a row the first alone is one: the others are a list, or a table of fields.
    """
    run = 0
    for i, text in enumerate(texts):
        free = given[i] is None and kinds[i] in ("paragraph", "list")
        above = kinds[i + 1 : i + 2]
        if free and above and above[0] in PROSE and _heads(texts, i) and is_heading(_bare(text)):
            kinds[i] = "heading"
            run += 1
            continue
        for j in range(i - run + 1, i) if run > 2 else ():
            heads_prose = j == i - 1 and not _is_link(text)
            if not heads_prose and not section_kind(texts[j]):
                kinds[j] = "paragraph"
        run = 0


def _heads(texts: Sequence[str], i: int) -> bool:
    """Say whether a block may head what follows: not one of a run of items, fields or turns."""

    def depth(text: str) -> int | None:
        number = NUMBERED.match(text)
        return number[1].count(".") if number else None

    neighbours = (*texts[max(0, i - 1) : i], *texts[i + 1 : i + 2])
    if is_labelled(texts[i]):
        return not any(is_labelled(text) for text in neighbours)
    own = depth(texts[i])
    return own is None or all(depth(text) != own for text in neighbours)


def _bare(text: str) -> str:
    """Return a block without the number of a numbered heading."""
    number = NUMBERED.match(text)
    return text[number.end() - 1 :] if number else text


def _find_sections(texts: Sequence[str], kinds: list[BlockKind]) -> None:
    """Mark what stands under 'References', 'Notes' and 'Related' as what these sections hold.

    Where the first entry of a list of notes or works is marked ('[1]', '3.', 'a.'), so are all.
    Links to other articles end with the first block that is too long for one, or a sentence.
    """
    section: BlockKind | None = None
    marked = links = False
    for i, text in enumerate(texts):
        following = texts[i + 1] if i + 1 < len(texts) else ""
        named = section_kind(text) if len(text) < 60 else None
        ends = kinds[i] in ("heading", "headline") and not (links and _is_link(following))
        if ends or (named and kinds[i] != "reference"):
            section, links, marked = named, is_links_heading(text), is_note(following)
        elif links and not _is_link(text):
            section, links = None, False
        elif section and (kinds[i] in ("paragraph", "list") or (links and kinds[i] == "heading")):
            kinds[i] = section if links or is_note(text) or not marked else kinds[i]


def _is_link(text: str) -> bool:
    """Say whether a block may be the title of another article."""
    return len(text.split()) <= MAX_LINK_WORDS and not ends_like_prose(text)


# -- Sentences and title ---------------------------------------------------------------------------


_SPLIT: frozenset[BlockKind] = frozenset(
    {"paragraph", "list", "quote", "standfirst", "caption", "footnote", "boilerplate"}
)


def _sentences(text: str, span: Span, kind: BlockKind, typed: bool) -> tuple[Span, ...]:
    """Return a block's sentences: trimmed, in order, not overlapping.

    Every character is in one of them but for white space and the marks around the block (a bullet,
    ``#``, ``>``, the stars of a block all in italics, 'title:'), which no one would quote.

    Headlines, headings, bylines, dates, rows and works cited are one sentence each; of code each
    line is one. The splitter is Wikimedia's
    sentencex: it carries offsets, knows abbreviations and quotations, and splits 14 MB/s where
    syntok split 0.8; of the splitters tried it alone kept 'Gov. Lee' and 'Lt. Gen. Doe' whole.
    """
    start, end = _unmarked(text, span, kind) if typed else (span.start, span.end)
    if kind == "code":
        cuts = [start, *(m.end() for m in re.finditer(r"\n", text[start:end]))]
        cuts = [start, *(start + cut for cut in cuts[1:])]
    elif kind not in _SPLIT:
        cuts = [start]
    else:
        # It takes 'Ms.' for the end of a sentence; a title never is one.
        # It takes a dot inside a word for one, too: 'typer.Typer'.
        marks = (m for m in _boundaries(text, start, end) if text[m - 1] != ".")
        cuts = sorted({start, *(m for m in marks if not ends_in_title(text, start, m))})
    sentences: list[Span] = []
    for left, right in zip(cuts, [*cuts[1:], end], strict=True):
        for piece in _pieces(text, left, right):
            if sentences and (_is_scrap(text, piece) or _is_scrap(text, sentences[-1])):
                sentences[-1] = Span(sentences[-1].start, piece.end)
            else:
                sentences.append(piece)
    return tuple(sentences)


def _boundaries(text: str, start: int, end: int) -> Iterator[int]:
    """Yield where sentences begin, ``WINDOW`` characters at a time.

    The last sentence of a window may go on: the next window begins with it. The splitter's time
    grows with the square of the text's length.
    """
    while end - start > WINDOW:
        found = sentencex.get_sentence_boundaries("en", text[start : start + WINDOW])
        marks = [start + int(boundary["start_index"]) for boundary in found]
        yield from marks
        if marks[-1] > start:
            start = marks[-1]
        else:  # no sentence is that long: go on behind its last blank
            blank = text.rfind(" ", start, start + WINDOW)
            start = blank + 1 if blank > start else start + WINDOW
    found = sentencex.get_sentence_boundaries("en", text[start:end])
    yield from (start + int(boundary["start_index"]) for boundary in found)


_EMPHASIS = re.compile(r"([*_]{1,3})(?=[^\s*_])[^*_]*[^\s*_]\1")


def _unmarked(text: str, span: Span, kind: BlockKind) -> tuple[int, int]:
    """Return where a block begins and ends without the Markdown marks around it."""
    field = TITLE_FIELD.fullmatch(text, span.start, span.end) if kind == "headline" else None
    if field:
        return field.span(1)
    marker = MARKER.match(text, span.start, span.end)
    start, end = (marker.end() if marker else span.start), span.end
    emphasis = _EMPHASIS.fullmatch(text, start, end)
    if emphasis:
        start, end = start + len(emphasis[1]), end - len(emphasis[1])
    return start, end


def _is_scrap(text: str, span: Span) -> bool:
    """Say whether a 'sentence' is only a quotation mark, or the number of a list's item."""
    if len(span) > 4:
        return False
    scrap = text[span.start : span.end]
    return not any(map(str.isalnum, scrap)) or bool(re.fullmatch(r"\d{1,3}[.)]", scrap))


_PIECE = re.compile(rf"\S.{{0,{MAX_SENTENCE_CHARS - 1}}}(?!\S)|\S{{1,{MAX_SENTENCE_CHARS}}}", re.S)


def _pieces(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield ``text[start:end]`` trimmed, in pieces of at most ``MAX_SENTENCE_CHARS`` characters."""
    body = text[start:end]
    start += len(body) - len(body.lstrip())
    body = body.strip()
    if len(body) <= MAX_SENTENCE_CHARS:
        if body:
            yield Span(start, start + len(body))
        return
    for match in _PIECE.finditer(body):
        yield Span(start + match.start(), start + match.start() + len(match[0].rstrip()))


def _title(text: str, blocks: Sequence[Block], named: str | None) -> str:
    """Return the headline, else what the metadata call it, else the first block's first words.

    The metadata count more than the first of several headings of one level: a book's chapter.
    """
    chosen = next((b for b in blocks if b.kind == "headline"), None)
    chapters = {b.level for b in blocks if b.kind == "heading" and b.level}
    if chosen is not None and not (named and chosen.level in chapters):
        return one_line(text[chosen.sentences[0].start : chosen.sentences[-1].end])
    if named:
        return one_line(named)
    content = (b for b in blocks if b.kind not in ("boilerplate", "date", "byline"))
    opening = next(content, blocks[0]).sentences[0]
    first = one_line(text[opening.start : opening.end][:400]).split(" ")
    return " ".join(first[:TITLE_WORDS]) + ("…" if len(first) > TITLE_WORDS else "")
