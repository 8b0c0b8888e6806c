"""One page of a PDF as a picture, and where its words stand; drawn in a process of its own.

A page's text and its printed words are one sequence, so they are laid side by side: a word's place
in the picture follows from its place in the text, even where the same words stand there twice.

``draw_page`` asks for it; run as a module, this file is that process. See ``isolation``.
"""

from __future__ import annotations

import base64
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from article_qa.config import Settings
from article_qa.errors import ArticleError
from article_qa.reading.isolation import ask_child

WIDTH = 1100
"""Pixels of a picture's width: twice what the page shows on most screens."""
MOST_PIXELS = 4_000_000
"""A page that is far taller than wide is drawn smaller."""
MOST_BYTES = 8_000_000
"""Of a reply: a full-page photograph has about one million."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom, as shares of a picture's width and height."""


@dataclass(frozen=True)
class Picture:
    """A drawn page.

    Args:
        webp: the picture.
        places: where each word of its text stands; None for one that is not printed so.
    """

    webp: bytes
    places: tuple[Box | None, ...]


def draw_page(data: bytes, page: int, words: Sequence[str], settings: Settings) -> Picture:
    """Draw a page of an untrusted PDF file.

    Args:
        data: the file's content.
        page: from 1.
        words: the page's text, as it was read.
        settings: what the process may use.

    Raises:
        ArticleError: there is no such page, or it cannot be drawn within the limits.
        LimitError: other files are being read.
    """
    request = {"page": page, "words": list(words), "settings": settings.to_dict()}
    reply = ask_child("article_qa.reading.picture", request, data, settings, MOST_BYTES)
    try:
        places = tuple(box and _box(box) for box in reply["places"])  # type: ignore[attr-defined]
        return Picture(base64.b64decode(str(reply["webp"]), validate=True), places)
    except (ValueError, TypeError, KeyError) as error:
        raise ArticleError(f"Page {page} cannot be drawn.") from error


def _box(values: Any) -> Box:
    left, top, right, bottom = (float(value) for value in values)
    return left, top, right, bottom


def _draw(data: bytes, number: int, words: Sequence[str]) -> dict[str, Any]:
    """Return the reply of the process that draws."""
    import pypdfium2

    page = pypdfium2.PdfDocument(data)[number - 1]
    width, height = page.get_size()
    scale = min(WIDTH / width, (MOST_PIXELS / (width * height)) ** 0.5)
    bitmap = page.render(scale=scale)
    printed = _printed(page, bitmap)
    places: list[Box | None] = [None] * len(words)
    sides = SequenceMatcher(None, words, [word for word, _ in printed], autojunk=False)
    for match in sides.get_matching_blocks():
        for n in range(match.size):
            places[match.a + n] = printed[match.b + n][1]
    file = io.BytesIO()
    bitmap.to_pil().convert("RGB").save(file, "WEBP", quality=80, method=2)
    return {"webp": base64.b64encode(file.getvalue()).decode(), "places": places}


def _printed(page: Any, bitmap: Any) -> list[tuple[str, Box]]:
    """Return a page's words in the order of the file, each with its place in the picture."""
    from article_qa.reading.pdf_lines import _words

    place = bitmap.get_posconv(page).to_bitmap
    wide, high = bitmap.width, bitmap.height
    printed = []
    for word in _words(page.get_textpage()):
        ends = (place(word.left, word.bottom), place(word.right, word.bottom + 1.2 * word.size))
        (left, right), (top, bottom) = (sorted(axis) for axis in zip(*ends, strict=True))
        printed.append((word.text, (left / wide, top / high, right / wide, bottom / high)))
    return printed


def main() -> None:
    """Answer one request; an error is an empty reply."""
    from article_qa.reading.child import limit

    request = json.loads(sys.stdin.buffer.readline())
    limit(Settings(**request["settings"]))
    data = sys.stdin.buffer.read()
    sys.stdout.write(json.dumps(_draw(data, int(request["page"]), request["words"])))


if __name__ == "__main__":
    main()
