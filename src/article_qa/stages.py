"""How long each stage of an answer took.

The stages are ``understand`` (a follow-up made to stand alone), ``retrieve``, ``read``, ``verify``
(candidate sentences, a chat model's statements, citations), ``judge`` and ``chat`` (waiting for a
chat model).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class Stages(dict[str, float]):
    """Seconds by stage, filled as a question goes on its way; a stage entered twice adds up."""

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Count the time of a block of code as the stage ``name``."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.add({name: time.perf_counter() - began})

    def add(self, others: Mapping[str, float]) -> None:
        """Add what was measured elsewhere."""
        for name, seconds in others.items():
            self[name] = self.get(name, 0.0) + seconds
