"""A file, or a name and its bytes -> ``Article``: decode, then read by the format of its name.

``parse_file`` is a pure function of a name, bytes and settings: it opens no other file, so that
``isolation`` can run it in a process of its own. ``Settings`` bound what it reads ('Files' there).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path, PurePath

from article_qa.config import Settings
from article_qa.errors import ArticleError
from article_qa.reading.layout import assemble
from article_qa.reading.rst import is_rst, read_rst
from article_qa.reading.source import Document, Source
from article_qa.reading.text import parse_article
from article_qa.types import Article


def read_articles(
    paths: str | Path | Iterable[str | Path], settings: Settings | None = None
) -> tuple[Article, ...]:
    """Read files and, sorted by path, every article below the folders among them.

    Args:
        paths: files (any of ``SUFFIXES``) and folders, or one of them; in a folder, other files and
            hidden ones are passed over. A file named twice is read once.
        settings: how large a file may be; None for the defaults.

    Returns:
        The articles in the order named. Two files of the same name get the ids ``name`` and
        ``name-2``.

    Raises:
        ArticleError: a path is missing, a file cannot be read, is none (a pipe, a device) or is a
            link that leads out of its folder, or there is no article at all.
    """
    return tuple(read_article(file, id=id, settings=settings) for file, id in find_files(paths))


def find_files(paths: str | Path | Iterable[str | Path]) -> list[tuple[Path, str]]:
    """Find the files that ``read_articles`` reads, each with its article's id.

    Raises:
        ArticleError: a folder holds no article or a link that leads out of it, or none is named.
    """
    named = [Path(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
    files = list(dict.fromkeys(file for path in named for file in _files(path)))
    if not files:
        raise ArticleError(
            f"No articles named: expected at least one file ({', '.join(SUFFIXES)}) or folder."
        )
    return list(zip(files, unique_ids(file.stem for file in files), strict=True))


def unique_ids(names: Iterable[str]) -> list[str]:
    """Make names into ids: a second 'report' is 'report-2'."""
    ids: dict[str, None] = {}
    for name in names:
        id, number = name, 2
        while id in ids:
            id, number = f"{name}-{number}", number + 1
        ids[id] = None
    return list(ids)


def _files(path: Path) -> list[Path]:
    """Return the path itself, or the articles below it where it is a folder."""
    if not path.is_dir():
        return [path]
    found = sorted(
        file
        for file in path.rglob("*")
        if file.suffix.lower() in SUFFIXES
        and not file.is_dir()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    root = path.resolve()
    for file in found:
        if file.is_symlink() and not file.resolve().is_relative_to(root):
            raise ArticleError(
                f"{file} is a link that leads out of the folder {path}. Name the file that it "
                "leads to, if you mean it."
            )
    if not found:
        raise ArticleError(
            f"The folder {path} holds no article: expected files that end in "
            f"{', '.join(SUFFIXES)}. Put one there, or name another folder."
        )
    return found


def read_article(
    file: str | Path | tuple[str, bytes],
    *,
    id: str | None = None,
    settings: Settings | None = None,
) -> Article:
    """Read one file.

    Args:
        file: a file whose name ends in one of ``SUFFIXES``, or a name and the file's bytes.
        id: what citations call it; None for the file's name without suffix.
        settings: how large it may be; None for the defaults.

    Raises:
        ArticleError: the file is missing, a folder, unreadable, over a limit of the settings, of
            unknown format, binary, or without text.
    """
    settings = settings or Settings()
    if isinstance(file, tuple):
        return parse_file(*file, settings, id=id)
    path = Path(file)
    if path.is_dir():
        raise ArticleError(f"{path} is a folder, not an article. Use read_articles(['{path}']).")
    _format(str(path))
    try:
        data = _content(path, settings)
    except FileNotFoundError:
        raise ArticleError(f"{path} does not exist. Check the name and the folder.") from None
    except OSError as error:
        raise ArticleError(f"{path} cannot be read: {error.strerror or error}.") from error
    return parse_file(str(path), data, settings, id=id)


def _content(path: Path, settings: Settings) -> bytes:
    """Return a file's bytes; opening a pipe that nobody writes into would wait for ever.

    Raises:
        ArticleError: it is no file, or larger than the settings allow.
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ArticleError(f"{path} is a pipe or a device, not a file. Name a file.")
        data = file.read(settings.max_file_bytes + 1)
    _check_size(str(path), max(len(data), path.stat().st_size), settings)
    return data


