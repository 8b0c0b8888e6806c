"""What all tests share: one small real ArticleQA, and no network beyond this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest
from ferry import FERRY, ROOT

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@pytest.fixture(scope="session")
def qa() -> Iterator[object]:
    """A real ArticleQA over one short article, with the shipped models."""
    from article_qa import ArticleQA

    yield ArticleQA.from_texts({"ferry": FERRY})


@pytest.fixture(scope="session")
def seed_qa() -> Iterator[object]:
    """The committed index of the seed article."""
    from article_qa import ArticleQA

    yield ArticleQA.load(ROOT / "index")


@pytest.fixture
def in_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in the repository's root, as a user of the README does."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])
