"""The interface's words in each of its languages, all of them in ``words.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

Words = Mapping[str, str]


@cache
def languages() -> Mapping[str, Words]:
    """Return the words by language ('en', 'de'); each has the same keys."""
    text = (files("article_qa.web") / "words.json").read_text(encoding="utf-8")
    known: dict[str, Words] = json.loads(text)
    return known


def words_in(language: object) -> Words:
    """Return the words in a language, or in English where there are none in it."""
    known = languages()
    return known.get(str(language), known["en"])
