"""A PDF's printed lines: words with their place, size and weight, as PDFium finds them.

PDFium is not safe for threads: one file is read at a time.
"""

from __future__ import annotations

import ctypes
import re
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import hypot
from typing import Any

from article_qa.errors import ArticleError
from article_qa.reading.source import Source
from article_qa.types import Metadatum

CELL_GAP = 1.5
"""Words of one line further apart than this many sizes stand in different columns."""
ROW_GAP = 0.45
"""So do words this far apart, which are no blanks of a text, where the line above or below has a
column that begins at the same place."""

_LOCK = threading.Lock()
_WORD = re.compile(r"[^\s\ufffe\x02]+")
_BREAK = re.compile(r"[\n\ufffe\x02]")
_HYPHEN = re.compile(r"[\ufffe\x02]|[-\u2010\u00ad]\s*\n")
_MARK = re.compile(r"(?:[•◦▪‣●○■□–·\uf0b7\x88*-]|\(?[\da-z]{1,3}[.)]|\[\d{1,3}\])")
_MONO = re.compile(rb"mono|courier|consol|menlo|typewriter|cmtt", re.I)
_NAMES = {
    "Title": "title",
    "Author": "author",
    "Subject": "subject",
    "Keywords": "keywords",
    "CreationDate": "created",
    "ModDate": "modified",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A printed line.

    Args:
        text: its words, blanks between them; of a table's row, tabs between the cells.
        left: where it begins, in points from the page's left.
        right: where it ends.
        bottom: its baseline's place, in points from the page's bottom.
        size: of the type that most of it is set in.
        bold: most of it is.
        page: from 1.
        height: the page's.
        cells: where its columns begin; one for a line of text.
        hyphen: its last word goes on in the next line.
        row: it is a row of a table.
        mono: nearly all of it is set in a font whose characters are equally wide.
    """

    text: str
    left: float
    right: float
    bottom: float
    size: float
    bold: bool
    page: int
    height: float
    cells: tuple[float, ...] = ()
    hyphen: bool = False
    row: bool = False
    mono: bool = False


@dataclass(slots=True)
class _Word:
    text: str
    left: float
    right: float
    bottom: float
    size: float
    bold: bool
    mono: bool
    new_line: bool = False
    hyphen: bool = False


@dataclass(slots=True)
class _Fonts:
    """What PDFium says of characters; names of fonts are asked once for each weight and size."""

    page: Any
    box: Any = field(default_factory=lambda: _raw().FS_RECTF())
    matrix: Any = field(default_factory=lambda: _raw().FS_MATRIX())

    def bounds(self, i: int) -> tuple[float, float, float]:
        """Return a character's left, right and baseline (about)."""
        _raw().FPDFText_GetLooseCharBox(self.page, i, self.box)
        return self.box.left, self.box.right, self.box.bottom

    def size(self, i: int) -> float:
        """Return a character's size on the page, in points."""
        size = float(_raw().FPDFText_GetFontSize(self.page, i))
        if _raw().FPDFText_GetMatrix(self.page, i, self.matrix):
            size *= hypot(self.matrix.c, self.matrix.d) or 1.0
        return size

    def is_turned(self, i: int) -> bool:
        """Say whether a character does not stand upright: a watermark, a note in the margin."""
        angle = float(_raw().FPDFText_GetCharAngle(self.page, i))
        return 0.1 < angle < 6.18

    def style(self, i: int) -> tuple[bool, bool]:
        """Say whether a character's font is bold, and whether its characters are equally wide.

        Both by what the file says of the font (its weight, its flags) or by its name.
        """
        name = ctypes.create_string_buffer(96)
        flags = ctypes.c_int()
        _raw().FPDFText_GetFontInfo(self.page, i, name, 96, flags)
        heavy = _raw().FPDFText_GetFontWeight(self.page, i) >= 600
        bold = heavy or bool(re.search(rb"bold|black|heavy|cmbx", name.value, re.I))
        mono = bool(flags.value & 1) or bool(_MONO.search(name.value))
        return bold, mono


def _raw() -> Any:
    import pypdfium2.raw

    return pypdfium2.raw


def pages_of(source: Source) -> tuple[list[list[Line]], dict[str, Metadatum]]:
    """Return the lines of each page in the order of the file, and what the file says of itself.

    Raises:
        ArticleError: it is no PDF, is damaged or locked, or has too many pages.
    """
    import pypdfium2

    with _LOCK:
        try:
            document = pypdfium2.PdfDocument(source.data)
        except pypdfium2.PdfiumError as error:
            if "assword" in str(error):
                raise ArticleError(
                    f"{source.name} is locked with a password. Save a copy without one."
                ) from error
            raise _unreadable(source, error) from error
        try:
            if len(document) > source.settings.max_pages:
                raise source.too_much("pages", len(document), "max_pages")
            metadata = dict(_metadata(document.get_metadata_dict(skip_empty=True)))
            return list(_pages(document, source)), metadata
        except pypdfium2.PdfiumError as error:
            raise _unreadable(source, error) from error
        finally:
            document.close()


def _unreadable(source: Source, error: Exception) -> ArticleError:
    return ArticleError(
        f"{source.name} is not a readable PDF ({error}). Open it and save it anew, or save its "
        "text."
    )


def _metadata(info: dict[str, str]) -> Iterator[tuple[str, Metadatum]]:
    for key, name in _NAMES.items():
        value = " ".join(info.get(key, "").replace("\x00", "").split())
        date = re.match(r"D:(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d))?", value)
        if date:
            day = "-".join(date.groups()[:3])
            value = f"{day}T{':'.join(date.groups()[3:])}" if date[4] else day
        if value:
            yield name, Metadatum(value, "pdf info")


def _pages(document: Any, source: Source) -> Iterator[list[Line]]:
    """Yield each page's lines, until there is more text than the settings allow.

    Raises:
        ArticleError: there is.
    """
    chars = 0
    for number in range(1, len(document) + 1):
        lines = _page(document, number)
        chars += sum(len(line.text) for line in lines)
        if chars > source.settings.max_chars:
            raise source.too_much("characters", chars, "max_chars")
        yield lines


def _page(document: Any, number: int) -> list[Line]:
    page = document[number - 1]
    textpage = page.get_textpage()
    try:
        lines = list(_grouped(list(_words(textpage))))
        height = page.get_height()
    finally:
        textpage.close()
        page.close()
    cells = _cells(lines)
    return _with_rows(
        [_line(words, at, number, height) for words, at in zip(lines, cells, strict=True)]
    )


def _words(textpage: Any) -> Iterator[_Word]:
    """Yield a page's words in the order of the file, those that are turned left out."""
    count = textpage.count_chars()
    text = textpage.get_text_range() if count else ""
    if len(text) != count:  # characters beyond the basic plane count twice in PDFium
        text = "".join(chr(_raw().FPDFText_GetUnicode(textpage, i)) for i in range(count))
    fonts = _Fonts(textpage)
    end = 0
    before: _Word | None = None
    for match in _WORD.finditer(text):
        between, start = text[end : match.start()], match.start()
        end = match.end()
        if fonts.is_turned(start):
            continue
        size = fonts.size(start)
        stop = _without_mark(fonts, text, start, end, size)
        left, _, bottom = fonts.bounds(start)
        right = fonts.bounds(stop - 1)[1]
        words = text[start:stop].replace("\x00", "")
        if not words:
            continue
        if before is not None and _HYPHEN.search(before.text[-1] + between):
            before.hyphen = before.text[-1].isalpha() or before.text[-1] in "-\u2010\u00ad"
        before = _Word(words, left, right, bottom, size, *fonts.style(start))
        before.new_line = bool(_BREAK.search(between))
        yield before


def _without_mark(fonts: _Fonts, text: str, start: int, end: int, size: float) -> int:
    """Return a word's end without the raised number of a note: small type after the word."""
    stop = end
    while stop > start + 1 and (text[stop - 1].isdigit() or text[stop - 1] in "*†‡,"):
        if fonts.size(stop - 1) > 0.8 * size:
            break
        stop -= 1
    return stop


def _grouped(words: list[_Word]) -> Iterator[list[_Word]]:
    """Yield the words of each printed line."""
    line: list[_Word] = []
    for word in words:
        if line:
            last = line[-1]
            level = abs(word.bottom - last.bottom) < 0.6 * max(word.size, last.size)
            ahead = word.left >= last.right - 0.3 * last.size
            if not level or not ahead or last.hyphen:
                yield line
                line = []
        line.append(word)
    if line:
        yield line


def _cells(lines: list[list[_Word]]) -> list[set[int]]:
    """Return of each line which words begin a cell: far from the word before, or a little apart
    and right below or above one that does. What follows the mark of an item is none.
    """
    gaps = [
        [0.0, *((word.left - last.right) / word.size for last, word in pairwise(line))]
        for line in lines
    ]
    cells = [
        {i for i, gap in enumerate(found) if gap > CELL_GAP and not (i == 1 and _is_mark(line))}
        for line, found in zip(lines, gaps, strict=True)
    ]
    for _ in range(2):  # a row may have a wide gap from its second neighbour alone
        for i, j in [*pairwise(range(len(lines))), *pairwise(range(len(lines) - 1, -1, -1))]:
            places = {round(lines[i][k].left) for k in cells[i]}
            if abs(lines[i][0].bottom - lines[j][0].bottom) < 3 * lines[i][0].size:
                cells[j] |= {
                    k
                    for k, word in enumerate(lines[j])
                    if gaps[j][k] > ROW_GAP
                    and round(word.left) in places
                    and not (k == 1 and _is_mark(lines[j]))
                }
    return cells


def _is_mark(line: list[_Word]) -> bool:
    return bool(_MARK.fullmatch(line[0].text))


def _line(words: list[_Word], at: set[int], page: int, height: float) -> Line:
    """Make a line of its words, of which some begin cells.

    It is of code if nearly all is set as code is; else what is, is a name within a sentence.
    """
    prose = [word for word in words if not word.mono]
    mono = len(prose) * 10 <= len(words)
    sizes: Counter[float] = Counter()
    bold = 0
    for word in words if mono else prose:
        sizes[round(word.size, 1)] += len(word.text)
        bold += len(word.text) if word.bold else 0
    size = max(sizes, key=lambda size: sizes[size]) or 1.0
    text = words[0].text
    text += "".join(("\t" if i in at else " ") + word.text for i, word in enumerate(words) if i)
    return Line(
        text,
        words[0].left,
        words[-1].right,
        min(word.bottom for word in words if abs(word.size / size - 1) < 0.1),
        size,
        2 * bold > sum(sizes.values()),
        page,
        height,
        (words[0].left, *(words[i].left for i in sorted(at))),
        words[-1].hyphen,
        mono=mono,
    )


def _with_rows(lines: list[Line]) -> list[Line]:
    """Mark the rows of tables: lines in columns, next to others of which a column is the same.

    The lines of a row's cells are joined.
    """
    groups = _row_lines(lines)
    rows = [_row(group, columns) for group, columns in groups]

    def beside(i: int, j: int) -> bool:
        if not 0 <= j < len(rows):
            return False
        one, other = rows[i], rows[j]
        shared = sum(any(abs(a - b) < one.size for b in other.cells) for a in one.cells)
        gap = groups[min(i, j)][0][-1].bottom - groups[max(i, j)][0][0].bottom
        return shared >= 2 and len(other.cells) > 1 and abs(gap) < 4 * one.size

    marked = []
    for i, (group, _) in enumerate(groups):
        if len(rows[i].cells) > 1 and (beside(i, i - 1) or beside(i, i + 1)):
            marked.append(replace(rows[i], row=True))
        else:
            marked += [replace(line, text=line.text.replace("\t", " ")) for line in group]
    return marked


def _row_lines(lines: list[Line]) -> list[tuple[list[Line], list[int]]]:
    """Put the lines of one row together, with the column in which each begins.

    A table is written cell by cell, so that the columns of a row's lines go to the right; the
    columns are those of the fullest line above.
    """
    groups: list[tuple[list[Line], list[int]]] = []
    grid: tuple[float, ...] = ()
    for line in lines:
        column = _column(line, grid)
        if column is None:
            grid, column = (line.cells if len(line.cells) > 1 else ()), 0
            groups.append(([line], [column]))
        elif groups and _is_same_row(*groups[-1], line, column):
            groups[-1][0].append(line)
            groups[-1][1].append(column)
        else:
            groups.append(([line], [column]))
    return groups


def _column(line: Line, grid: tuple[float, ...]) -> int | None:
    """Return the column in which a line begins; None where it does not keep to the columns."""
    at = [
        min(range(len(grid)), key=lambda i: abs(grid[i] - left)) if grid else -1
        for left in line.cells
    ]
    if not grid or any(
        abs(grid[i] - left) > 0.2 * line.size for i, left in zip(at, line.cells, strict=True)
    ):
        return None
    fits = at[-1] + 1 == len(grid) or line.right < grid[at[-1] + 1]
    return at[0] if fits else None


def _is_same_row(group: list[Line], columns: list[int], line: Line, column: int) -> bool:
    """Say whether a line is in the same row as the lines before it: below in a cell, or beside."""
    last = columns[-1] + len(group[-1].cells) - 1
    if column == last:
        return 0 < group[-1].bottom - line.bottom < 2.1 * line.size
    lowest, highest = min(g.bottom for g in group), max(g.bottom for g in group)
    return column > last and lowest - 2 * line.size < line.bottom < highest + 2.6 * line.size


def _row(group: list[Line], columns: list[int]) -> Line:
    """Join the lines of a row, each cell's words together."""
    cells: dict[int, list[str]] = {}
    lefts: dict[int, float] = {}
    for line, column in zip(group, columns, strict=True):
        for i, (text, left) in enumerate(
            zip(line.text.split("\t"), line.cells, strict=True), column
        ):
            cells.setdefault(i, []).append(text)
            lefts.setdefault(i, left)
    text = "\t".join(" ".join(cells[i]) for i in sorted(cells))
    bottom = min(line.bottom for line in group)
    return replace(group[0], text=text, cells=tuple(lefts[i] for i in sorted(lefts)), bottom=bottom)
