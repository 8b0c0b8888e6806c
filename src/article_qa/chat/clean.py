"""Words from outside (a chat model's, a client's), without what only deceives the eye."""

from __future__ import annotations

import re
import unicodedata

_SEEN_AS_NOTHING = re.compile(
    "\u001b\\[[0-9;?]*[A-Za-z]|"  # a terminal's colours
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f"  # controls but tab and line feed
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks and overrides of direction
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"  # marks and tags that no font shows
    "\ud800-\udfff]"  # halves of a character
)


def clean(text: str) -> str:
    """Drop controls, overrides of direction, invisible tags and halves of characters.

    Joiners stay: Persian and emoji need them. What is left can be encoded and printed.
    """
    return _SEEN_AS_NOTHING.sub("", text)


def clean_line(text: str, limit: int) -> str:
    """Return at most ``limit`` characters of a text as one clean line."""
    return " ".join(clean(unicodedata.normalize("NFC", text[:limit])).split())
