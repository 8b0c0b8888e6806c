"""Thumbs up and down, kept on this machine in the format of the regression set."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from article_qa.errors import FeedbackError
from article_qa.types import Turn

MAX_FILE_BYTES = 20_000_000
"""About 20,000 verdicts; then no more are stored, so that no visitor can fill the disk."""


class Feedback:
    """Appends one JSON line per verdict.

    Args:
        path: the file, made with its folder when first needed; None stores nothing.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = None if path is None else Path(path)
        self._lock = threading.Lock()

    def store(self, turns: Sequence[Turn], article_id: str, verdict: str) -> None:
        """Store a verdict on the last of ``turns``.

        Raises:
            FeedbackError: the verdict is neither "up" nor "down", or the file is full or cannot
                be written.
        """
        if verdict not in ("up", "down"):
            raise FeedbackError(f'A verdict is "up" or "down", not {verdict[:20]!r}.')
        if self.path is None:
            return
        line = json.dumps(record(turns, article_id, verdict), ensure_ascii=False) + "\n"
        try:
            with self._lock:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with open(self.path, "ab", opener=_private) as file:
                    if file.tell() > MAX_FILE_BYTES:
                        raise FeedbackError("Verdicts are not stored any more: the file is full.")
                    file.write(line.encode("utf-8", "backslashreplace"))
        except OSError as error:
            raise FeedbackError(f"The verdict could not be stored: {error.strerror}.") from error


def _private(path: str, flags: int) -> int:
    """Open a file that only its owner may read: it holds what visitors asked."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)


def record(turns: Sequence[Turn], article_id: str, verdict: str) -> dict[str, Any]:
    """Return a verdict on the last turn as a line of the regression set.

    A question that needed the conversation to be understood is stored with its ``turns``.
    """
    answer = turns[-1].answer
    now = datetime.now(UTC).isoformat(timespec="seconds")
    asked: dict[str, Any] = {"question": turns[-1].question}
    if answer.understood_as:
        asked = {"turns": [turn.question for turn in turns]}
    digest = hashlib.sha256(json.dumps([now, asked, answer.plain]).encode()).hexdigest()
    quotes = [{"text": c.quote, "start": c.start, "end": c.end} for c in answer.citations]
    return {
        "id": f"feedback-{digest[:10]}",
        "article": article_id,
        "kind": "feedback",
        "split": "dev",
        **asked,
        "answers": [] if answer.refused else [answer.plain],
        "quotes": [quotes] if quotes else [],
        "answerable": not answer.refused,
        "verdict": verdict,
        "time": now,
    }
