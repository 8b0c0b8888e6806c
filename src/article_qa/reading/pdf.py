"""PDF -> parts: lines with their places and fonts, put together again as paragraphs.

PDFium says where each character stands and how large it is; ``lines_of`` makes printed lines of
that, and this module finds out what they were before they were printed:

- what most pages begin or end with (running heads, page numbers) is left out;
- lines in the same type, one leading apart, are one paragraph; so are lines across a column or a
  page, where the sentence has not ended; a word cut at a line's end is whole again;
- larger or bold lines are headings, the largest of the first page the headline;
- lines in a font of equally wide characters, where the text has another, are one listing of code,
  each indented as it stands;
- small type at a page's foot that begins with a mark is a footnote;
- lines whose words stand in columns, two or more in a run, are a table's rows.

The order is that of the file, which is the order of reading in what word processors, browsers and
TeX write.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from article_qa.reading.forms import (
    BULLET,
    LISTED,
    ends_in_title,
    ends_sentence,
    is_note,
    section_kind,
)
from article_qa.reading.layout import Part
from article_qa.reading.pdf_lines import Line, pages_of
from article_qa.reading.source import Document, Source
from article_qa.types import BlockKind

LARGER = 1.08
"""A heading's type is at least this much larger than the text's, unless it is bold."""
SMALLER = 0.94
"""A footnote's type is at most this size of the text's."""
SAME = 0.06
"""Sizes that differ less are the same type: fonts beside one another are scaled a little."""
NEAR = 4
"""Lines before and after one that tell how wide its column is."""
FEW = 5
"""Fewer steps than this between lines of a size tell nothing of its leading: that of the text, in
sizes, is its most."""
TIGHT = 1.2
"""The least leading, in sizes, that lines of a headline may have, however the text is set."""
CUT = 30
"""Where words are cut at line ends at all, one line in ten or so ends with a cut one; where fewer
than one in this many ends in a hyphen, it is the word's own."""
FULL = 0.7
"""A line that fills less of its column is the last of its paragraph, whatever it ends in."""
HEADING_WORDS = 25
"""A bold or large paragraph with more words is no heading."""

_HYPHENS = "-\u2010\u00ad"


@dataclass
class _Run:
    """Lines that belong together, as they stand in the file."""

    lines: list[Line] = field(default_factory=list)

    @property
    def first(self) -> Line:
        return self.lines[0]

    @property
    def last(self) -> Line:
        return self.lines[-1]


def read_pdf(source: Source) -> Document:
    """Read a PDF file.

    Raises:
        ArticleError: it is none, is damaged or locked, has too many pages, or no text.
    """
    pages, metadata = pages_of(source)
    empty = sum(not page for page in pages)
    if empty == len(pages):
        raise source.empty()
    told = f"{empty} of {len(pages)} pages have no text; what is in pictures is not read"
    notes = (told,) if empty else ()
    lines = _with_code([line for page in _without_furniture(pages) for line in page])
    return Document(tuple(_parts(lines)), metadata, notes)


# -- Running heads and page numbers ----------------------------------------------------------------


