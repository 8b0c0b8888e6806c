r"""File -> ``Article``: decode, normalise newlines once, say what each part of the text is.

The text of a ``.txt`` or ``.md`` file is kept as it is but for a byte-order mark and ``\r``.
Formats that have no text of their own (HTML, PDF, DOCX) are written out as light Markdown
(``# title``, ``## heading``, ``- item``, a blank line between paragraphs), so that one parser,
``parse_article``, sees every article and the same text always gives the same blocks.

The rules look at form (length, end punctuation, capitals, place in the article) and at the set
phrases of publishing in English; they know nothing of any one article. Where they are unsure a
block is a paragraph, because a paragraph can be cited and boilerplate cannot.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import sentencex

from article_qa.errors import ArticleError
from article_qa.types import Article, Block, BlockKind, Span

SUFFIXES = (".txt", ".md", ".markdown", ".html", ".htm", ".pdf", ".docx")
"""File names an article may end in."""

MAX_BYTES = 100_000_000
"""A larger file is refused: 50 MB take some 25 s and 0.4 GB to parse, and hours to embed."""

MAX_SENTENCE_CHARS = 1500
"""A longer 'sentence' (about 250 words) is a list or a text without full stops: it is cut between
words, so that no quotation and no passage is enormous."""

TITLE_WORDS = 12
"""Words of the text that stand for the title where there is no headline."""


# -- Reading files ---------------------------------------------------------------------------------


def read_articles(paths: str | Path | Iterable[str | Path]) -> tuple[Article, ...]:
    """Read files and, sorted by path, every article below the folders among them.

    Args:
        paths: files (any of ``SUFFIXES``) and folders, or one of them; in a folder, other files and
            hidden ones are passed over. A file named twice is read once.

    Returns:
        The articles in the order named. Two files of the same name get the ids ``name`` and
        ``name-2``.

    Raises:
        ArticleError: a path is missing, a file cannot be read, or there is no article at all.
    """
    named = [Path(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
    files = list(dict.fromkeys(file for path in named for file in _files(path)))
    if not files:
        raise ArticleError(
            f"No articles named: expected at least one file ({', '.join(SUFFIXES)}) or folder."
        )
    taken: set[str] = set()
    articles = []
    for file in files:
        id = file.stem
        number = 2
        while id in taken:
            id, number = f"{file.stem}-{number}", number + 1
        taken.add(id)
        articles.append(read_article(file, id=id))
    return tuple(articles)


def _files(path: Path) -> list[Path]:
    """Return the path itself, or the articles below it where it is a folder."""
    if not path.is_dir():
        return [path]
    found = sorted(
        file
        for file in path.rglob("*")
        if file.suffix.lower() in SUFFIXES
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    if not found:
        raise ArticleError(
            f"The folder {path} holds no article: expected files that end in "
            f"{', '.join(SUFFIXES)}. Put one there, or name another folder."
        )
    return found


def read_article(path: str | Path, *, id: str | None = None) -> Article:
    """Read one file.

    Args:
        path: a file whose name ends in one of ``SUFFIXES``.
        id: what citations call it; None for the file's name without suffix.

    Raises:
        ArticleError: the file is missing, a folder, unreadable, larger than ``MAX_BYTES``, of
            unknown format, binary, or without text.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if path.is_dir():
        raise ArticleError(f"{path} is a folder, not an article. Use read_articles(['{path}']).")
    if suffix not in SUFFIXES:
        raise ArticleError(
            f"{path} ends in {suffix or 'nothing'!r}: expected one of {', '.join(SUFFIXES)}. "
            "Save the article in one of these formats."
        )
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ArticleError(
                f"{path} has {size / 1e6:.0f} MB: at most {MAX_BYTES / 1e6:.0f} MB are read. "
                "Split it into parts."
            )
        data = path.read_bytes()
    except FileNotFoundError:
        raise ArticleError(f"{path} does not exist. Check the name and the folder.") from None
    except OSError as error:
        raise ArticleError(f"{path} cannot be read: {error.strerror or error}.") from error
    text, notes = _to_text(data, suffix, path)
    if not text.strip():
        raise ArticleError(f"{path} holds no text. {_NO_TEXT.get(suffix, _NO_TEXT_ADVICE)}")
    return parse_article(text, id=id or path.stem, source=str(path), notes=notes)


