"""What each attack cost is printed when all are done; no test asserts a time."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator

import pytest

_COSTS: list[tuple[str, float, float]] = []


@pytest.fixture(autouse=True)
def cost(request: pytest.FixtureRequest) -> Iterator[None]:
    """Note seconds, and the growth of this process's peak memory."""
    peak, began = _peak_mb(), time.perf_counter()
    yield
    _COSTS.append((request.node.name, time.perf_counter() - began, _peak_mb() - peak))


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _COSTS:
        terminalreporter.section("attacks: seconds, growth of peak memory")
        for name, seconds, grown in _COSTS:
            terminalreporter.write_line(f"{seconds:8.2f} s {grown:8.1f} MB  {name}")
