from __future__ import annotations

import re
from importlib.resources import files

import pytest

from article_qa.web.page import SCRIPTS
from article_qa.web.words import languages, words_in


def used() -> set[str]:
    """Keys that the page names, in its HTML, its script and its Python."""
    folder = files("article_qa.web")

    def text(name: str) -> str:
        return (folder / name).read_text("utf-8")

    found = set(re.findall(r'data-(?:words|label|hint)="([^"]+)"', text("page.html")))
    for name in SCRIPTS:
        found |= set(re.findall(r'"([^"\n]+)"', text(name)))
    for name in ("render.py", "page.py"):
        for quote in "\"'":
            found |= set(re.findall(f"{quote}([^\"'\n]+){quote}", text(name)))
    return found


def test_every_language_has_every_word_with_the_same_places() -> None:
    english = words_in("en")
    for words in languages().values():
        assert words.keys() == english.keys()
        for key, text in words.items():
            assert text and '"' not in text and "<" not in text  # it stands in attributes
            assert sorted(re.findall(r"\{\d\}", text)) == sorted(
                re.findall(r"\{\d\}", english[key])
            )


def test_no_word_is_unused_and_none_is_missing() -> None:
    page = (files("article_qa.web") / "page.html").read_text("utf-8")
    assert set(re.findall(r'data-(?:words|label|hint)="([^"]+)"', page)) <= words_in("en").keys()
    kinds = {"sentences", "people", "organisations", "places", "dates", "numbers"}
    assert words_in("en").keys() - used() <= kinds


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_word_that_the_script_asks_for_is_there(name: str) -> None:
    script = (files("article_qa.web") / name).read_text("utf-8")
    asked = set(re.findall(r'\bt\("([^"]+)"', script))
    assert asked <= words_in("en").keys()


def test_an_unknown_language_is_english() -> None:
    assert words_in("xx") is words_in("en")
    assert words_in(None) is words_in("en")