_NO_TEXT_ADVICE = "Put the article's text into it."
_NO_TEXT = {".pdf": "A scanned PDF has pictures of words only: run it through OCR first."}


def _to_text(data: bytes, suffix: str, path: Path) -> tuple[str, tuple[str, ...]]:
    """Return a file's text and what had to be assumed."""
    if suffix == ".pdf":
        return _pdf_text(data, path), ()
    if suffix == ".docx":
        return _docx_text(data, path), ()
    text, notes = _decode(data, path)
    return (_html_text(text) if suffix in (".html", ".htm") else text), notes


_BOMS = (  # UTF-32 first: its little-endian mark begins with UTF-16's
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_CONTROL = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b")) + b"\x7f"


def _decode(data: bytes, path: Path) -> tuple[str, tuple[str, ...]]:
    """Decode text: by its byte-order mark, else as UTF-8, else by charset-normalizer's guess."""
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "utf-8")
    binary = ArticleError(
        f"{path} is not text: it looks binary. Save the article as UTF-8 text, or give the file "
        "the suffix of its real format (.pdf, .docx)."
    )
    if data.startswith((b"%PDF-", b"PK\x03\x04")):
        raise binary
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = ""
    controls = len(data) - len(data.translate(None, _CONTROL))
    if "16" not in encoding and "32" not in encoding and controls > len(data) / 100:
        raise binary
    if text or not data:
        notes = () if encoding.startswith("utf-8") else (f"decoded as {encoding}, by its mark",)
        return text, notes
    from charset_normalizer import from_bytes

    guess = from_bytes(data).best()
    if guess is None:
        raise binary
    return str(guess), (f"not valid UTF-8; decoded as {guess.encoding}",)


def _html_text(html: str) -> str:
    """Return a page's article as light Markdown, its title, author and date first.

    trafilatura finds the article among menus, scripts and comments; photo captions are not among
    what it keeps. A page too small for it is taken whole.
    """
    from trafilatura import bare_extraction, html2txt

    page: Any = bare_extraction(
        html,
        include_comments=False,
        with_metadata=True,
        date_extraction_params={"extensive_search": False},  # else any year in the text will do
    )
    if page is None or page.body is None:
        return str(html2txt(html) or "")
    for inner in page.body.iter("lb", "p", "item", "list"):
        inner.text = f" {inner.text or ''}"  # what stood on lines of its own stays apart
    parts = [part for element in page.body for part in _html_parts(element)]
    head = []
    if page.title:
        head.append(f"# {_one_line(page.title)}")
        if parts and parts[0].lstrip("# ") == _one_line(page.title):
            del parts[0]
    if page.author and page.author not in " ".join(parts[:6]):
        head.append(f"By {page.author.replace('; ', ', ')}")
    if page.date:
        head.append(f"Published {page.date}")
    return "\n\n".join(head + parts)


def _html_parts(element: Any) -> Iterator[str]:
    """Yield the blocks of one element of trafilatura's TEI-like tree as light Markdown."""
    if element.tag in ("list", "quote", "table", "div") and len(element):
        if element.text and element.text.strip():
            yield _one_line(element.text)
        for child in element:
            yield from _html_parts(child)
        return
    if element.tag == "row":
        text = " | ".join(_one_line("".join(cell.itertext())) for cell in element)
    else:
        text = _one_line("".join(element.itertext()))
    if text and element.tag == "head":
        level = str(element.get("rend", "h2"))[-1:]
        text = f"{'#' * int(level) if level.isdigit() else '##'} {text}"
    elif text and element.tag == "item":
        text = f"- {text}"
    if text:
        yield text
    if element.tail and element.tail.strip():
        yield _one_line(element.tail)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _pdf_text(data: bytes, path: Path) -> str:
    """Return a PDF's text, one line per printed line; words cut at a line's end are joined."""
    import io

    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise ArticleError(f"{path} is locked with a password. Save a copy without one.")
        pages = [page.extract_text() for page in reader.pages]
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ArticleError(
            f"{path} is not a readable PDF ({error}). Open it and save it anew, or save its text."
        ) from error
    text = "\n".join(_without_running_lines(pages))
    return re.sub(r"(?<=[^\W\d_])-\n([a-z]\S*)(?:[ \n]|$)", r"\1\n", text.replace("\x00", ""))


