"""Untrusted files are read in a process of their own, within limits of memory and time.

Parsers of PDF, XML and HTML are large, and partly written in C: a file made for it may make one
run for hours, fill the memory or crash. Here that ends a child process, never the service. The
child gets no environment (which may hold keys), writes no file, and what it says is checked.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import IO

from article_qa.config import Settings
from article_qa.errors import ArticleError, LimitError
from article_qa.reading.records import article_from
from article_qa.types import Article

log = logging.getLogger(__name__)

REPLY_BYTES_PER_CHAR = 100
"""Bytes of a reply for each character that may be read: JSON writes one in up to 12, and a sentence
in up to 24; a file of nothing but sentences of one letter has the most."""


def read_untrusted(name: str, data: bytes, settings: Settings, *, id: str) -> Article:
    """Read a file's bytes as ``parse_file`` does, in a process of its own.

    Args:
        name: the file's name; its suffix says what it is.
        data: the file's content.
        settings: what it may be, and what the process may use ('Untrusted files' there).
        id: what citations call the article.

    Raises:
        ArticleError: it cannot be read, or not within the limits.
        LimitError: other files are being read, and have been for as long as one may take.
    """
    request = {"name": name, "id": id, "settings": settings.to_dict()}
    most = 1_000_000 + REPLY_BYTES_PER_CHAR * settings.max_chars
    reply = ask_child("article_qa.reading.child", request, data, settings, most)
    if "error" in reply:
        raise ArticleError(str(reply["error"]))
    try:
        return article_from(reply["article"])  # type: ignore[arg-type]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        log.warning("a file could not be read: %s", reply.get("failed", "limits, or a crash"))
        raise ArticleError(
            f"{name} could not be read: it is damaged, or takes more than "
            f"{settings.child_seconds:g} seconds or {settings.child_memory_bytes / 1e6:,.0f} MB of "
            "memory. Save its text as a .txt file."
        ) from error


def ask_child(
    module: str, request: Mapping[str, object], data: bytes, settings: Settings, most: int
) -> dict[str, object]:
    """Run a module in a process of its own on a request and a file's bytes.

    Args:
        module: reads a line of JSON and the bytes from its input, and writes a line of JSON.
        request: what is asked of it.
        data: the file's content.
        settings: what the process may use.
        most: bytes of its reply that are read.

    Returns:
        The reply; nothing if the process was ended or said what is no JSON.

    Raises:
        LimitError: other files are being read, and have been for as long as one may take.
    """
    slots = _slots(settings.children_at_once)
    if not slots.acquire(timeout=settings.child_seconds):
        raise LimitError("Other files are being read just now. Try again in a minute.")
    try:
        return _reply(module, json.dumps(request).encode() + b"\n", data, settings, most)
    finally:
        slots.release()


@cache
def _slots(count: int) -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(count)


def _reply(
    module: str, head: bytes, data: bytes, settings: Settings, most: int
) -> dict[str, object]:
    """Return what a child says of a file; nothing if it was ended or says what is no JSON."""
    with subprocess.Popen(
        [sys.executable, "-P", "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
        cwd=Path(sys.executable).anchor,
    ) as child:
        assert child.stdin is not None and child.stdout is not None
        clock = threading.Timer(settings.child_seconds, child.kill)
        clock.daemon = True
        clock.start()
        feeder = threading.Thread(target=_feed, args=(child.stdin, head, data), daemon=True)
        feeder.start()
        try:
            said = child.stdout.read(most)
        finally:
            clock.cancel()
            child.kill()
            feeder.join()
    try:
        reply = json.loads(said)
    except (ValueError, RecursionError):
        return {}
    return reply if isinstance(reply, dict) else {}


def _environment() -> dict[str, str]:
    """Return what the child needs to find its modules, and nothing else of this process's."""
    kept = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUTF8": "1"}
    return kept | {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}


def _feed(pipe: IO[bytes], *pieces: bytes) -> None:
    """Write into a pipe whose reader may be gone."""
    try:
        with pipe:
            for piece in pieces:
                pipe.write(piece)
    except OSError:
        pass
