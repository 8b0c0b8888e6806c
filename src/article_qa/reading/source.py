"""A file's bytes with its name and limits, and what a reader of a format makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from article_qa.config import Settings
from article_qa.errors import ArticleError
from article_qa.reading.layout import Part
from article_qa.types import Metadatum


@dataclass(frozen=True, slots=True)
class Document:
    """What a format's reader found in a file: its parts in reading order, and its metadata."""

    parts: tuple[Part, ...]
    metadata: Mapping[str, Metadatum] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


_BOMS = (  # UTF-32 first: its little-endian mark begins with UTF-16's
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_CONTROL = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b")) + b"\x7f"


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it came.

    Args:
        name: its name or path, for messages.
        data: its content.
        settings: how much of it is read.
    """

    name: str
    data: bytes
    settings: Settings

    @property
    def suffix(self) -> str:
        """What the name ends in: which make it is."""
        return PurePath(self.name).suffix.lower()

    def decode(self) -> tuple[str, tuple[str, ...]]:
        """Decode text: by its byte-order mark, else as UTF-8, else by charset-normalizer's guess.

        Returns:
            The text, and what had to be assumed.

        Raises:
            ArticleError: it is no text.
        """
        data = self.data
        encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "utf-8")
        binary = ArticleError(
            f"{self.name} is not text: it looks binary. Save the article as UTF-8 text, or give "
            "the file the suffix of its real format (.pdf, .docx)."
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

    def empty(self) -> ArticleError:
        """Return the error for a file without text, with what to do about it."""
        hint = _SCANNED if self.suffix == ".pdf" else _EMPTY
        return ArticleError(f"{self.name} holds no text. {hint}")

    def too_much(self, what: str, found: int, limit: str) -> ArticleError:
        """Return the error for a file over a limit.

        Args:
            what: what there is too much of ("pages").
            found: how much there is at least.
            limit: the name of the setting that allows less.
        """
        allowed = getattr(self.settings, limit)
        return ArticleError(
            f"{self.name} has {found:,} {what}: at most {allowed:,} are read (Settings.{limit}). "
            "Save the part you need as a file of its own."
        )


_EMPTY = "Put the article's text into it."
_SCANNED = "A scanned PDF has pictures of words only: run it through OCR first."