def _without_running_lines(pages: Sequence[str]) -> Iterator[str]:
    """Yield pages without what most of them begin or end with: running titles, page numbers."""
    lines = [[line for line in page.splitlines() if line.strip()] for page in pages]

    def masked(line: str) -> str:
        return re.sub(r"\d+", "0", line.strip())

    edges = Counter(
        edge for page in lines if page for edge in {(0, masked(page[0])), (-1, masked(page[-1]))}
    )
    for page in lines:
        for end in (0, -1):
            if page and len(pages) > 2 and edges[end, masked(page[end])] > len(pages) / 2:
                del page[end]
        if page:
            yield "\n".join(page)


def _docx_text(data: bytes, path: Path) -> str:
    """Return a Word document as light Markdown: its styles say what is a title or a heading."""
    import io
    from zipfile import BadZipFile

    from docx import Document
    from docx.opc.exceptions import PackageNotFoundError
    from docx.table import Table

    try:
        document = Document(io.BytesIO(data))
    except (BadZipFile, PackageNotFoundError, KeyError, ValueError) as error:
        raise ArticleError(
            f"{path} is not a readable .docx ({error}). Open it in a word processor and save it "
            "as .docx or .txt."
        ) from error
    parts: list[str] = []
    for item in document.iter_inner_content():
        if isinstance(item, Table):
            parts += [" | ".join(_one_line(c.text) for c in row.cells) for row in item.rows]
            continue
        style = (item.style.name if item.style is not None else None) or ""
        text = _one_line(item.text)
        level = re.fullmatch(r"Heading ([1-6])", style)
        if style == "Title":
            text = f"# {text}"
        elif level:
            text = f"{'#' * min(6, int(level[1]) + 1)} {text}"
        elif style.startswith("List"):
            text = f"- {text}"
        parts.append(text)
    return "\n\n".join(part for part in parts if part.strip("#- "))


# -- Recognising the parts -------------------------------------------------------------------------


def parse_article(
    text: str, *, id: str, source: str | None = None, notes: Sequence[str] = ()
) -> Article:
    r"""Say what each part of a plain or Markdown text is.

    Args:
        text: the article. ``\r\n`` and ``\r`` become ``\n``; half of a surrogate pair, which
            no encoder accepts, becomes U+FFFD; nothing else is changed.
        id: what citations call it.
        source: where it was read from, if anywhere.
        notes: what was assumed while reading it.

    Raises:
        ArticleError: it is no string, or there is nothing but white space in it.
    """
    if not isinstance(text, str):
        raise ArticleError(f"The article {id!r} is {type(text).__name__}: expected a string.")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    whole = _SURROGATE.sub("\ufffd", text)
    if whole != text:
        text, notes = whole, (*notes, "unpaired surrogates replaced by U+FFFD")
    if not text.strip():
        raise ArticleError(f"The article {id!r} is empty: expected text. Give it some words.")
    spans = list(_block_spans(text))
    kinds = _kinds([text[span.start : span.end] for span in spans])
    blocks = tuple(
        Block(kind, span, _sentences(text, span, kind))
        for span, kind in zip(spans, kinds, strict=True)
    )
    return Article(id, _title(text, blocks), text, blocks, source, tuple(notes))


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE = re.compile(r"[^\n]+")
_MARKER = re.compile(r"(?:#{1,6}[ \t]+|>[ \t]?|[-*+•‣▪][ \t]+)+(?=\S)")
"""Markdown's marks at a block's beginning, and bullets as they are typed."""
_TITLE_FIELD = re.compile(r"(?i:title|headline):\s*[\"']?(\S[^\n]*[^\s\"'])[\"']?")
"""A field of a Markdown file's head (YAML): ``title: "The Well"``."""
_HEADING = re.compile(r"#{1,6}[ \t]+\S")
_LISTED = re.compile(r"[-*+•‣▪>][ \t]+\S|#{1,6}[ \t]+\S|\d{1,3}[.)][ \t]+\S")
_END = re.compile(r"[.!?…。！？][\"'”’»)\]*_]*$")
_FULL_STOP = re.compile(r"[.…。！!][\"'”’»)\]*_]*$")
WRAP_WIDTH = 100
"""Hard-wrapped texts have lines of 60 to 80 characters, rarely more than 100."""


