"""The pages of PDF files as pictures, with passages marked on them."""

from __future__ import annotations

import base64
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from article_qa.config import Settings
from article_qa.errors import ArticleError
from article_qa.reading.picture import Box, Picture, draw_page
from article_qa.types import Article, Span

MOST_BYTES = 200_000_000
"""Of visitors' files kept for drawing; beyond it the oldest go, and their text alone is shown."""
DRAWN = 32
"""Pictures remembered."""

Key = tuple[str, str]
"""A session's key (empty for the library) and an article's id."""


class Pictures:
    """The files that can be drawn, and the pages drawn last.

    Args:
        folder: where the library's files are, if anywhere.
        settings: what the drawing process may use.
    """

    def __init__(self, folder: str | Path | None = None, settings: Settings | None = None) -> None:
        self._folder = None if folder is None else Path(folder)
        self._settings = settings or Settings()
        self._files: OrderedDict[Key, bytes] = OrderedDict()
        self._drawn: OrderedDict[tuple[Key, int], Picture] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, session: str, article: Article, data: bytes) -> None:
        """Keep a visitor's file, if it has pages."""
        if not article.pages:
            return
        with self._lock:
            self._files[session, article.id] = data
            while sum(map(len, self._files.values())) > MOST_BYTES:
                self._forget(next(iter(self._files)))

    def forget(self, session: str, article_id: str) -> None:
        """Drop a visitor's file and its pictures."""
        with self._lock:
            self._forget((session, article_id))

    def can_draw(self, session: str, article: Article) -> bool:
        """Say whether the article's pages can be shown."""
        return (session, article.id) in self._files or self._in_folder(article) is not None

    def page(
        self, session: str, article: Article, number: int, passage: Span | None
    ) -> dict[str, Any]:
        """Return a page for the browser: a data URL, and the boxes of a passage as shares.

        Raises:
            ArticleError: it cannot be drawn.
            LimitError: other files are being read.
        """
        picture = self._picture(session, article, number)
        image = "data:image/webp;base64," + base64.b64encode(picture.webp).decode()
        return {"image": image, "boxes": _marked(article, number, picture, passage)}

    def _picture(self, session: str, article: Article, number: int) -> Picture:
        key = ((session, article.id), number)
        with self._lock:
            data, drawn = self._files.get(key[0]), self._drawn.get(key)
        if drawn is not None:
            return drawn
        path = self._in_folder(article)
        if data is None and path is not None:
            data = path.read_bytes()
        if data is None:
            raise ArticleError("The file of this article is not at hand: its text alone is.")
        words = [article.text[s.start : s.end] for s in _words_on(article, number)]
        picture = draw_page(data, number, words, self._settings)
        with self._lock:
            self._drawn[key] = picture
            while len(self._drawn) > DRAWN:
                self._drawn.popitem(last=False)
        return picture

    def _in_folder(self, article: Article) -> Path | None:
        if self._folder is None or not article.pages or article.source is None:
            return None
        path = self._folder / Path(article.source).name
        return path if path.is_file() else None

    def _forget(self, key: Key) -> None:
        self._files.pop(key, None)
        for drawn in [drawn for drawn in self._drawn if drawn[0] == key]:
            del self._drawn[drawn]


def _marked(
    article: Article, number: int, picture: Picture, passage: Span | None
) -> list[list[float]]:
    """Return where a passage stands on a page: a box (left, top, width, height) for each line."""
    lines: list[list[Box]] = []
    for word, box in zip(_words_on(article, number), picture.places, strict=True):
        if passage is None or box is None or not word.overlaps(passage):
            continue
        before = lines[-1][-1] if lines else None
        if before and box[0] >= before[0] and box[1] < before[3] and before[1] < box[3]:
            lines[-1].append(box)
        else:
            lines.append([box])
    return [_around(line) for line in lines]


def _words_on(article: Article, number: int) -> Iterator[Span]:
    """Yield where each word stands in the text that a page holds."""
    ends = [offset for offset, _ in article.pages[1:]] + [len(article.text)]
    for (start, page), end in zip(article.pages, ends, strict=True):
        if page == number:
            for word in re.compile(r"\S+").finditer(article.text, start, end):
                yield Span(*word.span())


def _around(line: list[Box]) -> list[float]:
    lefts, tops, rights, bottoms = zip(*line, strict=True)
    left, top = min(lefts), min(tops)
    return [round(x, 4) for x in (left, top, max(rights) - left, max(bottoms) - top)]