_BINARY: int = getattr(os, "O_BINARY", 0)
"""Windows changes the ends of lines without it."""


def parse_file(name: str, data: bytes, settings: Settings, *, id: str | None = None) -> Article:
    """Read a file's bytes as what its name says they are.

    Args:
        name: the file's name or path; nothing is opened by it.
        data: the file's content.
        settings: how large it may be.
        id: what citations call it; None for the name without suffix.

    Raises:
        ArticleError: as ``read_article``.
    """
    suffix = _format(name)
    _check_size(name, len(data), settings)
    source = Source(name, data, settings)
    id = id or PurePath(name).stem
    if suffix == ".txt":
        text, notes = source.decode()
        if not is_rst(text):
            _check_text(source, [text])
            return parse_article(text, id=id, source=name, notes=notes)
    document = _READERS[suffix](source)
    _check_text(source, [part.text for part in document.parts])
    return assemble(
        document.parts, id=id, source=name, notes=document.notes, metadata=document.metadata
    )


def _format(name: str) -> str:
    suffix = PurePath(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise ArticleError(
            f"{name} ends in {suffix or 'nothing'!r}: expected one of {', '.join(SUFFIXES)}. "
            "Save the article in one of these formats."
        )
    return suffix


def _check_size(name: str, size: int, settings: Settings) -> None:
    if size > settings.max_file_bytes:
        raise ArticleError(
            f"{name} has {size:,} bytes: at most {settings.max_file_bytes:,} are read "
            "(Settings.max_file_bytes). Split it into parts."
        )


def _check_text(source: Source, texts: Iterable[str]) -> None:
    texts = [text for text in texts if text.strip()]
    if not texts:
        raise source.empty()
    chars = sum(map(len, texts))
    if chars > source.settings.max_chars:
        raise source.too_much("characters", chars, "max_chars")


def _markdown(source: Source) -> Document:
    from article_qa.reading.markdown import read_markdown

    return read_markdown(source)


def _html(source: Source) -> Document:
    from article_qa.reading.html import read_html

    return read_html(source)


def _docx(source: Source) -> Document:
    from article_qa.reading.docx import read_docx

    return read_docx(source)


def _odt(source: Source) -> Document:
    from article_qa.reading.odt import read_odt

    return read_odt(source)


def _rtf(source: Source) -> Document:
    from article_qa.reading.rtf import read_rtf

    return read_rtf(source)


def _epub(source: Source) -> Document:
    from article_qa.reading.epub import read_epub

    return read_epub(source)


def _pdf(source: Source) -> Document:
    from article_qa.reading.pdf import read_pdf

    return read_pdf(source)


def _mail(source: Source) -> Document:
    from article_qa.reading.mail import read_mail

    return read_mail(source)


def _subtitles(source: Source) -> Document:
    from article_qa.reading.subtitles import read_subtitles

    return read_subtitles(source)


_READERS: dict[str, Callable[[Source], Document]] = {
    ".txt": read_rst,
    ".md": _markdown,
    ".markdown": _markdown,
    ".rst": read_rst,
    ".html": _html,
    ".htm": _html,
    ".pdf": _pdf,
    ".docx": _docx,
    ".odt": _odt,
    ".rtf": _rtf,
    ".epub": _epub,
    ".eml": _mail,
    ".srt": _subtitles,
    ".vtt": _subtitles,
}
"""Each imports its library when the first file of its kind comes. A ``.txt`` that is not plainly
reStructuredText is kept as it is."""

SUFFIXES = tuple(_READERS)
"""File names an article may end in."""