def _block_spans(text: str) -> Iterator[Span]:
    """Yield the blocks' spans: lines, or runs of lines where the text is hard-wrapped.

    In a text most of whose characters stand in lines longer than ``WRAP_WIDTH``, a line is a
    paragraph. Otherwise a line goes on in the next one unless a blank line, a mark of Markdown or
    a byline or date comes between, or it ends so early that the next word had room beside it.
    """
    lines = []
    for match in _LINE.finditer(text):
        line = match[0].strip()
        if line:
            left = match.start() + len(match[0]) - len(match[0].lstrip())
            lines.append((Span(left, left + len(line)), line))
    long = sum(len(line) for _, line in lines if len(line) > WRAP_WIDTH)
    if 2 * long > sum(len(line) for _, line in lines):
        yield from (span for span, _ in lines)
        return
    width = max([40, *(len(line) for _, line in lines if len(line) <= WRAP_WIDTH)])
    start = lines[0][0].start
    for (span, line), (after, following) in pairwise(lines):
        next_word = following.split(maxsplit=1)[0]
        if (
            text.count("\n", span.end, after.start) > 1
            or len(line) > WRAP_WIDTH
            or len(line) + 1 + len(next_word) <= 0.75 * width
            or _LISTED.match(following)
            or _stands_alone(line)
            or _stands_alone(following)
        ):
            yield Span(start, span.end)
            start = after.start
    yield Span(start, lines[-1][0].end)


def _stands_alone(line: str) -> bool:
    """Say whether a line of a hard-wrapped text is a block whatever surrounds it."""
    return bool(_HEADING.match(line)) or _is_date(line) or _is_byline(line)


def _kinds(texts: Sequence[str]) -> list[BlockKind]:
    """Say what each block is."""
    kinds: list[BlockKind] = [_own_kind(text) for text in texts]
    _find_headline(texts, kinds)
    _find_standfirst(texts, kinds)
    for i, text in enumerate(texts):
        if kinds[i] == "paragraph" and _is_heading(text) and "paragraph" in kinds[i + 1 : i + 2]:
            kinds[i] = "heading"
    return kinds


def _own_kind(text: str) -> BlockKind:
    """Say what a block is by its own words, whatever its place."""
    if len(text) > 1200:  # nothing but prose is that long, and the patterns below need not see it
        return "paragraph"
    bare = _MARKER.sub("", text, count=1).strip("*_ ")
    if _is_boilerplate(bare):
        return "boilerplate"
    if _is_byline(bare):
        return "byline"
    if _is_date(bare):
        return "date"
    if _TITLE_FIELD.fullmatch(text):
        return "headline"
    if _HEADING.match(text):
        return "heading"
    return "caption" if _is_caption(bare) else "paragraph"


def _find_headline(texts: Sequence[str], kinds: list[BlockKind]) -> None:
    """Mark the headline: the first block that is no front matter, if it has a headline's form.

    A kicker or masthead above it ('Science', 'TOWN COUNCIL', 'Newsletter, issue 7') is a heading.
    A text that is one block, or that begins with a full sentence, has no headline.
    """
    content = [i for i, kind in enumerate(kinds) if kind in ("paragraph", "heading")]
    if len(content) < 2 or "headline" in kinds:
        return
    for i, following in pairwise(content):
        if kinds[i] == "heading":
            kinds[i] = "headline"
            return
        if not _is_headline(texts[i]):
            return
        above = following == i + 1 and following != content[-1] and _is_headline(texts[following])
        kinds[i] = "heading" if above and _is_masthead(texts[i], texts[following]) else "headline"
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
        if words <= 80 and (credits or (words >= 6 and not _END.search(texts[i]))):
            kinds[i] = "standfirst"


