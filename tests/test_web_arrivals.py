from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from article_qa.errors import ArticleError
from article_qa.reading.article import parse_article
from article_qa.types import Article
from article_qa.web.arrivals import Arrival, CancelledError

ARTICLE = parse_article("The Bell\n\nIt rang.", id="bell")


def adding(batches: int, seen: list[int] | None = None) -> Callable[..., Article]:
    def add(*, progress: Callable[[int, int], None], read: Callable[[Article], None]) -> Article:
        read(ARTICLE)
        for n in range(1, batches + 1):
            time.sleep(0.001)
            progress(n, batches)
            if seen is not None:
                seen.append(n)
        return ARTICLE

    return add


def test_it_says_how_far_it_is_and_gives_the_article_last() -> None:
    steps = list(Arrival(adding(2), lambda: False).steps())
    assert steps == [
        {"readable": ARTICLE},
        {"done": 1, "total": 2},
        {"done": 2, "total": 2},
        {"article": ARTICLE},
    ]


def test_cancelled_it_ends_after_the_batch() -> None:
    seen: list[int] = []
    arrival = Arrival(adding(1000, seen), lambda: False)
    steps = arrival.steps()
    next(steps)
    arrival.cancel()
    with pytest.raises(CancelledError):
        list(steps)
    assert len(seen) < 1000


def test_it_ends_when_nobody_listens() -> None:
    seen: list[int] = []
    steps = Arrival(adding(1000, seen), lambda: True).steps()
    next(steps)
    steps.close()
    assert len(seen) < 1000


def test_a_question_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("article_qa.web.arrivals.GIVE_WAY_SECONDS", 0.2)
    began = time.monotonic()
    list(Arrival(adding(3), lambda: True).steps())
    assert time.monotonic() - began > 0.5


def test_what_goes_wrong_is_raised() -> None:
    def add(**_: Any) -> Article:
        raise ArticleError("This is empty.")

    with pytest.raises(ArticleError, match="empty"):
        list(Arrival(add, lambda: False).steps())
