"""Histories and questions made to be slow."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from article_qa.answering.citations import NOT_IN_ARTICLE
from article_qa.conversation.followup import standalone
from article_qa.types import Answer, Citation, Turn


def turn(question: str, plain: str, quotes: int = 1, understood: str | None = None) -> Turn:
    cited = tuple(Citation(n, "a", 0, len(plain), plain) for n in range(1, quotes + 1))
    answer = Answer(
        question, plain, plain, plain == NOT_IN_ARTICLE, None, 0.9, cited, (),
        understood_as=understood,
    )  # fmt: skip
    return Turn(question, answer)


def seconds(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


NAMES = "Ada Brandt of Port Elby met Otto Marsh. "
HISTORIES = {
    "long answers": lambda n: [turn("Who met?", NAMES * n)],
    "many quotes": lambda n: [turn("Who met?", NAMES, quotes=n)],
    "many turns": lambda n: [turn("Who met?", NAMES)] * n,
    "long questions": lambda n: [turn(NAMES * n, "Ada Brandt", understood=NAMES * n)],
}


@pytest.mark.parametrize("kind", HISTORIES)
def test_a_forged_history_costs_no_more_when_it_is_longer(kind: str) -> None:
    """The ratio of two times, which a slow machine shares."""
    short, long = HISTORIES[kind](100), HISTORIES[kind](1600)
    ask = "Who appointed him?"
    assert (
        seconds(lambda: standalone(ask, long)) < 4 * seconds(lambda: standalone(ask, short)) + 0.05
    )


@pytest.mark.parametrize("flood", ["it them ", "he ", "that report ", "there ", "the company "])
def test_a_flood_of_pronouns_is_bounded(flood: str) -> None:
    history = [turn("Who met?", NAMES * 20, quotes=5)] * 10
    short, long = flood * (400 // len(flood)), flood * (40_000 // len(flood))
    assert standalone(long, history) == long
    assert (
        seconds(lambda: standalone(long, history))
        < seconds(lambda: standalone(short, history)) + 0.05
    )