def _is_headline(text: str) -> bool:
    return len(text.split()) <= 30 and not _FULL_STOP.search(text) and not _LISTED.match(text)


def _is_masthead(text: str, following: str) -> bool:
    """Say whether a line above a possible headline is a section's or a paper's name."""
    return (
        (len(text.split()) <= 3 < len(following.split()))
        or (text.isupper() and not following.isupper())
        or bool(re.search(r"\b(?:no\.?|number|issue|vol\.?|volume)\s?\d+$", text, re.I))
    )


def _is_heading(text: str) -> bool:
    """Say whether an unmarked line has a section heading's form.

    It is short, begins with a capital or a figure, and has no full stop, comma or colon at its end.
    """
    return (
        len(text.split()) <= 12
        and not _FULL_STOP.search(text)
        and text[-1] not in ",;:—-\"'”’»)"
        and (text[0].isupper() or text[0].isdigit())
        and not _LISTED.match(text)
        and not _LINK.search(text)
        and " | " not in text  # a table's row
    )


_NAME = r"[^\W\d_a-z][\w.'’-]*"
_CREDITED = re.compile(
    r"(?:by|written by|story by|text by|words by|posted by|reported by|reporting by|"
    r"authors?:|byline:)\s+(?P<names>\S.*)",
    re.I | re.S,
)
_ROLE = re.compile(
    rf"{_NAME}(?: {_NAME}){{1,3}},? (?:\w+ ){{0,3}}"
    r"(?i:correspondent|reporter|editor|staff writer|contributor|columnist)\b[^.!?]*"
)
_PARTICLES = _set("and with for in of the at on de la van von der den di da bin al el y e")


def _is_byline(text: str) -> bool:
    """Say whether a line names who wrote the article: 'By', then names and little else."""
    if len(text) > 200:
        return False
    text = text.strip("()[] ") or text
    match = _CREDITED.fullmatch(text)
    if match is None:
        return text[0].isupper() and len(text.split()) <= 8 and bool(_ROLE.fullmatch(text))
    names = re.findall(r"\w[\w.'’-]*", match["names"].split(",")[0])  # after a comma, a role
    if not names or names[0][0].islower() or names[0].strip(".").lower() in _CALENDAR:
        return False
    others = [name for name in names if name[0].islower() and name not in _PARTICLES]
    if _END.search(text) and not re.search(r"\b(?:\w|Jr|Sr)\.$", text):
        # 'Reporting by A; Editing by B.' ends like a sentence; 'By Way of Deception.' is none.
        return len(others) <= 3 and bool(re.match(r"report|written", text, re.I))
    return len(others) <= len(names) // 3


_MONTHS = _set(
    "january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sep sept oct nov dec"
)
_CALENDAR = _MONTHS | _set(
    "monday tuesday wednesday thursday friday saturday sunday "
    "mon tue tues wed thu thur thurs fri sat sun"
)
_DATE_WORDS = _CALENDAR | _set(
    "published updated posted created modified revised issued released first last on at date the "
    "of am pm a.m p.m et est edt pt pst pdt ct gmt utc bst cet cest z st nd rd th and"
)
_NUMERIC_DATE = re.compile(
    r"(?<!\d)(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d\d))(?!\d)"
)


def _is_date(text: str) -> bool:
    """Say whether a line is a date: nothing but the words and figures that dates are made of."""
    if len(text) > 120:
        return False
    words = [word.strip(".").lower() for word in re.findall(r"[^\W\d_]+(?:\.[^\W\d_]+)*", text)]
    if not all(word in _DATE_WORDS or len(word) == 1 for word in words):
        return False
    month = any(word in _MONTHS for word in words) and re.search(r"\d", text)
    return bool(month or _NUMERIC_DATE.search(text))