def _without_furniture(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """Return the pages without what many of them begin or end with, and bare page numbers.

    Twice, since a page's foot may have two lines; the second time only small type counts.
    """
    kept = [list(page) for page in pages]
    body = _body_size([line for page in kept for line in page])
    least = 2 if len(kept) < 4 else len(kept) / 3
    for turn in (0, 1):
        edges = Counter(edge for page in kept for edge in {_edge(page, side) for side in (0, 1)})
        for number, page in enumerate(kept, 1):
            for side in (0, 1):
                found = _edge(page, side)
                if not found or (turn and _edge_line(page, side).size > body * SMALLER):
                    continue
                repeated = len(kept) > 1 and edges[found] >= least
                if repeated or _edge_line(page, side).text.strip("-– ") == str(number):
                    page.remove(_edge_line(page, side))
    return kept


def _edge_line(page: Sequence[Line], side: int) -> Line:
    """Return a page's uppermost (0) or lowest (1) line."""
    return (min if side else max)(page, key=lambda line: line.bottom)


def _edge(page: Sequence[Line], side: int) -> tuple[int, str] | None:
    if not page:
        return None
    return side, re.sub(r"\d+|\b[ivxl]+\b", "0", _edge_line(page, side).text)


def _with_code(lines: list[Line]) -> list[Line]:
    """Return the lines, none of them of code where most of the text is set as code is.

    Nor is one that goes on with a sentence: it holds a long name. A line of code ends where it
    ends: no word of it goes on, and it is no row.
    """
    letters = sum(len(line.text) for line in lines if line.mono)
    code = 2 * letters < sum(len(line.text) for line in lines)
    known: list[Line] = []
    for line in lines:
        if line.mono and code and known and _is_name(known[-1], line):
            line = replace(line, mono=False, size=known[-1].size)
        elif line.mono:
            line = replace(
                line, mono=code, row=line.row and not code, hyphen=line.hyphen and not code
            )
        known.append(line)
    return known


def _is_name(last: Line, line: Line) -> bool:
    """Say whether a line set as code is goes on with the sentence of the line above it."""
    step = last.bottom - line.bottom
    below = last.page == line.page and 0 < step < 1.6 * last.size
    ended = ends_sentence(last.text) or last.text[-1] == ":"
    return below and not (last.mono or last.row or ended) and abs(last.left - line.left) < 1


# -- Lines to paragraphs ---------------------------------------------------------------------------


def _body_size(lines: Sequence[Line]) -> float:
    """Return the size that most characters have."""
    sizes = Counter[float]()
    for line in lines:
        sizes[round(line.size, 1)] += len(line.text)
    return max(sizes, key=lambda size: sizes[size]) if sizes else 1.0


def _parts(lines: Sequence[Line]) -> Iterator[Part]:
    body = _body_size(lines)
    runs = _runs(lines, body)
    words = _whole_words(lines)
    cuts = sum(line.hyphen for line in lines) * CUT >= len(lines)
    bold = sum(len(line.text) for line in lines if line.bold)
    plain = 2 * bold < sum(len(line.text) for line in lines)  # else bold says nothing
    largest = max((run.first.size for run in runs if run.first.page == 1), default=0)
    styles = sorted({_style(run) for run in runs if _is_heading(run, body, plain)}, reverse=True)
    headline = False
    for run in runs:
        text, pages = _joined(run, words, cuts)
        kind: BlockKind | None = None
        level = 0
        if run.first.mono:
            text, kind = _listing(run), "code"
        elif run.first.row:
            kind = "table"
        elif _is_heading(run, body, plain):
            kind, level = "heading", min(6, styles.index(_style(run)) + 1)
            if not headline and run.first.page == 1 and run.first.size > largest * (1 - SAME):
                kind, headline = "headline", True
        elif _is_footnote(run, body):
            kind = "footnote"
        elif bullet := BULLET.match(text):
            kind, level = "list", 1
            text = text[bullet.end() :]
            pages = tuple((max(0, offset - bullet.end()), page) for offset, page in pages)
        yield Part(text, kind, level, pages)


def _listing(run: _Run) -> str:
    """Return a run of code, a line for each, indented by as many blanks as there is room for."""
    left = min(line.left for line in run.lines)
    width = max((line.right - line.left) / len(line.text) for line in run.lines) or 1.0
    return "\n".join(
        " " * round((line.left - left) / width) + line.text.replace("\t", " ") for line in run.lines
    )


def _style(run: _Run) -> tuple[float, bool]:
    return round(run.first.size), run.first.bold


def _is_heading(run: _Run, body: float, plain: bool) -> bool:
    """Say whether a run is set as a heading: larger than the text, or bold and no sentence."""
    words = sum(len(line.text.split()) for line in run.lines)
    if (
        run.first.row
        or run.first.mono
        or words > HEADING_WORDS
        or not re.search(r"[^\W\d_]", run.first.text)
    ):
        return False
    if run.first.size >= body * LARGER:
        return True
    return plain and run.first.bold and run.last.text[-1] not in ".,;:"


def _is_footnote(run: _Run, body: float) -> bool:
    """Say whether a run is small type in the lower half of its page that begins with a mark."""
    first = run.first
    return first.size <= body * SMALLER and first.bottom < first.height / 2 and is_note(first.text)


def _runs(lines: Sequence[Line], body: float) -> list[_Run]:
    """Put lines together that belong together."""
    leading = _leading(lines)
    rights = _right_edges(lines)
    runs: list[_Run] = []
    broken: _Run | None = None  # a paragraph of the text that waits for its next column or page
    references = False
    for line in lines:
        last = runs[-1] if runs else None
        if last is not None and _continues(last, line, leading, rights, references):
            last.lines.append(line)
        elif broken is not None and broken is not last and _resumes(broken, line, rights):
            broken.lines.append(line)
        else:
            runs.append(_Run([line]))
            section = section_kind(line.text) if len(line.text) < 40 else None
            if section or line.size >= body * LARGER or line.bold:
                references = section == "reference"
        written = runs[-1] if broken is None or line is not broken.last else broken
        if abs(line.size / body - 1) < SAME and not line.row and not line.mono:
            broken = None if _has_ended(written) else written
        elif line.size >= body * LARGER:
            broken = None
    return runs


def _leading(lines: Sequence[Line]) -> dict[int, float]:
    """Return the distance between a paragraph's lines, of each size: among the smallest there are.

    In a text of short paragraphs most steps are those from one to the next.
    """
    steps: dict[int, list[float]] = {}
    for above, below in pairwise(lines):
        step = above.bottom - below.bottom
        if above.page == below.page and _same_type(above, below) and 0 < step < 2.5 * below.size:
            steps.setdefault(round(below.size), []).append(step)
    usual = {size: sorted(found)[len(found) // 5] for size, found in steps.items()}
    text = max(steps, key=lambda size: len(steps[size]), default=0)
    most = max(TIGHT, usual[text] / text) if text else TIGHT
    for size, found in steps.items():
        if len(found) < FEW:
            usual[size] = min(usual[size], most * size)
    return usual


def _right_edges(lines: Sequence[Line]) -> dict[Line, float]:
    """Return how far to the right each line's column goes: as its longest line near by."""
    edges = {}
    for i, line in enumerate(lines):
        near = lines[max(0, i - NEAR) : i + NEAR + 1]
        edges[line] = max(
            other.right for other in near if _same_type(line, other) and _in_column(line, other)
        )
    return edges


def _in_column(one: Line, other: Line) -> bool:
    return one.page == other.page and abs(one.left - other.left) < 5 * one.size


def _same_type(one: Line, other: Line) -> bool:
    same = one.bold == other.bold and one.mono == other.mono
    return same and abs(one.size / other.size - 1) < SAME


def _continues(
    run: _Run,
    line: Line,
    leading: dict[int, float],
    rights: dict[Line, float],
    references: bool,
) -> bool:
    """Say whether a line goes on with the run before it."""
    last = run.last
    if last.row or line.row or not _same_type(last, line):
        return False
    if last.mono:  # blank lines stand in a listing
        return last.page == line.page and 0 < last.bottom - line.bottom < 3.5 * line.size
    step = last.bottom - line.bottom
    beside = line.left < last.right and last.left < line.right
    if last.page != line.page or step <= 0 or not beside:
        return _resumes(run, line, rights)
    if last.hyphen and line.text[0].islower():
        return True
    usual = leading.get(round(line.size), 1.25 * line.size)
    if len(run.lines) > 1 and run.lines[-2].bottom > last.bottom:
        usual = max(usual, run.lines[-2].bottom - last.bottom)
    if step > 1.35 * usual:
        return False
    marked = bool(LISTED.match(run.first.text) or BULLET.match(run.first.text))
    if BULLET.match(line.text) or (
        LISTED.match(line.text) and (marked or references or ends_sentence(last.text))
    ):
        return False
    indent = (line.left - last.left) / line.size
    if references or marked:  # the first line hangs out
        early = marked and not references and _ends_early(last, line, rights)
        return not early and (indent > -0.7 or len(run.lines) == 1)
    centred = abs(last.left + last.right - line.left - line.right) < 0.5 * line.size
    if indent > 0.7 and not centred and last.left - run.first.left < 0.7 * line.size:
        return False
    return not _ends_early(last, line, rights)


def _ends_early(last: Line, line: Line, rights: dict[Line, float]) -> bool:
    """Say whether the next line's first word had room beside a line that ends a sentence."""
    right = rights[last]
    width = (line.right - line.left) / max(1, len(line.text))
    room = right - last.right - (len(line.text.split(maxsplit=1)[0]) + 1) * width
    ended = ends_sentence(last.text) and not ends_in_title(last.text)
    if ended or line.text[0].isupper():
        return room > (0 if ended else 0.4 * (right - last.left))
    return False


def _resumes(run: _Run, line: Line, rights: dict[Line, float]) -> bool:
    """Say whether a line in another column or on another page goes on with a paragraph.

    It does where the sentence has not ended and the last line goes about as far as its column.
    """
    last = run.last
    if not _same_type(last, line) or line.row or line.mono or _has_ended(run):
        return False
    below = last.page == line.page and last.bottom > line.bottom and _in_column(last, line)
    if below:
        return False
    if not last.hyphen and last.right - last.left < FULL * (rights[last] - last.left):
        return False
    return not LISTED.match(line.text) and not BULLET.match(line.text)


def _has_ended(run: _Run) -> bool:
    text = run.last.text
    ended = ends_sentence(text) and not ends_in_title(text)
    return not run.last.hyphen and (ended or text[-1] == ":")


def _joined(run: _Run, words: Counter[str], cuts: bool) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return a run's text, words whole, and where in it each page begins."""
    text = ""
    pages: list[tuple[int, int]] = []
    for i, line in enumerate(run.lines):
        if i and run.lines[i - 1].hyphen:
            own = _keeps_hyphen(text, line.text, words, cuts)
            text = text.rstrip(_HYPHENS) + ("-" if own else "")
        elif i:
            text += " "
        if not pages or pages[-1][1] != line.page:
            pages.append((len(text), line.page))
        text += line.text
    return text, tuple(pages)


def _whole_words(lines: Sequence[Line]) -> Counter[str]:
    """Count the document's words in lower case, but for those cut at a line's end."""
    words = Counter[str]()
    cut = False
    for line in lines:
        found = re.findall(r"\w+(?:-\w+)*", line.text.lower())
        words.update(found[cut : len(found) - line.hyphen])
        cut = line.hyphen
    return words


def _keeps_hyphen(before: str, after: str, words: Counter[str], cuts: bool) -> bool:
    """Say whether the hyphen at a line's end is the word's own: the rest of the document tells.

    'well-known' has one if it stands so elsewhere, or if 'well' and 'known' are words of the
    document and 'wellknown' is none, or if the document cuts no words (``cuts``).
    """
    left = re.search(r"\w+$", before.rstrip(_HYPHENS).lower())
    right = re.match(r"\w+", after.lower())
    if left is None or right is None or not after[0].islower():
        return True
    if words[f"{left[0]}-{right[0]}"] or words[left[0] + right[0]]:
        return words[f"{left[0]}-{right[0]}"] > words[left[0] + right[0]]
    return not cuts or (words[left[0]] > 1 and words[right[0]] > 1)
