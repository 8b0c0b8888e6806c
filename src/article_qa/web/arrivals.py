"""An article on its way: read and indexed beside the answering, with progress, until cancelled."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any

from article_qa.errors import ArticleError
from article_qa.types import Article

GIVE_WAY_SECONDS = 1.0
"""Longest pause of the indexing after each batch while a question is being answered."""
HEARTBEAT = 0.2


class CancelledError(ArticleError):
    """The visitor does not want the article any more."""


class Arrival:
    """One article that a visitor adds.

    Args:
        add: reads and indexes it; is called with ``progress`` and ``read`` of this.
        busy: says whether a question is being answered, which goes first.
    """

    def __init__(self, add: Callable[..., Article], busy: Callable[[], bool]) -> None:
        self._add = add
        self._busy = busy
        self._cancelled = threading.Event()
        self._steps: SimpleQueue[dict[str, Any]] = SimpleQueue()

    def cancel(self) -> None:
        """End it after the batch that is being embedded."""
        self._cancelled.set()

    def progress(self, done: int, total: int) -> None:
        """Note how far it is, after each batch; let questions go first.

        Raises:
            CancelledError: it is not wanted any more.
        """
        self._steps.put({"done": done, "total": total})
        until = time.monotonic() + GIVE_WAY_SECONDS
        while self._busy() and time.monotonic() < until and not self._cancelled.is_set():
            time.sleep(0.02)
        if self._cancelled.is_set():
            raise CancelledError("This article was cancelled.")

    def read(self, article: Article) -> None:
        """Note that its text can be shown already.

        Raises:
            CancelledError: it is not wanted any more.
        """
        if self._cancelled.is_set():
            raise CancelledError("This article was cancelled.")
        self._steps.put({"readable": article})

    def steps(self) -> Iterator[dict[str, Any]]:
        """Do the work in a thread of its own; yield what becomes of it, the article last.

        Yields:
            ``{"readable": article}``, then ``{"done", "total"}`` after each batch, then
            ``{"article": article}``.

        Raises:
            ArticleQAError: it cannot be read or indexed, or was cancelled.
        """
        with ThreadPoolExecutor(1, thread_name_prefix="arrival") as worker:
            work = worker.submit(self._add, progress=self.progress, read=self.read)
            try:
                while not (work.done() and self._steps.empty()):
                    try:
                        yield self._steps.get(timeout=HEARTBEAT)
                    except Empty:
                        continue
            finally:
                if not work.done():  # nobody listens any more
                    self.cancel()
        yield {"article": work.result()}