_AGENCY = (
    r"Getty Images|Associated Press|Agence France-Presse|Reuters|AP|AFP|EPA|EFE|DPA|UPI|Alamy|"
    r"Shutterstock|Bloomberg|PA(?: Media| Wire| Images)?|Unsplash|Wikimedia Commons|NASA|ESA|"
    r"iStock|Flickr|Magnum(?: Photos)?|(?:for )?The [A-Z]\w+(?: [A-Z]\w+){0,2}"
)
_PHOTO = r"(?:photo(?:graph)?s?|image|picture|illustration|graphic|credit|photo credit|courtesy)"
CREDITS = (
    re.compile(
        rf"\b(?:{_PHOTO}(?: credit| courtesy)?(?:\s*:| by )|courtesy of )[^.!?]{{2,80}}$", re.I
    ),
    re.compile(rf"{_NAME}(?: {_NAME}){{0,3}}\s?(?:/|\||—|–|, | via )\s?(?:{_AGENCY})\)?$"),
    re.compile(rf"\b(?:{_AGENCY}|REUTERS)(?: (?i:photo))?/\s?{_NAME}(?: {_NAME}){{0,3}}\)?$"),
)
"""How a photo credit looks; each stands at the end of a caption."""

_CAPTION = (
    re.compile(
        rf"(?:{_PHOTO}(?: credit| courtesy)?\s*:|caption:|fig(?:ure|\.)? \d+[.:])\s*\S", re.I
    ),
    re.compile(rf"[(\[]{_PHOTO}\b[^()\[\]]{{0,100}}[)\]]\.?$", re.I),
    re.compile(rf"\b{_PHOTO} of [^.!?]{{2,80}}$", re.I),
)
_IMAGE = re.compile(r"!\[[^\]]+\]\([^)]*\)")


def _is_caption(text: str) -> bool:
    """Say whether a block describes a picture: it is labelled, or ends with a photo credit."""
    if len(text.split()) > 80:
        return False
    if _IMAGE.fullmatch(text) or _CAPTION[0].match(text):
        return True
    return any(pattern.search(text) for pattern in (*_CAPTION[1:], CREDITS[0])) or (
        not _END.search(text) and any(pattern.search(text) for pattern in CREDITS[1:])
    )


_LINK = re.compile(r"!?\[[^\]]*\]\([^)]*\)|<?https?://\S+|www\.\S+")
_STUB = re.compile(
    r"(?:advertisement|sponsored(?: content)?|share|tweet|print|e-?mail|save|comments?|"
    r"\d+ comments?|related(?: (?:articles?|stories|content|topics|coverage|posts|links))?|"
    r"see also|more on this (?:story|topic)|recommended(?: for you)?|most (?:read|popular)|"
    r"you (?:may|might) also like|trending(?: now)?|skip to (?:main )?content|loading|"
    r"continue reading(?: the main story| below)?|\d+[- ]min(?:ute)?s?(?: read)?|"
    r"listen to this (?:article|story)|share (?:this|on|via)\b.{0,60}|for immediate release|"
    r"log in|sign in|register|subscribe(?: now| today)?|sign up(?: now)?|newsletters?|menu|home|"
    r"back to top|previous|next|tags?:.{0,200}|filed under:?.{0,200}|"
    r"get it sent to your inbox)[\s.:…!|]*",
    re.I | re.S,
)
_TEASER = re.compile(
    r"(?:read more|read also|read next|see also|related(?: stories| articles)?|watch|more from|"
    r"more on|also on|don['’]t miss|up next)\s*[:|»→–—-]\s*\S|"
    r"read (?:more|the full (?:story|article|report))\b(?! than)",
    re.I,
)
_PROMO = re.compile(
    r"\b(?:Sign up|SIGN UP|Subscribe|SUBSCRIBE|Register|Join|Get|Receive|Enter your)\b"
    r"(?:(?!['’]s? )[^.!?\"“”]){0,100}?"
    r"\b(?:newsletters?|e-?mails?(?: alerts?| updates?| address)?|inbox|briefings?|push alerts|"
    r"(?:mailing|e-?mail) list|our (?:app|podcast|channel))\b"
    r"|\b(?:Subscribe|SUBSCRIBE) (?:to|now|today|for)\b"
    r"|\b(?:Follow|Like|Find) us on\b|\bDownload (?:the|our) app\b|\bSupport our journalism\b"
    r"|\b(?:We|[Tt]h(?:is|e) (?:web)?site|Our (?:web)?site) uses? cookies\b"
    r"|\bAccept (?:all )?cookies\b"
    r"|\bBy continuing to (?:use|browse)\b|\bManage (?:cookie )?preferences\b"
)
_RIGHTS = re.compile(
    r"(?:©|\(c\) ?\d|copyright (?:©|\(c\)|\d{4}))|.{0,80}\ball rights reserved\.?$", re.I
)


