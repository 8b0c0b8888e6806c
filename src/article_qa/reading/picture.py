"""One page of a PDF as a picture, with its words' places; drawn in a process of its own.

``draw_page`` asks for it; run as a module, this file is that process. See ``isolation``.
"""

from __future__ import annotations

import base64
import io
import json
import sys
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Picture:
    """A drawn page.

    Args:
        webp: the picture.
        pages: how many the file has.
        words: each word and its box (left, top, right, bottom) as shares of width and height, in
            the order of the file.
    """

    webp: bytes
    pages: int
    words: tuple[tuple[str, Box], ...]


def draw_page(data: bytes, page: int, settings: Settings) -> Picture:
    """Draw a page of an untrusted PDF file.

    Args:
        data: the file's content.
        page: from 1.
        settings: what the process may use.

    Raises:
        ArticleError: there is no such page, or it cannot be drawn within the limits.
        LimitError: other files are being read.
    """
    request = {"page": page, "settings": settings.to_dict()}
    reply = ask_child("article_qa.reading.picture", request, data, settings, MOST_BYTES)
    try:
        words = tuple((str(word), _box(box)) for word, box in reply["words"])  # type: ignore[attr-defined]
        webp = base64.b64decode(str(reply["webp"]), validate=True)
        return Picture(webp, int(str(reply["pages"])), words)
    except (ValueError, TypeError, KeyError) as error:
        raise ArticleError(f"Page {page} cannot be drawn.") from error


def _box(values: Any) -> Box:
    left, top, right, bottom = (float(value) for value in values)
    return left, top, right, bottom


def _draw(data: bytes, number: int) -> dict[str, Any]:
    """Return the reply of the process that draws."""
    import pypdfium2

    from article_qa.reading.pdf_lines import _words

    document = pypdfium2.PdfDocument(data)
    page = document[number - 1]
    width, height = page.get_size()
    scale = min(WIDTH / width, (MOST_PIXELS / (width * height)) ** 0.5)
    bitmap = page.render(scale=scale)
    place = bitmap.get_posconv(page).to_bitmap
    words = []
    for word in _words(page.get_textpage()):
        ends = (place(word.left, word.bottom), place(word.right, word.bottom + 1.2 * word.size))
        (left, right), (top, bottom) = (sorted(axis) for axis in zip(*ends, strict=True))
        wide, high = bitmap.width, bitmap.height
        words.append((word.text, (left / wide, top / high, right / wide, bottom / high)))
    file = io.BytesIO()
    bitmap.to_pil().convert("RGB").save(file, "WEBP", quality=80, method=2)
    webp = base64.b64encode(file.getvalue()).decode()
    return {"webp": webp, "pages": len(document), "words": words}


def main() -> None:
    """Answer one request; an error is an empty reply."""
    from article_qa.reading.child import limit

    request = json.loads(sys.stdin.buffer.readline())
    limit(Settings(**request["settings"]))
    sys.stdout.write(json.dumps(_draw(sys.stdin.buffer.read(), int(request["page"]))))


if __name__ == "__main__":
    main()
