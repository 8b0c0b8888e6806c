"""What a visitor sends -> an article."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from article_qa.config import Settings
from article_qa.errors import ArticleError
from article_qa.reading.article import parse_article
from article_qa.reading.isolation import read_untrusted
from article_qa.types import Article
from article_qa.web.sessions import MAX_OWN_CHARS

MAX_FILE_BYTES = 10_000_000
"""A file a visitor may bring: a long PDF; its text is limited again by ``MAX_OWN_CHARS``."""


def read_upload(
    name: str, content: str | bytes, taken: set[str], settings: Settings | None = None
) -> Article:
    """Read what a visitor sent, under an id that nothing else has.

    A file is read in a process of its own, within limits: nobody knows what is in it. A text has
    no format that could hurt.

    Args:
        name: the file's name, a label only; its suffix says what it is.
        content: a text, or a file's bytes, which are never written to the disk.
        taken: ids that are in use.
        settings: what the process may use; None for the defaults.

    Raises:
        ArticleError: too large, or not readable as an article within the limits.
        LimitError: too many files are being read.
    """
    label = Path(name)
    slug = re.sub(r"[^a-z0-9]+", "-", label.stem.casefold()).strip("-")[:40] or "article"
    id = next(f"own-{slug}-{n}" for n in range(1, len(taken) + 2) if f"own-{slug}-{n}" not in taken)
    if isinstance(content, str):
        if len(content) > MAX_OWN_CHARS:
            raise ArticleError(
                f"A text may have up to {MAX_OWN_CHARS:,} characters; "
                f"this one has {len(content):,}."
            )
        return parse_article(content.replace("\r\n", "\n").replace("\r", "\n"), id=id)
    if len(content) > MAX_FILE_BYTES:
        raise ArticleError(
            f"A file may have up to {MAX_FILE_BYTES // 1_000_000} MB; this one has "
            f"{len(content) / 1e6:.1f} MB."
        )
    settings = settings or Settings()
    limits = replace(settings, max_chars=min(settings.max_chars, MAX_OWN_CHARS))
    shown = " ".join(f"{label.stem[:80]}{label.suffix[:10]}".split())
    return replace(read_untrusted(shown, content, limits, id=id), source=None)
