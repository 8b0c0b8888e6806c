"""Texts made to be slow: four times the text takes about four times as long, never sixteen."""

from __future__ import annotations

import time

import pytest

from article_qa.reading.article import parse_article

KINDS = {
    "sentences": "The bell rang twice at dusk. ",
    "no sentence's end": "bell ",
    "one word": "x",
    "titles and initials": "Mr. A. B. St. Dr. ",
    "quotations": "“Ring,” he said. ",
    "marks that nothing closes": "![",
    "brackets": "((((",
    "short lines": "bell\n",
    "blank lines": "\n\n",
}


def seconds(kind: str, size: int) -> float:
    """Return the processor's time for a text of one paragraph, the better of two."""
    text = "Bell. " + (KINDS[kind] * size)[:size]
    times = []
    for _ in range(2):
        began = time.process_time()
        parse_article(text, id="own")
        times.append(time.process_time() - began)
    return min(times)


@pytest.mark.parametrize("kind", KINDS)
def test_a_longer_text_costs_in_proportion(kind: str) -> None:
    assert seconds(kind, 200_000) < 8 * max(0.01, seconds(kind, 50_000))
