"""Reads one untrusted file, in a process that does nothing else: ``isolation`` starts it.

On standard input come a line of JSON (name, id, settings) and the file's bytes; on standard output
goes a line of JSON: the article, the error to be shown, or what failed unexpectedly. The limits are
set before a byte of the file is read. Only what reading needs is imported.
"""

from __future__ import annotations

import json
import math
import sys
import traceback
from typing import Any

from article_qa.config import Settings
from article_qa.errors import ArticleError
from article_qa.reading.files import parse_file
from article_qa.reading.records import article_record

OPEN_FILES = 64
"""File descriptors: the libraries are opened one after another."""


def main() -> None:
    """Answer one request."""
    request = json.loads(sys.stdin.buffer.readline())
    settings = Settings(**request["settings"])
    limit(settings)
    reply = read(request["name"], sys.stdin.buffer.read(), settings, request["id"])
    sys.stdout.write(json.dumps(reply))


def limit(settings: Settings) -> None:
    """Bound this process: the system ends it where it asks for more.

    Where the system has no such limits (Windows) the starting process's clock is the only one.
    """
    try:
        import resource
        import signal
    except ImportError:
        return
    seconds = settings.child_cpu_seconds
    limits = {
        resource.RLIMIT_AS: (settings.child_memory_bytes, settings.child_memory_bytes),
        resource.RLIMIT_CPU: (seconds, seconds + 1),
        resource.RLIMIT_FSIZE: (0, 0),  # it writes no file
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_NOFILE: (OPEN_FILES, OPEN_FILES),
    }
    for kind, (soft, hard) in limits.items():
        _, allowed = resource.getrlimit(kind)
        if allowed != resource.RLIM_INFINITY:
            soft, hard = min(soft, allowed), min(hard, allowed)
        resource.setrlimit(kind, (soft, hard))
    signal.alarm(math.ceil(settings.child_seconds) + 1)  # should the starting process be gone


def read(name: str, data: bytes, settings: Settings, id: str) -> dict[str, Any]:
    """Return the reply to a request."""
    try:
        return {"article": article_record(parse_file(name, data, settings, id=id))}
    except ArticleError as error:
        return {"error": str(error)}
    except MemoryError:
        return {"memory": True}
    except Exception:
        return {"failed": traceback.format_exc()[-2000:]}


if __name__ == "__main__":
    main()