def _is_boilerplate(text: str) -> bool:
    """Say whether a block is the publisher's and not the author's: promos, link stubs, notices.

    Ordinary prose must not fall in: the phrases count only in short blocks, imperatives only with
    a capital (they begin a call to act) and outside quotation marks.
    """
    if not re.search(r"\w", text):
        return True
    words = len(text.split())
    if words > 60:
        return False
    if _IMAGE.fullmatch(text):
        return False
    if _LINK.search(text) and not re.search(r"\w", _LINK.sub("", text)):
        return True
    unlinked = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return bool(
        _STUB.fullmatch(unlinked)
        or (words <= 30 and (_TEASER.match(unlinked) or _RIGHTS.match(unlinked)))
        or (text[0] not in '"“‘«' and _PROMO.search(unlinked))
    )


# -- Sentences and title ---------------------------------------------------------------------------


_TITLE_END = re.compile(
    r"\b(?:Mr|Mrs|Ms|Mx|Messrs|Dr|Prof|Sen|Rep|Gov|Gen|Lt|Col|Maj|Capt|Cpl|Sgt|Adm|Rev|Hon)\.\s+\Z"
)


def _sentences(text: str, span: Span, kind: BlockKind) -> tuple[Span, ...]:
    """Return a block's sentences: trimmed, in order, not overlapping.

    Every character is in one of them but for white space and the marks around the block (a bullet,
    ``#``, ``>``, the stars of a block all in italics, 'title:'), which no one would quote.

    Headlines, headings, bylines and dates are one sentence each. The splitter is Wikimedia's
    sentencex: it carries offsets, knows abbreviations and quotations, and splits 14 MB/s where
    syntok split 0.8; of the splitters tried it alone kept 'Gov. Lee' and 'Lt. Gen. Doe' whole.
    """
    start, end = _unmarked(text, span, kind)
    if kind not in ("paragraph", "standfirst", "caption", "boilerplate"):
        cuts = [start]
    else:
        found = sentencex.get_sentence_boundaries("en", text[start:end])
        marks = {start + int(boundary["start_index"]) for boundary in found}
        # It takes 'Ms.' for the end of a sentence; a title never is one.
        cuts = sorted({start, *(m for m in marks if not _TITLE_END.search(text, start, m))})
    sentences: list[Span] = []
    for left, right in zip(cuts, [*cuts[1:], end], strict=True):
        for piece in _pieces(text, left, right):
            if sentences and (_is_scrap(text, piece) or _is_scrap(text, sentences[-1])):
                sentences[-1] = Span(sentences[-1].start, piece.end)
            else:
                sentences.append(piece)
    return tuple(sentences)


_EMPHASIS = re.compile(r"([*_]{1,3})(?=[^\s*_])[^*_]*[^\s*_]\1")


def _unmarked(text: str, span: Span, kind: BlockKind) -> tuple[int, int]:
    """Return where a block begins and ends without the Markdown marks around it."""
    field = _TITLE_FIELD.fullmatch(text, span.start, span.end) if kind == "headline" else None
    if field:
        return field.span(1)
    marker = _MARKER.match(text, span.start, span.end)
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


def _title(text: str, blocks: Sequence[Block]) -> str:
    """Return the headline, or the first words of the first block with content."""
    chosen = next((b for b in blocks if b.kind == "headline"), None)
    if chosen is not None:
        return _one_line(text[chosen.sentences[0].start : chosen.sentences[-1].end])
    named = next((b for b in blocks if b.kind not in ("boilerplate", "date", "byline")), blocks[0])
    first = _one_line(text[named.sentences[0].start : named.sentences[0].end][:400]).split(" ")
    return " ".join(first[:TITLE_WORDS]) + ("…" if len(first) > TITLE_WORDS else "")
